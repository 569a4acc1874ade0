/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Segments: one reference to each page of a contiguous range. A segment is a
 * first page and a number of pages, passed by value; an empty one is the zero
 * value, owns nothing and names no address.
 *
 * Offsets and counts are pages. Everything is checked without wrapping: no
 * argument reaches a page outside of the segment. Contexts as for frames; an
 * operation on n pages takes time in proportion to n, without a lock.
 */
#ifndef FRAMEHOLD_SEGMENT_H
#define FRAMEHOLD_SEGMENT_H

#include <framehold/frame.h>

FH_BEGIN_DECLS

/* One reference to each of count pages. Seed: Segment. */
struct fh_segment {
	uint64_t handle; /* private: fh_segment_first() */
	uint64_t count;
};

/* The same, known to be untyped. Seed: USegment. */
struct fh_usegment {
	uint64_t handle;
	uint64_t count;
};

/* A range of pages by number: what into_raw leaves of a segment. */
struct fh_range {
	uint64_t first;
	uint64_t count;
};

/*
 * Makes the words of the page at pa, which has just been claimed; cannot fail.
 * Seed: the closure given to from_unused.
 */
typedef struct fh_meta fh_meta_maker(void *context, struct fh_paddr pa);

/* The empty segment. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result.handle == 0 && \result.count == 0;
*/
FH_INLINE struct fh_segment fh_segment_none(void)
{
	struct fh_segment s;

	s.handle = 0;
	s.count = 0;
	return s;
}

/* The number of the first page; 0 if empty. Any context. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == s.handle;
*/
FH_INLINE uint64_t fh_segment_first(struct fh_segment s)
{
	return fh_handle_frame(s.handle);
}

/* How many pages it has. Any context. Seed: nrpage_spec. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == s.count;
*/
FH_INLINE uint64_t fh_segment_count(struct fh_segment s)
{
	return s.count;
}

/* Bytes in the segment. Any context. Seed: size. */
/*@
  requires s.count < FH_PAGE_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result == s.count * FH_PAGE_SIZE;
*/
FH_INLINE uint64_t fh_segment_size(struct fh_segment s)
{
	return s.count * FH_PAGE_SIZE;
}

/* Its first byte; 0 if empty. Any context. Seed: start_paddr. */
/*@
  requires s.handle < FH_PAGE_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result.bytes == s.handle * FH_PAGE_SIZE;
*/
FH_INLINE struct fh_paddr fh_segment_start(struct fh_segment s)
{
	return fh_paddr_of_frame(fh_segment_first(s));
}

/* The byte after its last; 0 if empty. Any context. Seed: end_paddr. */
/*@
  requires s.handle + s.count < FH_PAGE_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result.bytes == (s.handle + s.count) * FH_PAGE_SIZE;
*/
FH_INLINE struct fh_paddr fh_segment_end(struct fh_segment s)
{
	return fh_paddr_of_frame(fh_segment_first(s) + s.count);
}

/*
 * Claims the pages from start up to end, which nobody holds: one reference
 * each, the given type, and *meta as the words of every page (null: zero
 * words). All or nothing: when a page cannot be claimed, those before it are
 * dropped again, on_drop once for each, and every count is as before.
 *
 *   FH_E_INVALID        as fh_frame_from_unused()
 *   FH_E_NOT_ALIGNED    start or end is not a page's first byte
 *   FH_E_OUT_OF_BOUND   end is beyond fh_max_paddr(), or a page has no slot
 *   FH_E_EMPTY          start is not below end (the seed panics)
 *   FH_E_IN_USE, FH_E_UNIQUE, FH_E_BUSY   the first page that is held
 *
 * checked in this order. Contexts as fh_frame_from_unused().
 * Seed: Segment::from_unused.
 */
/*@
  requires region_inv && \valid(out);
  requires type == \null || \valid_read(type);
  requires meta == \null || \valid_read(meta);
  assigns *out, fh_slots[0 .. FH_LAST_FRAME], g_held[0 .. FH_LAST_FRAME],
          g_free[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region_inv;
  ensures \result != FH_OK ==> *out == \old(*out);
  behavior invalid:
    assumes type == \null || type->size > FH_META_SIZE;
    ensures \result == FH_E_INVALID && kept{Pre,Post};
  behavior not_aligned:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes !is_aligned(start.bytes) || !is_aligned(end.bytes);
    ensures \result == FH_E_NOT_ALIGNED && kept{Pre,Post};
  behavior out_of_bound:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes is_aligned(start.bytes) && is_aligned(end.bytes);
    assumes frame_at(end.bytes) > fh_memory.frame_end;
    ensures \result == FH_E_OUT_OF_BOUND && kept{Pre,Post};
  behavior empty:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes is_aligned(start.bytes) && is_aligned(end.bytes);
    assumes frame_at(end.bytes) <= fh_memory.frame_end;
    assumes start.bytes >= end.bytes;
    ensures \result == FH_E_EMPTY && kept{Pre,Post};
  behavior no_slot:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes range_to_claim(start.bytes, end.bytes);
    assumes refusal(frame_at(start.bytes), frame_at(end.bytes)) ==
            FH_E_OUT_OF_BOUND;
    ensures \result == FH_E_OUT_OF_BOUND;
    ensures claim_undone{Pre,Post}(frame_at(start.bytes),
                                   frame_at(end.bytes));
  behavior in_use:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes range_to_claim(start.bytes, end.bytes);
    assumes refusal(frame_at(start.bytes), frame_at(end.bytes)) ==
            FH_E_IN_USE;
    ensures \result == FH_E_IN_USE;
    ensures claim_undone{Pre,Post}(frame_at(start.bytes),
                                   frame_at(end.bytes));
  behavior unique:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes range_to_claim(start.bytes, end.bytes);
    assumes refusal(frame_at(start.bytes), frame_at(end.bytes)) ==
            FH_E_UNIQUE;
    ensures \result == FH_E_UNIQUE;
    ensures claim_undone{Pre,Post}(frame_at(start.bytes),
                                   frame_at(end.bytes));
  behavior busy:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes range_to_claim(start.bytes, end.bytes);
    assumes refusal(frame_at(start.bytes), frame_at(end.bytes)) ==
            FH_E_BUSY;
    ensures \result == FH_E_BUSY;
    ensures claim_undone{Pre,Post}(frame_at(start.bytes),
                                   frame_at(end.bytes));
  behavior ok:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes range_to_claim(start.bytes, end.bytes);
    assumes refusal(frame_at(start.bytes), frame_at(end.bytes)) == FH_OK;
    ensures \result == FH_OK && out->handle == frame_at(start.bytes);
    ensures out->count == frame_at(end.bytes) - frame_at(start.bytes);
    ensures segment_handle(out->handle, out->count);
    ensures all_claimed(out->handle, out->handle + out->count, type);
    ensures \forall integer i;
      out->handle <= i < out->handle + out->count ==>
        fh_slots[i].meta == (meta == \null ? fh_meta_zero : \old(*meta));
    ensures kept_but{Pre,Post}(out->handle, out->handle + out->count);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_segment_from_unused(struct fh_paddr start,
				      struct fh_paddr end,
				      const struct fh_meta_type *type,
				      const struct fh_meta *meta,
				      struct fh_segment *out);

/*
 * The same with words of its own for each page. make runs in ascending order,
 * once for each page that could be claimed, after it was; what it made for a
 * page that is dropped again is on_drop's to release.
 */
/*@
  requires region_inv && \valid(out);
  requires type == \null || \valid_read(type);
  assigns *out, fh_slots[0 .. FH_LAST_FRAME], g_held[0 .. FH_LAST_FRAME],
          g_free[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region_inv;
  ensures \result != FH_OK ==> *out == \old(*out);
  behavior invalid:
    assumes type == \null || type->size > FH_META_SIZE;
    ensures \result == FH_E_INVALID && kept{Pre,Post};
  behavior not_aligned:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes !is_aligned(start.bytes) || !is_aligned(end.bytes);
    ensures \result == FH_E_NOT_ALIGNED && kept{Pre,Post};
  behavior out_of_bound:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes is_aligned(start.bytes) && is_aligned(end.bytes);
    assumes frame_at(end.bytes) > fh_memory.frame_end;
    ensures \result == FH_E_OUT_OF_BOUND && kept{Pre,Post};
  behavior empty:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes is_aligned(start.bytes) && is_aligned(end.bytes);
    assumes frame_at(end.bytes) <= fh_memory.frame_end;
    assumes start.bytes >= end.bytes;
    ensures \result == FH_E_EMPTY && kept{Pre,Post};
  behavior no_slot:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes range_to_claim(start.bytes, end.bytes);
    assumes refusal(frame_at(start.bytes), frame_at(end.bytes)) ==
            FH_E_OUT_OF_BOUND;
    ensures \result == FH_E_OUT_OF_BOUND;
    ensures claim_undone{Pre,Post}(frame_at(start.bytes),
                                   frame_at(end.bytes));
  behavior in_use:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes range_to_claim(start.bytes, end.bytes);
    assumes refusal(frame_at(start.bytes), frame_at(end.bytes)) ==
            FH_E_IN_USE;
    ensures \result == FH_E_IN_USE;
    ensures claim_undone{Pre,Post}(frame_at(start.bytes),
                                   frame_at(end.bytes));
  behavior unique:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes range_to_claim(start.bytes, end.bytes);
    assumes refusal(frame_at(start.bytes), frame_at(end.bytes)) ==
            FH_E_UNIQUE;
    ensures \result == FH_E_UNIQUE;
    ensures claim_undone{Pre,Post}(frame_at(start.bytes),
                                   frame_at(end.bytes));
  behavior busy:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes range_to_claim(start.bytes, end.bytes);
    assumes refusal(frame_at(start.bytes), frame_at(end.bytes)) ==
            FH_E_BUSY;
    ensures \result == FH_E_BUSY;
    ensures claim_undone{Pre,Post}(frame_at(start.bytes),
                                   frame_at(end.bytes));
  behavior ok:
    assumes type != \null && type->size <= FH_META_SIZE;
    assumes range_to_claim(start.bytes, end.bytes);
    assumes refusal(frame_at(start.bytes), frame_at(end.bytes)) == FH_OK;
    ensures \result == FH_OK && out->handle == frame_at(start.bytes);
    ensures out->count == frame_at(end.bytes) - frame_at(start.bytes);
    ensures segment_handle(out->handle, out->count);
    ensures all_claimed(out->handle, out->handle + out->count, type);
    ensures kept_but{Pre,Post}(out->handle, out->handle + out->count);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_segment_from_unused_with(struct fh_paddr start,
					   struct fh_paddr end,
					   const struct fh_meta_type *type,
					   fh_meta_maker *make, void *context,
					   struct fh_segment *out);

/*
 * A segment of the frame's one page; *f becomes no frame, and no frame makes
 * an empty segment. The count does not change. Any context.
 * Seed: From<Frame> for Segment.
 */
/*@
  requires region_inv && \valid(f);
  requires f->handle == 0 || frame_handle(f->handle);
  assigns f->handle, g_held[f->handle];
  exits \false;
  ensures region_inv && f->handle == 0;
  ensures kept{Pre,Post};
  ensures \result.handle == \old(f->handle);
  ensures \result.count == (\old(f->handle) == 0 ? 0 : 1);
*/
FH_NODISCARD
struct fh_segment fh_segment_from_frame(struct fh_frame *f);

/*
 * Splits off the first `pages` pages: low gets them, high the rest; *s becomes
 * empty. No count changes. FH_E_OUT_OF_BOUND unless 0 < pages < count (the
 * seed panics). low and high are different objects. Any context. Seed: split.
 */
/*@
  requires region_inv && \valid(s) && \valid(low) && \valid(high);
  requires \separated(s, low, high);
  requires segment_handle(s->handle, s->count);
  assigns *s, *low, *high, g_held[s->handle .. s->handle + s->count - 1];
  exits \false;
  ensures region_inv;
  ensures kept{Pre,Post};
  behavior out_of_bound:
    assumes pages == 0 || pages >= s->count;
    ensures \result == FH_E_OUT_OF_BOUND;
    ensures *s == \old(*s) && *low == \old(*low) && *high == \old(*high);
  behavior ok:
    assumes 0 < pages < s->count;
    ensures \result == FH_OK && s->handle == 0 && s->count == 0;
    ensures low->handle == \old(s->handle) && low->count == pages;
    ensures high->handle == \old(s->handle) + pages;
    ensures high->count == \old(s->count) - pages;
    ensures segment_handle(low->handle, low->count);
    ensures segment_handle(high->handle, high->count);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_segment_split(struct fh_segment *s, uint64_t pages,
				struct fh_segment *low,
				struct fh_segment *high);

/*
 * Another reference to each of the pages begin .. end-1 of s, counted from
 * its first page. An empty range makes the empty segment. A count at its
 * maximum stops the machine. FH_E_OUT_OF_BOUND unless begin <= end <= count
 * (the seed panics). Any context. Seed: slice.
 */
/*@
  requires region_inv && \valid(out) && segment_handle(s.handle, s.count);
  assigns *out, fh_slots[s.handle + begin .. s.handle + end - 1].state,
          g_held[s.handle + begin .. s.handle + end - 1];
  exits \false;
  ensures region_inv;
  behavior out_of_bound:
    assumes !(begin <= end <= s.count);
    ensures \result == FH_E_OUT_OF_BOUND && *out == \old(*out);
    ensures kept{Pre,Post};
  behavior ok:
    assumes begin <= end <= s.count;
    ensures \result == FH_OK && out->count == end - begin;
    ensures begin < end ==> out->handle == s.handle + begin;
    ensures segment_handle(out->handle, out->count);
    ensures same_but{Pre,Post}(s.handle + begin, s.handle + end);
    ensures \forall integer i; s.handle + begin <= i < s.handle + end ==>
      fh_slots[i].state == \old(fh_slots[i].state) + 1 &&
      g_held[i] == \old(g_held[i]) + 1;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_segment_slice(struct fh_segment s, uint64_t begin,
				uint64_t end, struct fh_segment *out);

/*
 * Another reference to every page. A count at its maximum stops the machine.
 * Any context. Seed: clone.
 */
/*@
  requires region_inv && segment_handle(s.handle, s.count);
  assigns fh_slots[s.handle .. s.handle + s.count - 1].state,
          g_held[s.handle .. s.handle + s.count - 1];
  exits \false;
  ensures region_inv;
  ensures \result.handle == s.handle && \result.count == s.count;
  ensures segment_handle(\result.handle, \result.count);
  ensures \forall integer i; s.handle <= i < s.handle + s.count ==>
    fh_slots[i].state == \old(fh_slots[i].state) + 1 &&
    g_held[i] == \old(g_held[i]) + 1;
*/
FH_NODISCARD
struct fh_segment fh_segment_get(struct fh_segment s);

/*
 * Takes the first page out of the segment, with its reference. FH_E_EMPTY if
 * there is none. Any context. Seed: next.
 */
/*@
  requires region_inv && \valid(s) && \valid(out) && \separated(s, out);
  requires segment_handle(s->handle, s->count);
  assigns *s, *out, g_held[s->handle];
  exits \false;
  ensures region_inv;
  ensures kept{Pre,Post};
  behavior empty:
    assumes s->count == 0;
    ensures \result == FH_E_EMPTY && *s == \old(*s) && *out == \old(*out);
  behavior ok:
    assumes s->count > 0;
    ensures \result == FH_OK && out->handle == \old(s->handle);
    ensures s->count == \old(s->count) - 1;
    ensures s->handle == (s->count == 0 ? 0 : \old(s->handle) + 1);
    ensures segment_handle(s->handle, s->count);
    ensures frame_handle(out->handle);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_segment_next(struct fh_segment *s, struct fh_frame *out);

/*
 * Gives up the reference to every page, as fh_frame_put() does for each, in
 * ascending order; *s becomes empty. Contexts as for a last put.
 * Seed: drop.
 */
/*@
  requires region_inv && \valid(s) && segment_handle(s->handle, s->count);
  assigns *s, fh_slots[s->handle .. s->handle + s->count - 1],
          g_held[s->handle .. s->handle + s->count - 1],
          g_free[s->handle .. s->handle + s->count - 1];
  exits \false;
  ensures region_inv && s->handle == 0 && s->count == 0;
  ensures \forall integer i;
    \old(s->handle) <= i < \old(s->handle) + \old(s->count) ==>
      g_held[i] == \old(g_held[i]) - 1;
  ensures all_put{Pre,Post}(\old(s->handle),
                            \old(s->handle) + \old(s->count));
*/
void fh_segment_put(struct fh_segment *s);

/*
 * Forgets the segment without giving its references up; *s becomes empty. The
 * range is all that is left. Any context. Seed: into_raw.
 */
/*@
  requires region_inv && \valid(s) && segment_handle(s->handle, s->count);
  assigns *s, g_held[s->handle .. s->handle + s->count - 1],
          g_raw[s->handle .. s->handle + s->count - 1];
  exits \false;
  ensures region_inv && s->handle == 0 && s->count == 0;
  ensures \result.first == \old(s->handle);
  ensures \result.count == \old(s->count);
  ensures \forall integer i;
    \result.first <= i < \result.first + \result.count ==>
      g_held[i] == \old(g_held[i]) - 1 && g_raw[i] == \old(g_raw[i]) + 1;
*/
FH_NODISCARD
struct fh_range fh_segment_into_raw(struct fh_segment *s);

/*
 * Makes a segment of references forgotten by fh_segment_into_raw() or, page
 * by page, by fh_frame_into_raw(). An empty range makes the empty segment. The
 * caller knows that there is a forgotten reference to every page; checked
 * builds stop the machine if there is not (rule "restore"). Any context.
 *
 *   FH_E_OUT_OF_BOUND   the range has pages without slots
 *   FH_E_UNUSED, FH_E_UNIQUE, FH_E_BUSY   a page that nobody shares
 *
 * Seed: Segment::from_raw.
 */
/*@
  requires region_inv && \valid(out);
  requires \forall integer i; range.first <= i < range.first + range.count &&
    live(i) && is_shared(fh_slots[i].state) ==> g_raw[i] > 0;
  assigns *out, g_held[range.first .. range.first + range.count - 1],
          g_raw[range.first .. range.first + range.count - 1];
  exits \false;
  ensures region_inv;
  ensures \result != FH_OK ==> kept{Pre,Post} && *out == \old(*out);
  behavior empty:
    assumes range.count == 0;
    ensures \result == FH_OK && out->handle == 0 && out->count == 0;
    ensures kept{Pre,Post};
  behavior out_of_bound:
    assumes range.count > 0;
    assumes range.first + range.count > fh_memory.frame_end;
    ensures \result == FH_E_OUT_OF_BOUND;
  behavior no_slot:
    assumes range.count > 0;
    assumes range.first + range.count <= fh_memory.frame_end;
    assumes restore_answer(range.first, range.first + range.count) ==
            FH_E_OUT_OF_BOUND;
    ensures \result == FH_E_OUT_OF_BOUND;
  behavior unused:
    assumes range.count > 0;
    assumes range.first + range.count <= fh_memory.frame_end;
    assumes restore_answer(range.first, range.first + range.count) ==
            FH_E_UNUSED;
    ensures \result == FH_E_UNUSED;
  behavior unique:
    assumes range.count > 0;
    assumes range.first + range.count <= fh_memory.frame_end;
    assumes restore_answer(range.first, range.first + range.count) ==
            FH_E_UNIQUE;
    ensures \result == FH_E_UNIQUE;
  behavior busy:
    assumes range.count > 0;
    assumes range.first + range.count <= fh_memory.frame_end;
    assumes restore_answer(range.first, range.first + range.count) ==
            FH_E_BUSY;
    ensures \result == FH_E_BUSY;
  behavior ok:
    assumes range.count > 0;
    assumes range.first + range.count <= fh_memory.frame_end;
    assumes restore_answer(range.first, range.first + range.count) == FH_OK;
    ensures \result == FH_OK;
    ensures out->handle == range.first && out->count == range.count;
    ensures segment_handle(out->handle, out->count);
    ensures \forall integer i;
      range.first <= i < range.first + range.count ==>
        g_held[i] == \old(g_held[i]) + 1 && g_raw[i] == \old(g_raw[i]) - 1;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_segment_from_raw(struct fh_range range,
				   struct fh_segment *out);

/* Page `index` of the segment, borrowed; index < count. Any context. */
/*@
  requires \valid(out) && segment_handle(s.handle, s.count);
  assigns *out;
  exits \false;
  behavior out_of_bound:
    assumes index >= s.count;
    ensures \result == FH_E_OUT_OF_BOUND && *out == \old(*out);
  behavior ok:
    assumes index < s.count;
    ensures \result == FH_OK && out->frame == s.handle + index;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_segment_borrow(struct fh_segment s, uint64_t index,
				 struct fh_frame_ref *out);

/*
 * Whether every page is of that type; FH_E_EMPTY for an empty segment, whose
 * pages have none, FH_E_WRONG_TYPE if one page is not. Any context. Seed:
 * TryFrom<Segment<dyn AnyFrameMeta>> for Segment<M>.
 */
/*@
  requires segment_handle(s.handle, s.count);
  assigns \nothing;
  exits \false;
  behavior empty:
    assumes s.count == 0;
    ensures \result == FH_E_EMPTY;
  behavior wrong_type:
    assumes s.count > 0;
    assumes \exists integer i; s.handle <= i < s.handle + s.count &&
      fh_slots[i].type != type;
    ensures \result == FH_E_WRONG_TYPE;
  behavior ok:
    assumes s.count > 0;
    assumes \forall integer i; s.handle <= i < s.handle + s.count ==>
      fh_slots[i].type == type;
    ensures \result == FH_OK;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_segment_check_type(struct fh_segment s,
				     const struct fh_meta_type *type);

/* ---- Untyped segments ---- */

/*
 * Turns a segment into an untyped one, if every page is; *s becomes empty. No
 * count changes. Otherwise the caller keeps *s: FH_E_EMPTY, FH_E_WRONG_TYPE.
 * Any context. Seed: TryFrom<Segment<dyn AnyFrameMeta>> for USegment.
 */
/*@
  requires region_inv && \valid(s) && \valid(out) && \separated(s, out);
  requires segment_handle(s->handle, s->count);
  assigns *s, *out;
  exits \false;
  ensures \result != FH_OK ==> *s == \old(*s) && *out == \old(*out);
  behavior empty:
    assumes s->count == 0;
    ensures \result == FH_E_EMPTY;
  behavior wrong_type:
    assumes s->count > 0;
    assumes \exists integer i; s->handle <= i < s->handle + s->count &&
      !fh_slots[i].type->untyped;
    ensures \result == FH_E_WRONG_TYPE;
  behavior ok:
    assumes s->count > 0;
    assumes \forall integer i; s->handle <= i < s->handle + s->count ==>
      fh_slots[i].type->untyped;
    ensures \result == FH_OK && s->handle == 0 && s->count == 0;
    ensures out->handle == \old(s->handle) && out->count == \old(s->count);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_usegment_from_segment(struct fh_segment *s,
					struct fh_usegment *out);

/*
 * Forgets that a segment is untyped; *s becomes empty. No count changes. Any
 * context. Seed: From<Segment<M>> for USegment, in reverse.
 */
/*@
  requires \valid(s);
  assigns *s;
  exits \false;
  ensures \result.handle == \old(s->handle);
  ensures \result.count == \old(s->count);
  ensures s->handle == 0 && s->count == 0;
*/
FH_NODISCARD
FH_INLINE struct fh_segment fh_segment_from_usegment(struct fh_usegment *s)
{
	struct fh_segment segment;

	segment.handle = s->handle;
	segment.count = s->count;
	s->handle = 0;
	s->count = 0;
	return segment;
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result.handle == 0 && \result.count == 0;
*/
FH_INLINE struct fh_usegment fh_usegment_none(void)
{
	struct fh_usegment s;

	s.handle = 0;
	s.count = 0;
	return s;
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result == s.handle;
*/
FH_INLINE uint64_t fh_usegment_first(struct fh_usegment s)
{
	return fh_handle_frame(s.handle);
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result == s.count;
*/
FH_INLINE uint64_t fh_usegment_count(struct fh_usegment s)
{
	return s.count;
}

/* As fh_segment_put(). */
/*@
  requires region_inv && \valid(s) && segment_handle(s->handle, s->count);
  assigns *s, fh_slots[s->handle .. s->handle + s->count - 1],
          g_held[s->handle .. s->handle + s->count - 1],
          g_free[s->handle .. s->handle + s->count - 1];
  exits \false;
  ensures region_inv && s->handle == 0 && s->count == 0;
  ensures \forall integer i;
    \old(s->handle) <= i < \old(s->handle) + \old(s->count) ==>
      g_held[i] == \old(g_held[i]) - 1;
  ensures all_put{Pre,Post}(\old(s->handle),
                            \old(s->handle) + \old(s->count));
*/
FH_INLINE void fh_usegment_put(struct fh_usegment *s)
{
	struct fh_segment segment = fh_segment_from_usegment(s);

	fh_segment_put(&segment);
}

FH_END_DECLS

#endif /* FRAMEHOLD_SEGMENT_H */
