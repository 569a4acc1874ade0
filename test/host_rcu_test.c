/* SPDX-License-Identifier: MPL-2.0 */
/*
 * src/rcu.c over grace periods of the kernel's own: here numbers that a test
 * says are over.
 */
#define FH_HOST_RCU 1

#include "harness.h"

#include <framehold/poll.h>

static uint64_t begun;
static uint64_t ended;
static uint64_t reaps;

uint64_t fh_host_rcu_begin(void)
{
	begun++;
	return begun;
}

bool fh_host_rcu_is_over(uint64_t period)
{
	return period <= ended;
}

static bool count_reap(uint64_t node, uint64_t *budget);

#define fh_node_reap count_reap
#include "rcu.c"
#undef fh_node_reap

static bool count_reap(uint64_t node, uint64_t *budget)
{
	(void)node;
	(*budget)--;
	reaps++;
	return true;
}

static void hosts_periods_are_waited_for(void **state)
{
	struct fh_frame frames[3];
	uint64_t nodes[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		OK(fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frames[i]));
		nodes[i] = fh_frame_number(frames[i]);
	}
	fh_poll();
	assert_int_equal(begun, 0);
	fh_rcu_defer(nodes[0], nodes[0], 1);
	assert_int_equal(begun, 1);
	fh_rcu_defer(nodes[1], nodes[1], 1);
	assert_int_equal(begun, 1);
	fh_poll();
	assert_int_equal(reaps, 0);
	ended = 1;
	fh_poll();
	assert_int_equal(reaps, 1);
	/* What came after the first period had begun waits for another. */
	assert_int_equal(begun, 2);
	fh_poll();
	assert_int_equal(reaps, 1);
	ended = 2;
	fh_poll();
	assert_int_equal(reaps, 2);
	assert_true(fh_rcu_idle());
	fh_poll();
	assert_int_equal(begun, 2);
	for (unsigned i = 0; i < 3; i++)
		fh_frame_put(&frames[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hosts_periods_are_waited_for,
						start_machine, stop_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
