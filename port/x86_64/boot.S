/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From a boot loader to C: 32-bit code with paging off goes to long mode on
 * tables that the assembler made. Other CPUs come the same way, from a page
 * that they begin in.
 *
 * The boot loader's entry differs only in what EBX points to:
 *
 *     pvh_start          named by the note; QEMU and hypervisors
 *     multiboot2_start   the image's entry; GRUB
 */
#include "layout.h"
#include "numbers.h"

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18 /* sizes of name and value; the entry's address */
	.asciz "Xen"
	.long pvh_start

	.section .boot, "ax"
	.code32

	.balign 8
multiboot2_header:
	.set header_size, multiboot2_header_end - multiboot2_header
	.long 0xe85250d6, 0, header_size
	.long 0x100000000 - 0xe85250d6 - header_size
	.short 6, 0 /* modules begin with a page */
	.long 8
	.short 0, 0 /* the end */
	.long 8
multiboot2_header_end:

	.globl multiboot2_start
pvh_start:
	movl $MAGIC_PVH, %eax
multiboot2_start:
	cli
	cld
	movl %eax, boot_magic
	movl %ebx, boot_handover
	lgdt boot_gdt_pointer
	movl $KERNEL_DS, %ecx
	movl %ecx, %ss
	movl %ecx, %ds
	movl %ecx, %es

/*
 * Five levels if the CPU has them and the command line does not say
 * "la57=off". It is looked for where the line is, or, in the one block that
 * Multiboot2 hands over, everywhere.
 */
	movl %ebx, %esi
	movl (%ebx), %ecx
	cmpl $MAGIC_MULTIBOOT2, %eax
	je find_word
	movl 24(%ebx), %esi
	movl %esi, %edi
	movl $4096, %ecx
	testl %esi, %esi
	jz count_levels
	xorl %eax, %eax
	repne scasb
	movl %edi, %ecx
	subl %esi, %ecx
find_word:
	cmpl $0x3735616c, (%esi) /* la57 */
	jne 1f
	cmpl $0x66666f3d, 4(%esi) /* =off */
	je enter_first
1:	incl %esi
	decl %ecx
	jnz find_word

count_levels:
	xorl %eax, %eax
	cpuid
	cmpl $7, %eax
	jb enter_first
	movl $7, %eax
	xorl %ecx, %ecx
	cpuid
	btl $16, %ecx
	jnc enter_first
	orl $CR4_LA57, boot_cr4
	movl $boot_root5, boot_cr3

enter_first:
	movl $first_cpu_at, %ebp
enter_long_mode:
	movl boot_cr4, %eax
	movl %eax, %cr4
	movl boot_cr3, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $EFER_BOTH, %eax
	wrmsr
	movl $CR0_ALL, %eax
	movl %eax, %cr0
	ljmp $KERNEL_CS, $1f
	.code64
1:	movl %ebp, %ebp
	jmp *(%rbp)

	.code32
enter_other:
	movl $KERNEL_DS, %ecx
	movl %ecx, %ss
	movl %ecx, %ds
	movl %ecx, %es
	movl $other_cpu_at, %ebp
	jmp enter_long_mode

/* Copied to TRAMPOLINE by port_read_boot(). */
	.globl trampoline_begin, trampoline_end
	.code16
trampoline_begin:
	cli
	lgdtl %cs:trampoline_gdt - trampoline_begin
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $BOOT_CS32, $enter_other
	.balign 4
trampoline_gdt:
	.short boot_gdt_end - boot_gdt - 1
	.long boot_gdt
trampoline_end:

	.section .boot.data, "aw"

/* Each points to the next; all memory below 4 GiB is at three addresses. */
	.set table_flags, 0x023 /* A RW P */
	.set leaf_flags, 0x0e3  /* PS D A RW P */
	.set device_index, (LAYOUT_DEVICES >> 30) & 511
	.set image_index, (LAYOUT_IMAGE >> 30) & 511
	.set linear_index, (LAYOUT_LINEAR >> 39) & 511

	.balign 0x1000
boot_root5:
	.quad boot_root4 + table_flags
	.fill 510, 8, 0
	.quad boot_root4 + table_flags
boot_root4:
	.quad boot_low + table_flags
	.fill linear_index - 1, 8, 0
	.quad boot_low + table_flags
	.fill 511 - linear_index - 1, 8, 0
	.quad boot_high + table_flags
boot_low:
	.quad boot_leaves + 0x0000 + table_flags
	.quad boot_leaves + 0x1000 + table_flags
	.quad boot_leaves + 0x2000 + table_flags
	.quad boot_leaves + 0x3000 + table_flags
	.fill 508, 8, 0
boot_high:
	.fill device_index, 8, 0
	.quad boot_leaves + 0x0000 + table_flags
	.quad boot_leaves + 0x1000 + table_flags
	.quad boot_leaves + 0x2000 + table_flags
	.quad boot_leaves + 0x3000 + table_flags
	.fill image_index - device_index - 4, 8, 0
	.quad boot_leaves + 0x0000 + table_flags
	.quad boot_leaves + 0x1000 + table_flags
boot_leaves:
	.set leaf, leaf_flags
	.rept 4 * 512
	.quad leaf
	.set leaf, leaf + 0x200000
	.endr

	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* KERNEL_CS */
	.quad 0x00cf93000000ffff /* KERNEL_DS */
	.quad 0x00cf9b000000ffff /* BOOT_CS32 */
boot_gdt_end:
boot_gdt_pointer:
	.short boot_gdt_end - boot_gdt - 1
	.long boot_gdt

	.balign 8
first_cpu_at:
	.quad first_cpu
other_cpu_at:
	.quad other_cpu
boot_magic:
	.long 0
boot_handover:
	.long 0
boot_cr3:
	.long boot_root4
boot_cr4:
	.long CR4_PAE | CR4_PGE

	.text
	.code64
first_cpu:
	movq $kernel_stacks + STACK_FIRST, %rsp
	xorl %ebp, %ebp
	movl boot_magic, %edi
	movl boot_handover, %esi
	call port_begin

/*
 * The first time, when all are woken, a CPU only says by what number the
 * interrupt controllers know it. The second time it is the one that is called.
 */
other_cpu:
	movl cpu_called, %edi
	testl %edi, %edi
	jnz 1f
	movl $1, %eax
	cpuid
	shrl $24, %ebx
	movl $1, %eax
	lock xaddl %eax, cpus_found
	cmpl $PORT_MAX_CPUS, %eax
	jae 2f
	movl %ebx, cpu_apic_ids(, %rax, 4)
2:	lock incl cpus_known
	jmp halt
1:	movl %edi, %eax
	imull $STACK_SIZE, %eax
	leaq kernel_stacks + STACK_FIRST(%rax), %rsp
	xorl %ebp, %ebp
	call port_other_begin
halt:
	cli
	hlt
	jmp halt

	.section .note.GNU-stack, "", @progbits
