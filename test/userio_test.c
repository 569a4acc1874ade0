/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Cursors over memory that may fault: framehold/userio.h. User memory is two
 * pages of this process, of which the second cannot be accessed.
 */
#define _DEFAULT_SOURCE

#include "harness.h"

#include <string.h>
#include <sys/mman.h>

static unsigned char *user; /* FH_PAGE_SIZE bytes, then a page that faults */
static struct fh_usegment segment;
static struct fh_reader reader;
static struct fh_writer writer;

static int begin(void **state)
{
	struct fh_segment pages;

	if (start_machine(state) != 0)
		return -1;
	user = mmap(NULL, 2 * FH_PAGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (user == MAP_FAILED ||
	    mprotect(user + FH_PAGE_SIZE, FH_PAGE_SIZE, PROT_NONE) != 0)
		return -1;
	for (unsigned i = 0; i < FH_PAGE_SIZE; i++)
		user[i] = (unsigned char)(i * 11 + 1);
	OK(fh_segment_alloc(2, NULL, &fh_untyped_type, NULL, &pages));
	OK(fh_usegment_from_segment(&pages, &segment));
	reader = fh_usegment_reader(segment);
	writer = fh_usegment_writer(segment);
	return 0;
}

static int end(void **state)
{
	munmap(user, 2 * FH_PAGE_SIZE);
	fh_usegment_put(&segment);
	return stop_machine(state);
}

static struct fh_vaddr user_at(uint64_t offset)
{
	struct fh_vaddr va = {.bytes = (uintptr_t)user + offset};

	return va;
}

static struct fh_user_reader reads(uint64_t offset, uint64_t n)
{
	struct fh_user_reader cursor = {0, 0};

	OK(fh_user_reader(user_at(offset), n, &cursor));
	return cursor;
}

static struct fh_user_writer writes(uint64_t offset, uint64_t n)
{
	struct fh_user_writer cursor = {0, 0};

	OK(fh_user_writer(user_at(offset), n, &cursor));
	return cursor;
}

static void user_range_must_not_wrap(void **state)
{
	struct fh_vaddr top = {.bytes = UINT64_MAX - 9};
	struct fh_user_reader r = {1, 2};
	struct fh_user_writer w = {1, 2};

	(void)state;
	OK(fh_user_reader(top, 9, &r));
	assert_int_equal(fh_user_reader_remain(&r), 9);
	assert_int_equal(fh_user_reader(top, 10, &r), FH_E_OVERFLOW);
	assert_int_equal(fh_user_writer(top, UINT64_MAX, &w), FH_E_OVERFLOW);
	assert_true(w.at == 1 && w.end == 2);
}

static void user_bytes_reach_frames_and_return(void **state)
{
	struct fh_user_reader from = reads(10, 3000);
	struct fh_user_writer to = writes(4, 3000);
	uint64_t done = 0;

	(void)state;
	OK(fh_writer_skip(&writer, FH_PAGE_SIZE - 1000));
	OK(fh_user_reader_read(&from, &writer, &done));
	assert_int_equal(done, 3000);
	assert_int_equal(fh_user_reader_remain(&from), 0);
	assert_int_equal(fh_writer_avail(&writer), FH_PAGE_SIZE - 2000);
	OK(fh_reader_skip(&reader, FH_PAGE_SIZE - 1000));
	OK(fh_user_writer_write(&to, &reader, &done));
	assert_int_equal(done, 3000);
	for (unsigned i = 0; i < 3000; i++)
		assert_int_equal(user[4 + i],
				 (unsigned char)((10 + i) * 11 + 1));
}

static void fault_ends_a_read_with_its_count(void **state)
{
	struct fh_user_reader from = reads(FH_PAGE_SIZE - 5, 100);
	uint64_t done = 0;

	(void)state;
	assert_int_equal(fh_user_reader_read(&from, &writer, &done),
			 FH_E_FAULT);
	assert_int_equal(done, 5);
	assert_int_equal(fh_user_reader_remain(&from), 95);
	assert_int_equal(fh_writer_avail(&writer), 2 * FH_PAGE_SIZE - 5);
	assert_int_equal(fh_user_reader_read(&from, &writer, &done),
			 FH_E_FAULT);
	assert_int_equal(done, 0);
}

static void fault_ends_a_write_with_its_count(void **state)
{
	struct fh_user_writer to = writes(FH_PAGE_SIZE - 7, 50);
	unsigned char bytes[50];
	uint64_t done = 0;

	(void)state;
	memset(bytes, 0x77, sizeof(bytes));
	assert_int_equal(fh_user_writer_write_bytes(&to, bytes, 50, &done),
			 FH_E_FAULT);
	assert_int_equal(done, 7);
	assert_int_equal(fh_user_writer_avail(&to), 43);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(user[FH_PAGE_SIZE - 7 + i], 0x77);
	to = writes(FH_PAGE_SIZE - 7, 50);
	assert_int_equal(fh_user_writer_write(&to, &reader, &done), FH_E_FAULT);
	assert_int_equal(done, 7);
	assert_int_equal(fh_reader_remain(&reader), 2 * FH_PAGE_SIZE - 7);
	assert_int_equal(user[FH_PAGE_SIZE - 1], 0);
}

static void transfer_stops_where_one_side_ends(void **state)
{
	struct fh_user_reader from = reads(0, 5);
	unsigned char bytes[8] = {0, 0, 0, 0, 0, 9, 9, 9};
	uint64_t done = 0;

	(void)state;
	fh_user_reader_limit(&from, 3);
	OK(fh_user_reader_read_bytes(&from, bytes, 8, &done));
	assert_int_equal(done, 3);
	assert_int_equal(bytes[2], (unsigned char)(2 * 11 + 1));
	assert_int_equal(bytes[3], 0);
	OK(fh_user_reader_read_bytes(&from, bytes, 8, &done));
	assert_int_equal(done, 0);
	from = reads(0, 100);
	fh_writer_limit(&writer, 4);
	OK(fh_user_reader_read(&from, &writer, &done));
	assert_int_equal(done, 4);
	assert_int_equal(fh_user_reader_remain(&from), 96);
}

static void user_fill_counts_to_the_fault(void **state)
{
	struct fh_user_writer to = writes(FH_PAGE_SIZE - 9, 4000);
	uint64_t done = 0;

	(void)state;
	assert_int_equal(fh_user_writer_fill_zeros(&to, 4000, &done),
			 FH_E_FAULT);
	assert_int_equal(done, 9);
	assert_int_equal(user[FH_PAGE_SIZE - 1], 0);
	assert_int_not_equal(user[FH_PAGE_SIZE - 10], 0);
	to = writes(0, 100);
	fh_user_writer_limit(&to, 8);
	OK(fh_user_writer_fill_zeros(&to, 10, &done));
	assert_int_equal(done, 8);
	assert_int_not_equal(user[8], 0);
}

static void user_values_move_whole_or_leave_the_cursor(void **state)
{
	struct fh_user_reader from = reads(FH_PAGE_SIZE - 4, 100);
	struct fh_user_writer to = writes(FH_PAGE_SIZE - 4, 100);
	uint32_t value = 0x01020304;
	uint64_t wide = 0;

	(void)state;
	assert_int_equal(fh_user_reader_read_val(&from, &wide, 8), FH_E_FAULT);
	assert_int_equal(fh_user_reader_remain(&from), 100);
	assert_int_equal(fh_user_writer_write_val(&to, &wide, 8), FH_E_FAULT);
	assert_int_equal(fh_user_writer_avail(&to), 100);
	OK(fh_user_writer_write_val(&to, &value, 4));
	value = 0;
	OK(fh_user_reader_read_val(&from, &value, 4));
	assert_int_equal(value, 0x01020304);
	assert_int_equal(fh_user_reader_remain(&from), 96);
	assert_int_equal(fh_user_reader_read_val(&from, &wide, 97),
			 FH_E_INVALID);
	assert_int_equal(fh_user_writer_write_val(&to, &wide, 97),
			 FH_E_INVALID);
}

static void user_skip_beyond_the_end_is_refused(void **state)
{
	struct fh_user_reader from = reads(0, 10);
	struct fh_user_writer to = writes(0, 10);

	(void)state;
	assert_int_equal(fh_user_reader_skip(&from, 11), FH_E_INVALID);
	assert_int_equal(fh_user_writer_skip(&to, UINT64_MAX), FH_E_INVALID);
	OK(fh_user_reader_skip(&from, 10));
	OK(fh_user_writer_skip(&to, 3));
	assert_int_equal(fh_user_reader_remain(&from), 0);
	assert_int_equal(fh_user_writer_avail(&to), 7);
}

static void user_words_load_and_exchange(void **state)
{
	struct fh_user_reader r = reads(8, 100);
	struct fh_user_writer w = writes(8, 100);
	uint32_t word = 500;
	uint32_t old = 0;

	(void)state;
	memcpy(user + 8, &word, 4);
	OK(fh_user_reader_atomic_load32(&r, &old));
	assert_int_equal(old, 500);
	OK(fh_user_writer_atomic_cas32(&w, &r, 1, 2, &old));
	assert_int_equal(old, 500);
	OK(fh_user_writer_atomic_cas32(&w, &r, 500, 501, &old));
	OK(fh_user_reader_atomic_load32(&r, &word));
	assert_int_equal(word, 501);
	assert_int_equal(fh_user_reader_remain(&r), 100);
	OK(fh_user_reader_skip(&r, 2));
	assert_int_equal(fh_user_reader_atomic_load32(&r, &word),
			 FH_E_NOT_ALIGNED);
	assert_int_equal(fh_user_writer_atomic_cas32(&w, &r, 1, 2, &old),
			 FH_E_INVALID);
	r = reads(FH_PAGE_SIZE, 4);
	w = writes(FH_PAGE_SIZE, 4);
	assert_int_equal(fh_user_reader_atomic_load32(&r, &word), FH_E_FAULT);
	assert_int_equal(fh_user_writer_atomic_cas32(&w, &r, 1, 2, &old),
			 FH_E_FAULT);
	r = reads(0, 3);
	assert_int_equal(fh_user_reader_atomic_load32(&r, &word), FH_E_INVALID);
}

#define WITH_USER(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_USER(user_range_must_not_wrap),
		WITH_USER(user_bytes_reach_frames_and_return),
		WITH_USER(fault_ends_a_read_with_its_count),
		WITH_USER(fault_ends_a_write_with_its_count),
		WITH_USER(transfer_stops_where_one_side_ends),
		WITH_USER(user_fill_counts_to_the_fault),
		WITH_USER(user_values_move_whole_or_leave_the_cursor),
		WITH_USER(user_skip_beyond_the_end_is_refused),
		WITH_USER(user_words_load_and_exchange),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
