/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Device trees: made by libfdt and read by us, made by hand where libfdt would
 * not, damaged in every byte, and compared with what libfdt reads; and files
 * told apart by what they begin with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <framehold/mapany.h>

#include "fdt_model.h"

#define CAPACITY  512
#define UNTOUCHED ((size_t)4321)
#define ROOM      8192

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

struct result {
	enum fh_status status;
	size_t n;
	struct fh_region regions[CAPACITY];
	struct fh_table_error error;

	enum fh_status numa_status;
	size_t range_count;
	struct fh_node_range ranges[CAPACITY];
};

/* Reads a copy of the very size, at an odd address, in both ways. */
static void read_tree(struct result *r, const void *tree, size_t size,
		      size_t capacity)
{
	uint8_t *copy = malloc(size + 1);
	struct fh_table_error error = {UNTOUCHED, NULL};

	assert_non_null(copy);
	memcpy(copy + 1, tree, size);
	r->error = error;
	r->n = UNTOUCHED;
	r->range_count = UNTOUCHED;
	r->status = fh_map_read_fdt(copy + 1, size, r->regions, capacity, &r->n,
				    &r->error);
	r->numa_status = fh_numa_read_fdt(copy + 1, size, r->ranges, capacity,
					  &r->range_count, &error);
	free(copy);
	if (r->status == FH_OK) {
		assert_int_equal(r->error.at, UNTOUCHED);
		assert_null(r->error.why);
	} else {
		assert_int_equal(r->n, UNTOUCHED);
		assert_non_null(r->error.why);
		assert_true(r->error.at <= size);
	}
	if (r->numa_status != FH_OK)
		assert_int_equal(r->range_count, UNTOUCHED);
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

static void assert_range(const struct result *r, size_t i, uint32_t node,
			 uint64_t first, uint64_t end)
{
	assert_int_equal(r->numa_status, FH_OK);
	assert_true(i < r->range_count);
	assert_int_equal(r->ranges[i].node, node);
	assert_int_equal(r->ranges[i].first, first);
	assert_int_equal(r->ranges[i].count, end - first);
	assert_false(r->ranges[i].hot_plug);
}

/* Ours and libfdt's must agree wherever libfdt has an opinion. */
static void assert_like_libfdt(const void *tree, size_t size)
{
	static struct fdt_model model;
	static struct result r;
	uint64_t aligned[ROOM / 8];

	assert_true(size <= sizeof(aligned));
	memcpy(aligned, tree, size);
	read_tree(&r, tree, size, CAPACITY);
	if (!fdt_model_read(&model, aligned, size))
		return;
	assert_int_equal(r.status, model.status);
	if (r.status != FH_OK)
		return;
	assert_int_equal(r.n, model.region_count);
	for (size_t i = 0; i < r.n; i++)
		assert_region(&r, i, model.regions[i].base,
			      model.regions[i].size, model.regions[i].kind);
	assert_int_equal(r.range_count, model.range_count);
	for (size_t i = 0; i < r.range_count; i++)
		assert_range(&r, i, model.ranges[i].node, model.ranges[i].first,
			     model.ranges[i].first + model.ranges[i].count);
}

/* Trees made by libfdt */

struct tree {
	uint64_t room[ROOM / 8];
};

static void check(int libfdt_result)
{
	if (libfdt_result < 0)
		fail_msg("libfdt: %s", fdt_strerror(libfdt_result));
}

static void tree_open(struct tree *tree)
{
	memset(tree, 0xa5, sizeof(*tree));
	check(fdt_create(tree->room, sizeof(tree->room)));
}

static void tree_reserve(struct tree *tree, uint64_t base, uint64_t size)
{
	check(fdt_add_reservemap_entry(tree->room, base, size));
}

static void begin(struct tree *tree, const char *name)
{
	check(fdt_begin_node(tree->room, name));
}

static void end(struct tree *tree)
{
	check(fdt_end_node(tree->room));
}

static void cells(struct tree *tree, uint32_t address, uint32_t size)
{
	check(fdt_property_u32(tree->room, "#address-cells", address));
	check(fdt_property_u32(tree->room, "#size-cells", size));
}

static void string(struct tree *tree, const char *name, const char *value)
{
	check(fdt_property(tree->room, name, value, (int)strlen(value) + 1));
}

static void reg64(struct tree *tree, const uint64_t *numbers, size_t n)
{
	fdt64_t value[16];

	assert_true(n <= LENGTH(value));
	for (size_t i = 0; i < n; i++)
		fdt64_st(&value[i], numbers[i]);
	check(fdt_property(tree->room, "reg", value, (int)(8 * n)));
}

static void reg32(struct tree *tree, const uint32_t *numbers, size_t n)
{
	fdt32_t value[16];

	assert_true(n <= LENGTH(value));
	for (size_t i = 0; i < n; i++)
		fdt32_st(&value[i], numbers[i]);
	check(fdt_property(tree->room, "reg", value, (int)(4 * n)));
}

static void memory(struct tree *tree, const char *name, uint64_t base,
		   uint64_t size)
{
	uint64_t reg[] = {base, size};

	begin(tree, name);
	string(tree, "device_type", "memory");
	reg64(tree, reg, 2);
	end(tree);
}

static size_t tree_close(struct tree *tree)
{
	check(fdt_finish(tree->room));
	return fdt_totalsize(tree->room);
}

/* Ends the tree, reads it, and asks libfdt as well. */
static void finish_and_read(struct tree *tree, struct result *r)
{
	size_t size = tree_close(tree);

	assert_like_libfdt(tree->room, size);
	read_tree(r, tree->room, size, CAPACITY);
}

/* Begins a tree with 64-bit addresses and sizes. */
static void begin_wide(struct tree *tree)
{
	tree_open(tree);
	check(fdt_finish_reservemap(tree->room));
	begin(tree, "");
	cells(tree, 2, 2);
}

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

/* Trees made by hand: token by token */

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

/* A tree of everything, cut anywhere, and with any byte changed. */
static size_t make_full_tree(struct tree *tree)
{
	const uint64_t reg[] = {0x80000000, 0x80000};

	tree_open(tree);
	tree_reserve(tree, 0x90000000, 0x1000);
	check(fdt_finish_reservemap(tree->room));
	begin(tree, "");
	cells(tree, 2, 2);
	string(tree, "model", "made up");
	begin(tree, "memory@80000000");
	check(fdt_property_u32(tree->room, "numa-node-id", 1));
	string(tree, "device_type", "memory");
	reg64(tree, reg, 2);
	end(tree);
	begin(tree, "reserved-memory");
	cells(tree, 2, 2);
	begin(tree, "a");
	string(tree, "status", "okay");
	reg64(tree, reg, 2);
	end(tree);
	end(tree);
	end(tree);
	return tree_close(tree);
}

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

/* The size in a header, and what a file is. */

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

static enum fh_status read_any(const void *data, size_t size,
			       struct fh_region *regions, size_t *n,
			       struct fh_any_error *error)
{
	char *copy = malloc(size > 0 ? size : 1);
	enum fh_status status;

	assert_non_null(copy);
	memcpy(copy, data, size);
	error->at = UNTOUCHED;
	status = fh_map_read_any(copy, size, regions, CAPACITY, n, error);
	free(copy);
	return status;
}

static void maps_are_told_apart_by_their_contents(void **state)
{
	struct fh_region regions[CAPACITY];
	struct fh_any_error error;
	struct tree tree;
	size_t size = make_full_tree(&tree);
	size_t n = 0;

	(void)state;
	assert_int_equal(read_any(tree.room, size, regions, &n, &error), FH_OK);
	assert_int_equal(n, 3);
	assert_int_equal(error.at, UNTOUCHED);
	assert_int_equal(read_any("0 fff 1\n", 8, regions, &n, &error), FH_OK);
	assert_int_equal(n, 1);
	assert_int_equal(error.at, UNTOUCHED);
	assert_int_equal(
		read_any("0-fff : Reserved\n", 17, regions, &n, &error), FH_OK);

	assert_int_equal(read_any(tree.room, size - 1, regions, &n, &error),
			 FH_E_INVALID);
	assert_false(error.is_text);
	assert_int_equal(error.at, 4);
	assert_non_null(error.why);
	assert_int_equal(read_any("\nx", 2, regions, &n, &error), FH_E_INVALID);
	assert_true(error.is_text);
	assert_int_equal(error.at, 2);
	assert_int_equal(read_any("", 0, regions, &n, &error), FH_E_EMPTY);
	assert_true(error.is_text);
	/* Too short for a tree's header. */
	assert_int_equal(read_any(tree.room, 7, regions, &n, &error),
			 FH_E_INVALID);
	assert_true(error.is_text);
	assert_int_equal(n, 1);
}

static void affinity_is_told_apart_by_its_contents(void **state)
{
	struct fh_node_range ranges[4];
	struct fh_any_error error;
	struct tree tree;
	size_t size = make_full_tree(&tree);
	uint8_t srat[88] = "SRAT";
	size_t n = 0;

	(void)state;
	srat[4] = 88;
	srat[48] = 1;
	srat[49] = 40;
	srat[50] = 5;
	srat[48 + 17] = 0x10;
	srat[48 + 28] = 1;
	for (size_t i = 0; i < sizeof(srat); i++) {
		if (i != 9)
			srat[9] = (uint8_t)(srat[9] - srat[i]);
	}

	assert_int_equal(
		fh_numa_read_any(tree.room, size, ranges, 4, &n, &error),
		FH_OK);
	assert_int_equal(n, 1);
	assert_int_equal(ranges[0].node, 1);
	assert_int_equal(fh_numa_read_any(srat, 88, ranges, 4, &n, &error),
			 FH_OK);
	assert_int_equal(n, 1);
	assert_int_equal(ranges[0].node, 5);
	assert_int_equal(ranges[0].count, 1);
	assert_int_equal(fh_numa_read_any("3 0 1fff", 8, ranges, 4, &n, &error),
			 FH_OK);
	assert_int_equal(ranges[0].node, 3);
	assert_int_equal(ranges[0].count, 2);

	assert_int_equal(fh_numa_read_any(srat, 87, ranges, 4, &n, &error),
			 FH_E_INVALID);
	assert_false(error.is_text);
	assert_int_equal(fh_numa_read_any(srat, 3, ranges, 4, &n, &error),
			 FH_E_INVALID);
	assert_true(error.is_text);
	assert_int_equal(error.at, 1);
	assert_int_equal(fh_numa_read_any(tree.room, 50, ranges, 4, &n, &error),
			 FH_E_INVALID);
	assert_false(error.is_text);
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
		cmocka_unit_test(cut_trees_are_refused),
		cmocka_unit_test(damaged_trees_are_read_as_libfdt_does),
		cmocka_unit_test(size_is_in_the_header),
		cmocka_unit_test(virt_machine_has_two_gib_less_what_is_kept),
		cmocka_unit_test(maps_are_told_apart_by_their_contents),
		cmocka_unit_test(affinity_is_told_apart_by_its_contents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
