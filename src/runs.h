/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Runs of whole blocks. Where they may lie: a run of 2^(order -
 * FH_ORDER_BLOCK) blocks at a multiple of its size, counted in blocks from
 * page 0. `number` is always counted so; functions that are given one look at
 * no zone, and need no lock. The others stand in buddy.c.
 */
#ifndef FRAMEHOLD_SRC_RUNS_H
#define FRAMEHOLD_SRC_RUNS_H

#include "zones.h"

/*@
  // As in_run, but orders alone say it.
  predicate run_has{L}(struct fh_zone *zone, integer head, integer block) =
    0 <= head <= block && zone->blocks[head].order >= 10 &&
    block < head + run_size(zone->blocks[head].order);

  // Calls itself for no other reason than that provers take it for a name
  // then, and compare what it says at two places without unfolding it.
  predicate has_head{L}(struct fh_zone *zone, integer named, integer block) =
    named > 0 ? has_head(zone, 0, block)
              : \exists integer head; run_has(zone, head, block);

  predicate in_some_run{L}(struct fh_zone *zone, integer block) =
    has_head(zone, 1, block);

  // Blocks first .. first+n-1 came into runs, or out of them, and no others.
  predicate runs_gained{A,B}(struct fh_zone *zone, integer first, integer n) =
    \forall integer b; 0 <= b < \at(zone->count,A) ==>
      (in_some_run{B}(zone, b) <==>
         in_some_run{A}(zone, b) || first <= b < first + n);

  predicate runs_lost{A,B}(struct fh_zone *zone, integer first, integer n) =
    \forall integer b; 0 <= b < \at(zone->count,A) ==>
      (in_some_run{B}(zone, b) <==>
         in_some_run{A}(zone, b) && !(first <= b < first + n));

  predicate runs_stay{A,B}(struct fh_zone *zone) =
    \forall integer b; 0 <= b < \at(zone->count,A) &&
      in_some_run{A}(zone, b) ==> in_some_run{B}(zone, b);

  predicate all_in_runs{L}(struct fh_zone *zone, integer first, integer n) =
    \forall integer b; first <= b < first + n ==> in_some_run(zone, b);

  predicate no_more_runs{A,B}(struct fh_zone *zone, integer first,
                              integer n) =
    \forall integer b; 0 <= b < \at(zone->count,A) &&
      in_some_run{B}(zone, b) ==>
        in_some_run{A}(zone, b) || first <= b < first + n;

  // Runs are what is touched as a whole; of blocks first .. first+n-1 nothing
  // is said.
  predicate touched_fits_but{L}(struct fh_zone *zone, integer first,
                                integer n) =
    \forall integer b; 0 <= b < zone->count && !(first <= b < first + n) ==>
      (in_some_run(zone, b) <==> is_touched(zone, b) && is_whole(zone, b));
*/

/* What a shift makes of an order. */
/*@ ghost
  /@
    requires 10 <= order <= FH_ORDER_LAST;
    assigns \nothing;
    exits \false;
    ensures (1 << (order - 10)) == run_size(order);
  @/
  void ghost_run_size(unsigned order)
  {
    /@ assert order == 10 ==> (1 << (order - 10)) == 1; @/
    /@ assert order == 11 ==> (1 << (order - 10)) == 2; @/
    /@ assert order == 12 ==> (1 << (order - 10)) == 4; @/
    /@ assert order == 13 ==> (1 << (order - 10)) == 8; @/
    /@ assert order == 14 ==> (1 << (order - 10)) == 16; @/
    /@ assert order == 15 ==> (1 << (order - 10)) == 32; @/
    /@ assert order == 16 ==> (1 << (order - 10)) == 64; @/
    /@ assert order == 17 ==> (1 << (order - 10)) == 128; @/
    /@ assert order == 18 ==> (1 << (order - 10)) == 256; @/
    /@ assert order == 19 ==> (1 << (order - 10)) == 512; @/
  }
*/

/* Blocks of a run of that order. */
/*@
  requires 10 <= order <= FH_ORDER_LAST;
  assigns \nothing;
  exits \false;
  ensures \result == run_size(order);
  ensures order < FH_ORDER_LAST ==> run_size(order + 1) == 2 * \result;
*/
static inline uint64_t fh_run_blocks(unsigned order)
{
	/*@ ghost ghost_run_size(order); */
	return UINT64_C(1) << (order - FH_ORDER_BLOCK);
}

/* Halves of a run lie at multiples of their size. */
/*@ ghost
  /@
    requires 11 <= order <= FH_ORDER_LAST && run_at(number, order);
    assigns \nothing;
    exits \false;
    ensures run_size(order) == 2 * run_size(order - 1);
    ensures run_at(number, order - 1);
    ensures run_at(number + run_size(order - 1), order - 1);
  @/
  void ghost_halves(uint64_t number, unsigned order)
  {
  }
*/

/* Whether a run with that number is the upper half of one twice as long. */
/*@
  requires 10 <= order < FH_ORDER_LAST && run_at(number, order);
  assigns \nothing;
  exits \false;
  ensures upper: \result ==> number >= run_size(order) &&
    run_at(number - run_size(order), order + 1);
  ensures lower: !\result ==> run_at(number, order + 1);
*/
static inline bool fh_run_is_upper(uint64_t number, unsigned order)
{
	/*@ ghost ghost_run_size(order); */
	bool odd = fh_is_odd_part(number, order - FH_ORDER_BLOCK);

	/*@ assert order == 10 ==> number % 2 == (odd ? 1 : 0); */
	/*@ assert order == 11 ==> number % 4 == (odd ? 2 : 0); */
	/*@ assert order == 12 ==> number % 8 == (odd ? 4 : 0); */
	/*@ assert order == 13 ==> number % 16 == (odd ? 8 : 0); */
	/*@ assert order == 14 ==> number % 32 == (odd ? 16 : 0); */
	/*@ assert order == 15 ==> number % 64 == (odd ? 32 : 0); */
	/*@ assert order == 16 ==> number % 128 == (odd ? 64 : 0); */
	/*@ assert order == 17 ==> number % 256 == (odd ? 128 : 0); */
	/*@ assert order == 18 ==> number % 512 == (odd ? 256 : 0); */
	return odd;
}

/* Inside of a run no run of its order, or of a larger one, has its head. */
/*@ ghost
  /@
    requires 10 <= order <= FH_ORDER_LAST && run_at(head, order);
    assigns \nothing;
    exits \false;
    ensures \forall integer i, integer larger;
      head < i < head + run_size(order) && order <= larger <= 19 ==>
        !run_at(i, larger);
  @/
  void ghost_no_head_inside(uint64_t head, unsigned order)
  {
    /@ assert \forall integer i, integer o; 0 <= i && 19 <= o <= 19 &&
      run_at(i, o) ==> i % 512 == 0; @/
    /@ assert \forall integer i, integer o; 0 <= i && 18 <= o <= 19 &&
      run_at(i, o) ==> i % 256 == 0; @/
    /@ assert \forall integer i, integer o; 0 <= i && 17 <= o <= 19 &&
      run_at(i, o) ==> i % 128 == 0; @/
    /@ assert \forall integer i, integer o; 0 <= i && 16 <= o <= 19 &&
      run_at(i, o) ==> i % 64 == 0; @/
    /@ assert \forall integer i, integer o; 0 <= i && 15 <= o <= 19 &&
      run_at(i, o) ==> i % 32 == 0; @/
    /@ assert \forall integer i, integer o; 0 <= i && 14 <= o <= 19 &&
      run_at(i, o) ==> i % 16 == 0; @/
    /@ assert \forall integer i, integer o; 0 <= i && 13 <= o <= 19 &&
      run_at(i, o) ==> i % 8 == 0; @/
    /@ assert \forall integer i, integer o; 0 <= i && 12 <= o <= 19 &&
      run_at(i, o) ==> i % 4 == 0; @/
    /@ assert \forall integer i, integer o; 0 <= i && 11 <= o <= 19 &&
      run_at(i, o) ==> i % 2 == 0; @/
    /@ assert order == 11 ==> \forall integer i;
      head < i < head + 2 ==> i % 2 != 0; @/
    /@ assert order == 12 ==> \forall integer i;
      head < i < head + 4 ==> i % 4 != 0; @/
    /@ assert order == 13 ==> \forall integer i;
      head < i < head + 8 ==> i % 8 != 0; @/
    /@ assert order == 14 ==> \forall integer i;
      head < i < head + 16 ==> i % 16 != 0; @/
    /@ assert order == 15 ==> \forall integer i;
      head < i < head + 32 ==> i % 32 != 0; @/
    /@ assert order == 16 ==> \forall integer i;
      head < i < head + 64 ==> i % 64 != 0; @/
    /@ assert order == 17 ==> \forall integer i;
      head < i < head + 128 ==> i % 128 != 0; @/
    /@ assert order == 18 ==> \forall integer i;
      head < i < head + 256 ==> i % 256 != 0; @/
    /@ assert order == 19 ==> \forall integer i;
      head < i < head + 512 ==> i % 512 != 0; @/
  }
*/

/* The number of the head of a run of that order which has block `number`. */
/*@
  requires 10 <= order <= FH_ORDER_LAST;
  assigns \nothing;
  exits \false;
  ensures \result <= number < \result + run_size(order);
  ensures at: run_at(\result, order);
  ensures none_inside: \forall integer i, integer larger;
    \result < i < \result + run_size(order) && order <= larger <= 19 ==>
      !run_at(i, larger);
*/
static inline uint64_t fh_run_head(uint64_t number, unsigned order)
{
	/*@ ghost ghost_run_size(order); */
	uint64_t head = fh_round_down(number, order - FH_ORDER_BLOCK);

	/*@ assert order == 11 ==> head % 2 == 0; */
	/*@ assert order == 12 ==> head % 4 == 0; */
	/*@ assert order == 13 ==> head % 8 == 0; */
	/*@ assert order == 14 ==> head % 16 == 0; */
	/*@ assert order == 15 ==> head % 32 == 0; */
	/*@ assert order == 16 ==> head % 64 == 0; */
	/*@ assert order == 17 ==> head % 128 == 0; */
	/*@ assert order == 18 ==> head % 256 == 0; */
	/*@ assert order == 19 ==> head % 512 == 0; */
	/*@ ghost ghost_no_head_inside(head, order); */
	return head;
}

/* ---- buddy.c: runs of whole blocks ---- */

/*
 * n blocks from `block` on, none touched, become free runs, merged with their
 * buddies. Does not count free pages; nor does anything else in buddy.c.
 */
/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires heads_at(zone->blocks, zone->count, zone->first);
  requires block <= zone->count && n <= zone->count - block;
  requires runs_touched(zone) && touched_in_runs_but(zone, block, n);
  requires no_orders(zone, block, n);
  requires n > 0 ==> run_can_begin(zone, block);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
  ensures aligned: heads_at(zone->blocks, zone->count, zone->first);
  ensures parts: parts_kept{Pre,Post}(zone);
  ensures touched: were_touched{Pre,Post}(zone, block, n);
  ensures runs: runs_touched(zone);
  ensures in_runs: touched_in_runs_but(zone, 0, 0);
*/
void fh_runs_give(struct fh_zone *zone, uint64_t block, uint64_t n);

/*
 * Takes 2^(order - FH_ORDER_BLOCK) blocks out of the smallest run that has
 * them; there is one. Returns the first.
 */
/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires heads_at(zone->blocks, zone->count, zone->first);
  requires runs_touched(zone) && touched_in_runs_but(zone, 0, 0);
  requires 10 <= order <= FH_ORDER_LAST;
  requires \exists integer o; order <= o <= FH_ORDER_LAST &&
    has_bit(zone->filled, o);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
  ensures aligned: heads_at(zone->blocks, zone->count, zone->first);
  ensures parts: parts_kept{Pre,Post}(zone);
  ensures inside: \result + run_size(order) <= zone->count;
  ensures at: run_at(zone->first + \result, order);
  ensures were: all_free{Pre}(zone, \result, run_size(order));
  ensures taken: no_orders(zone, \result, run_size(order));
  ensures begins: run_can_begin(zone, \result);
  ensures touched: were_untouched{Pre,Post}(zone, \result, run_size(order));
  ensures runs: runs_touched(zone);
  ensures in_runs: touched_in_runs_but(zone, 0, 0);
*/
uint64_t fh_runs_take(struct fh_zone *zone, unsigned order);

/* Takes n blocks from `block` on out of the runs that they are in. */
/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires heads_at(zone->blocks, zone->count, zone->first);
  requires runs_touched(zone) && touched_in_runs_but(zone, 0, 0);
  requires block <= zone->count && n <= zone->count - block;
  requires all_free(zone, block, n);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
  ensures aligned: heads_at(zone->blocks, zone->count, zone->first);
  ensures parts: parts_kept{Pre,Post}(zone);
  ensures taken: no_orders(zone, block, n);
  ensures begins: n > 0 ==> run_can_begin(zone, block);
  ensures touched: were_untouched{Pre,Post}(zone, block, n);
  ensures runs: runs_touched(zone);
  ensures in_runs: touched_in_runs_but(zone, 0, 0);
*/
void fh_runs_take_exact(struct fh_zone *zone, uint64_t block, uint64_t n);

/* Whether the block is free as a whole. */
/*@
  requires zone_tables(zone) && block < zone->count;
  assigns \nothing;
  exits \false;
  ensures \result <==> is_whole(zone, block) && is_touched(zone, block);
*/
static inline bool fh_runs_have(const struct fh_zone *zone, uint64_t block)
{
	unsigned order = zone->blocks[block].order;

	return (order == 0 || order >= FH_ORDER_BLOCK) &&
	       fh_bits_test(zone->touched, block);
}

/* The head of the run that the block is in; there is one. */
/*@
  requires zone_tables(zone) && orders_fit(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires heads_at(zone->blocks, zone->count, zone->first);
  requires block < zone->count;
  requires \exists integer head; in_run(zone, head, block);
  assigns \nothing;
  exits \false;
  ensures has: in_run(zone, \result, block);
  ensures inside: \result + run_size(zone->blocks[\result].order) <=
    zone->count;
*/
uint64_t fh_runs_head(const struct fh_zone *zone, uint64_t block);

#endif /* FRAMEHOLD_SRC_RUNS_H */
