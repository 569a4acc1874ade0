/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The early allocator: pages before there is metadata, for boot page tables
 * and for the metadata itself. It takes them from the usable spans of a map,
 * lowest first, upward from each span's first page, and never takes any back.
 * fh_init() retires it; what it gave out then carries fh_early_type and is
 * held forever, or until somebody restores it with fh_segment_from_raw().
 *
 * One CPU, before any other has started.
 */
#ifndef FRAMEHOLD_EARLY_H
#define FRAMEHOLD_EARLY_H

#include <framehold/region.h>

FH_BEGIN_DECLS

/*
 * Opens the early allocator on a normalised map, none of which is taken then;
 * the map must stay where it is until fh_fini(). FH_E_TWICE if it is open, or
 * retired and memory is up. Seed: init_early_allocator.
 */
FH_NODISCARD
enum fh_status fh_early_begin(struct fh_memory_map *map);

/*
 * Takes n contiguous pages whose first number is a multiple of align, from the
 * lowest span that has room for them; page 0 is never among them. Pages
 * skipped for alignment at the start of what is left of that span count as
 * taken: they are lost until the early allocator's pages are reclaimed.
 *
 *   FH_E_INVALID     n is 0, align is not a power of two, or it is not open
 *   FH_E_NO_MEMORY   no span has that much left
 *
 * Seed: early_alloc.
 */
FH_NODISCARD
enum fh_status fh_early_alloc(uint64_t n, uint64_t align, uint64_t *first);

/* Whether it is open: begun and not yet retired. */
bool fh_early_is_open(void);

FH_END_DECLS

#endif /* FRAMEHOLD_EARLY_H */
