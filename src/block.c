/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The bits of blocks. A range of bits is worked through word by word; each
 * word changes by one mask, and its order is made anew from the word alone.
 */
#include "block.h"

/* Bits of first .. first+n-1 that lie in the word of first. */
static uint64_t bits_in_word(uint64_t first, uint64_t n)
{
	uint64_t room = FH_WORD_BITS - first % FH_WORD_BITS;

	return n < room ? n : room;
}

void fh_bits_set(uint64_t *words, uint64_t first, uint64_t n)
{
	while (n > 0) {
		uint64_t part = bits_in_word(first, n);

		words[first / FH_WORD_BITS] |=
			fh_bit_run(first % FH_WORD_BITS, part);
		first += part;
		n -= part;
	}
}

void fh_bits_clear(uint64_t *words, uint64_t first, uint64_t n)
{
	while (n > 0) {
		uint64_t part = bits_in_word(first, n);

		words[first / FH_WORD_BITS] &=
			~fh_bit_run(first % FH_WORD_BITS, part);
		first += part;
		n -= part;
	}
}

uint64_t fh_bits_zeros(const uint64_t *words, uint64_t first, uint64_t n)
{
	uint64_t zeros = 0;

	while (zeros < n) {
		uint64_t bit = (first + zeros) % FH_WORD_BITS;
		uint64_t part = bits_in_word(first + zeros, n - zeros);
		uint64_t ones = words[(first + zeros) / FH_WORD_BITS] &
				fh_bit_run(bit, part);

		if (ones != 0)
			return zeros + (fh_lowest_bit(ones) - bit);
		zeros += part;
	}
	return n;
}

static void set_word(struct fh_block *block, uint64_t word, uint64_t bits)
{
	block->bits[word] = bits;
	block->word_order[word] = (uint8_t)fh_word_order(bits);
}

void fh_block_fill(struct fh_block *block)
{
	for (uint64_t word = 0; word < FH_BLOCK_WORDS; word++)
		set_word(block, word, UINT64_MAX);
	block->free = (uint16_t)FH_BLOCK_PAGES;
}

void fh_block_clear(struct fh_block *block)
{
	for (uint64_t word = 0; word < FH_BLOCK_WORDS; word++)
		set_word(block, word, 0);
	block->free = 0;
}

void fh_block_give_mask(struct fh_block *block, uint64_t word, uint64_t mask,
			uint64_t n)
{
	set_word(block, word, block->bits[word] | mask);
	block->free = (uint16_t)(block->free + n);
}

void fh_block_take_mask(struct fh_block *block, uint64_t word, uint64_t mask,
			uint64_t n)
{
	set_word(block, word, block->bits[word] & ~mask);
	block->free = (uint16_t)(block->free - n);
}

void fh_block_give(struct fh_block *block, uint64_t first, uint64_t n)
{
	while (n > 0) {
		uint64_t part = bits_in_word(first, n);

		fh_block_give_mask(block, first / FH_WORD_BITS,
				   fh_bit_run(first % FH_WORD_BITS, part),
				   part);
		first += part;
		n -= part;
	}
}

void fh_block_take(struct fh_block *block, uint64_t first, uint64_t n)
{
	while (n > 0) {
		uint64_t part = bits_in_word(first, n);

		fh_block_take_mask(block, first / FH_WORD_BITS,
				   fh_bit_run(first % FH_WORD_BITS, part),
				   part);
		first += part;
		n -= part;
	}
}

unsigned fh_block_true_order(const struct fh_block *block)
{
	return fh_block_order(block->word_order);
}

uint64_t fh_block_best_word(const struct fh_block *block, unsigned order)
{
	uint64_t best = 0;
	unsigned best_order = 8;

	for (uint64_t word = 0; word < FH_BLOCK_WORDS; word++) {
		unsigned here = block->word_order[word];

		if (here >= order && here < best_order) {
			best_order = here;
			best = word;
		}
	}
	return best;
}

/* The first of the earliest aligned group of n full words; n is 2 or 4. */
static uint64_t find_full_words(const struct fh_block *block, uint64_t n)
{
	uint64_t full = 0;

	for (uint64_t word = 0; word < FH_BLOCK_WORDS; word++) {
		if (word % n == 0)
			full = 0;
		if (block->word_order[word] == 7)
			full++;
		if (full == n)
			return word + 1 - n;
	}
	return 0;
}

uint64_t fh_block_find(const struct fh_block *block, unsigned order)
{
	if (order > 7)
		return find_full_words(block, order == 8 ? 2 : 4) *
		       FH_WORD_BITS;
	uint64_t word = fh_block_best_word(block, order);
	return word * FH_WORD_BITS + fh_first_run(block->bits[word], order - 1);
}
