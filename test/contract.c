/* SPDX-License-Identifier: MPL-2.0 */
/* The region's invariant of the contracts, asked of a running machine. */
#include <framehold/allocator.h>

#include "contract.h"
#include "contract_rules.h"

struct ghost {
	uint64_t held;
	uint64_t raw;
	uint64_t given;
};

static struct ghost ghost_by_ledger(uint64_t i)
{
	struct ghost ghost = {
		.held = fh_ledger_units(i, FH_UNIT_FRAME) +
			fh_ledger_units(i, FH_UNIT_SEGMENT) +
			fh_ledger_units(i, FH_UNIT_UNIQUE),
		.raw = fh_ledger_units(i, FH_UNIT_RAW) +
		       fh_ledger_units(i, FH_UNIT_ENTRY) +
		       fh_ledger_units(i, FH_UNIT_ROOT) +
		       fh_ledger_units(i, FH_UNIT_DEFERRED) +
		       fh_ledger_units(i, FH_UNIT_LIST),
	};

	return ghost;
}

static struct ghost ghost_by_state(uint64_t i)
{
	struct ghost ghost = {0};

	if (contract_is_shared(fh_slots[i].state))
		ghost.held = fh_slots[i].state - FH_STATE_BUSY;
	if (fh_slots[i].state == FH_STATE_UNIQUE)
		ghost.raw = 1;
	return ghost;
}

static bool section_is(uint64_t i, uint8_t state)
{
	return fh_memory.sections[i / FH_SECTION_FRAMES] == state;
}

bool contract_slot_inv(uint64_t frame)
{
	if (!section_is(frame, FH_SECTION_LIVE))
		return !section_is(frame, FH_SECTION_RAW) ||
		       !fh_memory.slots_are_zeroed ||
		       contract_slot_is_zero(frame);
	struct ghost ghost =
		FH_CHECKED ? ghost_by_ledger(frame) : ghost_by_state(frame);
	ghost.given = fh_allocator_covers(frame) && fh_allocator_is_free(frame);
	return contract_slot_counts(fh_slots[frame].state, fh_slots[frame].list,
				    ghost.held, ghost.raw, ghost.given) &&
	       contract_slot_type(frame);
}

uint64_t contract_first_broken(void)
{
	for (uint64_t i = 0; i < fh_memory.frame_end; i++)
		if (!contract_slot_inv(i))
			return i;
	return fh_memory.frame_end;
}
