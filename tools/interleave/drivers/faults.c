/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Faults of users against each other and against what changes the table: each
 * ends well, in either order, and no page is lost.
 *
 *   1   two of one page, which is filled, and whose nodes are missing
 *   2   one that fills a page, while its node is taken out
 *   3   two that copy one page, which somebody else holds
 *   4   one that copies a page, while the only other holder lets go
 */
#include "tables.h"

struct fh_space space;
struct fh_frame held;
uint64_t shared_frame;

void fh_host_flush_pages(uint64_t asid, struct fh_vaddr va, uint64_t n)
{
	(void)asid;
	(void)va;
	(void)n;
}

static uint64_t *data_of(uint64_t frame)
{
	return fh_host_linear(fh_paddr_of_frame(frame));
}

static void setup(void)
{
	struct visit visit;

	table_setup();
	space = (struct fh_space){.table = table};
	if (CASE == 1)
		return;
	shared_frame = fh_uframe_number(frames[0]);
	*data_of(shared_frame) = 1;
	enter(&visit, CASE == 2 ? 3 : 0, 1);
	CHECK(fh_cursor_map(&visit.cursor, &frames[0],
			    fh_user_prop(FH_PAGE_READ | FH_PAGE_COPY)) ==
	      FH_OK);
	leave(&visit);
	mapped[0] = 1;
	if (CASE > 2)
		CHECK(fh_frame_from_in_use(fh_paddr_of_frame(shared_frame),
					   &held) == FH_OK);
	visits[0] = visits[3] = 0;
}

/* ---- Threads ---- */

static inline void fault_and_fill(void)
{
	struct fh_page_prop fill = fh_user_prop(FH_PAGE_READ | FH_PAGE_WRITE);

	CHECK(fh_space_fault(&space, fh_vaddr_of_page(0), FH_ACCESS_READ,
			     &fill) == FH_OK);
}

static inline void fault_and_copy(void)
{
	CHECK(fh_space_fault(&space, fh_vaddr_of_page(0), FH_ACCESS_WRITE,
			     NULL) == FH_OK);
}

/* The user writes, whose page it is now. */
static inline void fault_and_write(void)
{
	struct fh_atomic_mode mode;
	struct fh_mapping mapping;

	fault_and_copy();
	fh_atomic_begin(&mode);
	CHECK(fh_page_table_walk(&table, &mode, 0, &mapping) == FH_OK);
	CHECK((mapping.prop.flags & FH_PAGE_WRITE) != 0);
	CHECK(*data_of(mapping.frame) == 1);
	*data_of(mapping.frame) = 2;
	fh_atomic_end(&mode);
}

static inline void unmap_nodes(void)
{
	unmap(0, 8);
}

static inline void let_go(void)
{
	CHECK(*data_of(shared_frame) == 1);
	fh_frame_put(&held);
}

/* ---- Outcomes ---- */

/* The one page that is mapped, or none after an unmapping. */
static uint64_t pages_mapped(void)
{
	struct fh_atomic_mode mode;
	struct fh_mapping mapping;

	fh_atomic_begin(&mode);
	CHECK(fh_page_table_walk(&table, &mode, 0, &mapping) == FH_OK);
	fh_atomic_end(&mode);
	return mapping.is_mapped;
}

static void done(void)
{
	uint64_t pages = pages_mapped();

	CHECK(pages == 1 || CASE == 2);
	if (CASE == 2)
		CHECK(pages + unmapped[1] == 2);
	if (CASE == 3) {
		CHECK(*data_of(shared_frame) == 1);
		fh_frame_put(&held);
	}
	table_check(2 + pages, pages);
}

#if CASE == 1
DRIVER(fault_and_fill, fault_and_fill)
#elif CASE == 2
DRIVER(fault_and_fill, unmap_nodes)
#elif CASE == 3
DRIVER(fault_and_copy, fault_and_copy)
#else
DRIVER(fault_and_write, let_go)
#endif
