/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Inside of cursors, for the files that change tables: moving about in the
 * locked part of the tree.
 */
#ifndef FRAMEHOLD_SRC_CURSOR_H
#define FRAMEHOLD_SRC_CURSOR_H

#include <framehold/cursor.h>

#include "node.h"

/*@
  // Below an entry that names a table lies a page that has entries.
  predicate tables_ok{L}(integer device) =
    \forall integer node, integer i, integer level;
      is_entry(node, i) && is_level(level) &&
      kind_of(device, entry(node, i), level) == FH_PTE_TABLE ==>
        frame_of(device, entry(node, i), level) < FH_MAX_FRAMES;

  predicate path_ok{L}(struct fh_cursor *c) =
    1 <= c->level <= c->guard_level <= FH_MAX_LEVELS &&
    \forall integer i; c->level - 1 <= i < c->guard_level ==>
      is_node(c->path[i]);

  // The entry, of that level, names the node.
  predicate names(integer device, integer pte, integer level, integer node) =
    kind_of(device, pte, level) == FH_PTE_TABLE &&
    frame_of(device, pte, level) == node;

  // Each node of the path is the one that the entry above it names.
  predicate path_leads{L}(integer device, struct fh_cursor *c) =
    \forall integer i; c->level <= i < c->guard_level ==>
      names(device, entry(c->path[i], index_of(c->at, i + 1)), i + 1,
            c->path[i - 1]);

  predicate cursor_apart{L}(struct fh_cursor *c) =
    \separated(c, &fh_proof_entries[0 .. FH_LAST_FRAME]
                                   [0 .. FH_NODE_ENTRIES - 1]) &&
    \separated(c, &fh_slots[0 .. FH_LAST_FRAME]);

  predicate cursor_ok{L}(integer device, struct fh_cursor *c) =
    \valid(c) && cursor_apart(c) && cursor_range(c) && path_ok(c) &&
    path_leads(device, c) && tables_ok(device);
*/

/*
 * The CPU's format is in use much more often. One test here, and none inside
 * of what it chooses: see entry.h.
 */
/*@
  requires \valid_read(table);
  assigns \nothing;
  exits \false;
  ensures \result <==> table->kind == FH_TABLE_DEVICE;
*/
FH_ALWAYS_INLINE bool fh_table_is_device(const struct fh_page_table *table)
{
	return FH_UNLIKELY(table->kind == FH_TABLE_DEVICE);
}

/*
 * The highest level of a leaf that owns references: it has one for each page,
 * so that 512 at a time are counted with a lock held.
 */
#define FH_TRACKED_LEVEL 2

/* The node that the path ends with. */
/*@
  requires \valid_read(c) && path_ok(c);
  assigns \nothing;
  exits \false;
  ensures \result == c->path[c->level - 1] && is_node(\result);
*/
FH_ALWAYS_INLINE uint64_t fh_cursor_node(const struct fh_cursor *c)
{
	return c->path[c->level - 1];
}

/*@
  requires \valid_read(c) && is_level(c->level);
  assigns \nothing;
  exits \false;
  ensures \result == index_of(c->at, c->level);
  ensures \result < FH_NODE_ENTRIES;
*/
FH_ALWAYS_INLINE uint64_t fh_cursor_index(const struct fh_cursor *c)
{
	return fh_entry_index(c->at, c->level);
}

/* Up, to where the paths to both pages have come together. */
/*@
  requires \valid(c) && path_ok(c);
  assigns c->level;
  exits \false;
  ensures path_ok(c) && \old(c->level) <= c->level;
  ensures c->level == c->guard_level ||
    same_entry(c->at, page, c->level + 1);
*/
FH_ALWAYS_INLINE void fh_cursor_rise(struct fh_cursor *c, uint64_t page)
{
	/*@
	  loop invariant \at(c->level,Pre) <= c->level <= c->guard_level;
	  loop assigns c->level;
	  loop variant c->guard_level - c->level;
	*/
	while (c->level < c->guard_level &&
	       fh_pages_part(c->at, page, c->level + 1U))
		c->level++;
}

/* Makes the path lead to the page, which is in the range: up, never down. */
/*@
  requires \valid(c) && cursor_apart(c) && path_ok(c);
  assigns c->level, c->at;
  exits \false;
  ensures path_ok(c) && c->at == page;
  ensures \old(c->level) <= c->level;
  ensures c->level == c->guard_level ||
    same_entry(\old(c->at), page, c->level + 1);
  ensures \forall integer device; \old(path_leads(device, c)) ==>
    path_leads(device, c);
*/
FH_ALWAYS_INLINE void fh_cursor_seek(struct fh_cursor *c, uint64_t page)
{
	/*@ ghost uint64_t before = c->at; */
	fh_cursor_rise(c, page);
	c->at = page;
	/*@ assert path_ok(c); */
	/*@ ghost ghost_same_above(before, page); */
	/*@ assert \forall integer i; c->level <= i < c->guard_level ==>
	  index_of(before, i + 1) == index_of(page, i + 1); */
}

/* One level down, to the node that the entry names. */
/*@
  requires \valid(c) && path_ok(c) && c->level > 1 && is_node(node);
  assigns c->level, c->path[0 .. FH_MAX_LEVELS - 1];
  exits \false;
  ensures c->level == \old(c->level) - 1;
  ensures c->path[c->level - 1] == node;
  ensures \forall integer i;
    \old(c->level) - 1 <= i < FH_MAX_LEVELS ==>
      c->path[i] == \old(c->path[i]);
  ensures path_ok(c);
*/
FH_ALWAYS_INLINE void fh_cursor_push(struct fh_cursor *c, uint64_t node)
{
	c->level--;
	c->path[c->level - 1] = node;
}

/*
 * Goes down to the entry that decides about the page: a leaf's, an absent one,
 * or one of level 1. Returns it.
 */
/*@
  requires \valid(c) && cursor_apart(c) && path_ok(c) && tables_ok(device);
  assigns c->level, c->path[0 .. FH_MAX_LEVELS - 1];
  exits \false;
  ensures path_ok(c) && c->level <= \old(c->level);
  ensures \result == entry(c->path[c->level - 1], index_of(c->at, c->level));
  ensures kind_of(device, \result, c->level) != FH_PTE_TABLE;
  ensures \forall integer i;
    \old(c->level) - 1 <= i < FH_MAX_LEVELS ==>
      c->path[i] == \old(c->path[i]);
*/
FH_ALWAYS_INLINE uint64_t fh_cursor_descend(bool device, struct fh_cursor *c)
{
	/*@
	  loop invariant path_ok(c);
	  loop invariant c->level <= \at(c->level,Pre);
	  loop invariant \forall integer i;
	    \at(c->level,Pre) - 1 <= i < FH_MAX_LEVELS ==>
	      c->path[i] == \at(c->path[i],Pre);
	  loop assigns c->level, c->path[0 .. FH_MAX_LEVELS - 1];
	  loop variant c->level;
	*/
	for (;;) {
		uint64_t pte =
			fh_entry_read(fh_cursor_node(c), fh_cursor_index(c));

		if (c->level == 1 ||
		    fh_pte_kind(device, pte, c->level) != FH_PTE_TABLE)
			return pte;
		fh_cursor_push(c, fh_pte_frame(device, pte, c->level));
	}
}

/* FH_OK if n pages are left, and n is not 0. */
/*@
  requires \valid_read(c) && cursor_range(c);
  assigns \nothing;
  exits \false;
  ensures \result == (n > c->end - c->page ? FH_E_OUT_OF_BOUND
                                           : n == 0 ? FH_E_EMPTY : FH_OK);
*/
FH_ALWAYS_INLINE enum fh_status fh_cursor_check(const struct fh_cursor *c,
						uint64_t n)
{
	if (n > fh_cursor_left(c))
		return FH_E_OUT_OF_BOUND;
	return n == 0 ? FH_E_EMPTY : FH_OK;
}

/* What an entry of that level at the page says. */
/*@
  requires \valid(mapping) && is_level(level);
  assigns *mapping;
  exits \false;
  ensures mapping->first <= page < mapping->first + mapping->pages;
  ensures mapping->first == page - page % span(level);
  ensures mapping->pages == span(level);
  ensures mapping->is_mapped <==> kind_of(device, pte, level) == FH_PTE_LEAF;
  ensures mapping->frame ==
    (mapping->is_mapped ? frame_of(device, pte, level) : 0);
  ensures !mapping->is_mapped ==> !mapping->is_tracked;
*/
FH_ALWAYS_INLINE void fh_describe(bool device, uint64_t pte, unsigned level,
				  uint64_t page, struct fh_mapping *mapping)
{
	bool is_leaf = fh_pte_kind(device, pte, level) == FH_PTE_LEAF;
	struct fh_page_prop prop = fh_page_prop(0);

	if (is_leaf)
		prop = fh_pte_prop(device, pte, level);
	mapping->first = page - fh_page_in_entry(page, level);
	mapping->pages = fh_level_pages(level);
	mapping->is_mapped = is_leaf;
	mapping->is_tracked = (prop.flags & FH_PAGE_TRACKED) != 0;
	mapping->frame = is_leaf ? fh_pte_frame(device, pte, level) : 0;
	mapping->prop = prop;
	mapping->prop.flags &= ~FH_PAGE_TRACKED;
}

/*
 * Whether a leaf of that level in the table can have exactly the property, and
 * may: see fh_cursor_map().
 */
FH_ALWAYS_INLINE bool fh_prop_is_allowed(bool device,
					 const struct fh_page_table *table,
					 unsigned level,
					 struct fh_page_prop prop)
{
	uint32_t kind = prop.flags & (FH_PAGE_USER | FH_PAGE_GLOBAL);
	bool is_users = table->kind == FH_TABLE_USER;

	if ((prop.flags & ~(FH_PAGE_ALL_FLAGS & ~FH_PAGE_TRACKED)) != 0 ||
	    prop.cache >= FH_CACHE_KINDS)
		return false;
	if (is_users ? kind != FH_PAGE_USER : (kind & FH_PAGE_USER) != 0)
		return false;
	return fh_pte_can_map(device, level, prop, table->features);
}

/* With the bits set beforehand that hardware does not set. */
FH_ALWAYS_INLINE struct fh_page_prop fh_prop_preset(bool device,
						    struct fh_page_prop prop)
{
	if (device ? FH_VTD_SETS_ACCESSED : FH_ARCH_SETS_ACCESSED)
		return prop;
	prop.flags |= FH_PAGE_ACCESSED;
	if ((prop.flags & FH_PAGE_WRITE) != 0)
		prop.flags |= FH_PAGE_DIRTY;
	return prop;
}

/* The type of the table's nodes. */
const struct fh_meta_type *fh_node_type_of(const struct fh_page_table *table);

/*
 * Gives an empty entry, in a node that the cursor has locked, a child from the
 * list, locked too.
 */
FH_ALWAYS_INLINE uint64_t fh_cursor_grow(bool device, struct fh_cursor *c,
					 uint64_t node, unsigned level,
					 uint64_t index,
					 struct fh_node_list *nodes)
{
	uint64_t child = fh_node_place(nodes, level - 1, c->mode);

	fh_node_fill(node, index, fh_pte_table(device, child, level));
	return child;
}

/*
 * Detaches what a table entry named: the sub-tree is stray and unlocked, and
 * the gather's. Returns how many pages it maps.
 */
uint64_t fh_cursor_detach(struct fh_cursor *c, uint64_t child,
			  struct fh_gather *gather);

/* Nodes to split a leaf of that level, so that n of its pages stand alone. */
/*@
  requires is_level(level) && 0 < n <= span(level);
  requires page <= FH_PAGE_NUMBER_END - n;
  assigns \nothing;
  exits \false;
  ensures n == span(level) ==> \result == 0;
  ensures \result <= 2 * (level - 1);
  ensures n < span(level) && page % span(level) + n <= span(level) ==>
    \result >= 1;
*/
uint64_t fh_cursor_nodes_to_split(uint64_t page, uint64_t n, unsigned level);

/*
 * Splits the leaf at the entry, that the page lies in, with a node of the list,
 * which is locked then and returned. Every translation stays as it is.
 */
uint64_t fh_cursor_split_leaf(struct fh_cursor *c, uint64_t node,
			      unsigned level, uint64_t index, uint64_t page,
			      struct fh_node_list *nodes,
			      struct fh_gather *gather);

/*
 * Splits the leaf that the path ends at until the page has an entry of its own.
 * FH_E_NO_MEMORY.
 */
FH_NODISCARD
enum fh_status fh_cursor_isolate(struct fh_cursor *c, struct fh_gather *gather);

/* Sets accessed or dirty in the CPU's leaf that the path ends at. */
void fh_cursor_note(struct fh_cursor *c, uint32_t flags);

/*
 * Puts a frame in the place of the one that the page, which has a tracked entry
 * of its own, is mapped to: that one goes to the gather, which has room.
 */
void fh_cursor_replace(struct fh_cursor *c, struct fh_uframe *f,
		       struct fh_page_prop prop, struct fh_gather *gather);

#endif /* FRAMEHOLD_SRC_CURSOR_H */
