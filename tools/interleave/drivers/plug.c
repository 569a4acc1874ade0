/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A section is plugged in. Meanwhile another claims a page of it by address
 * and puts it, or allocates, or looks.
 */
#include "machine.h"

#define FIRST_PAGE FH_SECTION_FRAMES
#define SOME_PAGE  (FIRST_PAGE + 9)

static void setup(void)
{
	machine_bring_up(SMALL_MACHINE, FH_SECTION_FRAMES);
	machine_take_all();
}

static void plug(void)
{
	CHECK(fh_memory_plug(FIRST_PAGE, FH_SECTION_FRAMES) == FH_OK);
}

#if CASE == 1
static void claim(void)
{
	struct fh_meta words = paired(1);
	struct fh_frame f;
	enum fh_status status = fh_frame_from_unused(
		fh_paddr_of_frame(SOME_PAGE), &paired_type, &words, &f);

	if (status == FH_OK) {
		check_paired(f, 1, 1);
		fh_frame_put(&f);
	} else {
		CHECK(status == FH_E_OUT_OF_BOUND || status == FH_E_BUSY);
	}
}
#elif CASE == 2
static void allocate(void)
{
	struct fh_meta words = paired(1);
	struct fh_frame f;
	enum fh_status status =
		fh_frame_alloc(&any_page, &paired_type, &words, &f);

	if (status == FH_OK) {
		check_paired(f, 1, 1);
		fh_frame_put(&f);
	} else {
		CHECK(status == FH_E_NO_MEMORY);
	}
}
#else
static void look(void)
{
	struct fh_frame f;
	struct fh_paddr pa = fh_paddr_of_frame(SOME_PAGE);
	enum fh_status status = fh_frame_from_in_use(pa, &f);

	CHECK(status == FH_E_OUT_OF_BOUND || status == FH_E_UNUSED);
}
#endif

static void done(void)
{
	/* The first page of the section holds its slots. */
	machine_check(FH_SECTION_FRAMES - 1);
}

#if CASE == 1
DRIVER(plug, claim)
#elif CASE == 2
DRIVER(plug, allocate)
#else
DRIVER(plug, look)
#endif
