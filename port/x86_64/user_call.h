/* SPDX-License-Identifier: MPL-2.0 */
/* How a program calls the kernel. */
#ifndef PORT_X86_64_USER_CALL_H
#define PORT_X86_64_USER_CALL_H

#include <stdint.h>

/* An interrupt: the same way in as for all traps, at whatever it costs. */
static inline uint64_t user_call(uint64_t number, uint64_t a1, uint64_t a2,
				 uint64_t a3, uint64_t a4, uint64_t a5)
{
	register uint64_t r8 __asm__("r8") = a5;

	__asm__ volatile("int $0x80"
			 : "+a"(number)
			 : "D"(a1), "S"(a2), "d"(a3), "c"(a4), "r"(r8)
			 : "memory");
	return number;
}

#endif /* PORT_X86_64_USER_CALL_H */
