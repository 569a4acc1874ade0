/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What libfdt makes of a device tree: the memory map and the affinity ranges
 * by its functions, node by node, to compare mapfdt.h with. Where ours refuses
 * what libfdt lets pass (a property behind a child, a second root), the model
 * looks for it token by token.
 */
#ifndef FRAMEHOLD_TEST_FDT_MODEL_H
#define FRAMEHOLD_TEST_FDT_MODEL_H

#include <libfdt.h>
#include <string.h>

#include <framehold/mapfdt.h>

#define FDT_MODEL_CAPACITY 4096

struct fdt_model {
	enum fh_status status;
	bool is_in_order; /* one root, and properties before children */
	bool has_memory;

	struct fh_region regions[FDT_MODEL_CAPACITY];
	size_t region_count;

	struct fh_node_range ranges[FDT_MODEL_CAPACITY];
	size_t range_count;
};

/* Keeps the first error. */
static inline void fdt_model_fail(struct fdt_model *model,
				  enum fh_status status)
{
	if (model->status == FH_OK)
		model->status = status;
}

static inline void fdt_model_put(struct fdt_model *model, uint64_t base,
				 uint64_t size, enum fh_region_kind kind)
{
	struct fh_region region = {base, size, kind};

	if (model->status != FH_OK)
		return;
	if (size != 0 && base + (size - 1) < base)
		fdt_model_fail(model, FH_E_OVERFLOW);
	else if (model->region_count == FDT_MODEL_CAPACITY)
		fdt_model_fail(model, FH_E_NO_MEMORY);
	else
		model->regions[model->region_count++] = region;
}

static inline void fdt_model_put_memory(struct fdt_model *model, uint64_t base,
					uint64_t size, uint32_t numa)
{
	struct fh_node_range range = {.node = numa};

	fdt_model_put(model, base, size, FH_REGION_USABLE);
	if (model->status != FH_OK || size == 0)
		return;
	model->has_memory = true;
	range.first = base >> 12;
	range.count = ((base + (size - 1)) >> 12) - range.first + 1;
	model->ranges[model->range_count++] = range;
}

static inline uint32_t fdt_model_cells(struct fdt_model *model,
				       const void *tree, int node,
				       const char *name, uint32_t otherwise)
{
	int length;
	const fdt32_t *cells = fdt_getprop(tree, node, name, &length);

	if (cells == NULL)
		return otherwise;
	if (length != 4)
		fdt_model_fail(model, FH_E_INVALID);
	return length == 4 ? fdt32_ld(cells) : 0;
}

static inline bool fdt_model_value_is(const void *tree, int node,
				      const char *name, const char *word)
{
	int length;
	const char *value = fdt_getprop(tree, node, name, &length);

	return value != NULL && (size_t)length > strlen(word) &&
	       memcmp(value, word, strlen(word) + 1) == 0;
}

static inline uint64_t fdt_model_number(const fdt32_t *cells, uint32_t n)
{
	uint64_t first = fdt32_ld(cells);

	return n == 1 ? first : first << 32 | fdt32_ld(cells + 1);
}

static inline void fdt_model_reg(struct fdt_model *model, const void *tree,
				 int node, uint32_t address, uint32_t size,
				 bool is_memory)
{
	int length;
	const fdt32_t *reg;
	uint32_t numa = 0;

	if (is_memory)
		numa = fdt_model_cells(model, tree, node, "numa-node-id", 0);
	reg = fdt_getprop(tree, node, "reg", &length);
	if (reg == NULL || model->status != FH_OK)
		return;
	if (address < 1 || address > 2 || size < 1 || size > 2 ||
	    (uint32_t)length % (4 * (address + size)) != 0) {
		fdt_model_fail(model, FH_E_INVALID);
		return;
	}
	for (int i = 0; i < length / 4; i += (int)(address + size)) {
		uint64_t base = fdt_model_number(reg + i, address);
		uint64_t bytes = fdt_model_number(reg + i + address, size);

		if (is_memory)
			fdt_model_put_memory(model, base, bytes, numa);
		else
			fdt_model_put(model, base, bytes, FH_REGION_RESERVED);
	}
}

static inline bool fdt_model_is_available(const void *tree, int node)
{
	return fdt_getprop(tree, node, "status", NULL) == NULL ||
	       fdt_model_value_is(tree, node, "status", "okay") ||
	       fdt_model_value_is(tree, node, "status", "ok");
}

static inline void fdt_model_reserved_memory(struct fdt_model *model,
					     const void *tree, int parent)
{
	uint32_t address =
		fdt_model_cells(model, tree, parent, "#address-cells", 2);
	uint32_t size = fdt_model_cells(model, tree, parent, "#size-cells", 1);
	int node;

	fdt_for_each_subnode(node, tree, parent)
	{
		if (fdt_model_is_available(tree, node))
			fdt_model_reg(model, tree, node, address, size, false);
	}
}

static inline void fdt_model_nodes(struct fdt_model *model, const void *tree)
{
	uint32_t address = fdt_model_cells(model, tree, 0, "#address-cells", 2);
	uint32_t size = fdt_model_cells(model, tree, 0, "#size-cells", 1);
	int node;

	fdt_for_each_subnode(node, tree, 0)
	{
		const char *name = fdt_get_name(tree, node, NULL);

		if (strcmp(name, "reserved-memory") == 0)
			fdt_model_reserved_memory(model, tree, node);
		else if (fdt_model_is_available(tree, node) &&
			 fdt_model_value_is(tree, node, "device_type",
					    "memory"))
			fdt_model_reg(model, tree, node, address, size, true);
	}
}

static inline void fdt_model_reservations(struct fdt_model *model,
					  const void *tree)
{
	for (int i = 0;; i++) {
		uint64_t base;
		uint64_t size;

		if (fdt_get_mem_rsv(tree, i, &base, &size) != 0) {
			fdt_model_fail(model, FH_E_INVALID);
			return;
		}
		if (base == 0 && size == 0)
			return;
		fdt_model_put(model, base, size, FH_REGION_RESERVED);
	}
}

/*
 * Whether nothing looks like a property longer than INT_MAX: version 1.6 of
 * libfdt takes that for a negative length, and reads on where no token is, or
 * outside of the tree.
 */
static inline bool fdt_model_lengths_are_sane(const void *tree, size_t size)
{
	const char *bytes = tree;
	size_t first = fdt_off_dt_struct(tree);

	for (size_t at = first; at < size && size - at >= 8; at += 4) {
		fdt32_t words[2];

		memcpy(words, bytes + at, sizeof(words));
		if (fdt32_ld(&words[0]) == FDT_PROP &&
		    fdt32_ld(&words[1]) > INT32_MAX)
			return false;
	}
	return true;
}

/* Whether there is one root, and properties come before children. */
static inline bool fdt_model_is_in_order(const void *tree)
{
	bool takes_properties = false;
	bool has_root = false;
	int depth = 0;
	int offset = 0;

	for (;;) {
		int next;
		uint32_t tag = fdt_next_tag(tree, offset, &next);

		if (tag == FDT_END)
			return next > 0 && has_root && depth == 0;
		if (tag == FDT_PROP && !takes_properties)
			return false;
		if (tag == FDT_BEGIN_NODE && depth == 0 && has_root)
			return false;
		if (tag == FDT_BEGIN_NODE) {
			has_root = true;
			takes_properties = true;
			depth++;
		}
		if (tag == FDT_END_NODE) {
			takes_properties = false;
			depth--;
		}
		offset = next;
	}
}

/*
 * Reads a tree, aligned to 8 bytes, into *model; false if libfdt cannot tell:
 * it is broken, or of a version that only libfdt reads.
 */
static inline bool fdt_model_read(struct fdt_model *model, const void *tree,
				  size_t size)
{
	model->status = FH_OK;
	model->has_memory = false;
	model->region_count = 0;
	model->range_count = 0;
	/* First the version: for older ones, libfdt 1.6 reads anywhere. */
	if (size < 40 || fdt_version(tree) < 17 ||
	    fdt_last_comp_version(tree) > 17)
		return false;
	if (!fdt_model_lengths_are_sane(tree, size) ||
	    fdt_check_full(tree, size) != 0)
		return false;
	model->is_in_order = fdt_model_is_in_order(tree);
	if (!model->is_in_order) {
		model->status = FH_E_INVALID;
		return true;
	}
	fdt_model_reservations(model, tree);
	fdt_model_nodes(model, tree);
	if (!model->has_memory)
		fdt_model_fail(model, FH_E_EMPTY);
	return true;
}

#endif /* FRAMEHOLD_TEST_FDT_MODEL_H */
