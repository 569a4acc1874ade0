/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How an operation ended. A function that returns anything but FH_OK has
 * changed nothing: no slot, no handle of the caller's, no out-parameter.
 */
#ifndef FRAMEHOLD_STATUS_H
#define FRAMEHOLD_STATUS_H

#include <framehold/compiler.h>

FH_BEGIN_DECLS

/* Seed: GetFrameError for the first six errors, in its order of checks. */
enum fh_status {
	FH_OK = 0,
	FH_E_IN_USE,       /* shared by one or more holders */
	FH_E_UNUSED,       /* nobody holds it */
	FH_E_BUSY,         /* being made or dropped, or on its way to a CPU */
	FH_E_UNIQUE,       /* owned by one unique handle */
	FH_E_OUT_OF_BOUND, /* outside of memory, of the segment, of the list */
	FH_E_NOT_ALIGNED,  /* not a multiple of the page size */
	FH_E_EMPTY,        /* a range, segment or list without a page */
	FH_E_WRONG_TYPE,   /* the page's metadata is of another type */
	FH_E_NO_MEMORY,    /* no page, or not enough room, is left */
	FH_E_INVALID,      /* an argument that makes no sense */
	FH_E_OVERFLOW,     /* base + size wraps around */
	FH_E_CORRUPT,      /* an audit found a broken rule */
	FH_E_TWICE,        /* already done, or done by somebody else */
	FH_E_FAULT,        /* user memory that cannot be accessed */
	FH_E_MAPPED,       /* a page of the range is mapped already */
	FH_E_NOT_MAPPED,   /* no page of the range is mapped */
};

/* "in use", "not aligned", ...: for messages. Never null. Any context. */
const char *fh_status_name(enum fh_status status);

FH_END_DECLS

#endif /* FRAMEHOLD_STATUS_H */
