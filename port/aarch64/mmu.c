/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tier 1 of framehold/host.h: roots, and what the CPU has cached. A flush is
 * complete after its dsb, for accesses that were under way too, and holds for
 * what the CPU has fetched ahead after its isb.
 */
#include <fh_aarch64.h>

#include "machine.h"
#include "port.h"
#include "registers.h"

_Static_assert(MACHINE_MAIR == FH_AARCH64_MAIR, "boot.S and the format");

extern const char boot_root[];
extern char boot_leave[];

struct fh_paddr port_boot_root(void)
{
	return fh_paddr((uintptr_t)boot_root);
}

struct fh_table_format port_table_format(void)
{
	/* ASIDBits; boot.S has set TCR_EL1.AS by it. */
	bool is_wide = (read_register("id_aa64mmfr0_el1") >> 4 & 0xf) == 2;

	return (struct fh_table_format){
		.levels = 4,
		.asids = is_wide ? 65536 : 256,
	};
}

enum fh_cache port_device_cache(void)
{
	return FH_CACHE_UNCACHEABLE;
}

/* ---- Roots ---- */

static bool runs_on_boot_tables(void)
{
	return read_register("ttbr1_el1") ==
	       (uintptr_t)boot_root + MACHINE_UPPER_HALF;
}

/* By way of the lower half, where boot.S runs at its physical address. */
static void leave_boot_tables(struct fh_paddr root)
{
	void (*leave)(struct fh_paddr) =
		(void (*)(struct fh_paddr))(uintptr_t)boot_leave;

	leave(root);
}

/*
 * The lower half's root and its number change at once, being one register. The
 * upper half's entries are the same in all of the library's roots, and global:
 * in between, and in any order, it does not matter which of the two is walked.
 * Both are alive until this returns.
 */
static void set_roots(struct fh_paddr root, uint64_t asid)
{
	write_register("ttbr1_el1", root.bytes + MACHINE_UPPER_HALF);
	write_register("ttbr0_el1", root.bytes | asid << 48);
	instruction_barrier();
}

void fh_host_activate(struct fh_paddr root, uint64_t asid)
{
	if (!runs_on_boot_tables()) {
		set_roots(root, asid);
		return;
	}
	leave_boot_tables(root);
	set_roots(root, asid);
	/* The lower half was the boot tables' until now. */
	fh_host_flush_asid(FH_ASID_KERNEL);
}

/* ---- What is cached ---- */

/* More pages than this: everything. */
#define MOST_PAGES 64

static uint64_t flush_operand(uint64_t asid, uint64_t page)
{
	return asid << 48 | (page & ((UINT64_C(1) << 44) - 1));
}

static void flush_begin(void)
{
	__asm__ volatile("dsb nshst" ::: "memory");
}

static void flush_end(void)
{
	__asm__ volatile("dsb nsh\n\tisb" ::: "memory");
}

void fh_host_flush_asid(uint64_t asid)
{
	flush_begin();
	if (asid == FH_ASID_KERNEL)
		__asm__ volatile("tlbi vmalle1" ::: "memory");
	else
		__asm__ volatile("tlbi aside1, %0" ::"r"(flush_operand(asid, 0))
				 : "memory");
	flush_end();
}

void fh_host_flush_pages(uint64_t asid, struct fh_vaddr va, uint64_t n)
{
	uint64_t page = va.bytes / FH_PAGE_SIZE;

	if (n > MOST_PAGES) {
		fh_host_flush_asid(asid);
		return;
	}
	flush_begin();
	for (uint64_t i = 0; i < n; i++) {
		uint64_t operand = flush_operand(asid, page + i);

		if (asid == FH_ASID_KERNEL)
			__asm__ volatile("tlbi vaae1, %0" ::"r"(operand)
					 : "memory");
		else
			__asm__ volatile("tlbi vae1, %0" ::"r"(operand)
					 : "memory");
	}
	flush_end();
}

void fh_host_flush_broadcast(struct fh_vaddr va, uint64_t n)
{
	uint64_t page = va.bytes / FH_PAGE_SIZE;

	__asm__ volatile("dsb ishst" ::: "memory");
	if (n > MOST_PAGES)
		__asm__ volatile("tlbi vmalle1is" ::: "memory");
	for (uint64_t i = 0; i < n && n <= MOST_PAGES; i++)
		__asm__ volatile(
			"tlbi vaae1is, %0" ::"r"(flush_operand(0, page + i))
			: "memory");
	__asm__ volatile("dsb ish\n\tisb" ::: "memory");
}

/* ---- Code ---- */

/*
 * Instruction caches may know the page by other addresses: they forget
 * everything, on all CPUs.
 */
void port_sync_code(const void *code, size_t n)
{
	uint64_t line = UINT64_C(4) << (read_register("ctr_el0") >> 16 & 0xf);
	uintptr_t end = (uintptr_t)code + n;

	for (uintptr_t at = (uintptr_t)code & ~(line - 1); at < end; at += line)
		__asm__ volatile("dc cvau, %0" ::"r"(at) : "memory");
	__asm__ volatile("dsb ish\n\tic ialluis\n\tdsb ish\n\tisb" ::
				 : "memory");
}
