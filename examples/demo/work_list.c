/* SPDX-License-Identifier: MPL-2.0 */
/* What the workers do with lists of frames: framehold/list.h. */
#include "worker.h"

static struct fh_list *any_list(struct worker *worker)
{
	return &worker->lists[worker_random(worker, MOST_LISTS)];
}

/* A member's page keeps its stamp, but the list does not remember whether. */
static enum outcome push(struct worker *worker)
{
	struct fh_list *list = any_list(worker);
	enum fh_status status;

	if (worker->unique_count == 0 || fh_list_size(list) >= MOST_MEMBERS)
		return NOTHING;
	struct held_unique held = worker_take_unique(worker);
	if (worker_chance(worker, 2))
		status = fh_list_push_front(list, &held.unique);
	else
		status = fh_list_push_back(list, &held.unique);
	return worker_settle(worker, status, 0);
}

static enum outcome pop(struct worker *worker)
{
	struct fh_list *list = any_list(worker);
	struct fh_unique unique;
	enum fh_status status;

	if (!worker_has_room_for_unique(worker))
		return NOTHING;
	if (worker_chance(worker, 2))
		status = fh_list_pop_front(list, &unique);
	else
		status = fh_list_pop_back(list, &unique);
	if (status == FH_OK)
		worker_keep_unique(worker, unique, false);
	return worker_settle(worker, status, may_answer(FH_E_EMPTY));
}

/* All around and back to the ghost, forwards or backwards. */
static enum outcome walk(struct worker *worker)
{
	struct fh_list *list = any_list(worker);
	bool forwards = worker_chance(worker, 2);
	struct fh_list_cursor cursor = forwards ? fh_list_cursor_front(list)
						: fh_list_cursor_back(list);
	uint64_t members = 0;

	while (fh_list_cursor_number(&cursor) != 0 && members <= MOST_MEMBERS) {
		members++;
		if (forwards)
			fh_list_cursor_next(&cursor);
		else
			fh_list_cursor_prev(&cursor);
	}
	if (members != fh_list_size(list))
		return worker_wrong(worker, "met another number of members");
	return DONE;
}

/* A cursor some steps into the list. */
static struct fh_list_cursor cursor_inside(struct worker *worker,
					   struct fh_list *list)
{
	struct fh_list_cursor cursor = fh_list_cursor_front(list);

	for (uint64_t steps = worker_random(worker, 8); steps > 0; steps--)
		fh_list_cursor_next(&cursor);
	return cursor;
}

static enum outcome take(struct worker *worker)
{
	struct fh_list_cursor cursor = cursor_inside(worker, any_list(worker));
	struct fh_unique unique;

	if (!worker_has_room_for_unique(worker))
		return NOTHING;
	enum fh_status status = fh_list_cursor_take(&cursor, &unique);
	if (status == FH_OK)
		worker_keep_unique(worker, unique, false);
	return worker_settle(worker, status, may_answer(FH_E_EMPTY));
}

static enum outcome insert(struct worker *worker)
{
	struct fh_list *list = any_list(worker);
	struct fh_list_cursor cursor = cursor_inside(worker, list);

	if (worker->unique_count == 0 || fh_list_size(list) >= MOST_MEMBERS)
		return NOTHING;
	struct held_unique held = worker_take_unique(worker);
	return worker_settle(
		worker, fh_list_cursor_insert_before(&cursor, &held.unique), 0);
}

/* Of any page, whoever owns it; of a member, the answer is known. */
static enum outcome ask(struct worker *worker)
{
	struct fh_list *list = any_list(worker);
	struct fh_list_cursor cursor = cursor_inside(worker, list);
	uint64_t member = fh_list_cursor_number(&cursor);

	(void)fh_list_contains(list, worker_island_page(worker));
	if (member != 0 && !fh_list_contains(list, fh_paddr_of_frame(member)))
		return worker_wrong(worker, "does not know its member");
	return DONE;
}

static enum outcome drop(struct worker *worker)
{
	struct fh_list *list = any_list(worker);

	if (fh_list_is_empty(list))
		return NOTHING;
	fh_list_drop(list);
	return DONE;
}

const struct operation list_operations[] = {
	{"fh_list_push_front, push_back", 8, push},
	{"fh_list_pop_front, pop_back", 5, pop},
	{"fh_list_cursor_next, prev (a walk)", 1, walk},
	{"fh_list_cursor_take", 2, take},
	{"fh_list_cursor_insert_before", 3, insert},
	{"fh_list_contains", 3, ask},
	{"fh_list_drop", 1, drop},
	{NULL, 0, NULL},
};
