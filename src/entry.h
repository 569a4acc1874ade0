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

/*@
  requires is_entry(node, index);
  assigns \nothing;
  exits \false;
  ensures \result == &fh_proof_entries[node][index];
*/
FH_ALWAYS_INLINE uint64_t *fh_entry(uint64_t node, uint64_t index)
{
	return (uint64_t *)fh_host_linear(fh_paddr_of_frame(node)) + index;
}

/* By who holds the node's lock. */
/*@
  requires is_entry(node, index);
  assigns \nothing;
  exits \false;
  ensures \result == entry(node, index);
*/
FH_ALWAYS_INLINE uint64_t fh_entry_read(uint64_t node, uint64_t index)
{
	/* Relaxed: entries change under the lock, or by hardware's bits. */
	return fh_word_load_relaxed(fh_entry(node, index));
}

/* By who walks without a lock. */
/*@
  requires is_entry(node, index);
  assigns \nothing;
  exits \false;
  ensures \result == entry(node, index);
*/
FH_ALWAYS_INLINE uint64_t fh_entry_walk(uint64_t node, uint64_t index)
{
	/*
	 * Acquire: what the entry names was made before. Pairs with the
	 * release in fh_entry_write().
	 */
	return fh_word_load_acquire(fh_entry(node, index));
}

/* With the node's lock held. Seed: write_pte. */
/*@
  requires is_entry(node, index);
  assigns fh_proof_entries[node][index];
  exits \false;
  ensures entry(node, index) == pte;
*/
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
/*@
  requires is_entry(node, index);
  assigns fh_proof_entries[node][index];
  exits \false;
  ensures \result == \old(entry(node, index));
  ensures entry(node, index) == 0;
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

/*@
  logic integer kind_of(integer device, integer pte, integer level) =
    device != 0 ? vtd_kind(pte, level) : x86_64_kind(pte, level);

  logic integer frame_of(integer device, integer pte, integer level) =
    device != 0 ? vtd_frame(pte, level) : x86_64_frame(pte, level);

  // That a leaf of the format can say.
  predicate is_cache(integer device, integer cache) =
    cache < (device != 0 ? FH_CACHE_KINDS : FH_CACHE_WRITE_PROTECTED);

  predicate can_map(integer device, integer level, integer flags,
                    integer cache, integer features) =
    device != 0 ? vtd_can_map(level, flags, cache, features)
                : x86_64_can_map(level, flags, cache, features);

  // What a leaf maps the page to, at that level.
  logic integer mapped_to(integer device, integer pte, integer level,
                          integer page) =
    frame_of(device, pte, level) + page % span(level);
*/

/*@
  requires is_level(level);
  assigns \nothing;
  exits \false;
  ensures \result == kind_of(device, pte, level);
  ensures \result == FH_PTE_ABSENT <==> pte == 0;
  ensures \result == FH_PTE_TABLE ==> level > 1;
*/
FH_ALWAYS_INLINE enum fh_pte_kind fh_pte_kind(bool device, uint64_t pte,
					      unsigned level)
{
	return device ? fh_vtd_kind(pte, level) : fh_arch_kind(pte, level);
}

/*@
  requires is_level(level);
  assigns \nothing;
  exits \false;
  ensures \result == frame_of(device, pte, level);
  ensures \result < FH_FRAME_NUMBER_END;
*/
FH_ALWAYS_INLINE uint64_t fh_pte_frame(bool device, uint64_t pte,
				       unsigned level)
{
	return device ? fh_vtd_frame(pte, level) : fh_arch_frame(pte, level);
}

/*@
  assigns \nothing;
  exits \false;
  ensures is_cache(device, \result.cache);
*/
FH_ALWAYS_INLINE struct fh_page_prop fh_pte_prop(bool device, uint64_t pte,
						 unsigned level)
{
	return device ? fh_vtd_prop(pte, level) : fh_arch_prop(pte, level);
}

/*@
  requires is_level(level) && frame < FH_FRAME_NUMBER_END;
  requires frame % span(level) == 0;
  requires is_cache(device, prop.cache);
  assigns \nothing;
  exits \false;
  ensures \result != 0 && kind_of(device, \result, level) == FH_PTE_LEAF;
  ensures frame_of(device, \result, level) == frame;
*/
FH_ALWAYS_INLINE uint64_t fh_pte_leaf(bool device, uint64_t frame,
				      unsigned level, struct fh_page_prop prop)
{
	return device ? fh_vtd_leaf(frame, level, prop)
		      : fh_arch_leaf(frame, level, prop);
}

/*@
  requires 2 <= level <= FH_MAX_LEVELS && frame < FH_FRAME_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result != 0 && kind_of(device, \result, level) == FH_PTE_TABLE;
  ensures frame_of(device, \result, level) == frame;
*/
FH_ALWAYS_INLINE uint64_t fh_pte_table(bool device, uint64_t frame,
				       unsigned level)
{
	return device ? fh_vtd_table(frame, level)
		      : fh_arch_table(frame, level);
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result <==>
    can_map(device, level, prop.flags, prop.cache, features);
*/
FH_ALWAYS_INLINE bool fh_pte_can_map(bool device, unsigned level,
				     struct fh_page_prop prop,
				     uint64_t features)
{
	return device ? fh_vtd_can_map(level, prop, features)
		      : fh_arch_can_map(level, prop, features);
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result == FH_FRAME_NUMBER_END;
*/
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
