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

extern const struct fh_meta_type fh_kernel_node_type;
extern const struct fh_meta_type fh_user_node_type;
extern const struct fh_meta_type fh_device_node_type;

/* Whether a type is one of these. */
bool fh_is_node_type(const struct fh_meta_type *type);

FH_ALWAYS_INLINE uint64_t *fh_node_word(uint64_t node, unsigned word)
{
	return &fh_slots[node].meta.w[word];
}

/* The next node on a list of nodes that are the caller's alone. */
FH_ALWAYS_INLINE uint64_t fh_node_next(uint64_t node)
{
	return *fh_node_word(node, FH_NODE_NEXT);
}

FH_ALWAYS_INLINE void fh_node_set_next(uint64_t node, uint64_t next)
{
	*fh_node_word(node, FH_NODE_NEXT) = next;
}

/* Seed: level. Constant: no lock is needed by who knows it is a node. */
FH_ALWAYS_INLINE unsigned fh_node_level(uint64_t node)
{
	return (unsigned)(*fh_node_word(node, FH_NODE_FACTS) % 256);
}

/* Seed: nr_children. With its lock held, or with the node alone. */
FH_ALWAYS_INLINE uint64_t fh_node_children(uint64_t node)
{
	return *fh_node_word(node, FH_NODE_FACTS) / FH_NODE_CHILD;
}

FH_ALWAYS_INLINE void fh_node_add_children(uint64_t node, uint64_t n)
{
	*fh_node_word(node, FH_NODE_FACTS) += n * FH_NODE_CHILD;
}

FH_ALWAYS_INLINE void fh_node_sub_children(uint64_t node, uint64_t n)
{
	*fh_node_word(node, FH_NODE_FACTS) -= n * FH_NODE_CHILD;
}

/* Seed: stray_mut. */
FH_ALWAYS_INLINE bool fh_node_is_stray(uint64_t node)
{
	return (*fh_node_word(node, FH_NODE_FACTS) & FH_NODE_STRAY) != 0;
}

FH_ALWAYS_INLINE void fh_node_set_stray(uint64_t node)
{
	*fh_node_word(node, FH_NODE_FACTS) |= FH_NODE_STRAY;
}

/* ---- The lock ---- */

/* Waits for a lock that somebody holds, and takes it. */
FH_COLD void fh_node_lock_slow(uint64_t node);

/* Seed: lock. */
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

FH_ALWAYS_INLINE void fh_node_list_push(struct fh_node_list *list,
					uint64_t node)
{
	fh_node_set_next(node, list->first);
	if (list->first == 0)
		list->last = node;
	list->first = node;
	list->count++;
}

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
