/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One claims and puts, others share by address: who gets a reference sees
 * whole metadata, and the last put drops once.
 */
#include "machine.h"

static void setup(void)
{
	machine_reset();
}

static void claim(void)
{
	struct fh_meta words = paired(7);
	struct fh_frame f;

	CHECK(fh_frame_from_unused(fh_paddr_of_frame(PAGE), &paired_type,
				   &words, &f) == FH_OK);
	fh_frame_put(&f);
}

static void reader(void)
{
	struct fh_frame f;

	if (fh_frame_from_in_use(fh_paddr_of_frame(PAGE), &f) != FH_OK)
		return;
	check_paired(f, 7, 7);
	fh_frame_put(&f);
}

static void done(void)
{
	CHECK(drops == 1 && dropped_words == 7);
	CHECK(final_state(PAGE) == FH_STATE_UNUSED);
}

#if THREADS == 2
DRIVER(claim, reader)
#elif THREADS == 3
DRIVER(claim, reader, reader)
#else
DRIVER(claim, reader, reader, reader)
#endif
