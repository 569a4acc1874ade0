/* SPDX-License-Identifier: MPL-2.0 */
/* Data races, byte by byte: races.h. */
#include "races.h"

#include <stdlib.h>
#include <string.h>

#include "model.h"

/*
 * The last access of each kind by each thread, as the number of events that
 * the thread had executed, itself included, so that 0 is none. A plain access
 * belongs to the event that follows it.
 */
struct byte_history {
	unsigned run;
	uint8_t wrote[MAX_THREADS];
	uint8_t read[MAX_THREADS];
	uint8_t wrote_atomically[MAX_THREADS];
	uint8_t read_atomically[MAX_THREADS];
};

/* All static memory of the program is watched. */
extern char __data_start[], _end[];

static struct byte_history *history;
static unsigned current_run;

void races_reset(void)
{
	if (history == NULL)
		history =
			calloc((size_t)(_end - __data_start), sizeof(*history));
	if (history == NULL)
		give_up("out of memory");
	current_run++;
}

static struct byte_history *history_of(const char *byte)
{
	struct byte_history *h = &history[byte - __data_start];

	if (h->run != current_run) {
		memset(h, 0, sizeof(*h));
		h->run = current_run;
	}
	return h;
}

/* Whether another thread's access does not happen before this thread's next. */
static bool conflicts(const uint8_t *last, unsigned thread)
{
	for (unsigned t = 0; t < thread_count; t++)
		if (t != thread && last[t] > view[thread].before.of[t])
			return true;
	return false;
}

static bool any(const uint8_t *last)
{
	for (unsigned t = 0; t < thread_count; t++)
		if (last[t] != 0)
			return true;
	return false;
}

static const char *note_byte(struct byte_history *h, unsigned thread,
			     bool is_write, bool is_atomic)
{
	uint8_t now = (uint8_t)(view[thread].done + !is_atomic);

	if (conflicts(h->wrote, thread) ||
	    (is_write && conflicts(h->read, thread)) ||
	    (!is_atomic && conflicts(h->wrote_atomically, thread)) ||
	    (!is_atomic && is_write && conflicts(h->read_atomically, thread)))
		return is_atomic  ? "data race, an atomic and a plain access"
		       : is_write ? "data race, at a plain write"
				  : "data race, at a plain read";
	if (!is_atomic && is_write &&
	    (any(h->wrote_atomically) || any(h->read_atomically)))
		return "a plain write to a word that is used atomically";
	if (is_atomic && is_write)
		h->wrote_atomically[thread] = now;
	else if (is_atomic)
		h->read_atomically[thread] = now;
	else if (is_write)
		h->wrote[thread] = now;
	else
		h->read[thread] = now;
	return NULL;
}

const char *races_note(unsigned thread, const void *address, size_t size,
		       bool is_write, bool is_atomic)
{
	const char *first = address;

	if (first < __data_start || first + size > _end)
		return NULL;
	for (size_t i = 0; i < size; i++) {
		const char *wrong = note_byte(history_of(first + i), thread,
					      is_write, is_atomic);

		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}
