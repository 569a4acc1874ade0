/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Remote flushes: flush.h says what they promise. A CPU does what is in its
 * queue with interrupts off from taking it out to saying that it is done, so
 * that an interrupt in between does not take the rest out and say so too early.
 */
#include "flush.h"

#include <framehold/poll.h>

#include "lock.h"
#include "report.h"

/* Requests that a queue has room for; beyond, everything is forgotten. */
#define QUEUE_ROOM 16

/* n is 0 for all pages. */
struct flush_request {
	uint64_t asid;
	struct fh_flush_range range;
};

static struct flush_queue {
	struct fh_lock lock;
	uint64_t asked;  /* requests so far; atomic, written with the lock */
	uint64_t done;   /* of them; atomic, the CPU's own to write */
	uint64_t online; /* atomic, written with the lock */
	uint32_t count;
	bool overflow; /* forget everything */
	struct flush_request request[QUEUE_ROOM];
} __attribute__((aligned(128))) queues[FH_MAX_CPUS];

/* What a CPU has taken out of its queue. */
struct flush_work {
	uint64_t asked;
	uint32_t count;
	bool overflow;
	struct flush_request request[QUEUE_ROOM];
};

/* Atomic, relaxed: who brings CPUs online after fh_flush_open() knows it. */
static uint64_t tables_are_used;

/* ---- Building up ---- */

void fh_flush_init(struct fh_flush *flush)
{
	flush->pages = 0;
	flush->count = 0;
	flush->all = false;
}

void fh_flush_add_all(struct fh_flush *flush)
{
	flush->all = true;
}

/* Whether they overlap or are neighbours. */
/*@
  requires flush_range_ok(a.page, a.n) && flush_range_ok(b.page, b.n);
  assigns \nothing;
  exits \false;
  ensures \result <==> a.page <= b.page + b.n && b.page <= a.page + a.n;
*/
static bool ranges_touch(struct fh_flush_range a, struct fh_flush_range b)
{
	return a.page <= b.page ? b.page - a.page <= a.n
				: a.page - b.page <= b.n;
}

/* The smallest range with both. */
/*@
  requires flush_range_ok(a.page, a.n) && flush_range_ok(b.page, b.n);
  requires a.page <= b.page + b.n && b.page <= a.page + a.n;
  assigns \nothing;
  exits \false;
  ensures flush_range_ok(\result.page, \result.n);
  ensures \forall integer p; in_range(p, \result.page, \result.n) <==>
    in_range(p, a.page, a.n) || in_range(p, b.page, b.n);
*/
static struct fh_flush_range join_ranges(struct fh_flush_range a,
					 struct fh_flush_range b)
{
	uint64_t page = a.page < b.page ? a.page : b.page;
	uint64_t a_end = a.page + a.n;
	uint64_t b_end = b.page + b.n;

	return (struct fh_flush_range){page,
				       (a_end > b_end ? a_end : b_end) - page};
}

/* By induction: a range has no more pages than all have. */
/*@ ghost
  /@
    requires \valid_read(flush) && flush->count <= FH_FLUSH_RANGES;
    requires i < flush->count;
    assigns \nothing;
    exits \false;
    ensures flush->range[i].n <= flush_sum(flush, flush->count);
  @/
  void ghost_sum_has(struct fh_flush *flush, uint32_t i)
  {
    /@
      loop invariant j <= flush->count;
      loop invariant flush_sum(flush, j) >= (j > i ? flush->range[i].n : 0);
      loop assigns j;
      loop variant flush->count - j;
    @/
    for (uint32_t j = 0; j < flush->count; j++)
      ;
  }
*/

/* Takes range i out. */
/*@
  requires \valid(flush) && flush_ranges_ok(flush) && i < flush->count;
  assigns flush->pages, flush->count, flush->range[i];
  exits \false;
  ensures flush->count == \old(flush->count) - 1;
  ensures \result == \old(flush->range[i]);
  ensures flush_ranges_ok(flush);
  ensures \forall integer p; \old(in_flush(flush, p)) ==>
    in_flush(flush, p) || in_range(p, \result.page, \result.n);
  ensures \forall integer p; in_flush(flush, p) ==>
    \old(in_flush(flush, p));
  ensures \forall integer p; in_range(p, \result.page, \result.n) ==>
    \old(in_flush(flush, p));
*/
static struct fh_flush_range take_range(struct fh_flush *flush, uint32_t i)
{
	struct fh_flush_range taken = flush->range[i];

	/*@ ghost ghost_sum_has(flush, i); */
	flush->pages -= taken.n;
	flush->count--;
	flush->range[i] = flush->range[flush->count];
	/*@ ghost
	  /@
	    loop invariant j <= flush->count;
	    loop invariant flush_sum(flush, j) ==
	      flush_sum{Pre}(flush, j) +
	      (j > i ? flush->range[i].n - taken.n : 0);
	    loop assigns j;
	    loop variant flush->count - j;
	  @/
	  for (uint32_t j = 0; j < flush->count; j++)
	    ;
	*/
	/*@ assert flush_sum{Pre}(flush, flush->count + 1) ==
	  flush_sum{Pre}(flush, flush->count) +
	  \at(flush->range[\at(flush->count,Here)].n,Pre); */
	/*@ assert flush->pages == flush_sum(flush, flush->count); */
	/*@ assert \forall integer k; 0 <= k < flush->count && k != i ==>
	  flush->range[k] == \at(flush->range[k],Pre); */
	/*@ assert \forall integer k; 0 <= k < flush->count ==>
	  flush_range_ok(flush->range[k].page, flush->range[k].n); */
	return taken;
}

/* Adds a range that touches no other, and that there is room for. */
/*@
  requires \valid(flush) && flush_ranges_ok(flush);
  requires flush_range_ok(range.page, range.n);
  requires flush->count < FH_FLUSH_RANGES;
  requires range.n <= FH_FLUSH_LIMIT - flush->pages;
  assigns flush->pages, flush->count, flush->range[flush->count];
  exits \false;
  ensures flush_ranges_ok(flush);
  ensures \forall integer p; \old(in_flush(flush, p)) ==>
    in_flush(flush, p);
  ensures \forall integer p; in_range(p, range.page, range.n) ==>
    in_flush(flush, p);
  ensures \forall integer p; in_flush(flush, p) ==>
    \old(in_flush(flush, p)) || in_range(p, range.page, range.n);
*/
static void put_range(struct fh_flush *flush, struct fh_flush_range range)
{
	flush->range[flush->count] = range;
	flush->count++;
	flush->pages += range.n;
	/*@ ghost
	  /@
	    loop invariant j < flush->count;
	    loop invariant flush_sum(flush, j) ==
	      flush_sum{Pre}(flush, j);
	    loop assigns j;
	    loop variant flush->count - j;
	  @/
	  for (uint32_t j = 0; j + 1 < flush->count; j++)
	    ;
	*/
	/*@ assert flush_sum(flush, flush->count) ==
	  flush_sum(flush, flush->count - 1) + range.n; */
	/*@ assert \forall integer k; 0 <= k < flush->count - 1 ==>
	  flush->range[k] == \at(flush->range[k],Pre); */
}

/*
 * Takes all ranges that touch this one out, and returns them with it. They did
 * not touch each other, so that one look is enough.
 */
/*@
  requires \valid(flush) && flush_ranges_ok(flush);
  requires flush_range_ok(range.page, range.n);
  assigns flush->pages, flush->count,
          flush->range[0 .. FH_FLUSH_RANGES - 1];
  exits \false;
  ensures flush_ranges_ok(flush);
  ensures flush_range_ok(\result.page, \result.n);
  ensures \forall integer p; in_range(p, range.page, range.n) ==>
    in_range(p, \result.page, \result.n);
  ensures \forall integer p; \old(in_flush(flush, p)) ==>
    in_flush(flush, p) || in_range(p, \result.page, \result.n);
  ensures \forall integer p;
    in_flush(flush, p) || in_range(p, \result.page, \result.n) ==>
      \old(in_flush(flush, p)) || in_range(p, range.page, range.n);
*/
static struct fh_flush_range absorb_ranges(struct fh_flush *flush,
					   struct fh_flush_range range)
{
	uint32_t i = 0;

	/*@
	  loop invariant i <= flush->count && flush_ranges_ok(flush);
	  loop invariant flush_range_ok(range.page, range.n);
	  loop invariant \forall integer p;
	    in_range(p, \at(range.page,Pre), \at(range.n,Pre)) ==>
	      in_range(p, range.page, range.n);
	  loop invariant \forall integer p; \at(in_flush(flush, p),Pre) ==>
	    in_flush(flush, p) || in_range(p, range.page, range.n);
	  loop invariant \forall integer p;
	    in_flush(flush, p) || in_range(p, range.page, range.n) ==>
	      \at(in_flush(flush, p),Pre) ||
	      in_range(p, \at(range.page,Pre), \at(range.n,Pre));
	  loop assigns i, range, flush->pages, flush->count,
	               flush->range[0 .. FH_FLUSH_RANGES - 1];
	  loop variant flush->count - i;
	*/
	while (i < flush->count)
		if (ranges_touch(flush->range[i], range))
			range = join_ranges(take_range(flush, i), range);
		else
			i++;
	return range;
}

void fh_flush_add(struct fh_flush *flush, uint64_t page, uint64_t n)
{
	if (n == 0 || flush->all)
		return;
	struct fh_flush_range range =
		absorb_ranges(flush, (struct fh_flush_range){page, n});

	if (flush->count == FH_FLUSH_RANGES ||
	    range.n > FH_FLUSH_LIMIT - flush->pages)
		flush->all = true;
	else
		put_range(flush, range);
}

/* ---- On this CPU ---- */

static void forget_range(uint64_t asid, struct fh_flush_range range)
{
	struct fh_vaddr va = {range.page * FH_PAGE_SIZE};

	if (range.n == 0)
		fh_host_flush_asid(asid);
	else
		fh_host_flush_pages(asid, va, range.n);
}

static void forget_everything(void)
{
	fh_host_flush_asid(FH_ASID_KERNEL);
}

void fh_flush_local(const struct fh_flush *flush, uint64_t asid)
{
	if (flush->all) {
		fh_host_flush_asid(asid);
		return;
	}
	for (uint32_t i = 0; i < flush->count; i++)
		forget_range(asid, flush->range[i]);
}

static void do_work(const struct flush_work *work)
{
	if (work->overflow) {
		forget_everything();
		return;
	}
	for (uint32_t i = 0; i < work->count; i++)
		forget_range(work->request[i].asid, work->request[i].range);
}

static bool is_flush_asked(const struct flush_queue *queue)
{
	return fh_word_load_relaxed(&queue->asked) !=
	       fh_word_load_relaxed(&queue->done);
}

/* Empties a queue, with its lock held. */
static void take_work(struct flush_queue *queue, struct flush_work *work)
{
	work->asked = queue->asked;
	work->overflow = queue->overflow;
	work->count = queue->count;
	for (uint32_t i = 0; i < queue->count; i++)
		work->request[i] = queue->request[i];
	queue->count = 0;
	queue->overflow = false;
}

/* With interrupts off. */
static void answer_queue(struct flush_queue *queue)
{
	struct flush_work work;
	uint64_t saved = fh_lock(&queue->lock);

	take_work(queue, &work);
	fh_unlock(&queue->lock, saved);
	do_work(&work);
	/*
	 * Release: what we did with old translations comes before. Pairs with
	 * the acquire in wait_for_flush().
	 */
	fh_word_store_release(&queue->done, work.asked);
}

void fh_flush_answer(void)
{
	uint64_t saved = fh_host_irq_save();
	struct flush_queue *own = &queues[fh_host_cpu()];

	/* Relaxed: a kick comes after what it is for. */
	if (is_flush_asked(own))
		answer_queue(own);
	fh_host_irq_restore(saved);
}

/* ---- On others ---- */

static void add_request(struct flush_queue *queue, struct flush_request request)
{
	if (queue->count == QUEUE_ROOM) {
		queue->overflow = true;
		return;
	}
	queue->request[queue->count] = request;
	queue->count++;
}

static void add_flush(struct flush_queue *queue, const struct fh_flush *flush,
		      uint64_t asid)
{
	if (flush->all) {
		add_request(queue, (struct flush_request){.asid = asid});
		return;
	}
	for (uint32_t i = 0; i < flush->count; i++)
		add_request(queue,
			    (struct flush_request){asid, flush->range[i]});
}

/* With preemption off, so that the kick follows soon. */
static void ask_cpu(unsigned cpu, const struct fh_flush *flush, uint64_t asid)
{
	struct flush_queue *queue = &queues[cpu];
	uint64_t saved = fh_lock(&queue->lock);
	bool is_online = fh_word_load_relaxed(&queue->online) != 0;
	/* Who found it empty kicks for all who have come since. */
	bool kick = is_online && queue->count == 0 && !queue->overflow;

	if (is_online) {
		add_flush(queue, flush, asid);
		fh_word_store_relaxed(&queue->asked, queue->asked + 1);
	}
	fh_unlock(&queue->lock, saved);
	if (kick)
		fh_host_kick(cpu);
}

void fh_flush_send(const struct fh_flush *flush, uint64_t asid,
		   const struct fh_cpu_set *cpus)
{
	if (fh_flush_is_empty(flush))
		return;
	fh_host_preempt_off();
	unsigned self = fh_host_cpu();
	/* The others first, so that they are busy while we are. */
	for (unsigned cpu = fh_cpu_set_next(cpus, 0); cpu < FH_MAX_CPUS;
	     cpu = fh_cpu_set_next(cpus, cpu + 1))
		if (cpu != self)
			ask_cpu(cpu, flush, asid);
	if (fh_cpu_set_has(cpus, self))
		fh_flush_local(flush, asid);
	fh_host_preempt_on();
}

/* Until it has done all that it has been asked by now. */
static void wait_for_flush(const struct flush_queue *queue)
{
	uint64_t asked = fh_word_load_relaxed(&queue->asked);

	/* Acquire: pairs with the release in answer_queue(), fh_flush_offline(). */
	while (fh_word_load_acquire(&queue->done) < asked) {
		fh_kicked();
		fh_host_relax();
	}
}

static FH_COLD void stop_waiting(void)
{
	fh_stop("flush_wait", 0, 0, "interrupts on, outside of a handler", 0,
		0);
}

void fh_flush_wait(const struct fh_cpu_set *cpus)
{
	if (!fh_host_may_wait())
		stop_waiting();
	for (unsigned cpu = fh_cpu_set_next(cpus, 0); cpu < FH_MAX_CPUS;
	     cpu = fh_cpu_set_next(cpus, cpu + 1))
		wait_for_flush(&queues[cpu]);
}

void fh_flush_all_of(const struct fh_flush *flush, uint64_t asid,
		     const struct fh_cpu_set *cpus)
{
	if (fh_flush_is_empty(flush))
		return;
	fh_flush_send(flush, asid, cpus);
	fh_flush_wait(cpus);
}

void fh_flush_online_cpus(struct fh_cpu_set *cpus)
{
	for (unsigned i = 0; i < FH_CPU_WORDS; i++)
		cpus->word[i] = ~UINT64_C(0);
	/* ask_cpu() leaves out who is offline. */
	if (FH_MAX_CPUS % 64 != 0)
		cpus->word[FH_CPU_WORDS - 1] =
			(UINT64_C(1) << FH_MAX_CPUS % 64) - 1;
}

/* ---- CPUs that come and go ---- */

void fh_flush_open(void)
{
	fh_word_store_relaxed(&tables_are_used, 1);
}

/* For a CPU that cannot do so itself: at its first kick, or its first poll. */
static void leave_everything(struct flush_queue *queue)
{
	queue->overflow = true;
	fh_word_store_relaxed(&queue->asked, queue->asked + 1);
}

void fh_flush_online(unsigned cpu)
{
	fh_host_preempt_off();
	struct flush_queue *queue = &queues[cpu];
	bool is_self = cpu == fh_host_cpu();
	uint64_t saved = fh_lock(&queue->lock);
	bool forget = fh_word_load_relaxed(&queue->online) == 0 &&
		      fh_word_load_relaxed(&tables_are_used) != 0;

	fh_word_store_relaxed(&queue->online, 1);
	if (forget && !is_self)
		leave_everything(queue);
	fh_unlock(&queue->lock, saved);
	/* What changed while we were away; what changes now is asked of us. */
	if (forget && is_self)
		forget_everything();
	fh_host_preempt_on();
}

void fh_flush_offline(unsigned cpu)
{
	uint64_t off = fh_host_irq_save();
	struct flush_queue *queue = &queues[cpu];
	struct flush_work work;
	uint64_t saved = fh_lock(&queue->lock);

	fh_word_store_relaxed(&queue->online, 0);
	take_work(queue, &work);
	fh_unlock(&queue->lock, saved);
	if (cpu == fh_host_cpu())
		do_work(&work);
	/* Release: as in answer_queue(). */
	fh_word_store_release(&queue->done, work.asked);
	fh_host_irq_restore(off);
}

void fh_flush_close(void)
{
	__builtin_memset(queues, 0, sizeof(queues));
	tables_are_used = 0;
}
