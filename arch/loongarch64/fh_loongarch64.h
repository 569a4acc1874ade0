/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The table format of LoongArch64 with four levels of 512 entries and 48 bits
 * of addresses; src/codec.h says what the functions promise.
 *
 * The CPU must inhibit reading and executing (CPUCFG word 1: RI, EP) and have
 * large pages (HP). All mixtures of read, write and execute can be said; the
 * kernel may do with a user's page what the user may.
 *
 * V is accessed and D is "writing needs no fault": an access without V, or a
 * write without D, faults, and P and W say whether that fault sets them, in
 * software or by a hardware walker. A bit of software's keeps what was dirty
 * when writing is no longer allowed. P is clear where nothing is allowed.
 *
 * Tables have no bits of their own: an entry of a higher level is an address,
 * and walking through zero reads the table at address 0. The port's refill
 * handler stops at zero, or keeps physical page 0 zeroed: the library never
 * hands it out.
 */
#ifndef FRAMEHOLD_ARCH_LOONGARCH64_H
#define FRAMEHOLD_ARCH_LOONGARCH64_H

#include "../fh_pte.h"

#define FH_LOONGARCH64_NAME              "LoongArch64"
#define FH_LOONGARCH64_MIN_LEVELS        4
#define FH_LOONGARCH64_MAX_LEVELS        4
#define FH_LOONGARCH64_HUGE_LEVEL        3
#define FH_LOONGARCH64_FRAME_END         (UINT64_C(1) << 36)
#define FH_LOONGARCH64_SETS_ACCESSED     0
#define FH_LOONGARCH64_BREAK_BEFORE_MAKE 0
#define FH_LOONGARCH64_ASIDS             1024
#define FH_LOONGARCH64_FEATURES          UINT64_C(0)

#define FH_LOONGARCH64_V           (UINT64_C(1) << 0)
#define FH_LOONGARCH64_D           (UINT64_C(1) << 1)
#define FH_LOONGARCH64_PLV3        (UINT64_C(3) << 2)
#define FH_LOONGARCH64_CC          (UINT64_C(1) << 4) /* coherent cached */
#define FH_LOONGARCH64_WUC         (UINT64_C(2) << 4) /* weakly ordered */
#define FH_LOONGARCH64_MAT         (UINT64_C(3) << 4)
#define FH_LOONGARCH64_G           (UINT64_C(1) << 6) /* at level 1 */
#define FH_LOONGARCH64_HUGE        (UINT64_C(1) << 6) /* above it */
#define FH_LOONGARCH64_P           (UINT64_C(1) << 7)
#define FH_LOONGARCH64_W           (UINT64_C(1) << 8)
#define FH_LOONGARCH64_MODIFIED    (UINT64_C(1) << 9)
#define FH_LOONGARCH64_TRACKED     (UINT64_C(1) << 10)
#define FH_LOONGARCH64_SOFT        (UINT64_C(1) << 11)
#define FH_LOONGARCH64_HUGE_GLOBAL (UINT64_C(1) << 12)
#define FH_LOONGARCH64_NR          (UINT64_C(1) << 61)
#define FH_LOONGARCH64_NX          (UINT64_C(1) << 62)
#define FH_LOONGARCH64_ADDRESS     UINT64_C(0x0000fffffffff000)

static inline bool fh_loongarch64_can_map(unsigned level,
					  struct fh_page_prop prop,
					  uint64_t features)
{
	(void)features;
	return level >= 1 && level <= FH_LOONGARCH64_HUGE_LEVEL &&
	       fh_pte_is_prop(prop) && prop.cache != FH_CACHE_WRITETHROUGH &&
	       prop.cache != FH_CACHE_WRITE_PROTECTED;
}

static inline uint64_t fh_loongarch64_mat(uint32_t cache)
{
	if (cache == FH_CACHE_WRITEBACK)
		return FH_LOONGARCH64_CC;
	return cache == FH_CACHE_WRITE_COMBINING ? FH_LOONGARCH64_WUC : 0;
}

static inline uint32_t fh_loongarch64_cache(uint64_t mat)
{
	if (mat == FH_LOONGARCH64_CC)
		return FH_CACHE_WRITEBACK;
	return mat == FH_LOONGARCH64_WUC ? FH_CACHE_WRITE_COMBINING
					 : FH_CACHE_UNCACHEABLE;
}

/* The bit that means global, in a leaf of that level. */
static inline uint64_t fh_loongarch64_global(unsigned level)
{
	return level == 1 ? FH_LOONGARCH64_G : FH_LOONGARCH64_HUGE_GLOBAL;
}

/* The bits that say what may be done. */
static inline uint64_t fh_loongarch64_rights(struct fh_page_prop prop)
{
	uint32_t both = FH_PAGE_WRITE | FH_PAGE_DIRTY;

	return (fh_pte_is_none(prop) ? 0 : FH_LOONGARCH64_P) |
	       ((prop.flags & both) == both ? FH_LOONGARCH64_D : 0) |
	       fh_pte_put(prop, FH_PAGE_WRITE, FH_LOONGARCH64_W) |
	       (FH_LOONGARCH64_NR -
		fh_pte_put(prop, FH_PAGE_READ, FH_LOONGARCH64_NR)) |
	       (FH_LOONGARCH64_NX -
		fh_pte_put(prop, FH_PAGE_EXEC, FH_LOONGARCH64_NX));
}

static inline uint64_t fh_loongarch64_leaf(uint64_t frame, unsigned level,
					   struct fh_page_prop prop)
{
	uint64_t global = fh_loongarch64_global(level);

	return frame * FH_PAGE_SIZE | fh_loongarch64_mat(prop.cache) |
	       (level == 1 ? 0 : FH_LOONGARCH64_HUGE) |
	       fh_loongarch64_rights(prop) |
	       fh_pte_put(prop, FH_PAGE_USER, FH_LOONGARCH64_PLV3) |
	       fh_pte_put(prop, FH_PAGE_GLOBAL, global) |
	       fh_pte_put(prop, FH_PAGE_ACCESSED, FH_LOONGARCH64_V) |
	       fh_pte_put(prop, FH_PAGE_DIRTY, FH_LOONGARCH64_MODIFIED) |
	       fh_pte_put(prop, FH_PAGE_SOFT, FH_LOONGARCH64_SOFT) |
	       fh_pte_put(prop, FH_PAGE_TRACKED, FH_LOONGARCH64_TRACKED);
}

static inline uint64_t fh_loongarch64_table(uint64_t frame, unsigned level)
{
	(void)level;
	return frame * FH_PAGE_SIZE;
}

static inline enum fh_pte_kind fh_loongarch64_kind(uint64_t pte, unsigned level)
{
	if (pte == 0)
		return FH_PTE_ABSENT;
	if (level > 1 && (pte & FH_LOONGARCH64_HUGE) == 0)
		return FH_PTE_TABLE;
	return FH_PTE_LEAF;
}

static inline uint64_t fh_loongarch64_frame(uint64_t pte, unsigned level)
{
	uint64_t frame = (pte & FH_LOONGARCH64_ADDRESS) / FH_PAGE_SIZE;

	/* Below a large leaf's address lies its global bit. */
	if (level > 1 && (pte & FH_LOONGARCH64_HUGE) != 0)
		return fh_pte_align(frame, level);
	return frame;
}

static inline struct fh_page_prop fh_loongarch64_prop(uint64_t pte,
						      unsigned level)
{
	uint64_t dirty = FH_LOONGARCH64_MODIFIED | FH_LOONGARCH64_D;
	uint64_t global = fh_loongarch64_global(level);
	uint64_t writes = FH_LOONGARCH64_W | FH_LOONGARCH64_D;
	struct fh_page_prop prop;

	prop.flags = fh_pte_get(~pte, FH_LOONGARCH64_NR, FH_PAGE_READ) |
		     fh_pte_get(pte, writes, FH_PAGE_WRITE) |
		     fh_pte_get(~pte, FH_LOONGARCH64_NX, FH_PAGE_EXEC) |
		     fh_pte_get(pte, FH_LOONGARCH64_PLV3, FH_PAGE_USER) |
		     fh_pte_get(pte, global, FH_PAGE_GLOBAL) |
		     fh_pte_get(pte, FH_LOONGARCH64_V, FH_PAGE_ACCESSED) |
		     fh_pte_get(pte, dirty, FH_PAGE_DIRTY) |
		     fh_pte_get(pte, FH_LOONGARCH64_SOFT, FH_PAGE_SOFT) |
		     fh_pte_get(pte, FH_LOONGARCH64_TRACKED, FH_PAGE_TRACKED);
	prop.cache = fh_loongarch64_cache(pte & FH_LOONGARCH64_MAT);
	return prop;
}

#endif /* FRAMEHOLD_ARCH_LOONGARCH64_H */
