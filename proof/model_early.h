/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The words of the contracts of the early allocator. Included before units
 * that see early.h.
 */
#ifndef FRAMEHOLD_PROOF_MODEL_EARLY_H
#define FRAMEHOLD_PROOF_MODEL_EARLY_H

#include <framehold/region.h>

/* early.c's own, which the contracts in front of it speak of. */
static struct fh_memory_map *early_map;
static bool early_is_open;

/*@
  predicate is_power_of_two(integer a) =
    a == 1 || (a > 1 && a % 2 == 0 && is_power_of_two(a / 2));

  predicate is_times(integer k, integer of, integer a) = a == k * of;

  predicate is_multiple(integer a, integer of) =
    \exists integer k; is_times(k, of, a);

  predicate map_is_writable{L}(struct fh_memory_map *map) =
    \valid(map->spans + (0 .. map->count - 1)) &&
    \separated(map, map->spans + (0 .. map->count - 1));

  predicate spans_same{A,B}(struct fh_memory_map *map) =
    \at(map->count,A) == \at(map->count,B) &&
    \at(map->spans,A) == \at(map->spans,B) &&
    \forall integer i; 0 <= i < \at(map->count,A) ==>
      \at(map->spans[i].first,A) == \at(map->spans[i].first,B) &&
      \at(map->spans[i].count,A) == \at(map->spans[i].count,B) &&
      \at(map->spans[i].kind,A) == \at(map->spans[i].kind,B);

  predicate bumps_are_ok{L}(struct fh_memory_map *map) =
    \forall integer i; 0 <= i < map->count ==>
      map->spans[i].taken <= map->spans[i].count;

  // The early allocator's map, and its bump pointers.
  predicate early_inv{L} =
    (early_is_open ==> early_map != \null) &&
    (early_map != \null ==>
       map_is_normal(early_map) && map_is_writable(early_map) &&
       bumps_are_ok(early_map));

  // Where span i goes on.
  logic integer bump{L}(integer i) =
    early_map->spans[i].first + early_map->spans[i].taken;

  predicate early_has_taken{L}(integer page) =
    \exists integer i; 0 <= i < early_map->count &&
      early_map->spans[i].first <= page < bump(i);

  // The first page from `page` on that may be the first of a request.
  logic integer aligned_up(integer page, integer align) =
    page == 0 ? align :
    page % align == 0 ? page : page + align - page % align;

  predicate early_has_room{L}(integer i, integer n, integer align) =
    early_map->spans[i].kind == FH_REGION_USABLE &&
    aligned_up(bump(i), align) + n <= span_end(early_map, i);
*/

#endif /* FRAMEHOLD_PROOF_MODEL_EARLY_H */
