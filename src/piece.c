/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pieces of memory: which pages the allocator may have, and how many of them
 * there are between two.
 */
#include "piece.h"

/*
 * Kinds of memory that a last put may bring to the allocator: what is free at
 * first, and what a kernel may give up later.
 */
/*@
  assigns \nothing;
  exits \false;
  ensures \result <==> covered_kind(kind);
*/
static bool is_covered_kind(enum fh_region_kind kind)
{
	return kind == FH_REGION_USABLE || kind == FH_REGION_RECLAIMABLE ||
	       kind == FH_REGION_MODULE || kind == FH_REGION_KERNEL;
}

bool fh_piece_clip(size_t i, uint64_t *first, uint64_t *end)
{
	size_t spans = fh_layout.map->count;
	uint64_t from = 0;
	uint64_t count = 0;

	if (i < spans && is_covered_kind(fh_layout.map->spans[i].kind)) {
		from = fh_layout.map->spans[i].first;
		count = fh_layout.map->spans[i].count;
	} else if (i >= spans &&
		   fh_layout.topology->ranges[i - spans].hot_plug) {
		from = fh_layout.topology->ranges[i - spans].first;
		count = fh_layout.topology->ranges[i - spans].count;
	}
	if (from >= *end || count == 0)
		return false;
	uint64_t to = count < *end - from ? from + count : *end;
	from = fh_larger(from, *first);
	*first = from;
	*end = to;
	return from < to;
}

uint64_t fh_covered_pages(uint64_t first, uint64_t end)
{
	uint64_t pages = 0;

	/*@
	  loop invariant 0 <= i <= fh_layout.map->count;
	  loop invariant pages == covered_in(first, end, i);
	  loop invariant i == 0 ==> pages == 0;
	  loop invariant i > 0 ==>
	    pages <= \max(first, part_end(i - 1, end)) - first;
	  loop assigns i, pages;
	  loop variant fh_layout.map->count - i;
	*/
	for (size_t i = 0; i < fh_layout.map->count; i++) {
		uint64_t from = first;
		uint64_t to = end;

		if (fh_piece_clip(i, &from, &to))
			pages += to - from;
	}
	return pages;
}

bool fh_layout_covers_some(uint64_t page)
{
	return is_covered_kind(fh_map_kind_at(fh_layout.map, page));
}
