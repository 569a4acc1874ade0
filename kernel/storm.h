/* SPDX-License-Identifier: MPL-2.0 */
/*
 * All CPUs at frames and tables at once: pages taken and given back, mapped and
 * unmapped in one space that everybody runs on, each in a lane of its own that
 * the others read meanwhile.
 */
#ifndef KERNEL_STORM_H
#define KERNEL_STORM_H

#include <stdint.h>

/* n operations a CPU; how many went wrong. A line says what was done. */
uint64_t storm_run(uint64_t n);

#endif /* KERNEL_STORM_H */
