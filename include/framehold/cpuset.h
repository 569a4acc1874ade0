/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sets of CPUs, by number. A set that is shared says where something is in
 * use: CPUs add and remove themselves, and others look before they ask them to
 * forget it. What stores and loads are in what order, is decided by the set's
 * words alone: every access is a read-modify-write, and those of one word have
 * an order that all CPUs agree on.
 *
 *     a CPU enters                      another one withdraws
 *       fh_cpu_set_add()                  stores to the tables
 *       loads from the tables             fh_cpu_set_snapshot(): whom to ask
 *
 * If the snapshot comes first, the one who enters sees the stores; if it comes
 * second, it has the one who entered.
 */
#ifndef FRAMEHOLD_CPUSET_H
#define FRAMEHOLD_CPUSET_H

#include <framehold/atomic.h>

FH_BEGIN_DECLS

#define FH_CPU_WORDS ((FH_MAX_CPUS + 63) / 64)

/* Zero is the empty set. */
struct fh_cpu_set {
	uint64_t word[FH_CPU_WORDS];
};

/* ---- For all to share ---- */

/* Any context; cpu < FH_MAX_CPUS here and below. */
FH_INLINE void fh_cpu_set_add(struct fh_cpu_set *set, unsigned cpu)
{
	/*
	 * Acquire: pairs with the release in fh_cpu_set_snapshot(): what was
	 * stored before is seen. Release: pairs with its acquire: who finds us
	 * sees what we did before.
	 */
	(void)fh_word_or_acquire_release(&set->word[cpu / 64],
					 UINT64_C(1) << cpu % 64);
}

FH_INLINE void fh_cpu_set_remove(struct fh_cpu_set *set, unsigned cpu)
{
	/*
	 * Release: our last use comes before. Pairs with the acquire in
	 * fh_cpu_set_snapshot(): who does not find us may end what we used.
	 */
	(void)fh_word_and_release(&set->word[cpu / 64],
				  ~(UINT64_C(1) << cpu % 64));
}

/* Writes who is in the set now to *copy, which is the caller's alone. */
FH_INLINE void fh_cpu_set_snapshot(struct fh_cpu_set *set,
				   struct fh_cpu_set *copy)
{
	/* Both orders: as fh_cpu_set_add() and fh_cpu_set_remove() say. */
	for (unsigned i = 0; i < FH_CPU_WORDS; i++)
		copy->word[i] = fh_word_or_acquire_release(&set->word[i], 0);
}

/*
 * Whether cpu is in the set: a hint, or the CPU's own question about itself.
 * Any context.
 */
FH_INLINE bool fh_cpu_set_has(const struct fh_cpu_set *set, unsigned cpu)
{
	return fh_word_load_relaxed(&set->word[cpu / 64]) >> cpu % 64 & 1;
}

/* ---- Of sets that nobody else changes ---- */

/* The first CPU from `from` on that is in the set; FH_MAX_CPUS if none is. */
unsigned fh_cpu_set_next(const struct fh_cpu_set *set, unsigned from);

FH_END_DECLS

#endif /* FRAMEHOLD_CPUSET_H */
