/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Runs the workers. A turn repeats one operation, so that reading the clock,
 * once for each turn, costs little beside what it times.
 */
#define _GNU_SOURCE

#include "workload.h"
#include "worker.h"

#include "hosted.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MOST_OPERATIONS   80
#define TURN              32
#define PROGRESS_INTERVAL UINT64_C(50000000) /* nanoseconds */
#define MOST_PAGES        UINT64_C(32768)    /* in segments, a worker */
#define MOST_RETIRED      UINT64_C(3)        /* pages, a worker */
#define PAGES_PER_RETIRED UINT64_C(16384)

struct tally {
	uint64_t done;
	uint64_t refused;
	uint64_t nanoseconds;
};

/* An operation among all of them. */
struct entry {
	const char *owner;
	const struct operation *operation;
	uint64_t weights_before;
};

/* A CPU's part, on cache lines of its own. */
struct station {
	_Alignas(128) struct worker worker;
	struct tally tallies[MOST_OPERATIONS];
	uint64_t operations; /* read by CPU 0: atomic */
};

struct workload {
	struct workload_plan plan;
	workload_progress *progress;
	size_t entry_count;
	struct entry entries[MOST_OPERATIONS];
	uint64_t weights;
	uint64_t started; /* nanoseconds */
	uint64_t ended;
	uint64_t most_resident; /* bytes of the host's memory */
	struct fh_range plugged;
	bool stop; /* all CPUs; atomic */
	bool stopped_early;
	struct common common;
	struct station stations[];
};

static uint64_t now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* ---- Preparation ---- */

static void add_operations(struct workload *workload, const char *owner,
			   const struct operation *operations)
{
	for (size_t i = 0; operations[i].name != NULL; i++) {
		workload->entries[workload->entry_count++] = (struct entry){
			.owner = owner,
			.operation = &operations[i],
			.weights_before = workload->weights,
		};
		workload->weights += operations[i].weight;
	}
}

static uint64_t first_free(const struct fh_span *span)
{
	uint64_t first = span->first + span->taken;

	return first == 0 ? 1 : first;
}

static uint64_t free_pages(const struct fh_span *span)
{
	uint64_t end = span->first + span->count;

	if (span->kind != FH_REGION_USABLE || first_free(span) >= end)
		return 0;
	return end - first_free(span);
}

/* The index-th of the pages that were free at first. */
static uint64_t nth_free_page(const struct fh_memory_map *map, uint64_t index)
{
	for (size_t i = 0; i < map->count; i++) {
		uint64_t pages = free_pages(&map->spans[i]);

		if (index < pages)
			return first_free(&map->spans[i]) + index;
		index -= pages;
	}
	return 1;
}

/* All over memory: one at a random place of each of so many equal parts. */
static void place_islands(struct common *common, uint64_t free, uint64_t seed)
{
	struct worker surveyor = {.random = ~seed};
	const struct fh_memory_map *map = hosted_map();
	uint64_t count = free / ISLAND_PAGES;

	if (count > ISLANDS)
		count = ISLANDS;
	if (count == 0)
		count = 1;
	uint64_t part = free / count;
	for (uint64_t i = 0; i < count; i++)
		common->islands[i] = nth_free_page(
			map, i * part + worker_random(&surveyor, part));
	common->island_count = count;
}

static void prepare_common(struct common *common,
			   const struct workload_plan *plan)
{
	struct fh_memory_totals totals;

	fh_memory_totals(&totals);
	common->cpus = plan->cpus;
	for (size_t i = 0; i < MAILBOXES; i++)
		(void)pthread_mutex_init(&common->mailboxes[i].lock, NULL);
	for (size_t i = 0; i < FH_MAX_CPUS; i++)
		(void)pthread_mutex_init(&common->parcels[i].lock, NULL);
	place_islands(common, totals.handed_over, plan->seed);
	common->pages_per_worker = totals.handed_over / (4 * plan->cpus);
	if (common->pages_per_worker > MOST_PAGES)
		common->pages_per_worker = MOST_PAGES;
	common->retired_per_worker =
		totals.handed_over / PAGES_PER_RETIRED / plan->cpus;
	if (common->retired_per_worker > MOST_RETIRED)
		common->retired_per_worker = MOST_RETIRED;
}

/* So much that nobody's computer comes to a halt. */
static uint64_t half_of_host_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);
	long page_size = sysconf(_SC_PAGESIZE);

	if (pages <= 0 || page_size <= 0)
		return UINT64_MAX;
	return (uint64_t)pages * (uint64_t)page_size / 2;
}

struct workload *workload_new(const struct workload_plan *plan)
{
	size_t size =
		sizeof(struct workload) + plan->cpus * sizeof(struct station);
	struct workload *workload =
		aligned_alloc(_Alignof(struct workload), size);

	if (workload == NULL)
		return NULL;
	__builtin_memset(workload, 0, size);
	workload->plan = *plan;
	workload->most_resident = half_of_host_memory();
	add_operations(workload, "frames", frame_operations);
	add_operations(workload, "unique frames", unique_operations);
	add_operations(workload, "segments", segment_operations);
	add_operations(workload, "lists", list_operations);
	add_operations(workload, "the allocator's ways", alloc_operations);
	add_operations(workload, "the allocator's stock", zone_operations);
	prepare_common(&workload->common, plan);
	for (unsigned cpu = 0; cpu < plan->cpus; cpu++) {
		struct worker *worker = &workload->stations[cpu].worker;

		worker->common = &workload->common;
		worker->cpu = cpu;
		worker->random = plan->seed + (uint64_t)cpu * UINT32_MAX;
	}
	return workload;
}

void workload_free(struct workload *workload)
{
	if (workload == NULL)
		return;
	for (size_t i = 0; i < MAILBOXES; i++)
		(void)pthread_mutex_destroy(
			&workload->common.mailboxes[i].lock);
	for (size_t i = 0; i < FH_MAX_CPUS; i++)
		(void)pthread_mutex_destroy(&workload->common.parcels[i].lock);
	free(workload);
}

/* ---- Running ---- */

static size_t pick_entry(const struct workload *workload, struct worker *worker)
{
	uint64_t at = worker_random(worker, workload->weights);
	size_t i = workload->entry_count - 1;

	while (workload->entries[i].weights_before > at)
		i--;
	return i;
}

/* Repeats the operation until there is nothing left to do it on. */
static enum outcome take_turn(struct station *station,
			      const struct operation *operation,
			      struct tally *tally)
{
	uint64_t done = 0;
	uint64_t refused = 0;
	enum outcome outcome = DONE;

	for (unsigned i = 0; i < TURN && outcome <= REFUSED; i++) {
		outcome = operation->run(&station->worker);
		done += outcome == DONE;
		refused += outcome == REFUSED;
	}
	worker_record(&station->worker, done);
	tally->done += done;
	tally->refused += refused;
	__atomic_store_n(&station->operations,
			 station->operations + done + refused,
			 __ATOMIC_RELAXED);
	return outcome;
}

static bool is_stopping(const struct workload *workload)
{
	return __atomic_load_n(&workload->stop, __ATOMIC_RELAXED);
}

static void stop_all(struct workload *workload)
{
	__atomic_store_n(&workload->stop, true, __ATOMIC_RELAXED);
}

static double fraction_done(const struct workload *workload,
			    const struct station *station, uint64_t time)
{
	if (workload->plan.operations != 0)
		return (double)station->operations /
		       (double)workload->plan.operations;
	return (double)(time - workload->started) / 1e9 /
	       workload->plan.seconds;
}

static uint64_t operations_so_far(const struct workload *workload)
{
	uint64_t operations = 0;

	for (unsigned cpu = 0; cpu < workload->plan.cpus; cpu++)
		operations += __atomic_load_n(
			&workload->stations[cpu].operations, __ATOMIC_RELAXED);
	return operations;
}

/* On CPU 0. */
static void look_around(struct workload *workload, double fraction)
{
	workload->progress(fraction, operations_so_far(workload));
	if (hosted_resident_bytes() > workload->most_resident) {
		workload->stopped_early = true;
		stop_all(workload);
	}
}

static void complain(struct workload *workload, const struct worker *worker,
		     const struct operation *operation)
{
	fprintf(stderr, "fh-demo: CPU %u: %s %s\n", worker->cpu,
		operation->name, worker->wrong);
	stop_all(workload);
}

/* On CPU 0, half-way, while the others go on. */
static bool plug_is_due(const struct workload *workload, unsigned cpu,
			double fraction)
{
	return cpu == 0 && fraction >= 0.5 && workload->plan.plug.count != 0 &&
	       workload->plugged.count == 0;
}

static void plug_in(struct workload *workload)
{
	static const struct operation plugging = {"fh_memory_plug", 0, NULL};
	struct fh_range plug = workload->plan.plug;
	struct worker *worker = &workload->stations[0].worker;

	if (worker_settle(worker, fh_memory_plug(plug.first, plug.count), 0) ==
	    DONE)
		workload->plugged = plug;
	else
		complain(workload, worker, &plugging);
}

static void work(unsigned cpu, void *arg)
{
	struct workload *workload = arg;
	struct station *station = &workload->stations[cpu];
	uint64_t time = workload->started;
	uint64_t looked = time;
	double fraction = 0.0;

	while (fraction < 1.0 && !is_stopping(workload)) {
		size_t i = pick_entry(workload, &station->worker);
		const struct operation *operation =
			workload->entries[i].operation;

		if (take_turn(station, operation, &station->tallies[i]) ==
		    WRONG)
			complain(workload, &station->worker, operation);
		uint64_t later = now();
		station->tallies[i].nanoseconds += later - time;
		time = later;
		fraction = fraction_done(workload, station, time);
		if (plug_is_due(workload, cpu, fraction)) {
			plug_in(workload);
			time = now();
		}
		if (cpu == 0 && time - looked > PROGRESS_INTERVAL) {
			looked = time;
			look_around(workload, fraction);
			time = now();
		}
	}
}

static bool all_went_well(const struct workload *workload)
{
	for (unsigned cpu = 0; cpu < workload->plan.cpus; cpu++)
		if (workload->stations[cpu].worker.wrong[0] != '\0')
			return false;
	return true;
}

bool workload_run(struct workload *workload, workload_progress *progress)
{
	workload->progress = progress;
	workload->started = now();
	hosted_run(workload->plan.cpus, work, workload);
	workload->ended = now();
	progress(1.0, operations_so_far(workload));
	return all_went_well(workload);
}

static void drop_neighbour(unsigned cpu, void *arg)
{
	struct workload *workload = arg;
	unsigned other = (cpu + 1) % workload->plan.cpus;

	worker_drop_everything(&workload->stations[other].worker);
	worker_drop_parcel(&workload->common.parcels[other]);
	for (size_t i = cpu; i < MAILBOXES; i += workload->plan.cpus)
		fh_frame_put(&workload->common.mailboxes[i].letter.frame);
}

void workload_drop_everything(struct workload *workload)
{
	hosted_run(workload->plan.cpus, drop_neighbour, workload);
}

/* ---- Results ---- */

bool workload_row(const struct workload *workload, size_t index,
		  struct workload_row *row)
{
	if (index >= workload->entry_count)
		return false;
	*row = (struct workload_row){
		.owner = workload->entries[index].owner,
		.name = workload->entries[index].operation->name,
	};
	for (unsigned cpu = 0; cpu < workload->plan.cpus; cpu++) {
		const struct tally *tally =
			&workload->stations[cpu].tallies[index];

		row->done += tally->done;
		row->refused += tally->refused;
		row->nanoseconds += tally->nanoseconds;
	}
	return true;
}

struct workload_totals workload_totals(const struct workload *workload)
{
	struct workload_totals totals = {
		.seconds = (double)(workload->ended - workload->started) / 1e9,
		.operations = operations_so_far(workload),
		.plugged = workload->plugged,
		.stopped_early = workload->stopped_early,
	};

	for (unsigned cpu = 0; cpu < workload->plan.cpus; cpu++) {
		const struct worker *worker = &workload->stations[cpu].worker;

		totals.notes_made += worker->notes_made;
		totals.stamps += worker->stamps;
		totals.retired += worker->retired;
	}
	if (workload->plan.cpus == 1)
		totals.digest = workload->stations[0].worker.digest;
	return totals;
}
