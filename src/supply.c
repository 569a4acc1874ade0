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

/*
 * A CPU turns to zones downwards from its home, to those of its node first.
 * The zone for the turn, 0 .. 2 * zones - 1; null: none in this turn.
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
static struct fh_zone *tightest_zone(uint64_t home, unsigned order)
{
	uint64_t plenty = fh_word_load_relaxed(&fh_zones[home].pages) / 8;
	struct fh_zone *tightest = NULL;
	unsigned least = FH_ORDER_BLOCK;

	if (order == 0 || fh_layout.zone_count == 1 ||
	    fh_zone_free(&fh_zones[home]) >= plenty)
		return NULL;
	for (uint64_t turn = 0; turn < fh_layout.zone_count; turn++) {
		struct fh_zone *zone = zone_in_turn(home, turn);
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
	uint64_t saved = fh_lock(&zone->lock);
	if (request->n <= available(zone, request->urgent))
		found = fh_zone_take(zone, request->n, request->order, most);
	fh_unlock(&zone->lock, saved);
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
	uint64_t saved = fh_lock(&zone->lock);
	uint64_t pages = available(zone, wanted->urgent);
	uint64_t words = fh_zone_take_words(
		zone, pages < wanted->pages ? pages : wanted->pages, most,
		wanted->taken, wanted->room);

	fh_unlock(&zone->lock, saved);
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
	uint64_t saved = fh_lock(&zone->lock);
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
	fh_unlock(&zone->lock, saved);
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
	uint64_t saved = fh_lock(&zone->lock);
	bool is_free = fh_zone_is_free(zone, page);
	if (is_free)
		fh_zone_take_exact(zone, page, 1);
	fh_unlock(&zone->lock, saved);
	return is_free;
}

/* ---- Giving ---- */

static void stop_if_twice(uint64_t page)
{
	if (FH_UNLIKELY(page != FH_NO_PAGE))
		fh_stop("free_twice", page, FH_STATE_FREE,
			"a page that is not in the allocator", 0, 0);
}

/* The index of the zone of a page that comes back. */
static uint64_t zone_of_given(uint64_t page)
{
	uint64_t zone = fh_layout_zone_index(page);

	if (FH_UNLIKELY(zone == FH_NO_ZONE))
		fh_stop("free_foreign", page, FH_STATE_UNUSED,
			"a page of a zone", 0, 0);
	return zone;
}

void fh_supply_give(uint64_t first, uint64_t n)
{
	while (n > 0) {
		struct fh_zone *zone = &fh_zones[zone_of_given(first)];
		uint64_t part = fh_zone_page(zone, zone->count) - first;

		part = n < part ? n : part;
		part = part < PAGES_PER_HOLD ? part : PAGES_PER_HOLD;
		uint64_t saved = fh_lock(&zone->lock);
		uint64_t twice = fh_zone_give(zone, first, part);
		fh_unlock(&zone->lock, saved);
		stop_if_twice(twice);
		first += part;
		n -= part;
	}
}

/* How many of n pages, from the first on, follow each other in one word. */
static uint64_t count_row(const uint64_t *pages, uint64_t n)
{
	uint64_t room = FH_WORD_BITS - pages[0] % FH_WORD_BITS;
	uint64_t count = 1;

	n = n < room ? n : room;
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
	uint64_t saved = fh_lock(&zone->lock);

	for (uint64_t i = 0; i < n && twice == FH_NO_PAGE;) {
		uint64_t count = 0;

		if (n - i > BLOCK_LOOKAHEAD)
			fh_zone_prefetch(zone, pages[i + BLOCK_LOOKAHEAD]);
		twice = give_word(zone, pages + i, n - i, &count);
		i += count;
	}
	fh_unlock(&zone->lock, saved);
	stop_if_twice(twice);
}

/* Pages being sorted by zone, in the order in which they came. */
struct sorting {
	uint64_t pages[PAGES_AT_ONCE];
	uint8_t zone[PAGES_AT_ONCE]; /* of the i-th page that came */
	uint16_t end[FH_MAX_ZONES];  /* of the zone's pages in pages */
};

static void count_by_zone(struct sorting *sorting, const uint64_t *pages,
			  uint64_t n)
{
	uint64_t zones = fh_layout.zone_count;

	for (uint64_t zone = 0; zone < zones; zone++)
		sorting->end[zone] = 0;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t zone = zone_of_given(pages[i]);

		sorting->zone[i] = (uint8_t)zone;
		sorting->end[zone]++;
	}
	for (uint64_t zone = 1; zone < zones; zone++)
		sorting->end[zone] =
			(uint16_t)(sorting->end[zone] + sorting->end[zone - 1]);
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

static bool are_of_zone(const struct fh_zone *zone, const uint64_t *pages,
			uint64_t n)
{
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
	uint64_t saved = fh_lock(&zone->lock);

	while (row >= LONG_ROW && twice == FH_NO_PAGE) {
		uint64_t bit = pages[given] % FH_WORD_BITS;

		twice = fh_zone_give_mask(zone, pages[given] - bit,
					  fh_bit_run(bit, row), row);
		given += row;
		row = 0;
		if (given < n && fh_zone_has(zone, pages[given]))
			row = count_row(pages + given, n - given);
	}
	fh_unlock(&zone->lock, saved);
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
	uint64_t saved = fh_lock(&zone->lock);

	for (uint64_t i = 0; i < n && twice == FH_NO_PAGE; i += run) {
		run = 1;
		if (fh_zone_has(zone, blocks[i] * FH_BLOCK_PAGES)) {
			twice = give_block_run(zone, blocks + i, n - i, &run);
		} else {
			blocks[others] = blocks[i];
			others++;
		}
	}
	fh_unlock(&zone->lock, saved);
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
