/* SPDX-License-Identifier: MPL-2.0 */
/* What the workers do with segments: every operation of framehold/segment.h. */
#include "worker.h"

#define FEW_PAGES 32

/* Mostly a few pages, now and then as many as a sixteenth of what is allowed. */
static uint64_t random_pages(struct worker *worker)
{
	uint64_t large = worker->common->pages_per_worker / 16;

	if (large > 64 && worker_chance(worker, 6))
		return 64 + worker_random(worker, large - 63);
	return 1 + worker_random(worker, FEW_PAGES);
}

static struct fh_segment *any_segment(struct worker *worker)
{
	return &worker->segments[worker_random(worker, worker->segment_count)];
}

static enum outcome allocate(struct worker *worker)
{
	struct fh_alloc_options options = {.zeroed = false};
	uint64_t pages = random_pages(worker);
	struct fh_segment segment;

	if (!worker_has_room_for_segment(worker, pages))
		return NOTHING;
	if (pages == 16)
		options.align = 16;
	enum fh_status status = fh_segment_alloc(
		pages, &options, &fh_untyped_type, NULL, &segment);
	if (status != FH_OK)
		return worker_settle(worker, status,
				     may_answer(FH_E_NO_MEMORY));
	if (options.align != 0 && fh_segment_first(segment) % 16 != 0)
		return worker_wrong(worker, "ignored the alignment");
	worker_keep_segment(worker, segment);
	return DONE;
}

/* Runs once for each page that was claimed, rolled back or not. */
static struct fh_meta make_note(void *context, struct fh_paddr pa)
{
	struct worker *worker = context;
	struct note note = note_make(worker->cpu, pa.bytes);

	worker->notes_made++;
	return note_meta_pack(&note);
}

static enum outcome claim(struct worker *worker)
{
	struct fh_paddr start = worker_island_page(worker);
	uint64_t pages = 1 + worker_random(worker, 8);
	struct fh_paddr end =
		fh_paddr_of_frame(fh_frame_of_paddr(start) + pages);
	struct fh_segment segment;

	if (!worker_has_room_for_segment(worker, pages))
		return NOTHING;
	enum fh_status status = fh_segment_from_unused_with(
		start, end, &note_type, make_note, worker, &segment);
	if (status != FH_OK)
		return worker_settle(worker, status, may_answer_claim());
	worker_keep_segment(worker, segment);
	return DONE;
}

static enum outcome split(struct worker *worker)
{
	struct fh_segment low;
	struct fh_segment high;

	if (worker->segment_count == 0 ||
	    !worker_has_room_for_segment(worker, 0))
		return NOTHING;
	struct fh_segment segment = worker_take_segment(worker);
	uint64_t at = worker_random(worker, fh_segment_count(segment));
	enum outcome outcome = worker_settle(
		worker, fh_segment_split(&segment, at, &low, &high),
		may_answer(FH_E_OUT_OF_BOUND));
	if (outcome == DONE) {
		worker_keep_segment(worker, low);
		worker_keep_segment(worker, high);
	} else {
		worker_keep_segment(worker, segment);
	}
	return outcome;
}

static enum outcome slice(struct worker *worker)
{
	struct fh_segment part;

	if (worker->segment_count == 0)
		return NOTHING;
	struct fh_segment segment = *any_segment(worker);
	uint64_t count = fh_segment_count(segment);
	uint64_t begin = worker_random(worker, count);
	uint64_t pages = 1 + worker_random(worker, count - begin);
	if (!worker_has_room_for_segment(worker, pages))
		return NOTHING;
	enum outcome outcome = worker_settle(
		worker, fh_segment_slice(segment, begin, begin + pages, &part),
		0);
	if (outcome == DONE)
		worker_keep_segment(worker, part);
	return outcome;
}

static enum outcome get(struct worker *worker)
{
	if (worker->segment_count == 0)
		return NOTHING;
	struct fh_segment segment = *any_segment(worker);
	if (!worker_has_room_for_segment(worker, fh_segment_count(segment)))
		return NOTHING;
	worker_keep_segment(worker, fh_segment_get(segment));
	return DONE;
}

static enum outcome next(struct worker *worker)
{
	struct fh_frame frame;

	if (worker->segment_count == 0 || !worker_has_room_for_frame(worker))
		return NOTHING;
	struct fh_segment segment = worker_take_segment(worker);
	enum outcome outcome =
		worker_settle(worker, fh_segment_next(&segment, &frame), 0);
	if (fh_segment_count(segment) != 0)
		worker_keep_segment(worker, segment);
	if (outcome == DONE)
		worker_keep_frame(worker, frame, false);
	return outcome;
}

static enum outcome from_frame(struct worker *worker)
{
	if (worker->frame_count == 0 || !worker_has_room_for_segment(worker, 1))
		return NOTHING;
	struct held_frame held = worker_take_frame(worker);
	worker_keep_segment(worker, fh_segment_from_frame(&held.frame));
	return DONE;
}

static enum outcome borrow(struct worker *worker)
{
	struct fh_frame_ref ref;

	if (worker->segment_count == 0)
		return NOTHING;
	struct fh_segment segment = *any_segment(worker);
	uint64_t index = worker_random(worker, fh_segment_count(segment));
	enum outcome outcome = worker_settle(
		worker, fh_segment_borrow(segment, index, &ref), 0);
	if (outcome == DONE &&
	    fh_frame_ref_number(ref) != fh_segment_first(segment) + index)
		return worker_wrong(worker, "named another page");
	return outcome;
}

static enum outcome treat_as_untyped(struct worker *worker)
{
	struct fh_usegment plain;

	if (worker->segment_count == 0)
		return NOTHING;
	struct fh_segment *segment = any_segment(worker);
	enum outcome outcome =
		worker_settle(worker, fh_usegment_from_segment(segment, &plain),
			      may_answer(FH_E_WRONG_TYPE));
	if (outcome == DONE)
		*segment = fh_segment_from_usegment(&plain);
	return outcome;
}

static enum outcome check_type(struct worker *worker)
{
	if (worker->segment_count == 0)
		return NOTHING;
	return worker_settle(
		worker, fh_segment_check_type(*any_segment(worker), &note_type),
		may_answer(FH_E_WRONG_TYPE));
}

static enum outcome forget(struct worker *worker)
{
	if (worker->segment_count == 0 || worker->range_count == MOST_RANGES)
		return NOTHING;
	struct fh_segment segment = worker_take_segment(worker);
	worker->ranges[worker->range_count++] = fh_segment_into_raw(&segment);
	return DONE;
}

static enum outcome restore(struct worker *worker)
{
	struct fh_segment segment;

	if (worker->range_count == 0)
		return NOTHING;
	struct fh_range range = worker->ranges[worker->range_count - 1];
	if (!worker_has_room_for_segment(worker, range.count))
		return NOTHING;
	enum outcome outcome =
		worker_settle(worker, fh_segment_from_raw(range, &segment), 0);
	if (outcome != DONE)
		return outcome;
	worker->range_count--;
	worker_keep_segment(worker, segment);
	return DONE;
}

/* Keeps half, so that there is always something to work on. */
static enum outcome put(struct worker *worker)
{
	if (worker->segment_count == 0 ||
	    (worker->segment_count <= MOST_SEGMENTS / 2 &&
	     worker_has_room_for_segment(worker, FEW_PAGES)))
		return NOTHING;
	struct fh_segment segment = worker_take_segment(worker);
	fh_segment_put(&segment);
	return DONE;
}

const struct operation segment_operations[] = {
	{"fh_segment_alloc", 6, allocate},
	{"fh_segment_from_unused_with", 4, claim},
	{"fh_segment_split", 3, split},
	{"fh_segment_slice", 2, slice},
	{"fh_segment_get", 1, get},
	{"fh_segment_next", 2, next},
	{"fh_segment_from_frame", 1, from_frame},
	{"fh_segment_borrow", 3, borrow},
	{"fh_usegment_from_segment", 2, treat_as_untyped},
	{"fh_segment_check_type", 2, check_type},
	{"fh_segment_into_raw", 2, forget},
	{"fh_segment_from_raw", 2, restore},
	{"fh_segment_put", 10, put},
	{NULL, 0, NULL},
};
