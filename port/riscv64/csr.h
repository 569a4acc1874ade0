/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Control and status registers of supervisor mode: their bits, for assembly
 * too, and how C reaches them. The names are the manual's.
 */
#ifndef PORT_RISCV64_CSR_H
#define PORT_RISCV64_CSR_H

#define SSTATUS_SIE  0x2
#define SSTATUS_SPIE 0x20
#define SSTATUS_SPP  0x100
#define SSTATUS_VS   0x600
#define SSTATUS_FS   0x6000
#define SSTATUS_SUM  0x40000

/* Interrupts, in sie and sip: software, by which CPUs kick each other; timer */
#define SIE_SSIE 0x2
#define SIE_STIE 0x20

#define SATP_MODE_SHIFT 60
#define SATP_ASID_SHIFT 44
#define SATP_SV39       8

#ifndef __ASSEMBLER__

#include <stdint.h>

/* csr_read_satp(), csr_write_satp(value) and so on. */
#define CSR_FUNCTIONS(name)                                                    \
	static inline uint64_t csr_read_##name(void)                           \
	{                                                                      \
		uint64_t value;                                                \
                                                                               \
		__asm__ volatile("csrr %0, " #name : "=r"(value)::"memory");   \
		return value;                                                  \
	}                                                                      \
	static inline void csr_write_##name(uint64_t value)                    \
	{                                                                      \
		__asm__ volatile("csrw " #name ", %0" ::"r"(value)             \
				 : "memory");                                  \
	}                                                                      \
	static inline void csr_set_##name(uint64_t bits)                       \
	{                                                                      \
		__asm__ volatile("csrs " #name ", %0" ::"r"(bits) : "memory"); \
	}                                                                      \
	static inline void csr_clear_##name(uint64_t bits)                     \
	{                                                                      \
		__asm__ volatile("csrc " #name ", %0" ::"r"(bits) : "memory"); \
	}

CSR_FUNCTIONS(sstatus)
CSR_FUNCTIONS(sie)
CSR_FUNCTIONS(sip)
CSR_FUNCTIONS(satp)
CSR_FUNCTIONS(sepc)
CSR_FUNCTIONS(scause)
CSR_FUNCTIONS(stval)

/* All that is cached; for one number; for a page of it; for a page of all. */
static inline void sfence_all(void)
{
	__asm__ volatile("sfence.vma" ::: "memory");
}

static inline void sfence_asid(uint64_t asid)
{
	__asm__ volatile("sfence.vma x0, %0" ::"r"(asid) : "memory");
}

static inline void sfence_page_asid(uint64_t va, uint64_t asid)
{
	__asm__ volatile("sfence.vma %0, %1" ::"r"(va), "r"(asid) : "memory");
}

static inline void sfence_page(uint64_t va)
{
	__asm__ volatile("sfence.vma %0" ::"r"(va) : "memory");
}

#endif /* __ASSEMBLER__ */

#endif /* PORT_RISCV64_CSR_H */
