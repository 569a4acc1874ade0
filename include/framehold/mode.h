/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Atomic mode: a section of code that stays on one CPU, with preemption off.
 * It is also the read side of the grace period: page-table nodes that are
 * reachable in the section are not freed before it ends. Node locks, cursors
 * and walks need one, and take a pointer to it as the proof.
 *
 * Interrupts stay as they are. Nothing sleeps, and nobody waits for a flush or
 * a grace period, inside. No reference got in the section outlives it.
 */
#ifndef FRAMEHOLD_MODE_H
#define FRAMEHOLD_MODE_H

#include <framehold/host.h>

FH_BEGIN_DECLS

/* A section under way; lives on the stack. Seed: InAtomicMode. */
struct fh_atomic_mode {
	uint32_t cpu;
	uint32_t locks; /* node locks held: counted in checked builds */
};

/* Enters; sections nest, each with a struct of its own. Any context. */
static inline void fh_atomic_begin(struct fh_atomic_mode *mode)
{
	fh_host_preempt_off();
	mode->cpu = fh_host_cpu();
	mode->locks = 0;
}

/* Stops the machine: a section ended with a node's lock held. */
FH_COLD void fh_atomic_locks_left(const struct fh_atomic_mode *mode);

/* Leaves. Checked builds stop if a node lock is still held. */
static inline void fh_atomic_end(struct fh_atomic_mode *mode)
{
	if (FH_CHECKED && mode->locks != 0)
		fh_atomic_locks_left(mode);
	fh_host_preempt_on();
}

FH_END_DECLS

#endif /* FRAMEHOLD_MODE_H */
