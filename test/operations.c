/* SPDX-License-Identifier: MPL-2.0 */
/* The loop over operations, and what they have in common: operations.h. */
#include "operations.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	operation_body *run;
} operations[] = {
	{"frame_from_unused", claim_frame},
	{"unique_from_unused", claim_unique},
	{"typed from_unused", claim_note},
	{"frame_from_in_use", share_by_address},
	{"frame_inc", increase},
	{"get", get_owned},
	{"put", put_owned},
	{"put", put_owned},
	{"frame_borrow, ref_get", borrow_and_get},
	{"frame_into_raw", forget_frame},
	{"frame_from_raw", restore_frame},
	{"uframe_from_frame", make_untyped},
	{"frame_from_uframe", forget_untyped},
	{"typed from_dyn", make_note},
	{"typed into_dyn", forget_note},
	{"unique_repurpose", repurpose},
	{"unique_reset_as_unused", reset_unique},
	{"frame_from_unique", share_unique},
	{"unique_from_frame", make_unique},
	{"unique_into_raw", forget_unique},
	{"unique_from_raw", restore_unique},
	{"unique_meta", write_unique},
	{"get_slot", look_at_address},
	{"segment_from_unused", claim_segment},
	{"segment_from_unused_with", claim_segment_with},
	{"segment_from_frame", segment_of_frame},
	{"segment_split", split_segment},
	{"segment_slice", slice_segment},
	{"segment_next", next_of_segment},
	{"segment_into_raw", forget_segment},
	{"segment_from_raw", restore_segment},
	{"segment_borrow", borrow_from_segment},
	{"segment_check_type", check_segment_type},
	{"usegment_from_segment", make_usegment},
	{"segment_from_usegment", forget_usegment},
	{"list_push", push_to_list},
	{"list_push", push_to_list},
	{"list_pop", pop_from_list},
	{"list_cursor_at", find_in_list},
	{"list_cursor_take", take_at_cursor},
	{"list_cursor_insert_before", insert_at_cursor},
	{"list_drop", drop_list},
	{"frame_alloc", alloc_frame},
	{"unique_alloc", alloc_unique},
	{"segment_alloc", alloc_segment},
	{"alloc_take", take_pages},
	{"alloc_add", add_pages},
	{"alloc_retire", retire_pages},
	{"memory_metadata", restore_metadata},
};

#define OPERATION_COUNT (sizeof(operations) / sizeof(operations[0]))

_Static_assert(OPERATION_COUNT <= OPERATIONS_MAX, "the tally has room");

unsigned operations_count(void)
{
	return OPERATION_COUNT;
}

const char *operations_name(unsigned operation)
{
	return operations[operation].name;
}

/* ---- Drawing ---- */

static uint8_t next_byte(struct world *w)
{
	uint8_t byte = 0;

	if (w->left > 0) {
		byte = *w->bytes;
		w->bytes++;
		w->left--;
	}
	return byte;
}

uint64_t draw(struct world *w, uint64_t n)
{
	uint64_t value = next_byte(w);

	if (n > 256)
		value = value << 8 | next_byte(w);
	return value % n;
}

static uint64_t draw_window_frame(struct world *w)
{
	const struct model_window *windows = w->model.layout->windows;
	uint64_t count = 0;

	for (unsigned i = 0; i < MODEL_WINDOWS; i++)
		count += windows[i].count;
	uint64_t at = draw(w, count);
	unsigned i = 0;
	while (at >= windows[i].count) {
		at -= windows[i].count;
		i++;
	}
	return windows[i].first + at;
}

static uint64_t draw_owned_frame(struct world *w)
{
	const struct owner *owner = draw_any_owner(w);

	return owner->kind == OWNER_NONE
		       ? 0
		       : owner->first + draw(w, owner->count + 1);
}

uint64_t draw_frame(struct world *w)
{
	switch (draw(w, 8)) {
	case 0:
		return w->model.frame_end - 2 + draw(w, 4);
	case 1:
		return w->model.layout->hole;
	case 2:
	case 3:
		return draw_owned_frame(w);
	default:
		return draw_window_frame(w);
	}
}

static uint64_t draw_far_address(struct world *w)
{
	switch (draw(w, 4)) {
	case 0:
		return UINT64_MAX;
	case 1:
		return UINT64_MAX - FH_PAGE_SIZE + 1;
	case 2:
		return FH_FRAME_NUMBER_END * FH_PAGE_SIZE;
	default:
		return UINT64_C(1) << 63;
	}
}

struct fh_paddr draw_address(struct world *w)
{
	uint64_t special = draw(w, 32);
	uint64_t bytes = draw_frame(w) * FH_PAGE_SIZE;

	if (special == 0)
		bytes += 1 + draw(w, FH_PAGE_SIZE - 1);
	if (special == 1)
		bytes = draw_far_address(w);
	w->at = fh_paddr(bytes);
	return w->at;
}

const struct fh_meta_type *draw_type(struct world *w)
{
	static const struct fh_meta_type *const types[] = {
		&fh_untyped_type,   &model_full_type,   &model_linked_type,
		&model_linked_type, &model_plain_type,  &model_plain_type,
		&model_note_type,   &model_device_type,
	};
	uint64_t at = draw(w, 32);

	if (at == 0)
		return NULL;
	if (at == 1)
		return &model_large_type;
	return types[at % 8];
}

const struct fh_meta *draw_words(struct world *w)
{
	if (draw(w, 4) == 0)
		return NULL;
	for (unsigned i = 0; i < FH_META_WORDS; i++)
		w->words.w[i] = (w->step + 1) << 16 | i << 8 | draw(w, 256);
	return &w->words;
}

uint64_t draw_offset(struct world *w, uint64_t count)
{
	switch (draw(w, 8)) {
	case 0:
		return 0;
	case 1:
		return count;
	case 2:
		return count + 1;
	case 3:
		return UINT64_MAX - draw(w, 2);
	case 4:
		return UINT64_MAX / FH_PAGE_SIZE + draw(w, 2);
	default:
		return draw(w, count + 1);
	}
}

/* Owns nothing, for those who want a kind that nobody has. */
static struct owner *spare_owner(void)
{
	static struct owner none;

	none = (struct owner){.kind = OWNER_NONE};
	return &none;
}

struct owner *draw_owner(struct world *w, enum owner_kind kind)
{
	uint64_t first = draw(w, OWNERS);

	for (uint64_t i = 0; i < OWNERS; i++) {
		struct owner *owner = &w->owners[(first + i) % OWNERS];

		if (owner->kind == kind)
			return owner;
	}
	return spare_owner();
}

struct owner *draw_any_owner(struct world *w)
{
	return &w->owners[draw(w, OWNERS)];
}

struct owner *draw_place(struct world *w)
{
	struct owner *owner = draw_owner(w, OWNER_NONE);

	if (owner < w->owners || owner >= w->owners + OWNERS) {
		owner = draw_any_owner(w);
		put_owner(w, owner);
	}
	return owner;
}

/* ---- Owners ---- */

void disown(struct owner *owner)
{
	*owner = (struct owner){.kind = OWNER_NONE};
}

void own_frame(struct owner *owner, struct fh_frame frame, uint64_t number)
{
	disown(owner);
	owner->kind = OWNER_FRAME;
	owner->frame = frame;
	owner->first = number;
	owner->count = 1;
}

void own_unique(struct owner *owner, struct fh_unique unique, uint64_t number)
{
	disown(owner);
	owner->kind = OWNER_UNIQUE;
	owner->unique = unique;
	owner->first = number;
	owner->count = 1;
}

void own_segment(struct owner *owner, struct fh_segment segment, uint64_t first,
		 uint64_t count)
{
	disown(owner);
	if (count == 0)
		return;
	owner->kind = OWNER_SEGMENT;
	owner->segment = segment;
	owner->first = first;
	owner->count = count;
}

static enum fh_unit unit_of(enum owner_kind kind)
{
	if (kind == OWNER_UNIQUE)
		return FH_UNIT_UNIQUE;
	return kind == OWNER_SEGMENT || kind == OWNER_USEGMENT ? FH_UNIT_SEGMENT
							       : FH_UNIT_FRAME;
}

static void put_handles(struct owner *owner)
{
	if (owner->kind == OWNER_FRAME || owner->kind == OWNER_NONE)
		fh_frame_put(&owner->frame);
	if (owner->kind == OWNER_UFRAME || owner->kind == OWNER_NONE)
		fh_uframe_put(&owner->uframe);
	if (owner->kind == OWNER_NOTE || owner->kind == OWNER_NONE)
		model_note_frame_put(&owner->note);
	if (owner->kind == OWNER_UNIQUE || owner->kind == OWNER_NONE)
		fh_unique_put(&owner->unique);
	if (owner->kind == OWNER_SEGMENT || owner->kind == OWNER_NONE)
		fh_segment_put(&owner->segment);
	if (owner->kind == OWNER_USEGMENT || owner->kind == OWNER_NONE)
		fh_usegment_put(&owner->usegment);
}

static bool handles_are_zero(const struct owner *owner)
{
	return owner->frame.handle == 0 && owner->uframe.handle == 0 &&
	       owner->note.frame.handle == 0 && owner->unique.handle == 0 &&
	       owner->segment.handle == 0 && owner->segment.count == 0 &&
	       owner->usegment.handle == 0 && owner->usegment.count == 0;
}

void put_owner(struct world *w, struct owner *owner)
{
	put_handles(owner);
	expect(w, handles_are_zero(owner), "put zeroes the handle");
	for (uint64_t i = 0; i < owner->count; i++)
		model_sub(&w->model, owner->first + i, unit_of(owner->kind));
	disown(owner);
}

/* ---- Answers ---- */

bool expect(struct world *w, bool holds, const char *what)
{
	return model_expect(&w->model, holds, what);
}

bool answered_or_busy(struct world *w, enum fh_status status,
		      enum fh_status due, bool may_be_busy)
{
	if (w->tally != NULL)
		w->tally->answers[w->operation][status]++;
	if (status != due && !(may_be_busy && status == FH_E_BUSY))
		model_fail(&w->model, "answered %s, should be %s",
			   fh_status_name(status), fh_status_name(due));
	return status == FH_OK && !w->model.failed;
}

bool answered(struct world *w, enum fh_status status, enum fh_status due)
{
	return answered_or_busy(w, status, due, false);
}

bool is_free(const struct world *w, struct fh_paddr pa)
{
	return pa.bytes % FH_PAGE_SIZE == 0 &&
	       model_page(&w->model, pa.bytes / FH_PAGE_SIZE)->state ==
		       MODEL_FREE;
}

void must_stop(struct world *w, const char *rule, void (*call)(void *arg),
	       void *arg)
{
	uint64_t frame = fh_frame_of_paddr(w->at);
	uint64_t state = fh_state_load_relaxed(frame);
	struct fh_finding why = {.rule = ""};

	if (!expect(w, hosted_stops(call, arg, &why), "stops the machine"))
		return;
	expect(w, strcmp(why.rule, rule) == 0, "the rule that stopped it");
	expect(w, why.frame == frame && why.state == state,
	       "page and state that stopped it");
}

/* ---- Checks after every call ---- */

static bool frame_is_right(const struct world *w, const struct owner *owner)
{
	const struct model_page *page = model_page(&w->model, owner->first);
	const struct fh_slot *slot = fh_frame_to_meta(owner->first);
	struct fh_frame f = owner->frame;

	return fh_frame_is_some(f) && fh_frame_number(f) == owner->first &&
	       fh_frame_paddr(f).bytes == owner->first * FH_PAGE_SIZE &&
	       fh_frame_map_level(f) == 1 && fh_frame_size(f) == FH_PAGE_SIZE &&
	       fh_frame_reference_count(f) ==
		       model_holders(&w->model, owner->first) &&
	       fh_frame_type(f) == page->type &&
	       fh_frame_usage(f) == page->type->usage &&
	       fh_frame_is_type(f, page->type) &&
	       !fh_frame_is_type(f, &model_large_type) &&
	       fh_frame_slot(f) == slot && fh_frame_meta(f) == &slot->meta &&
	       fh_meta_to_frame(slot) == owner->first &&
	       fh_slot_usage(owner->first) == page->type->usage;
}

static bool unique_is_right(const struct world *w, const struct owner *owner)
{
	const struct model_page *page = model_page(&w->model, owner->first);
	struct fh_unique u = owner->unique;

	return fh_unique_number(u) == owner->first &&
	       fh_unique_paddr(u).bytes == owner->first * FH_PAGE_SIZE &&
	       fh_unique_level(u) == 1 && fh_unique_type(u) == page->type &&
	       fh_unique_meta(u) == &fh_frame_to_meta(owner->first)->meta &&
	       fh_unique_bytes(u) == fh_host_linear(fh_unique_paddr(u));
}

static bool segment_is_right(const struct owner *owner)
{
	struct fh_segment s = owner->segment;

	return fh_segment_first(s) == owner->first &&
	       fh_segment_count(s) == owner->count &&
	       fh_segment_size(s) == owner->count * FH_PAGE_SIZE &&
	       fh_segment_start(s).bytes == owner->first * FH_PAGE_SIZE &&
	       fh_segment_end(s).bytes ==
		       (owner->first + owner->count) * FH_PAGE_SIZE;
}

static bool note_is_right(const struct world *w, const struct owner *owner)
{
	const struct model_page *page = model_page(&w->model, owner->first);

	return fh_frame_number(owner->note.frame) == owner->first &&
	       page->type == &model_note_type &&
	       model_note_frame_meta(owner->note)->number == page->words.w[0];
}

static bool owner_is_right(const struct world *w, const struct owner *owner)
{
	switch (owner->kind) {
	case OWNER_NONE:
		return handles_are_zero(owner);
	case OWNER_FRAME:
		return frame_is_right(w, owner);
	case OWNER_UFRAME:
		return fh_uframe_number(owner->uframe) == owner->first &&
		       fh_uframe_paddr(owner->uframe).bytes ==
			       owner->first * FH_PAGE_SIZE;
	case OWNER_NOTE:
		return note_is_right(w, owner);
	case OWNER_UNIQUE:
		return unique_is_right(w, owner);
	case OWNER_SEGMENT:
		return segment_is_right(owner);
	default:
		return fh_usegment_first(owner->usegment) == owner->first &&
		       fh_usegment_count(owner->usegment) == owner->count;
	}
}

static void check_owners(struct world *w)
{
	w->model.handles = 0;
	for (unsigned i = 0; i < OWNERS; i++) {
		expect(w, owner_is_right(w, &w->owners[i]),
		       "what a handle says");
		w->model.handles += w->owners[i].kind != OWNER_NONE;
	}
}

/* Round the whole list and its ghost, in both directions. */
static void check_list(struct world *w, struct member_list *l)
{
	struct fh_list_cursor forth = fh_list_cursor_front(&l->list);
	struct fh_list_cursor back = fh_list_cursor_back(&l->list);

	expect(w, fh_list_size(&l->list) == l->size, "size of a list");
	expect(w, fh_list_is_empty(&l->list) == (l->size == 0), "emptiness");
	for (unsigned i = 0; i < l->size && !w->model.failed; i++) {
		expect(w, fh_list_cursor_number(&forth) == l->members[i],
		       "a list from the front");
		expect(w,
		       fh_list_cursor_number(&back) ==
			       l->members[l->size - 1 - i],
		       "a list from the back");
		expect(w,
		       fh_list_contains(&l->list,
					fh_paddr_of_frame(l->members[i])),
		       "a list contains its members");
		fh_list_cursor_next(&forth);
		fh_list_cursor_prev(&back);
	}
	expect(w, fh_list_cursor_number(&forth) == 0, "the ghost at the back");
	expect(w, fh_list_cursor_number(&back) == 0, "the ghost at the front");
	expect(w, fh_list_cursor_meta(&forth) == NULL, "the ghost's words");
	expect(w, fh_list_cursor_list(&forth) == &l->list, "a cursor's list");
}

/* How many operations go by until all of memory is compared. */
#define EVERYTHING 512

static void check(struct world *w, bool everything)
{
	check_owners(w);
	for (unsigned i = 0; i < LISTS; i++)
		check_list(w, &w->lists[i]);
	if (!w->model.failed)
		model_compare(&w->model, everything);
}

/* ---- The loop ---- */

static void run_input(struct world *w)
{
	while (w->left > 0 && !w->model.failed) {
		w->operation = (unsigned)draw(w, OPERATION_COUNT);
		operations[w->operation].run(w);
		check(w, w->step % EVERYTHING == EVERYTHING - 1);
		w->step++;
	}
}

/* Restores and puts what was forgotten of one page. */
static void settle_page(struct world *w, uint64_t frame)
{
	struct model *m = &w->model;
	struct fh_paddr pa = fh_paddr_of_frame(frame);

	while (m->pages[frame].units[FH_UNIT_RAW] > 0 && !m->failed) {
		struct fh_frame f = fh_frame_none();
		struct fh_unique u = fh_unique_none();

		if (m->pages[frame].state == MODEL_UNIQUE) {
			answered(w, fh_unique_from_raw(pa, &u), FH_OK);
			fh_unique_put(&u);
		} else {
			answered(w, fh_frame_from_raw(pa, &f), FH_OK);
			fh_frame_put(&f);
		}
		model_sub(m, frame, FH_UNIT_RAW);
	}
}

static void settle_windows(struct world *w)
{
	const struct model_window *windows = w->model.layout->windows;

	for (unsigned i = 0; i < MODEL_WINDOWS; i++)
		for (uint64_t j = 0; j < windows[i].count; j++) {
			uint64_t frame = windows[i].first + j;
			const struct model_page *page =
				model_page(&w->model, frame);

			if (frame != 0 && !page->is_library)
				settle_page(w, frame);
		}
}

static void put_everything(struct world *w)
{
	for (unsigned i = 0; i < OWNERS; i++)
		put_owner(w, &w->owners[i]);
	for (unsigned i = 0; i < LISTS; i++)
		drop_members(w, &w->lists[i]);
	check(w, false);
	settle_windows(w);
	check(w, true);
	expect(w, w->model.handles == 0, "nothing is held at the end");
}

static void run_world(void *world)
{
	struct world *w = world;

	check(w, true);
	run_input(w);
	if (!w->model.failed)
		put_everything(w);
}

void operations_run(const struct model_layout *layout, const uint8_t *bytes,
		    size_t size, struct operations_tally *tally,
		    struct operations_result *result)
{
	static struct world w;
	struct fh_finding why;
	char text[FH_FINDING_TEXT_SIZE];

	w = (struct world){.bytes = bytes, .left = size, .tally = tally};
	if (model_start(&w.model, layout)) {
		if (hosted_stops(run_world, &w, &why)) {
			fh_finding_text(&why, text, sizeof(text));
			model_fail(&w.model, "stopped the machine: %s", text);
		}
		model_stop(&w.model);
	}
	result->agrees = !w.model.failed;
	result->steps = w.step;
	snprintf(result->complaint, sizeof(result->complaint),
		 "memory %s, step %llu, %s (address %#llx): %s", layout->name,
		 (unsigned long long)w.step, operations_name(w.operation),
		 (unsigned long long)w.at.bytes, w.model.complaint);
}
