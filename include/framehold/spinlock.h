/* SPDX-License-Identifier: MPL-2.0 */
/* The library's own spin lock, for structs of users that have one in them. */
#ifndef FRAMEHOLD_SPINLOCK_H
#define FRAMEHOLD_SPINLOCK_H

#include <framehold/compiler.h>

FH_BEGIN_DECLS

/* Zero is unlocked. Private. */
struct fh_lock {
	uint64_t word;
};

FH_END_DECLS

#endif /* FRAMEHOLD_SPINLOCK_H */
