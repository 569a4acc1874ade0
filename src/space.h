/* SPDX-License-Identifier: MPL-2.0 */
/* Spaces, for faults, and for the end of memory. */
#ifndef FRAMEHOLD_SRC_SPACE_H
#define FRAMEHOLD_SRC_SPACE_H

#include <framehold/status.h>

/*
 * Whether a second try of what ended with that status makes sense: memory was
 * short, a page could be found by waiting and asking, which nobody may do with a
 * lock held, and *recovered says that this is the first time.
 */
bool fh_space_find_memory(enum fh_status status, bool *recovered);

/* Forgets what CPUs run on. One CPU: fh_fini(). */
void fh_space_close(void);

#endif /* FRAMEHOLD_SRC_SPACE_H */
