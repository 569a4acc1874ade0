/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Frames: claiming, sharing, borrowing, forgetting and restoring, and what
 * stops the machine. Every call is watched: it changes its page and no other,
 * and nothing at all when it fails. The last put is in drop_test.c.
 */
#include "harness.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* What no call writes. */
#define UNTOUCHED UINT64_C(0x123456789a)

static const struct fh_meta words = {{1, UINT64_MAX, 3, 4, 5}};

static const struct fh_meta_type too_large_type = {
	.name = "too large",
	.size = FH_META_SIZE + 1,
	.usage = FH_USAGE_FRAME,
};

static struct fh_frame claim(uint64_t page, const struct fh_meta_type *type)
{
	struct fh_frame f;

	OK(fh_frame_from_unused(address_of(page), type, &words, &f));
	return f;
}

/* A page in state UNUSED. */
static uint64_t taken_page(void)
{
	uint64_t page = fresh_pages(1);

	OK(fh_alloc_take(page, 1));
	return page;
}

static uint64_t count_of(uint64_t page)
{
	return fh_ref_count(state_of(page));
}

/* Type, words and list of a page are these, whatever its count. */
static void assert_contents(uint64_t page, const struct fh_meta_type *type)
{
	const struct fh_slot *slot = fh_frame_to_meta(page);

	assert_ptr_equal(slot->type, type);
	assert_memory_equal(&slot->meta, &words, sizeof(words));
	assert_int_equal(slot->list, 0);
}

/* ---- Claiming ---- */

static void from_unused_free_page(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_frame f;

	(void)state;
	CHANGES(page, 1,
		OK(fh_frame_from_unused(address_of(page), &counting_type,
					&words, &f)));
	assert_int_equal(fh_frame_number(f), page);
	assert_int_equal(count_of(page), 1);
	assert_int_equal(count_free(), free_before - 1);
	assert_false(is_allocatable(page));
	assert_int_equal(count_of(page), 1);
	fh_frame_put(&f);
	assert_true(is_allocatable(page));
	NOTHING_HELD(free_before);
}

/* With every cause of a failed claim there is at once, the first one counts. */
static void failed_claim_changes_nothing(void **state)
{
	uint64_t shared_page = fresh_pages(2);
	uint64_t unique_page = shared_page + 1;
	struct fh_frame shared = claim(shared_page, &counting_type);
	struct fh_unique unique;
	const struct {
		struct fh_paddr pa;
		const struct fh_meta_type *type;
		enum fh_status status;
	} claims[] = {
		{address_of(3500), NULL, FH_E_INVALID},
		{address_of(3500), &too_large_type, FH_E_INVALID},
		{fh_paddr(UINT64_MAX), NULL, FH_E_INVALID},
		{address_of(shared_page), &too_large_type, FH_E_INVALID},
		{fh_paddr(UINT64_MAX), &other_type, FH_E_NOT_ALIGNED},
		{fh_paddr(shared_page * FH_PAGE_SIZE + 1), &other_type,
		 FH_E_NOT_ALIGNED},
		{address_of(FRAME_END), &other_type, FH_E_OUT_OF_BOUND},
		{address_of(HOLE_PAGE), &other_type, FH_E_OUT_OF_BOUND},
		{address_of(shared_page), &other_type, FH_E_IN_USE},
		{address_of(unique_page), &other_type, FH_E_UNIQUE},
		{address_of(0), &other_type, FH_E_UNIQUE},
		{address_of(RESERVED_PAGE), &other_type, FH_E_IN_USE},
		{address_of(KERNEL_PAGE), &other_type, FH_E_IN_USE},
		{address_of(GAP_PAGE), &other_type, FH_E_IN_USE},
	};
	uint64_t free_before;

	(void)state;
	OK(fh_unique_from_unused(address_of(unique_page), &counting_type,
				 &words, &unique));
	free_before = count_free();
	for (size_t i = 0; i < LENGTH(claims); i++) {
		struct fh_frame out = {UNTOUCHED};
		struct fh_meta given = words;

		REFUSES(claims[i].status,
			fh_frame_from_unused(claims[i].pa, claims[i].type,
					     &given, &out));
		assert_int_equal(out.handle, UNTOUCHED);
		assert_memory_equal(&given, &words, sizeof(words));
		assert_int_equal(count_free(), free_before);
	}
	assert_contents(shared_page, &counting_type);
	assert_contents(unique_page, &counting_type);
	assert_int_equal(drops, 0);
	fh_frame_put(&shared);
	fh_unique_put(&unique);
	NOTHING_HELD(free_before + 2);
}

static void from_in_use_adds_one(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_frame f = claim(page, &counting_type);
	struct fh_frame again = {UNTOUCHED};

	(void)state;
	CHANGES(page, 1, OK(fh_frame_from_in_use(address_of(page), &again)));
	assert_int_equal(fh_frame_number(again), page);
	assert_int_equal(count_of(page), 2);
	assert_contents(page, &counting_type);
	assert_int_equal(count_free(), free_before - 1);
	fh_frame_put(&f);
	assert_int_equal(count_of(page), 1);
	assert_int_equal(drops, 0);
	fh_frame_put(&again);
	assert_int_equal(drops, 1);
	NOTHING_HELD(free_before);
}

static void from_in_use_refuses_unshared_pages(void **state)
{
	uint64_t unused = taken_page();
	const struct {
		struct fh_paddr pa;
		enum fh_status status;
	} pages[] = {
		{fh_paddr(UINT64_MAX), FH_E_NOT_ALIGNED},
		{fh_paddr(unused * FH_PAGE_SIZE + 2048), FH_E_NOT_ALIGNED},
		{address_of(FRAME_END), FH_E_OUT_OF_BOUND},
		{address_of(HOLE_PAGE), FH_E_OUT_OF_BOUND},
		{address_of(unused), FH_E_UNUSED},
		{address_of(fresh_pages(1)), FH_E_UNUSED},
		{address_of(HIGH_FIRST), FH_E_UNUSED},
		{address_of(0), FH_E_UNIQUE},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(pages); i++) {
		struct fh_frame out = {UNTOUCHED};

		REFUSES(pages[i].status,
			fh_frame_from_in_use(pages[i].pa, &out));
		assert_int_equal(out.handle, UNTOUCHED);
	}
}

/* ---- Looking ---- */

static void frame_shows_type_and_usage(void **state)
{
	static const struct fh_meta_type table_type = {
		.name = "table",
		.size = FH_META_SIZE,
		.usage = FH_USAGE_PAGE_TABLE,
	};
	struct fh_frame f = claim(fresh_pages(1), &counting_type);
	struct fh_frame table = claim(fresh_pages(1), &table_type);
	bool same = false;

	(void)state;
	CHANGES_NOTHING(assert_ptr_equal(fh_frame_type(f), &counting_type));
	CHANGES_NOTHING(assert_int_equal(fh_frame_usage(f), FH_USAGE_FRAME));
	CHANGES_NOTHING(
		assert_memory_equal(fh_frame_meta(f), &words, sizeof(words)));
	CHANGES_NOTHING(same = fh_frame_is_type(f, &counting_type));
	assert_true(same);
	CHANGES_NOTHING(same = fh_frame_is_type(f, &table_type));
	assert_false(same);
	assert_false(fh_frame_is_type(fh_frame_none(), &counting_type));
	assert_false(fh_frame_is_type(fh_frame_none(), &fh_reserved_type));
	assert_ptr_equal(fh_frame_type(table), &table_type);
	assert_int_equal(fh_frame_usage(table), FH_USAGE_PAGE_TABLE);
	fh_frame_put(&f);
	fh_frame_put(&table);
}

static void frame_address_level_and_size(void **state)
{
	uint64_t page = fresh_pages(1);
	struct fh_frame f = claim(page, &counting_type);
	struct fh_frame none = fh_frame_none();
	struct fh_uframe no_uframe = fh_uframe_none();

	(void)state;
	assert_true(fh_frame_is_some(f));
	assert_int_equal(fh_frame_number(f), page);
	assert_int_equal(fh_frame_paddr(f).bytes, page * 4096);
	assert_int_equal(fh_frame_map_level(f), 1);
	assert_int_equal(fh_frame_size(f), 4096);
	fh_frame_put(&f);

	assert_false(fh_frame_is_some(none));
	assert_int_equal(fh_frame_number(none), 0);
	assert_int_equal(fh_frame_paddr(none).bytes, 0);
	assert_int_equal(fh_frame_map_level(none), 1);
	assert_int_equal(fh_frame_size(none), 4096);
	assert_int_equal(fh_uframe_number(no_uframe), 0);
	assert_int_equal(fh_uframe_paddr(no_uframe).bytes, 0);
}

static void frame_slot_is_its_pages_slot(void **state)
{
	uint64_t pages[] = {fresh_pages(1), HIGH_FIRST, FRAME_END - 1};

	(void)state;
	for (size_t i = 0; i < LENGTH(pages); i++) {
		struct fh_frame f = claim(pages[i], &counting_type);

		assert_ptr_equal(fh_frame_slot(f),
				 fh_frame_to_meta(fh_frame_number(f)));
		assert_ptr_equal(fh_frame_slot(f), fh_frame_to_meta(pages[i]));
		assert_ptr_equal(fh_frame_meta(f), &fh_frame_slot(f)->meta);
		assert_int_equal(fh_frame_slot(f)->state, FH_STATE_ONE);
		fh_frame_put(&f);
	}
}

/* ---- Counting ---- */

static void get_adds_one_put_takes_one(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_frame f[5] = {claim(page, &counting_type)};
	struct fh_frame none = fh_frame_none();

	(void)state;
	for (unsigned i = 1; i < LENGTH(f); i++) {
		CHANGES(page, 1, f[i] = fh_frame_get(f[i - 1]));
		assert_int_equal(fh_frame_number(f[i]), page);
		assert_int_equal(count_of(page), i + 1);
		assert_int_equal(fh_frame_reference_count(f[0]), i + 1);
		assert_contents(page, &counting_type);
	}
	for (unsigned i = 0; i + 1 < LENGTH(f); i++) {
		CHANGES(page, 1, fh_frame_put(&f[i]));
		assert_int_equal(f[i].handle, 0);
		assert_int_equal(fh_frame_reference_count(f[4]), 4 - i);
		assert_contents(page, &counting_type);
	}
	assert_int_equal(drops, 0);
	CHANGES_NOTHING(fh_frame_put(&none));
	CHANGES_NOTHING(fh_frame_put(&f[0]));
	CHANGES(page, 1, fh_frame_put(&f[4]));
	assert_int_equal(drops, 1);
	NOTHING_HELD(free_before);
}

static void borrow_changes_nothing(void **state)
{
	uint64_t page = fresh_pages(1);
	struct fh_frame f = claim(page, &counting_type);
	struct fh_frame_ref ref;
	uint64_t number = 0;
	struct fh_paddr pa = {0};

	(void)state;
	CHANGES_NOTHING(ref = fh_frame_borrow(f));
	CHANGES_NOTHING(number = fh_frame_ref_number(ref));
	CHANGES_NOTHING(pa = fh_frame_ref_paddr(ref));
	assert_int_equal(number, page);
	assert_int_equal(pa.bytes, page * 4096);
	assert_int_equal(fh_frame_reference_count(f), 1);
	assert_int_equal(fh_frame_number(f), page);
	fh_frame_put(&f);
	assert_int_equal(drops, 1);
}

static void borrowed_frame_can_be_got(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_frame f = claim(page, &counting_type);
	struct fh_frame_ref ref = fh_frame_borrow(f);
	struct fh_frame own;

	(void)state;
	CHANGES(page, 1, own = fh_frame_ref_get(ref));
	assert_int_equal(fh_frame_number(own), page);
	assert_int_equal(count_of(page), 2);
	fh_frame_put(&f);
	assert_int_equal(count_of(page), 1);
	assert_int_equal(drops, 0);
	assert_contents(page, &counting_type);
	fh_frame_put(&own);
	NOTHING_HELD(free_before);
}

/* ---- Forgetting and restoring ---- */

static void into_raw_runs_no_on_drop(void **state)
{
	uint64_t page = fresh_pages(1);
	struct fh_frame f = claim(page, &counting_type);
	struct fh_frame second = fh_frame_get(f);
	struct fh_paddr pa = {0};

	(void)state;
	CHANGES(page, 1, pa = fh_frame_into_raw(&f));
	assert_int_equal(pa.bytes, page * 4096);
	assert_int_equal(f.handle, 0);
	assert_int_equal(count_of(page), 2);
	CHANGES(page, 1, pa = fh_frame_into_raw(&second));
	assert_int_equal(count_of(page), 2);
	assert_int_equal(drops, 0);
	assert_contents(page, &counting_type);
	assert_true(fh_ledger_is_clean());
}

static void from_raw_restores_the_same_frame(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_frame f = claim(page, &counting_type);
	struct fh_paddr pa = fh_frame_into_raw(&f);

	(void)state;
	CHANGES(page, 1, OK(fh_frame_from_raw(pa, &f)));
	assert_int_equal(fh_frame_number(f), page);
	assert_int_equal(count_of(page), 1);
	assert_contents(page, &counting_type);
	fh_frame_put(&f);
	assert_int_equal(drops, 1);
	assert_memory_equal(&last_drop_meta, &words, sizeof(words));
	NOTHING_HELD(free_before);
}

static void from_raw_refuses_unshared_pages(void **state)
{
	uint64_t unused = taken_page();
	uint64_t unique_page = fresh_pages(2);
	struct fh_unique u;
	const struct {
		struct fh_paddr pa;
		enum fh_status status;
	} pages[] = {
		{fh_paddr(UINT64_MAX), FH_E_NOT_ALIGNED},
		{fh_paddr(unused * FH_PAGE_SIZE + 2048), FH_E_NOT_ALIGNED},
		{address_of(FRAME_END), FH_E_OUT_OF_BOUND},
		{address_of(HOLE_PAGE), FH_E_OUT_OF_BOUND},
		{address_of(unused), FH_E_UNUSED},
		{address_of(unique_page + 1), FH_E_UNUSED},
		{address_of(HIGH_FIRST), FH_E_UNUSED},
		{address_of(unique_page), FH_E_UNIQUE},
	};
	struct fh_frame out = {UNTOUCHED};

	(void)state;
	OK(fh_unique_from_unused(address_of(unique_page), &other_type, NULL,
				 &u));
	for (size_t i = 0; i < LENGTH(pages); i++) {
		REFUSES(pages[i].status, fh_frame_from_raw(pages[i].pa, &out));
		assert_int_equal(out.handle, UNTOUCHED);
	}
	/* Not at rest, so that the audit would object. */
	force_state(unused, FH_STATE_BUSY);
	assert_int_equal(fh_frame_from_raw(address_of(unused), &out),
			 FH_E_BUSY);
	assert_int_equal(state_of(unused), FH_STATE_BUSY);
	assert_int_equal(out.handle, UNTOUCHED);
	force_state(unused, FH_STATE_UNUSED);
	fh_unique_put(&u);
}

static void inc_then_from_raw(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_paddr pa = address_of(page);
	struct fh_frame f = claim(page, &counting_type);
	struct fh_frame second;

	(void)state;
	CHANGES(page, 1, OK(fh_frame_inc(pa)));
	assert_int_equal(count_of(page), 2);
	fh_frame_put(&f);
	assert_int_equal(count_of(page), 1);
	assert_int_equal(drops, 0);
	CHANGES(page, 1, OK(fh_frame_from_raw(pa, &second)));
	assert_int_equal(fh_frame_number(second), page);
	assert_int_equal(count_of(page), 1);
	fh_frame_put(&second);
	assert_int_equal(drops, 1);

	REFUSES(FH_E_NOT_ALIGNED, fh_frame_inc(fh_paddr(pa.bytes + 2048)));
	REFUSES(FH_E_NOT_ALIGNED, fh_frame_inc(fh_paddr(UINT64_MAX)));
	REFUSES(FH_E_OUT_OF_BOUND, fh_frame_inc(address_of(FRAME_END)));
	REFUSES(FH_E_OUT_OF_BOUND, fh_frame_inc(address_of(HOLE_PAGE)));
	NOTHING_HELD(free_before);
}

/* ---- What stops the machine ---- */

static void inc_page(void *page)
{
	(void)!fh_frame_inc(address_of(*(uint64_t *)page));
}

static void get_frame(void *f)
{
	*(struct fh_frame *)f = fh_frame_get(*(struct fh_frame *)f);
}

static void get_borrowed(void *f)
{
	struct fh_frame_ref ref = fh_frame_borrow(*(struct fh_frame *)f);

	*(struct fh_frame *)f = fh_frame_ref_get(ref);
}

static void share_page(void *page)
{
	struct fh_frame f;

	(void)!fh_frame_from_in_use(address_of(*(uint64_t *)page), &f);
}

static void put_frame(void *f)
{
	fh_frame_put(f);
}

static void inc_of_unshared_page_stops(void **state)
{
	static const uint64_t words_of_state[] = {
		FH_STATE_FREE,
		FH_STATE_UNUSED,
		FH_STATE_UNIQUE,
		FH_STATE_BUSY,
	};
	uint64_t page = taken_page();

	(void)state;
	for (size_t i = 0; i < LENGTH(words_of_state); i++) {
		force_state(page, words_of_state[i]);
		STOPS("get", inc_page, &page);
		assert_int_equal(stop_finding.frame, page);
		assert_int_equal(stop_finding.state, words_of_state[i]);
		force_state(page, FH_STATE_UNUSED);
	}
	AUDIT();
}

static void assert_at_limit(uint64_t page)
{
	assert_int_equal(stop_finding.frame, page);
	assert_int_equal(stop_finding.state, FH_STATE_MAX);
	force_state(page, FH_STATE_MAX);
}

/* Each way to add a reference, from one below the maximum, then at it. */
static void count_limit(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_frame f = claim(page, &counting_type);
	struct fh_frame got[3];
	struct fh_frame copy = f;

	(void)state;
	force_state(page, FH_STATE_MAX - 1);
	got[0] = fh_frame_get(f);
	assert_int_equal(count_of(page), FH_REF_COUNT_MAX);
	force_state(page, FH_STATE_MAX - 1);
	got[1] = fh_frame_ref_get(fh_frame_borrow(f));
	assert_int_equal(count_of(page), FH_REF_COUNT_MAX);
	force_state(page, FH_STATE_MAX - 1);
	OK(fh_frame_from_in_use(address_of(page), &got[2]));
	assert_int_equal(count_of(page), FH_REF_COUNT_MAX);
	force_state(page, FH_STATE_MAX - 1);
	OK(fh_frame_inc(address_of(page)));
	assert_int_equal(count_of(page), FH_REF_COUNT_MAX);

	STOPS("count_limit", get_frame, &copy);
	assert_at_limit(page);
	STOPS("count_limit", get_borrowed, &copy);
	assert_at_limit(page);
	STOPS("count_limit", share_page, &page);
	assert_at_limit(page);
	STOPS("count_limit", inc_page, &page);
	assert_at_limit(page);

	/* The five references that there are. */
	force_state(page, FH_STATE_SHARED(5));
	AUDIT();
	for (size_t i = 0; i < LENGTH(got); i++)
		fh_frame_put(&got[i]);
	OK(fh_frame_from_raw(address_of(page), &got[0]));
	fh_frame_put(&got[0]);
	assert_int_equal(drops, 0);
	fh_frame_put(&f);
	assert_int_equal(drops, 1);
	NOTHING_HELD(free_before);
}

static void put_of_unshared_page_stops(void **state)
{
	static const uint64_t words_of_state[] = {
		FH_STATE_FREE, FH_STATE_UNUSED,  FH_STATE_UNIQUE,
		FH_STATE_BUSY, FH_STATE_MAX + 1,
	};
	uint64_t page = fresh_pages(6);
	struct fh_frame forged = {page};

	(void)state;
	/* The ledger, where there is one, has never heard of such a handle. */
	STOPS(FH_CHECKED ? "units" : "put", put_frame, &forged);
	assert_int_equal(stop_finding.frame, page);
	assert_int_equal(stop_finding.state, FH_STATE_FREE);
	force_state(page, FH_STATE_FREE);

	for (size_t i = 0; i < LENGTH(words_of_state); i++) {
		struct fh_frame f = claim(++page, &counting_type);

		force_state(page, words_of_state[i]);
		STOPS("put", put_frame, &f);
		assert_int_equal(stop_finding.frame, page);
		assert_int_equal(stop_finding.state, words_of_state[i]);
		assert_int_equal(drops, 0);
	}
}

static void borrow_frame(void *f)
{
	(void)fh_frame_borrow(*(struct fh_frame *)f);
}

static void forget_frame(void *f)
{
	(void)!fh_frame_into_raw(f).bytes;
}

static void own_frame(void *f)
{
	struct fh_unique u;

	(void)!fh_unique_from_frame(f, &u);
}

/*
 * The copy of a handle that was put, while somebody else shares the page:
 * checked builds know it by its ledger record. In others a handle is the
 * page's number and nothing more.
 */
static void ended_handle_stops_checked_builds(void **state)
{
	static void (*const uses[])(void *f) = {
		get_frame, put_frame, borrow_frame, forget_frame, own_frame,
	};
	uint64_t page = fresh_pages(1);
	struct fh_frame f = claim(page, &counting_type);
	struct fh_frame copy = fh_frame_get(f);
	struct fh_frame ended = copy;

	(void)state;
	fh_frame_put(&copy);
	assert_int_equal(fh_frame_number(ended), page);
	if (!FH_CHECKED) {
		assert_int_equal(ended.handle, page);
		assert_int_equal(f.handle, page);
		fh_frame_put(&f);
		return;
	}
	for (size_t i = 0; i < LENGTH(uses); i++) {
		STOPS("handle", uses[i], &ended);
		assert_int_equal(stop_finding.frame, page);
		force_state(page, FH_STATE_ONE);
		assert_true(fh_frame_is_some(ended));
	}
	AUDIT();
	fh_frame_put(&f);
	assert_int_equal(drops, 1);
}

/* ---- Untyped frames ---- */

static void uframe_from_frame_needs_untyped(void **state)
{
	uint64_t page = fresh_pages(2);
	struct fh_frame typed = claim(page, &counting_type);
	struct fh_frame untyped = claim(page + 1, &fh_untyped_type);
	struct fh_frame none = fh_frame_none();
	uint64_t handle = typed.handle;
	struct fh_uframe out = {UNTOUCHED};

	(void)state;
	REFUSES(FH_E_WRONG_TYPE, fh_uframe_from_frame(&typed, &out));
	assert_int_equal(typed.handle, handle);
	assert_int_equal(out.handle, UNTOUCHED);
	REFUSES(FH_E_WRONG_TYPE, fh_uframe_from_frame(&none, &out));
	assert_int_equal(out.handle, UNTOUCHED);
	CHANGES_NOTHING(OK(fh_uframe_from_frame(&untyped, &out)));
	assert_int_equal(untyped.handle, 0);
	assert_int_equal(fh_uframe_number(out), page + 1);
	fh_uframe_put(&out);
	fh_frame_put(&typed);
}

static void uframe_round_trip_keeps_count(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_frame f = claim(page, &fh_untyped_type);
	struct fh_uframe u;
	struct fh_uframe second;
	struct fh_uframe none = fh_uframe_none();

	(void)state;
	CHANGES_NOTHING(OK(fh_uframe_from_frame(&f, &u)));
	assert_int_equal(f.handle, 0);
	assert_int_equal(fh_uframe_paddr(u).bytes, page * 4096);
	CHANGES_NOTHING(f = fh_frame_from_uframe(&u));
	assert_int_equal(u.handle, 0);
	assert_int_equal(fh_frame_number(f), page);
	assert_int_equal(count_of(page), 1);

	OK(fh_uframe_from_frame(&f, &u));
	CHANGES(page, 1, second = fh_uframe_get(u));
	assert_int_equal(fh_uframe_number(second), page);
	assert_int_equal(count_of(page), 2);
	CHANGES(page, 1, fh_uframe_put(&u));
	assert_int_equal(u.handle, 0);
	assert_int_equal(count_of(page), 1);
	CHANGES_NOTHING(fh_uframe_put(&none));
	CHANGES(page, 1, fh_uframe_put(&second));
	assert_int_equal(state_of(page), FH_STATE_FREE);
	NOTHING_HELD(free_before);
}

/* ---- Contexts ---- */

/* The hosted machine ends the process when interrupts do not balance. */
static void calls_work_with_interrupts_off(void **state)
{
	uint64_t free_before = count_free();
	struct fh_frame f;
	struct fh_frame second;
	uint64_t saved = fh_host_irq_save();

	(void)state;
	OK(fh_frame_alloc(NULL, &fh_untyped_type, NULL, &f));
	OK(fh_frame_from_in_use(fh_frame_paddr(f), &second));
	fh_frame_put(&f);
	f = fh_frame_get(second);
	fh_frame_put(&second);
	fh_frame_put(&f);
	f = claim(fresh_pages(1), &fh_untyped_type);
	fh_frame_put(&f);
	fh_host_irq_restore(saved);
	NOTHING_HELD(free_before);
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(from_unused_free_page),
		cmocka_unit_test(failed_claim_changes_nothing),
		cmocka_unit_test(from_in_use_adds_one),
		cmocka_unit_test(from_in_use_refuses_unshared_pages),
		cmocka_unit_test(frame_shows_type_and_usage),
		cmocka_unit_test(frame_address_level_and_size),
		cmocka_unit_test(frame_slot_is_its_pages_slot),
		cmocka_unit_test(get_adds_one_put_takes_one),
		cmocka_unit_test(borrow_changes_nothing),
		cmocka_unit_test(borrowed_frame_can_be_got),
		cmocka_unit_test(into_raw_runs_no_on_drop),
		cmocka_unit_test(from_raw_restores_the_same_frame),
		cmocka_unit_test(from_raw_refuses_unshared_pages),
		cmocka_unit_test(inc_then_from_raw),
		cmocka_unit_test(inc_of_unshared_page_stops),
		cmocka_unit_test(count_limit),
		cmocka_unit_test(put_of_unshared_page_stops),
		cmocka_unit_test(ended_handle_stops_checked_builds),
		cmocka_unit_test(uframe_from_frame_needs_untyped),
		cmocka_unit_test(uframe_round_trip_keeps_count),
		cmocka_unit_test(calls_work_with_interrupts_off),
	};

	for (size_t i = 0; i < LENGTH(tests); i++) {
		tests[i].setup_func = start_machine;
		tests[i].teardown_func = stop_machine;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
