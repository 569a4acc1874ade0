/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The life of page-table nodes: made, waited for, taken apart.
 *
 * A node that nobody can reach any more is taken apart in pieces of bounded
 * work. Its children go to the ready list with the references that its entries
 * held, instead of being dropped inside its own drop: a tree comes down level by
 * level, and no on_drop goes deeper than its own 512 entries.
 */
#include <framehold/alloc.h>

#include "node.h"
#include "rcu.h"
#include "report.h"
#include "slot.h"

void fh_node_lock_slow(uint64_t node)
{
	uint64_t *lock = fh_node_word(node, FH_NODE_LOCK);

	/* Acquire: pairs with the release in fh_node_unlock(). */
	/*@ loop assigns fh_slots[node].meta.w[0]; */
	do {
		/*@ loop assigns \nothing; */
		while (fh_word_load_relaxed(lock) != 0)
			fh_host_relax();
	} while (fh_word_cas_acquire(lock, 0, 1) != 0);
}

/* ---- Taking apart ---- */

/* The entries of a node that are its own: a root's other half is not. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result.first + \result.count <= FH_NODE_ENTRIES;
  ensures !is_root(facts) ==>
    \result.first == 0 && \result.count == FH_NODE_ENTRIES;
  ensures is_root(facts) && type == &fh_user_node_type ==>
    \result.first == 0 && \result.count == FH_NODE_ENTRIES / 2;
  ensures is_root(facts) && type == &fh_kernel_node_type ==>
    \result.first == FH_NODE_ENTRIES / 2 &&
    \result.count == FH_NODE_ENTRIES / 2;
  ensures is_root(facts) && type == &fh_device_node_type ==>
    \result.first == 0 && \result.count == FH_NODE_ENTRIES;
*/
static struct fh_page_range own_entries(const struct fh_meta_type *type,
					uint64_t facts)
{
	struct fh_page_range entries = {.first = 0, .count = FH_NODE_ENTRIES};

	if (facts / FH_NODE_ROOT % 2 == 0 || type == &fh_device_node_type)
		return entries;
	entries.count = FH_NODE_ENTRIES / 2;
	if (type == &fh_kernel_node_type)
		entries.first = FH_NODE_ENTRIES / 2;
	return entries;
}

/* The references of a leaf end with it. Returns what that cost. */
static uint64_t release_leaf(bool device, uint64_t pte, unsigned level)
{
	uint64_t frame = fh_pte_frame(device, pte, level);
	uint64_t n = fh_level_pages(level);

	if (!fh_pte_is_tracked(device, pte, level))
		return 1;
	fh_unit_remove(frame, n, FH_UNIT_ENTRY, FH_HERE);
	for (uint64_t i = frame; i - frame < n; i++)
		fh_page_put(i, FH_HERE);
	return n;
}

/* Empties one entry of a node that nobody walks. Returns what that cost. */
static uint64_t release_entry(bool device, uint64_t node, unsigned level,
			      uint64_t index)
{
	uint64_t pte = fh_entry_read(node, index);
	enum fh_pte_kind kind = fh_pte_kind(device, pte, level);

	if (kind == FH_PTE_ABSENT)
		return 1;
	fh_word_store_relaxed(fh_entry(node, index), 0);
	fh_node_sub_children(node, 1);
	if (kind == FH_PTE_LEAF)
		return release_leaf(device, pte, level);
	uint64_t child = fh_pte_frame(device, pte, level);

	fh_unit_shift(child, 1, FH_UNIT_ENTRY, FH_UNIT_DEFERRED, FH_HERE);
	fh_rcu_ready(child);
	return 1;
}

/* Goes on where it stopped; whether the node is empty. */
static bool release_entries(uint64_t node, uint64_t *budget)
{
	const struct fh_meta_type *type = fh_slots[node].type;
	uint64_t facts = *fh_node_word(node, FH_NODE_FACTS);
	uint64_t *progress = fh_node_word(node, FH_NODE_PROGRESS);
	struct fh_page_range entries = own_entries(type, facts);
	unsigned level = (unsigned)(facts % 256);

	while (*progress < entries.count && fh_node_children(node) > 0) {
		if (*budget == 0)
			return false;
		uint64_t index = entries.first + *progress;
		uint64_t cost =
			type == &fh_device_node_type
				? release_entry(true, node, level, index)
				: release_entry(false, node, level, index);

		*progress += 1;
		*budget -= cost < *budget ? cost : *budget;
	}
	return true;
}

/* Seed: on_drop of PageTablePageMeta. */
static void drop_node(struct fh_dropping page)
{
	uint64_t budget = UINT64_MAX;

	(void)release_entries(page.frame, &budget);
}

bool fh_node_reap(uint64_t node, uint64_t *budget)
{
	/*
	 * Acquire: pairs with the releases of holders that are gone. Others
	 * keep the node as it is; the last of them drops it.
	 */
	if (fh_state_load_acquire(node) == FH_STATE_ONE &&
	    !release_entries(node, budget))
		return false;
	*budget -= *budget > 0 ? 1 : 0;
	fh_unit_remove(node, 1, FH_UNIT_DEFERRED, FH_HERE);
	fh_page_put(node, FH_HERE);
	return true;
}

const struct fh_meta_type fh_kernel_node_type = {
	.name = "kernel page table",
	.size = FH_META_SIZE,
	.usage = FH_USAGE_PAGE_TABLE,
	.on_drop = drop_node,
};

const struct fh_meta_type fh_user_node_type = {
	.name = "user page table",
	.size = FH_META_SIZE,
	.usage = FH_USAGE_PAGE_TABLE,
	.on_drop = drop_node,
};

const struct fh_meta_type fh_device_node_type = {
	.name = "device page table",
	.size = FH_META_SIZE,
	.usage = FH_USAGE_PAGE_TABLE,
	.on_drop = drop_node,
};

bool fh_is_node_type(const struct fh_meta_type *type)
{
	return type == &fh_kernel_node_type || type == &fh_user_node_type ||
	       type == &fh_device_node_type;
}

/* ---- Making ---- */

/*@
  requires is_node(node);
  assigns fh_proof_entries[node][0 .. FH_NODE_ENTRIES - 1];
  exits \false;
  ensures \forall integer i; 0 <= i < FH_NODE_ENTRIES ==> entry(node, i) == 0;
  ensures present(node, FH_NODE_ENTRIES) == 0;
*/
static void zero_entries(uint64_t node)
{
	/* Relaxed: published with the parent's entry. */
	/*@
	  loop invariant 0 <= i <= FH_NODE_ENTRIES;
	  loop invariant \forall integer j; 0 <= j < i ==> entry(node, j) == 0;
	  loop assigns i, fh_proof_entries[node][0 .. FH_NODE_ENTRIES - 1];
	  loop variant FH_NODE_ENTRIES - i;
	*/
	for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++)
		fh_word_store_relaxed(fh_entry(node, i), 0);
	/*@ ghost
	  /@
	    loop invariant 0 <= n <= FH_NODE_ENTRIES;
	    loop invariant present(node, n) == 0;
	    loop assigns n;
	    loop variant FH_NODE_ENTRIES - n;
	  @/
	  for (uint64_t n = 0; n < FH_NODE_ENTRIES; n++)
	    ;
	*/
}

/* Node locks may be held, and what waits for us may want one. */
static const struct fh_alloc_options node_options = {.no_wait = true};

static enum fh_status prepare_one(const struct fh_meta_type *type,
				  struct fh_node_list *list)
{
	struct fh_frame frame;
	enum fh_status status =
		fh_frame_alloc(&node_options, type, NULL, &frame);

	if (status != FH_OK)
		return status;
	uint64_t node = fh_frame_number(frame);

	zero_entries(node);
	fh_unit_become(frame.handle, 1, FH_UNIT_FRAME, FH_UNIT_ENTRY, FH_HERE);
	fh_node_list_push(list, node);
	return FH_OK;
}

enum fh_status fh_node_prepare(const struct fh_meta_type *type, uint64_t n,
			       struct fh_node_list *list)
{
	struct fh_node_list made = {.first = 0};

	while (made.count < n) {
		enum fh_status status = prepare_one(type, &made);

		if (status != FH_OK) {
			fh_node_list_free(&made);
			return status;
		}
	}
	while (made.count > 0)
		fh_node_list_push(list, fh_node_list_pop(&made));
	return FH_OK;
}

void fh_node_list_free(struct fh_node_list *list)
{
	while (list->count > 0) {
		uint64_t node = fh_node_list_pop(list);

		fh_unit_remove(node, 1, FH_UNIT_ENTRY, FH_HERE);
		fh_page_put(node, FH_HERE);
	}
}

void fh_atomic_locks_left(const struct fh_atomic_mode *mode)
{
	fh_stop("atomic_mode", mode->locks, FH_STATE_FREE,
		"no lock of a page-table node is held", FH_CALLER, 0);
}
