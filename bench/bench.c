/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Two threads of a row stay in step: they meet before every turn, so that
 * both always run the same code. A thread that the system takes off its CPU
 * spoils the rounds in which that happens; medians pass over them.
 */
#define _GNU_SOURCE

#include "bench.h"
#include "hosted.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TURN_NS    UINT64_C(100000)
#define MIN_ROUNDS 15
#define MAX_ROUNDS 20000

/* ---- Command line ---- */

static void print_help(const struct bench_options *options)
{
	printf("usage: %s [OPTION...]\n\n%s\n\n"
	       "  --seconds S  time to measure, all rows together (%g)\n"
	       "  --quick      a few seconds, without the largest machine\n"
	       "  --only TEXT  rows with TEXT in their name\n"
	       "  --csv FILE   write the table as CSV, too\n"
	       "  --help       this text\n",
	       options->program, options->about, options->seconds);
}

static bool is_option(const char *argument, const char *name)
{
	return strcmp(argument, name) == 0;
}

static bool read_seconds(const char *text, double *seconds)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value > 0 && value <= 3600))
		return false;
	*seconds = value;
	return true;
}

/* Options with a value; false if this is none, or the value is wrong. */
static bool read_pair(const char *name, const char *value,
		      struct bench_options *options)
{
	if (is_option(name, "--seconds"))
		return read_seconds(value, &options->seconds);
	if (is_option(name, "--csv"))
		options->csv = value;
	else if (is_option(name, "--only"))
		options->only = value;
	else
		return false;
	return true;
}

bool bench_options(int argc, char **argv, struct bench_options *options,
		   int *status)
{
	bool has_seconds = false;

	for (int i = 1; i < argc; i++) {
		if (is_option(argv[i], "--help")) {
			print_help(options);
			*status = 0;
			return false;
		}
		if (is_option(argv[i], "--quick")) {
			options->quick = true;
			continue;
		}
		if (i + 1 == argc ||
		    !read_pair(argv[i], argv[i + 1], options)) {
			fprintf(stderr, "%s: cannot use %s; see --help\n",
				options->program, argv[i]);
			*status = 2;
			return false;
		}
		has_seconds = has_seconds || is_option(argv[i], "--seconds");
		i++;
	}
	if (options->quick && !has_seconds)
		options->seconds = 4;
	return true;
}

/* ---- The machine ---- */

/* The processor's name as /proc/cpuinfo has it. */
static void read_cpu_name(char *name, size_t size)
{
	char line[256];
	FILE *info = fopen("/proc/cpuinfo", "r");

	snprintf(name, size, "unknown");
	while (info != NULL && fgets(line, sizeof(line), info) != NULL) {
		const char *value = strchr(line, ':');

		if (strncmp(line, "model name", 10) != 0 || value == NULL)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(name, size, "%s", value + 2);
		break;
	}
	if (info != NULL)
		(void)fclose(info);
}

/* The number of the nth processor that we may use, or -1. */
static int allowed_cpu(unsigned nth)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return -1;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET((size_t)i, &set) && nth-- == 0)
			return i;
	return -1;
}

static unsigned allowed_cpus(void)
{
	unsigned n = 0;

	while (allowed_cpu(n) >= 0)
		n++;
	return n;
}

static const char *compiler_name(void)
{
#if defined(__clang__)
	return __VERSION__;
#else
	return "GCC " __VERSION__;
#endif
}

void bench_machine(FILE *out, const char *build, const char *flags)
{
	char cpu[128];
	double load = 0;

	read_cpu_name(cpu, sizeof(cpu));
	(void)getloadavg(&load, 1);
	fprintf(out, "# machine   %s, %u CPUs, load %.1f\n", cpu,
		allowed_cpus(), load);
	fprintf(out, "# compiler  %s\n", compiler_name());
	fprintf(out, "# build     %s; %s\n", build, flags);
}

/* ---- Measuring ---- */

/* Where threads wait for each other; zero is empty. */
struct meeting {
	uint64_t arrived;
	uint64_t turn;
};

static void meet(struct meeting *meeting, unsigned threads)
{
	uint64_t turn = __atomic_load_n(&meeting->turn, __ATOMIC_RELAXED);

	/* Both ways: what was written before is seen after, by everybody. */
	if (__atomic_add_fetch(&meeting->arrived, 1, __ATOMIC_ACQ_REL) ==
	    threads) {
		__atomic_store_n(&meeting->arrived, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&meeting->turn, turn + 1, __ATOMIC_RELEASE);
		return;
	}
	while (__atomic_load_n(&meeting->turn, __ATOMIC_ACQUIRE) == turn)
		fh_host_relax();
}

struct turn {
	uint64_t ns[BENCH_MAX_THREADS];
};

struct round {
	struct turn operation;
	struct turn floor;
};

/* One row being measured. CPU 0 decides; the others read after a meeting. */
struct run {
	const struct bench_row *row;
	uint64_t deadline;
	uint64_t visits; /* in a turn */
	size_t rounds;
	bool done;
	struct meeting meeting;
	struct round *round;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void pin(unsigned cpu)
{
	cpu_set_t set;
	int number = allowed_cpu(cpu);

	/* Without enough processors the threads share what there is. */
	if (number < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)number, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

/* One CPU's part of a turn, in nanoseconds. */
static uint64_t take_turn(struct run *run, bench_pass *pass, unsigned cpu,
			  uint64_t *position)
{
	uint64_t visits = run->visits;

	meet(&run->meeting, run->row->threads);
	uint64_t start = now_ns();
	pass(cpu, *position, visits);
	*position += visits;
	return now_ns() - start;
}

/* Visits enough for one turn, by doubling; warms everything up. */
static void calibrate(struct run *run, unsigned cpu, uint64_t *position)
{
	const struct bench_row *row = run->row;

	for (bool enough = false; !enough;) {
		uint64_t ns = take_turn(run, row->operation, cpu, position);

		if (row->floor != NULL)
			(void)take_turn(run, row->floor, cpu, position);
		meet(&run->meeting, row->threads);
		if (cpu == 0 && ns < TURN_NS)
			run->visits *= 2;
		else if (cpu == 0)
			run->done = true;
		meet(&run->meeting, row->threads);
		enough = run->done;
	}
	meet(&run->meeting, row->threads);
	if (cpu == 0)
		run->done = false;
	meet(&run->meeting, row->threads);
}

/* Every other round has the operation first. */
static void take_round(struct run *run, unsigned cpu, uint64_t *position)
{
	const struct bench_row *row = run->row;
	struct round *round = &run->round[run->rounds];
	bool floor_first = run->rounds % 2 == 0;

	if (row->floor != NULL && floor_first)
		round->floor.ns[cpu] =
			take_turn(run, row->floor, cpu, position);
	round->operation.ns[cpu] =
		take_turn(run, row->operation, cpu, position);
	if (row->floor != NULL && !floor_first)
		round->floor.ns[cpu] =
			take_turn(run, row->floor, cpu, position);
}

static void run_row(unsigned cpu, void *arg)
{
	struct run *run = arg;
	uint64_t position = 0;
	cpu_set_t before;
	bool known = sched_getaffinity(0, sizeof(before), &before) == 0;

	pin(cpu);
	calibrate(run, cpu, &position);
	while (!run->done) {
		take_round(run, cpu, &position);
		meet(&run->meeting, run->row->threads);
		if (cpu == 0) {
			run->rounds++;
			run->done = run->rounds == MAX_ROUNDS ||
				    (run->rounds >= MIN_ROUNDS &&
				     now_ns() >= run->deadline);
		}
		meet(&run->meeting, run->row->threads);
	}
	if (known)
		(void)sched_setaffinity(0, sizeof(before), &before);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value below which so many quarters of n > 0 sorted ones lie. */
static double quartile(const double *sorted, size_t n, size_t quarters)
{
	return sorted[(n - 1) * quarters / 4];
}

/* Nanoseconds a unit, averaged over the threads of one turn. */
static double turn_ns(const struct run *run, const struct turn *turn)
{
	const struct bench_row *row = run->row;
	uint64_t sum = 0;

	for (unsigned cpu = 0; cpu < row->threads; cpu++)
		sum += turn->ns[cpu];
	return (double)sum / row->threads /
	       (double)(run->visits * row->per_visit);
}

static void summarise(const struct run *run, double *values,
		      struct bench_result *result)
{
	size_t n = run->rounds;

	result->rounds = n;
	result->visits = run->visits * n * run->row->threads;
	for (size_t i = 0; i < n; i++)
		values[i] = turn_ns(run, &run->round[i].operation);
	qsort(values, n, sizeof(*values), compare_doubles);
	result->ns = quartile(values, n, 2);
	if (run->row->floor == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		values[i] = turn_ns(run, &run->round[i].floor);
	qsort(values, n, sizeof(*values), compare_doubles);
	result->floor_ns = quartile(values, n, 2);
	for (size_t i = 0; i < n; i++)
		values[i] = turn_ns(run, &run->round[i].operation) /
			    turn_ns(run, &run->round[i].floor);
	qsort(values, n, sizeof(*values), compare_doubles);
	result->ratio_low = quartile(values, n, 1);
	result->ratio = quartile(values, n, 2);
	result->ratio_high = quartile(values, n, 3);
}

void bench_measure(const struct bench_row *row, double seconds,
		   struct bench_result *result)
{
	struct run run = {
		.row = row,
		.deadline = now_ns() + (uint64_t)(seconds * 1e9),
		.visits = 1,
		.round = calloc(MAX_ROUNDS, sizeof(*run.round)),
	};
	double *values = calloc(MAX_ROUNDS, sizeof(*values));

	if (run.round == NULL || values == NULL) {
		fprintf(stderr, "no memory for the rounds\n");
		exit(1);
	}
	hosted_run(row->threads, run_row, &run);
	memset(result, 0, sizeof(*result));
	summarise(&run, values, result);
	free(values);
	free(run.round);
}

/* ---- The table ---- */

bool bench_is_over(const struct bench_row *row,
		   const struct bench_result *result)
{
	return row->goal > 0 && result->ratio > row->goal;
}

void bench_table_begin(FILE *csv)
{
	printf("%-34s %-7s %s %-5s %9s %9s %6s  %-11s\n", "operation", "slots",
	       "T", "unit", "floor ns", "ns", "ratio", "middle half");
	if (csv != NULL)
		fprintf(csv, "build,operation,slots,threads,unit,floor_ns,ns,"
			     "ratio,ratio_low,ratio_high,goal,over,rounds,"
			     "note\n");
}

/* Fields that were not measured are empty. */
static void write_csv_row(FILE *csv, const char *build,
			  const struct bench_row *row,
			  const struct bench_result *result, const char *note)
{
	fprintf(csv, "%s,\"%s\",\"%s\",%u,%s,", build, row->name, row->range,
		row->threads, row->unit);
	if (row->floor == NULL)
		fprintf(csv, ",%.3f,,,,", result->ns);
	else
		fprintf(csv, "%.3f,%.3f,%.3f,%.3f,%.3f,", result->floor_ns,
			result->ns, result->ratio, result->ratio_low,
			result->ratio_high);
	fprintf(csv, "%.2f,%d,%zu,%s\n", row->goal, bench_is_over(row, result),
		result->rounds, note);
}

void bench_table_row(FILE *csv, const char *build, const struct bench_row *row,
		     const struct bench_result *result, const char *note)
{
	bool over = bench_is_over(row, result);

	printf("%-34s %-7s %u %-5s ", row->name, row->range, row->threads,
	       row->unit);
	if (row->floor == NULL)
		printf("%9s %9.2f %6s  %-12s", "-", result->ns, "-", "-");
	else
		printf("%9.2f %9.2f %6.2f  %.2f .. %.2f", result->floor_ns,
		       result->ns, result->ratio, result->ratio_low,
		       result->ratio_high);
	printf("%s%s%s\n", over ? "  over" : "", *note != '\0' ? "  " : "",
	       note);
	(void)fflush(stdout);
	if (csv != NULL)
		write_csv_row(csv, build, row, result, note);
}
