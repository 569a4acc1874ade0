/* SPDX-License-Identifier: MPL-2.0 */
/* Lines of text without a C library: for reports and dumps. */
#ifndef FRAMEHOLD_SRC_LINE_H
#define FRAMEHOLD_SRC_LINE_H

#include <framehold/compiler.h>

/* Text being written; stops silently at the end of its room. */
struct fh_line {
	char *text;
	size_t size;
	size_t used;
};

static inline void fh_line_char(struct fh_line *line, char c)
{
	if (line->used + 1 < line->size) {
		line->text[line->used] = c;
		line->used++;
	}
}

static inline void fh_line_text(struct fh_line *line, const char *text)
{
	for (size_t i = 0; text[i] != '\0'; i++)
		fh_line_char(line, text[i]);
}

static inline void fh_line_number(struct fh_line *line, uint64_t number,
				  unsigned base)
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
		fh_line_char(line, digits[n]);
	}
}

static inline void fh_line_hex(struct fh_line *line, uint64_t number)
{
	fh_line_text(line, "0x");
	fh_line_number(line, number, 16);
}

#endif /* FRAMEHOLD_SRC_LINE_H */
