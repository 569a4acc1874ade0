/* SPDX-License-Identifier: MPL-2.0 */
/* What a kernel calls now and then: framehold/poll.h. */
#include <framehold/alloc.h>
#include <framehold/poll.h>

#include "flush.h"
#include "rcu.h"

void fh_poll(void)
{
	uint64_t budget = FH_POLL_ENTRIES;

	fh_rcu_quiescent();
	fh_rcu_reap(&budget);
}

void fh_settle(void)
{
	uint64_t mark = fh_rcu_mark();

	while (!fh_rcu_is_settled(mark)) {
		uint64_t budget = FH_POLL_ENTRIES;

		fh_rcu_quiescent();
		fh_rcu_reap_any(&budget);
		/* Others may be waiting for us, and have to report as well. */
		fh_kicked();
		fh_host_relax();
	}
}

void fh_kicked(void)
{
	fh_alloc_poll();
	fh_flush_answer();
}
