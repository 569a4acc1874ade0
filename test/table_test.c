/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tables and cursors: which ranges there are, what is mapped and found in them,
 * leaves of all sizes, the ends of the address space, and memory that runs out
 * at every allocation.
 */
#include "tables.h"

#include <framehold/poll.h>

#include <string.h>

#include "cursor.h"

#define SECOND GIB1 /* the page at 1 GiB */

static uint64_t users_end(void)
{
	return fh_page_table_range(FH_TABLE_USER, user_table.levels).count;
}

/* Of the kernel's half; pages are counted back from the end. */
static uint64_t from_top(uint64_t pages)
{
	return FH_PAGE_NUMBER_END - pages;
}

/* ---- Tables ---- */

static void user_names_the_kernels_nodes(void **state)
{
	uint64_t kernels = fh_frame_number(kernel_table.root);
	uint64_t users = fh_frame_number(user_table.root);

	(void)state;
	for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++) {
		uint64_t pte = fh_entry_walk(kernels, i);

		if (i < FH_NODE_ENTRIES / 2) {
			assert_int_equal(pte, 0);
			assert_int_equal(fh_entry_walk(users, i), 0);
			continue;
		}
		assert_int_equal(fh_pte_kind(false, pte, kernel_table.levels),
				 FH_PTE_TABLE);
		assert_int_equal(fh_entry_walk(users, i), pte);
	}
	assert_int_equal(fh_node_children(users), 0);
	assert_int_equal(fh_node_children(kernels), FH_NODE_ENTRIES / 2);
}

static void user_sees_what_the_kernel_maps_later(void **state)
{
	uint64_t top = from_top(1);
	uint64_t index = fh_entry_index(top, 4);
	uint64_t frame = map_new_page(&kernel_table, top);
	uint64_t node = fh_pte_frame(
		false, fh_entry_walk(fh_frame_number(user_table.root), index),
		4);

	(void)state;
	for (unsigned level = 3; level > 1; level--)
		node = fh_pte_frame(
			false, fh_entry_walk(node, fh_entry_index(top, level)),
			level);
	assert_int_equal(fh_pte_frame(false,
				      fh_entry_walk(node, FH_NODE_ENTRIES - 1),
				      1),
			 frame);
	assert_int_equal(unmap(&kernel_table, top, 1), 1);
}

static void kernel_has_the_windows_it_was_made_for(void **state)
{
	const uint64_t root_entry = fh_level_pages(4);
	const struct fh_page_range windows[] = {
		{from_top(2 * root_entry), 1},
		{from_top(1), 1},
	};
	struct fh_page_table table;
	struct fh_atomic_mode mode;
	struct fh_cursor cursor;

	(void)state;
	OK(fh_page_table_create_kernel(NULL, windows, 2, &table));
	assert_int_equal(fh_node_children(fh_frame_number(table.root)), 2);
	map_new_page(&table, from_top(1));
	map_new_page(&table, from_top(2 * root_entry));
	fh_atomic_begin(&mode);
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_cursor_open(&table, &mode, from_top(3 * root_entry), 1,
			       &cursor));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_cursor_open(&table, &mode, from_top(2 * root_entry + 1), 2,
			       &cursor));
	OK(fh_cursor_open(&table, &mode, from_top(2 * root_entry),
			  2 * root_entry, &cursor));
	fh_cursor_close(&cursor);
	fh_atomic_end(&mode);
	AUDIT_TABLE(&table);
	fh_page_table_destroy(&table);
	fh_settle();
}

static void windows_outside_of_the_kernels_half_are_refused(void **state)
{
	const struct fh_page_range low = {0, 1};
	const struct fh_page_range none = {from_top(8), 0};
	const struct fh_page_range wraps = {from_top(8), 9};
	struct fh_page_table table;

	(void)state;
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_page_table_create_kernel(NULL, &low, 1, &table));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_page_table_create_kernel(NULL, &none, 1, &table));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_page_table_create_kernel(NULL, &wraps, 1, &table));
}

static void format_that_was_not_built_is_refused(void **state)
{
	const struct fh_table_format formats[] = {
		{.levels = FH_ARCH_MIN_LEVELS - 1},
		{.levels = FH_ARCH_MAX_LEVELS + 1},
		{.levels = 4, .huge_level = 4},
	};
	struct fh_page_table table;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		REFUSES(FH_E_INVALID, fh_page_table_create_kernel(
					      &formats[i], NULL, 0, &table));
	for (size_t i = 0; i < 3; i++) {
		const struct fh_table_format format = {.levels = i == 2   ? 4
								 : i == 0 ? 2
									  : 6,
						       .huge_level =
							       i == 2 ? 4 : 0};

		REFUSES(FH_E_INVALID,
			fh_page_table_create_device(&format, &table));
	}
}

/* A root of three levels has no leaves of its own, without being told. */
static void three_levels_map_two_sizes(void **state)
{
	const struct fh_table_format format = {
		.levels = 3, .features = FH_VTD_PAGES_2M | FH_VTD_PAGES_1G};
	struct fh_page_table table;

	(void)state;
	OK(fh_page_table_create_device(&format, &table));
	map_device(&table, 0, DEVICE_FRAME, GIB1 + MIB2 + 1);
	AUDIT_TABLE(&table);
	assert_int_equal(last_picture.totals.huge, 513);
	assert_int_equal(last_picture.totals.nodes, 4);
	assert_int_equal(fh_page_table_range(FH_TABLE_DEVICE, 3).count,
			 UINT64_C(1) << 27);
	map_device(&table, (UINT64_C(1) << 27) - 1, DEVICE_FRAME, 1);
	MAPPED_TO(DEVICE_FRAME, &table, (UINT64_C(1) << 27) - 1);
	fh_page_table_destroy(&table);
	fh_settle();
}

static void zeroed_table_is_destroyed_for_nothing(void **state)
{
	struct fh_page_table table = {.levels = 0};

	(void)state;
	CHANGES_NOTHING(fh_page_table_destroy(&table));
}

/* ---- Ranges (V-6) ---- */

static void refuse_range(const struct fh_page_table *table, uint64_t first,
			 uint64_t n)
{
	struct fh_atomic_mode mode;
	struct fh_cursor cursor;

	fh_atomic_begin(&mode);
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_cursor_open(table, &mode, first, n, &cursor));
	fh_atomic_end(&mode);
	assert_false(fh_page_table_covers(table, first, n));
}

static void accept_range(const struct fh_page_table *table, uint64_t first,
			 uint64_t n)
{
	struct work w;

	begin_work(&w, table, first, n);
	assert_int_equal(fh_cursor_page(&w.cursor), first);
	assert_int_equal(fh_cursor_left(&w.cursor), n);
	end_work(&w);
}

static void ranges_that_are_none_are_refused(void **state)
{
	uint64_t upper = UINT64_C(0xffff800000000000) / FH_PAGE_SIZE;

	(void)state;
	refuse_range(&user_table, 0, 0);
	refuse_range(&user_table, 5, 0);
	refuse_range(&user_table, 1, UINT64_MAX);
	refuse_range(&user_table, 5, 0 - UINT64_C(3));
	refuse_range(&user_table, 0, UINT64_MAX);
	refuse_range(&user_table, UINT64_MAX, 1);
	refuse_range(&user_table, upper, 16);
	refuse_range(&user_table, FH_PAGE_NUMBER_END, 1);
	refuse_range(&kernel_table, 0, 1);
	refuse_range(&kernel_table, upper - 1, 1);
	refuse_range(&kernel_table, upper - 1, 2);
	refuse_range(&kernel_table, FH_PAGE_NUMBER_END, 1);
	refuse_range(&kernel_table, from_top(1), 2);
	refuse_range(&kernel_table, from_top(1), UINT64_MAX);
	refuse_range(&device_table, UINT64_C(1) << 36, 1);
	refuse_range(&device_table, 1, UINT64_C(1) << 36);
	accept_range(&user_table, 0, 1);
	accept_range(&user_table, 0, users_end());
	accept_range(&kernel_table, upper, 16);
	accept_range(&kernel_table, from_top(1), 1);
	accept_range(&device_table, 0, UINT64_C(1) << 36);
}

static void range_across_the_users_end_is_refused(void **state)
{
	(void)state;
	refuse_range(&user_table, users_end() - 1, 2);
	refuse_range(&user_table, users_end(), 1);
	accept_range(&user_table, users_end() - 1, 1);
}

static void address_inside_of_a_page_names_none(void **state)
{
	uint64_t page = 77;

	(void)state;
	assert_int_equal(fh_page_of_vaddr((struct fh_vaddr){.bytes = 1}, &page),
			 FH_E_NOT_ALIGNED);
	assert_int_equal(page, 77);
	OK(fh_page_of_vaddr(
		(struct fh_vaddr){.bytes = UINT64_C(0xfffffffffffff000)},
		&page));
	assert_int_equal(page, from_top(1));
	assert_int_equal(fh_vaddr_of_page(page).bytes,
			 UINT64_C(0xfffffffffffff000));
}

/* ---- Single pages ---- */

static void mapped_page_is_found_and_its_neighbours_are_not(void **state)
{
	uint64_t frame = map_new_page(&user_table, 0);
	struct fh_mapping mapping = look_up(&user_table, 0);

	(void)state;
	assert_int_equal(mapping.first, 0);
	assert_int_equal(mapping.pages, 1);
	assert_true(mapping.is_tracked);
	assert_int_equal(mapping.frame, frame);
	NOT_MAPPED(&user_table, 1);
	HAS_UNITS(frame, FH_UNIT_ENTRY, 1);
	assert_int_equal(unmap(&user_table, 0, 1), 1);
	NOT_MAPPED(&user_table, 0);
	assert_int_equal(state_of(frame), FH_STATE_FREE);
}

static void last_pages_of_both_halves_are_like_any_other(void **state)
{
	uint64_t frame = map_new_page(&user_table, users_end() - 1);

	(void)state;
	MAPPED_TO(frame, &user_table, users_end() - 1);
	NOT_MAPPED(&user_table, users_end() - 2);
	frame = map_new_page(&kernel_table, from_top(1));
	MAPPED_TO(frame, &kernel_table, from_top(1));
	NOT_MAPPED(&kernel_table, from_top(2));
	AUDIT_TABLE(&kernel_table);
	assert_int_equal(last_picture.runs[0].first, from_top(1));
	assert_int_equal(unmap(&kernel_table, from_top(MIB2), MIB2), 1);
	assert_int_equal(unmap(&user_table, 0, users_end()), 1);
}

static void last_leaf_of_the_address_space_is_large(void **state)
{
	struct work w;
	struct fh_mapping mapping;
	uint64_t pages;

	(void)state;
	map_device(&kernel_table, from_top(GIB1), DEVICE_FRAME, GIB1);
	begin_work(&w, &kernel_table, from_top(3), 3);
	OK(fh_cursor_find(&w.cursor, 3, &mapping));
	assert_int_equal(mapping.first + mapping.pages, FH_PAGE_NUMBER_END);
	OK(fh_cursor_jump(&w.cursor, from_top(1)));
	OK(fh_cursor_unmap(&w.cursor, 1, &w.gather, &pages));
	assert_int_equal(fh_cursor_left(&w.cursor), 0);
	end_work(&w);
	MAPPED_TO(DEVICE_FRAME + GIB1 - 2, &kernel_table, from_top(2));
	NOT_MAPPED(&kernel_table, from_top(1));
	AUDIT_TABLE(&kernel_table);
	assert_int_equal(unmap(&kernel_table, from_top(GIB1), GIB1), GIB1 - 1);
}

/* Every property that the format knows comes back; all others are refused. */
static void properties_come_back_as_given(void **state)
{
	uint64_t accepted = 0;

	(void)state;
	for (uint32_t flags = 0; flags < FH_PAGE_TRACKED; flags++)
		for (uint32_t cache = 0; cache < FH_CACHE_KINDS; cache++) {
			struct fh_page_prop prop = {flags, cache};
			struct fh_uframe f = new_page();
			struct fh_mapping mapping;
			struct work w;

			begin_work(&w, &kernel_table, from_top(9), 1);
			enum fh_status status =
				fh_cursor_map(&w.cursor, &f, prop);
			bool may = (flags & FH_PAGE_USER) == 0 &&
				   fh_arch_can_map(1, prop, FH_ARCH_FEATURES);

			assert_int_equal(status, may ? FH_OK : FH_E_INVALID);
			end_work(&w);
			if (!may) {
				fh_uframe_put(&f);
				continue;
			}
			accepted++;
			mapping = look_up(&kernel_table, from_top(9));
			assert_true(mapping.is_mapped);
			prop = fh_prop_preset(false, prop);
			assert_int_equal(mapping.prop.flags, prop.flags);
			assert_int_equal(mapping.prop.cache, prop.cache);
			assert_int_equal(unmap(&kernel_table, from_top(9), 1),
					 1);
		}
	assert_true(accepted >= 8);
}

static void each_table_has_its_kind_of_property(void **state)
{
	const uint32_t rw = FH_PAGE_READ | FH_PAGE_WRITE;
	const struct {
		const struct fh_page_table *table;
		uint64_t page;
		struct fh_page_prop prop;
	} wrong[] = {
		{&user_table, 5, fh_page_prop(rw)},
		{&user_table, 5, fh_user_prop(rw | FH_PAGE_GLOBAL)},
		{&user_table, 5, fh_user_prop(rw | FH_PAGE_TRACKED)},
		{&user_table, 5, fh_user_prop(rw | 0x80000000)},
		{&user_table, 5, {rw | FH_PAGE_USER, FH_CACHE_KINDS}},
		{&kernel_table, from_top(5), fh_user_prop(rw)},
		{&device_table, 5, fh_user_prop(rw)},
	};
	struct fh_uframe f = new_page();

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct work w;

		begin_work(&w, wrong[i].table, wrong[i].page, 1);
		REFUSES(FH_E_INVALID,
			fh_cursor_map(&w.cursor, &f, wrong[i].prop));
		REFUSES(FH_E_INVALID,
			fh_cursor_map_untracked(&w.cursor,
						fh_paddr_of_frame(DEVICE_FRAME),
						1, wrong[i].prop));
		end_work(&w);
	}
	fh_uframe_put(&f);
}

/* H-24 */
static void mapped_page_is_not_mapped_again(void **state)
{
	struct fh_uframe f = new_page();
	struct fh_usegment s = new_pages(3, 1);
	struct work w;

	(void)state;
	map_new_page(&user_table, 12);
	begin_work(&w, &user_table, 10, 6);
	OK(fh_cursor_jump(&w.cursor, 12));
	REFUSES(FH_E_MAPPED,
		fh_cursor_map(&w.cursor, &f, plain_prop(&user_table)));
	OK(fh_cursor_jump(&w.cursor, 10));
	REFUSES(FH_E_MAPPED,
		fh_cursor_map_segment(&w.cursor, &s, plain_prop(&user_table)));
	REFUSES(FH_E_MAPPED, fh_cursor_map_untracked(
				     &w.cursor, fh_paddr_of_frame(DEVICE_FRAME),
				     6, plain_prop(&user_table)));
	assert_int_equal(fh_usegment_count(s), 3);
	end_work(&w);
	fh_uframe_put(&f);
	fh_usegment_put(&s);
	NOT_MAPPED(&user_table, 10);
	assert_int_equal(unmap(&user_table, 0, MIB2), 1);
}

/* A large leaf in the way is neither mapped over nor split for it. */
static void large_leaf_in_the_way_stays_whole(void **state)
{
	struct fh_uframe f = new_page();
	struct work w;

	(void)state;
	map_device(&user_table, 0, DEVICE_FRAME, MIB2);
	begin_work(&w, &user_table, 7, 1);
	REFUSES(FH_E_MAPPED,
		fh_cursor_map(&w.cursor, &f, plain_prop(&user_table)));
	end_work(&w);
	fh_uframe_put(&f);
	assert_int_equal(look_up(&user_table, 7).pages, MIB2);
	assert_int_equal(unmap(&user_table, 0, MIB2), MIB2);
}

static void nothing_is_not_mapped(void **state)
{
	struct fh_uframe none = {.handle = 0};
	struct fh_usegment empty = {.count = 0};
	struct fh_paddr pa = fh_paddr_of_frame(DEVICE_FRAME);
	struct fh_uframe f = new_page();
	uint64_t pages = 77;
	struct work w;

	(void)state;
	begin_work(&w, &user_table, 3, 2);
	REFUSES(FH_E_EMPTY,
		fh_cursor_map(&w.cursor, &none, plain_prop(&user_table)));
	REFUSES(FH_E_EMPTY, fh_cursor_map_segment(&w.cursor, &empty,
						  plain_prop(&user_table)));
	REFUSES(FH_E_EMPTY, fh_cursor_map_untracked(&w.cursor, pa, 0,
						    plain_prop(&user_table)));
	REFUSES(FH_E_EMPTY, fh_cursor_unmap(&w.cursor, 0, &w.gather, &pages));
	OK(fh_cursor_jump(&w.cursor, 5));
	REFUSES(FH_E_EMPTY,
		fh_cursor_map(&w.cursor, &f, plain_prop(&user_table)));
	pa.bytes += 8;
	OK(fh_cursor_jump(&w.cursor, 3));
	REFUSES(FH_E_NOT_ALIGNED,
		fh_cursor_map_untracked(&w.cursor, pa, 1,
					plain_prop(&user_table)));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_cursor_map_untracked(
			&w.cursor, fh_paddr_of_frame(FH_ARCH_FRAME_END - 1), 2,
			plain_prop(&user_table)));
	end_work(&w);
	fh_uframe_put(&f);
	assert_int_equal(pages, 77);
}

static void typed_memory_is_mapped_by_the_kernel_only(void **state)
{
	const struct fh_page_table *const tables[] = {&user_table,
						      &device_table};
	struct fh_frame frame;
	struct work w;

	(void)state;
	OK(fh_frame_alloc(NULL, &counting_type, NULL, &frame));
	for (size_t i = 0; i < 2; i++) {
		begin_work(&w, tables[i], 3, 1);
		REFUSES(FH_E_INVALID,
			fh_cursor_map_frame(&w.cursor, &frame,
					    plain_prop(tables[i])));
		end_work(&w);
	}
	begin_work(&w, &kernel_table, from_top(3), 1);
	OK(fh_cursor_map_frame(&w.cursor, &frame, plain_prop(&kernel_table)));
	end_work(&w);
	assert_false(fh_frame_is_some(frame));
	assert_int_equal(drops, 0);
	assert_int_equal(unmap(&kernel_table, from_top(3), 1), 1);
	assert_int_equal(drops, 1);
}

/* H-10 */
static void page_that_allows_nothing_is_still_mapped(void **state)
{
	const struct fh_prop_change nothing = {.clear = FH_PAGE_READ |
							FH_PAGE_WRITE};
	uint64_t frame = map_new_page(&user_table, 4);
	uint64_t pages;
	struct work w;

	(void)state;
	begin_work(&w, &user_table, 4, 1);
	enum fh_status status =
		fh_cursor_protect(&w.cursor, 1, nothing, &w.gather, &pages);
	end_work(&w);
	if (status == FH_OK)
		assert_int_equal(
			look_up(&user_table, 4).prop.flags & nothing.clear, 0);
	else
		assert_int_equal(status, FH_E_INVALID);
	assert_true(look_up(&user_table, 4).is_mapped);
	assert_int_equal(unmap(&user_table, 4, 1), 1);
	assert_int_equal(state_of(frame), FH_STATE_FREE);
}

/* V-8: the mark of an entry that owns its page is no property. */
static void property_found_can_be_given_again(void **state)
{
	uint64_t frame = map_new_page(&user_table, 6);
	struct fh_mapping mapping = look_up(&user_table, 6);
	struct fh_uframe f = new_page();
	struct work w;

	(void)state;
	(void)frame;
	assert_int_equal(mapping.prop.flags & FH_PAGE_TRACKED, 0);
	begin_work(&w, &user_table, 7, 1);
	OK(fh_cursor_map(&w.cursor, &f, mapping.prop));
	end_work(&w);
	assert_int_equal(look_up(&user_table, 7).prop.flags,
			 mapping.prop.flags);
	assert_int_equal(unmap(&user_table, 6, 2), 2);
}

/* ---- Moving about ---- */

static void query_shows_the_page_it_stands_at(void **state)
{
	struct fh_mapping mapping;
	uint64_t frame = map_new_page(&user_table, 7);
	struct work w;

	(void)state;
	map_new_page(&user_table, SECOND);
	begin_work(&w, &user_table, 0, SECOND + 1);
	OK(fh_cursor_query(&w.cursor, &mapping));
	assert_false(mapping.is_mapped);
	OK(fh_cursor_jump(&w.cursor, 7));
	OK(fh_cursor_query(&w.cursor, &mapping));
	assert_int_equal(mapping.first, 7);
	assert_int_equal(mapping.pages, 1);
	assert_int_equal(mapping.frame, frame);
	assert_int_equal(mapping.prop.flags & FH_PAGE_WRITE, FH_PAGE_WRITE);
	assert_int_equal(fh_cursor_jump(&w.cursor, SECOND + 2),
			 FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_cursor_page(&w.cursor), 7);
	OK(fh_cursor_jump(&w.cursor, SECOND + 1));
	mapping.first = 99;
	assert_int_equal(fh_cursor_query(&w.cursor, &mapping), FH_E_EMPTY);
	assert_int_equal(mapping.first, 99);
	end_work(&w);
	assert_int_equal(unmap(&user_table, 0, SECOND + 1), 2);
}

static void query_in_a_large_leaf_shows_all_of_it(void **state)
{
	struct fh_mapping mapping;
	struct work w;

	(void)state;
	begin_work(&w, &user_table, 0, 2 * MIB2);
	OK(fh_cursor_jump(&w.cursor, MIB2));
	OK(fh_cursor_map_untracked(&w.cursor, fh_paddr_of_frame(DEVICE_FRAME),
				   MIB2, plain_prop(&user_table)));
	assert_int_equal(fh_cursor_left(&w.cursor), 0);
	assert_int_equal(fh_cursor_query(&w.cursor, &mapping), FH_E_EMPTY);
	OK(fh_cursor_jump(&w.cursor, 0));
	OK(fh_cursor_query(&w.cursor, &mapping));
	assert_false(mapping.is_mapped);
	OK(fh_cursor_jump(&w.cursor, MIB2 + MIB2 / 2));
	OK(fh_cursor_query(&w.cursor, &mapping));
	assert_int_equal(mapping.first, MIB2);
	assert_int_equal(mapping.pages, MIB2);
	end_work(&w);
	assert_int_equal(unmap(&user_table, 0, 2 * MIB2), MIB2);
}

/* H-2 */
static void jump_back_from_the_end_of_a_node(void **state)
{
	struct fh_uframe f = new_page();
	struct fh_mapping mapping;
	struct work w;

	(void)state;
	begin_work(&w, &user_table, MIB2 - 1, 1);
	OK(fh_cursor_map(&w.cursor, &f, plain_prop(&user_table)));
	assert_int_equal(fh_cursor_left(&w.cursor), 0);
	OK(fh_cursor_jump(&w.cursor, MIB2 - 1));
	OK(fh_cursor_query(&w.cursor, &mapping));
	assert_true(mapping.is_mapped);
	end_work(&w);
	assert_int_equal(unmap(&user_table, MIB2 - 1, 1), 1);
}

/* H-1 */
static void jump_near_the_top_of_the_address_space(void **state)
{
	struct fh_uframe f = new_page();
	struct fh_mapping mapping;
	struct work w;

	(void)state;
	begin_work(&w, &kernel_table, from_top(MIB2), MIB2 - 1);
	OK(fh_cursor_map(&w.cursor, &f, plain_prop(&kernel_table)));
	OK(fh_cursor_jump(&w.cursor, from_top(256)));
	assert_int_equal(fh_cursor_page(&w.cursor), from_top(256));
	OK(fh_cursor_jump(&w.cursor, from_top(2)));
	assert_int_equal(fh_cursor_page(&w.cursor), from_top(2));
	OK(fh_cursor_query(&w.cursor, &mapping));
	assert_false(mapping.is_mapped);
	assert_int_equal(mapping.first, from_top(2));
	end_work(&w);
	assert_int_equal(unmap(&kernel_table, from_top(MIB2), MIB2), 1);
}

/* */
static void empty_top_of_the_address_space_is_searched_to_its_end(void **state)
{
	struct fh_mapping mapping;
	uint64_t pages;
	struct work w;

	(void)state;
	begin_work(&w, &kernel_table, from_top(2 * MIB2), 2 * MIB2);
	assert_int_equal(fh_cursor_find(&w.cursor, 2 * MIB2, &mapping),
			 FH_E_NOT_MAPPED);
	assert_int_equal(fh_cursor_page(&w.cursor), FH_PAGE_NUMBER_END);
	OK(fh_cursor_jump(&w.cursor, from_top(2 * MIB2)));
	OK(fh_cursor_unmap(&w.cursor, 2 * MIB2, &w.gather, &pages));
	assert_int_equal(pages, 0);
	assert_int_equal(fh_cursor_page(&w.cursor), FH_PAGE_NUMBER_END);
	end_work(&w);
}

static void find_goes_from_one_mapped_page_to_the_next(void **state)
{
	struct fh_mapping mapping;
	struct work w;

	(void)state;
	map_new_page(&user_table, 7);
	map_new_page(&user_table, SECOND);
	begin_work(&w, &user_table, 0, SECOND + 1);
	assert_int_equal(fh_cursor_find(&w.cursor, 7, &mapping),
			 FH_E_NOT_MAPPED);
	assert_int_equal(fh_cursor_page(&w.cursor), 7);
	OK(fh_cursor_jump(&w.cursor, 0));
	OK(fh_cursor_find(&w.cursor, 8, &mapping));
	assert_int_equal(fh_cursor_page(&w.cursor), 7);
	OK(fh_cursor_jump(&w.cursor, 8));
	OK(fh_cursor_find(&w.cursor, SECOND - 7, &mapping));
	assert_int_equal(fh_cursor_page(&w.cursor), SECOND);
	assert_int_equal(mapping.first, SECOND);
	end_work(&w);
	assert_int_equal(unmap(&user_table, 0, SECOND + 1), 2);
}

/* H-3 */
static void find_stops_where_it_was_told_to(void **state)
{
	struct fh_mapping mapping;
	struct work w;

	(void)state;
	map_new_page(&user_table, 2 * MIB2);
	begin_work(&w, &user_table, MIB2 - 1, 2);
	assert_int_equal(fh_cursor_find(&w.cursor, 2, &mapping),
			 FH_E_NOT_MAPPED);
	assert_int_equal(fh_cursor_page(&w.cursor), MIB2 + 1);
	assert_int_equal(fh_cursor_find(&w.cursor, 1, &mapping),
			 FH_E_OUT_OF_BOUND);
	end_work(&w);
	assert_int_equal(unmap(&user_table, 2 * MIB2, 1), 1);
}

/* V-7 */
static void counts_that_wrap_are_beyond_the_range(void **state)
{
	const struct fh_prop_change change = {.clear = FH_PAGE_WRITE};
	uint64_t wrapping[] = {0 - SECOND, UINT64_MAX,
			       FH_PAGE_NUMBER_END - SECOND, 2};
	struct fh_mapping mapping;
	uint64_t pages;
	struct work w;

	(void)state;
	begin_work(&w, &user_table, 0, SECOND + 1);
	OK(fh_cursor_jump(&w.cursor, SECOND));
	for (size_t i = 0; i < 4; i++) {
		uint64_t n = wrapping[i];

		REFUSES(FH_E_OUT_OF_BOUND,
			fh_cursor_find(&w.cursor, n, &mapping));
		REFUSES(FH_E_OUT_OF_BOUND,
			fh_cursor_unmap(&w.cursor, n, &w.gather, &pages));
		REFUSES(FH_E_OUT_OF_BOUND,
			fh_cursor_protect(&w.cursor, n, change, &w.gather,
					  &pages));
		REFUSES(FH_E_OUT_OF_BOUND,
			fh_cursor_harvest(&w.cursor, n, FH_PAGE_DIRTY,
					  &w.gather, &mapping));
		REFUSES(FH_E_OUT_OF_BOUND,
			fh_cursor_map_untracked(&w.cursor,
						fh_paddr_of_frame(DEVICE_FRAME),
						n, plain_prop(&user_table)));
		assert_int_equal(fh_cursor_page(&w.cursor), SECOND);
	}
	end_work(&w);
}

/* ---- Unmapping ---- */

/* H-5: the pages that were removed are flushed, and not those behind them. */
static void flush_is_of_the_pages_removed(void **state)
{
	uint64_t pages;
	struct work w;

	(void)state;
	map_new_pages(&user_table, 20, 4, 1);
	begin_work(&w, &user_table, 20, 4);
	OK(fh_cursor_jump(&w.cursor, 21));
	OK(fh_cursor_unmap(&w.cursor, 2, &w.gather, &pages));
	assert_int_equal(fh_cursor_page(&w.cursor), 23);
	assert_int_equal(w.gather.flush.count, 1);
	assert_int_equal(w.gather.flush.range[0].page, 21);
	assert_int_equal(w.gather.flush.range[0].n, 2);
	end_work(&w);
	assert_int_equal(unmap(&user_table, 20, 4), 2);
}

static void frames_wait_for_the_end_of_the_gather(void **state)
{
	uint64_t frame = map_new_page(&user_table, 9);
	uint64_t pages;
	struct work w;

	(void)state;
	begin_work(&w, &user_table, 9, 1);
	OK(fh_cursor_unmap(&w.cursor, 1, &w.gather, &pages));
	fh_cursor_close(&w.cursor);
	fh_atomic_end(&w.mode);
	assert_int_equal(state_of(frame), FH_STATE_ONE);
	HAS_UNITS(frame, FH_UNIT_DEFERRED, 1);
	fh_gather_finish(&w.gather);
	assert_int_equal(state_of(frame), FH_STATE_FREE);
}

static void sub_tree_is_counted_by_its_pages(void **state)
{
	uint64_t pages;
	struct work w;

	(void)state;
	map_new_page(&user_table, MIB2 + 1);
	uint64_t node = node_of(&user_table, MIB2 + 1, 1);
	begin_work(&w, &user_table, 0, 2 * GIB1);
	OK(fh_cursor_unmap(&w.cursor, 2 * GIB1, &w.gather, &pages));
	assert_int_equal(pages, 1);
	assert_int_equal(w.gather.node_count, 1);
	end_work(&w);
	fh_settle();
	assert_int_equal(state_of(node), FH_STATE_FREE);
	assert_int_equal(node_of(&user_table, MIB2 + 1, 2), 0);
}

/* */
static void large_leaves_of_a_sub_tree_are_counted_by_pages(void **state)
{
	(void)state;
	map_device(&user_table, 0, DEVICE_FRAME, MIB2);
	map_new_page(&user_table, MIB2);
	map_device(&user_table, GIB1, DEVICE_FRAME, GIB1);
	assert_int_equal(unmap(&user_table, 0, users_end()), MIB2 + 1 + GIB1);
	AUDIT_TABLE(&user_table);
	assert_int_equal(last_picture.totals.nodes, 1);
}

/* H-4 */
static void all_nodes_of_a_sub_tree_are_stray_and_unlocked(void **state)
{
	uint64_t nodes[4];
	uint64_t pages;
	struct work w;

	(void)state;
	map_new_page(&user_table, 0);
	map_new_page(&user_table, MIB2);
	nodes[0] = node_of(&user_table, 0, 3);
	nodes[1] = node_of(&user_table, 0, 2);
	nodes[2] = node_of(&user_table, 0, 1);
	nodes[3] = node_of(&user_table, MIB2, 1);
	begin_work(&w, &user_table, 0, users_end());
	OK(fh_cursor_unmap(&w.cursor, users_end(), &w.gather, &pages));
	assert_int_equal(pages, 2);
	for (size_t i = 0; i < 4; i++) {
		assert_true(fh_node_is_stray(nodes[i]));
		assert_int_equal(*fh_node_word(nodes[i], FH_NODE_LOCK), 0);
	}
	struct fh_uframe f = new_page();
	OK(fh_cursor_jump(&w.cursor, 0));
	OK(fh_cursor_map(&w.cursor, &f, plain_prop(&user_table)));
	end_work(&w);
	assert_int_not_equal(node_of(&user_table, 0, 3), nodes[0]);
	fh_settle();
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(state_of(nodes[i]), FH_STATE_FREE);
	assert_int_equal(unmap(&user_table, 0, 1), 1);
}

static void kernels_windows_are_never_detached(void **state)
{
	uint64_t root = fh_frame_number(kernel_table.root);
	uint64_t index = fh_entry_index(from_top(1), 4);
	uint64_t pte = fh_entry_walk(root, index);
	struct fh_page_range all = fh_page_table_range(FH_TABLE_KERNEL, 4);

	(void)state;
	map_new_page(&kernel_table, from_top(1));
	assert_int_equal(unmap(&kernel_table, all.first, all.count), 1);
	assert_int_equal(fh_entry_walk(root, index), pte);
	assert_int_equal(fh_node_children(root), FH_NODE_ENTRIES / 2);
	AUDIT_TABLE(&kernel_table);
	assert_int_equal(last_picture.totals.nodes, 257);
}

/* Maps n pages, every second one from page 0 on, to frames without neighbours. */
static void map_scattered(uint64_t n)
{
	static struct fh_uframe odd[2048];
	size_t odd_count = 0;

	for (uint64_t i = 0; i < n;) {
		struct fh_uframe f = new_page();
		struct work w;

		if (fh_uframe_number(f) % 2 == 1) {
			assert_true(odd_count < 2048);
			odd[odd_count++] = f;
			continue;
		}
		begin_work(&w, &user_table, 2 * i, 1);
		OK(fh_cursor_map(&w.cursor, &f, plain_prop(&user_table)));
		end_work(&w);
		i++;
	}
	while (odd_count > 0)
		fh_uframe_put(&odd[--odd_count]);
}

/* Frames of one large leaf are one run, also behind a gather's own room. */
static void split_leaf_needs_one_run_of_a_full_gather(void **state)
{
	uint64_t first = map_new_pages(&user_table, MIB2, MIB2, MIB2);
	uint64_t pages;
	struct work w;

	(void)state;
	assert_int_equal(look_up(&user_table, MIB2).pages, MIB2);
	map_scattered(FH_GATHER_RUNS + 1);
	begin_work(&w, &user_table, 0, 2 * MIB2);
	for (uint64_t i = 0; i <= FH_GATHER_RUNS; i++) {
		OK(fh_cursor_jump(&w.cursor, 2 * (FH_GATHER_RUNS - i)));
		OK(fh_cursor_unmap(&w.cursor, 1, &w.gather, &pages));
		assert_int_equal(pages, 1);
	}
	assert_true(w.gather.run_count > FH_GATHER_RUNS);
	uint64_t runs = w.gather.run_count;

	OK(fh_cursor_jump(&w.cursor, MIB2 + 1));
	OK(fh_cursor_unmap(&w.cursor, MIB2 - 1, &w.gather, &pages));
	assert_int_equal(pages, MIB2 - 1);
	assert_int_equal(w.gather.run_count, runs + 1);
	assert_true(w.gather.run_count <= w.gather.room);
	end_work(&w);
	assert_int_equal(state_of(first), FH_STATE_ONE);
	for (uint64_t i = 1; i < MIB2; i++)
		assert_int_equal(state_of(first + i), FH_STATE_FREE);
	assert_int_equal(unmap(&user_table, 0, 2 * MIB2), 1);
}

/* More runs than a page of the gather's has room for. */
static void many_runs_take_pages(void **state)
{
	enum {
		PAGES = 600
	};
	uint64_t free = count_free();
	uint64_t pages;
	struct work w;

	(void)state;
	map_scattered(PAGES);
	begin_work(&w, &user_table, 0, GIB1);
	for (uint64_t i = 0; i < 3; i++) {
		OK(fh_cursor_unmap(&w.cursor, 200, &w.gather, &pages));
		assert_int_equal(pages, 100);
	}
	OK(fh_cursor_unmap(&w.cursor, 424, &w.gather, &pages));
	assert_int_equal(pages, 212);
	OK(fh_cursor_unmap(&w.cursor, 400, &w.gather, &pages));
	assert_int_equal(pages, 88);
	end_work(&w);
	assert_int_equal(unmap(&user_table, 0, users_end()), 0);
	fh_settle();
	assert_int_equal(count_free(), free);
}

/* ---- Large leaves ---- */

static void segment_is_mapped_by_large_leaves_where_they_fit(void **state)
{
	struct fh_mapping mapping;

	(void)state;
	uint64_t first = map_new_pages(&user_table, MIB2, 2 * MIB2, MIB2);

	AUDIT_TABLE(&user_table);
	assert_int_equal(last_picture.totals.huge, 2);
	assert_int_equal(last_picture.totals.tracked, 2 * MIB2);
	for (uint64_t i = 0; i < 2 * MIB2; i++) {
		assert_int_equal(state_of(first + i), FH_STATE_ONE);
		HAS_UNITS(first + i, FH_UNIT_ENTRY, 1);
	}
	mapping = look_up(&user_table, MIB2 + 3);
	assert_int_equal(mapping.first, MIB2);
	assert_int_equal(mapping.pages, MIB2);
	assert_int_equal(unmap(&user_table, MIB2, 2 * MIB2), 2 * MIB2);
	fh_settle();
	for (uint64_t i = 0; i < 2 * MIB2; i++)
		assert_int_equal(state_of(first + i), FH_STATE_FREE);
}

static void segment_that_is_not_aligned_is_mapped_by_pages(void **state)
{
	(void)state;
	uint64_t first = map_new_pages(&user_table, MIB2 + 1, MIB2, MIB2);

	AUDIT_TABLE(&user_table);
	assert_int_equal(last_picture.totals.huge, 0);
	MAPPED_TO(first + MIB2 - 1, &user_table, 2 * MIB2);
	assert_int_equal(unmap(&user_table, 0, GIB1), MIB2);
}

/* P18: frames and pages that differ by no multiple of a large leaf. */
static void linear_map_of_any_offset_translates(void **state)
{
	const uint64_t first = 13245, end = SECOND + 23456, off = 11010;

	(void)state;
	map_device(&user_table, first, first - off + DEVICE_FRAME, end - first);
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t page = first + (4097 * i + i) % (end - first);

		MAPPED_TO(page - off + DEVICE_FRAME, &user_table, page);
	}
	assert_int_equal(look_up(&user_table, first + MIB2).pages, 1);
	assert_int_equal(unmap(&user_table, 13456, 1), 1);
	NOT_MAPPED(&user_table, 13456);
	MAPPED_TO(13455 - off + DEVICE_FRAME, &user_table, 13455);
	MAPPED_TO(13457 - off + DEVICE_FRAME, &user_table, 13457);
	assert_int_equal(unmap(&user_table, 0, 2 * GIB1), end - first - 1);
}

/* P19 */
static void protect_splits_the_leaf_that_it_cuts(void **state)
{
	const uint64_t start = GIB1 - MIB2, end = 2 * GIB1 + MIB2 + 2;
	const struct fh_prop_change change = {.clear = FH_PAGE_WRITE};
	uint64_t leaves[4] = {0};
	struct fh_mapping mapping;
	uint64_t pages;
	struct work w;

	(void)state;
	map_device(&user_table, start, DEVICE_FRAME + start - MIB2,
		   end - start);
	begin_work(&w, &user_table, start, end - start);
	while (fh_cursor_left(&w.cursor) > 0) {
		OK(fh_cursor_query(&w.cursor, &mapping));
		leaves[mapping.pages == 1      ? 1
		       : mapping.pages == MIB2 ? 2
					       : 3]++;
		OK(fh_cursor_jump(&w.cursor, mapping.first + mapping.pages));
	}
	assert_int_equal(leaves[3], 0);
	assert_int_equal(leaves[2], 514);
	assert_int_equal(leaves[1], 2);
	OK(fh_cursor_jump(&w.cursor, start + 18));
	OK(fh_cursor_protect(&w.cursor, 2, change, &w.gather, &pages));
	assert_int_equal(pages, 2);
	assert_int_equal(fh_cursor_page(&w.cursor), start + 18);
	end_work(&w);
	for (uint64_t i = 17; i < 21; i++) {
		bool may_write = i < 18 || i >= 20;

		mapping = look_up(&user_table, start + i);
		assert_int_equal(mapping.pages, 1);
		assert_int_equal(mapping.frame,
				 DEVICE_FRAME + start - MIB2 + i);
		assert_int_equal((mapping.prop.flags & FH_PAGE_WRITE) != 0,
				 may_write);
	}
	assert_int_equal(look_up(&user_table, start + MIB2).pages, MIB2);
	assert_int_equal(unmap(&user_table, 0, 3 * GIB1), end - start);
}

/* Every translation, and every reference, as it was before. */
static void check_split(const struct fh_page_table *table, uint64_t first,
			uint64_t n, uint64_t at)
{
	static uint64_t frames[64];
	uint64_t step = n / 64;
	struct fh_page_prop prop = look_up(table, first).prop;
	struct work w;

	for (uint64_t i = 0; i < 64; i++)
		frames[i] = frame_of(table, first + i * step + i % step);
	begin_work(&w, table, first, n);
	OK(fh_cursor_jump(&w.cursor, first + at));
	OK(fh_cursor_split(&w.cursor, &w.gather));
	assert_int_equal(fh_cursor_page(&w.cursor), first + at);
	end_work(&w);
	for (uint64_t i = 0; i < 64; i++) {
		assert_int_equal(frame_of(table, first + i * step + i % step),
				 frames[i]);
		assert_int_equal(
			look_up(table, first + i * step + i % step).prop.flags,
			prop.flags);
	}
	assert_int_equal(look_up(table, first + at).first, first + at);
}

static void split_keeps_every_translation(void **state)
{
	(void)state;
	map_device(&user_table, GIB1, DEVICE_FRAME, GIB1);
	assert_int_equal(look_up(&user_table, GIB1).pages, GIB1);
	check_split(&user_table, GIB1, GIB1, 3 * MIB2);
	AUDIT_TABLE(&user_table);
	assert_int_equal(last_picture.totals.nodes, 3);
	check_split(&user_table, GIB1, GIB1, 3 * MIB2 + 5);
	AUDIT_TABLE(&user_table);
	assert_int_equal(last_picture.totals.nodes, 4);
	assert_int_equal(last_picture.totals.untracked, GIB1);
	assert_int_equal(unmap(&user_table, GIB1, GIB1), GIB1);
	uint64_t first = map_new_pages(&user_table, 0, MIB2, MIB2);
	check_split(&user_table, 0, MIB2, 100);
	for (uint64_t i = 0; i < MIB2; i++)
		HAS_UNITS(first + i, FH_UNIT_ENTRY, 1);
	assert_int_equal(unmap(&user_table, 0, MIB2), MIB2);
}

static void merge_undoes_a_split(void **state)
{
	struct work w;

	(void)state;
	uint64_t first = map_new_pages(&user_table, 0, MIB2, MIB2);

	check_split(&user_table, 0, MIB2, 100);
	uint64_t node = node_of(&user_table, 0, 1);
	assert_int_not_equal(node, 0);
	begin_work(&w, &user_table, 0, 2 * MIB2);
	OK(fh_cursor_jump(&w.cursor, 40));
	OK(fh_cursor_merge(&w.cursor, &w.gather));
	assert_true(fh_node_is_stray(node));
	end_work(&w);
	assert_int_equal(look_up(&user_table, 5).pages, MIB2);
	MAPPED_TO(first + 5, &user_table, 5);
	fh_settle();
	assert_int_equal(state_of(node), FH_STATE_FREE);
	for (uint64_t i = 0; i < MIB2; i++)
		assert_int_equal(state_of(first + i), FH_STATE_ONE);
	assert_int_equal(unmap(&user_table, 0, MIB2), MIB2);
}

static void merge_needs_one_leafs_worth(void **state)
{
	const struct fh_prop_change change = {.clear = FH_PAGE_WRITE};
	uint64_t pages;
	struct work w;

	(void)state;
	map_new_pages(&user_table, 0, MIB2, MIB2);
	check_split(&user_table, 0, MIB2, 1);
	begin_work(&w, &user_table, 0, MIB2);
	REFUSES(FH_E_OUT_OF_BOUND, fh_cursor_merge(&w.cursor, &w.gather));
	end_work(&w);
	begin_work(&w, &user_table, 0, MIB2 + 1);
	OK(fh_cursor_jump(&w.cursor, 3));
	OK(fh_cursor_protect(&w.cursor, 1, change, &w.gather, &pages));
	REFUSES(FH_E_NOT_MAPPED, fh_cursor_merge(&w.cursor, &w.gather));
	OK(fh_cursor_unmap(&w.cursor, 1, &w.gather, &pages));
	REFUSES(FH_E_NOT_MAPPED, fh_cursor_merge(&w.cursor, &w.gather));
	OK(fh_cursor_jump(&w.cursor, MIB2));
	REFUSES(FH_E_NOT_MAPPED, fh_cursor_merge(&w.cursor, &w.gather));
	end_work(&w);
	assert_int_equal(unmap(&user_table, 0, MIB2), MIB2 - 1);
	map_new_pages(&user_table, 0, MIB2, 1);
	map_new_pages(&user_table, MIB2 + 1, MIB2, MIB2);
	begin_work(&w, &user_table, 0, 3 * MIB2);
	OK(fh_cursor_jump(&w.cursor, MIB2 + 1));
	REFUSES(FH_E_NOT_MAPPED, fh_cursor_merge(&w.cursor, &w.gather));
	end_work(&w);
	assert_int_equal(unmap(&user_table, 0, GIB1), 2 * MIB2);
}

/* ---- Protecting ---- */

/* P20, P21 */
static void protect_changes_the_pages_given(void **state)
{
	const struct fh_prop_change change = {.clear = FH_PAGE_WRITE};
	uint64_t pages = 77;
	struct work w;

	(void)state;
	map_new_pages(&user_table, 1, 999, 1);
	begin_work(&w, &user_table, 0, 1200);
	OK(fh_cursor_jump(&w.cursor, 18));
	OK(fh_cursor_protect(&w.cursor, 2, change, &w.gather, &pages));
	assert_int_equal(pages, 2);
	OK(fh_cursor_jump(&w.cursor, 1100));
	OK(fh_cursor_protect(&w.cursor, 10, change, &w.gather, &pages));
	assert_int_equal(pages, 0);
	OK(fh_cursor_jump(&w.cursor, 999));
	OK(fh_cursor_protect(&w.cursor, 2, change, &w.gather, &pages));
	assert_int_equal(pages, 1);
	end_work(&w);
	for (uint64_t i = 1; i < 1000; i++) {
		bool is_changed = i == 18 || i == 19 || i == 999;

		assert_int_equal((look_up(&user_table, i).prop.flags &
				  FH_PAGE_WRITE) != 0,
				 !is_changed);
	}
	assert_int_equal(unmap(&user_table, 0, GIB1), 999);
}

/* One page that cannot have it: none does. */
static void protect_is_for_all_pages_or_none(void **state)
{
	const struct fh_prop_change no_user = {.clear = FH_PAGE_USER};
	const struct fh_prop_change global = {.set = FH_PAGE_GLOBAL};
	const struct fh_prop_change own = {.set = FH_PAGE_TRACKED};
	uint64_t pages = 77;
	struct work w;

	(void)state;
	map_new_pages(&user_table, 1, 9, 1);
	begin_work(&w, &user_table, 0, 12);
	REFUSES(FH_E_INVALID,
		fh_cursor_protect(&w.cursor, 12, no_user, &w.gather, &pages));
	REFUSES(FH_E_INVALID,
		fh_cursor_protect(&w.cursor, 12, global, &w.gather, &pages));
	REFUSES(FH_E_INVALID,
		fh_cursor_protect(&w.cursor, 12, own, &w.gather, &pages));
	end_work(&w);
	assert_int_equal(pages, 77);
	assert_int_equal(unmap(&user_table, 0, 12), 9);
}

/* D-1 */
static void protect_and_split_keep_what_hardware_noted(void **state)
{
	const uint32_t noted = FH_PAGE_ACCESSED | FH_PAGE_DIRTY;
	const struct fh_prop_change change = {.set = FH_PAGE_EXEC};
	uint64_t pages;
	struct work w;

	(void)state;
	map_new_pages(&user_table, 0, MIB2, MIB2);
	uint64_t *entry = fh_entry(node_of(&user_table, 0, 2), 0);
	struct fh_page_prop prop = fh_arch_prop(*entry, 2);
	prop.flags |= noted;
	*entry = fh_arch_leaf(fh_arch_frame(*entry, 2), 2, prop);
	begin_work(&w, &user_table, 0, MIB2);
	OK(fh_cursor_protect(&w.cursor, 5, change, &w.gather, &pages));
	end_work(&w);
	for (uint64_t i = 0; i < MIB2; i++) {
		uint32_t flags = look_up(&user_table, i).prop.flags;

		assert_int_equal(flags & noted, noted);
		assert_int_equal((flags & FH_PAGE_EXEC) != 0, i < 5);
	}
	assert_int_equal(unmap(&user_table, 0, MIB2), MIB2);
}

static void harvest_collects_each_page_once(void **state)
{
	struct fh_mapping mapping;
	struct work w;

	(void)state;
	map_new_pages(&user_table, 0, 8, 1);
	uint64_t node = node_of(&user_table, 0, 1);
	for (uint64_t i = 0; i < 8; i++) {
		uint64_t pte = *fh_entry(node, i);
		struct fh_page_prop prop = fh_arch_prop(pte, 1);

		prop.flags &= ~(FH_PAGE_ACCESSED | FH_PAGE_DIRTY);
		if (i == 3 || i == 6)
			prop.flags |= FH_PAGE_DIRTY;
		*fh_entry(node, i) =
			fh_arch_leaf(fh_arch_frame(pte, 1), 1, prop);
	}
	begin_work(&w, &user_table, 0, 8);
	REFUSES(FH_E_INVALID, fh_cursor_harvest(&w.cursor, 8, FH_PAGE_WRITE,
						&w.gather, &mapping));
	REFUSES(FH_E_INVALID,
		fh_cursor_harvest(&w.cursor, 8, 0, &w.gather, &mapping));
	OK(fh_cursor_harvest(&w.cursor, 8, FH_PAGE_DIRTY, &w.gather, &mapping));
	assert_int_equal(mapping.first, 3);
	assert_int_equal(mapping.prop.flags & FH_PAGE_DIRTY, FH_PAGE_DIRTY);
	assert_int_equal(w.gather.flush.range[0].page, 3);
	assert_int_equal(fh_cursor_page(&w.cursor), 4);
	OK(fh_cursor_harvest(&w.cursor, 4, FH_PAGE_DIRTY, &w.gather, &mapping));
	assert_int_equal(mapping.first, 6);
	assert_int_equal(fh_cursor_harvest(&w.cursor, 1, FH_PAGE_DIRTY,
					   &w.gather, &mapping),
			 FH_E_NOT_MAPPED);
	assert_int_equal(fh_cursor_page(&w.cursor), 8);
	OK(fh_cursor_jump(&w.cursor, 0));
	assert_int_equal(fh_cursor_harvest(&w.cursor, 8, FH_PAGE_DIRTY,
					   &w.gather, &mapping),
			 FH_E_NOT_MAPPED);
	end_work(&w);
	assert_int_equal(unmap(&user_table, 0, 8), 8);
}

/* ---- Devices ---- */

static void device_sees_what_its_table_maps(void **state)
{
	uint64_t last = (UINT64_C(1) << 36) - 1;
	uint64_t frame = map_new_page(&device_table, last);
	struct fh_mapping mapping;

	(void)state;
	MAPPED_TO(frame, &device_table, last);
	mapping = look_up(&device_table, last);
	assert_true(mapping.is_tracked);
	assert_int_equal(mapping.prop.flags, FH_PAGE_READ | FH_PAGE_WRITE |
						     FH_PAGE_ACCESSED |
						     FH_PAGE_DIRTY);
	uint64_t first = map_new_pages(&device_table, 600, 700, 1);
	MAPPED_TO(first + 699, &device_table, 1299);
	AUDIT_TABLE(&device_table);
	assert_int_equal(last_picture.totals.tracked, 701);
	assert_int_equal(last_picture.count, 2);
	assert_int_equal(unmap(&device_table, 0, UINT64_C(1) << 36), 701);
	assert_int_equal(fh_slots[fh_frame_number(device_table.root)].type ==
				 &fh_device_node_type,
			 true);
}

/* ---- Dumps ---- */

static void dump_shows_pages_alike_as_one_run(void **state)
{
	const struct fh_prop_change change = {.clear = FH_PAGE_WRITE};
	char text[FH_TABLE_RUN_TEXT_SIZE];
	uint64_t pages;
	struct work w;

	(void)state;
	map_new_pages(&user_table, 500, 100, 1);
	map_device(&user_table, GIB1, DEVICE_FRAME, 2 * MIB2 + 3);
	AUDIT_TABLE(&user_table);
	assert_int_equal(last_picture.count, 3);
	assert_int_equal(last_picture.runs[0].first, 500);
	assert_int_equal(last_picture.runs[0].pages, 100);
	assert_int_equal(last_picture.runs[1].pages, 2 * MIB2);
	assert_int_equal(last_picture.runs[1].level, 2);
	assert_int_equal(last_picture.runs[2].pages, 3);
	begin_work(&w, &user_table, 500, 100);
	OK(fh_cursor_jump(&w.cursor, 512));
	OK(fh_cursor_protect(&w.cursor, 1, change, &w.gather, &pages));
	end_work(&w);
	AUDIT_TABLE(&user_table);
	assert_int_equal(last_picture.count, 5);
	struct fh_table_run run = {
		.first = UINT64_C(0x7f0000000),
		.pages = 0x200,
		.frame = 0x12345,
		.prop = fh_user_prop(FH_PAGE_READ | FH_PAGE_WRITE),
		.is_tracked = true,
		.level = 1};
	fh_table_run_text(&run, text, sizeof(text));
	assert_string_equal(text, "0x7f0000000000 +0x200 -> 0x12345000 "
				  "level 1 rw-u---- tracked");
	run.prop.cache = FH_CACHE_UNCACHEABLE;
	run.is_tracked = false;
	fh_table_run_text(&run, text, sizeof(text));
	assert_non_null(strstr(text, "untracked uncached"));
	fh_table_run_text(&run, text, 8);
	assert_string_equal(text, "0x7f000");
	assert_int_equal(unmap(&user_table, 0, 2 * GIB1), 100 + 2 * MIB2 + 3);
}

/* ---- Out of memory at every allocation ---- */

static struct fh_uframe spare_page;
static struct fh_usegment spare_pages;

static enum fh_status op_map_page(struct work *w)
{
	return fh_cursor_map(&w->cursor, &spare_page, plain_prop(&user_table));
}

static void map_without_memory_changes_nothing(void **state)
{
	(void)state;
	spare_page = new_page();
	assert_int_equal(refusals(op_map_page, &user_table, 5 * GIB1, 1), 3);
	spare_page = new_page();
	assert_int_equal(refusals(op_map_page, &user_table, 6 * GIB1, 1), 2);
	spare_page = new_page();
	assert_int_equal(refusals(op_map_page, &user_table, 6 * GIB1 + 1, 1),
			 0);
	assert_int_equal(unmap(&user_table, 5 * GIB1, 2 * GIB1), 3);
}

static enum fh_status op_map_segment(struct work *w)
{
	return fh_cursor_map_segment(&w->cursor, &spare_pages,
				     plain_prop(&user_table));
}

static void map_segment_without_memory_changes_nothing(void **state)
{
	(void)state;
	spare_pages = new_pages(600, 1);
	assert_int_equal(refusals(op_map_segment, &user_table, GIB1 - 20, 600),
			 6);
	assert_int_equal(unmap(&user_table, 0, 2 * GIB1), 600);
}

static enum fh_status op_map_untracked(struct work *w)
{
	return fh_cursor_map_untracked(
		&w->cursor, fh_paddr_of_frame(DEVICE_FRAME + 7 * MIB2 - 1),
		2 * MIB2 + 2, plain_prop(&user_table));
}

static void map_untracked_without_memory_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(
		refusals(op_map_untracked, &user_table, GIB1 - 1, 2 * MIB2 + 2),
		5);
	assert_int_equal(unmap(&user_table, 0, 2 * GIB1), 2 * MIB2 + 2);
}

static uint64_t unmapped;

static enum fh_status op_unmap_middle(struct work *w)
{
	OK(fh_cursor_jump(&w->cursor, GIB1));
	enum fh_status status =
		fh_cursor_unmap(&w->cursor, MIB2 + 1, &w->gather, &unmapped);

	if (status != FH_OK)
		OK(fh_cursor_jump(&w->cursor, GIB1 - MIB2));
	return status;
}

static void unmap_that_splits_without_memory_changes_nothing(void **state)
{
	(void)state;
	map_device(&user_table, GIB1 - MIB2, DEVICE_FRAME - MIB2, GIB1 + MIB2);
	assert_int_equal(look_up(&user_table, GIB1).pages, GIB1);

	unmapped = 77;
	assert_int_equal(
		refusals(op_unmap_middle, &user_table, GIB1 - MIB2, 2 * GIB1),
		2);
	assert_int_equal(unmapped, MIB2 + 1);
	MAPPED_TO(DEVICE_FRAME - 1, &user_table, GIB1 - 1);
	MAPPED_TO(DEVICE_FRAME + MIB2 + 1, &user_table, GIB1 + MIB2 + 1);
	assert_int_equal(unmap(&user_table, 0, 2 * GIB1), GIB1 - 1);
}

static enum fh_status op_unmap_runs(struct work *w)
{
	return fh_cursor_unmap(&w->cursor, 600, &w->gather, &unmapped);
}

/* The gather's room is memory, too. */
static void unmap_of_many_runs_without_memory_changes_nothing(void **state)
{
	(void)state;
	map_scattered(300);
	/* The end of the range is inside of a node, which stays: two pages. */
	map_new_page(&user_table, 601);
	uint64_t refused = refusals(op_unmap_runs, &user_table, 0, 601);
	assert_true(refused >= 1);
	assert_int_equal(unmapped, 300);
	assert_int_equal(unmap(&user_table, 0, GIB1), 1);
}

static enum fh_status op_protect_middle(struct work *w)
{
	const struct fh_prop_change change = {.clear = FH_PAGE_WRITE};

	OK(fh_cursor_jump(&w->cursor, 7));
	enum fh_status status = fh_cursor_protect(&w->cursor, MIB2, change,
						  &w->gather, &unmapped);

	OK(fh_cursor_jump(&w->cursor, 0));
	return status;
}

static void protect_without_memory_changes_nothing(void **state)
{
	(void)state;
	map_device(&user_table, 0, DEVICE_FRAME, 2 * MIB2);
	unmapped = 77;
	assert_int_equal(refusals(op_protect_middle, &user_table, 0, 2 * MIB2),
			 2);
	assert_int_equal(unmapped, MIB2);
	assert_int_equal(unmap(&user_table, 0, 2 * MIB2), 2 * MIB2);
}

/* Both ends cut leaves of their own, on two levels. */
static void protect_inside_of_the_largest_leaf(void **state)
{
	(void)state;
	map_device(&user_table, 0, DEVICE_FRAME, GIB1);
	assert_int_equal(refusals(op_protect_middle, &user_table, 0, GIB1), 3);
	for (uint64_t i = 0; i < 3 * MIB2; i++) {
		struct fh_mapping mapping = look_up(&user_table, i);
		bool is_changed = i >= 7 && i < 7 + MIB2;

		assert_int_equal(mapping.frame + (i - mapping.first),
				 DEVICE_FRAME + i);
		assert_int_equal((mapping.prop.flags & FH_PAGE_WRITE) == 0,
				 is_changed);
	}
	assert_int_equal(look_up(&user_table, 2 * MIB2).pages, MIB2);
	assert_int_equal(unmap(&user_table, 0, GIB1), GIB1);
}

static enum fh_status op_split(struct work *w)
{
	OK(fh_cursor_jump(&w->cursor, GIB1 + 5));
	enum fh_status status = fh_cursor_split(&w->cursor, &w->gather);

	OK(fh_cursor_jump(&w->cursor, GIB1));
	return status;
}

static void split_without_memory_changes_nothing(void **state)
{
	(void)state;
	map_device(&user_table, GIB1, DEVICE_FRAME, GIB1);
	assert_int_equal(look_up(&user_table, GIB1).pages, GIB1);

	assert_int_equal(refusals(op_split, &user_table, GIB1, GIB1), 2);
	assert_int_equal(unmap(&user_table, GIB1, GIB1), GIB1);
}

static void tables_without_memory_are_not_made(void **state)
{
	const struct fh_page_range window = {from_top(1), 1};
	struct fh_page_table table = {.levels = 77};
	uint64_t refused;

	(void)state;
	hold_all_but(0);
	REFUSES(FH_E_NO_MEMORY,
		fh_page_table_create_user(&kernel_table, &table));
	REFUSES(FH_E_NO_MEMORY, fh_page_table_create_device(NULL, &table));
	release_held();
	for (refused = 0;; refused++) {
		hold_all_but(refused);
		watch_begin();
		enum fh_status status =
			fh_page_table_create_kernel(NULL, &window, 1, &table);

		if (status == FH_OK)
			break;
		assert_int_equal(status, FH_E_NO_MEMORY);
		watch_end(0, 0, "a table without memory", __FILE__, __LINE__);
		assert_int_equal(table.levels, 77);
		release_held();
	}
	assert_int_equal(refused, 2);
	release_held();
	fh_page_table_destroy(&table);
	fh_settle();
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	struct CMUnitTest tests[] = {
		T(user_names_the_kernels_nodes),
		T(user_sees_what_the_kernel_maps_later),
		T(kernel_has_the_windows_it_was_made_for),
		T(windows_outside_of_the_kernels_half_are_refused),
		T(format_that_was_not_built_is_refused),
		T(three_levels_map_two_sizes),
		T(zeroed_table_is_destroyed_for_nothing),
		T(ranges_that_are_none_are_refused),
		T(range_across_the_users_end_is_refused),
		T(address_inside_of_a_page_names_none),
		T(mapped_page_is_found_and_its_neighbours_are_not),
		T(last_pages_of_both_halves_are_like_any_other),
		T(last_leaf_of_the_address_space_is_large),
		T(properties_come_back_as_given),
		T(each_table_has_its_kind_of_property),
		T(mapped_page_is_not_mapped_again),
		T(large_leaf_in_the_way_stays_whole),
		T(nothing_is_not_mapped),
		T(typed_memory_is_mapped_by_the_kernel_only),
		T(page_that_allows_nothing_is_still_mapped),
		T(property_found_can_be_given_again),
		T(query_shows_the_page_it_stands_at),
		T(query_in_a_large_leaf_shows_all_of_it),
		T(jump_back_from_the_end_of_a_node),
		T(jump_near_the_top_of_the_address_space),
		T(empty_top_of_the_address_space_is_searched_to_its_end),
		T(find_goes_from_one_mapped_page_to_the_next),
		T(find_stops_where_it_was_told_to),
		T(counts_that_wrap_are_beyond_the_range),
		T(flush_is_of_the_pages_removed),
		T(frames_wait_for_the_end_of_the_gather),
		T(sub_tree_is_counted_by_its_pages),
		T(large_leaves_of_a_sub_tree_are_counted_by_pages),
		T(all_nodes_of_a_sub_tree_are_stray_and_unlocked),
		T(kernels_windows_are_never_detached),
		T(split_leaf_needs_one_run_of_a_full_gather),
		T(many_runs_take_pages),
		T(segment_is_mapped_by_large_leaves_where_they_fit),
		T(segment_that_is_not_aligned_is_mapped_by_pages),
		T(linear_map_of_any_offset_translates),
		T(protect_splits_the_leaf_that_it_cuts),
		T(split_keeps_every_translation),
		T(merge_undoes_a_split),
		T(merge_needs_one_leafs_worth),
		T(protect_changes_the_pages_given),
		T(protect_is_for_all_pages_or_none),
		T(protect_and_split_keep_what_hardware_noted),
		T(harvest_collects_each_page_once),
		T(device_sees_what_its_table_maps),
		T(dump_shows_pages_alike_as_one_run),
		T(map_without_memory_changes_nothing),
		T(map_segment_without_memory_changes_nothing),
		T(map_untracked_without_memory_changes_nothing),
		T(unmap_that_splits_without_memory_changes_nothing),
		T(unmap_of_many_runs_without_memory_changes_nothing),
		T(protect_without_memory_changes_nothing),
		T(protect_inside_of_the_largest_leaf),
		T(split_without_memory_changes_nothing),
		T(tables_without_memory_are_not_made),
	};

	each_with_tables(tests, sizeof(tests) / sizeof(tests[0]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
