/* SPDX-License-Identifier: MPL-2.0 */
#include "process.h"

#include "print.h"
#include "tables.h"
#include "user/calls.h"

#define MAX_PROCESSES 192

/* The scheduler: one lock for the table, the queue, who holds which memory. */
static struct {
	struct lock lock;
	struct process processes[MAX_PROCESSES];
	struct userspace memories[MAX_PROCESSES];
	struct process *first; /* ready ones, in the order of their turns */
	struct process *last;
	uint64_t live; /* not ended */
	uint64_t next_id;
	struct process_totals totals;
} scheduler = {.next_id = 1};

/* What each CPU runs; null: nothing. Its own. */
static struct process *current[FH_MAX_CPUS];

void process_reset(void)
{
	scheduler.totals = (struct process_totals){.started = 0};
}

void process_totals(struct process_totals *totals)
{
	*totals = scheduler.totals;
}

/* ---- The table; with the lock ---- */

static void enqueue(struct process *self)
{
	self->state = PROCESS_READY;
	self->next = NULL;
	if (scheduler.first == NULL)
		scheduler.first = self;
	else
		scheduler.last->next = self;
	scheduler.last = self;
}

static struct process *dequeue(void)
{
	struct process *self = scheduler.first;

	if (self != NULL) {
		scheduler.first = self->next;
		self->state = PROCESS_RUNNING;
	}
	return self;
}

static struct process *take_slot(void)
{
	for (size_t i = 0; i < MAX_PROCESSES; i++) {
		struct process *self = &scheduler.processes[i];

		if (self->state != PROCESS_NONE)
			continue;
		*self = (struct process){.state = PROCESS_RUNNING,
					 .id = scheduler.next_id};
		scheduler.next_id++;
		return self;
	}
	return NULL;
}

static struct userspace *take_memory(void)
{
	for (size_t i = 0; i < MAX_PROCESSES; i++)
		if (scheduler.memories[i].holders == 0) {
			scheduler.memories[i].holders = 1;
			return &scheduler.memories[i];
		}
	return NULL;
}

/* ---- Birth ---- */

/* A process and memory of its own, or memory that it shares; null: no room. */
static struct process *conceive(const char *name, struct userspace *shared)
{
	lock(&scheduler.lock);
	struct process *self = take_slot();
	if (self != NULL) {
		self->name = name;
		self->memory = shared != NULL ? shared : take_memory();
		if (shared != NULL)
			shared->holders++;
	}
	unlock(&scheduler.lock);
	return self;
}

static void let_run(struct process *self)
{
	lock(&scheduler.lock);
	scheduler.live++;
	scheduler.totals.started++;
	enqueue(self);
	unlock(&scheduler.lock);
}

static void give_back(struct process *self)
{
	lock(&scheduler.lock);
	self->memory->holders--;
	self->state = PROCESS_NONE;
	unlock(&scheduler.lock);
}

static void abandon(struct process *self)
{
	enum fh_status status = userspace_close(self->memory);

	if (status != FH_OK)
		print("%s: memory not given up: %s\n", self->name,
		      fh_status_name(status));
	give_back(self);
}

bool process_start(const struct program *program, uint64_t argument)
{
	struct process *self = conceive(program->name, NULL);
	uint64_t entry = 0;

	if (self == NULL) {
		print("program %s: too many processes\n", program->name);
		return false;
	}
	enum fh_status status = userspace_open(self->memory);
	if (status != FH_OK) {
		give_back(self);
	} else {
		status = program_load(program, self->memory, &entry);
		if (status != FH_OK)
			abandon(self);
	}
	if (status != FH_OK) {
		print("program %s: not loaded: %s\n", program->name,
		      fh_status_name(status));
		return false;
	}
	port_user_begin(&self->context, entry, PROGRAM_STACK_END, argument);
	let_run(self);
	return true;
}

uint64_t process_fork(const struct process *self)
{
	struct process *child = conceive(self->name, NULL);

	if (child == NULL)
		return 0;
	uint64_t id = child->id;
	enum fh_status status = userspace_open(child->memory);
	if (status != FH_OK) {
		give_back(child);
		return 0;
	}
	if (userspace_clone(self->memory, child->memory) != FH_OK) {
		abandon(child);
		return 0;
	}
	child->context = self->context;
	port_user_answer(&child->context, 0);
	child->parent = self->id;
	let_run(child);
	return id;
}

uint64_t process_thread(const struct process *self, uint64_t entry,
			uint64_t stack, uint64_t argument)
{
	struct process *thread = conceive(self->name, self->memory);

	if (thread == NULL)
		return 0;
	uint64_t id = thread->id;
	port_user_begin(&thread->context, entry, stack, argument);
	thread->parent = self->id;
	let_run(thread);
	return id;
}

/* ---- Death ---- */

/* Children are nobody's from now on; those that have ended are forgotten. */
static void leave_children(uint64_t id)
{
	for (size_t i = 0; i < MAX_PROCESSES; i++) {
		struct process *child = &scheduler.processes[i];

		if (child->state == PROCESS_NONE || child->parent != id)
			continue;
		child->parent = 0;
		if (child->state == PROCESS_ENDED)
			child->state = PROCESS_NONE;
	}
}

/* This CPU does not run on its memory any more. */
static void bury(struct process *self)
{
	lock(&scheduler.lock);
	bool is_last = self->memory->holders == 1;
	if (!is_last)
		self->memory->holders--;
	unlock(&scheduler.lock);
	/* Nobody else can take a share of memory that one process has. */
	if (is_last && userspace_close(self->memory) != FH_OK)
		print("%s: memory is still in use\n", self->name);
	lock(&scheduler.lock);
	if (is_last)
		self->memory->holders--;
	leave_children(self->id);
	/* Copies: the slot may be another's as soon as the lock is free. */
	const char *name = self->name;
	uint64_t status = self->status;
	bool has_failed = self->parent == 0 && status != 0;
	scheduler.totals.failed += has_failed;
	self->state = self->parent == 0 ? PROCESS_NONE : PROCESS_ENDED;
	scheduler.live--;
	unlock(&scheduler.lock);
	if (has_failed)
		print("program %s ended with %lu\n", name, status);
}

uint64_t process_take_status(const struct process *self, uint64_t id)
{
	uint64_t status = CALL_FAILED;

	lock(&scheduler.lock);
	for (size_t i = 0; i < MAX_PROCESSES; i++) {
		struct process *child = &scheduler.processes[i];

		if (child->state == PROCESS_NONE || child->id != id ||
		    child->parent != self->id)
			continue;
		status = CALL_RUNNING;
		if (child->state == PROCESS_ENDED) {
			status = child->status;
			child->state = PROCESS_NONE;
		}
	}
	unlock(&scheduler.lock);
	return status;
}

/* ---- Running ---- */

bool process_fill_for_kernel(uint64_t address, enum fh_access access)
{
	struct process *self = current[fh_host_cpu()];

	return self != NULL &&
	       userspace_fault(self->memory, address, access) == FH_OK;
}

const char *process_access_name(enum fh_access access)
{
	static const char *const names[] = {
		[FH_ACCESS_READ] = "read of",
		[FH_ACCESS_WRITE] = "write to",
		[FH_ACCESS_EXEC] = "jump to",
	};

	return names[access];
}

static enum verdict refuse(struct process *self, const struct trap *trap,
			   uint64_t status, const char *why)
{
	if (trap->kind == TRAP_FAULT)
		print("program %s: %s 0x%lx at 0x%lx refused: %s, "
		      "cause 0x%lx; ended\n",
		      self->name, process_access_name(trap->access),
		      trap->address, trap->pc, why, trap->cause);
	else
		print("program %s: %s at 0x%lx, cause 0x%lx; ended\n",
		      self->name, why, trap->pc, trap->cause);
	self->status = status;
	return VERDICT_END;
}

static enum verdict answer_fault(struct process *self, const struct trap *trap)
{
	enum fh_status status =
		userspace_fault(self->memory, trap->address, trap->access);

	if (status == FH_OK)
		return VERDICT_RUN;
	return refuse(self, trap,
		      status == FH_E_NO_MEMORY ? STATUS_MEMORY
					       : STATUS_READ + trap->access,
		      fh_status_name(status));
}

static enum verdict answer_trap(struct process *self, const struct trap *trap)
{
	switch (trap->kind) {
	case TRAP_SYSCALL:
		return call_answer(self);
	case TRAP_FAULT:
		return answer_fault(self, trap);
	case TRAP_INTERRUPT:
		return VERDICT_RUN;
	default:
		return refuse(self, trap, STATUS_OTHER, trap->why);
	}
}

/* What one turn of a process came to. */
struct turn {
	uint64_t calls;
	uint64_t faults;
	uint64_t wakes;
	bool was_refused;
};

static enum verdict run_turn(struct process *self, struct turn *turn)
{
	enum verdict verdict;
	struct trap trap;

	fh_space_activate(&self->memory->space);
	do {
		port_user_run(&self->context, &trap);
		verdict = answer_trap(self, &trap);
		turn->calls += trap.kind == TRAP_SYSCALL;
		turn->wakes += trap.kind == TRAP_INTERRUPT;
		turn->faults +=
			trap.kind == TRAP_FAULT && verdict == VERDICT_RUN;
		fh_poll();
	} while (verdict == VERDICT_RUN);
	turn->was_refused = verdict == VERDICT_END && trap.kind != TRAP_SYSCALL;
	fh_kernel_activate(&kernel_table);
	return verdict;
}

static void count_turn(struct process *self, const struct turn *turn,
		       unsigned cpu)
{
	struct process_totals *totals = &scheduler.totals;

	totals->calls += turn->calls;
	totals->faults += turn->faults;
	totals->wakes += turn->wakes;
	totals->refused += turn->was_refused;
	totals->moves += self->cpu != cpu;
	self->cpu = cpu;
}

static void run_process(struct process *self, unsigned cpu)
{
	struct turn turn = {.calls = 0};

	current[cpu] = self;
	enum verdict verdict = run_turn(self, &turn);
	current[cpu] = NULL;
	lock(&scheduler.lock);
	count_turn(self, &turn, cpu);
	if (verdict == VERDICT_YIELD)
		enqueue(self);
	unlock(&scheduler.lock);
	if (verdict == VERDICT_END)
		bury(self);
}

void process_run_all(unsigned cpu)
{
	for (;;) {
		lock(&scheduler.lock);
		struct process *self = dequeue();
		bool is_over = scheduler.live == 0;
		unlock(&scheduler.lock);
		if (self != NULL)
			run_process(self, cpu);
		else if (is_over)
			return;
		fh_poll();
		/* Who yields waits for others: emulated CPUs take turns here. */
		fh_host_relax();
	}
}
