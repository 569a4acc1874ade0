/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The firmware: what it hands over in registers and a device tree, and what it
 * does for us when it is called.
 */
#include <framehold/mapfdt.h>

#include "../fdt_boot.h"
#include "machine.h"
#include "sbi.h"

/* QEMU's device that ends the machine. */
#define FINISHER      0x100000
#define FINISHER_PASS 0x5555
#define FINISHER_FAIL (1 << 16 | 0x3333)

/* What the boot tables map of physical memory. */
#define BOOT_REACH (UINT64_C(4) << 30)

uint64_t boot_hart;
uint64_t boot_tree;
uint64_t *const boot_words = &kernel_stacks[0].cpu;
uint32_t boot_taken;
struct boot_starting boot_starting;

/* Hart ids by CPU numbers. The first CPU is whichever the firmware chose. */
static uint64_t harts[FH_MAX_CPUS];
static uint64_t cycle_rate;
static bool has_stimecmp;

const struct piece port_devices[] = {{FINISHER, FH_PAGE_SIZE}};
const size_t port_device_count = 1;

/* ---- What is handed over ---- */

/* Leaves out memory that the linear map has no room for. */
static void clip_regions(struct boot_info *boot)
{
	const uint64_t end = FH_MAX_FRAMES * FH_PAGE_SIZE;

	for (size_t i = 0; i < boot->count; i++) {
		struct fh_region *region = &boot->regions[i];
		uint64_t room = region->base < end ? end - region->base : 0;

		if (region->kind != FH_REGION_USABLE || region->size <= room)
			continue;
		boot->ignored += region->size - room;
		region->size = room;
	}
}

static unsigned most_levels(const struct fdt_boot *said)
{
	if (fdt_boot_has_argument(said, "sv39"))
		return 3;
	return fdt_boot_has_argument(said, "sv48") ? 4 : 5;
}

static const char *read_map(struct boot_info *boot, const void *tree,
			    size_t size)
{
	struct fh_table_error error;
	uint64_t image_end_pa = image_pa(image_end);

	if (fh_map_read_fdt(tree, size, boot->regions, BOOT_REGIONS,
			    &boot->count, &error) != FH_OK)
		return error.why;
	clip_regions(boot);
	if (!boot_add_region(boot, LAYOUT_LOAD, image_end_pa - LAYOUT_LOAD,
			     FH_REGION_KERNEL) ||
	    !boot_add_region(boot, boot_tree, size, FH_REGION_RECLAIMABLE) ||
	    !boot_add_region(boot, boot->module.base, boot->module.size,
			     FH_REGION_MODULE))
		return "the device tree has too many regions";
	return NULL;
}

const char *port_read_boot(struct boot_info *boot)
{
	struct fdt_boot said;
	const void *tree;
	const char *why;
	size_t size;

	boot->protocol = "device tree";
	if (boot_tree > BOOT_REACH - FH_FDT_MAGIC_SIZE)
		return "the device tree lies beyond 4 GiB";
	tree = fh_host_linear((struct fh_paddr){boot_tree});
	size = fh_fdt_size(tree);
	if (size > BOOT_REACH - boot_tree)
		return "the device tree lies beyond 4 GiB";
	why = fdt_boot_read(tree, size, &said);
	if (why != NULL)
		return why;
	if (said.initrd_end > BOOT_REACH)
		return "the ramdisk lies beyond 4 GiB";
	boot->module.base = said.initrd_start;
	boot->module.size = said.initrd_end - said.initrd_start;
	fdt_boot_copy_arguments(&said, boot->command, sizeof(boot->command));
	boot->cpus = fdt_boot_number_cpus(&said, boot_hart, harts, FH_MAX_CPUS);
	cycle_rate = said.timebase;
	has_stimecmp = try_stimecmp(UINT64_MAX);
	paging_choose(most_levels(&said), said.has_svpbmt);
	return read_map(boot, tree, size);
}

/* ---- CPUs ---- */

bool port_cpu_start(unsigned cpu)
{
	struct kernel_stack *stack = &kernel_stacks[cpu];

	stack->cpu = cpu;
	boot_starting = (struct boot_starting){harts[cpu], &stack->cpu};
	/* The stores so far are for the other CPU to see. */
	__asm__ volatile("fence rw, rw" ::: "memory");
	return sbi_call(SBI_HSM, SBI_HSM_START, harts[cpu], LAYOUT_LOAD, 0, 0)
		       .error == 0;
}

void port_cpu_setup(unsigned cpu)
{
	(void)cpu;
	csr_write_sie(SIE_SSIE);
	csr_set_sstatus(SSTATUS_SIE);
}

/*
 * On the kernel's tables to the end, for who looks at the machine from outside:
 * a CPU that is given back to the firmware runs without any.
 */
FH_NORETURN void port_cpu_stop(void)
{
	csr_clear_sstatus(SSTATUS_SIE);
	csr_write_sie(0);
	for (;;)
		__asm__ volatile("wfi" ::: "memory");
}

void fh_host_kick(unsigned cpu)
{
	__asm__ volatile("fence rw, rw" ::: "memory");
	(void)sbi_call(SBI_IPI, SBI_IPI_SEND, 1, harts[cpu], 0, 0);
}

/* The table format does without: nobody calls it. */
void fh_host_flush_broadcast(struct fh_vaddr va, uint64_t n)
{
	(void)sbi_call(SBI_RFENCE, SBI_RFENCE_VMA, 0, UINT64_MAX, va.bytes,
		       n * FH_PAGE_SIZE);
}

/* ---- Waiting ---- */

#define TURNS_PER_NAP 64
#define NAPS_A_SECOND 16384

/* By itself, if it can: whoever asks the firmware is seen there, not here. */
static void set_timer(uint64_t time)
{
	if (!has_stimecmp || !try_stimecmp(time))
		(void)sbi_call(SBI_TIME, SBI_TIME_SET, time, 0, 0, 0);
}

/*
 * Until the timer's interrupt or another one is pending. They are off, and the
 * timer's is switched off again before they are on: it has no handler.
 */
static void nap(void)
{
	uint64_t saved = fh_host_irq_save();

	set_timer(port_cycles() + cycle_rate / NAPS_A_SECOND);
	csr_set_sie(SIE_STIE);
	__asm__ volatile("wfi" ::: "memory");
	csr_clear_sie(SIE_STIE);
	fh_host_irq_restore(saved);
}

/*
 * `pause`, in the encoding that every CPU has: a fence of nothing. Now and then
 * a nap: a virtual machine may have more CPUs than the host lets run, and the
 * one that is waited for may be the one that does not.
 */
void fh_host_relax(void)
{
	uint64_t *turns = &cpu_words()[1 + WORD_TURNS];

	__asm__ volatile(".4byte 0x0100000f" ::: "memory");
	++*turns;
	if (*turns % TURNS_PER_NAP == 0 && cycle_rate != 0)
		nap();
}

/* ---- Talking to the outside ---- */

/* Which of the firmware's two calls writes a byte; 0: not asked yet. */
static uint64_t console;

static void find_console(void)
{
	struct sbi_result found =
		sbi_call(SBI_BASE, SBI_BASE_PROBE, SBI_CONSOLE, 0, 0, 0);

	console = found.value != 0 ? SBI_CONSOLE : SBI_LEGACY_PUTCHAR;
}

void port_console_put(char c)
{
	/* The older call has no number of a function, and ignores it. */
	if (console == 0)
		find_console();
	(void)sbi_call(console, SBI_CONSOLE_BYTE, (unsigned char)c, 0, 0, 0);
}

void port_intent_put(char c)
{
	port_console_put(c);
}

FH_NORETURN void port_exit(bool passed)
{
	volatile uint32_t *finisher =
		(volatile uint32_t *)(LAYOUT_DEVICES + FINISHER);

	csr_clear_sstatus(SSTATUS_SIE);
	*finisher = passed ? FINISHER_PASS : FINISHER_FAIL;
	/* A machine without one goes off by the firmware. */
	(void)sbi_call(SBI_RESET, 0, 0, passed ? 0 : 1, 0, 0);
	for (;;)
		fh_host_relax();
}

uint64_t port_cycles(void)
{
	uint64_t ticks;

	__asm__ volatile("rdtime %0" : "=r"(ticks)::"memory");
	return ticks;
}

uint64_t port_cycle_rate(void)
{
	return cycle_rate;
}
