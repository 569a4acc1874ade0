/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Regions by the pages that they have, and in the order in which these begin.
 */
#ifndef FRAMEHOLD_SRC_REGIONSORT_H
#define FRAMEHOLD_SRC_REGIONSORT_H

#include <framehold/region.h>

/* The pages of one region, clipped: first .. end - 1; first == end if none. */
struct clipped {
	uint64_t first;
	uint64_t end;
};

/*
 * Works from the last byte, not from the end, which may be 2^64. The region
 * does not wrap.
 */
/*@
  requires \valid_read(region);
  requires region->size > 0 ==> region->base + region->size - 1 <= UINT64_MAX;
  assigns \nothing;
  exits \false;
  ensures \result.first == region_first(region);
  ensures \result.end == region_end(region);
  ensures \result.first <= \result.end <= FH_PAGE_NUMBER_END;
*/
static inline struct clipped clip(const struct fh_region *region)
{
	struct clipped pages;
	uint64_t last;

	pages.first = region->base / FH_PAGE_SIZE;
	pages.end = pages.first;
	if (region->size == 0)
		return pages;

	last = region->base + (region->size - 1);
	if (region->kind != FH_REGION_USABLE) {
		pages.end = last / FH_PAGE_SIZE + 1;
		return pages;
	}

	pages.end = last / FH_PAGE_SIZE;
	if (last % FH_PAGE_SIZE == FH_PAGE_SIZE - 1)
		pages.end++;
	if (region->base % FH_PAGE_SIZE != 0)
		pages.first++;
	if (pages.end < pages.first)
		pages.end = pages.first;
	return pages;
}

/*
 * Where a region begins in the sweep. Not its base: a usable region may begin
 * a page later than one of another kind with a higher base in the same page.
 */
/*@
  requires \valid_read(region);
  requires region->size > 0 ==> region->base + region->size - 1 <= UINT64_MAX;
  assigns \nothing;
  exits \false;
  ensures \result == region_first(region);
  ensures \result <= FH_PAGE_NUMBER_END;
*/
static inline uint64_t first_page(const struct fh_region *region)
{
	return clip(region).first;
}

/*@
  predicate same_are_there{A,B}(struct fh_region *regions, integer n) =
    \forall integer base, size, kind;
      is_there{A}(regions, n, base, size, kind, 0) <==>
      is_there{B}(regions, n, base, size, kind, 0);
*/

/* Sorts by first page, in place; what the regions say stays the same. */
/*@
  requires \valid(regions + (0 .. n - 1)) && regions_are_ok(regions, n);
  assigns regions[0 .. n - 1];
  exits \false;
  ensures regions_are_ok(regions, n);
  ensures regions_ascend(regions, 0, n);
  ensures are_same_regions{Pre,Post}(regions, n);
  ensures same_are_there{Pre,Post}(regions, n);
*/
void fh_region_order(struct fh_region *regions, size_t n);

#endif /* FRAMEHOLD_SRC_REGIONSORT_H */
