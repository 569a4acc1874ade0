/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The last free pages lie in the magazine of CPU 1. CPU 0 wants one while CPU
 * 1 uses its magazine, or itself wants to drain: nobody waits forever, and no
 * request is refused for a page that nobody ever took.
 */
#include "machine.h"

enum {
	KEPT_PAGE = 20,
	HELD_PAGE = 21,
};

struct fh_frame held;

/* At the end. */
#if CASE == 1 || CASE == 3 || CASE == 4
#define IN_USE 2
#else
#define IN_USE 1
#endif

static void setup(void)
{
	machine_bring_up(LARGE_MACHINE, 0);
	machine_take_all();
	machine_release(HELD_PAGE, 0);
	CHECK(fh_frame_alloc(&any_page, &fh_untyped_type, NULL, &held) ==
	      FH_OK);
	machine_release(KEPT_PAGE, 1);
}

#if CASE <= 4
/* Nobody but us takes pages, so that there is one for us. */
static void allocate(void)
{
	struct fh_frame f;

	CHECK(fh_frame_alloc(&any_page, &fh_untyped_type, NULL, &f) == FH_OK);
	machine_rest(2);
}
#endif

#if CASE == 5
/* Somebody else may have it just then. */
static void try_to_allocate(void)
{
	struct fh_frame f;
	enum fh_status status =
		fh_frame_alloc(&any_page, &fh_untyped_type, NULL, &f);

	if (status == FH_OK)
		fh_frame_put(&f);
	else
		CHECK(status == FH_E_NO_MEMORY);
	machine_rest(2);
}
#endif

#if CASE == 2
/* More than the magazine has room for. */
static void put(void)
{
	struct fh_frame f = held;

	fh_frame_put(&f);
	machine_rest(2);
}
#endif

#if CASE == 1
static void answer(void)
{
	machine_rest(2);
}
#endif

#if CASE == 6
static void empty(void)
{
	fh_alloc_drain();
	machine_rest(2);
}
#endif

#if CASE == 3
/* A CPU that leaves no longer answers. */
static void leave(void)
{
	fh_cpu_offline(1);
	(void)__atomic_fetch_add(&threads_resting, 1, __ATOMIC_RELEASE);
}
#endif

#if CASE == 4
static void leave_and_return(void)
{
	fh_cpu_offline(1);
	fh_cpu_online(1);
	machine_rest(2);
}
#endif

static unsigned pages_in_use(void)
{
	return (final_state(KEPT_PAGE) != FH_STATE_FREE) +
	       (final_state(HELD_PAGE) != FH_STATE_FREE);
}

static void done(void)
{
	CHECK(pages_in_use() == IN_USE);
	machine_check(2 - IN_USE);
}

#if CASE == 1
DRIVER(allocate, answer)
#elif CASE == 2
DRIVER(allocate, put)
#elif CASE == 3
DRIVER(allocate, leave)
#elif CASE == 4
DRIVER(allocate, leave_and_return)
#elif CASE == 5
DRIVER(try_to_allocate, try_to_allocate)
#else
DRIVER(empty, empty)
#endif
