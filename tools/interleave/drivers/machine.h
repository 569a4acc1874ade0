/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The smallest machine for drivers: a handful of pages with slots in static
 * memory, and every hook of host.h. Without fh_init() the pages belong to no
 * zone: dropped ones are unused.
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
