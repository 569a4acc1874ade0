/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Data races. Plain accesses are not events of the graph: they go to real
 * memory, and each byte remembers the last plain and atomic accesses of each
 * thread, to be compared with what happens before the next one. Accesses are
 * executed in an order that agrees with reads-from, so the first race of an
 * execution is found.
 */
#ifndef FRAMEHOLD_INTERLEAVE_RACES_H
#define FRAMEHOLD_INTERLEAVE_RACES_H

#include "graph.h"

/* Forgets all accesses: an execution begins. */
void races_reset(void);

/* An access by a running thread; null, or what is wrong with it. */
const char *races_note(unsigned thread, const void *address, size_t size,
		       bool is_write, bool is_atomic);

#endif /* FRAMEHOLD_INTERLEAVE_RACES_H */
