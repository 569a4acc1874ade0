/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One operation on a table: a cursor over a range, with what it needs around
 * it. In the contexts of fh_gather_finish().
 */
#ifndef FRAMEHOLD_SRC_VISIT_H
#define FRAMEHOLD_SRC_VISIT_H

#include <framehold/cursor.h>

/* Lives on the stack; entering sets all that needs to be. */
struct fh_visit {
	struct fh_atomic_mode mode;
	struct fh_cursor cursor;
	struct fh_gather gather;
};

/*
 * FH_OK: n pages are locked, until fh_visit_leave(). Otherwise nothing is.
 * active as for fh_gather_begin(); errors as fh_cursor_open().
 */
FH_NODISCARD
static inline enum fh_status fh_visit_enter(struct fh_visit *visit,
					    const struct fh_page_table *table,
					    struct fh_active *active,
					    uint64_t first, uint64_t n)
{
	fh_gather_begin(&visit->gather, active);
	fh_atomic_begin(&visit->mode);
	enum fh_status status =
		fh_cursor_open(table, &visit->mode, first, n, &visit->cursor);

	if (status != FH_OK)
		fh_atomic_end(&visit->mode);
	return status;
}

/* Nothing of what the operation removed can be reached afterwards. */
static inline void fh_visit_leave(struct fh_visit *visit)
{
	fh_cursor_close(&visit->cursor);
	fh_atomic_end(&visit->mode);
	fh_gather_finish(&visit->gather);
}

#endif /* FRAMEHOLD_SRC_VISIT_H */
