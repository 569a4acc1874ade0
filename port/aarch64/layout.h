/* SPDX-License-Identifier: MPL-2.0 */
/* Where the kernel's address space has what: kernel/port.h. 48 bits. */
#ifndef PORT_AARCH64_LAYOUT_H
#define PORT_AARCH64_LAYOUT_H

#define PORT_NAME        "aarch64"
#define PORT_ELF_MACHINE 183

#define LAYOUT_LINEAR     0xffff800000000000
#define LAYOUT_SLOTS      0xffffe00000000000
#define LAYOUT_LEDGER     0xffffe80000000000
#define LAYOUT_AREAS      0xfffff00000000000
#define LAYOUT_AREA_PAGES 0x100000
#define LAYOUT_DEVICES    0xfffff80000000000
#define LAYOUT_IMAGE      0xffffffff40000000 /* kernel.ld has both */
#define LAYOUT_LOAD       0x40200000

#endif /* PORT_AARCH64_LAYOUT_H */
