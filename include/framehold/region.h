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

/*@
  // RAM.
  logic boolean is_physical(integer kind) =
    kind == FH_REGION_NON_VOLATILE_SLEEP || kind == FH_REGION_KERNEL ||
    kind == FH_REGION_MODULE || kind == FH_REGION_RECLAIMABLE ||
    kind == FH_REGION_USABLE;

  // The pages of a region: the whole ones of a usable region, all that it
  // touches of any other. Here and below, depth is 0: what may call itself has
  // a name for the provers, by which they tell that equals have equal pages.
  logic integer first_of(integer base, integer size, integer kind,
                         integer depth) =
    depth > 0 ? first_of(base, size, kind, 0) :
    kind == FH_REGION_USABLE && size > 0 ?
      (base + FH_PAGE_SIZE - 1) / FH_PAGE_SIZE : base / FH_PAGE_SIZE;

  logic integer end_of(integer base, integer size, integer kind,
                       integer depth) =
    depth > 0 ? end_of(base, size, kind, 0) :
    size == 0 ? first_of(base, size, kind, 0) :
    kind != FH_REGION_USABLE ?
      (base + size + FH_PAGE_SIZE - 1) / FH_PAGE_SIZE :
    (base + size) / FH_PAGE_SIZE < first_of(base, size, kind, 0) ?
      first_of(base, size, kind, 0) : (base + size) / FH_PAGE_SIZE;

  logic integer region_first{L}(struct fh_region *r) =
    first_of(r->base, r->size, r->kind, 0);

  logic integer region_end{L}(struct fh_region *r) =
    end_of(r->base, r->size, r->kind, 0);

  logic integer region_status{L}(struct fh_region *r) =
    r->kind >= FH_REGION_KINDS ? FH_E_INVALID :
    r->size > 0 && r->base + r->size - 1 > UINT64_MAX ? FH_E_OVERFLOW :
    is_physical(r->kind) && region_first(r) < region_end(r) &&
      region_end(r) > FH_MAX_FRAMES ? FH_E_OUT_OF_BOUND : FH_OK;

  // The first of regions[i .. n - 1] at fault, or n.
  logic integer faulty{L}(struct fh_region *regions, integer i, integer n) =
    i >= n || region_status(regions + i) != FH_OK ? i :
      faulty(regions, i + 1, n);

  predicate regions_are_ok{L}(struct fh_region *regions, integer n) =
    \valid_read(regions + (0 .. n - 1)) &&
    \forall integer i; 0 <= i < n ==>
      regions[i].kind < FH_REGION_KINDS &&
      (regions[i].size > 0 ==>
         regions[i].base + regions[i].size - 1 <= UINT64_MAX);

  // Whether one of the first n is this one.
  predicate is_there{L}(struct fh_region *regions, integer n, integer base,
                        integer size, integer kind, integer depth) =
    depth > 0 ? is_there(regions, n, base, size, kind, 0) :
    \exists integer i; 0 <= i < n && regions[i].base == base &&
      regions[i].size == size && regions[i].kind == kind;

  // Whether one of that kind has the page.
  predicate is_said{L}(struct fh_region *regions, integer n, integer page,
                       integer kind, integer depth) =
    depth > 0 ? is_said(regions, n, page, kind, 0) :
    \exists integer base, size; is_there(regions, n, base, size, kind, 0) &&
      first_of(base, size, kind, 0) <= page < end_of(base, size, kind, 0);

  // Whether that is the least usable kind of those of the page.
  predicate is_least_kind{L}(struct fh_region *regions, integer n,
                             integer page, integer kind, integer depth) =
    depth > 0 ? is_least_kind(regions, n, page, kind, 0) :
    is_said(regions, n, page, kind, 0) &&
    \forall integer k; is_said(regions, n, page, k, 0) ==> kind <= k;

  logic integer is_region{L}(struct fh_region *r, integer base, integer size,
                             integer kind) =
    r->base == base && r->size == size && r->kind == kind ? 1 : 0;

  // How often a region is among the first n.
  logic integer times{L}(struct fh_region *regions, integer n, integer base,
                         integer size, integer kind) =
    n <= 0 ? 0 : times(regions, n - 1, base, size, kind) +
      is_region(regions + (n - 1), base, size, kind);

  // The first n are the same, each as often, in some order.
  predicate are_same_regions{A,B}(struct fh_region *regions, integer n) =
    \forall integer base, size, kind;
      times{A}(regions, n, base, size, kind) ==
      times{B}(regions, n, base, size, kind);

  predicate regions_ascend{L}(struct fh_region *regions, integer lo,
                              integer hi) =
    \forall integer i, j; lo <= i < j < hi ==>
      region_first(regions + i) <= region_first(regions + j);
*/

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

  predicate spans_end_by{L}(struct fh_memory_map *map, integer page) =
    \forall integer i; 0 <= i < map->count ==>
      map->spans[i].first + map->spans[i].count <= page;

  predicate spans_are_untaken{L}(struct fh_memory_map *map) =
    \forall integer i; 0 <= i < map->count ==>
      map->spans[i].taken == 0 && map->spans[i].taken_before == 0;

  // Whether page is in a span of that kind.
  predicate map_has{L}(struct fh_memory_map *map, integer page,
                       integer kind, integer depth) =
    depth > 0 ? map_has(map, page, kind, 0) :
    \exists integer i; 0 <= i < map->count &&
      map->spans[i].first <= page <
        map->spans[i].first + map->spans[i].count &&
      map->spans[i].kind == kind;

  // How many pages of one kind the first n spans have.
  logic integer pages_of{L}(struct fh_memory_map *map, integer kind,
                            integer n) =
    n <= 0 ? 0 : pages_of(map, kind, n - 1) +
      (map->spans[n - 1].kind == kind ? map->spans[n - 1].count : 0);

  predicate map_is_normal{L}(struct fh_memory_map *map) =
    map_is_readable(map) && spans_are_ok(map) && spans_ascend(map) &&
    spans_differ(map);
*/

/* "usable", "reserved", ...; "invalid" if it is none of the nine. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result != \null;
*/
const char *fh_region_kind_name(enum fh_region_kind kind);

/*
 * Whether memory of this kind is RAM, so that its pages get metadata: all but
 * bad, unknown, reserved and framebuffer. Seed: is_physical.
 */
/*@
  assigns \nothing;
  exits \false;
  ensures \result != 0 <==> is_physical(kind) == \true;
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
/*@
  requires \valid(regions + (0 .. n - 1)) && \valid(map) && \valid(bad);
  requires \valid(map->spans + (0 .. map->capacity - 1));
  requires \separated(regions + (0 .. n - 1), map,
                      map->spans + (0 .. map->capacity - 1), bad);
  assigns regions[0 .. n - 1], map->count,
    map->spans[0 .. map->capacity - 1], *bad;
  exits \false;
  behavior invalid:
    assumes faulty(regions, 0, n) < n;
    assumes region_status(regions + faulty(regions, 0, n)) == FH_E_INVALID;
    assigns *bad;
    ensures \result == FH_E_INVALID;
    ensures *bad == \old(faulty(regions, 0, n));
  behavior overflow:
    assumes faulty(regions, 0, n) < n;
    assumes region_status(regions + faulty(regions, 0, n)) == FH_E_OVERFLOW;
    assigns *bad;
    ensures \result == FH_E_OVERFLOW;
    ensures *bad == \old(faulty(regions, 0, n));
  behavior out_of_bound:
    assumes faulty(regions, 0, n) < n;
    assumes region_status(regions + faulty(regions, 0, n)) != FH_E_INVALID;
    assumes region_status(regions + faulty(regions, 0, n)) != FH_E_OVERFLOW;
    assigns *bad;
    ensures \result == FH_E_OUT_OF_BOUND;
    ensures *bad == \old(faulty(regions, 0, n));
  behavior no_memory:
    assumes faulty(regions, 0, n) >= n && map->capacity < 2 * n;
    assigns *bad;
    ensures \result == FH_E_NO_MEMORY && *bad == map->capacity / 2;
  behavior ok:
    assumes faulty(regions, 0, n) >= n && 2 * n <= map->capacity;
    assigns regions[0 .. n - 1], map->count,
      map->spans[0 .. map->capacity - 1];
    ensures \result == FH_OK;
    ensures are_same_regions{Pre,Post}(regions, n);
    ensures regions_ascend(regions, 0, n);
    ensures map->count <= 2 * n;
    ensures map_is_normal(map);
    ensures spans_are_untaken(map);
    ensures \forall integer page, k; map_has(map, page, k, 0) <==>
      is_least_kind{Pre}(regions, n, page, k, 0);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_map_normalise(struct fh_region *regions, size_t n,
				struct fh_memory_map *map, size_t *bad);

/* The end of the last RAM span, in pages; 0 without RAM. */
/*@
  requires map_is_normal(map);
  assigns \nothing;
  exits \false;
  ensures \result <= FH_PAGE_NUMBER_END;
  ensures \forall integer i; 0 <= i < map->count &&
    is_physical(map->spans[i].kind) == \true ==>
      map->spans[i].first + map->spans[i].count <= \result;
  ensures \result > 0 ==> \exists integer i; 0 <= i < map->count &&
    is_physical(map->spans[i].kind) == \true &&
    map->spans[i].first + map->spans[i].count == \result;
*/
uint64_t fh_map_frame_end(const struct fh_memory_map *map);

/* Pages of one kind. */
/*@
  requires map_is_normal(map);
  assigns \nothing;
  exits \false;
  ensures \result == pages_of(map, kind, map->count);
*/
uint64_t fh_map_pages(const struct fh_memory_map *map,
		      enum fh_region_kind kind);

/* The kind of a page; FH_REGION_UNKNOWN if no span holds it. */
/*@
  requires map_is_normal(map);
  assigns \nothing;
  exits \false;
  ensures \forall integer i; 0 <= i < map->count &&
    map->spans[i].first <= frame <
      map->spans[i].first + map->spans[i].count ==>
        \result == map->spans[i].kind;
  ensures (\forall integer i; 0 <= i < map->count ==>
    !(map->spans[i].first <= frame <
        map->spans[i].first + map->spans[i].count)) ==>
          \result == FH_REGION_UNKNOWN;
*/
enum fh_region_kind fh_map_kind_at(const struct fh_memory_map *map,
				   uint64_t frame);

FH_END_DECLS

#endif /* FRAMEHOLD_REGION_H */
