/* SPDX-License-Identifier: MPL-2.0 */
/* Emptied entries, where the format wants them forgotten at once. */
#ifndef FRAMEHOLD_SRC_SPLIT_H
#define FRAMEHOLD_SRC_SPLIT_H

#include "cursor.h"

/*
 * Entries of n pages were emptied, and may be written before the gather's flush,
 * by us or by who locks them next: where no CPU may have an entry cached whose
 * place another one takes, they are forgotten first.
 */
FH_ALWAYS_INLINE void fh_break_entries(bool device, uint64_t page, uint64_t n)
{
	if (FH_ARCH_BREAK_BEFORE_MAKE && !device) {
		fh_host_table_barrier();
		fh_host_flush_broadcast(fh_vaddr_of_page(page), n);
	}
}

#endif /* FRAMEHOLD_SRC_SPLIT_H */
