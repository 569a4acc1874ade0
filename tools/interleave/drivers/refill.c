/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One CPU refills its magazine and wants one page of it only. The other takes
 * all that is left, the reserve too, and asks for the rest of that refill,
 * which may not have arrived yet. There are enough pages for both.
 */
#include "machine.h"

enum {
	FIRST_PAGE = 20,
	PAGES = 4, /* the reserve is 2, and a refill */
};

static void setup(void)
{
	machine_bring_up(BATCH_MACHINE, 0);
	machine_take_all();
	for (uint64_t i = FIRST_PAGE; i < FIRST_PAGE + PAGES; i++)
		machine_release(i, 0);
	fh_alloc_drain();
}

static void allocate_one(void)
{
	struct fh_frame f;

	CHECK(fh_frame_alloc(&any_page, &fh_untyped_type, NULL, &f) == FH_OK);
	machine_rest(2);
}

static void allocate_three_pages(void)
{
	struct fh_frame f;

	for (unsigned i = 0; i < PAGES - 1; i++)
		CHECK(fh_frame_alloc(&any_page, &fh_untyped_type, NULL, &f) ==
		      FH_OK);
	machine_rest(2);
}

static void done(void)
{
	for (uint64_t i = FIRST_PAGE; i < FIRST_PAGE + PAGES; i++)
		CHECK(final_state(i) == FH_STATE_ONE);
	machine_check(0);
}

DRIVER(allocate_one, allocate_three_pages)
