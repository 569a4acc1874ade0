/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The workload: every CPU does random operations of every owner, in turns of
 * one operation repeated some times, and times each turn.
 */
#ifndef DEMO_WORKLOAD_H
#define DEMO_WORKLOAD_H

#include <framehold/segment.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct workload_plan {
	unsigned cpus;
	double seconds;
	uint64_t operations; /* of each CPU, instead of the time; 0: by time */
	uint64_t seed;
	struct fh_range plug; /* memory that CPU 0 plugs in half-way */
};

/* Called by CPU 0 now and then: fraction 0 .. 1, operations of all CPUs. */
typedef void workload_progress(double fraction, uint64_t operations);

/* One operation, all CPUs together. */
struct workload_row {
	const char *owner;
	const char *name;
	uint64_t done;
	uint64_t refused;
	uint64_t nanoseconds; /* of CPUs */
};

/* What the whole of it came to. */
struct workload_totals {
	double seconds;
	uint64_t operations;
	uint64_t notes_made; /* pages claimed with the demo's type */
	uint64_t stamps;     /* checks that a page was still its owner's */
	uint64_t digest;     /* of one CPU's sequence; 0 with more CPUs */
	uint64_t retired;    /* pages */
	struct fh_range plugged;
	bool stopped_early; /* the host's memory was getting short */
};

struct workload;

/* Prepares it on the machine that is up. Null: no memory. */
struct workload *workload_new(const struct workload_plan *plan);

/*
 * Runs it on all CPUs; afterwards they are parked and hold what they hold. If
 * an operation did what it must not do, says so on stderr and returns false.
 */
bool workload_run(struct workload *workload, workload_progress *progress);

/* All CPUs give up all they hold, each what another one held. */
void workload_drop_everything(struct workload *workload);

/* The index-th operation; false past the last one. */
bool workload_row(const struct workload *workload, size_t index,
		  struct workload_row *row);

struct workload_totals workload_totals(const struct workload *workload);

void workload_free(struct workload *workload);

#endif /* DEMO_WORKLOAD_H */
