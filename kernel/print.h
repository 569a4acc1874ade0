/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Lines for people, on the console; and lines for tools, on the channel of
 * intents. A call is one piece that nobody else's output falls into.
 */
#ifndef KERNEL_PRINT_H
#define KERNEL_PRINT_H

/*
 * %s %c %u %lu %x %lx %%, with a width as in %8lu; nothing else. At most
 * PRINT_MAX bytes, the rest is cut off. Not in interrupt handlers.
 */
#define PRINT_MAX 400

__attribute__((format(printf, 1, 2))) void print(const char *format, ...);
__attribute__((format(printf, 1, 2))) void print_intent(const char *format,
							...);

/*
 * Last words, in any context: as print(), but whoever else prints is waited for
 * for a while only, since that may be the one who failed. Nobody prints after it.
 */
__attribute__((format(printf, 1, 2))) void print_last(const char *format, ...);

#endif /* KERNEL_PRINT_H */
