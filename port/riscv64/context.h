/* SPDX-License-Identifier: MPL-2.0 */
#ifndef PORT_RISCV64_CONTEXT_H
#define PORT_RISCV64_CONTEXT_H

#include <stdint.h>

/* The registers x0 .. x31; pc has the place of x0, which is always zero. */
struct user_context {
	uint64_t x[32];
};

#endif /* PORT_RISCV64_CONTEXT_H */
