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

/*@
  requires frame < FH_MAX_FRAMES;
  assigns \nothing;
  exits \false;
  ensures \result == NEXT_OF(frame);
*/
static uint64_t list_next(uint64_t frame)
{
	return fh_slots[frame].meta.w[LINK_NEXT];
}

/*@
  requires frame < FH_MAX_FRAMES;
  assigns \nothing;
  exits \false;
  ensures \result == PREV_OF(frame);
*/
static uint64_t list_prev(uint64_t frame)
{
	return fh_slots[frame].meta.w[LINK_PREV];
}

/* The list's id, drawn now if it has none yet. */
/*@
  requires ids_ok && \valid(list) && frame < FH_MAX_FRAMES;
  requires \separated(list, &next_list_id);
  requires list_wf(list->front, list->back, list->size, list->id);
  assigns list->id, next_list_id;
  exits \false;
  ensures ids_ok && list->id != 0 && \result == list->id;
  ensures list_wf(list->front, list->back, list->size, list->id);
  ensures \old(list->id) != 0 ==> list->id == \old(list->id);
  ensures \old(list->id) == 0 ==>
    \forall integer i; !is_member(list->id, i);
*/
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
/*@
  requires \valid(list) && 0 < frame < FH_MAX_FRAMES;
  requires prev < FH_MAX_FRAMES && next < FH_MAX_FRAMES;
  requires prev != frame && next != frame && (prev == next ==> prev == 0);
  requires list->size < FH_MAX_FRAMES;
  assigns fh_slots[frame].meta, fh_slots[prev].meta, fh_slots[next].meta,
          list->front, list->back, list->size;
  exits \false;
  ensures list->front == (prev == 0 ? frame : \old(list->front));
  ensures list->back == (next == 0 ? frame : \old(list->back));
  ensures list->size == \old(list->size) + 1;
  ensures \forall integer j; is_frame(j) ==> NEXT_OF(j) ==
    (j == frame ? next : j == prev && prev != 0 ? frame : \old(NEXT_OF(j)));
  ensures \forall integer j; is_frame(j) ==> PREV_OF(j) ==
    (j == frame ? prev : j == next && next != 0 ? frame : \old(PREV_OF(j)));
  ensures \forall integer j; is_frame(j) ==> words_same{Pre,Post}(j);
  ensures \forall integer j; is_frame(j) && j != frame &&
    (j != prev || prev == 0) && (j != next || next == 0) ==>
      fh_slots[j] == \old(fh_slots[j]);
*/
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
/*@
  requires \valid(list) && 0 < frame < FH_MAX_FRAMES;
  requires PREV_OF(frame) < FH_MAX_FRAMES && NEXT_OF(frame) < FH_MAX_FRAMES;
  requires PREV_OF(frame) != frame && NEXT_OF(frame) != frame;
  requires PREV_OF(frame) == NEXT_OF(frame) ==> PREV_OF(frame) == 0;
  requires 0 < list->size;
  assigns fh_slots[frame].meta, fh_slots[PREV_OF(frame)].meta,
          fh_slots[NEXT_OF(frame)].meta, list->front, list->back, list->size;
  exits \false;
  ensures list->front == \old(PREV_OF(frame) == 0
                                ? NEXT_OF(frame) : list->front);
  ensures list->back == \old(NEXT_OF(frame) == 0
                               ? PREV_OF(frame) : list->back);
  ensures list->size == \old(list->size) - 1;
  ensures \forall integer j; is_frame(j) ==> NEXT_OF(j) ==
    (j == frame ? 0 : j == \old(PREV_OF(frame)) && j != 0
                        ? \old(NEXT_OF(frame)) : \old(NEXT_OF(j)));
  ensures \forall integer j; is_frame(j) ==> PREV_OF(j) ==
    (j == frame ? 0 : j == \old(NEXT_OF(frame)) && j != 0
                        ? \old(PREV_OF(frame)) : \old(PREV_OF(j)));
  ensures \forall integer j; is_frame(j) ==> words_same{Pre,Post}(j);
  ensures \forall integer j; is_frame(j) && j != frame &&
    (j != \old(PREV_OF(frame)) || j == 0) &&
    (j != \old(NEXT_OF(frame)) || j == 0) ==>
      fh_slots[j] == \old(fh_slots[j]);
*/
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

/* The list takes the page's handle over. */
/*@
  requires region_inv && ids_ok && \valid(u) && unique_handle(u->handle);
  requires 0 < id < next_list_id && \separated(u, &next_list_id);
  assigns u->handle, fh_slots[u->handle].list, g_held[u->handle],
          g_raw[u->handle];
  exits \false;
  ensures region_inv && ids_ok && u->handle == 0;
  ensures is_member(id, \old(u->handle)) && g_held[\old(u->handle)] == 0 &&
          g_raw[\old(u->handle)] == 1;
*/
static void adopt_member(struct fh_unique *u, uint64_t id, uintptr_t site)
{
	/*@ assert slot_inv(u->handle) && live(u->handle); */
	fh_list_id_store_relaxed(fh_unique_number(*u), id);
	fh_unit_enter_list(u->handle, site);
	/*@ assert slot_inv(u->handle); */
	u->handle = 0;
}

/*@
  requires region_inv && ids_ok && \valid(list) && \valid(u);
  requires \separated(list, u, &next_list_id);
  requires 0 < u->handle < FH_MAX_FRAMES && unique_handle(u->handle);
  requires list_wf(list->front, list->back, list->size, list->id);
  requires list->size < FH_MAX_FRAMES;
  requires list_place(list->back, list->id, prev, next);
  assigns *list, u->handle, next_list_id,
          fh_slots[0 .. FH_LAST_FRAME], g_held[u->handle],
          g_raw[u->handle], g_pos[0 .. FH_LAST_FRAME];
  exits \false;
  ensures region_inv && ids_ok;
  ensures list_wf(list->front, list->back, list->size, list->id);
  ensures u->handle == 0;
  ensures list->size == \old(list->size) + 1 && list->id != 0;
  ensures \old(list->id) != 0 ==> list->id == \old(list->id);
  ensures is_member(list->id, \old(u->handle));
  ensures g_pos[\old(u->handle)] == \old(next == 0 ? list->size : g_pos[next]);
  ensures \forall integer j; is_member{Pre}(list->id, j) ==>
      is_member(list->id, j) && g_pos[j] == \old(g_pos[j]) +
        (\old(g_pos[j]) >= g_pos[\old(u->handle)] ? 1 : 0);
  ensures links_only{Pre,Post}(\old(u->handle));
  ensures non_members_same{Pre,Post}(list->id, \old(u->handle));
*/
static void insert_page(struct fh_list *list, struct fh_unique *u,
			uint64_t prev, uint64_t next, uintptr_t site)
{
	uint64_t i = fh_unique_number(*u);
	uint64_t id = list_id(list, i);

	/*@ ghost uint64_t at = next == 0 ? list->size : g_pos[next]; */
	/*@ assert slot_inv(i) && !is_member(id, i); */
	/*@ assert before: prev == 0 ? at == 0 && list->front == next :
	      is_member(id, prev) && g_pos[prev] == at - 1 &&
	      NEXT_OF(prev) == next; */
	/*@ assert after: next == 0 ? at == list->size && list->back == prev :
	      is_member(id, next) && g_pos[next] == at &&
	      PREV_OF(next) == prev; */
	/*@ assert alone: \forall integer j; is_member(id, j) &&
	      g_pos[j] == at ==> j == next; */
	/*@ ghost ghost_shift_up(id, at); */
	/*@ ghost g_pos[i] = at; */
	adopt_member(u, id, site);
	link_in(list, prev, i, next);
	/*@ assert region: region_inv && ids_ok; */
	/*@ assert members: \forall integer j; is_member(id, j) && j != i ==>
	      is_member{Pre}(id, j); */
	/*@ assert stay: \forall integer j; is_member{Pre}(id, j) ==>
	      j != i && is_member(id, j) && g_pos[j] == \at(g_pos[j],Pre) +
	        (\at(g_pos[j],Pre) >= at ? 1 : 0); */
	/*@ assert links: \forall integer j; is_member{Pre}(id, j) ==>
	      NEXT_OF(j) == (j == prev ? i : \at(NEXT_OF(j),Pre)) &&
	      PREV_OF(j) == (j == next ? i : \at(PREV_OF(j),Pre)); */
	/*@ assert self: is_member(id, i) && g_pos[i] == at &&
	      NEXT_OF(i) == next && PREV_OF(i) == prev; */
	/*@ assert others: \forall integer j; is_frame(j) && j != i &&
	      !is_member{Pre}(id, j) ==>
	        fh_slots[j] == \at(fh_slots[j],Pre) &&
	        g_pos[j] == \at(g_pos[j],Pre); */
	/*@ assert front: is_member(id, list->front) &&
	      g_pos[list->front] == 0; */
	/*@ assert back: is_member(id, list->back) &&
	      g_pos[list->back] == list->size - 1; */
	/*@ assert prevs: list_prevs(list->front, list->size, id); */
	/*@ assert nexts: list_nexts(list->back, list->size, id); */
	/*@ assert inj: list_inj(id); */
}

/*@
  requires region_inv && ids_ok && \valid(list) && \valid(u);
  requires \separated(list, u, &next_list_id);
  requires u->handle == 0 || unique_handle(u->handle);
  requires list_wf(list->front, list->back, list->size, list->id);
  requires list->size < FH_MAX_FRAMES;
  requires list_place(list->back, list->id, prev, next);
  assigns *list, u->handle, next_list_id,
          fh_slots[0 .. FH_LAST_FRAME], g_held[u->handle],
          g_raw[u->handle], g_pos[0 .. FH_LAST_FRAME];
  exits \false;
  ensures region_inv && ids_ok;
  ensures list_wf(list->front, list->back, list->size, list->id);
  behavior empty:
    assumes u->handle == 0;
    ensures \result == FH_E_EMPTY && *list == \old(*list);
    ensures u->handle == \old(u->handle) && kept{Pre,Post};
  behavior wrong_type:
    assumes u->handle != 0;
    assumes fh_slots[u->handle].type->size > FH_META_SIZE_IN_LIST;
    ensures \result == FH_E_WRONG_TYPE && *list == \old(*list);
    ensures u->handle == \old(u->handle) && kept{Pre,Post};
  behavior ok:
    assumes u->handle != 0;
    assumes fh_slots[u->handle].type->size <= FH_META_SIZE_IN_LIST;
    ensures \result == FH_OK && u->handle == 0;
    ensures list->size == \old(list->size) + 1 && list->id != 0;
    ensures \old(list->id) != 0 ==> list->id == \old(list->id);
    ensures is_member(list->id, \old(u->handle));
    ensures g_pos[\old(u->handle)] ==
      \old(next == 0 ? list->size : g_pos[next]);
    ensures \forall integer j; is_member{Pre}(list->id, j) ==>
      is_member(list->id, j) && g_pos[j] == \old(g_pos[j]) +
        (\old(g_pos[j]) >= g_pos[\old(u->handle)] ? 1 : 0);
    ensures links_only{Pre,Post}(\old(u->handle));
    ensures non_members_same{Pre,Post}(list->id, \old(u->handle));
  complete behaviors;
  disjoint behaviors;
*/
static enum fh_status insert_member(struct fh_list *list, struct fh_unique *u,
				    uint64_t prev, uint64_t next,
				    uintptr_t site)
{
	if (fh_unique_number(*u) == 0)
		return FH_E_EMPTY;
	if (fh_unique_type(*u)->size > FH_META_SIZE_IN_LIST)
		return FH_E_WRONG_TYPE;
	insert_page(list, u, prev, next, site);
	return FH_OK;
}

/* The page's handle is somebody's again. */
/*@
  requires region_inv && ids_ok && \valid(out);
  requires \separated(out, &next_list_id);
  requires is_frame(frame) && live(frame) && fh_slots[frame].list != 0;
  assigns out->handle, fh_slots[frame].list, g_held[frame], g_raw[frame];
  exits \false;
  ensures region_inv && ids_ok && out->handle == frame;
  ensures unique_handle(frame) && fh_slots[frame].list == 0;
*/
static void release_member(uint64_t frame, struct fh_unique *out,
			   uintptr_t site)
{
	/*@ assert slot_inv(frame) && frame != 0; */
	fh_list_id_store_relaxed(frame, 0);
	out->handle = fh_unit_leave_list(frame, site);
	/*@ assert slot_inv(frame); */
}

/*@
  requires region_inv && ids_ok && \valid(list) && \valid(out);
  requires \separated(list, out, &next_list_id);
  requires list_wf(list->front, list->back, list->size, list->id);
  requires list->id != 0 && 0 < frame < FH_MAX_FRAMES;
  requires is_member(list->id, frame);
  assigns list->front, list->back, list->size, out->handle,
          fh_slots[0 .. FH_LAST_FRAME], g_held[frame], g_raw[frame],
          g_pos[0 .. FH_LAST_FRAME];
  exits \false;
  ensures region_inv && ids_ok;
  ensures list_wf(list->front, list->back, list->size, list->id);
  ensures list->size == \old(list->size) - 1;
  ensures list->id == \old(list->id);
  ensures out->handle == frame && unique_handle(out->handle);
  ensures fh_slots[out->handle].list == 0;
  ensures \forall integer j; is_member{Pre}(list->id, j) &&
      j != out->handle ==> is_member(list->id, j) &&
        g_pos[j] == \old(g_pos[j]) -
          (\old(g_pos[j]) > \at(g_pos[\at(out->handle,Post)],Pre) ? 1 : 0);
  ensures links_only{Pre,Post}(out->handle);
  ensures non_members_same{Pre,Post}(list->id, out->handle);
*/
static void remove_member(struct fh_list *list, uint64_t frame,
			  struct fh_unique *out, uintptr_t site)
{
	/*@ ghost uint64_t id = list->id; */
	/*@ ghost uint64_t prev = PREV_OF(frame); */
	/*@ ghost uint64_t next = NEXT_OF(frame); */
	/*@ assert me: slot_inv(frame) && frame != 0 &&
	      g_pos[frame] < list->size; */
	/*@ assert before: PREV_OF(frame) == 0
	      ? g_pos[frame] == 0 && list->front == frame
	      : is_member(id, PREV_OF(frame)) &&
	        g_pos[PREV_OF(frame)] == g_pos[frame] - 1 &&
	        NEXT_OF(PREV_OF(frame)) == frame; */
	/*@ assert after: NEXT_OF(frame) == 0
	      ? g_pos[frame] == list->size - 1 && list->back == frame
	      : is_member(id, NEXT_OF(frame)) &&
	        g_pos[NEXT_OF(frame)] == g_pos[frame] + 1 &&
	        PREV_OF(NEXT_OF(frame)) == frame; */
	/*@ assert alone: \forall integer j; is_member(id, j) &&
	      g_pos[j] == g_pos[frame] ==> j == frame; */
	link_out(list, frame);
	release_member(frame, out, site);
	/*@ ghost ghost_shift_down(id, g_pos[frame]); */
	/*@ assert members: \forall integer j; is_member(id, j) ==>
	      j != frame && is_member{Pre}(id, j); */
	/*@ assert stay: \forall integer j; is_member{Pre}(id, j) &&
	      j != frame ==> is_member(id, j) &&
	        g_pos[j] == \at(g_pos[j],Pre) -
	          (\at(g_pos[j],Pre) > \at(g_pos[frame],Pre) ? 1 : 0); */
	/*@ assert links: \forall integer j; is_member{Pre}(id, j) &&
	      j != frame ==>
	        NEXT_OF(j) == (j == prev ? next : \at(NEXT_OF(j),Pre)) &&
	        PREV_OF(j) == (j == next ? prev : \at(PREV_OF(j),Pre)); */
	/*@ assert others: \forall integer j; is_frame(j) && j != frame &&
	      !is_member{Pre}(id, j) ==>
	        fh_slots[j] == \at(fh_slots[j],Pre) &&
	        g_pos[j] == \at(g_pos[j],Pre); */
	/*@ assert front: list->size == 0 ? list->front == 0 :
	      is_member(id, list->front) && g_pos[list->front] == 0; */
	/*@ assert back: list->size == 0 ? list->back == 0 :
	      is_member(id, list->back) &&
	      g_pos[list->back] == list->size - 1; */
	/*@ assert prevs: list_prevs(list->front, list->size, id); */
	/*@ assert nexts: list_nexts(list->back, list->size, id); */
	/*@ assert inj: list_inj(id); */
	/*@ assert page: \forall integer j; is_frame(j) ==>
	      fh_slots[j].state == \at(fh_slots[j].state,Pre) &&
	      fh_slots[j].type == \at(fh_slots[j].type,Pre); */
	/*@ assert words: \forall integer j; is_frame(j) ==>
	      words_same{Pre,Here}(j); */
	/*@ assert held: \forall integer j; is_frame(j) && j != frame ==>
	      fh_slots[j].list == \at(fh_slots[j].list,Pre) &&
	      g_held[j] == \at(g_held[j],Pre) &&
	      g_raw[j] == \at(g_raw[j],Pre); */
	/*@ assert only: links_only{Pre,Here}(frame); */
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
/*@
  requires memory_ok && \valid_read(list) && \valid(frame);
  requires \separated(list, frame);
  assigns *frame;
  exits \false;
  ensures \result <==> list->id != 0 && is_aligned(pa.bytes) &&
    is_member(list->id, frame_at(pa.bytes));
  ensures \result ==> *frame == frame_at(pa.bytes);
*/
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

/* Drops a page that was taken out; no list changes. */
/*@
  requires region_inv && ids_ok && \valid(u) && unique_handle(u->handle);
  requires 0 < u->handle < FH_MAX_FRAMES;
  requires \separated(u, &next_list_id);
  assigns u->handle, fh_slots[u->handle], g_held[u->handle],
          g_free[u->handle];
  exits \false;
  ensures region_inv && ids_ok;
  ensures \forall integer front, back, size, id; 0 < id &&
    list_wf{Pre}(front, back, size, id) ==> list_wf(front, back, size, id);
*/
static void put_former_member(struct fh_unique *u)
{
	/*@ ghost uint64_t i = u->handle; */
	/*@ assert slot_inv(i) && live(i) && fh_slots[i].list == 0; */
	fh_unique_put(u);
	/*@ assert slot_inv(i) && fh_slots[i].list == 0; */
	/*@ assert \forall integer j; j != i ==>
	      fh_slots[j] == \at(fh_slots[j],Pre); */
	/*@ assert \forall integer id, j; 0 < id ==>
	      (is_member(id, j) <==> is_member{Pre}(id, j)); */
}

void fh_list_drop(struct fh_list *list)
{
	/*@
	  loop invariant region_inv && ids_ok;
	  loop invariant list_wf(list->front, list->back, list->size, list->id);
	  loop invariant list->id == \at(list->id,Pre);
	  loop assigns *list, fh_slots[0 .. FH_LAST_FRAME],
	    g_held[0 .. FH_LAST_FRAME], g_raw[0 .. FH_LAST_FRAME],
	    g_free[0 .. FH_LAST_FRAME], g_pos[0 .. FH_LAST_FRAME];
	  loop variant list->size;
	*/
	while (list->front != 0) {
		struct fh_unique u;

		remove_member(list, list->front, &u, FH_CALLER);
		put_former_member(&u);
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
