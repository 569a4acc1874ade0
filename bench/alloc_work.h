/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The allocators that are compared, behind one interface, each twice: raw, and
 * with what is done to a page's slot when it changes hands. And the floor, the
 * least that has to be done: pages in a row without an allocator, and the
 * hand-over of their slots.
 */
#ifndef FRAMEHOLD_BENCH_ALLOC_WORK_H
#define FRAMEHOLD_BENCH_ALLOC_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORK_THREADS 2

enum work_subject {
	FLOOR,
	OURS,
	PLAIN,
	SUBJECTS,
};

/* What is timed, in the order in which it is done. */
enum work_phase {
	REPEAT_4K,
	BULK_ALLOC_4K,
	BULK_FREE_4K,
	RANDOM_FREE_4K,
	AGED_ALLOC_4K,
	CHURN_4K,
	REPEAT_2M,
	BULK_ALLOC_2M,
	BULK_FREE_2M,
	RANDOM_FREE_2M,
	CROSS_4K,
	PHASES,
};

/* The memory that the work is done on, and how. */
struct work {
	uint64_t first; /* pages, free before and after */
	uint64_t count;
	unsigned threads;
	bool hand_over;
};

/* Nanoseconds of processor time an operation; negative: not applicable. */
struct work_result {
	double ns[PHASES];
};

/*
 * Does all phases once with one subject, on the CPUs of the machine. Ends the
 * process if an allocator refuses, or if pages are missing at the end.
 */
void work_once(const struct work *work, enum work_subject subject,
	       struct work_result *result);

/* Its largest arrays, once; false: no memory for them. */
bool work_prepare(uint64_t most_pages);
void work_finish(void);

#endif /* FRAMEHOLD_BENCH_ALLOC_WORK_H */
