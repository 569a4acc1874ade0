/* SPDX-License-Identifier: MPL-2.0 */
/* The registers of a user program, between two of its turns on a CPU. */
#ifndef PORT_X86_64_CONTEXT_H
#define PORT_X86_64_CONTEXT_H

#include <stdint.h>

/*
 * The CPU itself stores rip to ss here when the program traps, and entry.S the
 * rest: while a program runs, the stack that traps begin on is this.
 */
struct user_context {
	_Alignas(16) uint64_t r15;
	uint64_t r14;
	uint64_t r13;
	uint64_t r12;
	uint64_t rbp;
	uint64_t rbx;
	uint64_t r11;
	uint64_t r10;
	uint64_t r9;
	uint64_t r8;
	uint64_t rax;
	uint64_t rcx;
	uint64_t rdx;
	uint64_t rsi;
	uint64_t rdi;
	uint64_t vector; /* of its last trap */
	uint64_t error;
	uint64_t rip;
	uint64_t cs;
	uint64_t rflags;
	uint64_t rsp;
	uint64_t ss;
	uint64_t kernel_sp; /* where the kernel goes on when it traps */
};

#endif /* PORT_X86_64_CONTEXT_H */
