/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Fuzzes address spaces and cursors: the input's first byte chooses how much
 * memory there is, the others are operations on spaces, compared with the model
 * of test/space_model.c after each one. Everything is audited every so often
 * and at the end, and comes back. tools/fuzz.py builds and runs it.
 */
#include "space_model.h"

#include <stdio.h>
#include <stdlib.h>

#include "hosted.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define AUDIT_EVERY 64 /* steps */
#define LEAST       (UINT64_C(1) << 21)
#define MOST_STEPS  600

static uint64_t count_free(void)
{
	struct fh_alloc_stats stats;

	fh_alloc_stats(&stats);
	return stats.free;
}

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

/* Half of the machines are so small that memory runs out. */
static void start(uint8_t byte)
{
	struct fh_region ram = {.kind = FH_REGION_USABLE};

	ram.size = byte % 2 == 0 ? UINT64_C(24) << 20
				 : LEAST + ((uint64_t)byte / 2 << 16);
	require(hosted_start(&ram, 1, NULL) == FH_OK, hosted_why());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model_source source = {.pick = model_pick_bytes};
	struct model_walker walker;

	if (size == 0)
		return 0;
	start(data[0]);
	uint64_t free = count_free();

	source.data = data + 1;
	source.left = size - 1;
	model_spaces_open();
	model_walker_open(&walker, 0, &source, false);
	for (unsigned i = 0; source.left > 0 && i < MOST_STEPS; i++) {
		model_step(&walker);
		if (i % AUDIT_EVERY == AUDIT_EVERY - 1)
			model_spaces_check();
	}
	model_spaces_check();
	model_spaces_close();
	require(count_free() == free, "pages are lost");
	require(!FH_CHECKED || fh_ledger_is_clean(), "handles are left");
	hosted_stop();
	return 0;
}
