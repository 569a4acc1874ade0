/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pages out of one block: it has bits before some of them are cleared, and goes
 * where it then belongs. What ends in _raw, _bits and _in_zone is one act in
 * three contracts: parts.h.
 */
#include "parts.h"

/*
 * What changes bits is said in three steps, each of which adds to the one
 * before: what stays as it is; chains and runs; the rest of the zone. First
 * fh_block_fill():
 */
/*@
  requires zone_tables(zone) && block < zone->count;
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures block: block_ok(&zone->blocks[block]);
  ensures full: block_ones(&zone->blocks[block], 0, 512);
  ensures full: zone->blocks[block].free == 512;
  ensures filled: zone->filled == \old(zone->filled);
  ensures orders: orders_kept_but{Pre,Post}(zone, -1);
  ensures touches: touches_kept_but{Pre,Post}(zone, -1);
  ensures words: words_kept_but{Pre,Post}(zone, block);
  ensures word_orders: word_orders_kept_but{Pre,Post}(zone, block);
  ensures frees: frees_kept_but{Pre,Post}(zone, block);
  ensures fits: order_bits_kept_but{Pre,Post}(zone, block);
*/
static void fill_raw(struct fh_zone *zone, uint64_t block)
{
	/*@ ghost ghost_zone_apart(zone); */
	/*@ ghost ghost_full_groups(zone); */
	fh_block_fill(&zone->blocks[block]);
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
  ensures full: block_ones(&zone->blocks[block], 0, 512);
  ensures full: zone->blocks[block].free == 512;
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
static void fill_bits(struct fh_zone *zone, uint64_t block)
{
	/*@ assert nexts: nexts_but(zone, zone->count); */
	/*@ assert nexts_back: nexts_back_but(zone, zone->count); */
	/*@ assert previouses: previouses_but(zone, zone->count); */
	/*@ assert previouses_back: previouses_back_but(zone, zone->count); */
	/*@ assert firsts: firsts_but(zone, zone->count); */
	/*@ assert heads: heads_but(zone, zone->count); */
	/*@ assert orders_fit: orders_fit(zone); */
	/*@ assert filled: filled_fits(zone); */
	/*@ assert at: \forall integer b; 0 <= b < zone->count &&
	  zone->blocks[b].order >= 10 ==>
	    run_at(zone->first + b, zone->blocks[b].order); */
	fill_raw(zone, block);
	/*@ assert first: zone->first == \at(zone->first,Pre); */
	/*@ assert count: zone->count == \at(zone->count,Pre); */
	/*@ assert order: \forall integer b; 0 <= b < zone->count ==>
	  zone->blocks[b].order == \at(zone->blocks[b].order,Pre); */
	/*@ assert at: \forall integer b; 0 <= b < \at(zone->count,Pre) &&
	  \at(zone->blocks[b].order,Pre) >= 10 ==>
	    run_at(\at(zone->first,Pre) + b, \at(zone->blocks[b].order,Pre)); */
	/*@ assert nexts: nexts_but(zone, zone->count); */
	/*@ assert nexts_back: nexts_back_but(zone, zone->count); */
	/*@ assert previouses: previouses_but(zone, zone->count); */
	/*@ assert previouses_back: previouses_back_but(zone, zone->count); */
	/*@ assert firsts: firsts_but(zone, zone->count); */
	/*@ assert heads: heads_but(zone, zone->count); */
	/*@ assert orders_fit: orders_fit(zone); */
	/*@ assert filled: filled_fits(zone); */
	/*@ assert aligned: heads_at(zone->blocks, zone->count, zone->first); */
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
  ensures full: block_ones(&zone->blocks[block], 0, 512);
  ensures full: zone->blocks[block].free == 512;
  ensures aside: zone_aside(zone, block);
  ensures touches: touches_kept_but{Pre,Post}(zone, -1);
  ensures bits: bits_stay_but{Pre,Post}(zone, block);
  ensures counts: counts_stay_but{Pre,Post}(zone, block);
*/
static void fill_in_zone(struct fh_zone *zone, uint64_t block)
{
	/*@ ghost ghost_bits_fit_but(zone, block); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert none: \forall integer b; 0 <= b < zone->count && b != block &&
	  is_whole(zone, b) ==> no_bits(zone, b); */
	fill_bits(zone, block);
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

/* All pages of a block are each of its bits. */
/*@ ghost
  /@
    requires \valid_read(block) && block_ones(block, 0, 512);
    assigns \nothing;
    exits \false;
    ensures \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
      has_bit(block->bits[w], i);
  @/
  void ghost_all_bits(const struct fh_block *block)
  {
    /@ assert among: \forall integer w, integer i; 0 <= w < 8 &&
      0 <= i < 64 ==> is_among(w, i, 0, 512); @/
  }
*/

/* A block that no run has any more gets bits, all free. */
/*@
  requires zone_sound(zone) && block < zone->count;
  requires zone->blocks[block].order == 0 && !is_touched(zone, block);
  requires run_can_begin(zone, block);
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures unsettled: zone_unsettled(zone, block);
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures free: zone->free == \old(zone->free);
  ensures full: block_ones(&zone->blocks[block], 0, 512);
  ensures full: zone->blocks[block].free == 512;
  ensures ones: \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
    has_bit(zone->blocks[block].bits[w], i);
  ensures bits: bits_stay_but{Pre,Post}(zone, block);
  ensures counts: counts_stay_but{Pre,Post}(zone, block);
*/
static void fill_part(struct fh_zone *zone, uint64_t block)
{
	/*@ ghost ghost_in_no_run(zone, block); */
	/*@ assert aside: zone_aside(zone, block); */
	fill_in_zone(zone, block);
	/*@ assert tables: zone_tables(zone) && block < zone->count; */
	/*@ assert here: \valid_read(&zone->blocks[block]); */
	/*@ ghost ghost_all_bits(&zone->blocks[block]); */
	/*@ assert ones: \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64
	  ==> has_bit(zone->blocks[block].bits[w], i); */
	fh_part_touch(zone, block);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
	/*@ assert order: zone->blocks[block].order < 10; */
	/*@ assert touched: is_touched(zone, block); */
	/*@ assert tables: zone_tables(zone); */
}

uint64_t fh_part_open(struct fh_zone *zone)
{
	/*@ ghost ghost_free_in_block(zone); */
	/*@ ghost ghost_zone_apart(zone); */
	uint64_t block = fh_whole_take(zone, FH_ORDER_BLOCK);

	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
	fill_part(zone, block);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
	/*@ assert free: \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64
	  ==> bit_free{Pre}(zone, block, w, i); */
	return block;
}

/* The same of that block, which is free as a whole. */
/*@
  requires zone_sound(zone) && block < zone->count;
  requires is_touched(zone, block) && is_whole(zone, block);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures unsettled: zone_unsettled(zone, block);
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures free: zone->free == \old(zone->free);
  ensures bits: settled_bits{Post,Pre}(zone, block);
  ensures counts: settled_counts{Post,Pre}(zone, block);
*/
static void open_whole(struct fh_zone *zone, uint64_t block)
{
	/*@ ghost ghost_free_in_block(zone); */
	/*@ ghost ghost_zone_apart(zone); */
	fh_whole_take_exact(zone, block, 1);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert count: zone->count == \at(zone->count,Pre); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
	fill_part(zone, block);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
	/*@ assert free: \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64
	  ==> bit_free{Pre}(zone, block, w, i); */
}

/* The same of a block that has free pages. */
/*@
  requires zone_sound(zone) && block < zone->count;
  requires is_touched(zone, block);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures unsettled: zone_unsettled(zone, block);
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures free: zone->free == \old(zone->free);
  ensures bits: settled_bits{Post,Pre}(zone, block);
  ensures counts: settled_counts{Post,Pre}(zone, block);
*/
static void open_part(struct fh_zone *zone, uint64_t block)
{
	if (fh_runs_have(zone, block)) {
		open_whole(zone, block);
		return;
	}
	/*@ ghost ghost_part(zone, block); */
}

/* fh_block_take() in its zone. */
/*@
  requires zone_tables(zone) && block < zone->count;
  requires block_ok(&zone->blocks[block]) && offset <= 512;
  requires n <= 512 - offset;
  requires block_ones(&zone->blocks[block], offset, n);
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures block: block_ok(&zone->blocks[block]);
  ensures left: zone->blocks[block].free ==
    \old(zone->blocks[block].free) - n;
  ensures cleared:
    block_bits_were_cleared{Pre,Post}(&zone->blocks[block], offset, n);
  ensures filled: zone->filled == \old(zone->filled);
  ensures orders: orders_kept_but{Pre,Post}(zone, -1);
  ensures touches: touches_kept_but{Pre,Post}(zone, -1);
  ensures words: words_kept_but{Pre,Post}(zone, block);
  ensures word_orders: word_orders_kept_but{Pre,Post}(zone, block);
  ensures frees: frees_kept_but{Pre,Post}(zone, block);
  ensures fits: order_bits_kept_but{Pre,Post}(zone, block);
*/
static void take_raw(struct fh_zone *zone, uint64_t block, uint64_t offset,
		     uint64_t n)
{
	/*@ ghost ghost_zone_apart(zone); */
	/*@ ghost ghost_full_groups(zone); */
	fh_block_take(&zone->blocks[block], offset, n);
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
  requires block_ones(&zone->blocks[block], offset, n);
  requires chains_ok(zone) && runs_fit(zone) && runs_apart(zone);
  requires runs_aligned(zone) && run_can_begin(zone, block);
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures block: block_ok(&zone->blocks[block]);
  ensures left: zone->blocks[block].free ==
    \old(zone->blocks[block].free) - n;
  ensures cleared:
    block_bits_were_cleared{Pre,Post}(&zone->blocks[block], offset, n);
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
static void take_bits(struct fh_zone *zone, uint64_t block, uint64_t offset,
		      uint64_t n)
{
	/*@ assert nexts: nexts_but(zone, zone->count); */
	/*@ assert nexts_back: nexts_back_but(zone, zone->count); */
	/*@ assert previouses: previouses_but(zone, zone->count); */
	/*@ assert previouses_back: previouses_back_but(zone, zone->count); */
	/*@ assert firsts: firsts_but(zone, zone->count); */
	/*@ assert heads: heads_but(zone, zone->count); */
	/*@ assert orders_fit: orders_fit(zone); */
	/*@ assert filled: filled_fits(zone); */
	/*@ assert at: \forall integer b; 0 <= b < zone->count &&
	  zone->blocks[b].order >= 10 ==>
	    run_at(zone->first + b, zone->blocks[b].order); */
	take_raw(zone, block, offset, n);
	/*@ assert first: zone->first == \at(zone->first,Pre); */
	/*@ assert count: zone->count == \at(zone->count,Pre); */
	/*@ assert order: \forall integer b; 0 <= b < zone->count ==>
	  zone->blocks[b].order == \at(zone->blocks[b].order,Pre); */
	/*@ assert at: \forall integer b; 0 <= b < \at(zone->count,Pre) &&
	  \at(zone->blocks[b].order,Pre) >= 10 ==>
	    run_at(\at(zone->first,Pre) + b, \at(zone->blocks[b].order,Pre)); */
	/*@ assert nexts: nexts_but(zone, zone->count); */
	/*@ assert nexts_back: nexts_back_but(zone, zone->count); */
	/*@ assert previouses: previouses_but(zone, zone->count); */
	/*@ assert previouses_back: previouses_back_but(zone, zone->count); */
	/*@ assert firsts: firsts_but(zone, zone->count); */
	/*@ assert heads: heads_but(zone, zone->count); */
	/*@ assert orders_fit: orders_fit(zone); */
	/*@ assert filled: filled_fits(zone); */
	/*@ assert heads: \forall integer b; 0 <= b < \at(zone->count,Pre) &&
	  zone->blocks[b].order >= 10 ==>
	    run_at(\at(zone->first,Pre) + b, \at(zone->blocks[b].order,Pre)); */
	/*@ assert heads: \forall integer b; 0 <= b < \at(zone->count,Pre) &&
	  zone->blocks[b].order >= 10 ==>
	    run_at(\at(zone->first,Pre) + b, zone->blocks[b].order); */
	/*@ assert heads: heads_at(zone->blocks, zone->count,
	  \at(zone->first,Pre)); */
	/*@ assert aligned: heads_at(zone->blocks, zone->count, zone->first); */
}

/* The same, for all that a zone is in order by. */
/*@
  requires zone_aside(zone, block);
  requires offset <= 512;
  requires n <= 512 - offset;
  requires block_ones(&zone->blocks[block], offset, n);
  assigns zone->blocks[block].bits[0 .. 7],
          zone->blocks[block].word_order[0 .. 7], zone->blocks[block].free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures rest: zone->free == \old(zone->free);
  ensures block: block_ok(&zone->blocks[block]);
  ensures left: zone->blocks[block].free ==
    \old(zone->blocks[block].free) - n;
  ensures cleared:
    block_bits_were_cleared{Pre,Post}(&zone->blocks[block], offset, n);
  ensures aside: zone_aside(zone, block);
  ensures touches: touches_kept_but{Pre,Post}(zone, -1);
  ensures bits: bits_stay_but{Pre,Post}(zone, block);
  ensures counts: counts_stay_but{Pre,Post}(zone, block);
*/
static void take_in_zone(struct fh_zone *zone, uint64_t block, uint64_t offset,
			 uint64_t n)
{
	/*@ ghost ghost_bits_fit_but(zone, block); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert none: \forall integer b; 0 <= b < zone->count && b != block &&
	  is_whole(zone, b) ==> no_bits(zone, b); */
	take_bits(zone, block, offset, n);
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

/* fh_part_settle(), and what it leaves alone. */
/*@
  requires zone_unsettled(zone, block);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures sound: zone_sound(zone);
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures free: zone->free == \old(zone->free);
  ensures bits: settled_bits{Pre,Post}(zone, block);
  ensures counts: settled_counts{Pre,Post}(zone, block);
*/
static void settle_in_zone(struct fh_zone *zone, uint64_t block)
{
	/*@ assert apart: \separated(zone,
	  zone->blocks + (0 .. zone->count - 1)); */
	/*@ assert apart: \separated(zone,
	  zone->touched + (0 .. (zone->count - 1) / 64)); */
	fh_part_settle(zone, block);
	/*@ assert count: zone->count == \at(zone->count,Pre); */
	/*@ assert first: zone->first == \at(zone->first,Pre); */
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
}

void fh_part_take_opened(struct fh_zone *zone, uint64_t block, uint64_t offset,
			 uint64_t n)
{
	/*@ assert aside: zone_aside(zone, block); */
	take_in_zone(zone, block, offset, n);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert touched: is_touched(zone, block); */
	/*@ assert unsettled: zone_unsettled(zone, block); */
	settle_in_zone(zone, block);
	/*@ assert others: \forall integer b, integer w, integer i;
	  0 <= b < zone->count && b != block && 0 <= w < 8 && 0 <= i < 64 ==>
	    (bit_free(zone, b, w, i) <==> bit_free{Pre}(zone, b, w, i)); */
	/*@ assert this: \forall integer w, integer i;
	  0 <= w < 8 && 0 <= i < 64 ==>
	    (bit_free(zone, block, w, i) <==>
	       has_bit(\at(zone->blocks[block].bits[w],Pre), i) &&
	       !is_among(w, i, offset, n)); */
}

void fh_part_take(struct fh_zone *zone, uint64_t block, uint64_t offset,
		  uint64_t n)
{
	/*@ assert touched: bit_free(zone, block, offset / 64, offset % 64); */
	/*@ ghost ghost_zone_apart(zone); */
	open_part(zone, block);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
	/*@ assert ones: block_ones(&zone->blocks[block], offset, n); */
	fh_part_take_opened(zone, block, offset, n);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
	/*@ assert others: \forall integer b, integer w, integer i;
	  0 <= b < zone->count && b != block && 0 <= w < 8 && 0 <= i < 64 ==>
	    (bit_free(zone, b, w, i) <==> bit_free{Pre}(zone, b, w, i)) &&
	    !bit_among{Pre}(zone, b, w, i,
	      (zone->first + block) * 512 + offset, n); */
	/*@ assert this: \forall integer w, integer i;
	  0 <= w < 8 && 0 <= i < 64 ==>
	    (bit_free(zone, block, w, i) <==>
	       bit_free{Pre}(zone, block, w, i) &&
	       !bit_among{Pre}(zone, block, w, i,
	         (zone->first + block) * 512 + offset, n)); */
	/*@ assert taken: pages_taken{Pre,Here}(zone,
	  (zone->first + block) * 512 + offset, n); */
	/*@ assert counts: \forall integer b; 0 <= b < zone->count ==>
	  free_in_block(zone, b) == free_in_block{Pre}(zone, b) -
	    (b == block ? n : 0); */
	/*@ ghost
	  /@
	    loop invariant 0 <= k <= zone->count;
	    loop invariant free_pages(zone, k) == free_pages{Pre}(zone, k) -
	      (k > block ? n : 0);
	    loop assigns k;
	    loop variant zone->count - k;
	  @/
	  for (uint64_t k = 0; k < zone->count; k++)
	    ;
	*/
}
