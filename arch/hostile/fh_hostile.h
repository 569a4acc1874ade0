/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A table format of no machine, for tests: whatever code above the formats
 * takes for granted about real ones is false here. src/codec.h says what the
 * functions promise.
 *
 * - An entry decodes to garbage at any level but its own: it is rotated by an
 *   amount that depends on the level.
 * - It says what is denied, not what is allowed, and any of the eight mixtures
 *   of read, write and execute can be said; no bit means "present".
 * - Entries are made accessed and dirty, and have to be broken before they are
 *   made something else; there are three numbers for address spaces.
 *
 * Bits before rotation: kind 0-1, denied 2-4, flags inverted 5-10, cache
 * 12-14, frame 20-55.
 */
#ifndef FRAMEHOLD_ARCH_HOSTILE_H
#define FRAMEHOLD_ARCH_HOSTILE_H

#include "../fh_pte.h"

#define FH_HOSTILE_NAME              "hostile"
#define FH_HOSTILE_MIN_LEVELS        3
#define FH_HOSTILE_MAX_LEVELS        5
#define FH_HOSTILE_HUGE_LEVEL        3
#define FH_HOSTILE_FRAME_END         (UINT64_C(1) << 36)
#define FH_HOSTILE_SETS_ACCESSED     0
#define FH_HOSTILE_BREAK_BEFORE_MAKE 1
#define FH_HOSTILE_ASIDS             3
#define FH_HOSTILE_FEATURES          UINT64_C(0)

#define FH_HOSTILE_KIND        UINT64_C(3)
#define FH_HOSTILE_TABLE       UINT64_C(1)
#define FH_HOSTILE_LEAF        UINT64_C(2)
#define FH_HOSTILE_DENY_SHIFT  2
#define FH_HOSTILE_FLAGS_SHIFT 5
#define FH_HOSTILE_CACHE_SHIFT 12
#define FH_HOSTILE_FRAME_SHIFT 20

/* Of the flags, those that are no permissions lie from here on. */
#define FH_HOSTILE_FLAG_BASE 3

static inline uint64_t fh_hostile_scramble(uint64_t bits, unsigned level)
{
	unsigned turn = 11 * level;

	return bits << turn | bits >> (64 - turn);
}

static inline uint64_t fh_hostile_unscramble(uint64_t pte, unsigned level)
{
	unsigned turn = 11 * level;

	return pte >> turn | pte << (64 - turn);
}

static inline bool fh_hostile_can_map(unsigned level, struct fh_page_prop prop,
				      uint64_t features)
{
	(void)features;
	return level >= 1 && level <= FH_HOSTILE_HUGE_LEVEL &&
	       fh_pte_is_prop(prop);
}

static inline uint64_t fh_hostile_leaf(uint64_t frame, unsigned level,
				       struct fh_page_prop prop)
{
	uint64_t denied = ~prop.flags & 7;
	uint64_t unset = ~(prop.flags >> FH_HOSTILE_FLAG_BASE) & 63;

	return fh_hostile_scramble(
		FH_HOSTILE_LEAF | denied << FH_HOSTILE_DENY_SHIFT |
			unset << FH_HOSTILE_FLAGS_SHIFT |
			(uint64_t)(7 - prop.cache) << FH_HOSTILE_CACHE_SHIFT |
			frame << FH_HOSTILE_FRAME_SHIFT,
		level);
}

static inline uint64_t fh_hostile_table(uint64_t frame, unsigned level)
{
	return fh_hostile_scramble(
		FH_HOSTILE_TABLE | frame << FH_HOSTILE_FRAME_SHIFT, level);
}

static inline enum fh_pte_kind fh_hostile_kind(uint64_t pte, unsigned level)
{
	uint64_t kind = fh_hostile_unscramble(pte, level) & FH_HOSTILE_KIND;

	if (pte == 0)
		return FH_PTE_ABSENT;
	return kind == FH_HOSTILE_TABLE ? FH_PTE_TABLE : FH_PTE_LEAF;
}

static inline uint64_t fh_hostile_frame(uint64_t pte, unsigned level)
{
	uint64_t bits = fh_hostile_unscramble(pte, level);

	return (bits >> FH_HOSTILE_FRAME_SHIFT) % FH_HOSTILE_FRAME_END;
}

static inline struct fh_page_prop fh_hostile_prop(uint64_t pte, unsigned level)
{
	uint64_t bits = fh_hostile_unscramble(pte, level);
	struct fh_page_prop prop;

	prop.flags = (uint32_t)(~(bits >> FH_HOSTILE_DENY_SHIFT) & 7) |
		     (uint32_t)(~(bits >> FH_HOSTILE_FLAGS_SHIFT) & 63)
			     << FH_HOSTILE_FLAG_BASE;
	prop.cache = 7 - ((uint32_t)(bits >> FH_HOSTILE_CACHE_SHIFT) & 7);
	return prop;
}

#endif /* FRAMEHOLD_ARCH_HOSTILE_H */
