/* SPDX-License-Identifier: MPL-2.0 */
/*
 * fh-demo: what Framehold does, from a firmware's memory map to a machine that
 * is taken down again with every page accounted for. main() is the story;
 * the other files tell its parts.
 */
#define _GNU_SOURCE

#include "account.h"
#include "census.h"
#include "exhaust.h"
#include "machine.h"
#include "options.h"
#include "picture.h"
#include "progress.h"
#include "spaces.h"
#include "tables.h"
#include "workload.h"
#include "zones.h"

#include "hosted.h"

#include <framehold/framehold.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What the parts of the story hand on to each other. */
struct story {
	struct options options;
	struct machine machine;
	struct workload *workload;
	struct account before;
	struct zones at_start;
};

/* ---- Bring-up ---- */

static void print_nodes(const struct machine *machine)
{
	if (machine->node_count > 1)
		printf("%zu nodes, over which the CPUs are spread\n",
		       machine->node_count);
	if (machine->plug.count != 0)
		printf("room for %s more at 0x%" PRIx64 "\n",
		       number_size(machine->plug.count).text,
		       machine->plug.first * FH_PAGE_SIZE);
}

static bool bring_up(struct story *story)
{
	struct machine *machine = &story->machine;

	if (!machine_start(&story->options, machine))
		return false;
	printf("%s: %zu entries, %u simulated CPUs\n", machine->name,
	       machine->entries, story->options.cpus);
	print_nodes(machine);
	tables_print_map(hosted_map());
	tables_print_bring_up(machine->milliseconds, hosted_resident_bytes());
	story->at_start = zones_now();
	tables_print_zones(&story->at_start);
	return zones_agree_with_slots(&story->at_start);
}

/* ---- Work ---- */

static bool begin_work(struct story *story)
{
	struct workload_plan plan = {
		.cpus = story->options.cpus,
		.seconds = story->options.seconds,
		.operations = story->options.operations,
		.seed = story->options.seed,
		.plug = story->machine.plug,
	};

	story->before = account_take();
	story->workload = workload_new(&plan);
	if (story->workload == NULL)
		fprintf(stderr, "fh-demo: no memory\n");
	return story->workload != NULL;
}

static void report_changes(const struct workload_totals *totals)
{
	if (totals->plugged.count != 0)
		printf("  plugged in half-way: %s at 0x%" PRIx64 "\n",
		       number_size(totals->plugged.count).text,
		       totals->plugged.first * FH_PAGE_SIZE);
	if (totals->stopped_early)
		printf("  (stopped early: half of the host's memory is in "
		       "use)\n");
}

static void report_workload(const struct workload *workload)
{
	struct workload_totals totals = workload_totals(workload);

	tables_print_operations(workload);
	printf("  %-36s %12s\n", "pages found as their owner left them",
	       number_grouped(totals.stamps).text);
	if (totals.digest != 0)
		printf("  %-36s %016" PRIx64 "\n", "digest of the sequence",
		       totals.digest);
	report_changes(&totals);
}

static bool draw(const struct story *story, const struct census *census,
		 const struct zones *zones)
{
	const struct options *options = &story->options;
	struct workload_totals totals = workload_totals(story->workload);
	const char *machine =
		options->ram != 0 ? "A made-up machine" : options->map;
	char caption[5000];
	struct picture picture = {
		.machine = story->machine.name,
		.caption = caption,
		.map = hosted_map(),
		.plugged = totals.plugged,
		.census = census,
		.zones = zones,
		.at_start = &story->at_start,
	};

	snprintf(caption, sizeof(caption),
		 "%s%s %s, after %u CPU%s worked for %.1f seconds "
		 "(%s operations, seed %" PRIu64 ").",
		 machine, options->ram != 0 ? " of" : ": a machine of",
		 number_size(census_total(census)).text, options->cpus,
		 options->cpus == 1 ? "" : "s", totals.seconds,
		 number_grouped(totals.operations).text, options->seed);
	if (!picture_write(options->picture, &picture))
		return false;
	printf("\npicture: %s\n", options->picture);
	return true;
}

/* The CPUs are parked and hold what they hold. */
static bool inspect(const struct story *story)
{
	report_workload(story->workload);
	printf("\nAll CPUs parked, holding what they hold:\n");
	if (!account_audit("while in use"))
		return false;
	struct census census = census_of_all();
	struct zones zones = zones_now();
	tables_print_owners(&census);
	tables_print_zones(&zones);
	return zones_agree_with_slots(&zones) && draw(story, &census, &zones);
}

/* ---- The end ---- */

static bool use_up(const struct story *story)
{
	struct exhaust_plan plan = {
		.cpus = story->options.cpus,
		.seed = story->options.seed,
	};
	struct exhaustion result;

	printf("\nAll CPUs take all there is, until no page is left, and give "
	       "it up:\n");
	fflush(stdout);
	memset(&result, 0, sizeof(result));
	if (!exhaust(&plan, &result))
		return false;
	if (result.below != 0)
		printf("  of memory below 0x%" PRIx64 " only: every page costs "
		       "its slot\n",
		       result.below * FH_PAGE_SIZE);
	tables_print_exhaustion(&result);
	tables_print_zones(&result.after);
	if (exhaust_is_fine(&result))
		return true;
	fprintf(stderr, "fh-demo: not all memory was to be had, or came back "
			"whole\n");
	return false;
}

/* Lives of a program: about a second together. */
#define PROGRAM_LIVES 15

static bool run_programs(const struct story *story)
{
	struct spaces_plan plan = {
		.cpus = story->options.cpus,
		.rounds = PROGRAM_LIVES,
		.seed = story->options.seed,
	};
	struct spaces_result result;
	struct fh_alloc_stats stats;

	fh_alloc_stats(&stats);
	if (stats.free < spaces_need(plan.cpus)) {
		printf("\n%" PRIu64 " free pages are too few for programs in "
		       "address spaces: %" PRIu64 " are needed\n",
		       stats.free, spaces_need(plan.cpus));
		return true;
	}
	printf("\nPrograms live in address spaces of their own, on all "
	       "CPUs:\n");
	fflush(stdout);
	if (!spaces_run(&plan, &result))
		return false;
	tables_print_spaces(&result);
	return true;
}

static bool take_down(const struct story *story)
{
	struct workload_totals totals = workload_totals(story->workload);

	printf("\nEverything is given up, by other CPUs than held it:\n");
	workload_drop_everything(story->workload);
	if (!account_audit("afterwards") || !use_up(story) ||
	    !run_programs(story))
		return false;
	printf("\n");
	if (!account_audit("at the end"))
		return false;
	if (!account_nothing_leaked(&story->before, &totals)) {
		fprintf(stderr, "fh-demo: something leaked\n");
		return false;
	}
	printf("\nNothing leaked.\n");
	return true;
}

static bool tell(struct story *story)
{
	if (!begin_work(story))
		return false;
	printf("\n");
	fflush(stdout);
	bool fine = workload_run(story->workload, progress_show) &&
		    inspect(story) && take_down(story);
	workload_free(story->workload);
	return fine;
}

int main(int argc, char **argv)
{
	static struct story story;

	if (!options_parse(argc, argv, &story.options))
		return 2;
	if (story.options.help) {
		options_print_help();
		return 0;
	}
	if (!bring_up(&story))
		return 1;
	bool fine = tell(&story);
	machine_stop(&story.machine);
	return fine ? 0 : 1;
}
