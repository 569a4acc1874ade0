/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Device trees made by libfdt: what counts as memory, what as reserved, which
 * node it belongs to, and what is refused; and one tree cut anywhere and with
 * any byte changed.
 */
#include <stdio.h>

#include <framehold/mapany.h>

#include "fdt_tree.h"

static void memory_nodes_are_usable(void **state)
{
	const uint64_t reg[] = {0x40000000, 0x20000000, UINT64_C(0x800000000),
				UINT64_C(0x1000000000)};
	struct tree tree;
	struct result r;

	(void)state;
	begin_wide(&tree);
	begin(&tree, "cpus");
	end(&tree);
	begin(&tree, "memory@40000000");
	reg64(&tree, reg, 4);
	string(&tree, "device_type", "memory");
	end(&tree);
	memory(&tree, "elsewhere", 0, 0x1000);
	end(&tree);
	finish_and_read(&tree, &r);
	assert_int_equal(r.n, 3);
	assert_region(&r, 0, 0x40000000, 0x20000000, FH_REGION_USABLE);
	assert_region(&r, 1, UINT64_C(0x800000000), UINT64_C(0x1000000000),
		      FH_REGION_USABLE);
	assert_region(&r, 2, 0, 0x1000, FH_REGION_USABLE);
}

static void only_memory_among_the_roots_children_counts(void **state)
{
	const uint64_t reg[] = {0x1000, 0x1000};
	struct tree tree;
	struct result r;

	(void)state;
	begin_wide(&tree);
	begin(&tree, "memory@0"); /* of another type */
	string(&tree, "device_type", "memory-controller");
	reg64(&tree, reg, 2);
	end(&tree);
	begin(&tree, "memory@1"); /* of none */
	reg64(&tree, reg, 2);
	end(&tree);
	begin(&tree, "memory@2"); /* without an address */
	string(&tree, "device_type", "memory");
	end(&tree);
	begin(&tree, "soc");
	cells(&tree, 2, 2);
	memory(&tree, "memory@3", 0x3000, 0x1000);
	begin(&tree, "bus");
	memory(&tree, "memory@4", 0x4000, 0x1000);
	end(&tree);
	end(&tree);
	memory(&tree, "memory@5", 0x5000, 0x1000);
	end(&tree);
	finish_and_read(&tree, &r);
	assert_int_equal(r.n, 1);
	assert_region(&r, 0, 0x5000, 0x1000, FH_REGION_USABLE);
}

static void cells_of_the_parent_say_how_wide_numbers_are(void **state)
{
	const uint32_t reg[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

	(void)state;
	for (uint32_t address = 1; address <= 2; address++) {
		for (uint32_t size = 1; size <= 2; size++) {
			struct tree tree;
			struct result r;
			uint64_t base = address == 1 ? 1 : 0x100000002;
			uint64_t bytes = size == 1 ? address + 1
						   : (uint64_t)(address + 1)
								     << 32 |
							     (address + 2);

			tree_open(&tree);
			check(fdt_finish_reservemap(tree.room));
			begin(&tree, "");
			cells(&tree, address, size);
			begin(&tree, "memory");
			/* Cells of the node itself are its children's. */
			cells(&tree, 3, 0);
			string(&tree, "device_type", "memory");
			reg32(&tree, reg, 12);
			end(&tree);
			end(&tree);
			finish_and_read(&tree, &r);
			assert_int_equal(r.n, 12 / (address + size));
			assert_region(&r, 0, base, bytes, FH_REGION_USABLE);
		}
	}
}

static void cells_have_defaults(void **state)
{
	const uint32_t reg[] = {1, 0x2000, 0x3000};
	struct tree tree;
	struct result r;

	(void)state;
	tree_open(&tree);
	check(fdt_finish_reservemap(tree.room));
	begin(&tree, "");
	begin(&tree, "memory");
	string(&tree, "device_type", "memory");
	reg32(&tree, reg, 3);
	end(&tree);
	begin(&tree, "reserved-memory");
	begin(&tree, "a");
	reg32(&tree, reg, 3);
	end(&tree);
	end(&tree);
	end(&tree);
	finish_and_read(&tree, &r);
	assert_int_equal(r.n, 2);
	assert_region(&r, 0, UINT64_C(0x100002000), 0x3000, FH_REGION_USABLE);
	assert_region(&r, 1, UINT64_C(0x100002000), 0x3000, FH_REGION_RESERVED);
}

/* O-12: what the reservation block names is not free. */
static void reservation_block_is_reserved(void **state)
{
	struct tree tree;
	struct result r;
	struct fh_span spans[32];
	struct fh_memory_map map = {spans, 32, 0};
	size_t bad;

	(void)state;
	tree_open(&tree);
	tree_reserve(&tree, 0x80000000, 0x80000);
	tree_reserve(&tree, 0x88000001, 1);
	tree_reserve(&tree, 0, 0x1000);
	tree_reserve(&tree, 0x5000, 0);
	tree_reserve(&tree, 0x6000, 0x1000);
	check(fdt_finish_reservemap(tree.room));
	begin(&tree, "");
	cells(&tree, 2, 2);
	memory(&tree, "memory@80000000", 0x80000000, 0x10000000);
	end(&tree);
	finish_and_read(&tree, &r);
	assert_int_equal(r.n, 6);
	assert_region(&r, 0, 0x80000000, 0x80000, FH_REGION_RESERVED);
	assert_region(&r, 3, 0x5000, 0, FH_REGION_RESERVED);
	assert_region(&r, 4, 0x6000, 0x1000, FH_REGION_RESERVED);
	assert_region(&r, 5, 0x80000000, 0x10000000, FH_REGION_USABLE);

	assert_int_equal(fh_map_normalise(r.regions, r.n, &map, &bad), FH_OK);
	assert_int_equal(fh_map_kind_at(&map, 0x8007f), FH_REGION_RESERVED);
	assert_int_equal(fh_map_kind_at(&map, 0x80080), FH_REGION_USABLE);
	assert_int_equal(fh_map_kind_at(&map, 0x88000), FH_REGION_RESERVED);
	assert_int_equal(fh_map_pages(&map, FH_REGION_USABLE),
			 0x10000 - 0x80 - 1);
}

/* O-12, its other half: on every architecture. */
static void children_of_reserved_memory_are_reserved(void **state)
{
	const uint64_t firmware[] = {0x80000000, 0x80000, 0x90000000, 0x1000};
	const uint64_t screen[] = {0x9f000000, 0x1000000};
	struct tree tree;
	struct result r;

	(void)state;
	begin_wide(&tree);
	begin(&tree, "reserved-memory");
	cells(&tree, 2, 2);
	check(fdt_property(tree.room, "ranges", NULL, 0));
	begin(&tree, "mmode_resv0@80000000");
	reg64(&tree, firmware, 4);
	check(fdt_property(tree.room, "no-map", NULL, 0));
	begin(&tree, "inner");
	reg64(&tree, screen, 2);
	end(&tree);
	end(&tree);
	begin(&tree, "screen");
	reg64(&tree, screen, 2);
	end(&tree);
	begin(&tree, "linux,cma");
	check(fdt_property_u64(tree.room, "size", 0x4000000));
	check(fdt_property(tree.room, "reusable", NULL, 0));
	end(&tree);
	end(&tree);
	memory(&tree, "memory@80000000", 0x80000000, 0x20000000);
	end(&tree);
	finish_and_read(&tree, &r);
	assert_int_equal(r.n, 4);
	assert_region(&r, 0, 0x80000000, 0x80000, FH_REGION_RESERVED);
	assert_region(&r, 1, 0x90000000, 0x1000, FH_REGION_RESERVED);
	assert_region(&r, 2, 0x9f000000, 0x1000000, FH_REGION_RESERVED);
	assert_region(&r, 3, 0x80000000, 0x20000000, FH_REGION_USABLE);
}

static void reserved_memory_is_known_by_its_whole_name(void **state)
{
	const char *const names[] = {"reserved-memory@0", "reserved-memor",
				     "reserved-memory2", "Reserved-memory"};
	const uint64_t reg[] = {0x1000, 0x1000};
	struct tree tree;
	struct result r;

	(void)state;
	begin_wide(&tree);
	for (size_t i = 0; i < LENGTH(names); i++) {
		begin(&tree, names[i]);
		cells(&tree, 2, 2);
		begin(&tree, "a");
		reg64(&tree, reg, 2);
		end(&tree);
		end(&tree);
	}
	/* Not among the root's children either. */
	begin(&tree, "soc");
	begin(&tree, "reserved-memory");
	begin(&tree, "a");
	reg64(&tree, reg, 2);
	end(&tree);
	end(&tree);
	end(&tree);
	memory(&tree, "memory", 0, 0x10000);
	end(&tree);
	finish_and_read(&tree, &r);
	assert_int_equal(r.n, 1);
}

static void nodes_that_are_not_okay_are_left_out(void **state)
{
	const struct {
		const char *status;
		bool counts;
	} cases[] = {
		{NULL, true},         {"okay", true},  {"ok", true},
		{"disabled", false},  {"fail", false}, {"", false},
		{"okay then", false}, {"o", false},
	};
	const uint64_t reg[] = {0x2000, 0x1000};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct tree tree;
		struct result r;

		begin_wide(&tree);
		memory(&tree, "memory@0", 0, 0x10000);
		begin(&tree, "memory@2000");
		if (cases[i].status != NULL)
			string(&tree, "status", cases[i].status);
		string(&tree, "device_type", "memory");
		reg64(&tree, reg, 2);
		end(&tree);
		begin(&tree, "reserved-memory");
		cells(&tree, 2, 2);
		begin(&tree, "a");
		reg64(&tree, reg, 2);
		if (cases[i].status != NULL)
			string(&tree, "status", cases[i].status);
		end(&tree);
		end(&tree);
		end(&tree);
		finish_and_read(&tree, &r);
		assert_int_equal(r.n, cases[i].counts ? 3 : 1);
	}
}

static void numa_ids_name_the_nodes_of_memory(void **state)
{
	const uint64_t first[] = {0x100000000, 0x80000000};
	const uint64_t second[] = {0x80000000, 0x40000000, 0, 0, 0x1001, 1};
	struct tree tree;
	struct result r;

	(void)state;
	begin_wide(&tree);
	begin(&tree, "memory@100000000");
	check(fdt_property_u32(tree.room, "numa-node-id", 7));
	string(&tree, "device_type", "memory");
	reg64(&tree, first, 2);
	end(&tree);
	begin(&tree, "memory@80000000");
	reg64(&tree, second, 6);
	string(&tree, "device_type", "memory");
	end(&tree);
	begin(&tree, "reserved-memory");
	cells(&tree, 2, 2);
	begin(&tree, "a");
	reg64(&tree, first, 2);
	end(&tree);
	end(&tree);
	end(&tree);
	finish_and_read(&tree, &r);
	assert_int_equal(r.range_count, 3);
	assert_range(&r, 0, 7, 0x100000, 0x180000);
	assert_range(&r, 1, 0, 0x80000, 0xc0000);
	assert_range(&r, 2, 0, 1, 2);
}

static void tree_without_memory_is_an_error(void **state)
{
	struct tree tree;
	struct result r;

	(void)state;
	tree_open(&tree);
	tree_reserve(&tree, 0, 0x1000);
	check(fdt_finish_reservemap(tree.room));
	begin(&tree, "");
	cells(&tree, 2, 2);
	memory(&tree, "memory", 0x1000, 0);
	end(&tree);
	finish_and_read(&tree, &r);
	assert_int_equal(r.status, FH_E_EMPTY);
	assert_int_equal(r.numa_status, FH_E_EMPTY);
}

static void tree_larger_than_the_room_is_an_error(void **state)
{
	struct tree tree;
	struct result r;
	size_t size;

	(void)state;
	tree_open(&tree);
	tree_reserve(&tree, 0, 0x1000);
	check(fdt_finish_reservemap(tree.room));
	begin(&tree, "");
	cells(&tree, 2, 2);
	memory(&tree, "memory@0", 0, 0x10000);
	memory(&tree, "memory@1", 0x10000, 0x10000);
	end(&tree);
	size = tree_close(&tree);
	read_tree(&r, tree.room, size, 3);
	assert_int_equal(r.n, 3);
	assert_int_equal(r.range_count, 2);
	for (size_t capacity = 0; capacity < 3; capacity++) {
		read_tree(&r, tree.room, size, capacity);
		assert_int_equal(r.status, FH_E_NO_MEMORY);
		assert_int_equal(r.numa_status,
				 capacity < 2 ? FH_E_NO_MEMORY : FH_OK);
	}
}

static void ranges_beyond_64_bits_are_errors(void **state)
{
	const uint64_t good[] = {0x1000, UINT64_MAX - 0xfff};
	const uint64_t wrong[] = {0x1001, UINT64_MAX - 0xfff};
	struct tree tree;
	struct result r;

	(void)state;
	for (int where = 0; where < 3; where++) {
		tree_open(&tree);
		tree_reserve(&tree, good[0], good[1]);
		if (where == 0)
			tree_reserve(&tree, wrong[0], wrong[1]);
		check(fdt_finish_reservemap(tree.room));
		begin(&tree, "");
		cells(&tree, 2, 2);
		memory(&tree, "memory@0", good[0], good[1]);
		if (where == 1)
			memory(&tree, "memory@1", wrong[0], wrong[1]);
		begin(&tree, "reserved-memory");
		cells(&tree, 2, 2);
		begin(&tree, "a");
		reg64(&tree, where == 2 ? wrong : good, 2);
		end(&tree);
		end(&tree);
		end(&tree);
		finish_and_read(&tree, &r);
		assert_int_equal(r.status, FH_E_OVERFLOW);
		assert_int_equal(r.numa_status,
				 where == 1 ? FH_E_OVERFLOW : FH_OK);
	}
}

static void first_pair_at_fault_decides(void **state)
{
	const uint64_t reg[] = {0x1001, UINT64_MAX - 0xfff, 0x1000, 0x1000};
	struct tree tree;
	struct result r;

	(void)state;
	begin_wide(&tree);
	begin(&tree, "memory");
	string(&tree, "device_type", "memory");
	reg64(&tree, reg, 4);
	end(&tree);
	end(&tree);
	finish_and_read(&tree, &r);
	assert_int_equal(r.status, FH_E_OVERFLOW);
	assert_int_equal(r.numa_status, FH_E_OVERFLOW);
}

static void ill_shaped_properties_are_errors(void **state)
{
	const uint32_t reg[] = {0, 0, 0, 0x1000, 0};

	(void)state;
	for (int which = 0; which < 9; which++) {
		struct tree tree;
		struct result r;

		tree_open(&tree);
		check(fdt_finish_reservemap(tree.room));
		begin(&tree, "");
		if (which == 1)
			cells(&tree, 0, 2);
		else if (which == 2)
			cells(&tree, 3, 1);
		else if (which == 3)
			cells(&tree, 2, 0);
		else if (which == 4)
			cells(&tree, 1, 3);
		else if (which == 5)
			check(fdt_property_u64(tree.room, "#size-cells", 2));
		else
			cells(&tree, 2, 2);
		begin(&tree, "memory");
		string(&tree, "device_type", "memory");
		if (which == 6)
			check(fdt_property(tree.room, "numa-node-id", reg, 2));
		reg32(&tree, reg, which == 7 ? 5 : 4);
		end(&tree);
		begin(&tree, "reserved-memory");
		cells(&tree, 2, which == 8 ? 0 : 2);
		begin(&tree, "a");
		reg32(&tree, reg, 4);
		end(&tree);
		end(&tree);
		end(&tree);
		finish_and_read(&tree, &r);
		assert_int_equal(r.status, which == 0 ? FH_OK : FH_E_INVALID);
	}
}

static void size_is_in_the_header(void **state)
{
	struct tree tree;
	uint8_t header[FH_FDT_MAGIC_SIZE];
	size_t size = make_full_tree(&tree);

	(void)state;
	memcpy(header, tree.room, sizeof(header));
	assert_int_equal(fh_fdt_size(header), size);
	header[0] = 0;
	assert_int_equal(fh_fdt_size(header), 0);
	memset(header + 4, 0xff, 4);
	header[0] = 0xd0;
	assert_int_equal(fh_fdt_size(header), 0xffffffff);
}

/* The file's memory, reasoned from its source. */
static void virt_machine_has_two_gib_less_what_is_kept(void **state)
{
	const char *dir = getenv("FH_DATA");
	struct fh_span spans[2 * CAPACITY];
	struct fh_memory_map map = {spans, 2 * CAPACITY, 0};
	struct fh_any_error error;
	char path[1024];
	uint8_t bytes[ROOM];
	struct result r;
	size_t size;
	size_t bad;
	FILE *file;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/maps/virt_2node.dtb",
		       dir != NULL ? dir : "data");
	file = fopen(path, "rb");
	if (file == NULL)
		fail_msg("cannot open %s", path);
	size = fread(bytes, 1, sizeof(bytes), file);
	assert_int_equal(fclose(file), 0);
	assert_like_libfdt(bytes, size);
	assert_int_equal(
		fh_map_read_any(bytes, size, r.regions, CAPACITY, &r.n, &error),
		FH_OK);
	assert_int_equal(fh_map_normalise(r.regions, r.n, &map, &bad), FH_OK);

	/*
	 * 1 GiB at 2 GiB, less 512 KiB, 2 pages at bfe00 and 1 at 90000; 1 GiB
	 * at 4 GiB, less 8 MiB; and 2 whole pages of an island of 3.
	 */
	assert_int_equal(fh_map_pages(&map, FH_REGION_USABLE),
			 262144 - 128 - 2 - 1 + 262144 - 2048 + 2);
	assert_int_equal(fh_map_pages(&map, FH_REGION_RESERVED),
			 128 + 2 + 1 + 2048);
	assert_int_equal(fh_map_frame_end(&map), 0x13f800);
	assert_int_equal(fh_map_kind_at(&map, 0x70000), FH_REGION_UNKNOWN);
	assert_int_equal(fh_map_kind_at(&map, 0x70001), FH_REGION_USABLE);
	assert_int_equal(fh_map_kind_at(&map, 0xa0000), FH_REGION_USABLE);
	assert_int_equal(fh_map_kind_at(&map, 0x20000), FH_REGION_UNKNOWN);

	read_tree(&r, bytes, size, CAPACITY);
	assert_int_equal(r.range_count, 3);
	assert_range(&r, 0, 1, 0x100000, 0x140000);
	assert_range(&r, 1, 0, 0x80000, 0xc0000);
	assert_range(&r, 2, 0, 0x70000, 0x70004);
}

/* Damage */

static void cut_trees_are_refused(void **state)
{
	struct tree tree;
	size_t size = make_full_tree(&tree);

	(void)state;
	for (size_t cut = 0; cut < size; cut++) {
		struct result r;

		read_tree(&r, tree.room, cut, CAPACITY);
		assert_int_equal(r.status, FH_E_INVALID);
	}
}

static void damaged_trees_are_read_as_libfdt_does(void **state)
{
	struct tree tree;
	size_t size = make_full_tree(&tree);
	uint8_t copy[ROOM];

	(void)state;
	for (size_t at = 0; at < size; at++) {
		for (int value = 0; value < 256; value++) {
			memcpy(copy, tree.room, size);
			copy[at] = (uint8_t)value;
			assert_like_libfdt(copy, size);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_nodes_are_usable),
		cmocka_unit_test(only_memory_among_the_roots_children_counts),
		cmocka_unit_test(cells_of_the_parent_say_how_wide_numbers_are),
		cmocka_unit_test(cells_have_defaults),
		cmocka_unit_test(reservation_block_is_reserved),
		cmocka_unit_test(children_of_reserved_memory_are_reserved),
		cmocka_unit_test(reserved_memory_is_known_by_its_whole_name),
		cmocka_unit_test(nodes_that_are_not_okay_are_left_out),
		cmocka_unit_test(numa_ids_name_the_nodes_of_memory),
		cmocka_unit_test(tree_without_memory_is_an_error),
		cmocka_unit_test(tree_larger_than_the_room_is_an_error),
		cmocka_unit_test(ranges_beyond_64_bits_are_errors),
		cmocka_unit_test(first_pair_at_fault_decides),
		cmocka_unit_test(ill_shaped_properties_are_errors),
		cmocka_unit_test(size_is_in_the_header),
		cmocka_unit_test(virt_machine_has_two_gib_less_what_is_kept),
		cmocka_unit_test(cut_trees_are_refused),
		cmocka_unit_test(damaged_trees_are_read_as_libfdt_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
