/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tables of zones: the touched bits and the blocks of each lie in one piece of
 * memory, which the early allocator gives.
 */
#include "cells.h"

#include <framehold/host.h>

/*
 * The touched bits and, behind them, the blocks of a zone, zeroed, in the pages
 * from this one on. The words come first: whatever a block's size is, they are
 * aligned.
 */
/*@
  requires window_there && \valid(blocks);
  requires 0 < count && words == (count - 1) / 64 + 1;
  requires page * TABLES_PER_PAGE + count <= g_block_count;
  requires page * TABLES_PER_PAGE + words <= g_word_count;
  assigns *blocks, g_words[0 .. g_word_count - 1],
          g_blocks[0 .. g_block_count - 1];
  exits \false;
  ensures *blocks == g_blocks + page * TABLES_PER_PAGE;
  ensures \result == g_words + page * TABLES_PER_PAGE;
  ensures tables_are_zero(*blocks, \result, count);
*/
static uint64_t *zone_table(uint64_t page, uint64_t words, uint64_t count,
			    bool memory_is_zeroed, struct fh_block **blocks)
{
	uint64_t *touched = fh_host_linear(fh_paddr_of_frame(page));

	*blocks = (struct fh_block *)(void *)(touched + words);
	if (!memory_is_zeroed)
		__builtin_memset((void *)touched, 0,
				 words * sizeof(*touched) +
					 count * sizeof(**blocks));
	return touched;
}

/* Makes the next zone of some blocks, whose tables are there. */
/*@
  requires inputs: inputs_apart;
  requires window: window_there;
  requires fh_layout.zone_count < FH_MAX_ZONES;
  requires 0 < count < FH_NO_BLOCK;
  requires first + count <= FH_PAGE_NUMBER_END / 512;
  requires \valid(blocks + (0 .. count - 1));
  requires \valid(touched + (0 .. (count - 1) / 64));
  requires \separated(&fh_zones[fh_layout.zone_count],
                      blocks + (0 .. count - 1),
                      touched + (0 .. (count - 1) / 64));
  requires zero: tables_are_zero(blocks, touched, count);
  assigns fh_zones[fh_layout.zone_count];
  exits \false;
  ensures map: map_same{Pre,Post}(early_map);
  ensures layout: layout_same{Pre,Post};
  ensures count: fh_layout.zone_count == \old(fh_layout.zone_count);
  ensures same: inputs_same{Pre,Post}(fh_layout.map, fh_layout.topology);
  ensures inputs: inputs_apart;
  ensures named: fh_zones[fh_layout.zone_count].first == first &&
    fh_zones[fh_layout.zone_count].count == count &&
    fh_zones[fh_layout.zone_count].blocks == blocks &&
    fh_zones[fh_layout.zone_count].touched == touched;
  ensures ok: zone_ok(&fh_zones[fh_layout.zone_count]);
*/
static void init_zone(uint64_t first, uint64_t count, struct fh_block *blocks,
		      uint64_t *touched)
{
	/*@ assert spans_apart: \forall integer i; 0 <= i < early_map->count ==>
	  \separated(fh_zones + (0 .. FH_MAX_ZONES - 1), &early_map->spans[i]); */
	/*@ assert map_apart: early_map == fh_layout.map &&
	  \separated(fh_zones + (0 .. FH_MAX_ZONES - 1), early_map); */
	/*@ assert ranges_apart: fh_layout.topology != \null ==>
	  \separated(fh_zones + (0 .. FH_MAX_ZONES - 1), fh_layout.topology) &&
	  \forall integer i; 0 <= i < fh_layout.topology->range_count ==>
	    \separated(fh_zones + (0 .. FH_MAX_ZONES - 1),
	      &fh_layout.topology->ranges[i]); */
	fh_zone_init(&fh_zones[fh_layout.zone_count], first, count, blocks,
		     touched);
	/*@ assert layout: layout_same{Pre,Here}; */
	/*@ assert map: early_map->count == \at(early_map->count,Pre) &&
	  early_map->spans == \at(early_map->spans,Pre) &&
	  early_map->capacity == \at(early_map->capacity,Pre); */
	/*@ assert spans: \forall integer i; 0 <= i < early_map->count ==>
	  early_map->spans[i].first == \at(early_map->spans[i].first,Pre) &&
	  early_map->spans[i].count == \at(early_map->spans[i].count,Pre); */
	/*@ assert takens: \forall integer i; 0 <= i < early_map->count ==>
	  early_map->spans[i].kind == \at(early_map->spans[i].kind,Pre) &&
	  early_map->spans[i].taken == \at(early_map->spans[i].taken,Pre); */
	/*@ assert topology: fh_layout.topology != \null ==>
	  fh_layout.topology->range_count ==
	    \at(fh_layout.topology->range_count,Pre) &&
	  fh_layout.topology->ranges == \at(fh_layout.topology->ranges,Pre); */
	/*@ assert ranges: fh_layout.topology != \null ==>
	  \forall integer i; 0 <= i < fh_layout.topology->range_count ==>
	    fh_layout.topology->ranges[i].first ==
	      \at(fh_layout.topology->ranges[i].first,Pre) &&
	    fh_layout.topology->ranges[i].count ==
	      \at(fh_layout.topology->ranges[i].count,Pre); */
}

/* Makes the next zone of some blocks, its tables in the pages from page on. */
/*@
  requires early: early_inv;
  requires inputs: inputs_apart;
  requires window: window_there;
  requires fh_layout.zone_count < FH_MAX_ZONES;
  requires 0 < count < FH_NO_BLOCK;
  requires first + count <= FH_PAGE_NUMBER_END / 512;
  requires page * TABLES_PER_PAGE + count <= g_block_count;
  requires page * TABLES_PER_PAGE + (count - 1) / 64 < g_word_count;
  assigns fh_zones[fh_layout.zone_count],
          g_words[0 .. g_word_count - 1], g_blocks[0 .. g_block_count - 1];
  exits \false;
  ensures early: early_inv;
  ensures same: inputs_same{Pre,Post}(fh_layout.map, fh_layout.topology);
  ensures inputs: inputs_apart;
  ensures window: window_there;
  ensures layout: layout_same{Pre,Post};
  ensures count: fh_layout.zone_count == \old(fh_layout.zone_count);
  ensures bytes: \forall integer i; 0 <= i < g_byte_count ==>
    g_bytes[i] == \old(g_bytes[i]);
  ensures others: \forall integer z; 0 <= z < fh_layout.zone_count ==>
    fh_zones[z].first == \old(fh_zones[z].first) &&
    fh_zones[z].count == \old(fh_zones[z].count) &&
    fh_zones[z].blocks == \old(fh_zones[z].blocks) &&
    fh_zones[z].touched == \old(fh_zones[z].touched);
  ensures named: fh_zones[fh_layout.zone_count].first == first &&
    fh_zones[fh_layout.zone_count].count == count &&
    fh_zones[fh_layout.zone_count].blocks ==
      g_blocks + page * TABLES_PER_PAGE &&
    fh_zones[fh_layout.zone_count].touched ==
      g_words + page * TABLES_PER_PAGE;
  ensures ok: zone_ok(&fh_zones[fh_layout.zone_count]);
*/
static void make_zone(uint64_t page, uint64_t first, uint64_t count,
		      bool memory_is_zeroed)
{
	uint64_t words = fh_round_up_div(count, FH_WORD_BITS);
	struct fh_block *blocks;

	/*@ assert spans: spans_are_ok(early_map) && spans_ascend(early_map) &&
	  spans_differ(early_map) && early_map == fh_layout.map; */
	/*@ assert spans_apart: \forall integer i; 0 <= i < early_map->count ==>
	  apart_from_zones(&early_map->spans[i]); */
	/*@ assert ranges_apart: fh_layout.topology != \null ==>
	  \forall integer i; 0 <= i < fh_layout.topology->range_count ==>
	    apart_from_zones(&fh_layout.topology->ranges[i]); */
	/*@ assert bytes_apart: \forall integer i; 0 <= i < g_byte_count ==>
	  apart_from_zones(g_bytes + i); */
	uint64_t *touched =
		zone_table(page, words, count, memory_is_zeroed, &blocks);
	/*@ assert layout: layout_same{Pre,Here}; */
	/*@ assert map: early_map->count == \at(early_map->count,Pre) &&
	  early_map->spans == \at(early_map->spans,Pre) &&
	  early_map->capacity == \at(early_map->capacity,Pre); */
	/*@ assert spans: \forall integer i; 0 <= i < early_map->count ==>
	  early_map->spans[i].first == \at(early_map->spans[i].first,Pre) &&
	  early_map->spans[i].count == \at(early_map->spans[i].count,Pre); */
	/*@ assert takens: \forall integer i; 0 <= i < early_map->count ==>
	  early_map->spans[i].kind == \at(early_map->spans[i].kind,Pre) &&
	  early_map->spans[i].taken == \at(early_map->spans[i].taken,Pre); */
	/*@ assert cleared_bytes: \forall integer i; 0 <= i < g_byte_count ==>
	  g_bytes[i] == \at(g_bytes[i],Pre); */
	/*@ assert cleared_zones: \forall integer z; 0 <= z < FH_MAX_ZONES ==>
	  fh_zones[z].first == \at(fh_zones[z].first,Pre) &&
	  fh_zones[z].count == \at(fh_zones[z].count,Pre) &&
	  fh_zones[z].blocks == \at(fh_zones[z].blocks,Pre) &&
	  fh_zones[z].touched == \at(fh_zones[z].touched,Pre); */
	/*@ assert cleared: fh_layout.topology != \null ==>
	  fh_layout.topology->range_count ==
	    \at(fh_layout.topology->range_count,Pre) &&
	  fh_layout.topology->ranges == \at(fh_layout.topology->ranges,Pre); */
	/*@ assert cleared_ranges: fh_layout.topology != \null ==>
	  \forall integer i; 0 <= i < fh_layout.topology->range_count ==>
	    fh_layout.topology->ranges[i].first ==
	      \at(fh_layout.topology->ranges[i].first,Pre) &&
	    fh_layout.topology->ranges[i].count ==
	      \at(fh_layout.topology->ranges[i].count,Pre); */
	init_zone(first, count, blocks, touched);
	/*@ assert made: map_same{Pre,Here}(early_map); */
	/*@ assert differ: spans_differ(early_map); */
	/*@ assert ascend: spans_ascend(early_map); */
	/*@ assert ok: spans_are_ok(early_map); */
	/*@ assert readable: map_is_readable(early_map); */
	/*@ assert bumps: bumps_are_ok(early_map); */
	/*@ assert made_layout: layout_same{Pre,Here}; */
	/*@ assert made_topology: fh_layout.topology != \null ==>
	  fh_layout.topology->range_count ==
	    \at(fh_layout.topology->range_count,Pre) &&
	  fh_layout.topology->ranges == \at(fh_layout.topology->ranges,Pre); */
	/*@ assert made_ranges: fh_layout.topology != \null ==>
	  \forall integer i; 0 <= i < fh_layout.topology->range_count ==>
	    fh_layout.topology->ranges[i].first ==
	      \at(fh_layout.topology->ranges[i].first,Pre) &&
	    fh_layout.topology->ranges[i].count ==
	      \at(fh_layout.topology->ranges[i].count,Pre); */
	/*@ assert same: inputs_same{Pre,Here}(early_map, fh_layout.topology); */
}

/* The next zone's pieces of the tables, and what is constant of it. */
/*@ ghost
  /@
    requires each_zone_placed && each_zone_named;
    requires fh_layout.zone_count < FH_MAX_ZONES;
    requires 0 < count < FH_NO_BLOCK;
    requires first + count <= FH_PAGE_NUMBER_END / 512;
    requires page * TABLES_PER_PAGE + count <= g_block_count;
    requires page * TABLES_PER_PAGE + (count - 1) / 64 < g_word_count;
    assigns g_first[fh_layout.zone_count], g_count[fh_layout.zone_count],
      g_block_at[fh_layout.zone_count], g_word_at[fh_layout.zone_count];
    exits \false;
    ensures others: each_zone_placed && each_zone_named;
    ensures kept: \forall integer z; 0 <= z < fh_layout.zone_count ==>
      g_first[z] == \old(g_first[z]) && g_count[z] == \old(g_count[z]) &&
      g_block_at[z] == \old(g_block_at[z]) &&
      g_word_at[z] == \old(g_word_at[z]);
    ensures placed: zone_placed(fh_layout.zone_count);
    ensures first: g_first[fh_layout.zone_count] == first;
    ensures count: g_count[fh_layout.zone_count] == count;
    ensures blocks: g_block_at[fh_layout.zone_count] ==
      page * TABLES_PER_PAGE;
    ensures words: g_word_at[fh_layout.zone_count] == page * TABLES_PER_PAGE;
  @/
  void ghost_place_zone(uint64_t page, uint64_t first, uint64_t count)
  {
    /@ assert before: \forall integer z; 0 <= z < fh_layout.zone_count ==>
      0 < g_count[z] < FH_NO_BLOCK &&
      g_first[z] + g_count[z] <= FH_PAGE_NUMBER_END / 512 &&
      g_block_at[z] + g_count[z] <= g_block_count &&
      g_word_at[z] + (g_count[z] - 1) / 64 < g_word_count; @/
    g_first[fh_layout.zone_count] = first;
    g_count[fh_layout.zone_count] = count;
    g_block_at[fh_layout.zone_count] = page * TABLES_PER_PAGE;
    g_word_at[fh_layout.zone_count] = page * TABLES_PER_PAGE;
    /@ assert kept: \forall integer z; 0 <= z < fh_layout.zone_count ==>
      g_first[z] == \at(g_first[z],Pre) &&
      g_count[z] == \at(g_count[z],Pre) &&
      g_block_at[z] == \at(g_block_at[z],Pre) &&
      g_word_at[z] == \at(g_word_at[z],Pre); @/
    /@ assert after: \forall integer z; 0 <= z < fh_layout.zone_count ==>
      0 < g_count[z] < FH_NO_BLOCK &&
      g_first[z] + g_count[z] <= FH_PAGE_NUMBER_END / 512 &&
      g_block_at[z] + g_count[z] <= g_block_count &&
      g_word_at[z] + (g_count[z] - 1) / 64 < g_word_count; @/
    /@ assert placed: each_zone_placed; @/
  }
*/

enum fh_status fh_open_zone_tables(uint64_t first, uint64_t end,
				   bool memory_is_zeroed)
{
	uint64_t first_block = first / FH_BLOCK_PAGES;
	uint64_t count = fh_round_up_div(end, FH_BLOCK_PAGES) - first_block;
	uint64_t words = fh_round_up_div(count, FH_WORD_BITS);
	uint64_t page;

	enum fh_status status = fh_take_table_pages(
		words * sizeof(uint64_t) + count * sizeof(struct fh_block),
		&page);
	/*@ assert sections: by_section_same{Pre,Here}; */
	/*@ assert zones: each_zone_placed && each_zone_named; */
	/*@ assert taken: inputs_apart && layout_same{Pre,Here}; */
	if (status != FH_OK)
		return status;
	/*@ ghost ghost_place_zone(page, first_block, count); */
	/*@ assert placed: by_section_same{Pre,Here} && early_inv; */
	make_zone(page, first_block, count, memory_is_zeroed);
	return FH_OK;
}
