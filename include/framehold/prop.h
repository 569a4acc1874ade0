/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Page properties: what a mapping allows and how memory is cached, in words
 * that no architecture defines. A table format (arch/) turns them into bits
 * and back; what it cannot express exactly is an error, never something else.
 */
#ifndef FRAMEHOLD_PROP_H
#define FRAMEHOLD_PROP_H

#include <framehold/addr.h>
#include <framehold/status.h>

FH_BEGIN_DECLS

/* Seed: PageFlags, PrivilegedPageFlags. */
#define FH_PAGE_READ     UINT32_C(0x001)
#define FH_PAGE_WRITE    UINT32_C(0x002)
#define FH_PAGE_EXEC     UINT32_C(0x004)
#define FH_PAGE_USER     UINT32_C(0x008) /* user programs may, as above */
#define FH_PAGE_GLOBAL   UINT32_C(0x010) /* the same in every address space */
#define FH_PAGE_ACCESSED UINT32_C(0x020) /* set by hardware, or beforehand */
#define FH_PAGE_DIRTY    UINT32_C(0x040) /* the same, for writes */
#define FH_PAGE_SOFT     UINT32_C(0x080) /* the kernel's own. Seed: AVAIL2 */

/*
 * The library's own: the entry owns a reference to each page it maps. Never in
 * a property given to or by the library's users. Seed: AVAIL1.
 */
#define FH_PAGE_TRACKED UINT32_C(0x100)

#define FH_PAGE_ALL_FLAGS UINT32_C(0x1ff)

/* Seed: CachePolicy. */
enum fh_cache {
	FH_CACHE_WRITEBACK = 0,
	FH_CACHE_WRITETHROUGH,
	FH_CACHE_WRITE_COMBINING,
	FH_CACHE_UNCACHEABLE,
	FH_CACHE_WRITE_PROTECTED,
	FH_CACHE_KINDS,
};

/* Seed: PageProperty. */
struct fh_page_prop {
	uint32_t flags; /* FH_PAGE_* */
	uint32_t cache; /* enum fh_cache */
};

/* The property of those flags, cached by write-back. Any context. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result.flags == flags && \result.cache == FH_CACHE_WRITEBACK;
*/
FH_INLINE struct fh_page_prop fh_page_prop(uint32_t flags)
{
	struct fh_page_prop prop;

	prop.flags = flags;
	prop.cache = FH_CACHE_WRITEBACK;
	return prop;
}

/* Seed: PageProperty::new_user. */
FH_INLINE struct fh_page_prop fh_user_prop(uint32_t flags)
{
	return fh_page_prop(flags | FH_PAGE_USER);
}

/* What an entry of a page table is. Seed: PteScalar. */
enum fh_pte_kind {
	FH_PTE_ABSENT = 0, /* zero, in every format and at every level */
	FH_PTE_TABLE,      /* names the node one level below */
	FH_PTE_LEAF,       /* maps memory; with no permission at all, maybe */
};

/* A node has room for this many entries, in every format. Seed: NR_ENTRIES. */
#define FH_NODE_BITS    9
#define FH_NODE_ENTRIES (UINT64_C(1) << FH_NODE_BITS)

/* No format has more levels. Level 1 maps single pages. */
#define FH_MAX_LEVELS 5

/*@
  predicate is_level(integer level) = 1 <= level <= FH_MAX_LEVELS;

  // Pages that one entry of a level maps.
  logic integer span(integer level) =
    level <= 1 ? 1 : level == 2 ? 0x200 : level == 3 ? 0x40000 :
    level == 4 ? 0x8000000 : 0x1000000000;
*/

/* Pages that one entry of a level maps: 512 to the level - 1. */
/*@
  requires is_level(level);
  assigns \nothing;
  exits \false;
  ensures \result == span(level);
*/
FH_INLINE uint64_t fh_level_pages(unsigned level)
{
	/*@ assert level == 1 ==> (1 << (9 * (level - 1))) == span(level); */
	/*@ assert level == 2 ==> (1 << (9 * (level - 1))) == span(level); */
	/*@ assert level == 3 ==> (1 << (9 * (level - 1))) == span(level); */
	/*@ assert level == 4 ==> (1 << (9 * (level - 1))) == span(level); */
	/*@ assert level == 5 ==> (1 << (9 * (level - 1))) == span(level); */
	return UINT64_C(1) << (FH_NODE_BITS * (level - 1));
}

FH_END_DECLS

#endif /* FRAMEHOLD_PROP_H */
