/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Hooks that a kernel has inlined, for benchmarks of the hot paths: those of a
 * kernel that is not preempted, whose CPU's number is one access to the CPU's
 * own memory. Named by FH_HOST; the other hooks are those of the hosted machine.
 */
#ifndef FRAMEHOLD_BENCH_BENCH_HOST_H
#define FRAMEHOLD_BENCH_BENCH_HOST_H

struct bench_cpu {
	unsigned number; /* the thread sets it before it calls the library */
};

extern _Thread_local struct bench_cpu bench_cpu;

#define fh_host_cpu         fh_host_cpu
#define fh_host_preempt_off fh_host_preempt_off
#define fh_host_preempt_on  fh_host_preempt_on

static inline unsigned fh_host_cpu(void)
{
	return bench_cpu.number;
}

static inline void fh_host_preempt_off(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void fh_host_preempt_on(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

#endif /* FRAMEHOLD_BENCH_BENCH_HOST_H */
