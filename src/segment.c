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

static struct fh_meta make_meta(const struct meta_source *source,
				uint64_t frame)
{
	if (source->make != NULL)
		return source->make(source->context, fh_paddr_of_frame(frame));
	return source->meta != NULL ? *source->meta : fh_meta_zero;
}

/* Drops pages again that were claimed as a segment's. */
/*@
  requires 0 < first <= end <= FH_MAX_FRAMES;
  requires region_but(first, end);
  requires all_owed(first, end);
  assigns fh_slots[first .. end - 1], g_free[first .. end - 1];
  exits \false;
  ensures region_inv;
  ensures \forall integer i; first <= i < end ==> put_once{Pre,Post}(i);
*/
static void unclaim_pages(uint64_t first, uint64_t end, uintptr_t site)
{
	/*@
	  loop invariant first <= i <= end;
	  loop invariant \forall integer j; first <= j < i ==> slot_inv(j);
	  loop invariant all_owed(i, end);
	  loop invariant \forall integer j; first <= j < i ==>
	    put_once{Pre,Here}(j);
	  loop invariant same_but{Pre,Here}(first, i);
	  loop assigns i, fh_slots[first .. end - 1], g_free[first .. end - 1];
	  loop variant end - i;
	*/
	for (uint64_t i = first; i < end; i++) {
		/*@ assert slot_same{Pre,Here}(i); */
		fh_page_put(i, site);
		/*@ assert \forall integer j; first <= j < i ==>
		      slot_same{LoopCurrent,Here}(j); */
		/*@ assert \forall integer j; first <= j < i ==>
		      put_once{Pre,Here}(j); */
		/*@ assert put_once{Pre,Here}(i); */
	}
}

static enum fh_status claim_pages(uint64_t first, uint64_t end,
				  const struct fh_meta_type *type,
				  const struct meta_source *source,
				  uintptr_t site)
{
	for (uint64_t i = first; i < end; i++) {
		uint64_t frame;
		enum fh_status status =
			fh_slot_claim_at(fh_paddr_of_frame(i), &frame);

		if (status != FH_OK) {
			unclaim_pages(first, i, site);
			return status;
		}
		struct fh_meta meta = make_meta(source, i);
		fh_slot_write(i, type, &meta);
		fh_slot_publish(i);
	}
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
	for (uint64_t i = 0; i < range.count; i++) {
		enum fh_status status = check_shared(range.first + i);

		if (status != FH_OK)
			return status;
	}
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
