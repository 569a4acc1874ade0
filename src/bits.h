/* SPDX-License-Identifier: MPL-2.0 */
/*
 * All bit tricks of the page allocator, as pure functions. Everything else
 * counts pages and blocks with plain arithmetic, and relies on what is said
 * here and nowhere else.
 *
 * A word stands for 64 neighbouring pages, bit i for the i-th of them; 1 is
 * free. A run of order o is 2^o neighbouring ones whose first bit's number is
 * a multiple of 2^o. Orders are kept plus one, so that zero says "no run".
 */
#ifndef FRAMEHOLD_SRC_BITS_H
#define FRAMEHOLD_SRC_BITS_H

#include <framehold/compiler.h>

#define FH_WORD_BITS   UINT64_C(64)
#define FH_BLOCK_WORDS UINT64_C(8)

/* By order: the bits at which runs of that order may begin. */
static const uint64_t fh_run_begins[7] = {
	UINT64_C(0xffffffffffffffff), UINT64_C(0x5555555555555555),
	UINT64_C(0x1111111111111111), UINT64_C(0x0101010101010101),
	UINT64_C(0x0001000100010001), UINT64_C(0x0000000100000001),
	UINT64_C(0x0000000000000001),
};

/* One plus the largest o of which word has a run, 1 .. 7; 0 for word 0. */
/*@
  assigns \nothing;
  exits \false;
  ensures word_order_is(word, \result);
*/
static inline unsigned fh_word_order(uint64_t word)
{
	uint64_t of_2 = word & (word >> 1) & fh_run_begins[1];
	uint64_t of_4 = of_2 & (of_2 >> 2) & fh_run_begins[2];
	uint64_t of_8 = of_4 & (of_4 >> 4) & fh_run_begins[3];
	uint64_t of_16 = of_8 & (of_8 >> 8) & fh_run_begins[4];
	uint64_t of_32 = of_16 & (of_16 >> 16) & fh_run_begins[5];
	uint64_t of_64 = of_32 & (of_32 >> 32) & fh_run_begins[6];

	/* A run of order o + 1 contains one of order o: count the orders. */
	return (unsigned)((word != 0) + (of_2 != 0) + (of_4 != 0) +
			  (of_8 != 0) + (of_16 != 0) + (of_32 != 0) +
			  (of_64 != 0));
}

/*
 * The same for the 512 bits of eight words, from fh_word_order() of each: one
 * plus the largest order, 1 .. 10; 0 if all are zero.
 */
/*@
  requires \valid_read(word_order + (0 .. 7));
  requires \forall integer w; 0 <= w < 8 ==> word_order[w] <= 7;
  assigns \nothing;
  exits \false;
  ensures block_order_is(word_order, \result);
*/
static inline unsigned fh_block_order(const uint8_t word_order[FH_BLOCK_WORDS])
{
	unsigned largest = 0;
	unsigned full = 0;

	for (unsigned i = 0; i < FH_BLOCK_WORDS; i++) {
		unsigned order = word_order[i];

		largest = order > largest ? order : largest;
		full |= (unsigned)(order == 7) << i;
	}
	unsigned of_2 = full & (full >> 1) & 0x55U;
	unsigned of_4 = of_2 & (of_2 >> 2) & 0x11U;
	unsigned of_8 = of_4 & (of_4 >> 4) & 0x01U;
	return largest + (unsigned)(of_2 != 0) + (unsigned)(of_4 != 0) +
	       (unsigned)(of_8 != 0);
}

/* i at the index 2^i % 67: the remainders of the 64 powers differ. */
static const uint8_t fh_bit_by_remainder[67] = {
	0,  0,  1,  39, 2,  15, 40, 23, 3,  12, 16, 59, 41, 19, 24, 54, 4,
	0,  13, 10, 17, 62, 60, 28, 42, 30, 20, 51, 25, 44, 55, 47, 5,  32,
	0,  38, 14, 22, 11, 58, 18, 53, 63, 9,  61, 27, 29, 50, 43, 46, 31,
	37, 21, 57, 52, 8,  26, 49, 45, 36, 56, 7,  48, 35, 6,  34, 33,
};

/*
 * The number of the lowest one of word, which is not 0. Not the builtin, which
 * calls a function of the compiler's library on some machines.
 */
/*@
  requires word != 0;
  assigns \nothing;
  exits \false;
  ensures lowest_is(word, \result);
*/
static inline unsigned fh_lowest_bit(uint64_t word)
{
	uint64_t lowest = word & ~(word - 1);

	return fh_bit_by_remainder[lowest % 67];
}

/* word without the ones of mask. */
/*@
  assigns \nothing;
  exits \false;
  ensures \forall integer i; 0 <= i < 64 ==>
    (has_bit(\result, i) <==> has_bit(word, i) && !has_bit(mask, i));
*/
static inline uint64_t fh_without(uint64_t word, uint64_t mask)
{
	return word & ~mask;
}

/* word without its lowest one; it is not 0. */
/*@
  requires word != 0;
  assigns \nothing;
  exits \false;
  ensures \forall integer i; 0 <= i < 64 ==>
    (has_bit(\result, i) <==> has_bit(word, i) && !lowest_is(word, i));
  ensures ones(\result, 64) == ones(word, 64) - 1;
*/
static inline uint64_t fh_without_lowest(uint64_t word)
{
	return word & (word - 1);
}

/*
 * The number of the first bit of the lowest run of that order, 0 .. 6, of
 * which word has one: fh_word_order(word) > order.
 */
/*@
  requires order <= 6 && has_run(word, order);
  assigns \nothing;
  exits \false;
  ensures word_run(word, \result, order);
  ensures \forall integer i; 0 <= i < \result ==> !word_run(word, i, order);
*/
static inline unsigned fh_first_run(uint64_t word, unsigned order)
{
	for (unsigned o = 0; o < order; o++)
		word &= (word >> (1U << o)) & fh_run_begins[o + 1];
	return fh_lowest_bit(word);
}

/*
 * Writes base + i for every one i of word, count of them, to numbers[0 ..
 * count-1], descending: what is popped from the end ascends.
 */
/*@
  requires count == ones(word, 64) && base <= UINT64_MAX - 64;
  requires count > 0 ==> \valid(numbers + (0 .. count - 1));
  assigns numbers[0 .. count - 1];
  exits \false;
  ensures \forall integer k; 0 <= k < count ==>
    base <= numbers[k] < base + 64 && has_bit(word, numbers[k] - base);
  ensures \forall integer k; 0 < k < count ==> numbers[k - 1] > numbers[k];
*/
static inline void fh_take_all(uint64_t word, uint64_t base, uint64_t count,
			       uint64_t *numbers)
{
	uint64_t n = count;

	/*@ ghost ghost_all_ones(word); */
	/* Of a full word the numbers are known without a look at its bits. */
	if (count == FH_WORD_BITS) {
		/*@
		  loop invariant 0 <= i <= 64;
		  loop invariant \forall integer k; 0 <= k < i ==>
		    numbers[k] == base + (63 - k);
		  loop assigns i, numbers[0 .. 63];
		  loop variant 64 - i;
		*/
		for (uint64_t i = 0; i < FH_WORD_BITS; i++)
			numbers[i] = base + (FH_WORD_BITS - 1 - i);
		return;
	}
	/*@
	  loop invariant 0 <= n <= count && n == ones(word, 64);
	  loop invariant \forall integer i; 0 <= i < 64 && has_bit(word, i) ==>
	    has_bit(\at(word,Pre), i);
	  loop invariant \forall integer k; n <= k < count ==>
	    base <= numbers[k] < base + 64 &&
	    has_bit(\at(word,Pre), numbers[k] - base);
	  loop invariant \forall integer i, integer k;
	    0 <= i < 64 && has_bit(word, i) && n <= k < count ==>
	      numbers[k] < base + i;
	  loop invariant \forall integer j, integer k; n <= j < k < count ==>
	    numbers[j] > numbers[k];
	  loop assigns n, word, numbers[0 .. count - 1];
	  loop variant n;
	*/
	while (n > 0) {
		/*@ ghost ghost_no_ones(0); */
		n--;
		numbers[n] = base + fh_lowest_bit(word);
		word = fh_without_lowest(word);
	}
}

/* The largest multiple of 2^order that is not above number; order < 64. */
/*@
  requires order < 64;
  assigns \nothing;
  exits \false;
  ensures \result == number - number % (1 << order);
*/
static inline uint64_t fh_round_down(uint64_t number, unsigned order)
{
	return number >> order << order;
}

/* Whether number / 2^order is odd; order < 64. */
/*@
  requires order < 64;
  assigns \nothing;
  exits \false;
  ensures \result <==> number / (1 << order) % 2 == 1;
*/
static inline bool fh_is_odd_part(uint64_t number, unsigned order)
{
	return ((number >> order) & 1) != 0;
}

/* The word with ones at bit .. bit+n-1, and no others; 0 < n <= 64 - bit. */
/*@
  requires bit < 64 && 0 < n <= 64 - bit;
  assigns \nothing;
  exits \false;
  ensures \forall integer i; 0 <= i < 64 ==>
    (has_bit(\result, i) <==> bit <= i < bit + n);
  ensures ones(\result, 64) == n;
*/
static inline uint64_t fh_bit_run(uint64_t bit, uint64_t n)
{
	return (UINT64_MAX >> (FH_WORD_BITS - n)) << bit;
}

/* How many ones word has. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == ones(word, 64);
*/
static inline unsigned fh_bit_count(uint64_t word)
{
	uint64_t n = word - ((word >> 1) & fh_run_begins[1]);

	n = (n & UINT64_C(0x3333333333333333)) +
	    ((n >> 2) & UINT64_C(0x3333333333333333));
	n = (n + (n >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	n += n >> 8;
	n += n >> 16;
	n += n >> 32;
	return (unsigned)(n & 127);
}

#endif /* FRAMEHOLD_SRC_BITS_H */
