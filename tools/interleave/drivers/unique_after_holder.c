/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A holder writes its own part of what the words stand for and puts; the other
 * makes the page its own and looks at it.
 */
#include "machine.h"

unsigned cell;
struct fh_frame held[2];

static void setup(void)
{
	struct fh_meta words = paired(1);

	machine_reset();
	cell = 0;
	if (fh_frame_from_unused(fh_paddr_of_frame(PAGE), &paired_type, &words,
				 &held[0]) != FH_OK)
		__builtin_trap();
	held[1] = fh_frame_get(held[0]);
}

static void holder(void)
{
	struct fh_frame f = held[0];

	cell = 1;
	fh_frame_put(&f);
}

static void owner(void)
{
	struct fh_frame f = held[1];
	struct fh_unique u;

	if (fh_unique_from_frame(&f, &u) == FH_OK) {
		CHECK(cell == 1);
		cell = 2;
		fh_unique_put(&u);
	} else {
		fh_frame_put(&f);
	}
}

static void done(void)
{
	CHECK(drops == 1);
	CHECK(final_state(PAGE) == FH_STATE_UNUSED);
}

DRIVER(holder, owner)
