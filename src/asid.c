/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Numbers of address spaces: asid.h says what they promise. A space's word is
 * generation * FH_ASID_LIMIT + number. A CPU that switches to a space of this
 * generation takes no lock: it writes the word to `active` by a compare-
 * exchange, which fails if a generation has begun since it looked, because
 * that has swapped zero in.
 */
#include "asid.h"

#include <framehold/cpuset.h>

#include "bits.h"
#include "lock.h"
#include "report.h"

static struct {
	struct fh_lock lock;
	uint64_t count;
	uint64_t generation; /* atomic, written with the lock */
	uint64_t next;       /* all numbers below have been given */
	uint64_t given[FH_ASID_LIMIT / 64];
} asids;

static struct asid_cpu {
	uint64_t active;   /* what it runs, or 0; atomic */
	uint64_t reserved; /* what it ran when this generation began */
	bool stale;        /* it has not switched in this generation */
} __attribute__((aligned(64))) asid_cpus[FH_MAX_CPUS];

void fh_asid_open(uint64_t count, unsigned cpus)
{
	fh_asid_close();
	asids.count = count - 1 > cpus ? count : 1;
	asids.generation = 1;
	asids.next = 1;
}

bool fh_asid_has_numbers(void)
{
	return asids.count > 1;
}

static uint64_t generation_of(uint64_t word)
{
	return word / FH_ASID_LIMIT;
}

/* ---- With the lock held ---- */

static bool is_given(uint64_t number)
{
	return asids.given[number / 64] >> number % 64 & 1;
}

static void mark_given(uint64_t number)
{
	asids.given[number / 64] |= UINT64_C(1) << number % 64;
}

/* What a CPU runs keeps its number, also if it has not switched for long. */
static void reserve_number(struct asid_cpu *cpu)
{
	/* Relaxed: of one word, accesses have an order; see fh_asid_use(). */
	uint64_t word = fh_word_swap_relaxed(&cpu->active, 0);

	if (word != 0)
		cpu->reserved = word;
	mark_given(cpu->reserved % FH_ASID_LIMIT);
	cpu->stale = true;
}

static void begin_generation(void)
{
	__builtin_memset(asids.given, 0, sizeof(asids.given));
	fh_word_store_relaxed(&asids.generation, asids.generation + 1);
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		reserve_number(&asid_cpus[cpu]);
	asids.next = 1;
}

/* The first number that is not given, or asids.count. */
static uint64_t next_number(void)
{
	while (asids.next < asids.count && is_given(asids.next))
		asids.next++;
	return asids.next;
}

static uint64_t give_number(void)
{
	uint64_t number = next_number();

	if (number == asids.count) {
		begin_generation();
		number = next_number();
	}
	if (number < asids.count)
		mark_given(number);
	return number;
}

/* The word as of this generation if some CPU kept the space's number, or 0. */
static uint64_t find_reserved(uint64_t old)
{
	uint64_t word = asids.generation * FH_ASID_LIMIT + old % FH_ASID_LIMIT;
	bool found = false;

	for (unsigned cpu = 0; old != 0 && cpu < FH_MAX_CPUS; cpu++) {
		if (asid_cpus[cpu].reserved == old) {
			asid_cpus[cpu].reserved = word;
			found = true;
		}
	}
	return found ? word : 0;
}

/* 0 if there are fewer numbers than fh_asid_open() was told. */
static uint64_t renew_word(uint64_t *space)
{
	uint64_t word = fh_word_load_relaxed(space);

	if (generation_of(word) == asids.generation)
		return word;
	word = find_reserved(word);
	if (word == 0) {
		uint64_t number = give_number();

		if (number == asids.count)
			return 0;
		word = asids.generation * FH_ASID_LIMIT + number;
	}
	fh_word_store_relaxed(space, word);
	return word;
}

/* ---- Switching ---- */

static FH_COLD uint64_t use_with_lock(uint64_t *space, struct asid_cpu *own)
{
	uint64_t saved = fh_lock(&asids.lock);
	uint64_t word = renew_word(space);
	bool forget = own->stale;

	fh_word_store_relaxed(&own->active, word);
	own->stale = false;
	fh_unlock(&asids.lock, saved);
	if (word == 0)
		fh_stop("asid", 0, 0, "a number for each CPU and one more", 0,
			0);
	if (forget)
		fh_host_flush_asid(FH_ASID_KERNEL);
	return word % FH_ASID_LIMIT;
}

uint64_t fh_asid_use(uint64_t *space)
{
	if (!fh_asid_has_numbers())
		return FH_ASID_KERNEL;
	struct asid_cpu *own = &asid_cpus[fh_host_cpu()];
	uint64_t old = fh_word_load_relaxed(&own->active);
	uint64_t word = fh_word_load_relaxed(space);

	/*
	 * Relaxed: if a generation begins meanwhile, either its swap comes
	 * first, and the exchange fails, or it finds what we wrote, and the
	 * space keeps its number.
	 */
	if (old != 0 &&
	    generation_of(word) == fh_word_load_relaxed(&asids.generation) &&
	    fh_word_cas_relaxed(&own->active, old, word) == old)
		return word % FH_ASID_LIMIT;
	return use_with_lock(space, own);
}

void fh_asid_close(void)
{
	__builtin_memset(&asids, 0, sizeof(asids));
	__builtin_memset(asid_cpus, 0, sizeof(asid_cpus));
}
