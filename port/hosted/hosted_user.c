/* SPDX-License-Identifier: MPL-2.0 */
/*
 * User memory of the hosted machine: addresses of this very process, read and
 * written with a handler in place for the fault that may come. It counts on
 * what a kernel's exception table does: the access that faults ends the copy,
 * and what was copied before it stays.
 */
#define _GNU_SOURCE

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <framehold/host.h>

static _Thread_local sigjmp_buf recovery;
static _Thread_local volatile sig_atomic_t user_access;

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	if (user_access)
		siglongjmp(recovery, 1);
	/* A fault of the machine's own: die of it. */
	signal(signal_number, SIG_DFL);
}

static void install_handler(void)
{
	static _Thread_local bool installed;
	struct sigaction action = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	if (installed)
		return;
	if (sigaction(SIGSEGV, &action, NULL) != 0 ||
	    sigaction(SIGBUS, &action, NULL) != 0)
		abort();
	installed = true;
}

/* The one int-to-pointer step of this port's user memory. */
static void *user_pointer(uint64_t bytes)
{
	return (void *)(uintptr_t)bytes;
}

/* Copies up to n bytes; n less what is left when a fault comes. */
__attribute__((no_sanitize("address", "thread"))) static size_t
copy_bytes(unsigned char *to, const unsigned char *from, size_t n)
{
	volatile size_t done = 0;

	install_handler();
	user_access = 1;
	if (sigsetjmp(recovery, 0) == 0)
		for (; done < n; done++)
			((volatile unsigned char *)to)[done] =
				((const volatile unsigned char *)from)[done];
	user_access = 0;
	return done;
}

size_t fh_host_user_read(void *to, struct fh_vaddr from, size_t n)
{
	return copy_bytes(to, user_pointer(from.bytes), n);
}

size_t fh_host_user_write(struct fh_vaddr to, const void *from, size_t n)
{
	return copy_bytes(user_pointer(to.bytes), from, n);
}

bool fh_host_user_load32(struct fh_vaddr from, uint32_t *value)
{
	volatile bool done = false;

	install_handler();
	user_access = 1;
	if (sigsetjmp(recovery, 0) == 0) {
		*value = __atomic_load_n((uint32_t *)user_pointer(from.bytes),
					 __ATOMIC_RELAXED);
		done = true;
	}
	user_access = 0;
	return done;
}

bool fh_host_user_cas32(struct fh_vaddr at, uint32_t expected, uint32_t desired,
			uint32_t *old)
{
	volatile bool done = false;

	install_handler();
	user_access = 1;
	if (sigsetjmp(recovery, 0) == 0) {
		uint32_t seen = expected;

		(void)__atomic_compare_exchange_n(
			(uint32_t *)user_pointer(at.bytes), &seen, desired,
			false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
		*old = seen;
		done = true;
	}
	user_access = 0;
	return done;
}
