/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Any bytes as firmware's tables. The first byte says which table, the second
 * how far its entries lie apart; the rest is the table. What is accepted is
 * compared with the entries as C structs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <framehold/mapany.h>

#define CAPACITY 128

#define CHECK(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__,         \
				      __LINE__, #condition);                   \
			abort();                                               \
		}                                                              \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct uefi_descriptor {
	uint32_t type;
	uint32_t padding;
	uint64_t base;
	uint64_t virtual_base;
	uint64_t pages;
	uint64_t attributes;
};

struct e820_entry {
	uint64_t base;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

struct srat_memory {
	uint8_t type;
	uint8_t length;
	uint8_t domain[4];
	uint8_t reserved[2];
	uint64_t base;
	uint64_t size;
	uint32_t more;
	uint32_t flags;
	uint64_t last;
};

static struct fh_region regions[CAPACITY];
static struct fh_node_range ranges[CAPACITY];

static void check_result(enum fh_status status, size_t n, size_t size,
			 const struct fh_table_error *error)
{
	if (status == FH_OK)
		CHECK(n > 0 && n <= CAPACITY && error->why == NULL);
	else
		CHECK(n == 0 && error->why != NULL && error->at <= size);
}

static void read_uefi(const uint8_t *table, size_t size, size_t stride)
{
	struct fh_table_error error = {0, NULL};
	size_t n = 0;

	check_result(fh_map_read_uefi(table, size, stride, regions, CAPACITY,
				      &n, &error),
		     n, size, &error);
	CHECK(n == 0 || n * stride == size);
	for (size_t i = 0; i < n; i++) {
		struct uefi_descriptor d;

		memcpy(&d, table + i * stride, sizeof(d));
		CHECK(regions[i].base == d.base);
		CHECK(regions[i].size / 4096 == d.pages);
		CHECK((regions[i].kind == FH_REGION_USABLE) ==
		      (d.type == 7 &&
		       (d.attributes & 0x8000000000040008) == 8));
	}
}

static void check_entries(const uint8_t *table, size_t stride, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct e820_entry e;

		memcpy(&e, table + i * stride, sizeof(e));
		CHECK(regions[i].base == e.base);
		CHECK(regions[i].size == e.size);
		CHECK((regions[i].kind == FH_REGION_USABLE) == (e.type == 1));
	}
}

static void read_pvh(const uint8_t *table, size_t size)
{
	struct fh_table_error error = {0, NULL};
	size_t n = 0;

	check_result(fh_map_read_pvh(table, size / 24, regions, CAPACITY, &n,
				     &error),
		     n, size, &error);
	CHECK(n == 0 || n == size / 24);
	check_entries(table, 24, n);
}

static void read_multiboot2(const uint8_t *table, size_t size)
{
	struct fh_table_error error = {0, NULL};
	uint32_t header[4];
	size_t n = 0;

	check_result(fh_map_read_multiboot2(table, size, regions, CAPACITY, &n,
					    &error),
		     n, size, &error);
	if (n == 0)
		return;
	memcpy(header, table, sizeof(header));
	CHECK(header[0] == 6 && header[1] <= size);
	CHECK(16 + n * header[2] == header[1]);
	check_entries(table + 16, header[2], n);
}

/* Also lets tables through that only the checksum would stop. */
static void read_srat(uint8_t *table, size_t size)
{
	struct fh_table_error error = {0, NULL};
	uint32_t length = 0;
	uint8_t sum = 0;
	size_t n = 0;
	size_t found = 0;

	if (size >= 48)
		memcpy(&length, table + 4, sizeof(length));
	if (length <= size) {
		for (size_t i = 0; i < length; i++)
			sum = (uint8_t)(sum + table[i]);
		if (length >= 48)
			table[9] = (uint8_t)(table[9] - sum);
	}
	check_result(
		fh_numa_read_srat(table, size, ranges, CAPACITY, &n, &error), n,
		size, &error);
	for (size_t at = 48; n > 0 && at < length; at += table[at + 1]) {
		struct srat_memory m;

		if (table[at] != 1)
			continue;
		memcpy(&m, table + at, sizeof(m));
		if ((m.flags & 1) == 0 || m.size == 0)
			continue;
		CHECK(ranges[found].first == m.base / 4096);
		CHECK(ranges[found].hot_plug == ((m.flags & 2) != 0));
		CHECK((ranges[found].node & 0xff) == m.domain[0]);
		found++;
	}
	CHECK(found == n);
}

static void read_any(const uint8_t *table, size_t size)
{
	struct fh_any_error error = {false, 0, NULL};
	size_t n = 0;

	if (fh_map_read_any(table, size, regions, CAPACITY, &n, &error) !=
	    FH_OK)
		CHECK(n == 0 && error.why != NULL);
	else
		CHECK(n > 0 && n <= CAPACITY);
	n = 0;
	if (fh_numa_read_any(table, size, ranges, CAPACITY, &n, &error) !=
	    FH_OK)
		CHECK(n == 0 && error.why != NULL);
	else
		CHECK(n > 0 && n <= CAPACITY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (size < 2)
		return 0;
	copy = malloc(size);
	CHECK(copy != NULL);
	/* Two bytes further on, the table is not aligned to anything. */
	memcpy(copy, data, size);
	switch (data[0] % 5) {
	case 0:
		read_uefi(copy + 2, size - 2, data[1]);
		break;
	case 1:
		read_pvh(copy + 2, size - 2);
		break;
	case 2:
		read_multiboot2(copy + 2, size - 2);
		break;
	case 3:
		read_srat(copy + 2, size - 2);
		break;
	default:
		read_any(copy + 2, size - 2);
	}
	free(copy);
	return 0;
}
