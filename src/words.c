/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pages out of one block, word by word, wherever they lie in it. What ends in
 * _raw and _bits is one act in several contracts: parts.h.
 */
#include "parts.h"

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
  requires want > 0 && first_page <= UINT64_MAX - 512;
  assigns block->bits[0 .. 7], block->word_order[0 .. 7], block->free;
  exits \false;
  ensures block: block_ok(block);
  ensures count: 0 < \result.count <= want;
  ensures ones: \result.count == ones(\result.bits, 64);
  ensures free: block->free == \old(block->free) - \result.count;
  ensures word: \exists integer w; 0 <= w < 8 &&
    \result.base == first_page + 64 * w;
  ensures were: \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 &&
    \result.base == first_page + 64 * w && has_bit(\result.bits, i) ==>
      has_bit(\old(block->bits[w]), i);
  ensures bits: \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
    (has_bit(block->bits[w], i) <==> has_bit(\old(block->bits[w]), i) &&
       !(\result.base == first_page + 64 * w && has_bit(\result.bits, i)));
*/
static struct fh_taken take_word(struct fh_block *block, uint64_t first_page,
				 uint64_t want)
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
	struct fh_taken taken = {first_page + word * FH_WORD_BITS, bits, count};
	return taken;
}

/*@ ghost
  /@
    requires number <= UINT64_MAX / 512;
    requires \exists integer w; 0 <= w < 8 && base == number * 512 + 64 * w;
    assigns \nothing;
    exits \false;
    ensures word_of_block(base, number);
  @/
  void ghost_word_base(uint64_t number, uint64_t base)
  {
    /@ assert base == number * 512 || base == number * 512 + 64 ||
      base == number * 512 + 128 || base == number * 512 + 192 ||
      base == number * 512 + 256 || base == number * 512 + 320 ||
      base == number * 512 + 384 || base == number * 512 + 448; @/
  }
*/

/* take_word() in its zone. */
/*@
  requires zone_tables(zone) && block < zone->count;
  requires block_ok(&zone->blocks[block]) && zone->blocks[block].free > 0;
  requires want > 0;
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures block: block_ok(&zone->blocks[block]);
  ensures count: 0 < \result.count <= want;
  ensures ones: \result.count == ones(\result.bits, 64);
  ensures left: zone->blocks[block].free ==
    \old(zone->blocks[block].free) - \result.count;
  ensures at: word_of_block(\result.base, zone->first + block);
  ensures bits: word_was_taken{Pre,Post}(&zone->blocks[block],
    zone->first + block, \result.base, \result.bits);
  ensures filled: zone->filled == \old(zone->filled);
  ensures orders: orders_kept_but{Pre,Post}(zone, -1);
  ensures touches: touches_kept_but{Pre,Post}(zone, -1);
  ensures words: words_kept_but{Pre,Post}(zone, block);
  ensures word_orders: word_orders_kept_but{Pre,Post}(zone, block);
  ensures frees: frees_kept_but{Pre,Post}(zone, block);
  ensures fits: order_bits_kept_but{Pre,Post}(zone, block);
*/
static struct fh_taken word_raw(struct fh_zone *zone, uint64_t block,
				uint64_t want)
{
	/*@ ghost ghost_zone_apart(zone); */
	/*@ ghost ghost_full_groups(zone); */
	/*@ ghost uint64_t number = zone->first + block; */
	struct fh_taken word = take_word(&zone->blocks[block],
					 fh_zone_page(zone, block), want);
	/*@ ghost ghost_word_base(number, word.base); */
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert rest: zone->free == \at(zone->free,Pre); */
	/*@ assert filled: zone->filled == \at(zone->filled,Pre); */
	/*@ assert touched: \forall integer v;
	  0 <= v <= (zone->count - 1) / 64 ==>
	    zone->touched[v] == \at(zone->touched[v],Pre); */
	/*@ assert raw: \forall integer b; 0 <= b < zone->count ==>
	  zone->blocks[b].order == \at(zone->blocks[b].order,Pre); */
	/*@ assert raw: \forall integer b, integer w; 0 <= b < zone->count &&
	  b != block && 0 <= w < 8 ==>
	    zone->blocks[b].bits[w] == \at(zone->blocks[b].bits[w],Pre); */
	/*@ assert raw: \forall integer b, integer w; 0 <= b < zone->count &&
	  b != block && 0 <= w < 8 ==> zone->blocks[b].word_order[w] ==
	    \at(zone->blocks[b].word_order[w],Pre); */
	/*@ assert raw: \forall integer b; 0 <= b < zone->count && b != block ==>
	  zone->blocks[b].free == \at(zone->blocks[b].free,Pre); */
	/*@ assert orders: orders_kept_but{Pre,Here}(zone, -1); */
	/*@ assert touches: touches_kept_but{Pre,Here}(zone, -1); */
	/*@ ghost ghost_full_groups(zone); */
	/*@ assert pairs: \forall integer b; 0 <= b < zone->count && b != block ==>
	  (full_group(&zone->blocks[b].word_order[0], 2) <==>
	     full_group{Pre}(&zone->blocks[b].word_order[0], 2)); */
	/*@ assert fours: \forall integer b; 0 <= b < zone->count && b != block ==>
	  (full_group(&zone->blocks[b].word_order[0], 4) <==>
	     full_group{Pre}(&zone->blocks[b].word_order[0], 4)); */
	/*@ assert eight: \forall integer b; 0 <= b < zone->count && b != block ==>
	  (full_words(&zone->blocks[b].word_order[0], 0, 8) <==>
	     full_words{Pre}(&zone->blocks[b].word_order[0], 0, 8)); */
	/*@ assert fits: \forall integer b, integer o; 0 <= b < zone->count &&
	  b != block && block_order_is{Pre}(&zone->blocks[b].word_order[0], o) ==>
	    block_order_is(&zone->blocks[b].word_order[0], o); */
	return word;
}

/* The same, for chains and runs. */
/*@
  requires zone_tables(zone) && block < zone->count;
  requires block_ok(&zone->blocks[block]) && zone->blocks[block].free > 0;
  requires want > 0;
  requires chains_ok(zone) && runs_fit(zone) && runs_apart(zone);
  requires runs_aligned(zone) && run_can_begin(zone, block);
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures block: block_ok(&zone->blocks[block]);
  ensures count: 0 < \result.count <= want;
  ensures ones: \result.count == ones(\result.bits, 64);
  ensures left: zone->blocks[block].free ==
    \old(zone->blocks[block].free) - \result.count;
  ensures at: word_of_block(\result.base, zone->first + block);
  ensures bits: word_was_taken{Pre,Post}(&zone->blocks[block],
    zone->first + block, \result.base, \result.bits);
  ensures filled: zone->filled == \old(zone->filled);
  ensures orders: orders_kept_but{Pre,Post}(zone, -1);
  ensures touches: touches_kept_but{Pre,Post}(zone, -1);
  ensures words: words_kept_but{Pre,Post}(zone, block);
  ensures word_orders: word_orders_kept_but{Pre,Post}(zone, block);
  ensures frees: frees_kept_but{Pre,Post}(zone, block);
  ensures fits: order_bits_kept_but{Pre,Post}(zone, block);
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
  ensures aligned: runs_aligned(zone);
  ensures begins: run_can_begin(zone, block);
*/
static struct fh_taken word_bits(struct fh_zone *zone, uint64_t block,
				 uint64_t want)
{
	/*@ ghost uint64_t first = zone->first; */
	/*@ ghost ghost_aligned(zone, first); */
	/*@ assert at: \forall integer b; 0 <= b < zone->count &&
	  zone->blocks[b].order >= 10 ==>
	    lies_at(1, first + b, zone->blocks[b].order); */
	/*@ assert nexts: nexts_but(zone, zone->count); */
	/*@ assert nexts_back: nexts_back_but(zone, zone->count); */
	/*@ assert previouses: previouses_but(zone, zone->count); */
	/*@ assert previouses_back: previouses_back_but(zone, zone->count); */
	/*@ assert firsts: firsts_but(zone, zone->count); */
	/*@ assert heads: heads_but(zone, zone->count); */
	/*@ assert orders_fit: orders_fit(zone); */
	/*@ assert filled: filled_fits(zone); */
	struct fh_taken word = word_raw(zone, block, want);
	/*@ assert first: zone->first == first; */
	/*@ assert count: zone->count == \at(zone->count,Pre); */
	/*@ assert order: \forall integer b; 0 <= b < zone->count ==>
	  zone->blocks[b].order == \at(zone->blocks[b].order,Pre); */
	/*@ assert at: \forall integer b; 0 <= b < \at(zone->count,Pre) &&
	  \at(zone->blocks[b].order,Pre) >= 10 ==>
	    lies_at(1, first + b, \at(zone->blocks[b].order,Pre)); */
	/*@ assert at: \forall integer b; 0 <= b < \at(zone->count,Pre) &&
	  zone->blocks[b].order >= 10 ==>
	    lies_at(1, first + b, zone->blocks[b].order); */
	/*@ ghost ghost_aligned(zone, first); */
	/*@ assert aligned: heads_at(zone->blocks, zone->count, first); */
	/*@ assert nexts: nexts_but(zone, zone->count); */
	/*@ assert nexts_back: nexts_back_but(zone, zone->count); */
	/*@ assert previouses: previouses_but(zone, zone->count); */
	/*@ assert previouses_back: previouses_back_but(zone, zone->count); */
	/*@ assert firsts: firsts_but(zone, zone->count); */
	/*@ assert heads: heads_but(zone, zone->count); */
	/*@ assert orders_fit: orders_fit(zone); */
	/*@ assert filled: filled_fits(zone); */
	/*@ assert aligned: runs_aligned(zone); */
	return word;
}

struct fh_taken fh_part_take_word(struct fh_zone *zone, uint64_t block,
				  uint64_t want)
{
	/*@ ghost ghost_bits_fit_but(zone, block); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert none: \forall integer b; 0 <= b < zone->count && b != block &&
	  is_whole(zone, b) ==> no_bits(zone, b); */
	struct fh_taken word = word_bits(zone, block, want);
	/*@ assert count: zone->count == \at(zone->count,Pre); */
	/*@ assert none: \forall integer b; 0 <= b < \at(zone->count,Pre) &&
	  b != block && is_whole{Pre}(zone, b) ==> no_bits{Pre}(zone, b); */
	/*@ assert order: \forall integer b; 0 <= b < zone->count ==>
	  zone->blocks[b].order == \at(zone->blocks[b].order,Pre); */
	/*@ assert touched: \forall integer b; 0 <= b < zone->count ==>
	  (is_touched(zone, b) <==> is_touched{Pre}(zone, b)); */
	/*@ assert whole: \forall integer b; 0 <= b < zone->count ==>
	  (is_whole(zone, b) <==> is_whole{Pre}(zone, b)); */
	/*@ assert in_run: \forall integer h, integer b;
	  in_run(zone, h, b) <==> in_run{Pre}(zone, h, b); */
	/*@ assert inside: \forall integer h, integer b; in_run(zone, h, b) ==>
	  0 <= b < zone->count; */
	/*@ assert runs: runs_touched(zone); */
	/*@ assert has: \forall integer b, integer w, integer i;
	  0 <= b < zone->count && b != block && 0 <= w < 8 && 0 <= i < 64 ==>
	    (has_bit(zone->blocks[b].bits[w], i) <==>
	       has_bit(\at(zone->blocks[b].bits[w],Pre), i)); */
	/*@ assert bits: bits_stay_but{Pre,Here}(zone, block); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert counts: counts_stay_but{Pre,Here}(zone, block); */
	/*@ assert zeros: \forall integer b; 0 <= b < zone->count && b != block &&
	  no_bits{Pre}(zone, b) ==> no_bits(zone, b); */
	/*@ assert none: \forall integer b; 0 <= b < zone->count && b != block &&
	  is_whole(zone, b) ==> no_bits(zone, b); */
	/*@ assert bits_fit: bits_fit_but(zone, block); */
	/*@ assert kept: \forall integer b; 0 <= b < zone->count && b != block ==>
	  block_kept{Pre,Here}(&zone->blocks[b]); */
	/*@ assert parts_fit: parts_fit_but(zone, block); */
	/*@ assert blocks: \forall integer b; 0 <= b < zone->count &&
	  block_kept{Pre,Here}(&zone->blocks[b]) &&
	  block_ok{Pre}(&zone->blocks[b]) ==> block_ok(&zone->blocks[b]); */
	/*@ assert blocks: blocks_ok(zone); */
	/*@ assert in_runs: \forall integer b; 0 <= b < zone->count &&
	  is_touched{Pre}(zone, b) && is_whole{Pre}(zone, b) &&
	  !(block <= b < block + 1) ==>
	    \exists integer head; in_run{Pre}(zone, head, b); */
	/*@ assert in_runs: touched_in_runs_but(zone, block, 1); */
	return word;
}
