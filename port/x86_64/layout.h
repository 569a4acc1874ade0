/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The kernel's address space: kernel/port.h. All of it is canonical with 4 and
 * with 5 levels. Plain numbers: assembly includes this too.
 */
#ifndef PORT_X86_64_LAYOUT_H
#define PORT_X86_64_LAYOUT_H

#define PORT_NAME        "x86-64"
#define PORT_ELF_MACHINE 62

#define LAYOUT_LINEAR     0xffff800000000000
#define LAYOUT_SLOTS      0xffffe00000000000
#define LAYOUT_LEDGER     0xffffe80000000000
#define LAYOUT_AREAS      0xfffff00000000000
#define LAYOUT_AREA_PAGES 0x100000
#define LAYOUT_DEVICES    0xffffffc000000000
#define LAYOUT_IMAGE      0xffffffff80000000
#define LAYOUT_LOAD       0x100000

#endif /* PORT_X86_64_LAYOUT_H */
