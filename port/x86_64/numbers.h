/* SPDX-License-Identifier: MPL-2.0 */
/* Numbers that assembly and C have to agree on. */
#ifndef PORT_X86_64_NUMBERS_H
#define PORT_X86_64_NUMBERS_H

#define PORT_MAX_CPUS 16

/* struct kernel_stack: its size, and where its first word is pushed below. */
#define STACK_SIZE  0x8000
#define STACK_FIRST 0x7fc0

/* Selectors, the user's with their privilege level; one TSS each CPU. */
#define KERNEL_CS 0x08
#define KERNEL_DS 0x10
#define USER_CS   0x1b
#define USER_DS   0x23
#define FIRST_TSS 0x28
/* In boot.S's table, where the user's code is later: 32-bit code. */
#define BOOT_CS32 0x18

#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_PROTECTION   13
#define VECTOR_PAGE_FAULT   14
#define VECTOR_SYSTEM_CALL  0x80
#define VECTOR_KICK         0xf0
#define VECTOR_WAKE         0xf1
#define VECTOR_SPURIOUS     0xff
#define ENTRY_SIZE          16
/* Exceptions that push an error code: 8, 10 to 14, 17, 21, 29, 30. */
#define VECTORS_WITH_ERROR 0x60227d00

/* Offsets in struct user_context. */
#define CONTEXT_CS        144
#define CONTEXT_KERNEL_SP 176

/* Where other CPUs begin, in real mode: a page below 1 MiB. */
#define TRAMPOLINE 0x8000

/* What a boot loader leaves in EAX, and in the first word at EBX for PVH. */
#define MAGIC_MULTIBOOT2 0x36d76289
#define MAGIC_PVH        0x336ec578

#define CR0_ALL  0x80010037 /* PG WP NE ET EM MP PE: no floating point */
#define CR4_PAE  0x00000020
#define CR4_PGE  0x00000080
#define CR4_LA57 0x00001000
#define CR4_SMEP 0x00100000
#define CR4_SMAP 0x00200000

#define MSR_EFER  0xc0000080
#define EFER_BOTH 0x00000900 /* LME NXE */
#define MSR_PAT   0x00000277

#define FLAGS_IF 0x00000200
#define FLAGS_AC 0x00040000

#endif /* PORT_X86_64_NUMBERS_H */
