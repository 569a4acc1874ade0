/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Mapping: in two passes over the same pieces. The first changes nothing: it
 * finds what is in the way and counts the nodes that are missing. Then the nodes
 * are allocated, all or none; and the second pass, which cannot fail, writes.
 *
 * A single page whose node is there needs neither: that is the fast path.
 */
#include "cursor.h"

/* Frames from `frame` on, for the pages from the cursor's on. */
struct frame_run {
	uint64_t frame;
	uint64_t n;
	struct fh_page_prop prop; /* with FH_PAGE_TRACKED, and preset bits */
	unsigned top;             /* the highest level of a leaf */
};

/* ---- Several pages ---- */

/* Whether the rest of a run starts with a leaf of that level. */
/*@
  requires \valid_read(run) && is_level(level);
  requires done < run->n <= FH_FRAME_NUMBER_END - run->frame;
  requires run->frame < FH_FRAME_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result <==>
    leaf_fits(page, run->frame + done, run->n - done, run->top, level);
*/
FH_ALWAYS_INLINE bool starts_with_leaf(const struct frame_run *run,
				       uint64_t page, uint64_t done,
				       unsigned level)
{
	return fh_leaf_fits(page, run->frame + done, run->n - done, run->top,
			    level);
}

/*
 * The first pass over n pages from page on, the run's from `done` on, that lie
 * in a node (0: one that is missing). Adds to *missing.
 */
static enum fh_status plan_pages(bool device, uint64_t node, unsigned level,
				 uint64_t page, uint64_t n,
				 const struct frame_run *run, uint64_t done,
				 uint64_t *missing)
{
	while (n > 0) {
		uint64_t piece = fh_pages_in_entry(page, n, level);
		uint64_t pte =
			node == 0 ? 0
				  : fh_entry_read(node,
						  fh_entry_index(page, level));
		enum fh_pte_kind kind = fh_pte_kind(device, pte, level);

		if (kind == FH_PTE_LEAF)
			return FH_E_MAPPED;
		if (kind == FH_PTE_TABLE ||
		    !starts_with_leaf(run, page, done, level)) {
			uint64_t child = 0;

			if (kind == FH_PTE_TABLE)
				child = fh_pte_frame(device, pte, level);
			else
				*missing += 1;
			enum fh_status status =
				plan_pages(device, child, level - 1, page,
					   piece, run, done, missing);
			if (status != FH_OK)
				return status;
		}
		page += piece;
		done += piece;
		n -= piece;
	}
	return FH_OK;
}

/* The second pass, with the nodes that the first one counted. */
static void write_pages(bool device, struct fh_cursor *c, uint64_t node,
			unsigned level, uint64_t page, uint64_t n,
			const struct frame_run *run, uint64_t done,
			struct fh_node_list *nodes)
{
	while (n > 0) {
		uint64_t piece = fh_pages_in_entry(page, n, level);
		uint64_t index = fh_entry_index(page, level);
		uint64_t pte = fh_entry_read(node, index);

		if (pte == 0 && starts_with_leaf(run, page, done, level)) {
			fh_node_fill(node, index,
				     fh_pte_leaf(device, run->frame + done,
						 level, run->prop));
		} else {
			uint64_t child =
				pte == 0 ? fh_cursor_grow(device, c, node,
							  level, index, nodes)
					 : fh_pte_frame(device, pte, level);

			write_pages(device, c, child, level - 1, page, piece,
				    run, done, nodes);
		}
		page += piece;
		done += piece;
		n -= piece;
	}
}

/* The highest level that the property, and the table, allow a leaf. */
/*@
  requires \valid_read(table) && limit >= 1;
  requires table->huge_level <= FH_MAX_LEVELS;
  assigns \nothing;
  exits \false;
  ensures 1 <= \result <= limit && \result <= FH_MAX_LEVELS;
  ensures \result > 1 ==> \result <= table->huge_level;
  ensures \forall integer level; 2 <= level <= \result ==>
    can_map(device, level, prop.flags, prop.cache, table->features);
  ensures \result < limit && \result < table->huge_level ==>
    !can_map(device, \result + 1, prop.flags, prop.cache, table->features);
*/
FH_ALWAYS_INLINE unsigned highest_leaf(bool device,
				       const struct fh_page_table *table,
				       struct fh_page_prop prop, unsigned limit)
{
	unsigned top = 1;

	/*@
	  loop invariant 1 <= top <= limit;
	  loop invariant top == 1 || top <= table->huge_level;
	  loop invariant \forall integer level; 2 <= level <= top ==>
	    can_map(device, level, prop.flags, prop.cache, table->features);
	  loop assigns top;
	  loop variant limit - top;
	*/
	while (top < limit && top < table->huge_level &&
	       fh_pte_can_map(device, top + 1, prop, table->features))
		top++;
	return top;
}

FH_ALWAYS_INLINE enum fh_status map_pages(bool device, struct fh_cursor *c,
					  const struct frame_run *run)
{
	uint64_t missing = 0;
	struct fh_node_list nodes = {.first = 0};

	fh_cursor_seek(c, c->page);
	c->level = c->guard_level;
	uint64_t node = fh_cursor_node(c);
	enum fh_status status = plan_pages(device, node, c->level, c->page,
					   run->n, run, 0, &missing);
	if (status == FH_OK && missing > 0)
		status = fh_node_prepare(fh_node_type_of(c->table), missing,
					 &nodes);
	if (status != FH_OK)
		return status;
	write_pages(device, c, node, c->level, c->page, run->n, run, 0, &nodes);
	c->page += run->n;
	c->wrote = true;
	return FH_OK;
}

/* Checks what a caller gave, and maps it. */
FH_ALWAYS_INLINE enum fh_status map_checked(bool device, struct fh_cursor *c,
					    uint64_t frame, uint64_t n,
					    struct fh_page_prop prop,
					    uint32_t tracked, unsigned limit)
{
	enum fh_status status = fh_cursor_check(c, n);
	struct frame_run run = {.frame = frame, .n = n};

	if (status != FH_OK)
		return status;
	if (frame >= fh_pte_frame_end(device) ||
	    n > fh_pte_frame_end(device) - frame)
		return FH_E_OUT_OF_BOUND;
	if (!fh_prop_is_allowed(device, c->table, 1, prop))
		return FH_E_INVALID;
	run.prop = fh_prop_preset(device, prop);
	run.prop.flags |= tracked;
	run.top = highest_leaf(device, c->table, run.prop, limit);
	return map_pages(device, c, &run);
}

static enum fh_status map_any(struct fh_cursor *c, uint64_t frame, uint64_t n,
			      struct fh_page_prop prop, uint32_t tracked,
			      unsigned limit)
{
	if (fh_table_is_device(c->table))
		return map_checked(true, c, frame, n, prop, tracked, limit);
	return map_checked(false, c, frame, n, prop, tracked, limit);
}

/* ---- One page ---- */

/*
 * FH_OK if the page has a node, and the path ends there, and its entry is
 * empty. FH_E_NO_MEMORY: it has none.
 */
FH_ALWAYS_INLINE enum fh_status reach_empty(bool device, struct fh_cursor *c)
{
	fh_cursor_seek(c, c->page);
	if (fh_cursor_descend(device, c) != 0)
		return FH_E_MAPPED;
	return c->level == 1 ? FH_OK : FH_E_NO_MEMORY;
}

FH_ALWAYS_INLINE enum fh_status map_page(bool device, struct fh_cursor *c,
					 uint64_t handle, enum fh_unit unit,
					 struct fh_page_prop prop,
					 uintptr_t site)
{
	uint64_t frame = fh_handle_frame(handle);

	if (c->page == c->end || handle == 0)
		return FH_E_EMPTY;
	if (!fh_prop_is_allowed(device, c->table, 1, prop))
		return FH_E_INVALID;
	enum fh_status status = reach_empty(device, c);

	if (FH_UNLIKELY(status == FH_E_NO_MEMORY)) {
		status = map_any(c, frame, 1, prop, FH_PAGE_TRACKED, 1);
	} else if (status == FH_OK) {
		struct fh_page_prop full = fh_prop_preset(device, prop);

		full.flags |= FH_PAGE_TRACKED;
		fh_node_fill(fh_cursor_node(c), fh_cursor_index(c),
			     fh_pte_leaf(device, frame, 1, full));
		c->page++;
		c->wrote = true;
	}
	if (status == FH_OK)
		fh_unit_become(handle, 1, unit, FH_UNIT_ENTRY, site);
	return status;
}

enum fh_status fh_cursor_map(struct fh_cursor *cursor, struct fh_uframe *f,
			     struct fh_page_prop prop)
{
	enum fh_status status =
		fh_table_is_device(cursor->table)
			? map_page(true, cursor, f->handle, FH_UNIT_FRAME, prop,
				   FH_CALLER)
			: map_page(false, cursor, f->handle, FH_UNIT_FRAME,
				   prop, FH_CALLER);

	if (status == FH_OK)
		f->handle = 0;
	return status;
}

enum fh_status fh_cursor_map_frame(struct fh_cursor *cursor, struct fh_frame *f,
				   struct fh_page_prop prop)
{
	if (cursor->table->kind != FH_TABLE_KERNEL)
		return FH_E_INVALID;
	enum fh_status status = map_page(false, cursor, f->handle,
					 FH_UNIT_FRAME, prop, FH_CALLER);

	if (status == FH_OK)
		f->handle = 0;
	return status;
}

enum fh_status fh_cursor_map_segment(struct fh_cursor *cursor,
				     struct fh_usegment *s,
				     struct fh_page_prop prop)
{
	enum fh_status status =
		map_any(cursor, fh_handle_frame(s->handle), s->count, prop,
			FH_PAGE_TRACKED, FH_TRACKED_LEVEL);

	if (status != FH_OK)
		return status;
	fh_unit_become(s->handle, s->count, FH_UNIT_SEGMENT, FH_UNIT_ENTRY,
		       FH_CALLER);
	s->handle = 0;
	s->count = 0;
	return FH_OK;
}

enum fh_status fh_cursor_map_untracked(struct fh_cursor *cursor,
				       struct fh_paddr pa, uint64_t n,
				       struct fh_page_prop prop)
{
	if (!fh_paddr_is_aligned(pa))
		return FH_E_NOT_ALIGNED;
	return map_any(cursor, fh_frame_of_paddr(pa), n, prop, 0,
		       FH_MAX_LEVELS);
}
