/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The flush queues: a CPU unmaps a page, makes all CPUs forget it, and reuses
 * what was behind it. No request is lost, none is acknowledged early, and two
 * who shoot at each other both get on.
 *
 *   1   one shoots, one uses the page      3   one that uses it goes offline
 *   2   two shoot at each other            4   one comes online, then uses it
 */
#include "translations.h"

static void setup(void)
{
	machine_reset();
	fh_flush_close();
	reset_translations();
	fh_flush_open();
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		machine_as_cpu(cpu);
		if (CASE != 4 || cpu == 0)
			fh_flush_online(cpu);
	}
	machine_as_cpu(0);
}

static void shoot(unsigned page)
{
	struct fh_flush flush = flush_of(page);
	struct fh_cpu_set cpus;

	fh_flush_online_cpus(&cpus);
	use(page);
	fh_word_store_relaxed(&table[page], 0);
	fh_flush_all_of(&flush, NUMBER, &cpus);
	data[page] = 1;
}

static void shoot_first(void)
{
	shoot(0);
	rest(2);
}

#if CASE == 1
static void use_first(void)
{
	use(0);
	fh_flush_answer();
	use(0);
	rest(2);
}
#endif

#if CASE == 2
static void shoot_second(void)
{
	use(0);
	shoot(1);
	rest(2);
}
#endif

#if CASE == 3
static void use_and_leave(void)
{
	use(0);
	fh_flush_offline(1);
	(void)__atomic_fetch_add(&resting, 1, __ATOMIC_RELEASE);
}
#endif

#if CASE == 4
static void come_and_use(void)
{
	tlb[1].cached[0] = fh_word_load_relaxed(&table[0]) != 0;
	tlb[1].cached_under[0] = NUMBER;
	fh_flush_online(1);
	use(0);
	rest(2);
}
#endif

static void done(void)
{
	CHECK(data[0] == 1);
}

#if CASE == 1
DRIVER(shoot_first, use_first)
#elif CASE == 2
DRIVER(shoot_first, shoot_second)
#elif CASE == 3
DRIVER(shoot_first, use_and_leave)
#else
DRIVER(shoot_first, come_and_use)
#endif
