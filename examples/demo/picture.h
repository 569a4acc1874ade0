/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A picture of physical memory by owner: one HTML file that needs nothing
 * else, for light and dark backgrounds.
 */
#ifndef DEMO_PICTURE_H
#define DEMO_PICTURE_H

#include "census.h"
#include "zones.h"

#include <framehold/region.h>
#include <framehold/segment.h>

#include <stdbool.h>

struct picture {
	const char *machine; /* what it is called */
	const char *caption; /* a sentence on how it came about */
	const struct fh_memory_map *map;
	struct fh_range plugged;     /* memory that the map does not have */
	const struct census *census; /* of all pages */
	const struct zones *zones;   /* now */
	const struct zones *at_start;
};

/*
 * Writes it to a file, whose directory is made if need be. Every other CPU is
 * parked. If that is impossible, says why on stderr and returns false.
 */
bool picture_write(const char *path, const struct picture *picture);

#endif /* DEMO_PICTURE_H */
