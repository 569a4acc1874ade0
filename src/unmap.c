/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Unmapping. Like mapping, in two passes: the first counts the nodes that split
 * leaves need and the room that the gather needs, the second cannot fail.
 *
 * An entry is emptied before what it named is marked stray, and that before it
 * is unlocked: who locks it then knows that it is no longer in the tree. Entries
 * of detached nodes stay as they are, for walkers without a lock and for caches
 * of the hardware's, until nobody can be walking.
 */
#include "cursor.h"
#include "gather.h"
#include "split.h"

/* What the first pass finds to be needed. */
struct needs {
	uint64_t nodes;
	uint64_t runs;
};

/* Whether the node that a whole entry of that level names can be taken off. */
FH_ALWAYS_INLINE bool may_detach(const struct fh_cursor *c, unsigned level)
{
	return c->table->kind != FH_TABLE_KERNEL || level != c->table->levels;
}

static void plan_removal(bool device, const struct fh_cursor *c, uint64_t node,
			 unsigned level, uint64_t page, uint64_t n,
			 struct needs *needs)
{
	while (n > 0) {
		uint64_t piece = fh_pages_in_entry(page, n, level);
		uint64_t pte = fh_entry_read(node, fh_entry_index(page, level));
		enum fh_pte_kind kind = fh_pte_kind(device, pte, level);
		bool whole = piece == fh_level_pages(level);

		if (kind == FH_PTE_LEAF) {
			needs->nodes +=
				fh_cursor_nodes_to_split(page, piece, level);
			if (fh_pte_is_tracked(device, pte, level))
				needs->runs++;
		} else if (kind == FH_PTE_TABLE &&
			   !(whole && may_detach(c, level))) {
			plan_removal(device, c,
				     fh_pte_frame(device, pte, level),
				     level - 1, page, piece, needs);
		}
		page += piece;
		n -= piece;
	}
}

/* ---- Detaching ---- */

/* The whole sub-tree, which is locked. Returns how many pages it maps. */
static uint64_t make_stray(bool device, uint64_t node,
			   struct fh_atomic_mode *mode)
{
	unsigned level = fh_node_level(node);
	uint64_t pages = 0;

	fh_node_set_stray(node);
	if (level == 1)
		pages = fh_node_children(node);
	else if (fh_node_children(node) > 0)
		for (uint64_t i = FH_NODE_ENTRIES; i > 0; i--) {
			uint64_t pte = fh_entry_read(node, i - 1);
			enum fh_pte_kind kind = fh_pte_kind(device, pte, level);

			if (kind == FH_PTE_LEAF)
				pages += fh_level_pages(level);
			if (kind == FH_PTE_TABLE)
				pages += make_stray(
					device,
					fh_pte_frame(device, pte, level), mode);
		}
	fh_node_unlock(node, mode);
	return pages;
}

uint64_t fh_cursor_detach(struct fh_cursor *c, uint64_t child,
			  struct fh_gather *gather)
{
	uint64_t pages =
		make_stray(fh_table_is_device(c->table), child, c->mode);

	fh_gather_node(gather, child);
	return pages;
}

/* ---- Unmapping ---- */

/* Removal under way, in the second pass. */
struct removal {
	struct fh_cursor *c;
	struct fh_gather *gather;
	struct fh_node_list *nodes;
	uint64_t pages;
	bool any; /* something was removed, if only an empty node */
};

FH_ALWAYS_INLINE void remove_leaf(bool device, struct removal *r, uint64_t node,
				  unsigned level, uint64_t index)
{
	uint64_t pte = fh_node_clear(node, index);

	if (fh_pte_is_tracked(device, pte, level))
		fh_gather_frames(r->gather, fh_pte_frame(device, pte, level),
				 fh_level_pages(level));
	r->pages += fh_level_pages(level);
	r->any = true;
}

static void remove_node(bool device, struct removal *r, uint64_t node,
			unsigned level, uint64_t index)
{
	uint64_t pte = fh_node_clear(node, index);

	r->pages += fh_cursor_detach(r->c, fh_pte_frame(device, pte, level),
				     r->gather);
	r->any = true;
}

static void remove_pages(bool device, struct removal *r, uint64_t node,
			 unsigned level, uint64_t page, uint64_t n)
{
	while (n > 0) {
		uint64_t piece = fh_pages_in_entry(page, n, level);
		uint64_t index = fh_entry_index(page, level);
		uint64_t pte = fh_entry_read(node, index);
		enum fh_pte_kind kind = fh_pte_kind(device, pte, level);
		bool whole = piece == fh_level_pages(level);

		if (kind == FH_PTE_LEAF && whole)
			remove_leaf(device, r, node, level, index);
		else if (kind == FH_PTE_TABLE && whole &&
			 may_detach(r->c, level))
			remove_node(device, r, node, level, index);
		else if (kind != FH_PTE_ABSENT)
			remove_pages(device, r,
				     kind == FH_PTE_TABLE
					     ? fh_pte_frame(device, pte, level)
					     : fh_cursor_split_leaf(
						       r->c, node, level, index,
						       page, r->nodes,
						       r->gather),
				     level - 1, page, piece);
		page += piece;
		n -= piece;
	}
}

FH_ALWAYS_INLINE enum fh_status unmap_many(bool device, struct fh_cursor *c,
					   uint64_t n, struct fh_gather *gather,
					   uint64_t *pages)
{
	struct needs needs = {.nodes = 0};
	struct fh_node_list nodes = {.first = 0};
	struct removal removal = {.c = c, .gather = gather, .nodes = &nodes};

	fh_cursor_seek(c, c->page);
	c->level = c->guard_level;
	uint64_t node = fh_cursor_node(c);
	plan_removal(device, c, node, c->level, c->page, n, &needs);
	enum fh_status status = fh_gather_reserve(gather, needs.runs);
	if (status == FH_OK && needs.nodes > 0)
		status = fh_node_prepare(fh_node_type_of(c->table), needs.nodes,
					 &nodes);
	if (status != FH_OK)
		return status;
	remove_pages(device, &removal, node, c->level, c->page, n);
	if (removal.any) {
		fh_break_entries(device, c->page, n);
		fh_gather_flush(gather, c->page, n);
		c->wrote = true;
	}
	c->page += n;
	*pages = removal.pages;
	return FH_OK;
}

/* A page that has an entry of its own; false: it has none. */
FH_ALWAYS_INLINE bool unmap_one(bool device, struct fh_cursor *c,
				struct fh_gather *gather, uint64_t *pages)
{
	struct removal removal = {.c = c, .gather = gather};

	fh_cursor_seek(c, c->page);
	uint64_t pte = fh_cursor_descend(device, c);

	if (pte != 0) {
		if (c->level != 1 || !fh_gather_has_room(gather))
			return false;
		remove_leaf(device, &removal, fh_cursor_node(c), 1,
			    fh_cursor_index(c));
		fh_break_entries(device, c->page, 1);
		fh_gather_flush(gather, c->page, 1);
		c->wrote = true;
	}
	c->page++;
	*pages = removal.pages;
	return true;
}

FH_ALWAYS_INLINE enum fh_status unmap_pages(bool device, struct fh_cursor *c,
					    uint64_t n,
					    struct fh_gather *gather,
					    uint64_t *pages)
{
	if (n == 1 && unmap_one(device, c, gather, pages))
		return FH_OK;
	return unmap_many(device, c, n, gather, pages);
}

enum fh_status fh_cursor_unmap(struct fh_cursor *cursor, uint64_t n,
			       struct fh_gather *gather, uint64_t *pages)
{
	enum fh_status status = fh_cursor_check(cursor, n);

	if (status != FH_OK)
		return status;
	if (fh_table_is_device(cursor->table))
		return unmap_pages(true, cursor, n, gather, pages);
	return unmap_pages(false, cursor, n, gather, pages);
}
