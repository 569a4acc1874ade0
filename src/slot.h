/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The transitions of a slot's state, for the owners. The diagram stands in
 * framehold/slot.h; who calls these is the one who may make the step.
 */
#ifndef FRAMEHOLD_SRC_SLOT_H
#define FRAMEHOLD_SRC_SLOT_H

#include <framehold/frame.h>

/*
 * FREE or UNUSED -> BUSY: the page is the caller's to make, or a status as for
 * fh_frame_from_unused() and nothing has changed.
 */
FH_NODISCARD
enum fh_status fh_slot_claim(uint64_t frame);

/* The same by address; *frame is the number on success. */
FH_NODISCARD
enum fh_status fh_slot_claim_at(struct fh_paddr pa, uint64_t *frame);

/*
 * Finds a page whose slot may be read: fh_get_slot(), and FH_E_UNUSED for one
 * of a raw section, which nobody can hold.
 */
FH_NODISCARD
enum fh_status fh_slot_find_live(struct fh_paddr pa, uint64_t *frame);

/* Gives a page that is the caller's alone its type and words (null: zero). */
void fh_slot_write(uint64_t frame, const struct fh_meta_type *type,
		   const struct fh_meta *meta);

/* BUSY, FREE (the allocator's own) or UNIQUE -> SHARED 1. */
void fh_slot_publish(uint64_t frame);

/* BUSY or FREE (the allocator's own) -> UNIQUE. */
void fh_slot_publish_unique(uint64_t frame);

/* Runs on_drop and clears type and list of a page that is BUSY. */
void fh_slot_clear(uint64_t frame);

/*
 * BUSY -> on_drop, clear -> FREE and back to its zone; UNUSED if it has none,
 * or is no memory.
 */
void fh_slot_drop(uint64_t frame);

/* BUSY, cleared -> UNUSED, whether it has a zone or not. */
void fh_slot_set_unused(uint64_t frame);

/* Makes all pages of a section that nobody can reach yet free. */
void fh_section_zero(uint64_t section);

/* The FH_PAGE_SIZE bytes of a page, through the linear map. */
void *fh_page_bytes(uint64_t frame);

#endif /* FRAMEHOLD_SRC_SLOT_H */
