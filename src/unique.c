/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Unique frames. The state UNIQUE keeps everybody else away, so that its owner
 * writes type and words as plain fields. Two steps leave it: the release that
 * shares the page shows what was written, and the drop, which needs no
 * ordering of its own, since nobody but the owner has been there.
 */
#include <framehold/unique.h>

#include "report.h"
#include "slot.h"

enum fh_status fh_unique_from_unused(struct fh_paddr pa,
				     const struct fh_meta_type *type,
				     const struct fh_meta *meta,
				     struct fh_unique *out)
{
	uint64_t i;

	if (!fh_meta_type_is_valid(type))
		return FH_E_INVALID;
	enum fh_status status = fh_slot_claim_at(pa, &i);
	if (status != FH_OK)
		return status;
	fh_slot_write(i, type, meta);
	out->handle = fh_unit_mint(i, 1, FH_UNIT_UNIQUE, FH_CALLER);
	fh_slot_publish_unique(i);
	return FH_OK;
}

/* A handle to a page that is not unique was forged, or is used again. */
/*@
  requires frame < FH_MAX_FRAMES;
  assigns \nothing;
  exits \false;
  ensures fh_slots[frame].state == FH_STATE_UNIQUE;
*/
static void require_unique(uint64_t frame, uintptr_t site)
{
	uint64_t state = fh_state_load_relaxed(frame);

	if (FH_UNLIKELY(state != FH_STATE_UNIQUE))
		fh_stop("unique", frame, state, "unique", site, 0);
}

const struct fh_meta_type *fh_unique_type(struct fh_unique u)
{
	return fh_slots[fh_unique_number(u)].type;
}

void *fh_unique_bytes(struct fh_unique u)
{
	return fh_page_bytes(fh_unique_number(u));
}

enum fh_status fh_unique_repurpose(struct fh_unique u,
				   const struct fh_meta_type *type,
				   const struct fh_meta *meta)
{
	uint64_t i = fh_unique_number(u);

	if (i == 0)
		return FH_E_EMPTY;
	if (!fh_meta_type_is_valid(type))
		return FH_E_INVALID;
	require_unique(i, FH_CALLER);
	fh_unit_check(u.handle, FH_UNIT_UNIQUE, FH_CALLER);
	/*@ assert slot_inv(i) && live(i); */
	fh_slot_clear(i);
	fh_slot_write(i, type, meta);
	return FH_OK;
}

/* Ends the handle; the page is BUSY. */
/*@
  requires region_inv && \valid(u) && unique_handle(u->handle);
  assigns u->handle, fh_slots[u->handle].state, g_held[u->handle];
  exits \false;
  ensures region_inv && u->handle == 0 && \result == \old(u->handle);
  ensures slot_dropping(\result) && \valid_read(fh_slots[\result].type);
*/
static uint64_t end_unique(struct fh_unique *u, uintptr_t site)
{
	uint64_t i = fh_unique_number(*u);

	require_unique(i, site);
	fh_unit_redeem(u->handle, 1, FH_UNIT_UNIQUE, site);
	u->handle = 0;
	/* Relaxed: nobody else could see what we wrote, and nobody shall. */
	fh_state_store_relaxed(i, FH_STATE_BUSY);
	fh_unit_check_dropped(i, site);
	/*@ assert slot_inv(i) && live(i); */
	return i;
}

void fh_unique_reset_as_unused(struct fh_unique *u)
{
	if (u->handle == 0)
		return;
	uint64_t i = end_unique(u, FH_CALLER);
	fh_slot_clear(i);
	fh_slot_set_unused(i);
}

void fh_unique_put(struct fh_unique *u)
{
	if (u->handle == 0)
		return;
	fh_slot_drop(end_unique(u, FH_CALLER));
}

struct fh_frame fh_frame_from_unique(struct fh_unique *u)
{
	struct fh_frame f;
	uint64_t i = fh_unique_number(*u);

	require_unique(i, FH_CALLER);
	fh_unit_redeem(u->handle, 1, FH_UNIT_UNIQUE, FH_CALLER);
	u->handle = 0;
	f.handle = fh_unit_mint(i, 1, FH_UNIT_FRAME, FH_CALLER);
	fh_slot_publish(i);
	return f;
}

enum fh_status fh_unique_from_frame(struct fh_frame *f, struct fh_unique *out)
{
	uint64_t i = fh_frame_number(*f);

	if (i == 0)
		return FH_E_EMPTY;
	/*
	 * Acquire: what former holders did comes before what the owner does.
	 * Pairs with the release of their puts in fh_page_put().
	 */
	if (fh_state_cas_acquire(i, FH_STATE_ONE, FH_STATE_UNIQUE) !=
	    FH_STATE_ONE)
		return FH_E_IN_USE;
	fh_unit_redeem(f->handle, 1, FH_UNIT_FRAME, FH_CALLER);
	f->handle = 0;
	out->handle = fh_unit_mint(i, 1, FH_UNIT_UNIQUE, FH_CALLER);
	return FH_OK;
}

struct fh_paddr fh_unique_into_raw(struct fh_unique *u)
{
	struct fh_paddr pa = fh_unique_paddr(*u);

	fh_unit_forget(u->handle, 1, FH_UNIT_UNIQUE, FH_CALLER);
	u->handle = 0;
	return pa;
}

/* What from_raw answers for a page that is not unique. */
/*@
  requires state != FH_STATE_UNIQUE;
  assigns \nothing;
  exits \false;
  ensures state == FH_STATE_FREE || state == FH_STATE_UNUSED ==>
    \result == FH_E_UNUSED;
  ensures state == FH_STATE_BUSY ==> \result == FH_E_BUSY;
  ensures state >= FH_STATE_ONE ==> \result == FH_E_IN_USE;
*/
static enum fh_status not_unique_status(uint64_t state)
{
	if (state == FH_STATE_FREE || state == FH_STATE_UNUSED)
		return FH_E_UNUSED;
	return state == FH_STATE_BUSY ? FH_E_BUSY : FH_E_IN_USE;
}

enum fh_status fh_unique_from_raw(struct fh_paddr pa, struct fh_unique *out)
{
	uint64_t i;
	enum fh_status status = fh_slot_find_live(pa, &i);

	if (status != FH_OK)
		return status;
	/* Page 0 is unique, but no frame. */
	if (i == 0)
		return FH_E_OUT_OF_BOUND;
	uint64_t seen = fh_state_load_relaxed(i);
	if (seen != FH_STATE_UNIQUE)
		return not_unique_status(seen);
	out->handle = fh_unit_restore(i, 1, FH_UNIT_UNIQUE, FH_CALLER);
	return FH_OK;
}

/* The external definitions of this header's inline functions. */
extern struct fh_unique fh_unique_none(void);
extern uint64_t fh_unique_number(struct fh_unique u);
extern struct fh_paddr fh_unique_paddr(struct fh_unique u);
extern unsigned fh_unique_level(struct fh_unique u);
