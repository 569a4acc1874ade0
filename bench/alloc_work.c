/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Each loop below is inlined for each subject, so that what is called in it is
 * known to the compiler, as in a kernel.
 *
 * Bulk phases take half of the memory and give it back, in order or shuffled.
 * The aged phase takes half of the memory from one in which every eighth page,
 * at random, is in use. Churn replaces random pages of half of the memory one
 * by one. Processor time is measured, not the time on the clock: others use
 * this machine, too.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "alloc_work.h"

#include "bench_host.h"
#include "hosted.h"
#include "plain_buddy.h"
#include "slot.h"

#include <framehold/allocator.h>
#include <framehold/framehold.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REPEATS     UINT64_C(1000000)
#define CHURNS      UINT64_C(500000)
#define RING        UINT64_C(4096)
#define BLOCK_PAGES UINT64_C(512)

#define INLINED static inline __attribute__((always_inline))

_Thread_local struct bench_cpu bench_cpu;

struct allocator {
	uint64_t (*take)(unsigned cpu);
	void (*give)(unsigned cpu, uint64_t page);
	uint64_t (*take_block)(unsigned cpu);
	void (*give_block)(unsigned cpu, uint64_t first);
	void (*drain)(unsigned cpu);
};

static void stop(const char *what)
{
	(void)fflush(stdout);
	fprintf(stderr, "alloc_bench: %s\n", what);
	exit(1);
}

/* ---- The hand-over of a slot ---- */

/*
 * What the library does to a slot at both ends of a page's use, by the same
 * inline functions, without the search for a page before and after it.
 */
INLINED void hand_out(uint64_t page)
{
	fh_slot_write(page, &fh_untyped_type, NULL);
	fh_slot_publish(page);
}

INLINED void hand_back(uint64_t page)
{
	const struct fh_dropping dropping = {page};

	if (fh_state_sub_release(page) != FH_STATE_ONE)
		stop("a page has another holder");
	(void)fh_state_load_acquire(page);
	const struct fh_meta_type *type = fh_slots[page].type;
	if (type->on_drop != NULL)
		type->on_drop(dropping);
	fh_slots[page].type = NULL;
	fh_list_id_store_relaxed(page, 0);
	fh_state_store_release(page, FH_STATE_FREE);
}

INLINED void hand_out_block(uint64_t first)
{
	for (uint64_t i = 0; i < BLOCK_PAGES; i++)
		hand_out(first + i);
}

INLINED void hand_back_block(uint64_t first)
{
	for (uint64_t i = 0; i < BLOCK_PAGES; i++)
		hand_back(first + i);
}

/* ---- The floor: pages in an array ---- */

/* The least that can keep pages which come back in any order. */
static struct {
	uint64_t count;
	uint64_t *pages; /* the newest last; popped, they ascend at first */
	uint64_t next;   /* of blocks, in a row */
} rows[WORK_THREADS] __attribute__((aligned(128)));

static uint64_t *all_row_pages;

INLINED void row_drain(unsigned cpu)
{
	(void)cpu;
}

INLINED uint64_t row_take(unsigned cpu)
{
	uint64_t n = rows[cpu].count - 1;

	rows[cpu].count = n;
	return rows[cpu].pages[n];
}

INLINED void row_give(unsigned cpu, uint64_t page)
{
	uint64_t n = rows[cpu].count;

	rows[cpu].pages[n] = page;
	rows[cpu].count = n + 1;
}

INLINED uint64_t row_take_block(unsigned cpu)
{
	rows[cpu].next += BLOCK_PAGES;
	return rows[cpu].next - BLOCK_PAGES;
}

INLINED void row_give_block(unsigned cpu, uint64_t first)
{
	(void)first;
	rows[cpu].next -= BLOCK_PAGES;
}

static void fill_row(unsigned cpu, uint64_t first, uint64_t n)
{
	rows[cpu].pages = all_row_pages + cpu * n;
	rows[cpu].count = n;
	rows[cpu].next = first;
	for (uint64_t i = 0; i < n; i++)
		rows[cpu].pages[i] = first + (n - 1 - i);
}

INLINED uint64_t row_take_handed(unsigned cpu)
{
	uint64_t page = row_take(cpu);

	hand_out(page);
	return page;
}

INLINED void row_give_handed(unsigned cpu, uint64_t page)
{
	hand_back(page);
	row_give(cpu, page);
}

INLINED uint64_t row_take_block_handed(unsigned cpu)
{
	uint64_t first = row_take_block(cpu);

	hand_out_block(first);
	return first;
}

INLINED void row_give_block_handed(unsigned cpu, uint64_t first)
{
	hand_back_block(first);
	row_give_block(cpu, first);
}

/* ---- Ours ---- */

static const struct fh_alloc_options plain_pages = {.zeroed = false};
static const struct fh_alloc_options blocks = {.align = BLOCK_PAGES};

INLINED void our_drain(unsigned cpu)
{
	(void)cpu;
	fh_alloc_drain();
}

INLINED uint64_t our_take(unsigned cpu)
{
	uint64_t page;

	(void)cpu;
	if (fh_allocator_pop(1, &plain_pages, &page) != FH_OK)
		stop("we refused a page");
	return page;
}

INLINED void our_give(unsigned cpu, uint64_t page)
{
	(void)cpu;
	fh_allocator_give_back(page, 1);
}

INLINED uint64_t our_take_block(unsigned cpu)
{
	uint64_t first;

	(void)cpu;
	if (fh_allocator_pop(BLOCK_PAGES, &blocks, &first) != FH_OK)
		stop("we refused a block");
	return first;
}

INLINED void our_give_block(unsigned cpu, uint64_t first)
{
	(void)cpu;
	fh_allocator_give_back(first, BLOCK_PAGES);
}

INLINED uint64_t our_take_handed(unsigned cpu)
{
	struct fh_frame f;

	(void)cpu;
	if (fh_frame_alloc(&plain_pages, &fh_untyped_type, NULL, &f) != FH_OK)
		stop("we refused a page");
	return f.handle;
}

INLINED void our_give_handed(unsigned cpu, uint64_t page)
{
	struct fh_frame f = {page};

	(void)cpu;
	fh_frame_put(&f);
}

INLINED uint64_t our_take_block_handed(unsigned cpu)
{
	struct fh_segment s;

	(void)cpu;
	if (fh_segment_alloc(BLOCK_PAGES, &blocks, &fh_untyped_type, NULL,
			     &s) != FH_OK)
		stop("we refused a block");
	return s.handle;
}

INLINED void our_give_block_handed(unsigned cpu, uint64_t first)
{
	struct fh_segment s = {first, BLOCK_PAGES};

	(void)cpu;
	fh_segment_put(&s);
}

/* ---- A plain buddy system ---- */

INLINED uint64_t plain_take(unsigned cpu)
{
	uint64_t page = plain_buddy_take(cpu, 0);

	if (page == PLAIN_BUDDY_NONE)
		stop("the plain buddy refused a page");
	return page;
}

INLINED void plain_give(unsigned cpu, uint64_t page)
{
	plain_buddy_give(cpu, page, 0);
}

INLINED uint64_t plain_take_block(unsigned cpu)
{
	uint64_t first = plain_buddy_take(cpu, 9);

	if (first == PLAIN_BUDDY_NONE)
		stop("the plain buddy refused a block");
	return first;
}

INLINED void plain_give_block(unsigned cpu, uint64_t first)
{
	plain_buddy_give(cpu, first, 9);
}

INLINED uint64_t plain_take_handed(unsigned cpu)
{
	uint64_t page = plain_take(cpu);

	hand_out(page);
	return page;
}

INLINED void plain_give_handed(unsigned cpu, uint64_t page)
{
	hand_back(page);
	plain_give(cpu, page);
}

INLINED uint64_t plain_take_block_handed(unsigned cpu)
{
	uint64_t first = plain_take_block(cpu);

	hand_out_block(first);
	return first;
}

INLINED void plain_give_block_handed(unsigned cpu, uint64_t first)
{
	hand_back_block(first);
	plain_give_block(cpu, first);
}

/* ---- Loops ---- */

/* What one thread works with. */
struct worker {
	unsigned cpu;
	uint64_t *pages;
	uint64_t all;  /* how much of the memory is its own, in pages */
	uint64_t half; /* of that */
	uint64_t random;
	uint64_t started;
	double ns[PHASES];
};

static uint64_t processor_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

INLINED uint64_t draw(struct worker *w)
{
	/* Xorshift: cheap beside what is measured. */
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random;
}

/* Both threads of a pair begin together. */
static struct {
	unsigned threads;
	unsigned arrived;
	unsigned turn;
} meeting;

static void meet(void)
{
	unsigned turn = __atomic_load_n(&meeting.turn, __ATOMIC_RELAXED);

	if (__atomic_add_fetch(&meeting.arrived, 1, __ATOMIC_ACQ_REL) ==
	    meeting.threads) {
		__atomic_store_n(&meeting.arrived, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&meeting.turn, turn + 1, __ATOMIC_RELEASE);
		return;
	}
	while (__atomic_load_n(&meeting.turn, __ATOMIC_ACQUIRE) == turn)
		fh_host_relax();
}

static void begin(struct worker *w)
{
	meet();
	w->started = processor_ns();
}

static void end(struct worker *w, enum work_phase phase, uint64_t operations)
{
	uint64_t ns = processor_ns() - w->started;

	w->ns[phase] = (double)ns / (double)operations;
	meet();
}

/* Shuffles the first n pages; what reads them afterwards reads on and on. */
static void shuffle(struct worker *w, uint64_t n)
{
	for (uint64_t i = n - 1; i > 0; i--) {
		uint64_t other = draw(w) % (i + 1);
		uint64_t swapped = w->pages[i];

		w->pages[i] = w->pages[other];
		w->pages[other] = swapped;
	}
}

INLINED void fill(const struct allocator *s, struct worker *w, uint64_t from,
		  uint64_t to)
{
	for (uint64_t i = from; i < to; i++)
		w->pages[i] = s->take(w->cpu);
}

INLINED void empty(const struct allocator *s, struct worker *w, uint64_t from,
		   uint64_t to)
{
	for (uint64_t i = from; i < to; i++)
		s->give(w->cpu, w->pages[i]);
}

INLINED void do_pages(const struct allocator *s, struct worker *w)
{
	begin(w);
	for (uint64_t i = 0; i < REPEATS; i++)
		s->give(w->cpu, s->take(w->cpu));
	end(w, REPEAT_4K, REPEATS);

	begin(w);
	fill(s, w, 0, w->half);
	end(w, BULK_ALLOC_4K, w->half);
	begin(w);
	empty(s, w, 0, w->half);
	end(w, BULK_FREE_4K, w->half);

	fill(s, w, 0, w->half);
	shuffle(w, w->half);
	begin(w);
	empty(s, w, 0, w->half);
	end(w, RANDOM_FREE_4K, w->half);
}

INLINED void do_aged(const struct allocator *s, struct worker *w)
{
	uint64_t held = w->all / 16 * 15;
	uint64_t freed = held / 8 * 7;

	fill(s, w, 0, held);
	shuffle(w, held);
	empty(s, w, 0, freed);
	begin(w);
	fill(s, w, 0, w->half);
	end(w, AGED_ALLOC_4K, w->half);
	empty(s, w, 0, w->half);
	empty(s, w, freed, held);
}

INLINED void do_churn(const struct allocator *s, struct worker *w)
{
	fill(s, w, 0, w->half);
	begin(w);
	for (uint64_t i = 0; i < CHURNS; i++) {
		uint64_t place = draw(w) % w->half;

		s->give(w->cpu, w->pages[place]);
		w->pages[place] = s->take(w->cpu);
	}
	end(w, CHURN_4K, CHURNS);
	empty(s, w, 0, w->half);
}

INLINED void do_blocks(const struct allocator *s, struct worker *w, bool handed)
{
	uint64_t n = w->half / BLOCK_PAGES;
	uint64_t repeats = handed ? REPEATS / BLOCK_PAGES : REPEATS;

	/* Pages that CPUs keep are in the way of blocks. */
	s->drain(w->cpu);
	begin(w);
	for (uint64_t i = 0; i < repeats; i++)
		s->give_block(w->cpu, s->take_block(w->cpu));
	end(w, REPEAT_2M, repeats);
	begin(w);
	for (uint64_t i = 0; i < n; i++)
		w->pages[i] = s->take_block(w->cpu);
	end(w, BULK_ALLOC_2M, n);
	begin(w);
	for (uint64_t i = 0; i < n; i++)
		s->give_block(w->cpu, w->pages[i]);
	end(w, BULK_FREE_2M, n);
	for (uint64_t i = 0; i < n; i++)
		w->pages[i] = s->take_block(w->cpu);
	shuffle(w, n);
	begin(w);
	for (uint64_t i = 0; i < n; i++)
		s->give_block(w->cpu, w->pages[i]);
	end(w, RANDOM_FREE_2M, n);
}

/* Pages from CPU 0 to CPU 1; each word is 0 or a page. */
static uint64_t ring[RING];

INLINED void do_cross(const struct allocator *s, struct worker *w)
{
	begin(w);
	for (uint64_t i = 0; i < CHURNS; i++) {
		uint64_t *place = &ring[i % RING];

		if (w->cpu == 0) {
			uint64_t page = s->take(0);

			while (__atomic_load_n(place, __ATOMIC_ACQUIRE) != 0)
				fh_host_relax();
			__atomic_store_n(place, page, __ATOMIC_RELEASE);
			continue;
		}
		uint64_t page;
		while ((page = __atomic_load_n(place, __ATOMIC_ACQUIRE)) == 0)
			fh_host_relax();
		__atomic_store_n(place, 0, __ATOMIC_RELEASE);
		s->give(1, page);
	}
	end(w, CROSS_4K, CHURNS);
}

INLINED void do_all(const struct allocator *s, struct worker *w, bool is_floor,
		    bool handed)
{
	do_pages(s, w);
	if (!is_floor) {
		do_aged(s, w);
		do_churn(s, w);
	}
	do_blocks(s, w, handed);
	if (!is_floor && meeting.threads == 2)
		do_cross(s, w);
}

/* ---- Subjects ---- */

static void do_floor(struct worker *w)
{
	static const struct allocator s = {row_take, row_give, row_take_block,
					   row_give_block, row_drain};

	do_all(&s, w, true, false);
}

static void do_floor_handed(struct worker *w)
{
	static const struct allocator s = {row_take_handed, row_give_handed,
					   row_take_block_handed,
					   row_give_block_handed, row_drain};

	do_all(&s, w, true, true);
}

static void do_ours(struct worker *w)
{
	static const struct allocator s = {our_take, our_give, our_take_block,
					   our_give_block, our_drain};

	do_all(&s, w, false, false);
}

static void do_ours_handed(struct worker *w)
{
	static const struct allocator s = {our_take_handed, our_give_handed,
					   our_take_block_handed,
					   our_give_block_handed, our_drain};

	do_all(&s, w, false, true);
}

static void do_plain(struct worker *w)
{
	static const struct allocator s = {plain_take, plain_give,
					   plain_take_block, plain_give_block,
					   plain_buddy_drain};

	do_all(&s, w, false, false);
}

static void do_plain_handed(struct worker *w)
{
	static const struct allocator s = {
		plain_take_handed, plain_give_handed, plain_take_block_handed,
		plain_give_block_handed, plain_buddy_drain};

	do_all(&s, w, false, true);
}

static void (*const trials[SUBJECTS][2])(struct worker *w) = {
	[FLOOR] = {do_floor, do_floor_handed},
	[OURS] = {do_ours, do_ours_handed},
	[PLAIN] = {do_plain, do_plain_handed},
};

/* ---- A trial ---- */

static uint64_t *all_pages;

bool work_prepare(uint64_t most_pages)
{
	size_t bytes = most_pages * sizeof(*all_pages);

	all_pages = malloc(bytes);
	all_row_pages = malloc(bytes);
	if (all_pages == NULL || all_row_pages == NULL)
		return false;
	memset(all_pages, 1, bytes);
	memset(all_row_pages, 1, bytes);
	return true;
}

void work_finish(void)
{
	free(all_pages);
	free(all_row_pages);
}

struct trial {
	const struct work *work;
	enum work_subject subject;
	struct worker workers[WORK_THREADS];
};

static void run_worker(unsigned cpu, void *arg)
{
	struct trial *trial = arg;
	struct worker *w = &trial->workers[cpu];

	bench_cpu.number = cpu;
	trials[trial->subject][trial->work->hand_over](w);
	if (trial->subject == PLAIN)
		plain_buddy_drain(cpu);
	else if (trial->subject == OURS)
		fh_alloc_drain();
}

static uint64_t free_pages_of_ours(void)
{
	struct fh_alloc_stats stats;

	fh_alloc_stats(&stats);
	return stats.free;
}

static void set_up(struct trial *trial)
{
	const struct work *work = trial->work;

	meeting.threads = work->threads;
	memset(ring, 0, sizeof(ring));
	for (unsigned cpu = 0; cpu < work->threads; cpu++) {
		struct worker *w = &trial->workers[cpu];
		uint64_t share = work->count / work->threads;

		w->cpu = cpu;
		w->all = share;
		w->half = share / 2 / BLOCK_PAGES * BLOCK_PAGES;
		w->pages = all_pages + cpu * share;
		w->random = 88172645463325252 + cpu;
		if (trial->subject == FLOOR)
			fill_row(cpu, work->first + cpu * share, share);
		for (unsigned phase = 0; phase < PHASES; phase++)
			w->ns[phase] = -1;
	}
}

void work_once(const struct work *work, enum work_subject subject,
	       struct work_result *result)
{
	struct trial trial = {.work = work, .subject = subject};
	uint64_t free_before = free_pages_of_ours();

	set_up(&trial);
	if (subject == PLAIN)
		plain_buddy_open(work->first, work->count);
	hosted_run(work->threads, run_worker, &trial);
	if (subject == PLAIN && plain_buddy_free() != work->count)
		stop("the plain buddy lost pages");
	if (subject == PLAIN)
		plain_buddy_close();
	if (free_pages_of_ours() != free_before)
		stop("we lost pages");
	for (unsigned phase = 0; phase < PHASES; phase++) {
		double sum = 0;

		for (unsigned cpu = 0; cpu < work->threads; cpu++)
			sum += trial.workers[cpu].ns[phase];
		result->ns[phase] = sum / work->threads;
	}
}
