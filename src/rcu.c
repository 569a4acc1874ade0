/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Grace periods by quiescent states: rcu.h says what they promise. One lock,
 * the monitor's, orders everything; a CPU takes it once a period, for a report.
 *
 * What has been handed over is counted in one of two counters, and so is all
 * that comes of it; a node's FH_NODE_PERIOD says in which. fh_settle() waits
 * until one of them is empty, turns newcomers to it, and waits for the other.
 */
#include "rcu.h"

#include <framehold/host.h>

#include "bits.h"
#include "lock.h"
#include "node.h"

/* Nodes linked by FH_NODE_NEXT; empty if first is 0. */
struct deferred {
	uint64_t first;
	uint64_t last;
};

static struct {
	struct fh_lock lock;
	uint64_t runs;    /* a period does; atomic, written with the lock */
	uint64_t awaited; /* CPUs that have not reported: so many, ... */
	struct fh_cpu_set silent; /* ... these; atomic, with the lock, too */
	struct fh_cpu_set online;
	uint64_t host_period; /* with FH_HOST_RCU */
	struct deferred current;
	struct deferred next;

	uint64_t turn;       /* newcomers are counted in pending[turn % 2] */
	uint64_t pending[2]; /* atomic: taken away from without the lock */
} monitor;

/* Nodes to be taken apart: a stack for each CPU, for others to take from. */
static struct ready {
	struct fh_lock lock;
	uint64_t first; /* atomic, written with the lock */

	/* The CPU's own, with preemption off: 1 + counter of what it reaps. */
	uint64_t reaping;
} __attribute__((aligned(128))) ready[FH_MAX_CPUS];

/* ---- Lists ---- */

static void append_deferred(struct deferred *list, struct deferred more)
{
	if (list->first == 0) {
		*list = more;
		return;
	}
	if (more.first == 0)
		return;
	fh_node_set_next(list->last, more.first);
	list->last = more.last;
}

static void push_ready(struct ready *to, struct deferred list)
{
	if (list.first == 0)
		return;
	uint64_t saved = fh_lock(&to->lock);
	fh_node_set_next(list.last, to->first);
	fh_word_store_relaxed(&to->first, list.first);
	fh_unlock(&to->lock, saved);
}

/* On this CPU's. */
static void make_ready(struct deferred list)
{
	fh_host_preempt_off();
	push_ready(&ready[fh_host_cpu()], list);
	fh_host_preempt_on();
}

static uint64_t take_ready(struct ready *from)
{
	if (fh_word_load_relaxed(&from->first) == 0)
		return 0;
	uint64_t saved = fh_lock(&from->lock);
	uint64_t node = from->first;
	if (node != 0)
		fh_word_store_relaxed(&from->first, fh_node_next(node));
	fh_unlock(&from->lock, saved);
	return node;
}

/* All of it, with FH_NODE_NEXT of the last one 0. */
static struct deferred take_all_ready(struct ready *from)
{
	uint64_t saved = fh_lock(&from->lock);
	struct deferred all = {.first = from->first, .last = from->first};

	fh_word_store_relaxed(&from->first, 0);
	fh_unlock(&from->lock, saved);
	while (all.last != 0 && fh_node_next(all.last) != 0)
		all.last = fh_node_next(all.last);
	return all;
}

/* ---- Periods, with the monitor's lock held ---- */

static void await_cpus(void)
{
	monitor.awaited = 0;
	for (unsigned i = 0; i < FH_CPU_WORDS; i++) {
		uint64_t online = monitor.online.word[i];

		fh_word_store_relaxed(&monitor.silent.word[i], online);
		monitor.awaited += fh_bit_count(online);
	}
}

static void begin_period(void)
{
	if (FH_HOST_RCU)
		monitor.host_period = fh_host_rcu_begin();
	else
		await_cpus();
}

static bool period_is_over(void)
{
	if (FH_HOST_RCU)
		return fh_host_rcu_is_over(monitor.host_period);
	return monitor.awaited == 0;
}

/*
 * Ends the period if it is over and begins one if there is need; returns what
 * has waited long enough. With no CPU online a period is over at once.
 */
static struct deferred advance_periods(void)
{
	struct deferred over = {0};

	while (monitor.runs == 0 || period_is_over()) {
		append_deferred(&over, monitor.current);
		monitor.current = monitor.next;
		monitor.next = (struct deferred){0};
		bool runs = monitor.current.first != 0;
		fh_word_store_relaxed(&monitor.runs, runs);
		if (!runs)
			break;
		begin_period();
	}
	return over;
}

static bool is_silent(unsigned cpu)
{
	return fh_cpu_set_has(&monitor.silent, cpu);
}

static void note_report(unsigned cpu)
{
	if (!is_silent(cpu))
		return;
	uint64_t *word = &monitor.silent.word[cpu / 64];
	fh_word_store_relaxed(word, *word & ~(UINT64_C(1) << cpu % 64));
	monitor.awaited--;
}

/* ---- Handing over ---- */

/* Counts n nodes in; returns by which counter. */
static uint64_t count_in(uint64_t n)
{
	uint64_t saved = fh_lock(&monitor.lock);
	uint64_t counter = monitor.turn % 2;

	/* Relaxed: who waits for it to be 0 has been told of us otherwise. */
	(void)fh_word_add_relaxed(&monitor.pending[counter], n);
	fh_unlock(&monitor.lock, saved);
	return counter;
}

/* Counts a child in where its parent is counted still, so that it is not 0. */
static uint64_t count_beside(uint64_t counter)
{
	(void)fh_word_add_relaxed(&monitor.pending[counter], 1);
	return counter;
}

/* For what is counted already. */
static void defer_counted(struct deferred list)
{
	uint64_t saved = fh_lock(&monitor.lock);

	append_deferred(&monitor.next, list);
	struct deferred over = advance_periods();
	fh_unlock(&monitor.lock, saved);
	make_ready(over);
}

void fh_rcu_defer(uint64_t first, uint64_t last, uint64_t n)
{
	if (n == 0)
		return;
	uint64_t counter = count_in(n);
	for (uint64_t node = first; node != 0; node = fh_node_next(node))
		fh_slots[node].meta.w[FH_NODE_PERIOD] = counter;
	defer_counted((struct deferred){first, last});
}

void fh_rcu_ready(uint64_t node)
{
	struct deferred list = {node, node};

	fh_host_preempt_off();
	struct ready *own = &ready[fh_host_cpu()];
	uint64_t counter = own->reaping != 0 ? count_beside(own->reaping - 1)
					     : count_in(1);
	fh_slots[node].meta.w[FH_NODE_PERIOD] = counter;
	push_ready(own, list);
	fh_host_preempt_on();
}

/* ---- Reports ---- */

static inline bool is_report_due(unsigned cpu)
{
	if (FH_HOST_RCU)
		return fh_word_load_relaxed(&monitor.runs) != 0;
	return is_silent(cpu);
}

static void report_quiescence(unsigned cpu)
{
	uint64_t saved = fh_lock(&monitor.lock);

	note_report(cpu);
	struct deferred over = advance_periods();
	fh_unlock(&monitor.lock, saved);
	push_ready(&ready[cpu], over);
}

void fh_rcu_quiescent(void)
{
	fh_host_preempt_off();
	unsigned cpu = fh_host_cpu();

	/* Relaxed: a period that is overlooked now is reported to next time. */
	if (FH_UNLIKELY(is_report_due(cpu)))
		report_quiescence(cpu);
	fh_host_preempt_on();
}

/* ---- CPUs ---- */

void fh_rcu_online(unsigned cpu)
{
	uint64_t saved = fh_lock(&monitor.lock);

	monitor.online.word[cpu / 64] |= UINT64_C(1) << cpu % 64;
	fh_unlock(&monitor.lock, saved);
}

void fh_rcu_offline(unsigned cpu)
{
	uint64_t saved = fh_lock(&monitor.lock);

	monitor.online.word[cpu / 64] &= ~(UINT64_C(1) << cpu % 64);
	note_report(cpu);
	struct deferred left = advance_periods();
	fh_unlock(&monitor.lock, saved);
	append_deferred(&left, take_all_ready(&ready[cpu]));
	if (left.first != 0)
		defer_counted(left);
}

/* ---- Taking apart ---- */

/* False if there was none. */
static bool reap_one(struct ready *from, uint64_t *budget)
{
	uint64_t node = take_ready(from);
	struct ready *own = &ready[fh_host_cpu()];

	if (node == 0)
		return false;
	uint64_t counter = fh_slots[node].meta.w[FH_NODE_PERIOD];
	uint64_t outer = own->reaping;
	own->reaping = counter + 1;
	bool gone = fh_node_reap(node, budget);
	own->reaping = outer;
	if (gone)
		/* Release: pairs with the acquire in count_pending(). */
		(void)fh_word_sub_release(&monitor.pending[counter], 1);
	else
		push_ready(own, (struct deferred){node, node});
	return true;
}

static void reap_from(struct ready *from, uint64_t *budget)
{
	bool found = true;

	while (found && *budget > 0) {
		fh_host_preempt_off();
		found = reap_one(from == NULL ? &ready[fh_host_cpu()] : from,
				 budget);
		fh_host_preempt_on();
	}
}

void fh_rcu_reap(uint64_t *budget)
{
	reap_from(NULL, budget);
}

void fh_rcu_reap_any(uint64_t *budget)
{
	reap_from(NULL, budget);
	for (unsigned cpu = 0; cpu<FH_MAX_CPUS && * budget> 0; cpu++)
		reap_from(&ready[cpu], budget);
}

/* ---- Whether all is done ---- */

static uint64_t count_pending(uint64_t counter)
{
	/* Acquire: what was freed is free. Pairs with reap_one(). */
	return fh_word_load_acquire(&monitor.pending[counter % 2]);
}

bool fh_rcu_idle(void)
{
	return count_pending(0) == 0 && count_pending(1) == 0;
}

uint64_t fh_rcu_mark(void)
{
	uint64_t saved = fh_lock(&monitor.lock);
	uint64_t mark = monitor.turn;

	fh_unlock(&monitor.lock, saved);
	return mark;
}

/* The counter of a turn is empty when the turn after it ends. */
bool fh_rcu_is_settled(uint64_t mark)
{
	uint64_t saved = fh_lock(&monitor.lock);

	if (monitor.turn == mark && count_pending(mark + 1) == 0)
		monitor.turn++;
	uint64_t turns = monitor.turn - mark;
	fh_unlock(&monitor.lock, saved);
	return turns > 1 || (turns == 1 && count_pending(mark) == 0);
}

void fh_rcu_close(void)
{
	__builtin_memset(&monitor, 0, sizeof(monitor));
	__builtin_memset(ready, 0, sizeof(ready));
}
