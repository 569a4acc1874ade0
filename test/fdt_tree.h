/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Device trees for tests: made by libfdt with few words, read by us in both
 * ways, and compared with what libfdt reads.
 */
#ifndef FRAMEHOLD_TEST_FDT_TREE_H
#define FRAMEHOLD_TEST_FDT_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

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
static inline void read_tree(struct result *r, const void *tree, size_t size,
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

static inline void assert_region(const struct result *r, size_t i,
				 uint64_t base, uint64_t size,
				 enum fh_region_kind kind)
{
	assert_int_equal(r->status, FH_OK);
	assert_true(i < r->n);
	assert_int_equal(r->regions[i].base, base);
	assert_int_equal(r->regions[i].size, size);
	assert_int_equal(r->regions[i].kind, kind);
}

static inline void assert_range(const struct result *r, size_t i, uint32_t node,
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
static inline void assert_like_libfdt(const void *tree, size_t size)
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

static inline void check(int libfdt_result)
{
	if (libfdt_result < 0)
		fail_msg("libfdt: %s", fdt_strerror(libfdt_result));
}

static inline void tree_open(struct tree *tree)
{
	memset(tree, 0xa5, sizeof(*tree));
	check(fdt_create(tree->room, sizeof(tree->room)));
}

static inline void tree_reserve(struct tree *tree, uint64_t base, uint64_t size)
{
	check(fdt_add_reservemap_entry(tree->room, base, size));
}

static inline void begin(struct tree *tree, const char *name)
{
	check(fdt_begin_node(tree->room, name));
}

static inline void end(struct tree *tree)
{
	check(fdt_end_node(tree->room));
}

static inline void cells(struct tree *tree, uint32_t address, uint32_t size)
{
	check(fdt_property_u32(tree->room, "#address-cells", address));
	check(fdt_property_u32(tree->room, "#size-cells", size));
}

static inline void string(struct tree *tree, const char *name,
			  const char *value)
{
	check(fdt_property(tree->room, name, value, (int)strlen(value) + 1));
}

static inline void reg64(struct tree *tree, const uint64_t *numbers, size_t n)
{
	fdt64_t value[16];

	assert_true(n <= LENGTH(value));
	for (size_t i = 0; i < n; i++)
		fdt64_st(&value[i], numbers[i]);
	check(fdt_property(tree->room, "reg", value, (int)(8 * n)));
}

static inline void reg32(struct tree *tree, const uint32_t *numbers, size_t n)
{
	fdt32_t value[16];

	assert_true(n <= LENGTH(value));
	for (size_t i = 0; i < n; i++)
		fdt32_st(&value[i], numbers[i]);
	check(fdt_property(tree->room, "reg", value, (int)(4 * n)));
}

static inline void memory(struct tree *tree, const char *name, uint64_t base,
			  uint64_t size)
{
	uint64_t reg[] = {base, size};

	begin(tree, name);
	string(tree, "device_type", "memory");
	reg64(tree, reg, 2);
	end(tree);
}

static inline size_t tree_close(struct tree *tree)
{
	check(fdt_finish(tree->room));
	return fdt_totalsize(tree->room);
}

/* Ends the tree, reads it, and asks libfdt as well. */
static inline void finish_and_read(struct tree *tree, struct result *r)
{
	size_t size = tree_close(tree);

	assert_like_libfdt(tree->room, size);
	read_tree(r, tree->room, size, CAPACITY);
}

/* Begins a tree with 64-bit addresses and sizes. */
static inline void begin_wide(struct tree *tree)
{
	tree_open(tree);
	check(fdt_finish_reservemap(tree->room));
	begin(tree, "");
	cells(tree, 2, 2);
}

/* A tree of everything; returns its size. */
static inline size_t make_full_tree(struct tree *tree)
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

#endif /* FRAMEHOLD_TEST_FDT_TREE_H */
