/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Chains of blocks by order. A chain is doubly linked, so that a block leaves
 * it wherever it stands; `filled` has a bit for each chain that has a block,
 * so that the best one is found without a look at the others.
 */
#include "zones.h"

/* A block of zeros says of itself what its bits say: nothing is free. */
/*@ ghost
  /@
    requires \valid_read(block) && block_is_zero(block);
    assigns \nothing;
    exits \false;
    ensures block_ok(block);
  @/
  void ghost_zero_block(const struct fh_block *block)
  {
    ghost_no_ones(block->bits[0]);
    /@ assert none: \forall integer w; 0 <= w < 8 ==>
      ones(block->bits[w], 64) == 0; @/
    /@ assert bits: \forall integer i; !has_bit(0, i); @/
    /@ assert runs: \forall integer order; !has_run(0, order); @/
    /@ assert orders: word_order_is(0, 0); @/
  }
*/

/* Blocks that are not touched have no page free. */
/*@ ghost
  /@
    requires zone_tables(zone);
    requires \forall integer w; 0 <= w <= (zone->count - 1) / 64 ==>
      zone->touched[w] == 0;
    assigns \nothing;
    exits \false;
    ensures free_pages(zone, zone->count) == 0;
  @/
  void ghost_none_free(const struct fh_zone *zone)
  {
    /@
      loop invariant 0 <= i <= zone->count;
      loop invariant free_pages(zone, i) == 0;
      loop assigns i;
      loop variant zone->count - i;
    @/
    for (uint64_t i = 0; i < zone->count; i++)
      /@ assert zone->touched[i / 64] == 0; @/
      ;
  }
*/

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
	/*@ assert words: \forall integer w; 0 <= w <= (count - 1) / 64 ==>
	  touched[w] == 0; */
	/*@ assert ones: \forall integer b, integer w;
	  0 <= b < count && 0 <= w < 8 ==> blocks[b].bits[w] == 0; */
	/*@ assert zero: tables_are_zero(blocks, touched, count); */
	/*@ ghost
	  /@
	    loop invariant 0 <= b <= count;
	    loop invariant \forall integer i; 0 <= i < b ==>
	      block_ok(&blocks[i]);
	    loop assigns b;
	    loop variant count - b;
	  @/
	  for (uint64_t b = 0; b < count; b++)
	    ghost_zero_block(&blocks[b]);
	*/
	/*@ assert same: zone->blocks == blocks && zone->count == count; */
	/*@ assert blocks: blocks_ok(zone); */
	/*@ ghost ghost_none_free(zone); */
	/*@ assert tables: zone_tables(zone); */
	/*@ assert untouched: \forall integer b; 0 <= b < count ==>
	  !is_touched(zone, b) && zone->blocks[b].order == 0; */
	/*@ assert filled: filled_fits(zone); */
	/*@ assert chains: chains_ok(zone); */
	/*@ assert runs: runs_ok(zone); */
	/*@ assert bits: bits_fit(zone); */
	/*@ assert parts: parts_fit(zone); */
	/*@ assert free: zone->free == free_pages(zone, zone->count); */
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
	zone->blocks[block].order = (uint16_t)order;
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
