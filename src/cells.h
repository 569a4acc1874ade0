/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Cells: what zones are cut from. Each has some sections, as a whole, and all
 * have the same size; those with memory are marked in zone_by_section until
 * zones have numbers.
 */
#ifndef FRAMEHOLD_SRC_CELLS_H
#define FRAMEHOLD_SRC_CELLS_H

#include "piece.h"

/* Cells: 128 MiB, like sections, to 1 GiB, the largest run of a zone. */
#define FH_SMALLEST_CELL FH_SECTION_FRAMES
#define FH_LARGEST_CELL  (UINT64_C(1) << 18)

/*@
  logic boolean range_meets{L}(integer i, integer first, integer end) =
    fh_layout.topology->ranges[i].first < end &&
    first < fh_layout.topology->ranges[i].first +
              fh_layout.topology->ranges[i].count ||
    first <= fh_layout.topology->ranges[i].first < end;

  // The node of the first range from i on that meets some pages.
  logic integer node_from{L}(integer i, integer first, integer end) =
    i >= ranges_there ? 0 :
    range_meets(i, first, end) ? fh_layout.topology->ranges[i].node :
    node_from(i + 1, first, end);

  logic integer cell_node{L}(integer cell) =
    node_from(0, cell * fh_layout.cell_pages,
              cell * fh_layout.cell_pages + fh_layout.cell_pages);

  predicate is_cell_size(integer pages) =
    pages == 32768 || pages == 65536 || pages == 131072 || pages == 262144;

  // Each cell has sections of its own, and page numbers do not overflow.
  predicate cells_ok{L} =
    is_cell_size(fh_layout.cell_pages) &&
    fh_memory.frame_end <= FH_MAX_FRAMES &&
    fh_layout.section_count <= FH_PAGE_NUMBER_END / FH_SECTION_FRAMES &&
    fh_memory.frame_end <= fh_layout.section_count * FH_SECTION_FRAMES;

  predicate sections_there{L} =
    \valid(fh_layout.zone_by_section + (0 .. fh_layout.section_count - 1)) &&
    \valid(fh_layout.cover + (0 .. fh_layout.section_count - 1));

  // The same, as a piece of the linear window.
  predicate sections_placed{L} =
    2 * fh_layout.section_count <= g_byte_count &&
    fh_layout.zone_by_section == g_bytes &&
    fh_layout.cover == g_bytes + fh_layout.section_count;

  // Nothing has changed of what has_part() is made of.
  predicate inputs_same{A,B}(struct fh_memory_map *map,
                             struct fh_topology *topology) =
    \at(map->count,A) == \at(map->count,B) &&
    \at(map->spans,A) == \at(map->spans,B) &&
    (\forall integer i; 0 <= i < \at(map->count,A) ==>
       \at(map->spans[i].first,A) == \at(map->spans[i].first,B) &&
       \at(map->spans[i].count,A) == \at(map->spans[i].count,B) &&
       \at(map->spans[i].kind,A) == \at(map->spans[i].kind,B)) &&
    (topology != \null ==>
       \at(topology->range_count,A) == \at(topology->range_count,B) &&
       \at(topology->ranges,A) == \at(topology->ranges,B) &&
       \forall integer i; 0 <= i < \at(topology->range_count,A) ==>
         \at(topology->ranges[i].first,A) ==
           \at(topology->ranges[i].first,B) &&
         \at(topology->ranges[i].count,A) ==
           \at(topology->ranges[i].count,B) &&
         \at(topology->ranges[i].hot_plug,A) ==
           \at(topology->ranges[i].hot_plug,B));

  predicate touches_section{L}(integer i, integer s) =
    has_part(i, s * FH_SECTION_FRAMES, (s + 1) * FH_SECTION_FRAMES);

  predicate touches_below_end{L}(integer i, integer s) =
    has_part(i, s * FH_SECTION_FRAMES,
             \min((s + 1) * FH_SECTION_FRAMES, fh_memory.frame_end));

  predicate fills_section{L}(integer i, integer s) =
    touches_section(i, s) &&
    part_first(i, s * FH_SECTION_FRAMES) == s * FH_SECTION_FRAMES &&
    part_end(i, (s + 1) * FH_SECTION_FRAMES) == (s + 1) * FH_SECTION_FRAMES;

  logic integer cells_there{L} =
    fh_memory.frame_end / fh_layout.cell_pages +
      (fh_memory.frame_end % fh_layout.cell_pages == 0 ? 0 : 1);

  predicate has_memory{L}(integer cell) =
    fh_layout.zone_by_section[cell * fh_layout.cell_pages / FH_SECTION_FRAMES]
      != FH_NO_ZONE;

  // The first section of the section's cell.
  logic integer cell_section{L}(integer s) =
    fh_layout.cell_pages == 32768 ? s :
    fh_layout.cell_pages == 65536 ? s - s % 2 :
    fh_layout.cell_pages == 131072 ? s - s % 4 : s - s % 8;

  logic integer cell_sections{L} = fh_layout.cell_pages / FH_SECTION_FRAMES;

  // The piece has memory in the section's cell.
  predicate is_backed_by{L}(integer s, integer i) =
    has_part(i, cell_section(s) * FH_SECTION_FRAMES,
             \min(cell_section(s) * FH_SECTION_FRAMES +
                    fh_layout.cell_pages, fh_memory.frame_end));

  // What may be free, now or later, is in a marked section.
  predicate memory_is_marked{L} =
    \forall integer i, s; 0 <= i < pieces_there &&
      0 <= s < fh_layout.section_count && touches_below_end(i, s) ==>
        fh_layout.zone_by_section[s] != FH_NO_ZONE;

  // What the layout says of each section is true of the map.
  predicate cover_is_true{L} =
    (\forall integer s; 0 <= s < fh_layout.section_count ==>
       fh_layout.cover[s] <= FH_COVER_ALL) &&
    (\forall integer i, s; 0 <= i < fh_layout.map->count &&
       0 <= s < fh_layout.section_count && touches_section(i, s) ==>
         fh_layout.cover[s] != FH_COVER_NONE) &&
    \forall integer s; 0 <= s < fh_layout.section_count &&
      fh_layout.cover[s] == FH_COVER_ALL ==>
        \exists integer i; 0 <= i < fh_layout.map->count &&
          fills_section(i, s);

  // Cells are marked as a whole, and only those with memory.
  predicate cells_are_whole{L} =
    \forall integer s; 0 <= s < fh_layout.section_count &&
      fh_layout.zone_by_section[s] != FH_NO_ZONE ==>
        fh_layout.zone_by_section[cell_section(s)] != FH_NO_ZONE;

  predicate marks_are_backed{L}(integer n) =
    \forall integer s; 0 <= s < fh_layout.section_count &&
      fh_layout.zone_by_section[s] != FH_NO_ZONE ==>
        \exists integer i; 0 <= i < n && is_backed_by(s, i);
*/

/* How many there are. */
/*@
  requires cells_ok;
  assigns \nothing;
  exits \false;
  ensures \result == cells_there;
*/
static inline uint64_t fh_cell_count(void)
{
	return fh_round_up_div(fh_memory.frame_end, fh_layout.cell_pages);
}

/* Whether some piece has memory in it. */
/*@
  requires cells_ok && sections_there && cell < cells_there;
  assigns \nothing;
  exits \false;
  ensures \result <==> has_memory(cell);
*/
static inline bool fh_cell_has_memory(uint64_t cell)
{
	uint64_t page = cell * fh_layout.cell_pages;

	return fh_layout.zone_by_section[page / FH_SECTION_FRAMES] !=
	       FH_NO_ZONE;
}

/* The node of the first range that meets the cell; 0: none does. */
/*@
  requires map_there && cells_ok && cell < cells_there;
  assigns \nothing;
  exits \false;
  ensures \result == cell_node(cell);
*/
uint32_t fh_cell_node(uint64_t cell);

/* The end of the cells from `cell` on that all have memory of one node. */
/*@
  requires map_there && cells_ok && sections_there && cell < cells_there;
  assigns \nothing;
  exits \false;
  ensures cell < \result <= cells_there;
  ensures \forall integer i; cell < i < \result ==>
    has_memory(i) && cell_node(i) == cell_node(cell);
  ensures \result < cells_there ==>
    !has_memory(\result) || cell_node(\result) != cell_node(cell);
*/
uint64_t fh_cell_island_end(uint64_t cell);

/* Pages for a table of so many bytes. */
/*@
  requires inputs_apart;
  requires early_inv && bytes > 0 && \valid(first);
  requires \separated(first, &fh_layout, fh_layout.map,
    fh_layout.map->spans + (0 .. fh_layout.map->count - 1));
  requires fh_layout.topology != \null ==>
    \separated(first, fh_layout.topology) &&
    \separated(first, fh_layout.topology->ranges +
      (0 .. fh_layout.topology->range_count - 1));
  assigns *first, fh_layout.map->spans[0 .. fh_layout.map->count - 1];
  exits \false;
  ensures early_inv;
  ensures same: inputs_same{Pre,Post}(fh_layout.map, fh_layout.topology);
  ensures status: early_is_open ==>
    \result == FH_OK || \result == FH_E_NO_MEMORY;
  ensures taken: \result == FH_OK ==> 0 < *first &&
    *first + bytes / FH_PAGE_SIZE <= FH_PAGE_NUMBER_END &&
    (bytes % FH_PAGE_SIZE != 0 ==>
       *first + bytes / FH_PAGE_SIZE < FH_PAGE_NUMBER_END);
*/
FH_NODISCARD
enum fh_status fh_take_table_pages(uint64_t bytes, uint64_t *first);

/*
 * Chooses the size of cells, marks those with memory, and says of each section
 * whether it is covered. The two tables are one piece of memory.
 */
/*@
  requires early_inv && inputs_apart && window_there && map_there;
  requires 0 < fh_memory.frame_end <= FH_MAX_FRAMES;
  assigns fh_layout.cell_pages, fh_layout.section_count,
          fh_layout.zone_by_section, fh_layout.cover,
          fh_layout.map->spans[0 .. fh_layout.map->count - 1],
          g_bytes[0 .. g_byte_count - 1];
  exits \false;
  ensures early_inv;
  ensures same: inputs_same{Pre,Post}(fh_layout.map, fh_layout.topology);
  ensures status: early_is_open ==>
    \result == FH_OK || \result == FH_E_NO_MEMORY;
  ensures last: \result == FH_OK ==>
    (fh_layout.section_count - 1) * FH_SECTION_FRAMES < fh_memory.frame_end;
  ensures \result == FH_OK ==> cells_ok && sections_placed &&
    memory_is_marked && cells_are_whole && marks_are_backed(pieces_there);
  ensures cover: \result == FH_OK ==> cover_is_true;
*/
FH_NODISCARD
enum fh_status fh_cells_open(void);

/* ---- While zones are made ---- */

/*@
  // Nothing has changed of what the early allocator's invariant is about.
  predicate map_same{A,B}(struct fh_memory_map *map) =
    \at(map->count,A) == \at(map->count,B) &&
    \at(map->spans,A) == \at(map->spans,B) &&
    \at(map->capacity,A) == \at(map->capacity,B) &&
    \forall integer i; 0 <= i < \at(map->count,A) ==>
      \at(map->spans[i].first,A) == \at(map->spans[i].first,B) &&
      \at(map->spans[i].count,A) == \at(map->spans[i].count,B) &&
      \at(map->spans[i].kind,A) == \at(map->spans[i].kind,B) &&
      \at(map->spans[i].taken,A) == \at(map->spans[i].taken,B);

  // Making zones changes nothing else of the layout than their number.
  predicate layout_same{A,B} =
    \at(fh_layout.map,A) == \at(fh_layout.map,B) &&
    \at(fh_layout.topology,A) == \at(fh_layout.topology,B) &&
    \at(fh_layout.cell_pages,A) == \at(fh_layout.cell_pages,B) &&
    \at(fh_layout.section_count,A) == \at(fh_layout.section_count,B) &&
    \at(fh_layout.zone_by_section,A) == \at(fh_layout.zone_by_section,B) &&
    \at(fh_layout.cover,A) == \at(fh_layout.cover,B) &&
    \at(fh_memory.frame_end,A) == \at(fh_memory.frame_end,B);

  // What is known of a layout while its zones are made, one after the other.
  predicate in_the_making{L} =
    early_inv && inputs_apart && window_there && cells_ok &&
    sections_placed && fh_layout.zone_count <= FH_MAX_ZONES &&
    each_zone_placed && each_zone_named;

  predicate marks_are_true{L} =
    memory_is_marked && cells_are_whole && marks_are_backed(pieces_there);

  predicate parts_same{A,B} =
    pieces_there{A} == pieces_there{B} &&
    \forall integer i, first, end; 0 <= i < pieces_there{A} ==>
      (has_part{A}(i, first, end) <==> has_part{B}(i, first, end));

  predicate marks_same{A,B} =
    \forall integer s; 0 <= s < \at(fh_layout.section_count,A) ==>
      (\at(fh_layout.zone_by_section[s],A) == FH_NO_ZONE <==>
       \at(fh_layout.zone_by_section[s],B) == FH_NO_ZONE);

  // Sections in front of the page have the number of a zone, if any.
  predicate numbered_below{L}(integer page) =
    \forall integer s; 0 <= s < fh_layout.section_count &&
      s * FH_SECTION_FRAMES < page ==>
        fh_layout.zone_by_section[s] == FH_NO_ZONE ||
        fh_layout.zone_by_section[s] < fh_layout.zone_count;
*/

/*@
  // How many blocks the pages lie in.
  logic integer blocks_of(integer first, integer end) =
    end / 512 + (end % 512 == 0 ? 0 : 1) - first / 512;

  // The zone has so many blocks, and its tables have their places.
  predicate is_zone_of{L}(integer first, integer count, integer z) =
    g_first[z] == first && g_count[z] == count &&
    fh_zones[z].first == g_first[z] && fh_zones[z].count == g_count[z] &&
    fh_zones[z].blocks == g_blocks + g_block_at[z] &&
    fh_zones[z].touched == g_words + g_word_at[z];

  predicate is_next_zone{L}(integer first, integer end, integer z) =
    zone_placed(z) && is_zone_of(first / 512, blocks_of(first, end), z);
*/

/* The next zone, from page to page: its tables, in one piece of memory. */
/*@
  requires in_the_making;
  requires fh_layout.zone_count < FH_MAX_ZONES;
  requires first < end <= FH_MAX_FRAMES;
  assigns fh_layout.map->spans[0 .. fh_layout.map->count - 1],
          fh_zones[fh_layout.zone_count],
          g_words[0 .. g_word_count - 1], g_blocks[0 .. g_block_count - 1],
          g_first[fh_layout.zone_count], g_count[fh_layout.zone_count],
          g_block_at[fh_layout.zone_count], g_word_at[fh_layout.zone_count];
  exits \false;
  ensures early: early_inv;
  ensures same: inputs_same{Pre,Post}(fh_layout.map, fh_layout.topology);
  ensures inputs: inputs_apart;
  ensures window: window_there;
  ensures layout: layout_same{Pre,Post};
  ensures count: fh_layout.zone_count == \old(fh_layout.zone_count);
  ensures bytes: by_section_same{Pre,Post};
  ensures others_placed: each_zone_placed;
  ensures others: each_zone_named;
  ensures status: early_is_open ==>
    \result == FH_OK || \result == FH_E_NO_MEMORY;
  ensures zone: \result == FH_OK ==>
    is_next_zone(first, end, fh_layout.zone_count);
*/
FH_NODISCARD
enum fh_status fh_open_zone_tables(uint64_t first, uint64_t end,
				   bool memory_is_zeroed);

#endif /* FRAMEHOLD_SRC_CELLS_H */
