/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The demo kernel's one lock. Whoever waits does so with interrupts on and
 * answers kicks, so that the holder may wait for flushes. Not for interrupt
 * handlers. Zero is unlocked.
 */
#ifndef KERNEL_LOCK_H
#define KERNEL_LOCK_H

#include <framehold/atomic.h>
#include <framehold/host.h>

struct lock {
	uint64_t word;
};

static inline void lock(struct lock *lock)
{
	/* Acquire: pairs with the release in unlock(). */
	while (fh_word_cas_acquire(&lock->word, 0, 1) != 0)
		fh_host_relax();
}

static inline void unlock(struct lock *lock)
{
	/* Release: pairs with the acquire in lock(). */
	fh_word_store_release(&lock->word, 0);
}

/* The same lock, had by several who only read what it protects. */
static inline void lock_shared(struct lock *lock)
{
	uint64_t readers = fh_word_load_relaxed(&lock->word) & ~UINT64_C(1);

	/* Acquire: pairs with the release in unlock(). Readers count by twos. */
	while (fh_word_cas_acquire(&lock->word, readers, readers + 2) !=
	       readers) {
		fh_host_relax();
		readers = fh_word_load_relaxed(&lock->word) & ~UINT64_C(1);
	}
}

static inline void unlock_shared(struct lock *lock)
{
	/* Release: pairs with the acquire in lock(). */
	(void)fh_word_sub_release(&lock->word, 2);
}

#endif /* KERNEL_LOCK_H */
