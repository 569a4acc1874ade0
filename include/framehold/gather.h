/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Gathers: what waits between the change of a table and the moment when no CPU
 * can have the old translations cached. Whoever changes tables has one on the
 * stack, and finishes it when all cursors are closed:
 *
 *   frames   are given up after the flush
 *   nodes    after the flush and a grace period: somebody may be walking
 *
 * There is no other way from a table's entry to a free page.
 *
 * Room for frames: runs of neighbours count as one; more runs than fit take
 * pages, allocated before the table changes. A gather takes as many operations
 * as one likes.
 */
#ifndef FRAMEHOLD_GATHER_H
#define FRAMEHOLD_GATHER_H

#include <framehold/active.h>
#include <framehold/flush.h>
#include <framehold/segment.h>

FH_BEGIN_DECLS

/* Runs that a gather has room for by itself. */
#define FH_GATHER_RUNS 16

/* Private fields; lives on the stack. */
struct fh_gather {
	struct fh_active *active; /* null: the kernel's */
	struct fh_flush flush;
	uint64_t nodes_first; /* linked through their slots */
	uint64_t nodes_last;
	uint64_t node_count;
	uint64_t run_count;
	uint64_t room;    /* for runs, those in use included */
	uint64_t pages;   /* the first page of further runs, or 0 */
	uint64_t filling; /* the one that is being filled, or 0 */
	struct fh_range runs[FH_GATHER_RUNS];
};

/*
 * Begins one for a table that is active where `active` says: of struct fh_space,
 * or a zeroed one for a table that no CPU runs on. Null: the kernel's table,
 * which all online CPUs run on. Any context.
 */
void fh_gather_begin(struct fh_gather *gather, struct fh_active *active);

/*
 * Flushes what was changed, on all CPUs of the set, waits until they have, and
 * gives up what waited for that. The gather is as begun again. Thread context,
 * no lock held, no cursor open, not in atomic mode, interrupts on.
 */
void fh_gather_finish(struct fh_gather *gather);

FH_END_DECLS

#endif /* FRAMEHOLD_GATHER_H */
