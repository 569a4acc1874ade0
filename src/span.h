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

  // The first frame of part i of a leaf of that level.
  logic integer part_of(integer frame, integer i, integer level) =
    frame + i * span(level - 1);

  // Both pages have one entry at that level, and one path down to its node.
  predicate same_entry(integer p, integer q, integer level) =
    p / span(level) == q / span(level);

  // A leaf of that level can map the first of n pages to the frame, with all
  // others of its span.
  predicate leaf_fits(integer page, integer frame, integer n, integer top,
                      integer level) =
    level == 1 ||
    (level <= top && page % span(level) == 0 && frame % span(level) == 0 &&
     n >= span(level));
*/

/* Pages of one entry have one entry at every level above. */
/*@ ghost
  /@
    assigns \nothing;
    exits \false;
    ensures \forall integer level, integer above;
      1 <= level <= above <= FH_MAX_LEVELS && same_entry(p, q, level) ==>
        same_entry(p, q, above);
    ensures \forall integer level, integer above;
      1 <= level <= above <= FH_MAX_LEVELS && same_entry(p, q, level) ==>
        index_of(p, above) == index_of(q, above);
  @/
  void ghost_same_above(uint64_t p, uint64_t q)
  {
    /@ assert p / 0x200 == p / 0x1 / 0x200; @/
    /@ assert q / 0x200 == q / 0x1 / 0x200; @/
    /@ assert same_entry(p, q, 1) ==> same_entry(p, q, 2); @/
    /@ assert p / 0x40000 == p / 0x200 / 0x200; @/
    /@ assert q / 0x40000 == q / 0x200 / 0x200; @/
    /@ assert same_entry(p, q, 2) ==> same_entry(p, q, 3); @/
    /@ assert p / 0x8000000 == p / 0x40000 / 0x200; @/
    /@ assert q / 0x8000000 == q / 0x40000 / 0x200; @/
    /@ assert same_entry(p, q, 3) ==> same_entry(p, q, 4); @/
    /@ assert p / 0x1000000000 == p / 0x8000000 / 0x200; @/
    /@ assert q / 0x1000000000 == q / 0x8000000 / 0x200; @/
    /@ assert same_entry(p, q, 4) ==> same_entry(p, q, 5); @/
    return;
  }
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
  ensures \forall integer p; page <= p < page + \result ==>
    same_entry(p, page, level);
  ensures \result < n ==> (page + \result) % span(level) == 0 &&
                          !same_entry(page + \result, page, level);
  ensures \result == span(level) ==> page % span(level) == 0;
*/
FH_ALWAYS_INLINE uint64_t fh_pages_in_entry(uint64_t page, uint64_t n,
					    unsigned level)
{
	uint64_t left = fh_level_pages(level) - fh_page_in_entry(page, level);

	/*@ assert level == 1 ==> left == 1; */
	/*@ assert level == 2 ==> \forall integer p; page <= p < page + left ==>
	  p / 0x200 == page / 0x200; */
	/*@ assert level == 3 ==> \forall integer p; page <= p < page + left ==>
	  p / 0x40000 == page / 0x40000; */
	/*@ assert level == 4 ==> \forall integer p; page <= p < page + left ==>
	  p / 0x8000000 == page / 0x8000000; */
	/*@ assert level == 5 ==> \forall integer p; page <= p < page + left ==>
	  p / 0x1000000000 == page / 0x1000000000; */
	/*@ assert level == 2 ==> (page + left) % 0x200 == 0; */
	/*@ assert level == 3 ==> (page + left) % 0x40000 == 0; */
	/*@ assert level == 4 ==> (page + left) % 0x8000000 == 0; */
	/*@ assert level == 5 ==> (page + left) % 0x1000000000 == 0; */
	return n < left ? n : left;
}

/*
 * Whether a leaf of that level, at most `top`, can begin n pages that are mapped
 * from the frame on. On the way down, the first level of which this is so is
 * the highest.
 */
/*@
  requires is_level(level);
  assigns \nothing;
  exits \false;
  ensures \result <==> leaf_fits(page, frame, n, top, level);
  ensures \result ==> \forall integer below; 1 <= below <= level ==>
    leaf_fits(page, frame, n, top, below);
  ensures !\result ==>
    \forall integer above; level <= above <= FH_MAX_LEVELS ==>
      !leaf_fits(page, frame, n, top, above);
*/
FH_ALWAYS_INLINE bool fh_leaf_fits(uint64_t page, uint64_t frame, uint64_t n,
				   unsigned top, unsigned level)
{
	/*@ assert leaf_fits(page, frame, n, top, 5) ==>
	  leaf_fits(page, frame, n, top, 4); */
	/*@ assert leaf_fits(page, frame, n, top, 4) ==>
	  leaf_fits(page, frame, n, top, 3); */
	/*@ assert leaf_fits(page, frame, n, top, 3) ==>
	  leaf_fits(page, frame, n, top, 2); */
	/*@ assert leaf_fits(page, frame, n, top, 2) ==>
	  leaf_fits(page, frame, n, top, 1); */
	return level == 1 ||
	       (level <= top && fh_page_in_entry(page, level) == 0 &&
		fh_page_in_entry(frame, level) == 0 &&
		n >= fh_level_pages(level));
}

/* The first frame of part i of a leaf of that level, which maps from frame. */
/*@
  requires 2 <= level <= FH_MAX_LEVELS && i < FH_NODE_ENTRIES;
  requires frame < FH_FRAME_NUMBER_END && frame % span(level) == 0;
  assigns \nothing;
  exits \false;
  ensures \result == part_of(frame, i, level);
  ensures \result % span(level - 1) == 0;
  ensures \result < FH_FRAME_NUMBER_END;
  ensures \forall integer page; page >= 0 && index_of(page, level - 1) == i
    ==> \result + page % span(level - 1) == frame + page % span(level);
*/
FH_ALWAYS_INLINE uint64_t fh_part_of_leaf(uint64_t frame, uint64_t i,
					  unsigned level)
{
	uint64_t stride = fh_level_pages(level - 1);

	/*@ assert stride <= 0x8000000; */
	uint64_t part = frame + i * stride;

	/*@ assert level == 2 ==> part == frame + i * 0x1; */
	/*@ assert level == 3 ==> part == frame + i * 0x200; */
	/*@ assert level == 4 ==> part == frame + i * 0x40000; */
	/*@ assert level == 5 ==> part == frame + i * 0x8000000; */
	/*@ assert level == 2 ==> frame + 0x200 <= FH_FRAME_NUMBER_END; */
	/*@ assert level == 2 ==> part % 0x1 == 0; */
	/*@ assert level == 2 ==> \forall integer page; page >= 0 &&
	  page / 0x1 % 0x200 == i ==>
	    page % 0x200 ==
	      i * 0x1 + page % 0x1; */
	/*@ assert level == 3 ==> frame + 0x40000 <= FH_FRAME_NUMBER_END; */
	/*@ assert level == 3 ==> part % 0x200 == 0; */
	/*@ assert level == 3 ==> \forall integer page; page >= 0 &&
	  page / 0x200 % 0x200 == i ==>
	    page % 0x40000 ==
	      i * 0x200 + page % 0x200; */
	/*@ assert level == 4 ==> frame + 0x8000000 <= FH_FRAME_NUMBER_END; */
	/*@ assert level == 4 ==> part % 0x40000 == 0; */
	/*@ assert level == 4 ==> \forall integer page; page >= 0 &&
	  page / 0x40000 % 0x200 == i ==>
	    page % 0x8000000 ==
	      i * 0x40000 + page % 0x40000; */
	/*@ assert level == 5 ==> frame + 0x1000000000 <= FH_FRAME_NUMBER_END; */
	/*@ assert level == 5 ==> part % 0x8000000 == 0; */
	/*@ assert level == 5 ==> \forall integer page; page >= 0 &&
	  page / 0x8000000 % 0x200 == i ==>
	    page % 0x1000000000 ==
	      i * 0x8000000 + page % 0x8000000; */
	/*@ assert level == 2 ==> part < FH_FRAME_NUMBER_END; */
	/*@ assert level == 2 ==> \forall integer page; page >= 0 &&
	  index_of(page, 1) == i ==>
	    part + page % span(1) == frame + page % span(2); */
	/*@ assert level == 3 ==> part < FH_FRAME_NUMBER_END; */
	/*@ assert level == 3 ==> \forall integer page; page >= 0 &&
	  index_of(page, 2) == i ==>
	    part + page % span(2) == frame + page % span(3); */
	/*@ assert level == 4 ==> part < FH_FRAME_NUMBER_END; */
	/*@ assert level == 4 ==> \forall integer page; page >= 0 &&
	  index_of(page, 3) == i ==>
	    part + page % span(3) == frame + page % span(4); */
	/*@ assert level == 5 ==> part < FH_FRAME_NUMBER_END; */
	/*@ assert level == 5 ==> \forall integer page; page >= 0 &&
	  index_of(page, 4) == i ==>
	    part + page % span(4) == frame + page % span(5); */
	return part;
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
