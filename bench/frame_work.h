/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The operations on pages that are measured, with their floors, and the pages
 * that they are measured on.
 */
#ifndef FRAMEHOLD_BENCH_FRAME_WORK_H
#define FRAMEHOLD_BENCH_FRAME_WORK_H

#include "bench.h"

#include <framehold/meta.h>

/* What the pages are while an operation is measured, in this order. */
enum page_state {
	UNUSED,
	SHARED,
	FREE,
	PAGE_STATES
};

/* One operation; it leaves its pages in the state that it found them in. */
struct kind {
	const char *name;
	enum page_state state;
	uint64_t pages;   /* in a visit; 0: the figures are for the visit */
	bool meets_slots; /* so that it matters where they lie */
	bool on_one_page; /* measured with two threads on the same page, too */
	bench_pass *operation;
	bench_pass *floor;
};

extern const struct kind kinds[];
extern const size_t kind_count;

/*
 * Where passes work: each thread on 2^bits pages, `stride` after those of the
 * thread before.
 */
struct ground {
	uint64_t first;
	uint64_t stride;
	unsigned bits;
};

extern struct ground ground;

/* Plain memory, the type of SHARED pages: the last put makes it free. */
extern const struct fh_meta_type memory_type;

/* Calls that failed since the last time it was asked. */
uint64_t take_refused_calls(void);

/* What floors have for an allocator of pages 0 .. pages-1. */
bool reserve_zone_bits(uint64_t pages);
void release_zone_bits(void);

#endif /* FRAMEHOLD_BENCH_FRAME_WORK_H */
