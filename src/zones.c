/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pages in and out of a zone. Taking clears bits, giving sets them; after
 * either the block goes to the chain that its bits call for. A block whose
 * last page in use comes back loses its bits and becomes a run; a run that is
 * taken in part gets bits again.
 */
#include "zones.h"

/* Puts a block whose bits have changed where it belongs. */
static void settle(struct fh_zone *zone, uint64_t block)
{
	struct fh_block *b = &zone->blocks[block];
	unsigned order = fh_block_true_order(b);

	if (order < FH_ORDER_BLOCK) {
		fh_chain_move(zone, block, order);
		if (order == 0)
			fh_bits_clear(zone->touched, block, 1);
		return;
	}
	fh_chain_move(zone, block, 0);
	fh_block_clear(b);
	fh_runs_give(zone, block, 1);
}

/* One block of the smallest run gets bits, all free; settle it afterwards. */
static uint64_t open_run(struct fh_zone *zone)
{
	uint64_t block = fh_runs_take(zone, FH_ORDER_BLOCK);

	fh_block_fill(&zone->blocks[block]);
	fh_bits_set(zone->touched, block, 1);
	return block;
}

bool fh_zone_is_free(const struct fh_zone *zone, uint64_t page)
{
	uint64_t block = fh_zone_block(zone, page);

	return fh_runs_have(zone, block) ||
	       fh_bits_test(zone->blocks[block].bits, page % FH_BLOCK_PAGES);
}

/* ---- Taking ---- */

/* Pages offset .. offset+n-1 of a block, all free. */
static void take_part(struct fh_zone *zone, uint64_t block, uint64_t offset,
		      uint64_t n)
{
	struct fh_block *b = &zone->blocks[block];

	if (fh_runs_have(zone, block)) {
		fh_runs_take_exact(zone, block, 1);
		fh_block_fill(b);
		fh_bits_set(zone->touched, block, 1);
	}
	fh_block_take(b, offset, n);
	settle(zone, block);
}

/* n pages of one block, at the start of a run; best is the order to use. */
static uint64_t take_in_block(struct fh_zone *zone, uint64_t n, unsigned order,
			      unsigned best)
{
	uint64_t block =
		best < FH_ORDER_BLOCK ? zone->heads[best] : open_run(zone);
	uint64_t offset = fh_block_find(&zone->blocks[block], order);

	fh_block_take(&zone->blocks[block], offset, n);
	settle(zone, block);
	return fh_zone_page(zone, block) + offset;
}

/* n pages from the start of a run of whole blocks; the rest stays free. */
static uint64_t take_blocks(struct fh_zone *zone, uint64_t n, unsigned order)
{
	uint64_t block = fh_runs_take(zone, order);
	uint64_t size = UINT64_C(1) << (order - FH_ORDER_BLOCK);
	uint64_t whole = n / FH_BLOCK_PAGES;
	uint64_t rest = n % FH_BLOCK_PAGES;

	fh_runs_give(zone, block + whole, size - whole);
	if (rest > 0)
		take_part(zone, block + whole, 0, rest);
	return fh_zone_page(zone, block);
}

uint64_t fh_zone_take(struct fh_zone *zone, uint64_t n, unsigned order,
		      unsigned most)
{
	unsigned best = fh_chain_best(zone, order);

	if (best == 0 || best > most)
		return FH_NO_PAGE;
	fh_zone_sub_free(zone, n);
	if (order < FH_ORDER_BLOCK)
		return take_in_block(zone, n, order, best);
	return take_blocks(zone, n, order);
}

/* How many of n pages from `page` on lie in the same block. */
static uint64_t pages_in_block(uint64_t page, uint64_t n)
{
	uint64_t room = FH_BLOCK_PAGES - page % FH_BLOCK_PAGES;

	return n < room ? n : room;
}

void fh_zone_take_exact(struct fh_zone *zone, uint64_t first, uint64_t n)
{
	fh_zone_sub_free(zone, n);
	while (n > 0) {
		uint64_t part = pages_in_block(first, n);

		if (part == FH_BLOCK_PAGES) {
			part = n - n % FH_BLOCK_PAGES;
			fh_runs_take_exact(zone, fh_zone_block(zone, first),
					   part / FH_BLOCK_PAGES);
		} else {
			take_part(zone, fh_zone_block(zone, first),
				  first % FH_BLOCK_PAGES, part);
		}
		first += part;
		n -= part;
	}
}

/* The lowest n ones of word, which has more. */
static uint64_t lowest_ones(uint64_t word, uint64_t n)
{
	uint64_t rest = word;

	for (uint64_t i = 0; i < n; i++)
		rest &= rest - 1;
	return word & ~rest;
}

/* The pages of one word of the block, at most `want`; it has some. */
static void take_word(struct fh_block *block, uint64_t first_page,
		      uint64_t want, struct fh_taken *taken)
{
	uint64_t word = fh_block_best_word(block, 1);
	uint64_t bits = block->bits[word];
	uint64_t count = bits == UINT64_MAX ? FH_WORD_BITS : fh_bit_count(bits);

	if (count > want) {
		bits = lowest_ones(bits, want);
		count = want;
	}
	fh_block_take_mask(block, word, bits, count);
	taken->base = first_page + word * FH_WORD_BITS;
	taken->bits = bits;
	taken->count = count;
}

uint64_t fh_zone_take_words(struct fh_zone *zone, uint64_t want, unsigned most,
			    struct fh_taken *taken, uint64_t room)
{
	uint64_t words = 0;
	uint64_t pages = 0;

	while (pages < want && words < room) {
		unsigned best = fh_chain_best(zone, 1);

		if (best == 0 || best > most)
			break;
		uint64_t block = best < FH_ORDER_BLOCK ? zone->heads[best]
						       : open_run(zone);
		struct fh_block *b = &zone->blocks[block];
		while (b->free > 0 && pages < want && words < room) {
			take_word(b, fh_zone_page(zone, block), want - pages,
				  &taken[words]);
			pages += taken[words].count;
			words++;
		}
		settle(zone, block);
	}
	fh_zone_sub_free(zone, pages);
	return words;
}

uint64_t fh_zone_take_run(struct fh_zone *zone, uint64_t want, uint64_t *size)
{
	unsigned best = fh_chain_best(zone, FH_ORDER_BLOCK);
	unsigned order = FH_ORDER_BLOCK;

	if (best == 0)
		return FH_NO_BLOCK;
	while (order < best &&
	       (UINT64_C(2) << (order - FH_ORDER_BLOCK)) <= want)
		order++;
	*size = UINT64_C(1) << (order - FH_ORDER_BLOCK);
	fh_zone_sub_free(zone, *size * FH_BLOCK_PAGES);
	return fh_runs_take(zone, order);
}

/* ---- Giving ---- */

/* How many of n pages of a block are in use before the first free one. */
static uint64_t in_use_before_free(const struct fh_zone *zone, uint64_t block,
				   uint64_t offset, uint64_t n)
{
	if (!fh_bits_test(zone->touched, block))
		return n;
	if (fh_runs_have(zone, block))
		return 0;
	return fh_bits_zeros(zone->blocks[block].bits, offset, n);
}

/* The first page of the range that is free, or FH_NO_PAGE. */
static uint64_t first_free(const struct fh_zone *zone, uint64_t first,
			   uint64_t n)
{
	while (n > 0) {
		uint64_t part = pages_in_block(first, n);
		uint64_t in_use =
			in_use_before_free(zone, fh_zone_block(zone, first),
					   first % FH_BLOCK_PAGES, part);

		if (in_use < part)
			return first + in_use;
		first += part;
		n -= part;
	}
	return FH_NO_PAGE;
}

/* Pages offset .. offset+n-1 of a block, all in use. */
static void give_part(struct fh_zone *zone, uint64_t block, uint64_t offset,
		      uint64_t n)
{
	fh_block_give(&zone->blocks[block], offset, n);
	fh_bits_set(zone->touched, block, 1);
	settle(zone, block);
}

uint64_t fh_zone_give(struct fh_zone *zone, uint64_t first, uint64_t n)
{
	uint64_t twice = first_free(zone, first, n);

	if (twice != FH_NO_PAGE)
		return twice;
	fh_zone_add_free(zone, n);
	while (n > 0) {
		uint64_t part = pages_in_block(first, n);

		if (part == FH_BLOCK_PAGES) {
			part = n - n % FH_BLOCK_PAGES;
			fh_runs_give(zone, fh_zone_block(zone, first),
				     part / FH_BLOCK_PAGES);
		} else {
			give_part(zone, fh_zone_block(zone, first),
				  first % FH_BLOCK_PAGES, part);
		}
		first += part;
		n -= part;
	}
	return FH_NO_PAGE;
}

/* Which pages of mask are free already. */
static uint64_t free_already(const struct fh_zone *zone, uint64_t block,
			     uint64_t word, uint64_t mask)
{
	if (!fh_bits_test(zone->touched, block))
		return 0;
	if (fh_runs_have(zone, block))
		return mask;
	return zone->blocks[block].bits[word] & mask;
}

uint64_t fh_zone_give_mask(struct fh_zone *zone, uint64_t base, uint64_t mask,
			   uint64_t n)
{
	uint64_t block = fh_zone_block(zone, base);
	uint64_t word = base % FH_BLOCK_PAGES / FH_WORD_BITS;
	struct fh_block *b = &zone->blocks[block];
	uint64_t twice = free_already(zone, block, word, mask);

	if (twice != 0)
		return base + fh_lowest_bit(twice);
	fh_zone_add_free(zone, n);
	fh_block_give_mask(b, word, mask, n);
	fh_bits_set(zone->touched, block, 1);
	/* A word that is not full cannot lift the block above its own order. */
	if (b->word_order[word] > b->order || b->word_order[word] == 7)
		settle(zone, block);
	return FH_NO_PAGE;
}
