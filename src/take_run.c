/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Whole runs out of a zone, for those who want blocks: the smallest one, or its
 * begin if it is larger than that.
 */
#include "parts.h"

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

/* The same of a run of that order; *size is how many blocks it has. */
/*@
  requires zone_sound(zone) && 10 <= order <= FH_ORDER_LAST;
  requires \valid(size) && \separated(size, zone,
    zone->blocks + (0 .. zone->count - 1),
    zone->touched + (0 .. (zone->count - 1) / 64));
  requires zone->free == free_pages(zone, zone->count) +
    512 * run_size(order);
  assigns zone->free, *size;
  exits \false;
  ensures ok: zone_ok(zone);
  ensures same: pages_taken{Pre,Post}(zone, 0, 0);
  ensures touched: were_touched{Pre,Post}(zone, 0, 0);
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures size: *size == run_size(order);
  ensures free: zone->free == \old(zone->free) - 512 * run_size(order);
*/
static void count_run(struct fh_zone *zone, unsigned order, uint64_t *size)
{
	/*@ ghost ghost_free_pages(zone); */
	/*@ ghost ghost_zone_apart(zone); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert nexts: nexts_but(zone, zone->count); */
	/*@ assert nexts_back: nexts_back_but(zone, zone->count); */
	/*@ assert previouses: previouses_but(zone, zone->count); */
	/*@ assert previouses_back: previouses_back_but(zone, zone->count); */
	/*@ assert firsts: firsts_but(zone, zone->count); */
	/*@ assert heads: heads_but(zone, zone->count); */
	/*@ assert filled: filled_fits(zone); */
	/*@ assert fit: runs_fit(zone) && runs_apart(zone); */
	/*@ assert aligned: runs_aligned(zone); */
	/*@ assert in_runs: touched_in_runs_but(zone, 0, 0); */
	/*@ assert parts: parts_fit(zone); */
	/*@ assert none: \forall integer b; 0 <= b < zone->count &&
	  is_whole(zone, b) ==> no_bits(zone, b); */
	/*@ assert some: \forall integer b; 0 <= b < zone->count &&
	  !is_whole(zone, b) ==> is_touched(zone, b); */
	/*@ assert apart: \forall integer b, integer w; 0 <= b < zone->count &&
	  0 <= w < 8 ==> \separated(size, &zone->blocks[b].bits[w]); */
	*size = fh_run_blocks(order);
	fh_zone_sub_free(zone, *size * FH_BLOCK_PAGES);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert filled: zone->filled == \at(zone->filled,Pre); */
	/*@ assert bits: words_kept_but{Pre,Here}(zone, zone->count); */
	/*@ assert words: \forall integer w; 0 <= w <= (zone->count - 1) / 64 ==>
	  zone->touched[w] == \at(zone->touched[w],Pre); */
	/*@ assert touched: were_touched{Pre,Here}(zone, 0, 0); */
	/*@ assert touches: touches_kept_but{Pre,Here}(zone, zone->count); */
	/*@ assert nexts: nexts_but(zone, zone->count); */
	/*@ assert nexts_back: nexts_back_but(zone, zone->count); */
	/*@ assert previouses: previouses_but(zone, zone->count); */
	/*@ assert previouses_back: previouses_back_but(zone, zone->count); */
	/*@ assert firsts: firsts_but(zone, zone->count); */
	/*@ assert heads: heads_but(zone, zone->count); */
	/*@ assert filled: filled_fits(zone); */
	/*@ assert chains: chains_ok(zone); */
	/*@ assert fit: runs_fit(zone); */
	/*@ assert apart: runs_apart(zone); */
	/*@ assert aligned: runs_aligned(zone); */
	/*@ assert kept: \forall integer b; 0 <= b < zone->count ==>
	  block_kept{Pre,Here}(&zone->blocks[b]); */
	/*@ assert blocks: \forall integer b; 0 <= b < zone->count &&
	  block_kept{Pre,Here}(&zone->blocks[b]) &&
	  block_ok{Pre}(&zone->blocks[b]) ==> block_ok(&zone->blocks[b]); */
	/*@ assert blocks: blocks_ok(zone); */
	/*@ assert runs: \forall integer h, integer b;
	  in_run(zone, h, b) <==> in_run{Pre}(zone, h, b); */
	/*@ assert runs: \forall integer h, integer b; in_run(zone, h, b) ==>
	  0 <= b < zone->count; */
	/*@ assert runs: runs_touched(zone); */
	/*@ assert in_runs: \forall integer b; 0 <= b < zone->count &&
	  is_touched(zone, b) && is_whole(zone, b) ==>
	    \exists integer head; in_run{Pre}(zone, head, b); */
	/*@ assert in_runs: touched_in_runs_but(zone, 0, 0); */
	/*@ assert runs: runs_ok(zone); */
	/*@ assert has: \forall integer b, integer w, integer i;
	  0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 &&
	  has_bit(zone->blocks[b].bits[w], i) ==>
	    has_bit(\at(zone->blocks[b].bits[w],Pre), i); */
	/*@ assert none: \forall integer b; 0 <= b < zone->count &&
	  is_whole(zone, b) ==> no_bits(zone, b); */
	/*@ assert some: \forall integer b; 0 <= b < zone->count &&
	  !is_whole(zone, b) ==> is_touched(zone, b); */
	/*@ assert bits: bits_fit(zone); */
	/*@ assert parts: parts_fit(zone); */
	/*@ assert there: zone_tables(zone); */
	/*@ assert sound: zone_sound(zone); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert counts: \forall integer b; 0 <= b < zone->count ==>
	  free_in_block(zone, b) == free_in_block{Pre}(zone, b); */
	/*@ ghost
	  /@
	    loop invariant 0 <= k <= zone->count;
	    loop invariant free_pages(zone, k) == free_pages{Pre}(zone, k);
	    loop assigns k;
	    loop variant zone->count - k;
	  @/
	  for (uint64_t k = 0; k < zone->count; k++)
	    ;
	*/
}

/* A run of that order; there is one of it or a larger one. */
/*@
  requires zone_ok(zone) && 10 <= order <= FH_ORDER_LAST;
  requires \exists integer o; order <= o <= FH_ORDER_LAST &&
    has_bit(zone->filled, o);
  requires \valid(size) && \separated(size, zone,
    zone->blocks + (0 .. zone->count - 1),
    zone->touched + (0 .. (zone->count - 1) / 64));
  assigns *size, zone->free,
          zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures ok: zone_ok(zone);
  ensures size: *size == run_size(order);
  ensures inside: \result + run_size(order) <= zone->count;
  ensures orders: no_orders(zone, \result, run_size(order));
  ensures begins: run_can_begin(zone, \result);
  ensures touched: were_untouched{Pre,Post}(zone, \result, run_size(order));
  ensures pages: pages_taken{Pre,Post}(zone, (zone->first + \result) * 512,
    512 * run_size(order));
  ensures free: zone->free == \old(zone->free) - 512 * run_size(order);
*/
static uint64_t take_run(struct fh_zone *zone, unsigned order, uint64_t *size)
{
	/*@ assert apart: \separated(zone,
	  zone->blocks + (0 .. zone->count - 1)); */
	uint64_t block = fh_whole_take(zone, order);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
	count_run(zone, order, size);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free ==
	  \at(zone->free,Pre) - 512 * run_size(order); */
	/*@ assert orders: no_orders(zone, block, run_size(order)); */
	/*@ assert begins: run_can_begin(zone, block); */
	/*@ assert taken: pages_taken{Pre,Here}(zone,
	  (zone->first + block) * 512, 512 * run_size(order)); */
	return block;
}

uint64_t fh_zone_take_run(struct fh_zone *zone, uint64_t want, uint64_t *size)
{
	unsigned best = fh_chain_best(zone, FH_ORDER_BLOCK);

	/*@ assert found: best != 0 ==> zone->heads[best] != FH_NO_BLOCK; */
	if (best == 0)
		return FH_NO_BLOCK;
	unsigned order = wanted_order(want, best);
	/*@ assert order: 10 <= order <= FH_ORDER_LAST; */
	/*@ assert want: run_size(order) == 1 || run_size(order) <= want; */
	/*@ assert sizes: run_size(order) == 1 || run_size(order) == 2 ||
	  run_size(order) == 4 || run_size(order) == 8 ||
	  run_size(order) == 16 || run_size(order) == 32 ||
	  run_size(order) == 64 || run_size(order) == 128 ||
	  run_size(order) == 256 || run_size(order) == 512; */
	uint64_t block = take_run(zone, order, size);
	/*@ assert size: *size == run_size(order); */
	return block;
}
