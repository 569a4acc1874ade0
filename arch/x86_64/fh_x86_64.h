/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The table format of x86-64, with 4 or 5 levels; src/codec.h says what the
 * functions promise.
 *
 * Every leaf has bit 7 set, at level 1 too, where it selects the upper half of
 * the memory types: the port loads FH_X86_64_PAT, whose halves are equal. So a
 * leaf that allows nothing, which has P clear, is still told from an absent
 * entry and from a table. The port also sets EFER.NXE and CR0.WP.
 *
 * An entry is a table only if the hardware would follow it. Entries that
 * others made, firmware for example, decode as the hardware takes them, except
 * that one with P clear counts as a leaf that allows nothing, never as absent:
 * whoever maps there has to look first.
 */
#ifndef FRAMEHOLD_ARCH_X86_64_H
#define FRAMEHOLD_ARCH_X86_64_H

#include "../fh_pte.h"

#define FH_X86_64_NAME              "x86-64"
#define FH_X86_64_MIN_LEVELS        4
#define FH_X86_64_MAX_LEVELS        5
#define FH_X86_64_HUGE_LEVEL        3
#define FH_X86_64_FRAME_END         (UINT64_C(1) << 40)
#define FH_X86_64_SETS_ACCESSED     1
#define FH_X86_64_BREAK_BEFORE_MAKE 0
/* With CR4.PCIDE; without it there are none. */
#define FH_X86_64_ASIDS 4096

/* CPUID 8000_0001h EDX bit 26: leaves at level 3. */
#define FH_X86_64_PAGES_1G UINT64_C(1)
#define FH_X86_64_FEATURES FH_X86_64_PAGES_1G

/* IA32_PAT: write-back, write-through, write-combining, uncacheable, twice. */
#define FH_X86_64_PAT UINT64_C(0x0001040600010406)

#define FH_X86_64_P       (UINT64_C(1) << 0)
#define FH_X86_64_RW      (UINT64_C(1) << 1)
#define FH_X86_64_US      (UINT64_C(1) << 2)
#define FH_X86_64_A       (UINT64_C(1) << 5)
#define FH_X86_64_D       (UINT64_C(1) << 6)
#define FH_X86_64_LEAF    (UINT64_C(1) << 7)
#define FH_X86_64_G       (UINT64_C(1) << 8)
#define FH_X86_64_TRACKED (UINT64_C(1) << 52)
#define FH_X86_64_SOFT    (UINT64_C(1) << 53)
#define FH_X86_64_NX      (UINT64_C(1) << 63)
#define FH_X86_64_ADDRESS UINT64_C(0x000ffffffffff000)

/* PWT is bit 3, PCD bit 4: together the index of the PAT's entry. */
#define FH_X86_64_CACHE_SHIFT 3
#define FH_X86_64_CACHE_UNIT  (UINT64_C(1) << FH_X86_64_CACHE_SHIFT)

/*@
  logic integer x86_64_kind(integer pte, integer level) =
    pte == 0 ? FH_PTE_ABSENT :
    level > 1 && pte % 2 == 1 && pte / 0x80 % 2 == 0 ? FH_PTE_TABLE :
    FH_PTE_LEAF;

  predicate x86_64_can_map(integer level, integer flags, integer cache,
                           integer features) =
    (level == 1 || level == 2 || (level == 3 && (features & 1) != 0)) &&
    is_prop(flags, cache) && reads_if_any(flags) &&
    cache != FH_CACHE_WRITE_PROTECTED;

  logic integer x86_64_address(integer pte) =
    pte / FH_PAGE_SIZE % 0x10000000000;

  logic integer x86_64_frame(integer pte, integer level) =
    pte / 0x80 % 2 == 0 ? x86_64_address(pte) :
    x86_64_address(pte) - x86_64_address(pte) % span(level);
*/

/*@
  assigns \nothing;
  exits \false;
  ensures \result <==>
    x86_64_can_map(level, prop.flags, prop.cache, features);
*/
static inline bool fh_x86_64_can_map(unsigned level, struct fh_page_prop prop,
				     uint64_t features)
{
	bool has_level = level == 1 || level == 2 ||
			 (level == 3 && (features & FH_X86_64_PAGES_1G) != 0);

	return has_level && fh_pte_is_prop(prop) && fh_pte_reads_if_any(prop) &&
	       prop.cache != FH_CACHE_WRITE_PROTECTED;
}

/*@
  requires is_level(level) && frame < FH_X86_64_FRAME_END;
  requires frame % span(level) == 0;
  requires prop.cache <= FH_CACHE_UNCACHEABLE;
  assigns \nothing;
  exits \false;
  ensures x86_64_kind(\result, level) == FH_PTE_LEAF;
  ensures x86_64_frame(\result, level) == frame;
*/
static inline uint64_t fh_x86_64_leaf(uint64_t frame, unsigned level,
				      struct fh_page_prop prop)
{
	/* Sums of different bits: below bit 7, up to the address, above it. */
	uint64_t low = (uint64_t)prop.cache * FH_X86_64_CACHE_UNIT +
		       fh_pte_put(prop, FH_PAGE_READ, FH_X86_64_P) +
		       fh_pte_put(prop, FH_PAGE_WRITE, FH_X86_64_RW) +
		       fh_pte_put(prop, FH_PAGE_USER, FH_X86_64_US) +
		       fh_pte_put(prop, FH_PAGE_ACCESSED, FH_X86_64_A) +
		       fh_pte_put(prop, FH_PAGE_DIRTY, FH_X86_64_D);
	uint64_t middle =
		FH_X86_64_LEAF + fh_pte_put(prop, FH_PAGE_GLOBAL, FH_X86_64_G);
	uint64_t high =
		(FH_X86_64_NX - fh_pte_put(prop, FH_PAGE_EXEC, FH_X86_64_NX)) +
		fh_pte_put(prop, FH_PAGE_SOFT, FH_X86_64_SOFT) +
		fh_pte_put(prop, FH_PAGE_TRACKED, FH_X86_64_TRACKED);

	(void)level;
	/*@ assert low < 0x80 && (middle == 0x80 || middle == 0x180); */
	/*@ assert high % 0x10000000000000 == 0; */
	return high + frame * FH_PAGE_SIZE + middle + low;
}

/*
 * Tables allow all: only leaves say what is allowed. Accessed is set before the
 * hardware does, so that what it changes in a table is leaves only.
 */
/*@
  requires 2 <= level <= FH_MAX_LEVELS && frame < FH_X86_64_FRAME_END;
  assigns \nothing;
  exits \false;
  ensures x86_64_kind(\result, level) == FH_PTE_TABLE;
  ensures x86_64_frame(\result, level) == frame;
*/
static inline uint64_t fh_x86_64_table(uint64_t frame, unsigned level)
{
	(void)level;
	return frame * FH_PAGE_SIZE +
	       (FH_X86_64_P + FH_X86_64_RW + FH_X86_64_US + FH_X86_64_A);
}

/*@
  requires is_level(level);
  assigns \nothing;
  exits \false;
  ensures \result == x86_64_kind(pte, level);
*/
static inline enum fh_pte_kind fh_x86_64_kind(uint64_t pte, unsigned level)
{
	if (pte == 0)
		return FH_PTE_ABSENT;
	if (level > 1 && pte % 2 == 1 && pte / FH_X86_64_LEAF % 2 == 0)
		return FH_PTE_TABLE;
	return FH_PTE_LEAF;
}

/*@
  requires is_level(level);
  assigns \nothing;
  exits \false;
  ensures \result == x86_64_frame(pte, level);
*/
static inline uint64_t fh_x86_64_frame(uint64_t pte, unsigned level)
{
	uint64_t frame = pte / FH_PAGE_SIZE % FH_X86_64_FRAME_END;

	/* Below a large leaf's address lies the bit that level 1 has as 7. */
	if (pte / FH_X86_64_LEAF % 2 != 0)
		return fh_pte_align(frame, level);
	return frame;
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result.cache == pte / FH_X86_64_CACHE_UNIT % 4;
*/
static inline struct fh_page_prop fh_x86_64_prop(uint64_t pte, unsigned level)
{
	struct fh_page_prop prop;

	(void)level;
	prop.flags = fh_pte_get(pte, FH_X86_64_P, FH_PAGE_READ) |
		     fh_pte_get(pte, FH_X86_64_RW, FH_PAGE_WRITE) |
		     fh_pte_get(~pte, FH_X86_64_NX, FH_PAGE_EXEC) |
		     fh_pte_get(pte, FH_X86_64_US, FH_PAGE_USER) |
		     fh_pte_get(pte, FH_X86_64_G, FH_PAGE_GLOBAL) |
		     fh_pte_get(pte, FH_X86_64_A, FH_PAGE_ACCESSED) |
		     fh_pte_get(pte, FH_X86_64_D, FH_PAGE_DIRTY) |
		     fh_pte_get(pte, FH_X86_64_SOFT, FH_PAGE_SOFT) |
		     fh_pte_get(pte, FH_X86_64_TRACKED, FH_PAGE_TRACKED);
	prop.cache = (uint32_t)(pte / FH_X86_64_CACHE_UNIT % 4);
	return prop;
}

#endif /* FRAMEHOLD_ARCH_X86_64_H */
