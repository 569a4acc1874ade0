/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What tests of page tables need besides the harness: a kernel's, a user's and a
 * device's table, cursors in one line, pictures of tables, and memory that runs
 * out where they like.
 */
#ifndef FRAMEHOLD_TEST_TABLES_H
#define FRAMEHOLD_TEST_TABLES_H

#include "harness.h"

#include <framehold/cursor.h>
#include <framehold/tableaudit.h>

/* Pages of a leaf at levels 2 and 3. */
#define MIB2 FH_NODE_ENTRIES
#define GIB1 (FH_NODE_ENTRIES * FH_NODE_ENTRIES)

/* Frames beyond all memory, that nobody counts; a multiple of GIB1. */
#define DEVICE_FRAME (UINT64_C(1) << 30)

extern struct fh_page_table kernel_table;
extern struct fh_page_table user_table;
extern struct fh_page_table device_table;

/* Runs on no CPU: what gathers of user_table and device_table flush. */
extern struct fh_active nobody;

/* cmocka fixtures: the machine and the tables; the end checks for leaks. */
int start_tables(void **state);
int stop_tables(void **state);
void each_with_tables(struct CMUnitTest *tests, size_t n);

/* The ordinary property of a table's pages: readable, writable. */
struct fh_page_prop plain_prop(const struct fh_page_table *table);

/* ---- A cursor with what belongs to it ---- */

struct work {
	struct fh_atomic_mode mode;
	struct fh_cursor cursor;
	struct fh_gather gather;
};

void begin_work(struct work *w, const struct fh_page_table *table,
		uint64_t first, uint64_t n);
void end_work(struct work *w);

/* New untyped memory: one page, or n from a multiple of align on. */
struct fh_uframe new_page(void);
struct fh_usegment new_pages(uint64_t n, uint64_t align);

/* One operation with a cursor of its own; the first frame, pages unmapped. */
uint64_t map_new_page(const struct fh_page_table *table, uint64_t page);
uint64_t map_new_pages(const struct fh_page_table *table, uint64_t page,
		       uint64_t n, uint64_t align);
void map_device(const struct fh_page_table *table, uint64_t page,
		uint64_t frame, uint64_t n);
uint64_t unmap(const struct fh_page_table *table, uint64_t page, uint64_t n);

/* What the table says of a page, without a lock. */
struct fh_mapping look_up(const struct fh_page_table *table, uint64_t page);
#define MAPPED_TO(frame_, table, page)                                         \
	assert_int_equal(frame_of(table, page), (frame_))
#define NOT_MAPPED(table, page) assert_false(look_up(table, page).is_mapped)
uint64_t frame_of(const struct fh_page_table *table, uint64_t page);

/* The ledger's units of a page, where there is a ledger. */
#define HAS_UNITS(frame, kind, n)                                              \
	assert_int_equal(FH_CHECKED ? fh_ledger_units(frame, kind) : (n), (n))

/* The node of that level that the page lies in; 0: there is none. */
uint64_t node_of(const struct fh_page_table *table, uint64_t page,
		 unsigned level);

/* ---- Pictures ---- */

#define PICTURE_RUNS 1200

struct picture {
	struct fh_table_totals totals;
	uint64_t count;
	struct fh_table_run runs[PICTURE_RUNS];
};

/* Audits the table on the way. */
void take_picture(const struct fh_page_table *table, struct picture *picture);
void audit_kernel_half(const struct fh_page_table *kernel,
		       const struct fh_page_table *table);
void same_pictures(const struct picture *a, const struct picture *b);
#define AUDIT_TABLE(table) take_picture((table), &last_picture)
extern struct picture last_picture;

/* ---- Memory that runs out ---- */

/* Takes all pages there are, and gives n of them back. */
void hold_all_but(uint64_t n);
void release_held(void);

/*
 * Calls op(w) with a cursor on n pages of the table from first on, with 0, 1,
 * 2, ... free pages, until it succeeds: each refusal must be FH_E_NO_MEMORY and
 * leave everything as it was. Returns how many there were.
 */
uint64_t refusals(enum fh_status (*op)(struct work *w),
		  const struct fh_page_table *table, uint64_t first,
		  uint64_t n);

#endif /* FRAMEHOLD_TEST_TABLES_H */
