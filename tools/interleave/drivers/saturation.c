/* SPDX-License-Identifier: MPL-2.0 */
/*
 * At one below the maximum, one more reference can be had; every other attempt
 * stops the machine. So no execution completes.
 */
#include "machine.h"

unsigned successes;
struct fh_frame held;

static void setup(void)
{
	machine_reset();
	machine_may_stop = "count_limit";
	successes = 0;
	if (fh_frame_from_unused(fh_paddr_of_frame(PAGE), &fh_untyped_type,
				 NULL, &held) != FH_OK)
		__builtin_trap();
	fh_slot_array[PAGE].state = FH_STATE_MAX - 1;
}

static void count_success(void)
{
	CHECK(__atomic_fetch_add(&successes, 1, __ATOMIC_RELAXED) == 0);
}

static void by_handle(void)
{
	struct fh_frame f = fh_frame_get(held);

	(void)f;
	count_success();
}

static void by_address(void)
{
	struct fh_frame f;

	CHECK(fh_frame_from_in_use(fh_paddr_of_frame(PAGE), &f) == FH_OK);
	count_success();
}

static void done(void)
{
	CHECK(!"somebody must have stopped the machine");
}

#if THREADS == 2
DRIVER(by_handle, by_address)
#else
DRIVER(by_handle, by_handle, by_address)
#endif
