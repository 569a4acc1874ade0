/* SPDX-License-Identifier: MPL-2.0 */
/* Bytes and words: what compilers call, and command lines. */
#ifndef KERNEL_TEXT_H
#define KERNEL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *at, int value, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/*
 * Words of a command line, separated by blanks: whether one is name; and the
 * number behind name in the first one that begins with it, such as of
 * "storm=100" for the name "storm=", or another one if there is none.
 */
bool text_has_word(const char *line, const char *name);
uint64_t text_number(const char *line, const char *name, uint64_t otherwise);

#endif /* KERNEL_TEXT_H */
