/* SPDX-License-Identifier: MPL-2.0 */
/*
 * To which zone a CPU turns when it takes, and how much it may have of it:
 * what supply.c, which takes pages that follow each other, and batch.c, which
 * takes any, have in common.
 */
#ifndef FRAMEHOLD_SRC_TURN_H
#define FRAMEHOLD_SRC_TURN_H

#include "supply.h"

/*@
  logic integer index_in_turn{L}(integer home, integer turn) =
    (home + fh_layout.zone_count - turn % fh_layout.zone_count) %
      fh_layout.zone_count;

  // Of the home's node in the first round, of others in the second.
  predicate is_zone_in_turn{L}(struct fh_zone *zone, integer home,
                               integer turn) =
    \let index = index_in_turn(home, turn);
    ((fh_zones[index].node == fh_zones[home].node <==>
        turn < fh_layout.zone_count)
      ? zone == &fh_zones[index] : zone == \null);

  predicate is_some_zone{L}(struct fh_zone *zone) =
    \exists integer z; 0 <= z < fh_layout.zone_count &&
      zone == &fh_zones[z];
*/

/*
 * A CPU turns to zones downwards from its home, to those of its node first.
 * The zone for the turn, 0 .. 2 * zones - 1; null: none in this turn.
 */
/*@
  requires layout_ok && home < fh_layout.zone_count;
  requires turn < 2 * fh_layout.zone_count;
  assigns \nothing;
  exits \false;
  ensures turn: is_zone_in_turn(\result, home, turn);
  ensures zone: \result == \null || is_some_zone(\result);
*/
static inline struct fh_zone *fh_zone_in_turn(uint64_t home, uint64_t turn)
{
	uint64_t zones = fh_layout.zone_count;
	uint64_t step = turn % zones;
	struct fh_zone *zone = &fh_zones[(home + zones - step) % zones];
	bool is_near = zone->node == fh_zones[home].node;

	return is_near == (turn < zones) ? zone : NULL;
}

/*
 * When its home gets short of pages, a CPU first looks for the zone of its
 * node with the smallest piece that is large enough, so that large pieces stay
 * whole. Not before, because it leads CPUs into each other's zones. Null: no
 * zone has a piece of less than a block, as far as one look can tell.
 */
/*@
  requires layout_ok;
  requires home < fh_layout.zone_count && order < FH_ORDERS;
  assigns \nothing;
  exits \false;
  ensures zone: \result == \null || is_some_zone(\result);
  ensures order: \result != \null ==> 0 < order < FH_ORDER_BLOCK;
*/
struct fh_zone *fh_tightest_zone(uint64_t home, unsigned order);

/*
 * Free pages of the zone that the request may have: without the zone's lock a
 * hint. Urgent requests do without hints: what another CPU has just given back
 * is seen for sure under the lock only, and they are refused if nothing is.
 */
/*@
  requires \valid_read(zone);
  assigns \nothing;
  exits \false;
  behavior urgent:
    assumes urgent;
    ensures \result == zone->free;
  behavior reserve:
    assumes !urgent && zone->free <= zone->reserve;
    ensures \result == 0;
  behavior rest:
    assumes !urgent && zone->free > zone->reserve;
    ensures \result == zone->free - zone->reserve;
  complete behaviors;
  disjoint behaviors;
*/
static inline uint64_t fh_zone_available(const struct fh_zone *zone,
					 bool urgent)
{
	uint64_t free = fh_zone_free(zone);

	if (urgent)
		return free;
	return free > zone->reserve ? free - zone->reserve : 0;
}

/*@
  // There are slots for the section of the last of the pages.
  predicate have_slots{L}(integer first, integer n) =
    (first + n - 1) / FH_SECTION_FRAMES * FH_SECTION_FRAMES <
      fh_memory.frame_end;
*/

/* Pages of a zone have slots. */
/*@ ghost
  /@
    requires zones_open && zones_have_slots && index < fh_layout.zone_count;
    requires n > 0 && first + n <= (g_first[index] + g_count[index]) * 512;
    assigns \nothing;
    exits \false;
    ensures slots: have_slots(first, n);
    ensures page: first + n <= FH_PAGE_NUMBER_END;
  @/
  void ghost_slots_of(uint64_t index, uint64_t first, uint64_t n)
  {
    /@ assert zone_placed(index); @/
  }
*/

/*@ ghost
  /@
    requires is_some_zone(zone);
    assigns \nothing;
    exits \false;
    ensures \result < fh_layout.zone_count && zone == &fh_zones[\result];
  @/
  uint64_t ghost_index_of(struct fh_zone *zone)
  {
    uint64_t z = 0;
    /@
      loop invariant 0 <= z <= fh_layout.zone_count;
      loop invariant \forall integer y; 0 <= y < z ==> zone != &fh_zones[y];
      loop assigns z;
      loop variant fh_layout.zone_count - z;
    @/
    while (z < fh_layout.zone_count && zone != &fh_zones[z])
      z++;
    return z;
  }
*/

#endif /* FRAMEHOLD_SRC_TURN_H */
