/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Fuzzes the frame layer: the input's first byte chooses a machine, the others
 * are operations, compared with the model after each one. Whatever differs,
 * or stops the machine, ends the process with the reason. tools/fuzz.py builds
 * and runs it.
 */
#include "operations.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The machine with many pages is slow: one input in 256, and a short one. */
#define BIG_INPUT 256

static const struct model_layout *choose_layout(uint8_t byte)
{
	if (byte == 255)
		return &model_layouts[MODEL_LAYOUTS - 1];
	return &model_layouts[byte % (MODEL_LAYOUTS - 1)];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct operations_result result;

	if (size == 0)
		return 0;
	const struct model_layout *layout = choose_layout(data[0]);
	if (layout->is_big && size > BIG_INPUT)
		size = BIG_INPUT;
	operations_run(layout, data + 1, size - 1, NULL, &result);
	if (!result.agrees) {
		fprintf(stderr, "%s\n", result.complaint);
		abort();
	}
	return 0;
}
