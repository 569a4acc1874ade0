/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The last put of the only page that could be free, against an allocation of
 * it on another CPU, and a reader by address: on_drop runs once for each
 * owner, and words of two owners are never mixed. THREADS 4: one CPU gives the
 * page up and has it again at once, and one reads.
 */
#include "machine.h"

enum {
	HELD_PAGE = 9
};

struct fh_frame held;
unsigned allocated;

static void setup(void)
{
	struct fh_meta words = paired(1);

	machine_bring_up(SMALL_MACHINE, 0);
	machine_take_all();
	machine_release(HELD_PAGE, 0);
	CHECK(fh_frame_alloc(&any_page, &paired_type, &words, &held) == FH_OK);
	CHECK(fh_frame_number(held) == HELD_PAGE);
	allocated = 0;
}

static void last_put(void)
{
	struct fh_frame f = held;

	fh_frame_put(&f);
}

static void allocate(void)
{
	struct fh_meta words = paired(2);
	struct fh_frame f;
	enum fh_status status =
		fh_frame_alloc(&any_page, &paired_type, &words, &f);

	CHECK(status == FH_OK || status == FH_E_NO_MEMORY);
	if (status != FH_OK)
		return;
	allocated++;
	check_paired(f, 2, 2);
	fh_frame_put(&f);
}

#if THREADS == 4
static void put_and_allocate(void)
{
	last_put();
	allocate();
}
#endif

#if THREADS != 2
static void reader(void)
{
	struct fh_frame f;
	enum fh_status status =
		fh_frame_from_in_use(fh_paddr_of_frame(HELD_PAGE), &f);

	CHECK(status == FH_OK || status == FH_E_BUSY || status == FH_E_UNUSED);
	if (status != FH_OK)
		return;
	check_paired(f, 1, 2);
	fh_frame_put(&f);
}
#endif

static void done(void)
{
	CHECK(drops == 1 + allocated);
	CHECK(final_state(HELD_PAGE) == FH_STATE_FREE);
	machine_check(1);
}

#if THREADS == 2
DRIVER(last_put, allocate)
#elif THREADS == 4
DRIVER(put_and_allocate, reader)
#else
DRIVER(last_put, allocate, reader)
#endif
