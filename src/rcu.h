/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Grace periods. A node that was unhooked may still be walked through by who
 * found it before; it is freed when each CPU that was online at a moment after
 * that has reported once that it is in no atomic section. One period runs at a
 * time; what comes meanwhile waits for the next. Nothing is allocated: nodes
 * are linked through the words of their slots (node.h).
 *
 *     fh_rcu_defer      next  ->  current       with the monitor's lock
 *                                    |          all CPUs have reported
 *                                    v
 *                                  ready        of the CPU that was last
 *                                    |          fh_poll() and its like
 *                                    v
 *                              fh_node_reap     which makes its children ready
 *
 * Why no walk meets a freed node: the unhooking store comes before
 * fh_rcu_defer(), the period's beginning comes after, both with the lock; a
 * CPU's report takes the lock, too. A section that began before its CPU's
 * report has ended before it, and so before the node is freed; one that began
 * after the report sees the unhooking store, and does not find the node.
 */
#ifndef FRAMEHOLD_SRC_RCU_H
#define FRAMEHOLD_SRC_RCU_H

#include <framehold/cpuset.h>

/*
 * Hands over n nodes that nobody can find any more: linked by FH_NODE_NEXT
 * from first to last, 0 after it; each with the reference that its parent's
 * entry had. Translations cached through them are flushed already. Nothing if
 * n is 0. Thread context, no node lock held.
 */
void fh_rcu_defer(uint64_t first, uint64_t last, uint64_t n);

/*
 * The same for a node whose grace period is over, or that nobody ever could
 * find: for the children of a node that is being taken apart. Thread context.
 */
void fh_rcu_ready(uint64_t node);

/*
 * Takes nodes apart, of this CPU or of any, until there are none or *budget,
 * in entries, is used up; what is used is subtracted. Thread context; with the
 * contexts of fh_poll() for this CPU's own.
 */
void fh_rcu_reap(uint64_t *budget);
void fh_rcu_reap_any(uint64_t *budget);

/*
 * Defined by node.c: releases entries of a dead node from FH_NODE_PROGRESS on
 * and subtracts their number, at least 1, from *budget, which is not 0; a child
 * goes to fh_rcu_ready(). Returns true when the node itself has been given up,
 * and false when the budget has run out first: then it is called again.
 * Preemption is off, no lock is held.
 */
FH_NODISCARD
bool fh_node_reap(uint64_t node, uint64_t *budget);

/*
 * This CPU is in no atomic section. Without a lock unless a period waits for
 * it. Any context but NMIs, outside of atomic sections.
 */
void fh_rcu_quiescent(void);

/* Whether nothing waits for a period or for being taken apart. Any context. */
bool fh_rcu_idle(void);

/*
 * For fh_settle(): *mark stands for all that was handed over before; whether
 * that has been freed. A turn that returns false has side effects.
 */
uint64_t fh_rcu_mark(void);
bool fh_rcu_is_settled(uint64_t mark);

/*
 * A CPU counts from when it comes online; not any more when it goes: what is
 * ready on it waits for another period, so that others get it. fh_cpu_online().
 */
void fh_rcu_online(unsigned cpu);
void fh_rcu_offline(unsigned cpu);

/* Forgets everything. One CPU: fh_fini(). */
void fh_rcu_close(void);

#endif /* FRAMEHOLD_SRC_RCU_H */
