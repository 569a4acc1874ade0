/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tells owners apart by a page's state, its type and, where a page is shared,
 * by the kind of its units in the ledger: state and type alone do not show
 * whether a frame or a segment holds it. That needs a checked build.
 */
#include "census.h"

#include <framehold/audit.h>
#include <framehold/framehold.h>

FH_STATIC_ASSERT(FH_CHECKED, "the demo shows what the ledger knows");

static const struct {
	const char *name;
	const char *meaning;
} owners[OWNERS] = {
	[OWNER_FRAME] = {"frame", "one page of plain memory, counted"},
	[OWNER_TYPED] = {"typed frame", "one page with the demo's metadata"},
	[OWNER_SEGMENT] = {"segment", "part of a contiguous range"},
	[OWNER_UNIQUE] = {"unique", "one page with exactly one owner"},
	[OWNER_LIST] = {"list", "member of a list of frames"},
	[OWNER_FORGOTTEN] = {"forgotten", "owned by an address: into_raw, inc"},
	[OWNER_UNUSED] = {"unused", "outside of the allocator, unclaimed"},
	[OWNER_FREE] = {"free", "in the allocator"},
	[OWNER_METADATA] = {"metadata", "slots, ledger, allocator tables"},
	[OWNER_EARLY] = {"early", "taken before there was metadata"},
	[OWNER_KERNEL] = {"kernel", "the kernel's image"},
	[OWNER_UNUSABLE] = {"unusable", "bad or kept by firmware"},
	[OWNER_RESERVED] = {"reserved", "firmware's, devices', holes"},
	[OWNER_NOBODY] = {"no metadata", "no RAM near it"},
};

const char *owner_name(enum owner owner)
{
	return owners[owner].name;
}

const char *owner_meaning(enum owner owner)
{
	return owners[owner].meaning;
}

/* Bring-up's own holdings, by their type. */
static bool owner_at_boot(const struct fh_meta_type *type, enum owner *owner)
{
	if (type == &fh_meta_page_type)
		*owner = OWNER_METADATA;
	else if (type == &fh_early_type)
		*owner = OWNER_EARLY;
	else if (type == &fh_kernel_type)
		*owner = OWNER_KERNEL;
	else if (type == &fh_unusable_type)
		*owner = OWNER_UNUSABLE;
	else if (type == &fh_reserved_type)
		*owner = OWNER_RESERVED;
	else
		return false;
	return true;
}

static enum owner owner_of_shared(uint64_t frame,
				  const struct fh_meta_type *type)
{
	if (fh_ledger_units(frame, FH_UNIT_SEGMENT) != 0)
		return OWNER_SEGMENT;
	if (fh_ledger_units(frame, FH_UNIT_FRAME) == 0)
		return OWNER_FORGOTTEN;
	return type->untyped ? OWNER_FRAME : OWNER_TYPED;
}

static enum owner owner_of(uint64_t frame)
{
	const struct fh_slot *slot = fh_frame_to_meta(frame);
	enum owner owner;

	if (slot->state == FH_STATE_FREE)
		return OWNER_FREE;
	if (slot->state == FH_STATE_UNUSED)
		return OWNER_UNUSED;
	if (owner_at_boot(slot->type, &owner))
		return owner;
	if (slot->state != FH_STATE_UNIQUE)
		return owner_of_shared(frame, slot->type);
	if (fh_ledger_units(frame, FH_UNIT_LIST) != 0)
		return OWNER_LIST;
	if (fh_ledger_units(frame, FH_UNIT_UNIQUE) == 0)
		return OWNER_FORGOTTEN;
	return OWNER_UNIQUE;
}

/* Slots of a raw section are not read: that alone would cost memory. */
static void count_in_section(uint64_t first, uint64_t count,
			     struct census *census)
{
	uint64_t end = fh_memory.frame_end;
	uint64_t inside = first >= end          ? 0
			  : count < end - first ? count
						: end - first;
	uint8_t section = FH_SECTION_ABSENT;

	if (inside != 0)
		section = fh_memory.sections[first / FH_SECTION_FRAMES];
	if (section == FH_SECTION_ABSENT)
		inside = 0;
	census->pages[OWNER_NOBODY] += count - inside;
	if (section == FH_SECTION_RAW) {
		census->pages[OWNER_FREE] += inside;
		return;
	}
	for (uint64_t i = first; i < first + inside; i++)
		census->pages[owner_of(i)]++;
}

struct census census_of(uint64_t first, uint64_t count)
{
	struct census census = {{0}};

	while (count != 0) {
		uint64_t n = FH_SECTION_FRAMES - first % FH_SECTION_FRAMES;

		if (n > count)
			n = count;
		count_in_section(first, n, &census);
		first += n;
		count -= n;
	}
	return census;
}

struct census census_of_all(void)
{
	return census_of(0, fh_memory.frame_end);
}

uint64_t census_total(const struct census *census)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < OWNERS; i++)
		if (i != OWNER_NOBODY)
			total += census->pages[i];
	return total;
}
