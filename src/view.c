/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Views: the slots and units of some pages as values, so that a test can say
 * "and nothing else changed". What they compare is ownership: the words of a
 * page that nobody owns are nobody's.
 */
#include <framehold/audit.h>

#include "ledger.h"
#include "slot.h"

static const struct fh_view_page absent_page;

static bool has_slot(uint64_t frame)
{
	uint64_t number;

	return frame < FH_PAGE_NUMBER_END &&
	       fh_get_slot(fh_paddr_of_frame(frame), &number) == FH_OK;
}

/* Pages of raw sections read as what they are, free, without being read. */
static struct fh_view_page view_page(uint64_t frame)
{
	struct fh_view_page page = absent_page;
	uint64_t number;

	if (!has_slot(frame))
		return page;
	page.exists = true;
	if (fh_slot_find_live(fh_paddr_of_frame(frame), &number) != FH_OK)
		return page;
	page.slot = fh_slots[frame];
	if (FH_CHECKED)
		page.units = fh_ledger_pages[frame];
	return page;
}

void fh_view_take(const struct fh_view *view)
{
	for (uint64_t i = 0; i < view->count; i++)
		view->pages[i] = view_page(view->first + i);
}

static bool same_words(const struct fh_meta *a, const struct fh_meta *b)
{
	for (unsigned i = 0; i < FH_META_WORDS; i++)
		if (a->w[i] != b->w[i])
			return false;
	return true;
}

static bool same_units(const struct fh_ledger_page *a,
		       const struct fh_ledger_page *b)
{
	return a->frames == b->frames && a->segments == b->segments &&
	       a->raws == b->raws && a->entries == b->entries &&
	       a->roots == b->roots && a->deferred == b->deferred &&
	       a->uniques == b->uniques && a->lists == b->lists;
}

static bool same_page(const struct fh_view_page *a,
		      const struct fh_view_page *b)
{
	return a->exists == b->exists && a->slot.state == b->slot.state &&
	       a->slot.type == b->slot.type && a->slot.list == b->slot.list &&
	       (a->slot.type == NULL ||
		same_words(&a->slot.meta, &b->slot.meta)) &&
	       same_units(&a->units, &b->units);
}

bool fh_view_agree_except(const struct fh_view *a, const struct fh_view *b,
			  uint64_t except, uint64_t count, uint64_t *frame)
{
	for (uint64_t i = 0; i < a->count; i++) {
		uint64_t number = a->first + i;

		if (number >= except && number - except < count)
			continue;
		if (!same_page(&a->pages[i], &b->pages[i])) {
			*frame = number;
			return false;
		}
	}
	return true;
}

bool fh_view_same(const struct fh_view *a, const struct fh_view *b,
		  uint64_t *frame)
{
	return fh_view_agree_except(a, b, 0, 0, frame);
}

/*
 * Whether page i of a range may exist at all: past the end of RAM none does,
 * so that no count, however large, makes the loops below long.
 */
static bool is_below_end(uint64_t first, uint64_t i)
{
	return first < fh_memory.frame_end && i < fh_memory.frame_end - first;
}

bool fh_range_in_region(uint64_t first, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (!is_below_end(first, i) || !has_slot(first + i))
			return false;
	return true;
}

bool fh_range_not_in_region(uint64_t first, uint64_t count)
{
	for (uint64_t i = 0; i < count && is_below_end(first, i); i++)
		if (has_slot(first + i))
			return false;
	return true;
}

bool fh_range_not_mapped(uint64_t first, uint64_t count)
{
	if (!FH_CHECKED)
		return false;
	for (uint64_t i = 0; i < count && is_below_end(first, i); i++)
		if (view_page(first + i).units.entries != 0)
			return false;
	return true;
}
