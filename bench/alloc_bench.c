/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What allocation costs: the page allocator and a plain buddy system on the
 * same machine in turns, beside the floor; raw, and with the hand-over of
 * slots; with 1 and 2 threads; with 1, 8 and 64 GiB. What is done stands in
 * alloc_work.c. Memory is modelled: slots are real, pages are never touched.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "alloc_work.h"
#include "bench.h"
#include "hosted.h"

#include <framehold/allocator.h>
#include <framehold/framehold.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef BENCH_BUILD
#define BENCH_BUILD "separate objects"
#endif
#ifndef BENCH_FLAGS
#define BENCH_FLAGS "flags not recorded"
#endif

#define GIB      (UINT64_C(1) << 30)
#define MAX_RUNS 15

static struct bench_options options = {
	.program = "alloc_bench",
	.about = "Measures the page allocator beside its floor (the same "
		 "loops on pages in a\nrow, without an allocator) and a plain "
		 "buddy system with per-CPU lists.\nNanoseconds of processor "
		 "time an operation; repeat, churn and cross: an allocation\n"
		 "and a release. Medians of several runs in turns.",
	.seconds = 100,
};

static FILE *csv;
static unsigned over;
static unsigned with_goal;

static const char *const phase_names[PHASES] = {
	[REPEAT_4K] = "repeat 4K",         [BULK_ALLOC_4K] = "bulk alloc 4K",
	[BULK_FREE_4K] = "bulk free 4K",   [RANDOM_FREE_4K] = "random free 4K",
	[AGED_ALLOC_4K] = "aged alloc 4K", [CHURN_4K] = "churn 4K",
	[REPEAT_2M] = "repeat 2M",         [BULK_ALLOC_2M] = "bulk alloc 2M",
	[BULK_FREE_2M] = "bulk free 2M",   [RANDOM_FREE_2M] = "random free 2M",
	[CROSS_4K] = "cross-CPU 4K",
};

/* All runs of one setting, and what they say. */
struct series {
	struct work work;
	char name[64];
	unsigned runs;
	struct work_result run[MAX_RUNS][SUBJECTS];
	struct work_result median[SUBJECTS];
};

static void fail(const char *what, const char *why)
{
	(void)fflush(stdout);
	fprintf(stderr, "alloc_bench: %s: %s\n", what, why);
	exit(1);
}

static int compare_values(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median_of(double *values, unsigned n)
{
	qsort(values, n, sizeof(*values), compare_values);
	return n % 2 == 1 ? values[n / 2]
			  : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void find_medians(struct series *series)
{
	for (unsigned subject = 0; subject < SUBJECTS; subject++) {
		for (unsigned phase = 0; phase < PHASES; phase++) {
			double values[MAX_RUNS];

			for (unsigned i = 0; i < series->runs; i++)
				values[i] = series->run[i][subject].ns[phase];
			series->median[subject].ns[phase] =
				median_of(values, series->runs);
		}
	}
}

/* The median of the runs' ratios of one phase; negative: not applicable. */
static double ratio_of(const struct series *series, unsigned phase,
		       enum work_subject above, enum work_subject below)
{
	double values[MAX_RUNS];

	/* Raw, the floor is an empty loop. */
	if (series->median[above].ns[phase] < 0 ||
	    series->median[below].ns[phase] < 0 ||
	    (below == FLOOR && !series->work.hand_over))
		return -1;
	for (unsigned i = 0; i < series->runs; i++)
		values[i] = series->run[i][above].ns[phase] /
			    series->run[i][below].ns[phase];
	return median_of(values, series->runs);
}

/* What the ratio to the floor has to be, with the hand-over; 0: anything. */
static double goal_for(const struct series *series, unsigned phase)
{
	if (!series->work.hand_over)
		return 0;
	return phase == REPEAT_4K || phase == BULK_ALLOC_4K ||
			       phase == BULK_FREE_4K
		       ? 1.25
		       : 0;
}

static void print_number(double value)
{
	if (value < 0)
		printf(" %9s", "-");
	else
		printf(" %9.2f", value);
}

static void print_series(const struct series *series, uint64_t gib)
{
	printf("\n%s\n", series->name);
	printf("%-16s %9s %9s %9s %9s %9s\n", "", "floor ns", "ns", "buddy ns",
	       "to floor", "to buddy");
	for (unsigned phase = 0; phase < PHASES; phase++) {
		double goal = goal_for(series, phase);
		double to_floor = ratio_of(series, phase, OURS, FLOOR);
		double to_plain = ratio_of(series, phase, OURS, PLAIN);
		bool misses = goal > 0 && to_floor > goal;

		if (series->median[OURS].ns[phase] < 0)
			continue;
		printf("%-16s", phase_names[phase]);
		print_number(series->median[FLOOR].ns[phase]);
		print_number(series->median[OURS].ns[phase]);
		print_number(series->median[PLAIN].ns[phase]);
		print_number(to_floor);
		print_number(to_plain);
		printf("%s\n", misses ? "  over" : "");
		with_goal += goal > 0;
		over += misses;
		if (csv != NULL)
			fprintf(csv,
				"%s,%s,%" PRIu64 ",%u,%s,%.3f,%.3f,%.3f,%.3f,"
				"%.3f,%.2f,%d,%u\n",
				BENCH_BUILD, phase_names[phase], gib,
				series->work.threads,
				series->work.hand_over ? "hand-over" : "raw",
				series->median[FLOOR].ns[phase],
				series->median[OURS].ns[phase],
				series->median[PLAIN].ns[phase], to_floor,
				to_plain, goal, misses, series->runs);
	}
	(void)fflush(stdout);
}

/* Goals between phases of one series. */
static void print_goal(const struct series *series, const char *what,
		       unsigned above, unsigned below, double goal)
{
	const double *ns = series->median[OURS].ns;
	double ratio = ns[above] / ns[below];

	printf("%s %.2f (%.1f)%s\n", what, ratio, goal,
	       ratio > goal ? "  over" : "");
	with_goal++;
	over += ratio > goal;
}

static void measure_series(struct series *series, double seconds)
{
	struct timespec begin, now;

	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	series->runs = 0;
	do {
		for (unsigned i = 0; i < SUBJECTS; i++) {
			/* Each run begins with another one. */
			unsigned subject = (i + series->runs) % SUBJECTS;

			work_once(&series->work, subject,
				  &series->run[series->runs][subject]);
		}
		series->runs++;
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	} while (series->runs < MAX_RUNS &&
		 (series->runs < 3 ||
		  (double)(now.tv_sec - begin.tv_sec) < seconds));
	find_medians(series);
}

/* The longest run of pages that are free and alike: to the end of memory. */
static void find_pages(struct work *work, uint64_t frame_end)
{
	uint64_t first = frame_end;

	while (first > 0 && fh_allocator_is_free(first - 1))
		first--;
	work->first = first;
	work->count = frame_end - first;
	for (uint64_t section = first / FH_SECTION_FRAMES;
	     section < frame_end / FH_SECTION_FRAMES; section++)
		fh_section_make_live(section);
}

static bool has_scaling_goal(unsigned phase)
{
	return phase == REPEAT_4K || phase == BULK_ALLOC_4K ||
	       phase == AGED_ALLOC_4K || phase == CHURN_4K;
}

static void print_scaling(const struct series *one, const struct series *two)
{
	printf("throughput with 2 threads, of that with 1:\n");
	for (unsigned phase = 0; phase < CROSS_4K; phase++) {
		double factor = 2 * one->median[OURS].ns[phase] /
				two->median[OURS].ns[phase];
		bool misses = has_scaling_goal(phase) && factor < 1.5;

		printf("    %-16s %5.2f%s%s\n", phase_names[phase], factor,
		       has_scaling_goal(phase) ? " (1.5)" : "",
		       misses ? "  under" : "");
		with_goal += has_scaling_goal(phase);
		over += misses;
	}
}

static void print_goal_of_machine(const char *what, double value, double goal)
{
	printf("%s %.3f (%.2f)%s\n", what, value, goal,
	       value > goal ? "  over" : "");
	with_goal++;
	over += value > goal;
}

/* What bring-up took of the memory, and of time, on the untouched machine. */
static void print_bring_up(uint64_t gib, double ms)
{
	struct fh_memory_totals totals;

	fh_memory_totals(&totals);
	print_goal_of_machine("bytes of metadata a page:",
			      (double)(totals.metadata * FH_PAGE_SIZE) /
				      (double)(gib * GIB / FH_PAGE_SIZE),
			      64.25);
	print_goal_of_machine("ms of initialisation per 64 GiB:",
			      ms * 64 / (double)(gib < 64 ? 64 : gib), 1);
}

static void print_comparisons(const struct series *one,
			      const struct series *two)
{
	if (one->runs > 0 && two->runs > 0)
		print_scaling(one, two);
	if (one->runs == 0)
		return;
	print_goal(one, "aged to fresh bulk allocation:", AGED_ALLOC_4K,
		   BULK_ALLOC_4K, 3);
	print_goal(one, "random to in-order free:", RANDOM_FREE_4K,
		   BULK_FREE_4K, 4.5);
}

/* One table, unless only others are asked for: then without a run. */
static void measure_setting(struct series *s, uint64_t gib, unsigned threads,
			    bool hand_over, double seconds)
{
	(void)snprintf(s->name, sizeof(s->name),
		       "%" PRIu64 " GiB, %u thread%s, %s", gib, threads,
		       threads == 1 ? "" : "s",
		       hand_over ? "with hand-over" : "raw");
	s->runs = 0;
	if (options.only != NULL && strstr(s->name, options.only) == NULL)
		return;
	find_pages(&s->work, gib * GIB / FH_PAGE_SIZE);
	s->work.threads = threads;
	s->work.hand_over = hand_over;
	measure_series(s, seconds);
	print_series(s, gib);
}

static void measure_size(uint64_t gib, double seconds)
{
	const struct fh_region regions[] = {
		{0, gib * GIB, FH_REGION_USABLE},
	};
	static const struct fh_topology topology = {.cpu_count = 2};
	const struct hosted_options machine = {.topology = &topology};
	static struct series series[2];
	struct fh_init_options init;
	struct timespec begin, end;

	if (hosted_power_on(regions, 1, &machine, &init) != FH_OK)
		fail("machine", hosted_why());
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
	if (fh_init(&init) != FH_OK)
		fail("machine", "fh_init");
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	printf("\n%" PRIu64 " GiB, %" PRIu64 " bytes of RAM touched\n", gib,
	       hosted_resident_bytes());
	print_bring_up(gib,
		       (double)(end.tv_sec - begin.tv_sec) * 1e3 +
			       (double)(end.tv_nsec - begin.tv_nsec) / 1e6);
	for (unsigned hand_over = 0; hand_over < 2; hand_over++) {
		for (unsigned threads = 1; threads <= 2; threads++)
			measure_setting(&series[threads - 1], gib, threads,
					hand_over == 1, seconds / 4);
		print_comparisons(&series[0], &series[1]);
	}
	hosted_stop();
}

int main(int argc, char **argv)
{
	static const uint64_t sizes[] = {1, 8, 64};
	unsigned n;
	int status;

	if (!bench_options(argc, argv, &options, &status))
		return status;
	n = options.quick ? 2 : 3;
	if (options.csv != NULL) {
		csv = fopen(options.csv, "w");
		if (csv == NULL)
			fail(options.csv, "cannot be written");
		fprintf(csv, "build,phase,gib,threads,setting,floor_ns,ns,"
			     "buddy_ns,to_floor,to_buddy,goal,over,runs\n");
	}
	bench_machine(stdout, BENCH_BUILD, BENCH_FLAGS);
	if (!work_prepare(sizes[n - 1] * GIB / FH_PAGE_SIZE))
		fail("arrays", "no memory");
	for (unsigned i = 0; i < n; i++)
		measure_size(sizes[i], options.seconds / n);
	work_finish();
	printf("\n%u of %u goals missed\n", over, with_goal);
	if (csv != NULL && fclose(csv) != 0)
		fail(options.csv, "cannot be written");
	return 0;
}
