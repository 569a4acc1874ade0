/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Slots: 64 bytes of metadata for every page of memory, in one array indexed
 * by frame number. The state word says who may touch the rest of the slot:
 *
 *   FREE      nobody; the page lies in the allocator
 *   UNUSED    nobody; the page lies outside of the allocator
 *   BUSY      the one thread that is making or dropping the page
 *   UNIQUE    the one holder of the unique handle, or of the list it is in
 *   SHARED n  n holders; type is read-only, the words are theirs to protect
 *
 *            claim               publish               get
 *   FREE ----------> BUSY -------------------> SHARED n ---> SHARED n + 1
 *   UNUSED --------/   \ \-----> UNIQUE <----> SHARED 1
 *                       \          |               |
 *   FREE, UNUSED <-------\---------+---------------/  drop, last put
 *
 * The allocator publishes its own FREE pages without the stop at BUSY: nobody
 * else can claim what it has popped.
 *
 * The word's encoding makes one comparison classify it, and an all-zero slot
 * is a free page, so that zeroed memory is a ready array of slots. Everywhere
 * a person looks (this API, dumps, reports, contracts) the seeds' values are
 * shown: fh_ref_count().
 */
#ifndef FRAMEHOLD_SLOT_H
#define FRAMEHOLD_SLOT_H

#include <framehold/meta.h>
#include <framehold/status.h>

FH_BEGIN_DECLS

/* Seed: REF_COUNT_UNUSED, REF_COUNT_UNIQUE, REF_COUNT_MAX. */
#define FH_REF_COUNT_UNUSED UINT64_MAX
#define FH_REF_COUNT_UNIQUE (UINT64_MAX - 1)
#define FH_REF_COUNT_MAX    ((uint64_t)INT64_MAX)

/* The state word as stored. */
#define FH_STATE_FREE      UINT64_C(0)
#define FH_STATE_UNIQUE    UINT64_C(1)
#define FH_STATE_UNUSED    UINT64_C(2)
#define FH_STATE_BUSY      UINT64_C(3)
#define FH_STATE_SHARED(n) ((n) + FH_STATE_BUSY)
#define FH_STATE_ONE       FH_STATE_SHARED(UINT64_C(1))
#define FH_STATE_MAX       FH_STATE_SHARED(FH_REF_COUNT_MAX)

/* Seed: META_SLOT_SIZE. */
#define FH_SLOT_SIZE 64

/* The metadata of one page. Seed: MetaSlot. */
struct fh_slot {
	struct fh_meta meta;
	uint64_t state; /* atomic: atomic.h */

	/*
	 * Null in FREE and UNUSED, set in UNIQUE and SHARED, the owner's in
	 * BUSY: who sees a type may trust it.
	 */
	const struct fh_meta_type *type;

	/* The id of the list that the page is in, or 0. Atomic, relaxed. */
	uint64_t list;
};

FH_STATIC_ASSERT(sizeof(struct fh_slot) == FH_SLOT_SIZE,
		 "a slot is one cache line");
FH_STATIC_ASSERT(offsetof(struct fh_slot, meta) == 0,
		 "the words lie at the start of the slot");
FH_STATIC_ASSERT(FH_STATE_MAX < UINT64_MAX / 2 + 4,
		 "a count that passed its maximum is recognised");

/* The slots, by frame number: FH_SLOTS in config.h. */
extern struct fh_slot *fh_slot_array;
#define fh_slots FH_SLOTS

/*
 * Memory is described in sections of 128 MiB, whose slots fill 2 MiB. An
 * absent section has no slots. A raw one has memory for its slots that nobody
 * has written yet: all its pages are free. A live one's slots are in use.
 * Sections only ever move from raw to live, until fh_fini().
 */
#define FH_SECTION_FRAMES UINT64_C(32768)

enum fh_section {
	FH_SECTION_ABSENT = 0,
	FH_SECTION_RAW,
	FH_SECTION_LIVE,
};

/* What the page allocator may have of a section. */
enum fh_cover {
	FH_COVER_NONE = 0,
	FH_COVER_SOME, /* fh_allocator_covers() says which pages */
	FH_COVER_ALL,
};

/* Set by fh_init(), constant until fh_fini(). */
struct fh_memory {
	uint64_t frame_end; /* frames that may have a slot: 0 .. frame_end-1 */
	uint8_t *sections;  /* enum fh_section, one byte each; atomic */
	const uint8_t *cover;  /* enum fh_cover, the same; null: never ALL */
	bool slots_are_zeroed; /* raw sections need no writing */
};

extern struct fh_memory fh_memory;

/*
 * The first address past all memory that has metadata, as in the last map
 * given to fh_init(); 0 before. Any context. Seed: MAX_PADDR, max_paddr().
 */
/*@
  requires fh_memory.frame_end < FH_PAGE_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result.bytes == fh_memory.frame_end * FH_PAGE_SIZE;
*/
struct fh_paddr fh_max_paddr(void);

/* Whether fh_init() has succeeded. Any context. Seed: is_initialized. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result <==> fh_memory.frame_end != 0;
*/
bool fh_is_initialized(void);

/*
 * Finds the slot of the page at pa: *frame is its number, by which it is
 * called from here on. Reads no slot. Any context.
 *
 *   FH_E_NOT_ALIGNED   pa is not a page's first byte (tested first)
 *   FH_E_OUT_OF_BOUND  no slot: beyond fh_max_paddr(), or in a section
 *                      without memory
 *
 * Seed: get_slot, has_safe_slot.
 */
FH_NODISCARD
enum fh_status fh_get_slot(struct fh_paddr pa, uint64_t *frame);

/*
 * Where the slot of a frame number lies, and back; pure arithmetic, no check.
 * Any context. Seed: frame_to_meta, meta_to_frame.
 */
struct fh_slot *fh_frame_to_meta(uint64_t frame);
uint64_t fh_meta_to_frame(const struct fh_slot *slot);

/*
 * A state word as the seeds show it: FH_REF_COUNT_UNUSED for FREE and UNUSED,
 * FH_REF_COUNT_UNIQUE, 0 for BUSY, else the number of holders. Any context.
 */
/*@
  assigns \nothing;
  exits \false;
  behavior unused:
    assumes state == FH_STATE_FREE || state == FH_STATE_UNUSED;
    ensures \result == FH_REF_COUNT_UNUSED;
  behavior unique:
    assumes state == FH_STATE_UNIQUE;
    ensures \result == FH_REF_COUNT_UNIQUE;
  behavior counted:
    assumes state >= FH_STATE_BUSY;
    ensures state == FH_STATE_SHARED(\result);
  complete behaviors;
  disjoint behaviors;
*/
uint64_t fh_ref_count(uint64_t state);

/*
 * What the seeds answer to a claim that finds this state: FH_OK for FREE and
 * UNUSED, else FH_E_BUSY, FH_E_UNIQUE or FH_E_IN_USE. Any context.
 */
/*@
  assigns \nothing;
  exits \false;
  behavior ok:
    assumes state == FH_STATE_FREE || state == FH_STATE_UNUSED;
    ensures \result == FH_OK;
  behavior busy:
    assumes state == FH_STATE_BUSY;
    ensures \result == FH_E_BUSY;
  behavior unique:
    assumes state == FH_STATE_UNIQUE;
    ensures \result == FH_E_UNIQUE;
  behavior in_use:
    assumes state >= FH_STATE_ONE;
    ensures \result == FH_E_IN_USE;
  complete behaviors;
  disjoint behaviors;
*/
enum fh_status fh_claim_status(uint64_t state);

/*
 * What a page with metadata is used for, from its type; FH_USAGE_UNUSED
 * without one. The page is held by the caller, or every other CPU is parked.
 * Seed: MetaSlotOwner::usage.
 */
enum fh_usage fh_slot_usage(uint64_t frame);

FH_END_DECLS

#endif /* FRAMEHOLD_SLOT_H */
