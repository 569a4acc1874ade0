/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the workers ask the allocator for, beside single pages and short
 * segments: blocks of 2 MiB, segments of odd lengths, zeroed or not, pages
 * below a limit or at an alignment; and how they give back: on another CPU
 * than allocated, and in pieces.
 */
#include "worker.h"

#define BLOCK_PAGES 512
#define MOST_ODD    1999

/* ---- Asking ---- */

static uint64_t *word_of_page(uint64_t frame)
{
	return fh_host_linear(fh_paddr_of_frame(frame));
}

/* The last words of the first and the last page: stamps are the first ones. */
static void soil(struct fh_segment segment)
{
	uint64_t first = fh_segment_first(segment);
	uint64_t last = first + fh_segment_count(segment) - 1;

	word_of_page(first)[511] = first;
	word_of_page(last)[511] = last;
}

static bool page_is_zero(uint64_t frame)
{
	const uint64_t *words = word_of_page(frame);

	for (unsigned i = 0; i < 512; i++)
		if (words[i] != 0)
			return false;
	return true;
}

/* All of the first and the last page, and the ends of those between. */
static bool is_zeroed(struct fh_segment segment)
{
	uint64_t first = fh_segment_first(segment);
	uint64_t last = first + fh_segment_count(segment) - 1;

	for (uint64_t i = first; i <= last; i++)
		if (word_of_page(i)[0] != 0 || word_of_page(i)[511] != 0)
			return false;
	return page_is_zero(first) && page_is_zero(last);
}

/* A segment as options say, checked and kept. */
static enum outcome ask(struct worker *worker, uint64_t pages,
			const struct fh_alloc_options *options)
{
	struct fh_segment segment;

	if (!worker_has_room_for_segment(worker, pages))
		return NOTHING;
	enum fh_status status = fh_segment_alloc(
		pages, options, &fh_untyped_type, NULL, &segment);
	if (status != FH_OK)
		return worker_settle(worker, status,
				     may_answer(FH_E_NO_MEMORY));
	uint64_t first = fh_segment_first(segment);
	if (options->align != 0 && first % options->align != 0)
		return worker_wrong(worker, "ignored the alignment");
	if (options->below != 0 && first + pages > options->below)
		return worker_wrong(worker, "ignored the limit");
	if (options->zeroed && !is_zeroed(segment))
		return worker_wrong(worker, "gave pages that are not zero");
	soil(segment);
	worker_keep_segment(worker, segment);
	return DONE;
}

static enum outcome ask_block(struct worker *worker)
{
	struct fh_alloc_options options = {
		.align = BLOCK_PAGES,
		.zeroed = worker_chance(worker, 64),
	};

	return ask(worker, BLOCK_PAGES, &options);
}

static enum outcome ask_odd(struct worker *worker)
{
	struct fh_alloc_options options = {.align = 1};

	return ask(worker, 1 + 2 * worker_random(worker, MOST_ODD / 2 + 1),
		   &options);
}

static enum outcome ask_odd_zeroed(struct worker *worker)
{
	struct fh_alloc_options options = {.zeroed = true};

	return ask(worker, 1 + 2 * worker_random(worker, 16), &options);
}

static enum outcome ask_aligned(struct worker *worker)
{
	struct fh_alloc_options options = {
		.align = UINT64_C(1) << worker_random(worker, 11),
		.zeroed = worker_chance(worker, 64),
	};

	return ask(worker, 1 + worker_random(worker, 40), &options);
}

/* The end of an island, so that there is memory below. */
static uint64_t random_limit(struct worker *worker)
{
	return fh_frame_of_paddr(worker_island_page(worker)) + ISLAND_PAGES;
}

static enum outcome ask_aligned_below(struct worker *worker)
{
	struct fh_alloc_options options = {
		.align = UINT64_C(1) << worker_random(worker, 7),
		.below = random_limit(worker),
	};

	return ask(worker, 1 + worker_random(worker, 16), &options);
}

static enum outcome ask_page_below(struct worker *worker)
{
	struct fh_alloc_options options = {.below = random_limit(worker)};
	struct fh_frame frame;

	if (!worker_has_room_for_frame(worker))
		return NOTHING;
	enum fh_status status =
		fh_frame_alloc(&options, &fh_untyped_type, NULL, &frame);
	if (status != FH_OK)
		return worker_settle(worker, status,
				     may_answer(FH_E_NO_MEMORY));
	if (fh_frame_number(frame) >= options.below)
		return worker_wrong(worker, "ignored the limit");
	worker_stamp(fh_frame_number(frame));
	worker_keep_frame(worker, frame, true);
	return DONE;
}

/* ---- Giving back elsewhere ---- */

static struct parcel *parcel_of_another(struct worker *worker)
{
	unsigned cpus = worker->common->cpus;
	unsigned step =
		cpus == 1 ? 0 : 1 + (unsigned)worker_random(worker, cpus - 1);

	return &worker->common->parcels[(worker->cpu + step) % cpus];
}

/* False: the parcel is full, and the caller keeps the frame. */
static bool send(struct parcel *parcel, struct held_frame held)
{
	(void)pthread_mutex_lock(&parcel->lock);
	bool has_room = parcel->frame_count < MOST_SENT_FRAMES;
	if (has_room)
		parcel->frames[parcel->frame_count++] = held;
	(void)pthread_mutex_unlock(&parcel->lock);
	return has_room;
}

static enum outcome send_frame(struct worker *worker)
{
	struct fh_alloc_options options = worker_alloc_options(worker);
	struct fh_frame frame;
	enum fh_status status =
		fh_frame_alloc(&options, &fh_untyped_type, NULL, &frame);

	if (status != FH_OK)
		return worker_settle(worker, status,
				     may_answer(FH_E_NO_MEMORY));
	worker_record(worker, fh_frame_number(frame));
	worker_stamp(fh_frame_number(frame));
	if (send(parcel_of_another(worker), (struct held_frame){frame, true}))
		return DONE;
	fh_frame_put(&frame);
	return NOTHING;
}

static enum outcome put_sent_frame(struct worker *worker)
{
	struct parcel *parcel = &worker->common->parcels[worker->cpu];
	struct held_frame held = {fh_frame_none(), false};

	(void)pthread_mutex_lock(&parcel->lock);
	if (parcel->frame_count > 0)
		held = parcel->frames[--parcel->frame_count];
	(void)pthread_mutex_unlock(&parcel->lock);
	if (!fh_frame_is_some(held.frame))
		return NOTHING;
	if (!worker_check_stamp(worker, fh_frame_number(held.frame)))
		return worker_wrong(worker, "found a page overwritten");
	fh_frame_put(&held.frame);
	return DONE;
}

static enum outcome send_segment(struct worker *worker)
{
	struct parcel *parcel = parcel_of_another(worker);

	if (worker->segment_count == 0)
		return NOTHING;
	(void)pthread_mutex_lock(&parcel->lock);
	bool has_room = parcel->segment_count < MOST_SENT_SEGMENTS;
	if (has_room)
		parcel->segments[parcel->segment_count++] =
			worker_take_segment(worker);
	(void)pthread_mutex_unlock(&parcel->lock);
	return has_room ? DONE : NOTHING;
}

static enum outcome put_sent_segment(struct worker *worker)
{
	struct parcel *parcel = &worker->common->parcels[worker->cpu];
	struct fh_segment segment = fh_segment_none();

	(void)pthread_mutex_lock(&parcel->lock);
	if (parcel->segment_count > 0)
		segment = parcel->segments[--parcel->segment_count];
	(void)pthread_mutex_unlock(&parcel->lock);
	if (fh_segment_count(segment) == 0)
		return NOTHING;
	fh_segment_put(&segment);
	return DONE;
}

/* ---- Giving back in pieces ---- */

/* Cut at two places; the upper end first, the middle last. */
static enum outcome put_in_pieces(struct worker *worker)
{
	struct fh_segment low, rest, middle, high;

	if (worker->segment_count == 0)
		return NOTHING;
	struct fh_segment segment = worker_take_segment(worker);
	uint64_t count = fh_segment_count(segment);
	if (count < 3) {
		fh_segment_put(&segment);
		return DONE;
	}
	uint64_t at = 1 + worker_random(worker, count - 2);
	uint64_t then = 1 + worker_random(worker, count - at - 1);
	enum fh_status status = fh_segment_split(&segment, at, &low, &rest);
	if (status == FH_OK)
		status = fh_segment_split(&rest, then, &middle, &high);
	if (status == FH_OK) {
		fh_segment_put(&high);
		fh_segment_put(&low);
		fh_segment_put(&middle);
	}
	return worker_settle(worker, status, 0);
}

const struct operation alloc_operations[] = {
	{"fh_segment_alloc (2 MiB, aligned)", 2, ask_block},
	{"fh_segment_alloc (odd length)", 2, ask_odd},
	{"fh_segment_alloc (odd, zeroed)", 2, ask_odd_zeroed},
	{"fh_segment_alloc (aligned)", 2, ask_aligned},
	{"fh_segment_alloc (aligned, below)", 2, ask_aligned_below},
	{"fh_frame_alloc (below)", 2, ask_page_below},
	{"fh_frame_alloc (for another CPU)", 5, send_frame},
	{"fh_frame_put (another CPU's)", 6, put_sent_frame},
	{"(send a segment to a CPU)", 3, send_segment},
	{"fh_segment_put (another CPU's)", 4, put_sent_segment},
	{"fh_segment_split + put (pieces)", 3, put_in_pieces},
	{NULL, 0, NULL},
};
