/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One zone against a model with a byte a page. After each step the zone and
 * the model agree on every page that the step may have touched, now and then
 * on all, and the audit finds nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <framehold/allocator.h>

#include "allocator_audit.h"
#include "layout.h"

/* Not at a multiple of a large run, and with room for two of these. */
#define FIRST_BLOCK 700
#define LARGE       1900
#define SMALL       24

static struct fh_zone *const zone = &fh_zones[0];
static struct fh_block blocks[LARGE];
static uint64_t touched[LARGE / 64 + 1];
static bool is_free[LARGE * FH_BLOCK_PAGES];
static uint64_t first_page, end_page;
static uint64_t seed;

static uint64_t random_below(uint64_t n)
{
	uint64_t x = seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (x ^ (x >> 31)) % n;
}

static void begin(uint64_t count)
{
	memset(blocks, 0, sizeof(blocks));
	memset(touched, 0, sizeof(touched));
	memset(is_free, 0, sizeof(is_free));
	fh_zone_init(zone, FIRST_BLOCK, count, blocks, touched);
	fh_layout.zone_count = 1;
	first_page = FIRST_BLOCK * FH_BLOCK_PAGES;
	end_page = first_page + count * FH_BLOCK_PAGES;
}

static int end(void **state)
{
	(void)state;
	fh_layout.zone_count = 0;
	return 0;
}

/* ---- The model ---- */

static bool *model(uint64_t page)
{
	return &is_free[page - first_page];
}

static bool all_are(uint64_t first, uint64_t n, bool free)
{
	for (uint64_t i = 0; i < n; i++)
		if (*model(first + i) != free)
			return false;
	return true;
}

static void set_all(uint64_t first, uint64_t n, bool free)
{
	for (uint64_t i = 0; i < n; i++)
		*model(first + i) = free;
}

static uint64_t model_free(void)
{
	uint64_t free = 0;

	for (uint64_t page = first_page; page < end_page; page++)
		free += *model(page);
	return free;
}

/* The first n free pages at a multiple of align that end before `below`. */
static uint64_t model_search(uint64_t n, uint64_t align, uint64_t below)
{
	uint64_t last = below < end_page ? below : end_page;
	uint64_t page = (first_page + align - 1) / align * align;
	uint64_t run = 0;

	for (; page < last && n <= last - page; page += align) {
		run = 0;
		while (run < n && *model(page + run))
			run++;
		if (run == n)
			return page;
	}
	return FH_NO_PAGE;
}

static void agree(void)
{
	struct fh_finding finding;
	char text[FH_FINDING_TEXT_SIZE];

	for (uint64_t page = first_page; page < end_page; page++)
		if (fh_zone_is_free(zone, page) != *model(page))
			fail_msg("page %llu of block %llu",
				 (unsigned long long)(page % 512),
				 (unsigned long long)fh_zone_block(zone, page));
	assert_int_equal(fh_zone_free(zone), model_free());
	if (fh_audit_allocator(&finding) == FH_OK)
		return;
	fh_finding_text(&finding, text, sizeof(text));
	fail_msg("%s", text);
}

/* ---- Checked operations ---- */

static void give(uint64_t first, uint64_t n)
{
	assert_true(all_are(first, n, false));
	assert_int_equal(fh_zone_give(zone, first, n), FH_NO_PAGE);
	set_all(first, n, true);
}

static uint64_t take(uint64_t n, unsigned order)
{
	uint64_t size = UINT64_C(1) << (order - 1);
	uint64_t place = model_search(size, size, FH_NO_PAGE);
	uint64_t found = fh_zone_take(zone, n, order, FH_ORDER_LAST);

	assert_int_equal(found == FH_NO_PAGE, place == FH_NO_PAGE);
	if (found == FH_NO_PAGE)
		return found;
	assert_int_equal(found % size, 0);
	assert_true(found >= first_page && n <= end_page - found);
	assert_true(all_are(found, size, true));
	set_all(found, n, false);
	return found;
}

static uint64_t search(uint64_t n, uint64_t align, uint64_t below)
{
	uint64_t place = model_search(n, align, below);
	uint64_t found = fh_zone_search(zone, n, align, below);

	assert_int_equal(found, place);
	if (found != FH_NO_PAGE)
		set_all(found, n, false);
	return found;
}

static uint64_t take_words(uint64_t want, uint64_t room)
{
	struct fh_taken taken[64];
	uint64_t free = model_free();
	uint64_t words =
		fh_zone_take_words(zone, want, FH_ORDER_LAST, taken, room);
	uint64_t pages = 0;

	assert_true(words <= room);
	for (uint64_t i = 0; i < words; i++) {
		uint64_t count = 0;

		assert_int_equal(taken[i].base % 64, 0);
		for (uint64_t bit = 0; bit < 64; bit++) {
			if (!fh_bits_test(&taken[i].bits, bit))
				continue;
			count++;
			assert_true(*model(taken[i].base + bit));
			*model(taken[i].base + bit) = false;
		}
		assert_int_equal(count, taken[i].count);
		assert_true(count > 0);
		pages += count;
	}
	if (words < room)
		assert_int_equal(pages, want < free ? want : free);
	assert_true(pages <= want);
	return pages;
}

/* ---- Tests ---- */

static void zone_is_full_at_first(void **state)
{
	(void)state;
	begin(LARGE);
	assert_int_equal(take(1, 1), FH_NO_PAGE);
	assert_int_equal(take_words(64, 4), 0);
	assert_int_equal(search(1, 1, FH_NO_PAGE), FH_NO_PAGE);
	agree();
}

static void whole_zone_given_at_once_is_made_of_the_largest_runs(void **state)
{
	(void)state;
	begin(LARGE);
	give(first_page, end_page - first_page);
	agree();
	/* 700 .. 1024 is no multiple of 1 GiB, 1024 .. 2560 is three times. */
	for (unsigned i = 0; i < 3; i++)
		assert_true(take(1 << 18, 19) >= 1024 * FH_BLOCK_PAGES);
	assert_int_equal(take(1 << 18, 19), FH_NO_PAGE);
	assert_int_equal(take(1 << 17, 18), 768 * FH_BLOCK_PAGES);
	agree();
}

static void pages_given_one_by_one_become_the_largest_runs(void **state)
{
	(void)state;
	begin(600);
	for (uint64_t page = first_page; page < end_page; page++)
		give(page, 1);
	agree();
	/* 768 .. 1280, in two parts, because a zone does not begin at 512. */
	assert_int_not_equal(take(1 << 17, 18), FH_NO_PAGE);
	assert_int_not_equal(take(1 << 17, 18), FH_NO_PAGE);
	assert_int_equal(take(1 << 17, 18), FH_NO_PAGE);
	agree();
}

static void pages_given_in_any_order_become_one_run(void **state)
{
	uint64_t n = 64 * FH_BLOCK_PAGES;
	uint32_t *order = malloc(n * sizeof(*order));

	(void)state;
	begin(128);
	seed = 6;
	uint64_t first = 704 * FH_BLOCK_PAGES;
	for (uint64_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	for (uint64_t i = n - 1; i > 0; i--) {
		uint64_t other = random_below(i + 1);
		uint32_t swapped = order[i];

		order[i] = order[other];
		order[other] = swapped;
	}
	for (uint64_t i = 0; i < n; i++)
		give(first + order[i], 1);
	free(order);
	agree();
	assert_int_equal(take(n, 16), first);
	agree();
}

static void last_page_of_a_zone_can_be_taken(void **state)
{
	(void)state;
	begin(3);
	give(end_page - 1, 1);
	agree();
	assert_int_equal(take(1, 1), end_page - 1);
	give(end_page - 1, 1);
	assert_int_equal(search(1, 1, end_page), end_page - 1);
	give(end_page - 1, 1);
	assert_int_equal(search(1, 1, end_page - 1), FH_NO_PAGE);
	assert_int_equal(search(2, 1, FH_NO_PAGE), FH_NO_PAGE);
	agree();
}

static void tiny_zone_of_one_block(void **state)
{
	(void)state;
	begin(1);
	give(first_page, 512);
	assert_int_equal(take(512, 11), FH_NO_PAGE);
	assert_int_equal(take(512, 10), first_page);
	give(first_page + 3, 500);
	agree();
	/* 3 .. 503 holds no run of 256, and two of 128. */
	assert_int_equal(take(256, 9), FH_NO_PAGE);
	assert_int_equal(take(128, 8), first_page + 128);
	assert_int_equal(take(128, 8), first_page + 256);
	assert_int_equal(take(128, 8), FH_NO_PAGE);
	agree();
}

/* What lies behind the last block looks like a free one. */
static void run_does_not_merge_beyond_its_zone(void **state)
{
	(void)state;
	begin(5);
	blocks[5].order = FH_ORDER_BLOCK;
	blocks[5].previous = FH_NO_BLOCK;
	blocks[5].next = FH_NO_BLOCK;
	give(first_page + 4 * 512, 512);
	agree();
	assert_int_equal(blocks[4].order, FH_ORDER_BLOCK);
	assert_int_equal(blocks[5].order, FH_ORDER_BLOCK);
	assert_int_equal(take(512, 10), first_page + 4 * 512);
	agree();
}

static void smallest_run_that_fits_is_taken(void **state)
{
	(void)state;
	begin(SMALL);
	give(first_page, 512);       /* a block */
	give(first_page + 1024, 64); /* a word */
	give(first_page + 2048, 4);  /* part of a word */
	give(first_page + 2112, 1);  /* a page, in the same block */
	assert_int_equal(take(3, 3), first_page + 2048);
	assert_int_equal(take(3, 3), first_page + 1024);
	assert_int_equal(take(1, 1), first_page + 2051);
	assert_int_equal(take(1, 1), first_page + 2112);
	assert_int_equal(take(100, 8), first_page);
	agree();
}

static void only_the_pages_asked_for_are_taken(void **state)
{
	(void)state;
	begin(SMALL);
	give(first_page, 16 * 512);
	assert_int_equal(take(5 * 512 + 7, 13) % 4096, 0);
	assert_int_equal(fh_zone_free(zone), 16 * 512 - 5 * 512 - 7);
	agree();
	assert_int_equal(take(65, 8) % 128, 0);
	assert_int_equal(fh_zone_free(zone), 16 * 512 - 5 * 512 - 7 - 65);
	agree();
}

static void page_that_is_free_is_not_given_again(void **state)
{
	struct fh_zone before;
	static struct fh_block copy[SMALL];

	(void)state;
	begin(SMALL);
	give(first_page, 8 * 512);
	give(first_page + 10 * 512 + 100, 30);
	before = *zone;
	memcpy(copy, blocks, sizeof(copy));

	/* In the middle of a run, at its head, in a block, by mask. */
	assert_int_equal(fh_zone_give(zone, first_page + 1000, 1),
			 first_page + 1000);
	assert_int_equal(fh_zone_give(zone, first_page, 512), first_page);
	assert_int_equal(fh_zone_give(zone, first_page + 3 * 512, 512),
			 first_page + 3 * 512);
	assert_int_equal(fh_zone_give(zone, first_page + 10 * 512, 512),
			 first_page + 10 * 512 + 100);
	assert_int_equal(fh_zone_give(zone, first_page + 10 * 512 + 90, 11),
			 first_page + 10 * 512 + 100);
	assert_int_equal(fh_zone_give(zone, first_page + 9 * 512, 4 * 512),
			 first_page + 10 * 512 + 100);
	assert_int_equal(fh_zone_give_mask(zone, first_page + 5 * 512, 6, 2),
			 first_page + 5 * 512 + 1);
	assert_int_equal(fh_zone_give_mask(zone, first_page + 10 * 512 + 64,
					   UINT64_C(3) << 35, 2),
			 first_page + 10 * 512 + 64 + 36);
	assert_memory_equal(&before, zone, sizeof(before));
	assert_memory_equal(copy, blocks, sizeof(copy));
	agree();
}

static void search_finds_runs_that_chains_do_not_know(void **state)
{
	(void)state;
	begin(SMALL);
	/* 512 free pages across two blocks, and 3 across two words. */
	give(first_page + 256, 512);
	give(first_page + 5 * 512 + 63, 3);
	assert_int_equal(take(512, 10), FH_NO_PAGE);
	assert_int_equal(search(512, 1, FH_NO_PAGE), first_page + 256);
	assert_int_equal(take(3, 3), FH_NO_PAGE);
	assert_int_equal(search(3, 1, FH_NO_PAGE), first_page + 5 * 512 + 63);
	agree();
	/* Three whole blocks at an odd place. */
	give(first_page + 7 * 512, 3 * 512);
	assert_int_equal(take(3 * 512, 12), FH_NO_PAGE);
	assert_int_equal(search(3 * 512, 1, FH_NO_PAGE), first_page + 7 * 512);
	/* One page at a multiple of more than it needs. */
	give(UINT64_C(712) * 512, 1);
	assert_int_equal(take(1, 13), FH_NO_PAGE);
	assert_int_equal(search(1, 8 * 512, FH_NO_PAGE), 712 * 512);
	agree();
}

static void search_takes_more_than_the_largest_run(void **state)
{
	(void)state;
	begin(LARGE);
	give(first_page, end_page - first_page);
	assert_int_equal(
		search((UINT64_C(3) << 18) + 5, UINT64_C(1) << 19, FH_NO_PAGE),
		1024 * FH_BLOCK_PAGES);
	agree();
	assert_int_equal(search(end_page - first_page, 1, FH_NO_PAGE),
			 FH_NO_PAGE);
	agree();
}

static void search_obeys_its_limit_to_the_page(void **state)
{
	(void)state;
	begin(SMALL);
	give(first_page, 4 * 512);
	assert_int_equal(search(600, 1, first_page + 599), FH_NO_PAGE);
	assert_int_equal(search(600, 1, first_page + 600), first_page);
	assert_int_equal(search(1, 1, first_page + 600), FH_NO_PAGE);
	assert_int_equal(search(1, 1, first_page + 601), first_page + 600);
	assert_int_equal(search(1, 1, 0), FH_NO_PAGE);
	assert_int_equal(search(1, 1, first_page), FH_NO_PAGE);
	agree();
}

static void words_are_taken_whole_where_possible(void **state)
{
	struct fh_taken taken[8];

	(void)state;
	begin(SMALL);
	give(first_page, 512);
	assert_int_equal(fh_zone_take_words(zone, 128, FH_ORDER_LAST, taken, 8),
			 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(taken[i].count, 64);
		assert_int_equal(taken[i].base, first_page + i * 64);
		set_all(taken[i].base, 64, false);
	}
	agree();
	/* What is scattered goes first. */
	give(first_page + 3, 2);
	give(first_page + 9, 1);
	assert_int_equal(fh_zone_take_words(zone, 2, FH_ORDER_LAST, taken, 8),
			 1);
	assert_int_equal(taken[0].base, first_page);
	assert_int_equal(taken[0].bits, 8 + 16);
	set_all(first_page + 3, 2, false);
	agree();
}

static void run_of_blocks_is_taken_whole_or_in_part(void **state)
{
	uint64_t size;

	(void)state;
	begin(SMALL);
	give((FIRST_BLOCK + 4) * 512, 8 * 512);
	give((FIRST_BLOCK + 1) * 512, 512);
	assert_int_equal(fh_zone_take_run(zone, 8, &size), 1);
	assert_int_equal(size, 1);
	assert_int_equal(fh_zone_take_run(zone, 7, &size), 4);
	assert_int_equal(size, 4);
	set_all((FIRST_BLOCK + 1) * 512, 512, false);
	set_all((FIRST_BLOCK + 4) * 512, 4 * 512, false);
	agree();
	assert_int_equal(fh_zone_take_run(zone, 7, &size), 8);
	assert_int_equal(size, 4);
	assert_int_equal(fh_zone_take_run(zone, 7, &size), FH_NO_BLOCK);
}

/* ---- Random runs ---- */

static void give_something(void)
{
	uint64_t first = first_page + random_below(end_page - first_page);
	uint64_t most = UINT64_C(1) << random_below(13);
	uint64_t n = 0;

	if (random_below(2) == 0) {
		first -= first % 512;
		most = 512 * (1 + random_below(8));
	}
	while (first + n < end_page && n < most && !*model(first + n))
		n++;
	if (n > 0)
		give(first, n);
}

static void give_mask(void)
{
	uint64_t base =
		first_page + random_below((end_page - first_page) / 64) * 64;
	uint64_t mask = 0;
	uint64_t n = 0;

	for (uint64_t bit = 0; bit < 64; bit++) {
		if (*model(base + bit) || random_below(3) == 0)
			continue;
		mask |= UINT64_C(1) << bit;
		n++;
	}
	if (n == 0)
		return;
	assert_int_equal(fh_zone_give_mask(zone, base, mask, n), FH_NO_PAGE);
	for (uint64_t bit = 0; bit < 64; bit++)
		if (mask >> bit & 1)
			*model(base + bit) = true;
}

static void give_free_again(void)
{
	uint64_t first = first_page + random_below(end_page - first_page);
	uint64_t n = 1 + random_below(1024);
	uint64_t twice = 0;

	n = n < end_page - first ? n : end_page - first;
	while (twice < n && !*model(first + twice))
		twice++;
	if (twice < n)
		assert_int_equal(fh_zone_give(zone, first, n), first + twice);
}

static void take_something(void)
{
	unsigned order = 1 + (unsigned)random_below(14);
	uint64_t size = UINT64_C(1) << (order - 1);

	(void)take(1 + random_below(size), order);
}

static void take_exactly(void)
{
	uint64_t first = first_page + random_below(end_page - first_page);
	uint64_t most = 1 + random_below(1500);
	uint64_t n = 0;

	while (first + n < end_page && n < most && *model(first + n))
		n++;
	if (n == 0)
		return;
	fh_zone_take_exact(zone, first, n);
	set_all(first, n, false);
}

static void search_something(void)
{
	uint64_t n = 1 + random_below(UINT64_C(1) << random_below(12));
	uint64_t align = UINT64_C(1) << random_below(11);
	uint64_t below =
		random_below(2) == 0
			? FH_NO_PAGE
			: first_page + random_below(end_page - first_page);

	(void)search(n, align, below);
}

static void random_step(void)
{
	switch (random_below(10)) {
	case 0:
	case 1:
	case 2:
		give_something();
		return;
	case 3:
		give_mask();
		return;
	case 4:
		give_free_again();
		return;
	case 5:
		take_exactly();
		return;
	case 6:
		search_something();
		return;
	case 7:
		(void)take_words(1 + random_below(200), 1 + random_below(30));
		return;
	default:
		take_something();
		return;
	}
}

static void random_steps_agree_with_the_model(void **state)
{
	(void)state;
	begin(SMALL);
	seed = 0;
	for (unsigned i = 0; i < 4000; i++) {
		random_step();
		agree();
	}
	for (uint64_t run = 0; run < 20; run++) {
		begin(1 + run);
		seed = run;
		give(first_page, end_page - first_page);
		for (unsigned i = 0; i < 300; i++) {
			random_step();
			agree();
		}
	}
}

static void random_steps_leave_nothing_behind(void **state)
{
	(void)state;
	begin(600);
	seed = 7;
	for (unsigned i = 0; i < 20000; i++)
		random_step();
	agree();
	for (uint64_t page = first_page; page < end_page; page++)
		if (!*model(page))
			give(page, 1);
	agree();
	assert_int_not_equal(take(1 << 17, 18), FH_NO_PAGE);
	assert_int_not_equal(take(1 << 17, 18), FH_NO_PAGE);
}

/* ---- The audit sees what is broken ---- */

static void finds(const char *rule)
{
	struct fh_finding finding;

	assert_int_equal(fh_audit_allocator(&finding), FH_E_CORRUPT);
	assert_string_equal(finding.rule, rule);
}

static void audit_names_the_broken_rule(void **state)
{
	struct fh_finding finding;

	(void)state;
	begin(SMALL);
	give(first_page, 8 * 512);
	give(first_page + 10 * 512 + 100, 30);
	give(first_page + 12 * 512 + 100, 30);

	blocks[10].free++;
	finds("allocator_counts");
	blocks[10].free--;
	zone->free++;
	finds("allocator_counts");
	zone->free--;
	blocks[10].word_order[7] = 1;
	finds("allocator_orders");
	blocks[10].word_order[7] = 0;
	blocks[10].bits[7] = 1;
	finds("allocator_orders");
	blocks[10].bits[7] = 0;
	uint32_t next = blocks[12].next;
	blocks[12].next = FH_NO_BLOCK;
	finds("allocator_chains");
	blocks[12].next = next;
	zone->heads[1] = 3;
	finds("allocator_chains");
	zone->heads[1] = FH_NO_BLOCK;
	fh_bits_set(touched, 20, 1);
	finds("allocator_touched");
	fh_bits_clear(touched, 20, 1);
	fh_bits_clear(touched, 5, 1);
	finds("allocator_touched");
	fh_bits_set(touched, 5, 1);
	assert_int_equal(fh_audit_allocator(&finding), FH_OK);
	/* 700 is a multiple of 4: two runs of 4 and 4, the second of which is
	 * made to overlap a third. */
	assert_int_equal(blocks[4].order, FH_ORDER_BLOCK + 2);
	blocks[5].order = FH_ORDER_BLOCK;
	finds("allocator_runs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(zone_is_full_at_first, end),
		cmocka_unit_test_teardown(
			whole_zone_given_at_once_is_made_of_the_largest_runs,
			end),
		cmocka_unit_test_teardown(
			pages_given_one_by_one_become_the_largest_runs, end),
		cmocka_unit_test_teardown(
			pages_given_in_any_order_become_one_run, end),
		cmocka_unit_test_teardown(last_page_of_a_zone_can_be_taken,
					  end),
		cmocka_unit_test_teardown(tiny_zone_of_one_block, end),
		cmocka_unit_test_teardown(run_does_not_merge_beyond_its_zone,
					  end),
		cmocka_unit_test_teardown(smallest_run_that_fits_is_taken, end),
		cmocka_unit_test_teardown(only_the_pages_asked_for_are_taken,
					  end),
		cmocka_unit_test_teardown(page_that_is_free_is_not_given_again,
					  end),
		cmocka_unit_test_teardown(
			search_finds_runs_that_chains_do_not_know, end),
		cmocka_unit_test_teardown(
			search_takes_more_than_the_largest_run, end),
		cmocka_unit_test_teardown(search_obeys_its_limit_to_the_page,
					  end),
		cmocka_unit_test_teardown(words_are_taken_whole_where_possible,
					  end),
		cmocka_unit_test_teardown(
			run_of_blocks_is_taken_whole_or_in_part, end),
		cmocka_unit_test_teardown(random_steps_agree_with_the_model,
					  end),
		cmocka_unit_test_teardown(random_steps_leave_nothing_behind,
					  end),
		cmocka_unit_test_teardown(audit_names_the_broken_rule, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
