/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Entries of page-table nodes: one 8-byte word each, read and written as such.
 *
 * device chooses between the two formats of a program, the CPU's own and that
 * of devices. It is a constant wherever it matters: every algorithm is one
 * inline body with one caller for each format, so that no test of it is left.
 */
#ifndef FRAMEHOLD_SRC_ENTRY_H
#define FRAMEHOLD_SRC_ENTRY_H

#include <framehold/atomic.h>
#include <framehold/host.h>

#include "codec.h"
#include "fh_vtd.h"
#include "span.h"

/* ---- Access ---- */

FH_ALWAYS_INLINE uint64_t *fh_entry(uint64_t node, uint64_t index)
{
	return (uint64_t *)fh_host_linear(fh_paddr_of_frame(node)) + index;
}

/* By who holds the node's lock. */
FH_ALWAYS_INLINE uint64_t fh_entry_read(uint64_t node, uint64_t index)
{
	/* Relaxed: entries change under the lock, or by hardware's bits. */
	return fh_word_load_relaxed(fh_entry(node, index));
}

/* By who walks without a lock. */
FH_ALWAYS_INLINE uint64_t fh_entry_walk(uint64_t node, uint64_t index)
{
	/*
	 * Acquire: what the entry names was made before. Pairs with the
	 * release in fh_entry_write().
	 */
	return fh_word_load_acquire(fh_entry(node, index));
}

/* With the node's lock held. Seed: write_pte. */
FH_ALWAYS_INLINE void fh_entry_write(uint64_t node, uint64_t index,
				     uint64_t pte)
{
	/* Release: pairs with the acquire in fh_entry_walk(). */
	fh_word_store_release(fh_entry(node, index), pte);
}

/*
 * Empties an entry and returns what it was, with the bits that hardware set
 * until then. With the node's lock held.
 */
FH_ALWAYS_INLINE uint64_t fh_entry_take(uint64_t node, uint64_t index)
{
	if (FH_ARCH_SETS_ACCESSED)
		return fh_word_swap_relaxed(fh_entry(node, index), 0);
	uint64_t pte = fh_entry_read(node, index);

	fh_word_store_relaxed(fh_entry(node, index), 0);
	return pte;
}

/* ---- The two formats ---- */

FH_ALWAYS_INLINE enum fh_pte_kind fh_pte_kind(bool device, uint64_t pte,
					      unsigned level)
{
	return device ? fh_vtd_kind(pte, level) : fh_arch_kind(pte, level);
}

FH_ALWAYS_INLINE uint64_t fh_pte_frame(bool device, uint64_t pte,
				       unsigned level)
{
	return device ? fh_vtd_frame(pte, level) : fh_arch_frame(pte, level);
}

FH_ALWAYS_INLINE struct fh_page_prop fh_pte_prop(bool device, uint64_t pte,
						 unsigned level)
{
	return device ? fh_vtd_prop(pte, level) : fh_arch_prop(pte, level);
}

FH_ALWAYS_INLINE uint64_t fh_pte_leaf(bool device, uint64_t frame,
				      unsigned level, struct fh_page_prop prop)
{
	return device ? fh_vtd_leaf(frame, level, prop)
		      : fh_arch_leaf(frame, level, prop);
}

FH_ALWAYS_INLINE uint64_t fh_pte_table(bool device, uint64_t frame,
				       unsigned level)
{
	return device ? fh_vtd_table(frame, level)
		      : fh_arch_table(frame, level);
}

FH_ALWAYS_INLINE bool fh_pte_can_map(bool device, unsigned level,
				     struct fh_page_prop prop,
				     uint64_t features)
{
	return device ? fh_vtd_can_map(level, prop, features)
		      : fh_arch_can_map(level, prop, features);
}

FH_ALWAYS_INLINE uint64_t fh_pte_frame_end(bool device)
{
	return device ? FH_VTD_FRAME_END : FH_ARCH_FRAME_END;
}

/* Whether a leaf's entry owns a reference to each page it maps. */
FH_ALWAYS_INLINE bool fh_pte_is_tracked(bool device, uint64_t pte,
					unsigned level)
{
	return (fh_pte_prop(device, pte, level).flags & FH_PAGE_TRACKED) != 0;
}

#endif /* FRAMEHOLD_SRC_ENTRY_H */
