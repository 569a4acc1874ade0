/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Reading and writing untyped memory: cursors over the bytes of a frame or a
 * segment, and access by offset. Devices and user programs may write the same
 * bytes at any time, so that nothing read here is ever looked at twice.
 *
 * A cursor is two physical addresses; it owns nothing and is valid while what
 * it was made from is held. Everything here runs in any context and takes no
 * lock; nothing faults. userio.h has the cursors that may.
 *
 * Requests: a transfer between cursors, or of bytes, moves as much as both
 * sides have and says how much; a value is moved whole or not at all.
 *
 * Seed: VmReader, VmWriter with Infallible; VmIo, VmIoFill, VmIoOnce.
 */
#ifndef FRAMEHOLD_IO_H
#define FRAMEHOLD_IO_H

#include <framehold/segment.h>

FH_BEGIN_DECLS

/* Private fields: physical byte addresses, at <= end. */
struct fh_reader {
	uint64_t at;
	uint64_t end;
};

struct fh_writer {
	uint64_t at;
	uint64_t end;
};

/* Cursors over all bytes of what is held. Seed: UFrame::reader, writer. */
/*@
  requires f.handle < FH_FRAME_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result.at == f.handle * FH_PAGE_SIZE;
  ensures \result.end - \result.at == (f.handle == 0 ? 0 : FH_PAGE_SIZE);
*/
struct fh_reader fh_uframe_reader(struct fh_uframe f);
/*@
  requires f.handle < FH_FRAME_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result.at == f.handle * FH_PAGE_SIZE;
  ensures \result.end - \result.at == (f.handle == 0 ? 0 : FH_PAGE_SIZE);
*/
struct fh_writer fh_uframe_writer(struct fh_uframe f);

/* An empty segment makes an empty cursor. Seed: USegment::reader, writer. */
/*@
  requires s.handle < FH_FRAME_NUMBER_END;
  requires s.count <= FH_FRAME_NUMBER_END - s.handle;
  assigns \nothing;
  exits \false;
  ensures \result.at == s.handle * FH_PAGE_SIZE;
  ensures \result.end - \result.at == s.count * FH_PAGE_SIZE;
*/
struct fh_reader fh_usegment_reader(struct fh_usegment s);
/*@
  requires s.handle < FH_FRAME_NUMBER_END;
  requires s.count <= FH_FRAME_NUMBER_END - s.handle;
  assigns \nothing;
  exits \false;
  ensures \result.at == s.handle * FH_PAGE_SIZE;
  ensures \result.end - \result.at == s.count * FH_PAGE_SIZE;
*/
struct fh_writer fh_usegment_writer(struct fh_usegment s);

/* The bytes of a page being dropped, typed or not; valid in its on_drop. */
/*@
  requires page.frame < FH_FRAME_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result.at == page.frame * FH_PAGE_SIZE;
  ensures \result.end - \result.at == FH_PAGE_SIZE;
*/
struct fh_reader fh_dropping_reader(struct fh_dropping page);

/* Bytes left before the end. Seed: remain, has_remain, avail, has_avail. */
/*@
  requires \valid_read(reader) && reader->at <= reader->end;
  assigns \nothing;
  exits \false;
  ensures \result == reader->end - reader->at;
*/
FH_INLINE uint64_t fh_reader_remain(const struct fh_reader *reader)
{
	return reader->end - reader->at;
}

/*@
  requires \valid_read(writer) && writer->at <= writer->end;
  assigns \nothing;
  exits \false;
  ensures \result == writer->end - writer->at;
*/
FH_INLINE uint64_t fh_writer_avail(const struct fh_writer *writer)
{
	return writer->end - writer->at;
}

/* Where the cursor stands. Seed: cursor. */
/*@
  requires \valid_read(reader);
  assigns \nothing;
  exits \false;
  ensures \result.bytes == reader->at;
*/
FH_INLINE struct fh_paddr fh_reader_cursor(const struct fh_reader *reader)
{
	return fh_paddr(reader->at);
}

/*@
  requires \valid_read(writer);
  assigns \nothing;
  exits \false;
  ensures \result.bytes == writer->at;
*/
FH_INLINE struct fh_paddr fh_writer_cursor(const struct fh_writer *writer)
{
	return fh_paddr(writer->at);
}

/* Leaves at most max bytes before the end; never more. Seed: limit. */
/*@
  requires \valid(reader) && reader->at <= reader->end;
  assigns reader->end;
  exits \false;
  ensures reader->at <= reader->end <= \old(reader->end);
  behavior enough:
    assumes max < reader->end - reader->at;
    ensures reader->end - reader->at == max;
  behavior short:
    assumes reader->end - reader->at <= max;
    ensures reader->end == \old(reader->end);
  complete behaviors;
  disjoint behaviors;
*/
void fh_reader_limit(struct fh_reader *reader, uint64_t max);
/*@
  requires \valid(writer) && writer->at <= writer->end;
  assigns writer->end;
  exits \false;
  ensures writer->at <= writer->end <= \old(writer->end);
  behavior enough:
    assumes max < writer->end - writer->at;
    ensures writer->end - writer->at == max;
  behavior short:
    assumes writer->end - writer->at <= max;
    ensures writer->end == \old(writer->end);
  complete behaviors;
  disjoint behaviors;
*/
void fh_writer_limit(struct fh_writer *writer, uint64_t max);

/* Moves on by n bytes. FH_E_INVALID if there are fewer. Seed: skip. */
/*@
  requires \valid(reader) && reader->at <= reader->end;
  assigns reader->at;
  exits \false;
  ensures reader->at <= reader->end;
  behavior short:
    assumes n > reader->end - reader->at;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior moved:
    assumes n <= reader->end - reader->at;
    ensures \result == FH_OK && reader->at == \old(reader->at) + n;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_reader_skip(struct fh_reader *reader, uint64_t n);
/*@
  requires \valid(writer) && writer->at <= writer->end;
  assigns writer->at;
  exits \false;
  ensures writer->at <= writer->end;
  behavior short:
    assumes n > writer->end - writer->at;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior moved:
    assumes n <= writer->end - writer->at;
    ensures \result == FH_OK && writer->at == \old(writer->at) + n;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_writer_skip(struct fh_writer *writer, uint64_t n);

/*
 * Moves as many bytes as the reader has and the writer takes; both move on by
 * the number returned. They do not overlap. Seed: read, write.
 */
/*@
  requires \valid(reader) && bytes_there(reader->at, reader->end);
  requires \valid(writer) && bytes_there(writer->at, writer->end);
  requires \separated(reader, writer,
    fh_proof_bytes + (writer->at .. writer->end - 1));
  requires bytes_apart(writer->at, reader->at,
    \min(reader->end - reader->at, writer->end - writer->at));
  assigns reader->at, writer->at, fh_proof_bytes[writer->at .. writer->at +
    \min(reader->end - reader->at, writer->end - writer->at) - 1];
  exits \false;
  ensures reader->at == \old(reader->at) + \result;
  ensures writer->at == \old(writer->at) + \result;
  ensures \forall integer a; \old(writer->at) <= a < writer->at ==>
    byte_at(a) == \old(byte_at(a - writer->at + reader->at));
  behavior emptied:
    assumes reader->end - reader->at <= writer->end - writer->at;
    ensures reader->at == reader->end;
  behavior filled:
    assumes reader->end - reader->at > writer->end - writer->at;
    ensures writer->at == writer->end;
  complete behaviors;
  disjoint behaviors;
*/
uint64_t fh_reader_read(struct fh_reader *reader, struct fh_writer *writer);

/*
 * The same with n bytes of the caller's memory on one side. Seed: read and
 * write with a cursor made by from_kernel_space.
 */
/*@
  requires \valid(reader) && bytes_there(reader->at, reader->end);
  requires \valid((char *)to + (0 .. n - 1));
  requires n > 0 ==> \separated(reader, (char *)to + (0 .. n - 1));
  requires bytes_outside((char *)to, reader->at,
    \min(n, reader->end - reader->at));
  assigns reader->at,
    ((char *)to)[0 .. \min(n, reader->end - reader->at) - 1];
  exits \false;
  ensures reader->at == \old(reader->at) + \result;
  ensures \forall integer i; 0 <= i < \result ==>
    ((char *)to)[i] == \old(byte_at(reader->at + i));
  behavior enough:
    assumes n <= reader->end - reader->at;
    ensures \result == n;
  behavior short:
    assumes n > reader->end - reader->at;
    ensures reader->at == reader->end;
  complete behaviors;
  disjoint behaviors;
*/
uint64_t fh_reader_read_bytes(struct fh_reader *reader, void *to, uint64_t n);
/*@
  requires \valid(writer) && bytes_there(writer->at, writer->end);
  requires \valid_read((char *)from + (0 .. n - 1));
  requires \separated(writer,
    fh_proof_bytes + (writer->at .. writer->end - 1));
  requires bytes_outside((char *)from, writer->at,
    \min(n, writer->end - writer->at));
  assigns writer->at, fh_proof_bytes[writer->at ..
    writer->at + \min(n, writer->end - writer->at) - 1];
  exits \false;
  ensures writer->at == \old(writer->at) + \result;
  ensures \forall integer a; \old(writer->at) <= a < writer->at ==>
    byte_at(a) == \old(((char *)from)[a - writer->at]);
  behavior enough:
    assumes n <= writer->end - writer->at;
    ensures \result == n;
  behavior short:
    assumes n > writer->end - writer->at;
    ensures writer->at == writer->end;
  complete behaviors;
  disjoint behaviors;
*/
uint64_t fh_writer_write_bytes(struct fh_writer *writer, const void *from,
			       uint64_t n);

/* Writes up to n zero bytes; returns how many. Seed: fill_zeros. */
/*@
  requires \valid(writer) && bytes_there(writer->at, writer->end);
  requires \separated(writer,
    fh_proof_bytes + (writer->at .. writer->end - 1));
  assigns writer->at, fh_proof_bytes[writer->at ..
    writer->at + \min(n, writer->end - writer->at) - 1];
  exits \false;
  ensures writer->at == \old(writer->at) + \result;
  ensures \forall integer a; \old(writer->at) <= a < writer->at ==>
    byte_at(a) == 0;
  behavior enough:
    assumes n <= writer->end - writer->at;
    ensures \result == n;
  behavior short:
    assumes n > writer->end - writer->at;
    ensures writer->at == writer->end;
  complete behaviors;
  disjoint behaviors;
*/
uint64_t fh_writer_fill_zeros(struct fh_writer *writer, uint64_t n);

/*
 * Moves a value of n bytes, however aligned, whole. FH_E_INVALID, and nothing
 * moves, if there are fewer. Seed: read_val, write_val.
 */
/*@
  requires \valid(reader) && bytes_there(reader->at, reader->end);
  requires \valid((char *)value + (0 .. n - 1));
  requires n > 0 ==> \separated(reader, (char *)value + (0 .. n - 1));
  requires n <= reader->end - reader->at ==>
    bytes_outside((char *)value, reader->at, n);
  assigns reader->at, ((char *)value)[0 .. n - 1];
  exits \false;
  behavior short:
    assumes n > reader->end - reader->at;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior moved:
    assumes n <= reader->end - reader->at;
    ensures \result == FH_OK && reader->at == \old(reader->at) + n;
    ensures \forall integer i; 0 <= i < n ==>
      ((char *)value)[i] == \old(byte_at(reader->at + i));
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_reader_read_val(struct fh_reader *reader, void *value,
				  uint64_t n);
/*@
  requires \valid(writer) && bytes_there(writer->at, writer->end);
  requires \valid_read((char *)value + (0 .. n - 1));
  requires \separated(writer,
    fh_proof_bytes + (writer->at .. writer->end - 1));
  requires n <= writer->end - writer->at ==>
    bytes_outside((char *)value, writer->at, n);
  assigns writer->at, fh_proof_bytes[writer->at .. writer->at + n - 1];
  exits \false;
  behavior short:
    assumes n > writer->end - writer->at;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior moved:
    assumes n <= writer->end - writer->at;
    ensures \result == FH_OK && writer->at == \old(writer->at) + n;
    ensures \forall integer a; \old(writer->at) <= a < writer->at ==>
      byte_at(a) == \old(((char *)value)[a - writer->at]);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_writer_write_val(struct fh_writer *writer, const void *value,
				   uint64_t n);

/*
 * Moves an aligned value in one access that is never torn nor repeated; the
 * cursor moves on by its size.
 *
 *   FH_E_INVALID       fewer bytes are left (tested first)
 *   FH_E_NOT_ALIGNED   the cursor is not a multiple of the size
 *
 * Seed: read_once, write_once.
 */
/*@
  requires \valid(reader) && bytes_there(reader->at, reader->end);
  requires \valid(value) && \separated(reader, value);
  assigns reader->at, *value;
  exits \false;
  behavior short:
    assumes 1 > reader->end - reader->at;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior moved:
    assumes 1 <= reader->end - reader->at;
    ensures \result == FH_OK && reader->at == \old(reader->at) + 1;
    ensures *value == \old(value_of_1(&fh_proof_bytes[reader->at]));
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_reader_read_once8(struct fh_reader *reader, uint8_t *value);
/*@
  requires \valid(reader) && bytes_there(reader->at, reader->end);
  requires \valid(value) && \separated(reader, value);
  assigns reader->at, *value;
  exits \false;
  behavior short:
    assumes 2 > reader->end - reader->at;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior misaligned:
    assumes 2 <= reader->end - reader->at && reader->at % 2 != 0;
    assigns \nothing;
    ensures \result == FH_E_NOT_ALIGNED;
  behavior moved:
    assumes 2 <= reader->end - reader->at && reader->at % 2 == 0;
    ensures \result == FH_OK && reader->at == \old(reader->at) + 2;
    ensures *value == \old(value_of_2(&fh_proof_bytes[reader->at]));
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_reader_read_once16(struct fh_reader *reader, uint16_t *value);
/*@
  requires \valid(reader) && bytes_there(reader->at, reader->end);
  requires \valid(value) && \separated(reader, value);
  assigns reader->at, *value;
  exits \false;
  behavior short:
    assumes 4 > reader->end - reader->at;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior misaligned:
    assumes 4 <= reader->end - reader->at && reader->at % 4 != 0;
    assigns \nothing;
    ensures \result == FH_E_NOT_ALIGNED;
  behavior moved:
    assumes 4 <= reader->end - reader->at && reader->at % 4 == 0;
    ensures \result == FH_OK && reader->at == \old(reader->at) + 4;
    ensures *value == \old(value_of_4(&fh_proof_bytes[reader->at]));
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_reader_read_once32(struct fh_reader *reader, uint32_t *value);
/*@
  requires \valid(reader) && bytes_there(reader->at, reader->end);
  requires \valid(value) && \separated(reader, value);
  assigns reader->at, *value;
  exits \false;
  behavior short:
    assumes 8 > reader->end - reader->at;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior misaligned:
    assumes 8 <= reader->end - reader->at && reader->at % 8 != 0;
    assigns \nothing;
    ensures \result == FH_E_NOT_ALIGNED;
  behavior moved:
    assumes 8 <= reader->end - reader->at && reader->at % 8 == 0;
    ensures \result == FH_OK && reader->at == \old(reader->at) + 8;
    ensures *value == \old(value_of_8(&fh_proof_bytes[reader->at]));
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_reader_read_once64(struct fh_reader *reader, uint64_t *value);
/*@
  requires \valid(writer) && bytes_there(writer->at, writer->end);
  requires \separated(writer, fh_proof_bytes + (writer->at .. writer->end - 1));
  assigns writer->at, fh_proof_bytes[writer->at];
  exits \false;
  behavior short:
    assumes 1 > writer->end - writer->at;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior moved:
    assumes 1 <= writer->end - writer->at;
    ensures \result == FH_OK && writer->at == \old(writer->at) + 1;
    ensures value_of_1(&fh_proof_bytes[\old(writer->at)]) == value;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_writer_write_once8(struct fh_writer *writer, uint8_t value);
/*@
  requires \valid(writer) && bytes_there(writer->at, writer->end);
  requires \separated(writer, fh_proof_bytes + (writer->at .. writer->end - 1));
  assigns writer->at, fh_proof_bytes[writer->at .. writer->at + 1];
  exits \false;
  behavior short:
    assumes 2 > writer->end - writer->at;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior misaligned:
    assumes 2 <= writer->end - writer->at && writer->at % 2 != 0;
    assigns \nothing;
    ensures \result == FH_E_NOT_ALIGNED;
  behavior moved:
    assumes 2 <= writer->end - writer->at && writer->at % 2 == 0;
    ensures \result == FH_OK && writer->at == \old(writer->at) + 2;
    ensures value_of_2(&fh_proof_bytes[\old(writer->at)]) == value;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_writer_write_once16(struct fh_writer *writer, uint16_t value);
/*@
  requires \valid(writer) && bytes_there(writer->at, writer->end);
  requires \separated(writer, fh_proof_bytes + (writer->at .. writer->end - 1));
  assigns writer->at, fh_proof_bytes[writer->at .. writer->at + 3];
  exits \false;
  behavior short:
    assumes 4 > writer->end - writer->at;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior misaligned:
    assumes 4 <= writer->end - writer->at && writer->at % 4 != 0;
    assigns \nothing;
    ensures \result == FH_E_NOT_ALIGNED;
  behavior moved:
    assumes 4 <= writer->end - writer->at && writer->at % 4 == 0;
    ensures \result == FH_OK && writer->at == \old(writer->at) + 4;
    ensures value_of_4(&fh_proof_bytes[\old(writer->at)]) == value;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_writer_write_once32(struct fh_writer *writer, uint32_t value);
/*@
  requires \valid(writer) && bytes_there(writer->at, writer->end);
  requires \separated(writer, fh_proof_bytes + (writer->at .. writer->end - 1));
  assigns writer->at, fh_proof_bytes[writer->at .. writer->at + 7];
  exits \false;
  behavior short:
    assumes 8 > writer->end - writer->at;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior misaligned:
    assumes 8 <= writer->end - writer->at && writer->at % 8 != 0;
    assigns \nothing;
    ensures \result == FH_E_NOT_ALIGNED;
  behavior moved:
    assumes 8 <= writer->end - writer->at && writer->at % 8 == 0;
    ensures \result == FH_OK && writer->at == \old(writer->at) + 8;
    ensures value_of_8(&fh_proof_bytes[\old(writer->at)]) == value;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_writer_write_once64(struct fh_writer *writer, uint64_t value);

/*
 * The 32-bit word at the cursor, which does not move: an atomic load, and an
 * atomic compare-exchange that gives the word before in *old. Relaxed.
 *
 *   FH_E_INVALID       fewer than 4 bytes are left, or the two cursors of the
 *                      exchange stand at different addresses
 *   FH_E_NOT_ALIGNED   the cursor is not a multiple of 4
 *
 * Seed: atomic_load, atomic_compare_exchange.
 */
/*@
  requires \valid_read(reader) && bytes_there(reader->at, reader->end);
  requires \valid(value);
  assigns *value;
  exits \false;
  behavior short:
    assumes 4 > reader->end - reader->at;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior misaligned:
    assumes 4 <= reader->end - reader->at && reader->at % 4 != 0;
    assigns \nothing;
    ensures \result == FH_E_NOT_ALIGNED;
  behavior loaded:
    assumes 4 <= reader->end - reader->at && reader->at % 4 == 0;
    ensures \result == FH_OK;
    ensures *value == \old(value_of_4(&fh_proof_bytes[reader->at]));
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_reader_atomic_load32(const struct fh_reader *reader,
				       uint32_t *value);
/*@
  requires \valid_read(writer) && bytes_there(writer->at, writer->end);
  requires \valid_read(reader) && bytes_there(reader->at, reader->end);
  requires \valid(old);
  requires \separated(old, fh_proof_bytes + (writer->at .. writer->end - 1));
  assigns *old, fh_proof_bytes[writer->at .. writer->at + 3];
  exits \false;
  behavior elsewhere:
    assumes writer->at != reader->at;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior short:
    assumes writer->at == reader->at;
    assumes 4 > \min(writer->end, reader->end) - writer->at;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior misaligned:
    assumes writer->at == reader->at && writer->at % 4 != 0;
    assumes 4 <= \min(writer->end, reader->end) - writer->at;
    assigns \nothing;
    ensures \result == FH_E_NOT_ALIGNED;
  behavior exchanged:
    assumes writer->at == reader->at && writer->at % 4 == 0;
    assumes 4 <= \min(writer->end, reader->end) - writer->at;
    assumes value_of_4(&fh_proof_bytes[writer->at]) == expected;
    ensures \result == FH_OK && *old == expected;
    ensures value_of_4(&fh_proof_bytes[\old(writer->at)]) == desired;
  behavior different:
    assumes writer->at == reader->at && writer->at % 4 == 0;
    assumes 4 <= \min(writer->end, reader->end) - writer->at;
    assumes value_of_4(&fh_proof_bytes[writer->at]) != expected;
    ensures \result == FH_OK;
    ensures *old == \old(value_of_4(&fh_proof_bytes[writer->at]));
    ensures \forall integer i; 0 <= i < 4 ==>
      byte_at(\old(writer->at) + i) == \old(byte_at(writer->at + i));
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_writer_atomic_cas32(const struct fh_writer *writer,
				      const struct fh_reader *reader,
				      uint32_t expected, uint32_t desired,
				      uint32_t *old);

/* ---- Access by offset ---- */

/*
 * Cursors that stand `offset` bytes into a cursor's range and have exactly n
 * bytes: for access by offset, whole or not at all.
 *
 *   FH_E_OVERFLOW   offset + n is beyond 2^64
 *   FH_E_INVALID    that is beyond the end
 *
 * Seed: the offset arithmetic of VmIo.
 */
/*@
  requires \valid(out) && whole.at <= whole.end;
  assigns *out;
  exits \false;
  behavior overflow:
    assumes offset + n > UINT64_MAX;
    assigns \nothing;
    ensures \result == FH_E_OVERFLOW;
  behavior short:
    assumes whole.end - whole.at < offset + n <= UINT64_MAX;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior found:
    assumes offset + n <= whole.end - whole.at;
    ensures \result == FH_OK;
    ensures out->at == whole.at + offset && out->end == out->at + n;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_reader_at(struct fh_reader whole, uint64_t offset, uint64_t n,
			    struct fh_reader *out);
/*@
  requires \valid(out) && whole.at <= whole.end;
  assigns *out;
  exits \false;
  behavior overflow:
    assumes offset + n > UINT64_MAX;
    assigns \nothing;
    ensures \result == FH_E_OVERFLOW;
  behavior short:
    assumes whole.end - whole.at < offset + n <= UINT64_MAX;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior found:
    assumes offset + n <= whole.end - whole.at;
    ensures \result == FH_OK;
    ensures out->at == whole.at + offset && out->end == out->at + n;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_writer_at(struct fh_writer whole, uint64_t offset, uint64_t n,
			    struct fh_writer *out);

/*
 * Reads or writes exactly n bytes at an offset. Errors as fh_reader_at(); then
 * nothing was moved. Seed: VmIo::read_bytes, write_bytes, read_val, write_val,
 * read_slice, write_slice.
 */
/*@
  requires bytes_there(whole.at, whole.end);
  requires \valid((char *)to + (0 .. n - 1));
  requires offset + n <= whole.end - whole.at ==>
    bytes_outside((char *)to, whole.at + offset, n);
  assigns ((char *)to)[0 .. n - 1];
  exits \false;
  behavior overflow:
    assumes offset + n > UINT64_MAX;
    assigns \nothing;
    ensures \result == FH_E_OVERFLOW;
  behavior short:
    assumes whole.end - whole.at < offset + n <= UINT64_MAX;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior moved:
    assumes offset + n <= whole.end - whole.at;
    ensures \result == FH_OK;
    ensures \forall integer i; 0 <= i < n ==>
      ((char *)to)[i] == \old(byte_at(whole.at + offset + i));
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_io_read(struct fh_reader whole, uint64_t offset, void *to,
			  uint64_t n);
/*@
  requires bytes_there(whole.at, whole.end);
  requires \valid_read((char *)from + (0 .. n - 1));
  requires offset + n <= whole.end - whole.at ==>
    bytes_outside((char *)from, whole.at + offset, n);
  assigns fh_proof_bytes[whole.at + offset .. whole.at + offset + n - 1];
  exits \false;
  behavior overflow:
    assumes offset + n > UINT64_MAX;
    assigns \nothing;
    ensures \result == FH_E_OVERFLOW;
  behavior short:
    assumes whole.end - whole.at < offset + n <= UINT64_MAX;
    assigns \nothing;
    ensures \result == FH_E_INVALID;
  behavior moved:
    assumes offset + n <= whole.end - whole.at;
    ensures \result == FH_OK;
    ensures \forall integer a;
      whole.at + offset <= a < whole.at + offset + n ==>
        byte_at(a) == \old(((char *)from)[a - whole.at - offset]);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_io_write(struct fh_writer whole, uint64_t offset,
			   const void *from, uint64_t n);

/*
 * Zeroes n bytes at an offset, or as many as there are: *done is how many in
 * any case. FH_E_OVERFLOW (none done), FH_E_INVALID if fewer than n.
 * Seed: VmIoFill::fill_zeros.
 */
/*@
  requires bytes_there(whole.at, whole.end);
  requires \valid(done);
  requires \separated(done, fh_proof_bytes + (whole.at .. whole.end - 1));
  assigns *done,
    fh_proof_bytes[whole.at + offset .. whole.end - 1];
  exits \false;
  behavior overflow:
    assumes offset + n > UINT64_MAX;
    assigns *done;
    ensures \result == FH_E_OVERFLOW && *done == 0;
  behavior beyond:
    assumes whole.end - whole.at < offset && offset + n <= UINT64_MAX;
    assigns *done;
    ensures \result == FH_E_INVALID && *done == 0;
  behavior short:
    assumes offset <= whole.end - whole.at < offset + n <= UINT64_MAX;
    assigns *done, fh_proof_bytes[whole.at + offset .. whole.end - 1];
    ensures \result == FH_E_INVALID;
    ensures *done == whole.end - whole.at - offset;
    ensures \forall integer a; whole.at + offset <= a < whole.end ==>
      byte_at(a) == 0;
  behavior filled:
    assumes offset + n <= whole.end - whole.at;
    assigns *done,
      fh_proof_bytes[whole.at + offset .. whole.at + offset + n - 1];
    ensures \result == FH_OK && *done == n;
    ensures \forall integer a;
      whole.at + offset <= a < whole.at + offset + n ==> byte_at(a) == 0;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_io_fill_zeros(struct fh_writer whole, uint64_t offset,
				uint64_t n, uint64_t *done);

FH_END_DECLS

#endif /* FRAMEHOLD_IO_H */
