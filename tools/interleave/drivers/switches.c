/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Switches between address spaces against shoot-downs: whoever is not asked to
 * forget a page sees that it is gone, or that it has missed something.
 *
 *   1   a CPU switches to the space       3   the same without numbers
 *   2   a CPU leaves it and comes back    4   a CPU uses the page and leaves
 *   5   two CPUs switch, and numbers run out: each keeps its own
 *   6   a CPU switches to the space, which gets another number than it had
 *   7   a CPU comes, uses the page, leaves, and comes back
 */
#include "translations.h"

struct fh_active spaces[5];

static void switch_to(struct fh_active *from, struct fh_active *to)
{
	fh_active_switch(from, to, fh_paddr_of_frame(to == NULL ? 0 : ROOT));
}

static void setup(void)
{
	machine_reset();
	fh_flush_close();
	reset_translations();
	__builtin_memset(spaces, 0, sizeof(spaces));
	fh_asid_open(CASE == 3 ? 1 : 4, 2);
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		machine_as_cpu(cpu);
		fh_flush_online(cpu);
	}
	if (CASE == 2 || CASE == 4 || CASE == 5)
		switch_to(NULL, &spaces[0]);
	use(0);
	if (CASE == 1 || CASE == 3 || CASE == 6 || CASE == 7)
		tlb[1].cached[0] = false;
	machine_as_cpu(0);
	if (CASE == 5)
		switch_to(NULL, &spaces[1]);
	if (CASE == 6)
		for (unsigned i = 0; i < 4; i++)
			switch_to(i == 0 ? NULL : &spaces[i - 1], &spaces[i]);
}

#if CASE != 5
static void shoot(void)
{
	struct fh_flush flush = flush_of(0);

	fh_word_store_relaxed(&table[0], 0);
	fh_active_flush(&spaces[0], &flush);
	data[0] = 1;
	rest(2);
}
#endif

#if CASE == 1 || CASE == 3 || CASE == 6
static void enter(void)
{
	switch_to(NULL, &spaces[0]);
	use(0);
	rest(2);
}
#endif

#if CASE == 2
static void leave_and_return(void)
{
	use(0);
	switch_to(&spaces[0], NULL);
	switch_to(NULL, &spaces[0]);
	use(0);
	rest(2);
}
#endif

#if CASE == 7
static void come_twice(void)
{
	switch_to(NULL, &spaces[0]);
	use(0);
	switch_to(&spaces[0], NULL);
	switch_to(NULL, &spaces[0]);
	use(0);
	rest(2);
}
#endif

#if CASE == 4
static void use_and_leave(void)
{
	use(0);
	switch_to(&spaces[0], NULL);
	rest(2);
}
#endif

#if CASE == 5
struct fh_active *last[2];

static void go_round(void)
{
	switch_to(&spaces[1], &spaces[2]);
	switch_to(&spaces[2], &spaces[3]);
	last[0] = &spaces[3];
}

static void go_back(void)
{
	switch_to(&spaces[0], &spaces[1]);
	switch_to(&spaces[1], &spaces[0]);
	last[1] = &spaces[0];
}
#endif

static void done(void)
{
#if CASE == 5
	CHECK(fh_asid_number(&last[0]->asid) != 0);
	CHECK(fh_asid_number(&last[0]->asid) !=
	      fh_asid_number(&last[1]->asid));
	for (unsigned cpu = 0; cpu < 2; cpu++)
		CHECK(fh_cpu_set_has(&last[cpu]->cpus, cpu));
#else
	CHECK(data[0] == 1);
#endif
}

#if CASE == 1 || CASE == 3 || CASE == 6
DRIVER(shoot, enter)
#elif CASE == 2
DRIVER(shoot, leave_and_return)
#elif CASE == 7
DRIVER(shoot, come_twice)
#elif CASE == 4
DRIVER(shoot, use_and_leave)
#else
DRIVER(go_round, go_back)
#endif
