/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Allocation, through alloc.h alone: what holds for any allocator behind it.
 * Free pages may wait in a CPU's cache; a single page is never refused while
 * one is free anywhere, and given runs are found again once all is free.
 */
#include <string.h>

#include "harness.h"

/* What no call writes. */
#define UNTOUCHED UINT64_C(0x123456789a)

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const struct fh_meta words = {{1, UINT64_MAX, 3, 4, 5}};
static const struct fh_alloc_options any = {.zeroed = false};

/* A run of pages that are all free on a machine that was just started. */
#define RUN_FIRST HIGH_FIRST
#define RUN_COUNT 1024

/* ---- All of memory ---- */

/* The frame of each page that the test has, by number. */
static struct fh_frame had[FRAME_END];

static void keep(struct fh_frame f)
{
	uint64_t page = fh_frame_number(f);

	assert_true(page > 0 && page < FRAME_END);
	/* Nobody gets a page that somebody has. */
	assert_false(fh_frame_is_some(had[page]));
	had[page] = f;
}

static void give(uint64_t page)
{
	assert_true(fh_frame_is_some(had[page]));
	fh_frame_put(&had[page]);
}

/* Takes every page there is; returns how many. */
static uint64_t exhaust(void)
{
	uint64_t n = 0;
	struct fh_frame f;

	while (fh_frame_alloc(&any, &other_type, NULL, &f) == FH_OK) {
		keep(f);
		n++;
	}
	assert_int_equal(count_free(), 0);
	return n;
}

/* Gives back what the test has, in an order that has nothing to do with it. */
static void give_everything(void)
{
	/* Odd, so that it meets every page. */
	for (uint64_t i = 0, page = 0; i < FRAME_END;
	     i++, page = (page + 40503) % FRAME_END)
		if (fh_frame_is_some(had[page]))
			give(page);
	for (uint64_t page = 0; page < FRAME_END; page++)
		assert_false(fh_frame_is_some(had[page]));
}

static int start_with_nothing(void **state)
{
	memset(had, 0, sizeof(had));
	return start_machine(state);
}

static int start_dirty_with_nothing(void **state)
{
	memset(had, 0, sizeof(had));
	return start_dirty_machine(state);
}

static struct fh_segment untouched_segment(void)
{
	struct fh_segment s = {UNTOUCHED, UNTOUCHED};

	return s;
}

static void assert_untouched(struct fh_segment s)
{
	assert_int_equal(s.handle, UNTOUCHED);
	assert_int_equal(s.count, UNTOUCHED);
}

/* No call of that kind has what it asks for, and nothing changes. */
static void refuse_frame(const struct fh_alloc_options *options,
			 enum fh_status status)
{
	struct fh_frame f = {UNTOUCHED};
	struct fh_unique u = {UNTOUCHED};

	REFUSES(status, fh_frame_alloc(options, &counting_type, &words, &f));
	REFUSES(status, fh_unique_alloc(options, &counting_type, &words, &u));
	assert_int_equal(f.handle, UNTOUCHED);
	assert_int_equal(u.handle, UNTOUCHED);
}

static void refuse_segment(uint64_t n, const struct fh_alloc_options *options,
			   enum fh_status status)
{
	struct fh_segment s = untouched_segment();

	REFUSES(status,
		fh_segment_alloc(n, options, &counting_type, &words, &s));
	assert_untouched(s);
}

/* ---- What one gets ---- */

static void assert_whole(uint64_t page, uint64_t state,
			 const struct fh_meta_type *type,
			 const struct fh_meta *meta)
{
	assert_int_not_equal(page, 0);
	assert_int_equal(state_of(page), state);
	assert_ptr_equal(fh_slots[page].type, type);
	assert_memory_equal(&fh_slots[page].meta, meta, sizeof(*meta));
	assert_int_equal(fh_slots[page].list, 0);
}

static void allocated_frame_is_whole(void **state)
{
	static const struct fh_alloc_options zeroed = {.zeroed = true};
	const struct fh_alloc_options *options[] = {NULL, &any, &zeroed};
	uint64_t free_before = count_free();
	struct fh_frame f, g;
	struct fh_unique u;

	(void)state;
	for (size_t i = 0; i < LENGTH(options); i++) {
		watch_begin();
		OK(fh_frame_alloc(options[i], &counting_type, &words, &f));
		watch_end(fh_frame_number(f), 1, "fh_frame_alloc", __FILE__,
			  __LINE__);
		assert_whole(fh_frame_number(f), FH_STATE_ONE, &counting_type,
			     &words);
		assert_int_equal(count_free(), free_before - 1);

		watch_begin();
		OK(fh_unique_alloc(options[i], &linkable_type, NULL, &u));
		watch_end(fh_unique_number(u), 1, "fh_unique_alloc", __FILE__,
			  __LINE__);
		assert_int_not_equal(fh_unique_number(u), fh_frame_number(f));
		assert_whole(fh_unique_number(u), FH_STATE_UNIQUE,
			     &linkable_type, &fh_meta_zero);
		assert_int_equal(count_free(), free_before - 2);

		OK(fh_frame_alloc(options[i], &other_type, NULL, &g));
		assert_whole(fh_frame_number(g), FH_STATE_ONE, &other_type,
			     &fh_meta_zero);
		fh_frame_put(&g);
		fh_unique_put(&u);
		fh_frame_put(&f);
	}
	assert_int_equal(drops, 6);
	NOTHING_HELD(free_before);
}

static void type_that_does_not_fit_is_refused(void **state)
{
	static const struct fh_meta_type large_type = {
		.name = "large", .size = FH_META_SIZE + 1};
	static const struct fh_meta_type *const types[] = {NULL, &large_type};
	static const struct fh_alloc_options odd = {.align = 3};

	(void)state;
	for (size_t i = 0; i < LENGTH(types); i++) {
		struct fh_frame f = {UNTOUCHED};
		struct fh_unique u = {UNTOUCHED};
		struct fh_segment s = untouched_segment();

		REFUSES(FH_E_INVALID, fh_frame_alloc(&any, types[i], NULL, &f));
		REFUSES(FH_E_INVALID,
			fh_unique_alloc(NULL, types[i], NULL, &u));
		REFUSES(FH_E_INVALID,
			fh_segment_alloc(2, &odd, types[i], NULL, &s));
		/* Before it matters that no page is asked for. */
		REFUSES(FH_E_INVALID,
			fh_segment_alloc(0, NULL, types[i], NULL, &s));
		assert_int_equal(f.handle, UNTOUCHED);
		assert_int_equal(u.handle, UNTOUCHED);
		assert_untouched(s);
	}
}

static bool is_zero(uint64_t page)
{
	static const unsigned char zero[FH_PAGE_SIZE];

	return memcmp(fh_host_linear(address_of(page)), zero, sizeof(zero)) ==
	       0;
}

static void zeroed_pages_are_zero(void **state)
{
	static const struct fh_alloc_options zeroed = {.zeroed = true};
	struct fh_segment s;
	struct fh_unique u;
	struct fh_frame f;

	(void)state;
	/* Every page of a machine whose memory came up full of junk. */
	for (int round = 0; round < 2; round++) {
		while (fh_frame_alloc(round == 0 ? NULL : &zeroed, &other_type,
				      NULL, &f) == FH_OK) {
			assert_true(is_zero(fh_frame_number(f)));
			keep(f);
			memset(fh_host_linear(fh_frame_paddr(f)), 0xee,
			       FH_PAGE_SIZE);
		}
		assert_int_equal(count_free(), 0);
		give_everything();
	}
	for (int i = 0; i < 20; i++) {
		OK(fh_unique_alloc(NULL, &other_type, NULL, &u));
		assert_true(is_zero(fh_unique_number(u)));
		memset(fh_unique_bytes(u), 0xee, FH_PAGE_SIZE);
		OK(fh_segment_alloc(50, NULL, &other_type, NULL, &s));
		for (uint64_t k = 0; k < 50; k++) {
			uint64_t page = fh_segment_first(s) + k;

			assert_true(is_zero(page));
			memset(fh_host_linear(address_of(page)), 0xee,
			       FH_PAGE_SIZE);
		}
		fh_segment_put(&s);
		fh_unique_put(&u);
	}
	AUDIT();
}

/* Pages that were not asked for zeroed are nobody's to write before. */
static void contents_survive_where_zeroes_are_not_asked_for(void **state)
{
	uint64_t n = exhaust();
	uint64_t page = RUN_FIRST + 17;
	struct fh_frame f;

	(void)state;
	assert_true(n > RUN_COUNT);
	give(page);
	memset(fh_host_linear(address_of(page)), 0x3c, FH_PAGE_SIZE);
	OK(fh_frame_alloc(&any, &other_type, NULL, &f));
	assert_int_equal(fh_frame_number(f), page);
	assert_false(is_zero(page));
	keep(f);
	give_everything();
}

/* ---- Alignment and limit ---- */

static void alloc_within(uint64_t n, uint64_t align, uint64_t below)
{
	struct fh_alloc_options options = {.align = align, .below = below};
	uint64_t end = below == 0 ? FRAME_END : below;
	struct fh_segment s;

	OK(fh_segment_alloc(n, &options, &other_type, NULL, &s));
	assert_int_equal(fh_segment_first(s) % (align == 0 ? 1 : align), 0);
	assert_true(fh_segment_first(s) + n <= end);
	assert_int_equal(fh_segment_count(s), n);
	if (n == 1) {
		struct fh_frame f;
		struct fh_unique u;

		OK(fh_frame_alloc(&options, &other_type, NULL, &f));
		OK(fh_unique_alloc(&options, &other_type, NULL, &u));
		assert_int_equal(fh_frame_number(f) % (align == 0 ? 1 : align),
				 0);
		assert_int_equal(fh_unique_number(u) % (align == 0 ? 1 : align),
				 0);
		assert_true(fh_frame_number(f) < end);
		assert_true(fh_unique_number(u) < end);
		assert_int_not_equal(fh_frame_number(f), fh_unique_number(u));
		fh_frame_put(&f);
		fh_unique_put(&u);
	}
	fh_segment_put(&s);
}

static void alloc_keeps_alignment_and_limit(void **state)
{
	static const uint64_t limits[] = {
		0, 4096, 4000, 3777, HIGH_FIRST + 513, FRAME_END, UINT64_MAX,
	};
	static const uint64_t counts[] = {1, 2, 3, 7, 33, 64, 100};
	static const uint64_t bad[] = {
		3,
		5,
		6,
		7,
		12,
		513,
		UINT64_MAX,
		UINT64_MAX - 1,
		(UINT64_C(1) << 63) + 1,
	};
	uint64_t free_before = count_free();

	(void)state;
	for (size_t i = 0; i < LENGTH(limits); i++)
		for (size_t k = 0; k < LENGTH(counts); k++) {
			alloc_within(counts[k], 0, limits[i]);
			for (uint64_t align = 1; align <= 256; align *= 2)
				alloc_within(counts[k], align, limits[i]);
		}
	NOTHING_HELD(free_before);

	for (size_t i = 0; i < LENGTH(bad); i++) {
		struct fh_alloc_options options = {.align = bad[i]};

		refuse_frame(&options, FH_E_INVALID);
		refuse_segment(1, &options, FH_E_INVALID);
		refuse_segment(0, &options, FH_E_INVALID);
		refuse_segment(UINT64_MAX, &options, FH_E_INVALID);
	}
}

static void refuse_within(uint64_t n, uint64_t align, uint64_t below)
{
	struct fh_alloc_options options = {.align = align, .below = below};

	if (n == 1)
		refuse_frame(&options, FH_E_NO_MEMORY);
	refuse_segment(n, &options, FH_E_NO_MEMORY);
}

/* There is one run that will do. */
static void alloc_exactly(uint64_t n, uint64_t align, uint64_t below,
			  uint64_t first)
{
	struct fh_alloc_options options = {.align = align, .below = below};
	struct fh_segment s;

	OK(fh_segment_alloc(n, &options, &other_type, NULL, &s));
	assert_int_equal(fh_segment_first(s), first);
	fh_segment_put(&s);
}

/* Four pages are free and no others: 8k + 2 .. 8k + 5. */
static void alignment_and_limit_are_exact(void **state)
{
	uint64_t first = RUN_FIRST + 512 + 2;
	struct fh_frame f;

	(void)state;
	exhaust();
	for (uint64_t i = 0; i < 4; i++)
		give(first + i);

	/* Nothing is wanted below page 1, and page 0 is nobody's. */
	refuse_within(1, 1, 1);
	refuse_within(1, 1, first);
	refuse_within(2, 1, first + 1);
	refuse_within(4, 1, first + 3);
	refuse_within(5, 1, 0);
	refuse_within(1, 8, 0);
	refuse_within(1, UINT64_C(1) << 63, 0);
	refuse_within(1, 4, first + 2);
	refuse_within(3, 4, 0);
	refuse_within(2, 4, first + 3);
	refuse_within(4, 2, first + 3);

	alloc_exactly(2, 4, first + 4, first + 2);
	alloc_exactly(2, 2, first + 2, first);
	alloc_exactly(3, 1, first + 3, first);
	alloc_exactly(4, 2, first + 4, first);
	alloc_exactly(4, 1, 0, first);
	alloc_exactly(1, 4, 0, first + 2);
	struct fh_alloc_options aligned = {.align = 4};

	OK(fh_frame_alloc(&aligned, &other_type, NULL, &f));
	assert_int_equal(fh_frame_number(f), first + 2);
	fh_frame_put(&f);
	struct fh_alloc_options lowest = {.below = first + 1};

	OK(fh_frame_alloc(&lowest, &other_type, NULL, &f));
	assert_int_equal(fh_frame_number(f), first);
	fh_frame_put(&f);
	AUDIT();
	give_everything();
}

/* ---- Segments ---- */

static void segment_alloc_is_contiguous(void **state)
{
	static const uint64_t counts[] = {1,  2,   3,   4,   5,   31,  63, 64,
					  65, 100, 127, 128, 300, 511, 512};
	uint64_t free_before = count_free();
	struct fh_segment s, others[LENGTH(counts)];

	(void)state;
	for (size_t i = 0; i < LENGTH(counts); i++) {
		uint64_t n = counts[i];

		drops = 0;
		watch_begin();
		OK(fh_segment_alloc(n, &any, &counting_type, &words, &s));
		watch_end(fh_segment_first(s), n, "fh_segment_alloc", __FILE__,
			  __LINE__);
		assert_int_equal(fh_segment_count(s), n);
		for (uint64_t k = 0; k < n; k++)
			assert_whole(fh_segment_first(s) + k, FH_STATE_ONE,
				     &counting_type, &words);
		assert_int_equal(count_free(), free_before - n);
		fh_segment_put(&s);
		assert_int_equal(drops, n);
		NOTHING_HELD(free_before);
	}
	/* Several at once, none in the way of another. */
	uint64_t all = 0;

	for (size_t i = 0; i < LENGTH(counts); i++) {
		OK(fh_segment_alloc(counts[i], &any, &other_type, NULL,
				    &others[i]));
		all += counts[i];
		for (size_t k = 0; k < i; k++)
			assert_true(fh_segment_end(others[k]).bytes <=
					    fh_segment_start(others[i]).bytes ||
				    fh_segment_end(others[i]).bytes <=
					    fh_segment_start(others[k]).bytes);
	}
	assert_int_equal(count_free(), free_before - all);
	for (size_t i = 0; i < LENGTH(counts); i++)
		fh_segment_put(&others[i]);
	NOTHING_HELD(free_before);
}

static void segment_alloc_errors(void **state)
{
	static const struct fh_alloc_options options[] = {
		{.zeroed = false},
		{.zeroed = true},
		{.align = 8},
		{.below = 4096},
		{.align = 512, .below = UINT64_MAX},
	};
	static const uint64_t too_many[] = {
		FRAME_END,         FH_PAGE_NUMBER_END, FH_PAGE_NUMBER_END + 1,
		UINT64_C(1) << 63, UINT64_MAX - 4095,  UINT64_MAX - 1,
		UINT64_MAX,
	};

	(void)state;
	refuse_segment(0, NULL, FH_E_EMPTY);
	refuse_segment(count_free() + 1, NULL, FH_E_NO_MEMORY);
	for (size_t i = 0; i < LENGTH(options); i++) {
		refuse_segment(0, &options[i], FH_E_EMPTY);
		refuse_segment(count_free() + 1, &options[i], FH_E_NO_MEMORY);
		for (size_t k = 0; k < LENGTH(too_many); k++)
			refuse_segment(too_many[k], &options[i],
				       FH_E_NO_MEMORY);
	}
	assert_int_equal(drops, 0);
}

/* ---- All of memory, again and again ---- */

static void freed_page_is_allocated_again(void **state)
{
	static bool was_had[FRAME_END];
	uint64_t free_before = count_free();
	struct fh_segment s;
	uint64_t n;

	(void)state;
	n = exhaust();
	assert_int_equal(n, free_before);
	for (uint64_t page = 0; page < FRAME_END; page++) {
		was_had[page] = fh_frame_is_some(had[page]);
		n -= was_had[page] ? 1 : 0;
	}
	assert_int_equal(n, 0);
	AUDIT();
	for (int round = 0; round < 3; round++) {
		give_everything();
		NOTHING_HELD(free_before);
		assert_int_equal(exhaust(), free_before);
		for (uint64_t page = 0; page < FRAME_END; page++)
			assert_int_equal(fh_frame_is_some(had[page]),
					 was_had[page]);
	}
	give_everything();
	/* Nothing is left in pieces. */
	OK(fh_segment_alloc(512, &any, &other_type, NULL, &s));
	fh_segment_put(&s);
	NOTHING_HELD(free_before);
}

static void single_page_is_found_wherever_it_is(void **state)
{
	struct fh_frame f;
	uint64_t tried = 0;

	(void)state;
	exhaust();
	for (uint64_t page = 1; page < FRAME_END; page++) {
		if (!fh_frame_is_some(had[page]) || page % 7 != 0)
			continue;
		give(page);
		assert_int_equal(count_free(), 1);
		OK(fh_frame_alloc(&any, &other_type, NULL, &f));
		assert_int_equal(fh_frame_number(f), page);
		keep(f);
		tried++;
	}
	assert_true(tried > 500);
	give_everything();
	AUDIT();
}

static void out_of_memory_changes_nothing(void **state)
{
	static const struct fh_alloc_options options[] = {
		{.zeroed = false}, {.zeroed = true}, {.align = 1},
		{.align = 64},     {.below = 4096},  {.align = 2, .below = 8},
	};
	struct fh_frame f;

	(void)state;
	exhaust();
	refuse_frame(NULL, FH_E_NO_MEMORY);
	refuse_segment(1, NULL, FH_E_NO_MEMORY);
	for (size_t i = 0; i < LENGTH(options); i++) {
		refuse_frame(&options[i], FH_E_NO_MEMORY);
		refuse_segment(1, &options[i], FH_E_NO_MEMORY);
		refuse_segment(2, &options[i], FH_E_NO_MEMORY);
		refuse_segment(1000, &options[i], FH_E_NO_MEMORY);
	}

	/* One page more each time, no two of them neighbours. */
	for (uint64_t n = 1; n <= 12; n++) {
		for (uint64_t i = 0; i < n; i++)
			give(RUN_FIRST + 2 * i);
		assert_int_equal(count_free(), n);
		refuse_segment(2, NULL, FH_E_NO_MEMORY);
		refuse_segment(n + 1, &any, FH_E_NO_MEMORY);
		for (uint64_t i = 0; i < n; i++) {
			OK(fh_frame_alloc(&any, &other_type, NULL, &f));
			keep(f);
		}
		refuse_frame(&any, FH_E_NO_MEMORY);
		refuse_segment(1, &any, FH_E_NO_MEMORY);
	}
	assert_int_equal(drops, 0);
	give_everything();
	AUDIT();
}

/* ---- An allocator that is wrong ---- */

/* Makes a page that is free in the allocator somebody's, by hand. */
static struct fh_frame seize(uint64_t page)
{
	struct fh_frame f;

	assert_int_equal(state_of(page), FH_STATE_FREE);
	fh_slots[page].type = &counting_type;
	f.handle = fh_unit_mint(page, 1, FH_UNIT_FRAME, 1);
	force_state(page, FH_STATE_ONE);
	memset(fh_host_linear(address_of(page)), 0x3c, FH_PAGE_SIZE);
	return f;
}

static void assert_unharmed(uint64_t page)
{
	const unsigned char *bytes = fh_host_linear(address_of(page));

	assert_int_equal(state_of(page), FH_STATE_ONE);
	assert_ptr_equal(fh_slots[page].type, &counting_type);
	for (size_t i = 0; i < FH_PAGE_SIZE; i++)
		assert_int_equal(bytes[i], 0x3c);
}

/* The only page that the allocator has left is somebody's. */
static void give_a_held_page_out(bool unique)
{
	uint64_t page = RUN_FIRST + 99;
	struct fh_frame theirs;
	struct fh_frame f = {UNTOUCHED};
	struct fh_unique u = {UNTOUCHED};
	enum fh_status status;

	exhaust();
	give(page);
	theirs = seize(page);
	if (unique)
		status = fh_unique_alloc(NULL, &other_type, NULL, &u);
	else
		status = fh_frame_alloc(NULL, &other_type, NULL, &f);
	if (FH_ALLOCATOR_CHECKED) {
		assert_int_equal(status, FH_E_CORRUPT);
		assert_int_equal(f.handle, UNTOUCHED);
		assert_int_equal(u.handle, UNTOUCHED);
		assert_unharmed(page);
		/* It stays with whom it is, and is not given out again. */
		AUDIT();
		refuse_frame(NULL, FH_E_NO_MEMORY);
		fh_frame_put(&theirs);
	} else {
		/* Then the allocator is believed. */
		assert_int_equal(status, FH_OK);
		assert_int_equal(unique ? fh_unique_number(u)
					: fh_frame_number(f),
				 page);
		if (unique)
			fh_unique_put(&u);
		else
			fh_frame_put(&f);
	}
	give_everything();
	AUDIT();
}

/* One page of a run is somebody's; the others are free as before. */
static void give_a_run_with_a_held_page_out(uint64_t at)
{
	uint64_t first = RUN_FIRST + 64;
	struct fh_frame theirs;
	struct fh_frame f;
	struct fh_segment s = untouched_segment();

	exhaust();
	for (uint64_t i = 0; i < 4; i++)
		give(first + i);
	theirs = seize(first + at);
	enum fh_status status =
		fh_segment_alloc(4, NULL, &other_type, NULL, &s);

	if (FH_ALLOCATOR_CHECKED) {
		assert_int_equal(status, FH_E_CORRUPT);
		assert_untouched(s);
		assert_unharmed(first + at);
		assert_int_equal(count_free(), 3);
		AUDIT();
		for (int i = 0; i < 3; i++) {
			OK(fh_frame_alloc(&any, &other_type, NULL, &f));
			assert_in_range(fh_frame_number(f), first, first + 3);
			keep(f);
		}
		refuse_frame(NULL, FH_E_NO_MEMORY);
		fh_frame_put(&theirs);
	} else {
		assert_int_equal(status, FH_OK);
		fh_segment_put(&s);
	}
	give_everything();
	AUDIT();
}

static void wrong_allocator_ends_in_corrupt(void **state)
{
	(void)state;
	give_a_held_page_out(false);
	give_a_held_page_out(true);
	for (uint64_t at = 0; at < 4; at++)
		give_a_run_with_a_held_page_out(at);
}

/* ---- Given pages: take, add, retire ---- */

typedef enum fh_status range_call(uint64_t first, uint64_t n);

/* Ranges that no such call has anything to do with. */
static void refuse_ranges(range_call *call)
{
	uint64_t first = fresh_pages(4);

	REFUSES(FH_E_EMPTY, call(first, 0));
	REFUSES(FH_E_EMPTY, call(HOLE_PAGE, 0));
	REFUSES(FH_E_EMPTY, call(UINT64_MAX, 0));
	REFUSES(FH_E_OUT_OF_BOUND, call(HOLE_PAGE, 1));
	REFUSES(FH_E_OUT_OF_BOUND, call(HIGH_FIRST - 1, 2));
	REFUSES(FH_E_OUT_OF_BOUND, call(FRAME_END, 1));
	REFUSES(FH_E_OUT_OF_BOUND, call(FRAME_END - 1, 2));
	REFUSES(FH_E_OUT_OF_BOUND, call(first, UINT64_MAX));
	REFUSES(FH_E_OUT_OF_BOUND, call(first, UINT64_MAX - first + 2));
	REFUSES(FH_E_OUT_OF_BOUND, call(UINT64_MAX, 1));
	REFUSES(FH_E_OUT_OF_BOUND, call(UINT64_MAX, UINT64_MAX));
}

/* Three pages in the state that the call is for, and one that is not. */
static void refuse_at(range_call *call, uint64_t first, uint64_t at,
		      enum fh_status status)
{
	REFUSES(status, call(first, 4));
	REFUSES(status, call(first + at, 4 - at));
	REFUSES(status, call(first + at, 1));
}

/* prepare makes fresh pages such as the call is for. */
static void refuse_by_state(range_call *call, range_call *prepare)
{
	for (uint64_t at = 0; at < 4; at++) {
		uint64_t first = fresh_pages(4);
		struct fh_frame f;
		struct fh_unique u;

		if (prepare != NULL)
			OK(prepare(first, 4));
		OK(fh_frame_from_unused(address_of(first + at), &counting_type,
					&words, &f));
		refuse_at(call, first, at, FH_E_IN_USE);
		OK(fh_unique_from_frame(&f, &u));
		refuse_at(call, first, at, FH_E_UNIQUE);

		watch_begin();
		force_state(first + at, FH_STATE_BUSY);
		assert_int_equal(call(first, 4), FH_E_BUSY);
		assert_int_equal(call(first + at, 1), FH_E_BUSY);
		force_state(first + at, FH_STATE_UNIQUE);
		watch_end(0, 0, "a call that met a busy page", __FILE__,
			  __LINE__);
		fh_unique_put(&u);
	}
}

static void add_makes_unused_pages_free(void **state)
{
	uint64_t free_before = count_free();
	uint64_t first = fresh_pages(5);
	struct fh_unique u;

	(void)state;
	OK(fh_alloc_take(first, 4));
	CHANGES(first, 4, OK(fh_alloc_add(first, 4)));
	for (uint64_t i = first; i < first + 4; i++)
		assert_int_equal(state_of(i), FH_STATE_FREE);
	NOTHING_HELD(free_before);
	REFUSES(FH_E_TWICE, fh_alloc_add(first, 4));
	REFUSES(FH_E_TWICE, fh_alloc_add(first + 4, 1));

	/* A page that its owner left unused. */
	OK(fh_unique_from_unused(address_of(first + 4), &counting_type, NULL,
				 &u));
	fh_unique_reset_as_unused(&u);
	assert_int_equal(count_free(), free_before - 1);
	CHANGES(first + 4, 1, OK(fh_alloc_add(first + 4, 1)));
	NOTHING_HELD(free_before);

	/* All or nothing: free at the start, in between, at the end. */
	first = fresh_pages(4);
	OK(fh_alloc_take(first + 1, 3));
	REFUSES(FH_E_TWICE, fh_alloc_add(first, 4));
	OK(fh_alloc_take(first, 1));
	OK(fh_alloc_add(first + 2, 1));
	REFUSES(FH_E_TWICE, fh_alloc_add(first, 4));
	OK(fh_alloc_add(first, 2));
	REFUSES(FH_E_TWICE, fh_alloc_add(first, 4));
	OK(fh_alloc_add(first + 3, 1));

	refuse_ranges(fh_alloc_add);
	refuse_by_state(fh_alloc_add, fh_alloc_take);
	AUDIT();
	exhaust();
	/* They are allocated like any others. */
	for (uint64_t i = first; i < first + 4; i++)
		assert_true(fh_frame_is_some(had[i]));
	give_everything();
}

static void take_is_all_or_nothing(void **state)
{
	uint64_t free_before = count_free();
	uint64_t first = fresh_pages(6);
	uint64_t last = FRAME_END - 1;
	struct fh_frame f;
	struct fh_segment s;

	(void)state;
	CHANGES(first, 6, OK(fh_alloc_take(first, 6)));
	for (uint64_t i = first; i < first + 6; i++)
		assert_int_equal(state_of(i), FH_STATE_UNUSED);
	assert_int_equal(count_free(), free_before - 6);
	/* Taken is taken. */
	REFUSES(FH_E_UNUSED, fh_alloc_take(first, 6));
	REFUSES(FH_E_UNUSED, fh_alloc_take(first + 5, 1));
	REFUSES(FH_E_UNUSED, fh_alloc_take(first - 1, 3));
	REFUSES(FH_E_UNUSED, fh_alloc_take(first + 5, 2));
	CHANGES(last, 1, OK(fh_alloc_take(last, 1)));

	exhaust();
	for (uint64_t i = first; i < first + 6; i++)
		assert_false(fh_frame_is_some(had[i]));
	assert_false(fh_frame_is_some(had[last]));
	give_everything();

	/* They are there for whoever names them. */
	OK(fh_frame_from_unused(address_of(first), &counting_type, &words, &f));
	assert_whole(first, FH_STATE_ONE, &counting_type, &words);
	OK(fh_segment_from_unused(address_of(first + 1), address_of(first + 6),
				  &counting_type, NULL, &s));
	fh_frame_put(&f);
	fh_segment_put(&s);
	OK(fh_alloc_add(last, 1));
	/* Put, they are free: they belong to a zone. */
	NOTHING_HELD(free_before);

	refuse_ranges(fh_alloc_take);
	refuse_by_state(fh_alloc_take, NULL);
	NOTHING_HELD(free_before);
}

/* A page that bring-up holds is in use, or of no zone. */
static void held_memory_cannot_be_taken(void **state)
{
	static range_call *const calls[] = {fh_alloc_take, fh_alloc_add,
					    fh_alloc_retire};
	static const uint64_t pages[] = {RESERVED_PAGE, KERNEL_PAGE, GAP_PAGE};
	enum fh_status status;

	(void)state;
	for (size_t c = 0; c < LENGTH(calls); c++) {
		for (size_t i = 0; i < LENGTH(pages); i++) {
			CHANGES_NOTHING(status = calls[c](pages[i], 1));
			assert_true(status == FH_E_IN_USE ||
				    status == FH_E_OUT_OF_BOUND);
		}
		CHANGES_NOTHING(status = calls[c](0, 1));
		assert_true(status == FH_E_UNIQUE ||
			    status == FH_E_OUT_OF_BOUND);
	}
}

static void retire_holds_pages_for_good(void **state)
{
	uint64_t free_before = count_free();
	uint64_t first = fresh_pages(3);
	struct fh_alloc_stats before, now;
	struct fh_frame f;

	(void)state;
	fh_alloc_stats(&before);
	CHANGES(first, 3, OK(fh_alloc_retire(first, 3)));
	fh_alloc_stats(&now);
	assert_int_equal(now.free, before.free - 3);
	assert_int_equal(now.pages, before.pages);
	for (uint64_t i = first; i < first + 3; i++) {
		assert_whole(i, FH_STATE_ONE, &fh_unusable_type, &fh_meta_zero);
		assert_int_equal(fh_slot_usage(i), FH_USAGE_RESERVED);
	}
	assert_true(fh_ledger_is_clean());
	REFUSES(FH_E_IN_USE, fh_alloc_retire(first, 1));
	REFUSES(FH_E_IN_USE, fh_alloc_take(first, 1));
	REFUSES(FH_E_IN_USE, fh_alloc_add(first, 1));
	REFUSES(FH_E_IN_USE,
		fh_frame_from_unused(address_of(first), &other_type, NULL, &f));

	refuse_ranges(fh_alloc_retire);
	refuse_by_state(fh_alloc_retire, NULL);
	uint64_t taken = fresh_pages(4);

	OK(fh_alloc_take(taken + 2, 1));
	refuse_at(fh_alloc_retire, taken, 2, FH_E_UNUSED);
	OK(fh_alloc_add(taken + 2, 1));

	assert_int_equal(exhaust(), free_before - 3);
	for (uint64_t i = first; i < first + 3; i++)
		assert_false(fh_frame_is_some(had[i]));
	give_everything();
	NOTHING_HELD(free_before - 3);

	/* Even whoever restores and puts such a page does not make it free. */
	OK(fh_frame_from_raw(address_of(first), &f));
	fh_frame_put(&f);
	assert_int_equal(state_of(first), FH_STATE_UNUSED);
	NOTHING_HELD(free_before - 3);
}

/* ---- Figures ---- */

static void stats_are_exact_at_rest(void **state)
{
	struct fh_alloc_stats start, now;
	struct fh_audit_summary summary;
	struct fh_frame frames[200];
	struct fh_segment s;
	struct fh_unique u;

	(void)state;
	fh_alloc_stats(&start);
	fh_audit_summary(&summary);
	assert_int_equal(start.free, summary.free);
	assert_true(start.free <= start.pages);
	for (uint64_t i = 0; i < 200; i++) {
		OK(fh_frame_alloc(&any, &other_type, NULL, &frames[i]));
		fh_alloc_stats(&now);
		assert_int_equal(now.free, start.free - i - 1);
		assert_int_equal(now.pages, start.pages);
	}
	OK(fh_segment_alloc(77, &any, &other_type, NULL, &s));
	OK(fh_unique_alloc(&any, &other_type, NULL, &u));
	fh_alloc_stats(&now);
	assert_int_equal(now.free, start.free - 278);
	fh_audit_summary(&summary);
	assert_int_equal(now.free, summary.free);
	for (uint64_t i = 0; i < 200; i++) {
		fh_frame_put(&frames[i]);
		fh_alloc_stats(&now);
		assert_int_equal(now.free, start.free - 278 + i + 1);
	}
	fh_unique_put(&u);
	fh_segment_put(&s);
	fh_alloc_stats(&now);
	assert_memory_equal(&now, &start, sizeof(now));
}

/* ---- Anything ---- */

#define OWNERS 64

/* Allocations and puts in any order, each page with one owner at most. */
static void random_requests_never_overlap(void **state)
{
	static uint8_t owned[FRAME_END];
	struct random random = {.state = 7};
	struct fh_segment owners[OWNERS] = {{0}};
	uint64_t free_before = count_free();
	uint64_t live = 0;

	(void)state;
	memset(owned, 0, sizeof(owned));
	for (int step = 0; step < 6000; step++) {
		struct fh_segment *s = &owners[random_below(&random, OWNERS)];
		uint64_t n = random_below(&random, 3) == 0
				     ? 1 + random_below(&random, 200)
				     : 1;
		struct fh_alloc_options options = {
			.align = UINT64_C(1) << random_below(&random, 8),
			.below = random_below(&random, 2) * 4096,
		};
		uint64_t first = fh_segment_first(*s);

		if (fh_segment_count(*s) > 0) {
			live -= fh_segment_count(*s);
			for (uint64_t i = 0; i < fh_segment_count(*s); i++)
				owned[first + i]--;
			fh_segment_put(s);
		} else if (fh_segment_alloc(n, &options, &other_type, NULL,
					    s) == FH_OK) {
			live += n;
			for (uint64_t i = 0; i < n; i++) {
				uint64_t page = fh_segment_first(*s) + i;

				assert_int_equal(owned[page], 0);
				owned[page]++;
				assert_int_equal(state_of(page), FH_STATE_ONE);
			}
		}
		assert_int_equal(count_free(), free_before - live);
		if (step % 256 == 0)
			AUDIT();
	}
	for (size_t i = 0; i < OWNERS; i++)
		fh_segment_put(&owners[i]);
	NOTHING_HELD(free_before);
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(allocated_frame_is_whole),
		cmocka_unit_test(type_that_does_not_fit_is_refused),
		cmocka_unit_test_setup_teardown(zeroed_pages_are_zero,
						start_dirty_with_nothing,
						stop_machine),
		cmocka_unit_test(
			contents_survive_where_zeroes_are_not_asked_for),
		cmocka_unit_test(alloc_keeps_alignment_and_limit),
		cmocka_unit_test(alignment_and_limit_are_exact),
		cmocka_unit_test(segment_alloc_is_contiguous),
		cmocka_unit_test(segment_alloc_errors),
		cmocka_unit_test(freed_page_is_allocated_again),
		cmocka_unit_test(single_page_is_found_wherever_it_is),
		cmocka_unit_test(out_of_memory_changes_nothing),
		cmocka_unit_test(wrong_allocator_ends_in_corrupt),
		cmocka_unit_test(add_makes_unused_pages_free),
		cmocka_unit_test(take_is_all_or_nothing),
		cmocka_unit_test(held_memory_cannot_be_taken),
		cmocka_unit_test(retire_holds_pages_for_good),
		cmocka_unit_test(stats_are_exact_at_rest),
		cmocka_unit_test(random_requests_never_overlap),
	};

	each_on_a_machine(tests, LENGTH(tests));
	for (size_t i = 0; i < LENGTH(tests); i++)
		if (tests[i].setup_func == start_machine)
			tests[i].setup_func = start_with_nothing;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
