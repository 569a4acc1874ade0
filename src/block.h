/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Blocks: the allocator's record of 512 neighbouring pages, 2 MiB. One is in
 * one of three conditions, told apart by its order:
 *
 *   order 0       nothing free in it, or inside of a longer run of free
 *                 blocks, at whose head that is written; all bits 0
 *   order 1 .. 9  1 .. 511 pages are free, those whose bits are 1; the largest
 *                 run of free pages in it is 2^(order - 1) pages
 *   order 10 ..19 the head of a run of 2^(order - 10) free blocks, 2 MiB to
 *                 1 GiB; all bits 0
 *
 * so that whole blocks change hands without a look at their bits. Who owns
 * the block's zone's lock owns the block.
 */
#ifndef FRAMEHOLD_SRC_BLOCK_H
#define FRAMEHOLD_SRC_BLOCK_H

#include <framehold/compiler.h>

#include "bits.h"

#define FH_BLOCK_PAGES UINT64_C(512)

/* The order of a block whose pages are all free: that of a run of one. */
#define FH_ORDER_BLOCK 10U
/* The order of the largest run, 1 GiB. */
#define FH_ORDER_LAST 19U
#define FH_ORDERS     20U

struct fh_block {
	uint64_t bits[FH_BLOCK_WORDS];
	/* Neighbours in the chain of its order: indexes in the zone. */
	uint32_t previous;
	uint32_t next;
	uint16_t free; /* ones in bits */
	uint8_t order;
	uint8_t word_order[FH_BLOCK_WORDS]; /* fh_word_order() of each word */
};

FH_STATIC_ASSERT(sizeof(struct fh_block) <= 96,
		 "a block costs less than 0.19 byte a page");

/* ---- Bits of any bitmap: 64 to a word, counted from its first word ---- */

/* n may be 0 in all of these. */
void fh_bits_set(uint64_t *words, uint64_t first, uint64_t n);
void fh_bits_clear(uint64_t *words, uint64_t first, uint64_t n);
/* How many of the n bits from first on are 0 before the first that is 1. */
uint64_t fh_bits_zeros(const uint64_t *words, uint64_t first, uint64_t n);

static inline bool fh_bits_test(const uint64_t *words, uint64_t bit)
{
	return (words[bit / FH_WORD_BITS] >> (bit % FH_WORD_BITS)) % 2 == 1;
}

/* ---- The bits of a block, counts and word orders with them ---- */

/* All pages free. Does not touch block->order, nor do the next three. */
void fh_block_fill(struct fh_block *block);
/* No page free. */
void fh_block_clear(struct fh_block *block);

/* Pages first .. first+n-1 of the block, all in use, become free. */
void fh_block_give(struct fh_block *block, uint64_t first, uint64_t n);
/* Pages first .. first+n-1, all free, come into use. */
void fh_block_take(struct fh_block *block, uint64_t first, uint64_t n);
/* The same for the n ones of mask in one word. */
void fh_block_give_mask(struct fh_block *block, uint64_t word, uint64_t mask,
			uint64_t n);
void fh_block_take_mask(struct fh_block *block, uint64_t word, uint64_t mask,
			uint64_t n);

/* The order that its bits call for, 0 .. FH_ORDER_BLOCK. */
unsigned fh_block_true_order(const struct fh_block *block);

/*
 * The word with the smallest word order of at least `order`; there is one.
 * order is 1 .. 7.
 */
uint64_t fh_block_best_word(const struct fh_block *block, unsigned order);

/*
 * The first page of a run of 2^(order - 1) free pages; there is one. order is
 * 1 .. 9.
 */
uint64_t fh_block_find(const struct fh_block *block, unsigned order);

#endif /* FRAMEHOLD_SRC_BLOCK_H */
