/* SPDX-License-Identifier: MPL-2.0 */
/* What operations cost on this machine, by its own counter; how deep stacks go. */
#ifndef KERNEL_MEASURE_H
#define KERNEL_MEASURE_H

/* One CPU, while the others idle. A line for each operation. */
void measure_operations(void);

/* Marks what of the stacks has not been used yet; and says how much has. */
void measure_mark_stacks(void);
void measure_stacks(void);

#endif /* KERNEL_MEASURE_H */
