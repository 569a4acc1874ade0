/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Firmware's arrays of memory descriptors: every type, any stride, every cut,
 * and the text of real descriptors against the same in binary.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <framehold/mapfirmware.h>
#include <framehold/maptext.h>

#define CAPACITY  512
#define UNTOUCHED ((size_t)4321)
#define UEFI_RAM  UINT64_C(0xf) /* may be cached in every way */

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum reader {
	UEFI,
	PVH,
	MULTIBOOT2,
};

struct result {
	enum fh_status status;
	size_t n;
	struct fh_region regions[CAPACITY];
	struct fh_table_error error;
};

/* A table being written, full of junk where nothing was. */
struct table {
	uint8_t bytes[32768];
	size_t size;
};

static void put_little(struct table *table, size_t at, uint64_t value,
		       size_t width)
{
	assert_true(at + width <= sizeof(table->bytes));
	for (size_t i = 0; i < width; i++)
		table->bytes[at + i] = (uint8_t)(value >> (8 * i));
}

static void table_open(struct table *table)
{
	memset(table->bytes, 0xa5, sizeof(table->bytes));
	table->size = 0;
}

static void add_uefi(struct table *table, size_t stride, uint64_t type,
		     uint64_t base, uint64_t pages, uint64_t attributes)
{
	put_little(table, table->size, type, 4);
	put_little(table, table->size + 8, base, 8);
	put_little(table, table->size + 24, pages, 8);
	put_little(table, table->size + 32, attributes, 8);
	table->size += stride;
}

/* A PVH entry, or a Multiboot2 entry if the stride is the tag's. */
static void add_entry(struct table *table, size_t stride, uint64_t base,
		      uint64_t size, uint64_t type)
{
	put_little(table, table->size, base, 8);
	put_little(table, table->size + 8, size, 8);
	put_little(table, table->size + 16, type, 4);
	table->size += stride;
}

static void begin_tag(struct table *table, uint64_t stride)
{
	table_open(table);
	put_little(table, 0, 6, 4);
	put_little(table, 8, stride, 4);
	put_little(table, 12, 0, 4);
	table->size = 16;
}

static void end_tag(struct table *table)
{
	put_little(table, 4, table->size, 4);
}

/*
 * Reads a copy of the very size, at an odd address. `argument` is the stride
 * for UEFI, and the count for PVH.
 */
static void read_table(struct result *r, enum reader reader,
		       const struct table *table, size_t size, size_t argument,
		       size_t capacity)
{
	uint8_t *copy = malloc(size + 1);

	assert_non_null(copy);
	memcpy(copy + 1, table->bytes, size);
	memset(r, 0, sizeof(*r));
	r->n = UNTOUCHED;
	r->error.at = UNTOUCHED;
	if (reader == UEFI)
		r->status =
			fh_map_read_uefi(copy + 1, size, argument, r->regions,
					 capacity, &r->n, &r->error);
	else if (reader == PVH)
		r->status = fh_map_read_pvh(copy + 1, argument, r->regions,
					    capacity, &r->n, &r->error);
	else
		r->status = fh_map_read_multiboot2(copy + 1, size, r->regions,
						   capacity, &r->n, &r->error);
	free(copy);
	if (r->status == FH_OK) {
		assert_int_equal(r->error.at, UNTOUCHED);
		assert_null(r->error.why);
	} else {
		assert_int_equal(r->n, UNTOUCHED);
		assert_non_null(r->error.why);
	}
}

static void assert_region(const struct result *r, size_t i, uint64_t base,
			  uint64_t size, enum fh_region_kind kind)
{
	assert_int_equal(r->status, FH_OK);
	assert_true(i < r->n);
	assert_int_equal(r->regions[i].base, base);
	assert_int_equal(r->regions[i].size, size);
	assert_int_equal(r->regions[i].kind, kind);
}

static void assert_failed(const struct result *r, enum fh_status status,
			  size_t at)
{
	assert_int_equal(r->status, status);
	assert_int_equal(r->error.at, at);
}

/* UEFI */

static void uefi_stride_is_the_firmwares(void **state)
{
	const size_t strides[] = {40, 41, 48, 56, 128};

	(void)state;
	for (size_t i = 0; i < LENGTH(strides); i++) {
		struct table table;
		struct result r;

		table_open(&table);
		add_uefi(&table, strides[i], 7, 0x1000, 0x9f, UEFI_RAM);
		add_uefi(&table, strides[i], 6, 0x100000, 1,
			 UEFI_RAM | UINT64_C(1) << 63);
		add_uefi(&table, strides[i], 11, UINT64_C(0xfec00000), 2, 1);
		read_table(&r, UEFI, &table, table.size, strides[i], CAPACITY);
		assert_int_equal(r.n, 3);
		assert_region(&r, 0, 0x1000, 0x9f000, FH_REGION_USABLE);
		assert_region(&r, 1, 0x100000, 0x1000, FH_REGION_RESERVED);
		assert_region(&r, 2, 0xfec00000, 0x2000, FH_REGION_RESERVED);
	}
}

static void uefi_types_are_mapped(void **state)
{
	const struct {
		uint32_t type;
		enum fh_region_kind kind;
	} cases[] = {
		{0, FH_REGION_RESERVED},
		{1, FH_REGION_RECLAIMABLE},
		{2, FH_REGION_RECLAIMABLE},
		{3, FH_REGION_RECLAIMABLE},
		{4, FH_REGION_RECLAIMABLE},
		{5, FH_REGION_RESERVED},
		{6, FH_REGION_RESERVED},
		{7, FH_REGION_USABLE},
		{8, FH_REGION_BAD},
		{9, FH_REGION_RECLAIMABLE},
		{10, FH_REGION_NON_VOLATILE_SLEEP},
		{11, FH_REGION_RESERVED},
		{12, FH_REGION_RESERVED},
		{13, FH_REGION_RESERVED},
		{14, FH_REGION_RESERVED},
		{15, FH_REGION_RESERVED},
		{16, FH_REGION_UNKNOWN},
		{0x70000000, FH_REGION_UNKNOWN},
		{0xffffffff, FH_REGION_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct table table;
		struct result r;

		table_open(&table);
		add_uefi(&table, 48, cases[i].type, 0, 1, UEFI_RAM);
		read_table(&r, UEFI, &table, table.size, 48, CAPACITY);
		assert_region(&r, 0, 0, 0x1000, cases[i].kind);
	}
}

static void uefi_attributes_keep_ram_from_use(void **state)
{
	const struct {
		uint64_t attributes;
		bool is_usable;
	} cases[] = {
		{0x8, true}, /* write-back only */
		{0xf, true},
		{0x10000 | 0xf, true}, /* more reliable */
		{0x7, false},          /* no write-back */
		{0, false},
		{0x40000 | 0xf, false},             /* special purpose */
		{(UINT64_C(1) << 63) | 0xf, false}, /* runtime */
		{(UINT64_C(1) << 62) | 0xf, true},
	};
	const uint32_t ram[] = {1, 2, 3, 4, 7, 9};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		for (size_t k = 0; k < LENGTH(ram); k++) {
			struct table table;
			struct result r;

			table_open(&table);
			add_uefi(&table, 40, ram[k], 0, 1, cases[i].attributes);
			/* Attributes do not make bad memory any better. */
			add_uefi(&table, 40, 8, 0x1000, 1, cases[i].attributes);
			read_table(&r, UEFI, &table, table.size, 40, CAPACITY);
			assert_int_equal(r.n, 2);
			if (cases[i].is_usable)
				assert_region(&r, 0, 0, 0x1000,
					      ram[k] == 7
						      ? FH_REGION_USABLE
						      : FH_REGION_RECLAIMABLE);
			else
				assert_region(&r, 0, 0, 0x1000,
					      FH_REGION_RESERVED);
			assert_region(&r, 1, 0x1000, 0x1000, FH_REGION_BAD);
		}
	}
}

static void uefi_piece_of_a_descriptor_is_an_error(void **state)
{
	struct table table;
	struct result r;

	(void)state;
	table_open(&table);
	add_uefi(&table, 48, 7, 0, 1, UEFI_RAM);
	add_uefi(&table, 48, 7, 0x1000, 1, UEFI_RAM);
	for (size_t cut = 1; cut < 48; cut++) {
		read_table(&r, UEFI, &table, 48 + cut, 48, CAPACITY);
		assert_failed(&r, FH_E_INVALID, 48);
	}
	read_table(&r, UEFI, &table, 48, 48, CAPACITY);
	assert_int_equal(r.n, 1);
}

static void uefi_stride_below_a_descriptor_is_an_error(void **state)
{
	struct table table;
	struct result r;

	(void)state;
	table_open(&table);
	add_uefi(&table, 40, 7, 0, 1, UEFI_RAM);
	for (size_t stride = 0; stride < 40; stride++) {
		read_table(&r, UEFI, &table, 0, stride, CAPACITY);
		assert_failed(&r, FH_E_INVALID, 0);
		read_table(&r, UEFI, &table, 40, stride, CAPACITY);
		assert_failed(&r, FH_E_INVALID, 0);
	}
}

static void uefi_pages_beyond_64_bits_are_an_error(void **state)
{
	const struct {
		uint64_t base;
		uint64_t pages;
		bool fits;
	} cases[] = {
		{0, UINT64_C(1) << 52, false},
		{0, UINT64_MAX, false},
		{0, (UINT64_C(1) << 52) + 1, false},
		{0, (UINT64_C(1) << 52) - 1, true},
		{0x1000, (UINT64_C(1) << 52) - 1, true},
		{0x1001, (UINT64_C(1) << 52) - 1, false},
		{UINT64_MAX - 0xfff, 1, true},
		{UINT64_MAX - 0xfff, 2, false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct table table;
		struct result r;

		table_open(&table);
		add_uefi(&table, 48, 7, 0, 1, UEFI_RAM);
		add_uefi(&table, 48, 11, cases[i].base, cases[i].pages, 1);
		read_table(&r, UEFI, &table, table.size, 48, CAPACITY);
		if (cases[i].fits)
			assert_region(&r, 1, cases[i].base,
				      cases[i].pages * 4096,
				      FH_REGION_RESERVED);
		else
			assert_failed(&r, FH_E_OVERFLOW, 48);
	}
}

/* PVH */

static void pvh_entries_are_read(void **state)
{
	struct table table;
	struct result r;

	(void)state;
	table_open(&table);
	add_entry(&table, 24, 0, 0x9fc00, 1);
	add_entry(&table, 24, 0x9fc00, 0x400, 2);
	add_entry(&table, 24, 0x7fe0000, 0x20000, 3);
	add_entry(&table, 24, UINT64_C(0x100000000), UINT64_C(0x80000000), 4);
	add_entry(&table, 24, 0x1000, 1, 5);
	/* What QEMU's microvm has at its end. */
	add_entry(&table, 24, 0, 0, 0);
	read_table(&r, PVH, &table, table.size, 6, CAPACITY);
	assert_int_equal(r.n, 6);
	assert_region(&r, 0, 0, 0x9fc00, FH_REGION_USABLE);
	assert_region(&r, 1, 0x9fc00, 0x400, FH_REGION_RESERVED);
	assert_region(&r, 2, 0x7fe0000, 0x20000, FH_REGION_RECLAIMABLE);
	assert_region(&r, 3, UINT64_C(0x100000000), UINT64_C(0x80000000),
		      FH_REGION_NON_VOLATILE_SLEEP);
	assert_region(&r, 4, 0x1000, 1, FH_REGION_BAD);
	assert_region(&r, 5, 0, 0, FH_REGION_UNKNOWN);
}

static void pvh_entry_beyond_64_bits_is_an_error(void **state)
{
	struct table table;
	struct result r;

	(void)state;
	table_open(&table);
	add_entry(&table, 24, 1, UINT64_MAX, 2);
	add_entry(&table, 24, 2, UINT64_MAX, 2);
	read_table(&r, PVH, &table, table.size, 1, CAPACITY);
	assert_region(&r, 0, 1, UINT64_MAX, FH_REGION_RESERVED);
	read_table(&r, PVH, &table, table.size, 2, CAPACITY);
	assert_failed(&r, FH_E_OVERFLOW, 24);
}

/* Multiboot2 */

static void multiboot2_entries_are_as_large_as_the_tag_says(void **state)
{
	const size_t strides[] = {24, 28, 32, 100};

	(void)state;
	for (size_t i = 0; i < LENGTH(strides); i++) {
		struct table table;
		struct result r;

		begin_tag(&table, strides[i]);
		add_entry(&table, strides[i], 0, 0x9fc00, 1);
		add_entry(&table, strides[i], UINT64_C(0x123456789000),
			  UINT64_C(0x7f00000000), 1);
		end_tag(&table);
		read_table(&r, MULTIBOOT2, &table, table.size, 0, CAPACITY);
		assert_int_equal(r.n, 2);
		assert_region(&r, 0, 0, 0x9fc00, FH_REGION_USABLE);
		assert_region(&r, 1, UINT64_C(0x123456789000),
			      UINT64_C(0x7f00000000), FH_REGION_USABLE);
		/* More to read behind the tag does not matter. */
		read_table(&r, MULTIBOOT2, &table, table.size + 8, 0, CAPACITY);
		assert_int_equal(r.n, 2);
	}
}

static void multiboot2_types_are_mapped(void **state)
{
	const enum fh_region_kind kinds[] = {
		FH_REGION_RESERVED,           FH_REGION_USABLE,
		FH_REGION_RESERVED,           FH_REGION_RECLAIMABLE,
		FH_REGION_NON_VOLATILE_SLEEP, FH_REGION_BAD,
		FH_REGION_RESERVED,           FH_REGION_RESERVED,
	};

	(void)state;
	for (size_t type = 0; type < LENGTH(kinds); type++) {
		struct table table;
		struct result r;

		begin_tag(&table, 24);
		add_entry(&table, 24, 0x5000, 0x1000, type);
		end_tag(&table);
		read_table(&r, MULTIBOOT2, &table, table.size, 0, CAPACITY);
		assert_region(&r, 0, 0x5000, 0x1000, kinds[type]);
	}
}

static void multiboot2_tag_must_fit(void **state)
{
	struct table table;
	struct result r;

	(void)state;
	begin_tag(&table, 24);
	add_entry(&table, 24, 0, 0x1000, 1);
	end_tag(&table);
	for (size_t cut = 0; cut < 16; cut++) {
		read_table(&r, MULTIBOOT2, &table, cut, 0, CAPACITY);
		assert_failed(&r, FH_E_INVALID, 0);
	}
	for (size_t cut = 16; cut < 40; cut++) {
		read_table(&r, MULTIBOOT2, &table, cut, 0, CAPACITY);
		assert_failed(&r, FH_E_INVALID, 4);
	}
	for (size_t size = 0; size < 80; size++) {
		put_little(&table, 4, size, 4);
		read_table(&r, MULTIBOOT2, &table, 200, 0, CAPACITY);
		if (size < 16 || (size - 16) % 24 != 0)
			assert_failed(&r, FH_E_INVALID, 4);
		else if (size == 16)
			assert_failed(&r, FH_E_EMPTY, 0);
		else if (size == 40)
			assert_int_equal(r.n, 1);
	}
	put_little(&table, 4, 0xffffffff, 4);
	read_table(&r, MULTIBOOT2, &table, 200, 0, CAPACITY);
	assert_failed(&r, FH_E_INVALID, 4);
}

static void multiboot2_entry_too_small_is_an_error(void **state)
{
	struct table table;
	struct result r;

	(void)state;
	begin_tag(&table, 24);
	add_entry(&table, 24, 0, 0x1000, 1);
	end_tag(&table);
	for (size_t stride = 0; stride < 24; stride++) {
		put_little(&table, 8, stride, 4);
		read_table(&r, MULTIBOOT2, &table, table.size, 0, CAPACITY);
		assert_failed(&r, FH_E_INVALID, 8);
	}
	put_little(&table, 8, 0xfffffff0, 4);
	read_table(&r, MULTIBOOT2, &table, table.size, 0, CAPACITY);
	assert_failed(&r, FH_E_INVALID, 4);
}

static void multiboot2_other_tags_are_refused(void **state)
{
	struct table table;
	struct result r;

	(void)state;
	begin_tag(&table, 24);
	add_entry(&table, 24, 0, 0x1000, 1);
	end_tag(&table);
	for (uint64_t type = 0; type < 32; type++) {
		if (type == 6)
			continue;
		put_little(&table, 0, type, 4);
		read_table(&r, MULTIBOOT2, &table, table.size, 0, CAPACITY);
		assert_failed(&r, FH_E_INVALID, 0);
	}
}

/* All of them */

static void table_without_entry_is_an_error(void **state)
{
	struct table table;
	struct result r;

	(void)state;
	begin_tag(&table, 24);
	end_tag(&table);
	read_table(&r, MULTIBOOT2, &table, table.size, 0, CAPACITY);
	assert_failed(&r, FH_E_EMPTY, 0);
	read_table(&r, UEFI, &table, 0, 48, CAPACITY);
	assert_failed(&r, FH_E_EMPTY, 0);
	read_table(&r, PVH, &table, 0, 0, CAPACITY);
	assert_failed(&r, FH_E_EMPTY, 0);
}

static void table_larger_than_the_room_is_an_error(void **state)
{
	struct table table;
	struct result r;

	(void)state;
	table_open(&table);
	for (uint64_t i = 0; i < 3; i++)
		add_uefi(&table, 48, 7, i << 20, 1, UEFI_RAM);
	read_table(&r, UEFI, &table, table.size, 48, 3);
	assert_int_equal(r.n, 3);
	read_table(&r, UEFI, &table, table.size, 48, 2);
	assert_failed(&r, FH_E_NO_MEMORY, 96);
	assert_int_equal(r.regions[2].size, 0);

	table_open(&table);
	for (uint64_t i = 0; i < 3; i++)
		add_entry(&table, 24, i << 20, 1, 1);
	read_table(&r, PVH, &table, table.size, 3, 2);
	assert_failed(&r, FH_E_NO_MEMORY, 48);

	begin_tag(&table, 24);
	for (uint64_t i = 0; i < 3; i++)
		add_entry(&table, 24, i << 20, 1, 1);
	end_tag(&table);
	read_table(&r, MULTIBOOT2, &table, table.size, 0, 0);
	assert_failed(&r, FH_E_NO_MEMORY, 16);
}

/* Files: the descriptors of real firmware, as text and in binary. */

static size_t read_file(const char *name, char *text, size_t room)
{
	const char *dir = getenv("FH_DATA");
	char path[1024];
	FILE *file;
	size_t size;

	(void)snprintf(path, sizeof(path), "%s/maps/%s",
		       dir != NULL ? dir : "data", name);
	file = fopen(path, "rb");
	if (file == NULL)
		fail_msg("cannot open %s", path);
	size = fread(text, 1, room - 1, file);
	assert_int_equal(fclose(file), 0);
	text[size] = '\0';
	return size;
}

static void assert_text_and_binary_agree(const char *name)
{
	char text[16384];
	size_t size = read_file(name, text, sizeof(text));
	struct fh_region regions[CAPACITY];
	struct fh_text_error error;
	struct table table;
	struct result r;
	size_t n = 0;
	char *line = text;

	assert_int_equal(fh_map_read_uefi_text(text, size, regions, CAPACITY,
					       &n, &error),
			 FH_OK);
	table_open(&table);
	while (*line != '\0') {
		char *end = line;
		uint64_t values[4];

		for (size_t i = 0; i < 4; i++) {
			const char *const names[] = {"type ", "pa ", "pages ",
						     "attr "};

			end = strstr(end, names[i]);
			assert_non_null(end);
			end += strlen(names[i]);
			values[i] = strtoull(end, &end, 16);
		}
		add_uefi(&table, 48, values[0], values[1], values[2],
			 values[3]);
		line = strchr(end, '\n') + 1;
	}
	read_table(&r, UEFI, &table, table.size, 48, CAPACITY);
	assert_int_equal(r.status, FH_OK);
	assert_int_equal(r.n, n);
	for (size_t i = 0; i < n; i++)
		assert_region(&r, i, regions[i].base, regions[i].size,
			      regions[i].kind);
}

static void real_descriptors_agree_as_text_and_in_binary(void **state)
{
	(void)state;
	assert_text_and_binary_agree("ovmf_q35_512m.uefi");
	assert_text_and_binary_agree("aavmf_virt_512m.uefi");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uefi_stride_is_the_firmwares),
		cmocka_unit_test(uefi_types_are_mapped),
		cmocka_unit_test(uefi_attributes_keep_ram_from_use),
		cmocka_unit_test(uefi_piece_of_a_descriptor_is_an_error),
		cmocka_unit_test(uefi_stride_below_a_descriptor_is_an_error),
		cmocka_unit_test(uefi_pages_beyond_64_bits_are_an_error),
		cmocka_unit_test(pvh_entries_are_read),
		cmocka_unit_test(pvh_entry_beyond_64_bits_is_an_error),
		cmocka_unit_test(
			multiboot2_entries_are_as_large_as_the_tag_says),
		cmocka_unit_test(multiboot2_types_are_mapped),
		cmocka_unit_test(multiboot2_tag_must_fit),
		cmocka_unit_test(multiboot2_entry_too_small_is_an_error),
		cmocka_unit_test(multiboot2_other_tags_are_refused),
		cmocka_unit_test(table_without_entry_is_an_error),
		cmocka_unit_test(table_larger_than_the_room_is_an_error),
		cmocka_unit_test(real_descriptors_agree_as_text_and_in_binary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
