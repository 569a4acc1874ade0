/* SPDX-License-Identifier: MPL-2.0 */
/* One operation on the kernel's table, for what is made of several. */
#ifndef FRAMEHOLD_SRC_KSPACE_H
#define FRAMEHOLD_SRC_KSPACE_H

#include <framehold/kspace.h>

#include "visit.h"

/* FH_OK: the range is locked until fh_visit_leave(). Otherwise nothing is. */
FH_NODISCARD
enum fh_status fh_kernel_enter(struct fh_visit *visit,
			       const struct fh_page_table *kernel,
			       uint64_t first, uint64_t n);

/* Not writable and executable. */
bool fh_kernel_may_have(struct fh_page_prop prop);

#endif /* FRAMEHOLD_SRC_KSPACE_H */
