/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The lock of a page-table node: whoever has it is alone, round after round.
 * What it protects is the plain words of the node's slot.
 */
#include "machine.h"

#include "node.h"

enum {
	ROUNDS = THREADS == 2 ? 3 : 1,
};

static void setup(void)
{
	machine_reset();
	*fh_node_word(PAGE, FH_NODE_LOCK) = 0;
	*fh_node_word(PAGE, FH_NODE_FACTS) = 1;
}

static void go_round(void)
{
	struct fh_atomic_mode mode;

	fh_atomic_begin(&mode);
	for (unsigned i = 0; i < ROUNDS; i++) {
		fh_node_lock(PAGE, &mode);
		fh_node_add_children(PAGE, 1);
		fh_node_unlock(PAGE, &mode);
	}
	fh_atomic_end(&mode);
}

static void done(void)
{
	CHECK(fh_node_children(PAGE) == THREADS * ROUNDS);
	CHECK(fh_node_level(PAGE) == 1);
	CHECK(*fh_node_word(PAGE, FH_NODE_LOCK) == 0);
}

#if THREADS == 2
DRIVER(go_round, go_round)
#else
DRIVER(go_round, go_round, go_round)
#endif
