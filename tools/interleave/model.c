/* SPDX-License-Identifier: MPL-2.0 */
/* Happens-before and the order of fences: model.h. */
#include "model.h"

#include <string.h>

struct view view[MAX_THREADS];
struct clock happens_before[MAX_THREADS][MAX_EVENTS];
struct clock prefix_of[MAX_THREADS][MAX_EVENTS];

/* What a store passes on to who reads it with acquire. */
static struct clock message_of[MAX_THREADS][MAX_EVENTS];

static unsigned seq_cst_fences;

void model_reset(void)
{
	memset(view, 0, sizeof(view));
	seq_cst_fences = 0;
}

static void execute_read(struct view *v, const struct event *e)
{
	if (e->reads_from == INITIAL_STORE)
		return;
	unsigned t = thread_of(e->reads_from);
	unsigned i = index_of(e->reads_from);

	clock_join(&v->to_acquire, &message_of[t][i]);
	if (is_acquire(e->order))
		clock_join(&v->before, &message_of[t][i]);
	clock_join(&v->prefix, &prefix_of[t][i]);
}

static void execute_fence(struct view *v, const struct event *e)
{
	if (is_acquire(e->order))
		clock_join(&v->before, &v->to_acquire);
	if (is_release(e->order))
		v->released = v->before;
	if (e->order == SEQ_CST)
		seq_cst_fences++;
}

/* An RMW continues the release sequence of the store that it replaces. */
static void execute_write(const struct graph *g, unsigned thread, unsigned i)
{
	const struct event *e = &g->event[thread][i];
	struct view *v = &view[thread];
	struct clock *message = &message_of[thread][i];

	*message = is_release(e->order) ? v->before : v->released;
	if (!e->rmw)
		return;
	event_name replaced = g->event[thread][i - 1].reads_from;
	if (replaced != INITIAL_STORE)
		clock_join(
			message,
			&message_of[thread_of(replaced)][index_of(replaced)]);
}

void model_execute(struct graph *g, unsigned thread)
{
	static const struct clock nothing;
	struct view *v = &view[thread];
	unsigned i = v->done;
	const struct event *e = &g->event[thread][i];

	v->before.of[thread] = (uint8_t)(i + 1);
	v->prefix.of[thread] = (uint8_t)(i + 1);
	message_of[thread][i] = nothing;
	if (e->kind == READ)
		execute_read(v, e);
	else if (e->kind == FENCE)
		execute_fence(v, e);
	else
		execute_write(g, thread, i);
	happens_before[thread][i] = v->before;
	prefix_of[thread][i] = v->prefix;
	v->done++;
}

enum {
	MAX_FENCES = 32
};

static unsigned find_fences(const struct graph *g, event_name *fences)
{
	unsigned n = 0;

	for (unsigned t = 0; t < thread_count; t++)
		for (unsigned i = 0; i < view[t].done; i++) {
			const struct event *e = &g->event[t][i];

			if (e->kind != FENCE || e->order != SEQ_CST)
				continue;
			if (n == MAX_FENCES)
				give_up("too many seq_cst fences");
			fences[n++] = name_event(t, i);
		}
	return n;
}

static bool comes_before(event_name a, event_name b)
{
	return clock_has(&happens_before[thread_of(b)][index_of(b)], a);
}

/*
 * Whether one word carries an extended-coherence step from an access after
 * fence a to one before fence b. An access is ranked by its store's position,
 * doubled, and one more for a read of it: then a step leads from rank x to
 * rank y if y is greater, except between two reads of the same store.
 */
static bool word_orders(struct graph *g, unsigned word, event_name a,
			event_name b)
{
	int lowest_after_a = -1, highest_before_b = -1;

	for (unsigned t = 0; t < thread_count; t++)
		for (unsigned i = 0; i < view[t].done; i++) {
			const struct event *e = &g->event[t][i];
			event_name name = name_event(t, i);

			if (e->kind == FENCE || e->word != word)
				continue;
			unsigned p =
				position_of(g, word, store_of_access(g, name));
			int rank = (int)(2 * p + (e->kind == READ));
			if (comes_before(a, name) &&
			    (lowest_after_a < 0 || rank < lowest_after_a))
				lowest_after_a = rank;
			if (comes_before(name, b) && rank > highest_before_b)
				highest_before_b = rank;
		}
	if (lowest_after_a < 0 || lowest_after_a >= highest_before_b)
		return false;
	/* From a read, only a later store, or a read of one, can be reached. */
	return lowest_after_a % 2 == 0 ||
	       highest_before_b / 2 > lowest_after_a / 2;
}

static bool fence_precedes(struct graph *g, event_name a, event_name b)
{
	if (a == b)
		return false;
	if (comes_before(a, b))
		return true;
	for (unsigned w = 0; w < word_count; w++)
		if (word_orders(g, w, a, b))
			return true;
	return false;
}

bool model_fences_agree(struct graph *g)
{
	static event_name fences[MAX_FENCES];
	static bool precedes[MAX_FENCES][MAX_FENCES];

	if (seq_cst_fences < 2)
		return true;
	unsigned n = find_fences(g, fences);
	for (unsigned a = 0; a < n; a++)
		for (unsigned b = 0; b < n; b++)
			precedes[a][b] =
				fence_precedes(g, fences[a], fences[b]);
	for (unsigned k = 0; k < n; k++)
		for (unsigned a = 0; a < n; a++)
			for (unsigned b = 0; b < n; b++)
				if (precedes[a][k] && precedes[k][b])
					precedes[a][b] = true;
	for (unsigned a = 0; a < n; a++)
		if (precedes[a][a])
			return false;
	return true;
}
