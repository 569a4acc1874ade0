/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a kernel reads of a device tree beside memory, from trees that libfdt
 * made: CPUs, arguments, ramdisk; and one tree cut anywhere and with any byte
 * changed.
 */
#include "../port/fdt_boot.h"
#include "fdt_tree.h"

static void assert_unchanged(const struct fdt_boot *boot)
{
	const unsigned char *bytes = (const unsigned char *)boot;

	for (size_t i = 0; i < sizeof(*boot); i++)
		assert_int_equal(bytes[i], 0x5a);
}

/*
 * Reads a copy of the very size, at an odd address, that outlives the call:
 * arguments are in it.
 */
static const char *read_boot(const void *tree, size_t size,
			     struct fdt_boot *boot)
{
	static uint8_t *copy;
	const char *why;

	free(copy);
	copy = malloc(size + 1);
	assert_non_null(copy);
	memcpy(copy + 1, tree, size);
	memset(boot, 0x5a, sizeof(*boot));
	why = fdt_boot_read(copy + 1, size, boot);
	if (why != NULL)
		assert_unchanged(boot);
	return why;
}

static void close_and_read(struct tree *tree, struct fdt_boot *boot)
{
	size_t size = tree_close(tree);
	const char *why = read_boot(tree->room, size, boot);

	if (why != NULL)
		fail_msg("%s", why);
}

static void assert_refused(struct tree *tree)
{
	struct fdt_boot boot;

	assert_non_null(read_boot(tree->room, tree_close(tree), &boot));
}

static void u32(struct tree *tree, const char *name, uint32_t value)
{
	check(fdt_property_u32(tree->room, name, value));
}

static void u64(struct tree *tree, const char *name, uint64_t value)
{
	check(fdt_property_u64(tree->room, name, value));
}

static void begin_cpus(struct tree *tree, uint32_t id_cells)
{
	begin_wide(tree);
	begin(tree, "cpus");
	u32(tree, "#address-cells", id_cells);
	u32(tree, "#size-cells", 0);
}

/* A CPU with an id of one cell; status and isa may be null. */
static void cpu(struct tree *tree, const char *name, uint32_t id,
		const char *status, const char *isa)
{
	begin(tree, name);
	string(tree, "device_type", "cpu");
	u32(tree, "reg", id);
	if (status != NULL)
		string(tree, "status", status);
	if (isa != NULL)
		string(tree, "riscv,isa", isa);
	/* A node within a CPU says nothing about CPUs. */
	begin(tree, "interrupt-controller");
	string(tree, "device_type", "cpu");
	u32(tree, "reg", 77);
	end(tree);
	end(tree);
}

static void end_cpus(struct tree *tree)
{
	end(tree);
	end(tree);
}

static void enabled_cpus_are_told_in_order(void **state)
{
	struct tree tree;
	struct fdt_boot boot;

	(void)state;
	begin_cpus(&tree, 1);
	cpu(&tree, "cpu@3", 3, NULL, NULL);
	cpu(&tree, "cpu@1", 1, "okay", NULL);
	cpu(&tree, "cpu@2", 2, "disabled", NULL);
	cpu(&tree, "cpu@5", 5, "fail", NULL);
	cpu(&tree, "cpu@0", 0, "ok", NULL);
	end_cpus(&tree);
	close_and_read(&tree, &boot);
	assert_int_equal(boot.cpu_count, 3);
	assert_int_equal(boot.cpus_found, 3);
	assert_int_equal(boot.cpus[0], 3);
	assert_int_equal(boot.cpus[1], 1);
	assert_int_equal(boot.cpus[2], 0);
}

static void only_cpus_among_the_children_of_cpus_count(void **state)
{
	struct tree tree;
	struct fdt_boot boot;

	(void)state;
	begin_cpus(&tree, 1);
	begin(&tree, "cpu-map");
	cpu(&tree, "cpu@1", 1, NULL, NULL);
	end(&tree);
	begin(&tree, "cache");
	string(&tree, "device_type", "cache");
	u32(&tree, "reg", 2);
	end(&tree);
	cpu(&tree, "cpu@3", 3, NULL, NULL);
	end(&tree);
	begin(&tree, "cpus2");
	cpu(&tree, "cpu@4", 4, NULL, NULL);
	end(&tree);
	begin(&tree, "soc");
	begin(&tree, "cpus");
	cpu(&tree, "cpu@5", 5, NULL, NULL);
	end(&tree);
	end(&tree);
	end(&tree);
	close_and_read(&tree, &boot);
	assert_int_equal(boot.cpus_found, 1);
	assert_int_equal(boot.cpus[0], 3);
}

static void ids_have_one_or_two_cells(void **state)
{
	const uint64_t wide[] = {UINT64_C(0x8000000100)};

	(void)state;
	for (uint32_t id_cells = 0; id_cells < 4; id_cells++) {
		for (int is_wide = 0; is_wide < 2; is_wide++) {
			struct tree tree;
			struct fdt_boot boot;
			size_t size;

			begin_cpus(&tree, id_cells);
			begin(&tree, "cpu@0");
			string(&tree, "device_type", "cpu");
			if (is_wide == 1)
				reg64(&tree, wide, 1);
			else
				u32(&tree, "reg", 0x80000001);
			end(&tree);
			end_cpus(&tree);
			size = tree_close(&tree);
			if (id_cells != (is_wide == 1 ? 2U : 1U)) {
				assert_non_null(
					read_boot(tree.room, size, &boot));
				continue;
			}
			assert_null(read_boot(tree.room, size, &boot));
			assert_int_equal(boot.cpus[0],
					 is_wide == 1 ? wide[0] : 0x80000001);
		}
	}
}

static void cpus_beyond_the_room_are_counted(void **state)
{
	struct tree tree;
	struct fdt_boot boot;

	(void)state;
	begin_cpus(&tree, 1);
	for (uint32_t i = 0; i < FDT_BOOT_CPUS + 3; i++) {
		begin(&tree, "c");
		string(&tree, "device_type", "cpu");
		u32(&tree, "reg", 100 + i);
		end(&tree);
	}
	end_cpus(&tree);
	close_and_read(&tree, &boot);
	assert_int_equal(boot.cpu_count, FDT_BOOT_CPUS);
	assert_int_equal(boot.cpus_found, FDT_BOOT_CPUS + 3);
	for (uint32_t i = 0; i < FDT_BOOT_CPUS; i++)
		assert_int_equal(boot.cpus[i], 100 + i);
}

static void first_cpu_is_number_0_and_no_other(void **state)
{
	const struct fdt_boot boot = {.cpus = {4, 5, 6, 7}, .cpu_count = 4};
	uint64_t ids[5] = {9, 9, 9, 9, 9};

	(void)state;
	assert_int_equal(fdt_boot_number_cpus(&boot, 6, ids, 5), 4);
	assert_memory_equal(ids, ((uint64_t[]){6, 4, 5, 7, 9}), sizeof(ids));
	assert_int_equal(fdt_boot_number_cpus(&boot, 8, ids, 3), 3);
	assert_memory_equal(ids, ((uint64_t[]){8, 4, 5, 7, 9}), sizeof(ids));
}

static void svpbmt_counts_if_every_cpu_has_it(void **state)
{
	static const struct {
		const char *isa[2];
		bool has;
	} cases[] = {
		{{"rv64imac_svpbmt", "rv64imac_svnapot_svpbmt_zba"}, true},
		{{"rv64imac_svpbmt", "rv64imac"}, false},
		{{"rv64imac_svpbmt", NULL}, false},
		{{"rv64imac_svpbmt2", "rv64imac_svpbmt2"}, false},
		{{"rv64imac_xsvpbmt", "rv64imac_svpbm"}, false},
		{{NULL, NULL}, false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct tree tree;
		struct fdt_boot boot;

		begin_cpus(&tree, 1);
		cpu(&tree, "cpu@0", 0, NULL, cases[i].isa[0]);
		cpu(&tree, "cpu@1", 1, "disabled", "rv64");
		cpu(&tree, "cpu@2", 2, NULL, cases[i].isa[1]);
		end_cpus(&tree);
		close_and_read(&tree, &boot);
		assert_int_equal(boot.has_svpbmt, cases[i].has);
	}
}

static void extensions_may_be_a_list(void **state)
{
	static const char list[] = "i\0svpbmt\0zicsr";
	struct tree tree;
	struct fdt_boot boot;

	(void)state;
	begin_cpus(&tree, 1);
	begin(&tree, "cpu@0");
	string(&tree, "device_type", "cpu");
	u32(&tree, "reg", 0);
	check(fdt_property(tree.room, "riscv,isa-extensions", list,
			   sizeof(list)));
	end(&tree);
	end_cpus(&tree);
	close_and_read(&tree, &boot);
	assert_true(boot.has_svpbmt);
}

static void chosen_has_arguments_and_a_ramdisk(void **state)
{
	struct tree tree;
	struct fdt_boot boot;
	char text[64];

	(void)state;
	begin_wide(&tree);
	begin(&tree, "chosen");
	string(&tree, "bootargs", "sv48 two  words");
	u32(&tree, "linux,initrd-start", 0x88000000);
	u64(&tree, "linux,initrd-end", UINT64_C(0x188000123));
	begin(&tree, "opensbi-domains");
	string(&tree, "bootargs", "not this");
	end(&tree);
	end(&tree);
	begin(&tree, "cpus");
	u32(&tree, "timebase-frequency", 10000000);
	end(&tree);
	end(&tree);
	close_and_read(&tree, &boot);
	assert_int_equal(boot.initrd_start, 0x88000000);
	assert_int_equal(boot.initrd_end, UINT64_C(0x188000123));
	assert_int_equal(boot.timebase, 10000000);
	fdt_boot_copy_arguments(&boot, text, sizeof(text));
	assert_string_equal(text, "sv48 two  words");
	assert_true(fdt_boot_has_argument(&boot, "sv48"));
	assert_true(fdt_boot_has_argument(&boot, "two"));
	assert_true(fdt_boot_has_argument(&boot, "words"));
	assert_false(fdt_boot_has_argument(&boot, "sv4"));
	assert_false(fdt_boot_has_argument(&boot, "word"));
	assert_false(fdt_boot_has_argument(&boot, "v48"));
}

static void arguments_are_cut_to_the_room(void **state)
{
	struct tree tree;
	struct fdt_boot boot;
	char text[4];

	(void)state;
	begin_wide(&tree);
	begin(&tree, "chosen");
	/* Without a zero of its own: the property ends it. */
	check(fdt_property(tree.room, "bootargs", "abcd", 4));
	end(&tree);
	end(&tree);
	close_and_read(&tree, &boot);
	assert_int_equal(boot.argument_size, 4);
	fdt_boot_copy_arguments(&boot, text, sizeof(text));
	assert_string_equal(text, "abc");
	fdt_boot_copy_arguments(&boot, text, 1);
	assert_string_equal(text, "");
}

static void tree_that_says_nothing_is_no_error(void **state)
{
	struct tree tree;
	struct fdt_boot boot;
	char text[4];

	(void)state;
	begin_wide(&tree);
	end(&tree);
	close_and_read(&tree, &boot);
	assert_int_equal(boot.cpus_found, 0);
	assert_int_equal(boot.cpu_count, 0);
	assert_int_equal(boot.initrd_start, 0);
	assert_int_equal(boot.initrd_end, 0);
	assert_int_equal(boot.timebase, 0);
	assert_false(boot.has_svpbmt);
	assert_false(fdt_boot_has_argument(&boot, ""));
	fdt_boot_copy_arguments(&boot, text, sizeof(text));
	assert_string_equal(text, "");
}

static void ill_shaped_properties_are_refused(void **state)
{
	const fdt32_t words[] = {cpu_to_fdt32(1), cpu_to_fdt32(1),
				 cpu_to_fdt32(1)};

	(void)state;
	for (int which = 0; which < 6; which++) {
		struct tree tree;
		struct fdt_boot boot;

		begin_wide(&tree);
		begin(&tree, "cpus");
		check(fdt_property(tree.room, "#address-cells", words,
				   which == 1 ? 3 : 4));
		check(fdt_property(tree.room, "timebase-frequency", words,
				   which == 2 ? 12 : 4));
		begin(&tree, "cpu@0");
		string(&tree, "device_type", "cpu");
		check(fdt_property(tree.room, "reg", words,
				   which == 3 ? 3 : 4));
		end(&tree);
		end(&tree);
		begin(&tree, "chosen");
		check(fdt_property(tree.room, "linux,initrd-start", words,
				   which == 4 ? 0 : 4));
		check(fdt_property(tree.room, "linux,initrd-end", words,
				   which == 5 ? 7 : 4));
		end(&tree);
		end(&tree);
		if (which == 0)
			close_and_read(&tree, &boot);
		else
			assert_refused(&tree);
	}
}

static void ramdisk_that_ends_before_it_begins_is_refused(void **state)
{
	(void)state;
	for (uint32_t end_at = 0; end_at < 3; end_at++) {
		struct tree tree;
		struct fdt_boot boot;

		begin_wide(&tree);
		begin(&tree, "chosen");
		u32(&tree, "linux,initrd-start", 1);
		if (end_at > 0)
			u32(&tree, "linux,initrd-end", end_at - 1);
		end(&tree);
		end(&tree);
		if (end_at == 2)
			close_and_read(&tree, &boot);
		else
			assert_refused(&tree);
	}
}

static void words_end_with_a_zero(void **state)
{
	struct tree tree;
	struct fdt_boot boot;

	(void)state;
	begin_cpus(&tree, 1);
	begin(&tree, "cpu@0");
	check(fdt_property(tree.room, "device_type", "cpu", 3));
	u32(&tree, "reg", 0);
	end(&tree);
	end_cpus(&tree);
	close_and_read(&tree, &boot);
	assert_int_equal(boot.cpus_found, 0);
}

static void cpus_have_an_id(void **state)
{
	(void)state;
	for (uint32_t id_cells = 0; id_cells < 2; id_cells++) {
		struct tree tree;

		begin_cpus(&tree, id_cells);
		begin(&tree, "cpu@0");
		string(&tree, "device_type", "cpu");
		end(&tree);
		end_cpus(&tree);
		assert_refused(&tree);
	}
}

/* What libfdt would not make: trees word by word, with strings "\0\0\0\0". */

#define WORDS_MOST 12
#define HEADER     40

struct words {
	size_t n;
	uint32_t words[WORDS_MOST];
	bool is_tree;
};

static size_t make_of_words(uint8_t *room, const struct words *words,
			    uint32_t version)
{
	const uint32_t size = (uint32_t)(4 * words->n);
	const uint32_t header[] = {
		0xd00dfeed, HEADER + 4 + size, HEADER + 4, HEADER, 0,
		version,    version,           0,          4,      size,
	};

	for (size_t i = 0; i < LENGTH(header); i++)
		fdt32_st(room + 4 * i, header[i]);
	memset(room + HEADER, 0, 4);
	for (size_t i = 0; i < words->n; i++)
		fdt32_st(room + HEADER + 4 + 4 * i, words->words[i]);
	return HEADER + 4 + size;
}

static void trees_have_one_root_and_properties_first(void **state)
{
	static const struct words cases[] = {
		{4, {1, 0, 2, 9}, true},
		{5, {4, 1, 0, 2, 9}, true},       /* a word of nothing */
		{7, {1, 0, 3, 0, 3, 2, 9}, true}, /* a property */
		{10, {1, 0, 3, 0, 0, 1, 0, 2, 2, 9}, true}, /* before a node */
		{1, {9}, false},                            /* no root */
		{3, {1, 0, 9}, false},                      /* no end of it */
		{3, {1, 0, 2}, false},                      /* no end of all */
		{7, {1, 0, 2, 1, 0, 2, 9}, false},          /* a second root */
		{5, {1, 0, 2, 2, 9}, false}, /* an end too many */
		{7, {1, 0, 2, 2, 1, 0, 9}, false},
		{7, {3, 0, 0, 1, 0, 2, 9}, false}, /* outside of a node */
		{10, {1, 0, 1, 0, 2, 3, 0, 0, 2, 9}, false}, /* behind one */
		{7, {1, 0, 3, 0, 4, 2, 9}, false}, /* a name outside */
		{5, {1, 0, 5, 2, 9}, false},       /* no such token */
		{5, {1, 0, 3, 1, 0}, false},       /* cut short */
		{5, {1, 0, 3, UINT32_MAX, 0}, false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		for (uint32_t version = 16; version <= 18; version++) {
			uint8_t room[HEADER + 4 + 4 * WORDS_MOST];
			struct fdt_boot boot;
			size_t size = make_of_words(room, &cases[i], version);
			const char *why = read_boot(room, size, &boot);

			assert_int_equal(why == NULL,
					 cases[i].is_tree && version == 17);
		}
	}
}

/* A tree of all that is read; returns its size. */
static size_t make_boot_tree(struct tree *tree)
{
	begin_cpus(tree, 1);
	u32(tree, "timebase-frequency", 10000000);
	cpu(tree, "cpu@0", 0, "okay", "rv64imac_svpbmt");
	cpu(tree, "cpu@1", 1, NULL, "rv64imac_svpbmt");
	end(tree);
	begin(tree, "chosen");
	string(tree, "bootargs", "sv39");
	u32(tree, "linux,initrd-start", 0x1000);
	u64(tree, "linux,initrd-end", 0x2000);
	end(tree);
	end(tree);
	return tree_close(tree);
}

static void cut_trees_are_refused(void **state)
{
	struct tree tree;
	struct fdt_boot boot;
	size_t size = make_boot_tree(&tree);

	(void)state;
	assert_null(read_boot(tree.room, size, &boot));
	for (size_t cut = 0; cut < size; cut++)
		assert_non_null(read_boot(tree.room, cut, &boot));
}

/*
 * What was read without an error is what libfdt reads, if it reads any. It
 * takes "chosen@" for the node too.
 */
static void assert_arguments_like_libfdt(const void *tree, size_t size,
					 const struct fdt_boot *boot)
{
	const char *value = NULL;
	int length = 0;
	int node;

	if (fdt_check_full(tree, size) != 0)
		return;
	node = fdt_path_offset(tree, "/chosen");
	if (node >= 0 && strcmp(fdt_get_name(tree, node, NULL), "chosen") == 0)
		value = fdt_getprop(tree, node, "bootargs", &length);
	if (value == NULL) {
		assert_null(boot->arguments);
		return;
	}
	if (memchr(value, '\0', (size_t)length) != NULL)
		length = (int)strlen(value);
	assert_int_equal(boot->argument_size, length);
	assert_memory_equal(boot->arguments, value, boot->argument_size);
}

static void damaged_trees_stay_within_bounds(void **state)
{
	struct tree tree;
	struct tree copy;
	struct fdt_boot boot;
	size_t size = make_boot_tree(&tree);
	size_t refused = 0;

	(void)state;
	for (size_t at = 0; at < size; at++) {
		for (int value = 0; value < 256; value++) {
			copy = tree;
			memset((uint8_t *)copy.room + at, value, 1);
			if (read_boot(copy.room, size, &boot) != NULL) {
				refused++;
				continue;
			}
			assert_true(boot.cpu_count <= boot.cpus_found);
			assert_true(boot.initrd_start <= boot.initrd_end);
			assert_arguments_like_libfdt(copy.room, size, &boot);
		}
	}
	assert_true(refused > size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enabled_cpus_are_told_in_order),
		cmocka_unit_test(only_cpus_among_the_children_of_cpus_count),
		cmocka_unit_test(ids_have_one_or_two_cells),
		cmocka_unit_test(cpus_beyond_the_room_are_counted),
		cmocka_unit_test(first_cpu_is_number_0_and_no_other),
		cmocka_unit_test(svpbmt_counts_if_every_cpu_has_it),
		cmocka_unit_test(extensions_may_be_a_list),
		cmocka_unit_test(chosen_has_arguments_and_a_ramdisk),
		cmocka_unit_test(arguments_are_cut_to_the_room),
		cmocka_unit_test(tree_that_says_nothing_is_no_error),
		cmocka_unit_test(ill_shaped_properties_are_refused),
		cmocka_unit_test(ramdisk_that_ends_before_it_begins_is_refused),
		cmocka_unit_test(words_end_with_a_zero),
		cmocka_unit_test(cpus_have_an_id),
		cmocka_unit_test(trees_have_one_root_and_properties_first),
		cmocka_unit_test(cut_trees_are_refused),
		cmocka_unit_test(damaged_trees_stay_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
