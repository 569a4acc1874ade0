/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What can be known from inside whether the tables are what they should be, and
 * whether other CPUs forget. Each prints a line for what is wrong and counts
 * it.
 */
#ifndef KERNEL_PROBE_H
#define KERNEL_PROBE_H

#include "port.h"

/* The kernel's own tables: one CPU, on them. How many things are wrong. */
unsigned probe_tables(const struct fh_memory_map *map);

/* Unmapping and remapping pages that every CPU has used: all CPUs. */
unsigned probe_shootdown(void);

#endif /* KERNEL_PROBE_H */
