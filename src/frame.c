/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Frames: claiming by address, sharing by address, and what happens when a
 * count leaves the ordinary. The hot half, get and put, is inline in
 * framehold/frame.h.
 *
 * A page is claimed (nobody else can claim it), written (nobody can see it),
 * published (anybody may share it), shared, and dropped by whoever takes the
 * count from 1 to BUSY. The drop runs while the page is still BUSY: a claim
 * that comes too early is told so and changes nothing.
 */
#include <framehold/frame.h>
#include <framehold/host.h>

#include "report.h"
#include "slot.h"

void fh_page_get_failed(uint64_t frame, uint64_t state, uintptr_t site)
{
	if (state >= FH_STATE_MAX)
		fh_stop("count_limit", frame, state,
			"fewer references than the maximum", site, 0);
	fh_stop("get", frame, state, "shared by 1 or more", site, 0);
}

void fh_page_put_last(uint64_t frame, uint64_t state, uintptr_t site)
{
	if (state != FH_STATE_ONE)
		fh_stop("put", frame, state, "shared by 1 or more", site, 0);
	/*
	 * Acquire: pairs with the release of every other put in fh_page_put(),
	 * so that on_drop sees what all former holders wrote.
	 */
	(void)fh_state_load_acquire(frame);
	fh_unit_check_dropped(frame, site);
	fh_slot_drop(frame);
}

enum fh_status fh_frame_from_unused(struct fh_paddr pa,
				    const struct fh_meta_type *type,
				    const struct fh_meta *meta,
				    struct fh_frame *out)
{
	uint64_t i;

	if (!fh_meta_type_is_valid(type))
		return FH_E_INVALID;
	enum fh_status status = fh_slot_claim_at(pa, &i);
	if (status != FH_OK)
		return status;
	fh_slot_write(i, type, meta);
	out->handle = fh_unit_mint(i, 1, FH_UNIT_FRAME, FH_CALLER);
	fh_slot_publish(i);
	return FH_OK;
}

/* What from_in_use and from_raw answer for a page that nobody shares. */
/*@
  requires state < FH_STATE_ONE;
  assigns \nothing;
  exits \false;
  ensures state == FH_STATE_UNIQUE ==> \result == FH_E_UNIQUE;
  ensures state == FH_STATE_BUSY ==> \result == FH_E_BUSY;
  ensures state == FH_STATE_FREE || state == FH_STATE_UNUSED ==>
    \result == FH_E_UNUSED;
*/
static enum fh_status not_shared_status(uint64_t state)
{
	if (state == FH_STATE_UNIQUE)
		return FH_E_UNIQUE;
	if (state == FH_STATE_BUSY)
		return FH_E_BUSY;
	return FH_E_UNUSED;
}

enum fh_status fh_frame_from_in_use(struct fh_paddr pa, struct fh_frame *out)
{
	uint64_t i;
	enum fh_status status = fh_slot_find_live(pa, &i);

	if (status != FH_OK)
		return status;
	/*@
	  loop invariant fh_slots[frame_at(pa.bytes)].state ==
	    \at(fh_slots[frame_at(pa.bytes)].state,Pre);
	  loop assigns fh_slots[i].state;
	*/
	for (;;) {
		uint64_t seen = fh_state_load_relaxed(i);

		if (seen < FH_STATE_ONE)
			return not_shared_status(seen);
		if (seen >= FH_STATE_MAX)
			fh_page_get_failed(i, seen, FH_CALLER);
		/*
		 * Acquire: we see the type and words that whoever shared the
		 * page wrote. Pairs with the release in fh_slot_publish().
		 */
		if (fh_state_cas_acquire(i, seen, seen + 1) == seen)
			break;
		fh_host_relax();
	}
	out->handle = fh_unit_mint(i, 1, FH_UNIT_FRAME, FH_CALLER);
	/*@ assert slot_inv(i); */
	return FH_OK;
}

enum fh_status fh_frame_inc(struct fh_paddr pa)
{
	uint64_t i;
	enum fh_status status = fh_slot_find_live(pa, &i);

	/* Nobody has written this slot: the page is free. */
	if (status == FH_E_UNUSED)
		fh_page_get_failed(i, FH_STATE_FREE, FH_CALLER);
	if (status != FH_OK)
		return status;
	fh_page_get(i, FH_CALLER);
	fh_unit_mint_raw(i, 1);
	return FH_OK;
}

struct fh_paddr fh_frame_into_raw(struct fh_frame *f)
{
	struct fh_paddr pa = fh_frame_paddr(*f);

	fh_unit_forget(f->handle, 1, FH_UNIT_FRAME, FH_CALLER);
	f->handle = 0;
	return pa;
}

enum fh_status fh_frame_from_raw(struct fh_paddr pa, struct fh_frame *out)
{
	uint64_t i;
	enum fh_status status = fh_slot_find_live(pa, &i);

	if (status != FH_OK)
		return status;
	uint64_t seen = fh_state_load_relaxed(i);
	if (seen < FH_STATE_ONE)
		return not_shared_status(seen);
	out->handle = fh_unit_restore(i, 1, FH_UNIT_FRAME, FH_CALLER);
	return FH_OK;
}

uint64_t fh_frame_reference_count(struct fh_frame f)
{
	return fh_ref_count(fh_state_load_relaxed(fh_frame_number(f)));
}

const struct fh_meta_type *fh_frame_type(struct fh_frame f)
{
	return fh_slots[fh_frame_number(f)].type;
}

enum fh_usage fh_frame_usage(struct fh_frame f)
{
	return fh_slot_usage(fh_frame_number(f));
}

bool fh_frame_is_type(struct fh_frame f, const struct fh_meta_type *type)
{
	return fh_frame_is_some(f) && fh_frame_type(f) == type;
}

struct fh_frame fh_frame_ref_get(struct fh_frame_ref ref)
{
	struct fh_frame f;

	fh_page_get(ref.frame, FH_CALLER);
	f.handle = fh_unit_mint(ref.frame, 1, FH_UNIT_FRAME, FH_CALLER);
	return f;
}

enum fh_status fh_uframe_from_frame(struct fh_frame *f, struct fh_uframe *out)
{
	if (!fh_frame_is_some(*f) || !fh_frame_type(*f)->untyped)
		return FH_E_WRONG_TYPE;
	out->handle = f->handle;
	f->handle = 0;
	return FH_OK;
}

/* The external definitions of this header's inline functions. */
extern void fh_page_get(uint64_t i, uintptr_t site);
extern void fh_page_put(uint64_t i, uintptr_t site);
extern struct fh_frame fh_frame_none(void);
extern uint64_t fh_frame_number(struct fh_frame f);
extern bool fh_frame_is_some(struct fh_frame f);
extern struct fh_paddr fh_frame_paddr(struct fh_frame f);
extern unsigned fh_frame_map_level(struct fh_frame f);
extern uint64_t fh_frame_size(struct fh_frame f);
extern struct fh_frame fh_frame_get(struct fh_frame f);
extern void fh_frame_put(struct fh_frame *f);
extern struct fh_frame_ref fh_frame_borrow(struct fh_frame f);
extern uint64_t fh_frame_ref_number(struct fh_frame_ref ref);
extern struct fh_paddr fh_frame_ref_paddr(struct fh_frame_ref ref);
extern struct fh_uframe fh_uframe_none(void);
extern uint64_t fh_uframe_number(struct fh_uframe f);
extern struct fh_paddr fh_uframe_paddr(struct fh_uframe f);
extern struct fh_frame fh_frame_from_uframe(struct fh_uframe *f);
extern struct fh_uframe fh_uframe_get(struct fh_uframe f);
extern void fh_uframe_put(struct fh_uframe *f);
