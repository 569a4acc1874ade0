/* SPDX-License-Identifier: MPL-2.0 */
/* System calls: what programs and the kernel agree on. */
#ifndef KERNEL_USER_CALLS_H
#define KERNEL_USER_CALLS_H

#include <stdint.h>

/*
 * Addresses and lengths are in bytes, whole pages where memory is mapped. A
 * call that fails answers CALL_FAILED and has changed nothing, but for
 * CALL_PROTECT, if memory runs out between two CALL_MAPs' pages.
 */
enum call {
	CALL_EXIT,    /* status: never returns */
	CALL_PRINT,   /* text, length: as one piece, CALL_PRINT_MAX at most */
	CALL_YIELD,   /* the program goes on later, on whichever CPU */
	CALL_FORK,    /* a copy of the program; answers its id, 0 in the copy */
	CALL_THREAD,  /* entry, stack, argument: in the same memory; its id */
	CALL_STATUS,  /* id of a child: its end, or CALL_RUNNING */
	CALL_MAP,     /* address, length, CALL_* flags: zeroed when touched */
	CALL_UNMAP,   /* address, length: of one CALL_MAP, or pieces of it */
	CALL_PROTECT, /* address, length, flags */
	CALL_PROBE,   /* address: whether the kernel can read it for us */
};

#define CALL_FAILED    UINT64_MAX
#define CALL_RUNNING   (UINT64_MAX - 1)
#define CALL_PRINT_MAX 200

/* Flags of mappings. */
#define CALL_READ   UINT64_C(1)
#define CALL_WRITE  UINT64_C(2)
#define CALL_EXEC   UINT64_C(4)
#define CALL_SHARED UINT64_C(8)  /* stays the same memory over a fork */
#define CALL_LARGE  UINT64_C(16) /* at once, in pieces of 2 MiB */
#define CALL_FLAGS  UINT64_C(31)

/* The end of a program that did what it may not: with the kind of access. */
#define STATUS_READ   UINT64_C(0x100)
#define STATUS_WRITE  UINT64_C(0x101)
#define STATUS_EXEC   UINT64_C(0x102)
#define STATUS_OTHER  UINT64_C(0x103) /* an instruction that it may not run */
#define STATUS_MEMORY UINT64_C(0x104) /* there was no memory left */

#endif /* KERNEL_USER_CALLS_H */
