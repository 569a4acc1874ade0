/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What bring-up needs of the early allocator. Closed, open, retired:
 *
 *     closed --fh_early_begin--> open --fh_early_retire--> retired
 *        ^                        |                           |
 *        +------------------------+-------fh_early_end--------+
 *
 * What was taken stands in the spans of the map (`taken`) and stays there
 * after retirement, for bring-up to read.
 */
#ifndef FRAMEHOLD_SRC_EARLY_H
#define FRAMEHOLD_SRC_EARLY_H

#include <framehold/early.h>

/* Open becomes retired; nothing is given out any more. */
/*@
  requires early_inv;
  assigns early_is_open;
  exits \false;
  ensures early_inv && !early_is_open;
*/
void fh_early_retire(void);

/* Forgets the map: closed, in whatever state it was. */
/*@
  assigns early_is_open, early_map;
  exits \false;
  ensures early_inv && !early_is_open && early_map == \null;
*/
void fh_early_end(void);

/* The map it is open on or was retired with; null if closed. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == early_map;
*/
struct fh_memory_map *fh_early_map(void);

/*
 * Remembers in every span how much is taken now, and takes back what was
 * taken since. One mark at a time; it must be open.
 */
/*@
  requires early_inv && early_is_open;
  assigns early_map->spans[0 .. early_map->count - 1].taken_before;
  exits \false;
  ensures early_inv;
  ensures \forall integer i; 0 <= i < early_map->count ==>
    early_map->spans[i].taken_before == early_map->spans[i].taken;
*/
void fh_early_mark(void);
/*@
  requires early_inv && early_is_open;
  requires \forall integer i; 0 <= i < early_map->count ==>
    early_map->spans[i].taken_before <= early_map->spans[i].taken;
  assigns early_map->spans[0 .. early_map->count - 1].taken;
  exits \false;
  ensures early_inv;
  ensures \forall integer i; 0 <= i < early_map->count ==>
    early_map->spans[i].taken == early_map->spans[i].taken_before;
*/
void fh_early_rewind(void);

#endif /* FRAMEHOLD_SRC_EARLY_H */
