/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Blocks that are free in part, in their zone. Bits are set and cleared first,
 * and then the block goes to the chain that they call for. A block whose last
 * page in use comes back loses its bits and becomes a run; a block of a run
 * that is taken in part gets bits again.
 */
#include "parts.h"

void fh_part_settle(struct fh_zone *zone, uint64_t block)
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

uint64_t fh_part_open(struct fh_zone *zone)
{
	uint64_t block = fh_runs_take(zone, FH_ORDER_BLOCK);

	fh_block_fill(&zone->blocks[block]);
	fh_bits_set(zone->touched, block, 1);
	return block;
}

void fh_part_take(struct fh_zone *zone, uint64_t block, uint64_t offset,
		  uint64_t n)
{
	struct fh_block *b = &zone->blocks[block];

	if (fh_runs_have(zone, block)) {
		fh_runs_take_exact(zone, block, 1);
		fh_block_fill(b);
		fh_bits_set(zone->touched, block, 1);
	}
	fh_block_take(b, offset, n);
	fh_part_settle(zone, block);
}

void fh_part_give(struct fh_zone *zone, uint64_t block, uint64_t offset,
		  uint64_t n)
{
	fh_block_give(&zone->blocks[block], offset, n);
	fh_bits_set(zone->touched, block, 1);
	fh_part_settle(zone, block);
}
