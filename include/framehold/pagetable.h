/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Page tables: trees of nodes, pages of 512 entries each. A table says which
 * half of the address space it is for:
 *
 *   kernel   the upper half, of which it has the windows it was made for
 *   user     the lower half; its root names the kernel's windows too, so that
 *            one root serves both halves
 *   device   the whole address space of a device, in the VT-d second stage's
 *            format
 *
 * Pages are named by their number: the address / FH_PAGE_SIZE, 52 bits, those
 * of the upper half sign-extended. Ranges are a first page and a count, so that
 * the last page of the address space is like any other.
 *
 * Tables are changed through cursors: cursor.h.
 */
#ifndef FRAMEHOLD_PAGETABLE_H
#define FRAMEHOLD_PAGETABLE_H

#include <framehold/frame.h>
#include <framehold/mode.h>
#include <framehold/prop.h>

FH_BEGIN_DECLS

enum fh_table_kind {
	FH_TABLE_KERNEL = 0,
	FH_TABLE_USER,
	FH_TABLE_DEVICE,
};

/*
 * What the machine at hand can do of the format it was built for; zeroes ask
 * for four levels, pages of up to 1 GiB, and no features.
 */
struct fh_table_format {
	unsigned levels;     /* of a root; 0: 4 */
	unsigned huge_level; /* the highest level that maps memory, below
				the root's; 0: 3 if it can be */
	uint64_t features;   /* bits of the format's own: arch/ */
	uint64_t asids;      /* address space numbers; 0: all that the format
				has, 1: none */
};

/* Pages of virtual memory. */
struct fh_page_range {
	uint64_t first;
	uint64_t count;
};

/*
 * A table: owns a reference to its root, which lives as long as the table or a
 * CPU that runs on it. Private fields. Seed: PageTable.
 */
struct fh_page_table {
	struct fh_frame root;
	struct fh_page_range range; /* that it can map */
	uint64_t features;
	uint8_t kind; /* enum fh_table_kind */
	uint8_t levels;
	uint8_t huge_level;
};

/*@
  predicate table_kind_ok(integer kind) =
    kind == FH_TABLE_KERNEL || kind == FH_TABLE_USER ||
    kind == FH_TABLE_DEVICE;

  // Half of what a table of so many levels can map, as hardware sees it.
  logic integer half_of(integer levels) = span(levels) * 0x100;

  logic integer range_first(integer kind, integer levels) =
    kind == FH_TABLE_KERNEL ? FH_PAGE_NUMBER_END - half_of(levels) : 0;

  logic integer range_count(integer kind, integer levels) =
    kind == FH_TABLE_DEVICE ? 2 * half_of(levels) : half_of(levels);

  // What a table that was made knows of its format.
  predicate table_ok{L}(struct fh_page_table *table) =
    table_kind_ok(table->kind) && 3 <= table->levels <= FH_MAX_LEVELS &&
    1 <= table->huge_level < table->levels && table->huge_level <= 3 &&
    table->range.first == range_first(table->kind, table->levels) &&
    table->range.count == range_count(table->kind, table->levels);
*/

/*
 * The number of the page that va is the first byte of. FH_E_NOT_ALIGNED if it
 * is none's; *page keeps its value. Any context.
 */
/*@
  requires \valid(page);
  assigns *page;
  exits \false;
  behavior not_aligned:
    assumes va.bytes % FH_PAGE_SIZE != 0;
    ensures \result == FH_E_NOT_ALIGNED && *page == \old(*page);
  behavior ok:
    assumes va.bytes % FH_PAGE_SIZE == 0;
    ensures \result == FH_OK && *page < FH_PAGE_NUMBER_END;
    ensures *page * FH_PAGE_SIZE == va.bytes;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_page_of_vaddr(struct fh_vaddr va, uint64_t *page);

/* The first byte of a page. Any context. */
/*@
  requires page < FH_PAGE_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result.bytes == page * FH_PAGE_SIZE;
*/
struct fh_vaddr fh_vaddr_of_page(uint64_t page);

/*
 * Makes the kernel's table. windows: the ranges that it will ever map, n of
 * them, each widened to whole entries of the root; their nodes exist from now
 * on, so that the tables of users can name them and never change there. No
 * windows (n is 0): the whole upper half. Thread and interrupt context.
 *
 *   FH_E_INVALID        a format that the library was not built for
 *   FH_E_OUT_OF_BOUND   a window that is not in the upper half, or empty
 *   FH_E_NO_MEMORY
 *
 * Seed: new_kernel_page_table.
 */
FH_NODISCARD
enum fh_status fh_page_table_create_kernel(const struct fh_table_format *format,
					   const struct fh_page_range *windows,
					   size_t n, struct fh_page_table *out);

/*
 * Makes an empty table for a user, with the kernel's windows in its upper half.
 * The kernel's table must outlive it. FH_E_NO_MEMORY. Thread and interrupt
 * context. Seed: create_user_page_table.
 */
FH_NODISCARD
enum fh_status fh_page_table_create_user(const struct fh_page_table *kernel,
					 struct fh_page_table *out);

/*
 * Makes an empty table for a device. FH_E_INVALID, FH_E_NO_MEMORY. Thread and
 * interrupt context. Seed: empty.
 */
FH_NODISCARD
enum fh_status fh_page_table_create_device(const struct fh_table_format *format,
					   struct fh_page_table *out);

/*
 * Gives the table up, with all it maps, and zeroes *table. No cursor is open on
 * it and none will be; CPUs and devices that run on it still may, what they
 * have cached was flushed or is flushed before they run on another: see space.h,
 * which does that. Nodes wait for a grace period, and what they map with them.
 * Thread context. Does nothing to a zeroed table.
 */
void fh_page_table_destroy(struct fh_page_table *table);

/* The root's address, for the hardware. Any context. Seed: root_paddr. */
FH_INLINE struct fh_paddr fh_page_table_root(const struct fh_page_table *table)
{
	return fh_frame_paddr(table->root);
}

/*
 * The pages that a table of that kind and so many levels can map.
 * Any context. Seed: vaddr_range.
 */
/*@
  requires table_kind_ok(kind) && is_level(levels);
  assigns \nothing;
  exits \false;
  ensures \result.first == range_first(kind, levels);
  ensures \result.count == range_count(kind, levels);
  ensures 0 < \result.count <= FH_PAGE_NUMBER_END;
  ensures \result.first <= FH_PAGE_NUMBER_END - \result.count;
  ensures kind == FH_TABLE_KERNEL ==>
    \result.first + \result.count == FH_PAGE_NUMBER_END;
  ensures \result.first % (half_of(levels)) == 0;
*/
struct fh_page_range fh_page_table_range(enum fh_table_kind kind,
					 unsigned levels);

/*
 * Whether n pages from first on are some that the table can map: n > 0, and all
 * in its range. Any context. Seed: is_valid_range.
 */
/*@
  requires \valid_read(table);
  assigns \nothing;
  exits \false;
  ensures \result <==> n > 0 && table->range.first <= first &&
    first + n <= table->range.first + table->range.count;
*/
static inline bool fh_page_table_covers(const struct fh_page_table *table,
					uint64_t first, uint64_t n)
{
	return n > 0 && first >= table->range.first &&
	       first - table->range.first < table->range.count &&
	       n <= table->range.count - (first - table->range.first);
}

/* What an entry says. */
struct fh_mapping {
	uint64_t first;  /* the first page that the entry stands for, */
	uint64_t pages;  /* how many */
	bool is_mapped;  /* the rest is zero otherwise */
	bool is_tracked; /* the entry holds a reference to each page's frame */
	uint64_t frame;  /* the frame that the first page is mapped to */
	struct fh_page_prop prop;
};

/*
 * Looks a page up without a lock: what the table said at some moment of the
 * call. A frame found so may be unmapped any time: take a reference by
 * fh_frame_from_in_use(), look again, and only trust it if it is still there.
 * FH_E_OUT_OF_BOUND: a page that the table cannot map. Any context, in atomic
 * mode. Seed: page_walk.
 */
FH_NODISCARD
enum fh_status fh_page_table_walk(const struct fh_page_table *table,
				  const struct fh_atomic_mode *mode,
				  uint64_t page, struct fh_mapping *mapping);

FH_END_DECLS

#endif /* FRAMEHOLD_PAGETABLE_H */
