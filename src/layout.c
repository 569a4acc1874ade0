/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From cells to zones, in steps: cut each island of cells with memory into
 * zones, trim the zones to their memory and give them tables. Pieces of memory
 * and cells, which come before, and zones' tables have files of their own.
 */
#include "cells.h"

struct fh_layout fh_layout;
struct fh_zone fh_zones[FH_MAX_ZONES];

/* Zones that pay off when nobody knows how many CPUs there will be. */
#define USUAL_ZONES 8
#define MOST_ZONES  16

/* Memory below 4 GiB is what devices with short addresses can reach. */
#define LOW_MEMORY_END (UINT64_C(1) << 20)

/*
 * How many zones to make: two pay off with the second CPU, because pages come
 * back to the CPU that has their slots in its cache.
 */
/*@
  requires map_there;
  assigns \nothing;
  exits \false;
  ensures 1 <= \result <= MOST_ZONES;
  ensures pages < 2 * FH_SMALLEST_CELL ==> \result == 1;
*/
static uint64_t choose_zone_count(uint64_t pages)
{
	uint64_t by_cpus = fh_smaller(USUAL_ZONES, FH_MAX_CPUS);
	uint64_t by_memory = fh_larger(2, pages / FH_LARGEST_CELL);

	if (pages < 2 * FH_SMALLEST_CELL)
		return 1;
	if (fh_layout.topology != NULL && fh_layout.topology->cpu_count > 0)
		by_cpus = fh_smaller(MOST_ZONES, fh_layout.topology->cpu_count);
	return fh_smaller(by_cpus, by_memory);
}

/* Free pages left to urgent requests: more of low memory, if there is other. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result <= pages / 8;
*/
static uint64_t choose_reserve(uint64_t pages, uint64_t end)
{
	if (end <= LOW_MEMORY_END && fh_memory.frame_end > LOW_MEMORY_END)
		return pages / 8;
	return fh_smaller(pages / 64, 1024);
}

/* From the first block with memory to the last one, of some cells. */
/*@
  requires map_there && \valid(first) && \valid(end);
  requires \separated(first, end);
  assigns *first, *end;
  exits \false;
  ensures within: \old(*first) <= *first && *end <= \old(*end) ||
    (*first == \old(*end) && *end == \old(*first));
  ensures all: \forall integer i; 0 <= i < \old(pieces_there) &&
    \old(has_part(i, *first, *end)) ==>
      *first <= \old(part_first(i, *first)) &&
      \old(part_end(i, *end)) <= *end;
  ensures tight: *first != \old(*end) ==>
    \exists integer i; 0 <= i < \old(pieces_there) &&
      \old(has_part(i, *first, *end)) &&
      *first == \old(part_first(i, *first));
*/
static void trim_zone(uint64_t *first, uint64_t *end)
{
	uint64_t lowest = *end;
	uint64_t highest = *first;

	/*@
	  loop invariant 0 <= i <= pieces_there;
	  loop invariant \at(*first,Pre) <= lowest || lowest == \at(*end,Pre);
	  loop invariant highest <= \at(*end,Pre) || highest == \at(*first,Pre);
	  loop invariant lowest == \at(*end,Pre) <==>
	    highest == \at(*first,Pre);
	  loop invariant \forall integer j; 0 <= j < i &&
	    has_part(j, \at(*first,Pre), \at(*end,Pre)) ==>
	      lowest <= part_first(j, \at(*first,Pre)) &&
	      part_end(j, \at(*end,Pre)) <= highest;
	  loop invariant lowest != \at(*end,Pre) ==>
	    \exists integer j; 0 <= j < i &&
	      has_part(j, \at(*first,Pre), \at(*end,Pre)) &&
	      lowest == part_first(j, \at(*first,Pre));
	  loop assigns i, lowest, highest;
	  loop variant pieces_there - i;
	*/
	for (size_t i = 0; i < fh_piece_count(); i++) {
		uint64_t from = *first;
		uint64_t to = *end;

		if (!fh_piece_clip(i, &from, &to))
			continue;
		lowest = fh_smaller(lowest, from);
		highest = fh_larger(highest, to);
	}
	*first = lowest;
	*end = highest;
}

/* What else is said of a zone, which begins with that cell. */
/*@
  requires map_there && map_is_normal(fh_layout.map) && cells_ok;
  requires cell < cells_there && first <= end;
  requires \valid(zone);
  assigns zone->node, zone->pages, zone->reserve;
  exits \false;
  ensures zone->pages <= end - first && zone->reserve <= zone->pages;
*/
static void describe_zone(struct fh_zone *zone, uint64_t cell, uint64_t first,
			  uint64_t end)
{
	uint64_t pages = fh_covered_pages(first, end);

	zone->node = fh_cell_node(cell);
	zone->pages = pages;
	zone->reserve = choose_reserve(pages, end);
}

/* Marked sections get the number of their zone. */
/*@
  requires sections_there && index < FH_MAX_ZONES;
  assigns fh_layout.zone_by_section[0 .. fh_layout.section_count - 1];
  exits \false;
  ensures within: \forall integer s; 0 <= s < fh_layout.section_count &&
    first <= s < end ==> fh_layout.zone_by_section[s] ==
      (\old(fh_layout.zone_by_section[s]) == FH_NO_ZONE ? FH_NO_ZONE : index);
  ensures others: \forall integer s; 0 <= s < fh_layout.section_count &&
    !(first <= s < end) ==> fh_layout.zone_by_section[s] ==
      \old(fh_layout.zone_by_section[s]);
*/
static void number_sections(uint64_t first, uint64_t end, uint64_t index)
{
	/*@
	  loop invariant first <= section;
	  loop invariant \forall integer s; 0 <= s < fh_layout.section_count ==>
	    fh_layout.zone_by_section[s] ==
	      (first <= s < section &&
	       \at(fh_layout.zone_by_section[s],Pre) != FH_NO_ZONE ? index :
	         \at(fh_layout.zone_by_section[s],Pre));
	  loop invariant section <= \max(first, end);
	  loop assigns section,
	    fh_layout.zone_by_section[0 .. fh_layout.section_count - 1];
	  loop variant fh_layout.section_count - section;
	*/
	for (uint64_t section = first;
	     section < end && section < fh_layout.section_count; section++)
		if (fh_layout.zone_by_section[section] != FH_NO_ZONE)
			fh_layout.zone_by_section[section] = (uint8_t)index;
}

/* Where the pages of cells are. */
/*@ ghost
  /@
    requires cells_ok && cell < end_cell <= cells_there;
    assigns \nothing;
    exits \false;
    ensures begins:
      0 <= cell * fh_layout.cell_pages < fh_memory.frame_end;
    ensures more: (cell + 1) * fh_layout.cell_pages <=
      end_cell * fh_layout.cell_pages;
    ensures ends: end_cell * fh_layout.cell_pages <
      fh_memory.frame_end + fh_layout.cell_pages;
    ensures all: end_cell * fh_layout.cell_pages <=
      cells_there * fh_layout.cell_pages;
    ensures section: cell * fh_layout.cell_pages / FH_SECTION_FRAMES *
      FH_SECTION_FRAMES == cell * fh_layout.cell_pages;
    ensures first: cell_section(cell * fh_layout.cell_pages /
      FH_SECTION_FRAMES) == cell * fh_layout.cell_pages / FH_SECTION_FRAMES;
    ensures end_section: end_cell * fh_layout.cell_pages / FH_SECTION_FRAMES *
      FH_SECTION_FRAMES == end_cell * fh_layout.cell_pages;
  @/
  void ghost_pages_of_cells(uint64_t cell, uint64_t end_cell)
  {
    /@ assert size: is_cell_size(fh_layout.cell_pages); @/
    /@ assert last: fh_layout.cell_pages == 32768 ==>
      (cells_there - 1) * 32768 < fh_memory.frame_end; @/
    /@ assert last_2: fh_layout.cell_pages == 65536 ==>
      (cells_there - 1) * 65536 < fh_memory.frame_end; @/
    /@ assert last_4: fh_layout.cell_pages == 131072 ==>
      (cells_there - 1) * 131072 < fh_memory.frame_end; @/
    /@ assert last_8: fh_layout.cell_pages == 262144 ==>
      (cells_there - 1) * 262144 < fh_memory.frame_end; @/
  }
*/

/* From the first block with memory of some cells to the last one. */
/*@
  requires map_there && cells_ok && sections_there;
  requires marks_are_backed(pieces_there) && has_memory(cell);
  requires cell < end_cell <= cells_there;
  requires \valid(first) && \valid(end) && \separated(first, end);
  requires \separated(first, &fh_memory) && \separated(end, &fh_memory);
  assigns *first, *end;
  exits \false;
  ensures within: cell * fh_layout.cell_pages <= *first < *end <=
    \min(end_cell * fh_layout.cell_pages, fh_memory.frame_end);
*/
static void span_cells(uint64_t cell, uint64_t end_cell, uint64_t *first,
		       uint64_t *end)
{
	/*@ ghost ghost_pages_of_cells(cell, end_cell); */
	uint64_t from = cell * fh_layout.cell_pages;
	uint64_t to = fh_smaller(end_cell * fh_layout.cell_pages,
				 fh_memory.frame_end);

	/*@ assert marked: \exists integer i; 0 <= i < pieces_there &&
	  is_backed_by(from / FH_SECTION_FRAMES, i); */
	/*@ assert memory: \exists integer i; 0 <= i < pieces_there &&
	  has_part(i, from, to); */
	trim_zone(&from, &to);
	/*@ assert less: from < to; */
	*first = from;
	*end = to;
}

/* Says what zone the cells are, whose tables are there, and counts it. */
/*@
  requires making: in_the_making;
  requires true_marks: marks_are_true;
  requires cell < end_cell <= cells_there && first <= end;
  requires fh_layout.zone_count < FH_MAX_ZONES;
  requires zone: is_next_zone(first, end, fh_layout.zone_count);
  requires numbered: numbered_below(cell * fh_layout.cell_pages);
  assigns fh_layout.zone_count,
          fh_layout.zone_by_section[0 .. fh_layout.section_count - 1],
          fh_zones[0 .. FH_MAX_ZONES - 1];
  exits \false;
  ensures early: early_inv;
  ensures same: inputs_same{Pre,Post}(fh_layout.map, fh_layout.topology);
  ensures layout: layout_same{Pre,Post};
  ensures making: in_the_making;
  ensures count: fh_layout.zone_count == \old(fh_layout.zone_count) + 1;
  ensures true_marks: marks_are_true;
  ensures marks: marks_same{Pre,Post};
  ensures numbered: numbered_below(end_cell * fh_layout.cell_pages);
*/
static void number_zone(uint64_t cell, uint64_t end_cell, uint64_t first,
			uint64_t end)
{
	/*@ ghost ghost_pages_of_cells(cell, end_cell); */
	uint64_t index = fh_layout.zone_count;

	number_sections(cell * fh_layout.cell_pages / FH_SECTION_FRAMES,
			end_cell * fh_layout.cell_pages / FH_SECTION_FRAMES,
			index);
	describe_zone(&fh_zones[index], cell, first, end);
	/*@ assert spans: map_same{Pre,Here}(fh_layout.map); */
	/*@ assert layout: layout_same{Pre,Here}; */
	fh_layout.zone_count = index + 1;
	/*@ assert counted: map_same{Pre,Here}(fh_layout.map); */
	/*@ assert firsts: \forall integer i, page; 0 <= i < pieces_there ==>
	  part_first(i, page) == part_first{Pre}(i, page); */
	/*@ assert ends: \forall integer i, page; 0 <= i < pieces_there ==>
	  part_end(i, page) == part_end{Pre}(i, page); */
	/*@ assert parts: parts_same{Pre,Here}; */
	/*@ assert touched: \forall integer i, s; 0 <= i < pieces_there ==>
	  (touches_below_end(i, s) <==> touches_below_end{Pre}(i, s)); */
	/*@ assert sections: \forall integer s;
	  cell_section(s) == cell_section{Pre}(s); */
	/*@ assert still: \forall integer i, s; 0 <= i < pieces_there &&
	  is_backed_by{Pre}(s, i) ==>
	    has_part(i, \at(cell_section(s) * FH_SECTION_FRAMES,Pre),
	      \at(\min(cell_section(s) * FH_SECTION_FRAMES +
	        fh_layout.cell_pages, fh_memory.frame_end),Pre)); */
	/*@ assert backs: \forall integer i, s; 0 <= i < pieces_there &&
	  is_backed_by{Pre}(s, i) ==> is_backed_by(s, i); */
	/*@ assert marks: marks_same{Pre,Here}; */
	/*@ assert marked: memory_is_marked; */
	/*@ assert whole: cells_are_whole; */
	/*@ assert backed: marks_are_backed(pieces_there); */
}

/* Makes a zone of the cells, which are of one node. */
/*@
  requires making: in_the_making;
  requires true_marks: marks_are_true;
  requires cell < end_cell <= cells_there && has_memory(cell);
  requires fh_layout.zone_count < FH_MAX_ZONES;
  requires numbered_below(cell * fh_layout.cell_pages);
  assigns fh_layout.zone_count,
          fh_layout.map->spans[0 .. fh_layout.map->count - 1],
          fh_layout.zone_by_section[0 .. fh_layout.section_count - 1],
          fh_zones[0 .. FH_MAX_ZONES - 1],
          g_words[0 .. g_word_count - 1], g_blocks[0 .. g_block_count - 1],
          g_first[0 .. FH_MAX_ZONES - 1], g_count[0 .. FH_MAX_ZONES - 1],
          g_block_at[0 .. FH_MAX_ZONES - 1], g_word_at[0 .. FH_MAX_ZONES - 1];
  exits \false;
  ensures early: early_inv;
  ensures inputs: inputs_apart;
  ensures window: window_there;
  ensures cells: cells_ok && sections_placed;
  ensures placed: each_zone_placed;
  ensures named: each_zone_named;
  ensures layout: layout_same{Pre,Post};
  ensures same: inputs_same{Pre,Post}(fh_layout.map, fh_layout.topology);
  ensures marks: marks_same{Pre,Post};
  ensures true_marks: marks_are_true;
  ensures status: early_is_open ==>
    \result == FH_OK || \result == FH_E_NO_MEMORY;
  ensures count: fh_layout.zone_count ==
    \old(fh_layout.zone_count) + (\result == FH_OK ? 1 : 0);
  ensures numbered: \result == FH_OK ==>
    numbered_below(end_cell * fh_layout.cell_pages);
*/
static enum fh_status open_zone(uint64_t cell, uint64_t end_cell,
				bool memory_is_zeroed)
{
	uint64_t first;
	uint64_t end;

	span_cells(cell, end_cell, &first, &end);
	enum fh_status status =
		fh_open_zone_tables(first, end, memory_is_zeroed);
	/*@ assert firsts: \forall integer i, page; 0 <= i < pieces_there ==>
	  part_first(i, page) == part_first{Pre}(i, page); */
	/*@ assert ends: \forall integer i, page; 0 <= i < pieces_there ==>
	  part_end(i, page) == part_end{Pre}(i, page); */
	/*@ assert parts: parts_same{Pre,Here}; */
	/*@ assert touched: \forall integer i, s; 0 <= i < pieces_there ==>
	  (touches_below_end(i, s) <==> touches_below_end{Pre}(i, s)); */
	/*@ assert sections: \forall integer s;
	  cell_section(s) == cell_section{Pre}(s); */
	/*@ assert still: \forall integer i, s; 0 <= i < pieces_there &&
	  is_backed_by{Pre}(s, i) ==>
	    has_part(i, \at(cell_section(s) * FH_SECTION_FRAMES,Pre),
	      \at(\min(cell_section(s) * FH_SECTION_FRAMES +
	        fh_layout.cell_pages, fh_memory.frame_end),Pre)); */
	/*@ assert backs: \forall integer i, s; 0 <= i < pieces_there &&
	  is_backed_by{Pre}(s, i) ==> is_backed_by(s, i); */
	/*@ assert marks: marks_same{Pre,Here}; */
	/*@ assert marked: memory_is_marked; */
	/*@ assert whole: cells_are_whole; */
	/*@ assert backed: marks_are_backed(pieces_there); */
	if (status == FH_OK)
		number_zone(cell, end_cell, first, end);
	return status;
}

/* Cuts an island into zones of about so many pages. */
static enum fh_status open_island(uint64_t cell, uint64_t end, uint64_t target,
				  bool memory_is_zeroed)
{
	uint64_t pages = fh_covered_pages(cell * fh_layout.cell_pages,
					  end * fh_layout.cell_pages);
	uint64_t parts = fh_larger(1, (pages + target / 2) / target);
	uint64_t stride = fh_round_up_div(end - cell, parts);

	while (cell < end) {
		uint64_t next = fh_smaller(cell + stride, end);

		/* The last zone takes what is left, holes and all. */
		if (fh_layout.zone_count + 1 == FH_MAX_ZONES)
			next = fh_cell_count();
		enum fh_status status = open_zone(cell, next, memory_is_zeroed);
		if (status != FH_OK || next == fh_cell_count())
			return status;
		cell = next;
	}
	return FH_OK;
}

/* All zones, from the first cell to the last. */
static enum fh_status open_zones(bool memory_is_zeroed)
{
	uint64_t pages = fh_covered_pages(0, fh_memory.frame_end);
	uint64_t zones = choose_zone_count(pages);
	uint64_t target = fh_round_up_div(pages, zones);
	uint64_t cell = 0;

	while (cell < fh_cell_count() && fh_layout.zone_count < FH_MAX_ZONES) {
		if (!fh_cell_has_memory(cell)) {
			cell++;
			continue;
		}
		uint64_t end = fh_cell_island_end(cell);
		enum fh_status status =
			open_island(cell, end, target, memory_is_zeroed);
		if (status != FH_OK)
			return status;
		cell = end;
	}
	return FH_OK;
}

static const struct fh_layout no_layout;

enum fh_status fh_layout_open(const struct fh_memory_map *map,
			      const struct fh_topology *topology,
			      bool memory_is_zeroed)
{
	fh_layout = no_layout;
	fh_layout.map = map;
	fh_layout.topology = topology;
	enum fh_status status = fh_cells_open();
	if (status == FH_OK)
		status = open_zones(memory_is_zeroed);
	if (status == FH_OK)
		fh_memory.cover = fh_layout.cover;
	else
		fh_layout = no_layout;
	return status;
}

void fh_layout_close(void)
{
	fh_memory.cover = NULL;
	fh_layout = no_layout;
}
