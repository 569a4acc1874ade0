/* SPDX-License-Identifier: MPL-2.0 */
/* The CPU's table format is that of RISC-V; src/codec.h says what this is. */
#ifndef FRAMEHOLD_ARCH_H
#define FRAMEHOLD_ARCH_H

#include "fh_riscv64.h"

#define FH_ARCH_NAME              FH_RISCV64_NAME
#define FH_ARCH_MIN_LEVELS        FH_RISCV64_MIN_LEVELS
#define FH_ARCH_MAX_LEVELS        FH_RISCV64_MAX_LEVELS
#define FH_ARCH_HUGE_LEVEL        FH_RISCV64_HUGE_LEVEL
#define FH_ARCH_FRAME_END         FH_RISCV64_FRAME_END
#define FH_ARCH_SETS_ACCESSED     FH_RISCV64_SETS_ACCESSED
#define FH_ARCH_BREAK_BEFORE_MAKE FH_RISCV64_BREAK_BEFORE_MAKE
#define FH_ARCH_ASIDS             FH_RISCV64_ASIDS
#define FH_ARCH_FEATURES          FH_RISCV64_FEATURES

#define fh_arch_can_map fh_riscv64_can_map
#define fh_arch_leaf    fh_riscv64_leaf
#define fh_arch_table   fh_riscv64_table
#define fh_arch_kind    fh_riscv64_kind
#define fh_arch_frame   fh_riscv64_frame
#define fh_arch_prop    fh_riscv64_prop

#endif /* FRAMEHOLD_ARCH_H */
