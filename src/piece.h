/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pieces of memory: what a layout is made of. Covered spans of the map, which
 * do not overlap, and then the ranges where memory may be plugged in, by a
 * common index.
 */
#ifndef FRAMEHOLD_SRC_PIECE_H
#define FRAMEHOLD_SRC_PIECE_H

#include "layout.h"

/*@
  assigns \nothing;
  exits \false;
  ensures \result == \max(a, b);
*/
static inline uint64_t fh_larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result == \min(a, b);
*/
static inline uint64_t fh_smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*@
  requires by > 0;
  assigns \nothing;
  exits \false;
  ensures \result == n / by + (n % by == 0 ? 0 : 1);
*/
static inline uint64_t fh_round_up_div(uint64_t n, uint64_t by)
{
	return n / by + (n % by == 0 ? 0 : 1);
}

/*@
  requires fh_layout.topology != \null ==> \valid_read(fh_layout.topology);
  assigns \nothing;
  exits \false;
  ensures \result == (fh_layout.topology == \null ?
    0 : fh_layout.topology->range_count);
*/
static inline size_t fh_node_range_count(void)
{
	return fh_layout.topology == NULL ? 0 : fh_layout.topology->range_count;
}

/*@
  logic integer ranges_there{L} =
    fh_layout.topology == \null ? 0 : fh_layout.topology->range_count;

  logic integer pieces_there{L} = fh_layout.map->count + ranges_there;

  // The part of the i-th piece that lies between two pages.
  logic integer part_first{L}(integer i, integer first) =
    i < fh_layout.map->count ? \max(fh_layout.map->spans[i].first, first) :
    \max(fh_layout.topology->ranges[i - fh_layout.map->count].first, first);

  logic integer part_end{L}(integer i, integer end) =
    i < fh_layout.map->count ? \min(span_end(fh_layout.map, i), end) :
    \min(fh_layout.topology->ranges[i - fh_layout.map->count].first +
         fh_layout.topology->ranges[i - fh_layout.map->count].count, end);

  logic boolean has_part{L}(integer i, integer first, integer end) =
    (i < fh_layout.map->count ?
       covered_kind(fh_layout.map->spans[i].kind) :
       fh_layout.topology->ranges[i - fh_layout.map->count].hot_plug != 0) &&
    part_first(i, first) < part_end(i, end);

  // Pages between two pages in the parts of the first n spans.
  logic integer covered_in{L}(integer first, integer end, integer n) =
    n <= 0 ? 0 : covered_in(first, end, n - 1) +
      (has_part(n - 1, first, end) ?
         part_end(n - 1, end) - part_first(n - 1, first) : 0);
*/

/* Covered spans and ranges for hot-plugging. */
/*@
  requires map_there;
  assigns \nothing;
  exits \false;
  ensures \result == pieces_there;
*/
static inline size_t fh_piece_count(void)
{
	return fh_layout.map->count + fh_node_range_count();
}

/* The part of the i-th piece that lies between two pages; empty: false. */
/*@
  requires map_there && i < pieces_there;
  requires \valid(first) && \valid(end) && \separated(first, end);
  assigns *first, *end;
  exits \false;
  ensures \result <==> \old(has_part(i, *first, *end));
  ensures \result ==>
    *first == \old(part_first(i, *first)) && *end == \old(part_end(i, *end));
*/
bool fh_piece_clip(size_t i, uint64_t *first, uint64_t *end);

/* Pages between two pages that may be free from the start. */
/*@
  requires map_there && map_is_normal(fh_layout.map) && first <= end;
  assigns \nothing;
  exits \false;
  ensures \result == covered_in(first, end, fh_layout.map->count);
  ensures \result <= end - first;
*/
uint64_t fh_covered_pages(uint64_t first, uint64_t end);

#endif /* FRAMEHOLD_SRC_PIECE_H */
