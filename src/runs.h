/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where runs of whole blocks may lie: a run of 2^(order - FH_ORDER_BLOCK)
 * blocks at a multiple of its size, counted in blocks from page 0. `number`
 * is always counted so. The functions look at no zone: no lock is needed.
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

#endif /* FRAMEHOLD_SRC_RUNS_H */
