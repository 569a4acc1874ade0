/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What bring-up needs of the early allocator. Closed, open, retired:
 *
 *     closed --fh_early_begin--> open --fh_early_retire--> retired
 *        ^                        |                           |
 *        +------------------------+-------fh_early_end--------+
 *
 * What was taken stands in the spans of the map (`taken`) and stays there
 * after retirement, for bring-up to read.
 */
#ifndef FRAMEHOLD_SRC_EARLY_H
#define FRAMEHOLD_SRC_EARLY_H

#include <framehold/early.h>

/* Open becomes retired; nothing is given out any more. */
void fh_early_retire(void);

/* Forgets the map: closed, in whatever state it was. */
void fh_early_end(void);

/* The map it is open on or was retired with; null if closed. */
struct fh_memory_map *fh_early_map(void);

/*
 * Remembers in every span how much is taken now, and takes back what was
 * taken since. One mark at a time; it must be open.
 */
void fh_early_mark(void);
void fh_early_rewind(void);

#endif /* FRAMEHOLD_SRC_EARLY_H */
