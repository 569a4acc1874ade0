/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Remote flushes: src/flush.c itself, over hooks that write down what they are
 * asked, by CPU.
 */
#include "harness.h"

#include <framehold/poll.h>

#include <string.h>

static void record_pages(uint64_t asid, struct fh_vaddr va, uint64_t n);
static void record_asid(uint64_t asid);
static void record_kick(unsigned cpu);

#define fh_host_flush_pages record_pages
#define fh_host_flush_asid  record_asid
#define fh_host_kick        record_kick
#include "flush.c"
#undef fh_host_flush_pages
#undef fh_host_flush_asid
#undef fh_host_kick

#define RECORDS 64
#define CPUS    4

/* What one CPU was asked by its hooks: n is 0 for a whole number. */
struct record {
	uint64_t asid;
	uint64_t page;
	uint64_t n;
};

static struct {
	struct record record[RECORDS];
	unsigned count;
	unsigned delay;   /* turns that a flush takes */
	uint64_t flushes; /* atomic: ended */
} told[FH_MAX_CPUS];
static uint64_t kicks[FH_MAX_CPUS];
static bool kicks_arrive;

static void record_flush(struct record record)
{
	uint64_t saved = fh_host_irq_save();
	unsigned cpu = fh_host_cpu();

	for (unsigned i = 0; i < told[cpu].delay; i++)
		fh_host_relax();
	told[cpu].record[told[cpu].count % RECORDS] = record;
	told[cpu].count++;
	(void)__atomic_fetch_add(&told[cpu].flushes, 1, __ATOMIC_RELEASE);
	fh_host_irq_restore(saved);
}

static void record_pages(uint64_t asid, struct fh_vaddr va, uint64_t n)
{
	assert_true(n > 0);
	assert_int_equal(va.bytes % FH_PAGE_SIZE, 0);
	record_flush((struct record){asid, va.bytes / FH_PAGE_SIZE, n});
}

static void record_asid(uint64_t asid)
{
	record_flush((struct record){asid, 0, 0});
}

static void record_kick(unsigned cpu)
{
	(void)__atomic_fetch_add(&kicks[cpu], 1, __ATOMIC_RELAXED);
	if (kicks_arrive)
		fh_host_kick(cpu);
}

static int start_flushes(void **state)
{
	memset(told, 0, sizeof(told));
	memset(kicks, 0, sizeof(kicks));
	kicks_arrive = true;
	return start_machine(state);
}

static void assert_told(unsigned cpu, unsigned i, uint64_t asid, uint64_t page,
			uint64_t n)
{
	assert_true(i < told[cpu].count);
	assert_int_equal(told[cpu].record[i].asid, asid);
	assert_int_equal(told[cpu].record[i].page, page);
	assert_int_equal(told[cpu].record[i].n, n);
}

static struct fh_flush flush_of(uint64_t page, uint64_t n)
{
	struct fh_flush flush;

	fh_flush_init(&flush);
	fh_flush_add(&flush, page, n);
	return flush;
}

static void flush_here(const struct fh_flush *flush, uint64_t asid)
{
	fh_host_preempt_off();
	fh_flush_local(flush, asid);
	fh_host_preempt_on();
}

/* ---- Building up ---- */

static void neighbours_and_overlaps_are_merged(void **state)
{
	struct fh_flush flush = flush_of(10, 2);

	(void)state;
	fh_flush_add(&flush, 12, 1);
	assert_int_equal(flush.count, 1);
	fh_flush_add(&flush, 9, 1);
	assert_int_equal(flush.count, 1);
	fh_flush_add(&flush, 11, 5);
	assert_int_equal(flush.count, 1);
	assert_int_equal(flush.range[0].page, 9);
	assert_int_equal(flush.range[0].n, 7);
	fh_flush_add(&flush, 20, 2);
	fh_flush_add(&flush, 30, 2);
	assert_int_equal(flush.count, 3);
	assert_int_equal(flush.pages, 11);
	/* One that bridges all. */
	fh_flush_add(&flush, 16, 14);
	assert_int_equal(flush.count, 1);
	assert_int_equal(flush.pages, 23);
	fh_flush_add(&flush, 100, 0);
	assert_int_equal(flush.count, 1);
	assert_false(flush.all);
}

static void one_page_is_flushed_as_one_page(void **state)
{
	struct fh_flush flush = flush_of(1, 1);

	(void)state;
	flush_here(&flush, 7);
	assert_int_equal(told[0].count, 1);
	assert_told(0, 0, 7, 1, 1);
}

static void last_page_of_the_address_space_is_flushed(void **state)
{
	struct fh_flush flush = flush_of(FH_PAGE_NUMBER_END - 2, 1);

	(void)state;
	fh_flush_add(&flush, FH_PAGE_NUMBER_END - 1, 1);
	flush_here(&flush, 3);
	assert_int_equal(told[0].count, 1);
	assert_told(0, 0, 3, FH_PAGE_NUMBER_END - 2, 2);
}

static void flush_of_nothing_flushes_nothing(void **state)
{
	struct fh_cpu_set cpus;
	struct fh_flush flush = flush_of(5, 0);

	(void)state;
	assert_true(fh_flush_is_empty(&flush));
	flush_here(&flush, 1);
	fh_flush_online_cpus(&cpus);
	fh_flush_all_of(&flush, 1, &cpus);
	assert_int_equal(told[0].count, 0);
}

static void beyond_the_limit_all_is_flushed(void **state)
{
	struct fh_flush flush = flush_of(100, FH_FLUSH_LIMIT);

	(void)state;
	assert_false(flush.all);
	fh_flush_add(&flush, 110, 5);
	assert_false(flush.all);
	fh_flush_add(&flush, 200, 1);
	assert_true(flush.all);
	assert_false(fh_flush_is_empty(&flush));
	flush_here(&flush, 9);
	assert_int_equal(told[0].count, 1);
	assert_told(0, 0, 9, 0, 0);

	flush = flush_of(0, FH_FLUSH_LIMIT + 1);
	assert_true(flush.all);
	flush = flush_of(0, FH_PAGE_NUMBER_END);
	assert_true(flush.all);
	fh_flush_init(&flush);
	for (uint64_t i = 0; i < FH_FLUSH_RANGES; i++)
		fh_flush_add(&flush, 10 * i, 1);
	assert_false(flush.all);
	fh_flush_add(&flush, 1, 1);
	assert_false(flush.all);
	fh_flush_add(&flush, 500, 1);
	assert_true(flush.all);
	fh_flush_init(&flush);
	fh_flush_add_all(&flush);
	assert_false(fh_flush_is_empty(&flush));
}

#define SPAN 96

/* Against a bit map: the same pages, in ranges that do not touch. */
static void ranges_hold_exactly_the_pages_added(void **state)
{
	struct random random = {5};
	unsigned whole = 0;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		bool wanted[SPAN + 1] = {false};
		bool found[SPAN + 1] = {false};
		uint64_t base = round % 2 == 0 ? 0 : FH_PAGE_NUMBER_END - SPAN;
		struct fh_flush flush;
		uint64_t pages = 0;

		fh_flush_init(&flush);
		for (uint64_t k = random_below(&random, 12); k > 0; k--) {
			uint64_t at = random_below(&random, SPAN);
			uint64_t n = random_below(&random, 7);

			n = n < SPAN - at ? n : SPAN - at;
			fh_flush_add(&flush, base + at, n);
			for (uint64_t i = at; i < at + n; i++)
				wanted[i] = true;
		}
		if (flush.all) {
			whole++;
			continue;
		}
		assert_true(flush.count <= FH_FLUSH_RANGES);
		for (unsigned r = 0; r < flush.count; r++) {
			struct fh_flush_range range = flush.range[r];

			assert_true(range.n > 0);
			pages += range.n;
			for (uint64_t i = 0; i < range.n; i++) {
				assert_false(found[range.page - base + i]);
				found[range.page - base + i] = true;
			}
		}
		assert_int_equal(pages, flush.pages);
		assert_true(pages <= FH_FLUSH_LIMIT);
		assert_memory_equal(found, wanted, sizeof(found));
		/* Neighbours would have been merged: as few as runs of ones. */
		unsigned runs = 0;
		for (unsigned i = 0; i < SPAN; i++)
			runs += found[i] && !found[i + 1];
		assert_int_equal(runs, flush.count);
	}
	assert_true(whole > 10 && whole < 15000);
}

/* ---- On one CPU ---- */

static void online_cpus_are_all_there_can_be(void **state)
{
	struct fh_cpu_set cpus;
	unsigned n = 0;

	(void)state;
	fh_flush_online_cpus(&cpus);
	for (unsigned cpu = fh_cpu_set_next(&cpus, 0); cpu < FH_MAX_CPUS;
	     cpu = fh_cpu_set_next(&cpus, cpu + 1)) {
		assert_int_equal(cpu, n);
		n++;
	}
	assert_int_equal(n, FH_MAX_CPUS);
}

static void offline_cpus_are_not_asked(void **state)
{
	struct fh_flush flush = flush_of(4, 2);
	struct fh_cpu_set cpus;

	(void)state;
	fh_flush_online_cpus(&cpus);
	fh_flush_all_of(&flush, 2, &cpus);
	assert_int_equal(told[0].count, 1);
	assert_told(0, 0, 2, 4, 2);
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		assert_int_equal(kicks[cpu], 0);
}

static void only_cpus_of_the_set_are_asked(void **state)
{
	struct fh_flush flush = flush_of(4, 2);
	struct fh_cpu_set cpus = {{0}};

	(void)state;
	kicks_arrive = false;
	fh_flush_online(1);
	fh_flush_online(2);
	fh_cpu_set_add(&cpus, 2);
	fh_flush_send(&flush, 2, &cpus);
	assert_int_equal(told[0].count, 0);
	assert_int_equal(kicks[1], 0);
	assert_int_equal(kicks[2], 1);
	assert_int_equal(queues[2].count, 1);
	fh_flush_offline(1);
	fh_flush_offline(2);
}

/* Who asks while others' requests wait need not kick again. */
static void one_kick_serves_all_requests_of_a_queue(void **state)
{
	struct fh_flush flush = flush_of(4, 1);
	struct fh_cpu_set cpus = {{0}};

	(void)state;
	kicks_arrive = false;
	fh_flush_online(1);
	fh_cpu_set_add(&cpus, 1);
	for (unsigned i = 0; i <= QUEUE_ROOM; i++)
		fh_flush_send(&flush, 2, &cpus);
	assert_int_equal(kicks[1], 1);
	assert_int_equal(queues[1].asked, QUEUE_ROOM + 1);
	assert_true(queues[1].overflow);
	fh_flush_offline(1);
}

static void wait_ends_for_a_cpu_that_leaves(void **state)
{
	struct fh_flush flush = flush_of(4, 1);
	struct fh_cpu_set cpus = {{0}};

	(void)state;
	kicks_arrive = false;
	fh_flush_online(1);
	fh_cpu_set_add(&cpus, 1);
	fh_flush_send(&flush, 2, &cpus);
	fh_flush_offline(1);
	fh_flush_wait(&cpus);
	fh_flush_all_of(&flush, 2, &cpus);
	assert_int_equal(kicks[1], 1);
}

/* Once tables are used; before, nobody has cached anything. */
static void cpu_that_comes_forgets_everything(void **state)
{
	(void)state;
	fh_flush_offline(0);
	fh_flush_online(0);
	assert_int_equal(told[0].count, 0);
	fh_flush_open();
	fh_flush_online(0);
	assert_int_equal(told[0].count, 0);
	fh_flush_offline(0);
	fh_flush_online(0);
	assert_int_equal(told[0].count, 1);
	assert_told(0, 0, FH_ASID_KERNEL, 0, 0);
}

/* By another CPU: it does so at its first kick. */
static void cpu_that_is_brought_online_forgets_when_kicked(void **state)
{
	struct fh_flush flush = flush_of(4, 1);
	struct fh_cpu_set cpus = {{0}};

	(void)state;
	kicks_arrive = false;
	fh_flush_open();
	fh_flush_online(1);
	assert_true(queues[1].overflow);
	assert_int_equal(queues[1].asked, queues[1].done + 1);
	fh_cpu_set_add(&cpus, 1);
	fh_flush_send(&flush, 2, &cpus);
	assert_int_equal(queues[1].asked, queues[1].done + 2);
	fh_flush_offline(1);
}

static void wait_with_interrupts_off(void *arg)
{
	struct fh_cpu_set cpus = {{0}};

	(void)arg;
	(void)fh_host_irq_save();
	fh_flush_wait(&cpus);
}

static void wait_with_interrupts_off_stops(void **state)
{
	(void)state;
	STOPS("flush_wait", wait_with_interrupts_off, NULL);
}

/* ---- On CPUs that run ---- */

static uint64_t ended;
static uint64_t begun;

static void wait_for_count(uint64_t *count, uint64_t n)
{
	while (__atomic_load_n(count, __ATOMIC_ACQUIRE) < n)
		fh_host_relax();
}

static void rest(uint64_t cpus)
{
	(void)__atomic_fetch_add(&ended, 1, __ATOMIC_ACQ_REL);
	wait_for_count(&ended, cpus);
}

static void ask_all(unsigned cpu, void *arg)
{
	struct fh_cpu_set cpus;
	struct fh_flush flush = flush_of(77, 3);

	(void)arg;
	fh_flush_add(&flush, 7, 1);
	fh_flush_online_cpus(&cpus);
	told[cpu].delay = 20 * cpu;
	rest(CPUS);
	if (cpu == 0) {
		fh_flush_all_of(&flush, 5, &cpus);
		/* Not before they have done so. */
		for (unsigned other = 0; other < CPUS; other++)
			assert_int_equal(__atomic_load_n(&told[other].flushes,
							 __ATOMIC_RELAXED),
					 2);
	}
	rest(2 * CPUS);
	assert_told(cpu, 0, 5, 77, 3);
	assert_told(cpu, 1, 5, 7, 1);
}

static void wait_ends_after_every_cpu_has_flushed(void **state)
{
	(void)state;
	ended = 0;
	hosted_run(CPUS, ask_all, NULL);
	assert_int_equal(kicks[0], 0);
	assert_int_equal(kicks[1], 1);
}

/* Two full queues: more ranges than there is room for. */
static void fill_queue(unsigned cpu, void *arg)
{
	struct fh_cpu_set cpus = {{0}};

	(void)arg;
	fh_cpu_set_add(&cpus, 1);
	if (cpu == 1) {
		uint64_t saved = fh_host_irq_save();

		rest(2);
		wait_for_count(&begun, 1);
		assert_int_equal(told[1].count, 0);
		fh_host_irq_restore(saved);
	} else {
		rest(2);
		for (uint64_t i = 0; i < 3; i++) {
			struct fh_flush flush = flush_of(100 * i, 1);

			for (uint64_t k = 1; k < FH_FLUSH_RANGES; k++)
				fh_flush_add(&flush, 100 * i + 2 * k, 1);
			fh_flush_send(&flush, i + 1, &cpus);
		}
		(void)__atomic_fetch_add(&begun, 1, __ATOMIC_RELEASE);
		fh_flush_wait(&cpus);
		assert_int_equal(
			__atomic_load_n(&told[1].flushes, __ATOMIC_RELAXED), 1);
	}
	rest(4);
}

static void overflowing_queue_forgets_everything(void **state)
{
	(void)state;
	ended = 0;
	begun = 0;
	hosted_run(2, fill_queue, NULL);
	assert_int_equal(told[1].count, 1);
	assert_told(1, 0, FH_ASID_KERNEL, 0, 0);
}

#define ROUNDS 400

static uint64_t table[CPUS];        /* one word for each CPU; atomic */
static uint64_t cached[CPUS][CPUS]; /* by CPU: what it has of the tables */

/* What a CPU sees of a word: as it has cached it. */
static uint64_t look_up(unsigned cpu, unsigned word)
{
	uint64_t saved = fh_host_irq_save();
	uint64_t told_now = told[cpu].count;

	if (cached[cpu][word] == 0 || told_now != cached[cpu][word] >> 32)
		cached[cpu][word] =
			told_now << 32 |
			__atomic_load_n(&table[word], __ATOMIC_RELAXED);
	uint64_t seen = cached[cpu][word] & UINT32_MAX;
	fh_host_irq_restore(saved);
	return seen;
}

static uint64_t floor_of[CPUS]; /* nobody may see less; atomic */

static void shoot_each_other(unsigned cpu, void *off_at_times)
{
	struct fh_cpu_set cpus;
	struct fh_flush flush = flush_of(cpu, 1);

	fh_flush_online_cpus(&cpus);
	rest(CPUS);
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		uint64_t saved = 0;

		if (*(bool *)off_at_times && cpu % 2 == 1) {
			saved = fh_host_irq_save();
			for (unsigned i = 0; i < 40; i++)
				fh_host_relax();
		}
		for (unsigned word = 0; word < CPUS; word++) {
			uint64_t least = __atomic_load_n(&floor_of[word],
							 __ATOMIC_ACQUIRE);
			assert_true(look_up(cpu, word) >= least);
		}
		if (*(bool *)off_at_times && cpu % 2 == 1)
			fh_host_irq_restore(saved);
		__atomic_store_n(&table[cpu], round, __ATOMIC_RELAXED);
		fh_flush_all_of(&flush, 1, &cpus);
		__atomic_store_n(&floor_of[cpu], round, __ATOMIC_RELEASE);
	}
	(void)__atomic_fetch_add(&ended, 1, __ATOMIC_ACQ_REL);
	wait_for_count(&ended, (uint64_t)2 * CPUS);
}

static void run_shots(bool off_at_times)
{
	ended = 0;
	memset(table, 0, sizeof(table));
	memset(cached, 0, sizeof(cached));
	memset(floor_of, 0, sizeof(floor_of));
	hosted_run(CPUS, shoot_each_other, &off_at_times);
}

static void cpus_that_shoot_at_each_other_get_on(void **state)
{
	(void)state;
	run_shots(false);
}

static void cpu_with_interrupts_off_is_waited_for(void **state)
{
	(void)state;
	run_shots(true);
}

static void come_and_go(unsigned cpu, void *arg)
{
	struct fh_cpu_set cpus;
	struct fh_flush flush = flush_of(cpu, 1);

	(void)arg;
	fh_flush_online_cpus(&cpus);
	for (unsigned i = 0; i < ROUNDS; i++) {
		fh_flush_all_of(&flush, 1, &cpus);
		if (cpu > 0 && i % 8 == cpu) {
			fh_host_preempt_off();
			fh_cpu_offline(cpu);
			fh_cpu_online(cpu);
			fh_host_preempt_on();
		}
	}
	(void)__atomic_fetch_add(&ended, 1, __ATOMIC_ACQ_REL);
	wait_for_count(&ended, CPUS);
}

static void cpus_come_and_go_among_flushes(void **state)
{
	(void)state;
	ended = 0;
	fh_flush_open();
	hosted_run(CPUS, come_and_go, NULL);
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		assert_int_equal(queues[cpu].asked, queues[cpu].done);
}

#define FLUSHES(name)                                                          \
	cmocka_unit_test_setup_teardown(name, start_flushes, stop_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLUSHES(neighbours_and_overlaps_are_merged),
		FLUSHES(one_page_is_flushed_as_one_page),
		FLUSHES(last_page_of_the_address_space_is_flushed),
		FLUSHES(flush_of_nothing_flushes_nothing),
		FLUSHES(beyond_the_limit_all_is_flushed),
		FLUSHES(ranges_hold_exactly_the_pages_added),
		FLUSHES(online_cpus_are_all_there_can_be),
		FLUSHES(offline_cpus_are_not_asked),
		FLUSHES(only_cpus_of_the_set_are_asked),
		FLUSHES(one_kick_serves_all_requests_of_a_queue),
		FLUSHES(wait_ends_for_a_cpu_that_leaves),
		FLUSHES(cpu_that_comes_forgets_everything),
		FLUSHES(cpu_that_is_brought_online_forgets_when_kicked),
		FLUSHES(wait_with_interrupts_off_stops),
		FLUSHES(wait_ends_after_every_cpu_has_flushed),
		FLUSHES(overflowing_queue_forgets_everything),
		FLUSHES(cpus_that_shoot_at_each_other_get_on),
		FLUSHES(cpu_with_interrupts_off_is_waited_for),
		FLUSHES(cpus_come_and_go_among_flushes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
