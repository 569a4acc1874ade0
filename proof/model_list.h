/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The words of the contracts of lists. Included before units that see list.h.
 *
 * Ghost state: the place of each member in its list, counted from the front.
 */
#ifndef FRAMEHOLD_PROOF_MODEL_LIST_H
#define FRAMEHOLD_PROOF_MODEL_LIST_H

/* list.c's own, which the contracts in front of it speak of. */
static uint64_t next_list_id;

/*@ ghost extern uint64_t g_pos[FH_MAX_FRAMES]; */

#define NEXT_OF(i) fh_slots[i].meta.w[3]
#define PREV_OF(i) fh_slots[i].meta.w[4]

/*@
  // No page is in a list that has not drawn its id yet.
  predicate ids_ok{L} =
    0 < next_list_id <= INT64_MAX &&
    \forall integer i; is_frame(i) && live(i) ==>
      fh_slots[i].list < next_list_id;

  predicate is_member{L}(integer id, integer i) =
    is_frame(i) && live(i) && fh_slots[i].list == id;

  predicate list_ends{L}(integer front, integer back, integer size,
                         integer id) =
    0 <= size <= FH_MAX_FRAMES && id < next_list_id &&
    (id == 0 ==> size == 0) &&
    (size == 0
       ? front == 0 && back == 0
       : is_member(id, front) && g_pos[front] == 0 &&
         is_member(id, back) && g_pos[back] == size - 1);

  predicate list_prevs{L}(integer front, integer size, integer id) =
    id != 0 ==> \forall integer i; is_member(id, i) ==>
      0 <= g_pos[i] < size &&
      (g_pos[i] == 0
         ? PREV_OF(i) == 0 && front == i
         : PREV_OF(i) != 0 && is_member(id, PREV_OF(i)) &&
           g_pos[PREV_OF(i)] == g_pos[i] - 1 && NEXT_OF(PREV_OF(i)) == i);

  predicate list_nexts{L}(integer back, integer size, integer id) =
    id != 0 ==> \forall integer i; is_member(id, i) ==>
      (g_pos[i] == size - 1
         ? NEXT_OF(i) == 0 && back == i
         : NEXT_OF(i) != 0 && is_member(id, NEXT_OF(i)) &&
           g_pos[NEXT_OF(i)] == g_pos[i] + 1 && PREV_OF(NEXT_OF(i)) == i);

  predicate list_inj{L}(integer id) =
    id != 0 ==> \forall integer i, j;
      is_member(id, i) && is_member(id, j) && g_pos[i] == g_pos[j] ==> i == j;

  // The members are the pages with the list's id, in the order of their links.
  predicate list_wf{L}(integer front, integer back, integer size,
                       integer id) =
    list_ends(front, back, size, id) && list_prevs(front, size, id) &&
    list_nexts(back, size, id) && list_inj(id);

  // Between these two, of which either may be none, a page may come in.
  predicate list_place{L}(integer back, integer id, integer prev,
                          integer next) =
    next == 0 ? prev == back
              : id != 0 && is_member(id, next) && prev == PREV_OF(next);

  // All but a member's links, and all of a page that is none.
  predicate words_same{A,B}(integer i) =
    \at(fh_slots[i].meta.w[0],A) == \at(fh_slots[i].meta.w[0],B) &&
    \at(fh_slots[i].meta.w[1],A) == \at(fh_slots[i].meta.w[1],B) &&
    \at(fh_slots[i].meta.w[2],A) == \at(fh_slots[i].meta.w[2],B);

  // Links change, and one page comes in or goes out.
  predicate links_only{A,B}(integer page) =
    \forall integer j; is_frame(j) ==>
      words_same{A,B}(j) &&
      \at(fh_slots[j].state,A) == \at(fh_slots[j].state,B) &&
      \at(fh_slots[j].type,A) == \at(fh_slots[j].type,B) &&
      \at(g_free[j],A) == \at(g_free[j],B) &&
      (j != page ==>
         \at(fh_slots[j].list,A) == \at(fh_slots[j].list,B) &&
         \at(g_held[j],A) == \at(g_held[j],B) &&
         \at(g_raw[j],A) == \at(g_raw[j],B));

  predicate non_members_same{A,B}(integer id, integer but) =
    \forall integer j; is_frame(j) && j != but && !is_member{A}(id, j) ==>
      slot_same{A,B}(j) && \at(g_pos[j],A) == \at(g_pos[j],B);
*/

/*@ ghost
  /@
    requires memory_ok;
    requires \forall integer j; is_member(id, j) ==> g_pos[j] < FH_MAX_FRAMES;
    assigns g_pos[0 .. FH_LAST_FRAME];
    exits \false;
    ensures \forall integer j; is_member(id, j) ==> g_pos[j] ==
      \old(g_pos[j]) + (\old(g_pos[j]) >= at ? 1 : 0);
    ensures \forall integer j; is_frame(j) && !is_member(id, j) ==>
      g_pos[j] == \old(g_pos[j]);
  @/
  void ghost_shift_up(uint64_t id, uint64_t at)
  {
    /@
      loop invariant 0 <= k <= FH_MAX_FRAMES;
      loop invariant \forall integer j; 0 <= j < k && is_member(id, j) ==>
        g_pos[j] == \at(g_pos[j],Pre)
          + (\at(g_pos[j],Pre) >= at ? 1 : 0);
      loop invariant \forall integer j; 0 <= j < k && !is_member(id, j) ==>
        g_pos[j] == \at(g_pos[j],Pre);
      loop invariant \forall integer j; k <= j < FH_MAX_FRAMES ==>
        g_pos[j] == \at(g_pos[j],Pre);
      loop assigns k, g_pos[0 .. FH_LAST_FRAME];
      loop variant FH_MAX_FRAMES - k;
    @/
    for (uint64_t k = 0; k < FH_MAX_FRAMES; k++)
      if (k < fh_memory.frame_end &&
          fh_memory.sections[k / FH_SECTION_FRAMES] == FH_SECTION_LIVE &&
          fh_slots[k].list == id && g_pos[k] >= at)
        g_pos[k] = g_pos[k] + 1;
  }
*/

/*@ ghost
  /@
    requires memory_ok;
    requires \forall integer j; is_member(id, j) ==> g_pos[j] < FH_MAX_FRAMES;
    assigns g_pos[0 .. FH_LAST_FRAME];
    exits \false;
    ensures \forall integer j; is_member(id, j) ==> g_pos[j] ==
      \old(g_pos[j]) - (\old(g_pos[j]) > at ? 1 : 0);
    ensures \forall integer j; is_frame(j) && !is_member(id, j) ==>
      g_pos[j] == \old(g_pos[j]);
  @/
  void ghost_shift_down(uint64_t id, uint64_t at)
  {
    /@
      loop invariant 0 <= k <= FH_MAX_FRAMES;
      loop invariant \forall integer j; 0 <= j < k && is_member(id, j) ==>
        g_pos[j] == \at(g_pos[j],Pre)
          - (\at(g_pos[j],Pre) > at ? 1 : 0);
      loop invariant \forall integer j; 0 <= j < k && !is_member(id, j) ==>
        g_pos[j] == \at(g_pos[j],Pre);
      loop invariant \forall integer j; k <= j < FH_MAX_FRAMES ==>
        g_pos[j] == \at(g_pos[j],Pre);
      loop assigns k, g_pos[0 .. FH_LAST_FRAME];
      loop variant FH_MAX_FRAMES - k;
    @/
    for (uint64_t k = 0; k < FH_MAX_FRAMES; k++)
      if (k < fh_memory.frame_end &&
          fh_memory.sections[k / FH_SECTION_FRAMES] == FH_SECTION_LIVE &&
          fh_slots[k].list == id && g_pos[k] > at)
        g_pos[k] = g_pos[k] - 1;
  }
*/

#endif /* FRAMEHOLD_PROOF_MODEL_LIST_H */
