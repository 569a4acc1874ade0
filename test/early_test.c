/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The early allocator: order, alignment, page 0, the limits of arithmetic, its
 * three states, and what bring-up takes back when it fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../src/early.h"

#define UNTOUCHED UINT64_C(0x1234567890)

/*
 * usable 0..7, reserved 8..15, usable 16..19, bad 20, usable 1000..1999,
 * reclaimable 2000..2099: what bring-up would see, with a hole.
 */
struct machine {
	struct fh_span spans[6];
	struct fh_memory_map map;
};

static void set_span(struct fh_span *span, uint64_t first, uint64_t count,
		     enum fh_region_kind kind)
{
	span->first = first;
	span->count = count;
	span->kind = kind;
	/* Left over from an earlier life: begin must not believe it. */
	span->taken = count;
	span->taken_before = count;
}

static void machine_open(struct machine *machine)
{
	set_span(&machine->spans[0], 0, 8, FH_REGION_USABLE);
	set_span(&machine->spans[1], 8, 8, FH_REGION_RESERVED);
	set_span(&machine->spans[2], 16, 4, FH_REGION_USABLE);
	set_span(&machine->spans[3], 20, 1, FH_REGION_BAD);
	set_span(&machine->spans[4], 1000, 1000, FH_REGION_USABLE);
	set_span(&machine->spans[5], 2000, 100, FH_REGION_RECLAIMABLE);
	machine->map.spans = machine->spans;
	machine->map.capacity = 6;
	machine->map.count = 6;
	assert_int_equal(fh_early_begin(&machine->map), FH_OK);
}

static uint64_t take(uint64_t n, uint64_t align)
{
	uint64_t first = UNTOUCHED;

	assert_int_equal(fh_early_alloc(n, align, &first), FH_OK);
	return first;
}

/* Expects an error that changes nothing. */
static void assert_early_refused(const struct machine *machine, uint64_t n,
				 uint64_t align, enum fh_status status)
{
	struct machine before = *machine;
	uint64_t first = UNTOUCHED;

	assert_int_equal(fh_early_alloc(n, align, &first), status);
	assert_int_equal(first, UNTOUCHED);
	assert_memory_equal(machine, &before, sizeof(before));
}

static int close_early(void **state)
{
	(void)state;
	fh_early_end();
	return 0;
}

static void pages_come_lowest_first(void **state)
{
	struct machine m;

	(void)state;
	machine_open(&m);
	assert_int_equal(take(1, 1), 1);
	assert_int_equal(take(2, 1), 2);
	assert_int_equal(take(4, 1), 4);
	assert_int_equal(take(1, 1), 16);
	assert_int_equal(take(3, 1), 17);
	assert_int_equal(take(1, 1), 1000);
}

static void page_0_is_never_given_out(void **state)
{
	struct fh_span span = {
		.first = 0, .count = 1, .kind = FH_REGION_USABLE};
	struct fh_memory_map map = {&span, 1, 1};
	uint64_t first = UNTOUCHED;

	(void)state;
	assert_int_equal(fh_early_begin(&map), FH_OK);
	assert_int_equal(fh_early_alloc(1, 1, &first), FH_E_NO_MEMORY);
	assert_int_equal(first, UNTOUCHED);
	assert_int_equal(span.taken, 0);

	span.count = 2;
	assert_int_equal(take(1, 1), 1);
	assert_int_equal(span.taken, 2);
}

static void alignment_is_of_the_page_number(void **state)
{
	struct machine m;

	(void)state;
	machine_open(&m);
	/* Page 0 is a multiple of 4 and out of the question. */
	assert_int_equal(take(1, 4), 4);
	assert_int_equal(take(1, 2), 6);
	assert_int_equal(take(4, 16), 16);
	assert_int_equal(take(1, 512), 1024);
	assert_int_equal(take(1, 1), 7);
	assert_int_equal(take(1, 1), 1025);
}

static void skipped_pages_count_as_taken(void **state)
{
	struct machine m;

	(void)state;
	machine_open(&m);
	assert_int_equal(take(1, 4), 4);
	assert_int_equal(m.spans[0].taken, 5);
	assert_int_equal(take(3, 512), 1024);
	assert_int_equal(m.spans[4].taken, 27);
	assert_int_equal(m.spans[2].taken, 0);
}

static void larger_request_leaves_lower_span_for_smaller_ones(void **state)
{
	struct machine m;

	(void)state;
	machine_open(&m);
	assert_int_equal(take(8, 1), 1000);
	assert_int_equal(take(5, 1), 1);
	assert_int_equal(take(4, 1), 16);
	assert_int_equal(take(2, 1), 6);
}

static void whole_span_can_be_taken(void **state)
{
	struct machine m;

	(void)state;
	machine_open(&m);
	assert_int_equal(take(1000, 1), 1000);
	assert_int_equal(m.spans[4].taken, 1000);
	assert_int_equal(take(7, 1), 1);
	assert_int_equal(take(4, 1), 16);
	assert_early_refused(&m, 1, 1, FH_E_NO_MEMORY);
}

static void only_usable_spans_are_touched(void **state)
{
	struct machine m;
	uint64_t pages = 0;

	(void)state;
	machine_open(&m);
	for (;;) {
		uint64_t first;
		enum fh_region_kind kind;

		if (fh_early_alloc(1, 1, &first) != FH_OK)
			break;
		kind = fh_map_kind_at(&m.map, first);
		assert_int_equal(kind, FH_REGION_USABLE);
		pages++;
	}
	assert_int_equal(pages, 7 + 4 + 1000);
	assert_int_equal(m.spans[1].taken, 0);
	assert_int_equal(m.spans[3].taken, 0);
	assert_int_equal(m.spans[5].taken, 0);
}

static void too_much_is_refused(void **state)
{
	struct machine m;

	(void)state;
	machine_open(&m);
	assert_early_refused(&m, 1001, 1, FH_E_NO_MEMORY);
	assert_early_refused(&m, UINT64_MAX, 1, FH_E_NO_MEMORY);
	assert_early_refused(&m, UINT64_MAX, 4096, FH_E_NO_MEMORY);
	assert_early_refused(&m, 1, UINT64_C(1) << 63, FH_E_NO_MEMORY);
	assert_early_refused(&m, UINT64_MAX, UINT64_C(1) << 63, FH_E_NO_MEMORY);
	/* 1024 is there, but 977 pages from it on are not. */
	assert_early_refused(&m, 977, 1024, FH_E_NO_MEMORY);
	assert_int_equal(take(976, 1024), 1024);
}

static void bad_arguments_are_refused(void **state)
{
	struct machine m;

	(void)state;
	machine_open(&m);
	assert_early_refused(&m, 0, 1, FH_E_INVALID);
	assert_early_refused(&m, 1, 0, FH_E_INVALID);
	assert_early_refused(&m, 1, 3, FH_E_INVALID);
	assert_early_refused(&m, 1, 6, FH_E_INVALID);
	assert_early_refused(&m, 1, UINT64_MAX, FH_E_INVALID);
}

static void closed_it_gives_nothing(void **state)
{
	uint64_t first = UNTOUCHED;

	(void)state;
	assert_false(fh_early_is_open());
	assert_null(fh_early_map());
	assert_int_equal(fh_early_alloc(1, 1, &first), FH_E_INVALID);
	assert_int_equal(first, UNTOUCHED);
}

static void opening_twice_is_refused(void **state)
{
	struct machine m;
	struct machine before;
	struct fh_span other_span = {
		.first = 1, .count = 1, .kind = FH_REGION_USABLE, .taken = 1};
	struct fh_memory_map other = {&other_span, 1, 1};

	(void)state;
	machine_open(&m);
	(void)take(3, 1);
	before = m;
	assert_int_equal(fh_early_begin(&other), FH_E_TWICE);
	assert_int_equal(fh_early_begin(&m.map), FH_E_TWICE);
	assert_memory_equal(&m, &before, sizeof(m));
	assert_int_equal(other_span.taken, 1);
	assert_ptr_equal(fh_early_map(), &m.map);
	assert_int_equal(take(1, 1), 4);
}

static void retired_it_gives_nothing_and_remembers(void **state)
{
	struct machine m;

	(void)state;
	machine_open(&m);
	assert_true(fh_early_is_open());
	(void)take(3, 1);
	fh_early_retire();
	assert_false(fh_early_is_open());
	assert_early_refused(&m, 1, 1, FH_E_INVALID);
	assert_ptr_equal(fh_early_map(), &m.map);
	assert_int_equal(m.spans[0].taken, 4);
	assert_int_equal(fh_early_begin(&m.map), FH_E_TWICE);
}

static void after_the_end_it_begins_afresh(void **state)
{
	struct machine m;

	(void)state;
	machine_open(&m);
	(void)take(3, 1);
	fh_early_retire();
	fh_early_end();
	assert_null(fh_early_map());
	assert_int_equal(fh_early_begin(&m.map), FH_OK);
	assert_int_equal(take(1, 1), 1);
	fh_early_end();
	assert_false(fh_early_is_open());
	assert_int_equal(fh_early_begin(&m.map), FH_OK);
	assert_int_equal(take(1, 1), 1);
}

static void rewind_takes_back_what_came_after_the_mark(void **state)
{
	struct machine m;
	struct machine at_mark;

	(void)state;
	machine_open(&m);
	(void)take(3, 1);
	(void)take(20, 8);
	fh_early_mark();
	at_mark = m;
	(void)take(1, 1);
	(void)take(4, 1);
	(void)take(900, 1);
	assert_memory_not_equal(&m, &at_mark, sizeof(m));
	fh_early_rewind();
	assert_memory_equal(&m, &at_mark, sizeof(m));
	assert_true(fh_early_is_open());
	assert_int_equal(take(1, 1), 4);

	/* A later mark replaces the earlier one. */
	fh_early_mark();
	(void)take(1, 1);
	fh_early_rewind();
	assert_int_equal(take(1, 1), 5);
}

static void empty_map_has_no_memory(void **state)
{
	struct fh_memory_map map = {NULL, 0, 0};
	uint64_t first = UNTOUCHED;

	(void)state;
	assert_int_equal(fh_early_begin(&map), FH_OK);
	assert_int_equal(fh_early_alloc(1, 1, &first), FH_E_NO_MEMORY);
	fh_early_mark();
	fh_early_rewind();
}

/* As the highest page numbers allow; nothing wraps. */
static void top_of_page_numbers_does_not_wrap(void **state)
{
	struct fh_span span = {.first = FH_PAGE_NUMBER_END - 3,
			       .count = 3,
			       .kind = FH_REGION_USABLE};
	struct fh_memory_map map = {&span, 1, 1};
	uint64_t first = UNTOUCHED;

	(void)state;
	assert_int_equal(fh_early_begin(&map), FH_OK);
	assert_int_equal(fh_early_alloc(1, 4, &first), FH_E_NO_MEMORY);
	assert_int_equal(fh_early_alloc(1, FH_PAGE_NUMBER_END, &first),
			 FH_E_NO_MEMORY);
	assert_int_equal(take(1, 2), FH_PAGE_NUMBER_END - 2);
	assert_int_equal(take(1, 1), FH_PAGE_NUMBER_END - 1);
	assert_int_equal(fh_early_alloc(1, 1, &first), FH_E_NO_MEMORY);
	assert_int_equal(first, UNTOUCHED);
}

/* A mark for every page: nothing is given out twice, all of it is usable. */
static void random_requests_never_overlap(void **state)
{
	uint64_t random = UINT64_C(0x2545f4914f6cdd1d);

	(void)state;
	for (int round = 0; round < 500; round++) {
		bool is_given[2100] = {false};
		struct machine m;

		machine_open(&m);
		for (int i = 0; i < 60; i++) {
			uint64_t first = UNTOUCHED;
			uint64_t n;
			uint64_t align;

			random = random * UINT64_C(6364136223846793005) + 1;
			n = (random >> 33) % 40 + 1;
			align = UINT64_C(1) << ((random >> 50) % 8);
			if (fh_early_alloc(n, align, &first) != FH_OK) {
				assert_int_equal(first, UNTOUCHED);
				continue;
			}
			assert_int_equal(first % align, 0);
			for (uint64_t page = first; page < first + n; page++) {
				assert_int_not_equal(page, 0);
				assert_int_equal(fh_map_kind_at(&m.map, page),
						 FH_REGION_USABLE);
				assert_false(is_given[page]);
				is_given[page] = true;
			}
		}
		for (size_t i = 0; i < m.map.count; i++)
			assert_true(m.spans[i].taken <= m.spans[i].count);
		fh_early_end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_come_lowest_first),
		cmocka_unit_test(page_0_is_never_given_out),
		cmocka_unit_test(alignment_is_of_the_page_number),
		cmocka_unit_test(skipped_pages_count_as_taken),
		cmocka_unit_test(
			larger_request_leaves_lower_span_for_smaller_ones),
		cmocka_unit_test(whole_span_can_be_taken),
		cmocka_unit_test(only_usable_spans_are_touched),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(bad_arguments_are_refused),
		cmocka_unit_test(closed_it_gives_nothing),
		cmocka_unit_test(opening_twice_is_refused),
		cmocka_unit_test(retired_it_gives_nothing_and_remembers),
		cmocka_unit_test(after_the_end_it_begins_afresh),
		cmocka_unit_test(rewind_takes_back_what_came_after_the_mark),
		cmocka_unit_test(empty_map_has_no_memory),
		cmocka_unit_test(top_of_page_numbers_does_not_wrap),
		cmocka_unit_test(random_requests_never_overlap),
	};
	/* Each test closes the allocator again, also when it fails. */
	struct CMUnitTest closing[sizeof(tests) / sizeof(tests[0])];

	memcpy(closing, tests, sizeof(tests));
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		closing[i].teardown_func = close_early;
	return cmocka_run_group_tests(closing, NULL, NULL);
}
