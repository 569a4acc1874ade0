/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The audit, views and findings. Rules are broken by hand, one at a time, and
 * must be found by name; a view must show every difference that matters and
 * none that does not.
 */
#include <stdio.h>
#include <string.h>

#include "harness.h"

/* What no call writes. */
#define UNTOUCHED UINT64_C(0x123456789a)

static struct fh_frame claim(uint64_t frame)
{
	struct fh_frame f;

	OK(fh_frame_from_unused(address_of(frame), &other_type, NULL, &f));
	return f;
}

static struct fh_unique claim_unique(uint64_t frame)
{
	struct fh_unique u;

	OK(fh_unique_from_unused(address_of(frame), &linkable_type, NULL, &u));
	return u;
}

/* ---- Views ---- */

#define VIEW_FIRST 3000
#define VIEW_COUNT 200

static struct fh_view_page pages_before[VIEW_COUNT], pages_after[VIEW_COUNT];
static const struct fh_view before = {VIEW_FIRST, VIEW_COUNT, pages_before};
static const struct fh_view after = {VIEW_FIRST, VIEW_COUNT, pages_after};

/* The views differ at that page first. */
static void assert_differs_at(uint64_t expected)
{
	uint64_t frame = UNTOUCHED;

	assert_false(fh_view_same(&before, &after, &frame));
	assert_int_equal(frame, expected);
	frame = UNTOUCHED;
	assert_false(fh_view_same(&after, &before, &frame));
	assert_int_equal(frame, expected);
}

static void assert_same(void)
{
	uint64_t frame = UNTOUCHED;

	assert_true(fh_view_same(&before, &after, &frame));
	assert_int_equal(frame, UNTOUCHED);
}

static void view_shows_the_first_difference(void **state)
{
	uint64_t first = fresh_pages(3);
	struct fh_frame f, second;
	struct fh_unique u;

	(void)state;
	fh_view_take(&before);
	fh_view_take(&after);
	assert_same();

	f = claim(first + 1);
	fh_view_take(&after);
	assert_differs_at(first + 1);
	u = claim_unique(first);
	fh_view_take(&after);
	assert_differs_at(first);
	fh_unique_put(&u);
	fh_view_take(&after);
	assert_differs_at(first + 1);

	fh_view_take(&before);
	fh_view_take(&after);
	assert_same();
	second = fh_frame_get(f);
	fh_view_take(&after);
	assert_differs_at(first + 1);
	fh_frame_put(&second);
	fh_view_take(&after);
	assert_same();
	fh_frame_put(&f);
}

/* Differences of every kind, made in the copies. */
static void view_compares_what_owners_see(void **state)
{
	uint64_t frame = fresh_pages(1);
	uint64_t at = frame - VIEW_FIRST;
	struct fh_frame f = claim(frame);
	struct fh_view_page whole;

	(void)state;
	fh_view_take(&before);
	fh_view_take(&after);
	whole = pages_after[at];
	assert_true(whole.exists);

	for (unsigned i = 0; i < FH_META_WORDS; i++) {
		pages_after[at].slot.meta.w[i] ^= 1;
		assert_differs_at(frame);
		pages_after[at] = whole;
	}
	pages_after[at].exists = false;
	assert_differs_at(frame);
	pages_after[at] = whole;
	pages_after[at].slot.state++;
	assert_differs_at(frame);
	pages_after[at] = whole;
	pages_after[at].slot.type = &counting_type;
	assert_differs_at(frame);
	pages_after[at] = whole;
	pages_after[at].slot.list = 1;
	assert_differs_at(frame);
	pages_after[at] = whole;
	pages_after[at].units.frames++;
	assert_differs_at(frame);
	pages_after[at] = whole;
	pages_after[at].units.segments++;
	assert_differs_at(frame);
	pages_after[at] = whole;
	pages_after[at].units.raws++;
	assert_differs_at(frame);
	pages_after[at] = whole;
	pages_after[at].units.entries++;
	assert_differs_at(frame);
	pages_after[at] = whole;
	pages_after[at].units.roots++;
	assert_differs_at(frame);
	pages_after[at] = whole;
	pages_after[at].units.deferred++;
	assert_differs_at(frame);
	pages_after[at] = whole;
	pages_after[at].units.uniques++;
	assert_differs_at(frame);
	pages_after[at] = whole;
	pages_after[at].units.lists++;
	assert_differs_at(frame);
	pages_after[at] = whole;
	assert_same();

	/* Where a page was forgotten is history, not ownership. */
	pages_after[at].units.forgotten_at++;
	pages_after[at].units.restored_at++;
	assert_same();
	/* The words of a page without a type are nobody's. */
	pages_after[at + 1].slot.meta.w[0]++;
	assert_null(pages_after[at + 1].slot.type);
	assert_same();
	fh_frame_put(&f);
}

static void view_agrees_except_on_given_pages(void **state)
{
	uint64_t first = fresh_pages(6);
	uint64_t frame = UNTOUCHED;
	struct fh_frame low, high;

	(void)state;
	fh_view_take(&before);
	low = claim(first + 1);
	high = claim(first + 4);
	fh_view_take(&after);
	assert_true(
		fh_view_agree_except(&before, &after, first + 1, 4, &frame));
	assert_true(fh_view_agree_except(&before, &after, first, 6, &frame));
	assert_true(
		fh_view_agree_except(&before, &after, 0, UINT64_MAX, &frame));
	assert_int_equal(frame, UNTOUCHED);

	/* One page too few on either side; none; elsewhere. */
	assert_false(
		fh_view_agree_except(&before, &after, first + 2, 3, &frame));
	assert_int_equal(frame, first + 1);
	assert_false(
		fh_view_agree_except(&before, &after, first + 1, 3, &frame));
	assert_int_equal(frame, first + 4);
	assert_false(
		fh_view_agree_except(&before, &after, first + 1, 1, &frame));
	assert_int_equal(frame, first + 4);
	frame = UNTOUCHED;
	assert_false(
		fh_view_agree_except(&before, &after, first + 1, 0, &frame));
	assert_int_equal(frame, first + 1);
	frame = UNTOUCHED;
	assert_false(fh_view_agree_except(&before, &after, UINT64_MAX,
					  UINT64_MAX, &frame));
	assert_int_equal(frame, first + 1);
	fh_frame_put(&low);
	fh_frame_put(&high);
}

/* Pages that are not there, and slots that nobody has written. */
static void view_of_absent_and_raw_pages(void **state)
{
	static const struct fh_slot free_slot;
	struct fh_view_page pages[4];
	struct fh_view view = {.count = 4, .pages = pages};

	(void)state;
	assert_int_equal(fh_memory.sections[2], FH_SECTION_RAW);
	assert_int_not_equal(fh_slots[FRAME_END - 1].state, FH_STATE_FREE);
	view.first = FRAME_END - 2;
	fh_view_take(&view);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pages[i].exists, i < 2);
	assert_memory_equal(&pages[0].slot, &free_slot, sizeof(free_slot));
	assert_memory_equal(&pages[1].slot, &free_slot, sizeof(free_slot));
	assert_int_equal(pages[0].units.frames, 0);
	assert_int_equal(pages[0].units.raws, 0);

	view.first = FH_SECTION_FRAMES - 2;
	fh_view_take(&view);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pages[i].exists, i < 2);
	assert_int_equal(pages[1].slot.state, FH_STATE_ONE);
	view.first = UINT64_MAX - 1;
	view.count = 2;
	fh_view_take(&view);
	assert_false(pages[0].exists);
	assert_false(pages[1].exists);
	view.first = FH_PAGE_NUMBER_END;
	fh_view_take(&view);
	assert_false(pages[0].exists);
	assert_int_equal(fh_memory.sections[2], FH_SECTION_RAW);
}

/* ---- Ranges ---- */

static void range_in_region_follows_sections(void **state)
{
	static const struct {
		uint64_t first;
		uint64_t count;
		bool in;
		bool out;
	} ranges[] = {
		{0, 1, true, false},
		{0, FH_SECTION_FRAMES, true, false},
		{GAP_PAGE, 10, true, false},
		{HOLE_PAGE, 1, false, true},
		{FH_SECTION_FRAMES, FH_SECTION_FRAMES, false, true},
		{HIGH_FIRST, FRAME_END - HIGH_FIRST, true, false},
		/* across a border, from either side */
		{FH_SECTION_FRAMES - 1, 2, false, false},
		{FH_SECTION_FRAMES - 1, 1, true, false},
		{HIGH_FIRST - 1, 2, false, false},
		{HIGH_FIRST - 1, 1, false, true},
		{0, FH_SECTION_FRAMES + 1, false, false},
		{FH_SECTION_FRAMES, FH_SECTION_FRAMES + 1, false, false},
		/* past the end */
		{FRAME_END - 1, 1, true, false},
		{FRAME_END - 1, 2, false, false},
		{FRAME_END, 1, false, true},
		{FH_PAGE_NUMBER_END - 1, 1, false, true},
		{FH_PAGE_NUMBER_END, 1, false, true},
		/* counts that wrap, and pages whose addresses do */
		{0, UINT64_MAX, false, false},
		{1, UINT64_MAX, false, false},
		{HOLE_PAGE, UINT64_MAX, false, false},
		{FRAME_END, UINT64_MAX, false, true},
		{FRAME_END - 1, UINT64_MAX, false, false},
		{UINT64_MAX, 1, false, true},
		{UINT64_MAX, 2, false, true},
		{UINT64_MAX, UINT64_MAX, false, true},
		{FH_PAGE_NUMBER_END - 1, FH_PAGE_NUMBER_END, false, true},
		/* no page at all */
		{0, 0, true, true},
		{HOLE_PAGE, 0, true, true},
		{UINT64_MAX, 0, true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		uint64_t first = ranges[i].first;
		uint64_t count = ranges[i].count;

		if (fh_range_in_region(first, count) != ranges[i].in)
			fail_msg("in: %#llx + %#llx", (unsigned long long)first,
				 (unsigned long long)count);
		if (fh_range_not_in_region(first, count) != ranges[i].out)
			fail_msg("out: %#llx + %#llx",
				 (unsigned long long)first,
				 (unsigned long long)count);
	}
	hosted_stop();
	assert_false(fh_range_in_region(0, 1));
	assert_true(fh_range_not_in_region(0, UINT64_MAX));
	assert_true(fh_range_in_region(0, 0));
}

/* ---- The audit ---- */

#define MIB 256 /* pages */

static const struct fh_region one_span[] = {
	{0, 64 * MIB *FH_PAGE_SIZE, FH_REGION_USABLE},
};
static const struct fh_region no_page_zero[] = {
	{MIB * FH_PAGE_SIZE, 16 * MIB *FH_PAGE_SIZE, FH_REGION_USABLE},
};
static const struct fh_region high_only[] = {
	{2000 * MIB * FH_PAGE_SIZE, 300 * MIB *FH_PAGE_SIZE, FH_REGION_USABLE},
};
static const struct fh_region of_every_kind[] = {
	{0, 160 * MIB *FH_PAGE_SIZE, FH_REGION_USABLE},
	{10 * MIB * FH_PAGE_SIZE, FH_PAGE_SIZE, FH_REGION_BAD},
	{11 * MIB * FH_PAGE_SIZE, FH_PAGE_SIZE, FH_REGION_UNKNOWN},
	{12 * MIB * FH_PAGE_SIZE, FH_PAGE_SIZE, FH_REGION_NON_VOLATILE_SLEEP},
	{13 * MIB * FH_PAGE_SIZE, FH_PAGE_SIZE, FH_REGION_RESERVED},
	{14 * MIB * FH_PAGE_SIZE, FH_PAGE_SIZE, FH_REGION_KERNEL},
	{15 * MIB * FH_PAGE_SIZE, FH_PAGE_SIZE, FH_REGION_MODULE},
	{16 * MIB * FH_PAGE_SIZE, FH_PAGE_SIZE, FH_REGION_FRAMEBUFFER},
	{17 * MIB * FH_PAGE_SIZE, FH_PAGE_SIZE, FH_REGION_RECLAIMABLE},
	{300 * MIB * FH_PAGE_SIZE, MIB *FH_PAGE_SIZE, FH_REGION_RECLAIMABLE},
	{310 * MIB * FH_PAGE_SIZE, MIB *FH_PAGE_SIZE, FH_REGION_FRAMEBUFFER},
};

static void assert_fresh(const struct fh_region *regions, size_t n, bool dirty)
{
	struct hosted_options options = {.dirty = dirty};
	struct fh_finding finding, untouched;

	memset(&finding, 0x5a, sizeof(finding));
	untouched = finding;
	assert_int_equal(fh_audit(&finding), FH_OK);
	OK(hosted_start(regions, n, &options));
	assert_int_equal(fh_audit(&finding), FH_OK);
	assert_memory_equal(&finding, &untouched, sizeof(finding));
	assert_true(fh_ledger_is_clean());
	hosted_stop();
	assert_int_equal(fh_audit(&finding), FH_OK);
	assert_memory_equal(&finding, &untouched, sizeof(finding));
}

#define FRESH(regions, dirty)                                                  \
	assert_fresh((regions), sizeof(regions) / sizeof((regions)[0]), (dirty))

static void audit_of_fresh_memory_finds_nothing(void **state)
{
	(void)state;
	FRESH(one_span, false);
	FRESH(one_span, true);
	FRESH(no_page_zero, false);
	FRESH(no_page_zero, true);
	FRESH(high_only, false);
	FRESH(of_every_kind, false);
	FRESH(of_every_kind, true);
}

/* The audit's first objection is this one. */
static void assert_finds(const char *rule, uint64_t frame, const char *file,
			 int line)
{
	struct fh_finding finding;

	memset(&finding, 0x5a, sizeof(finding));
	_assert_int_equal(fh_audit(&finding), FH_E_CORRUPT, file, line);
	_assert_string_equal(finding.rule, rule, file, line);
	_assert_int_equal(finding.frame, frame, file, line);
	_assert_int_equal(finding.state, state_of(frame), file, line);
	_assert_true((uintptr_t)finding.needed, "needed", file, line);
}

#define FINDS(rule, frame) assert_finds((rule), (frame), __FILE__, __LINE__)

/* A page of each state that pages at rest are in. */
struct cast {
	uint64_t free;
	uint64_t unused;
	uint64_t shared;
	uint64_t unique;
	uint64_t listed;
	struct fh_frame f;
	struct fh_unique u;
	struct fh_list list;
};

static void gather_cast(struct cast *cast)
{
	struct fh_unique member;

	cast->free = fresh_pages(1);
	cast->unused = fresh_pages(1);
	OK(fh_alloc_take(cast->unused, 1));
	cast->shared = fresh_pages(1);
	cast->f = claim(cast->shared);
	cast->unique = fresh_pages(1);
	cast->u = claim_unique(cast->unique);
	cast->listed = fresh_pages(1);
	member = claim_unique(cast->listed);
	cast->list = fh_list_none();
	OK(fh_list_push_back(&cast->list, &member));
	AUDIT();
}

static void dismiss_cast(struct cast *cast)
{
	AUDIT();
	fh_frame_put(&cast->f);
	fh_unique_put(&cast->u);
	fh_list_drop(&cast->list);
	AUDIT();
}

/* The page with another state word, and with its own again. */
static void break_state(uint64_t frame, uint64_t wrong, const char *rule)
{
	uint64_t right = state_of(frame);

	force_state(frame, wrong);
	FINDS(rule, frame);
	force_state(frame, right);
	AUDIT();
}

static void break_type(uint64_t frame, const struct fh_meta_type *wrong)
{
	const struct fh_meta_type *right = fh_slots[frame].type;

	fh_slots[frame].type = wrong;
	FINDS("type", frame);
	fh_slots[frame].type = right;
	AUDIT();
}

static void break_list(uint64_t frame, uint64_t wrong, const char *rule)
{
	uint64_t right = fh_slots[frame].list;

	fh_list_id_store_relaxed(frame, wrong);
	FINDS(rule, frame);
	fh_list_id_store_relaxed(frame, right);
	AUDIT();
}

static void break_units(uint32_t *units, uint32_t by, uint64_t frame)
{
	*units += by;
	FINDS("units", frame);
	*units -= by;
	AUDIT();
}

static void break_small_units(uint8_t *units, uint64_t frame)
{
	uint8_t right = *units;

	*units = right == 0;
	FINDS("units", frame);
	*units = right;
	AUDIT();
}

static void break_units_of(const struct cast *cast)
{
	struct fh_ledger_page *ledger = fh_ledger_pages;
	uint64_t unique = cast->unique;

	break_units(&ledger[cast->shared].frames, 1, cast->shared);
	break_units(&ledger[cast->shared].frames, UINT32_MAX, cast->shared);
	break_units(&ledger[cast->shared].segments, 1, cast->shared);
	break_units(&ledger[cast->shared].raws, 1, cast->shared);
	break_units(&ledger[cast->shared].entries, 1, cast->shared);
	break_small_units(&ledger[cast->shared].uniques, cast->shared);
	break_small_units(&ledger[cast->shared].lists, cast->shared);
	break_units(&ledger[cast->free].frames, 1, cast->free);
	break_units(&ledger[cast->free].raws, 1, cast->free);
	break_small_units(&ledger[cast->free].uniques, cast->free);
	break_small_units(&ledger[cast->unused].lists, cast->unused);
	break_units(&ledger[cast->unused].segments, 1, cast->unused);
	break_small_units(&ledger[unique].uniques, unique);
	break_small_units(&ledger[unique].lists, unique);
	break_units(&ledger[unique].raws, 1, unique);
	break_units(&ledger[unique].frames, 1, unique);
	break_small_units(&ledger[cast->listed].lists, cast->listed);
	/* The word and the ledger must agree in both directions. */
	break_state(cast->shared, FH_STATE_SHARED(2), "units");
	break_state(cast->shared, FH_STATE_MAX, "units");
	break_state(cast->shared, FH_STATE_UNIQUE, "units");
	break_state(cast->unique, FH_STATE_ONE, "units");
	/* So must the id of a list and its unit. */
	break_list(cast->listed, 0, "units");
	break_list(cast->unique, 1, "units");
}

static void audit_names_each_broken_rule(void **state)
{
	struct cast cast;

	(void)state;
	gather_cast(&cast);
	break_state(cast.shared, FH_STATE_MAX + 1, "state");
	break_state(cast.shared, UINT64_MAX, "state");
	break_state(cast.shared, FH_STATE_BUSY, "at_rest");
	break_state(cast.free, FH_STATE_BUSY, "at_rest");
	break_state(cast.shared, FH_STATE_FREE, "type");
	break_state(cast.shared, FH_STATE_UNUSED, "type");
	break_state(cast.unique, FH_STATE_UNUSED, "type");
	break_state(cast.free, FH_STATE_ONE, "type");
	break_state(cast.unused, FH_STATE_UNIQUE, "type");
	break_type(cast.shared, NULL);
	break_type(cast.unique, NULL);
	break_type(cast.free, &other_type);
	break_type(cast.unused, &other_type);
	break_list(cast.shared, 1, "list");
	break_list(cast.free, UINT64_MAX, "list");
	break_list(cast.unused, 1, "list");
	break_state(cast.free, FH_STATE_UNUSED, "free");
	break_state(cast.unused, FH_STATE_FREE, "free");
	/* A page that somebody holds, and the allocator calls free. */
	fh_slots[cast.free].type = &other_type;
	force_state(cast.free, FH_STATE_ONE);
	FINDS("free", cast.free);
	force_state(cast.free, FH_STATE_FREE);
	fh_slots[cast.free].type = NULL;
	if (FH_CHECKED) {
		break_units_of(&cast);
	} else {
		/* Counts without owners: what is not known is no objection. */
		force_state(cast.shared, FH_STATE_SHARED(2));
		AUDIT();
		force_state(cast.shared, FH_STATE_ONE);
	}
	dismiss_cast(&cast);
}

static void audit_names_the_lowest_page(void **state)
{
	uint64_t low = fresh_pages(1);
	uint64_t high = HIGH_FIRST + 100;
	struct fh_frame f = claim(high);

	(void)state;
	/* Both ends of memory, and a section beyond a hole. */
	break_state(FRAME_END - 1, FH_STATE_BUSY, "at_rest");
	break_state(0, FH_STATE_BUSY, "at_rest");
	break_state(FH_SECTION_FRAMES - 1, FH_STATE_BUSY, "at_rest");
	break_state(HIGH_FIRST, FH_STATE_BUSY, "at_rest");
	break_state(RESERVED_PAGE, FH_STATE_BUSY, "at_rest");

	force_state(high, FH_STATE_MAX + 1);
	force_state(low, FH_STATE_BUSY);
	FINDS("at_rest", low);
	force_state(low, FH_STATE_FREE);
	FINDS("state", high);
	force_state(high, FH_STATE_ONE);
	fh_frame_put(&f);
	AUDIT();
}

static void units_finding_shows_both_counts(void **state)
{
	uint64_t frame = fresh_pages(1);
	struct fh_frame f = claim(frame);
	struct fh_finding finding;

	(void)state;
	force_state(frame, FH_STATE_SHARED(5));
	if (FH_CHECKED) {
		assert_int_equal(fh_audit(&finding), FH_E_CORRUPT);
		assert_true(finding.has_counts);
		assert_int_equal(finding.found_count, 1);
		assert_int_equal(finding.needed_count, 5);
	} else {
		AUDIT();
	}
	force_state(frame, FH_STATE_BUSY);
	assert_int_equal(fh_audit(&finding), FH_E_CORRUPT);
	assert_false(finding.has_counts);
	force_state(frame, FH_STATE_ONE);
	fh_frame_put(&f);
}

/* ---- The allocator's own rules ---- */

#define SLOTS_A_PAGE (FH_PAGE_SIZE / sizeof(struct fh_slot))
#define UNITS_A_PAGE (FH_PAGE_SIZE / sizeof(struct fh_ledger_page))

/* Whether a page of RAM is what lies behind a word of a window. */
static bool is_behind(uint64_t page, uint64_t *word, uint64_t offset)
{
	const unsigned char *bytes = fh_host_linear(address_of(page));
	uint64_t saved = *word;
	uint64_t seen_before, seen_after;

	memcpy(&seen_before, bytes + offset, sizeof(seen_before));
	*word = ~saved;
	memcpy(&seen_after, bytes + offset, sizeof(seen_after));
	*word = saved;
	return seen_before != seen_after;
}

static uint64_t frame_end(void)
{
	return fh_frame_of_paddr(fh_max_paddr());
}

static bool is_slot_page(uint64_t page)
{
	for (uint64_t i = 0; i < frame_end(); i += SLOTS_A_PAGE)
		if (fh_range_in_region(i, 1) &&
		    is_behind(page, &fh_slots[i].meta.w[0], 0))
			return true;
	return false;
}

static bool is_ledger_page(uint64_t page)
{
	for (uint64_t i = 0; FH_CHECKED && i < frame_end(); i += UNITS_A_PAGE)
		if (fh_range_in_region(i, 1) &&
		    is_behind(page, (uint64_t *)(void *)&fh_ledger_pages[i], 0))
			return true;
	return false;
}

/*
 * Damages the page a little at a time; whether the audit then once names a
 * rule of the allocator.
 */
static bool allocator_objects_to(uint64_t page)
{
	static const char prefix[] = "allocator_";
	uint64_t *words = fh_host_linear(address_of(page));

	for (size_t i = 0; i < FH_PAGE_SIZE / sizeof(*words); i += 8) {
		struct fh_finding finding;

		words[i]++;
		enum fh_status status = fh_audit(&finding);

		words[i]--;
		if (status == FH_E_CORRUPT &&
		    strncmp(finding.rule, prefix, sizeof(prefix) - 1) == 0)
			return true;
	}
	return false;
}

/*
 * Somewhere among the pages that bring-up took, and that are neither slots nor
 * the ledger's units, lie the allocator's tables, whatever they look like.
 */
static void audit_passes_on_what_the_allocator_finds(void **state)
{
	/*
	 * Hardly more than its own metadata, where it needs no page to be left
	 * out for alignment, and a hole.
	 */
	static const struct fh_region small[] = {
		{0, 200 * FH_PAGE_SIZE, FH_REGION_USABLE},
		{512 * FH_PAGE_SIZE, 900 * FH_PAGE_SIZE, FH_REGION_USABLE},
		{HIGH_FIRST * FH_PAGE_SIZE, 64 * FH_PAGE_SIZE,
		 FH_REGION_USABLE},
	};
	struct fh_range piece;

	(void)state;
	OK(hosted_start(small, 3, NULL));
	for (size_t n = 0; fh_memory_metadata(n, &piece) == FH_OK; n++)
		for (uint64_t i = 0; i < piece.count; i++) {
			uint64_t page = piece.first + i;

			if (!is_slot_page(page) && !is_ledger_page(page) &&
			    allocator_objects_to(page)) {
				AUDIT();
				return;
			}
		}
	fail_msg("no damage made the allocator object");
}

/* ---- Figures ---- */

static uint64_t sum(const uint64_t *numbers, size_t n)
{
	uint64_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += numbers[i];
	return total;
}

static struct fh_audit_summary summary(void)
{
	struct fh_audit_summary s;

	memset(&s, 0x5a, sizeof(s));
	fh_audit_summary(&s);
	assert_int_equal(s.free + s.unused + s.busy + s.unique + s.shared,
			 FH_SECTION_FRAMES + (FRAME_END - HIGH_FIRST));
	assert_int_equal(sum(s.usage, 5),
			 FH_SECTION_FRAMES + (FRAME_END - HIGH_FIRST));
	assert_int_equal(s.free, count_free());
	return s;
}

static struct fh_frame claim_as(enum fh_usage usage)
{
	static const struct fh_meta_type types[] = {
		[FH_USAGE_FRAME] = {.name = "f", .usage = FH_USAGE_FRAME},
		[FH_USAGE_PAGE_TABLE] = {.name = "t",
					 .usage = FH_USAGE_PAGE_TABLE},
		[FH_USAGE_RESERVED] = {.name = "r", .usage = FH_USAGE_RESERVED},
		[FH_USAGE_MMIO] = {.name = "m", .usage = FH_USAGE_MMIO},
	};
	struct fh_frame f;

	OK(fh_frame_from_unused(address_of(fresh_pages(1)), &types[usage], NULL,
				&f));
	return f;
}

static void follow_usages(struct fh_audit_summary was)
{
	for (enum fh_usage usage = FH_USAGE_FRAME; usage <= FH_USAGE_MMIO;
	     usage++) {
		struct fh_frame f = claim_as(usage);
		struct fh_audit_summary now = summary();

		for (enum fh_usage u = 0; u <= FH_USAGE_MMIO; u++)
			assert_int_equal(now.usage[u],
					 was.usage[u] + (u == usage ? 1 : 0) -
						 (u == 0 ? 1 : 0));
		assert_int_equal(now.shared, was.shared + 1);
		fh_frame_put(&f);
		/* What is no memory is not free again, but unused. */
		now = summary();
		assert_int_equal(now.usage[0], was.usage[0]);
		was = now;
	}
	assert_int_equal(was.unused, 2);
}

static void assert_units(struct fh_audit_summary was, enum fh_unit kind,
			 uint64_t more)
{
	struct fh_audit_summary now = summary();

	for (unsigned k = 0; k < FH_UNIT_KINDS; k++)
		assert_int_equal(now.units[k],
				 was.units[k] +
					 (FH_CHECKED && k == kind ? more : 0));
}

static void follow_units(struct fh_audit_summary was)
{
	uint64_t first = fresh_pages(3);
	struct fh_list list = fh_list_none();
	struct fh_segment s;
	struct fh_frame f = claim(fresh_pages(1));
	struct fh_unique u;

	assert_units(was, FH_UNIT_FRAME, 1);
	fh_frame_put(&f);
	u = claim_unique(fresh_pages(1));
	assert_units(was, FH_UNIT_UNIQUE, 1);
	OK(fh_list_push_back(&list, &u));
	assert_units(was, FH_UNIT_LIST, 1);
	fh_list_drop(&list);
	OK(fh_segment_from_unused(address_of(first), address_of(first + 3),
				  &other_type, NULL, &s));
	assert_units(was, FH_UNIT_SEGMENT, 3);
	struct fh_range range = fh_segment_into_raw(&s);

	assert_units(was, FH_UNIT_RAW, 3);
	OK(fh_segment_from_raw(range, &s));
	fh_segment_put(&s);
	assert_units(was, FH_UNIT_FRAME, 0);
}

static void summary_counts_every_page(void **state)
{
	struct fh_audit_summary fresh = summary();
	struct fh_audit_summary now;
	uint64_t first = fresh_pages(4);
	struct fh_frame f, second;
	struct fh_unique u;

	(void)state;
	assert_int_equal(fresh.unused, 0);
	assert_int_equal(fresh.busy, 0);
	assert_int_equal(fresh.unique, 1);
	/* All that bring-up holds is raw, page by page. */
	assert_int_equal(fresh.units[FH_UNIT_RAW],
			 FH_CHECKED ? fresh.shared + 1 : 0);
	assert_int_equal(sum(fresh.units, FH_UNIT_KINDS),
			 fresh.units[FH_UNIT_RAW]);

	f = claim(first);
	second = fh_frame_get(f);
	u = claim_unique(first + 1);
	OK(fh_alloc_take(first + 2, 2));
	force_state(first + 3, FH_STATE_BUSY);
	now = summary();
	assert_int_equal(now.free, fresh.free - 4);
	assert_int_equal(now.shared, fresh.shared + 1);
	assert_int_equal(now.unique, fresh.unique + 1);
	assert_int_equal(now.unused, 1);
	assert_int_equal(now.busy, 1);
	force_state(first + 3, FH_STATE_UNUSED);
	OK(fh_alloc_add(first + 2, 2));
	fh_frame_put(&second);
	fh_frame_put(&f);
	fh_unique_put(&u);
	now = summary();
	assert_memory_equal(&now, &fresh, sizeof(now));
	follow_units(fresh);
	follow_usages(fresh);
}

/* ---- Findings as text ---- */

static void assert_text(const struct fh_finding *finding, const char *expected)
{
	char text[FH_FINDING_TEXT_SIZE];

	fh_finding_text(finding, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void finding_text_says_what_is_known(void **state)
{
	struct fh_finding finding = {
		.rule = "put",
		.frame = 0x1f,
		.state = FH_STATE_UNUSED,
		.needed = "shared by 1 or more",
	};

	(void)state;
	assert_text(&finding, "put: page 0x1f000 is unused, needed: shared by "
			      "1 or more");
	finding.site = 0x401234;
	assert_text(&finding, "put: page 0x1f000 is unused, needed: shared by "
			      "1 or more (at 0x401234)");
	finding.earlier_site = 0xabcdef;
	assert_text(&finding, "put: page 0x1f000 is unused, needed: shared by "
			      "1 or more (at 0x401234, earlier at 0xabcdef)");
	finding.site = 0;
	finding.state = FH_STATE_FREE;
	assert_text(&finding, "put: page 0x1f000 is free, needed: shared by "
			      "1 or more (earlier at 0xabcdef)");
	finding = (struct fh_finding){
		.rule = "units",
		.state = FH_STATE_SHARED(12),
		.needed = "units of its holders",
		.has_counts = true,
		.found_count = 0,
		.needed_count = UINT64_MAX,
	};
	assert_text(&finding,
		    "units: page 0x0 is shared by 12, found 0, needed: "
		    "18446744073709551615 units of its holders");
	finding.has_counts = false;
	finding.needed = "x";
	finding.state = FH_STATE_UNIQUE;
	assert_text(&finding, "units: page 0x0 is unique, needed: x");
	finding.state = FH_STATE_BUSY;
	assert_text(&finding, "units: page 0x0 is busy, needed: x");
	finding.state = FH_STATE_MAX;
	assert_text(&finding, "units: page 0x0 is shared by "
			      "9223372036854775807, needed: x");
}

static void finding_text_fits_and_ends(void **state)
{
	struct fh_finding finding = {
		.rule = "allocator_touched",
		.frame = FH_PAGE_NUMBER_END - 1,
		.state = UINT64_MAX,
		.needed = "free pages, by the allocator's count, and then some",
		.has_counts = true,
		.found_count = UINT64_MAX,
		.needed_count = UINT64_MAX,
		.site = UINTPTR_MAX,
		.earlier_site = UINTPTR_MAX,
	};
	char whole[FH_FINDING_TEXT_SIZE + 1];
	size_t length;

	(void)state;
	memset(whole, 'x', sizeof(whole));
	fh_finding_text(&finding, whole, FH_FINDING_TEXT_SIZE);
	length = strlen(whole);
	/* The longest there can be is not cut. */
	assert_true(length < FH_FINDING_TEXT_SIZE - 1);
	assert_non_null(strstr(whole, "allocator_touched"));
	assert_non_null(strstr(whole, "0xfffffffffffff000"));
	assert_int_equal(whole[length - 1], ')');

	for (size_t size = 1; size <= length + 2; size++) {
		char text[FH_FINDING_TEXT_SIZE + 1];
		size_t expected = size - 1 < length ? size - 1 : length;

		memset(text, 'x', sizeof(text));
		fh_finding_text(&finding, text, size);
		assert_int_equal(strlen(text), expected);
		assert_memory_equal(text, whole, expected);
		assert_int_equal(text[size], 'x');
	}
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(view_shows_the_first_difference),
		cmocka_unit_test(view_compares_what_owners_see),
		cmocka_unit_test(view_agrees_except_on_given_pages),
		cmocka_unit_test_setup_teardown(view_of_absent_and_raw_pages,
						start_dirty_machine,
						stop_machine),
		cmocka_unit_test(range_in_region_follows_sections),
		cmocka_unit_test_teardown(audit_of_fresh_memory_finds_nothing,
					  stop_machine),
		cmocka_unit_test(audit_names_each_broken_rule),
		cmocka_unit_test(audit_names_the_lowest_page),
		cmocka_unit_test(units_finding_shows_both_counts),
		cmocka_unit_test_teardown(
			audit_passes_on_what_the_allocator_finds, stop_machine),
		cmocka_unit_test(summary_counts_every_page),
		cmocka_unit_test(finding_text_says_what_is_known),
		cmocka_unit_test(finding_text_fits_and_ends),
	};

	each_on_a_machine(tests, sizeof(tests) / sizeof(tests[0]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
