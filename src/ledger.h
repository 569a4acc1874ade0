/* SPDX-License-Identifier: MPL-2.0 */
/* Setting the ledger up, for bring-up. */
#ifndef FRAMEHOLD_SRC_LEDGER_H
#define FRAMEHOLD_SRC_LEDGER_H

#include <framehold/ledger.h>

/* Bytes of one record of a live handle. */
#define FH_LEDGER_RECORD_SIZE 40

/*
 * Opens the ledger with room for that many records at `memory`, which need not
 * be zero. Pages' units start as zero.
 */
void fh_ledger_open(void *memory, uint64_t records);

/* Closes it: handles minted from here on are counted nowhere. */
void fh_ledger_close(void);

/* All units of a page that count against a shared page's holders. */
uint64_t fh_ledger_shares(uint64_t frame);

/* Where a page was last forgotten, or put into a list; 0: never. */
uintptr_t fh_ledger_forgotten_at(uint64_t frame);

#endif /* FRAMEHOLD_SRC_LEDGER_H */
