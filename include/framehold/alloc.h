/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Allocation: pages from anywhere, handed over as frames. The page is popped
 * from the allocator, zeroed if asked, given its type and words, and published
 * by one release store: nobody can reach a page that is not ready.
 *
 * Contexts: thread and interrupt context, any lock of the caller's held; not
 * from non-maskable interrupts. Pages come back through the last put.
 */
#ifndef FRAMEHOLD_ALLOC_H
#define FRAMEHOLD_ALLOC_H

#include <framehold/segment.h>
#include <framehold/unique.h>

FH_BEGIN_DECLS

/* What kind of pages; a zeroed struct asks for any. Seed: FrameAllocOptions. */
struct fh_alloc_options {
	uint64_t align; /* pages, a power of two; 0 as 1 */
	uint64_t below; /* page numbers below this only; 0: no limit */
	bool zeroed;    /* contents are zero; otherwise they are anything */
	bool no_wait;   /* neither waits for other CPUs nor asks the kernel to
			   reclaim: may be refused sooner. For those who hold
			   locks that either may need. */
};

/*
 * Allocates one page as a frame with one reference, as a unique frame, or n
 * contiguous pages as a segment. meta as in fh_frame_from_unused(); a null
 * options asks for any zeroed page. *out is written on success only:
 *
 *   FH_E_INVALID     align is not a power of two, or as fh_frame_from_unused()
 *   FH_E_EMPTY       n is 0
 *   FH_E_NO_MEMORY   no such page, or no such run of pages, is free
 *   FH_E_CORRUPT     the allocator gave a page that is not free; only where
 *                    that is checked: allocator.h
 *
 * Seed: alloc_frame_with, alloc_segment_with.
 */
FH_NODISCARD
enum fh_status fh_frame_alloc(const struct fh_alloc_options *options,
			      const struct fh_meta_type *type,
			      const struct fh_meta *meta, struct fh_frame *out);
FH_NODISCARD
enum fh_status fh_unique_alloc(const struct fh_alloc_options *options,
			       const struct fh_meta_type *type,
			       const struct fh_meta *meta,
			       struct fh_unique *out);
FH_NODISCARD
enum fh_status fh_segment_alloc(uint64_t n,
				const struct fh_alloc_options *options,
				const struct fh_meta_type *type,
				const struct fh_meta *meta,
				struct fh_segment *out);

/*
 * Takes n given pages out of the allocator, all or nothing, and leaves them
 * unused: for a trampoline, a balloon, a device. fh_frame_from_unused() claims
 * them then.
 *
 *   FH_E_EMPTY          n is 0
 *   FH_E_OUT_OF_BOUND   a page without metadata, or of no zone
 *   FH_E_BUSY, FH_E_IN_USE, FH_E_UNIQUE, FH_E_UNUSED   the first page that is
 *                       not free, by its state
 */
FH_NODISCARD
enum fh_status fh_alloc_take(uint64_t first, uint64_t n);

/*
 * Hands n unused pages to the allocator, all or nothing. Errors as
 * fh_alloc_take(), with FH_E_TWICE for a page that is free already.
 */
FH_NODISCARD
enum fh_status fh_alloc_add(uint64_t first, uint64_t n);

/*
 * Takes n given free pages out for good: they are held with fh_unusable_type.
 * Errors as fh_alloc_take().
 */
FH_NODISCARD
enum fh_status fh_alloc_retire(uint64_t first, uint64_t n);

/* Figures of the allocator, exact while no operation is under way. */
struct fh_alloc_stats {
	uint64_t pages; /* that it manages: free, in use, taken */
	uint64_t free;  /* of these, free */
};

/* Thread and interrupt context. */
void fh_alloc_stats(struct fh_alloc_stats *stats);

/*
 * Figures of one zone: a piece of memory of one node, with a lock of its own.
 * What CPUs keep at hand counts as in use here: fh_alloc_drain() before.
 */
struct fh_zone_stats {
	uint64_t first; /* its first page */
	uint64_t span;  /* pages from there to its end, holes included */
	uint64_t node;
	uint64_t pages;       /* that the allocator manages in it */
	uint64_t free;        /* of these, free */
	uint64_t free_blocks; /* pieces of 512 pages, aligned, all free */
	uint64_t longest_run; /* free pages that follow each other */
};

/*
 * The index-th zone by address; false past the last one, *stats as it was.
 * Looks at every 512 pages of the zone; exact while no operation is under way.
 * Thread and interrupt context.
 */
FH_NODISCARD
bool fh_alloc_zone(size_t index, struct fh_zone_stats *stats);

/*
 * A CPU takes part from when it comes online until it goes offline: it keeps
 * free pages at hand; others wait for it, when they want these, when they have
 * changed translations that it may have cached, and before they free what it
 * may be looking at. Before and after, allocation works all the same, and takes
 * a lock each time; but there is no atomic section (mode.h) and no address
 * space but the kernel's on a CPU that is offline. Whoever waits needs it to
 * answer fh_host_kick() and, with page tables, to call fh_poll().
 *
 * fh_init() brings the CPU that calls it online. A CPU is brought online by
 * itself, with preemption off, or, without page tables, before it starts. It
 * goes offline by itself, last, using nothing that may be unmapped; or when it
 * has stopped. Does nothing if it is so already. Thread context.
 */
void fh_cpu_online(unsigned cpu);
void fh_cpu_offline(unsigned cpu);

/*
 * Gives up what this CPU keeps at hand, if another CPU has asked for it: to be
 * called when fh_host_kick() has reached this CPU: by fh_kicked() of poll.h.
 * Thread and interrupt context.
 */
void fh_alloc_poll(void);

/*
 * Makes all CPUs give up what they keep at hand, so that every free page can
 * be taken by its number. Waits for them: thread context, interrupts on.
 */
void fh_alloc_drain(void);

FH_END_DECLS

#endif /* FRAMEHOLD_ALLOC_H */
