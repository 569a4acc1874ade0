/* SPDX-License-Identifier: MPL-2.0 */
/* The tests' machine and their questions about it: harness.h. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct fh_region machine_regions[] = {
	{0, 159 * FH_PAGE_SIZE, FH_REGION_USABLE},
	{159 * FH_PAGE_SIZE, 97 * FH_PAGE_SIZE, FH_REGION_RESERVED},
	{256 * FH_PAGE_SIZE, 3840 * FH_PAGE_SIZE, FH_REGION_USABLE},
	{512 * FH_PAGE_SIZE, 128 * FH_PAGE_SIZE, FH_REGION_KERNEL},
	{HIGH_FIRST * FH_PAGE_SIZE, 1024 * FH_PAGE_SIZE, FH_REGION_USABLE},
};

#define REGION_COUNT (sizeof(machine_regions) / sizeof(machine_regions[0]))

#define FRESH_FIRST 3072
#define FRESH_END   4096

static uint64_t next_fresh;

static int start(bool dirty)
{
	struct hosted_options options = {.dirty = dirty};

	drops = 0;
	next_fresh = FRESH_FIRST;
	if (hosted_start(machine_regions, REGION_COUNT, &options) != FH_OK) {
		fprintf(stderr, "machine: %s\n", hosted_why());
		return -1;
	}
	return 0;
}

int start_machine(void **state)
{
	(void)state;
	return start(false);
}

int start_dirty_machine(void **state)
{
	(void)state;
	return start(true);
}

int stop_machine(void **state)
{
	(void)state;
	hosted_stop();
	return 0;
}

void each_on_a_machine(struct CMUnitTest *tests, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (tests[i].setup_func != NULL ||
		    tests[i].teardown_func != NULL)
			continue;
		tests[i].setup_func = start_machine;
		tests[i].teardown_func = stop_machine;
	}
}

uint64_t free_pages(uint64_t n)
{
	uint64_t run = 0;

	for (uint64_t i = 2048; i < 4096; i++) {
		run = state_of(i) == FH_STATE_FREE ? run + 1 : 0;
		if (run == n)
			return i + 1 - n;
	}
	fail_msg("no %llu free pages in a row", (unsigned long long)n);
	return 0;
}

uint64_t fresh_pages(uint64_t n)
{
	uint64_t first = next_fresh;

	/* A page stays between two answers, as a neighbour for both. */
	next_fresh += n + 1;
	assert_true(next_fresh <= FRESH_END);
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(state_of(first + i), FH_STATE_FREE);
	return first;
}

uint64_t unused_page(void)
{
	uint64_t frame = free_pages(1);

	OK(fh_alloc_take(frame, 1));
	return frame;
}

uint64_t state_of(uint64_t frame)
{
	return fh_state_load_acquire(frame);
}

void force_state(uint64_t frame, uint64_t state)
{
	fh_state_store_release(frame, state);
}

struct fh_paddr address_of(uint64_t frame)
{
	return fh_paddr_of_frame(frame);
}

uint64_t count_free(void)
{
	struct fh_alloc_stats stats;

	fh_alloc_stats(&stats);
	return stats.free;
}

/* More than the machine has. */
#define MOST_FREE 8192

bool is_allocatable(uint64_t frame)
{
	static struct fh_frame all[MOST_FREE];
	const struct fh_alloc_options any = {.align = 1};
	size_t n = 0;
	bool found = false;

	while (n < MOST_FREE &&
	       fh_frame_alloc(&any, &fh_untyped_type, NULL, &all[n]) == FH_OK) {
		found = found || fh_frame_number(all[n]) == frame;
		n++;
	}
	assert_true(n < MOST_FREE);
	while (n > 0) {
		n--;
		fh_frame_put(&all[n]);
	}
	return found;
}

unsigned drops;
struct fh_dropping last_drop;
struct fh_meta last_drop_meta;

static void count_drop(struct fh_dropping page)
{
	drops++;
	last_drop = page;
	last_drop_meta = *fh_dropping_meta(page);
}

const struct fh_meta_type counting_type = {
	.name = "counting",
	.size = FH_META_SIZE,
	.usage = FH_USAGE_FRAME,
	.on_drop = count_drop,
};
const struct fh_meta_type other_type = {
	.name = "other",
	.size = 8,
	.usage = FH_USAGE_FRAME,
};
const struct fh_meta_type linkable_type = {
	.name = "linkable",
	.size = FH_META_SIZE_IN_LIST,
	.usage = FH_USAGE_FRAME,
	.on_drop = count_drop,
};

#define LOW_COUNT  4096
#define HIGH_COUNT (FRAME_END - HIGH_FIRST)

static struct fh_view_page low_before[LOW_COUNT], low_after[LOW_COUNT];
static struct fh_view_page high_before[HIGH_COUNT], high_after[HIGH_COUNT];

void watch_begin(void)
{
	struct fh_view low = {0, LOW_COUNT, low_before};
	struct fh_view high = {HIGH_FIRST, HIGH_COUNT, high_before};

	fh_view_take(&low);
	fh_view_take(&high);
}

static void compare(uint64_t first, uint64_t n, struct fh_view_page *before,
		    struct fh_view_page *after, uint64_t except, uint64_t count,
		    const char *call, const char *file, int line)
{
	struct fh_view old = {first, n, before};
	struct fh_view new = {first, n, after};
	uint64_t frame;

	fh_view_take(&new);
	if (fh_view_agree_except(&old, &new, except, count, &frame))
		return;
	print_error("%s changed page %#llx: state %llu -> %llu\n", call,
		    (unsigned long long)(frame * FH_PAGE_SIZE),
		    (unsigned long long)before[frame - first].slot.state,
		    (unsigned long long)after[frame - first].slot.state);
	_fail(file, line);
}

void watch_end(uint64_t except, uint64_t count, const char *call,
	       const char *file, int line)
{
	compare(0, LOW_COUNT, low_before, low_after, except, count, call, file,
		line);
	compare(HIGH_FIRST, HIGH_COUNT, high_before, high_after, except, count,
		call, file, line);
	assert_audit_clean(file, line);
}

struct fh_finding stop_finding;

void stops_with(const char *rule, void (*body)(void *arg), void *arg,
		const char *file, int line)
{
	char text[FH_FINDING_TEXT_SIZE];

	if (!hosted_stops(body, arg, &stop_finding)) {
		print_error("did not stop the machine by rule %s\n", rule);
		_fail(file, line);
	}
	if (strcmp(stop_finding.rule, rule) != 0) {
		fh_finding_text(&stop_finding, text, sizeof(text));
		print_error("stopped by another rule than %s: %s\n", rule,
			    text);
		_fail(file, line);
	}
}

void assert_audit_clean(const char *file, int line)
{
	struct fh_finding finding;
	char text[FH_FINDING_TEXT_SIZE];

	if (fh_audit(&finding) == FH_OK)
		return;
	fh_finding_text(&finding, text, sizeof(text));
	print_error("audit: %s\n", text);
	_fail(file, line);
}

void assert_nothing_held(uint64_t free_before, const char *file, int line)
{
	assert_audit_clean(file, line);
	_assert_true(fh_ledger_is_clean(), "fh_ledger_is_clean()", file, line);
	_assert_int_equal(count_free(), free_before, file, line);
}

uint64_t random_next(struct random *random)
{
	uint64_t x = random->state + UINT64_C(0x9e3779b97f4a7c15);

	random->state = x;
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

uint64_t random_below(struct random *random, uint64_t n)
{
	return random_next(random) % n;
}
