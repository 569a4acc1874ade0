/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The configuration that is proved: unchecked, with the slots as one array of
 * fixed size. What stands in for the compiler's builtins is listed in
 * TRUSTED.md.
 */
#ifndef FRAMEHOLD_PROOF_CONFIG_H
#define FRAMEHOLD_PROOF_CONFIG_H

#define FH_CHECKED 0

/* 4 GiB, 32 sections; frame_end is any number up to it. */
#define FH_MAX_FRAMES UINT64_C(0x100000)
#define FH_SLOTS      fh_proof_slots

#define __builtin_expect(condition, expected) (condition)
#define __builtin_return_address(level)       0
#define __builtin_prefetch(address, write)    ((void)0)

#endif /* FRAMEHOLD_PROOF_CONFIG_H */
