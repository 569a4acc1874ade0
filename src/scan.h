/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Reading text in place: a scan is what is left of a text, or of one line of
 * it. Taking something moves `at`; text[at .. end - 1] is never left.
 */
#ifndef FRAMEHOLD_SRC_SCAN_H
#define FRAMEHOLD_SRC_SCAN_H

#include <framehold/status.h>

struct fh_scan {
	const char *text;
	size_t at;
	size_t end;
};

static inline bool fh_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline char fh_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The value of a hexadecimal digit; 16 for other characters. */
static inline unsigned fh_digit(char c)
{
	char lower = fh_lower(c);

	if (lower >= '0' && lower <= '9')
		return (unsigned)(lower - '0');
	if (lower >= 'a' && lower <= 'f')
		return (unsigned)(lower - 'a') + 10;
	return 16;
}

static inline struct fh_scan fh_scan_of(const char *text, size_t size)
{
	struct fh_scan s;

	s.text = text;
	s.at = 0;
	s.end = size;
	return s;
}

static inline bool fh_scan_is_done(const struct fh_scan *s)
{
	return s->at == s->end;
}

/* Takes blanks; returns how many. */
static inline size_t fh_scan_blanks(struct fh_scan *s)
{
	size_t before = s->at;

	while (s->at < s->end && fh_is_blank(s->text[s->at]))
		s->at++;
	return s->at - before;
}

/* Takes a line, without its end and the blanks before that; false if none. */
static inline bool fh_scan_line(struct fh_scan *s, struct fh_scan *line)
{
	if (fh_scan_is_done(s))
		return false;

	line->text = s->text;
	line->at = s->at;
	while (s->at < s->end && s->text[s->at] != '\n')
		s->at++;
	line->end = s->at;
	if (s->at < s->end)
		s->at++;
	while (line->end > line->at &&
	       (fh_is_blank(line->text[line->end - 1]) ||
		line->text[line->end - 1] == '\r'))
		line->end--;
	return true;
}

/* Takes the blanks before a line; false if it is empty or a comment. */
static inline bool fh_scan_begin(struct fh_scan *line, size_t *blanks)
{
	*blanks = fh_scan_blanks(line);
	return !fh_scan_is_done(line) && line->text[line->at] != '#';
}

/* Takes word, whose letters are small, in either case; false if not there. */
static inline bool fh_scan_take(struct fh_scan *s, const char *word)
{
	size_t length = 0;

	while (word[length] != '\0') {
		if (length == s->end - s->at ||
		    fh_lower(s->text[s->at + length]) != word[length])
			return false;
		length++;
	}
	s->at += length;
	return true;
}

/* Takes everything up to and with the first word; false if there is none. */
static inline bool fh_scan_find(struct fh_scan *s, const char *word)
{
	struct fh_scan rest = *s;

	while (!fh_scan_take(&rest, word)) {
		if (fh_scan_is_done(&rest))
			return false;
		rest.at++;
	}
	*s = rest;
	return true;
}

/* Whether word is all that is left. */
static inline bool fh_scan_is(const struct fh_scan *s, const char *word)
{
	struct fh_scan rest = *s;

	return fh_scan_take(&rest, word) && fh_scan_is_done(&rest);
}

/*
 * Takes the digits of a number. FH_E_INVALID without a digit, FH_E_OVERFLOW
 * beyond 64 bits; s is then somewhere in the number.
 */
static inline enum fh_status fh_scan_number(struct fh_scan *s, unsigned base,
					    uint64_t *number)
{
	uint64_t value = 0;
	size_t first = s->at;

	while (s->at < s->end && fh_digit(s->text[s->at]) < base) {
		unsigned digit = fh_digit(s->text[s->at]);

		if (value > (UINT64_MAX - digit) / base)
			return FH_E_OVERFLOW;
		value = value * base + digit;
		s->at++;
	}
	if (s->at == first)
		return FH_E_INVALID;
	*number = value;
	return FH_OK;
}

/* The same in hexadecimal, after 0x or not. */
static inline enum fh_status fh_scan_hex(struct fh_scan *s, uint64_t *number)
{
	(void)fh_scan_take(s, "0x");
	return fh_scan_number(s, 16, number);
}

/* Takes name, blanks, a hexadecimal number, and blanks or the end. */
static inline enum fh_status
fh_scan_named_hex(struct fh_scan *s, const char *name, uint64_t *number)
{
	enum fh_status status;

	if (!fh_scan_take(s, name) || fh_scan_blanks(s) == 0)
		return FH_E_INVALID;
	status = fh_scan_hex(s, number);
	if (status != FH_OK)
		return status;
	if (fh_scan_blanks(s) == 0 && !fh_scan_is_done(s))
		return FH_E_INVALID;
	return FH_OK;
}

#endif /* FRAMEHOLD_SRC_SCAN_H */
