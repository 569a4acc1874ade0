/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The audit of a table: a walk over all its entries that believes nothing. A
 * node is checked before its entries are followed, so that a broken tree is
 * named instead of walked into. The locks of nodes that have been seen are
 * marked until the end, so that a second entry that names one is found.
 */
#include <framehold/tableaudit.h>

#include "cursor.h"
#include "ledger.h"
#include "slot.h"

/* What the lock of a node holds that has been seen: neither free nor taken. */
#define SEEN UINT64_C(2)

/* An audit under way. */
struct inspection {
	const struct fh_page_table *table;
	struct fh_table_totals *totals;
	struct fh_finding *finding;
	bool device;
};

static enum fh_status find_fault(const struct inspection *in, const char *rule,
				 uint64_t frame, const char *needed)
{
	uint64_t live;

	*in->finding = (struct fh_finding){
		.rule = rule,
		.frame = frame,
		.needed = needed,
	};
	if (fh_slot_find_live(fh_paddr_of_frame(frame), &live) == FH_OK)
		in->finding->state = fh_state_load_relaxed(frame);
	return FH_E_CORRUPT;
}

static enum fh_status find_count(const struct inspection *in, const char *rule,
				 uint64_t frame, uint64_t found,
				 uint64_t needed, const char *what)
{
	(void)!find_fault(in, rule, frame, what);
	in->finding->has_counts = true;
	in->finding->found_count = found;
	in->finding->needed_count = needed;
	return FH_E_CORRUPT;
}

/* Whether the page is one that somebody shares. */
static bool is_held(uint64_t frame)
{
	uint64_t live;

	return fh_slot_find_live(fh_paddr_of_frame(frame), &live) == FH_OK &&
	       fh_state_load_relaxed(frame) >= FH_STATE_ONE &&
	       fh_state_load_relaxed(frame) <= FH_STATE_MAX;
}

/* ---- Leaves ---- */

static enum fh_status check_page_held(const struct inspection *in,
				      uint64_t frame)
{
	if (!is_held(frame))
		return find_fault(in, "leaf_frame", frame,
				  "shared by 1 or more");
	if (in->table->kind != FH_TABLE_KERNEL &&
	    !fh_slots[frame].type->untyped)
		return find_fault(in, "leaf_untyped", frame,
				  "of an untyped type");
	if (FH_CHECKED && fh_ledger_units(frame, FH_UNIT_ENTRY) == 0)
		return find_fault(in, "leaf_units", frame,
				  "a unit of a table's entry");
	return FH_OK;
}

static enum fh_status check_rights(const struct inspection *in, uint64_t node,
				   struct fh_page_prop prop)
{
	const uint32_t both = FH_PAGE_WRITE | FH_PAGE_EXEC;
	bool is_users = in->table->kind == FH_TABLE_USER;

	if (is_users != ((prop.flags & FH_PAGE_USER) != 0))
		return find_fault(in, "leaf_user", node,
				  is_users ? "leaves for users"
					   : "leaves that are not for users");
	if (in->table->kind == FH_TABLE_KERNEL && (prop.flags & both) == both)
		return find_fault(in, "leaf_write_exec", node,
				  "leaves to write or to execute");
	return FH_OK;
}

static enum fh_status check_leaf(const struct inspection *in, uint64_t node,
				 uint64_t pte, unsigned level)
{
	struct fh_page_prop prop = fh_pte_prop(in->device, pte, level);
	uint64_t frame = fh_pte_frame(in->device, pte, level);
	uint64_t n = fh_level_pages(level);
	enum fh_status status = check_rights(in, node, prop);

	if (status != FH_OK)
		return status;
	if (fh_pte_leaf(in->device, frame, level, prop) != pte ||
	    level > in->table->huge_level)
		return find_fault(in, "entry_format", node,
				  "entries as the format makes them");
	in->totals->huge += level > 1 ? 1 : 0;
	if ((prop.flags & FH_PAGE_TRACKED) == 0) {
		in->totals->untracked += n;
		return FH_OK;
	}
	in->totals->tracked += n;
	for (uint64_t i = 0; i < n && status == FH_OK; i++)
		status = check_page_held(in, frame + i);
	return status;
}

/* ---- Nodes ---- */

static enum fh_status check_node(const struct inspection *in, uint64_t node,
				 unsigned level)
{
	bool is_root = level == in->table->levels;

	if (!is_held(node) || fh_slots[node].type != fh_node_type_of(in->table))
		return find_fault(in, "node_type", node,
				  "a node of this table's type");
	if (fh_node_level(node) != level)
		return find_count(in, "node_level", node, fh_node_level(node),
				  level, "its level");
	uint64_t lock = fh_word_load_relaxed(fh_node_word(node, FH_NODE_LOCK));

	if (lock == SEEN)
		return find_fault(in, "node_parent", node,
				  "named by one entry");
	if (lock != 0)
		return find_fault(in, "node_locked", node, "unlocked");
	if (fh_node_is_stray(node))
		return find_fault(in, "node_stray", node,
				  "not stray: it is in the tree");
	if (FH_CHECKED && !is_root && fh_ledger_units(node, FH_UNIT_ENTRY) != 1)
		return find_count(in, "node_parent", node,
				  fh_ledger_units(node, FH_UNIT_ENTRY), 1,
				  "units of entries that name it");
	fh_word_store_relaxed(fh_node_word(node, FH_NODE_LOCK), SEEN);
	in->totals->nodes++;
	return FH_OK;
}

/* The entries of a node that belong to the table. */
static struct fh_page_range table_entries(const struct inspection *in,
					  unsigned level)
{
	struct fh_page_range entries = {.first = 0, .count = FH_NODE_ENTRIES};

	if (level != in->table->levels || in->device)
		return entries;
	entries.count = FH_NODE_ENTRIES / 2;
	if (in->table->kind == FH_TABLE_KERNEL)
		entries.first = FH_NODE_ENTRIES / 2;
	return entries;
}

/* An entry outside of the table's own: a user's root has the kernel's nodes. */
static enum fh_status check_foreign(const struct inspection *in, uint64_t root,
				    uint64_t pte)
{
	unsigned level = in->table->levels;
	uint64_t node = fh_pte_frame(in->device, pte, level);

	if (in->table->kind != FH_TABLE_USER)
		return find_fault(in, "entry_place", root,
				  "no entry outside of its range");
	if (fh_pte_table(in->device, node, level) != pte || !is_held(node) ||
	    fh_slots[node].type != &fh_kernel_node_type ||
	    fh_node_level(node) != level - 1 || fh_node_is_stray(node))
		return find_fault(in, "entry_kernel", root,
				  "entries of the kernel's root");
	return FH_OK;
}

static enum fh_status check_tree(const struct inspection *in, uint64_t node,
				 unsigned level);

static enum fh_status check_entry(const struct inspection *in, uint64_t node,
				  unsigned level, uint64_t pte)
{
	if (fh_pte_kind(in->device, pte, level) == FH_PTE_LEAF)
		return check_leaf(in, node, pte, level);
	uint64_t child = fh_pte_frame(in->device, pte, level);

	if (fh_pte_table(in->device, child, level) != pte)
		return find_fault(in, "entry_format", node,
				  "entries as the format makes them");
	return check_tree(in, child, level - 1);
}

static enum fh_status check_tree(const struct inspection *in, uint64_t node,
				 unsigned level)
{
	struct fh_page_range own = table_entries(in, level);
	enum fh_status status = check_node(in, node, level);
	uint64_t children = 0;

	for (uint64_t i = 0; i < FH_NODE_ENTRIES && status == FH_OK; i++) {
		uint64_t pte = fh_entry_read(node, i);

		if (pte == 0)
			continue;
		if (i >= own.first && i - own.first < own.count) {
			children++;
			status = check_entry(in, node, level, pte);
		} else {
			status = check_foreign(in, node, pte);
		}
	}
	if (status == FH_OK && children != fh_node_children(node))
		status = find_count(in, "node_children", node,
				    fh_node_children(node), children,
				    "its children");
	return status;
}

/* Takes the marks off again: of the tree as far as it was walked. */
static void forget_seen(const struct inspection *in, uint64_t node,
			unsigned level)
{
	struct fh_page_range own = table_entries(in, level);

	if (!is_held(node) ||
	    fh_slots[node].type != fh_node_type_of(in->table) ||
	    fh_word_load_relaxed(fh_node_word(node, FH_NODE_LOCK)) != SEEN)
		return;
	fh_word_store_relaxed(fh_node_word(node, FH_NODE_LOCK), 0);
	for (uint64_t i = own.first; i - own.first < own.count; i++) {
		uint64_t pte = fh_entry_read(node, i);

		if (level > 1 &&
		    fh_pte_kind(in->device, pte, level) == FH_PTE_TABLE)
			forget_seen(in, fh_pte_frame(in->device, pte, level),
				    level - 1);
	}
}

enum fh_status fh_audit_table(const struct fh_page_table *table,
			      struct fh_table_totals *totals,
			      struct fh_finding *finding)
{
	struct inspection in = {
		.table = table,
		.totals = totals,
		.finding = finding,
		.device = fh_table_is_device(table),
	};

	uint64_t root = fh_frame_number(table->root);
	enum fh_status status = check_tree(&in, root, table->levels);

	forget_seen(&in, root, table->levels);
	return status;
}

/* What is named there is not followed: it is for the kernel's own audit. */
static enum fh_status check_kernel_half(const struct inspection *in,
					const struct fh_page_table *kernel)
{
	uint64_t theirs = fh_frame_number(kernel->root);
	uint64_t root = fh_frame_number(in->table->root);

	if (!is_held(theirs) || fh_slots[theirs].type != &fh_kernel_node_type)
		return find_fault(in, "node_type", theirs,
				  "the root of the kernel's table");
	for (uint64_t i = FH_NODE_ENTRIES / 2; i < FH_NODE_ENTRIES; i++)
		if (fh_entry_read(root, i) != fh_entry_read(theirs, i))
			return find_fault(in, "root_kernel", root,
					  "the kernel's root's upper half");
	return FH_OK;
}

enum fh_status fh_audit_user_table(const struct fh_page_table *kernel,
				   const struct fh_page_table *table,
				   struct fh_table_totals *totals,
				   struct fh_finding *finding)
{
	const struct inspection in = {.table = table, .finding = finding};

	if (kernel->kind != FH_TABLE_KERNEL || table->kind != FH_TABLE_USER)
		return FH_E_INVALID;
	enum fh_status status = fh_audit_table(table, totals, finding);

	return status == FH_OK ? check_kernel_half(&in, kernel) : status;
}
