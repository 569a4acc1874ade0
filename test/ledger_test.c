/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The ledger: units by kind after every operation, misuse that it stops with
 * both call sites, and the leak report. Unchecked builds keep no ledger: each
 * test says there what holds without one.
 */
#include <string.h>

#include "harness.h"

/* What no call writes. */
#define UNTOUCHED UINT64_C(0x123456789a)

/* One call site, wherever the compiler puts its own copies. */
__attribute__((noinline)) static struct fh_frame claim(uint64_t frame)
{
	struct fh_frame f;

	OK(fh_frame_from_unused(address_of(frame), &counting_type, NULL, &f));
	return f;
}

static struct fh_unique claim_unique(uint64_t frame)
{
	struct fh_unique u;

	OK(fh_unique_from_unused(address_of(frame), &linkable_type, NULL, &u));
	return u;
}

static struct fh_segment claim_pages(uint64_t first, uint64_t n)
{
	struct fh_segment s;

	OK(fh_segment_from_unused(address_of(first), address_of(first + n),
				  &counting_type, NULL, &s));
	return s;
}

/* ---- Units by kind ---- */

struct units {
	uint64_t frames;
	uint64_t segments;
	uint64_t raws;
	uint64_t uniques;
	uint64_t lists;
};

static struct fh_ledger_page units_of(uint64_t frame)
{
	struct fh_view_page page;
	struct fh_view view = {frame, 1, &page};

	fh_view_take(&view);
	return page.units;
}

static void assert_no_units(uint64_t frame)
{
	static const struct fh_ledger_page none;
	struct fh_ledger_page found = units_of(frame);

	found.forgotten_at = 0;
	found.restored_at = 0;
	assert_memory_equal(&found, &none, sizeof(none));
}

/* Exactly these owners, by the ledger, by the state word, by the audit. */
static void assert_units(uint64_t frame, struct units expected)
{
	struct fh_ledger_page found = units_of(frame);
	uint64_t shares = expected.frames + expected.segments + expected.raws;

	AUDIT();
	if (shares > 0 && state_of(frame) != FH_STATE_UNIQUE)
		assert_int_equal(state_of(frame), FH_STATE_SHARED(shares));
	if (!FH_CHECKED) {
		assert_no_units(frame);
		return;
	}
	assert_int_equal(found.frames, expected.frames);
	assert_int_equal(found.segments, expected.segments);
	assert_int_equal(found.raws, expected.raws);
	assert_int_equal(found.uniques, expected.uniques);
	assert_int_equal(found.lists, expected.lists);
	assert_int_equal(found.entries, 0);
	assert_int_equal(found.roots, 0);
	assert_int_equal(found.deferred, 0);
	assert_int_equal(fh_ledger_units(frame, FH_UNIT_FRAME),
			 expected.frames);
	assert_int_equal(fh_ledger_units(frame, FH_UNIT_SEGMENT),
			 expected.segments);
	assert_int_equal(fh_ledger_units(frame, FH_UNIT_RAW), expected.raws);
	assert_int_equal(fh_ledger_units(frame, FH_UNIT_UNIQUE),
			 expected.uniques);
	assert_int_equal(fh_ledger_units(frame, FH_UNIT_LIST), expected.lists);
}

#define UNITS(frame, ...) assert_units((frame), (struct units){__VA_ARGS__})

static void follow_frames(uint64_t frame)
{
	struct fh_frame f = claim(frame);
	struct fh_frame g, h;
	struct fh_unique u;
	struct fh_segment s;

	UNITS(frame, .frames = 1);
	g = fh_frame_get(f);
	UNITS(frame, .frames = 2);
	OK(fh_frame_from_in_use(address_of(frame), &h));
	UNITS(frame, .frames = 3);
	fh_frame_put(&h);
	h = fh_frame_ref_get(fh_frame_borrow(f));
	UNITS(frame, .frames = 3);
	assert_int_equal(fh_frame_into_raw(&h).bytes, frame * FH_PAGE_SIZE);
	UNITS(frame, .frames = 2, .raws = 1);
	OK(fh_frame_inc(address_of(frame)));
	UNITS(frame, .frames = 2, .raws = 2);
	OK(fh_frame_from_raw(address_of(frame), &h));
	UNITS(frame, .frames = 3, .raws = 1);
	fh_frame_put(&g);
	UNITS(frame, .frames = 2, .raws = 1);
	s = fh_segment_from_frame(&h);
	UNITS(frame, .frames = 1, .segments = 1, .raws = 1);
	fh_segment_put(&s);
	UNITS(frame, .frames = 1, .raws = 1);
	OK(fh_frame_from_raw(address_of(frame), &g));
	fh_frame_put(&g);
	UNITS(frame, .frames = 1);
	OK(fh_unique_from_frame(&f, &u));
	UNITS(frame, .uniques = 1);
	f = fh_frame_from_unique(&u);
	UNITS(frame, .frames = 1);
	fh_frame_put(&f);
	assert_no_units(frame);
}

static void follow_uniques(uint64_t frame)
{
	struct fh_list list = fh_list_none();
	struct fh_unique u = claim_unique(frame);
	struct fh_list_cursor cursor;

	UNITS(frame, .uniques = 1);
	OK(fh_unique_repurpose(u, &linkable_type, NULL));
	UNITS(frame, .uniques = 1);
	assert_int_equal(fh_unique_into_raw(&u).bytes, frame * FH_PAGE_SIZE);
	UNITS(frame, .raws = 1);
	OK(fh_unique_from_raw(address_of(frame), &u));
	UNITS(frame, .uniques = 1);
	OK(fh_list_push_back(&list, &u));
	UNITS(frame, .lists = 1);
	OK(fh_list_pop_front(&list, &u));
	UNITS(frame, .uniques = 1);
	cursor = fh_list_cursor_back(&list);
	OK(fh_list_cursor_insert_before(&cursor, &u));
	UNITS(frame, .lists = 1);
	OK(fh_list_cursor_at(&list, address_of(frame), &cursor));
	OK(fh_list_cursor_take(&cursor, &u));
	UNITS(frame, .uniques = 1);
	OK(fh_list_push_front(&list, &u));
	fh_list_drop(&list);
	assert_no_units(frame);
}

static void follow_segments(uint64_t first)
{
	struct fh_segment s = claim_pages(first, 3);
	struct fh_segment low, high, slice;
	struct fh_range range;
	struct fh_frame f;

	for (uint64_t i = first; i < first + 3; i++)
		UNITS(i, .segments = 1);
	OK(fh_segment_slice(s, 1, 2, &slice));
	UNITS(first, .segments = 1);
	UNITS(first + 1, .segments = 2);
	UNITS(first + 2, .segments = 1);
	OK(fh_segment_split(&s, 1, &low, &high));
	UNITS(first, .segments = 1);
	UNITS(first + 1, .segments = 2);
	UNITS(first + 2, .segments = 1);
	OK(fh_segment_next(&high, &f));
	UNITS(first + 1, .segments = 1, .frames = 1);
	UNITS(first + 2, .segments = 1);
	range = fh_segment_into_raw(&high);
	UNITS(first + 1, .segments = 1, .frames = 1);
	UNITS(first + 2, .raws = 1);
	OK(fh_segment_from_raw(range, &high));
	UNITS(first + 2, .segments = 1);
	fh_segment_put(&slice);
	UNITS(first + 1, .frames = 1);
	fh_segment_put(&low);
	fh_segment_put(&high);
	fh_frame_put(&f);
	for (uint64_t i = first; i < first + 3; i++)
		assert_no_units(i);
}

static void units_follow_every_owner(void **state)
{
	uint64_t free_before = count_free();
	struct fh_segment s;
	struct fh_frame f;
	struct fh_unique u;
	uint64_t retired;

	(void)state;
	follow_frames(fresh_pages(1));
	follow_uniques(fresh_pages(1));
	follow_segments(fresh_pages(3));

	OK(fh_frame_alloc(NULL, &counting_type, NULL, &f));
	UNITS(fh_frame_number(f), .frames = 1);
	OK(fh_unique_alloc(NULL, &counting_type, NULL, &u));
	UNITS(fh_unique_number(u), .uniques = 1);
	OK(fh_segment_alloc(2, NULL, &counting_type, NULL, &s));
	UNITS(fh_segment_first(s), .segments = 1);
	UNITS(fh_segment_first(s) + 1, .segments = 1);
	fh_frame_put(&f);
	fh_unique_put(&u);
	fh_segment_put(&s);
	NOTHING_HELD(free_before);

	/* What bring-up and retirement hold is raw from the start. */
	retired = fresh_pages(1);
	OK(fh_alloc_retire(retired, 1));
	UNITS(retired, .raws = 1);
	UNITS(RESERVED_PAGE, .raws = 1);
	UNITS(KERNEL_PAGE, .raws = 1);
	UNITS(0, .raws = 1);
}

/* A failed call moves no unit: the views of REFUSES compare them. */
static void failed_calls_move_no_unit(void **state)
{
	uint64_t first = fresh_pages(3);
	struct fh_frame f = claim(first);
	struct fh_frame second = fh_frame_get(f);
	struct fh_unique u = {UNTOUCHED};
	struct fh_segment s = {UNTOUCHED, UNTOUCHED};
	struct fh_uframe untyped = {UNTOUCHED};

	(void)state;
	REFUSES(FH_E_IN_USE, fh_unique_from_frame(&f, &u));
	REFUSES(FH_E_WRONG_TYPE, fh_uframe_from_frame(&f, &untyped));
	REFUSES(FH_E_UNUSED, fh_frame_from_raw(address_of(first + 1), &f));
	REFUSES(FH_E_IN_USE, fh_segment_from_unused(address_of(first - 1),
						    address_of(first + 1),
						    &counting_type, NULL, &s));
	UNITS(first, .frames = 2);
	fh_frame_put(&f);
	fh_frame_put(&second);
}

/* ---- Misuse, and who did it ---- */

/*
 * Functions that do one thing at one place, so that a call site tells which
 * one it was. The mark keeps their bodies from being merged.
 */
static int mark;

#define PLACE(name)                                                            \
	static void name(void *arg);                                           \
	__attribute__((noinline)) static void name(void *arg)

PLACE(put_here)
{
	mark = 1;
	fh_frame_put(arg);
	mark++;
}

PLACE(put_there)
{
	mark = 2;
	fh_frame_put(arg);
	mark++;
}

PLACE(get_there)
{
	mark = 3;
	struct fh_frame f = fh_frame_get(*(struct fh_frame *)arg);

	(void)f;
	mark++;
}

PLACE(borrow_there)
{
	mark = 4;
	struct fh_frame_ref ref = fh_frame_borrow(*(struct fh_frame *)arg);

	(void)ref;
	mark++;
}

PLACE(forget_here)
{
	mark = 5;
	assert_int_not_equal(fh_frame_into_raw(arg).bytes, 0);
	mark++;
}

PLACE(restore_here)
{
	struct fh_frame *f = arg;

	mark = 6;
	OK(fh_frame_from_raw(fh_frame_paddr(*f), f));
	mark++;
}

PLACE(restore_there)
{
	struct fh_frame *f = arg;

	mark = 7;
	OK(fh_frame_from_raw(fh_frame_paddr(*f), f));
	mark++;
}

/* Whether the site lies in `place`: no other one begins nearer before it. */
static bool is_in(uintptr_t site, void (*place)(void *arg))
{
	static void (*const places[])(void *arg) = {
		put_here,    put_there,    get_there,     borrow_there,
		forget_here, restore_here, restore_there,
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (site - (uintptr_t)places[i] < site - (uintptr_t)place)
			return false;
	return site - (uintptr_t)place < 4096;
}

static void assert_sites(void (*now)(void *arg), void (*earlier)(void *arg),
			 uint64_t frame)
{
	assert_int_equal(stop_finding.frame, frame);
	assert_true(is_in(stop_finding.site, now));
	assert_true(is_in(stop_finding.earlier_site, earlier));
}

static void put_of_copied_handle_stops(void **state)
{
	uint64_t frame = fresh_pages(1);
	struct fh_frame f = claim(frame);
	struct fh_frame copy = f;
	struct fh_frame second = fh_frame_get(f);

	(void)state;
	if (FH_CHECKED) {
		put_here(&f);
		/* Even though somebody else still holds the page. */
		STOPS("handle", put_there, &copy);
		assert_sites(put_there, put_here, frame);
		STOPS("handle", get_there, &copy);
		assert_sites(get_there, put_here, frame);
		STOPS("handle", borrow_there, &copy);
		assert_sites(borrow_there, put_here, frame);
		assert_int_equal(state_of(frame), FH_STATE_ONE);
		fh_frame_put(&second);
	} else {
		put_here(&f);
		put_here(&second);
		/* Nobody holds the page: that much the state word says. */
		STOPS("put", put_there, &copy);
		assert_int_equal(stop_finding.frame, frame);
		assert_int_equal(stop_finding.state, FH_STATE_FREE);
		force_state(frame, FH_STATE_FREE);
	}
	assert_int_equal(drops, 1);
	AUDIT();
}

static void put_segment(void *arg)
{
	fh_segment_put(arg);
}

static void next_of_segment(void *arg)
{
	struct fh_frame f;

	OK(fh_segment_next(arg, &f));
}

static void get_segment(void *arg)
{
	struct fh_segment s = fh_segment_get(*(struct fh_segment *)arg);

	(void)s;
}

static void slice_segment(void *arg)
{
	struct fh_segment slice;

	OK(fh_segment_slice(*(struct fh_segment *)arg, 0, 1, &slice));
}

static void split_segment(void *arg)
{
	struct fh_segment low, high;

	OK(fh_segment_split(arg, 1, &low, &high));
}

static void borrow_of_segment(void *arg)
{
	struct fh_frame_ref ref;

	OK(fh_segment_borrow(*(struct fh_segment *)arg, 0, &ref));
}

static void forget_segment(void *arg)
{
	struct fh_range range = fh_segment_into_raw(arg);

	(void)range;
}

/* Every operation on a copy stops; the segment was moved away under it. */
static void assert_copy_stops(struct fh_segment copy, uint64_t frame)
{
	static void (*const operations[])(void *arg) = {
		put_segment,   next_of_segment,   get_segment,    slice_segment,
		split_segment, borrow_of_segment, forget_segment,
	};

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]);
	     i++) {
		struct fh_segment s = copy;

		STOPS("handle", operations[i], &s);
		assert_int_equal(stop_finding.frame, frame);
		assert_int_not_equal(stop_finding.site, 0);
		assert_int_not_equal(stop_finding.earlier_site, 0);
	}
}

static void copied_segment_stops(void **state)
{
	uint64_t first = fresh_pages(4);
	struct fh_segment s = claim_pages(first, 4);
	struct fh_segment copy = s;
	struct fh_segment low, high;
	struct fh_frame f;
	struct fh_range range;

	(void)state;
	if (!FH_CHECKED) {
		/* The second put finds a page that nobody shares. */
		fh_segment_put(&s);
		STOPS("put", put_segment, &copy);
		assert_int_equal(stop_finding.frame, first);
		force_state(first, FH_STATE_FREE);
		AUDIT();
		return;
	}
	OK(fh_segment_next(&s, &f));
	assert_copy_stops(copy, first);
	copy = s;
	OK(fh_segment_split(&s, 1, &low, &high));
	assert_copy_stops(copy, first + 1);
	copy = high;
	range = fh_segment_into_raw(&high);
	assert_copy_stops(copy, first + 2);
	OK(fh_segment_from_raw(range, &high));
	/* A part is none of its own. */
	copy = high;
	copy.count = 1;
	STOPS("handle", put_segment, &copy);
	copy = high;
	fh_segment_put(&high);
	assert_copy_stops(copy, first + 2);
	fh_segment_put(&low);
	fh_frame_put(&f);
	assert_int_equal(drops, 4);
	assert_true(fh_ledger_is_clean());
	AUDIT();
}

static void put_unique(void *arg)
{
	fh_unique_put(arg);
}

static void repurpose_unique(void *arg)
{
	OK(fh_unique_repurpose(*(struct fh_unique *)arg, &counting_type, NULL));
}

static void share_unique(void *arg)
{
	struct fh_frame f = fh_frame_from_unique(arg);

	(void)f;
}

static void push_unique(void *arg)
{
	struct fh_list list = fh_list_none();

	OK(fh_list_push_back(&list, arg));
}

static void copied_unique_stops(void **state)
{
	static void (*const operations[])(void *arg) = {
		put_unique, repurpose_unique, share_unique, push_unique};
	uint64_t frame = fresh_pages(1);
	struct fh_unique u = claim_unique(frame);
	struct fh_unique copy = u;
	struct fh_list list = fh_list_none();

	(void)state;
	if (!FH_CHECKED) {
		/* Nothing tells them apart, as long as the page is unique. */
		assert_int_equal(copy.handle, frame);
		fh_unique_put(&u);
		return;
	}
	OK(fh_list_push_front(&list, &u));
	uint64_t id = list.id;

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]);
	     i++) {
		struct fh_unique again = copy;

		STOPS("handle", operations[i], &again);
		assert_int_equal(stop_finding.frame, frame);
		/* Pushing it twice gets as far as the id. */
		fh_list_id_store_relaxed(frame, id);
	}
	fh_list_drop(&list);
	assert_int_equal(drops, 1);
	AUDIT();
}

static void from_raw_twice(void **state)
{
	uint64_t frame = fresh_pages(1);
	struct fh_frame f = claim(frame);
	struct fh_frame again = f;

	(void)state;
	forget_here(&f);
	assert_int_equal(f.handle, 0);
	f = again;
	restore_here(&f);
	if (FH_CHECKED) {
		STOPS("restore", restore_there, &again);
		assert_sites(restore_there, restore_here, frame);
		assert_int_equal(state_of(frame), FH_STATE_ONE);
		UNITS(frame, .frames = 1);
	} else {
		/* Somebody shares the page: that is all there is to see. */
		restore_there(&again);
		assert_int_equal(fh_frame_number(again), frame);
		assert_int_equal(state_of(frame), FH_STATE_ONE);
	}
	fh_frame_put(&f);
	assert_int_equal(drops, 1);
	AUDIT();
}

static void restore_range(void *arg)
{
	struct fh_segment s;

	OK(fh_segment_from_raw(*(struct fh_range *)arg, &s));
}

static void restore_of_never_forgotten_stops(void **state)
{
	uint64_t first = fresh_pages(3);
	struct fh_range range = {.first = first, .count = 3};
	struct fh_frame f = claim(first + 2);
	struct fh_frame again = f;
	struct fh_segment s = claim_pages(first, 2);

	(void)state;
	if (!FH_CHECKED) {
		restore_there(&again);
		assert_int_equal(fh_frame_number(again), first + 2);
		fh_frame_put(&f);
		fh_segment_put(&s);
		return;
	}
	STOPS("restore", restore_there, &again);
	assert_int_equal(stop_finding.frame, first + 2);
	assert_true(is_in(stop_finding.site, restore_there));
	assert_int_equal(stop_finding.earlier_site, 0);

	/* One page of a range is enough, and then no page is restored. */
	assert_int_equal(fh_segment_into_raw(&s).count, 2);
	STOPS("restore", restore_range, &range);
	assert_int_equal(stop_finding.frame, first + 2);
	UNITS(first, .raws = 1);
	UNITS(first + 1, .raws = 1);
	UNITS(first + 2, .frames = 1);
	range.count = 2;
	OK(fh_segment_from_raw(range, &s));
	fh_segment_put(&s);
	fh_frame_put(&f);
	assert_int_equal(drops, 3);
}

/* Bits that nobody gave out, put where a handle's record is named. */
static void forged_handle_stops(void **state)
{
	uint64_t first = fresh_pages(2);
	struct fh_segment s = claim_pages(first, 1);
	struct fh_frame without_record = {first};
	struct fh_frame fresh_record = {first + 1000 * FH_FRAME_NUMBER_END};
	struct fh_frame last_record = {
		first + (UINT64_MAX - UINT64_MAX % FH_FRAME_NUMBER_END)};
	struct fh_frame free_page = {first + 1};
	struct fh_unique u;

	(void)state;
	STOPS(FH_CHECKED ? "units" : "put", put_there, &free_page);
	force_state(first + 1, FH_STATE_FREE);
	if (!FH_CHECKED) {
		/* The number is all there is: a reference of the segment's. */
		assert_int_equal(s.handle, first);
		fh_segment_put(&s);
		return;
	}
	/* The page is held, but not by a frame. */
	STOPS("units", put_there, &without_record);
	assert_int_equal(stop_finding.frame, first);
	STOPS("handle", put_there, &fresh_record);
	STOPS("handle", get_there, &fresh_record);
	STOPS("handle", put_there, &last_record);
	STOPS("handle", get_there, &last_record);
	assert_int_equal(stop_finding.frame, first);
	UNITS(first, .segments = 1);

	/* A handle that is live, but of another kind. */
	u = claim_unique(first + 1);
	struct fh_frame of_unique = {u.handle};
	struct fh_frame of_segment = {s.handle};

	STOPS("handle", put_there, &of_unique);
	STOPS("handle", get_there, &of_unique);
	STOPS("handle", put_there, &of_segment);
	STOPS("handle", borrow_there, &of_segment);
	UNITS(first, .segments = 1);
	UNITS(first + 1, .uniques = 1);
	fh_unique_put(&u);
	fh_segment_put(&s);
}

/* A count that was written by somebody else ends a page that is held. */
static void drop_under_a_holder_stops(void **state)
{
	uint64_t frame = fresh_pages(1);
	struct fh_frame f = claim(frame);
	struct fh_frame second = fh_frame_get(f);

	(void)state;
	force_state(frame, FH_STATE_ONE);
	if (!FH_CHECKED) {
		fh_frame_put(&f);
		STOPS("put", put_there, &second);
		force_state(frame, FH_STATE_FREE);
		AUDIT();
		return;
	}
	STOPS("dropped", put_here, &f);
	assert_int_equal(stop_finding.frame, frame);
	assert_int_equal(drops, 0);
	force_state(frame, FH_STATE_ONE);
	fh_frame_put(&second);
	assert_int_equal(drops, 1);
	AUDIT();
}

/* ---- Handles and their records ---- */

static void clean_once_everything_is_put(void **state)
{
	uint64_t first = fresh_pages(6);
	struct fh_list list = fh_list_none();
	struct fh_frame f, second;
	struct fh_unique u;
	struct fh_segment s;

	(void)state;
	assert_true(fh_ledger_is_clean());
	f = claim(first);
	assert_int_equal(fh_ledger_is_clean(), !FH_CHECKED);
	second = fh_frame_get(f);
	fh_frame_put(&f);
	assert_int_equal(fh_ledger_is_clean(), !FH_CHECKED);
	fh_frame_put(&second);
	assert_true(fh_ledger_is_clean());

	u = claim_unique(first + 1);
	assert_int_equal(fh_ledger_is_clean(), !FH_CHECKED);
	/* A list has its members itself: no handle is left. */
	OK(fh_list_push_back(&list, &u));
	assert_true(fh_ledger_is_clean());
	OK(fh_list_pop_back(&list, &u));
	assert_int_equal(fh_ledger_is_clean(), !FH_CHECKED);
	fh_unique_put(&u);
	assert_true(fh_ledger_is_clean());

	s = claim_pages(first + 2, 3);
	OK(fh_segment_next(&s, &f));
	assert_int_equal(fh_segment_into_raw(&s).count, 2);
	assert_int_equal(fh_ledger_is_clean(), !FH_CHECKED);
	assert_int_equal(fh_frame_into_raw(&f).bytes,
			 (first + 2) * FH_PAGE_SIZE);
	assert_true(fh_ledger_is_clean());
	/* Forgotten is not gone: the audit still knows whose pages they are. */
	UNITS(first + 2, .raws = 1);
	UNITS(first + 3, .raws = 1);

	/* A segment that was drained by next has no handle any more. */
	s = claim_pages(first + 5, 1);
	OK(fh_segment_next(&s, &f));
	fh_frame_put(&f);
	assert_true(fh_ledger_is_clean());
}

static void leaks_are_grouped_by_site(void **state)
{
	uint64_t first = fresh_pages(3);
	uint64_t range = fresh_pages(4);
	struct fh_frame frames[3];
	struct fh_leak leaks[8];
	struct fh_segment s;
	size_t n;

	(void)state;
	assert_int_equal(fh_ledger_leaks(leaks, 8), 0);
	s = claim_pages(range, 4);
	for (uint64_t i = 0; i < 2; i++)
		frames[i] = claim(first + i);
	frames[2] = fh_frame_get(frames[0]);
	n = fh_ledger_leaks(leaks, 8);
	if (!FH_CHECKED) {
		assert_int_equal(n, 0);
	} else {
		/* Two of one site; one of another; one of another kind. */
		assert_int_equal(n, 3);
		assert_int_equal(leaks[0].kind, FH_UNIT_FRAME);
		assert_int_equal(leaks[0].first, first);
		assert_int_equal(leaks[0].count, 1);
		assert_int_equal(leaks[0].handles, 2);
		for (size_t i = 1; i < 3; i++) {
			bool is_segment = leaks[i].kind == FH_UNIT_SEGMENT;

			assert_int_equal(leaks[i].handles, 1);
			assert_int_equal(leaks[i].first,
					 is_segment ? range : first);
			assert_int_equal(leaks[i].count, is_segment ? 4 : 1);
		}
		assert_int_not_equal(leaks[1].kind, leaks[2].kind);
		for (size_t i = 0; i < 3; i++) {
			assert_int_not_equal(leaks[i].site, 0);
			assert_int_not_equal(leaks[i].site,
					     leaks[(i + 1) % 3].site);
		}
		/* No more groups than there is room for. */
		leaks[1].handles = UNTOUCHED;
		assert_int_equal(fh_ledger_leaks(leaks, 1), 1);
		assert_int_equal(leaks[1].handles, UNTOUCHED);
		assert_int_equal(fh_ledger_leaks(leaks, 0), 0);
	}
	fh_frame_put(&frames[1]);
	fh_segment_put(&s);
	n = fh_ledger_leaks(leaks, 8);
	assert_int_equal(n, FH_CHECKED ? 2 : 0);
	fh_frame_put(&frames[0]);
	fh_frame_put(&frames[2]);
	assert_int_equal(fh_ledger_leaks(leaks, 8), 0);
}

/* One handle of each origin, all made in this function. */
__attribute__((noinline)) static size_t
make_handles(uint64_t first, struct fh_frame *frames, struct fh_unique *uniques,
	     struct fh_segment *segments)
{
	struct fh_list list = fh_list_none();
	struct fh_range range = {.first = first + 9, .count = 2};
	struct fh_list_cursor cursor;
	struct fh_segment whole;

	OK(fh_frame_from_unused(address_of(first), &other_type, NULL,
				&frames[0]));
	frames[1] = fh_frame_get(frames[0]);
	OK(fh_frame_from_in_use(address_of(first), &frames[2]));
	frames[3] = fh_frame_ref_get(fh_frame_borrow(frames[0]));
	OK(fh_frame_inc(address_of(first)));
	OK(fh_frame_from_raw(address_of(first), &frames[4]));
	OK(fh_frame_alloc(NULL, &other_type, NULL, &frames[5]));

	for (uint64_t i = 0; i < 3; i++)
		uniques[i] = claim_unique(first + 1 + i);
	frames[6] = fh_frame_from_unique(&uniques[0]);
	OK(fh_unique_from_frame(&frames[6], &uniques[0]));
	assert_int_not_equal(fh_unique_into_raw(&uniques[1]).bytes, 0);
	OK(fh_unique_from_raw(address_of(first + 2), &uniques[1]));
	OK(fh_list_push_front(&list, &uniques[2]));
	OK(fh_list_pop_front(&list, &uniques[2]));
	OK(fh_unique_from_unused(address_of(first + 4), &linkable_type, NULL,
				 &uniques[3]));
	OK(fh_list_push_front(&list, &uniques[3]));
	OK(fh_list_pop_back(&list, &uniques[3]));
	OK(fh_unique_alloc(NULL, &linkable_type, NULL, &uniques[4]));
	OK(fh_list_push_front(&list, &uniques[4]));
	cursor = fh_list_cursor_front(&list);
	OK(fh_list_cursor_take(&cursor, &uniques[4]));
	OK(fh_unique_alloc(NULL, &linkable_type, NULL, &uniques[5]));

	OK(fh_segment_from_unused(address_of(first + 5), address_of(first + 9),
				  &other_type, NULL, &segments[0]));
	OK(fh_segment_next(&segments[0], &frames[6]));
	OK(fh_segment_slice(segments[0], 0, 1, &segments[1]));
	whole = fh_segment_get(segments[0]);
	OK(fh_segment_split(&whole, 1, &segments[2], &segments[3]));
	segments[4] = fh_segment_from_frame(&frames[6]);
	OK(fh_segment_from_unused(address_of(first + 9), address_of(first + 11),
				  &other_type, NULL, &segments[5]));
	range = fh_segment_into_raw(&segments[5]);
	OK(fh_segment_from_raw(range, &segments[5]));
	OK(fh_segment_alloc(3, NULL, &other_type, NULL, &segments[6]));
	frames[6] = fh_frame_get(frames[0]);
	return 7 + 6 + 7;
}

static void leak_report_knows_every_origin(void **state)
{
	uint64_t first = fresh_pages(11);
	struct fh_frame frames[7];
	struct fh_unique uniques[6];
	struct fh_segment segments[7];
	struct fh_leak leaks[32];
	size_t handles = make_handles(first, frames, uniques, segments);
	size_t n = fh_ledger_leaks(leaks, 32);

	(void)state;
	AUDIT();
	for (size_t i = 0; i < n; i++) {
		/* A call in make_handles(), or in the helper it calls. */
		uintptr_t site = leaks[i].site - (uintptr_t)make_handles;
		uintptr_t helper = leaks[i].site - (uintptr_t)claim_unique;

		assert_true(site < 16384 || helper < 4096);
		handles -= leaks[i].handles;
	}
	assert_int_equal(handles, FH_CHECKED ? 0 : 20);
	for (size_t i = 0; i < 7; i++)
		fh_frame_put(&frames[i]);
	for (size_t i = 0; i < 6; i++)
		fh_unique_put(&uniques[i]);
	for (size_t i = 0; i < 7; i++)
		fh_segment_put(&segments[i]);
	assert_int_equal(fh_ledger_leaks(leaks, 32), 0);
	assert_true(fh_ledger_is_clean());
	AUDIT();
}

/* One site, every kind that has handles. */
static void leaks_are_grouped_by_kind(void **state)
{
	uint64_t first = fresh_pages(4);
	uint64_t handles[3];
	struct fh_leak leaks[8];

	(void)state;
	if (!FH_CHECKED) {
		assert_int_equal(fh_unit_mint(first, 1, FH_UNIT_ENTRY, 1),
				 first);
		assert_int_equal(fh_ledger_leaks(leaks, 8), 0);
		return;
	}
	handles[0] = fh_unit_mint(first, 1, FH_UNIT_ENTRY, 1);
	handles[1] = fh_unit_mint(first + 1, 1, FH_UNIT_ROOT, 1);
	handles[2] = fh_unit_mint(first + 2, 2, FH_UNIT_DEFERRED, 1);
	assert_int_equal(fh_ledger_leaks(leaks, 8), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(leaks[i].kind, FH_UNIT_ENTRY + i);
		assert_int_equal(leaks[i].site, 1);
		assert_int_equal(leaks[i].first, first + i);
		assert_int_equal(fh_ledger_units(first + i, leaks[i].kind), 1);
	}
	assert_int_equal(fh_ledger_units(first + 3, FH_UNIT_DEFERRED), 1);
	fh_unit_redeem(handles[0], 1, FH_UNIT_ENTRY, 1);
	fh_unit_redeem(handles[1], 1, FH_UNIT_ROOT, 1);
	fh_unit_redeem(handles[2], 2, FH_UNIT_DEFERRED, 1);
	assert_true(fh_ledger_is_clean());
	AUDIT();
}

/* Takes a frame and puts it again, n times. */
static void get_and_put(struct fh_frame f, int n)
{
	for (int i = 0; i < n; i++) {
		struct fh_frame copy = fh_frame_get(f);

		fh_frame_put(&copy);
	}
}

static void assert_copy_found(struct fh_frame copy)
{
	if (!FH_CHECKED)
		return;
	STOPS("handle", put_there, &copy);
	assert_sites(put_there, put_here, fh_frame_number(copy));
}

/*
 * A machine of 5023 pages of RAM has as many records. A copy of a handle is
 * found until all the others were used, and none of them gets lost.
 */
static void copy_is_found_for_long(void **state)
{
	static struct fh_frame many[4000];
	struct fh_frame keeper = claim(fresh_pages(1));
	struct fh_frame f = fh_frame_get(keeper);
	struct fh_frame copy = f;

	(void)state;
	put_here(&f);
	get_and_put(keeper, 5000);
	assert_copy_found(copy);

	/* The same again, now that every record was in use before. */
	get_and_put(keeper, 6000);
	f = fh_frame_get(keeper);
	copy = f;
	put_here(&f);
	get_and_put(keeper, 900);
	assert_copy_found(copy);
	for (size_t i = 0; i < 4000; i++) {
		many[i] = fh_frame_get(keeper);
		/* With a record of its own. */
		assert_int_equal(many[i].handle != fh_frame_number(keeper),
				 FH_CHECKED);
	}
	assert_copy_found(copy);
	for (size_t i = 0; i < 4000; i++)
		fh_frame_put(&many[i]);
	fh_frame_put(&keeper);
	assert_int_equal(drops, 1);
	assert_true(fh_ledger_is_clean());
	AUDIT();
}

/* Handles that there is no record for are counted all the same. */
static void handles_beyond_the_records_are_counted(void **state)
{
	enum {
		COUNT = 6000
	};
	static struct fh_frame handles[COUNT];
	uint64_t frame = fresh_pages(1);
	struct fh_leak leaks[4];
	struct fh_frame copy;

	(void)state;
	handles[0] = claim(frame);
	for (size_t i = 1; i < COUNT; i++)
		handles[i] = fh_frame_get(handles[0]);
	UNITS(frame, .frames = COUNT);
	if (FH_CHECKED) {
		/* The last ones are without, and of no group. */
		assert_int_equal(handles[COUNT - 1].handle, frame);
		assert_int_equal(fh_ledger_leaks(leaks, 4), 2);
		assert_true(leaks[0].handles > 4900);
		assert_true(leaks[0].handles < 5100);
	}
	for (size_t i = COUNT - 1; i > 0; i--)
		fh_frame_put(&handles[i]);
	assert_int_equal(fh_ledger_is_clean(), !FH_CHECKED);
	UNITS(frame, .frames = 1);

	/* Records that ended serve again. */
	handles[1] = fh_frame_get(handles[0]);
	copy = handles[1];
	put_here(&handles[1]);
	if (FH_CHECKED) {
		assert_int_not_equal(copy.handle, frame);
		STOPS("handle", put_there, &copy);
	}
	fh_frame_put(&handles[0]);
	assert_true(fh_ledger_is_clean());
	AUDIT();
}

static void units_have_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FH_UNIT_KINDS; i++) {
		assert_non_null(fh_unit_name((enum fh_unit)i));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(fh_unit_name((enum fh_unit)i),
						fh_unit_name((enum fh_unit)j));
	}
	assert_string_equal(fh_unit_name(FH_UNIT_FRAME), "frame");
	assert_string_equal(fh_unit_name(FH_UNIT_LIST), "list");
	assert_non_null(fh_unit_name(FH_UNIT_KINDS));
	assert_non_null(fh_unit_name((enum fh_unit)UINT32_MAX));
}

/* ---- Page table entries, of which only the units exist yet ---- */

static void range_not_mapped_follows_entry_units(void **state)
{
	uint64_t first = fresh_pages(3);
	uint64_t entry;

	(void)state;
	assert_int_equal(fh_range_not_mapped(first, 3), FH_CHECKED);
	assert_int_equal(fh_range_not_mapped(HOLE_PAGE, 10), FH_CHECKED);
	assert_int_equal(fh_range_not_mapped(HIGH_FIRST, 10), FH_CHECKED);
	entry = fh_unit_mint(first + 1, 1, FH_UNIT_ENTRY, 1);
	assert_false(fh_range_not_mapped(first, 3));
	assert_false(fh_range_not_mapped(first + 1, 1));
	assert_false(fh_range_not_mapped(first, 2));
	assert_false(fh_range_not_mapped(0, FRAME_END));
	assert_false(fh_range_not_mapped(0, UINT64_MAX));
	assert_false(fh_range_not_mapped(first + 1, UINT64_MAX));
	assert_int_equal(fh_range_not_mapped(first, 1), FH_CHECKED);
	assert_int_equal(fh_range_not_mapped(first + 2, 1), FH_CHECKED);
	assert_int_equal(fh_range_not_mapped(first + 1, 0), FH_CHECKED);
	assert_int_equal(fh_range_not_mapped(first + 2, UINT64_MAX),
			 FH_CHECKED);
	assert_int_equal(fh_range_not_mapped(UINT64_MAX, UINT64_MAX),
			 FH_CHECKED);
	fh_unit_redeem(entry, 1, FH_UNIT_ENTRY, 1);
	assert_int_equal(fh_range_not_mapped(first, 3), FH_CHECKED);
	AUDIT();
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(units_follow_every_owner),
		cmocka_unit_test(failed_calls_move_no_unit),
		cmocka_unit_test(put_of_copied_handle_stops),
		cmocka_unit_test(copied_segment_stops),
		cmocka_unit_test(copied_unique_stops),
		cmocka_unit_test(from_raw_twice),
		cmocka_unit_test(restore_of_never_forgotten_stops),
		cmocka_unit_test(forged_handle_stops),
		cmocka_unit_test(drop_under_a_holder_stops),
		cmocka_unit_test(clean_once_everything_is_put),
		cmocka_unit_test(leaks_are_grouped_by_site),
		cmocka_unit_test(leak_report_knows_every_origin),
		cmocka_unit_test(leaks_are_grouped_by_kind),
		cmocka_unit_test(copy_is_found_for_long),
		cmocka_unit_test(handles_beyond_the_records_are_counted),
		cmocka_unit_test(units_have_names),
		cmocka_unit_test(range_not_mapped_follows_entry_units),
	};

	each_on_a_machine(tests, sizeof(tests) / sizeof(tests[0]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
