/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What of the MMU depends on the host's processor: which access a signal is
 * about, and single accesses that a handler can make fail by changing where
 * they go on. The latter have nothing on the stack when they fault, except for
 * the jump, which says where its stack is.
 */
#define _GNU_SOURCE

#include <signal.h>
#include <ucontext.h>

#include "mmu_inside.h"

#if defined(__x86_64__)

/* clang-format off */
__asm__(
	".text\n"
	".p2align 4\n"
	"hosted_probe_begin:\n"
	".type hosted_probe_load8, @function\n"
	"hosted_probe_load8:\n"
	"	movb (%rdi), %al\n"
	"	movb %al, (%rsi)\n"
	"	movl $1, %eax\n"
	"	ret\n"
	".type hosted_probe_load64, @function\n"
	"hosted_probe_load64:\n"
	"	movq (%rdi), %rax\n"
	"	movq %rax, (%rsi)\n"
	"	movl $1, %eax\n"
	"	ret\n"
	".type hosted_probe_store8, @function\n"
	"hosted_probe_store8:\n"
	"	movb %sil, (%rdi)\n"
	"	movl $1, %eax\n"
	"	ret\n"
	".type hosted_probe_store64, @function\n"
	"hosted_probe_store64:\n"
	"	movq %rsi, (%rdi)\n"
	"	movl $1, %eax\n"
	"	ret\n"
	"hosted_probe_end:\n"
	"hosted_probe_failed:\n"
	"	xorl %eax, %eax\n"
	"	ret\n"
	/* Bytes that were not copied stay in rcx. */
	".type hosted_probe_copy, @function\n"
	"hosted_probe_copy:\n"
	"	movq %rdx, %rcx\n"
	"hosted_probe_copying:\n"
	"	rep movsb\n"
	"hosted_probe_copied:\n"
	"	movq %rcx, %rax\n"
	"	ret\n"
	/* Called code may fault anywhere: all that must survive is saved. */
	".type hosted_probe_jump, @function\n"
	"hosted_probe_jump:\n"
	"	pushq %rbx\n"
	"	pushq %rbp\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	pushq %rsi\n"
	"	movq %rsp, (%rsi)\n"
	"	call *%rdi\n"
	"	movl $1, %eax\n"
	"	jmp hosted_probe_jumped\n"
	"hosted_probe_jump_failed:\n"
	"	xorl %eax, %eax\n"
	"hosted_probe_jumped:\n"
	"	popq %rsi\n"
	"	movq $0, (%rsi)\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbp\n"
	"	popq %rbx\n"
	"	ret\n");
/* clang-format on */

extern const char hosted_probe_begin[];
extern const char hosted_probe_end[];
extern const char hosted_probe_failed[];
extern const char hosted_probe_copying[];
extern const char hosted_probe_copied[];
extern const char hosted_probe_jump_failed[];
extern int hosted_probe_load8(const void *from, uint8_t *to);
extern int hosted_probe_load64(const void *from, uint64_t *to);
extern int hosted_probe_store8(void *to, uint64_t value);
extern int hosted_probe_store64(void *to, uint64_t value);
extern size_t hosted_probe_copy(void *to, const void *from, size_t n);
extern int hosted_probe_jump(void *code, uint64_t *stack);

/* Of the error code that the processor pushes for a page fault. */
#define FAULT_WRITE UINT64_C(2)
#define FAULT_FETCH UINT64_C(16)

bool mmu_host_works(void)
{
	return true;
}

static greg_t *registers_of(void *context)
{
	return ((ucontext_t *)context)->uc_mcontext.gregs;
}

static uint64_t register_in(const void *context, int which)
{
	return (uint64_t)((const ucontext_t *)context)
		->uc_mcontext.gregs[which];
}

enum hosted_access mmu_host_access(const void *context)
{
	uint64_t error = register_in(context, REG_ERR);

	if ((error & FAULT_FETCH) != 0)
		return HOSTED_FETCH;
	return (error & FAULT_WRITE) != 0 ? HOSTED_STORE : HOSTED_LOAD;
}

uintptr_t mmu_host_pc(const void *context)
{
	return register_in(context, REG_RIP);
}

bool mmu_host_fail_probe(void *context)
{
	uintptr_t pc = mmu_host_pc(context);
	const char *on = NULL;

	if (pc >= (uintptr_t)hosted_probe_begin &&
	    pc < (uintptr_t)hosted_probe_end)
		on = hosted_probe_failed;
	if (pc == (uintptr_t)hosted_probe_copying)
		on = hosted_probe_copied;
	if (on == NULL)
		return false;
	registers_of(context)[REG_RIP] = (greg_t)(uintptr_t)on;
	return true;
}

void mmu_host_fail_jump(void *context, uint64_t stack)
{
	registers_of(context)[REG_RSP] = (greg_t)stack;
	registers_of(context)[REG_RIP] =
		(greg_t)(uintptr_t)hosted_probe_jump_failed;
}

bool mmu_probe_load8(const void *from, uint8_t *to)
{
	return hosted_probe_load8(from, to) != 0;
}

bool mmu_probe_load64(const void *from, uint64_t *to)
{
	return hosted_probe_load64(from, to) != 0;
}

bool mmu_probe_store8(void *to, uint64_t value)
{
	return hosted_probe_store8(to, value) != 0;
}

bool mmu_probe_store64(void *to, uint64_t value)
{
	return hosted_probe_store64(to, value) != 0;
}

size_t mmu_probe_copy(void *to, const void *from, size_t n)
{
	return hosted_probe_copy(to, from, n);
}

bool mmu_probe_jump(void *code, uint64_t *stack)
{
	return hosted_probe_jump(code, stack) != 0;
}

#else

/* hosted_mmu_start() fails on such a host, and nothing below is called. */

bool mmu_host_works(void)
{
	return false;
}

enum hosted_access mmu_host_access(const void *context)
{
	(void)context;
	return HOSTED_LOAD;
}

uintptr_t mmu_host_pc(const void *context)
{
	(void)context;
	return 0;
}

bool mmu_host_fail_probe(void *context)
{
	(void)context;
	return false;
}

void mmu_host_fail_jump(void *context, uint64_t stack)
{
	(void)context;
	(void)stack;
}

bool mmu_probe_load8(const void *from, uint8_t *to)
{
	(void)from;
	(void)to;
	return false;
}

bool mmu_probe_load64(const void *from, uint64_t *to)
{
	(void)from;
	(void)to;
	return false;
}

bool mmu_probe_store8(void *to, uint64_t value)
{
	(void)to;
	(void)value;
	return false;
}

bool mmu_probe_store64(void *to, uint64_t value)
{
	(void)to;
	(void)value;
	return false;
}

size_t mmu_probe_copy(void *to, const void *from, size_t n)
{
	(void)to;
	(void)from;
	return n;
}

bool mmu_probe_jump(void *code, uint64_t *stack)
{
	(void)code;
	(void)stack;
	return false;
}

#endif
