/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A grace period by quiescent states: CPU 0 unhooks a node and hands it over;
 * others look for it, and have not let go of it when they find it, until they
 * report. Who reports last takes the node apart, which ends what they look at.
 *
 *   1   one reader                  4   two who unhook a node each
 *   2   two readers                 5   whoever sees that all is done sees it
 *   3   a reader that goes offline  6   a reader that comes online
 */
#include "machine.h"

#include "node.h"
#include "rcu.h"

enum {
	OTHER_NODE = PAGE + 1,
	CPUS = CASE == 2 ? 3 : 2,
};

uint64_t place[2]; /* where a node can be found, or 0; atomic */

static void make_node(uint64_t node)
{
	struct fh_frame f;

	CHECK(fh_frame_from_unused(fh_paddr_of_frame(node), &fh_user_node_type,
				   NULL, &f) == FH_OK);
	(void)fh_frame_into_raw(&f);
	place[node - PAGE] = node;
}

static void setup(void)
{
	machine_reset();
	fh_rcu_close();
	make_node(PAGE);
	make_node(OTHER_NODE);
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		if (CASE != 6 || cpu == 0)
			fh_rcu_online(cpu);
}

static void poll(void)
{
	uint64_t budget = 100;

	fh_rcu_quiescent();
	fh_rcu_reap(&budget);
}

/* A section: what it finds is there until its end. */
static void look(unsigned i)
{
	uint64_t node = fh_word_load_acquire(&place[i]);

	if (node != 0)
		CHECK(fh_slots[node].type == &fh_user_node_type);
}

static void unhook(unsigned i)
{
	uint64_t node = PAGE + i;

	fh_word_store_relaxed(&place[i], 0);
	fh_rcu_defer(node, node, 1);
}

static void unhook_and_poll(void)
{
	unhook(0);
	look(1);
	poll();
}

#if CASE == 1 || CASE == 2
static void look_and_poll(void)
{
	look(0);
	poll();
	look(0);
}
#endif

#if CASE == 3
static void look_and_leave(void)
{
	look(0);
	fh_rcu_offline(1);
}
#endif

#if CASE == 4
static void unhook_the_other(void)
{
	look(0);
	unhook(1);
	poll();
}
#endif

#if CASE == 5
static void look_at_the_end(void)
{
	look(0);
	poll();
	if (fh_word_load_relaxed(&place[0]) == 0 && fh_rcu_idle())
		CHECK(fh_slots[PAGE].type == NULL ||
		      fh_slots[PAGE].type == &fh_user_node_type);
}
#endif

#if CASE == 6
static void come_and_look(void)
{
	fh_rcu_online(1);
	look(0);
	poll();
}
#endif

static void done(void)
{
	uint64_t budget = 100;

	for (unsigned turn = 0; turn < 3 * CPUS; turn++) {
		machine_as_cpu(turn % CPUS);
		fh_rcu_quiescent();
	}
	fh_rcu_reap_any(&budget);
	machine_as_cpu(0);
	CHECK(fh_rcu_idle());
	CHECK(final_state(PAGE) == FH_STATE_UNUSED);
	CHECK((final_state(OTHER_NODE) == FH_STATE_UNUSED) == (CASE == 4));
}

#if CASE == 1
DRIVER(unhook_and_poll, look_and_poll)
#elif CASE == 2
DRIVER(unhook_and_poll, look_and_poll, look_and_poll)
#elif CASE == 3
DRIVER(unhook_and_poll, look_and_leave)
#elif CASE == 4
DRIVER(unhook_and_poll, unhook_the_other)
#elif CASE == 5
DRIVER(unhook_and_poll, look_at_the_end)
#else
DRIVER(unhook_and_poll, come_and_look)
#endif
