/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Numbers of address spaces, by which a translation cache tells them apart.
 * There are fewer than spaces: a number belongs to a space for a generation.
 * When all have been given, the next generation begins, in which only spaces
 * that run on some CPU keep theirs, and each CPU forgets everything before it
 * first switches in it.
 *
 * Why no translation of an earlier owner of a number is ever used: CPU c caches
 * under number n only while it runs a space to which n belongs. Say that n goes
 * from space A, in generation g, to space B, in a later one. c runs B only
 * after fh_asid_use() on c. If c has switched in B's generation before that,
 * it has forgotten everything at the first time, and what it has run since was
 * of this generation, or kept its number from the one before: no number has
 * had two owners in that time. If it has not, this call sees that, because the
 * generation's beginning has emptied c's `active` word, without which there is
 * no way around the lock, and forgets everything. The one space that c may run
 * across the beginning keeps its number, which is given to nobody else.
 *
 * With one number only, 0, a CPU forgets everything at each switch.
 */
#ifndef FRAMEHOLD_SRC_ASID_H
#define FRAMEHOLD_SRC_ASID_H

#include <framehold/atomic.h>
#include <framehold/host.h>

/* No machine has more. */
#define FH_ASID_LIMIT (UINT64_C(1) << 16)

/*
 * The machine has numbers 0 .. count - 1, count is 1 .. FH_ASID_LIMIT, and CPUs
 * 0 .. cpus - 1. Each CPU needs one, and one more to switch to: with fewer it
 * is as if count were 1. Once, on one CPU, before any space is activated.
 */
void fh_asid_open(uint64_t count, unsigned cpus);

/* Whether there are numbers at all. Any context. */
bool fh_asid_has_numbers(void);

/*
 * The number under which this CPU may run the space whose word that is, from
 * now on until its next call. The word is zero before the first one, and
 * atomic. May forget everything that this CPU has cached. Interrupts are off.
 */
uint64_t fh_asid_use(uint64_t *space);

/* The number that a space has, 0 if it has none. Any context. */
static inline uint64_t fh_asid_number(const uint64_t *space)
{
	/* Relaxed: fh_cpu_set_snapshot() has put us after those who run it. */
	return fh_word_load_relaxed(space) % FH_ASID_LIMIT;
}

/* Forgets all numbers. One CPU: fh_fini(). */
void fh_asid_close(void);

#endif /* FRAMEHOLD_SRC_ASID_H */
