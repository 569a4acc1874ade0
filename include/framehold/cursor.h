/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Cursors: exclusive access to a range of virtual pages. While a cursor is
 * open, nobody else changes what the table says about its range; other ranges
 * are free for others. Opening one waits for overlapping cursors to close.
 *
 *     struct fh_atomic_mode mode;
 *     struct fh_cursor cursor;
 *     struct fh_gather gather;
 *
 *     fh_gather_begin(&gather, &space->active);
 *     fh_atomic_begin(&mode);
 *     status = fh_cursor_open(table, &mode, first, n, &cursor);
 *     if (status == FH_OK) {
 *             status = fh_cursor_unmap(&cursor, n, &gather, &pages);
 *             fh_cursor_close(&cursor);
 *     }
 *     fh_atomic_end(&mode);
 *     fh_gather_finish(&gather);
 *
 * A cursor stands at a page of its range, at first the first one; operations
 * act from there on. Those that map or unmap move it behind what they did.
 * Pages and counts are in units of FH_PAGE_SIZE.
 *
 * Everything here: thread context, in atomic mode, one cursor of a table at a
 * time on a thread (a second one that overlaps would wait for itself). Of two
 * tables, a thread opens cursors in an order that is the same everywhere.
 *
 * What is removed goes to a gather: frames wait there until no CPU can have
 * their translation cached, nodes for a grace period too. gather.h.
 *
 * Every operation that takes a number of pages answers FH_E_OUT_OF_BOUND for
 * more than are left of the range, and FH_E_EMPTY for none; and on any error the
 * table, its counts and the caller's handles are as they were, and the cursor
 * stands where it stood.
 *
 * Seed: Cursor, CursorMut.
 */
#ifndef FRAMEHOLD_CURSOR_H
#define FRAMEHOLD_CURSOR_H

#include <framehold/gather.h>
#include <framehold/pagetable.h>
#include <framehold/segment.h>

FH_BEGIN_DECLS

/* Private fields; lives on the stack. */
struct fh_cursor {
	const struct fh_page_table *table;
	struct fh_atomic_mode *mode;
	uint64_t page;  /* where it stands: first .. end */
	uint64_t first; /* the range */
	uint64_t end;
	uint64_t at;                  /* a page that path leads to */
	uint64_t path[FH_MAX_LEVELS]; /* nodes by level - 1 */
	uint8_t level;                /* the lowest of path that is set */
	uint8_t guard_level;          /* the highest: the covering node's */
	bool wrote;                   /* entries that the hardware should see */
};

/*@
  predicate cursor_range{L}(struct fh_cursor *c) =
    c->first <= c->page <= c->end <= FH_PAGE_NUMBER_END;
*/

/*
 * Opens a cursor on n pages from first on, and locks them. Allocates nothing.
 *
 *   FH_E_OUT_OF_BOUND   not a range that the table can map; for a kernel's, not
 *                       one in its windows
 *
 * Seed: new, lock_range, is_valid_range.
 */
FH_NODISCARD
enum fh_status fh_cursor_open(const struct fh_page_table *table,
			      struct fh_atomic_mode *mode, uint64_t first,
			      uint64_t n, struct fh_cursor *cursor);

/* Unlocks the range. Seed: Drop for Cursor, unlock_range. */
void fh_cursor_close(struct fh_cursor *cursor);

/* Where it stands; the end of its range behind the last page. virt_addr. */
/*@
  requires \valid_read(cursor);
  assigns \nothing;
  exits \false;
  ensures \result == cursor->page;
*/
FH_INLINE uint64_t fh_cursor_page(const struct fh_cursor *cursor)
{
	return cursor->page;
}

/* Pages from there to the end of its range. */
/*@
  requires \valid_read(cursor) && cursor_range(cursor);
  assigns \nothing;
  exits \false;
  ensures \result == cursor->end - cursor->page;
*/
FH_INLINE uint64_t fh_cursor_left(const struct fh_cursor *cursor)
{
	return cursor->end - cursor->page;
}

/*
 * Moves to a page of the range, or to its end. FH_E_OUT_OF_BOUND: any other
 * page. Seed: jump.
 */
/*@
  requires \valid(cursor) && cursor_range(cursor);
  assigns cursor->page;
  exits \false;
  ensures cursor_range(cursor);
  behavior out_of_bound:
    assumes page < cursor->first || page > cursor->end;
    ensures \result == FH_E_OUT_OF_BOUND;
    ensures cursor->page == \old(cursor->page);
  behavior ok:
    assumes cursor->first <= page <= cursor->end;
    ensures \result == FH_OK && cursor->page == page;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_cursor_jump(struct fh_cursor *cursor, uint64_t page);

/*
 * The entry that the page stands in: mapped or not, with its whole extent,
 * which may be larger than the range. FH_E_EMPTY at the end of the range;
 * *mapping keeps its value. Seed: query.
 */
FH_NODISCARD
enum fh_status fh_cursor_query(struct fh_cursor *cursor,
			       struct fh_mapping *mapping);

/*
 * Moves to the first of the next n pages that is mapped, and shows its entry.
 * FH_E_NOT_MAPPED: none is, and the cursor stands behind them. Seed: find_next.
 */
FH_NODISCARD
enum fh_status fh_cursor_find(struct fh_cursor *cursor, uint64_t n,
			      struct fh_mapping *mapping);

/*
 * Maps the page to an untyped frame: the handle's reference is the entry's from
 * now on, and *f is zeroed.
 *
 *   FH_E_EMPTY       the end of the range, or no frame
 *   FH_E_MAPPED      the page is mapped
 *   FH_E_INVALID     a property that the format cannot express, or not one for
 *                    this table: users' entries have FH_PAGE_USER and no
 *                    FH_PAGE_GLOBAL, others do not have FH_PAGE_USER
 *   FH_E_NO_MEMORY   for nodes
 *
 * Seed: map.
 */
FH_NODISCARD
enum fh_status fh_cursor_map(struct fh_cursor *cursor, struct fh_uframe *f,
			     struct fh_page_prop prop);

/*
 * The same for a frame of any type, in a kernel's table. FH_E_INVALID in any
 * other: typed memory is not for users or devices.
 */
FH_NODISCARD
enum fh_status fh_cursor_map_frame(struct fh_cursor *cursor, struct fh_frame *f,
				   struct fh_page_prop prop);

/*
 * Maps as many pages as the segment has to its pages, by the largest leaves
 * that fit, up to 2 MiB each: each page's reference is its entry's, and *s is
 * zeroed. Errors as fh_cursor_map(); FH_E_OUT_OF_BOUND if the range has fewer
 * pages left.
 */
FH_NODISCARD
enum fh_status fh_cursor_map_segment(struct fh_cursor *cursor,
				     struct fh_usegment *s,
				     struct fh_page_prop prop);

/*
 * Maps n pages to physical memory from pa on that nobody counts: devices, the
 * linear map. By the largest leaves that fit. What lies there has to outlive
 * the mapping. Errors as fh_cursor_map(), and FH_E_NOT_ALIGNED for pa.
 * Seed: map of untracked items, largest_pages, map_iomem.
 */
FH_NODISCARD
enum fh_status fh_cursor_map_untracked(struct fh_cursor *cursor,
				       struct fh_paddr pa, uint64_t n,
				       struct fh_page_prop prop);

/*
 * Unmaps the next n pages; what was mapped goes to the gather. Leaves that
 * reach beyond them are split. *pages is how many were mapped. FH_E_NO_MEMORY:
 * for nodes of split leaves, or for the gather. A single page that is not part
 * of a larger leaf never fails while the gather has room of its own. Seed: take_next, unmap.
 */
FH_NODISCARD
enum fh_status fh_cursor_unmap(struct fh_cursor *cursor, uint64_t n,
			       struct fh_gather *gather, uint64_t *pages);

/* What fh_cursor_protect() changes. */
struct fh_prop_change {
	uint32_t clear; /* flags that go, */
	uint32_t set;   /* and then flags that come */
};

/*
 * Changes the properties of all mapped pages among the next n; the cursor stays.
 * Bits that hardware sets meanwhile are kept. Leaves that reach beyond the
 * pages are split. *pages is how many are mapped.
 *
 *   FH_E_INVALID     some page's property would be none that the format can
 *                    express, or not one for this table: none is changed
 *   FH_E_NO_MEMORY   for nodes of split leaves
 *
 * Seed: protect_next, protect.
 */
FH_NODISCARD
enum fh_status fh_cursor_protect(struct fh_cursor *cursor, uint64_t n,
				 struct fh_prop_change change,
				 struct fh_gather *gather, uint64_t *pages);

/*
 * Moves to the first of the next n pages whose entry has one of the flags
 * FH_PAGE_ACCESSED, FH_PAGE_DIRTY, shows it as found, clears these flags in it,
 * and moves behind it. FH_E_NOT_MAPPED: no such page, and the cursor stands
 * behind them. FH_E_INVALID: other flags.
 */
FH_NODISCARD
enum fh_status fh_cursor_harvest(struct fh_cursor *cursor, uint64_t n,
				 uint32_t flags, struct fh_gather *gather,
				 struct fh_mapping *mapping);

/*
 * Makes the page start an entry of its own: a larger leaf that it lies in the
 * middle of is split, with every translation unchanged. Nothing to do at the
 * end of the range, or where nothing is mapped. FH_E_NO_MEMORY. Seed:
 * split_if_mapped_huge.
 */
FH_NODISCARD
enum fh_status fh_cursor_split(struct fh_cursor *cursor,
			       struct fh_gather *gather);

/*
 * Merges the 512 entries around the page, those of one node of level 1, into
 * one leaf, with every translation unchanged; accessed and dirty are those of
 * all entries, and set if the pages may be written.
 *
 *   FH_E_OUT_OF_BOUND   the cursor's range lies within these 512 pages, so that
 *                       the entry that names their node is not locked
 *   FH_E_NOT_MAPPED     they are not 512 leaves of neighbouring frames, from a
 *                       multiple of 512 on, with one property; or the format
 *                       has no such leaf
 */
FH_NODISCARD
enum fh_status fh_cursor_merge(struct fh_cursor *cursor,
			       struct fh_gather *gather);

FH_END_DECLS

#endif /* FRAMEHOLD_CURSOR_H */
