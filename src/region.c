/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Normalisation of memory maps: one sort by first page, then one sweep upward.
 *
 *     regions, sorted   [-- usable -------------]
 *                              [-- bad --]
 *                                   [-- reserved ------]
 *     reach[bad]                         ^
 *     reach[reserved]                                  ^
 *     reach[usable]                             ^
 *     spans             [ u   ][ bad     ][ reserved   ]
 *
 * The sweep remembers for each kind only how far the regions of that kind that
 * began so far reach: of two regions of one kind, the shorter adds nothing. At
 * a position, the lowest kind whose reach lies beyond it is the answer, until
 * that reach ends or the next region begins.
 *
 * Why 2 * n spans are always enough: let `active` be the number of kinds that
 * reach beyond the position. spans + active <= 2 * regions begun, always: a
 * region that begins adds 2 on the right, at most 1 to active, and ends at
 * most one span; a reach that ends makes one span and takes 1 off active.
 */
#include <framehold/region.h>

/* The pages of one region, clipped: first .. end - 1; first == end if none. */
struct clipped {
	uint64_t first;
	uint64_t end;
};

static const char *const region_kind_names[FH_REGION_KINDS] = {
	"bad",    "unknown",     "non-volatile", "reserved", "kernel",
	"module", "framebuffer", "reclaimable",  "usable",
};

static bool region_kind_is_valid(enum fh_region_kind kind)
{
	return (unsigned)kind < FH_REGION_KINDS;
}

const char *fh_region_kind_name(enum fh_region_kind kind)
{
	if (!region_kind_is_valid(kind))
		return "invalid";
	return region_kind_names[kind];
}

bool fh_region_is_physical(enum fh_region_kind kind)
{
	return region_kind_is_valid(kind) && kind != FH_REGION_BAD &&
	       kind != FH_REGION_UNKNOWN && kind != FH_REGION_RESERVED &&
	       kind != FH_REGION_FRAMEBUFFER;
}

/*
 * Works from the last byte, not from the end, which may be 2^64. The region
 * does not wrap.
 */
static struct clipped clip(const struct fh_region *region)
{
	struct clipped pages;
	uint64_t last;

	pages.first = region->base / FH_PAGE_SIZE;
	pages.end = pages.first;
	if (region->size == 0)
		return pages;

	last = region->base + (region->size - 1);
	if (region->kind != FH_REGION_USABLE) {
		pages.end = last / FH_PAGE_SIZE + 1;
		return pages;
	}

	pages.end = last / FH_PAGE_SIZE;
	if (last % FH_PAGE_SIZE == FH_PAGE_SIZE - 1)
		pages.end++;
	if (region->base % FH_PAGE_SIZE != 0)
		pages.first++;
	if (pages.end < pages.first)
		pages.end = pages.first;
	return pages;
}

static enum fh_status region_check(const struct fh_region *region)
{
	struct clipped pages;

	if (!region_kind_is_valid(region->kind))
		return FH_E_INVALID;
	if (region->size > 0 && region->size - 1 > UINT64_MAX - region->base)
		return FH_E_OVERFLOW;

	pages = clip(region);
	if (fh_region_is_physical(region->kind) && pages.first < pages.end &&
	    pages.end > FH_MAX_FRAMES)
		return FH_E_OUT_OF_BOUND;
	return FH_OK;
}

/*
 * Where a region begins in the sweep. Not its base: a usable region may begin
 * a page later than one of another kind with a higher base in the same page.
 */
static uint64_t first_page(const struct fh_region *region)
{
	return clip(region).first;
}

static void region_swap(struct fh_region *regions, size_t i, size_t j)
{
	struct fh_region old = regions[i];

	regions[i] = regions[j];
	regions[j] = old;
}

/* Makes a heap of regions[root .. n - 1] whose subtrees below root are heaps. */
static void region_sift_down(struct fh_region *regions, size_t root, size_t n)
{
	size_t i = root;

	while (i < n / 2) {
		size_t child = 2 * i + 1;

		if (child + 1 < n && first_page(&regions[child]) <
					     first_page(&regions[child + 1]))
			child++;
		if (first_page(&regions[child]) <= first_page(&regions[i]))
			return;
		region_swap(regions, i, child);
		i = child;
	}
}

/* Heap sort: no recursion, no memory, no slow case. */
static void region_sort(struct fh_region *regions, size_t n)
{
	for (size_t root = n / 2; root > 0; root--)
		region_sift_down(regions, root - 1, n);
	for (size_t left = n; left > 1; left--) {
		region_swap(regions, 0, left - 1);
		region_sift_down(regions, 0, left - 1);
	}
}

/* Lets all regions begin that do so at or before page; returns the next one. */
static size_t begin_regions(const struct fh_region *regions, size_t n,
			    size_t next, uint64_t page, uint64_t *reach)
{
	while (next < n && first_page(&regions[next]) <= page) {
		uint64_t end = clip(&regions[next]).end;

		if (reach[regions[next].kind] < end)
			reach[regions[next].kind] = end;
		next++;
	}
	return next;
}

/* The lowest kind that reaches beyond page; FH_REGION_KINDS if none does. */
static unsigned lowest_beyond(const uint64_t *reach, uint64_t page)
{
	unsigned kind = 0;

	while (kind < FH_REGION_KINDS && reach[kind] <= page)
		kind++;
	return kind;
}

/* Adds pages first .. end - 1, which lie behind all spans so far. */
static void map_append(struct fh_memory_map *map, uint64_t first, uint64_t end,
		       enum fh_region_kind kind)
{
	size_t n = map->count;

	if (n > 0 && map->spans[n - 1].kind == kind &&
	    map->spans[n - 1].first + map->spans[n - 1].count == first) {
		map->spans[n - 1].count += end - first;
		return;
	}
	map->spans[n].first = first;
	map->spans[n].count = end - first;
	map->spans[n].kind = kind;
	map->spans[n].taken = 0;
	map->spans[n].taken_before = 0;
	map->count = n + 1;
}

static void map_sweep(const struct fh_region *regions, size_t n,
		      struct fh_memory_map *map)
{
	uint64_t reach[FH_REGION_KINDS] = {0};
	uint64_t page = 0;
	size_t next = begin_regions(regions, n, 0, page, reach);
	unsigned kind = lowest_beyond(reach, page);

	map->count = 0;
	while (kind < FH_REGION_KINDS || next < n) {
		uint64_t stop = FH_PAGE_NUMBER_END;

		if (next < n)
			stop = first_page(&regions[next]);
		if (kind < FH_REGION_KINDS && reach[kind] < stop)
			stop = reach[kind];
		if (kind < FH_REGION_KINDS)
			map_append(map, page, stop, (enum fh_region_kind)kind);

		page = stop;
		next = begin_regions(regions, n, next, page, reach);
		kind = lowest_beyond(reach, page);
	}
}

enum fh_status fh_map_normalise(struct fh_region *regions, size_t n,
				struct fh_memory_map *map, size_t *bad)
{
	for (size_t i = 0; i < n; i++) {
		enum fh_status status = region_check(&regions[i]);

		if (status != FH_OK) {
			*bad = i;
			return status;
		}
	}
	if (n > map->capacity / 2) {
		*bad = map->capacity / 2;
		return FH_E_NO_MEMORY;
	}

	region_sort(regions, n);
	map_sweep(regions, n, map);
	return FH_OK;
}

uint64_t fh_map_frame_end(const struct fh_memory_map *map)
{
	uint64_t end = 0;

	for (size_t i = 0; i < map->count; i++) {
		if (fh_region_is_physical(map->spans[i].kind))
			end = map->spans[i].first + map->spans[i].count;
	}
	return end;
}

uint64_t fh_map_pages(const struct fh_memory_map *map, enum fh_region_kind kind)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < map->count; i++) {
		if (map->spans[i].kind == kind)
			pages += map->spans[i].count;
	}
	return pages;
}

enum fh_region_kind fh_map_kind_at(const struct fh_memory_map *map,
				   uint64_t frame)
{
	size_t low = 0;
	size_t high = map->count;

	/* Spans below low begin at or before frame, those from high on later. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->spans[middle].first <= frame)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 ||
	    frame - map->spans[low - 1].first >= map->spans[low - 1].count)
		return FH_REGION_UNKNOWN;
	return map->spans[low - 1].kind;
}
