/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Arithmetic of page tables, on numbers alone: which entry of a node a page
 * belongs to, and how far that entry reaches. A level is 1 .. FH_MAX_LEVELS.
 *
 * Everything is said by division: an entry of a level begins at a multiple of
 * its pages, which are a power of two, so that compilers shift and mask.
 */
#ifndef FRAMEHOLD_SRC_SPAN_H
#define FRAMEHOLD_SRC_SPAN_H

#include <framehold/prop.h>

#define FH_ALWAYS_INLINE static inline __attribute__((always_inline))

/*@
  // The index of the page's entry in a node of that level.
  logic integer index_of(integer page, integer level) =
    page / span(level) % FH_NODE_ENTRIES;

  // Both pages have one entry at that level, and one path down to its node.
  predicate same_entry(integer p, integer q, integer level) =
    p / span(level) == q / span(level);
*/

/* The index of a page's entry in a node of that level. Seed: pte_index. */
/*@
  requires is_level(level);
  assigns \nothing;
  exits \false;
  ensures \result == index_of(page, level);
  ensures \result < FH_NODE_ENTRIES;
*/
FH_ALWAYS_INLINE uint64_t fh_entry_index(uint64_t page, unsigned level)
{
	return page / fh_level_pages(level) % FH_NODE_ENTRIES;
}

/* Where a page lies among those of its entry at that level. */
/*@
  requires is_level(level);
  assigns \nothing;
  exits \false;
  ensures \result == page % span(level);
  ensures \result < span(level);
  ensures same_entry(page - \result, page, level);
*/
FH_ALWAYS_INLINE uint64_t fh_page_in_entry(uint64_t page, unsigned level)
{
	return page % fh_level_pages(level);
}

/* How many of n pages from page on its entry at that level maps. */
/*@
  requires is_level(level);
  assigns \nothing;
  exits \false;
  ensures \result <= n && \result <= span(level);
  ensures n > 0 ==> \result > 0;
  ensures \forall integer i; 0 <= i < \result ==>
    same_entry(page + i, page, level);
  ensures \result < n ==> (page + \result) % span(level) == 0 &&
                          !same_entry(page + \result, page, level);
  ensures \result == span(level) ==> page % span(level) == 0;
*/
FH_ALWAYS_INLINE uint64_t fh_pages_in_entry(uint64_t page, uint64_t n,
					    unsigned level)
{
	uint64_t left = fh_level_pages(level) - fh_page_in_entry(page, level);

	/*@ assert level == 1 ==> left == 1; */
	/*@ assert level == 2 ==> \forall integer i; 0 <= i < left ==>
	  (page + i) / 0x200 == page / 0x200; */
	/*@ assert level == 3 ==> \forall integer i; 0 <= i < left ==>
	  (page + i) / 0x40000 == page / 0x40000; */
	/*@ assert level == 4 ==> \forall integer i; 0 <= i < left ==>
	  (page + i) / 0x8000000 == page / 0x8000000; */
	/*@ assert level == 5 ==> \forall integer i; 0 <= i < left ==>
	  (page + i) / 0x1000000000 == page / 0x1000000000; */
	/*@ assert level == 2 ==> (page + left) % 0x200 == 0; */
	/*@ assert level == 3 ==> (page + left) % 0x40000 == 0; */
	/*@ assert level == 4 ==> (page + left) % 0x8000000 == 0; */
	/*@ assert level == 5 ==> (page + left) % 0x1000000000 == 0; */
	return n < left ? n : left;
}

/* Whether two pages have different entries at that level. */
/*@
  requires is_level(level);
  assigns \nothing;
  exits \false;
  ensures \result <==> !same_entry(page, other, level);
*/
FH_ALWAYS_INLINE bool fh_pages_part(uint64_t page, uint64_t other,
				    unsigned level)
{
	return page / fh_level_pages(level) != other / fh_level_pages(level);
}

#endif /* FRAMEHOLD_SRC_SPAN_H */
