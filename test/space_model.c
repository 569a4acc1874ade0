/* SPDX-License-Identifier: MPL-2.0 */
/* Operations on spaces against a model: space_model.h. */
#include "space_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmu.h"

#define CHECK(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__,         \
				      __LINE__, #condition);                   \
			abort();                                               \
		}                                                              \
	} while (0)

/* ---- The model ---- */

/* Four ranges in a row, one across a border, one with room for large leaves. */
#define SMALL    40
#define LARGE    1056
#define LARGE_AT 16 /* where large leaves may begin */
#define RANGES   6
#define ROW      4
#define PAGES    ((RANGES - 1) * SMALL + LARGE) /* of a space, in all */

#define DEVICE (UINT64_C(1) << 30) /* frames that are no RAM */
#define WILD   UINT64_C(0x900000)  /* pages without a model */
#define WILDS  24

struct page {
	uint64_t frame; /* 0: not mapped */
	uint64_t tag;
	uint32_t flags; /* of READ, WRITE, EXEC, COPY */
	bool tracked;
};

static struct page model[MODEL_SPACES][PAGES];
static uint64_t locks[MODEL_SPACES][RANGES];
static struct fh_space spaces[MODEL_SPACES];
static struct fh_page_table kernel;

static const uint32_t kept =
	FH_PAGE_READ | FH_PAGE_WRITE | FH_PAGE_EXEC | FH_PAGE_COPY;

/* The page of the address space that a page of the model is. */
static uint64_t number_of(uint64_t i)
{
	if (i < ROW * SMALL)
		return 7 * FH_NODE_ENTRIES - 2 * SMALL + i;
	if (i < (RANGES - 1) * SMALL)
		return fh_level_pages(3) - SMALL / 2 + (i - ROW * SMALL);
	return 2 * fh_level_pages(3) - 16 + (i - (RANGES - 1) * SMALL);
}

/* ---- Choices ---- */

uint64_t model_pick_random(struct model_source *source, uint64_t n)
{
	source->state = source->state * UINT64_C(6364136223846793005) +
			UINT64_C(1442695040888963407);
	return (source->state >> 33) % n;
}

uint64_t model_pick_bytes(struct model_source *source, uint64_t n)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < (n > 256 ? 2 : 1) && source->left > 0; i++) {
		value = value * 256 + *source->data;
		source->data++;
		source->left--;
	}
	return value % n;
}

static uint64_t pick(struct model_walker *w, uint64_t n)
{
	return w->source->pick(w->source, n);
}

/* ---- Pages at hand ---- */

/* Some neighbouring pages of a space, locked. */
struct stretch {
	unsigned space;
	unsigned range; /* the first, */
	unsigned last;  /* and the last one that is locked */
	uint64_t at;    /* in the model */
	uint64_t n;
};

static void lock_range(unsigned space, unsigned range)
{
	uint64_t *lock = &locks[space][range];

	while (fh_word_cas_acquire(lock, 0, 1) != 0)
		fh_host_relax();
}

static uint64_t size_of(unsigned range)
{
	return range == RANGES - 1 ? LARGE : SMALL;
}

static void lock_stretch(const struct stretch *s)
{
	for (unsigned range = s->range; range <= s->last; range++)
		lock_range(s->space, range);
}

static void unlock_stretch(const struct stretch *s)
{
	for (unsigned range = s->range; range <= s->last; range++)
		fh_word_store_release(&locks[s->space][range], 0);
}

/* Where a large leaf fits, or two. */
static void choose_large(struct model_walker *w, struct stretch *s)
{
	s->n = FH_NODE_ENTRIES;
	s->at = LARGE_AT;
	switch (pick(w, 4)) {
	case 0:
		s->n *= 2;
		break;
	case 1:
		s->at += FH_NODE_ENTRIES;
		break;
	default:
		break;
	}
}

/*
 * Pages of one range, or of two that are neighbours. Not locked yet. Often the
 * same few, so that operations meet.
 */
static struct stretch choose_pages(struct model_walker *w, uint64_t most)
{
	struct stretch s = {.range = (unsigned)pick(w, RANGES)};
	uint64_t size = size_of(s.range);

	s.space = (unsigned)pick(w, MODEL_SHARED + 1);
	if (s.space == MODEL_SHARED)
		s.space += w->number;
	s.last = s.range;
	if (s.range < ROW - 1 && pick(w, 3) == 0) {
		s.last++;
		size *= 2;
	}
	s.n = 1 + pick(w, pick(w, 4) == 0 ? size : 6);
	if (s.n > most)
		s.n = most;
	if (pick(w, 3) == 0)
		s.at = pick(w, size - s.n + 1);
	else
		s.at = size == LARGE ? LARGE_AT : 0;
	if (s.at + s.n > size)
		s.at = size - s.n;
	if (size == LARGE && most >= FH_NODE_ENTRIES && pick(w, 2) == 0)
		choose_large(w, &s);
	if (s.n > most)
		s.n = most;
	s.at += (uint64_t)s.range * SMALL;
	return s;
}

static struct stretch take_pages(struct model_walker *w, uint64_t most)
{
	struct stretch s = choose_pages(w, most);

	lock_stretch(&s);
	return s;
}

static struct page *page_at(const struct stretch *s, uint64_t i)
{
	return &model[s->space][s->at + i];
}

static uint64_t count_mapped(const struct stretch *s)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < s->n; i++)
		n += page_at(s, i)->frame != 0 ? 1 : 0;
	return n;
}

static uint64_t first_of(const struct stretch *s)
{
	return number_of(s->at);
}

static struct fh_space *space_of(const struct stretch *s)
{
	return &spaces[s->space];
}

/* ---- Comparing ---- */

static uint64_t *word_of(uint64_t frame)
{
	return (uint64_t *)fh_host_linear(fh_paddr_of_frame(frame)) + 8;
}

static void check_page(unsigned space, uint64_t i)
{
	const struct page *page = &model[space][i];
	uint64_t number = number_of(i);
	struct fh_mapping m;

	CHECK(fh_space_query(&spaces[space], number, &m) == FH_OK);
	CHECK(m.is_mapped == (page->frame != 0));
	if (!m.is_mapped)
		return;
	CHECK(m.frame + (number - m.first) == page->frame);
	CHECK(m.is_tracked == page->tracked);
	CHECK((m.prop.flags & kept) == page->flags);
	CHECK((m.prop.flags & FH_PAGE_USER) != 0);
	if (page->tracked)
		/* Relaxed: whoever shares the page writes the same. */
		CHECK(fh_word_load_relaxed(word_of(page->frame)) == page->tag);
}

/* The pages at hand, and one on each side of them that is locked, too. */
static void check_stretch(const struct stretch *s)
{
	uint64_t begin = (uint64_t)s->range * SMALL;
	uint64_t end = (uint64_t)s->last * SMALL + size_of(s->last);
	uint64_t from = s->at > begin ? s->at - 1 : begin;
	uint64_t to = s->at + s->n < end ? s->at + s->n + 1 : end;

	for (uint64_t i = from; i < to; i++)
		check_page(s->space, i);
}

static void release(const struct stretch *s)
{
	check_stretch(s);
	unlock_stretch(s);
}

/* ---- Mapping ---- */

static uint32_t choose_flags(struct model_walker *w)
{
	uint32_t flags = FH_PAGE_READ;

	if (pick(w, 3) != 0)
		flags |= FH_PAGE_WRITE;
	else if (pick(w, 2) == 0)
		flags |= FH_PAGE_EXEC;
	return flags;
}

static void note_pages(const struct stretch *s, uint64_t frame, uint32_t flags,
		       bool tracked)
{
	for (uint64_t i = 0; i < s->n; i++) {
		struct page *page = page_at(s, i);

		page->frame = frame + i;
		page->flags = flags;
		page->tracked = tracked;
		if (tracked)
			page->tag = fh_word_load_relaxed(word_of(frame + i));
	}
}

static void check_status(enum fh_status status, bool fits)
{
	if (!fits)
		CHECK(status == FH_E_MAPPED);
	else
		CHECK(status == FH_OK || status == FH_E_NO_MEMORY);
}

/* A tag that no other page has. */
static uint64_t new_tag(struct model_walker *w)
{
	w->tags++;
	return (uint64_t)(w->number + 1) << 48 | w->tags;
}

static void map_one(struct model_walker *w)
{
	struct stretch s = take_pages(w, 1);
	uint32_t flags = choose_flags(w);
	struct fh_frame frame;
	struct fh_uframe f;

	if (fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frame) == FH_OK) {
		uint64_t number = fh_frame_number(frame);

		fh_word_store_relaxed(word_of(number), new_tag(w));
		CHECK(fh_uframe_from_frame(&frame, &f) == FH_OK);
		enum fh_status status = fh_space_map(space_of(&s), first_of(&s),
						     &f, fh_user_prop(flags));

		check_status(status, count_mapped(&s) == 0);
		CHECK((f.handle == 0) == (status == FH_OK));
		if (status == FH_OK)
			note_pages(&s, number, flags, true);
		fh_uframe_put(&f);
	}
	release(&s);
}

static void map_many(struct model_walker *w)
{
	struct stretch s = take_pages(w, 2 * FH_NODE_ENTRIES);
	uint32_t flags = choose_flags(w);
	struct fh_alloc_options options = {
		.align = s.n >= FH_NODE_ENTRIES ? FH_NODE_ENTRIES : 1};
	struct fh_segment segment;
	struct fh_usegment u;

	if (fh_segment_alloc(s.n, &options, &fh_untyped_type, NULL, &segment) ==
	    FH_OK) {
		uint64_t frame = fh_segment_first(segment);

		for (uint64_t i = 0; i < s.n; i++)
			fh_word_store_relaxed(word_of(frame + i), new_tag(w));
		CHECK(fh_usegment_from_segment(&segment, &u) == FH_OK);
		enum fh_status status = fh_space_map_segment(
			space_of(&s), first_of(&s), &u, fh_user_prop(flags));

		check_status(status, count_mapped(&s) == 0);
		if (status == FH_OK)
			note_pages(&s, frame, flags, true);
		fh_usegment_put(&u);
	}
	release(&s);
}

static void map_device(struct model_walker *w)
{
	struct stretch s = take_pages(w, LARGE);
	uint32_t flags = choose_flags(w);
	uint64_t frame = DEVICE + first_of(&s) + (pick(w, 3) == 0 ? 7 : 0);
	enum fh_status status = fh_space_map_device(space_of(&s), first_of(&s),
						    fh_paddr_of_frame(frame),
						    s.n, fh_user_prop(flags));

	check_status(status, count_mapped(&s) == 0);
	if (status == FH_OK)
		note_pages(&s, frame, flags, false);
	release(&s);
}

static const struct page no_page;

static void unmap(struct model_walker *w)
{
	struct stretch s = take_pages(w, LARGE);
	uint64_t pages = 0;
	enum fh_status status =
		fh_space_unmap(space_of(&s), first_of(&s), s.n, &pages);

	CHECK(status == FH_OK || status == FH_E_NO_MEMORY);
	if (status == FH_OK) {
		CHECK(pages == count_mapped(&s));
		for (uint64_t i = 0; i < s.n; i++)
			*page_at(&s, i) = no_page;
	}
	release(&s);
}

/* ---- Changing ---- */

static void change_page(struct page *page, struct fh_prop_change change)
{
	page->flags = (page->flags & ~change.clear) | change.set;
	/* Shared until it is copied, whoever asks for more. */
	if (page->tracked && (page->flags & FH_PAGE_COPY) != 0)
		page->flags &= ~FH_PAGE_WRITE;
}

static void protect(struct model_walker *w)
{
	static const struct fh_prop_change changes[] = {
		{.clear = FH_PAGE_WRITE},
		{.set = FH_PAGE_WRITE, .clear = FH_PAGE_EXEC},
		{.set = FH_PAGE_EXEC, .clear = FH_PAGE_WRITE},
		{.clear = FH_PAGE_READ | FH_PAGE_WRITE | FH_PAGE_EXEC},
		{.set = FH_PAGE_READ},
	};
	struct stretch s = take_pages(w, LARGE);
	struct fh_prop_change change = changes[pick(w, 5)];
	uint64_t pages = 0;
	bool lawful = true;

	/* Some formats cannot say "write, and not read". */
	for (uint64_t i = 0; i < s.n; i++)
		if ((page_at(&s, i)->flags & FH_PAGE_READ) == 0)
			lawful = false;
	if (!lawful)
		change = changes[4];
	enum fh_status status = fh_space_protect(space_of(&s), first_of(&s),
						 s.n, change, &pages);

	CHECK(status == FH_OK || status == FH_E_NO_MEMORY);
	if (status == FH_OK) {
		CHECK(pages == count_mapped(&s));
		for (uint64_t i = 0; i < s.n; i++) {
			struct page *page = page_at(&s, i);

			if (page->frame != 0)
				change_page(page, change);
		}
	}
	release(&s);
}

/* A cursor's operations that change nothing that a page is mapped to. */
static void reshape(struct model_walker *w)
{
	struct stretch s = take_pages(w, LARGE);
	struct fh_atomic_mode mode;
	struct fh_gather gather;
	struct fh_cursor cursor;
	struct fh_mapping m;
	uint64_t what = pick(w, 4);
	enum fh_status status;
	uint64_t begin = first_of(&s);
	uint64_t before = s.at - (uint64_t)s.range * SMALL;

	fh_gather_begin(&gather, &space_of(&s)->active);
	fh_atomic_begin(&mode);
	/* All of what is locked in a range: merging needs more than a leaf. */
	CHECK(fh_cursor_open(&space_of(&s)->table, &mode, begin - before,
			     before + s.n +
				     (s.last == s.range
					      ? size_of(s.range) - before - s.n
					      : 0),
			     &cursor) == FH_OK);
	CHECK(fh_cursor_jump(&cursor, begin + pick(w, s.n)) == FH_OK);
	if (what == 0) {
		status = fh_cursor_split(&cursor, &gather);
		CHECK(status == FH_OK || status == FH_E_NO_MEMORY);
	} else if (what == 1) {
		status = fh_cursor_merge(&cursor, &gather);
		CHECK(status == FH_OK || status == FH_E_NOT_MAPPED ||
		      status == FH_E_OUT_OF_BOUND);
	} else if (what == 2) {
		status = fh_cursor_harvest(&cursor, fh_cursor_left(&cursor),
					   FH_PAGE_ACCESSED, &gather, &m);
		CHECK(status == FH_OK || status == FH_E_NOT_MAPPED);
	} else {
		CHECK(fh_cursor_jump(&cursor, begin) == FH_OK);
		status = fh_cursor_find(&cursor, s.n, &m);
		CHECK(status ==
		      (count_mapped(&s) > 0 ? FH_OK : FH_E_NOT_MAPPED));
	}
	fh_cursor_close(&cursor);
	fh_atomic_end(&mode);
	fh_gather_finish(&gather);
	release(&s);
}

/* ---- Clones ---- */

/* From a space of everybody's to the walker's own. */
static void clone_pages(struct model_walker *w)
{
	struct stretch from = choose_pages(w, LARGE);
	struct stretch to = from;
	enum fh_clone how = pick(w, 3) == 0 ? FH_CLONE_SHARE : FH_CLONE_COPY;

	from.space %= MODEL_SHARED;
	to.space = MODEL_SHARED + w->number;
	lock_stretch(&from);
	lock_stretch(&to);
	enum fh_status status = fh_space_clone(space_of(&from), space_of(&to),
					       first_of(&from), from.n, how);

	check_status(status, count_mapped(&to) == 0);
	for (uint64_t i = 0; status == FH_OK && i < from.n; i++) {
		struct page *page = page_at(&from, i);

		if (how == FH_CLONE_COPY && page->tracked &&
		    (page->flags & FH_PAGE_WRITE) != 0) {
			page->flags &= ~FH_PAGE_WRITE;
			page->flags |= FH_PAGE_COPY;
		}
		*page_at(&to, i) = *page;
	}
	release(&to);
	release(&from);
}

/* ---- Faults ---- */

static const struct fh_page_prop filled = {
	.flags = FH_PAGE_READ | FH_PAGE_WRITE | FH_PAGE_USER};

static uint32_t right_of(enum fh_access access)
{
	if (access == FH_ACCESS_WRITE)
		return FH_PAGE_WRITE;
	return access == FH_ACCESS_EXEC ? FH_PAGE_EXEC : FH_PAGE_READ;
}

/* What a fault there is to end with. */
enum expected {
	REFUSED,
	AS_IT_IS,
	FILLED,
	OWNED, /* was to be copied, and has been */
};

static enum expected expect(const struct page *page, enum fh_access access,
			    const struct fh_page_prop *fill)
{
	uint32_t right = right_of(access);

	if (page->frame == 0)
		return fill != NULL && (fill->flags & right) != 0 ? FILLED
								  : REFUSED;
	if ((page->flags & right) != 0)
		return AS_IT_IS;
	if (access == FH_ACCESS_WRITE && page->tracked &&
	    (page->flags & FH_PAGE_COPY) != 0 &&
	    (page->flags & FH_PAGE_READ) != 0)
		return OWNED;
	return REFUSED;
}

static uint64_t frame_now(const struct stretch *s)
{
	struct fh_mapping m;

	CHECK(fh_space_query(space_of(s), first_of(s), &m) == FH_OK);
	CHECK(m.is_mapped);
	return m.frame + (first_of(s) - m.first);
}

/* What the page has become, by a fault that was answered. */
static void note_fault(const struct stretch *s, enum expected expected)
{
	struct page *page = page_at(s, 0);

	if (expected == FILLED) {
		page->frame = frame_now(s);
		page->flags = FH_PAGE_READ | FH_PAGE_WRITE;
		page->tracked = true;
		page->tag = 0;
	} else if (expected == OWNED) {
		page->frame = frame_now(s);
		page->flags = (page->flags & ~FH_PAGE_COPY) | FH_PAGE_WRITE;
	}
}

/* Without any access: as a handler would call it. */
static void fault(struct model_walker *w)
{
	struct stretch s = take_pages(w, 1);
	enum fh_access access = (enum fh_access)pick(w, 3);
	const struct fh_page_prop *fill = pick(w, 2) == 0 ? &filled : NULL;
	enum expected expected = expect(page_at(&s, 0), access, fill);
	struct fh_vaddr va = fh_vaddr_of_page(first_of(&s));

	va.bytes += pick(w, FH_PAGE_SIZE);
	enum fh_status status = fh_space_fault(space_of(&s), va, access, fill);

	if (expected == REFUSED)
		CHECK(status == FH_E_FAULT);
	else
		CHECK(status == FH_OK || status == FH_E_NO_MEMORY);
	if (status == FH_OK) {
		note_fault(&s, expected);
		/* Only who has just got it alone may change what it holds. */
		if (expected == OWNED || expected == FILLED) {
			page_at(&s, 0)->tag = new_tag(w);
			fh_word_store_relaxed(word_of(page_at(&s, 0)->frame),
					      page_at(&s, 0)->tag);
		}
	}
	release(&s);
}

bool model_fault(struct model_walker *w, uint64_t va, enum fh_access access)
{
	struct fh_vaddr at = {.bytes = va};

	return w->active != NULL &&
	       fh_space_fault(w->active, at, access, w->fill) == FH_OK;
}

static void load(struct model_walker *w, const struct stretch *s)
{
	uint64_t va = first_of(s) * FH_PAGE_SIZE + 64;
	enum expected expected = expect(page_at(s, 0), FH_ACCESS_READ, w->fill);
	uint64_t value = 0;
	bool done = hosted_mmu_load64(w->number, va, &value);

	CHECK(done == (expected != REFUSED));
	if (done)
		note_fault(s, expected);
	if (done)
		CHECK(value == page_at(s, 0)->tag);
}

static void store(struct model_walker *w, const struct stretch *s)
{
	uint64_t va = first_of(s) * FH_PAGE_SIZE + 64;
	struct page *page = page_at(s, 0);
	enum expected expected = expect(page, FH_ACCESS_WRITE, w->fill);
	bool alone = expected == OWNED || expected == FILLED;
	uint64_t value = alone ? new_tag(w) : page->tag;
	bool done = hosted_mmu_store64(w->number, va, value);

	CHECK(done == (expected != REFUSED));
	if (!done)
		return;
	note_fault(s, expected);
	page->tag = value;
}

/* By the CPU itself, which runs on the space. */
static void access_page(struct model_walker *w)
{
	struct stretch s = take_pages(w, 1);
	struct page *page = page_at(&s, 0);

	/* Devices are no RAM. */
	if (page->frame == 0 || page->tracked) {
		w->fill = pick(w, 2) == 0 ? &filled : NULL;
		w->active = space_of(&s);
		fh_space_activate(w->active);
		if (pick(w, 2) == 0)
			load(w, &s);
		else
			store(w, &s);
	}
	release(&s);
}

/* ---- Steps ---- */

static void look_about(struct model_walker *w)
{
	struct stretch s = take_pages(w, LARGE);

	if (pick(w, 4) == 0)
		fh_poll();
	release(&s);
}

void model_step(struct model_walker *w)
{
	static void (*const steps[])(struct model_walker * w) = {
		map_one, map_one, map_many, map_device, unmap,
		unmap,   protect, reshape,  reshape,    clone_pages,
		fault,   fault,   fault,    fault,      look_about,
	};
	uint64_t kinds = sizeof(steps) / sizeof(steps[0]);
	uint64_t kind = pick(w, kinds + (w->use_mmu ? 4 : 0));

	if (kind < kinds)
		steps[kind](w);
	else
		access_page(w);
}

static void wild_map(struct model_walker *w, uint64_t page)
{
	struct fh_frame frame;
	struct fh_uframe f;

	if (fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frame) != FH_OK)
		return;
	CHECK(fh_uframe_from_frame(&frame, &f) == FH_OK);
	enum fh_status status = fh_space_map(&spaces[0], page, &f,
					     fh_user_prop(choose_flags(w)));

	CHECK(status == FH_OK || status == FH_E_MAPPED ||
	      status == FH_E_NO_MEMORY);
	fh_uframe_put(&f);
}

void model_wild_step(struct model_walker *w)
{
	uint64_t at = pick(w, WILDS);
	uint64_t n = 1 + pick(w, WILDS - at);
	uint64_t page = WILD - WILDS / 2 + at;
	const struct fh_prop_change change = {.clear = FH_PAGE_WRITE};
	uint64_t pages = 0;
	struct fh_mapping m;
	enum fh_status status;

	switch (pick(w, 5)) {
	case 0:
		status = fh_space_unmap(&spaces[0], page, n, &pages);
		CHECK(status == FH_OK || status == FH_E_NO_MEMORY);
		CHECK(pages <= n);
		break;
	case 1:
		status = fh_space_protect(&spaces[0], page, n, change, &pages);
		CHECK(status == FH_OK || status == FH_E_NO_MEMORY);
		CHECK(pages <= n);
		break;
	case 2:
		status = fh_space_fault(&spaces[0], fh_vaddr_of_page(page),
					FH_ACCESS_WRITE, &filled);
		CHECK(status == FH_OK || status == FH_E_FAULT ||
		      status == FH_E_NO_MEMORY || status == FH_E_MAPPED);
		break;
	case 3:
		CHECK(fh_space_query(&spaces[0], page, &m) == FH_OK);
		CHECK(!m.is_mapped || m.is_tracked);
		break;
	default:
		wild_map(w, page);
	}
}

/* ---- Beginning and end ---- */

void model_spaces_open(void)
{
	memset(model, 0, sizeof(model));
	memset(locks, 0, sizeof(locks));
	/* Little of the kernel's: what is looked at is the users'. */
	const struct fh_page_range window = {FH_PAGE_NUMBER_END - 1, 1};

	CHECK(fh_page_table_create_kernel(NULL, &window, 1, &kernel) == FH_OK);
	for (unsigned i = 0; i < MODEL_SPACES; i++)
		CHECK(fh_space_create(&kernel, &spaces[i]) == FH_OK);
}

void model_walker_open(struct model_walker *w, unsigned number,
		       struct model_source *source, bool use_mmu)
{
	*w = (struct model_walker){
		.source = source, .number = number, .use_mmu = use_mmu};
}

void model_walker_close(struct model_walker *w)
{
	w->active = NULL;
	fh_kernel_activate(&kernel);
	fh_kernel_deactivate();
}

static void complain(const struct fh_finding *finding)
{
	char text[FH_FINDING_TEXT_SIZE];

	fh_finding_text(finding, text, sizeof(text));
	(void)fprintf(stderr, "%s\n", text);
	abort();
}

static void audit(const struct fh_page_table *table)
{
	struct fh_table_totals totals;
	struct fh_finding finding;

	if (fh_audit_table(table, &totals, &finding) != FH_OK)
		complain(&finding);
}

void model_spaces_check(void)
{
	struct fh_finding finding;

	for (unsigned space = 0; space < MODEL_SPACES; space++) {
		for (uint64_t i = 0; i < PAGES; i++)
			check_page(space, i);
		audit(&spaces[space].table);
	}
	audit(&kernel);
	if (fh_audit(&finding) != FH_OK)
		complain(&finding);
}

void model_spaces_close(void)
{
	for (unsigned i = 0; i < MODEL_SPACES; i++)
		CHECK(fh_space_destroy(&spaces[i]) == FH_OK);
	fh_page_table_destroy(&kernel);
	fh_settle();
}
