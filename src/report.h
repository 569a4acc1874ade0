/* SPDX-License-Identifier: MPL-2.0 */
/* Stopping the machine, for the rest of the library. */
#ifndef FRAMEHOLD_SRC_REPORT_H
#define FRAMEHOLD_SRC_REPORT_H

#include <framehold/host.h>

/*
 * Gives up: the page is not in a state that correct callers can bring about.
 * No lock of the library's may be held. Sites as in struct fh_finding.
 */
/*@
  assigns \nothing;
  exits \false;
  ensures \false;
*/
FH_COLD FH_NORETURN void fh_stop(const char *rule, uint64_t frame,
				 uint64_t state, const char *needed,
				 uintptr_t site, uintptr_t earlier_site);

#endif /* FRAMEHOLD_SRC_REPORT_H */
