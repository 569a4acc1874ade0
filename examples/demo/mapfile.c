/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Memory maps and nodes from files, and a made-up map. Files are read to their
 * end without asking for their size: those in /proc have none.
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

/* What a reader answered; says on stderr what is wrong with the file. */
static bool check_read(const char *path, enum fh_status status,
		       const char *missing, const struct fh_any_error *error)
{
	if (status == FH_E_EMPTY)
		return complain(path, missing);
	if (status != FH_OK)
		return complain_at(path, error);
	return true;
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
	return check_read(path, status,
			  "there is no entry of a memory map in it", &error);
}

static bool parse_nodes(const struct text *text, const char *path,
			struct nodes *nodes)
{
	size_t capacity = most_entries(text->size);
	struct fh_any_error error = {.why = NULL};

	nodes->ranges = malloc((capacity + 1) * sizeof(*nodes->ranges));
	if (nodes->ranges == NULL)
		return complain(path, "no memory");
	enum fh_status status =
		fh_numa_read_any(text->bytes, text->size, nodes->ranges,
				 capacity, &nodes->count, &error);
	return check_read(path, status, "no memory of any node is named in it",
			  &error);
}

/* The whole file; the caller frees what is in *text, whatever it returns. */
static bool load(const char *path, struct text *text)
{
	FILE *file = fopen(path, "rb");

	*text = (struct text){NULL, 0};
	if (file == NULL)
		return complain(path, strerror(errno));
	bool fine = read_all(file, path, text);
	(void)fclose(file);
	return fine;
}

bool mapfile_read_nodes(const char *path, struct nodes *nodes)
{
	struct text text;

	*nodes = (struct nodes){NULL, 0};
	bool fine = load(path, &text) && parse_nodes(&text, path, nodes);
	free(text.bytes);
	if (!fine)
		free(nodes->ranges);
	return fine;
}

static bool is_named_as_table(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot != NULL && strcmp(dot, ".srat") == 0;
}

static bool begins_as_table(const char *start, size_t size)
{
	return size >= 4 && memcmp(start, "SRAT", 4) == 0;
}

static bool is_affinity_table(const char *path, const char *start, size_t size)
{
	return is_named_as_table(path) || begins_as_table(start, size);
}

bool mapfile_has_nodes(const char *path)
{
	char start[FH_FDT_MAGIC_SIZE] = {0};
	FILE *file = fopen(path, "rb");

	if (file == NULL)
		return false;
	size_t size = fread(start, 1, sizeof(start), file);
	(void)fclose(file);
	return is_affinity_table(path, start, size) ||
	       (size == sizeof(start) && fh_fdt_size(start) != 0);
}

/* All memory that is there and not only announced. */
static bool parse_memory_of_nodes(const struct text *text, const char *path,
				  struct regions *regions)
{
	struct nodes nodes = {NULL, 0};
	bool fine = parse_nodes(text, path, &nodes);

	if (fine)
		regions->entries =
			malloc(nodes.count * sizeof(*regions->entries));
	for (size_t i = 0; regions->entries != NULL && i < nodes.count; i++)
		if (!nodes.ranges[i].hot_plug)
			regions->entries[regions->count++] = (struct fh_region){
				.base = nodes.ranges[i].first * FH_PAGE_SIZE,
				.size = nodes.ranges[i].count * FH_PAGE_SIZE,
				.kind = FH_REGION_USABLE,
			};
	free(nodes.ranges);
	return fine &&
	       (regions->entries != NULL || complain(path, "no memory"));
}

bool mapfile_read(const char *path, struct regions *regions)
{
	struct text text;

	*regions = (struct regions){NULL, 0};
	bool fine = load(path, &text);
	if (fine && is_affinity_table(path, text.bytes, text.size))
		fine = parse_memory_of_nodes(&text, path, regions);
	else if (fine)
		fine = parse(&text, path, regions);
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
