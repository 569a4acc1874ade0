/* SPDX-License-Identifier: MPL-2.0 */
/* What the compiler's calls (tsan.c) tell the explorer (explore.c). */
#ifndef FRAMEHOLD_INTERLEAVE_EXPLORE_H
#define FRAMEHOLD_INTERLEAVE_EXPLORE_H

#include "graph.h"

enum operation {
	OP_LOAD,
	OP_STORE,
	OP_EXCHANGE,
	OP_ADD,
	OP_SUB,
	OP_AND,
	OP_OR,
	OP_XOR,
	OP_COMPARE_EXCHANGE,
};

/* One atomic access as the compiled code makes it. */
struct access {
	enum operation operation;
	void *address;
	size_t size;
	enum memory_order order;
	enum memory_order failure_order; /* of a compare-exchange */
	uint64_t operand;
	uint64_t expected; /* by a compare-exchange */
	uintptr_t pc;
};

/* Makes it; returns the value before. */
uint64_t explore_access(const struct access *access);
void explore_fence(enum memory_order order, uintptr_t pc);
void explore_plain(const void *address, size_t size, bool is_write,
		   uintptr_t pc);

#endif /* FRAMEHOLD_INTERLEAVE_EXPLORE_H */
