/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the demo kernel wants of a port beside the hooks of framehold/host.h.
 * A port is a folder of port/ with
 *
 *     layout.h     where the kernel's address space has what: below
 *     config.h     the library's FH_CONFIG_FILE: FH_SLOTS and its like
 *     hooks.h      the library's FH_HOST: hooks that are worth inlining
 *     context.h    struct user_context: the registers of a user program
 *     kernel.ld    the image
 *     port.mk      how to compile for it
 *
 * and everything declared here. It begins in the firmware's state, enters its
 * boot tables, and calls kernel_main() on the first CPU, in the upper half, on
 * kernel_stacks[0]. Boot tables map the image at LAYOUT_IMAGE + pa, the first
 * 4 GiB at least at LAYOUT_LINEAR + pa, and, at LAYOUT_DEVICES + pa, the device
 * registers that the port uses.
 *
 * layout.h defines addresses in the upper half, in windows that do not overlap:
 *
 *     LAYOUT_LINEAR    where physical address 0 is
 *     LAYOUT_SLOTS     FH_SLOTS
 *     LAYOUT_LEDGER    FH_LEDGER_PAGES
 *     LAYOUT_AREAS     the pool of areas, LAYOUT_AREA_PAGES of them
 *     LAYOUT_DEVICES   where physical address 0 is, for device registers
 *     LAYOUT_IMAGE     what is added to a physical address in the image
 *
 * in ascending order; LAYOUT_LOAD, the physical address that the image is
 * loaded at; PORT_NAME, the machine's name; and PORT_ELF_MACHINE, its number in
 * ELF files.
 */
#ifndef KERNEL_PORT_H
#define KERNEL_PORT_H

#include <framehold/framehold.h>

#include "context.h"
#include "layout.h"

/* ---- Boot ---- */

#define BOOT_REGIONS      256
#define BOOT_COMMAND_SIZE 256

/* Bytes of physical memory. */
struct piece {
	uint64_t base;
	uint64_t size;
};

/* What the boot loader handed over. */
struct boot_info {
	const char *protocol; /* "PVH", "Multiboot2", "device tree" */
	size_t count;
	struct fh_region regions[BOOT_REGIONS]; /* as firmware tells them */
	struct piece module; /* a file loaded beside the kernel; or empty */
	unsigned cpus;       /* that can run, FH_MAX_CPUS at most */
	uint64_t ignored;    /* bytes of RAM that the layout has no room for */
	char command[BOOT_COMMAND_SIZE];
};

/*
 * Reads what the boot loader left, into a zeroed struct. What the port adds to
 * the map: the image (FH_REGION_KERNEL), the module (FH_REGION_MODULE), the
 * device tree or whatever else is read later (FH_REGION_RECLAIMABLE), memory
 * that CPUs start in (FH_REGION_RESERVED). An error is a sentence; null: none.
 */
const char *port_read_boot(struct boot_info *boot);

/* What the machine's tables are like: levels found, features, numbers. */
struct fh_table_format port_table_format(void);

/* The root of the tables that this CPU runs on at boot. */
struct fh_paddr port_boot_root(void);

/* How device registers are cached, in words that the format knows. */
enum fh_cache port_device_cache(void);

/* Device registers that the port uses, to be mapped at LAYOUT_DEVICES + pa. */
extern const struct piece port_devices[];
extern const size_t port_device_count;

/* The linker script's: each begins where the one before ends, in pages. */
extern const char image_text[];   /* read and execute */
extern const char image_rodata[]; /* read */
extern const char image_data[];   /* read and write; kernel_stacks in it */
extern const char image_end[];

/* ---- Stacks: one a CPU ---- */

#define KERNEL_STACK_SIZE 0x8000

/*
 * The first page is not mapped by the kernel's tables. The last words are
 * above the stack's first: a port may find the CPU's number from the stack
 * pointer.
 */
struct kernel_stack {
	_Alignas(KERNEL_STACK_SIZE) unsigned char guard[FH_PAGE_SIZE];
	unsigned char bytes[KERNEL_STACK_SIZE - FH_PAGE_SIZE - 64];
	uint64_t cpu;
	uint64_t port[7]; /* the port's own */
};

_Static_assert(sizeof(struct kernel_stack) == KERNEL_STACK_SIZE,
	       "a stack is as large as it is aligned");

extern struct kernel_stack kernel_stacks[FH_MAX_CPUS];

/* ---- CPUs ---- */

/*
 * Sets this CPU up, once it runs on the kernel's own tables: descriptor
 * tables, vectors, its interrupts. Interrupts are off before, and on after.
 */
void port_cpu_setup(unsigned cpu);

/*
 * Makes a CPU run kernel_secondary_main(cpu) on its stack, on the boot tables.
 * The first CPU calls it for one after the other, and waits for each to come
 * up. False: the firmware refused.
 */
bool port_cpu_start(unsigned cpu);

/* Stops this CPU for good. */
FH_NORETURN void port_cpu_stop(void);

/* ---- Talking to the outside ---- */

void port_console_put(char c);

/* The channel of intents: a second one, or the console. */
void port_intent_put(char c);

/* Ends the machine, with a status that says which. */
FH_NORETURN void port_exit(bool passed);

/* A counter that runs at one speed, and how many a second; 0: not known. */
uint64_t port_cycles(void);
uint64_t port_cycle_rate(void);

/* ---- Programs ---- */

enum trap_kind {
	TRAP_SYSCALL,
	TRAP_FAULT, /* of memory: address and access say which */
	TRAP_INTERRUPT,
	TRAP_OTHER, /* the program did what it may not; why says it */
};

/* Why a program, or the kernel, stopped. */
struct trap {
	enum trap_kind kind;
	uint64_t pc;
	uint64_t address;
	enum fh_access access;
	uint64_t cause; /* as the hardware tells it */
	const char *why;
};

/* A program at its entry, with a stack and one argument. */
void port_user_begin(struct user_context *context, uint64_t entry,
		     uint64_t stack, uint64_t argument);

/* A system call's number (0) and arguments (1 to 5), and its answer. */
uint64_t port_user_word(const struct user_context *context, unsigned i);
void port_user_answer(struct user_context *context, uint64_t value);

/*
 * Runs a program on this CPU, in the space that is active, until it traps; a
 * system call's instruction is behind it then. Interrupts are on before, while
 * it runs, and after; those that are kicks have been answered by fh_kicked().
 */
void port_user_run(struct user_context *context, struct trap *trap);

/*
 * Copy n bytes from and to user addresses, and return how many were left when
 * one faulted. The word's functions return false on a fault. Nothing is filled
 * in: kernel/host.c does that and tries again.
 */
size_t port_copy_from_user(void *to, uint64_t from, size_t n);
size_t port_copy_to_user(uint64_t to, const void *from, size_t n);
bool port_load_user32(uint64_t from, uint32_t *value);
bool port_cas_user32(uint64_t at, uint32_t expected, uint32_t desired,
		     uint32_t *old);

/*
 * Code was written to memory, at these addresses of the kernel's: it can be run
 * once this returns, by whatever address, on this CPU and, after they have
 * entered a program anew, on others.
 */
void port_sync_code(const void *code, size_t n);

/*
 * Whether a load or a store of one byte at a kernel address works: for probes
 * of the kernel's own tables. Puts the byte back.
 */
bool port_can_read(uint64_t va);
bool port_can_write(uint64_t va);

/*
 * Whether this machine can keep the kernel, but for the copies, from programs'
 * memory: what the hardware has, not what was made of it.
 */
bool port_guards_programs(void);

/* ---- What the port calls ---- */

FH_NORETURN void kernel_main(void);
FH_NORETURN void kernel_secondary_main(unsigned cpu);

/* Bytes of the map, unless there are none. False: there is no room. */
bool boot_add_region(struct boot_info *boot, uint64_t base, uint64_t size,
		     enum fh_region_kind kind);

/* The kernel itself trapped: says where and why, and ends the machine. */
FH_NORETURN void kernel_trap(const struct trap *trap);

#endif /* KERNEL_PORT_H */
