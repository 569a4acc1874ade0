/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Lists. A member is a unique page whose handle the list has taken in; its
 * last two words are the numbers of its neighbours, 0 at an end, and its slot
 * carries the list's id, so that membership is one read for anybody.
 *
 *        front                          back
 *          |                              |
 *   0 <- [ a ] <-> [ b ] <-> ... <-> [ z ] -> 0
 *
 * The caller protects the list; only ids are read by others, relaxed.
 */
#include <framehold/host.h>
#include <framehold/list.h>

#include "report.h"
#include "slot.h"

#define LINK_NEXT 3
#define LINK_PREV 4

/* Ids are never used twice: 2^63 lists outlast any machine. */
#define LIST_ID_END ((uint64_t)INT64_MAX)

static uint64_t next_list_id = 1;

static uint64_t list_next(uint64_t frame)
{
	return fh_slots[frame].meta.w[LINK_NEXT];
}

static uint64_t list_prev(uint64_t frame)
{
	return fh_slots[frame].meta.w[LINK_PREV];
}

/* The list's id, drawn now if it has none yet. */
static uint64_t list_id(struct fh_list *list, uint64_t frame)
{
	if (list->id == 0) {
		uint64_t id = fh_word_add_relaxed(&next_list_id, 1);

		if (id >= LIST_ID_END)
			fh_stop("list_id", frame, fh_state_load_relaxed(frame),
				"list ids that are left", 0, 0);
		list->id = id;
	}
	return list->id;
}

/* Ties frame in between two neighbours, either of which may be 0. */
static void link_in(struct fh_list *list, uint64_t prev, uint64_t frame,
		    uint64_t next)
{
	fh_slots[frame].meta.w[LINK_PREV] = prev;
	fh_slots[frame].meta.w[LINK_NEXT] = next;
	if (prev == 0)
		list->front = frame;
	else
		fh_slots[prev].meta.w[LINK_NEXT] = frame;
	if (next == 0)
		list->back = frame;
	else
		fh_slots[next].meta.w[LINK_PREV] = frame;
	list->size = list->size + 1;
}

/* The reverse: its neighbours, if any, become each other's. */
static void link_out(struct fh_list *list, uint64_t frame)
{
	uint64_t prev = list_prev(frame);
	uint64_t next = list_next(frame);

	if (prev == 0)
		list->front = next;
	else
		fh_slots[prev].meta.w[LINK_NEXT] = next;
	if (next == 0)
		list->back = prev;
	else
		fh_slots[next].meta.w[LINK_PREV] = prev;
	fh_slots[frame].meta.w[LINK_PREV] = 0;
	fh_slots[frame].meta.w[LINK_NEXT] = 0;
	list->size = list->size - 1;
}

static enum fh_status insert_member(struct fh_list *list, struct fh_unique *u,
				    uint64_t prev, uint64_t next,
				    uintptr_t site)
{
	uint64_t i = fh_unique_number(*u);

	if (i == 0)
		return FH_E_EMPTY;
	if (fh_unique_type(*u)->size > FH_META_SIZE_IN_LIST)
		return FH_E_WRONG_TYPE;
	fh_list_id_store_relaxed(i, list_id(list, i));
	fh_unit_enter_list(u->handle, site);
	u->handle = 0;
	link_in(list, prev, i, next);
	return FH_OK;
}

static void remove_member(struct fh_list *list, uint64_t frame,
			  struct fh_unique *out, uintptr_t site)
{
	link_out(list, frame);
	fh_list_id_store_relaxed(frame, 0);
	out->handle = fh_unit_leave_list(frame, site);
}

enum fh_status fh_list_push_front(struct fh_list *list, struct fh_unique *u)
{
	return insert_member(list, u, 0, list->front, FH_CALLER);
}

enum fh_status fh_list_push_back(struct fh_list *list, struct fh_unique *u)
{
	return insert_member(list, u, list->back, 0, FH_CALLER);
}

enum fh_status fh_list_pop_front(struct fh_list *list, struct fh_unique *out)
{
	if (list->front == 0)
		return FH_E_EMPTY;
	remove_member(list, list->front, out, FH_CALLER);
	return FH_OK;
}

enum fh_status fh_list_pop_back(struct fh_list *list, struct fh_unique *out)
{
	if (list->back == 0)
		return FH_E_EMPTY;
	remove_member(list, list->back, out, FH_CALLER);
	return FH_OK;
}

/* Whether the page at pa is a member, and its number. */
static bool find_member(const struct fh_list *list, struct fh_paddr pa,
			uint64_t *frame)
{
	if (list->id == 0 || fh_slot_find_live(pa, frame) != FH_OK)
		return false;
	/*
	 * Relaxed: the list's owner wrote the ids of its members itself; of
	 * any other page the id tells that it is none, whenever it is read.
	 */
	return fh_list_id_load_relaxed(*frame) == list->id;
}

bool fh_list_contains(const struct fh_list *list, struct fh_paddr pa)
{
	uint64_t frame;

	return find_member(list, pa, &frame);
}

void fh_list_drop(struct fh_list *list)
{
	while (list->front != 0) {
		struct fh_unique u;

		remove_member(list, list->front, &u, FH_CALLER);
		fh_unique_put(&u);
	}
}

struct fh_list_cursor fh_list_cursor_front(struct fh_list *list)
{
	struct fh_list_cursor cursor = {.list = list, .frame = list->front};

	return cursor;
}

struct fh_list_cursor fh_list_cursor_back(struct fh_list *list)
{
	struct fh_list_cursor cursor = {.list = list, .frame = list->back};

	return cursor;
}

enum fh_status fh_list_cursor_at(struct fh_list *list, struct fh_paddr pa,
				 struct fh_list_cursor *out)
{
	uint64_t frame;

	if (!find_member(list, pa, &frame))
		return FH_E_OUT_OF_BOUND;
	out->list = list;
	out->frame = frame;
	return FH_OK;
}

void fh_list_cursor_next(struct fh_list_cursor *cursor)
{
	cursor->frame = cursor->frame == 0 ? cursor->list->front
					   : list_next(cursor->frame);
}

void fh_list_cursor_prev(struct fh_list_cursor *cursor)
{
	cursor->frame = cursor->frame == 0 ? cursor->list->back
					   : list_prev(cursor->frame);
}

enum fh_status fh_list_cursor_take(struct fh_list_cursor *cursor,
				   struct fh_unique *out)
{
	uint64_t frame = cursor->frame;

	if (frame == 0)
		return FH_E_EMPTY;
	cursor->frame = list_next(frame);
	remove_member(cursor->list, frame, out, FH_CALLER);
	return FH_OK;
}

enum fh_status fh_list_cursor_insert_before(struct fh_list_cursor *cursor,
					    struct fh_unique *u)
{
	uint64_t next = cursor->frame;
	uint64_t prev = next == 0 ? cursor->list->back : list_prev(next);

	return insert_member(cursor->list, u, prev, next, FH_CALLER);
}

/* The external definitions of this header's inline functions. */
extern struct fh_list fh_list_none(void);
extern uint64_t fh_list_size(const struct fh_list *list);
extern bool fh_list_is_empty(const struct fh_list *list);
extern uint64_t fh_list_cursor_number(const struct fh_list_cursor *cursor);
extern const struct fh_list *
fh_list_cursor_list(const struct fh_list_cursor *cursor);
