/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The operations, each a few lines below its floor: the bare atomics, and the
 * bare stores of type and words, on the same words of the same slots in the
 * same order, without a check, a ledger or an error.
 *
 * In unchecked builds a handle is a page's number, so that handles for all
 * pages are made as they are needed and take no memory of their own.
 */
#include "frame_work.h"

#include <framehold/framehold.h>

#include <stdlib.h>

FH_STATIC_ASSERT(!FH_CHECKED, "measured is what costs nothing when left out");

#define SEGMENT_BITS  6
#define SEGMENT_PAGES (UINT64_C(1) << SEGMENT_BITS)
#define SLICE_PAGES   (SEGMENT_PAGES / 2)

const struct fh_meta_type memory_type = {
	.name = "memory",
	.untyped = true,
	.usage = FH_USAGE_FRAME,
};

/* No memory: the last put leaves the page unused, ready for the next claim. */
static const struct fh_meta_type device_type = {
	.name = "device",
	.usage = FH_USAGE_MMIO,
};

/* ---- Where the operations work ---- */

struct ground ground;

/* A copy of it that the compiler can keep in registers. */
struct walk {
	struct fh_slot *slots;
	uint64_t first;
	unsigned bits;
};

static inline struct walk walk_of(unsigned cpu)
{
	struct walk walk = {
		.slots = fh_slots,
		.first = ground.first + cpu * ground.stride,
		.bits = ground.bits,
	};

	return walk;
}

/* Permutes the numbers below 2^bits, so that no prefetcher sees a pattern. */
static inline uint64_t scatter(uint64_t n, unsigned bits)
{
	uint64_t mask = (UINT64_C(1) << bits) - 1;

	n = n * UINT64_C(0x9e3779b97f4a7c15) & mask;
	n ^= n >> (bits + 1) / 2;
	return n * UINT64_C(0xd1342543de82ef95) & mask;
}

static inline uint64_t page_at(struct walk walk, uint64_t position)
{
	return walk.first + scatter(position, walk.bits);
}

static inline struct fh_slot *slot_at(struct walk walk, uint64_t position)
{
	return &walk.slots[page_at(walk, position)];
}

/* The first page of a run of SEGMENT_PAGES. */
static inline uint64_t run_at(struct walk walk, uint64_t position)
{
	return walk.first +
	       (scatter(position, walk.bits - SEGMENT_BITS) << SEGMENT_BITS);
}

static inline struct fh_frame frame_at(struct walk walk, uint64_t position)
{
	struct fh_frame f = {.handle = page_at(walk, position)};

	return f;
}

static inline struct fh_segment segment_at(struct walk walk, uint64_t position)
{
	struct fh_segment s = {
		.handle = run_at(walk, position),
		.count = SEGMENT_PAGES,
	};

	return s;
}

/* A line of the cache for each thread. */
static struct {
	_Alignas(64) uint64_t calls;
} refused[BENCH_MAX_THREADS];

uint64_t take_refused_calls(void)
{
	uint64_t calls = 0;

	for (unsigned cpu = 0; cpu < BENCH_MAX_THREADS; cpu++) {
		calls += refused[cpu].calls;
		refused[cpu].calls = 0;
	}
	return calls;
}

/* Whether a call did what is measured. */
static inline bool succeeded(enum fh_status status, unsigned cpu)
{
	if (status != FH_OK)
		refused[cpu].calls++;
	return status == FH_OK;
}

/* ---- Pieces of the floors ---- */

/* UNUSED or FREE -> BUSY. */
static inline void claim_floor(struct fh_slot *slot, uint64_t from)
{
	(void)__atomic_compare_exchange_n(&slot->state, &from, FH_STATE_BUSY,
					  false, __ATOMIC_ACQUIRE,
					  __ATOMIC_RELAXED);
}

/* The type, and zero words. */
static inline void write_floor(struct fh_slot *slot,
			       const struct fh_meta_type *type)
{
	slot->type = type;
	slot->meta = (struct fh_meta){{0}};
}

static inline void store_floor(struct fh_slot *slot, uint64_t state, int order)
{
	__atomic_store_n(&slot->state, state, order);
}

static inline void add_floor(struct fh_slot *slot)
{
	(void)__atomic_fetch_add(&slot->state, 1, __ATOMIC_RELAXED);
}

static inline void sub_floor(struct fh_slot *slot)
{
	(void)__atomic_fetch_sub(&slot->state, 1, __ATOMIC_RELEASE);
}

/* BUSY -> UNUSED or FREE. */
static inline void clear_floor(struct fh_slot *slot, uint64_t to)
{
	slot->type = NULL;
	__atomic_store_n(&slot->list, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->state, to, __ATOMIC_RELEASE);
}

/* A put that is the last one. */
static inline void put_last_floor(struct fh_slot *slot, uint64_t to)
{
	sub_floor(slot);
	(void)__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
	clear_floor(slot, to);
}

/*
 * The least that an allocator must do for a page: a lock and a bit. The bits
 * lie as the pages do.
 */
static _Alignas(64) uint64_t zone_lock;
static uint64_t *zone_bits;

bool reserve_zone_bits(uint64_t pages)
{
	zone_bits = calloc(pages / 64 + 1, sizeof(*zone_bits));
	return zone_bits != NULL;
}

void release_zone_bits(void)
{
	free(zone_bits);
}

static inline void flip_floor(uint64_t page)
{
	uint64_t unlocked = 0;

	while (!__atomic_compare_exchange_n(&zone_lock, &unlocked, 1, false,
					    __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED)) {
		while (__atomic_load_n(&zone_lock, __ATOMIC_RELAXED) != 0)
			fh_host_relax();
		unlocked = 0;
	}
	zone_bits[page / 64] ^= UINT64_C(1) << page % 64;
	__atomic_store_n(&zone_lock, 0, __ATOMIC_RELEASE);
}

/* ---- Pages that are shared ---- */

static void get_put_floor(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_slot *slot = slot_at(walk, v);

		add_floor(slot);
		sub_floor(slot);
	}
}

static void get_put(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_frame f = fh_frame_get(frame_at(walk, v));

		fh_frame_put(&f);
	}
}

static void from_in_use_floor(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_slot *slot = slot_at(walk, v);
		uint64_t seen = __atomic_load_n(&slot->state, __ATOMIC_RELAXED);

		while (!__atomic_compare_exchange_n(
			&slot->state, &seen, seen + 1, false, __ATOMIC_ACQUIRE,
			__ATOMIC_RELAXED))
			;
		sub_floor(slot);
	}
}

static void from_in_use(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_paddr pa = fh_paddr_of_frame(page_at(walk, v));
		struct fh_frame f;

		if (succeeded(fh_frame_from_in_use(pa, &f), cpu))
			fh_frame_put(&f);
	}
}

static void unshare_floor(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_slot *slot = slot_at(walk, v);
		uint64_t one = FH_STATE_ONE;

		(void)__atomic_compare_exchange_n(
			&slot->state, &one, FH_STATE_UNIQUE, false,
			__ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
		store_floor(slot, FH_STATE_ONE, __ATOMIC_RELEASE);
	}
}

static void unshare(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_frame f = frame_at(walk, v);
		struct fh_unique u;

		if (succeeded(fh_unique_from_frame(&f, &u), cpu))
			f = fh_frame_from_unique(&u);
	}
}

static inline void add_run_floor(struct fh_slot *slots, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		add_floor(&slots[i]);
}

static inline void sub_run_floor(struct fh_slot *slots, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		sub_floor(&slots[i]);
}

static void segment_get_floor(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_slot *slots = &walk.slots[run_at(walk, v)];

		add_run_floor(slots, SEGMENT_PAGES);
		sub_run_floor(slots, SEGMENT_PAGES);
	}
}

static void segment_get(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_segment s = fh_segment_get(segment_at(walk, v));

		fh_segment_put(&s);
	}
}

static void segment_get_next(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_segment s = fh_segment_get(segment_at(walk, v));
		struct fh_frame f;

		while (fh_segment_next(&s, &f) == FH_OK)
			fh_frame_put(&f);
	}
}

static void segment_slice_floor(unsigned cpu, uint64_t position,
				uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_slot *slots =
			&walk.slots[run_at(walk, v) + SLICE_PAGES / 2];

		add_run_floor(slots, SLICE_PAGES);
		sub_run_floor(slots, SLICE_PAGES);
	}
}

static void segment_slice(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);
	uint64_t begin = SLICE_PAGES / 2;

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_segment whole = segment_at(walk, v);
		struct fh_segment s;

		if (succeeded(fh_segment_slice(whole, begin,
					       begin + SLICE_PAGES, &s),
			      cpu))
			fh_segment_put(&s);
	}
}

/* The compiler takes both values for used, and for changed by somebody. */
static inline void keep(struct fh_segment *s)
{
	__asm__ volatile("" : "+r"(s->handle), "+r"(s->count));
}

/* A split touches no slot; its floor is the arithmetic. */
static void segment_split_floor(unsigned cpu, uint64_t position,
				uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_segment low = segment_at(walk, v);
		struct fh_segment high = low;

		keep(&low);
		high.handle = low.handle + SLICE_PAGES;
		high.count = low.count - SLICE_PAGES;
		low.count = SLICE_PAGES;
		keep(&low);
		keep(&high);
	}
}

static void segment_split(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_segment whole = segment_at(walk, v);
		struct fh_segment low;
		struct fh_segment high;

		keep(&whole);
		if (!succeeded(
			    fh_segment_split(&whole, SLICE_PAGES, &low, &high),
			    cpu))
			continue;
		keep(&low);
		keep(&high);
	}
}

/*
 * Taking the pages out one by one touches no slot, either; what is measured
 * with it elsewhere is the put of each.
 */
static void segment_next_floor(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_segment s = segment_at(walk, v);

		for (; s.count != 0; s.count--) {
			keep(&s);
			s.handle++;
		}
	}
}

static void segment_next(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_segment s = segment_at(walk, v);
		struct fh_frame f;

		while (fh_segment_next(&s, &f) == FH_OK)
			__asm__ volatile("" : "+r"(f.handle));
	}
}

/* ---- Pages that are unused ---- */

static void from_unused_floor(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_slot *slot = slot_at(walk, v);

		claim_floor(slot, FH_STATE_UNUSED);
		write_floor(slot, &device_type);
		store_floor(slot, FH_STATE_ONE, __ATOMIC_RELEASE);
		put_last_floor(slot, FH_STATE_UNUSED);
	}
}

static void from_unused(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_paddr pa = fh_paddr_of_frame(page_at(walk, v));
		struct fh_frame f;

		if (succeeded(fh_frame_from_unused(pa, &device_type, NULL, &f),
			      cpu))
			fh_frame_put(&f);
	}
}

static void unique_floor(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_slot *slot = slot_at(walk, v);

		claim_floor(slot, FH_STATE_UNUSED);
		write_floor(slot, &memory_type);
		store_floor(slot, FH_STATE_UNIQUE, __ATOMIC_RELAXED);
		store_floor(slot, FH_STATE_BUSY, __ATOMIC_RELAXED);
		clear_floor(slot, FH_STATE_UNUSED);
	}
}

static void unique(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_paddr pa = fh_paddr_of_frame(page_at(walk, v));
		struct fh_unique u;

		if (succeeded(fh_unique_from_unused(pa, &memory_type, NULL, &u),
			      cpu))
			fh_unique_reset_as_unused(&u);
	}
}

static void claim_run_floor(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_slot *slots = &walk.slots[run_at(walk, v)];

		for (uint64_t i = 0; i < SEGMENT_PAGES; i++) {
			claim_floor(&slots[i], FH_STATE_UNUSED);
			write_floor(&slots[i], &device_type);
			store_floor(&slots[i], FH_STATE_ONE, __ATOMIC_RELEASE);
		}
		for (uint64_t i = 0; i < SEGMENT_PAGES; i++)
			put_last_floor(&slots[i], FH_STATE_UNUSED);
	}
}

static inline void claim_run_as(unsigned cpu, uint64_t position,
				uint64_t visits,
				const struct fh_meta_type *type)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		uint64_t first = run_at(walk, v);
		struct fh_segment s;

		if (succeeded(fh_segment_from_unused(
				      fh_paddr_of_frame(first),
				      fh_paddr_of_frame(first + SEGMENT_PAGES),
				      type, NULL, &s),
			      cpu))
			fh_segment_put(&s);
	}
}

static void claim_run(unsigned cpu, uint64_t position, uint64_t visits)
{
	claim_run_as(cpu, position, visits, &device_type);
}

/* ---- Pages that are free ---- */

static void claim_free_floor(struct fh_slot *slot, uint64_t page)
{
	flip_floor(page);
	claim_floor(slot, FH_STATE_FREE);
	write_floor(slot, &memory_type);
	store_floor(slot, FH_STATE_ONE, __ATOMIC_RELEASE);
}

static void free_floor(struct fh_slot *slot, uint64_t page)
{
	put_last_floor(slot, FH_STATE_FREE);
	flip_floor(page);
}

static void from_free_floor(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		uint64_t page = page_at(walk, v);

		claim_free_floor(&walk.slots[page], page);
		free_floor(&walk.slots[page], page);
	}
}

static void from_free(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		struct fh_paddr pa = fh_paddr_of_frame(page_at(walk, v));
		struct fh_frame f;

		if (succeeded(fh_frame_from_unused(pa, &memory_type, NULL, &f),
			      cpu))
			fh_frame_put(&f);
	}
}

static void claim_free_run_floor(unsigned cpu, uint64_t position,
				 uint64_t visits)
{
	struct walk walk = walk_of(cpu);

	for (uint64_t v = position; v - position < visits; v++) {
		uint64_t first = run_at(walk, v);
		uint64_t end = first + SEGMENT_PAGES;

		for (uint64_t i = first; i < end; i++)
			claim_free_floor(&walk.slots[i], i);
		for (uint64_t i = first; i < end; i++)
			free_floor(&walk.slots[i], i);
	}
}

static void claim_free_run(unsigned cpu, uint64_t position, uint64_t visits)
{
	claim_run_as(cpu, position, visits, &memory_type);
}

/* ---- All of them ---- */

const struct kind kinds[] = {
	{"from_unused + put, unused page", UNUSED, 0, true, false, from_unused,
	 from_unused_floor},
	{"unique from_unused + reset, unused", UNUSED, 0, true, false, unique,
	 unique_floor},
	{"segment claim + put, unused pages", UNUSED, SEGMENT_PAGES, true,
	 false, claim_run, claim_run_floor},
	{"get + put", SHARED, 0, true, true, get_put, get_put_floor},
	{"from_in_use + put", SHARED, 0, true, true, from_in_use,
	 from_in_use_floor},
	{"frame -> unique -> frame", SHARED, 0, true, false, unshare,
	 unshare_floor},
	{"segment get + put", SHARED, SEGMENT_PAGES, true, false, segment_get,
	 segment_get_floor},
	{"segment get + next and put each", SHARED, SEGMENT_PAGES, true, false,
	 segment_get_next, segment_get_floor},
	{"segment slice + put", SHARED, SLICE_PAGES, true, false, segment_slice,
	 segment_slice_floor},
	{"segment split", SHARED, 0, false, false, segment_split,
	 segment_split_floor},
	{"segment next", SHARED, SEGMENT_PAGES, false, false, segment_next,
	 segment_next_floor},
	{"from_unused + put, free page", FREE, 0, true, false, from_free,
	 from_free_floor},
	{"segment claim + put, free pages", FREE, SEGMENT_PAGES, true, false,
	 claim_free_run, claim_free_run_floor},
};

const size_t kind_count = sizeof(kinds) / sizeof(kinds[0]);
