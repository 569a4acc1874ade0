/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Taking pages that follow each other, and pages by their number: from which
 * zone, and in what order. Any pages are batch.c's; what comes back is give.c's
 * and give_range.c's.
 */
#include "turn.h"

#include <framehold/allocator.h>

/*@
  requires home < FH_MAX_ZONES;
  assigns \nothing;
  exits \false;
  ensures \result <==> fh_zones[home].free >= fh_zones[home].pages / 8;
*/
static bool has_plenty(uint64_t home)
{
	return fh_zone_free(&fh_zones[home]) >=
	       fh_word_load_relaxed(&fh_zones[home].pages) / 8;
}

struct fh_zone *fh_tightest_zone(uint64_t home, unsigned order)
{
	struct fh_zone *tightest = NULL;
	unsigned least = FH_ORDER_BLOCK;

	if (order == 0 || fh_layout.zone_count <= 1 || has_plenty(home))
		return NULL;
	/*@
	  loop invariant 0 <= turn <= fh_layout.zone_count;
	  loop invariant tightest == \null || is_some_zone(tightest);
	  loop invariant tightest != \null ==> order < FH_ORDER_BLOCK;
	  loop invariant least <= FH_ORDER_BLOCK;
	  loop assigns turn, tightest, least;
	  loop variant fh_layout.zone_count - turn;
	*/
	for (uint64_t turn = 0; turn < fh_layout.zone_count; turn++) {
		struct fh_zone *zone = fh_zone_in_turn(home, turn);
		unsigned best = zone == NULL ? 0 : fh_chain_best(zone, order);

		if (best != 0 && best < least) {
			least = best;
			tightest = zone;
		}
	}
	return tightest;
}

/*@
  requires zones_open && zones_have_slots && region_inv && n > 0;
  requires have_slots(first, n) && first + n <= FH_PAGE_NUMBER_END;
  assigns fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures open: zones_open;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures ready: are_ready(first, n);
*/
static void make_live(uint64_t first, uint64_t n)
{
	/*@
	  loop invariant first / FH_SECTION_FRAMES <= section <=
	    (first + n - 1) / FH_SECTION_FRAMES + 1;
	  loop invariant open: zones_open;
	  loop invariant region: region_inv;
	  loop invariant kept: kept{Pre,Here};
	  loop invariant ready: \forall integer s;
	    first / FH_SECTION_FRAMES <= s < section ==>
	      fh_memory.sections[s] != FH_SECTION_RAW;
	  loop assigns section, fh_slots[0 .. FH_LAST_FRAME],
	    fh_memory.sections[0 .. FH_LAST_SECTION];
	  loop variant (first + n - 1) / FH_SECTION_FRAMES + 1 - section;
	*/
	for (uint64_t section = first / FH_SECTION_FRAMES;
	     section <= (first + (n - 1)) / FH_SECTION_FRAMES; section++)
		fh_section_make_live(section);
}

/*@
  // Pages of the zone, at a multiple of a run's pages or of what is asked for.
  predicate was_found{L}(struct fh_zone *zone, struct fh_request *request,
                         integer found) =
    zone->first * 512 <= found &&
    found + request->n <= (zone->first + zone->count) * 512 &&
    (found % request->align == 0 ||
     (request->order != 0 && found % order_pages(request->order) == 0));

  predicate request_apart{L}(struct fh_request *request,
                             struct fh_zone *zone) =
    \separated(request, zone) &&
    \separated(request, zone->blocks + (0 .. zone->count - 1)) &&
    \separated(request, zone->touched + (0 .. (zone->count - 1) / 64));
*/

/* From the chains, if the limit does not matter to this zone. */
/*@
  requires zone_tables(zone) && \valid_read(request);
  requires is_request(request, most) && most <= FH_ORDER_LAST;
  requires request_apart(request, zone);
  assigns zone_state(zone);
  exits \false;
  ensures found: \result != FH_NO_PAGE ==> was_found(zone, request, \result);
*/
static uint64_t take_from_chains(struct fh_zone *zone,
				 const struct fh_request *request,
				 unsigned most)
{
	uint64_t found = FH_NO_PAGE;

	if (request->order == 0)
		return FH_NO_PAGE;
	uint64_t saved = fh_zone_lock(zone);
	if (request->n <= fh_zone_available(zone, request->urgent))
		found = fh_zone_take(zone, request->n, request->order, most);
	fh_zone_unlock(zone, saved);
	return found;
}

/*@
  requires zone_tables(zone) && \valid_read(request);
  requires is_request(request, most) && most <= FH_ORDER_LAST;
  requires request_apart(request, zone);
  assigns zone_state(zone);
  exits \false;
  ensures found: \result != FH_NO_PAGE ==> was_found(zone, request, \result);
  ensures below: \result != FH_NO_PAGE ==>
    \result + request->n <= request->below;
*/
static uint64_t take_from_zone(struct fh_zone *zone,
			       const struct fh_request *request, unsigned most)
{
	uint64_t end = fh_zone_page(zone, zone->count);

	if (fh_zone_page(zone, 0) >= request->below)
		return FH_NO_PAGE;
	if (!request->urgent && request->n > fh_zone_available(zone, false))
		return FH_NO_PAGE;
	if (request->search || request->below < end)
		return fh_zone_search(zone, request->n, request->align,
				      request->below);
	return take_from_chains(zone, request, most);
}

/*@
  predicate was_found_somewhere{L}(struct fh_request *request,
                                   integer found) =
    found + request->n <= request->below &&
    \exists integer z; 0 <= z < fh_layout.zone_count &&
      was_found(&fh_zones[z], request, found);
*/

/* The same, of all zones the one that is named. */
/*@
  requires zones_open && zones_have_slots && is_some_zone(zone);
  requires \valid_read(request) && apart_from_zones(request);
  requires is_request(request, most) && most <= FH_ORDER_LAST;
  requires region_inv;
  assigns any_zone_state;
  exits \false;
  ensures open: zones_open;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures same: *request == \old(*request);
  ensures found: \result != FH_NO_PAGE ==>
    was_found_somewhere(request, \result);
  ensures slots: \result != FH_NO_PAGE ==>
    have_slots(\result, request->n) &&
    \result + request->n <= FH_PAGE_NUMBER_END;
*/
static uint64_t take_from(struct fh_zone *zone,
			  const struct fh_request *request, unsigned most)
{
	/*@ ghost uint64_t index = ghost_index_of(zone); */
	/*@ ghost ghost_open_zone(index); */
	/*@ assert beside: request_apart(request, zone); */
	uint64_t found = take_from_zone(zone, request, most);
	/*@ assert firsts: firsts_same{Pre,Here}; */
	/*@ assert counts: counts_same{Pre,Here}; */
	/*@ assert tables: tables_same{Pre,Here}; */
	/*@ assert sections: by_section_same{Pre,Here}; */
	/*@ assert named: each_zone_named; */
	/*@ assert layout: layout_ok; */
	/*@ assert slots: slots_same{Pre,Here}; */
	/*@ assert marks: section_marks_same{Pre,Here}; */
	/*@ assert live: \forall integer i; is_frame(i) ==>
	  (live{Pre}(i) <==> live(i)) && (has_slot{Pre}(i) <==> has_slot(i)); */
	/*@ assert free: \forall integer i; is_frame(i) ==>
	  g_free[i] == \at(g_free[i],Pre); */
	/*@ assert held: \forall integer i; is_frame(i) ==>
	  g_held[i] == \at(g_held[i],Pre) && g_raw[i] == \at(g_raw[i],Pre); */
	/*@ assert kept: kept{Pre,Here}; */
	/*@ assert found: found != FH_NO_PAGE ==>
	  was_found(&fh_zones[index], request, found); */
	/*@ ghost
	  if (found != FH_NO_PAGE)
	    ghost_slots_of(index, found, request->n);
	*/
	return found;
}

/*@
  requires zones_open && zones_have_slots && home < fh_layout.zone_count;
  requires \valid_read(request) && apart_from_zones(request);
  requires is_request(request, FH_ORDER_LAST) && region_inv;
  assigns any_zone_state;
  exits \false;
  ensures open: zones_open;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures same: *request == \old(*request);
  ensures found: \result != FH_NO_PAGE ==>
    was_found_somewhere(request, \result);
  ensures slots: \result != FH_NO_PAGE ==>
    have_slots(\result, request->n) &&
    \result + request->n <= FH_PAGE_NUMBER_END;
*/
static uint64_t take_in_turn(uint64_t home, const struct fh_request *request)
{
	uint64_t found = FH_NO_PAGE;

	/*@
	  loop invariant 0 <= turn <= 2 * fh_layout.zone_count;
	  loop invariant open: zones_open;
	  loop invariant region: region_inv;
	  loop invariant kept: kept{Pre,Here};
	  loop invariant same: *request == \at(*request,Pre);
	  loop invariant found: found != FH_NO_PAGE ==>
	    was_found_somewhere(request, found);
	  loop invariant slots: found != FH_NO_PAGE ==>
	    have_slots(found, request->n) &&
	    found + request->n <= FH_PAGE_NUMBER_END;
	  loop assigns turn, found, any_zone_state;
	  loop variant 2 * fh_layout.zone_count - turn;
	*/
	for (uint64_t turn = 0;
	     found == FH_NO_PAGE && turn < 2 * fh_layout.zone_count; turn++) {
		struct fh_zone *zone = fh_zone_in_turn(home, turn);

		if (zone != NULL)
			found = take_from(zone, request, FH_ORDER_LAST);
	}
	return found;
}

/* From the zone with the smallest piece, if that matters now. */
/*@
  requires zones_open && zones_have_slots && home < fh_layout.zone_count;
  requires \valid_read(request) && apart_from_zones(request);
  requires is_request(request, FH_ORDER_LAST) && region_inv;
  assigns any_zone_state;
  exits \false;
  ensures open: zones_open;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures same: *request == \old(*request);
  ensures found: \result != FH_NO_PAGE ==>
    was_found_somewhere(request, \result);
  ensures slots: \result != FH_NO_PAGE ==>
    have_slots(\result, request->n) &&
    \result + request->n <= FH_PAGE_NUMBER_END;
*/
static uint64_t take_tightest(uint64_t home, const struct fh_request *request)
{
	struct fh_zone *tightest =
		request->search ? NULL : fh_tightest_zone(home, request->order);

	if (tightest == NULL)
		return FH_NO_PAGE;
	return take_from(tightest, request, FH_ORDER_BLOCK - 1);
}

/*@
  predicate is_so_many(integer n, integer of, integer k) = n == of * k;
*/

/* What is found lies at a multiple of what divides a run's pages. */
/*@ ghost
  /@
    requires \valid_read(request) && was_found_somewhere(request, found);
    requires is_request(request, FH_ORDER_LAST) && run_is_aligned(request);
    assigns \nothing;
    exits \false;
    ensures found % request->align == 0;
  @/
  void ghost_multiple(const struct fh_request *request, uint64_t found)
  {
    /@ assert size: order_pages(request->order) > 0; @/
    if (found % request->align != 0) {
      /@ assert run: found ==
        order_pages(request->order) * (found / order_pages(request->order)); @/
      /@ assert times: order_pages(request->order) ==
        request->align * (order_pages(request->order) / request->align); @/
      /@ assert both: is_so_many(found, request->align,
        (order_pages(request->order) / request->align) *
        (found / order_pages(request->order))); @/
      /@ assert multiple: \exists integer k;
        is_so_many(found, request->align, k); @/
    }
  }
*/

uint64_t fh_supply_take(uint64_t home, const struct fh_request *request)
{
	uint64_t found = take_tightest(home, request);

	if (found == FH_NO_PAGE)
		found = take_in_turn(home, request);
	if (found == FH_NO_PAGE)
		return FH_NO_PAGE;
	/*@ ghost ghost_multiple(request, found); */
	make_live(found, request->n);
	return found;
}

/* Takes the page, of this zone, if it is free. */
/*@
  requires zone_tables(zone) && zone_has(zone, page);
  assigns zone_state(zone);
  exits \false;
  ensures taken: \result ==> pages_in_use(zone, page, 1);
*/
static bool take_if_free(struct fh_zone *zone, uint64_t page)
{
	uint64_t saved = fh_zone_lock(zone);
	/*@ assert same: zone->first == \at(zone->first,Pre) &&
	      zone->count == \at(zone->count,Pre); */
	/*@ assert bit: \forall integer b, integer w, integer i;
	      0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 &&
	      bit_among(zone, b, w, i, page, 1) ==>
	        page / 512 - zone->first == b && page % 512 / 64 == w &&
	        page % 512 % 64 == i; */
	bool is_free = fh_zone_is_free(zone, page);

	/*@ assert free: is_free != 0 ==> pages_free(zone, page, 1); */
	if (is_free)
		fh_zone_take_exact(zone, page, 1);
	/*@ assert taken: is_free != 0 ==> pages_in_use(zone, page, 1); */
	fh_zone_unlock(zone, saved);
	return is_free;
}

/*@
  requires zones_open && index < fh_layout.zone_count;
  requires page_of_zone(page, index);
  assigns any_zone_state;
  exits \false;
  ensures open: zones_open;
*/
static bool withdraw_from_zone(uint64_t index, uint64_t page)
{
	/*@ ghost ghost_open_zone(index); */
	bool was_free = take_if_free(&fh_zones[index], page);
	/*@ assert firsts: firsts_same{Pre,Here}; */
	/*@ assert counts: counts_same{Pre,Here}; */
	/*@ assert tables: tables_same{Pre,Here}; */
	/*@ assert sections: by_section_same{Pre,Here}; */
	/*@ assert named: each_zone_named; */
	/*@ assert layout: layout_ok; */
	return was_free;
}

bool fh_supply_withdraw(uint64_t page)
{
	uint64_t index = fh_layout_zone_index(page);

	return index != FH_NO_ZONE && withdraw_from_zone(index, page);
}
