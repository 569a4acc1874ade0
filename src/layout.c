/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From the map to zones, in steps: count the memory, choose the size of cells,
 * mark the sections that have memory, cut each island of them into zones, trim
 * the zones to their memory and give them tables.
 */
#include "piece.h"

#include <framehold/early.h>
#include <framehold/host.h>

struct fh_layout fh_layout;
struct fh_zone fh_zones[FH_MAX_ZONES];

/* Cells: 128 MiB, like sections, to 1 GiB, the largest run of a zone. */
#define SMALLEST_CELL FH_SECTION_FRAMES
#define LARGEST_CELL  (UINT64_C(1) << 18)

/* Zones that pay off when nobody knows how many CPUs there will be. */
#define USUAL_ZONES 8
#define MOST_ZONES  16

/* In zone_by_section, before zones have numbers. */
#define HAS_MEMORY 0

/* Memory below 4 GiB is what devices with short addresses can reach. */
#define LOW_MEMORY_END (UINT64_C(1) << 20)

/* ---- Cells and sections ---- */

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
*/

/*@
  requires map_there && cells_ok && cell < cells_there;
  assigns \nothing;
  exits \false;
  ensures \result == cell_node(cell);
*/
static uint32_t node_of_cell(uint64_t cell)
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
	uint64_t cell = SMALLEST_CELL;

	/*@
	  loop invariant cell == 32768 || cell == 65536 || cell == 131072 ||
	    cell == 262144;
	  loop invariant cell > 32768 ==> 2 * cell <= pages;
	  loop assigns cell;
	  loop variant LARGEST_CELL - cell;
	*/
	while (cell < LARGEST_CELL && cell * 4 <= pages)
		cell *= 2;
	return cell;
}

static enum fh_status take_pages_for(uint64_t bytes, bool zeroed, void **table)
{
	uint64_t first;
	enum fh_status status =
		fh_early_alloc(fh_round_up_div(bytes, FH_PAGE_SIZE), 1, &first);

	if (status != FH_OK)
		return status;
	*table = fh_host_linear(fh_paddr_of_frame(first));
	if (!zeroed)
		__builtin_memset(*table, 0, bytes);
	return FH_OK;
}

/* All sections of the cells that a piece of memory touches. */
/*@
  requires map_there && cells_ok && sections_there;
  assigns fh_layout.zone_by_section[0 .. fh_layout.section_count - 1];
  exits \false;
  ensures either: \forall integer s; 0 <= s < fh_layout.section_count ==>
    fh_layout.zone_by_section[s] == HAS_MEMORY ||
    fh_layout.zone_by_section[s] == FH_NO_ZONE;
  ensures marked: \forall integer i, s; 0 <= i < pieces_there &&
    0 <= s < fh_layout.section_count && touches_below_end(i, s) ==>
      fh_layout.zone_by_section[s] == HAS_MEMORY;
*/
static void mark_cells(void)
{
	uint64_t cell = fh_layout.cell_pages / FH_SECTION_FRAMES;

	__builtin_memset(fh_layout.zone_by_section, (int)FH_NO_ZONE,
			 fh_layout.section_count);
	/*@
	  loop invariant 0 <= i <= pieces_there;
	  loop invariant \forall integer s; 0 <= s < fh_layout.section_count ==>
	    fh_layout.zone_by_section[s] == HAS_MEMORY ||
	    fh_layout.zone_by_section[s] == FH_NO_ZONE;
	  loop invariant \forall integer j, s; 0 <= j < i &&
	    0 <= s < fh_layout.section_count && touches_below_end(j, s) ==>
	      fh_layout.zone_by_section[s] == HAS_MEMORY;
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
		uint64_t first = from / FH_SECTION_FRAMES / cell * cell;
		uint64_t last = (to - 1) / FH_SECTION_FRAMES;
		/*@ assert cell == 1 || cell == 2 || cell == 4 || cell == 8; */
		/*@ assert first <= from / FH_SECTION_FRAMES; */
		/*@ assert \forall integer s; touches_below_end(i, s) &&
		  0 <= s < fh_layout.section_count ==>
		    from / FH_SECTION_FRAMES <= s <= last; */
		/*@ assert last < fh_layout.section_count; */
		/*@
		  loop invariant 0 <= first <= fh_layout.section_count;
		  loop invariant \at(first,LoopEntry) <= first;
		  loop invariant \forall integer s;
		    \at(first,LoopEntry) <= s < first ==>
		      fh_layout.zone_by_section[s] == HAS_MEMORY;
		  loop invariant \forall integer s;
		    0 <= s < fh_layout.section_count ==>
		      fh_layout.zone_by_section[s] == HAS_MEMORY ||
		      fh_layout.zone_by_section[s] ==
		        \at(fh_layout.zone_by_section[s],LoopEntry);
		  loop assigns first,
		    fh_layout.zone_by_section[0 .. fh_layout.section_count - 1];
		  loop variant fh_layout.section_count - first;
		*/
		while (first < fh_layout.section_count &&
		       first / cell <= last / cell) {
			fh_layout.zone_by_section[first] = HAS_MEMORY;
			first++;
		}
		/*@ assert cell == 1 ==>
		  first == fh_layout.section_count || first > last; */
		/*@ assert cell == 2 ==>
		  first == fh_layout.section_count || first > last; */
		/*@ assert cell == 4 ==>
		  first == fh_layout.section_count || first > last; */
		/*@ assert cell == 8 ==>
		  first == fh_layout.section_count || first > last; */
	}
}

/* Sections of one covered span are covered as a whole where it fills them. */
/*@
  requires map_there && cells_ok && sections_there;
  requires \forall integer s; 0 <= s < fh_layout.section_count ==>
    fh_layout.cover[s] == FH_COVER_NONE;
  assigns fh_layout.cover[0 .. fh_layout.section_count - 1];
  exits \false;
  ensures either: \forall integer s; 0 <= s < fh_layout.section_count ==>
    fh_layout.cover[s] <= FH_COVER_ALL;
  ensures some: \forall integer i, s; 0 <= i < fh_layout.map->count &&
    0 <= s < fh_layout.section_count && touches_section(i, s) ==>
      fh_layout.cover[s] != FH_COVER_NONE;
  ensures all: \forall integer s; 0 <= s < fh_layout.section_count &&
    fh_layout.cover[s] == FH_COVER_ALL ==>
      \exists integer i; 0 <= i < fh_layout.map->count &&
        fills_section(i, s);
*/
static void mark_sections(void)
{
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

/* The bytes of zone_by_section and of cover, in one piece of memory. */
static enum fh_status open_sections(bool memory_is_zeroed)
{
	uint64_t frame_end = fh_memory.frame_end;
	void *table;

	fh_layout.cell_pages =
		choose_cell_pages(fh_covered_pages(0, frame_end));
	fh_layout.section_count = fh_round_up_div(frame_end, FH_SECTION_FRAMES);
	enum fh_status status = take_pages_for(2 * fh_layout.section_count,
					       memory_is_zeroed, &table);
	if (status != FH_OK)
		return status;
	fh_layout.zone_by_section = table;
	fh_layout.cover = fh_layout.zone_by_section + fh_layout.section_count;
	/* A bring-up that failed later may have left its marks. */
	__builtin_memset(table, 0, 2 * fh_layout.section_count);
	mark_cells();
	mark_sections();
	return FH_OK;
}

/* ---- Zones ---- */

/*
 * How many zones to make: two pay off with the second CPU, because pages come
 * back to the CPU that has their slots in its cache.
 */
/*@
  requires map_there;
  assigns \nothing;
  exits \false;
  ensures 1 <= \result <= MOST_ZONES;
  ensures pages < 2 * SMALLEST_CELL ==> \result == 1;
*/
static uint64_t choose_zone_count(uint64_t pages)
{
	uint64_t by_cpus = fh_smaller(USUAL_ZONES, FH_MAX_CPUS);
	uint64_t by_memory = fh_larger(2, pages / LARGEST_CELL);

	if (pages < 2 * SMALLEST_CELL)
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

/* Blocks and touched bits of a zone, in one piece of memory. */
static enum fh_status open_zone_tables(struct fh_zone *zone, uint64_t first,
				       uint64_t end, bool memory_is_zeroed)
{
	uint64_t first_block = first / FH_BLOCK_PAGES;
	uint64_t count = fh_round_up_div(end, FH_BLOCK_PAGES) - first_block;
	uint64_t words = fh_round_up_div(count, FH_WORD_BITS);
	void *table;

	/* The words first: whatever a block's size is, they are aligned. */
	enum fh_status status = take_pages_for(
		words * sizeof(uint64_t) + count * sizeof(struct fh_block),
		memory_is_zeroed, &table);
	if (status != FH_OK)
		return status;
	uint64_t *touched = table;
	fh_zone_init(zone, first_block, count,
		     (struct fh_block *)(void *)(touched + words), touched);
	return FH_OK;
}

/* Makes a zone of the cells, which are of one node. */
static enum fh_status open_zone(uint64_t cell, uint64_t end_cell,
				bool memory_is_zeroed)
{
	uint64_t index = fh_layout.zone_count;
	struct fh_zone *zone = &fh_zones[index];
	uint64_t first = cell * fh_layout.cell_pages;
	uint64_t end = fh_smaller(end_cell * fh_layout.cell_pages,
				  fh_memory.frame_end);
	uint64_t end_section = fh_round_up_div(end, FH_SECTION_FRAMES);
	uint64_t section = first / FH_SECTION_FRAMES;

	trim_zone(&first, &end);
	enum fh_status status =
		open_zone_tables(zone, first, end, memory_is_zeroed);
	if (status != FH_OK)
		return status;
	zone->node = node_of_cell(cell);
	zone->pages = fh_covered_pages(first, end);
	zone->reserve = choose_reserve(zone->pages, end);
	for (; section < end_section; section++)
		if (fh_layout.zone_by_section[section] != FH_NO_ZONE)
			fh_layout.zone_by_section[section] = (uint8_t)index;
	fh_layout.zone_count = index + 1;
	return FH_OK;
}

/*@
  requires cells_ok && sections_there && cell < cells_there;
  assigns \nothing;
  exits \false;
  ensures \result <==> has_memory(cell);
*/
static bool cell_has_memory(uint64_t cell)
{
	uint64_t page = cell * fh_layout.cell_pages;

	return fh_layout.zone_by_section[page / FH_SECTION_FRAMES] !=
	       FH_NO_ZONE;
}

/*@
  requires cells_ok;
  assigns \nothing;
  exits \false;
  ensures \result == cells_there;
*/
static uint64_t cell_count(void)
{
	return fh_round_up_div(fh_memory.frame_end, fh_layout.cell_pages);
}

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
static uint64_t end_of_island(uint64_t cell)
{
	uint64_t end = cell + 1;

	/*@
	  loop invariant cell < end <= cells_there;
	  loop invariant \forall integer i; cell < i < end ==>
	    has_memory(i) && cell_node(i) == cell_node(cell);
	  loop assigns end;
	  loop variant cells_there - end;
	*/
	while (end < cell_count() && cell_has_memory(end) &&
	       node_of_cell(end) == node_of_cell(cell))
		end++;
	return end;
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
			next = cell_count();
		enum fh_status status = open_zone(cell, next, memory_is_zeroed);
		if (status != FH_OK || next == cell_count())
			return status;
		cell = next;
	}
	return FH_OK;
}

static enum fh_status open_zones(bool memory_is_zeroed)
{
	uint64_t pages = fh_covered_pages(0, fh_memory.frame_end);
	uint64_t target = fh_round_up_div(pages, choose_zone_count(pages));
	uint64_t cell = 0;

	while (cell < cell_count() && fh_layout.zone_count < FH_MAX_ZONES) {
		if (!cell_has_memory(cell)) {
			cell++;
			continue;
		}
		uint64_t end = end_of_island(cell);
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
	enum fh_status status = open_sections(memory_is_zeroed);
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
