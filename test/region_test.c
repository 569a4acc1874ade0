/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Normalisation of memory maps: every clause of region.h, the known mistakes
 * of other implementations by name, and thousands of random maps against a
 * model that asks for the kind of every page on its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <framehold/region.h>

#define PAGE      FH_PAGE_SIZE
#define MAX_SPANS 64

#define BAD          FH_REGION_BAD
#define UNKNOWN      FH_REGION_UNKNOWN
#define NON_VOLATILE FH_REGION_NON_VOLATILE_SLEEP
#define RESERVED     FH_REGION_RESERVED
#define KERNEL       FH_REGION_KERNEL
#define MODULE       FH_REGION_MODULE
#define FRAMEBUFFER  FH_REGION_FRAMEBUFFER
#define RECLAIMABLE  FH_REGION_RECLAIMABLE
#define USABLE       FH_REGION_USABLE

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The status that nothing returns. */
#define NO_INDEX SIZE_MAX

/* A map with room, full of what normalisation must overwrite. */
struct room {
	struct fh_span spans[MAX_SPANS];
	struct fh_memory_map map;
};

static void room_open(struct room *room)
{
	memset(room->spans, 0xa5, sizeof(room->spans));
	room->map.spans = room->spans;
	room->map.capacity = MAX_SPANS;
	room->map.count = 33;
}

static void normalise(struct room *room, struct fh_region *regions, size_t n)
{
	size_t bad = NO_INDEX;

	room_open(room);
	assert_int_equal(fh_map_normalise(regions, n, &room->map, &bad), FH_OK);
	assert_int_equal(bad, NO_INDEX);
}

static void assert_span(const struct fh_memory_map *map, size_t i,
			uint64_t first, uint64_t end, enum fh_region_kind kind)
{
	assert_true(i < map->count);
	assert_int_equal(map->spans[i].first, first);
	assert_int_equal(map->spans[i].count, end - first);
	assert_int_equal(map->spans[i].kind, kind);
	assert_int_equal(map->spans[i].taken, 0);
	assert_int_equal(map->spans[i].taken_before, 0);
}

/* Expects an error that changes neither the regions nor the map. */
static void assert_refused(const struct fh_region *regions, size_t n,
			   size_t capacity, enum fh_status status,
			   size_t culprit)
{
	struct room room;
	struct room before;
	struct fh_region copy[16];
	size_t bad = NO_INDEX;

	assert_true(n <= LENGTH(copy));
	memcpy(copy, regions, n * sizeof(*regions));
	room_open(&room);
	room.map.capacity = capacity;
	memcpy(&before, &room, sizeof(room));

	assert_int_equal(fh_map_normalise(copy, n, &room.map, &bad), status);
	assert_int_equal(bad, culprit);
	assert_memory_equal(copy, regions, n * sizeof(*regions));
	assert_memory_equal(&room, &before, sizeof(room));
}

/* Kinds */

static void kinds_have_names(void **state)
{
	(void)state;
	for (int i = 0; i < FH_REGION_KINDS; i++) {
		const char *name = fh_region_kind_name((enum fh_region_kind)i);

		assert_string_not_equal(name, "invalid");
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
				name,
				fh_region_kind_name((enum fh_region_kind)j));
	}
	assert_string_equal(fh_region_kind_name(BAD), "bad");
	assert_string_equal(fh_region_kind_name(USABLE), "usable");
	assert_string_equal(fh_region_kind_name((enum fh_region_kind)9),
			    "invalid");
	assert_string_equal(fh_region_kind_name((enum fh_region_kind) - 1),
			    "invalid");
}

static void five_kinds_are_physical(void **state)
{
	(void)state;
	assert_true(fh_region_is_physical(NON_VOLATILE));
	assert_true(fh_region_is_physical(KERNEL));
	assert_true(fh_region_is_physical(MODULE));
	assert_true(fh_region_is_physical(RECLAIMABLE));
	assert_true(fh_region_is_physical(USABLE));
	assert_false(fh_region_is_physical(BAD));
	assert_false(fh_region_is_physical(UNKNOWN));
	assert_false(fh_region_is_physical(RESERVED));
	assert_false(fh_region_is_physical(FRAMEBUFFER));
	assert_false(fh_region_is_physical((enum fh_region_kind)9));
}

/* Clipping */

static void usable_is_clipped_inward(void **state)
{
	struct fh_region regions[] = {{PAGE + 1, 3 * PAGE, USABLE}};
	struct room room;

	(void)state;
	normalise(&room, regions, 1);
	assert_int_equal(room.map.count, 1);
	assert_span(&room.map, 0, 2, 4, USABLE);
}

static void others_are_clipped_outward(void **state)
{
	(void)state;
	for (int kind = BAD; kind < USABLE; kind++) {
		struct fh_region regions[] = {
			{PAGE + 1, 3 * PAGE, (enum fh_region_kind)kind}};
		struct room room;

		normalise(&room, regions, 1);
		assert_int_equal(room.map.count, 1);
		assert_span(&room.map, 0, 1, 5, (enum fh_region_kind)kind);
	}
}

static void one_byte_of_another_kind_takes_its_page(void **state)
{
	struct fh_region regions[] = {
		{0, 4 * PAGE, USABLE},
		{3 * PAGE - 1, 1, RESERVED},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 2);
	assert_int_equal(room.map.count, 3);
	assert_span(&room.map, 0, 0, 2, USABLE);
	assert_span(&room.map, 1, 2, 3, RESERVED);
	assert_span(&room.map, 2, 3, 4, USABLE);
}

static void byte_granular_neighbours_lose_the_shared_page(void **state)
{
	/* Neither of two usable pieces has the page in which they meet. */
	struct fh_region regions[] = {
		{0, PAGE + 0x18, USABLE},
		{PAGE + 0x18, 2 * PAGE - 0x18, USABLE},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 2);
	assert_int_equal(room.map.count, 2);
	assert_span(&room.map, 0, 0, 1, USABLE);
	assert_span(&room.map, 1, 2, 3, USABLE);
}

/* clipping inward must not wrap. */
static void usable_within_a_page_is_dropped(void **state)
{
	struct fh_region within = {0x1001, 0x100, USABLE};
	struct fh_region astride = {0x1801, 0x1000, USABLE};
	struct fh_region at_start = {0x1000, 0xfff, USABLE};
	struct fh_region to_end = {0x1001, 0xfff, USABLE};
	struct room room;

	(void)state;
	normalise(&room, &within, 1);
	assert_int_equal(room.map.count, 0);
	normalise(&room, &astride, 1);
	assert_int_equal(room.map.count, 0);
	normalise(&room, &at_start, 1);
	assert_int_equal(room.map.count, 0);
	normalise(&room, &to_end, 1);
	assert_int_equal(room.map.count, 0);
}

/* R-05b: nothing in, nothing out; no span of size zero. */
static void no_regions_make_no_spans(void **state)
{
	struct room room;

	(void)state;
	normalise(&room, NULL, 0);
	assert_int_equal(room.map.count, 0);
	assert_int_equal(fh_map_frame_end(&room.map), 0);
	assert_int_equal(fh_map_pages(&room.map, USABLE), 0);
	assert_int_equal(fh_map_kind_at(&room.map, 0), UNKNOWN);
}

/* R-05c: the last, unaligned region keeps its last page. */
static void unaligned_last_region_is_kept(void **state)
{
	struct fh_region regions[] = {
		{0, 0x1000, USABLE},
		{0x1000, 0x800, RESERVED},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 2);
	assert_int_equal(room.map.count, 2);
	assert_span(&room.map, 0, 0, 1, USABLE);
	assert_span(&room.map, 1, 1, 2, RESERVED);
}

static void zero_length_entry_is_ignored(void **state)
{
	(void)state;
	for (int kind = 0; kind < FH_REGION_KINDS; kind++) {
		struct fh_region regions[] = {
			{PAGE, 4 * PAGE, USABLE},
			{0, 0, (enum fh_region_kind)kind},
			{2 * PAGE + 5, 0, (enum fh_region_kind)kind},
			{UINT64_MAX, 0, (enum fh_region_kind)kind},
		};
		struct room room;

		normalise(&room, regions, 4);
		assert_int_equal(room.map.count, 1);
		assert_span(&room.map, 0, 1, 5, USABLE);
	}
}

/* Overlaps */

static void lesser_kind_wins_in_any_order(void **state)
{
	(void)state;
	for (int low = 0; low < FH_REGION_KINDS; low++) {
		for (int high = low + 1; high < FH_REGION_KINDS; high++) {
			struct fh_region inside = {2 * PAGE, PAGE,
						   (enum fh_region_kind)low};
			struct fh_region around = {PAGE, 3 * PAGE,
						   (enum fh_region_kind)high};
			struct fh_region ab[] = {inside, around};
			struct fh_region ba[] = {around, inside};
			struct room room;

			for (int order = 0; order < 2; order++) {
				normalise(&room, order == 0 ? ab : ba, 2);
				assert_int_equal(room.map.count, 3);
				assert_span(&room.map, 0, 1, 2, around.kind);
				assert_span(&room.map, 1, 2, 3, inside.kind);
				assert_span(&room.map, 2, 3, 4, around.kind);
			}
		}
	}
}

static void greater_kind_inside_a_lesser_one_vanishes(void **state)
{
	struct fh_region regions[] = {
		{2 * PAGE, PAGE, USABLE},
		{PAGE, 3 * PAGE, RESERVED},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 2);
	assert_int_equal(room.map.count, 1);
	assert_span(&room.map, 0, 1, 4, RESERVED);
}

static void same_range_twice_is_once(void **state)
{
	struct fh_region regions[] = {
		{PAGE, 3 * PAGE, USABLE},
		{PAGE, 3 * PAGE, USABLE},
		{PAGE, 3 * PAGE, BAD},
		{PAGE, 3 * PAGE, USABLE},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 4);
	assert_int_equal(room.map.count, 1);
	assert_span(&room.map, 0, 1, 4, BAD);
}

static void short_region_does_not_end_a_longer_one(void **state)
{
	struct fh_region regions[] = {
		{0, 10 * PAGE, USABLE},
		{2 * PAGE, PAGE, USABLE},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 2);
	assert_int_equal(room.map.count, 1);
	assert_span(&room.map, 0, 0, 10, USABLE);
}

/*
 * A usable region may begin a page later than a reserved one with a higher
 * base: the sweep must not go by the base.
 */
static void sorting_goes_by_the_clipped_page(void **state)
{
	struct fh_region regions[] = {
		{0x1001, 0x3fff, USABLE},
		{0x1fff, 1, RESERVED},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 2);
	assert_int_equal(room.map.count, 2);
	assert_span(&room.map, 0, 1, 2, RESERVED);
	assert_span(&room.map, 1, 2, 5, USABLE);
}

static void neighbours_of_one_kind_are_merged(void **state)
{
	struct fh_region regions[] = {
		{4 * PAGE, PAGE, USABLE},
		{0, 2 * PAGE, USABLE},
		{2 * PAGE, 2 * PAGE, USABLE},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 3);
	assert_int_equal(room.map.count, 1);
	assert_span(&room.map, 0, 0, 5, USABLE);
}

static void neighbours_with_a_gap_stay_apart(void **state)
{
	struct fh_region regions[] = {
		{0, PAGE, USABLE},
		{2 * PAGE, PAGE, USABLE},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 2);
	assert_int_equal(room.map.count, 2);
	assert_span(&room.map, 0, 0, 1, USABLE);
	assert_span(&room.map, 1, 2, 3, USABLE);
	assert_int_equal(fh_map_kind_at(&room.map, 1), UNKNOWN);
}

/* The source's example: a bad page inside, and a hole that nobody mentions. */
static void five_overlapping_regions(void **state)
{
	struct fh_region regions[] = {
		{9 * PAGE, 2 * PAGE, USABLE}, {0, 4 * PAGE, USABLE},
		{3 * PAGE, PAGE, BAD},        {2 * PAGE, 3 * PAGE, USABLE},
		{5 * PAGE, 2 * PAGE, USABLE},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 5);
	assert_int_equal(room.map.count, 4);
	assert_span(&room.map, 0, 0, 3, USABLE);
	assert_span(&room.map, 1, 3, 4, BAD);
	assert_span(&room.map, 2, 4, 7, USABLE);
	assert_span(&room.map, 3, 9, 11, USABLE);
	assert_int_equal(fh_map_kind_at(&room.map, 7), UNKNOWN);
	assert_int_equal(fh_map_kind_at(&room.map, 8), UNKNOWN);
}

static void unknown_said_aloud_is_a_span(void **state)
{
	struct fh_region regions[] = {
		{0, 4 * PAGE, USABLE},
		{PAGE, PAGE, UNKNOWN},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 2);
	assert_int_equal(room.map.count, 3);
	assert_span(&room.map, 1, 1, 2, UNKNOWN);
}

/* Errors */

static void kind_out_of_range_is_refused(void **state)
{
	struct fh_region regions[] = {
		{9 * PAGE, PAGE, USABLE},
		{0, PAGE, USABLE},
		{2 * PAGE, PAGE, (enum fh_region_kind)9},
	};

	(void)state;
	assert_refused(regions, 3, MAX_SPANS, FH_E_INVALID, 2);
	regions[2].kind = (enum fh_region_kind) - 1;
	assert_refused(regions, 3, MAX_SPANS, FH_E_INVALID, 2);
}

static void wrapped_entry_is_refused(void **state)
{
	struct fh_region regions[] = {
		{9 * PAGE, PAGE, USABLE},
		{1, UINT64_MAX, RESERVED}, /* ends at 2^64: fine */
		{2, UINT64_MAX, RESERVED},
		{UINT64_MAX, 2, USABLE},
	};

	(void)state;
	assert_refused(regions, 4, MAX_SPANS, FH_E_OVERFLOW, 2);
	regions[2].size--;
	assert_refused(regions, 4, MAX_SPANS, FH_E_OVERFLOW, 3);
}

/* RAM that metadata has no window for is refused, not cut off. */
static void ram_beyond_the_frame_limit_is_refused(void **state)
{
	(void)state;
	for (int kind = 0; kind < FH_REGION_KINDS; kind++) {
		struct fh_region regions[] = {
			{9 * PAGE, PAGE, USABLE},
			{FH_MAX_FRAMES * PAGE, PAGE, (enum fh_region_kind)kind},
		};
		struct room room;

		if (fh_region_is_physical((enum fh_region_kind)kind)) {
			assert_refused(regions, 2, MAX_SPANS, FH_E_OUT_OF_BOUND,
				       1);
			regions[1].base -= PAGE;
			regions[1].size = 2 * PAGE;
			assert_refused(regions, 2, MAX_SPANS, FH_E_OUT_OF_BOUND,
				       1);
			regions[1].size = PAGE;
			normalise(&room, regions, 2);
			assert_int_equal(fh_map_frame_end(&room.map),
					 FH_MAX_FRAMES);
		} else {
			normalise(&room, regions, 2);
			assert_int_equal(fh_map_frame_end(&room.map), 10);
		}
	}
}

static void frame_limit_is_tested_on_clipped_pages(void **state)
{
	uint64_t limit = FH_MAX_FRAMES * PAGE;
	struct fh_region inward = {limit - PAGE, PAGE + 100, USABLE};
	struct fh_region nothing = {limit + 1, 100, USABLE};
	struct fh_region outward = {limit - PAGE, PAGE + 1, KERNEL};
	struct room room;

	(void)state;
	assert_refused(&outward, 1, MAX_SPANS, FH_E_OUT_OF_BOUND, 0);
	normalise(&room, &inward, 1);
	assert_int_equal(fh_map_frame_end(&room.map), FH_MAX_FRAMES);
	normalise(&room, &nothing, 1);
	assert_int_equal(room.map.count, 0);
}

static void first_entry_at_fault_is_named(void **state)
{
	struct fh_region regions[] = {
		{0, PAGE, USABLE},
		{UINT64_MAX, 2, USABLE},
		{0, PAGE, (enum fh_region_kind)77},
	};

	(void)state;
	/* Also before the lack of room. */
	assert_refused(regions, 3, 0, FH_E_OVERFLOW, 1);
}

static void capacity_below_twice_the_regions_is_refused(void **state)
{
	struct fh_region regions[] = {
		{8 * PAGE, PAGE, USABLE},
		{4 * PAGE, PAGE, USABLE},
		{0, PAGE, USABLE},
	};
	struct room room;
	size_t bad = NO_INDEX;

	(void)state;
	assert_refused(regions, 3, 5, FH_E_NO_MEMORY, 2);
	assert_refused(regions, 3, 1, FH_E_NO_MEMORY, 0);
	assert_refused(regions, 3, 0, FH_E_NO_MEMORY, 0);

	room_open(&room);
	room.map.capacity = 6;
	assert_int_equal(fh_map_normalise(regions, 3, &room.map, &bad), FH_OK);
	assert_int_equal(room.map.count, 3);
}

/* The top of the address space */

static void region_may_end_at_the_top(void **state)
{
	struct fh_region regions[] = {
		{UINT64_MAX - PAGE + 1, PAGE, RESERVED},
		{UINT64_MAX, 1, BAD},
		{UINT64_MAX - 4 * PAGE + 1, 4 * PAGE, FRAMEBUFFER},
	};
	uint64_t top = FH_PAGE_NUMBER_END;
	struct room room;

	(void)state;
	normalise(&room, regions, 3);
	assert_int_equal(room.map.count, 2);
	assert_span(&room.map, 0, top - 4, top - 1, FRAMEBUFFER);
	assert_span(&room.map, 1, top - 1, top, BAD);
	assert_int_equal(fh_map_kind_at(&room.map, top - 1), BAD);
	assert_int_equal(fh_map_kind_at(&room.map, top), UNKNOWN);
	assert_int_equal(fh_map_kind_at(&room.map, UINT64_MAX), UNKNOWN);
}

static void all_of_memory_but_a_byte_may_be_reserved(void **state)
{
	struct fh_region regions[] = {
		{0, UINT64_MAX, RESERVED},
		{PAGE, PAGE, BAD},
		{0, PAGE, USABLE},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 3);
	assert_int_equal(room.map.count, 3);
	assert_span(&room.map, 0, 0, 1, RESERVED);
	assert_span(&room.map, 1, 1, 2, BAD);
	assert_span(&room.map, 2, 2, FH_PAGE_NUMBER_END, RESERVED);
	assert_int_equal(fh_map_pages(&room.map, RESERVED),
			 FH_PAGE_NUMBER_END - 1);
}

static void usable_scraps_at_the_top_are_dropped(void **state)
{
	/* Clipped inward, its first page would be the one past the last. */
	struct fh_region regions[] = {
		{UINT64_MAX - 99, 100, USABLE},
		{UINT64_MAX - 99, 100, RESERVED},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 1);
	assert_int_equal(room.map.count, 0);
	normalise(&room, regions, 2);
	assert_int_equal(room.map.count, 1);
	assert_span(&room.map, 0, FH_PAGE_NUMBER_END - 1, FH_PAGE_NUMBER_END,
		    RESERVED);
}

/* Questions */

/* H-14: a device far above does not make memory larger. */
static void high_framebuffer_does_not_raise_the_frame_end(void **state)
{
	struct fh_region regions[] = {
		{UINT64_C(0x4000000000), 0x800000, FRAMEBUFFER},
		{UINT64_C(0xfee00000), PAGE, RESERVED},
		{UINT64_C(0x4100000000), PAGE, BAD},
		{UINT64_C(0x4200000000), PAGE, UNKNOWN},
		{0, UINT64_C(0xc0000000), USABLE},
		{UINT64_C(0x100000000), UINT64_C(0x40000000), USABLE},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 6);
	assert_int_equal(room.map.count, 6);
	assert_int_equal(fh_map_frame_end(&room.map),
			 UINT64_C(0x140000000) / PAGE);
}

static void frame_end_counts_ram_that_is_not_usable(void **state)
{
	struct fh_region regions[] = {
		{0, 4 * PAGE, USABLE},
		{8 * PAGE, PAGE, NON_VOLATILE},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 2);
	assert_int_equal(fh_map_frame_end(&room.map), 9);
}

static void covered_ram_does_not_count_for_the_frame_end(void **state)
{
	struct fh_region regions[] = {
		{0, 8 * PAGE, USABLE},
		{6 * PAGE, 9 * PAGE, RESERVED},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 2);
	assert_int_equal(fh_map_frame_end(&room.map), 6);
}

static void pages_are_counted_by_kind(void **state)
{
	struct fh_region regions[] = {
		{0, 4 * PAGE, USABLE},
		{5 * PAGE, 2 * PAGE, MODULE},
		{9 * PAGE, 3 * PAGE, USABLE},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 3);
	assert_int_equal(fh_map_pages(&room.map, USABLE), 7);
	assert_int_equal(fh_map_pages(&room.map, MODULE), 2);
	assert_int_equal(fh_map_pages(&room.map, BAD), 0);
}

static void kind_is_found_at_both_ends_of_each_span(void **state)
{
	struct fh_region regions[] = {
		{2 * PAGE, 2 * PAGE, USABLE},   {4 * PAGE, PAGE, KERNEL},
		{7 * PAGE, 3 * PAGE, RESERVED}, {10 * PAGE, PAGE, USABLE},
		{20 * PAGE, PAGE, BAD},
	};
	const enum fh_region_kind expected[] = {
		UNKNOWN, UNKNOWN,  USABLE,   USABLE,   KERNEL, UNKNOWN,
		UNKNOWN, RESERVED, RESERVED, RESERVED, USABLE, UNKNOWN,
	};
	struct room room;

	(void)state;
	normalise(&room, regions, 5);
	assert_int_equal(room.map.count, 5);
	for (size_t i = 0; i < LENGTH(expected); i++)
		assert_int_equal(fh_map_kind_at(&room.map, i), expected[i]);
	assert_int_equal(fh_map_kind_at(&room.map, 19), UNKNOWN);
	assert_int_equal(fh_map_kind_at(&room.map, 20), BAD);
	assert_int_equal(fh_map_kind_at(&room.map, 21), UNKNOWN);
}

/* Random maps against a model */

/* A small generator with a seed, the same everywhere. */
static uint64_t random_state;

static uint64_t random_below(uint64_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % n;
}

/* The least kind of which a page has a byte, or, if usable, every byte. */
static enum fh_region_kind model_kind(const struct fh_region *regions, size_t n,
				      uint64_t page, bool *is_mentioned)
{
	enum fh_region_kind least = USABLE;

	*is_mentioned = false;
	for (size_t i = 0; i < n; i++) {
		uint64_t start = regions[i].base;
		uint64_t end = start + regions[i].size;
		bool is_in;

		if (regions[i].size == 0)
			continue;
		if (regions[i].kind == USABLE)
			is_in = start <= page * PAGE &&
				(page + 1) * PAGE <= end;
		else
			is_in = start < (page + 1) * PAGE && page * PAGE < end;
		if (!is_in)
			continue;
		*is_mentioned = true;
		if (regions[i].kind < least)
			least = regions[i].kind;
	}
	return least;
}

static void assert_is_normal(const struct fh_memory_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct fh_span *span = &map->spans[i];

		assert_true(span->count > 0);
		assert_int_equal(span->taken, 0);
		if (i == 0)
			continue;
		assert_true(span[-1].first + span[-1].count <= span->first);
		if (span[-1].first + span[-1].count == span->first)
			assert_int_not_equal(span[-1].kind, span->kind);
	}
}

#define MODEL_PAGES 40

static void assert_like_model(const struct fh_region *regions, size_t n,
			      const struct fh_memory_map *map)
{
	uint64_t pages[FH_REGION_KINDS] = {0};
	uint64_t mentioned = 0;
	uint64_t frame_end = 0;
	uint64_t in_spans = 0;

	for (uint64_t page = 0; page < MODEL_PAGES; page++) {
		bool is_mentioned;
		enum fh_region_kind kind =
			model_kind(regions, n, page, &is_mentioned);

		assert_int_equal(fh_map_kind_at(map, page),
				 is_mentioned ? kind : UNKNOWN);
		if (!is_mentioned)
			continue;
		mentioned++;
		pages[kind]++;
		if (kind != BAD && kind != UNKNOWN && kind != RESERVED &&
		    kind != FRAMEBUFFER)
			frame_end = page + 1;
	}
	for (int kind = 0; kind < FH_REGION_KINDS; kind++)
		assert_int_equal(fh_map_pages(map, (enum fh_region_kind)kind),
				 pages[kind]);
	for (size_t i = 0; i < map->count; i++)
		in_spans += map->spans[i].count;
	assert_int_equal(in_spans, mentioned);
	assert_int_equal(fh_map_frame_end(map), frame_end);
}

static void random_maps_agree_with_the_model(void **state)
{
	(void)state;
	random_state = UINT64_C(0x9e3779b97f4a7c15);
	for (int round = 0; round < 20000; round++) {
		struct fh_region regions[MAX_SPANS / 2];
		struct fh_region given[MAX_SPANS / 2];
		size_t n = random_below(round % 2 == 0 ? 6 : MAX_SPANS / 2 + 1);
		bool is_aligned = random_below(3) == 0;
		struct room room;

		for (size_t i = 0; i < n; i++) {
			uint64_t base = random_below(MODEL_PAGES * PAGE);
			uint64_t size = random_below(MODEL_PAGES * PAGE - base);

			if (random_below(4) == 0)
				size = random_below(size / 8 + 1);
			if (is_aligned) {
				base -= base % PAGE;
				size -= size % PAGE;
			}
			regions[i].base = base;
			regions[i].size = size;
			regions[i].kind = (enum fh_region_kind)random_below(
				FH_REGION_KINDS);
		}
		memcpy(given, regions, sizeof(*regions) * n);
		normalise(&room, regions, n);
		assert_is_normal(&room.map);
		assert_like_model(given, n, &room.map);
	}
}

/* Room for 2 * n spans is enough also where every boundary makes one. */
static void nested_regions_need_nearly_twice_their_number(void **state)
{
	struct fh_region regions[FH_REGION_KINDS];
	struct fh_span spans[2 * FH_REGION_KINDS];
	struct fh_memory_map map = {spans, 2 * FH_REGION_KINDS, 0};
	size_t bad;

	(void)state;
	for (uint64_t i = 0; i < FH_REGION_KINDS; i++) {
		regions[i].base = (20 - i) * PAGE;
		regions[i].size = (2 * i + 1) * PAGE;
		regions[i].kind = (enum fh_region_kind)i;
	}
	assert_int_equal(fh_map_normalise(regions, FH_REGION_KINDS, &map, &bad),
			 FH_OK);
	assert_int_equal(map.count, 2 * FH_REGION_KINDS - 1);
	for (uint64_t i = 0; i < FH_REGION_KINDS; i++) {
		assert_int_equal(fh_map_kind_at(&map, 20 - i), i);
		assert_int_equal(fh_map_kind_at(&map, 20 + i), i);
	}
}

#define MANY 5000

/*
 * Region i covers pages 4 * i .. 4 * i + 2, in shuffled order: a usable one,
 * with a reserved byte in the second page of every fifth.
 */
static void five_thousand_entries(void **state)
{
	size_t n = MANY + MANY / 5;
	struct fh_region *regions = calloc(n, sizeof(*regions));
	struct fh_span *spans = calloc(2 * n, sizeof(*spans));
	struct fh_memory_map map = {spans, 2 * n, 0};
	size_t bad;

	(void)state;
	assert_non_null(regions);
	assert_non_null(spans);
	for (uint64_t i = 0; i < MANY; i++) {
		regions[i].base = 4 * i * PAGE;
		regions[i].size = 3 * PAGE;
		regions[i].kind = USABLE;
	}
	for (uint64_t i = 0; i < MANY / 5; i++) {
		regions[MANY + i].base = (4 * (5 * i) + 1) * PAGE + 77;
		regions[MANY + i].size = 1;
		regions[MANY + i].kind = RESERVED;
	}
	random_state = 12345;
	for (size_t i = n - 1; i > 0; i--) {
		size_t j = random_below(i + 1);
		struct fh_region old = regions[i];

		regions[i] = regions[j];
		regions[j] = old;
	}

	assert_int_equal(fh_map_normalise(regions, n, &map, &bad), FH_OK);
	assert_is_normal(&map);
	assert_int_equal(map.count, MANY + 2 * (MANY / 5));
	assert_int_equal(fh_map_pages(&map, RESERVED), MANY / 5);
	assert_int_equal(fh_map_pages(&map, USABLE), 3 * MANY - MANY / 5);
	assert_int_equal(fh_map_frame_end(&map), 4 * (MANY - 1) + 3);
	for (uint64_t page = 0; page < 4 * MANY; page++) {
		enum fh_region_kind kind = USABLE;

		if (page % 4 == 3)
			kind = UNKNOWN;
		else if (page % 20 == 1)
			kind = RESERVED;
		assert_int_equal(fh_map_kind_at(&map, page), kind);
	}
	free(regions);
	free(spans);
}

/* Sorted, reversed and equal input: no order is the slow or the wrong one. */
static void any_order_gives_the_same_map(void **state)
{
	struct fh_region sorted[16];
	struct fh_region other[16];
	struct room first;
	struct room second;

	(void)state;
	for (uint64_t i = 0; i < 16; i++) {
		sorted[i].base = i * 2 * PAGE;
		sorted[i].size = (i % 3 + 1) * PAGE;
		sorted[i].kind = (enum fh_region_kind)(i % FH_REGION_KINDS);
	}
	for (size_t i = 0; i < 16; i++)
		other[i] = sorted[15 - i];
	normalise(&first, sorted, 16);
	normalise(&second, other, 16);
	assert_int_equal(first.map.count, second.map.count);
	for (size_t i = 0; i < first.map.count; i++)
		assert_span(&second.map, i, first.spans[i].first,
			    first.spans[i].first + first.spans[i].count,
			    first.spans[i].kind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_have_names),
		cmocka_unit_test(five_kinds_are_physical),
		cmocka_unit_test(usable_is_clipped_inward),
		cmocka_unit_test(others_are_clipped_outward),
		cmocka_unit_test(one_byte_of_another_kind_takes_its_page),
		cmocka_unit_test(byte_granular_neighbours_lose_the_shared_page),
		cmocka_unit_test(usable_within_a_page_is_dropped),
		cmocka_unit_test(no_regions_make_no_spans),
		cmocka_unit_test(unaligned_last_region_is_kept),
		cmocka_unit_test(zero_length_entry_is_ignored),
		cmocka_unit_test(lesser_kind_wins_in_any_order),
		cmocka_unit_test(greater_kind_inside_a_lesser_one_vanishes),
		cmocka_unit_test(same_range_twice_is_once),
		cmocka_unit_test(short_region_does_not_end_a_longer_one),
		cmocka_unit_test(sorting_goes_by_the_clipped_page),
		cmocka_unit_test(neighbours_of_one_kind_are_merged),
		cmocka_unit_test(neighbours_with_a_gap_stay_apart),
		cmocka_unit_test(five_overlapping_regions),
		cmocka_unit_test(unknown_said_aloud_is_a_span),
		cmocka_unit_test(kind_out_of_range_is_refused),
		cmocka_unit_test(wrapped_entry_is_refused),
		cmocka_unit_test(ram_beyond_the_frame_limit_is_refused),
		cmocka_unit_test(frame_limit_is_tested_on_clipped_pages),
		cmocka_unit_test(first_entry_at_fault_is_named),
		cmocka_unit_test(capacity_below_twice_the_regions_is_refused),
		cmocka_unit_test(region_may_end_at_the_top),
		cmocka_unit_test(all_of_memory_but_a_byte_may_be_reserved),
		cmocka_unit_test(usable_scraps_at_the_top_are_dropped),
		cmocka_unit_test(high_framebuffer_does_not_raise_the_frame_end),
		cmocka_unit_test(frame_end_counts_ram_that_is_not_usable),
		cmocka_unit_test(covered_ram_does_not_count_for_the_frame_end),
		cmocka_unit_test(pages_are_counted_by_kind),
		cmocka_unit_test(kind_is_found_at_both_ends_of_each_span),
		cmocka_unit_test(random_maps_agree_with_the_model),
		cmocka_unit_test(nested_regions_need_nearly_twice_their_number),
		cmocka_unit_test(five_thousand_entries),
		cmocka_unit_test(any_order_gives_the_same_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
