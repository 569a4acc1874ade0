/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The table format of RISC-V, Sv39, Sv48 and Sv57 alike; src/codec.h says what
 * the functions promise.
 *
 * Hardware takes a valid entry that allows nothing for a table, at every level.
 * A leaf that allows nothing is therefore not valid; and it has W without R,
 * which no valid leaf may have: that tells it from an absent entry, and were it
 * made valid by mistake, hardware would refuse it rather than follow it.
 *
 * Machines differ in whether they set accessed and dirty or fault. Leaves are
 * made with both set; one that has lost one is a fault that sets it again.
 *
 * Without Svpbmt the platform says how memory is cached: write-back is what it
 * says, for device memory too, and nothing else can be said.
 */
#ifndef FRAMEHOLD_ARCH_RISCV64_H
#define FRAMEHOLD_ARCH_RISCV64_H

#include "../fh_pte.h"

#define FH_RISCV64_NAME              "RISC-V"
#define FH_RISCV64_MIN_LEVELS        3
#define FH_RISCV64_MAX_LEVELS        5
#define FH_RISCV64_HUGE_LEVEL        3
#define FH_RISCV64_FRAME_END         (UINT64_C(1) << 44)
#define FH_RISCV64_SETS_ACCESSED     0
#define FH_RISCV64_BREAK_BEFORE_MAKE 0
/* Machines have fewer, or one: as many bits as satp keeps when all are set. */
#define FH_RISCV64_ASIDS 65536

/* Page-based memory types: the extension Svpbmt, with menvcfg.PBMTE set. */
#define FH_RISCV64_SVPBMT   UINT64_C(1)
#define FH_RISCV64_FEATURES FH_RISCV64_SVPBMT

#define FH_RISCV64_V       (UINT64_C(1) << 0)
#define FH_RISCV64_R       (UINT64_C(1) << 1)
#define FH_RISCV64_W       (UINT64_C(1) << 2)
#define FH_RISCV64_X       (UINT64_C(1) << 3)
#define FH_RISCV64_U       (UINT64_C(1) << 4)
#define FH_RISCV64_G       (UINT64_C(1) << 5)
#define FH_RISCV64_A       (UINT64_C(1) << 6)
#define FH_RISCV64_D       (UINT64_C(1) << 7)
#define FH_RISCV64_TRACKED (UINT64_C(1) << 8)
#define FH_RISCV64_SOFT    (UINT64_C(1) << 9)
#define FH_RISCV64_NC      (UINT64_C(1) << 61)
#define FH_RISCV64_IO      (UINT64_C(1) << 62)

#define FH_RISCV64_FRAME_SHIFT 10
#define FH_RISCV64_RWX         (FH_RISCV64_R | FH_RISCV64_W | FH_RISCV64_X)

static inline bool fh_riscv64_can_map(unsigned level, struct fh_page_prop prop,
				      uint64_t features)
{
	bool has_cache = prop.cache == FH_CACHE_WRITEBACK ||
			 ((features & FH_RISCV64_SVPBMT) != 0 &&
			  (prop.cache == FH_CACHE_WRITE_COMBINING ||
			   prop.cache == FH_CACHE_UNCACHEABLE));
	bool has_rights = (prop.flags & FH_PAGE_WRITE) == 0 ||
			  (prop.flags & FH_PAGE_READ) != 0;

	return level >= 1 && level <= FH_RISCV64_HUGE_LEVEL &&
	       fh_pte_is_prop(prop) && has_cache && has_rights;
}

static inline uint64_t fh_riscv64_cache(uint32_t cache)
{
	if (cache == FH_CACHE_UNCACHEABLE)
		return FH_RISCV64_IO;
	return cache == FH_CACHE_WRITE_COMBINING ? FH_RISCV64_NC : 0;
}

static inline uint64_t fh_riscv64_leaf(uint64_t frame, unsigned level,
				       struct fh_page_prop prop)
{
	uint64_t rights = fh_pte_put(prop, FH_PAGE_READ, FH_RISCV64_R) |
			  fh_pte_put(prop, FH_PAGE_WRITE, FH_RISCV64_W) |
			  fh_pte_put(prop, FH_PAGE_EXEC, FH_RISCV64_X);

	(void)level;
	return frame << FH_RISCV64_FRAME_SHIFT | fh_riscv64_cache(prop.cache) |
	       (rights == 0 ? FH_RISCV64_W : rights | FH_RISCV64_V) |
	       fh_pte_put(prop, FH_PAGE_USER, FH_RISCV64_U) |
	       fh_pte_put(prop, FH_PAGE_GLOBAL, FH_RISCV64_G) |
	       fh_pte_put(prop, FH_PAGE_ACCESSED, FH_RISCV64_A) |
	       fh_pte_put(prop, FH_PAGE_DIRTY, FH_RISCV64_D) |
	       fh_pte_put(prop, FH_PAGE_SOFT, FH_RISCV64_SOFT) |
	       fh_pte_put(prop, FH_PAGE_TRACKED, FH_RISCV64_TRACKED);
}

/* Hardware refuses tables with U, A or D. */
static inline uint64_t fh_riscv64_table(uint64_t frame, unsigned level)
{
	(void)level;
	return frame << FH_RISCV64_FRAME_SHIFT | FH_RISCV64_V;
}

static inline enum fh_pte_kind fh_riscv64_kind(uint64_t pte, unsigned level)
{
	if (pte == 0)
		return FH_PTE_ABSENT;
	if (level > 1 &&
	    (pte & (FH_RISCV64_V | FH_RISCV64_RWX)) == FH_RISCV64_V)
		return FH_PTE_TABLE;
	return FH_PTE_LEAF;
}

static inline uint64_t fh_riscv64_frame(uint64_t pte, unsigned level)
{
	(void)level;
	return (pte >> FH_RISCV64_FRAME_SHIFT) % FH_RISCV64_FRAME_END;
}

static inline struct fh_page_prop fh_riscv64_prop(uint64_t pte, unsigned level)
{
	bool valid = (pte & FH_RISCV64_V) != 0;
	uint64_t rights = valid ? pte & FH_RISCV64_RWX : 0;
	struct fh_page_prop prop;

	(void)level;
	prop.flags = fh_pte_get(rights, FH_RISCV64_R, FH_PAGE_READ) |
		     fh_pte_get(rights, FH_RISCV64_W, FH_PAGE_WRITE) |
		     fh_pte_get(rights, FH_RISCV64_X, FH_PAGE_EXEC) |
		     fh_pte_get(pte, FH_RISCV64_U, FH_PAGE_USER) |
		     fh_pte_get(pte, FH_RISCV64_G, FH_PAGE_GLOBAL) |
		     fh_pte_get(pte, FH_RISCV64_A, FH_PAGE_ACCESSED) |
		     fh_pte_get(pte, FH_RISCV64_D, FH_PAGE_DIRTY) |
		     fh_pte_get(pte, FH_RISCV64_SOFT, FH_PAGE_SOFT) |
		     fh_pte_get(pte, FH_RISCV64_TRACKED, FH_PAGE_TRACKED);
	prop.cache = FH_CACHE_WRITEBACK;
	if ((pte & FH_RISCV64_NC) != 0)
		prop.cache = FH_CACHE_WRITE_COMBINING;
	if ((pte & FH_RISCV64_IO) != 0)
		prop.cache = FH_CACHE_UNCACHEABLE;
	return prop;
}

#endif /* FRAMEHOLD_ARCH_RISCV64_H */
