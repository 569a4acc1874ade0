/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Spin locks of the library's own. They are held for bounded work only, with
 * interrupts off, so that an interrupt handler of the same CPU may take them.
 * docs/LOCKING.md draws their order.
 */
#ifndef FRAMEHOLD_SRC_LOCK_H
#define FRAMEHOLD_SRC_LOCK_H

#include <framehold/atomic.h>
#include <framehold/host.h>
#include <framehold/spinlock.h>

/* Returns what fh_unlock() needs to put interrupts back as they were. */
/*@
  assigns \nothing;
  exits \false;
*/
static inline uint64_t fh_lock(struct fh_lock *lock)
{
	uint64_t saved = fh_host_irq_save();

	/* Acquire: pairs with the release of the last holder in fh_unlock(). */
	while (fh_word_cas_acquire(&lock->word, 0, 1) != 0)
		while (fh_word_load_relaxed(&lock->word) != 0)
			fh_host_relax();
	return saved;
}

/*@
  assigns \nothing;
  exits \false;
*/
static inline void fh_unlock(struct fh_lock *lock, uint64_t saved)
{
	/* Release: pairs with the acquire of the next holder in fh_lock(). */
	fh_word_store_release(&lock->word, 0);
	fh_host_irq_restore(saved);
}

#endif /* FRAMEHOLD_SRC_LOCK_H */
