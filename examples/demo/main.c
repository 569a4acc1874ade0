/* SPDX-License-Identifier: MPL-2.0 */
/*
 * fh-demo: what Framehold does, from a firmware's memory map to a machine that
 * is taken down again with every page accounted for. main() is the story;
 * the other files tell its parts.
 */
#define _GNU_SOURCE

#include "census.h"
#include "mapfile.h"
#include "note.h"
#include "options.h"
#include "picture.h"
#include "progress.h"
#include "tables.h"
#include "workload.h"

#include "hosted.h"

#include <framehold/framehold.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What must be the same at the end as at the beginning. */
struct account {
	struct fh_alloc_stats allocator;
	struct fh_audit_summary pages;
};

static struct account take_account(void)
{
	struct account account;

	memset(&account, 0, sizeof(account));
	fh_alloc_stats(&account.allocator);
	fh_audit_summary(&account.pages);
	return account;
}

static const char *machine_name(const struct options *options)
{
	return options->ram != 0 ? "made-up machine" : options->map;
}

static double milliseconds_since(const struct timespec *start)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	return (double)(end.tv_sec - start->tv_sec) * 1e3 +
	       (double)(end.tv_nsec - start->tv_nsec) / 1e6;
}

static bool bring_up(const struct options *options)
{
	struct regions regions;
	struct timespec start;

	if (options->ram != 0 ? !mapfile_make(options->ram, &regions)
			      : !mapfile_read(options->map, &regions))
		return false;
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	enum fh_status status =
		hosted_start(regions.entries, regions.count, NULL);
	double milliseconds = milliseconds_since(&start);
	size_t entries = regions.count;
	free(regions.entries);
	if (status != FH_OK) {
		fprintf(stderr, "fh-demo: %s: this machine cannot work: %s\n",
			machine_name(options), hosted_why());
		return false;
	}
	printf("%s: %zu entries, %u simulated CPUs\n", machine_name(options),
	       entries, options->cpus);
	tables_print_map(hosted_map());
	tables_print_bring_up(milliseconds, hosted_resident_bytes());
	return true;
}

/* ---- Checks ---- */

static bool audit(const char *when)
{
	struct fh_finding finding;
	char text[FH_FINDING_TEXT_SIZE];

	if (fh_audit(&finding) == FH_OK) {
		printf("audit %s: no broken rule\n", when);
		return true;
	}
	fh_finding_text(&finding, text, sizeof(text));
	fprintf(stderr, "fh-demo: audit %s: %s\n", when, text);
	return false;
}

/* Says the comparison, and whether it holds. */
static bool same(const char *what, uint64_t found, uint64_t needed)
{
	printf("  %-44s %15s %15s%s\n", what, number_grouped(found).text,
	       number_grouped(needed).text,
	       found == needed ? "" : "  DIFFERENT");
	return found == needed;
}

static void print_leaks(void)
{
	struct fh_leak leaks[16];
	size_t n = fh_ledger_leaks(leaks, 16);

	for (size_t i = 0; i < n; i++)
		fprintf(stderr,
			"fh-demo: %" PRIu64
			" of kind %s were made at 0x%" PRIxPTR
			" and never given up; one is page 0x%" PRIx64 "\n",
			leaks[i].handles, fh_unit_name(leaks[i].kind),
			leaks[i].site, leaks[i].first);
}

static bool compare_units(const struct account *before,
			  const struct account *after)
{
	bool fine = true;

	for (int kind = 0; kind < FH_UNIT_KINDS; kind++)
		fine &= after->pages.units[kind] == before->pages.units[kind];
	if (!fine)
		printf("  units of ownership by kind DIFFERENT\n");
	return fine;
}

static bool nothing_leaked(const struct account *before,
			   const struct workload_totals *totals)
{
	struct account after = take_account();
	bool fine = true;

	printf("\n  %-44s %15s %15s\n", "", "at the end", "at the start");
	fine &= same("pages free in the allocator", after.allocator.free,
		     before->allocator.free);
	fine &= same("pages free by their slots", after.pages.free,
		     before->pages.free);
	fine &= same("pages unused", after.pages.unused, before->pages.unused);
	fine &= same("pages unique", after.pages.unique, before->pages.unique);
	fine &= same("pages shared", after.pages.shared, before->pages.shared);
	fine &= compare_units(before, &after);
	printf("\n  %-44s %15s %15s\n", "", "dropped", "claimed");
	fine &= same("pages with the demo's type", notes_dropped(),
		     totals->notes_made);
	if (!fh_ledger_is_clean()) {
		print_leaks();
		fine = false;
	}
	if (notes_broken() != 0) {
		fprintf(stderr,
			"fh-demo: metadata of %" PRIu64 " pages broke\n",
			notes_broken());
		fine = false;
	}
	return fine;
}

/* ---- The story ---- */

static bool draw(const struct options *options,
		 const struct workload_totals *totals,
		 const struct census *census)
{
	const char *machine =
		options->ram != 0 ? "A made-up machine" : options->map;
	char caption[5000];
	struct picture picture = {
		.machine = machine_name(options),
		.caption = caption,
		.map = hosted_map(),
		.census = census,
	};

	snprintf(caption, sizeof(caption),
		 "%s%s %s, after %u CPU%s worked for %.1f seconds "
		 "(%s operations, seed %" PRIu64 ").",
		 machine, options->ram != 0 ? " of" : ": a machine of",
		 number_size(census_total(census)).text, options->cpus,
		 options->cpus == 1 ? "" : "s", totals->seconds,
		 number_grouped(totals->operations).text, options->seed);
	if (!picture_write(options->picture, &picture))
		return false;
	printf("\npicture: %s\n", options->picture);
	return true;
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
	if (totals.stopped_early)
		printf("  (stopped early: half of the host's memory is in "
		       "use)\n");
}

/* The CPUs are parked and hold what they hold. */
static bool inspect(const struct options *options,
		    const struct workload *workload)
{
	struct workload_totals totals = workload_totals(workload);

	report_workload(workload);
	printf("\nAll CPUs parked, holding what they hold:\n");
	if (!audit("while in use"))
		return false;
	struct census census = census_of_all();
	tables_print_owners(&census);
	return draw(options, &totals, &census);
}

static bool take_down(struct workload *workload, const struct account *before)
{
	struct workload_totals totals = workload_totals(workload);

	printf("\nEverything is given up, by other CPUs than held it:\n");
	workload_drop_everything(workload);
	if (!audit("afterwards"))
		return false;
	if (!nothing_leaked(before, &totals)) {
		fprintf(stderr, "fh-demo: something leaked\n");
		return false;
	}
	printf("\nNothing leaked.\n");
	return true;
}

static bool run(const struct options *options)
{
	struct workload_plan plan = {
		.cpus = options->cpus,
		.seconds = options->seconds,
		.operations = options->operations,
		.seed = options->seed,
	};
	struct account before = take_account();
	struct workload *workload = workload_new(&plan);

	if (workload == NULL) {
		fprintf(stderr, "fh-demo: no memory\n");
		return false;
	}
	printf("\n");
	fflush(stdout);
	bool fine = workload_run(workload, progress_show) &&
		    inspect(options, workload) && take_down(workload, &before);
	workload_free(workload);
	return fine;
}

int main(int argc, char **argv)
{
	struct options options;

	if (!options_parse(argc, argv, &options))
		return 2;
	if (options.help) {
		options_print_help();
		return 0;
	}
	if (!bring_up(&options))
		return 1;
	bool fine = run(&options);
	hosted_stop();
	return fine ? 0 : 1;
}
