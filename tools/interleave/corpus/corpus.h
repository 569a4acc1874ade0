/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The frame of the checker's own tests: litmus programs, whose executions can
 * be counted by hand, and random ones, whose numbers two independent checkers
 * agree on. Each defines setup(), done() and thread functions.
 */
#include "interleave.h"

#define CHECK(condition) INTERLEAVE_CHECK(condition)

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
