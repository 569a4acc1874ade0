/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Execution graphs. A graph holds the atomic events of each thread in program
 * order, for each read the store that it reads from, and for each word the
 * order of its stores. That determines an execution entirely: values and
 * control flow follow by running the threads again.
 *
 * An event is named by thread and index; the name INITIAL_STORE stands for the
 * value that a word has after set-up. Position 0 in a word's order of stores
 * is the initial one; position p > 0 is order[word][p - 1].
 */
#ifndef FRAMEHOLD_INTERLEAVE_GRAPH_H
#define FRAMEHOLD_INTERLEAVE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MAX_THREADS = 6,
	MAX_EVENTS = 250, /* of one thread */
	MAX_WORDS = 250,
	MAX_STORES = 120, /* to one word */
};

typedef uint16_t event_name;

#define INITIAL_STORE UINT16_MAX

enum event_kind {
	READ,
	WRITE,
	FENCE
};

/* As the compilers number them. */
enum memory_order {
	RELAXED,
	CONSUME,
	ACQUIRE,
	RELEASE,
	ACQ_REL,
	SEQ_CST
};

struct event {
	uint8_t kind;
	uint8_t order;
	bool rmw; /* half of a read-modify-write that took place */
	uint8_t word;
	event_name reads_from;
	uint32_t stamp; /* when it was added to the graph */
	uint64_t value;
	uintptr_t pc;
};

struct graph {
	uint8_t length[MAX_THREADS];
	uint8_t stores[MAX_WORDS];
	uint32_t next_stamp;
	event_name order[MAX_WORDS][MAX_STORES];
	struct event event[MAX_THREADS][MAX_EVENTS];
};

/* How many events of each thread: a set of events closed under program order. */
struct clock {
	uint8_t of[MAX_THREADS];
};

/* Threads and words in use; set by the explorer. */
extern unsigned thread_count;
extern unsigned word_count;

static inline event_name name_event(unsigned thread, unsigned index)
{
	return (event_name)(thread << 8 | index);
}

static inline unsigned thread_of(event_name name)
{
	return name >> 8;
}

static inline unsigned index_of(event_name name)
{
	return name & 255;
}

static inline struct event *event_named(struct graph *g, event_name name)
{
	return &g->event[thread_of(name)][index_of(name)];
}

static inline bool clock_has(const struct clock *clock, event_name name)
{
	return name == INITIAL_STORE ||
	       clock->of[thread_of(name)] > index_of(name);
}

void clock_join(struct clock *clock, const struct clock *other);

/* The store that an access of a word is about: itself, or what it reads. */
event_name store_of_access(const struct graph *g, event_name name);

/* Where a store stands in its word's order. */
unsigned position_of(const struct graph *g, unsigned word, event_name store);

/* Coherence: the first position that is not hidden by what the clock holds. */
unsigned first_visible(const struct graph *g, unsigned word,
		       const struct clock *clock);

/* Whether the store after position p is the second half of an RMW on it. */
bool is_consumed(struct graph *g, unsigned word, unsigned p);

void insert_store(struct graph *g, unsigned word, unsigned position,
		  event_name store);
void remove_store(struct graph *g, unsigned word, unsigned position);

struct event *append_event(struct graph *g, unsigned thread,
			   enum event_kind kind, unsigned word,
			   enum memory_order order, uintptr_t pc);

/* Graphs still to be visited, newest first. */
void worklist_push(const struct graph *g);
bool worklist_pop(struct graph *g);

/* A limit of this program, not a fault of the driver's: exit status 3. */
_Noreturn void give_up(const char *why);

#endif /* FRAMEHOLD_INTERLEAVE_GRAPH_H */
