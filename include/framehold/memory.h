/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Bring-up: from a memory map to owned frames. There is one physical memory
 * per program, as on a machine; fh_fini() undoes fh_init(), so that tests start
 * afresh.
 */
#ifndef FRAMEHOLD_MEMORY_H
#define FRAMEHOLD_MEMORY_H

#include <framehold/early.h>
#include <framehold/segment.h>
#include <framehold/topology.h>

FH_BEGIN_DECLS

/* How to bring memory up. */
struct fh_init_options {
	/* Normalised; stays where it is until fh_fini(). */
	struct fh_memory_map *map;

	/*
	 * Memory is known to be zero where the early allocator takes it: slots
	 * are then ready as they are. Otherwise each section's are zeroed when
	 * the first of its pages is claimed.
	 */
	bool memory_is_zeroed;

	/*
	 * Which memory is near which CPU, and where memory may be plugged in
	 * later; null: all memory is alike, and none will come. Stays where it
	 * is until fh_fini().
	 */
	const struct fh_topology *topology;
};

/*
 * Brings memory up, in this order: finds the end of RAM; takes pages for the
 * slots of all sections with RAM in them from the early allocator (opening it
 * if nobody has) and maps them by fh_host_map_window(); holds every page that
 * must not be handed out, by claiming and forgetting it with the type that
 * says why (metadata, early, kernel, unusable, reserved; page 0 unique); hands
 * all other usable pages to the allocator.
 *
 * Takes time in proportion to the number of spans, of sections, and of pages
 * held; free memory and its slots are not touched.
 *
 * One CPU, before any other has started. On failure memory is not up, and the
 * early allocator has the pages back that fh_init() took:
 *
 *   FH_E_TWICE       memory is up
 *   FH_E_INVALID     the early allocator was opened on another map
 *   FH_E_EMPTY       no usable page but page 0
 *   FH_E_NO_MEMORY   metadata does not fit, or leaves nothing to hand out
 *   others           what fh_host_map_window() returned
 *
 * Seed: init, alloc_meta_frames, mark_unusable_ranges, mark_ranges!.
 */
FH_NODISCARD
enum fh_status fh_init(const struct fh_init_options *options);

/*
 * Takes memory into use that was plugged in while the machine runs: `count`
 * pages from `first` on, whole sections (FH_SECTION_FRAMES), within a range that
 * the topology announced as hot_plug. Its own first pages hold its metadata,
 * which is mapped by fh_host_map_window(); the rest is free when this returns.
 * Its contents may be anything; the linear map reaches it already.
 *
 * Thread context, one at a time. On failure nothing has changed:
 *
 *   FH_E_EMPTY          count is 0
 *   FH_E_NOT_ALIGNED    not whole sections
 *   FH_E_OUT_OF_BOUND   not announced
 *   FH_E_TWICE          a section that is in use already
 *   others              what fh_host_map_window() returned
 */
FH_NODISCARD
enum fh_status fh_memory_plug(uint64_t first, uint64_t count);

/*
 * Forgets all memory, and the early allocator's map: every handle becomes
 * invalid, no on_drop runs. Does nothing if neither is there. One CPU.
 */
void fh_fini(void);

/* What bring-up made of the map, in pages. */
struct fh_memory_totals {
	uint64_t metadata; /* hold slots, the ledger, the allocator's tables */
	uint64_t early;    /* taken by others from the early allocator */
	uint64_t kernel;   /* the image */
	uint64_t unusable; /* bad, non-volatile, modules, reclaimable */
	uint64_t reserved; /* reserved, unknown, framebuffer, holes, page 0 */
	uint64_t handed_over; /* free when fh_init() returned */
};

/* All zero before fh_init(). Any context. */
void fh_memory_totals(struct fh_memory_totals *totals);

/*
 * The pages that hold metadata, piece by piece: *piece is the index-th, in the
 * order in which they were mapped. FH_E_OUT_OF_BOUND past the last one. Their
 * references are forgotten: fh_segment_from_raw() restores them. Thread
 * context. Seed: the segment that init returns.
 */
FH_NODISCARD
enum fh_status fh_memory_metadata(size_t index, struct fh_range *piece);

FH_END_DECLS

#endif /* FRAMEHOLD_MEMORY_H */
