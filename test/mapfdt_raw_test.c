/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Device trees made by hand, token by token, as libfdt would not make them.
 */
#include "fdt_tree.h"

struct raw {
	uint8_t bytes[4096];
	size_t size; /* of the tokens so far */
};

#define RAW_STRINGS 64
#define RAW_TOKENS  256

static const char raw_strings[] = "device_type\0reg\0#size-cells";

#define NAME_DEVICE_TYPE 0
#define NAME_REG         12
#define NAME_SIZE_CELLS  16

static void put_big(struct raw *raw, size_t at, uint64_t value)
{
	for (size_t i = 0; i < 4; i++)
		raw->bytes[at + i] = (uint8_t)(value >> (24 - 8 * i));
}

static void raw_word(struct raw *raw, uint64_t word)
{
	put_big(raw, RAW_TOKENS + raw->size, word);
	raw->size += 4;
}

static void raw_bytes(struct raw *raw, const void *bytes, size_t n)
{
	memcpy(raw->bytes + RAW_TOKENS + raw->size, bytes, n);
	raw->size += (n + 3) / 4 * 4;
}

static void raw_open(struct raw *raw)
{
	memset(raw, 0, sizeof(*raw));
	memcpy(raw->bytes + RAW_STRINGS, raw_strings, sizeof(raw_strings));
}

static size_t raw_close(struct raw *raw)
{
	const uint64_t header[] = {0xd00dfeed,
				   RAW_TOKENS + raw->size,
				   RAW_TOKENS,
				   RAW_STRINGS,
				   40,
				   17,
				   16,
				   0,
				   sizeof(raw_strings),
				   raw->size};

	for (size_t i = 0; i < LENGTH(header); i++)
		put_big(raw, 4 * i, header[i]);
	return RAW_TOKENS + raw->size;
}

static void raw_begin(struct raw *raw, const char *name)
{
	raw_word(raw, 1);
	raw_bytes(raw, name, strlen(name) + 1);
}

static void raw_property(struct raw *raw, uint64_t name, const void *value,
			 size_t n)
{
	raw_word(raw, 3);
	raw_word(raw, n);
	raw_word(raw, name);
	raw_bytes(raw, value, n);
}

/* A memory node of one page at page 1, for 2 cells and 1 cell. */
static void raw_memory(struct raw *raw)
{
	const uint8_t reg[] = {0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0x10, 0};

	raw_begin(raw, "memory");
	raw_property(raw, NAME_DEVICE_TYPE, "memory", 7);
	raw_property(raw, NAME_REG, reg, sizeof(reg));
	raw_word(raw, 2);
}

static void read_raw(struct raw *raw, struct result *r)
{
	size_t size = raw_close(raw);

	assert_like_libfdt(raw->bytes, size);
	read_tree(r, raw->bytes, size, CAPACITY);
}

static void plain_tree_made_by_hand_is_read(void **state)
{
	struct raw raw;
	struct result r;

	(void)state;
	raw_open(&raw);
	raw_word(&raw, 4);
	raw_begin(&raw, "");
	raw_word(&raw, 4);
	raw_memory(&raw);
	raw_word(&raw, 2);
	raw_word(&raw, 4);
	raw_word(&raw, 9);
	read_raw(&raw, &r);
	assert_int_equal(r.n, 1);
	assert_region(&r, 0, 0x1000, 0x1000, FH_REGION_USABLE);
}

static void property_behind_a_child_is_an_error(void **state)
{
	struct raw raw;
	struct result r;

	(void)state;
	raw_open(&raw);
	raw_begin(&raw, "");
	raw_memory(&raw);
	raw_property(&raw, NAME_SIZE_CELLS, "\0\0\0\2", 4);
	raw_word(&raw, 2);
	raw_word(&raw, 9);
	read_raw(&raw, &r);
	assert_int_equal(r.status, FH_E_INVALID);
	assert_int_equal(r.error.at, RAW_TOKENS + 68);
}

static void first_of_two_values_counts(void **state)
{
	const uint8_t reg[] = {0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0x20, 0};
	const uint8_t other[] = {0, 0, 0, 0, 0, 0, 0x50, 0, 0, 0, 0x10, 0};
	struct raw raw;
	struct result r;

	(void)state;
	raw_open(&raw);
	raw_begin(&raw, "");
	raw_begin(&raw, "memory");
	raw_property(&raw, NAME_DEVICE_TYPE, "memory", 7);
	raw_property(&raw, NAME_REG, reg, sizeof(reg));
	raw_property(&raw, NAME_REG, other, sizeof(other));
	raw_property(&raw, NAME_DEVICE_TYPE, "serial", 7);
	raw_word(&raw, 2);
	raw_word(&raw, 2);
	raw_word(&raw, 9);
	read_raw(&raw, &r);
	assert_int_equal(r.n, 1);
	assert_region(&r, 0, 0x1000, 0x2000, FH_REGION_USABLE);
}

static void wrong_order_of_tokens_is_an_error(void **state)
{
	/* B a node, E its end, P a property, M memory, X the end, ? junk. */
	const char *const orders[] = {
		"X",     "BX",    "BM",      "BMEE",   "BMEEX", "EBMEX",
		"PBMEX", "BMEPX", "BMEBMEX", "BMEBEX", "BM?EX", "",
		"BMEBX", "B?",    "BMBMX",   "BMEEBX",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(orders); i++) {
		struct raw raw;
		struct result r;

		raw_open(&raw);
		for (size_t k = 0; orders[i][k] != '\0'; k++) {
			if (orders[i][k] == 'B')
				raw_begin(&raw, "");
			else if (orders[i][k] == 'E')
				raw_word(&raw, 2);
			else if (orders[i][k] == 'P')
				raw_property(&raw, NAME_SIZE_CELLS, "\0\0\0\1",
					     4);
			else if (orders[i][k] == 'M')
				raw_memory(&raw);
			else if (orders[i][k] == 'X')
				raw_word(&raw, 9);
			else
				raw_word(&raw, 5);
		}
		read_raw(&raw, &r);
		assert_int_equal(r.status, FH_E_INVALID);
		assert_int_equal(r.numa_status, FH_E_INVALID);
	}
}

static void depth_has_no_limit(void **state)
{
	struct raw raw;
	struct result r;

	(void)state;
	raw_open(&raw);
	raw_begin(&raw, "");
	raw_memory(&raw);
	for (int i = 0; i < 200; i++)
		raw_begin(&raw, "a");
	for (int i = 0; i < 200; i++)
		raw_word(&raw, 2);
	raw_word(&raw, 2);
	raw_word(&raw, 9);
	read_raw(&raw, &r);
	assert_int_equal(r.n, 1);
}

static void names_outside_of_the_strings_are_errors(void **state)
{
	const struct {
		uint64_t name;
		enum fh_status status;
	} cases[] = {
		{sizeof(raw_strings) - 1, FH_OK}, /* an empty name */
		{sizeof(raw_strings), FH_E_INVALID},
		{0xffffffff, FH_E_INVALID},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct raw raw;
		struct result r;

		raw_open(&raw);
		raw_begin(&raw, "");
		raw_property(&raw, cases[i].name, "", 0);
		raw_memory(&raw);
		raw_word(&raw, 2);
		raw_word(&raw, 9);
		read_raw(&raw, &r);
		assert_int_equal(r.status, cases[i].status);
	}
}

static void name_that_the_strings_cut_short_is_none(void **state)
{
	struct raw raw;
	struct result r;
	size_t size;

	(void)state;
	raw_open(&raw);
	raw_begin(&raw, "");
	raw_property(&raw, NAME_SIZE_CELLS, "\0\0\0\2", 4);
	raw_memory(&raw);
	raw_word(&raw, 2);
	raw_word(&raw, 9);
	size = raw_close(&raw);
	read_tree(&r, raw.bytes, size, CAPACITY);
	assert_int_equal(r.status, FH_E_INVALID); /* 12 bytes, not 16 */
	put_big(&raw, 32, sizeof(raw_strings) - 1);
	read_tree(&r, raw.bytes, size, CAPACITY);
	assert_int_equal(r.status, FH_OK);
}

static void wrong_headers_are_refused(void **state)
{
	const struct {
		size_t field;
		uint64_t value;
		bool is_fine;
	} cases[] = {
		{0, 0xd00dfeee, false},
		{0, 0xedfe0dd0, false},
		{4, 0, false},
		{4, 39, false},
		{4, 0xffffffff, false},
		{8, 0xfffffff0, false},
		{8, RAW_TOKENS + 4, false},
		{12, 0xfffffff0, false},
		{16, 0xfffffff0, false},
		{16, RAW_TOKENS + 1000, false},
		{20, 16, false},
		{20, 18, true},
		{20, 0xffffffff, true},
		{24, 18, false},
		{24, 1, true},
		{28, 0xffffffff, true},
		{32, 0xffffffff, false},
		{32, 4, false},
		{36, 0xffffffff, false},
		{36, 4, false},
		{36, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct raw raw;
		struct result r;
		size_t size;

		raw_open(&raw);
		raw_begin(&raw, "");
		raw_memory(&raw);
		raw_word(&raw, 2);
		raw_word(&raw, 9);
		size = raw_close(&raw);
		put_big(&raw, cases[i].field, cases[i].value);
		assert_like_libfdt(raw.bytes, size);
		read_tree(&r, raw.bytes, size, CAPACITY);
		assert_int_equal(r.status,
				 cases[i].is_fine ? FH_OK : FH_E_INVALID);
	}
}

static void reservations_without_end_are_an_error(void **state)
{
	struct raw raw;
	struct result r;
	size_t size;

	(void)state;
	raw_open(&raw);
	raw_begin(&raw, "");
	raw_memory(&raw);
	raw_word(&raw, 2);
	raw_word(&raw, 9);
	size = raw_close(&raw);
	/* From the strings on, nothing is 16 bytes of 0 up to the end. */
	memset(raw.bytes + 40, 1, RAW_TOKENS - 40);
	for (size_t cut = 0; cut < 32; cut++) {
		put_big(&raw, 16, size - cut);
		read_tree(&r, raw.bytes, size, CAPACITY);
		assert_int_equal(r.status, FH_E_INVALID);
	}
}

static void reservations_may_end_with_the_tree(void **state)
{
	struct raw raw;
	struct result r;
	size_t size;

	(void)state;
	raw_open(&raw);
	raw_begin(&raw, "");
	raw_memory(&raw);
	raw_word(&raw, 2);
	raw_word(&raw, 9);
	size = raw_close(&raw) + 16;
	put_big(&raw, 4, size);
	put_big(&raw, 16, size - 16);
	assert_like_libfdt(raw.bytes, size);
	read_tree(&r, raw.bytes, size, CAPACITY);
	assert_int_equal(r.n, 1);
}

/* The tokens end where the header says, even if there are more behind. */
static void tokens_end_where_the_header_says(void **state)
{
	struct raw raw;
	size_t size;

	(void)state;
	raw_open(&raw);
	raw_begin(&raw, "");
	raw_memory(&raw);
	raw_begin(&raw, "a");
	raw_word(&raw, 2);
	raw_word(&raw, 2);
	raw_word(&raw, 9);
	size = raw_close(&raw);
	for (size_t cut = 0; cut < raw.size; cut++) {
		struct result r;

		put_big(&raw, 36, cut);
		assert_like_libfdt(raw.bytes, size);
		read_tree(&r, raw.bytes, size, CAPACITY);
		assert_int_equal(r.status, FH_E_INVALID);
	}
}

static void name_without_end_is_an_error(void **state)
{
	struct raw raw;
	struct result r;

	(void)state;
	raw_open(&raw);
	raw_begin(&raw, "");
	raw_memory(&raw);
	raw_word(&raw, 1);
	raw_bytes(&raw, "abcd", 4);
	read_raw(&raw, &r);
	assert_int_equal(r.status, FH_E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_tree_made_by_hand_is_read),
		cmocka_unit_test(property_behind_a_child_is_an_error),
		cmocka_unit_test(first_of_two_values_counts),
		cmocka_unit_test(wrong_order_of_tokens_is_an_error),
		cmocka_unit_test(depth_has_no_limit),
		cmocka_unit_test(names_outside_of_the_strings_are_errors),
		cmocka_unit_test(name_that_the_strings_cut_short_is_none),
		cmocka_unit_test(wrong_headers_are_refused),
		cmocka_unit_test(reservations_without_end_are_an_error),
		cmocka_unit_test(reservations_may_end_with_the_tree),
		cmocka_unit_test(tokens_end_where_the_header_says),
		cmocka_unit_test(name_without_end_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
