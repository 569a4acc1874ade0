/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Every file of data/maps that is text, against totals that are counted here
 * by other means: another parser, and the kind of each stretch of pages on its
 * own, in 128-bit arithmetic; and some against totals reasoned by hand.
 */
#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <framehold/maptext.h>

#define PAGE     FH_PAGE_SIZE
#define CAPACITY 512

static const char *data_dir(void)
{
	const char *dir = getenv("FH_DATA");

	return dir != NULL ? dir : "data";
}

static size_t read_file(const char *name, char *text, size_t room)
{
	char path[1024];
	FILE *file;
	size_t size;

	(void)snprintf(path, sizeof(path), "%s/maps/%s", data_dir(), name);
	file = fopen(path, "rb");
	if (file == NULL)
		fail_msg("cannot open %s", path);
	size = fread(text, 1, room, file);
	assert_true(size > 0 && size < room);
	assert_int_equal(fclose(file), 0);
	return size;
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name);

	return length > strlen(suffix) &&
	       strcmp(name + length - strlen(suffix), suffix) == 0;
}

/* What one line says, read by the C library. */
struct entry {
	uint64_t start;
	uint64_t end; /* inclusive; start - 1 if empty */
	enum fh_region_kind kind;
};

static enum fh_region_kind kind_of_number(unsigned type)
{
	return type == 1   ? FH_REGION_USABLE
	       : type == 2 ? FH_REGION_RESERVED
	       : type == 3 ? FH_REGION_RECLAIMABLE
	       : type == 4 ? FH_REGION_NON_VOLATILE_SLEEP
	       : type == 5 ? FH_REGION_BAD
			   : FH_REGION_UNKNOWN;
}

static bool parse_e820(const char *line, struct entry *entry)
{
	unsigned type;

	if (sscanf(line, "%" SCNx64 " %" SCNx64 " %u", &entry->start,
		   &entry->end, &type) != 3)
		return false;
	entry->kind = kind_of_number(type);
	return true;
}

static bool parse_log(const char *line, struct entry *entry)
{
	const char *at = strstr(line, "BIOS-e820:");
	char name[64];

	if (at == NULL)
		return false;
	assert_int_equal(
		sscanf(at, "BIOS-e820: [mem %" SCNx64 "-%" SCNx64 "] %63[^\n]",
		       &entry->start, &entry->end, name),
		3);
	entry->kind = strcmp(name, "usable") == 0 ? FH_REGION_USABLE
						  : FH_REGION_RESERVED;
	return true;
}

static bool parse_iomem(const char *line, struct entry *entry)
{
	char name[64] = "";

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " : %63[^\n]", &entry->start,
		   &entry->end, name) < 2)
		return false;
	if (strcmp(name, "System RAM") == 0)
		entry->kind = FH_REGION_USABLE;
	else if (strncmp(name, "Kernel ", 7) == 0)
		entry->kind = FH_REGION_KERNEL;
	else if (strcmp(name, "reserved") == 0 || line[0] != ' ')
		entry->kind = FH_REGION_RESERVED;
	else
		return false;
	return true;
}

static bool parse_uefi(const char *line, struct entry *entry)
{
	const char *const by_type = "RCCCCRRUBCNRRRRR";
	unsigned type;
	uint64_t pages;

	if (sscanf(line, " type %x pa %" SCNx64 " pages %" SCNx64, &type,
		   &entry->start, &pages) != 3)
		return false;
	assert_true(type < 16);
	entry->end = entry->start + pages * PAGE - 1;
	entry->kind = by_type[type] == 'U'   ? FH_REGION_USABLE
		      : by_type[type] == 'C' ? FH_REGION_RECLAIMABLE
		      : by_type[type] == 'B' ? FH_REGION_BAD
		      : by_type[type] == 'N' ? FH_REGION_NON_VOLATILE_SLEEP
					     : FH_REGION_RESERVED;
	return true;
}

static size_t parse_file(const char *name, struct entry *entries)
{
	char path[1024];
	char line[512];
	size_t n = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/maps/%s", data_dir(), name);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		bool is_entry = false;

		if (line[0] == '#')
			continue;
		if (has_suffix(name, ".e820"))
			is_entry = parse_e820(line, &entries[n]);
		else if (has_suffix(name, ".log"))
			is_entry = parse_log(line, &entries[n]);
		else if (has_suffix(name, ".iomem"))
			is_entry = parse_iomem(line, &entries[n]);
		else if (has_suffix(name, ".uefi"))
			is_entry = parse_uefi(line, &entries[n]);
		if (is_entry)
			n++;
		assert_true(n < CAPACITY);
	}
	assert_int_equal(fclose(file), 0);
	return n;
}

__extension__ typedef unsigned __int128 wide;

static wide first_of(const struct entry *entry)
{
	bool is_usable = entry->kind == FH_REGION_USABLE;

	return ((wide)entry->start + (is_usable ? PAGE - 1 : 0)) / PAGE;
}

static wide end_of(const struct entry *entry)
{
	wide end = (wide)entry->end + 1;
	bool is_usable = entry->kind == FH_REGION_USABLE;

	if ((wide)entry->start == end)
		return 0;
	return (end + (is_usable ? 0 : PAGE - 1)) / PAGE;
}

static int compare_wide(const void *a, const void *b)
{
	wide x = *(const wide *)a;
	wide y = *(const wide *)b;

	return x < y ? -1 : x > y;
}

/* Pages by kind: for each stretch between two boundaries, the least kind. */
static void count_pages(const struct entry *entries, size_t n, uint64_t *pages)
{
	wide edges[2 * CAPACITY];

	memset(pages, 0, FH_REGION_KINDS * sizeof(*pages));
	for (size_t i = 0; i < n; i++) {
		edges[2 * i] = first_of(&entries[i]);
		edges[2 * i + 1] = end_of(&entries[i]);
	}
	qsort(edges, 2 * n, sizeof(edges[0]), compare_wide);
	for (size_t e = 0; e + 1 < 2 * n; e++) {
		int least = FH_REGION_KINDS;

		for (size_t i = 0; i < n; i++) {
			if (first_of(&entries[i]) <= edges[e] &&
			    edges[e + 1] <= end_of(&entries[i]) &&
			    (int)entries[i].kind < least)
				least = (int)entries[i].kind;
		}
		if (least < FH_REGION_KINDS)
			pages[least] += (uint64_t)(edges[e + 1] - edges[e]);
	}
}

/* Reads and normalises a file by the library. */
static void load_map(const char *name, struct fh_memory_map *map,
		     struct fh_span *spans)
{
	char text[65536];
	size_t size = read_file(name, text, sizeof(text));
	struct fh_region regions[CAPACITY];
	struct fh_text_error error;
	size_t n;
	size_t bad;

	if (fh_map_read_text(text, size, regions, CAPACITY, &n, &error) !=
	    FH_OK)
		fail_msg("%s:%zu: %s", name, error.line, error.why);
	map->spans = spans;
	map->capacity = 2 * CAPACITY;
	assert_int_equal(fh_map_normalise(regions, n, map, &bad), FH_OK);
}

static bool is_text_map(const char *name)
{
	return has_suffix(name, ".e820") || has_suffix(name, ".log") ||
	       has_suffix(name, ".iomem") || has_suffix(name, ".uefi");
}

static void every_file_has_the_pages_counted_by_hand(void **state)
{
	char path[1024];
	struct dirent *item;
	DIR *dir;
	int files = 0;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/maps", data_dir());
	dir = opendir(path);
	if (dir == NULL)
		fail_msg("cannot open %s", path);
	while ((item = readdir(dir)) != NULL) {
		static struct fh_span spans[2 * CAPACITY];
		struct entry entries[CAPACITY];
		uint64_t pages[FH_REGION_KINDS];
		struct fh_memory_map map;
		size_t n;

		if (!is_text_map(item->d_name))
			continue;
		files++;
		load_map(item->d_name, &map, spans);
		n = parse_file(item->d_name, entries);
		assert_true(n > 0);
		count_pages(entries, n, pages);
		for (int kind = 0; kind < FH_REGION_KINDS; kind++) {
			uint64_t found =
				fh_map_pages(&map, (enum fh_region_kind)kind);

			if (found != pages[kind])
				fail_msg("%s: %" PRIu64
					 " pages %s, not %" PRIu64,
					 item->d_name, found,
					 fh_region_kind_name(
						 (enum fh_region_kind)kind),
					 pages[kind]);
		}
	}
	assert_int_equal(closedir(dir), 0);
	assert_true(files >= 8);
}

static void assert_pages(const char *name, uint64_t usable, uint64_t reserved,
			 uint64_t frame_end)
{
	static struct fh_span spans[2 * CAPACITY];
	struct fh_memory_map map;

	load_map(name, &map, spans);
	assert_int_equal(fh_map_pages(&map, FH_REGION_USABLE), usable);
	assert_int_equal(fh_map_pages(&map, FH_REGION_RESERVED), reserved);
	assert_int_equal(fh_map_frame_end(&map), frame_end);
}

static void microvm_has_24_gib_less_what_the_bios_keeps(void **state)
{
	/* [0, 9fc00) is 159 pages and a bit; then 3 GiB - 1 MiB, and 21 GiB. */
	uint64_t usable = 159 + (3 * 262144 - 256) + 21 * 262144;
	/* The bit up to 1 MiB, and 256 MiB below 4 GiB. */
	uint64_t reserved = (256 - 159) + 65536;

	(void)state;
	assert_pages("microvm_24g.e820", usable, reserved, 25 * 262144);
	assert_pages("microvm_24g.log", usable, reserved, 25 * 262144);
}

static void chromebook_has_one_usable_page(void **state)
{
	(void)state;
	assert_pages("chromebook500c.e820", 1, 1, 1);
}

static void nuc_loses_a_page_at_each_odd_boundary(void **state)
{
	/*
	 * [0, 68f56018) less a NVS page, less a MiB of holes at 640 KiB (384
	 * KiB of it), at 496 MiB and at 512 MiB; then the pages in which two
	 * usable pieces meet: 68f34, 68f44, 68f45, 68f55; the last piece, in
	 * 68f55 and 68f56, has 0x7c0 bytes and no page of its own.
	 */
	uint64_t usable = 0x68f56 - 1 - 96 - 256 - 256 - 4;

	(void)state;
	assert_pages("nuc_setupdata.e820", usable, 512, 0x68f55);
}

static void ram_behind_a_high_hole_counts(void **state)
{
	/* 640 KiB - 1 KiB; 2 GiB - 1 MiB - 128 KiB; 2 TiB - 2 GiB at 1 TiB. */
	uint64_t usable =
		159 + (524288 - 256 - 32) + (UINT64_C(536870912) - 524288);
	uint64_t reserved = 1 + 16 + 32 + 65536 + 4 + 4 + 64 + 12 * 262144;

	(void)state;
	assert_pages("q35_2t.e820", usable, reserved, 0x2ff80000);
}

static void overlapping_map_keeps_what_is_certain(void **state)
{
	static struct fh_span spans[2 * CAPACITY];
	struct fh_memory_map map;

	(void)state;
	load_map("overlapping.e820", &map, spans);
	assert_int_equal(fh_map_kind_at(&map, 0x9e), FH_REGION_USABLE);
	assert_int_equal(fh_map_kind_at(&map, 0x9f), FH_REGION_RESERVED);
	assert_int_equal(fh_map_kind_at(&map, 0x12345), FH_REGION_RESERVED);
	assert_int_equal(fh_map_kind_at(&map, 0x12346), FH_REGION_USABLE);
	assert_int_equal(fh_map_kind_at(&map, 0x1ffff), FH_REGION_USABLE);
	assert_int_equal(fh_map_kind_at(&map, 0x20000), FH_REGION_BAD);
	assert_int_equal(fh_map_kind_at(&map, 0x20001), FH_REGION_BAD);
	assert_int_equal(fh_map_kind_at(&map, 0x20002), FH_REGION_USABLE);
	assert_int_equal(fh_map_kind_at(&map, 0x32000),
			 FH_REGION_NON_VOLATILE_SLEEP);
	assert_int_equal(fh_map_kind_at(&map, 0x33000), FH_REGION_RECLAIMABLE);
	assert_int_equal(fh_map_kind_at(&map, 0x40000), FH_REGION_USABLE);
	assert_int_equal(fh_map_kind_at(&map, 0x50000), FH_REGION_UNKNOWN);
	assert_int_equal(fh_map_kind_at(&map, 0xbfeff), FH_REGION_USABLE);
	assert_int_equal(fh_map_kind_at(&map, 0xbff00), FH_REGION_RESERVED);
	assert_int_equal(fh_map_kind_at(&map, 0xc0000), FH_REGION_RESERVED);
	assert_int_equal(fh_map_kind_at(&map, 0xc0001), FH_REGION_UNKNOWN);
	assert_int_equal(fh_map_kind_at(&map, 0xc0004), FH_REGION_UNKNOWN);
	assert_int_equal(fh_map_kind_at(&map, FH_PAGE_NUMBER_END - 1),
			 FH_REGION_RESERVED);
	assert_int_equal(fh_map_frame_end(&map), 0x140000);
}

static void nested_reserved_memory_is_left_out(void **state)
{
	static struct fh_span spans[2 * CAPACITY];
	struct fh_memory_map map;

	(void)state;
	load_map("nested_arm64.iomem", &map, spans);
	assert_int_equal(fh_map_kind_at(&map, 0x80000), FH_REGION_USABLE);
	assert_int_equal(fh_map_kind_at(&map, 0x80210), FH_REGION_KERNEL);
	assert_int_equal(fh_map_kind_at(&map, 0x81600), FH_REGION_RESERVED);
	assert_int_equal(fh_map_kind_at(&map, 0x8a000), FH_REGION_RESERVED);
	assert_int_equal(fh_map_kind_at(&map, 0x8a001), FH_REGION_USABLE);
	assert_int_equal(fh_map_kind_at(&map, 0x8c000), FH_REGION_USABLE);
	assert_int_equal(fh_map_kind_at(&map, 0x8fd400), FH_REGION_RESERVED);
	assert_int_equal(fh_map_frame_end(&map), 0x8fd400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_has_the_pages_counted_by_hand),
		cmocka_unit_test(microvm_has_24_gib_less_what_the_bios_keeps),
		cmocka_unit_test(chromebook_has_one_usable_page),
		cmocka_unit_test(nuc_loses_a_page_at_each_odd_boundary),
		cmocka_unit_test(ram_behind_a_high_hole_counts),
		cmocka_unit_test(overlapping_map_keeps_what_is_certain),
		cmocka_unit_test(nested_reserved_memory_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
