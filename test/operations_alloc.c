/* SPDX-License-Identifier: MPL-2.0 */
/* Operations on the allocator and on given pages of it: operations.h. */
#include "operations.h"

#include <framehold/allocator.h>

/* An allocator may keep some pages in reserve; below it refusal is right. */
#define ALLOCATOR_RESERVE 24

struct request {
	struct fh_alloc_options options;
	const struct fh_alloc_options *given; /* null now and then */
	const struct fh_meta_type *type;
	const struct fh_meta *words;
	uint64_t n;
	enum fh_status due; /* if there is memory */
};

static struct request draw_request(struct world *w, uint64_t n)
{
	static const uint64_t aligns[] = {0, 0, 0, 1, 2, 4, 16, 3};
	struct request r = {
		.n = n,
		.options.zeroed = draw(w, 2) == 0,
		.options.align = aligns[draw(w, 8)],
		.type = draw_type(w),
		.words = draw_words(w),
	};

	if (draw(w, 4) == 0)
		r.options.below = draw_frame(w);
	if (r.options.align == 3 || r.type == NULL ||
	    r.type->size > FH_META_SIZE)
		r.due = FH_E_INVALID;
	else if (n == 0)
		r.due = FH_E_EMPTY;
	return r;
}

/* A null one asks for any zeroed page. */
static const struct fh_alloc_options *options_of(struct world *w,
						 struct request *r)
{
	if (r->options.align != 0 || r->options.below != 0)
		return &r->options;
	if (draw(w, 2) == 0)
		return &r->options;
	r->options.zeroed = true;
	return NULL;
}

static bool run_fits(const struct world *w, const struct request *r,
		     uint64_t first)
{
	uint64_t align = r->options.align;
	uint64_t below = r->options.below;

	if (align > 1 && first % align != 0)
		return false;
	for (uint64_t i = first; i - first < r->n; i++)
		if (model_page(&w->model, i)->state != MODEL_FREE ||
		    (below != 0 && i >= below))
			return false;
	return true;
}

/* Any allocator finds a naturally aligned block that nothing is taken of. */
static bool must_succeed(const struct world *w, const struct request *r)
{
	const struct model_window *windows = w->model.layout->windows;
	struct request block = *r;

	if (w->model.counts[MODEL_FREE] < ALLOCATOR_RESERVE ||
	    r->n > w->model.counts[MODEL_FREE] - ALLOCATOR_RESERVE)
		return false;
	block.n = 1;
	while (block.n < r->n || block.n < r->options.align)
		block.n *= 2;
	block.options.align = block.n;
	for (unsigned i = 0; i < MODEL_WINDOWS; i++)
		for (uint64_t j = 0; j < windows[i].count; j++)
			if (run_fits(w, &block, windows[i].first + j))
				return true;
	return false;
}

/* Whether the allocation succeeded, as it may have; where it says it did. */
static bool was_allocated(struct world *w, const struct request *r,
			  enum fh_status status, uint64_t first)
{
	if (status == FH_E_NO_MEMORY && r->due == FH_OK) {
		expect(w, !must_succeed(w, r), "there is no memory");
		return answered(w, status, status);
	}
	if (!answered(w, status, r->due))
		return false;
	if (!expect(w, run_fits(w, r, first), "what the allocator gave"))
		return false;
	for (uint64_t i = first; r->options.zeroed && i - first < r->n; i++)
		expect(w, model_page_is_zero(i), "zeroed pages are zero");
	return !w->model.failed;
}

static void claim_allocated(struct world *w, const struct request *r,
			    uint64_t first, enum fh_unit unit)
{
	for (uint64_t i = first; i - first < r->n; i++)
		model_claim(&w->model, i, r->type, r->words, unit);
}

void alloc_frame(struct world *w)
{
	struct owner *place = draw_place(w);
	struct request r = draw_request(w, 1);
	struct fh_frame out = {UNTOUCHED};
	enum fh_status status =
		fh_frame_alloc(options_of(w, &r), r.type, r.words, &out);
	uint64_t first = fh_frame_number(out);

	if (!was_allocated(w, &r, status, first)) {
		expect(w, status == FH_OK || out.handle == UNTOUCHED,
		       "out of a failed allocation");
		return;
	}
	claim_allocated(w, &r, first, FH_UNIT_FRAME);
	own_frame(place, out, first);
}

void alloc_unique(struct world *w)
{
	struct owner *place = draw_place(w);
	struct request r = draw_request(w, 1);
	struct fh_unique out = {UNTOUCHED};
	enum fh_status status =
		fh_unique_alloc(options_of(w, &r), r.type, r.words, &out);
	uint64_t first = fh_unique_number(out);

	if (!was_allocated(w, &r, status, first)) {
		expect(w, status == FH_OK || out.handle == UNTOUCHED,
		       "out of a failed allocation");
		return;
	}
	claim_allocated(w, &r, first, FH_UNIT_UNIQUE);
	own_unique(place, out, first);
}

static uint64_t draw_page_count(struct world *w)
{
	switch (draw(w, 16)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return UINT64_C(1) << 52;
	case 3:
		return 1 + draw(w, 200);
	default:
		return 1 + draw(w, 12);
	}
}

void alloc_segment(struct world *w)
{
	struct owner *place = draw_place(w);
	struct request r = draw_request(w, draw_page_count(w));
	struct fh_segment out = {UNTOUCHED, UNTOUCHED};
	enum fh_status status =
		fh_segment_alloc(r.n, options_of(w, &r), r.type, r.words, &out);
	uint64_t first = fh_segment_first(out);

	if (!was_allocated(w, &r, status, first)) {
		expect(w, status == FH_OK || out.count == UNTOUCHED,
		       "out of a failed allocation");
		return;
	}
	claim_allocated(w, &r, first, FH_UNIT_SEGMENT);
	own_segment(place, out, first, r.n);
}

/* ---- Given pages ---- */

/* The first page that is not in that state says why not. */
static enum fh_status given_status(const struct world *w, uint64_t first,
				   uint64_t n, enum model_state needed,
				   bool *may_be_busy)
{
	if (n == 0)
		return FH_E_EMPTY;
	if (first >= w->model.frame_end || n > w->model.frame_end - first)
		return FH_E_OUT_OF_BOUND;
	for (uint64_t i = first; i - first < n; i++)
		if (model_page(&w->model, i)->state == MODEL_ABSENT ||
		    !fh_allocator_covers(i))
			return FH_E_OUT_OF_BOUND;
	for (uint64_t i = first; i - first < n; i++) {
		enum model_state state = model_page(&w->model, i)->state;

		*may_be_busy = *may_be_busy || state == MODEL_FREE;
		if (state == needed)
			continue;
		if (state == MODEL_FREE)
			return FH_E_TWICE;
		if (state == MODEL_UNUSED)
			return FH_E_UNUSED;
		return state == MODEL_UNIQUE ? FH_E_UNIQUE : FH_E_IN_USE;
	}
	return FH_OK;
}

static uint64_t draw_given_count(struct world *w)
{
	return draw(w, 16) == 0 ? draw_page_count(w) : 1 + draw(w, 4);
}

void take_pages(struct world *w)
{
	uint64_t first = fh_frame_of_paddr(draw_address(w));
	uint64_t n = draw_given_count(w);
	bool may_be_busy = false;
	enum fh_status due =
		given_status(w, first, n, MODEL_FREE, &may_be_busy);

	if (answered_or_busy(w, fh_alloc_take(first, n), due, may_be_busy))
		for (uint64_t i = first; i - first < n; i++)
			model_release(&w->model, i, MODEL_UNUSED);
}

void add_pages(struct world *w)
{
	uint64_t first = fh_frame_of_paddr(draw_address(w));
	uint64_t n = draw_given_count(w);
	bool may_be_busy = false;
	enum fh_status due =
		given_status(w, first, n, MODEL_UNUSED, &may_be_busy);

	if (answered(w, fh_alloc_add(first, n), due))
		for (uint64_t i = first; i - first < n; i++)
			model_release(&w->model, i, MODEL_FREE);
}

void retire_pages(struct world *w)
{
	uint64_t first = fh_frame_of_paddr(draw_address(w));
	uint64_t n = draw_given_count(w);
	bool may_be_busy = false;
	enum fh_status due =
		given_status(w, first, n, MODEL_FREE, &may_be_busy);

	/* Seldom, so that memory lasts. */
	if (draw(w, 4) != 0)
		return;
	if (answered_or_busy(w, fh_alloc_retire(first, n), due, may_be_busy))
		for (uint64_t i = first; i - first < n; i++)
			model_claim(&w->model, i, &fh_unusable_type, NULL,
				    FH_UNIT_RAW);
}

void restore_metadata(struct world *w)
{
	size_t index = (size_t)draw(w, 4);
	struct fh_range piece = {UNTOUCHED, UNTOUCHED};
	struct fh_segment s = fh_segment_none();

	if (fh_memory_metadata(index, &piece) != FH_OK) {
		expect(w, index > 0, "there is a piece of metadata");
		expect(w, piece.count == UNTOUCHED, "out of a missing piece");
		return;
	}
	for (uint64_t i = 0; i < piece.count; i++)
		expect(w, model_page(&w->model, piece.first + i)->is_library,
		       "a piece of metadata");
	if (!answered(w, fh_segment_from_raw(piece, &s), FH_OK))
		return;
	struct fh_range range = fh_segment_into_raw(&s);
	expect(w, range.first == piece.first && range.count == piece.count,
	       "a piece restored and forgotten");
}
