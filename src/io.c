/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Cursors over untyped memory. All arithmetic is on numbers: at <= end always
 * holds, and only the three functions that touch bytes make a pointer, page by
 * page, out of the linear map.
 *
 * Copies are plain: a byte that somebody writes meanwhile arrives old or new.
 * The _once functions are for words that must arrive whole.
 */
#include <framehold/io.h>

#include "slot.h"

/* The byte at a physical address, through the linear map. */
/*@
  requires pa < FH_BYTES_END;
  assigns \nothing;
  exits \false;
  ensures \result == &fh_proof_bytes[pa];
*/
static char *io_byte(uint64_t pa)
{
	char *page = fh_page_bytes(pa / FH_PAGE_SIZE);

	return page + pa % FH_PAGE_SIZE;
}

/* Bytes from pa to the end of its page, at most n. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result <= n && \result <= FH_PAGE_SIZE - pa % FH_PAGE_SIZE;
  ensures n > 0 ==> \result > 0;
*/
static uint64_t io_piece(uint64_t pa, uint64_t n)
{
	uint64_t left = FH_PAGE_SIZE - pa % FH_PAGE_SIZE;

	return left < n ? left : n;
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result == (a < b ? a : b);
*/
static uint64_t io_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*@
  requires bytes_there(to, to + n) && bytes_there(from, from + n);
  requires bytes_apart(to, from, n);
  assigns fh_proof_bytes[to .. to + n - 1];
  exits \false;
  ensures \forall integer a; to <= a < to + n ==>
    byte_at(a) == \old(byte_at(a - to + from));
*/
static void copy_between(uint64_t to, uint64_t from, uint64_t n)
{
	uint64_t done = 0;

	/*@
	  loop invariant 0 <= done <= n;
	  loop invariant \forall integer a; to <= a < to + done ==>
	    byte_at(a) == \at(byte_at(a - to + from),Pre);
	  loop assigns done, fh_proof_bytes[to .. to + n - 1];
	  loop variant n - done;
	*/
	while (done < n) {
		uint64_t piece =
			io_piece(to + done, io_piece(from + done, n - done));

		__builtin_memcpy(io_byte(to + done), io_byte(from + done),
				 piece);
		/*@ assert \forall integer a;
		  to + done <= a < to + done + piece ==>
		    char_of(&fh_proof_bytes[to + done], a - to - done)
		      == byte_at(a) &&
		    byte_at(a) == \at(byte_at(a - to + from),Pre); */
		done += piece;
	}
}

/*@
  requires bytes_there(from, from + n);
  requires \valid(to + (0 .. n - 1)) && bytes_outside(to, from, n);
  assigns to[0 .. n - 1];
  exits \false;
  ensures \forall integer i; 0 <= i < n ==>
    to[i] == \old(byte_at(from + i));
*/
static void copy_out(char *to, uint64_t from, uint64_t n)
{
	uint64_t done = 0;

	/*@
	  loop invariant 0 <= done <= n;
	  loop invariant \forall integer i; 0 <= i < done ==>
	    to[i] == \at(byte_at(from + i),Pre);
	  loop assigns done, to[0 .. n - 1];
	  loop variant n - done;
	*/
	while (done < n) {
		uint64_t piece = io_piece(from + done, n - done);

		__builtin_memcpy(to + done, io_byte(from + done), piece);
		/*@ assert \forall integer i; done <= i < done + piece ==>
		    char_of(to + done, i - done) == to[i] &&
		    to[i] == \at(byte_at(from + i),Pre); */
		done += piece;
	}
}

/*@
  requires bytes_there(to, to + n);
  requires \valid_read(from + (0 .. n - 1)) && bytes_outside(from, to, n);
  assigns fh_proof_bytes[to .. to + n - 1];
  exits \false;
  ensures \forall integer a; to <= a < to + n ==>
    byte_at(a) == \old(from[a - to]);
*/
static void copy_in(uint64_t to, const char *from, uint64_t n)
{
	uint64_t done = 0;

	/*@
	  loop invariant 0 <= done <= n;
	  loop invariant \forall integer a; to <= a < to + done ==>
	    byte_at(a) == \at(from[a - to],Pre);
	  loop assigns done, fh_proof_bytes[to .. to + n - 1];
	  loop variant n - done;
	*/
	while (done < n) {
		uint64_t piece = io_piece(to + done, n - done);

		__builtin_memcpy(io_byte(to + done), from + done, piece);
		/*@ assert \forall integer a;
		  to + done <= a < to + done + piece ==>
		    char_of(&fh_proof_bytes[to + done], a - to - done)
		      == byte_at(a) &&
		    byte_at(a) == \at(from[a - to],Pre); */
		done += piece;
	}
}

/*@
  requires bytes_there(to, to + n);
  assigns fh_proof_bytes[to .. to + n - 1];
  exits \false;
  ensures \forall integer a; to <= a < to + n ==> byte_at(a) == 0;
*/
static void fill_with_zeros(uint64_t to, uint64_t n)
{
	uint64_t done = 0;

	/*@
	  loop invariant 0 <= done <= n;
	  loop invariant \forall integer a; to <= a < to + done ==>
	    byte_at(a) == 0;
	  loop assigns done, fh_proof_bytes[to .. to + n - 1];
	  loop variant n - done;
	*/
	while (done < n) {
		uint64_t piece = io_piece(to + done, n - done);

		__builtin_memset(io_byte(to + done), 0, piece);
		/*@ assert \forall integer a;
		  to + done <= a < to + done + piece ==>
		    char_of(&fh_proof_bytes[to + done], a - to - done)
		      == byte_at(a) &&
		    byte_at(a) == 0; */
		done += piece;
	}
}

/*@
  requires first <= FH_FRAME_NUMBER_END;
  requires count <= FH_FRAME_NUMBER_END - first;
  assigns \nothing;
  exits \false;
  ensures \result.at == first * FH_PAGE_SIZE;
  ensures \result.end == (first + count) * FH_PAGE_SIZE;
*/
static struct fh_reader page_reader(uint64_t first, uint64_t count)
{
	struct fh_reader reader = {
		.at = first * FH_PAGE_SIZE,
		.end = (first + count) * FH_PAGE_SIZE,
	};

	return reader;
}

/*@
  requires first <= FH_FRAME_NUMBER_END;
  requires count <= FH_FRAME_NUMBER_END - first;
  assigns \nothing;
  exits \false;
  ensures \result.at == first * FH_PAGE_SIZE;
  ensures \result.end == (first + count) * FH_PAGE_SIZE;
*/
static struct fh_writer page_writer(uint64_t first, uint64_t count)
{
	struct fh_writer writer = {
		.at = first * FH_PAGE_SIZE,
		.end = (first + count) * FH_PAGE_SIZE,
	};

	return writer;
}

struct fh_reader fh_uframe_reader(struct fh_uframe f)
{
	return page_reader(fh_uframe_number(f), f.handle == 0 ? 0 : 1);
}

struct fh_writer fh_uframe_writer(struct fh_uframe f)
{
	return page_writer(fh_uframe_number(f), f.handle == 0 ? 0 : 1);
}

struct fh_reader fh_usegment_reader(struct fh_usegment s)
{
	return page_reader(fh_usegment_first(s), s.count);
}

struct fh_writer fh_usegment_writer(struct fh_usegment s)
{
	return page_writer(fh_usegment_first(s), s.count);
}

struct fh_reader fh_dropping_reader(struct fh_dropping page)
{
	return page_reader(page.frame, 1);
}

void fh_reader_limit(struct fh_reader *reader, uint64_t max)
{
	reader->end = reader->at + io_min(fh_reader_remain(reader), max);
}

void fh_writer_limit(struct fh_writer *writer, uint64_t max)
{
	writer->end = writer->at + io_min(fh_writer_avail(writer), max);
}

enum fh_status fh_reader_skip(struct fh_reader *reader, uint64_t n)
{
	if (n > fh_reader_remain(reader))
		return FH_E_INVALID;
	reader->at += n;
	return FH_OK;
}

enum fh_status fh_writer_skip(struct fh_writer *writer, uint64_t n)
{
	if (n > fh_writer_avail(writer))
		return FH_E_INVALID;
	writer->at += n;
	return FH_OK;
}

uint64_t fh_reader_read(struct fh_reader *reader, struct fh_writer *writer)
{
	uint64_t n = io_min(fh_reader_remain(reader), fh_writer_avail(writer));

	copy_between(writer->at, reader->at, n);
	reader->at += n;
	writer->at += n;
	return n;
}

uint64_t fh_reader_read_bytes(struct fh_reader *reader, void *to, uint64_t n)
{
	uint64_t count = io_min(fh_reader_remain(reader), n);

	copy_out(to, reader->at, count);
	reader->at += count;
	return count;
}

uint64_t fh_writer_write_bytes(struct fh_writer *writer, const void *from,
			       uint64_t n)
{
	uint64_t count = io_min(fh_writer_avail(writer), n);

	copy_in(writer->at, from, count);
	writer->at += count;
	return count;
}

uint64_t fh_writer_fill_zeros(struct fh_writer *writer, uint64_t n)
{
	uint64_t count = io_min(fh_writer_avail(writer), n);

	fill_with_zeros(writer->at, count);
	writer->at += count;
	return count;
}

enum fh_status fh_reader_read_val(struct fh_reader *reader, void *value,
				  uint64_t n)
{
	if (n > fh_reader_remain(reader))
		return FH_E_INVALID;
	(void)fh_reader_read_bytes(reader, value, n);
	return FH_OK;
}

enum fh_status fh_writer_write_val(struct fh_writer *writer, const void *value,
				   uint64_t n)
{
	if (n > fh_writer_avail(writer))
		return FH_E_INVALID;
	(void)fh_writer_write_bytes(writer, value, n);
	return FH_OK;
}

/* Whether an aligned access of n bytes may be made in at .. end-1. */
/*@
  requires at <= end && n > 0;
  assigns \nothing;
  exits \false;
  behavior short:
    assumes n > end - at;
    ensures \result == FH_E_INVALID;
  behavior misaligned:
    assumes n <= end - at && at % n != 0;
    ensures \result == FH_E_NOT_ALIGNED;
  behavior fits:
    assumes n <= end - at && at % n == 0;
    ensures \result == FH_OK;
  complete behaviors;
  disjoint behaviors;
*/
static enum fh_status check_once(uint64_t at, uint64_t end, uint64_t n)
{
	if (n > end - at)
		return FH_E_INVALID;
	return at % n == 0 ? FH_OK : FH_E_NOT_ALIGNED;
}

enum fh_status fh_reader_read_once8(struct fh_reader *reader, uint8_t *value)
{
	enum fh_status status = check_once(reader->at, reader->end, 1);

	if (status != FH_OK)
		return status;
	*value = fh_memory_load8(io_byte(reader->at));
	reader->at += 1;
	return FH_OK;
}

enum fh_status fh_reader_read_once16(struct fh_reader *reader, uint16_t *value)
{
	enum fh_status status = check_once(reader->at, reader->end, 2);

	if (status != FH_OK)
		return status;
	*value = fh_memory_load16(io_byte(reader->at));
	reader->at += 2;
	return FH_OK;
}

enum fh_status fh_reader_read_once32(struct fh_reader *reader, uint32_t *value)
{
	enum fh_status status = check_once(reader->at, reader->end, 4);

	if (status != FH_OK)
		return status;
	*value = fh_memory_load32(io_byte(reader->at));
	reader->at += 4;
	return FH_OK;
}

enum fh_status fh_reader_read_once64(struct fh_reader *reader, uint64_t *value)
{
	enum fh_status status = check_once(reader->at, reader->end, 8);

	if (status != FH_OK)
		return status;
	*value = fh_memory_load64(io_byte(reader->at));
	reader->at += 8;
	return FH_OK;
}

enum fh_status fh_writer_write_once8(struct fh_writer *writer, uint8_t value)
{
	enum fh_status status = check_once(writer->at, writer->end, 1);

	if (status != FH_OK)
		return status;
	fh_memory_store8(io_byte(writer->at), value);
	writer->at += 1;
	return FH_OK;
}

enum fh_status fh_writer_write_once16(struct fh_writer *writer, uint16_t value)
{
	enum fh_status status = check_once(writer->at, writer->end, 2);

	if (status != FH_OK)
		return status;
	fh_memory_store16(io_byte(writer->at), value);
	writer->at += 2;
	return FH_OK;
}

enum fh_status fh_writer_write_once32(struct fh_writer *writer, uint32_t value)
{
	enum fh_status status = check_once(writer->at, writer->end, 4);

	if (status != FH_OK)
		return status;
	fh_memory_store32(io_byte(writer->at), value);
	writer->at += 4;
	return FH_OK;
}

enum fh_status fh_writer_write_once64(struct fh_writer *writer, uint64_t value)
{
	enum fh_status status = check_once(writer->at, writer->end, 8);

	if (status != FH_OK)
		return status;
	fh_memory_store64(io_byte(writer->at), value);
	writer->at += 8;
	return FH_OK;
}

enum fh_status fh_reader_atomic_load32(const struct fh_reader *reader,
				       uint32_t *value)
{
	enum fh_status status = check_once(reader->at, reader->end, 4);

	if (status != FH_OK)
		return status;
	*value = fh_memory_load32(io_byte(reader->at));
	return FH_OK;
}

enum fh_status fh_writer_atomic_cas32(const struct fh_writer *writer,
				      const struct fh_reader *reader,
				      uint32_t expected, uint32_t desired,
				      uint32_t *old)
{
	uint64_t end = io_min(writer->end, reader->end);

	if (writer->at != reader->at)
		return FH_E_INVALID;
	enum fh_status status = check_once(writer->at, end, 4);
	if (status != FH_OK)
		return status;
	*old = fh_memory_cas32(io_byte(writer->at), expected, desired);
	return FH_OK;
}

/* Whether offset .. offset+n-1 lie within `size` bytes. */
/*@
  assigns \nothing;
  exits \false;
  behavior overflow:
    assumes offset + n > UINT64_MAX;
    ensures \result == FH_E_OVERFLOW;
  behavior short:
    assumes size < offset + n <= UINT64_MAX;
    ensures \result == FH_E_INVALID;
  behavior fits:
    assumes offset + n <= size;
    ensures \result == FH_OK;
  complete behaviors;
  disjoint behaviors;
*/
static enum fh_status check_extent(uint64_t size, uint64_t offset, uint64_t n)
{
	if (n > UINT64_MAX - offset)
		return FH_E_OVERFLOW;
	return offset <= size && n <= size - offset ? FH_OK : FH_E_INVALID;
}

enum fh_status fh_reader_at(struct fh_reader whole, uint64_t offset, uint64_t n,
			    struct fh_reader *out)
{
	enum fh_status status =
		check_extent(fh_reader_remain(&whole), offset, n);

	if (status != FH_OK)
		return status;
	out->at = whole.at + offset;
	out->end = whole.at + offset + n;
	return FH_OK;
}

enum fh_status fh_writer_at(struct fh_writer whole, uint64_t offset, uint64_t n,
			    struct fh_writer *out)
{
	enum fh_status status =
		check_extent(fh_writer_avail(&whole), offset, n);

	if (status != FH_OK)
		return status;
	out->at = whole.at + offset;
	out->end = whole.at + offset + n;
	return FH_OK;
}

enum fh_status fh_io_read(struct fh_reader whole, uint64_t offset, void *to,
			  uint64_t n)
{
	struct fh_reader part;
	enum fh_status status = fh_reader_at(whole, offset, n, &part);

	if (status != FH_OK)
		return status;
	return fh_reader_read_val(&part, to, n);
}

enum fh_status fh_io_write(struct fh_writer whole, uint64_t offset,
			   const void *from, uint64_t n)
{
	struct fh_writer part;
	enum fh_status status = fh_writer_at(whole, offset, n, &part);

	if (status != FH_OK)
		return status;
	return fh_writer_write_val(&part, from, n);
}

enum fh_status fh_io_fill_zeros(struct fh_writer whole, uint64_t offset,
				uint64_t n, uint64_t *done)
{
	*done = 0;
	if (n > UINT64_MAX - offset)
		return FH_E_OVERFLOW;
	if (fh_writer_skip(&whole, offset) != FH_OK)
		return FH_E_INVALID;
	*done = fh_writer_fill_zeros(&whole, n);
	return *done == n ? FH_OK : FH_E_INVALID;
}

/* The external definitions of this header's inline functions. */
extern uint64_t fh_reader_remain(const struct fh_reader *reader);
extern uint64_t fh_writer_avail(const struct fh_writer *writer);
extern struct fh_paddr fh_reader_cursor(const struct fh_reader *reader);
extern struct fh_paddr fh_writer_cursor(const struct fh_writer *writer);
