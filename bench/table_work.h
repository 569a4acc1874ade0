/* SPDX-License-Identifier: MPL-2.0 */
/* The operations of table_bench, and where they work. */
#ifndef FRAMEHOLD_BENCH_TABLE_WORK_H
#define FRAMEHOLD_BENCH_TABLE_WORK_H

#include "bench.h"

#include <framehold/space.h>

/* The table, and the frames that are mapped: one for each page in turn. */
struct table_ground {
	struct fh_space *space;
	uint64_t first;  /* page of CPU 0's part */
	uint64_t stride; /* to CPU 1's */
	unsigned bits;   /* 2^bits pages a part */
	bool shared;     /* both CPUs' pages take turns in the same nodes */
	bool scattered;  /* visited in no order that a prefetcher sees */
	uint64_t frame;  /* the first of as many frames, held elsewhere */
	const struct fh_page_table *kernel;
};

extern struct table_ground table_ground;

/* Where, and by how many, a kind of work is measured. */
enum table_rows {
	TABLE_ALONE,   /* by one thread */
	TABLE_APART,   /* by two, too, with nodes of their own; far and wide */
	TABLE_CONTEND, /* and with the same nodes, and scattered */
};

/* One kind of work beside its floor; goals are for the 4 KiB rows. */
struct table_kind {
	const char *name;
	const char *unit;
	uint64_t pages; /* of a visit */
	bench_pass *operation;
	bench_pass *floor;
	double goal;
	enum table_rows rows;
};

extern const struct table_kind table_kinds[];
extern const size_t table_kind_count;

#endif /* FRAMEHOLD_BENCH_TABLE_WORK_H */
