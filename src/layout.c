/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From the map to zones, in steps: count the memory, choose the size of cells,
 * mark the sections that have memory, cut each island of them into zones, trim
 * the zones to their memory and give them tables.
 */
#include "layout.h"

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

/*
 * Kinds of memory that a last put may bring to the allocator: what is free at
 * first, and what a kernel may give up later.
 */
/*@
  assigns \nothing;
  exits \false;
  ensures \result <==>
    kind == FH_REGION_USABLE || kind == FH_REGION_RECLAIMABLE ||
    kind == FH_REGION_MODULE || kind == FH_REGION_KERNEL;
*/
static bool is_covered_kind(enum fh_region_kind kind)
{
	return kind == FH_REGION_USABLE || kind == FH_REGION_RECLAIMABLE ||
	       kind == FH_REGION_MODULE || kind == FH_REGION_KERNEL;
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result == \max(a, b);
*/
static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result == \min(a, b);
*/
static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*@
  requires by > 0;
  assigns \nothing;
  exits \false;
  ensures \result == n / by + (n % by == 0 ? 0 : 1);
*/
static uint64_t round_up_div(uint64_t n, uint64_t by)
{
	return n / by + (n % by == 0 ? 0 : 1);
}

/* ---- What is where ---- */

/*@
  requires fh_layout.topology != \null ==> \valid_read(fh_layout.topology);
  assigns \nothing;
  exits \false;
  ensures \result == (fh_layout.topology == \null ?
    0 : fh_layout.topology->range_count);
*/
static size_t node_range_count(void)
{
	return fh_layout.topology == NULL ? 0 : fh_layout.topology->range_count;
}

/* Covered spans of the map and ranges for hot-plugging, by a common index. */
static size_t piece_count(void)
{
	return fh_layout.map->count + node_range_count();
}

/*@
  logic integer ranges_there{L} =
    fh_layout.topology == \null ? 0 : fh_layout.topology->range_count;

  // What the layout is made from may be read.
  predicate map_there{L} =
    \valid_read(fh_layout.map) && fh_layout.map->count < INT64_MAX &&
    \valid_read(fh_layout.map->spans + (0 .. fh_layout.map->count - 1)) &&
    (fh_layout.topology != \null ==>
       \valid_read(fh_layout.topology) &&
       fh_layout.topology->range_count < INT64_MAX &&
       \valid_read(fh_layout.topology->ranges
         + (0 .. fh_layout.topology->range_count - 1)));
*/

/* The part of the i-th piece that lies between two pages; empty: false. */
/*@
  requires map_there && i < fh_layout.map->count + ranges_there;
  requires \valid(first) && \valid(end) && \separated(first, end);
  assigns *first, *end;
  exits \false;
  ensures \result ==> \old(*first) <= *first < *end <= \old(*end);
*/
static bool clip_piece(size_t i, uint64_t *first, uint64_t *end)
{
	size_t spans = fh_layout.map->count;
	uint64_t from = 0;
	uint64_t count = 0;

	if (i < spans && is_covered_kind(fh_layout.map->spans[i].kind)) {
		from = fh_layout.map->spans[i].first;
		count = fh_layout.map->spans[i].count;
	} else if (i >= spans &&
		   fh_layout.topology->ranges[i - spans].hot_plug) {
		from = fh_layout.topology->ranges[i - spans].first;
		count = fh_layout.topology->ranges[i - spans].count;
	}
	if (from >= *end || count == 0)
		return false;
	uint64_t to = count < *end - from ? from + count : *end;
	from = larger(from, *first);
	*first = from;
	*end = to;
	return from < to;
}

/* Pages between two pages that may be free from the start. */
static uint64_t covered_pages(uint64_t first, uint64_t end)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < fh_layout.map->count; i++) {
		uint64_t from = first;
		uint64_t to = end;

		if (clip_piece(i, &from, &to))
			pages += to - from;
	}
	return pages;
}

static uint32_t node_of_cell(uint64_t cell)
{
	uint64_t first = cell * fh_layout.cell_pages;

	for (size_t i = 0; i < node_range_count(); i++) {
		const struct fh_node_range *range =
			&fh_layout.topology->ranges[i];

		if (range->first < first + fh_layout.cell_pages &&
		    (range->first >= first ||
		     range->count > first - range->first))
			return range->node;
	}
	return 0;
}

/*@
  requires map_there;
  requires fh_layout.topology != \null &&
    fh_layout.topology->cpu_nodes != \null ==>
      \valid_read(fh_layout.topology->cpu_nodes
        + (0 .. fh_layout.topology->cpu_count - 1));
  assigns \nothing;
  exits \false;
  behavior known:
    assumes fh_layout.topology != \null &&
            fh_layout.topology->cpu_nodes != \null &&
            cpu < fh_layout.topology->cpu_count;
    ensures \result == fh_layout.topology->cpu_nodes[cpu];
  behavior unknown:
    assumes fh_layout.topology == \null ||
            fh_layout.topology->cpu_nodes == \null ||
            cpu >= fh_layout.topology->cpu_count;
    ensures \result == 0;
  complete behaviors;
  disjoint behaviors;
*/
static uint32_t node_of_cpu(unsigned cpu)
{
	const struct fh_topology *topology = fh_layout.topology;

	if (topology == NULL || topology->cpu_nodes == NULL ||
	    cpu >= topology->cpu_count)
		return 0;
	return topology->cpu_nodes[cpu];
}

/* ---- Cells and sections ---- */

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
		fh_early_alloc(round_up_div(bytes, FH_PAGE_SIZE), 1, &first);

	if (status != FH_OK)
		return status;
	*table = fh_host_linear(fh_paddr_of_frame(first));
	if (!zeroed)
		__builtin_memset(*table, 0, bytes);
	return FH_OK;
}

/* All sections of the cells that a piece of memory touches. */
static void mark_cells(void)
{
	uint64_t cell = fh_layout.cell_pages / FH_SECTION_FRAMES;

	__builtin_memset(fh_layout.zone_by_section, (int)FH_NO_ZONE,
			 fh_layout.section_count);
	for (size_t i = 0; i < piece_count(); i++) {
		uint64_t from = 0;
		uint64_t to = fh_layout.section_count * FH_SECTION_FRAMES;

		if (!clip_piece(i, &from, &to))
			continue;
		uint64_t first = from / FH_SECTION_FRAMES / cell * cell;
		uint64_t last = (to - 1) / FH_SECTION_FRAMES;
		while (first < fh_layout.section_count &&
		       first / cell <= last / cell) {
			fh_layout.zone_by_section[first] = HAS_MEMORY;
			first++;
		}
	}
}

/* Sections of one covered span are covered as a whole where it fills them. */
static void mark_sections(void)
{
	for (size_t i = 0; i < fh_layout.map->count; i++) {
		uint64_t from = 0;
		uint64_t to = fh_layout.section_count * FH_SECTION_FRAMES;

		if (!clip_piece(i, &from, &to))
			continue;
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

	fh_layout.cell_pages = choose_cell_pages(covered_pages(0, frame_end));
	fh_layout.section_count = round_up_div(frame_end, FH_SECTION_FRAMES);
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
	uint64_t by_cpus = smaller(USUAL_ZONES, FH_MAX_CPUS);
	uint64_t by_memory = larger(2, pages / LARGEST_CELL);

	if (pages < 2 * SMALLEST_CELL)
		return 1;
	if (fh_layout.topology != NULL && fh_layout.topology->cpu_count > 0)
		by_cpus = smaller(MOST_ZONES, fh_layout.topology->cpu_count);
	return smaller(by_cpus, by_memory);
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
	return smaller(pages / 64, 1024);
}

/* From the first block with memory to the last one, of some cells. */
static void trim_zone(uint64_t *first, uint64_t *end)
{
	uint64_t lowest = *end;
	uint64_t highest = *first;

	for (size_t i = 0; i < piece_count(); i++) {
		uint64_t from = *first;
		uint64_t to = *end;

		if (!clip_piece(i, &from, &to))
			continue;
		lowest = smaller(lowest, from);
		highest = larger(highest, to);
	}
	*first = lowest;
	*end = highest;
}

/* Blocks and touched bits of a zone, in one piece of memory. */
static enum fh_status open_zone_tables(struct fh_zone *zone, uint64_t first,
				       uint64_t end, bool memory_is_zeroed)
{
	uint64_t first_block = first / FH_BLOCK_PAGES;
	uint64_t count = round_up_div(end, FH_BLOCK_PAGES) - first_block;
	uint64_t words = round_up_div(count, FH_WORD_BITS);
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
	uint64_t end =
		smaller(end_cell * fh_layout.cell_pages, fh_memory.frame_end);
	uint64_t end_section = round_up_div(end, FH_SECTION_FRAMES);
	uint64_t section = first / FH_SECTION_FRAMES;

	trim_zone(&first, &end);
	enum fh_status status =
		open_zone_tables(zone, first, end, memory_is_zeroed);
	if (status != FH_OK)
		return status;
	zone->node = node_of_cell(cell);
	zone->pages = covered_pages(first, end);
	zone->reserve = choose_reserve(zone->pages, end);
	for (; section < end_section; section++)
		if (fh_layout.zone_by_section[section] != FH_NO_ZONE)
			fh_layout.zone_by_section[section] = (uint8_t)index;
	fh_layout.zone_count = index + 1;
	return FH_OK;
}

static bool cell_has_memory(uint64_t cell)
{
	uint64_t page = cell * fh_layout.cell_pages;

	return fh_layout.zone_by_section[page / FH_SECTION_FRAMES] !=
	       FH_NO_ZONE;
}

static uint64_t cell_count(void)
{
	return round_up_div(fh_memory.frame_end, fh_layout.cell_pages);
}

/* The end of the cells from `cell` on that all have memory of one node. */
static uint64_t end_of_island(uint64_t cell)
{
	uint64_t end = cell + 1;

	while (end < cell_count() && cell_has_memory(end) &&
	       node_of_cell(end) == node_of_cell(cell))
		end++;
	return end;
}

/* Cuts an island into zones of about so many pages. */
static enum fh_status open_island(uint64_t cell, uint64_t end, uint64_t target,
				  bool memory_is_zeroed)
{
	uint64_t pages = covered_pages(cell * fh_layout.cell_pages,
				       end * fh_layout.cell_pages);
	uint64_t parts = larger(1, (pages + target / 2) / target);
	uint64_t stride = round_up_div(end - cell, parts);

	while (cell < end) {
		uint64_t next = smaller(cell + stride, end);

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
	uint64_t pages = covered_pages(0, fh_memory.frame_end);
	uint64_t target = round_up_div(pages, choose_zone_count(pages));
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

/* ---- Questions ---- */

bool fh_layout_covers_some(uint64_t page)
{
	return is_covered_kind(fh_map_kind_at(fh_layout.map, page));
}

/* How many CPUs of the same node have lower numbers. */
static uint64_t rank_in_node(unsigned cpu)
{
	uint64_t rank = 0;

	for (unsigned i = 0; i < cpu; i++)
		if (node_of_cpu(i) == node_of_cpu(cpu))
			rank++;
	return rank;
}

/* The bits of rank below `range`, a power of two, in reverse. */
static uint64_t spread(uint64_t rank, uint64_t range)
{
	uint64_t place = 0;

	for (uint64_t step = range / 2; step > 0; step /= 2) {
		place += rank % 2 * step;
		rank /= 2;
	}
	return place;
}

static uint64_t count_zones_of(uint64_t node)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < fh_layout.zone_count; i++)
		if (fh_zones[i].node == node)
			n++;
	return n;
}

/* The index of the highest zone of the node but so many; there is one. */
static uint64_t zone_of_node(uint64_t node, uint64_t but)
{
	uint64_t i = fh_layout.zone_count - 1;

	while (i > 0 && (fh_zones[i].node != node || but > 0)) {
		if (fh_zones[i].node == node)
			but--;
		i--;
	}
	return i;
}

/*
 * CPUs of a node take different zones of it, as far apart as possible, because
 * each goes on downwards when its own is empty; low memory is last.
 */
uint64_t fh_layout_home(unsigned cpu)
{
	uint64_t zones = count_zones_of(node_of_cpu(cpu));
	uint64_t rank = rank_in_node(cpu);
	uint64_t range = 1;

	if (zones == 0)
		return fh_layout.zone_count - 1;
	while (range < zones)
		range *= 2;
	uint64_t place = spread(rank % range, range);
	if (place >= zones)
		place = rank % zones;
	return zone_of_node(node_of_cpu(cpu), place);
}

enum fh_status fh_layout_cover(uint64_t first, uint64_t n)
{
	if (n == 0)
		return FH_E_EMPTY;
	if (first % FH_SECTION_FRAMES != 0 || n % FH_SECTION_FRAMES != 0)
		return FH_E_NOT_ALIGNED;
	for (uint64_t i = 0; i < n; i += FH_SECTION_FRAMES) {
		struct fh_zone *zone = fh_layout_zone(first + i);

		if (zone == NULL ||
		    zone != fh_layout_zone(first + i + FH_SECTION_FRAMES - 1))
			return FH_E_OUT_OF_BOUND;
		if (fh_layout.cover[(first + i) / FH_SECTION_FRAMES] !=
		    FH_COVER_NONE)
			return FH_E_TWICE;
	}
	for (uint64_t i = 0; i < n; i += FH_SECTION_FRAMES) {
		(void)fh_word_add_relaxed(&fh_layout_zone(first + i)->pages,
					  FH_SECTION_FRAMES);
		/* Release: pairs with the acquire in fh_layout_covers(). */
		fh_byte_store_release(
			&fh_layout.cover[(first + i) / FH_SECTION_FRAMES],
			FH_COVER_ALL);
	}
	return FH_OK;
}
