/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A page in and out of a list, and back to shared, against a reader by
 * address: nobody gets at a member, and ids of other lists never mislead.
 */
#include "machine.h"

struct fh_list list;
struct fh_list other;

static void setup(void)
{
	machine_reset();
	list = fh_list_none();
	other = fh_list_none();
	list.id = 1;
	other.id = 2;
}

static void owner(void)
{
	struct fh_meta words = paired(5);
	struct fh_unique u;
	struct fh_frame f;

	CHECK(fh_unique_from_unused(fh_paddr_of_frame(PAGE), &paired_type,
				    &words, &u) == FH_OK);
	CHECK(fh_list_push_back(&list, &u) == FH_OK);
	CHECK(fh_list_contains(&list, fh_paddr_of_frame(PAGE)));
	CHECK(fh_list_pop_front(&list, &u) == FH_OK);
	f = fh_frame_from_unique(&u);
	fh_frame_put(&f);
}

static void reader(void)
{
	struct fh_frame f;

	CHECK(!fh_list_contains(&other, fh_paddr_of_frame(PAGE)));
	if (fh_frame_from_in_use(fh_paddr_of_frame(PAGE), &f) != FH_OK)
		return;
	check_paired(f, 5, 5);
	CHECK(!fh_list_contains(&other, fh_paddr_of_frame(PAGE)));
	fh_frame_put(&f);
}

static void done(void)
{
	CHECK(drops == 1 && list.size == 0);
	CHECK(final_state(PAGE) == FH_STATE_UNUSED);
}

#if THREADS == 2
DRIVER(owner, reader)
#else
DRIVER(owner, reader, reader)
#endif
