/* SPDX-License-Identifier: MPL-2.0 */
/* A system call, for programs: number in a7, arguments from a0 on. */
#ifndef PORT_RISCV64_USER_CALL_H
#define PORT_RISCV64_USER_CALL_H

#include <stdint.h>

static inline uint64_t user_call(uint64_t number, uint64_t a, uint64_t b,
				 uint64_t c, uint64_t d, uint64_t e)
{
	register uint64_t a0 __asm__("a0") = a;
	register uint64_t a1 __asm__("a1") = b;
	register uint64_t a2 __asm__("a2") = c;
	register uint64_t a3 __asm__("a3") = d;
	register uint64_t a4 __asm__("a4") = e;
	register uint64_t a7 __asm__("a7") = number;

	__asm__ volatile("ecall"
			 : "+r"(a0)
			 : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7)
			 : "memory");
	return a0;
}

#endif /* PORT_RISCV64_USER_CALL_H */
