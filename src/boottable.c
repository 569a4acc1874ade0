/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tables that somebody else made, edited in place: boottable.h. Every change is
 * prepared first, down to the pages that its nodes are made of; and a larger
 * leaf is replaced by a whole sub-tree at once, so that no CPU ever walks
 * through half of a split.
 *
 * Pages are at hand, linked by their first words, until they become nodes; then
 * their numbers stand in a record, a page whose first word is the next record.
 * The newest record is the one with room.
 */
#include <framehold/alloc.h>
#include <framehold/boottable.h>
#include <framehold/memory.h>

#include "cursor.h"
#include "lock.h"
#include "tableformat.h"

static const struct fh_meta_type boot_node_type = {
	.name = "boot page table",
	.usage = FH_USAGE_PAGE_TABLE,
};

/* Numbers in a record. */
#define BOOT_RECORD (FH_NODE_ENTRIES - 1)

/* ---- One operation ---- */

/* The tables, locked by a CPU that uses them. */
struct boot_visit {
	struct fh_boot_table *table;
	uint64_t saved;
	unsigned cpu;
};

/* FH_OK: locked, until boot_leave(). */
static enum fh_status boot_enter(struct boot_visit *visit,
				 struct fh_boot_table *table)
{
	visit->table = table;
	visit->saved = fh_lock(&table->lock);
	visit->cpu = fh_host_cpu();
	if (fh_cpu_set_has(&table->users, visit->cpu))
		return FH_OK;
	fh_unlock(&table->lock, visit->saved);
	return FH_E_INVALID;
}

static void boot_leave(const struct boot_visit *visit)
{
	fh_unlock(&visit->table->lock, visit->saved);
}

/* ---- Pages ---- */

static const struct fh_alloc_options boot_page_options = {.no_wait = true};

static enum fh_status boot_take_page(uint64_t *page)
{
	struct fh_frame frame;

	if (fh_early_is_open())
		return fh_early_alloc(1, 1, page);
	if (!fh_is_initialized())
		return FH_E_NO_MEMORY;
	enum fh_status status = fh_frame_alloc(&boot_page_options,
					       &boot_node_type, NULL, &frame);

	if (status == FH_OK)
		*page = fh_frame_of_paddr(fh_frame_into_raw(&frame));
	return status;
}

/* Pages without metadata, or that are part of it, stay what they are. */
static void boot_give_page_back(uint64_t page)
{
	struct fh_frame frame;

	if (!fh_is_initialized() || (fh_slots[page].type != &boot_node_type &&
				     fh_slots[page].type != &fh_early_type))
		return;
	if (fh_frame_from_raw(fh_paddr_of_frame(page), &frame) == FH_OK)
		fh_frame_put(&frame);
}

static void boot_push_spare(struct fh_boot_table *table, uint64_t page)
{
	fh_word_store_relaxed(fh_entry(page, 0), table->spare);
	table->spare = page;
	table->spares++;
}

static uint64_t boot_pop_spare(struct fh_boot_table *table)
{
	uint64_t page = table->spare;

	table->spare = fh_word_load_relaxed(fh_entry(page, 0));
	table->spares--;
	return page;
}

/* The early allocator takes nothing back. */
static enum fh_status boot_keep_at_hand(struct fh_boot_table *table, uint64_t n)
{
	uint64_t had = table->spares;
	uint64_t page;

	while (table->spares < n) {
		enum fh_status status = boot_take_page(&page);

		if (status != FH_OK) {
			while (!fh_early_is_open() && table->spares > had)
				boot_give_page_back(boot_pop_spare(table));
			return status;
		}
		boot_push_spare(table, page);
	}
	return FH_OK;
}

/* n nodes, and the records that they need besides. */
static enum fh_status boot_prepare(struct fh_boot_table *table, uint64_t n)
{
	uint64_t room = table->records == 0 ? 0 : BOOT_RECORD - table->recorded;
	uint64_t records =
		n <= room ? 0 : (n - room + BOOT_RECORD - 1) / BOOT_RECORD;

	return boot_keep_at_hand(table, n + records);
}

static void boot_record(struct fh_boot_table *table, uint64_t page)
{
	if (table->records == 0 || table->recorded == BOOT_RECORD) {
		uint64_t record = boot_pop_spare(table);

		fh_word_store_relaxed(fh_entry(record, 0), table->records);
		table->records = record;
		table->recorded = 0;
	}
	table->recorded++;
	fh_word_store_relaxed(fh_entry(table->records, table->recorded), page);
}

/* One of the prepared pages, empty. */
static uint64_t boot_new_node(struct fh_boot_table *table)
{
	uint64_t page = boot_pop_spare(table);

	boot_record(table, page);
	for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++)
		fh_word_store_relaxed(fh_entry(page, i), 0);
	return page;
}

/* ---- Taking over ---- */

enum fh_status fh_boot_table_open(struct fh_boot_table *table,
				  struct fh_paddr root,
				  const struct fh_table_format *format)
{
	struct fh_page_table like = {.kind = FH_TABLE_KERNEL};
	uint64_t node = fh_frame_of_paddr(root);
	enum fh_status status = fh_table_set_format(&like, format);

	if (status != FH_OK)
		return status;
	if (!fh_paddr_is_aligned(root))
		return FH_E_NOT_ALIGNED;
	if (node == 0 || node >= FH_ARCH_FRAME_END)
		return FH_E_OUT_OF_BOUND;
	*table = (struct fh_boot_table){.root = node,
					.features = like.features,
					.levels = like.levels,
					.huge_level = like.huge_level};
	fh_host_preempt_off();
	fh_cpu_set_add(&table->users, fh_host_cpu());
	fh_host_preempt_on();
	return FH_OK;
}

enum fh_status fh_boot_table_join(struct fh_boot_table *table, unsigned cpu)
{
	struct boot_visit visit;
	enum fh_status status = boot_enter(&visit, table);

	if (status != FH_OK)
		return status;
	if (cpu >= FH_MAX_CPUS)
		status = FH_E_OUT_OF_BOUND;
	else if (fh_cpu_set_has(&table->users, cpu))
		status = FH_E_TWICE;
	else
		fh_cpu_set_add(&table->users, cpu);
	boot_leave(&visit);
	return status;
}

enum fh_status fh_boot_table_reserve(struct fh_boot_table *table, uint64_t n)
{
	struct boot_visit visit;
	enum fh_status status = boot_enter(&visit, table);

	if (status != FH_OK)
		return status;
	status = boot_prepare(table, n);
	boot_leave(&visit);
	return status;
}

/* ---- Looking ---- */

/* Whether n pages from first on lie in one half of the address space. */
static bool boot_covers(const struct fh_boot_table *table, uint64_t first,
			uint64_t n)
{
	uint64_t half = fh_page_table_range(FH_TABLE_USER, table->levels).count;
	uint64_t upper = FH_PAGE_NUMBER_END - half;

	if (first < half)
		return n <= half - first;
	return first >= upper && first < FH_PAGE_NUMBER_END &&
	       n <= FH_PAGE_NUMBER_END - first;
}

/* The entry that decides about a page. */
struct boot_place {
	uint64_t *entry;
	uint64_t pte;
	unsigned level;
};

static struct boot_place boot_find(const struct fh_boot_table *table,
				   uint64_t page)
{
	struct boot_place place = {.level = table->levels};
	uint64_t node = table->root;

	for (;;) {
		place.entry = fh_entry(node, fh_entry_index(page, place.level));
		/* Relaxed: only we write, besides hardware. */
		place.pte = fh_word_load_relaxed(place.entry);
		if (place.level == 1 ||
		    fh_arch_kind(place.pte, place.level) != FH_PTE_TABLE)
			return place;
		node = fh_arch_frame(place.pte, place.level);
		place.level--;
	}
}

enum fh_status fh_boot_table_query(struct fh_boot_table *table, uint64_t page,
				   struct fh_mapping *mapping)
{
	struct boot_visit visit;
	enum fh_status status = boot_enter(&visit, table);

	if (status != FH_OK)
		return status;
	if (boot_covers(table, page, 1)) {
		struct boot_place place = boot_find(table, page);

		fh_describe(false, place.pte, place.level, page, mapping);
		mapping->is_tracked = false;
	} else {
		status = FH_E_OUT_OF_BOUND;
	}
	boot_leave(&visit);
	return status;
}

/* ---- Mapping ---- */

/* Frames from `frame` on, for pages that are being mapped. */
struct boot_run {
	struct fh_boot_table *table;
	uint64_t frame;
	uint64_t n;
	struct fh_page_prop prop;
	unsigned top;     /* the highest level of a leaf */
	uint64_t missing; /* nodes that are not there */
};

/* Whether what is left of a run begins with a leaf of that level. */
static bool boot_has_leaf(const struct boot_run *run, uint64_t page,
			  uint64_t done, unsigned level)
{
	return fh_leaf_fits(page, run->frame + done, run->n - done, run->top,
			    level);
}

/*
 * The first pass over n pages from page on, the run's from `done` on, that lie
 * in a node; 0: one that is missing.
 */
static enum fh_status boot_plan(struct boot_run *run, uint64_t node,
				unsigned level, uint64_t page, uint64_t n,
				uint64_t done)
{
	while (n > 0) {
		uint64_t piece = fh_pages_in_entry(page, n, level);
		uint64_t pte = 0;
		uint64_t child = 0;

		if (node != 0)
			pte = fh_entry_read(node, fh_entry_index(page, level));
		if (level > 1 && fh_arch_kind(pte, level) == FH_PTE_TABLE)
			child = fh_arch_frame(pte, level);
		if (pte != 0 && child == 0)
			return FH_E_MAPPED;
		if (child != 0 || !boot_has_leaf(run, page, done, level)) {
			run->missing += child == 0 ? 1 : 0;
			enum fh_status status = boot_plan(run, child, level - 1,
							  page, piece, done);

			if (status != FH_OK)
				return status;
		}
		page += piece;
		done += piece;
		n -= piece;
	}
	return FH_OK;
}

/* The second pass: cannot fail. */
static void boot_write(const struct boot_run *run, uint64_t node,
		       unsigned level, uint64_t page, uint64_t n, uint64_t done)
{
	while (n > 0) {
		uint64_t piece = fh_pages_in_entry(page, n, level);
		uint64_t index = fh_entry_index(page, level);
		uint64_t pte = fh_entry_read(node, index);

		if (pte == 0 && boot_has_leaf(run, page, done, level)) {
			fh_entry_write(node, index,
				       fh_arch_leaf(run->frame + done, level,
						    run->prop));
		} else {
			uint64_t child = pte == 0 ? boot_new_node(run->table)
						  : fh_arch_frame(pte, level);

			boot_write(run, child, level - 1, page, piece, done);
			if (pte == 0)
				fh_entry_write(node, index,
					       fh_arch_table(child, level));
		}
		page += piece;
		done += piece;
		n -= piece;
	}
}

static unsigned boot_highest_leaf(const struct fh_boot_table *table,
				  struct fh_page_prop prop)
{
	unsigned top = 1;

	while (top < table->huge_level &&
	       fh_arch_can_map(top + 1, prop, table->features))
		top++;
	return top;
}

/* Whether a leaf of one page can have the property, and it is a caller's. */
static bool boot_can_map(const struct fh_boot_table *table,
			 struct fh_page_prop prop)
{
	return (prop.flags & FH_PAGE_TRACKED) == 0 &&
	       fh_arch_can_map(1, prop, table->features);
}

static enum fh_status boot_map_run(struct boot_run *run, uint64_t first)
{
	struct fh_boot_table *table = run->table;

	if (!boot_covers(table, first, run->n) ||
	    run->frame >= FH_ARCH_FRAME_END ||
	    run->n > FH_ARCH_FRAME_END - run->frame)
		return FH_E_OUT_OF_BOUND;
	if (!boot_can_map(table, run->prop))
		return FH_E_INVALID;
	run->prop = fh_prop_preset(false, run->prop);
	run->top = boot_highest_leaf(table, run->prop);
	enum fh_status status =
		boot_plan(run, table->root, table->levels, first, run->n, 0);
	if (status == FH_OK)
		status = boot_prepare(table, run->missing);
	if (status != FH_OK)
		return status;
	boot_write(run, table->root, table->levels, first, run->n, 0);
	fh_host_table_barrier();
	return FH_OK;
}

enum fh_status fh_boot_table_map(struct fh_boot_table *table, uint64_t first,
				 struct fh_paddr pa, uint64_t n,
				 struct fh_page_prop prop)
{
	struct boot_run run = {.table = table,
			       .frame = fh_frame_of_paddr(pa),
			       .n = n,
			       .prop = prop};
	struct boot_visit visit;
	enum fh_status status = boot_enter(&visit, table);

	if (status != FH_OK)
		return status;
	if (n == 0)
		status = FH_E_EMPTY;
	else if (!fh_paddr_is_aligned(pa))
		status = FH_E_NOT_ALIGNED;
	else
		status = boot_map_run(&run, first);
	boot_leave(&visit);
	return status;
}

/* ---- Changing ---- */

/* A change of one page, whose leaf may be larger. */
struct boot_change {
	uint64_t page;
	unsigned level; /* of that leaf */
	struct fh_prop_change change;
	uint64_t node[FH_MAX_LEVELS]; /* by level - 1: what it is split into */
};

static struct fh_page_prop boot_changed(const struct boot_change *change,
					struct fh_page_prop prop)
{
	prop.flags = (prop.flags & ~change->change.clear) | change->change.set;
	return fh_prop_preset(false, prop);
}

/*
 * What is to stand in the leaf's place: the changed leaf, or a table of the
 * nodes, filled in. Filled in anew, if hardware has set a bit meanwhile.
 */
static uint64_t boot_successor(const struct boot_change *change, uint64_t pte)
{
	struct fh_page_prop prop = fh_arch_prop(pte, change->level);
	uint64_t frame = fh_arch_frame(pte, change->level);

	for (unsigned level = change->level - 1; level > 0; level--) {
		uint64_t stride = fh_level_pages(level);
		uint64_t node = change->node[level - 1];

		for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++)
			fh_word_store_relaxed(
				fh_entry(node, i),
				fh_arch_leaf(frame + i * stride, level, prop));
		frame += fh_entry_index(change->page, level) * stride;
	}
	/* From the page's own leaf up, each in the place of a part. */
	pte = fh_arch_leaf(frame, 1, boot_changed(change, prop));
	for (unsigned level = 1; level < change->level; level++) {
		uint64_t node = change->node[level - 1];

		fh_word_store_relaxed(
			fh_entry(node, fh_entry_index(change->page, level)),
			pte);
		pte = fh_arch_table(node, level + 1);
	}
	return pte;
}

/* Writes it, keeping what hardware sets until then. */
static void boot_replace(const struct boot_change *change,
			 const struct boot_place *place)
{
	uint64_t n = fh_level_pages(place->level);
	struct fh_vaddr va = fh_vaddr_of_page(
		change->page - fh_page_in_entry(change->page, place->level));
	uint64_t pte = place->pte;

	if (FH_ARCH_BREAK_BEFORE_MAKE && place->level > 1) {
		/* Relaxed: nothing is published. */
		pte = fh_word_swap_relaxed(place->entry, 0);
		fh_host_table_barrier();
		fh_host_flush_broadcast(va, n);
		/* Release: pairs with the hardware's walk, as those below. */
		fh_word_store_release(place->entry,
				      boot_successor(change, pte));
	} else {
		uint64_t seen;

		while ((seen = fh_word_cas_release(
				place->entry, pte,
				boot_successor(change, pte))) != pte)
			pte = seen;
	}
	fh_host_table_barrier();
	fh_host_flush_pages(FH_ASID_KERNEL, va, n);
}

static enum fh_status boot_change_page(struct fh_boot_table *table,
				       struct boot_change *change)
{
	struct boot_place place = boot_find(table, change->page);
	struct fh_page_prop prop = fh_arch_prop(place.pte, place.level);

	if (place.pte == 0)
		return FH_E_NOT_MAPPED;
	if (place.level > 1 && !fh_arch_can_map(1, prop, table->features))
		return FH_E_INVALID;
	prop = boot_changed(change, prop);
	prop.flags &= ~FH_PAGE_TRACKED;
	if (!boot_can_map(table, prop))
		return FH_E_INVALID;
	enum fh_status status = boot_prepare(table, place.level - 1);
	if (status != FH_OK)
		return status;
	change->level = place.level;
	for (unsigned level = 1; level < place.level; level++)
		change->node[level - 1] = boot_new_node(table);
	boot_replace(change, &place);
	return FH_OK;
}

enum fh_status fh_boot_table_protect(struct fh_boot_table *table, uint64_t page,
				     struct fh_prop_change change)
{
	struct boot_change work = {.page = page, .change = change};
	struct boot_visit visit;
	enum fh_status status = boot_enter(&visit, table);

	if (status != FH_OK)
		return status;
	if (!boot_covers(table, page, 1))
		status = FH_E_OUT_OF_BOUND;
	else if (((change.clear | change.set) & FH_PAGE_TRACKED) != 0)
		status = FH_E_INVALID;
	else
		status = boot_change_page(table, &work);
	boot_leave(&visit);
	return status;
}

/* ---- Dismissing ---- */

static void boot_free_all(struct fh_boot_table *table)
{
	while (table->spares > 0)
		boot_give_page_back(boot_pop_spare(table));
	while (table->records != 0) {
		uint64_t record = table->records;

		while (table->recorded > 0) {
			boot_give_page_back(fh_word_load_relaxed(
				fh_entry(record, table->recorded)));
			table->recorded--;
		}
		table->records = fh_word_load_relaxed(fh_entry(record, 0));
		table->recorded = BOOT_RECORD;
		boot_give_page_back(record);
	}
}

enum fh_status fh_boot_table_dismiss(struct fh_boot_table *table)
{
	struct boot_visit visit;
	enum fh_status status = boot_enter(&visit, table);

	if (status != FH_OK)
		return status;
	fh_host_flush_asid(FH_ASID_KERNEL);
	fh_cpu_set_remove(&table->users, visit.cpu);
	bool last = fh_cpu_set_next(&table->users, 0) == FH_MAX_CPUS;
	boot_leave(&visit);
	/* Nobody else can enter any more. */
	if (last)
		boot_free_all(table);
	return FH_OK;
}
