/* SPDX-License-Identifier: MPL-2.0 */
/* How far the workload has come, on stderr. */
#ifndef DEMO_PROGRESS_H
#define DEMO_PROGRESS_H

#include <stdint.h>

/*
 * On a terminal redraws a bar in place; elsewhere prints a line for each
 * quarter. fraction is 0 .. 1, and 1 ends it.
 */
void progress_show(double fraction, uint64_t operations);

#endif /* DEMO_PROGRESS_H */
