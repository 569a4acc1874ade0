/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The four functions of a C library that compilers call by themselves. This
 * file is compiled so that they do not call themselves: kernel/Makefile.
 */
#include "text.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	unsigned char *target = to;
	const unsigned char *source = from;

	for (size_t i = 0; i < n; i++)
		target[i] = source[i];
	return to;
}

void *memset(void *at, int value, size_t n)
{
	unsigned char *target = at;

	for (size_t i = 0; i < n; i++)
		target[i] = (unsigned char)value;
	return at;
}

void *memmove(void *to, const void *from, size_t n)
{
	unsigned char *target = to;
	const unsigned char *source = from;

	if (target <= source)
		return memcpy(to, from, n);
	while (n > 0) {
		n--;
		target[n] = source[n];
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *left = a;
	const unsigned char *right = b;

	for (size_t i = 0; i < n; i++)
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	return 0;
}

/* The word of a command line that begins with name, behind name; or null. */
static const char *text_find_word(const char *line, const char *name)
{
	while (*line != '\0') {
		const char *at = line;
		const char *want = name;

		while (*want != '\0' && *at == *want) {
			at++;
			want++;
		}
		if (*want == '\0')
			return at;
		while (*line != '\0' && *line != ' ')
			line++;
		while (*line == ' ')
			line++;
	}
	return NULL;
}

bool text_has_word(const char *line, const char *name)
{
	const char *end = text_find_word(line, name);

	return end != NULL && (*end == '\0' || *end == ' ');
}

uint64_t text_number(const char *line, const char *name, uint64_t otherwise)
{
	const char *at = text_find_word(line, name);
	uint64_t value = 0;

	if (at == NULL || *at < '0' || *at > '9')
		return otherwise;
	for (; *at >= '0' && *at <= '9' && value < UINT64_MAX / 16; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	return value;
}
