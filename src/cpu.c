/* SPDX-License-Identifier: MPL-2.0 */
/*
 * CPUs that come and go: everything that counts on a CPU's help is told. A CPU
 * that comes is known to flushes first, so that none passes it by while it can
 * cache anything; one that goes gives its pages back last.
 */
#include <framehold/allocator.h>

#include "flush.h"
#include "rcu.h"

void fh_cpu_online(unsigned cpu)
{
	fh_flush_online(cpu);
	fh_rcu_online(cpu);
	fh_allocator_cpu_online(cpu);
}

void fh_cpu_offline(unsigned cpu)
{
	fh_rcu_offline(cpu);
	fh_flush_offline(cpu);
	fh_allocator_cpu_offline(cpu);
}
