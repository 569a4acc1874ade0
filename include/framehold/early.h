/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The early allocator: pages before there is metadata, for boot page tables
 * and for the metadata itself. It takes them from the usable spans of a map,
 * lowest first, upward from each span's first page, and never takes any back.
 * fh_init() retires it; what it gave out then carries fh_early_type and is
 * held forever, or until somebody restores it with fh_segment_from_raw().
 *
 * One CPU, before any other has started.
 */
#ifndef FRAMEHOLD_EARLY_H
#define FRAMEHOLD_EARLY_H

#include <framehold/region.h>

FH_BEGIN_DECLS

/*
 * Opens the early allocator on a normalised map, none of which is taken then;
 * the map must stay where it is until fh_fini(). FH_E_TWICE if it is open, or
 * retired and memory is up. Seed: init_early_allocator.
 */
/*@
  requires early_inv && map_is_normal(map) && map_is_writable(map);
  assigns early_map, early_is_open, map->spans[0 .. map->count - 1].taken;
  exits \false;
  ensures early_inv;
  behavior twice:
    assumes early_map != \null;
    assigns \nothing;
    ensures \result == FH_E_TWICE;
  behavior begun:
    assumes early_map == \null;
    ensures \result == FH_OK && early_map == map && early_is_open;
    ensures \forall integer i; 0 <= i < map->count ==>
      map->spans[i].taken == 0;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_early_begin(struct fh_memory_map *map);

/*
 * Takes n contiguous pages whose first number is a multiple of align, from the
 * lowest span that has room for them; page 0 is never among them. Pages
 * skipped for alignment at the start of what is left of that span count as
 * taken: they are lost until the early allocator's pages are reclaimed.
 *
 *   FH_E_INVALID     n is 0, align is not a power of two, or it is not open
 *   FH_E_NO_MEMORY   no span has that much left
 *
 * Seed: early_alloc.
 */
/*@
  requires early_inv && \valid(first);
  requires early_is_open ==>
    \separated(first, early_map,
               early_map->spans + (0 .. early_map->count - 1));
  assigns *first, early_map->spans[0 .. early_map->count - 1];
  exits \false;
  ensures early_inv;
  ensures early_map != \null ==> spans_same{Pre,Post}(early_map) &&
    \forall integer i; 0 <= i < early_map->count ==>
      early_map->spans[i].taken_before ==
        \old(early_map->spans[i].taken_before);
  behavior invalid:
    assumes !early_is_open || n == 0 || !is_power_of_two(align);
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior no_memory:
    assumes early_is_open && n > 0 && is_power_of_two(align);
    assumes \forall integer i; 0 <= i < early_map->count ==>
      !early_has_room(i, n, align);
    assigns \nothing;
    ensures \result == FH_E_NO_MEMORY;
  behavior taken:
    assumes early_is_open && n > 0 && is_power_of_two(align);
    assumes \exists integer i; 0 <= i < early_map->count &&
      early_has_room(i, n, align);
    ensures \result == FH_OK && *first > 0 && is_multiple(*first, align);
    ensures \exists integer i; 0 <= i < early_map->count &&
      early_has_room{Old}(i, n, align) &&
      (\forall integer j; 0 <= j < i ==> !early_has_room{Old}(j, n, align)) &&
      *first == aligned_up(bump{Old}(i), align) && bump(i) == *first + n &&
      \forall integer j; 0 <= j < early_map->count && j != i ==>
        bump(j) == bump{Old}(j);
    ensures \forall integer page; *first <= page < *first + n ==>
      early_has_taken(page) && !early_has_taken{Old}(page);
    ensures \forall integer page;
      early_has_taken{Old}(page) ==> early_has_taken(page);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_early_alloc(uint64_t n, uint64_t align, uint64_t *first);

/* Whether it is open: begun and not yet retired. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result <==> early_is_open;
*/
bool fh_early_is_open(void);

FH_END_DECLS

#endif /* FRAMEHOLD_EARLY_H */
