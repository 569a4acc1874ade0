/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The early allocator: a bump pointer in each usable span, kept in the map
 * itself, so that any number of ranges needs no memory of its own.
 *
 *     span.first            first + taken              first + count
 *        [ taken or skipped      | free                      ]
 *
 * taken <= count, always.
 */
#include "early.h"

static struct fh_memory_map *early_map;
static bool early_is_open;

enum fh_status fh_early_begin(struct fh_memory_map *map)
{
	if (early_map != NULL)
		return FH_E_TWICE;

	/*@
	  loop invariant 0 <= i <= map->count;
	  loop invariant map->count == \at(map->count,Pre);
	  loop invariant \forall integer j; 0 <= j < map->count ==>
	    map->spans[j].first == \at(map->spans[j].first,Pre);
	  loop invariant \forall integer j; 0 <= j < map->count ==>
	    map->spans[j].count == \at(map->spans[j].count,Pre);
	  loop invariant \forall integer j; 0 <= j < i ==>
	    map->spans[j].taken == 0;
	  loop assigns i, \at(map->spans,Pre)[0 .. \at(map->count,Pre) - 1].taken;
	  loop variant map->count - i;
	*/
	for (size_t i = 0; i < map->count; i++)
		map->spans[i].taken = 0;
	early_map = map;
	early_is_open = true;
	/*@ assert map_is_readable(early_map); */
	/*@ assert spans_are_ok(early_map); */
	/*@ assert spans_ascend(early_map); */
	/*@ assert spans_differ(early_map); */
	/*@ assert map_is_writable(early_map); */
	/*@ assert bumps_are_ok(early_map); */
	return FH_OK;
}

/* Whether align is a power of two. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result <==> is_power_of_two(align);
  ensures \result ==> align > 0;
*/
static bool early_align_is_valid(uint64_t align)
{
	/*@
	  loop invariant is_power_of_two(align) <==>
	    is_power_of_two(\at(align,Pre));
	  loop assigns align;
	  loop variant align;
	*/
	while (align > 1 && align % 2 == 0)
		align /= 2;
	return align == 1;
}

/* How far from page to the next multiple of align that is not page 0. */
/*@
  requires align > 0;
  assigns \nothing;
  exits \false;
  ensures page + \result == aligned_up(page, align);
  ensures page + \result > 0 && is_multiple(page + \result, align);
*/
static uint64_t pages_to_multiple(uint64_t page, uint64_t align)
{
	uint64_t over = page % align;
	uint64_t skip = over == 0 ? 0 : align - over;

	if (page == 0)
		skip = align;
	/*@ assert page == 0 ==> is_times(1, align, page + skip); */
	/*@ assert page > 0 && over == 0 ==>
	      is_times(page / align, align, page + skip); */
	/*@ assert page > 0 && over > 0 ==>
	      is_times(page / align + 1, align, page + skip); */
	return skip;
}

/* Whether span has room for n pages behind `skip` that are left out. */
/*@
  requires \valid_read(span) && span->taken <= span->count;
  assigns \nothing;
  exits \false;
  ensures \result <==> span->kind == FH_REGION_USABLE &&
    span->taken + skip + n <= span->count;
*/
static bool span_has_room(const struct fh_span *span, uint64_t n, uint64_t skip)
{
	uint64_t left = span->count - span->taken;

	return span->kind == FH_REGION_USABLE && skip <= left &&
	       n <= left - skip;
}

enum fh_status fh_early_alloc(uint64_t n, uint64_t align, uint64_t *first)
{
	if (!early_is_open || n == 0 || !early_align_is_valid(align))
		return FH_E_INVALID;

	/*@
	  loop invariant 0 <= i <= early_map->count;
	  loop invariant \forall integer j; 0 <= j < i ==>
	    !early_has_room(j, n, align);
	  loop assigns i;
	  loop variant early_map->count - i;
	*/
	for (size_t i = 0; i < early_map->count; i++) {
		struct fh_span *span = &early_map->spans[i];
		/*@ assert spans_are_ok(early_map); */
		uint64_t skip =
			pages_to_multiple(span->first + span->taken, align);

		if (span_has_room(span, n, skip)) {
			/*@ assert early_has_room(i, n, align); */
			*first = span->first + span->taken + skip;
			span->taken += skip + n;
			/*@ assert spans_same{Pre,Here}(early_map); */
			/*@ assert *first == aligned_up(bump{Pre}(i), align) &&
			      bump(i) == *first + n; */
			/*@ assert \forall integer j;
			      0 <= j < early_map->count && j != i ==>
			        bump(j) == bump{Pre}(j); */
			/*@ assert map_is_readable(early_map); */
			/*@ assert spans_are_ok(early_map); */
			/*@ assert spans_ascend(early_map); */
			/*@ assert spans_differ(early_map); */
			/*@ assert map_is_writable(early_map); */
			/*@ assert bumps_are_ok(early_map); */
			return FH_OK;
		}
	}
	return FH_E_NO_MEMORY;
}

bool fh_early_is_open(void)
{
	return early_is_open;
}

void fh_early_retire(void)
{
	early_is_open = false;
}

void fh_early_end(void)
{
	early_is_open = false;
	early_map = NULL;
}

struct fh_memory_map *fh_early_map(void)
{
	return early_map;
}

void fh_early_mark(void)
{
	/*@ assert spans_ascend(early_map); */
	/*@ assert spans_differ(early_map); */
	/*@ assert bumps_are_ok(early_map); */
	/*@
	  loop invariant 0 <= i <= early_map->count;
	  loop invariant early_map->count == \at(early_map->count,Pre);
	  loop invariant \forall integer j; 0 <= j < early_map->count ==>
	    early_map->spans[j].first == \at(early_map->spans[j].first,Pre);
	  loop invariant \forall integer j; 0 <= j < early_map->count ==>
	    early_map->spans[j].count == \at(early_map->spans[j].count,Pre);
	  loop invariant \forall integer j; 0 <= j < i ==>
	    early_map->spans[j].taken_before == early_map->spans[j].taken;
	  loop assigns i,
	    \at(early_map->spans,Pre)[0 .. \at(early_map->count,Pre) - 1].taken_before;
	  loop variant early_map->count - i;
	*/
	for (size_t i = 0; i < early_map->count; i++)
		early_map->spans[i].taken_before = early_map->spans[i].taken;
	/*@ assert map_is_readable(early_map); */
	/*@ assert spans_are_ok(early_map); */
	/*@ assert spans_ascend(early_map); */
	/*@ assert spans_differ(early_map); */
	/*@ assert map_is_writable(early_map); */
	/*@ assert bumps_are_ok(early_map); */
}

void fh_early_rewind(void)
{
	/*@ assert spans_ascend(early_map); */
	/*@ assert spans_differ(early_map); */
	/*@ assert bumps_are_ok(early_map); */
	/*@
	  loop invariant 0 <= i <= early_map->count;
	  loop invariant early_map->count == \at(early_map->count,Pre);
	  loop invariant \forall integer j; 0 <= j < early_map->count ==>
	    early_map->spans[j].first == \at(early_map->spans[j].first,Pre);
	  loop invariant \forall integer j; 0 <= j < early_map->count ==>
	    early_map->spans[j].count == \at(early_map->spans[j].count,Pre);
	  loop invariant \forall integer j; 0 <= j < early_map->count ==>
	    early_map->spans[j].taken_before ==
	      \at(early_map->spans[j].taken_before,Pre);
	  loop invariant \forall integer j; 0 <= j < i ==>
	    early_map->spans[j].taken == early_map->spans[j].taken_before;
	  loop assigns i,
	    \at(early_map->spans,Pre)[0 .. \at(early_map->count,Pre) - 1].taken;
	  loop variant early_map->count - i;
	*/
	for (size_t i = 0; i < early_map->count; i++)
		early_map->spans[i].taken = early_map->spans[i].taken_before;
	/*@ assert map_is_readable(early_map); */
	/*@ assert spans_are_ok(early_map); */
	/*@ assert spans_ascend(early_map); */
	/*@ assert spans_differ(early_map); */
	/*@ assert map_is_writable(early_map); */
	/*@ assert bumps_are_ok(early_map); */
}
