/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Blocks that are free in part, in their zone. Bits are set and cleared first,
 * and then the block goes to the chain that they call for. A block whose last
 * page in use comes back loses its bits and becomes a run.
 */
#include "parts.h"

/*
 * Each of these changes one thing of one block that is in no run, and says
 * which of the zone's invariants stay. fh_chain_move():
 */
/*@
  requires zone_tables(zone) && chains_ok(zone) && block < zone->count;
  requires zone->blocks[block].order < 10 && order < 10;
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[block].order;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures chains: chains_ok(zone);
  ensures order: zone->blocks[block].order == order;
  ensures orders: orders_kept_but{Pre,Post}(zone, block);
  ensures touches: touches_kept_but{Pre,Post}(zone, zone->count);
  ensures words: words_kept_but{Pre,Post}(zone, zone->count);
  ensures word_orders: word_orders_kept_but{Pre,Post}(zone, zone->count);
  ensures frees: frees_kept_but{Pre,Post}(zone, zone->count);
  ensures fit: runs_fit{Pre}(zone) ==> runs_fit(zone);
  ensures apart: runs_apart{Pre}(zone) && run_can_begin{Pre}(zone, block) ==>
    runs_apart(zone);
  ensures aligned: runs_aligned{Pre}(zone) ==> runs_aligned(zone);
  ensures begins: run_can_begin{Pre}(zone, block) ==>
    run_can_begin(zone, block);
  ensures runs: runs_touched{Pre}(zone) && runs_fit{Pre}(zone) ==>
    runs_touched(zone);
  ensures in_runs: touched_in_runs_but{Pre}(zone, block, 1) ==>
    touched_in_runs_but(zone, block, 1);
  ensures bits_fit: bits_fit_but{Pre}(zone, block) ==>
    bits_fit_but(zone, block);
  ensures parts_fit: parts_fit_but{Pre}(zone, block) ==>
    parts_fit_but(zone, block);
  ensures blocks: blocks_ok{Pre}(zone) ==> blocks_ok(zone);
  ensures bits: bits_stay_but{Pre,Post}(zone, block);
  ensures counts: counts_stay_but{Pre,Post}(zone, block);
*/
static void move_in_chains(struct fh_zone *zone, uint64_t block, unsigned order)
{
	/*@ ghost ghost_zone_apart(zone); */
	/*@ ghost ghost_bits_fit_but(zone, block); */
	fh_chain_move(zone, block, order);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert raw: \forall integer b; 0 <= b < zone->count ==>
	  zone->blocks[b].free == \at(zone->blocks[b].free,Pre); */
	/*@ assert raw: \forall integer b, integer w; 0 <= b < zone->count &&
	  0 <= w < 8 ==>
	    zone->blocks[b].bits[w] == \at(zone->blocks[b].bits[w],Pre); */
	/*@ assert raw: \forall integer b, integer w; 0 <= b < zone->count &&
	  0 <= w < 8 ==> zone->blocks[b].word_order[w] ==
	    \at(zone->blocks[b].word_order[w],Pre); */
	/*@ assert words: words_kept_but{Pre,Here}(zone, zone->count); */
	/*@ assert word_orders: word_orders_kept_but{Pre,Here}(zone,
	  zone->count); */
	/*@ assert frees: frees_kept_but{Pre,Here}(zone, zone->count); */
	/*@ assert kept: \forall integer b; 0 <= b < zone->count ==>
	  block_kept{Pre,Here}(&zone->blocks[b]); */
	/*@ assert touched: \forall integer v;
	  0 <= v <= (zone->count - 1) / 64 ==>
	    zone->touched[v] == \at(zone->touched[v],Pre); */
	/*@ assert orders: orders_kept_but{Pre,Here}(zone, block); */
	/*@ assert touches: touches_kept_but{Pre,Here}(zone, zone->count); */
	/*@ assert whole: \forall integer b; 0 <= b < zone->count && b != block
	  ==> (is_whole(zone, b) <==> is_whole{Pre}(zone, b)); */
	/*@ assert has: \forall integer b, integer w, integer i;
	  0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 ==>
	    (has_bit(zone->blocks[b].bits[w], i) <==>
	       has_bit(\at(zone->blocks[b].bits[w],Pre), i)); */
	/*@ assert bits: bits_stay_but{Pre,Here}(zone, block); */
	/*@ assert counts: counts_stay_but{Pre,Here}(zone, block); */
	/*@ assert none: bits_fit_but{Pre}(zone, block) ==>
	  \forall integer b; 0 <= b < zone->count && b != block &&
	    is_whole(zone, b) ==> no_bits(zone, b); */
	/*@ assert bits_fit: bits_fit_but{Pre}(zone, block) ==>
	  bits_fit_but(zone, block); */
	/*@ assert blocks: \forall integer b; 0 <= b < zone->count &&
	  block_kept{Pre,Here}(&zone->blocks[b]) &&
	  block_ok{Pre}(&zone->blocks[b]) ==> block_ok(&zone->blocks[b]); */
	/*@ assert heads: \forall integer b; 0 <= b < zone->count &&
	  (zone->blocks[b].order >= 10 || \at(zone->blocks[b].order,Pre) >= 10)
	    ==> b != block &&
	      zone->blocks[b].order == \at(zone->blocks[b].order,Pre); */
	/*@ assert in_run: \forall integer h, integer b;
	  in_run(zone, h, b) <==> in_run{Pre}(zone, h, b); */
	/*@ assert at: runs_aligned{Pre}(zone) ==> \forall integer b;
	  0 <= b < zone->count && zone->blocks[b].order >= 10 ==>
	    run_at(zone->first + b, zone->blocks[b].order); */
	/*@ assert aligned: runs_aligned{Pre}(zone) ==>
	  heads_at(zone->blocks, zone->count, zone->first); */
}

/* fh_bits_clear() in `touched`: no page of the block is free. */
/*@
  requires zone_tables(zone) && block < zone->count;
  requires zone->blocks[block].order == 0;
  assigns zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures untouched: were_untouched{Pre,Post}(zone, block, 1);
  ensures chains: chains_ok{Pre}(zone) ==> chains_ok(zone);
  ensures fit: runs_fit{Pre}(zone) ==> runs_fit(zone);
  ensures apart: runs_apart{Pre}(zone) ==> runs_apart(zone);
  ensures aligned: runs_aligned{Pre}(zone) ==> runs_aligned(zone);
  ensures begins: run_can_begin{Pre}(zone, block) ==>
    run_can_begin(zone, block);
  ensures runs: runs_touched{Pre}(zone) && runs_fit{Pre}(zone) &&
    run_can_begin{Pre}(zone, block) ==>
    runs_touched(zone);
  ensures in_runs: touched_in_runs_but{Pre}(zone, block, 1) ==>
    touched_in_runs_but(zone, 0, 0);
  ensures bits_fit: bits_fit_but{Pre}(zone, block) &&
    no_bits{Pre}(zone, block) ==>
    bits_fit(zone);
  ensures parts_fit: parts_fit_but{Pre}(zone, block) ==> parts_fit(zone);
  ensures blocks: blocks_ok{Pre}(zone) ==> blocks_ok(zone);
  ensures bits: bits_stay_but{Pre,Post}(zone, block);
  ensures counts: counts_stay_but{Pre,Post}(zone, block);
*/
static void untouch_part(struct fh_zone *zone, uint64_t block)
{
	/*@ ghost ghost_zone_apart(zone); */
	/*@ ghost ghost_free_in_block(zone); */
	fh_bits_clear(zone->touched, block, 1);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert filled: zone->filled == \at(zone->filled,Pre); */
	/*@ assert touched: were_untouched{Pre,Here}(zone, block, 1); */
	/*@ assert words: words_kept_but{Pre,Here}(zone, zone->count); */
	/*@ assert in_run: \forall integer h, integer b;
	  in_run(zone, h, b) <==> in_run{Pre}(zone, h, b); */
	/*@ assert none: run_can_begin{Pre}(zone, block) ==>
	  \forall integer h; !in_run(zone, h, block); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert counts: counts_stay_but{Pre,Here}(zone, block); */
	/*@ assert kept: \forall integer b; 0 <= b < zone->count ==>
	  block_kept{Pre,Here}(&zone->blocks[b]); */
	/*@ assert blocks: \forall integer b; 0 <= b < zone->count &&
	  block_kept{Pre,Here}(&zone->blocks[b]) &&
	  block_ok{Pre}(&zone->blocks[b]) ==> block_ok(&zone->blocks[b]); */
}

/*
 * Each of the next three says more than the one before: what stays as it is;
 * chains and runs; the rest of the zone. First fh_block_clear():
 */
/*@
  requires zone_tables(zone) && block < zone->count;
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures block: block_ok(&zone->blocks[block]);
  ensures zeros: no_bits(zone, block);
  ensures filled: zone->filled == \old(zone->filled);
  ensures orders: orders_kept_but{Pre,Post}(zone, -1);
  ensures touches: touches_kept_but{Pre,Post}(zone, -1);
  ensures words: words_kept_but{Pre,Post}(zone, block);
  ensures word_orders: word_orders_kept_but{Pre,Post}(zone, block);
  ensures frees: frees_kept_but{Pre,Post}(zone, block);
  ensures fits: order_bits_kept_but{Pre,Post}(zone, block);
*/
static void clear_raw(struct fh_zone *zone, uint64_t block)
{
	/*@ ghost ghost_zone_apart(zone); */
	/*@ ghost ghost_full_groups(zone); */
	fh_block_clear(&zone->blocks[block]);
	/*@ assert zeros: \forall integer w, integer i; 0 <= w < 8 &&
	  0 <= i < 64 ==> zone->blocks[block].bits[w] == 0 && !has_bit(0, i); */
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
  requires chains_ok(zone) && runs_fit(zone) && runs_apart(zone);
  requires runs_aligned(zone) && run_can_begin(zone, block);
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures block: block_ok(&zone->blocks[block]);
  ensures zeros: no_bits(zone, block);
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
static void clear_bits(struct fh_zone *zone, uint64_t block)
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
	clear_raw(zone, block);
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
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures block: block_ok(&zone->blocks[block]);
  ensures zeros: no_bits(zone, block);
  ensures order: zone->blocks[block].order ==
    \old(zone->blocks[block].order);
  ensures aside: zone_aside(zone, block);
  ensures touches: touches_kept_but{Pre,Post}(zone, -1);
  ensures bits: bits_stay_but{Pre,Post}(zone, block);
  ensures counts: counts_stay_but{Pre,Post}(zone, block);
*/
static void clear_part(struct fh_zone *zone, uint64_t block)
{
	/*@ ghost ghost_bits_fit_but(zone, block); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert none: \forall integer b; 0 <= b < zone->count && b != block &&
	  is_whole(zone, b) ==> no_bits(zone, b); */
	clear_bits(zone, block);
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

/* fh_runs_give(), of blocks without bits: */
/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires block <= zone->count && n <= zone->count - block;
  requires runs_fit(zone) && runs_apart(zone) && runs_aligned(zone);
  requires runs_touched(zone) && touched_in_runs_but(zone, block, n);
  requires no_orders(zone, block, n);
  requires n > 0 ==> run_can_begin(zone, block);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures chains: chains_ok(zone);
  ensures runs: runs_ok(zone);
  ensures parts: parts_kept{Pre,Post}(zone);
  ensures touches: were_touched{Pre,Post}(zone, block, n);
  ensures words: words_kept_but{Pre,Post}(zone, zone->count);
  ensures frees: frees_kept_but{Pre,Post}(zone, zone->count);
  ensures blocks: blocks_ok{Pre}(zone) ==> blocks_ok(zone);
  ensures bits_fit: bits_fit{Pre}(zone) ==> bits_fit(zone);
  ensures parts_fit: parts_fit{Pre}(zone) ==> parts_fit(zone);
*/
static void give_in_zone(struct fh_zone *zone, uint64_t block, uint64_t n)
{
	/*@ ghost ghost_zone_apart(zone); */
	fh_runs_give(zone, block, n);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert words: words_kept_but{Pre,Here}(zone, zone->count); */
	/*@ assert counts: \forall integer b; 0 <= b < zone->count ==>
	  zone->blocks[b].free == \at(zone->blocks[b].free,Pre); */
	/*@ assert frees: frees_kept_but{Pre,Here}(zone, zone->count); */
	/*@ assert kept: \forall integer b; 0 <= b < zone->count ==>
	  block_kept{Pre,Here}(&zone->blocks[b]); */
	/*@ assert blocks: \forall integer b; 0 <= b < zone->count &&
	  block_kept{Pre,Here}(&zone->blocks[b]) &&
	  block_ok{Pre}(&zone->blocks[b]) ==> block_ok(&zone->blocks[b]); */
}

/* The block, whose bits are 0, becomes a run. */
/*@
  requires zone_unsettled(zone, block) && zone->blocks[block].order == 0;
  requires zeros: no_bits(zone, block);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures sound: zone_sound(zone);
  ensures whole: is_whole(zone, block) && is_touched(zone, block);
  ensures bits: bits_stay_but{Pre,Post}(zone, block);
  ensures counts: counts_stay_but{Pre,Post}(zone, block);
*/
static void close_part(struct fh_zone *zone, uint64_t block)
{
	/*@ ghost ghost_bits_fit_but(zone, block); */
	/*@ assert no_orders(zone, block, 1); */
	/*@ assert bits_fit: bits_fit(zone); */
	/*@ assert parts_fit: parts_fit(zone); */
	/*@ ghost ghost_free_in_block(zone); */
	give_in_zone(zone, block, 1);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert touches: \forall integer b; 0 <= b < zone->count ==>
	  (is_touched(zone, b) <==> is_touched{Pre}(zone, b)); */
	/*@ assert whole: \forall integer b; 0 <= b < zone->count ==>
	  (is_whole(zone, b) <==> is_whole{Pre}(zone, b)); */
	/*@ assert bits: \forall integer b, integer w; 0 <= b < zone->count &&
	  0 <= w < 8 ==> zone->blocks[b].bits[w] ==
	    \at(zone->blocks[b].bits[w],Pre); */
	/*@ assert has: \forall integer b, integer w, integer i;
	  0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 ==>
	    (has_bit(zone->blocks[b].bits[w], i) <==>
	       has_bit(\at(zone->blocks[b].bits[w],Pre), i)); */
	/*@ assert bits: bits_stay_but{Pre,Here}(zone, block); */
	/*@ assert counts: \forall integer b; 0 <= b < zone->count ==>
	  zone->blocks[b].free == \at(zone->blocks[b].free,Pre); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert counts: counts_stay_but{Pre,Here}(zone, block); */
}

/* A block whose order is 0 has no page free, one of 10 has all. */
/*@ ghost
  /@
    requires \valid(block) && block_ok(block);
    requires block_order_is(&block->word_order[0], order);
    assigns \nothing;
    exits \false;
    ensures none: order == 0 ==> block->free == 0 &&
      \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
        !has_bit(block->bits[w], i);
    ensures all: order == 10 ==> block->free == 512 &&
      \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
        has_bit(block->bits[w], i);
  @/
  void ghost_order_says(struct fh_block *block, unsigned order)
  {
    /@
      loop invariant 0 <= w <= 8;
      loop invariant none: \forall integer v; 0 <= v < w && order == 0 ==>
        ones(block->bits[v], 64) == 0 &&
        \forall integer i; 0 <= i < 64 ==> !has_bit(block->bits[v], i);
      loop invariant all: \forall integer v; 0 <= v < w && order == 10 ==>
        ones(block->bits[v], 64) == 64 &&
        \forall integer i; 0 <= i < 64 ==> has_bit(block->bits[v], i);
      loop assigns w;
      loop variant 8 - w;
    @/
    for (int w = 0; w < 8; w++) {
      ghost_all_ones(block->bits[w]);
      /@ assert \forall integer i; 0 <= i < 64 &&
        has_bit(block->bits[w], i) ==> word_run(block->bits[w], i, 0); @/
      /@ assert none: order == 0 ==> block->word_order[w] == 0; @/
      /@ assert none: order == 0 ==> !has_run(block->bits[w], 0); @/
      /@ assert all: order == 10 ==> block->word_order[w] == 7; @/
      /@ assert all: order == 10 ==> has_run(block->bits[w], 6); @/
      /@ assert all: order == 10 ==> word_run(block->bits[w], 0, 6); @/
    }
  }
*/

/* Some pages of the block are free, and some are not. */
/*@
  requires zone_unsettled(zone, block) && 0 < order < 10;
  requires fits: block_order_is(&zone->blocks[block].word_order[0], order);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures sound: zone_sound(zone);
  ensures bits: settled_bits{Pre,Post}(zone, block);
  ensures counts: settled_counts{Pre,Post}(zone, block);
*/
static void settle_part(struct fh_zone *zone, uint64_t block, unsigned order)
{
	move_in_chains(zone, block, order);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert part: is_touched(zone, block) && !is_whole(zone, block); */
	/*@ assert in_runs: touched_in_runs_but(zone, 0, 0); */
	/*@ assert bits_fit: bits_fit(zone); */
	/*@ assert fits: block_order_is(&zone->blocks[block].word_order[0],
	  zone->blocks[block].order); */
	/*@ assert parts_fit: parts_fit(zone); */
	/*@ assert has: \forall integer w, integer i; 0 <= w < 8 &&
	  0 <= i < 64 ==> (bit_free(zone, block, w, i) <==>
	    has_bit(\at(zone->blocks[block].bits[w],Pre), i)); */
	/*@ assert bits: settled_bits{Pre,Here}(zone, block); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert free: free_in_block(zone, block) ==
	  \at(zone->blocks[block].free,Pre); */
	/*@ assert counts: settled_counts{Pre,Here}(zone, block); */
}

/* No page of the block is free. */
/*@
  requires zone_unsettled(zone, block) && no_bits(zone, block);
  requires zone->blocks[block].free == 0;
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures sound: zone_sound(zone);
  ensures bits: settled_bits{Pre,Post}(zone, block);
  ensures counts: settled_counts{Pre,Post}(zone, block);
*/
static void settle_used(struct fh_zone *zone, uint64_t block)
{
	move_in_chains(zone, block, 0);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert none: no_bits(zone, block); */
	untouch_part(zone, block);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert untouched: !is_touched(zone, block); */
	/*@ assert has: \forall integer w, integer i; 0 <= w < 8 &&
	  0 <= i < 64 ==> !bit_free(zone, block, w, i) &&
	    !has_bit(\at(zone->blocks[block].bits[w],Pre), i); */
	/*@ assert bits: settled_bits{Pre,Here}(zone, block); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert free: free_in_block(zone, block) == 0; */
	/*@ assert counts: settled_counts{Pre,Here}(zone, block); */
}

/* All pages of the block are free. */
/*@
  requires zone_unsettled(zone, block) && zone->blocks[block].free == 512;
  requires ones: \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
    has_bit(zone->blocks[block].bits[w], i);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures sound: zone_sound(zone);
  ensures bits: settled_bits{Pre,Post}(zone, block);
  ensures counts: settled_counts{Pre,Post}(zone, block);
*/
static void settle_free(struct fh_zone *zone, uint64_t block)
{
	move_in_chains(zone, block, 0);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert tables: zone_tables(zone); */
	/*@ assert fit: runs_fit(zone); */
	/*@ assert apart: runs_apart(zone); */
	/*@ assert aligned: runs_aligned(zone); */
	/*@ assert touched: runs_touched(zone); */
	/*@ assert in_runs: touched_in_runs_but(zone, block, 1); */
	/*@ assert bits_fit: bits_fit_but(zone, block); */
	/*@ assert parts_fit: parts_fit_but(zone, block); */
	/*@ assert blocks: blocks_ok(zone); */
	/*@ assert begins: run_can_begin(zone, block); */
	clear_part(zone, block);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert touched: is_touched(zone, block); */
	/*@ assert runs: runs_fit(zone) && runs_apart(zone) &&
	  runs_aligned(zone) && runs_touched(zone); */
	/*@ assert none: zone->blocks[block].order == 0; */
	/*@ assert begins: run_can_begin(zone, block); */
	/*@ assert in_runs: touched_in_runs_but(zone, block, 1); */
	/*@ assert bits_fit: bits_fit_but(zone, block); */
	/*@ assert parts_fit: parts_fit_but(zone, block); */
	/*@ assert blocks: blocks_ok(zone); */
	/*@ assert chains: chains_ok(zone); */
	/*@ assert unsettled: zone_unsettled(zone, block); */
	close_part(zone, block);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert has: \forall integer w, integer i; 0 <= w < 8 &&
	  0 <= i < 64 ==> bit_free(zone, block, w, i); */
	/*@ assert others: bits_stay_but{Pre,Here}(zone, block); */
	/*@ assert others: counts_stay_but{Pre,Here}(zone, block); */
	/*@ assert bits: settled_bits{Pre,Here}(zone, block); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert free: free_in_block(zone, block) == 512; */
	/*@ assert counts: settled_counts{Pre,Here}(zone, block); */
}

void fh_part_settle(struct fh_zone *zone, uint64_t block)
{
	unsigned order = fh_block_true_order(&zone->blocks[block]);

	/*@ ghost ghost_order_says(&zone->blocks[block], order); */
	if (order == FH_ORDER_BLOCK)
		settle_free(zone, block);
	else if (order > 0)
		settle_part(zone, block, order);
	else
		settle_used(zone, block);
}
