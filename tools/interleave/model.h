/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The memory model: RC11 without load buffering, with the release sequences of
 * C++20. Happens-before is kept as a clock for each event, computed when the
 * event is executed; fences of sequential consistency are checked on the graph.
 */
#ifndef FRAMEHOLD_INTERLEAVE_MODEL_H
#define FRAMEHOLD_INTERLEAVE_MODEL_H

#include "graph.h"

/* What a thread has seen so far. */
struct view {
	unsigned done;       /* events executed in this run */
	struct clock before; /* happens before its next event */
	struct clock prefix; /* program order and reads-from, transitively */
	struct clock to_acquire; /* joins `before` at the next acquire fence */
	struct clock released;   /* `before` at the last release fence */
};

extern struct view view[MAX_THREADS];

/* Clocks of executed events, itself included. */
extern struct clock happens_before[MAX_THREADS][MAX_EVENTS];
extern struct clock prefix_of[MAX_THREADS][MAX_EVENTS];

static inline bool is_acquire(unsigned order)
{
	return order == CONSUME || order == ACQUIRE || order == ACQ_REL ||
	       order == SEQ_CST;
}

static inline bool is_release(unsigned order)
{
	return order >= RELEASE;
}

/* Forgets all views: nothing is executed. */
void model_reset(void);

/* Executes the next event of the thread, which is in the graph. */
void model_execute(struct graph *g, unsigned thread);

/* Whether the executed events obey sequential consistency of fences. */
bool model_fences_agree(struct graph *g);

#endif /* FRAMEHOLD_INTERLEAVE_MODEL_H */
