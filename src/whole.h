/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Whole blocks out of a zone that is in order, and stays so: what buddy.c does
 * with runs means to the pages that are free, and to their number. Called with
 * the zone's lock held.
 *
 * A block that becomes a run, which is in no order before, goes to buddy.c
 * itself.
 */
#ifndef FRAMEHOLD_SRC_WHOLE_H
#define FRAMEHOLD_SRC_WHOLE_H

#include "runs.h"

/*@
  // What is counted of the block is as it was.
  predicate block_kept{A,B}(struct fh_block *block) =
    \at(block->free,A) == \at(block->free,B) &&
    \at(block->bits[0],A) == \at(block->bits[0],B) &&
    \at(block->bits[1],A) == \at(block->bits[1],B) &&
    \at(block->bits[2],A) == \at(block->bits[2],B) &&
    \at(block->bits[3],A) == \at(block->bits[3],B) &&
    \at(block->bits[4],A) == \at(block->bits[4],B) &&
    \at(block->bits[5],A) == \at(block->bits[5],B) &&
    \at(block->bits[6],A) == \at(block->bits[6],B) &&
    \at(block->bits[7],A) == \at(block->bits[7],B) &&
    \at(block->word_order[0],A) == \at(block->word_order[0],B) &&
    \at(block->word_order[1],A) == \at(block->word_order[1],B) &&
    \at(block->word_order[2],A) == \at(block->word_order[2],B) &&
    \at(block->word_order[3],A) == \at(block->word_order[3],B) &&
    \at(block->word_order[4],A) == \at(block->word_order[4],B) &&
    \at(block->word_order[5],A) == \at(block->word_order[5],B) &&
    \at(block->word_order[6],A) == \at(block->word_order[6],B) &&
    \at(block->word_order[7],A) == \at(block->word_order[7],B);
*/

/*@
  // n blocks from first on had all pages free, and have none.
  predicate counts_taken{A,B}(struct fh_zone *zone, integer first,
                              integer n) =
    \forall integer b; 0 <= b < \at(zone->count,A) ==>
      free_in_block{A}(zone, b) ==
        free_in_block{B}(zone, b) + (first <= b < first + n ? 512 : 0);
*/

/* What free_in_block says, in words. */
/*@ ghost
  /@
    requires zone_tables(zone);
    assigns \nothing;
    exits \false;
    ensures \forall integer b; 0 <= b < zone->count && !is_touched(zone, b) ==>
      free_in_block(zone, b) == 0;
    ensures \forall integer b; 0 <= b < zone->count && is_touched(zone, b) &&
      is_whole(zone, b) ==> free_in_block(zone, b) == 512;
    ensures \forall integer b; 0 <= b < zone->count && is_touched(zone, b) &&
      !is_whole(zone, b) ==>
        free_in_block(zone, b) == zone->blocks[b].free;
  @/
  void ghost_free_in_block(const struct fh_zone *zone)
  {
  }
*/

/*
 * Each number is one of them: with this in sight the provers see that a field
 * of each of some blocks is a part of all of these blocks, in lists of what is
 * assigned.
 */
/*@ ghost
  /@
    assigns \nothing;
    exits \false;
    ensures \forall integer i; 0 <= i < n ==>
      \exists integer j; j <= i && 0 <= j && i <= j && j < n;
  @/
  void ghost_each(uint64_t n)
  {
  }
*/

/* Tables and their words do not overlap. */
/*@ ghost
  /@
    requires zone_tables(zone);
    assigns \nothing;
    exits \false;
    ensures \forall integer b, integer w; 0 <= b < zone->count && 0 <= w < 8 ==>
      \separated(zone, &zone->blocks[b].bits[w]);
    ensures \forall integer v; 0 <= v <= (zone->count - 1) / 64 ==>
      \separated(zone, &zone->touched[v]);
    ensures \forall integer b, integer v; 0 <= b < zone->count &&
      0 <= v <= (zone->count - 1) / 64 ==>
        \separated(&zone->blocks[b], &zone->touched[v]);
  @/
  void ghost_zone_apart(struct fh_zone *zone)
  {
    /@ assert \forall integer b; 0 <= b < zone->count ==>
      \separated(zone, &zone->blocks[b]); @/
  }
*/

/* As fh_runs_take_exact(). */
/*@
  requires zone_sound(zone);
  requires block <= zone->count && n <= zone->count - block;
  requires all_free(zone, block, n);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures sound: zone_sound(zone);
  ensures orders: no_orders(zone, block, n);
  ensures begins: n > 0 ==> run_can_begin(zone, block);
  ensures touched: were_untouched{Pre,Post}(zone, block, n);
  ensures taken: pages_taken{Pre,Post}(zone, (zone->first + block) * 512,
    512 * n);
  ensures counts: counts_taken{Pre,Post}(zone, block, n);
  ensures pages: free_pages(zone, zone->count) ==
    free_pages{Pre}(zone, zone->count) - 512 * n;
*/
static inline void fh_whole_take_exact(struct fh_zone *zone, uint64_t block,
				       uint64_t n)
{
	/*@ ghost ghost_zone_apart(zone); */
	/*@ ghost ghost_free_in_block(zone); */
	fh_runs_take_exact(zone, block, n);
	/*@ assert bits: \forall integer b, integer w; 0 <= b < zone->count &&
	  0 <= w < 8 ==> zone->blocks[b].bits[w] ==
	    \at(zone->blocks[b].bits[w],Pre); */
	/*@ assert counts: \forall integer b; 0 <= b < zone->count ==>
	  zone->blocks[b].free == \at(zone->blocks[b].free,Pre); */
	/*@ assert words: \forall integer b, integer w; 0 <= b < zone->count &&
	  0 <= w < 8 ==> zone->blocks[b].word_order[w] ==
	    \at(zone->blocks[b].word_order[w],Pre); */
	/*@ assert bits_fit: bits_fit(zone); */
	/*@ assert parts_fit: parts_fit(zone); */
	/*@ assert kept: \forall integer b; 0 <= b < zone->count ==>
	  block_kept{Pre,Here}(&zone->blocks[b]); */
	/*@ assert blocks: \forall integer b; 0 <= b < zone->count &&
	  block_kept{Pre,Here}(&zone->blocks[b]) &&
	  block_ok{Pre}(&zone->blocks[b]) ==> block_ok(&zone->blocks[b]); */
	/*@ assert blocks: blocks_ok(zone); */
	/*@ assert taken: pages_taken{Pre,Here}(zone,
	  (zone->first + block) * 512, 512 * n); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert none: \forall integer b; block <= b < block + n ==>
	  free_in_block(zone, b) == 0; */
	/*@ assert all: \forall integer b; block <= b < block + n ==>
	  free_in_block{Pre}(zone, b) == 512; */
	/*@ assert rest: \forall integer b; 0 <= b < zone->count &&
	  !(block <= b < block + n) ==>
	    free_in_block(zone, b) == free_in_block{Pre}(zone, b); */
	/*@ assert counts: counts_taken{Pre,Here}(zone, block, n); */
	/*@ ghost
	  /@
	    loop invariant 0 <= k <= zone->count;
	    loop invariant free_pages(zone, k) == free_pages{Pre}(zone, k) -
	      512 * (k <= block ? 0 : k <= block + n ? k - block : n);
	    loop assigns k;
	    loop variant zone->count - k;
	  @/
	  for (uint64_t k = 0; k < zone->count; k++)
	    ;
	*/
}

/* As fh_runs_take(). */
/*@
  requires zone_sound(zone) && 10 <= order <= FH_ORDER_LAST;
  requires \exists integer o; order <= o <= FH_ORDER_LAST &&
    has_bit(zone->filled, o);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures sound: zone_sound(zone);
  ensures inside: \result + run_size(order) <= zone->count;
  ensures at: run_at(zone->first + \result, order);
  ensures were: all_free{Pre}(zone, \result, run_size(order));
  ensures orders: no_orders(zone, \result, run_size(order));
  ensures begins: run_can_begin(zone, \result);
  ensures touched: were_untouched{Pre,Post}(zone, \result, run_size(order));
  ensures taken: pages_taken{Pre,Post}(zone, (zone->first + \result) * 512,
    512 * run_size(order));
  ensures counts: counts_taken{Pre,Post}(zone, \result, run_size(order));
  ensures pages: free_pages(zone, zone->count) ==
    free_pages{Pre}(zone, zone->count) - 512 * run_size(order);
*/
static inline uint64_t fh_whole_take(struct fh_zone *zone, unsigned order)
{
	/*@ ghost ghost_zone_apart(zone); */
	/*@ ghost ghost_free_in_block(zone); */
	uint64_t block = fh_runs_take(zone, order);
	/*@ assert bits: \forall integer b, integer w; 0 <= b < zone->count &&
	  0 <= w < 8 ==> zone->blocks[b].bits[w] ==
	    \at(zone->blocks[b].bits[w],Pre); */
	/*@ assert counts: \forall integer b; 0 <= b < zone->count ==>
	  zone->blocks[b].free == \at(zone->blocks[b].free,Pre); */
	/*@ assert words: \forall integer b, integer w; 0 <= b < zone->count &&
	  0 <= w < 8 ==> zone->blocks[b].word_order[w] ==
	    \at(zone->blocks[b].word_order[w],Pre); */
	/*@ assert bits_fit: bits_fit(zone); */
	/*@ assert parts_fit: parts_fit(zone); */
	/*@ assert kept: \forall integer b; 0 <= b < zone->count ==>
	  block_kept{Pre,Here}(&zone->blocks[b]); */
	/*@ assert blocks: \forall integer b; 0 <= b < zone->count &&
	  block_kept{Pre,Here}(&zone->blocks[b]) &&
	  block_ok{Pre}(&zone->blocks[b]) ==> block_ok(&zone->blocks[b]); */
	/*@ assert blocks: blocks_ok(zone); */
	/*@ assert taken: pages_taken{Pre,Here}(zone,
	  (zone->first + block) * 512, 512 * run_size(order)); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert none: \forall integer b; block <= b < block + run_size(order) ==>
	  free_in_block(zone, b) == 0; */
	/*@ assert all: \forall integer b; block <= b < block + run_size(order) ==>
	  free_in_block{Pre}(zone, b) == 512; */
	/*@ assert rest: \forall integer b; 0 <= b < zone->count &&
	  !(block <= b < block + run_size(order)) ==>
	    free_in_block(zone, b) == free_in_block{Pre}(zone, b); */
	/*@ assert counts: counts_taken{Pre,Here}(zone, block, run_size(order)); */
	/*@ ghost
	  /@
	    loop invariant 0 <= k <= zone->count;
	    loop invariant free_pages(zone, k) == free_pages{Pre}(zone, k) -
	      512 * (k <= block ? 0 :
	             k <= block + run_size(order) ? k - block : run_size(order));
	    loop assigns k;
	    loop variant zone->count - k;
	  @/
	  for (uint64_t k = 0; k < zone->count; k++)
	    ;
	*/
	return block;
}

/* As fh_runs_give(). */
/*@
  requires zone_sound(zone);
  requires block <= zone->count && n <= zone->count - block;
  requires no_orders(zone, block, n);
  requires \forall integer b; block <= b < block + n ==>
    !is_touched(zone, b);
  requires n > 0 ==> run_can_begin(zone, block);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures sound: zone_sound(zone);
  ensures given: pages_given{Pre,Post}(zone, (zone->first + block) * 512,
    512 * n);
  ensures counts: counts_taken{Post,Pre}(zone, block, n);
  ensures pages: free_pages(zone, zone->count) ==
    free_pages{Pre}(zone, zone->count) + 512 * n;
*/
static inline void fh_whole_give(struct fh_zone *zone, uint64_t block,
				 uint64_t n)
{
	/*@ ghost ghost_zone_apart(zone); */
	/*@ ghost ghost_free_in_block(zone); */
	fh_runs_give(zone, block, n);
	/*@ assert bits: \forall integer b, integer w; 0 <= b < zone->count &&
	  0 <= w < 8 ==> zone->blocks[b].bits[w] ==
	    \at(zone->blocks[b].bits[w],Pre); */
	/*@ assert counts: \forall integer b; 0 <= b < zone->count ==>
	  zone->blocks[b].free == \at(zone->blocks[b].free,Pre); */
	/*@ assert words: \forall integer b, integer w; 0 <= b < zone->count &&
	  0 <= w < 8 ==> zone->blocks[b].word_order[w] ==
	    \at(zone->blocks[b].word_order[w],Pre); */
	/*@ assert bits_fit: bits_fit(zone); */
	/*@ assert parts_fit: parts_fit(zone); */
	/*@ assert kept: \forall integer b; 0 <= b < zone->count ==>
	  block_kept{Pre,Here}(&zone->blocks[b]); */
	/*@ assert blocks: \forall integer b; 0 <= b < zone->count &&
	  block_kept{Pre,Here}(&zone->blocks[b]) &&
	  block_ok{Pre}(&zone->blocks[b]) ==> block_ok(&zone->blocks[b]); */
	/*@ assert blocks: blocks_ok(zone); */
	/*@ assert given: pages_given{Pre,Here}(zone,
	  (zone->first + block) * 512, 512 * n); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert all: \forall integer b; block <= b < block + n ==>
	  is_whole(zone, b) && free_in_block(zone, b) == 512; */
	/*@ assert none: \forall integer b; block <= b < block + n ==>
	  free_in_block{Pre}(zone, b) == 0; */
	/*@ assert rest: \forall integer b; 0 <= b < zone->count &&
	  !(block <= b < block + n) ==>
	    free_in_block(zone, b) == free_in_block{Pre}(zone, b); */
	/*@ assert counts: counts_taken{Here,Pre}(zone, block, n); */
	/*@ ghost
	  /@
	    loop invariant 0 <= k <= zone->count;
	    loop invariant free_pages(zone, k) == free_pages{Pre}(zone, k) +
	      512 * (k <= block ? 0 : k <= block + n ? k - block : n);
	    loop assigns k;
	    loop variant zone->count - k;
	  @/
	  for (uint64_t k = 0; k < zone->count; k++)
	    ;
	*/
}

#endif /* FRAMEHOLD_SRC_WHOLE_H */
