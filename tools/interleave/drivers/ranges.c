/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Cursors over one table: whoever has a range locked is alone in it, nodes are
 * made once, and what one thread maps another's unmapping does not lose.
 *
 *   1   two map neighbours, whose nodes are missing
 *   2   two map the same page
 *   3   one maps a page, one takes its node out of the tree
 *   4   the same with the two nodes above it, and everything else
 *   5   three lock: across two nodes, in the left one, in the right one
 *   6   two lock nodes of three levels, of which they have one in common
 *   7   two map neighbours, one takes their nodes out
 *   8   one merges a node's pages into one, one unmaps a page of them
 *   9   two take out nodes, of which they have one in common
 *   10  as 4, with a third that maps a neighbour
 */
#include "tables.h"

static void setup(void)
{
	table_setup();
#if CASE == 3 || CASE == 4 || CASE == 5 || CASE == 10
	struct visit visit;

	enter(&visit, 3, 2);
	CHECK(fh_cursor_map_untracked(&visit.cursor, fh_paddr_of_frame(3), 2,
				      readable()) == FH_OK);
	leave(&visit);
	mapped[0] = 2;
#elif CASE == 6 || CASE == 9
	struct visit visit;

	enter(&visit, 11, 6);
	CHECK(fh_cursor_map_untracked(&visit.cursor, fh_paddr_of_frame(12), 6,
				      readable()) == FH_OK);
	leave(&visit);
	mapped[0] = 6;
#elif CASE == 8
	struct visit visit;

	for (uint64_t i = 0; i < 4; i++) {
		enter(&visit, i, 1);
		CHECK(fh_cursor_map_untracked(&visit.cursor,
					      fh_paddr_of_frame(4 + i), 1,
					      readable()) == FH_OK);
		leave(&visit);
	}
	mapped[0] = 4;
#endif
	__builtin_memset(visits, 0, sizeof(visits));
}

/* ---- Threads ---- */

static inline void map_0(void)
{
	map(0);
}

static inline void map_1(void)
{
	map(1);
}

static inline void unmap_two_nodes(void)
{
	unmap(0, 8);
}

static inline void unmap_all(void)
{
	unmap(0, USER_PAGES);
}

static inline void lock_3_and_4(void)
{
	look_at(3, 2);
}

static inline void lock_3(void)
{
	look_at(3, 1);
}

static inline void lock_4(void)
{
	look_at(4, 1);
}

static inline void lock_across_the_root(void)
{
	look_at(15, 2);
}

static inline void lock_11_and_12(void)
{
	look_at(11, 2);
}

static inline void unmap_8_to_15(void)
{
	unmap(8, 8);
}

static inline void unmap_12_to_19(void)
{
	unmap(12, 8);
}

static inline void unmap_1(void)
{
	unmap(1, 1);
}

static inline void merge(void)
{
	struct visit visit;

	enter(&visit, 0, 8);
	enum fh_status status =
		fh_cursor_merge(&visit.cursor, &gathers[fh_host_cpu()]);
	leave(&visit);
	CHECK(status == FH_OK || status == FH_E_NOT_MAPPED);
}

/* ---- Outcomes ---- */

/* The kernel's root has a table of its own: these are the user's. */
static inline uint64_t nodes_left(void)
{
	if (CASE == 1 || CASE == 2)
		return 3;
	if (CASE == 3 || CASE == 7)
		return 2 + (pages_left() > 0);
	if (CASE == 4 || CASE == 10)
		return pages_left() > 0 ? 3 : 1;
	if (CASE == 5)
		return 4;
	if (CASE == 6)
		return 6;
	return 3;
}

static void done(void)
{
	if (CASE == 1)
		CHECK(visits[0] == 1 && visits[1] == 1 && pages_left() == 2);
	if (CASE == 2)
		CHECK(visits[0] == 2 && pages_left() == 1);
	if (CASE == 5)
		CHECK(visits[3] == 2 && visits[4] == 2);
	if (CASE == 8)
		CHECK(pages_left() == 3);
	table_check(nodes_left(), pages_left());
}

#if CASE == 1
DRIVER(map_0, map_1)
#elif CASE == 2
DRIVER(map_0, map_0)
#elif CASE == 3
DRIVER(map_0, unmap_two_nodes)
#elif CASE == 4
DRIVER(map_0, unmap_all)
#elif CASE == 5
DRIVER(lock_3_and_4, lock_3, lock_4)
#elif CASE == 6
DRIVER(lock_across_the_root, lock_11_and_12)
#elif CASE == 7
DRIVER(map_0, map_1, unmap_two_nodes)
#elif CASE == 8
DRIVER(merge, unmap_1)
#elif CASE == 9
DRIVER(unmap_8_to_15, unmap_12_to_19)
#else
DRIVER(map_0, map_1, unmap_all)
#endif
