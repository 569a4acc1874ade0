/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A last put, a claim that reuses the page, a reader by address: generations
 * of metadata are never mixed.
 */
#include "machine.h"

struct fh_frame first;

static void setup(void)
{
	struct fh_meta words = paired(1);

	machine_reset();
	if (fh_frame_from_unused(fh_paddr_of_frame(PAGE), &paired_type, &words,
				 &first) != FH_OK)
		__builtin_trap();
}

static void last_put(void)
{
	struct fh_frame f = first;

	fh_frame_put(&f);
}

static void claim(void)
{
	struct fh_meta words = paired(2);
	struct fh_frame f;

	if (fh_frame_from_unused(fh_paddr_of_frame(PAGE), &paired_type, &words,
				 &f) != FH_OK)
		return;
	check_paired(f, 2, 2);
	fh_frame_put(&f);
}

static void reader(void)
{
	struct fh_frame f;

	if (fh_frame_from_in_use(fh_paddr_of_frame(PAGE), &f) != FH_OK)
		return;
	check_paired(f, 1, 2);
	fh_frame_put(&f);
}

static void done(void)
{
	CHECK(drops >= 1 && drops <= THREADS - 1);
	CHECK(final_state(PAGE) == FH_STATE_UNUSED);
}

#if THREADS == 3
DRIVER(last_put, claim, reader)
#else
DRIVER(last_put, claim, reader, reader)
#endif
