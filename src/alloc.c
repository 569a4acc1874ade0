/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Handing pages over: popped from the allocator, zeroed if asked, written, and
 * published by one store. Which pages, and how they are kept while they are
 * free, is the allocator's business: framehold/allocator.h.
 *
 * A popped page is FREE and in nobody's reach but ours, so that no claim is
 * needed, except of an allocator that is not trusted.
 */
#include <framehold/allocator.h>
#include <framehold/host.h>

#include "magazine.h"
#include "slot.h"

/*
 * Here, and not with what fills them, so that the fast path is the same with
 * an allocator of somebody's own: magazines stay empty then.
 */
static struct fh_magazine magazine_array[FH_MAX_CPUS];
struct fh_magazine *const fh_magazines = magazine_array;

/* Any page, zeroed. */
static const struct fh_alloc_options default_options = {.zeroed = true};

/*@
  assigns \nothing;
  exits \false;
  ensures \result <==> is_power(n);
*/
static bool is_power_of_two(uint64_t n)
{
	/*@
	  loop invariant odd_part(n) == odd_part(\at(n,Pre));
	  loop assigns n;
	  loop variant n;
	*/
	while (n > 1 && n % 2 == 0)
		n /= 2;
	return n == 1;
}

/*@
  requires \valid_read(options) && (type == \null || \valid_read(type));
  assigns \nothing;
  exits \false;
  behavior invalid:
    assumes type == \null || type->size > FH_META_SIZE ||
            (options->align != 0 && !is_power(options->align));
    ensures \result == FH_E_INVALID;
  behavior empty:
    assumes type != \null && type->size <= FH_META_SIZE && n == 0 &&
            (options->align == 0 || is_power(options->align));
    ensures \result == FH_E_EMPTY;
  behavior ok:
    assumes type != \null && type->size <= FH_META_SIZE && n != 0 &&
            (options->align == 0 || is_power(options->align));
    ensures \result == FH_OK;
  complete behaviors;
  disjoint behaviors;
*/
static enum fh_status check_request(uint64_t n,
				    const struct fh_alloc_options *options,
				    const struct fh_meta_type *type)
{
	if (!fh_meta_type_is_valid(type))
		return FH_E_INVALID;
	if (options->align != 0 && !is_power_of_two(options->align))
		return FH_E_INVALID;
	return n == 0 ? FH_E_EMPTY : FH_OK;
}

/*@
  // Claimed, and nothing is written there yet.
  predicate is_taken{L}(integer i) =
    state_is(i, FH_STATE_BUSY) && fh_slots[i].type == \null &&
    fh_slots[i].list == 0 && g_held[i] == 0 && g_raw[i] == 0 &&
    g_free[i] == 0;

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
static enum fh_status claim_popped(uint64_t first, uint64_t n)
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

/*@
  requires frame < FH_PAGE_NUMBER_END;
  assigns \nothing;
  exits \false;
*/
static void zero_page_bytes(uint64_t frame)
{
	__builtin_memset(fh_page_bytes(frame), 0, FH_PAGE_SIZE);
}

/*@
  requires first <= FH_PAGE_NUMBER_END && n <= FH_PAGE_NUMBER_END - first;
  assigns \nothing;
  exits \false;
*/
static void zero_pages(uint64_t first, uint64_t n)
{
	/*@
	  loop invariant first <= i <= first + n;
	  loop assigns i;
	  loop variant first + n - i;
	*/
	for (uint64_t i = first; i - first < n; i++)
		zero_page_bytes(i);
}

/*@
  predicate is_fit_type{L}(struct fh_meta_type *type) =
    type != \null && type->size <= FH_META_SIZE;

  // Null asks for any page.
  predicate is_request{L}(struct fh_alloc_options *options,
                          struct fh_meta_type *type) =
    is_fit_type(type) &&
    (options != \null ==> options->align == 0 || is_power(options->align));

  logic integer asked_align{L}(struct fh_alloc_options *options) =
    options == \null ? 0 : options->align;

  logic integer asked_below{L}(struct fh_alloc_options *options) =
    options == \null ? 0 : options->below;

  // A run that would do is free.
  predicate can_be_met{L}(integer n, integer align, integer below) =
    \exists integer first; 0 < first && run_fits(first, n, align, below);
*/

/* Pops and prepares; the pages are the caller's to write and publish. */
/*@
  requires region_inv && \valid(first);
  requires options == \null || \valid_read(options);
  requires type == \null || \valid_read(type);
  assigns *first, fh_slots[0 .. FH_LAST_FRAME], g_free[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures refused: \result != FH_OK ==>
    kept{Pre,Post} && *first == \old(*first);
  behavior invalid:
    assumes !is_request(options, type);
    ensures \result == FH_E_INVALID;
  behavior empty:
    assumes is_request(options, type) && n == 0;
    ensures \result == FH_E_EMPTY;
  behavior none:
    assumes is_request(options, type) && n > 0;
    assumes !can_be_met(n, asked_align(options), asked_below(options));
    ensures \result == FH_E_NO_MEMORY;
  behavior some:
    assumes is_request(options, type) && n > 0;
    assumes can_be_met(n, asked_align(options), asked_below(options));
    ensures \result == FH_OK || \result == FH_E_NO_MEMORY;
    ensures fits: \result == FH_OK ==>
      run_fits{Pre}(*first, n, \old(asked_align(options)),
                    \old(asked_below(options)));
    ensures popped: \result == FH_OK ==> were_popped{Pre,Post}(*first, n);
  complete behaviors;
  disjoint behaviors;
*/
static enum fh_status pop_pages(uint64_t n,
				const struct fh_alloc_options *options,
				const struct fh_meta_type *type,
				uint64_t *first)
{
	if (options == NULL)
		options = &default_options;
	enum fh_status status = check_request(n, options, type);
	if (status != FH_OK)
		return status;
	status = fh_allocator_pop(n, options, first);
	/*@ assert fits: status == FH_OK ==> 0 < *first &&
	  run_fits{Pre}(*first, n, asked_align{Pre}(\at(options,Pre)),
	                asked_below{Pre}(\at(options,Pre))); */
	/*@ assert met: status == FH_OK ==>
	  can_be_met{Pre}(n, asked_align{Pre}(\at(options,Pre)),
	                  asked_below{Pre}(\at(options,Pre))); */
	if (status == FH_OK && FH_ALLOCATOR_CHECKED)
		status = claim_popped(*first, n);
	if (status != FH_OK)
		return status;
	if (options->zeroed)
		zero_pages(*first, n);
	return FH_OK;
}

/*
 * Whether any page will do as it is: then this CPU's magazine has it, mostly.
 * Where allocators are checked a page has to be claimed as well.
 */
/*@
  requires options == \null || \valid_read(options);
  requires type == \null || \valid_read(type);
  assigns \nothing;
  exits \false;
  ensures \result <==> options != \null && options->zeroed == 0 &&
    options->align <= 1 && options->below == 0 && is_fit_type(type);
  ensures \result ==> is_request(options, type);
*/
static inline bool any_page_will_do(const struct fh_alloc_options *options,
				    const struct fh_meta_type *type)
{
	return !FH_ALLOCATOR_CHECKED && options != NULL && !options->zeroed &&
	       options->align <= 1 && options->below == 0 && type != NULL &&
	       type->size <= FH_META_SIZE;
}

/*@
  // The page is the caller's, with what it was to have.
  predicate is_handed_over{L}(integer i, struct fh_meta_type *type,
                              struct fh_meta *meta) =
    0 < i && g_held[i] == 1 && g_raw[i] == 0 && g_free[i] == 0 &&
    fh_slots[i].type == type && fh_slots[i].list == 0 &&
    (meta == \null ==> fh_slots[i].meta == fh_meta_zero);
*/

/* All but the fast path. m is null, or was entered in vain. */
/*@
  requires region_inv && \valid(out);
  requires m == \null || (magazines_ok && is_magazine(m));
  requires options == \null || \valid_read(options);
  requires type == \null || \valid_read(type);
  requires meta == \null || \valid_read(meta);
  requires \separated(out, fh_magazines + (0 .. FH_MAX_CPUS - 1));
  requires meta == \null ||
    \separated(meta, fh_magazines + (0 .. FH_MAX_CPUS - 1));
  requires options == \null ||
    \separated(options, fh_magazines + (0 .. FH_MAX_CPUS - 1));
  requires type == \null ||
    \separated(type, fh_magazines + (0 .. FH_MAX_CPUS - 1));
  assigns out->handle, fh_slots[0 .. FH_LAST_FRAME],
          g_held[0 .. FH_LAST_FRAME], g_free[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION],
          fh_magazines[0 .. FH_MAX_CPUS - 1];
  exits \false;
  ensures region: region_inv;
  ensures refused: \result != FH_OK ==>
    kept{Pre,Post} && out->handle == \old(out->handle);
  behavior invalid:
    assumes !is_request(options, type);
    ensures \result == FH_E_INVALID;
  behavior none:
    assumes is_request(options, type);
    assumes !can_be_met(1, asked_align(options), asked_below(options));
    ensures \result == FH_E_NO_MEMORY;
  behavior some:
    assumes is_request(options, type);
    assumes can_be_met(1, asked_align(options), asked_below(options));
    ensures \result == FH_OK || \result == FH_E_NO_MEMORY;
    ensures fits: \result == FH_OK ==>
      run_fits{Pre}(out->handle, 1, \old(asked_align(options)),
                    \old(asked_below(options)));
    ensures state: \result == FH_OK ==>
      state_is(out->handle, FH_STATE_ONE) && frame_handle(out->handle);
    ensures given: \result == FH_OK ==>
      is_handed_over(out->handle, type, meta);
    ensures words: \result == FH_OK && meta != \null ==>
      fh_slots[out->handle].meta == \old(*meta);
    ensures others: \result == FH_OK ==>
      kept_but{Pre,Post}(out->handle, out->handle + 1);
  complete behaviors;
  disjoint behaviors;
*/
static FH_NOINLINE enum fh_status
alloc_frame(const struct fh_alloc_options *options,
	    const struct fh_meta_type *type, const struct fh_meta *meta,
	    struct fh_frame *out, struct fh_magazine *m, uintptr_t site)
{
	uint64_t i;

	if (m != NULL)
		fh_magazine_leave(m);
	/*@ assert align: asked_align(options) == asked_align{Pre}(options); */
	/*@ assert below: asked_below(options) == asked_below{Pre}(options); */
	enum fh_status status = pop_pages(1, options, type, &i);
	if (status != FH_OK)
		return status;
	fh_slot_write(i, type, meta);
	out->handle = fh_unit_mint(i, 1, FH_UNIT_FRAME, site);
	fh_slot_publish(i);
	return FH_OK;
}

/*@
  requires region_inv && magazines_ok && \valid(out);
  requires options == \null || \valid_read(options);
  requires type == \null || \valid_read(type);
  requires meta == \null || \valid_read(meta);
  requires \separated(out, fh_magazines + (0 .. FH_MAX_CPUS - 1));
  requires meta == \null ||
    \separated(meta, fh_magazines + (0 .. FH_MAX_CPUS - 1));
  requires options == \null ||
    \separated(options, fh_magazines + (0 .. FH_MAX_CPUS - 1));
  requires type == \null ||
    \separated(type, fh_magazines + (0 .. FH_MAX_CPUS - 1));
  assigns out->handle, fh_slots[0 .. FH_LAST_FRAME],
          g_held[0 .. FH_LAST_FRAME], g_free[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION],
          fh_magazines[0 .. FH_MAX_CPUS - 1];
  exits \false;
  ensures region: region_inv;
  ensures refused: \result != FH_OK ==>
    kept{Pre,Post} && out->handle == \old(out->handle);
  behavior invalid:
    assumes !is_request(options, type);
    ensures \result == FH_E_INVALID;
  behavior none:
    assumes is_request(options, type);
    assumes !can_be_met(1, asked_align(options), asked_below(options));
    ensures \result == FH_E_NO_MEMORY;
  behavior some:
    assumes is_request(options, type);
    assumes can_be_met(1, asked_align(options), asked_below(options));
    ensures \result == FH_OK || \result == FH_E_NO_MEMORY;
    ensures fits: \result == FH_OK ==>
      run_fits{Pre}(out->handle, 1, \old(asked_align(options)),
                    \old(asked_below(options)));
    ensures state: \result == FH_OK ==>
      state_is(out->handle, FH_STATE_ONE) && frame_handle(out->handle);
    ensures given: \result == FH_OK ==>
      is_handed_over(out->handle, type, meta);
    ensures words: \result == FH_OK && meta != \null ==>
      fh_slots[out->handle].meta == \old(*meta);
    ensures others: \result == FH_OK ==>
      kept_but{Pre,Post}(out->handle, out->handle + 1);
  complete behaviors;
  disjoint behaviors;
*/
enum fh_status fh_frame_alloc(const struct fh_alloc_options *options,
			      const struct fh_meta_type *type,
			      const struct fh_meta *meta, struct fh_frame *out)
{
	struct fh_magazine *m =
		any_page_will_do(options, type) ? fh_magazine_enter() : NULL;
	uint64_t i = m == NULL ? FH_NO_PAGE : fh_magazine_pop(m);

	/*@ assert align: asked_align(options) == asked_align{Pre}(options); */
	/*@ assert below: asked_below(options) == asked_below{Pre}(options); */
	/*@ assert type: type != \null ==>
	  type->size == \at(type->size,Pre); */
	/*@ assert some: m != \null ==> is_request{Pre}(options, type); */
	/*@ assert request: is_request(options, type) <==>
	  is_request{Pre}(options, type); */
	/*@ assert words: meta != \null ==> \forall integer j; 0 <= j < 5 ==>
	  meta->w[j] == \at(meta->w[j],Pre); */
	/*@ assert same: meta != \null ==> *meta == \at(*meta,Pre); */
	if (FH_UNLIKELY(i == FH_NO_PAGE))
		return alloc_frame(options, type, meta, out, m, FH_CALLER);
	/*@ ghost ghost_popped(i, 1); */
	/*@ assert frame: is_frame(i) && live(i); */
	/*@ assert was: slot_inv{Pre}(i) && slot_type{Pre}(i); */
	/*@ assert units: g_held[i] == 0 && g_raw[i] == 0; */
	/*@ assert list: fh_slots[i].list == 0; */
	/*@ assert fits: run_fits{Pre}(i, 1, asked_align{Pre}(options),
	                               asked_below{Pre}(options)); */
	/*@ assert met: can_be_met{Pre}(1, asked_align{Pre}(options),
	                                asked_below{Pre}(options)); */
	fh_slot_write(i, type, meta);
	out->handle = fh_unit_mint(i, 1, FH_UNIT_FRAME, FH_CALLER);
	fh_slot_publish(i);
	/*@ assert slot_inv(i); */
	fh_magazine_leave(m);
	return FH_OK;
}

/*@
  requires region_inv && \valid(out);
  requires options == \null || \valid_read(options);
  requires type == \null || \valid_read(type);
  requires meta == \null || \valid_read(meta);
  assigns out->handle, fh_slots[0 .. FH_LAST_FRAME],
          g_held[0 .. FH_LAST_FRAME], g_free[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures refused: \result != FH_OK ==>
    kept{Pre,Post} && out->handle == \old(out->handle);
  behavior invalid:
    assumes !is_request(options, type);
    ensures \result == FH_E_INVALID;
  behavior none:
    assumes is_request(options, type);
    assumes !can_be_met(1, asked_align(options), asked_below(options));
    ensures \result == FH_E_NO_MEMORY;
  behavior some:
    assumes is_request(options, type);
    assumes can_be_met(1, asked_align(options), asked_below(options));
    ensures \result == FH_OK || \result == FH_E_NO_MEMORY;
    ensures fits: \result == FH_OK ==>
      run_fits{Pre}(out->handle, 1, \old(asked_align(options)),
                    \old(asked_below(options)));
    ensures state: \result == FH_OK ==>
      state_is(out->handle, FH_STATE_UNIQUE) && unique_handle(out->handle);
    ensures given: \result == FH_OK ==>
      is_handed_over(out->handle, type, meta);
    ensures words: \result == FH_OK && meta != \null ==>
      fh_slots[out->handle].meta == \old(*meta);
    ensures others: \result == FH_OK ==>
      kept_but{Pre,Post}(out->handle, out->handle + 1);
  complete behaviors;
  disjoint behaviors;
*/
enum fh_status fh_unique_alloc(const struct fh_alloc_options *options,
			       const struct fh_meta_type *type,
			       const struct fh_meta *meta,
			       struct fh_unique *out)
{
	uint64_t i;
	enum fh_status status = pop_pages(1, options, type, &i);

	if (status != FH_OK)
		return status;
	fh_slot_write(i, type, meta);
	out->handle = fh_unit_mint(i, 1, FH_UNIT_UNIQUE, FH_CALLER);
	fh_slot_publish_unique(i);
	return FH_OK;
}

/*@
  requires region_inv && \valid(out);
  requires options == \null || \valid_read(options);
  requires type == \null || \valid_read(type);
  requires meta == \null || \valid_read(meta);
  assigns *out, fh_slots[0 .. FH_LAST_FRAME],
          g_held[0 .. FH_LAST_FRAME], g_free[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures refused: \result != FH_OK ==>
    kept{Pre,Post} && *out == \old(*out);
  behavior invalid:
    assumes !is_request(options, type);
    ensures \result == FH_E_INVALID;
  behavior empty:
    assumes is_request(options, type) && n == 0;
    ensures \result == FH_E_EMPTY;
  behavior none:
    assumes is_request(options, type) && n > 0;
    assumes !can_be_met(n, asked_align(options), asked_below(options));
    ensures \result == FH_E_NO_MEMORY;
  behavior some:
    assumes is_request(options, type) && n > 0;
    assumes can_be_met(n, asked_align(options), asked_below(options));
    ensures \result == FH_OK || \result == FH_E_NO_MEMORY;
    ensures fits: \result == FH_OK ==>
      run_fits{Pre}(out->handle, n, \old(asked_align(options)),
                    \old(asked_below(options)));
    ensures count: \result == FH_OK ==> out->count == n;
    ensures segment: \result == FH_OK ==>
      segment_handle(out->handle, out->count);
    ensures claimed: \result == FH_OK ==>
      all_claimed(out->handle, out->handle + n, type);
    ensures given: \result == FH_OK ==>
      \forall integer i; out->handle <= i < out->handle + n ==>
        is_handed_over(i, type, meta);
    ensures words: \result == FH_OK && meta != \null ==>
      \forall integer i; out->handle <= i < out->handle + n ==>
        fh_slots[i].meta == \old(*meta);
    ensures others: \result == FH_OK ==>
      kept_but{Pre,Post}(out->handle, out->handle + n);
  complete behaviors;
  disjoint behaviors;
*/
enum fh_status fh_segment_alloc(uint64_t n,
				const struct fh_alloc_options *options,
				const struct fh_meta_type *type,
				const struct fh_meta *meta,
				struct fh_segment *out)
{
	uint64_t first;
	enum fh_status status = pop_pages(n, options, type, &first);

	if (status != FH_OK)
		return status;
	/*@
	  loop invariant first <= i <= first + n;
	  loop invariant region: region_but(first, i);
	  loop invariant others: kept_but{Pre,Here}(first, first + n);
	  loop invariant free: \forall integer j; i <= j < first + n ==>
	    state_is(j, FH_STATE_FREE) && g_held[j] == 0 && g_raw[j] == 0 &&
	    g_free[j] == 0 && fh_slots[j].list == 0;
	  loop invariant done: \forall integer j; first <= j < i ==>
	    state_is(j, FH_STATE_ONE) && fh_slots[j].list == 0 &&
	    g_held[j] == 0 && g_raw[j] == 0 && g_free[j] == 0 &&
	    fh_slots[j].type == type;
	  loop invariant words: \forall integer j; first <= j < i ==>
	    fh_slots[j].meta == (meta == \null ? fh_meta_zero : *meta);
	  loop assigns i, fh_slots[first .. first + n - 1];
	  loop variant first + n - i;
	*/
	for (uint64_t i = first; i - first < n; i++) {
		fh_slot_write(i, type, meta);
		fh_slot_publish(i);
		/*@ assert same_but{LoopCurrent,Here}(i, i + 1); */
	}
	out->handle = fh_unit_mint(first, n, FH_UNIT_SEGMENT, FH_CALLER);
	out->count = n;
	return FH_OK;
}

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
