/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Memory plugged in while the machine runs, and memory of several nodes:
 * fh_memory_plug() and the topology given to fh_init().
 */
#include "harness.h"

#define SECTION FH_SECTION_FRAMES

/* One section of RAM, a hole, and room for two sections to come. */
static const struct fh_region regions[] = {
	{0, SECTION *FH_PAGE_SIZE, FH_REGION_USABLE},
};

#define PLUG_FIRST (4 * SECTION)
#define PLUG_END   (6 * SECTION)

static const struct fh_node_range ranges[] = {
	{.first = 0, .count = SECTION, .node = 0},
	{.first = PLUG_FIRST,
	 .count = 2 * SECTION,
	 .node = 1,
	 .hot_plug = true},
};

static const struct fh_topology topology = {
	.ranges = ranges,
	.range_count = 2,
};

static int start(bool dirty)
{
	struct hosted_options options = {.dirty = dirty, .topology = &topology};

	return hosted_start(regions, 1, &options) == FH_OK ? 0 : -1;
}

static int start_clean(void **state)
{
	(void)state;
	return start(false);
}

static int start_dirty(void **state)
{
	(void)state;
	return start(true);
}

static uint64_t free_now(void)
{
	fh_alloc_drain();
	return count_free();
}

/* Pages of its own that a plugged section's metadata takes. */
static uint64_t metadata_pages(uint64_t sections)
{
	uint64_t bytes = sizeof(struct fh_slot);

	if (FH_CHECKED)
		bytes += sizeof(struct fh_ledger_page);
	return sections * SECTION * bytes / FH_PAGE_SIZE;
}

static void announced_memory_is_not_there_yet(void **state)
{
	struct fh_frame f;

	(void)state;
	assert_int_equal(fh_frame_from_unused(address_of(PLUG_FIRST),
					      &other_type, NULL, &f),
			 FH_E_OUT_OF_BOUND);
	assert_true(fh_range_not_in_region(PLUG_FIRST, 2 * SECTION));
	AUDIT();
}

static void plugged_memory_is_free_but_its_metadata(void **state)
{
	uint64_t before = free_now();

	(void)state;
	OK(fh_memory_plug(PLUG_FIRST, SECTION));
	AUDIT();
	assert_int_equal(free_now(), before + SECTION - metadata_pages(1));
	assert_true(fh_range_in_region(PLUG_FIRST, SECTION));
	assert_true(fh_range_not_in_region(PLUG_FIRST + SECTION, SECTION));
	assert_int_equal(state_of(PLUG_FIRST), FH_STATE_ONE);
	assert_ptr_equal(fh_frame_to_meta(PLUG_FIRST)->type,
			 &fh_meta_page_type);
	assert_int_equal(state_of(PLUG_FIRST + metadata_pages(1)),
			 FH_STATE_FREE);
	OK(fh_memory_plug(PLUG_FIRST + SECTION, SECTION));
	AUDIT();
	assert_int_equal(free_now(), before + 2 * SECTION - metadata_pages(2));
}

static void plugged_pages_serve_every_owner(void **state)
{
	struct fh_segment s;
	struct fh_frame f;
	uint64_t page = PLUG_END - 1;

	(void)state;
	OK(fh_memory_plug(PLUG_FIRST, 2 * SECTION));
	uint64_t before = free_now();
	OK(fh_frame_from_unused(address_of(page), &counting_type, NULL, &f));
	fh_frame_put(&f);
	/* More than the first section has: it must lie in the new memory. */
	OK(fh_segment_alloc(SECTION, NULL, &fh_untyped_type, NULL, &s));
	assert_true(fh_segment_first(s) >= PLUG_FIRST);
	fh_segment_put(&s);
	AUDIT();
	assert_int_equal(free_now(), before);
}

static void plug_refuses_what_does_not_fit(void **state)
{
	(void)state;
	REFUSES(FH_E_EMPTY, fh_memory_plug(PLUG_FIRST, 0));
	REFUSES(FH_E_NOT_ALIGNED, fh_memory_plug(PLUG_FIRST + 1, SECTION));
	REFUSES(FH_E_NOT_ALIGNED, fh_memory_plug(PLUG_FIRST, SECTION - 1));
	REFUSES(FH_E_OUT_OF_BOUND, fh_memory_plug(PLUG_END, SECTION));
	REFUSES(FH_E_OUT_OF_BOUND, fh_memory_plug(PLUG_FIRST, 3 * SECTION));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_memory_plug(PLUG_FIRST, UINT64_MAX / SECTION * SECTION));
	REFUSES(FH_E_OUT_OF_BOUND, fh_memory_plug(2 * SECTION, SECTION));
	REFUSES(FH_E_TWICE, fh_memory_plug(0, SECTION));
	OK(fh_memory_plug(PLUG_FIRST, SECTION));
	REFUSES(FH_E_TWICE, fh_memory_plug(PLUG_FIRST, 2 * SECTION));
}

static void failing_window_leaves_plugged_memory_out(void **state)
{
	uint64_t before = free_now();

	(void)state;
	for (unsigned nth = 1; nth <= (FH_CHECKED ? 2 : 1); nth++) {
		hosted_fail_map_window(nth);
		REFUSES(FH_E_NO_MEMORY, fh_memory_plug(PLUG_FIRST, SECTION));
		assert_true(fh_range_not_in_region(PLUG_FIRST, SECTION));
		assert_int_equal(free_now(), before);
	}
	hosted_fail_map_window(0);
	OK(fh_memory_plug(PLUG_FIRST, SECTION));
	AUDIT();
}

#define CLEAN(test)                                                            \
	cmocka_unit_test_setup_teardown(test, start_clean, stop_machine)
#define DIRTY(test)                                                            \
	{                                                                      \
#test " in junk", test, start_dirty, stop_machine, NULL        \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN(announced_memory_is_not_there_yet),
		CLEAN(plugged_memory_is_free_but_its_metadata),
		DIRTY(plugged_memory_is_free_but_its_metadata),
		CLEAN(plugged_pages_serve_every_owner),
		DIRTY(plugged_pages_serve_every_owner),
		CLEAN(plug_refuses_what_does_not_fit),
		CLEAN(failing_window_leaves_plugged_memory_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
