/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Processes: registers and memory. A CPU runs one until it yields, waits or
 * ends, and puts it behind all others that can run, for whichever CPU comes
 * next.
 */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include "program.h"

enum process_state {
	PROCESS_NONE, /* the slot is free */
	PROCESS_READY,
	PROCESS_RUNNING,
	PROCESS_ENDED, /* its parent has not asked yet */
};

struct process {
	enum process_state state; /* the scheduler's lock, as all up to next */
	uint64_t id;
	uint64_t parent; /* 0: none, or it has ended */
	uint64_t status;
	struct process *next; /* in the queue */
	const char *name;
	struct userspace *memory;
	struct user_context context; /* the CPU's that runs it */
	unsigned cpu;                /* that ran it last */
};

/* What came of the programs since process_reset(). */
struct process_totals {
	uint64_t started;
	uint64_t failed; /* programs without a parent that did not end in 0 */
	uint64_t calls;
	uint64_t faults;  /* answered */
	uint64_t refused; /* and not: the process ended */
	uint64_t moves;   /* runs on another CPU than the one before */
	uint64_t wakes;   /* runs ended by interrupts */
};

void process_reset(void);
void process_totals(struct process_totals *totals);

/* Starts a program. False, with a line: it cannot be. Thread context. */
bool process_start(const struct program *program, uint64_t argument);

/* Runs processes on this CPU until none is left on any; a team's body. */
void process_run_all(unsigned cpu);

/* ---- For system calls ---- */

/* A copy of a process, or another thread of it. Their ids; 0: not possible. */
uint64_t process_fork(const struct process *self);
uint64_t process_thread(const struct process *self, uint64_t entry,
			uint64_t stack, uint64_t argument);

/* CALL_STATUS: how a child ended, after which it is forgotten. */
uint64_t process_take_status(const struct process *self, uint64_t id);

/*
 * A copy routine of the kernel's faulted at a user address: whether it is
 * worth another try. The process is the one that this CPU runs.
 */
bool process_fill_for_kernel(uint64_t address, enum fh_access access);

/* "read of", "write to", "jump to": for lines about faults. Any context. */
const char *process_access_name(enum fh_access access);

/* ---- call.c ---- */

/* What is to become of a process after a trap. */
enum verdict {
	VERDICT_RUN,
	VERDICT_YIELD,
	VERDICT_END, /* with self->status */
};

enum verdict call_answer(struct process *self);

#endif /* KERNEL_PROCESS_H */
