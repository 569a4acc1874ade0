/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Cursors over untyped memory against an array: the input's bytes choose calls
 * and their arguments, small ones, ones near the end, and enormous ones. After
 * each call the cursors, what was moved and all of memory are as the array says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <framehold/framehold.h>

#include "hosted.h"

#define PAGES 3
#define BYTES (PAGES * FH_PAGE_SIZE)

#define CHECK(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__,         \
				      __LINE__, #condition);                   \
			abort();                                               \
		}                                                              \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input, taken byte by byte; zeros when it has come to an end. */
struct input {
	const uint8_t *data;
	size_t left;
};

/* The model: what memory holds, and where the cursors stand in it. */
struct model {
	unsigned char bytes[BYTES];
	uint64_t read_at, read_end;
	uint64_t write_at, write_end;
};

struct machine {
	struct fh_usegment segment;
	struct fh_reader reader;
	struct fh_writer writer;
};

static uint8_t take(struct input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->data++;
}

/* A number of bytes: small, of the order of memory, or beyond all of it. */
static uint64_t take_count(struct input *input)
{
	uint8_t kind = take(input);
	uint64_t n = take(input);

	if (kind < 128)
		return n % 20;
	if (kind < 224)
		return n * 67;
	return UINT64_MAX - n % 16;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void start(struct machine *machine, struct model *model)
{
	static const struct fh_region ram = {0, UINT64_C(4) << 20,
					     FH_REGION_USABLE};
	struct fh_segment s;

	CHECK(hosted_start(&ram, 1, NULL) == FH_OK);
	CHECK(fh_segment_alloc(PAGES, NULL, &fh_untyped_type, NULL, &s) ==
	      FH_OK);
	CHECK(fh_usegment_from_segment(&s, &machine->segment) == FH_OK);
	memset(model, 0, sizeof(*model));
}

/* Cursors over everything again. */
static void rewind_cursors(struct machine *machine, struct model *model)
{
	machine->reader = fh_usegment_reader(machine->segment);
	machine->writer = fh_usegment_writer(machine->segment);
	model->read_at = 0;
	model->read_end = BYTES;
	model->write_at = 0;
	model->write_end = BYTES;
}

static void write_some(struct machine *machine, struct model *model,
		       struct input *input)
{
	static unsigned char from[BYTES];
	uint64_t n = take_count(input) % (BYTES + 1);
	uint64_t moved = smaller(n, model->write_end - model->write_at);

	memset(from, take(input), sizeof(from));
	CHECK(fh_writer_write_bytes(&machine->writer, from, n) == moved);
	memcpy(model->bytes + model->write_at, from, moved);
	model->write_at += moved;
}

static void read_some(struct machine *machine, struct model *model,
		      struct input *input)
{
	static unsigned char to[BYTES];
	uint64_t n = take_count(input) % (BYTES + 1);
	uint64_t moved = smaller(n, model->read_end - model->read_at);

	CHECK(fh_reader_read_bytes(&machine->reader, to, n) == moved);
	CHECK(memcmp(to, model->bytes + model->read_at, moved) == 0);
	model->read_at += moved;
}

static void fill_some(struct machine *machine, struct model *model,
		      struct input *input)
{
	uint64_t n = take_count(input);
	uint64_t moved = smaller(n, model->write_end - model->write_at);

	CHECK(fh_writer_fill_zeros(&machine->writer, n) == moved);
	memset(model->bytes + model->write_at, 0, moved);
	model->write_at += moved;
}

static void skip_some(struct machine *machine, struct model *model,
		      struct input *input)
{
	uint64_t n = take_count(input);

	if (n <= model->read_end - model->read_at) {
		CHECK(fh_reader_skip(&machine->reader, n) == FH_OK);
		model->read_at += n;
	} else {
		CHECK(fh_reader_skip(&machine->reader, n) == FH_E_INVALID);
	}
	n = take_count(input);
	if (n <= model->write_end - model->write_at) {
		CHECK(fh_writer_skip(&machine->writer, n) == FH_OK);
		model->write_at += n;
	} else {
		CHECK(fh_writer_skip(&machine->writer, n) == FH_E_INVALID);
	}
}

static void limit_some(struct machine *machine, struct model *model,
		       struct input *input)
{
	uint64_t n = take_count(input);

	fh_reader_limit(&machine->reader, n);
	model->read_end =
		model->read_at + smaller(n, model->read_end - model->read_at);
	n = take_count(input);
	fh_writer_limit(&machine->writer, n);
	model->write_end = model->write_at +
			   smaller(n, model->write_end - model->write_at);
}

/* What a single access of 8 bytes at a place must answer. */
static enum fh_status once_status(uint64_t at, uint64_t end)
{
	if (end - at < 8)
		return FH_E_INVALID;
	return at % 8 == 0 ? FH_OK : FH_E_NOT_ALIGNED;
}

static void access_once(struct machine *machine, struct model *model,
			struct input *input)
{
	uint64_t value = take(input) * UINT64_C(0x0101010101010101);
	enum fh_status status = once_status(model->write_at, model->write_end);

	CHECK(fh_writer_write_once64(&machine->writer, value) == status);
	if (status == FH_OK) {
		memcpy(model->bytes + model->write_at, &value, 8);
		model->write_at += 8;
	}
	status = once_status(model->read_at, model->read_end);
	CHECK(fh_reader_read_once64(&machine->reader, &value) == status);
	if (status == FH_OK) {
		CHECK(memcmp(&value, model->bytes + model->read_at, 8) == 0);
		model->read_at += 8;
	}
}

static void access_at_offset(struct machine *machine, struct model *model,
			     struct input *input)
{
	struct fh_writer whole = fh_usegment_writer(machine->segment);
	unsigned char from[20];
	uint64_t offset = take_count(input), n = take(input) % 21;
	enum fh_status wanted = FH_OK;

	if (n > UINT64_MAX - offset)
		wanted = FH_E_OVERFLOW;
	else if (offset > BYTES || n > BYTES - offset)
		wanted = FH_E_INVALID;
	memset(from, take(input), sizeof(from));
	CHECK(fh_io_write(whole, offset, from, n) == wanted);
	if (wanted == FH_OK)
		memcpy(model->bytes + offset, from, n);
}

static void compare(struct machine *machine, const struct model *model)
{
	static unsigned char now[BYTES];
	struct fh_reader whole = fh_usegment_reader(machine->segment);

	CHECK(fh_io_read(whole, 0, now, BYTES) == FH_OK);
	CHECK(memcmp(now, model->bytes, BYTES) == 0);
	CHECK(fh_reader_remain(&machine->reader) ==
	      model->read_end - model->read_at);
	CHECK(fh_writer_avail(&machine->writer) ==
	      model->write_end - model->write_at);
	CHECK(fh_reader_cursor(&machine->reader).bytes ==
	      whole.at + model->read_at);
}

static void (*const calls[])(struct machine *, struct model *,
			     struct input *) = {
	write_some, read_some,   fill_some,        skip_some,
	limit_some, access_once, access_at_offset,
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct model model;
	struct input input = {data, size};
	struct machine machine;

	start(&machine, &model);
	rewind_cursors(&machine, &model);
	while (input.left > 0) {
		uint8_t call = take(&input) % (CALLS + 1);

		if (call == CALLS)
			rewind_cursors(&machine, &model);
		else
			calls[call](&machine, &model, &input);
		compare(&machine, &model);
	}
	fh_usegment_put(&machine.segment);
	hosted_stop();
	return 0;
}
