/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Claims of pages that are free or unused, by their numbers.
 */
#ifndef FRAMEHOLD_SRC_CLAIM_H
#define FRAMEHOLD_SRC_CLAIM_H

#include "slot.h"

/*@
  // Claimed, and nothing is written there yet.
  predicate is_taken{L}(integer i) =
    state_is(i, FH_STATE_BUSY) && fh_slots[i].type == \null &&
    fh_slots[i].list == 0 && g_held[i] == 0 && g_raw[i] == 0 &&
    g_free[i] == 0;
*/

/*
 * Claims popped pages by compare-exchange. One that is not FREE was given to
 * somebody before: it and its like stay with whom they are, the others go
 * back.
 */
/*@
  requires region_inv && first <= fh_memory.frame_end;
  requires n <= fh_memory.frame_end - first;
  requires \forall integer i; first <= i < first + n ==>
    live(i) && g_free[i] == 0;
  assigns fh_slots[first .. first + n - 1], g_free[first .. first + n - 1];
  exits \false;
  ensures region: region_inv;
  ensures others: same_but{Pre,Post}(first, first + n);
  behavior free:
    assumes \forall integer i; first <= i < first + n ==>
      fh_slots[i].state == FH_STATE_FREE;
    ensures \result == FH_OK;
    ensures \forall integer i; first <= i < first + n ==> is_taken(i);
  behavior corrupt:
    assumes \exists integer i; first <= i < first + n &&
      fh_slots[i].state != FH_STATE_FREE;
    ensures \result == FH_E_CORRUPT;
    ensures given: \forall integer i; first <= i < first + n &&
      \old(fh_slots[i].state) != FH_STATE_FREE ==> slot_same{Pre,Post}(i);
    ensures back: \forall integer i; first <= i < first + n &&
      \old(fh_slots[i].state) == FH_STATE_FREE ==>
        fh_slots[i].state == FH_STATE_FREE && g_free[i] == 1;
  complete behaviors;
  disjoint behaviors;
*/
enum fh_status fh_claim_popped(uint64_t first, uint64_t n);

#endif /* FRAMEHOLD_SRC_CLAIM_H */
