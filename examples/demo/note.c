/* SPDX-License-Identifier: MPL-2.0 */
/* Notes: seal, check, count. on_drop runs on any CPU, so it counts atomically. */
#include "note.h"

static struct {
	uint64_t dropped;
	uint64_t broken;
} drops;

static uint64_t seal_of(uint64_t cpu, uint64_t serial)
{
	uint64_t mixed = (cpu << 56) ^ serial ^ UINT64_C(0x6e6f746573);

	mixed ^= mixed >> 31;
	mixed *= UINT64_C(0x7fb5d329728ea185);
	return mixed ^ mixed >> 27;
}

struct note note_make(uint64_t cpu, uint64_t serial)
{
	struct note note = {
		.cpu = cpu,
		.serial = serial,
		.seal = seal_of(cpu, serial),
	};

	return note;
}

bool note_is_intact(const struct note *note)
{
	return note->seal == seal_of(note->cpu, note->serial);
}

static void note_on_drop(struct fh_dropping page)
{
	struct note note;

	__builtin_memcpy(&note, fh_dropping_meta(page), sizeof(note));
	if (!note_is_intact(&note))
		__atomic_fetch_add(&drops.broken, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&drops.dropped, 1, __ATOMIC_RELAXED);
}

const struct fh_meta_type note_type = FH_META_TYPE_INIT(
	"note", struct note, .any_context = true, .on_drop = note_on_drop);

uint64_t notes_dropped(void)
{
	return __atomic_load_n(&drops.dropped, __ATOMIC_RELAXED);
}

uint64_t notes_broken(void)
{
	return __atomic_load_n(&drops.broken, __ATOMIC_RELAXED);
}

void notes_reset(void)
{
	__atomic_store_n(&drops.dropped, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&drops.broken, 0, __ATOMIC_RELAXED);
}
