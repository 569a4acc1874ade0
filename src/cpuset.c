/* SPDX-License-Identifier: MPL-2.0 */
/* Sets of CPUs: what is not inline, and the rest for who cannot inline it. */
#include <framehold/cpuset.h>

#include "bits.h"

extern void fh_cpu_set_add(struct fh_cpu_set *set, unsigned cpu);
extern void fh_cpu_set_remove(struct fh_cpu_set *set, unsigned cpu);
extern void fh_cpu_set_snapshot(struct fh_cpu_set *set,
				struct fh_cpu_set *copy);
extern bool fh_cpu_set_has(const struct fh_cpu_set *set, unsigned cpu);

unsigned fh_cpu_set_next(const struct fh_cpu_set *set, unsigned from)
{
	for (unsigned i = from / 64; i < FH_CPU_WORDS; i++) {
		uint64_t bits = set->word[i];

		if (i == from / 64)
			bits &= ~UINT64_C(0) << from % 64;
		if (bits != 0)
			return i * 64 + fh_lowest_bit(bits);
	}
	return FH_MAX_CPUS;
}
