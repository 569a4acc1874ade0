/* SPDX-License-Identifier: MPL-2.0 */
/* The registers of a user program; machine.h has the offsets. */
#ifndef PORT_AARCH64_CONTEXT_H
#define PORT_AARCH64_CONTEXT_H

#include <stdint.h>

struct user_context {
	uint64_t x[31];
	uint64_t sp;
	uint64_t pc;
	uint64_t pstate;
	uint64_t thread; /* TPIDR_EL0 */
};

#endif /* PORT_AARCH64_CONTEXT_H */
