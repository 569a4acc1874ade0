/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which reader a file is for. No text begins as a device tree does, whose
 * first byte is no character; a text that begins with "SRAT" is no other form.
 */
#include <framehold/mapany.h>

#include "table.h"

static enum fh_status text_result(enum fh_status status,
				  const struct fh_text_error *found,
				  struct fh_any_error *error)
{
	if (status != FH_OK) {
		error->is_text = true;
		error->at = found->line;
		error->why = found->why;
	}
	return status;
}

static enum fh_status table_result(enum fh_status status,
				   const struct fh_table_error *found,
				   struct fh_any_error *error)
{
	if (status != FH_OK) {
		error->is_text = false;
		error->at = found->at;
		error->why = found->why;
	}
	return status;
}

static bool data_is_fdt(const void *data, size_t size)
{
	return size >= FH_FDT_MAGIC_SIZE && fh_fdt_size(data) != 0;
}

static bool data_is_srat(const void *data, size_t size)
{
	const uint8_t *bytes = data;

	return size >= 4 && bytes[0] == 'S' && bytes[1] == 'R' &&
	       bytes[2] == 'A' && bytes[3] == 'T';
}

enum fh_status fh_map_read_any(const void *data, size_t size,
			       struct fh_region *regions, size_t capacity,
			       size_t *n, struct fh_any_error *error)
{
	struct fh_text_error in_text;
	struct fh_table_error in_table;

	if (data_is_fdt(data, size))
		return table_result(fh_map_read_fdt(data, size, regions,
						    capacity, n, &in_table),
				    &in_table, error);
	return text_result(
		fh_map_read_text(data, size, regions, capacity, n, &in_text),
		&in_text, error);
}

enum fh_status fh_numa_read_any(const void *data, size_t size,
				struct fh_node_range *ranges, size_t capacity,
				size_t *n, struct fh_any_error *error)
{
	struct fh_text_error in_text;
	struct fh_table_error in_table;

	if (data_is_fdt(data, size))
		return table_result(fh_numa_read_fdt(data, size, ranges,
						     capacity, n, &in_table),
				    &in_table, error);
	if (data_is_srat(data, size))
		return table_result(fh_numa_read_srat(data, size, ranges,
						      capacity, n, &in_table),
				    &in_table, error);
	return text_result(
		fh_numa_read_text(data, size, ranges, capacity, n, &in_text),
		&in_text, error);
}
