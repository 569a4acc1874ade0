/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Threads of one memory, on several CPUs at a time: what one of them unmaps or
 * protects, none of them reaches afterwards, whatever it had cached. Who waits
 * does so here, not in the kernel: kicks have to reach it.
 */
#include "lib.h"

#define THREADS UINT64_C(4)
#define ROUNDS  UINT64_C(24)
#define STACKS  (PLACE + (UINT64_C(2) << 30))
#define STACK   (8 * PAGE_SIZE)
#define PAGE_AT PLACE

/* How often a thread that waits looks before it lets another one run. */
#define LOOKS 16384

/* How many have come to a meeting; the line of a check that did not hold. */
static uint64_t arrived;
static uint64_t failed;

static void meet(uint64_t step)
{
	(void)__atomic_fetch_add(&arrived, 1, __ATOMIC_ACQ_REL);
	for (uint64_t looks = 1;
	     __atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < step * THREADS;
	     looks++)
		if (looks % LOOKS == 0)
			yield();
}

static void check(bool holds, uint64_t line)
{
	if (!holds)
		__atomic_store_n(&failed, line, __ATOMIC_RELAXED);
}

/* All read a page, one replaces it by another, all read again. */
static void work(uint64_t self)
{
	uint64_t step = 0;

	for (uint64_t round = 0; round < ROUNDS; round++) {
		bool is_mine = round % THREADS == self;

		if (is_mine) {
			check(map(PAGE_AT, PAGE_SIZE, CALL_READ | CALL_WRITE),
			      __LINE__);
			store(PAGE_AT, round + 1);
		}
		meet(++step);
		check(load(PAGE_AT) == round + 1, __LINE__);
		meet(++step);
		if (is_mine)
			check(unmap(PAGE_AT, PAGE_SIZE), __LINE__);
		meet(++step);
		check(!can_read(PAGE_AT), __LINE__);
		meet(++step);
	}
}

static void run_thread(uint64_t self)
{
	work(self);
	leave(0);
}

uint64_t main_program(uint64_t argument)
{
	uint64_t ids[THREADS];

	MUST(map(STACKS, THREADS * STACK, CALL_READ | CALL_WRITE));
	for (uint64_t i = 1; i < THREADS; i++) {
		ids[i] = start_thread(run_thread, STACKS + (i + 1) * STACK, i);
		MUST(ids[i] != CALL_FAILED);
	}
	work(0);
	for (uint64_t i = 1; i < THREADS; i++)
		MUST(await(ids[i]) == 0);
	if (argument == 0 && failed == 0)
		say("4 threads saw each other's changes, and no stale page\n");
	return failed;
}
