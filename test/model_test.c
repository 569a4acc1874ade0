/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Random sequences of every operation against the model. A failure names its
 * seed: FH_SEED=<number> runs that one alone.
 */
#include "harness.h"
#include "operations.h"

#include <stdio.h>
#include <stdlib.h>

/* Bytes of input a run; an operation takes some five. */
#define RUN_BYTES     12288
#define BIG_RUN_BYTES 768

static const uint64_t seeds[] = {1, 2, 3, 5, 8, 1729, 65537, 0xfeedface};

#define SEEDS     (sizeof(seeds) / sizeof(seeds[0]))
#define BIG_SEEDS 3

static struct operations_tally tally;

static void run_seed(const struct model_layout *layout, uint64_t seed)
{
	static uint8_t bytes[RUN_BYTES];
	struct random random = {seed};
	struct operations_result result;
	size_t size = layout->is_big ? BIG_RUN_BYTES : RUN_BYTES;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)random_next(&random);
	operations_run(layout, bytes, size, &tally, &result);
	if (!result.agrees)
		fail_msg("FH_SEED=%llu: %s", (unsigned long long)seed,
			 result.complaint);
}

static void random_operations_match_the_model(void **state)
{
	const char *chosen = getenv("FH_SEED");

	(void)state;
	for (unsigned i = 0; i < MODEL_LAYOUTS; i++) {
		if (chosen != NULL) {
			run_seed(&model_layouts[i], strtoull(chosen, NULL, 0));
			continue;
		}
		for (unsigned j = 0; j < SEEDS; j++)
			if (!model_layouts[i].is_big || j < BIG_SEEDS)
				run_seed(&model_layouts[i], seeds[j]);
	}
}

/* With the fixed seeds: what never happened was not tested. */
static void every_operation_was_done(void **state)
{
	(void)state;
	if (getenv("FH_SEED") != NULL)
		return;
	for (unsigned i = 0; i < operations_count(); i++)
		if (tally.answers[i][FH_OK] == 0)
			fail_msg("%s never succeeded", operations_name(i));
}

/* Every error that an operation can answer came up somewhere. */
static void every_error_was_answered(void **state)
{
	static const enum fh_status statuses[] = {
		FH_E_IN_USE,  FH_E_UNUSED,       FH_E_UNIQUE,
		FH_E_EMPTY,   FH_E_OUT_OF_BOUND, FH_E_NOT_ALIGNED,
		FH_E_INVALID, FH_E_WRONG_TYPE,   FH_E_NO_MEMORY,
		FH_E_TWICE,
	};

	(void)state;
	if (getenv("FH_SEED") != NULL)
		return;
	for (unsigned i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		uint64_t answers = 0;

		for (unsigned j = 0; j < operations_count(); j++)
			answers += tally.answers[j][statuses[i]];
		if (answers == 0)
			fail_msg("nobody answered %s",
				 fh_status_name(statuses[i]));
	}
}

/* The comparison sees each part of a page. */
static void model_notices_what_it_compares(void **state)
{
	static struct model m;

	(void)state;
	for (unsigned part = 0; part < 5; part++) {
		struct fh_frame f;
		uint64_t i;

		assert_true(model_start(&m, &model_layouts[0]));
		OK(fh_frame_alloc(NULL, &model_full_type, NULL, &f));
		i = fh_frame_number(f);
		model_claim(&m, i, &model_full_type, NULL, FH_UNIT_FRAME);
		m.handles = 1;
		model_compare(&m, true);
		assert_false(m.failed);
		if (part == 0)
			fh_frame_to_meta(i)->state++;
		if (part == 1)
			fh_frame_to_meta(i)->type = &model_plain_type;
		if (part == 2)
			fh_frame_to_meta(i)->meta.w[4] = 1;
		if (part == 3)
			*(uint64_t *)fh_host_linear(address_of(i)) = 1;
		if (part == 4)
			m.counts[MODEL_FREE]++;
		model_compare(&m, false);
		assert_true(m.failed);
		model_stop(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations_match_the_model),
		cmocka_unit_test(every_operation_was_done),
		cmocka_unit_test(every_error_was_answered),
		cmocka_unit_test(model_notices_what_it_compares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
