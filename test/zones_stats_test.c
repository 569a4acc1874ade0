/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Figures of zones, fh_alloc_zone(): against what the map, the slots and the
 * allocator's totals say.
 */
#include "harness.h"

#include <inttypes.h>

#define SECTION FH_SECTION_FRAMES
#define BLOCK   UINT64_C(512)

/* Two nodes with 512 MiB each, and room for a section to come. */
static const struct fh_region regions[] = {
	{0, 4 * SECTION *FH_PAGE_SIZE, FH_REGION_USABLE},
	{8 * SECTION * FH_PAGE_SIZE, 4 * SECTION *FH_PAGE_SIZE,
	 FH_REGION_USABLE},
};

#define FAR_FIRST  (8 * SECTION)
#define FAR_END    (12 * SECTION)
#define PLUG_FIRST (16 * SECTION)

static const struct fh_node_range ranges[] = {
	{.first = 0, .count = 4 * SECTION, .node = 3},
	{.first = FAR_FIRST, .count = 4 * SECTION, .node = 5},
	{.first = PLUG_FIRST, .count = SECTION, .node = 9, .hot_plug = true},
};

static const struct fh_topology topology = {.ranges = ranges, .range_count = 3};

static const struct fh_alloc_options any = {.align = 1};

static int start(void **state)
{
	const struct hosted_options options = {.topology = &topology};

	(void)state;
	return hosted_start(regions, 2, &options) == FH_OK ? 0 : -1;
}

static size_t zone_count(void)
{
	struct fh_zone_stats zone;
	size_t n = 0;

	while (fh_alloc_zone(n, &zone))
		n++;
	return n;
}

/* Sums over the zones of a node. */
static struct fh_zone_stats sum_of_node(uint64_t node)
{
	struct fh_zone_stats zone, sum = {.node = node};

	for (size_t i = 0; fh_alloc_zone(i, &zone); i++) {
		if (zone.node != node)
			continue;
		sum.span += zone.span;
		sum.pages += zone.pages;
		sum.free += zone.free;
		sum.free_blocks += zone.free_blocks;
	}
	return sum;
}

/* The zone that page lies in. */
static struct fh_zone_stats zone_of(uint64_t page)
{
	struct fh_zone_stats zone;

	for (size_t i = 0; fh_alloc_zone(i, &zone); i++)
		if (zone.first <= page && page - zone.first < zone.span)
			return zone;
	fail_msg("page %" PRIu64 " is in no zone", page);
	return zone;
}

static void zones_tell_pages_nodes_and_free_blocks(void **state)
{
	struct fh_zone_stats zone;
	struct fh_alloc_stats all;
	uint64_t end = 0;
	uint64_t pages = 0;
	uint64_t free = 0;

	(void)state;
	fh_alloc_drain();
	fh_alloc_stats(&all);
	for (size_t i = 0; fh_alloc_zone(i, &zone); i++) {
		assert_true(zone.first >= end);
		assert_true(zone.span > 0 && zone.first % BLOCK == 0);
		end = zone.first + zone.span;
		pages += zone.pages;
		free += zone.free;
	}
	assert_int_equal(pages, all.pages);
	assert_int_equal(pages, 8 * SECTION);
	assert_int_equal(free, all.free);
	/* All metadata is in low memory; nobody has touched the far one. */
	assert_int_equal(sum_of_node(5).pages, 4 * SECTION);
	assert_int_equal(sum_of_node(5).free, 4 * SECTION);
	assert_int_equal(sum_of_node(5).free_blocks, 4 * SECTION / BLOCK);
	assert_int_equal(zone_of(FAR_FIRST).node, 5);
	assert_int_equal(zone_of(FAR_END - 1).node, 5);
	assert_int_equal(zone_of(0).node, 3);
	assert_int_equal(zone_of(0).longest_run + sum_of_node(3).pages -
				 sum_of_node(3).free,
			 zone_of(0).span);

	struct fh_zone_stats untouched = {.first = 17, .free = 4};
	assert_false(fh_alloc_zone(zone_count(), &untouched));
	assert_false(fh_alloc_zone(SIZE_MAX, &untouched));
	assert_int_equal(untouched.first, 17);
	assert_int_equal(untouched.free, 4);
}

static void free_runs_end_at_pages_in_use(void **state)
{
	struct fh_zone_stats whole = zone_of(FAR_FIRST);
	struct fh_zone_stats now;
	uint64_t first = whole.first;

	(void)state;
	assert_int_equal(whole.longest_run, whole.span);
	OK(fh_alloc_take(first + 1000, 1));
	now = zone_of(first);
	assert_int_equal(now.free, whole.free - 1);
	assert_int_equal(now.pages, whole.pages);
	assert_int_equal(now.free_blocks, whole.free_blocks - 1);
	assert_int_equal(now.longest_run, whole.span - 1001);

	OK(fh_alloc_take(first + whole.span - 1, 1));
	OK(fh_alloc_take(first + 2048 + 63, 1));
	now = zone_of(first);
	assert_int_equal(now.free_blocks, whole.free_blocks - 3);
	assert_int_equal(now.longest_run, whole.span - 1 - (2048 + 64));

	/* What is left above: 1000 .. 2111 and below 1000. */
	OK(fh_alloc_take(first + 2112, whole.span - 1 - 2112));
	now = zone_of(first);
	assert_int_equal(now.longest_run, 2111 - 1001);
	assert_int_equal(now.free, 2111 - 1);
	/* Blocks 0, 2 and 3: the last begins with 1536 and ends before 2048. */
	assert_int_equal(now.free_blocks, 3);

	OK(fh_alloc_add(first + 1000, 1));
	fh_alloc_drain();
	now = zone_of(first);
	assert_int_equal(now.longest_run, 2111);
	assert_int_equal(now.free_blocks, 4);

	/* All of block 1: what is below it does not go on above it. */
	OK(fh_alloc_take(first + BLOCK, BLOCK));
	now = zone_of(first);
	assert_int_equal(now.longest_run, 2111 - 2 * BLOCK);
	assert_int_equal(now.free_blocks, 3);
	AUDIT();
}

/* By the slots' states, page by page. */
static struct fh_zone_stats count_slots(uint64_t first, uint64_t span)
{
	struct fh_zone_stats found = {.first = first};
	uint64_t run = 0;
	uint64_t in_block = 0;

	for (uint64_t i = first; i < first + span; i++) {
		bool free = !fh_range_not_in_region(i, 1) &&
			    state_of(i) == FH_STATE_FREE;

		if (i % BLOCK == 0)
			in_block = 0;
		run = free ? run + 1 : 0;
		in_block += free;
		found.free += free;
		found.free_blocks += in_block == BLOCK;
		if (run > found.longest_run)
			found.longest_run = run;
	}
	return found;
}

static void assert_zones_agree_with_slots(void)
{
	struct fh_zone_stats zone;

	fh_alloc_drain();
	for (size_t i = 0; fh_alloc_zone(i, &zone); i++) {
		struct fh_zone_stats found = count_slots(zone.first, zone.span);

		assert_int_equal(zone.free, found.free);
		assert_int_equal(zone.free_blocks, found.free_blocks);
		assert_int_equal(zone.longest_run, found.longest_run);
	}
}

#define SEGMENTS 300

static void zone_figures_agree_with_the_slots(void **state)
{
	static struct fh_segment held[SEGMENTS];
	struct random random = {.state = 41};
	struct fh_alloc_options options = any;

	(void)state;
	for (unsigned round = 0; round < 6; round++) {
		for (size_t i = 0; i < SEGMENTS; i++) {
			if (fh_segment_count(held[i]) != 0) {
				if (random_below(&random, 2) == 0)
					fh_segment_put(&held[i]);
				continue;
			}
			options.align = UINT64_C(1)
					<< random_below(&random, 11);
			OK(fh_segment_alloc(1 + random_below(&random, 900),
					    &options, &fh_untyped_type, NULL,
					    &held[i]));
		}
		assert_zones_agree_with_slots();
	}
	for (size_t i = 0; i < SEGMENTS; i++)
		fh_segment_put(&held[i]);
	assert_zones_agree_with_slots();
	AUDIT();
}

static void pages_at_hand_are_in_no_zone(void **state)
{
	struct fh_alloc_stats all;
	struct fh_frame f;

	(void)state;
	OK(fh_frame_alloc(&any, &fh_untyped_type, NULL, &f));
	fh_frame_put(&f);
	fh_alloc_stats(&all);
	assert_true(sum_of_node(3).free + sum_of_node(5).free < all.free);
	fh_alloc_drain();
	assert_int_equal(sum_of_node(3).free + sum_of_node(5).free, all.free);
}

static void plugged_memory_shows_in_its_zone(void **state)
{
	uint64_t bytes = sizeof(struct fh_slot) +
			 (FH_CHECKED ? sizeof(struct fh_ledger_page) : 0);
	uint64_t metadata = SECTION * bytes / FH_PAGE_SIZE;

	(void)state;
	assert_int_equal(sum_of_node(9).span, SECTION);
	assert_int_equal(sum_of_node(9).pages, 0);
	assert_int_equal(sum_of_node(9).free, 0);
	assert_int_equal(sum_of_node(9).free_blocks, 0);
	assert_int_equal(zone_of(PLUG_FIRST).longest_run, 0);
	OK(fh_memory_plug(PLUG_FIRST, SECTION));
	assert_int_equal(sum_of_node(9).pages, SECTION);
	assert_int_equal(sum_of_node(9).free, SECTION - metadata);
	assert_int_equal(zone_of(PLUG_FIRST).longest_run, SECTION - metadata);
	assert_int_equal(sum_of_node(9).free_blocks,
			 (SECTION - metadata) / BLOCK);
	AUDIT();
}

static void there_is_no_zone_without_memory(void **state)
{
	struct fh_zone_stats zone;

	hosted_stop();
	assert_false(fh_alloc_zone(0, &zone));
	assert_int_equal(start(state), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			zones_tell_pages_nodes_and_free_blocks, start,
			stop_machine),
		cmocka_unit_test_setup_teardown(free_runs_end_at_pages_in_use,
						start, stop_machine),
		cmocka_unit_test_setup_teardown(
			zone_figures_agree_with_the_slots, start, stop_machine),
		cmocka_unit_test_setup_teardown(pages_at_hand_are_in_no_zone,
						start, stop_machine),
		cmocka_unit_test_setup_teardown(
			plugged_memory_shows_in_its_zone, start, stop_machine),
		cmocka_unit_test_setup_teardown(there_is_no_zone_without_memory,
						start, stop_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
