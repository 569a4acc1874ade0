/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Entries of LoongArch64 tables as LDDIR, LDPTE and the TLB read them: 48-bit
 * addresses, RPLV, NR and NX there, no hardware table walker. P and W are
 * software's; a store needs D. Users run at PLV 3, the kernel at PLV 0.
 */
#include "mmu_inside.h"

#define VALID       (UINT64_C(1) << 0)
#define DIRTY       (UINT64_C(1) << 1)
#define HUGE        (UINT64_C(1) << 6) /* of level 1: global */
#define GLOBAL      (UINT64_C(1) << 6)
#define GLOBAL_HUGE (UINT64_C(1) << 12)
#define NR          (UINT64_C(1) << 61)
#define NX          (UINT64_C(1) << 62)
#define RPLV        (UINT64_C(1) << 63)
#define ADDRESS     UINT64_C(0x0000fffffffff000)
#define BEYOND      UINT64_C(0x1fff000000000000)

static struct mmu_entry decode_table(uint64_t raw)
{
	struct mmu_entry entry = {.kind = MMU_TABLE,
				  .frame = raw / FH_PAGE_SIZE,
				  .kernel = MMU_ALL,
				  .user = MMU_ALL,
				  .accessed = true};

	/* The whole word is the address. */
	if ((raw & ~ADDRESS) != 0)
		entry.kind = MMU_WRONG;
	return entry;
}

static struct mmu_entry decode_leaf(uint64_t raw, unsigned level)
{
	uint64_t address = raw & ADDRESS;
	uint64_t plv = raw >> 2 & 3;
	unsigned rights = ((raw & NR) == 0 ? MMU_READ : 0) |
			  ((raw & NX) == 0 ? MMU_EXEC : 0) |
			  ((raw & DIRTY) != 0 ? MMU_WRITE : 0);
	struct mmu_entry entry = {
		.kind = (raw & VALID) != 0 ? MMU_LEAF : MMU_ABSENT,
		.kernel = (raw & RPLV) == 0 || plv == 0 ? rights : 0,
		.user = plv == 3 ? rights : 0,
		.global = (raw & (level > 1 ? GLOBAL_HUGE : GLOBAL)) != 0,
		.accessed = true,
		.dirty = true,
		.memory = (unsigned)(raw >> 4 & 3)};

	if (level > 1)
		address &= ~GLOBAL_HUGE;
	entry.frame = address / FH_PAGE_SIZE;
	if (entry.kind == MMU_LEAF &&
	    ((raw & BEYOND) != 0 || entry.frame % mmu_level_pages(level) != 0))
		entry.kind = MMU_WRONG;
	return entry;
}

static struct mmu_entry decode(uint64_t raw, unsigned level)
{
	struct mmu_entry none = {.kind = MMU_ABSENT};

	/* A refill handler takes an empty directory entry for a fault. */
	if (raw == 0)
		return none;
	return level > 1 && (raw & HUGE) == 0 ? decode_table(raw)
					      : decode_leaf(raw, level);
}

const struct mmu_format mmu_loongarch = {
	.name = "LoongArch64",
	.min_levels = 4,
	.max_levels = 4,
	.decode = decode,
};
