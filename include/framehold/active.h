/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where an address space is active: part of struct fh_space, and a struct of
 * its own for gathers. The fields are private.
 */
#ifndef FRAMEHOLD_ACTIVE_H
#define FRAMEHOLD_ACTIVE_H

#include <framehold/cpuset.h>

/* Of each space; zero for a new one. The space's owner keeps it in memory. */
struct fh_active {
	uint64_t asid;           /* asid.h */
	struct fh_cpu_set cpus;  /* which run it */
	struct fh_cpu_set fresh; /* in which nothing cached is out of date */
};

#endif /* FRAMEHOLD_ACTIVE_H */
