/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Segments: every reference to every page, by every way in, through and out;
 * ranges that are refused, and that nothing has changed then.
 */
#include <string.h>

#include "harness.h"

/* What no call writes. */
#define UNTOUCHED UINT64_C(0x123456789a)

static const struct fh_meta words = {{1, UINT64_MAX, 3, 4, 5}};

/* Words that tell pages apart. */
static struct fh_meta words_of(uint64_t frame)
{
	struct fh_meta meta = {{frame, ~frame, 3, 4, frame * 7}};

	return meta;
}

static void assert_words(uint64_t frame, struct fh_meta expected)
{
	assert_memory_equal(&fh_slots[frame].meta, &expected, sizeof(expected));
}

/* ---- A type that remembers which pages were dropped, in order ---- */

#define LOG_SIZE 64

static struct {
	uint64_t frames[LOG_SIZE];
	size_t count;
	bool words_were_theirs;
} dropped;

static void log_drop(struct fh_dropping page)
{
	struct fh_meta expected = words_of(page.frame);

	assert_true(dropped.count < LOG_SIZE);
	dropped.frames[dropped.count] = page.frame;
	dropped.count++;
	if (memcmp(fh_dropping_meta(page), &expected, sizeof(expected)) != 0)
		dropped.words_were_theirs = false;
}

static const struct fh_meta_type logged_type = {
	.name = "logged",
	.size = FH_META_SIZE,
	.usage = FH_USAGE_FRAME,
	.on_drop = log_drop,
};

static void clear_log(void)
{
	dropped.count = 0;
	dropped.words_were_theirs = true;
}

/* Exactly the pages first .. first + n - 1 were dropped, in this order. */
static void assert_dropped(uint64_t first, uint64_t n)
{
	assert_int_equal(dropped.count, n);
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(dropped.frames[i], first + i);
	assert_true(dropped.words_were_theirs);
}

/* ---- A maker that remembers what it was asked for ---- */

struct making {
	uint64_t next; /* the page that must come now */
	uint64_t calls;
};

static struct fh_meta make_words(void *context, struct fh_paddr pa)
{
	struct making *making = context;
	uint64_t frame = fh_frame_of_paddr(pa);
	struct fh_frame f = {UNTOUCHED};

	assert_true(fh_paddr_is_aligned(pa));
	assert_int_equal(frame, making->next);
	assert_int_equal(state_of(frame), FH_STATE_BUSY);
	assert_int_equal(fh_frame_from_in_use(pa, &f), FH_E_BUSY);
	assert_int_equal(f.handle, UNTOUCHED);
	making->next++;
	making->calls++;
	return words_of(frame);
}

static enum fh_status claim_logged(uint64_t first, uint64_t end,
				   struct making *making,
				   struct fh_segment *out)
{
	making->next = first;
	making->calls = 0;
	return fh_segment_from_unused_with(address_of(first), address_of(end),
					   &logged_type, make_words, making,
					   out);
}

/* ---- Short forms ---- */

static struct fh_segment claim(uint64_t first, uint64_t n,
			       const struct fh_meta_type *type)
{
	struct fh_segment s;

	OK(fh_segment_from_unused(address_of(first), address_of(first + n),
				  type, &words, &s));
	return s;
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

static void assert_empty(struct fh_segment s)
{
	assert_int_equal(s.handle, 0);
	assert_int_equal(s.count, 0);
}

static void assert_counts(uint64_t first, uint64_t n, uint64_t count)
{
	for (uint64_t i = first; i < first + n; i++)
		assert_int_equal(state_of(i), FH_STATE_SHARED(count));
}

/*
 * A segment of n pages, made of two of different types by way of raw
 * references: the last page alone is of last_type.
 */
static struct fh_segment mixed_segment(uint64_t first, uint64_t n,
				       const struct fh_meta_type *type,
				       const struct fh_meta_type *last_type)
{
	struct fh_segment low = claim(first, n - 1, type);
	struct fh_segment high = claim(first + n - 1, 1, last_type);
	struct fh_range range = fh_segment_into_raw(&low);
	struct fh_segment s;

	range.count += fh_segment_into_raw(&high).count;
	OK(fh_segment_from_raw(range, &s));
	assert_int_equal(s.count, n);
	return s;
}

/* ---- Claiming ---- */

static void segment_claims_every_page(void **state)
{
	uint64_t free_before = count_free();
	uint64_t first = fresh_pages(5);
	struct fh_segment s, zeroed;

	(void)state;
	CHANGES(first, 4,
		OK(fh_segment_from_unused(address_of(first),
					  address_of(first + 4), &counting_type,
					  &words, &s)));
	assert_counts(first, 4, 1);
	assert_int_equal(count_free(), free_before - 4);
	for (uint64_t i = first; i < first + 4; i++) {
		assert_ptr_equal(fh_slots[i].type, &counting_type);
		assert_words(i, words);
		assert_int_equal(fh_slots[i].list, 0);
	}
	assert_int_equal(state_of(first - 1), FH_STATE_FREE);
	assert_int_equal(state_of(first + 4), FH_STATE_FREE);

	CHANGES(first + 4, 1,
		OK(fh_segment_from_unused(address_of(first + 4),
					  address_of(first + 5), &other_type,
					  NULL, &zeroed)));
	assert_words(first + 4, fh_meta_zero);
	fh_segment_put(&s);
	fh_segment_put(&zeroed);
	assert_int_equal(drops, 4);
	NOTHING_HELD(free_before);
}

static void segment_claims_free_and_taken_pages_alike(void **state)
{
	uint64_t first = fresh_pages(4);
	struct fh_segment s;

	(void)state;
	OK(fh_alloc_take(first + 1, 2));
	CHANGES(first, 4, s = claim(first, 4, &counting_type));
	assert_counts(first, 4, 1);
	CHANGES(first, 4, fh_segment_put(&s));
	AUDIT();
}

static void segment_maker_runs_once_a_claimed_page(void **state)
{
	uint64_t free_before = count_free();
	uint64_t first = fresh_pages(6);
	struct fh_segment s = untouched_segment();
	struct fh_frame held;
	struct making making;

	(void)state;
	clear_log();
	CHANGES(first, 6, OK(claim_logged(first, first + 6, &making, &s)));
	assert_int_equal(making.calls, 6);
	for (uint64_t i = first; i < first + 6; i++)
		assert_words(i, words_of(i));
	fh_segment_put(&s);
	assert_dropped(first, 6);

	first = fresh_pages(6);
	OK(fh_frame_from_unused(address_of(first + 2), &other_type, NULL,
				&held));
	s = untouched_segment();
	clear_log();
	REFUSES(FH_E_IN_USE, claim_logged(first, first + 6, &making, &s));
	assert_int_equal(making.calls, 2);
	assert_dropped(first, 2);
	REFUSES(FH_E_IN_USE, claim_logged(first + 2, first + 6, &making, &s));
	assert_int_equal(making.calls, 0);
	assert_untouched(s);
	fh_frame_put(&held);
	NOTHING_HELD(free_before);
}

/* One case of the order of checks: start and end in bytes. */
struct order_case {
	uint64_t start;
	uint64_t end;
	enum fh_status status;
};

static void segment_error_order(void **state)
{
	uint64_t held = fresh_pages(4);
	uint64_t page = held * FH_PAGE_SIZE;
	uint64_t max = fh_max_paddr().bytes;
	uint64_t hole = HOLE_PAGE * FH_PAGE_SIZE;
	uint64_t edge = FH_SECTION_FRAMES * FH_PAGE_SIZE;
	const struct order_case cases[] = {
		/* not aligned, and beyond the end */
		{page + 1, max + FH_PAGE_SIZE, FH_E_NOT_ALIGNED},
		{page, max + 1, FH_E_NOT_ALIGNED},
		{page, UINT64_MAX, FH_E_NOT_ALIGNED},
		{max + 64, max + FH_PAGE_SIZE, FH_E_NOT_ALIGNED},
		/* not aligned, and empty or backwards */
		{page + 8, page + 8, FH_E_NOT_ALIGNED},
		{page + FH_PAGE_SIZE, page + 2048, FH_E_NOT_ALIGNED},
		{page + FH_PAGE_SIZE + 1, page, FH_E_NOT_ALIGNED},
		/* not aligned, and the page is held */
		{page + 1, page + FH_PAGE_SIZE, FH_E_NOT_ALIGNED},
		{page, page + FH_PAGE_SIZE - 1, FH_E_NOT_ALIGNED},
		/* beyond the end, and empty or backwards */
		{max + FH_PAGE_SIZE, max + FH_PAGE_SIZE, FH_E_OUT_OF_BOUND},
		{max + 2 * FH_PAGE_SIZE, max + FH_PAGE_SIZE, FH_E_OUT_OF_BOUND},
		{UINT64_MAX - 4095, UINT64_MAX - 4095, FH_E_OUT_OF_BOUND},
		/* beyond the end, and the first page is held */
		{page, max + FH_PAGE_SIZE, FH_E_OUT_OF_BOUND},
		{page, UINT64_MAX - 4095, FH_E_OUT_OF_BOUND},
		/* empty or backwards, and the page is held */
		{page, page, FH_E_EMPTY},
		{page + FH_PAGE_SIZE, page, FH_E_EMPTY},
		{page, 0, FH_E_EMPTY},
		{max, max, FH_E_EMPTY},
		{max + FH_PAGE_SIZE, page, FH_E_EMPTY},
		/* empty, in a hole */
		{hole, hole, FH_E_EMPTY},
		/* the first page that cannot be had says why */
		{hole, hole + FH_PAGE_SIZE, FH_E_OUT_OF_BOUND},
		{edge - FH_PAGE_SIZE, edge + FH_PAGE_SIZE, FH_E_IN_USE},
		{page, page + 2 * FH_PAGE_SIZE, FH_E_IN_USE},
		{page + FH_PAGE_SIZE, page + 3 * FH_PAGE_SIZE, FH_E_UNIQUE},
		{0, FH_PAGE_SIZE, FH_E_UNIQUE},
	};
	struct fh_segment s = untouched_segment();
	struct fh_frame f;
	struct fh_unique u;

	(void)state;
	OK(fh_frame_from_unused(address_of(held), &other_type, NULL, &f));
	OK(fh_unique_from_unused(address_of(held + 1), &other_type, NULL, &u));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fh_paddr start = fh_paddr(cases[i].start);
		struct fh_paddr end = fh_paddr(cases[i].end);
		enum fh_status found;

		CHANGES_NOTHING(found = fh_segment_from_unused(start, end,
							       &counting_type,
							       &words, &s));
		if (found != cases[i].status)
			fail_msg("%#llx .. %#llx: %s, not %s",
				 (unsigned long long)start.bytes,
				 (unsigned long long)end.bytes,
				 fh_status_name(found),
				 fh_status_name(cases[i].status));
		/* A type that is none beats everything else. */
		REFUSES(FH_E_INVALID,
			fh_segment_from_unused(start, end, NULL, &words, &s));
	}
	assert_untouched(s);
	assert_int_equal(drops, 0);
	fh_frame_put(&f);
	fh_unique_put(&u);
}

static void segment_refuses_a_type_that_does_not_fit(void **state)
{
	static const struct fh_meta_type large_type = {
		.name = "large", .size = FH_META_SIZE + 1};
	uint64_t first = fresh_pages(2);
	struct fh_segment s = untouched_segment();

	(void)state;
	REFUSES(FH_E_INVALID,
		fh_segment_from_unused(address_of(first), address_of(first + 2),
				       &large_type, NULL, &s));
	REFUSES(FH_E_INVALID, fh_segment_from_unused_with(
				      address_of(first), address_of(first + 2),
				      NULL, make_words, NULL, &s));
	assert_untouched(s);
}

#define CLAIMED UINT64_C(5)

/* Everything is as before a claim that met `at`, the one page not to be had. */
static void assert_rolled_back(uint64_t first, uint64_t at,
			       enum fh_status status)
{
	uint64_t free_before = count_free();
	struct fh_segment s = untouched_segment();
	struct making making;

	clear_log();
	assert_int_equal(claim_logged(first, first + CLAIMED, &making, &s),
			 status);
	assert_untouched(s);
	assert_int_equal(making.calls, at - first);
	assert_dropped(first, at - first);
	assert_int_equal(count_free(), free_before);
}

static void roll_back_from(uint64_t offset)
{
	uint64_t first = fresh_pages(CLAIMED);
	uint64_t at = first + offset;
	struct fh_frame f;
	struct fh_unique u;

	OK(fh_frame_from_unused(address_of(at), &counting_type, &words, &f));
	CHANGES_NOTHING(assert_rolled_back(first, at, FH_E_IN_USE));
	fh_frame_put(&f);

	first = fresh_pages(CLAIMED);
	at = first + offset;
	OK(fh_unique_from_unused(address_of(at), &counting_type, &words, &u));
	CHANGES_NOTHING(assert_rolled_back(first, at, FH_E_UNIQUE));
	fh_unique_put(&u);

	first = fresh_pages(CLAIMED);
	at = first + offset;
	watch_begin();
	force_state(at, FH_STATE_BUSY);
	assert_rolled_back(first, at, FH_E_BUSY);
	force_state(at, FH_STATE_FREE);
	watch_end(0, 0, "a claim that met a busy page", __FILE__, __LINE__);
}

static void segment_rollback_unchanged(void **state)
{
	uint64_t free_before = count_free();

	(void)state;
	for (uint64_t offset = 0; offset < CLAIMED; offset++)
		roll_back_from(offset);
	assert_int_equal(drops, 2 * CLAIMED);
	NOTHING_HELD(free_before);
}

/* Memory ends with a section, and goes on after a hole of one section. */
static void segment_rolls_back_at_a_hole(void **state)
{
	static const struct fh_region regions[] = {
		{0, FH_SECTION_FRAMES * FH_PAGE_SIZE, FH_REGION_USABLE},
		{2 * FH_SECTION_FRAMES * FH_PAGE_SIZE, 64 * FH_PAGE_SIZE,
		 FH_REGION_USABLE},
	};
	struct making making;
	struct fh_segment s = untouched_segment();

	(void)state;
	OK(hosted_start(regions, 2, NULL));
	uint64_t free_before = count_free();
	clear_log();
	assert_int_equal(claim_logged(FH_SECTION_FRAMES - 3,
				      FH_SECTION_FRAMES + 1, &making, &s),
			 FH_E_OUT_OF_BOUND);
	assert_untouched(s);
	assert_int_equal(making.calls, 3);
	assert_dropped(FH_SECTION_FRAMES - 3, 3);
	NOTHING_HELD(free_before);
}

/* ---- What a segment is ---- */

static void segment_address_and_size(void **state)
{
	uint64_t first = fresh_pages(3);
	struct fh_segment s = claim(first, 3, &other_type);
	struct fh_segment none = fh_segment_none();

	(void)state;
	assert_int_equal(fh_segment_first(s), first);
	assert_int_equal(fh_segment_count(s), 3);
	assert_int_equal(fh_segment_size(s), 3 * 4096);
	assert_int_equal(fh_segment_start(s).bytes, first * 4096);
	assert_int_equal(fh_segment_end(s).bytes, (first + 3) * 4096);

	assert_int_equal(fh_segment_first(none), 0);
	assert_int_equal(fh_segment_count(none), 0);
	assert_int_equal(fh_segment_size(none), 0);
	assert_int_equal(fh_segment_start(none).bytes, 0);
	assert_int_equal(fh_segment_end(none).bytes, 0);
	fh_segment_put(&s);
}

static void segment_put_drops_every_page(void **state)
{
	uint64_t free_before = count_free();
	uint64_t first = fresh_pages(5);
	struct making making;
	struct fh_segment s;
	struct fh_frame held;

	(void)state;
	clear_log();
	OK(claim_logged(first, first + 5, &making, &s));
	OK(fh_frame_from_in_use(address_of(first + 2), &held));
	CHANGES(first, 5, fh_segment_put(&s));
	assert_empty(s);
	/* Ascending, all but the one that somebody else holds. */
	assert_int_equal(dropped.count, 4);
	assert_int_equal(dropped.frames[0], first);
	assert_int_equal(dropped.frames[1], first + 1);
	assert_int_equal(dropped.frames[2], first + 3);
	assert_int_equal(dropped.frames[3], first + 4);
	for (uint64_t i = first; i < first + 5; i++)
		assert_int_equal(state_of(i),
				 i == first + 2 ? FH_STATE_ONE : FH_STATE_FREE);
	assert_int_equal(count_free(), free_before - 1);
	fh_frame_put(&held);
	assert_int_equal(dropped.count, 5);
	NOTHING_HELD(free_before);
}

/* ---- Counts at their limit ---- */

struct sharing {
	struct fh_segment s;
	uint64_t begin;
	uint64_t end;
};

static void get_segment(void *arg)
{
	struct sharing *sharing = arg;
	struct fh_segment copy = fh_segment_get(sharing->s);

	(void)copy;
}

static void slice_segment(void *arg)
{
	struct sharing *sharing = arg;
	struct fh_segment slice;

	OK(fh_segment_slice(sharing->s, sharing->begin, sharing->end, &slice));
}

static void assert_stopped_at(uint64_t frame)
{
	assert_int_equal(stop_finding.frame, frame);
	assert_int_equal(stop_finding.state, FH_STATE_MAX);
}

static void segment_count_limit(void **state)
{
	uint64_t first = fresh_pages(4);
	struct fh_segment s = claim(first, 4, &other_type);
	struct sharing sharing = {.s = s, .begin = 1, .end = 4};
	struct fh_segment copy;

	(void)state;
	/* Up to the limit all is well. */
	force_state(first + 2, FH_STATE_MAX - 1);
	copy = fh_segment_get(s);
	assert_int_equal(state_of(first + 2), FH_STATE_MAX);
	fh_segment_put(&copy);
	assert_int_equal(state_of(first + 2), FH_STATE_MAX - 1);
	OK(fh_segment_slice(s, 2, 3, &copy));
	assert_int_equal(state_of(first + 2), FH_STATE_MAX);
	fh_segment_put(&copy);

	/* A page at the limit stops whoever would share it, and only those. */
	force_state(first + 2, FH_STATE_MAX);
	OK(fh_segment_slice(s, 0, 2, &copy));
	fh_segment_put(&copy);
	OK(fh_segment_slice(s, 3, 4, &copy));
	fh_segment_put(&copy);
	STOPS("count_limit", get_segment, &sharing);
	assert_stopped_at(first + 2);
	force_state(first + 2, FH_STATE_MAX);
	STOPS("count_limit", slice_segment, &sharing);
	assert_stopped_at(first + 2);

	/* The stops left references behind on the pages before. */
	for (uint64_t i = first; i < first + 4; i++)
		force_state(i, FH_STATE_ONE);
	fh_segment_put(&s);
}

/* ---- Raw references ---- */

static void segment_raw_round_trip(void **state)
{
	static const struct fh_range empty_ranges[] = {
		{0, 0},         {1, 0},
		{FRAME_END, 0}, {FRAME_END + 1, 0},
		{HOLE_PAGE, 0}, {UINT64_MAX, 0},
	};
	uint64_t free_before = count_free();
	uint64_t first = fresh_pages(3);
	struct fh_segment s = claim(first, 3, &counting_type);
	struct fh_range range;

	(void)state;
	CHANGES(first, 3, range = fh_segment_into_raw(&s));
	assert_empty(s);
	assert_int_equal(range.first, first);
	assert_int_equal(range.count, 3);
	assert_counts(first, 3, 1);
	assert_true(fh_ledger_is_clean());

	CHANGES(first, 3, OK(fh_segment_from_raw(range, &s)));
	assert_int_equal(fh_segment_first(s), first);
	assert_int_equal(fh_segment_count(s), 3);
	assert_counts(first, 3, 1);
	assert_int_equal(drops, 0);
	fh_segment_put(&s);
	assert_int_equal(drops, 3);

	for (size_t i = 0; i < sizeof(empty_ranges) / sizeof(range); i++) {
		s = untouched_segment();
		CHANGES_NOTHING(OK(fh_segment_from_raw(empty_ranges[i], &s)));
		assert_empty(s);
	}
	CHANGES_NOTHING(range = fh_segment_into_raw(&s));
	assert_int_equal(range.first, 0);
	assert_int_equal(range.count, 0);
	NOTHING_HELD(free_before);
}

static void segment_of_frames_forgotten_one_by_one(void **state)
{
	uint64_t first = fresh_pages(3);
	struct fh_range range = {.first = first, .count = 3};
	struct fh_segment s;
	struct fh_frame f;

	(void)state;
	for (uint64_t i = first; i < first + 3; i++) {
		OK(fh_frame_from_unused(address_of(i), &counting_type, NULL,
					&f));
		assert_int_equal(fh_frame_into_raw(&f).bytes, i * 4096);
	}
	OK(fh_segment_from_raw(range, &s));
	assert_counts(first, 3, 1);
	fh_segment_put(&s);
	assert_int_equal(drops, 3);
	AUDIT();
}

static void refuse_raw(uint64_t first, uint64_t count, enum fh_status status)
{
	struct fh_range range = {.first = first, .count = count};
	struct fh_segment s = untouched_segment();

	REFUSES(status, fh_segment_from_raw(range, &s));
	assert_untouched(s);
}

static void segment_from_raw_refuses_unshared_pages(void **state)
{
	uint64_t first = fresh_pages(9);
	struct fh_segment raw = claim(first, 2, &other_type);
	struct fh_range range = fh_segment_into_raw(&raw);
	struct fh_unique u;

	(void)state;
	/* Shared pages with one that is not, at either end and in between. */
	refuse_raw(first - 1, 3, FH_E_UNUSED);
	refuse_raw(first, 3, FH_E_UNUSED);
	OK(fh_alloc_take(first + 2, 1));
	refuse_raw(first, 3, FH_E_UNUSED);
	refuse_raw(first + 2, 1, FH_E_UNUSED);
	OK(fh_unique_from_unused(address_of(first + 2), &other_type, NULL, &u));
	refuse_raw(first, 3, FH_E_UNIQUE);
	refuse_raw(first, 9, FH_E_UNIQUE);
	fh_unique_reset_as_unused(&u);
	refuse_raw(0, 1, FH_E_UNIQUE);

	watch_begin();
	force_state(first + 2, FH_STATE_BUSY);
	raw = untouched_segment();
	range.count = 3;
	assert_int_equal(fh_segment_from_raw(range, &raw), FH_E_BUSY);
	assert_untouched(raw);
	force_state(first + 2, FH_STATE_UNUSED);
	watch_end(0, 0, "from_raw of a busy page", __FILE__, __LINE__);

	/* Pages without slots, and counts that would wrap. */
	refuse_raw(HOLE_PAGE, 1, FH_E_OUT_OF_BOUND);
	refuse_raw(FRAME_END, 1, FH_E_OUT_OF_BOUND);
	refuse_raw(FRAME_END - 1, 2, FH_E_OUT_OF_BOUND);
	refuse_raw(first, UINT64_MAX, FH_E_OUT_OF_BOUND);
	refuse_raw(first, UINT64_MAX - first + 2, FH_E_OUT_OF_BOUND);
	refuse_raw(UINT64_MAX, 1, FH_E_OUT_OF_BOUND);
	refuse_raw(UINT64_MAX, UINT64_MAX, FH_E_OUT_OF_BOUND);
	/* The last page below a hole is held; the hole's first is not there. */
	refuse_raw(FH_SECTION_FRAMES - 1, 2, FH_E_OUT_OF_BOUND);

	range.count = 2;
	OK(fh_segment_from_raw(range, &raw));
	fh_segment_put(&raw);
}

/* ---- Parts ---- */

static void split_no_count_change(void **state)
{
	uint64_t free_before = count_free();

	(void)state;
	for (uint64_t pages = 1; pages < 4; pages++) {
		uint64_t first = fresh_pages(4);
		struct fh_segment s = claim(first, 4, &counting_type);
		struct fh_segment low, high;

		drops = 0;
		CHANGES_NOTHING(OK(fh_segment_split(&s, pages, &low, &high)));
		assert_empty(s);
		assert_int_equal(fh_segment_first(low), first);
		assert_int_equal(fh_segment_count(low), pages);
		assert_int_equal(fh_segment_first(high), first + pages);
		assert_int_equal(fh_segment_count(high), 4 - pages);

		CHANGES(first, pages, fh_segment_put(&low));
		assert_int_equal(drops, pages);
		CHANGES(first + pages, 4 - pages, fh_segment_put(&high));
		assert_int_equal(drops, 4);
	}
	NOTHING_HELD(free_before);
}

static void split_bounds(void **state)
{
	static const uint64_t bad[] = {
		0, 3, 4, 3 * FH_PAGE_SIZE, UINT64_MAX / 4096, UINT64_MAX,
	};
	struct fh_segment s = claim(fresh_pages(3), 3, &counting_type);
	struct fh_segment one = claim(fresh_pages(1), 1, &counting_type);
	struct fh_segment none = fh_segment_none();
	struct fh_segment low = untouched_segment();
	struct fh_segment high = untouched_segment();
	struct fh_segment before = s;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		REFUSES(FH_E_OUT_OF_BOUND,
			fh_segment_split(&s, bad[i], &low, &high));
		REFUSES(FH_E_OUT_OF_BOUND,
			fh_segment_split(&none, bad[i], &low, &high));
	}
	REFUSES(FH_E_OUT_OF_BOUND, fh_segment_split(&one, 0, &low, &high));
	REFUSES(FH_E_OUT_OF_BOUND, fh_segment_split(&one, 1, &low, &high));
	REFUSES(FH_E_OUT_OF_BOUND, fh_segment_split(&none, 1, &low, &high));
	assert_memory_equal(&s, &before, sizeof(s));
	assert_untouched(low);
	assert_untouched(high);
	fh_segment_put(&s);
	fh_segment_put(&one);
	assert_int_equal(drops, 4);
}

static void slice_bounds(void **state)
{
	uint64_t first = fresh_pages(5) + 1;
	struct fh_segment s = claim(first, 3, &counting_type);
	struct fh_segment slice = untouched_segment();

	(void)state;
	REFUSES(FH_E_OUT_OF_BOUND, fh_segment_slice(s, 1, 0, &slice));
	REFUSES(FH_E_OUT_OF_BOUND, fh_segment_slice(s, 3, 2, &slice));
	REFUSES(FH_E_OUT_OF_BOUND, fh_segment_slice(s, 0, 4, &slice));
	REFUSES(FH_E_OUT_OF_BOUND, fh_segment_slice(s, 3, 4, &slice));
	REFUSES(FH_E_OUT_OF_BOUND, fh_segment_slice(s, 4, 4, &slice));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_segment_slice(fh_segment_none(), 0, 1, &slice));
	assert_untouched(slice);
	for (uint64_t at = 0; at <= 3; at++) {
		slice = untouched_segment();
		CHANGES_NOTHING(OK(fh_segment_slice(s, at, at, &slice)));
		assert_empty(slice);
	}
	for (uint64_t begin = 0; begin < 3; begin++)
		for (uint64_t end = begin + 1; end <= 3; end++) {
			CHANGES(first + begin, end - begin,
				OK(fh_segment_slice(s, begin, end, &slice)));
			assert_int_equal(fh_segment_first(slice),
					 first + begin);
			assert_int_equal(fh_segment_count(slice), end - begin);
			fh_segment_put(&slice);
		}
	assert_counts(first, 3, 1);
	fh_segment_put(&s);
	assert_int_equal(drops, 3);
}

/*
 * Offsets that wrap around the end of numbers, or of addresses, to just below
 * the segment, where somebody else's pages lie.
 */
static void slice_wraps_3165(void **state)
{
	static const uint64_t ends[] = {
		UINT64_MAX,
		UINT64_MAX / FH_PAGE_SIZE,
		UINT64_MAX / FH_PAGE_SIZE + 1,
		INT64_MAX,
		UINT64_MAX - FH_PAGE_SIZE + 1,
	};
	uint64_t below = fresh_pages(6);
	uint64_t first = below + 3;
	struct fh_segment theirs = claim(below, 3, &other_type);
	struct fh_segment s = claim(first, 3, &counting_type);
	struct fh_segment slice = untouched_segment();

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		for (uint64_t back = 0; back < 5; back++) {
			uint64_t at = ends[i] - back;

			REFUSES(FH_E_OUT_OF_BOUND,
				fh_segment_slice(s, at, at, &slice));
			REFUSES(FH_E_OUT_OF_BOUND,
				fh_segment_slice(s, at, ends[i], &slice));
			REFUSES(FH_E_OUT_OF_BOUND,
				fh_segment_slice(s, 0, at, &slice));
			REFUSES(FH_E_OUT_OF_BOUND,
				fh_segment_slice(s, at, 1, &slice));
		}
	/* The wrap that ends where the segment begins. */
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_segment_slice(s, UINT64_MAX - first + 1,
				 UINT64_MAX - first + 2, &slice));
	assert_untouched(slice);
	assert_counts(below, 6, 1);
	fh_segment_put(&s);
	fh_segment_put(&theirs);
}

static void clone_and_slice_plus_one_each_page(void **state)
{
	uint64_t free_before = count_free();
	uint64_t first = fresh_pages(4);
	struct fh_segment s = claim(first, 4, &counting_type);
	struct fh_segment copy, slice;

	(void)state;
	CHANGES(first, 4, copy = fh_segment_get(s));
	assert_int_equal(fh_segment_first(copy), first);
	assert_int_equal(fh_segment_count(copy), 4);
	assert_counts(first, 4, 2);

	CHANGES(first + 1, 2, OK(fh_segment_slice(s, 1, 3, &slice)));
	assert_int_equal(state_of(first), FH_STATE_SHARED(2));
	assert_counts(first + 1, 2, 3);
	assert_int_equal(state_of(first + 3), FH_STATE_SHARED(2));

	/* Each is a holder of its own. */
	fh_segment_put(&s);
	assert_int_equal(drops, 0);
	assert_counts(first + 1, 2, 2);
	fh_segment_put(&copy);
	assert_int_equal(drops, 2);
	assert_int_equal(state_of(first), FH_STATE_FREE);
	assert_counts(first + 1, 2, 1);
	assert_words(first + 1, words);
	fh_segment_put(&slice);
	assert_int_equal(drops, 4);
	NOTHING_HELD(free_before);
}

static void next_transfers_reference(void **state)
{
	uint64_t free_before = count_free();
	uint64_t first = fresh_pages(3);
	struct fh_segment s = claim(first, 3, &counting_type);
	struct fh_frame frames[3];
	struct fh_frame f = {UNTOUCHED};

	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		CHANGES(first + i, 1, OK(fh_segment_next(&s, &frames[i])));
		assert_int_equal(fh_frame_number(frames[i]), first + i);
		assert_int_equal(fh_segment_count(s), 2 - i);
		assert_int_equal(fh_segment_first(s),
				 i < 2 ? first + i + 1 : 0);
		assert_counts(first, 3, 1);
	}
	assert_empty(s);
	REFUSES(FH_E_EMPTY, fh_segment_next(&s, &f));
	assert_int_equal(f.handle, UNTOUCHED);
	CHANGES_NOTHING(fh_segment_put(&s));
	for (uint64_t i = 0; i < 3; i++)
		CHANGES(first + i, 1, fh_frame_put(&frames[i]));
	assert_int_equal(drops, 3);

	/* What is left of a segment is put with it. */
	first = fresh_pages(3);
	s = claim(first, 3, &counting_type);
	OK(fh_segment_next(&s, &f));
	CHANGES(first + 1, 2, fh_segment_put(&s));
	assert_int_equal(drops, 5);
	CHANGES(first, 1, fh_frame_put(&f));
	NOTHING_HELD(free_before);
}

static void segment_from_frame_is_one_page(void **state)
{
	uint64_t free_before = count_free();
	uint64_t first = fresh_pages(1);
	struct fh_frame none = fh_frame_none();
	struct fh_segment s;
	struct fh_frame f, second;

	(void)state;
	OK(fh_frame_from_unused(address_of(first), &counting_type, &words, &f));
	second = fh_frame_get(f);
	CHANGES(first, 1, s = fh_segment_from_frame(&f));
	assert_false(fh_frame_is_some(f));
	assert_int_equal(fh_segment_first(s), first);
	assert_int_equal(fh_segment_count(s), 1);
	assert_counts(first, 1, 2);
	fh_segment_put(&s);
	assert_counts(first, 1, 1);
	fh_frame_put(&second);

	CHANGES_NOTHING(s = fh_segment_from_frame(&none));
	assert_empty(s);
	NOTHING_HELD(free_before);
}

static void segment_borrow_bounds(void **state)
{
	uint64_t first = fresh_pages(3);
	struct fh_segment s = claim(first, 3, &counting_type);
	struct fh_frame_ref ref;
	struct fh_frame f;

	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		CHANGES_NOTHING(OK(fh_segment_borrow(s, i, &ref)));
		assert_int_equal(fh_frame_ref_number(ref), first + i);
	}
	ref.frame = UNTOUCHED;
	REFUSES(FH_E_OUT_OF_BOUND, fh_segment_borrow(s, 3, &ref));
	REFUSES(FH_E_OUT_OF_BOUND, fh_segment_borrow(s, UINT64_MAX, &ref));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_segment_borrow(s, UINT64_MAX - first + 1, &ref));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_segment_borrow(fh_segment_none(), 0, &ref));
	assert_int_equal(ref.frame, UNTOUCHED);

	OK(fh_segment_borrow(s, 1, &ref));
	f = fh_frame_ref_get(ref);
	fh_segment_put(&s);
	assert_int_equal(drops, 2);
	assert_counts(first + 1, 1, 1);
	fh_frame_put(&f);
	assert_int_equal(drops, 3);
}

/* ---- Types ---- */

static void check_type_looks_at_every_page(void **state)
{
	struct fh_segment s = claim(fresh_pages(3), 3, &counting_type);
	struct fh_segment mixed =
		mixed_segment(fresh_pages(4), 4, &counting_type, &other_type);

	(void)state;
	CHANGES_NOTHING(OK(fh_segment_check_type(s, &counting_type)));
	REFUSES(FH_E_WRONG_TYPE, fh_segment_check_type(s, &other_type));
	REFUSES(FH_E_WRONG_TYPE, fh_segment_check_type(s, NULL));
	REFUSES(FH_E_WRONG_TYPE, fh_segment_check_type(mixed, &counting_type));
	REFUSES(FH_E_WRONG_TYPE, fh_segment_check_type(mixed, &other_type));
	REFUSES(FH_E_EMPTY,
		fh_segment_check_type(fh_segment_none(), &counting_type));
	fh_segment_put(&s);
	fh_segment_put(&mixed);
	assert_int_equal(drops, 6);
}

static void refuse_usegment(struct fh_segment *s, enum fh_status status)
{
	struct fh_usegment u = {UNTOUCHED, UNTOUCHED};
	struct fh_segment before = *s;

	REFUSES(status, fh_usegment_from_segment(s, &u));
	assert_memory_equal(s, &before, sizeof(before));
	assert_int_equal(u.handle, UNTOUCHED);
	assert_int_equal(u.count, UNTOUCHED);
}

static void usegment_try_from_typed(void **state)
{
	struct fh_segment typed = claim(fresh_pages(2), 2, &counting_type);
	struct fh_segment last_typed = mixed_segment(
		fresh_pages(3), 3, &fh_untyped_type, &counting_type);
	struct fh_segment first_typed = mixed_segment(
		fresh_pages(2), 2, &counting_type, &fh_untyped_type);
	struct fh_segment none = fh_segment_none();

	(void)state;
	refuse_usegment(&typed, FH_E_WRONG_TYPE);
	refuse_usegment(&last_typed, FH_E_WRONG_TYPE);
	refuse_usegment(&first_typed, FH_E_WRONG_TYPE);
	refuse_usegment(&none, FH_E_EMPTY);
	fh_segment_put(&typed);
	fh_segment_put(&last_typed);
	fh_segment_put(&first_typed);
}

static void count_untyped_drop(struct fh_dropping page)
{
	(void)page;
	drops++;
}

static void usegment_round_trip_keeps_counts(void **state)
{
	static const struct fh_meta_type counted_untyped_type = {
		.name = "counted untyped",
		.untyped = true,
		.usage = FH_USAGE_FRAME,
		.on_drop = count_untyped_drop,
	};
	uint64_t free_before = count_free();
	uint64_t first = fresh_pages(3);
	struct fh_segment s = claim(first, 3, &counted_untyped_type);
	struct fh_usegment u = fh_usegment_none();

	(void)state;
	assert_int_equal(fh_usegment_count(u), 0);
	CHANGES_NOTHING(OK(fh_usegment_from_segment(&s, &u)));
	assert_empty(s);
	assert_int_equal(fh_usegment_first(u), first);
	assert_int_equal(fh_usegment_count(u), 3);

	CHANGES_NOTHING(s = fh_segment_from_usegment(&u));
	assert_int_equal(u.handle, 0);
	assert_int_equal(u.count, 0);
	assert_int_equal(fh_segment_first(s), first);
	assert_int_equal(fh_segment_count(s), 3);

	OK(fh_usegment_from_segment(&s, &u));
	CHANGES(first, 3, fh_usegment_put(&u));
	assert_int_equal(u.handle, 0);
	assert_int_equal(u.count, 0);
	assert_int_equal(drops, 3);
	NOTHING_HELD(free_before);
}

/* ---- Nothing ---- */

/* Whoever asks a segment without pages learns that there are none. */
static void assert_owns_nothing(struct fh_segment s)
{
	struct fh_frame f = {UNTOUCHED};
	struct fh_segment copy = untouched_segment();

	assert_empty(s);
	assert_int_equal(fh_segment_size(s), 0);
	assert_int_equal(fh_segment_start(s).bytes, 0);
	assert_int_equal(fh_segment_end(s).bytes, 0);
	REFUSES(FH_E_EMPTY, fh_segment_next(&s, &f));
	assert_int_equal(f.handle, UNTOUCHED);
	REFUSES(FH_E_EMPTY, fh_segment_check_type(s, &counting_type));
	REFUSES(FH_E_EMPTY, fh_segment_check_type(s, NULL));
	refuse_usegment(&s, FH_E_EMPTY);
	CHANGES_NOTHING(copy = fh_segment_get(s));
	assert_empty(copy);
	copy = untouched_segment();
	CHANGES_NOTHING(OK(fh_segment_slice(s, 0, 0, &copy)));
	assert_empty(copy);
	CHANGES_NOTHING(fh_segment_put(&s));
	assert_empty(s);
}

static void segment_empty(void **state)
{
	uint64_t free_before = count_free();
	uint64_t first = fresh_pages(3);
	struct fh_segment s = claim(first, 3, &counting_type);
	struct fh_segment sliced[4], drained, from_raw;
	struct fh_segment zero = {0};
	struct fh_range no_pages = {.first = first, .count = 0};
	struct fh_frame f;

	(void)state;
	for (uint64_t i = 0; i <= 3; i++)
		OK(fh_segment_slice(s, i, i, &sliced[i]));
	OK(fh_segment_slice(s, 2, 3, &drained));
	OK(fh_segment_next(&drained, &f));
	fh_frame_put(&f);
	OK(fh_segment_from_raw(no_pages, &from_raw));
	for (int dropped_original = 0; dropped_original < 2;
	     dropped_original++) {
		assert_owns_nothing(zero);
		assert_owns_nothing(fh_segment_none());
		for (size_t i = 0; i <= 3; i++)
			assert_owns_nothing(sliced[i]);
		assert_owns_nothing(drained);
		assert_owns_nothing(from_raw);
		fh_segment_put(&s);
		assert_owns_nothing(s);
	}
	assert_int_equal(drops, 3);
	NOTHING_HELD(free_before);
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(segment_claims_every_page),
		cmocka_unit_test(segment_claims_free_and_taken_pages_alike),
		cmocka_unit_test(segment_maker_runs_once_a_claimed_page),
		cmocka_unit_test(segment_error_order),
		cmocka_unit_test(segment_refuses_a_type_that_does_not_fit),
		cmocka_unit_test(segment_rollback_unchanged),
		cmocka_unit_test_teardown(segment_rolls_back_at_a_hole,
					  stop_machine),
		cmocka_unit_test(segment_address_and_size),
		cmocka_unit_test(segment_put_drops_every_page),
		cmocka_unit_test(segment_count_limit),
		cmocka_unit_test(segment_raw_round_trip),
		cmocka_unit_test(segment_of_frames_forgotten_one_by_one),
		cmocka_unit_test(segment_from_raw_refuses_unshared_pages),
		cmocka_unit_test(split_no_count_change),
		cmocka_unit_test(split_bounds),
		cmocka_unit_test(slice_bounds),
		cmocka_unit_test(slice_wraps_3165),
		cmocka_unit_test(clone_and_slice_plus_one_each_page),
		cmocka_unit_test(next_transfers_reference),
		cmocka_unit_test(segment_from_frame_is_one_page),
		cmocka_unit_test(segment_borrow_bounds),
		cmocka_unit_test(check_type_looks_at_every_page),
		cmocka_unit_test(usegment_try_from_typed),
		cmocka_unit_test(usegment_round_trip_keeps_counts),
		cmocka_unit_test(segment_empty),
	};

	each_on_a_machine(tests, sizeof(tests) / sizeof(tests[0]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
