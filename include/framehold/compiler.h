/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What we ask of the compiler: GCC >= 12 or clang >= 14, 64-bit, C11 (public
 * headers also C++17). Everything here is an attribute or a spelling; no
 * behaviour hides in this file.
 */
#ifndef FRAMEHOLD_COMPILER_H
#define FRAMEHOLD_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define FH_BEGIN_DECLS                    extern "C" {
#define FH_END_DECLS                      }
#define FH_STATIC_ASSERT(condition, text) static_assert(condition, text)
#define FH_ALIGNOF(type)                  alignof(type)
#define FH_NORETURN                       [[noreturn]]
#else
#define FH_BEGIN_DECLS
#define FH_END_DECLS
#define FH_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#define FH_ALIGNOF(type)                  _Alignof(type)
#define FH_NORETURN                       _Noreturn
#endif

/* The result carries ownership or the reason of a failure: look at it. */
#define FH_NODISCARD __attribute__((warn_unused_result))

/*
 * C99 inline: the definition stands in the header, and the .c file of the same
 * name holds one external definition for callers that cannot inline. Inlined
 * even in debug builds, so that the ledger records the caller's address.
 */
#define FH_INLINE inline __attribute__((always_inline))

/* A function that a macro makes for those who want it. */
#define FH_MAYBE_UNUSED __attribute__((unused))

/* Failure paths, kept out of the callers' cache lines. */
#define FH_COLD __attribute__((cold, noinline))

/* The rest of a function whose hot part needs no frame of its own. */
#define FH_NOINLINE __attribute__((noinline))

#define FH_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* Objects of this type may share bytes with objects of any other. */
#define FH_MAY_ALIAS __attribute__((may_alias))

#endif /* FRAMEHOLD_COMPILER_H */
