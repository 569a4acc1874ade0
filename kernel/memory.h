/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Bring-up of memory, from the firmware's map to frames; what comes of each
 * step is said on the console.
 */
#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

#include "port.h"

/*
 * Normalises what the boot loader handed over, with the map in its module in
 * place of the firmware's if the command line says "replay", and brings frames
 * up on it. False: a line said why.
 */
bool memory_bring_up(struct boot_info *boot);

/* The normalised map. */
const struct fh_memory_map *memory_map(void);

#endif /* KERNEL_MEMORY_H */
