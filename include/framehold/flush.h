/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A flush being built up, for those who have one in a struct of theirs: see
 * gather.h. The fields are private.
 */
#ifndef FRAMEHOLD_FLUSH_H
#define FRAMEHOLD_FLUSH_H

#include <framehold/compiler.h>

/* Ranges that a flush keeps apart, and pages in all; beyond: everything. */
#define FH_FLUSH_RANGES 8
#define FH_FLUSH_LIMIT  UINT64_C(32)

/* Pages page .. page + n - 1, by 52-bit page number: va / FH_PAGE_SIZE. */
struct fh_flush_range {
	uint64_t page;
	uint64_t n;
};

/* A flush being built up: ranges that neither overlap nor touch. */
struct fh_flush {
	uint64_t pages; /* of all ranges */
	uint32_t count; /* of ranges */
	bool all;       /* all pages; the ranges say nothing then */
	struct fh_flush_range range[FH_FLUSH_RANGES];
};

#endif /* FRAMEHOLD_FLUSH_H */
