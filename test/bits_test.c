/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The bit functions of the allocator against models that look at one bit at a
 * time; the proofs of the allocator rest on these.
 *
 * What is tried is complete for functions that treat aligned parts of a word
 * alone and then join what they found: all patterns of 16 bits in every place,
 * with the other bits zero or one, and all ways in which quarters that are
 * full, empty or neither can meet. Random words are tried beside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "block.h"

static uint64_t seed;

static uint64_t random_word(void)
{
	uint64_t x = seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* A word with long runs of ones and of zeros. */
static uint64_t random_runs(void)
{
	uint64_t word = 0;
	uint64_t lengths = random_word();
	bool one = lengths % 2 == 1;

	for (uint64_t bit = 0; bit < 64; one = !one) {
		uint64_t length = 1 + lengths % 23;

		lengths = random_word();
		for (uint64_t i = 0; i < length && bit < 64; i++, bit++)
			if (one)
				word |= UINT64_C(1) << bit;
	}
	return word;
}

static bool is_one(const uint64_t *words, unsigned bit)
{
	return (words[bit / 64] & (UINT64_C(1) << (bit % 64))) != 0;
}

/* Whether 2^order ones begin at bit. */
static bool is_run(const uint64_t *words, unsigned bit, unsigned order)
{
	for (unsigned i = 0; i < 1U << order; i++)
		if (!is_one(words, bit + i))
			return false;
	return true;
}

/* The first run of the order among `bits` bits; `bits` if there is none. */
static unsigned model_first_run(const uint64_t *words, unsigned bits,
				unsigned order)
{
	for (unsigned bit = 0; bit < bits; bit += 1U << order)
		if (is_run(words, bit, order))
			return bit;
	return bits;
}

/* One plus the largest order of which there is a run. */
static unsigned model_order(const uint64_t *words, unsigned bits)
{
	unsigned order = 0;

	while (1U << order <= bits &&
	       model_first_run(words, bits, order) < bits)
		order++;
	return order;
}

static unsigned model_count(uint64_t word)
{
	unsigned count = 0;

	for (unsigned bit = 0; bit < 64; bit++)
		count += is_one(&word, bit);
	return count;
}

static void check_lowest(uint64_t word)
{
	unsigned lowest = fh_lowest_bit(word);
	uint64_t rest = fh_without_lowest(word);

	assert_int_equal(lowest, model_first_run(&word, 64, 0));
	for (unsigned bit = 0; bit < 64; bit++)
		assert_int_equal(is_one(&rest, bit),
				 is_one(&word, bit) && bit != lowest);
}

/* Everything that is said about one word. */
static void check_word(uint64_t word)
{
	uint64_t numbers[64];
	unsigned count = model_count(word);
	unsigned order = model_order(&word, 64);
	unsigned left = count;

	assert_int_equal(fh_bit_count(word), count);
	assert_int_equal(fh_word_order(word), order);
	for (unsigned o = 0; o < order; o++)
		assert_int_equal(fh_first_run(word, o),
				 model_first_run(&word, 64, o));
	fh_take_all(word, 1000, count, numbers);
	for (unsigned bit = 0; bit < 64; bit++) {
		if (!is_one(&word, bit))
			continue;
		left--;
		assert_int_equal(numbers[left], 1000 + bit);
	}
	if (word != 0)
		check_lowest(word);
}

static void every_pattern_of_16_bits_in_every_place(void **state)
{
	(void)state;
	for (uint64_t pattern = 0; pattern < 65536; pattern++) {
		for (unsigned place = 0; place < 64; place += 16) {
			uint64_t mask = UINT64_C(0xffff) << place;

			check_word(pattern << place);
			check_word(pattern << place | ~mask);
		}
	}
}

/* A quarter of each kind: empty, full, ends of runs, and in between. */
static const uint64_t quarters[] = {
	0x0000, 0xffff, 0x0001, 0x8000, 0x00ff, 0xff00, 0x7fff, 0xfffe, 0x6996,
};

static void every_way_in_which_quarters_meet(void **state)
{
	const unsigned kinds = sizeof(quarters) / sizeof(quarters[0]);

	(void)state;
	for (unsigned a = 0; a < kinds; a++)
		for (unsigned b = 0; b < kinds; b++)
			for (unsigned c = 0; c < kinds; c++)
				for (unsigned d = 0; d < kinds; d++)
					check_word(quarters[a] |
						   quarters[b] << 16 |
						   quarters[c] << 32 |
						   quarters[d] << 48);
}

/* Each lowest bit there can be, with anything above it. */
static void lowest_bit_in_every_place(void **state)
{
	(void)state;
	seed = 7;
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t one = UINT64_C(1) << bit;

		check_lowest(one);
		check_lowest(~(one - 1));
		for (unsigned i = 0; i < 1000; i++)
			check_lowest(one | (random_word() & ~(one - 1)));
	}
}

static void random_words_of_every_density(void **state)
{
	(void)state;
	seed = 1;
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t word = random_word();

		check_word(word);
		check_word(word & random_word() & random_word());
		check_word(word | random_word() | random_word());
		check_word(random_runs());
	}
}

static void single_bits_and_runs_of_any_length(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		check_word(UINT64_C(1) << bit);
		check_word(~(UINT64_C(1) << bit));
		for (unsigned n = 1; n <= 64 - bit; n++) {
			uint64_t run = fh_bit_run(bit, n);

			assert_int_equal(model_count(run), n);
			for (unsigned i = 0; i < 64; i++)
				assert_int_equal(is_one(&run, i),
						 i >= bit && i - bit < n);
		}
	}
}

/* One plus the largest order of eight words, by the largest full group. */
static unsigned model_block_order(const uint8_t *orders)
{
	unsigned largest = 0;

	for (unsigned group = 8; group > 1; group /= 2) {
		for (unsigned first = 0; first < 8; first += group) {
			unsigned full = 0;

			while (full < group && orders[first + full] == 7)
				full++;
			if (full == group)
				return group == 8 ? 10 : group == 4 ? 9 : 8;
		}
	}
	for (unsigned i = 0; i < 8; i++)
		largest = orders[i] > largest ? orders[i] : largest;
	return largest;
}

static void block_order_for_every_array_of_word_orders(void **state)
{
	(void)state;
	for (unsigned pattern = 0; pattern < 1U << 24; pattern++) {
		uint8_t orders[FH_BLOCK_WORDS];
		unsigned left = pattern;

		for (unsigned i = 0; i < FH_BLOCK_WORDS; i++, left /= 8)
			orders[i] = (uint8_t)(left % 8);
		if (fh_block_order(orders) != model_block_order(orders))
			fail_msg("word orders %o", pattern);
	}
}

static void orders_of_words(const uint64_t *words, uint8_t *orders)
{
	for (unsigned i = 0; i < FH_BLOCK_WORDS; i++)
		orders[i] = (uint8_t)fh_word_order(words[i]);
}

static void check_block(const uint64_t *words)
{
	uint8_t orders[FH_BLOCK_WORDS];

	orders_of_words(words, orders);
	assert_int_equal(fh_block_order(orders), model_order(words, 512));
}

static void block_order_for_every_set_of_full_words(void **state)
{
	(void)state;
	seed = 2;
	for (unsigned full = 0; full < 256; full++) {
		for (unsigned kind = 0; kind < 4; kind++) {
			uint64_t words[FH_BLOCK_WORDS];

			for (unsigned i = 0; i < FH_BLOCK_WORDS; i++) {
				bool one = (full >> i) % 2 == 1;
				uint64_t other = kind == 0   ? 0
						 : kind == 1 ? ~UINT64_C(1)
						 : kind == 2 ? random_word()
							     : random_runs();

				words[i] = one ? UINT64_MAX : other;
			}
			check_block(words);
		}
	}
}

/* A block's record is rebuilt from its words, which then are changed. */
static void block_of(struct fh_block *block, const uint64_t *words)
{
	fh_block_clear(block);
	for (unsigned bit = 0; bit < 512; bit++)
		if (is_one(words, bit))
			fh_block_give(block, bit, 1);
}

static void assert_block_is(const struct fh_block *block, const uint64_t *words)
{
	unsigned count = 0;

	for (unsigned i = 0; i < FH_BLOCK_WORDS; i++) {
		assert_int_equal(block->bits[i], words[i]);
		assert_int_equal(block->word_order[i],
				 model_order(&words[i], 64));
		count += model_count(words[i]);
	}
	assert_int_equal(block->free, count);
	assert_int_equal(fh_block_true_order(block), model_order(words, 512));
}

static void random_block(uint64_t *words)
{
	for (unsigned i = 0; i < FH_BLOCK_WORDS; i++) {
		uint64_t kind = random_word() % 4;

		words[i] = kind == 0   ? UINT64_MAX
			   : kind == 1 ? 0
			   : kind == 2 ? random_runs()
				       : random_word() & random_word();
	}
}

static void block_gives_and_takes_ranges_across_words(void **state)
{
	(void)state;
	seed = 3;
	for (unsigned i = 0; i < 4000; i++) {
		struct fh_block block;
		uint64_t words[FH_BLOCK_WORDS];
		uint64_t first = random_word() % 512;
		uint64_t n = 1 + random_word() % (512 - first);

		random_block(words);
		for (uint64_t bit = first; bit < first + n; bit++)
			words[bit / 64] &= ~(UINT64_C(1) << bit % 64);
		block_of(&block, words);
		assert_block_is(&block, words);
		fh_block_give(&block, first, n);
		for (uint64_t bit = first; bit < first + n; bit++)
			words[bit / 64] |= UINT64_C(1) << bit % 64;
		assert_block_is(&block, words);
		fh_block_take(&block, first, n);
		for (uint64_t bit = first; bit < first + n; bit++)
			words[bit / 64] &= ~(UINT64_C(1) << bit % 64);
		assert_block_is(&block, words);
	}
}

static void block_find_names_a_run_in_the_tightest_word(void **state)
{
	(void)state;
	seed = 4;
	for (unsigned i = 0; i < 20000; i++) {
		struct fh_block block;
		uint64_t words[FH_BLOCK_WORDS];

		random_block(words);
		block_of(&block, words);
		unsigned largest = model_order(words, 512);
		for (unsigned order = 1; order <= largest && order <= 9;
		     order++) {
			uint64_t found = fh_block_find(&block, order);

			assert_int_equal(found % (UINT64_C(1) << (order - 1)),
					 0);
			assert_true(is_run(words, (unsigned)found, order - 1));
			if (order > 7)
				continue;
			unsigned here = model_order(&words[found / 64], 64);
			for (unsigned w = 0; w < FH_BLOCK_WORDS; w++) {
				unsigned there = model_order(&words[w], 64);

				assert_false(there >= order && there < here);
			}
		}
	}
}

static void bitmap_ranges_across_words(void **state)
{
	(void)state;
	seed = 5;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t words[4], copy[4];
		unsigned first = (unsigned)(random_word() % 256);
		unsigned n = (unsigned)(random_word() % (257 - first));
		unsigned zeros = 0;

		for (unsigned w = 0; w < 4; w++)
			copy[w] = words[w] =
				random_word() & random_word() & random_word();
		while (zeros < n && !is_one(words, first + zeros))
			zeros++;
		assert_int_equal(fh_bits_zeros(words, first, n), zeros);
		fh_bits_set(words, first, n);
		for (unsigned bit = 0; bit < 256; bit++)
			assert_int_equal(
				is_one(words, bit),
				is_one(copy, bit) ||
					(bit >= first && bit - first < n));
		fh_bits_clear(words, first, n);
		for (unsigned bit = 0; bit < 256; bit++) {
			bool inside = bit >= first && bit - first < n;

			assert_int_equal(is_one(words, bit),
					 !inside && is_one(copy, bit));
			assert_int_equal(fh_bits_test(words, bit),
					 is_one(words, bit));
		}
	}
}

static void multiples_of_powers_of_two(void **state)
{
	(void)state;
	seed = 6;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t number = random_runs();

		for (unsigned order = 0; order < 64; order++) {
			uint64_t size = UINT64_C(1) << order;

			assert_int_equal(fh_round_down(number, order),
					 number - number % size);
			assert_int_equal(fh_is_odd_part(number, order),
					 number / size % 2);
		}
	}
}

static void block_with_all_pages_free_has_the_largest_order(void **state)
{
	struct fh_block block;

	(void)state;
	fh_block_fill(&block);
	assert_int_equal(block.free, 512);
	assert_int_equal(fh_block_true_order(&block), FH_ORDER_BLOCK);
	fh_block_take(&block, 511, 1);
	assert_int_equal(fh_block_true_order(&block), 9);
	fh_block_clear(&block);
	assert_int_equal(fh_block_true_order(&block), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pattern_of_16_bits_in_every_place),
		cmocka_unit_test(every_way_in_which_quarters_meet),
		cmocka_unit_test(lowest_bit_in_every_place),
		cmocka_unit_test(random_words_of_every_density),
		cmocka_unit_test(single_bits_and_runs_of_any_length),
		cmocka_unit_test(block_order_for_every_array_of_word_orders),
		cmocka_unit_test(block_order_for_every_set_of_full_words),
		cmocka_unit_test(block_gives_and_takes_ranges_across_words),
		cmocka_unit_test(block_find_names_a_run_in_the_tightest_word),
		cmocka_unit_test(bitmap_ranges_across_words),
		cmocka_unit_test(multiples_of_powers_of_two),
		cmocka_unit_test(
			block_with_all_pages_free_has_the_largest_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
