/* SPDX-License-Identifier: MPL-2.0 */
/* Calls of the firmware: the Supervisor Binary Interface, version 0.2 and on. */
#ifndef PORT_RISCV64_SBI_H
#define PORT_RISCV64_SBI_H

#include <stdint.h>

#define SBI_LEGACY_PUTCHAR 0x01
#define SBI_BASE           0x10
#define SBI_BASE_PROBE     3
#define SBI_IPI            0x735049
#define SBI_IPI_SEND       0
#define SBI_TIME           0x54494d45
#define SBI_TIME_SET       0
#define SBI_RFENCE         0x52464e43
#define SBI_RFENCE_VMA     1
#define SBI_HSM            0x48534d
#define SBI_HSM_START      0
#define SBI_RESET          0x53525354
#define SBI_CONSOLE        0x4442434e
#define SBI_CONSOLE_BYTE   2

struct sbi_result {
	int64_t error; /* 0: none */
	uint64_t value;
};

static inline struct sbi_result sbi_call(uint64_t extension, uint64_t function,
					 uint64_t a, uint64_t b, uint64_t c,
					 uint64_t d)
{
	register uint64_t a0 __asm__("a0") = a;
	register uint64_t a1 __asm__("a1") = b;
	register uint64_t a2 __asm__("a2") = c;
	register uint64_t a3 __asm__("a3") = d;
	register uint64_t a6 __asm__("a6") = function;
	register uint64_t a7 __asm__("a7") = extension;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a6), "r"(a7)
			 : "memory");
	return (struct sbi_result){(int64_t)a0, a1};
}

#endif /* PORT_RISCV64_SBI_H */
