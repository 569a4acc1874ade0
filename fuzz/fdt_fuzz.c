/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Any bytes as a device tree: the reader stays within them, and wherever
 * libfdt can read the tree, both find the same.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../test/fdt_model.h"

#define CHECK(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__,         \
				      __LINE__, #condition);                   \
			abort();                                               \
		}                                                              \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	enum fh_status status;
	size_t n;
	struct fh_region regions[FDT_MODEL_CAPACITY];

	enum fh_status numa_status;
	size_t range_count;
	struct fh_node_range ranges[FDT_MODEL_CAPACITY];
};

/* Reads a copy of the very size at an odd address. */
static void read_copy(struct result *r, const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	struct fh_table_error error = {SIZE_MAX, NULL};

	CHECK(copy != NULL);
	if (size > 0)
		memcpy(copy + 1, data, size);
	r->n = SIZE_MAX;
	r->range_count = SIZE_MAX;
	r->status = fh_map_read_fdt(copy + 1, size, r->regions,
				    FDT_MODEL_CAPACITY, &r->n, &error);
	if (r->status == FH_OK)
		CHECK(r->n <= FDT_MODEL_CAPACITY && error.why == NULL);
	else
		CHECK(r->n == SIZE_MAX && error.why != NULL &&
		      error.at <= size);
	r->numa_status =
		fh_numa_read_fdt(copy + 1, size, r->ranges, FDT_MODEL_CAPACITY,
				 &r->range_count, &error);
	if (r->status == FH_OK)
		CHECK(r->numa_status == FH_OK &&
		      r->range_count <= FDT_MODEL_CAPACITY);
	free(copy);
}

static void check_like_model(const struct result *r,
			     const struct fdt_model *model)
{
	CHECK(r->status == model->status);
	if (r->status != FH_OK)
		return;
	CHECK(r->n == model->region_count);
	for (size_t i = 0; i < r->n; i++) {
		CHECK(r->regions[i].base == model->regions[i].base);
		CHECK(r->regions[i].size == model->regions[i].size);
		CHECK(r->regions[i].kind == model->regions[i].kind);
	}
	CHECK(r->range_count == model->range_count);
	for (size_t i = 0; i < r->range_count; i++) {
		CHECK(r->ranges[i].first == model->ranges[i].first);
		CHECK(r->ranges[i].count == model->ranges[i].count);
		CHECK(r->ranges[i].node == model->ranges[i].node);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct result result;
	static struct fdt_model model;
	/* malloc: aligned as libfdt asks. */
	void *aligned = malloc(size + 1);

	CHECK(aligned != NULL);
	if (size > 0)
		memcpy(aligned, data, size);
	read_copy(&result, data, size);
	if (fdt_model_read(&model, aligned, size)) {
		/* Of two mistakes, either may be found first. */
		if (!model.is_in_order)
			CHECK(result.status != FH_OK);
		else
			check_like_model(&result, &model);
	}
	free(aligned);
	return 0;
}
