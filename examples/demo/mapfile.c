/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Memory maps from files, and a made-up one. Files are read to their end
 * without asking for their size: those in /proc have none.
 */
#include "mapfile.h"

#include <framehold/maptext.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TEXT ((size_t)16 << 20)

struct text {
	char *bytes;
	size_t size;
};

static bool complain(const char *path, const char *why)
{
	fprintf(stderr, "fh-demo: cannot read %s: %s\n", path, why);
	return false;
}

/* One byte more than is allowed is read, to tell a file that is too long. */
static bool read_all(FILE *file, const char *path, struct text *text)
{
	text->bytes = malloc(MOST_TEXT + 1);
	if (text->bytes == NULL)
		return complain(path, "no memory");
	errno = 0;
	text->size = fread(text->bytes, 1, MOST_TEXT + 1, file);
	if (ferror(file))
		return complain(path, strerror(errno));
	if (text->size > MOST_TEXT)
		return complain(path, "longer than any memory map");
	return true;
}

static size_t count_lines(const struct text *text)
{
	size_t lines = 1;

	for (size_t i = 0; i < text->size; i++)
		if (text->bytes[i] == '\n')
			lines++;
	return lines;
}

/* A reader without the right to see addresses is shown zeros. */
static bool addresses_are_hidden(const struct regions *regions)
{
	for (size_t i = 0; i < regions->count; i++)
		if (regions->entries[i].base != 0 ||
		    regions->entries[i].size > 1)
			return false;
	return true;
}

static bool parse(const struct text *text, const char *path,
		  struct regions *regions)
{
	size_t capacity = count_lines(text);
	struct fh_text_error error = {0, NULL};

	regions->entries = malloc(capacity * sizeof(*regions->entries));
	if (regions->entries == NULL)
		return complain(path, "no memory");
	enum fh_status status =
		fh_map_read_text(text->bytes, text->size, regions->entries,
				 capacity, &regions->count, &error);
	if (status == FH_E_EMPTY)
		return complain(path,
				"there is no entry of a memory map in it");
	if (status != FH_OK) {
		fprintf(stderr, "fh-demo: %s, line %zu: %s\n", path, error.line,
			error.why);
		return false;
	}
	if (addresses_are_hidden(regions))
		return complain(path, "its addresses are hidden from this "
				      "user; read it as root");
	return true;
}

bool mapfile_read(const char *path, struct regions *regions)
{
	struct text text = {NULL, 0};
	FILE *file = fopen(path, "rb");

	regions->entries = NULL;
	regions->count = 0;
	if (file == NULL)
		return complain(path, strerror(errno));
	bool fine = read_all(file, path, &text) && parse(&text, path, regions);
	(void)fclose(file);
	free(text.bytes);
	if (!fine)
		free(regions->entries);
	return fine;
}

static void append(struct regions *regions, uint64_t base, uint64_t end,
		   enum fh_region_kind kind)
{
	if (base >= end)
		return;
	regions->entries[regions->count].base = base;
	regions->entries[regions->count].size = end - base;
	regions->entries[regions->count].kind = kind;
	regions->count++;
}

bool mapfile_make(uint64_t ram_bytes, struct regions *regions)
{
	const uint64_t video = 640 << 10;
	const uint64_t high = 1 << 20;
	const uint64_t devices = UINT64_C(3) << 30;
	const uint64_t above = UINT64_C(4) << 30;

	regions->count = 0;
	regions->entries = malloc(5 * sizeof(*regions->entries));
	if (regions->entries == NULL)
		return complain("the made-up map", "no memory");
	uint64_t low_end = ram_bytes < devices ? ram_bytes : devices;
	append(regions, 0, ram_bytes < video ? ram_bytes : video,
	       FH_REGION_USABLE);
	append(regions, video, high, FH_REGION_RESERVED);
	append(regions, high, low_end, FH_REGION_USABLE);
	append(regions, devices, above, FH_REGION_RESERVED);
	append(regions, above, above + (ram_bytes - low_end), FH_REGION_USABLE);
	return true;
}
