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

/*@
  predicate flush_range_ok(integer page, integer n) =
    0 < n && 0 <= page && page + n <= FH_PAGE_NUMBER_END;

  predicate in_range(integer p, integer page, integer n) =
    page <= p < page + n;

  // One of the ranges has the page.
  predicate in_flush{L}(struct fh_flush *f, integer p) =
    \exists integer k; 0 <= k < f->count &&
      in_range(p, f->range[k].page, f->range[k].n);

  // Pages of the first n ranges.
  logic integer flush_sum{L}(struct fh_flush *f, integer n) =
    n <= 0 ? 0 : flush_sum(f, n - 1) + f->range[n - 1].n;

  predicate flush_ranges_ok{L}(struct fh_flush *f) =
    f->count <= FH_FLUSH_RANGES && f->pages == flush_sum(f, f->count) &&
    f->pages <= FH_FLUSH_LIMIT &&
    \forall integer k; 0 <= k < f->count ==>
      flush_range_ok(f->range[k].page, f->range[k].n);

  predicate flush_ok{L}(struct fh_flush *f) =
    f->all != 0 || flush_ranges_ok(f);

  // A CPU that does it has forgotten the page.
  predicate flush_covers{L}(struct fh_flush *f, integer p) =
    f->all != 0 || in_flush(f, p);
*/

/* Nothing to flush yet. */
/*@
  requires \valid(flush);
  assigns flush->pages, flush->count, flush->all;
  exits \false;
  ensures flush_ok(flush) && flush->all == 0;
  ensures \forall integer p; !flush_covers(flush, p);
*/
void fh_flush_init(struct fh_flush *flush);

/*
 * Adds n pages from page on, n <= FH_PAGE_NUMBER_END - page; none if n is 0.
 * Ranges that touch are merged; more than FH_FLUSH_LIMIT pages, or ranges than
 * there is room for, make it all pages.
 */
/*@
  requires \valid(flush) && flush_ok(flush);
  requires n <= FH_PAGE_NUMBER_END && page <= FH_PAGE_NUMBER_END - n;
  assigns *flush;
  exits \false;
  ensures flush_ok(flush);
  ensures \old(flush->all) != 0 ==> flush->all != 0;
  ensures \forall integer p; in_range(p, page, n) ==> flush_covers(flush, p);
  ensures \forall integer p; \old(flush_covers(flush, p)) ==>
    flush_covers(flush, p);
  ensures flush->all == 0 ==>
    \forall integer p; flush_covers(flush, p) ==>
      in_range(p, page, n) || \old(flush_covers(flush, p));
*/
void fh_flush_add(struct fh_flush *flush, uint64_t page, uint64_t n);

/* All pages. */
/*@
  requires \valid(flush);
  assigns flush->all;
  exits \false;
  ensures flush_ok(flush);
  ensures \forall integer p; flush_covers(flush, p);
*/
void fh_flush_add_all(struct fh_flush *flush);

/*@
  requires \valid_read(flush) && flush_ok(flush);
  assigns \nothing;
  exits \false;
  ensures \result <==> \forall integer p; !flush_covers(flush, p);
*/
static inline bool fh_flush_is_empty(const struct fh_flush *flush)
{
	/*@ assert !flush->all && flush->count > 0 ==>
	  in_range(flush->range[0].page, flush->range[0].page,
	           flush->range[0].n); */
	/*@ assert !flush->all && flush->count > 0 ==>
	  flush_covers(flush, flush->range[0].page); */
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
