/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The page allocator through its interface, on the tests' machine: which
 * requests are met and which refused, what a CPU keeps for itself and how it
 * gets out again, and that nothing is lost or given twice.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "magazine.h"

/* More than the machine has. */
#define MOST 6000

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, start_machine, stop_machine)
#define LARGER(name)                                                           \
	cmocka_unit_test_setup_teardown(name, start_larger_machine,            \
					stop_machine)

static uint64_t taken[MOST];

/*
 * The allocator's own rules. Pages that a test has taken are FREE all the
 * same, so that AUDIT() has to wait until they are back.
 */
static void audit_allocator(void)
{
	struct fh_finding finding;
	char text[FH_FINDING_TEXT_SIZE];

	if (fh_allocator_audit(&finding) == FH_OK)
		return;
	fh_finding_text(&finding, text, sizeof(text));
	fail_msg("%s", text);
}

static enum fh_status pop(uint64_t n, uint64_t align, uint64_t below,
			  uint64_t *first)
{
	struct fh_alloc_options options = {.align = align, .below = below};

	return fh_allocator_pop(n, &options, first);
}

static uint64_t must_pop(uint64_t n, uint64_t align)
{
	uint64_t first = 0;

	OK(pop(n, align, 0, &first));
	return first;
}

/* Takes single pages until there are none; returns how many there were. */
static uint64_t pop_all(void)
{
	uint64_t n = 0;

	while (pop(1, 1, 0, &taken[n]) == FH_OK)
		n++;
	return n;
}

static void give_all(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		fh_allocator_give_back(taken[i], 1);
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static struct fh_magazine *own(void)
{
	return &fh_magazines[0];
}

/* ---- Requests ---- */

static void every_free_page_can_be_had_once(void **state)
{
	uint64_t free = count_free();

	(void)state;
	assert_int_equal(pop_all(), free);
	assert_int_equal(count_free(), 0);
	qsort(taken, free, sizeof(taken[0]), compare_numbers);
	for (uint64_t i = 0; i < free; i++) {
		assert_true(i == 0 || taken[i - 1] < taken[i]);
		assert_true(fh_allocator_covers(taken[i]));
		assert_int_equal(state_of(taken[i]), FH_STATE_FREE);
	}
	give_all(free);
	assert_int_equal(count_free(), free);
	AUDIT();
}

static void single_page_is_had_to_the_last_in_any_order(void **state)
{
	uint64_t free = count_free();
	struct random random = {1};
	uint64_t page;

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(pop_all(), free);
		uint64_t lost = random_below(&random, free);

		fh_allocator_give_back(taken[lost], 1);
		OK(pop(1, 1, 0, &page));
		assert_int_equal(page, taken[lost]);
		assert_int_equal(pop(1, 1, 0, &page), FH_E_NO_MEMORY);
		give_all(free);
	}
	AUDIT();
}

static void refusal_changes_nothing(void **state)
{
	uint64_t free = count_free();
	uint64_t first = 77;

	(void)state;
	fh_alloc_drain();
	for (uint64_t n = free + 1; n != 0; n = n < UINT64_MAX / 2 ? 2 * n : 0)
		assert_int_equal(pop(n, 1, 0, &first), FH_E_NO_MEMORY);
	assert_int_equal(pop(UINT64_MAX, 1, 0, &first), FH_E_NO_MEMORY);
	assert_int_equal(pop(1, UINT64_C(1) << 63, 0, &first), FH_E_NO_MEMORY);
	assert_int_equal(pop(1, 1, 1, &first), FH_E_NO_MEMORY);
	assert_int_equal(first, 77);
	assert_int_equal(count_free(), free);
	AUDIT();
}

static void any_count_and_alignment(void **state)
{
	(void)state;
	uint64_t free = count_free();

	for (uint64_t n = 1; n <= 1500; n = n + 1 + n / 3) {
		for (uint64_t align = 1; align <= 1024; align *= 2) {
			uint64_t first = must_pop(n, align);

			assert_int_equal(first % align, 0);
			for (uint64_t i = 0; i < n; i++) {
				assert_true(fh_allocator_covers(first + i));
				assert_false(fh_allocator_is_free(first + i));
			}
			assert_int_equal(count_free(), free - n);
			fh_allocator_give_back(first, n);
		}
	}
	AUDIT();
}

/* no page that was freed at an odd place is given out as aligned. */
static void alignment_holds_whatever_was_freed_before(void **state)
{
	uint64_t first = must_pop(64, 64);

	(void)state;
	for (uint64_t i = 1; i + 2 <= 64; i += 2)
		fh_allocator_give_back(first + i, 1);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(must_pop(2, 2) % 2, 0);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(must_pop(1, 8) % 8, 0);
}

static void limit_is_obeyed_to_the_page(void **state)
{
	(void)state;
	uint64_t free_below_160 = 0;

	for (uint64_t page = 0; page < 160; page++)
		free_below_160 += fh_allocator_is_free(page);
	assert_true(free_below_160 > 0);
	for (uint64_t i = 0; i < free_below_160; i++) {
		OK(pop(1, 1, 160, &taken[i]));
		assert_true(taken[i] < 160);
	}
	assert_int_equal(pop(1, 1, 160, &taken[0]), FH_E_NO_MEMORY);
	assert_int_equal(pop(1, 1, 256, &taken[0]), FH_E_NO_MEMORY);
	OK(pop(1, 1, 4096, &taken[0]));
	assert_true(taken[0] >= 256 && taken[0] < 4096);
	audit_allocator();
}

static void limit_in_the_middle_of_the_only_place(void **state)
{
	uint64_t first = must_pop(1024, 1024);
	uint64_t page = 0;

	(void)state;
	uint64_t all = pop_all();
	fh_allocator_give_back(first, 100);
	assert_int_equal(pop(100, 1, first + 99, &page), FH_E_NO_MEMORY);
	OK(pop(100, 1, first + 100, &page));
	assert_int_equal(page, first);
	give_all(all);
}

static void odd_run_is_found_where_chains_have_none(void **state)
{
	uint64_t first = must_pop(1024, 1024);
	uint64_t found;

	(void)state;
	(void)pop_all();
	fh_allocator_give_back(first + 300, 512);
	assert_int_equal(pop(512, 512, 0, &found), FH_E_NO_MEMORY);
	OK(pop(512, 1, 0, &found));
	assert_int_equal(found, first + 300);
	fh_allocator_give_back(first + 63, 2);
	OK(pop(2, 1, 0, &found));
	assert_int_equal(found, first + 63);
}

static void run_comes_back_in_pieces_and_in_any_order(void **state)
{
	struct random random = {2};
	uint64_t free = count_free();
	uint64_t place[1024];

	(void)state;
	for (unsigned round = 0; round < 10; round++) {
		uint64_t first = must_pop(1024, 1024);

		for (uint64_t i = 0; i < 1024; i++)
			place[i] = i;
		for (uint64_t i = 1023; i > 0; i--) {
			uint64_t other = random_below(&random, i + 1);
			uint64_t swapped = place[i];

			place[i] = place[other];
			place[other] = swapped;
		}
		for (uint64_t i = 0; i < 1024; i++)
			fh_allocator_give_back(first + place[i], 1);
		assert_int_equal(count_free(), free);
		AUDIT();
	}
	for (uint64_t n = 1; n < 512; n *= 3) {
		uint64_t first = must_pop(1024, 1024);

		for (uint64_t i = 0; i < 1024; i += n)
			fh_allocator_give_back(first + i,
					       n < 1024 - i ? n : 1024 - i);
		assert_int_equal(count_free(), free);
		AUDIT();
	}
}

/* ---- By number ---- */

static void page_is_withdrawn_by_its_number(void **state)
{
	uint64_t free = count_free();
	uint64_t page = free_pages(1);

	(void)state;
	assert_true(fh_allocator_withdraw(page));
	assert_false(fh_allocator_is_free(page));
	assert_int_equal(count_free(), free - 1);
	assert_false(fh_allocator_withdraw(page));
	assert_int_equal(count_free(), free - 1);
	audit_allocator();
	assert_true(fh_allocator_withdraw(page + 1));
	assert_true(fh_allocator_withdraw(page - 1));
	fh_allocator_give_back(page, 1);
	fh_allocator_give_back(page - 1, 1);
	fh_allocator_give_back(page + 1, 1);
	AUDIT();
}

static void every_page_can_be_withdrawn(void **state)
{
	uint64_t free = count_free();

	(void)state;
	for (uint64_t page = 0; page < FRAME_END; page++) {
		bool is_free = fh_allocator_is_free(page);

		assert_int_equal(fh_allocator_withdraw(page), is_free);
		free -= is_free;
	}
	assert_int_equal(free, 0);
	assert_int_equal(count_free(), 0);
}

static void page_in_use_or_of_no_zone_is_not_withdrawn(void **state)
{
	uint64_t page = must_pop(1, 1);

	(void)state;
	assert_false(fh_allocator_withdraw(page));
	assert_false(fh_allocator_withdraw(RESERVED_PAGE));
	assert_false(fh_allocator_withdraw(GAP_PAGE));
	assert_false(fh_allocator_withdraw(HOLE_PAGE));
	assert_false(fh_allocator_withdraw(FRAME_END));
	assert_false(fh_allocator_withdraw(UINT64_MAX));
	fh_allocator_give_back(page, 1);
}

static void page_kept_by_this_cpu_is_withdrawn(void **state)
{
	uint64_t page = must_pop(1, 1);

	(void)state;
	fh_allocator_give_back(page, 1);
	assert_true(own()->page_count > 0);
	assert_true(fh_allocator_is_free(page));
	assert_true(fh_allocator_withdraw(page));
	assert_false(fh_allocator_is_free(page));
	assert_false(fh_allocator_withdraw(page));
	fh_allocator_give_back(page, 1);
	AUDIT();
}

static void covered_are_pages_that_can_be_free(void **state)
{
	(void)state;
	assert_true(fh_allocator_covers(free_pages(1)));
	assert_true(fh_allocator_covers(KERNEL_PAGE));
	assert_true(fh_allocator_covers(FRAME_END - 1));
	assert_false(fh_allocator_covers(RESERVED_PAGE));
	assert_false(fh_allocator_covers(GAP_PAGE));
	assert_false(fh_allocator_covers(HOLE_PAGE));
	assert_false(fh_allocator_covers(FRAME_END));
	assert_false(fh_allocator_covers(UINT64_MAX));
}

/* ---- Misuse ---- */

static void give_page(void *page)
{
	fh_allocator_give_back(*(uint64_t *)page, 1);
	fh_alloc_drain();
}

static void give_block(void *first)
{
	fh_allocator_give_back(*(uint64_t *)first, 512);
	fh_alloc_drain();
}

static void free_page_given_back_stops_the_machine(void **state)
{
	uint64_t page = free_pages(1);

	(void)state;
	STOPS("free_twice", give_page, &page);
	assert_int_equal(stop_finding.frame, page);
}

static void page_given_back_twice_stops_the_machine(void **state)
{
	uint64_t page = must_pop(1, 1);

	(void)state;
	fh_allocator_give_back(page, 1);
	STOPS("free_twice", give_page, &page);
	assert_int_equal(stop_finding.frame, page);
}

static void free_block_given_back_stops_the_machine(void **state)
{
	uint64_t first = must_pop(512, 512);

	(void)state;
	fh_allocator_give_back(first, 512);
	fh_alloc_drain();
	STOPS("free_twice", give_block, &first);
	assert_int_equal(stop_finding.frame, first);
}

static void foreign_page_given_back_stops_the_machine(void **state)
{
	uint64_t page = HOLE_PAGE;

	(void)state;
	STOPS("free_foreign", give_page, &page);
	assert_int_equal(stop_finding.frame, page);
}

/* ---- What a CPU keeps ---- */

static void freed_page_is_the_next_one_given(void **state)
{
	uint64_t page = must_pop(1, 1);

	(void)state;
	fh_allocator_give_back(page, 1);
	assert_int_equal(must_pop(1, 1), page);
}

static void pages_from_a_fresh_zone_ascend(void **state)
{
	uint64_t before = must_pop(1, 1);
	unsigned falls = 0;

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		uint64_t page = must_pop(1, 1);

		falls += page != before + 1;
		before = page;
	}
	assert_true(falls < 20);
}

static void magazines_hold_at_most_a_sixteenth(void **state)
{
	uint64_t pages = 0;
	uint64_t most;

	(void)state;
	for (uint64_t i = 0; i < fh_layout.zone_count; i++)
		pages += fh_zones[i].pages;
	most = pages / fh_layout.zone_count / 16;
	assert_true(own()->page_room > 0);
	uint64_t n = pop_all();
	for (uint64_t i = 0; i < n; i++) {
		fh_allocator_give_back(taken[i], 1);
		assert_true(fh_magazines_count() <= most);
	}
	for (unsigned cpu = 1; cpu < 8; cpu++)
		fh_cpu_online(cpu);
	/* What is too much now has been asked for, and given. */
	assert_true(own()->page_count <= own()->page_room);
	uint64_t room = 0;
	for (unsigned cpu = 0; cpu < 8; cpu++)
		room += fh_magazines[cpu].page_room +
			512 * fh_magazines[cpu].block_room;
	assert_true(room > 0 && room <= most);
	for (unsigned cpu = 1; cpu < 8; cpu++)
		fh_cpu_offline(cpu);
	AUDIT();
}

static void drain_empties_the_magazine(void **state)
{
	(void)state;
	fh_allocator_give_back(must_pop(1, 1), 1);
	assert_true(fh_magazines_count() > 0);
	fh_alloc_drain();
	assert_int_equal(fh_magazines_count(), 0);
	AUDIT();
}

static void offline_cpu_keeps_nothing_and_works(void **state)
{
	uint64_t free = count_free();

	(void)state;
	fh_allocator_give_back(must_pop(1, 1), 1);
	fh_cpu_offline(0);
	assert_int_equal(fh_magazines_count(), 0);
	uint64_t page = must_pop(1, 1);
	fh_allocator_give_back(page, 1);
	assert_int_equal(fh_magazines_count(), 0);
	assert_int_equal(count_free(), free);
	fh_cpu_offline(0);
	fh_cpu_online(0);
	fh_cpu_online(0);
	fh_allocator_give_back(must_pop(1, 1), 1);
	assert_true(fh_magazines_count() > 0);
	AUDIT();
}

/* As an interrupt finds it that came in the middle of an operation. */
static void busy_magazine_is_left_alone(void **state)
{
	uint64_t free = count_free();
	uint64_t kept;

	(void)state;
	fh_allocator_give_back(must_pop(1, 1), 1);
	kept = own()->page_count;
	own()->busy = 1;
	uint64_t page = must_pop(1, 1);
	fh_allocator_give_back(page, 1);
	uint64_t run = must_pop(512, 512);
	fh_allocator_give_back(run, 512);
	fh_alloc_poll();
	assert_int_equal(own()->page_count, kept);
	assert_int_equal(own()->busy, 1);
	own()->busy = 0;
	assert_int_equal(count_free(), free);
	AUDIT();
}

static void kick_that_finds_busy_is_answered_afterwards(void **state)
{
	(void)state;
	fh_allocator_give_back(must_pop(1, 1), 1);
	own()->busy = 1;
	own()->request++;
	fh_alloc_poll();
	assert_true(own()->page_count > 0);
	assert_int_not_equal(own()->answer, own()->request);
	own()->busy = 0;
	uint64_t page = must_pop(1, 1);
	assert_int_equal(own()->answer, own()->request);
	assert_int_equal(fh_magazines_count(), 0);
	fh_allocator_give_back(page, 1);
	AUDIT();
}

/* ---- Blocks, and nodes ---- */

#define GIB (UINT64_C(1) << 30)

/* So large that magazines have room for many blocks. */
static int start_large_machine(void **state)
{
	static const struct fh_region regions[] = {
		{0, 8 * GIB, FH_REGION_USABLE},
	};

	(void)state;
	return hosted_start(regions, 1, NULL) == FH_OK ? 0 : -1;
}

static void blocks_come_back_in_any_order(void **state)
{
	struct random random = {4};
	uint64_t free = count_free();

	(void)state;
	assert_int_equal(own()->block_room, FH_MAGAZINE_BLOCKS);
	for (unsigned round = 0; round < 50; round++) {
		uint64_t n = 1 + random_below(&random, 100);
		uint64_t left = 0;

		for (uint64_t i = 0; i < n; i++)
			taken[i] = must_pop(512, 512);
		for (uint64_t i = n - 1; i > 0 && round % 2 == 0; i--) {
			uint64_t other = random_below(&random, i + 1);
			uint64_t swapped = taken[i];

			taken[i] = taken[other];
			taken[other] = swapped;
		}
		/* With gaps, where blocks stay in use. */
		for (uint64_t i = 0; i < n; i++) {
			if (random_below(&random, 4) == 0)
				taken[left++] = taken[i];
			else
				fh_allocator_give_back(taken[i], 512);
		}
		assert_int_equal(count_free(), free - 512 * left);
		audit_allocator();
		for (uint64_t i = 0; i < left; i++) {
			assert_false(fh_allocator_is_free(taken[i]));
			fh_allocator_give_back(taken[i], 512);
		}
	}
	fh_alloc_drain();
	assert_int_equal(count_free(), free);
	audit_allocator();
}

static void kept_blocks_are_given_only_where_they_fit(void **state)
{
	uint64_t free = count_free();

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		taken[i] = must_pop(512, 512);
	for (unsigned i = 0; i < 20; i++)
		if (taken[i] % 1024 != 0)
			fh_allocator_give_back(taken[i], 512);
	assert_true(own()->block_count > 0);
	uint64_t first = must_pop(512, 1024);
	assert_int_equal(first % 1024, 0);
	fh_allocator_give_back(first, 512);
	for (unsigned i = 0; i < 20; i++)
		if (taken[i] % 1024 == 0)
			fh_allocator_give_back(taken[i], 512);
	/* As many pages, but not a block. */
	first = must_pop(1024, 1024);
	fh_allocator_give_back(first + 100, 512);
	assert_false(fh_allocator_is_free(first + 99));
	assert_true(fh_allocator_is_free(first + 100));
	assert_true(fh_allocator_is_free(first + 611));
	assert_false(fh_allocator_is_free(first + 612));
	fh_allocator_give_back(first, 100);
	fh_allocator_give_back(first + 612, 412);
	assert_int_equal(count_free(), free);
	audit_allocator();
}

static void page_of_a_kept_block_is_withdrawn(void **state)
{
	uint64_t free = count_free();
	uint64_t first = must_pop(512, 512);

	(void)state;
	fh_allocator_give_back(first, 512);
	assert_true(own()->block_count > 0);
	assert_true(fh_allocator_withdraw(first + 77));
	assert_false(fh_allocator_withdraw(first + 77));
	assert_int_equal(count_free(), free - 1);
	audit_allocator();
	fh_allocator_give_back(first + 77, 1);
	assert_int_equal(count_free(), free);
	audit_allocator();
}

/* Node 7 has the first GiB, node 3 the second; CPU 0 is of node 7. */
static int start_machine_with_nodes(void **state)
{
	static const struct fh_region regions[] = {
		{0, 2 * GIB, FH_REGION_USABLE},
	};
	static const struct fh_node_range ranges[] = {
		{0, GIB / FH_PAGE_SIZE, 7, false},
		{GIB / FH_PAGE_SIZE, GIB / FH_PAGE_SIZE, 3, false},
	};
	static const uint32_t cpu_nodes[] = {7, 3};
	static const struct fh_topology topology = {ranges, 2, cpu_nodes, 2};
	const struct hosted_options options = {.topology = &topology};

	(void)state;
	return hosted_start(regions, 1, &options) == FH_OK ? 0 : -1;
}

static void own_node_is_emptied_before_another_is_touched(void **state)
{
	uint64_t border = GIB / FH_PAGE_SIZE;
	uint64_t of_own_node = 0;
	uint64_t page;

	(void)state;
	for (uint64_t i = 0; i < fh_layout.zone_count; i++)
		if (fh_zones[i].node == 7)
			of_own_node += fh_zones[i].free - fh_zones[i].reserve;
	assert_true(of_own_node > 0);
	for (uint64_t i = 0; i < of_own_node; i++) {
		page = must_pop(1, 1);
		assert_true(page < border);
	}
	page = must_pop(1, 1);
	assert_true(page >= border);
	page = must_pop(64, 64);
	assert_true(page >= border);
}

/* ---- Before a refusal ---- */

static unsigned reclaims;
static uint64_t reclaimable;

static bool give_up_one(uint64_t n)
{
	(void)n;
	reclaims++;
	if (reclaimable == 0)
		return false;
	fh_allocator_give_back(reclaimable, 1);
	reclaimable = 0;
	return true;
}

static void reclaim_is_asked_before_a_refusal(void **state)
{
	uint64_t page;

	(void)state;
	uint64_t n = pop_all();
	reclaims = 0;
	reclaimable = taken[5];
	hosted_set_reclaim(give_up_one);
	OK(pop(1, 1, 0, &page));
	assert_int_equal(page, taken[5]);
	assert_int_equal(reclaims, 1);
	assert_int_equal(pop(1, 1, 0, &page), FH_E_NO_MEMORY);
	assert_int_equal(reclaims, 2);
	hosted_set_reclaim(NULL);
	give_all(n);
	AUDIT();
}

static void reclaim_is_not_asked_while_there_is_plenty(void **state)
{
	(void)state;
	reclaims = 0;
	hosted_set_reclaim(give_up_one);
	for (unsigned i = 0; i < 1000; i++)
		taken[i] = must_pop(1, 1);
	(void)must_pop(600, 1);
	assert_int_equal(reclaims, 0);
}

static void with_interrupts_off_nobody_is_asked(void **state)
{
	uint64_t page;

	(void)state;
	(void)pop_all();
	reclaims = 0;
	hosted_set_reclaim(give_up_one);
	uint64_t saved = fh_host_irq_save();
	assert_int_equal(pop(1, 1, 0, &page), FH_E_NO_MEMORY);
	fh_host_irq_restore(saved);
	assert_int_equal(reclaims, 0);
}

static void reserve_is_left_until_reclaim_has_been_asked(void **state)
{
	uint64_t n = 0;

	(void)state;
	reclaims = 0;
	reclaimable = 0;
	hosted_set_reclaim(give_up_one);
	while (reclaims == 0)
		taken[n++] = must_pop(1, 1);
	uint64_t reserve = 0;
	for (uint64_t i = 0; i < fh_layout.zone_count; i++)
		reserve += fh_zones[i].reserve;
	assert_true(reserve > 0);
	assert_int_equal(count_free(), reserve - 1);
	hosted_set_reclaim(NULL);
	/* With interrupts off the rest is there for the taking. */
	uint64_t saved = fh_host_irq_save();
	for (uint64_t i = 1; i < reserve; i++)
		(void)must_pop(1, 1);
	fh_host_irq_restore(saved);
	assert_int_equal(count_free(), 0);
}

/* ---- Random steps ---- */

#define HELD 300

static struct {
	uint64_t first;
	uint64_t n;
} held[HELD];

/* Whether n free pages at a multiple of align and below are there at all. */
static bool exists(uint64_t n, uint64_t align, uint64_t below)
{
	uint64_t last = below == 0 || below > FRAME_END ? FRAME_END : below;

	for (uint64_t page = 0; page < last && n <= last - page;
	     page += align) {
		uint64_t run = 0;

		while (run < n && fh_allocator_is_free(page + run))
			run++;
		if (run == n)
			return true;
	}
	return false;
}

static void check_disjoint(uint64_t first, uint64_t n)
{
	for (unsigned i = 0; i < HELD; i++)
		assert_true(held[i].n == 0 ||
			    first >= held[i].first + held[i].n ||
			    first + n <= held[i].first);
}

static void random_pop(struct random *random, unsigned slot)
{
	uint64_t n = 1 + random_below(random,
				      UINT64_C(1) << random_below(random, 11));
	uint64_t align = UINT64_C(1) << random_below(random, 10);
	uint64_t below = random_below(random, 4) == 0
				 ? 1 + random_below(random, FRAME_END)
				 : 0;
	uint64_t first;

	if (random_below(random, 2) == 0)
		align = 1;
	if (random_below(random, 4) == 0)
		n = 1;
	bool can_be_met = exists(n, align, below);
	enum fh_status status = pop(n, align, below, &first);
	assert_int_equal(status, can_be_met ? FH_OK : FH_E_NO_MEMORY);
	if (status != FH_OK)
		return;
	assert_int_equal(first % align, 0);
	assert_true(below == 0 || first + n <= below);
	check_disjoint(first, n);
	held[slot].first = first;
	held[slot].n = n;
}

static void random_give(struct random *random, unsigned slot)
{
	uint64_t n = 1 + random_below(random, held[slot].n);

	/* From either end. */
	if (random_below(random, 2) == 0) {
		fh_allocator_give_back(held[slot].first, n);
		held[slot].first += n;
	} else {
		fh_allocator_give_back(held[slot].first + held[slot].n - n, n);
	}
	held[slot].n -= n;
}

static void random_requests_are_met_exactly_when_they_can_be(void **state)
{
	struct random random = {3};
	uint64_t free = count_free();
	uint64_t in_use = 0;

	(void)state;
	memset(held, 0, sizeof(held));
	for (unsigned i = 0; i < 4000; i++) {
		unsigned slot = (unsigned)random_below(&random, HELD);

		in_use -= held[slot].n;
		if (held[slot].n == 0)
			random_pop(&random, slot);
		else
			random_give(&random, slot);
		in_use += held[slot].n;
		assert_int_equal(count_free(), free - in_use);
		audit_allocator();
	}
	for (unsigned slot = 0; slot < HELD; slot++)
		if (held[slot].n > 0)
			fh_allocator_give_back(held[slot].first, held[slot].n);
	assert_int_equal(count_free(), free);
	AUDIT();
}

/* ---- Two CPUs ---- */

static unsigned step;

static unsigned load_step(void)
{
	return __atomic_load_n(&step, __ATOMIC_ACQUIRE);
}

static void next_step(void)
{
	(void)__atomic_fetch_add(&step, 1, __ATOMIC_ACQ_REL);
}

static void await_step(unsigned wanted)
{
	while (load_step() < wanted)
		fh_host_relax();
}

/* CPU 1 keeps the last free page; CPU 0 wants it. */
static void keep_and_ask(unsigned cpu, void *polls)
{
	uint64_t page;

	if (cpu == 1) {
		await_step(1);
		fh_allocator_give_back(taken[0], 1);
		next_step();
		while (load_step() < 3)
			if (polls != NULL)
				fh_alloc_poll();
		return;
	}
	next_step();
	await_step(2);
	assert_true(fh_word_load_relaxed(&fh_magazines[1].page_count) > 0);
	assert_int_equal(pop(1, 1, 0, &page), FH_OK);
	assert_int_equal(page, taken[0]);
	next_step();
}

/* Enough memory for rooms that are worth while. */
static int start_larger_machine(void **state)
{
	static const struct fh_region regions[] = {
		{0, UINT64_C(256) << 20, FH_REGION_USABLE},
	};

	(void)state;
	step = 0;
	return hosted_start(regions, 1, NULL) == FH_OK ? 0 : -1;
}

static void page_kept_by_another_cpu_is_fetched(void **state, bool polls)
{
	static uint64_t pages[65536];
	uint64_t n = 0;

	(void)state;
	while (pop(1, 1, 0, &pages[n]) == FH_OK)
		n++;
	taken[0] = pages[0];
	hosted_run(2, keep_and_ask, polls ? &step : NULL);
	assert_int_equal(count_free(), 0);
}

static void page_kept_by_a_cpu_that_polls_is_fetched(void **state)
{
	page_kept_by_another_cpu_is_fetched(state, true);
}

static void page_kept_by_a_cpu_that_is_interrupted_is_fetched(void **state)
{
	page_kept_by_another_cpu_is_fetched(state, false);
}

static void keep_a_block(unsigned cpu, void *first)
{
	uint64_t found;

	if (cpu == 1) {
		fh_allocator_give_back(*(uint64_t *)first, 512);
		next_step();
		await_step(2);
		return;
	}
	await_step(1);
	assert_true(fh_word_load_relaxed(&fh_magazines[1].block_count) > 0);
	assert_int_equal(pop(512, 512, 0, &found), FH_OK);
	assert_int_equal(found, *(uint64_t *)first);
	fh_allocator_give_back(found, 512);
	next_step();
}

static void block_kept_by_another_cpu_is_fetched(void **state)
{
	static uint64_t pages[65536];
	uint64_t first = must_pop(512, 512);
	uint64_t n = 0;

	(void)state;
	while (pop(1, 1, 0, &pages[n]) == FH_OK)
		n++;
	hosted_run(2, keep_a_block, &first);
	assert_int_equal(count_free(), 512);
}

static void blocks_of_a_short_home_are_kept_whole(void **state)
{
	static uint64_t pages[65536];
	uint64_t home = own()->home;
	uint64_t elsewhere = 0;
	uint64_t n = 0;

	(void)state;
	assert_int_equal(fh_layout.zone_count, 2);
	while (pop(1, 1, 0, &pages[n]) == FH_OK)
		n++;
	for (uint64_t i = 0; i < n; i++)
		if (!fh_zone_has(&fh_zones[home], pages[i]) &&
		    pages[i] % 64 == 32)
			elsewhere = pages[i];
	fh_cpu_offline(0);
	fh_allocator_give_back(fh_zone_page(&fh_zones[home], 8), 512);
	fh_allocator_give_back(elsewhere, 1);
	fh_allocator_give_back(elsewhere - 64, 4);
	assert_int_equal(must_pop(1, 1), elsewhere);
	assert_int_equal(must_pop(4, 4), elsewhere - 64);
	assert_int_equal(must_pop(512, 512), fh_zone_page(&fh_zones[home], 8));
	fh_cpu_online(0);
}

static void own_block_is_broken_up_with_interrupts_off(void **state)
{
	static uint64_t pages[65536];
	uint64_t first = must_pop(512, 512);
	uint64_t n = 0;

	(void)state;
	while (pop(1, 1, 0, &pages[n]) == FH_OK)
		n++;
	fh_allocator_give_back(first, 512);
	assert_int_equal(own()->block_count, 1);
	uint64_t saved = fh_host_irq_save();
	uint64_t page = must_pop(1, 1);
	fh_host_irq_restore(saved);
	assert_true(page >= first && page - first < 512);
}

static void keep_one_each(unsigned cpu, void *count)
{
	uint64_t page = 0;

	(void)count;
	assert_int_equal(pop(1, 1, 0, &page), FH_OK);
	fh_allocator_give_back(page, 1);
	assert_true(fh_word_load_relaxed(&fh_magazines[cpu].page_count) > 0);
}

static void cpus_that_have_left_keep_nothing(void **state)
{
	uint64_t free = count_free();

	(void)state;
	hosted_run(4, keep_one_each, NULL);
	for (unsigned cpu = 1; cpu < 4; cpu++)
		assert_int_equal(
			fh_word_load_relaxed(&fh_magazines[cpu].page_count), 0);
	assert_int_equal(count_free(), free);
	AUDIT();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_free_page_can_be_had_once),
		TEST(single_page_is_had_to_the_last_in_any_order),
		TEST(refusal_changes_nothing),
		TEST(any_count_and_alignment),
		TEST(alignment_holds_whatever_was_freed_before),
		TEST(limit_is_obeyed_to_the_page),
		TEST(limit_in_the_middle_of_the_only_place),
		TEST(odd_run_is_found_where_chains_have_none),
		TEST(run_comes_back_in_pieces_and_in_any_order),
		TEST(page_is_withdrawn_by_its_number),
		TEST(every_page_can_be_withdrawn),
		TEST(page_in_use_or_of_no_zone_is_not_withdrawn),
		TEST(page_kept_by_this_cpu_is_withdrawn),
		TEST(covered_are_pages_that_can_be_free),
		TEST(free_page_given_back_stops_the_machine),
		TEST(page_given_back_twice_stops_the_machine),
		TEST(free_block_given_back_stops_the_machine),
		TEST(foreign_page_given_back_stops_the_machine),
		TEST(freed_page_is_the_next_one_given),
		TEST(pages_from_a_fresh_zone_ascend),
		TEST(magazines_hold_at_most_a_sixteenth),
		TEST(drain_empties_the_magazine),
		TEST(offline_cpu_keeps_nothing_and_works),
		TEST(busy_magazine_is_left_alone),
		TEST(kick_that_finds_busy_is_answered_afterwards),
		cmocka_unit_test_setup_teardown(blocks_come_back_in_any_order,
						start_large_machine,
						stop_machine),
		cmocka_unit_test_setup_teardown(
			kept_blocks_are_given_only_where_they_fit,
			start_large_machine, stop_machine),
		cmocka_unit_test_setup_teardown(
			page_of_a_kept_block_is_withdrawn, start_large_machine,
			stop_machine),
		cmocka_unit_test_setup_teardown(
			own_node_is_emptied_before_another_is_touched,
			start_machine_with_nodes, stop_machine),
		TEST(reclaim_is_asked_before_a_refusal),
		TEST(reclaim_is_not_asked_while_there_is_plenty),
		TEST(with_interrupts_off_nobody_is_asked),
		TEST(reserve_is_left_until_reclaim_has_been_asked),
		TEST(random_requests_are_met_exactly_when_they_can_be),
		LARGER(page_kept_by_a_cpu_that_polls_is_fetched),
		LARGER(page_kept_by_a_cpu_that_is_interrupted_is_fetched),
		LARGER(block_kept_by_another_cpu_is_fetched),
		LARGER(blocks_of_a_short_home_are_kept_whole),
		LARGER(own_block_is_broken_up_with_interrupts_off),
		LARGER(cpus_that_have_left_keep_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
