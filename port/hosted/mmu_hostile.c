/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Entries of the made-up format whose layout arch/hostile describes, read
 * without its help. Each is rotated left by eleven times its level; then
 *
 *     0-1    1 a table, 2 a leaf
 *     2-4    read, write, execute: denied
 *     5-10   not user, global, accessed, dirty, and two of software's
 *     12-14  cache
 *     20-55  frame
 *
 * and nothing else. An entry read at a level that it was not made for has bits
 * where there are none, with luck, and is a machine check.
 */
#include "mmu_inside.h"

#define LEAF_RESERVED  UINT64_C(0xff000000000f8800)
#define TABLE_RESERVED UINT64_C(0xff000000000ffffc)

#define HIGHEST_LEAF 3

static struct mmu_entry decode_leaf(uint64_t bits, unsigned level)
{
	unsigned rights = (unsigned)(~bits >> 2 & 7);
	struct mmu_entry entry = {.kind = MMU_LEAF,
				  .frame = bits << 8 >> 28,
				  .kernel = rights,
				  .user = (bits >> 5 & 1) == 0 ? rights : 0,
				  .global = (bits >> 6 & 1) == 0,
				  .accessed = (bits >> 7 & 1) == 0,
				  .dirty = (bits >> 8 & 1) == 0,
				  .memory = (unsigned)(bits >> 12 & 7)};

	if ((bits & LEAF_RESERVED) != 0 || level > HIGHEST_LEAF ||
	    entry.frame % mmu_level_pages(level) != 0)
		entry.kind = MMU_WRONG;
	return entry;
}

static struct mmu_entry decode(uint64_t raw, unsigned level)
{
	uint64_t bits = raw >> 11 * level | raw << (64 - 11 * level);
	struct mmu_entry entry = {.kind = MMU_ABSENT};

	if (raw == 0)
		return entry;
	if ((bits & 3) == 2)
		return decode_leaf(bits, level);
	entry = (struct mmu_entry){.kind = MMU_TABLE,
				   .frame = bits << 8 >> 28,
				   .kernel = MMU_ALL,
				   .user = MMU_ALL,
				   .accessed = true};
	if ((bits & 3) != 1 || (bits & TABLE_RESERVED) != 0 || level == 1)
		entry.kind = MMU_WRONG;
	return entry;
}

const struct mmu_format mmu_hostile = {
	.name = "hostile",
	.min_levels = 3,
	.max_levels = 5,
	.break_before_make = true,
	.no_kernel_exec = MMU_ALL,
	.decode = decode,
};
