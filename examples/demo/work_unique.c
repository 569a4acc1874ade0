/* SPDX-License-Identifier: MPL-2.0 */
/* What the workers do with unique frames: framehold/unique.h. */
#include "worker.h"

static enum outcome allocate(struct worker *worker)
{
	struct fh_alloc_options options = worker_alloc_options(worker);
	struct note note = note_make(worker->cpu, worker->notes_made);
	struct fh_meta meta = note_meta_pack(&note);
	struct fh_unique unique;

	if (!worker_has_room_for_unique(worker))
		return NOTHING;
	enum fh_status status =
		fh_unique_alloc(&options, &note_type, &meta, &unique);
	if (status != FH_OK)
		return worker_settle(worker, status,
				     may_answer(FH_E_NO_MEMORY));
	worker->notes_made++;
	worker_stamp(fh_unique_number(unique));
	worker_keep_unique(worker, unique, true);
	return DONE;
}

static enum outcome claim(struct worker *worker)
{
	struct fh_paddr pa = worker_island_page(worker);
	struct fh_unique unique;

	if (!worker_has_room_for_unique(worker))
		return NOTHING;
	enum fh_status status =
		fh_unique_from_unused(pa, &fh_untyped_type, NULL, &unique);
	if (status != FH_OK)
		return worker_settle(worker, status, may_answer_claim());
	worker_stamp(fh_unique_number(unique));
	worker_keep_unique(worker, unique, true);
	return DONE;
}

/* Plain memory becomes a note, a note plain memory. */
static enum outcome repurpose(struct worker *worker)
{
	struct note note = note_make(worker->cpu, worker->notes_made);
	struct fh_meta meta = note_meta_pack(&note);

	if (worker->unique_count == 0)
		return NOTHING;
	struct fh_unique unique =
		worker->uniques[worker_random(worker, worker->unique_count)]
			.unique;
	bool to_note = fh_unique_type(unique) != &note_type;
	enum fh_status status =
		to_note ? fh_unique_repurpose(unique, &note_type, &meta)
			: fh_unique_repurpose(unique, &fh_untyped_type, NULL);
	if (status == FH_OK)
		worker->notes_made += to_note;
	return worker_settle(worker, status, 0);
}

/* The owner alone may write the words. */
static enum outcome rewrite(struct worker *worker)
{
	if (worker->unique_count == 0)
		return NOTHING;
	struct fh_unique unique =
		worker->uniques[worker_random(worker, worker->unique_count)]
			.unique;
	if (fh_unique_type(unique) == &note_type) {
		struct note note = note_make(worker->cpu, worker->random);

		__builtin_memcpy(note_unique_meta(unique), &note, sizeof(note));
	}
	return DONE;
}

static enum outcome share(struct worker *worker)
{
	if (worker->unique_count == 0 || !worker_has_room_for_frame(worker))
		return NOTHING;
	struct held_unique held = worker_take_unique(worker);
	worker_keep_frame(worker, fh_frame_from_unique(&held.unique),
			  held.stamped);
	return DONE;
}

static enum outcome unshare(struct worker *worker)
{
	struct fh_unique unique;

	if (worker->frame_count == 0 || !worker_has_room_for_unique(worker))
		return NOTHING;
	struct held_frame held = worker_take_frame(worker);
	enum outcome outcome = worker_settle(
		worker, fh_unique_from_frame(&held.frame, &unique),
		may_answer(FH_E_IN_USE));
	if (outcome == DONE)
		worker_keep_unique(worker, unique, held.stamped);
	else
		worker_keep_frame(worker, held.frame, held.stamped);
	return outcome;
}

static enum outcome put(struct worker *worker)
{
	if (worker->unique_count == 0)
		return NOTHING;
	struct held_unique held = worker_take_unique(worker);
	uint64_t frame = fh_unique_number(held.unique);
	if (held.stamped && !worker_check_stamp(worker, frame))
		return worker_wrong(worker, "found a page overwritten");
	fh_unique_put(&held.unique);
	return DONE;
}

static enum outcome forget_and_restore(struct worker *worker)
{
	if (worker->unique_count == 0)
		return NOTHING;
	struct held_unique *held =
		&worker->uniques[worker_random(worker, worker->unique_count)];
	struct fh_paddr pa = fh_unique_into_raw(&held->unique);
	return worker_settle(worker, fh_unique_from_raw(pa, &held->unique), 0);
}

/* In between, another CPU may claim the page, and even give it back itself. */
static enum outcome reset_and_add(struct worker *worker)
{
	if (worker->unique_count == 0)
		return NOTHING;
	struct held_unique held = worker_take_unique(worker);
	uint64_t frame = fh_unique_number(held.unique);
	fh_unique_reset_as_unused(&held.unique);
	return worker_settle(worker, fh_alloc_add(frame, 1),
			     may_answer_claim() | may_answer(FH_E_TWICE));
}

const struct operation unique_operations[] = {
	{"fh_unique_alloc", 8, allocate},
	{"fh_unique_from_unused", 5, claim},
	{"fh_unique_repurpose", 3, repurpose},
	{"fh_unique_meta", 3, rewrite},
	{"fh_frame_from_unique", 5, share},
	{"fh_unique_from_frame", 5, unshare},
	{"fh_unique_put", 3, put},
	{"fh_unique_into_raw + from_raw", 2, forget_and_restore},
	{"fh_unique_reset_as_unused + alloc_add", 1, reset_and_add},
	{NULL, 0, NULL},
};
