/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Zones: a contiguous piece of memory, its blocks, and one lock for them. A
 * zone knows free pages only; who has the others, or whether there is memory
 * at all, it does not know.
 *
 *     page      first * 512                      (first + count) * 512
 *     blocks    [ 0 ][ 1 ][ 2 ] ...                      [ count - 1 ]
 *     touched     0    1    1 ...    1: some page of the block is free
 *
 * Every block whose order is not 0 is in the chain of that order, doubly
 * linked by indexes. The smallest chain that is large enough is taken from:
 * best fit.
 *
 * Invariants, which the audit checks by these names:
 *   counts   block.free is the number of its ones; zone.free that of all free
 *            pages
 *   orders   word_order and order say what the bits say; a block with order 0
 *            or FH_ORDER_BLOCK and more has no ones
 *   chains   exactly the blocks of an order are in its chain, and neighbours
 *            name each other
 *   runs     the head of a run lies at a multiple of the run's size, counted
 *            in blocks from page 0; its other blocks have order 0; a run's
 *            buddy is not a free run of the same size in the same zone
 *   touched  set for the blocks of order 1 .. 9 and for all blocks of runs
 *
 * Blocks are named by their index in the zone. Every function here is called
 * with the zone's lock held, except where its comment says so.
 */
#ifndef FRAMEHOLD_SRC_ZONES_H
#define FRAMEHOLD_SRC_ZONES_H

#include "block.h"
#include "lock.h"

/* No block, no page. */
#define FH_NO_BLOCK UINT32_MAX
#define FH_NO_PAGE  UINT64_MAX

struct fh_zone {
	struct fh_lock lock;
	uint64_t free; /* pages; read by others without the lock: atomic */
	struct fh_block *blocks;
	uint64_t *touched;
	uint64_t first; /* the number of its first block: page / 512 */
	uint64_t count;
	uint64_t filled; /* bit o: the chain of order o has a block; atomic */
	uint32_t heads[FH_ORDERS]; /* of the chains, by order */

	/* Constant while memory is up. */
	uint64_t pages;   /* that may become free; atomic: more may be added */
	uint64_t reserve; /* free pages that only urgent requests may take */
	uint64_t node;
};

/* Pages of one word, taken together. */
struct fh_taken {
	uint64_t base;
	uint64_t bits;
	uint64_t count; /* ones in bits */
};

/* The index of the block that page lies in; the zone has it. */
static inline uint64_t fh_zone_block(const struct fh_zone *zone, uint64_t page)
{
	return page / FH_BLOCK_PAGES - zone->first;
}

/* Whether the page lies in the zone. */
static inline bool fh_zone_has(const struct fh_zone *zone, uint64_t page)
{
	uint64_t block = page / FH_BLOCK_PAGES;

	return block >= zone->first && block - zone->first < zone->count;
}

/* The first page of a block. */
static inline uint64_t fh_zone_page(const struct fh_zone *zone, uint64_t block)
{
	return (zone->first + block) * FH_BLOCK_PAGES;
}

/* Pages that are free now. Without the lock: a hint. */
static inline uint64_t fh_zone_free(const struct fh_zone *zone)
{
	return fh_word_load_relaxed(&zone->free);
}

static inline void fh_zone_add_free(struct fh_zone *zone, uint64_t n)
{
	fh_word_store_relaxed(&zone->free, zone->free + n);
}

static inline void fh_zone_sub_free(struct fh_zone *zone, uint64_t n)
{
	fh_word_store_relaxed(&zone->free, zone->free - n);
}

/*
 * Makes a zone of count blocks, none free. blocks and touched are zeroed;
 * touched has a bit for each block, in whole words. Before anybody else knows
 * the zone.
 */
void fh_zone_init(struct fh_zone *zone, uint64_t first, uint64_t count,
		  struct fh_block *blocks, uint64_t *touched);

/* ---- buddy.c: chains, and runs of whole blocks ---- */

/* Moves the block to the chain of that order; 0: to none. */
void fh_chain_move(struct fh_zone *zone, uint64_t block, unsigned order);

/*
 * The smallest order, at least `order`, whose chain has a block; 0: none.
 * Without the lock: a hint.
 */
unsigned fh_chain_best(const struct fh_zone *zone, unsigned order);

/*
 * n blocks from `block` on, none touched, become free runs, merged with their
 * buddies. Does not count free pages; nor does anything else in buddy.c.
 */
void fh_runs_give(struct fh_zone *zone, uint64_t block, uint64_t n);

/*
 * Takes 2^(order - FH_ORDER_BLOCK) blocks out of the smallest run that has
 * them; there is one. Returns the first.
 */
uint64_t fh_runs_take(struct fh_zone *zone, unsigned order);

/* Takes n blocks from `block` on out of the runs that they are in. */
void fh_runs_take_exact(struct fh_zone *zone, uint64_t block, uint64_t n);

/* Whether the block is free as a whole. */
static inline bool fh_runs_have(const struct fh_zone *zone, uint64_t block)
{
	unsigned order = zone->blocks[block].order;

	return (order == 0 || order >= FH_ORDER_BLOCK) &&
	       fh_bits_test(zone->touched, block);
}

/* The head of the run that the block is in; there is one. */
uint64_t fh_runs_head(const struct fh_zone *zone, uint64_t block);

/* ---- zones.c: pages ---- */

/* Whether the page, of this zone, is free. */
bool fh_zone_is_free(const struct fh_zone *zone, uint64_t page);

/*
 * Takes n <= 2^18 pages that follow each other from the smallest run of
 * 2^(order - 1) free pages or more, at its start, but of no order above
 * `most`; n <= 2^(order - 1). Returns the first page, a multiple of
 * 2^(order - 1), or FH_NO_PAGE.
 */
uint64_t fh_zone_take(struct fh_zone *zone, uint64_t n, unsigned order,
		      unsigned most);

/* Takes n pages from `first` on, all free and of this zone. */
void fh_zone_take_exact(struct fh_zone *zone, uint64_t first, uint64_t n);

/*
 * Takes pages one by one, wherever they lie, best fit, whole words where
 * possible, but from nothing of an order above `most`: at most `want` pages,
 * at most `room` words. Returns how many words it filled in.
 */
uint64_t fh_zone_take_words(struct fh_zone *zone, uint64_t want, unsigned most,
			    struct fh_taken *taken, uint64_t room);

/*
 * Takes the smallest run of whole blocks, or `want` blocks of it at most.
 * Returns the first and their number, a power of two, in *size, or
 * FH_NO_BLOCK.
 */
uint64_t fh_zone_take_run(struct fh_zone *zone, uint64_t want, uint64_t *size);

/*
 * Pages from first on, of this zone, become free. If one of them is free
 * already it is returned, and nothing changes; FH_NO_PAGE otherwise.
 */
FH_NODISCARD
uint64_t fh_zone_give(struct fh_zone *zone, uint64_t first, uint64_t n);

/*
 * The same for the n ones of mask, in the word that begins with page base.
 */
FH_NODISCARD
uint64_t fh_zone_give_mask(struct fh_zone *zone, uint64_t base, uint64_t mask,
			   uint64_t n);

/*
 * Fetches what giving the page will need into the cache. Any page: it may be
 * of another zone. Called with or without the lock.
 */
static inline void fh_zone_prefetch(const struct fh_zone *zone, uint64_t page)
{
	if (!fh_zone_has(zone, page))
		return;
	const struct fh_block *b = &zone->blocks[fh_zone_block(zone, page)];
	__builtin_prefetch(&b->bits[page % FH_BLOCK_PAGES / FH_WORD_BITS], 1);
	__builtin_prefetch(&b->order, 1);
}

/* ---- search.c ---- */

/*
 * Takes the first n free pages that follow each other, beginning at a multiple
 * of align and ending at or before `below`. Returns the first, or FH_NO_PAGE.
 * Takes the lock itself, and lets go of it between pieces of the search:
 * called without.
 */
uint64_t fh_zone_search(struct fh_zone *zone, uint64_t n, uint64_t align,
			uint64_t below);

#endif /* FRAMEHOLD_SRC_ZONES_H */
