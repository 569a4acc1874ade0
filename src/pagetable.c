/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tables as a whole: made, looked up without a lock, run on, given up.
 *
 * A user's root names the nodes of the kernel's windows without a reference to
 * them: the kernel's table outlives it, and never gives up a node that its root
 * names.
 */
#include <framehold/alloc.h>

#include "asid.h"
#include "cursor.h"
#include "flush.h"
#include "gather.h"
#include "rcu.h"
#include "tableformat.h"

/* ---- Page numbers ---- */

enum fh_status fh_page_of_vaddr(struct fh_vaddr va, uint64_t *page)
{
	if (va.bytes % FH_PAGE_SIZE != 0)
		return FH_E_NOT_ALIGNED;
	*page = va.bytes / FH_PAGE_SIZE;
	return FH_OK;
}

struct fh_vaddr fh_vaddr_of_page(uint64_t page)
{
	struct fh_vaddr va;

	va.bytes = page * FH_PAGE_SIZE;
	return va;
}

struct fh_page_range fh_page_table_range(enum fh_table_kind kind,
					 unsigned levels)
{
	uint64_t half = fh_level_pages(levels) * (FH_NODE_ENTRIES / 2);
	struct fh_page_range range = {.first = 0, .count = half};

	if (kind == FH_TABLE_DEVICE)
		range.count = 2 * half;
	if (kind == FH_TABLE_KERNEL)
		range.first = FH_PAGE_NUMBER_END - half;
	return range;
}

/* ---- Making ---- */

const struct fh_meta_type *fh_node_type_of(const struct fh_page_table *table)
{
	if (table->kind == FH_TABLE_KERNEL)
		return &fh_kernel_node_type;
	return table->kind == FH_TABLE_USER ? &fh_user_node_type
					    : &fh_device_node_type;
}

/*@
  requires \valid(table) && table_kind_ok(table->kind);
  requires is_level(table->levels);
  assigns table->range;
  exits \false;
  ensures table->range.first == range_first(table->kind, table->levels);
  ensures table->range.count == range_count(table->kind, table->levels);
*/
static void set_range(struct fh_page_table *table)
{
	table->range = fh_page_table_range((enum fh_table_kind)table->kind,
					   table->levels);
}

static const struct fh_table_format ordinary_format = {.levels = 4,
						       .huge_level = 3};

/* With defaults filled in. FH_E_INVALID: not built for it. */
/*@
  requires \valid(table) && table_kind_ok(table->kind);
  requires format == \null || \valid_read(format);
  requires \separated(format, table);
  assigns table->levels, table->huge_level, table->features, table->range;
  exits \false;
  ensures \result == FH_OK || \result == FH_E_INVALID;
  ensures \result == FH_OK ==> table_ok(table);
  ensures \result == FH_OK && !device ==>
    FH_ARCH_MIN_LEVELS <= table->levels <= FH_ARCH_MAX_LEVELS;
  ensures format == \null ==> \result == FH_OK && table->levels == 4 &&
    table->huge_level == 3;
*/
static enum fh_status check_format(const struct fh_table_format *format,
				   bool device, struct fh_page_table *table)
{
	if (format == NULL)
		format = &ordinary_format;
	unsigned levels = format->levels == 0 ? 4 : format->levels;
	unsigned huge = format->huge_level;
	unsigned least = device ? FH_VTD_MIN_LEVELS : FH_ARCH_MIN_LEVELS;
	unsigned most = device ? FH_VTD_MAX_LEVELS : FH_ARCH_MAX_LEVELS;
	unsigned huge_most = device ? FH_VTD_HUGE_LEVEL : FH_ARCH_HUGE_LEVEL;

	if (huge == 0)
		huge = levels > 3 ? 3 : levels - 1;
	if (levels < least || levels > most || huge >= levels)
		return FH_E_INVALID;
	table->levels = (uint8_t)levels;
	table->huge_level = (uint8_t)(huge < huge_most ? huge : huge_most);
	table->features = format->features;
	set_range(table);
	return FH_OK;
}

enum fh_status fh_table_set_format(struct fh_page_table *table,
				   const struct fh_table_format *format)
{
	return check_format(format, fh_table_is_device(table), table);
}

/* Turns a prepared node into the table's root. */
static void place_root(struct fh_page_table *table, struct fh_node_list *nodes)
{
	uint64_t node = fh_node_list_pop(nodes);

	fh_node_set_next(node, 0);
	*fh_node_word(node, FH_NODE_FACTS) = table->levels + FH_NODE_ROOT;
	fh_unit_remove(node, 1, FH_UNIT_ENTRY, FH_HERE);
	table->root.handle = fh_unit_mint(node, 1, FH_UNIT_FRAME, FH_CALLER);
}

/* Marks the entries of a root that a window lies in. */
static enum fh_status mark_window(const struct fh_page_table *table,
				  const struct fh_page_range *window,
				  bool *wanted)
{
	if (!fh_page_table_covers(table, window->first, window->count))
		return FH_E_OUT_OF_BOUND;
	uint64_t last = window->first + (window->count - 1);

	for (uint64_t i = fh_entry_index(window->first, table->levels);
	     i <= fh_entry_index(last, table->levels); i++)
		wanted[i] = true;
	return FH_OK;
}

static enum fh_status mark_windows(const struct fh_page_table *table,
				   const struct fh_page_range *windows,
				   size_t n, bool *wanted)
{
	struct fh_page_range whole =
		fh_page_table_range(FH_TABLE_KERNEL, table->levels);

	if (n == 0)
		return mark_window(table, &whole, wanted);
	for (size_t i = 0; i < n; i++) {
		enum fh_status status = mark_window(table, &windows[i], wanted);

		if (status != FH_OK)
			return status;
	}
	return FH_OK;
}

static uint64_t count_wanted(const bool *wanted)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++)
		n += wanted[i] ? 1 : 0;
	return n;
}

static void place_windows(const struct fh_page_table *table, const bool *wanted,
			  struct fh_node_list *nodes)
{
	uint64_t root = fh_frame_number(table->root);
	struct fh_atomic_mode nobody = {.locks = 0};

	for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++) {
		if (!wanted[i])
			continue;
		uint64_t child =
			fh_node_place(nodes, table->levels - 1U, &nobody);

		fh_node_unlock(child, &nobody);
		fh_node_fill(root, i,
			     fh_pte_table(false, child, table->levels));
	}
}

/* CPUs may cache translations from now on. */
static void open_translations(const struct fh_table_format *format)
{
	bool all = format == NULL || format->asids == 0;

	if (!fh_asid_has_numbers())
		fh_asid_open(all ? FH_ARCH_ASIDS : format->asids, FH_MAX_CPUS);
	fh_flush_open();
}

enum fh_status fh_page_table_create_kernel(const struct fh_table_format *format,
					   const struct fh_page_range *windows,
					   size_t n, struct fh_page_table *out)
{
	struct fh_page_table table = {.kind = FH_TABLE_KERNEL};
	struct fh_node_list nodes = {.first = 0};
	bool wanted[FH_NODE_ENTRIES] = {false};
	enum fh_status status = check_format(format, false, &table);

	if (status == FH_OK)
		status = mark_windows(&table, windows, n, wanted);
	if (status == FH_OK)
		status = fh_node_prepare(&fh_kernel_node_type,
					 1 + count_wanted(wanted), &nodes);
	if (status != FH_OK)
		return status;
	place_root(&table, &nodes);
	place_windows(&table, wanted, &nodes);
	open_translations(format);
	*out = table;
	return FH_OK;
}

enum fh_status fh_page_table_create_user(const struct fh_page_table *kernel,
					 struct fh_page_table *out)
{
	struct fh_page_table table = *kernel;
	struct fh_node_list nodes = {.first = 0};
	enum fh_status status = fh_node_prepare(&fh_user_node_type, 1, &nodes);

	if (status != FH_OK)
		return status;
	table.kind = FH_TABLE_USER;
	set_range(&table);
	place_root(&table, &nodes);
	for (uint64_t i = FH_NODE_ENTRIES / 2; i < FH_NODE_ENTRIES; i++)
		fh_entry_write(fh_frame_number(table.root), i,
			       fh_entry_walk(fh_frame_number(kernel->root), i));
	*out = table;
	return FH_OK;
}

enum fh_status fh_page_table_create_device(const struct fh_table_format *format,
					   struct fh_page_table *out)
{
	struct fh_page_table table = {.kind = FH_TABLE_DEVICE};
	struct fh_node_list nodes = {.first = 0};
	enum fh_status status = check_format(format, true, &table);

	if (status == FH_OK)
		status = fh_node_prepare(&fh_device_node_type, 1, &nodes);
	if (status != FH_OK)
		return status;
	place_root(&table, &nodes);
	*out = table;
	return FH_OK;
}

void fh_page_table_destroy(struct fh_page_table *table)
{
	uint64_t root = fh_frame_number(table->root);

	if (root == 0)
		return;
	fh_unit_become(table->root.handle, 1, FH_UNIT_FRAME, FH_UNIT_DEFERRED,
		       FH_CALLER);
	table->root.handle = 0;
	fh_rcu_defer(root, root, 1);
}

/* ---- Looking up ---- */

FH_ALWAYS_INLINE void walk_down(bool device, const struct fh_page_table *table,
				uint64_t page, struct fh_mapping *mapping)
{
	uint64_t node = fh_frame_number(table->root);

	for (unsigned level = table->levels;; level--) {
		uint64_t pte = fh_entry_walk(node, fh_entry_index(page, level));

		if (fh_pte_kind(device, pte, level) != FH_PTE_TABLE) {
			fh_describe(device, pte, level, page, mapping);
			return;
		}
		node = fh_pte_frame(device, pte, level);
	}
}

enum fh_status fh_page_table_walk(const struct fh_page_table *table,
				  const struct fh_atomic_mode *mode,
				  uint64_t page, struct fh_mapping *mapping)
{
	(void)mode;
	if (!fh_page_table_covers(table, page, 1))
		return FH_E_OUT_OF_BOUND;
	if (fh_table_is_device(table))
		walk_down(true, table, page, mapping);
	else
		walk_down(false, table, page, mapping);
	return FH_OK;
}

extern struct fh_paddr fh_page_table_root(const struct fh_page_table *table);
extern struct fh_page_prop fh_page_prop(uint32_t flags);
extern struct fh_page_prop fh_user_prop(uint32_t flags);
extern uint64_t fh_level_pages(unsigned level);
