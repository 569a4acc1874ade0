/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Lists: unique frames linked through their own words, without allocation. A
 * list owns its members; the last two of a member's five words hold its
 * neighbours, so that its type may use FH_META_SIZE_IN_LIST bytes at most.
 *
 * A list is protected by its owner: one operation at a time, on it and its
 * cursors. fh_list_contains() alone tolerates other lists' operations going on
 * at the same time: each member carries its list's id, read in one access.
 * A zeroed struct fh_list is an empty list.
 */
#ifndef FRAMEHOLD_LIST_H
#define FRAMEHOLD_LIST_H

#include <framehold/unique.h>

FH_BEGIN_DECLS

/* Private fields. Seed: LinkedList. */
struct fh_list {
	uint64_t front; /* frame numbers; 0: none */
	uint64_t back;
	uint64_t size;
	uint64_t id; /* drawn with the first member, kept from then on */
};

/*
 * A place in a list: at a member, or at the ghost that lies between the last
 * and the first. Becomes invalid when the list changes except through this
 * cursor. Seed: CursorMut.
 */
struct fh_list_cursor {
	struct fh_list *list;
	uint64_t frame; /* 0: at the ghost */
};

/* An empty list. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result.front == 0 && \result.back == 0 && \result.size == 0;
  ensures \result.id == 0;
  ensures 0 < next_list_id ==>
    list_wf(\result.front, \result.back, \result.size, \result.id);
*/
FH_INLINE struct fh_list fh_list_none(void)
{
	struct fh_list list;

	list.front = 0;
	list.back = 0;
	list.size = 0;
	list.id = 0;
	return list;
}

/* How many members it has. Seed: size. */
/*@
  requires \valid_read(list);
  assigns \nothing;
  exits \false;
  ensures \result == list->size;
*/
FH_INLINE uint64_t fh_list_size(const struct fh_list *list)
{
	return list->size;
}

/* Seed: is_empty. */
/*@
  requires \valid_read(list);
  assigns \nothing;
  exits \false;
  ensures \result <==> list->size == 0;
*/
FH_INLINE bool fh_list_is_empty(const struct fh_list *list)
{
	return list->size == 0;
}

/*
 * Puts *u at an end of the list, which owns it from then on; *u becomes no
 * frame. The id counter running out stops the machine (rule "list_id").
 *
 *   FH_E_WRONG_TYPE   *u's type needs the words that the links take
 *   FH_E_EMPTY        *u is no frame
 *
 * Seed: push_front, push_back.
 */
/*@
  requires region_inv && ids_ok && \valid(list) && \valid(u);
  requires \separated(list, u, &next_list_id);
  requires u->handle == 0 || unique_handle(u->handle);
  requires list_wf(list->front, list->back, list->size, list->id);
  requires list->size < FH_MAX_FRAMES;
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
    ensures g_pos[\old(u->handle)] == 0;
    ensures \forall integer j; is_member{Pre}(list->id, j) ==>
      is_member(list->id, j) && g_pos[j] == \old(g_pos[j]) +
        (\old(g_pos[j]) >= g_pos[\old(u->handle)] ? 1 : 0);
    ensures links_only{Pre,Post}(\old(u->handle));
    ensures non_members_same{Pre,Post}(list->id, \old(u->handle));
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_list_push_front(struct fh_list *list, struct fh_unique *u);
/*@
  requires region_inv && ids_ok && \valid(list) && \valid(u);
  requires \separated(list, u, &next_list_id);
  requires u->handle == 0 || unique_handle(u->handle);
  requires list_wf(list->front, list->back, list->size, list->id);
  requires list->size < FH_MAX_FRAMES;
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
    ensures g_pos[\old(u->handle)] == \old(list->size);
    ensures \forall integer j; is_member{Pre}(list->id, j) ==>
      is_member(list->id, j) && g_pos[j] == \old(g_pos[j]) +
        (\old(g_pos[j]) >= g_pos[\old(u->handle)] ? 1 : 0);
    ensures links_only{Pre,Post}(\old(u->handle));
    ensures non_members_same{Pre,Post}(list->id, \old(u->handle));
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_list_push_back(struct fh_list *list, struct fh_unique *u);

/*
 * Takes the member at an end out of the list. FH_E_EMPTY if there is none.
 * Seed: pop_front, pop_back.
 */
/*@
  requires region_inv && ids_ok && \valid(list) && \valid(out);
  requires \separated(list, out, &next_list_id);
  requires list_wf(list->front, list->back, list->size, list->id);
  assigns *list, out->handle, fh_slots[0 .. FH_LAST_FRAME],
          g_held[list->front],
          g_raw[list->front], g_pos[0 .. FH_LAST_FRAME];
  exits \false;
  ensures region_inv && ids_ok;
  ensures list_wf(list->front, list->back, list->size, list->id);
  behavior empty:
    assumes list->size == 0;
    ensures \result == FH_E_EMPTY && *list == \old(*list);
    ensures out->handle == \old(out->handle) && kept{Pre,Post};
  behavior ok:
    assumes list->size != 0;
    ensures \result == FH_OK;
    ensures list->size == \old(list->size) - 1;
    ensures list->id == \old(list->id);
    ensures out->handle == \old(list->front) && unique_handle(out->handle);
    ensures fh_slots[out->handle].list == 0;
    ensures \forall integer j; is_member{Pre}(list->id, j) &&
      j != out->handle ==> is_member(list->id, j) &&
        g_pos[j] == \old(g_pos[j]) -
          (\old(g_pos[j]) > \at(g_pos[\at(out->handle,Post)],Pre) ? 1 : 0);
    ensures links_only{Pre,Post}(out->handle);
    ensures non_members_same{Pre,Post}(list->id, out->handle);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_list_pop_front(struct fh_list *list, struct fh_unique *out);
/*@
  requires region_inv && ids_ok && \valid(list) && \valid(out);
  requires \separated(list, out, &next_list_id);
  requires list_wf(list->front, list->back, list->size, list->id);
  assigns *list, out->handle, fh_slots[0 .. FH_LAST_FRAME],
          g_held[list->back],
          g_raw[list->back], g_pos[0 .. FH_LAST_FRAME];
  exits \false;
  ensures region_inv && ids_ok;
  ensures list_wf(list->front, list->back, list->size, list->id);
  behavior empty:
    assumes list->size == 0;
    ensures \result == FH_E_EMPTY && *list == \old(*list);
    ensures out->handle == \old(out->handle) && kept{Pre,Post};
  behavior ok:
    assumes list->size != 0;
    ensures \result == FH_OK;
    ensures list->size == \old(list->size) - 1;
    ensures list->id == \old(list->id);
    ensures out->handle == \old(list->back) && unique_handle(out->handle);
    ensures fh_slots[out->handle].list == 0;
    ensures \forall integer j; is_member{Pre}(list->id, j) &&
      j != out->handle ==> is_member(list->id, j) &&
        g_pos[j] == \old(g_pos[j]) -
          (\old(g_pos[j]) > \at(g_pos[\at(out->handle,Post)],Pre) ? 1 : 0);
    ensures links_only{Pre,Post}(out->handle);
    ensures non_members_same{Pre,Post}(list->id, out->handle);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_list_pop_back(struct fh_list *list, struct fh_unique *out);

/*
 * Whether the page at pa is a member; false for any address without a slot.
 * Any context. Seed: contains.
 */
/*@
  requires memory_ok && \valid_read(list);
  assigns \nothing;
  exits \false;
  ensures \result <==> list->id != 0 && is_aligned(pa.bytes) &&
    is_member(list->id, frame_at(pa.bytes));
*/
bool fh_list_contains(const struct fh_list *list, struct fh_paddr pa);

/* Drops every member, front to back, as fh_unique_put(). Seed: Drop. */
/*@
  requires region_inv && ids_ok && \valid(list);
  requires \separated(list, &next_list_id);
  requires list_wf(list->front, list->back, list->size, list->id);
  assigns *list, fh_slots[0 .. FH_LAST_FRAME], g_held[0 .. FH_LAST_FRAME],
          g_raw[0 .. FH_LAST_FRAME], g_free[0 .. FH_LAST_FRAME],
          g_pos[0 .. FH_LAST_FRAME];
  exits \false;
  ensures region_inv && ids_ok;
  ensures list->front == 0 && list->back == 0 && list->size == 0;
  ensures list->id == \old(list->id);
*/
void fh_list_drop(struct fh_list *list);

/* Cursors at an end; at the ghost if the list is empty. */
/*@
  requires \valid_read(list);
  assigns \nothing;
  exits \false;
  ensures \result.list == list && \result.frame == list->front;
*/
struct fh_list_cursor fh_list_cursor_front(struct fh_list *list);
/*@
  requires \valid_read(list);
  assigns \nothing;
  exits \false;
  ensures \result.list == list && \result.frame == list->back;
*/
struct fh_list_cursor fh_list_cursor_back(struct fh_list *list);

/*
 * A cursor at the member at pa. FH_E_OUT_OF_BOUND if that is no member.
 * Seed: cursor_mut_at.
 */
/*@
  requires memory_ok && \valid_read(list) && \valid(out);
  requires \separated(list, out);
  assigns *out;
  exits \false;
  behavior out_of_bound:
    assumes list->id == 0 || !is_aligned(pa.bytes) ||
            !is_member(list->id, frame_at(pa.bytes));
    ensures \result == FH_E_OUT_OF_BOUND && *out == \old(*out);
  behavior ok:
    assumes list->id != 0 && is_aligned(pa.bytes) &&
            is_member(list->id, frame_at(pa.bytes));
    ensures \result == FH_OK && out->list == list;
    ensures out->frame == frame_at(pa.bytes);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_list_cursor_at(struct fh_list *list, struct fh_paddr pa,
				 struct fh_list_cursor *out);

/* Seed: move_next (ghost to front), move_prev (ghost to back). */
/*@
  requires region_inv && \valid(cursor) && \valid(cursor->list);
  requires \separated(cursor, cursor->list);
  requires cursor->frame == 0 || (cursor->list->id != 0 &&
    is_member(cursor->list->id, cursor->frame));
  requires list_wf(cursor->list->front, cursor->list->back,
                   cursor->list->size, cursor->list->id);
  assigns cursor->frame;
  exits \false;
  ensures cursor->frame == 0 || (cursor->list->id != 0 &&
    is_member(cursor->list->id, cursor->frame));
  behavior ghost_place:
    assumes cursor->frame == 0;
    ensures cursor->frame == cursor->list->front;
  behavior at_member:
    assumes cursor->frame != 0;
    ensures (\old(g_pos[cursor->frame]) == cursor->list->size - 1
      ? cursor->frame == 0
      : g_pos[cursor->frame] == \old(g_pos[cursor->frame]) + 1);
  complete behaviors;
  disjoint behaviors;
*/
void fh_list_cursor_next(struct fh_list_cursor *cursor);
/*@
  requires region_inv && \valid(cursor) && \valid(cursor->list);
  requires \separated(cursor, cursor->list);
  requires cursor->frame == 0 || (cursor->list->id != 0 &&
    is_member(cursor->list->id, cursor->frame));
  requires list_wf(cursor->list->front, cursor->list->back,
                   cursor->list->size, cursor->list->id);
  assigns cursor->frame;
  exits \false;
  ensures cursor->frame == 0 || (cursor->list->id != 0 &&
    is_member(cursor->list->id, cursor->frame));
  behavior ghost_place:
    assumes cursor->frame == 0;
    ensures cursor->frame == cursor->list->back;
  behavior at_member:
    assumes cursor->frame != 0;
    ensures (\old(g_pos[cursor->frame]) == 0
      ? cursor->frame == 0
      : g_pos[cursor->frame] == \old(g_pos[cursor->frame]) - 1);
  complete behaviors;
  disjoint behaviors;
*/
void fh_list_cursor_prev(struct fh_list_cursor *cursor);

/* The member's number; 0 at the ghost. */
/*@
  requires \valid_read(cursor);
  assigns \nothing;
  exits \false;
  ensures \result == cursor->frame;
*/
FH_INLINE uint64_t fh_list_cursor_number(const struct fh_list_cursor *cursor)
{
	return cursor->frame;
}

/*
 * The member's words, of which FH_META_SIZE_IN_LIST bytes may be written; null
 * at the ghost. Seed: current_meta.
 */
struct fh_meta *fh_list_cursor_meta(const struct fh_list_cursor *cursor);

/*
 * Takes the member out of the list; the cursor moves to the next one or to
 * the ghost. FH_E_EMPTY at the ghost. Seed: take_current.
 */
/*@
  requires region_inv && ids_ok && \valid(cursor->list) && \valid(out);
  requires \valid(cursor) && \separated(cursor, cursor->list, out,
                                         &next_list_id);
  requires cursor->frame == 0 || (cursor->list->id != 0 &&
    is_member(cursor->list->id, cursor->frame));
  requires \separated(cursor->list, out, &next_list_id);
  requires list_wf(cursor->list->front, cursor->list->back,
    cursor->list->size, cursor->list->id);
  assigns *cursor->list, out->handle, cursor->frame,
          fh_slots[0 .. FH_LAST_FRAME],
          g_held[cursor->frame],
          g_raw[cursor->frame], g_pos[0 .. FH_LAST_FRAME];
  exits \false;
  ensures region_inv && ids_ok;
  ensures list_wf(cursor->list->front, cursor->list->back,
    cursor->list->size, cursor->list->id);
  behavior empty:
    assumes cursor->frame == 0;
    ensures \result == FH_E_EMPTY && *cursor->list == \old(*cursor->list);
    ensures out->handle == \old(out->handle) && kept{Pre,Post};
    ensures cursor->frame == 0;
  behavior ok:
    assumes cursor->frame != 0;
    ensures \result == FH_OK;
    ensures cursor->list->size == \old(cursor->list->size) - 1;
    ensures cursor->list->id == \old(cursor->list->id);
    ensures out->handle == \old(cursor->frame) && unique_handle(out->handle);
    ensures fh_slots[out->handle].list == 0;
    ensures \forall integer j; is_member{Pre}(cursor->list->id, j) &&
      j != out->handle ==> is_member(cursor->list->id, j) &&
        g_pos[j] == \old(g_pos[j]) -
          (\old(g_pos[j]) > \at(g_pos[\at(out->handle,Post)],Pre) ? 1 : 0);
    ensures links_only{Pre,Post}(out->handle);
    ensures non_members_same{Pre,Post}(cursor->list->id, out->handle);
    ensures cursor->frame == \old(NEXT_OF(cursor->frame));
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_list_cursor_take(struct fh_list_cursor *cursor,
				   struct fh_unique *out);

/*
 * Puts *u before the member; at the ghost that is the back. The cursor stays
 * where it is. Errors as fh_list_push_back(). Seed: insert_before.
 */
/*@
  requires region_inv && ids_ok && \valid(cursor->list) && \valid(u);
  requires \valid(cursor) && \separated(cursor, cursor->list, u,
                                         &next_list_id);
  requires cursor->frame == 0 || (cursor->list->id != 0 &&
    is_member(cursor->list->id, cursor->frame));
  requires \separated(cursor->list, u, &next_list_id);
  requires u->handle == 0 || unique_handle(u->handle);
  requires list_wf(cursor->list->front, cursor->list->back,
    cursor->list->size, cursor->list->id);
  requires cursor->list->size < FH_MAX_FRAMES;
  assigns *cursor->list, u->handle, next_list_id,
          fh_slots[0 .. FH_LAST_FRAME], g_held[u->handle],
          g_raw[u->handle], g_pos[0 .. FH_LAST_FRAME];
  exits \false;
  ensures region_inv && ids_ok;
  ensures list_wf(cursor->list->front, cursor->list->back,
    cursor->list->size, cursor->list->id);
  behavior empty:
    assumes u->handle == 0;
    ensures \result == FH_E_EMPTY && *cursor->list == \old(*cursor->list);
    ensures u->handle == \old(u->handle) && kept{Pre,Post};
  behavior wrong_type:
    assumes u->handle != 0;
    assumes fh_slots[u->handle].type->size > FH_META_SIZE_IN_LIST;
    ensures \result == FH_E_WRONG_TYPE && *cursor->list == \old(*cursor->list);
    ensures u->handle == \old(u->handle) && kept{Pre,Post};
  behavior ok:
    assumes u->handle != 0;
    assumes fh_slots[u->handle].type->size <= FH_META_SIZE_IN_LIST;
    ensures \result == FH_OK && u->handle == 0;
    ensures cursor->list->size == \old(cursor->list->size) + 1 &&
      cursor->list->id != 0;
    ensures \old(cursor->list->id) != 0 ==>
      cursor->list->id == \old(cursor->list->id);
    ensures is_member(cursor->list->id, \old(u->handle));
    ensures g_pos[\old(u->handle)] == \old(cursor->frame == 0
      ? cursor->list->size : g_pos[cursor->frame]);
    ensures \forall integer j; is_member{Pre}(cursor->list->id, j) ==>
      is_member(cursor->list->id, j) && g_pos[j] == \old(g_pos[j]) +
        (\old(g_pos[j]) >= g_pos[\old(u->handle)] ? 1 : 0);
    ensures links_only{Pre,Post}(\old(u->handle));
    ensures non_members_same{Pre,Post}(cursor->list->id, \old(u->handle));
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_list_cursor_insert_before(struct fh_list_cursor *cursor,
					    struct fh_unique *u);

/* The cursor's list. Seed: as_list. */
/*@
  requires \valid_read(cursor);
  assigns \nothing;
  exits \false;
  ensures \result == cursor->list;
*/
FH_INLINE const struct fh_list *
fh_list_cursor_list(const struct fh_list_cursor *cursor)
{
	return cursor->list;
}

FH_END_DECLS

#endif /* FRAMEHOLD_LIST_H */
