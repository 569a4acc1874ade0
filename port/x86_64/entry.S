/* SPDX-License-Identifier: MPL-2.0 */
/* Traps in, programs out, and accesses that may fault. */
#include "numbers.h"

	.text
	.code64

/* One entry a vector, ENTRY_SIZE bytes apart. */
	.globl trap_entries
	.balign ENTRY_SIZE
trap_entries:
	.set vector, 0
	.rept 256
	.balign ENTRY_SIZE
	.if vector >= 32 || !(VECTORS_WITH_ERROR >> (vector & 31) & 1)
	pushq $0
	.endif
	pushq $vector
	jmp trapped
	.set vector, vector + 1
	.endr

/* The stack has a struct user_context from here on, whoever trapped. */
trapped:
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	testb $3, CONTEXT_CS(%rsp)
	jnz leave_program
	cld
	movq %rsp, %rdi
	call kernel_trapped
restore:
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	addq $16, %rsp
	iretq

/*
 * void enter_program(struct user_context *context, uint64_t *trap_stack):
 * returns when the program has trapped. Interrupts are off.
 */
	.globl enter_program
enter_program:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, CONTEXT_KERNEL_SP(%rdi)
	leaq CONTEXT_KERNEL_SP(%rdi), %rax
	movq %rax, (%rsi)
	movq %rdi, %rsp
	jmp restore

/* The flags are the program's: direction, alignment, nested, stepping. */
leave_program:
	movq CONTEXT_KERNEL_SP(%rsp), %rsp
	pushq $2
	popfq
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

/*
 * Where a fault of the kernel's goes on: kernel_trapped(). AC lets the kernel
 * at user memory where there is SMAP, and does nothing to it elsewhere.
 */
	.macro fixup at, to
	.pushsection .fixups, "a"
	.quad \at, \to
	.popsection
	.endm

	.macro user_access_on
	pushfq
	orq $FLAGS_AC, (%rsp)
	popfq
	.endm

	.macro user_access_off
	pushfq
	andq $~FLAGS_AC, (%rsp)
	popfq
	.endm

/* size_t copy_user(void *to, const void *from, size_t n): what is left. */
	.globl copy_user
copy_user:
	movq %rdx, %rcx
	user_access_on
1:	rep movsb
2:	user_access_off
	movq %rcx, %rax
	ret
	fixup 1b, 2b

/* bool load_user32(const uint32_t *from, uint32_t *value) */
	.globl load_user32
load_user32:
	xorl %eax, %eax
	user_access_on
1:	movl (%rdi), %ecx
	movl $1, %eax
2:	user_access_off
	testl %eax, %eax
	jz 3f
	movl %ecx, (%rsi)
3:	ret
	fixup 1b, 2b

/* bool cas_user32(uint32_t *at, uint32_t expected, desired, uint32_t *old) */
	.globl cas_user32
cas_user32:
	movl %esi, %eax
	xorl %r8d, %r8d
	user_access_on
1:	lock cmpxchgl %edx, (%rdi)
	movl $1, %r8d
2:	user_access_off
	testl %r8d, %r8d
	jz 3f
	movl %eax, (%rcx)
3:	movl %r8d, %eax
	ret
	fixup 1b, 2b

/* bool port_can_read(uint64_t va) */
	.globl port_can_read
port_can_read:
	xorl %eax, %eax
1:	movb (%rdi), %cl
	movl $1, %eax
2:	ret
	fixup 1b, 2b

/* bool port_can_write(uint64_t va): writes what is there, in one go. */
	.globl port_can_write
port_can_write:
	xorl %eax, %eax
1:	lock orb $0, (%rdi)
	movl $1, %eax
2:	ret
	fixup 1b, 2b

	.section .note.GNU-stack, "", @progbits
