/* SPDX-License-Identifier: MPL-2.0 */
/* The CPU's table format is that of AArch64; src/codec.h says what this is. */
#ifndef FRAMEHOLD_ARCH_H
#define FRAMEHOLD_ARCH_H

#include "fh_aarch64.h"

#define FH_ARCH_NAME              FH_AARCH64_NAME
#define FH_ARCH_MIN_LEVELS        FH_AARCH64_MIN_LEVELS
#define FH_ARCH_MAX_LEVELS        FH_AARCH64_MAX_LEVELS
#define FH_ARCH_HUGE_LEVEL        FH_AARCH64_HUGE_LEVEL
#define FH_ARCH_FRAME_END         FH_AARCH64_FRAME_END
#define FH_ARCH_SETS_ACCESSED     FH_AARCH64_SETS_ACCESSED
#define FH_ARCH_BREAK_BEFORE_MAKE FH_AARCH64_BREAK_BEFORE_MAKE
#define FH_ARCH_ASIDS             FH_AARCH64_ASIDS
#define FH_ARCH_FEATURES          FH_AARCH64_FEATURES

#define fh_arch_can_map fh_aarch64_can_map
#define fh_arch_leaf    fh_aarch64_leaf
#define fh_arch_table   fh_aarch64_table
#define fh_arch_kind    fh_aarch64_kind
#define fh_arch_frame   fh_aarch64_frame
#define fh_arch_prop    fh_aarch64_prop

#endif /* FRAMEHOLD_ARCH_H */
