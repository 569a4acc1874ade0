/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Affinity tables as text and as ACPI's SRAT: what is read, what is left out,
 * every cut and every length.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <framehold/mapnuma.h>

#define CAPACITY  64
#define UNTOUCHED ((size_t)4321)

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

struct text_result {
	enum fh_status status;
	size_t n;
	struct fh_node_range ranges[CAPACITY];
	struct fh_text_error error;
};

static void read_text(struct text_result *r, const char *string,
		      size_t capacity)
{
	size_t size = strlen(string);
	char *text = malloc(size + 1);

	assert_non_null(text);
	memcpy(text, string, size);
	memset(r, 0, sizeof(*r));
	r->n = UNTOUCHED;
	r->error.line = UNTOUCHED;
	/* At its very end, so that a read beyond it is seen. */
	memmove(text + 1, text, size);
	r->status = fh_numa_read_text(text + 1, size, r->ranges, capacity,
				      &r->n, &r->error);
	free(text);
	if (r->status == FH_OK) {
		assert_int_equal(r->error.line, UNTOUCHED);
	} else {
		assert_int_equal(r->n, UNTOUCHED);
		assert_non_null(r->error.why);
	}
}

static void assert_range(const struct fh_node_range *range, uint32_t node,
			 uint64_t first, uint64_t end, bool hot_plug)
{
	assert_int_equal(range->node, node);
	assert_int_equal(range->first, first);
	assert_int_equal(range->count, end - first);
	assert_int_equal(range->hot_plug, hot_plug);
}

static void text_lines_are_node_start_end(void **state)
{
	struct text_result r;

	(void)state;
	read_text(&r,
		  "# a machine\n\n"
		  "0 0 7fffffff\r\n"
		  " 17\t0x100000000  0x17FFFFFFF\n"
		  "4294967295 200000000 2ffffffff hotplug",
		  CAPACITY);
	assert_int_equal(r.status, FH_OK);
	assert_int_equal(r.n, 3);
	assert_range(&r.ranges[0], 0, 0, 0x80000, false);
	assert_range(&r.ranges[1], 17, 0x100000, 0x180000, false);
	assert_range(&r.ranges[2], UINT32_MAX, 0x200000, 0x300000, true);
}

static void ranges_are_clipped_outward(void **state)
{
	struct text_result r;

	(void)state;
	read_text(&r, "1 1fff 2000\n2 ffffffffffffffff ffffffffffffffff",
		  CAPACITY);
	assert_int_equal(r.n, 2);
	assert_range(&r.ranges[0], 1, 1, 3, false);
	assert_range(&r.ranges[1], 2, FH_PAGE_NUMBER_END - 1,
		     FH_PAGE_NUMBER_END, false);
}

static void empty_ranges_are_left_out(void **state)
{
	struct text_result r;

	(void)state;
	read_text(&r, "0 0 fff\n1 1000 fff\n2 2000 2fff", CAPACITY);
	assert_int_equal(r.n, 2);
	assert_range(&r.ranges[1], 2, 2, 3, false);
	read_text(&r, "1 1000 fff\n", CAPACITY);
	assert_int_equal(r.status, FH_E_EMPTY);
	assert_int_equal(r.error.line, 0);
}

static void wrong_text_lines_are_named(void **state)
{
	const struct {
		const char *line;
		enum fh_status status;
	} cases[] = {
		{"0", FH_E_INVALID},
		{"0 0", FH_E_INVALID},
		{"x 0 fff", FH_E_INVALID},
		{"0 x fff", FH_E_INVALID},
		{"0 0 x", FH_E_INVALID},
		{"a 0 fff", FH_E_INVALID},
		{"0 0 fff 1", FH_E_INVALID},
		{"0 0 fff hotplugged", FH_E_INVALID},
		{"0 0 ffg", FH_E_INVALID},
		{"0 0-fff", FH_E_INVALID},
		{"4294967296 0 fff", FH_E_OVERFLOW},
		{"18446744073709551616 0 fff", FH_E_OVERFLOW},
		{"0 10000000000000000 fff", FH_E_OVERFLOW},
		{"0 0 10000000000000000", FH_E_OVERFLOW},
		{"0 2000 1000", FH_E_OVERFLOW},
		{"0 0 ffffffffffffffff", FH_E_OVERFLOW},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		char text[128];
		struct text_result r;

		(void)snprintf(text, sizeof(text), "0 0 fff\n# c\n%s\n0 0 1\n",
			       cases[i].line);
		read_text(&r, text, CAPACITY);
		assert_int_equal(r.status, cases[i].status);
		assert_int_equal(r.error.line, 3);
	}
}

static void text_beyond_the_capacity_is_an_error(void **state)
{
	struct text_result r;

	(void)state;
	read_text(&r, "0 0 1\n0 0 1\n0 1 0\n0 0 1\n", 3);
	assert_int_equal(r.n, 3);
	read_text(&r, "0 0 1\n0 0 1\n0 1 0\n0 0 1\n", 2);
	assert_int_equal(r.status, FH_E_NO_MEMORY);
	assert_int_equal(r.error.line, 4);
	assert_int_equal(r.ranges[2].count, 0);
	read_text(&r, "", 3);
	assert_int_equal(r.status, FH_E_EMPTY);
}

static void epyc_has_four_quarters_of_a_terabyte(void **state)
{
	const char *dir = getenv("FH_DATA");
	char path[1024];
	char text[4096];
	uint64_t pages[4] = {0};
	struct text_result r;
	FILE *file;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/maps/epyc_4node_1t.srat",
		       dir != NULL ? dir : "data");
	file = fopen(path, "rb");
	if (file == NULL)
		fail_msg("cannot open %s", path);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	assert_int_equal(fclose(file), 0);
	read_text(&r, text, CAPACITY);
	assert_int_equal(r.status, FH_OK);
	for (size_t i = 0; i < r.n; i++) {
		assert_true(r.ranges[i].node < 4);
		pages[r.ranges[i].node] += r.ranges[i].count;
	}
	/* 256 GiB each; the first has a hole of 2 GiB below 4 GiB as well. */
	for (size_t node = 0; node < 4; node++)
		assert_int_equal(pages[node], 67108864);
}

/* SRAT */

struct srat {
	uint8_t bytes[4096];
	size_t size;
};

static void put_little(struct srat *srat, size_t at, uint64_t value,
		       size_t width)
{
	assert_true(at + width <= sizeof(srat->bytes));
	for (size_t i = 0; i < width; i++)
		srat->bytes[at + i] = (uint8_t)(value >> (8 * i));
}

static void srat_open(struct srat *srat, unsigned revision)
{
	memset(srat->bytes, 0xa5, sizeof(srat->bytes));
	memcpy(srat->bytes, "SRAT", 4);
	put_little(srat, 8, revision, 1);
	srat->size = 48;
}

/* Closes the table: length, and a checksum that makes the sum 0. */
static void srat_close(struct srat *srat)
{
	uint8_t sum = 0;

	put_little(srat, 4, srat->size, 4);
	srat->bytes[9] = 0;
	for (size_t i = 0; i < srat->size; i++)
		sum = (uint8_t)(sum + srat->bytes[i]);
	srat->bytes[9] = (uint8_t)(256 - sum);
}

static void add_structure(struct srat *srat, unsigned type, size_t length)
{
	put_little(srat, srat->size, type, 1);
	put_little(srat, srat->size + 1, length, 1);
	srat->size += length;
}

static void add_memory(struct srat *srat, uint64_t domain, uint64_t base,
		       uint64_t size, uint64_t flags)
{
	size_t at = srat->size;

	add_structure(srat, 1, 40);
	put_little(srat, at + 2, domain, 4);
	put_little(srat, at + 8, base, 8);
	put_little(srat, at + 16, size, 8);
	put_little(srat, at + 28, flags, 4);
}

struct srat_result {
	enum fh_status status;
	size_t n;
	struct fh_node_range ranges[CAPACITY];
	struct fh_table_error error;
};

/* Reads a copy of the very size, at an odd address. */
static void read_srat(struct srat_result *r, const struct srat *srat,
		      size_t size, size_t capacity)
{
	uint8_t *copy = malloc(size + 1);

	assert_non_null(copy);
	memcpy(copy + 1, srat->bytes, size);
	memset(r, 0, sizeof(*r));
	r->n = UNTOUCHED;
	r->error.at = UNTOUCHED;
	r->status = fh_numa_read_srat(copy + 1, size, r->ranges, capacity,
				      &r->n, &r->error);
	free(copy);
	if (r->status == FH_OK) {
		assert_int_equal(r->error.at, UNTOUCHED);
	} else {
		assert_int_equal(r->n, UNTOUCHED);
		assert_non_null(r->error.why);
	}
}

static void assert_srat_failed(const struct srat *srat, size_t size,
			       enum fh_status status, size_t at)
{
	struct srat_result r;

	read_srat(&r, srat, size, CAPACITY);
	assert_int_equal(r.status, status);
	assert_int_equal(r.error.at, at);
}

static void srat_memory_is_read(void **state)
{
	struct srat srat;
	struct srat_result r;

	(void)state;
	srat_open(&srat, 3);
	add_structure(&srat, 0, 16); /* a processor */
	add_memory(&srat, 0, 0, 0xa0000, 1);
	add_memory(&srat, 0x12345678, 0x100000, 0x7ff00000, 1);
	add_structure(&srat, 2, 24); /* a processor with an x2APIC */
	add_memory(&srat, 2, UINT64_C(0x100000000), UINT64_C(0x100000000), 3);
	add_memory(&srat, 3, UINT64_C(0x200000000), UINT64_C(0x100000000), 2);
	add_memory(&srat, 3, UINT64_C(0x300000000), 0, 1);
	add_memory(&srat, 4, UINT64_C(0x400000000), UINT64_C(0x1000), 5);
	add_structure(&srat, 77, 2);
	srat_close(&srat);
	read_srat(&r, &srat, srat.size, CAPACITY);
	assert_int_equal(r.status, FH_OK);
	assert_int_equal(r.n, 4);
	assert_range(&r.ranges[0], 0, 0, 0xa0, false);
	assert_range(&r.ranges[1], 0x12345678, 0x100, 0x80000, false);
	assert_range(&r.ranges[2], 2, 0x100000, 0x200000, true);
	assert_range(&r.ranges[3], 4, 0x400000, 0x400001, false);
}

static void srat_of_old_has_small_domains(void **state)
{
	(void)state;
	for (unsigned revision = 0; revision < 4; revision++) {
		struct srat srat;
		struct srat_result r;

		srat_open(&srat, revision);
		add_memory(&srat, 0xaabbccdd, 0x1000, 0x1000, 1);
		srat_close(&srat);
		read_srat(&r, &srat, srat.size, CAPACITY);
		assert_int_equal(r.n, 1);
		assert_range(&r.ranges[0], revision < 2 ? 0xdd : 0xaabbccdd, 1,
			     2, false);
	}
}

static void srat_of_another_table_is_refused(void **state)
{
	struct srat srat;

	(void)state;
	srat_open(&srat, 3);
	add_memory(&srat, 0, 0, 0x1000, 1);
	memcpy(srat.bytes, "SLIT", 4);
	srat_close(&srat);
	assert_srat_failed(&srat, srat.size, FH_E_INVALID, 0);
}

static void srat_with_a_wrong_checksum_is_refused(void **state)
{
	struct srat srat;

	(void)state;
	srat_open(&srat, 3);
	add_memory(&srat, 0, 0, 0x1000, 1);
	srat_close(&srat);
	for (size_t i = 8; i < srat.size; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			srat.bytes[i] ^= (uint8_t)(1U << bit);
			assert_srat_failed(&srat, srat.size, FH_E_INVALID, 9);
			srat.bytes[i] ^= (uint8_t)(1U << bit);
		}
	}
}

static void srat_cut_short_is_refused(void **state)
{
	struct srat srat;
	struct srat_result r;

	(void)state;
	srat_open(&srat, 3);
	add_memory(&srat, 0, 0, 0x1000, 1);
	srat_close(&srat);
	for (size_t size = 0; size < 48; size++)
		assert_srat_failed(&srat, size, FH_E_INVALID, 0);
	for (size_t size = 48; size < srat.size; size++)
		assert_srat_failed(&srat, size, FH_E_INVALID, 4);
	/* What lies behind the table is not the table's. */
	read_srat(&r, &srat, srat.size + 3, CAPACITY);
	assert_int_equal(r.n, 1);

	/* The table itself says that it ends within a structure. */
	for (size_t size = 49; size < 88; size++) {
		srat.size = size;
		srat_close(&srat);
		assert_srat_failed(&srat, size, FH_E_INVALID, 48);
	}
	for (size_t size = 0; size < 48; size++) {
		srat.size = size;
		srat_close(&srat);
		assert_srat_failed(&srat, 88, FH_E_INVALID, 4);
	}
}

static void srat_structures_of_wrong_length_are_refused(void **state)
{
	(void)state;
	for (size_t length = 0; length < 256; length++) {
		struct srat srat;
		struct srat_result r;

		srat_open(&srat, 3);
		add_memory(&srat, 7, 0, 0x1000, 1);
		add_memory(&srat, 8, 0x1000, 0x1000, 1);
		memset(srat.bytes + srat.size, 0, 300);
		srat.bytes[89] = (uint8_t)length;
		srat.size = 88 + (length < 40 ? 40 : length);
		srat_close(&srat);
		read_srat(&r, &srat, srat.size, CAPACITY);
		if (length < 40) {
			assert_int_equal(r.status, FH_E_INVALID);
			assert_int_equal(r.error.at, 88);
		} else {
			assert_int_equal(r.status, FH_OK);
			assert_int_equal(r.n, 2);
		}
		srat.size--;
		srat_close(&srat);
		assert_srat_failed(&srat, srat.size, FH_E_INVALID, 88);
	}
}

static void srat_structure_must_hold_its_own_header(void **state)
{
	(void)state;
	for (size_t length = 0; length < 2; length++) {
		struct srat srat;

		srat_open(&srat, 3);
		add_memory(&srat, 7, 0, 0x1000, 1);
		srat.bytes[88] = 77;
		srat.bytes[89] = (uint8_t)length;
		memset(srat.bytes + 90, 2, 2);
		srat.size = 90 + length;
		srat_close(&srat);
		assert_srat_failed(&srat, srat.size, FH_E_INVALID, 88);
	}
}

static void srat_range_beyond_64_bits_is_refused(void **state)
{
	struct srat srat;
	struct srat_result r;

	(void)state;
	srat_open(&srat, 3);
	add_memory(&srat, 0, 0x1000, UINT64_MAX - 0xfff, 1);
	srat_close(&srat);
	read_srat(&r, &srat, srat.size, CAPACITY);
	assert_int_equal(r.n, 1);
	assert_range(&r.ranges[0], 0, 1, FH_PAGE_NUMBER_END, false);
	add_memory(&srat, 0, 0x1001, UINT64_MAX - 0xfff, 1);
	srat_close(&srat);
	assert_srat_failed(&srat, srat.size, FH_E_OVERFLOW, 88);
}

static void srat_without_memory_is_refused(void **state)
{
	struct srat srat;

	(void)state;
	srat_open(&srat, 3);
	add_structure(&srat, 0, 16);
	add_memory(&srat, 0, 0, 0x1000, 0);
	srat_close(&srat);
	assert_srat_failed(&srat, srat.size, FH_E_EMPTY, 0);
}

static void srat_beyond_the_capacity_is_refused(void **state)
{
	struct srat srat;
	struct srat_result r;

	(void)state;
	srat_open(&srat, 3);
	add_memory(&srat, 0, 0, 0x1000, 1);
	add_memory(&srat, 0, 0x1000, 0x1000, 1);
	srat_close(&srat);
	read_srat(&r, &srat, srat.size, 2);
	assert_int_equal(r.n, 2);
	read_srat(&r, &srat, srat.size, 1);
	assert_int_equal(r.status, FH_E_NO_MEMORY);
	assert_int_equal(r.error.at, 88);
	assert_int_equal(r.ranges[1].count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_lines_are_node_start_end),
		cmocka_unit_test(ranges_are_clipped_outward),
		cmocka_unit_test(empty_ranges_are_left_out),
		cmocka_unit_test(wrong_text_lines_are_named),
		cmocka_unit_test(text_beyond_the_capacity_is_an_error),
		cmocka_unit_test(epyc_has_four_quarters_of_a_terabyte),
		cmocka_unit_test(srat_memory_is_read),
		cmocka_unit_test(srat_of_old_has_small_domains),
		cmocka_unit_test(srat_of_another_table_is_refused),
		cmocka_unit_test(srat_with_a_wrong_checksum_is_refused),
		cmocka_unit_test(srat_cut_short_is_refused),
		cmocka_unit_test(srat_structures_of_wrong_length_are_refused),
		cmocka_unit_test(srat_structure_must_hold_its_own_header),
		cmocka_unit_test(srat_range_beyond_64_bits_is_refused),
		cmocka_unit_test(srat_without_memory_is_refused),
		cmocka_unit_test(srat_beyond_the_capacity_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
