/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Holders get and put: one last put, whose on_drop sees what every holder
 * wrote before putting.
 */
#include "machine.h"

unsigned cell[4];
unsigned holders_drops;

static void see_all(struct fh_dropping page)
{
	(void)page;
	holders_drops++;
	for (unsigned i = 0; i < THREADS; i++)
		CHECK(cell[i] == 2);
}

static const struct fh_meta_type seen_type = {
	.name = "seen",
	.usage = FH_USAGE_FRAME,
	.on_drop = see_all,
};

struct fh_frame held[4];

static void setup(void)
{
	machine_reset();
	holders_drops = 0;
	if (fh_frame_from_unused(fh_paddr_of_frame(PAGE), &seen_type, NULL,
				 &held[0]) != FH_OK)
		__builtin_trap();
	for (unsigned i = 0; i < THREADS; i++) {
		cell[i] = 0;
		if (i > 0)
			held[i] = fh_frame_get(held[0]);
	}
}

static void hold(unsigned me)
{
	struct fh_frame f = held[me];
	struct fh_frame more = fh_frame_get(f);

	cell[me] = 1;
	fh_frame_put(&more);
	cell[me] = 2;
	fh_frame_put(&f);
}

static void t0(void)
{
	hold(0);
}

static void t1(void)
{
	hold(1);
}

static void done(void)
{
	CHECK(holders_drops == 1);
	CHECK(final_state(PAGE) == FH_STATE_UNUSED);
}

#if THREADS == 2
DRIVER(t0, t1)
#else
static void t2(void)
{
	hold(2);
}
DRIVER(t0, t1, t2)
#endif
