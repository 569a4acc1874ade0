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
FH_INLINE uint64_t fh_list_size(const struct fh_list *list)
{
	return list->size;
}

/* Seed: is_empty. */
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
FH_NODISCARD
enum fh_status fh_list_push_front(struct fh_list *list, struct fh_unique *u);
FH_NODISCARD
enum fh_status fh_list_push_back(struct fh_list *list, struct fh_unique *u);

/*
 * Takes the member at an end out of the list. FH_E_EMPTY if there is none.
 * Seed: pop_front, pop_back.
 */
FH_NODISCARD
enum fh_status fh_list_pop_front(struct fh_list *list, struct fh_unique *out);
FH_NODISCARD
enum fh_status fh_list_pop_back(struct fh_list *list, struct fh_unique *out);

/*
 * Whether the page at pa is a member; false for any address without a slot.
 * Any context. Seed: contains.
 */
bool fh_list_contains(const struct fh_list *list, struct fh_paddr pa);

/* Drops every member, front to back, as fh_unique_put(). Seed: Drop. */
void fh_list_drop(struct fh_list *list);

/* Cursors at an end; at the ghost if the list is empty. */
struct fh_list_cursor fh_list_cursor_front(struct fh_list *list);
struct fh_list_cursor fh_list_cursor_back(struct fh_list *list);

/*
 * A cursor at the member at pa. FH_E_OUT_OF_BOUND if that is no member.
 * Seed: cursor_mut_at.
 */
FH_NODISCARD
enum fh_status fh_list_cursor_at(struct fh_list *list, struct fh_paddr pa,
				 struct fh_list_cursor *out);

/* Seed: move_next (ghost to front), move_prev (ghost to back). */
void fh_list_cursor_next(struct fh_list_cursor *cursor);
void fh_list_cursor_prev(struct fh_list_cursor *cursor);

/* The member's number; 0 at the ghost. */
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
FH_NODISCARD
enum fh_status fh_list_cursor_take(struct fh_list_cursor *cursor,
				   struct fh_unique *out);

/*
 * Puts *u before the member; at the ghost that is the back. The cursor stays
 * where it is. Errors as fh_list_push_back(). Seed: insert_before.
 */
FH_NODISCARD
enum fh_status fh_list_cursor_insert_before(struct fh_list_cursor *cursor,
					    struct fh_unique *u);

/* The cursor's list. Seed: as_list. */
FH_INLINE const struct fh_list *
fh_list_cursor_list(const struct fh_list_cursor *cursor)
{
	return cursor->list;
}

FH_END_DECLS

#endif /* FRAMEHOLD_LIST_H */
