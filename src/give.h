/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pages that come back one by one: what give.c, which gives them, and sort.c,
 * which sorts them by zone, have in common with the supply.
 */
#ifndef FRAMEHOLD_SRC_GIVE_H
#define FRAMEHOLD_SRC_GIVE_H

#include "report.h"
#include "supply.h"

/* Pages of a magazine sorted at once: bounds the stack. */
#define FH_PAGES_AT_ONCE 128

/* How much was given, and a page that was free already, or FH_NO_PAGE. */
struct fh_given {
	uint64_t count;
	uint64_t twice;
};

/* Pages being sorted by zone, in the order in which they came. */
struct fh_sorting {
	uint64_t pages[FH_PAGES_AT_ONCE];
	uint8_t zone[FH_PAGES_AT_ONCE]; /* of the i-th page that came */
	uint16_t end[FH_MAX_ZONES];     /* of the zone's pages in pages */
};

/*@
  predicate sorting_is_apart{L}(struct fh_sorting *sorting,
                                uint64_t *pages, integer n) =
    \valid(sorting) && (n > 0 ==> \valid_read(pages + (0 .. n - 1))) &&
    \separated(sorting, pages + (0 .. n - 1)) &&
    \separated(sorting, &fh_layout) &&
    \separated(sorting, fh_zones + (0 .. FH_MAX_ZONES - 1)) &&
    \separated(sorting, fh_layout.zone_by_section +
                          (0 .. fh_layout.section_count - 1));
*/

/* A page that came back and was free stops the machine. */
/*@
  assigns \nothing;
  exits \false;
  ensures page == FH_NO_PAGE;
*/
static inline void fh_stop_if_twice(uint64_t page)
{
	if (FH_UNLIKELY(page != FH_NO_PAGE))
		fh_stop("free_twice", page, FH_STATE_FREE,
			"a page that is not in the allocator", 0, 0);
}

/* The index of the zone of a page that comes back. */
/*@
  requires layout_ok;
  assigns \nothing;
  exits \false;
  ensures \result < fh_layout.zone_count && lies_in_zone(page, \result);
*/
static inline uint64_t fh_zone_of_given(uint64_t page)
{
	uint64_t zone = fh_layout_zone_index(page);

	if (FH_UNLIKELY(zone == FH_NO_ZONE))
		fh_stop("free_foreign", page, FH_STATE_UNUSED,
			"a page of a zone", 0, 0);
	return zone;
}

/*
 * The pages of zone z are those from end[z] on, up to those of the next zone.
 */
/*@
  requires layout_ok && fh_layout.zone_count > 0 && n <= FH_PAGES_AT_ONCE;
  requires sorting_is_apart(sorting, pages, n);
  assigns *sorting;
  exits \false;
  ensures first: sorting->end[0] == 0;
  ensures bounds: \forall integer z; 0 <= z < fh_layout.zone_count ==>
    sorting->end[z] <= n;
  ensures next: \forall integer z; 0 <= z < fh_layout.zone_count - 1 ==>
    sorting->end[z] <= sorting->end[z + 1];
  ensures inner: \forall integer z, integer k;
    0 <= z < fh_layout.zone_count - 1 &&
    sorting->end[z] <= k < sorting->end[z + 1] ==>
      lies_in_zone{Pre}(sorting->pages[k], z);
  ensures last: \forall integer k;
    sorting->end[fh_layout.zone_count - 1] <= k < n ==>
      lies_in_zone{Pre}(sorting->pages[k], fh_layout.zone_count - 1);
*/
void fh_sort_by_zone(struct fh_sorting *sorting, const uint64_t *pages,
		     uint64_t n);

#endif /* FRAMEHOLD_SRC_GIVE_H */
