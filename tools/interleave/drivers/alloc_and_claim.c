/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One page is free. Some allocate, some claim it by address: one gets it, with
 * its own words, and the others are told why not.
 */
#include "machine.h"

enum {
	FREE_PAGE = 9
};

unsigned winners;

static void setup(void)
{
	machine_bring_up(SMALL_MACHINE, 0);
	machine_take_all();
	machine_release(FREE_PAGE, 0);
	winners = 0;
}

static void win(struct fh_frame f, uint64_t word)
{
	CHECK(fh_frame_number(f) == FREE_PAGE);
	check_paired(f, word, word);
	(void)__atomic_fetch_add(&winners, 1, __ATOMIC_RELAXED);
}

static void allocate(void)
{
	struct fh_meta words = paired(1);
	struct fh_frame f;
	enum fh_status status =
		fh_frame_alloc(&any_page, &paired_type, &words, &f);

	if (status == FH_OK)
		win(f, 1);
	else
		CHECK(status == FH_E_NO_MEMORY);
}

static void claim(void)
{
	struct fh_meta words = paired(2);
	struct fh_frame f;
	enum fh_status status = fh_frame_from_unused(
		fh_paddr_of_frame(FREE_PAGE), &paired_type, &words, &f);

	if (status == FH_OK)
		win(f, 2);
	else
		CHECK(status == FH_E_BUSY || status == FH_E_IN_USE);
}

static void done(void)
{
	CHECK(winners == 1);
	CHECK(final_state(FREE_PAGE) == FH_STATE_ONE);
	machine_check(0);
}

#if THREADS == 2
DRIVER(allocate, claim)
#else
DRIVER(allocate, claim, claim)
#endif
