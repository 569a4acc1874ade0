/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The audit: every rule about a page that can be checked on a machine at rest,
 * in the order in which a reader of the report can use them. Raw sections are
 * skipped: nobody has been there.
 */
#include <framehold/allocator.h>
#include <framehold/audit.h>

#include "ledger.h"

/* One page under audit, and where to put what is wrong with it. */
struct subject {
	uint64_t frame;
	uint64_t state;
	struct fh_finding *finding;
};

static bool object_to(const struct subject *page, const char *rule,
		      const char *needed)
{
	*page->finding = (struct fh_finding){
		.rule = rule,
		.frame = page->frame,
		.state = page->state,
		.needed = needed,
	};
	if (FH_CHECKED)
		page->finding->earlier_site =
			fh_ledger_forgotten_at(page->frame);
	return false;
}

static bool is_shared(uint64_t state)
{
	return state >= FH_STATE_ONE && state <= FH_STATE_MAX;
}

static bool check_state(const struct subject *page)
{
	if (page->state > FH_STATE_MAX)
		return object_to(page, "state",
				 "a count not above the maximum");
	if (page->state == FH_STATE_BUSY)
		return object_to(page, "at_rest",
				 "a page that is not being made or dropped");
	return true;
}

static bool check_type(const struct subject *page)
{
	bool has_type = fh_slots[page->frame].type != NULL;
	bool needs_type =
		is_shared(page->state) || page->state == FH_STATE_UNIQUE;

	if (needs_type && !has_type)
		return object_to(page, "type", "a type");
	if (!needs_type && has_type)
		return object_to(page, "type", "no type");
	return true;
}

static bool check_list(const struct subject *page)
{
	if (fh_list_id_load_relaxed(page->frame) == 0 ||
	    page->state == FH_STATE_UNIQUE)
		return true;
	return object_to(page, "list", "unique, or in no list");
}

static bool check_free(const struct subject *page)
{
	bool free = page->state == FH_STATE_FREE;
	bool in_allocator = fh_allocator_covers(page->frame) &&
			    fh_allocator_is_free(page->frame);

	if (free && !in_allocator)
		return object_to(page, "free", "free in the allocator too");
	if (!free && in_allocator)
		return object_to(page, "free", "free, as the allocator says");
	return true;
}

static bool object_to_count(const struct subject *page, uint64_t found,
			    uint64_t needed, const char *what)
{
	(void)object_to(page, "units", what);
	page->finding->has_counts = true;
	page->finding->found_count = found;
	page->finding->needed_count = needed;
	return false;
}

static bool check_page_units(const struct subject *page)
{
	uint64_t shares = fh_ledger_shares(page->frame);
	uint64_t raws = fh_ledger_units(page->frame, FH_UNIT_RAW);
	uint64_t alone = fh_ledger_units(page->frame, FH_UNIT_UNIQUE) +
			 fh_ledger_units(page->frame, FH_UNIT_LIST);

	if (is_shared(page->state)) {
		if (alone != 0)
			return object_to_count(page, alone, 0,
					       "unique or list units");
		if (shares != fh_ref_count(page->state))
			return object_to_count(page, shares,
					       fh_ref_count(page->state),
					       "units of its holders");
		return true;
	}
	if (page->state == FH_STATE_UNIQUE) {
		if (alone + raws != 1 || shares != raws)
			return object_to_count(page, alone + shares, 1,
					       "unit of its owner");
		return true;
	}
	if (alone + shares != 0)
		return object_to_count(page, alone + shares, 0,
				       "units, nobody holds it");
	return true;
}

static bool check_membership(const struct subject *page)
{
	bool in_list = fh_list_id_load_relaxed(page->frame) != 0;
	uint64_t lists = fh_ledger_units(page->frame, FH_UNIT_LIST);

	if (in_list == (lists == 1))
		return true;
	return object_to_count(page, lists, in_list ? 1 : 0,
			       "list units, by its list id");
}

static bool check_page(const struct subject *page)
{
	if (!check_state(page) || !check_type(page) || !check_list(page) ||
	    !check_free(page))
		return false;
	return !FH_CHECKED ||
	       (check_page_units(page) && check_membership(page));
}

static bool is_live(uint64_t frame)
{
	return fh_byte_load_acquire(
		       &fh_memory.sections[frame / FH_SECTION_FRAMES]) ==
	       FH_SECTION_LIVE;
}

/* The first frame from `frame` on that is in a live section, or the end. */
static uint64_t next_live(uint64_t frame)
{
	while (frame < fh_memory.frame_end && !is_live(frame))
		frame = (frame / FH_SECTION_FRAMES + 1) * FH_SECTION_FRAMES;
	return frame < fh_memory.frame_end ? frame : fh_memory.frame_end;
}

enum fh_status fh_audit(struct fh_finding *finding)
{
	struct fh_finding found;

	for (uint64_t i = next_live(0); i < fh_memory.frame_end;
	     i = next_live(i + 1)) {
		struct subject page = {
			.frame = i,
			.state = fh_state_load_acquire(i),
			.finding = &found,
		};

		if (!check_page(&page)) {
			*finding = found;
			return FH_E_CORRUPT;
		}
	}
	return fh_is_initialized() ? fh_allocator_audit(finding) : FH_OK;
}

static void count_state(uint64_t state, struct fh_audit_summary *summary)
{
	if (state == FH_STATE_FREE)
		summary->free++;
	else if (state == FH_STATE_UNUSED)
		summary->unused++;
	else if (state == FH_STATE_BUSY)
		summary->busy++;
	else if (state == FH_STATE_UNIQUE)
		summary->unique++;
	else
		summary->shared++;
}

static void count_live_page(uint64_t frame, struct fh_audit_summary *summary)
{
	count_state(fh_state_load_acquire(frame), summary);
	summary->usage[fh_slot_usage(frame)]++;
	if (!FH_CHECKED)
		return;
	for (unsigned kind = 0; kind < FH_UNIT_KINDS; kind++)
		summary->units[kind] +=
			fh_ledger_units(frame, (enum fh_unit)kind);
}

static uint64_t raw_pages(void)
{
	uint64_t pages = 0;

	for (uint64_t i = 0; i < fh_memory.frame_end; i += FH_SECTION_FRAMES) {
		uint64_t left = fh_memory.frame_end - i;

		if (fh_memory.sections[i / FH_SECTION_FRAMES] == FH_SECTION_RAW)
			pages += left < FH_SECTION_FRAMES ? left
							  : FH_SECTION_FRAMES;
	}
	return pages;
}

static const struct fh_audit_summary empty_summary;

void fh_audit_summary(struct fh_audit_summary *summary)
{
	*summary = empty_summary;
	summary->free = raw_pages();
	summary->usage[FH_USAGE_UNUSED] = summary->free;
	for (uint64_t i = next_live(0); i < fh_memory.frame_end;
	     i = next_live(i + 1))
		count_live_page(i, summary);
}
