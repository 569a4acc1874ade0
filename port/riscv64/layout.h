/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The upper half: all of it within the last 256 GiB, which Sv39, Sv48 and Sv57
 * have alike. kernel/port.h says what is what. For assembly and the linker too.
 */
#ifndef PORT_RISCV64_LAYOUT_H
#define PORT_RISCV64_LAYOUT_H

#define PORT_NAME        "riscv64"
#define PORT_ELF_MACHINE 243

#define LAYOUT_LINEAR     0xffffffc000000000
#define LAYOUT_SLOTS      0xffffffe000000000
#define LAYOUT_LEDGER     0xffffffe100000000
#define LAYOUT_AREAS      0xffffffe800000000
#define LAYOUT_AREA_PAGES 0x100000
#define LAYOUT_DEVICES    0xffffffec00000000
#define LAYOUT_IMAGE      0xffffffff00000000

/* Where the boot loader puts the image. */
#define LAYOUT_LOAD 0x80200000

/* Pages that the linear map has room for: 128 GiB. */
#define LAYOUT_FRAMES 0x2000000

#endif /* PORT_RISCV64_LAYOUT_H */
