/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Findings: what is wrong with which page. One form serves the machine's last
 * words (host.h, fh_host_panic), the audit and the leak report.
 */
#ifndef FRAMEHOLD_REPORT_H
#define FRAMEHOLD_REPORT_H

#include <framehold/slot.h>

FH_BEGIN_DECLS

/* Room for the text of any finding. */
#define FH_FINDING_TEXT_SIZE 320

struct fh_finding {
	const char *rule;   /* the broken rule's name, "put" for example */
	uint64_t frame;     /* the page */
	uint64_t state;     /* its state word as found */
	const char *needed; /* what it should have been, in words */

	/* Where counts are compared: what was counted, and what was due. */
	bool has_counts;
	uint64_t found_count;
	uint64_t needed_count;

	/* Return addresses in the callers' code, or 0: who did it, ... */
	uintptr_t site;
	/* ... and who had done what makes it wrong. */
	uintptr_t earlier_site;
};

/*
 * Writes one line without newline, such as
 *
 *     put: page 0x1f000 is unused, needed: shared by 1 or more
 *     (at 0x401234, earlier at 0x401220)
 *
 * cut to size - 1 bytes and terminated; size must not be 0. Any context.
 */
void fh_finding_text(const struct fh_finding *finding, char *text, size_t size);

FH_END_DECLS

#endif /* FRAMEHOLD_REPORT_H */
