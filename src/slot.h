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
FH_COLD void fh_section_make_raw_live(uint64_t section);

/* The rest of a claim that found another state than UNUSED. */
FH_COLD enum fh_status fh_slot_claim_other(uint64_t frame, uint64_t seen);

/* fh_get_slot(), with the state of the page's section: raw or live. */
static inline enum fh_status fh_slot_find(struct fh_paddr pa, uint64_t *frame,
					  uint8_t *section)
{
	uint64_t number = fh_frame_of_paddr(pa);

	if (!fh_paddr_is_aligned(pa))
		return FH_E_NOT_ALIGNED;
	if (number >= fh_memory.frame_end)
		return FH_E_OUT_OF_BOUND;
	/* Acquire: pairs with the release in fh_section_make_raw_live(). */
	*section = fh_byte_load_acquire(
		&fh_memory.sections[number / FH_SECTION_FRAMES]);
	if (*section == FH_SECTION_ABSENT)
		return FH_E_OUT_OF_BOUND;
	*frame = number;
	return FH_OK;
}

/*
 * Finds a page whose slot may be read: fh_get_slot(), and FH_E_UNUSED for one
 * of a raw section, which nobody can hold.
 */
static inline enum fh_status fh_slot_find_live(struct fh_paddr pa,
					       uint64_t *frame)
{
	uint8_t section;
	enum fh_status status = fh_slot_find(pa, frame, &section);

	if (status == FH_OK && section != FH_SECTION_LIVE)
		return FH_E_UNUSED;
	return status;
}

/*
 * FREE or UNUSED -> BUSY: the page is the caller's to make, or a status as for
 * fh_frame_from_unused() and nothing has changed.
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
FH_NODISCARD
static inline enum fh_status fh_slot_claim_at(struct fh_paddr pa,
					      uint64_t *frame)
{
	uint64_t number;
	uint8_t section;
	enum fh_status status = fh_slot_find(pa, &number, &section);

	if (status != FH_OK)
		return status;
	if (FH_UNLIKELY(section == FH_SECTION_RAW))
		fh_section_make_raw_live(number / FH_SECTION_FRAMES);
	status = fh_slot_claim(number);
	if (status == FH_OK)
		*frame = number;
	return status;
}

/* Gives a page that is the caller's alone its type and words (null: zero). */
static inline void fh_slot_write(uint64_t frame,
				 const struct fh_meta_type *type,
				 const struct fh_meta *meta)
{
	fh_slots[frame].type = type;
	fh_slots[frame].meta = meta != NULL ? *meta : fh_meta_zero;
}

/* BUSY, FREE (the allocator's own) or UNIQUE -> SHARED 1. */
static inline void fh_slot_publish(uint64_t frame)
{
	/*
	 * Release: who gets a reference sees type and words. Pairs with the
	 * acquire in fh_frame_from_in_use().
	 */
	fh_state_store_release(frame, FH_STATE_ONE);
}

/* BUSY or FREE (the allocator's own) -> UNIQUE. */
static inline void fh_slot_publish_unique(uint64_t frame)
{
	/* Relaxed: nobody else may look until it is shared or dropped. */
	fh_state_store_relaxed(frame, FH_STATE_UNIQUE);
}

/* BUSY, cleared -> UNUSED, whether it has a zone or not. */
static inline void fh_slot_set_unused(uint64_t frame)
{
	/* Release: as in give_back(). */
	fh_state_store_release(frame, FH_STATE_UNUSED);
}

/* Runs on_drop and clears type and list of a page that is BUSY. */
void fh_slot_clear(uint64_t frame);

/*
 * BUSY -> on_drop, clear -> FREE and back to its zone; UNUSED if it has none,
 * or is no memory.
 */
void fh_slot_drop(uint64_t frame);

/* Makes all pages of a section that nobody can reach yet free. */
void fh_section_zero(uint64_t section);

/* The FH_PAGE_SIZE bytes of a page, through the linear map. */
void *fh_page_bytes(uint64_t frame);

#endif /* FRAMEHOLD_SRC_SLOT_H */
