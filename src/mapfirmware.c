/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Memory maps as arrays of equally spaced entries: the readers differ in where
 * an entry begins, how far the next one is, and what its type means.
 *
 *     [ header | entry ... | entry ... | ... ]
 *               <- stride ->
 */
#include <framehold/mapfirmware.h>

#include "mapsink.h"
#include "table.h"

/* A UEFI descriptor: type at 0, address at 8, pages at 24, attributes at 32. */
#define UEFI_DESCRIPTOR_SIZE 40

/* A PVH entry: address at 0, size at 8, type at 16. Multiboot2's are alike. */
#define PVH_ENTRY_SIZE 24

/* A Multiboot2 tag: type at 0, its size at 4, its entries' at 8. */
#define MULTIBOOT2_HEADER_SIZE 16
#define MULTIBOOT2_MEMORY_MAP  6

/* Hands the result over once all entries are read. */
static enum fh_status firmware_finish(const struct fh_map_sink *sink, size_t *n,
				      struct fh_table_error *error)
{
	if (sink->count == 0)
		return fh_table_fail(error, 0, FH_E_EMPTY, "no entry");
	*n = sink->count;
	return FH_OK;
}

enum fh_status fh_map_read_uefi(const void *descriptors, size_t size,
				size_t stride, struct fh_region *regions,
				size_t capacity, size_t *n,
				struct fh_table_error *error)
{
	const uint8_t *bytes = descriptors;
	struct fh_map_sink sink = fh_map_sink_of(regions, capacity);
	size_t count;

	if (stride < UEFI_DESCRIPTOR_SIZE)
		return fh_table_fail(error, 0, FH_E_INVALID,
				     "a descriptor has at least 40 bytes");
	count = size / stride;
	if (size % stride != 0)
		return fh_table_fail(error, count * stride, FH_E_INVALID,
				     "a piece of a descriptor");

	for (size_t i = 0; i < count; i++) {
		size_t at = i * stride;
		uint64_t pages = fh_little(bytes, at + 24, 8);
		enum fh_region_kind kind = fh_uefi_kind(
			fh_little(bytes, at, 4), fh_little(bytes, at + 32, 8));
		enum fh_status status;

		if (pages > UINT64_MAX / FH_PAGE_SIZE)
			return fh_table_fail(error, at, FH_E_OVERFLOW,
					     "it ends beyond 64 bits");
		status = fh_map_sink_put(&sink, fh_little(bytes, at + 8, 8),
					 pages * FH_PAGE_SIZE, kind);
		if (status != FH_OK)
			return fh_table_put(error, at, status);
	}
	return firmware_finish(&sink, n, error);
}

enum fh_status fh_map_read_pvh(const void *entries, size_t count,
			       struct fh_region *regions, size_t capacity,
			       size_t *n, struct fh_table_error *error)
{
	const uint8_t *bytes = entries;
	struct fh_map_sink sink = fh_map_sink_of(regions, capacity);

	for (size_t i = 0; i < count; i++) {
		size_t at = i * PVH_ENTRY_SIZE;
		enum fh_status status = fh_map_sink_put(
			&sink, fh_little(bytes, at, 8),
			fh_little(bytes, at + 8, 8),
			fh_e820_kind(fh_little(bytes, at + 16, 4)));

		if (status != FH_OK)
			return fh_table_put(error, at, status);
	}
	return firmware_finish(&sink, n, error);
}

static enum fh_region_kind multiboot2_kind(uint64_t type)
{
	if (type >= 1 && type <= 5)
		return fh_e820_kind(type);
	return FH_REGION_RESERVED;
}

/* Reads the header: where the tag ends, and the size of its entries. */
static enum fh_status multiboot2_header(const uint8_t *bytes, size_t size,
					size_t *end, size_t *stride,
					struct fh_table_error *error)
{
	if (size < MULTIBOOT2_HEADER_SIZE)
		return fh_table_fail(error, 0, FH_E_INVALID,
				     "the tag is cut short");
	if (fh_little(bytes, 0, 4) != MULTIBOOT2_MEMORY_MAP)
		return fh_table_fail(error, 0, FH_E_INVALID,
				     "not a memory map tag");
	*end = fh_little(bytes, 4, 4);
	*stride = fh_little(bytes, 8, 4);
	if (*end < MULTIBOOT2_HEADER_SIZE || *end > size)
		return fh_table_fail(error, 4, FH_E_INVALID,
				     "the tag is cut short");
	if (*stride < PVH_ENTRY_SIZE)
		return fh_table_fail(error, 8, FH_E_INVALID,
				     "an entry has at least 24 bytes");
	if ((*end - MULTIBOOT2_HEADER_SIZE) % *stride != 0)
		return fh_table_fail(error, 4, FH_E_INVALID,
				     "the tag does not end with an entry");
	return FH_OK;
}

enum fh_status fh_map_read_multiboot2(const void *tag, size_t size,
				      struct fh_region *regions,
				      size_t capacity, size_t *n,
				      struct fh_table_error *error)
{
	const uint8_t *bytes = tag;
	struct fh_map_sink sink = fh_map_sink_of(regions, capacity);
	size_t end;
	size_t stride;
	enum fh_status status =
		multiboot2_header(bytes, size, &end, &stride, error);

	if (status != FH_OK)
		return status;
	for (size_t at = MULTIBOOT2_HEADER_SIZE; at < end; at += stride) {
		status = fh_map_sink_put(
			&sink, fh_little(bytes, at, 8),
			fh_little(bytes, at + 8, 8),
			multiboot2_kind(fh_little(bytes, at + 16, 4)));
		if (status != FH_OK)
			return fh_table_put(error, at, status);
	}
	return firmware_finish(&sink, n, error);
}
