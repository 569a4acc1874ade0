/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Range locks, and looking around inside them.
 *
 *   walk without a lock to the lowest node that covers the range
 *        root ---> level 3 ---> level 2        (stops above an absent entry)
 *   lock it; if it is stray, or has grown, start again from the root
 *   lock the nodes below it that the range touches, in pre-order, left to right
 *
 * Why that is exclusive: a node is detached only by a cursor that has it locked,
 * and is stray before it is unlocked. So a node found locked and not stray is in
 * the tree and stays there, and of two ranges that overlap, both cursors lock
 * the nodes that the overlap lies in, or one locks an ancestor of the other's
 * covering node first and then waits for it on its way down.
 *
 * Why nobody waits in a circle: locks are taken down the tree, and among the
 * children of a locked node from left to right; the walk holds none.
 */
#include "cursor.h"

/* Whether all entries of a kernel's root that the range lies in are windows. */
/*@
  requires is_node(root) && is_level(levels);
  assigns \nothing;
  exits \false;
  ensures \result <==> \forall integer i;
    index_of(first, levels) <= i <= index_of(last, levels) ==>
      entry(root, i) != 0;
*/
static bool is_in_windows(uint64_t root, unsigned levels, uint64_t first,
			  uint64_t last)
{
	uint64_t end = fh_entry_index(last, levels);

	/*@
	  loop invariant index_of(first, levels) <= i;
	  loop invariant i <= end + 1 || i == index_of(first, levels);
	  loop invariant \forall integer j;
	    index_of(first, levels) <= j < i ==> entry(root, j) != 0;
	  loop assigns i;
	  loop variant end - i;
	*/
	for (uint64_t i = fh_entry_index(first, levels); i <= end; i++)
		if (fh_entry_walk(root, i) == 0)
			return false;
	return true;
}

/* Locks the nodes below a locked one that n pages from page on lie in. */
static void lock_below(bool device, uint64_t node, unsigned level,
		       uint64_t page, uint64_t n, struct fh_atomic_mode *mode)
{
	while (n > 0) {
		uint64_t piece = fh_pages_in_entry(page, n, level);
		uint64_t pte = fh_entry_read(node, fh_entry_index(page, level));

		if (fh_pte_kind(device, pte, level) == FH_PTE_TABLE) {
			uint64_t child = fh_pte_frame(device, pte, level);

			fh_node_lock(child, mode);
			if (level > 2)
				lock_below(device, child, level - 1, page,
					   piece, mode);
		}
		page += piece;
		n -= piece;
	}
}

/* Backwards, from the page before end on. */
static void unlock_below(bool device, uint64_t node, unsigned level,
			 uint64_t end, uint64_t n, struct fh_atomic_mode *mode)
{
	while (n > 0) {
		uint64_t piece = fh_page_in_entry(end - 1, level) + 1;
		uint64_t pte =
			fh_entry_read(node, fh_entry_index(end - 1, level));

		if (piece > n)
			piece = n;
		if (fh_pte_kind(device, pte, level) == FH_PTE_TABLE) {
			uint64_t child = fh_pte_frame(device, pte, level);

			if (level > 2)
				unlock_below(device, child, level - 1, end,
					     piece, mode);
			fh_node_unlock(child, mode);
		}
		end -= piece;
		n -= piece;
	}
}

/*
 * The lowest node that covers first .. last, unlocked: it may be stray by now.
 * *index is that of the entry below which the tree ends, or FH_NODE_ENTRIES if
 * the range lies in several entries.
 */
/*@
  requires \valid_read(table) && table_ok(table) && tables_ok(device);
  requires 0 < table->root.handle < FH_MAX_FRAMES;
  requires first <= last < FH_PAGE_NUMBER_END;
  requires \valid(level) && \valid(index) && \separated(level, index);
  requires \separated(table, level) && \separated(table, index);
  requires \separated(index, &fh_proof_entries[0 .. FH_LAST_FRAME]
                                              [0 .. FH_NODE_ENTRIES - 1]);
  assigns *level, *index;
  exits \false;
  ensures is_node(\result) && 1 <= *level <= table->levels;
  ensures *level == table->levels ==> \result == table->root.handle;
  ensures *level < table->levels ==> same_entry(first, last, *level + 1);
  ensures *index == FH_NODE_ENTRIES ==>
    *level == 1 || !same_entry(first, last, *level);
*/
FH_ALWAYS_INLINE uint64_t find_cover(bool device,
				     const struct fh_page_table *table,
				     uint64_t first, uint64_t last,
				     unsigned *level, uint64_t *index)
{
	uint64_t node = fh_frame_number(table->root);
	unsigned at = table->levels;
	unsigned lowest = 1;

	/* From there on down, the ends lie in different entries. */
	/*@
	  loop invariant 1 <= lowest <= at;
	  loop invariant lowest == 1 || !same_entry(first, last, lowest);
	  loop assigns lowest;
	  loop variant at - lowest;
	*/
	while (lowest < at && fh_pages_part(first, last, lowest + 1))
		lowest++;
	/*@ ghost ghost_same_above(first, last); */
	/*@ assert \forall integer l; lowest < l <= at ==>
	  same_entry(first, last, l); */
	*index = FH_NODE_ENTRIES;
	/*@
	  loop invariant lowest <= at <= table->levels && is_node(node);
	  loop invariant at == table->levels ==> node == table->root.handle;
	  loop assigns at, node, *index;
	  loop variant at;
	*/
	while (at > lowest) {
		uint64_t i = fh_entry_index(first, at);
		uint64_t pte = fh_entry_walk(node, i);

		if (fh_pte_kind(device, pte, at) != FH_PTE_TABLE) {
			*index = i;
			break;
		}
		node = fh_pte_frame(device, pte, at);
		at--;
	}
	*level = at;
	return node;
}

/* Whether a locked node is the one to stay at. */
/*@
  requires is_node(node) && is_level(level) && index <= FH_NODE_ENTRIES;
  assigns \nothing;
  exits \false;
  ensures \result <==> !is_stray(facts_of(node)) &&
    (index == FH_NODE_ENTRIES ||
     kind_of(device, entry(node, index), level) != FH_PTE_TABLE);
*/
FH_ALWAYS_INLINE bool is_cover(bool device, uint64_t node, unsigned level,
			       uint64_t index)
{
	if (fh_node_is_stray(node))
		return false;
	return index == FH_NODE_ENTRIES ||
	       fh_pte_kind(device, fh_entry_read(node, index), level) !=
		       FH_PTE_TABLE;
}

FH_ALWAYS_INLINE enum fh_status open_range(bool device,
					   const struct fh_page_table *table,
					   struct fh_atomic_mode *mode,
					   uint64_t first, uint64_t n,
					   struct fh_cursor *c)
{
	uint64_t last = first + (n - 1);
	uint64_t index;
	uint64_t node;
	unsigned level;

	/*
	 * No turn waits, so none calls fh_host_relax(): the change that made
	 * one vain was there before the lock was free, and the next sees it.
	 */
	for (;;) {
		node = find_cover(device, table, first, last, &level, &index);
		if (table->kind == FH_TABLE_KERNEL && level == table->levels &&
		    !is_in_windows(node, level, first, last))
			return FH_E_OUT_OF_BOUND;
		fh_node_lock(node, mode);
		if (is_cover(device, node, level, index))
			break;
		fh_node_unlock(node, mode);
	}
	if (level > 1)
		lock_below(device, node, level, first, n, mode);
	c->table = table;
	c->mode = mode;
	c->page = first;
	c->first = first;
	c->end = first + n;
	c->at = first;
	c->path[level - 1] = node;
	c->level = (uint8_t)level;
	c->guard_level = (uint8_t)level;
	c->wrote = false;
	return FH_OK;
}

enum fh_status fh_cursor_open(const struct fh_page_table *table,
			      struct fh_atomic_mode *mode, uint64_t first,
			      uint64_t n, struct fh_cursor *cursor)
{
	if (!fh_page_table_covers(table, first, n))
		return FH_E_OUT_OF_BOUND;
	if (fh_table_is_device(table))
		return open_range(true, table, mode, first, n, cursor);
	return open_range(false, table, mode, first, n, cursor);
}

void fh_cursor_close(struct fh_cursor *cursor)
{
	uint64_t node = cursor->path[cursor->guard_level - 1];
	unsigned level = cursor->guard_level;

	if (cursor->wrote)
		fh_host_table_barrier();
	if (level > 1)
		unlock_below(fh_table_is_device(cursor->table), node, level,
			     cursor->end, cursor->end - cursor->first,
			     cursor->mode);
	fh_node_unlock(node, cursor->mode);
}

/* ---- Looking around ---- */

enum fh_status fh_cursor_jump(struct fh_cursor *cursor, uint64_t page)
{
	if (page < cursor->first || page > cursor->end)
		return FH_E_OUT_OF_BOUND;
	cursor->page = page;
	return FH_OK;
}

/*@
  requires cursor_ok(device, c) && \valid(mapping);
  requires \separated(c, mapping);
  assigns c->at, c->level, c->path[0 .. FH_MAX_LEVELS - 1], *mapping;
  exits \false;
  ensures cursor_range(c) && path_ok(c);
  ensures c->at == c->page;
  ensures mapping->first <= c->page < mapping->first + mapping->pages;
  ensures mapping->pages == span(c->level);
*/
FH_ALWAYS_INLINE void query_page(bool device, struct fh_cursor *c,
				 struct fh_mapping *mapping)
{
	fh_cursor_seek(c, c->page);
	uint64_t pte = fh_cursor_descend(device, c);

	/*@ assert path_ok(c); */
	fh_describe(device, pte, c->level, c->page, mapping);
}

enum fh_status fh_cursor_query(struct fh_cursor *cursor,
			       struct fh_mapping *mapping)
{
	if (cursor->page == cursor->end)
		return FH_E_EMPTY;
	if (fh_table_is_device(cursor->table))
		query_page(true, cursor, mapping);
	else
		query_page(false, cursor, mapping);
	return FH_OK;
}

/* Behind the entry that decides about the page, or at the end. */
/*@
  requires \valid(c) && is_level(c->level);
  requires c->page < end <= FH_PAGE_NUMBER_END;
  assigns c->page;
  exits \false;
  ensures \old(c->page) < c->page <= end;
  ensures \forall integer page; \old(c->page) <= page < c->page ==>
    same_entry(page, \old(c->page), c->level);
  ensures c->page < end ==> c->page % span(c->level) == 0;
*/
static void step_over(struct fh_cursor *c, uint64_t end)
{
	c->page += fh_pages_in_entry(c->page, end - c->page, c->level);
}

FH_ALWAYS_INLINE enum fh_status find_mapped(bool device, struct fh_cursor *c,
					    uint64_t end,
					    struct fh_mapping *mapping)
{
	while (c->page < end) {
		fh_cursor_seek(c, c->page);
		uint64_t pte = fh_cursor_descend(device, c);

		if (pte != 0) {
			fh_describe(device, pte, c->level, c->page, mapping);
			return FH_OK;
		}
		/* An empty node need not be read through. */
		if (c->level < c->guard_level &&
		    fh_node_children(fh_cursor_node(c)) == 0)
			c->level++;
		step_over(c, end);
	}
	return FH_E_NOT_MAPPED;
}

enum fh_status fh_cursor_find(struct fh_cursor *cursor, uint64_t n,
			      struct fh_mapping *mapping)
{
	enum fh_status status = fh_cursor_check(cursor, n);

	if (status != FH_OK)
		return status;
	uint64_t end = cursor->page + n;

	if (fh_table_is_device(cursor->table))
		return find_mapped(true, cursor, end, mapping);
	return find_mapped(false, cursor, end, mapping);
}

extern uint64_t fh_cursor_page(const struct fh_cursor *cursor);
extern uint64_t fh_cursor_left(const struct fh_cursor *cursor);
