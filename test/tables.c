/* SPDX-License-Identifier: MPL-2.0 */
/* Tables for tests: tables.h. */
#include "tables.h"

#include <framehold/poll.h>

#include <string.h>

#include "node.h"

struct fh_page_table kernel_table;
struct fh_page_table user_table;
struct fh_page_table device_table;
struct fh_active nobody;
struct picture last_picture;

/* Machines that have all that their formats have. */
static const struct fh_table_format all_cpu = {.levels = 4,
					       .features = FH_ARCH_FEATURES};
static const struct fh_table_format all_device = {.levels = 4,
						  .features = FH_VTD_FEATURES};

static uint64_t free_at_start;

/* Pages taken so that memory runs out. */
#define MOST_HELD 8192

static struct fh_frame held[MOST_HELD];
static uint64_t held_count;

int start_tables(void **state)
{
	/* A test that failed has left its machine. */
	hosted_stop();
	held_count = 0;
	if (start_machine(state) != 0)
		return -1;
	memset(&nobody, 0, sizeof(nobody));
	free_at_start = count_free();
	if (fh_page_table_create_kernel(&all_cpu, NULL, 0, &kernel_table) !=
		    FH_OK ||
	    fh_page_table_create_user(&kernel_table, &user_table) != FH_OK ||
	    fh_page_table_create_device(&all_device, &device_table) != FH_OK)
		return -1;
	return 0;
}

int stop_tables(void **state)
{
	AUDIT_TABLE(&user_table);
	audit_kernel_half(&kernel_table, &user_table);
	AUDIT_TABLE(&device_table);
	fh_page_table_destroy(&user_table);
	fh_page_table_destroy(&device_table);
	AUDIT_TABLE(&kernel_table);
	fh_page_table_destroy(&kernel_table);
	fh_settle();
	NOTHING_HELD(free_at_start);
	return stop_machine(state);
}

void each_with_tables(struct CMUnitTest *tests, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (tests[i].setup_func != NULL ||
		    tests[i].teardown_func != NULL)
			continue;
		tests[i].setup_func = start_tables;
		tests[i].teardown_func = stop_tables;
	}
}

struct fh_page_prop plain_prop(const struct fh_page_table *table)
{
	uint32_t flags = FH_PAGE_READ | FH_PAGE_WRITE;

	return table->kind == FH_TABLE_USER ? fh_user_prop(flags)
					    : fh_page_prop(flags);
}

/* ---- Cursors ---- */

void begin_work(struct work *w, const struct fh_page_table *table,
		uint64_t first, uint64_t n)
{
	fh_gather_begin(&w->gather,
			table->kind == FH_TABLE_KERNEL ? NULL : &nobody);
	fh_atomic_begin(&w->mode);
	OK(fh_cursor_open(table, &w->mode, first, n, &w->cursor));
}

void end_work(struct work *w)
{
	fh_cursor_close(&w->cursor);
	fh_atomic_end(&w->mode);
	fh_gather_finish(&w->gather);
}

struct fh_uframe new_page(void)
{
	struct fh_frame frame;
	struct fh_uframe f;

	OK(fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frame));
	OK(fh_uframe_from_frame(&frame, &f));
	return f;
}

struct fh_usegment new_pages(uint64_t n, uint64_t align)
{
	const struct fh_alloc_options options = {.align = align};
	struct fh_segment segment;
	struct fh_usegment s;

	OK(fh_segment_alloc(n, &options, &fh_untyped_type, NULL, &segment));
	OK(fh_usegment_from_segment(&segment, &s));
	return s;
}

uint64_t map_new_page(const struct fh_page_table *table, uint64_t page)
{
	struct fh_uframe f = new_page();
	uint64_t frame = fh_uframe_number(f);
	struct work w;

	begin_work(&w, table, page, 1);
	OK(fh_cursor_map(&w.cursor, &f, plain_prop(table)));
	end_work(&w);
	return frame;
}

uint64_t map_new_pages(const struct fh_page_table *table, uint64_t page,
		       uint64_t n, uint64_t align)
{
	struct fh_usegment s = new_pages(n, align);
	uint64_t frame = fh_usegment_first(s);
	struct work w;

	begin_work(&w, table, page, n);
	OK(fh_cursor_map_segment(&w.cursor, &s, plain_prop(table)));
	end_work(&w);
	return frame;
}

void map_device(const struct fh_page_table *table, uint64_t page,
		uint64_t frame, uint64_t n)
{
	struct work w;

	begin_work(&w, table, page, n);
	OK(fh_cursor_map_untracked(&w.cursor, fh_paddr_of_frame(frame), n,
				   plain_prop(table)));
	end_work(&w);
}

uint64_t unmap(const struct fh_page_table *table, uint64_t page, uint64_t n)
{
	uint64_t pages;
	struct work w;

	begin_work(&w, table, page, n);
	OK(fh_cursor_unmap(&w.cursor, n, &w.gather, &pages));
	end_work(&w);
	return pages;
}

struct fh_mapping look_up(const struct fh_page_table *table, uint64_t page)
{
	struct fh_atomic_mode mode;
	struct fh_mapping mapping;

	fh_atomic_begin(&mode);
	OK(fh_page_table_walk(table, &mode, page, &mapping));
	fh_atomic_end(&mode);
	return mapping;
}

uint64_t frame_of(const struct fh_page_table *table, uint64_t page)
{
	struct fh_mapping mapping = look_up(table, page);

	assert_true(mapping.is_mapped);
	return mapping.frame + (page - mapping.first);
}

uint64_t node_of(const struct fh_page_table *table, uint64_t page,
		 unsigned level)
{
	bool device = table->kind == FH_TABLE_DEVICE;
	uint64_t node = fh_frame_number(table->root);

	for (unsigned at = table->levels; at > level; at--) {
		uint64_t pte = fh_entry_walk(node, fh_entry_index(page, at));

		if (fh_pte_kind(device, pte, at) != FH_PTE_TABLE)
			return 0;
		node = fh_pte_frame(device, pte, at);
	}
	return node;
}

/* ---- Pictures ---- */

static void add_run(void *arg, const struct fh_table_run *run)
{
	struct picture *picture = arg;

	assert_true(picture->count < PICTURE_RUNS);
	picture->runs[picture->count] = *run;
	picture->count++;
}

void take_picture(const struct fh_page_table *table, struct picture *picture)
{
	struct fh_finding finding;
	char text[FH_FINDING_TEXT_SIZE];

	memset(picture, 0, sizeof(*picture));
	if (fh_audit_table(table, &picture->totals, &finding) != FH_OK) {
		fh_finding_text(&finding, text, sizeof(text));
		fail_msg("audit of a table: %s", text);
	}
	fh_dump_table(table, add_run, picture);
}

void audit_kernel_half(const struct fh_page_table *kernel,
		       const struct fh_page_table *table)
{
	struct fh_table_totals totals = {.nodes = 0};
	struct fh_finding finding;
	char text[FH_FINDING_TEXT_SIZE];

	if (fh_audit_user_table(kernel, table, &totals, &finding) == FH_OK)
		return;
	fh_finding_text(&finding, text, sizeof(text));
	fail_msg("audit of a user's table: %s", text);
}

void same_pictures(const struct picture *a, const struct picture *b)
{
	assert_int_equal(a->totals.nodes, b->totals.nodes);
	assert_int_equal(a->totals.tracked, b->totals.tracked);
	assert_int_equal(a->totals.untracked, b->totals.untracked);
	assert_int_equal(a->totals.huge, b->totals.huge);
	assert_int_equal(a->count, b->count);
	for (uint64_t i = 0; i < a->count; i++) {
		assert_int_equal(a->runs[i].first, b->runs[i].first);
		assert_int_equal(a->runs[i].pages, b->runs[i].pages);
		assert_int_equal(a->runs[i].frame, b->runs[i].frame);
		assert_int_equal(a->runs[i].level, b->runs[i].level);
		assert_int_equal(a->runs[i].prop.flags, b->runs[i].prop.flags);
		assert_int_equal(a->runs[i].prop.cache, b->runs[i].prop.cache);
		assert_int_equal(a->runs[i].is_tracked, b->runs[i].is_tracked);
	}
}

/* ---- Memory that runs out ---- */

static const struct fh_alloc_options any_page = {.align = 1};

static void give_one_back(void)
{
	assert_true(held_count > 0);
	held_count--;
	fh_frame_put(&held[held_count]);
}

void hold_all_but(uint64_t n)
{
	assert_int_equal(held_count, 0);
	while (held_count < MOST_HELD &&
	       fh_frame_alloc(&any_page, &fh_untyped_type, NULL,
			      &held[held_count]) == FH_OK)
		held_count++;
	assert_true(held_count < MOST_HELD);
	while (n > 0) {
		give_one_back();
		n--;
	}
}

void release_held(void)
{
	while (held_count > 0)
		give_one_back();
}

static struct picture before;

uint64_t refusals(enum fh_status (*op)(struct work *w),
		  const struct fh_page_table *table, uint64_t first, uint64_t n)
{
	uint64_t refused = 0;

	hold_all_but(0);
	for (;; refused++) {
		struct work w;

		take_picture(table, &before);
		begin_work(&w, table, first, n);
		watch_begin();
		enum fh_status status = op(&w);

		if (status == FH_OK) {
			end_work(&w);
			break;
		}
		assert_int_equal(status, FH_E_NO_MEMORY);
		watch_end(0, 0, "an operation without memory", __FILE__,
			  __LINE__);
		assert_int_equal(fh_cursor_page(&w.cursor), first);
		end_work(&w);
		take_picture(table, &last_picture);
		same_pictures(&before, &last_picture);
		give_one_back();
	}
	AUDIT_TABLE(table);
	release_held();
	return refused;
}
