/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The gather. Runs beyond its own room lie in pages of the allocator's:
 *
 *   word 0   the next page, or 0
 *   word 1   how many runs this one has
 *   then     pairs of words: first frame, count
 *
 * These pages are taken while the table is still as it was, and given back when
 * their runs have been.
 */
#include <framehold/alloc.h>

#include "active.h"
#include "gather.h"
#include "node.h"
#include "rcu.h"

#define ROOM_NEXT      0
#define ROOM_USED      1
#define ROOM_RUNS      2
#define ROOM_PAGE_RUNS ((FH_PAGE_SIZE / 8 - ROOM_RUNS) / 2)

static const struct fh_alloc_options room_options = {.no_wait = true};

static const struct fh_meta_type gather_page_type = {
	.name = "gather",
	.usage = FH_USAGE_FRAME,
};

void fh_gather_begin(struct fh_gather *gather, struct fh_active *active)
{
	gather->active = active;
	fh_flush_init(&gather->flush);
	gather->nodes_first = 0;
	gather->nodes_last = 0;
	gather->node_count = 0;
	gather->run_count = 0;
	gather->room = FH_GATHER_RUNS;
	gather->pages = 0;
	gather->filling = 0;
}

/* ---- Room ---- */

static uint64_t *words_of(uint64_t page)
{
	return fh_host_linear(fh_paddr_of_frame(page));
}

static enum fh_status take_room_page(uint64_t *page)
{
	struct fh_frame frame;
	enum fh_status status =
		fh_frame_alloc(&room_options, &gather_page_type, NULL, &frame);

	if (status != FH_OK)
		return status;
	*page = fh_frame_number(frame);
	words_of(*page)[ROOM_NEXT] = 0;
	words_of(*page)[ROOM_USED] = 0;
	fh_unit_become(frame.handle, 1, FH_UNIT_FRAME, FH_UNIT_DEFERRED,
		       FH_HERE);
	return FH_OK;
}

static void give_page_back(uint64_t page)
{
	fh_unit_remove(page, 1, FH_UNIT_DEFERRED, FH_HERE);
	fh_page_put(page, FH_HERE);
}

static void give_pages_back(uint64_t page)
{
	while (page != 0) {
		uint64_t next = words_of(page)[ROOM_NEXT];

		give_page_back(page);
		page = next;
	}
}

/* Pages for n runs, linked; all or none. */
static enum fh_status take_room_pages(uint64_t n, uint64_t *first,
				      uint64_t *room)
{
	uint64_t chain = 0;

	*room = 0;
	while (*room < n) {
		uint64_t page;
		enum fh_status status = take_room_page(&page);

		if (status != FH_OK) {
			give_pages_back(chain);
			return status;
		}
		words_of(page)[ROOM_NEXT] = chain;
		chain = page;
		*room += ROOM_PAGE_RUNS;
	}
	*first = chain;
	return FH_OK;
}

/* Behind the pages that are there: the last of them may be partly full. */
static void append_pages(struct fh_gather *gather, uint64_t first)
{
	uint64_t page = gather->filling != 0 ? gather->filling : gather->pages;

	if (page == 0) {
		gather->pages = first;
		return;
	}
	while (words_of(page)[ROOM_NEXT] != 0)
		page = words_of(page)[ROOM_NEXT];
	words_of(page)[ROOM_NEXT] = first;
}

enum fh_status fh_gather_reserve(struct fh_gather *gather, uint64_t n)
{
	uint64_t free = gather->room - gather->run_count;
	uint64_t first;
	uint64_t room;

	if (n <= free)
		return FH_OK;
	enum fh_status status = take_room_pages(n - free, &first, &room);
	if (status != FH_OK)
		return status;
	append_pages(gather, first);
	gather->room += room;
	return FH_OK;
}

/* ---- Filling ---- */

static void add_to_page(struct fh_gather *gather, uint64_t first, uint64_t n)
{
	if (gather->filling == 0)
		gather->filling = gather->pages;
	else if (words_of(gather->filling)[ROOM_USED] == ROOM_PAGE_RUNS)
		gather->filling = words_of(gather->filling)[ROOM_NEXT];
	uint64_t *words = words_of(gather->filling);

	words[ROOM_RUNS + 2 * words[ROOM_USED]] = first;
	words[ROOM_RUNS + 2 * words[ROOM_USED] + 1] = n;
	words[ROOM_USED]++;
}

/* Whether the frames follow those of the last run, which then has them. */
static bool extends_last(struct fh_gather *gather, uint64_t first, uint64_t n)
{
	uint64_t *last_first;
	uint64_t *last_count;

	if (gather->run_count == 0)
		return false;
	if (gather->run_count > FH_GATHER_RUNS) {
		uint64_t *words = words_of(gather->filling);
		uint64_t i = ROOM_RUNS + 2 * (words[ROOM_USED] - 1);

		last_first = &words[i];
		last_count = &words[i + 1];
	} else {
		last_first = &gather->runs[gather->run_count - 1].first;
		last_count = &gather->runs[gather->run_count - 1].count;
	}
	if (*last_first + *last_count != first)
		return false;
	*last_count += n;
	return true;
}

void fh_gather_frames(struct fh_gather *gather, uint64_t first, uint64_t n)
{
	fh_unit_shift(first, n, FH_UNIT_ENTRY, FH_UNIT_DEFERRED, FH_HERE);
	if (extends_last(gather, first, n))
		return;
	if (gather->run_count < FH_GATHER_RUNS) {
		gather->runs[gather->run_count].first = first;
		gather->runs[gather->run_count].count = n;
	} else {
		add_to_page(gather, first, n);
	}
	gather->run_count++;
}

void fh_gather_node(struct fh_gather *gather, uint64_t node)
{
	fh_unit_shift(node, 1, FH_UNIT_ENTRY, FH_UNIT_DEFERRED, FH_HERE);
	fh_node_set_next(node, gather->nodes_first);
	if (gather->nodes_first == 0)
		gather->nodes_last = node;
	gather->nodes_first = node;
	gather->node_count++;
}

void fh_gather_flush(struct fh_gather *gather, uint64_t page, uint64_t n)
{
	fh_flush_add(&gather->flush, page, n);
}

/* ---- Finishing ---- */

static void give_frames_up(uint64_t first, uint64_t n)
{
	fh_unit_remove(first, n, FH_UNIT_DEFERRED, FH_HERE);
	for (uint64_t i = first; i - first < n; i++)
		fh_page_put(i, FH_HERE);
}

static void give_runs_up(const struct fh_gather *gather)
{
	uint64_t own = gather->run_count < FH_GATHER_RUNS ? gather->run_count
							  : FH_GATHER_RUNS;

	for (uint64_t i = 0; i < own; i++)
		give_frames_up(gather->runs[i].first, gather->runs[i].count);
	for (uint64_t page = gather->pages; page != 0;
	     page = words_of(page)[ROOM_NEXT])
		for (uint64_t i = 0; i < words_of(page)[ROOM_USED]; i++)
			give_frames_up(words_of(page)[ROOM_RUNS + 2 * i],
				       words_of(page)[ROOM_RUNS + 2 * i + 1]);
}

static void flush_gathered(struct fh_gather *gather)
{
	struct fh_cpu_set cpus;

	if (fh_flush_is_empty(&gather->flush))
		return;
	if (gather->active != NULL) {
		fh_active_flush(gather->active, &gather->flush);
		return;
	}
	fh_flush_online_cpus(&cpus);
	fh_flush_all_of(&gather->flush, FH_ASID_KERNEL, &cpus);
}

void fh_gather_finish(struct fh_gather *gather)
{
	flush_gathered(gather);
	give_runs_up(gather);
	give_pages_back(gather->pages);
	fh_rcu_defer(gather->nodes_first, gather->nodes_last,
		     gather->node_count);
	fh_gather_begin(gather, gather->active);
}
