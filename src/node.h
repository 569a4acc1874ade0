/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Page-table nodes: pages of entries. What the five words of a node's slot
 * mean, its lock, and its life:
 *
 *   allocated by fh_node_prepare() (zeroed, no level yet) -> given its place by
 *   fh_node_place(), locked -> named by its parent's entry, which owns the one
 *   reference -> detached: stray, unlocked, on the gather's list -> flush ->
 *   grace period -> reaped, piece by piece -> dropped
 *
 * A root is named by no entry: struct fh_page_table owns it, and each CPU that
 * runs on it has a reference of its own.
 *
 * Locks are taken down the tree and, among the children of a locked node, from
 * left to right; preemption is off while one is held, interrupts may be on:
 * interrupt handlers take none. Entries, stray and children change under the
 * node's lock only; the level never changes. Lock-free walkers know levels from
 * their own descent and read nothing here.
 *
 * Seed: PageTablePageMeta.
 */
#ifndef FRAMEHOLD_SRC_NODE_H
#define FRAMEHOLD_SRC_NODE_H

#include <framehold/mode.h>
#include <framehold/pagetable.h>

#include "entry.h"

/* Words of fh_slots[node].meta.w[]. */
#define FH_NODE_LOCK     0 /* 0 or 1; atomic */
#define FH_NODE_FACTS    1 /* below */
#define FH_NODE_NEXT     2 /* the next node of a list of waiting ones, or 0 */
#define FH_NODE_PERIOD   3 /* the grace period it waits for */
#define FH_NODE_PROGRESS 4 /* entries before this one have been released */

/* Facts: level in the lowest byte, then stray, root, children from bit 16. */
#define FH_NODE_STRAY UINT64_C(0x100)
#define FH_NODE_ROOT  UINT64_C(0x200)
#define FH_NODE_CHILD UINT64_C(0x10000)

/*@
  logic integer facts_of{L}(integer node) = fh_slots[node].meta.w[1];

  logic integer level_of(integer facts) = facts % 0x100;
  logic integer flags_of(integer facts) = facts / 0x100 % 0x100;
  logic integer children_of(integer facts) = facts / 0x10000;

  predicate is_stray(integer facts) = facts / 0x100 % 2 == 1;
  predicate is_root(integer facts) = facts / 0x200 % 2 == 1;

  predicate is_node(integer node) = 0 <= node < FH_MAX_FRAMES;

  // The count is that of the entries that are not empty.
  predicate is_counted{L}(integer node) =
    children_of(facts_of(node)) == present(node, FH_NODE_ENTRIES);
*/

extern const struct fh_meta_type fh_kernel_node_type;
extern const struct fh_meta_type fh_user_node_type;
extern const struct fh_meta_type fh_device_node_type;

/* Whether a type is one of these. */
bool fh_is_node_type(const struct fh_meta_type *type);

/*@
  requires is_node(node) && word < FH_META_WORDS;
  assigns \nothing;
  exits \false;
  ensures \result == &fh_slots[node].meta.w[word];
*/
FH_ALWAYS_INLINE uint64_t *fh_node_word(uint64_t node, unsigned word)
{
	return &fh_slots[node].meta.w[word];
}

/* The next node on a list of nodes that are the caller's alone. */
/*@
  requires is_node(node);
  assigns \nothing;
  exits \false;
  ensures \result == fh_slots[node].meta.w[2];
*/
FH_ALWAYS_INLINE uint64_t fh_node_next(uint64_t node)
{
	return *fh_node_word(node, FH_NODE_NEXT);
}

/*@
  requires is_node(node);
  assigns fh_slots[node].meta.w[2];
  exits \false;
  ensures fh_slots[node].meta.w[2] == next;
*/
FH_ALWAYS_INLINE void fh_node_set_next(uint64_t node, uint64_t next)
{
	*fh_node_word(node, FH_NODE_NEXT) = next;
}

/* Seed: level. Constant: no lock is needed by who knows it is a node. */
/*@
  requires is_node(node);
  assigns \nothing;
  exits \false;
  ensures \result == level_of(facts_of(node));
*/
FH_ALWAYS_INLINE unsigned fh_node_level(uint64_t node)
{
	return (unsigned)(*fh_node_word(node, FH_NODE_FACTS) % 256);
}

/* Seed: nr_children. With its lock held, or with the node alone. */
/*@
  requires is_node(node);
  assigns \nothing;
  exits \false;
  ensures \result == children_of(facts_of(node));
*/
FH_ALWAYS_INLINE uint64_t fh_node_children(uint64_t node)
{
	return *fh_node_word(node, FH_NODE_FACTS) / FH_NODE_CHILD;
}

/*@
  requires is_node(node) && n <= FH_NODE_ENTRIES;
  requires children_of(facts_of(node)) <= FH_NODE_ENTRIES - n;
  assigns fh_slots[node].meta.w[1];
  exits \false;
  ensures children_of(facts_of(node)) ==
    children_of(\old(facts_of(node))) + n;
  ensures level_of(facts_of(node)) == level_of(\old(facts_of(node)));
  ensures flags_of(facts_of(node)) == flags_of(\old(facts_of(node)));
*/
FH_ALWAYS_INLINE void fh_node_add_children(uint64_t node, uint64_t n)
{
	*fh_node_word(node, FH_NODE_FACTS) += n * FH_NODE_CHILD;
}

/*@
  requires is_node(node) && n <= children_of(facts_of(node));
  assigns fh_slots[node].meta.w[1];
  exits \false;
  ensures children_of(facts_of(node)) ==
    children_of(\old(facts_of(node))) - n;
  ensures level_of(facts_of(node)) == level_of(\old(facts_of(node)));
  ensures flags_of(facts_of(node)) == flags_of(\old(facts_of(node)));
*/
FH_ALWAYS_INLINE void fh_node_sub_children(uint64_t node, uint64_t n)
{
	*fh_node_word(node, FH_NODE_FACTS) -= n * FH_NODE_CHILD;
}

/* Seed: stray_mut. */
/*@
  requires is_node(node);
  assigns \nothing;
  exits \false;
  ensures \result <==> is_stray(facts_of(node));
*/
FH_ALWAYS_INLINE bool fh_node_is_stray(uint64_t node)
{
	return *fh_node_word(node, FH_NODE_FACTS) / FH_NODE_STRAY % 2 != 0;
}

/*@
  requires is_node(node);
  assigns fh_slots[node].meta.w[1];
  exits \false;
  ensures is_stray(facts_of(node));
  ensures is_root(facts_of(node)) <==> is_root(\old(facts_of(node)));
  ensures level_of(facts_of(node)) == level_of(\old(facts_of(node)));
  ensures children_of(facts_of(node)) == children_of(\old(facts_of(node)));
*/
FH_ALWAYS_INLINE void fh_node_set_stray(uint64_t node)
{
	if (!fh_node_is_stray(node))
		*fh_node_word(node, FH_NODE_FACTS) += FH_NODE_STRAY;
}

/* ---- Entries, and the count of those that are not empty ---- */

/* An empty entry becomes pte, which is not 0. With the node's lock held. */
/*@
  requires is_entry(node, index) && is_counted(node);
  requires entry(node, index) == 0 && pte != 0;
  assigns fh_proof_entries[node][index], fh_slots[node].meta.w[1];
  exits \false;
  ensures entry(node, index) == pte && is_counted(node);
  ensures children_of(facts_of(node)) ==
    children_of(\old(facts_of(node))) + 1;
  ensures level_of(facts_of(node)) == level_of(\old(facts_of(node)));
  ensures flags_of(facts_of(node)) == flags_of(\old(facts_of(node)));
*/
FH_ALWAYS_INLINE void fh_node_fill(uint64_t node, uint64_t index, uint64_t pte)
{
	/*@ ghost ghost_present(node, index); */
	fh_entry_write(node, index, pte);
	/*@ ghost
	  /@
	    loop invariant 0 <= i <= FH_NODE_ENTRIES;
	    loop invariant present(node, i) ==
	      present{Pre}(node, i) + (i > index ? 1 : 0);
	    loop assigns i;
	    loop variant FH_NODE_ENTRIES - i;
	  @/
	  for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++)
	    ;
	*/
	fh_node_add_children(node, 1);
}

/* Empties an entry that is not, and returns what it was, as fh_entry_take(). */
/*@
  requires is_entry(node, index) && is_counted(node);
  requires entry(node, index) != 0;
  assigns fh_proof_entries[node][index], fh_slots[node].meta.w[1];
  exits \false;
  ensures \result == \old(entry(node, index));
  ensures entry(node, index) == 0 && is_counted(node);
  ensures children_of(facts_of(node)) ==
    children_of(\old(facts_of(node))) - 1;
  ensures level_of(facts_of(node)) == level_of(\old(facts_of(node)));
  ensures flags_of(facts_of(node)) == flags_of(\old(facts_of(node)));
*/
FH_ALWAYS_INLINE uint64_t fh_node_clear(uint64_t node, uint64_t index)
{
	/*@ ghost ghost_present(node, index); */
	uint64_t pte = fh_entry_take(node, index);

	/*@ ghost
	  /@
	    loop invariant 0 <= i <= FH_NODE_ENTRIES;
	    loop invariant present(node, i) ==
	      present{Pre}(node, i) - (i > index ? 1 : 0);
	    loop assigns i;
	    loop variant FH_NODE_ENTRIES - i;
	  @/
	  for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++)
	    ;
	*/
	fh_node_sub_children(node, 1);
	return pte;
}

/* ---- The lock ---- */

/* Waits for a lock that somebody holds, and takes it. */
/*@
  requires is_node(node);
  assigns fh_slots[node].meta.w[0];
  exits \false;
  ensures fh_slots[node].meta.w[0] == 1;
*/
FH_COLD void fh_node_lock_slow(uint64_t node);

/* Seed: lock. */
/*@
  requires is_node(node) && \valid(mode);
  assigns fh_slots[node].meta.w[0];
  exits \false;
  ensures fh_slots[node].meta.w[0] == 1;
*/
FH_ALWAYS_INLINE void fh_node_lock(uint64_t node, struct fh_atomic_mode *mode)
{
	/* Acquire: pairs with the release in fh_node_unlock(). */
	if (FH_UNLIKELY(fh_word_cas_acquire(fh_node_word(node, FH_NODE_LOCK), 0,
					    1) != 0))
		fh_node_lock_slow(node);
	if (FH_CHECKED)
		mode->locks++;
}

/* Seed: Drop for PageTableGuard. */
/*@
  requires is_node(node) && \valid(mode);
  assigns fh_slots[node].meta.w[0];
  exits \false;
  ensures fh_slots[node].meta.w[0] == 0;
*/
FH_ALWAYS_INLINE void fh_node_unlock(uint64_t node, struct fh_atomic_mode *mode)
{
	if (FH_CHECKED)
		mode->locks--;
	/* Release: pairs with the acquire in fh_node_lock(). */
	fh_word_store_release(fh_node_word(node, FH_NODE_LOCK), 0);
}

/* ---- Life ---- */

/* Nodes that nobody can see yet, linked by their next words. */
struct fh_node_list {
	uint64_t first; /* 0: none */
	uint64_t last;
	uint64_t count;
};

/*@
  requires is_node(node) && \valid(list) && list->count < UINT64_MAX;
  requires \separated(list, &fh_slots[node]);
  assigns *list, fh_slots[node].meta.w[2];
  exits \false;
  ensures list->first == node && list->count == \old(list->count) + 1;
  ensures fh_slots[node].meta.w[2] == \old(list->first);
  ensures list->last == (\old(list->first) == 0 ? node : \old(list->last));
*/
FH_ALWAYS_INLINE void fh_node_list_push(struct fh_node_list *list,
					uint64_t node)
{
	fh_node_set_next(node, list->first);
	if (list->first == 0)
		list->last = node;
	list->first = node;
	list->count++;
}

/*@
  requires \valid(list) && list->count > 0 && is_node(list->first);
  assigns list->first, list->count;
  exits \false;
  ensures \result == \old(list->first);
  ensures list->first == \old(fh_slots[list->first].meta.w[2]);
  ensures list->count == \old(list->count) - 1;
*/
FH_ALWAYS_INLINE uint64_t fh_node_list_pop(struct fh_node_list *list)
{
	uint64_t node = list->first;

	list->first = fh_node_next(node);
	list->count--;
	return node;
}

/*
 * Allocates n zeroed nodes of a type onto *list, all or none. FH_E_NO_MEMORY:
 * the list is as it was. Locks may be held. Seed: alloc.
 */
FH_NODISCARD
enum fh_status fh_node_prepare(const struct fh_meta_type *type, uint64_t n,
			       struct fh_node_list *list);

/* Gives back what was prepared and not used. */
void fh_node_list_free(struct fh_node_list *list);

/*
 * A prepared node becomes one of that level, with its lock held, for its
 * parent's entry to name: the reference is the entry's from here on.
 */
/*@
  requires \valid(list) && list->count > 0 && is_node(list->first);
  requires is_level(level) && \valid(mode);
  requires \separated(list, &fh_slots[list->first]);
  assigns list->first, list->count, fh_slots[list->first].meta.w[0 .. 2];
  exits \false;
  ensures \result == \old(list->first);
  ensures list->first == \old(fh_slots[list->first].meta.w[2]);
  ensures list->count == \old(list->count) - 1;
  ensures level_of(facts_of(\result)) == level;
  ensures flags_of(facts_of(\result)) == 0;
  ensures children_of(facts_of(\result)) == 0;
  ensures fh_slots[\result].meta.w[0] == 1;
  ensures fh_slots[\result].meta.w[2] == 0;
*/
FH_ALWAYS_INLINE uint64_t fh_node_place(struct fh_node_list *list,
					unsigned level,
					struct fh_atomic_mode *mode)
{
	uint64_t node = fh_node_list_pop(list);

	fh_node_set_next(node, 0);
	*fh_node_word(node, FH_NODE_FACTS) = level;
	/* Relaxed: nobody can reach it before its entry is written. */
	fh_word_store_relaxed(fh_node_word(node, FH_NODE_LOCK), 1);
	if (FH_CHECKED)
		mode->locks++;
	return node;
}

#endif /* FRAMEHOLD_SRC_NODE_H */
