/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Cursors over memory that may fault. The hooks say how many bytes they did;
 * transfers with frames go page by page through the linear map, so that a
 * fault in the middle leaves both cursors just after the last byte moved.
 */
#include <framehold/host.h>
#include <framehold/userio.h>

#include "slot.h"

static uint64_t userio_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static struct fh_vaddr user_address(uint64_t bytes)
{
	struct fh_vaddr va = {.bytes = bytes};

	return va;
}

enum fh_status fh_user_reader(struct fh_vaddr va, uint64_t n,
			      struct fh_user_reader *out)
{
	if (n > UINT64_MAX - va.bytes)
		return FH_E_OVERFLOW;
	out->at = va.bytes;
	out->end = va.bytes + n;
	return FH_OK;
}

enum fh_status fh_user_writer(struct fh_vaddr va, uint64_t n,
			      struct fh_user_writer *out)
{
	if (n > UINT64_MAX - va.bytes)
		return FH_E_OVERFLOW;
	out->at = va.bytes;
	out->end = va.bytes + n;
	return FH_OK;
}

void fh_user_reader_limit(struct fh_user_reader *reader, uint64_t max)
{
	reader->end =
		reader->at + userio_min(fh_user_reader_remain(reader), max);
}

void fh_user_writer_limit(struct fh_user_writer *writer, uint64_t max)
{
	writer->end =
		writer->at + userio_min(fh_user_writer_avail(writer), max);
}

enum fh_status fh_user_reader_skip(struct fh_user_reader *reader, uint64_t n)
{
	if (n > fh_user_reader_remain(reader))
		return FH_E_INVALID;
	reader->at += n;
	return FH_OK;
}

enum fh_status fh_user_writer_skip(struct fh_user_writer *writer, uint64_t n)
{
	if (n > fh_user_writer_avail(writer))
		return FH_E_INVALID;
	writer->at += n;
	return FH_OK;
}

/* What can be moved in one call of a hook: within one page of memory. */
static uint64_t within_page(uint64_t pa, uint64_t n)
{
	return userio_min(n, FH_PAGE_SIZE - pa % FH_PAGE_SIZE);
}

static unsigned char *linear_byte(uint64_t pa)
{
	unsigned char *page = fh_page_bytes(pa / FH_PAGE_SIZE);

	return page + pa % FH_PAGE_SIZE;
}

enum fh_status fh_user_reader_read(struct fh_user_reader *reader,
				   struct fh_writer *writer, uint64_t *done)
{
	uint64_t n = userio_min(fh_user_reader_remain(reader),
				fh_writer_avail(writer));

	*done = 0;
	while (*done < n) {
		uint64_t piece = within_page(writer->at, n - *done);
		uint64_t moved =
			fh_host_user_read(linear_byte(writer->at),
					  user_address(reader->at), piece);

		reader->at += moved;
		writer->at += moved;
		*done += moved;
		if (moved < piece)
			return FH_E_FAULT;
	}
	return FH_OK;
}

enum fh_status fh_user_writer_write(struct fh_user_writer *writer,
				    struct fh_reader *reader, uint64_t *done)
{
	uint64_t n = userio_min(fh_user_writer_avail(writer),
				fh_reader_remain(reader));

	*done = 0;
	while (*done < n) {
		uint64_t piece = within_page(reader->at, n - *done);
		uint64_t moved =
			fh_host_user_write(user_address(writer->at),
					   linear_byte(reader->at), piece);

		reader->at += moved;
		writer->at += moved;
		*done += moved;
		if (moved < piece)
			return FH_E_FAULT;
	}
	return FH_OK;
}

enum fh_status fh_user_reader_read_bytes(struct fh_user_reader *reader,
					 void *to, uint64_t n, uint64_t *done)
{
	uint64_t count = userio_min(fh_user_reader_remain(reader), n);

	*done = count == 0 ? 0
			   : fh_host_user_read(to, user_address(reader->at),
					       count);
	reader->at += *done;
	return *done == count ? FH_OK : FH_E_FAULT;
}

enum fh_status fh_user_writer_write_bytes(struct fh_user_writer *writer,
					  const void *from, uint64_t n,
					  uint64_t *done)
{
	uint64_t count = userio_min(fh_user_writer_avail(writer), n);

	*done = count == 0 ? 0
			   : fh_host_user_write(user_address(writer->at), from,
						count);
	writer->at += *done;
	return *done == count ? FH_OK : FH_E_FAULT;
}

/* What user memory is filled from. */
static const unsigned char zero_page[FH_PAGE_SIZE];

enum fh_status fh_user_writer_fill_zeros(struct fh_user_writer *writer,
					 uint64_t n, uint64_t *done)
{
	uint64_t count = userio_min(fh_user_writer_avail(writer), n);

	*done = 0;
	while (*done < count) {
		uint64_t piece = userio_min(count - *done, FH_PAGE_SIZE);
		uint64_t moved = fh_host_user_write(user_address(writer->at),
						    zero_page, piece);

		writer->at += moved;
		*done += moved;
		if (moved < piece)
			return FH_E_FAULT;
	}
	return FH_OK;
}

enum fh_status fh_user_reader_read_val(struct fh_user_reader *reader,
				       void *value, uint64_t n)
{
	if (n > FH_PAGE_SIZE || n > fh_user_reader_remain(reader))
		return FH_E_INVALID;
	if (n != 0 &&
	    fh_host_user_read(value, user_address(reader->at), n) != n)
		return FH_E_FAULT;
	reader->at += n;
	return FH_OK;
}

enum fh_status fh_user_writer_write_val(struct fh_user_writer *writer,
					const void *value, uint64_t n)
{
	if (n > FH_PAGE_SIZE || n > fh_user_writer_avail(writer))
		return FH_E_INVALID;
	if (n != 0 &&
	    fh_host_user_write(user_address(writer->at), value, n) != n)
		return FH_E_FAULT;
	writer->at += n;
	return FH_OK;
}

static enum fh_status check_user_word(uint64_t at, uint64_t end)
{
	if (end - at < 4)
		return FH_E_INVALID;
	return at % 4 == 0 ? FH_OK : FH_E_NOT_ALIGNED;
}

enum fh_status fh_user_reader_atomic_load32(const struct fh_user_reader *reader,
					    uint32_t *value)
{
	enum fh_status status = check_user_word(reader->at, reader->end);

	if (status != FH_OK)
		return status;
	return fh_host_user_load32(user_address(reader->at), value)
		       ? FH_OK
		       : FH_E_FAULT;
}

enum fh_status fh_user_writer_atomic_cas32(const struct fh_user_writer *writer,
					   const struct fh_user_reader *reader,
					   uint32_t expected, uint32_t desired,
					   uint32_t *old)
{
	uint64_t end = userio_min(writer->end, reader->end);

	if (writer->at != reader->at)
		return FH_E_INVALID;
	enum fh_status status = check_user_word(writer->at, end);
	if (status != FH_OK)
		return status;
	return fh_host_user_cas32(user_address(writer->at), expected, desired,
				  old)
		       ? FH_OK
		       : FH_E_FAULT;
}

/* The external definitions of this header's inline functions. */
extern uint64_t fh_user_reader_remain(const struct fh_user_reader *reader);
extern uint64_t fh_user_writer_avail(const struct fh_user_writer *writer);
