/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The words of the contracts: the slots as the prover sees them, the ledger as
 * ghost state, and the region's invariant. Included before each file that is
 * proved.
 *
 * Ghost state, by frame number: how many live handles (frames, segments,
 * unique frames) name the page, how many references are held without one
 * (forgotten, or a list's), and whether the allocator has the page to give.
 */
#ifndef FRAMEHOLD_PROOF_MODEL_H
#define FRAMEHOLD_PROOF_MODEL_H

#include <framehold/slot.h>

extern struct fh_slot fh_proof_slots[FH_MAX_FRAMES];

/* The bytes of all pages, by physical address. */
extern char fh_proof_bytes[FH_MAX_FRAMES * FH_PAGE_SIZE];

/*@ ghost extern uint64_t g_held[FH_MAX_FRAMES]; */
/*@ ghost extern uint64_t g_raw[FH_MAX_FRAMES]; */
/*@ ghost extern uint8_t g_free[FH_MAX_FRAMES]; */

#define FH_LAST_FRAME   (FH_MAX_FRAMES - 1)
#define FH_LAST_SECTION (FH_LAST_FRAME / FH_SECTION_FRAMES)

/* Where the memory of the pages with slots ends, in bytes. */
#define FH_BYTES_END (FH_MAX_FRAMES * FH_PAGE_SIZE)

/*
 * What the allocator keeps for itself, and what it asks of it between calls:
 * who uses it has no names for either. model_allocator.h has.
 */
#define allocator_ok     (0 == 0)
#define allocator_map_ok (0 == 0)
#define allocator_state  \empty
#define allocator_can_ask (0 == 0)
#define apart_from_allocator(range) (0 == 0)

/*@
  predicate is_frame(integer i) = 0 <= i < FH_MAX_FRAMES;

  logic integer section_of{L}(integer i) =
    fh_memory.sections[i / FH_SECTION_FRAMES];

  // The slot has been written, and may be read.
  predicate live{L}(integer i) =
    0 <= i < fh_memory.frame_end && section_of(i) == FH_SECTION_LIVE;

  predicate has_slot{L}(integer i) =
    0 <= i < fh_memory.frame_end && section_of(i) != FH_SECTION_ABSENT;

  predicate is_shared(integer state) =
    FH_STATE_ONE <= state <= FH_STATE_MAX;

  // One slot's state machine, on numbers.
  predicate slot_counts(integer state, integer list, integer held,
                        integer raw, integer given) =
    (state == FH_STATE_FREE || state == FH_STATE_UNUSED ||
     state == FH_STATE_BUSY || state == FH_STATE_UNIQUE ||
     is_shared(state)) &&
    (state == FH_STATE_FREE || state == FH_STATE_UNUSED ||
     state == FH_STATE_BUSY ==> held == 0 && raw == 0) &&
    (state == FH_STATE_UNIQUE ==> held + raw == 1) &&
    (is_shared(state) ==> held + raw == state - FH_STATE_BUSY) &&
    (list != 0 ==> state == FH_STATE_UNIQUE && raw == 1) &&
    (given != 0 ==> state == FH_STATE_FREE);

  predicate slot_type{L}(integer i) =
    (fh_slots[i].state == FH_STATE_FREE ||
     fh_slots[i].state == FH_STATE_UNUSED ==> fh_slots[i].type == \null) &&
    (fh_slots[i].state == FH_STATE_UNIQUE ||
     is_shared(fh_slots[i].state) ==> \valid_read(fh_slots[i].type));

  predicate slot_is_zero{L}(integer i) =
    fh_slots[i].state == FH_STATE_FREE && fh_slots[i].type == \null &&
    fh_slots[i].list == 0;

  // Nobody holds what has no written slot.
  predicate slot_inv{L}(integer i) =
    (live(i) ==>
       slot_counts(fh_slots[i].state, fh_slots[i].list, g_held[i], g_raw[i],
                   g_free[i]) &&
       slot_type(i)) &&
    (!live(i) ==>
       g_held[i] == 0 && g_raw[i] == 0 &&
       (i < fh_memory.frame_end && section_of(i) == FH_SECTION_RAW &&
        fh_memory.slots_are_zeroed ==> slot_is_zero(i)));

  predicate memory_ok{L} =
    fh_memory.frame_end <= FH_MAX_FRAMES &&
    \valid(fh_memory.sections + (0 .. FH_LAST_SECTION)) &&
    (fh_memory.cover == \null ||
     \valid_read(fh_memory.cover + (0 .. FH_LAST_SECTION))) &&
    \forall integer s; 0 <= s <= FH_LAST_SECTION ==>
      fh_memory.sections[s] <= FH_SECTION_LIVE;

  // Page 0, whose number no handle can carry, is held for good.
  predicate page_zero{L} =
    0 < fh_memory.frame_end ==>
      live(0) && fh_slots[0].state == FH_STATE_UNIQUE &&
      fh_slots[0].list == 0 && g_held[0] == 0 && g_raw[0] == 1;

  // Every slot but those of lo .. hi-1 obeys.
  predicate region_but{L}(integer lo, integer hi) =
    memory_ok && page_zero &&
    \forall integer i; is_frame(i) && !(lo <= i < hi) ==> slot_inv(i);

  predicate region_inv{L} =
    memory_ok && page_zero && \forall integer i; is_frame(i) ==> slot_inv(i);

  // Shared, and n more references are counted than somebody has.
  predicate slot_owed{L}(integer i, integer n) =
    live(i) && is_shared(fh_slots[i].state) && fh_slots[i].list == 0 &&
    g_held[i] + g_raw[i] + n == fh_slots[i].state - FH_STATE_BUSY &&
    g_free[i] == 0 && \valid_read(fh_slots[i].type);

  // Nobody's but that of the one who is dropping it.
  predicate slot_dropping{L}(integer i) =
    live(i) && fh_slots[i].state == FH_STATE_BUSY && fh_slots[i].list == 0 &&
    g_held[i] == 0 && g_raw[i] == 0 && g_free[i] == 0;

  predicate slot_same{A,B}(integer i) =
    \at(fh_slots[i],A) == \at(fh_slots[i],B) &&
    \at(g_held[i],A) == \at(g_held[i],B) &&
    \at(g_raw[i],A) == \at(g_raw[i],B) &&
    \at(g_free[i],A) == \at(g_free[i],B);

  // As anybody can tell: a raw section's pages are free, written or not.
  predicate slot_kept{A,B}(integer i) =
    \at(g_held[i],A) == \at(g_held[i],B) &&
    \at(g_raw[i],A) == \at(g_raw[i],B) &&
    \at(g_free[i],A) == \at(g_free[i],B) &&
    (has_slot{A}(i) <==> has_slot{B}(i)) &&
    (live{A}(i) ==>
       live{B}(i) && \at(fh_slots[i],A) == \at(fh_slots[i],B)) &&
    (!live{A}(i) && live{B}(i) ==> slot_is_zero{B}(i));

  predicate kept_but{A,B}(integer lo, integer hi) =
    \forall integer i; is_frame(i) && !(lo <= i < hi) ==> slot_kept{A,B}(i);

  predicate kept{A,B} =
    \forall integer i; is_frame(i) ==> slot_kept{A,B}(i);

  // Nobody holds the page, and it can be had.
  predicate claimable{L}(integer i) =
    (live(i) && fh_slots[i].state == FH_STATE_UNUSED) ||
    ((live(i) ==> fh_slots[i].state == FH_STATE_FREE) && g_free[i] != 0);

  predicate state_is{L}(integer i, integer state) =
    live(i) && fh_slots[i].state == state;

  predicate is_aligned(integer pa) = pa % FH_PAGE_SIZE == 0;

  logic integer frame_at(integer pa) = pa / FH_PAGE_SIZE;

  // What a frame's handle stands for: zero is none.
  predicate frame_handle{L}(integer handle) =
    0 < handle < FH_MAX_FRAMES && g_held[handle] > 0 &&
    is_shared(fh_slots[handle].state);

  // A segment's: one reference to each of its pages; zeros if it is empty.
  predicate segment_handle{L}(integer handle, integer count) =
    (count == 0 ==> handle == 0) &&
    (count > 0 ==> 0 < handle && handle + count <= FH_MAX_FRAMES) &&
    \forall integer i; handle <= i < handle + count ==> frame_handle(i);

  predicate all_owed{L}(integer first, integer end) =
    \forall integer i; first <= i < end ==>
      live(i) && is_shared(fh_slots[i].state) && fh_slots[i].list == 0 &&
      g_held[i] + g_raw[i] + 1 == fh_slots[i].state - FH_STATE_BUSY &&
      g_free[i] == 0 && \valid_read(fh_slots[i].type);

  predicate same_but{A,B}(integer lo, integer hi) =
    \forall integer i; is_frame(i) && !(lo <= i < hi) ==> slot_same{A,B}(i);

  // What a claim of page i by address is answered.
  logic integer claim_answer{L}(integer i) =
    i < 0 || i >= fh_memory.frame_end ? FH_E_OUT_OF_BOUND :
    section_of(i) == FH_SECTION_ABSENT ? FH_E_OUT_OF_BOUND :
    section_of(i) != FH_SECTION_LIVE ? (g_free[i] != 0 ? FH_OK : FH_E_BUSY) :
    fh_slots[i].state == FH_STATE_UNUSED ? FH_OK :
    fh_slots[i].state == FH_STATE_FREE && g_free[i] != 0 ? FH_OK :
    fh_slots[i].state == FH_STATE_UNIQUE ? FH_E_UNIQUE :
    fh_slots[i].state >= FH_STATE_ONE ? FH_E_IN_USE : FH_E_BUSY;

  // The first of the pages i .. end-1 that cannot be claimed, or end.
  logic integer first_refused{L}(integer i, integer end) =
    i >= end ? end :
    claim_answer(i) != FH_OK ? i : first_refused(i + 1, end);

  // What a claim of the pages first .. end-1 is answered.
  logic integer refusal{L}(integer first, integer end) =
    first_refused(first, end) >= end ? FH_OK :
    claim_answer(first_refused(first, end));

  // Claimed, then dropped again up to where the claim was refused.
  predicate claim_undone{A,B}(integer first, integer end) =
    kept_but{A,B}(first, first_refused{A}(first, end)) &&
    \forall integer i; first <= i < first_refused{A}(first, end) ==>
      live{B}(i) && claimable{B}(i) && \at(g_held[i],B) == 0 &&
      \at(g_raw[i],B) == 0;

  // A range of memory that a segment may be asked for.
  predicate range_to_claim{L}(integer start, integer end) =
    is_aligned(start) && is_aligned(end) &&
    frame_at(end) <= fh_memory.frame_end && start < end;

  // What a claim leaves: one reference to each page, of that type.
  predicate all_claimed{L}(integer first, integer end,
                           struct fh_meta_type *type) =
    \forall integer i; first <= i < end ==>
      state_is(i, FH_STATE_ONE) && g_held[i] == 1 && g_raw[i] == 0 &&
      fh_slots[i].type == type;

  // The answer for page i of a range whose forgotten references are wanted.
  logic integer share_answer{L}(integer i) =
    i < 0 || i >= fh_memory.frame_end ? FH_E_OUT_OF_BOUND :
    section_of(i) == FH_SECTION_ABSENT ? FH_E_OUT_OF_BOUND :
    section_of(i) != FH_SECTION_LIVE ? FH_E_UNUSED :
    fh_slots[i].state >= FH_STATE_ONE ? FH_OK :
    fh_slots[i].state == FH_STATE_UNIQUE ? FH_E_UNIQUE :
    fh_slots[i].state == FH_STATE_BUSY ? FH_E_BUSY : FH_E_UNUSED;

  // The first of the pages i .. end-1 that nobody shares, or end.
  logic integer first_unshared{L}(integer i, integer end) =
    i >= end ? end :
    share_answer(i) != FH_OK ? i : first_unshared(i + 1, end);

  logic integer restore_answer{L}(integer first, integer end) =
    first_unshared(first, end) >= end ? FH_OK :
    share_answer(first_unshared(first, end));

  // What putting one reference to each page leaves of it.
  predicate all_put{A,B}(integer first, integer end) =
    \forall integer i; first <= i < end ==>
      (\at(fh_slots[i].state,A) == FH_STATE_ONE
         ? \at(fh_slots[i].type,B) == \null &&
           (\at(fh_slots[i].state,B) == FH_STATE_UNUSED ||
            (\at(fh_slots[i].state,B) == FH_STATE_FREE &&
             \at(g_free[i],B) == 1))
         : \at(fh_slots[i].state,B) == \at(fh_slots[i].state,A) - 1 &&
           \at(fh_slots[i].type,B) == \at(fh_slots[i].type,A) &&
           \at(fh_slots[i].meta,B) == \at(fh_slots[i].meta,A));

  // The same for the unique handle of a page.
  predicate unique_handle{L}(integer handle) =
    0 < handle < FH_MAX_FRAMES && g_held[handle] == 1 &&
    g_raw[handle] == 0 && fh_slots[handle].state == FH_STATE_UNIQUE;
*/

/* Contracts of functions that are declared before the slots are. */

/*@
  requires memory_ok && \valid(frame);
  assigns *frame;
  exits \false;
  ensures \result != FH_OK ==> *frame == \old(*frame);
  behavior not_aligned:
    assumes !is_aligned(pa.bytes);
    ensures \result == FH_E_NOT_ALIGNED;
  behavior out_of_bound:
    assumes is_aligned(pa.bytes) && !has_slot(frame_at(pa.bytes));
    ensures \result == FH_E_OUT_OF_BOUND;
  behavior found:
    assumes is_aligned(pa.bytes) && has_slot(frame_at(pa.bytes));
    ensures \result == FH_OK && *frame == frame_at(pa.bytes);
  complete behaviors;
  disjoint behaviors;
*/
enum fh_status fh_get_slot(struct fh_paddr pa, uint64_t *frame);

/*@
  requires memory_ok && frame < FH_PAGE_NUMBER_END;
  requires live(frame) ==> fh_slots[frame].type == \null ||
                           \valid_read(fh_slots[frame].type);
  assigns \nothing;
  exits \false;
  behavior typed:
    assumes live(frame) && fh_slots[frame].type != \null;
    ensures \result == fh_slots[frame].type->usage;
  behavior untyped:
    assumes !live(frame) || fh_slots[frame].type == \null;
    ensures \result == FH_USAGE_UNUSED;
  complete behaviors;
  disjoint behaviors;
*/
enum fh_usage fh_slot_usage(uint64_t frame);

/*@
  requires region_inv && section * FH_SECTION_FRAMES < fh_memory.frame_end;
  assigns fh_memory.sections[section],
          fh_slots[section * FH_SECTION_FRAMES
                   .. section * FH_SECTION_FRAMES + FH_SECTION_FRAMES - 1];
  exits \false;
  ensures region_inv;
  ensures kept{Pre,Post};
  ensures fh_memory.sections[section] != FH_SECTION_RAW;
*/
void fh_section_make_live(uint64_t section);

/*@ ghost
  /@
    requires first <= FH_MAX_FRAMES && n <= FH_MAX_FRAMES - first;
    requires \forall integer i; first <= i < first + n ==>
      g_held[i] < UINT64_MAX;
    assigns g_held[first .. first + n - 1];
    exits \false;
    ensures \forall integer i; first <= i < first + n ==>
      g_held[i] == \old(g_held[i]) + 1;
  @/
  void ghost_mint(uint64_t first, uint64_t n)
  {
    /@
      loop invariant first <= i <= first + n;
      loop invariant \forall integer j; first <= j < i ==>
        g_held[j] == \at(g_held[j],Pre) + 1;
      loop invariant \forall integer j; i <= j < first + n ==>
        g_held[j] == \at(g_held[j],Pre);
      loop assigns i, g_held[first .. first + n - 1];
      loop variant first + n - i;
    @/
    for (uint64_t i = first; i < first + n; i++)
      g_held[i] = g_held[i] + 1;
  }
*/

/*@ ghost
  /@
    requires first <= FH_MAX_FRAMES && n <= FH_MAX_FRAMES - first;
    requires \forall integer i; first <= i < first + n ==> g_held[i] > 0;
    assigns g_held[first .. first + n - 1];
    exits \false;
    ensures \forall integer i; first <= i < first + n ==>
      g_held[i] == \old(g_held[i]) - 1;
  @/
  void ghost_redeem(uint64_t first, uint64_t n)
  {
    /@
      loop invariant first <= i <= first + n;
      loop invariant \forall integer j; first <= j < i ==>
        g_held[j] == \at(g_held[j],Pre) - 1;
      loop invariant \forall integer j; i <= j < first + n ==>
        g_held[j] == \at(g_held[j],Pre);
      loop assigns i, g_held[first .. first + n - 1];
      loop variant first + n - i;
    @/
    for (uint64_t i = first; i < first + n; i++)
      g_held[i] = g_held[i] - 1;
  }
*/

/*@ ghost
  /@
    requires first <= FH_MAX_FRAMES && n <= FH_MAX_FRAMES - first;
    requires \forall integer i; first <= i < first + n ==>
      g_raw[i] < UINT64_MAX;
    assigns g_raw[first .. first + n - 1];
    exits \false;
    ensures \forall integer i; first <= i < first + n ==>
      g_raw[i] == \old(g_raw[i]) + 1;
  @/
  void ghost_mint_raw(uint64_t first, uint64_t n)
  {
    /@
      loop invariant first <= i <= first + n;
      loop invariant \forall integer j; first <= j < i ==>
        g_raw[j] == \at(g_raw[j],Pre) + 1;
      loop invariant \forall integer j; i <= j < first + n ==>
        g_raw[j] == \at(g_raw[j],Pre);
      loop assigns i, g_raw[first .. first + n - 1];
      loop variant first + n - i;
    @/
    for (uint64_t i = first; i < first + n; i++)
      g_raw[i] = g_raw[i] + 1;
  }
*/

/*@ ghost
  /@
    requires first <= FH_MAX_FRAMES && n <= FH_MAX_FRAMES - first;
    requires \forall integer i; first <= i < first + n ==> g_raw[i] > 0;
    assigns g_raw[first .. first + n - 1];
    exits \false;
    ensures \forall integer i; first <= i < first + n ==>
      g_raw[i] == \old(g_raw[i]) - 1;
  @/
  void ghost_redeem_raw(uint64_t first, uint64_t n)
  {
    /@
      loop invariant first <= i <= first + n;
      loop invariant \forall integer j; first <= j < i ==>
        g_raw[j] == \at(g_raw[j],Pre) - 1;
      loop invariant \forall integer j; i <= j < first + n ==>
        g_raw[j] == \at(g_raw[j],Pre);
      loop assigns i, g_raw[first .. first + n - 1];
      loop variant first + n - i;
    @/
    for (uint64_t i = first; i < first + n; i++)
      g_raw[i] = g_raw[i] - 1;
  }
*/

#endif /* FRAMEHOLD_PROOF_MODEL_H */
