/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Affinity tables: lines of text, and the System Resource Affinity Table of
 * ACPI 6.5, 5.2.16: a header, then structures that begin with their type and
 * their own length, of which only those about memory are read.
 */
#include <framehold/mapnuma.h>

#include "mapsink.h"
#include "numasink.h"
#include "scan.h"
#include "table.h"

#define SRAT_HEADER_SIZE 48
#define SRAT_MEMORY      1
#define SRAT_MEMORY_SIZE 40

/* One reading of a text. */
struct numa_reading {
	struct fh_numa_sink sink;
	const char *why;
};

/* What one line says. */
struct numa_line {
	uint64_t node;
	uint64_t start;
	uint64_t end;
	bool hot_plug;
};

/* "node start end" and perhaps "hotplug" */
static enum fh_status scan_numa_line(struct fh_scan *s, struct numa_line *line)
{
	enum fh_status status = fh_scan_number(s, 10, &line->node);

	if (status != FH_OK)
		return status;
	fh_scan_blanks(s);
	status = fh_scan_hex(s, &line->start);
	if (status != FH_OK)
		return status;
	fh_scan_blanks(s);
	status = fh_scan_hex(s, &line->end);
	if (status != FH_OK)
		return status;
	if (line->node > UINT32_MAX)
		return FH_E_OVERFLOW;

	line->hot_plug = fh_scan_blanks(s) > 0 && fh_scan_take(s, "hotplug");
	return fh_scan_is_done(s) ? FH_OK : FH_E_INVALID;
}

static enum fh_status read_numa_line(struct numa_reading *reading,
				     struct fh_scan *s)
{
	struct numa_line line;
	uint64_t size;
	enum fh_status status = scan_numa_line(s, &line);

	reading->why = "not of the form: node start end";
	if (status == FH_E_OVERFLOW)
		reading->why = "a number is too large";
	if (status != FH_OK)
		return status;
	status = fh_inclusive_size(line.start, line.end, &size, &reading->why);
	if (status != FH_OK)
		return status;
	reading->why = "no room for so many entries";
	return fh_numa_sink_put(&reading->sink, line.start, size,
				(uint32_t)line.node, line.hot_plug);
}

enum fh_status fh_numa_read_text(const char *text, size_t size,
				 struct fh_node_range *ranges, size_t capacity,
				 size_t *n, struct fh_text_error *error)
{
	struct numa_reading reading = {.why = NULL};
	struct fh_scan rest = fh_scan_of(text, size);
	struct fh_scan line;
	size_t number = 0;
	size_t blanks;

	reading.sink = fh_numa_sink_of(ranges, capacity);
	while (fh_scan_line(&rest, &line)) {
		enum fh_status status = FH_OK;

		number++;
		if (fh_scan_begin(&line, &blanks))
			status = read_numa_line(&reading, &line);
		if (status != FH_OK) {
			error->line = number;
			error->why = reading.why;
			return status;
		}
	}
	if (reading.sink.count == 0) {
		error->line = 0;
		error->why = "no entry";
		return FH_E_EMPTY;
	}
	*n = reading.sink.count;
	return FH_OK;
}

/* Checks the header; *end is where the table ends. */
static enum fh_status srat_header(const uint8_t *bytes, size_t size,
				  size_t *end, struct fh_table_error *error)
{
	uint64_t sum = 0;

	if (size < SRAT_HEADER_SIZE)
		return fh_table_fail(error, 0, FH_E_INVALID,
				     "the table is cut short");
	/* "SRAT", low byte first. */
	if (fh_little(bytes, 0, 4) != 0x54415253)
		return fh_table_fail(error, 0, FH_E_INVALID,
				     "not an affinity table");
	*end = fh_little(bytes, 4, 4);
	if (*end < SRAT_HEADER_SIZE || *end > size)
		return fh_table_fail(error, 4, FH_E_INVALID,
				     "the table is cut short");
	for (size_t i = 0; i < *end; i++)
		sum += bytes[i];
	if (sum % 256 != 0)
		return fh_table_fail(error, 9, FH_E_INVALID,
				     "the checksum is wrong");
	return FH_OK;
}

/* Reads the memory affinity structure that begins at `at`. */
static enum fh_status srat_put(struct fh_numa_sink *sink, const uint8_t *bytes,
			       size_t at)
{
	uint64_t flags = fh_little(bytes, at + 28, 4);
	uint64_t node = fh_little(bytes, at + 2, 4);
	bool is_enabled = flags % 2 == 1;
	bool hot_plug = flags / 2 % 2 == 1;

	/* Before ACPI 3.0, the other three bytes were not the domain's. */
	if (bytes[8] <= 1)
		node = bytes[at + 2];
	if (!is_enabled)
		return FH_OK;
	return fh_numa_sink_put(sink, fh_little(bytes, at + 8, 8),
				fh_little(bytes, at + 16, 8), (uint32_t)node,
				hot_plug);
}

enum fh_status fh_numa_read_srat(const void *table, size_t size,
				 struct fh_node_range *ranges, size_t capacity,
				 size_t *n, struct fh_table_error *error)
{
	const uint8_t *bytes = table;
	struct fh_numa_sink sink = fh_numa_sink_of(ranges, capacity);
	size_t end;
	size_t at = SRAT_HEADER_SIZE;
	enum fh_status status = srat_header(bytes, size, &end, error);

	if (status != FH_OK)
		return status;
	while (at < end) {
		size_t length = end - at < 2 ? 0 : bytes[at + 1];

		if (length < 2 || length > end - at ||
		    (bytes[at] == SRAT_MEMORY && length < SRAT_MEMORY_SIZE))
			return fh_table_fail(error, at, FH_E_INVALID,
					     "a structure is cut short");
		if (bytes[at] == SRAT_MEMORY)
			status = srat_put(&sink, bytes, at);
		if (status != FH_OK)
			return fh_table_put(error, at, status);
		at += length;
	}
	if (sink.count == 0)
		return fh_table_fail(error, 0, FH_E_EMPTY, "no entry");
	*n = sink.count;
	return FH_OK;
}
