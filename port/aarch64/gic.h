/* SPDX-License-Identifier: MPL-2.0 */
/* Kicks, by the interrupt controller's software interrupts. */
#ifndef PORT_AARCH64_GIC_H
#define PORT_AARCH64_GIC_H

struct kernel_frame;

/* This CPU can be kicked from then on. Interrupts are off. */
void gic_cpu_setup(unsigned cpu);

/* An interrupt of this CPU: answers it. The frame is not looked at. */
void gic_interrupt(struct kernel_frame *frame);

#endif /* PORT_AARCH64_GIC_H */
