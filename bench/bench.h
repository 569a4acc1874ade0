/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the benchmarks share: command line, pinned threads, interleaved timing,
 * medians, the table and its CSV form.
 *
 * An operation is never timed alone. Each row has a floor, the least that any
 * implementation must do; floor and operation take turns in many rounds of a
 * tenth of a millisecond, each on the pages that follow those of the turn
 * before. What disturbs the machine then disturbs both, and the median of the
 * rounds' ratios says more than the ratio of two medians.
 */
#ifndef FRAMEHOLD_BENCH_BENCH_H
#define FRAMEHOLD_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define BENCH_MAX_THREADS 2

/* What --help says, and what the command line asked for. */
struct bench_options {
	const char *program; /* its name, */
	const char *about;   /* and what it measures, for --help */
	double seconds;      /* for all rows together; the default before */
	bool quick;          /* fewer rows, and less time for each */
	const char *csv;     /* a file to write, or null */
	const char *only;    /* rows whose name contains this, or null */
};

/*
 * Reads the command line. False if the program has to end now, with *status as
 * its exit status: --help, or an option that it does not know.
 */
bool bench_options(int argc, char **argv, struct bench_options *options,
		   int *status);

/* The CPU, the compiler, and how the program was built, a line each. */
void bench_machine(FILE *out, const char *build, const char *flags);

/*
 * Does `visits` operations for CPU `cpu`; `position` counts all visits that
 * the CPU has done for the row, and says where to go on.
 */
typedef void bench_pass(unsigned cpu, uint64_t position, uint64_t visits);

/* One line of the table. */
struct bench_row {
	const char *name;
	const char *range;  /* where: "hot", "64 MiB" */
	const char *unit;   /* of the figures: "pair", "page" */
	unsigned threads;   /* 1 .. BENCH_MAX_THREADS */
	uint64_t per_visit; /* units in a visit */
	bench_pass *operation;
	bench_pass *floor; /* null: there is none, and no ratio */
	double goal;       /* for the ratio; 0: for information */
};

/* Medians over the rounds; nanoseconds a unit, in each thread. */
struct bench_result {
	double ns;
	double floor_ns;
	double ratio;
	double ratio_low; /* the middle half of the rounds lies between */
	double ratio_high;
	size_t rounds;
	uint64_t
		visits; /* of the operation, by all threads, warming up apart */
};

/* Measures one row for so many seconds. */
void bench_measure(const struct bench_row *row, double seconds,
		   struct bench_result *result);

/*
 * The table on standard output and, if csv is not null, as CSV. `note` follows
 * the figures of a row; may be empty.
 */
void bench_table_begin(FILE *csv);
void bench_table_row(FILE *csv, const char *build, const struct bench_row *row,
		     const struct bench_result *result, const char *note);

/* Whether the row has a goal and misses it. */
bool bench_is_over(const struct bench_row *row,
		   const struct bench_result *result);

#endif /* FRAMEHOLD_BENCH_BENCH_H */
