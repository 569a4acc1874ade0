/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Memory maps: what firmware says about physical memory, in bytes, unordered,
 * overlapping; made into spans of pages, ascending and disjoint. Nothing here
 * touches memory other than what is passed, or needs anything else of the
 * library: a boot loader or a tool may use it alone. Any context.
 */
#ifndef FRAMEHOLD_REGION_H
#define FRAMEHOLD_REGION_H

#include <framehold/addr.h>
#include <framehold/status.h>

FH_BEGIN_DECLS

/*
 * In order of usability: where regions overlap, the lesser kind wins.
 * Seed: MemoryRegionType.
 */
enum fh_region_kind {
	FH_REGION_BAD = 0,            /* broken */
	FH_REGION_UNKNOWN,            /* nobody said */
	FH_REGION_NON_VOLATILE_SLEEP, /* firmware keeps it across sleep */
	FH_REGION_RESERVED,           /* firmware's; may be device memory */
	FH_REGION_KERNEL,             /* the kernel's image */
	FH_REGION_MODULE,             /* loaded beside the kernel */
	FH_REGION_FRAMEBUFFER,        /* the screen; may be device memory */
	FH_REGION_RECLAIMABLE,        /* usable once its contents were read */
	FH_REGION_USABLE,             /* free */
};

#define FH_REGION_KINDS 9

/* One entry of a firmware's map, in bytes. Seed: MemoryRegion. */
struct fh_region {
	uint64_t base;
	uint64_t size;
	enum fh_region_kind kind;
};

/* One piece of a normalised map, in pages. */
struct fh_span {
	uint64_t first;
	uint64_t count;
	enum fh_region_kind kind;

	/* Pages taken by the early allocator, from the first on: early.h. */
	uint64_t taken;

	/* Private to bring-up: what was taken when fh_init() began. */
	uint64_t taken_before;
};

/*
 * A normalised map: spans ascending, disjoint, none empty, neighbours that
 * touch differ in kind. The caller provides the array and keeps it for as long
 * as the map is in use. Seed: MemoryRegionArray.
 */
struct fh_memory_map {
	struct fh_span *spans;
	size_t capacity; /* 2 * regions is always enough */
	size_t count;
};

/*@
  // The page that follows span i.
  logic integer span_end{L}(struct fh_memory_map *map, integer i) =
    map->spans[i].first + map->spans[i].count;

  predicate span_has{L}(struct fh_memory_map *map, integer i, integer page) =
    map->spans[i].first <= page < span_end(map, i);

  predicate map_is_readable{L}(struct fh_memory_map *map) =
    \valid_read(map) && map->count <= map->capacity &&
    \valid_read(map->spans + (0 .. map->count - 1));

  predicate spans_are_ok{L}(struct fh_memory_map *map) =
    \forall integer i; 0 <= i < map->count ==>
      map->spans[i].kind < FH_REGION_KINDS && 0 < map->spans[i].count &&
      map->spans[i].first + map->spans[i].count <= FH_PAGE_NUMBER_END;

  predicate spans_ascend{L}(struct fh_memory_map *map) =
    \forall integer i, j; 0 <= i < j < map->count ==>
      map->spans[i].first + map->spans[i].count <= map->spans[j].first;

  predicate spans_differ{L}(struct fh_memory_map *map) =
    \forall integer i, j; 0 <= i < j < map->count &&
      map->spans[i].first + map->spans[i].count == map->spans[j].first ==>
        map->spans[i].kind != map->spans[j].kind;

  predicate map_is_normal{L}(struct fh_memory_map *map) =
    map_is_readable(map) && spans_are_ok(map) && spans_ascend(map) &&
    spans_differ(map);
*/

/* "usable", "reserved", ...; "invalid" if it is none of the nine. */
const char *fh_region_kind_name(enum fh_region_kind kind);

/*
 * Whether memory of this kind is RAM, so that its pages get metadata: all but
 * bad, unknown, reserved and framebuffer. Seed: is_physical.
 */
bool fh_region_is_physical(enum fh_region_kind kind);

/*
 * Makes map out of n regions: drops empty ones, clips usable ones inward to
 * page boundaries and all others outward, drops what is empty then, lets the
 * less usable kind win where they overlap, and merges neighbours of one kind.
 * Ranges that no region mentions are in no span. A region may end at 2^64.
 * Sorts the regions in place; takes time n log n. map->count need not be set.
 *
 * Entries are checked in their order, then the capacity. On an error the
 * regions are in their old order, the map is as it was, and *bad is the index
 * of the entry at fault, or of the first one that there is no room for:
 *
 *   FH_E_INVALID        the entry's kind is none of the nine
 *   FH_E_OVERFLOW       base + size is beyond 2^64
 *   FH_E_OUT_OF_BOUND   RAM, once clipped, at or beyond FH_MAX_FRAMES pages
 *   FH_E_NO_MEMORY      capacity is less than 2 * n
 *
 * Seed: non_overlapping_regions_from, into_non_overlapping.
 */
FH_NODISCARD
enum fh_status fh_map_normalise(struct fh_region *regions, size_t n,
				struct fh_memory_map *map, size_t *bad);

/* The end of the last RAM span, in pages; 0 without RAM. */
uint64_t fh_map_frame_end(const struct fh_memory_map *map);

/* Pages of one kind. */
uint64_t fh_map_pages(const struct fh_memory_map *map,
		      enum fh_region_kind kind);

/* The kind of a page; FH_REGION_UNKNOWN if no span holds it. */
enum fh_region_kind fh_map_kind_at(const struct fh_memory_map *map,
				   uint64_t frame);

FH_END_DECLS

#endif /* FRAMEHOLD_REGION_H */
