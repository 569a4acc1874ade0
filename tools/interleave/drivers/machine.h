/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The smallest machine for drivers: a handful of pages with slots in static
 * memory, and every hook of host.h. After machine_reset() alone the pages
 * belong to no zone: dropped ones are unused. After machine_bring_up() they
 * are the allocator's, and each thread is the CPU of its number.
 *
 * Sections have 64 pages here, not 32768 (races.py sees to that), so that one
 * can be made live, or plugged in, by a thread under the checker.
 *
 * Variables that threads share are not static, or the compilers would leave
 * accesses to them out of the check.
 */
#ifndef FRAMEHOLD_INTERLEAVE_MACHINE_H
#define FRAMEHOLD_INTERLEAVE_MACHINE_H

#include <framehold/framehold.h>

#include "interleave.h"

#define CHECK(condition) INTERLEAVE_CHECK(condition)

/* The page that most drivers are about, and its neighbours. */
#define PAGE 3

/* Slots as after bring-up: every page UNUSED. */
void machine_reset(void);

/*
 * Pages of a machine whose magazines have no room; room for one page each; room
 * for five, taken two at a time; and with
 * a second section, of eight pages, which is raw.
 */
#define SMALL_MACHINE 16
#define LARGE_MACHINE 32
#define BATCH_MACHINE 160
#define RAW_MACHINE   (FH_SECTION_FRAMES + 8)

/*
 * fh_init() over so many pages, and fh_cpu_online() for CPUs 0 and 1. Memory
 * is not zeroed. `pluggable` pages may be plugged in, from the second section
 * on.
 */
void machine_bring_up(uint64_t pages, uint64_t pluggable);

/* Allocates every page; no section is raw then. */
void machine_take_all(void);

/* Puts one of these again, on that CPU; or all that are left. */
void machine_release(uint64_t page, unsigned cpu);
void machine_release_all(void);

/* Any page, its contents as they are. */
extern const struct fh_alloc_options any_page;

/* The final check of such a machine: the audit, and so many pages free. */
void machine_check(uint64_t free);

/*
 * What a thread does when it has come to its end and others may wait for its
 * CPU: it answers kicks until all `count` threads are here.
 */
void machine_rest(unsigned count);
extern unsigned threads_resting;

/* In set-up, and in the final check: the rest is done by that CPU. */
void machine_as_cpu(unsigned cpu);

/* For hooks that flush: this CPU has done what it was asked. */
void machine_note_flush(void);

/* The machine may be stopped by that rule only; null: not at all. */
extern const char *machine_may_stop;

/* A type whose words are w[0] == ~w[1], and a count of its drops. */
extern const struct fh_meta_type paired_type;
extern unsigned drops;
extern uint64_t dropped_words;

struct fh_meta paired(uint64_t word);
void check_paired(struct fh_frame f, uint64_t low, uint64_t high);

/* The state word once all threads have ended. */
uint64_t final_state(uint64_t page);

#define DRIVER(...)                                                            \
	static void (*const threads[])(void) = {__VA_ARGS__};                  \
	int main(int argc, char **argv)                                        \
	{                                                                      \
		struct interleave_driver driver = {                            \
			.setup = setup,                                        \
			.done = done,                                          \
			.count = sizeof(threads) / sizeof(threads[0]),         \
		};                                                             \
                                                                               \
		for (unsigned t = 0; t < driver.count; t++)                    \
			driver.thread[t] = threads[t];                         \
		return interleave_main(argc, argv, &driver);                   \
	}

#endif /* FRAMEHOLD_INTERLEAVE_MACHINE_H */
