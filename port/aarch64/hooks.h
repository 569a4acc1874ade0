/* SPDX-License-Identifier: MPL-2.0 */
/* Hooks of framehold/host.h that are a few instructions each. */
#ifndef PORT_AARCH64_HOOKS_H
#define PORT_AARCH64_HOOKS_H

#include <framehold/addr.h>

#include "layout.h"

static inline void *fh_host_linear(struct fh_paddr pa)
{
	return (void *)(LAYOUT_LINEAR + pa.bytes);
}
#define fh_host_linear fh_host_linear

/*
 * The stores have been done before the walks that the other CPUs begin from now
 * on; isb: also before those for what this CPU has already fetched.
 */
static inline void fh_host_table_barrier(void)
{
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
}
#define fh_host_table_barrier fh_host_table_barrier

static inline unsigned fh_host_cpu(void)
{
	uint64_t cpu;

	__asm__ volatile("mrs %0, tpidr_el1" : "=r"(cpu));
	return (unsigned)cpu;
}
#define fh_host_cpu fh_host_cpu

/*
 * In the kernel a thread never moves to another CPU: the compiler only has to
 * leave things where they are.
 */
static inline void fh_host_preempt_off(void)
{
	__asm__ volatile("" ::: "memory");
}
#define fh_host_preempt_off fh_host_preempt_off

static inline void fh_host_preempt_on(void)
{
	__asm__ volatile("" ::: "memory");
}
#define fh_host_preempt_on fh_host_preempt_on

static inline uint64_t fh_host_irq_save(void)
{
	uint64_t saved;

	__asm__ volatile("mrs %0, daif\n\tmsr daifset, #2"
			 : "=r"(saved)
			 :
			 : "memory");
	return saved;
}
#define fh_host_irq_save fh_host_irq_save

static inline void fh_host_irq_restore(uint64_t saved)
{
	__asm__ volatile("msr daif, %0" ::"r"(saved) : "memory");
}
#define fh_host_irq_restore fh_host_irq_restore

/* In handlers interrupts are off. */
static inline bool fh_host_may_wait(void)
{
	uint64_t masked;

	__asm__ volatile("mrs %0, daif" : "=r"(masked));
	return (masked & (1 << 7)) == 0;
}
#define fh_host_may_wait fh_host_may_wait

#endif /* PORT_AARCH64_HOOKS_H */
