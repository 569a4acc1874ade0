/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Memory maps from files, and a made-up one. Files are read to their end
 * without asking for their size: those in /proc have none.
 */
#include "mapfile.h"

#include <framehold/mapany.h>

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

static bool complain_at(const char *path, const struct fh_any_error *error)
{
	if (error->is_text && error->at == 0)
		return complain(path, error->why);
	fprintf(stderr, "fh-demo: cannot read %s, %s %zu: %s\n", path,
		error->is_text ? "line" : "byte", error->at, error->why);
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

/*
 * Room for all entries that a file of the size can hold: the shortest line
 * with one has 6 bytes, the shortest entry of a device tree has 8.
 */
static size_t most_entries(size_t size)
{
	return size / 6 + 1;
}

static bool parse(const struct text *text, const char *path,
		  struct regions *regions)
{
	size_t capacity = most_entries(text->size);
	struct fh_any_error error = {.why = NULL};

	regions->entries = malloc(capacity * sizeof(*regions->entries));
	if (regions->entries == NULL)
		return complain(path, "no memory");
	enum fh_status status =
		fh_map_read_any(text->bytes, text->size, regions->entries,
				capacity, &regions->count, &error);
	if (status == FH_E_EMPTY)
		return complain(path,
				"there is no entry of a memory map in it");
	if (status != FH_OK)
		return complain_at(path, &error);
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
