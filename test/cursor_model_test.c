/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Random operations of cursors, compared after each one with a model: an array
 * of what each page of a few stretches of the address space is mapped to.
 */
#include "harness.h"

#include <framehold/cursor.h>
#include <framehold/poll.h>

#include <string.h>

#define STRETCH      (3 * FH_NODE_ENTRIES)
#define STRETCHES    4
#define DEVICE_FRAME (UINT64_C(1) << 30) /* beyond all memory */

struct page {
	uint64_t frame; /* 0: not mapped */
	bool tracked;
	uint32_t flags;
};

static struct page model[STRETCHES][STRETCH];
static struct fh_page_table kernel;
static struct fh_page_table table;
static struct random dice;
static struct fh_active nobody; /* runs on the table */

/* Where the stretches begin: at both ends, and across larger entries' ends. */
static uint64_t start_of(unsigned stretch)
{
	uint64_t half = fh_page_table_range(FH_TABLE_USER, table.levels).count;

	switch (stretch) {
	case 0:
		return 0;
	case 1:
		return fh_level_pages(3) - FH_NODE_ENTRIES;
	case 2:
		return fh_level_pages(4) - STRETCH / 2;
	default:
		return half - STRETCH;
	}
}

static const uint32_t noted = FH_PAGE_ACCESSED | FH_PAGE_DIRTY;

static void compare(void)
{
	struct fh_atomic_mode mode;

	fh_atomic_begin(&mode);
	for (unsigned s = 0; s < STRETCHES; s++)
		for (uint64_t i = 0; i < STRETCH; i++) {
			const struct page *page = &model[s][i];
			uint64_t number = start_of(s) + i;
			struct fh_mapping m;

			OK(fh_page_table_walk(&table, &mode, number, &m));
			assert_int_equal(m.is_mapped, page->frame != 0);
			if (!m.is_mapped)
				continue;
			assert_int_equal(m.frame + (number - m.first),
					 page->frame);
			assert_int_equal(m.is_tracked, page->tracked);
			assert_int_equal(m.prop.flags & ~noted, page->flags);
		}
	fh_atomic_end(&mode);
}

/* What an operation works on. */
struct work {
	unsigned stretch;
	uint64_t begin; /* in the stretch */
	uint64_t n;
	struct fh_atomic_mode mode;
	struct fh_cursor cursor;
	struct fh_gather gather;
};

static bool chance(uint64_t one_in)
{
	return random_below(&dice, one_in) == 0;
}

static void begin_work(struct work *w)
{
	w->stretch = (unsigned)random_below(&dice, STRETCHES);
	w->begin = random_below(&dice, STRETCH);
	w->n = 1 + random_below(&dice, chance(2) ? 20 : STRETCH);
	if (chance(4)) {
		w->begin -= w->begin % FH_NODE_ENTRIES;
		w->n = FH_NODE_ENTRIES;
	}
	if (w->n > STRETCH - w->begin)
		w->n = STRETCH - w->begin;
	/* The cursor's range is often larger than what is done in it. */
	uint64_t first = chance(2) ? 0 : w->begin;
	uint64_t end = chance(2) ? STRETCH : w->begin + w->n;

	fh_gather_begin(&w->gather, &nobody);
	fh_atomic_begin(&w->mode);
	OK(fh_cursor_open(&table, &w->mode, start_of(w->stretch) + first,
			  end - first, &w->cursor));
	OK(fh_cursor_jump(&w->cursor, start_of(w->stretch) + w->begin));
}

static void end_work(struct work *w)
{
	fh_cursor_close(&w->cursor);
	fh_atomic_end(&w->mode);
	fh_gather_finish(&w->gather);
}

static bool is_free_in_model(const struct work *w)
{
	for (uint64_t i = w->begin; i < w->begin + w->n; i++)
		if (model[w->stretch][i].frame != 0)
			return false;
	return true;
}

static uint32_t random_flags(void)
{
	uint32_t flags = FH_PAGE_USER | FH_PAGE_READ;

	if (chance(2))
		flags |= FH_PAGE_WRITE;
	if (chance(3))
		flags |= FH_PAGE_EXEC;
	return flags;
}

static void note_mapped(const struct work *w, uint64_t frame, uint32_t flags,
			bool tracked)
{
	for (uint64_t i = 0; i < w->n; i++)
		model[w->stretch][w->begin + i] =
			(struct page){frame + i, tracked, flags};
}

static void map_tracked(void)
{
	struct work w;
	struct fh_segment s;
	struct fh_usegment u;
	uint32_t flags = random_flags();

	begin_work(&w);
	struct fh_alloc_options options = {.align = chance(2) ? 512 : 1};

	if (w.n > 600)
		w.n = 600;
	if (fh_segment_alloc(w.n, &options, &fh_untyped_type, NULL, &s) !=
	    FH_OK) {
		end_work(&w);
		return;
	}
	uint64_t frame = fh_segment_first(s);

	OK(fh_usegment_from_segment(&s, &u));
	bool fits = is_free_in_model(&w);
	enum fh_status status =
		fh_cursor_map_segment(&w.cursor, &u, fh_page_prop(flags));

	if (status == FH_OK) {
		assert_true(fits);
		note_mapped(&w, frame, flags, true);
		assert_int_equal(fh_usegment_count(u), 0);
	} else if (fits) {
		assert_int_equal(status, FH_E_NO_MEMORY);
	} else {
		assert_int_equal(status, FH_E_MAPPED);
	}
	end_work(&w);
	fh_usegment_put(&u);
}

static void map_one(void)
{
	struct work w;
	struct fh_frame f;
	struct fh_uframe u;
	uint32_t flags = random_flags();

	begin_work(&w);
	w.n = 1;
	if (fh_frame_alloc(NULL, &fh_untyped_type, NULL, &f) != FH_OK) {
		end_work(&w);
		return;
	}
	OK(fh_uframe_from_frame(&f, &u));
	uint64_t frame = fh_uframe_number(u);
	enum fh_status status =
		fh_cursor_map(&w.cursor, &u, fh_page_prop(flags));

	if (!is_free_in_model(&w))
		assert_int_equal(status, FH_E_MAPPED);
	else if (status == FH_OK)
		note_mapped(&w, frame, flags, true);
	else
		assert_int_equal(status, FH_E_NO_MEMORY);
	end_work(&w);
	fh_uframe_put(&u);
}

static void map_untracked(void)
{
	struct work w;
	uint32_t flags = random_flags();

	begin_work(&w);
	uint64_t frame = DEVICE_FRAME + w.begin + (chance(3) ? 7 : 0);
	enum fh_status status = fh_cursor_map_untracked(
		&w.cursor, fh_paddr_of_frame(frame), w.n, fh_page_prop(flags));

	if (!is_free_in_model(&w))
		assert_int_equal(status, FH_E_MAPPED);
	else if (status == FH_OK)
		note_mapped(&w, frame, flags, false);
	else
		assert_int_equal(status, FH_E_NO_MEMORY);
	end_work(&w);
}

static void unmap(void)
{
	struct work w;
	uint64_t pages;
	uint64_t expected = 0;

	begin_work(&w);
	for (uint64_t i = 0; i < w.n; i++)
		expected += model[w.stretch][w.begin + i].frame != 0;
	enum fh_status status =
		fh_cursor_unmap(&w.cursor, w.n, &w.gather, &pages);

	if (status == FH_OK) {
		assert_int_equal(pages, expected);
		note_mapped(&w, 0, 0, false);
		for (uint64_t i = 0; i < w.n; i++)
			model[w.stretch][w.begin + i].frame = 0;
	} else {
		assert_int_equal(status, FH_E_NO_MEMORY);
	}
	end_work(&w);
}

static void protect(void)
{
	struct work w;
	uint64_t pages;
	uint64_t expected = 0;
	struct fh_prop_change change = {.clear = FH_PAGE_WRITE};

	begin_work(&w);
	if (chance(2))
		change = (struct fh_prop_change){.set = FH_PAGE_WRITE};
	for (uint64_t i = 0; i < w.n; i++)
		expected += model[w.stretch][w.begin + i].frame != 0;
	enum fh_status status =
		fh_cursor_protect(&w.cursor, w.n, change, &w.gather, &pages);

	if (status == FH_OK) {
		assert_int_equal(pages, expected);
		for (uint64_t i = 0; i < w.n; i++) {
			uint32_t *flags = &model[w.stretch][w.begin + i].flags;

			*flags = (*flags & ~change.clear) | change.set;
		}
	} else {
		assert_int_equal(status, FH_E_NO_MEMORY);
	}
	end_work(&w);
}

static void split_or_merge(void)
{
	struct work w;
	enum fh_status status;

	begin_work(&w);
	if (chance(2)) {
		status = fh_cursor_split(&w.cursor, &w.gather);
		assert_true(status == FH_OK || status == FH_E_NO_MEMORY);
	} else {
		status = fh_cursor_merge(&w.cursor, &w.gather);
		assert_true(status == FH_OK || status == FH_E_NOT_MAPPED ||
			    status == FH_E_OUT_OF_BOUND);
	}
	end_work(&w);
}

static void find(void)
{
	struct work w;
	struct fh_mapping m;
	uint64_t i = 0;

	begin_work(&w);
	while (i < w.n && model[w.stretch][w.begin + i].frame == 0)
		i++;
	enum fh_status status = fh_cursor_find(&w.cursor, w.n, &m);

	assert_int_equal(status, i < w.n ? FH_OK : FH_E_NOT_MAPPED);
	assert_int_equal(fh_cursor_page(&w.cursor),
			 start_of(w.stretch) + w.begin + i);
	end_work(&w);
}

static void harvest(void)
{
	struct work w;
	struct fh_mapping m;

	begin_work(&w);
	enum fh_status status = fh_cursor_harvest(
		&w.cursor, w.n, FH_PAGE_ACCESSED, &w.gather, &m);

	assert_true(status == FH_OK || status == FH_E_NOT_MAPPED);
	if (status == FH_OK)
		assert_true((m.prop.flags & FH_PAGE_ACCESSED) != 0);
	end_work(&w);
}

static void run_operation(void)
{
	static void (*const operations[])(void) = {
		map_tracked, map_one, map_one,        map_untracked, unmap,
		unmap,       protect, split_or_merge, find,          harvest,
	};

	operations[random_below(&dice,
				sizeof(operations) / sizeof(operations[0]))]();
}

static void random_operations_agree_with_a_model(void **state)
{
	uint64_t free = count_free();

	(void)state;
	memset(model, 0, sizeof(model));
	dice.state = 42;
	OK(fh_page_table_create_kernel(NULL, NULL, 0, &kernel));
	OK(fh_page_table_create_user(&kernel, &table));
	for (unsigned i = 0; i < 4000; i++) {
		run_operation();
		if (i % 8 == 0)
			compare();
		if (i % 16 == 0)
			fh_poll();
		if (i % 100 == 0)
			AUDIT();
	}
	fh_page_table_destroy(&table);
	fh_page_table_destroy(&kernel);
	fh_settle();
	AUDIT();
	NOTHING_HELD(free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			random_operations_agree_with_a_model, start_machine,
			stop_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
