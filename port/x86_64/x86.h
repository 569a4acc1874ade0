/* SPDX-License-Identifier: MPL-2.0 */
/* Instructions that C has no words for. */
#ifndef PORT_X86_64_X86_H
#define PORT_X86_64_X86_H

#include <stdint.h>

#include "numbers.h"

static inline void x86_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void x86_out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t x86_in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void x86_write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value),
			   "d"((uint32_t)(value >> 32)));
}

struct x86_cpuid {
	uint32_t eax;
	uint32_t ebx;
	uint32_t ecx;
	uint32_t edx;
};

/* All zero if the CPU has no such leaf. */
static inline struct x86_cpuid x86_cpuid(uint32_t leaf)
{
	struct x86_cpuid is;

	__asm__("cpuid"
		: "=a"(is.eax), "=b"(is.ebx), "=c"(is.ecx), "=d"(is.edx)
		: "a"(leaf & 0x80000000), "c"(0));
	if (is.eax < leaf)
		return (struct x86_cpuid){0};
	__asm__("cpuid"
		: "=a"(is.eax), "=b"(is.ebx), "=c"(is.ecx), "=d"(is.edx)
		: "a"(leaf), "c"(0));
	return is;
}

static inline uint64_t x86_read_cr2(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr2, %0" : "=r"(value));
	return value;
}

static inline uint64_t x86_read_cr3(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr3, %0" : "=r"(value));
	return value;
}

static inline uint64_t x86_read_cr4(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr4, %0" : "=r"(value));
	return value;
}

/* Memory: what was cached of tables is forgotten, so no access may pass it. */
static inline void x86_write_cr3(uint64_t value)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(value) : "memory");
}

static inline void x86_write_cr4(uint64_t value)
{
	__asm__ volatile("movq %0, %%cr4" : : "r"(value) : "memory");
}

static inline uint64_t x86_read_flags(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags) : : "memory");
	return flags;
}

static inline void x86_interrupts_off(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void x86_interrupts_on(void)
{
	__asm__ volatile("sti" : : : "memory");
}

#endif /* PORT_X86_64_X86_H */
