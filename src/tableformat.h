/* SPDX-License-Identifier: MPL-2.0 */
/* What a table can be of a format, for those who make and take over tables. */
#ifndef FRAMEHOLD_SRC_TABLEFORMAT_H
#define FRAMEHOLD_SRC_TABLEFORMAT_H

#include <framehold/pagetable.h>

/*
 * Sets levels, huge_level, features and range of a table of table->kind, with
 * defaults filled in; a null format is all defaults. FH_E_INVALID: the library
 * was not built for it, and nothing is set.
 */
FH_NODISCARD
enum fh_status fh_table_set_format(struct fh_page_table *table,
				   const struct fh_table_format *format);

#endif /* FRAMEHOLD_SRC_TABLEFORMAT_H */
