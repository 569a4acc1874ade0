/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the workers do to the allocator beside allocating: taking given pages
 * out and putting them back, retiring pages, emptying what CPUs keep at hand,
 * and going offline and online.
 */
#include "worker.h"

#define MOST_TAKEN 8

/* Where a range of islands begins that lies within memory. */
static uint64_t random_place(struct worker *worker)
{
	return fh_frame_of_paddr(worker_island_page(worker));
}

/*
 * Another CPU may have claimed some of the pages while they were out, and they
 * come back by its last put then: the others are added one by one.
 */
static enum outcome add_one_by_one(struct worker *worker, uint64_t first,
				   uint64_t n)
{
	enum outcome outcome = DONE;

	for (uint64_t i = 0; i < n && outcome != WRONG; i++)
		outcome = worker_settle(worker, fh_alloc_add(first + i, 1),
					may_answer_claim() |
						may_answer(FH_E_TWICE));
	return outcome == WRONG ? WRONG : DONE;
}

/* Takes a range out of the allocator, as a balloon does, and puts it back. */
static enum outcome take_and_add(struct worker *worker)
{
	uint64_t first = random_place(worker);
	uint64_t n = 1 + worker_random(worker, MOST_TAKEN);
	unsigned held = may_answer_claim() | may_answer(FH_E_UNUSED);
	enum fh_status status = fh_alloc_take(first, n);

	if (status != FH_OK)
		return worker_settle(worker, status, held);
	if (fh_alloc_add(first, n) == FH_OK)
		return DONE;
	return add_one_by_one(worker, first, n);
}

/* One page, and not many: they are gone for good. */
static enum outcome retire(struct worker *worker)
{
	unsigned held = may_answer_claim() | may_answer(FH_E_UNUSED);

	if (worker->retired >= worker->common->retired_per_worker)
		return NOTHING;
	uint64_t page = random_place(worker);
	enum outcome outcome =
		worker_settle(worker, fh_alloc_retire(page, 1), held);
	worker->retired += outcome == DONE;
	return outcome;
}

/* All CPUs wait for it: seldom. */
static enum outcome drain(struct worker *worker)
{
	if (!worker_chance(worker, 8))
		return NOTHING;
	fh_alloc_drain();
	return DONE;
}

/* Allocation works offline as well. */
static enum outcome leave_and_return(struct worker *worker)
{
	struct fh_frame frame;

	if (!worker_chance(worker, 4))
		return NOTHING;
	fh_cpu_offline(worker->cpu);
	enum fh_status status =
		fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frame);
	if (status == FH_OK)
		fh_frame_put(&frame);
	fh_cpu_online(worker->cpu);
	return worker_settle(worker, status, may_answer(FH_E_NO_MEMORY));
}

const struct operation zone_operations[] = {
	{"fh_alloc_take + alloc_add", 2, take_and_add},
	{"fh_alloc_retire", 1, retire},
	{"fh_alloc_drain", 2, drain},
	{"fh_cpu_offline + cpu_online", 1, leave_and_return},
	{NULL, 0, NULL},
};
