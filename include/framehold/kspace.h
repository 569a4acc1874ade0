/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The kernel's own address space: whole pieces of it that are mapped once, and
 * areas that come and go.
 *
 * Everything here is thread context, no lock held, not in atomic mode,
 * interrupts on, unless a comment says otherwise; every change is flushed on
 * all online CPUs when the function returns. The table is the one that
 * fh_page_table_create_kernel() made; pages outside of its windows are
 * FH_E_OUT_OF_BOUND. Nothing is mapped writable and executable: FH_E_INVALID.
 *
 * The range that holds the library's own tables, slots, stacks and code is
 * mapped before the table is activated, and not changed from then on.
 *
 * Seed: kspace, KVirtArea.
 */
#ifndef FRAMEHOLD_KSPACE_H
#define FRAMEHOLD_KSPACE_H

#include <framehold/cursor.h>
#include <framehold/spinlock.h>
#include <framehold/region.h>
#include <framehold/space.h>

FH_BEGIN_DECLS

/*
 * Maps n pages from page `first` on to memory that nobody counts: the kernel's
 * image, the windows of metadata, devices. Errors as fh_cursor_map_untracked().
 */
FH_NODISCARD
enum fh_status fh_kernel_map(const struct fh_page_table *kernel, uint64_t first,
			     struct fh_paddr pa, uint64_t n,
			     struct fh_page_prop prop);

/*
 * Maps all RAM of a map, byte for byte from page `base` on: frame f at page
 * base + f. Spans that touch are mapped as one. Reserved memory and holes stay
 * unmapped. All or nothing. Errors as fh_kernel_map().
 * Seed: init_kernel_page_table's linear map.
 */
FH_NODISCARD
enum fh_status fh_kernel_map_linear(const struct fh_page_table *kernel,
				    const struct fh_memory_map *map,
				    uint64_t base, struct fh_page_prop prop);

/* Undoes fh_kernel_map(); *pages is how many were mapped. */
FH_NODISCARD
enum fh_status fh_kernel_unmap(const struct fh_page_table *kernel,
			       uint64_t first, uint64_t n, uint64_t *pages);

/* ---- Areas ---- */

/*
 * A part of the kernel's address space that areas are taken from. Private
 * fields; zeroed by fh_area_pool_open().
 */
struct fh_area_pool {
	const struct fh_page_table *kernel;
	struct fh_lock lock;
	uint64_t first;
	uint64_t count;
	struct fh_area *areas; /* ascending */
};

/*
 * An area: pages of its own, with one page behind it and one before it that are
 * never mapped. Placed by its owner; stays where it is until it is destroyed.
 * first and count are for reading.
 */
struct fh_area {
	struct fh_area_pool *pool;
	struct fh_area *next;
	uint64_t first;
	uint64_t count;
};

/*
 * Opens a pool over n pages from `first` on. FH_E_OUT_OF_BOUND: not pages of the
 * kernel's half; FH_E_EMPTY: fewer than 3.
 */
FH_NODISCARD
enum fh_status fh_area_pool_open(struct fh_area_pool *pool,
				 const struct fh_page_table *kernel,
				 uint64_t first, uint64_t n);

/*
 * Makes an area of n pages, nothing mapped: the lowest addresses that fit. Takes
 * time in proportion to the number of areas. FH_E_EMPTY: n is 0;
 * FH_E_NO_MEMORY: no such stretch. Seed: KVirtArea::new.
 */
FH_NODISCARD
enum fh_status fh_area_create(struct fh_area_pool *pool, uint64_t n,
			      struct fh_area *area);

/*
 * Maps pages of an area from its page `at` on: a frame of any type, a segment
 * of untyped pages, or n pages that nobody counts. FH_E_OUT_OF_BOUND: they do
 * not fit; others as fh_cursor_map(). Seed: map_frames, map_untracked_frames.
 */
FH_NODISCARD
enum fh_status fh_area_map_frame(struct fh_area *area, uint64_t at,
				 struct fh_frame *f, struct fh_page_prop prop);
FH_NODISCARD
enum fh_status fh_area_map_segment(struct fh_area *area, uint64_t at,
				   struct fh_usegment *s,
				   struct fh_page_prop prop);
FH_NODISCARD
enum fh_status fh_area_map_untracked(struct fh_area *area, uint64_t at,
				     struct fh_paddr pa, uint64_t n,
				     struct fh_page_prop prop);

/* What a page of it is mapped to. FH_E_OUT_OF_BOUND. Seed: query. */
FH_NODISCARD
enum fh_status fh_area_query(const struct fh_area *area, uint64_t at,
			     struct fh_mapping *mapping);

/*
 * Unmaps all of an area, and gives its addresses back when no CPU can have
 * anything of them cached. FH_E_NO_MEMORY: the area is as it was; only for areas
 * of more than FH_GATHER_RUNS mapped pages. Does nothing to an area that was
 * never made, or is destroyed. Seed: Drop for KVirtArea.
 */
FH_NODISCARD
enum fh_status fh_area_destroy(struct fh_area *area);

FH_END_DECLS

#endif /* FRAMEHOLD_KSPACE_H */
