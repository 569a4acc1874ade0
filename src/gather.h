/* SPDX-License-Identifier: MPL-2.0 */
/* Gathers, for those who change tables. Node locks may be held. */
#ifndef FRAMEHOLD_SRC_GATHER_H
#define FRAMEHOLD_SRC_GATHER_H

#include <framehold/gather.h>

/* Whether one more run fits. */
static inline bool fh_gather_has_room(const struct fh_gather *gather)
{
	return gather->run_count < gather->room;
}

/*
 * Makes room for n more runs. FH_E_NO_MEMORY: there is as much room as there
 * was.
 */
FH_NODISCARD
enum fh_status fh_gather_reserve(struct fh_gather *gather, uint64_t n);

/* n frames that entries held, neighbours: there is room for a run. */
void fh_gather_frames(struct fh_gather *gather, uint64_t first, uint64_t n);

/* A detached node, with the reference that its parent's entry held. */
void fh_gather_node(struct fh_gather *gather, uint64_t node);

/* n pages from `page` on may be cached as they were before. */
void fh_gather_flush(struct fh_gather *gather, uint64_t page, uint64_t n);

#endif /* FRAMEHOLD_SRC_GATHER_H */
