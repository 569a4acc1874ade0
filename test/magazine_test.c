/* SPDX-License-Identifier: MPL-2.0 */
/*
 * src/magazine.c on a machine whose threads move to another CPU as soon as
 * they may, which the tests' own machine never does to them.
 */
#include "harness.h"

/* Counted from when the thread may move at all: then it does, from 0 to 1. */
static bool moves;
static unsigned depth;
static unsigned cpu_now;

static unsigned moving_cpu(void)
{
	return moves ? cpu_now : fh_host_cpu();
}

static void moving_preempt_off(void)
{
	fh_host_preempt_off();
	depth += moves;
}

static void moving_preempt_on(void)
{
	fh_host_preempt_on();
	depth -= moves;
	if (moves && depth == 0)
		cpu_now = 1;
}

#define fh_host_cpu         moving_cpu
#define fh_host_preempt_off moving_preempt_off
#define fh_host_preempt_on  moving_preempt_on

#include "../src/magazine.c"

static void drain_empties_the_cpu_that_it_began_on(void **state)
{
	struct fh_alloc_options options = {.align = 1};
	uint64_t page;

	(void)state;
	OK(fh_allocator_pop(1, &options, &page));
	assert_true(fh_magazines[0].page_count > 0);
	moves = true;
	fh_magazines_drain();
	moves = false;
	assert_int_equal(cpu_now, 1);
	assert_int_equal(fh_magazines[0].page_count, 0);
	fh_allocator_give_back(page, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			drain_empties_the_cpu_that_it_began_on, start_machine,
			stop_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
