/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The contracts' invariant, translated to C, against the audit: whatever one
 * page's slot and ledger hold, the audit accepts nothing that the contracts
 * exclude; and what it rejects besides, it rejects by rules that are its own.
 */
#include <string.h>

#include "contract.h"
#include "harness.h"

static const uint64_t states[] = {
	FH_STATE_FREE, FH_STATE_UNIQUE,  FH_STATE_UNUSED, FH_STATE_BUSY,
	FH_STATE_ONE,  FH_STATE_ONE + 1, FH_STATE_MAX,    FH_STATE_MAX + 1,
};

#define STATES (sizeof(states) / sizeof(states[0]))

/* Units of each kind a page is given: 0 .. limit - 1. */
struct units {
	unsigned frames, segments, raws, uniques, lists;
};
static const struct units limits = {3, 2, 3, 2, 2};

static struct {
	uint64_t tried;
	uint64_t accepted;
	uint64_t by_audit_alone;
} tally;

/* What the audit asks for beyond the contracts, at rest and by kind. */
static bool is_rule_of_its_own(const struct fh_finding *finding)
{
	static const char *const rules[] = {"at_rest", "free", "units"};

	for (size_t i = 0; i < 3; i++)
		if (strcmp(finding->rule, rules[i]) == 0)
			return true;
	return false;
}

static void compare(uint64_t frame)
{
	struct fh_finding finding;
	bool accepted = fh_audit(&finding) == FH_OK;
	bool allowed = contract_slot_inv(frame);

	tally.tried++;
	if (accepted && !allowed)
		fail_msg("the audit accepts state %#llx, which no contract "
			 "allows",
			 (unsigned long long)fh_slots[frame].state);
	if (!accepted && finding.frame != frame)
		fail_msg("the audit names another page");
	if (!accepted && allowed && !is_rule_of_its_own(&finding))
		fail_msg("rule %s is in no contract", finding.rule);
	tally.accepted += accepted;
	tally.by_audit_alone += !accepted && allowed;
}

static void set_units(uint64_t frame, const struct units *units)
{
	struct fh_ledger_page *page = &fh_ledger_pages[frame];

	page->frames = units->frames;
	page->segments = units->segments;
	page->raws = units->raws;
	page->uniques = (uint8_t)units->uniques;
	page->lists = (uint8_t)units->lists;
}

/* Counts up through all combinations; false after the last. */
static bool next_units(struct units *units)
{
	unsigned *digits[] = {&units->frames, &units->segments, &units->raws,
			      &units->uniques, &units->lists};
	const unsigned ends[] = {limits.frames, limits.segments, limits.raws,
				 limits.uniques, limits.lists};

	for (size_t i = 0; i < 5; i++) {
		if (++*digits[i] < ends[i])
			return true;
		*digits[i] = 0;
	}
	return false;
}

static void compare_all_units(uint64_t frame)
{
	struct units units = {0};

	if (!FH_CHECKED) {
		compare(frame);
		return;
	}
	do {
		set_units(frame, &units);
		compare(frame);
	} while (next_units(&units));
	set_units(frame, &units);
}

/* Everything that a page's slot and ledger can hold, as far as rules look. */
static void compare_all_slots(uint64_t frame)
{
	struct fh_slot *slot = fh_frame_to_meta(frame);
	struct fh_slot kept = *slot;
	struct fh_finding finding;

	for (size_t i = 0; i < STATES; i++)
		for (unsigned typed = 0; typed < 2; typed++)
			for (uint64_t list = 0; list < 2; list++) {
				slot->state = states[i];
				slot->type = typed ? &counting_type : NULL;
				slot->list = list;
				compare_all_units(frame);
			}
	*slot = kept;
	OK(fh_audit(&finding));
	assert_true(contract_slot_inv(frame));
}

static void audit_accepts_only_what_contracts_allow(void **state)
{
	(void)state;
	/* Outside of the allocator, and inside. */
	compare_all_slots(unused_page());
	compare_all_slots(free_pages(1));
	assert_true(tally.accepted > 4);
	assert_true(tally.by_audit_alone > 0);
	assert_true(tally.accepted + tally.by_audit_alone < tally.tried / 2);
}

/* The whole region, where bring-up has left it and with some of each owner. */
static void region_of_a_machine_obeys_the_contracts(void **state)
{
	uint64_t first = fresh_pages(8);
	struct fh_frame frame, copy;
	struct fh_unique unique;
	struct fh_segment segment;

	(void)state;
	assert_int_equal(contract_first_broken(), FRAME_END);
	OK(fh_frame_from_unused(address_of(first), &other_type, NULL, &frame));
	copy = fh_frame_get(frame);
	OK(fh_unique_from_unused(address_of(first + 1), &other_type, NULL,
				 &unique));
	OK(fh_segment_from_unused(address_of(first + 2), address_of(first + 8),
				  &other_type, NULL, &segment));
	assert_int_equal(contract_first_broken(), FRAME_END);
	force_state(first + 2, FH_STATE_UNUSED);
	assert_int_equal(contract_first_broken(), first + 2);
	force_state(first + 2, FH_STATE_ONE);
	fh_frame_put(&copy);
	fh_frame_put(&frame);
	fh_unique_put(&unique);
	fh_segment_put(&segment);
	assert_int_equal(contract_first_broken(), FRAME_END);
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(audit_accepts_only_what_contracts_allow),
		cmocka_unit_test(region_of_a_machine_obeys_the_contracts),
	};

	each_on_a_machine(tests, sizeof(tests) / sizeof(tests[0]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
