/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The supply: all zones together, for a CPU that turns to its home zone first,
 * then to others of its node, then to the rest, downwards by address. Locks
 * are taken here, one zone's at a time, never two.
 *
 * Zones keep a reserve. Who does not ask urgently leaves that much in each.
 *
 * Pages taken lie in live sections. Thread and interrupt context.
 */
#ifndef FRAMEHOLD_SRC_SUPPLY_H
#define FRAMEHOLD_SRC_SUPPLY_H

#include "layout.h"

/* What fh_allocator_pop() is asked for. */
struct fh_request {
	uint64_t n;     /* > 0 */
	uint64_t align; /* a power of two */
	uint64_t below; /* FH_NO_PAGE: no limit */
	unsigned order; /* that n pages at a multiple of align surely fit in;
			   0: more than a run can have */
	bool urgent;    /* may take reserves */
	bool no_wait;   /* as in struct fh_alloc_options */
	bool search;    /* where chains have nothing, walk over all blocks */
};

/*@
  predicate block_numbers{L}(uint64_t *blocks, integer n) =
    \forall integer i; 0 <= i < n ==> blocks[i] < FH_PAGE_NUMBER_END / 512;

  // No section that the pages lie in waits for its slots.
  predicate are_ready{L}(integer first, integer n) =
    \forall integer s;
      first / FH_SECTION_FRAMES <= s <= (first + n - 1) / FH_SECTION_FRAMES ==>
        fh_memory.sections[s] != FH_SECTION_RAW;

  predicate is_request{L}(struct fh_request *request, integer most) =
    request->n > 0 && request->align > 0 && request->order <= FH_ORDER_LAST &&
    request->order <= most &&
    (request->order != 0 ==> request->n <= order_pages(request->order));

  // Runs of its order lie where it wants to.
  predicate run_is_aligned{L}(struct fh_request *request) =
    request->order != 0 ==>
      order_pages(request->order) % request->align == 0;
*/

/*
 * What taking changes of slots: sections that were never in use become live.
 * Nobody can tell, but for that.
 */

/* The first of n pages, or FH_NO_PAGE. */
/*@
  requires zones_open && zones_have_slots && region_inv;
  requires home < fh_layout.zone_count && \valid_read(request);
  requires apart_from_zones(request);
  requires \separated(request, fh_slots + (0 .. FH_LAST_FRAME));
  requires is_request(request, FH_ORDER_LAST) && run_is_aligned(request);
  assigns any_zone_state, fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures open: zones_open;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures same: *request == \old(*request);
  ensures page: \result != FH_NO_PAGE ==>
    \result + request->n <= FH_PAGE_NUMBER_END;
  ensures below: \result != FH_NO_PAGE ==>
    \result + request->n <= request->below;
  ensures align: \result != FH_NO_PAGE ==> \result % request->align == 0;
  ensures ready: \result != FH_NO_PAGE ==> are_ready(\result, request->n);
*/
uint64_t fh_supply_take(uint64_t home, const struct fh_request *request);

/*
 * Up to `want` pages wherever they lie, in up to `room` words, from the first
 * zone that has any. Returns how many words.
 */
/*@
  requires zones_open && zones_have_slots && region_inv;
  requires home < fh_layout.zone_count;
  requires room > 0 ==> \valid(taken + (0 .. room - 1));
  requires apart_from_zones(taken + (0 .. room - 1));
  requires \separated(taken + (0 .. room - 1),
                      fh_slots + (0 .. FH_LAST_FRAME));
  assigns any_zone_state, taken[0 .. room - 1], fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures open: zones_open;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures room: \result <= room;
  ensures words: \forall integer i; 0 <= i < \result ==>
    word_is_taken(taken, i);
  ensures pages: taken_pages(taken, \result) <= want;
  ensures ready: \forall integer i; 0 <= i < \result ==>
    are_ready(taken[i].base, 64);
*/
uint64_t fh_supply_take_words(uint64_t home, bool urgent, uint64_t want,
			      struct fh_taken *taken, uint64_t room);

/*
 * Up to `want` whole blocks from the first zone that has any: their numbers,
 * page / 512, in descending pieces. Returns how many.
 */
/*@
  requires zones_open && zones_have_slots && region_inv;
  requires home < fh_layout.zone_count;
  requires want > 0 ==> \valid(blocks + (0 .. want - 1));
  requires apart_from_zones(blocks + (0 .. want - 1));
  requires \separated(blocks + (0 .. want - 1),
                      fh_slots + (0 .. FH_LAST_FRAME));
  assigns any_zone_state, blocks[0 .. want - 1],
          fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures open: zones_open;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures want: \result <= want;
  ensures blocks: block_numbers(blocks, \result);
  ensures ready: \forall integer i; 0 <= i < \result ==>
    are_ready(blocks[i] * 512, 512);
*/
uint64_t fh_supply_take_blocks(uint64_t home, uint64_t want, uint64_t *blocks);

/* Takes the page if it is free in its zone. */
/*@
  requires zones_open;
  assigns any_zone_state;
  exits \false;
  ensures open: zones_open;
*/
bool fh_supply_withdraw(uint64_t page);

/*
 * Pages in use become free. One that is free, or of no zone, stops the
 * machine: rules "free_twice" and "free_foreign". give_blocks() leaves the
 * array in disorder.
 */
/*@
  requires zones_open;
  requires n <= FH_PAGE_NUMBER_END && first <= FH_PAGE_NUMBER_END;
  assigns any_zone_state;
  exits \false;
  ensures open: zones_open;
*/
void fh_supply_give(uint64_t first, uint64_t n);
/*@
  requires zones_open && apart_from_zones(pages + (0 .. n - 1));
  requires n > 0 ==> \valid_read(pages + (0 .. n - 1));
  assigns any_zone_state;
  exits \false;
  ensures open: zones_open;
*/
void fh_supply_give_pages(const uint64_t *pages, uint64_t n);
/*@
  requires zones_open && apart_from_zones(blocks + (0 .. n - 1));
  requires n > 0 ==> \valid(blocks + (0 .. n - 1));
  requires numbers: block_numbers(blocks, n);
  assigns any_zone_state, blocks[0 .. n - 1];
  exits \false;
  ensures open: zones_open;
*/
void fh_supply_give_blocks(uint64_t *blocks, uint64_t n);

#endif /* FRAMEHOLD_SRC_SUPPLY_H */
