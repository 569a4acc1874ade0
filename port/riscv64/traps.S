/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Traps, programs, and the accesses that may fault. While the kernel runs, tp
 * is the words above this CPU's stack (kernel/port.h) and sscratch is zero;
 * while a program runs, sscratch is what tp is to be.
 */
#include "csr.h"

/* Of the words: the stack that user_enter() was called on, its argument, t0. */
#define WORD_STACK   8
#define WORD_CONTEXT 16
#define WORD_T0      24

/* Stacks are 1 << 15 bytes and aligned, the lowest page of each is the guard. */
#define STACK_SHIFT 15
#define PAGE_SHIFT  12

	.macro	each_register op, base
	\op	x1, 8(\base)
	\op	x2, 16(\base)
	\op	x3, 24(\base)
	\op	x6, 48(\base)
	\op	x7, 56(\base)
	\op	x8, 64(\base)
	\op	x9, 72(\base)
	\op	x10, 80(\base)
	\op	x11, 88(\base)
	\op	x12, 96(\base)
	\op	x13, 104(\base)
	\op	x14, 112(\base)
	\op	x15, 120(\base)
	\op	x16, 128(\base)
	\op	x17, 136(\base)
	\op	x18, 144(\base)
	\op	x19, 152(\base)
	\op	x20, 160(\base)
	\op	x21, 168(\base)
	\op	x22, 176(\base)
	\op	x23, 184(\base)
	\op	x24, 192(\base)
	\op	x25, 200(\base)
	\op	x26, 208(\base)
	\op	x27, 216(\base)
	\op	x28, 224(\base)
	\op	x29, 232(\base)
	\op	x30, 240(\base)
	\op	x31, 248(\base)
	.endm

/* What a function called by C keeps. */
#define KEPT_SIZE 112
	.macro	each_kept op
	\op	ra, 0(sp)
	\op	s0, 8(sp)
	\op	s1, 16(sp)
	\op	s2, 24(sp)
	\op	s3, 32(sp)
	\op	s4, 40(sp)
	\op	s5, 48(sp)
	\op	s6, 56(sp)
	\op	s7, 64(sp)
	\op	s8, 72(sp)
	\op	s9, 80(sp)
	\op	s10, 88(sp)
	\op	s11, 96(sp)
	.endm

/* What a function called by C does not keep. struct kernel_frame of trap.c. */
#define FRAME_PC     0
#define FRAME_STATUS 8
#define FRAME_SIZE   144
	.macro	each_lost op
	\op	ra, 16(sp)
	\op	t0, 24(sp)
	\op	t1, 32(sp)
	\op	t2, 40(sp)
	\op	t3, 48(sp)
	\op	t4, 56(sp)
	\op	t5, 64(sp)
	\op	t6, 72(sp)
	\op	a0, 80(sp)
	\op	a1, 88(sp)
	\op	a2, 96(sp)
	\op	a3, 104(sp)
	\op	a4, 112(sp)
	\op	a5, 120(sp)
	\op	a6, 128(sp)
	\op	a7, 136(sp)
	.endm

	.text

/*
 * void user_enter(struct user_context *context): runs the program until it
 * traps. Interrupts are off before and after.
 */
	.globl	user_enter
user_enter:
	addi	sp, sp, -KEPT_SIZE
	each_kept sd
	sd	sp, WORD_STACK(tp)
	sd	a0, WORD_CONTEXT(tp)
	csrw	sscratch, tp
	li	t0, SSTATUS_SPP
	csrc	sstatus, t0
	li	t0, SSTATUS_SPIE
	csrs	sstatus, t0
	mv	t0, a0
	ld	x4, 0(t0)
	csrw	sepc, x4
	ld	x4, 32(t0)
	each_register ld, t0
	ld	t0, 40(t0)
	sret

	.globl	trap_entry
	.balign	4
trap_entry:
	csrrw	tp, sscratch, tp
	beqz	tp, from_kernel

	/* From a program: the other half of user_enter(). */
	sd	t0, WORD_T0(tp)
	ld	t0, WORD_CONTEXT(tp)
	each_register sd, t0
	csrr	t1, sepc
	sd	t1, 0(t0)
	csrrw	t1, sscratch, zero
	sd	t1, 32(t0)
	ld	t1, WORD_T0(tp)
	sd	t1, 40(t0)
	ld	sp, WORD_STACK(tp)
	each_kept ld
	addi	sp, sp, KEPT_SIZE
	ret

from_kernel:
	/* tp is free until it is had back from sscratch. */
	addi	tp, sp, -FRAME_SIZE
	slli	tp, tp, 64 - STACK_SHIFT
	srli	tp, tp, 64 - STACK_SHIFT + PAGE_SHIFT
	beqz	tp, no_stack
	csrrw	tp, sscratch, zero
	addi	sp, sp, -FRAME_SIZE
	each_lost sd
	csrr	t0, sepc
	sd	t0, FRAME_PC(sp)
	csrr	t0, sstatus
	sd	t0, FRAME_STATUS(sp)
	/* A handler has no business with users' memory. */
	li	t0, SSTATUS_SUM
	csrc	sstatus, t0
	mv	a0, sp
	call	trap_from_kernel
	ld	t0, FRAME_PC(sp)
	csrw	sepc, t0
	ld	t0, FRAME_STATUS(sp)
	csrw	sstatus, t0
	each_lost ld
	addi	sp, sp, FRAME_SIZE
	sret

no_stack:
	csrrw	tp, sscratch, zero
	lla	sp, last_stack_end
	call	trap_without_stack

	.bss
	.balign	16
	.skip	4096
last_stack_end:

/*
 * Accesses that may fault. Where one does, the program goes on at the landing;
 * only_user: not if the address was one of the kernel's.
 */
	.macro	may_fault first, end, landing, only_user
	.pushsection .rodata
	.dword	\first, \end, \landing, \only_user
	.popsection
	.endm

	.section .rodata
	.balign	8
	.globl	landings
landings:
	.text

/*
 * size_t port_copy_from_user(void *to, uint64_t from, size_t n)
 * size_t port_copy_to_user(uint64_t to, const void *from, size_t n)
 *
 * What begins in the lower half cannot get to the upper one: between them no
 * address is valid.
 */
	.globl	port_copy_from_user, port_copy_to_user
port_copy_from_user:
	bgez	a1, copy
	mv	a0, a2
	ret
port_copy_to_user:
	bgez	a0, copy
	mv	a0, a2
	ret
copy:
	li	t0, SSTATUS_SUM
	csrs	sstatus, t0
	li	t2, 8
	or	t1, a0, a1
	andi	t1, t1, 7
copy_first:
	bnez	t1, copy_bytes
copy_words:
	bltu	a2, t2, copy_bytes
	ld	t1, 0(a1)
	sd	t1, 0(a0)
	addi	a0, a0, 8
	addi	a1, a1, 8
	addi	a2, a2, -8
	j	copy_words
copy_bytes:
	beqz	a2, copy_end
	lb	t1, 0(a1)
	sb	t1, 0(a0)
	addi	a0, a0, 1
	addi	a1, a1, 1
	addi	a2, a2, -1
	j	copy_bytes
copy_end:
	csrc	sstatus, t0
	mv	a0, a2
	ret
	may_fault copy_first, copy_end, copy_end, 1

/* bool port_load_user32(uint64_t from, uint32_t *value) */
	.globl	port_load_user32
port_load_user32:
	bltz	a0, no_user32
	li	t0, SSTATUS_SUM
	csrs	sstatus, t0
load_first:
	lw	t1, 0(a0)
load_end:
	csrc	sstatus, t0
	sw	t1, 0(a1)
	li	a0, 1
	ret
user32_faulted:
	csrc	sstatus, t0
no_user32:
	li	a0, 0
	ret
	may_fault load_first, load_end, user32_faulted, 1

/*
 * bool port_cas_user32(uint64_t at, uint32_t expected, uint32_t desired,
 *                      uint32_t *old)
 */
	.globl	port_cas_user32
port_cas_user32:
	bltz	a0, no_user32
	li	t0, SSTATUS_SUM
	csrs	sstatus, t0
	sext.w	a1, a1
cas_first:
	lr.w	t1, (a0)
	bne	t1, a1, cas_end
	sc.w	t2, a2, (a0)
	bnez	t2, cas_first
cas_end:
	csrc	sstatus, t0
	sw	t1, 0(a3)
	li	a0, 1
	ret
	may_fault cas_first, cas_end, user32_faulted, 1

/*
 * bool port_can_read(uint64_t va), bool port_can_write(uint64_t va): the store
 * adds nothing to the word, in one go: it may be another CPU's.
 */
	.globl	port_can_read, port_can_write
port_can_read:
	lb	t1, 0(a0)
	li	a0, 1
	ret
port_can_write:
	andi	a0, a0, -4
	amoor.w	zero, zero, (a0)
	li	a0, 1
	ret
probe_end:
	li	a0, 0
	ret
	may_fault port_can_read, probe_end, probe_end, 0

/*
 * bool try_stimecmp(uint64_t time): sets the supervisor's timer; false if this
 * CPU has none, or the firmware keeps it.
 */
	.globl	try_stimecmp
try_stimecmp:
	csrw	0x14d, a0
	li	a0, 1
	ret
try_end:
	li	a0, 0
	ret
	may_fault try_stimecmp, try_end, try_end, 0

	.section .rodata
	.globl	landings_end
landings_end:
