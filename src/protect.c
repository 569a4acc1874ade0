/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Changing what mapped pages allow, and collecting what hardware noted about
 * them. Entries change by compare-exchange: a bit that hardware sets between our
 * look and our store is kept.
 *
 * Old permissions may be cached until the gather's flush: only then has
 * everybody lost what was taken away.
 */
#include <framehold/space.h>

#include "cursor.h"
#include "gather.h"

/* A change under way over pages of a cursor's range. */
struct pass {
	struct fh_cursor *c;
	struct fh_prop_change change;
	struct fh_gather *gather;
	struct fh_node_list nodes;
	uint64_t missing; /* nodes that splitting needs */
	uint64_t pages;   /* changed */
};

/*
 * A page that is to be copied is somebody else's too: it is written when a
 * fault has copied it, whatever is asked for here.
 */
FH_ALWAYS_INLINE struct fh_page_prop
changed(bool device, struct fh_page_prop prop, struct fh_prop_change change)
{
	const uint32_t shared = FH_PAGE_COPY | FH_PAGE_TRACKED | FH_PAGE_USER;

	prop.flags = (prop.flags & ~change.clear) | change.set;
	if ((prop.flags & shared) == shared)
		prop.flags &= ~FH_PAGE_WRITE;
	return fh_prop_preset(device, prop);
}

/* The first pass: may every leaf become what it is to be? */
static enum fh_status plan_change(bool device, struct pass *pass, uint64_t node,
				  unsigned level, uint64_t page, uint64_t n)
{
	while (n > 0) {
		uint64_t piece = fh_pages_in_entry(page, n, level);
		uint64_t pte = fh_entry_read(node, fh_entry_index(page, level));
		enum fh_pte_kind kind = fh_pte_kind(device, pte, level);
		enum fh_status status = FH_OK;

		if (kind == FH_PTE_LEAF) {
			struct fh_page_prop prop =
				changed(device, fh_pte_prop(device, pte, level),
					pass->change);

			prop.flags &= ~FH_PAGE_TRACKED;
			if (!fh_prop_is_allowed(device, pass->c->table, level,
						prop))
				status = FH_E_INVALID;
			pass->missing +=
				fh_cursor_nodes_to_split(page, piece, level);
		} else if (kind == FH_PTE_TABLE) {
			status = plan_change(device, pass,
					     fh_pte_frame(device, pte, level),
					     level - 1, page, piece);
		}
		if (status != FH_OK)
			return status;
		page += piece;
		n -= piece;
	}
	return FH_OK;
}

/* A new value for a leaf that hardware may be writing to. */
FH_ALWAYS_INLINE uint64_t change_leaf(bool device, uint64_t *entry,
				      unsigned level,
				      struct fh_prop_change change)
{
	uint64_t pte = fh_word_load_relaxed(entry);

	for (;;) {
		struct fh_page_prop prop = changed(
			device, fh_pte_prop(device, pte, level), change);
		uint64_t next = fh_pte_leaf(
			device, fh_pte_frame(device, pte, level), level, prop);

		if (next == pte)
			return pte;
		/*
		 * Relaxed: the frame was published with the entry, and this
		 * continues its release sequence.
		 */
		uint64_t seen = fh_word_cas_relaxed(entry, pte, next);

		if (seen == pte)
			return pte;
		pte = seen;
	}
}

static void change_pages(bool device, struct pass *pass, uint64_t node,
			 unsigned level, uint64_t page, uint64_t n)
{
	while (n > 0) {
		uint64_t piece = fh_pages_in_entry(page, n, level);
		uint64_t index = fh_entry_index(page, level);
		uint64_t pte = fh_entry_read(node, index);
		enum fh_pte_kind kind = fh_pte_kind(device, pte, level);

		if (kind == FH_PTE_LEAF && piece == fh_level_pages(level)) {
			(void)change_leaf(device, fh_entry(node, index), level,
					  pass->change);
			pass->pages += piece;
		} else if (kind != FH_PTE_ABSENT) {
			uint64_t child =
				kind == FH_PTE_TABLE
					? fh_pte_frame(device, pte, level)
					: fh_cursor_split_leaf(
						  pass->c, node, level, index,
						  page, &pass->nodes,
						  pass->gather);

			change_pages(device, pass, child, level - 1, page,
				     piece);
		}
		page += piece;
		n -= piece;
	}
}

FH_ALWAYS_INLINE enum fh_status protect_pages(bool device, struct pass *pass,
					      uint64_t n)
{
	struct fh_cursor *c = pass->c;

	fh_cursor_seek(c, c->page);
	c->level = c->guard_level;
	uint64_t node = fh_cursor_node(c);
	enum fh_status status =
		plan_change(device, pass, node, c->level, c->page, n);
	if (status == FH_OK && pass->missing > 0)
		status = fh_node_prepare(fh_node_type_of(c->table),
					 pass->missing, &pass->nodes);
	if (status != FH_OK)
		return status;
	change_pages(device, pass, node, c->level, c->page, n);
	if (pass->pages > 0) {
		fh_gather_flush(pass->gather, c->page, n);
		c->wrote = true;
	}
	return FH_OK;
}

enum fh_status fh_cursor_protect(struct fh_cursor *cursor, uint64_t n,
				 struct fh_prop_change change,
				 struct fh_gather *gather, uint64_t *pages)
{
	enum fh_status status = fh_cursor_check(cursor, n);
	struct pass pass = {.c = cursor, .change = change, .gather = gather};

	if (status != FH_OK)
		return status;
	if (((change.clear | change.set) & FH_PAGE_TRACKED) != 0)
		return FH_E_INVALID;
	status = fh_table_is_device(cursor->table)
			 ? protect_pages(true, &pass, n)
			 : protect_pages(false, &pass, n);
	if (status == FH_OK)
		*pages = pass.pages;
	return status;
}

/* ---- Accessed and dirty ---- */

/* Clears and sets flags in a leaf and returns it as it was. */
FH_ALWAYS_INLINE uint64_t change_noted(bool device, uint64_t *entry,
				       unsigned level, uint32_t clear,
				       uint32_t set)
{
	uint64_t pte = fh_word_load_relaxed(entry);

	for (;;) {
		struct fh_page_prop prop = fh_pte_prop(device, pte, level);

		prop.flags = (prop.flags & ~clear) | set;
		/* Relaxed: as in change_leaf(). */
		uint64_t seen = fh_word_cas_relaxed(
			entry, pte,
			fh_pte_leaf(device, fh_pte_frame(device, pte, level),
				    level, prop));

		if (seen == pte)
			return pte;
		pte = seen;
	}
}

FH_ALWAYS_INLINE enum fh_status harvest(bool device, struct fh_cursor *c,
					uint64_t n, uint32_t flags,
					struct fh_gather *gather,
					struct fh_mapping *mapping)
{
	uint64_t end = c->page + n;
	struct fh_mapping found;

	while (c->page < end &&
	       fh_cursor_find(c, end - c->page, &found) == FH_OK) {
		uint64_t rest =
			fh_pages_in_entry(c->page, end - c->page, c->level);

		if ((found.prop.flags & flags) != 0) {
			uint64_t pte = change_noted(
				device,
				fh_entry(fh_cursor_node(c), fh_cursor_index(c)),
				c->level, flags, 0);

			fh_describe(device, pte, c->level, c->page, mapping);
			fh_gather_flush(gather, found.first, found.pages);
			c->page += rest;
			c->wrote = true;
			return FH_OK;
		}
		c->page += rest;
	}
	return FH_E_NOT_MAPPED;
}

enum fh_status fh_cursor_harvest(struct fh_cursor *cursor, uint64_t n,
				 uint32_t flags, struct fh_gather *gather,
				 struct fh_mapping *mapping)
{
	const uint32_t allowed = FH_PAGE_ACCESSED | FH_PAGE_DIRTY;
	enum fh_status status = fh_cursor_check(cursor, n);

	if (status != FH_OK)
		return status;
	if (flags == 0 || (flags & ~allowed) != 0)
		return FH_E_INVALID;
	if (fh_table_is_device(cursor->table))
		return harvest(true, cursor, n, flags, gather, mapping);
	return harvest(false, cursor, n, flags, gather, mapping);
}

void fh_cursor_note(struct fh_cursor *c, uint32_t flags)
{
	(void)change_noted(false,
			   fh_entry(fh_cursor_node(c), fh_cursor_index(c)),
			   c->level, 0, flags);
	c->wrote = true;
}
