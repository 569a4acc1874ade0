/* SPDX-License-Identifier: MPL-2.0 */
/* System registers, and those of devices. */
#ifndef PORT_AARCH64_REGISTERS_H
#define PORT_AARCH64_REGISTERS_H

#include <stdint.h>

#include "layout.h"

#define read_register(name)                                                    \
	__extension__({                                                        \
		uint64_t read_value;                                           \
                                                                               \
		__asm__ volatile("mrs %0, " name                               \
				 : "=r"(read_value)::"memory");                \
		read_value;                                                    \
	})

#define write_register(name, value)                                            \
	__asm__ volatile("msr " name ", %0" ::"r"((uint64_t)(value))           \
			 : "memor"                                             \
			   "y")

static inline void instruction_barrier(void)
{
	__asm__ volatile("isb" ::: "memory");
}

static inline volatile uint32_t *device(uint64_t pa)
{
	return (volatile uint32_t *)(LAYOUT_DEVICES + pa);
}

#endif /* PORT_AARCH64_REGISTERS_H */
