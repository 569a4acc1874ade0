/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Files told apart by what they begin with.
 */
#include <framehold/mapany.h>

#include "fdt_tree.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_are_told_apart_by_their_contents),
		cmocka_unit_test(affinity_is_told_apart_by_its_contents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
