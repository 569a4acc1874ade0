/* SPDX-License-Identifier: MPL-2.0 */
/* The model of the frame layer: model.h. */
#include "contract.h"
#include "model.h"

#include <framehold/allocator.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES(n)  ((n)*FH_PAGE_SIZE)
#define SECTION   FH_SECTION_FRAMES
#define PAGE_WORD 512 /* 64-bit words in a page */

const struct model_layout model_layouts[MODEL_LAYOUTS] = {
	{
		/* Everything in one section, page 0 and a gap among it. */
		.name = "low",
		.regions =
			{
				{0, PAGES(96), FH_REGION_USABLE},
				{PAGES(40), PAGES(4), FH_REGION_RESERVED},
				{PAGES(60), PAGES(4), FH_REGION_KERNEL},
				{PAGES(70), PAGES(1), FH_REGION_BAD},
				{PAGES(104), PAGES(56), FH_REGION_USABLE},
				{PAGES(150), PAGES(2), FH_REGION_MODULE},
			},
		.region_count = 6,
		.windows = {{0, 160}},
		.hole = 160,
	},
	{
		/* A hole in front of it, of a whole section. */
		.name = "high",
		.regions =
			{
				{PAGES(SECTION), PAGES(120), FH_REGION_USABLE},
				{PAGES(SECTION + 50), PAGES(2),
				 FH_REGION_RESERVED},
			},
		.region_count = 2,
		.windows = {{SECTION - 8, 128}},
		.hole = SECTION - 1,
	},
	{
		/*
		 * A hole in the middle, of a whole section. The second piece
		 * has room for the slots.
		 */
		.name = "split",
		.regions =
			{
				{0, PAGES(80), FH_REGION_USABLE},
				{PAGES(1024), PAGES(1024), FH_REGION_USABLE},
				{PAGES(SECTION - 16), PAGES(16),
				 FH_REGION_USABLE},
				{PAGES(2 * SECTION), PAGES(40),
				 FH_REGION_USABLE},
			},
		.region_count = 4,
		.windows = {{0, 96}, {SECTION - 24, 32}, {2 * SECTION - 8, 48}},
		.hole = SECTION,
		.is_big = true,
	},
};

/* on_drop has no argument for it. */
static struct model *current;

void model_fail(struct model *m, const char *format, ...)
{
	va_list arguments;

	if (m->failed)
		return;
	m->failed = true;
	va_start(arguments, format);
	vsnprintf(m->complaint, sizeof(m->complaint), format, arguments);
	va_end(arguments);
}

bool model_expect(struct model *m, bool holds, const char *what)
{
	if (!holds)
		model_fail(m, "%s", what);
	return holds;
}

static void set_state(struct model *m, uint64_t frame, enum model_state state)
{
	struct model_page *page = &m->pages[frame];

	m->counts[page->state]--;
	m->counts[state]++;
	page->state = state;
}

/* ---- Bytes of pages ---- */

static uint64_t *page_bytes(uint64_t frame)
{
	return fh_host_linear(fh_paddr_of_frame(frame));
}

static void stamp_page(struct model *m, uint64_t frame)
{
	uint64_t *bytes = page_bytes(frame);

	m->stamps++;
	m->pages[frame].stamp = m->stamps << 32 | frame;
	bytes[0] = m->pages[frame].stamp;
	bytes[PAGE_WORD - 1] = m->pages[frame].stamp;
}

static bool stamp_is_there(const struct model *m, uint64_t frame)
{
	uint64_t stamp = m->pages[frame].stamp;
	const uint64_t *bytes = page_bytes(frame);

	return stamp == 0 ||
	       (bytes[0] == stamp && bytes[PAGE_WORD - 1] == stamp);
}

bool model_page_is_zero(uint64_t frame)
{
	const uint64_t *bytes = page_bytes(frame);

	for (unsigned i = 0; i < PAGE_WORD; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* ---- on_drop ---- */

static void add_drop(struct model *m, struct model_drops *drops, uint64_t frame,
		     const struct fh_meta *words, unsigned known)
{
	if (drops->count == MODEL_DROPS) {
		model_fail(m, "too many pages were dropped");
		return;
	}
	drops->items[drops->count] = (struct model_drop){
		.frame = frame,
		.words = *words,
		.known = known,
	};
	drops->count++;
}

/* Nobody gets at a page while it is dropped. */
static void try_dropping_page(struct model *m, struct fh_paddr pa)
{
	struct fh_frame f = fh_frame_none();
	struct fh_unique u = fh_unique_none();

	model_expect(m, fh_frame_from_in_use(pa, &f) == m->drop_status,
		     "from_in_use of a page that is being dropped");
	model_expect(m,
		     fh_frame_from_unused(pa, &fh_untyped_type, NULL, &f) ==
			     m->drop_status,
		     "claim of a page that is being dropped");
	model_expect(m,
		     fh_unique_from_unused(pa, &fh_untyped_type, NULL, &u) ==
			     m->drop_status,
		     "unique claim of a page that is being dropped");
}

static void see_drop(struct fh_dropping page)
{
	struct model *m = current;
	struct fh_meta *words = fh_dropping_meta(page);
	struct fh_paddr pa = fh_dropping_paddr(page);

	model_expect(m, pa.bytes == page.frame * FH_PAGE_SIZE,
		     "address of a page that is being dropped");
	model_expect(m, fh_dropping_bytes(page) == page_bytes(page.frame),
		     "bytes of a page that is being dropped");
	model_expect(m, stamp_is_there(m, page.frame),
		     "bytes written before the drop");
	add_drop(m, &m->seen, page.frame, words, FH_META_WORDS);
	try_dropping_page(m, pa);
	memset(words, 0xdd, sizeof(*words));
}

void model_due(struct model *m, uint64_t frame)
{
	const struct model_page *page = &m->pages[frame];

	if (page->type->on_drop != NULL)
		add_drop(m, &m->due, frame, &page->words, page->known);
}

const struct fh_meta_type model_full_type = {
	.name = "full",
	.size = FH_META_SIZE,
	.usage = FH_USAGE_FRAME,
	.on_drop = see_drop,
};
const struct fh_meta_type model_linked_type = {
	.name = "linked",
	.size = FH_META_SIZE_IN_LIST,
	.usage = FH_USAGE_PAGE_TABLE,
	.on_drop = see_drop,
};
const struct fh_meta_type model_plain_type = {
	.name = "plain",
	.untyped = true,
	.any_context = true,
	.usage = FH_USAGE_FRAME,
	.on_drop = see_drop,
};
const struct fh_meta_type model_device_type = {
	.name = "device",
	.size = 8,
	.usage = FH_USAGE_MMIO,
	.on_drop = see_drop,
};
const struct fh_meta_type model_large_type = {
	.name = "large",
	.size = FH_META_SIZE + 1,
	.usage = FH_USAGE_FRAME,
	.on_drop = see_drop,
};
const struct fh_meta_type model_note_type =
	FH_META_TYPE_INIT("note", struct model_note, .on_drop = see_drop);

/* ---- Start ---- */

static const struct fh_meta_type *type_of_kind(enum fh_region_kind kind)
{
	switch (kind) {
	case FH_REGION_UNKNOWN:
	case FH_REGION_RESERVED:
	case FH_REGION_FRAMEBUFFER:
		return &fh_reserved_type;
	case FH_REGION_KERNEL:
		return &fh_kernel_type;
	default:
		return &fh_unusable_type;
	}
}

static void hold_page(struct model *m, uint64_t frame,
		      const struct fh_meta_type *type)
{
	set_state(m, frame, MODEL_SHARED);
	m->pages[frame] = (struct model_page){
		.state = MODEL_SHARED,
		.type = type,
		.known = FH_META_WORDS,
		.units = {[FH_UNIT_RAW] = 1},
		.is_library = type == &fh_meta_page_type,
	};
}

/* A section with RAM in it has slots; what no span holds in it is reserved. */
static void hold_section(struct model *m, uint64_t frame)
{
	uint64_t first = frame / SECTION * SECTION;

	for (uint64_t i = first; i - first < SECTION && i < m->frame_end; i++)
		hold_page(m, i, &fh_reserved_type);
}

static void lay_out_span(struct model *m, const struct fh_span *span)
{
	for (uint64_t i = 0; i < span->count; i++) {
		uint64_t frame = span->first + i;

		if (frame >= m->frame_end ||
		    m->pages[frame].state == MODEL_ABSENT)
			continue;
		if (span->kind != FH_REGION_USABLE)
			hold_page(m, frame, type_of_kind(span->kind));
		else if (i < span->taken)
			hold_page(m, frame, &fh_meta_page_type);
		else
			model_release(m, frame, MODEL_FREE);
	}
}

static void lay_out(struct model *m, const struct fh_memory_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct fh_span *span = &map->spans[i];

		if (!fh_region_is_physical(span->kind))
			continue;
		for (uint64_t j = 0; j < span->count; j++)
			if (m->pages[span->first + j].state == MODEL_ABSENT)
				hold_section(m, span->first + j);
	}
	for (size_t i = 0; i < map->count; i++)
		lay_out_span(m, &map->spans[i]);
	if (m->pages[0].state != MODEL_ABSENT) {
		hold_page(m, 0, &fh_reserved_type);
		set_state(m, 0, MODEL_UNIQUE);
	}
}

bool model_start(struct model *m, const struct model_layout *layout)
{
	*m = (struct model){
		.layout = layout,
		.drop_status = FH_E_BUSY,
	};
	if (hosted_start(layout->regions, layout->region_count, NULL) !=
	    FH_OK) {
		model_fail(m, "the machine does not start: %s", hosted_why());
		return false;
	}
	m->frame_end = fh_map_frame_end(hosted_map());
	m->pages = calloc(m->frame_end, sizeof(*m->pages));
	if (m->pages == NULL) {
		model_fail(m, "no memory for the model");
		hosted_stop();
		return false;
	}
	current = m;
	lay_out(m, hosted_map());
	return true;
}

void model_stop(struct model *m)
{
	hosted_stop();
	free(m->pages);
	m->pages = NULL;
	current = NULL;
}

/* ---- What calls should answer ---- */

const struct model_page *model_page(const struct model *m, uint64_t frame)
{
	static const struct model_page absent;

	return frame < m->frame_end ? &m->pages[frame] : &absent;
}

enum fh_status model_find(const struct model *m, struct fh_paddr pa)
{
	if (pa.bytes % FH_PAGE_SIZE != 0)
		return FH_E_NOT_ALIGNED;
	return model_page(m, pa.bytes / FH_PAGE_SIZE)->state == MODEL_ABSENT
		       ? FH_E_OUT_OF_BOUND
		       : FH_OK;
}

enum fh_status model_claim_status(const struct model *m, struct fh_paddr pa,
				  const struct fh_meta_type *type)
{
	enum fh_status status = model_find(m, pa);

	if (type == NULL || type->size > FH_META_SIZE)
		return FH_E_INVALID;
	if (status != FH_OK)
		return status;
	switch (model_page(m, pa.bytes / FH_PAGE_SIZE)->state) {
	case MODEL_SHARED:
		return FH_E_IN_USE;
	case MODEL_UNIQUE:
		return FH_E_UNIQUE;
	default:
		return FH_OK;
	}
}

enum fh_status model_share_status(const struct model *m, struct fh_paddr pa)
{
	enum fh_status status = model_find(m, pa);

	if (status != FH_OK)
		return status;
	switch (model_page(m, pa.bytes / FH_PAGE_SIZE)->state) {
	case MODEL_SHARED:
		return FH_OK;
	case MODEL_UNIQUE:
		return FH_E_UNIQUE;
	default:
		return FH_E_UNUSED;
	}
}

enum fh_status model_unique_status(const struct model *m, struct fh_paddr pa)
{
	enum fh_status status = model_find(m, pa);

	if (status != FH_OK)
		return status;
	switch (model_page(m, pa.bytes / FH_PAGE_SIZE)->state) {
	case MODEL_SHARED:
		return FH_E_IN_USE;
	case MODEL_UNIQUE:
		return FH_OK;
	default:
		return FH_E_UNUSED;
	}
}

uint64_t model_holders(const struct model *m, uint64_t frame)
{
	const uint64_t *units = model_page(m, frame)->units;

	return units[FH_UNIT_FRAME] + units[FH_UNIT_SEGMENT] +
	       units[FH_UNIT_RAW];
}

/* ---- What calls should have done ---- */

static bool is_alone(enum fh_unit unit)
{
	return unit == FH_UNIT_UNIQUE || unit == FH_UNIT_LIST;
}

void model_set_words(struct model *m, uint64_t frame,
		     const struct fh_meta_type *type,
		     const struct fh_meta *words)
{
	m->pages[frame].type = type;
	m->pages[frame].words = words != NULL ? *words : fh_meta_zero;
	m->pages[frame].known = FH_META_WORDS;
}

void model_claim(struct model *m, uint64_t frame,
		 const struct fh_meta_type *type, const struct fh_meta *words,
		 enum fh_unit unit)
{
	set_state(m, frame, is_alone(unit) ? MODEL_UNIQUE : MODEL_SHARED);
	model_set_words(m, frame, type, words);
	m->pages[frame].units[unit] = 1;
	stamp_page(m, frame);
}

void model_add(struct model *m, uint64_t frame, enum fh_unit unit)
{
	m->pages[frame].units[unit]++;
}

void model_release(struct model *m, uint64_t frame, enum model_state state)
{
	set_state(m, frame, state);
	m->pages[frame] = (struct model_page){.state = state};
}

enum model_state model_dropped_state(uint64_t frame,
				     const struct fh_meta_type *type)
{
	bool is_memory = type->usage != FH_USAGE_RESERVED &&
			 type->usage != FH_USAGE_MMIO;

	return is_memory && fh_allocator_covers(frame) ? MODEL_FREE
						       : MODEL_UNUSED;
}

void model_sub(struct model *m, uint64_t frame, enum fh_unit unit)
{
	struct model_page *page = &m->pages[frame];

	page->units[unit]--;
	if (page->state == MODEL_SHARED && model_holders(m, frame) > 0)
		return;
	model_due(m, frame);
	model_release(m, frame, model_dropped_state(frame, page->type));
}

void model_move(struct model *m, uint64_t frame, enum fh_unit from,
		enum fh_unit to)
{
	struct model_page *page = &m->pages[frame];

	page->units[from]--;
	page->units[to]++;
	if (to != FH_UNIT_RAW)
		set_state(m, frame, is_alone(to) ? MODEL_UNIQUE : MODEL_SHARED);
}

void model_enter_list(struct model *m, uint64_t frame, unsigned list)
{
	m->pages[frame].list = list + 1;
	m->pages[frame].known = FH_META_SIZE_IN_LIST / sizeof(uint64_t);
	model_move(m, frame, FH_UNIT_UNIQUE, FH_UNIT_LIST);
}

void model_leave_list(struct model *m, uint64_t frame)
{
	m->pages[frame].list = 0;
	model_move(m, frame, FH_UNIT_LIST, FH_UNIT_UNIQUE);
}

/* ---- Comparison ---- */

static uint64_t state_word(const struct model *m, uint64_t frame)
{
	switch (m->pages[frame].state) {
	case MODEL_FREE:
		return FH_STATE_FREE;
	case MODEL_UNUSED:
		return FH_STATE_UNUSED;
	case MODEL_UNIQUE:
		return FH_STATE_UNIQUE;
	default:
		return FH_STATE_SHARED(model_holders(m, frame));
	}
}

static bool words_agree(const struct fh_meta *a, const struct fh_meta *b,
			unsigned known)
{
	for (unsigned i = 0; i < known; i++)
		if (a->w[i] != b->w[i])
			return false;
	return true;
}

static bool units_agree(const uint64_t *units,
			const struct fh_ledger_page *ledger)
{
	return units[FH_UNIT_FRAME] == ledger->frames &&
	       units[FH_UNIT_SEGMENT] == ledger->segments &&
	       units[FH_UNIT_RAW] == ledger->raws &&
	       units[FH_UNIT_UNIQUE] == ledger->uniques &&
	       units[FH_UNIT_LIST] == ledger->lists && ledger->entries == 0 &&
	       ledger->roots == 0 && ledger->deferred == 0;
}

/* What differs of a page, or null. */
static const char *find_difference(const struct model *m, uint64_t frame,
				   const struct fh_view_page *seen)
{
	const struct model_page *page = &m->pages[frame];

	if (seen->exists != (page->state != MODEL_ABSENT))
		return "existence";
	if (!seen->exists)
		return NULL;
	if (seen->slot.state != state_word(m, frame))
		return "state";
	if (seen->slot.type != page->type)
		return "type";
	if ((seen->slot.list != 0) != (page->list != 0))
		return "list id";
	if (page->type != NULL &&
	    !words_agree(&seen->slot.meta, &page->words, page->known))
		return "words";
	if (FH_CHECKED && !units_agree(page->units, &seen->units))
		return "units";
	return stamp_is_there(m, frame) ? NULL : "bytes";
}

static void compare_pages(struct model *m, uint64_t first, uint64_t count)
{
	static struct fh_view_page pages[MODEL_WINDOW_PAGES];
	struct fh_view view = {first, count, pages};

	fh_view_take(&view);
	for (uint64_t i = 0; i < count && !m->failed; i++) {
		uint64_t frame = first + i;
		const char *difference = find_difference(m, frame, &pages[i]);

		if (difference != NULL)
			model_fail(m,
				   "%s of page %llu differs: state %llu,"
				   " should be %llu",
				   difference, (unsigned long long)frame,
				   (unsigned long long)pages[i].slot.state,
				   (unsigned long long)state_word(m, frame));
	}
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void compare_section(struct model *m, uint64_t first)
{
	uint64_t count = least(SECTION, m->frame_end - first);

	/* A section exists or not as a whole: two of its pages tell. */
	if (m->pages[first].state == MODEL_ABSENT) {
		compare_pages(m, first, 1);
		compare_pages(m, first + count - 1, 1);
		return;
	}
	for (uint64_t i = 0; i < count; i += MODEL_WINDOW_PAGES)
		compare_pages(m, first + i,
			      least(MODEL_WINDOW_PAGES, count - i));
}

static void compare_everything(struct model *m)
{
	for (uint64_t i = 0; i < m->frame_end; i += SECTION)
		compare_section(m, i);
}

static void compare_windows(struct model *m)
{
	for (unsigned i = 0; i < MODEL_WINDOWS; i++)
		compare_pages(m, m->layout->windows[i].first,
			      m->layout->windows[i].count);
}

static void compare_drops(struct model *m)
{
	model_expect(m, m->due.count == m->seen.count, "runs of on_drop");
	for (unsigned i = 0; i < m->due.count && !m->failed; i++) {
		const struct model_drop *due = &m->due.items[i];
		const struct model_drop *seen = &m->seen.items[i];

		model_expect(m, due->frame == seen->frame, "order of on_drop");
		model_expect(m,
			     words_agree(&due->words, &seen->words, due->known),
			     "words seen by on_drop");
	}
	m->due.count = 0;
	m->seen.count = 0;
}

static void compare_figures(struct model *m)
{
	struct fh_alloc_stats stats;

	fh_alloc_stats(&stats);
	model_expect(m, stats.free == m->counts[MODEL_FREE],
		     "free pages, by the allocator");
	model_expect(m, stats.free <= stats.pages, "pages of the allocator");
	model_expect(m,
		     fh_ledger_is_clean() == (!FH_CHECKED || m->handles == 0),
		     "whether the ledger is clean");
}

/* The summary walks all of memory once more. */
static void compare_summary(struct model *m)
{
	struct fh_audit_summary sum;

	fh_audit_summary(&sum);
	model_expect(m,
		     sum.free == m->counts[MODEL_FREE] &&
			     sum.unused == m->counts[MODEL_UNUSED] &&
			     sum.unique == m->counts[MODEL_UNIQUE] &&
			     sum.shared == m->counts[MODEL_SHARED] &&
			     sum.busy == 0,
		     "pages by state, by the audit's summary");
}

static void audit(struct model *m)
{
	struct fh_finding finding;
	char text[FH_FINDING_TEXT_SIZE];

	if (fh_audit(&finding) == FH_OK)
		return;
	fh_finding_text(&finding, text, sizeof(text));
	model_fail(m, "audit: %s", text);
}

/* The contracts' invariant walks all of memory, too. */
static void compare_contract(struct model *m)
{
	uint64_t broken = contract_first_broken();

	if (broken != fh_memory.frame_end)
		model_fail(m, "page %llu breaks the contracts' invariant",
			   (unsigned long long)broken);
}

void model_compare(struct model *m, bool everything)
{
	compare_drops(m);
	if (everything) {
		compare_everything(m);
		compare_summary(m);
		compare_contract(m);
	} else {
		compare_windows(m);
	}
	compare_figures(m);
	audit(m);
}
