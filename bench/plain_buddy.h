/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The allocator to compare with: a buddy system with one lock, its free lists
 * threaded through the slots of the pages, and lists of pages and of 2 MiB
 * blocks for each CPU in front. Written for the benchmark after the usual
 * description; nothing else uses it.
 */
#ifndef FRAMEHOLD_BENCH_PLAIN_BUDDY_H
#define FRAMEHOLD_BENCH_PLAIN_BUDDY_H

#include <stdbool.h>
#include <stdint.h>

/* The largest order: 2^18 pages, 1 GiB. */
#define PLAIN_BUDDY_LAST 18

#define PLAIN_BUDDY_NONE UINT64_MAX

/* The pages first .. first+n-1 are free, and no others. */
void plain_buddy_open(uint64_t first, uint64_t n);

/*
 * Forgets all pages, which are all free, and leaves no trace of them in their
 * slots.
 */
void plain_buddy_close(void);

/* The first of 2^order pages, or PLAIN_BUDDY_NONE. */
uint64_t plain_buddy_take(unsigned cpu, unsigned order);
void plain_buddy_give(unsigned cpu, uint64_t page, unsigned order);

/* Gives back what the CPU keeps. */
void plain_buddy_drain(unsigned cpu);

/* Pages in the free lists, without what CPUs keep. */
uint64_t plain_buddy_free(void);

#endif /* FRAMEHOLD_BENCH_PLAIN_BUDDY_H */
