/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Addresses are one-field structs, so that a physical address is never taken
 * for a virtual one or for a page number. Numbers and counts without a type
 * of their own are always 4 KiB pages; bytes occur only in addresses.
 */
#ifndef FRAMEHOLD_ADDR_H
#define FRAMEHOLD_ADDR_H

#include <framehold/compiler.h>
#include <framehold/config.h>

FH_BEGIN_DECLS

/* Seed: PAGE_SIZE. */
#define FH_PAGE_SIZE UINT64_C(4096)

/* One page past the last one that 64 bits of address can name. */
#define FH_PAGE_NUMBER_END (UINT64_C(1) << 52)

/* A handle has room for this many frame numbers. */
#define FH_FRAME_NUMBER_END (UINT64_C(1) << 40)

FH_STATIC_ASSERT(FH_MAX_FRAMES > 0 && FH_MAX_FRAMES <= FH_FRAME_NUMBER_END,
		 "FH_MAX_FRAMES is 1 .. 2^40");

/* A physical address in bytes. Seed: Paddr. */
struct fh_paddr {
	uint64_t bytes;
};

/* A virtual address in bytes. Seed: Vaddr. */
struct fh_vaddr {
	uint64_t bytes;
};

/* The address of that many bytes. Any context. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result.bytes == bytes;
*/
FH_INLINE struct fh_paddr fh_paddr(uint64_t bytes)
{
	struct fh_paddr pa;

	pa.bytes = bytes;
	return pa;
}

/*
 * The first byte of page number `frame`, which must be below
 * FH_PAGE_NUMBER_END. Any context. Seed: meta_to_frame.
 */
/*@
  requires frame < FH_PAGE_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result.bytes == frame * FH_PAGE_SIZE;
  ensures \result.bytes % FH_PAGE_SIZE == 0;
  ensures \result.bytes / FH_PAGE_SIZE == frame;
*/
FH_INLINE struct fh_paddr fh_paddr_of_frame(uint64_t frame)
{
	return fh_paddr(frame * FH_PAGE_SIZE);
}

/*
 * The number of the page that holds the byte at pa, aligned or not. Any
 * context. Seed: frame_to_index.
 */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == pa.bytes / FH_PAGE_SIZE;
  ensures \result < FH_PAGE_NUMBER_END;
*/
FH_INLINE uint64_t fh_frame_of_paddr(struct fh_paddr pa)
{
	return pa.bytes / FH_PAGE_SIZE;
}

/* Whether pa is the first byte of a page. Any context. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result <==> pa.bytes % FH_PAGE_SIZE == 0;
*/
FH_INLINE bool fh_paddr_is_aligned(struct fh_paddr pa)
{
	return pa.bytes % FH_PAGE_SIZE == 0;
}

FH_END_DECLS

#endif /* FRAMEHOLD_ADDR_H */
