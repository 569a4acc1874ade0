/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Exhaustion: all CPUs allocate until not even one page is to be had, then
 * everything comes back. Done twice, with segments of random lengths, and with
 * blocks of 2 MiB before single pages, so that every block that counts as free
 * is one that can be had.
 */
#ifndef DEMO_EXHAUST_H
#define DEMO_EXHAUST_H

#include "zones.h"

struct exhaust_plan {
	unsigned cpus;
	uint64_t seed;
};

/* What the CPUs had at most, together. */
struct exhaust_round {
	uint64_t blocks;   /* of 2 MiB, in the second round */
	uint64_t segments; /* of other lengths */
	uint64_t pages;    /* in all */
	uint64_t left;     /* pages below the limit that were free still */
};

struct exhaustion {
	uint64_t below; /* only pages below this; 0: all of memory */
	uint64_t free;  /* pages that were free before, of these */
	uint64_t free_blocks;
	struct exhaust_round rounds[2];
	struct zones before;
	struct zones after;
	double seconds;
};

/*
 * Nobody holds anything. If an allocation answers what it must not, the audit
 * of exhausted memory finds anything, or the host has no memory, says so on
 * stderr and returns false. On machines with much memory only a part of it is
 * used up.
 */
bool exhaust(const struct exhaust_plan *plan, struct exhaustion *result);

/* Whether all was to be had, and came back whole. */
bool exhaust_is_fine(const struct exhaustion *result);

#endif /* DEMO_EXHAUST_H */
