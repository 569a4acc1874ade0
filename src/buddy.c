/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Chains of blocks by order, and the buddy system over whole blocks: free runs
 * of 1, 2, 4 .. 512 blocks, each at a multiple of its size. The two halves of
 * a run are buddies. A run is split when less is needed; it is merged with its
 * buddy as soon as both are free.
 *
 * Only the head of a run is written. Its other blocks have order 0 like blocks
 * in use; `touched` tells the two apart.
 */
#include "zones.h"

void fh_zone_init(struct fh_zone *zone, uint64_t first, uint64_t count,
		  struct fh_block *blocks, uint64_t *touched)
{
	zone->first = first;
	zone->count = count;
	zone->blocks = blocks;
	zone->touched = touched;
	fh_word_store_relaxed(&zone->filled, 0);
	/*@
	  loop invariant 0 <= order <= FH_ORDERS;
	  loop invariant \forall integer o; 0 <= o < order ==>
	    zone->heads[o] == FH_NO_BLOCK;
	  loop assigns order, zone->heads[0 .. FH_ORDER_LAST];
	  loop variant FH_ORDERS - order;
	*/
	for (unsigned order = 0; order < FH_ORDERS; order++)
		zone->heads[order] = FH_NO_BLOCK;
	fh_word_store_relaxed(&zone->free, 0);
}

/*@
  requires \valid(zone);
  assigns zone->filled;
  exits \false;
  ensures zone->filled == filled;
*/
static void set_filled(struct fh_zone *zone, uint64_t filled)
{
	fh_word_store_relaxed(&zone->filled, filled);
}

/* Its neighbours name each other; its own links stay. */
/*@
  requires zone_tables(zone) && block < zone->count;
  requires links_but(zone, zone->count) && zone->blocks[block].order != 0;
  assigns zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next;
  exits \false;
  ensures nexts: \forall integer b; 0 <= b < zone->count ==>
    zone->blocks[b].next == (b == \old(zone->blocks[block].previous) ?
      \old(zone->blocks[block].next) : \old(zone->blocks[b].next));
  ensures previouses: \forall integer b; 0 <= b < zone->count ==>
    zone->blocks[b].previous == (b == \old(zone->blocks[block].next) ?
      \old(zone->blocks[block].previous) : \old(zone->blocks[b].previous));
  ensures heads: \forall integer o; 0 <= o <= FH_ORDER_LAST ==>
    zone->heads[o] ==
      (o == zone->blocks[block].order &&
       \old(zone->blocks[block].previous) == FH_NO_BLOCK ?
         \old(zone->blocks[block].next) : \old(zone->heads[o]));
*/
static void unlink_block(struct fh_zone *zone, uint64_t block)
{
	const struct fh_block *b = &zone->blocks[block];

	if (b->next != FH_NO_BLOCK)
		zone->blocks[b->next].previous = b->previous;
	if (b->previous != FH_NO_BLOCK)
		zone->blocks[b->previous].next = b->next;
	else
		zone->heads[b->order] = b->next;
}

/*@
  requires zone_tables(zone) && chains_ok(zone) && block < zone->count;
  requires zone->blocks[block].order != 0;
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next;
  exits \false;
  ensures nexts: nexts_but(zone, block);
  ensures nexts_back: nexts_back_but(zone, block);
  ensures previouses: previouses_but(zone, block);
  ensures previouses_back: previouses_back_but(zone, block);
  ensures firsts: firsts_but(zone, block);
  ensures heads: heads_but(zone, block);
  ensures filled: filled_fits(zone);
*/
static void unchain(struct fh_zone *zone, uint64_t block)
{
	const struct fh_block *b = &zone->blocks[block];

	/*@ assert b->next != FH_NO_BLOCK ==> b->next < zone->count &&
	  zone->blocks[b->next].order == b->order &&
	  zone->blocks[b->next].previous == block; */
	/*@ assert b->previous != FH_NO_BLOCK ==> b->previous < zone->count &&
	  zone->blocks[b->previous].order == b->order &&
	  zone->blocks[b->previous].next == block; */
	/*@ assert \forall integer c; 0 <= c < zone->count && c != block &&
	  zone->blocks[c].order != 0 && zone->blocks[c].next == block ==>
	    c == b->previous; */
	unlink_block(zone, block);
	/*@ assert nexts: nexts_but(zone, block); */
	/*@ assert nexts_back: nexts_back_but(zone, block); */
	/*@ assert previouses: previouses_but(zone, block); */
	/*@ assert previouses_back: previouses_back_but(zone, block); */
	/*@ assert firsts: firsts_but(zone, block); */
	/*@ assert heads: heads_but(zone, block); */
	if (zone->heads[b->order] == FH_NO_BLOCK)
		set_filled(zone,
			   fh_without(zone->filled, fh_bit_run(b->order, 1)));
}

/* The block, whose order that is, becomes the chain's head. */
/*@
  requires zone_tables(zone) && block < zone->count;
  requires links_but(zone, block) && 1 <= order <= FH_ORDER_LAST;
  assigns zone->heads[order],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[block].next;
  exits \false;
  ensures nexts: \forall integer b; 0 <= b < zone->count ==>
    zone->blocks[b].next == (b == block ? \old(zone->heads[order])
                                        : \old(zone->blocks[b].next));
  ensures previouses: \forall integer b; 0 <= b < zone->count ==>
    zone->blocks[b].previous ==
      (b == block ? FH_NO_BLOCK :
       b == \old(zone->heads[order]) ? block :
         \old(zone->blocks[b].previous));
  ensures heads: \forall integer o; 0 <= o <= FH_ORDER_LAST ==>
    zone->heads[o] == (o == order ? block : \old(zone->heads[o]));
*/
static void link_block(struct fh_zone *zone, uint64_t block, unsigned order)
{
	struct fh_block *b = &zone->blocks[block];

	b->previous = FH_NO_BLOCK;
	b->next = zone->heads[order];
	if (b->next != FH_NO_BLOCK)
		zone->blocks[b->next].previous = (uint32_t)block;
	zone->heads[order] = (uint32_t)block;
}

/*@
  requires zone_tables(zone) && block < zone->count;
  requires links_but(zone, block) && filled_fits(zone);
  requires 1 <= order <= FH_ORDER_LAST;
  requires zone->blocks[block].order == order;
  assigns zone->filled, zone->heads[order],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[block].next;
  exits \false;
  ensures nexts: nexts_but(zone, zone->count);
  ensures nexts_back: nexts_back_but(zone, zone->count);
  ensures previouses: previouses_but(zone, zone->count);
  ensures previouses_back: previouses_back_but(zone, zone->count);
  ensures firsts: firsts_but(zone, zone->count);
  ensures heads: heads_but(zone, zone->count);
  ensures filled: filled_fits(zone);
*/
static void chain(struct fh_zone *zone, uint64_t block, unsigned order)
{
	uint64_t filled = zone->filled | fh_bit_run(order, 1);

	/*@ assert \forall integer o; 0 <= o < 64 ==>
	  (has_bit(filled, o) <==> has_bit(zone->filled, o) || o == order); */
	/*@ assert zone->heads[order] != FH_NO_BLOCK ==>
	  zone->heads[order] < zone->count && zone->heads[order] != block &&
	  zone->blocks[zone->heads[order]].previous == FH_NO_BLOCK; */
	link_block(zone, block, order);
	/*@ assert \forall integer b; 0 <= b < zone->count && b != block &&
	  zone->blocks[b].order != 0 && zone->blocks[b].next != FH_NO_BLOCK ==>
	    zone->blocks[zone->blocks[b].next].previous == b; */
	/*@ assert nexts: nexts_but(zone, zone->count); */
	/*@ assert nexts_back: nexts_back_but(zone, zone->count); */
	/*@ assert previouses: previouses_but(zone, zone->count); */
	/*@ assert previouses_back: previouses_back_but(zone, zone->count); */
	/*@ assert firsts: firsts_but(zone, zone->count); */
	/*@ assert heads: heads_but(zone, zone->count); */
	set_filled(zone, filled);
}

/*@
  requires zone_tables(zone) && links_but(zone, block);
  requires block < zone->count && order <= FH_ORDER_LAST;
  assigns zone->blocks[block].order;
  exits \false;
  ensures order: zone->blocks[block].order == order;
  ensures others: \forall integer b; 0 <= b < zone->count && b != block ==>
    zone->blocks[b].order == \old(zone->blocks[b].order);
  ensures nexts: nexts_but(zone, block);
  ensures nexts_back: nexts_back_but(zone, block);
  ensures previouses: previouses_but(zone, block);
  ensures previouses_back: previouses_back_but(zone, block);
  ensures firsts: firsts_but(zone, block);
  ensures heads: heads_but(zone, block);
  ensures orders: orders_fit(zone);
*/
static void set_order(struct fh_zone *zone, uint64_t block, unsigned order)
{
	zone->blocks[block].order = (uint8_t)order;
	/*@ assert \forall integer b; 0 <= b < zone->count ==>
	  zone->blocks[b].order ==
	    (b == block ? order : \at(zone->blocks[b].order,Pre)); */
}

void fh_chain_move(struct fh_zone *zone, uint64_t block, unsigned order)
{
	if (zone->blocks[block].order == order)
		return;
	if (zone->blocks[block].order != 0)
		unchain(zone, block);
	/*@ assert nexts: nexts_but(zone, block); */
	/*@ assert nexts_back: nexts_back_but(zone, block); */
	/*@ assert previouses: previouses_but(zone, block); */
	/*@ assert previouses_back: previouses_back_but(zone, block); */
	/*@ assert firsts: firsts_but(zone, block); */
	/*@ assert heads: heads_but(zone, block); */
	set_order(zone, block, order);
	/*@ assert others: \forall integer b; 0 <= b < zone->count && b != block ==>
	  zone->blocks[b].order == \at(zone->blocks[b].order,Pre); */
	if (order != 0)
		chain(zone, block, order);
	/*@ assert nexts: nexts_but(zone, zone->count); */
	/*@ assert nexts_back: nexts_back_but(zone, zone->count); */
	/*@ assert previouses: previouses_but(zone, zone->count); */
	/*@ assert previouses_back: previouses_back_but(zone, zone->count); */
	/*@ assert firsts: firsts_but(zone, zone->count); */
	/*@ assert heads: heads_but(zone, zone->count); */
}

unsigned fh_chain_best(const struct fh_zone *zone, unsigned order)
{
	uint64_t filled = fh_word_load_relaxed(&zone->filled);
	uint64_t large_enough =
		filled & fh_bit_run(order, FH_WORD_BITS - order);

	/*@ assert \forall integer i; 0 <= i < 64 ==>
	  (has_bit(large_enough, i) <==> order <= i && has_bit(filled, i)); */

	return large_enough == 0 ? 0 : fh_lowest_bit(large_enough);
}

/* Blocks of a run of that order. */
/*@
  requires 10 <= order <= FH_ORDER_LAST;
  assigns \nothing;
  exits \false;
  ensures \result == run_size(order);
  ensures order < FH_ORDER_LAST ==> run_size(order + 1) == 2 * \result;
*/
static uint64_t run_blocks(unsigned order)
{
	unsigned places = order - FH_ORDER_BLOCK;

	/*@ assert places == 0 ==> (1 << places) == 1; */
	/*@ assert places == 1 ==> (1 << places) == 2; */
	/*@ assert places == 2 ==> (1 << places) == 4; */
	/*@ assert places == 3 ==> (1 << places) == 8; */
	/*@ assert places == 4 ==> (1 << places) == 16; */
	/*@ assert places == 5 ==> (1 << places) == 32; */
	/*@ assert places == 6 ==> (1 << places) == 64; */
	/*@ assert places == 7 ==> (1 << places) == 128; */
	/*@ assert places == 8 ==> (1 << places) == 256; */
	/*@ assert places == 9 ==> (1 << places) == 512; */
	/*@ assert (1 << places) == run_size(order); */
	return UINT64_C(1) << places;
}

/*
 * The other half of the run twice as long; FH_NO_BLOCK if the zone has not all
 * of it.
 */
/*@
  requires zone_tables(zone) && 10 <= order < FH_ORDER_LAST;
  requires block + run_size(order) <= zone->count;
  assigns \nothing;
  exits \false;
  ensures \result == FH_NO_BLOCK ||
    (\result == block - run_size(order) && \result >= 0) ||
    (\result == block + run_size(order) &&
     \result + run_size(order) <= zone->count);
*/
static uint64_t buddy_of(const struct fh_zone *zone, uint64_t block,
			 unsigned order)
{
	uint64_t size = run_blocks(order);

	if (fh_is_odd_part(zone->first + block, order - FH_ORDER_BLOCK))
		return block >= size ? block - size : FH_NO_BLOCK;
	return zone->count - block >= 2 * size ? block + size : FH_NO_BLOCK;
}

/* The block becomes the head of a run; nothing of that has an order. */
/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires 10 <= order <= FH_ORDER_LAST && block < zone->count;
  requires block + run_size(order) <= zone->count;
  requires no_orders(zone, block, run_size(order));
  requires run_can_begin(zone, block);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[block].order;
  exits \false;
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
  ensures order: zone->blocks[block].order == order;
  ensures others: \forall integer b; 0 <= b < zone->count && b != block ==>
    zone->blocks[b].order == \old(zone->blocks[b].order);
*/
static void place_run(struct fh_zone *zone, uint64_t block, unsigned order)
{
	fh_chain_move(zone, block, order);
	/*@ assert before: \forall integer b; 0 <= b < block &&
	  zone->blocks[b].order >= 10 ==>
	    b + run_size(zone->blocks[b].order) <= block; */
	/*@ assert inside: \forall integer c;
	  block < c < block + run_size(order) ==> zone->blocks[c].order == 0; */
}

/* One run that lies at a multiple of its size becomes free. */
/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires 10 <= order <= FH_ORDER_LAST && block < zone->count;
  requires block + run_size(order) <= zone->count;
  requires no_orders(zone, block, run_size(order));
  requires run_can_begin(zone, block);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order;
  exits \false;
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
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
		fh_chain_move(zone, buddy, 0);
		/*@ assert inside: no_orders(zone, buddy, run_size(order)); */
		/*@ assert begin: run_can_begin(zone, buddy) &&
		                  run_can_begin(zone, block); */
		/*@ assert run_size(order + 1) == 2 * run_size(order); */
		block = buddy < block ? buddy : block;
		order++;
	}
	place_run(zone, block, order);
}

/* The largest run that begins with block and has at most n blocks. */
/*@
  requires zone_tables(zone) && 0 < n <= zone->count;
  requires block + n <= zone->count;
  assigns \nothing;
  exits \false;
  ensures 10 <= \result <= FH_ORDER_LAST && run_size(\result) <= n;
*/
static unsigned largest_run(const struct fh_zone *zone, uint64_t block,
			    uint64_t n)
{
	unsigned order = FH_ORDER_BLOCK;

	/*@
	  loop invariant 10 <= order <= FH_ORDER_LAST;
	  loop invariant run_size(order) <= n;
	  loop assigns order;
	  loop variant FH_ORDER_LAST - order;
	*/
	while (order < FH_ORDER_LAST && run_blocks(order + 1) <= n &&
	       !fh_is_odd_part(zone->first + block, order - FH_ORDER_BLOCK))
		order++;
	return order;
}

/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires block <= zone->count && n <= zone->count - block;
  requires no_orders(zone, block, n) && run_can_begin(zone, block);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order;
  exits \false;
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
  ensures parts: parts_kept{Pre,Post}(zone);
*/
static void give_runs(struct fh_zone *zone, uint64_t block, uint64_t n)
{
	/*@
	  loop invariant block + n == \at(block + n,Pre) && block + n <= zone->count;
	  loop invariant chains: chains_ok(zone);
	  loop invariant fit: runs_fit(zone);
	  loop invariant apart: runs_apart(zone);
	  loop invariant parts: parts_kept{Pre,Here}(zone);
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
		give_run(zone, block, order);
		block += run_blocks(order);
		n -= run_blocks(order);
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

void fh_runs_give(struct fh_zone *zone, uint64_t block, uint64_t n)
{
	touch(zone, block, n);
	give_runs(zone, block, n);
}

/*
 * Of a run that is in no chain the first 2^(order - FH_ORDER_BLOCK) blocks
 * stay so; the rest becomes free runs.
 */
/*@
  requires zone_tables(zone) && chains_ok(zone);
  requires runs_fit(zone) && runs_apart(zone);
  requires 10 <= order <= found <= FH_ORDER_LAST;
  requires block + run_size(found) <= zone->count;
  requires no_orders(zone, block, run_size(found));
  requires run_can_begin(zone, block);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order;
  exits \false;
  ensures chains: chains_ok(zone);
  ensures fit: runs_fit(zone);
  ensures apart: runs_apart(zone);
  ensures parts: parts_kept{Pre,Post}(zone);
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
	  loop invariant parts: parts_kept{Pre,Here}(zone);
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
		found--;
		uint64_t half = run_blocks(found);
		/*@ assert whole: no_orders(zone, block, 2 * half); */
		/*@ assert begin: run_can_begin(zone, block + half); */
		place_run(zone, block + half, found);
	}
}

uint64_t fh_runs_take(struct fh_zone *zone, unsigned order)
{
	unsigned found = fh_chain_best(zone, order);
	uint64_t block = zone->heads[found];

	/*@ assert begin: run_can_begin(zone, block); */
	/*@ assert inside: no_orders(zone, block + 1, run_size(found) - 1); */
	untouch(zone, block, run_blocks(order));
	fh_chain_move(zone, block, 0);
	split_run(zone, block, found, order);
	return block;
}

uint64_t fh_runs_head(const struct fh_zone *zone, uint64_t block)
{
	uint64_t number = zone->first + block;
	unsigned order = FH_ORDER_BLOCK;

	for (;;) {
		uint64_t head = fh_round_down(number, order - FH_ORDER_BLOCK);

		if (zone->blocks[head - zone->first].order >= order)
			return head - zone->first;
		order++;
	}
}

void fh_runs_take_exact(struct fh_zone *zone, uint64_t block, uint64_t n)
{
	while (n > 0) {
		uint64_t head = fh_runs_head(zone, block);
		uint64_t size = run_blocks(zone->blocks[head].order);
		uint64_t before = block - head;
		uint64_t part = size - before < n ? size - before : n;

		fh_chain_move(zone, head, 0);
		give_runs(zone, head, before);
		give_runs(zone, block + part, size - before - part);
		fh_bits_clear(zone->touched, block, part);
		block += part;
		n -= part;
	}
}
