/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Traps: vectors, what the kernel does about its own, and programs, which run
 * from one trap to the next.
 */
#include "inside.h"

#include <framehold/poll.h>

/* entry.S */
extern const char trap_entries[];
extern const uint64_t fixups_begin[]; /* pairs: fault at, go on at */
extern const uint64_t fixups_end[];
void enter_program(struct user_context *context, uint64_t *trap_stack);
void kernel_trapped(struct user_context *at);
size_t copy_user(void *to, const void *from, size_t n);
bool load_user32(const uint32_t *from, uint32_t *value);
bool cas_user32(uint32_t *at, uint32_t expected, uint32_t desired,
		uint32_t *old);

FH_STATIC_ASSERT(offsetof(struct user_context, cs) == CONTEXT_CS &&
			 offsetof(struct user_context, kernel_sp) ==
				 CONTEXT_KERNEL_SP,
		 "entry.S stores at these offsets");
FH_STATIC_ASSERT(CONTEXT_KERNEL_SP % 16 == 0,
		 "a CPU aligns the stack before it stores there");

/* ---- Vectors ---- */

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint16_t kind; /* and number of the stack, if it has its own */
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t zero;
};

/* Interrupts are off behind all of them. */
#define GATE_KERNEL 0x8e00
#define GATE_USER   0xee00

static struct gate vectors[256];

static void set_gate(unsigned vector, uint16_t kind)
{
	uint64_t entry = (uintptr_t)trap_entries + vector * ENTRY_SIZE;

	vectors[vector] = (struct gate){
		.offset_low = (uint16_t)entry,
		.selector = KERNEL_CS,
		.kind = kind,
		.offset_middle = (uint16_t)(entry >> 16),
		.offset_high = (uint32_t)(entry >> 32),
	};
}

static void make_vectors(void)
{
	for (unsigned vector = 0; vector < 256; vector++)
		set_gate(vector, GATE_KERNEL);
	set_gate(VECTOR_SYSTEM_CALL, GATE_USER);
	/* The stack that failed, from its beginning: nobody returns there. */
	set_gate(VECTOR_DOUBLE_FAULT, GATE_KERNEL | 1);
}

void vectors_load(void)
{
	struct {
		uint16_t unused[3];
		uint16_t limit;
		uint64_t base;
	} table = {.limit = sizeof(vectors) - 1, .base = (uintptr_t)vectors};

	if (vectors[0].selector == 0)
		make_vectors();
	__asm__ volatile("lidt %0" : : "m"(table.limit), "m"(table));
}

/* ---- What happened ---- */

static const char *const exceptions[32] = {
	[0] = "division by zero",
	[1] = "debug trap",
	[2] = "non-maskable interrupt",
	[3] = "breakpoint",
	[6] = "no such instruction",
	[7] = "no vector registers",
	[VECTOR_DOUBLE_FAULT] = "double fault",
	[10] = "wrong task state",
	[11] = "no such segment",
	[12] = "stack segment",
	[VECTOR_PROTECTION] = "protection",
	[VECTOR_PAGE_FAULT] = "reserved bits in a page table",
	[17] = "alignment",
	[18] = "machine check",
};

/* Bits of a page fault's error code. */
#define FAULT_WRITE    2u
#define FAULT_RESERVED 8u
#define FAULT_FETCH    16u

static enum fh_access access_of(uint64_t error)
{
	if ((error & FAULT_FETCH) != 0)
		return FH_ACCESS_EXEC;
	return (error & FAULT_WRITE) != 0 ? FH_ACCESS_WRITE : FH_ACCESS_READ;
}

/* Before anything that may fault itself. */
static void describe(const struct user_context *at, struct trap *trap)
{
	*trap = (struct trap){
		.kind = TRAP_OTHER,
		.pc = at->rip,
		.cause = at->vector << 32 | at->error,
		.why = "interrupt from nowhere",
	};
	if (at->vector == VECTOR_SYSTEM_CALL) {
		trap->kind = TRAP_SYSCALL;
	} else if (at->vector >= VECTOR_KICK) {
		trap->kind = TRAP_INTERRUPT;
	} else if (at->vector < 32) {
		trap->why = exceptions[at->vector];
		if (trap->why == NULL)
			trap->why = "exception";
	}
	if (at->vector == VECTOR_PAGE_FAULT) {
		trap->address = x86_read_cr2();
		trap->access = access_of(at->error);
		if ((at->error & FAULT_RESERVED) == 0)
			trap->kind = TRAP_FAULT;
	}
}

static void answer_interrupt(uint64_t vector)
{
	if (vector == VECTOR_KICK || vector == VECTOR_WAKE)
		cpu_interrupt_has_come();
	if (vector == VECTOR_KICK)
		fh_kicked();
}

/* ---- In the kernel ---- */

static bool is_expected(struct user_context *at)
{
	if (at->vector != VECTOR_PAGE_FAULT && at->vector != VECTOR_PROTECTION)
		return false;
	for (const uint64_t *pair = fixups_begin; pair < fixups_end;
	     pair += 2) {
		if (pair[0] == at->rip) {
			at->rip = pair[1];
			return true;
		}
	}
	return false;
}

void kernel_trapped(struct user_context *at)
{
	struct trap trap;

	describe(at, &trap);
	if (trap.kind == TRAP_INTERRUPT)
		answer_interrupt(at->vector);
	else if (!is_expected(at))
		kernel_trap(&trap);
}

/* ---- Programs ---- */

void port_user_begin(struct user_context *context, uint64_t entry,
		     uint64_t stack, uint64_t argument)
{
	*context = (struct user_context){
		.rdi = argument,
		.rip = entry,
		.cs = USER_CS,
		.rflags = FLAGS_IF,
		/* As if the entry had been called. */
		.rsp = stack - sizeof(uint64_t),
		.ss = USER_DS,
	};
}

uint64_t port_user_word(const struct user_context *context, unsigned i)
{
	const uint64_t words[] = {context->rax, context->rdi, context->rsi,
				  context->rdx, context->rcx, context->r8};

	return words[i];
}

void port_user_answer(struct user_context *context, uint64_t value)
{
	context->rax = value;
}

/*
 * Going to an address that is none faults in the kernel, on the program's
 * context as a stack: a system call in the last bytes of the lower half asks
 * for that.
 */
static bool can_enter(const struct user_context *context)
{
	unsigned bits = (x86_read_cr4() & CR4_LA57) != 0 ? 56 : 47;

	return context->rip >> bits == 0;
}

void port_user_run(struct user_context *context, struct trap *trap)
{
	if (!can_enter(context)) {
		*trap = (struct trap){
			.kind = TRAP_OTHER,
			.pc = context->rip,
			.why = "no address",
		};
		return;
	}
	x86_interrupts_off();
	enter_program(context, cpu_trap_stack());
	describe(context, trap);
	if (trap->kind == TRAP_INTERRUPT)
		answer_interrupt(context->vector);
	x86_interrupts_on();
}

/* The kernel's half is no user's memory, whatever the tables allow. */
static bool is_user_memory(uint64_t at, size_t n)
{
	return at >> 63 == 0 && n <= (UINT64_C(1) << 63) - at;
}

size_t port_copy_from_user(void *to, uint64_t from, size_t n)
{
	if (!is_user_memory(from, n))
		return n;
	return copy_user(to, (const void *)from, n);
}

size_t port_copy_to_user(uint64_t to, const void *from, size_t n)
{
	if (!is_user_memory(to, n))
		return n;
	return copy_user((void *)to, from, n);
}

bool port_load_user32(uint64_t from, uint32_t *value)
{
	return is_user_memory(from, sizeof(*value)) &&
	       load_user32((const uint32_t *)from, value);
}

bool port_cas_user32(uint64_t at, uint32_t expected, uint32_t desired,
		     uint32_t *old)
{
	return is_user_memory(at, sizeof(*old)) &&
	       cas_user32((uint32_t *)at, expected, desired, old);
}

/* Caches are coherent, and going to a program begins fetching anew. */
void port_sync_code(const void *code, size_t n)
{
	(void)code;
	(void)n;
}
