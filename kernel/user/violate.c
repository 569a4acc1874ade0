/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Everything that is forbidden, each by a child that has to end of it; and
 * afterwards the program is as it was.
 */
#include "lib.h"

#include "layout.h"

/* A page of the kernel's that is mapped wherever the kernel runs. */
#define KERNEL_PLACE (LAYOUT_LINEAR + LAYOUT_LOAD)

static const uint64_t constant = 1;
static uint64_t data_code[2];

/* Nothing but a return: where a copy of it can be run, nothing happens. */
__attribute__((noinline, aligned(16))) static void return_at_once(void)
{
	__asm__ volatile("");
}

static void read_unmapped(void)
{
	(void)load(PLACE);
}

static void read_null(void)
{
	(void)load(0);
}

static void write_constant(void)
{
	store((uintptr_t)&constant, 2);
}

static void write_code(void)
{
	store((uintptr_t)write_code & ~UINT64_C(7), 0);
}

static void jump_to(uint64_t address)
{
	((void (*)(void))(uintptr_t)address)();
}

static void run_data(void)
{
	for (unsigned i = 0; i < 2; i++)
		data_code[i] = load((uintptr_t)return_at_once + i * 8);
	jump_to((uintptr_t)data_code);
}

static void run_unmapped(void)
{
	jump_to(PLACE);
}

static void read_kernel(void)
{
	(void)load(KERNEL_PLACE);
}

static void write_kernel(void)
{
	store(KERNEL_PLACE, 0);
}

static void run_kernel(void)
{
	jump_to(KERNEL_PLACE);
}

static void write_protected(void)
{
	MUST(map(PLACE, PAGE_SIZE, CALL_READ | CALL_WRITE));
	store(PLACE, 1);
	MUST(protect(PLACE, PAGE_SIZE, CALL_READ));
	MUST(load(PLACE) == 1);
	store(PLACE, 2);
}

static void read_given_back(void)
{
	MUST(map(PLACE, PAGE_SIZE, CALL_READ | CALL_WRITE));
	store(PLACE, 1);
	MUST(unmap(PLACE, PAGE_SIZE));
	(void)load(PLACE);
}

/* More pages than are forgotten one by one. */
static void read_one_of_many(void)
{
	const uint64_t size = 64 * PAGE_SIZE;

	MUST(map(PLACE, size, CALL_READ | CALL_WRITE));
	for (uint64_t at = 0; at < size; at += PAGE_SIZE)
		store(PLACE + at, 1);
	MUST(unmap(PLACE, size));
	(void)load(PLACE + size - PAGE_SIZE);
}

static void run_nonsense(void)
{
	__builtin_trap();
}

static const struct {
	void (*crime)(void);
	uint64_t status;
} crimes[] = {
	{read_unmapped, STATUS_READ},   {read_null, STATUS_READ},
	{write_constant, STATUS_WRITE}, {write_code, STATUS_WRITE},
	{run_data, STATUS_EXEC},        {run_unmapped, STATUS_EXEC},
	{read_kernel, STATUS_READ},     {write_kernel, STATUS_WRITE},
	{run_kernel, STATUS_EXEC},      {write_protected, STATUS_WRITE},
	{read_given_back, STATUS_READ}, {read_one_of_many, STATUS_READ},
	{run_nonsense, STATUS_OTHER},
};

/* Where no CPU has an address: the kernel must not be the one that faults. */
static void start_nowhere(void)
{
	uint64_t nowhere = UINT64_C(1) << 62;
	uint64_t thread =
		start_thread((void (*)(uint64_t))(uintptr_t)nowhere, PLACE, 0);
	uint64_t status = await(thread);

	MUST(thread != CALL_FAILED);
	MUST(status == STATUS_EXEC || status == STATUS_OTHER);
}

/* What may not be asked for: the kernel says so, and nothing has changed. */
static void ask_for_nonsense(void)
{
	MUST(!map(PLACE, PAGE_SIZE, CALL_READ | CALL_WRITE | CALL_EXEC));
	MUST(!map(PLACE + 1, PAGE_SIZE, CALL_READ));
	MUST(!map(PLACE, PAGE_SIZE, CALL_READ | UINT64_C(1) << 63));
	MUST(!map(PLACE, 0, CALL_READ));
	MUST(!map(KERNEL_PLACE, PAGE_SIZE, CALL_READ));
	MUST(!map(UINT64_MAX - PAGE_SIZE + 1, PAGE_SIZE, CALL_READ));
	MUST(!map(0x400000, PAGE_SIZE, CALL_READ));
	MUST(!unmap(KERNEL_PLACE, PAGE_SIZE));
	MUST(!protect(PLACE, PAGE_SIZE, CALL_READ));
	MUST(!can_read(KERNEL_PLACE));
	MUST(!can_read(PLACE));
}

uint64_t main_program(uint64_t argument)
{
	for (uint64_t i = 0; i < sizeof(crimes) / sizeof(crimes[0]); i++) {
		uint64_t child = fork();

		MUST(child != CALL_FAILED);
		if (child == 0) {
			crimes[i].crime();
			leave(i + 1);
		}
		if (await(child) != crimes[i].status)
			return 1000 + i;
	}
	ask_for_nonsense();
	start_nowhere();
	if (argument == 0)
		say("13 crimes, each the end of who did it\n");
	return 0;
}
