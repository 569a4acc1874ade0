/* SPDX-License-Identifier: MPL-2.0 */
/* Traps: what they mean, from the kernel and from programs. */
#include "machine.h"

#define CAUSE_INTERRUPT (UINT64_C(1) << 63)
#define CAUSE_SOFTWARE  (CAUSE_INTERRUPT | 1)
#define CAUSE_CALL      8
#define CAUSE_EXEC      12
#define CAUSE_READ      13
#define CAUSE_WRITE     15

/* traps.S fills it in. */
struct kernel_frame {
	uint64_t pc;
	uint64_t status;
	uint64_t lost[16];
};

/* An access that may fault; traps.S lists them. */
struct landing {
	uint64_t first;
	uint64_t end;
	uint64_t landing;
	uint64_t only_user;
};

_Static_assert(sizeof(struct kernel_frame) == 144, "FRAME_SIZE of traps.S");
_Static_assert(KERNEL_STACK_SIZE == 1 << 15, "STACK_SHIFT of traps.S");

extern const struct landing landings[];
extern const struct landing landings_end[];

void user_enter(struct user_context *context);
void trap_from_kernel(struct kernel_frame *frame);
FH_NORETURN void trap_without_stack(void);

/* ---- Causes ---- */

static const char *const reasons[] = {
	[0] = "an instruction that is not aligned",
	[1] = "an instruction where there is no memory",
	[2] = "an illegal instruction",
	[3] = "a breakpoint",
	[4] = "a load that is not aligned",
	[5] = "a load where there is no memory",
	[6] = "a store that is not aligned",
	[7] = "a store where there is no memory",
	[9] = "a call of the firmware",
};

static const char *reason_of(uint64_t cause)
{
	const char *reason = NULL;

	if (cause < sizeof(reasons) / sizeof(reasons[0]))
		reason = reasons[cause];
	return reason != NULL ? reason : "a cause that nobody expects";
}

static bool is_fault(uint64_t cause)
{
	return cause == CAUSE_EXEC || cause == CAUSE_READ ||
	       cause == CAUSE_WRITE;
}

static enum fh_access access_of(uint64_t cause)
{
	if (cause == CAUSE_EXEC)
		return FH_ACCESS_EXEC;
	return cause == CAUSE_WRITE ? FH_ACCESS_WRITE : FH_ACCESS_READ;
}

/* The trap that this CPU has just taken. */
static struct trap trap_taken(uint64_t pc, bool is_user)
{
	uint64_t cause = csr_read_scause();
	struct trap trap = {
		.kind = TRAP_OTHER,
		.pc = pc,
		.address = csr_read_stval(),
		.access = access_of(cause),
		.cause = cause,
		.why = reason_of(cause),
	};

	if ((cause & CAUSE_INTERRUPT) != 0)
		trap.kind = TRAP_INTERRUPT;
	else if (is_fault(cause))
		trap.kind = TRAP_FAULT;
	else if (cause == CAUSE_CALL && is_user)
		trap.kind = TRAP_SYSCALL;
	return trap;
}

/* Only software interrupts are switched on. */
static void answer_interrupt(const struct trap *trap)
{
	if (trap->cause != CAUSE_SOFTWARE)
		kernel_trap(trap);
	csr_clear_sip(SIE_SSIE);
	/* Who kicks from now on is heard again; what was asked before is seen. */
	__asm__ volatile("fence iorw, iorw" ::: "memory");
	fh_kicked();
}

/* ---- From the kernel ---- */

/*
 * What an access needs of a leaf; a program's page is none of the kernel's. A
 * memory type that is not known to be allowed is one that faults each time.
 */
static bool allows(uint64_t pte, unsigned level, enum fh_access access)
{
	uint32_t flags = fh_riscv64_prop(pte, level).flags;
	uint32_t needs = FH_PAGE_ACCESSED;

	if ((pte & (FH_RISCV64_NC | FH_RISCV64_IO)) != 0 &&
	    (port_table_format().features & FH_RISCV64_SVPBMT) == 0)
		return false;
	if (access == FH_ACCESS_WRITE)
		needs |= FH_PAGE_WRITE | FH_PAGE_DIRTY;
	else
		needs |= access == FH_ACCESS_EXEC ? FH_PAGE_EXEC : FH_PAGE_READ;
	return (flags & (needs | FH_PAGE_USER)) == needs;
}

/*
 * Whether the tables allow what has faulted: the CPU had cached that there was
 * nothing, which it may until it is told to forget.
 */
static bool was_cached(const struct trap *trap)
{
	unsigned level = port_table_format().levels;
	uint64_t frame = csr_read_satp() % (UINT64_C(1) << SATP_ASID_SHIFT);

	for (; level > 0; level--) {
		const uint64_t *table =
			fh_host_linear((struct fh_paddr){frame * FH_PAGE_SIZE});
		uint64_t index = trap->address >> (3 + 9 * level) & 511;
		uint64_t pte = fh_word_load_relaxed(&table[index]);
		enum fh_pte_kind kind = fh_riscv64_kind(pte, level);

		if (kind == FH_PTE_LEAF)
			return allows(pte, level, trap->access);
		if (kind == FH_PTE_ABSENT)
			return false;
		frame = fh_riscv64_frame(pte, level);
	}
	return false;
}

static const struct landing *find_landing(const struct trap *trap)
{
	bool is_user_address = trap->address < LAYOUT_LINEAR;

	for (const struct landing *at = landings; at < landings_end; at++)
		if (trap->pc >= at->first && trap->pc < at->end &&
		    (at->only_user == 0 || is_user_address))
			return at;
	return NULL;
}

void trap_from_kernel(struct kernel_frame *frame)
{
	struct trap trap = trap_taken(frame->pc, false);
	const struct landing *landing;

	if (trap.kind == TRAP_INTERRUPT) {
		answer_interrupt(&trap);
		return;
	}
	if (trap.kind == TRAP_FAULT && trap.address >= LAYOUT_LINEAR &&
	    was_cached(&trap)) {
		sfence_page(trap.address);
		return;
	}
	landing = find_landing(&trap);
	if (landing == NULL)
		kernel_trap(&trap);
	frame->pc = landing->landing;
}

FH_NORETURN void trap_without_stack(void)
{
	struct trap trap = trap_taken(csr_read_sepc(), false);

	trap.kind = TRAP_OTHER;
	trap.why = "the stack is used up";
	kernel_trap(&trap);
}

/* ---- From programs ---- */

void port_user_begin(struct user_context *context, uint64_t entry,
		     uint64_t stack, uint64_t argument)
{
	*context = (struct user_context){{0}};
	context->x[0] = entry;
	context->x[2] = stack;
	context->x[10] = argument;
}

/* The number is in a7, arguments are in a0 to a4. */
uint64_t port_user_word(const struct user_context *context, unsigned i)
{
	return context->x[i == 0 ? 17 : 9 + i];
}

void port_user_answer(struct user_context *context, uint64_t value)
{
	context->x[10] = value;
}

/* Goes down each time; a CPU that has seen another value fetches anew. */
static uint64_t code_version;

void port_sync_code(const void *code, size_t n)
{
	(void)code;
	(void)n;
	/* Release: pairs with the acquire in see_code(). */
	(void)fh_word_sub_release(&code_version, 1);
	__asm__ volatile("fence.i" ::: "memory");
}

static void see_code(void)
{
	uint64_t *seen = &cpu_words()[1 + WORD_CODE];
	uint64_t version = fh_word_load_acquire(&code_version);

	if (*seen != version) {
		__asm__ volatile("fence.i" ::: "memory");
		*seen = version;
	}
}

void port_user_run(struct user_context *context, struct trap *trap)
{
	csr_clear_sstatus(SSTATUS_SIE);
	see_code();
	user_enter(context);
	*trap = trap_taken(context->x[0], true);
	if (trap->kind == TRAP_SYSCALL)
		context->x[0] += 4;
	else if (trap->kind == TRAP_INTERRUPT)
		answer_interrupt(trap);
	csr_set_sstatus(SSTATUS_SIE);
}

/* SUM is off. */
bool port_guards_programs(void)
{
	return true;
}
