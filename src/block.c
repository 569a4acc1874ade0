/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The bits of blocks. A range of bits is worked through word by word; each
 * word changes by one mask, and its order is made anew from the word alone.
 */
#include "block.h"

/* Bits of first .. first+n-1 that lie in the word of first. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result <= n && \result <= 64 - first % 64;
  ensures n > 0 ==> \result > 0;
  ensures \result == n || first % 64 + \result == 64;
*/
static uint64_t bits_in_word(uint64_t first, uint64_t n)
{
	uint64_t room = FH_WORD_BITS - first % FH_WORD_BITS;

	return n < room ? n : room;
}

void fh_bits_set(uint64_t *words, uint64_t first, uint64_t n)
{
	/*@
	  loop invariant first + n == \at(first + n,Pre);
	  loop invariant \at(first,Pre) <= first && n <= \at(n,Pre);
	  loop invariant n == 0 || first % 64 == 0 || first == \at(first,Pre);
	  loop invariant bits_were_set{Pre,Here}(words, \at(first,Pre),
	    first - \at(first,Pre));
	  loop assigns first, n, words[\at(first,Pre) / 64
	    .. (\at(first + n,Pre) - 1) / 64];
	  loop variant n;
	*/
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
	/*@
	  loop invariant first + n == \at(first + n,Pre);
	  loop invariant \at(first,Pre) <= first && n <= \at(n,Pre);
	  loop invariant n == 0 || first % 64 == 0 || first == \at(first,Pre);
	  loop invariant bits_were_cleared{Pre,Here}(words, \at(first,Pre),
	    first - \at(first,Pre));
	  loop assigns first, n, words[\at(first,Pre) / 64
	    .. (\at(first + n,Pre) - 1) / 64];
	  loop variant n;
	*/
	while (n > 0) {
		uint64_t part = bits_in_word(first, n);

		uint64_t run = fh_bit_run(first % FH_WORD_BITS, part);

		words[first / FH_WORD_BITS] =
			fh_without(words[first / FH_WORD_BITS], run);
		first += part;
		n -= part;
	}
}

uint64_t fh_bits_zeros(const uint64_t *words, uint64_t first, uint64_t n)
{
	uint64_t zeros = 0;

	/*@
	  loop invariant 0 <= zeros <= n;
	  loop invariant all_zeros(words, first, zeros);
	  loop assigns zeros;
	  loop variant n - zeros;
	*/
	while (zeros < n) {
		uint64_t word = (first + zeros) / FH_WORD_BITS;
		uint64_t bit = (first + zeros) % FH_WORD_BITS;
		uint64_t part = bits_in_word(first + zeros, n - zeros);
		uint64_t ones = words[word] & fh_bit_run(bit, part);

		/*@ assert \forall integer i; 0 <= i < 64 ==>
		  (has_bit(ones, i) <==>
		     bit <= i < bit + part && has_bit(words[word], i)); */
		/*@ assert \forall integer w, integer i; 0 <= w && 0 <= i < 64 &&
		  is_among(w, i, first + zeros, part) ==>
		    w == word && bit <= i < bit + part; */
		if (ones != 0) {
			unsigned lowest = fh_lowest_bit(ones);
			/*@ assert first + zeros + (lowest - bit) ==
			  64 * word + lowest; */
			/*@ assert \forall integer i; bit <= i < lowest ==>
			  !has_bit(words[word], i); */
			/*@ assert all_zeros(words, first + zeros,
			                     lowest - bit); */
			return zeros + (lowest - bit);
		}
		/*@ assert \forall integer i; 0 <= i < 64 ==>
		  !has_bit(ones, i); */
		/*@ assert all_zeros(words, first + zeros, part); */
		zeros += part;
	}
	return n;
}

/*@
  requires \valid(block) && word < 8;
  assigns block->bits[word], block->word_order[word];
  exits \false;
  ensures block->bits[word] == bits;
  ensures word_order_is(bits, block->word_order[word]);
*/
static void set_word(struct fh_block *block, uint64_t word, uint64_t bits)
{
	block->bits[word] = bits;
	block->word_order[word] = (uint8_t)fh_word_order(bits);
}

void fh_block_fill(struct fh_block *block)
{
	uint64_t all = fh_bit_run(0, FH_WORD_BITS);

	/*@
	  loop invariant 0 <= word <= 8;
	  loop invariant \forall integer w; 0 <= w < word ==>
	    block->bits[w] == all && word_order_is(all, block->word_order[w]);
	  loop assigns word, block->bits[0 .. 7], block->word_order[0 .. 7];
	  loop variant 8 - word;
	*/
	for (uint64_t word = 0; word < FH_BLOCK_WORDS; word++)
		set_word(block, word, all);
	block->free = (uint16_t)FH_BLOCK_PAGES;
}

void fh_block_clear(struct fh_block *block)
{
	/*@
	  loop invariant 0 <= word <= 8;
	  loop invariant \forall integer w; 0 <= w < word ==>
	    block->bits[w] == 0 && word_order_is(0, block->word_order[w]);
	  loop assigns word, block->bits[0 .. 7], block->word_order[0 .. 7];
	  loop variant 8 - word;
	*/
	for (uint64_t word = 0; word < FH_BLOCK_WORDS; word++)
		set_word(block, word, 0);
	/*@ ghost ghost_no_ones(0); */
	block->free = 0;
}

void fh_block_give_mask(struct fh_block *block, uint64_t word, uint64_t mask,
			uint64_t n)
{
	uint64_t bits = block->bits[word] | mask;

	/*@ ghost ghost_add_ones(block->bits[word], mask, bits); */
	set_word(block, word, bits);
	block->free = (uint16_t)(block->free + n);
}

void fh_block_take_mask(struct fh_block *block, uint64_t word, uint64_t mask,
			uint64_t n)
{
	uint64_t bits = fh_without(block->bits[word], mask);

	/*@ ghost ghost_add_ones(bits, mask, block->bits[word]); */
	set_word(block, word, bits);
	block->free = (uint16_t)(block->free - n);
}

void fh_block_give(struct fh_block *block, uint64_t first, uint64_t n)
{
	/*@
	  loop invariant first + n == \at(first + n,Pre);
	  loop invariant \at(first,Pre) <= first && n <= \at(n,Pre);
	  loop invariant block_ok(block);
	  loop invariant block->free ==
	    \at(block->free,Pre) + (\at(n,Pre) - n);
	  loop invariant block_bits_were_set{Pre,Here}(block, \at(first,Pre),
	    first - \at(first,Pre));
	  loop invariant block_zeros(block, first, n);
	  loop assigns first, n, block->bits[0 .. 7],
	    block->word_order[0 .. 7], block->free;
	  loop variant n;
	*/
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
	/*@
	  loop invariant first + n == \at(first + n,Pre);
	  loop invariant \at(first,Pre) <= first && n <= \at(n,Pre);
	  loop invariant block_ok(block);
	  loop invariant block->free ==
	    \at(block->free,Pre) - (\at(n,Pre) - n);
	  loop invariant block_bits_were_cleared{Pre,Here}(block, \at(first,Pre),
	    first - \at(first,Pre));
	  loop invariant block_ones(block, first, n);
	  loop assigns first, n, block->bits[0 .. 7],
	    block->word_order[0 .. 7], block->free;
	  loop variant n;
	*/
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

	/*@
	  loop invariant 0 <= word <= 8 && best < 8;
	  loop invariant best_order == 8 ==>
	    \forall integer w; 0 <= w < word ==> block->word_order[w] < order;
	  loop invariant best_order < 8 ==>
	    best_order == block->word_order[best] && best_order >= order;
	  loop invariant \forall integer w;
	    0 <= w < word && block->word_order[w] >= order ==>
	      best_order <= block->word_order[w];
	  loop assigns word, best, best_order;
	  loop variant 8 - word;
	*/
	for (uint64_t word = 0; word < FH_BLOCK_WORDS; word++) {
		unsigned here = block->word_order[word];

		if (here >= order && here < best_order) {
			best_order = here;
			best = word;
		}
	}
	return best;
}

/*@
  requires \valid_read(block) && n <= 8 && first <= 8 - n;
  assigns \nothing;
  exits \false;
  ensures \result <==> full_words(&block->word_order[0], first, n);
*/
static bool are_full_words(const struct fh_block *block, uint64_t first,
			   uint64_t n)
{
	/*@
	  loop invariant first <= word <= first + n;
	  loop invariant full_words(&block->word_order[0], first, word - first);
	  loop assigns word;
	  loop variant first + n - word;
	*/
	for (uint64_t word = first; word < first + n; word++)
		if (block->word_order[word] != 7)
			return false;
	return true;
}

/* The first of the earliest aligned group of n full words; n is 2 or 4. */
/*@
  requires \valid_read(block) && (n == 2 || n == 4);
  requires full_group(&block->word_order[0], n);
  assigns \nothing;
  exits \false;
  ensures \result <= 8 - n && \result % n == 0;
  ensures full_words(&block->word_order[0], \result, n);
*/
static uint64_t find_full_words(const struct fh_block *block, uint64_t n)
{
	uint64_t first = 0;

	/*@
	  loop invariant 0 <= first <= 8 - n && first % n == 0;
	  loop invariant \forall integer f; 0 <= f < first && f % n == 0 ==>
	    !full_words(&block->word_order[0], f, n);
	  loop assigns first;
	  loop variant 8 - first;
	*/
	while (first < FH_BLOCK_WORDS - n && !are_full_words(block, first, n))
		first += n;
	return first;
}

uint64_t fh_block_find(const struct fh_block *block, unsigned order)
{
	if (order > 7) {
		/*@ assert \forall integer w;
		  0 <= w < 8 && block->word_order[w] == 7 ==>
		    has_run(block->bits[w], 6); */
		/*@ assert \forall integer w, integer i;
		  0 <= w < 8 && block->word_order[w] == 7 && 0 <= i < 64 ==>
		    has_bit(block->bits[w], i); */
		uint64_t full = find_full_words(block, order == 8 ? 2 : 4);
		/*@ assert block_ones(block, 64 * full,
		                      order == 8 ? 128 : 256); */
		/*@ assert run_begins(64 * full, order - 1); */
		return full * FH_WORD_BITS;
	}
	uint64_t word = fh_block_best_word(block, order);
	/*@ assert has_run(block->bits[word], order - 1); */
	unsigned bit = fh_first_run(block->bits[word], order - 1);

	/*@ ghost ghost_run_begins(word, bit, order - 1); */
	/*@ assert run_begins(64 * word + bit, order - 1); */
	/*@ assert \forall integer i; bit <= i < bit + run_pages(order - 1) ==>
	  has_bit(block->bits[word], i); */
	/*@ assert \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 &&
	  is_among(w, i, 64 * word + bit, run_pages(order - 1)) ==>
	    w == word && bit <= i < bit + run_pages(order - 1); */
	/*@ assert block_ones(block, 64 * word + bit, run_pages(order - 1)); */
	return word * FH_WORD_BITS + bit;
}
