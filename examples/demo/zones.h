/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where free memory is and how whole: the allocator's own figures of its
 * zones, and the same counted anew from the slots. Every other CPU is parked.
 */
#ifndef DEMO_ZONES_H
#define DEMO_ZONES_H

#include <framehold/alloc.h>

#define MOST_ZONES 64

/* Pages of the largest page that hardware maps without much ado: 2 MiB. */
#define BLOCK_PAGES UINT64_C(512)

struct zones {
	size_t count;
	struct fh_zone_stats zone[MOST_ZONES];

	/* All together. */
	uint64_t pages;
	uint64_t free;
	uint64_t free_blocks; /* of 2 MiB: they can be had */
	uint64_t longest_run; /* in pages */
};

/* What CPUs keep at hand goes back before. */
struct zones zones_now(void);

/* Blocks that there would be if free pages lay side by side, in each zone. */
uint64_t zones_possible_blocks(const struct zones *zones);

/*
 * Whether the slots of all pages tell the same. If not, says on stderr what is
 * different.
 */
bool zones_agree_with_slots(const struct zones *zones);

/* By the slots: free blocks and free pages below a page. */
uint64_t zones_blocks_below(uint64_t end);
uint64_t zones_free_below(uint64_t end);

/* By the slots: the first free page; there is one. */
uint64_t zones_first_free(void);

#endif /* DEMO_ZONES_H */
