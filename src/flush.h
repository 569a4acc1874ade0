/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Translations that other CPUs have cached. A flush is built up on the stack
 * while entries are changed, and then done on all CPUs that may have cached
 * them: each has a queue of requests; who asks puts its own in, kicks, and
 * waits until the CPU says that it has done as asked.
 *
 *     entries changed        queue of CPU n
 *       |                   [ number, page, n ]   locked, for all to write
 *       v                         |
 *     fh_flush_send() --kick-->  fh_flush_answer(): forgets
 *       |                         |
 *     fh_flush_wait() <--------- done, a release store, after it has forgotten
 *
 * When fh_flush_wait() returns, no CPU of the set uses what the entries said
 * before they were changed: neither by what it had cached (it has forgotten
 * that), nor by a later walk (it has seen the request, and with it the stores
 * before it; fh_host_table_barrier() has been run after these).
 */
#ifndef FRAMEHOLD_SRC_FLUSH_H
#define FRAMEHOLD_SRC_FLUSH_H

#include <framehold/cpuset.h>
#include <framehold/flush.h>
#include <framehold/host.h>

/* Nothing to flush yet. */
void fh_flush_init(struct fh_flush *flush);

/*
 * Adds n pages from page on, n <= FH_PAGE_NUMBER_END - page; none if n is 0.
 * Ranges that touch are merged; more than FH_FLUSH_LIMIT pages, or ranges than
 * there is room for, make it all pages.
 */
void fh_flush_add(struct fh_flush *flush, uint64_t page, uint64_t n);

/* All pages. */
void fh_flush_add_all(struct fh_flush *flush);

static inline bool fh_flush_is_empty(const struct fh_flush *flush)
{
	return !flush->all && flush->count == 0;
}

/*
 * Forgets the pages under asid, or for FH_ASID_KERNEL under every number, on
 * this CPU. Preemption or interrupts are off.
 */
void fh_flush_local(const struct fh_flush *flush, uint64_t asid);

/*
 * Asks all CPUs of the set to forget the pages, and does so itself if it is one
 * of them. Any context but NMIs; locks may be held. Nothing if the flush is
 * empty; CPUs that are offline have nothing cached.
 */
void fh_flush_send(const struct fh_flush *flush, uint64_t asid,
		   const struct fh_cpu_set *cpus);

/*
 * Waits until all CPUs of the set have done what they had been asked before;
 * answers meanwhile. Thread context, no lock held, interrupts on, not in an
 * atomic section: stops the machine where fh_host_may_wait() says no.
 */
void fh_flush_wait(const struct fh_cpu_set *cpus);

/* Both. */
void fh_flush_all_of(const struct fh_flush *flush, uint64_t asid,
		     const struct fh_cpu_set *cpus);

/* All CPUs that are online: for translations of the kernel's own. */
void fh_flush_online_cpus(struct fh_cpu_set *cpus);

/*
 * Does what others have asked of this CPU. Called by fh_kicked(). Any context
 * but NMIs.
 */
void fh_flush_answer(void);

/*
 * CPUs have the library's tables from now on, so that those that come and go
 * have to forget. Once, before the first root is activated, on one CPU.
 */
void fh_flush_open(void);

/*
 * fh_cpu_online(), fh_cpu_offline(). Who comes forgets everything, or has it
 * asked of it if another CPU calls this; who goes, too, and is asked nothing
 * from then on.
 */
void fh_flush_online(unsigned cpu);
void fh_flush_offline(unsigned cpu);

/* Forgets all requests and CPUs. One CPU: fh_fini(). */
void fh_flush_close(void);

#endif /* FRAMEHOLD_SRC_FLUSH_H */
