/* SPDX-License-Identifier: MPL-2.0 */
/* What the workers do with frames: every operation of framehold/frame.h. */
#include "worker.h"

static bool is_stamped_wrongly(struct worker *worker,
			       const struct held_frame *held)
{
	return held->stamped &&
	       !worker_check_stamp(worker, fh_frame_number(held->frame));
}

/* Half of the pages are plain memory, half are notes. */
static enum outcome allocate(struct worker *worker)
{
	struct fh_alloc_options options = worker_alloc_options(worker);
	bool is_note = worker_chance(worker, 2);
	struct note note = note_make(worker->cpu, worker->notes_made);
	struct fh_meta meta = note_meta_pack(&note);
	struct fh_frame frame;

	if (!worker_has_room_for_frame(worker))
		return NOTHING;
	enum fh_status status = fh_frame_alloc(
		&options, is_note ? &note_type : &fh_untyped_type,
		is_note ? &meta : NULL, &frame);
	if (status != FH_OK)
		return worker_settle(worker, status,
				     may_answer(FH_E_NO_MEMORY));
	worker->notes_made += is_note;
	const uint64_t *bytes = fh_host_linear(fh_frame_paddr(frame));
	if (options.zeroed && *bytes != 0)
		return worker_wrong(worker, "gave a page that is not zero");
	worker_stamp(fh_frame_number(frame));
	worker_keep_frame(worker, frame, true);
	return DONE;
}

static enum outcome claim(struct worker *worker)
{
	struct fh_paddr pa = worker_island_page(worker);
	struct note note = note_make(worker->cpu, worker->notes_made);
	struct note_frame made;

	if (!worker_has_room_for_frame(worker))
		return NOTHING;
	enum fh_status status = note_frame_from_unused(pa, &note, &made);
	if (status != FH_OK)
		return worker_settle(worker, status, may_answer_claim());
	worker->notes_made++;
	struct fh_frame frame = note_frame_into_dyn(&made);
	worker_stamp(fh_frame_number(frame));
	worker_keep_frame(worker, frame, true);
	return DONE;
}

/* An address off the board; its page may be anything again by now. */
static enum outcome share_by_address(struct worker *worker)
{
	uint64_t *place =
		&worker->common->board[worker_random(worker, BOARD_PLACES)];
	uint64_t number = __atomic_load_n(place, __ATOMIC_RELAXED);
	struct fh_frame frame;

	if (number == 0 || !worker_has_room_for_frame(worker))
		return NOTHING;
	enum fh_status status =
		fh_frame_from_in_use(fh_paddr_of_frame(number), &frame);
	if (status != FH_OK)
		return worker_settle(worker, status,
				     may_answer(FH_E_UNUSED) |
					     may_answer(FH_E_UNIQUE) |
					     may_answer(FH_E_BUSY));
	/* Its owner may not have stamped it yet. */
	worker_keep_frame(worker, frame, false);
	return DONE;
}

static enum outcome publish(struct worker *worker)
{
	if (worker->frame_count == 0)
		return NOTHING;
	struct held_frame *held =
		&worker->frames[worker_random(worker, worker->frame_count)];
	uint64_t *place =
		&worker->common->board[worker_random(worker, BOARD_PLACES)];
	__atomic_store_n(place, fh_frame_number(held->frame), __ATOMIC_RELAXED);
	return DONE;
}

static enum outcome get(struct worker *worker)
{
	if (worker->frame_count == 0 || !worker_has_room_for_frame(worker))
		return NOTHING;
	struct held_frame *held =
		&worker->frames[worker_random(worker, worker->frame_count)];
	worker_keep_frame(worker, fh_frame_get(held->frame), held->stamped);
	return DONE;
}

/* Keeps half, so that there is always something to work on. */
static enum outcome put(struct worker *worker)
{
	if (worker->frame_count <= MOST_FRAMES / 2)
		return NOTHING;
	struct held_frame held = worker_take_frame(worker);
	if (is_stamped_wrongly(worker, &held))
		return worker_wrong(worker, "found a page overwritten");
	fh_frame_put(&held.frame);
	return DONE;
}

static enum outcome borrow(struct worker *worker)
{
	if (worker->frame_count == 0)
		return NOTHING;
	struct fh_frame frame =
		worker->frames[worker_random(worker, worker->frame_count)]
			.frame;
	struct fh_frame_ref ref = fh_frame_borrow(frame);
	if (fh_frame_ref_number(ref) != fh_frame_number(frame))
		return worker_wrong(worker, "named another page");
	return DONE;
}

static enum outcome get_borrowed(struct worker *worker)
{
	if (worker->frame_count == 0 || !worker_has_room_for_frame(worker))
		return NOTHING;
	struct held_frame *held =
		&worker->frames[worker_random(worker, worker->frame_count)];
	struct fh_frame_ref ref = fh_frame_borrow(held->frame);
	worker_keep_frame(worker, fh_frame_ref_get(ref), held->stamped);
	return DONE;
}

static enum outcome forget(struct worker *worker)
{
	if (worker->frame_count == 0 || worker->raw_count == MOST_RAWS)
		return NOTHING;
	struct held_frame held = worker_take_frame(worker);
	struct fh_paddr pa = fh_frame_into_raw(&held.frame);
	worker->raws[worker->raw_count++] = (struct held_raw){pa, held.stamped};
	return DONE;
}

static enum outcome add_by_address(struct worker *worker)
{
	if (worker->frame_count == 0 || worker->raw_count == MOST_RAWS)
		return NOTHING;
	struct held_frame *held =
		&worker->frames[worker_random(worker, worker->frame_count)];
	struct fh_paddr pa = fh_frame_paddr(held->frame);
	enum outcome outcome = worker_settle(worker, fh_frame_inc(pa), 0);
	if (outcome == DONE)
		worker->raws[worker->raw_count++] =
			(struct held_raw){pa, held->stamped};
	return outcome;
}

static enum outcome restore(struct worker *worker)
{
	struct fh_frame frame;

	if (worker->raw_count == 0 || !worker_has_room_for_frame(worker))
		return NOTHING;
	struct held_raw raw = worker->raws[worker->raw_count - 1];
	enum outcome outcome =
		worker_settle(worker, fh_frame_from_raw(raw.pa, &frame), 0);
	if (outcome != DONE)
		return outcome;
	worker->raw_count--;
	worker_keep_frame(worker, frame, raw.stamped);
	return DONE;
}

static enum outcome treat_as_untyped(struct worker *worker)
{
	struct fh_uframe plain;

	if (worker->frame_count == 0)
		return NOTHING;
	struct held_frame *held =
		&worker->frames[worker_random(worker, worker->frame_count)];
	enum outcome outcome = worker_settle(
		worker, fh_uframe_from_frame(&held->frame, &plain),
		may_answer(FH_E_WRONG_TYPE));
	if (outcome == DONE)
		held->frame = fh_frame_from_uframe(&plain);
	return outcome;
}

static enum outcome treat_as_note(struct worker *worker)
{
	struct note_frame note = {fh_frame_none()};

	if (worker->frame_count == 0)
		return NOTHING;
	struct held_frame *held =
		&worker->frames[worker_random(worker, worker->frame_count)];
	enum outcome outcome =
		worker_settle(worker, note_frame_from_dyn(&held->frame, &note),
			      may_answer(FH_E_WRONG_TYPE));
	if (outcome != DONE)
		return outcome;
	struct note words;
	__builtin_memcpy(&words, note_frame_meta(note), sizeof(words));
	held->frame = note_frame_into_dyn(&note);
	if (!note_is_intact(&words))
		return worker_wrong(worker, "found broken metadata");
	return DONE;
}

/* Leaves a frame for somebody and takes what somebody left: puts cross CPUs. */
static enum outcome exchange(struct worker *worker)
{
	struct mailbox *box =
		&worker->common->mailboxes[worker_random(worker, MAILBOXES)];

	if (worker->frame_count == 0)
		return NOTHING;
	struct held_frame held = worker_take_frame(worker);
	(void)pthread_mutex_lock(&box->lock);
	struct held_frame letter = box->letter;
	box->letter = held;
	(void)pthread_mutex_unlock(&box->lock);
	if (fh_frame_is_some(letter.frame))
		worker_keep_frame(worker, letter.frame, letter.stamped);
	return DONE;
}

const struct operation frame_operations[] = {
	{"fh_frame_alloc", 9, allocate},
	{"fh_frame_from_unused", 6, claim},
	{"fh_frame_from_in_use", 4, share_by_address},
	{"fh_frame_get", 6, get},
	{"fh_frame_put", 22, put},
	{"fh_frame_borrow", 4, borrow},
	{"fh_frame_ref_get", 2, get_borrowed},
	{"fh_frame_into_raw", 4, forget},
	{"fh_frame_inc", 2, add_by_address},
	{"fh_frame_from_raw", 5, restore},
	{"fh_uframe_from_frame", 3, treat_as_untyped},
	{"note_frame_from_dyn", 3, treat_as_note},
	{"(publish an address)", 3, publish},
	{"(exchange with a CPU)", 4, exchange},
	{NULL, 0, NULL},
};
