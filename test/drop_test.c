/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The last put: its on_drop, what others see of the page meanwhile, and where
 * the page is afterwards.
 */
#include <string.h>

#include "harness.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const struct fh_meta_type mmio_type = {
	.name = "device",
	.usage = FH_USAGE_MMIO,
};

static struct fh_frame claim(uint64_t page, const struct fh_meta_type *type)
{
	struct fh_frame f;

	OK(fh_frame_from_unused(address_of(page), type, NULL, &f));
	return f;
}

static void last_put_runs_on_drop_once(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_frame first = claim(page, &counting_type);
	struct fh_frame second = fh_frame_get(first);
	struct fh_frame third = fh_frame_get(second);

	(void)state;
	fh_frame_put(&second);
	fh_frame_put(&first);
	assert_int_equal(drops, 0);
	fh_frame_put(&third);
	assert_int_equal(drops, 1);
	assert_int_equal(last_drop.frame, page);
	/* A handle that was put is no frame, and puts nothing. */
	fh_frame_put(&first);
	fh_frame_put(&third);
	assert_int_equal(drops, 1);
	NOTHING_HELD(free_before);
}

/* What the world answers while a page is being dropped. */
static struct {
	unsigned runs;
	uint64_t state;
	const struct fh_meta_type *type;
	enum fh_status frame_claim;
	enum fh_status unique_claim;
	enum fh_status segment_claim;
	enum fh_status take;
	enum fh_status add;
	enum fh_status share;
	enum fh_status frame_restore;
	enum fh_status unique_restore;
} seen;

static void look_around(struct fh_dropping page)
{
	struct fh_paddr pa = fh_dropping_paddr(page);
	struct fh_paddr end = fh_paddr(pa.bytes + FH_PAGE_SIZE);
	struct fh_frame f;
	struct fh_unique u;
	struct fh_segment s;

	seen.runs++;
	seen.state = state_of(page.frame);
	seen.type = fh_frame_to_meta(page.frame)->type;
	seen.frame_claim = fh_frame_from_unused(pa, &other_type, NULL, &f);
	seen.unique_claim = fh_unique_from_unused(pa, &other_type, NULL, &u);
	seen.segment_claim =
		fh_segment_from_unused(pa, end, &other_type, NULL, &s);
	seen.take = fh_alloc_take(page.frame, 1);
	seen.add = fh_alloc_add(page.frame, 1);
	seen.share = fh_frame_from_in_use(pa, &f);
	seen.frame_restore = fh_frame_from_raw(pa, &f);
	seen.unique_restore = fh_unique_from_raw(pa, &u);
}

static const struct fh_meta_type looking_type = {
	.name = "looking",
	.usage = FH_USAGE_FRAME,
	.on_drop = look_around,
};
static const struct fh_meta_type looking_device_type = {
	.name = "looking device",
	.usage = FH_USAGE_MMIO,
	.on_drop = look_around,
};

static void assert_seen_busy_once(const struct fh_meta_type *type)
{
	assert_int_equal(seen.runs, 1);
	assert_int_equal(fh_ref_count(seen.state), 0);
	assert_ptr_equal(seen.type, type);
	assert_int_equal(seen.frame_claim, FH_E_BUSY);
	assert_int_equal(seen.unique_claim, FH_E_BUSY);
	assert_int_equal(seen.segment_claim, FH_E_BUSY);
	assert_int_equal(seen.take, FH_E_BUSY);
	assert_int_equal(seen.add, FH_E_BUSY);
	assert_int_equal(seen.share, FH_E_BUSY);
	assert_int_equal(seen.frame_restore, FH_E_BUSY);
	assert_int_equal(seen.unique_restore, FH_E_BUSY);
	seen.runs = 0;
}

static void busy_seen_during_on_drop(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(5);
	struct fh_frame f = claim(page, &looking_type);
	struct fh_segment s;
	struct fh_unique u;

	(void)state;
	seen.runs = 0;
	CHANGES(page, 1, fh_frame_put(&f));
	assert_seen_busy_once(&looking_type);
	page++;
	OK(fh_segment_from_unused(address_of(page), address_of(page + 1),
				  &looking_type, NULL, &s));
	CHANGES(page, 1, fh_segment_put(&s));
	assert_seen_busy_once(&looking_type);
	page++;
	OK(fh_unique_from_unused(address_of(page), &looking_type, NULL, &u));
	CHANGES(page, 1, fh_unique_put(&u));
	assert_seen_busy_once(&looking_type);
	page++;
	OK(fh_unique_from_unused(address_of(page), &looking_type, NULL, &u));
	CHANGES(page, 1, fh_unique_reset_as_unused(&u));
	assert_seen_busy_once(&looking_type);
	OK(fh_alloc_add(page, 1));
	page++;
	f = claim(page, &looking_device_type);
	CHANGES(page, 1, fh_frame_put(&f));
	assert_seen_busy_once(&looking_device_type);
	OK(fh_alloc_add(page, 1));
	NOTHING_HELD(free_before);
}

/* The words name the next page of a chain, forgotten, or 0. */
static unsigned chain_drops;

static void drop_rest_of_chain(struct fh_dropping page)
{
	const unsigned char *bytes = fh_dropping_bytes(page);
	uint64_t next = fh_dropping_meta(page)->w[0];
	struct fh_frame f;

	assert_int_equal(fh_dropping_paddr(page).bytes, page.frame * 4096);
	for (unsigned i = 0; i < FH_PAGE_SIZE; i++)
		assert_int_equal(bytes[i], (unsigned char)(i + page.frame));
	chain_drops++;
	if (next == 0)
		return;
	OK(fh_frame_from_raw(address_of(next), &f));
	fh_frame_put(&f);
}

static const struct fh_meta_type chain_type = {
	.name = "chain",
	.size = 8,
	.usage = FH_USAGE_FRAME,
	.on_drop = drop_rest_of_chain,
};

static void on_drop_reads_its_page(void **state)
{
	uint64_t free_before = count_free();
	uint64_t first = fresh_pages(3);
	struct fh_frame f;

	(void)state;
	for (uint64_t page = first; page < first + 3; page++) {
		struct fh_meta next = {{page < first + 2 ? page + 1 : 0}};
		unsigned char *bytes = fh_host_linear(address_of(page));

		OK(fh_frame_from_unused(address_of(page), &chain_type, &next,
					&f));
		for (unsigned i = 0; i < FH_PAGE_SIZE; i++)
			bytes[i] = (unsigned char)(i + page);
		assert_int_equal(fh_frame_into_raw(&f).bytes, page * 4096);
	}
	chain_drops = 0;
	OK(fh_frame_from_raw(address_of(first), &f));
	CHANGES(first, 3, fh_frame_put(&f));
	assert_int_equal(chain_drops, 3);
	NOTHING_HELD(free_before);
}

/* Whether all bytes of a page are of that value. */
static bool is_filled(uint64_t page, unsigned char value)
{
	const unsigned char *bytes = fh_host_linear(address_of(page));

	for (unsigned i = 0; i < FH_PAGE_SIZE; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

static void fill(uint64_t page, unsigned char value)
{
	memset(fh_host_linear(address_of(page)), value, FH_PAGE_SIZE);
}

static void last_put_frees_page_of_a_zone(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_frame f = claim(page, &counting_type);

	(void)state;
	fill(page - 1, 0x11);
	fill(page, 0x22);
	fill(page + 1, 0x33);
	CHANGES(page, 1, fh_frame_put(&f));
	assert_int_equal(state_of(page), FH_STATE_FREE);
	assert_int_equal(fh_ref_count(state_of(page)), FH_REF_COUNT_UNUSED);
	/* Poisoned where that was asked for, that page and no other. */
	assert_true(is_filled(page - 1, 0x11));
	assert_true(is_filled(page, FH_POISON ? FH_POISON_BYTE : 0x22));
	assert_true(is_filled(page + 1, 0x33));
	assert_int_equal(count_free(), free_before);
	assert_true(is_allocatable(page));
	NOTHING_HELD(free_before);
}

/*
 * A page that is the firmware's, or no memory at all: it may be a device, so
 * that nobody writes to it, and whatever it was last, it belongs to no zone.
 */
static void check_page_of_no_zone(uint64_t page)
{
	static const struct fh_meta_type *const types[] = {
		&mmio_type,
		&fh_untyped_type,
		&counting_type,
	};
	struct fh_frame f;

	fill(page, 0x44);
	OK(fh_frame_from_raw(address_of(page), &f));
	CHANGES(page, 1, fh_frame_put(&f));
	assert_int_equal(state_of(page), FH_STATE_UNUSED);
	for (size_t i = 0; i < LENGTH(types); i++) {
		f = claim(page, types[i]);
		CHANGES(page, 1, fh_frame_put(&f));
		assert_int_equal(state_of(page), FH_STATE_UNUSED);
	}
	assert_true(is_filled(page, 0x44));
	assert_false(is_allocatable(page));
}

static void last_put_leaves_other_page_unused(void **state)
{
	static const struct fh_meta_type *const types[] = {
		&fh_reserved_type,
		&fh_unusable_type,
		&mmio_type,
	};
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_frame f;

	(void)state;
	check_page_of_no_zone(RESERVED_PAGE);
	check_page_of_no_zone(GAP_PAGE);
	assert_int_equal(count_free(), free_before);

	/* Memory that carries the type of what is none is treated alike. */
	for (size_t i = 0; i < LENGTH(types); i++) {
		f = claim(page, types[i]);
		CHANGES(page, 1, fh_frame_put(&f));
		assert_int_equal(state_of(page), FH_STATE_UNUSED);
		assert_int_equal(count_free(), free_before - 1);
		assert_false(is_allocatable(page));
	}
	OK(fh_alloc_add(page, 1));
	NOTHING_HELD(free_before);
}

static void put_frame(void *f)
{
	fh_frame_put(f);
}

static void put_unique(void *u)
{
	fh_unique_put(u);
}

static void reset_unique(void *u)
{
	fh_unique_reset_as_unused(u);
}

/*
 * Counts that were corrupted downward, so that a page is dropped under a
 * holder: the ledger of checked builds notices before on_drop runs. The count
 * is all that other builds have, and it decides.
 */
static void drop_under_a_holder_stops_checked_builds(void **state)
{
	uint64_t page = fresh_pages(3);
	struct fh_frame shared[3];
	struct fh_unique owned[2];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		shared[i] = claim(page + i, &counting_type);
		(void)!fh_frame_get(shared[i]).handle;
		force_state(page + i, FH_STATE_ONE);
	}
	OK(fh_unique_from_frame(&shared[1], &owned[0]));
	OK(fh_unique_from_frame(&shared[2], &owned[1]));
	if (FH_CHECKED) {
		STOPS("dropped", put_frame, &shared[0]);
		assert_int_equal(stop_finding.frame, page);
		STOPS("dropped", put_unique, &owned[0]);
		assert_int_equal(stop_finding.frame, page + 1);
		STOPS("dropped", reset_unique, &owned[1]);
		assert_int_equal(stop_finding.frame, page + 2);
		assert_int_equal(drops, 0);
	} else {
		fh_frame_put(&shared[0]);
		fh_unique_put(&owned[0]);
		fh_unique_reset_as_unused(&owned[1]);
		assert_int_equal(drops, 3);
	}
}

/* Two sections that are memory from end to end. */
static int start_whole_machine(void **state)
{
	static const struct fh_region regions[] = {
		{0, 2 * FH_SECTION_FRAMES * FH_PAGE_SIZE, FH_REGION_USABLE},
	};

	(void)state;
	drops = 0;
	return hosted_start(regions, 1, NULL) == FH_OK ? 0 : -1;
}

/* What a page of the second section is once its only frame was put. */
static uint64_t state_after_put(const struct fh_meta_type *type)
{
	uint64_t page = FH_SECTION_FRAMES + FH_SECTION_FRAMES / 2 + 7;
	struct fh_frame f = claim(page, type);

	fh_frame_put(&f);
	assert_int_equal(fh_allocator_is_free(page),
			 state_of(page) == FH_STATE_FREE);
	assert_null(fh_slots[page].type);
	AUDIT();
	uint64_t left = state_of(page);
	if (left == FH_STATE_UNUSED)
		OK(fh_alloc_add(page, 1));
	fh_alloc_drain();
	return left;
}

static void last_put_in_a_section_that_is_all_memory(void **state)
{
	uint64_t free_before = count_free();

	(void)state;
	assert_int_equal(state_after_put(&fh_untyped_type), FH_STATE_FREE);
	assert_int_equal(state_after_put(&fh_kernel_type), FH_STATE_FREE);
	assert_int_equal(drops, 0);
	assert_int_equal(state_after_put(&counting_type), FH_STATE_FREE);
	assert_int_equal(drops, 1);
	assert_int_equal(state_after_put(&mmio_type), FH_STATE_UNUSED);
	assert_int_equal(state_after_put(&fh_reserved_type), FH_STATE_UNUSED);
	assert_int_equal(state_after_put(&fh_unusable_type), FH_STATE_UNUSED);
	NOTHING_HELD(free_before);
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(last_put_runs_on_drop_once),
		cmocka_unit_test(busy_seen_during_on_drop),
		cmocka_unit_test(on_drop_reads_its_page),
		cmocka_unit_test(last_put_frees_page_of_a_zone),
		cmocka_unit_test(last_put_leaves_other_page_unused),
		cmocka_unit_test(drop_under_a_holder_stops_checked_builds),
		cmocka_unit_test(last_put_in_a_section_that_is_all_memory),
	};

	for (size_t i = 0; i < LENGTH(tests); i++) {
		tests[i].setup_func = start_machine;
		tests[i].teardown_func = stop_machine;
	}
	tests[LENGTH(tests) - 1].setup_func = start_whole_machine;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
