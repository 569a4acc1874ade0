/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Memory maps as text: the text is cut into lines, and each line is read by
 * the one form that the whole text has. A line of any form ends in one region
 * or in none. Nothing is copied: a line is a piece of the caller's text.
 */
#include <framehold/maptext.h>

#include "mapsink.h"
#include "scan.h"

enum text_form {
	TEXT_E820,
	TEXT_LOG,
	TEXT_IOMEM,
	TEXT_UEFI,
};

/* One reading of a text, from its first line to its last. */
struct text_reading {
	enum text_form form;
	struct fh_map_sink sink;

	/* iomem only: blanks before the first line; an address but 0 was seen */
	size_t outer_blanks;
	bool has_outer;
	bool has_address;

	const char *why; /* when a line could not be read */
};

/* What a kind of memory is called. */
struct memory_name {
	const char *name; /* in small letters */
	enum fh_region_kind kind;
};

static const struct memory_name log_names[] = {
	{"usable", FH_REGION_USABLE},
	{"reserved", FH_REGION_RESERVED},
	{"soft reserved", FH_REGION_RESERVED},
	{"acpi data", FH_REGION_RECLAIMABLE},
	{"acpi nvs", FH_REGION_NON_VOLATILE_SLEEP},
	{"unusable", FH_REGION_BAD},
};

#define LOG_NAMES (sizeof(log_names) / sizeof(log_names[0]))

static const struct memory_name iomem_names[] = {
	{"system ram", FH_REGION_USABLE},
	{"reserved", FH_REGION_RESERVED},
	{"acpi tables", FH_REGION_RECLAIMABLE},
	{"acpi non-volatile storage", FH_REGION_NON_VOLATILE_SLEEP},
	{"unusable memory", FH_REGION_BAD},
	{"unknown e820 type", FH_REGION_UNKNOWN},
};

#define IOMEM_NAMES (sizeof(iomem_names) / sizeof(iomem_names[0]))

/* Whether what is left of the line is one of n names; *kind is what it says. */
static bool find_name(const struct fh_scan *line,
		      const struct memory_name *names, size_t n,
		      enum fh_region_kind *kind)
{
	for (size_t i = 0; i < n; i++) {
		if (fh_scan_is(line, names[i].name)) {
			*kind = names[i].kind;
			return true;
		}
	}
	return false;
}

static enum fh_status text_fail(struct text_reading *reading,
				enum fh_status status, const char *why)
{
	reading->why = why;
	return status;
}

static enum fh_status number_fail(struct text_reading *reading,
				  enum fh_status status, const char *form)
{
	if (status == FH_E_OVERFLOW)
		return text_fail(reading, status,
				 "a number has more than 64 bits");
	return text_fail(reading, status, form);
}

static enum fh_status put_sized(struct text_reading *reading, uint64_t base,
				uint64_t size, enum fh_region_kind kind)
{
	enum fh_status status =
		fh_map_sink_put(&reading->sink, base, size, kind);

	if (status == FH_E_OVERFLOW)
		return text_fail(reading, status,
				 "the end has more than 64 bits");
	if (status == FH_E_NO_MEMORY)
		return text_fail(reading, status,
				 "no room for so many entries");
	return status;
}

static enum fh_status put_inclusive(struct text_reading *reading,
				    uint64_t start, uint64_t end,
				    enum fh_region_kind kind)
{
	uint64_t size;
	enum fh_status status =
		fh_inclusive_size(start, end, &size, &reading->why);

	if (status != FH_OK)
		return status;
	return put_sized(reading, start, size, kind);
}

/* "start end type" */
static enum fh_status read_e820_line(struct text_reading *reading,
				     struct fh_scan *line)
{
	const char *form = "not of the form: start end type";
	uint64_t start;
	uint64_t end;
	uint64_t type;
	enum fh_status status;

	status = fh_scan_hex(line, &start);
	if (status != FH_OK)
		return number_fail(reading, status, form);
	fh_scan_blanks(line);
	status = fh_scan_hex(line, &end);
	if (status != FH_OK)
		return number_fail(reading, status, form);
	fh_scan_blanks(line);
	status = fh_scan_number(line, 10, &type);
	if (status != FH_OK)
		return number_fail(reading, status, form);
	if (!fh_scan_is_done(line))
		return text_fail(reading, FH_E_INVALID, form);
	return put_inclusive(reading, start, end, fh_e820_kind(type));
}

/* "start-end", of the boot log and of iomem. */
static enum fh_status read_range(struct text_reading *reading,
				 struct fh_scan *line, const char *form,
				 uint64_t *start, uint64_t *end)
{
	enum fh_status status = fh_scan_hex(line, start);

	if (status != FH_OK)
		return number_fail(reading, status, form);
	if (!fh_scan_take(line, "-"))
		return text_fail(reading, FH_E_INVALID, form);
	status = fh_scan_hex(line, end);
	if (status != FH_OK)
		return number_fail(reading, status, form);
	return FH_OK;
}

/* What a boot log calls a kind, by name or by number. */
static enum fh_status read_log_kind(struct text_reading *reading,
				    struct fh_scan *line,
				    enum fh_region_kind *kind)
{
	const char *form = "no kind of memory by that name";
	enum fh_status status;
	uint64_t type;

	if (find_name(line, log_names, LOG_NAMES, kind))
		return FH_OK;
	if (fh_scan_take(line, "persistent")) {
		*kind = FH_REGION_RESERVED;
		return FH_OK;
	}
	if (!fh_scan_take(line, "type "))
		return text_fail(reading, FH_E_INVALID, form);
	status = fh_scan_number(line, 10, &type);
	if (status != FH_OK)
		return number_fail(reading, status, form);
	if (!fh_scan_is_done(line))
		return text_fail(reading, FH_E_INVALID, form);
	*kind = fh_e820_kind(type);
	return FH_OK;
}

#define LOG_MARK "bios-e820:"

/* "... BIOS-e820: [mem 0xstart-0xend] kind"; other lines mean nothing. */
static enum fh_status read_log_line(struct text_reading *reading,
				    struct fh_scan *line)
{
	const char *form = "not of the form: [mem 0xstart-0xend] kind";
	enum fh_region_kind kind;
	enum fh_status status;
	uint64_t start;
	uint64_t end;

	if (!fh_scan_find(line, LOG_MARK))
		return FH_OK;
	fh_scan_blanks(line);
	if (!fh_scan_take(line, "[mem"))
		return text_fail(reading, FH_E_INVALID, form);
	fh_scan_blanks(line);
	status = read_range(reading, line, form, &start, &end);
	if (status != FH_OK)
		return status;
	if (!fh_scan_take(line, "]"))
		return text_fail(reading, FH_E_INVALID, form);
	fh_scan_blanks(line);
	status = read_log_kind(reading, line, &kind);
	if (status != FH_OK)
		return status;
	return put_inclusive(reading, start, end, kind);
}

/* "start-end : name", nested if it stands further right than the first. */
static enum fh_status read_iomem_line(struct text_reading *reading,
				      struct fh_scan *line, size_t blanks)
{
	const char *form = "not of the form: start-end : name";
	enum fh_region_kind kind = FH_REGION_RESERVED;
	bool is_known;
	enum fh_status status;
	uint64_t start;
	uint64_t end;

	status = read_range(reading, line, form, &start, &end);
	if (status != FH_OK)
		return status;
	fh_scan_blanks(line);
	if (!fh_scan_take(line, ":"))
		return text_fail(reading, FH_E_INVALID, form);
	fh_scan_blanks(line);

	if (!reading->has_outer) {
		reading->has_outer = true;
		reading->outer_blanks = blanks;
	}
	if (end != 0)
		reading->has_address = true;

	is_known = find_name(line, iomem_names, IOMEM_NAMES, &kind);
	if (fh_scan_take(line, "kernel ")) {
		is_known = true;
		kind = FH_REGION_KERNEL;
	}
	if (!is_known && blanks > reading->outer_blanks)
		return FH_OK;
	return put_inclusive(reading, start, end, kind);
}

/* "type T pa START pages N attr A" */
static enum fh_status read_uefi_line(struct text_reading *reading,
				     struct fh_scan *line)
{
	const char *form = "not of the form: type T pa START pages N attr A";
	enum fh_status status;
	uint64_t type;
	uint64_t base;
	uint64_t pages;
	uint64_t attributes;

	status = fh_scan_named_hex(line, "type", &type);
	if (status == FH_OK)
		status = fh_scan_named_hex(line, "pa", &base);
	if (status == FH_OK)
		status = fh_scan_named_hex(line, "pages", &pages);
	if (status == FH_OK)
		status = fh_scan_named_hex(line, "attr", &attributes);
	if (status != FH_OK)
		return number_fail(reading, status, form);
	if (!fh_scan_is_done(line))
		return text_fail(reading, FH_E_INVALID, form);
	if (pages > UINT64_MAX / FH_PAGE_SIZE)
		return text_fail(reading, FH_E_OVERFLOW,
				 "the end has more than 64 bits");
	return put_sized(reading, base, pages * FH_PAGE_SIZE,
			 fh_uefi_kind(type, attributes));
}

static enum fh_status read_line(struct text_reading *reading,
				struct fh_scan *line)
{
	size_t blanks;

	if (!fh_scan_begin(line, &blanks))
		return FH_OK;
	switch (reading->form) {
	case TEXT_E820:
		return read_e820_line(reading, line);
	case TEXT_LOG:
		return read_log_line(reading, line);
	case TEXT_IOMEM:
		return read_iomem_line(reading, line, blanks);
	case TEXT_UEFI:
		return read_uefi_line(reading, line);
	}
	return FH_E_INVALID;
}

/* What can be said only after the last line. */
static enum fh_status check_whole_text(struct text_reading *reading)
{
	if (reading->sink.count == 0)
		return text_fail(reading, FH_E_EMPTY, "no entry");
	if (reading->form == TEXT_IOMEM && !reading->has_address)
		return text_fail(reading, FH_E_INVALID,
				 "all addresses are hidden: read it as root");
	return FH_OK;
}

static enum fh_status read_lines(const char *text, size_t size,
				 struct text_reading *reading,
				 struct fh_text_error *error)
{
	struct fh_scan rest = fh_scan_of(text, size);
	struct fh_scan line;
	enum fh_status status = FH_OK;
	size_t number = 0;

	while (status == FH_OK && fh_scan_line(&rest, &line)) {
		number++;
		status = read_line(reading, &line);
	}
	if (status == FH_OK) {
		number = 0;
		status = check_whole_text(reading);
	}
	if (status != FH_OK) {
		error->line = number;
		error->why = reading->why;
	}
	return status;
}

static enum fh_status read_form(enum text_form form, const char *text,
				size_t size, struct fh_region *regions,
				size_t capacity, size_t *n,
				struct fh_text_error *error)
{
	struct text_reading reading = {.form = form};
	enum fh_status status;

	reading.sink = fh_map_sink_of(regions, capacity);
	status = read_lines(text, size, &reading, error);
	if (status == FH_OK)
		*n = reading.sink.count;
	return status;
}

static bool text_has_log_line(const char *text, size_t size)
{
	struct fh_scan rest = fh_scan_of(text, size);
	struct fh_scan line;
	size_t blanks;

	while (fh_scan_line(&rest, &line)) {
		if (fh_scan_begin(&line, &blanks) &&
		    fh_scan_find(&line, LOG_MARK))
			return true;
	}
	return false;
}

/* The form of a text that is no boot log, by its first line with a meaning. */
static enum text_form form_of_first_line(const char *text, size_t size)
{
	struct fh_scan rest = fh_scan_of(text, size);
	struct fh_scan line;
	size_t blanks;
	uint64_t start;

	while (fh_scan_line(&rest, &line)) {
		if (!fh_scan_begin(&line, &blanks))
			continue;
		if (fh_scan_take(&line, "type"))
			return TEXT_UEFI;
		if (fh_scan_hex(&line, &start) == FH_OK &&
		    fh_scan_take(&line, "-"))
			return TEXT_IOMEM;
		return TEXT_E820;
	}
	return TEXT_E820;
}

enum fh_status fh_map_read_e820(const char *text, size_t size,
				struct fh_region *regions, size_t capacity,
				size_t *n, struct fh_text_error *error)
{
	enum text_form form = TEXT_E820;

	if (text_has_log_line(text, size))
		form = TEXT_LOG;
	return read_form(form, text, size, regions, capacity, n, error);
}

enum fh_status fh_map_read_iomem(const char *text, size_t size,
				 struct fh_region *regions, size_t capacity,
				 size_t *n, struct fh_text_error *error)
{
	return read_form(TEXT_IOMEM, text, size, regions, capacity, n, error);
}

enum fh_status fh_map_read_uefi_text(const char *text, size_t size,
				     struct fh_region *regions, size_t capacity,
				     size_t *n, struct fh_text_error *error)
{
	return read_form(TEXT_UEFI, text, size, regions, capacity, n, error);
}

enum fh_status fh_map_read_text(const char *text, size_t size,
				struct fh_region *regions, size_t capacity,
				size_t *n, struct fh_text_error *error)
{
	enum text_form form = form_of_first_line(text, size);

	if (text_has_log_line(text, size))
		form = TEXT_LOG;
	return read_form(form, text, size, regions, capacity, n, error);
}
