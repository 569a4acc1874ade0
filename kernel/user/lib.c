/* SPDX-License-Identifier: MPL-2.0 */
#include "lib.h"

#include "user_call.h"

__attribute__((noreturn)) void program_entry(uint64_t argument);

void leave(uint64_t status)
{
	for (;;)
		(void)user_call(CALL_EXIT, status, 0, 0, 0, 0);
}

void program_entry(uint64_t argument)
{
	leave(main_program(argument));
}

void say(const char *text)
{
	uint64_t n = 0;

	while (text[n] != '\0')
		n++;
	(void)user_call(CALL_PRINT, (uintptr_t)text, n, 0, 0, 0);
}

void yield(void)
{
	(void)user_call(CALL_YIELD, 0, 0, 0, 0, 0);
}

uint64_t fork(void)
{
	return user_call(CALL_FORK, 0, 0, 0, 0, 0);
}

uint64_t start_thread(void (*body)(uint64_t argument), uint64_t stack_end,
		      uint64_t argument)
{
	return user_call(CALL_THREAD, (uintptr_t)body, stack_end, argument, 0,
			 0);
}

uint64_t await(uint64_t id)
{
	uint64_t status;

	while ((status = user_call(CALL_STATUS, id, 0, 0, 0, 0)) ==
	       CALL_RUNNING)
		yield();
	return status;
}

bool map(uint64_t address, uint64_t length, uint64_t flags)
{
	return user_call(CALL_MAP, address, length, flags, 0, 0) == 0;
}

bool unmap(uint64_t address, uint64_t length)
{
	return user_call(CALL_UNMAP, address, length, 0, 0, 0) == 0;
}

bool protect(uint64_t address, uint64_t length, uint64_t flags)
{
	return user_call(CALL_PROTECT, address, length, flags, 0, 0) == 0;
}

bool can_read(uint64_t address)
{
	return user_call(CALL_PROBE, address, 0, 0, 0, 0) == 1;
}

uint64_t load(uint64_t address)
{
	return __atomic_load_n((uint64_t *)(uintptr_t)address,
			       __ATOMIC_ACQUIRE);
}

void store(uint64_t address, uint64_t value)
{
	__atomic_store_n((uint64_t *)(uintptr_t)address, value,
			 __ATOMIC_RELEASE);
}

uint64_t add(uint64_t address, uint64_t n)
{
	return __atomic_fetch_add((uint64_t *)(uintptr_t)address, n,
				  __ATOMIC_ACQ_REL);
}
