/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The steps that all operations share. A worker's random numbers depend on its
 * seed alone and nothing it does depends on time, so that one worker alone
 * always does the same.
 */
#include "worker.h"

#include <stdio.h>

/* splitmix64: every seed is a good one. */
static uint64_t next_random(struct worker *worker)
{
	uint64_t z;

	worker->random += UINT64_C(0x9e3779b97f4a7c15);
	z = worker->random;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t worker_random(struct worker *worker, uint64_t n)
{
	return next_random(worker) % n;
}

bool worker_chance(struct worker *worker, uint64_t n)
{
	return worker_random(worker, n) == 0;
}

unsigned may_answer(enum fh_status status)
{
	return 1u << (unsigned)status;
}

/* An island at the end of memory may reach beyond it. */
unsigned may_answer_claim(void)
{
	return may_answer(FH_E_IN_USE) | may_answer(FH_E_UNIQUE) |
	       may_answer(FH_E_BUSY) | may_answer(FH_E_OUT_OF_BOUND);
}

enum outcome worker_settle(struct worker *worker, enum fh_status status,
			   unsigned answers)
{
	worker_record(worker, (uint64_t)status);
	if (status == FH_OK)
		return DONE;
	if ((may_answer(status) & answers) != 0)
		return REFUSED;
	snprintf(worker->wrong, sizeof(worker->wrong),
		 "answered \"%s\", which it must not here",
		 fh_status_name(status));
	return WRONG;
}

enum outcome worker_wrong(struct worker *worker, const char *what)
{
	snprintf(worker->wrong, sizeof(worker->wrong), "%s", what);
	return WRONG;
}

void worker_record(struct worker *worker, uint64_t number)
{
	worker->digest = (worker->digest ^ number) * UINT64_C(0x100000001b3);
	worker->digest ^= worker->digest >> 29;
}

struct fh_paddr worker_island_page(struct worker *worker)
{
	uint64_t island = worker_random(worker, worker->common->island_count);

	return fh_paddr_of_frame(worker->common->islands[island] +
				 worker_random(worker, ISLAND_PAGES));
}

static uint64_t *stamp_of(uint64_t frame)
{
	return fh_host_linear(fh_paddr_of_frame(frame));
}

void worker_stamp(uint64_t frame)
{
	*stamp_of(frame) = ~frame;
}

bool worker_check_stamp(struct worker *worker, uint64_t frame)
{
	worker->stamps++;
	return *stamp_of(frame) == ~frame;
}

struct fh_alloc_options worker_alloc_options(struct worker *worker)
{
	struct fh_alloc_options options = {
		.zeroed = worker_chance(worker, 4),
	};

	return options;
}

bool worker_has_room_for_frame(const struct worker *worker)
{
	return worker->frame_count < MOST_FRAMES;
}

void worker_keep_frame(struct worker *worker, struct fh_frame frame,
		       bool stamped)
{
	worker_record(worker, fh_frame_number(frame));
	worker->frames[worker->frame_count++] =
		(struct held_frame){frame, stamped};
}

struct held_frame worker_take_frame(struct worker *worker)
{
	size_t i = worker_random(worker, worker->frame_count);
	struct held_frame held = worker->frames[i];

	worker->frames[i] = worker->frames[--worker->frame_count];
	return held;
}

bool worker_has_room_for_unique(const struct worker *worker)
{
	return worker->unique_count < MOST_UNIQUES;
}

void worker_keep_unique(struct worker *worker, struct fh_unique unique,
			bool stamped)
{
	worker_record(worker, fh_unique_number(unique));
	worker->uniques[worker->unique_count++] =
		(struct held_unique){unique, stamped};
}

struct held_unique worker_take_unique(struct worker *worker)
{
	size_t i = worker_random(worker, worker->unique_count);
	struct held_unique held = worker->uniques[i];

	worker->uniques[i] = worker->uniques[--worker->unique_count];
	return held;
}

bool worker_has_room_for_segment(const struct worker *worker, uint64_t pages)
{
	uint64_t most = worker->common->pages_per_worker;

	return worker->segment_count < MOST_SEGMENTS && pages <= most &&
	       worker->segment_pages <= most - pages;
}

void worker_keep_segment(struct worker *worker, struct fh_segment segment)
{
	worker_record(worker, fh_segment_first(segment));
	worker_record(worker, fh_segment_count(segment));
	worker->segments[worker->segment_count++] = segment;
	worker->segment_pages += fh_segment_count(segment);
}

struct fh_segment worker_take_segment(struct worker *worker)
{
	size_t i = worker_random(worker, worker->segment_count);
	struct fh_segment segment = worker->segments[i];

	worker->segments[i] = worker->segments[--worker->segment_count];
	worker->segment_pages -= fh_segment_count(segment);
	return segment;
}

static void drop_forgotten(struct worker *worker)
{
	while (worker->raw_count > 0) {
		struct fh_frame frame;
		struct fh_paddr pa = worker->raws[--worker->raw_count].pa;

		if (fh_frame_from_raw(pa, &frame) == FH_OK)
			fh_frame_put(&frame);
	}
	while (worker->range_count > 0) {
		struct fh_segment segment;
		struct fh_range range = worker->ranges[--worker->range_count];

		if (fh_segment_from_raw(range, &segment) == FH_OK)
			fh_segment_put(&segment);
	}
}

void worker_drop_parcel(struct parcel *parcel)
{
	while (parcel->frame_count > 0) {
		parcel->frame_count--;
		fh_frame_put(&parcel->frames[parcel->frame_count].frame);
	}
	while (parcel->segment_count > 0) {
		parcel->segment_count--;
		fh_segment_put(&parcel->segments[parcel->segment_count]);
	}
}

void worker_drop_everything(struct worker *worker)
{
	while (worker->frame_count > 0) {
		struct held_frame held = worker_take_frame(worker);

		fh_frame_put(&held.frame);
	}
	while (worker->unique_count > 0) {
		struct held_unique held = worker_take_unique(worker);

		fh_unique_put(&held.unique);
	}
	while (worker->segment_count > 0) {
		struct fh_segment segment = worker_take_segment(worker);

		fh_segment_put(&segment);
	}
	for (size_t i = 0; i < MOST_LISTS; i++)
		fh_list_drop(&worker->lists[i]);
	drop_forgotten(worker);
}
