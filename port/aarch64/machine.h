/* SPDX-License-Identifier: MPL-2.0 */
/* Numbers that both C and assembly need; C checks them against its own. */
#ifndef PORT_AARCH64_MACHINE_H
#define PORT_AARCH64_MACHINE_H

/* QEMU's "virt": devices below 1 GiB, memory from there on. */
#define MACHINE_GICD   0x08000000
#define MACHINE_GICC   0x08010000
#define MACHINE_GICR   0x080a0000
#define MACHINE_UART   0x09000000
#define MACHINE_MEMORY 0x40000000

#define SEMIHOSTING_WRITEC        0x03
#define SEMIHOSTING_EXIT_EXTENDED 0x20
#define SEMIHOSTING_EXITED        0x20026

/*
 * Each half is 47 bits, as large as the library's: with 48 the tables' upper
 * entries would be reached by user addresses too, and the lower ones by
 * 0xffff0... . A half's root then is half a page: TTBR1 has the second one's
 * address.
 */
#define MACHINE_SIZE_BITS  17 /* T0SZ, T1SZ */
#define MACHINE_UPPER_HALF 2048

#define MACHINE_MAIR 0x0444bbff

/* struct user_context */
#define CONTEXT_SP     248
#define CONTEXT_PSTATE 264

/* struct kernel_frame */
#define FRAME_LR   152
#define FRAME_PC   160
#define FRAME_SIZE 176

/* From a CPU's stack to where it begins: struct kernel_stack. */
#define STACK_SIZE  0x8000
#define STACK_BEGIN (STACK_SIZE - 64)

#endif /* PORT_AARCH64_MACHINE_H */
