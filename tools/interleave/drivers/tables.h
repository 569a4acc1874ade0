/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A user's table for drivers, made and used by the library. Nodes have four
 * entries here (races.py sees to that), and there are three levels: an entry of
 * level 2 maps 4 pages, one of level 3 maps 16, and users have 32.
 *
 * Each thread is a CPU with some pages in its magazine, so that it allocates
 * without a word that others use; and no CPU runs on the table, so that there
 * is nothing to flush. What is left to be explored are the table's own words.
 */
#ifndef FRAMEHOLD_INTERLEAVE_TABLES_H
#define FRAMEHOLD_INTERLEAVE_TABLES_H

#include "machine.h"

#include "cursor.h"
#include "rcu.h"

enum {
	CPUS = 3,
	USER_PAGES = 32,
	IN_MAGAZINE = 4,
};

struct fh_page_table kernel_table;
struct fh_page_table table;

/* Each thread's own; done() does what it has not finished. */
struct fh_active nowhere[CPUS];
struct fh_gather gathers[CPUS];
struct fh_uframe frames[CPUS];
uint64_t mapped[CPUS];
uint64_t unmapped[CPUS];

/* How often a page was looked at; plain: for who has its range locked. */
uint64_t visits[USER_PAGES];

static uint64_t free_pages(void)
{
	struct fh_alloc_stats stats;

	fh_alloc_stats(&stats);
	return stats.free;
}

static struct fh_page_prop readable(void)
{
	return fh_user_prop(FH_PAGE_READ);
}

static struct fh_uframe make_frame(void)
{
	struct fh_uframe user;
	struct fh_frame f;

	CHECK(fh_frame_alloc(&any_page, &fh_untyped_type, NULL, &f) == FH_OK);
	CHECK(fh_uframe_from_frame(&f, &user) == FH_OK);
	return user;
}

static void fill_magazine(void)
{
	struct fh_frame f[IN_MAGAZINE];

	for (unsigned i = 0; i < IN_MAGAZINE; i++)
		CHECK(fh_frame_alloc(&any_page, &fh_untyped_type, NULL,
				     &f[i]) == FH_OK);
	for (unsigned i = 0; i < IN_MAGAZINE; i++)
		fh_frame_put(&f[i]);
}

uint64_t free_at_first;

static void table_setup(void)
{
	const struct fh_table_format format = {.levels = 3, .asids = 1};
	struct fh_page_range window =
		fh_page_table_range(FH_TABLE_KERNEL, format.levels);

	machine_bring_up(BATCH_MACHINE, 0);
	fh_cpu_online(2);
	free_at_first = free_pages();
	window.count = 1;
	CHECK(fh_page_table_create_kernel(&format, &window, 1, &kernel_table) ==
	      FH_OK);
	CHECK(fh_page_table_create_user(&kernel_table, &table) == FH_OK);
	__builtin_memset(nowhere, 0, sizeof(nowhere));
	__builtin_memset(mapped, 0, sizeof(mapped));
	__builtin_memset(unmapped, 0, sizeof(unmapped));
	__builtin_memset(visits, 0, sizeof(visits));
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		machine_as_cpu(cpu);
		frames[cpu] = make_frame();
		fh_gather_begin(&gathers[cpu], &nowhere[cpu]);
		fill_magazine();
	}
	machine_as_cpu(0);
}

/* ---- What threads do ---- */

/* A range locked. */
struct visit {
	struct fh_atomic_mode mode;
	struct fh_cursor cursor;
};

static void enter(struct visit *visit, uint64_t first, uint64_t n)
{
	fh_atomic_begin(&visit->mode);
	CHECK(fh_cursor_open(&table, &visit->mode, first, n, &visit->cursor) ==
	      FH_OK);
	for (uint64_t i = first; i - first < n; i++)
		visits[i]++;
}

static void leave(struct visit *visit)
{
	fh_cursor_close(&visit->cursor);
	fh_atomic_end(&visit->mode);
}

static inline void look_at(uint64_t first, uint64_t n)
{
	struct visit visit;

	enter(&visit, first, n);
	leave(&visit);
}

/* The thread's frame, unless the page is mapped. */
static inline void map(uint64_t page)
{
	unsigned cpu = fh_host_cpu();
	struct visit visit;

	enter(&visit, page, 1);
	enum fh_status status =
		fh_cursor_map(&visit.cursor, &frames[cpu], readable());
	leave(&visit);
	CHECK(status == FH_OK || status == FH_E_MAPPED);
	CHECK((status == FH_OK) == (frames[cpu].handle == 0));
	mapped[cpu] += status == FH_OK;
}

static inline void unmap(uint64_t first, uint64_t n)
{
	unsigned cpu = fh_host_cpu();
	struct visit visit;
	uint64_t pages;

	enter(&visit, first, n);
	CHECK(fh_cursor_unmap(&visit.cursor, n, &gathers[cpu], &pages) ==
	      FH_OK);
	leave(&visit);
	unmapped[cpu] += pages;
}

/* ---- What is left ---- */

static void reap_everything(void)
{
	uint64_t budget = 10000;

	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		machine_as_cpu(cpu);
		fh_gather_finish(&gathers[cpu]);
	}
	for (unsigned turn = 0; turn < 3 * CPUS; turn++) {
		machine_as_cpu(turn % CPUS);
		fh_rcu_quiescent();
	}
	fh_rcu_reap_any(&budget);
	machine_as_cpu(0);
	CHECK(fh_rcu_idle());
}

/* The table has so many nodes and pages, and nothing has been lost. */
static inline void table_check(uint64_t nodes, uint64_t pages)
{
	struct fh_table_totals totals = {0};
	struct fh_finding finding;

	reap_everything();
	CHECK(fh_audit_table(&table, &totals, &finding) == FH_OK);
	CHECK(totals.nodes == nodes);
	CHECK(totals.tracked + totals.untracked == pages);
	unmap(0, USER_PAGES);
	CHECK(unmapped[0] >= pages);
	fh_page_table_destroy(&table);
	fh_page_table_destroy(&kernel_table);
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		fh_uframe_put(&frames[cpu]);
	reap_everything();
	machine_check(free_at_first);
}

/* How many pages are mapped, by what the threads did. */
static inline uint64_t pages_left(void)
{
	uint64_t pages = 0;

	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		pages += mapped[cpu] - unmapped[cpu];
	return pages;
}

#endif /* FRAMEHOLD_INTERLEAVE_TABLES_H */
