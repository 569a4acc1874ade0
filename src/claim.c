/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Claims of pages that are free or unused, by their numbers: of those that an
 * allocator that is not trusted has handed over, and of those that a caller
 * takes, adds or retires. All or none: what was claimed goes back when one page
 * is not to be had.
 */
#include "claim.h"

#include <framehold/allocator.h>
#include <framehold/host.h>

/*@
  // Claiming and giving back changes the state only.
  predicate words_kept{A,B}(integer i) =
    live{A}(i) ==>
      \at(fh_slots[i].type,A) == \at(fh_slots[i].type,B) &&
      \at(fh_slots[i].list,A) == \at(fh_slots[i].list,B) &&
      \at(fh_slots[i].meta,A) == \at(fh_slots[i].meta,B);

  // As anybody can tell, and as the allocator has it or not.
  predicate is_back{A,B}(integer i) =
    \at(g_held[i],A) == \at(g_held[i],B) &&
    \at(g_raw[i],A) == \at(g_raw[i],B) &&
    (\at(g_free[i],A) != 0 <==> \at(g_free[i],B) != 0) &&
    (has_slot{A}(i) <==> has_slot{B}(i)) && (live{A}(i) ==> live{B}(i)) &&
    words_kept{A,B}(i) &&
    (live{A}(i) ==> \at(fh_slots[i].state,A) == \at(fh_slots[i].state,B)) &&
    (!live{A}(i) && live{B}(i) ==> slot_is_zero{B}(i));

  predicate all_back{A,B} =
    \forall integer i; is_frame(i) ==> is_back{A,B}(i);
*/

/* Claimed pages go back to what they were. */
/*@
  requires region_inv && first <= fh_memory.frame_end;
  requires n <= fh_memory.frame_end - first;
  requires state == FH_STATE_FREE || state == FH_STATE_UNUSED;
  requires \forall integer i; first <= i < first + n ==> is_taken(i);
  assigns fh_slots[first .. first + n - 1], g_free[first .. first + n - 1];
  exits \false;
  ensures region: region_inv;
  ensures state: \forall integer i; first <= i < first + n ==>
    fh_slots[i].state == state &&
    g_free[i] == (state == FH_STATE_FREE ? 1 : 0);
  ensures words: \forall integer i; first <= i < first + n ==>
    words_kept{Pre,Post}(i);
  ensures others: same_but{Pre,Post}(first, first + n);
*/
static void unclaim_taken(uint64_t first, uint64_t n, uint64_t state)
{
	/*@
	  loop invariant first <= i <= first + n;
	  loop invariant region: region_inv;
	  loop invariant state: \forall integer j; first <= j < i ==>
	    fh_slots[j].state == state &&
	    g_free[j] == (state == FH_STATE_FREE ? 1 : 0);
	  loop invariant words: \forall integer j; first <= j < i ==>
	    words_kept{Pre,Here}(j);
	  loop invariant others: same_but{Pre,Here}(first, i);
	  loop assigns i, fh_slots[first .. first + n - 1],
	    g_free[first .. first + n - 1];
	  loop variant first + n - i;
	*/
	for (uint64_t i = first; i - first < n; i++) {
		/*@ assert slot_inv(i) && i != 0; */
		/* Release: pairs with the acquire of the next claim. */
		fh_state_store_release(i, state);
		/*@ assert live(i) && g_free[i] == 0; */
		if (state == FH_STATE_FREE)
			fh_allocator_give_back(i, 1);
		/*@ assert slot_inv(i); */
		/*@ assert same_but{LoopCurrent,Here}(i, i + 1); */
	}
}

/*@
  requires region_inv && live(frame) && g_free[frame] == 0;
  assigns fh_slots[frame].state;
  exits \false;
  ensures region: region_inv;
  behavior taken:
    assumes fh_slots[frame].state == FH_STATE_FREE;
    ensures \result == \true && is_taken(frame);
  behavior refused:
    assumes fh_slots[frame].state != FH_STATE_FREE;
    ensures \result == \false && slot_same{Pre,Post}(frame);
  complete behaviors;
  disjoint behaviors;
*/
static bool claim_popped_page(uint64_t frame)
{
	/* Acquire: pairs with the release of the last owner's drop. */
	return fh_state_cas_acquire(frame, FH_STATE_FREE, FH_STATE_BUSY) ==
	       FH_STATE_FREE;
}

/* Gives a popped page back, unless it is somebody's. */
/*@
  requires region_inv && live(frame) && g_free[frame] == 0;
  assigns fh_slots[frame], g_free[frame];
  exits \false;
  ensures region: region_inv;
  behavior back:
    assumes fh_slots[frame].state == FH_STATE_FREE;
    ensures fh_slots[frame].state == FH_STATE_FREE && g_free[frame] == 1;
  behavior given:
    assumes fh_slots[frame].state != FH_STATE_FREE;
    ensures slot_same{Pre,Post}(frame);
  complete behaviors;
  disjoint behaviors;
*/
static void return_popped_page(uint64_t frame)
{
	if (claim_popped_page(frame))
		unclaim_taken(frame, 1, FH_STATE_FREE);
}

enum fh_status fh_claim_popped(uint64_t first, uint64_t n)
{
	uint64_t claimed = 0;

	/*@
	  loop invariant 0 <= claimed <= n;
	  loop invariant region: region_inv;
	  loop invariant others: same_but{Pre,Here}(first, first + claimed);
	  loop invariant taken: \forall integer i;
	    first <= i < first + claimed ==>
	      is_taken(i) && \at(fh_slots[i].state,Pre) == FH_STATE_FREE;
	  loop assigns claimed, fh_slots[first .. first + n - 1];
	  loop variant n - claimed;
	*/
	while (claimed < n && claim_popped_page(first + claimed))
		claimed++;
	if (claimed == n)
		return FH_OK;
	/*@ assert refused: slot_same{Pre,Here}(first + claimed) &&
	  fh_slots[first + claimed].state != FH_STATE_FREE; */
	unclaim_taken(first, claimed, FH_STATE_FREE);
	/*@
	  loop invariant claimed + 1 <= i <= n;
	  loop invariant region: region_inv;
	  loop invariant others: same_but{Pre,Here}(first, first + i);
	  loop invariant given: \forall integer j; first <= j < first + i &&
	    \at(fh_slots[j].state,Pre) != FH_STATE_FREE ==>
	      slot_same{Pre,Here}(j);
	  loop invariant back: \forall integer j; first <= j < first + i &&
	    \at(fh_slots[j].state,Pre) == FH_STATE_FREE ==>
	      fh_slots[j].state == FH_STATE_FREE && g_free[j] == 1;
	  loop assigns i, fh_slots[first .. first + n - 1],
	    g_free[first .. first + n - 1];
	  loop variant n - i;
	*/
	for (uint64_t i = claimed + 1; i < n; i++) {
		/*@ assert now: slot_same{Pre,Here}(first + i); */
		return_popped_page(first + i);
		/*@ assert before: \forall integer j; first <= j < first + i &&
		  \at(fh_slots[j].state,Pre) != FH_STATE_FREE ==>
		    slot_same{LoopCurrent,Here}(j) &&
		    slot_same{Pre,LoopCurrent}(j) && slot_same{Pre,Here}(j); */
		/*@ assert this: \forall integer j; j == first + i &&
		  \at(fh_slots[j].state,Pre) != FH_STATE_FREE ==>
		    slot_same{LoopCurrent,Here}(j) && slot_same{Pre,Here}(j);
		*/
	}
	return FH_E_CORRUPT;
}

/* ---- Given pages ---- */

/* Whether n pages from first on have slots and a zone. */
/*@
  requires memory_ok;
  assigns \nothing;
  exits \false;
  behavior empty:
    assumes n == 0;
    ensures \result == FH_E_EMPTY;
  behavior beyond:
    assumes n > 0 && first + n > fh_memory.frame_end;
    ensures \result == FH_E_OUT_OF_BOUND;
  behavior hole:
    assumes n > 0 && first + n <= fh_memory.frame_end &&
      \exists integer i; first <= i < first + n && !has_slot(i);
    ensures \result == FH_E_OUT_OF_BOUND;
  behavior there:
    assumes n > 0 && first + n <= fh_memory.frame_end &&
      \forall integer i; first <= i < first + n ==> has_slot(i);
    ensures \result == FH_OK || \result == FH_E_OUT_OF_BOUND;
  complete behaviors;
  disjoint behaviors;
*/
static enum fh_status check_covered(uint64_t first, uint64_t n)
{
	if (n == 0)
		return FH_E_EMPTY;
	if (first >= fh_memory.frame_end || n > fh_memory.frame_end - first)
		return FH_E_OUT_OF_BOUND;
	/*@
	  loop invariant first <= i <= first + n;
	  loop invariant \forall integer j; first <= j < i ==> has_slot(j);
	  loop assigns i;
	  loop variant first + n - i;
	*/
	for (uint64_t i = first; i - first < n; i++) {
		uint64_t frame;

		if (fh_get_slot(fh_paddr_of_frame(i), &frame) != FH_OK ||
		    !fh_allocator_covers(i))
			return FH_E_OUT_OF_BOUND;
	}
	return FH_OK;
}

/* One free page -> BUSY; FH_E_UNUSED for one that the allocator has not. */
/*@
  requires region_inv && has_slot(frame);
  assigns fh_slots[0 .. FH_LAST_FRAME], g_free[frame],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures others: kept_but{Pre,Post}(frame, frame + 1);
  ensures slot: has_slot(frame);
  ensures ok: \result == FH_OK <==> can_be_taken{Pre}(frame);
  ensures taken: \result == FH_OK ==> is_taken(frame);
  ensures words: \result == FH_OK ==> words_kept{Pre,Post}(frame);
  ensures refused: \result != FH_OK ==> slot_kept{Pre,Post}(frame);
*/
static enum fh_status take_page(uint64_t frame)
{
	fh_section_make_live(frame / FH_SECTION_FRAMES);
	/*@ assert slot_kept{Pre,Here}(frame) && has_slot(frame); */
	/*@ assert live(frame) && slot_inv(frame); */
	/*@ assert can_be_taken(frame) <==> can_be_taken{Pre}(frame); */
	uint64_t seen = fh_state_load_relaxed(frame);

	/* Nor is it claimed if it becomes unused now: who took it has it. */
	if (seen == FH_STATE_UNUSED)
		return FH_E_UNUSED;
	return fh_slot_claim_other(frame, seen);
}

/*@
  requires region_inv;
  assigns fh_slots[0 .. FH_LAST_FRAME], g_free[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures refused: \result != FH_OK ==> all_back{Pre,Post};
  ensures range: \result == FH_OK ==>
    n > 0 && first + n <= fh_memory.frame_end;
  ensures others: \result == FH_OK ==> kept_but{Pre,Post}(first, first + n);
  ensures were: \result == FH_OK ==>
    \forall integer i; first <= i < first + n ==> can_be_taken{Pre}(i);
  ensures are: \result == FH_OK ==>
    \forall integer i; first <= i < first + n ==> is_taken(i);
*/
static enum fh_status take_pages(uint64_t first, uint64_t n)
{
	enum fh_status status = check_covered(first, n);

	if (status != FH_OK)
		return status;
	/*@
	  loop invariant first <= i <= first + n;
	  loop invariant region: region_inv;
	  loop invariant others: kept_but{Pre,Here}(first, i);
	  loop invariant taken: \forall integer j; first <= j < i ==>
	    is_taken(j);
	  loop invariant were: \forall integer j; first <= j < i ==>
	    can_be_taken{Pre}(j);
	  loop invariant words: \forall integer j; first <= j < i ==>
	    words_kept{Pre,Here}(j);
	  loop assigns i, status, fh_slots[0 .. FH_LAST_FRAME],
	    g_free[0 .. FH_LAST_FRAME],
	    fh_memory.sections[0 .. FH_LAST_SECTION];
	  loop variant first + n - i;
	*/
	for (uint64_t i = first; i - first < n; i++) {
		status = take_page(i);
		/*@ assert slot_kept{Pre,LoopCurrent}(i); */
		/*@ assert status == FH_OK ==>
		  words_kept{LoopCurrent,Here}(i) && words_kept{Pre,Here}(i); */
		/*@ assert taken: \forall integer j; first <= j < i ==>
		  slot_same{LoopCurrent,Here}(j) && is_taken(j); */
		if (status != FH_OK) {
			/*@ assert others: kept_but{Pre,Here}(first, i); */
			unclaim_taken(first, i - first, FH_STATE_FREE);
			/*@ assert back: \forall integer j; first <= j < i ==>
			  is_back{Pre,Here}(j); */
			return status;
		}
	}
	return FH_OK;
}

/*@
  requires region_inv;
  assigns fh_slots[0 .. FH_LAST_FRAME], g_free[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures refused: \result != FH_OK ==> all_back{Pre,Post};
  ensures range: \result == FH_OK ==>
    n > 0 && first + n <= fh_memory.frame_end;
  ensures others: \result == FH_OK ==> kept_but{Pre,Post}(first, first + n);
  ensures were: \result == FH_OK ==>
    \forall integer i; first <= i < first + n ==> can_be_taken{Pre}(i);
  ensures are: \result == FH_OK ==>
    \forall integer i; first <= i < first + n ==> 
      state_is(i, FH_STATE_UNUSED);
*/
enum fh_status fh_alloc_take(uint64_t first, uint64_t n)
{
	enum fh_status status = take_pages(first, n);

	if (status == FH_OK)
		unclaim_taken(first, n, FH_STATE_UNUSED);
	return status;
}

/*@
  requires region_inv;
  assigns fh_slots[0 .. FH_LAST_FRAME], g_raw[0 .. FH_LAST_FRAME],
          g_free[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures refused: \result != FH_OK ==> all_back{Pre,Post};
  ensures range: \result == FH_OK ==>
    n > 0 && first + n <= fh_memory.frame_end;
  ensures others: \result == FH_OK ==> kept_but{Pre,Post}(first, first + n);
  ensures were: \result == FH_OK ==>
    \forall integer i; first <= i < first + n ==> can_be_taken{Pre}(i);
  ensures are: \result == FH_OK ==>
    \forall integer i; first <= i < first + n ==> 
      state_is(i, FH_STATE_ONE) && g_raw[i] == 1 &&
      fh_slots[i].type == &fh_unusable_type;
*/
enum fh_status fh_alloc_retire(uint64_t first, uint64_t n)
{
	enum fh_status status = take_pages(first, n);

	if (status != FH_OK)
		return status;
	/*@
	  loop invariant first <= i <= first + n;
	  loop invariant region: region_but(first, i);
	  loop invariant others: kept_but{Pre,Here}(first, first + n);
	  loop invariant taken: \forall integer j; i <= j < first + n ==>
	    is_taken(j);
	  loop invariant done: \forall integer j; first <= j < i ==>
	    state_is(j, FH_STATE_ONE) && fh_slots[j].list == 0 &&
	    g_held[j] == 0 && g_raw[j] == 0 && g_free[j] == 0 &&
	    fh_slots[j].type == &fh_unusable_type;
	  loop assigns i, fh_slots[first .. first + n - 1];
	  loop variant first + n - i;
	*/
	for (uint64_t i = first; i - first < n; i++) {
		/*@ assert i != 0 && is_taken(i); */
		fh_slot_write(i, &fh_unusable_type, NULL);
		fh_slot_publish(i);
		/*@ assert same_but{LoopCurrent,Here}(i, i + 1); */
	}
	fh_unit_mint_raw(first, n);
	return FH_OK;
}

/* One unused page -> BUSY. */
/*@
  requires region_inv && has_slot(frame);
  assigns fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures others: kept_but{Pre,Post}(frame, frame + 1);
  ensures slot: has_slot(frame);
  ensures ok: \result == FH_OK <==> state_is{Pre}(frame, FH_STATE_UNUSED);
  ensures taken: \result == FH_OK ==> is_taken(frame);
  ensures words: \result == FH_OK ==> words_kept{Pre,Post}(frame);
  ensures refused: \result != FH_OK ==> slot_kept{Pre,Post}(frame);
*/
static enum fh_status claim_unused(uint64_t frame)
{
	fh_section_make_live(frame / FH_SECTION_FRAMES);
	/*@ assert slot_kept{Pre,Here}(frame) && has_slot(frame); */
	/*@ assert live(frame) && slot_inv(frame); */
	/*@ assert state_is(frame, FH_STATE_UNUSED) <==>
	  state_is{Pre}(frame, FH_STATE_UNUSED); */
	/* Acquire: pairs with the release of the last owner's drop. */
	uint64_t seen =
		fh_state_cas_acquire(frame, FH_STATE_UNUSED, FH_STATE_BUSY);

	if (seen == FH_STATE_UNUSED)
		return FH_OK;
	return seen == FH_STATE_FREE ? FH_E_TWICE : fh_claim_status(seen);
}

/*@
  requires region_inv;
  assigns fh_slots[0 .. FH_LAST_FRAME], g_free[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures refused: \result != FH_OK ==> all_back{Pre,Post};
  ensures range: \result == FH_OK ==>
    n > 0 && first + n <= fh_memory.frame_end;
  ensures others: \result == FH_OK ==> kept_but{Pre,Post}(first, first + n);
  ensures were: \result == FH_OK ==>
    \forall integer i; first <= i < first + n ==> 
      state_is{Pre}(i, FH_STATE_UNUSED);
  ensures are: \result == FH_OK ==>
    \forall integer i; first <= i < first + n ==> 
      state_is(i, FH_STATE_FREE) && g_free[i] == 1;
*/
enum fh_status fh_alloc_add(uint64_t first, uint64_t n)
{
	enum fh_status status = check_covered(first, n);

	if (status != FH_OK)
		return status;
	/*@
	  loop invariant first <= i <= first + n;
	  loop invariant region: region_inv;
	  loop invariant others: kept_but{Pre,Here}(first, i);
	  loop invariant taken: \forall integer j; first <= j < i ==>
	    is_taken(j);
	  loop invariant were: \forall integer j; first <= j < i ==>
	    state_is{Pre}(j, FH_STATE_UNUSED);
	  loop invariant words: \forall integer j; first <= j < i ==>
	    words_kept{Pre,Here}(j);
	  loop assigns i, status, fh_slots[0 .. FH_LAST_FRAME],
	    g_free[0 .. FH_LAST_FRAME],
	    fh_memory.sections[0 .. FH_LAST_SECTION];
	  loop variant first + n - i;
	*/
	for (uint64_t i = first; i - first < n; i++) {
		status = claim_unused(i);
		/*@ assert words: \forall integer j; first <= j < i ==>
		  slot_same{LoopCurrent,Here}(j) && live(j); */
		/*@ assert slot_kept{Pre,LoopCurrent}(i); */
		/*@ assert status == FH_OK ==>
		  words_kept{LoopCurrent,Here}(i) && words_kept{Pre,Here}(i); */
		/*@ assert taken: \forall integer j; first <= j < i ==>
		  slot_same{LoopCurrent,Here}(j) && is_taken(j); */
		if (status != FH_OK) {
			/*@ assert others: kept_but{Pre,Here}(first, i); */
			unclaim_taken(first, i - first, FH_STATE_UNUSED);
			/*@ assert back: \forall integer j; first <= j < i ==>
			  is_back{Pre,Here}(j); */
			return status;
		}
	}
	unclaim_taken(first, n, FH_STATE_FREE);
	return FH_OK;
}
