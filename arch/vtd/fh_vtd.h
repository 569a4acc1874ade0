/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The format of the tables that devices' accesses go through: the second stage
 * of Intel VT-d, with 3, 4 or 5 levels; src/codec.h says what the functions
 * promise. All 512 entries of a root are the device's.
 *
 * Of the properties, devices know reading, writing, in any mixture, accessed
 * and dirty. A device neither executes nor has privileges, and there is no
 * global: these are refused. Entries are made accessed and dirty; hardware that
 * keeps track of either (SSADE) finds its own bits, other hardware ignores them.
 *
 * How memory is cached can be said where the unit does as the entry says (the
 * context's EMTE); elsewhere write-back is what an access is unless the device
 * asks otherwise, and nothing else can be said. SNP, which overrules devices
 * that ask not to snoop, stays clear: units without snoop control refuse it.
 *
 * Every leaf has bit 7 set, at level 1 too, where hardware ignores it: so a
 * leaf that allows nothing is still told from an absent entry.
 */
#ifndef FRAMEHOLD_ARCH_VTD_H
#define FRAMEHOLD_ARCH_VTD_H

#include "../fh_pte.h"

#define FH_VTD_NAME              "VT-d second stage"
#define FH_VTD_MIN_LEVELS        3
#define FH_VTD_MAX_LEVELS        5
#define FH_VTD_HUGE_LEVEL        3
#define FH_VTD_FRAME_END         (UINT64_C(1) << 40)
#define FH_VTD_SETS_ACCESSED     0
#define FH_VTD_BREAK_BEFORE_MAKE 0
/* Domain numbers are the driver's. */
#define FH_VTD_ASIDS 1

#define FH_VTD_PAGES_2M     UINT64_C(1) /* CAP_REG.SSLPS bit 0 */
#define FH_VTD_PAGES_1G     UINT64_C(2) /* CAP_REG.SSLPS bit 1 */
#define FH_VTD_MEMORY_TYPES UINT64_C(4) /* EMTE is set */
#define FH_VTD_FEATURES     UINT64_C(7)

#define FH_VTD_R       (UINT64_C(1) << 0)
#define FH_VTD_W       (UINT64_C(1) << 1)
#define FH_VTD_LEAF    (UINT64_C(1) << 7)
#define FH_VTD_A       (UINT64_C(1) << 8)
#define FH_VTD_D       (UINT64_C(1) << 9)
#define FH_VTD_TRACKED (UINT64_C(1) << 52)
#define FH_VTD_SOFT    (UINT64_C(1) << 53)
#define FH_VTD_ADDRESS UINT64_C(0x000ffffffffff000)

/* The memory type, numbered as in MTRRs. */
#define FH_VTD_EMT_SHIFT 3
#define FH_VTD_EMT_UNIT  (UINT64_C(1) << FH_VTD_EMT_SHIFT)
#define FH_VTD_EMT_UC    0
#define FH_VTD_EMT_WC    1
#define FH_VTD_EMT_WT    4
#define FH_VTD_EMT_WP    5
#define FH_VTD_EMT_WB    6

/*@
  logic integer vtd_kind(integer pte, integer level) =
    pte == 0 ? FH_PTE_ABSENT :
    level > 1 && pte % 4 != 0 && pte / 0x80 % 2 == 0 ? FH_PTE_TABLE :
    FH_PTE_LEAF;

  predicate vtd_has_level(integer level, integer features) =
    level == 1 || (level == 2 && (features & 1) != 0) ||
    (level == 3 && (features & 2) != 0);

  predicate vtd_can_map(integer level, integer flags, integer cache,
                        integer features) =
    vtd_has_level(level, features) && is_prop(flags, cache) &&
    (flags & 0x1c) == 0 &&
    (cache == FH_CACHE_WRITEBACK || (features & 4) != 0);

  logic integer vtd_frame(integer pte, integer level) =
    pte / FH_PAGE_SIZE % 0x10000000000;
*/

/*@
  assigns \nothing;
  exits \false;
  ensures \result <==> vtd_has_level(level, features);
*/
static inline bool fh_vtd_has_level(unsigned level, uint64_t features)
{
	return level == 1 ||
	       (level == 2 && (features & FH_VTD_PAGES_2M) != 0) ||
	       (level == 3 && (features & FH_VTD_PAGES_1G) != 0);
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result <==>
    vtd_can_map(level, prop.flags, prop.cache, features);
*/
static inline bool fh_vtd_can_map(unsigned level, struct fh_page_prop prop,
				  uint64_t features)
{
	uint32_t unknown = FH_PAGE_EXEC | FH_PAGE_USER | FH_PAGE_GLOBAL;

	return fh_vtd_has_level(level, features) && fh_pte_is_prop(prop) &&
	       (prop.flags & unknown) == 0 &&
	       (prop.cache == FH_CACHE_WRITEBACK ||
		(features & FH_VTD_MEMORY_TYPES) != 0);
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result < 8;
*/
static inline uint64_t fh_vtd_emt(uint32_t cache)
{
	if (cache == FH_CACHE_WRITEBACK)
		return FH_VTD_EMT_WB;
	if (cache == FH_CACHE_WRITETHROUGH)
		return FH_VTD_EMT_WT;
	if (cache == FH_CACHE_WRITE_PROTECTED)
		return FH_VTD_EMT_WP;
	return cache == FH_CACHE_WRITE_COMBINING ? FH_VTD_EMT_WC
						 : FH_VTD_EMT_UC;
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result < FH_CACHE_KINDS;
*/
static inline uint32_t fh_vtd_cache(uint64_t emt)
{
	if (emt == FH_VTD_EMT_WB)
		return FH_CACHE_WRITEBACK;
	if (emt == FH_VTD_EMT_WT)
		return FH_CACHE_WRITETHROUGH;
	if (emt == FH_VTD_EMT_WP)
		return FH_CACHE_WRITE_PROTECTED;
	return emt == FH_VTD_EMT_WC ? FH_CACHE_WRITE_COMBINING
				    : FH_CACHE_UNCACHEABLE;
}

/*@
  requires is_level(level) && frame < FH_VTD_FRAME_END;
  assigns \nothing;
  exits \false;
  ensures vtd_kind(\result, level) == FH_PTE_LEAF;
  ensures vtd_frame(\result, level) == frame;
*/
static inline uint64_t fh_vtd_leaf(uint64_t frame, unsigned level,
				   struct fh_page_prop prop)
{
	/* Sums of different bits: below bit 7, up to the address, above it. */
	uint64_t low = fh_vtd_emt(prop.cache) * FH_VTD_EMT_UNIT +
		       fh_pte_put(prop, FH_PAGE_READ, FH_VTD_R) +
		       fh_pte_put(prop, FH_PAGE_WRITE, FH_VTD_W);
	uint64_t middle = FH_VTD_LEAF +
			  fh_pte_put(prop, FH_PAGE_ACCESSED, FH_VTD_A) +
			  fh_pte_put(prop, FH_PAGE_DIRTY, FH_VTD_D);
	uint64_t high = fh_pte_put(prop, FH_PAGE_SOFT, FH_VTD_SOFT) +
			fh_pte_put(prop, FH_PAGE_TRACKED, FH_VTD_TRACKED);

	(void)level;
	/*@ assert low < 0x80 && middle % 0x100 == 0x80 && middle < 0x400; */
	/*@ assert high % 0x10000000000000 == 0; */
	return high + frame * FH_PAGE_SIZE + middle + low;
}

/* Tables allow both: only leaves say what is allowed. */
/*@
  requires 2 <= level <= FH_MAX_LEVELS && frame < FH_VTD_FRAME_END;
  assigns \nothing;
  exits \false;
  ensures vtd_kind(\result, level) == FH_PTE_TABLE;
  ensures vtd_frame(\result, level) == frame;
*/
static inline uint64_t fh_vtd_table(uint64_t frame, unsigned level)
{
	(void)level;
	return frame * FH_PAGE_SIZE + (FH_VTD_R + FH_VTD_W);
}

/*@
  requires is_level(level);
  assigns \nothing;
  exits \false;
  ensures \result == vtd_kind(pte, level);
*/
static inline enum fh_pte_kind fh_vtd_kind(uint64_t pte, unsigned level)
{
	bool allows = pte % (FH_VTD_R + FH_VTD_W + 1) != 0;

	if (pte == 0)
		return FH_PTE_ABSENT;
	if (level > 1 && allows && pte / FH_VTD_LEAF % 2 == 0)
		return FH_PTE_TABLE;
	return FH_PTE_LEAF;
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result == vtd_frame(pte, level);
*/
static inline uint64_t fh_vtd_frame(uint64_t pte, unsigned level)
{
	(void)level;
	return pte / FH_PAGE_SIZE % FH_VTD_FRAME_END;
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result.cache < FH_CACHE_KINDS;
*/
static inline struct fh_page_prop fh_vtd_prop(uint64_t pte, unsigned level)
{
	struct fh_page_prop prop;

	(void)level;
	prop.flags = fh_pte_get(pte, FH_VTD_R, FH_PAGE_READ) |
		     fh_pte_get(pte, FH_VTD_W, FH_PAGE_WRITE) |
		     fh_pte_get(pte, FH_VTD_A, FH_PAGE_ACCESSED) |
		     fh_pte_get(pte, FH_VTD_D, FH_PAGE_DIRTY) |
		     fh_pte_get(pte, FH_VTD_SOFT, FH_PAGE_SOFT) |
		     fh_pte_get(pte, FH_VTD_TRACKED, FH_PAGE_TRACKED);
	prop.cache = fh_vtd_cache(pte / FH_VTD_EMT_UNIT % 8);
	return prop;
}

#endif /* FRAMEHOLD_ARCH_VTD_H */
