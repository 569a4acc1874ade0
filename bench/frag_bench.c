/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What storms leave of large pieces: 4 GiB of pages, the page allocator and a
 * plain buddy system with per-CPU lists, one CPU, the same requests for both.
 *
 *   singles   fill with pages, free a random half, replace 6.4 times as many
 *             one by one; then free all
 *   objects   1 to 256 pages each, half full, all replaced ten times
 *   orders    2^0 to 2^9 pages, seven of ten 2^0, four fifths full, replaced
 *             three times
 *
 * Counted is how many blocks of 2 MiB can be had, at their own alignment, and
 * how many requests of the storm were refused.
 */
#define _GNU_SOURCE

#include "bench.h"
#include "bench_host.h"
#include "hosted.h"
#include "plain_buddy.h"

#include <framehold/allocator.h>
#include <framehold/framehold.h>

#include <inttypes.h>
#include <stdlib.h>

#define PAGES       (UINT64_C(1) << 20)
#define BLOCK_PAGES UINT64_C(512)
#define NO_PAGE     UINT64_MAX

_Thread_local struct bench_cpu bench_cpu;

/* One allocator; n pages, aligned to the smallest power of two below 512. */
struct contender {
	const char *name;
	uint64_t (*take)(uint64_t n);
	void (*give)(uint64_t first, uint64_t n);
	void (*drain)(void);
};

struct object {
	uint64_t first;
	uint64_t n; /* 0: none */
};

static struct object objects[PAGES];
static uint64_t found[PAGES / BLOCK_PAGES];
static uint64_t all_pages; /* free when nothing is taken */
static uint64_t seed;
static FILE *csv;

static uint64_t draw(uint64_t n)
{
	uint64_t x = seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (x ^ (x >> 31)) % n;
}

static unsigned order_of_size(uint64_t n)
{
	unsigned order = 0;

	while (UINT64_C(1) << order < n)
		order++;
	return order;
}

/* ---- Contenders ---- */

static uint64_t our_take(uint64_t n)
{
	struct fh_alloc_options options = {
		.align = n == BLOCK_PAGES ? BLOCK_PAGES : 1,
	};
	uint64_t first;

	if (fh_allocator_pop(n, &options, &first) != FH_OK)
		return NO_PAGE;
	return first;
}

static void our_give(uint64_t first, uint64_t n)
{
	fh_allocator_give_back(first, n);
}

static uint64_t plain_take(uint64_t n)
{
	return plain_buddy_take(0, order_of_size(n));
}

static void plain_give(uint64_t first, uint64_t n)
{
	plain_buddy_give(0, first, order_of_size(n));
}

static void plain_drain(void)
{
	plain_buddy_drain(0);
}

static const struct contender contenders[] = {
	{"ours", our_take, our_give, fh_alloc_drain},
	{"plain buddy", plain_take, plain_give, plain_drain},
};

/* ---- Storms ---- */

/* Blocks that can be had now; they go back. */
static uint64_t count_blocks(const struct contender *c)
{
	uint64_t n = 0;

	while ((found[n] = c->take(BLOCK_PAGES)) != NO_PAGE)
		n++;
	for (uint64_t i = n; i > 0; i--)
		c->give(found[i - 1], BLOCK_PAGES);
	return n;
}

static void report(const struct contender *c, const char *storm,
		   const char *what, uint64_t value, uint64_t of)
{
	printf("%-12s %-9s %-34s %8" PRIu64, c->name, storm, what, value);
	if (of > 0)
		printf(" of %" PRIu64, of);
	printf("\n");
	if (csv != NULL)
		fprintf(csv, "%s,%s,%s,%" PRIu64 ",%" PRIu64 "\n", c->name,
			storm, what, value, of);
}

static void free_all(const struct contender *c, const char *storm,
		     uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		if (objects[i].n > 0)
			c->give(objects[i].first, objects[i].n);
		objects[i].n = 0;
	}
	report(c, storm, "blocks, all freed", count_blocks(c),
	       all_pages / BLOCK_PAGES);
	c->drain();
	report(c, storm, "blocks, all freed and drained", count_blocks(c),
	       all_pages / BLOCK_PAGES);
	c->drain();
}

static void storm_of_singles(const struct contender *c)
{
	uint64_t n = 0;

	while (n < PAGES && (objects[n].first = c->take(1)) != NO_PAGE)
		objects[n++].n = 1;
	report(c, "singles", "pages had before the first refusal", n,
	       all_pages);
	for (uint64_t i = n - 1; i > 0; i--) {
		uint64_t other = draw(i + 1);
		struct object swapped = objects[i];

		objects[i] = objects[other];
		objects[other] = swapped;
	}
	for (uint64_t i = n / 2; i < n; i++) {
		c->give(objects[i].first, 1);
		objects[i].n = 0;
	}
	for (uint64_t i = 0; i < n / 2 * 64 / 10; i++) {
		struct object *o = &objects[draw(n / 2)];

		c->give(o->first, 1);
		o->first = c->take(1);
	}
	report(c, "singles", "blocks, half full", count_blocks(c),
	       all_pages / BLOCK_PAGES / 2);
	free_all(c, "singles", n / 2);
}

static uint64_t size_of_object(void)
{
	return 1 + draw(256);
}

static uint64_t size_by_order(void)
{
	if (draw(10) < 7)
		return 1;
	return UINT64_C(1) << (1 + draw(9));
}

/* Fills to `level` pages, and replaces objects until `turnover` are taken. */
static void mixed_storm(const struct contender *c, const char *storm,
			uint64_t (*size)(void), uint64_t level,
			uint64_t turnover)
{
	uint64_t count = 0, in_use = 0, refused = 0, large = 0, requests = 0;

	while (turnover > 0) {
		uint64_t n = size();

		while (in_use + n > level) {
			uint64_t victim = draw(count);

			c->give(objects[victim].first, objects[victim].n);
			in_use -= objects[victim].n;
			count--;
			objects[victim] = objects[count];
			objects[count].n = 0;
		}
		turnover -= n < turnover ? n : turnover;
		requests++;
		uint64_t first = c->take(n);
		if (first == NO_PAGE) {
			refused++;
			large += n == BLOCK_PAGES;
			continue;
		}
		objects[count].first = first;
		objects[count].n = n;
		count++;
		in_use += n;
	}
	report(c, storm, "requests refused", refused, requests);
	report(c, storm, "of these, of 2 MiB", large, 0);
	report(c, storm, "blocks while full so far", count_blocks(c),
	       (all_pages - in_use) / BLOCK_PAGES);
	free_all(c, storm, count);
}

static void all_storms(const struct contender *c)
{
	seed = 1;
	storm_of_singles(c);
	seed = 2;
	mixed_storm(c, "objects", size_of_object, all_pages / 2,
		    all_pages / 2 * 11);
	seed = 3;
	mixed_storm(c, "orders", size_by_order, all_pages / 5 * 4,
		    all_pages / 5 * 16);
}

/* ---- The machine ---- */

static uint64_t free_pages_now(void)
{
	struct fh_alloc_stats stats;

	fh_alloc_stats(&stats);
	return stats.free;
}

/* The plain buddy has the pages that ours has, while ours rests. */
static void open_plain(void)
{
	uint64_t first = PAGES;

	while (fh_allocator_is_free(first - 1))
		first--;
	for (uint64_t section = first / FH_SECTION_FRAMES;
	     section < PAGES / FH_SECTION_FRAMES; section++)
		fh_section_make_live(section);
	plain_buddy_open(first, PAGES - first);
	all_pages = PAGES - first;
}

int main(int argc, char **argv)
{
	static const struct fh_region regions[] = {
		{0, PAGES * FH_PAGE_SIZE, FH_REGION_USABLE},
	};
	struct bench_options options = {
		.program = "frag_bench",
		.about = "Counts the blocks of 2 MiB that storms of "
			 "allocations leave. No times.",
		.seconds = 1,
	};
	int status;

	if (!bench_options(argc, argv, &options, &status))
		return status;
	if (options.csv != NULL) {
		csv = fopen(options.csv, "w");
		if (csv == NULL) {
			fprintf(stderr, "frag_bench: cannot write %s\n",
				options.csv);
			return 1;
		}
		fprintf(csv, "allocator,storm,figure,value,of\n");
	}
	if (hosted_start(regions, 1, NULL) != FH_OK) {
		fprintf(stderr, "frag_bench: %s\n", hosted_why());
		return 1;
	}
	all_pages = free_pages_now();
	all_storms(&contenders[0]);
	open_plain();
	all_storms(&contenders[1]);
	plain_buddy_close();
	hosted_stop();
	if (csv != NULL && fclose(csv) != 0)
		return 1;
	return 0;
}
