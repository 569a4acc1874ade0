/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Counting by slots walks page by page, but for raw sections, whose pages are
 * all free and whose slots would cost memory if they were read.
 */
#include "zones.h"

#include <framehold/framehold.h>

#include <inttypes.h>
#include <stdio.h>

struct zones zones_now(void)
{
	struct zones zones = {.count = 0};
	struct fh_zone_stats *zone = zones.zone;

	fh_alloc_drain();
	while (zones.count < MOST_ZONES && fh_alloc_zone(zones.count, zone)) {
		zones.pages += zone->pages;
		zones.free += zone->free;
		zones.free_blocks += zone->free_blocks;
		if (zone->longest_run > zones.longest_run)
			zones.longest_run = zone->longest_run;
		zones.count++;
		zone++;
	}
	return zones;
}

uint64_t zones_possible_blocks(const struct zones *zones)
{
	uint64_t blocks = 0;

	for (size_t i = 0; i < zones->count; i++)
		blocks += zones->zone[i].free / BLOCK_PAGES;
	return blocks;
}

/* ---- By slots ---- */

/* The pages of a walk so far. */
struct walk {
	uint64_t free;
	uint64_t blocks;
	uint64_t longest;
	uint64_t run;
	uint64_t in_block; /* free pages of the block that it is in */
};

static void walk_page(struct walk *walk, uint64_t page, bool is_free)
{
	if (page % BLOCK_PAGES == 0)
		walk->in_block = 0;
	if (!is_free) {
		walk->run = 0;
		return;
	}
	walk->free++;
	walk->run++;
	walk->in_block++;
	walk->blocks += walk->in_block == BLOCK_PAGES;
	if (walk->run > walk->longest)
		walk->longest = walk->run;
}

/* Free pages, from the start of a block on. */
static void walk_raw(struct walk *walk, uint64_t pages)
{
	walk->free += pages;
	walk->blocks += pages / BLOCK_PAGES;
	walk->run += pages;
	if (walk->run > walk->longest)
		walk->longest = walk->run;
}

/* A part of one section, from the start of a block on. */
static void walk_section(struct walk *walk, uint64_t first, uint64_t end)
{
	uint8_t section = fh_memory.sections[first / FH_SECTION_FRAMES];

	if (section == FH_SECTION_RAW) {
		walk_raw(walk, end - first);
		return;
	}
	for (uint64_t i = first; i < end; i++)
		walk_page(walk, i,
			  section == FH_SECTION_LIVE &&
				  fh_frame_to_meta(i)->state == FH_STATE_FREE);
}

static struct walk walk_slots(uint64_t first, uint64_t end)
{
	struct walk walk = {0};

	if (end > fh_memory.frame_end)
		end = fh_memory.frame_end;
	while (first < end) {
		uint64_t next =
			(first / FH_SECTION_FRAMES + 1) * FH_SECTION_FRAMES;

		if (next > end)
			next = end;
		walk_section(&walk, first, next);
		first = next;
	}
	return walk;
}

static bool agree(const struct fh_zone_stats *zone, const char *what,
		  uint64_t figure, uint64_t counted)
{
	if (figure == counted)
		return true;
	fprintf(stderr,
		"fh-demo: the zone at page 0x%" PRIx64 " says %" PRIu64
		" %s, its slots %" PRIu64 "\n",
		zone->first, figure, what, counted);
	return false;
}

static bool zone_agrees(const struct fh_zone_stats *zone)
{
	struct walk walk = walk_slots(zone->first, zone->first + zone->span);

	return agree(zone, "free pages", zone->free, walk.free) &&
	       agree(zone, "free blocks", zone->free_blocks, walk.blocks) &&
	       agree(zone, "pages at most in a row", zone->longest_run,
		     walk.longest);
}

bool zones_agree_with_slots(const struct zones *zones)
{
	for (size_t i = 0; i < zones->count; i++)
		if (!zone_agrees(&zones->zone[i]))
			return false;
	return true;
}

uint64_t zones_blocks_below(uint64_t end)
{
	return walk_slots(0, end).blocks;
}

uint64_t zones_free_below(uint64_t end)
{
	return walk_slots(0, end).free;
}

uint64_t zones_first_free(void)
{
	uint64_t first = 0;

	/* In steps of a section first, of a page last. */
	for (uint64_t step = FH_SECTION_FRAMES; step > 0; step /= 32)
		while (first < fh_memory.frame_end &&
		       walk_slots(first, first + step).free == 0)
			first += step;
	return first;
}
