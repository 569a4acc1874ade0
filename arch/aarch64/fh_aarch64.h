/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The table format of AArch64, stage 1, 4 KiB granule, 48 bits of addresses;
 * src/codec.h says what the functions promise. Levels count from the pages up:
 * level 1 is the architecture's 3, level 4 its 0.
 *
 * The port loads MAIR_EL1 with FH_AARCH64_MAIR and sets TCR_EL1 for two ranges
 * of 48 bits. Memory is inner shareable; the contiguous hint is never given.
 *
 * Dirty without help from hardware: DBM says that writing is allowed, and the
 * read-only bit stays set until the leaf is dirty. The first write to a clean
 * leaf faults, and the fault sets dirty, unless TCR_EL1.HD makes hardware clear
 * the read-only bit: then this reads as dirty, too. A bit of software's keeps
 * what was dirty when writing is no longer allowed. Accessed is AF, likewise.
 *
 * A leaf that allows nothing has the valid bit clear. A page is executable at
 * one privilege at most: the kernel never runs a user's page, nor a user the
 * kernel's. Execute-only is refused: it would take the user's permission to
 * read away, and with it PAN's protection from the kernel.
 */
#ifndef FRAMEHOLD_ARCH_AARCH64_H
#define FRAMEHOLD_ARCH_AARCH64_H

#include "../fh_pte.h"

#define FH_AARCH64_NAME              "AArch64"
#define FH_AARCH64_MIN_LEVELS        4
#define FH_AARCH64_MAX_LEVELS        4
#define FH_AARCH64_HUGE_LEVEL        3
#define FH_AARCH64_FRAME_END         (UINT64_C(1) << 36)
#define FH_AARCH64_SETS_ACCESSED     0
#define FH_AARCH64_BREAK_BEFORE_MAKE 1
/* 256 where ID_AA64MMFR0_EL1.ASIDBits is 0. */
#define FH_AARCH64_ASIDS    65536
#define FH_AARCH64_FEATURES UINT64_C(0)

/*
 * Attribute index n is the cache kind n: write-back, write-through, normal
 * non-cacheable for write-combining, Device-nGnRE for uncacheable. The other
 * four are the port's.
 */
#define FH_AARCH64_MAIR       UINT64_C(0x0444bbff)
#define FH_AARCH64_ATTR_SHIFT 2

#define FH_AARCH64_VALID     (UINT64_C(1) << 0)
#define FH_AARCH64_TABLE     (UINT64_C(1) << 1) /* at level 1: a page */
#define FH_AARCH64_EL0       (UINT64_C(1) << 6)
#define FH_AARCH64_READ_ONLY (UINT64_C(1) << 7)
#define FH_AARCH64_INNER     (UINT64_C(3) << 8)
#define FH_AARCH64_AF        (UINT64_C(1) << 10)
#define FH_AARCH64_NG        (UINT64_C(1) << 11)
#define FH_AARCH64_DBM       (UINT64_C(1) << 51)
#define FH_AARCH64_PXN       (UINT64_C(1) << 53)
#define FH_AARCH64_UXN       (UINT64_C(1) << 54)
#define FH_AARCH64_DIRTY     (UINT64_C(1) << 55)
#define FH_AARCH64_TRACKED   (UINT64_C(1) << 56)
#define FH_AARCH64_SOFT      (UINT64_C(1) << 57)
#define FH_AARCH64_ADDRESS   UINT64_C(0x0000fffffffff000)

static inline bool fh_aarch64_can_map(unsigned level, struct fh_page_prop prop,
				      uint64_t features)
{
	(void)features;
	return level >= 1 && level <= FH_AARCH64_HUGE_LEVEL &&
	       fh_pte_is_prop(prop) && fh_pte_reads_if_any(prop) &&
	       prop.cache != FH_CACHE_WRITE_PROTECTED;
}

/* The bits that keep the page from being run: all but one privilege's. */
static inline uint64_t fh_aarch64_never_run(struct fh_page_prop prop)
{
	bool user = (prop.flags & FH_PAGE_USER) != 0;

	if ((prop.flags & FH_PAGE_EXEC) == 0)
		return FH_AARCH64_PXN | FH_AARCH64_UXN;
	return user ? FH_AARCH64_PXN : FH_AARCH64_UXN;
}

/* The bits that say what may be written, and what has been. */
static inline uint64_t fh_aarch64_writing(struct fh_page_prop prop)
{
	uint32_t both = FH_PAGE_WRITE | FH_PAGE_DIRTY;

	return ((prop.flags & both) == both ? 0 : FH_AARCH64_READ_ONLY) |
	       fh_pte_put(prop, FH_PAGE_WRITE, FH_AARCH64_DBM) |
	       fh_pte_put(prop, FH_PAGE_DIRTY, FH_AARCH64_DIRTY);
}

static inline uint64_t fh_aarch64_leaf(uint64_t frame, unsigned level,
				       struct fh_page_prop prop)
{
	return frame * FH_PAGE_SIZE | FH_AARCH64_INNER |
	       (level == 1 ? FH_AARCH64_TABLE : 0) |
	       (uint64_t)prop.cache << FH_AARCH64_ATTR_SHIFT |
	       fh_aarch64_never_run(prop) | fh_aarch64_writing(prop) |
	       fh_pte_put(prop, FH_PAGE_READ, FH_AARCH64_VALID) |
	       fh_pte_put(prop, FH_PAGE_USER, FH_AARCH64_EL0) |
	       (FH_AARCH64_NG -
		fh_pte_put(prop, FH_PAGE_GLOBAL, FH_AARCH64_NG)) |
	       fh_pte_put(prop, FH_PAGE_ACCESSED, FH_AARCH64_AF) |
	       fh_pte_put(prop, FH_PAGE_SOFT, FH_AARCH64_SOFT) |
	       fh_pte_put(prop, FH_PAGE_TRACKED, FH_AARCH64_TRACKED);
}

static inline uint64_t fh_aarch64_table(uint64_t frame, unsigned level)
{
	(void)level;
	return frame * FH_PAGE_SIZE | FH_AARCH64_TABLE | FH_AARCH64_VALID;
}

static inline enum fh_pte_kind fh_aarch64_kind(uint64_t pte, unsigned level)
{
	uint64_t both = FH_AARCH64_TABLE | FH_AARCH64_VALID;

	if (pte == 0)
		return FH_PTE_ABSENT;
	return level > 1 && (pte & both) == both ? FH_PTE_TABLE : FH_PTE_LEAF;
}

static inline uint64_t fh_aarch64_frame(uint64_t pte, unsigned level)
{
	uint64_t frame = (pte & FH_AARCH64_ADDRESS) / FH_PAGE_SIZE;

	/* A block may have bits below its address: nT, 16. */
	if (fh_aarch64_kind(pte, level) == FH_PTE_LEAF)
		return fh_pte_align(frame, level);
	return frame;
}

static inline struct fh_page_prop fh_aarch64_prop(uint64_t pte, unsigned level)
{
	bool user = (pte & FH_AARCH64_EL0) != 0;
	uint64_t never_run = user ? FH_AARCH64_UXN : FH_AARCH64_PXN;
	struct fh_page_prop prop;

	(void)level;
	prop.flags = fh_pte_get(pte, FH_AARCH64_VALID, FH_PAGE_READ) |
		     fh_pte_get(pte, FH_AARCH64_DBM, FH_PAGE_WRITE) |
		     fh_pte_get(~pte, never_run, FH_PAGE_EXEC) |
		     fh_pte_get(pte, FH_AARCH64_EL0, FH_PAGE_USER) |
		     fh_pte_get(~pte, FH_AARCH64_NG, FH_PAGE_GLOBAL) |
		     fh_pte_get(pte, FH_AARCH64_AF, FH_PAGE_ACCESSED) |
		     fh_pte_get(pte, FH_AARCH64_DIRTY, FH_PAGE_DIRTY) |
		     fh_pte_get(pte, FH_AARCH64_SOFT, FH_PAGE_SOFT) |
		     fh_pte_get(pte, FH_AARCH64_TRACKED, FH_PAGE_TRACKED);
	/* Writable by now: set dirty, or made so by others. */
	if ((pte & FH_AARCH64_READ_ONLY) == 0)
		prop.flags |= FH_PAGE_WRITE | FH_PAGE_DIRTY;
	prop.cache = (uint32_t)(pte >> FH_AARCH64_ATTR_SHIFT) & 7;
	return prop;
}

#endif /* FRAMEHOLD_ARCH_AARCH64_H */
