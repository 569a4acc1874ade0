/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The same with the whole library in the same unit, so that the compiler may
 * inline what separate objects have to call.
 */
#define BENCH_BUILD "one file"

#include "../src/framehold.c"
#include "frame_work.c"
#include "frame_bench.c"
