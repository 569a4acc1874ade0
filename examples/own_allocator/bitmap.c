/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A page allocator of somebody's own, in the place of the library's: one bit a
 * page, 1 is free; one lock; first fit from where the last search ended; no
 * memory plugged in later, no nodes, nothing kept by CPUs. It is the least that
 * framehold/allocator.h asks for, and the one to read before writing another.
 */
#include <framehold/allocator.h>
#include <framehold/early.h>
#include <framehold/host.h>

#include "lock.h"
#include "report.h"

#define WORD_PAGES UINT64_C(64)

static struct {
	struct fh_lock lock;
	const struct fh_memory_map *map;
	uint64_t *bits;
	uint64_t end; /* pages 0 .. end-1 are covered */
	uint64_t free;
	uint64_t rover; /* where the next search begins */
} zone;

static bool is_free_bit(uint64_t page)
{
	return zone.bits[page / WORD_PAGES] >> page % WORD_PAGES & 1;
}

static void set_bits(uint64_t first, uint64_t n)
{
	for (uint64_t i = first; i - first < n; i++)
		zone.bits[i / WORD_PAGES] |= UINT64_C(1) << i % WORD_PAGES;
	zone.free += n;
}

static void clear_bits(uint64_t first, uint64_t n)
{
	for (uint64_t i = first; i - first < n; i++)
		zone.bits[i / WORD_PAGES] &= ~(UINT64_C(1) << i % WORD_PAGES);
	zone.free -= n;
}

enum fh_status fh_allocator_init(const struct fh_memory_map *map,
				 const struct fh_topology *topology,
				 bool memory_is_zeroed)
{
	uint64_t end = fh_map_frame_end(map);
	uint64_t bytes = (end + WORD_PAGES - 1) / WORD_PAGES * 8;
	uint64_t pages = (bytes + FH_PAGE_SIZE - 1) / FH_PAGE_SIZE;
	uint64_t first;
	enum fh_status status = fh_early_alloc(pages, 1, &first);

	(void)topology;
	(void)memory_is_zeroed;
	if (status != FH_OK)
		return status;
	zone.bits = fh_host_linear(fh_paddr_of_frame(first));
	__builtin_memset(zone.bits, 0, bytes);
	zone.map = map;
	zone.end = end;
	zone.free = 0;
	zone.rover = 0;
	return FH_OK;
}

void fh_allocator_fini(void)
{
	zone.bits = NULL;
	zone.end = 0;
	zone.free = 0;
}

/* What is free at first, and what a kernel may give up later. */
bool fh_allocator_covers(uint64_t frame)
{
	enum fh_region_kind kind;

	if (frame >= zone.end)
		return false;
	kind = fh_map_kind_at(zone.map, frame);
	return kind == FH_REGION_USABLE || kind == FH_REGION_RECLAIMABLE ||
	       kind == FH_REGION_MODULE || kind == FH_REGION_KERNEL;
}

enum fh_status fh_allocator_cover(uint64_t first, uint64_t n)
{
	(void)first;
	(void)n;
	return FH_E_OUT_OF_BOUND;
}

void fh_allocator_give_back(uint64_t first, uint64_t n)
{
	uint64_t twice = first;
	uint64_t saved = fh_lock(&zone.lock);

	while (twice - first < n && !is_free_bit(twice))
		twice++;
	if (twice - first == n)
		set_bits(first, n);
	fh_unlock(&zone.lock, saved);
	if (twice - first < n)
		fh_stop("free_twice", twice, FH_STATE_FREE,
			"a page that is not in the allocator", 0, 0);
}

bool fh_allocator_withdraw(uint64_t frame)
{
	uint64_t saved = fh_lock(&zone.lock);
	bool was_free = is_free_bit(frame);

	if (was_free)
		clear_bits(frame, 1);
	fh_unlock(&zone.lock, saved);
	return was_free;
}

/* The first page from `from` on that is free, skipping empty words. */
static uint64_t next_free(uint64_t from, uint64_t limit)
{
	uint64_t page = from;

	while (page < limit) {
		if (page % WORD_PAGES == 0 && zone.bits[page / WORD_PAGES] == 0)
			page += WORD_PAGES;
		else if (!is_free_bit(page))
			page++;
		else
			return page;
	}
	return limit;
}

/* The first run of n free pages in from .. limit-1; limit if there is none. */
static uint64_t find_run(uint64_t from, uint64_t limit, uint64_t n,
			 uint64_t align)
{
	uint64_t first = next_free(from, limit);

	while (first < limit) {
		uint64_t skip = (align - first % align) % align;
		uint64_t run = 0;

		if (skip > limit - first || n > limit - first - skip)
			return limit;
		first += skip;
		while (run < n && is_free_bit(first + run))
			run++;
		if (run == n)
			return first;
		first = next_free(first + run + 1, limit);
	}
	return limit;
}

enum fh_status fh_allocator_pop(uint64_t n,
				const struct fh_alloc_options *options,
				uint64_t *first)
{
	uint64_t align = options->align == 0 ? 1 : options->align;
	uint64_t limit = zone.end;
	uint64_t saved = fh_lock(&zone.lock);

	if (options->below != 0 && options->below < limit)
		limit = options->below;
	uint64_t from = zone.rover < limit ? zone.rover : 0;
	uint64_t found = find_run(from, limit, n, align);
	if (found >= limit)
		found = find_run(0, limit, n, align);
	if (found < limit) {
		clear_bits(found, n);
		zone.rover = found + n;
		*first = found;
	}
	fh_unlock(&zone.lock, saved);
	if (found >= limit)
		return FH_E_NO_MEMORY;
	for (uint64_t section = found / FH_SECTION_FRAMES;
	     section <= (found + n - 1) / FH_SECTION_FRAMES; section++)
		fh_section_make_live(section);
	return FH_OK;
}

bool fh_allocator_is_free(uint64_t frame)
{
	return is_free_bit(frame);
}

enum fh_status fh_allocator_audit(struct fh_finding *finding)
{
	uint64_t free = 0;

	for (uint64_t page = next_free(0, zone.end); page < zone.end;
	     page = next_free(page + 1, zone.end))
		free++;
	if (free == zone.free)
		return FH_OK;
	*finding = (struct fh_finding){
		.rule = "allocator_free",
		.needed = "free pages, by the allocator's count",
		.has_counts = true,
		.found_count = free,
		.needed_count = zone.free,
	};
	return FH_E_CORRUPT;
}

static uint64_t covered_pages(void)
{
	return fh_map_pages(zone.map, FH_REGION_USABLE) +
	       fh_map_pages(zone.map, FH_REGION_RECLAIMABLE) +
	       fh_map_pages(zone.map, FH_REGION_MODULE) +
	       fh_map_pages(zone.map, FH_REGION_KERNEL);
}

void fh_alloc_stats(struct fh_alloc_stats *stats)
{
	uint64_t saved = fh_lock(&zone.lock);

	stats->pages = zone.end == 0 ? 0 : covered_pages();
	stats->free = zone.free;
	fh_unlock(&zone.lock, saved);
}

/* One zone, of which only the sums are known. */
bool fh_alloc_zone(size_t index, struct fh_zone_stats *stats)
{
	if (index != 0 || zone.end == 0)
		return false;
	*stats = (struct fh_zone_stats){
		.span = zone.end,
		.pages = covered_pages(),
		.free = zone.free,
	};
	return true;
}

/* CPUs keep nothing. */

void fh_allocator_cpu_online(unsigned cpu)
{
	(void)cpu;
}

void fh_allocator_cpu_offline(unsigned cpu)
{
	(void)cpu;
}

void fh_alloc_poll(void)
{
}

void fh_alloc_drain(void)
{
}
