/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a kernel owes Framehold: every function that the library calls and
 * does not define. A missing one fails at link time. No hook is called with a
 * lock of the library's held, except where its comment says so; no hook may
 * call back into the library, except where its comment says so.
 *
 * Tier 0 is enough for frames on one CPU, before any heap; link host_up.c for
 * tier 2 then. port/hosted/ implements all of it.
 *
 * A port that wants hooks inlined defines FH_HOST, the name of a header with
 * static inline definitions and a macro of the same name for each, such as
 * #define fh_host_cpu fh_host_cpu.
 */
#ifndef FRAMEHOLD_HOST_H
#define FRAMEHOLD_HOST_H

#include <framehold/report.h>

#ifdef FH_HOST
#include FH_HOST
#endif

FH_BEGIN_DECLS

/* ---- Tier 0: frames, segments, lists on one CPU ---- */

/*
 * Memory is corrupt or a handle was forged: stops the machine, never returns.
 * Any context, any lock held. fh_finding_text() makes a line of the reason.
 */
#ifndef fh_host_panic
FH_NORETURN void fh_host_panic(const struct fh_finding *why);
#endif

/*
 * Where the FH_PAGE_SIZE bytes of the page at pa can be read and written: the
 * kernel's linear map. pa is aligned and has metadata, or is usable memory of
 * the map that fh_init() is working on. Pages that follow each other in one
 * span of the map do so here. Any context. The usual one:
 *
 *     return (void *)(LINEAR_BASE + pa.bytes);
 */
#ifndef fh_host_linear
/*@
  assigns \nothing;
  exits \false;
*/
void *fh_host_linear(struct fh_paddr pa);
#endif

/* What fh_host_map_window() is asked to map. */
enum fh_window {
	FH_WINDOW_SLOTS,  /* the array at FH_SLOTS */
	FH_WINDOW_LEDGER, /* the array at FH_LEDGER_PAGES, checked builds */
};

/*
 * Makes n pages of physical memory, from pa on, the pages first .. first+n-1
 * of a window: writeback, writable, global, not executable. Called by
 * fh_init(), for each piece of memory with metadata, in ascending order, and by
 * fh_memory_plug().
 * A kernel maps them in its boot page tables, by fh_boot_table_map() if it
 * likes; one whose memory has no holes may instead set fh_slot_array to the
 * linear address of the only piece. Anything but FH_OK makes fh_init() fail
 * with the same status.
 */
#ifndef fh_host_map_window
FH_NODISCARD
enum fh_status fh_host_map_window(enum fh_window window, uint64_t first,
				  struct fh_paddr pa, uint64_t n);
#endif

/* ---- Tier 1: page tables ---- */

/*
 * The number of an address space for the translation cache: what is cached
 * under another one is not used while this one is active. FH_ASID_KERNEL tags
 * nothing but global translations.
 */
#define FH_ASID_KERNEL UINT64_C(0)

/*
 * Makes the tree with that root this CPU's: its lower half, and where the
 * architecture has one root for both halves, the upper half too. Translations
 * cached under asid stay. Called with preemption off, by fh_space_activate()
 * and its like only.
 */
#ifndef fh_host_activate
void fh_host_activate(struct fh_paddr root, uint64_t asid);
#endif

/*
 * This CPU forgets what it has cached for the n pages from va on: under asid,
 * or, for FH_ASID_KERNEL, under every number and as global. Preemption or
 * interrupts are off.
 */
#ifndef fh_host_flush_pages
void fh_host_flush_pages(uint64_t asid, struct fh_vaddr va, uint64_t n);
#endif

/* The same for everything under asid; FH_ASID_KERNEL: for everything at all. */
#ifndef fh_host_flush_asid
void fh_host_flush_asid(uint64_t asid);
#endif

/*
 * Every CPU forgets what it has cached for the pages, under every number, by
 * the hardware's own means: no other CPU runs code for it. Only where the
 * table format needs entries emptied before they change; a lock is held.
 */
#ifndef fh_host_flush_broadcast
void fh_host_flush_broadcast(struct fh_vaddr va, uint64_t n);
#endif

/*
 * Stores to page tables before it are seen by the hardware's walks after it,
 * on every CPU: a barrier where the architecture needs one. Any context, any
 * lock held.
 */
#ifndef fh_host_table_barrier
void fh_host_table_barrier(void);
#endif

/* ---- Tier 2: several CPUs, interrupts ---- */

/*
 * The number of this CPU, 0 .. FH_MAX_CPUS - 1. Called with preemption or
 * interrupts off.
 */
#ifndef fh_host_cpu
/* It stays the same in proofs, where a thread does not move. */
/*@ ghost extern unsigned g_cpu; */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == g_cpu && g_cpu < FH_MAX_CPUS;
*/
unsigned fh_host_cpu(void);
#endif

/* Stops and allows again that this thread moves to another CPU; they nest. */
#ifndef fh_host_preempt_off
/*@
  assigns \nothing;
  exits \false;
*/
void fh_host_preempt_off(void);
#endif
#ifndef fh_host_preempt_on
/*@
  assigns \nothing;
  exits \false;
*/
void fh_host_preempt_on(void);
#endif

/*
 * Switches interrupts off on this CPU and returns what restore needs to put
 * them back as they were; they nest.
 */
#ifndef fh_host_irq_save
uint64_t fh_host_irq_save(void);
#endif
#ifndef fh_host_irq_restore
void fh_host_irq_restore(uint64_t saved);
#endif

/*
 * One turn of a loop that waits for another CPU: a pause instruction. Locks
 * may be held.
 */
#ifndef fh_host_relax
/*@
  assigns \nothing;
  exits \false;
*/
void fh_host_relax(void);
#endif

/* ---- Optional: user memory, for userio.h ---- */

/*
 * Copies up to n bytes between user memory of the current address space and
 * the kernel's, and returns how many it did before a fault stopped it: n if
 * none did. Thread context, no lock held; may sleep to have a page filled in.
 * A kernel without user memory links port/host_none.c.
 */
#ifndef fh_host_user_read
size_t fh_host_user_read(void *to, struct fh_vaddr from, size_t n);
#endif
#ifndef fh_host_user_write
size_t fh_host_user_write(struct fh_vaddr to, const void *from, size_t n);
#endif

/*
 * One aligned 32-bit access of user memory, relaxed: the load, or the
 * compare-exchange, which always gives the word before in *old. False on a
 * fault.
 */
#ifndef fh_host_user_load32
bool fh_host_user_load32(struct fh_vaddr from, uint32_t *value);
#endif
#ifndef fh_host_user_cas32
bool fh_host_user_cas32(struct fh_vaddr at, uint32_t expected, uint32_t desired,
			uint32_t *old);
#endif

/*
 * Whether this CPU may wait for others: interrupts are on, and this is not an
 * interrupt handler. Where it may not, the library gives up sooner. Called
 * with preemption on or off.
 */
#ifndef fh_host_may_wait
bool fh_host_may_wait(void);
#endif

/*
 * Makes the CPU call fh_kicked() of poll.h soon, whatever it is doing: by an
 * interrupt, unless the CPU looks by itself often enough. Another CPU waits for
 * it, without a lock and with interrupts on. Never called with one CPU online.
 */
#ifndef fh_host_kick
/*@
  requires cpu < FH_MAX_CPUS;
  assigns \nothing;
  exits \false;
*/
void fh_host_kick(unsigned cpu);
#endif

/* ---- With FH_HOST_RCU (config.h) only: the kernel's own grace periods ---- */

/*
 * Begins a grace period, unless one that has not begun yet can be had, and
 * returns its number; and whether that one is over: whether every section
 * between fh_host_preempt_off() and fh_host_preempt_on() that was under way
 * when it was begun has ended, and what was done in it has been seen. In Linux
 * start_poll_synchronize_rcu() and poll_state_synchronize_rcu(), in FreeBSD
 * smr_advance() and smr_poll(). Any context; a lock of the library's is held,
 * interrupts are off. Neither waits.
 */
#ifndef fh_host_rcu_begin
uint64_t fh_host_rcu_begin(void);
#endif
#ifndef fh_host_rcu_is_over
bool fh_host_rcu_is_over(uint64_t period);
#endif

/* ---- Optional: where there is nothing to do, link host_none.c ---- */

/*
 * Memory is short: gives up pages that can be had again, caches for example,
 * best n or more of them, by putting the last reference to them. Returns
 * whether there were any. May call back into the library, but not allocate.
 * Thread context; may take its time.
 */
#ifndef fh_host_reclaim
bool fh_host_reclaim(uint64_t n);
#endif

FH_END_DECLS

#endif /* FRAMEHOLD_HOST_H */
