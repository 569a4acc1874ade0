/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Files whose contents say what they are: a device tree and an ACPI table by
 * their first bytes, everything else as text. The binary arrays of
 * mapfirmware.h cannot be told from anything, and are not read here.
 */
#ifndef FRAMEHOLD_MAPANY_H
#define FRAMEHOLD_MAPANY_H

#include <framehold/mapfdt.h>

FH_BEGIN_DECLS

/* What could not be read, and why: a short sentence. */
struct fh_any_error {
	bool is_text;
	size_t at; /* of text, the line from 1 on, or 0; otherwise the byte */
	const char *why;
};

/* Reads a memory map: fh_map_read_fdt() or fh_map_read_text(). */
FH_NODISCARD
enum fh_status fh_map_read_any(const void *data, size_t size,
			       struct fh_region *regions, size_t capacity,
			       size_t *n, struct fh_any_error *error);

/*
 * Reads an affinity table: fh_numa_read_fdt(), fh_numa_read_srat() or
 * fh_numa_read_text().
 */
FH_NODISCARD
enum fh_status fh_numa_read_any(const void *data, size_t size,
				struct fh_node_range *ranges, size_t capacity,
				size_t *n, struct fh_any_error *error);

FH_END_DECLS

#endif /* FRAMEHOLD_MAPANY_H */
