/* SPDX-License-Identifier: MPL-2.0 */
/* What the port's files give each other. */
#ifndef PORT_X86_64_INSIDE_H
#define PORT_X86_64_INSIDE_H

#include "port.h"
#include "x86.h"

/* boot.S calls these, on the stack of the CPU. */
FH_NORETURN void port_begin(uint32_t magic, uint32_t handover);
FH_NORETURN void port_other_begin(unsigned cpu);

/* For boot.S: the CPU that is being started, and what others say before. */
extern uint32_t cpu_called;
extern uint32_t cpus_found;
extern uint32_t cpus_known; /* of these, that will not look again */
extern uint32_t cpu_apic_ids[FH_MAX_CPUS];

/* How many CPUs there are; of those, the kernel uses FH_MAX_CPUS at most. */
unsigned count_cpus(void);

/* What the boot loader left: its magic number, and where its structure is. */
void handover_is(uint32_t magic, uint32_t at);

/* Descriptors, vectors and control registers of this CPU, from the start. */
void cpu_begin(unsigned cpu);

/* Where the CPU finds the stack that traps of programs begin on. */
uint64_t *cpu_trap_stack(void);

/* The local controller's interrupt that is being handled has come. */
void cpu_interrupt_has_come(void);

/* Makes this CPU use the one table of vectors, which is made if it is not. */
void vectors_load(void);

#endif /* PORT_X86_64_INSIDE_H */
