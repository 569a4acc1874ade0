/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The search of last resort: a walk over a zone's blocks, in order, for the
 * first n free pages that follow each other, wherever runs begin and end.
 * Chains find only runs at multiples of their size; what no chain has, and
 * requests below an address, are looked for here, so that a request is refused
 * only when there is really no place for it.
 *
 * The lock is let go of every SEARCH_BLOCKS blocks, but not in the middle of
 * free pages, which would not be sure to stay so.
 */
#include "runs.h"

#define SEARCH_BLOCKS 64

/* n free pages from a multiple of align on, that end at or before `below`. */
struct sought {
	uint64_t n;
	uint64_t align;
	uint64_t below;
};

/* The search stands before this block, and after so many free pages. */
struct stand {
	uint64_t block;
	uint64_t run_first;
	uint64_t run_pages;
};

/* What was taken, or FH_NO_PAGE and the block to go on with. */
struct outcome {
	uint64_t found;
	uint64_t block;
};

/*@
  predicate sought_ok(struct sought sought) =
    0 < sought.n && 0 < sought.align;

  // The pages that the search stands after are free, of the zone, and none is
  // at its limit or above.
  predicate run_is_free{L}(struct fh_zone *zone, struct sought sought,
                           struct stand stand) =
    stand.run_pages > 0 ==>
      zone->first * 512 <= stand.run_first &&
      stand.run_first + stand.run_pages <= sought.below &&
      stand.run_first + stand.run_pages <=
        (zone->first + zone->count) * 512 &&
      pages_free(zone, stand.run_first, stand.run_pages);

  // They end before the page, or at the search's limit.
  predicate run_ends(struct sought sought, struct stand stand, integer page) =
    stand.run_pages > 0 ==> stand.run_first + stand.run_pages ==
      (page < sought.below ? page : sought.below);

  predicate place_fits{L}(struct fh_zone *zone, integer page, integer n,
                          integer align, integer below) =
    zone->first * 512 <= page &&
    page + n <= (zone->first + zone->count) * 512 &&
    page + n <= below && page % align == 0;

  // Among them are those sought, from this one on.
  predicate place_is(struct sought sought, struct stand stand, integer page) =
    stand.run_first <= page && page % sought.align == 0 &&
    page + sought.n <= stand.run_first + stand.run_pages;
*/

/* Where a number lies between the multiples of another. */
/*@ ghost
  /@
    requires align > 0;
    assigns \nothing;
    exits \false;
    ensures number == align * (number / align) + number % align;
    ensures (align * (number / align)) % align == 0;
    ensures (align * (number / align + 1)) % align == 0;
    ensures \forall integer m; align * (number / align) < m &&
      m % align == 0 ==> align * (number / align + 1) <= m;
  @/
  void ghost_multiples(uint64_t number, uint64_t align)
  {
    /@ assert of: \forall integer m; 0 <= m && m % align == 0 ==>
      m == align * (m / align); @/
    /@ assert above: \forall integer m; 0 <= m && m % align == 0 &&
      align * (number / align) < m ==> number / align < m / align; @/
    /@ assert next: \forall integer k; number / align < k ==>
      align * (number / align + 1) <= align * k; @/
  }
*/

/* How far it is from number to the first multiple of align. */
/*@
  requires align > 0;
  assigns \nothing;
  exits \false;
  ensures at: (number + \result) % align == 0;
  ensures first: \forall integer m; number <= m && m % align == 0 ==>
    number + \result <= m;
*/
static uint64_t to_multiple(uint64_t number, uint64_t align)
{
	/*@ ghost ghost_multiples(number, align); */
	uint64_t over = number % align;

	/*@ assert over > 0 ==>
	  number + (align - over) == align * (number / align + 1); */
	return over == 0 ? 0 : align - over;
}

/* The first of the n pages sought in the run, or FH_NO_PAGE. */
/*@
  requires sought_ok(sought);
  requires stand.run_pages > 0 ==>
    stand.run_first + stand.run_pages < FH_NO_PAGE;
  assigns \nothing;
  exits \false;
  ensures some: \result != FH_NO_PAGE ==> place_is(sought, stand, \result);
  ensures lowest: \forall integer page; place_is(sought, stand, page) ==>
    \result <= page;
*/
static uint64_t place_in_run(struct sought sought, struct stand stand)
{
	if (sought.n > stand.run_pages)
		return FH_NO_PAGE;
	uint64_t skip = to_multiple(stand.run_first, sought.align);

	if (skip > stand.run_pages - sought.n)
		return FH_NO_PAGE;
	return stand.run_first + skip;
}

/* The next n pages are free. */
/*@
  requires first + n < FH_NO_PAGE;
  requires run_ends(sought, stand, first);
  assigns \nothing;
  exits \false;
  ensures block: \result.block == stand.block;
  ensures ends: run_ends(sought, \result, first + n);
  ensures first: stand.run_pages > 0 ==> \result.run_first == stand.run_first;
  ensures begins: stand.run_pages == 0 && \result.run_pages > 0 ==>
    \result.run_first == first;
  ensures more: \result.run_pages >= stand.run_pages;
*/
static struct stand lengthen_run(struct sought sought, struct stand stand,
				 uint64_t first, uint64_t n)
{
	if (first >= sought.below)
		return stand;
	if (stand.run_pages == 0)
		stand.run_first = first;
	stand.run_pages += n < sought.below - first ? n : sought.below - first;
	return stand;
}

/* The first one of word from the bit on, or 64. */
/*@
  requires bit < 64;
  assigns \nothing;
  exits \false;
  ensures within: bit <= \result <= 64;
  ensures zeros: \forall integer i; bit <= i < \result ==> !has_bit(word, i);
  ensures one: \result < 64 ==> has_bit(word, \result);
*/
static uint64_t first_one(uint64_t word, uint64_t bit)
{
	uint64_t ones = word & fh_bit_run(bit, FH_WORD_BITS - bit);

	/*@ assert \forall integer i; 0 <= i < 64 ==>
	  (has_bit(ones, i) <==> bit <= i && has_bit(word, i)); */
	return ones == 0 ? FH_WORD_BITS : fh_lowest_bit(ones);
}

/* The first zero of it from there on, or 64. */
/*@
  requires bit < 64;
  assigns \nothing;
  exits \false;
  ensures within: bit <= \result <= 64;
  ensures ones: \forall integer i; bit <= i < \result ==> has_bit(word, i);
  ensures zero: \result < 64 ==> !has_bit(word, \result);
*/
static uint64_t first_zero(uint64_t word, uint64_t bit)
{
	uint64_t zeros = fh_without(fh_bit_run(bit, FH_WORD_BITS - bit), word);

	/*@ assert \forall integer i; 0 <= i < 64 ==>
	  (has_bit(zeros, i) <==> bit <= i && !has_bit(word, i)); */
	return zeros == 0 ? FH_WORD_BITS : fh_lowest_bit(zeros);
}

/* Through a word of a block that is free in part, or to a place. */
/*@
  requires zone_tables(zone) && bits_fit(zone) && sought_ok(sought);
  requires stand.block < zone->count && !is_whole(zone, stand.block);
  requires w < 8;
  requires run: run_is_free(zone, sought, stand);
  requires ends: run_ends(sought, stand,
    (zone->first + stand.block) * 512 + 64 * w);
  assigns \nothing;
  exits \false;
  ensures block: \result.block == stand.block;
  ensures run: run_is_free(zone, sought, \result);
  ensures ends: (\forall integer page; !place_is(sought, \result, page)) ==>
    run_ends(sought, \result, (zone->first + stand.block) * 512 + 64 * w + 64);
*/
static struct stand search_word(const struct fh_zone *zone,
				struct sought sought, struct stand stand,
				uint64_t w)
{
	uint64_t word = zone->blocks[stand.block].bits[w];
	uint64_t base = fh_zone_page(zone, stand.block) + w * FH_WORD_BITS;
	uint64_t bit = 0;

	/*@
	  loop invariant 0 <= bit <= 64;
	  loop invariant stand.block == \at(stand.block,Pre);
	  loop invariant run: run_is_free(zone, sought, stand);
	  loop invariant ends: run_ends(sought, stand, base + bit);
	  loop assigns bit, stand;
	  loop variant 64 - bit;
	*/
	while (bit < FH_WORD_BITS) {
		uint64_t one = first_one(word, bit);

		if (one > bit)
			stand.run_pages = 0;
		if (one == FH_WORD_BITS)
			break;
		uint64_t zero = first_zero(word, one);
		/*@ assert pages_free(zone, base + one, zero - one); */
		stand = lengthen_run(sought, stand, base + one, zero - one);
		bit = zero;
		if (place_in_run(sought, stand) != FH_NO_PAGE)
			break;
	}
	return stand;
}

/* Through the pages of a block that is free in part, or to a place. */
/*@
  requires zone_tables(zone) && bits_fit(zone) && sought_ok(sought);
  requires stand.block < zone->count && !is_whole(zone, stand.block);
  requires run: run_is_free(zone, sought, stand);
  requires ends: run_ends(sought, stand,
    (zone->first + stand.block) * 512);
  assigns \nothing;
  exits \false;
  ensures block: \result.block == stand.block + 1;
  ensures run: run_is_free(zone, sought, \result);
  ensures ends: (\forall integer page; !place_is(sought, \result, page)) ==>
    run_ends(sought, \result, (zone->first + \result.block) * 512);
*/
static struct stand search_words(const struct fh_zone *zone,
				 struct sought sought, struct stand stand)
{
	/*@ ghost uint64_t base = (zone->first + stand.block) * 512; */

	/*@
	  loop invariant 0 <= w <= 8;
	  loop invariant stand.block == \at(stand.block,Pre);
	  loop invariant run: run_is_free(zone, sought, stand);
	  loop invariant ends: run_ends(sought, stand, base + 64 * w);
	  loop assigns w, stand;
	  loop variant 8 - w;
	*/
	for (uint64_t w = 0; w < FH_BLOCK_WORDS; w++) {
		stand = search_word(zone, sought, stand, w);
		if (place_in_run(sought, stand) != FH_NO_PAGE)
			break;
	}
	stand.block++;
	return stand;
}

/* Blocks from `block` to the end of the run that it is in. */
/*@
  requires zone_tables(zone) && orders_fit(zone) && runs_ok(zone);
  requires block < zone->count;
  requires is_whole(zone, block) && is_touched(zone, block);
  assigns \nothing;
  exits \false;
  ensures some: 0 < \result <= zone->count - block;
  ensures free: all_free(zone, block, \result);
*/
static uint64_t rest_of_run(const struct fh_zone *zone, uint64_t block)
{
	uint64_t head = fh_runs_head(zone, block);
	/*@ assert \forall integer b; head < b < zone->count &&
	  in_run(zone, head, b) ==> zone->blocks[b].order == 0; */

	return fh_run_blocks(zone->blocks[head].order) - (block - head);
}

/* Looks at a block and moves on to the one after it or after its run. */
/*@
  requires zone_ok(zone) && sought_ok(sought);
  requires stand.block < zone->count;
  requires run: run_is_free(zone, sought, stand);
  requires ends: run_ends(sought, stand,
    (zone->first + stand.block) * 512);
  assigns \nothing;
  exits \false;
  ensures block: stand.block < \result.block <= zone->count;
  ensures run: run_is_free(zone, sought, \result);
  ensures ends: (\forall integer page; !place_is(sought, \result, page)) ==>
    run_ends(sought, \result, (zone->first + \result.block) * 512);
*/
static struct stand search_block(const struct fh_zone *zone,
				 struct sought sought, struct stand stand)
{
	uint64_t first = fh_zone_page(zone, stand.block);

	if (!fh_bits_test(zone->touched, stand.block)) {
		stand.run_pages = 0;
		stand.block++;
		return stand;
	}
	if (!fh_runs_have(zone, stand.block))
		return search_words(zone, sought, stand);
	uint64_t blocks = rest_of_run(zone, stand.block);
	/*@ assert pages_free(zone, first, blocks * 512); */
	stand.block += blocks;
	return lengthen_run(sought, stand, first, blocks * FH_BLOCK_PAGES);
}

/* From `block` on: to a place, to the end, or as far as the lock allows. */
/*@
  requires zone_ok(zone) && sought_ok(sought);
  requires block < zone->count;
  requires (zone->first + block) * 512 < sought.below;
  assigns \nothing;
  exits \false;
  ensures block: block < \result.block <= zone->count;
  ensures run: run_is_free(zone, sought, \result);
*/
static struct stand search_piece(const struct fh_zone *zone,
				 struct sought sought, uint64_t block)
{
	struct stand stand = {.block = block};
	uint64_t looked_at = 0;
	bool found = false;

	/*@
	  loop invariant block <= stand.block <= zone->count;
	  loop invariant looked_at > 0 ==> block < stand.block;
	  loop invariant found ==> looked_at > 0;
	  loop invariant looked_at <= stand.block;
	  loop invariant run: run_is_free(zone, sought, stand);
	  loop invariant ends: !found ==>
	    run_ends(sought, stand, (zone->first + stand.block) * 512);
	  loop assigns stand, looked_at, found;
	  loop variant zone->count - stand.block;
	*/
	while (!found && stand.block < zone->count &&
	       fh_zone_page(zone, stand.block) < sought.below) {
		if (looked_at >= SEARCH_BLOCKS && stand.run_pages == 0)
			break;
		stand = search_block(zone, sought, stand);
		found = place_in_run(sought, stand) != FH_NO_PAGE;
		looked_at++;
	}
	return stand;
}

/* Takes what is sought if the run has it. */
/*@
  requires zone_ok(zone) && sought_ok(sought);
  requires run: run_is_free(zone, sought, stand);
  assigns zone_state(zone);
  exits \false;
  ensures ok: zone_ok(zone);
  behavior none:
    assumes \forall integer page; !place_is(sought, stand, page);
    assigns \nothing;
    ensures \result == FH_NO_PAGE;
  behavior some:
    assumes \exists integer page; place_is(sought, stand, page);
    ensures place: place_is(sought, stand, \result);
    ensures inside: zone->first * 512 <= \result &&
      \result + sought.n <= (zone->first + zone->count) * 512 &&
      \result + sought.n <= sought.below;
    ensures lowest: \forall integer page; place_is(sought, stand, page) ==>
      \result <= page;
    ensures were: pages_free{Pre}(zone, \result, sought.n);
    ensures taken: pages_taken{Pre,Post}(zone, \result, sought.n);
    ensures free: zone->free == \old(zone->free) - sought.n;
  complete behaviors;
  disjoint behaviors;
*/
static uint64_t take_place(struct fh_zone *zone, struct sought sought,
			   struct stand stand)
{
	uint64_t found = place_in_run(sought, stand);

	if (found != FH_NO_PAGE)
		fh_zone_take_exact(zone, found, sought.n);
	return found;
}

/* The same with the lock held once; where it is not found, how far it came. */
/*@
  requires zone_ok(zone) && sought_ok(sought);
  requires block < zone->count;
  requires (zone->first + block) * 512 < sought.below;
  assigns zone_state(zone);
  exits \false;
  ensures ok: zone_ok(zone);
  ensures block: block < \result.block <= zone->count;
  ensures found: \result.found != FH_NO_PAGE ==>
    place_fits(zone, \result.found, sought.n, sought.align, sought.below);
  ensures were: \result.found != FH_NO_PAGE ==>
    pages_free{Pre}(zone, \result.found, sought.n);
  ensures taken: \result.found != FH_NO_PAGE ==>
    pages_in_use(zone, \result.found, sought.n);
*/
static struct outcome search_once(struct fh_zone *zone, struct sought sought,
				  uint64_t block)
{
	if (fh_zone_free(zone) < sought.n)
		return (struct outcome){.found = FH_NO_PAGE,
					.block = zone->count};
	struct stand stand = search_piece(zone, sought, block);
	uint64_t found = take_place(zone, sought, stand);

	return (struct outcome){.found = found, .block = stand.block};
}

uint64_t fh_zone_search(struct fh_zone *zone, uint64_t n, uint64_t align,
			uint64_t below)
{
	struct sought sought = {.n = n, .align = align, .below = below};
	struct outcome outcome = {.found = FH_NO_PAGE};

	/*@
	  loop invariant tables: zone_tables(zone);
	  loop invariant first: zone->first == \at(zone->first,Pre);
	  loop invariant count: zone->count == \at(zone->count,Pre);
	  loop invariant blocks: zone->blocks == \at(zone->blocks,Pre);
	  loop invariant touched: zone->touched == \at(zone->touched,Pre);
	  loop invariant block: 0 <= outcome.block <= zone->count;
	  loop invariant found: outcome.found != FH_NO_PAGE ==>
	    place_fits(zone, outcome.found, n, align, below);
	  loop invariant taken: outcome.found != FH_NO_PAGE ==>
	    pages_in_use(zone, outcome.found, n);
	  loop assigns outcome, zone->free, zone->filled,
	    zone->heads[0 .. FH_ORDER_LAST],
	    zone->blocks[0 .. \at(zone->count,Pre) - 1],
	    zone->touched[0 .. (\at(zone->count,Pre) - 1) / 64];
	  loop variant zone->count - outcome.block;
	*/
	while (outcome.found == FH_NO_PAGE && outcome.block < zone->count &&
	       fh_zone_page(zone, outcome.block) < below) {
		uint64_t saved = fh_zone_lock(zone);

		/*@ assert first: zone->first == \at(zone->first,Pre); */
		/*@ assert count: zone->count == \at(zone->count,Pre); */
		/*@ assert blocks: zone->blocks == \at(zone->blocks,Pre); */
		/*@ assert touched: zone->touched == \at(zone->touched,Pre); */
		outcome = search_once(zone, sought, outcome.block);
		fh_zone_unlock(zone, saved);
	}
	return outcome.found;
}
