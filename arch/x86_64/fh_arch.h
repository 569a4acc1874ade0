/* SPDX-License-Identifier: MPL-2.0 */
/* The CPU's table format is that of x86-64; src/codec.h says what this is. */
#ifndef FRAMEHOLD_ARCH_H
#define FRAMEHOLD_ARCH_H

#include "fh_x86_64.h"

#define FH_ARCH_NAME              FH_X86_64_NAME
#define FH_ARCH_MIN_LEVELS        FH_X86_64_MIN_LEVELS
#define FH_ARCH_MAX_LEVELS        FH_X86_64_MAX_LEVELS
#define FH_ARCH_HUGE_LEVEL        FH_X86_64_HUGE_LEVEL
#define FH_ARCH_FRAME_END         FH_X86_64_FRAME_END
#define FH_ARCH_SETS_ACCESSED     FH_X86_64_SETS_ACCESSED
#define FH_ARCH_BREAK_BEFORE_MAKE FH_X86_64_BREAK_BEFORE_MAKE
#define FH_ARCH_ASIDS             FH_X86_64_ASIDS
#define FH_ARCH_FEATURES          FH_X86_64_FEATURES

#define fh_arch_can_map fh_x86_64_can_map
#define fh_arch_leaf    fh_x86_64_leaf
#define fh_arch_table   fh_x86_64_table
#define fh_arch_kind    fh_x86_64_kind
#define fh_arch_frame   fh_x86_64_frame
#define fh_arch_prop    fh_x86_64_prop

#endif /* FRAMEHOLD_ARCH_H */
