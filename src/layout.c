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

/* What a quotient that is rounded up lies between. */
/*@ ghost
  /@
    requires n > 0 && by > 0;
    assigns \nothing;
    exits \false;
    ensures 0 < n / by + (n % by == 0 ? 0 : 1) <= n;
  @/
  void ghost_rounded_up(uint64_t n, uint64_t by)
  {
    /@ assert n < by ==> n / by == 0 && n % by == n; @/
    /@ assert by == 1 ==> n / by == n && n % by == 0; @/
    /@ assert by > 1 ==> n / by <= n / 2; @/
  }
*/

/* Cuts an island into zones of about so many pages. */
/*@
  requires making: in_the_making;
  requires true_marks: marks_are_true;
  requires cell < end <= cells_there;
  requires 0 < target <= FH_PAGE_NUMBER_END;
  requires \forall integer i; cell <= i < end ==> has_memory(i);
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
  ensures map: fh_layout.map->count == \old(fh_layout.map->count) &&
    fh_layout.map->spans == \old(fh_layout.map->spans);
  ensures marks: marks_same{Pre,Post};
  ensures true_marks: marks_are_true;
  ensures status: early_is_open ==>
    \result == FH_OK || \result == FH_E_NO_MEMORY;
  ensures count: fh_layout.zone_count <= FH_MAX_ZONES;
  ensures done: \result == FH_OK ==>
    numbered_below(end * fh_layout.cell_pages);
  ensures full: \result == FH_OK &&
    fh_layout.zone_count == FH_MAX_ZONES ==>
      numbered_below(cells_there * fh_layout.cell_pages);
*/
static enum fh_status open_island(uint64_t cell, uint64_t end, uint64_t target,
				  bool memory_is_zeroed)
{
	/*@ ghost ghost_pages_of_cells(cell, end); */
	uint64_t pages = fh_covered_pages(cell * fh_layout.cell_pages,
					  end * fh_layout.cell_pages);
	uint64_t parts = fh_larger(1, (pages + target / 2) / target);
	uint64_t stride = fh_round_up_div(end - cell, parts);

	/*@ ghost ghost_rounded_up((uint64_t)(end - cell), parts); */
	/*@
	  loop invariant at: \at(cell,Pre) <= cell <= end;
	  loop invariant early: early_inv;
	  loop invariant inputs: inputs_apart;
	  loop invariant window: window_there;
	  loop invariant cells: cells_ok && sections_placed;
	  loop invariant placed: each_zone_placed;
	  loop invariant named: each_zone_named;
	  loop invariant layout: layout_same{Pre,Here};
	  loop invariant map: fh_layout.map->count ==
	    \at(fh_layout.map->count,Pre) &&
	    fh_layout.map->spans == \at(fh_layout.map->spans,Pre);
	  loop invariant marks: marks_same{Pre,Here};
	  loop invariant true_marks: marks_are_true;
	  loop invariant room: fh_layout.zone_count < FH_MAX_ZONES;
	  loop invariant numbered: numbered_below(cell * fh_layout.cell_pages);
	  loop assigns cell, fh_layout.zone_count,
	    \at(fh_layout.map->spans,Pre)[0 ..
	      \at(fh_layout.map->count,Pre) - 1],
	    fh_layout.zone_by_section[0 .. fh_layout.section_count - 1],
	    fh_zones[0 .. FH_MAX_ZONES - 1],
	    g_words[0 .. g_word_count - 1], g_blocks[0 .. g_block_count - 1],
	    g_first[0 .. FH_MAX_ZONES - 1], g_count[0 .. FH_MAX_ZONES - 1],
	    g_block_at[0 .. FH_MAX_ZONES - 1],
	    g_word_at[0 .. FH_MAX_ZONES - 1];
	  loop variant end - cell;
	*/
	while (cell < end) {
		uint64_t next = fh_smaller(cell + stride, end);

		/* The last zone takes what is left, holes and all. */
		if (fh_layout.zone_count + 1 == FH_MAX_ZONES)
			next = fh_cell_count();
		/*@ ghost ghost_pages_of_cells(cell, end); */
		/*@ assert next: cell < next <= cells_there; */
		/*@ assert was: has_memory{Pre}(cell); */
		/*@ assert section: 0 <= cell * fh_layout.cell_pages /
		  FH_SECTION_FRAMES < fh_layout.section_count; */
		/*@ assert marked: has_memory(cell); */
		enum fh_status status = open_zone(cell, next, memory_is_zeroed);
		/*@ assert layout: layout_same{Pre,Here}; */
		/*@ ghost ghost_pages_of_cells(cell, end); */
		/*@ assert map: fh_layout.map->count ==
		  \at(fh_layout.map->count,Pre) &&
		  fh_layout.map->spans == \at(fh_layout.map->spans,Pre); */
		if (status != FH_OK || next == fh_cell_count())
			return status;
		cell = next;
	}
	return FH_OK;
}

/* Sections of a cell begin with the same one; cells reach to the last page. */
/*@ ghost
  /@
    requires cells_ok;
    assigns \nothing;
    exits \false;
    ensures same: \forall integer s; cell * fh_layout.cell_pages <=
      s * FH_SECTION_FRAMES < (cell + 1) * fh_layout.cell_pages ==>
        cell_section(s) == cell * fh_layout.cell_pages / FH_SECTION_FRAMES;
    ensures reach: fh_memory.frame_end <= cells_there * fh_layout.cell_pages;
  @/
  void ghost_sections_of_cell(uint64_t cell)
  {
    /@ assert size: is_cell_size(fh_layout.cell_pages); @/
    /@ assert cell_1: fh_layout.cell_pages == 32768 ==>
      \forall integer s; cell * 32768 <= s * FH_SECTION_FRAMES <
        (cell + 1) * 32768 ==> 1 * cell <= s < 1 * cell + 1; @/
    /@ assert section_1: fh_layout.cell_pages == 32768 ==>
      cell * fh_layout.cell_pages / FH_SECTION_FRAMES == 1 * cell; @/
    /@ assert cell_2: fh_layout.cell_pages == 65536 ==>
      \forall integer s; cell * 65536 <= s * FH_SECTION_FRAMES <
        (cell + 1) * 65536 ==> 2 * cell <= s < 2 * cell + 2; @/
    /@ assert section_2: fh_layout.cell_pages == 65536 ==>
      cell * fh_layout.cell_pages / FH_SECTION_FRAMES == 2 * cell; @/
    /@ assert cell_4: fh_layout.cell_pages == 131072 ==>
      \forall integer s; cell * 131072 <= s * FH_SECTION_FRAMES <
        (cell + 1) * 131072 ==> 4 * cell <= s < 4 * cell + 4; @/
    /@ assert section_4: fh_layout.cell_pages == 131072 ==>
      cell * fh_layout.cell_pages / FH_SECTION_FRAMES == 4 * cell; @/
    /@ assert cell_8: fh_layout.cell_pages == 262144 ==>
      \forall integer s; cell * 262144 <= s * FH_SECTION_FRAMES <
        (cell + 1) * 262144 ==> 8 * cell <= s < 8 * cell + 8; @/
    /@ assert section_8: fh_layout.cell_pages == 262144 ==>
      cell * fh_layout.cell_pages / FH_SECTION_FRAMES == 8 * cell; @/
    /@ assert two: \forall integer s; 2 * cell <= s < 2 * cell + 2 ==>
      s - s % 2 == 2 * cell; @/
    /@ assert four: \forall integer s; 4 * cell <= s < 4 * cell + 4 ==>
      s - s % 4 == 4 * cell; @/
    /@ assert eight: \forall integer s; 8 * cell <= s < 8 * cell + 8 ==>
      s - s % 8 == 8 * cell; @/
    /@ assert whole_1: fh_layout.cell_pages == 32768 ==>
      \forall integer s; cell * fh_layout.cell_pages <=
        s * FH_SECTION_FRAMES < (cell + 1) * fh_layout.cell_pages ==>
          cell_section(s) == cell * fh_layout.cell_pages / FH_SECTION_FRAMES; @/
    /@ assert whole_2: fh_layout.cell_pages == 65536 ==>
      \forall integer s; cell * fh_layout.cell_pages <=
        s * FH_SECTION_FRAMES < (cell + 1) * fh_layout.cell_pages ==>
          cell_section(s) == cell * fh_layout.cell_pages / FH_SECTION_FRAMES; @/
    /@ assert whole_4: fh_layout.cell_pages == 131072 ==>
      \forall integer s; cell * fh_layout.cell_pages <=
        s * FH_SECTION_FRAMES < (cell + 1) * fh_layout.cell_pages ==>
          cell_section(s) == cell * fh_layout.cell_pages / FH_SECTION_FRAMES; @/
    /@ assert whole_8: fh_layout.cell_pages == 262144 ==>
      \forall integer s; cell * fh_layout.cell_pages <=
        s * FH_SECTION_FRAMES < (cell + 1) * fh_layout.cell_pages ==>
          cell_section(s) == cell * fh_layout.cell_pages / FH_SECTION_FRAMES; @/
  }
*/

/* No section of a cell without memory is marked. */
/*@ ghost
  /@
    requires cells_ok && cells_are_whole && !has_memory(cell);
    assigns \nothing;
    exits \false;
    ensures none: \forall integer s; 0 <= s < fh_layout.section_count &&
      cell * fh_layout.cell_pages <= s * FH_SECTION_FRAMES <
        (cell + 1) * fh_layout.cell_pages ==>
          fh_layout.zone_by_section[s] == FH_NO_ZONE;
  @/
  void ghost_hole(uint64_t cell)
  {
    ghost_sections_of_cell(cell);
  }
*/

/* All zones, from the first cell to the last. */
/*@
  requires making: in_the_making;
  requires true_marks: marks_are_true;
  requires fh_layout.zone_count == 0;
  requires covered_in(0, fh_memory.frame_end, fh_layout.map->count) > 0;
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
  ensures marks: marks_same{Pre,Post};
  ensures true_marks: marks_are_true;
  ensures status: early_is_open ==>
    \result == FH_OK || \result == FH_E_NO_MEMORY;
  ensures count: fh_layout.zone_count <= FH_MAX_ZONES;
  ensures numbered: \result == FH_OK ==>
    numbered_below(cells_there * fh_layout.cell_pages);
*/
static enum fh_status open_zones(bool memory_is_zeroed)
{
	uint64_t pages = fh_covered_pages(0, fh_memory.frame_end);
	uint64_t zones = choose_zone_count(pages);
	uint64_t target = fh_round_up_div(pages, zones);
	uint64_t cell = 0;

	/*@ ghost ghost_rounded_up(pages, zones); */
	/*@ assert target: 0 < target <= pages; */
	/*@
	  loop invariant at: 0 <= cell <= cells_there;
	  loop invariant early: early_inv;
	  loop invariant inputs: inputs_apart;
	  loop invariant window: window_there;
	  loop invariant cells: cells_ok && sections_placed;
	  loop invariant placed: each_zone_placed;
	  loop invariant named: each_zone_named;
	  loop invariant layout: layout_same{Pre,Here};
	  loop invariant map: fh_layout.map->count ==
	    \at(fh_layout.map->count,Pre) &&
	    fh_layout.map->spans == \at(fh_layout.map->spans,Pre);
	  loop invariant marks: marks_same{Pre,Here};
	  loop invariant true_marks: marks_are_true;
	  loop invariant count: fh_layout.zone_count <= FH_MAX_ZONES;
	  loop invariant numbered: numbered_below(cell * fh_layout.cell_pages);
	  loop invariant full: fh_layout.zone_count == FH_MAX_ZONES ==>
	    numbered_below(cells_there * fh_layout.cell_pages);
	  loop assigns cell, fh_layout.zone_count,
	    \at(fh_layout.map->spans,Pre)[0 ..
	      \at(fh_layout.map->count,Pre) - 1],
	    fh_layout.zone_by_section[0 .. fh_layout.section_count - 1],
	    fh_zones[0 .. FH_MAX_ZONES - 1],
	    g_words[0 .. g_word_count - 1], g_blocks[0 .. g_block_count - 1],
	    g_first[0 .. FH_MAX_ZONES - 1], g_count[0 .. FH_MAX_ZONES - 1],
	    g_block_at[0 .. FH_MAX_ZONES - 1],
	    g_word_at[0 .. FH_MAX_ZONES - 1];
	  loop variant cells_there - cell;
	*/
	while (cell < fh_cell_count() && fh_layout.zone_count < FH_MAX_ZONES) {
		if (!fh_cell_has_memory(cell)) {
			/*@ ghost ghost_hole(cell); */
			/*@ assert hole: numbered_below((cell + 1) *
			  fh_layout.cell_pages); */
			cell++;
			continue;
		}
		uint64_t end = fh_cell_island_end(cell);
		/*@ assert places: fh_layout.map == \at(fh_layout.map,Pre) &&
		  fh_layout.map->count == \at(fh_layout.map->count,Pre) &&
		  fh_layout.map->spans == \at(fh_layout.map->spans,Pre) &&
		  fh_layout.section_count == \at(fh_layout.section_count,Pre) &&
		  fh_layout.zone_by_section ==
		    \at(fh_layout.zone_by_section,Pre); */
		enum fh_status status =
			open_island(cell, end, target, memory_is_zeroed);
		/*@ assert layout: layout_same{Pre,Here}; */
		/*@ assert map: fh_layout.map->count ==
		  \at(fh_layout.map->count,Pre) &&
		  fh_layout.map->spans == \at(fh_layout.map->spans,Pre); */
		if (status != FH_OK)
			return status;
		cell = end;
	}
	return FH_OK;
}

static const struct fh_layout no_layout;

/* Where some span has memory, the sum of what all have is more than nothing. */
/*@ ghost
  /@
    requires map_there;
    requires \exists integer i; 0 <= i < fh_layout.map->count &&
      covered_kind(fh_layout.map->spans[i].kind) &&
      fh_layout.map->spans[i].count > 0 &&
      fh_layout.map->spans[i].first < end;
    assigns \nothing;
    exits \false;
    ensures covered_in(0, end, fh_layout.map->count) > 0;
  @/
  void ghost_something_covered(uint64_t end)
  {
    /@
      loop invariant 0 <= i <= fh_layout.map->count;
      loop invariant covered_in(0, end, i) >= 0;
      loop invariant (\exists integer j; 0 <= j < i &&
        covered_kind(fh_layout.map->spans[j].kind) &&
        fh_layout.map->spans[j].count > 0 &&
        fh_layout.map->spans[j].first < end) ==>
          covered_in(0, end, i) > 0;
      loop assigns i;
      loop variant fh_layout.map->count - i;
    @/
    for (uint64_t i = 0; i < fh_layout.map->count; i++)
      ;
  }
*/

/*@
  requires early: early_inv && early_is_open;
  requires window: window_there;
  requires inputs: inputs_are_apart(map, topology);
  requires 0 < fh_memory.frame_end <= FH_MAX_FRAMES;
  requires some: \exists integer i; 0 <= i < map->count &&
    covered_kind(map->spans[i].kind) &&
    map->spans[i].first < fh_memory.frame_end;
  assigns fh_layout, fh_memory.cover, map->spans[0 .. map->count - 1],
          fh_zones[0 .. FH_MAX_ZONES - 1], g_bytes[0 .. g_byte_count - 1],
          g_words[0 .. g_word_count - 1], g_blocks[0 .. g_block_count - 1],
          g_first[0 .. FH_MAX_ZONES - 1], g_count[0 .. FH_MAX_ZONES - 1],
          g_block_at[0 .. FH_MAX_ZONES - 1], g_word_at[0 .. FH_MAX_ZONES - 1];
  exits \false;
  ensures status: \result == FH_OK || \result == FH_E_NO_MEMORY;
  ensures early: early_inv;
  ensures open: \result == FH_OK ==> zones_open;
  ensures made_from: \result == FH_OK ==>
    fh_layout.map == map && fh_layout.topology == topology;
  ensures cover: \result == FH_OK ==> fh_memory.cover == fh_layout.cover;
  ensures forgotten: \result != FH_OK ==>
    fh_layout.map == \null && fh_layout.zone_count == 0 &&
    fh_layout.section_count == 0;
  ensures unchanged: \result != FH_OK ==>
    fh_memory.cover == \old(fh_memory.cover);
*/
enum fh_status fh_layout_open(const struct fh_memory_map *map,
			      const struct fh_topology *topology,
			      bool memory_is_zeroed)
{
	fh_layout = no_layout;
	fh_layout.map = map;
	fh_layout.topology = topology;
	/*@ assert first: \exists integer i; 0 <= i < map->count &&
	  covered_kind(map->spans[i].kind) && map->spans[i].count > 0 &&
	  map->spans[i].first < fh_memory.frame_end; */
	/*@ assert spans: map_same{Pre,Here}(early_map) && early_map == map; */
	/*@ assert inputs: inputs_apart; */
	/*@ assert early: early_inv; */
	enum fh_status status = fh_cells_open();
	/*@ assert count: fh_layout.zone_count == 0; */
	/*@ assert kept: inputs_same{Pre,Here}(map, topology) &&
	  fh_layout.map == map && fh_layout.topology == topology &&
	  fh_memory.frame_end == \at(fh_memory.frame_end,Pre); */
	/*@ assert some_span: \exists integer i; 0 <= i < map->count &&
	  covered_kind(map->spans[i].kind) && map->spans[i].count > 0 &&
	  map->spans[i].first < fh_memory.frame_end; */
	/*@ ghost ghost_something_covered(fh_memory.frame_end); */
	/*@ assert making: status == FH_OK ==> in_the_making; */
	if (status == FH_OK)
		status = open_zones(memory_is_zeroed);
	/*@ ghost if (status == FH_OK) ghost_sections_of_cell(0); */
	/*@ assert last: status == FH_OK ==> (fh_layout.section_count - 1) *
	  FH_SECTION_FRAMES < fh_memory.frame_end; */
	/*@ assert sections: status == FH_OK ==> \forall integer s;
	  0 <= s < fh_layout.section_count ==>
	    s * FH_SECTION_FRAMES < cells_there * fh_layout.cell_pages; */
	/*@ assert numbers: status == FH_OK ==> \forall integer s;
	  0 <= s < fh_layout.section_count ==>
	    fh_layout.zone_by_section[s] == FH_NO_ZONE ||
	    fh_layout.zone_by_section[s] < fh_layout.zone_count; */
	/*@ assert there: status == FH_OK ==> sections_there; */
	/*@ assert zones: status == FH_OK ==> \forall integer z;
	  0 <= z < fh_layout.zone_count ==> zone_placed(z) &&
	    fh_zones[z].first == g_first[z] && fh_zones[z].count == g_count[z]; */
	/*@ assert ends: status == FH_OK ==> \forall integer z;
	  0 <= z < fh_layout.zone_count ==>
	    fh_zones[z].first + fh_zones[z].count <= FH_PAGE_NUMBER_END / 512; */
	/*@ assert layout_ok: status == FH_OK ==> layout_ok; */
	/*@ assert apart: status == FH_OK ==> tables_apart; */
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
