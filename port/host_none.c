/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The optional hooks, for a kernel that has nothing behind them: user memory
 * faults at its first byte, and there is nothing to reclaim.
 */
#include <framehold/host.h>

bool fh_host_reclaim(uint64_t n)
{
	(void)n;
	return false;
}

size_t fh_host_user_read(void *to, struct fh_vaddr from, size_t n)
{
	(void)to;
	(void)from;
	(void)n;
	return 0;
}

size_t fh_host_user_write(struct fh_vaddr to, const void *from, size_t n)
{
	(void)to;
	(void)from;
	(void)n;
	return 0;
}

bool fh_host_user_load32(struct fh_vaddr from, uint32_t *value)
{
	(void)from;
	(void)value;
	return false;
}

bool fh_host_user_cas32(struct fh_vaddr at, uint32_t expected, uint32_t desired,
			uint32_t *old)
{
	(void)at;
	(void)expected;
	(void)desired;
	(void)old;
	return false;
}
