/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Slots: where they lie, and the steps of their state machine that are not
 * counting. Each step is one store or compare-exchange; between a claim and
 * its publication the page is in nobody's reach but the caller's, so that type
 * and words are plain fields.
 *
 * Two up-calls lead from here to the allocator: a claim by address withdraws
 * the page, and a release gives it back.
 */
#include <framehold/allocator.h>
#include <framehold/host.h>

#include "lock.h"
#include "slot.h"

struct fh_slot *fh_slot_array;
struct fh_memory fh_memory;

const struct fh_meta fh_meta_zero;

const struct fh_meta_type fh_untyped_type = {
	.name = "untyped",
	.untyped = true,
	.any_context = true,
	.usage = FH_USAGE_FRAME,
};
const struct fh_meta_type fh_meta_page_type = {
	.name = "metadata",
	.usage = FH_USAGE_FRAME,
};
const struct fh_meta_type fh_unusable_type = {
	.name = "unusable",
	.usage = FH_USAGE_RESERVED,
};
const struct fh_meta_type fh_reserved_type = {
	.name = "reserved",
	.usage = FH_USAGE_RESERVED,
};
const struct fh_meta_type fh_kernel_type = {
	.name = "kernel",
	.usage = FH_USAGE_FRAME,
};
const struct fh_meta_type fh_early_type = {
	.name = "early",
	.usage = FH_USAGE_FRAME,
};

bool fh_meta_type_is_valid(const struct fh_meta_type *type)
{
	return type != NULL && type->size <= FH_META_SIZE;
}

struct fh_paddr fh_max_paddr(void)
{
	return fh_paddr_of_frame(fh_memory.frame_end);
}

bool fh_is_initialized(void)
{
	return fh_memory.frame_end != 0;
}

enum fh_status fh_get_slot(struct fh_paddr pa, uint64_t *frame)
{
	enum fh_section section;

	return fh_slot_find(pa, frame, &section);
}

uint64_t fh_ref_count(uint64_t state)
{
	if (state == FH_STATE_FREE || state == FH_STATE_UNUSED)
		return FH_REF_COUNT_UNUSED;
	if (state == FH_STATE_UNIQUE)
		return FH_REF_COUNT_UNIQUE;
	return state - FH_STATE_BUSY;
}

enum fh_status fh_claim_status(uint64_t state)
{
	if (state == FH_STATE_FREE || state == FH_STATE_UNUSED)
		return FH_OK;
	if (state == FH_STATE_BUSY)
		return FH_E_BUSY;
	if (state == FH_STATE_UNIQUE)
		return FH_E_UNIQUE;
	return FH_E_IN_USE;
}

static const struct fh_ledger_page no_units;

/* One section at a time; a leaf of the lock order. */
static struct fh_lock section_lock;

/*@
  requires fh_memory.frame_end <= FH_MAX_FRAMES;
  requires section * FH_SECTION_FRAMES < fh_memory.frame_end;
  assigns \nothing;
  exits \false;
  ensures \result == \min(fh_memory.frame_end,
    section * FH_SECTION_FRAMES + FH_SECTION_FRAMES);
*/
static uint64_t section_end(uint64_t section)
{
	uint64_t first = section * FH_SECTION_FRAMES;

	if (fh_memory.frame_end - first < FH_SECTION_FRAMES)
		return fh_memory.frame_end;
	return first + FH_SECTION_FRAMES;
}

void fh_section_zero(uint64_t section)
{
	/*@
	  loop invariant section * FH_SECTION_FRAMES <= i;
	  loop invariant i <= fh_memory.frame_end;
	  loop invariant i <= section * FH_SECTION_FRAMES + FH_SECTION_FRAMES;
	  loop invariant \forall integer j;
	    section * FH_SECTION_FRAMES <= j < i ==> slot_is_zero(j);
	  loop assigns i, fh_slots[section * FH_SECTION_FRAMES
	    .. section * FH_SECTION_FRAMES + FH_SECTION_FRAMES - 1];
	  loop variant fh_memory.frame_end - i;
	*/
	for (uint64_t i = section * FH_SECTION_FRAMES; i < section_end(section);
	     i++) {
		fh_slots[i].meta = fh_meta_zero;
		fh_slots[i].type = NULL;
		fh_list_id_store_relaxed(i, 0);
		fh_state_store_relaxed(i, FH_STATE_FREE);
		if (FH_CHECKED)
			fh_ledger_pages[i] = no_units;
	}
}

void fh_section_make_raw_live(uint64_t section)
{
	uint8_t *state = &fh_memory.sections[section];
	uint64_t saved = fh_lock(&section_lock);

	if (fh_byte_load_acquire(state) == FH_SECTION_RAW) {
		if (!fh_memory.slots_are_zeroed)
			fh_section_zero(section);
		/* Release: who sees the section live sees its slots. */
		fh_byte_store_release(state, FH_SECTION_LIVE);
	}
	fh_unlock(&section_lock, saved);
}

void fh_section_make_live(uint64_t section)
{
	/* Acquire: pairs with the release in fh_section_make_raw_live(). */
	if (fh_byte_load_acquire(&fh_memory.sections[section]) ==
	    FH_SECTION_RAW)
		fh_section_make_raw_live(section);
}

enum fh_status fh_slot_claim_other(uint64_t frame, uint64_t seen)
{
	if (seen != FH_STATE_FREE)
		return fh_claim_status(seen);
	/* Popped by somebody, or in a CPU's cache: about to be theirs. */
	if (!fh_allocator_withdraw(frame))
		return FH_E_BUSY;
	seen = fh_state_cas_acquire(frame, FH_STATE_FREE, FH_STATE_BUSY);
	return seen == FH_STATE_FREE ? FH_OK : FH_E_BUSY;
}

enum fh_usage fh_slot_usage(uint64_t frame)
{
	uint64_t live;

	/* Nobody has written the slots of a raw section. */
	if (fh_slot_find_live(fh_paddr_of_frame(frame), &live) != FH_OK)
		return FH_USAGE_UNUSED;
	const struct fh_meta_type *type = fh_slots[frame].type;
	return type == NULL ? FH_USAGE_UNUSED : type->usage;
}

/*@
  requires live(frame) && \valid_read(type);
  requires fh_slots[frame].state == FH_STATE_BUSY ||
           fh_slots[frame].state == FH_STATE_UNIQUE;
  assigns fh_slots[frame].meta;
  exits \false;
*/
static void run_on_drop(uint64_t frame, const struct fh_meta_type *type)
{
	struct fh_dropping page = {.frame = frame};

	if (type->on_drop != NULL)
		type->on_drop(page);
}

/*@
  requires memory_ok && live(frame) && \valid_read(type);
  requires fh_slots[frame].state == FH_STATE_BUSY ||
           fh_slots[frame].state == FH_STATE_UNIQUE;
  assigns fh_slots[frame].type, fh_slots[frame].list, fh_slots[frame].meta;
  exits \false;
  ensures fh_slots[frame].type == \null && fh_slots[frame].list == 0;
*/
static void clear_typed(uint64_t frame, const struct fh_meta_type *type)
{
	run_on_drop(frame, type);
	fh_slots[frame].type = NULL;
	fh_list_id_store_relaxed(frame, 0);
}

void fh_slot_clear(uint64_t frame)
{
	clear_typed(frame, fh_slots[frame].type);
}

/*@
  requires \false;
  assigns \nothing;
  exits \false;
*/
static void poison(uint64_t frame)
{
	__builtin_memset(fh_page_bytes(frame), FH_POISON_BYTE, FH_PAGE_SIZE);
}

/* BUSY, cleared -> FREE, and back to its zone. */
/*@
  requires memory_ok && slot_dropping(frame);
  requires fh_slots[frame].type == \null;
  assigns fh_slots[frame].state, g_free[frame];
  exits \false;
  ensures slot_inv(frame);
  ensures fh_slots[frame].state == FH_STATE_FREE && g_free[frame] == 1;
*/
static void give_back(uint64_t frame)
{
	if (FH_POISON)
		poison(frame);
	/*
	 * Release: our drop comes before the next claim. Pairs with the
	 * acquire in fh_slot_claim(). No state between BUSY and FREE lets
	 * anybody claim the page before the allocator has it.
	 */
	fh_state_store_release(frame, FH_STATE_FREE);
	fh_allocator_give_back(frame, 1);
}

/* Reserved pages and device memory never become free memory by a put. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result <==> usage != FH_USAGE_RESERVED && usage != FH_USAGE_MMIO;
*/
static bool is_memory(enum fh_usage usage)
{
	return usage != FH_USAGE_RESERVED && usage != FH_USAGE_MMIO;
}

/* Whether the page's section is the allocator's as a whole. */
/*@
  requires memory_ok && live(frame);
  assigns \nothing;
  exits \false;
*/
static inline bool is_in_covered_section(uint64_t frame)
{
	const uint8_t *cover = fh_memory.cover;

	/* Acquire: pairs with the release in fh_layout_cover(). */
	return cover != NULL &&
	       fh_byte_load_acquire(&cover[frame / FH_SECTION_FRAMES]) ==
		       FH_COVER_ALL;
}

/* Any page: with a handler, on its own, or of no allocator. */
/*@
  requires memory_ok && slot_dropping(frame);
  requires \valid_read(type);
  assigns fh_slots[frame], g_free[frame];
  exits \false;
  ensures slot_inv(frame);
  ensures fh_slots[frame].type == \null && fh_slots[frame].list == 0;
  ensures fh_slots[frame].state == FH_STATE_UNUSED ||
          (fh_slots[frame].state == FH_STATE_FREE && g_free[frame] == 1);
*/
static FH_NOINLINE void drop_any(uint64_t frame,
				 const struct fh_meta_type *type)
{
	clear_typed(frame, type);
	if (is_memory(type->usage) && fh_allocator_covers(frame))
		give_back(frame);
	else
		fh_slot_set_unused(frame);
}

void fh_slot_drop(uint64_t frame)
{
	const struct fh_meta_type *type = fh_slots[frame].type;

	if (FH_UNLIKELY(type->on_drop != NULL) ||
	    FH_UNLIKELY(!is_memory(type->usage)) ||
	    FH_UNLIKELY(!is_in_covered_section(frame))) {
		drop_any(frame, type);
		return;
	}
	fh_slots[frame].type = NULL;
	fh_list_id_store_relaxed(frame, 0);
	give_back(frame);
}

void *fh_page_bytes(uint64_t frame)
{
	return fh_host_linear(fh_paddr_of_frame(frame));
}

const void *fh_dropping_bytes(struct fh_dropping page)
{
	return fh_page_bytes(page.frame);
}

/*@
  requires page.frame < FH_PAGE_NUMBER_END;
  assigns \nothing;
  exits \false;
  ensures \result.bytes == page.frame * FH_PAGE_SIZE;
*/
struct fh_paddr fh_dropping_paddr(struct fh_dropping page)
{
	return fh_paddr_of_frame(page.frame);
}
