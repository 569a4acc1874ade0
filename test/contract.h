/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The region's invariant of the contracts (proof/model.h), asked of a running
 * machine at rest. What is ghost state there, the ledger tells here; without
 * one, it is taken to be what the state calls for.
 */
#ifndef FRAMEHOLD_TEST_CONTRACT_H
#define FRAMEHOLD_TEST_CONTRACT_H

#include <framehold/framehold.h>

/* The contracts' slot_inv of one page. */
bool contract_slot_inv(uint64_t frame);

/* The first page for which it does not hold; the end of frames if none. */
uint64_t contract_first_broken(void);

#endif /* FRAMEHOLD_TEST_CONTRACT_H */
