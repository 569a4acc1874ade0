/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Mistakes that other implementations of this layer made, each as a test.
 * Those that fit an owner's own tests are there: docs/MAPPING.md has the list.
 */
#define _GNU_SOURCE

#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "harness.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define UNTOUCHED UINT64_C(0x123456789a)

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* Slots of a section and, in checked builds, its part of the ledger. */
#define SECTION_BYTES (FH_SECTION_FRAMES * FH_PAGE_SIZE)
#define SECTION_METADATA                                                       \
	(FH_SECTION_FRAMES *                                                   \
	 (FH_SLOT_SIZE + FH_CHECKED * sizeof(struct fh_ledger_page)) /         \
	 FH_PAGE_SIZE)

static const struct fh_meta words = {{1, 2, 3, 4, 5}};
static const struct fh_meta other_words = {{6, 7, 8, 9, 10}};

/* ---- Segments ---- */

static void segment_may_end_at_max_paddr(void **state)
{
	uint64_t free_before = count_free();
	uint64_t end = fh_frame_of_paddr(fh_max_paddr());
	struct fh_segment s = {UNTOUCHED, UNTOUCHED};

	(void)state;
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_segment_from_unused(address_of(end - 2), address_of(end + 1),
				       &other_type, NULL, &s));
	assert_int_equal(s.handle, UNTOUCHED);
	assert_int_equal(s.count, UNTOUCHED);
	CHANGES(end - 2, 2,
		OK(fh_segment_from_unused(address_of(end - 2), fh_max_paddr(),
					  &other_type, NULL, &s)));
	assert_int_equal(fh_segment_end(s).bytes, fh_max_paddr().bytes);
	assert_int_equal(fh_segment_count(s), 2);
	fh_segment_put(&s);
	NOTHING_HELD(free_before);
}

/* The pages that a maker was asked for. */
struct makes {
	unsigned runs;
	uint64_t first;
	uint64_t last;
};

static struct fh_meta note_make(void *context, struct fh_paddr pa)
{
	struct makes *makes = context;

	if (makes->runs == 0)
		makes->first = fh_frame_of_paddr(pa);
	makes->last = fh_frame_of_paddr(pa);
	makes->runs++;
	return words;
}

static void middle_page_in_use_fails_the_claim(void **state)
{
	uint64_t page = fresh_pages(5);
	struct makes makes = {0};
	struct fh_segment s = {UNTOUCHED, UNTOUCHED};
	struct fh_frame middle;
	struct fh_unique last;
	uint64_t free_before;

	(void)state;
	/* Words that nobody owns any more show whether anybody wrote them. */
	OK(fh_unique_from_unused(address_of(page + 4), &other_type,
				 &other_words, &last));
	fh_unique_reset_as_unused(&last);
	OK(fh_frame_from_unused(address_of(page + 2), &other_type, &other_words,
				&middle));
	free_before = count_free();
	REFUSES(FH_E_IN_USE, fh_segment_from_unused_with(
				     address_of(page), address_of(page + 5),
				     &counting_type, note_make, &makes, &s));
	assert_int_equal(s.handle, UNTOUCHED);
	assert_int_equal(s.count, UNTOUCHED);
	assert_int_equal(makes.runs, 2);
	assert_int_equal(makes.first, page);
	assert_int_equal(makes.last, page + 1);
	assert_int_equal(drops, 2);
	assert_int_equal(fh_ref_count(state_of(page)), FH_REF_COUNT_UNUSED);
	assert_int_equal(fh_ref_count(state_of(page + 1)), FH_REF_COUNT_UNUSED);
	assert_int_equal(fh_frame_reference_count(middle), 1);
	assert_ptr_equal(fh_frame_type(middle), &other_type);
	assert_int_equal(state_of(page + 3), FH_STATE_FREE);
	assert_memory_equal(&fh_frame_to_meta(page + 3)->meta, &fh_meta_zero,
			    sizeof(words));
	assert_int_equal(state_of(page + 4), FH_STATE_UNUSED);
	assert_memory_equal(&fh_frame_to_meta(page + 4)->meta, &other_words,
			    sizeof(words));
	assert_int_equal(count_free(), free_before);
	fh_frame_put(&middle);
}

/* ---- on_drop ---- */

static unsigned first_drops;
static struct fh_meta first_words;
static uint64_t first_state;
static enum fh_status first_share;
static unsigned second_drops;

static void drop_first(struct fh_dropping page)
{
	struct fh_frame f;

	first_drops++;
	first_words = *fh_dropping_meta(page);
	first_state = state_of(page.frame);
	first_share = fh_frame_from_in_use(fh_dropping_paddr(page), &f);
}

static void drop_second(struct fh_dropping page)
{
	assert_memory_equal(fh_dropping_meta(page), &other_words,
			    sizeof(other_words));
	second_drops++;
}

static const struct fh_meta_type first_type = {
	.name = "first",
	.size = FH_META_SIZE,
	.usage = FH_USAGE_FRAME,
	.on_drop = drop_first,
};
static const struct fh_meta_type second_type = {
	.name = "second",
	.size = FH_META_SIZE,
	.usage = FH_USAGE_FRAME,
	.on_drop = drop_second,
};

static void repurpose_drops_old_metadata_once(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_unique u;

	(void)state;
	first_drops = 0;
	second_drops = 0;
	OK(fh_unique_from_unused(address_of(page), &first_type, &words, &u));
	CHANGES(page, 1,
		OK(fh_unique_repurpose(u, &second_type, &other_words)));
	assert_int_equal(first_drops, 1);
	assert_int_equal(second_drops, 0);
	/* The owner drops metadata without letting the page go. */
	assert_memory_equal(&first_words, &words, sizeof(words));
	assert_int_equal(first_state, FH_STATE_UNIQUE);
	assert_int_equal(first_share, FH_E_UNIQUE);
	assert_int_equal(fh_unique_number(u), page);
	assert_int_equal(state_of(page), FH_STATE_UNIQUE);
	assert_ptr_equal(fh_unique_type(u), &second_type);
	assert_memory_equal(fh_unique_meta(u), &other_words,
			    sizeof(other_words));

	/* To the same type again, and on without words. */
	CHANGES(page, 1,
		OK(fh_unique_repurpose(u, &second_type, &other_words)));
	assert_int_equal(second_drops, 1);
	CHANGES(page, 1, OK(fh_unique_repurpose(u, &first_type, NULL)));
	assert_int_equal(first_drops, 1);
	assert_int_equal(second_drops, 2);
	assert_memory_equal(fh_unique_meta(u), &fh_meta_zero,
			    sizeof(fh_meta_zero));
	fh_unique_put(&u);
	assert_int_equal(first_drops, 2);
	assert_int_equal(second_drops, 2);
	NOTHING_HELD(free_before);
}

/* ---- Counts ---- */

/* A count of 32 bits met its own sentinels. */
static void count_goes_beyond_32_bits(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_frame f;
	struct fh_frame second;

	(void)state;
	OK(fh_frame_from_unused(address_of(page), &counting_type, &words, &f));
	force_state(page, FH_STATE_SHARED(UINT32_MAX));
	second = fh_frame_get(f);
	assert_int_equal(fh_frame_reference_count(f), UINT64_C(1) + UINT32_MAX);
	fh_frame_put(&second);
	assert_int_equal(fh_frame_reference_count(f), UINT32_MAX);
	OK(fh_frame_from_in_use(address_of(page), &second));
	assert_int_equal(fh_frame_reference_count(f), UINT64_C(1) + UINT32_MAX);
	force_state(page, FH_STATE_SHARED(2));
	fh_frame_put(&second);
	fh_frame_put(&f);
	assert_int_equal(drops, 1);
	NOTHING_HELD(free_before);
}

static uint64_t watched_page; /* put again and again, whichever it is */
static uint64_t looks;
static uint64_t unused_seen;

/* Comes between any two instructions of a put. */
static void look_at_page(int signal)
{
	uint64_t page = fh_word_load_relaxed(&watched_page);

	(void)signal;
	(void)fh_word_add_relaxed(&looks, 1);
	if (page != 0 && fh_state_load_relaxed(page) == FH_STATE_UNUSED)
		(void)fh_word_add_relaxed(&unused_seen, 1);
}

/* One that is, for a moment, could be claimed and given out at once. */
static void freed_page_is_never_unused(void **state)
{
	const struct fh_alloc_options any = {.align = 1};
	const struct itimerval often = {{0, 50}, {0, 50}};
	const struct itimerval never = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_handler = look_at_page};
	uint64_t free_before = count_free();

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	while (fh_word_load_relaxed(&looks) < 500) {
		struct fh_frame f;

		if (fh_frame_alloc(&any, &fh_untyped_type, NULL, &f) != FH_OK)
			break;
		fh_word_store_relaxed(&watched_page, fh_frame_number(f));
		fh_frame_put(&f);
	}
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	action.sa_handler = SIG_IGN;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_true(looks >= 500);
	assert_int_equal(unused_seen, 0);
	NOTHING_HELD(free_before);
}

/* ---- Bring-up on maps of all kinds ---- */

static void start_on(const struct fh_region *regions, size_t n)
{
	hosted_stop();
	if (hosted_start(regions, n, NULL) != FH_OK)
		fail_msg("%s", hosted_why());
	AUDIT();
}

static uint64_t metadata_on(const struct fh_region *regions, size_t n)
{
	struct fh_memory_totals totals;

	start_on(regions, n);
	fh_memory_totals(&totals);
	return totals.metadata;
}

static void framebuffer_above_ram_has_no_metadata(void **state)
{
	static const struct fh_region regions[] = {
		{0, 4 * GIB, FH_REGION_USABLE},
		{256 * GIB, 8 * MIB, FH_REGION_FRAMEBUFFER},
		{512 * GIB, GIB, FH_REGION_RESERVED},
		{1024 * GIB, GIB, FH_REGION_BAD},
		{2048 * GIB, GIB, FH_REGION_UNKNOWN},
	};
	uint64_t without = metadata_on(regions, 1);
	uint64_t frame = UNTOUCHED;

	(void)state;
	for (size_t n = 2; n <= LENGTH(regions); n++) {
		struct fh_paddr pa = fh_paddr(regions[n - 1].base);

		assert_int_equal(metadata_on(regions, n), without);
		assert_int_equal(fh_max_paddr().bytes, 4 * GIB);
		assert_int_equal(fh_get_slot(pa, &frame), FH_E_OUT_OF_BOUND);
	}
	assert_int_equal(frame, UNTOUCHED);
}

static void kernel_above_usable_memory_has_slots(void **state)
{
	static const struct fh_region regions[] = {
		{0, 64 * MIB, FH_REGION_USABLE},
		{SECTION_BYTES + 32 * MIB, MIB, FH_REGION_KERNEL},
	};
	uint64_t first = regions[1].base / FH_PAGE_SIZE;

	(void)state;
	start_on(regions, LENGTH(regions));
	assert_int_equal(fh_max_paddr().bytes, SECTION_BYTES + 33 * MIB);
	for (uint64_t page = first; page < first + 256; page++) {
		assert_int_equal(fh_ref_count(state_of(page)), 1);
		assert_ptr_equal(fh_frame_to_meta(page)->type, &fh_kernel_type);
	}
	assert_ptr_equal(fh_frame_to_meta(first - 1)->type, &fh_reserved_type);
}

/*
 * As much RAM, with a hole before it and one within: slots and ledger take as
 * many pages as without. The allocator's tables may follow the end of memory,
 * at a quarter of a byte a page; some pages are lost to alignment.
 */
static void hole_costs_no_metadata(void **state)
{
	static const struct fh_region together[] = {
		{0, 2 * SECTION_BYTES, FH_REGION_USABLE},
	};
	static const struct fh_region apart[] = {
		{8 * SECTION_BYTES, SECTION_BYTES, FH_REGION_USABLE},
		{136 * SECTION_BYTES, SECTION_BYTES, FH_REGION_USABLE},
	};
	uint64_t least = metadata_on(together, LENGTH(together));
	uint64_t most = metadata_on(apart, LENGTH(apart));
	uint64_t frame = UNTOUCHED;
	unsigned present = 0;

	(void)state;
	assert_true(least >= 2 * SECTION_METADATA);
	assert_true(most >= 2 * SECTION_METADATA);
	assert_true(most <=
		    least + 512 + 135 * FH_SECTION_FRAMES / 4 / FH_PAGE_SIZE);
	for (uint64_t section = 0; section < 137; section++) {
		struct fh_paddr pa = fh_paddr(section * SECTION_BYTES);

		if (fh_get_slot(pa, &frame) == FH_OK)
			present++;
	}
	assert_int_equal(present, 2);
	assert_int_equal(frame, 136 * FH_SECTION_FRAMES);
}

/* No frame is number 0, whose slot may not be there to be looked at. */
static void no_frame_has_no_slot(void **state)
{
	static const struct fh_region regions[] = {
		{8 * SECTION_BYTES, SECTION_BYTES, FH_REGION_USABLE},
	};
	struct fh_frame f = fh_frame_none();
	struct fh_unique u = fh_unique_none();
	struct fh_segment s = fh_segment_none();
	struct fh_uframe uframe = {UNTOUCHED};
	struct fh_usegment usegment = {UNTOUCHED, UNTOUCHED};
	struct fh_list list = fh_list_none();

	(void)state;
	start_on(regions, LENGTH(regions));
	fh_frame_put(&f);
	fh_unique_put(&u);
	fh_unique_reset_as_unused(&u);
	fh_segment_put(&s);
	assert_false(fh_frame_is_type(f, &other_type));
	assert_int_equal(fh_uframe_from_frame(&f, &uframe), FH_E_WRONG_TYPE);
	assert_int_equal(fh_unique_from_frame(&f, &u), FH_E_EMPTY);
	assert_int_equal(fh_unique_repurpose(u, &other_type, NULL), FH_E_EMPTY);
	assert_int_equal(fh_list_push_back(&list, &u), FH_E_EMPTY);
	assert_int_equal(fh_usegment_from_segment(&s, &usegment), FH_E_EMPTY);
	assert_int_equal(fh_segment_count(fh_segment_from_frame(&f)), 0);
	assert_int_equal(uframe.handle, UNTOUCHED);
	assert_int_equal(usegment.handle, UNTOUCHED);
	AUDIT();
}

static void ram_beyond_the_frame_limit_is_named(void **state)
{
	static const uint64_t limit = FH_MAX_FRAMES * FH_PAGE_SIZE;
	struct fh_region regions[] = {
		{0, 64 * MIB, FH_REGION_USABLE},
		{limit - MIB, MIB, FH_REGION_USABLE},
		{limit, FH_PAGE_SIZE, FH_REGION_USABLE},
	};
	struct fh_span spans[6];
	struct fh_memory_map map = {spans, LENGTH(spans), 77};
	size_t bad = 99;

	(void)state;
	assert_int_equal(fh_map_normalise(regions, 3, &map, &bad),
			 FH_E_OUT_OF_BOUND);
	assert_int_equal(bad, 2);
	assert_int_equal(map.count, 77);
	hosted_stop();
	assert_int_equal(hosted_start(regions, 3, NULL), FH_E_OUT_OF_BOUND);
	assert_non_null(strstr(hosted_why(), "entry 2"));

	/* One that only begins below, and every other kind of RAM. */
	regions[2].base = limit - FH_PAGE_SIZE;
	regions[2].size = 2 * FH_PAGE_SIZE;
	assert_int_equal(fh_map_normalise(regions, 3, &map, &bad),
			 FH_E_OUT_OF_BOUND);
	regions[2].kind = FH_REGION_MODULE;
	assert_int_equal(fh_map_normalise(regions, 3, &map, &bad),
			 FH_E_OUT_OF_BOUND);
	bad = 99;
	regions[2].kind = FH_REGION_RESERVED;
	OK(fh_map_normalise(regions, 3, &map, &bad));
	assert_int_equal(bad, 99);
	assert_true(fh_map_frame_end(&map) <= FH_MAX_FRAMES);
}

/* ---- Normalisation ---- */

/* An array with room, and a map of it. */
struct room {
	struct fh_span spans[8];
	struct fh_memory_map map;
};

static void normalise(struct room *room, struct fh_region *regions, size_t n)
{
	size_t bad = 99;

	room->map = (struct fh_memory_map){room->spans, LENGTH(room->spans), 9};
	OK(fh_map_normalise(regions, n, &room->map, &bad));
	assert_int_equal(bad, 99);
}

static void usable_part_of_a_page_is_dropped(void **state)
{
	struct fh_region part[] = {{0x1001, 0x100, FH_REGION_USABLE}};
	struct fh_region across[] = {{0x1001, 0x1ffe, FH_REGION_USABLE}};
	struct fh_region whole[] = {{0x0fff, 0x1001, FH_REGION_USABLE}};
	struct room room;

	(void)state;
	normalise(&room, part, 1);
	assert_int_equal(room.map.count, 0);
	normalise(&room, across, 1);
	assert_int_equal(room.map.count, 0);
	normalise(&room, whole, 1);
	assert_int_equal(room.map.count, 1);
	assert_int_equal(room.map.spans[0].first, 1);
	assert_int_equal(room.map.spans[0].count, 1);
}

static void nothing_usable_makes_no_span(void **state)
{
	struct fh_region parts[] = {
		{0x1001, 0x100, FH_REGION_USABLE},
		{0, 0, FH_REGION_BAD},
		{0x5000, 0xfff, FH_REGION_USABLE},
	};
	struct room room;

	(void)state;
	normalise(&room, NULL, 0);
	assert_int_equal(room.map.count, 0);
	normalise(&room, parts, LENGTH(parts));
	assert_int_equal(room.map.count, 0);
	assert_int_equal(fh_map_frame_end(&room.map), 0);
	assert_int_equal(fh_map_pages(&room.map, FH_REGION_BAD), 0);
}

static void reserved_tail_is_kept(void **state)
{
	struct fh_region regions[] = {
		{0, 0x1000, FH_REGION_USABLE},
		{0x1000, 0x800, FH_REGION_RESERVED},
	};
	struct room room;

	(void)state;
	normalise(&room, regions, LENGTH(regions));
	assert_int_equal(room.map.count, 2);
	assert_int_equal(fh_map_kind_at(&room.map, 0), FH_REGION_USABLE);
	assert_int_equal(room.map.spans[1].first, 1);
	assert_int_equal(room.map.spans[1].count, 1);
	assert_int_equal(room.map.spans[1].kind, FH_REGION_RESERVED);
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(segment_may_end_at_max_paddr),
		cmocka_unit_test(middle_page_in_use_fails_the_claim),
		cmocka_unit_test(repurpose_drops_old_metadata_once),
		cmocka_unit_test(count_goes_beyond_32_bits),
		cmocka_unit_test(freed_page_is_never_unused),
		cmocka_unit_test(framebuffer_above_ram_has_no_metadata),
		cmocka_unit_test(kernel_above_usable_memory_has_slots),
		cmocka_unit_test(hole_costs_no_metadata),
		cmocka_unit_test(no_frame_has_no_slot),
		cmocka_unit_test(ram_beyond_the_frame_limit_is_named),
		cmocka_unit_test(usable_part_of_a_page_is_dropped),
		cmocka_unit_test(nothing_usable_makes_no_span),
		cmocka_unit_test(reserved_tail_is_kept),
	};

	for (size_t i = 0; i < LENGTH(tests); i++) {
		tests[i].setup_func = start_machine;
		tests[i].teardown_func = stop_machine;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
