/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Reading and writing memory that may fault: cursors over a range of user
 * addresses. A fault is an error, FH_E_FAULT, with the number of bytes done
 * before it; both cursors of a transfer stand after them.
 *
 * Thread context, no lock held: the hooks behind these may sleep.
 *
 * Seed: VmReader, VmWriter with Fallible.
 */
#ifndef FRAMEHOLD_USERIO_H
#define FRAMEHOLD_USERIO_H

#include <framehold/io.h>

FH_BEGIN_DECLS

/* Private fields: virtual byte addresses, at <= end. */
struct fh_user_reader {
	uint64_t at;
	uint64_t end;
};

struct fh_user_writer {
	uint64_t at;
	uint64_t end;
};

/*
 * Cursors over n bytes of user memory from va on. FH_E_OVERFLOW if they do not
 * lie below 2^64. Whether they are user addresses is for the address space to
 * say. Seed: from_user_space.
 */
FH_NODISCARD
enum fh_status fh_user_reader(struct fh_vaddr va, uint64_t n,
			      struct fh_user_reader *out);
FH_NODISCARD
enum fh_status fh_user_writer(struct fh_vaddr va, uint64_t n,
			      struct fh_user_writer *out);

/* Bytes left, and moving on: as in io.h. */
FH_INLINE uint64_t fh_user_reader_remain(const struct fh_user_reader *reader)
{
	return reader->end - reader->at;
}

FH_INLINE uint64_t fh_user_writer_avail(const struct fh_user_writer *writer)
{
	return writer->end - writer->at;
}

void fh_user_reader_limit(struct fh_user_reader *reader, uint64_t max);
void fh_user_writer_limit(struct fh_user_writer *writer, uint64_t max);
FH_NODISCARD
enum fh_status fh_user_reader_skip(struct fh_user_reader *reader, uint64_t n);
FH_NODISCARD
enum fh_status fh_user_writer_skip(struct fh_user_writer *writer, uint64_t n);

/*
 * Moves as many bytes as one side has and the other takes; *done is how many
 * were moved, FH_E_FAULT if a fault stopped it earlier. Between user memory
 * and frames, and between user memory and n bytes of the caller's.
 * Seed: read_fallible, write_fallible.
 */
FH_NODISCARD
enum fh_status fh_user_reader_read(struct fh_user_reader *reader,
				   struct fh_writer *writer, uint64_t *done);
FH_NODISCARD
enum fh_status fh_user_writer_write(struct fh_user_writer *writer,
				    struct fh_reader *reader, uint64_t *done);
FH_NODISCARD
enum fh_status fh_user_reader_read_bytes(struct fh_user_reader *reader,
					 void *to, uint64_t n, uint64_t *done);
FH_NODISCARD
enum fh_status fh_user_writer_write_bytes(struct fh_user_writer *writer,
					  const void *from, uint64_t n,
					  uint64_t *done);

/* Zeroes up to n bytes; otherwise as above. Seed: fill_zeros. */
FH_NODISCARD
enum fh_status fh_user_writer_fill_zeros(struct fh_user_writer *writer,
					 uint64_t n, uint64_t *done);

/*
 * Moves a value of n <= FH_PAGE_SIZE bytes whole. FH_E_INVALID if there are
 * fewer or n is larger, FH_E_FAULT; the cursor does not move then, though a
 * fault may come after some bytes of user memory were written.
 * Seed: read_val, write_val.
 */
FH_NODISCARD
enum fh_status fh_user_reader_read_val(struct fh_user_reader *reader,
				       void *value, uint64_t n);
FH_NODISCARD
enum fh_status fh_user_writer_write_val(struct fh_user_writer *writer,
					const void *value, uint64_t n);

/* As fh_reader_atomic_load32() and its like, with FH_E_FAULT. */
FH_NODISCARD
enum fh_status fh_user_reader_atomic_load32(const struct fh_user_reader *reader,
					    uint32_t *value);
FH_NODISCARD
enum fh_status fh_user_writer_atomic_cas32(const struct fh_user_writer *writer,
					   const struct fh_user_reader *reader,
					   uint32_t expected, uint32_t desired,
					   uint32_t *old);

FH_END_DECLS

#endif /* FRAMEHOLD_USERIO_H */
