/* SPDX-License-Identifier: MPL-2.0 */
/* The programs in the kernel's image: ELF files, linked by themselves. */
#ifndef KERNEL_PROGRAM_H
#define KERNEL_PROGRAM_H

#include "userspace.h"

/* One file; the table ends with a null name. programs.py makes it. */
struct program {
	const char *name;
	const unsigned char *file;
	const unsigned char *end;
};

extern const struct program programs[];

/* Where a program's stack ends: it grows down from there. */
#define PROGRAM_STACK_END   UINT64_C(0x3f00000000)
#define PROGRAM_STACK_PAGES UINT64_C(64)

/*
 * Loads a program into new memory: its segments at once, its stack when it is
 * touched. FH_E_INVALID: not a static ELF file of this machine's that keeps to
 * its bounds, or a segment that is writable and executable.
 */
enum fh_status program_load(const struct program *program,
			    struct userspace *memory, uint64_t *entry);

#endif /* KERNEL_PROGRAM_H */
