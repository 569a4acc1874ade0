/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What page tables cost, each operation beside its floor in plain C:
 * table_work.c. Two ranges: 512 pages a thread, the entries of one node, in the
 * first cache; and 2^17 pages, 512 MiB of address space, visited in order and
 * scattered. Each thread has 2 MiB pieces of its own, all in one space; but for
 * the rows in one node, where the pages of two threads take turns.
 *
 * No CPU runs on the space, so that a flush asks nobody: what is measured is the
 * library's own work.
 */
#include "hosted.h"
#include "table_work.h"

#include <framehold/framehold.h>
#include <framehold/poll.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef BENCH_BUILD
#define BENCH_BUILD "separate objects"
#endif
#ifndef BENCH_FLAGS
#define BENCH_FLAGS "flags not recorded"
#endif

#define MACHINE_PAGES (UINT64_C(1) << 20) /* 4 GiB */
#define PART_BITS     17
#define HOT_BITS      9

static struct bench_options options = {
	.program = "table_bench",
	.about = "Measures what page tables cost, beside the least that code "
		 "with a lock for each\nnode must do. T: threads, each with "
		 "pages of its own in one address space.",
	.seconds = 40,
};

static FILE *csv;
static unsigned rows_planned;
static unsigned rows_over;
static unsigned rows_with_goal;

_Thread_local struct bench_cpu bench_cpu;
unsigned char *bench_linear;

static struct fh_page_table kernel;
static struct fh_space space;
static struct fh_segment frames;

static void fail(const char *what, const char *why)
{
	(void)fflush(stdout);
	fprintf(stderr, "table_bench: %s: %s\n", what, why);
	exit(1);
}

static void check(enum fh_status status, const char *what)
{
	if (status != FH_OK)
		fail(what, fh_status_name(status));
}

/* Where a row is measured. */
struct place {
	const char *name;
	unsigned bits;
	unsigned threads;
	bool scattered;
	bool shared;
};

static const struct place hot = {"hot", HOT_BITS, 1, false, false};
static const struct place hot_2 = {"hot", HOT_BITS, 2, false, false};
static const struct place one_node = {"one node", HOT_BITS - 1, 2, false, true};
static const struct place wide = {"512 MiB", PART_BITS, 1, false, false};
static const struct place scattered = {"512 MiB, random", PART_BITS, 1, true,
				       false};

/* One row more; returns its cost. */
static double measure(const struct table_kind *kind, const struct place *place,
		      double alone)
{
	struct bench_row row = {
		.name = kind->name,
		.range = place->name,
		.unit = kind->unit,
		.threads = place->threads,
		.per_visit = kind->pages,
		.operation = kind->operation,
		.floor = kind->floor,
		.goal = place == &hot ? kind->goal : 0,
	};
	struct bench_result result;
	char note[40] = "";

	table_ground.bits = place->bits;
	table_ground.scattered = place->scattered;
	table_ground.shared = place->shared;
	bench_measure(&row, options.seconds / rows_planned, &result);
	if (place->threads == 2)
		snprintf(note, sizeof(note), "%.2f x of one thread's",
			 result.ns / alone);
	bench_table_row(csv, BENCH_BUILD, &row, &result, note);
	rows_with_goal += row.goal > 0;
	rows_over += bench_is_over(&row, &result);
	return result.ns;
}

static bool is_wanted(const struct table_kind *kind)
{
	return options.only == NULL || strstr(kind->name, options.only) != NULL;
}

/* Rows that measure_kind() makes of it. */
static unsigned rows_of(const struct table_kind *kind)
{
	static const unsigned all[] = {1, 3, 5};
	static const unsigned quick[] = {1, 2, 3};

	if (!is_wanted(kind))
		return 0;
	return (options.quick ? quick : all)[kind->rows];
}

static void measure_kind(const struct table_kind *kind)
{
	if (rows_of(kind) == 0)
		return;
	double alone = measure(kind, &hot, 0);

	if (kind->rows >= TABLE_APART)
		(void)measure(kind, &hot_2, alone);
	if (kind->rows >= TABLE_CONTEND)
		(void)measure(kind, &one_node, alone);
	if (options.quick)
		return;
	if (kind->rows >= TABLE_APART)
		(void)measure(kind, &wide, 0);
	if (kind->rows >= TABLE_CONTEND)
		(void)measure(kind, &scattered, 0);
}

/* A mapped frame in every page makes all nodes; then only they are left. */
static void make_nodes(uint64_t first, uint64_t n)
{
	uint64_t pages;
	struct fh_page_prop prop = fh_page_prop(FH_PAGE_USER | FH_PAGE_READ);

	for (uint64_t page = first; page < first + n; page += FH_NODE_ENTRIES) {
		check(fh_space_map_device(&space, page, fh_paddr(0), 1, prop),
		      "map");
		check(fh_space_unmap(&space, page, 1, &pages), "unmap");
	}
}

static void start_machine(void)
{
	struct fh_region ram = {
		.base = 0,
		.size = MACHINE_PAGES * FH_PAGE_SIZE,
		.kind = FH_REGION_USABLE,
	};
	uint64_t part = UINT64_C(1) << PART_BITS;

	struct fh_init_options init;

	if (hosted_power_on(&ram, 1, NULL, &init) != FH_OK)
		fail("machine", hosted_why());
	bench_linear = hosted_linear();
	check(fh_init(&init), "memory");
	check(fh_page_table_create_kernel(NULL, NULL, 0, &kernel), "kernel");
	check(fh_space_create(&kernel, &space), "space");
	struct fh_alloc_options aligned = {.align = FH_NODE_ENTRIES};

	check(fh_segment_alloc(2 * part, &aligned, &fh_untyped_type, NULL,
			       &frames),
	      "frames");
	table_ground.space = &space;
	table_ground.kernel = &kernel;
	table_ground.first = FH_NODE_ENTRIES;
	table_ground.stride = part;
	table_ground.frame = fh_segment_first(frames);
	make_nodes(table_ground.first, 2 * part);
}

static void stop_machine(void)
{
	struct fh_table_totals totals = {.nodes = 0};
	struct fh_finding finding;
	char text[FH_FINDING_TEXT_SIZE];

	if (fh_audit_table(&space.table, &totals, &finding) != FH_OK ||
	    fh_audit(&finding) != FH_OK) {
		fh_finding_text(&finding, text, sizeof(text));
		fail("audit", text);
	}
	if (totals.tracked != 0)
		fail("pages", "mapped after measuring");
	fh_segment_put(&frames);
	check(fh_space_destroy(&space), "destroy");
	fh_page_table_destroy(&kernel);
	fh_settle();
	hosted_stop();
}

int main(int argc, char **argv)
{
	int status;

	if (!bench_options(argc, argv, &options, &status))
		return status;
	for (size_t k = 0; k < table_kind_count; k++)
		rows_planned += rows_of(&table_kinds[k]);
	if (rows_planned == 0)
		fail("--only", "no row has such a name");
	if (options.csv != NULL && (csv = fopen(options.csv, "w")) == NULL)
		fail(options.csv, "cannot be written");
	if (csv != NULL)
		bench_machine(csv, BENCH_BUILD, BENCH_FLAGS);
	start_machine();
	bench_machine(stdout, BENCH_BUILD, BENCH_FLAGS);
	bench_table_begin(csv);
	for (size_t k = 0; k < table_kind_count; k++)
		measure_kind(&table_kinds[k]);
	printf("%u rows have a goal, %u are over it\n", rows_with_goal,
	       rows_over);
	stop_machine();
	if (csv != NULL && fclose(csv) != 0)
		fail(options.csv, "cannot be written");
	return 0;
}
