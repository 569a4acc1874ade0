/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tier 2 of framehold/host.h for a kernel with one CPU whose interrupt
 * handlers do not call the library: link this file and implement tier 0, and
 * frames work on the first day. Replace it before a second CPU starts or a
 * handler gets or puts a frame.
 */
#include <framehold/host.h>

unsigned fh_host_cpu(void)
{
	return 0;
}

void fh_host_preempt_off(void)
{
}

void fh_host_preempt_on(void)
{
}

uint64_t fh_host_irq_save(void)
{
	return 0;
}

void fh_host_irq_restore(uint64_t saved)
{
	(void)saved;
}

/* Nobody else keeps pages at hand. */
bool fh_host_may_wait(void)
{
	return true;
}

void fh_host_kick(unsigned cpu)
{
	(void)cpu;
}

static const struct fh_finding endless_wait = {
	.rule = "one_cpu",
	.needed = "no operation inside of another",
};

/*
 * One CPU only waits for itself, forever: an operation was interrupted by
 * another one that needs the same lock.
 */
void fh_host_relax(void)
{
	fh_host_panic(&endless_wait);
}
