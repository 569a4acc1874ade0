/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From the map to cells: choose their size by how much memory there is, mark
 * the sections of those that have some, and find which are of one node.
 */
#include "cells.h"

#include <framehold/early.h>
#include <framehold/host.h>

/* In zone_by_section, before zones have numbers. */
#define HAS_MEMORY 0

uint32_t fh_cell_node(uint64_t cell)
{
	uint64_t first = cell * fh_layout.cell_pages;

	/*@ assert first < FH_MAX_FRAMES; */
	/*@
	  loop invariant 0 <= i <= ranges_there;
	  loop invariant cell_node(cell) ==
	    node_from(i, first, first + fh_layout.cell_pages);
	  loop assigns i;
	  loop variant ranges_there - i;
	*/
	for (size_t i = 0; i < fh_node_range_count(); i++) {
		const struct fh_node_range *range =
			&fh_layout.topology->ranges[i];

		if (range->first < first + fh_layout.cell_pages &&
		    (range->first >= first ||
		     range->count > first - range->first))
			return range->node;
	}
	return 0;
}

uint64_t fh_cell_island_end(uint64_t cell)
{
	uint64_t end = cell + 1;

	/*@
	  loop invariant cell < end <= cells_there;
	  loop invariant \forall integer i; cell < i < end ==>
	    has_memory(i) && cell_node(i) == cell_node(cell);
	  loop assigns end;
	  loop variant cells_there - end;
	*/
	while (end < fh_cell_count() && fh_cell_has_memory(end) &&
	       fh_cell_node(end) == fh_cell_node(cell))
		end++;
	return end;
}

/*@ ghost
  /@
    assigns \nothing;
    exits \false;
    ensures is_power_of_two(1);
  @/
  void ghost_one_is_a_power(void)
  {
  }
*/

enum fh_status fh_take_table_pages(uint64_t bytes, uint64_t *first)
{
	/*@ assert apart: fh_layout.topology != \null ==>
	  \forall integer i; 0 <= i < fh_layout.topology->range_count ==>
	    \separated(&fh_layout.topology->ranges[i].first, first) &&
	    \separated(&fh_layout.topology->ranges[i].first,
	      fh_layout.map->spans + (0 .. fh_layout.map->count - 1)) &&
	    \separated(&fh_layout.topology->ranges[i].count, first) &&
	    \separated(&fh_layout.topology->ranges[i].count,
	      fh_layout.map->spans + (0 .. fh_layout.map->count - 1)); */
	enum fh_status status =
		fh_early_alloc(fh_round_up_div(bytes, FH_PAGE_SIZE), 1, first);
	/*@ assert map: fh_layout.map->count == \at(fh_layout.map->count,Pre) &&
	  fh_layout.map->spans == \at(fh_layout.map->spans,Pre); */
	/*@ assert spans: \forall integer i; 0 <= i < fh_layout.map->count ==>
	  fh_layout.map->spans[i].first ==
	    \at(fh_layout.map->spans[i].first,Pre) &&
	  fh_layout.map->spans[i].count ==
	    \at(fh_layout.map->spans[i].count,Pre) &&
	  fh_layout.map->spans[i].kind ==
	    \at(fh_layout.map->spans[i].kind,Pre); */
	/*@ assert topology: fh_layout.topology == \at(fh_layout.topology,Pre); */
	/*@ assert count: fh_layout.topology != \null ==>
	  fh_layout.topology->range_count ==
	    \at(fh_layout.topology->range_count,Pre); */
	/*@ assert begin: fh_layout.topology != \null ==>
	  fh_layout.topology->ranges ==
	    \at(fh_layout.topology->ranges,Pre); */
	/*@ assert ranges: ranges_there == \at(ranges_there,Pre); */
	/*@ assert range_first: fh_layout.topology != \null ==>
	  \forall integer i; 0 <= i < fh_layout.topology->range_count ==>
	  \at(fh_layout.topology->ranges,Pre)[i].first ==
	    \at(fh_layout.topology->ranges[i].first,Pre); */
	/*@ assert range_count: fh_layout.topology != \null ==>
	  \forall integer i; 0 <= i < fh_layout.topology->range_count ==>
	  \at(fh_layout.topology->ranges,Pre)[i].count ==
	    \at(fh_layout.topology->ranges[i].count,Pre); */
	/*@ assert range_plug: fh_layout.topology != \null ==>
	  \forall integer i; 0 <= i < fh_layout.topology->range_count ==>
	  \at(fh_layout.topology->ranges,Pre)[i].hot_plug ==
	    \at(fh_layout.topology->ranges[i].hot_plug,Pre); */
	/*@ ghost ghost_one_is_a_power(); */
	return status;
}

/* Cells so small that even little memory can be cut in two. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == 32768 || \result == 65536 || \result == 131072 ||
          \result == 262144;
  ensures \result > 32768 ==> 2 * \result <= pages;
*/
static uint64_t choose_cell_pages(uint64_t pages)
{
	uint64_t cell = FH_SMALLEST_CELL;

	/*@
	  loop invariant cell == 32768 || cell == 65536 || cell == 131072 ||
	    cell == 262144;
	  loop invariant cell > 32768 ==> 2 * cell <= pages;
	  loop assigns cell;
	  loop variant FH_LARGEST_CELL - cell;
	*/
	while (cell < FH_LARGEST_CELL && cell * 4 <= pages)
		cell *= 2;
	return cell;
}

/* The table of sections that has the pages from this one on. */
/*@
  requires window_there;
  requires 2 * fh_layout.section_count <= g_byte_count;
  assigns \nothing;
  exits \false;
  ensures \result == g_bytes;
*/
static uint8_t *section_table(uint64_t page)
{
	return fh_host_linear(fh_paddr_of_frame(page));
}

/* Marks all sections of the cells that the pages are in. */
/*@
  requires cells_ok && sections_there && from < to <= fh_memory.frame_end;
  assigns fh_layout.zone_by_section[0 .. fh_layout.section_count - 1];
  exits \false;
  ensures marked: \forall integer s; 0 <= s < fh_layout.section_count &&
    cell_section(from / FH_SECTION_FRAMES) <= s <
      cell_section((to - 1) / FH_SECTION_FRAMES) + cell_sections ==>
      fh_layout.zone_by_section[s] == HAS_MEMORY;
  ensures others: \forall integer s; 0 <= s < fh_layout.section_count &&
    !(cell_section(from / FH_SECTION_FRAMES) <= s <
      cell_section((to - 1) / FH_SECTION_FRAMES) + cell_sections) ==>
      fh_layout.zone_by_section[s] == \old(fh_layout.zone_by_section[s]);
*/
static void mark_piece(uint64_t from, uint64_t to)
{
	uint64_t cell = fh_layout.cell_pages / FH_SECTION_FRAMES;
	uint64_t section = from / FH_SECTION_FRAMES / cell * cell;
	uint64_t last = (to - 1) / FH_SECTION_FRAMES;

	/*@ assert cell == 1 || cell == 2 || cell == 4 || cell == 8; */
	/*@ assert begins: section == cell_section(from / FH_SECTION_FRAMES); */
	/*@ assert last: last < fh_layout.section_count; */
	/*@ assert ascend: section <= cell_section(last); */
	/*@
	  loop invariant section <= fh_layout.section_count;
	  loop invariant \at(section,LoopEntry) <= section <=
	    cell_section(last) + cell_sections;
	  loop invariant \forall integer s;
	    \at(section,LoopEntry) <= s < section ==>
	      fh_layout.zone_by_section[s] == HAS_MEMORY;
	  loop invariant \forall integer s; 0 <= s < fh_layout.section_count &&
	    !(\at(section,LoopEntry) <= s < section) ==>
	      fh_layout.zone_by_section[s] ==
	        \at(fh_layout.zone_by_section[s],LoopEntry);
	  loop assigns section,
	    fh_layout.zone_by_section[0 .. fh_layout.section_count - 1];
	  loop variant fh_layout.section_count - section;
	*/
	while (section < fh_layout.section_count &&
	       section / cell <= last / cell) {
		/*@ assert cell == 1 ==> section < cell_section(last) + 1; */
		/*@ assert cell == 2 ==> section < cell_section(last) + 2; */
		/*@ assert cell == 4 ==> section < cell_section(last) + 4; */
		/*@ assert cell == 8 ==> section < cell_section(last) + 8; */
		fh_layout.zone_by_section[section] = HAS_MEMORY;
		section++;
	}
	/*@ assert cell == 1 ==> section == fh_layout.section_count ||
	  section >= cell_section(last) + 1; */
	/*@ assert cell == 2 ==> section == fh_layout.section_count ||
	  section >= cell_section(last) + 2; */
	/*@ assert cell == 4 ==> section == fh_layout.section_count ||
	  section >= cell_section(last) + 4; */
	/*@ assert cell == 8 ==> section == fh_layout.section_count ||
	  section >= cell_section(last) + 8; */
}

/* A piece has memory in each cell from that of its first page to its last. */
/*@ ghost
  /@
    requires cells_ok && from < to <= fh_memory.frame_end;
    assigns \nothing;
    exits \false;
    ensures before: cell_section(from / FH_SECTION_FRAMES) <=
      from / FH_SECTION_FRAMES;
    ensures behind: (to - 1) / FH_SECTION_FRAMES <
      cell_section((to - 1) / FH_SECTION_FRAMES) + cell_sections;
    ensures meets: \forall integer s;
      cell_section(from / FH_SECTION_FRAMES) <= s <
        cell_section((to - 1) / FH_SECTION_FRAMES) + cell_sections ==>
        cell_section(s) * FH_SECTION_FRAMES < to &&
        from < cell_section(s) * FH_SECTION_FRAMES + fh_layout.cell_pages;
  @/
  void ghost_cells_of_piece(uint64_t from, uint64_t to)
  {
  }
*/

/* All sections of the cells that a piece of memory touches. */
/*@
  requires map_there && cells_ok && sections_there;
  assigns fh_layout.zone_by_section[0 .. fh_layout.section_count - 1];
  exits \false;
  ensures either: \forall integer s; 0 <= s < fh_layout.section_count ==>
    fh_layout.zone_by_section[s] == HAS_MEMORY ||
    fh_layout.zone_by_section[s] == FH_NO_ZONE;
  ensures marked: memory_is_marked;
  ensures whole: cells_are_whole;
  ensures backed: marks_are_backed(pieces_there);
*/
static void mark_cells(void)
{
	__builtin_memset(fh_layout.zone_by_section, (int)FH_NO_ZONE,
			 fh_layout.section_count);
	/*@
	  loop invariant 0 <= i <= pieces_there;
	  loop invariant either: \forall integer s;
	    0 <= s < fh_layout.section_count ==>
	      fh_layout.zone_by_section[s] == HAS_MEMORY ||
	      fh_layout.zone_by_section[s] == FH_NO_ZONE;
	  loop invariant marked: \forall integer j, s; 0 <= j < i &&
	    0 <= s < fh_layout.section_count && touches_below_end(j, s) ==>
	      fh_layout.zone_by_section[s] != FH_NO_ZONE;
	  loop invariant whole: cells_are_whole;
	  loop invariant backed: marks_are_backed(i);
	  loop assigns i,
	    fh_layout.zone_by_section[0 .. fh_layout.section_count - 1];
	  loop variant pieces_there - i;
	*/
	for (size_t i = 0; i < fh_piece_count(); i++) {
		uint64_t from = 0;
		/* What is announced beyond has no frame numbers. */
		uint64_t to = fh_memory.frame_end;

		if (!fh_piece_clip(i, &from, &to))
			continue;
		/*@ assert \forall integer s; touches_below_end(i, s) &&
		  0 <= s < fh_layout.section_count ==>
		    from / FH_SECTION_FRAMES <= s <=
		      (to - 1) / FH_SECTION_FRAMES; */
		/*@ ghost ghost_cells_of_piece(from, to); */
		/*@ assert here: \forall integer s;
		  0 <= s < fh_layout.section_count &&
		  cell_section(from / FH_SECTION_FRAMES) <= s <
		    cell_section((to - 1) / FH_SECTION_FRAMES) + cell_sections
		  ==> is_backed_by(s, i); */
		mark_piece(from, to);
		/*@ assert marks: \forall integer s;
		  0 <= s < fh_layout.section_count &&
		  fh_layout.zone_by_section[s] != FH_NO_ZONE ==>
		    is_backed_by(s, i) ||
		    \at(fh_layout.zone_by_section[s],LoopCurrent) !=
		      FH_NO_ZONE; */
		/*@ assert still: \forall integer s, j; 0 <= j < i &&
		  is_backed_by{LoopCurrent}(s, j) ==> is_backed_by(s, j); */
	}
}

/* Sections of one covered span are covered as a whole where it fills them. */
/*@
  requires map_there && cells_ok && sections_there;
  assigns fh_layout.cover[0 .. fh_layout.section_count - 1];
  exits \false;
  ensures told: cover_is_true;
*/
static void mark_sections(void)
{
	/* Zero or not: a bring-up that failed later may have written here. */
	__builtin_memset(fh_layout.cover, (int)FH_COVER_NONE,
			 fh_layout.section_count);
	/*@
	  loop invariant 0 <= i <= fh_layout.map->count;
	  loop invariant \forall integer s; 0 <= s < fh_layout.section_count ==>
	    fh_layout.cover[s] <= FH_COVER_ALL;
	  loop invariant \forall integer j, s; 0 <= j < i &&
	    0 <= s < fh_layout.section_count && touches_section(j, s) ==>
	      fh_layout.cover[s] != FH_COVER_NONE;
	  loop invariant \forall integer s; 0 <= s < fh_layout.section_count &&
	    fh_layout.cover[s] == FH_COVER_ALL ==>
	      \exists integer j; 0 <= j < i && fills_section(j, s);
	  loop assigns i, fh_layout.cover[0 .. fh_layout.section_count - 1];
	  loop variant fh_layout.map->count - i;
	*/
	for (size_t i = 0; i < fh_layout.map->count; i++) {
		uint64_t from = 0;
		uint64_t to = fh_layout.section_count * FH_SECTION_FRAMES;

		if (!fh_piece_clip(i, &from, &to))
			continue;
		/*@
		  loop invariant from / FH_SECTION_FRAMES <= section <=
		    (to - 1) / FH_SECTION_FRAMES + 1;
		  loop invariant \forall integer s;
		    0 <= s < fh_layout.section_count ==>
		      (from / FH_SECTION_FRAMES <= s < section ?
		         fh_layout.cover[s] == FH_COVER_SOME ||
		         (fh_layout.cover[s] == FH_COVER_ALL &&
		          fills_section(i, s)) :
		         fh_layout.cover[s] ==
		           \at(fh_layout.cover[s],LoopEntry));
		  loop assigns section,
		    fh_layout.cover[0 .. fh_layout.section_count - 1];
		  loop variant (to - 1) / FH_SECTION_FRAMES + 1 - section;
		*/
		for (uint64_t section = from / FH_SECTION_FRAMES;
		     section <= (to - 1) / FH_SECTION_FRAMES; section++) {
			uint64_t first = section * FH_SECTION_FRAMES;
			bool all = from <= first &&
				   to - first >= FH_SECTION_FRAMES;

			fh_layout.cover[section] =
				all ? FH_COVER_ALL : FH_COVER_SOME;
		}
	}
}

enum fh_status fh_cells_open(void)
{
	uint64_t frame_end = fh_memory.frame_end;
	uint64_t page;

	fh_layout.cell_pages =
		choose_cell_pages(fh_covered_pages(0, frame_end));
	fh_layout.section_count = fh_round_up_div(frame_end, FH_SECTION_FRAMES);
	enum fh_status status =
		fh_take_table_pages(2 * fh_layout.section_count, &page);
	if (status != FH_OK)
		return status;
	fh_layout.zone_by_section = section_table(page);
	fh_layout.cover = fh_layout.zone_by_section + fh_layout.section_count;
	/*@ assert same: inputs_same{Pre,Here}(fh_layout.map, fh_layout.topology); */
	mark_cells();
	/*@ assert plugs: fh_layout.topology != \null ==> \forall integer i;
	  0 <= i < fh_layout.topology->range_count ==>
	    fh_layout.topology->ranges[i].hot_plug ==
	      \at(fh_layout.topology->ranges[i].hot_plug,Pre); */
	mark_sections();
	/*@ assert still: fh_layout.topology != \null ==> \forall integer i;
	  0 <= i < fh_layout.topology->range_count ==>
	    fh_layout.topology->ranges[i].hot_plug ==
	      \at(fh_layout.topology->ranges[i].hot_plug,Pre); */
	return FH_OK;
}
