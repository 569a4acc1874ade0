/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The same with the whole library in the same unit, so that the compiler may
 * inline what separate objects have to call.
 */
#define _GNU_SOURCE
#define BENCH_BUILD "one file"

#include "../src/framehold.c"
#include "alloc_work.c"
#include "alloc_bench.c"
