/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Each CPU keeps what it gets in an array that grows. It asks for a length
 * until that is refused, and for shorter ones from then on; refusal of a
 * single page is the end. Nobody frees meanwhile, so when the last CPU has been
 * refused, nothing is left. What a CPU had, its neighbour gives up.
 */
#define _GNU_SOURCE

#include "exhaust.h"

#include "hosted.h"

#include <framehold/framehold.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* 4 GiB are used up as a whole; of more, 1 GiB: each page costs its slot. */
#define MOST_PAGES (UINT64_C(1) << 20)
#define PART_PAGES (UINT64_C(1) << 18)

/* Segments of up to 4 MiB. */
#define LONGEST 1024

/* A CPU's part. */
struct hoard {
	_Alignas(128) struct fh_segment *segments;
	size_t count;
	size_t capacity;
	uint64_t blocks;
	uint64_t pages;
	uint64_t random;
	const char *wrong; /* why the phase must end, or null */
};

struct siege {
	unsigned cpus;
	uint64_t below;
	struct hoard hoards[FH_MAX_CPUS];
};

/* xorshift64*: never 0 if it was not. */
static uint64_t random_below(struct hoard *hoard, uint64_t n)
{
	uint64_t x = hoard->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	hoard->random = x;
	return (x * UINT64_C(0x2545f4914f6cdd1d) >> 16) % n;
}

/* ---- Having all ---- */

static bool make_room(struct hoard *hoard)
{
	size_t capacity = hoard->capacity == 0 ? 1024 : 2 * hoard->capacity;

	if (hoard->count < hoard->capacity)
		return true;
	void *larger =
		realloc(hoard->segments, capacity * sizeof(*hoard->segments));
	if (larger == NULL) {
		hoard->wrong = "the host has no memory";
		return false;
	}
	hoard->segments = larger;
	hoard->capacity = capacity;
	return true;
}

/* False: refused, or something is wrong. */
static bool have(const struct siege *siege, struct hoard *hoard, uint64_t pages,
		 uint64_t align)
{
	struct fh_alloc_options options = {
		.align = align,
		.below = siege->below,
	};

	if (!make_room(hoard))
		return false;
	enum fh_status status =
		fh_segment_alloc(pages, &options, &fh_untyped_type, NULL,
				 &hoard->segments[hoard->count]);
	if (status == FH_OK) {
		hoard->count++;
		hoard->pages += pages;
	} else if (status != FH_E_NO_MEMORY) {
		hoard->wrong = fh_status_name(status);
	}
	return status == FH_OK;
}

/* Random lengths, shorter ones whenever one is refused. */
static void have_lengths(const struct siege *siege, struct hoard *hoard,
			 uint64_t longest)
{
	while (longest > 0 && hoard->wrong == NULL) {
		uint64_t pages = 1 + random_below(hoard, longest);

		if (!have(siege, hoard, pages, 1))
			longest = pages - 1;
	}
}

static void take_lengths(unsigned cpu, void *arg)
{
	struct siege *siege = arg;

	have_lengths(siege, &siege->hoards[cpu], LONGEST);
}

static void take_blocks(unsigned cpu, void *arg)
{
	struct siege *siege = arg;
	struct hoard *hoard = &siege->hoards[cpu];

	while (have(siege, hoard, BLOCK_PAGES, BLOCK_PAGES))
		hoard->blocks++;
}

/* ---- Giving all back ---- */

static void give_up_neighbours(unsigned cpu, void *arg)
{
	struct siege *siege = arg;
	struct hoard *hoard = &siege->hoards[(cpu + 1) % siege->cpus];

	/* In disorder: the runs have to grow together again. */
	for (size_t left = hoard->count; left > 0; left--) {
		size_t i = random_below(hoard, left);

		fh_segment_put(&hoard->segments[i]);
		hoard->segments[i] = hoard->segments[left - 1];
	}
	hoard->count = 0;
	hoard->blocks = 0;
	hoard->pages = 0;
}

/* ---- Rounds ---- */

static bool complain(const char *why)
{
	fprintf(stderr, "fh-demo: while memory was exhausted: %s\n", why);
	return false;
}

static bool audit_in_between(void)
{
	struct fh_finding finding;
	char text[FH_FINDING_TEXT_SIZE];

	if (fh_audit(&finding) == FH_OK)
		return true;
	fh_finding_text(&finding, text, sizeof(text));
	return complain(text);
}

/* Once more on this CPU, now that all others are parked. */
static bool is_exhausted(const struct siege *siege)
{
	struct fh_alloc_options options = {.below = siege->below};
	struct fh_frame frame;
	enum fh_status status =
		fh_frame_alloc(&options, &fh_untyped_type, NULL, &frame);

	if (status == FH_OK)
		fh_frame_put(&frame);
	return status == FH_E_NO_MEMORY ||
	       complain("there is a page left, and every CPU was refused");
}

static struct exhaust_round sum_up(const struct siege *siege)
{
	struct exhaust_round round = {0};
	struct fh_alloc_stats stats;

	for (unsigned cpu = 0; cpu < siege->cpus; cpu++) {
		const struct hoard *hoard = &siege->hoards[cpu];

		round.blocks += hoard->blocks;
		round.segments += hoard->count - hoard->blocks;
		round.pages += hoard->pages;
	}
	fh_alloc_stats(&stats);
	round.left =
		siege->below == 0 ? stats.free : zones_free_below(siege->below);
	return round;
}

static bool run_round(struct siege *siege, bool in_blocks,
		      struct exhaust_round *round)
{
	/* All CPUs have their last block before one of them breaks one up. */
	if (in_blocks)
		hosted_run(siege->cpus, take_blocks, siege);
	hosted_run(siege->cpus, take_lengths, siege);
	*round = sum_up(siege);
	for (unsigned cpu = 0; cpu < siege->cpus; cpu++)
		if (siege->hoards[cpu].wrong != NULL)
			return complain(siege->hoards[cpu].wrong);
	if (!is_exhausted(siege) || !audit_in_between())
		return false;
	hosted_run(siege->cpus, give_up_neighbours, siege);
	return true;
}

/* The end of the first free part, if all of memory is too much; 0 if not. */
static uint64_t choose_limit(const struct zones *zones)
{
	return zones->free <= MOST_PAGES ? 0 : zones_first_free() + PART_PAGES;
}

static double seconds_since(const struct timespec *start)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	return (double)(end.tv_sec - start->tv_sec) +
	       (double)(end.tv_nsec - start->tv_nsec) / 1e9;
}

static void survey_before(struct siege *siege, struct exhaustion *result)
{
	result->before = zones_now();
	result->below = choose_limit(&result->before);
	siege->below = result->below;
	result->free = result->before.free;
	result->free_blocks = result->before.free_blocks;
	if (result->below != 0) {
		result->free = zones_free_below(result->below);
		result->free_blocks = zones_blocks_below(result->below);
	}
}

bool exhaust(const struct exhaust_plan *plan, struct exhaustion *result)
{
	static struct siege siege;
	struct timespec start;
	bool fine = true;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	siege = (struct siege){.cpus = plan->cpus};
	for (unsigned cpu = 0; cpu < plan->cpus; cpu++)
		siege.hoards[cpu].random =
			(plan->seed * 64 + cpu) * 2654435761U + 1;
	survey_before(&siege, result);
	for (unsigned i = 0; fine && i < 2; i++)
		fine = run_round(&siege, i == 1, &result->rounds[i]);
	for (unsigned cpu = 0; cpu < plan->cpus; cpu++)
		free(siege.hoards[cpu].segments);
	result->after = zones_now();
	result->seconds = seconds_since(&start);
	return fine;
}

static bool is_whole_again(const struct zones *before,
			   const struct zones *after)
{
	for (size_t i = 0; i < before->count; i++)
		if (before->zone[i].free != after->zone[i].free ||
		    before->zone[i].free_blocks != after->zone[i].free_blocks ||
		    before->zone[i].longest_run != after->zone[i].longest_run)
			return false;
	return before->count == after->count;
}

bool exhaust_is_fine(const struct exhaustion *result)
{
	for (unsigned i = 0; i < 2; i++)
		if (result->rounds[i].pages != result->free ||
		    result->rounds[i].left != 0)
			return false;
	return result->rounds[1].blocks == result->free_blocks &&
	       is_whole_again(&result->before, &result->after);
}
