/* SPDX-License-Identifier: MPL-2.0 */
/* Operations on one page, shared or unique: operations.h. */
#include "operations.h"

static uint64_t frame_at(const struct world *w)
{
	return fh_frame_of_paddr(w->at);
}

/* ---- Claims and references by address ---- */

void claim_frame(struct world *w)
{
	struct owner *place = draw_place(w);
	struct fh_paddr pa = draw_address(w);
	const struct fh_meta_type *type = draw_type(w);
	const struct fh_meta *words = draw_words(w);
	enum fh_status due = model_claim_status(&w->model, pa, type);
	struct fh_frame out = {UNTOUCHED};

	if (!answered_or_busy(w, fh_frame_from_unused(pa, type, words, &out),
			      due, is_free(w, pa))) {
		expect(w, out.handle == UNTOUCHED, "out of a failed claim");
		return;
	}
	model_claim(&w->model, frame_at(w), type, words, FH_UNIT_FRAME);
	own_frame(place, out, frame_at(w));
}

void claim_unique(struct world *w)
{
	struct owner *place = draw_place(w);
	struct fh_paddr pa = draw_address(w);
	const struct fh_meta_type *type = draw_type(w);
	const struct fh_meta *words = draw_words(w);
	enum fh_status due = model_claim_status(&w->model, pa, type);
	struct fh_unique out = {UNTOUCHED};

	if (!answered_or_busy(w, fh_unique_from_unused(pa, type, words, &out),
			      due, is_free(w, pa))) {
		expect(w, out.handle == UNTOUCHED, "out of a failed claim");
		return;
	}
	model_claim(&w->model, frame_at(w), type, words, FH_UNIT_UNIQUE);
	own_unique(place, out, frame_at(w));
}

void claim_note(struct world *w)
{
	struct owner *place = draw_place(w);
	struct fh_paddr pa = draw_address(w);
	const struct fh_meta_type *type = &model_note_type;
	enum fh_status due = model_claim_status(&w->model, pa, type);
	struct model_note note = {.number = w->step, .low = 1, .high = 2};
	struct fh_meta words = model_note_meta_pack(&note);
	struct model_note_frame out = {{UNTOUCHED}};

	if (!answered_or_busy(w, model_note_frame_from_unused(pa, &note, &out),
			      due, is_free(w, pa))) {
		expect(w, out.frame.handle == UNTOUCHED, "out of a claim");
		return;
	}
	model_claim(&w->model, frame_at(w), type, &words, FH_UNIT_FRAME);
	own_frame(place, out.frame, frame_at(w));
	place->kind = OWNER_NOTE;
	place->note = out;
	place->frame = fh_frame_none();
}

void share_by_address(struct world *w)
{
	struct owner *place = draw_place(w);
	struct fh_paddr pa = draw_address(w);
	enum fh_status due = model_share_status(&w->model, pa);
	struct fh_frame out = {UNTOUCHED};

	if (!answered(w, fh_frame_from_in_use(pa, &out), due)) {
		expect(w, out.handle == UNTOUCHED, "out of a failed share");
		return;
	}
	model_add(&w->model, frame_at(w), FH_UNIT_FRAME);
	own_frame(place, out, frame_at(w));
}

static void call_inc(void *pa)
{
	(void)!fh_frame_inc(*(const struct fh_paddr *)pa);
}

void increase(struct world *w)
{
	struct fh_paddr pa = draw_address(w);
	enum fh_status due = model_find(&w->model, pa);

	if (due != FH_OK) {
		answered(w, fh_frame_inc(pa), due);
		return;
	}
	uint64_t state = fh_state_load_relaxed(frame_at(w));
	if (model_share_status(&w->model, pa) != FH_OK) {
		must_stop(w, "get", call_inc, &pa);
		/* It counts before it looks. */
		fh_state_store_relaxed(frame_at(w), state);
		return;
	}
	if (answered(w, fh_frame_inc(pa), FH_OK))
		model_add(&w->model, frame_at(w), FH_UNIT_RAW);
}

void look_at_address(struct world *w)
{
	struct fh_paddr pa = draw_address(w);
	uint64_t number = fh_frame_of_paddr(pa);
	uint64_t out = UNTOUCHED;
	enum fh_status due = model_find(&w->model, pa);
	const struct model_page *page = model_page(&w->model, number);
	bool exists = page->state != MODEL_ABSENT;

	if (answered(w, fh_get_slot(pa, &out), due))
		expect(w, out == number, "the number of a slot");
	else
		expect(w, out == UNTOUCHED, "out of a page without slot");
	expect(w, fh_max_paddr().bytes == w->model.frame_end * FH_PAGE_SIZE,
	       "the end of memory");
	expect(w, fh_range_in_region(number, 1) == exists, "page in region");
	expect(w, fh_range_not_in_region(number, 1) == !exists,
	       "page not in region");
	expect(w, fh_range_not_mapped(number, 1) == (FH_CHECKED != 0),
	       "page not mapped");
}

/* ---- References from references ---- */

void get_owned(struct world *w)
{
	struct owner *place = draw_place(w);
	struct owner *from = draw_any_owner(w);
	enum fh_unit unit = FH_UNIT_FRAME;

	*place = (struct owner){
		.kind = from->kind,
		.first = from->first,
		.count = from->count,
	};
	switch (from->kind) {
	case OWNER_FRAME:
		place->frame = fh_frame_get(from->frame);
		break;
	case OWNER_UFRAME:
		place->uframe = fh_uframe_get(from->uframe);
		break;
	case OWNER_NOTE:
		place->note = model_note_frame_get(from->note);
		break;
	case OWNER_NONE:
	case OWNER_SEGMENT:
		place->segment = fh_segment_get(from->segment);
		unit = FH_UNIT_SEGMENT;
		break;
	default:
		disown(place);
		return;
	}
	for (uint64_t i = 0; i < place->count; i++)
		model_add(&w->model, place->first + i, unit);
	answered(w, FH_OK, FH_OK);
}

void put_owned(struct world *w)
{
	put_owner(w, draw_any_owner(w));
	answered(w, FH_OK, FH_OK);
}

void borrow_and_get(struct world *w)
{
	struct owner *place = draw_place(w);
	struct owner *from = draw_owner(w, OWNER_FRAME);

	if (from->kind == OWNER_NONE)
		return;
	struct fh_frame_ref ref = fh_frame_borrow(from->frame);
	expect(w, fh_frame_ref_number(ref) == from->first, "a borrow's number");
	expect(w, fh_frame_ref_paddr(ref).bytes == from->first * FH_PAGE_SIZE,
	       "a borrow's address");
	own_frame(place, fh_frame_ref_get(ref), from->first);
	model_add(&w->model, place->first, FH_UNIT_FRAME);
	answered(w, FH_OK, FH_OK);
}

/* ---- Forgotten references ---- */

/* The frame of an owner that has one in any form. */
static struct fh_frame as_frame(struct owner *owner)
{
	if (owner->kind == OWNER_UFRAME)
		return fh_frame_from_uframe(&owner->uframe);
	if (owner->kind == OWNER_NOTE)
		return model_note_frame_into_dyn(&owner->note);
	return owner->frame;
}

void forget_frame(struct world *w)
{
	static const enum owner_kind kinds[] = {OWNER_FRAME, OWNER_UFRAME,
						OWNER_NOTE};
	struct owner *owner = draw_owner(w, kinds[draw(w, 3)]);
	struct fh_frame f = as_frame(owner);

	if (owner->kind == OWNER_NONE)
		return;
	struct fh_paddr pa = fh_frame_into_raw(&f);
	expect(w, !fh_frame_is_some(f), "into_raw zeroes the handle");
	expect(w, pa.bytes == owner->first * FH_PAGE_SIZE,
	       "into_raw's address");
	model_move(&w->model, owner->first, FH_UNIT_FRAME, FH_UNIT_RAW);
	disown(owner);
	answered(w, FH_OK, FH_OK);
}

struct restoring {
	struct fh_paddr pa;
	struct fh_frame out;
};

static void call_from_raw(void *restoring)
{
	struct restoring *r = restoring;

	(void)!fh_frame_from_raw(r->pa, &r->out);
}

void restore_frame(struct world *w)
{
	struct owner *place = draw_place(w);
	struct restoring r = {draw_address(w), {UNTOUCHED}};
	enum fh_status due = model_share_status(&w->model, r.pa);
	const struct model_page *page = model_page(&w->model, frame_at(w));

	if (due == FH_OK && page->units[FH_UNIT_RAW] <= page->is_library) {
		if (FH_CHECKED && !page->is_library)
			must_stop(w, "restore", call_from_raw, &r);
		return;
	}
	if (!answered(w, fh_frame_from_raw(r.pa, &r.out), due)) {
		expect(w, r.out.handle == UNTOUCHED, "out of a from_raw");
		return;
	}
	model_move(&w->model, frame_at(w), FH_UNIT_RAW, FH_UNIT_FRAME);
	own_frame(place, r.out, frame_at(w));
}

/* ---- Conversions ---- */

void make_untyped(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_FRAME);
	bool fits = owner->kind != OWNER_NONE &&
		    model_page(&w->model, owner->first)->type->untyped;
	struct fh_uframe out = {UNTOUCHED};
	enum fh_status status = fh_uframe_from_frame(&owner->frame, &out);

	if (!answered(w, status, fits ? FH_OK : FH_E_WRONG_TYPE)) {
		expect(w, out.handle == UNTOUCHED, "out of a conversion");
		return;
	}
	owner->kind = OWNER_UFRAME;
	owner->uframe = out;
	expect(w, owner->frame.handle == 0, "a conversion takes the handle");
}

void forget_untyped(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_UFRAME);

	owner->frame = fh_frame_from_uframe(&owner->uframe);
	expect(w, owner->uframe.handle == 0, "a conversion takes the handle");
	if (owner->kind != OWNER_NONE)
		owner->kind = OWNER_FRAME;
	answered(w, FH_OK, FH_OK);
}

void make_note(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_FRAME);
	bool fits =
		owner->kind != OWNER_NONE &&
		model_page(&w->model, owner->first)->type == &model_note_type;
	struct model_note_frame out = {{UNTOUCHED}};
	enum fh_status status = model_note_frame_from_dyn(&owner->frame, &out);

	if (!answered(w, status, fits ? FH_OK : FH_E_WRONG_TYPE)) {
		expect(w, out.frame.handle == UNTOUCHED, "out of from_dyn");
		return;
	}
	owner->kind = OWNER_NOTE;
	owner->note = out;
	expect(w, owner->frame.handle == 0, "from_dyn takes the handle");
}

void forget_note(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_NOTE);

	owner->frame = model_note_frame_into_dyn(&owner->note);
	expect(w, owner->note.frame.handle == 0, "into_dyn takes the handle");
	if (owner->kind != OWNER_NONE)
		owner->kind = OWNER_FRAME;
	answered(w, FH_OK, FH_OK);
}

/* ---- Unique frames ---- */

void repurpose(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_UNIQUE);
	const struct fh_meta_type *type = draw_type(w);
	const struct fh_meta *words = draw_words(w);
	bool is_valid = type != NULL && type->size <= FH_META_SIZE;
	enum fh_status due = is_valid ? FH_OK : FH_E_INVALID;

	if (owner->kind == OWNER_NONE)
		due = FH_E_EMPTY;
	/* The page does not stop being unique. */
	w->model.drop_status = FH_E_UNIQUE;
	enum fh_status status = fh_unique_repurpose(owner->unique, type, words);
	w->model.drop_status = FH_E_BUSY;
	if (!answered(w, status, due))
		return;
	model_due(&w->model, owner->first);
	model_set_words(&w->model, owner->first, type, words);
}

void reset_unique(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_UNIQUE);

	fh_unique_reset_as_unused(&owner->unique);
	expect(w, owner->unique.handle == 0, "reset takes the handle");
	if (owner->kind != OWNER_NONE) {
		model_due(&w->model, owner->first);
		model_release(&w->model, owner->first, MODEL_UNUSED);
	}
	disown(owner);
	answered(w, FH_OK, FH_OK);
}

void share_unique(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_UNIQUE);

	if (owner->kind == OWNER_NONE)
		return;
	struct fh_frame f = fh_frame_from_unique(&owner->unique);
	expect(w, owner->unique.handle == 0, "sharing takes the handle");
	model_move(&w->model, owner->first, FH_UNIT_UNIQUE, FH_UNIT_FRAME);
	own_frame(owner, f, owner->first);
	answered(w, FH_OK, FH_OK);
}

void make_unique(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_FRAME);
	struct fh_unique out = {UNTOUCHED};
	enum fh_status due = FH_OK;

	if (owner->kind == OWNER_NONE)
		due = FH_E_EMPTY;
	else if (model_holders(&w->model, owner->first) > 1)
		due = FH_E_IN_USE;
	if (!answered(w, fh_unique_from_frame(&owner->frame, &out), due)) {
		expect(w, out.handle == UNTOUCHED, "out of a conversion");
		return;
	}
	expect(w, owner->frame.handle == 0, "a conversion takes the handle");
	model_move(&w->model, owner->first, FH_UNIT_FRAME, FH_UNIT_UNIQUE);
	own_unique(owner, out, owner->first);
}

void forget_unique(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_UNIQUE);

	if (owner->kind == OWNER_NONE)
		return;
	struct fh_paddr pa = fh_unique_into_raw(&owner->unique);
	expect(w, owner->unique.handle == 0, "into_raw zeroes the handle");
	expect(w, pa.bytes == owner->first * FH_PAGE_SIZE,
	       "into_raw's address");
	model_move(&w->model, owner->first, FH_UNIT_UNIQUE, FH_UNIT_RAW);
	disown(owner);
	answered(w, FH_OK, FH_OK);
}

struct unique_restoring {
	struct fh_paddr pa;
	struct fh_unique out;
};

static void call_unique_from_raw(void *restoring)
{
	struct unique_restoring *r = restoring;

	(void)!fh_unique_from_raw(r->pa, &r->out);
}

void restore_unique(struct world *w)
{
	struct owner *place = draw_place(w);
	struct unique_restoring r = {draw_address(w), {UNTOUCHED}};
	enum fh_status due = model_unique_status(&w->model, r.pa);

	/* Page 0 is no frame, though it is unique. */
	if (frame_at(w) == 0)
		return;
	if (due == FH_OK &&
	    model_page(&w->model, frame_at(w))->units[FH_UNIT_RAW] == 0) {
		if (FH_CHECKED)
			must_stop(w, "restore", call_unique_from_raw, &r);
		return;
	}
	if (!answered(w, fh_unique_from_raw(r.pa, &r.out), due)) {
		expect(w, r.out.handle == UNTOUCHED, "out of a from_raw");
		return;
	}
	model_move(&w->model, frame_at(w), FH_UNIT_RAW, FH_UNIT_UNIQUE);
	own_unique(place, r.out, frame_at(w));
}

void write_unique(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_UNIQUE);
	const struct fh_meta *words = draw_words(w);
	const struct fh_meta_type *type;

	if (owner->kind == OWNER_NONE || words == NULL)
		return;
	type = model_page(&w->model, owner->first)->type;
	model_set_words(&w->model, owner->first, type, words);
	*fh_unique_meta(owner->unique) = *words;
	if (type == &model_note_type)
		expect(w,
		       model_note_unique_meta(owner->unique)->number ==
			       words->w[0],
		       "a unique page's words, typed");
	answered(w, FH_OK, FH_OK);
}
