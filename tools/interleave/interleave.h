/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a driver sees of the checker. A driver is a small program over the real
 * library code: some threads, each a function; a set-up that puts all memory
 * it uses into its first state; and a check of the last state.
 *
 * The checker runs the threads in every way that the RC11 memory model allows,
 * each way once, and reports the first data race, failed check or deadlock.
 */
#ifndef FRAMEHOLD_INTERLEAVE_H
#define FRAMEHOLD_INTERLEAVE_H

#include <stdbool.h>

struct interleave_driver {
	void (*setup)(void); /* before each execution, on one thread */
	void (*done)(void);  /* after each complete one, on one thread */
	unsigned count;      /* threads */
	void (*thread[6])(void);
};

/*
 * Explores all executions and prints their numbers, one line. Ends the process
 * with status 1, after a trace, when one of them is wrong.
 */
int interleave_main(int argc, char **argv,
		    const struct interleave_driver *driver);

/* The number of the running thread; 0 in set-up and in the final check. */
unsigned interleave_thread(void);

/*
 * A turn of a waiting loop was in vain: continue when another thread has made
 * progress. Turns have no side effects.
 */
void interleave_spin(void);

/* This execution is of no further interest: the machine stopped, say. */
void interleave_block(void);

/* Ends the exploration with a trace unless the condition holds. */
#define INTERLEAVE_CHECK(condition)                                            \
	do {                                                                   \
		if (!(condition))                                              \
			interleave_fail(#condition, __FILE__, __LINE__);       \
	} while (0)

void interleave_fail(const char *condition, const char *file, int line);

#endif /* FRAMEHOLD_INTERLEAVE_H */
