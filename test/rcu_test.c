/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Grace periods: src/rcu.c itself, with nodes that are pages with a magic word
 * and a count of entries, and with CPUs that one thread can be in turn.
 */
#include "harness.h"

#include <framehold/mode.h>
#include <framehold/poll.h>

#include <string.h>

static unsigned cpu_for_test(void);
static bool reap_for_test(uint64_t node, uint64_t *budget);

#define fh_host_cpu  cpu_for_test
#define fh_node_reap reap_for_test
#include "rcu.c"
#undef fh_host_cpu
#undef fh_node_reap

#define MAGIC UINT64_C(0x600d600d600d600d)
#define DEAD  UINT64_C(0xdeadbeefdeadbeef)
#define NODES 64

/* A CPU that the thread plays, or -1: the one that it is. */
static _Thread_local int played = -1;

static unsigned cpu_for_test(void)
{
	return played >= 0 ? (unsigned)played : fh_host_cpu();
}

static struct fh_frame frames[NODES];
static uint64_t node_of[NODES];
static uint64_t reaped[NODES];   /* how often; atomic */
static uint64_t entries[NODES];  /* that it has; 1 if 0 */
static unsigned child_of[NODES]; /* it has one, if not 0 */
static uint64_t calls;

static unsigned index_of(uint64_t node)
{
	unsigned i = 0;

	while (node_of[i] != node)
		i++;
	return i;
}

static uint64_t *words_of(uint64_t node)
{
	return fh_host_linear(fh_paddr_of_frame(node));
}

static bool reap_for_test(uint64_t node, uint64_t *budget)
{
	unsigned i = index_of(node);
	uint64_t *progress = &fh_slots[node].meta.w[FH_NODE_PROGRESS];
	uint64_t all = entries[i] == 0 ? 1 : entries[i];
	uint64_t n = all - *progress < *budget ? all - *progress : *budget;

	(void)__atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
	*progress += n;
	*budget -= n;
	if (*progress < all)
		return false;
	if (child_of[i] != 0)
		fh_rcu_ready(node_of[child_of[i]]);
	*words_of(node) = DEAD;
	(void)__atomic_fetch_add(&reaped[i], 1, __ATOMIC_RELEASE);
	return true;
}

static bool is_reaped(unsigned i)
{
	return __atomic_load_n(&reaped[i], __ATOMIC_ACQUIRE) != 0;
}

static int start_nodes(void **state)
{
	int status = start_machine(state);

	for (unsigned i = 0; i < NODES; i++) {
		OK(fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frames[i]));
		node_of[i] = fh_frame_number(frames[i]);
		*words_of(node_of[i]) = MAGIC;
	}
	memset(reaped, 0, sizeof(reaped));
	memset(entries, 0, sizeof(entries));
	memset(child_of, 0, sizeof(child_of));
	calls = 0;
	return status;
}

static int stop_nodes(void **state)
{
	played = -1;
	for (unsigned i = 0; i < NODES; i++)
		fh_frame_put(&frames[i]);
	return stop_machine(state);
}

/* Hands nodes i .. i + n - 1 over as one list. */
static void defer_nodes(unsigned i, unsigned n)
{
	for (unsigned k = 0; k < n; k++)
		fh_node_set_next(node_of[i + k],
				 k + 1 < n ? node_of[i + k + 1] : 0);
	fh_rcu_defer(node_of[i], node_of[i + n - 1], n);
}

static void poll_as(int cpu)
{
	played = cpu;
	fh_poll();
	played = 0;
}

/* CPU 0 and so many more, all played by this thread. */
static void bring_online(int more)
{
	for (int cpu = 1; cpu <= more; cpu++)
		fh_rcu_online((unsigned)cpu);
	played = 0;
}

/* Reports of all CPUs, often enough for anything. */
static void poll_until_idle(int cpus)
{
	for (int turn = 0; turn < 8; turn++)
		for (int cpu = 0; cpu < cpus; cpu++)
			poll_as(cpu);
	assert_true(fh_rcu_idle());
}

static void node_waits_for_every_online_cpu(void **state)
{
	(void)state;
	bring_online(2);
	assert_true(fh_rcu_idle());
	defer_nodes(0, 1);
	assert_false(fh_rcu_idle());
	poll_as(0);
	poll_as(0);
	poll_as(2);
	poll_as(2);
	assert_false(is_reaped(0));
	poll_as(1);
	assert_true(is_reaped(0));
	assert_true(fh_rcu_idle());
	assert_int_equal(reaped[0], 1);
}

/* What comes while a period runs waits for a whole one of its own. */
static void later_node_waits_for_the_next_period(void **state)
{
	(void)state;
	bring_online(1);
	defer_nodes(0, 1);
	poll_as(1);
	defer_nodes(1, 2);
	poll_as(0);
	assert_true(is_reaped(0));
	assert_false(is_reaped(1));
	poll_as(0);
	assert_false(is_reaped(1));
	poll_as(1);
	assert_true(is_reaped(1) && is_reaped(2));
	assert_true(fh_rcu_idle());
}

static void lists_are_freed_whole_and_once(void **state)
{
	(void)state;
	bring_online(3);
	defer_nodes(0, 5);
	fh_rcu_defer(0, 0, 0);
	defer_nodes(5, 1);
	played = 3;
	defer_nodes(6, 20);
	poll_as(2);
	played = 1;
	defer_nodes(26, NODES - 26);
	poll_until_idle(4);
	for (unsigned i = 0; i < NODES; i++)
		assert_int_equal(reaped[i], 1);
}

static void offline_cpu_holds_nothing_up(void **state)
{
	(void)state;
	bring_online(1);
	fh_rcu_offline(1);
	defer_nodes(0, 1);
	poll_as(0);
	assert_true(is_reaped(0));

	/* It leaves while a period waits for it, and for nobody else. */
	fh_rcu_online(1);
	defer_nodes(1, 1);
	poll_as(0);
	assert_false(is_reaped(1));
	fh_rcu_offline(1);
	poll_until_idle(1);
	assert_int_equal(reaped[1], 1);
}

/* A CPU that comes online is not waited for by the period that runs. */
static void new_cpu_is_awaited_by_the_next_period(void **state)
{
	(void)state;
	bring_online(1);
	defer_nodes(0, 1);
	fh_rcu_online(2);
	poll_as(0);
	poll_as(1);
	assert_true(is_reaped(0));
	defer_nodes(1, 1);
	poll_as(0);
	poll_as(1);
	assert_false(is_reaped(1));
	poll_as(2);
	poll_until_idle(3);
	assert_true(is_reaped(1));
}

/* What was ready on it goes to others, by another period. */
static void work_of_a_cpu_that_leaves_is_done_by_others(void **state)
{
	(void)state;
	bring_online(1);
	defer_nodes(0, 3);
	fh_rcu_quiescent();
	played = 1;
	fh_rcu_quiescent();
	assert_false(is_reaped(0));
	fh_rcu_offline(1);
	poll_until_idle(1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(reaped[i], 1);
}

static void with_no_cpu_online_nothing_waits(void **state)
{
	(void)state;
	played = 0;
	fh_rcu_offline(0);
	defer_nodes(0, 2);
	assert_false(is_reaped(0));
	poll_as(0);
	assert_true(is_reaped(0) && is_reaped(1));
	assert_true(fh_rcu_idle());
	fh_rcu_online(0);
}

static void poll_takes_apart_so_much_and_no_more(void **state)
{
	(void)state;
	played = 0;
	entries[0] = 2 * FH_POLL_ENTRIES + 1;
	entries[1] = 100;
	defer_nodes(0, 2);
	poll_as(0);
	assert_int_equal(fh_slots[node_of[0]].meta.w[FH_NODE_PROGRESS] +
				 fh_slots[node_of[1]].meta.w[FH_NODE_PROGRESS],
			 FH_POLL_ENTRIES);
	poll_as(0);
	assert_false(is_reaped(0) && is_reaped(1));
	poll_as(0);
	assert_true(is_reaped(0) && is_reaped(1));
	assert_int_equal(reaped[0], 1);

	uint64_t budget = 7;
	entries[2] = 10;
	defer_nodes(2, 1);
	fh_rcu_quiescent();
	fh_rcu_reap(&budget);
	assert_int_equal(budget, 0);
	assert_false(is_reaped(2));
	budget = 7;
	fh_rcu_reap_any(&budget);
	assert_int_equal(budget, 4);
	assert_true(is_reaped(2));
}

/* With nothing to do a poll takes no node, and no period runs. */
static void poll_without_work_does_nothing(void **state)
{
	uint64_t budget = 5;

	(void)state;
	bring_online(1);
	poll_as(0);
	poll_as(1);
	fh_rcu_reap_any(&budget);
	assert_int_equal(budget, 5);
	assert_int_equal(calls, 0);
	assert_true(fh_rcu_idle());
}

static void children_are_taken_apart_too(void **state)
{
	(void)state;
	bring_online(1);
	child_of[0] = 10;
	child_of[10] = 11;
	child_of[11] = 12;
	defer_nodes(0, 1);
	poll_as(0);
	poll_as(1);
	assert_true(fh_rcu_idle());
	assert_true(is_reaped(10) && is_reaped(11) && is_reaped(12));
	fh_rcu_ready(node_of[20]);
	assert_false(fh_rcu_idle());
	poll_as(0);
	assert_true(is_reaped(20));
}

/* A mark stands for what was handed over before it, children included. */
static void mark_is_settled_by_what_came_before(void **state)
{
	uint64_t budget = 1;

	(void)state;
	bring_online(1);
	child_of[0] = 10;
	defer_nodes(0, 1);
	uint64_t mark = fh_rcu_mark();
	assert_false(fh_rcu_is_settled(mark));
	poll_as(1);
	fh_rcu_quiescent();
	defer_nodes(1, 1);
	assert_false(fh_rcu_is_settled(mark));
	fh_rcu_reap(&budget);
	assert_true(is_reaped(0));
	assert_false(is_reaped(10));
	assert_false(fh_rcu_is_settled(mark));
	budget = 1;
	fh_rcu_reap(&budget);
	assert_true(is_reaped(10));
	assert_true(fh_rcu_is_settled(mark));
	assert_false(fh_rcu_idle());

	/* Marks of all ages stay settled. */
	uint64_t second = fh_rcu_mark();
	assert_false(fh_rcu_is_settled(second));
	poll_until_idle(2);
	assert_true(fh_rcu_is_settled(second));
	assert_true(fh_rcu_is_settled(mark));
	assert_true(fh_rcu_is_settled(fh_rcu_mark()));
	assert_true(fh_rcu_is_settled(mark));
}

/* And for what was there when an earlier mark was, in the other counter. */
static void mark_waits_for_older_nodes_too(void **state)
{
	uint64_t budget = 1;

	(void)state;
	played = 0;
	fh_rcu_ready(node_of[0]);
	uint64_t first = fh_rcu_mark();
	assert_false(fh_rcu_is_settled(first));
	fh_rcu_ready(node_of[1]);
	uint64_t second = fh_rcu_mark();
	assert_int_not_equal(first, second);
	assert_false(fh_rcu_is_settled(second));
	fh_rcu_reap(&budget);
	assert_true(is_reaped(1));
	assert_false(is_reaped(0));
	assert_false(fh_rcu_is_settled(second));
	assert_false(fh_rcu_is_settled(first));
	poll_as(0);
	assert_true(fh_rcu_is_settled(second));
}

/* ---- On CPUs that run ---- */

static uint64_t ended; /* CPUs that have; atomic */

static void poll_to_the_end(unsigned cpus)
{
	(void)__atomic_fetch_add(&ended, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&ended, __ATOMIC_ACQUIRE) < cpus) {
		fh_poll();
		fh_host_relax();
	}
}

static void settle_on_cpu(unsigned cpu, void *arg)
{
	(void)arg;
	if (cpu == 0) {
		child_of[0] = 10;
		child_of[10] = 11;
		defer_nodes(0, 3);
		fh_settle();
		assert_true(is_reaped(2) && is_reaped(11));
		assert_true(fh_rcu_idle());
	}
	poll_to_the_end(3);
}

static void settle_waits_for_what_was_deferred(void **state)
{
	(void)state;
	ended = 0;
	hosted_run(3, settle_on_cpu, NULL);
	assert_int_equal(reaped[0], 1);
}

#define CPUS  4
#define PLACE 6 /* places in which a node can be found */
#define TURNS 3000

static uint64_t place[PLACE];  /* index of a node, plus 1; atomic */
static uint64_t in_use[NODES]; /* reapings when it was put into use; atomic */
static uint64_t walks;

/* A node that was reaped since it was last in use; the caller's then. */
static unsigned take_dead(struct random *random)
{
	for (;;) {
		unsigned i = (unsigned)random_below(random, NODES);
		uint64_t used = __atomic_load_n(&in_use[i], __ATOMIC_RELAXED);
		uint64_t dead = __atomic_load_n(&reaped[i], __ATOMIC_ACQUIRE);

		if (dead > used && __atomic_compare_exchange_n(
					   &in_use[i], &used, dead, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return i;
		fh_poll();
	}
}

static void replace_node(struct random *random)
{
	unsigned i = take_dead(random);

	*words_of(node_of[i]) = MAGIC;
	fh_slots[node_of[i]].meta.w[FH_NODE_PROGRESS] = 0;
	uint64_t old = __atomic_exchange_n(&place[random_below(random, PLACE)],
					   i + 1, __ATOMIC_ACQ_REL);
	if (old != 0)
		defer_nodes((unsigned)old - 1, 1);
}

static void walk_node(struct random *random)
{
	fh_host_preempt_off();
	uint64_t found = __atomic_load_n(&place[random_below(random, PLACE)],
					 __ATOMIC_ACQUIRE);
	if (found != 0) {
		const uint64_t *words = words_of(node_of[found - 1]);

		assert_true(*words == MAGIC);
		fh_host_relax();
		assert_true(*words == MAGIC);
		(void)__atomic_fetch_add(&walks, 1, __ATOMIC_RELAXED);
	}
	fh_host_preempt_on();
}

static void walk_and_replace(unsigned cpu, void *comes_and_goes)
{
	struct random random = {cpu + 1};

	for (unsigned turn = 0; turn < TURNS; turn++) {
		walk_node(&random);
		if (turn % 3 == 0)
			replace_node(&random);
		if (turn % 4 == cpu % 4)
			fh_poll();
		if (*(bool *)comes_and_goes && turn % 64 == 8 * cpu + 1 &&
		    cpu > 0) {
			fh_host_preempt_off();
			fh_cpu_offline(cpu);
			fh_cpu_online(cpu);
			fh_host_preempt_on();
		}
		if (turn % 500 == 7 * cpu)
			fh_settle();
	}
	poll_to_the_end(CPUS);
}

static void run_walks(bool comes_and_goes)
{
	ended = 0;
	walks = 0;
	memset(place, 0, sizeof(place));
	memset(in_use, 0, sizeof(in_use));
	for (unsigned i = 0; i < NODES; i++)
		reaped[i] = 1;
	hosted_run(CPUS, walk_and_replace, &comes_and_goes);
	assert_true(walks > TURNS);
	fh_settle();
	assert_true(fh_rcu_idle());
	unsigned live = 0;
	for (unsigned i = 0; i < NODES; i++)
		live += reaped[i] == in_use[i];
	assert_true(live <= PLACE);
}

static void no_walk_meets_a_freed_node(void **state)
{
	(void)state;
	run_walks(false);
}

static void no_walk_meets_a_freed_node_while_cpus_come_and_go(void **state)
{
	(void)state;
	run_walks(true);
}

#define WITH_NODES(name)                                                       \
	cmocka_unit_test_setup_teardown(name, start_nodes, stop_nodes)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_NODES(node_waits_for_every_online_cpu),
		WITH_NODES(later_node_waits_for_the_next_period),
		WITH_NODES(lists_are_freed_whole_and_once),
		WITH_NODES(offline_cpu_holds_nothing_up),
		WITH_NODES(new_cpu_is_awaited_by_the_next_period),
		WITH_NODES(work_of_a_cpu_that_leaves_is_done_by_others),
		WITH_NODES(with_no_cpu_online_nothing_waits),
		WITH_NODES(poll_takes_apart_so_much_and_no_more),
		WITH_NODES(poll_without_work_does_nothing),
		WITH_NODES(children_are_taken_apart_too),
		WITH_NODES(mark_is_settled_by_what_came_before),
		WITH_NODES(mark_waits_for_older_nodes_too),
		WITH_NODES(settle_waits_for_what_was_deferred),
		WITH_NODES(no_walk_meets_a_freed_node),
		WITH_NODES(no_walk_meets_a_freed_node_while_cpus_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
