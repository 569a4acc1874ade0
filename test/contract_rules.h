/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The rules of one slot as the contracts state them, in C: made of
 * proof/model.h by proof/translate.py.
 */
#ifndef FRAMEHOLD_TEST_CONTRACT_RULES_H
#define FRAMEHOLD_TEST_CONTRACT_RULES_H

#include <framehold/slot.h>

static inline bool contract_is_shared(uint64_t state)
{
	return (FH_STATE_ONE <= state && state <= FH_STATE_MAX);
}

static inline bool contract_slot_counts(uint64_t state, uint64_t list,
					uint64_t held, uint64_t raw,
					uint64_t given)
{
	return (state == FH_STATE_FREE || state == FH_STATE_UNUSED ||
		state == FH_STATE_BUSY || state == FH_STATE_UNIQUE ||
		contract_is_shared(state)) &&
	       ((!(state == FH_STATE_FREE || state == FH_STATE_UNUSED ||
		   state == FH_STATE_BUSY) ||
		 (held == 0 && raw == 0))) &&
	       ((!(state == FH_STATE_UNIQUE) || (held + raw == 1))) &&
	       ((!(contract_is_shared(state)) ||
		 (held + raw == state - FH_STATE_BUSY))) &&
	       ((!(list != 0) || (state == FH_STATE_UNIQUE && raw == 1))) &&
	       ((!(given != 0) || (state == FH_STATE_FREE)));
}

static inline bool contract_slot_type(uint64_t i)
{
	return ((!(fh_slots[i].state == FH_STATE_FREE ||
		   fh_slots[i].state == FH_STATE_UNUSED) ||
		 (fh_slots[i].type == NULL))) &&
	       ((!(fh_slots[i].state == FH_STATE_UNIQUE ||
		   contract_is_shared(fh_slots[i].state)) ||
		 ((fh_slots[i].type != NULL))));
}

static inline bool contract_slot_is_zero(uint64_t i)
{
	return fh_slots[i].state == FH_STATE_FREE && fh_slots[i].type == NULL &&
	       fh_slots[i].list == 0;
}

#endif /* FRAMEHOLD_TEST_CONTRACT_RULES_H */
