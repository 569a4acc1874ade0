/* SPDX-License-Identifier: MPL-2.0 */
/* CPUs: what each needs to take traps, how they start, how they are kicked. */
#include "inside.h"

#include "fh_x86_64.h"

FH_STATIC_ASSERT(STACK_SIZE == KERNEL_STACK_SIZE &&
			 STACK_FIRST == offsetof(struct kernel_stack, cpu),
		 "boot.S and fh_host_cpu() know the stacks by these numbers");

/* ---- Descriptors ---- */

/* Words lie at multiples of 8 if the TSS proper begins after `pad`. */
struct task_state {
	uint32_t pad;
	uint32_t reserved;
	uint64_t stack[3]; /* of traps, by privilege level */
	uint64_t reserved2;
	uint64_t own_stack[7]; /* by the number in the gate, from 1 on */
	uint64_t reserved3;
	uint16_t reserved4;
	uint16_t io_map; /* where it would be: there is none */
	uint32_t end;
};

#define TSS_SIZE (offsetof(struct task_state, end) - sizeof(uint32_t))

static struct task_state states[FH_MAX_CPUS];

/* One table for all; a TSS takes two. Loading it marks a TSS as busy. */
static uint64_t descriptors[FIRST_TSS / 8 + 2 * FH_MAX_CPUS] = {
	[KERNEL_CS / 8] = 0x00af9b000000ffff,
	[KERNEL_DS / 8] = 0x00cf93000000ffff,
	[USER_CS / 8] = 0x00affb000000ffff,
	[USER_DS / 8] = 0x00cff3000000ffff,
};

static void describe_state(unsigned cpu)
{
	uint64_t *descriptor = &descriptors[FIRST_TSS / 8 + 2 * cpu];
	uint64_t base = (uintptr_t)&states[cpu] + sizeof(uint32_t);

	states[cpu].io_map = TSS_SIZE;
	states[cpu].own_stack[0] = (uintptr_t)&kernel_stacks[cpu].cpu;
	descriptor[0] = (TSS_SIZE - 1) | (base & 0xffffff) << 16 |
			UINT64_C(0x89) << 40 | (base >> 24 & 0xff) << 56;
	descriptor[1] = base >> 32;
}

static void load_descriptors(unsigned cpu)
{
	struct {
		uint16_t unused[3];
		uint16_t limit;
		uint64_t base;
	} table = {.limit = sizeof(descriptors) - 1,
		   .base = (uintptr_t)descriptors};

	describe_state(cpu);
	/* CS stays: boot.S's table has the same one there. */
	__asm__ volatile("lgdt %0" : : "m"(table.limit), "m"(table));
	__asm__ volatile("movl %0, %%ss\n\tmovl %1, %%ds\n\tmovl %1, %%es\n\t"
			 "movl %1, %%fs\n\tmovl %1, %%gs"
			 :
			 : "r"(KERNEL_DS), "r"(0));
	__asm__ volatile("ltr %w0" : : "r"(FIRST_TSS + 16 * cpu));
}

uint64_t *cpu_trap_stack(void)
{
	return &states[fh_host_cpu()].stack[0];
}

/* ---- This CPU ---- */

/* CPUID 7, EBX. */
#define HAS_SMEP (1u << 7)
#define HAS_SMAP (1u << 20)

bool port_guards_programs(void)
{
	return (x86_cpuid(7).ebx & HAS_SMAP) != 0;
}

void cpu_begin(unsigned cpu)
{
	uint32_t features = x86_cpuid(7).ebx;
	uint64_t cr4 = x86_read_cr4();

	load_descriptors(cpu);
	vectors_load();
	x86_write_msr(MSR_PAT, FH_X86_64_PAT);
	if ((features & HAS_SMEP) != 0)
		cr4 |= CR4_SMEP;
	if ((features & HAS_SMAP) != 0)
		cr4 |= CR4_SMAP;
	x86_write_cr4(cr4);
}

/* ---- The local interrupt controller ---- */

#define APIC_BASE       0xfee00000
#define APIC_ID         0x020
#define APIC_PRIORITY   0x080
#define APIC_END        0x0b0
#define APIC_SPURIOUS   0x0f0
#define APIC_COMMAND    0x300
#define APIC_COMMAND_TO 0x310
#define APIC_TIMER      0x320
#define APIC_LINE0      0x350
#define APIC_LINE1      0x360
#define APIC_TIME       0x380
#define APIC_DIVIDE     0x3e0

#define APIC_DIVIDE_BY_1 0x0000000bu

#define APIC_ON     0x00000100u
#define APIC_MASKED 0x00010000u
#define APIC_BUSY   0x00001000u
#define APIC_ASSERT 0x00004000u
#define APIC_OTHERS 0x000c0000u
#define APIC_INIT   0x00000500u
#define APIC_START  0x00000600u /* at the page in the low bits */

const struct piece port_devices[] = {{APIC_BASE, FH_PAGE_SIZE}};
const size_t port_device_count = 1;

enum fh_cache port_device_cache(void)
{
	return FH_CACHE_UNCACHEABLE;
}

static volatile uint32_t *apic_register(uint32_t offset)
{
	return (volatile uint32_t *)(LAYOUT_DEVICES + APIC_BASE + offset);
}

uint32_t cpu_apic_ids[FH_MAX_CPUS];

static void apic_command(uint32_t to, uint32_t command)
{
	while ((*apic_register(APIC_COMMAND) & APIC_BUSY) != 0)
		__asm__ volatile("pause");
	*apic_register(APIC_COMMAND_TO) = to << 24;
	*apic_register(APIC_COMMAND) = command;
}

/* Handlers kick nobody, so that nothing comes between the two registers. */
void fh_host_kick(unsigned cpu)
{
	apic_command(cpu_apic_ids[cpu], APIC_ASSERT | VECTOR_KICK);
}

void cpu_interrupt_has_come(void)
{
	*apic_register(APIC_END) = 0;
}

void port_cpu_setup(unsigned cpu)
{
	cpu_apic_ids[cpu] = *apic_register(APIC_ID) >> 24;
	*apic_register(APIC_DIVIDE) = APIC_DIVIDE_BY_1;
	*apic_register(APIC_TIMER) = VECTOR_WAKE;
	*apic_register(APIC_LINE0) = APIC_MASKED;
	*apic_register(APIC_LINE1) = APIC_MASKED;
	*apic_register(APIC_PRIORITY) = 0;
	*apic_register(APIC_SPURIOUS) = APIC_ON | VECTOR_SPURIOUS;
	x86_interrupts_on();
}

/* ---- Waiting ---- */

/* Turns of a loop from one nap to the next; how long one is: 61 us of QEMU's. */
#define TURNS_PER_NAP 64
#define NAP           61000u

/* Until an interrupt: one that is asked for here, at the latest. */
static void take_nap(void)
{
	x86_interrupts_off();
	*apic_register(APIC_TIME) = NAP;
	__asm__ volatile("sti\n\thlt" : : : "memory");
	*apic_register(APIC_TIME) = 0;
}

/*
 * An emulated CPU that spins keeps the host's processor from the one that it
 * waits for; so it sleeps now and then, where interrupts may wake it.
 */
void fh_host_relax(void)
{
	uint64_t *turns = &kernel_stacks[fh_host_cpu()].port[0];

	__asm__ volatile("pause" : : : "memory");
	*turns += 1;
	if (*turns % TURNS_PER_NAP == 0 && fh_host_may_wait())
		take_nap();
}

/* ---- Other CPUs ---- */

uint32_t cpu_called;
uint32_t cpus_found = 1;
uint32_t cpus_known = 1;

/* Today's CPUs need no time between INIT and start. */
static void start_cpus(uint32_t to, uint32_t others)
{
	uint32_t start = APIC_START | TRAMPOLINE / FH_PAGE_SIZE;

	apic_command(to, others | APIC_ASSERT | APIC_INIT);
	apic_command(to, others | APIC_ASSERT | start);
}

/*
 * All others say who they are, and halt: those too that there is no room for,
 * which would otherwise take the first call for theirs.
 */
static void call_roll(void)
{
	unsigned cpus = count_cpus();

	start_cpus(0, APIC_OTHERS);
	/* Acquire: pairs with the locked increment in boot.S. */
	while (__atomic_load_n(&cpus_known, __ATOMIC_ACQUIRE) < cpus)
		fh_host_relax();
}

bool port_cpu_start(unsigned cpu)
{
	if (cpu_called == 0)
		call_roll();
	kernel_stacks[cpu].cpu = cpu;
	__atomic_store_n(&cpu_called, cpu, __ATOMIC_RELEASE);
	start_cpus(cpu_apic_ids[cpu], 0);
	return true;
}

FH_NORETURN void port_other_begin(unsigned cpu)
{
	cpu_begin(cpu);
	kernel_secondary_main(cpu);
}

FH_NORETURN void port_cpu_stop(void)
{
	x86_interrupts_off();
	for (;;)
		__asm__ volatile("hlt");
}
