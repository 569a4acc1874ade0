/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The ledger: units of ownership by page and kind, and a record for each live
 * handle. A handle's upper bits are its record's index, so that a copy of it
 * that is used after the handle ended meets a record that ended too, or that
 * belongs to somebody else.
 *
 * Records that ended are reused as late as possible, in the order in which
 * they ended: they remember who ended them. One lock protects it all; it is a
 * leaf, and nobody stops the machine while holding it.
 *
 * Nothing here is referenced in unchecked builds.
 */
#include <framehold/host.h>
#include <framehold/memory.h>

#include "ledger.h"
#include "lock.h"
#include "report.h"
#include "slot.h"

struct fh_ledger_page *fh_ledger_page_array;

struct record {
	uint64_t first;
	uint64_t count;
	uintptr_t site;     /* who made the handle; */
	uintptr_t ended_at; /* who ended it */
	uint32_t next;      /* in the queue of ended records; 0: last */
	uint16_t kind;
	uint16_t live;
};

FH_STATIC_ASSERT(sizeof(struct record) == FH_LEDGER_RECORD_SIZE,
		 "bring-up knows the size of a record");
FH_STATIC_ASSERT(FH_LEDGER_RECORDS < (UINT64_C(1) << 24),
		 "a record's index fits a handle");

static struct {
	struct fh_lock lock;
	struct record *records; /* index 0 is not used */
	uint64_t capacity;
	uint64_t fresh;      /* records from here on were never used */
	uint32_t oldest_end; /* the queue of ended records */
	uint32_t newest_end;
	uint64_t live; /* live handles, recorded or not */
} ledger;

static const char *const unit_names[FH_UNIT_KINDS] = {
	[FH_UNIT_FRAME] = "frame",   [FH_UNIT_SEGMENT] = "segment",
	[FH_UNIT_RAW] = "raw",       [FH_UNIT_ENTRY] = "entry",
	[FH_UNIT_ROOT] = "root",     [FH_UNIT_DEFERRED] = "deferred",
	[FH_UNIT_UNIQUE] = "unique", [FH_UNIT_LIST] = "list",
};

const char *fh_unit_name(enum fh_unit kind)
{
	return (size_t)kind < FH_UNIT_KINDS ? unit_names[kind] : "none";
}

uintptr_t fh_here(void)
{
	return (uintptr_t)__builtin_return_address(0);
}

/* Call sites lie within 2 GiB of the library. */
static int32_t pack_site(uintptr_t site)
{
	return site == 0 ? 0 : (int32_t)(site - (uintptr_t)&fh_init);
}

static uintptr_t unpack_site(int32_t packed)
{
	if (packed == 0)
		return 0;
	return (uintptr_t)&fh_init + (uintptr_t)(intptr_t)packed;
}

void fh_ledger_open(void *memory, uint64_t records)
{
	ledger.records = memory;
	ledger.capacity = records;
	ledger.fresh = 1;
	ledger.oldest_end = 0;
	ledger.newest_end = 0;
	ledger.live = 0;
}

void fh_ledger_close(void)
{
	ledger.records = NULL;
	ledger.capacity = 0;
	ledger.fresh = 1;
	ledger.oldest_end = 0;
	ledger.newest_end = 0;
	ledger.live = 0;
}

static uint64_t units_of(uint64_t frame, enum fh_unit kind)
{
	const struct fh_ledger_page *page = &fh_ledger_pages[frame];

	switch (kind) {
	case FH_UNIT_FRAME:
		return page->frames;
	case FH_UNIT_SEGMENT:
		return page->segments;
	case FH_UNIT_RAW:
		return page->raws;
	case FH_UNIT_ENTRY:
		return page->entries;
	case FH_UNIT_ROOT:
		return page->roots;
	case FH_UNIT_DEFERRED:
		return page->deferred;
	case FH_UNIT_UNIQUE:
		return page->uniques;
	case FH_UNIT_LIST:
		return page->lists;
	default:
		return 0;
	}
}

uint64_t fh_ledger_units(uint64_t frame, enum fh_unit kind)
{
	uint64_t live;

	/* Nobody has written the ledger of a raw section. */
	if (fh_slot_find_live(fh_paddr_of_frame(frame), &live) != FH_OK)
		return 0;
	return units_of(frame, kind);
}

static void set_units(uint64_t frame, enum fh_unit kind, uint64_t n)
{
	struct fh_ledger_page *page = &fh_ledger_pages[frame];

	switch (kind) {
	case FH_UNIT_FRAME:
		page->frames = (uint32_t)n;
		return;
	case FH_UNIT_SEGMENT:
		page->segments = (uint32_t)n;
		return;
	case FH_UNIT_RAW:
		page->raws = (uint32_t)n;
		return;
	case FH_UNIT_ENTRY:
		page->entries = (uint32_t)n;
		return;
	case FH_UNIT_ROOT:
		page->roots = (uint16_t)n;
		return;
	case FH_UNIT_DEFERRED:
		page->deferred = (uint32_t)n;
		return;
	case FH_UNIT_UNIQUE:
		page->uniques = (uint8_t)n;
		return;
	default:
		page->lists = (uint8_t)n;
		return;
	}
}

uint64_t fh_ledger_shares(uint64_t frame)
{
	const struct fh_ledger_page *page = &fh_ledger_pages[frame];

	return (uint64_t)page->frames + page->segments + page->raws +
	       page->entries + page->roots + page->deferred;
}

uintptr_t fh_ledger_forgotten_at(uint64_t frame)
{
	return unpack_site(fh_ledger_pages[frame].forgotten_at);
}

static void add_units(uint64_t first, uint64_t n, enum fh_unit kind)
{
	for (uint64_t i = first; i - first < n; i++)
		set_units(i, kind, units_of(i, kind) + 1);
}

/* The first page of the range that has no unit of the kind, or its end. */
static uint64_t first_without(uint64_t first, uint64_t n, enum fh_unit kind)
{
	uint64_t i = first;

	while (i - first < n && units_of(i, kind) > 0)
		i++;
	return i;
}

static void sub_units(uint64_t first, uint64_t n, enum fh_unit kind)
{
	for (uint64_t i = first; i - first < n; i++)
		set_units(i, kind, units_of(i, kind) - 1);
}

/* An unused record's index, or 0 when they are all live. */
static uint32_t take_record(void)
{
	uint32_t index = ledger.oldest_end;

	if (ledger.fresh < ledger.capacity) {
		index = (uint32_t)ledger.fresh;
		ledger.fresh++;
	} else if (index != 0) {
		ledger.oldest_end = ledger.records[index].next;
		if (ledger.oldest_end == 0)
			ledger.newest_end = 0;
	}
	return index;
}

static void end_record(uint32_t index, uintptr_t site)
{
	struct record *record = &ledger.records[index];

	record->live = 0;
	record->ended_at = site;
	record->next = 0;
	if (ledger.newest_end == 0)
		ledger.oldest_end = index;
	else
		ledger.records[ledger.newest_end].next = index;
	ledger.newest_end = index;
}

/* With the lock held. */
static uint64_t start_handle(uint64_t first, uint64_t n, enum fh_unit kind,
			     uintptr_t site)
{
	uint32_t index = take_record();

	ledger.live++;
	if (index == 0)
		return first;
	ledger.records[index] = (struct record){
		.first = first,
		.count = n,
		.site = site,
		.kind = (uint16_t)kind,
		.live = 1,
	};
	return first + index * FH_HANDLE_FRAMES;
}

/* What is wrong with using a handle; rule is null if nothing is. */
struct objection {
	const char *rule;
	const char *needed;
	uint64_t frame;
	uintptr_t earlier;
};

static void object(const struct objection *objection, uintptr_t site)
{
	uint64_t frame = objection->frame;

	if (objection->rule == NULL)
		return;
	fh_stop(objection->rule, frame, fh_state_load_relaxed(frame),
		objection->needed, site, objection->earlier);
}

/* With the lock held: whether the handle is a live one of n pages. */
static struct objection check_handle(uint64_t handle, uint64_t n,
				     enum fh_unit kind)
{
	uint64_t first = handle % FH_HANDLE_FRAMES;
	uint64_t index = handle / FH_HANDLE_FRAMES;
	struct objection fine = {.frame = first};
	struct objection ended = {
		.rule = "handle",
		.needed = "a handle that was not put, forgotten or moved yet",
		.frame = first,
	};

	if (index == 0)
		return fine;
	const struct record *record = &ledger.records[index];
	if (index >= ledger.fresh)
		return ended;
	if (!record->live) {
		ended.earlier = record->ended_at;
		return ended;
	}
	if (record->first != first || record->count != n ||
	    record->kind != kind) {
		ended.earlier = record->site;
		return ended;
	}
	return fine;
}

static struct objection check_units(uint64_t first, uint64_t n,
				    enum fh_unit kind)
{
	uint64_t i = first_without(first, n, kind);
	struct objection objection = {.frame = i};

	if (i - first < n) {
		objection.rule = "units";
		objection.needed = unit_names[kind];
	}
	return objection;
}

/* With the lock held, for a handle that check_handle() is content with. */
static void end_handle(uint64_t handle, uint64_t n, enum fh_unit kind,
		       uintptr_t site)
{
	uint32_t index = (uint32_t)(handle / FH_HANDLE_FRAMES);

	sub_units(handle % FH_HANDLE_FRAMES, n, kind);
	ledger.live--;
	if (index != 0)
		end_record(index, site);
}

uint64_t fh_ledger_mint(uint64_t first, uint64_t n, enum fh_unit kind,
			uintptr_t site)
{
	uint64_t saved = fh_lock(&ledger.lock);
	uint64_t handle = start_handle(first, n, kind, site);

	add_units(first, n, kind);
	fh_unlock(&ledger.lock, saved);
	return handle;
}

/* Ends a handle; its units become units of another kind, if one is given. */
static void end_into(uint64_t handle, uint64_t n, enum fh_unit kind,
		     enum fh_unit into, uintptr_t site)
{
	uint64_t first = handle % FH_HANDLE_FRAMES;
	uint64_t saved = fh_lock(&ledger.lock);
	struct objection objection = check_handle(handle, n, kind);

	if (objection.rule == NULL)
		objection = check_units(first, n, kind);
	if (objection.rule == NULL) {
		end_handle(handle, n, kind, site);
		if (into != FH_UNIT_KINDS) {
			add_units(first, n, into);
			for (uint64_t i = first; i - first < n; i++)
				fh_ledger_pages[i].forgotten_at =
					pack_site(site);
		}
	}
	fh_unlock(&ledger.lock, saved);
	object(&objection, site);
}

void fh_ledger_redeem(uint64_t handle, uint64_t n, enum fh_unit kind,
		      uintptr_t site)
{
	end_into(handle, n, kind, FH_UNIT_KINDS, site);
}

void fh_ledger_forget(uint64_t handle, uint64_t n, enum fh_unit kind,
		      uintptr_t site)
{
	end_into(handle, n, kind, FH_UNIT_RAW, site);
}

void fh_ledger_enter_list(uint64_t handle, uintptr_t site)
{
	end_into(handle, 1, FH_UNIT_UNIQUE, FH_UNIT_LIST, site);
}

uint64_t fh_ledger_leave_list(uint64_t frame, uintptr_t site)
{
	uint64_t saved = fh_lock(&ledger.lock);
	struct objection objection = check_units(frame, 1, FH_UNIT_LIST);
	uint64_t handle = 0;

	if (objection.rule == NULL) {
		sub_units(frame, 1, FH_UNIT_LIST);
		add_units(frame, 1, FH_UNIT_UNIQUE);
		handle = start_handle(frame, 1, FH_UNIT_UNIQUE, site);
	}
	fh_unlock(&ledger.lock, saved);
	object(&objection, site);
	return handle;
}

uint64_t fh_ledger_restore(uint64_t first, uint64_t n, enum fh_unit kind,
			   uintptr_t site)
{
	uint64_t saved = fh_lock(&ledger.lock);
	struct objection objection = check_units(first, n, FH_UNIT_RAW);
	uint64_t handle = 0;

	if (objection.rule == NULL) {
		sub_units(first, n, FH_UNIT_RAW);
		add_units(first, n, kind);
		handle = start_handle(first, n, kind, site);
		for (uint64_t i = first; i - first < n; i++)
			fh_ledger_pages[i].restored_at = pack_site(site);
	} else {
		objection.rule = "restore";
		objection.needed = "forgotten, and not restored since";
		objection.earlier = unpack_site(
			fh_ledger_pages[objection.frame].restored_at);
	}
	fh_unlock(&ledger.lock, saved);
	object(&objection, site);
	return handle;
}

void fh_ledger_add(uint64_t first, uint64_t n, enum fh_unit kind)
{
	uint64_t saved = fh_lock(&ledger.lock);

	add_units(first, n, kind);
	fh_unlock(&ledger.lock, saved);
}

void fh_ledger_mint_raw(uint64_t first, uint64_t n)
{
	fh_ledger_add(first, n, FH_UNIT_RAW);
}

void fh_ledger_become(uint64_t handle, uint64_t n, enum fh_unit kind,
		      enum fh_unit into, uintptr_t site)
{
	end_into(handle, n, kind, into, site);
}

void fh_ledger_shift(uint64_t first, uint64_t n, enum fh_unit from,
		     enum fh_unit into, uintptr_t site)
{
	uint64_t saved = fh_lock(&ledger.lock);
	struct objection objection = check_units(first, n, from);

	if (objection.rule == NULL) {
		sub_units(first, n, from);
		if (into != FH_UNIT_KINDS)
			add_units(first, n, into);
	}
	fh_unlock(&ledger.lock, saved);
	object(&objection, site);
}

void fh_ledger_remove(uint64_t first, uint64_t n, enum fh_unit kind,
		      uintptr_t site)
{
	fh_ledger_shift(first, n, kind, FH_UNIT_KINDS, site);
}

uint64_t fh_ledger_advance(uint64_t handle, uint64_t n, uintptr_t site)
{
	uint64_t first = handle % FH_HANDLE_FRAMES;
	uint32_t index = (uint32_t)(handle / FH_HANDLE_FRAMES);
	uint64_t saved = fh_lock(&ledger.lock);
	struct objection objection = check_handle(handle, n, FH_UNIT_SEGMENT);

	if (objection.rule == NULL)
		objection = check_units(first, 1, FH_UNIT_SEGMENT);
	if (objection.rule == NULL && n == 1) {
		end_handle(handle, 1, FH_UNIT_SEGMENT, site);
	} else if (objection.rule == NULL) {
		sub_units(first, 1, FH_UNIT_SEGMENT);
		if (index != 0) {
			ledger.records[index].first = first + 1;
			ledger.records[index].count = n - 1;
		}
	}
	fh_unlock(&ledger.lock, saved);
	object(&objection, site);
	return n > 1 ? handle + 1 : 0;
}

void fh_ledger_check(uint64_t handle, enum fh_unit kind, uintptr_t site)
{
	uint64_t index = handle / FH_HANDLE_FRAMES;
	uint64_t saved = fh_lock(&ledger.lock);
	bool has_record = index != 0 && index < ledger.fresh;
	uint64_t n = has_record ? ledger.records[index].count : 1;
	struct objection objection = check_handle(handle, n, kind);

	fh_unlock(&ledger.lock, saved);
	object(&objection, site);
}

void fh_ledger_check_dropped(uint64_t frame, uintptr_t site)
{
	uint64_t saved = fh_lock(&ledger.lock);
	bool held = fh_ledger_shares(frame) > 0 ||
		    units_of(frame, FH_UNIT_UNIQUE) > 0 ||
		    units_of(frame, FH_UNIT_LIST) > 0;
	struct objection objection = {
		.rule = held ? "dropped" : NULL,
		.needed = "a page that nobody holds any more",
		.frame = frame,
		.earlier = fh_ledger_forgotten_at(frame),
	};

	fh_unlock(&ledger.lock, saved);
	object(&objection, site);
}

bool fh_ledger_is_clean(void)
{
	return ledger.live == 0;
}

/* Adds a live handle to the group of its kind and site, if there is room. */
static size_t count_leak(const struct record *record, struct fh_leak *leaks,
			 size_t n, size_t capacity)
{
	size_t group = 0;

	while (group < n && (leaks[group].kind != record->kind ||
			     leaks[group].site != record->site))
		group++;
	if (group == n) {
		if (n == capacity)
			return n;
		leaks[n].kind = (enum fh_unit)record->kind;
		leaks[n].first = record->first;
		leaks[n].count = record->count;
		leaks[n].site = record->site;
		leaks[n].handles = 0;
		n++;
	}
	leaks[group].handles++;
	return n;
}

static void sort_leaks(struct fh_leak *leaks, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct fh_leak leak = leaks[i];
		size_t j = i;

		while (j > 0 && leaks[j - 1].handles < leak.handles) {
			leaks[j] = leaks[j - 1];
			j--;
		}
		leaks[j] = leak;
	}
}

size_t fh_ledger_leaks(struct fh_leak *leaks, size_t capacity)
{
	size_t n = 0;

	for (uint64_t i = 1; i < ledger.fresh; i++)
		if (ledger.records[i].live)
			n = count_leak(&ledger.records[i], leaks, n, capacity);
	sort_leaks(leaks, n);
	return n;
}

/* The external definitions of this header's inline functions. */
extern uint64_t fh_handle_frame(uint64_t handle);
extern uint64_t fh_unit_mint(uint64_t first, uint64_t n, enum fh_unit kind,
			     uintptr_t site);
extern void fh_unit_redeem(uint64_t handle, uint64_t n, enum fh_unit kind,
			   uintptr_t site);
extern void fh_unit_forget(uint64_t handle, uint64_t n, enum fh_unit kind,
			   uintptr_t site);
extern uint64_t fh_unit_restore(uint64_t first, uint64_t n, enum fh_unit kind,
				uintptr_t site);
extern void fh_unit_mint_raw(uint64_t first, uint64_t n);
extern void fh_unit_enter_list(uint64_t handle, uintptr_t site);
extern uint64_t fh_unit_leave_list(uint64_t frame, uintptr_t site);
extern uint64_t fh_unit_advance(uint64_t handle, uint64_t n, uintptr_t site);
extern void fh_unit_become(uint64_t handle, uint64_t n, enum fh_unit kind,
			   enum fh_unit into, uintptr_t site);
extern void fh_unit_shift(uint64_t first, uint64_t n, enum fh_unit from,
			  enum fh_unit into, uintptr_t site);
extern void fh_unit_add(uint64_t first, uint64_t n, enum fh_unit kind);
extern void fh_unit_remove(uint64_t first, uint64_t n, enum fh_unit kind,
			   uintptr_t site);
extern void fh_unit_check_dropped(uint64_t frame, uintptr_t site);
extern void fh_unit_check(uint64_t handle, enum fh_unit kind, uintptr_t site);
