/* SPDX-License-Identifier: MPL-2.0 */
/* Where the machine's memory map comes from. */
#ifndef DEMO_MAPFILE_H
#define DEMO_MAPFILE_H

#include <framehold/region.h>
#include <framehold/topology.h>

struct regions {
	struct fh_region *entries; /* free() them */
	size_t count;
};

struct nodes {
	struct fh_node_range *ranges; /* free() them; room for one more */
	size_t count;
};

/*
 * Reads a memory map from a file of any form that mapany.h tells apart, or the
 * memory that an affinity table names. If that is impossible, says why on
 * stderr and returns false.
 */
bool mapfile_read(const char *path, struct regions *regions);

/*
 * Reads which memory belongs to which node from an affinity table or a device
 * tree. Failures as above.
 */
bool mapfile_read_nodes(const char *path, struct nodes *nodes);

/*
 * Whether a file with a memory map tells its nodes, too: a device tree, or an
 * affinity table, which as text is known by its name only: it ends in .srat.
 */
bool mapfile_has_nodes(const char *path);

/* The map of an ordinary PC with that much RAM. False: no memory. */
bool mapfile_make(uint64_t ram_bytes, struct regions *regions);

#endif /* DEMO_MAPFILE_H */
