/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The buddy system over whole blocks: free runs of 1, 2, 4 .. 512 blocks, each
 * at a multiple of its size. The two halves of a run are buddies. A run is
 * split when less is needed; it is merged with its buddy as soon as both are
 * free.
 *
 * Only the head of a run is written. Its other blocks have order 0 like blocks
 * in use; `touched` tells the two apart.
 */
#include "runs.h"

/*
 * The other half of the run twice as long; FH_NO_BLOCK if the zone has not all
 * of it.
 */
/*@
  requires zone_tables(zone) && 10 <= order < FH_ORDER_LAST;
  requires block + run_size(order) <= zone->count;
  requires run_at(zone->first + block, order);
  assigns \nothing;
  exits \false;
  ensures \result != FH_NO_BLOCK ==>
    run_at(zone->first + (\result < block ? \result : block), order + 1);
  ensures \result == FH_NO_BLOCK ||
    (\result == block - run_size(order) && \result >= 0) ||
    (\result == block + run_size(order) &&
     \result + run_size(order) <= zone->count);
*/
static uint64_t buddy_of(const struct fh_zone *zone, uint64_t block,
			 unsigned order)
{
	uint64_t size = fh_run_blocks(order);

	if (fh_run_is_upper(zone->first + block, order))
		return block >= size ? block - size : FH_NO_BLOCK;
	return zone->count - block >= 2 * size ? block + size : FH_NO_BLOCK;
}

/* To be in a run is to have a head. */
/*@ ghost
  /@
    requires zone_tables(zone);
    assigns \nothing;
    exits \false;
    ensures \forall integer b; 0 <= b < zone->count ==>
      (in_some_run(zone, b) <==>
         \exists integer h; 0 <= h < zone->count && run_has(zone, h, b));
  @/
  void ghost_heads(const struct fh_zone *zone)
  {
  }
*/

/* All blocks of a run are in a run. */
/*@ ghost
  /@
    requires zone_tables(zone) && head < zone->count;
    requires zone->blocks[head].order >= 10;
    assigns \nothing;
    exits \false;
    ensures \forall integer b; head <= b < zone->count &&
      b < head + run_size(zone->blocks[head].order) ==> in_some_run(zone, b);
  @/
  void ghost_blocks_of_run(struct fh_zone *zone, uint64_t head)
  {
    /@ assert \forall integer b;
      head <= b < head + run_size(zone->blocks[head].order) ==>
        run_has(zone, head, b); @/
    ghost_heads(zone);
  }
*/

/* No block of these is in a run. */
/*@ ghost
  /@
    requires zone_tables(zone) && block + run_size(order) <= zone->count;
    requires no_orders(zone, block, run_size(order));
    requires run_can_begin(zone, block);
    assigns \nothing;
    exits \false;
    ensures \forall integer b; block <= b < block + run_size(order) ==>
      !in_some_run(zone, b);
  @/
  void ghost_no_runs(struct fh_zone *zone, uint64_t block, unsigned order)
  {
    /@ assert \forall integer h, integer b;
      block <= b < block + run_size(order) ==> !run_has(zone, h, b); @/
    ghost_heads(zone);
  }
*/

/* Blocks that are whole, and in no run, have no order. */
/*@ ghost
  /@
    requires zone_tables(zone) && block + n <= zone->count;
    requires \forall integer b; block <= b < block + n ==>
      is_whole(zone, b) && !in_some_run(zone, b);
    assigns \nothing;
    exits \false;
    ensures no_orders(zone, block, n);
    ensures n > 0 ==> run_can_begin(zone, block);
  @/
  void ghost_taken(struct fh_zone *zone, uint64_t block, uint64_t n)
  {
    ghost_heads(zone);
    /@ assert \forall integer h, integer b; block <= b < block + n ==>
      !in_some_run(zone, b) && !run_has(zone, h, b); @/
    /@ assert \forall integer b; block <= b < block + n ==>
      !in_some_run(zone, b) && !run_has(zone, b, b); @/
    /@ assert n > 0 ==> !in_some_run(zone, block); @/
    /@ assert n > 0 ==> \forall integer h; 0 <= h < block &&
      zone->blocks[h].order >= 10 ==>
        (run_has(zone, h, block) <==>
           block < h + run_size(zone->blocks[h].order)) &&
        !in_some_run(zone, block) && !run_has(zone, h, block); @/
  }
*/

/*@ ghost
  /@
    requires zone_tables(zone) && block < zone->count;
    requires in_some_run(zone, block);
    assigns \nothing;
    exits \false;
    ensures \exists integer head; in_run(zone, head, block);
  @/
  void ghost_public_head(struct fh_zone *zone, uint64_t block)
  {
    ghost_heads(zone);
    /@ assert \forall integer h; run_has(zone, h, block) ==>
      in_run(zone, h, block); @/
  }
*/

/* The block becomes the head of a run; nothing of that has an order. */
/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires heads_at(zone->blocks, zone->count, zone->first);
  requires 10 <= order <= FH_ORDER_LAST && block < zone->count;
  requires block + run_size(order) <= zone->count;
  requires no_orders(zone, block, run_size(order));
  requires run_can_begin(zone, block) && run_at(zone->first + block, order);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[block].order;
  exits \false;
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
  ensures aligned: heads_at(zone->blocks, zone->count, zone->first);
  ensures gained: runs_gained{Pre,Post}(zone, block, run_size(order));
  ensures order: zone->blocks[block].order == order;
  ensures others: \forall integer b; 0 <= b < zone->count && b != block ==>
    zone->blocks[b].order == \old(zone->blocks[b].order);
*/
static void place_run(struct fh_zone *zone, uint64_t block, unsigned order)
{
	/*@ ghost ghost_heads(zone); */
	fh_chain_move(zone, block, order);
	/*@ assert before: \forall integer b; 0 <= b < block &&
	  zone->blocks[b].order >= 10 ==>
	    b + run_size(zone->blocks[b].order) <= block; */
	/*@ assert inside: \forall integer c;
	  block < c < block + run_size(order) ==> zone->blocks[c].order == 0; */
	/*@ assert old_runs: \forall integer h, integer b;
	  0 <= b < zone->count && run_has{Pre}(zone, h, b) ==>
	    run_has(zone, h, b); */
	/*@ assert new_runs: \forall integer h, integer b;
	  0 <= b < zone->count && run_has(zone, h, b) && h != block ==>
	    run_has{Pre}(zone, h, b); */
	/*@ ghost ghost_heads(zone); */
	/*@ ghost ghost_blocks_of_run(zone, block); */
	/*@ assert stay: \forall integer b; 0 <= b < zone->count &&
	  in_some_run{Pre}(zone, b) ==> in_some_run(zone, b); */
	/*@ assert no_more: \forall integer b; 0 <= b < zone->count &&
	  in_some_run(zone, b) ==>
	    in_some_run{Pre}(zone, b) || block <= b < block + run_size(order); */
	/*@ assert others_at: \forall integer b; 0 <= b < zone->count &&
	  b != block && zone->blocks[b].order >= 10 ==>
	    run_at(zone->first + b, zone->blocks[b].order); */
	/*@ assert this_at: \forall integer b; b == block ==>
	    run_at(zone->first + b, zone->blocks[b].order); */
	/*@ assert all_at: \forall integer b; 0 <= b < zone->count &&
	  zone->blocks[b].order >= 10 ==>
	    run_at(zone->first + b, zone->blocks[b].order); */
}

/* A run leaves its chain; its blocks are free no more. */
/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires heads_at(zone->blocks, zone->count, zone->first);
  requires head < zone->count && zone->blocks[head].order >= 10;
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[head].order;
  exits \false;
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
  ensures aligned: heads_at(zone->blocks, zone->count, zone->first);
  ensures parts: parts_kept{Pre,Post}(zone);
  ensures others: \forall integer b; 0 <= b < zone->count && b != head ==>
    zone->blocks[b].order == \old(zone->blocks[b].order);
  ensures taken: no_orders(zone, head,
    run_size(\old(zone->blocks[head].order)));
  ensures begins: \forall integer b;
    head <= b < head + run_size(\old(zone->blocks[head].order)) ==>
      run_can_begin(zone, b);
  ensures lost: runs_lost{Pre,Post}(zone, head,
    run_size(\old(zone->blocks[head].order)));
*/
static void take_head(struct fh_zone *zone, uint64_t head)
{
	/*@ ghost ghost_heads(zone); */
	/*@ assert before: \forall integer b; 0 <= b < head &&
	  zone->blocks[b].order >= 10 ==>
	    b + run_size(zone->blocks[b].order) <= head; */
	fh_chain_move(zone, head, 0);
	/*@ assert others: \forall integer h, integer b; 0 <= b < zone->count &&
	  run_has{Pre}(zone, h, b) && h != head ==> run_has(zone, h, b); */
	/*@ assert fewer: \forall integer h, integer b; 0 <= b < zone->count &&
	  run_has(zone, h, b) ==> run_has{Pre}(zone, h, b); */
	/*@ ghost ghost_heads(zone); */
	/*@ assert apart: \forall integer h, integer b; 0 <= b < zone->count &&
	  run_has(zone, h, b) ==>
	    !(head <= b < head + run_size(\at(zone->blocks[head].order,Pre))); */
	/*@ assert stay: \forall integer b; 0 <= b < zone->count &&
	  !(head <= b < head + run_size(\at(zone->blocks[head].order,Pre))) &&
	  in_some_run{Pre}(zone, b) ==> in_some_run(zone, b); */
	/*@ assert no_more: \forall integer b; 0 <= b < zone->count &&
	  in_some_run(zone, b) ==> in_some_run{Pre}(zone, b); */
}

/* One run that lies at a multiple of its size becomes free. */
/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires heads_at(zone->blocks, zone->count, zone->first);
  requires 10 <= order <= FH_ORDER_LAST && block < zone->count;
  requires block + run_size(order) <= zone->count;
  requires no_orders(zone, block, run_size(order));
  requires run_can_begin(zone, block) && run_at(zone->first + block, order);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order;
  exits \false;
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
  ensures aligned: heads_at(zone->blocks, zone->count, zone->first);
  ensures gained: runs_gained{Pre,Post}(zone, block, run_size(order));
  ensures parts: parts_kept{Pre,Post}(zone);
  ensures after: \forall integer b; block < b < zone->count &&
    \old(zone->blocks[b].order) == 0 ==> zone->blocks[b].order == 0;
  ensures begins: \forall integer b;
    block + run_size(order) <= b < zone->count &&
    \old(zone->blocks[b].order) == 0 && run_can_begin{Pre}(zone, b) ==>
      run_can_begin(zone, b);
*/
static void give_run(struct fh_zone *zone, uint64_t block, unsigned order)
{
	/*@
	  loop invariant 10 <= order <= FH_ORDER_LAST;
	  loop invariant 0 <= block <= \at(block,Pre);
	  loop invariant block + run_size(order) <= zone->count;
	  loop invariant chains: chains_ok(zone);
	  loop invariant fit: runs_fit(zone);
	  loop invariant apart: runs_apart(zone);
	  loop invariant aligned:
	    heads_at(zone->blocks, zone->count, zone->first);
	  loop invariant at: run_at(zone->first + block, order);
	  loop invariant grown: \forall integer b; 0 <= b < zone->count &&
	    in_some_run{Pre}(zone, b) ==>
	      in_some_run(zone, b) || block <= b < block + run_size(order);
	  loop invariant old: block <= \at(block,Pre) &&
	    \at(block,Pre) + run_size(\at(order,Pre)) <= block + run_size(order);
	  loop invariant not_more: \forall integer b; 0 <= b < zone->count &&
	    (in_some_run(zone, b) || block <= b < block + run_size(order)) ==>
	      in_some_run{Pre}(zone, b) ||
	      \at(block,Pre) <= b < \at(block,Pre) + run_size(\at(order,Pre));
	  loop invariant parts: parts_kept{Pre,Here}(zone);
	  loop invariant inside: no_orders(zone, block, run_size(order));
	  loop invariant begin: run_can_begin(zone, block);
	  loop invariant zeros: \forall integer b; 0 <= b < zone->count &&
	    \at(zone->blocks[b].order,Pre) == 0 ==> zone->blocks[b].order == 0;
	  loop invariant begins: \forall integer b;
	    \at(block,Pre) + run_size(\at(order,Pre)) <= b < zone->count &&
	    \at(zone->blocks[b].order,Pre) == 0 && run_can_begin{Pre}(zone, b) ==>
	      run_can_begin(zone, b) && block + run_size(order) <= b;
	  loop assigns block, order, zone->filled,
	    zone->heads[1 .. FH_ORDER_LAST],
	    zone->blocks[0 .. zone->count - 1].previous,
	    zone->blocks[0 .. zone->count - 1].next,
	    zone->blocks[0 .. zone->count - 1].order;
	  loop variant FH_ORDER_LAST - order;
	*/
	while (order < FH_ORDER_LAST) {
		uint64_t buddy = buddy_of(zone, block, order);

		if (buddy == FH_NO_BLOCK || zone->blocks[buddy].order != order)
			break;
		/*@ assert \forall integer b; 0 <= b < buddy &&
		  zone->blocks[b].order >= 10 &&
		  b + run_size(zone->blocks[b].order) > buddy ==>
		    zone->blocks[buddy].order == 0; */
		/*@ assert begin: run_can_begin(zone, buddy); */
		/*@ assert inside: no_orders(zone, buddy + 1,
		                             run_size(order) - 1); */
		/*@ ghost ghost_blocks_of_run(zone, buddy); */
		take_head(zone, buddy);
		/*@ assert inside: no_orders(zone, buddy, run_size(order)); */
		/*@ assert begin: run_can_begin(zone, buddy) &&
		                  run_can_begin(zone, block); */
		/*@ assert run_size(order + 1) == 2 * run_size(order); */
		block = buddy < block ? buddy : block;
		order++;
	}
	place_run(zone, block, order);
	/*@ assert stay: runs_stay{Pre,Here}(zone); */
	/*@ assert new: all_in_runs(zone, \at(block,Pre),
	                            run_size(\at(order,Pre))); */
	/*@ assert more: no_more_runs{Pre,Here}(zone, \at(block,Pre),
	                                       run_size(\at(order,Pre))); */
}

/* The largest run that begins with block and has at most n blocks. */
/*@
  requires zone_tables(zone) && 0 < n <= zone->count;
  requires block + n <= zone->count;
  assigns \nothing;
  exits \false;
  ensures 10 <= \result <= FH_ORDER_LAST && run_size(\result) <= n;
  ensures run_at(zone->first + block, \result);
*/
static unsigned largest_run(const struct fh_zone *zone, uint64_t block,
			    uint64_t n)
{
	unsigned order = FH_ORDER_BLOCK;

	/*@
	  loop invariant 10 <= order <= FH_ORDER_LAST;
	  loop invariant run_size(order) <= n;
	  loop invariant run_at(zone->first + block, order);
	  loop assigns order;
	  loop variant FH_ORDER_LAST - order;
	*/
	while (order < FH_ORDER_LAST && fh_run_blocks(order + 1) <= n &&
	       !fh_run_is_upper(zone->first + block, order))
		order++;
	return order;
}

/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires heads_at(zone->blocks, zone->count, zone->first);
  requires block <= zone->count && n <= zone->count - block;
  requires no_orders(zone, block, n);
  requires n > 0 ==> run_can_begin(zone, block);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order;
  exits \false;
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
  ensures aligned: heads_at(zone->blocks, zone->count, zone->first);
  ensures parts: parts_kept{Pre,Post}(zone);
  ensures gained: runs_gained{Pre,Post}(zone, block, n);
  ensures after: \forall integer b; block + n <= b < zone->count &&
    \old(zone->blocks[b].order) == 0 ==> zone->blocks[b].order == 0;
  ensures begins: \forall integer b; block + n <= b < zone->count &&
    \old(zone->blocks[b].order) == 0 && run_can_begin{Pre}(zone, b) ==>
      run_can_begin(zone, b);
*/
static void give_runs(struct fh_zone *zone, uint64_t block, uint64_t n)
{
	/*@
	  loop invariant block + n == \at(block + n,Pre) && block + n <= zone->count;
	  loop invariant \at(block,Pre) <= block;
	  loop invariant chains: chains_ok(zone);
	  loop invariant fit: runs_fit(zone);
	  loop invariant apart: runs_apart(zone);
	  loop invariant aligned:
	    heads_at(zone->blocks, zone->count, zone->first);
	  loop invariant parts: parts_kept{Pre,Here}(zone);
	  loop invariant stay: runs_stay{Pre,Here}(zone);
	  loop invariant given: all_in_runs(zone, \at(block,Pre),
	    block - \at(block,Pre));
	  loop invariant more: no_more_runs{Pre,Here}(zone, \at(block,Pre),
	    \at(n,Pre));
	  loop invariant after: \forall integer b; block <= b < zone->count &&
	    \at(zone->blocks[b].order,Pre) == 0 ==> zone->blocks[b].order == 0;
	  loop invariant later: \forall integer b; block + n <= b < zone->count &&
	    \at(zone->blocks[b].order,Pre) == 0 && run_can_begin{Pre}(zone, b)
	      ==> run_can_begin(zone, b);
	  loop invariant rest: no_orders(zone, block, n);
	  loop invariant begins: n > 0 ==> run_can_begin(zone, block);
	  loop assigns block, n, zone->filled,
	    zone->heads[1 .. FH_ORDER_LAST],
	    zone->blocks[0 .. zone->count - 1].previous,
	    zone->blocks[0 .. zone->count - 1].next,
	    zone->blocks[0 .. zone->count - 1].order;
	  loop variant n;
	*/
	while (n > 0) {
		unsigned order = largest_run(zone, block, n);

		/*@ assert rest: n > run_size(order) ==>
		  zone->blocks[block + run_size(order)].order == 0 &&
		  run_can_begin(zone, block + run_size(order)); */
		uint64_t size = fh_run_blocks(order);

		give_run(zone, block, order);
		/*@ assert stay: runs_stay{Pre,Here}(zone); */
		/*@ assert old: all_in_runs(zone, \at(block,Pre),
		                            block - \at(block,Pre)); */
		/*@ assert new: all_in_runs(zone, block, size); */
		/*@ assert more: no_more_runs{LoopCurrent,Here}(zone, block, size); */
		/*@ assert more: no_more_runs{Pre,Here}(zone, \at(block,Pre),
		                                       \at(n,Pre)); */
		block += size;
		n -= size;
	}
}

/*@
  requires zone_tables(zone);
  requires block <= zone->count && n <= zone->count - block;
  assigns zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures touched: were_touched{Pre,Post}(zone, block, n);
*/
static void touch(struct fh_zone *zone, uint64_t block, uint64_t n)
{
	fh_bits_set(zone->touched, block, n);
}

/*@
  requires zone_tables(zone);
  requires block <= zone->count && n <= zone->count - block;
  assigns zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures touched: were_untouched{Pre,Post}(zone, block, n);
*/
static void untouch(struct fh_zone *zone, uint64_t block, uint64_t n)
{
	fh_bits_clear(zone->touched, block, n);
}

/* The public words for what the ones of this file say in one. */
/*@ ghost
  /@
    requires zone_tables(zone) && runs_fit(zone) && runs_apart(zone);
    requires runs_touched(zone) && touched_in_runs_but(zone, first, n);
    assigns \nothing;
    exits \false;
    ensures touched_fits_but(zone, first, n);
  @/
  void ghost_touched_fits(struct fh_zone *zone, uint64_t first, uint64_t n)
  {
    ghost_heads(zone);
    /@ assert \forall integer h, integer b; 0 <= b < zone->count &&
      run_has(zone, h, b) ==> is_whole(zone, b) && in_run(zone, h, b); @/
    /@ assert \forall integer h, integer b; in_run(zone, h, b) ==>
      run_has(zone, h, b); @/
  }
*/

/*@ ghost
  /@
    requires zone_tables(zone) && runs_fit(zone);
    requires touched_fits_but(zone, 0, 0);
    assigns \nothing;
    exits \false;
    ensures runs_touched(zone);
    ensures touched_in_runs_but(zone, 0, 0);
  @/
  void ghost_runs_touched(struct fh_zone *zone)
  {
    ghost_heads(zone);
    /@ assert \forall integer h, integer b; in_run(zone, h, b) ==>
      0 <= b < zone->count && run_has(zone, h, b) && in_some_run(zone, b); @/
    /@ assert \forall integer h, integer b; 0 <= b < zone->count &&
      run_has(zone, h, b) ==> in_run(zone, h, b); @/
  }
*/

void fh_runs_give(struct fh_zone *zone, uint64_t block, uint64_t n)
{
	/*@ ghost ghost_touched_fits(zone, block, n); */
	give_runs(zone, block, n);
	/*@ assert fits: touched_fits_but(zone, block, n); */
	/*@ assert given: all_in_runs(zone, block, n); */
	/*@ assert ones: \forall integer b; block <= b < block + n ==>
	  is_whole(zone, b); */
	touch(zone, block, n);
	/*@ assert fits: touched_fits_but(zone, 0, 0); */
	/*@ ghost ghost_runs_touched(zone); */
}

/*
 * Of a run that is in no chain the first 2^(order - FH_ORDER_BLOCK) blocks
 * stay so; the rest becomes free runs.
 */
/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires heads_at(zone->blocks, zone->count, zone->first);
  requires 10 <= order <= found <= FH_ORDER_LAST;
  requires block + run_size(found) <= zone->count;
  requires no_orders(zone, block, run_size(found));
  requires run_can_begin(zone, block) && run_at(zone->first + block, found);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order;
  exits \false;
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
  ensures aligned: heads_at(zone->blocks, zone->count, zone->first);
  ensures parts: parts_kept{Pre,Post}(zone);
  ensures gained: runs_gained{Pre,Post}(zone, block + run_size(order),
    run_size(found) - run_size(order));
  ensures at: run_at(zone->first + block, order);
  ensures inside: no_orders(zone, block, run_size(order));
  ensures begins: run_can_begin(zone, block);
*/
static void split_run(struct fh_zone *zone, uint64_t block, unsigned found,
		      unsigned order)
{
	/* The upper halves stay free; their buddies, the lower ones, do not. */
	/*@
	  loop invariant order <= found <= FH_ORDER_LAST;
	  loop invariant block + run_size(found) <= zone->count;
	  loop invariant chains: chains_ok(zone);
	  loop invariant fit: runs_fit(zone);
	  loop invariant apart: runs_apart(zone);
	  loop invariant aligned:
	    heads_at(zone->blocks, zone->count, zone->first);
	  loop invariant at: run_at(zone->first + block, found);
	  loop invariant parts: parts_kept{Pre,Here}(zone);
	  loop invariant stay: runs_stay{Pre,Here}(zone);
	  loop invariant new: \forall integer b;
	    block + run_size(found) <= b < block + run_size(\at(found,Pre)) ==>
	      in_some_run(zone, b);
	  loop invariant run_size(found) <= run_size(\at(found,Pre));
	  loop invariant more: no_more_runs{Pre,Here}(zone, block,
	    run_size(\at(found,Pre)));
	  loop invariant inside: no_orders(zone, block, run_size(found));
	  loop invariant begins: run_can_begin(zone, block);
	  loop assigns found, zone->filled,
	    zone->heads[1 .. FH_ORDER_LAST],
	    zone->blocks[0 .. zone->count - 1].previous,
	    zone->blocks[0 .. zone->count - 1].next,
	    zone->blocks[0 .. zone->count - 1].order;
	  loop variant found;
	*/
	while (found > order) {
		/*@ assert whole: no_orders(zone, block, run_size(found)); */
		/*@ ghost ghost_halves(zone->first + block, found); */
		found--;
		uint64_t half = fh_run_blocks(found);
		/*@ assert whole: no_orders(zone, block, 2 * half); */
		/*@ assert begin: run_can_begin(zone, block + half); */
		place_run(zone, block + half, found);
		/*@ assert stay: runs_stay{Pre,Here}(zone); */
		/*@ assert upper: all_in_runs(zone, block + half, half); */
		/*@ assert more: no_more_runs{LoopCurrent,Here}(zone, block + half,
		                                                half); */
	}
	/*@ ghost ghost_no_runs(zone, block, order); */
}

/* The blocks of fh_runs_take() come out of their run; what is touched stays. */
/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires heads_at(zone->blocks, zone->count, zone->first);
  requires 10 <= order <= FH_ORDER_LAST;
  requires \exists integer o; order <= o <= FH_ORDER_LAST &&
    has_bit(zone->filled, o);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order;
  exits \false;
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
  ensures aligned: heads_at(zone->blocks, zone->count, zone->first);
  ensures parts: parts_kept{Pre,Post}(zone);
  ensures inside: \result + run_size(order) <= zone->count;
  ensures at: run_at(zone->first + \result, order);
  ensures were: all_in_runs{Pre}(zone, \result, run_size(order));
  ensures taken: no_orders(zone, \result, run_size(order));
  ensures begins: run_can_begin(zone, \result);
  ensures lost: runs_lost{Pre,Post}(zone, \result, run_size(order));
*/
static uint64_t take_smallest(struct fh_zone *zone, unsigned order)
{
	unsigned found = fh_chain_best(zone, order);
	uint64_t block = zone->heads[found];

	/*@ assert begin: run_can_begin(zone, block); */
	/*@ assert inside: no_orders(zone, block + 1, run_size(found) - 1); */
	/*@ ghost ghost_blocks_of_run(zone, block); */
	/*@ assert were: all_in_runs(zone, block, run_size(found)); */
	take_head(zone, block);
	split_run(zone, block, found, order);
	/*@ assert fewer: run_size(order) <= run_size(found); */
	/*@ ghost ghost_no_runs(zone, block, order); */
	/*@ assert stay: \forall integer b; 0 <= b < zone->count &&
	  !(block <= b < block + run_size(order)) && in_some_run{Pre}(zone, b) ==>
	    in_some_run(zone, b); */
	/*@ assert more: no_more_runs{Pre,Here}(zone, 0, 0); */
	return block;
}

uint64_t fh_runs_take(struct fh_zone *zone, unsigned order)
{
	/*@ ghost ghost_touched_fits(zone, 0, 0); */
	uint64_t block = take_smallest(zone, order);

	untouch(zone, block, fh_run_blocks(order));
	/*@ assert fits: touched_fits_but(zone, 0, 0); */
	/*@ ghost ghost_runs_touched(zone); */
	return block;
}

uint64_t fh_runs_head(const struct fh_zone *zone, uint64_t block)
{
	uint64_t number = zone->first + block;
	unsigned order = FH_ORDER_BLOCK;

	/*@
	  loop invariant 10 <= order <= FH_ORDER_LAST;
	  loop invariant \forall integer h; in_run(zone, h, block) ==>
	    order <= zone->blocks[h].order;
	  loop assigns order;
	  loop variant FH_ORDER_LAST - order;
	*/
	for (;;) {
		uint64_t head = fh_run_head(number, order);

		/*@ assert not_before: \forall integer h;
		  in_run(zone, h, block) ==> zone->first + h <= head; */
		if (zone->blocks[head - zone->first].order >= order)
			return head - zone->first;
		order++;
	}
}

/* n blocks from `block` on come out of the run with that head. */
/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires heads_at(zone->blocks, zone->count, zone->first);
  requires head <= block && block + n <= zone->count;
  requires zone->blocks[head].order >= 10 && n > 0;
  requires block + n <= head + run_size(zone->blocks[head].order);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order;
  exits \false;
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
  ensures aligned: heads_at(zone->blocks, zone->count, zone->first);
  ensures parts: parts_kept{Pre,Post}(zone);
  ensures lost: runs_lost{Pre,Post}(zone, block, n);
*/
static void take_of_run(struct fh_zone *zone, uint64_t head, uint64_t block,
			uint64_t n)
{
	uint64_t end = head + fh_run_blocks(zone->blocks[head].order);

	/*@ ghost ghost_blocks_of_run(zone, head); */
	take_head(zone, head);
	give_runs(zone, head, block - head);
	/*@ assert rest: no_orders(zone, block, end - block); */
	/*@ assert begin: block + n < end ==> run_can_begin(zone, block + n); */
	give_runs(zone, block + n, end - block - n);
	/*@ assert lost: runs_lost{Pre,Here}(zone, block, n); */
}

/* The same for blocks of many runs. */
/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires heads_at(zone->blocks, zone->count, zone->first);
  requires block <= zone->count && n <= zone->count - block;
  requires all_in_runs(zone, block, n);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order;
  exits \false;
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
  ensures aligned: heads_at(zone->blocks, zone->count, zone->first);
  ensures parts: parts_kept{Pre,Post}(zone);
  ensures lost: runs_lost{Pre,Post}(zone, block, n);
*/
static void take_of_runs(struct fh_zone *zone, uint64_t block, uint64_t n)
{
	/*@
	  loop invariant block + n == \at(block + n,Pre);
	  loop invariant \at(block,Pre) <= block && block + n <= zone->count;
	  loop invariant chains: chains_ok(zone);
	  loop invariant fit: runs_fit(zone);
	  loop invariant apart: runs_apart(zone);
	  loop invariant aligned:
	    heads_at(zone->blocks, zone->count, zone->first);
	  loop invariant parts: parts_kept{Pre,Here}(zone);
	  loop invariant lost: runs_lost{Pre,Here}(zone, \at(block,Pre),
	    block - \at(block,Pre));
	  loop assigns block, n, zone->filled,
	    zone->heads[1 .. FH_ORDER_LAST],
	    zone->blocks[0 .. zone->count - 1].previous,
	    zone->blocks[0 .. zone->count - 1].next,
	    zone->blocks[0 .. zone->count - 1].order;
	  loop variant n;
	*/
	while (n > 0) {
		/*@ assert in: in_some_run(zone, block); */
		/*@ ghost ghost_public_head(zone, block); */
		uint64_t head = fh_runs_head(zone, block);
		uint64_t end = head + fh_run_blocks(zone->blocks[head].order);
		uint64_t part = end - block < n ? end - block : n;

		take_of_run(zone, head, block, part);
		block += part;
		n -= part;
	}
}

void fh_runs_take_exact(struct fh_zone *zone, uint64_t block, uint64_t n)
{
	/*@ ghost ghost_touched_fits(zone, 0, 0); */
	/*@ assert were: all_in_runs(zone, block, n); */
	take_of_runs(zone, block, n);
	/*@ ghost ghost_taken(zone, block, n); */
	untouch(zone, block, n);
	/*@ assert fits: touched_fits_but(zone, 0, 0); */
	/*@ ghost ghost_runs_touched(zone); */
}
