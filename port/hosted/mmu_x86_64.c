/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Entries of x86-64 tables as the processor reads them (4- and 5-level paging,
 * NXE, PGE, PCIDE and WP on, SMEP on, SMAP off, no protection keys). Physical
 * addresses have 52 bits, so that no address bit is reserved as such.
 */
#include "mmu_inside.h"

#define PRESENT  (UINT64_C(1) << 0)
#define WRITABLE (UINT64_C(1) << 1)
#define USER     (UINT64_C(1) << 2)
#define ACCESSED (UINT64_C(1) << 5)
#define DIRTY    (UINT64_C(1) << 6)
#define SIZE     (UINT64_C(1) << 7) /* of level 1: PAT */
#define GLOBAL   (UINT64_C(1) << 8)
#define NX       (UINT64_C(1) << 63)

/* Bits 12 and up name a frame; of a large page, 12 is PAT. */
#define ADDRESS UINT64_C(0x000ffffffffff000)

static unsigned rights_of(uint64_t raw)
{
	return MMU_READ | ((raw & WRITABLE) != 0 ? MMU_WRITE : 0) |
	       ((raw & NX) == 0 ? MMU_EXEC : 0);
}

static unsigned memory_of(uint64_t raw, unsigned level)
{
	unsigned pat = raw >> (level == 1 ? 7 : 12) & 1;

	return (unsigned)(raw >> 3 & 3) | pat << 2;
}

static struct mmu_entry decode(uint64_t raw, unsigned level)
{
	struct mmu_entry entry = {.kind = MMU_ABSENT};

	if ((raw & PRESENT) == 0)
		return entry;
	entry.kernel = rights_of(raw);
	entry.user = (raw & USER) != 0 ? entry.kernel : 0;
	entry.accessed = (raw & ACCESSED) != 0;
	entry.frame = (raw & ADDRESS) / FH_PAGE_SIZE;
	if (level > 1 && (raw & SIZE) == 0) {
		entry.kind = MMU_TABLE;
		return entry;
	}
	entry.kind = level <= 3 ? MMU_LEAF : MMU_WRONG;
	entry.global = (raw & GLOBAL) != 0;
	entry.dirty = (raw & DIRTY) != 0;
	entry.memory = memory_of(raw, level);
	if (level > 1)
		entry.frame &= ~UINT64_C(1);
	if (entry.frame % mmu_level_pages(level) != 0)
		entry.kind = MMU_WRONG;
	return entry;
}

const struct mmu_format mmu_x86_64 = {
	.name = "x86-64",
	.min_levels = 4,
	.max_levels = 5,
	.set_accessed = ACCESSED,
	.set_dirty = DIRTY,
	.fault_evicts = true,
	.no_kernel_exec = MMU_ALL,
	.decode = decode,
};
