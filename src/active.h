/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where an address space is active, and where something of it may be cached:
 * what a CPU does when it switches, and what one who has changed the space's
 * tables does to make all CPUs forget.
 *
 *     a CPU switches to the space          somebody changes its tables
 *       takes a number                       stores to the tables
 *       adds itself to cpus                  those not in cpus lose `fresh`
 *       not fresh: forgets the number        a snapshot of cpus; again, while
 *       loads the root, walks                  somebody not in it is fresh
 *                                            asks those in it to forget, waits
 *
 * The two accesses of cpus are read-modify-writes. If the snapshot comes
 * first, the CPU that switches sees the stores and that it is not fresh; if it
 * comes second, the CPU is asked, under the number that it has taken. A CPU
 * that runs something else keeps what it has cached, but is not asked: it
 * forgets when it comes back, and finds that it is not fresh. One that comes and
 * goes in between is found fresh after the snapshot, and loses that before the
 * next one.
 */
#ifndef FRAMEHOLD_SRC_ACTIVE_H
#define FRAMEHOLD_SRC_ACTIVE_H

#include <framehold/active.h>

#include "asid.h"
#include "flush.h"

/*
 * This CPU runs the tree with that root instead of what it has run: to instead
 * of from, either of which is null for the kernel's own tables. from may be
 * freed afterwards, as far as this CPU is concerned. Preemption is off.
 */
void fh_active_switch(struct fh_active *from, struct fh_active *to,
		      struct fh_paddr root);

/*
 * Asks all CPUs that may have cached something of the flush's pages to forget
 * it; *asked is for fh_flush_wait(). After the stores to the tables and
 * fh_host_table_barrier(). Any context but NMIs; locks may be held.
 */
void fh_active_send(struct fh_active *active, const struct fh_flush *flush,
		    struct fh_cpu_set *asked);

/* Both, in the contexts of fh_flush_wait(). */
void fh_active_flush(struct fh_active *active, const struct fh_flush *flush);

#endif /* FRAMEHOLD_SRC_ACTIVE_H */
