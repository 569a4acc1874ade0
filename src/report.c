/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Findings as text, without a C library: a line names the rule, the page's
 * address, the state found and the state needed, and the call sites.
 */
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

/* Text being written; stops silently at the end of its room. */
struct line {
	char *text;
	size_t size;
	size_t used;
};

static void put_char(struct line *line, char c)
{
	if (line->used + 1 < line->size) {
		line->text[line->used] = c;
		line->used++;
	}
}

static void put_text(struct line *line, const char *text)
{
	for (size_t i = 0; text[i] != '\0'; i++)
		put_char(line, text[i]);
}

static void put_number(struct line *line, uint64_t number, unsigned base)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n] = "0123456789abcdef"[number % base];
		number /= base;
		n++;
	} while (number != 0);
	while (n > 0) {
		n--;
		put_char(line, digits[n]);
	}
}

static void put_hex(struct line *line, uint64_t number)
{
	put_text(line, "0x");
	put_number(line, number, 16);
}

static void put_state(struct line *line, uint64_t state)
{
	switch (state) {
	case FH_STATE_FREE:
		put_text(line, "free");
		return;
	case FH_STATE_UNIQUE:
		put_text(line, "unique");
		return;
	case FH_STATE_UNUSED:
		put_text(line, "unused");
		return;
	case FH_STATE_BUSY:
		put_text(line, "busy");
		return;
	default:
		put_text(line, "shared by ");
		put_number(line, fh_ref_count(state), 10);
		return;
	}
}

static void put_sites(struct line *line, const struct fh_finding *finding)
{
	if (finding->site == 0 && finding->earlier_site == 0)
		return;
	put_text(line, " (");
	if (finding->site != 0) {
		put_text(line, "at ");
		put_hex(line, finding->site);
	}
	if (finding->earlier_site != 0) {
		put_text(line,
			 finding->site != 0 ? ", earlier at " : "earlier at ");
		put_hex(line, finding->earlier_site);
	}
	put_char(line, ')');
}

void fh_finding_text(const struct fh_finding *finding, char *text, size_t size)
{
	struct line line = {.text = text, .size = size};

	put_text(&line, finding->rule);
	put_text(&line, ": page ");
	put_hex(&line, finding->frame * FH_PAGE_SIZE);
	put_text(&line, " is ");
	put_state(&line, finding->state);
	if (finding->has_counts) {
		put_text(&line, ", found ");
		put_number(&line, finding->found_count, 10);
	}
	put_text(&line, ", needed: ");
	if (finding->has_counts) {
		put_number(&line, finding->needed_count, 10);
		put_char(&line, ' ');
	}
	put_text(&line, finding->needed);
	put_sites(&line, finding);
	line.text[line.used] = '\0';
}
