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

#include <framehold/cpuset.h>
#include <framehold/flush.h>
#include <framehold/segment.h>

FH_BEGIN_DECLS

/* Runs that a gather has room for by itself. */
#define FH_GATHER_RUNS 16

/* Private fields; lives on the stack. */
struct fh_gather {
	struct fh_cpu_set *cpus;
	uint64_t asid;
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
 * Begins one for a table whose translations are cached under asid on the CPUs
 * of a set, which is looked at when the gather is finished: CPUs that come into
 * the set before their first access, as fh_space_activate() does it. The set is
 * the caller's, and stays where it is. Null: nobody caches anything of it yet.
 * Any context.
 */
void fh_gather_begin(struct fh_gather *gather, struct fh_cpu_set *cpus,
		     uint64_t asid);

/*
 * Flushes what was changed, on all CPUs of the set, waits until they have, and
 * gives up what waited for that. The gather is as begun again. Thread context,
 * no lock held, no cursor open, not in atomic mode, interrupts on.
 */
void fh_gather_finish(struct fh_gather *gather);

FH_END_DECLS

#endif /* FRAMEHOLD_GATHER_H */
