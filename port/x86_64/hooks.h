/* SPDX-License-Identifier: MPL-2.0 */
/* Hooks of framehold/host.h as inline functions: each is a few instructions. */
#ifndef PORT_X86_64_HOOKS_H
#define PORT_X86_64_HOOKS_H

#include <framehold/addr.h>

#include "layout.h"
#include "x86.h"

#define fh_host_linear          fh_host_linear
#define fh_host_activate        fh_host_activate
#define fh_host_flush_pages     fh_host_flush_pages
#define fh_host_flush_asid      fh_host_flush_asid
#define fh_host_flush_broadcast fh_host_flush_broadcast
#define fh_host_table_barrier   fh_host_table_barrier
#define fh_host_cpu             fh_host_cpu
#define fh_host_preempt_off     fh_host_preempt_off
#define fh_host_preempt_on      fh_host_preempt_on
#define fh_host_irq_save        fh_host_irq_save
#define fh_host_irq_restore     fh_host_irq_restore
#define fh_host_may_wait        fh_host_may_wait

static inline void *fh_host_linear(struct fh_paddr pa)
{
	return (void *)(LAYOUT_LINEAR + pa.bytes);
}

/* ---- Page tables; there are no numbers of address spaces ---- */

static inline void fh_host_activate(struct fh_paddr root, uint64_t asid)
{
	(void)asid;
	x86_write_cr3(root.bytes);
}

static inline void fh_host_flush_pages(uint64_t asid, struct fh_vaddr va,
				       uint64_t n)
{
	(void)asid;
	for (uint64_t i = 0; i < n; i++)
		__asm__ volatile("invlpg (%0)"
				 :
				 : "r"(va.bytes + i * FH_PAGE_SIZE)
				 : "memory");
}

/*
 * Everything, global translations too: what switching them off does. An
 * interrupt in between may do the same.
 */
static inline void fh_host_flush_asid(uint64_t asid)
{
	uint64_t cr4 = x86_read_cr4();

	(void)asid;
	x86_write_cr4(cr4 & ~(uint64_t)CR4_PGE);
	x86_write_cr4(cr4 | CR4_PGE);
}

/* The format breaks nothing before it makes it, so this is not called. */
static inline void fh_host_flush_broadcast(struct fh_vaddr va, uint64_t n)
{
	(void)va;
	(void)n;
	__asm__ volatile("ud2");
}

/* Walks see stores in their order; the compiler has to keep it. */
static inline void fh_host_table_barrier(void)
{
	__asm__ volatile("" : : : "memory");
}

/* ---- CPUs and interrupts ---- */

/* The number stands above the first word of this CPU's stack. */
static inline unsigned fh_host_cpu(void)
{
	uint64_t sp;

	__asm__("movq %%rsp, %0" : "=r"(sp));
	sp &= ~(uint64_t)(STACK_SIZE - 1);
	return (unsigned)*(const uint64_t *)(sp + STACK_FIRST);
}

/* A thread in the kernel stays on its CPU: nothing to switch off. */
static inline void fh_host_preempt_off(void)
{
	__asm__ volatile("" : : : "memory");
}

static inline void fh_host_preempt_on(void)
{
	__asm__ volatile("" : : : "memory");
}

static inline uint64_t fh_host_irq_save(void)
{
	uint64_t flags = x86_read_flags();

	x86_interrupts_off();
	return flags;
}

static inline void fh_host_irq_restore(uint64_t saved)
{
	if ((saved & FLAGS_IF) != 0)
		x86_interrupts_on();
}

/* Handlers run with interrupts off. */
static inline bool fh_host_may_wait(void)
{
	return (x86_read_flags() & FLAGS_IF) != 0;
}

#endif /* PORT_X86_64_HOOKS_H */
