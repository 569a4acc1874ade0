/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From the firmware's state to C. CPUs come here at physical addresses, with
 * the MMU off, at EL1: the first one by the ELF file's entry or the beginning of
 * a flat file, the others by PSCI. The boot tables are data, so that nothing is
 * stored before caches are on.
 */
#include "layout.h"
#include "machine.h"

	.arch_extension pan

/* 4 KiB granules, walks that are write-back and inner shareable, A1 = 0. */
#define TCR_HALF(size) ((size) | 1 << 8 | 1 << 10 | 3 << 12)
#define TCR	(TCR_HALF(MACHINE_SIZE_BITS) | \
		 TCR_HALF(MACHINE_SIZE_BITS) << 16 | 2 << 30)

/*
 * The first ARMv8's reserved ones, SPAN among them; I, SA0, SA, C, M. What users
 * might do besides is not allowed to them.
 */
#define SCTLR_SPAN	(1 << 23)
#define SCTLR	(0x30500800 | SCTLR_SPAN | 1 << 12 | 1 << 4 | 1 << 3 | \
		 1 << 2 | 1 << 0)

	.section .boot, "awx"

/* The head of a flat file, as boot loaders of Linux know it. */
	b	boot_first
	.long	0
	.quad	LAYOUT_LOAD - MACHINE_MEMORY
	.quad	image_size
	.quad	2		/* little-endian, 4 KiB pages */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

/* x0: the device tree, or 0. */
	.globl	boot_first
boot_first:
	mrs	x1, CurrentEL
	cmp	x1, #1 << 2
	b.ne	wrong_level
	mov	x20, x0
	bl	mmu_on
	ldr	x1, =first_cpu
	br	x1

/* x0: the CPU's number. */
	.globl	boot_secondary
boot_secondary:
	mov	x20, x0
	bl	mmu_on
	ldr	x1, =secondary_cpu
	br	x1

mmu_on:
	ldr	x1, =MACHINE_MAIR
	msr	mair_el1, x1
	ldr	x1, =TCR
	mrs	x2, id_aa64mmfr0_el1
	and	x3, x2, #0xf		/* PARange to IPS; 48 bits at most */
	mov	x4, #5
	cmp	x3, x4
	csel	x3, x3, x4, lo
	bfi	x1, x3, #32, #3
	ubfx	x3, x2, #4, #4		/* ASIDBits to AS */
	cmp	x3, #2
	cset	x3, eq
	bfi	x1, x3, #36, #1
	mrs	x2, id_aa64mmfr1_el1
	and	x3, x2, #0xf		/* HAFDBS to HA and HD */
	cmp	x3, #1
	cset	x4, hs
	bfi	x1, x4, #39, #1
	cmp	x3, #2
	cset	x4, hs
	bfi	x1, x4, #40, #1
	msr	tcr_el1, x1
	adr	x3, boot_root
	msr	ttbr0_el1, x3
	add	x3, x3, #MACHINE_UPPER_HALF
	msr	ttbr1_el1, x3
	msr	cpacr_el1, xzr		/* floating point traps */
	msr	cntkctl_el1, xzr		/* nor may users see timers */
	msr	tpidrro_el0, xzr
	isb
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	isb
	ldr	x1, =SCTLR
	ubfx	x3, x2, #20, #4
	cbz	x3, 1f
	msr	pan, #1			/* and so from each exception on */
	bic	x1, x1, #SCTLR_SPAN
1:	msr	sctlr_el1, x1
	isb
	ret

/*
 * x0: the first root after the boot tables'. Pages of both differ in size: no
 * walk goes through the one before everything of the other is forgotten. Runs
 * at its physical address, which only the lower half has; interrupts are off.
 */
	.globl	boot_leave
boot_leave:
	adr	x1, no_entries
	msr	ttbr1_el1, x1
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	add	x0, x0, #MACHINE_UPPER_HALF
	msr	ttbr1_el1, x0
	isb
	ret

/* With a hypervisor's privileges, or more: says so on the console. */
wrong_level:
	adr	x1, wrong_level_text
	ldr	x2, =MACHINE_UART
1:	ldrb	w3, [x1], #1
	cbz	w3, 2f
	str	w3, [x2]
	b	1b
2:	adr	x1, wrong_level_exit
	mov	w0, #SEMIHOSTING_EXIT_EXTENDED
	hlt	#0xf000
3:	wfi
	b	3b

wrong_level_text:
	.ascii	"this kernel begins at EL1: no virtualization=on, secure=on\n"
	.asciz	"FAIL\n"
	.balign	8
wrong_level_exit:
	.quad	SEMIHOSTING_EXITED, 1

	.ltorg

/*
 * The boot tables. Memory and devices are what the machine has there: no page
 * is mapped with two memory types.
 */
#define TABLE		3
#define NEVER_RUN	(3 << 53)
#define MEMORY		(1 | 3 << 8 | 1 << 10)
#define DEVICE		(1 | 3 << 2 | 1 << 10 | NEVER_RUN)
#define GIB		(1 << 30)

#define TOP(address)	((address) >> 39 & 511)

	.balign	4096
	.globl	boot_root
boot_root:
	.quad	boot_identity + TABLE
	.fill	TOP(LAYOUT_LINEAR) - 1, 8, 0
	.quad	boot_linear + TABLE
	.fill	TOP(LAYOUT_DEVICES) - TOP(LAYOUT_LINEAR) - 1, 8, 0
	.quad	boot_devices + TABLE
	.fill	TOP(LAYOUT_IMAGE) - TOP(LAYOUT_DEVICES) - 1, 8, 0
	.quad	boot_image + TABLE
boot_identity:
	.quad	0, GIB | MEMORY
	.fill	510, 8, 0
boot_linear:
	.quad	DEVICE
	.quad	GIB | MEMORY | NEVER_RUN
	.quad	2 * GIB | MEMORY | NEVER_RUN
	.quad	3 * GIB | MEMORY | NEVER_RUN
	.fill	508, 8, 0
boot_devices:
	.quad	DEVICE
	.fill	511, 8, 0
boot_image:
	.fill	510, 8, 0
	.quad	GIB | MEMORY, 0
no_entries:
	.fill	256, 8, 0

/* ---- In the upper half ---- */

	.text
first_cpu:
	mov	x21, xzr
	adrp	x0, bss_begin
	add	x0, x0, :lo12:bss_begin
	adrp	x1, image_end
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b
	adrp	x0, port_tree
	str	x20, [x0, :lo12:port_tree]
	bl	enter
	bl	kernel_main

secondary_cpu:
	mov	x21, x20
	bl	enter
	mov	x0, x21
	bl	kernel_secondary_main

/* x21: the CPU's number. On its stack, with vectors, from here on. */
enter:
	msr	tpidr_el1, x21
	adrp	x0, kernel_stacks
	mov	x1, #STACK_SIZE
	madd	x0, x21, x1, x0
	mov	x1, #STACK_BEGIN
	add	sp, x0, x1
	adrp	x0, vectors
	add	x0, x0, :lo12:vectors
	msr	vbar_el1, x0
	msr	daifclr, #4		/* errors of the system */
	mov	x29, xzr
	isb
	ret
