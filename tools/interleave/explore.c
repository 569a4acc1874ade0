/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The exploration: every consistent execution graph once (TruSt: Kokologiannakis
 * and others, "Truly stateless, optimal dynamic partial order reduction", 2022).
 *
 * Each graph of the worklist is visited by running the threads, as fibers, from
 * their beginning. First they replay the events of the graph, in any order in
 * which a read comes after its store. Then one thread after the other goes on
 * by itself, and each event that it adds offers choices:
 *
 *     a read    from each visible store: one now, the others to the worklist
 *     a write   at each position in its word's order: likewise; and for each
 *               read that came earlier and could have read from it, the graph
 *               in which it does, without what depended on its old choice
 *               (a revisit). To visit each graph once, only if what is taken
 *               out was chosen in the one way that counts: maximal_when_added()
 *
 * What lies on a thread's stack is the thread's own: no event, and no word, for
 * another frame may lie there next.
 *
 * A thread that spins or blocks stays where it is for the rest of the
 * execution. When all others have ended, spinning threads get one more turn on
 * the newest values: if none of them gets on, that is a deadlock.
 */
#include "explore.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#include "interleave.h"
#include "model.h"
#include "races.h"
#include "trace.h"

enum thread_state {
	RUNNABLE,
	AT_FRONTIER, /* wants to add an event */
	SPINNING,
	BLOCKED,
	ENDED,
};

/* What the running code is part of. */
static enum {
	SINGLE_THREADED, /* set-up and the final check */
	RUNNING,
	PROBING, /* one more turn for a spinning thread */
} mode;

enum {
	STACK_SIZE = 1 << 17,
	NOBODY = MAX_THREADS
};

static struct {
	enum thread_state state;
	bool started;
	bool goes_first; /* in the middle of an RMW */
	jmp_buf inside;
	ucontext_t context;
	_Alignas(64) char stack[STACK_SIZE];
} fiber[MAX_THREADS];

struct word {
	void *address;
	size_t size;
	unsigned run; /* in which its initial value was read */
	uint64_t initial;
};

static struct word words[MAX_WORDS];
static struct graph graph;
static const struct interleave_driver *driver;
static unsigned current = NOBODY;
static unsigned run;
static bool replaying;
static bool abandoned; /* this graph has no consistent continuation */
static bool progress;
static jmp_buf scheduler;

static struct {
	unsigned long long complete, blocked, inconsistent, events;
} count;

/* ---- What is wrong ---- */

_Noreturn static void fail(const char *wrong, const void *address, uintptr_t pc)
{
	const char *notes[MAX_THREADS];

	for (unsigned t = 0; t < thread_count; t++)
		notes[t] = t == current                 ? " (here)"
			   : fiber[t].state == SPINNING ? " (spinning)"
			   : fiber[t].state == BLOCKED  ? " (blocked)"
							: NULL;
	trace_print(&graph, wrong, address, pc, notes);
	fprintf(stderr, "after %llu executions, %llu blocked\n", count.complete,
		count.blocked);
	exit(1);
}

void interleave_fail(const char *condition, const char *file, int line)
{
	char wrong[400];

	snprintf(wrong, sizeof(wrong), "check failed: %s, %s:%d", condition,
		 file, line);
	fail(wrong, NULL, 0);
}

/* ---- Fibers ---- */

static void leave_fiber(void)
{
	unsigned t = current;

	if (_setjmp(fiber[t].inside) == 0)
		_longjmp(scheduler, 1);
}

static void fiber_main(void)
{
	driver->thread[current]();
	fiber[current].state = ENDED;
	_longjmp(scheduler, 1);
}

/* Runs a thread until it leaves its fiber. */
static void resume(unsigned t)
{
	current = t;
	if (_setjmp(scheduler) == 0) {
		if (fiber[t].started)
			_longjmp(fiber[t].inside, 1);
		fiber[t].started = true;
		(void)getcontext(&fiber[t].context);
		fiber[t].context.uc_stack.ss_sp = fiber[t].stack;
		fiber[t].context.uc_stack.ss_size = STACK_SIZE;
		fiber[t].context.uc_link = NULL;
		makecontext(&fiber[t].context, fiber_main, 0);
		(void)setcontext(&fiber[t].context);
	}
	current = NOBODY;
}

/* Waits until the scheduler picks this thread to add an event. */
static void wait_at_frontier(bool goes_first)
{
	while (replaying) {
		fiber[current].state = AT_FRONTIER;
		fiber[current].goes_first = goes_first;
		leave_fiber();
	}
	fiber[current].state = RUNNABLE;
}

static void abandon(void)
{
	count.inconsistent++;
	abandoned = true;
	leave_fiber();
}

unsigned interleave_thread(void)
{
	return current == NOBODY ? 0 : current;
}

void interleave_spin(void)
{
	if (mode == SINGLE_THREADED)
		fail("waits where no other thread runs", NULL, 0);
	fiber[current].state = SPINNING;
	leave_fiber();
}

void interleave_block(void)
{
	if (mode == SINGLE_THREADED)
		fail("stopped where no thread runs", NULL, 0);
	fiber[current].state = BLOCKED;
	for (;;)
		leave_fiber();
}

/* ---- Words ---- */

static unsigned find_word(void *address, size_t size)
{
	unsigned w = 0;

	while (w < word_count && words[w].address != address)
		w++;
	if (w == MAX_WORDS)
		give_up("too many atomic words");
	if (w == word_count) {
		word_count++;
		words[w].address = address;
		words[w].size = size;
		graph.stores[w] = 0;
	}
	if (words[w].size != size)
		fail("atomic accesses of two sizes", address, 0);
	if (words[w].run != run) {
		words[w].run = run;
		words[w].initial = 0;
		memcpy(&words[w].initial, address, size);
	}
	return w;
}

static uint64_t value_of(unsigned word, event_name store)
{
	return store == INITIAL_STORE ? words[word].initial
				      : event_named(&graph, store)->value;
}

static event_name store_at(unsigned word, unsigned position)
{
	return position == 0 ? INITIAL_STORE : graph.order[word][position - 1];
}

/* ---- Executing events ---- */

static void execute_next(unsigned t)
{
	model_execute(&graph, t);
	count.events++;
	progress = true;
}

static void note_atomic(const struct access *a, bool is_write)
{
	const char *wrong =
		races_note(current, a->address, a->size, is_write, true);

	if (wrong != NULL)
		fail(wrong, a->address, a->pc);
}

/* No code runs on after an event that may be inconsistent. */
static void settle(bool goes_first)
{
	if (!replaying) {
		if (!model_fences_agree(&graph))
			abandon();
	} else if (view[current].done == graph.length[current]) {
		wait_at_frontier(goes_first);
	}
}

/* ---- Revisits ---- */

/* Whether the event is in the new write's prefix, or not newer than stamp. */
static bool is_kept(event_name name, const struct clock *prefix, uint32_t stamp)
{
	return name == INITIAL_STORE || clock_has(prefix, name) ||
	       event_named(&graph, name)->stamp <= stamp;
}

/*
 * Whether an event that a revisit takes out had been added in the one way that
 * counts: reading from, or standing, last in the order of what there was then,
 * and read by nothing that was there before.
 */
static bool maximal_when_added(event_name name, const struct clock *prefix)
{
	struct event *e = event_named(&graph, name);

	if (e->kind == FENCE)
		return true;
	if (e->kind == WRITE)
		for (unsigned t = 0; t < thread_count; t++)
			for (unsigned i = 0; i < graph.length[t]; i++) {
				struct event *r = &graph.event[t][i];

				if (r->kind == READ && r->reads_from == name &&
				    is_kept(name_event(t, i), prefix, e->stamp))
					return false;
			}
	event_name store = store_of_access(&graph, name);
	if (!is_kept(store, prefix, e->stamp))
		return false;
	for (unsigned p = position_of(&graph, e->word, store);
	     p < graph.stores[e->word]; p++)
		if (is_kept(graph.order[e->word][p], prefix, e->stamp))
			return false;
	return true;
}

/* Whether all that a revisit of the read would take out allows it. */
static bool may_revisit(const struct event *read, const struct clock *prefix)
{
	for (unsigned t = 0; t < thread_count; t++)
		for (unsigned i = prefix->of[t]; i < graph.length[t]; i++)
			if (graph.event[t][i].stamp >= read->stamp &&
			    !maximal_when_added(name_event(t, i), prefix))
				return false;
	return true;
}

/* The graph up to the read and with the write's prefix, nothing else. */
static void restrict_graph(struct graph *to, uint32_t stamp,
			   const struct clock *prefix)
{
	to->next_stamp = graph.next_stamp;
	for (unsigned t = 0; t < thread_count; t++) {
		unsigned n = 0;

		while (n < graph.length[t] &&
		       (graph.event[t][n].stamp <= stamp || prefix->of[t] > n))
			n++;
		to->length[t] = (uint8_t)n;
		memcpy(to->event[t], graph.event[t],
		       n * sizeof(to->event[t][0]));
	}
	for (unsigned w = 0; w < MAX_WORDS; w++) {
		to->stores[w] = 0;
		for (unsigned p = 0; w < word_count && p < graph.stores[w];
		     p++) {
			event_name store = graph.order[w][p];

			if (index_of(store) < to->length[thread_of(store)])
				to->order[w][to->stores[w]++] = store;
		}
	}
}

static unsigned larger(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/* A write about to be added by the current thread. */
struct new_write {
	unsigned word;
	uint64_t value;
	bool rmw;
	const struct access *access;
};

/* Lets one earlier read read from the new write, at each place it may have. */
static void revisit(event_name read_name, const struct new_write *write,
		    const struct clock *prefix)
{
	static const struct clock nothing;
	static struct graph g;
	unsigned t = thread_of(read_name), i = index_of(read_name);
	unsigned w = write->word;

	restrict_graph(&g, graph.event[t][i].stamp, prefix);
	const struct clock *reader =
		i == 0 ? &nothing : &happens_before[t][i - 1];
	unsigned first = larger(first_visible(&g, w, &view[current].before),
				first_visible(&g, w, reader));
	unsigned last = g.stores[w];
	if (write->rmw) {
		struct event *half =
			&graph.event[current][graph.length[current] - 1];
		unsigned p = position_of(&g, w, half->reads_from);

		if (p < first)
			return;
		first = last = p;
	}
	event_name name = name_event(current, graph.length[current]);
	struct event *e = append_event(&g, current, WRITE, w,
				       write->access->order, write->access->pc);
	e->value = write->value;
	e->rmw = write->rmw;
	g.event[t][i].reads_from = name;
	for (unsigned p = first; p <= last; p++) {
		if (is_consumed(&g, w, p))
			continue;
		insert_store(&g, w, p, name);
		worklist_push(&g);
		remove_store(&g, w, p);
	}
}

static void revisit_all(const struct new_write *write)
{
	struct clock prefix = view[current].prefix;

	prefix.of[current] = (uint8_t)(graph.length[current] + 1);
	for (unsigned t = 0; t < thread_count; t++)
		for (unsigned i = prefix.of[t]; i < graph.length[t]; i++) {
			struct event *e = &graph.event[t][i];

			if (e->kind == READ && e->word == write->word &&
			    may_revisit(e, &prefix))
				revisit(name_event(t, i), write, &prefix);
		}
}

/* ---- Reads and writes ---- */

static bool succeeds(const struct access *a, uint64_t before)
{
	return a->operation != OP_LOAD &&
	       (a->operation != OP_COMPARE_EXCHANGE || before == a->expected);
}

static void check_replay(unsigned t, unsigned i, enum event_kind kind,
			 unsigned word, const struct access *a)
{
	const struct event *e = &graph.event[t][i];

	if (e->kind != kind || e->word != word)
		fail("the driver is not deterministic", a->address, a->pc);
}

/*
 * Adds a read: of the newest store that it may read now, of all others later.
 * An RMW cannot replace a store that another one in its past has replaced.
 */
static void add_read(unsigned t, unsigned w, const struct access *a)
{
	event_name choices[MAX_STORES + 1];
	unsigned n = 0;
	unsigned first = first_visible(&graph, w, &view[t].before);

	for (unsigned p = graph.stores[w] + 1; p-- > first;) {
		event_name store = store_at(w, p);

		if (succeeds(a, value_of(w, store)) &&
		    is_consumed(&graph, w, p) &&
		    clock_has(&view[t].prefix, graph.order[w][p]))
			continue;
		choices[n++] = store;
	}
	struct event *e = append_event(&graph, t, READ, w, a->order, a->pc);
	for (unsigned c = 1; c < n; c++) {
		e->reads_from = choices[c];
		worklist_push(&graph);
	}
	e->reads_from = choices[0];
}

static uint64_t do_read(unsigned t, unsigned w, const struct access *a)
{
	unsigned i = view[t].done;

	if (i < graph.length[t]) {
		check_replay(t, i, READ, w, a);
		event_name store = graph.event[t][i].reads_from;
		while (store != INITIAL_STORE &&
		       view[thread_of(store)].done <= index_of(store))
			leave_fiber();
	} else {
		wait_at_frontier(false);
		add_read(t, w, a);
	}
	struct event *e = &graph.event[t][i];
	e->value = value_of(w, e->reads_from);
	e->rmw = succeeds(a, e->value);
	e->order = (uint8_t)(a->operation == OP_COMPARE_EXCHANGE && !e->rmw
				     ? a->failure_order
				     : a->order);
	e->pc = a->pc;
	uint64_t value = e->value;
	bool rmw = e->rmw;
	execute_next(t);
	note_atomic(a, false);
	settle(rmw);
	return value;
}

/* Adds a write: last in the order now, at all other places later. */
static void add_write(unsigned t, const struct new_write *write)
{
	unsigned choices[MAX_STORES + 1];
	unsigned n = 0, w = write->word;
	unsigned first = first_visible(&graph, w, &view[t].before);
	unsigned last = graph.stores[w];

	if (write->rmw)
		first = last = position_of(
			&graph, w,
			graph.event[t][graph.length[t] - 1].reads_from);
	for (unsigned p = last + 1; p-- > first;)
		if (!is_consumed(&graph, w, p))
			choices[n++] = p;
	if (n == 0)
		abandon();
	event_name name = name_event(t, graph.length[t]);
	struct event *e = append_event(&graph, t, WRITE, w,
				       write->access->order, write->access->pc);
	e->value = write->value;
	e->rmw = write->rmw;
	for (unsigned c = 1; c < n; c++) {
		insert_store(&graph, w, choices[c], name);
		worklist_push(&graph);
		remove_store(&graph, w, choices[c]);
	}
	insert_store(&graph, w, choices[0], name);
}

static void do_write(unsigned t, const struct new_write *write)
{
	unsigned i = view[t].done;

	if (i < graph.length[t]) {
		check_replay(t, i, WRITE, write->word, write->access);
		graph.event[t][i].value = write->value;
	} else {
		wait_at_frontier(write->rmw);
		revisit_all(write);
		add_write(t, write);
	}
	execute_next(t);
	note_atomic(write->access, true);
	settle(false);
}

static uint64_t result_of(const struct access *a, uint64_t before)
{
	uint64_t after = a->operand;

	switch (a->operation) {
	case OP_ADD:
		after = before + a->operand;
		break;
	case OP_SUB:
		after = before - a->operand;
		break;
	case OP_AND:
		after = before & a->operand;
		break;
	case OP_OR:
		after = before | a->operand;
		break;
	case OP_XOR:
		after = before ^ a->operand;
		break;
	default:
		break;
	}
	return a->size == 8 ? after
			    : after & ((UINT64_C(1) << a->size * 8) - 1);
}

/* In set-up and the final check memory itself holds the words. */
static uint64_t access_memory(const struct access *a)
{
	uint64_t before = 0;

	memcpy(&before, a->address, a->size);
	if (succeeds(a, before)) {
		uint64_t after = result_of(a, before);

		memcpy(a->address, &after, a->size);
	}
	return before;
}

/* On the newest values: a thread that could change something gets on. */
static uint64_t access_probe(const struct access *a)
{
	unsigned w = find_word(a->address, a->size);
	uint64_t before = value_of(w, store_at(w, graph.stores[w]));

	if (succeeds(a, before)) {
		fiber[current].state = ENDED;
		leave_fiber();
	}
	return before;
}

/* Whether it lies on the running thread's stack, where nobody else may look. */
static bool is_own_stack(const void *address, uintptr_t pc)
{
	uintptr_t at = (uintptr_t)address - (uintptr_t)fiber;

	if (at >= sizeof(fiber))
		return false;
	if (at / sizeof(fiber[0]) != current)
		fail("an access of another thread's stack", address, pc);
	return true;
}

uint64_t explore_access(const struct access *access)
{
	struct access a = *access;
	uint64_t before = 0;

	if (mode == SINGLE_THREADED || is_own_stack(a.address, a.pc))
		return access_memory(&a);
	if (mode == PROBING)
		return access_probe(&a);
	if (a.order == SEQ_CST)
		fail("a seq_cst access, which is not modelled", a.address,
		     a.pc);
	unsigned t = current, w = find_word(a.address, a.size);
	if (a.operation != OP_STORE)
		before = do_read(t, w, &a);
	if (succeeds(&a, before)) {
		struct new_write write = {
			.word = w,
			.value = result_of(&a, before),
			.rmw = a.operation != OP_STORE,
			.access = &a,
		};

		do_write(t, &write);
	}
	return before;
}

void explore_fence(enum memory_order order, uintptr_t pc)
{
	if (mode != RUNNING)
		return;
	if (view[current].done == graph.length[current]) {
		wait_at_frontier(false);
		(void)append_event(&graph, current, FENCE, 0, order, pc);
	}
	execute_next(current);
	settle(false);
}

/* Whether the event, which is in the graph, has been executed in this run. */
static bool is_executed(event_name name)
{
	return index_of(name) < view[thread_of(name)].done;
}

/*
 * A plain read of words that are used atomically finds their last value, which
 * is the only one it may find where there is no race.
 */
static void refresh_memory(const char *first, size_t size)
{
	for (unsigned w = 0; w < word_count; w++) {
		const char *word = words[w].address;

		if (words[w].run != run || word >= first + size ||
		    word + words[w].size <= first)
			continue;
		for (unsigned p = graph.stores[w]; p > 0; p--)
			if (is_executed(store_at(w, p))) {
				uint64_t value = value_of(w, store_at(w, p));

				memcpy(words[w].address, &value, words[w].size);
				break;
			}
	}
}

void explore_plain(const void *address, size_t size, bool is_write,
		   uintptr_t pc)
{
	if (mode != RUNNING || is_own_stack(address, pc))
		return;
	const char *wrong = races_note(current, address, size, is_write, false);
	if (wrong != NULL)
		fail(wrong, address, pc);
	if (!is_write)
		refresh_memory(address, size);
}

/* ---- One execution ---- */

static void start_run(void)
{
	run++;
	mode = SINGLE_THREADED;
	driver->setup();
	mode = RUNNING;
	races_reset();
	model_reset();
	abandoned = false;
	for (unsigned t = 0; t < thread_count; t++) {
		fiber[t].state = RUNNABLE;
		fiber[t].started = false;
		fiber[t].goes_first = false;
	}
}

/* Runs all threads up to the end of what the graph holds of them. */
static void replay(void)
{
	bool more = true;

	replaying = true;
	while (more) {
		more = false;
		progress = false;
		for (unsigned t = 0; t < thread_count; t++)
			if (fiber[t].state == RUNNABLE) {
				resume(t);
				more = true;
				progress |= fiber[t].state != RUNNABLE;
			}
		if (more && !progress)
			give_up("a graph that cannot be replayed");
	}
	replaying = false;
}

/* The thread that adds the next event; NOBODY if all have come to an end. */
static unsigned pick_thread(void)
{
	unsigned pick = NOBODY;

	for (unsigned t = 0; t < thread_count; t++) {
		if (fiber[t].state != AT_FRONTIER)
			continue;
		if (fiber[t].goes_first) {
			fiber[t].goes_first = false;
			return t;
		}
		if (pick == NOBODY)
			pick = t;
	}
	return pick;
}

static bool any_thread(enum thread_state state)
{
	for (unsigned t = 0; t < thread_count; t++)
		if (fiber[t].state == state)
			return true;
	return false;
}

static void check_deadlock(void)
{
	bool gets_on = false;

	mode = PROBING;
	for (unsigned t = 0; t < thread_count; t++)
		if (fiber[t].state == SPINNING) {
			fiber[t].state = RUNNABLE;
			resume(t);
			gets_on |= fiber[t].state != SPINNING;
		}
	if (!gets_on)
		fail("deadlock: the spinning threads never get on", NULL, 0);
}

/* The words get their last values, for the final check to look at. */
static void finish_memory(void)
{
	for (unsigned w = 0; w < word_count; w++)
		if (words[w].run == run) {
			uint64_t value =
				value_of(w, store_at(w, graph.stores[w]));

			memcpy(words[w].address, &value, words[w].size);
		}
}

static void visit(void)
{
	start_run();
	replay();
	if (!model_fences_agree(&graph)) {
		count.inconsistent++;
		return;
	}
	for (unsigned t = pick_thread(); t != NOBODY; t = pick_thread()) {
		fiber[t].state = RUNNABLE;
		resume(t);
		if (abandoned)
			return;
		if (fiber[t].state == RUNNABLE)
			fiber[t].state = AT_FRONTIER;
	}
	if (any_thread(BLOCKED) || any_thread(SPINNING)) {
		count.blocked++;
		if (!any_thread(BLOCKED))
			check_deadlock();
		return;
	}
	count.complete++;
	mode = SINGLE_THREADED;
	finish_memory();
	driver->done();
}

int interleave_main(int argc, char **argv,
		    const struct interleave_driver *program)
{
	struct timespec begin, end;

	if (argc > 1) {
		fprintf(stderr,
			"usage: %s\nexplores all executions of this "
			"driver and prints their numbers\n",
			argv[0]);
		return 2;
	}
	driver = program;
	thread_count = program->count;
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	worklist_push(&graph);
	while (worklist_pop(&graph))
		visit();
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%llu executions, %llu blocked, %llu inconsistent, "
	       "%llu events, %.3f s\n",
	       count.complete, count.blocked, count.inconsistent, count.events,
	       (double)(end.tv_sec - begin.tv_sec) +
		       (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
	return 0;
}
