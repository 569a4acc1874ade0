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
/*@
  assigns \nothing;
  exits \false;
  ensures \result.handle == 0;
*/
FH_INLINE struct fh_unique fh_unique_none(void)
{
	struct fh_unique u;

	u.handle = 0;
	return u;
}

/* The page's number; 0 for no frame. Any context. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == u.handle;
*/
FH_INLINE uint64_t fh_unique_number(struct fh_unique u)
{
	return fh_handle_frame(u.handle);
}

/* The page's first byte. Any context. */
/*@
  requires u.handle < FH_PAGE_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result.bytes == u.handle * FH_PAGE_SIZE;
  ensures frame_at(\result.bytes) == u.handle && is_aligned(\result.bytes);
*/
FH_INLINE struct fh_paddr fh_unique_paddr(struct fh_unique u)
{
	return fh_paddr_of_frame(fh_unique_number(u));
}

/* The level of the table entry that maps a frame: 1. Seed: level. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == 1;
*/
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
    ensures unique_handle(out->handle) && fh_slots[out->handle].list == 0;
    ensures g_held[out->handle] == 1 && g_raw[out->handle] == 0;
    ensures fh_slots[out->handle].type == type;
    ensures fh_slots[out->handle].meta ==
      (meta == \null ? fh_meta_zero : \old(*meta));
    ensures kept_but{Pre,Post}(out->handle, out->handle + 1);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_unique_from_unused(struct fh_paddr pa,
				     const struct fh_meta_type *type,
				     const struct fh_meta *meta,
				     struct fh_unique *out);

/* The page's type. Any context. */
/*@
  requires region_inv && unique_handle(u.handle);
  assigns \nothing;
  exits \false;
  ensures \result == fh_slots[u.handle].type && \valid_read(\result);
*/
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
/*@
  requires region_inv && (u.handle == 0 || unique_handle(u.handle));
  requires type == \null || \valid_read(type);
  requires meta == \null || \valid_read(meta);
  assigns fh_slots[u.handle].type, fh_slots[u.handle].meta,
          fh_slots[u.handle].list;
  exits \false;
  ensures region_inv;
  ensures \result != FH_OK ==> kept{Pre,Post};
  behavior empty:
    assumes u.handle == 0;
    ensures \result == FH_E_EMPTY;
  behavior invalid:
    assumes u.handle != 0;
    assumes type == \null || type->size > FH_META_SIZE;
    ensures \result == FH_E_INVALID;
  behavior ok:
    assumes u.handle != 0 && type != \null && type->size <= FH_META_SIZE;
    ensures \result == FH_OK;
    ensures fh_slots[u.handle].type == type;
    ensures fh_slots[u.handle].meta ==
      (meta == \null ? fh_meta_zero : \old(*meta));
    ensures fh_slots[u.handle].list == 0;
  complete behaviors;
  disjoint behaviors;
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
/*@
  requires region_inv && \valid(u);
  requires u->handle == 0 || unique_handle(u->handle);
  assigns u->handle, fh_slots[u->handle], g_held[u->handle];
  exits \false;
  ensures region_inv && u->handle == 0;
  behavior none:
    assumes u->handle == 0;
    ensures kept{Pre,Post};
  behavior some:
    assumes u->handle != 0;
    ensures fh_slots[\old(u->handle)].state == FH_STATE_UNUSED;
    ensures g_held[\old(u->handle)] == 0;
  complete behaviors;
  disjoint behaviors;
*/
void fh_unique_reset_as_unused(struct fh_unique *u);

/*
 * Drops the page: on_drop once, then back to the allocator, or unused if the
 * page belongs to no zone; *u becomes no frame. Does nothing if *u is no
 * frame. Contexts as for a last put. Seed: Drop for UniqueFrame.
 */
/*@
  requires region_inv && \valid(u);
  requires u->handle == 0 || unique_handle(u->handle);
  assigns u->handle, fh_slots[u->handle], g_held[u->handle],
          g_free[u->handle];
  exits \false;
  ensures region_inv && u->handle == 0;
  behavior none:
    assumes u->handle == 0;
    ensures kept{Pre,Post};
  behavior some:
    assumes u->handle != 0;
    ensures fh_slots[\old(u->handle)].state == FH_STATE_UNUSED ||
            (fh_slots[\old(u->handle)].state == FH_STATE_FREE &&
             g_free[\old(u->handle)] == 1);
    ensures g_held[\old(u->handle)] == 0;
  complete behaviors;
  disjoint behaviors;
*/
void fh_unique_put(struct fh_unique *u);

/*
 * Shares the page: one reference, no longer unique; *u becomes no frame. What
 * the owner wrote is seen by whoever gets a reference. *u must be a frame. Any
 * context. Seed: From<UniqueFrame> for Frame.
 */
/*@
  requires region_inv && \valid(u) && unique_handle(u->handle);
  assigns u->handle, fh_slots[u->handle].state, g_held[u->handle];
  exits \false;
  ensures region_inv && u->handle == 0;
  ensures \result.handle == \old(u->handle);
  ensures fh_slots[\result.handle].state == FH_STATE_ONE;
  ensures frame_handle(\result.handle) && g_held[\result.handle] == 1;
*/
FH_NODISCARD
struct fh_frame fh_frame_from_unique(struct fh_unique *u);

/*
 * Makes the only reference unique; *f becomes no frame. FH_E_IN_USE if there
 * are others, FH_E_EMPTY if *f is no frame, and the caller keeps *f. Any
 * context.
 * Seed: TryFrom<Frame> for UniqueFrame.
 */
/*@
  requires region_inv && \valid(f) && \valid(out) && \separated(f, out);
  requires f->handle == 0 || frame_handle(f->handle);
  assigns f->handle, out->handle, fh_slots[f->handle].state,
          g_held[f->handle];
  exits \false;
  ensures region_inv;
  ensures \result != FH_OK ==> kept{Pre,Post} &&
    f->handle == \old(f->handle) && out->handle == \old(out->handle);
  behavior empty:
    assumes f->handle == 0;
    ensures \result == FH_E_EMPTY;
  behavior in_use:
    assumes f->handle != 0 && fh_slots[f->handle].state != FH_STATE_ONE;
    ensures \result == FH_E_IN_USE;
  behavior ok:
    assumes f->handle != 0 && fh_slots[f->handle].state == FH_STATE_ONE;
    ensures \result == FH_OK && f->handle == 0;
    ensures out->handle == \old(f->handle) && unique_handle(out->handle);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_unique_from_frame(struct fh_frame *f, struct fh_unique *out);

/* Forgets the handle; the page stays unique. Any context. Seed: into_raw. */
/*@
  requires region_inv && \valid(u) && unique_handle(u->handle);
  assigns u->handle, g_held[u->handle], g_raw[u->handle];
  exits \false;
  ensures region_inv && u->handle == 0;
  ensures is_aligned(\result.bytes) && frame_at(\result.bytes) ==
          \old(u->handle);
  ensures g_held[\old(u->handle)] == 0 && g_raw[\old(u->handle)] == 1;
*/
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
/*@
  requires region_inv && \valid(out);
  requires is_aligned(pa.bytes) && frame_at(pa.bytes) != 0 &&
           state_is(frame_at(pa.bytes), FH_STATE_UNIQUE) ==>
    g_raw[frame_at(pa.bytes)] == 1 && fh_slots[frame_at(pa.bytes)].list == 0;
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
    assumes is_aligned(pa.bytes);
    assumes !has_slot(frame_at(pa.bytes)) || frame_at(pa.bytes) == 0;
    ensures \result == FH_E_OUT_OF_BOUND;
  behavior unused:
    assumes frame_at(pa.bytes) != 0;
    assumes is_aligned(pa.bytes) && has_slot(frame_at(pa.bytes)) &&
            (live(frame_at(pa.bytes)) ==>
              fh_slots[frame_at(pa.bytes)].state == FH_STATE_FREE ||
              fh_slots[frame_at(pa.bytes)].state == FH_STATE_UNUSED);
    ensures \result == FH_E_UNUSED;
  behavior busy:
    assumes frame_at(pa.bytes) != 0;
    assumes is_aligned(pa.bytes) &&
            state_is(frame_at(pa.bytes), FH_STATE_BUSY);
    ensures \result == FH_E_BUSY;
  behavior in_use:
    assumes frame_at(pa.bytes) != 0;
    assumes is_aligned(pa.bytes) && live(frame_at(pa.bytes)) &&
            is_shared(fh_slots[frame_at(pa.bytes)].state);
    ensures \result == FH_E_IN_USE;
  behavior ok:
    assumes frame_at(pa.bytes) != 0;
    assumes is_aligned(pa.bytes) &&
            state_is(frame_at(pa.bytes), FH_STATE_UNIQUE);
    ensures \result == FH_OK && out->handle == frame_at(pa.bytes);
    ensures unique_handle(out->handle);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_unique_from_raw(struct fh_paddr pa, struct fh_unique *out);

FH_END_DECLS

#endif /* FRAMEHOLD_UNIQUE_H */
