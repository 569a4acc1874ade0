/* SPDX-License-Identifier: MPL-2.0 */
/* Where the machine's memory map comes from. */
#ifndef DEMO_MAPFILE_H
#define DEMO_MAPFILE_H

#include <framehold/region.h>

struct regions {
	struct fh_region *entries; /* free() them */
	size_t count;
};

/*
 * Reads a memory map from a file of any form that mapany.h tells apart. If
 * that is impossible, says why on stderr and returns false.
 */
bool mapfile_read(const char *path, struct regions *regions);

/* The map of an ordinary PC with that much RAM. False: no memory. */
bool mapfile_make(uint64_t ram_bytes, struct regions *regions);

#endif /* DEMO_MAPFILE_H */
