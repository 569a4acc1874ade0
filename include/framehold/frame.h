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
/*@
  requires !(FH_STATE_ONE <= state < FH_STATE_MAX);
  assigns \nothing;
  exits \false;
  ensures \false;
*/
FH_COLD void fh_page_get_failed(uint64_t frame, uint64_t state, uintptr_t site);
/* ... or drops the page, if it was the last reference. */
/*@
  requires !(FH_STATE_ONE < state <= FH_STATE_MAX);
  requires state == FH_STATE_ONE ==>
    memory_ok && slot_dropping(frame) && \valid_read(fh_slots[frame].type);
  assigns fh_slots[frame], g_free[frame];
  exits \false;
  ensures slot_inv(frame) && state == FH_STATE_ONE;
  ensures fh_slots[frame].type == \null && fh_slots[frame].list == 0;
  ensures fh_slots[frame].state == FH_STATE_UNUSED ||
          (fh_slots[frame].state == FH_STATE_FREE && g_free[frame] == 1);
*/
void fh_page_put_last(uint64_t frame, uint64_t state, uintptr_t site);

/* One reference more to a page that the caller has a reference to. */
/*@
  requires i < FH_MAX_FRAMES && fh_slots[i].state < UINT64_MAX;
  assigns fh_slots[i].state;
  exits \false;
  ensures is_shared(\old(fh_slots[i].state));
  ensures \old(fh_slots[i].state) < FH_STATE_MAX;
  ensures fh_slots[i].state == \old(fh_slots[i].state) + 1;
*/
FH_INLINE void fh_page_get(uint64_t i, uintptr_t site)
{
	/* Relaxed: the caller's reference keeps the page from being dropped. */
	uint64_t old = fh_state_add_relaxed(i);

	if (FH_UNLIKELY(old < FH_STATE_ONE || old >= FH_STATE_MAX))
		fh_page_get_failed(i, old, site);
}

/* One reference less. */
/*@
  requires memory_ok;
  requires slot_owed(i, 1);
  assigns fh_slots[i], g_free[i];
  exits \false;
  ensures slot_inv(i);
  ensures fh_slots[i].list == 0;
  behavior last:
    assumes fh_slots[i].state == FH_STATE_ONE;
    ensures fh_slots[i].type == \null;
    ensures fh_slots[i].state == FH_STATE_UNUSED ||
            (fh_slots[i].state == FH_STATE_FREE && g_free[i] == 1);
  behavior shared:
    assumes fh_slots[i].state > FH_STATE_ONE;
    ensures fh_slots[i].state == \old(fh_slots[i].state) - 1;
    ensures fh_slots[i].type == \old(fh_slots[i].type);
    ensures fh_slots[i].meta == \old(fh_slots[i].meta);
    ensures g_free[i] == \old(g_free[i]);
  complete behaviors;
  disjoint behaviors;
*/
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
/*@
  assigns \nothing;
  exits \false;
  ensures \result.handle == 0;
*/
FH_INLINE struct fh_frame fh_frame_none(void)
{
	struct fh_frame f;

	f.handle = 0;
	return f;
}

/* The page's number; 0 for no frame. Any context. Seed: index. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == f.handle;
*/
FH_INLINE uint64_t fh_frame_number(struct fh_frame f)
{
	return fh_handle_frame(f.handle);
}

/* Whether f is a frame at all. Any context. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result <==> f.handle != 0;
*/
FH_INLINE bool fh_frame_is_some(struct fh_frame f)
{
	return f.handle != 0;
}

/* The page's first byte. Any context. Seed: start_paddr, paddr. */
/*@
  requires f.handle < FH_PAGE_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result.bytes == f.handle * FH_PAGE_SIZE;
  ensures frame_at(\result.bytes) == f.handle && is_aligned(\result.bytes);
*/
FH_INLINE struct fh_paddr fh_frame_paddr(struct fh_frame f)
{
	return fh_paddr_of_frame(fh_frame_number(f));
}

/* The level of the table entry that maps a frame: 1. Seed: map_level. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == 1;
*/
FH_INLINE unsigned fh_frame_map_level(struct fh_frame f)
{
	(void)f;
	return 1;
}

/* Bytes in a frame. Seed: size. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == FH_PAGE_SIZE;
*/
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
/*@
  requires region_inv && frame_handle(f.handle);
  assigns fh_slots[f.handle].state, g_held[f.handle];
  exits \false;
  ensures region_inv && \result.handle == f.handle;
  ensures \old(fh_slots[f.handle].state) < FH_STATE_MAX;
  ensures fh_slots[f.handle].state == \old(fh_slots[f.handle].state) + 1;
  ensures g_held[f.handle] == \old(g_held[f.handle]) + 1;
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
/*@
  requires region_inv && \valid(f);
  requires f->handle == 0 || frame_handle(f->handle);
  assigns f->handle, fh_slots[f->handle], g_held[f->handle],
          g_free[f->handle];
  exits \false;
  ensures region_inv && f->handle == 0;
  behavior none:
    assumes f->handle == 0;
    ensures kept{Pre,Post};
  behavior last:
    assumes f->handle != 0 && fh_slots[f->handle].state == FH_STATE_ONE;
    ensures g_held[\old(f->handle)] == 0;
    ensures fh_slots[\old(f->handle)].type == \null;
    ensures fh_slots[\old(f->handle)].state == FH_STATE_UNUSED ||
            (fh_slots[\old(f->handle)].state == FH_STATE_FREE &&
             g_free[\old(f->handle)] == 1);
  behavior shared:
    assumes f->handle != 0 && fh_slots[f->handle].state > FH_STATE_ONE;
    ensures g_held[\old(f->handle)] == \old(g_held[f->handle]) - 1;
    ensures fh_slots[\old(f->handle)].state ==
            \old(fh_slots[f->handle].state) - 1;
    ensures fh_slots[\old(f->handle)].type == \old(fh_slots[f->handle].type);
    ensures fh_slots[\old(f->handle)].meta == \old(fh_slots[f->handle].meta);
  complete behaviors;
  disjoint behaviors;
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
/*@
  requires frame_handle(f.handle);
  assigns \nothing;
  exits \false;
  ensures \result.frame == f.handle;
*/
FH_INLINE struct fh_frame_ref fh_frame_borrow(struct fh_frame f)
{
	struct fh_frame_ref ref;

	fh_unit_check(f.handle, FH_UNIT_FRAME, FH_HERE);
	ref.frame = fh_frame_number(f);
	return ref;
}

/* The page's number and address. Any context. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == ref.frame;
*/
FH_INLINE uint64_t fh_frame_ref_number(struct fh_frame_ref ref)
{
	return ref.frame;
}

/*@
  requires ref.frame < FH_PAGE_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result.bytes == ref.frame * FH_PAGE_SIZE;
*/
FH_INLINE struct fh_paddr fh_frame_ref_paddr(struct fh_frame_ref ref)
{
	return fh_paddr_of_frame(ref.frame);
}

/*
 * Makes a reference from a borrow, while that is valid. As fh_frame_get().
 * Seed: clone through FrameRef's Deref.
 */
/*@
  requires region_inv && ref.frame != 0 && live(ref.frame);
  requires is_shared(fh_slots[ref.frame].state);
  assigns fh_slots[ref.frame].state, g_held[ref.frame];
  exits \false;
  ensures region_inv && \result.handle == ref.frame;
  ensures \old(fh_slots[ref.frame].state) < FH_STATE_MAX;
  ensures fh_slots[ref.frame].state == \old(fh_slots[ref.frame].state) + 1;
  ensures g_held[ref.frame] == \old(g_held[ref.frame]) + 1;
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
/*@
  requires region_inv && \valid(out);
  requires type == \null || \valid_read(type);
  requires meta == \null || \valid_read(meta);
  assigns out->handle, fh_slots[0 .. FH_LAST_FRAME],
          g_held[0 .. FH_LAST_FRAME], g_free[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region_inv;
  ensures \result != FH_OK ==>
    kept{Pre,Post} && out->handle == \old(out->handle);
  behavior invalid:
    assumes type == \null || type->size > FH_META_SIZE;
    ensures \result == FH_E_INVALID;
  behavior not_aligned:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes !is_aligned(pa.bytes);
    ensures \result == FH_E_NOT_ALIGNED;
  behavior out_of_bound:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes is_aligned(pa.bytes) && !has_slot(frame_at(pa.bytes));
    ensures \result == FH_E_OUT_OF_BOUND;
  behavior in_use:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes is_aligned(pa.bytes) && live(frame_at(pa.bytes)) &&
            is_shared(fh_slots[frame_at(pa.bytes)].state);
    ensures \result == FH_E_IN_USE;
  behavior unique:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes is_aligned(pa.bytes) &&
            state_is(frame_at(pa.bytes), FH_STATE_UNIQUE);
    ensures \result == FH_E_UNIQUE;
  behavior busy:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes is_aligned(pa.bytes) && has_slot(frame_at(pa.bytes)) &&
            !claimable(frame_at(pa.bytes)) &&
            !(live(frame_at(pa.bytes)) &&
              (is_shared(fh_slots[frame_at(pa.bytes)].state) ||
               fh_slots[frame_at(pa.bytes)].state == FH_STATE_UNIQUE));
    ensures \result == FH_E_BUSY;
  behavior ok:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes is_aligned(pa.bytes) && has_slot(frame_at(pa.bytes)) &&
            claimable(frame_at(pa.bytes));
    ensures \result == FH_OK && out->handle == frame_at(pa.bytes);
    ensures state_is(out->handle, FH_STATE_ONE) && frame_handle(out->handle);
    ensures g_held[out->handle] == 1 && g_raw[out->handle] == 0;
    ensures fh_slots[out->handle].type == type;
    ensures fh_slots[out->handle].meta ==
      (meta == \null ? fh_meta_zero : \old(*meta));
    ensures kept_but{Pre,Post}(out->handle, out->handle + 1);
  complete behaviors;
  disjoint behaviors;
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
/*@
  requires region_inv && \valid(out);
  assigns out->handle, fh_slots[frame_at(pa.bytes)].state,
          g_held[frame_at(pa.bytes)];
  exits \false;
  ensures region_inv;
  ensures \result != FH_OK ==>
    kept{Pre,Post} && out->handle == \old(out->handle);
  behavior not_aligned:
    assumes !is_aligned(pa.bytes);
    ensures \result == FH_E_NOT_ALIGNED;
  behavior out_of_bound:
    assumes is_aligned(pa.bytes) && !has_slot(frame_at(pa.bytes));
    ensures \result == FH_E_OUT_OF_BOUND;
  behavior unused:
    assumes is_aligned(pa.bytes) && has_slot(frame_at(pa.bytes)) &&
            (live(frame_at(pa.bytes)) ==>
              fh_slots[frame_at(pa.bytes)].state == FH_STATE_FREE ||
              fh_slots[frame_at(pa.bytes)].state == FH_STATE_UNUSED);
    ensures \result == FH_E_UNUSED;
  behavior unique:
    assumes is_aligned(pa.bytes) &&
            state_is(frame_at(pa.bytes), FH_STATE_UNIQUE);
    ensures \result == FH_E_UNIQUE;
  behavior busy:
    assumes is_aligned(pa.bytes) &&
            state_is(frame_at(pa.bytes), FH_STATE_BUSY);
    ensures \result == FH_E_BUSY;
  behavior ok:
    assumes is_aligned(pa.bytes) && live(frame_at(pa.bytes)) &&
            is_shared(fh_slots[frame_at(pa.bytes)].state);
    ensures \result == FH_OK && out->handle == frame_at(pa.bytes);
    ensures frame_handle(out->handle);
    ensures \old(fh_slots[frame_at(pa.bytes)].state) < FH_STATE_MAX;
    ensures fh_slots[out->handle].state ==
            \old(fh_slots[frame_at(pa.bytes)].state) + 1;
    ensures g_held[out->handle] == \old(g_held[frame_at(pa.bytes)]) + 1;
  complete behaviors;
  disjoint behaviors;
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
/*@
  requires region_inv;
  assigns fh_slots[frame_at(pa.bytes)].state, g_raw[frame_at(pa.bytes)];
  exits \false;
  ensures region_inv;
  ensures \result != FH_OK ==> kept{Pre,Post};
  behavior not_aligned:
    assumes !is_aligned(pa.bytes);
    ensures \result == FH_E_NOT_ALIGNED;
  behavior out_of_bound:
    assumes is_aligned(pa.bytes) && !has_slot(frame_at(pa.bytes));
    ensures \result == FH_E_OUT_OF_BOUND;
  behavior ok:
    assumes is_aligned(pa.bytes) && has_slot(frame_at(pa.bytes));
    ensures \result == FH_OK && live(frame_at(pa.bytes));
    ensures is_shared(\old(fh_slots[frame_at(pa.bytes)].state));
    ensures \old(fh_slots[frame_at(pa.bytes)].state) < FH_STATE_MAX;
    ensures fh_slots[frame_at(pa.bytes)].state ==
            \old(fh_slots[frame_at(pa.bytes)].state) + 1;
    ensures g_raw[frame_at(pa.bytes)] ==
            \old(g_raw[frame_at(pa.bytes)]) + 1;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_frame_inc(struct fh_paddr pa);

/*
 * Forgets a handle without giving its reference up; *f becomes no frame. The
 * address returned is all that is left of it. on_drop does not run. Any
 * context. Seed: into_raw, ManuallyDrop::new.
 */
/*@
  requires region_inv && \valid(f) && frame_handle(f->handle);
  assigns f->handle, g_held[f->handle], g_raw[f->handle];
  exits \false;
  ensures region_inv && f->handle == 0;
  ensures is_aligned(\result.bytes) && frame_at(\result.bytes) ==
          \old(f->handle);
  ensures g_held[\old(f->handle)] == \old(g_held[f->handle]) - 1;
  ensures g_raw[\old(f->handle)] == \old(g_raw[f->handle]) + 1;
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
/*@
  requires region_inv && \valid(out);
  requires is_aligned(pa.bytes) && live(frame_at(pa.bytes)) &&
           is_shared(fh_slots[frame_at(pa.bytes)].state) ==>
    g_raw[frame_at(pa.bytes)] > 0;
  assigns out->handle, g_held[frame_at(pa.bytes)],
          g_raw[frame_at(pa.bytes)];
  exits \false;
  ensures region_inv;
  ensures \result != FH_OK ==>
    kept{Pre,Post} && out->handle == \old(out->handle);
  behavior not_aligned:
    assumes !is_aligned(pa.bytes);
    ensures \result == FH_E_NOT_ALIGNED;
  behavior out_of_bound:
    assumes is_aligned(pa.bytes) && !has_slot(frame_at(pa.bytes));
    ensures \result == FH_E_OUT_OF_BOUND;
  behavior unused:
    assumes is_aligned(pa.bytes) && has_slot(frame_at(pa.bytes)) &&
            (live(frame_at(pa.bytes)) ==>
              fh_slots[frame_at(pa.bytes)].state == FH_STATE_FREE ||
              fh_slots[frame_at(pa.bytes)].state == FH_STATE_UNUSED);
    ensures \result == FH_E_UNUSED;
  behavior unique:
    assumes is_aligned(pa.bytes) &&
            state_is(frame_at(pa.bytes), FH_STATE_UNIQUE);
    ensures \result == FH_E_UNIQUE;
  behavior busy:
    assumes is_aligned(pa.bytes) &&
            state_is(frame_at(pa.bytes), FH_STATE_BUSY);
    ensures \result == FH_E_BUSY;
  behavior ok:
    assumes is_aligned(pa.bytes) && live(frame_at(pa.bytes)) &&
            is_shared(fh_slots[frame_at(pa.bytes)].state);
    ensures \result == FH_OK && out->handle == frame_at(pa.bytes);
    ensures frame_handle(out->handle);
    ensures g_held[out->handle] == \old(g_held[frame_at(pa.bytes)]) + 1;
    ensures g_raw[out->handle] == \old(g_raw[frame_at(pa.bytes)]) - 1;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_frame_from_raw(struct fh_paddr pa, struct fh_frame *out);

/*
 * How many references there are, now: a hint, others may change it at once.
 * Any context. Seed: reference_count.
 */
/*@
  requires frame_handle(f.handle);
  assigns \nothing;
  exits \false;
  ensures fh_slots[f.handle].state == FH_STATE_SHARED(\result);
  ensures 0 < \result <= FH_REF_COUNT_MAX;
*/
uint64_t fh_frame_reference_count(struct fh_frame f);

/*
 * The frame's type and what it is used for; f is a frame. Any context.
 * Seed: dyn_meta.
 */
/*@
  requires region_inv && frame_handle(f.handle);
  assigns \nothing;
  exits \false;
  ensures \result == fh_slots[f.handle].type && \valid_read(\result);
*/
const struct fh_meta_type *fh_frame_type(struct fh_frame f);
/*@
  requires region_inv && frame_handle(f.handle);
  assigns \nothing;
  exits \false;
  ensures \result == fh_slots[f.handle].type->usage;
*/
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
/*@
  requires region_inv && (f.handle == 0 || frame_handle(f.handle));
  assigns \nothing;
  exits \false;
  ensures \result <==> f.handle != 0 && fh_slots[f.handle].type == type;
*/
bool fh_frame_is_type(struct fh_frame f, const struct fh_meta_type *type);

/* ---- Untyped frames ---- */

/*@
  assigns \nothing;
  exits \false;
  ensures \result.handle == 0;
*/
FH_INLINE struct fh_uframe fh_uframe_none(void)
{
	struct fh_uframe f;

	f.handle = 0;
	return f;
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result == f.handle;
*/
FH_INLINE uint64_t fh_uframe_number(struct fh_uframe f)
{
	return fh_handle_frame(f.handle);
}

/*@
  requires f.handle < FH_PAGE_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result.bytes == f.handle * FH_PAGE_SIZE;
*/
FH_INLINE struct fh_paddr fh_uframe_paddr(struct fh_uframe f)
{
	return fh_paddr_of_frame(fh_uframe_number(f));
}

/*
 * Turns a frame of any type into an untyped one, if it is; *f becomes no
 * frame. Otherwise FH_E_WRONG_TYPE, and the caller keeps *f. The count does
 * not change. Any context. Seed: TryFrom<Frame<dyn AnyFrameMeta>> for UFrame.
 */
/*@
  requires region_inv && \valid(f) && \valid(out) && \separated(f, out);
  requires f->handle == 0 || frame_handle(f->handle);
  assigns f->handle, out->handle;
  exits \false;
  behavior wrong_type:
    assumes f->handle == 0 || !fh_slots[f->handle].type->untyped;
    ensures \result == FH_E_WRONG_TYPE;
    ensures f->handle == \old(f->handle) && out->handle == \old(out->handle);
  behavior ok:
    assumes f->handle != 0 && fh_slots[f->handle].type->untyped;
    ensures \result == FH_OK;
    ensures f->handle == 0 && out->handle == \old(f->handle);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_uframe_from_frame(struct fh_frame *f, struct fh_uframe *out);

/*
 * Forgets that a frame is untyped; *f becomes no frame. The count does not
 * change. Any context. Seed: From<UFrame> for Frame<FrameMeta>.
 */
/*@
  requires \valid(f);
  assigns f->handle;
  exits \false;
  ensures \result.handle == \old(f->handle) && f->handle == 0;
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
/*@
  requires region_inv && frame_handle(f.handle);
  assigns fh_slots[f.handle].state, g_held[f.handle];
  exits \false;
  ensures region_inv && \result.handle == f.handle;
  ensures fh_slots[f.handle].state == \old(fh_slots[f.handle].state) + 1;
  ensures g_held[f.handle] == \old(g_held[f.handle]) + 1;
*/
FH_NODISCARD
FH_INLINE struct fh_uframe fh_uframe_get(struct fh_uframe f)
{
	struct fh_frame frame;
	struct fh_uframe copy;

	frame.handle = f.handle;
	copy.handle = fh_frame_get(frame).handle;
	return copy;
}

/*@
  requires region_inv && \valid(f);
  requires f->handle == 0 || frame_handle(f->handle);
  assigns f->handle, fh_slots[f->handle], g_held[f->handle],
          g_free[f->handle];
  exits \false;
  ensures region_inv && f->handle == 0;
  ensures \old(f->handle) != 0 ==>
    g_held[\old(f->handle)] == \old(g_held[f->handle]) - 1;
*/
FH_INLINE void fh_uframe_put(struct fh_uframe *f)
{
	struct fh_frame frame = fh_frame_from_uframe(f);

	fh_frame_put(&frame);
}

FH_END_DECLS

#endif /* FRAMEHOLD_FRAME_H */
