/* SPDX-License-Identifier: MPL-2.0 */
/* Operations on segments and lists: operations.h. */
#include "operations.h"

/* ---- Claiming a range ---- */

struct claim {
	struct fh_paddr start;
	struct fh_paddr end;
	const struct fh_meta_type *type;
	uint64_t first;
	uint64_t claimable; /* pages from first on, up to the one that is not */
	enum fh_status due;
	bool may_be_busy; /* one of them is free */
};

/* What one page's maker makes. */
static struct fh_meta made_words(const struct world *w, uint64_t frame)
{
	struct fh_meta words;

	for (unsigned i = 0; i < FH_META_WORDS; i++)
		words.w[i] = w->step << 32 | frame << 8 | i;
	return words;
}

static struct fh_paddr draw_end(struct world *w, struct fh_paddr start)
{
	uint64_t pages = draw(w, 16);
	struct fh_paddr end = fh_paddr(start.bytes + pages * FH_PAGE_SIZE);

	switch (draw(w, 16)) {
	case 0:
		return draw_address(w);
	case 1:
		return fh_paddr(end.bytes + 1);
	default:
		return end;
	}
}

static enum fh_status check_ends(const struct world *w, const struct claim *c)
{
	if (c->type == NULL || c->type->size > FH_META_SIZE)
		return FH_E_INVALID;
	if (c->start.bytes % FH_PAGE_SIZE != 0 ||
	    c->end.bytes % FH_PAGE_SIZE != 0)
		return FH_E_NOT_ALIGNED;
	if (c->end.bytes / FH_PAGE_SIZE > w->model.frame_end)
		return FH_E_OUT_OF_BOUND;
	return c->start.bytes < c->end.bytes ? FH_OK : FH_E_EMPTY;
}

static struct claim draw_claim(struct world *w)
{
	struct claim c = {.start = draw_address(w)};

	c.end = draw_end(w, c.start);
	c.type = draw_type(w);
	c.first = c.start.bytes / FH_PAGE_SIZE;
	c.due = check_ends(w, &c);
	for (uint64_t i = c.first;
	     c.due == FH_OK && i < c.end.bytes / FH_PAGE_SIZE; i++) {
		struct fh_paddr pa = fh_paddr_of_frame(i);

		c.due = model_claim_status(&w->model, pa, c.type);
		c.claimable += c.due == FH_OK;
		c.may_be_busy = c.may_be_busy || is_free(w, pa);
	}
	return c;
}

/* A page that was claimed and dropped again ends as any dropped page. */
static void roll_back_page(struct world *w, const struct claim *c,
			   uint64_t frame, const struct fh_meta *words)
{
	struct model *m = &w->model;

	m->pages[frame].type = c->type;
	m->pages[frame].words = *words;
	m->pages[frame].known = FH_META_WORDS;
	model_due(m, frame);
	model_release(m, frame, model_dropped_state(frame, c->type));
}

/* How far a claim came that met a page on its way to a CPU. */
static uint64_t pages_before_busy(const struct world *w, const struct claim *c)
{
	uint64_t n = 0;

	if (c->type->on_drop != NULL)
		return w->model.seen.count;
	while (n < c->claimable &&
	       fh_state_load_relaxed(c->first + n) ==
		       (model_dropped_state(c->first + n, c->type) == MODEL_FREE
				? FH_STATE_FREE
				: FH_STATE_UNUSED))
		n++;
	return n;
}

/* The words of the page, by maker or the same for all. */
static struct fh_meta words_of(const struct world *w, uint64_t frame,
			       const struct fh_meta *same, bool made)
{
	if (made)
		return made_words(w, frame);
	return same != NULL ? *same : fh_meta_zero;
}

static void roll_back(struct world *w, const struct claim *c, uint64_t n,
		      const struct fh_meta *same, bool made)
{
	for (uint64_t i = c->first; i - c->first < n; i++) {
		struct fh_meta words = words_of(w, i, same, made);

		roll_back_page(w, c, i, &words);
	}
}

static void finish_claim(struct world *w, struct owner *place,
			 const struct claim *c, enum fh_status status,
			 struct fh_segment out, const struct fh_meta *same,
			 bool made)
{
	uint64_t n = c->claimable;

	if (status == FH_E_BUSY && c->may_be_busy)
		n = pages_before_busy(w, c);
	if (!answered_or_busy(w, status, c->due, c->may_be_busy)) {
		expect(w, out.handle == UNTOUCHED && out.count == UNTOUCHED,
		       "out of a failed claim");
		roll_back(w, c, n, same, made);
		return;
	}
	for (uint64_t i = c->first; i - c->first < n; i++) {
		struct fh_meta words = words_of(w, i, same, made);

		model_claim(&w->model, i, c->type, &words, FH_UNIT_SEGMENT);
	}
	own_segment(place, out, c->first, n);
}

void claim_segment(struct world *w)
{
	struct owner *place = draw_place(w);
	struct claim c = draw_claim(w);
	const struct fh_meta *words = draw_words(w);
	struct fh_segment out = {UNTOUCHED, UNTOUCHED};
	enum fh_status status =
		fh_segment_from_unused(c.start, c.end, c.type, words, &out);

	finish_claim(w, place, &c, status, out, words, false);
}

struct making {
	struct world *w;
	uint64_t next; /* the page whose turn it is */
	uint64_t made;
};

/* The page is nobody's but the claim's while its words are made. */
static struct fh_meta make_words(void *context, struct fh_paddr pa)
{
	struct making *making = context;
	struct fh_frame f = fh_frame_none();

	expect(making->w, pa.bytes == making->next * FH_PAGE_SIZE,
	       "pages are made in ascending order");
	expect(making->w, fh_frame_from_in_use(pa, &f) == FH_E_BUSY,
	       "a page is busy while it is made");
	making->next++;
	making->made++;
	return made_words(making->w, pa.bytes / FH_PAGE_SIZE);
}

void claim_segment_with(struct world *w)
{
	struct owner *place = draw_place(w);
	struct claim c = draw_claim(w);
	struct making making = {w, c.first, 0};
	struct fh_segment out = {UNTOUCHED, UNTOUCHED};
	enum fh_status status = fh_segment_from_unused_with(
		c.start, c.end, c.type, make_words, &making, &out);

	expect(w,
	       making.made == c.claimable ||
		       (status == FH_E_BUSY && making.made < c.claimable),
	       "pages that were made");
	finish_claim(w, place, &c, status, out, NULL, true);
}

/* ---- Segments ---- */

void segment_of_frame(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_FRAME);
	struct fh_segment s = fh_segment_from_frame(&owner->frame);

	expect(w, owner->frame.handle == 0, "a conversion takes the handle");
	if (owner->kind != OWNER_NONE)
		model_move(&w->model, owner->first, FH_UNIT_FRAME,
			   FH_UNIT_SEGMENT);
	else
		expect(w, s.handle == 0 && s.count == 0, "segment of no frame");
	own_segment(owner, s, owner->first, owner->count);
	answered(w, FH_OK, FH_OK);
}

void split_segment(struct world *w)
{
	struct owner *place = draw_place(w);
	struct owner *owner = draw_owner(w, OWNER_SEGMENT);
	uint64_t pages = draw_offset(w, owner->count);
	uint64_t first = owner->first;
	uint64_t count = owner->count;
	bool fits = pages > 0 && pages < count;
	struct fh_segment low = {UNTOUCHED, UNTOUCHED};
	struct fh_segment high = {UNTOUCHED, UNTOUCHED};

	if (!answered(w, fh_segment_split(&owner->segment, pages, &low, &high),
		      fits ? FH_OK : FH_E_OUT_OF_BOUND)) {
		expect(w, low.count == UNTOUCHED && high.count == UNTOUCHED,
		       "out of a failed split");
		return;
	}
	expect(w, owner->segment.handle == 0 && owner->segment.count == 0,
	       "a split takes the handle");
	own_segment(owner, low, first, pages);
	own_segment(place, high, first + pages, count - pages);
}

void slice_segment(struct world *w)
{
	struct owner *place = draw_place(w);
	struct owner *owner = draw_owner(w, OWNER_SEGMENT);
	uint64_t begin = draw_offset(w, owner->count);
	uint64_t end = draw_offset(w, owner->count);
	bool fits = begin <= end && end <= owner->count;
	struct fh_segment out = {UNTOUCHED, UNTOUCHED};

	if (!answered(w, fh_segment_slice(owner->segment, begin, end, &out),
		      fits ? FH_OK : FH_E_OUT_OF_BOUND)) {
		expect(w, out.count == UNTOUCHED, "out of a failed slice");
		return;
	}
	expect(w, out.count == end - begin, "pages of a slice");
	for (uint64_t i = begin; i < end; i++)
		model_add(&w->model, owner->first + i, FH_UNIT_SEGMENT);
	if (out.count > 0)
		own_segment(place, out, owner->first + begin, end - begin);
	else
		expect(w, out.handle == 0, "an empty slice");
}

void next_of_segment(struct world *w)
{
	struct owner *place = draw_place(w);
	struct owner *owner = draw_owner(w, OWNER_SEGMENT);
	enum fh_status due = owner->kind == OWNER_NONE ? FH_E_EMPTY : FH_OK;
	struct fh_frame out = {UNTOUCHED};

	if (!answered(w, fh_segment_next(&owner->segment, &out), due)) {
		expect(w, out.handle == UNTOUCHED, "out of a failed next");
		return;
	}
	model_move(&w->model, owner->first, FH_UNIT_SEGMENT, FH_UNIT_FRAME);
	own_frame(place, out, owner->first);
	expect(w, owner->count > 1 || owner->segment.handle == 0,
	       "a drained segment is empty");
	own_segment(owner, owner->segment, owner->first + 1, owner->count - 1);
}

void forget_segment(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_SEGMENT);
	struct fh_range range = fh_segment_into_raw(&owner->segment);

	expect(w, owner->segment.handle == 0 && owner->segment.count == 0,
	       "into_raw zeroes the handle");
	expect(w, range.first == owner->first && range.count == owner->count,
	       "into_raw's range");
	for (uint64_t i = 0; i < owner->count; i++)
		model_move(&w->model, owner->first + i, FH_UNIT_SEGMENT,
			   FH_UNIT_RAW);
	disown(owner);
	answered(w, FH_OK, FH_OK);
}

struct segment_restoring {
	struct fh_range range;
	struct fh_segment out;
};

static void call_segment_from_raw(void *restoring)
{
	struct segment_restoring *r = restoring;

	(void)!fh_segment_from_raw(r->range, &r->out);
}

static enum fh_status range_status(const struct world *w, struct fh_range range)
{
	enum fh_status status = FH_OK;

	if (range.count == 0)
		return FH_OK;
	if (range.count > w->model.frame_end)
		return FH_E_OUT_OF_BOUND;
	if (range.first + range.count > w->model.frame_end)
		return FH_E_OUT_OF_BOUND;
	for (uint64_t i = 0; i < range.count && status == FH_OK; i++)
		status = model_share_status(&w->model,
					    fh_paddr_of_frame(range.first + i));
	return status;
}

/* The first page of the range without a forgotten reference, or its end. */
static uint64_t first_not_raw(const struct world *w, struct fh_range range,
			      bool *is_library)
{
	uint64_t i = range.first;

	*is_library = false;
	for (; i - range.first < range.count; i++) {
		const struct model_page *page = model_page(&w->model, i);

		*is_library = page->is_library;
		if (page->units[FH_UNIT_RAW] <= page->is_library)
			break;
	}
	return i;
}

void restore_segment(struct world *w)
{
	struct owner *place = draw_place(w);
	uint64_t first = draw_frame(w);
	uint64_t count = draw(w, 8) == 0 ? draw_offset(w, 1) : draw(w, 6);
	struct segment_restoring r = {{first, count}, {UNTOUCHED, UNTOUCHED}};
	enum fh_status due = range_status(w, r.range);
	bool is_library;

	if (due == FH_OK) {
		uint64_t bad = first_not_raw(w, r.range, &is_library);

		w->at = fh_paddr_of_frame(bad);
		if (bad - first < count) {
			if (FH_CHECKED && !is_library)
				must_stop(w, "restore", call_segment_from_raw,
					  &r);
			return;
		}
	}
	if (!answered(w, fh_segment_from_raw(r.range, &r.out), due)) {
		expect(w, r.out.count == UNTOUCHED, "out of a from_raw");
		return;
	}
	for (uint64_t i = 0; i < count; i++)
		model_move(&w->model, first + i, FH_UNIT_RAW, FH_UNIT_SEGMENT);
	expect(w, count > 0 || r.out.handle == 0, "an empty range's segment");
	own_segment(place, r.out, first, count);
}

void borrow_from_segment(struct world *w)
{
	struct owner *place = draw_place(w);
	struct owner *owner = draw_owner(w, OWNER_SEGMENT);
	uint64_t index = draw_offset(w, owner->count);
	bool fits = index < owner->count;
	struct fh_frame_ref ref = {UNTOUCHED};

	if (!answered(w, fh_segment_borrow(owner->segment, index, &ref),
		      fits ? FH_OK : FH_E_OUT_OF_BOUND)) {
		expect(w, ref.frame == UNTOUCHED, "out of a failed borrow");
		return;
	}
	expect(w, fh_frame_ref_number(ref) == owner->first + index,
	       "a borrow's number");
	own_frame(place, fh_frame_ref_get(ref), owner->first + index);
	model_add(&w->model, place->first, FH_UNIT_FRAME);
}

void check_segment_type(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_SEGMENT);
	const struct fh_meta_type *type = draw_type(w);
	enum fh_status due = owner->count == 0 ? FH_E_EMPTY : FH_OK;

	if (draw(w, 2) == 0 && owner->count > 0)
		type = model_page(&w->model, owner->first)->type;
	for (uint64_t i = 0; i < owner->count; i++)
		if (model_page(&w->model, owner->first + i)->type != type)
			due = FH_E_WRONG_TYPE;
	answered(w, fh_segment_check_type(owner->segment, type), due);
}

void make_usegment(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_SEGMENT);
	enum fh_status due = owner->count == 0 ? FH_E_EMPTY : FH_OK;
	struct fh_usegment out = {UNTOUCHED, UNTOUCHED};

	for (uint64_t i = 0; i < owner->count; i++)
		if (!model_page(&w->model, owner->first + i)->type->untyped)
			due = FH_E_WRONG_TYPE;
	if (!answered(w, fh_usegment_from_segment(&owner->segment, &out),
		      due)) {
		expect(w, out.count == UNTOUCHED, "out of a conversion");
		return;
	}
	expect(w, owner->segment.handle == 0 && owner->segment.count == 0,
	       "a conversion takes the handle");
	owner->kind = OWNER_USEGMENT;
	owner->usegment = out;
}

void forget_usegment(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_USEGMENT);

	owner->segment = fh_segment_from_usegment(&owner->usegment);
	expect(w, owner->usegment.handle == 0 && owner->usegment.count == 0,
	       "a conversion takes the handle");
	if (owner->kind != OWNER_NONE)
		owner->kind = OWNER_SEGMENT;
	answered(w, FH_OK, FH_OK);
}

/* ---- Lists ---- */

static struct member_list *draw_list(struct world *w)
{
	return &w->lists[draw(w, LISTS)];
}

static void insert_in_model(struct world *w, struct member_list *l, unsigned at,
			    uint64_t frame)
{
	for (unsigned i = l->size; i > at; i--)
		l->members[i] = l->members[i - 1];
	l->members[at] = frame;
	l->size++;
	model_enter_list(&w->model, frame, (unsigned)(l - w->lists));
}

static uint64_t remove_from_model(struct world *w, struct member_list *l,
				  unsigned at)
{
	uint64_t frame = l->members[at];

	l->size--;
	for (unsigned i = at; i < l->size; i++)
		l->members[i] = l->members[i + 1];
	model_leave_list(&w->model, frame);
	return frame;
}

/* Whether the owner's page may become a member. */
static enum fh_status member_status(const struct world *w,
				    const struct owner *owner)
{
	if (owner->kind == OWNER_NONE)
		return FH_E_EMPTY;
	return model_page(&w->model, owner->first)->type->size >
			       FH_META_SIZE_IN_LIST
		       ? FH_E_WRONG_TYPE
		       : FH_OK;
}

void push_to_list(struct world *w)
{
	struct member_list *l = draw_list(w);
	struct owner *owner = draw_owner(w, OWNER_UNIQUE);
	enum fh_status due = member_status(w, owner);
	bool at_front = draw(w, 2) == 0;
	enum fh_status status =
		at_front ? fh_list_push_front(&l->list, &owner->unique)
			 : fh_list_push_back(&l->list, &owner->unique);

	if (!answered(w, status, due))
		return;
	expect(w, owner->unique.handle == 0, "a push takes the handle");
	insert_in_model(w, l, at_front ? 0 : l->size, owner->first);
	disown(owner);
}

void pop_from_list(struct world *w)
{
	struct member_list *l = draw_list(w);
	struct owner *place = draw_place(w);
	bool at_front = draw(w, 2) == 0;
	struct fh_unique out = {UNTOUCHED};
	enum fh_status due = l->size == 0 ? FH_E_EMPTY : FH_OK;
	enum fh_status status = at_front ? fh_list_pop_front(&l->list, &out)
					 : fh_list_pop_back(&l->list, &out);

	if (!answered(w, status, due)) {
		expect(w, out.handle == UNTOUCHED, "out of a failed pop");
		return;
	}
	uint64_t frame = remove_from_model(w, l, at_front ? 0 : l->size - 1);
	own_unique(place, out, frame);
}

void find_in_list(struct world *w)
{
	struct member_list *l = draw_list(w);
	struct fh_paddr pa = draw_address(w);
	uint64_t frame = fh_frame_of_paddr(pa);
	struct fh_list_cursor cursor = {NULL, UNTOUCHED};

	if (draw(w, 2) == 0 && l->size > 0) {
		frame = l->members[draw(w, l->size)];
		pa = fh_paddr_of_frame(frame);
	}
	bool is_member = pa.bytes % FH_PAGE_SIZE == 0 &&
			 model_page(&w->model, frame)->list ==
				 (unsigned)(l - w->lists) + 1;
	expect(w, fh_list_contains(&l->list, pa) == is_member, "membership");
	if (!answered(w, fh_list_cursor_at(&l->list, pa, &cursor),
		      is_member ? FH_OK : FH_E_OUT_OF_BOUND)) {
		expect(w, cursor.list == NULL && cursor.frame == UNTOUCHED,
		       "out of a failed cursor_at");
		return;
	}
	expect(w, fh_list_cursor_number(&cursor) == frame, "a cursor's number");
	expect(w,
	       fh_list_cursor_meta(&cursor) == &fh_frame_to_meta(frame)->meta,
	       "a cursor's words");
	struct fh_meta *words = fh_list_cursor_meta(&cursor);
	for (unsigned i = 0; i < 3; i++) {
		words->w[i] = w->step + i;
		w->model.pages[frame].words.w[i] = w->step + i;
	}
}

/* A cursor at member number `at`; at the ghost if that is the list's size. */
static struct fh_list_cursor walk_to(struct member_list *l, unsigned at)
{
	struct fh_list_cursor cursor = fh_list_cursor_front(&l->list);

	for (unsigned i = 0; i < at; i++)
		fh_list_cursor_next(&cursor);
	return cursor;
}

void take_at_cursor(struct world *w)
{
	struct member_list *l = draw_list(w);
	struct owner *place = draw_place(w);
	unsigned at = (unsigned)draw(w, l->size + 1);
	struct fh_list_cursor cursor = walk_to(l, at);
	struct fh_unique out = {UNTOUCHED};
	enum fh_status due = at == l->size ? FH_E_EMPTY : FH_OK;

	if (!answered(w, fh_list_cursor_take(&cursor, &out), due)) {
		expect(w, out.handle == UNTOUCHED, "out of a failed take");
		return;
	}
	own_unique(place, out, remove_from_model(w, l, at));
	expect(w,
	       fh_list_cursor_number(&cursor) ==
		       (at < l->size ? l->members[at] : 0),
	       "a cursor after a take");
}

void insert_at_cursor(struct world *w)
{
	struct member_list *l = draw_list(w);
	struct owner *owner = draw_owner(w, OWNER_UNIQUE);
	enum fh_status due = member_status(w, owner);
	unsigned at = (unsigned)draw(w, l->size + 1);
	struct fh_list_cursor cursor = walk_to(l, at);
	uint64_t number = fh_list_cursor_number(&cursor);

	if (!answered(w, fh_list_cursor_insert_before(&cursor, &owner->unique),
		      due))
		return;
	expect(w, owner->unique.handle == 0, "an insertion takes the handle");
	expect(w, fh_list_cursor_number(&cursor) == number,
	       "a cursor after an insertion");
	insert_in_model(w, l, at, owner->first);
	disown(owner);
}

void drop_members(struct world *w, struct member_list *l)
{
	fh_list_drop(&l->list);
	while (l->size > 0) {
		uint64_t frame = remove_from_model(w, l, 0);

		model_sub(&w->model, frame, FH_UNIT_UNIQUE);
	}
}

void drop_list(struct world *w)
{
	struct member_list *l = draw_list(w);

	/* Seldom, so that lists grow. */
	if (draw(w, 4) != 0)
		return;
	drop_members(w, l);
	answered(w, FH_OK, FH_OK);
}
