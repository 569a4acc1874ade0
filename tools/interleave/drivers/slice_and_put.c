/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A slice of a segment against the put of another slice of it: each page is
 * dropped once, when its last holder is gone.
 */
#include "machine.h"

struct fh_segment whole;
struct fh_segment part;

static void setup(void)
{
	struct fh_meta words = paired(4);

	machine_reset();
	if (fh_segment_from_unused(fh_paddr_of_frame(PAGE),
				   fh_paddr_of_frame(PAGE + 2), &paired_type,
				   &words, &whole) != FH_OK ||
	    fh_segment_slice(whole, 1, 2, &part) != FH_OK)
		__builtin_trap();
}

static void slicer(void)
{
	struct fh_segment s = whole;
	struct fh_segment slice;

	CHECK(fh_segment_slice(s, 1, 2, &slice) == FH_OK);
	fh_segment_put(&s);
	CHECK(fh_segment_check_type(slice, &paired_type) == FH_OK);
	fh_segment_put(&slice);
}

static void putter(void)
{
	struct fh_segment s = part;

	fh_segment_put(&s);
}

static void done(void)
{
	CHECK(drops == 2);
	CHECK(final_state(PAGE) == FH_STATE_UNUSED);
	CHECK(final_state(PAGE + 1) == FH_STATE_UNUSED);
}

DRIVER(slicer, putter)
