/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Readers for affinity tables: which memory belongs to which node of a machine
 * with several memories. Ranges come in pages, clipped outward; empty ones are
 * left out. Nothing is allocated. Any context.
 */
#ifndef FRAMEHOLD_MAPNUMA_H
#define FRAMEHOLD_MAPNUMA_H

#include <framehold/mapfirmware.h>
#include <framehold/maptext.h>
#include <framehold/topology.h>

FH_BEGIN_DECLS

/*
 * Reads lines "node start end", with the word "hotplug" behind them or not:
 * node decimal, start and end hexadecimal, end inclusive. Everything else, and
 * the errors, as in maptext.h.
 */
FH_NODISCARD
enum fh_status fh_numa_read_text(const char *text, size_t size,
				 struct fh_node_range *ranges, size_t capacity,
				 size_t *n, struct fh_text_error *error);

/*
 * Reads an ACPI SRAT, header included, of which `size` bytes can be read: its
 * enabled memory affinity structures, the proximity domain as the node. Errors
 * as in mapfirmware.h; FH_E_INVALID also for a wrong checksum.
 */
FH_NODISCARD
enum fh_status fh_numa_read_srat(const void *table, size_t size,
				 struct fh_node_range *ranges, size_t capacity,
				 size_t *n, struct fh_table_error *error);

FH_END_DECLS

#endif /* FRAMEHOLD_MAPNUMA_H */
