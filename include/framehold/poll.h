/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a kernel with page tables calls now and then, so that memory which was
 * taken out of use becomes free. A page-table node that was unhooked is freed
 * when no CPU can still be walking through it: when each CPU that is online has
 * said once that it is in no atomic section (mode.h), the grace period. The
 * one place to say so is the scheduler.
 *
 * With FH_HOST_RCU (config.h) grace periods are those of the kernel; fh_poll()
 * is called all the same, for the work that is left over.
 */
#ifndef FRAMEHOLD_POLL_H
#define FRAMEHOLD_POLL_H

#include <framehold/host.h>

FH_BEGIN_DECLS

/* Entries of dead nodes that one fh_poll() looks at: 512 are one node. */
#define FH_POLL_ENTRIES UINT64_C(512)

/*
 * This CPU is in no atomic section and keeps no reference got in one; then a
 * bounded piece of the work that others left: taking dead nodes apart. Costs
 * two loads when there is nothing to do. To be called at every task switch and
 * in every turn of the idle loop, before the CPU halts: a CPU that does not
 * call it keeps everybody's dead nodes from being freed, until it goes offline.
 *
 * Task switch or thread context, no lock held that an on_drop takes; with
 * preemption and interrupts on or off. Not from an interrupt handler that
 * returns into an atomic section.
 */
void fh_poll(void);

/*
 * Waits until everything that was given up before the call has been freed:
 * polls, and does the others' left-over work too. The other CPUs must poll or
 * be offline. Thread context, no lock held, preemption and interrupts on, not
 * in an atomic section.
 */
void fh_settle(void);

/*
 * Another CPU wants something of this one: what fh_host_kick() makes a CPU
 * call. Gives up free pages that it keeps at hand, and forgets cached
 * translations, as asked. Thread and interrupt context; not an end of atomic
 * sections.
 */
void fh_kicked(void);

FH_END_DECLS

#endif /* FRAMEHOLD_POLL_H */
