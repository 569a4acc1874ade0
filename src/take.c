/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pages out of a zone: requests are cut into whole blocks, which runs have, and
 * pieces of blocks, which are parts.
 */
#include "parts.h"

/* n pages of one block, at the start of a run; best is the order to use. */
static uint64_t take_in_block(struct fh_zone *zone, uint64_t n, unsigned order,
			      unsigned best)
{
	uint64_t block =
		best < FH_ORDER_BLOCK ? zone->heads[best] : fh_part_open(zone);
	uint64_t offset = fh_block_find(&zone->blocks[block], order);

	fh_block_take(&zone->blocks[block], offset, n);
	fh_part_settle(zone, block);
	return fh_zone_page(zone, block) + offset;
}

/* n pages from the start of a run of whole blocks; the rest stays free. */
static uint64_t take_blocks(struct fh_zone *zone, uint64_t n, unsigned order)
{
	uint64_t block = fh_runs_take(zone, order);
	uint64_t size = UINT64_C(1) << (order - FH_ORDER_BLOCK);
	uint64_t whole = n / FH_BLOCK_PAGES;
	uint64_t rest = n % FH_BLOCK_PAGES;

	fh_runs_give(zone, block + whole, size - whole);
	if (rest > 0)
		fh_part_take(zone, block + whole, 0, rest);
	return fh_zone_page(zone, block);
}

uint64_t fh_zone_take(struct fh_zone *zone, uint64_t n, unsigned order,
		      unsigned most)
{
	unsigned best = fh_chain_best(zone, order);

	if (best == 0 || best > most)
		return FH_NO_PAGE;
	fh_zone_sub_free(zone, n);
	if (order < FH_ORDER_BLOCK)
		return take_in_block(zone, n, order, best);
	return take_blocks(zone, n, order);
}

void fh_zone_take_exact(struct fh_zone *zone, uint64_t first, uint64_t n)
{
	fh_zone_sub_free(zone, n);
	while (n > 0) {
		uint64_t part = fh_pages_in_block(first, n);

		if (part == FH_BLOCK_PAGES) {
			part = n - n % FH_BLOCK_PAGES;
			fh_runs_take_exact(zone, fh_zone_block(zone, first),
					   part / FH_BLOCK_PAGES);
		} else {
			fh_part_take(zone, fh_zone_block(zone, first),
				     first % FH_BLOCK_PAGES, part);
		}
		first += part;
		n -= part;
	}
}

/* The lowest n ones of word, which has more. */
/*@
  requires n <= ones(word, 64);
  assigns \nothing;
  exits \false;
  ensures ones(\result, 64) == n;
  ensures \forall integer i; 0 <= i < 64 && has_bit(\result, i) ==>
    has_bit(word, i);
  ensures \forall integer i, integer j; 0 <= i < j < 64 &&
    has_bit(\result, j) && has_bit(word, i) ==> has_bit(\result, i);
*/
static uint64_t lowest_ones(uint64_t word, uint64_t n)
{
	uint64_t rest = word;

	/*@
	  loop invariant 0 <= i <= n && ones(rest, 64) == ones(word, 64) - i;
	  loop invariant \forall integer k; 0 <= k < 64 && has_bit(rest, k) ==>
	    has_bit(word, k);
	  loop invariant \forall integer k, integer l; 0 <= k < l < 64 &&
	    has_bit(rest, k) && has_bit(word, l) ==> has_bit(rest, l);
	  loop assigns i, rest;
	  loop variant n - i;
	*/
	for (uint64_t i = 0; i < n; i++) {
		/*@ ghost ghost_no_ones(0); */
		rest = fh_without_lowest(rest);
	}
	uint64_t lowest = fh_without(word, rest);
	/*@ ghost ghost_add_ones(lowest, rest, word); */
	return lowest;
}

/* A block that has free pages has a word with a run. */
/*@ ghost
  /@
    requires \valid_read(block) && block_ok(block) && block->free > 0;
    assigns \nothing;
    exits \false;
    ensures \exists integer w; 0 <= w < 8 && block->word_order[w] >= 1;
  @/
  void ghost_has_word(const struct fh_block *block)
  {
    /@
      loop invariant 0 <= w <= 8;
      loop invariant \forall integer v; 0 <= v < w ==>
        block->word_order[v] >= 1 || ones(block->bits[v], 64) == 0;
      loop assigns w;
      loop variant 8 - w;
    @/
    for (int w = 0; w < 8; w++) {
      ghost_all_ones(block->bits[w]);
      /@ assert \forall integer i; 0 <= i < 64 &&
        has_bit(block->bits[w], i) ==> word_run(block->bits[w], i, 0); @/
      /@ assert has_run(block->bits[w], 0) ==> block->word_order[w] >= 1; @/
    }
  }
*/

/* The pages of one word of the block, at most `want`; it has some. */
/*@
  requires \valid(block) && block_ok(block) && block->free > 0;
  requires \valid(taken) && \separated(block, taken);
  requires want > 0 && first_page <= UINT64_MAX - 512;
  assigns block->bits[0 .. 7], block->word_order[0 .. 7], block->free, *taken;
  exits \false;
  ensures block: block_ok(block);
  ensures count: 0 < taken->count <= want;
  ensures ones: taken->count == ones(taken->bits, 64);
  ensures free: block->free == \old(block->free) - taken->count;
  ensures word: \exists integer w; 0 <= w < 8 &&
    taken->base == first_page + 64 * w;
  ensures were: \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 &&
    taken->base == first_page + 64 * w && has_bit(taken->bits, i) ==>
      has_bit(\old(block->bits[w]), i);
  ensures bits: \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
    (has_bit(block->bits[w], i) <==> has_bit(\old(block->bits[w]), i) &&
       !(taken->base == first_page + 64 * w && has_bit(taken->bits, i)));
*/
static void take_word(struct fh_block *block, uint64_t first_page,
		      uint64_t want, struct fh_taken *taken)
{
	/*@ ghost ghost_has_word(block); */
	uint64_t word = fh_block_best_word(block, 1);
	uint64_t bits = block->bits[word];
	/*@ ghost ghost_all_ones(bits); */
	/*@ assert full: block->word_order[word] == 7 ==> has_run(bits, 6); */
	/*@ assert some: has_run(bits, 0); */
	/*@ assert some: \forall integer i; word_run(bits, i, 0) ==>
	  has_bit(bits, i); */
	/*@ assert some: \exists integer i; 0 <= i < 64 && has_bit(bits, i); */
	bool full = block->word_order[word] == 7;
	uint64_t count = full ? FH_WORD_BITS : fh_bit_count(bits);
	/*@ assert count: count == ones(bits, 64) && count > 0; */

	if (count > want) {
		bits = lowest_ones(bits, want);
		count = want;
	}
	/*@ assert subset: \forall integer i; 0 <= i < 64 && has_bit(bits, i) ==>
	  has_bit(block->bits[word], i); */
	fh_block_take_mask(block, word, bits, count);
	taken->base = first_page + word * FH_WORD_BITS;
	taken->bits = bits;
	taken->count = count;
}

uint64_t fh_zone_take_words(struct fh_zone *zone, uint64_t want, unsigned most,
			    struct fh_taken *taken, uint64_t room)
{
	uint64_t words = 0;
	uint64_t pages = 0;

	while (pages < want && words < room) {
		unsigned best = fh_chain_best(zone, 1);

		if (best == 0 || best > most)
			break;
		uint64_t block = best < FH_ORDER_BLOCK ? zone->heads[best]
						       : fh_part_open(zone);
		struct fh_block *b = &zone->blocks[block];
		while (b->free > 0 && pages < want && words < room) {
			take_word(b, fh_zone_page(zone, block), want - pages,
				  &taken[words]);
			pages += taken[words].count;
			words++;
		}
		fh_part_settle(zone, block);
	}
	fh_zone_sub_free(zone, pages);
	return words;
}

/* The order of the largest run of at most `want` blocks, but at least one. */
/*@
  requires 10 <= best <= FH_ORDER_LAST;
  assigns \nothing;
  exits \false;
  ensures order: 10 <= \result <= best;
  ensures want: \result == 10 || run_size(\result) <= want;
*/
static unsigned wanted_order(uint64_t want, unsigned best)
{
	unsigned order = FH_ORDER_BLOCK;

	/*@
	  loop invariant 10 <= order <= best;
	  loop invariant order == 10 || run_size(order) <= want;
	  loop assigns order;
	  loop variant best - order;
	*/
	while (order < best && fh_run_blocks(order + 1) <= want)
		order++;
	return order;
}

uint64_t fh_zone_take_run(struct fh_zone *zone, uint64_t want, uint64_t *size)
{
	unsigned best = fh_chain_best(zone, FH_ORDER_BLOCK);

	if (best == 0)
		return FH_NO_BLOCK;
	unsigned order = wanted_order(want, best);
	*size = fh_run_blocks(order);
	fh_zone_sub_free(zone, *size * FH_BLOCK_PAGES);
	/*@ assert untouched: \forall integer w;
	  0 <= w <= (zone->count - 1) / 64 ==>
	    zone->touched[w] == \at(zone->touched[w],Pre); */
	/*@ assert untouched: \forall integer b; 0 <= b < zone->count ==>
	  (is_touched(zone, b) <==> is_touched{Pre}(zone, b)); */
	/*@ assert whole: \forall integer b; 0 <= b < zone->count ==>
	  (is_whole(zone, b) <==> is_whole{Pre}(zone, b)); */
	/*@ assert runs: \forall integer h, integer b;
	  in_run(zone, h, b) <==> in_run{Pre}(zone, h, b); */
	/*@ assert runs: \forall integer h, integer b; in_run(zone, h, b) ==>
	  b < zone->count; */
	/*@ assert touched: runs_touched(zone); */
	/*@ assert in_runs: touched_in_runs_but(zone, 0, 0); */
	uint64_t block = fh_runs_take(zone, order);
	/*@ assert size: *size == run_size(order); */
	/*@ assert free: zone->free ==
	  \at(zone->free,Pre) - 512 * run_size(order); */
	return block;
}
