/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Unmapping, splitting and merging. Like mapping, in two passes: the first
 * counts the nodes that split leaves need and the room that the gather needs,
 * the second cannot fail.
 *
 * An entry is emptied before what it named is marked stray, and that before it
 * is unlocked: who locks it then knows that it is no longer in the tree. Entries
 * of detached nodes stay as they are, for walkers without a lock and for caches
 * of the hardware's, until nobody can be walking.
 */
#include "cursor.h"
#include "gather.h"

/* What the first pass finds to be needed. */
struct needs {
	uint64_t nodes;
	uint64_t runs;
};

/* Nodes to split a leaf of that level around n of its pages. */
static uint64_t nodes_to_split(uint64_t page, uint64_t n, unsigned level)
{
	uint64_t nodes = 0;

	if (n == fh_level_pages(level))
		return 0;
	for (unsigned below = level; below > 1; below--) {
		/* The pieces that touch an end of the pages, unless whole. */
		bool head = fh_page_in_entry(page, below) != 0;
		bool tail = fh_page_in_entry(page + n, below) != 0;
		bool one = page / fh_level_pages(below) ==
			   (page + n - 1) / fh_level_pages(below);

		nodes += one ? (head || tail) : (uint64_t)head + tail;
	}
	return nodes;
}

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
			needs->nodes += nodes_to_split(page, piece, level);
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

/* ---- Splitting ---- */

static void fill_with_parts(bool device, uint64_t child, uint64_t pte,
			    unsigned level)
{
	struct fh_page_prop prop = fh_pte_prop(device, pte, level);
	uint64_t frame = fh_pte_frame(device, pte, level);
	uint64_t stride = fh_level_pages(level - 1);

	for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++)
		fh_word_store_relaxed(fh_entry(child, i),
				      fh_pte_leaf(device, frame + i * stride,
						  level - 1, prop));
}

/*
 * Entries of n pages were emptied, and may be written before the gather's flush,
 * by us or by who locks them next: where no CPU may have an entry cached whose
 * place another one takes, they are forgotten first.
 */
FH_ALWAYS_INLINE void break_entries(bool device, uint64_t page, uint64_t n)
{
	if (FH_ARCH_BREAK_BEFORE_MAKE && !device) {
		fh_host_table_barrier();
		fh_host_flush_broadcast(fh_vaddr_of_page(page), n);
	}
}

/* Puts another entry into the place of one that maps the same pages. */
static void replace_entry(bool device, struct fh_cursor *c, uint64_t node,
			  unsigned level, uint64_t index, uint64_t page,
			  uint64_t pte)
{
	if (FH_ARCH_BREAK_BEFORE_MAKE && !device)
		fh_word_store_relaxed(fh_entry(node, index), 0);
	break_entries(device, page - fh_page_in_entry(page, level),
		      fh_level_pages(level));
	fh_entry_write(node, index, pte);
	c->wrote = true;
}

FH_ALWAYS_INLINE uint64_t split_leaf(bool device, struct fh_cursor *c,
				     uint64_t node, unsigned level,
				     uint64_t index, uint64_t page,
				     struct fh_node_list *nodes,
				     struct fh_gather *gather)
{
	uint64_t child = fh_node_place(nodes, level - 1, c->mode);
	uint64_t table = fh_pte_table(device, child, level);
	uint64_t *entry = fh_entry(node, index);
	uint64_t pte = fh_entry_read(node, index);

	fh_node_add_children(child, FH_NODE_ENTRIES);
	fill_with_parts(device, child, pte, level);
	if (FH_ARCH_SETS_ACCESSED && !device) {
		/* Release: as in fh_entry_write(). Bits may have been set. */
		uint64_t seen;

		while ((seen = fh_word_cas_release(entry, pte, table)) != pte) {
			pte = seen;
			fill_with_parts(device, child, pte, level);
		}
		c->wrote = true;
	} else {
		replace_entry(device, c, node, level, index, page, table);
	}
	fh_gather_flush(gather, page - fh_page_in_entry(page, level),
			fh_level_pages(level));
	return child;
}

/* ---- Replacing ---- */

void fh_cursor_replace(struct fh_cursor *c, struct fh_uframe *f,
		       struct fh_page_prop prop, struct fh_gather *gather)
{
	uint64_t node = fh_cursor_node(c);
	uint64_t index = fh_cursor_index(c);
	uint64_t frame = fh_handle_frame(f->handle);
	struct fh_page_prop full = fh_prop_preset(false, prop);

	full.flags |= FH_PAGE_TRACKED;
	fh_gather_frames(gather,
			 fh_pte_frame(false, fh_entry_read(node, index), 1), 1);
	replace_entry(false, c, node, 1, index, c->page,
		      fh_pte_leaf(false, frame, 1, full));
	fh_gather_flush(gather, c->page, 1);
	fh_unit_become(f->handle, 1, FH_UNIT_FRAME, FH_UNIT_ENTRY, FH_CALLER);
	f->handle = 0;
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
	uint64_t pte = fh_entry_take(node, index);

	fh_node_sub_children(node, 1);
	if (fh_pte_is_tracked(device, pte, level))
		fh_gather_frames(r->gather, fh_pte_frame(device, pte, level),
				 fh_level_pages(level));
	r->pages += fh_level_pages(level);
	r->any = true;
}

static void remove_node(bool device, struct removal *r, uint64_t node,
			unsigned level, uint64_t index)
{
	uint64_t pte = fh_entry_take(node, index);

	fh_node_sub_children(node, 1);
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
					     : split_leaf(device, r->c, node,
							  level, index, page,
							  r->nodes, r->gather),
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
		break_entries(device, c->page, n);
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
		break_entries(device, c->page, 1);
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

/* ---- Splitting and merging by themselves ---- */

uint64_t fh_cursor_nodes_to_split(uint64_t page, uint64_t n, unsigned level)
{
	return nodes_to_split(page, n, level);
}

uint64_t fh_cursor_split_leaf(struct fh_cursor *c, uint64_t node,
			      unsigned level, uint64_t index, uint64_t page,
			      struct fh_node_list *nodes,
			      struct fh_gather *gather)
{
	if (fh_table_is_device(c->table))
		return split_leaf(true, c, node, level, index, page, nodes,
				  gather);
	return split_leaf(false, c, node, level, index, page, nodes, gather);
}

/*
 * Splits the leaf that the path ends at until the page's entry is of that level
 * or below.
 */
static enum fh_status split_down_to(struct fh_cursor *c, unsigned target,
				    struct fh_gather *gather)
{
	struct fh_node_list nodes = {.first = 0};
	unsigned level = c->level;

	if (level <= target)
		return FH_OK;
	enum fh_status status = fh_node_prepare(fh_node_type_of(c->table),
						level - target, &nodes);
	if (status != FH_OK)
		return status;
	while (nodes.count > 0)
		fh_cursor_push(
			c, fh_cursor_split_leaf(c, fh_cursor_node(c), c->level,
						fh_cursor_index(c), c->page,
						&nodes, gather));
	return FH_OK;
}

/* The highest level at which the page begins an entry. */
static unsigned level_of_start(uint64_t page)
{
	unsigned level = 1;

	while (level < FH_MAX_LEVELS && fh_page_in_entry(page, level + 1) == 0)
		level++;
	return level;
}

enum fh_status fh_cursor_split(struct fh_cursor *cursor,
			       struct fh_gather *gather)
{
	struct fh_mapping mapping;

	if (fh_cursor_query(cursor, &mapping) != FH_OK || !mapping.is_mapped)
		return FH_OK;
	return split_down_to(cursor, level_of_start(cursor->page), gather);
}

enum fh_status fh_cursor_isolate(struct fh_cursor *c, struct fh_gather *gather)
{
	return split_down_to(c, 1, gather);
}

/* The one leaf that a full node of level 1 is worth, or 0. */
FH_ALWAYS_INLINE uint64_t merged_leaf(bool device,
				      const struct fh_page_table *table,
				      uint64_t node)
{
	const uint32_t by_hardware = FH_PAGE_ACCESSED | FH_PAGE_DIRTY;
	uint64_t pte = fh_entry_read(node, 0);

	if (fh_node_children(node) != FH_NODE_ENTRIES ||
	    fh_pte_kind(device, pte, 1) != FH_PTE_LEAF)
		return 0;
	struct fh_page_prop prop = fh_pte_prop(device, pte, 1);
	uint64_t frame = fh_pte_frame(device, pte, 1);

	if (table->huge_level < 2 || fh_page_in_entry(frame, 2) != 0 ||
	    !fh_pte_can_map(device, 2, prop, table->features))
		return 0;
	for (uint64_t i = 1; i < FH_NODE_ENTRIES; i++) {
		uint64_t other = fh_entry_read(node, i);
		struct fh_page_prop found = fh_pte_prop(device, other, 1);

		if (((found.flags ^ prop.flags) & ~by_hardware) != 0 ||
		    found.cache != prop.cache ||
		    fh_pte_frame(device, other, 1) != frame + i)
			return 0;
		prop.flags |= found.flags & by_hardware;
	}
	/* Hardware may go on to set bits in the entries that were. */
	if ((prop.flags & FH_PAGE_WRITE) != 0 &&
	    fh_pte_can_map(
		    device, 2,
		    (struct fh_page_prop){prop.flags | by_hardware, prop.cache},
		    table->features))
		prop.flags |= by_hardware;
	return fh_pte_leaf(device, frame, 2, prop);
}

FH_ALWAYS_INLINE enum fh_status merge_entries(bool device, struct fh_cursor *c,
					      struct fh_gather *gather)
{
	fh_cursor_seek(c, c->page);
	uint64_t pte = fh_cursor_descend(device, c);

	if (c->level != 1 || pte == 0)
		return FH_E_NOT_MAPPED;
	uint64_t leaf = merged_leaf(device, c->table, fh_cursor_node(c));
	if (leaf == 0)
		return FH_E_NOT_MAPPED;
	uint64_t child = fh_cursor_node(c);
	c->level++;
	replace_entry(device, c, fh_cursor_node(c), 2, fh_cursor_index(c),
		      c->page, leaf);
	/* What its entries owned is the leaf's; walkers may still read them. */
	fh_node_sub_children(child, FH_NODE_ENTRIES);
	(void)fh_cursor_detach(c, child, gather);
	fh_gather_flush(gather, c->page - fh_page_in_entry(c->page, 2),
			fh_level_pages(2));
	return FH_OK;
}

enum fh_status fh_cursor_merge(struct fh_cursor *cursor,
			       struct fh_gather *gather)
{
	if (cursor->page == cursor->end || cursor->guard_level < 2)
		return FH_E_OUT_OF_BOUND;
	if (fh_table_is_device(cursor->table))
		return merge_entries(true, cursor, gather);
	return merge_entries(false, cursor, gather);
}
