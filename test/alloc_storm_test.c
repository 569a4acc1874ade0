/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Several CPUs allocate and free at the same time: pages, blocks and odd runs,
 * freed where they were allocated or by another CPU, under interrupts, while
 * CPUs come, go and drain each other. A byte a page says who has it; afterwards
 * everything is back, in one piece.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "magazine.h"

#define CPUS  4
#define PAGES UINT64_C(131072) /* 512 MiB */
#define HELD  256
#define BOARD 512

static uint8_t owner[PAGES]; /* atomic; 0: nobody */

/* Segments on their way from one CPU to another; atomic: 0, or packed. */
static uint64_t board[BOARD];

static unsigned finished;
static bool interrupts_run;

static int start_storm(void **state)
{
	static const struct fh_region regions[] = {
		{0, PAGES * FH_PAGE_SIZE, FH_REGION_USABLE},
	};

	(void)state;
	memset(owner, 0, sizeof(owner));
	memset(board, 0, sizeof(board));
	finished = 0;
	return hosted_start(regions, 1, NULL) == FH_OK ? 0 : -1;
}

/* Whatever a CPU does wrong ends the process: cmocka knows one thread. */
static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "storm: %s\n", what);
	abort();
}

static void claim_pages(struct fh_segment s, unsigned cpu)
{
	uint64_t first = fh_segment_first(s);

	for (uint64_t i = 0; i < s.count; i++)
		must(__atomic_exchange_n(&owner[first + i], (uint8_t)(cpu + 1),
					 __ATOMIC_RELAXED) == 0,
		     "a page was given twice");
}

static void put_segment(struct fh_segment *s)
{
	uint64_t first = fh_segment_first(*s);

	for (uint64_t i = 0; i < s->count; i++)
		must(__atomic_exchange_n(&owner[first + i], 0,
					 __ATOMIC_RELAXED) != 0,
		     "a page had no owner");
	fh_segment_put(s);
}

static struct fh_segment allocate(uint64_t n, uint64_t align, unsigned cpu)
{
	struct fh_alloc_options options = {.align = align};
	struct fh_segment s = fh_segment_none();
	struct fh_frame f;

	if (n > 1) {
		if (fh_segment_alloc(n, &options, &fh_untyped_type, NULL, &s) !=
		    FH_OK)
			return fh_segment_none();
	} else {
		if (fh_frame_alloc(&options, &fh_untyped_type, NULL, &f) !=
		    FH_OK)
			return fh_segment_none();
		s = fh_segment_from_frame(&f);
	}
	claim_pages(s, cpu);
	must(align == 0 || fh_segment_first(s) % align == 0, "misaligned");
	return s;
}

/* Raw, and in one word: count in the upper half. */
static uint64_t pack(struct fh_segment *s)
{
	struct fh_range range = fh_segment_into_raw(s);

	return range.first + (range.count << 32);
}

static struct fh_segment unpack(uint64_t packed)
{
	struct fh_range range = {
		.first = packed % (UINT64_C(1) << 32),
		.count = packed >> 32,
	};
	struct fh_segment s = fh_segment_none();

	must(fh_segment_from_raw(range, &s) == FH_OK, "lost on the board");
	return s;
}

/* Leaves the segment for another CPU, and frees what it finds in its place. */
static void exchange(struct random *random, struct fh_segment *s)
{
	uint64_t *place = &board[random_below(random, BOARD)];
	uint64_t found = __atomic_exchange_n(place, pack(s), __ATOMIC_ACQ_REL);

	if (found != 0) {
		struct fh_segment other = unpack(found);

		put_segment(&other);
	}
}

static void clear_board(void)
{
	for (unsigned i = 0; i < BOARD; i++) {
		if (board[i] == 0)
			continue;
		struct fh_segment s = unpack(board[i]);
		put_segment(&s);
	}
}

static void random_size(struct random *random, uint64_t *n, uint64_t *align)
{
	*align = 0;
	switch (random_below(random, 10)) {
	case 0:
		*n = *align = 512;
		return;
	case 1:
		*n = 2 + random_below(random, 30);
		return;
	case 2:
		*n = UINT64_C(1) << random_below(random, 9);
		*align = *n;
		return;
	default:
		*n = 1;
		return;
	}
}

/* Allocates and frees at random; ends with nothing held. */
static void storm(unsigned cpu, unsigned steps)
{
	struct fh_segment held[HELD];
	struct random random = {cpu + 1};

	for (unsigned i = 0; i < HELD; i++)
		held[i] = fh_segment_none();
	for (unsigned i = 0; i < steps; i++) {
		struct fh_segment *s = &held[random_below(&random, HELD)];
		uint64_t n, align;

		if (s->count == 0) {
			random_size(&random, &n, &align);
			*s = allocate(n, align, cpu);
		} else if (random_below(&random, 3) == 0) {
			exchange(&random, s);
		} else {
			put_segment(s);
		}
	}
	for (unsigned i = 0; i < HELD; i++)
		if (held[i].count > 0)
			put_segment(&held[i]);
	(void)__atomic_fetch_add(&finished, 1, __ATOMIC_RELEASE);
}

/* As much as the machine had when it came up, in pieces as large. */
static void assert_all_is_back(uint64_t free_before)
{
	struct fh_alloc_options whole = {.align = PAGES / 4};
	uint64_t first;

	clear_board();
	NOTHING_HELD(free_before);
	fh_alloc_drain();
	assert_int_equal(fh_magazines_count(), 0);
	/* All but the first quarter, in which metadata lies. */
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(fh_allocator_pop(PAGES / 4, &whole, &first),
				 FH_OK);
	for (uint64_t i = 0; i < PAGES; i++)
		assert_int_equal(owner[i], 0);
}

/* ---- Storms ---- */

static void storm_only(unsigned cpu, void *arg)
{
	(void)arg;
	storm(cpu, 12000);
}

static void nothing_is_given_twice_and_all_comes_back(void **state)
{
	uint64_t free = count_free();

	(void)state;
	hosted_run(CPUS, storm_only, NULL);
	assert_all_is_back(free);
}

static uint64_t exhausted[CPUS];

static void exhaust(unsigned cpu, void *arg)
{
	struct fh_frame f;

	(void)arg;
	while (fh_frame_alloc(&(struct fh_alloc_options){0}, &fh_untyped_type,
			      NULL, &f) == FH_OK) {
		struct fh_segment s = fh_segment_from_frame(&f);

		claim_pages(s, cpu);
		(void)pack(&s);
		exhausted[cpu]++;
	}
	/* Those who have been refused keep nothing, but are still there. */
	(void)__atomic_fetch_add(&finished, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&finished, __ATOMIC_ACQUIRE) < CPUS)
		fh_host_relax();
}

static void last_pages_are_shared_out_without_a_refusal(void **state)
{
	uint64_t free = count_free();
	uint64_t had = 0;

	(void)state;
	memset(exhausted, 0, sizeof(exhausted));
	hosted_run(CPUS, exhaust, NULL);
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		had += exhausted[cpu];
	assert_int_equal(had, free);
	assert_int_equal(count_free(), 0);
	for (uint64_t i = 0; i < PAGES; i++) {
		if (owner[i] == 0)
			continue;
		struct fh_segment s = unpack(i + (UINT64_C(1) << 32));
		put_segment(&s);
	}
	assert_all_is_back(free);
}

/* What an interrupt handler holds; its CPU's alone. */
static struct {
	struct random random;
	struct fh_segment held[8];
	unsigned runs;
} in_interrupt[CPUS];

static void allocate_in_interrupt(unsigned cpu)
{
	struct fh_segment *s =
		&in_interrupt[cpu]
			 .held[random_below(&in_interrupt[cpu].random, 8)];

	if (!__atomic_load_n(&interrupts_run, __ATOMIC_RELAXED))
		return;
	in_interrupt[cpu].runs++;
	if (s->count > 0)
		put_segment(s);
	else
		*s = allocate(1, 0, cpu);
}

/*
 * CPU 0 interrupts the others until they are done, which they are not before
 * each has been interrupted.
 */
static void storm_under_interrupts(unsigned cpu, void *arg)
{
	(void)arg;
	if (cpu > 0) {
		while (in_interrupt[cpu].runs == 0) {
			struct fh_segment s = allocate(1, 0, cpu);

			put_segment(&s);
		}
		storm(cpu, 6000);
		return;
	}
	while (__atomic_load_n(&finished, __ATOMIC_ACQUIRE) < CPUS - 1) {
		for (unsigned other = 1; other < CPUS; other++)
			hosted_interrupt(other);
		fh_host_relax();
	}
}

static void interrupts_may_allocate_at_any_time(void **state)
{
	uint64_t free = count_free();
	unsigned runs = 0;

	(void)state;
	memset(in_interrupt, 0, sizeof(in_interrupt));
	interrupts_run = true;
	hosted_set_interrupt(allocate_in_interrupt);
	hosted_run(CPUS, storm_under_interrupts, NULL);
	interrupts_run = false;
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		runs += in_interrupt[cpu].runs;
		for (unsigned i = 0; i < 8; i++)
			if (in_interrupt[cpu].held[i].count > 0)
				put_segment(&in_interrupt[cpu].held[i]);
	}
	assert_true(runs > 0);
	assert_all_is_back(free);
}

static void storm_and_drain(unsigned cpu, void *arg)
{
	(void)arg;
	if (cpu > 1) {
		storm(cpu, 6000);
		return;
	}
	/* Two who drain each other, too. */
	while (__atomic_load_n(&finished, __ATOMIC_ACQUIRE) < CPUS - 2) {
		struct fh_segment s = allocate(1, 0, cpu);

		put_segment(&s);
		fh_alloc_drain();
	}
}

static void cpus_drain_each_other_at_any_time(void **state)
{
	uint64_t free = count_free();

	(void)state;
	hosted_run(CPUS, storm_and_drain, NULL);
	assert_all_is_back(free);
}

static void storm_and_leave(unsigned cpu, void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 20; i++) {
		storm(cpu, 500);
		if (cpu % 2 == 1) {
			fh_cpu_offline(cpu);
			storm(cpu, 100);
			fh_cpu_online(cpu);
		} else {
			fh_alloc_drain();
		}
	}
}

static void cpus_come_and_go_at_any_time(void **state)
{
	uint64_t free = count_free();

	(void)state;
	hosted_run(CPUS, storm_and_leave, NULL);
	assert_all_is_back(free);
}

/*
 * Pages are claimed by number while they are allocated and freed, and once
 * afterwards if all those claims came too late.
 */
static void storm_by_number(unsigned cpu, void *claims)
{
	struct random random = {77};

	if (cpu > 0) {
		storm(cpu, 6000);
		return;
	}
	while (__atomic_load_n(&finished, __ATOMIC_ACQUIRE) < CPUS - 1 ||
	       *(unsigned *)claims == 0) {
		uint64_t page = 1 + random_below(&random, PAGES - 1);
		struct fh_frame f;

		if (fh_frame_from_unused(fh_paddr_of_frame(page),
					 &fh_untyped_type, NULL, &f) != FH_OK)
			continue;
		struct fh_segment s = fh_segment_from_frame(&f);
		claim_pages(s, cpu);
		put_segment(&s);
		(*(unsigned *)claims)++;
	}
}

static void claims_by_number_race_with_allocation(void **state)
{
	uint64_t free = count_free();
	unsigned claims = 0;

	(void)state;
	hosted_run(CPUS, storm_by_number, &claims);
	assert_true(claims > 0);
	assert_all_is_back(free);
}

#define STORM(name)                                                            \
	cmocka_unit_test_setup_teardown(name, start_storm, stop_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORM(nothing_is_given_twice_and_all_comes_back),
		STORM(last_pages_are_shared_out_without_a_refusal),
		STORM(interrupts_may_allocate_at_any_time),
		STORM(cpus_drain_each_other_at_any_time),
		STORM(cpus_come_and_go_at_any_time),
		STORM(claims_by_number_race_with_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
