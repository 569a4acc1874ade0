/* SPDX-License-Identifier: MPL-2.0 */
/* How a program calls the kernel. */
#ifndef PORT_AARCH64_USER_CALL_H
#define PORT_AARCH64_USER_CALL_H

#include <stdint.h>

static inline uint64_t user_call(uint64_t number, uint64_t a1, uint64_t a2,
				 uint64_t a3, uint64_t a4, uint64_t a5)
{
	register uint64_t x8 __asm__("x8") = number;
	register uint64_t x0 __asm__("x0") = a1;
	register uint64_t x1 __asm__("x1") = a2;
	register uint64_t x2 __asm__("x2") = a3;
	register uint64_t x3 __asm__("x3") = a4;
	register uint64_t x4 __asm__("x4") = a5;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
}

#endif /* PORT_AARCH64_USER_CALL_H */
