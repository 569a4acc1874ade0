/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Blocks that are free in part. Their bits change with block.h, which knows no
 * zone; here the block is put where it then belongs: a chain, or a run, or
 * nowhere. Nothing here counts a zone's free pages. Called with the zone's
 * lock held.
 */
#ifndef FRAMEHOLD_SRC_PARTS_H
#define FRAMEHOLD_SRC_PARTS_H

#include "whole.h"

/*@
  // As bits_fit and parts_fit, but of block x nothing is said.
  predicate bits_fit_but{L}(struct fh_zone *zone, integer x) =
    \forall integer b; 0 <= b < zone->count && b != x ==>
      (!is_whole(zone, b) ==> is_touched(zone, b)) &&
      (is_whole(zone, b) ==>
         \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
           !has_bit(zone->blocks[b].bits[w], i));

  predicate parts_fit_but{L}(struct fh_zone *zone, integer x) =
    \forall integer b; 0 <= b < zone->count && b != x &&
      !is_whole(zone, b) ==>
        block_order_is(&zone->blocks[b].word_order[0],
                       zone->blocks[b].order);

  // The bits of block x, which is in no run, have changed: it may be in the
  // wrong chain, or in none.
  predicate zone_unsettled{L}(struct fh_zone *zone, integer x) =
    zone_tables(zone) && chains_ok(zone) &&
    runs_fit(zone) && runs_apart(zone) && runs_aligned(zone) &&
    runs_touched(zone) && touched_in_runs_but(zone, x, 1) &&
    bits_fit_but(zone, x) && parts_fit_but(zone, x) && blocks_ok(zone) &&
    0 <= x < zone->count && is_touched(zone, x) &&
    zone->blocks[x].order < 10 && run_can_begin(zone, x);

  // What is free is what the bits of block x said, and in others what was.
  predicate settled_bits{A,B}(struct fh_zone *zone, integer x) =
    \forall integer b, integer w, integer i;
      0 <= b < \at(zone->count,A) && 0 <= w < 8 && 0 <= i < 64 ==>
        (bit_free{B}(zone, b, w, i) <==>
           (b == x ? has_bit(\at(zone->blocks[b].bits[w],A), i)
                   : bit_free{A}(zone, b, w, i)));

  predicate settled_counts{A,B}(struct fh_zone *zone, integer x) =
    \forall integer b; 0 <= b < \at(zone->count,A) ==>
      free_in_block{B}(zone, b) ==
        (b == x ? \at(zone->blocks[b].free,A) : free_in_block{A}(zone, b));

  // Pages offset .. offset+n-1 of the block are in use.
  predicate part_in_use{L}(struct fh_zone *zone, integer block,
                           integer offset, integer n) =
    \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 &&
      is_among(w, i, offset, n) ==> !bit_free(zone, block, w, i);
*/

/*
 * What the sums of free pages are bounded by. Sums of two states are compared
 * by the functions that change them.
 */
/*@ ghost
  /@
    requires zone_tables(zone) && blocks_ok(zone);
    assigns \nothing;
    exits \false;
    ensures each: \forall integer b; 0 <= b < zone->count ==>
      0 <= free_in_block(zone, b) <= 512;
    ensures bounds: 0 <= free_pages(zone, zone->count) <= 512 * zone->count;
    ensures part: \forall integer b; 0 <= b < zone->count ==>
      free_in_block(zone, b) <= free_pages(zone, zone->count);
  @/
  void ghost_free_pages(struct fh_zone *zone)
  {
    /@ assert blocks: \forall integer b; 0 <= b < zone->count ==>
      0 <= zone->blocks[b].free <= 512; @/
    /@ assert each: \forall integer b; 0 <= b < zone->count ==>
      0 <= free_in_block(zone, b) <= 512; @/
    /@
      loop invariant 0 <= k <= zone->count;
      loop invariant 0 <= free_pages(zone, k) <= 512 * k;
      loop invariant \forall integer b; 0 <= b < k ==>
        free_in_block(zone, b) <= free_pages(zone, k);
      loop assigns k;
      loop variant zone->count - k;
    @/
    for (uint64_t k = 0; k < zone->count; k++)
      ;
  }
*/

/* Puts a block whose bits have changed where it belongs. */
/*@
  requires zone_unsettled(zone, block);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures sound: zone_sound(zone);
  ensures bits: settled_bits{Pre,Post}(zone, block);
  ensures counts: settled_counts{Pre,Post}(zone, block);
*/
void fh_part_settle(struct fh_zone *zone, uint64_t block);

/* One block of the smallest run gets bits, all free; settle it afterwards. */
uint64_t fh_part_open(struct fh_zone *zone);

/* Pages offset .. offset+n-1 of a block, all free, come into use. */
void fh_part_take(struct fh_zone *zone, uint64_t block, uint64_t offset,
		  uint64_t n);

/* Pages offset .. offset+n-1 of a block, all in use, become free. */
/*@
  requires zone_sound(zone) && block < zone->count;
  requires offset < 512 && 0 < n <= 512 - offset;
  requires part_in_use(zone, block, offset, n);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures sound: zone_sound(zone);
  ensures given: pages_given{Pre,Post}(zone,
    (zone->first + block) * 512 + offset, n);
  ensures counted: free_pages(zone, zone->count) ==
    \old(free_pages(zone, zone->count)) + n;
*/
void fh_part_give(struct fh_zone *zone, uint64_t block, uint64_t offset,
		  uint64_t n);

/* How many of n pages from `page` on lie in the same block. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result <= n && \result <= 512 - page % 512;
  ensures n > 0 ==> \result > 0;
  ensures \result == n || page % 512 + \result == 512;
*/
static inline uint64_t fh_pages_in_block(uint64_t page, uint64_t n)
{
	uint64_t room = FH_BLOCK_PAGES - page % FH_BLOCK_PAGES;

	return n < room ? n : room;
}

#endif /* FRAMEHOLD_SRC_PARTS_H */
