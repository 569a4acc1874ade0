/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Giving pages that follow each other, and whole blocks: zone by zone, and no
 * more per hold of a lock than bounds it. Single pages are give.c's.
 */
#include "give.h"

/* Pages given at once: bounds the time that the lock is held. */
#define PAGES_PER_HOLD FH_SECTION_FRAMES

/* Gives pages that are all of the zone. */
/*@
  requires zone_tables(zone) && n > 0;
  requires zone_has(zone, first) && n <= UINT64_MAX - first;
  requires zone_has(zone, first + n - 1);
  assigns zone_state(zone);
  exits \false;
  ensures given: pages_free(zone, first, n);
*/
static void give_part(struct fh_zone *zone, uint64_t first, uint64_t n)
{
	uint64_t saved = fh_zone_lock(zone);
	/*@ ghost Locked: ; */
	uint64_t twice = fh_zone_give(zone, first, n);

	/*@ assert same: zone->first == \at(zone->first,Locked) &&
	      zone->count == \at(zone->count,Locked); */
	/*@ assert given: twice == FH_NO_PAGE ==>
	      \forall integer b, integer w, integer i;
	        0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 &&
	        bit_among(zone, b, w, i, first, n) ==>
	          bit_free(zone, b, w, i); */
	fh_zone_unlock(zone, saved);
	fh_stop_if_twice(twice);
}

/*@
  requires zones_open && index < fh_layout.zone_count && n > 0;
  requires page_of_zone(first, index) && page_of_zone(first + n - 1, index);
  requires n <= UINT64_MAX - first;
  assigns any_zone_state;
  exits \false;
  ensures open: zones_open;
*/
static void give_part_to_zone(uint64_t index, uint64_t first, uint64_t n)
{
	/*@ ghost ghost_open_zone(index); */
	give_part(&fh_zones[index], first, n);
	/*@ assert firsts: firsts_same{Pre,Here}; */
	/*@ assert counts: counts_same{Pre,Here}; */
	/*@ assert tables: tables_same{Pre,Here}; */
	/*@ assert sections: by_section_same{Pre,Here}; */
	/*@ assert named: each_zone_named; */
	/*@ assert layout: layout_ok; */
}

void fh_supply_give(uint64_t first, uint64_t n)
{
	/*@
	  loop invariant n + first == \at(n + first,Pre);
	  loop invariant open: zones_open;
	  loop assigns first, n, any_zone_state;
	  loop variant n;
	*/
	while (n > 0) {
		uint64_t index = fh_zone_of_given(first);
		struct fh_zone *zone = &fh_zones[index];
		/*@ ghost ghost_open_zone(index); */
		uint64_t part = fh_zone_page(zone, zone->count) - first;

		part = n < part ? n : part;
		part = part < PAGES_PER_HOLD ? part : PAGES_PER_HOLD;
		give_part_to_zone(index, first, part);
		first += part;
		n -= part;
	}
}

/* How many blocks of the zone, from blocks[i] on, follow each other. */
/*@
  requires \valid_read(zone) && i < n && \valid_read(blocks + (0 .. n - 1));
  requires block_numbers(blocks, n);
  assigns \nothing;
  exits \false;
  ensures most: \result <= n - i;
  ensures row: \forall integer k; i <= k < i + \result ==>
    blocks[k] == blocks[i] + (k - i);
  ensures first: \result > 0 ==> zone->first <= blocks[i];
  ensures last: \result > 0 ==>
    blocks[i] + \result <= zone->first + zone->count;
  ensures none: \result == 0 ==> !zone_has(zone, blocks[i] * 512);
*/
static uint64_t count_blocks(const struct fh_zone *zone, const uint64_t *blocks,
			     uint64_t n, uint64_t i)
{
	uint64_t count = 0;

	/*@
	  loop invariant 0 <= count <= n - i;
	  loop invariant row: \forall integer k; i <= k < i + count ==>
	    blocks[k] == blocks[i] + (k - i);
	  loop invariant last: count > 0 ==> zone->first <= blocks[i] &&
	    blocks[i] + count <= zone->first + zone->count;
	  loop invariant number: blocks[i] + count <= FH_PAGE_NUMBER_END / 512;
	  loop assigns count;
	  loop variant n - i - count;
	*/
	while (count < n - i && blocks[i + count] == blocks[i] + count &&
	       fh_zone_has(zone, blocks[i + count] * FH_BLOCK_PAGES))
		count++;
	return count;
}

/* Gives blocks[i] and those that follow it; none if it is of another zone. */
/*@
  requires zone_ok(zone) && apart_from_zone(blocks, n, zone);
  requires i < n && \valid_read(blocks + (0 .. n - 1));
  requires block_numbers(blocks, n);
  assigns zone_state(zone);
  exits \false;
  ensures ok: zone_ok(zone);
  ensures same: zone->first == \old(zone->first) &&
    zone->count == \old(zone->count);
  ensures blocks: \forall integer k; 0 <= k < n ==>
    blocks[k] == \old(blocks[k]);
  ensures count: \result.count <= n - i;
  ensures none: \result.count == 0 ==> !zone_has(zone, blocks[i] * 512);
  ensures free: \result.count > 0 && \result.twice == FH_NO_PAGE ==>
    zone->free == \old(zone->free) + 512 * \result.count;
*/
static struct fh_given give_next_run(struct fh_zone *zone,
				     const uint64_t *blocks, uint64_t n,
				     uint64_t i)
{
	uint64_t run = count_blocks(zone, blocks, n, i);

	if (run == 0)
		return (struct fh_given){0, FH_NO_PAGE};
	/*@ assert tables: zone_tables(zone); */
	uint64_t twice = fh_zone_give(zone, blocks[i] * FH_BLOCK_PAGES,
				      run * FH_BLOCK_PAGES);
	/*@ assert blocks: \forall integer k; 0 <= k < n ==>
	      blocks[k] == \at(blocks[k],Pre); */
	return (struct fh_given){run, twice};
}

/* Gives those of n blocks that are of the zone. With the lock held. */
/*@
  requires zone_ok(zone) && apart_from_zone(blocks, n, zone);
  requires n > 0 ==> \valid_read(blocks + (0 .. n - 1));
  requires block_numbers(blocks, n);
  assigns zone_state(zone);
  exits \false;
  ensures ok: zone_ok(zone);
*/
static uint64_t give_blocks_of(struct fh_zone *zone, const uint64_t *blocks,
			       uint64_t n)
{
	uint64_t twice = FH_NO_PAGE;

	/*@
	  loop invariant 0 <= i <= n;
	  loop invariant ok: zone_ok(zone);
	  loop invariant same: zone->first == \at(zone->first,Pre) &&
	    zone->count == \at(zone->count,Pre);
	  loop invariant beside: apart_from_zone(blocks, n, zone);
	  loop invariant blocks: \forall integer k; 0 <= k < n ==>
	    blocks[k] == \at(blocks[k],Pre);
	  loop invariant numbers: block_numbers(blocks, n);
	  loop assigns i, twice, zone_state_since(zone, Pre);
	  loop variant n - i;
	*/
	for (uint64_t i = 0; i < n && twice == FH_NO_PAGE;) {
		struct fh_given given = give_next_run(zone, blocks, n, i);

		twice = given.twice;
		i += given.count > 0 ? given.count : 1;
	}
	return twice;
}

/* The same with one lock. */
/*@
  requires zone_tables(zone) && apart_from_zone(blocks, n, zone);
  requires n > 0 ==> \valid_read(blocks + (0 .. n - 1));
  requires block_numbers(blocks, n);
  assigns zone_state(zone);
  exits \false;
*/
static void give_blocks_with_one_lock(struct fh_zone *zone,
				      const uint64_t *blocks, uint64_t n)
{
	uint64_t saved = fh_zone_lock(zone);
	/*@ assert same: zone->first == \at(zone->first,Pre) &&
	      zone->count == \at(zone->count,Pre); */
	/*@ assert beside: apart_from_zone(blocks, n, zone); */
	/*@ assert blocks: \forall integer k; 0 <= k < n ==>
	      blocks[k] == \at(blocks[k],Pre); */
	uint64_t twice = give_blocks_of(zone, blocks, n);

	fh_zone_unlock(zone, saved);
	fh_stop_if_twice(twice);
}

/*@
  requires zones_open && index < fh_layout.zone_count;
  requires apart_from_zones(blocks + (0 .. n - 1)) && block_numbers(blocks, n);
  requires n > 0 ==> \valid_read(blocks + (0 .. n - 1));
  assigns any_zone_state;
  exits \false;
  ensures open: zones_open;
  ensures blocks: \forall integer k; 0 <= k < n ==>
    blocks[k] == \old(blocks[k]);
*/
static void give_blocks_of_zone(uint64_t index, const uint64_t *blocks,
				uint64_t n)
{
	/*@ ghost ghost_open_zone(index); */
	give_blocks_with_one_lock(&fh_zones[index], blocks, n);
	/*@ assert firsts: firsts_same{Pre,Here}; */
	/*@ assert counts: counts_same{Pre,Here}; */
	/*@ assert tables: tables_same{Pre,Here}; */
	/*@ assert sections: by_section_same{Pre,Here}; */
	/*@ assert named: each_zone_named; */
	/*@ assert layout: layout_ok; */
}

/* Moves blocks that are not of the zone to the front; returns how many. */
/*@
  requires \valid_read(zone) && n > 0 && \valid(blocks + (0 .. n - 1));
  requires block_numbers(blocks, n) && zone_has(zone, blocks[0] * 512);
  requires \separated(zone, blocks + (0 .. n - 1));
  assigns blocks[0 .. n - 1];
  exits \false;
  ensures fewer: \result < n;
  ensures numbers: block_numbers(blocks, \result);
*/
static uint64_t keep_others(const struct fh_zone *zone, uint64_t *blocks,
			    uint64_t n)
{
	uint64_t others = 0;

	/*@
	  loop invariant 0 <= others <= i && i <= n;
	  loop invariant fewer: i > 0 ==> others < i;
	  loop invariant first: i == 0 ==> blocks[0] == \at(blocks[0],Pre);
	  loop invariant numbers: block_numbers(blocks, n);
	  loop assigns i, others, blocks[0 .. n - 1];
	  loop variant n - i;
	*/
	for (uint64_t i = 0; i < n; i++)
		if (!fh_zone_has(zone, blocks[i] * FH_BLOCK_PAGES)) {
			blocks[others] = blocks[i];
			others++;
		}
	return others;
}

void fh_supply_give_blocks(uint64_t *blocks, uint64_t n)
{
	/*@
	  loop invariant 0 <= n <= \at(n,Pre);
	  loop invariant numbers: block_numbers(blocks, n);
	  loop invariant open: zones_open;
	  loop assigns n, any_zone_state, blocks[0 .. \at(n,Pre) - 1];
	  loop variant n;
	*/
	while (n > 0) {
		uint64_t zone = fh_zone_of_given(blocks[0] * FH_BLOCK_PAGES);

		give_blocks_of_zone(zone, blocks, n);
		/*@ ghost ghost_open_zone(zone); */
		/*@ ghost Given: ; */
		n = keep_others(&fh_zones[zone], blocks, n);
		/*@ assert firsts: firsts_same{Given,Here}; */
		/*@ assert counts: counts_same{Given,Here}; */
		/*@ assert tables: tables_same{Given,Here}; */
		/*@ assert sections: by_section_same{Given,Here}; */
		/*@ assert named: each_zone_named; */
		/*@ assert layout: layout_ok; */
	}
}
