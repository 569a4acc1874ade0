/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Frames: counted references to pages.
 *
 * A struct fh_frame is a number in a struct, passed by value. Holding one
 * means owning one reference to a page with metadata of any type; while you
 * hold it, the page is not reused and its type does not change. Zero is no
 * frame.
 *
 * Ownership moves where a handle's address is passed: fh_frame_put(&f) takes
 * the reference and zeroes f. A call that fails leaves every handle as it was.
 * Copying the struct does not make a second reference; fh_frame_get() does.
 *
 * Nothing here sleeps. get, inc, borrow, from_in_use and a put that is not
 * the last take no lock and may be called from any context, in unchecked
 * builds non-maskable interrupts included. The last put of untyped frames and
 * of types marked any_context may happen in interrupt context, others in
 * thread context.
 *
 * Where pages with particular metadata are meant, typed.h makes a handle type
 * for each (the seeds' Frame<M>); this file's handle is the seeds' DynFrame.
 */
#ifndef FRAMEHOLD_FRAME_H
#define FRAMEHOLD_FRAME_H

#include <framehold/atomic.h>
#include <framehold/ledger.h>

FH_BEGIN_DECLS

/* One reference to a page of any type. Seed: Frame, DynFrame. */
struct fh_frame {
	uint64_t handle; /* private: fh_frame_number() */
};

/* The same, known to be untyped. Seed: UFrame. */
struct fh_uframe {
	uint64_t handle;
};

/*
 * A page that somebody else holds: valid while the handle it was borrowed
 * from is. Owns nothing, nothing needs to be done with it. Seed: FrameRef.
 */
struct fh_frame_ref {
	uint64_t frame;
};

/* ---- For the primitive operations only ---- */

/* The count that a get or a put found is not one it may change: stops, ... */
FH_COLD void fh_page_get_failed(uint64_t frame, uint64_t state, uintptr_t site);
/* ... or drops the page, if it was the last reference. */
FH_COLD void fh_page_put_last(uint64_t frame, uint64_t state, uintptr_t site);

/* One reference more to a page that the caller has a reference to. */
FH_INLINE void fh_page_get(uint64_t i, uintptr_t site)
{
	/* Relaxed: the caller's reference keeps the page from being dropped. */
	uint64_t old = fh_state_add_relaxed(i);

	if (FH_UNLIKELY(old < FH_STATE_ONE || old >= FH_STATE_MAX))
		fh_page_get_failed(i, old, site);
}

/* One reference less. */
FH_INLINE void fh_page_put(uint64_t i, uintptr_t site)
{
	/*
	 * Release: our use of the page comes before its drop. Pairs with the
	 * acquire load of the last putter in fh_page_put_last().
	 */
	uint64_t old = fh_state_sub_release(i);

	if (FH_UNLIKELY(old <= FH_STATE_ONE || old > FH_STATE_MAX))
		fh_page_put_last(i, old, site);
}

/* ---- Frames ---- */

/* No frame. */
FH_INLINE struct fh_frame fh_frame_none(void)
{
	struct fh_frame f;

	f.handle = 0;
	return f;
}

/* The page's number; 0 for no frame. Any context. Seed: index. */
FH_INLINE uint64_t fh_frame_number(struct fh_frame f)
{
	return fh_handle_frame(f.handle);
}

/* Whether f is a frame at all. Any context. */
FH_INLINE bool fh_frame_is_some(struct fh_frame f)
{
	return f.handle != 0;
}

/* The page's first byte. Any context. Seed: start_paddr, paddr. */
FH_INLINE struct fh_paddr fh_frame_paddr(struct fh_frame f)
{
	return fh_paddr_of_frame(fh_frame_number(f));
}

/* The level of the table entry that maps a frame: 1. Seed: map_level. */
FH_INLINE unsigned fh_frame_map_level(struct fh_frame f)
{
	(void)f;
	return 1;
}

/* Bytes in a frame. Seed: size. */
FH_INLINE uint64_t fh_frame_size(struct fh_frame f)
{
	(void)f;
	return FH_PAGE_SIZE;
}

/*
 * Takes another reference to a frame you hold. A count at FH_REF_COUNT_MAX
 * stops the machine (rule "count_limit"). Any context. Seed: clone,
 * inc_ref_count.
 */
FH_NODISCARD
FH_INLINE struct fh_frame fh_frame_get(struct fh_frame f)
{
	struct fh_frame copy;
	uint64_t i = fh_frame_number(f);

	fh_unit_check(f.handle, FH_UNIT_FRAME, FH_HERE);
	fh_page_get(i, FH_HERE);
	copy.handle = fh_unit_mint(i, 1, FH_UNIT_FRAME, FH_HERE);
	return copy;
}

/*
 * Gives a reference up and zeroes *f; does nothing if *f is no frame. The last
 * one runs the type's on_drop and hands the page back to the allocator, or, if
 * it belongs to no zone, leaves it unused. A page that nobody shares stops the
 * machine (rule "put"; in checked builds "handle" or "units" before that). Contexts: head of this file. Seed: Drop for Frame.
 */
FH_INLINE void fh_frame_put(struct fh_frame *f)
{
	uint64_t i = fh_frame_number(*f);

	if (f->handle == 0)
		return;
	fh_unit_redeem(f->handle, 1, FH_UNIT_FRAME, FH_HERE);
	f->handle = 0;
	fh_page_put(i, FH_HERE);
}

/*
 * A view of a frame without a reference. The count does not change. Any
 * context. Seed: borrow, FrameRef::borrow_paddr.
 */
FH_INLINE struct fh_frame_ref fh_frame_borrow(struct fh_frame f)
{
	struct fh_frame_ref ref;

	fh_unit_check(f.handle, FH_UNIT_FRAME, FH_HERE);
	ref.frame = fh_frame_number(f);
	return ref;
}

/* The page's number and address. Any context. */
FH_INLINE uint64_t fh_frame_ref_number(struct fh_frame_ref ref)
{
	return ref.frame;
}

FH_INLINE struct fh_paddr fh_frame_ref_paddr(struct fh_frame_ref ref)
{
	return fh_paddr_of_frame(ref.frame);
}

/*
 * Makes a reference from a borrow, while that is valid. As fh_frame_get().
 * Seed: clone through FrameRef's Deref.
 */
FH_NODISCARD
struct fh_frame fh_frame_ref_get(struct fh_frame_ref ref);

/*
 * Claims the page at pa, which nobody holds, as a frame with one reference,
 * the given type, and *meta as its words (null: zero words). A page that lies
 * in the allocator is withdrawn from it. On failure *out keeps its value, the
 * caller keeps what *meta stands for, and on_drop does not run:
 *
 *   FH_E_INVALID   type is null, or larger than a slot's words
 *   FH_E_NOT_ALIGNED, FH_E_OUT_OF_BOUND   as fh_get_slot()
 *   FH_E_IN_USE   somebody shares the page
 *   FH_E_UNIQUE   somebody owns it alone
 *   FH_E_BUSY     it is being made or dropped, or is on its way to a CPU
 *
 * checked in this order. Takes the lock of the page's zone; not from non-maskable interrupts.
 * Seed: from_unused, get_from_unused.
 */
FH_NODISCARD
enum fh_status fh_frame_from_unused(struct fh_paddr pa,
				    const struct fh_meta_type *type,
				    const struct fh_meta *meta,
				    struct fh_frame *out);

/*
 * Takes another reference to the page at pa, which somebody shares. Look at
 * the type: the page may have been reused since you learnt pa. A count at
 * FH_REF_COUNT_MAX stops the machine. Any context.
 *
 *   FH_E_NOT_ALIGNED, FH_E_OUT_OF_BOUND   as fh_get_slot(), tested first
 *   FH_E_UNUSED, FH_E_UNIQUE, FH_E_BUSY   nobody shares the page
 *
 * Seed: from_in_use, get_from_in_use.
 */
FH_NODISCARD
enum fh_status fh_frame_from_in_use(struct fh_paddr pa, struct fh_frame *out);

/*
 * Adds one reference to a page that the caller holds one of, by address; the
 * new one is forgotten from the start, fh_frame_from_raw() makes a handle of
 * it. A page that nobody shares, or a count at its maximum, stops the machine.
 * Any context.
 *
 *   FH_E_NOT_ALIGNED, FH_E_OUT_OF_BOUND   as fh_get_slot()
 *
 * Seed: inc_frame_ref_count.
 */
FH_NODISCARD
enum fh_status fh_frame_inc(struct fh_paddr pa);

/*
 * Forgets a handle without giving its reference up; *f becomes no frame. The
 * address returned is all that is left of it. on_drop does not run. Any
 * context. Seed: into_raw, ManuallyDrop::new.
 */
FH_NODISCARD
struct fh_paddr fh_frame_into_raw(struct fh_frame *f);

/*
 * Makes a handle of a reference forgotten by fh_frame_into_raw(),
 * fh_frame_inc() or a segment's into_raw. The caller knows that there is one:
 * restoring twice gives the page away under somebody. Checked builds stop the
 * machine then (rule "restore") and name both call sites. Any context.
 *
 *   FH_E_NOT_ALIGNED, FH_E_OUT_OF_BOUND   as fh_get_slot()
 *   FH_E_UNUSED, FH_E_UNIQUE, FH_E_BUSY   nobody shares the page
 *
 * Seed: from_raw.
 */
FH_NODISCARD
enum fh_status fh_frame_from_raw(struct fh_paddr pa, struct fh_frame *out);

/*
 * How many references there are, now: a hint, others may change it at once.
 * Any context. Seed: reference_count.
 */
uint64_t fh_frame_reference_count(struct fh_frame f);

/*
 * The frame's type and what it is used for; f is a frame. Any context.
 * Seed: dyn_meta.
 */
const struct fh_meta_type *fh_frame_type(struct fh_frame f);
enum fh_usage fh_frame_usage(struct fh_frame f);

/*
 * The words of f, which is a frame. All holders see the same ones: they are constant, or
 * atomic, or protected by what the type's owner says. Any context.
 * Seed: meta, as_meta_ptr, dyn_meta_ptr.
 */
const struct fh_meta *fh_frame_meta(struct fh_frame f);

/* The frame's slot, for dumps and debuggers. Any context. Seed: slot. */
const struct fh_slot *fh_frame_slot(struct fh_frame f);

/* Whether the frame is of that very type. Any context. Seed: is::<M>(). */
bool fh_frame_is_type(struct fh_frame f, const struct fh_meta_type *type);

/* ---- Untyped frames ---- */

FH_INLINE struct fh_uframe fh_uframe_none(void)
{
	struct fh_uframe f;

	f.handle = 0;
	return f;
}

FH_INLINE uint64_t fh_uframe_number(struct fh_uframe f)
{
	return fh_handle_frame(f.handle);
}

FH_INLINE struct fh_paddr fh_uframe_paddr(struct fh_uframe f)
{
	return fh_paddr_of_frame(fh_uframe_number(f));
}

/*
 * Turns a frame of any type into an untyped one, if it is; *f becomes no
 * frame. Otherwise FH_E_WRONG_TYPE, and the caller keeps *f. The count does
 * not change. Any context. Seed: TryFrom<Frame<dyn AnyFrameMeta>> for UFrame.
 */
FH_NODISCARD
enum fh_status fh_uframe_from_frame(struct fh_frame *f, struct fh_uframe *out);

/*
 * Forgets that a frame is untyped; *f becomes no frame. The count does not
 * change. Any context. Seed: From<UFrame> for Frame<FrameMeta>.
 */
FH_NODISCARD
FH_INLINE struct fh_frame fh_frame_from_uframe(struct fh_uframe *f)
{
	struct fh_frame frame;

	frame.handle = f->handle;
	f->handle = 0;
	return frame;
}

/* As fh_frame_get() and fh_frame_put(). */
FH_NODISCARD
FH_INLINE struct fh_uframe fh_uframe_get(struct fh_uframe f)
{
	struct fh_frame frame;
	struct fh_uframe copy;

	frame.handle = f.handle;
	copy.handle = fh_frame_get(frame).handle;
	return copy;
}

FH_INLINE void fh_uframe_put(struct fh_uframe *f)
{
	struct fh_frame frame = fh_frame_from_uframe(f);

	fh_frame_put(&frame);
}

FH_END_DECLS

#endif /* FRAMEHOLD_FRAME_H */
