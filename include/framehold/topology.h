/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Topology: which memory lies near which CPUs, as firmware's affinity tables
 * say (ACPI SRAT, numa-node-id in a device tree). Without one all memory is
 * equally near to everybody.
 */
#ifndef FRAMEHOLD_TOPOLOGY_H
#define FRAMEHOLD_TOPOLOGY_H

#include <framehold/addr.h>

FH_BEGIN_DECLS

/* A piece of the address space that belongs to a node. */
struct fh_node_range {
	uint64_t first; /* in pages */
	uint64_t count;
	uint32_t node;

	/*
	 * Memory may be plugged in here while the machine runs. The allocator
	 * makes room for it in its tables; fh_allocator_cover().
	 */
	bool hot_plug;
};

/* The caller's, and constant while memory is up. */
struct fh_topology {
	const struct fh_node_range *ranges;
	size_t range_count;

	/* By CPU number; null: all are of node 0, like CPUs beyond the end. */
	const uint32_t *cpu_nodes;

	/* How many CPUs there will be at most; 0: not known. */
	size_t cpu_count;
};

FH_END_DECLS

#endif /* FRAMEHOLD_TOPOLOGY_H */
