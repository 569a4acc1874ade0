/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Page-table nodes: what the five words of a node's slot mean. The level never
 * changes; stray and children change under the lock.
 */
#ifndef FRAMEHOLD_SRC_NODE_H
#define FRAMEHOLD_SRC_NODE_H

#include <framehold/atomic.h>

/* Words of fh_slots[node].meta.w[]. */
#define FH_NODE_LOCK     0 /* 0 or 1; atomic */
#define FH_NODE_FACTS    1 /* level + stray << 8 + children << 16 */
#define FH_NODE_NEXT     2 /* the next node of a list of deferred ones, or 0 */
#define FH_NODE_PERIOD   3 /* the grace period it waits for */
#define FH_NODE_PROGRESS 4 /* entries before this one have been released */

/* The next node on a list of nodes that are the caller's alone. */
static inline uint64_t fh_node_next(uint64_t node)
{
	return fh_slots[node].meta.w[FH_NODE_NEXT];
}

static inline void fh_node_set_next(uint64_t node, uint64_t next)
{
	fh_slots[node].meta.w[FH_NODE_NEXT] = next;
}

#endif /* FRAMEHOLD_SRC_NODE_H */
