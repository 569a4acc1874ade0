/* SPDX-License-Identifier: MPL-2.0 */
/* Execution graphs and the list of those still to be visited: graph.h. */
#include "graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned thread_count;
unsigned word_count;

void give_up(const char *why)
{
	fprintf(stderr, "interleave: %s\n", why);
	exit(3);
}

void clock_join(struct clock *clock, const struct clock *other)
{
	for (unsigned t = 0; t < thread_count; t++)
		if (other->of[t] > clock->of[t])
			clock->of[t] = other->of[t];
}

event_name store_of_access(const struct graph *g, event_name name)
{
	const struct event *e = &g->event[thread_of(name)][index_of(name)];

	return e->kind == WRITE ? name : e->reads_from;
}

unsigned position_of(const struct graph *g, unsigned word, event_name store)
{
	if (store == INITIAL_STORE)
		return 0;
	for (unsigned p = 0; p < g->stores[word]; p++)
		if (g->order[word][p] == store)
			return p + 1;
	give_up("a store that is in no order");
}

unsigned first_visible(const struct graph *g, unsigned word,
		       const struct clock *clock)
{
	unsigned first = 0;

	for (unsigned t = 0; t < thread_count; t++)
		for (unsigned i = 0; i < clock->of[t] && i < g->length[t];
		     i++) {
			const struct event *e = &g->event[t][i];

			if (e->kind == FENCE || e->word != word)
				continue;
			unsigned p = position_of(
				g, word, store_of_access(g, name_event(t, i)));
			if (p > first)
				first = p;
		}
	return first;
}

bool is_consumed(struct graph *g, unsigned word, unsigned p)
{
	return p < g->stores[word] && event_named(g, g->order[word][p])->rmw;
}

void insert_store(struct graph *g, unsigned word, unsigned position,
		  event_name store)
{
	event_name *at = &g->order[word][position];

	if (g->stores[word] == MAX_STORES)
		give_up("too many stores to one word");
	memmove(at + 1, at, (g->stores[word] - position) * sizeof(*at));
	*at = store;
	g->stores[word]++;
}

void remove_store(struct graph *g, unsigned word, unsigned position)
{
	event_name *at = &g->order[word][position];

	g->stores[word]--;
	memmove(at, at + 1, (g->stores[word] - position) * sizeof(*at));
}

struct event *append_event(struct graph *g, unsigned thread,
			   enum event_kind kind, unsigned word,
			   enum memory_order order, uintptr_t pc)
{
	if (g->length[thread] == MAX_EVENTS)
		give_up("a thread has too many events: bound its loops");
	struct event *e = &g->event[thread][g->length[thread]++];
	*e = (struct event){
		.kind = (uint8_t)kind,
		.order = (uint8_t)order,
		.word = (uint8_t)word,
		.reads_from = INITIAL_STORE,
		.stamp = g->next_stamp++,
		.pc = pc,
	};
	return e;
}

/* A graph as it waits: only the parts in use, one after the other. */
struct packed {
	size_t size;
	unsigned char bytes[];
};

static struct {
	struct packed **items;
	size_t count;
	size_t capacity;
} worklist;

static size_t pack(unsigned char *to, const void *from, size_t n)
{
	if (to != NULL)
		memcpy(to, from, n);
	return n;
}

/* Writes the parts in use to `to`, or only measures them if that is null. */
static size_t pack_graph(unsigned char *to, const struct graph *g)
{
	size_t n = 0;

#define PACK(from, size) (n += pack(to == NULL ? NULL : to + n, from, size))
	PACK(g->length, sizeof(g->length));
	PACK(g->stores, sizeof(g->stores));
	PACK(&g->next_stamp, sizeof(g->next_stamp));
	for (unsigned t = 0; t < thread_count; t++)
		PACK(g->event[t], g->length[t] * sizeof(g->event[t][0]));
	for (unsigned w = 0; w < word_count; w++)
		PACK(g->order[w], g->stores[w] * sizeof(g->order[w][0]));
#undef PACK
	return n;
}

static void unpack_graph(const unsigned char *from, struct graph *g)
{
#define UNPACK(to, size) (memcpy(to, from, size), from += (size))
	UNPACK(g->length, sizeof(g->length));
	UNPACK(g->stores, sizeof(g->stores));
	UNPACK(&g->next_stamp, sizeof(g->next_stamp));
	for (unsigned t = 0; t < thread_count; t++)
		UNPACK(g->event[t], g->length[t] * sizeof(g->event[t][0]));
	for (unsigned w = 0; w < word_count; w++)
		UNPACK(g->order[w], g->stores[w] * sizeof(g->order[w][0]));
#undef UNPACK
}

void worklist_push(const struct graph *g)
{
	size_t size = pack_graph(NULL, g);
	struct packed *item = malloc(sizeof(*item) + size);

	if (worklist.count == worklist.capacity) {
		worklist.capacity = worklist.capacity * 2 + 64;
		worklist.items =
			realloc(worklist.items,
				worklist.capacity * sizeof(*worklist.items));
	}
	if (item == NULL || worklist.items == NULL)
		give_up("out of memory");
	item->size = pack_graph(item->bytes, g);
	worklist.items[worklist.count++] = item;
}

bool worklist_pop(struct graph *g)
{
	if (worklist.count == 0)
		return false;
	struct packed *item = worklist.items[--worklist.count];
	unpack_graph(item->bytes, g);
	free(item);
	return true;
}
