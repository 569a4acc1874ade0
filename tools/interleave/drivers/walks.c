/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Walks without a lock. Who finds a page's frame in the table, gets a reference
 * by its number, and finds it a second time, has the frame that is mapped; and
 * no walk meets a node that has been freed.
 *
 *   1   one walks, one unmaps the page and reuses its frame
 *   2   one walks twice, one takes out the page's node and reuses that
 *   3   the same with the node above, which is taken apart with what is below
 *   4   one walks, one maps the page, whose nodes are missing
 */
#include "tables.h"

enum {
	WRONG_FRAME = 9,
};

uint64_t nodes[3]; /* by level - 1 */
uint64_t data_frame;

static uint64_t *data_of(uint64_t frame)
{
	return fh_host_linear(fh_paddr_of_frame(frame));
}

static void setup(void)
{
	table_setup();
	fh_rcu_offline(2);
	data_frame = fh_uframe_number(frames[0]);
	*data_of(data_frame) = 1;
	if (CASE == 4)
		return;
	map(0);
	nodes[2] = fh_frame_number(table.root);
	nodes[1] = fh_pte_frame(false, fh_entry_read(nodes[2], 0), 3);
	nodes[0] = fh_pte_frame(false, fh_entry_read(nodes[1], 0), 2);
}

static void poll(void)
{
	uint64_t budget = 100;

	fh_rcu_quiescent();
	fh_rcu_reap(&budget);
}

/* ---- Walking ---- */

static void check_frame(struct fh_atomic_mode *mode, uint64_t frame)
{
	struct fh_mapping again;
	struct fh_frame f;

	CHECK(frame == data_frame);
	if (fh_frame_from_in_use(fh_paddr_of_frame(frame), &f) != FH_OK)
		return;
	CHECK(fh_page_table_walk(&table, mode, 0, &again) == FH_OK);
	if (again.is_mapped) {
		CHECK(fh_frame_type(f) == &fh_untyped_type);
		CHECK(*data_of(frame) == 1);
	}
	fh_frame_put(&f);
}

static void walk(void)
{
	struct fh_atomic_mode mode;
	struct fh_mapping mapping;

	fh_atomic_begin(&mode);
	CHECK(fh_page_table_walk(&table, &mode, 0, &mapping) == FH_OK);
	if (mapping.is_mapped)
		check_frame(&mode, mapping.frame);
	fh_atomic_end(&mode);
}

static inline void walk_once(void)
{
	walk();
}

static inline void walk_twice(void)
{
	walk();
	poll();
	walk();
}

/* ---- Changing ---- */

static inline void unmap_and_reuse_frame(void)
{
	struct fh_meta words = paired(1);
	struct fh_frame f;

	unmap(0, 1);
	fh_gather_finish(&gathers[0]);
	CHECK(fh_frame_alloc(&any_page, &paired_type, &words, &f) == FH_OK);
	*data_of(fh_frame_number(f)) = 2;
	fh_frame_put(&f);
}

/* What a next owner may do, if there can be one. */
static void reuse(uint64_t node)
{
	if (fh_state_load_acquire(node) != FH_STATE_FREE)
		return;
	uint64_t wrong = fh_pte_leaf(false, WRONG_FRAME, 1,
				     fh_prop_preset(false, readable()));

	for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++)
		fh_word_store_relaxed(fh_entry(node, i), wrong);
}

static inline void unmap_and_reuse_nodes(void)
{
	unmap(0, CASE == 2 ? 8 : USER_PAGES);
	fh_gather_finish(&gathers[0]);
	poll();
	reuse(nodes[0]);
	if (CASE == 3)
		reuse(nodes[1]);
}

static inline void map_first(void)
{
	map(0);
}

static void done(void)
{
	CHECK(pages_left() == (CASE == 4));
	table_check(CASE == 3 ? 1 : CASE == 2 ? 2 : 3, pages_left());
}

#if CASE == 1
DRIVER(unmap_and_reuse_frame, walk_once)
#elif CASE == 4
DRIVER(map_first, walk_once)
#else
DRIVER(unmap_and_reuse_nodes, walk_twice)
#endif
