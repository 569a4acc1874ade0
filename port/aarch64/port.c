/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the boot loader left, the console, CPUs, and the end. Firmware is PSCI,
 * by hvc; the host is asked by semihosting.
 */
#include "port.h"

#include <framehold/mapfdt.h>

#include "../fdt_boot.h"
#include "gic.h"
#include "machine.h"
#include "registers.h"

#define GIB (UINT64_C(1) << 30)

/* In what boot.S was given, or null; physical. */
uint64_t port_tree;

extern char boot_secondary[];

/* kernel.ld: where what runs before the tables begins. */
extern const char boot_begin[];

const struct piece port_devices[] = {
	{MACHINE_GICD, 0x10000},
	{MACHINE_GICC, 0x10000},
	{MACHINE_GICR, 0xf60000},
	{MACHINE_UART, 0x1000},
};
const size_t port_device_count = sizeof(port_devices) / sizeof(port_devices[0]);

/* ---- Boot ---- */

/* What PSCI knows CPUs by; the first one is the one that runs first. */
static uint64_t cpu_ids[FH_MAX_CPUS];

static uint64_t own_id(void)
{
	return read_register("mpidr_el1") & UINT64_C(0xff00ffffff);
}

static const char *read_tree(struct boot_info *boot, const void *tree,
			     size_t size)
{
	struct fh_table_error error = {.why = NULL};
	struct fdt_boot more;
	const char *why = fdt_boot_read(tree, size, &more);

	if (why != NULL)
		return why;
	if (fh_map_read_fdt(tree, size, boot->regions, BOOT_REGIONS,
			    &boot->count, &error) != FH_OK)
		return error.why;
	boot->module.base = more.initrd_start;
	boot->module.size = more.initrd_end - more.initrd_start;
	boot->cpus =
		fdt_boot_number_cpus(&more, own_id(), cpu_ids, FH_MAX_CPUS);
	fdt_boot_copy_arguments(&more, boot->command, BOOT_COMMAND_SIZE);
	return NULL;
}

/* Where QEMU puts it for an ELF file, unless the boot loader says where. */
const char *port_read_boot(struct boot_info *boot)
{
	uint64_t pa = port_tree == 0 ? MACHINE_MEMORY : port_tree;
	uint64_t begin = (uintptr_t)boot_begin;
	uint64_t end = (uintptr_t)image_end - LAYOUT_IMAGE;

	if (pa < MACHINE_MEMORY || pa >= 4 * GIB)
		return "the device tree is out of reach";
	const void *tree = fh_host_linear(fh_paddr(pa));
	size_t size = fh_fdt_size(tree);

	if (size == 0 || size > 4 * GIB - pa)
		return "no device tree, or a wrong one";
	const char *why = read_tree(boot, tree, size);

	if (why != NULL)
		return why;
	boot->protocol = "device tree";
	if (!boot_add_region(boot, begin, end - begin, FH_REGION_KERNEL) ||
	    !boot_add_region(boot, pa, size, FH_REGION_RECLAIMABLE) ||
	    !boot_add_region(boot, boot->module.base, boot->module.size,
			     FH_REGION_MODULE))
		return "the device tree has too many regions";
	return NULL;
}

/* ---- CPUs ---- */

#define PSCI_CPU_OFF    0x84000002
#define PSCI_SYSTEM_OFF 0x84000008
#define PSCI_CPU_ON     0xc4000003

static uint64_t firmware(uint64_t function, uint64_t a1, uint64_t a2,
			 uint64_t a3)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a1;
	register uint64_t x2 __asm__("x2") = a2;
	register uint64_t x3 __asm__("x3") = a3;

	__asm__ volatile("hvc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
			 :
			 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
			   "x12", "x13", "x14", "x15", "x16", "x17", "memory");
	return x0;
}

void port_cpu_setup(unsigned cpu)
{
	gic_cpu_setup(cpu);
	__asm__ volatile("msr daifclr, #2" ::: "memory");
}

bool port_cpu_start(unsigned cpu)
{
	return firmware(PSCI_CPU_ON, cpu_ids[cpu], (uintptr_t)boot_secondary,
			cpu) == 0;
}

static FH_NORETURN void stay(void)
{
	for (;;)
		__asm__ volatile("wfi" ::: "memory");
}

FH_NORETURN void port_cpu_stop(void)
{
	(void)fh_host_irq_save();
	(void)firmware(PSCI_CPU_OFF, 0, 0, 0);
	stay();
}

/* ---- The outside ---- */

#define UART_DATA  (MACHINE_UART + 0x00)
#define UART_FLAGS (MACHINE_UART + 0x18)
#define UART_FULL  (1 << 5)

bool semihosting(unsigned operation, const void *argument);

void port_console_put(char c)
{
	while ((*device(UART_FLAGS) & UART_FULL) != 0)
		fh_host_relax();
	*device(UART_DATA) = (unsigned char)c;
}

void port_intent_put(char c)
{
	if (!semihosting(SEMIHOSTING_WRITEC, &c))
		port_console_put(c);
}

static const char no_semihosting[] = "no semihosting: a failing status cannot "
				     "be told, so the machine stays\n";

FH_NORETURN void port_exit(bool passed)
{
	const uint64_t status[2] = {SEMIHOSTING_EXITED, passed ? 0 : 1};

	(void)fh_host_irq_save();
	(void)semihosting(SEMIHOSTING_EXIT_EXTENDED, status);
	if (passed)
		(void)firmware(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (const char *c = no_semihosting; *c != '\0'; c++)
		port_console_put(*c);
	stay();
}

uint64_t port_cycles(void)
{
	instruction_barrier();
	return read_register("cntvct_el0");
}

uint64_t port_cycle_rate(void)
{
	return read_register("cntfrq_el0");
}
