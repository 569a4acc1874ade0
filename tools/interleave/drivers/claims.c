/* SPDX-License-Identifier: MPL-2.0 */
/* Several claim one page: one gets it, the others are told who was there. */
#include "machine.h"

unsigned winners;

static void setup(void)
{
	machine_reset();
	winners = 0;
}

static void claim(void)
{
	struct fh_meta words = paired(7);
	struct fh_frame f;
	enum fh_status status = fh_frame_from_unused(fh_paddr_of_frame(PAGE),
						     &paired_type, &words, &f);

	if (status == FH_OK)
		__atomic_fetch_add(&winners, 1, __ATOMIC_RELAXED);
	else
		CHECK(status == FH_E_BUSY || status == FH_E_IN_USE);
}

static void done(void)
{
	CHECK(winners == 1);
	CHECK(final_state(PAGE) == FH_STATE_ONE);
}

#if THREADS == 2
DRIVER(claim, claim)
#elif THREADS == 3
DRIVER(claim, claim, claim)
#else
DRIVER(claim, claim, claim, claim)
#endif
