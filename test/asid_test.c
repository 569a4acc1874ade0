/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Numbers of address spaces and switches between them: src/asid.c, active.c
 * and flush.c themselves, over CPUs whose translation caches forget only what
 * they are told to. A space is an array of words, a translation the index of a
 * frame, which knows to whom it belongs now.
 */
#include "harness.h"

#include <framehold/poll.h>

#include <string.h>

static unsigned cpu_for_test(void);
static void flush_cached_pages(uint64_t asid, struct fh_vaddr va, uint64_t n);
static void flush_cached_asid(uint64_t asid);
static void load_root(struct fh_paddr root, uint64_t asid);

#define fh_host_cpu         cpu_for_test
#define fh_host_flush_pages flush_cached_pages
#define fh_host_flush_asid  flush_cached_asid
#define fh_host_activate    load_root
#include "active.c"
#include "asid.c"
#include "flush.c"
#undef fh_host_cpu
#undef fh_host_flush_pages
#undef fh_host_flush_asid
#undef fh_host_activate

#define CPUS    4
#define NUMBERS 8
#define SPACES  12
#define PAGES   4
#define FRAMES  80

static struct space {
	struct fh_active active;
	struct fh_lock lock;
	uint64_t table[PAGES]; /* 1 + frame, or 0; atomic */
} spaces[SPACES];

static uint64_t owner[FRAMES]; /* 1 + space, or 0: free; atomic */

/* Each CPU's own, with interrupts off. */
static struct {
	int space; /* the one whose root it has, or -1 */
	uint64_t asid;
	uint64_t cached[NUMBERS][PAGES];
	unsigned forgot_all;
	unsigned forgot_number;
	unsigned forgot_pages;
	unsigned loads;
} cpus[FH_MAX_CPUS];

static _Thread_local int played = -1;

static unsigned cpu_for_test(void)
{
	return played >= 0 ? (unsigned)played : fh_host_cpu();
}

static void flush_cached_asid(uint64_t asid)
{
	unsigned cpu = cpu_for_test();

	if (asid == FH_ASID_KERNEL) {
		memset(cpus[cpu].cached, 0, sizeof(cpus[cpu].cached));
		cpus[cpu].forgot_all++;
		return;
	}
	assert_true(asid < NUMBERS);
	memset(cpus[cpu].cached[asid], 0, sizeof(cpus[cpu].cached[asid]));
	cpus[cpu].forgot_number++;
}

static void flush_cached_pages(uint64_t asid, struct fh_vaddr va, uint64_t n)
{
	uint64_t first = va.bytes / FH_PAGE_SIZE;
	unsigned cpu = cpu_for_test();

	for (uint64_t a = 0; a < NUMBERS; a++)
		for (uint64_t i = 0; i < n; i++)
			if (a == asid || asid == FH_ASID_KERNEL)
				cpus[cpu].cached[a][first + i] = 0;
	cpus[cpu].forgot_pages++;
}

static void load_root(struct fh_paddr root, uint64_t asid)
{
	unsigned cpu = cpu_for_test();

	cpus[cpu].space = (int)root.bytes - 1;
	cpus[cpu].asid = asid;
	cpus[cpu].loads++;
}

static struct fh_active *active_of(int space)
{
	return space < 0 ? NULL : &spaces[space].active;
}

/* This CPU switches; -1 is the kernel's own. */
static void switch_to(int space)
{
	fh_host_preempt_off();
	int from = cpus[cpu_for_test()].space;

	fh_active_switch(active_of(from), active_of(space),
			 fh_paddr((uint64_t)(space + 1)));
	fh_host_preempt_on();
}

/* What this CPU finds at a page of the space that it runs: 1 + frame, or 0. */
static uint64_t use_page(unsigned page)
{
	uint64_t saved = fh_host_irq_save();
	unsigned cpu = cpu_for_test();
	uint64_t *cached = &cpus[cpu].cached[cpus[cpu].asid][page];
	struct space *space = &spaces[cpus[cpu].space];

	if (*cached == 0)
		*cached =
			__atomic_load_n(&space->table[page], __ATOMIC_RELAXED);
	uint64_t found = *cached;
	if (found != 0)
		assert_int_equal(
			__atomic_load_n(&owner[found - 1], __ATOMIC_RELAXED),
			cpus[cpu].space + 1);
	fh_host_irq_restore(saved);
	return found;
}

static void flush_page(struct space *space, unsigned page)
{
	struct fh_flush flush;

	fh_flush_init(&flush);
	fh_flush_add(&flush, page, 1);
	fh_active_flush(&space->active, &flush);
}

/* The page's frame is free when this returns. */
static void unmap_page(struct space *space, unsigned page)
{
	uint64_t old =
		__atomic_exchange_n(&space->table[page], 0, __ATOMIC_RELAXED);

	if (old == 0)
		return;
	flush_page(space, page);
	__atomic_store_n(&owner[old - 1], 0, __ATOMIC_RELEASE);
}

/* Some frame that is free. */
static void map_page(unsigned space, unsigned page, uint64_t hint)
{
	for (uint64_t i = hint;; i++) {
		uint64_t free = 0;

		if (!__atomic_compare_exchange_n(
			    &owner[i % FRAMES], &free, space + 1, false,
			    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&spaces[space].table[page], i % FRAMES + 1,
				 __ATOMIC_RELEASE);
		return;
	}
}

static int start_spaces(void **state)
{
	int status = start_machine(state);

	memset(spaces, 0, sizeof(spaces));
	memset(owner, 0, sizeof(owner));
	memset(cpus, 0, sizeof(cpus));
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		cpus[cpu].space = -1;
	return status;
}

static int stop_spaces(void **state)
{
	played = -1;
	return stop_machine(state);
}

static uint64_t number_of(unsigned space)
{
	return fh_asid_number(&spaces[space].active.asid);
}

static void switch_as(int cpu, int space)
{
	played = cpu;
	switch_to(space);
}

/* ---- Numbers ---- */

static void spaces_of_a_generation_have_numbers_of_their_own(void **state)
{
	(void)state;
	fh_asid_open(NUMBERS, 2);
	for (int i = 0; i < NUMBERS - 1; i++)
		switch_as(0, i);
	for (unsigned i = 0; i < NUMBERS - 1; i++) {
		assert_true(number_of(i) > 0 && number_of(i) < NUMBERS);
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(number_of(i), number_of(k));
	}
	assert_int_equal(asids.generation, 1);
	assert_int_equal(cpus[0].forgot_all, 0);
	switch_as(0, NUMBERS - 1);
	assert_int_equal(asids.generation, 2);
	assert_int_equal(cpus[0].forgot_all, 1);
}

/* Four numbers, two CPUs: as few as can be. */
static void running_space_keeps_its_number(void **state)
{
	(void)state;
	fh_asid_open(4, 2);
	assert_true(fh_asid_has_numbers());
	switch_as(1, 0);
	uint64_t number = number_of(0);
	for (int i = 0; i < 60; i++) {
		switch_as(0, 1 + i % (SPACES - 1));
		assert_int_not_equal(cpus[0].asid, number);
		assert_int_equal(cpus[0].asid,
				 number_of(1 + (unsigned)i % (SPACES - 1)));
	}
	assert_true(asids.generation > 10);
	/* It still does when another CPU takes it up. */
	switch_as(0, 0);
	assert_int_equal(number_of(0), number);
	assert_int_equal(cpus[0].asid, number);
	assert_int_equal(cpus[1].asid, number);
}

/* Also while one of the CPUs that run it goes back and forth. */
static void space_on_two_cpus_keeps_its_number(void **state)
{
	(void)state;
	fh_asid_open(5, 3);
	switch_as(1, 0);
	switch_as(2, 0);
	uint64_t number = number_of(0);
	for (int i = 0; i < 60; i++) {
		switch_as(0, 2 + i % (SPACES - 2));
		if (i % 10 == 5)
			switch_as(1, 1);
		if (i % 10 == 9)
			switch_as(1, 0);
		if (i % 15 == 14)
			switch_as(0, 0);
		assert_int_equal(number_of(0), number);
	}
	assert_true(asids.generation > 10);
}

static void each_cpu_forgets_once_a_generation(void **state)
{
	(void)state;
	fh_asid_open(4, 2);
	switch_as(1, 0);
	for (int i = 1; i < 4; i++)
		switch_as(0, i);
	assert_int_equal(asids.generation, 2);
	assert_int_equal(cpus[0].forgot_all, 1);
	assert_int_equal(cpus[1].forgot_all, 0);
	switch_as(1, -1);
	assert_int_equal(cpus[1].forgot_all, 0);
	switch_as(1, 3);
	assert_int_equal(cpus[1].forgot_all, 1);
	switch_as(1, -1);
	switch_as(1, 3);
	assert_int_equal(asids.generation, 2);
	assert_int_equal(cpus[1].forgot_all, 1);
}

/* A number that goes to another space takes no translation with it. */
static void reused_number_brings_no_translation_along(void **state)
{
	(void)state;
	fh_asid_open(4, 2);
	for (unsigned s = 0; s < SPACES; s++)
		for (unsigned page = 0; page < PAGES; page++)
			map_page(s, page, s * PAGES + page);
	for (int i = 0; i < 400; i++) {
		switch_as(i % 2, i * 7 % SPACES);
		for (unsigned page = 0; page < PAGES; page++)
			assert_true(use_page(page) != 0);
	}
	assert_true(asids.generation > 20);
}

static void too_few_numbers_are_as_none(void **state)
{
	(void)state;
	fh_asid_open(4, 3);
	assert_false(fh_asid_has_numbers());
	fh_asid_open(5, 3);
	assert_true(fh_asid_has_numbers());
	fh_asid_open(1, 1);
	assert_false(fh_asid_has_numbers());
}

static void without_numbers_every_switch_forgets(void **state)
{
	(void)state;
	fh_asid_open(1, CPUS);
	for (unsigned s = 0; s < 2; s++)
		map_page(s, 0, s);
	for (unsigned i = 0; i < 10; i++) {
		switch_as(0, (int)(i % 2));
		assert_int_equal(cpus[0].asid, FH_ASID_KERNEL);
		assert_int_equal(cpus[0].forgot_all, i + 1);
		assert_true(use_page(0) != 0);
	}
	switch_as(0, -1);
	assert_int_equal(cpus[0].forgot_all, 11);
}

static void shortage(void *arg)
{
	(void)arg;
	for (int cpu = 0; cpu < 4; cpu++)
		switch_as(cpu, cpu);
}

static void more_cpus_than_announced_stop_the_machine(void **state)
{
	(void)state;
	fh_asid_open(4, 2);
	STOPS("asid", shortage, NULL);
}

/* ---- Switches ---- */

static void switch_to_the_same_space_does_nothing(void **state)
{
	(void)state;
	fh_asid_open(NUMBERS, CPUS);
	switch_as(0, 3);
	assert_int_equal(cpus[0].loads, 1);
	switch_as(0, 3);
	assert_int_equal(cpus[0].loads, 1);
	assert_true(fh_cpu_set_has(&spaces[3].active.cpus, 0));
	switch_as(0, -1);
	assert_int_equal(cpus[0].loads, 2);
	assert_int_equal(cpus[0].asid, FH_ASID_KERNEL);
	assert_false(fh_cpu_set_has(&spaces[3].active.cpus, 0));
}

static void switch_back_keeps_what_is_cached(void **state)
{
	(void)state;
	fh_asid_open(NUMBERS, CPUS);
	switch_as(0, 0);
	map_page(0, 1, 5);
	assert_int_equal(use_page(1), 6);
	unsigned forgot = cpus[0].forgot_number;
	switch_as(0, 1);
	switch_as(0, -1);
	switch_as(0, 0);
	/* Space 1 was new to the CPU, space 0 is not. */
	assert_int_equal(cpus[0].forgot_number, forgot + 1);
	assert_int_equal(cpus[0].cached[cpus[0].asid][1], 6);
}

/* A CPU that runs something else is not asked; it forgets when it is back. */
static void cpu_forgets_what_it_missed_when_it_comes_back(void **state)
{
	(void)state;
	fh_asid_open(NUMBERS, CPUS);
	switch_as(0, 0);
	map_page(0, 1, 5);
	assert_int_equal(use_page(1), 6);
	switch_as(0, 1);
	unmap_page(&spaces[0], 1);
	assert_int_equal(cpus[0].forgot_pages, 0);
	map_page(2, 1, 5);
	unsigned forgot = cpus[0].forgot_number;
	switch_as(0, 0);
	assert_int_equal(cpus[0].forgot_number, forgot + 1);
	assert_int_equal(use_page(1), 0);
}

static void cpu_that_runs_the_space_is_asked(void **state)
{
	(void)state;
	fh_asid_open(NUMBERS, CPUS);
	switch_as(0, 0);
	map_page(0, 1, 5);
	map_page(0, 2, 6);
	assert_int_equal(use_page(1), 6);
	assert_int_equal(use_page(2), 7);
	unmap_page(&spaces[0], 1);
	assert_int_equal(cpus[0].forgot_pages, 1);
	assert_int_equal(use_page(1), 0);
	assert_int_equal(cpus[0].cached[cpus[0].asid][2], 7);
	/* It has missed nothing. */
	unsigned forgot = cpus[0].forgot_number;
	switch_as(0, -1);
	switch_as(0, 0);
	assert_int_equal(cpus[0].forgot_number, forgot);
}

static void flush_of_nothing_asks_nobody(void **state)
{
	struct fh_flush flush;
	struct fh_cpu_set asked;

	(void)state;
	fh_asid_open(NUMBERS, CPUS);
	switch_as(0, 0);
	switch_as(0, -1);
	fh_flush_init(&flush);
	fh_active_send(&spaces[0].active, &flush, &asked);
	assert_int_equal(fh_cpu_set_next(&asked, 0), FH_MAX_CPUS);
	assert_true(fh_cpu_set_has(&spaces[0].active.fresh, 0));
}

/* ---- On CPUs that run ---- */

#define TURNS 4000

static uint64_t ended;
static uint64_t found_pages;

static void lock_space(struct space *space)
{
	while (fh_word_cas_acquire(&space->lock.word, 0, 1) != 0)
		fh_host_relax();
}

static void unlock_space(struct space *space)
{
	fh_word_store_release(&space->lock.word, 0);
}

static void change_some_page(struct random *random)
{
	unsigned space = (unsigned)random_below(random, SPACES);
	unsigned page = (unsigned)random_below(random, PAGES);

	lock_space(&spaces[space]);
	unmap_page(&spaces[space], page);
	if (random_below(random, 4) != 0)
		map_page(space, page, random_below(random, FRAMES));
	unlock_space(&spaces[space]);
}

static void run_and_change(unsigned cpu, void *unused)
{
	struct random random = {cpu + 1};

	(void)unused;
	for (unsigned turn = 0; turn < TURNS; turn++) {
		if (random_below(&random, 3) == 0)
			switch_to((int)random_below(&random, SPACES + 1) - 1);
		if (cpus[cpu].space >= 0)
			for (unsigned page = 0; page < PAGES; page++)
				if (use_page(page) != 0)
					(void)__atomic_fetch_add(
						&found_pages, 1,
						__ATOMIC_RELAXED);
		change_some_page(&random);
	}
	switch_to(-1);
	(void)__atomic_fetch_add(&ended, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&ended, __ATOMIC_ACQUIRE) < CPUS)
		fh_host_relax();
}

static void storm_of_switches(uint64_t numbers)
{
	ended = 0;
	found_pages = 0;
	fh_asid_open(numbers, CPUS);
	assert_true(fh_asid_has_numbers() == (numbers > 1));
	fh_flush_open();
	hosted_run(CPUS, run_and_change, NULL);
	assert_true(found_pages > TURNS);
	for (unsigned s = 0; s < SPACES; s++)
		assert_int_equal(fh_cpu_set_next(&spaces[s].active.cpus, 0),
				 FH_MAX_CPUS);
}

static void no_cpu_uses_a_page_that_was_taken_away(void **state)
{
	(void)state;
	storm_of_switches(CPUS + 2);
	assert_true(asids.generation > TURNS / 100);
}

static void no_cpu_does_without_numbers_either(void **state)
{
	(void)state;
	storm_of_switches(1);
}

#define SPACES_OF(name)                                                        \
	cmocka_unit_test_setup_teardown(name, start_spaces, stop_spaces)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPACES_OF(spaces_of_a_generation_have_numbers_of_their_own),
		SPACES_OF(running_space_keeps_its_number),
		SPACES_OF(space_on_two_cpus_keeps_its_number),
		SPACES_OF(each_cpu_forgets_once_a_generation),
		SPACES_OF(reused_number_brings_no_translation_along),
		SPACES_OF(too_few_numbers_are_as_none),
		SPACES_OF(without_numbers_every_switch_forgets),
		SPACES_OF(more_cpus_than_announced_stop_the_machine),
		SPACES_OF(switch_to_the_same_space_does_nothing),
		SPACES_OF(switch_back_keeps_what_is_cached),
		SPACES_OF(cpu_forgets_what_it_missed_when_it_comes_back),
		SPACES_OF(cpu_that_runs_the_space_is_asked),
		SPACES_OF(flush_of_nothing_asks_nobody),
		SPACES_OF(no_cpu_uses_a_page_that_was_taken_away),
		SPACES_OF(no_cpu_does_without_numbers_either),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
