/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The census: who owns which page, for the table and the picture. Every other
 * CPU is parked.
 */
#ifndef DEMO_CENSUS_H
#define DEMO_CENSUS_H

#include <framehold/addr.h>

/* Who owns a page, in the order in which they are shown. */
enum owner {
	OWNER_FRAME,
	OWNER_TYPED,
	OWNER_SEGMENT,
	OWNER_UNIQUE,
	OWNER_LIST,
	OWNER_FORGOTTEN,
	OWNER_UNUSED,
	OWNER_FREE,
	OWNER_METADATA,
	OWNER_EARLY,
	OWNER_KERNEL,
	OWNER_UNUSABLE,
	OWNER_RESERVED,
	OWNER_NOBODY,
	OWNERS,
};

/* How many pages each of them owns. */
struct census {
	uint64_t pages[OWNERS];
};

/* "segment", and what that means in half a line. */
const char *owner_name(enum owner owner);
const char *owner_meaning(enum owner owner);

/* Counts the pages first .. first+count-1. */
struct census census_of(uint64_t first, uint64_t count);

/* Counts all pages with metadata. */
struct census census_of_all(void);

/* Pages that somebody owns: all but OWNER_NOBODY. */
uint64_t census_total(const struct census *census);

#endif /* DEMO_CENSUS_H */
