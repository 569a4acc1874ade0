/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How memory becomes zones: for maps with holes, islands and nodes, small and
 * large. Every covered page lies in one zone, zones do not overlap, and tables
 * stay within their budget.
 */
#include "harness.h"

#include "layout.h"

#define GIB       (UINT64_C(1) << 30)
#define MIB       (UINT64_C(1) << 20)
#define GIB_PAGES (GIB / FH_PAGE_SIZE)

static uint64_t table_pages;

static uint64_t early_pages(void)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < hosted_map()->count; i++)
		pages += hosted_map()->spans[i].taken;
	return pages;
}

static void open_layout(const struct fh_region *regions, size_t n,
			const struct fh_topology *topology)
{
	struct fh_init_options init;

	OK(hosted_power_on(regions, n, NULL, &init));
	OK(fh_early_begin(init.map));
	fh_memory.frame_end = fh_map_frame_end(init.map);
	OK(fh_layout_open(init.map, topology, true));
	/* Page 0 was left out. */
	table_pages = early_pages() - 1;
}

static int close_layout(void **state)
{
	(void)state;
	fh_layout_close();
	hosted_stop();
	return 0;
}

static uint64_t zone_end(uint64_t i)
{
	return (fh_zones[i].first + fh_zones[i].count) * FH_BLOCK_PAGES;
}

/* What holds for every layout. */
static void check_layout(void)
{
	uint64_t pages = 0;
	uint64_t covered = 0;

	assert_true(fh_layout.zone_count > 0);
	for (uint64_t i = 0; i < fh_layout.zone_count; i++) {
		pages += fh_zones[i].pages;
		assert_true(fh_zones[i].count > 0);
		assert_int_equal(fh_zone_free(&fh_zones[i]), 0);
		assert_true(i == 0 ||
			    zone_end(i - 1) <= fh_zone_page(&fh_zones[i], 0));
		assert_true(fh_zones[i].reserve < fh_zones[i].pages ||
			    fh_zones[i].reserve == 0);
	}
	for (size_t i = 0; i < hosted_map()->count; i++) {
		const struct fh_span *span = &hosted_map()->spans[i];
		uint64_t last = span->first + span->count - 1;
		bool is_ours = span->kind == FH_REGION_USABLE ||
			       span->kind == FH_REGION_RECLAIMABLE ||
			       span->kind == FH_REGION_MODULE ||
			       span->kind == FH_REGION_KERNEL;

		assert_int_equal(fh_layout_covers(span->first), is_ours);
		assert_int_equal(fh_layout_covers(last), is_ours);
		if (!is_ours)
			continue;
		covered += span->count;
		assert_non_null(fh_layout_zone(span->first));
		assert_non_null(fh_layout_zone(last));
	}
	assert_int_equal(pages, covered);
	/* A quarter of a byte a page, and the rest of a page for each table. */
	assert_true((table_pages - fh_layout.zone_count - 1) * FH_PAGE_SIZE <=
		    pages / 4);
	for (unsigned cpu = 0; cpu < 64; cpu++)
		assert_true(fh_layout_home(cpu) < fh_layout.zone_count);
}

static void small_memory_is_one_zone(void **state)
{
	const struct fh_region regions[] = {
		{0, 16 * MIB, FH_REGION_USABLE},
	};

	(void)state;
	open_layout(regions, 1, NULL);
	check_layout();
	assert_int_equal(fh_layout.zone_count, 1);
	assert_int_equal(table_pages, 2);
	assert_int_equal(fh_zones[0].count, 8);
}

static void one_gib_is_two_zones_of_equal_size(void **state)
{
	const struct fh_region regions[] = {
		{0, 640 << 10, FH_REGION_USABLE},
		{MIB, GIB - MIB, FH_REGION_USABLE},
	};

	(void)state;
	open_layout(regions, 2, NULL);
	check_layout();
	assert_int_equal(fh_layout.zone_count, 2);
	assert_int_equal(fh_zones[0].count, fh_zones[1].count);
	assert_int_not_equal(fh_layout_home(0), fh_layout_home(1));
}

static void zones_begin_at_multiples_of_1_gib(void **state)
{
	const struct fh_region regions[] = {
		{0, 3 * GIB, FH_REGION_USABLE},
		{4 * GIB, 61 * GIB, FH_REGION_USABLE},
	};

	(void)state;
	open_layout(regions, 2, NULL);
	check_layout();
	for (uint64_t i = 0; i < fh_layout.zone_count; i++)
		assert_int_equal(fh_zone_page(&fh_zones[i], 0) % GIB_PAGES, 0);
	/* The hole is in no zone, and low memory is one of its own. */
	assert_null(fh_layout_zone(3 * GIB_PAGES));
	assert_null(fh_layout_zone(4 * GIB_PAGES - 1));
	assert_int_equal(zone_end(0), 3 * GIB_PAGES);
	assert_true(fh_zones[0].reserve > fh_zones[1].reserve);
}

static void known_cpus_get_a_zone_each(void **state)
{
	const struct fh_region regions[] = {
		{0, 64 * GIB, FH_REGION_USABLE},
	};
	const struct fh_topology topology = {.cpu_count = 2};

	(void)state;
	open_layout(regions, 1, &topology);
	check_layout();
	assert_int_equal(fh_layout.zone_count, 2);
	assert_int_equal(fh_zones[0].count, fh_zones[1].count);
	assert_int_equal(fh_layout_home(0), 1);
	assert_int_equal(fh_layout_home(1), 0);
	assert_int_equal(fh_layout_home(2), 1);
}

static void homes_are_spread_over_the_zones(void **state)
{
	const struct fh_region regions[] = {
		{0, 64 * GIB, FH_REGION_USABLE},
	};
	bool used[FH_MAX_ZONES] = {false};

	(void)state;
	open_layout(regions, 1, NULL);
	check_layout();
	assert_int_equal(fh_layout.zone_count, 8);
	assert_int_equal(fh_layout_home(0), 7);
	assert_int_equal(fh_layout_home(1), 3);
	for (unsigned cpu = 0; cpu < 8; cpu++) {
		assert_false(used[fh_layout_home(cpu)]);
		used[fh_layout_home(cpu)] = true;
	}
}

static void more_islands_than_zones_share_the_last_one(void **state)
{
	struct fh_region regions[100];

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		regions[i] = (struct fh_region){2 * i * GIB, 512 * MIB,
						FH_REGION_USABLE};
	open_layout(regions, 100, NULL);
	assert_int_equal(fh_layout.zone_count, FH_MAX_ZONES);
	for (uint64_t i = 0; i < 100; i++) {
		const struct fh_zone *zone = fh_layout_zone(2 * i * GIB_PAGES);

		assert_ptr_equal(
			zone,
			&fh_zones[i < FH_MAX_ZONES ? i : FH_MAX_ZONES - 1]);
	}
	assert_false(fh_layout_covers(GIB_PAGES));
	assert_false(fh_layout_covers(2 * 99 * GIB_PAGES - 1));
}

static void nodes_have_zones_and_cpus_of_their_own(void **state)
{
	const struct fh_region regions[] = {
		{0, 16 * GIB, FH_REGION_USABLE},
	};
	const struct fh_node_range ranges[] = {
		{0, 6 * GIB_PAGES, 4, false},
		{6 * GIB_PAGES, 10 * GIB_PAGES, 9, false},
	};
	const uint32_t cpu_nodes[] = {9, 4, 9, 4};
	const struct fh_topology topology = {ranges, 2, cpu_nodes, 4};

	(void)state;
	open_layout(regions, 1, &topology);
	check_layout();
	for (uint64_t i = 0; i < fh_layout.zone_count; i++)
		assert_int_equal(fh_zones[i].node,
				 zone_end(i) <= 6 * GIB_PAGES ? 4 : 9);
	for (unsigned cpu = 0; cpu < 4; cpu++)
		assert_int_equal(fh_zones[fh_layout_home(cpu)].node,
				 cpu_nodes[cpu]);
	assert_int_not_equal(fh_layout_home(0), fh_layout_home(2));
	/* A CPU of a node without memory has a home all the same. */
	assert_true(fh_layout_home(5) < fh_layout.zone_count);
}

static void announced_memory_is_covered_when_it_comes(void **state)
{
	const struct fh_region regions[] = {
		{0, 4 * GIB, FH_REGION_USABLE},
		{7 * GIB, GIB, FH_REGION_USABLE},
	};
	const struct fh_node_range ranges[] = {
		{5 * GIB_PAGES, GIB_PAGES, 0, true},
	};
	const struct fh_topology topology = {ranges, 1, NULL, 0};
	uint64_t page = 5 * GIB_PAGES;

	(void)state;
	open_layout(regions, 2, &topology);
	check_layout();
	assert_non_null(fh_layout_zone(page));
	assert_null(fh_layout_zone(page - 1));
	assert_false(fh_layout_covers(page));
	assert_int_equal(fh_layout_cover(page, 0), FH_E_EMPTY);
	assert_int_equal(fh_layout_cover(page, 1), FH_E_NOT_ALIGNED);
	assert_int_equal(fh_layout_cover(page + 1, FH_SECTION_FRAMES),
			 FH_E_NOT_ALIGNED);
	assert_int_equal(fh_layout_cover(page + GIB_PAGES - FH_SECTION_FRAMES,
					 2 * FH_SECTION_FRAMES),
			 FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_layout_cover(0, FH_SECTION_FRAMES), FH_E_TWICE);
	assert_false(fh_layout_covers(page));

	uint64_t before = fh_layout_zone(page)->pages;
	OK(fh_layout_cover(page, 2 * FH_SECTION_FRAMES));
	assert_true(fh_layout_covers(page));
	assert_true(fh_layout_covers(page + 2 * FH_SECTION_FRAMES - 1));
	assert_false(fh_layout_covers(page + 2 * FH_SECTION_FRAMES));
	assert_int_equal(fh_layout_zone(page)->pages,
			 before + 2 * FH_SECTION_FRAMES);
	assert_int_equal(fh_layout_cover(page, FH_SECTION_FRAMES), FH_E_TWICE);
}

/* Such a range does not count for where frame numbers end. */
static void announced_memory_beyond_all_frames_makes_no_zone(void **state)
{
	const struct fh_region regions[] = {
		{0, 64 * MIB, FH_REGION_USABLE},
		{GIB, 4 * MIB, FH_REGION_NON_VOLATILE_SLEEP},
	};
	const struct fh_node_range ranges[] = {
		{(GIB + 8 * MIB) / FH_PAGE_SIZE, FH_MAX_FRAMES, 0, true},
	};
	const struct fh_topology topology = {ranges, 1, NULL, 0};

	(void)state;
	open_layout(regions, 2, &topology);
	check_layout();
	assert_int_equal(fh_layout.zone_count, 1);
}

static void kinds_of_one_section_are_told_apart(void **state)
{
	const struct fh_region regions[] = {
		{0, 9 * FH_PAGE_SIZE, FH_REGION_USABLE},
		{9 * FH_PAGE_SIZE, FH_PAGE_SIZE, FH_REGION_BAD},
		{10 * FH_PAGE_SIZE, FH_PAGE_SIZE, FH_REGION_RECLAIMABLE},
		{11 * FH_PAGE_SIZE, FH_PAGE_SIZE, FH_REGION_NON_VOLATILE_SLEEP},
		{12 * FH_PAGE_SIZE, FH_PAGE_SIZE, FH_REGION_MODULE},
		{13 * FH_PAGE_SIZE, FH_PAGE_SIZE, FH_REGION_FRAMEBUFFER},
		{14 * FH_PAGE_SIZE, FH_PAGE_SIZE, FH_REGION_KERNEL},
		{15 * FH_PAGE_SIZE, MIB, FH_REGION_USABLE},
	};
	const bool covered[] = {true, false, true, false, true, false, true};

	(void)state;
	open_layout(regions, 8, NULL);
	check_layout();
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(fh_layout_covers(8 + i), covered[i]);
}

static void tables_that_do_not_fit_are_an_error(void **state)
{
	const struct fh_region regions[] = {
		{0, 2 * FH_PAGE_SIZE, FH_REGION_USABLE},
	};
	struct fh_init_options init;

	(void)state;
	OK(hosted_power_on(regions, 1, NULL, &init));
	OK(fh_early_begin(init.map));
	fh_memory.frame_end = 2;
	assert_int_equal(fh_layout_open(init.map, NULL, true), FH_E_NO_MEMORY);
	assert_int_equal(fh_layout.zone_count, 0);
	assert_false(fh_layout_covers(1));
	assert_null(fh_layout_zone(1));
}

#define LAYOUT(name) cmocka_unit_test_teardown(name, close_layout)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAYOUT(small_memory_is_one_zone),
		LAYOUT(one_gib_is_two_zones_of_equal_size),
		LAYOUT(zones_begin_at_multiples_of_1_gib),
		LAYOUT(known_cpus_get_a_zone_each),
		LAYOUT(homes_are_spread_over_the_zones),
		LAYOUT(more_islands_than_zones_share_the_last_one),
		LAYOUT(nodes_have_zones_and_cpus_of_their_own),
		LAYOUT(announced_memory_is_covered_when_it_comes),
		LAYOUT(announced_memory_beyond_all_frames_makes_no_zone),
		LAYOUT(kinds_of_one_section_are_told_apart),
		LAYOUT(tables_that_do_not_fit_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
