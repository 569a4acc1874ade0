/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The account: what must be the same at the end as at the beginning, but for
 * pages that were plugged in or retired meanwhile. Every other CPU is parked.
 */
#ifndef DEMO_ACCOUNT_H
#define DEMO_ACCOUNT_H

#include "workload.h"

#include <framehold/framehold.h>

struct account {
	struct fh_alloc_stats allocator;
	struct fh_audit_summary pages;
};

struct account account_take(void);

/*
 * Whether everything came back, every note was dropped once and no handle is
 * left. Prints the comparison, and on stderr what leaked.
 */
bool account_nothing_leaked(const struct account *before,
			    const struct workload_totals *totals);

/* Whether the audit finds no broken rule; says so either way. */
bool account_audit(const char *when);

#endif /* DEMO_ACCOUNT_H */
