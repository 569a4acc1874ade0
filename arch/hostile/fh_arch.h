/* SPDX-License-Identifier: MPL-2.0 */
/* The CPU's table format is the hostile one; src/codec.h says what this is. */
#ifndef FRAMEHOLD_ARCH_H
#define FRAMEHOLD_ARCH_H

#include "fh_hostile.h"

#define FH_ARCH_NAME              FH_HOSTILE_NAME
#define FH_ARCH_MIN_LEVELS        FH_HOSTILE_MIN_LEVELS
#define FH_ARCH_MAX_LEVELS        FH_HOSTILE_MAX_LEVELS
#define FH_ARCH_HUGE_LEVEL        FH_HOSTILE_HUGE_LEVEL
#define FH_ARCH_FRAME_END         FH_HOSTILE_FRAME_END
#define FH_ARCH_SETS_ACCESSED     FH_HOSTILE_SETS_ACCESSED
#define FH_ARCH_BREAK_BEFORE_MAKE FH_HOSTILE_BREAK_BEFORE_MAKE
#define FH_ARCH_ASIDS             FH_HOSTILE_ASIDS
#define FH_ARCH_FEATURES          FH_HOSTILE_FEATURES

#define fh_arch_can_map fh_hostile_can_map
#define fh_arch_leaf    fh_hostile_leaf
#define fh_arch_table   fh_hostile_table
#define fh_arch_kind    fh_hostile_kind
#define fh_arch_frame   fh_hostile_frame
#define fh_arch_prop    fh_hostile_prop

#endif /* FRAMEHOLD_ARCH_H */
