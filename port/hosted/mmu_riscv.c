/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Entries of RISC-V tables (Sv39, Sv48, Sv57) as the hart reads them: Svade, so
 * that software sets A and D; Svpbmt; no Svnapot; SUM set. What the manual
 * reserves is reported as a machine check, louder than the page fault it is.
 */
#include "mmu_inside.h"

#define VALID    (UINT64_C(1) << 0)
#define READ     (UINT64_C(1) << 1)
#define WRITE    (UINT64_C(1) << 2)
#define EXEC     (UINT64_C(1) << 3)
#define USER     (UINT64_C(1) << 4)
#define GLOBAL   (UINT64_C(1) << 5)
#define ACCESSED (UINT64_C(1) << 6)
#define DIRTY    (UINT64_C(1) << 7)
#define PBMT     (UINT64_C(3) << 61)
#define NAPOT    (UINT64_C(1) << 63)
#define RESERVED (UINT64_C(0x7f) << 54)

static unsigned rights_of(uint64_t raw)
{
	return ((raw & READ) != 0 ? MMU_READ : 0) |
	       ((raw & WRITE) != 0 ? MMU_WRITE : 0) |
	       ((raw & EXEC) != 0 ? MMU_EXEC : 0);
}

static struct mmu_entry decode_table(uint64_t raw, unsigned level)
{
	struct mmu_entry entry = {.kind = MMU_TABLE,
				  .frame = raw << 10 >> 20,
				  .kernel = MMU_ALL,
				  .user = MMU_ALL,
				  .global = (raw & GLOBAL) != 0,
				  .accessed = true};

	if (level == 1)
		entry.kind = MMU_ABSENT;
	else if ((raw & (USER | ACCESSED | DIRTY | PBMT)) != 0)
		entry.kind = MMU_WRONG;
	return entry;
}

static struct mmu_entry decode_leaf(uint64_t raw, unsigned level)
{
	unsigned rights = rights_of(raw);
	struct mmu_entry entry = {.kind = MMU_LEAF,
				  .frame = raw << 10 >> 20,
				  .kernel = rights,
				  .user = (raw & USER) != 0 ? rights : 0,
				  .global = (raw & GLOBAL) != 0,
				  .accessed = (raw & ACCESSED) != 0,
				  .dirty = (raw & DIRTY) != 0,
				  .memory = (unsigned)((raw & PBMT) >> 61)};

	if ((rights & (MMU_READ | MMU_WRITE)) == MMU_WRITE ||
	    (raw & PBMT) == PBMT || entry.frame % mmu_level_pages(level) != 0)
		entry.kind = MMU_WRONG;
	return entry;
}

static struct mmu_entry decode(uint64_t raw, unsigned level)
{
	struct mmu_entry none = {.kind = MMU_ABSENT};

	if ((raw & VALID) == 0)
		return none;
	none.kind = MMU_WRONG;
	if ((raw & (RESERVED | NAPOT)) != 0)
		return none;
	return rights_of(raw) == 0 ? decode_table(raw, level)
				   : decode_leaf(raw, level);
}

const struct mmu_format mmu_riscv = {
	.name = "RISC-V",
	.min_levels = 3,
	.max_levels = 5,
	.no_kernel_exec = MMU_ALL,
	.decode = decode,
};
