/* SPDX-License-Identifier: MPL-2.0 */
/* Copying what one table maps to another, for fh_space_clone(). */
#ifndef FRAMEHOLD_SRC_COPY_H
#define FRAMEHOLD_SRC_COPY_H

#include "cursor.h"

/*
 * Maps what the next n pages of `from` are mapped to at the same pages of `to`,
 * whose cursor stands at the same page. With on_write, pages that may be
 * written are read-only in both from now on, and marked FH_PAGE_SOFT. Cursors
 * stay. Changes nothing on
 *
 *   FH_E_MAPPED      one of the pages is mapped in `to`
 *   FH_E_NO_MEMORY   leaves at the ends of the range may be split then
 */
FH_NODISCARD
enum fh_status fh_cursor_copy(struct fh_cursor *from, struct fh_cursor *to,
			      uint64_t n, bool on_write,
			      struct fh_gather *gather);

#endif /* FRAMEHOLD_SRC_COPY_H */
