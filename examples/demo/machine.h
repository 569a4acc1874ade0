/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The machine: its memory map, its nodes, and memory that is plugged into it
 * while it runs.
 */
#ifndef DEMO_MACHINE_H
#define DEMO_MACHINE_H

#include "options.h"

#include <framehold/config.h>
#include <framehold/segment.h>
#include <framehold/topology.h>

#include <stddef.h>

/* Stays where it is while memory is up: the library looks at its topology. */
struct machine {
	const char *name;
	size_t entries; /* of the map, before it was normalised */
	struct fh_topology topology;
	struct fh_node_range *ranges; /* the topology's */
	uint32_t cpu_nodes[FH_MAX_CPUS];
	size_t node_count;
	struct fh_range plug; /* memory to come; count 0: none */
	double milliseconds;  /* that bring-up took */
};

/*
 * Brings memory up. If that is impossible, says why on stderr and returns
 * false.
 */
bool machine_start(const struct options *options, struct machine *machine);

/* Forgets all memory. */
void machine_stop(struct machine *machine);

#endif /* DEMO_MACHINE_H */
