/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Segments: a reference to each page of a range, without a word of memory of
 * their own. Pages stay independent: any of them may be taken out, shared by
 * address, or held longer than the segment.
 *
 * A claim of many pages cannot be prepared without claiming, so it is the one
 * operation with an undo: page by page, exactly those that were claimed.
 */
#include <framehold/segment.h>

#include "slot.h"

/*@
  requires first <= FH_MAX_FRAMES && count <= FH_MAX_FRAMES - first;
  requires \forall integer i; first <= i < first + count ==>
    g_held[i] < UINT64_MAX;
  assigns g_held[first .. first + count - 1];
  exits \false;
  ensures \result.count == count;
  ensures \result.handle == (count == 0 ? 0 : first);
  ensures \forall integer i; first <= i < first + count ==>
    g_held[i] == \old(g_held[i]) + 1;
*/
static struct fh_segment make_segment(uint64_t first, uint64_t count,
				      uintptr_t site)
{
	struct fh_segment s = fh_segment_none();

	if (count == 0)
		return s;
	s.handle = fh_unit_mint(first, count, FH_UNIT_SEGMENT, site);
	s.count = count;
	return s;
}

/* Takes the handle's value and leaves the empty segment. */
/*@
  requires \valid(s);
  assigns *s;
  exits \false;
  ensures \result.handle == \old(s->handle);
  ensures \result.count == \old(s->count);
  ensures s->handle == 0 && s->count == 0;
*/
static struct fh_segment move_segment(struct fh_segment *s)
{
	struct fh_segment moved = *s;

	*s = fh_segment_none();
	return moved;
}

/* Where the words of a claimed page come from. */
struct meta_source {
	const struct fh_meta *meta; /* the same for all, or null for zero; */
	fh_meta_maker *make;        /* if not null, made one by one */
	void *context;
};

/*@
  requires \valid_read(source) && frame < FH_PAGE_NUMBER_END;
  assigns \nothing;
  exits \false;
*/
static struct fh_meta run_maker(const struct meta_source *source,
				uint64_t frame)
{
	return source->make(source->context, fh_paddr_of_frame(frame));
}

/*@
  requires \valid_read(source) && frame < FH_PAGE_NUMBER_END;
  requires source->meta == \null || \valid_read(source->meta);
  assigns \nothing;
  exits \false;
  ensures source->make == \null ==> \result ==
    (source->meta == \null ? fh_meta_zero : *source->meta);
*/
static struct fh_meta make_meta(const struct meta_source *source,
				uint64_t frame)
{
	if (source->make != NULL)
		return run_maker(source, frame);
	return source->meta != NULL ? *source->meta : fh_meta_zero;
}

/* Drops pages again that were claimed as a segment's. */
/*@
  requires first <= end <= FH_MAX_FRAMES && (first < end ==> 0 < first);
  requires region_but(first, end);
  requires all_owed(first, end);
  assigns fh_slots[first .. end - 1], g_free[first .. end - 1];
  exits \false;
  ensures region_inv;
  ensures same_but{Pre,Post}(first, end);
  ensures all_put{Pre,Post}(first, end);
  ensures \forall integer i; first <= i < end &&
    \old(fh_slots[i].state) == FH_STATE_ONE ==> claimable(i);
*/
static void unclaim_pages(uint64_t first, uint64_t end, uintptr_t site)
{
	/*@
	  loop invariant first <= i <= end;
	  loop invariant \forall integer j; first <= j < i ==> slot_inv(j);
	  loop invariant all_owed(i, end);
	  loop invariant all_put{Pre,Here}(first, i);
	  loop invariant same_but{Pre,Here}(first, i);
	  loop assigns i, fh_slots[first .. end - 1], g_free[first .. end - 1];
	  loop variant end - i;
	*/
	for (uint64_t i = first; i < end; i++) {
		/*@ assert slot_same{Pre,Here}(i); */
		fh_page_put(i, site);
		/*@ assert \forall integer j; first <= j < i ==>
		      fh_slots[j] == \at(fh_slots[j],LoopCurrent) &&
		      g_free[j] == \at(g_free[j],LoopCurrent); */
		/*@ assert all_put{Pre,Here}(first, i); */
		/*@ assert all_put{Pre,Here}(i, i + 1); */
	}
}

/*
 * A reference to each page, which no handle has yet, or all as before. While
 * the loop runs, the proof lets g_held carry the references; the ledger learns
 * of them all at once, when the segment is made.
 */
/*@
  requires region_inv && first < end <= fh_memory.frame_end;
  requires \valid_read(type) && \valid_read(source);
  requires source->meta == \null || \valid_read(source->meta);
  assigns fh_slots[0 .. FH_LAST_FRAME], g_held[0 .. FH_LAST_FRAME],
          g_free[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures \result != FH_OK ==> region_inv;
  ensures \result != FH_OK ==> claim_undone{Pre,Post}(first, end);
  behavior no_slot:
    assumes refusal(first, end) == FH_E_OUT_OF_BOUND;
    ensures \result == FH_E_OUT_OF_BOUND;
  behavior in_use:
    assumes refusal(first, end) == FH_E_IN_USE;
    ensures \result == FH_E_IN_USE;
  behavior unique:
    assumes refusal(first, end) == FH_E_UNIQUE;
    ensures \result == FH_E_UNIQUE;
  behavior busy:
    assumes refusal(first, end) == FH_E_BUSY;
    ensures \result == FH_E_BUSY;
  behavior ok:
    assumes refusal(first, end) == FH_OK;
    ensures \result == FH_OK && 0 < first;
    ensures \forall integer i; first <= i < end ==>
      claim_answer{Pre}(i) == FH_OK;
    ensures region_but(first, end);
    ensures all_owed(first, end);
    ensures kept_but{Pre,Post}(first, end);
    ensures \forall integer i; first <= i < end ==>
      g_held[i] == 0 && fh_slots[i].state == FH_STATE_ONE &&
      fh_slots[i].type == type;
    ensures source->make == \null ==>
      \forall integer i; first <= i < end ==> fh_slots[i].meta ==
        (source->meta == \null ? fh_meta_zero : *source->meta);
  complete behaviors;
  disjoint behaviors;
*/
static enum fh_status claim_pages(uint64_t first, uint64_t end,
				  const struct fh_meta_type *type,
				  const struct meta_source *source,
				  uintptr_t site)
{
	/*@
	  loop invariant first <= i <= end;
	  loop invariant region_inv;
	  loop invariant kept_but{Pre,Here}(first, i);
	  loop invariant first < i ==> 0 < first;
	  loop invariant \forall integer j; first <= j < i ==>
	    state_is(j, FH_STATE_ONE) && g_held[j] == 1 && g_raw[j] == 0;
	  loop invariant \forall integer j; first <= j < i ==>
	    fh_slots[j].type == type;
	  loop invariant source->make == \null ==>
	    \forall integer j; first <= j < i ==> fh_slots[j].meta ==
	      (source->meta == \null ? fh_meta_zero : *source->meta);
	  loop invariant \forall integer j; first <= j < i ==>
	    claim_answer{Pre}(j) == FH_OK;
	  loop invariant first_refused{Pre}(first, end) ==
	    first_refused{Pre}(i, end);
	  loop assigns i, fh_slots[0 .. FH_LAST_FRAME],
	    g_held[0 .. FH_LAST_FRAME], g_free[0 .. FH_LAST_FRAME],
	    fh_memory.sections[0 .. FH_LAST_SECTION];
	  loop variant end - i;
	*/
	for (uint64_t i = first; i < end; i++) {
		uint64_t frame;
		enum fh_status status =
			fh_slot_claim_at(fh_paddr_of_frame(i), &frame);

		/*@ assert slot_kept{Pre,LoopCurrent}(i); */
		/*@ assert claim_answer{LoopCurrent}(i) == claim_answer{Pre}(i); */
		/*@ assert status == claim_answer{LoopCurrent}(i); */
		/*@ assert \forall integer j; first <= j < i ==>
		      slot_same{LoopCurrent,Here}(j); */
		/*@ assert \forall integer j; first <= j < i ==>
		      state_is(j, FH_STATE_ONE) && g_held[j] == 1 &&
		      g_raw[j] == 0; */
		if (status != FH_OK) {
			/*@ assert kept_but{Pre,Here}(first, i); */
			/*@ ghost ghost_redeem(first, i - first); */
			/*@ assert all_owed(first, i); */
			/*@ assert \forall integer j; first <= j < i ==>
			      state_is(j, FH_STATE_ONE) && g_held[j] == 0 &&
			      g_raw[j] == 0; */
			unclaim_pages(first, i, site);
			/*@ assert kept_but{Pre,Here}(first, i); */
			return status;
		}
		/*@ assert slot_inv(i) && state_is(i, FH_STATE_BUSY); */
		struct fh_meta meta = make_meta(source, i);
		fh_slot_write(i, type, &meta);
		fh_slot_publish(i);
		/*@ ghost g_held[i] = g_held[i] + 1; */
		/*@ assert slot_inv(i) && state_is(i, FH_STATE_ONE); */
		/*@ assert g_held[i] == 1 && g_raw[i] == 0; */
		/*@ assert \forall integer j; first <= j < i ==>
		      fh_slots[j].type == type; */
		/*@ assert source->make == \null ==>
		      \forall integer j; first <= j < i ==> fh_slots[j].meta ==
		        (source->meta == \null ? fh_meta_zero : *source->meta); */
	}
	/*@ assert kept_but{Pre,Here}(first, end); */
	/*@ ghost ghost_redeem(first, end - first); */
	/*@ assert kept_but{Pre,Here}(first, end); */
	/*@ assert region_but(first, end); */
	/*@ assert all_owed(first, end); */
	return FH_OK;
}

/*@
  assigns \nothing;
  exits \false;
  behavior not_aligned:
    assumes !is_aligned(start.bytes) || !is_aligned(end.bytes);
    ensures \result == FH_E_NOT_ALIGNED;
  behavior out_of_bound:
    assumes is_aligned(start.bytes) && is_aligned(end.bytes);
    assumes frame_at(end.bytes) > fh_memory.frame_end;
    ensures \result == FH_E_OUT_OF_BOUND;
  behavior empty:
    assumes is_aligned(start.bytes) && is_aligned(end.bytes);
    assumes frame_at(end.bytes) <= fh_memory.frame_end;
    assumes start.bytes >= end.bytes;
    ensures \result == FH_E_EMPTY;
  behavior ok:
    assumes is_aligned(start.bytes) && is_aligned(end.bytes);
    assumes frame_at(end.bytes) <= fh_memory.frame_end;
    assumes start.bytes < end.bytes;
    ensures \result == FH_OK;
  complete behaviors;
  disjoint behaviors;
*/
static enum fh_status check_range(struct fh_paddr start, struct fh_paddr end)
{
	if (!fh_paddr_is_aligned(start) || !fh_paddr_is_aligned(end))
		return FH_E_NOT_ALIGNED;
	if (fh_frame_of_paddr(end) > fh_memory.frame_end)
		return FH_E_OUT_OF_BOUND;
	if (start.bytes >= end.bytes)
		return FH_E_EMPTY;
	return FH_OK;
}

/*@
  requires region_inv && \valid(out);
  requires type == \null || \valid_read(type);
  requires \valid_read(source) && \separated(source, out);
  requires source->meta == \null || \valid_read(source->meta);
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
    ensures source->make == \null ==>
      \forall integer i; out->handle <= i < out->handle + out->count ==>
        fh_slots[i].meta == (source->meta == \null
          ? fh_meta_zero : \old(*source->meta));
    ensures kept_but{Pre,Post}(out->handle, out->handle + out->count);
  complete behaviors;
  disjoint behaviors;
*/
static enum fh_status claim_segment(struct fh_paddr start, struct fh_paddr end,
				    const struct fh_meta_type *type,
				    const struct meta_source *source,
				    struct fh_segment *out, uintptr_t site)
{
	uint64_t first = fh_frame_of_paddr(start);
	uint64_t last = fh_frame_of_paddr(end);

	if (!fh_meta_type_is_valid(type))
		return FH_E_INVALID;
	enum fh_status status = check_range(start, end);
	if (status != FH_OK)
		return status;
	status = claim_pages(first, last, type, source, site);
	if (status != FH_OK)
		return status;
	*out = make_segment(first, last - first, site);
	/*@ assert \forall integer j; first <= j < last ==> slot_inv(j); */
	return FH_OK;
}

enum fh_status fh_segment_from_unused(struct fh_paddr start,
				      struct fh_paddr end,
				      const struct fh_meta_type *type,
				      const struct fh_meta *meta,
				      struct fh_segment *out)
{
	struct meta_source source = {.meta = meta};

	return claim_segment(start, end, type, &source, out, FH_CALLER);
}

enum fh_status fh_segment_from_unused_with(struct fh_paddr start,
					   struct fh_paddr end,
					   const struct fh_meta_type *type,
					   fh_meta_maker *make, void *context,
					   struct fh_segment *out)
{
	struct meta_source source = {.make = make, .context = context};

	return claim_segment(start, end, type, &source, out, FH_CALLER);
}

struct fh_segment fh_segment_from_frame(struct fh_frame *f)
{
	uint64_t i = fh_frame_number(*f);

	if (i == 0)
		return fh_segment_none();
	fh_unit_redeem(f->handle, 1, FH_UNIT_FRAME, FH_CALLER);
	f->handle = 0;
	return make_segment(i, 1, FH_CALLER);
}

enum fh_status fh_segment_split(struct fh_segment *s, uint64_t pages,
				struct fh_segment *low, struct fh_segment *high)
{
	if (pages == 0 || pages >= s->count)
		return FH_E_OUT_OF_BOUND;
	struct fh_segment whole = move_segment(s);
	uint64_t first = fh_segment_first(whole);

	fh_unit_redeem(whole.handle, whole.count, FH_UNIT_SEGMENT, FH_CALLER);
	*low = make_segment(first, pages, FH_CALLER);
	*high = make_segment(first + pages, whole.count - pages, FH_CALLER);
	return FH_OK;
}

/* Another reference to each page, in a segment of its own. */
/*@
  requires region_inv && 0 < first && first + count <= FH_MAX_FRAMES;
  requires count > 0;
  requires \forall integer i; first <= i < first + count ==>
    frame_handle(i);
  assigns fh_slots[first .. first + count - 1].state,
          g_held[first .. first + count - 1];
  exits \false;
  ensures region_inv;
  ensures \result.handle == first && \result.count == count;
  ensures \forall integer i; first <= i < first + count ==>
    fh_slots[i].state == \old(fh_slots[i].state) + 1 &&
    g_held[i] == \old(g_held[i]) + 1 && frame_handle(i);
*/
static struct fh_segment share_pages(uint64_t first, uint64_t count,
				     uintptr_t site)
{
	/*@
	  loop invariant 0 <= i <= count;
	  loop invariant \forall integer j; first <= j < first + i ==>
	    fh_slots[j].state == \at(fh_slots[j].state,Pre) + 1 &&
	    fh_slots[j].state <= FH_STATE_MAX;
	  loop invariant \forall integer j; first + i <= j < first + count ==>
	    fh_slots[j].state == \at(fh_slots[j].state,Pre);
	  loop assigns i, fh_slots[first .. first + count - 1].state;
	  loop variant count - i;
	*/
	for (uint64_t i = 0; i < count; i++)
		fh_page_get(first + i, site);
	struct fh_segment shared = make_segment(first, count, site);

	/*@ assert \forall integer j; first <= j < first + count ==>
	      slot_inv(j); */
	return shared;
}

enum fh_status fh_segment_slice(struct fh_segment s, uint64_t begin,
				uint64_t end, struct fh_segment *out)
{
	if (begin > end || end > s.count)
		return FH_E_OUT_OF_BOUND;
	if (begin == end) {
		*out = fh_segment_none();
		return FH_OK;
	}
	fh_unit_check(s.handle, FH_UNIT_SEGMENT, FH_CALLER);
	*out = share_pages(fh_segment_first(s) + begin, end - begin, FH_CALLER);
	return FH_OK;
}

struct fh_segment fh_segment_get(struct fh_segment s)
{
	if (s.count == 0)
		return fh_segment_none();
	fh_unit_check(s.handle, FH_UNIT_SEGMENT, FH_CALLER);
	return share_pages(fh_segment_first(s), s.count, FH_CALLER);
}

enum fh_status fh_segment_next(struct fh_segment *s, struct fh_frame *out)
{
	uint64_t first = fh_segment_first(*s);

	if (s->count == 0)
		return FH_E_EMPTY;
	s->handle = fh_unit_advance(s->handle, s->count, FH_CALLER);
	s->count = s->count - 1;
	out->handle = fh_unit_mint(first, 1, FH_UNIT_FRAME, FH_CALLER);
	return FH_OK;
}

void fh_segment_put(struct fh_segment *s)
{
	struct fh_segment whole = move_segment(s);

	if (whole.count == 0)
		return;
	fh_unit_redeem(whole.handle, whole.count, FH_UNIT_SEGMENT, FH_CALLER);
	unclaim_pages(fh_segment_first(whole),
		      fh_segment_first(whole) + whole.count, FH_CALLER);
}

struct fh_range fh_segment_into_raw(struct fh_segment *s)
{
	struct fh_segment whole = move_segment(s);
	struct fh_range range = {
		.first = fh_segment_first(whole),
		.count = whole.count,
	};

	if (whole.count > 0)
		fh_unit_forget(whole.handle, whole.count, FH_UNIT_SEGMENT,
			       FH_CALLER);
	return range;
}

/* Whether somebody shares the page, as far as one look can tell. */
/*@
  requires region_inv && frame < FH_PAGE_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result == share_answer(frame);
*/
static enum fh_status check_shared(uint64_t frame)
{
	uint64_t i;
	enum fh_status status = fh_slot_find_live(fh_paddr_of_frame(frame), &i);

	if (status != FH_OK)
		return status;
	uint64_t state = fh_state_load_relaxed(i);
	if (state >= FH_STATE_ONE)
		return FH_OK;
	status = fh_claim_status(state);
	return status == FH_OK ? FH_E_UNUSED : status;
}

/* The first answer that is none of FH_OK, if any. */
/*@
  requires region_inv && 0 < count;
  requires first + count <= fh_memory.frame_end;
  assigns \nothing;
  exits \false;
  ensures \result == restore_answer(first, first + count);
  ensures \result == FH_OK ==>
    \forall integer i; first <= i < first + count ==>
      slot_inv(i) && live(i) && is_shared(fh_slots[i].state);
*/
static enum fh_status check_all_shared(uint64_t first, uint64_t count)
{
	/*@
	  loop invariant 0 <= i <= count;
	  loop invariant \forall integer j; first <= j < first + i ==>
	    slot_inv(j);
	  loop invariant \forall integer j; first <= j < first + i ==> live(j);
	  loop invariant \forall integer j; first <= j < first + i ==>
	    is_shared(fh_slots[j].state);
	  loop invariant first_unshared(first, first + count) ==
	    first_unshared(first + i, first + count);
	  loop assigns i;
	  loop variant count - i;
	*/
	for (uint64_t i = 0; i < count; i++) {
		enum fh_status status = check_shared(first + i);

		/*@ assert status != FH_OK ==>
		      status == restore_answer(first, first + count); */
		/*@ assert status == FH_OK ==> slot_inv(first + i) &&
		      live(first + i) && is_shared(fh_slots[first + i].state);
		*/
		if (status != FH_OK)
			return status;
		/*@ assert slot_inv(first + i); */
		/*@ assert live(first + i); */
		/*@ assert is_shared(fh_slots[first + i].state); */
		/*@ assert \forall integer j; first <= j < first + i + 1 ==>
		      j == first + i || j < first + i; */
	}
	return FH_OK;
}

enum fh_status fh_segment_from_raw(struct fh_range range,
				   struct fh_segment *out)
{
	if (range.count == 0) {
		*out = fh_segment_none();
		return FH_OK;
	}
	if (range.first > fh_memory.frame_end ||
	    range.count > fh_memory.frame_end - range.first)
		return FH_E_OUT_OF_BOUND;
	enum fh_status status = check_all_shared(range.first, range.count);
	if (status != FH_OK)
		return status;
	out->handle = fh_unit_restore(range.first, range.count, FH_UNIT_SEGMENT,
				      FH_CALLER);
	out->count = range.count;
	return FH_OK;
}

enum fh_status fh_segment_borrow(struct fh_segment s, uint64_t index,
				 struct fh_frame_ref *out)
{
	if (index >= s.count)
		return FH_E_OUT_OF_BOUND;
	fh_unit_check(s.handle, FH_UNIT_SEGMENT, FH_CALLER);
	out->frame = fh_segment_first(s) + index;
	return FH_OK;
}

enum fh_status fh_segment_check_type(struct fh_segment s,
				     const struct fh_meta_type *type)
{
	if (s.count == 0)
		return FH_E_EMPTY;
	/*@
	  loop invariant 0 <= i <= s.count;
	  loop invariant \forall integer j; s.handle <= j < s.handle + i ==>
	    fh_slots[j].type == type;
	  loop assigns i;
	  loop variant s.count - i;
	*/
	for (uint64_t i = 0; i < s.count; i++)
		if (fh_slots[fh_segment_first(s) + i].type != type)
			return FH_E_WRONG_TYPE;
	return FH_OK;
}

enum fh_status fh_usegment_from_segment(struct fh_segment *s,
					struct fh_usegment *out)
{
	if (s->count == 0)
		return FH_E_EMPTY;
	/*@
	  loop invariant 0 <= i <= s->count;
	  loop invariant \forall integer j; s->handle <= j < s->handle + i ==>
	    fh_slots[j].type->untyped;
	  loop assigns i;
	  loop variant s->count - i;
	*/
	for (uint64_t i = 0; i < s->count; i++)
		if (!fh_slots[fh_segment_first(*s) + i].type->untyped)
			return FH_E_WRONG_TYPE;
	struct fh_segment whole = move_segment(s);
	out->handle = whole.handle;
	out->count = whole.count;
	return FH_OK;
}

/* The external definitions of this header's inline functions. */
extern struct fh_segment fh_segment_none(void);
extern uint64_t fh_segment_first(struct fh_segment s);
extern uint64_t fh_segment_count(struct fh_segment s);
extern uint64_t fh_segment_size(struct fh_segment s);
extern struct fh_paddr fh_segment_start(struct fh_segment s);
extern struct fh_paddr fh_segment_end(struct fh_segment s);
extern struct fh_segment fh_segment_from_usegment(struct fh_usegment *s);
extern struct fh_usegment fh_usegment_none(void);
extern uint64_t fh_usegment_first(struct fh_usegment s);
extern uint64_t fh_usegment_count(struct fh_usegment s);
extern void fh_usegment_put(struct fh_usegment *s);
