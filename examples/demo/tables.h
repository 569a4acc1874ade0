/* SPDX-License-Identifier: MPL-2.0 */
/* What the demo prints on stdout, and how it writes numbers. */
#ifndef DEMO_TABLES_H
#define DEMO_TABLES_H

#include "census.h"
#include "exhaust.h"
#include "spaces.h"
#include "workload.h"
#include "zones.h"

#include <framehold/region.h>

/* Room for any number as text. */
struct number {
	char text[40];
};

/* "412,345", "1.6 GiB" of so many pages, "12.3 M". */
struct number number_grouped(uint64_t value);
struct number number_size(uint64_t pages);
struct number number_short(double value);

/* The spans of a map, and pages by kind. */
void tables_print_map(const struct fh_memory_map *map);

/* What bring-up made of the machine. */
void tables_print_bring_up(double milliseconds, uint64_t resident_bytes);

/* Each operation: how often, how often refused, how fast. */
void tables_print_operations(const struct workload *workload);

/* Pages by owner. */
void tables_print_owners(const struct census *census);

/* The figures of each zone, and what free memory looks like all together. */
void tables_print_zones(const struct zones *zones);

/* "82.1 %": of the blocks that free memory could be, how many it is. */
struct number number_wholeness(const struct zones *zones);

/* How memory was used up and came back. */
void tables_print_exhaustion(const struct exhaustion *result);

/* What programs did in their address spaces. */
void tables_print_spaces(const struct spaces_result *result);

#endif /* DEMO_TABLES_H */
