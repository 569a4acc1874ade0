/* SPDX-License-Identifier: MPL-2.0 */
/* The allocator's own rules, checked. */
#ifndef FRAMEHOLD_SRC_ALLOCATOR_AUDIT_H
#define FRAMEHOLD_SRC_ALLOCATOR_AUDIT_H

#include <framehold/report.h>

/* As fh_allocator_audit(). */
FH_NODISCARD
enum fh_status fh_audit_allocator(struct fh_finding *finding);

#endif /* FRAMEHOLD_SRC_ALLOCATOR_AUDIT_H */
