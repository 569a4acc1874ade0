/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Findings as text, without a C library: a line names the rule, the page's
 * address, the state found and the state needed, and the call sites.
 */
#include "line.h"
#include "report.h"

void fh_stop(const char *rule, uint64_t frame, uint64_t state,
	     const char *needed, uintptr_t site, uintptr_t earlier_site)
{
	struct fh_finding why = {
		.rule = rule,
		.frame = frame,
		.state = state,
		.needed = needed,
		.site = site,
		.earlier_site = earlier_site,
	};

	fh_host_panic(&why);
}

static void put_state(struct fh_line *line, uint64_t state)
{
	switch (state) {
	case FH_STATE_FREE:
		fh_line_text(line, "free");
		return;
	case FH_STATE_UNIQUE:
		fh_line_text(line, "unique");
		return;
	case FH_STATE_UNUSED:
		fh_line_text(line, "unused");
		return;
	case FH_STATE_BUSY:
		fh_line_text(line, "busy");
		return;
	default:
		fh_line_text(line, "shared by ");
		fh_line_number(line, fh_ref_count(state), 10);
		return;
	}
}

static void put_sites(struct fh_line *line, const struct fh_finding *finding)
{
	if (finding->site == 0 && finding->earlier_site == 0)
		return;
	fh_line_text(line, " (");
	if (finding->site != 0) {
		fh_line_text(line, "at ");
		fh_line_hex(line, finding->site);
	}
	if (finding->earlier_site != 0) {
		fh_line_text(line, finding->site != 0 ? ", earlier at "
						      : "earlier at ");
		fh_line_hex(line, finding->earlier_site);
	}
	fh_line_char(line, ')');
}

void fh_finding_text(const struct fh_finding *finding, char *text, size_t size)
{
	struct fh_line line = {.text = text, .size = size};

	fh_line_text(&line, finding->rule);
	fh_line_text(&line, ": page ");
	fh_line_hex(&line, finding->frame * FH_PAGE_SIZE);
	fh_line_text(&line, " is ");
	put_state(&line, finding->state);
	if (finding->has_counts) {
		fh_line_text(&line, ", found ");
		fh_line_number(&line, finding->found_count, 10);
	}
	fh_line_text(&line, ", needed: ");
	if (finding->has_counts) {
		fh_line_number(&line, finding->needed_count, 10);
		fh_line_char(&line, ' ');
	}
	fh_line_text(&line, finding->needed);
	put_sites(&line, finding);
	line.text[line.used] = '\0';
}
