/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Nobody has been in a section yet; then two come at once, by address or by
 * allocation. Its slots, which hold anything, are made ready once, and nobody
 * looks at them before.
 *
 *   1   both claim by address      3   both allocate
 *   2   one claims, one allocates  4   one claims, one looks
 */
#include "machine.h"

#define FIRST_PAGE FH_SECTION_FRAMES

/* Which the second to come shall have. */
#define OTHER_PAGE (FIRST_PAGE + 5)

static void setup(void)
{
	struct fh_memory_totals totals;
	uint64_t first_free;

	machine_bring_up(RAW_MACHINE, 0);
	/* Their magazines would have room for a page each. */
	fh_cpu_offline(0);
	fh_cpu_offline(1);
	fh_memory_totals(&totals);
	first_free = totals.metadata + totals.reserved;
	CHECK(fh_alloc_take(first_free, FIRST_PAGE - first_free) == FH_OK);
	CHECK(fh_memory.sections[1] == FH_SECTION_RAW);
}

#if CASE != 3
static void claim(void)
{
	struct fh_meta words = paired(1);
	struct fh_frame f;

	CHECK(fh_frame_from_unused(fh_paddr_of_frame(OTHER_PAGE), &paired_type,
				   &words, &f) == FH_OK);
	check_paired(f, 1, 1);
}
#endif

#if CASE == 1
static void claim_first(void)
{
	struct fh_meta words = paired(2);
	struct fh_frame f;

	CHECK(fh_frame_from_unused(fh_paddr_of_frame(FIRST_PAGE), &paired_type,
				   &words, &f) == FH_OK);
	check_paired(f, 2, 2);
}
#endif

#if CASE == 2 || CASE == 3
static void allocate(void)
{
	struct fh_meta words = paired(3);
	struct fh_frame f;

	CHECK(fh_frame_alloc(&any_page, &paired_type, &words, &f) == FH_OK);
	CHECK(fh_frame_number(f) >= FIRST_PAGE);
	check_paired(f, 3, 3);
}
#endif

#if CASE == 4
static void look(void)
{
	struct fh_frame f;
	struct fh_paddr pa = fh_paddr_of_frame(OTHER_PAGE);
	enum fh_status status = fh_frame_from_in_use(pa, &f);

	if (status == FH_OK)
		check_paired(f, 1, 1);
	else
		CHECK(status == FH_E_UNUSED || status == FH_E_BUSY);
}
#endif

static void done(void)
{
	machine_check(CASE == 4 ? 7 : 6);
}

#if CASE == 1
DRIVER(claim, claim_first)
#elif CASE == 2
DRIVER(claim, allocate)
#elif CASE == 3
DRIVER(allocate, allocate)
#else
DRIVER(claim, look)
#endif
