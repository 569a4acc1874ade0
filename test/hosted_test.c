/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The hosted machine itself: that it is built, refused and taken apart as
 * hosted.h says, that large machines stay untouched, and that its hooks catch
 * a library or a test that breaks the rules of host.h.
 */
#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <framehold/framehold.h>

#include "hosted.h"

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* 16 MiB, a hole of more than a section, 4 MiB. */
static const struct fh_region small_map[] = {
	{.base = 0, .size = 16 * MIB, .kind = FH_REGION_USABLE},
	{.base = 512 * MIB, .size = 4 * MIB, .kind = FH_REGION_USABLE},
};
#define SMALL_END (516 * MIB)

static enum fh_status start_small(bool dirty)
{
	struct hosted_options options = {.dirty = dirty};

	return hosted_start(small_map, 2, &options);
}

/* ---- What the process has ---- */

static size_t open_files(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL)
		n++;
	(void)closedir(directory);
	return n;
}

/* Mappings of any machine's RAM. */
static size_t ram_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	size_t n = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL)
		if (strstr(line, "framehold-ram") != NULL)
			n++;
	(void)fclose(maps);
	return n;
}

/* ---- Start and stop ---- */

static void use_a_frame(void)
{
	struct fh_frame frame = fh_frame_none();

	assert_int_equal(fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frame),
			 FH_OK);
	memset(fh_host_linear(fh_frame_paddr(frame)), 1, FH_PAGE_SIZE);
	fh_frame_put(&frame);
}

static void starts_and_stops_many_times(void **state)
{
	(void)state;
	size_t files = open_files();
	size_t heap = mallinfo2().uordblks;

	for (int i = 0; i < 300; i++) {
		assert_int_equal(start_small(false), FH_OK);
		assert_true(fh_is_initialized());
		assert_true(ram_mappings() > 0);
		use_a_frame();
		hosted_stop();
		assert_false(fh_is_initialized());
		assert_null(hosted_map());
		assert_int_equal(hosted_linear_bytes(), 0);
		assert_int_equal(hosted_resident_bytes(), 0);
	}
	assert_int_equal(open_files(), files);
	assert_int_equal(ram_mappings(), 0);
	assert_in_range(mallinfo2().uordblks, 0, heap + 4 * KIB);
}

static void second_machine_is_refused_and_first_goes_on(void **state)
{
	(void)state;
	assert_int_equal(start_small(false), FH_OK);
	const struct fh_memory_map *map = hosted_map();

	assert_int_equal(start_small(false), FH_E_TWICE);
	assert_string_equal(hosted_why(), "there is a machine already");
	assert_ptr_equal(hosted_map(), map);
	use_a_frame();
	hosted_stop();
}

static void stop_without_a_machine_does_nothing(void **state)
{
	(void)state;
	hosted_stop();
	hosted_stop();
	assert_null(hosted_map());
}

static void power_on_leaves_bring_up_to_the_caller(void **state)
{
	(void)state;
	struct fh_init_options init = {.map = NULL};
	struct fh_memory_totals totals;
	uint64_t early;

	assert_int_equal(hosted_power_on(small_map, 2, NULL, &init), FH_OK);
	assert_false(fh_is_initialized());
	assert_ptr_equal(init.map, hosted_map());
	assert_true(init.memory_is_zeroed);
	assert_int_equal(fh_early_begin(init.map), FH_OK);
	assert_int_equal(fh_early_alloc(3, 1, &early), FH_OK);
	memset(fh_host_linear(fh_paddr_of_frame(early)), 1, 3 * FH_PAGE_SIZE);
	assert_int_equal(fh_init(&init), FH_OK);
	fh_memory_totals(&totals);
	assert_int_equal(totals.early, 3);
	hosted_stop();
}

static void machine_stops_before_bring_up(void **state)
{
	(void)state;
	struct fh_init_options init;

	assert_int_equal(hosted_power_on(small_map, 2, NULL, &init), FH_OK);
	assert_int_equal(fh_early_begin(init.map), FH_OK);
	hosted_stop();
	assert_false(fh_early_is_open());
	assert_null(hosted_map());
	assert_int_equal(ram_mappings(), 0);
	assert_int_equal(start_small(false), FH_OK);
	hosted_stop();
}

/* The machine sorts a copy. */
static void callers_regions_stay_as_they_are(void **state)
{
	(void)state;
	struct fh_region regions[] = {small_map[1], small_map[0]};

	assert_int_equal(hosted_start(regions, 2, NULL), FH_OK);
	assert_int_equal(regions[0].base, small_map[1].base);
	assert_int_equal(regions[1].base, small_map[0].base);
	assert_int_equal(hosted_map()->count, 2);
	assert_int_equal(hosted_map()->spans[0].first, 0);
	hosted_stop();
}

/* ---- Refusals ---- */

static void refuses(const struct fh_region *regions, size_t n,
		    enum fh_status status, const char *reason)
{
	size_t files = open_files();

	assert_int_equal(hosted_start(regions, n, NULL), status);
	if (strstr(hosted_why(), reason) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", hosted_why(), reason);
	assert_null(hosted_map());
	assert_false(fh_is_initialized());
	assert_int_equal(open_files(), files);
	assert_int_equal(ram_mappings(), 0);
	assert_int_equal(start_small(false), FH_OK);
	hosted_stop();
}

static void empty_map_is_refused(void **state)
{
	(void)state;
	refuses(NULL, 0, FH_E_EMPTY, "no usable memory");
}

static void map_without_usable_memory_is_refused(void **state)
{
	(void)state;
	const struct fh_region regions[] = {
		{0, 16 * MIB, FH_REGION_RESERVED},
		{16 * MIB, 16 * MIB, FH_REGION_RECLAIMABLE},
	};

	refuses(regions, 2, FH_E_EMPTY, "no usable memory");
}

static void map_with_page_zero_only_is_refused(void **state)
{
	(void)state;
	const struct fh_region region = {0, FH_PAGE_SIZE, FH_REGION_USABLE};

	refuses(&region, 1, FH_E_EMPTY, "no usable page but page 0");
}

static void memory_too_small_for_metadata_is_refused(void **state)
{
	(void)state;
	const struct fh_region region = {0, 3 * FH_PAGE_SIZE, FH_REGION_USABLE};

	refuses(&region, 1, FH_E_NO_MEMORY, "metadata");
}

static void broken_entry_is_named_by_its_index(void **state)
{
	(void)state;
	struct fh_region regions[] = {
		small_map[0],
		small_map[1],
		{UINT64_MAX - 4095, 2 * FH_PAGE_SIZE, FH_REGION_RESERVED},
	};

	refuses(regions, 3, FH_E_OVERFLOW, "entry 2 ");
	regions[1].kind = (enum fh_region_kind)9;
	refuses(regions, 2, FH_E_INVALID, "entry 1 ");
	regions[0].base = FH_MAX_FRAMES * FH_PAGE_SIZE;
	refuses(regions, 1, FH_E_OUT_OF_BOUND, "entry 0 ");
}

/* ---- Memory ---- */

static void memory_is_zero_at_power_on(void **state)
{
	(void)state;
	struct fh_init_options init;
	static const unsigned char zero[FH_PAGE_SIZE];

	assert_int_equal(hosted_power_on(small_map, 2, NULL, &init), FH_OK);
	for (uint64_t page = 0; page < 16 * MIB / FH_PAGE_SIZE; page++)
		assert_memory_equal(fh_host_linear(fh_paddr_of_frame(page)),
				    zero, FH_PAGE_SIZE);
	hosted_stop();
}

static bool is_junk(uint64_t page)
{
	const unsigned char *bytes = fh_host_linear(fh_paddr_of_frame(page));

	for (size_t i = 0; i < FH_PAGE_SIZE; i++)
		if (bytes[i] != HOSTED_JUNK_BYTE)
			return false;
	return true;
}

static void dirty_machine_is_full_of_junk_and_works(void **state)
{
	(void)state;
	struct hosted_options options = {.dirty = true};
	struct fh_init_options init;
	struct fh_finding finding;

	assert_int_equal(hosted_power_on(small_map, 2, &options, &init), FH_OK);
	assert_false(init.memory_is_zeroed);
	for (uint64_t page = 0; page < 16 * MIB / FH_PAGE_SIZE; page++)
		assert_true(is_junk(page));
	assert_true(is_junk(SMALL_END / FH_PAGE_SIZE - 1));
	hosted_stop();

	assert_int_equal(start_small(true), FH_OK);
	use_a_frame();
	assert_int_equal(fh_audit(&finding), FH_OK);
	hosted_stop();
}

static void machine_too_large_for_junk_is_refused(void **state)
{
	(void)state;
	const struct hosted_options options = {.dirty = true};
	const struct fh_region region = {0, HOSTED_DIRTY_LIMIT + FH_PAGE_SIZE,
					 FH_REGION_USABLE};

	assert_int_equal(hosted_start(&region, 1, &options), FH_E_INVALID);
	assert_non_null(strstr(hosted_why(), "junk"));
	assert_null(hosted_map());
}

static void linear_map_reaches_to_the_end_of_ram(void **state)
{
	(void)state;
	assert_int_equal(start_small(false), FH_OK);
	unsigned char *first = fh_host_linear(fh_paddr(0));
	unsigned char *last = fh_host_linear(fh_paddr(SMALL_END - 4096));

	assert_int_equal(hosted_linear_bytes(), SMALL_END);
	assert_int_equal(last - first, SMALL_END - 4096);
	memset(last, 1, FH_PAGE_SIZE);
	hosted_stop();
}

/* Words of a slot are found again among the bytes of a metadata page. */
static void metadata_lies_in_the_machines_own_ram(void **state)
{
	(void)state;
	assert_int_equal(start_small(false), FH_OK);
	const struct fh_meta words = {{UINT64_C(0x1122334455667788), 2, 3, 4,
				       UINT64_C(0x99aabbccddeeff00)}};
	struct fh_unique unique = fh_unique_none();
	struct fh_range piece;
	unsigned found = 0;

	assert_int_equal(fh_unique_alloc(NULL, &fh_untyped_type, NULL, &unique),
			 FH_OK);
	*fh_unique_meta(unique) = words;
	for (size_t i = 0; fh_memory_metadata(i, &piece) == FH_OK; i++) {
		const unsigned char *bytes =
			fh_host_linear(fh_paddr_of_frame(piece.first));

		for (uint64_t at = 0; at < piece.count * FH_PAGE_SIZE;
		     at += FH_SLOT_SIZE)
			found += memcmp(bytes + at, &words, sizeof(words)) == 0;
	}
	assert_int_equal(found, 1);
	fh_unique_put(&unique);
	hosted_stop();
}

static void window_shows_the_pages_it_was_given(void **state)
{
	(void)state;
	struct fh_init_options init;

	assert_int_equal(hosted_power_on(small_map, 2, NULL, &init), FH_OK);
	assert_int_equal(fh_host_map_window(FH_WINDOW_SLOTS, 3,
					    fh_paddr_of_frame(100), 2),
			 FH_OK);
	uint64_t slots_in_a_page = FH_PAGE_SIZE / FH_SLOT_SIZE;
	struct fh_slot *first = &fh_slot_array[3 * slots_in_a_page];
	struct fh_slot *last = &fh_slot_array[5 * slots_in_a_page - 1];
	first->list = 1;
	last->list = 2;
	unsigned char *memory = fh_host_linear(fh_paddr_of_frame(100));
	assert_memory_equal(memory, first, FH_SLOT_SIZE);
	assert_memory_equal(memory + 2 * FH_PAGE_SIZE - FH_SLOT_SIZE, last,
			    FH_SLOT_SIZE);
	hosted_stop();
}

/* ---- Large machines ---- */

static double seconds_since(const struct timespec *start)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	return (double)(end.tv_sec - start->tv_sec) +
	       (double)(end.tv_nsec - start->tv_nsec) / 1e9;
}

/* What bring-up writes: slots, and ledger pages, of the pages it holds. */
static uint64_t least_touched(void)
{
	struct fh_memory_totals totals;

	fh_memory_totals(&totals);
	uint64_t held = totals.metadata + totals.reserved + totals.unusable;
	uint64_t each =
		FH_SLOT_SIZE + (FH_CHECKED ? sizeof(struct fh_ledger_page) : 0);
	return held * each;
}

/*
 * A quarter of a byte a page of allocator tables comes on top, and something
 * for the rest, no part of which grows with memory.
 */
static uint64_t most_touched(uint64_t pages)
{
	return least_touched() + pages / 4 + 4 * MIB;
}

static void starts_untouched(uint64_t bytes)
{
	const struct fh_region regions[] = {
		{0, 2 * GIB, FH_REGION_USABLE},
		{4 * GIB, bytes - 2 * GIB, FH_REGION_USABLE},
	};
	uint64_t pages = bytes / FH_PAGE_SIZE;
	struct timespec start;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(hosted_start(regions, 2, NULL), FH_OK);
	double seconds = seconds_since(&start);
	uint64_t resident = hosted_resident_bytes();
	print_message("%llu GiB up in %.3f s, %.1f MiB touched\n",
		      (unsigned long long)(bytes / GIB), seconds,
		      (double)resident / (double)MIB);
	assert_true(resident >= least_touched());
	assert_true(resident <= most_touched(pages));
	/* A fraction of all slots: otherwise the bound would say nothing. */
	assert_true(most_touched(pages) < pages * FH_SLOT_SIZE / 16);
	use_a_frame();
	hosted_stop();
}

/* The thread sanitizer has no room for the shadow of such memory. */
static bool is_thread_sanitized(void)
{
#if defined(__SANITIZE_THREAD__)
	return true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
	return true;
#endif
#endif
	return false;
}

static void machine_of_64_gib_starts_untouched(void **state)
{
	(void)state;
	starts_untouched(64 * GIB);
}

static void machine_of_1_tib_starts_untouched(void **state)
{
	(void)state;
	starts_untouched(1024 * GIB);
}

/* ---- Failing hooks ---- */

static void any_window_that_is_not_mapped_fails_init(void **state)
{
	(void)state;
	unsigned nth = 1;

	for (;; nth++) {
		struct fh_init_options init;

		assert_int_equal(hosted_power_on(small_map, 2, NULL, &init),
				 FH_OK);
		hosted_fail_map_window(nth);
		enum fh_status status = fh_init(&init);
		hosted_fail_map_window(0);
		if (status == FH_OK)
			break;
		assert_int_equal(status, FH_E_NO_MEMORY);
		assert_false(fh_is_initialized());
		/* The same machine comes up once the hook works. */
		assert_int_equal(fh_init(&init), FH_OK);
		use_a_frame();
		hosted_stop();
	}
	/* Two pieces of RAM: two calls for slots, two for the ledger. */
	assert_int_equal(nth, FH_CHECKED ? 5 : 3);
	hosted_stop();
}

static void nth_window_fails_once(void **state)
{
	(void)state;
	struct fh_init_options init;

	assert_int_equal(hosted_power_on(small_map, 2, NULL, &init), FH_OK);
	hosted_fail_map_window(2);
	assert_int_equal(
		fh_host_map_window(FH_WINDOW_SLOTS, 0, fh_paddr(4096), 1),
		FH_OK);
	assert_int_equal(
		fh_host_map_window(FH_WINDOW_SLOTS, 0, fh_paddr(4096), 1),
		FH_E_NO_MEMORY);
	assert_int_equal(
		fh_host_map_window(FH_WINDOW_SLOTS, 0, fh_paddr(4096), 1),
		FH_OK);
	hosted_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_and_stops_many_times),
		cmocka_unit_test(second_machine_is_refused_and_first_goes_on),
		cmocka_unit_test(stop_without_a_machine_does_nothing),
		cmocka_unit_test(power_on_leaves_bring_up_to_the_caller),
		cmocka_unit_test(machine_stops_before_bring_up),
		cmocka_unit_test(callers_regions_stay_as_they_are),
		cmocka_unit_test(empty_map_is_refused),
		cmocka_unit_test(map_without_usable_memory_is_refused),
		cmocka_unit_test(map_with_page_zero_only_is_refused),
		cmocka_unit_test(memory_too_small_for_metadata_is_refused),
		cmocka_unit_test(broken_entry_is_named_by_its_index),
		cmocka_unit_test(memory_is_zero_at_power_on),
		cmocka_unit_test(dirty_machine_is_full_of_junk_and_works),
		cmocka_unit_test(machine_too_large_for_junk_is_refused),
		cmocka_unit_test(linear_map_reaches_to_the_end_of_ram),
		cmocka_unit_test(metadata_lies_in_the_machines_own_ram),
		cmocka_unit_test(window_shows_the_pages_it_was_given),
		cmocka_unit_test(any_window_that_is_not_mapped_fails_init),
		cmocka_unit_test(nth_window_fails_once),
	};

	const struct CMUnitTest large[] = {
		cmocka_unit_test(machine_of_64_gib_starts_untouched),
		cmocka_unit_test(machine_of_1_tib_starts_untouched),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (is_thread_sanitized())
		print_message("# 64 GiB and 1 TiB: in all other builds\n");
	else
		failed += cmocka_run_group_tests(large, NULL, NULL);
	return failed;
}
