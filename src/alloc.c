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

#include "claim.h"
#include "magazine.h"

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
		status = fh_claim_popped(*first, n);
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

/* What callers pass lies outside of all magazines. */
/*@
  requires own_ok && \valid(out);
  requires \separated(out, fh_magazines + (0 .. FH_MAX_CPUS - 1));
  assigns out->handle;
  exits \false;
  ensures handle: out->handle == page;
  ensures own: own_ok;
*/
static inline void set_handle(struct fh_frame *out, uint64_t page)
{
	out->handle = page;
}

/*@
  requires own_ok && m == own_magazine;
  assigns fh_magazines[0 .. FH_MAX_CPUS - 1];
  exits \false;
  ensures own: own_ok;
*/
static inline void leave_magazine(struct fh_magazine *m)
{
	fh_magazine_leave(m);
}

/* All but the fast path. m is null, or was entered in vain. */
/*@
  requires region_inv && \valid(out);
  requires m == \null || (own_ok && m == own_magazine);
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
		leave_magazine(m);
	/*@ assert handle: out->handle == \at(out->handle,Pre); */
	/*@ assert words: meta != \null ==> \forall integer j; 0 <= j < 5 ==>
	  meta->w[j] == \at(meta->w[j],Pre); */
	/*@ assert same: meta != \null ==> *meta == \at(*meta,Pre); */
	/*@ assert align: asked_align(options) == asked_align{Pre}(options); */
	/*@ assert below: asked_below(options) == asked_below{Pre}(options); */
	enum fh_status status = pop_pages(1, options, type, &i);
	if (status != FH_OK)
		return status;
	fh_slot_write(i, type, meta);
	out->handle = fh_unit_mint(i, 1, FH_UNIT_FRAME, site);
	fh_slot_publish(i);
	/*@ assert slot_inv(i); */
	return FH_OK;
}

/*@
  requires region_inv && own_ok && \valid(out);
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
	set_handle(out, fh_unit_mint(i, 1, FH_UNIT_FRAME, FH_CALLER));
	fh_slot_publish(i);
	/*@ assert slot_inv(i); */
	/*@ assert all: region_inv; */
	leave_magazine(m);
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
