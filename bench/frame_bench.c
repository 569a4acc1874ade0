/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the owners of pages cost: get and put, claims by address, unique
 * frames, segments, each beside its floor. The operations, and what a floor
 * is, stand in frame_work.c; here is where they run.
 *
 * Pages are visited in a scattered order: 64 of them, whose slots stay in the
 * first cache; 2^20, the slots of a machine of 4 GiB, which fill 64 MiB; and
 * 2^24, of 64 GiB, in 1 GiB. The pages themselves are never touched. The
 * machine is the hosted one, whose memory costs nothing until it is written.
 */
#include "frame_work.h"
#include "hosted.h"

#include <framehold/framehold.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#ifndef BENCH_BUILD
#define BENCH_BUILD "separate objects"
#endif
#ifndef BENCH_FLAGS
#define BENCH_FLAGS "flags not recorded"
#endif

#define GOAL     1.15
#define HOT_BITS 6

/* Slots that are visited, and what machine has them. */
struct range {
	const char *name;
	unsigned bits; /* 2^bits pages, together */
	bool hot;      /* each thread has as many */
};

static const struct range hot_range = {"hot", HOT_BITS, true};
static const struct range small_range = {"64 MiB", 20, false};
static const struct range large_range = {"1 GiB", 24, false};

/* The pages that are measured on: the last 2^bits of the machine. */
static struct {
	uint64_t first;
	uint64_t count;
	struct fh_segment held;
} arena;

static struct bench_options options = {
	.program = "frame_bench",
	.about = "Measures what owning pages costs, beside the floor of each "
		 "operation:\nthe bare atomics on the same words. T: threads, "
		 "each with pages of its own.\n\"over\" marks rows over 1.15 "
		 "times their floor; only figures of hot slots\nhave that "
		 "goal. \"middle half\": the ratio in half of the rounds.",
	.seconds = 60,
};

static FILE *csv;
static unsigned rows_planned;
static unsigned rows_over;
static unsigned rows_with_goal;

static void fail(const char *what, const char *why)
{
	(void)fflush(stdout);
	fprintf(stderr, "frame_bench: %s: %s\n", what, why);
	exit(1);
}

static void check(enum fh_status status, const char *what)
{
	if (status != FH_OK)
		fail(what, fh_status_name(status));
}

static bool is_wanted(const struct kind *kind)
{
	return options.only == NULL || strstr(kind->name, options.only) != NULL;
}

/* A call that was refused did not do what its row says. */
static void check_refused(const struct kind *kind, uint64_t visits, char *note,
			  size_t size)
{
	uint64_t calls = take_refused_calls();

	if (calls > visits / 1000)
		fail(kind->name, "more than one call in a thousand failed");
	if (calls != 0)
		snprintf(note, size, "%" PRIu64 " refused", calls);
}

static void measure(const struct kind *kind, const struct range *range,
		    unsigned threads, bool on_one_page)
{
	struct bench_row row = {
		.name = kind->name,
		.range = on_one_page ? "one" : range->name,
		.unit = kind->pages == 0 ? "each" : "page",
		.threads = threads,
		.per_visit = kind->pages == 0 ? 1 : kind->pages,
		.operation = kind->operation,
		.floor = kind->floor,
		.goal = range->hot && !on_one_page && kind->meets_slots ? GOAL
									: 0,
	};
	struct bench_result result;
	char note[40] = "";

	ground.first = arena.first;
	ground.bits = range->bits;
	if (on_one_page)
		ground.bits = 0;
	else if (!range->hot && threads == 2)
		ground.bits--;
	ground.stride = on_one_page ? 0 : UINT64_C(1) << ground.bits;
	bench_measure(&row, options.seconds / rows_planned, &result);
	check_refused(kind, result.visits, note, sizeof(note));
	bench_table_row(csv, BENCH_BUILD, &row, &result, note);
	rows_with_goal += row.goal > 0;
	rows_over += bench_is_over(&row, &result);
}

/* How many rows measure_kind() makes of it. */
static unsigned rows_of(const struct kind *kind, const struct range *range)
{
	if (!is_wanted(kind) || (!range->hot && !kind->meets_slots))
		return 0;
	return range->hot && kind->on_one_page ? 3 : 2;
}

static void measure_kind(const struct kind *kind, const struct range *range)
{
	unsigned rows = rows_of(kind, range);

	if (rows == 0)
		return;
	measure(kind, range, 1, false);
	measure(kind, range, 2, false);
	if (rows == 3)
		measure(kind, range, 2, true);
}

/* Brings the arena from the state before it into this one. */
static void enter_state(enum page_state state)
{
	struct fh_paddr start = fh_paddr_of_frame(arena.first);
	struct fh_paddr end = fh_paddr_of_frame(arena.first + arena.count);

	if (state == UNUSED)
		check(fh_alloc_take(arena.first, arena.count), "take");
	else if (state == SHARED)
		check(fh_segment_from_unused(start, end, &memory_type, NULL,
					     &arena.held),
		      "claim");
	else
		fh_segment_put(&arena.held);
}

/* 2^bits pages and, below them, room for all metadata. */
static uint64_t machine_pages(const struct range *range)
{
	uint64_t pages = UINT64_C(1) << range->bits;

	return pages + pages / 32;
}

static void start_machine(const struct range *range)
{
	uint64_t end = machine_pages(range);
	struct fh_region ram = {
		.base = 0,
		.size = end * FH_PAGE_SIZE,
		.kind = FH_REGION_USABLE,
	};

	if (hosted_start(&ram, 1, NULL) != FH_OK)
		fail("machine", hosted_why());
	arena.count = UINT64_C(1) << range->bits;
	arena.first = end - arena.count;
}

/* Operations and floors must have left every page as they found it. */
static void check_arena(enum page_state state)
{
	static const struct fh_slot expected[PAGE_STATES] = {
		[UNUSED] = {.state = FH_STATE_UNUSED},
		[SHARED] = {.state = FH_STATE_ONE, .type = &memory_type},
		[FREE] = {.state = FH_STATE_FREE},
	};

	for (uint64_t i = 0; i < arena.count; i++) {
		const struct fh_slot *slot = fh_frame_to_meta(arena.first + i);

		if (slot->state != expected[state].state ||
		    slot->type != expected[state].type || slot->list != 0)
			fail("pages", "not as they were before measuring");
	}
}

static void stop_machine(void)
{
	struct fh_finding finding;
	char text[FH_FINDING_TEXT_SIZE];

	if (fh_audit(&finding) != FH_OK) {
		fh_finding_text(&finding, text, sizeof(text));
		fail("audit", text);
	}
	hosted_stop();
}

static void measure_machine(const struct range *const *ranges, size_t n)
{
	start_machine(ranges[n - 1]);
	for (enum page_state state = UNUSED; state < PAGE_STATES; state++) {
		enter_state(state);
		for (size_t r = 0; r < n; r++)
			for (size_t k = 0; k < kind_count; k++)
				if (kinds[k].state == state)
					measure_kind(&kinds[k], ranges[r]);
		check_arena(state);
	}
	stop_machine();
}

static unsigned plan(const struct range *range)
{
	unsigned rows = 0;

	for (size_t k = 0; k < kind_count; k++)
		rows += rows_of(&kinds[k], range);
	return rows;
}

static void open_csv(void)
{
	if (options.csv == NULL)
		return;
	csv = fopen(options.csv, "w");
	if (csv == NULL)
		fail(options.csv, "cannot be written");
	bench_machine(csv, BENCH_BUILD, BENCH_FLAGS);
}

static void close_csv(void)
{
	if (csv != NULL && fclose(csv) != 0)
		fail(options.csv, "cannot be written");
}

int main(int argc, char **argv)
{
	const struct range *small[] = {&hot_range, &small_range};
	const struct range *large[] = {&large_range};
	int status;

	if (!bench_options(argc, argv, &options, &status))
		return status;
	rows_planned = plan(&hot_range) + plan(&small_range);
	if (!options.quick)
		rows_planned += plan(&large_range);
	if (rows_planned == 0)
		fail("--only", "no row has such a name");
	open_csv();
	/* For the largest machine; what is not touched costs nothing. */
	if (!reserve_zone_bits(machine_pages(&large_range)))
		fail("floor", "no memory");
	bench_machine(stdout, BENCH_BUILD, BENCH_FLAGS);
	bench_table_begin(csv);
	measure_machine(small, 2);
	if (!options.quick)
		measure_machine(large, 1);
	printf("%u rows have a goal, %u are over it\n", rows_with_goal,
	       rows_over);
	release_zone_bits();
	close_csv();
	return 0;
}
