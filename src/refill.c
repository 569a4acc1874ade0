/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pages back into one block: its bits are set, and it goes where it then
 * belongs. open.c is the way out. What ends in _raw, _bits and _in_zone is one
 * act in three contracts: parts.h.
 */
#include "parts.h"

/* fh_block_give() in its zone. */
/*@
  requires zone_tables(zone) && block < zone->count;
  requires block_ok(&zone->blocks[block]) && offset <= 512;
  requires n <= 512 - offset;
  requires block_zeros(&zone->blocks[block], offset, n);
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures block: block_ok(&zone->blocks[block]);
  ensures left: zone->blocks[block].free ==
    \old(zone->blocks[block].free) + n;
  ensures set: block_bits_were_set{Pre,Post}(&zone->blocks[block], offset, n);
  ensures filled: zone->filled == \old(zone->filled);
  ensures orders: orders_kept_but{Pre,Post}(zone, -1);
  ensures touches: touches_kept_but{Pre,Post}(zone, -1);
  ensures words: words_kept_but{Pre,Post}(zone, block);
  ensures word_orders: word_orders_kept_but{Pre,Post}(zone, block);
  ensures frees: frees_kept_but{Pre,Post}(zone, block);
  ensures fits: order_bits_kept_but{Pre,Post}(zone, block);
*/
static void set_raw(struct fh_zone *zone, uint64_t block, uint64_t offset,
		    uint64_t n)
{
	/*@ ghost ghost_zone_apart(zone); */
	/*@ ghost ghost_full_groups(zone); */
	fh_block_give(&zone->blocks[block], offset, n);
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
}

/* The same, for chains and runs. */
/*@
  requires zone_tables(zone) && block < zone->count;
  requires block_ok(&zone->blocks[block]) && offset <= 512;
  requires n <= 512 - offset;
  requires block_zeros(&zone->blocks[block], offset, n);
  requires chains_ok(zone) && runs_fit(zone) && runs_apart(zone);
  requires runs_aligned(zone) && run_can_begin(zone, block);
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures block: block_ok(&zone->blocks[block]);
  ensures left: zone->blocks[block].free ==
    \old(zone->blocks[block].free) + n;
  ensures set: block_bits_were_set{Pre,Post}(&zone->blocks[block], offset, n);
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
static void set_bits(struct fh_zone *zone, uint64_t block, uint64_t offset,
		     uint64_t n)
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
	set_raw(zone, block, offset, n);
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
}

/* The same, for all that a zone is in order by. */
/*@
  requires zone_aside(zone, block);
  requires offset <= 512;
  requires n <= 512 - offset;
  requires block_zeros(&zone->blocks[block], offset, n);
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures block: block_ok(&zone->blocks[block]);
  ensures left: zone->blocks[block].free ==
    \old(zone->blocks[block].free) + n;
  ensures set: block_bits_were_set{Pre,Post}(&zone->blocks[block], offset, n);
  ensures aside: zone_aside(zone, block);
  ensures touches: touches_kept_but{Pre,Post}(zone, -1);
  ensures bits: bits_stay_but{Pre,Post}(zone, block);
  ensures counts: counts_stay_but{Pre,Post}(zone, block);
*/
static void set_in_zone(struct fh_zone *zone, uint64_t block, uint64_t offset,
			uint64_t n)
{
	/*@ ghost ghost_bits_fit_but(zone, block); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert none: \forall integer b; 0 <= b < zone->count && b != block &&
	  is_whole(zone, b) ==> no_bits(zone, b); */
	set_bits(zone, block, offset, n);
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
}

/* Bits of the block are set; settle it afterwards. */
/*@
  requires zone_sound(zone) && block < zone->count;
  requires offset < 512 && 0 < n <= 512 - offset;
  requires part_in_use(zone, block, offset, n);
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures unsettled: zone_unsettled(zone, block);
  ensures set: \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
    (has_bit(zone->blocks[block].bits[w], i) <==>
       bit_free{Pre}(zone, block, w, i) || is_among(w, i, offset, n));
  ensures free: zone->blocks[block].free ==
    \old(free_in_block(zone, block)) + n;
  ensures bits: bits_stay_but{Pre,Post}(zone, block);
  ensures counts: counts_stay_but{Pre,Post}(zone, block);
*/
static void set_part(struct fh_zone *zone, uint64_t block, uint64_t offset,
		     uint64_t n)
{
	/*@ assert one: is_among(offset / 64, offset % 64, offset, n) &&
	  !bit_free(zone, block, offset / 64, offset % 64); */
	/*@ ghost ghost_in_no_run(zone, block); */
	/*@ assert zeros: block_zeros(&zone->blocks[block], offset, n); */
	set_in_zone(zone, block, offset, n);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	fh_part_touch(zone, block);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert tables: zone_tables(zone); */
	/*@ assert fit: runs_fit(zone); */
	/*@ assert apart: runs_apart(zone); */
	/*@ assert aligned: runs_aligned(zone); */
	/*@ assert runs: runs_touched(zone); */
	/*@ assert in_runs: touched_in_runs_but(zone, block, 1); */
	/*@ assert bits_fit: bits_fit_but(zone, block); */
	/*@ assert parts_fit: parts_fit_but(zone, block); */
	/*@ assert blocks: blocks_ok(zone); */
	/*@ assert begins: run_can_begin(zone, block); */
	/*@ assert touched: is_touched(zone, block); */
	/*@ assert order: zone->blocks[block].order < 10; */
	/*@ assert unsettled: zone_unsettled(zone, block); */
}

/* fh_part_settle(), which keeps the tables. */
/*@
  requires zone_unsettled(zone, block);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures count: zone->count == \old(zone->count);
  ensures first: zone->first == \old(zone->first);
  ensures sound: zone_sound(zone);
  ensures bits: settled_bits{Pre,Post}(zone, block);
  ensures counts: settled_counts{Pre,Post}(zone, block);
*/
static void settle_set(struct fh_zone *zone, uint64_t block)
{
	/*@ ghost ghost_zone_apart(zone); */
	fh_part_settle(zone, block);
	/*@ assert count: zone->count == \at(zone->count,Pre); */
	/*@ assert first: zone->first == \at(zone->first,Pre); */
}

void fh_part_give(struct fh_zone *zone, uint64_t block, uint64_t offset,
		  uint64_t n)
{
	/*@ ghost ghost_each(zone->count); */
	set_part(zone, block, offset, n);
	/*@ assert plain: zone->count == \at(zone->count,Pre) &&
	  zone->first == \at(zone->first,Pre) &&
	  zone->blocks == \at(zone->blocks,Pre) &&
	  zone->touched == \at(zone->touched,Pre); */
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	settle_set(zone, block);
	/*@ assert plain: zone->count == \at(zone->count,Pre) &&
	  zone->first == \at(zone->first,Pre); */
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert counts: \forall integer b; 0 <= b < zone->count ==>
	  free_in_block(zone, b) ==
	    free_in_block{Pre}(zone, b) + (b == block ? n : 0); */
	/*@ assert among: \forall integer b, integer w, integer i;
	  0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 ==>
	    (bit_among(zone, b, w, i, (zone->first + block) * 512 + offset, n)
	       <==> b == block && is_among(w, i, offset, n)); */
	/*@ assert bits: \forall integer b, integer w, integer i;
	  0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 ==>
	    (bit_free(zone, b, w, i) <==> bit_free{Pre}(zone, b, w, i) ||
	       (b == block && is_among(w, i, offset, n))); */
	/*@ ghost
	  /@
	    loop invariant 0 <= k <= zone->count;
	    loop invariant free_pages(zone, k) ==
	      free_pages{Pre}(zone, k) + (k > block ? n : 0);
	    loop assigns k;
	    loop variant zone->count - k;
	  @/
	  for (uint64_t k = 0; k < zone->count; k++)
	    ;
	*/
}

/*@
  // No page of mask, in that word of the block, is free.
  predicate mask_in_use{L}(struct fh_block *block, integer word,
                           integer mask) =
    \forall integer i; 0 <= i < 64 && has_bit(mask, i) ==>
      !has_bit(block->bits[word], i);

  predicate mask_was_set{A,B}(struct fh_block *block, integer word,
                              integer mask) =
    \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
      (has_bit(\at(block->bits[w],B), i) <==>
         has_bit(\at(block->bits[w],A), i) ||
         (w == word && has_bit(mask, i)));

  // An order that the bits called for is still called for where the word is
  // not full, and its own order not above.
  predicate order_stays{A,B}(struct fh_block *block, integer word) =
    \at(block->word_order[word],B) >= 1 &&
    \forall integer order;
      block_order_is{A}(\at(&block->word_order[0],A), order) &&
      \at(block->word_order[word],B) != 7 &&
      \at(block->word_order[word],B) <= order ==>
        block_order_is{B}(\at(&block->word_order[0],B), order);
*/

/* With more ones a word's order is no lower. */
/*@ ghost
  /@
    requires word_order_is(fewer, lower) && word_order_is(more, higher);
    requires \forall integer i; 0 <= i < 64 && has_bit(fewer, i) ==>
      has_bit(more, i);
    requires \exists integer i; 0 <= i < 64 && !has_bit(fewer, i) &&
      has_bit(more, i);
    assigns \nothing;
    exits \false;
    ensures lower <= higher && 1 <= higher && lower < 7;
  @/
  void ghost_more_ones(uint64_t fewer, uint64_t more, unsigned lower,
                       unsigned higher)
  {
    /@ assert \forall integer i, integer o; word_run(fewer, i, o) ==>
      word_run(more, i, o); @/
    /@ assert lower >= 1 ==> has_run(fewer, lower - 1); @/
    /@ assert lower >= 1 ==> has_run(more, lower - 1); @/
    /@ assert \forall integer i; 0 <= i < 64 && has_bit(more, i) ==>
      word_run(more, i, 0); @/
    /@ assert has_run(more, 0); @/
    /@ assert \forall integer i; word_run(fewer, i, 6) ==> i == 0; @/
    /@ assert lower == 7 ==> word_run(fewer, 0, 6); @/
  }
*/

/* fh_block_give_mask(), and what it does to orders. */
/*@
  requires \valid(block) && block_ok(block) && word < 8;
  requires n > 0 && n == ones(mask, 64);
  requires none: mask_in_use(block, word, mask);
  assigns block->bits[word], block->word_order[word], block->free;
  exits \false;
  ensures block: block_ok(block);
  ensures left: block->free == \old(block->free) + n;
  ensures set: mask_was_set{Pre,Post}(block, word, mask);
  ensures stays: order_stays{Pre,Post}(block, word);
*/
static void give_mask(struct fh_block *block, uint64_t word, uint64_t mask,
		      uint64_t n)
{
	/*@ ghost uint64_t fewer = block->bits[word]; */
	/*@ ghost unsigned lower = block->word_order[word]; */
	/*@ ghost ghost_all_ones(mask); */
	/*@ ghost ghost_groups(block); */
	fh_block_give_mask(block, word, mask, n);
	/*@ ghost ghost_more_ones(fewer, block->bits[word], lower,
	  block->word_order[word]); */
	/*@ ghost ghost_groups(block); */
	/*@ assert others: \forall integer w; 0 <= w < 8 && w != word ==>
	  block->word_order[w] == \at(block->word_order[w],Pre); */
	/*@ assert full: block->word_order[word] != 7 ==>
	  \forall integer w; 0 <= w < 8 ==>
	    (block->word_order[w] == 7 <==>
	       \at(block->word_order[w],Pre) == 7); */
	/*@ assert pairs: block->word_order[word] != 7 ==>
	  (full_group(&block->word_order[0], 2) <==>
	     full_group{Pre}(&block->word_order[0], 2)); */
	/*@ assert fours: block->word_order[word] != 7 ==>
	  (full_group(&block->word_order[0], 4) <==>
	     full_group{Pre}(&block->word_order[0], 4)); */
	/*@ assert eight: block->word_order[word] != 7 ==>
	  (full_words(&block->word_order[0], 0, 8) <==>
	     full_words{Pre}(&block->word_order[0], 0, 8)); */
	/*@ assert same: \forall integer order, integer w; 0 <= w < 8 &&
	  \at(block->word_order[w],Pre) == order &&
	  block->word_order[word] <= order ==>
	    block->word_order[w] == order; */
}

/* give_mask() in its zone. */
/*@
  requires zone_tables(zone) && block < zone->count;
  requires block_ok(&zone->blocks[block]) && word < 8;
  requires n > 0 && n == ones(mask, 64);
  requires none: mask_in_use(&zone->blocks[block], word, mask);
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures block: block_ok(&zone->blocks[block]);
  ensures left: zone->blocks[block].free ==
    \old(zone->blocks[block].free) + n;
  ensures set: mask_was_set{Pre,Post}(&zone->blocks[block], word, mask);
  ensures order: zone->blocks[block].order ==
    \old(zone->blocks[block].order);
  ensures stays: order_stays{Pre,Post}(&zone->blocks[block], word);
  ensures filled: zone->filled == \old(zone->filled);
  ensures orders: orders_kept_but{Pre,Post}(zone, -1);
  ensures touches: touches_kept_but{Pre,Post}(zone, -1);
  ensures words: words_kept_but{Pre,Post}(zone, block);
  ensures word_orders: word_orders_kept_but{Pre,Post}(zone, block);
  ensures frees: frees_kept_but{Pre,Post}(zone, block);
  ensures fits: order_bits_kept_but{Pre,Post}(zone, block);
*/
static void mask_raw(struct fh_zone *zone, uint64_t block, uint64_t word,
		     uint64_t mask, uint64_t n)
{
	/*@ ghost ghost_zone_apart(zone); */
	/*@ ghost ghost_full_groups(zone); */
	give_mask(&zone->blocks[block], word, mask, n);
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
}

/* The same, for chains and runs. */
/*@
  requires zone_tables(zone) && block < zone->count;
  requires block_ok(&zone->blocks[block]) && word < 8;
  requires n > 0 && n == ones(mask, 64);
  requires none: mask_in_use(&zone->blocks[block], word, mask);
  requires chains_ok(zone) && runs_fit(zone) && runs_apart(zone);
  requires runs_aligned(zone) && run_can_begin(zone, block);
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures block: block_ok(&zone->blocks[block]);
  ensures left: zone->blocks[block].free ==
    \old(zone->blocks[block].free) + n;
  ensures set: mask_was_set{Pre,Post}(&zone->blocks[block], word, mask);
  ensures order: zone->blocks[block].order ==
    \old(zone->blocks[block].order);
  ensures stays: order_stays{Pre,Post}(&zone->blocks[block], word);
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
static void mask_bits(struct fh_zone *zone, uint64_t block, uint64_t word,
		      uint64_t mask, uint64_t n)
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
	mask_raw(zone, block, word, mask, n);
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
}

/* The same, for all that a zone is in order by. */
/*@
  requires zone_aside(zone, block);
  requires word < 8 && n > 0 && n == ones(mask, 64);
  requires none: mask_in_use(&zone->blocks[block], word, mask);
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures block: block_ok(&zone->blocks[block]);
  ensures left: zone->blocks[block].free ==
    \old(zone->blocks[block].free) + n;
  ensures set: mask_was_set{Pre,Post}(&zone->blocks[block], word, mask);
  ensures order: zone->blocks[block].order ==
    \old(zone->blocks[block].order);
  ensures stays: order_stays{Pre,Post}(&zone->blocks[block], word);
  ensures aside: zone_aside(zone, block);
  ensures touches: touches_kept_but{Pre,Post}(zone, -1);
  ensures bits: bits_stay_but{Pre,Post}(zone, block);
  ensures counts: counts_stay_but{Pre,Post}(zone, block);
*/
static void mask_in_zone(struct fh_zone *zone, uint64_t block, uint64_t word,
			 uint64_t mask, uint64_t n)
{
	/*@ ghost ghost_bits_fit_but(zone, block); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert none: \forall integer b; 0 <= b < zone->count && b != block &&
	  is_whole(zone, b) ==> no_bits(zone, b); */
	mask_bits(zone, block, word, mask, n);
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
}

/* Bits of the block are set; settle it afterwards, if it has to move. */
/*@
  requires zone_sound(zone) && block < zone->count && word < 8;
  requires n > 0 && n == ones(mask, 64);
  requires in_use: \forall integer i; 0 <= i < 64 && has_bit(mask, i) ==>
    !bit_free(zone, block, word, i);
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures unsettled: zone_unsettled(zone, block);
  ensures fits: zone->blocks[block].word_order[word] != 7 &&
    zone->blocks[block].word_order[word] <= zone->blocks[block].order ==>
      zone->blocks[block].order != 0 &&
      block_order_is(&zone->blocks[block].word_order[0],
                     zone->blocks[block].order);
  ensures set: \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
    (has_bit(zone->blocks[block].bits[w], i) <==>
       bit_free{Pre}(zone, block, w, i) ||
       (w == word && has_bit(mask, i)));
  ensures left: zone->blocks[block].free ==
    \old(free_in_block(zone, block)) + n;
  ensures bits: bits_stay_but{Pre,Post}(zone, block);
  ensures counts: counts_stay_but{Pre,Post}(zone, block);
*/
static void set_mask(struct fh_zone *zone, uint64_t block, uint64_t word,
		     uint64_t mask, uint64_t n)
{
	/*@ ghost ghost_all_ones(mask); */
	/*@ assert one: \exists integer i; 0 <= i < 64 && has_bit(mask, i) &&
	  !bit_free(zone, block, word, i); */
	/*@ ghost ghost_in_no_run(zone, block); */
	/*@ assert none: mask_in_use(&zone->blocks[block], word, mask); */
	/*@ assert fits: zone->blocks[block].order != 0 ==> block_order_is(
	  &zone->blocks[block].word_order[0], zone->blocks[block].order); */
	mask_in_zone(zone, block, word, mask, n);
	/*@ assert order: zone->blocks[block].order ==
	  \at(zone->blocks[block].order,Pre); */
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	fh_part_touch(zone, block);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert tables: zone_tables(zone); */
	/*@ assert fit: runs_fit(zone); */
	/*@ assert apart: runs_apart(zone); */
	/*@ assert aligned: runs_aligned(zone); */
	/*@ assert runs: runs_touched(zone); */
	/*@ assert in_runs: touched_in_runs_but(zone, block, 1); */
	/*@ assert bits_fit: bits_fit_but(zone, block); */
	/*@ assert parts_fit: parts_fit_but(zone, block); */
	/*@ assert blocks: blocks_ok(zone); */
	/*@ assert begins: run_can_begin(zone, block); */
	/*@ assert touched: is_touched(zone, block); */
	/*@ assert order: zone->blocks[block].order < 10; */
	/*@ assert unsettled: zone_unsettled(zone, block); */
	/*@ assert rest: zone->free == \at(zone->free,Pre); */
}

/* A block that is where its bits call for is settled. */
/*@ ghost
  /@
    requires zone_unsettled(zone, block);
    requires zone->blocks[block].order != 0;
    requires block_order_is(&zone->blocks[block].word_order[0],
                            zone->blocks[block].order);
    assigns \nothing;
    exits \false;
    ensures zone_sound(zone);
    ensures settled_bits{Here,Here}(zone, block);
    ensures settled_counts{Here,Here}(zone, block);
  @/
  void ghost_settled(struct fh_zone *zone, uint64_t block)
  {
    ghost_free_in_block(zone);
    /@ assert part: !is_whole(zone, block); @/
    /@ assert in_runs: touched_in_runs_but(zone, 0, 0); @/
    /@ assert bits_fit: bits_fit(zone); @/
    /@ assert parts_fit: parts_fit(zone); @/
  }
*/

/* A word that is not full cannot lift the block above its own order. */
/*@
  requires zone_unsettled(zone, block) && word < 8;
  requires fits: zone->blocks[block].word_order[word] != 7 &&
    zone->blocks[block].word_order[word] <= zone->blocks[block].order ==>
      zone->blocks[block].order != 0 &&
      block_order_is(&zone->blocks[block].word_order[0],
                     zone->blocks[block].order);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures sound: zone_sound(zone);
  ensures bits: settled_bits{Pre,Post}(zone, block);
  ensures counts: settled_counts{Pre,Post}(zone, block);
*/
static void settle_word(struct fh_zone *zone, uint64_t block, uint64_t word)
{
	const struct fh_block *b = &zone->blocks[block];

	if (b->word_order[word] > b->order || b->word_order[word] == 7) {
		settle_set(zone, block);
		return;
	}
	/*@ ghost ghost_settled(zone, block); */
}

void fh_part_give_mask(struct fh_zone *zone, uint64_t block, uint64_t word,
		       uint64_t mask, uint64_t n)
{
	/*@ ghost ghost_each(zone->count); */
	set_mask(zone, block, word, mask, n);
	/*@ assert plain: zone->count == \at(zone->count,Pre) &&
	  zone->first == \at(zone->first,Pre) &&
	  zone->blocks == \at(zone->blocks,Pre) &&
	  zone->touched == \at(zone->touched,Pre); */
	settle_word(zone, block, word);
	/*@ assert plain: zone->count == \at(zone->count,Pre) &&
	  zone->first == \at(zone->first,Pre); */
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert rest: zone->free == \at(zone->free,Pre); */
	/*@ assert counts: \forall integer b; 0 <= b < zone->count ==>
	  free_in_block(zone, b) ==
	    free_in_block{Pre}(zone, b) + (b == block ? n : 0); */
	/*@ assert among: \forall integer b, integer w; 0 <= b < zone->count &&
	  0 <= w < 8 ==> ((zone->first + block) * 512 + 64 * word ==
	    (zone->first + b) * 512 + 64 * w <==> b == block && w == word); */
	/*@ assert bits: \forall integer b, integer w, integer i;
	  0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 ==>
	    (bit_free(zone, b, w, i) <==> bit_free{Pre}(zone, b, w, i) ||
	       (b == block && w == word && has_bit(mask, i))); */
	/*@ ghost
	  /@
	    loop invariant 0 <= k <= zone->count;
	    loop invariant free_pages(zone, k) ==
	      free_pages{Pre}(zone, k) + (k > block ? n : 0);
	    loop assigns k;
	    loop variant zone->count - k;
	  @/
	  for (uint64_t k = 0; k < zone->count; k++)
	    ;
	*/
}
