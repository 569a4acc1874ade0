/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One entry in the place of another that maps the same pages, or the same page:
 * splitting, merging, replacing. The nodes are there before anything changes.
 */
#include "cursor.h"
#include "gather.h"
#include "split.h"

/* ---- Splitting ---- */

uint64_t fh_cursor_nodes_to_split(uint64_t page, uint64_t n, unsigned level)
{
	uint64_t nodes = 0;

	if (n == fh_level_pages(level))
		return 0;
	/*@
	  loop invariant 1 <= below <= level;
	  loop invariant nodes <= 2 * (level - below);
	  loop invariant below < level && n < span(level) &&
	    page % span(level) + n <= span(level) ==> nodes >= 1;
	  loop assigns below, nodes;
	  loop variant below;
	*/
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

/*@
  requires is_node(child) && 2 <= level <= FH_MAX_LEVELS;
  requires kind_of(device, pte, level) == FH_PTE_LEAF;
  requires frame_of(device, pte, level) % span(level) == 0;
  assigns fh_proof_entries[child][0 .. FH_NODE_ENTRIES - 1];
  exits \false;
  ensures \forall integer i; 0 <= i < FH_NODE_ENTRIES ==>
    kind_of(device, entry(child, i), level - 1) == FH_PTE_LEAF;
  ensures \forall integer i; 0 <= i < FH_NODE_ENTRIES ==>
    frame_of(device, entry(child, i), level - 1) ==
      part_of(frame_of(device, pte, level), i, level);
  ensures \forall integer page; page >= 0 ==>
    mapped_to(device, entry(child, index_of(page, level - 1)), level - 1,
              page) == mapped_to(device, pte, level, page);
  ensures present(child, FH_NODE_ENTRIES) == FH_NODE_ENTRIES;
*/
static void fill_with_parts(bool device, uint64_t child, uint64_t pte,
			    unsigned level)
{
	struct fh_page_prop prop = fh_pte_prop(device, pte, level);
	uint64_t frame = fh_pte_frame(device, pte, level);

	/*@
	  loop invariant 0 <= i <= FH_NODE_ENTRIES;
	  loop invariant \forall integer j; 0 <= j < i ==>
	    entry(child, j) != 0 &&
	    kind_of(device, entry(child, j), level - 1) == FH_PTE_LEAF;
	  loop invariant \forall integer j; 0 <= j < i ==>
	    frame_of(device, entry(child, j), level - 1) ==
	      part_of(frame, j, level);
	  loop invariant \forall integer page;
	    page >= 0 && index_of(page, level - 1) < i ==>
	      mapped_to(device, entry(child, index_of(page, level - 1)),
	                level - 1, page) == frame + page % span(level);
	  loop assigns i, fh_proof_entries[child][0 .. FH_NODE_ENTRIES - 1];
	  loop variant FH_NODE_ENTRIES - i;
	*/
	for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++)
		fh_word_store_relaxed(
			fh_entry(child, i),
			fh_pte_leaf(device, fh_part_of_leaf(frame, i, level),
				    level - 1, prop));
	/*@ ghost
	  /@
	    loop invariant 0 <= n <= FH_NODE_ENTRIES;
	    loop invariant present(child, n) == n;
	    loop assigns n;
	    loop variant FH_NODE_ENTRIES - n;
	  @/
	  for (uint64_t n = 0; n < FH_NODE_ENTRIES; n++)
	    ;
	*/
}

/* Puts another entry into the place of one that maps the same pages. */
static void replace_entry(bool device, struct fh_cursor *c, uint64_t node,
			  unsigned level, uint64_t index, uint64_t page,
			  uint64_t pte)
{
	if (FH_ARCH_BREAK_BEFORE_MAKE && !device)
		fh_word_store_relaxed(fh_entry(node, index), 0);
	fh_break_entries(device, page - fh_page_in_entry(page, level),
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
/*@
  assigns \nothing;
  exits \false;
  ensures is_level(\result) && page % span(\result) == 0;
  ensures \result < FH_MAX_LEVELS ==> page % span(\result + 1) != 0;
*/
static unsigned level_of_start(uint64_t page)
{
	unsigned level = 1;

	/*@
	  loop invariant is_level(level) && page % span(level) == 0;
	  loop assigns level;
	  loop variant FH_MAX_LEVELS - level;
	*/
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

/* ---- Merging ---- */

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
