/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Programs in address spaces, on all CPUs: their loads and stores go through
 * the hosted machine's MMU, which walks the library's tables and forgets only
 * what it is told to.
 */
#ifndef DEMO_SPACES_H
#define DEMO_SPACES_H

#include <stdbool.h>
#include <stdint.h>

struct spaces_plan {
	unsigned cpus;
	unsigned rounds; /* lives of a program, for each CPU */
	uint64_t seed;
};

/* What the programs did, and what the MMU saw. */
struct spaces_result {
	uint64_t spaces;   /* made and given up */
	uint64_t forks;    /* with copy-on-write and shared memory */
	uint64_t filled;   /* pages faulted in */
	uint64_t copied;   /* write faults on pages to be copied */
	uint64_t refused;  /* accesses that had to fail, and did */
	uint64_t accesses; /* that had to succeed, and did */
	uint64_t huge;     /* leaves of 2 MiB mapped */
	uint64_t shared;   /* words added to in memory that all share */
	uint64_t walks;    /* by the MMU */
	uint64_t cached;   /* accesses by its cache */
	uint64_t flushes;  /* of this cache */
	double seconds;
};

/* Free pages that so many CPUs' programs may need at once, at most. */
uint64_t spaces_need(unsigned cpus);

/*
 * Runs them. If a program finds anything but what it has written, or the MMU a
 * translation that should be gone, or an audit anything, says so on stderr and
 * returns false. All memory is as before then.
 */
bool spaces_run(const struct spaces_plan *plan, struct spaces_result *result);

#endif /* DEMO_SPACES_H */
