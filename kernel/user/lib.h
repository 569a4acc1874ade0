/* SPDX-License-Identifier: MPL-2.0 */
/* What the programs share. Each has a main(); what it returns is its end. */
#ifndef KERNEL_USER_LIB_H
#define KERNEL_USER_LIB_H

#include "calls.h"

#include <stdbool.h>

#define PAGE_SIZE  UINT64_C(4096)
#define LARGE_SIZE (UINT64_C(2) << 20)

/* Free addresses, for the programs to divide. */
#define PLACE UINT64_C(0x10000000)

/* argument: which instance of the program it is, from 0 on. */
uint64_t main_program(uint64_t argument);

__attribute__((noreturn)) void leave(uint64_t status);
void say(const char *text);
void yield(void);
uint64_t fork(void);

/* Runs body on a stack of its own in the same memory; body leaves. */
uint64_t start_thread(void (*body)(uint64_t argument), uint64_t stack_end,
		      uint64_t argument);

/* Waits until the program or thread has ended, and returns how. */
uint64_t await(uint64_t id);

bool map(uint64_t address, uint64_t length, uint64_t flags);
bool unmap(uint64_t address, uint64_t length);
bool protect(uint64_t address, uint64_t length, uint64_t flags);
bool can_read(uint64_t address);

/* Memory at an address, accessed in one go, with nothing assumed of it. */
uint64_t load(uint64_t address);
void store(uint64_t address, uint64_t value);
uint64_t add(uint64_t address, uint64_t n); /* atomic; the value before */

/* Ends the program with the line's number if something does not hold. */
#define MUST(holds)                                                            \
	do {                                                                   \
		if (!(holds))                                                  \
			leave(__LINE__);                                       \
	} while (0)

#endif /* KERNEL_USER_LIB_H */
