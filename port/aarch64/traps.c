/* SPDX-License-Identifier: MPL-2.0 */
/* Exceptions, once vectors.S has saved what they interrupted; programs. */
#include "gic.h"
#include "machine.h"
#include "port.h"
#include "registers.h"

/* What the kernel did when it was interrupted; on its stack. */
struct kernel_frame {
	uint64_t x[19];
	uint64_t lr;
	uint64_t pc;
	uint64_t pstate;
};

_Static_assert(offsetof(struct kernel_frame, lr) == FRAME_LR &&
		       offsetof(struct kernel_frame, pc) == FRAME_PC &&
		       sizeof(struct kernel_frame) == FRAME_SIZE,
	       "vectors.S");
_Static_assert(offsetof(struct user_context, sp) == CONTEXT_SP &&
		       offsetof(struct user_context, pstate) == CONTEXT_PSTATE,
	       "vectors.S");
_Static_assert(sizeof(struct kernel_stack) == STACK_SIZE &&
		       offsetof(struct kernel_stack, cpu) == STACK_BEGIN,
	       "boot.S and vectors.S");

/* An instruction that may fault, and where to go on if it does. */
struct fixup {
	uint64_t from;
	uint64_t to;
};

extern const struct fixup fixups_begin[];
extern const struct fixup fixups_end[];

/* ---- What happened ---- */

/* Exception classes of ESR_EL1. */
#define CLASS_SYSCALL        0x15
#define CLASS_FETCH_BY_USER  0x20
#define CLASS_FETCH          0x21
#define CLASS_ACCESS_BY_USER 0x24
#define CLASS_ACCESS         0x25

static const char *const classes[64] = {
	[0x00] = "an instruction that is none",
	[0x01] = "waiting for interrupts or events",
	[0x07] = "floating point",
	[0x0e] = "illegal state",
	[0x11] = "a system call of AArch32",
	[CLASS_SYSCALL] = "a system call",
	[0x18] = "a system register",
	[CLASS_FETCH_BY_USER] = "an instruction that cannot be had",
	[CLASS_FETCH] = "an instruction that cannot be had",
	[0x22] = "a misaligned program counter",
	[CLASS_ACCESS_BY_USER] = "memory that does not answer",
	[CLASS_ACCESS] = "memory that does not answer",
	[0x26] = "a misaligned stack pointer",
	[0x2f] = "an error of the system",
	[0x30] = "a breakpoint",
	[0x31] = "a breakpoint",
	[0x32] = "a single step",
	[0x33] = "a single step",
	[0x34] = "a watchpoint",
	[0x35] = "a watchpoint",
	[0x3c] = "a breakpoint",
};

/* The tables said no: no entry, one not accessed yet, or not allowed. */
static bool is_by_tables(uint64_t esr)
{
	uint64_t status = esr & 0x3f;

	return status >= 4 && status < 16;
}

static void describe(struct trap *trap, uint64_t esr, uint64_t far)
{
	uint64_t class = esr >> 26 & 0x3f;
	bool is_fetch = class == CLASS_FETCH || class == CLASS_FETCH_BY_USER;
	bool is_access = class == CLASS_ACCESS || class == CLASS_ACCESS_BY_USER;

	trap->cause = esr;
	if (class == CLASS_SYSCALL) {
		trap->kind = TRAP_SYSCALL;
	} else if ((is_fetch || is_access) && is_by_tables(esr)) {
		trap->kind = TRAP_FAULT;
		trap->address = far;
		trap->access = is_fetch              ? FH_ACCESS_EXEC
			       : (esr & 1 << 6) != 0 ? FH_ACCESS_WRITE
						     : FH_ACCESS_READ;
	} else {
		trap->kind = TRAP_OTHER;
		trap->why = classes[class];
	}
}

/* ---- In the kernel; vectors.S calls these ---- */

void trap_from_kernel(struct kernel_frame *frame);
FH_NORETURN void trap_unexpected(const struct kernel_frame *frame);
FH_NORETURN void trap_overflow(void);

void trap_from_kernel(struct kernel_frame *frame)
{
	struct trap trap = {.pc = frame->pc};

	for (const struct fixup *fixup = fixups_begin; fixup < fixups_end;
	     fixup++) {
		if (fixup->from == frame->pc) {
			frame->pc = fixup->to;
			return;
		}
	}
	describe(&trap, read_register("esr_el1"), read_register("far_el1"));
	kernel_trap(&trap);
}

FH_NORETURN void trap_unexpected(const struct kernel_frame *frame)
{
	const struct trap trap = {
		.kind = TRAP_OTHER,
		.pc = frame->pc,
		.cause = read_register("esr_el1"),
		.why = "an error of the system, or an unexpected interrupt",
	};

	kernel_trap(&trap);
}

FH_NORETURN void trap_overflow(void)
{
	const struct trap trap = {
		.kind = TRAP_OTHER,
		.pc = read_register("elr_el1"),
		.cause = read_register("esr_el1"),
		.why = "the stack is full",
	};

	kernel_trap(&trap);
}

/* ---- Programs ---- */

/* What user_enter() returns. */
enum left_by {
	LEFT_BY_EXCEPTION,
	LEFT_BY_INTERRUPT,
	LEFT_BY_ERROR,
};

unsigned user_enter(struct user_context *context);
bool user_cas32(uint64_t at, uint32_t expected, uint32_t desired,
		uint32_t *old);

void port_user_begin(struct user_context *context, uint64_t entry,
		     uint64_t stack, uint64_t argument)
{
	/* PSTATE: EL0, nothing masked. */
	*context = (struct user_context){
		.x[0] = argument,
		.sp = stack,
		.pc = entry,
	};
}

uint64_t port_user_word(const struct user_context *context, unsigned i)
{
	return context->x[i == 0 ? 8 : i - 1];
}

void port_user_answer(struct user_context *context, uint64_t value)
{
	context->x[0] = value;
}

void port_user_run(struct user_context *context, struct trap *trap)
{
	uint64_t saved = fh_host_irq_save();
	unsigned left_by = user_enter(context);

	*trap = (struct trap){.pc = context->pc};
	if (left_by == LEFT_BY_EXCEPTION) {
		describe(trap, read_register("esr_el1"),
			 read_register("far_el1"));
	} else if (left_by == LEFT_BY_INTERRUPT) {
		trap->kind = TRAP_INTERRUPT;
		gic_interrupt(NULL);
	} else {
		trap->kind = TRAP_OTHER;
		trap->cause = read_register("esr_el1");
		trap->why = "an error of the system";
	}
	fh_host_irq_restore(saved);
}

/* PAN. */
bool port_guards_programs(void)
{
	return (read_register("id_aa64mmfr1_el1") >> 20 & 0xf) != 0;
}

/* The other accesses to user memory are made with a user's privileges. */
bool port_cas_user32(uint64_t at, uint32_t expected, uint32_t desired,
		     uint32_t *old)
{
	bool has_pan = port_guards_programs();

	if (has_pan)
		write_register("S3_0_C4_C2_3", 0);
	bool is_done = user_cas32(at, expected, desired, old);

	if (has_pan)
		write_register("S3_0_C4_C2_3", 1 << 22);
	return is_done;
}
