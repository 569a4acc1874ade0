/* SPDX-License-Identifier: MPL-2.0 */
/*
 * User memory of the hosted machine: what the MMU reaches at the address, if
 * it is on. Otherwise addresses of this very process; then the kernel below
 * copies for us and says how far it came, so that a fault is a short count and
 * no signal.
 */
#define _GNU_SOURCE

#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <framehold/host.h>

#include "mmu_inside.h"

/* Linux 5.14; the C library's headers may be older. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

/* The one int-to-pointer step of this port's user memory. */
static void *user_pointer(struct fh_vaddr va)
{
	return (void *)(uintptr_t)va.bytes;
}

static size_t bytes_done(ssize_t result)
{
	return result < 0 ? 0 : (size_t)result;
}

size_t fh_host_user_read(void *to, struct fh_vaddr from, size_t n)
{
	struct iovec here = {to, n};
	struct iovec there = {user_pointer(from), n};

	if (hosted_mmu_is_on())
		return hosted_mmu_read(hosted_this_cpu(), to, from.bytes, n);
	return bytes_done(process_vm_readv(getpid(), &here, 1, &there, 1, 0));
}

size_t fh_host_user_write(struct fh_vaddr to, const void *from, size_t n)
{
	struct iovec here = {(void *)(uintptr_t)from, n};
	struct iovec there = {user_pointer(to), n};

	if (hosted_mmu_is_on())
		return hosted_mmu_write(hosted_this_cpu(), to.bytes, from, n);
	return bytes_done(process_vm_writev(getpid(), &here, 1, &there, 1, 0));
}

/* Whether the page of an aligned word can be accessed, filled in if need be. */
static bool populate(struct fh_vaddr va, int how)
{
	struct fh_vaddr page = {va.bytes - va.bytes % FH_PAGE_SIZE};

	return madvise(user_pointer(page), FH_PAGE_SIZE, how) == 0;
}

bool fh_host_user_load32(struct fh_vaddr from, uint32_t *value)
{
	uint32_t *word = user_pointer(from);

	if (hosted_mmu_is_on())
		return hosted_mmu_load32(hosted_this_cpu(), from.bytes, value);
	if (!populate(from, MADV_POPULATE_READ))
		return false;
	*value = __atomic_load_n(word, __ATOMIC_RELAXED);
	return true;
}

bool fh_host_user_cas32(struct fh_vaddr at, uint32_t expected, uint32_t desired,
			uint32_t *old)
{
	uint32_t *word = user_pointer(at);

	if (hosted_mmu_is_on())
		return hosted_mmu_cas32(hosted_this_cpu(), at.bytes, expected,
					desired, old);
	if (!populate(at, MADV_POPULATE_WRITE))
		return false;
	(void)__atomic_compare_exchange_n(word, &expected, desired, false,
					  __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	*old = expected;
	return true;
}
