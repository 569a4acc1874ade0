/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The audit of the allocator: walks every block, every chain and every
 * magazine, and names the first broken rule of zones.h and magazine.h. CPUs
 * are parked, so that no lock is taken.
 *
 *   allocator_counts   free pages by bits, by block and by zone
 *   allocator_orders   a word's or a block's order is not what its bits say
 *   allocator_chains   a block is not in the chain of its order, or twice
 *   allocator_runs     a run is out of place, overlaps, or was not merged
 *   allocator_touched  does not tell free blocks from others
 *   allocator_cached   a page in a magazine is in its zone or another magazine
 *                      too, or is not FREE, or is none of ours
 */
#include "allocator_audit.h"

#include <framehold/allocator.h>

#include "magazine.h"
#include "runs.h"

/* A zone while its blocks are walked. */
struct zone_walk {
	struct fh_zone *zone;
	uint64_t block;
	uint64_t run_end; /* blocks below are in the run that was met last */
	uint64_t free;    /* pages counted so far */
	uint64_t chained; /* blocks that must be in a chain */
	struct fh_finding *finding;
};

static enum fh_status broken(struct fh_finding *finding, const char *rule,
			     uint64_t page, const char *needed)
{
	*finding = (struct fh_finding){
		.rule = rule,
		.frame = page,
		.needed = needed,
	};
	return FH_E_CORRUPT;
}

static enum fh_status broken_here(struct zone_walk *walk, const char *rule,
				  const char *needed)
{
	return broken(walk->finding, rule,
		      fh_zone_page(walk->zone, walk->block), needed);
}

static enum fh_status miscounted(struct fh_finding *finding, uint64_t page,
				 uint64_t found, uint64_t needed)
{
	(void)broken(finding, "allocator_counts", page, "free pages");
	finding->has_counts = true;
	finding->found_count = found;
	finding->needed_count = needed;
	return FH_E_CORRUPT;
}

/* ---- Blocks ---- */

static enum fh_status check_bits(struct zone_walk *walk,
				 const struct fh_block *block)
{
	uint64_t ones = 0;

	for (uint64_t word = 0; word < FH_BLOCK_WORDS; word++) {
		ones += fh_bit_count(block->bits[word]);
		if (block->word_order[word] != fh_word_order(block->bits[word]))
			return broken_here(walk, "allocator_orders",
					   "the order of each word");
	}
	if (ones != block->free)
		return miscounted(walk->finding,
				  fh_zone_page(walk->zone, walk->block),
				  block->free, ones);
	if (block->order < FH_ORDER_BLOCK
		    ? block->order != fh_block_true_order(block)
		    : ones != 0)
		return broken_here(walk, "allocator_orders",
				   "the order that the bits call for");
	return FH_OK;
}

/* The head of a run. */
static enum fh_status check_run(struct zone_walk *walk, unsigned order)
{
	const struct fh_zone *zone = walk->zone;
	uint64_t size = UINT64_C(1) << (order - FH_ORDER_BLOCK);
	uint64_t number = zone->first + walk->block;

	if (walk->block < walk->run_end)
		return broken_here(walk, "allocator_runs", "one run only");
	if (order > FH_ORDER_LAST || number % size != 0 ||
	    size > zone->count - walk->block)
		return broken_here(walk, "allocator_runs",
				   "a place that is a multiple of its size");
	walk->run_end = walk->block + size;
	walk->free += size * FH_BLOCK_PAGES;
	if (order == FH_ORDER_LAST || number / size % 2 == 1)
		return FH_OK;
	/* The upper buddy; the lower one is looked at from here, too. */
	if (size <= zone->count - walk->run_end &&
	    zone->blocks[walk->run_end].order == order)
		return broken_here(walk, "allocator_runs",
				   "merged with its buddy");
	return FH_OK;
}

static enum fh_status check_block(struct zone_walk *walk)
{
	const struct fh_block *block = &walk->zone->blocks[walk->block];
	enum fh_status status = check_bits(walk, block);

	if (status == FH_OK && block->order >= FH_ORDER_BLOCK)
		status = check_run(walk, block->order);
	if (status != FH_OK)
		return status;
	if (block->order != 0)
		walk->chained++;
	bool in_run = walk->block < walk->run_end;
	if (in_run && block->free > 0)
		return broken_here(walk, "allocator_runs", "no bits in a run");
	if (fh_bits_test(walk->zone->touched, walk->block) !=
	    (in_run || block->free > 0))
		return broken_here(walk, "allocator_touched",
				   "set if and only if a page is free");
	walk->free += block->free;
	return FH_OK;
}

/* ---- Chains ---- */

/* Walks one chain; *length is how many blocks it has. */
static enum fh_status check_chain(struct zone_walk *walk, unsigned order,
				  uint64_t *length)
{
	const struct fh_zone *zone = walk->zone;
	uint64_t previous = FH_NO_BLOCK;
	uint64_t block = zone->heads[order];

	*length = 0;
	while (block != FH_NO_BLOCK) {
		if (block >= zone->count || *length == zone->count ||
		    zone->blocks[block].order != order ||
		    zone->blocks[block].previous != previous)
			return broken_here(walk, "allocator_chains",
					   "blocks of one order, linked");
		walk->block = block;
		previous = block;
		block = zone->blocks[block].next;
		(*length)++;
	}
	if (fh_bits_test(&zone->filled, order) != (*length > 0))
		return broken_here(walk, "allocator_chains",
				   "said to be filled if it is");
	return FH_OK;
}

static enum fh_status check_chains(struct zone_walk *walk)
{
	uint64_t chained = 0;

	walk->block = 0;
	for (unsigned order = 1; order < FH_ORDERS; order++) {
		uint64_t length;
		enum fh_status status = check_chain(walk, order, &length);

		if (status != FH_OK)
			return status;
		chained += length;
	}
	/* Blocks in chains are of their order; as many are of any order. */
	if (chained != walk->chained)
		return broken_here(walk, "allocator_chains",
				   "every block with an order in a chain");
	return FH_OK;
}

static enum fh_status check_zone(struct fh_zone *zone,
				 struct fh_finding *finding)
{
	struct zone_walk walk = {.zone = zone, .finding = finding};

	for (walk.block = 0; walk.block < zone->count; walk.block++) {
		enum fh_status status = check_block(&walk);

		if (status != FH_OK)
			return status;
	}
	if (walk.free != fh_zone_free(zone))
		return miscounted(finding, fh_zone_page(zone, 0),
				  fh_zone_free(zone), walk.free);
	return check_chains(&walk);
}

/* ---- Magazines ---- */

/*
 * Pages in magazines have no ones in their blocks. While magazines are walked,
 * those seen have; who finds one set has seen the page before, or finds it
 * free. Returns false then, with nothing changed.
 */
static bool mark_seen(uint64_t page, uint64_t n)
{
	struct fh_zone *zone = fh_layout_zone(page);

	if (zone == NULL || !fh_layout_covers(page))
		return false;
	uint64_t block = fh_zone_block(zone, page);
	uint64_t offset = page % FH_BLOCK_PAGES;
	uint64_t *bits = zone->blocks[block].bits;
	if (fh_runs_have(zone, block) || fh_bits_zeros(bits, offset, n) < n)
		return false;
	for (uint64_t i = 0; i < n; i++)
		if (fh_state_load_relaxed(page + i) != FH_STATE_FREE)
			return false;
	fh_bits_set(bits, offset, n);
	return true;
}

static void unmark_seen(uint64_t page, uint64_t n)
{
	struct fh_zone *zone = fh_layout_zone(page);

	fh_bits_clear(zone->blocks[fh_zone_block(zone, page)].bits,
		      page % FH_BLOCK_PAGES, n);
}

/* The index-th entry of a magazine: pages first, then blocks. */
static bool magazine_entry(const struct fh_magazine *m, uint64_t index,
			   uint64_t *page, uint64_t *n)
{
	if (index < m->page_count) {
		*page = m->pages[index];
		*n = 1;
		return true;
	}
	if (index - m->page_count >= m->block_count)
		return false;
	*page = m->blocks[index - m->page_count] * FH_BLOCK_PAGES;
	*n = FH_BLOCK_PAGES;
	return true;
}

/* Unmarks what was marked: all of the CPUs before, and so many entries. */
static void unmark_all(unsigned end_cpu, uint64_t entries)
{
	uint64_t page, n;

	for (unsigned cpu = 0; cpu <= end_cpu && cpu < FH_MAX_CPUS; cpu++)
		for (uint64_t i = 0;
		     (cpu < end_cpu || i < entries) &&
		     magazine_entry(&fh_magazines[cpu], i, &page, &n);
		     i++)
			unmark_seen(page, n);
}

static enum fh_status check_magazines(struct fh_finding *finding)
{
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++) {
		uint64_t page, n;

		for (uint64_t i = 0;
		     magazine_entry(&fh_magazines[cpu], i, &page, &n); i++) {
			if (mark_seen(page, n))
				continue;
			unmark_all(cpu, i);
			return broken(finding, "allocator_cached", page,
				      "FREE, and kept in one place");
		}
	}
	unmark_all(FH_MAX_CPUS, 0);
	return FH_OK;
}

enum fh_status fh_audit_allocator(struct fh_finding *finding)
{
	for (uint64_t i = 0; i < fh_layout.zone_count; i++) {
		enum fh_status status = check_zone(&fh_zones[i], finding);

		if (status != FH_OK)
			return status;
	}
	return check_magazines(finding);
}
