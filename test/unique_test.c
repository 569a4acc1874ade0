/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Unique frames: alone with the page, hidden from everybody else, shared and
 * back, forgotten and restored, and the ways in which ownership ends.
 */
#include <string.h>

#include "harness.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* What no call writes. */
#define UNTOUCHED UINT64_C(0x123456789a)

static const struct fh_meta words = {{1, UINT64_MAX, 3, 4, 5}};
static const struct fh_meta other_words = {{6, 7, 8, 9, 10}};

static struct fh_unique own(uint64_t page, const struct fh_meta_type *type)
{
	struct fh_unique u;

	OK(fh_unique_from_unused(address_of(page), type, &words, &u));
	return u;
}

/* What somebody else gets who has only the address. */
static void refuse_others(uint64_t page, enum fh_status share,
			  enum fh_status claim)
{
	struct fh_paddr pa = address_of(page);
	struct fh_frame f = {UNTOUCHED};
	struct fh_unique u = {UNTOUCHED};
	struct fh_segment s = {UNTOUCHED, UNTOUCHED};

	if (share != FH_OK)
		REFUSES(share, fh_frame_from_in_use(pa, &f));
	REFUSES(claim, fh_frame_from_unused(pa, &other_type, NULL, &f));
	REFUSES(claim, fh_unique_from_unused(pa, &other_type, NULL, &u));
	REFUSES(claim, fh_segment_from_unused(pa, address_of(page + 1),
					      &other_type, NULL, &s));
	REFUSES(claim, fh_alloc_take(page, 1));
	assert_int_equal(f.handle, UNTOUCHED);
	assert_int_equal(u.handle, UNTOUCHED);
	assert_int_equal(s.handle, UNTOUCHED);
}

static void unique_hides_from_in_use(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_unique u = {UNTOUCHED};
	struct fh_frame f;
	struct fh_frame second;

	(void)state;
	CHANGES(page, 1,
		OK(fh_unique_from_unused(address_of(page), &counting_type,
					 &words, &u)));
	assert_int_equal(fh_ref_count(state_of(page)), FH_REF_COUNT_UNIQUE);
	assert_int_equal(count_free(), free_before - 1);
	refuse_others(page, FH_E_UNIQUE, FH_E_UNIQUE);
	f = fh_frame_from_unique(&u);
	refuse_others(page, FH_OK, FH_E_IN_USE);
	CHANGES(page, 1, OK(fh_frame_from_in_use(address_of(page), &second)));
	assert_int_equal(fh_frame_reference_count(f), 2);
	fh_frame_put(&f);
	fh_frame_put(&second);
	NOTHING_HELD(free_before);
}

static void failed_unique_claim_changes_nothing(void **state)
{
	static const struct fh_meta_type too_large_type = {
		.name = "too large",
		.size = FH_META_SIZE + 1,
		.usage = FH_USAGE_FRAME,
	};
	const struct {
		struct fh_paddr pa;
		const struct fh_meta_type *type;
		enum fh_status status;
	} claims[] = {
		{address_of(fresh_pages(1)), NULL, FH_E_INVALID},
		{address_of(fresh_pages(1)), &too_large_type, FH_E_INVALID},
		{fh_paddr(UINT64_MAX), NULL, FH_E_INVALID},
		{fh_paddr(UINT64_MAX), &other_type, FH_E_NOT_ALIGNED},
		{address_of(FRAME_END), &other_type, FH_E_OUT_OF_BOUND},
		{address_of(HOLE_PAGE), &other_type, FH_E_OUT_OF_BOUND},
		{address_of(KERNEL_PAGE), &other_type, FH_E_IN_USE},
		{address_of(0), &other_type, FH_E_UNIQUE},
	};
	uint64_t free_before = count_free();

	(void)state;
	for (size_t i = 0; i < LENGTH(claims); i++) {
		struct fh_unique out = {UNTOUCHED};

		REFUSES(claims[i].status,
			fh_unique_from_unused(claims[i].pa, claims[i].type,
					      &words, &out));
		assert_int_equal(out.handle, UNTOUCHED);
	}
	NOTHING_HELD(free_before);
}

static void unique_words_and_bytes_are_writable(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_unique u = own(page, &counting_type);
	unsigned char *bytes = fh_unique_bytes(u);
	struct fh_frame f;

	(void)state;
	assert_ptr_equal(fh_unique_type(u), &counting_type);
	assert_memory_equal(fh_unique_meta(u), &words, sizeof(words));
	assert_ptr_equal(bytes, fh_host_linear(address_of(page)));
	CHANGES(page, 1, *fh_unique_meta(u) = other_words);
	for (unsigned i = 0; i < FH_PAGE_SIZE; i++)
		bytes[i] = (unsigned char)(i * 7);
	f = fh_frame_from_unique(&u);
	assert_memory_equal(fh_frame_meta(f), &other_words,
			    sizeof(other_words));
	bytes = fh_host_linear(fh_frame_paddr(f));
	for (unsigned i = 0; i < FH_PAGE_SIZE; i++)
		assert_int_equal(bytes[i], (unsigned char)(i * 7));
	fh_frame_put(&f);
	assert_memory_equal(&last_drop_meta, &other_words, sizeof(other_words));
	NOTHING_HELD(free_before);
}

static void unique_address_and_level(void **state)
{
	uint64_t page = fresh_pages(1);
	struct fh_unique u = own(page, &counting_type);
	struct fh_unique none = fh_unique_none();

	(void)state;
	assert_int_equal(fh_unique_number(u), page);
	assert_int_equal(fh_unique_paddr(u).bytes, page * 4096);
	assert_int_equal(fh_unique_level(u), 1);
	assert_int_equal(fh_unique_number(none), 0);
	assert_int_equal(fh_unique_paddr(none).bytes, 0);
	assert_int_equal(fh_unique_level(none), 1);
	fh_unique_put(&u);
}

static void unique_to_shared_and_back(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_unique u = own(page, &counting_type);
	struct fh_frame f;

	(void)state;
	CHANGES(page, 1, f = fh_frame_from_unique(&u));
	assert_int_equal(u.handle, 0);
	assert_int_equal(fh_frame_number(f), page);
	assert_int_equal(fh_ref_count(state_of(page)), 1);
	assert_ptr_equal(fh_frame_type(f), &counting_type);
	assert_memory_equal(fh_frame_meta(f), &words, sizeof(words));

	CHANGES(page, 1, OK(fh_unique_from_frame(&f, &u)));
	assert_int_equal(f.handle, 0);
	assert_int_equal(fh_unique_number(u), page);
	assert_int_equal(fh_ref_count(state_of(page)), FH_REF_COUNT_UNIQUE);
	assert_ptr_equal(fh_unique_type(u), &counting_type);
	assert_memory_equal(fh_unique_meta(u), &words, sizeof(words));
	assert_int_equal(drops, 0);
	fh_unique_put(&u);
	assert_int_equal(drops, 1);
	NOTHING_HELD(free_before);
}

static void unique_of_a_shared_frame_is_in_use(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_unique u = own(page, &counting_type);
	struct fh_frame f = fh_frame_from_unique(&u);
	struct fh_frame second = fh_frame_get(f);
	struct fh_frame none = fh_frame_none();
	uint64_t handle = f.handle;
	struct fh_unique out = {UNTOUCHED};

	(void)state;
	REFUSES(FH_E_IN_USE, fh_unique_from_frame(&f, &out));
	assert_int_equal(f.handle, handle);
	assert_int_equal(out.handle, UNTOUCHED);
	assert_int_equal(fh_frame_reference_count(f), 2);
	REFUSES(FH_E_EMPTY, fh_unique_from_frame(&none, &out));
	assert_int_equal(out.handle, UNTOUCHED);
	/* A forgotten reference is a holder like any other. */
	assert_int_equal(fh_frame_into_raw(&second).bytes, page * 4096);
	REFUSES(FH_E_IN_USE, fh_unique_from_frame(&f, &out));
	OK(fh_frame_from_raw(address_of(page), &second));
	fh_frame_put(&second);
	CHANGES(page, 1, OK(fh_unique_from_frame(&f, &out)));
	fh_unique_put(&out);
	NOTHING_HELD(free_before);
}

static void unique_raw_round_trip(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_unique u = own(page, &counting_type);
	struct fh_paddr pa = {0};

	(void)state;
	CHANGES(page, 1, pa = fh_unique_into_raw(&u));
	assert_int_equal(pa.bytes, page * 4096);
	assert_int_equal(u.handle, 0);
	assert_int_equal(state_of(page), FH_STATE_UNIQUE);
	assert_true(fh_ledger_is_clean());
	refuse_others(page, FH_E_UNIQUE, FH_E_UNIQUE);
	CHANGES(page, 1, OK(fh_unique_from_raw(pa, &u)));
	assert_int_equal(fh_unique_number(u), page);
	assert_int_equal(state_of(page), FH_STATE_UNIQUE);
	assert_ptr_equal(fh_unique_type(u), &counting_type);
	assert_memory_equal(fh_unique_meta(u), &words, sizeof(words));
	assert_int_equal(drops, 0);
	fh_unique_put(&u);
	assert_int_equal(drops, 1);
	NOTHING_HELD(free_before);
}

static void unique_from_raw_refuses_others(void **state)
{
	uint64_t shared = fresh_pages(1);
	uint64_t twice_shared = fresh_pages(1);
	uint64_t unused = fresh_pages(2);
	const struct {
		struct fh_paddr pa;
		enum fh_status status;
	} pages[] = {
		{fh_paddr(UINT64_MAX), FH_E_NOT_ALIGNED},
		{fh_paddr(shared * FH_PAGE_SIZE + 2048), FH_E_NOT_ALIGNED},
		{address_of(FRAME_END), FH_E_OUT_OF_BOUND},
		{address_of(0), FH_E_OUT_OF_BOUND},
		{address_of(HOLE_PAGE), FH_E_OUT_OF_BOUND},
		{address_of(unused), FH_E_UNUSED},
		{address_of(unused + 1), FH_E_UNUSED},
		{address_of(HIGH_FIRST), FH_E_UNUSED},
		{address_of(shared), FH_E_IN_USE},
		{address_of(twice_shared), FH_E_IN_USE},
		{address_of(KERNEL_PAGE), FH_E_IN_USE},
	};
	struct fh_frame f[3];
	struct fh_unique out = {UNTOUCHED};

	(void)state;
	OK(fh_alloc_take(unused, 1));
	OK(fh_frame_from_unused(address_of(shared), &other_type, NULL, &f[0]));
	OK(fh_frame_from_unused(address_of(twice_shared), &other_type, NULL,
				&f[1]));
	f[2] = fh_frame_get(f[1]);
	for (size_t i = 0; i < LENGTH(pages); i++) {
		REFUSES(pages[i].status, fh_unique_from_raw(pages[i].pa, &out));
		assert_int_equal(out.handle, UNTOUCHED);
	}
	/* Not at rest, so that the audit would object. */
	force_state(unused, FH_STATE_BUSY);
	assert_int_equal(fh_unique_from_raw(address_of(unused), &out),
			 FH_E_BUSY);
	assert_int_equal(state_of(unused), FH_STATE_BUSY);
	assert_int_equal(out.handle, UNTOUCHED);
	force_state(unused, FH_STATE_UNUSED);
	for (size_t i = 0; i < LENGTH(f); i++)
		fh_frame_put(&f[i]);
}

static void unique_put_runs_on_drop_once(void **state)
{
	static const struct fh_meta_type device_type = {
		.name = "device",
		.usage = FH_USAGE_MMIO,
	};
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(2);
	struct fh_unique u = own(page, &counting_type);
	struct fh_unique none = fh_unique_none();

	(void)state;
	CHANGES(page, 1, fh_unique_put(&u));
	assert_int_equal(drops, 1);
	assert_int_equal(last_drop.frame, page);
	assert_memory_equal(&last_drop_meta, &words, sizeof(words));
	assert_int_equal(u.handle, 0);
	assert_int_equal(state_of(page), FH_STATE_FREE);
	assert_int_equal(count_free(), free_before);
	CHANGES_NOTHING(fh_unique_put(&none));
	CHANGES_NOTHING(fh_unique_put(&u));
	assert_int_equal(drops, 1);

	/* What is no memory does not become free memory. */
	u = own(page + 1, &device_type);
	CHANGES(page + 1, 1, fh_unique_put(&u));
	assert_int_equal(state_of(page + 1), FH_STATE_UNUSED);
	assert_int_equal(count_free(), free_before - 1);
	OK(fh_alloc_add(page + 1, 1));
	assert_true(is_allocatable(page));
	NOTHING_HELD(free_before);
}

static void reset_leaves_the_page_unused(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_unique u = own(page, &counting_type);
	struct fh_unique none = fh_unique_none();

	(void)state;
	CHANGES(page, 1, fh_unique_reset_as_unused(&u));
	assert_int_equal(drops, 1);
	assert_int_equal(last_drop.frame, page);
	assert_int_equal(u.handle, 0);
	assert_int_equal(state_of(page), FH_STATE_UNUSED);
	assert_int_equal(count_free(), free_before - 1);
	assert_false(is_allocatable(page));
	CHANGES_NOTHING(fh_unique_reset_as_unused(&none));
	CHANGES_NOTHING(fh_unique_reset_as_unused(&u));
	assert_int_equal(drops, 1);

	/* The next one may have it by its address. */
	u = own(page, &counting_type);
	fh_unique_put(&u);
	assert_int_equal(state_of(page), FH_STATE_FREE);
	NOTHING_HELD(free_before);
}

static void failed_repurpose_changes_nothing(void **state)
{
	static const struct fh_meta_type too_large_type = {
		.name = "too large",
		.size = FH_META_SIZE + 1,
		.usage = FH_USAGE_FRAME,
	};
	uint64_t page = fresh_pages(1);
	struct fh_unique u = own(page, &counting_type);
	struct fh_unique none = fh_unique_none();

	(void)state;
	REFUSES(FH_E_EMPTY, fh_unique_repurpose(none, &other_type, NULL));
	REFUSES(FH_E_EMPTY, fh_unique_repurpose(none, NULL, NULL));
	REFUSES(FH_E_INVALID, fh_unique_repurpose(u, NULL, &other_words));
	REFUSES(FH_E_INVALID,
		fh_unique_repurpose(u, &too_large_type, &other_words));
	assert_int_equal(drops, 0);
	assert_ptr_equal(fh_unique_type(u), &counting_type);
	assert_memory_equal(fh_unique_meta(u), &words, sizeof(words));
	fh_unique_put(&u);
	assert_int_equal(drops, 1);
}

static void put_unique(void *u)
{
	fh_unique_put(u);
}

static void reset_unique(void *u)
{
	fh_unique_reset_as_unused(u);
}

static void repurpose_unique(void *u)
{
	(void)!fh_unique_repurpose(*(struct fh_unique *)u, &other_type, NULL);
}

static void share_unique(void *u)
{
	(void)!fh_frame_from_unique(u).handle;
}

static void forget_unique(void *u)
{
	(void)!fh_unique_into_raw(u).bytes;
}

/*
 * The copy of a handle that ended, while somebody else owns the page: checked
 * builds know it by its ledger record. In others a handle is the page's number
 * and nothing more.
 */
static void ended_unique_stops_checked_builds(void **state)
{
	static void (*const uses[])(void *u) = {
		put_unique,   reset_unique,  repurpose_unique,
		share_unique, forget_unique,
	};
	uint64_t page = fresh_pages(1);
	struct fh_unique u = own(page, &counting_type);
	struct fh_unique ended = u;

	(void)state;
	assert_int_equal(fh_unique_into_raw(&u).bytes, page * 4096);
	OK(fh_unique_from_raw(address_of(page), &u));
	if (!FH_CHECKED) {
		assert_int_equal(ended.handle, page);
		assert_int_equal(u.handle, page);
		fh_unique_put(&u);
		return;
	}
	for (size_t i = 0; i < LENGTH(uses); i++) {
		STOPS("handle", uses[i], &ended);
		assert_int_equal(stop_finding.frame, page);
		assert_int_equal(state_of(page), FH_STATE_UNIQUE);
		assert_int_equal(drops, 0);
		assert_int_equal(fh_unique_number(ended), page);
	}
	AUDIT();
	fh_unique_put(&u);
	assert_int_equal(drops, 1);
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(unique_hides_from_in_use),
		cmocka_unit_test(failed_unique_claim_changes_nothing),
		cmocka_unit_test(unique_words_and_bytes_are_writable),
		cmocka_unit_test(unique_address_and_level),
		cmocka_unit_test(unique_to_shared_and_back),
		cmocka_unit_test(unique_of_a_shared_frame_is_in_use),
		cmocka_unit_test(unique_raw_round_trip),
		cmocka_unit_test(unique_from_raw_refuses_others),
		cmocka_unit_test(unique_put_runs_on_drop_once),
		cmocka_unit_test(reset_leaves_the_page_unused),
		cmocka_unit_test(failed_repurpose_changes_nothing),
		cmocka_unit_test(ended_unique_stops_checked_builds),
	};

	for (size_t i = 0; i < LENGTH(tests); i++) {
		tests[i].setup_func = start_machine;
		tests[i].teardown_func = stop_machine;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
