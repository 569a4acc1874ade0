/* SPDX-License-Identifier: MPL-2.0 */
/* What the demo prints on stdout, and how it writes numbers. */
#ifndef DEMO_TABLES_H
#define DEMO_TABLES_H

#include "census.h"
#include "workload.h"

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

#endif /* DEMO_TABLES_H */
