/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Maps as text: every form, what is lenient and what is refused, with which
 * line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <framehold/maptext.h>

#define CAPACITY  512
#define UNTOUCHED ((size_t)4321)

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum reader {
	E820,
	IOMEM,
	UEFI,
	ANY_TEXT,
};

struct result {
	enum fh_status status;
	size_t n;
	struct fh_region regions[CAPACITY];
	struct fh_text_error error;
};

/* Reads from a buffer of the very size, so that a read beyond it is seen. */
static void read_bytes(struct result *r, enum reader reader, const char *bytes,
		       size_t size, size_t capacity)
{
	char *text = malloc(size > 0 ? size : 1);

	assert_non_null(text);
	memcpy(text, bytes, size);
	memset(r, 0, sizeof(*r));
	r->n = UNTOUCHED;
	r->error.line = UNTOUCHED;
	if (reader == E820)
		r->status = fh_map_read_e820(text, size, r->regions, capacity,
					     &r->n, &r->error);
	else if (reader == IOMEM)
		r->status = fh_map_read_iomem(text, size, r->regions, capacity,
					      &r->n, &r->error);
	else if (reader == UEFI)
		r->status = fh_map_read_uefi_text(text, size, r->regions,
						  capacity, &r->n, &r->error);
	else
		r->status = fh_map_read_text(text, size, r->regions, capacity,
					     &r->n, &r->error);
	free(text);
	if (r->status == FH_OK) {
		assert_int_equal(r->error.line, UNTOUCHED);
		assert_null(r->error.why);
	} else {
		assert_int_equal(r->n, UNTOUCHED);
		assert_non_null(r->error.why);
		assert_true(strlen(r->error.why) > 5);
	}
}

static void read_string(struct result *r, enum reader reader, const char *text)
{
	read_bytes(r, reader, text, strlen(text), CAPACITY);
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

static void assert_error(enum reader reader, const char *text,
			 enum fh_status status, size_t line)
{
	struct result r;

	read_string(&r, reader, text);
	assert_int_equal(r.status, status);
	assert_int_equal(r.error.line, line);
}

/* e820 */

static void e820_lines_are_start_end_type(void **state)
{
	struct result r;

	(void)state;
	read_string(&r, E820,
		    "0000000000000000 000000000009fbff 1\n"
		    "000000000009fc00 00000000000fffff 2\n");
	assert_int_equal(r.n, 2);
	assert_region(&r, 0, 0, 0x9fc00, FH_REGION_USABLE);
	assert_region(&r, 1, 0x9fc00, 0x60400, FH_REGION_RESERVED);
}

static void e820_types_are_mapped(void **state)
{
	const struct {
		const char *type;
		enum fh_region_kind kind;
	} cases[] = {
		{"0", FH_REGION_UNKNOWN},
		{"1", FH_REGION_USABLE},
		{"2", FH_REGION_RESERVED},
		{"3", FH_REGION_RECLAIMABLE},
		{"4", FH_REGION_NON_VOLATILE_SLEEP},
		{"5", FH_REGION_BAD},
		{"6", FH_REGION_UNKNOWN},
		{"7", FH_REGION_RESERVED},
		{"12", FH_REGION_RESERVED},
		{"11", FH_REGION_UNKNOWN},
		{"4294967297", FH_REGION_UNKNOWN},
		{"18446744073709551615", FH_REGION_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		char text[64];
		struct result r;

		(void)snprintf(text, sizeof(text), "1000 1fff %s\n",
			       cases[i].type);
		read_string(&r, E820, text);
		assert_region(&r, 0, 0x1000, 0x1000, cases[i].kind);
		(void)snprintf(text, sizeof(text),
			       "BIOS-e820: [mem 0x1000-0x1fff] type %s\n",
			       cases[i].type);
		read_string(&r, E820, text);
		assert_region(&r, 0, 0x1000, 0x1000, cases[i].kind);
	}
}

static void blanks_case_and_prefixes_do_not_matter(void **state)
{
	const char *texts[] = {
		"abcd000 abcdfff 1\n",
		"ABCD000 AbCdFfF 1\n",
		"0xabcd000 0XABCDFFF 1\n",
		"  \t abcd000\t\tabcdfff \t 1 \t \n",
		"abcd000 abcdfff 1\r\n",
		"abcd000 abcdfff 1",
		"abcd000 abcdfff 1\r",
		"abcd000 abcdfff 0000000000000000000000000000001",
		"0000000000000000000000000000000000abcd000 abcdfff 1",
		"\n\n \t\n\r\n# comment\n  # 1 2 3\nabcd000 abcdfff 1\n#",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++) {
		for (int reader = 0; reader < 2; reader++) {
			struct result r;

			read_string(&r, reader == 0 ? E820 : ANY_TEXT,
				    texts[i]);
			assert_region(&r, 0, 0xabcd000, 0x1000,
				      FH_REGION_USABLE);
			assert_int_equal(r.n, 1);
		}
	}
}

static void lines_may_be_of_any_length(void **state)
{
	const size_t size = 300000;
	char *text = malloc(size);
	struct result r;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', size);
	memcpy(text, "# ", 2);
	text[99999] = '\n';
	memset(text + 100000, '0', 100000);
	text[199990] = '8';
	text[200000] = ' ';
	memcpy(text + 250000, "8fffffffff", 10);
	text[size - 1] = '1';
	read_bytes(&r, E820, text, size, CAPACITY);
	assert_region(&r, 0, UINT64_C(0x8000000000), UINT64_C(0x1000000000),
		      FH_REGION_USABLE);
	text[100000] = '1';
	read_bytes(&r, E820, text, size, CAPACITY);
	assert_int_equal(r.status, FH_E_OVERFLOW);
	assert_int_equal(r.error.line, 2);
	free(text);
}

static void end_before_start_by_one_is_an_empty_entry(void **state)
{
	struct result r;

	(void)state;
	read_string(&r, E820, "2000 1fff 1\n");
	assert_int_equal(r.n, 1);
	assert_region(&r, 0, 0x2000, 0, FH_REGION_USABLE);
	read_string(&r, E820, "ffffffffffffffff fffffffffffffffe 2\n");
	assert_region(&r, 0, UINT64_MAX, 0, FH_REGION_RESERVED);
	read_string(&r, IOMEM, "2000-1fff : System RAM\n");
	assert_region(&r, 0, 0x2000, 0, FH_REGION_USABLE);
}

static void end_before_start_is_an_error(void **state)
{
	(void)state;
	assert_error(E820, "0 fff 1\n2000 1ffe 1\n", FH_E_OVERFLOW, 2);
	assert_error(E820, "2000 0 1\n", FH_E_OVERFLOW, 1);
	assert_error(E820, "\nBIOS-e820: [mem 0x2000-0x1000] usable",
		     FH_E_OVERFLOW, 2);
	assert_error(IOMEM, "2000-1000 : Reserved\n", FH_E_OVERFLOW, 1);
}

static void one_byte_entry_has_size_one(void **state)
{
	struct result r;

	(void)state;
	read_string(&r, E820, "0 0 1\nffffffffffffffff ffffffffffffffff 2\n");
	assert_region(&r, 0, 0, 1, FH_REGION_USABLE);
	assert_region(&r, 1, UINT64_MAX, 1, FH_REGION_RESERVED);
}

static void all_of_64_bits_has_no_size(void **state)
{
	struct result r;

	(void)state;
	assert_error(E820, "0 fff 1\n0 ffffffffffffffff 2\n", FH_E_OVERFLOW, 2);
	assert_error(IOMEM, "0-ffffffffffffffff : Reserved\n", FH_E_OVERFLOW,
		     1);
	read_string(&r, E820, "1 ffffffffffffffff 2\n");
	assert_region(&r, 0, 1, UINT64_MAX, FH_REGION_RESERVED);
	read_string(&r, E820, "0 fffffffffffffffe 2\n");
	assert_region(&r, 0, 0, UINT64_MAX, FH_REGION_RESERVED);
}

static void number_beyond_64_bits_is_an_error(void **state)
{
	(void)state;
	assert_error(E820, "10000000000000000 10000000000000fff 1\n",
		     FH_E_OVERFLOW, 1);
	assert_error(E820, "0 10000000000000000 1\n", FH_E_OVERFLOW, 1);
	assert_error(E820, "0 fff 18446744073709551616\n", FH_E_OVERFLOW, 1);
	assert_error(E820, "\n\n0 fffffffffffffffff 1\n", FH_E_OVERFLOW, 3);
	assert_error(E820, "BIOS-e820: [mem 0x0-0x12345678123456781] usable",
		     FH_E_OVERFLOW, 1);
	assert_error(E820, "BIOS-e820: [mem 0x0-0x1] type 99999999999999999999",
		     FH_E_OVERFLOW, 1);
	assert_error(IOMEM, "0-10000000000000000 : Reserved\n", FH_E_OVERFLOW,
		     1);
	assert_error(ANY_TEXT, "10000000000000000-2 : Reserved\n",
		     FH_E_OVERFLOW, 1);
}

static void malformed_e820_lines_are_named(void **state)
{
	const char *lines[] = {
		"0",       "0 fff",     "0 fff ",    "0 fff x",
		"0 fff a", "0 fff 1 2", "0 fff 1x",  "x fff 1",
		"0 x 1",   "0-fff 1",   "0,fff 1",   "0x 0xfff 1",
		"0 0x 1",  "0 fff 0x1", "0 fff -1",  "-1 fff 1",
		"+1 2 1",  "0 fff 1 #", "usable",    "0 fff usable",
		"0 g 1",   "0x0x1 2 1", "0 fff\v1",  "\xff\xfe",
		"0 fff1",  "0\r fff 1", "0 fff 1\v",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(lines); i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "0 fff 1\n# c\n%s\n0 fff 1",
			       lines[i]);
		assert_error(E820, text, FH_E_INVALID, 3);
		assert_error(ANY_TEXT, text, FH_E_INVALID, 3);
	}
}

static void zero_byte_is_a_character_like_others(void **state)
{
	const char text[] = "0 fff 1\n\0\n";
	const char inside[] = "0 fff\0001\n";
	struct result r;

	(void)state;
	read_bytes(&r, E820, text, sizeof(text) - 1, CAPACITY);
	assert_int_equal(r.status, FH_E_INVALID);
	assert_int_equal(r.error.line, 2);
	read_bytes(&r, E820, inside, sizeof(inside) - 1, CAPACITY);
	assert_int_equal(r.status, FH_E_INVALID);
}

/* Boot logs */

static void boot_log_lines_are_found_in_noise(void **state)
{
	struct result r;

	(void)state;
	read_string(&r, E820,
		    "[    0.000000] Linux version 6.1.0-13-amd64\n"
		    "0 fff 1\n"
		    "[    0.000000] BIOS-provided physical RAM map:\n"
		    "[    0.000000] BIOS-e820: [mem "
		    "0x0000000000000000-0x000000000009fbff] usable\n"
		    "[    0.000000] BIOS-e820: [mem "
		    "0x00000000000f0000-0x00000000000fffff] reserved\r\n"
		    "[    0.000430] e820: update [mem 0x00000000-0x00000fff] "
		    "usable ==> reserved\n"
		    "Nov 21 host kernel: bios-E820: [MEM 0X100000-0X1FFFFF] "
		    "Usable\n"
		    "BIOS-e820:[mem 0x200000-0x2fffff]ACPI data\n"
		    "BIOS-e820:\t[mem 300000-3fffff]\tACPI NVS\t");
	assert_int_equal(r.n, 5);
	assert_region(&r, 0, 0, 0x9fc00, FH_REGION_USABLE);
	assert_region(&r, 1, 0xf0000, 0x10000, FH_REGION_RESERVED);
	assert_region(&r, 2, 0x100000, 0x100000, FH_REGION_USABLE);
	assert_region(&r, 3, 0x200000, 0x100000, FH_REGION_RECLAIMABLE);
	assert_region(&r, 4, 0x300000, 0x100000, FH_REGION_NON_VOLATILE_SLEEP);
}

static void boot_log_kinds_are_mapped(void **state)
{
	const struct {
		const char *name;
		enum fh_region_kind kind;
	} cases[] = {
		{"usable", FH_REGION_USABLE},
		{"reserved", FH_REGION_RESERVED},
		{"soft reserved", FH_REGION_RESERVED},
		{"ACPI data", FH_REGION_RECLAIMABLE},
		{"ACPI NVS", FH_REGION_NON_VOLATILE_SLEEP},
		{"unusable", FH_REGION_BAD},
		{"persistent (type 7)", FH_REGION_RESERVED},
		{"persistent (type 12)", FH_REGION_RESERVED},
		{"type 20", FH_REGION_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		char text[128];
		struct result r;

		(void)snprintf(text, sizeof(text),
			       "BIOS-e820: [mem 0x1000-0x2fff] %s\n",
			       cases[i].name);
		read_string(&r, E820, text);
		assert_region(&r, 0, 0x1000, 0x2000, cases[i].kind);
	}
}

static void malformed_log_lines_are_named(void **state)
{
	const char *lines[] = {
		"BIOS-e820:",
		"BIOS-e820: ",
		"BIOS-e820: 0 - 1000 (usable)",
		"BIOS-e820: 0x0-0xfff] usable",
		"BIOS-e820: [mem",
		"BIOS-e820: [mem ]",
		"BIOS-e820: [mem 0x0]",
		"BIOS-e820: [mem 0x0-]",
		"BIOS-e820: [mem 0x0-0xfff",
		"BIOS-e820: [mem 0x0-0xfff usable",
		"BIOS-e820: [mem 0x0-0xfff] ",
		"BIOS-e820: [mem 0x0-0xfff] excellent",
		"BIOS-e820: [mem 0x0-0xfff] usable indeed",
		"BIOS-e820: [mem 0x0-0xfff] type",
		"BIOS-e820: [mem 0x0-0xfff] type x",
		"BIOS-e820: [mem 0x0-0xfff] type 3a",
		"BIOS-e820: [mem 0xg-0xfff] usable",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(lines); i++) {
		char text[256];

		(void)snprintf(text, sizeof(text),
			       "noise\nBIOS-e820: [mem 0x0-0xfff] usable\n%s\n",
			       lines[i]);
		assert_error(E820, text, FH_E_INVALID, 3);
		assert_error(ANY_TEXT, text, FH_E_INVALID, 3);
	}
}

static void comment_does_not_make_a_boot_log(void **state)
{
	struct result r;

	(void)state;
	read_string(&r, E820,
		    "# BIOS-e820: [mem 0x0-0xfff] reserved\n0 fff 1\n");
	assert_int_equal(r.n, 1);
	assert_region(&r, 0, 0, 0x1000, FH_REGION_USABLE);
}

/* iomem */

static void iomem_names_are_mapped(void **state)
{
	const struct {
		const char *name;
		enum fh_region_kind kind;
		bool counts_when_nested;
	} cases[] = {
		{"System RAM", FH_REGION_USABLE, true},
		{"Kernel code", FH_REGION_KERNEL, true},
		{"Kernel rodata", FH_REGION_KERNEL, true},
		{"Kernel data", FH_REGION_KERNEL, true},
		{"Kernel bss", FH_REGION_KERNEL, true},
		{"Reserved", FH_REGION_RESERVED, true},
		{"reserved", FH_REGION_RESERVED, true},
		{"ACPI Tables", FH_REGION_RECLAIMABLE, true},
		{"ACPI Non-volatile Storage", FH_REGION_NON_VOLATILE_SLEEP,
		 true},
		{"Unusable memory", FH_REGION_BAD, true},
		{"Unknown E820 type", FH_REGION_UNKNOWN, true},
		{"Persistent Memory", FH_REGION_RESERVED, false},
		{"Soft Reserved", FH_REGION_RESERVED, false},
		{"PCI Bus 0000:00", FH_REGION_RESERVED, false},
		{"System RAM (kmem)", FH_REGION_RESERVED, false},
		{"Kernel", FH_REGION_RESERVED, false},
		{"Crash kernel", FH_REGION_RESERVED, false},
		{"", FH_REGION_RESERVED, false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		char text[128];
		struct result r;

		(void)snprintf(text, sizeof(text), "1000-2fff : %s\n",
			       cases[i].name);
		read_string(&r, IOMEM, text);
		assert_int_equal(r.n, 1);
		assert_region(&r, 0, 0x1000, 0x2000, cases[i].kind);

		(void)snprintf(text, sizeof(text),
			       "0-ffff : PCI\n  1000-2fff : %s\n",
			       cases[i].name);
		read_string(&r, IOMEM, text);
		if (cases[i].counts_when_nested) {
			assert_int_equal(r.n, 2);
			assert_region(&r, 1, 0x1000, 0x2000, cases[i].kind);
		} else {
			assert_int_equal(r.n, 1);
		}
	}
}

static void nesting_is_measured_from_the_first_line(void **state)
{
	struct result r;

	(void)state;
	/* As cut out of a mail: everything is indented. */
	read_string(&r, IOMEM,
		    "\t00001000-0009ffff : System RAM\r\n"
		    "\t000a0000-000fffff : PCI Bus 0000:00\r\n"
		    "\t  000c0000-000cffff : Video ROM\r\n"
		    "\t00100000-001fffff : System RAM");
	assert_int_equal(r.n, 3);
	assert_region(&r, 0, 0x1000, 0x9f000, FH_REGION_USABLE);
	assert_region(&r, 1, 0xa0000, 0x60000, FH_REGION_RESERVED);
	assert_region(&r, 2, 0x100000, 0x100000, FH_REGION_USABLE);
}

static void hidden_addresses_are_refused(void **state)
{
	struct result r;

	(void)state;
	/* What /proc/iomem shows to others than root. */
	assert_error(IOMEM,
		     "00000000-00000000 : Reserved\n"
		     "00000000-00000000 : System RAM\n"
		     "  00000000-00000000 : Kernel code\n",
		     FH_E_INVALID, 0);
	read_string(&r, IOMEM,
		    "00000000-00000000 : Reserved\n"
		    "00000000-00000001 : System RAM\n");
	assert_int_equal(r.n, 2);
}

static void malformed_iomem_lines_are_named(void **state)
{
	const char *lines[] = {
		"1000",
		"1000-",
		"1000-1fff",
		"1000-1fff System RAM",
		"1000 -1fff : System RAM",
		"1000- 1fff : System RAM",
		"x-1fff : System RAM",
		"1000-x : System RAM",
		": System RAM",
		"System RAM",
		"1000 1fff 1",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(lines); i++) {
		char text[128];

		(void)snprintf(text, sizeof(text), "0-fff : System RAM\n%s\n",
			       lines[i]);
		assert_error(IOMEM, text, FH_E_INVALID, 2);
		assert_error(ANY_TEXT, text, FH_E_INVALID, 2);
	}
}

/* uefi */

static void uefi_lines_are_read(void **state)
{
	struct result r;

	(void)state;
	read_string(&r, UEFI,
		    " type 7 pa 1000 pages 86 attr f\n"
		    "TYPE 0xA PA 0x806000 PAGES 0x2 ATTR 0xF\r\n"
		    "\ttype  6\tpa 1ea8a000 pages 102 attr 800000000000000f ");
	assert_int_equal(r.n, 3);
	assert_region(&r, 0, 0x1000, 0x86000, FH_REGION_USABLE);
	assert_region(&r, 1, 0x806000, 0x2000, FH_REGION_NON_VOLATILE_SLEEP);
	assert_region(&r, 2, 0x1ea8a000, 0x102000, FH_REGION_RESERVED);
}

static void malformed_uefi_lines_are_named(void **state)
{
	const char *lines[] = {
		"type",
		"type 7",
		"type 7 pa 1000",
		"type 7 pa 1000 pages 86",
		"type 7 pa 1000 pages 86 attr",
		"type 7 pa 1000 pages 86 attr x",
		"type 7 pa 1000 pages 86 attr f f",
		"type 7 pa 1000 pages 86 attr fx",
		"type 7 pages 86 pa 1000 attr f",
		"type7 pa 1000 pages 86 attr f",
		"type 7pa 1000 pages 86 attr f",
		"type 7 pa 1000pages 86 attr f",
		"7 1000 86 f",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(lines); i++) {
		char text[128];

		(void)snprintf(text, sizeof(text),
			       "type 7 pa 0 pages 1 attr f\n%s\n", lines[i]);
		assert_error(UEFI, text, FH_E_INVALID, 2);
		assert_error(ANY_TEXT, text, FH_E_INVALID, 2);
	}
}

static void uefi_line_that_ends_beyond_64_bits_is_an_error(void **state)
{
	struct result r;

	(void)state;
	assert_error(UEFI, "type 7 pa 0 pages 10000000000000 attr f",
		     FH_E_OVERFLOW, 1);
	assert_error(UEFI, "type 7 pa 0 pages ffffffffffffffff attr f",
		     FH_E_OVERFLOW, 1);
	assert_error(UEFI, "type 7 pa ffffffffffffe000 pages 3 attr f",
		     FH_E_OVERFLOW, 1);
	assert_error(UEFI, "type 7 pa 0 pages 1 attr 10000000000000000",
		     FH_E_OVERFLOW, 1);
	read_string(&r, UEFI, "type b pa ffffffffffffe000 pages 2 attr 1");
	assert_region(&r, 0, UINT64_MAX - 0x1fff, 0x2000, FH_REGION_RESERVED);
}

/* What holds for all of them */

static void text_without_entry_is_an_error(void **state)
{
	const char *texts[] = {"", "\n", "\n\n\n", "# nothing\n", " \t\r\n"};

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++) {
		assert_error(E820, texts[i], FH_E_EMPTY, 0);
		assert_error(IOMEM, texts[i], FH_E_EMPTY, 0);
		assert_error(UEFI, texts[i], FH_E_EMPTY, 0);
		assert_error(ANY_TEXT, texts[i], FH_E_EMPTY, 0);
	}
}

static void entry_beyond_the_capacity_is_an_error(void **state)
{
	const char *text = "0 fff 1\n1000 1fff 1\n\n2000 2fff 1\n";
	struct result r;

	(void)state;
	read_bytes(&r, E820, text, strlen(text), 3);
	assert_int_equal(r.status, FH_OK);
	assert_int_equal(r.n, 3);
	read_bytes(&r, E820, text, strlen(text), 2);
	assert_int_equal(r.status, FH_E_NO_MEMORY);
	assert_int_equal(r.error.line, 4);
	assert_int_equal(r.regions[2].size, 0);
	read_bytes(&r, E820, text, strlen(text), 0);
	assert_int_equal(r.status, FH_E_NO_MEMORY);
	assert_int_equal(r.error.line, 1);
}

static void forms_are_told_apart(void **state)
{
	struct result r;

	(void)state;
	read_string(&r, ANY_TEXT, "# c\n\n0 fff 1\n");
	assert_region(&r, 0, 0, 0x1000, FH_REGION_USABLE);
	read_string(&r, ANY_TEXT, "# c\n\n0-fff : System RAM\n");
	assert_region(&r, 0, 0, 0x1000, FH_REGION_USABLE);
	read_string(&r, ANY_TEXT, "# c\n\n type 7 pa 0 pages 1 attr f\n");
	assert_region(&r, 0, 0, 0x1000, FH_REGION_USABLE);
	read_string(&r, ANY_TEXT,
		    "0-fff : a file system\nBIOS-e820: [mem 0x0-0xfff] usable");
	assert_int_equal(r.n, 1);
	assert_region(&r, 0, 0, 0x1000, FH_REGION_USABLE);
	assert_error(ANY_TEXT, "Hello, world\n", FH_E_INVALID, 1);
}

/* Every prefix of a text, and every text with one character changed. */
static void damaged_texts_are_read_or_refused(void **state)
{
	const char *texts[] = {
		"# c\n0x0 9fbff 1\r\n9fc00 fffff 2\n",
		"BIOS-e820: [mem 0-f] usable\nBIOS-e820: [mem 9-9] type 2",
		"0-fff : Reserved\n  10-20 : Kernel bss\n1000-1fff : x\n",
		" type 7 pa 0 pages 1 attr f\n type a pa 1000 pages 2 attr 8\n",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++) {
		size_t size = strlen(texts[i]);
		char copy[256];
		struct result r;

		for (size_t cut = 0; cut < size; cut++) {
			read_bytes(&r, ANY_TEXT, texts[i], cut, CAPACITY);
			if (r.status == FH_OK)
				assert_true(r.n > 0 && r.n <= 3);
		}
		for (size_t at = 0; at < size; at++) {
			for (int c = 0; c < 256; c++) {
				memcpy(copy, texts[i], size);
				copy[at] = (char)c;
				read_bytes(&r, ANY_TEXT, copy, size, CAPACITY);
				if (r.status == FH_OK)
					assert_true(r.n > 0 && r.n <= 3);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(e820_lines_are_start_end_type),
		cmocka_unit_test(e820_types_are_mapped),
		cmocka_unit_test(blanks_case_and_prefixes_do_not_matter),
		cmocka_unit_test(lines_may_be_of_any_length),
		cmocka_unit_test(end_before_start_by_one_is_an_empty_entry),
		cmocka_unit_test(end_before_start_is_an_error),
		cmocka_unit_test(one_byte_entry_has_size_one),
		cmocka_unit_test(all_of_64_bits_has_no_size),
		cmocka_unit_test(number_beyond_64_bits_is_an_error),
		cmocka_unit_test(malformed_e820_lines_are_named),
		cmocka_unit_test(zero_byte_is_a_character_like_others),
		cmocka_unit_test(boot_log_lines_are_found_in_noise),
		cmocka_unit_test(boot_log_kinds_are_mapped),
		cmocka_unit_test(malformed_log_lines_are_named),
		cmocka_unit_test(comment_does_not_make_a_boot_log),
		cmocka_unit_test(iomem_names_are_mapped),
		cmocka_unit_test(nesting_is_measured_from_the_first_line),
		cmocka_unit_test(hidden_addresses_are_refused),
		cmocka_unit_test(malformed_iomem_lines_are_named),
		cmocka_unit_test(uefi_lines_are_read),
		cmocka_unit_test(malformed_uefi_lines_are_named),
		cmocka_unit_test(
			uefi_line_that_ends_beyond_64_bits_is_an_error),
		cmocka_unit_test(text_without_entry_is_an_error),
		cmocka_unit_test(entry_beyond_the_capacity_is_an_error),
		cmocka_unit_test(forms_are_told_apart),
		cmocka_unit_test(damaged_texts_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
