/* SPDX-License-Identifier: MPL-2.0 */
/*
 * An owner writes, shares, and if it is alone again, writes once more: readers
 * by address see whole words, and are gone before they are written again.
 */
#include "machine.h"

static void setup(void)
{
	machine_reset();
}

static void owner(void)
{
	struct fh_meta words = paired(1);
	struct fh_unique u;
	struct fh_frame f;

	CHECK(fh_unique_from_unused(fh_paddr_of_frame(PAGE), &paired_type,
				    &words, &u) == FH_OK);
	*fh_unique_meta(u) = paired(2);
	f = fh_frame_from_unique(&u);
	if (fh_unique_from_frame(&f, &u) == FH_OK) {
		*fh_unique_meta(u) = paired(3);
		fh_unique_put(&u);
	} else {
		fh_frame_put(&f);
	}
}

static void reader(void)
{
	struct fh_frame f;

	if (fh_frame_from_in_use(fh_paddr_of_frame(PAGE), &f) != FH_OK)
		return;
	check_paired(f, 2, 2);
	fh_frame_put(&f);
}

static void done(void)
{
	CHECK(drops == 1);
	CHECK(final_state(PAGE) == FH_STATE_UNUSED);
}

#if THREADS == 2
DRIVER(owner, reader)
#else
DRIVER(owner, reader, reader)
#endif
