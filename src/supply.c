/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Taking: which zone, and in what order. What comes back is give.c's, and
 * give_range.c's.
 */
#include "supply.h"

#include <framehold/allocator.h>

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

  // No chain has blocks that does not exist.
  predicate filled_is_ok{L}(struct fh_zone *zone) =
    \forall integer i; 0 <= i < 64 && has_bit(zone->filled, i) ==>
      1 <= i <= FH_ORDER_LAST;

  predicate all_filled_ok{L} =
    \forall integer z; 0 <= z < fh_layout.zone_count ==>
      filled_is_ok(&fh_zones[z]);
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
static struct fh_zone *zone_in_turn(uint64_t home, uint64_t turn)
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
  requires layout_ok && all_filled_ok;
  requires home < fh_layout.zone_count && order < FH_ORDERS;
  assigns \nothing;
  exits \false;
  ensures \result == \null || is_some_zone(\result);
*/
static struct fh_zone *tightest_zone(uint64_t home, unsigned order)
{
	uint64_t plenty = fh_word_load_relaxed(&fh_zones[home].pages) / 8;
	struct fh_zone *tightest = NULL;
	unsigned least = FH_ORDER_BLOCK;

	if (order == 0 || fh_layout.zone_count == 1 ||
	    fh_zone_free(&fh_zones[home]) >= plenty)
		return NULL;
	/*@
	  loop invariant 0 <= turn <= fh_layout.zone_count;
	  loop invariant tightest == \null || is_some_zone(tightest);
	  loop assigns turn, tightest, least;
	  loop variant fh_layout.zone_count - turn;
	*/
	for (uint64_t turn = 0; turn < fh_layout.zone_count; turn++) {
		struct fh_zone *zone = zone_in_turn(home, turn);
		/*@ assert zone != \null ==> filled_is_ok(zone); */
		unsigned best = zone == NULL ? 0 : fh_chain_best(zone, order);

		if (best != 0 && best < least) {
			least = best;
			tightest = zone;
		}
	}
	return tightest;
}

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
static uint64_t available(const struct fh_zone *zone, bool urgent)
{
	uint64_t free = fh_zone_free(zone);

	if (urgent)
		return free;
	return free > zone->reserve ? free - zone->reserve : 0;
}

static void make_live(uint64_t first, uint64_t n)
{
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
	if (request->n <= available(zone, request->urgent))
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
	if (!request->urgent && request->n > available(zone, false))
		return FH_NO_PAGE;
	if (request->search || request->below < end)
		return fh_zone_search(zone, request->n, request->align,
				      request->below);
	return take_from_chains(zone, request, most);
}

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

/*@
  predicate was_found_somewhere{L}(struct fh_request *request,
                                   integer found) =
    found + request->n <= request->below &&
    \exists integer z; 0 <= z < fh_layout.zone_count &&
      was_found(&fh_zones[z], request, found);
*/

/* The same, of all zones the one that is named. */
/*@
  requires zones_open && is_some_zone(zone);
  requires \valid_read(request) && apart_from_zones(request);
  requires is_request(request, most) && most <= FH_ORDER_LAST;
  assigns any_zone_state;
  exits \false;
  ensures open: zones_open;
  ensures same: *request == \old(*request);
  ensures found: \result != FH_NO_PAGE ==>
    was_found_somewhere(request, \result);
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
	/*@ assert found: found != FH_NO_PAGE ==>
	  was_found(&fh_zones[index], request, found); */
	return found;
}

/*@
  requires zones_open && home < fh_layout.zone_count;
  requires \valid_read(request) && apart_from_zones(request);
  requires is_request(request, FH_ORDER_LAST);
  assigns any_zone_state;
  exits \false;
  ensures open: zones_open;
  ensures same: *request == \old(*request);
  ensures found: \result != FH_NO_PAGE ==>
    was_found_somewhere(request, \result);
*/
static uint64_t take_in_turn(uint64_t home, const struct fh_request *request)
{
	uint64_t found = FH_NO_PAGE;

	/*@
	  loop invariant 0 <= turn <= 2 * fh_layout.zone_count;
	  loop invariant open: zones_open;
	  loop invariant same: *request == \at(*request,Pre);
	  loop invariant found: found != FH_NO_PAGE ==>
	    was_found_somewhere(request, found);
	  loop assigns turn, found, any_zone_state;
	  loop variant 2 * fh_layout.zone_count - turn;
	*/
	for (uint64_t turn = 0;
	     found == FH_NO_PAGE && turn < 2 * fh_layout.zone_count; turn++) {
		struct fh_zone *zone = zone_in_turn(home, turn);

		if (zone != NULL)
			found = take_from(zone, request, FH_ORDER_LAST);
	}
	return found;
}

uint64_t fh_supply_take(uint64_t home, const struct fh_request *request)
{
	struct fh_zone *tightest =
		request->search ? NULL : tightest_zone(home, request->order);
	uint64_t found = FH_NO_PAGE;

	if (tightest != NULL)
		found = take_from(tightest, request, FH_ORDER_BLOCK - 1);
	if (found == FH_NO_PAGE)
		found = take_in_turn(home, request);
	if (found != FH_NO_PAGE)
		make_live(found, request->n);
	return found;
}

/* What a CPU wants of single pages, and where they go. */
struct words_wanted {
	bool urgent;
	uint64_t pages;
	struct fh_taken *taken;
	uint64_t room;
};

static uint64_t take_words_from(struct fh_zone *zone,
				const struct words_wanted *wanted,
				unsigned most)
{
	if (!wanted->urgent && available(zone, false) == 0)
		return 0;
	uint64_t saved = fh_zone_lock(zone);
	uint64_t pages = available(zone, wanted->urgent);
	uint64_t words = fh_zone_take_words(
		zone, pages < wanted->pages ? pages : wanted->pages, most,
		wanted->taken, wanted->room);

	fh_zone_unlock(zone, saved);
	return words;
}

uint64_t fh_supply_take_words(uint64_t home, bool urgent, uint64_t want,
			      struct fh_taken *taken, uint64_t room)
{
	const struct words_wanted wanted = {urgent, want, taken, room};
	struct fh_zone *tightest = tightest_zone(home, 1);
	uint64_t words = 0;

	if (tightest != NULL)
		words = take_words_from(tightest, &wanted, FH_ORDER_BLOCK - 1);
	for (uint64_t turn = 0; words == 0 && turn < 2 * fh_layout.zone_count;
	     turn++) {
		struct fh_zone *zone = zone_in_turn(home, turn);

		if (zone != NULL)
			words = take_words_from(zone, &wanted, FH_ORDER_LAST);
	}
	for (uint64_t i = 0; i < words; i++)
		fh_section_make_live(taken[i].base / FH_SECTION_FRAMES);
	return words;
}

/* Whole blocks, as many as there are, the smallest runs first. */
static uint64_t take_blocks_from(struct fh_zone *zone, uint64_t want,
				 uint64_t *blocks)
{
	uint64_t saved = fh_zone_lock(zone);
	uint64_t may_have = available(zone, false) / FH_BLOCK_PAGES;
	uint64_t n = 0;

	want = may_have < want ? may_have : want;
	while (n < want) {
		uint64_t size;
		uint64_t block = fh_zone_take_run(zone, want - n, &size);

		if (block == FH_NO_BLOCK)
			break;
		for (uint64_t i = size; i > 0; i--) {
			blocks[n] = zone->first + block + i - 1;
			n++;
		}
	}
	fh_zone_unlock(zone, saved);
	return n;
}

uint64_t fh_supply_take_blocks(uint64_t home, uint64_t want, uint64_t *blocks)
{
	for (uint64_t turn = 0; turn < 2 * fh_layout.zone_count; turn++) {
		struct fh_zone *zone = zone_in_turn(home, turn);

		if (zone == NULL || available(zone, false) < FH_BLOCK_PAGES)
			continue;
		uint64_t n = take_blocks_from(zone, want, blocks);
		for (uint64_t i = 0; i < n; i++)
			make_live(blocks[i] * FH_BLOCK_PAGES, FH_BLOCK_PAGES);
		if (n > 0)
			return n;
	}
	return 0;
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
