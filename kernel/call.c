/* SPDX-License-Identifier: MPL-2.0 */
/* System calls: user/calls.h. */
#include "print.h"
#include "process.h"
#include "user/calls.h"

static uint64_t answer_of(enum fh_status status)
{
	return status == FH_OK ? 0 : CALL_FAILED;
}

static bool is_page(uint64_t address, uint64_t length)
{
	return address % FH_PAGE_SIZE == 0 && length % FH_PAGE_SIZE == 0;
}

static uint64_t print_text(struct process *self, uint64_t address, uint64_t n)
{
	char text[CALL_PRINT_MAX + 1] = {0};
	struct fh_user_reader reader;
	uint64_t done;

	if (n > CALL_PRINT_MAX ||
	    fh_space_reader(&self->memory->space, (struct fh_vaddr){address}, n,
			    &reader) != FH_OK ||
	    fh_user_reader_read_bytes(&reader, text, n, &done) != FH_OK)
		return CALL_FAILED;
	print("%s: %s", self->name, text);
	return 0;
}

static uint64_t map_memory(struct process *self, uint64_t address,
			   uint64_t length, uint64_t flags)
{
	struct stretch stretch = {address / FH_PAGE_SIZE, length / FH_PAGE_SIZE,
				  flags};

	if (!is_page(address, length))
		return CALL_FAILED;
	return answer_of(userspace_map(self->memory, stretch));
}

static uint64_t unmap_memory(struct process *self, uint64_t address,
			     uint64_t length)
{
	if (!is_page(address, length))
		return CALL_FAILED;
	return answer_of(userspace_unmap(self->memory, address / FH_PAGE_SIZE,
					 length / FH_PAGE_SIZE));
}

static uint64_t protect_memory(struct process *self, uint64_t address,
			       uint64_t length, uint64_t flags)
{
	if (!is_page(address, length))
		return CALL_FAILED;
	return answer_of(userspace_protect(self->memory, address / FH_PAGE_SIZE,
					   length / FH_PAGE_SIZE, flags));
}

static uint64_t probe(struct process *self, uint64_t address)
{
	struct fh_user_reader reader;
	unsigned char byte;
	uint64_t done;

	return fh_space_reader(&self->memory->space, (struct fh_vaddr){address},
			       1, &reader) == FH_OK &&
	       fh_user_reader_read_bytes(&reader, &byte, 1, &done) == FH_OK;
}

static uint64_t or_failed(uint64_t id)
{
	return id == 0 ? CALL_FAILED : id;
}

static uint64_t answer(struct process *self, uint64_t number, const uint64_t *a)
{
	switch (number) {
	case CALL_PRINT:
		return print_text(self, a[0], a[1]);
	case CALL_FORK:
		return or_failed(process_fork(self));
	case CALL_THREAD:
		return or_failed(process_thread(self, a[0], a[1], a[2]));
	case CALL_STATUS:
		return process_take_status(self, a[0]);
	case CALL_MAP:
		return map_memory(self, a[0], a[1], a[2]);
	case CALL_UNMAP:
		return unmap_memory(self, a[0], a[1]);
	case CALL_PROTECT:
		return protect_memory(self, a[0], a[1], a[2]);
	case CALL_PROBE:
		return probe(self, a[0]);
	default:
		return CALL_FAILED;
	}
}

enum verdict call_answer(struct process *self)
{
	uint64_t number = port_user_word(&self->context, 0);
	uint64_t arguments[5];

	for (unsigned i = 0; i < 5; i++)
		arguments[i] = port_user_word(&self->context, i + 1);
	if (number == CALL_EXIT) {
		self->status = arguments[0];
		return VERDICT_END;
	}
	if (number == CALL_YIELD) {
		port_user_answer(&self->context, 0);
		return VERDICT_YIELD;
	}
	port_user_answer(&self->context, answer(self, number, arguments));
	return VERDICT_RUN;
}
