/* SPDX-License-Identifier: MPL-2.0 */
/* The CPU's table format is that of LoongArch64; src/codec.h says what this is. */
#ifndef FRAMEHOLD_ARCH_H
#define FRAMEHOLD_ARCH_H

#include "fh_loongarch64.h"

#define FH_ARCH_NAME              FH_LOONGARCH64_NAME
#define FH_ARCH_MIN_LEVELS        FH_LOONGARCH64_MIN_LEVELS
#define FH_ARCH_MAX_LEVELS        FH_LOONGARCH64_MAX_LEVELS
#define FH_ARCH_HUGE_LEVEL        FH_LOONGARCH64_HUGE_LEVEL
#define FH_ARCH_FRAME_END         FH_LOONGARCH64_FRAME_END
#define FH_ARCH_SETS_ACCESSED     FH_LOONGARCH64_SETS_ACCESSED
#define FH_ARCH_BREAK_BEFORE_MAKE FH_LOONGARCH64_BREAK_BEFORE_MAKE
#define FH_ARCH_ASIDS             FH_LOONGARCH64_ASIDS
#define FH_ARCH_FEATURES          FH_LOONGARCH64_FEATURES

#define fh_arch_can_map fh_loongarch64_can_map
#define fh_arch_leaf    fh_loongarch64_leaf
#define fh_arch_table   fh_loongarch64_table
#define fh_arch_kind    fh_loongarch64_kind
#define fh_arch_frame   fh_loongarch64_frame
#define fh_arch_prop    fh_loongarch64_prop

#endif /* FRAMEHOLD_ARCH_H */
