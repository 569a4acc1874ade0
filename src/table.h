/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Reading tables that others wrote: numbers, byte by byte, so that neither
 * alignment nor the machine's byte order matters, and what to say of a table
 * that is wrong. Bounds are checked before, by the readers.
 */
#ifndef FRAMEHOLD_SRC_TABLE_H
#define FRAMEHOLD_SRC_TABLE_H

#include <framehold/mapfirmware.h>

/* The number in bytes[at .. at + width - 1], width <= 8, low byte first. */
static inline uint64_t fh_little(const uint8_t *bytes, size_t at, size_t width)
{
	uint64_t value = 0;

	for (size_t i = width; i > 0; i--)
		value = value * 256 + bytes[at + i - 1];
	return value;
}

/* The same, high byte first. */
static inline uint64_t fh_big(const uint8_t *bytes, size_t at, size_t width)
{
	uint64_t value = 0;

	for (size_t i = 0; i < width; i++)
		value = value * 256 + bytes[at + i];
	return value;
}

/* Fills *error in and returns status. */
static inline enum fh_status fh_table_fail(struct fh_table_error *error,
					   size_t at, enum fh_status status,
					   const char *why)
{
	error->at = at;
	error->why = why;
	return status;
}

/* The same for what a sink returned, FH_OK included. */
static inline enum fh_status fh_table_put(struct fh_table_error *error,
					  size_t at, enum fh_status status)
{
	if (status == FH_E_OVERFLOW)
		return fh_table_fail(error, at, status,
				     "it ends beyond 64 bits");
	if (status == FH_E_NO_MEMORY)
		return fh_table_fail(error, at, status,
				     "no room for so many entries");
	return status;
}

#endif /* FRAMEHOLD_SRC_TABLE_H */
