/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the table formats have in common: pure functions on an entry's bits.
 * Nothing here or in a format's header reads or writes memory, so that every
 * one of them may be called in any context.
 */
#ifndef FRAMEHOLD_ARCH_PTE_H
#define FRAMEHOLD_ARCH_PTE_H

#include <framehold/prop.h>

/*@
  predicate is_prop(integer flags, integer cache) =
    (flags & 0xfffffe00) == 0 && cache < FH_CACHE_KINDS;

  predicate is_none(integer flags) = (flags & 7) == 0;

  predicate reads_if_any(integer flags) =
    (flags & 1) != 0 || is_none(flags);
*/

/* That bit if the property has the flag, else no bit. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == ((prop.flags & flag) != 0 ? bit : 0);
*/
static inline uint64_t fh_pte_put(struct fh_page_prop prop, uint32_t flag,
				  uint64_t bit)
{
	return (prop.flags & flag) != 0 ? bit : 0;
}

/* That flag if the entry has one of the bits, else none. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == ((pte & bits) != 0 ? flag : 0);
*/
static inline uint32_t fh_pte_get(uint64_t pte, uint64_t bits, uint32_t flag)
{
	return (pte & bits) != 0 ? flag : 0;
}

/* Whether the property is one at all, rather than stray bits. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result <==> is_prop(prop.flags, prop.cache);
*/
static inline bool fh_pte_is_prop(struct fh_page_prop prop)
{
	return (prop.flags & ~FH_PAGE_ALL_FLAGS) == 0 &&
	       prop.cache < FH_CACHE_KINDS;
}

/* Whether nothing at all is allowed. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result <==> is_none(prop.flags);
*/
static inline bool fh_pte_is_none(struct fh_page_prop prop)
{
	return (prop.flags & (FH_PAGE_READ | FH_PAGE_WRITE | FH_PAGE_EXEC)) ==
	       0;
}

/* Whether what is allowed is nothing, or reading and perhaps more. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result <==> reads_if_any(prop.flags);
*/
static inline bool fh_pte_reads_if_any(struct fh_page_prop prop)
{
	return (prop.flags & FH_PAGE_READ) != 0 || fh_pte_is_none(prop);
}

/* The first frame of the unit of that level that frame lies in. */
/*@
  requires is_level(level);
  assigns \nothing;
  exits \false;
  ensures \result == frame - frame % span(level);
*/
static inline uint64_t fh_pte_align(uint64_t frame, unsigned level)
{
	return frame - frame % fh_level_pages(level);
}

#endif /* FRAMEHOLD_ARCH_PTE_H */
