/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The transitions of a slot's state, for the owners. The diagram stands in
 * framehold/slot.h; who calls these is the one who may make the step. Inline is
 * what every claim and every look by address runs through.
 */
#ifndef FRAMEHOLD_SRC_SLOT_H
#define FRAMEHOLD_SRC_SLOT_H

#include <framehold/frame.h>

/* Makes a section live that was seen raw: once each, out of claims' way. */
/*@
  requires region_inv && section * FH_SECTION_FRAMES < fh_memory.frame_end;
  assigns fh_memory.sections[section],
          fh_slots[section * FH_SECTION_FRAMES
                   .. section * FH_SECTION_FRAMES + FH_SECTION_FRAMES - 1];
  exits \false;
  ensures region_inv;
  ensures kept{Pre,Post};
  ensures fh_memory.sections[section] ==
    (\old(fh_memory.sections[section]) == FH_SECTION_RAW
       ? FH_SECTION_LIVE : \old(fh_memory.sections[section]));
*/
FH_COLD void fh_section_make_raw_live(uint64_t section);

/* The rest of a claim that found another state than UNUSED. */
/*@
  requires region_inv && live(frame) && fh_slots[frame].state == seen;
  requires seen != FH_STATE_UNUSED;
  assigns fh_slots[frame].state, g_free[frame];
  exits \false;
  ensures region_inv;
  ensures \result == FH_OK || \result == FH_E_BUSY ||
          \result == FH_E_UNIQUE || \result == FH_E_IN_USE;
  ensures \result == FH_OK <==> claimable{Pre}(frame);
  ensures \result == FH_OK ==> fh_slots[frame].state == FH_STATE_BUSY;
  ensures \result != FH_OK ==> slot_same{Pre,Post}(frame);
  ensures \result == FH_E_UNIQUE <==> seen == FH_STATE_UNIQUE;
  ensures \result == FH_E_IN_USE <==> is_shared(seen);
*/
FH_COLD enum fh_status fh_slot_claim_other(uint64_t frame, uint64_t seen);

/* fh_get_slot(), with the state of the page's section: raw or live. */
/*@
  requires memory_ok && \valid(frame) && \valid(section);
  requires \separated(frame, section);
  assigns *frame, *section;
  exits \false;
  ensures \result != FH_OK ==>
    *frame == \old(*frame) && *section == \old(*section);
  behavior not_aligned:
    assumes !is_aligned(pa.bytes);
    ensures \result == FH_E_NOT_ALIGNED;
  behavior out_of_bound:
    assumes is_aligned(pa.bytes) && !has_slot(frame_at(pa.bytes));
    ensures \result == FH_E_OUT_OF_BOUND;
  behavior found:
    assumes is_aligned(pa.bytes) && has_slot(frame_at(pa.bytes));
    ensures \result == FH_OK && *frame == frame_at(pa.bytes);
    ensures *section == section_of(frame_at(pa.bytes));
  complete behaviors;
  disjoint behaviors;
*/
static inline enum fh_status fh_slot_find(struct fh_paddr pa, uint64_t *frame,
					  enum fh_section *section)
{
	uint64_t number = fh_frame_of_paddr(pa);

	if (!fh_paddr_is_aligned(pa))
		return FH_E_NOT_ALIGNED;
	if (number >= fh_memory.frame_end)
		return FH_E_OUT_OF_BOUND;
	/* Acquire: pairs with the release in fh_section_make_raw_live(). */
	enum fh_section seen = (enum fh_section)fh_byte_load_acquire(
		&fh_memory.sections[number / FH_SECTION_FRAMES]);
	if (seen == FH_SECTION_ABSENT)
		return FH_E_OUT_OF_BOUND;
	*frame = number;
	*section = seen;
	return FH_OK;
}

/*
 * Finds a page whose slot may be read: fh_get_slot(), and FH_E_UNUSED for one
 * of a raw section, which nobody can hold.
 */
/*@
  requires memory_ok && \valid(frame);
  assigns *frame;
  exits \false;
  behavior not_aligned:
    assumes !is_aligned(pa.bytes);
    ensures \result == FH_E_NOT_ALIGNED;
  behavior out_of_bound:
    assumes is_aligned(pa.bytes) && !has_slot(frame_at(pa.bytes));
    ensures \result == FH_E_OUT_OF_BOUND;
    ensures *frame == \old(*frame);
  behavior unwritten:
    assumes is_aligned(pa.bytes) && has_slot(frame_at(pa.bytes)) &&
            !live(frame_at(pa.bytes));
    ensures \result == FH_E_UNUSED && *frame == frame_at(pa.bytes);
  behavior found:
    assumes is_aligned(pa.bytes) && live(frame_at(pa.bytes));
    ensures \result == FH_OK && *frame == frame_at(pa.bytes);
  complete behaviors;
  disjoint behaviors;
*/
static inline enum fh_status fh_slot_find_live(struct fh_paddr pa,
					       uint64_t *frame)
{
	enum fh_section section;
	enum fh_status status = fh_slot_find(pa, frame, &section);

	if (status == FH_OK && section != FH_SECTION_LIVE)
		return FH_E_UNUSED;
	return status;
}

/*
 * FREE or UNUSED -> BUSY: the page is the caller's to make, or a status as for
 * fh_frame_from_unused() and nothing has changed.
 */
/*@
  requires region_inv && live(frame);
  assigns fh_slots[frame].state, g_free[frame];
  exits \false;
  ensures region_inv;
  ensures \result == FH_OK || \result == FH_E_BUSY ||
          \result == FH_E_UNIQUE || \result == FH_E_IN_USE;
  ensures \result == FH_OK <==> claimable{Pre}(frame);
  ensures \result == FH_OK ==> fh_slots[frame].state == FH_STATE_BUSY;
  ensures \result != FH_OK ==> slot_same{Pre,Post}(frame);
  ensures \result == FH_E_UNIQUE <==> state_is{Pre}(frame, FH_STATE_UNIQUE);
  ensures \result == FH_E_IN_USE <==> is_shared(\old(fh_slots[frame].state));
*/
FH_NODISCARD
static inline enum fh_status fh_slot_claim(uint64_t frame)
{
	/* Acquire: pairs with the release of the last owner's drop. */
	uint64_t seen =
		fh_state_cas_acquire(frame, FH_STATE_UNUSED, FH_STATE_BUSY);

	if (seen == FH_STATE_UNUSED)
		return FH_OK;
	return fh_slot_claim_other(frame, seen);
}

/* The same by address; *frame is the number on success. */
/*@
  requires region_inv && \valid(frame);
  assigns *frame, fh_slots[0 .. FH_LAST_FRAME], g_free[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region_inv;
  ensures \result != FH_OK ==> kept{Pre,Post} && *frame == \old(*frame);
  behavior not_aligned:
    assumes !is_aligned(pa.bytes);
    ensures \result == FH_E_NOT_ALIGNED;
  behavior out_of_bound:
    assumes is_aligned(pa.bytes) && !has_slot(frame_at(pa.bytes));
    ensures \result == FH_E_OUT_OF_BOUND;
  behavior in_use:
    assumes is_aligned(pa.bytes) && live(frame_at(pa.bytes)) &&
            is_shared(fh_slots[frame_at(pa.bytes)].state);
    ensures \result == FH_E_IN_USE;
  behavior unique:
    assumes is_aligned(pa.bytes) &&
            state_is(frame_at(pa.bytes), FH_STATE_UNIQUE);
    ensures \result == FH_E_UNIQUE;
  behavior busy:
    assumes is_aligned(pa.bytes) && has_slot(frame_at(pa.bytes)) &&
            !claimable(frame_at(pa.bytes)) &&
            !(live(frame_at(pa.bytes)) &&
              (is_shared(fh_slots[frame_at(pa.bytes)].state) ||
               fh_slots[frame_at(pa.bytes)].state == FH_STATE_UNIQUE));
    ensures \result == FH_E_BUSY;
  behavior ok:
    assumes is_aligned(pa.bytes) && has_slot(frame_at(pa.bytes)) &&
            claimable(frame_at(pa.bytes));
    ensures \result == FH_OK && *frame == frame_at(pa.bytes);
    ensures state_is(*frame, FH_STATE_BUSY);
    ensures kept_but{Pre,Post}(*frame, *frame + 1);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
static inline enum fh_status fh_slot_claim_at(struct fh_paddr pa,
					      uint64_t *frame)
{
	uint64_t number;
	enum fh_section section;
	enum fh_status status = fh_slot_find(pa, &number, &section);

	if (status != FH_OK)
		return status;
	if (FH_UNLIKELY(section == FH_SECTION_RAW))
		fh_section_make_raw_live(number / FH_SECTION_FRAMES);
	/*@ assert live(number) && slot_kept{Pre,Here}(number); */
	/*@ assert claimable(number) <==> claimable{Pre}(number); */
	status = fh_slot_claim(number);
	/*@ assert live(number) && (status == FH_OK ==>
	           fh_slots[number].state == FH_STATE_BUSY); */
	if (status == FH_OK)
		*frame = number;
	return status;
}

/* Gives a page that is the caller's alone its type and words (null: zero). */
/*@
  requires frame < FH_MAX_FRAMES && (meta == \null || \valid_read(meta));
  assigns fh_slots[frame].type, fh_slots[frame].meta;
  exits \false;
  ensures fh_slots[frame].type == type;
  ensures meta == \null ==> fh_slots[frame].meta == fh_meta_zero;
  ensures meta != \null ==> fh_slots[frame].meta == *meta;
*/
static inline void fh_slot_write(uint64_t frame,
				 const struct fh_meta_type *type,
				 const struct fh_meta *meta)
{
	fh_slots[frame].type = type;
	fh_slots[frame].meta = meta != NULL ? *meta : fh_meta_zero;
}

/* BUSY, FREE (the allocator's own) or UNIQUE -> SHARED 1. */
/*@
  requires frame < FH_MAX_FRAMES;
  assigns fh_slots[frame].state;
  exits \false;
  ensures fh_slots[frame].state == FH_STATE_ONE;
*/
static inline void fh_slot_publish(uint64_t frame)
{
	/*
	 * Release: who gets a reference sees type and words. Pairs with the
	 * acquire in fh_frame_from_in_use().
	 */
	fh_state_store_release(frame, FH_STATE_ONE);
}

/* BUSY or FREE (the allocator's own) -> UNIQUE. */
/*@
  requires frame < FH_MAX_FRAMES;
  assigns fh_slots[frame].state;
  exits \false;
  ensures fh_slots[frame].state == FH_STATE_UNIQUE;
*/
static inline void fh_slot_publish_unique(uint64_t frame)
{
	/* Relaxed: nobody else may look until it is shared or dropped. */
	fh_state_store_relaxed(frame, FH_STATE_UNIQUE);
}

/* BUSY, cleared -> UNUSED, whether it has a zone or not. */
/*@
  requires frame < FH_MAX_FRAMES;
  assigns fh_slots[frame].state;
  exits \false;
  ensures fh_slots[frame].state == FH_STATE_UNUSED;
*/
static inline void fh_slot_set_unused(uint64_t frame)
{
	/* Release: as in give_back(). */
	fh_state_store_release(frame, FH_STATE_UNUSED);
}

/* Runs on_drop and clears type and list of a page that is BUSY. */
/*@
  requires memory_ok && live(frame) && \valid_read(fh_slots[frame].type);
  requires fh_slots[frame].state == FH_STATE_BUSY ||
           fh_slots[frame].state == FH_STATE_UNIQUE;
  assigns fh_slots[frame].type, fh_slots[frame].list, fh_slots[frame].meta;
  exits \false;
  ensures fh_slots[frame].type == \null && fh_slots[frame].list == 0;
*/
void fh_slot_clear(uint64_t frame);

/*
 * BUSY -> on_drop, clear -> FREE and back to its zone; UNUSED if it has none,
 * or is no memory.
 */
/*@
  requires memory_ok && slot_dropping(frame);
  requires \valid_read(fh_slots[frame].type);
  assigns fh_slots[frame], g_free[frame];
  exits \false;
  ensures slot_inv(frame);
  ensures fh_slots[frame].type == \null && fh_slots[frame].list == 0;
  ensures fh_slots[frame].state == FH_STATE_UNUSED ||
          (fh_slots[frame].state == FH_STATE_FREE && g_free[frame] == 1);
*/
void fh_slot_drop(uint64_t frame);

/* Makes all pages of a section that nobody can reach yet free. */
/*@
  requires fh_memory.frame_end <= FH_MAX_FRAMES;
  requires section * FH_SECTION_FRAMES < fh_memory.frame_end;
  assigns fh_slots[section * FH_SECTION_FRAMES
                   .. section * FH_SECTION_FRAMES + FH_SECTION_FRAMES - 1];
  exits \false;
  ensures \forall integer i; 0 <= i < fh_memory.frame_end &&
    i / FH_SECTION_FRAMES == section ==> slot_is_zero(i);
*/
void fh_section_zero(uint64_t section);

/* The FH_PAGE_SIZE bytes of a page, through the linear map. */
/*@
  requires frame < FH_MAX_FRAMES;
  assigns \nothing;
  exits \false;
  ensures \result == &fh_proof_bytes[frame * FH_PAGE_SIZE];
*/
void *fh_page_bytes(uint64_t frame);

#endif /* FRAMEHOLD_SRC_SLOT_H */
