/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sorting pages by zone, by counting: each zone's pages keep the order in which
 * they came.
 */
#include "give.h"

/*@
  // How many of the first n are of that zone, and of it or one before it.
  logic integer of_zone{L}(uint8_t *zones, integer n, integer zone) =
    n <= 0 ? 0 :
      of_zone(zones, n - 1, zone) + (zones[n - 1] == zone ? 1 : 0);

  logic integer up_to_zone{L}(uint8_t *zones, integer n, integer zone) =
    n <= 0 ? 0 :
      up_to_zone(zones, n - 1, zone) + (zones[n - 1] <= zone ? 1 : 0);

  predicate zones_are_named{L}(struct fh_sorting *sorting, uint64_t *pages,
                               integer n) =
    \forall integer i; 0 <= i < n ==>
      sorting->zone[i] < fh_layout.zone_count &&
      lies_in_zone(pages[i], sorting->zone[i]);
*/

/* How pages of a zone add to those of the zones before it. */
/*@ ghost
  /@
    requires zone > 0 && (n > 0 ==> \valid_read(zones + (0 .. n - 1)));
    assigns \nothing;
    exits \false;
    ensures up_to_zone(zones, n, zone) ==
      up_to_zone(zones, n, zone - 1) + of_zone(zones, n, zone);
    ensures 0 <= of_zone(zones, n, zone);
    ensures 0 <= up_to_zone(zones, n, zone - 1);
    ensures up_to_zone(zones, n, zone) <= n;
  @/
  void ghost_next_zone(const uint8_t *zones, uint64_t n, uint64_t zone)
  {
    /@
      loop invariant 0 <= i <= n;
      loop invariant up_to_zone(zones, i, zone) ==
        up_to_zone(zones, i, zone - 1) + of_zone(zones, i, zone);
      loop invariant 0 <= of_zone(zones, i, zone);
      loop invariant 0 <= up_to_zone(zones, i, zone - 1);
      loop invariant up_to_zone(zones, i, zone) <= i;
      loop assigns i;
      loop variant n - i;
    @/
    for (uint64_t i = 0; i < n; i++)
      ;
  }
*/

/* Before the first zone there is none. */
/*@ ghost
  /@
    requires n > 0 ==> \valid_read(zones + (0 .. n - 1));
    assigns \nothing;
    exits \false;
    ensures up_to_zone(zones, n, 0) == of_zone(zones, n, 0);
    ensures 0 <= up_to_zone(zones, n, 0) <= n;
  @/
  void ghost_first_zone(const uint8_t *zones, uint64_t n)
  {
    /@
      loop invariant 0 <= i <= n;
      loop invariant up_to_zone(zones, i, 0) == of_zone(zones, i, 0);
      loop invariant 0 <= up_to_zone(zones, i, 0) <= i;
      loop assigns i;
      loop variant n - i;
    @/
    for (uint64_t i = 0; i < n; i++)
      ;
  }
*/

/* Notes the zone of the i-th page. */
/*@
  requires layout_ok && i < FH_PAGES_AT_ONCE && \valid(sorting);
  requires \separated(sorting, fh_zones + (0 .. FH_MAX_ZONES - 1));
  requires \separated(sorting, fh_layout.zone_by_section +
                                 (0 .. fh_layout.section_count - 1));
  assigns sorting->zone[i];
  exits \false;
  ensures zone: \result < fh_layout.zone_count &&
    sorting->zone[i] == \result && lies_in_zone(page, \result);
  ensures layout: layout_ok;
  ensures others: \forall integer p, integer z;
    lies_in_zone{Pre}(p, z) ==> lies_in_zone{Post}(p, z);
  ensures counts: \forall integer z;
    of_zone{Post}((uint8_t *)sorting->zone, i, z) ==
    of_zone{Pre}((uint8_t *)sorting->zone, i, z);
*/
static uint64_t name_zone(struct fh_sorting *sorting, uint64_t i, uint64_t page)
{
	uint64_t zone = fh_zone_of_given(page);

	sorting->zone[i] = (uint8_t)zone;
	/*@ ghost
	  /@
	    loop invariant 0 <= k <= i;
	    loop invariant \forall integer z;
	      of_zone((uint8_t *)sorting->zone, k, z) ==
	      of_zone{Pre}((uint8_t *)sorting->zone, k, z);
	    loop assigns k;
	    loop variant i - k;
	  @/
	  for (uint64_t k = 0; k < i; k++)
	    ;
	*/
	return zone;
}

/*@
  requires layout_ok && fh_layout.zone_count > 0 && n <= FH_PAGES_AT_ONCE;
  requires sorting_is_apart(sorting, pages, n);
  assigns sorting->zone[0 .. FH_PAGES_AT_ONCE - 1],
          sorting->end[0 .. FH_MAX_ZONES - 1];
  exits \false;
  ensures zones: zones_are_named(sorting, pages, n);
  ensures ends: \forall integer z; 0 <= z < fh_layout.zone_count ==>
    sorting->end[z] == up_to_zone((uint8_t *)sorting->zone, n, z);
*/
static void count_by_zone(struct fh_sorting *sorting, const uint64_t *pages,
			  uint64_t n)
{
	uint64_t zones = fh_layout.zone_count;

	/*@
	  loop invariant 0 <= zone <= zones;
	  loop invariant \forall integer z; 0 <= z < zone ==>
	    sorting->end[z] == 0;
	  loop assigns zone, sorting->end[0 .. FH_MAX_ZONES - 1];
	  loop variant zones - zone;
	*/
	for (uint64_t zone = 0; zone < zones; zone++)
		sorting->end[zone] = 0;
	/*@
	  loop invariant 0 <= i <= n;
	  loop invariant layout: layout_ok;
	  loop invariant named: zones_are_named(sorting, pages, i);
	  loop invariant counts: \forall integer z; 0 <= z < zones ==>
	    sorting->end[z] == of_zone((uint8_t *)sorting->zone, i, z) &&
	    sorting->end[z] <= i;
	  loop assigns i, sorting->end[0 .. FH_MAX_ZONES - 1],
	    sorting->zone[0 .. FH_PAGES_AT_ONCE - 1];
	  loop variant n - i;
	*/
	for (uint64_t i = 0; i < n; i++) {
		sorting->end[name_zone(sorting, i, pages[i])]++;
	}
	/*@ ghost ghost_first_zone(sorting->zone, n); */
	/*@
	  loop invariant 1 <= zone <= zones;
	  loop invariant sums: \forall integer z; 0 <= z < zone ==>
	    sorting->end[z] == up_to_zone((uint8_t *)sorting->zone, n, z);
	  loop invariant rest: \forall integer z; zone <= z < zones ==>
	    sorting->end[z] == of_zone((uint8_t *)sorting->zone, n, z);
	  loop invariant last: sorting->end[zone - 1] <= n;
	  loop assigns zone, sorting->end[0 .. FH_MAX_ZONES - 1];
	  loop variant zones - zone;
	*/
	for (uint64_t zone = 1; zone < zones; zone++) {
		/*@ ghost ghost_next_zone(sorting->zone, n, zone); */
		sorting->end[zone] =
			(uint16_t)(sorting->end[zone] + sorting->end[zone - 1]);
	}
}

/* How many pages are of which zones, for all zones at once. */
/*@ ghost
  /@
    requires n > 0 ==> \valid_read(zones + (0 .. n - 1));
    assigns \nothing;
    exits \false;
    ensures sums: \forall integer z; up_to_zone(zones, n, z) ==
      up_to_zone(zones, n, z - 1) + of_zone(zones, n, z);
    ensures some: \forall integer z; 0 <= of_zone(zones, n, z);
    ensures bounds: \forall integer z; 0 <= up_to_zone(zones, n, z) <= n;
    ensures none: up_to_zone(zones, n, -1) == 0;
    ensures more: \forall integer y, integer z; y <= z ==>
      up_to_zone(zones, n, y) <= up_to_zone(zones, n, z);
    ensures all: \forall integer z;
      (\forall integer k; 0 <= k < n ==> zones[k] <= z) ==>
        up_to_zone(zones, n, z) == n;
  @/
  void ghost_all_zones(const uint8_t *zones, uint64_t n)
  {
    /@
      loop invariant 0 <= i <= n;
      loop invariant sums: \forall integer z; up_to_zone(zones, i, z) ==
        up_to_zone(zones, i, z - 1) + of_zone(zones, i, z);
      loop invariant some: \forall integer z; 0 <= of_zone(zones, i, z);
      loop invariant bounds: \forall integer z;
        0 <= up_to_zone(zones, i, z) <= i;
      loop invariant none: up_to_zone(zones, i, -1) == 0;
      loop invariant more: \forall integer y, integer z; y <= z ==>
        up_to_zone(zones, i, y) <= up_to_zone(zones, i, z);
      loop invariant all: \forall integer z;
        (\forall integer k; 0 <= k < i ==> zones[k] <= z) ==>
          up_to_zone(zones, i, z) == i;
      loop assigns i;
      loop variant n - i;
    @/
    for (uint64_t i = 0; i < n; i++)
      ;
  }
*/

/* What count_by_zone() says of a zone's end, moved to its begin. */
/*@
  requires layout_ok && fh_layout.zone_count > 0 && n <= FH_PAGES_AT_ONCE;
  requires sorting_is_apart(sorting, pages, n);
  requires zones: zones_are_named(sorting, pages, n);
  requires ends: \forall integer z; 0 <= z < fh_layout.zone_count ==>
    sorting->end[z] == up_to_zone((uint8_t *)sorting->zone, n, z);
  assigns sorting->pages[0 .. FH_PAGES_AT_ONCE - 1],
          sorting->end[0 .. FH_MAX_ZONES - 1];
  exits \false;
  ensures begins: \forall integer z; 0 <= z < fh_layout.zone_count ==>
    sorting->end[z] == up_to_zone((uint8_t *)sorting->zone, n, z - 1);
  ensures placed: \forall integer z, integer k;
    0 <= z < fh_layout.zone_count &&
    sorting->end[z] <= k < up_to_zone((uint8_t *)sorting->zone, n, z) ==>
      lies_in_zone{Pre}(sorting->pages[k], z);
*/
static void place_by_zone(struct fh_sorting *sorting, const uint64_t *pages,
			  uint64_t n)
{
	/*@ ghost ghost_all_zones(sorting->zone, n); */
	/* From the last one down, so that each zone's end moves to its begin. */
	/*@
	  loop invariant 0 <= i <= n;
	  loop invariant same: fh_layout.zone_count ==
	    \at(fh_layout.zone_count,Pre);
	  loop invariant came: \forall integer k; 0 <= k < n ==>
	    pages[k] == \at(pages[k],Pre);
	  loop invariant ends: \forall integer z;
	    0 <= z < fh_layout.zone_count ==> sorting->end[z] ==
	      up_to_zone((uint8_t *)sorting->zone, n, z - 1) +
	      of_zone((uint8_t *)sorting->zone, i, z);
	  loop invariant most: \forall integer z;
	    0 <= z < fh_layout.zone_count ==> sorting->end[z] <=
	      up_to_zone((uint8_t *)sorting->zone, n, z);
	  loop invariant placed: \forall integer z, integer k;
	    0 <= z < fh_layout.zone_count &&
	    sorting->end[z] <= k <
	      up_to_zone((uint8_t *)sorting->zone, n, z) ==>
	        lies_in_zone{Pre}(sorting->pages[k], z);
	  loop assigns i, sorting->pages[0 .. FH_PAGES_AT_ONCE - 1],
	    sorting->end[0 .. FH_MAX_ZONES - 1];
	  loop variant i;
	*/
	for (uint64_t i = n; i > 0; i--) {
		uint64_t zone = sorting->zone[i - 1];

		/*@ ghost ghost_all_zones(sorting->zone, i - 1); */
		/*@ assert lies: lies_in_zone{Pre}(pages[i - 1], zone); */
		/*@ assert one: of_zone((uint8_t *)sorting->zone, i, zone) ==
		      of_zone((uint8_t *)sorting->zone, i - 1, zone) + 1; */
		/*@ assert rest: \forall integer z; z != zone ==>
		      of_zone((uint8_t *)sorting->zone, i, z) ==
		        of_zone((uint8_t *)sorting->zone, i - 1, z); */
		/*@ assert least: sorting->end[zone] >
		      up_to_zone((uint8_t *)sorting->zone, n, zone - 1); */
		/*@ assert below: \forall integer z; 0 <= z < zone ==>
		      up_to_zone((uint8_t *)sorting->zone, n, z) <
		        sorting->end[zone]; */
		/*@ assert beyond: \forall integer z;
		      zone < z < fh_layout.zone_count ==> sorting->end[z] >=
		        up_to_zone((uint8_t *)sorting->zone, n, z - 1); */
		/*@ assert next: \forall integer z; zone < z ==>
		      up_to_zone((uint8_t *)sorting->zone, n, zone) <=
		        up_to_zone((uint8_t *)sorting->zone, n, z - 1); */
		/*@ assert above: \forall integer z;
		      zone < z < fh_layout.zone_count ==>
		        sorting->end[zone] <= sorting->end[z]; */
		sorting->end[zone]--;
		/*@ assert fewer: \forall integer z;
		      0 <= z < fh_layout.zone_count ==> sorting->end[z] ==
		        up_to_zone((uint8_t *)sorting->zone, n, z - 1) +
		        of_zone((uint8_t *)sorting->zone, i - 1, z); */
		sorting->pages[sorting->end[zone]] = pages[i - 1];
		/*@ assert others: \forall integer k;
		      0 <= k < FH_PAGES_AT_ONCE && k != sorting->end[zone] ==>
		        sorting->pages[k] == \at(sorting->pages[k],LoopCurrent); */
		/*@ assert place: \forall integer z, integer k;
		      0 <= z < fh_layout.zone_count && z != zone &&
		      sorting->end[z] <= k <
		        up_to_zone((uint8_t *)sorting->zone, n, z) ==>
		          0 <= k < n && k != sorting->end[zone]; */
		/*@ assert kept: \forall integer z, integer k;
		      0 <= z < fh_layout.zone_count && z != zone &&
		      sorting->end[z] <= k <
		        up_to_zone((uint8_t *)sorting->zone, n, z) ==>
		          sorting->pages[k] ==
		            \at(sorting->pages[k],LoopCurrent); */
		/*@ assert were_placed: \forall integer z, integer k;
		      0 <= z < fh_layout.zone_count && z != zone &&
		      sorting->end[z] <= k <
		        up_to_zone((uint8_t *)sorting->zone, n, z) ==>
		          lies_in_zone{Pre}(
		            \at(sorting->pages[k],LoopCurrent), z); */
		/*@ assert placed_others: \forall integer z, integer k;
		      0 <= z < fh_layout.zone_count && z != zone &&
		      sorting->end[z] <= k <
		        up_to_zone((uint8_t *)sorting->zone, n, z) ==>
		          lies_in_zone{Pre}(sorting->pages[k], z); */
		/*@ assert placed_here: \forall integer k;
		      sorting->end[zone] <= k <
		        up_to_zone((uint8_t *)sorting->zone, n, zone) ==>
		          lies_in_zone{Pre}(sorting->pages[k], zone); */
	}
}

void fh_sort_by_zone(struct fh_sorting *sorting, const uint64_t *pages,
		     uint64_t n)
{
	count_by_zone(sorting, pages, n);
	/*@ assert same: \forall integer p, integer z;
	      lies_in_zone(p, z) ==> lies_in_zone{Pre}(p, z); */
	place_by_zone(sorting, pages, n);
	/*@ ghost ghost_all_zones(sorting->zone, n); */
}
