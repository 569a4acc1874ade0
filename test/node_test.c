/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Nodes of page tables: who keeps one alive, its lock, what goes with it, and
 * the rules that the audit of a table knows, each broken once.
 */
#include "tables.h"

#include <framehold/poll.h>
#include <framehold/space.h>

#include <pthread.h>
#include <string.h>

#include "cursor.h"
#include "rcu.h"

/* A page whose nodes of levels 3, 2 and 1 nothing else needs. */
#define PAGE (7 * GIB1 + 3 * MIB2 + 5)

static struct fh_frame handle_of(uint64_t node)
{
	struct fh_frame f;

	OK(fh_frame_from_in_use(address_of(node), &f));
	return f;
}

static bool is_node(uint64_t frame)
{
	return state_of(frame) >= FH_STATE_ONE &&
	       state_of(frame) <= FH_STATE_MAX &&
	       fh_is_node_type(fh_slots[frame].type);
}

/* All that the user's table maps, with the nodes below its root. */
static void unmap_all(void)
{
	(void)unmap(
		&user_table, 0,
		fh_page_table_range(FH_TABLE_USER, user_table.levels).count);
}

/* ---- Life ---- */

static void node_alive_by_parent(void **state)
{
	uint64_t frame = map_new_page(&user_table, PAGE);

	(void)state;
	for (unsigned level = 1; level < 4; level++) {
		uint64_t node = node_of(&user_table, PAGE, level);

		assert_int_equal(state_of(node), FH_STATE_ONE);
		HAS_UNITS(node, FH_UNIT_ENTRY, 1);
	}
	fh_settle();
	assert_true(is_node(node_of(&user_table, PAGE, 1)));
	uint64_t nodes[] = {node_of(&user_table, PAGE, 1),
			    node_of(&user_table, PAGE, 2),
			    node_of(&user_table, PAGE, 3)};
	unmap_all();
	fh_settle();
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(state_of(nodes[i]), FH_STATE_FREE);
	assert_int_equal(state_of(frame), FH_STATE_FREE);
}

static void node_alive_by_handle(void **state)
{
	uint64_t frame = map_new_page(&user_table, PAGE);
	uint64_t node = node_of(&user_table, PAGE, 2);
	uint64_t child = node_of(&user_table, PAGE, 1);
	struct fh_frame handle = handle_of(node);

	(void)state;
	unmap_all();
	fh_settle();
	assert_int_equal(state_of(node), FH_STATE_ONE);
	assert_true(is_node(node));
	assert_int_equal(fh_node_children(node), 1);
	assert_true(is_node(child));
	assert_int_equal(state_of(frame), FH_STATE_ONE);
	fh_frame_put(&handle);
	assert_int_equal(state_of(node), FH_STATE_FREE);
	fh_settle();
	assert_int_equal(state_of(child), FH_STATE_FREE);
	assert_int_equal(state_of(frame), FH_STATE_FREE);
}

static void node_alive_by_processor(void **state)
{
	struct fh_space space;

	(void)state;
	OK(fh_space_create(&kernel_table, &space));
	uint64_t frame = map_new_page(&space.table, PAGE);
	uint64_t root = fh_frame_number(space.table.root);
	uint64_t node = node_of(&space.table, PAGE, 1);
	fh_space_activate(&space);
	fh_page_table_destroy(&space.table);
	fh_settle();
	assert_int_equal(state_of(root), FH_STATE_ONE);
	HAS_UNITS(root, FH_UNIT_ROOT, 1);
	assert_true(is_node(node));
	assert_int_equal(state_of(frame), FH_STATE_ONE);
	fh_kernel_activate(&kernel_table);
	fh_settle();
	assert_int_equal(state_of(root), FH_STATE_FREE);
	assert_int_equal(state_of(node), FH_STATE_FREE);
	assert_int_equal(state_of(frame), FH_STATE_FREE);
	fh_kernel_deactivate();
}

static void activate_counts(void **state)
{
	struct fh_space a, b;

	(void)state;
	OK(fh_space_create(&kernel_table, &a));
	OK(fh_space_create(&kernel_table, &b));
	fh_space_activate(&a);
	assert_int_equal(fh_frame_reference_count(a.table.root), 2);
	fh_space_activate(&a);
	assert_int_equal(fh_frame_reference_count(a.table.root), 2);
	assert_true(fh_space_is_active(&a));
	fh_space_activate(&b);
	assert_int_equal(fh_frame_reference_count(a.table.root), 1);
	assert_int_equal(fh_frame_reference_count(b.table.root), 2);
	assert_false(fh_space_is_active(&a));
	fh_kernel_activate(&kernel_table);
	fh_kernel_activate(&kernel_table);
	assert_int_equal(fh_frame_reference_count(b.table.root), 1);
	assert_int_equal(fh_frame_reference_count(kernel_table.root), 2);
	AUDIT();
	fh_kernel_deactivate();
	fh_kernel_deactivate();
	assert_int_equal(fh_frame_reference_count(kernel_table.root), 1);
	OK(fh_space_destroy(&a));
	OK(fh_space_destroy(&b));
}

static void reference_count_includes_mappings(void **state)
{
	struct fh_uframe f = new_page();
	struct fh_uframe mine = fh_uframe_get(f);
	struct fh_frame frame = fh_frame_from_uframe(&mine);
	struct work w;

	(void)state;
	assert_int_equal(fh_frame_reference_count(frame), 2);
	begin_work(&w, &user_table, PAGE, 3);
	OK(fh_cursor_map(&w.cursor, &f, plain_prop(&user_table)));
	assert_int_equal(fh_frame_reference_count(frame), 2);
	OK(fh_uframe_from_frame(&frame, &mine));
	f = fh_uframe_get(mine);
	OK(fh_cursor_map(&w.cursor, &f, plain_prop(&user_table)));
	frame = fh_frame_from_uframe(&mine);
	assert_int_equal(fh_frame_reference_count(frame), 3);
	end_work(&w);
	HAS_UNITS(fh_frame_number(frame), FH_UNIT_ENTRY, 2);
	assert_int_equal(unmap(&user_table, PAGE, 1), 1);
	assert_int_equal(fh_frame_reference_count(frame), 2);
	assert_int_equal(unmap(&user_table, PAGE + 1, 1), 1);
	assert_int_equal(fh_frame_reference_count(frame), 1);
	fh_frame_put(&frame);
}

static void node_on_drop_root_range(void **state)
{
	struct fh_page_table table;

	(void)state;
	uint64_t frame = map_new_page(&kernel_table, FH_PAGE_NUMBER_END - 1);
	OK(fh_page_table_create_user(&kernel_table, &table));
	uint64_t mapped = map_new_page(&table, 0);
	fh_page_table_destroy(&table);
	fh_settle();
	assert_int_equal(state_of(mapped), FH_STATE_FREE);
	MAPPED_TO(frame, &kernel_table, FH_PAGE_NUMBER_END - 1);
	assert_true(is_node(node_of(&kernel_table, FH_PAGE_NUMBER_END - 1, 1)));
	AUDIT_TABLE(&kernel_table);
	assert_int_equal(last_picture.totals.nodes, 259);
	assert_int_equal(unmap(&kernel_table, FH_PAGE_NUMBER_END - 1, 1), 1);
}

static void node_on_drop_items(void **state)
{
	struct fh_page_table table;
	struct fh_uframe shared = new_page();
	struct fh_uframe f = fh_uframe_get(shared);
	struct work w;

	(void)state;
	OK(fh_page_table_create_user(&kernel_table, &table));
	uint64_t large = map_new_pages(&table, MIB2, MIB2, MIB2);
	uint64_t small = map_new_page(&table, PAGE);
	map_device(&table, 2 * GIB1, KERNEL_PAGE, 1);
	uint64_t kernels = state_of(KERNEL_PAGE);
	begin_work(&w, &table, 2, 1);
	OK(fh_cursor_map(&w.cursor, &f, plain_prop(&table)));
	end_work(&w);
	fh_page_table_destroy(&table);
	assert_int_equal(state_of(small), FH_STATE_ONE);
	fh_settle();
	for (uint64_t i = 0; i < MIB2; i++)
		assert_int_equal(state_of(large + i), FH_STATE_FREE);
	assert_int_equal(state_of(small), FH_STATE_FREE);
	assert_int_equal(state_of(KERNEL_PAGE), kernels);
	assert_int_equal(state_of(fh_uframe_number(shared)), FH_STATE_ONE);
	fh_uframe_put(&shared);
}

/* A node that nobody needs is taken apart in pieces of bounded work. */
static void node_is_taken_apart_piece_by_piece(void **state)
{
	struct fh_page_table table;
	uint64_t budget = 100;

	(void)state;
	OK(fh_page_table_create_user(&kernel_table, &table));
	map_new_page(&table, 0);
	map_new_page(&table, 200 * fh_level_pages(4));
	uint64_t root = fh_frame_number(table.root);
	uint64_t child = node_of(&table, 0, 3);
	fh_unit_become(table.root.handle, 1, FH_UNIT_FRAME, FH_UNIT_DEFERRED,
		       FH_HERE);
	fh_host_preempt_off();
	assert_false(fh_node_reap(root, &budget));
	assert_int_equal(budget, 0);
	assert_int_equal(*fh_node_word(root, FH_NODE_PROGRESS), 100);
	assert_int_equal(fh_node_children(root), 1);
	assert_int_equal(fh_entry_read(root, 0), 0);
	HAS_UNITS(child, FH_UNIT_DEFERRED, 1);
	budget = 100;
	assert_false(fh_node_reap(root, &budget));
	budget = 100;
	assert_true(fh_node_reap(root, &budget));
	assert_true(budget > 90);
	assert_int_equal(state_of(root), FH_STATE_FREE);
	fh_host_preempt_on();
	fh_settle();
	assert_int_equal(state_of(child), FH_STATE_FREE);
}

static void nodes_are_prepared_all_or_none(void **state)
{
	struct fh_node_list list = {.first = 0};
	struct fh_atomic_mode mode;

	(void)state;
	hold_all_but(3);
	REFUSES(FH_E_NO_MEMORY, fh_node_prepare(&fh_user_node_type, 4, &list));
	assert_int_equal(list.count, 0);
	OK(fh_node_prepare(&fh_user_node_type, 2, &list));
	REFUSES(FH_E_NO_MEMORY, fh_node_prepare(&fh_user_node_type, 2, &list));
	assert_int_equal(list.count, 2);
	fh_atomic_begin(&mode);
	uint64_t node = fh_node_place(&list, 2, &mode);
	assert_int_equal(fh_node_level(node), 2);
	assert_int_equal(fh_node_children(node), 0);
	assert_false(fh_node_is_stray(node));
	for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++)
		assert_int_equal(fh_entry_read(node, i), 0);
	fh_node_unlock(node, &mode);
	fh_atomic_end(&mode);
	fh_node_list_push(&list, node);
	fh_node_list_free(&list);
	release_held();
	AUDIT();
}

/* ---- The lock ---- */

enum {
	LOCKINGS = 20000
};

struct contest {
	uint64_t node;
	uint64_t plain; /* only with the node's lock */
};

static void lock_and_count(unsigned cpu, void *arg)
{
	struct contest *contest = arg;

	(void)cpu;
	for (unsigned i = 0; i < LOCKINGS; i++) {
		struct fh_atomic_mode mode;

		fh_atomic_begin(&mode);
		fh_node_lock(contest->node, &mode);
		contest->plain++;
		fh_node_unlock(contest->node, &mode);
		fh_atomic_end(&mode);
	}
}

/* Whoever knows the node's number locks the same lock: there are no copies. */
static void node_lock_by_address(void **state)
{
	struct contest contest = {.plain = 0};

	(void)state;
	map_new_page(&user_table, PAGE);
	contest.node = node_of(&user_table, PAGE, 1);
	hosted_run(2, lock_and_count, &contest);
	assert_int_equal(contest.plain, 2 * LOCKINGS);
	assert_int_equal(*fh_node_word(contest.node, FH_NODE_LOCK), 0);
	unmap_all();
}

static void guard_drop_releases(void **state)
{
	struct work w;

	(void)state;
	map_new_page(&user_table, PAGE);
	uint64_t node = node_of(&user_table, PAGE, 1);
	uint64_t above = node_of(&user_table, PAGE, 2);
	begin_work(&w, &user_table, PAGE, 1);
	assert_int_equal(*fh_node_word(node, FH_NODE_LOCK), 1);
	assert_int_equal(*fh_node_word(above, FH_NODE_LOCK), 0);
	if (FH_CHECKED)
		assert_int_equal(w.mode.locks, 1);
	end_work(&w);
	assert_int_equal(*fh_node_word(node, FH_NODE_LOCK), 0);
	assert_int_equal(w.mode.locks, 0);
	begin_work(&w, &user_table, PAGE - PAGE % MIB2 - 1, MIB2);
	assert_int_equal(*fh_node_word(node, FH_NODE_LOCK), 1);
	assert_int_equal(*fh_node_word(above, FH_NODE_LOCK), 1);
	end_work(&w);
	assert_int_equal(*fh_node_word(node, FH_NODE_LOCK), 0);
	assert_int_equal(*fh_node_word(above, FH_NODE_LOCK), 0);
	unmap_all();
}

static void unlock_twice(void *arg)
{
	uint64_t *node = arg;
	struct fh_atomic_mode mode;

	fh_atomic_begin(&mode);
	fh_node_lock(*node, &mode);
	fh_node_unlock(*node, &mode);
	fh_node_unlock(*node, &mode);
	fh_atomic_end(&mode);
}

static void keep_the_lock(void *arg)
{
	uint64_t *node = arg;
	struct fh_atomic_mode mode;

	fh_atomic_begin(&mode);
	fh_node_lock(*node, &mode);
	fh_atomic_end(&mode);
}

/* One lock, one unlock: the end of the section counts them. */
static void make_guard_unchecked_double(void **state)
{
	uint64_t node;

	(void)state;
	map_new_page(&user_table, PAGE);
	node = node_of(&user_table, PAGE, 1);
	if (FH_CHECKED) {
		STOPS("atomic_mode", unlock_twice, &node);
		assert_int_equal(*fh_node_word(node, FH_NODE_LOCK), 0);
		STOPS("atomic_mode", keep_the_lock, &node);
		*fh_node_word(node, FH_NODE_LOCK) = 0;
	} else {
		unlock_twice(&node);
		assert_int_equal(*fh_node_word(node, FH_NODE_LOCK), 0);
	}
	unmap_all();
}

/* ---- Reading and writing ---- */

static void node_read_only_without_guard(void **state)
{
	struct fh_mapping mapping;

	(void)state;
	map_new_page(&user_table, PAGE);
	uint64_t node = node_of(&user_table, PAGE, 1);
	struct fh_meta before = fh_slots[node].meta;
	CHANGES_NOTHING(mapping = look_up(&user_table, PAGE));
	assert_true(mapping.is_mapped);
	assert_memory_equal(&before, &fh_slots[node].meta, sizeof(before));
	unmap_all();
}

static void node_one_level(void **state)
{
	const struct fh_page_table *const tables[] = {
		&user_table, &kernel_table, &device_table};
	const uint64_t pages[] = {PAGE, FH_PAGE_NUMBER_END - 1, PAGE};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		map_new_page(tables[i], pages[i]);
		for (unsigned level = 1; level <= tables[i]->levels; level++)
			assert_int_equal(fh_node_level(node_of(
						 tables[i], pages[i], level)),
					 level);
	}
	AUDIT_TABLE(&user_table);
	uint64_t node = node_of(&user_table, PAGE, 2);
	struct fh_atomic_mode mode;
	fh_atomic_begin(&mode);
	fh_node_lock(node, &mode);
	fh_node_set_stray(node);
	fh_node_add_children(node, 3);
	assert_int_equal(fh_node_level(node), 2);
	*fh_node_word(node, FH_NODE_FACTS) -= FH_NODE_STRAY + 3 * FH_NODE_CHILD;
	fh_node_unlock(node, &mode);
	fh_atomic_end(&mode);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(unmap(tables[i], pages[i], 1), 1);
}

/* What the entry named before stays as it is, and so does the count. */
static void write_pte_leaks_and_keeps_count(void **state)
{
	struct work w;

	(void)state;
	map_new_page(&user_table, PAGE);
	uint64_t node = node_of(&user_table, PAGE, 2);
	uint64_t child = node_of(&user_table, PAGE, 1);
	uint64_t index = fh_entry_index(PAGE, 2);
	uint64_t pte = fh_entry_read(node, index);
	begin_work(&w, &user_table, PAGE - PAGE % MIB2 - 1, MIB2);
	CHANGES_NOTHING(fh_entry_write(node, index, 0));
	assert_int_equal(fh_entry_read(node, index), 0);
	assert_int_equal(fh_node_children(node), 1);
	assert_int_equal(state_of(child), FH_STATE_ONE);
	HAS_UNITS(child, FH_UNIT_ENTRY, 1);
	fh_entry_write(node, index, pte);
	end_work(&w);
	unmap_all();
}

/* ---- Published when ready ---- */

enum {
	PUBLISHINGS = 300
};

struct publishing {
	uint64_t stop;
	uint64_t seen;
	uint64_t frame; /* the only one that the page may be mapped to */
};

static void watch_page(struct publishing *p)
{
	while (fh_word_load_relaxed(&p->stop) == 0) {
		struct fh_mapping mapping = look_up(&user_table, PAGE);
		struct fh_mapping other = look_up(&user_table, PAGE + 1);

		assert_false(other.is_mapped);
		if (mapping.is_mapped) {
			assert_int_equal(mapping.frame, p->frame);
			p->seen++;
		}
		fh_poll();
	}
}

static void publish_page(struct publishing *p, struct fh_uframe f)
{
	for (unsigned i = 0; i < PUBLISHINGS; i++) {
		struct fh_uframe mapped = fh_uframe_get(f);
		struct work w;

		begin_work(&w, &user_table, PAGE, 1);
		OK(fh_cursor_map(&w.cursor, &mapped, plain_prop(&user_table)));
		end_work(&w);
		unmap_all();
		fh_poll();
	}
	fh_word_store_relaxed(&p->stop, 1);
	fh_uframe_put(&f);
}

static struct publishing publishing;

static void publish_or_watch(unsigned cpu, void *arg)
{
	struct fh_uframe *f = arg;

	if (cpu == 0)
		publish_page(&publishing, *f);
	else
		watch_page(&publishing);
}

static void node_published_after_init(void **state)
{
	struct fh_uframe f = new_page();

	(void)state;
	publishing = (struct publishing){.frame = fh_uframe_number(f)};
	hosted_run(2, publish_or_watch, &f);
	struct work w;
	f = new_page();
	begin_work(&w, &user_table, PAGE, 1);
	OK(fh_cursor_map(&w.cursor, &f, plain_prop(&user_table)));
	for (unsigned level = 1; level < 4; level++) {
		uint64_t node = node_of(&user_table, PAGE, level);

		assert_int_equal(fh_node_level(node), level);
		assert_int_equal(fh_node_children(node), 1);
		assert_int_equal(*fh_node_word(node, FH_NODE_LOCK), 1);
	}
	end_work(&w);
	unmap_all();
}

/* ---- Rules of the audit ---- */

static void breaks(const struct fh_page_table *table, const char *rule,
		   uint64_t frame)
{
	struct fh_table_totals totals = {.nodes = 0};
	struct fh_finding finding;

	assert_int_equal(fh_audit_table(table, &totals, &finding),
			 FH_E_CORRUPT);
	assert_string_equal(finding.rule, rule);
	assert_int_equal(finding.frame, frame);
}

/* A table with a page at PAGE; its node of level 1 and the page's frame. */
static uint64_t leaf_node;
static uint64_t leaf_frame;

static int start_rules(void **state)
{
	if (start_tables(state) != 0)
		return -1;
	leaf_frame = map_new_page(&user_table, PAGE);
	leaf_node = node_of(&user_table, PAGE, 1);
	return 0;
}

static int stop_rules(void **state)
{
	AUDIT_TABLE(&user_table);
	unmap_all();
	return stop_tables(state);
}

static void audit_finds_node_type(void **state)
{
	const struct fh_meta_type *type = fh_slots[leaf_node].type;

	(void)state;
	fh_slots[leaf_node].type = &fh_untyped_type;
	breaks(&user_table, "node_type", leaf_node);
	fh_slots[leaf_node].type = &fh_kernel_node_type;
	breaks(&user_table, "node_type", leaf_node);
	fh_slots[leaf_node].type = type;
	force_state(leaf_node, FH_STATE_FREE);
	breaks(&user_table, "node_type", leaf_node);
	force_state(leaf_node, FH_STATE_ONE);
}

/* Walk coverage: every entry that names a node names one. */
static void audit_finds_entry_of_no_node(void **state)
{
	uint64_t node = node_of(&user_table, PAGE, 3);
	uint64_t *entry = fh_entry(node, fh_entry_index(PAGE, 3));
	uint64_t pte = *entry;
	uint64_t page = free_pages(1);

	(void)state;
	*entry = fh_arch_table(page, 3);
	breaks(&user_table, "node_type", page);
	*entry = fh_arch_table(HOLE_PAGE, 3);
	breaks(&user_table, "node_type", HOLE_PAGE);
	*entry = pte;
}

static void audit_finds_node_level(void **state)
{
	(void)state;
	*fh_node_word(leaf_node, FH_NODE_FACTS) += 1;
	breaks(&user_table, "node_level", leaf_node);
	*fh_node_word(leaf_node, FH_NODE_FACTS) -= 1;
}

static void audit_finds_node_locked(void **state)
{
	(void)state;
	*fh_node_word(leaf_node, FH_NODE_LOCK) = 1;
	breaks(&user_table, "node_locked", leaf_node);
	*fh_node_word(leaf_node, FH_NODE_LOCK) = 0;
}

static void audit_finds_node_stray(void **state)
{
	(void)state;
	fh_node_set_stray(leaf_node);
	breaks(&user_table, "node_stray", leaf_node);
	*fh_node_word(leaf_node, FH_NODE_FACTS) -= FH_NODE_STRAY;
}

static void audit_finds_node_children(void **state)
{
	(void)state;
	fh_node_add_children(leaf_node, 1);
	breaks(&user_table, "node_children", leaf_node);
	fh_node_sub_children(leaf_node, 2);
	breaks(&user_table, "node_children", leaf_node);
	fh_node_add_children(leaf_node, 1);
}

/* Walk uniqueness: no two entries name one node. */
static void audit_finds_node_parent(void **state)
{
	uint64_t node = node_of(&user_table, PAGE, 2);
	uint64_t index = fh_entry_index(PAGE, 2);

	(void)state;
	*fh_entry(node, index + 9) = *fh_entry(node, index);
	fh_node_add_children(node, 1);
	breaks(&user_table, "node_parent", leaf_node);
	*fh_entry(node, index + 9) = 0;
	fh_node_sub_children(node, 1);
	AUDIT_TABLE(&user_table);
	if (!FH_CHECKED)
		return;
	fh_unit_shift(leaf_node, 1, FH_UNIT_ENTRY, FH_UNIT_DEFERRED, FH_HERE);
	breaks(&user_table, "node_parent", leaf_node);
	fh_unit_shift(leaf_node, 1, FH_UNIT_DEFERRED, FH_UNIT_ENTRY, FH_HERE);
}

/* A node that names one above it is no endless tree. */
static void audit_finds_a_circle(void **state)
{
	uint64_t node = node_of(&user_table, PAGE, 2);
	uint64_t above = node_of(&user_table, PAGE, 3);

	(void)state;
	*fh_entry(node, 0) = fh_arch_table(above, 2);
	fh_node_add_children(node, 1);
	breaks(&user_table, "node_level", above);
	*fh_entry(node, 0) = 0;
	fh_node_sub_children(node, 1);
}

/* The entry with one bit of it changed, so that it is none the format makes. */
static uint64_t malformed(uint64_t pte)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t other = pte ^ UINT64_C(1) << bit;

		if (fh_arch_kind(other, 1) == FH_PTE_LEAF &&
		    fh_arch_leaf(fh_arch_frame(other, 1), 1,
				 fh_arch_prop(other, 1)) != other)
			return other;
	}
	return pte;
}

static void audit_finds_entry_format(void **state)
{
	uint64_t *entry = fh_entry(leaf_node, fh_entry_index(PAGE, 1));
	uint64_t pte = *entry;
	struct fh_page_table narrow = user_table;

	(void)state;
	*entry = malformed(pte);
	assert_int_not_equal(*entry, pte);
	breaks(&user_table, "entry_format", leaf_node);
	*entry = pte;
	map_device(&user_table, 0, DEVICE_FRAME, MIB2);
	narrow.huge_level = 1;
	breaks(&narrow, "entry_format", node_of(&user_table, 0, 2));
}

static void audit_finds_entry_place(void **state)
{
	uint64_t root = fh_frame_number(kernel_table.root);

	(void)state;
	*fh_entry(root, 3) = *fh_entry(root, FH_NODE_ENTRIES - 1);
	breaks(&kernel_table, "entry_place", root);
	*fh_entry(root, 3) = 0;
	AUDIT_TABLE(&kernel_table);
}

static void audit_finds_entry_kernel(void **state)
{
	uint64_t root = fh_frame_number(user_table.root);
	uint64_t *entry = fh_entry(root, FH_NODE_ENTRIES - 1);
	uint64_t was = *entry;
	uint64_t node = fh_arch_frame(was, user_table.levels);

	(void)state;
	map_new_page(&user_table, 0);
	*entry = *fh_entry(root, 0);
	breaks(&user_table, "entry_kernel", root);
	*entry = fh_arch_leaf(0, user_table.levels, plain_prop(&kernel_table));
	breaks(&user_table, "entry_kernel", root);
	*entry = was;
	fh_node_set_stray(node);
	breaks(&user_table, "entry_kernel", root);
	*fh_node_word(node, FH_NODE_FACTS) &= ~FH_NODE_STRAY;
	*fh_node_word(node, FH_NODE_FACTS) -= 1;
	breaks(&user_table, "entry_kernel", root);
	*fh_node_word(node, FH_NODE_FACTS) += 1;
	AUDIT_TABLE(&user_table);
}

/* Writes another property into the leaf at PAGE. */
static void set_flags(uint64_t node, uint64_t index, uint32_t clear,
		      uint32_t set)
{
	uint64_t pte = *fh_entry(node, index);
	struct fh_page_prop prop = fh_arch_prop(pte, 1);

	prop.flags = (prop.flags & ~clear) | set;
	*fh_entry(node, index) = fh_arch_leaf(fh_arch_frame(pte, 1), 1, prop);
}

static void audit_finds_leaf_user(void **state)
{
	const uint64_t top = FH_PAGE_NUMBER_END - 1;
	uint64_t index = fh_entry_index(PAGE, 1);

	(void)state;
	set_flags(leaf_node, index, FH_PAGE_USER, 0);
	breaks(&user_table, "leaf_user", leaf_node);
	set_flags(leaf_node, index, 0, FH_PAGE_USER);
	map_new_page(&kernel_table, top);
	uint64_t node = node_of(&kernel_table, top, 1);
	set_flags(node, FH_NODE_ENTRIES - 1, 0, FH_PAGE_USER);
	breaks(&kernel_table, "leaf_user", node);
	set_flags(node, FH_NODE_ENTRIES - 1, FH_PAGE_USER, 0);
	assert_int_equal(unmap(&kernel_table, top, 1), 1);
}

static void audit_finds_leaf_write_exec(void **state)
{
	const uint64_t top = FH_PAGE_NUMBER_END - 1;

	(void)state;
	map_new_page(&kernel_table, top);
	uint64_t node = node_of(&kernel_table, top, 1);
	set_flags(node, FH_NODE_ENTRIES - 1, 0, FH_PAGE_EXEC);
	breaks(&kernel_table, "leaf_write_exec", node);
	set_flags(node, FH_NODE_ENTRIES - 1, FH_PAGE_EXEC, 0);
	assert_int_equal(unmap(&kernel_table, top, 1), 1);
}

static void audit_finds_leaf_frame(void **state)
{
	(void)state;
	force_state(leaf_frame, FH_STATE_FREE);
	breaks(&user_table, "leaf_frame", leaf_frame);
	force_state(leaf_frame, FH_STATE_UNIQUE);
	breaks(&user_table, "leaf_frame", leaf_frame);
	force_state(leaf_frame, FH_STATE_ONE);
}

/* Of a large leaf, the last page's, too. */
static void audit_finds_leaf_frame_of_a_large_leaf(void **state)
{
	uint64_t first = map_new_pages(&user_table, 0, MIB2, MIB2);

	(void)state;
	force_state(first + MIB2 - 1, FH_STATE_UNUSED);
	breaks(&user_table, "leaf_frame", first + MIB2 - 1);
	force_state(first + MIB2 - 1, FH_STATE_ONE);
}

static void audit_finds_leaf_untyped(void **state)
{
	const struct fh_meta_type *type = fh_slots[leaf_frame].type;

	(void)state;
	fh_slots[leaf_frame].type = &counting_type;
	breaks(&user_table, "leaf_untyped", leaf_frame);
	fh_slots[leaf_frame].type = type;
}

static void audit_finds_leaf_units(void **state)
{
	(void)state;
	if (!FH_CHECKED) {
		/* Without a ledger, nothing is missing. */
		AUDIT_TABLE(&user_table);
		return;
	}
	fh_unit_remove(leaf_frame, 1, FH_UNIT_ENTRY, FH_HERE);
	breaks(&user_table, "leaf_units", leaf_frame);
	fh_unit_add(leaf_frame, 1, FH_UNIT_ENTRY);
}

static void breaks_root(const char *rule, uint64_t frame)
{
	struct fh_table_totals totals = {.nodes = 0};
	struct fh_finding finding;

	assert_int_equal(fh_audit_user_table(&kernel_table, &user_table,
					     &totals, &finding),
			 FH_E_CORRUPT);
	assert_string_equal(finding.rule, rule);
	assert_int_equal(finding.frame, frame);
}

/* Any entry of the half: missing, or another one of the kernel's. */
static void audit_finds_root_unlike_the_kernels(void **state)
{
	static const uint64_t at[] = {FH_NODE_ENTRIES / 2,
				      FH_NODE_ENTRIES / 2 + 77,
				      FH_NODE_ENTRIES - 1};
	uint64_t root = fh_frame_number(user_table.root);
	struct fh_table_totals totals = {.nodes = 0};
	struct fh_finding finding;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t *entry = fh_entry(root, at[i]);
		uint64_t pte = *entry;
		const uint64_t wrong[] = {0, *fh_entry(root, at[(i + 1) % 3])};

		for (unsigned j = 0; j < 2; j++) {
			*entry = wrong[j];
			AUDIT_TABLE(&user_table);
			breaks_root("root_kernel", root);
		}
		*entry = pte;
	}
	force_state(leaf_frame, FH_STATE_FREE);
	breaks_root("leaf_frame", leaf_frame);
	force_state(leaf_frame, FH_STATE_ONE);
	audit_kernel_half(&kernel_table, &user_table);
	assert_int_equal(fh_audit_user_table(&user_table, &user_table, &totals,
					     &finding),
			 FH_E_INVALID);
	assert_int_equal(fh_audit_user_table(&kernel_table, &device_table,
					     &totals, &finding),
			 FH_E_INVALID);
	struct fh_page_table gone = {.kind = FH_TABLE_KERNEL};
	assert_int_equal(
		fh_audit_user_table(&gone, &user_table, &totals, &finding),
		FH_E_CORRUPT);
	assert_string_equal(finding.rule, "node_type");
}

#define T(name) cmocka_unit_test(name)
#define R(name) cmocka_unit_test_setup_teardown(name, start_rules, stop_rules)

int main(void)
{
	struct CMUnitTest tests[] = {
		T(node_alive_by_parent),
		T(node_alive_by_handle),
		T(node_alive_by_processor),
		T(activate_counts),
		T(reference_count_includes_mappings),
		T(node_on_drop_root_range),
		T(node_on_drop_items),
		T(node_is_taken_apart_piece_by_piece),
		T(nodes_are_prepared_all_or_none),
		T(node_lock_by_address),
		T(guard_drop_releases),
		T(make_guard_unchecked_double),
		T(node_read_only_without_guard),
		T(node_one_level),
		T(write_pte_leaks_and_keeps_count),
		T(node_published_after_init),
		R(audit_finds_node_type),
		R(audit_finds_entry_of_no_node),
		R(audit_finds_node_level),
		R(audit_finds_node_locked),
		R(audit_finds_node_stray),
		R(audit_finds_node_children),
		R(audit_finds_node_parent),
		R(audit_finds_a_circle),
		R(audit_finds_entry_format),
		R(audit_finds_entry_place),
		R(audit_finds_entry_kernel),
		R(audit_finds_leaf_user),
		R(audit_finds_leaf_write_exec),
		R(audit_finds_leaf_frame),
		R(audit_finds_leaf_frame_of_a_large_leaf),
		R(audit_finds_leaf_untyped),
		R(audit_finds_leaf_units),
		R(audit_finds_root_unlike_the_kernels),
	};

	each_with_tables(tests, sizeof(tests) / sizeof(tests[0]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
