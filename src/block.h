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
	uint16_t order;
	uint8_t word_order[FH_BLOCK_WORDS]; /* fh_word_order() of each word */
};

FH_STATIC_ASSERT(sizeof(struct fh_block) <= 96,
		 "a block costs less than 0.19 byte a page");

/*@
  // Counts and word orders are true; of block->order nothing is said.
  predicate block_ok{L}(struct fh_block *block) =
    (\forall integer w; 0 <= w < 8 ==>
       word_order_is(block->bits[w], block->word_order[w]) &&
       0 <= ones(block->bits[w], 64) <= 64) &&
    block->free ==
      ones(block->bits[0], 64) + ones(block->bits[1], 64) +
      ones(block->bits[2], 64) + ones(block->bits[3], 64) +
      ones(block->bits[4], 64) + ones(block->bits[5], 64) +
      ones(block->bits[6], 64) + ones(block->bits[7], 64);

  // What the memory of new blocks holds, and of a bitmap of theirs.
  predicate block_is_zero{L}(struct fh_block *block) =
    block->order == 0 && block->free == 0 &&
    \forall integer w; 0 <= w < 8 ==>
      block->bits[w] == 0 && block->word_order[w] == 0;

  predicate tables_are_zero{L}(struct fh_block *blocks, uint64_t *touched,
                               integer count) =
    (\forall integer b; 0 <= b < count ==> block_is_zero(&blocks[b])) &&
    \forall integer w; 0 <= w <= (count - 1) / 64 ==> touched[w] == 0;

  // Pages first .. first+n-1 became free, or came into use, and no others.
  predicate block_bits_were_set{A,B}(struct fh_block *block, integer first,
                                     integer n) =
    \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
      (has_bit(\at(block->bits[w],B), i) <==>
         has_bit(\at(block->bits[w],A), i) || is_among(w, i, first, n));

  predicate block_bits_were_cleared{A,B}(struct fh_block *block,
                                         integer first, integer n) =
    \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
      (has_bit(\at(block->bits[w],B), i) <==>
         has_bit(\at(block->bits[w],A), i) && !is_among(w, i, first, n));

  predicate block_ones{L}(struct fh_block *block, integer first, integer n) =
    \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 &&
      is_among(w, i, first, n) ==> has_bit(block->bits[w], i);

  predicate block_zeros{L}(struct fh_block *block, integer first, integer n) =
    \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 &&
      is_among(w, i, first, n) ==> !has_bit(block->bits[w], i);
*/

/* ---- Bits of any bitmap: 64 to a word, counted from its first word ---- */

/* n may be 0 in all of these. */
/*@
  requires n <= UINT64_MAX - first;
  requires n > 0 ==> \valid(words + (first / 64 .. (first + n - 1) / 64));
  assigns words[first / 64 .. (first + n - 1) / 64];
  exits \false;
  ensures bits_were_set{Pre,Post}(words, first, n);
*/
void fh_bits_set(uint64_t *words, uint64_t first, uint64_t n);
/*@
  requires n <= UINT64_MAX - first;
  requires n > 0 ==> \valid(words + (first / 64 .. (first + n - 1) / 64));
  assigns words[first / 64 .. (first + n - 1) / 64];
  exits \false;
  ensures bits_were_cleared{Pre,Post}(words, first, n);
*/
void fh_bits_clear(uint64_t *words, uint64_t first, uint64_t n);
/* How many of the n bits from first on are 0 before the first that is 1. */
/*@
  requires n <= UINT64_MAX - first;
  requires n > 0 ==> \valid_read(words + (first / 64 .. (first + n - 1) / 64));
  assigns \nothing;
  exits \false;
  ensures \result <= n && all_zeros(words, first, \result);
  ensures \result < n ==>
    has_bit(words[(first + \result) / 64], (first + \result) % 64);
*/
uint64_t fh_bits_zeros(const uint64_t *words, uint64_t first, uint64_t n);

/*@
  requires \valid_read(words + bit / 64);
  assigns \nothing;
  exits \false;
  ensures \result <==> has_bit(words[bit / 64], bit % 64);
*/
static inline bool fh_bits_test(const uint64_t *words, uint64_t bit)
{
	return ((words[bit / FH_WORD_BITS] >> (bit % FH_WORD_BITS)) & 1) != 0;
}

/* ---- The bits of a block, counts and word orders with them ---- */

/* All pages free. Does not touch block->order, nor do the next three. */
/*@
  requires \valid(block);
  assigns block->bits[0 .. 7], block->word_order[0 .. 7], block->free;
  exits \false;
  ensures block_ok(block) && block->free == 512;
  ensures block_ones(block, 0, 512);
*/
void fh_block_fill(struct fh_block *block);
/* No page free. */
/*@
  requires \valid(block);
  assigns block->bits[0 .. 7], block->word_order[0 .. 7], block->free;
  exits \false;
  ensures block_ok(block) && block->free == 0;
  ensures \forall integer w; 0 <= w < 8 ==> block->bits[w] == 0;
*/
void fh_block_clear(struct fh_block *block);

/* Pages first .. first+n-1 of the block, all in use, become free. */
/*@
  requires \valid(block) && block_ok(block) && first <= 512;
  requires n <= 512 - first && block_zeros(block, first, n);
  assigns block->bits[0 .. 7], block->word_order[0 .. 7], block->free;
  exits \false;
  ensures block_ok(block) && block->free == \old(block->free) + n;
  ensures block_bits_were_set{Pre,Post}(block, first, n);
*/
void fh_block_give(struct fh_block *block, uint64_t first, uint64_t n);
/* Pages first .. first+n-1, all free, come into use. */
/*@
  requires \valid(block) && block_ok(block) && first <= 512;
  requires n <= 512 - first && block_ones(block, first, n);
  assigns block->bits[0 .. 7], block->word_order[0 .. 7], block->free;
  exits \false;
  ensures block_ok(block) && block->free == \old(block->free) - n;
  ensures block_bits_were_cleared{Pre,Post}(block, first, n);
*/
void fh_block_take(struct fh_block *block, uint64_t first, uint64_t n);
/* The same for the n ones of mask in one word. */
/*@
  requires \valid(block) && block_ok(block) && word < 8;
  requires n == ones(mask, 64);
  requires \forall integer i; 0 <= i < 64 && has_bit(mask, i) ==>
    !has_bit(block->bits[word], i);
  assigns block->bits[word], block->word_order[word], block->free;
  exits \false;
  ensures block_ok(block) && block->free == \old(block->free) + n;
  ensures \forall integer i; 0 <= i < 64 ==>
    (has_bit(block->bits[word], i) <==>
       has_bit(\old(block->bits[word]), i) || has_bit(mask, i));
*/
void fh_block_give_mask(struct fh_block *block, uint64_t word, uint64_t mask,
			uint64_t n);
/*@
  requires \valid(block) && block_ok(block) && word < 8;
  requires n == ones(mask, 64);
  requires \forall integer i; 0 <= i < 64 && has_bit(mask, i) ==>
    has_bit(block->bits[word], i);
  assigns block->bits[word], block->word_order[word], block->free;
  exits \false;
  ensures block_ok(block) && block->free == \old(block->free) - n;
  ensures \forall integer i; 0 <= i < 64 ==>
    (has_bit(block->bits[word], i) <==>
       has_bit(\old(block->bits[word]), i) && !has_bit(mask, i));
*/
void fh_block_take_mask(struct fh_block *block, uint64_t word, uint64_t mask,
			uint64_t n);

/* The order that its bits call for, 0 .. FH_ORDER_BLOCK. */
/*@
  requires \valid_read(block) && block_ok(block);
  assigns \nothing;
  exits \false;
  ensures block_order_is(&block->word_order[0], \result);
*/
unsigned fh_block_true_order(const struct fh_block *block);

/*
 * The word with the smallest word order of at least `order`; there is one.
 * order is 1 .. 7.
 */
/*@
  requires \valid_read(block) && block_ok(block) && 1 <= order <= 7;
  requires \exists integer w; 0 <= w < 8 && block->word_order[w] >= order;
  assigns \nothing;
  exits \false;
  ensures \result < 8 && block->word_order[\result] >= order;
  ensures \forall integer w; 0 <= w < 8 && block->word_order[w] >= order ==>
    block->word_order[\result] <= block->word_order[w];
*/
uint64_t fh_block_best_word(const struct fh_block *block, unsigned order);

/*
 * The first page of a run of 2^(order - 1) free pages; there is one. order is
 * 1 .. 9.
 */
/*@
  requires \valid_read(block) && block_ok(block) && 1 <= order <= 9;
  requires \exists integer largest; order <= largest <= 10 &&
    block_order_is(&block->word_order[0], largest);
  assigns \nothing;
  exits \false;
  ensures run_begins(\result, order - 1);
  ensures \result + run_pages(order - 1) <= 512;
  ensures block_ones(block, \result, run_pages(order - 1));
*/
uint64_t fh_block_find(const struct fh_block *block, unsigned order);

#endif /* FRAMEHOLD_SRC_BLOCK_H */
