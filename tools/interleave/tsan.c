/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The functions that gcc and clang call with -fsanitize=thread, at every
 * access of memory: linked instead of the sanitizer's own.
 *
 * The compilers know these names and their types.
 */
#include <string.h>

#include "explore.h"

#define PC ((uintptr_t)__builtin_return_address(0))

void *checked_memset(void *to, int byte, unsigned long n);
void *checked_memcpy(void *to, const void *from, unsigned long n);
void *checked_memmove(void *to, const void *from, unsigned long n);

static uint64_t make_access(enum operation operation, const volatile void *at,
			    size_t size, int order, uint64_t operand,
			    uintptr_t pc)
{
	struct access a = {
		.operation = operation,
		.address = (void *)(uintptr_t)at,
		.size = size,
		.order = (enum memory_order)order,
		.operand = operand,
		.pc = pc,
	};

	return explore_access(&a);
}

static uint64_t make_exchange(const volatile void *at, size_t size, int order,
			      int failure_order, uint64_t expected,
			      uint64_t desired, uintptr_t pc)
{
	struct access a = {
		.operation = OP_COMPARE_EXCHANGE,
		.address = (void *)(uintptr_t)at,
		.size = size,
		.order = (enum memory_order)order,
		.failure_order = (enum memory_order)failure_order,
		.operand = desired,
		.expected = expected,
		.pc = pc,
	};

	return explore_access(&a);
}

#define MODIFY(bits, type, name, operation)                                    \
	type __tsan_atomic##bits##_##name(volatile type *at, type operand,     \
					  int order);                          \
	type __tsan_atomic##bits##_##name(volatile type *at, type operand,     \
					  int order)                           \
	{                                                                      \
		return (type)make_access(operation, at, sizeof(type), order,   \
					 operand, PC);                         \
	}

#define EXCHANGE(bits, type, name)                                             \
	int __tsan_atomic##bits##_compare_exchange_##name(                     \
		volatile type *at, type *expected, type desired, int order,    \
		int failure_order);                                            \
	int __tsan_atomic##bits##_compare_exchange_##name(                     \
		volatile type *at, type *expected, type desired, int order,    \
		int failure_order)                                             \
	{                                                                      \
		type wanted = *expected;                                       \
		type before = (type)make_exchange(at, sizeof(type), order,     \
						  failure_order, wanted,       \
						  desired, PC);                \
		if (before == wanted)                                          \
			return 1;                                              \
		*expected = before;                                            \
		return 0;                                                      \
	}

#define ATOMICS(bits, type)                                                    \
	type __tsan_atomic##bits##_load(const volatile type *at, int order);   \
	type __tsan_atomic##bits##_load(const volatile type *at, int order)    \
	{                                                                      \
		return (type)make_access(OP_LOAD, at, sizeof(type), order, 0,  \
					 PC);                                  \
	}                                                                      \
	void __tsan_atomic##bits##_store(volatile type *at, type operand,      \
					 int order);                           \
	void __tsan_atomic##bits##_store(volatile type *at, type operand,      \
					 int order)                            \
	{                                                                      \
		(void)make_access(OP_STORE, at, sizeof(type), order, operand,  \
				  PC);                                         \
	}                                                                      \
	type __tsan_atomic##bits##_compare_exchange_val(                       \
		volatile type *at, type expected, type desired, int order,     \
		int failure_order);                                            \
	type __tsan_atomic##bits##_compare_exchange_val(                       \
		volatile type *at, type expected, type desired, int order,     \
		int failure_order)                                             \
	{                                                                      \
		return (type)make_exchange(at, sizeof(type), order,            \
					   failure_order, expected, desired,   \
					   PC);                                \
	}                                                                      \
	EXCHANGE(bits, type, strong)                                           \
	EXCHANGE(bits, type, weak)                                             \
	MODIFY(bits, type, exchange, OP_EXCHANGE)                              \
	MODIFY(bits, type, fetch_add, OP_ADD)                                  \
	MODIFY(bits, type, fetch_sub, OP_SUB)                                  \
	MODIFY(bits, type, fetch_and, OP_AND)                                  \
	MODIFY(bits, type, fetch_or, OP_OR)                                    \
	MODIFY(bits, type, fetch_xor, OP_XOR)

ATOMICS(8, uint8_t)
ATOMICS(16, uint16_t)
ATOMICS(32, uint32_t)
ATOMICS(64, uint64_t)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
	explore_fence((enum memory_order)order, PC);
}

void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order)
{
	(void)order;
}

#define PLAIN(name, size, is_write)                                            \
	void __tsan_##name(void *at);                                          \
	void __tsan_##name(void *at)                                           \
	{                                                                      \
		explore_plain(at, size, is_write, PC);                         \
	}

#define PLAIN_SIZE(size)                                                       \
	PLAIN(read##size, size, false)                                         \
	PLAIN(write##size, size, true)                                         \
	PLAIN(unaligned_read##size, size, false)                               \
	PLAIN(unaligned_write##size, size, true)

PLAIN_SIZE(1)
PLAIN_SIZE(2)
PLAIN_SIZE(4)
PLAIN_SIZE(8)
PLAIN_SIZE(16)

void __tsan_read_range(void *at, unsigned long n);
void __tsan_read_range(void *at, unsigned long n)
{
	explore_plain(at, n, false, PC);
}

void __tsan_write_range(void *at, unsigned long n);
void __tsan_write_range(void *at, unsigned long n)
{
	explore_plain(at, n, true, PC);
}

void __tsan_func_entry(void *pc);
void __tsan_func_entry(void *pc)
{
	(void)pc;
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

void __tsan_init(void);
void __tsan_init(void)
{
}

/* The objects under test call these for memset and its like: objcopy. */

void *checked_memset(void *to, int byte, unsigned long n)
{
	explore_plain(to, n, true, PC);
	return memset(to, byte, n);
}

void *checked_memcpy(void *to, const void *from, unsigned long n)
{
	explore_plain(from, n, false, PC);
	explore_plain(to, n, true, PC);
	return memcpy(to, from, n);
}

void *checked_memmove(void *to, const void *from, unsigned long n)
{
	explore_plain(from, n, false, PC);
	explore_plain(to, n, true, PC);
	return memmove(to, from, n);
}

void *__tsan_memset(void *to, int byte, unsigned long n);
void *__tsan_memset(void *to, int byte, unsigned long n)
{
	return checked_memset(to, byte, n);
}

void *__tsan_memcpy(void *to, const void *from, unsigned long n);
void *__tsan_memcpy(void *to, const void *from, unsigned long n)
{
	return checked_memcpy(to, from, n);
}

void *__tsan_memmove(void *to, const void *from, unsigned long n);
void *__tsan_memmove(void *to, const void *from, unsigned long n)
{
	return checked_memmove(to, from, n);
}
