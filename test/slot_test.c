/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Slots: layout and arithmetic, addresses that have none, what a claim writes
 * and a drop clears, pages on their way, and sections that nobody has been to.
 * What calls do to a page's state is in state_test.c.
 */
#include <string.h>

#include "harness.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* What no call writes. */
#define UNTOUCHED UINT64_C(0x123456789a)

static const struct fh_meta words = {{1, UINT64_MAX, 3, 4, 5}};

/* ---- Layout and arithmetic ---- */

static void slot_is_one_cache_line(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct fh_slot), 64);
	assert_int_equal(FH_SLOT_SIZE, 64);
	assert_int_equal(_Alignof(struct fh_slot), 8);
	assert_int_equal(offsetof(struct fh_slot, meta), 0);
	assert_int_equal(sizeof(struct fh_meta), 40);
	assert_int_equal(FH_META_WORDS * sizeof(uint64_t), FH_META_SIZE);
	assert_int_equal((uintptr_t)fh_frame_to_meta(0) % 64, 0);
}

static void ref_counts_are_the_seeds(void **state)
{
	static const struct fh_slot zeroed;

	(void)state;
	assert_int_equal(FH_REF_COUNT_UNUSED, UINT64_C(0xffffffffffffffff));
	assert_int_equal(FH_REF_COUNT_UNIQUE, UINT64_C(0xfffffffffffffffe));
	assert_int_equal(FH_REF_COUNT_MAX, UINT64_C(0x7fffffffffffffff));
	assert_int_equal(fh_ref_count(FH_STATE_FREE), FH_REF_COUNT_UNUSED);
	assert_int_equal(fh_ref_count(FH_STATE_UNUSED), FH_REF_COUNT_UNUSED);
	assert_int_equal(fh_ref_count(FH_STATE_UNIQUE), FH_REF_COUNT_UNIQUE);
	assert_int_equal(fh_ref_count(FH_STATE_BUSY), 0);
	assert_int_equal(fh_ref_count(FH_STATE_SHARED(1)), 1);
	assert_int_equal(fh_ref_count(FH_STATE_ONE), 1);
	assert_int_equal(fh_ref_count(FH_STATE_SHARED(2)), 2);
	assert_int_equal(fh_ref_count(FH_STATE_MAX), FH_REF_COUNT_MAX);
	assert_int_equal(zeroed.state, FH_STATE_FREE);
}

static void claim_status_of_every_state(void **state)
{
	(void)state;
	assert_int_equal(fh_claim_status(FH_STATE_FREE), FH_OK);
	assert_int_equal(fh_claim_status(FH_STATE_UNUSED), FH_OK);
	assert_int_equal(fh_claim_status(FH_STATE_BUSY), FH_E_BUSY);
	assert_int_equal(fh_claim_status(FH_STATE_UNIQUE), FH_E_UNIQUE);
	assert_int_equal(fh_claim_status(FH_STATE_SHARED(1)), FH_E_IN_USE);
	assert_int_equal(fh_claim_status(FH_STATE_SHARED(2)), FH_E_IN_USE);
	assert_int_equal(fh_claim_status(FH_STATE_MAX), FH_E_IN_USE);
	assert_int_equal(fh_claim_status(FH_STATE_MAX + 1), FH_E_IN_USE);
	assert_int_equal(fh_claim_status(UINT64_MAX), FH_E_IN_USE);
}

static void slot_arithmetic_round_trip(void **state)
{
	static const uint64_t pages[] = {
		0, 1, FH_SECTION_FRAMES - 1, HIGH_FIRST, FRAME_END - 1,
	};
	uintptr_t base = (uintptr_t)fh_slots;

	(void)state;
	for (size_t i = 0; i < LENGTH(pages); i++) {
		uint64_t page = pages[i];
		const struct fh_slot *slot = fh_frame_to_meta(page);
		struct fh_paddr pa = fh_paddr_of_frame(page);

		assert_int_equal((uintptr_t)slot - base, page * 64);
		assert_int_equal(fh_meta_to_frame(slot), page);
		assert_int_equal(pa.bytes, page * 4096);
		assert_int_equal(fh_frame_of_paddr(pa), page);
		assert_int_equal(fh_frame_of_paddr(fh_paddr(pa.bytes + 4095)),
				 page);
		assert_true(fh_paddr_is_aligned(pa));
		assert_false(fh_paddr_is_aligned(fh_paddr(pa.bytes + 1)));
		assert_false(fh_paddr_is_aligned(fh_paddr(pa.bytes + 2048)));
	}
	assert_int_equal(fh_frame_of_paddr(fh_paddr(UINT64_MAX)),
			 FH_PAGE_NUMBER_END - 1);
	assert_int_equal(fh_paddr_of_frame(FH_PAGE_NUMBER_END - 1).bytes,
			 UINT64_MAX - 4095);
}

static void get_slot_tests_alignment_first(void **state)
{
	static const struct {
		uint64_t bytes;
		enum fh_status status;
	} addresses_and_answers[] = {
		{0, FH_OK},
		{1, FH_E_NOT_ALIGNED},
		{FH_PAGE_SIZE, FH_OK},
		{FH_PAGE_SIZE - 1, FH_E_NOT_ALIGNED},
		{FH_PAGE_SIZE / 2, FH_E_NOT_ALIGNED},
		{(FH_SECTION_FRAMES - 1) * FH_PAGE_SIZE, FH_OK},
		{FH_SECTION_FRAMES * FH_PAGE_SIZE, FH_E_OUT_OF_BOUND},
		{FH_SECTION_FRAMES * FH_PAGE_SIZE + 8, FH_E_NOT_ALIGNED},
		{(HIGH_FIRST - 1) * FH_PAGE_SIZE, FH_E_OUT_OF_BOUND},
		{HIGH_FIRST * FH_PAGE_SIZE, FH_OK},
		{(FRAME_END - 1) * FH_PAGE_SIZE, FH_OK},
		{(FRAME_END - 1) * FH_PAGE_SIZE + 64, FH_E_NOT_ALIGNED},
		{FRAME_END * FH_PAGE_SIZE, FH_E_OUT_OF_BOUND},
		{FRAME_END * FH_PAGE_SIZE + 64, FH_E_NOT_ALIGNED},
		{UINT64_MAX - 4095, FH_E_OUT_OF_BOUND},
		{UINT64_MAX, FH_E_NOT_ALIGNED},
	};

	(void)state;
	assert_int_equal(fh_max_paddr().bytes, FRAME_END * FH_PAGE_SIZE);
	for (size_t i = 0; i < LENGTH(addresses_and_answers); i++) {
		uint64_t bytes = addresses_and_answers[i].bytes;
		enum fh_status status = addresses_and_answers[i].status;
		uint64_t frame = UNTOUCHED;

		assert_int_equal(fh_get_slot(fh_paddr(bytes), &frame), status);
		assert_int_equal(frame, status == FH_OK ? bytes / FH_PAGE_SIZE
							: UNTOUCHED);
	}
}

static struct fh_meta no_words(void *context, struct fh_paddr pa)
{
	(void)pa;
	*(bool *)context = true;
	return fh_meta_zero;
}

static void refuse_page_without_slot(uint64_t page)
{
	struct fh_paddr pa = address_of(page);
	struct fh_paddr end = address_of(page + 1);
	struct fh_range range = {page, 1};
	struct fh_list list = fh_list_none();
	struct fh_list_cursor cursor;
	struct fh_frame frame = {UNTOUCHED};
	struct fh_unique unique = {UNTOUCHED};
	struct fh_segment segment = {UNTOUCHED, UNTOUCHED};
	uint64_t number = UNTOUCHED;
	bool made = false;

	REFUSES(FH_E_OUT_OF_BOUND, fh_get_slot(pa, &number));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_frame_from_unused(pa, &other_type, NULL, &frame));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_unique_from_unused(pa, &other_type, NULL, &unique));
	REFUSES(FH_E_OUT_OF_BOUND, fh_frame_from_in_use(pa, &frame));
	REFUSES(FH_E_OUT_OF_BOUND, fh_frame_inc(pa));
	REFUSES(FH_E_OUT_OF_BOUND, fh_frame_from_raw(pa, &frame));
	REFUSES(FH_E_OUT_OF_BOUND, fh_unique_from_raw(pa, &unique));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_segment_from_unused(pa, end, &other_type, NULL, &segment));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_segment_from_unused_with(pa, end, &other_type, no_words,
					    &made, &segment));
	REFUSES(FH_E_OUT_OF_BOUND, fh_segment_from_raw(range, &segment));
	REFUSES(FH_E_OUT_OF_BOUND, fh_alloc_take(page, 1));
	REFUSES(FH_E_OUT_OF_BOUND, fh_alloc_add(page, 1));
	REFUSES(FH_E_OUT_OF_BOUND, fh_alloc_retire(page, 1));
	REFUSES(FH_E_OUT_OF_BOUND, fh_list_cursor_at(&list, pa, &cursor));
	REFUSES(false, fh_list_contains(&list, pa));
	REFUSES(false, fh_range_in_region(page, 1));
	REFUSES(true, fh_range_not_in_region(page, 1));
	assert_false(made);
	assert_int_equal(number, UNTOUCHED);
	assert_int_equal(frame.handle, UNTOUCHED);
	assert_int_equal(unique.handle, UNTOUCHED);
	assert_int_equal(segment.handle, UNTOUCHED);
	assert_int_equal(segment.count, UNTOUCHED);
}

static void hole_page_every_operation(void **state)
{
	uint64_t free_before = count_free();

	(void)state;
	refuse_page_without_slot(FH_SECTION_FRAMES);
	refuse_page_without_slot(HOLE_PAGE);
	refuse_page_without_slot(HIGH_FIRST - 1);
	NOTHING_HELD(free_before);
}

/* ---- What a claim writes and a drop clears ---- */

static void assert_slot(uint64_t frame, uint64_t state,
			const struct fh_meta_type *type,
			const struct fh_meta *meta)
{
	const struct fh_slot *slot = fh_frame_to_meta(frame);

	assert_int_equal(slot->state, state);
	assert_ptr_equal(slot->type, type);
	assert_int_equal(slot->list, 0);
	if (meta != NULL)
		assert_memory_equal(&slot->meta, meta, sizeof(*meta));
}

/* Ends in UNUSED, so that the page's words stay for the next claim to find. */
static void check_claims(uint64_t page, const struct fh_meta *meta)
{
	const struct fh_meta *due = meta != NULL ? meta : &fh_meta_zero;
	struct fh_paddr pa = address_of(page);
	struct fh_frame f;
	struct fh_unique u;

	CHANGES(page, 1,
		OK(fh_frame_from_unused(pa, &counting_type, meta, &f)));
	assert_slot(page, FH_STATE_ONE, &counting_type, due);
	OK(fh_unique_from_frame(&f, &u));
	fh_unique_reset_as_unused(&u);
	CHANGES(page, 1, OK(fh_unique_from_unused(pa, &other_type, meta, &u)));
	assert_slot(page, FH_STATE_UNIQUE, &other_type, due);
	fh_unique_reset_as_unused(&u);
}

static void claim_installs_words_and_type(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);

	(void)state;
	check_claims(page, &words);
	check_claims(page, NULL);
	check_claims(page, &words);
	OK(fh_alloc_add(page, 1));
	NOTHING_HELD(free_before);
}

static void teardown_clears_type(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(5);
	struct fh_list list = fh_list_none();
	struct fh_segment segment;
	struct fh_frame f;
	struct fh_unique u;

	(void)state;
	OK(fh_frame_from_unused(address_of(page), &counting_type, NULL, &f));
	fh_frame_put(&f);
	assert_slot(page, FH_STATE_FREE, NULL, NULL);
	page++;
	OK(fh_segment_from_unused(address_of(page), address_of(page + 1),
				  &counting_type, NULL, &segment));
	fh_segment_put(&segment);
	assert_slot(page, FH_STATE_FREE, NULL, NULL);
	page++;
	OK(fh_unique_from_unused(address_of(page), &counting_type, NULL, &u));
	fh_unique_put(&u);
	assert_slot(page, FH_STATE_FREE, NULL, NULL);
	page++;
	OK(fh_unique_from_unused(address_of(page), &linkable_type, NULL, &u));
	OK(fh_list_push_back(&list, &u));
	fh_list_drop(&list);
	assert_slot(page, FH_STATE_FREE, NULL, NULL);
	page++;
	OK(fh_unique_from_unused(address_of(page), &counting_type, NULL, &u));
	fh_unique_reset_as_unused(&u);
	assert_slot(page, FH_STATE_UNUSED, NULL, NULL);

	/* Whatever is left there: a list clears the id of what it gives up. */
	OK(fh_unique_from_unused(address_of(page), &counting_type, NULL, &u));
	fh_list_id_store_relaxed(page, 7);
	fh_unique_put(&u);
	assert_slot(page, FH_STATE_FREE, NULL, NULL);

	/* A reserved page stays away from the allocator. */
	OK(fh_frame_from_raw(address_of(RESERVED_PAGE), &f));
	fh_frame_put(&f);
	assert_slot(RESERVED_PAGE, FH_STATE_UNUSED, NULL, NULL);
	NOTHING_HELD(free_before);
}

static void usage_follows_type(void **state)
{
	static const enum fh_usage usages[] = {
		FH_USAGE_UNUSED,   FH_USAGE_FRAME, FH_USAGE_PAGE_TABLE,
		FH_USAGE_RESERVED, FH_USAGE_MMIO,
	};
	uint64_t page = fresh_pages(2);

	(void)state;
	OK(fh_alloc_take(page, 1));
	for (size_t i = 0; i < LENGTH(usages); i++) {
		struct fh_meta_type type = {.name = "t", .usage = usages[i]};
		struct fh_unique u;

		assert_int_equal(fh_slot_usage(page), FH_USAGE_UNUSED);
		OK(fh_unique_from_unused(address_of(page), &type, NULL, &u));
		assert_int_equal(fh_slot_usage(page), usages[i]);
		fh_unique_reset_as_unused(&u);
	}
	assert_int_equal(fh_slot_usage(page + 1), FH_USAGE_UNUSED);
	assert_int_equal(fh_slot_usage(RESERVED_PAGE), FH_USAGE_RESERVED);
	assert_int_equal(fh_slot_usage(GAP_PAGE), FH_USAGE_RESERVED);
	assert_int_equal(fh_slot_usage(KERNEL_PAGE), FH_USAGE_FRAME);
}

static void types_that_do_not_fit_are_invalid(void **state)
{
	struct fh_meta_type type = {.name = "t", .usage = FH_USAGE_FRAME};

	(void)state;
	assert_false(fh_meta_type_is_valid(NULL));
	assert_true(fh_meta_type_is_valid(&type));
	type.size = 40;
	assert_true(fh_meta_type_is_valid(&type));
	type.size = 41;
	assert_false(fh_meta_type_is_valid(&type));
	type.size = UINT32_MAX;
	assert_false(fh_meta_type_is_valid(&type));
}

/* ---- Pages on their way, and sections that nobody has been to ---- */

static void page_on_its_way_is_busy(void **state)
{
	uint64_t page = fresh_pages(1);
	struct fh_paddr pa = address_of(page);
	struct fh_frame f = {UNTOUCHED};
	struct fh_unique u = {UNTOUCHED};

	(void)state;
	/* As when another CPU has just popped it. */
	assert_true(fh_allocator_withdraw(page));
	assert_int_equal(fh_frame_from_unused(pa, &other_type, NULL, &f),
			 FH_E_BUSY);
	assert_int_equal(fh_unique_from_unused(pa, &other_type, NULL, &u),
			 FH_E_BUSY);
	assert_int_equal(fh_alloc_take(page, 1), FH_E_BUSY);
	assert_int_equal(f.handle, UNTOUCHED);
	assert_int_equal(u.handle, UNTOUCHED);
	assert_slot(page, FH_STATE_FREE, NULL, NULL);
	fh_allocator_give_back(page, 1);
	AUDIT();
	assert_true(is_allocatable(page));
}

static void inc_of_raw_page(void *arg)
{
	(void)arg;
	(void)!fh_frame_inc(address_of(HIGH_FIRST));
}

/*
 * Nobody has written the slots of the high memory's section: its pages are
 * free whatever lies there, and one claim makes all of them ready.
 */
static void check_raw_section(void)
{
	uint64_t free_before = count_free();
	uint64_t page = HIGH_FIRST + 3;
	struct fh_paddr pa = address_of(page);
	struct fh_frame f = {UNTOUCHED};
	struct fh_unique u = {UNTOUCHED};

	assert_int_equal(fh_frame_from_in_use(pa, &f), FH_E_UNUSED);
	assert_int_equal(fh_frame_from_raw(pa, &f), FH_E_UNUSED);
	assert_int_equal(fh_unique_from_raw(pa, &u), FH_E_UNUSED);
	assert_int_equal(f.handle, UNTOUCHED);
	assert_int_equal(u.handle, UNTOUCHED);
	assert_int_equal(fh_slot_usage(page), FH_USAGE_UNUSED);
	STOPS("get", inc_of_raw_page, NULL);
	assert_int_equal(stop_finding.frame, HIGH_FIRST);
	assert_int_equal(stop_finding.state, FH_STATE_FREE);

	OK(fh_frame_from_unused(pa, &counting_type, &words, &f));
	assert_slot(page, FH_STATE_ONE, &counting_type, &words);
	for (uint64_t i = HIGH_FIRST; i < FRAME_END; i++)
		if (i != page)
			assert_slot(i, FH_STATE_FREE, NULL, &fh_meta_zero);
	AUDIT();
	assert_int_equal(count_free(), free_before - 1);
	fh_frame_put(&f);
	NOTHING_HELD(free_before);
}

static void claim_makes_a_section_live(void **state)
{
	(void)state;
	check_raw_section();
}

static void claim_cleans_a_dirty_section(void **state)
{
	(void)state;
	stop_machine(NULL);
	assert_int_equal(start_dirty_machine(NULL), 0);
	check_raw_section();
}

static void status_names_are_distinct(void **state)
{
	const char *names[FH_E_TWICE + 1];

	(void)state;
	for (int i = 0; i <= FH_E_TWICE; i++) {
		names[i] = fh_status_name((enum fh_status)i);
		assert_non_null(names[i]);
		assert_true(strlen(names[i]) > 0);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(names[i], names[j]);
	}
	assert_non_null(fh_status_name((enum fh_status)(FH_E_TWICE + 1)));
	assert_non_null(fh_status_name((enum fh_status)1000000));
	assert_non_null(fh_status_name((enum fh_status) - 1));
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(slot_is_one_cache_line),
		cmocka_unit_test(ref_counts_are_the_seeds),
		cmocka_unit_test(claim_status_of_every_state),
		cmocka_unit_test(slot_arithmetic_round_trip),
		cmocka_unit_test(get_slot_tests_alignment_first),
		cmocka_unit_test(hole_page_every_operation),
		cmocka_unit_test(claim_installs_words_and_type),
		cmocka_unit_test(teardown_clears_type),
		cmocka_unit_test(usage_follows_type),
		cmocka_unit_test(types_that_do_not_fit_are_invalid),
		cmocka_unit_test(page_on_its_way_is_busy),
		cmocka_unit_test(claim_makes_a_section_live),
		cmocka_unit_test(claim_cleans_a_dirty_section),
		cmocka_unit_test(status_names_are_distinct),
	};

	for (size_t i = 0; i < LENGTH(tests); i++) {
		tests[i].setup_func = start_machine;
		tests[i].teardown_func = stop_machine;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
