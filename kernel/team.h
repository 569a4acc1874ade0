/* SPDX-License-Identifier: MPL-2.0 */
/*
 * All CPUs, working on one thing: the first one says what, the others wait in
 * team_join() for it and poll meanwhile, as an idle loop does.
 */
#ifndef KERNEL_TEAM_H
#define KERNEL_TEAM_H

#include <framehold/compiler.h>

/* How many CPUs have come up: of these, the numbers 0 .. n - 1. */
unsigned team_size(void);

/*
 * Starts the others, one after the other, up to `cpus` in all. False, and a
 * line says why: one did not come. The first CPU.
 */
bool team_start(unsigned cpus);

/* A CPU has come up, and waits for work for ever. */
FH_NORETURN void team_join(unsigned cpu);

/* Runs body on all CPUs; returns when all have returned. The first CPU. */
void team_run(void (*body)(unsigned cpu));

/* Waits, in a body, until all CPUs have come this far. */
void team_meet(unsigned cpu);

/* All others stop for good. The first CPU. */
void team_end(void);

#endif /* KERNEL_TEAM_H */
