/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Descriptors of AArch64 stage 1, translation regime EL1&0, 4 KiB granule, as
 * the processor reads them: 48-bit addresses, hierarchical permissions on, no
 * hardware update of AF or of the dirty state, PAN and WXN off. The manual's
 * level 3 is level 1 here.
 */
#include "mmu_inside.h"

#define VALID        (UINT64_C(1) << 0)
#define TABLE        (UINT64_C(1) << 1) /* of level 1: a page */
#define AP_EL0       (UINT64_C(1) << 6)
#define AP_NO_WR     (UINT64_C(1) << 7)
#define AF           (UINT64_C(1) << 10)
#define NOT_GLOBAL   (UINT64_C(1) << 11)
#define PXN          (UINT64_C(1) << 53)
#define UXN          (UINT64_C(1) << 54)
#define PXN_TABLE    (UINT64_C(1) << 59)
#define UXN_TABLE    (UINT64_C(1) << 60)
#define EL0_TABLE    (UINT64_C(1) << 61)
#define NO_WR_TABLE  (UINT64_C(1) << 62)
#define ADDRESS      UINT64_C(0x0000fffffffff000)
#define BEYOND       UINT64_C(0x0003000000000000) /* RES0 with 48 bits */
#define BEYOND_TABLE UINT64_C(0x0007000000000000)

/* No translation table bit of a block, ignored. */
#define NT (UINT64_C(1) << 16)

static struct mmu_entry decode_table(uint64_t raw)
{
	struct mmu_entry entry = {.kind = MMU_TABLE,
				  .frame = (raw & ADDRESS) / FH_PAGE_SIZE,
				  .kernel = MMU_ALL,
				  .user = MMU_ALL,
				  .accessed = true};

	if ((raw & BEYOND_TABLE) != 0)
		entry.kind = MMU_WRONG;
	if ((raw & PXN_TABLE) != 0)
		entry.kernel &= ~MMU_EXEC;
	if ((raw & UXN_TABLE) != 0)
		entry.user &= ~MMU_EXEC;
	if ((raw & EL0_TABLE) != 0)
		entry.user &= MMU_EXEC;
	if ((raw & NO_WR_TABLE) != 0) {
		entry.kernel &= ~MMU_WRITE;
		entry.user &= ~MMU_WRITE;
	}
	return entry;
}

static struct mmu_entry decode_leaf(uint64_t raw, unsigned level)
{
	uint64_t address = raw & ADDRESS;
	unsigned data = MMU_READ | ((raw & AP_NO_WR) == 0 ? MMU_WRITE : 0);
	struct mmu_entry entry = {.kind = MMU_LEAF,
				  .kernel = data |
					    ((raw & PXN) == 0 ? MMU_EXEC : 0),
				  .user = ((raw & AP_EL0) != 0 ? data : 0) |
					  ((raw & UXN) == 0 ? MMU_EXEC : 0),
				  .global = (raw & NOT_GLOBAL) == 0,
				  .accessed = (raw & AF) != 0,
				  .dirty = true,
				  .memory = (unsigned)(raw >> 2 & 7) |
					    (unsigned)(raw >> 8 & 3) << 3};

	if (level > 1)
		address &= ~NT;
	entry.frame = address / FH_PAGE_SIZE;
	if ((raw & BEYOND) != 0 || entry.frame % mmu_level_pages(level) != 0)
		entry.kind = MMU_WRONG;
	return entry;
}

static struct mmu_entry decode(uint64_t raw, unsigned level)
{
	struct mmu_entry none = {.kind = MMU_ABSENT};
	bool table = (raw & TABLE) != 0;

	if ((raw & VALID) == 0)
		return none;
	/* The only meaning that a level's descriptor has not: a fault. */
	if ((level == 1 && !table) || (level >= 4 && !table))
		return none;
	return level > 1 && table ? decode_table(raw) : decode_leaf(raw, level);
}

const struct mmu_format mmu_aarch64 = {
	.name = "AArch64",
	.min_levels = 4,
	.max_levels = 4,
	.break_before_make = true,
	.no_kernel_exec = MMU_WRITE,
	.decode = decode,
};
