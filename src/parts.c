/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Blocks that are free in part, in their zone. Bits are set and cleared first,
 * and then the block goes to the chain that they call for. A block whose last
 * page in use comes back loses its bits and becomes a run; a block of a run
 * that is taken in part gets bits again.
 */
#include "parts.h"

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

void fh_part_settle(struct fh_zone *zone, uint64_t block)
{
	struct fh_block *b = &zone->blocks[block];
	unsigned order = fh_block_true_order(b);

	/*@ ghost ghost_order_says(b, order); */
	if (order < FH_ORDER_BLOCK) {
		fh_chain_move(zone, block, order);
		if (order == 0)
			untouch_part(zone, block);
		return;
	}
	fh_chain_move(zone, block, 0);
	fh_block_clear(b);
	give_in_zone(zone, block, 1);
}

uint64_t fh_part_open(struct fh_zone *zone)
{
	uint64_t block = fh_runs_take(zone, FH_ORDER_BLOCK);

	fh_block_fill(&zone->blocks[block]);
	fh_bits_set(zone->touched, block, 1);
	return block;
}

void fh_part_take(struct fh_zone *zone, uint64_t block, uint64_t offset,
		  uint64_t n)
{
	struct fh_block *b = &zone->blocks[block];

	if (fh_runs_have(zone, block)) {
		fh_runs_take_exact(zone, block, 1);
		fh_block_fill(b);
		fh_bits_set(zone->touched, block, 1);
	}
	fh_block_take(b, offset, n);
	fh_part_settle(zone, block);
}

void fh_part_give(struct fh_zone *zone, uint64_t block, uint64_t offset,
		  uint64_t n)
{
	fh_block_give(&zone->blocks[block], offset, n);
	fh_part_touch(zone, block);
	fh_part_settle(zone, block);
}
