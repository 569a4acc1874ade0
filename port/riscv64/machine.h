/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of this port share, assembly included. */
#ifndef PORT_RISCV64_MACHINE_H
#define PORT_RISCV64_MACHINE_H

#include <fh_riscv64.h>

#include "port.h"

/* ---- boot.S and what it is given ---- */

extern uint64_t boot_hart;         /* of the first CPU */
extern uint64_t boot_tree;         /* where the device tree is */
extern uint64_t *const boot_words; /* above its stack */
extern uint64_t boot_satp;         /* of CPUs that start */
extern uint64_t boot_root[FH_PAGE_SIZE / 8];

/* The CPU that is being started: its hart id, the words above its stack. */
struct boot_starting {
	uint64_t hart;
	uint64_t *words;
};

extern struct boot_starting boot_starting;
extern uint32_t boot_taken; /* 1: a CPU has come first */

/* An address in the image, where it is in memory. */
static inline uint64_t image_pa(const void *address)
{
	return (uintptr_t)address - LAYOUT_IMAGE;
}

/* ---- traps.S ---- */

bool try_stimecmp(uint64_t time);

/* ---- paging.c ---- */

/*
 * Goes on in the mode that has the most levels, of those that the CPU has and
 * that have `levels` at most; and finds out what else its tables can do.
 */
void paging_choose(unsigned levels, bool says_svpbmt);

/* ---- Words above each CPU's stack: kernel_stack.port[] ---- */

enum {
	WORD_STACK,   /* traps.S has these three */
	WORD_CONTEXT, /* by their numbers, */
	WORD_T0,      /* one more each */
	WORD_CODE,    /* which code this CPU has seen */
	WORD_TURNS,   /* of waiting */
};

#endif /* PORT_RISCV64_MACHINE_H */
