/* SPDX-License-Identifier: MPL-2.0 */
/* Cursors over untyped memory: framehold/io.h. */
#include "harness.h"

#include <string.h>

/* A segment of two untyped pages whose bytes count up, and its cursors. */
struct two_pages {
	struct fh_usegment segment;
	struct fh_reader reader;
	struct fh_writer writer;
};

#define TWO_PAGES (2 * FH_PAGE_SIZE)

static unsigned char pattern(uint64_t i)
{
	return (unsigned char)(i * 7 + i / 256);
}

static struct two_pages make_pages(void)
{
	struct two_pages pages;
	struct fh_segment segment;
	unsigned char bytes[TWO_PAGES];

	OK(fh_segment_alloc(2, NULL, &fh_untyped_type, NULL, &segment));
	OK(fh_usegment_from_segment(&segment, &pages.segment));
	pages.reader = fh_usegment_reader(pages.segment);
	pages.writer = fh_usegment_writer(pages.segment);
	for (uint64_t i = 0; i < TWO_PAGES; i++)
		bytes[i] = pattern(i);
	OK(fh_io_write(pages.writer, 0, bytes, TWO_PAGES));
	return pages;
}

/* The byte in memory itself, not through a cursor. */
static unsigned char *byte_at(struct two_pages *pages, uint64_t offset)
{
	uint64_t frame = fh_usegment_first(pages->segment);
	unsigned char *page =
		fh_host_linear(address_of(frame + offset / FH_PAGE_SIZE));

	return page + offset % FH_PAGE_SIZE;
}

static void assert_pattern(struct two_pages *pages, uint64_t first,
			   uint64_t end)
{
	for (uint64_t i = first; i < end; i++)
		assert_int_equal(*byte_at(pages, i), pattern(i));
}

static void cursors_cover_what_is_held(void **state)
{
	struct two_pages pages = make_pages();
	struct fh_frame f;
	struct fh_uframe u;

	(void)state;
	assert_int_equal(fh_reader_remain(&pages.reader), TWO_PAGES);
	assert_int_equal(fh_writer_avail(&pages.writer), TWO_PAGES);
	assert_int_equal(fh_reader_cursor(&pages.reader).bytes,
			 fh_usegment_first(pages.segment) * FH_PAGE_SIZE);
	OK(fh_frame_alloc(NULL, &fh_untyped_type, NULL, &f));
	OK(fh_uframe_from_frame(&f, &u));
	struct fh_reader reader = fh_uframe_reader(u);
	struct fh_writer writer = fh_uframe_writer(u);
	assert_int_equal(fh_reader_remain(&reader), FH_PAGE_SIZE);
	assert_int_equal(fh_writer_avail(&writer), FH_PAGE_SIZE);
	assert_int_equal(fh_writer_cursor(&writer).bytes,
			 fh_uframe_paddr(u).bytes);
	fh_uframe_put(&u);
	fh_usegment_put(&pages.segment);
}

static void nothing_held_makes_empty_cursors(void **state)
{
	struct fh_reader frame = fh_uframe_reader(fh_uframe_none());
	struct fh_writer segment = fh_usegment_writer(fh_usegment_none());
	unsigned char byte = 9;

	(void)state;
	assert_int_equal(fh_reader_remain(&frame), 0);
	assert_int_equal(fh_writer_avail(&segment), 0);
	assert_int_equal(fh_reader_read_bytes(&frame, &byte, 1), 0);
	assert_int_equal(fh_writer_write_bytes(&segment, &byte, 1), 0);
	assert_int_equal(byte, 9);
	assert_int_equal(fh_reader_read_once8(&frame, &byte), FH_E_INVALID);
}

static void values_round_trip_across_a_page_border(void **state)
{
	struct two_pages pages = make_pages();
	uint32_t in[2] = {0x11223344, 0xaabbccdd};
	uint32_t out[2] = {0, 0};
	struct fh_writer writer = pages.writer;
	struct fh_reader reader = pages.reader;

	(void)state;
	OK(fh_writer_skip(&writer, FH_PAGE_SIZE - 3));
	OK(fh_writer_write_val(&writer, &in[0], 4));
	OK(fh_writer_write_val(&writer, &in[1], 4));
	assert_int_equal(fh_writer_avail(&writer), FH_PAGE_SIZE + 3 - 8);
	OK(fh_reader_skip(&reader, FH_PAGE_SIZE - 3));
	OK(fh_reader_read_val(&reader, &out[0], 4));
	OK(fh_reader_read_val(&reader, &out[1], 4));
	assert_memory_equal(in, out, sizeof(in));
	assert_int_equal(*byte_at(&pages, FH_PAGE_SIZE - 3), 0x44);
	assert_int_equal(*byte_at(&pages, FH_PAGE_SIZE), 0x11);
	assert_pattern(&pages, 0, FH_PAGE_SIZE - 3);
	assert_pattern(&pages, FH_PAGE_SIZE + 5, TWO_PAGES);
	fh_usegment_put(&pages.segment);
}

static void short_values_move_nothing(void **state)
{
	struct two_pages pages = make_pages();
	uint32_t value = 0x55555555;
	struct fh_reader reader = pages.reader;
	struct fh_writer writer = pages.writer;

	(void)state;
	OK(fh_reader_skip(&reader, TWO_PAGES - 3));
	OK(fh_writer_skip(&writer, TWO_PAGES - 3));
	assert_int_equal(fh_reader_read_val(&reader, &value, 4), FH_E_INVALID);
	assert_int_equal(fh_reader_read_once32(&reader, &value), FH_E_INVALID);
	assert_int_equal(value, 0x55555555);
	assert_int_equal(fh_writer_write_val(&writer, &value, 4), FH_E_INVALID);
	assert_int_equal(fh_writer_write_once32(&writer, 1), FH_E_INVALID);
	assert_int_equal(fh_reader_remain(&reader), 3);
	assert_int_equal(fh_writer_avail(&writer), 3);
	assert_pattern(&pages, 0, TWO_PAGES);
	fh_usegment_put(&pages.segment);
}

static void transfers_move_what_both_sides_have(void **state)
{
	struct two_pages from = make_pages();
	struct two_pages to = make_pages();
	struct fh_writer zero = to.writer;

	(void)state;
	assert_int_equal(fh_writer_fill_zeros(&zero, TWO_PAGES), TWO_PAGES);
	fh_reader_limit(&from.reader, 5000);
	OK(fh_writer_skip(&to.writer, 100));
	assert_int_equal(fh_reader_read(&from.reader, &to.writer), 5000);
	assert_int_equal(fh_reader_remain(&from.reader), 0);
	assert_int_equal(fh_writer_avail(&to.writer), TWO_PAGES - 5100);
	for (uint64_t i = 0; i < TWO_PAGES; i++)
		assert_int_equal(*byte_at(&to, i),
				 i < 100 || i >= 5100 ? 0 : pattern(i - 100));
	from.reader = fh_usegment_reader(from.segment);
	fh_writer_limit(&to.writer, 3);
	assert_int_equal(fh_reader_read(&from.reader, &to.writer), 3);
	assert_int_equal(fh_reader_remain(&from.reader), TWO_PAGES - 3);
	fh_usegment_put(&from.segment);
	fh_usegment_put(&to.segment);
}

static void bytes_move_as_far_as_they_go(void **state)
{
	struct two_pages pages = make_pages();
	unsigned char bytes[10];
	struct fh_reader reader = pages.reader;
	struct fh_writer writer = pages.writer;

	(void)state;
	OK(fh_reader_skip(&reader, TWO_PAGES - 5));
	memset(bytes, 0xee, sizeof(bytes));
	assert_int_equal(fh_reader_read_bytes(&reader, bytes, 10), 5);
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(bytes[i], pattern(TWO_PAGES - 5 + i));
	assert_int_equal(bytes[5], 0xee);
	OK(fh_writer_skip(&writer, TWO_PAGES - 2));
	assert_int_equal(fh_writer_write_bytes(&writer, bytes + 5, 5), 2);
	assert_int_equal(*byte_at(&pages, TWO_PAGES - 2), 0xee);
	assert_int_equal(*byte_at(&pages, TWO_PAGES - 3),
			 pattern(TWO_PAGES - 3));
	fh_usegment_put(&pages.segment);
}

static void fill_stops_at_the_end(void **state)
{
	struct two_pages pages = make_pages();
	struct fh_writer writer = pages.writer;

	(void)state;
	OK(fh_writer_skip(&writer, TWO_PAGES - 8));
	assert_int_equal(fh_writer_fill_zeros(&writer, 10), 8);
	assert_int_equal(fh_writer_avail(&writer), 0);
	for (uint64_t i = TWO_PAGES - 8; i < TWO_PAGES; i++)
		assert_int_equal(*byte_at(&pages, i), 0);
	assert_pattern(&pages, 0, TWO_PAGES - 8);
	fh_usegment_put(&pages.segment);
}

static void limit_only_shrinks(void **state)
{
	struct two_pages pages = make_pages();

	(void)state;
	fh_reader_limit(&pages.reader, UINT64_MAX);
	assert_int_equal(fh_reader_remain(&pages.reader), TWO_PAGES);
	fh_reader_limit(&pages.reader, 7);
	fh_reader_limit(&pages.reader, 9);
	assert_int_equal(fh_reader_remain(&pages.reader), 7);
	fh_writer_limit(&pages.writer, 0);
	assert_int_equal(fh_writer_avail(&pages.writer), 0);
	fh_usegment_put(&pages.segment);
}

static void skip_beyond_the_end_is_refused(void **state)
{
	struct two_pages pages = make_pages();

	(void)state;
	assert_int_equal(fh_reader_skip(&pages.reader, TWO_PAGES + 1),
			 FH_E_INVALID);
	assert_int_equal(fh_reader_skip(&pages.reader, UINT64_MAX),
			 FH_E_INVALID);
	assert_int_equal(fh_writer_skip(&pages.writer, UINT64_MAX),
			 FH_E_INVALID);
	assert_int_equal(fh_reader_remain(&pages.reader), TWO_PAGES);
	OK(fh_reader_skip(&pages.reader, TWO_PAGES));
	assert_int_equal(fh_reader_remain(&pages.reader), 0);
	fh_usegment_put(&pages.segment);
}

static void once_moves_each_size_whole(void **state)
{
	struct two_pages pages = make_pages();
	struct fh_reader reader = pages.reader;
	uint8_t a = 0;
	uint16_t b = 0;
	uint32_t c = 0;
	uint64_t d = 0;

	(void)state;
	OK(fh_writer_write_once64(&pages.writer, UINT64_C(0x8877665544332211)));
	OK(fh_writer_write_once32(&pages.writer, 0xddccbbaa));
	OK(fh_writer_write_once16(&pages.writer, 0xf00f));
	OK(fh_writer_write_once8(&pages.writer, 0x99));
	assert_int_equal(fh_writer_avail(&pages.writer), TWO_PAGES - 15);
	OK(fh_reader_read_once64(&reader, &d));
	OK(fh_reader_read_once32(&reader, &c));
	OK(fh_reader_read_once16(&reader, &b));
	OK(fh_reader_read_once8(&reader, &a));
	assert_true(d == UINT64_C(0x8877665544332211));
	assert_true(c == 0xddccbbaa && b == 0xf00f && a == 0x99);
	assert_pattern(&pages, 15, TWO_PAGES);
	fh_usegment_put(&pages.segment);
}

static void once_needs_room_then_alignment(void **state)
{
	struct two_pages pages = make_pages();
	struct fh_reader reader = pages.reader;
	uint64_t value = 3;

	(void)state;
	OK(fh_reader_skip(&reader, TWO_PAGES - 7));
	assert_int_equal(fh_reader_read_once64(&reader, &value), FH_E_INVALID);
	reader = pages.reader;
	OK(fh_reader_skip(&reader, 4));
	assert_int_equal(fh_reader_read_once64(&reader, &value),
			 FH_E_NOT_ALIGNED);
	OK(fh_writer_skip(&pages.writer, 1));
	assert_int_equal(fh_writer_write_once16(&pages.writer, 5),
			 FH_E_NOT_ALIGNED);
	assert_int_equal(fh_writer_write_once32(&pages.writer, 5),
			 FH_E_NOT_ALIGNED);
	assert_int_equal(fh_writer_write_once64(&pages.writer, 5),
			 FH_E_NOT_ALIGNED);
	assert_true(value == 3);
	assert_pattern(&pages, 0, TWO_PAGES);
	fh_usegment_put(&pages.segment);
}

static void atomic_load_leaves_the_cursor(void **state)
{
	struct two_pages pages = make_pages();
	unsigned char bytes[8] = {1, 1, 1, 1, 2, 2, 2, 2};
	uint32_t value = 0;

	(void)state;
	OK(fh_io_write(pages.writer, 0, bytes, 8));
	OK(fh_reader_atomic_load32(&pages.reader, &value));
	assert_int_equal(value, 0x01010101);
	assert_int_equal(fh_reader_remain(&pages.reader), TWO_PAGES);
	OK(fh_reader_skip(&pages.reader, 4));
	OK(fh_reader_atomic_load32(&pages.reader, &value));
	assert_int_equal(value, 0x02020202);
	OK(fh_reader_skip(&pages.reader, 1));
	assert_int_equal(fh_reader_atomic_load32(&pages.reader, &value),
			 FH_E_NOT_ALIGNED);
	fh_usegment_put(&pages.segment);
}

static void exchange_tells_the_word_before(void **state)
{
	struct two_pages pages = make_pages();
	struct fh_writer *w = &pages.writer;
	struct fh_reader *r = &pages.reader;
	uint32_t old = 77;
	uint32_t zero = 0;

	(void)state;
	OK(fh_io_write(*w, 0, &zero, 4));
	OK(fh_writer_atomic_cas32(w, r, 0, 100, &old));
	assert_int_equal(old, 0);
	OK(fh_writer_atomic_cas32(w, r, 100, 200, &old));
	assert_int_equal(old, 100);
	OK(fh_writer_atomic_cas32(w, r, 300, 1, &old));
	assert_int_equal(old, 200);
	OK(fh_writer_atomic_cas32(w, r, 200, 300, &old));
	OK(fh_writer_atomic_cas32(w, r, 200, 1, &old));
	assert_int_equal(old, 300);
	assert_int_equal(fh_writer_avail(w), TWO_PAGES);
	OK(fh_reader_skip(r, 4));
	assert_int_equal(fh_writer_atomic_cas32(w, r, 300, 1, &old),
			 FH_E_INVALID);
	fh_usegment_put(&pages.segment);
}

static void access_by_offset_is_whole_or_not_at_all(void **state)
{
	struct two_pages pages = make_pages();
	unsigned char bytes[4] = {0xa, 0xb, 0xc, 0xd};
	unsigned char back[4] = {0, 0, 0, 0};

	(void)state;
	OK(fh_io_write(pages.writer, FH_PAGE_SIZE - 2, bytes, 4));
	OK(fh_io_read(pages.reader, FH_PAGE_SIZE - 2, back, 4));
	assert_memory_equal(bytes, back, 4);
	OK(fh_io_read(pages.reader, TWO_PAGES, back, 0));
	assert_int_equal(fh_io_read(pages.reader, TWO_PAGES - 3, back, 4),
			 FH_E_INVALID);
	assert_int_equal(fh_io_read(pages.reader, TWO_PAGES + 1, back, 0),
			 FH_E_INVALID);
	assert_int_equal(fh_io_read(pages.reader, UINT64_MAX, back, 4),
			 FH_E_OVERFLOW);
	assert_int_equal(fh_io_write(pages.writer, UINT64_MAX - 1, bytes, 2),
			 FH_E_OVERFLOW);
	assert_memory_equal(bytes, back, 4);
	fh_usegment_put(&pages.segment);
}

static void fill_by_offset_reports_what_it_did(void **state)
{
	struct two_pages pages = make_pages();
	unsigned char bytes[5] = {1, 2, 3, 4, 5};
	unsigned char wanted[5] = {1, 0, 0, 0, 5};
	unsigned char back[5];
	uint64_t done = 9;

	(void)state;
	OK(fh_io_write(pages.writer, 0, bytes, 5));
	OK(fh_io_fill_zeros(pages.writer, 1, 3, &done));
	assert_int_equal(done, 3);
	OK(fh_io_read(pages.reader, 0, back, 5));
	assert_memory_equal(back, wanted, 5);
	assert_int_equal(fh_io_fill_zeros(pages.writer, TWO_PAGES, 3, &done),
			 FH_E_INVALID);
	assert_int_equal(done, 0);
	assert_int_equal(
		fh_io_fill_zeros(pages.writer, TWO_PAGES - 2, 3, &done),
		FH_E_INVALID);
	assert_int_equal(done, 2);
	done = 9;
	assert_int_equal(fh_io_fill_zeros(pages.writer, 8, UINT64_MAX, &done),
			 FH_E_OVERFLOW);
	assert_int_equal(done, 0);
	fh_usegment_put(&pages.segment);
}

static uint64_t dropped_bytes;
static unsigned char dropped_byte;

static void read_when_dropped(struct fh_dropping page)
{
	struct fh_reader reader = fh_dropping_reader(page);

	dropped_bytes = fh_reader_remain(&reader);
	assert_int_equal(fh_reader_read_bytes(&reader, &dropped_byte, 1), 1);
}

static const struct fh_meta_type read_when_dropped_type = {
	.name = "read when dropped",
	.usage = FH_USAGE_FRAME,
	.on_drop = read_when_dropped,
};

static void on_drop_gets_a_reader_of_its_page(void **state)
{
	struct fh_unique u;

	(void)state;
	OK(fh_unique_alloc(NULL, &read_when_dropped_type, NULL, &u));
	*(unsigned char *)fh_unique_bytes(u) = 0x5a;
	fh_unique_put(&u);
	assert_int_equal(dropped_bytes, FH_PAGE_SIZE);
	assert_int_equal(dropped_byte, 0x5a);
}

#define ON_MACHINE(test)                                                       \
	cmocka_unit_test_setup_teardown(test, start_machine, stop_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_MACHINE(cursors_cover_what_is_held),
		ON_MACHINE(nothing_held_makes_empty_cursors),
		ON_MACHINE(values_round_trip_across_a_page_border),
		ON_MACHINE(short_values_move_nothing),
		ON_MACHINE(transfers_move_what_both_sides_have),
		ON_MACHINE(bytes_move_as_far_as_they_go),
		ON_MACHINE(fill_stops_at_the_end),
		ON_MACHINE(limit_only_shrinks),
		ON_MACHINE(skip_beyond_the_end_is_refused),
		ON_MACHINE(once_moves_each_size_whole),
		ON_MACHINE(once_needs_room_then_alignment),
		ON_MACHINE(atomic_load_leaves_the_cursor),
		ON_MACHINE(exchange_tells_the_word_before),
		ON_MACHINE(access_by_offset_is_whole_or_not_at_all),
		ON_MACHINE(fill_by_offset_reports_what_it_did),
		ON_MACHINE(on_drop_gets_a_reader_of_its_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
