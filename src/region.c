/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Normalisation of memory maps: one sort by first page, then one sweep upward.
 *
 *     regions, sorted   [-- usable -------------]
 *                              [-- bad --]
 *                                   [-- reserved ------]
 *     reach[bad]                         ^
 *     reach[reserved]                                  ^
 *     reach[usable]                             ^
 *     spans             [ u   ][ bad     ][ reserved   ]
 *
 * The sweep remembers for each kind only how far the regions of that kind that
 * began so far reach: of two regions of one kind, the shorter adds nothing. At
 * a position, the lowest kind whose reach lies beyond it is the answer, until
 * that reach ends or the next region begins.
 *
 * Why 2 * n spans are always enough: let `active` be the number of kinds that
 * reach beyond the position. spans + active <= 2 * regions begun, always: a
 * region that begins adds 2 on the right, at most 1 to active, and ends at
 * most one span; a reach that ends makes one span and takes 1 off active.
 */
#include <framehold/region.h>

#include "regionsort.h"

static const char *const region_kind_names[FH_REGION_KINDS] = {
	"bad",    "unknown",     "non-volatile", "reserved", "kernel",
	"module", "framebuffer", "reclaimable",  "usable",
};

/*@
  assigns \nothing;
  exits \false;
  ensures \result <==> 0 <= kind < FH_REGION_KINDS;
*/
static bool region_kind_is_valid(enum fh_region_kind kind)
{
	return (unsigned)kind < FH_REGION_KINDS;
}

const char *fh_region_kind_name(enum fh_region_kind kind)
{
	if (!region_kind_is_valid(kind))
		return "invalid";
	return region_kind_names[kind];
}

bool fh_region_is_physical(enum fh_region_kind kind)
{
	return region_kind_is_valid(kind) && kind != FH_REGION_BAD &&
	       kind != FH_REGION_UNKNOWN && kind != FH_REGION_RESERVED &&
	       kind != FH_REGION_FRAMEBUFFER;
}

/*@
  requires \valid_read(region);
  assigns \nothing;
  exits \false;
  ensures \result == region_status(region);
*/
static enum fh_status region_check(const struct fh_region *region)
{
	struct clipped pages;

	if (!region_kind_is_valid(region->kind))
		return FH_E_INVALID;
	if (region->size > 0 && region->size - 1 > UINT64_MAX - region->base)
		return FH_E_OVERFLOW;

	pages = clip(region);
	if (fh_region_is_physical(region->kind) && pages.first < pages.end &&
	    pages.end > FH_MAX_FRAMES)
		return FH_E_OUT_OF_BOUND;
	return FH_OK;
}

/* What the sweep knows at a page, once all regions that begin there did. */
struct sweep {
	uint64_t reach[FH_REGION_KINDS];
	uint64_t page;
	size_t next; /* the first region that begins later */
};

/*@
  // How many kinds reach beyond page.
  logic integer beyond(struct sweep s, integer page) =
    (s.reach[0] > page ? 1 : 0) + (s.reach[1] > page ? 1 : 0) +
    (s.reach[2] > page ? 1 : 0) + (s.reach[3] > page ? 1 : 0) +
    (s.reach[4] > page ? 1 : 0) + (s.reach[5] > page ? 1 : 0) +
    (s.reach[6] > page ? 1 : 0) + (s.reach[7] > page ? 1 : 0) +
    (s.reach[8] > page ? 1 : 0);

  predicate begun_before{L}(struct fh_region *regions, struct sweep s) =
    \forall integer i; 0 <= i < s.next ==>
      region_first(regions + i) <= s.page;

  // The reach of a kind is the farthest end of one that began.
  predicate reach_is_enough{L}(struct fh_region *regions, struct sweep s) =
    \forall integer i; 0 <= i < s.next ==>
      region_end(regions + i) <= s.reach[regions[i].kind];

  predicate reach_is_real{L}(struct fh_region *regions, struct sweep s) =
    \forall integer k; 0 <= k < FH_REGION_KINDS && s.reach[k] > 0 ==>
      \exists integer i; 0 <= i < s.next && regions[i].kind == k &&
        region_end(regions + i) == s.reach[k];

  predicate reach_is_page(struct sweep s) =
    \forall integer k; 0 <= k < FH_REGION_KINDS ==>
      s.reach[k] <= FH_PAGE_NUMBER_END;

  predicate sweep_is_ok{L}(struct fh_region *regions, integer n,
                           struct sweep s) =
    s.next <= n && reach_is_page(s) && begun_before(regions, s) &&
    reach_is_enough(regions, s) && reach_is_real(regions, s);

  predicate rest_begins_after{L}(struct fh_region *regions, integer n,
                                 integer next, integer page) =
    \forall integer i; next <= i < n ==> page < region_first(regions + i);

  predicate is_lowest(struct sweep s, integer kind) =
    0 <= kind <= FH_REGION_KINDS &&
    (\forall integer k; 0 <= k < kind ==> s.reach[k] <= s.page) &&
    (kind < FH_REGION_KINDS ==> s.page < s.reach[kind]);
*/

/* Lets all regions begin that do so at or before the page. */
/*@
  requires regions_are_ok(regions, n) && regions_ascend(regions, 0, n);
  requires sweep_is_ok(regions, n, s);
  assigns \nothing;
  exits \false;
  ensures \result.page == s.page && s.next <= \result.next;
  ensures sweep_is_ok(regions, n, \result);
  ensures rest_begins_after(regions, n, \result.next, s.page);
  ensures beyond(\result, s.page) - beyond(s, s.page) <=
    \result.next - s.next;
*/
static struct sweep begin_regions(const struct fh_region *regions, size_t n,
				  struct sweep s)
{
	/*@
	  loop invariant \at(s,Pre).next <= s.next <= n;
	  loop invariant s.page == \at(s,Pre).page;
	  loop invariant reach_is_page(s);
	  loop invariant begun_before(regions, s);
	  loop invariant reach_is_enough(regions, s);
	  loop invariant reach_is_real(regions, s);
	  loop invariant beyond(s, s.page) - beyond(\at(s,Pre), s.page) <=
	    s.next - \at(s,Pre).next;
	  loop assigns s;
	  loop variant n - s.next;
	*/
	while (s.next < n && first_page(&regions[s.next]) <= s.page) {
		enum fh_region_kind kind = regions[s.next].kind;
		uint64_t end = clip(&regions[s.next]).end;

		if (s.reach[kind] < end)
			s.reach[kind] = end;
		/*@ assert \forall integer k; 0 <= k < FH_REGION_KINDS &&
		      k != kind ==>
		        s.reach[k] == \at(s.reach[k],LoopCurrent); */
		/*@ assert kind == 0 || kind == 1 || kind == 2 || kind == 3 ||
		      kind == 4 || kind == 5 || kind == 6 || kind == 7 ||
		      kind == 8; */
		/*@ assert beyond(s, s.page) <=
		      beyond(\at(s,LoopCurrent), s.page) + 1; */
		s.next++;
	}
	return s;
}

/* The lowest kind that reaches beyond the page; FH_REGION_KINDS if none. */
/*@
  assigns \nothing;
  exits \false;
  ensures is_lowest(s, \result);
*/
static unsigned lowest_beyond(struct sweep s)
{
	unsigned kind = 0;

	/*@
	  loop invariant 0 <= kind <= FH_REGION_KINDS;
	  loop invariant \forall integer k; 0 <= k < kind ==>
	    s.reach[k] <= s.page;
	  loop assigns kind;
	  loop variant FH_REGION_KINDS - kind;
	*/
	while (kind < FH_REGION_KINDS && s.reach[kind] <= s.page)
		kind++;
	return kind;
}

/*@ ghost
  /@
    requires a <= b;
    assigns \nothing;
    exits \false;
    ensures beyond(s, b) <= beyond(s, a);
    ensures \forall integer k; 0 <= k < FH_REGION_KINDS &&
      a < s.reach[k] <= b ==> beyond(s, b) < beyond(s, a);
  @/
  void ghost_beyond(struct sweep s, uint64_t a, uint64_t b)
  {
  }
*/

/* How far the lowest kind, or none, is the answer; there is more to come. */
/*@
  requires regions_are_ok(regions, n) && regions_ascend(regions, 0, n);
  requires sweep_is_ok(regions, n, s) && is_lowest(s, kind);
  requires rest_begins_after(regions, n, s.next, s.page);
  requires kind < FH_REGION_KINDS || s.next < n;
  assigns \nothing;
  exits \false;
  ensures s.page < \result <= FH_PAGE_NUMBER_END;
  ensures kind < FH_REGION_KINDS ==> \result <= s.reach[kind];
  ensures (s.next < n && \result == region_first(regions + s.next)) ||
    (kind < FH_REGION_KINDS && \result == s.reach[kind]);
  ensures s.next < n ==> \result <= region_first(regions + s.next);
  ensures beyond(s, \result) <= beyond(s, s.page);
  ensures kind < FH_REGION_KINDS && \result == s.reach[kind] ==>
    beyond(s, \result) < beyond(s, s.page);
  ensures \forall integer page, k; s.page <= page < \result ==>
    (is_least_kind(regions, n, page, k, 0) <==>
     kind < FH_REGION_KINDS && k == kind);
*/
static uint64_t sweep_stop(const struct fh_region *regions, size_t n,
			   struct sweep s, unsigned kind)
{
	uint64_t stop = FH_PAGE_NUMBER_END;

	if (s.next < n)
		stop = first_page(&regions[s.next]);
	if (kind < FH_REGION_KINDS && s.reach[kind] < stop)
		stop = s.reach[kind];
	/*@ ghost ghost_beyond(s, s.page, stop); */
	/*@ assert \forall integer i; 0 <= i < n ==>
	      is_there(regions, n, regions[i].base, regions[i].size,
	               regions[i].kind, 0); */
	/*@ assert rest_begins_after(regions, n, s.next, stop - 1); */
	/*@ assert \forall integer page, i; s.page <= page < stop &&
	      0 <= i < n && region_first(regions + i) <= page <
	        region_end(regions + i) ==> kind <= regions[i].kind; */
	/*@ assert \forall integer page, k; s.page <= page < stop &&
	      is_said(regions, n, page, k, 0) ==> kind <= k; */
	/*@ assert kind < FH_REGION_KINDS ==> \exists integer i;
	      0 <= i < s.next && regions[i].kind == kind &&
	      region_first(regions + i) <= s.page &&
	      stop <= region_end(regions + i); */
	/*@ assert kind < FH_REGION_KINDS ==>
	      \forall integer page; s.page <= page < stop ==>
	        is_said(regions, n, page, kind, 0); */
	/*@ assert \forall integer page, k; is_said(regions, n, page, k, 0) ==>
	      k < FH_REGION_KINDS; */
	/*@ assert kind < FH_REGION_KINDS ==>
	      \forall integer page; s.page <= page < stop ==>
	        is_least_kind(regions, n, page, kind, 0); */
	/*@ assert \forall integer page, k; s.page <= page < stop &&
	      is_said(regions, n, page, k, 0) ==>
	        kind < FH_REGION_KINDS && is_said(regions, n, page, kind, 0); */
	/*@ assert \forall integer page, k; s.page <= page < stop &&
	      is_least_kind(regions, n, page, k, 0) ==>
	        kind < FH_REGION_KINDS && k == kind; */
	return stop;
}

/*@
  // Pages first .. end - 1 are in the map now, the others as before.
  predicate map_grew{A,B}(struct fh_memory_map *map, integer first,
                          integer end, integer kind) =
    \forall integer page, k; map_has{B}(map, page, k, 0) <==>
      map_has{A}(map, page, k, 0) || (first <= page < end && k == kind);
*/

/* Adds pages first .. end - 1 to the last span, which ends there. */
/*@
  requires \valid(map) && 0 < map->count <= map->capacity;
  requires map->spans[map->count - 1].first +
    map->spans[map->count - 1].count == first;
  requires \valid(map->spans + (0 .. map->capacity - 1));
  requires \separated(map, map->spans + (0 .. map->capacity - 1));
  requires first < end <= FH_PAGE_NUMBER_END;
  requires spans_are_ok(map) && spans_ascend(map) && spans_differ(map);
  requires spans_end_by(map, first) && spans_are_untaken(map);
  assigns map->spans[map->count - 1].count;
  exits \false;
  ensures map->count <= \old(map->count) + 1;
  ensures spans_are_ok(map);
  ensures spans_ascend(map);
  ensures spans_differ(map);
  ensures spans_end_by(map, end);
  ensures spans_are_untaken(map);
  ensures map_grew{Pre,Post}(map, first, end,
                    map->spans[map->count - 1].kind);
*/
static void map_extend(struct fh_memory_map *map, uint64_t first, uint64_t end)
{
	size_t last = map->count - 1;

	map->spans[last].count += end - first;
}

/* Adds them as a span of their own. */
/*@
  requires \valid(map) && map->count < map->capacity;
  requires \forall integer i; 0 <= i < map->count &&
    map->spans[i].first + map->spans[i].count == first ==>
      map->spans[i].kind != kind;
  requires \valid(map->spans + (0 .. map->capacity - 1));
  requires \separated(map, map->spans + (0 .. map->capacity - 1));
  requires first < end <= FH_PAGE_NUMBER_END && kind < FH_REGION_KINDS;
  requires spans_are_ok(map) && spans_ascend(map) && spans_differ(map);
  requires spans_end_by(map, first) && spans_are_untaken(map);
  assigns map->count, map->spans[0 .. map->capacity - 1];
  exits \false;
  ensures map->count <= \old(map->count) + 1;
  ensures spans_are_ok(map);
  ensures spans_ascend(map);
  ensures spans_differ(map);
  ensures spans_end_by(map, end);
  ensures spans_are_untaken(map);
  ensures map_grew{Pre,Post}(map, first, end, kind);
*/
static void map_add(struct fh_memory_map *map, uint64_t first, uint64_t end,
		    enum fh_region_kind kind)
{
	size_t n = map->count;

	map->spans[n].first = first;
	map->spans[n].count = end - first;
	map->spans[n].kind = kind;
	map->spans[n].taken = 0;
	map->spans[n].taken_before = 0;
	map->count = n + 1;
	/*@ assert \forall integer i; 0 <= i < n ==>
	      map->spans[i].first == \at(map->spans[i].first,Pre); */
	/*@ assert \forall integer i; 0 <= i < n ==>
	      map->spans[i].count == \at(map->spans[i].count,Pre); */
	/*@ assert \forall integer i; 0 <= i < n ==>
	      map->spans[i].kind == \at(map->spans[i].kind,Pre); */
	/*@ assert map->spans[n].first == first &&
	      map->spans[n].count == end - first &&
	      map->spans[n].kind == kind; */
}

/* Adds pages first .. end - 1, behind all spans so far, unless of no kind. */
/*@
  requires \valid(map);
  requires kind < FH_REGION_KINDS ==> map->count < map->capacity;
  requires \valid(map->spans + (0 .. map->capacity - 1));
  requires \separated(map, map->spans + (0 .. map->capacity - 1));
  requires first < end <= FH_PAGE_NUMBER_END && kind <= FH_REGION_KINDS;
  requires spans_are_ok(map) && spans_ascend(map) && spans_differ(map);
  requires spans_end_by(map, first) && spans_are_untaken(map);
  assigns map->count, map->spans[0 .. map->capacity - 1];
  exits \false;
  ensures map->count <= \old(map->count) + 1;
  ensures kind == FH_REGION_KINDS ==> map->count == \old(map->count);
  ensures spans_are_ok(map);
  ensures spans_ascend(map);
  ensures spans_differ(map);
  ensures spans_end_by(map, end);
  ensures spans_are_untaken(map);
  ensures kind < FH_REGION_KINDS ==>
    map_grew{Pre,Post}(map, first, end, kind);
  ensures kind == FH_REGION_KINDS ==> map_grew{Pre,Post}(map, 0, 0, kind);
*/
static void map_append(struct fh_memory_map *map, uint64_t first, uint64_t end,
		       unsigned kind)
{
	size_t n = map->count;

	if (kind == FH_REGION_KINDS)
		return;
	if (n > 0 && map->spans[n - 1].kind == kind &&
	    map->spans[n - 1].first + map->spans[n - 1].count == first) {
		map_extend(map, first, end);
		/*@ assert map_grew{Pre,Here}(map, first, end, kind); */
	} else {
		map_add(map, first, end, (enum fh_region_kind)kind);
	}
}

/*@
  predicate spans_are_new{L}(struct fh_memory_map *map, integer page) =
    spans_are_ok(map) && spans_ascend(map) && spans_differ(map) &&
    spans_end_by(map, page) && spans_are_untaken(map);

  predicate map_is_whole{L}(struct fh_region *regions, integer n,
                            struct fh_memory_map *map) =
    \valid(map) && \valid(map->spans + (0 .. map->capacity - 1)) &&
    \separated(map, map->spans + (0 .. map->capacity - 1),
               regions + (0 .. n - 1));

  predicate regions_are_as_before{A,B}(struct fh_region *regions, integer n) =
    \forall integer i; 0 <= i < n ==>
      \at(regions[i].base,A) == \at(regions[i].base,B) &&
      \at(regions[i].size,A) == \at(regions[i].size,B) &&
      \at(regions[i].kind,A) == \at(regions[i].kind,B);

  predicate same_are_least{A,B}(struct fh_region *regions, integer n) =
    \forall integer page, kind;
      is_least_kind{A}(regions, n, page, kind, 0) <==>
      is_least_kind{B}(regions, n, page, kind, 0);

  // Up to end, the map has the least kind of each page, and nothing beyond.
  predicate map_is_right{L}(struct fh_region *regions, integer n,
                            struct fh_memory_map *map, integer end) =
    \forall integer page, k; map_has(map, page, k, 0) <==>
      page < end && is_least_kind(regions, n, page, k, 0);
*/

/* Nothing is in the map yet. */
/*@
  requires map_is_whole(regions, n, map);
  requires regions_are_ok(regions, n) && regions_ascend(regions, 0, n);
  assigns map->count;
  exits \false;
  ensures map->count == 0;
  ensures regions_are_as_before{Pre,Post}(regions, n);
  ensures regions_are_ok(regions, n);
  ensures regions_ascend(regions, 0, n);
  ensures same_are_least{Pre,Post}(regions, n);
  ensures map_is_right(regions, n, map, 0);
  ensures \result.page == 0;
  ensures sweep_is_ok(regions, n, \result);
  ensures rest_begins_after(regions, n, \result.next, 0);
  ensures beyond(\result, 0) <= \result.next;
*/
static struct sweep sweep_begin(const struct fh_region *regions, size_t n,
				struct fh_memory_map *map)
{
	struct sweep s = {{0}, 0, 0};

	map->count = 0;
	/*@ assert regions_are_as_before{Pre,Here}(regions, n); */
	/*@ assert same_are_there{Pre,Here}(regions, n); */
	/*@ assert \forall integer page, k;
	      is_said{Pre}(regions, n, page, k, 0) <==>
	      is_said(regions, n, page, k, 0); */
	/*@ assert same_are_least{Pre,Here}(regions, n); */
	/*@ assert \forall integer b, z, k;
	      is_there(regions, n, b, z, k, 0) ==> 0 <= b && 0 <= z; */
	/*@ assert \forall integer page, k;
	      is_said(regions, n, page, k, 0) ==> 0 <= page; */
	/*@ assert \forall integer page, k; !map_has(map, page, k, 0); */
	return begin_regions(regions, n, s);
}

/* One kind, or none, up to a page; then what begins there. */
/*@
  requires map_is_whole(regions, n, map);
  requires regions_are_ok(regions, n) && regions_ascend(regions, 0, n);
  requires sweep_is_ok(regions, n, s) && spans_are_new(map, s.page);
  requires s.page < stop <= FH_PAGE_NUMBER_END;
  requires kind < FH_REGION_KINDS ==> map->count < map->capacity;
  requires kind <= FH_REGION_KINDS;
  requires map_is_right(regions, n, map, s.page);
  requires \forall integer page, k; s.page <= page < stop ==>
    (is_least_kind(regions, n, page, k, 0) <==>
     kind < FH_REGION_KINDS && k == kind);
  assigns map->count, map->spans[0 .. map->capacity - 1];
  exits \false;
  ensures map_is_whole(regions, n, map);
  ensures regions_are_as_before{Pre,Post}(regions, n);
  ensures regions_are_ok(regions, n);
  ensures regions_ascend(regions, 0, n);
  ensures same_are_least{Pre,Post}(regions, n);
  ensures map->capacity == \old(map->capacity);
  ensures map->spans == \old(map->spans);
  ensures map->count <= \old(map->count) + (kind < FH_REGION_KINDS ? 1 : 0);
  ensures spans_are_new(map, stop);
  ensures map_is_right(regions, n, map, stop);
  ensures \result.page == stop && s.next <= \result.next;
  ensures sweep_is_ok(regions, n, \result);
  ensures rest_begins_after(regions, n, \result.next, stop);
  ensures beyond(\result, stop) - beyond(s, stop) <= \result.next - s.next;
*/
static struct sweep sweep_on(const struct fh_region *regions, size_t n,
			     struct sweep s, struct fh_memory_map *map,
			     uint64_t stop, unsigned kind)
{
	map_append(map, s.page, stop, kind);
	/*@ assert map->capacity == \at(map->capacity,Pre); */
	/*@ assert map->spans == \at(map->spans,Pre); */
	/*@ assert \forall integer i; 0 <= i < n ==>
	      regions[i].base == \at(regions[i].base,Pre); */
	/*@ assert \forall integer i; 0 <= i < n ==>
	      regions[i].size == \at(regions[i].size,Pre); */
	/*@ assert \forall integer i; 0 <= i < n ==>
	      regions[i].kind == \at(regions[i].kind,Pre); */
	/*@ assert \forall integer b, z, k;
	      is_there{Pre}(regions, n, b, z, k, 0) ==>
	      is_there(regions, n, b, z, k, 0); */
	/*@ assert \forall integer b, z, k;
	      is_there(regions, n, b, z, k, 0) ==>
	      is_there{Pre}(regions, n, b, z, k, 0); */
	/*@ assert \forall integer page, k;
	      is_said{Pre}(regions, n, page, k, 0) <==>
	      is_said(regions, n, page, k, 0); */
	/*@ assert same_are_least{Pre,Here}(regions, n); */
	/*@ assert map_is_right(regions, n, map, stop); */
	/*@ assert \forall integer i; 0 <= i < n ==>
	      region_first(regions + i) == region_first{Pre}(regions + i) &&
	      region_end(regions + i) == region_end{Pre}(regions + i); */
	s.page = stop;
	return begin_regions(regions, n, s);
}

/* Makes the spans of regions that are in order. */
/*@
  requires map_is_whole(regions, n, map) && 2 * n <= map->capacity;
  requires regions_are_ok(regions, n) && regions_ascend(regions, 0, n);
  assigns map->count, map->spans[0 .. map->capacity - 1];
  exits \false;
  ensures regions_ascend(regions, 0, n);
  ensures are_same_regions{Pre,Post}(regions, n);
  ensures map->count <= 2 * n;
  ensures map_is_normal(map);
  ensures spans_are_untaken(map);
  ensures \forall integer page, k; map_has(map, page, k, 0) <==>
    is_least_kind{Pre}(regions, n, page, k, 0);
*/
static void map_sweep(const struct fh_region *regions, size_t n,
		      struct fh_memory_map *map)
{
	struct sweep s = sweep_begin(regions, n, map);
	unsigned kind = lowest_beyond(s);

	/*@
	  loop invariant map_is_whole(regions, n, map);
	  loop invariant regions_are_as_before{Pre,Here}(regions, n);
	  loop invariant same_are_least{Pre,Here}(regions, n);
	  loop invariant regions_are_ok(regions, n);
	  loop invariant regions_ascend(regions, 0, n);
	  loop invariant map->capacity == \at(map->capacity,Pre);
	  loop invariant map->spans == \at(map->spans,Pre);
	  loop invariant sweep_is_ok(regions, n, s);
	  loop invariant rest_begins_after(regions, n, s.next, s.page);
	  loop invariant is_lowest(s, kind);
	  loop invariant map->count + beyond(s, s.page) <= 2 * s.next;
	  loop invariant spans_are_new(map, s.page);
	  loop invariant map_is_right(regions, n, map, s.page);
	  loop assigns s, kind, map->count,
	    map->spans[0 .. \at(map->capacity,Pre) - 1];
	  loop variant FH_PAGE_NUMBER_END - s.page;
	*/
	while (kind < FH_REGION_KINDS || s.next < n) {
		uint64_t stop = sweep_stop(regions, n, s, kind);

		s = sweep_on(regions, n, s, map, stop, kind);
		kind = lowest_beyond(s);
	}
	/*@ assert \forall integer i; 0 <= i < n ==>
	      region_end(regions + i) <= s.page; */
	/*@ assert \forall integer page, k;
	      is_least_kind(regions, n, page, k, 0) ==> page < s.page; */
	/*@ ghost
	  /@
	    loop invariant 0 <= i <= n;
	    loop invariant are_same_regions{Pre,Here}(regions, i);
	    loop assigns i;
	    loop variant n - i;
	  @/
	  for (size_t i = 0; i < n; i++)
	    ;
	*/
}

/*@
  requires \valid(regions + (0 .. n - 1)) && regions_are_ok(regions, n);
  requires map_is_whole(regions, n, map) && 2 * n <= map->capacity;
  assigns regions[0 .. n - 1], map->count,
    map->spans[0 .. map->capacity - 1];
  exits \false;
  ensures regions_ascend(regions, 0, n);
  ensures are_same_regions{Pre,Post}(regions, n);
  ensures map->count <= 2 * n;
  ensures map_is_normal(map);
  ensures spans_are_untaken(map);
  ensures \forall integer page, k; map_has(map, page, k, 0) <==>
    is_least_kind{Pre}(regions, n, page, k, 0);
*/
static void map_make(struct fh_region *regions, size_t n,
		     struct fh_memory_map *map)
{
	fh_region_order(regions, n);
	/*@ assert \forall integer page, k;
	      is_said{Pre}(regions, n, page, k, 0) <==>
	      is_said(regions, n, page, k, 0); */
	/*@ assert same_are_least{Pre,Here}(regions, n); */
	map_sweep(regions, n, map);
}

enum fh_status fh_map_normalise(struct fh_region *regions, size_t n,
				struct fh_memory_map *map, size_t *bad)
{
	/*@
	  loop invariant 0 <= i <= n;
	  loop invariant faulty(regions, 0, n) == faulty(regions, i, n);
	  loop invariant \forall integer j; 0 <= j < i ==>
	    region_status(regions + j) == FH_OK;
	  loop assigns i;
	  loop variant n - i;
	*/
	for (size_t i = 0; i < n; i++) {
		enum fh_status status = region_check(&regions[i]);

		if (status != FH_OK) {
			*bad = i;
			return status;
		}
	}
	if (n > map->capacity / 2) {
		*bad = map->capacity / 2;
		return FH_E_NO_MEMORY;
	}

	map_make(regions, n, map);
	return FH_OK;
}

uint64_t fh_map_frame_end(const struct fh_memory_map *map)
{
	uint64_t end = 0;

	/*@
	  loop invariant 0 <= i <= map->count && end <= FH_PAGE_NUMBER_END;
	  loop invariant \forall integer j; 0 <= j < i &&
	    is_physical(map->spans[j].kind) == \true ==>
	      map->spans[j].first + map->spans[j].count <= end;
	  loop invariant end > 0 ==> \exists integer j; 0 <= j < i &&
	    is_physical(map->spans[j].kind) == \true &&
	    map->spans[j].first + map->spans[j].count == end;
	  loop assigns i, end;
	  loop variant map->count - i;
	*/
	for (size_t i = 0; i < map->count; i++) {
		if (fh_region_is_physical(map->spans[i].kind))
			end = map->spans[i].first + map->spans[i].count;
	}
	return end;
}

uint64_t fh_map_pages(const struct fh_memory_map *map, enum fh_region_kind kind)
{
	uint64_t pages = 0;

	/*@
	  loop invariant 0 <= i <= map->count;
	  loop invariant pages == pages_of(map, kind, i);
	  loop invariant pages <= FH_PAGE_NUMBER_END;
	  loop invariant i > 0 ==>
	    pages <= map->spans[i - 1].first + map->spans[i - 1].count;
	  loop invariant i == 0 ==> pages == 0;
	  loop assigns i, pages;
	  loop variant map->count - i;
	*/
	for (size_t i = 0; i < map->count; i++) {
		if (map->spans[i].kind == kind)
			pages += map->spans[i].count;
	}
	return pages;
}

enum fh_region_kind fh_map_kind_at(const struct fh_memory_map *map,
				   uint64_t frame)
{
	size_t low = 0;
	size_t high = map->count;

	/* Spans below low begin at or before frame, those from high on later. */
	/*@
	  loop invariant 0 <= low <= high <= map->count;
	  loop invariant \forall integer i; 0 <= i < low ==>
	    map->spans[i].first <= frame;
	  loop invariant \forall integer i; high <= i < map->count ==>
	    frame < map->spans[i].first;
	  loop assigns low, high;
	  loop variant high - low;
	*/
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->spans[middle].first <= frame)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 ||
	    frame - map->spans[low - 1].first >= map->spans[low - 1].count)
		return FH_REGION_UNKNOWN;
	return map->spans[low - 1].kind;
}
