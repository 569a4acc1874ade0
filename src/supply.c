/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which zone, in what order, and how much per hold of its lock.
 *
 * What comes back from a magazine is in the order in which it was freed, and
 * is given zone by zone. Neighbours of one word, and blocks that follow each
 * other, go back together; pages freed in ascending order do so 64 at a time.
 */
#include "supply.h"

#include <framehold/allocator.h>

#include "report.h"

/* Pages given at once: bounds the time that the lock is held. */
#define PAGES_PER_HOLD FH_SECTION_FRAMES

/* Pages of a magazine sorted at once: bounds the stack. */
#define PAGES_AT_ONCE 128

/* Neighbours of one word that are not sorted, but given as they come. */
#define LONG_ROW 16

/* How far ahead the block of a page is fetched into the cache. */
#define BLOCK_LOOKAHEAD 6

/* ---- Taking ---- */

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

/* From the chains, if the limit does not matter to this zone. */
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

static uint64_t take_in_turn(uint64_t home, const struct fh_request *request)
{
	uint64_t found = FH_NO_PAGE;

	for (uint64_t turn = 0;
	     found == FH_NO_PAGE && turn < 2 * fh_layout.zone_count; turn++) {
		struct fh_zone *zone = zone_in_turn(home, turn);

		if (zone != NULL)
			found = take_from_zone(zone, request, FH_ORDER_LAST);
	}
	return found;
}

uint64_t fh_supply_take(uint64_t home, const struct fh_request *request)
{
	struct fh_zone *tightest =
		request->search ? NULL : tightest_zone(home, request->order);
	uint64_t found = FH_NO_PAGE;

	if (tightest != NULL)
		found = take_from_zone(tightest, request, FH_ORDER_BLOCK - 1);
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

bool fh_supply_withdraw(uint64_t page)
{
	struct fh_zone *zone = fh_layout_zone(page);

	if (zone == NULL)
		return false;
	uint64_t saved = fh_zone_lock(zone);
	bool is_free = fh_zone_is_free(zone, page);
	if (is_free)
		fh_zone_take_exact(zone, page, 1);
	fh_zone_unlock(zone, saved);
	return is_free;
}

/* ---- Giving ---- */

/*@
  assigns \nothing;
  exits \false;
  ensures page == FH_NO_PAGE;
*/
static void stop_if_twice(uint64_t page)
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
static uint64_t zone_of_given(uint64_t page)
{
	uint64_t zone = fh_layout_zone_index(page);

	if (FH_UNLIKELY(zone == FH_NO_ZONE))
		fh_stop("free_foreign", page, FH_STATE_UNUSED,
			"a page of a zone", 0, 0);
	return zone;
}

/* Gives pages that are all of the zone. */
/*@
  requires zones_open && is_some_zone(zone) && n > 0;
  requires zone_has(zone, first) && n <= UINT64_MAX - first;
  requires zone_has(zone, first + n - 1);
  assigns any_zone_state;
  exits \false;
  ensures same: zones_same{Pre,Post};
  ensures sections: sections_same{Pre,Post};
  ensures open: zones_open;
*/
static void give_part(struct fh_zone *zone, uint64_t first, uint64_t n)
{
	uint64_t saved = fh_zone_lock(zone);
	uint64_t twice = fh_zone_give(zone, first, n);

	fh_zone_unlock(zone, saved);
	stop_if_twice(twice);
}

void fh_supply_give(uint64_t first, uint64_t n)
{
	/*@
	  loop invariant n + first == \at(n + first,Pre);
	  loop invariant open: zones_open;
	  loop assigns first, n, any_zone_state;
	  loop variant n;
	*/
	while (n > 0) {
		struct fh_zone *zone = &fh_zones[zone_of_given(first)];
		uint64_t part = fh_zone_page(zone, zone->count) - first;

		part = n < part ? n : part;
		part = part < PAGES_PER_HOLD ? part : PAGES_PER_HOLD;
		give_part(zone, first, part);
		first += part;
		n -= part;
	}
}

/* How many of n pages, from the first on, follow each other in one word. */
/*@
  requires n > 0 && \valid_read(pages + (0 .. n - 1));
  assigns \nothing;
  exits \false;
  ensures some: 1 <= \result <= n;
  ensures word: pages[0] % 64 + \result <= 64;
  ensures row: \forall integer i; 0 <= i < \result ==>
    pages[i] == pages[0] + i;
  ensures longest: \result == n || pages[0] % 64 + \result == 64 ||
    pages[\result] != pages[0] + \result;
*/
static uint64_t count_row(const uint64_t *pages, uint64_t n)
{
	uint64_t room = FH_WORD_BITS - pages[0] % FH_WORD_BITS;
	uint64_t count = 1;

	n = n < room ? n : room;
	/*@
	  loop invariant 1 <= count <= n;
	  loop invariant \forall integer i; 0 <= i < count ==>
	    pages[i] == pages[0] + i;
	  loop assigns count;
	  loop variant n - count;
	*/
	while (count < n && pages[count] == pages[0] + count)
		count++;
	return count;
}

/*
 * Gives pages[0] and those after it that lie in the same word. *count is how
 * many that were.
 */
static uint64_t give_word(struct fh_zone *zone, const uint64_t *pages,
			  uint64_t n, uint64_t *count)
{
	uint64_t base = pages[0] - pages[0] % FH_WORD_BITS;
	uint64_t i = count_row(pages, n);
	uint64_t mask = fh_bit_run(pages[0] - base, i);

	while (i < n && pages[i] >= base && pages[i] - base < FH_WORD_BITS) {
		uint64_t bit = fh_bit_run(pages[i] - base, 1);

		if ((mask & bit) != 0)
			return pages[i];
		mask |= bit;
		i++;
	}
	*count = i;
	return fh_zone_give_mask(zone, base, mask, i);
}

/* Gives pages that are all of the zone, with one lock. */
static void give_to_zone(struct fh_zone *zone, const uint64_t *pages,
			 uint64_t n)
{
	uint64_t twice = FH_NO_PAGE;
	uint64_t saved = fh_zone_lock(zone);

	for (uint64_t i = 0; i < n && twice == FH_NO_PAGE;) {
		uint64_t count = 0;

		if (n - i > BLOCK_LOOKAHEAD)
			fh_zone_prefetch(zone, pages[i + BLOCK_LOOKAHEAD]);
		twice = give_word(zone, pages + i, n - i, &count);
		i += count;
	}
	fh_zone_unlock(zone, saved);
	stop_if_twice(twice);
}

/* Pages being sorted by zone, in the order in which they came. */
struct sorting {
	uint64_t pages[PAGES_AT_ONCE];
	uint8_t zone[PAGES_AT_ONCE]; /* of the i-th page that came */
	uint16_t end[FH_MAX_ZONES];  /* of the zone's pages in pages */
};

/*@
  // How many of the first n are of that zone, and of it or one before it.
  logic integer of_zone{L}(uint8_t *zones, integer n, integer zone) =
    n <= 0 ? 0 :
      of_zone(zones, n - 1, zone) + (zones[n - 1] == zone ? 1 : 0);

  logic integer up_to_zone{L}(uint8_t *zones, integer n, integer zone) =
    n <= 0 ? 0 :
      up_to_zone(zones, n - 1, zone) + (zones[n - 1] <= zone ? 1 : 0);

  predicate sorting_is_apart{L}(struct sorting *sorting,
                                uint64_t *pages, integer n) =
    \valid(sorting) && (n > 0 ==> \valid_read(pages + (0 .. n - 1))) &&
    \separated(sorting, pages + (0 .. n - 1)) &&
    \separated(sorting, fh_zones + (0 .. FH_MAX_ZONES - 1)) &&
    \separated(sorting, fh_layout.zone_by_section +
                          (0 .. fh_layout.section_count - 1));

  predicate zones_are_named{L}(struct sorting *sorting, uint64_t *pages,
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
  requires layout_ok && i < PAGES_AT_ONCE && \valid(sorting);
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
static uint64_t name_zone(struct sorting *sorting, uint64_t i, uint64_t page)
{
	uint64_t zone = zone_of_given(page);

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
  requires layout_ok && fh_layout.zone_count > 0 && n <= PAGES_AT_ONCE;
  requires sorting_is_apart(sorting, pages, n);
  assigns sorting->zone[0 .. PAGES_AT_ONCE - 1],
          sorting->end[0 .. FH_MAX_ZONES - 1];
  exits \false;
  ensures zones: zones_are_named(sorting, pages, n);
  ensures ends: \forall integer z; 0 <= z < fh_layout.zone_count ==>
    sorting->end[z] == up_to_zone((uint8_t *)sorting->zone, n, z);
*/
static void count_by_zone(struct sorting *sorting, const uint64_t *pages,
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
	    sorting->zone[0 .. PAGES_AT_ONCE - 1];
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

static void sort_by_zone(struct sorting *sorting, const uint64_t *pages,
			 uint64_t n)
{
	count_by_zone(sorting, pages, n);
	/* From the last one down, so that each zone's end moves to its begin. */
	for (uint64_t i = n; i > 0; i--) {
		uint64_t zone = sorting->zone[i - 1];

		sorting->end[zone]--;
		sorting->pages[sorting->end[zone]] = pages[i - 1];
	}
}

/*@
  requires \valid_read(zone);
  requires n > 0 ==> \valid_read(pages + (0 .. n - 1));
  assigns \nothing;
  exits \false;
  ensures \result <==>
    \forall integer i; 0 <= i < n ==> zone_has(zone, pages[i]);
*/
static bool are_of_zone(const struct fh_zone *zone, const uint64_t *pages,
			uint64_t n)
{
	/*@
	  loop invariant 0 <= i <= n;
	  loop invariant \forall integer j; 0 <= j < i ==>
	    zone_has(zone, pages[j]);
	  loop assigns i;
	  loop variant n - i;
	*/
	for (uint64_t i = 0; i < n; i++)
		if (!fh_zone_has(zone, pages[i]))
			return false;
	return true;
}

/* n is PAGES_AT_ONCE at most. */
static void give_some(const uint64_t *pages, uint64_t n)
{
	struct fh_zone *first = &fh_zones[zone_of_given(pages[0])];
	struct sorting sorting;
	uint64_t begin = 0;

	if (are_of_zone(first, pages, n)) {
		give_to_zone(first, pages, n);
		return;
	}
	sort_by_zone(&sorting, pages, n);
	for (uint64_t zone = 0; zone < fh_layout.zone_count; zone++) {
		uint64_t end = zone + 1 < fh_layout.zone_count
				       ? sorting.end[zone + 1]
				       : n;

		if (begin < end)
			give_to_zone(&fh_zones[zone], sorting.pages + begin,
				     end - begin);
		begin = end;
	}
}

/*
 * Gives rows of pages, the first of which is long, as long as they are and of
 * one zone: with one lock, and without a look at each page. Returns how many
 * pages that were.
 */
static uint64_t give_rows(const uint64_t *pages, uint64_t n)
{
	struct fh_zone *zone = &fh_zones[zone_of_given(pages[0])];
	uint64_t row = count_row(pages, n);
	uint64_t given = 0;
	uint64_t twice = FH_NO_PAGE;
	uint64_t saved = fh_zone_lock(zone);

	while (row >= LONG_ROW && twice == FH_NO_PAGE) {
		uint64_t bit = pages[given] % FH_WORD_BITS;

		twice = fh_zone_give_mask(zone, pages[given] - bit,
					  fh_bit_run(bit, row), row);
		given += row;
		row = 0;
		if (given < n && fh_zone_has(zone, pages[given]))
			row = count_row(pages + given, n - given);
	}
	fh_zone_unlock(zone, saved);
	stop_if_twice(twice);
	return given;
}

void fh_supply_give_pages(const uint64_t *pages, uint64_t n)
{
	while (n > 0) {
		uint64_t part = n < PAGES_AT_ONCE ? n : PAGES_AT_ONCE;

		if (count_row(pages, part) >= LONG_ROW)
			part = give_rows(pages, n);
		else
			give_some(pages, part);
		pages += part;
		n -= part;
	}
}

/* blocks[0] and those that follow it without a gap; *run is how many. */
static uint64_t give_block_run(struct fh_zone *zone, const uint64_t *blocks,
			       uint64_t n, uint64_t *run)
{
	uint64_t count = 1;

	while (count < n && blocks[count] == blocks[0] + count &&
	       fh_zone_has(zone, blocks[count] * FH_BLOCK_PAGES))
		count++;
	*run = count;
	return fh_zone_give(zone, blocks[0] * FH_BLOCK_PAGES,
			    count * FH_BLOCK_PAGES);
}

/*
 * Gives those of n blocks that are of the zone, with one lock, and moves the
 * others to the front; returns how many these are.
 */
static uint64_t give_blocks_of(struct fh_zone *zone, uint64_t *blocks,
			       uint64_t n)
{
	uint64_t twice = FH_NO_PAGE;
	uint64_t others = 0;
	uint64_t run;
	uint64_t saved = fh_zone_lock(zone);

	for (uint64_t i = 0; i < n && twice == FH_NO_PAGE; i += run) {
		run = 1;
		if (fh_zone_has(zone, blocks[i] * FH_BLOCK_PAGES)) {
			twice = give_block_run(zone, blocks + i, n - i, &run);
		} else {
			blocks[others] = blocks[i];
			others++;
		}
	}
	fh_zone_unlock(zone, saved);
	stop_if_twice(twice);
	return others;
}

void fh_supply_give_blocks(uint64_t *blocks, uint64_t n)
{
	while (n > 0) {
		uint64_t zone = zone_of_given(blocks[0] * FH_BLOCK_PAGES);

		n = give_blocks_of(&fh_zones[zone], blocks, n);
	}
}
