/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The memory of programs: an address space, and what the kernel has promised
 * about it: stretches of pages that come, zeroed, when they are touched. Shared
 * by the threads of a program; gone when the last of them is.
 */
#ifndef KERNEL_USERSPACE_H
#define KERNEL_USERSPACE_H

#include "lock.h"
#include "port.h"

#define MAX_STRETCHES 24

/* Pages that are alike; flags are CALL_READ and its like. */
struct stretch {
	uint64_t first;
	uint64_t count;
	uint64_t flags;
};

struct userspace {
	struct lock lock; /* exclusive for whoever changes stretches */
	struct fh_space space;
	struct stretch stretches[MAX_STRETCHES]; /* in no order */
	size_t count;
	uint64_t holders; /* threads; 0: not in use. The scheduler's lock */
};

/*
 * Thread context, no lock held. All or nothing: on an error, which is a status
 * of the library's, nothing has changed. Ranges are pages.
 */
enum fh_status userspace_open(struct userspace *memory);

/* No CPU runs on it, and nobody will. */
enum fh_status userspace_close(struct userspace *memory);

/* FH_E_MAPPED: a page of it is promised already. */
enum fh_status userspace_map(struct userspace *memory, struct stretch stretch);

/*
 * FH_E_NOT_MAPPED: a page of it is not promised. Protecting several stretches
 * may end with some of them done, if memory runs out.
 */
enum fh_status userspace_unmap(struct userspace *memory, uint64_t first,
			       uint64_t count);
enum fh_status userspace_protect(struct userspace *memory, uint64_t first,
				 uint64_t count, uint64_t flags);

/*
 * Makes `to`, which is new, a copy of `from`. What is written afterwards is
 * seen by the one who wrote it, but for shared stretches.
 */
enum fh_status userspace_clone(struct userspace *from, struct userspace *to);

/* Answers a fault: FH_OK: try again. Of the space that this CPU runs on. */
enum fh_status userspace_fault(struct userspace *memory, uint64_t address,
			       enum fh_access access);

/*
 * Maps one page at once, with these bytes at an offset in it and zeroes around.
 * A stretch has been promised there.
 */
enum fh_status userspace_load(struct userspace *memory, uint64_t page,
			      uint64_t offset, const void *bytes, size_t n);

#endif /* KERNEL_USERSPACE_H */
