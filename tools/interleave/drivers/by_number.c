/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A page comes to the allocator, and out of it, by its number; nobody meets
 * what a former owner is still writing.
 *
 *   1   one puts and takes it, another claims it
 *   2   one leaves it unused, another adds and allocates it
 *   3   one puts and takes it, another retires it
 *   4   one takes it and adds it again, another allocates it
 */
#include "machine.h"

enum {
	SOME_PAGE = 9
};

struct fh_unique held;
unsigned winners;

static void setup(void)
{
	struct fh_meta words = paired(1);

	machine_bring_up(SMALL_MACHINE, 0);
	machine_take_all();
	machine_release(SOME_PAGE, 0);
#if CASE != 4
	CHECK(fh_unique_alloc(&any_page, &paired_type, &words, &held) == FH_OK);
#else
	(void)words;
#endif
	winners = 0;
}

static void win(void)
{
	(void)__atomic_fetch_add(&winners, 1, __ATOMIC_RELAXED);
}

#if CASE == 1 || CASE == 3
static void put_and_take(void)
{
	struct fh_unique u = held;

	fh_unique_put(&u);
	enum fh_status status = fh_alloc_take(SOME_PAGE, 1);
	if (CASE == 1)
		CHECK(status == FH_OK || status == FH_E_BUSY ||
		      status == FH_E_IN_USE);
	else if (status == FH_OK)
		win();
	else
		CHECK(status == FH_E_BUSY || status == FH_E_IN_USE);
}
#endif

#if CASE == 1
static void claim(void)
{
	struct fh_meta words = paired(2);
	struct fh_frame f;
	enum fh_status status = fh_frame_from_unused(
		fh_paddr_of_frame(SOME_PAGE), &paired_type, &words, &f);

	if (status == FH_OK) {
		check_paired(f, 2, 2);
		win();
	} else {
		CHECK(status == FH_E_BUSY || status == FH_E_UNIQUE);
	}
}

static void done(void)
{
	bool claimed = final_state(SOME_PAGE) == FH_STATE_ONE;

	CHECK(winners == claimed);
	CHECK(drops == 1);
	CHECK(claimed || final_state(SOME_PAGE) == FH_STATE_UNUSED);
	machine_check(0);
}

DRIVER(put_and_take, claim)

#elif CASE == 2
static void leave_unused(void)
{
	struct fh_unique u = held;

	fh_unique_reset_as_unused(&u);
}

static void add(void)
{
	struct fh_meta words = paired(2);
	struct fh_frame f;
	enum fh_status status = fh_alloc_add(SOME_PAGE, 1);

	if (status != FH_OK) {
		CHECK(status == FH_E_BUSY || status == FH_E_UNIQUE);
		return;
	}
	win();
	CHECK(fh_frame_alloc(&any_page, &paired_type, &words, &f) == FH_OK);
	check_paired(f, 2, 2);
}

static void done(void)
{
	CHECK(drops == 1);
	CHECK(final_state(SOME_PAGE) ==
	      (winners == 1 ? FH_STATE_ONE : FH_STATE_UNUSED));
	machine_check(0);
}

DRIVER(leave_unused, add)

#elif CASE == 3
static void retire(void)
{
	enum fh_status status = fh_alloc_retire(SOME_PAGE, 1);

	if (status == FH_OK)
		win();
	else
		CHECK(status == FH_E_BUSY || status == FH_E_UNIQUE ||
		      status == FH_E_UNUSED);
}

static void done(void)
{
	uint64_t state = final_state(SOME_PAGE);

	CHECK(winners == 1 && drops == 1);
	CHECK(state == FH_STATE_ONE || state == FH_STATE_UNUSED);
	machine_check(0);
}

DRIVER(put_and_take, retire)

#else
static void take_and_add(void)
{
	enum fh_status status = fh_alloc_take(SOME_PAGE, 1);

	if (status == FH_OK)
		CHECK(fh_alloc_add(SOME_PAGE, 1) == FH_OK);
	else
		CHECK(status == FH_E_BUSY || status == FH_E_IN_USE);
}

static void allocate(void)
{
	struct fh_meta words = paired(2);
	struct fh_frame f;
	enum fh_status status =
		fh_frame_alloc(&any_page, &paired_type, &words, &f);

	if (status == FH_OK) {
		check_paired(f, 2, 2);
		win();
	} else {
		CHECK(status == FH_E_NO_MEMORY);
	}
}

static void done(void)
{
	machine_check(1 - winners);
}

DRIVER(take_and_add, allocate)
#endif
