/* SPDX-License-Identifier: MPL-2.0 */
/* The hooks of framehold/host.h that are a few instructions: FH_HOST. */
#ifndef PORT_RISCV64_HOOKS_H
#define PORT_RISCV64_HOOKS_H

#include <framehold/addr.h>

#include "csr.h"
#include "layout.h"

/* The words above this CPU's stack, of which the first is its number. */
static inline uint64_t *cpu_words(void)
{
	uint64_t *words;

	__asm__("mv %0, tp" : "=r"(words));
	return words;
}

#define fh_host_linear fh_host_linear
/*@
  assigns \nothing;
  exits \false;
*/
static inline void *fh_host_linear(struct fh_paddr pa)
{
	return (void *)(LAYOUT_LINEAR + pa.bytes);
}

#define fh_host_cpu fh_host_cpu
static inline unsigned fh_host_cpu(void)
{
	return (unsigned)*cpu_words();
}

/*
 * Nothing moves a thread to another CPU while it runs in the kernel: only the
 * compiler could move something out of the section.
 */
#define fh_host_preempt_off fh_host_preempt_off
static inline void fh_host_preempt_off(void)
{
	__asm__ volatile("" ::: "memory");
}

#define fh_host_preempt_on fh_host_preempt_on
static inline void fh_host_preempt_on(void)
{
	__asm__ volatile("" ::: "memory");
}

#define fh_host_irq_save fh_host_irq_save
static inline uint64_t fh_host_irq_save(void)
{
	uint64_t saved;

	__asm__ volatile("csrrci %0, sstatus, %1"
			 : "=r"(saved)
			 : "i"(SSTATUS_SIE)
			 : "memory");
	return saved & SSTATUS_SIE;
}

#define fh_host_irq_restore fh_host_irq_restore
static inline void fh_host_irq_restore(uint64_t saved)
{
	csr_set_sstatus(saved);
}

/* Handlers run with interrupts off. */
#define fh_host_may_wait fh_host_may_wait
static inline bool fh_host_may_wait(void)
{
	return (csr_read_sstatus() & SSTATUS_SIE) != 0;
}

/*
 * Orders the stores for walks that follow a fence of their own. A walk may
 * still go by an older, absent entry, here or on another CPU: that ends in a
 * fault, which finds the entry and forgets the old one; by the library for
 * users' addresses, by trap.c for the kernel's. Fencing here instead would
 * empty this CPU's cache at each mapping, and no other's.
 */
#define fh_host_table_barrier fh_host_table_barrier
static inline void fh_host_table_barrier(void)
{
	__asm__ volatile("fence rw, rw" ::: "memory");
}

#define fh_host_flush_pages fh_host_flush_pages
static inline void fh_host_flush_pages(uint64_t asid, struct fh_vaddr va,
				       uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		uint64_t page = va.bytes + i * FH_PAGE_SIZE;

		/* FH_ASID_KERNEL, 0: under every number. */
		if (asid == 0)
			sfence_page(page);
		else
			sfence_page_asid(page, asid);
	}
}

#define fh_host_flush_asid fh_host_flush_asid
static inline void fh_host_flush_asid(uint64_t asid)
{
	if (asid == 0)
		sfence_all();
	else
		sfence_asid(asid);
}

#endif /* PORT_RISCV64_HOOKS_H */
