/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Copying a range from one user's table to another, leaf by leaf, so that both
 * share the pages. As many nodes as the source has in the range, and those above
 * it, are prepared: never too few. What is left of them goes back.
 */
#include "copy.h"
#include "gather.h"

/* A leaf as it is to be in both tables. */
struct leaf {
	uint64_t page;
	uint64_t frame;
	unsigned level;
	struct fh_page_prop prop;
};

static uint64_t count_nodes(uint64_t node, unsigned level, uint64_t page,
			    uint64_t n)
{
	uint64_t nodes = 0;

	while (level > 1 && n > 0) {
		uint64_t piece = fh_pages_in_entry(page, n, level);
		uint64_t pte = fh_entry_read(node, fh_entry_index(page, level));

		if (fh_pte_kind(false, pte, level) == FH_PTE_TABLE)
			nodes +=
				1 + count_nodes(fh_pte_frame(false, pte, level),
						level - 1, page, piece);
		page += piece;
		n -= piece;
	}
	return nodes;
}

/* Makes both ends of the pages ends of entries. */
static enum fh_status split_ends(struct fh_cursor *c, uint64_t n,
				 struct fh_gather *gather)
{
	uint64_t page = c->page;
	enum fh_status status = fh_cursor_split(c, gather);

	if (status == FH_OK && page + n < c->end) {
		c->page = page + n;
		status = fh_cursor_split(c, gather);
		c->page = page;
		return status;
	}
	if (status != FH_OK)
		return status;
	/* The last entry may reach beyond the cursor's range, too. */
	struct fh_mapping last;

	c->page = page + n - 1;
	if (fh_cursor_query(c, &last) == FH_OK && last.is_mapped &&
	    last.first + last.pages > page + n)
		status = fh_cursor_isolate(c, gather);
	c->page = page;
	return status;
}

/* ---- The target ---- */

static void put_entry(struct fh_cursor *to, const struct leaf *leaf)
{
	fh_entry_write(
		fh_cursor_node(to), fh_entry_index(leaf->page, leaf->level),
		fh_pte_leaf(false, leaf->frame, leaf->level, leaf->prop));
	fh_node_add_children(fh_cursor_node(to), 1);
}

/*
 * To the leaf's level. False: an empty node stands there, or is all that the
 * cursor has locked.
 */
static bool reach_level(struct fh_cursor *to, const struct leaf *leaf,
			struct fh_node_list *nodes)
{
	fh_cursor_seek(to, leaf->page);
	if (leaf->level > to->guard_level)
		return false;
	while (to->level < leaf->level)
		to->level++;
	for (;;) {
		uint64_t node = fh_cursor_node(to);
		uint64_t index = fh_cursor_index(to);
		uint64_t pte = fh_entry_read(node, index);

		if (to->level == leaf->level)
			return pte == 0;
		if (pte == 0)
			fh_cursor_push(to,
				       fh_cursor_grow(false, to, node,
						      to->level, index, nodes));
		else
			fh_cursor_push(to, fh_pte_frame(false, pte, to->level));
	}
}

/* Where the target has an empty node already, its entries are filled. */
static void put_leaf(struct fh_cursor *to, const struct leaf *leaf,
		     struct fh_node_list *nodes)
{
	if (reach_level(to, leaf, nodes)) {
		put_entry(to, leaf);
		return;
	}
	struct leaf part = *leaf;
	uint64_t stride = fh_level_pages(leaf->level - 1);

	part.level--;
	for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++) {
		put_leaf(to, &part, nodes);
		part.page += stride;
		part.frame += stride;
	}
}

/* ---- The source ---- */

/* Takes away the right to write, for who writes to make a copy first. */
static bool make_copy_on_write(struct fh_cursor *from, struct leaf *leaf)
{
	uint64_t *entry = fh_entry(fh_cursor_node(from), fh_cursor_index(from));
	uint64_t pte = fh_word_load_relaxed(entry);

	if ((leaf->prop.flags & FH_PAGE_WRITE) == 0)
		return false;
	leaf->prop.flags &= ~FH_PAGE_WRITE;
	leaf->prop.flags |= FH_PAGE_SOFT;
	for (;;) {
		struct fh_page_prop prop = leaf->prop;

		/* Bits that hardware has set meanwhile stay. */
		prop.flags |= fh_pte_prop(false, pte, leaf->level).flags &
			      (FH_PAGE_ACCESSED | FH_PAGE_DIRTY);
		/* Relaxed: continues the release sequence of the entry. */
		uint64_t seen = fh_word_cas_relaxed(
			entry, pte,
			fh_pte_leaf(false, leaf->frame, leaf->level, prop));

		if (seen == pte)
			return true;
		pte = seen;
	}
}

static void copy_leaf(struct fh_cursor *from, struct fh_cursor *to,
		      const struct fh_mapping *mapping, bool on_write,
		      struct fh_node_list *nodes, struct fh_gather *gather)
{
	struct leaf leaf = {
		.page = mapping->first,
		.frame = mapping->frame,
		.level = from->level,
		.prop = mapping->prop,
	};

	if (mapping->is_tracked) {
		leaf.prop.flags |= FH_PAGE_TRACKED;
		for (uint64_t i = 0; i < mapping->pages; i++)
			fh_page_get(leaf.frame + i, FH_HERE);
		fh_unit_add(leaf.frame, mapping->pages, FH_UNIT_ENTRY);
		if (on_write && make_copy_on_write(from, &leaf))
			fh_gather_flush(gather, leaf.page, mapping->pages);
	}
	put_leaf(to, &leaf, nodes);
}

static enum fh_status check_empty(struct fh_cursor *to, uint64_t n)
{
	struct fh_mapping mapping;
	uint64_t page = to->page;
	enum fh_status status = fh_cursor_find(to, n, &mapping);

	to->page = page;
	return status == FH_E_NOT_MAPPED ? FH_OK : FH_E_MAPPED;
}

enum fh_status fh_cursor_copy(struct fh_cursor *from, struct fh_cursor *to,
			      uint64_t n, bool on_write,
			      struct fh_gather *gather)
{
	struct fh_node_list nodes = {.first = 0};
	struct fh_mapping mapping;
	uint64_t page = from->page;
	uint64_t end = page + n;
	enum fh_status status = check_empty(to, n);

	if (status == FH_OK)
		status = split_ends(from, n, gather);
	if (status != FH_OK)
		return status;
	status = fh_node_prepare(
		fh_node_type_of(to->table),
		to->table->levels +
			count_nodes(from->path[from->guard_level - 1],
				    from->guard_level, page, n),
		&nodes);
	if (status != FH_OK)
		return status;
	while (from->page < end &&
	       fh_cursor_find(from, end - from->page, &mapping) == FH_OK) {
		copy_leaf(from, to, &mapping, on_write, &nodes, gather);
		from->page = mapping.first + mapping.pages;
	}
	from->page = page;
	from->wrote = true;
	to->wrote = true;
	fh_node_list_free(&nodes);
	return FH_OK;
}
