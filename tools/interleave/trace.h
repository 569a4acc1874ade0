/* SPDX-License-Identifier: MPL-2.0 */
/* The execution at hand, for a person to read. */
#ifndef FRAMEHOLD_INTERLEAVE_TRACE_H
#define FRAMEHOLD_INTERLEAVE_TRACE_H

#include "graph.h"

/*
 * Prints what is wrong where, then each thread's executed events with their
 * source lines, orders, values and the stores they read. notes[t] is a remark
 * on thread t, or null.
 */
void trace_print(const struct graph *g, const char *wrong, const void *address,
		 uintptr_t pc, const char *const *notes);

#endif /* FRAMEHOLD_INTERLEAVE_TRACE_H */
