/* SPDX-License-Identifier: MPL-2.0 */
/* The names of statuses, for messages. */
#include <framehold/status.h>

static const char *const status_names[] = {
	[FH_OK] = "ok",
	[FH_E_IN_USE] = "in use",
	[FH_E_UNUSED] = "unused",
	[FH_E_BUSY] = "busy",
	[FH_E_UNIQUE] = "unique",
	[FH_E_OUT_OF_BOUND] = "out of bound",
	[FH_E_NOT_ALIGNED] = "not aligned",
	[FH_E_EMPTY] = "empty",
	[FH_E_WRONG_TYPE] = "wrong type",
	[FH_E_NO_MEMORY] = "no memory",
	[FH_E_INVALID] = "invalid",
	[FH_E_OVERFLOW] = "overflow",
	[FH_E_CORRUPT] = "corrupt",
	[FH_E_TWICE] = "done twice",
	[FH_E_FAULT] = "fault",
	[FH_E_MAPPED] = "mapped already",
	[FH_E_NOT_MAPPED] = "not mapped",
};

const char *fh_status_name(enum fh_status status)
{
	size_t index = (size_t)status;

	if (index >= sizeof(status_names) / sizeof(status_names[0]))
		return "unknown status";
	return status_names[index];
}
