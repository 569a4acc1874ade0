/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Exceptions, the way into a program and back, and accesses that may fault. In
 * the kernel SP is SP_EL1, its CPU's stack; while a program runs, it is where
 * user_enter() left it, with the context's address on top.
 */
#include "machine.h"

	.text

/*
 * From the kernel: keeps what C does not, and calls handler(frame). A stack
 * pointer in a guard page is an overflow, seen without a register to spare.
 */
.macro from_kernel handler
	.balign	128
	sub	sp, sp, #FRAME_SIZE
	add	sp, sp, x0
	sub	x0, sp, x0
	tst	x0, #0x7000
	b.eq	overflow
	sub	x0, sp, x0
	sub	sp, sp, x0
	stp	x0, x1, [sp]
	adrp	x0, \handler
	add	x0, x0, :lo12:\handler
	b	call_handler
.endm

/* From a program: user_enter() returns what. */
.macro from_user what
	.balign	128
	stp	x0, x1, [sp, #-16]!
	mov	x0, #\what
	b	user_leave
.endm

	.balign	2048
	.globl	vectors
vectors:
	from_kernel trap_unexpected	/* on SP_EL0, which is not used */
	from_kernel trap_unexpected
	from_kernel trap_unexpected
	from_kernel trap_unexpected
	from_kernel trap_from_kernel
	from_kernel gic_interrupt
	from_kernel trap_unexpected
	from_kernel trap_unexpected
	from_user 0
	from_user 1
	from_user 2
	from_user 2
	from_user 2			/* AArch32: no program is */
	from_user 2
	from_user 2
	from_user 2

/* x0: the handler. */
call_handler:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x30, [sp, #144]
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	stp	x2, x3, [sp, #FRAME_PC]
	mov	x2, x0
	mov	x0, sp
	blr	x2
	ldp	x2, x3, [sp, #FRAME_PC]
	msr	elr_el1, x2
	msr	spsr_el1, x3
	ldp	x18, x30, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp]
	add	sp, sp, #FRAME_SIZE
	eret

/* x0: the stack pointer. What was on the stack is not needed any more. */
overflow:
	and	x0, x0, #~(STACK_SIZE - 1)
	mov	x1, #STACK_BEGIN
	add	sp, x0, x1
	bl	trap_overflow

/* ---- Programs ---- */

/*
 * unsigned user_enter(struct user_context *): with interrupts off, before and
 * after. What the context does not hold is kept on the stack.
 */
	.globl	user_enter
user_enter:
	stp	x0, x30, [sp, #-112]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	str	x29, [sp, #96]
	ldp	x1, x2, [x0, #CONTEXT_SP]
	ldp	x3, x4, [x0, #CONTEXT_PSTATE]
	msr	sp_el0, x1
	msr	elr_el1, x2
	msr	spsr_el1, x3
	msr	tpidr_el0, x4
	ldp	x2, x3, [x0, #16]
	ldp	x4, x5, [x0, #32]
	ldp	x6, x7, [x0, #48]
	ldp	x8, x9, [x0, #64]
	ldp	x10, x11, [x0, #80]
	ldp	x12, x13, [x0, #96]
	ldp	x14, x15, [x0, #112]
	ldp	x16, x17, [x0, #128]
	ldp	x18, x19, [x0, #144]
	ldp	x20, x21, [x0, #160]
	ldp	x22, x23, [x0, #176]
	ldp	x24, x25, [x0, #192]
	ldp	x26, x27, [x0, #208]
	ldp	x28, x29, [x0, #224]
	ldr	x30, [x0, #240]
	ldp	x0, x1, [x0]
	eret

user_leave:
	ldr	x1, [sp, #16]
	stp	x2, x3, [x1, #16]
	stp	x4, x5, [x1, #32]
	stp	x6, x7, [x1, #48]
	stp	x8, x9, [x1, #64]
	stp	x10, x11, [x1, #80]
	stp	x12, x13, [x1, #96]
	stp	x14, x15, [x1, #112]
	stp	x16, x17, [x1, #128]
	stp	x18, x19, [x1, #144]
	stp	x20, x21, [x1, #160]
	stp	x22, x23, [x1, #176]
	stp	x24, x25, [x1, #192]
	stp	x26, x27, [x1, #208]
	stp	x28, x29, [x1, #224]
	str	x30, [x1, #240]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x1]
	mrs	x2, sp_el0
	mrs	x3, elr_el1
	stp	x2, x3, [x1, #CONTEXT_SP]
	mrs	x2, spsr_el1
	mrs	x3, tpidr_el0
	stp	x2, x3, [x1, #CONTEXT_PSTATE]
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldr	x29, [sp, #96]
	ldr	x30, [sp, #8]
	add	sp, sp, #112
	ret

/* ---- Accesses that may fault ---- */

/* An instruction that goes on at `otherwise` if it cannot be done. */
.macro may_fault otherwise, instruction:vararg
8999:	\instruction
	.pushsection .fixups, "a"
	.quad	8999b, \otherwise
	.popsection
.endm

/*
 * size_t copy_from_user(void *to, uint64_t from, size_t n) and its like: what
 * faults as a word is done byte by byte, up to the very byte.
 */
	.globl	port_copy_from_user
port_copy_from_user:
	cmp	x2, #8
	b.lo	2f
	may_fault 2f, ldtr x3, [x1]
	str	x3, [x0], #8
	add	x1, x1, #8
	sub	x2, x2, #8
	b	port_copy_from_user
2:	cbz	x2, 3f
	may_fault 3f, ldtrb w3, [x1]
	strb	w3, [x0], #1
	add	x1, x1, #1
	sub	x2, x2, #1
	b	2b
3:	mov	x0, x2
	ret

	.globl	port_copy_to_user
port_copy_to_user:
	cmp	x2, #8
	b.lo	2f
	ldr	x3, [x1]
	may_fault 2f, sttr x3, [x0]
	add	x0, x0, #8
	add	x1, x1, #8
	sub	x2, x2, #8
	b	port_copy_to_user
2:	cbz	x2, 3f
	ldrb	w3, [x1]
	may_fault 3f, sttrb w3, [x0]
	add	x0, x0, #1
	add	x1, x1, #1
	sub	x2, x2, #1
	b	2b
3:	mov	x0, x2
	ret

	.globl	port_load_user32
port_load_user32:
	may_fault fail, ldtr w2, [x0]
	str	w2, [x1]
	mov	w0, #1
	ret

/* bool user_cas32(uint64_t at, expected, desired, *old): PAN is off. */
	.globl	user_cas32
user_cas32:
	may_fault fail, ldxr w4, [x0]
	cmp	w4, w1
	b.ne	1f
	may_fault fail, stxr w5, w2, [x0]
	cbnz	w5, user_cas32
1:	str	w4, [x3]
	mov	w0, #1
	ret

	.globl	port_can_read
port_can_read:
	may_fault fail, ldrb w1, [x0]
	mov	w0, #1
	ret

	.globl	port_can_write
port_can_write:
	may_fault fail, ldxrb w1, [x0]
	may_fault fail, stxrb w2, w1, [x0]
	cbnz	w2, port_can_write
	mov	w0, #1
	ret

/* bool semihosting(operation, argument): false if nobody does it. */
	.globl	semihosting
semihosting:
	may_fault fail, hlt #0xf000
	mov	w0, #1
	ret

fail:	mov	w0, #0
	ret
