/* SPDX-License-Identifier: MPL-2.0 */
/* One operation on the kernel's table, for what is made of several. */
#ifndef FRAMEHOLD_SRC_KSPACE_H
#define FRAMEHOLD_SRC_KSPACE_H

#include <framehold/kspace.h>

/* A cursor with what it needs around it. */
struct fh_kernel_visit {
	struct fh_atomic_mode mode;
	struct fh_cursor cursor;
	struct fh_gather gather;
};

/* FH_OK: the range is locked until fh_kernel_leave(). Otherwise nothing is. */
FH_NODISCARD
enum fh_status fh_kernel_enter(struct fh_kernel_visit *visit,
			       const struct fh_page_table *kernel,
			       uint64_t first, uint64_t n);
void fh_kernel_leave(struct fh_kernel_visit *visit);

/* Not writable and executable. */
bool fh_kernel_may_have(struct fh_page_prop prop);

#endif /* FRAMEHOLD_SRC_KSPACE_H */
