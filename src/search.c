/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The search of last resort: a walk over a zone's blocks, in order, for the
 * first n free pages that follow each other, wherever runs begin and end.
 * Chains find only runs at multiples of their size; what no chain has, and
 * requests below an address, are looked for here, so that a request is refused
 * only when there is really no place for it.
 *
 * The lock is let go of every SEARCH_BLOCKS blocks, but not in the middle of
 * free pages, which would not be sure to stay so.
 */
#include "runs.h"

#define SEARCH_BLOCKS 64

struct search {
	struct fh_zone *zone;
	uint64_t n;
	uint64_t align;
	uint64_t below;
	/* The free pages that end where the search stands. */
	uint64_t run_first;
	uint64_t run_pages;
};

/* The first of the n pages sought in the present run, or FH_NO_PAGE. */
static uint64_t place_in_run(const struct search *s)
{
	uint64_t over = s->run_first % s->align;
	uint64_t skip = over == 0 ? 0 : s->align - over;

	if (skip > s->run_pages || s->n > s->run_pages - skip)
		return FH_NO_PAGE;
	return s->run_first + skip;
}

/* The next n pages are free. */
static uint64_t extend_search(struct search *s, uint64_t first, uint64_t n)
{
	if (first >= s->below)
		return FH_NO_PAGE;
	if (s->run_pages == 0)
		s->run_first = first;
	s->run_pages += n < s->below - first ? n : s->below - first;
	return place_in_run(s);
}

static uint64_t search_word(struct search *s, uint64_t word, uint64_t base)
{
	uint64_t bit = 0;

	while (bit < FH_WORD_BITS) {
		uint64_t left = word >> bit;
		uint64_t skip =
			left == 0 ? FH_WORD_BITS - bit : fh_lowest_bit(left);

		if (skip > 0)
			s->run_pages = 0;
		bit += skip;
		if (bit == FH_WORD_BITS)
			break;
		uint64_t in_use = ~(word >> bit);
		uint64_t free =
			in_use == 0 ? FH_WORD_BITS : fh_lowest_bit(in_use);
		uint64_t found = extend_search(s, base + bit, free);
		if (found != FH_NO_PAGE)
			return found;
		bit += free;
	}
	return FH_NO_PAGE;
}

static uint64_t search_words(struct search *s, uint64_t block)
{
	const struct fh_block *b = &s->zone->blocks[block];
	uint64_t base = fh_zone_page(s->zone, block);

	for (uint64_t word = 0; word < FH_BLOCK_WORDS; word++) {
		uint64_t found = search_word(s, b->bits[word],
					     base + word * FH_WORD_BITS);

		if (found != FH_NO_PAGE)
			return found;
	}
	return FH_NO_PAGE;
}

/* Blocks from `block` to the end of the run that it is in. */
static uint64_t rest_of_run(const struct fh_zone *zone, uint64_t block)
{
	uint64_t head = fh_runs_head(zone, block);
	unsigned order = zone->blocks[head].order;

	return (UINT64_C(1) << (order - FH_ORDER_BLOCK)) - (block - head);
}

/* Looks at the block and moves on to the one after it or after its run. */
static uint64_t search_block(struct search *s, uint64_t *block)
{
	uint64_t here = *block;

	*block = here + 1;
	if (!fh_bits_test(s->zone->touched, here)) {
		s->run_pages = 0;
		return FH_NO_PAGE;
	}
	if (!fh_runs_have(s->zone, here))
		return search_words(s, here);
	uint64_t blocks = rest_of_run(s->zone, here);
	*block = here + blocks;
	return extend_search(s, fh_zone_page(s->zone, here),
			     blocks * FH_BLOCK_PAGES);
}

/* One piece, from *block on, with the lock held. */
static uint64_t search_piece(struct search *s, uint64_t *block)
{
	struct fh_zone *zone = s->zone;
	uint64_t found = FH_NO_PAGE;
	uint64_t looked_at = 0;

	while (found == FH_NO_PAGE && *block < zone->count &&
	       fh_zone_page(zone, *block) < s->below) {
		if (looked_at >= SEARCH_BLOCKS && s->run_pages == 0)
			break;
		found = search_block(s, block);
		looked_at++;
	}
	if (found != FH_NO_PAGE)
		fh_zone_take_exact(zone, found, s->n);
	return found;
}

uint64_t fh_zone_search(struct fh_zone *zone, uint64_t n, uint64_t align,
			uint64_t below)
{
	struct search s = {
		.zone = zone, .n = n, .align = align, .below = below};
	uint64_t found = FH_NO_PAGE;
	uint64_t block = 0;
	bool enough = true;

	while (found == FH_NO_PAGE && enough && block < zone->count &&
	       fh_zone_page(zone, block) < below) {
		uint64_t saved = fh_lock(&zone->lock);

		enough = fh_zone_free(zone) >= n;
		if (enough)
			found = search_piece(&s, &block);
		fh_unlock(&zone->lock, saved);
	}
	return found;
}
