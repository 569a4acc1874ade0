/* SPDX-License-Identifier: MPL-2.0 */
/* Page-table nodes. */
#include "rcu.h"
#include "report.h"

bool fh_node_reap(uint64_t node, uint64_t *budget)
{
	(void)budget;
	fh_stop("node", node, 0, "no node yet", 0, 0);
	return true;
}
