/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Unique frames: a page that exactly one handle owns. Its words may be written
 * freely, and nobody can get at it by address: fh_frame_from_in_use() answers
 * FH_E_UNIQUE. Conversions to and from a shared frame copy nothing.
 *
 * Contexts as for frames; dropping runs on_drop as a last put does. Using a
 * handle whose page is not unique stops the machine (rule "unique"; in checked
 * builds "handle", if the handle has ended).
 */
#ifndef FRAMEHOLD_UNIQUE_H
#define FRAMEHOLD_UNIQUE_H

#include <framehold/frame.h>

FH_BEGIN_DECLS

/* The only reference to a page. Seed: UniqueFrame. */
struct fh_unique {
	uint64_t handle; /* private: fh_unique_number() */
};

/* No frame. */
FH_INLINE struct fh_unique fh_unique_none(void)
{
	struct fh_unique u;

	u.handle = 0;
	return u;
}

/* The page's number; 0 for no frame. Any context. */
FH_INLINE uint64_t fh_unique_number(struct fh_unique u)
{
	return fh_handle_frame(u.handle);
}

/* The page's first byte. Any context. */
FH_INLINE struct fh_paddr fh_unique_paddr(struct fh_unique u)
{
	return fh_paddr_of_frame(fh_unique_number(u));
}

/* The level of the table entry that maps a frame: 1. Seed: level. */
FH_INLINE unsigned fh_unique_level(struct fh_unique u)
{
	(void)u;
	return 1;
}

/*
 * Claims the page at pa, which nobody holds, for one owner. As
 * fh_frame_from_unused() in every other respect. Seed:
 * UniqueFrame::from_unused, get_from_unused with as_unique_ptr.
 */
FH_NODISCARD
enum fh_status fh_unique_from_unused(struct fh_paddr pa,
				     const struct fh_meta_type *type,
				     const struct fh_meta *meta,
				     struct fh_unique *out);

/* The page's type. Any context. */
const struct fh_meta_type *fh_unique_type(struct fh_unique u);

/*
 * The page's words, the owner's to read and write. The last two belong to the
 * list while the page is in one. Any context. Seed: meta, meta_mut, dyn_meta,
 * dyn_meta_mut.
 */
struct fh_meta *fh_unique_meta(struct fh_unique u);

/* The page's FH_PAGE_SIZE bytes, through the linear map. Any context. */
void *fh_unique_bytes(struct fh_unique u);

/*
 * Gives the page another type and other words (null: zero words), after
 * running the old type's on_drop once. The page stays unique and stays where
 * it is; its handle stays valid. Contexts as for a last put.
 *
 *   FH_E_EMPTY     u is no frame
 *   FH_E_INVALID   as fh_frame_from_unused()
 *
 * Seed: repurpose.
 */
FH_NODISCARD
enum fh_status fh_unique_repurpose(struct fh_unique u,
				   const struct fh_meta_type *type,
				   const struct fh_meta *meta);

/*
 * Ends the ownership, after running on_drop once, and leaves the page unused:
 * it is not handed back to the allocator, and *u becomes no frame. Does
 * nothing if *u is no frame. Contexts as for a last put.
 * Seed: reset_as_unused.
 */
void fh_unique_reset_as_unused(struct fh_unique *u);

/*
 * Drops the page: on_drop once, then back to the allocator, or unused if the
 * page belongs to no zone; *u becomes no frame. Does nothing if *u is no
 * frame. Contexts as for a last put. Seed: Drop for UniqueFrame.
 */
void fh_unique_put(struct fh_unique *u);

/*
 * Shares the page: one reference, no longer unique; *u becomes no frame. What
 * the owner wrote is seen by whoever gets a reference. *u must be a frame. Any
 * context. Seed: From<UniqueFrame> for Frame.
 */
FH_NODISCARD
struct fh_frame fh_frame_from_unique(struct fh_unique *u);

/*
 * Makes the only reference unique; *f becomes no frame. FH_E_IN_USE if there
 * are others, FH_E_EMPTY if *f is no frame, and the caller keeps *f. Any
 * context.
 * Seed: TryFrom<Frame> for UniqueFrame.
 */
FH_NODISCARD
enum fh_status fh_unique_from_frame(struct fh_frame *f, struct fh_unique *out);

/* Forgets the handle; the page stays unique. Any context. Seed: into_raw. */
FH_NODISCARD
struct fh_paddr fh_unique_into_raw(struct fh_unique *u);

/*
 * Makes a handle of a page forgotten by fh_unique_into_raw(). Checked builds
 * stop the machine if it was not, or was restored before. Any context.
 *
 *   FH_E_NOT_ALIGNED, FH_E_OUT_OF_BOUND   as fh_get_slot(), or page 0
 *   FH_E_UNUSED, FH_E_IN_USE, FH_E_BUSY   the page is not unique
 *
 * Seed: UniqueFrame::from_raw.
 */
FH_NODISCARD
enum fh_status fh_unique_from_raw(struct fh_paddr pa, struct fh_unique *out);

FH_END_DECLS

#endif /* FRAMEHOLD_UNIQUE_H */
