/* SPDX-License-Identifier: MPL-2.0 */
#include "print.h"

#include "lock.h"
#include "port.h"

#include <stdarg.h>

static struct lock console;

struct line {
	char text[PRINT_MAX];
	size_t length;
};

static void add_char(struct line *line, char c)
{
	if (line->length < PRINT_MAX) {
		line->text[line->length] = c;
		line->length++;
	}
}

static void add_text(struct line *line, const char *text, size_t width)
{
	size_t n = 0;

	for (; text[n] != '\0'; n++)
		add_char(line, text[n]);
	for (; n < width; n++)
		add_char(line, ' ');
}

static void add_number(struct line *line, uint64_t value, uint64_t base,
		       size_t width)
{
	char digits[24];
	size_t n = 0;

	do {
		digits[n] = "0123456789abcdef"[value % base];
		value /= base;
		n++;
	} while (value != 0);
	for (size_t i = n; i < width; i++)
		add_char(line, ' ');
	while (n > 0) {
		n--;
		add_char(line, digits[n]);
	}
}

/* What follows a % sign, from the width on; returns what is behind it. */
static const char *add_argument(struct line *line, const char *format,
				va_list *arguments)
{
	size_t width = 0;
	bool is_long = false;

	for (; *format >= '0' && *format <= '9'; format++)
		width = width * 10 + (size_t)(*format - '0');
	if (*format == 'l') {
		is_long = true;
		format++;
	}
	if (*format == 's')
		add_text(line, va_arg(*arguments, const char *), width);
	else if (*format == 'c')
		add_char(line, (char)va_arg(*arguments, int));
	else if (*format == 'u' || *format == 'x')
		add_number(line,
			   is_long ? va_arg(*arguments, uint64_t)
				   : va_arg(*arguments, unsigned),
			   *format == 'u' ? 10 : 16, width);
	else
		add_char(line, *format);
	return format + 1;
}

static void make_line(struct line *line, const char *format, va_list *arguments)
{
	line->length = 0;
	while (*format != '\0') {
		if (*format == '%') {
			format = add_argument(line, format + 1, arguments);
		} else {
			add_char(line, *format);
			format++;
		}
	}
}

static void put_line(const struct line *line, void (*put)(char c))
{
	for (size_t i = 0; i < line->length; i++)
		put(line->text[i]);
}

static void tell(void (*put)(char c), const char *format, va_list *arguments)
{
	struct line line;

	make_line(&line, format, arguments);
	lock(&console);
	put_line(&line, put);
	unlock(&console);
}

void print(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	tell(port_console_put, format, &arguments);
	va_end(arguments);
}

void print_intent(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	tell(port_intent_put, format, &arguments);
	va_end(arguments);
}

/* Turns of waiting: longer than a line takes, on whichever machine. */
#define PATIENCE 65536

void print_last(const char *format, ...)
{
	struct line line;
	va_list arguments;
	unsigned turns = 0;

	va_start(arguments, format);
	make_line(&line, format, &arguments);
	va_end(arguments);
	/* Acquire: pairs with the release in unlock(). */
	while (turns < PATIENCE &&
	       fh_word_cas_acquire(&console.word, 0, 1) != 0) {
		fh_host_relax();
		turns++;
	}
	put_line(&line, port_console_put);
}
