/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Address spaces of users: a table, the CPUs that may have cached it, and a
 * number to cache it under. Each function here is one operation, complete with
 * its locks, its flush on all CPUs, and what waits for that; several in a row
 * under one lock are a matter for cursors: cursor.h.
 *
 * Thread context, no lock held, not in atomic mode, interrupts on, unless a
 * comment says otherwise. Several threads may work on one space at a time.
 * Pages are numbered; the lower half is the users': page 0 to
 * fh_page_table_range().
 *
 * Every operation that allocates looks for memory in what waits to be freed,
 * and asks the kernel to reclaim, before it answers FH_E_NO_MEMORY. On any error
 * the space is as it was.
 *
 * Seed: VmSpace.
 */
#ifndef FRAMEHOLD_SPACE_H
#define FRAMEHOLD_SPACE_H

#include <framehold/cursor.h>
#include <framehold/userio.h>

FH_BEGIN_DECLS

/* Private fields; the owner's to place. Stays where it is while it exists. */
struct fh_space {
	struct fh_page_table table;
	struct fh_active active;
};

/*
 * What a writable page becomes that is shared until somebody writes to it; only
 * fh_space_clone() sets it, and fh_space_fault() ends it, by a copy. Until then
 * fh_space_protect() does not make the page writable, and taking the right to
 * write away does not end it either: whether a program may write to an address
 * is for the kernel to know, before it asks for a fault to be answered.
 */
#define FH_PAGE_COPY FH_PAGE_SOFT

/* Makes an empty space beside the kernel's table. FH_E_NO_MEMORY. Seed: new. */
FH_NODISCARD
enum fh_status fh_space_create(const struct fh_page_table *kernel,
			       struct fh_space *out);

/*
 * Gives the space and all it maps up, and zeroes its table. Nobody else uses
 * it. FH_E_BUSY: it is active on a CPU. Does nothing to a zeroed space.
 * Seed: Drop.
 */
FH_NODISCARD
enum fh_status fh_space_destroy(struct fh_space *space);

/*
 * Makes this CPU run on the space; nothing if it does. The CPU has a reference
 * to the root until it runs on another. To be called with the scheduler's lock
 * or whatever else keeps the thread on its CPU afterwards.
 * Seed: activate, first_activate.
 */
void fh_space_activate(struct fh_space *space);

/*
 * The same for the kernel's own table: no user is active on this CPU. A CPU
 * does so before it goes offline.
 */
void fh_kernel_activate(const struct fh_page_table *kernel);

/*
 * This CPU runs on tables that are not the library's, or stops, and gives up
 * its reference. The port has seen to that, or does next.
 */
void fh_kernel_deactivate(void);

/* The root that this CPU runs on, 0 if none of the library's. */
uint64_t fh_active_root(const struct fh_atomic_mode *mode);

/* Whether this CPU runs on the space. Preemption is off, or it is a hint. */
bool fh_space_is_active(const struct fh_space *space);

/*
 * Maps a page, as many pages as a segment has, or n pages of a device, from
 * page `first` on. Errors as fh_cursor_map() and its like, and
 * FH_E_OUT_OF_BOUND for pages that are not users'. Seed: map, map_iomem.
 */
FH_NODISCARD
enum fh_status fh_space_map(struct fh_space *space, uint64_t first,
			    struct fh_uframe *f, struct fh_page_prop prop);
FH_NODISCARD
enum fh_status fh_space_map_segment(struct fh_space *space, uint64_t first,
				    struct fh_usegment *s,
				    struct fh_page_prop prop);
FH_NODISCARD
enum fh_status fh_space_map_device(struct fh_space *space, uint64_t first,
				   struct fh_paddr pa, uint64_t n,
				   struct fh_page_prop prop);

/*
 * Unmaps n pages; *pages is how many were mapped. No CPU can reach them when it
 * returns. FH_E_NO_MEMORY: fewer pages at a time need less; up to
 * FH_GATHER_RUNS that are not part of larger leaves need none. Seed: unmap.
 */
FH_NODISCARD
enum fh_status fh_space_unmap(struct fh_space *space, uint64_t first,
			      uint64_t n, uint64_t *pages);

/*
 * Changes what n pages allow; *pages is how many were mapped. All CPUs go by it
 * when it returns. Errors as fh_cursor_protect(). Seed: protect_next.
 */
FH_NODISCARD
enum fh_status fh_space_protect(struct fh_space *space, uint64_t first,
				uint64_t n, struct fh_prop_change change,
				uint64_t *pages);

/*
 * What a page is mapped to, at some moment of the call.
 * FH_E_OUT_OF_BOUND: not a user's page. Seed: query.
 */
FH_NODISCARD
enum fh_status fh_space_query(const struct fh_space *space, uint64_t page,
			      struct fh_mapping *mapping);

/* What fh_space_clone() does with pages that may be written. */
enum fh_clone {
	FH_CLONE_COPY,  /* each space has its own, copied when one writes */
	FH_CLONE_SHARE, /* both have the same */
};

/*
 * Maps what n pages of a space are mapped to at the same pages of another, in
 * which none of them is mapped. Pages of devices are always shared. A page that
 * is to be copied stays so in both, however it is cloned: who wants to share it
 * has it copied before, by fh_space_fault(). One that may not be written is
 * shared without a mark: before a program is given the right to write to it
 * later, it is for the kernel to copy it.
 *
 *   FH_E_MAPPED         a page of the range is mapped in `to`
 *   FH_E_OUT_OF_BOUND   not users' pages
 *   FH_E_NO_MEMORY
 *
 * No other thread uses `to` meanwhile.
 */
FH_NODISCARD
enum fh_status fh_space_clone(struct fh_space *from, struct fh_space *to,
			      uint64_t first, uint64_t n, enum fh_clone how);

/* An access that faulted. */
enum fh_access {
	FH_ACCESS_READ,
	FH_ACCESS_WRITE,
	FH_ACCESS_EXEC,
};

/*
 * Answers a fault of this CPU at va in a space that is active on it. FH_OK: try
 * the access again. In this order:
 *
 *   the page is mapped and allows the access    what was cached is forgotten;
 *       accessed and dirty are set, where the library does that
 *   it is to be copied, may be read, and this   it is, unless nobody else has it
 *       is a write
 *   it is not mapped, and fill is not null      a zeroed page is mapped with
 *       that property, if it allows the access
 *   all else                                    FH_E_FAULT
 *
 * FH_E_NO_MEMORY; FH_E_INVALID, as fh_cursor_map(), for fill;
 * FH_E_OUT_OF_BOUND: not a user's address. Whether an unmapped page is one to be
 * filled, and how, is the kernel's policy.
 */
FH_NODISCARD
enum fh_status fh_space_fault(struct fh_space *space, struct fh_vaddr va,
			      enum fh_access access,
			      const struct fh_page_prop *fill);

/*
 * Cursors over n bytes of the active space's memory: userio.h. FH_E_INVALID: the
 * space is not active on this CPU. FH_E_OVERFLOW, FH_E_OUT_OF_BOUND: not users'
 * addresses. The thread stays on the space while it uses them.
 * Seed: VmSpace::reader, writer.
 */
FH_NODISCARD
enum fh_status fh_space_reader(const struct fh_space *space, struct fh_vaddr va,
			       uint64_t n, struct fh_user_reader *out);
FH_NODISCARD
enum fh_status fh_space_writer(const struct fh_space *space, struct fh_vaddr va,
			       uint64_t n, struct fh_user_writer *out);

FH_END_DECLS

#endif /* FRAMEHOLD_SPACE_H */
