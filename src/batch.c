/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What magazines are refilled with: single pages wherever they lie, a word at a
 * time, and whole blocks. What ends in _of, _named and _from is one act in
 * three contracts, of its zone, of all zones and of their slots: one proof of
 * all that is beyond the provers.
 */
#include <framehold/allocator.h>

#include "turn.h"
#include "whole.h"

/* ---- Pages ---- */

/* What a CPU wants of single pages, and where they go. */
struct words_wanted {
	bool urgent;
	uint64_t pages;
	struct fh_taken *taken;
	uint64_t room;
};

/*@
  predicate wanted_apart{L}(struct words_wanted wanted,
                            struct fh_zone *zone) =
    \separated(wanted.taken + (0 .. wanted.room - 1), zone) &&
    \separated(wanted.taken + (0 .. wanted.room - 1),
               zone->blocks + (0 .. zone->count - 1)) &&
    \separated(wanted.taken + (0 .. wanted.room - 1),
               zone->touched + (0 .. (zone->count - 1) / 64));

  predicate room_there{L}(struct words_wanted wanted) =
    wanted.room > 0 ==> \valid(wanted.taken + (0 .. wanted.room - 1));

  predicate wanted_apart_from_zones{L}(struct words_wanted wanted) =
    apart_from_zones(wanted.taken + (0 .. wanted.room - 1)) &&
    \separated(wanted.taken + (0 .. wanted.room - 1),
               fh_slots + (0 .. FH_LAST_FRAME));

  predicate words_fit{L}(struct fh_taken *taken, integer words, integer pages,
                         integer room) =
    words <= room && taken_pages(taken, words) <= pages &&
    \forall integer k; 0 <= k < words ==> word_is_taken(taken, k);

  predicate words_have_slots{L}(struct fh_taken *taken, integer words) =
    \forall integer k; 0 <= k < words ==>
      taken[k].base % 64 == 0 && have_slots(taken[k].base, 64);
*/

/*@
  requires zone_tables(zone) && room_there(wanted);
  requires most <= FH_ORDER_LAST && wanted_apart(wanted, zone);
  assigns zone_state(zone), wanted.taken[0 .. wanted.room - 1];
  exits \false;
  ensures words: words_fit(wanted.taken, \result, wanted.pages,
    wanted.room);
  ensures at: \forall integer k; 0 <= k < \result ==>
    wanted.taken[k].base % 64 == 0 && zone_has(zone, wanted.taken[k].base);
*/
static uint64_t take_words_of(struct fh_zone *zone, struct words_wanted wanted,
			      unsigned most)
{
	uint64_t saved = fh_zone_lock(zone);
	/*@ assert same: zone->first == \at(zone->first,Pre) &&
	      zone->count == \at(zone->count,Pre); */
	/*@ assert beside: wanted_apart(wanted, zone); */
	uint64_t pages = fh_zone_available(zone, wanted.urgent);
	uint64_t words = fh_zone_take_words(
		zone, pages < wanted.pages ? pages : wanted.pages, most,
		wanted.taken, wanted.room);

	/*@ assert words: words_fit(wanted.taken, words, wanted.pages,
	      wanted.room); */
	/*@ assert at: \forall integer k; 0 <= k < words ==>
	      wanted.taken[k].base % 64 == 0 &&
	      zone_has(zone, wanted.taken[k].base); */
	fh_zone_unlock(zone, saved);
	return words;
}

/* Whether taking the zone's lock is worth it. */
/*@
  requires \valid_read(zone);
  assigns \nothing;
  exits \false;
  ensures \result <==> urgent || zone->free > zone->reserve;
*/
static bool has_any(const struct fh_zone *zone, bool urgent)
{
	return urgent || fh_zone_available(zone, false) > 0;
}

/*@
  predicate lies_somewhere{L}(integer page) =
    \exists integer z; 0 <= z < fh_layout.zone_count && page_of_zone(page, z);

  predicate block_somewhere{L}(integer block) =
    \exists integer z; 0 <= z < fh_layout.zone_count &&
      g_first[z] <= block < g_first[z] + g_count[z];
*/

/* Words and blocks that lie in some zone have slots. */
/*@ ghost
  /@
    requires zones_open && zones_have_slots;
    assigns \nothing;
    exits \false;
    ensures words: \forall integer page;
      lies_somewhere(page) && page % 64 == 0 ==> have_slots(page, 64);
    ensures blocks: \forall integer block;
      block_somewhere(block) ==> have_slots(block * 512, 512);
    ensures numbers: \forall integer block;
      block_somewhere(block) ==> block < FH_PAGE_NUMBER_END / 512;
  @/
  void ghost_slots_everywhere(void)
  {
  }
*/

/* The same, of all zones the one that is named. */
/*@
  requires zones_open && is_some_zone(zone) && room_there(wanted);
  requires apart_from_zones(wanted.taken + (0 .. wanted.room - 1));
  requires most <= FH_ORDER_LAST;
  assigns any_zone_state, wanted.taken[0 .. wanted.room - 1];
  exits \false;
  ensures open: zones_open;
  ensures words: words_fit(wanted.taken, \result, wanted.pages, wanted.room);
  ensures at: \forall integer k; 0 <= k < \result ==>
    wanted.taken[k].base % 64 == 0 && lies_somewhere(wanted.taken[k].base);
*/
static uint64_t take_words_named(struct fh_zone *zone,
				 struct words_wanted wanted, unsigned most)
{
	/*@ ghost uint64_t index = ghost_index_of(zone); */
	/*@ ghost ghost_open_zone(index); */
	/*@ assert beside: wanted_apart(wanted, zone); */
	/*@ assert each: \forall integer z; 0 <= z < FH_MAX_ZONES ==>
	      \separated(&fh_zones[z].first, wanted.taken + (0 .. wanted.room - 1)) &&
	      \separated(&fh_zones[z].count, wanted.taken + (0 .. wanted.room - 1)); */
	/*@ assert each_block: \forall integer z; 0 <= z < FH_MAX_ZONES ==>
	      \separated(&fh_zones[z].first, zone->blocks + (0 .. zone->count - 1)) &&
	      \separated(&fh_zones[z].count, zone->blocks + (0 .. zone->count - 1)); */
	/*@ assert each_word: \forall integer z; 0 <= z < FH_MAX_ZONES ==>
	      \separated(&fh_zones[z].first, zone->touched + (0 .. (zone->count - 1) / 64)) &&
	      \separated(&fh_zones[z].count, zone->touched + (0 .. (zone->count - 1) / 64)); */
	uint64_t words = take_words_of(zone, wanted, most);
	/*@ assert firsts: firsts_same{Pre,Here}; */
	/*@ assert counts: counts_same{Pre,Here}; */
	/*@ assert tables: tables_same{Pre,Here}; */
	/*@ assert sections: by_section_same{Pre,Here}; */
	/*@ assert named: each_zone_named; */
	/*@ assert layout: layout_ok; */
	/*@ assert at: \forall integer k; 0 <= k < words ==>
	      page_of_zone(wanted.taken[k].base, index); */
	return words;
}

/* The same; slots are as they were. */
/*@
  requires zones_open && zones_have_slots && is_some_zone(zone);
  requires room_there(wanted) && wanted_apart_from_zones(wanted);
  requires region_inv && most <= FH_ORDER_LAST;
  assigns any_zone_state, wanted.taken[0 .. wanted.room - 1];
  exits \false;
  ensures open: zones_open;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures words: words_fit(wanted.taken, \result, wanted.pages, wanted.room);
  ensures slots: words_have_slots(wanted.taken, \result);
*/
static uint64_t take_words_from(struct fh_zone *zone,
				struct words_wanted wanted, unsigned most)
{
	uint64_t words = take_words_named(zone, wanted, most);

	/*@ assert slots: slots_same{Pre,Here}; */
	/*@ assert marks: section_marks_same{Pre,Here}; */
	/*@ assert live: \forall integer i; is_frame(i) ==>
	  (live{Pre}(i) <==> live(i)) && (has_slot{Pre}(i) <==> has_slot(i)); */
	/*@ assert kept: kept{Pre,Here}; */
	/*@ assert region: region_inv; */
	/*@ ghost ghost_slots_everywhere(); */
	return words;
}

/*@
  requires zones_open && zones_have_slots && home < fh_layout.zone_count;
  requires room_there(wanted) && wanted_apart_from_zones(wanted);
  requires region_inv;
  assigns any_zone_state, wanted.taken[0 .. wanted.room - 1];
  exits \false;
  ensures open: zones_open;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures words: words_fit(wanted.taken, \result, wanted.pages,
    wanted.room);
  ensures slots: words_have_slots(wanted.taken, \result);
*/
static uint64_t take_tightest_words(uint64_t home, struct words_wanted wanted)
{
	struct fh_zone *tightest = fh_tightest_zone(home, 1);

	if (tightest == NULL || !has_any(tightest, wanted.urgent))
		return 0;
	return take_words_from(tightest, wanted, FH_ORDER_BLOCK - 1);
}

/*@
  requires zones_open && zones_have_slots && home < fh_layout.zone_count;
  requires room_there(wanted) && wanted_apart_from_zones(wanted);
  requires region_inv;
  assigns any_zone_state, wanted.taken[0 .. wanted.room - 1];
  exits \false;
  ensures open: zones_open;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures words: words_fit(wanted.taken, \result, wanted.pages,
    wanted.room);
  ensures slots: words_have_slots(wanted.taken, \result);
*/
static uint64_t take_words_in_turn(uint64_t home, struct words_wanted wanted)
{
	uint64_t words = 0;

	/*@
	  loop invariant 0 <= turn <= 2 * fh_layout.zone_count;
	  loop invariant open: zones_open;
	  loop invariant region: region_inv;
	  loop invariant kept: kept{Pre,Here};
	  loop invariant words: words_fit(wanted.taken, words, wanted.pages,
	    wanted.room);
	  loop invariant slots: words_have_slots(wanted.taken, words);
	  loop assigns turn, words, any_zone_state,
	    wanted.taken[0 .. wanted.room - 1];
	  loop variant 2 * fh_layout.zone_count - turn;
	*/
	for (uint64_t turn = 0; words == 0 && turn < 2 * fh_layout.zone_count;
	     turn++) {
		struct fh_zone *zone = fh_zone_in_turn(home, turn);

		if (zone != NULL && has_any(zone, wanted.urgent))
			words = take_words_from(zone, wanted, FH_ORDER_LAST);
	}
	return words;
}

/*@
  predicate words_same{A,B}(struct fh_taken *taken, integer words) =
    \forall integer k; 0 <= k < words ==>
      \at(taken[k].base,A) == \at(taken[k].base,B) &&
      \at(taken[k].bits,A) == \at(taken[k].bits,B) &&
      \at(taken[k].count,A) == \at(taken[k].count,B);
*/

/*@
  requires zones_open && zones_have_slots && region_inv;
  requires words > 0 ==> \valid_read(taken + (0 .. words - 1));
  requires \separated(taken + (0 .. words - 1),
                      fh_slots + (0 .. FH_LAST_FRAME));
  requires words_have_slots(taken, words);
  assigns fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures open: zones_open;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures same: words_same{Pre,Post}(taken, words);
  ensures pages: taken_pages(taken, words) == \old(taken_pages(taken, words));
  ensures ready: \forall integer k; 0 <= k < words ==>
    are_ready(taken[k].base, 64);
*/
static void make_words_live(const struct fh_taken *taken, uint64_t words)
{
	/*@
	  loop invariant 0 <= i <= words;
	  loop invariant open: zones_open;
	  loop invariant region: region_inv;
	  loop invariant kept: kept{Pre,Here};
	  loop invariant same: words_same{Pre,Here}(taken, words);
	  loop invariant pages: taken_pages(taken, i) == taken_pages{Pre}(taken, i);
	  loop invariant ready: \forall integer k; 0 <= k < i ==>
	    fh_memory.sections[taken[k].base / FH_SECTION_FRAMES] !=
	      FH_SECTION_RAW;
	  loop assigns i, fh_slots[0 .. FH_LAST_FRAME],
	    fh_memory.sections[0 .. FH_LAST_SECTION];
	  loop variant words - i;
	*/
	for (uint64_t i = 0; i < words; i++)
		fh_section_make_live(taken[i].base / FH_SECTION_FRAMES);
	/*@ ghost
	  /@
	    loop invariant 0 <= i <= words;
	    loop invariant taken_pages(taken, i) == taken_pages{Pre}(taken, i);
	    loop assigns i;
	    loop variant words - i;
	  @/
	  for (uint64_t i = 0; i < words; i++)
	    ;
	*/
}

uint64_t fh_supply_take_words(uint64_t home, bool urgent, uint64_t want,
			      struct fh_taken *taken, uint64_t room)
{
	const struct words_wanted wanted = {urgent, want, taken, room};
	uint64_t words = take_tightest_words(home, wanted);

	if (words == 0)
		words = take_words_in_turn(home, wanted);
	make_words_live(taken, words);
	return words;
}

/* ---- Blocks ---- */

/* Numbers from the last of n blocks down to the first, from blocks[at] on. */
/*@
  requires n > 0 ==> \valid(blocks + (at .. at + n - 1));
  requires first + n <= FH_PAGE_NUMBER_END / 512 && at + n <= UINT64_MAX;
  assigns blocks[at .. at + n - 1];
  exits \false;
  ensures blocks: \forall integer k; at <= k < at + n ==>
    blocks[k] == first + n - 1 - (k - at);
*/
static void write_blocks(uint64_t first, uint64_t n, uint64_t *blocks,
			 uint64_t at)
{
	/*@
	  loop invariant 0 <= i <= n;
	  loop invariant \forall integer k; at <= k < at + i ==>
	    blocks[k] == first + n - 1 - (k - at);
	  loop assigns i, blocks[at .. at + n - 1];
	  loop variant n - i;
	*/
	for (uint64_t i = 0; i < n; i++)
		blocks[at + i] = first + n - 1 - i;
}

/* Of the zone, which does not change by that. */
/*@
  requires zone_ok(zone) && apart_from_zone(blocks, at + n, zone);
  requires n > 0 ==> \valid(blocks + (0 .. at + n - 1));
  requires block + n <= zone->count && at + n <= UINT64_MAX;
  assigns blocks[at .. at + n - 1];
  exits \false;
  ensures ok: zone_ok(zone);
  ensures same: zone->first == \old(zone->first) &&
    zone->count == \old(zone->count) && zone->free == \old(zone->free);
  ensures blocks: \forall integer k; at <= k < at + n ==>
    blocks[k] == zone->first + block + n - 1 - (k - at);
*/
static void note_blocks(const struct fh_zone *zone, uint64_t block, uint64_t n,
			uint64_t *blocks, uint64_t at)
{
	write_blocks(zone->first + block, n, blocks, at);
	/*@ assert same: zone->first == \at(zone->first,Pre) &&
	      zone->count == \at(zone->count,Pre) &&
	      zone->free == \at(zone->free,Pre) &&
	      zone->filled == \at(zone->filled,Pre); */
	/*@ assert touched: \forall integer w;
	      0 <= w <= (zone->count - 1) / 64 ==>
	        zone->touched[w] == \at(zone->touched[w],Pre); */
	/*@ assert bits: \forall integer b, integer w;
	      0 <= b < zone->count && 0 <= w < 8 ==>
	        zone->blocks[b].bits[w] == \at(zone->blocks[b].bits[w],Pre); */
	/*@ assert is_touched: \forall integer b; 0 <= b < zone->count ==>
	      (is_touched(zone, b) <==> is_touched{Pre}(zone, b)); */
	/*@ ghost
	  /@
	    loop invariant 0 <= i <= zone->count;
	    loop invariant free_pages(zone, i) == free_pages{Pre}(zone, i);
	    loop assigns i;
	    loop variant zone->count - i;
	  @/
	  for (uint64_t i = 0; i < zone->count; i++)
	    /@ assert free_in_block(zone, i) == free_in_block{Pre}(zone, i); @/
	    ;
	*/
	/*@ assert tables: zone_tables(zone); */
	/*@ assert chains: chains_ok(zone); */
	/*@ assert ends: runs_fit(zone) && runs_apart(zone) &&
	      runs_aligned(zone); */
	/*@ assert in_runs: \forall integer head, integer b;
	      in_run(zone, head, b) <==> in_run{Pre}(zone, head, b); */
	/*@ assert runs_touched: runs_touched(zone); */
	/*@ assert touched_in_runs: touched_in_runs_but(zone, 0, 0); */
	/*@ assert bits_fit: bits_fit(zone); */
	/*@ assert parts: parts_fit(zone); */
	/*@ assert block: \forall integer b; 0 <= b < zone->count ==>
	      block_ok{Pre}(&zone->blocks[b]) ==> block_ok(&zone->blocks[b]); */
	/*@ assert blocks: blocks_ok(zone); */
}

/*@
  predicate are_of_zone{L}(struct fh_zone *zone, uint64_t *blocks, integer n) =
    \forall integer k; 0 <= k < n ==>
      zone->first <= blocks[k] < zone->first + zone->count;
*/

/* Where a run begins, and in *size how long it is. */
/*@
  requires zone_ok(zone) && want > 0 && \valid(size);
  requires \separated(size, zone, zone->blocks + (0 .. zone->count - 1),
    zone->touched + (0 .. (zone->count - 1) / 64));
  assigns *size, zone_state(zone);
  exits \false;
  ensures ok: zone_ok(zone);
  ensures want: \result != FH_NO_BLOCK ==> 0 < *size <= want;
  ensures inside: \result != FH_NO_BLOCK ==>
    \result + *size <= zone->count;
  ensures same: zone->first == \old(zone->first) &&
    zone->count == \old(zone->count);
*/
static uint64_t find_run(struct fh_zone *zone, uint64_t want, uint64_t *size)
{
	/*@ ghost ghost_each(zone->count); */
	return fh_zone_take_run(zone, want, size);
}

/* One run, or a part of it, from blocks[at] on; returns how many blocks. */
/*@
  requires zone_ok(zone) && at < want && \valid(blocks + (0 .. want - 1));
  requires apart_from_zone(blocks, want, zone);
  assigns zone_state(zone), blocks[at .. want - 1];
  exits \false;
  ensures ok: zone_ok(zone);
  ensures want: \result <= want - at;
  ensures same: zone->first == \old(zone->first) &&
    zone->count == \old(zone->count);
  ensures blocks: \forall integer k; at <= k < at + \result ==>
    zone->first <= blocks[k] < zone->first + zone->count;
*/
static uint64_t take_one_run(struct fh_zone *zone, uint64_t want,
			     uint64_t *blocks, uint64_t at)
{
	uint64_t size;
	uint64_t block = find_run(zone, want - at, &size);

	if (block == FH_NO_BLOCK)
		return 0;
	uint64_t n = size;
	/*@ assert want: n <= want - at; */
	note_blocks(zone, block, n, blocks, at);
	return n;
}

/* Whole blocks, as many as there are, the smallest runs first. */
/*@
  requires zone_ok(zone) && apart_from_zone(blocks, want, zone);
  requires want > 0 ==> \valid(blocks + (0 .. want - 1));
  assigns zone_state(zone), blocks[0 .. want - 1];
  exits \false;
  ensures ok: zone_ok(zone);
  ensures want: \result <= want;
  ensures blocks: are_of_zone(zone, blocks, \result);
*/
static uint64_t take_runs(struct fh_zone *zone, uint64_t want, uint64_t *blocks)
{
	uint64_t n = 0;
	uint64_t run = 1;

	/*@
	  loop invariant 0 <= n <= want;
	  loop invariant ok: zone_ok(zone);
	  loop invariant same: zone->first == \at(zone->first,Pre) &&
	    zone->count == \at(zone->count,Pre);
	  loop invariant beside: apart_from_zone(blocks, want, zone);
	  loop invariant blocks: are_of_zone(zone, blocks, n);
	  loop assigns n, run, zone_state_since(zone, Pre),
	    blocks[0 .. want - 1];
	  loop variant want - n + (run > 0 ? 1 : 0);
	*/
	while (run > 0 && n < want) {
		/*@ assert zone: \forall integer k; 0 <= k < n ==>
		      \separated(&blocks[k], &zone->free) &&
		      \separated(&blocks[k], &zone->filled); */
		/*@ assert block: \forall integer k; 0 <= k < n ==>
		      \separated(&blocks[k],
		                 zone->blocks + (0 .. zone->count - 1)); */
		/*@ assert word: \forall integer k; 0 <= k < n ==>
		      \separated(&blocks[k],
		                 zone->touched + (0 .. (zone->count - 1) / 64)); */
		/*@ assert own: \forall integer k; 0 <= k < n ==>
		      \separated(&blocks[k], blocks + (n .. want - 1)); */
		run = take_one_run(zone, want, blocks, n);
		/*@ assert kept: \forall integer k; 0 <= k < n ==>
		      blocks[k] == \at(blocks[k],LoopCurrent); */
		n += run;
	}
	return n;
}

/* Those that are not reserved. */
/*@
  requires zone_tables(zone) && apart_from_zone(blocks, want, zone);
  requires want > 0 ==> \valid(blocks + (0 .. want - 1));
  assigns zone_state(zone), blocks[0 .. want - 1];
  exits \false;
  ensures want: \result <= want;
  ensures blocks: are_of_zone(zone, blocks, \result);
*/
static uint64_t take_blocks_of(struct fh_zone *zone, uint64_t want,
			       uint64_t *blocks)
{
	uint64_t saved = fh_zone_lock(zone);
	/*@ assert same: zone->first == \at(zone->first,Pre) &&
	      zone->count == \at(zone->count,Pre); */
	/*@ assert beside: apart_from_zone(blocks, want, zone); */
	uint64_t may_have = fh_zone_available(zone, false) / FH_BLOCK_PAGES;
	uint64_t n = take_runs(zone, may_have < want ? may_have : want, blocks);

	fh_zone_unlock(zone, saved);
	return n;
}

/*@
  predicate blocks_have_slots{L}(uint64_t *blocks, integer n) =
    \forall integer k; 0 <= k < n ==> have_slots(blocks[k] * 512, 512);
*/

/* The same, of all zones the one that is named. */
/*@
  requires zones_open && is_some_zone(zone);
  requires apart_from_zones(blocks + (0 .. want - 1));
  requires want > 0 ==> \valid(blocks + (0 .. want - 1));
  assigns any_zone_state, blocks[0 .. want - 1];
  exits \false;
  ensures open: zones_open;
  ensures want: \result <= want;
  ensures at: \forall integer k; 0 <= k < \result ==>
    block_somewhere(blocks[k]);
*/
static uint64_t take_blocks_named(struct fh_zone *zone, uint64_t want,
				  uint64_t *blocks)
{
	/*@ ghost uint64_t index = ghost_index_of(zone); */
	/*@ ghost ghost_open_zone(index); */
	/*@ assert beside: apart_from_zone(blocks, want, zone); */
	/*@ assert each: \forall integer z; 0 <= z < FH_MAX_ZONES ==>
	      \separated(&fh_zones[z].first, blocks + (0 .. want - 1)) &&
	      \separated(&fh_zones[z].count, blocks + (0 .. want - 1)); */
	/*@ assert each_block: \forall integer z; 0 <= z < FH_MAX_ZONES ==>
	      \separated(&fh_zones[z].first, zone->blocks + (0 .. zone->count - 1)) &&
	      \separated(&fh_zones[z].count, zone->blocks + (0 .. zone->count - 1)); */
	/*@ assert each_word: \forall integer z; 0 <= z < FH_MAX_ZONES ==>
	      \separated(&fh_zones[z].first, zone->touched + (0 .. (zone->count - 1) / 64)) &&
	      \separated(&fh_zones[z].count, zone->touched + (0 .. (zone->count - 1) / 64)); */
	uint64_t n = take_blocks_of(zone, want, blocks);
	/*@ assert firsts: firsts_same{Pre,Here}; */
	/*@ assert counts: counts_same{Pre,Here}; */
	/*@ assert tables: tables_same{Pre,Here}; */
	/*@ assert sections: by_section_same{Pre,Here}; */
	/*@ assert named: each_zone_named; */
	/*@ assert layout: layout_ok; */
	/*@ assert at: \forall integer k; 0 <= k < n ==>
	      g_first[index] <= blocks[k] < g_first[index] + g_count[index]; */
	return n;
}

/* The same; slots are as they were. */
/*@
  requires zones_open && zones_have_slots && is_some_zone(zone);
  requires apart_from_zones(blocks + (0 .. want - 1)) && region_inv;
  requires want > 0 ==> \valid(blocks + (0 .. want - 1));
  requires \separated(blocks + (0 .. want - 1),
                      fh_slots + (0 .. FH_LAST_FRAME));
  assigns any_zone_state, blocks[0 .. want - 1];
  exits \false;
  ensures open: zones_open;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures want: \result <= want;
  ensures blocks: block_numbers(blocks, \result);
  ensures slots: blocks_have_slots(blocks, \result);
*/
static uint64_t take_blocks_from(struct fh_zone *zone, uint64_t want,
				 uint64_t *blocks)
{
	uint64_t n = take_blocks_named(zone, want, blocks);

	/*@ assert slots: slots_same{Pre,Here}; */
	/*@ assert marks: section_marks_same{Pre,Here}; */
	/*@ assert live: \forall integer i; is_frame(i) ==>
	  (live{Pre}(i) <==> live(i)) && (has_slot{Pre}(i) <==> has_slot(i)); */
	/*@ assert kept: kept{Pre,Here}; */
	/*@ assert region: region_inv; */
	/*@ ghost ghost_slots_everywhere(); */
	return n;
}

/*@
  requires zones_open && zones_have_slots && region_inv;
  requires n > 0 ==> \valid_read(blocks + (0 .. n - 1));
  requires \separated(blocks + (0 .. n - 1), fh_slots + (0 .. FH_LAST_FRAME));
  requires block_numbers(blocks, n) && blocks_have_slots(blocks, n);
  assigns fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures open: zones_open;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures numbers: block_numbers(blocks, n);
  ensures ready: \forall integer k; 0 <= k < n ==>
    are_ready(blocks[k] * 512, 512);
*/
static void make_blocks_live(const uint64_t *blocks, uint64_t n)
{
	/*@
	  loop invariant 0 <= i <= n;
	  loop invariant open: zones_open;
	  loop invariant region: region_inv;
	  loop invariant kept: kept{Pre,Here};
	  loop invariant same: \forall integer k; 0 <= k < n ==>
	    blocks[k] == \at(blocks[k],Pre);
	  loop invariant ready: \forall integer k; 0 <= k < i ==>
	    fh_memory.sections[blocks[k] * 512 / FH_SECTION_FRAMES] !=
	      FH_SECTION_RAW;
	  loop assigns i, fh_slots[0 .. FH_LAST_FRAME],
	    fh_memory.sections[0 .. FH_LAST_SECTION];
	  loop variant n - i;
	*/
	for (uint64_t i = 0; i < n; i++)
		fh_section_make_live(blocks[i] * FH_BLOCK_PAGES /
				     FH_SECTION_FRAMES);
}

uint64_t fh_supply_take_blocks(uint64_t home, uint64_t want, uint64_t *blocks)
{
	uint64_t n = 0;

	/*@
	  loop invariant 0 <= turn <= 2 * fh_layout.zone_count;
	  loop invariant open: zones_open;
	  loop invariant region: region_inv;
	  loop invariant kept: kept{Pre,Here};
	  loop invariant want: 0 <= n <= want;
	  loop invariant numbers: block_numbers(blocks, n);
	  loop invariant slots: blocks_have_slots(blocks, n);
	  loop assigns turn, n, any_zone_state, blocks[0 .. want - 1];
	  loop variant 2 * fh_layout.zone_count - turn;
	*/
	for (uint64_t turn = 0; n == 0 && turn < 2 * fh_layout.zone_count;
	     turn++) {
		struct fh_zone *zone = fh_zone_in_turn(home, turn);

		if (zone != NULL &&
		    fh_zone_available(zone, false) >= FH_BLOCK_PAGES)
			n = take_blocks_from(zone, want, blocks);
	}
	make_blocks_live(blocks, n);
	return n;
}
