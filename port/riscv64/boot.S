/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From the firmware, without tables at the image's physical address, to C in
 * the upper half. The boot tables have nothing at the addresses that this runs
 * at: the first instruction after the switch faults, and the handler is what
 * comes next, at its address in the upper half. So nothing is ever mapped at
 * its physical address.
 */
#include "csr.h"
#include "layout.h"

/* With satp's new value in t2. */
.macro enter_upper_half
	lla	t0, 1f
	li	t1, LAYOUT_IMAGE
	add	t0, t0, t1
	csrw	stvec, t0
	csrw	sie, zero
	sfence.vma
	csrw	satp, t2
	.balign	4
1:	sfence.vma
	lla	t0, trap_entry
	csrw	stvec, t0
	csrw	sscratch, zero
	li	t0, SSTATUS_SIE | SSTATUS_VS | SSTATUS_FS | SSTATUS_SUM
	csrc	sstatus, t0
.endm

	.section .text.boot, "ax"

/*
 * The first instruction of the image, for every CPU; a0: its hart id. The first
 * to come is the one that boots, and finds the device tree in a1. Firmware that
 * is asked to start another one may still do it with what it had noted for the
 * first (OpenSBI 1.1 does, if that CPU happens to look while the note is being
 * written): so all start here, and none goes by a1 but the first.
 */
	lla	t0, boot_taken
	li	t1, 1
	amoswap.w t1, t1, (t0)
	bnez	t1, another

	mv	s0, a0
	mv	s1, a1
	lla	t2, boot_root
	srli	t2, t2, 12
	li	t0, SATP_SV39 << SATP_MODE_SHIFT
	or	t2, t2, t0
	enter_upper_half
	lla	t0, boot_hart
	sd	s0, 0(t0)
	lla	t0, boot_tree
	sd	s1, 0(t0)
	lla	t0, boot_words
	ld	tp, 0(t0)
	mv	sp, tp
	call	kernel_main

another:
	lla	t0, boot_starting
	ld	t1, 0(t0)
	bne	t1, a0, not_asked_for
	ld	s0, 8(t0)
	beqz	s0, not_asked_for
	lla	t2, boot_satp
	ld	t2, 0(t2)
	enter_upper_half
	mv	tp, s0
	mv	sp, s0
	ld	a0, 0(tp)
	call	kernel_secondary_main

not_asked_for:
	csrw	sie, zero
	wfi
	j	not_asked_for
