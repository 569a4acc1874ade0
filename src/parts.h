/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Blocks that are free in part. Their bits change with block.h, which knows no
 * zone; here the block is put where it then belongs: a chain, or a run, or
 * nowhere. Nothing here counts a zone's free pages. Called with the zone's
 * lock held.
 *
 * Some functions of parts.c, open.c, refill.c and words.c only call the next
 * one: x_raw, x_bits and x_in_zone are the same act, of which each says more:
 * which words change, what that leaves of chains and runs, and of the zone. At
 * once, all of it is beyond the provers; to the compiler, it is one function.
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

  predicate no_bits{L}(struct fh_zone *zone, integer x) =
    \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
      !has_bit(zone->blocks[x].bits[w], i);

  // The bits of block x, which is in no run, have changed: it may be in the
  // wrong chain, or in none.
  predicate zone_unsettled{L}(struct fh_zone *zone, integer x) =
    zone_tables(zone) && chains_ok(zone) &&
    runs_fit(zone) && runs_apart(zone) && runs_aligned(zone) &&
    runs_touched(zone) && touched_in_runs_but(zone, x, 1) &&
    bits_fit_but(zone, x) && parts_fit_but(zone, x) && blocks_ok(zone) &&
    0 <= x < zone->count && is_touched(zone, x) &&
    zone->blocks[x].order < 10 && run_can_begin(zone, x);

  // The same of a block of which no page need be free.
  predicate zone_aside{L}(struct fh_zone *zone, integer x) =
    zone_tables(zone) && chains_ok(zone) &&
    runs_fit(zone) && runs_apart(zone) && runs_aligned(zone) &&
    runs_touched(zone) && touched_in_runs_but(zone, x, 1) &&
    bits_fit_but(zone, x) && parts_fit_but(zone, x) && blocks_ok(zone) &&
    0 <= x < zone->count &&
    zone->blocks[x].order < 10 && run_can_begin(zone, x);

  // The zone has the same tables, and they name the same pages.
  predicate tables_kept{A,B}(struct fh_zone *zone) =
    \at(zone->count,A) == \at(zone->count,B) &&
    \at(zone->first,A) == \at(zone->first,B) &&
    \at(zone->blocks,A) == \at(zone->blocks,B) &&
    \at(zone->touched,A) == \at(zone->touched,B);

  // Of block x, which may be none, these say nothing.
  predicate orders_kept_but{A,B}(struct fh_zone *zone, integer x) =
    \forall integer b; 0 <= b < \at(zone->count,A) && b != x ==>
      \at(zone->blocks[b].order,A) == \at(zone->blocks[b].order,B);

  predicate touches_kept_but{A,B}(struct fh_zone *zone, integer x) =
    \forall integer b; 0 <= b < \at(zone->count,A) && b != x ==>
      (is_touched{A}(zone, b) <==> is_touched{B}(zone, b));

  predicate words_kept_but{A,B}(struct fh_zone *zone, integer x) =
    \forall integer b, integer w; 0 <= b < \at(zone->count,A) && b != x &&
      0 <= w < 8 ==>
        \at(zone->blocks[b].bits[w],A) == \at(zone->blocks[b].bits[w],B);

  predicate word_orders_kept_but{A,B}(struct fh_zone *zone, integer x) =
    \forall integer b, integer w; 0 <= b < \at(zone->count,A) && b != x &&
      0 <= w < 8 ==>
        \at(zone->blocks[b].word_order[w],A) ==
          \at(zone->blocks[b].word_order[w],B);

  predicate frees_kept_but{A,B}(struct fh_zone *zone, integer x) =
    \forall integer b; 0 <= b < \at(zone->count,A) && b != x ==>
      \at(zone->blocks[b].free,A) == \at(zone->blocks[b].free,B);

  // An order that bits called for is called for.
  predicate order_bits_kept_but{A,B}(struct fh_zone *zone, integer x) =
    \forall integer b, integer o; 0 <= b < \at(zone->count,A) && b != x &&
      block_order_is{A}(\at(&zone->blocks[b].word_order[0],A), o) ==>
        block_order_is{B}(\at(&zone->blocks[b].word_order[0],B), o);

  // In other blocks the same pages are free, and as many.
  predicate bits_stay_but{A,B}(struct fh_zone *zone, integer x) =
    \forall integer b, integer w, integer i;
      0 <= b < \at(zone->count,A) && b != x && 0 <= w < 8 && 0 <= i < 64 ==>
        (bit_free{B}(zone, b, w, i) <==> bit_free{A}(zone, b, w, i));

  predicate counts_stay_but{A,B}(struct fh_zone *zone, integer x) =
    \forall integer b; 0 <= b < \at(zone->count,A) && b != x ==>
      free_in_block{B}(zone, b) == free_in_block{A}(zone, b);

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

  // Pages offset .. offset+n-1 of the block are free.
  predicate part_free{L}(struct fh_zone *zone, integer block,
                         integer offset, integer n) =
    \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 &&
      is_among(w, i, offset, n) ==> bit_free(zone, block, w, i);

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

/* Without ones, none of the block's pages is free. */
/*@ ghost
  /@
    requires \valid_read(block) && block_ok(block);
    assigns \nothing;
    exits \false;
    ensures (\forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
      !has_bit(block->bits[w], i)) ==> block->free == 0;
  @/
  void ghost_no_bits(const struct fh_block *block)
  {
    /@
      loop invariant 0 <= w <= 8;
      loop invariant \forall integer v; 0 <= v < w &&
        (\forall integer i; 0 <= i < 64 ==> !has_bit(block->bits[v], i)) ==>
          ones(block->bits[v], 64) == 0;
      loop assigns w;
      loop variant 8 - w;
    @/
    for (int w = 0; w < 8; w++)
      ghost_all_ones(block->bits[w]);
  }
*/

/* What bits_fit says of one block. */
/*@ ghost
  /@
    requires bits_fit(zone) && block < zone->count;
    assigns \nothing;
    exits \false;
    ensures none: is_whole(zone, block) ==> no_bits(zone, block);
    ensures part: !is_whole(zone, block) ==> is_touched(zone, block);
  @/
  void ghost_bits_fit(const struct fh_zone *zone, uint64_t block)
  {
  }
*/

/*@ ghost
  /@
    requires \valid_read(zone);
    assigns \nothing;
    exits \false;
    ensures bits_fit_but(zone, block) ==> \forall integer b;
      0 <= b < zone->count && b != block && !is_whole(zone, b) ==>
        is_touched(zone, b);
    ensures bits_fit_but(zone, block) ==> \forall integer b;
      0 <= b < zone->count && b != block && is_whole(zone, b) ==>
        no_bits(zone, b);
  @/
  void ghost_bits_fit_but(const struct fh_zone *zone, uint64_t block)
  {
  }
*/

/* A block that is not free as a whole is in no run. */
/*@ ghost
  /@
    requires zone_sound(zone) && block < zone->count;
    requires !(is_touched(zone, block) && is_whole(zone, block));
    assigns \nothing;
    exits \false;
    ensures order: zone->blocks[block].order < 10;
    ensures begins: run_can_begin(zone, block);
    ensures runs: \forall integer h; !in_run(zone, h, block);
    ensures bits: \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
      (has_bit(zone->blocks[block].bits[w], i) <==>
         bit_free(zone, block, w, i));
    ensures count: zone->blocks[block].free == free_in_block(zone, block);
    ensures others: touched_in_runs_but(zone, block, 1);
    ensures others: bits_fit_but(zone, block) && parts_fit_but(zone, block);
  @/
  void ghost_in_no_run(struct fh_zone *zone, uint64_t block)
  {
    ghost_no_bits(&zone->blocks[block]);
    ghost_free_in_block(zone);
    ghost_bits_fit(zone, block);
    /@ assert none: is_whole(zone, block) ==>
      zone->blocks[block].free == 0 && free_in_block(zone, block) == 0; @/
    /@ assert in_run: zone->blocks[block].order >= 10 ==>
      in_run(zone, block, block); @/
    /@ assert runs: \forall integer h; in_run(zone, h, block) && h < block ==>
      zone->blocks[block].order == 0; @/
    /@ assert runs: \forall integer h; !in_run(zone, h, block); @/
    /@ assert begins: \forall integer h; 0 <= h < block &&
      zone->blocks[h].order >= 10 ==> !in_run(zone, h, block); @/
  }
*/

/*
 * What the words' orders say of a block, with each word by its number: so the
 * provers see that equal words say the same.
 */
/*@ ghost
  /@
    requires zone_tables(zone);
    assigns \nothing;
    exits \false;
    ensures pairs: \forall integer b; 0 <= b < zone->count ==>
      (full_group(&zone->blocks[b].word_order[0], 2) <==>
         (zone->blocks[b].word_order[0] == 7 &&
          zone->blocks[b].word_order[1] == 7) ||
         (zone->blocks[b].word_order[2] == 7 &&
          zone->blocks[b].word_order[3] == 7) ||
         (zone->blocks[b].word_order[4] == 7 &&
          zone->blocks[b].word_order[5] == 7) ||
         (zone->blocks[b].word_order[6] == 7 &&
          zone->blocks[b].word_order[7] == 7));
    ensures fours: \forall integer b; 0 <= b < zone->count ==>
      (full_group(&zone->blocks[b].word_order[0], 4) <==>
         (zone->blocks[b].word_order[0] == 7 &&
          zone->blocks[b].word_order[1] == 7 &&
          zone->blocks[b].word_order[2] == 7 &&
          zone->blocks[b].word_order[3] == 7) ||
         (zone->blocks[b].word_order[4] == 7 &&
          zone->blocks[b].word_order[5] == 7 &&
          zone->blocks[b].word_order[6] == 7 &&
          zone->blocks[b].word_order[7] == 7));
  @/
  void ghost_full_groups(const struct fh_zone *zone)
  {
    /@ assert pair: \forall integer b; 0 <= b < zone->count &&
      zone->blocks[b].word_order[0] == 7 &&
      zone->blocks[b].word_order[1] == 7 ==>
        full_words(&zone->blocks[b].word_order[0], 0, 2); @/
    /@ assert pair: \forall integer b; 0 <= b < zone->count &&
      zone->blocks[b].word_order[2] == 7 &&
      zone->blocks[b].word_order[3] == 7 ==>
        full_words(&zone->blocks[b].word_order[0], 2, 2); @/
    /@ assert pair: \forall integer b; 0 <= b < zone->count &&
      zone->blocks[b].word_order[4] == 7 &&
      zone->blocks[b].word_order[5] == 7 ==>
        full_words(&zone->blocks[b].word_order[0], 4, 2); @/
    /@ assert pair: \forall integer b; 0 <= b < zone->count &&
      zone->blocks[b].word_order[6] == 7 &&
      zone->blocks[b].word_order[7] == 7 ==>
        full_words(&zone->blocks[b].word_order[0], 6, 2); @/
    /@ assert four: \forall integer b; 0 <= b < zone->count &&
      zone->blocks[b].word_order[0] == 7 &&
      zone->blocks[b].word_order[1] == 7 &&
      zone->blocks[b].word_order[2] == 7 &&
      zone->blocks[b].word_order[3] == 7 ==>
        full_words(&zone->blocks[b].word_order[0], 0, 4); @/
    /@ assert four: \forall integer b; 0 <= b < zone->count &&
      zone->blocks[b].word_order[4] == 7 &&
      zone->blocks[b].word_order[5] == 7 &&
      zone->blocks[b].word_order[6] == 7 &&
      zone->blocks[b].word_order[7] == 7 ==>
        full_words(&zone->blocks[b].word_order[0], 4, 4); @/
  }
*/

/* What the words' orders say of one block, with each word by its number. */
/*@ ghost
  /@
    requires \valid_read(block);
    assigns \nothing;
    exits \false;
    ensures pairs: full_group(&block->word_order[0], 2) <==>
      (block->word_order[0] == 7 &&
       block->word_order[1] == 7) ||
      (block->word_order[2] == 7 &&
       block->word_order[3] == 7) ||
      (block->word_order[4] == 7 &&
       block->word_order[5] == 7) ||
      (block->word_order[6] == 7 &&
       block->word_order[7] == 7);
    ensures fours: full_group(&block->word_order[0], 4) <==>
      (block->word_order[0] == 7 &&
       block->word_order[1] == 7 &&
       block->word_order[2] == 7 &&
       block->word_order[3] == 7) ||
      (block->word_order[4] == 7 &&
       block->word_order[5] == 7 &&
       block->word_order[6] == 7 &&
       block->word_order[7] == 7);
  @/
  void ghost_groups(const struct fh_block *block)
  {
    /@ assert pair: block->word_order[0] == 7 &&
      block->word_order[1] == 7 ==>
        full_words(&block->word_order[0], 0, 2); @/
    /@ assert pair: block->word_order[2] == 7 &&
      block->word_order[3] == 7 ==>
        full_words(&block->word_order[0], 2, 2); @/
    /@ assert pair: block->word_order[4] == 7 &&
      block->word_order[5] == 7 ==>
        full_words(&block->word_order[0], 4, 2); @/
    /@ assert pair: block->word_order[6] == 7 &&
      block->word_order[7] == 7 ==>
        full_words(&block->word_order[0], 6, 2); @/
    /@ assert four: block->word_order[0] == 7 &&
      block->word_order[1] == 7 &&
      block->word_order[2] == 7 &&
      block->word_order[3] == 7 ==>
        full_words(&block->word_order[0], 0, 4); @/
    /@ assert four: block->word_order[4] == 7 &&
      block->word_order[5] == 7 &&
      block->word_order[6] == 7 &&
      block->word_order[7] == 7 ==>
        full_words(&block->word_order[0], 4, 4); @/
  }
*/

/*@
  // As run_at, but provers take it for a name: see has_head in runs.h.
  predicate lies_at(integer named, integer number, integer order) =
    named > 0 ? lies_at(0, number, order) : run_at(number, order);
*/

/*@ ghost
  /@
    requires \valid_read(zone);
    assigns \nothing;
    exits \false;
    ensures heads_at(zone->blocks, zone->count, first) <==>
      \forall integer b; 0 <= b < zone->count &&
        zone->blocks[b].order >= 10 ==>
          lies_at(1, first + b, zone->blocks[b].order);
  @/
  void ghost_aligned(const struct fh_zone *zone, uint64_t first)
  {
    /@ assert \forall integer i, integer o;
      lies_at(0, i, o) <==> run_at(i, o); @/
    /@ assert \forall integer i, integer o;
      lies_at(1, i, o) <==> lies_at(0, i, o); @/
  }
*/

/* Puts a block whose bits have changed where it belongs. */
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
  ensures bits: settled_bits{Pre,Post}(zone, block);
  ensures counts: settled_counts{Pre,Post}(zone, block);
*/
void fh_part_settle(struct fh_zone *zone, uint64_t block);

/* A block that is free in part may as well be one that is not settled. */
/*@ ghost
  /@
    requires zone_sound(zone) && block < zone->count;
    requires !is_whole(zone, block);
    assigns \nothing;
    exits \false;
    ensures zone_unsettled(zone, block);
    ensures settled_bits{Here,Here}(zone, block);
    ensures settled_counts{Here,Here}(zone, block);
  @/
  void ghost_part(struct fh_zone *zone, uint64_t block)
  {
    ghost_in_no_run(zone, block);
    ghost_free_in_block(zone);
    /@ assert touched: is_touched(zone, block); @/
  }
*/

/* One block of the smallest run gets bits, all free; settle it afterwards. */
/*@
  requires zone_sound(zone);
  requires \exists integer o; 10 <= o <= FH_ORDER_LAST &&
    has_bit(zone->filled, o);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures unsettled: zone_unsettled(zone, \result);
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures free: zone->free == \old(zone->free);
  ensures full: block_ones(&zone->blocks[\result], 0, 512);
  ensures full: zone->blocks[\result].free == 512;
  ensures bits: settled_bits{Post,Pre}(zone, \result);
  ensures counts: settled_counts{Post,Pre}(zone, \result);
*/
uint64_t fh_part_open(struct fh_zone *zone);

/* Pages offset .. offset+n-1 of a block with bits, all free; settles it. */
/*@
  requires zone_unsettled(zone, block) && offset <= 512;
  requires n <= 512 - offset;
  requires block_ones(&zone->blocks[block], offset, n);
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
  ensures bits: \forall integer b, integer w, integer i;
    0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 ==>
      (bit_free(zone, b, w, i) <==>
         (b == block ? has_bit(\old(zone->blocks[b].bits[w]), i) &&
                         !is_among(w, i, offset, n)
                     : bit_free{Pre}(zone, b, w, i)));
  ensures counts: \forall integer b; 0 <= b < zone->count ==>
    free_in_block(zone, b) ==
      (b == block ? \old(zone->blocks[b].free) - n
                  : free_in_block{Pre}(zone, b));
*/
void fh_part_take_opened(struct fh_zone *zone, uint64_t block, uint64_t offset,
			 uint64_t n);

/*@
  // The word's first page is one of that block's.
  predicate word_of_block(integer base, integer number) =
    number * 512 <= base < number * 512 + 512 && base % 64 == 0;

  // The pages of that word were free, and are not now; all other pages of the
  // block are as they were.
  predicate word_was_taken{A,B}(struct fh_block *block, integer number,
                                integer base, integer bits) =
    \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
      (base == number * 512 + 64 * w && has_bit(bits, i)
         ? has_bit(\at(block->bits[w],A), i) &&
           !has_bit(\at(block->bits[w],B), i)
         : (has_bit(\at(block->bits[w],B), i) <==>
              has_bit(\at(block->bits[w],A), i)));
*/

/* Pages of one word of a block with bits, at most `want`; it has some. */
/*@
  requires zone_aside(zone, block);
  requires zone->blocks[block].free > 0;
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
  ensures aside: zone_aside(zone, block);
  ensures touches: touches_kept_but{Pre,Post}(zone, -1);
  ensures bits: bits_stay_but{Pre,Post}(zone, block);
  ensures counts: counts_stay_but{Pre,Post}(zone, block);
*/
struct fh_taken fh_part_take_word(struct fh_zone *zone, uint64_t block,
				  uint64_t want);

/* Pages offset .. offset+n-1 of a block, all free, come into use. */
/*@
  requires zone_sound(zone) && block < zone->count;
  requires offset < 512 && 0 < n <= 512 - offset;
  requires part_free(zone, block, offset, n);
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
  ensures taken: pages_taken{Pre,Post}(zone,
    (zone->first + block) * 512 + offset, n);
  ensures counted: free_pages(zone, zone->count) ==
    \old(free_pages(zone, zone->count)) - n;
*/
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

/* The same for the n pages of mask, in that word of the block. */
/*@
  requires zone_sound(zone) && block < zone->count && word < 8;
  requires n > 0 && n == ones(mask, 64);
  requires in_use: \forall integer i; 0 <= i < 64 && has_bit(mask, i) ==>
    !bit_free(zone, block, word, i);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures sound: zone_sound(zone);
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures free: zone->free == \old(zone->free);
  ensures given: mask_given{Pre,Post}(zone,
    (zone->first + block) * 512 + 64 * word, mask);
  ensures counted: free_pages(zone, zone->count) ==
    \old(free_pages(zone, zone->count)) + n;
*/
void fh_part_give_mask(struct fh_zone *zone, uint64_t block, uint64_t word,
		       uint64_t mask, uint64_t n);

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

/* The block gets bits; settle it afterwards. */
/*@
  requires zone_tables(zone) && block < zone->count;
  assigns zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures touches: were_touched{Pre,Post}(zone, block, 1);
  ensures words: words_kept_but{Pre,Post}(zone, zone->count);
  ensures chains: chains_ok{Pre}(zone) ==> chains_ok(zone);
  ensures fit: runs_fit{Pre}(zone) ==> runs_fit(zone);
  ensures apart: runs_apart{Pre}(zone) ==> runs_apart(zone);
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
static inline void fh_part_touch(struct fh_zone *zone, uint64_t block)
{
	/*@ ghost ghost_zone_apart(zone); */
	fh_bits_set(zone->touched, block, 1);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert filled: zone->filled == \at(zone->filled,Pre); */
	/*@ assert touched: were_touched{Pre,Here}(zone, block, 1); */
	/*@ assert words: words_kept_but{Pre,Here}(zone, zone->count); */
	/*@ assert in_run: \forall integer h, integer b;
	  in_run(zone, h, b) <==> in_run{Pre}(zone, h, b); */
	/*@ assert kept: \forall integer b; 0 <= b < zone->count ==>
	  block_kept{Pre,Here}(&zone->blocks[b]); */
	/*@ assert blocks: \forall integer b; 0 <= b < zone->count &&
	  block_kept{Pre,Here}(&zone->blocks[b]) &&
	  block_ok{Pre}(&zone->blocks[b]) ==> block_ok(&zone->blocks[b]); */
}

#endif /* FRAMEHOLD_SRC_PARTS_H */
