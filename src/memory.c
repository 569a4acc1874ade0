/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Bring-up. The order is the whole of it: tables and metadata come out of the
 * early allocator, then every page that must not be handed out is held, then
 * the rest becomes free. Until the last step every failure undoes all of it.
 *
 * Holding a page is claiming and forgetting it, as anybody would do: zeroed
 * slots say free, so each page is first set to unused, which the allocator,
 * still empty, knows nothing about.
 */
#include <framehold/allocator.h>
#include <framehold/host.h>
#include <framehold/memory.h>

#include "asid.h"
#include "early.h"
#include "flush.h"
#include "ledger.h"
#include "rcu.h"
#include "slot.h"
#include "space.h"

static struct {
	struct fh_memory_map *map;
	struct fh_memory_totals totals;
	bool opened_early; /* by us, so that a failure closes it */
} bring_up;

static uint64_t divide_up(uint64_t n, uint64_t by)
{
	return n / by + (n % by == 0 ? 0 : 1);
}

static uint64_t section_count(uint64_t frame_end)
{
	return divide_up(frame_end, FH_SECTION_FRAMES);
}

/* Frames of a section that can have slots. */
static uint64_t section_frames(uint64_t section)
{
	uint64_t first = section * FH_SECTION_FRAMES;
	uint64_t left = fh_memory.frame_end - first;

	return left < FH_SECTION_FRAMES ? left : FH_SECTION_FRAMES;
}

/* Pages for a table of so many bytes, by their linear address. */
static enum fh_status take_table(uint64_t bytes, void **table)
{
	uint64_t first;
	enum fh_status status =
		fh_early_alloc(divide_up(bytes, FH_PAGE_SIZE), 1, &first);

	if (status != FH_OK)
		return status;
	*table = fh_host_linear(fh_paddr_of_frame(first));
	return FH_OK;
}

/* Every section that a RAM span touches has slots, not yet written. */
static void find_sections(const struct fh_memory_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct fh_span *span = &map->spans[i];

		if (!fh_region_is_physical(span->kind))
			continue;
		uint64_t last =
			(span->first + span->count - 1) / FH_SECTION_FRAMES;
		for (uint64_t s = span->first / FH_SECTION_FRAMES; s <= last;
		     s++)
			fh_byte_store_release(&fh_memory.sections[s],
					      FH_SECTION_RAW);
	}
}

/* A run of window pages that has not been mapped yet. */
struct window_run {
	enum fh_window window;
	uint64_t first; /* in the window */
	uint64_t frame; /* in memory */
	uint64_t count;
};

static enum fh_status map_run(struct window_run *run)
{
	if (run->count == 0)
		return FH_OK;
	enum fh_status status =
		fh_host_map_window(run->window, run->first,
				   fh_paddr_of_frame(run->frame), run->count);
	run->count = 0;
	return status;
}

/* Adds pages to the run, or maps it and begins another. */
static enum fh_status extend_run(struct window_run *run, uint64_t first,
				 uint64_t frame, uint64_t count)
{
	if (run->count > 0 && run->first + run->count == first &&
	    run->frame + run->count == frame) {
		run->count += count;
		return FH_OK;
	}
	enum fh_status status = map_run(run);
	run->first = first;
	run->frame = frame;
	run->count = count;
	return status;
}

/*
 * Memory for one window: entry_size bytes for each frame of each section with
 * RAM, in large pages where they can be had.
 */
static enum fh_status map_window(enum fh_window window, uint64_t entry_size)
{
	uint64_t stride = FH_SECTION_FRAMES * entry_size / FH_PAGE_SIZE;
	struct window_run run = {.window = window};

	for (uint64_t s = 0; s < section_count(fh_memory.frame_end); s++) {
		uint64_t frame;
		uint64_t pages =
			divide_up(section_frames(s) * entry_size, FH_PAGE_SIZE);

		if (fh_memory.sections[s] == FH_SECTION_ABSENT)
			continue;
		enum fh_status status = FH_E_NO_MEMORY;
		if (pages == stride)
			status = fh_early_alloc(pages, stride, &frame);
		if (status != FH_OK)
			status = fh_early_alloc(pages, 1, &frame);
		if (status == FH_OK)
			status = extend_run(&run, s * stride, frame, pages);
		if (status != FH_OK)
			return status;
	}
	return map_run(&run);
}

static uint64_t ram_pages(const struct fh_memory_map *map)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < map->count; i++)
		if (fh_region_is_physical(map->spans[i].kind))
			pages += map->spans[i].count;
	return pages;
}

static enum fh_status open_ledger(const struct fh_memory_map *map)
{
	uint64_t records = ram_pages(map);
	void *memory;

	if (records > FH_LEDGER_RECORDS)
		records = FH_LEDGER_RECORDS;
	enum fh_status status =
		map_window(FH_WINDOW_LEDGER, sizeof(struct fh_ledger_page));
	if (status != FH_OK)
		return status;
	status = take_table(records * FH_LEDGER_RECORD_SIZE, &memory);
	if (status == FH_OK)
		fh_ledger_open(memory, records);
	return status;
}

/* The end of RAM, now or when memory has been plugged in. */
static uint64_t find_frame_end(const struct fh_init_options *options)
{
	const struct fh_topology *topology = options->topology;
	uint64_t end = fh_map_frame_end(options->map);

	for (size_t i = 0; topology != NULL && i < topology->range_count; i++) {
		const struct fh_node_range *range = &topology->ranges[i];

		if (range->hot_plug && range->first < FH_MAX_FRAMES &&
		    range->count <= FH_MAX_FRAMES - range->first &&
		    range->first + range->count > end)
			end = range->first + range->count;
	}
	return end;
}

/* Everything that can fail; nothing is held yet. */
static enum fh_status prepare(const struct fh_init_options *options)
{
	uint64_t frame_end = find_frame_end(options);
	void *sections;
	enum fh_status status = take_table(section_count(frame_end), &sections);

	if (status != FH_OK)
		return status;
	/* Zero or not: an attempt that failed may have written here. */
	__builtin_memset(sections, 0, section_count(frame_end));
	fh_memory.frame_end = frame_end;
	fh_memory.sections = sections;
	fh_memory.slots_are_zeroed = options->memory_is_zeroed;
	find_sections(options->map);
	/* Its tables fill some of what aligning the slots leaves out. */
	status = fh_allocator_init(options->map, options->topology,
				   options->memory_is_zeroed);
	if (status == FH_OK)
		status = map_window(FH_WINDOW_SLOTS, sizeof(struct fh_slot));
	if (status == FH_OK && FH_CHECKED)
		status = open_ledger(options->map);
	return status;
}

/*
 * Holds pages of one section. They are in nobody's reach yet, so that claiming
 * them cannot fail.
 */
static void hold_pages(uint64_t first, uint64_t count,
		       const struct fh_meta_type *type)
{
	fh_section_make_live(first / FH_SECTION_FRAMES);
	for (uint64_t i = first; i - first < count; i++) {
		fh_slot_set_unused(i);
		if (fh_slot_claim(i) == FH_OK) {
			fh_slot_write(i, type, NULL);
			fh_slot_publish(i);
		}
	}
	fh_unit_mint_raw(first, count);
}

/* Holds the pages of the range that have slots; returns how many. */
static uint64_t hold_range(uint64_t first, uint64_t end,
			   const struct fh_meta_type *type)
{
	uint64_t held = 0;
	uint64_t i = first == 0 ? 1 : first;

	if (end > fh_memory.frame_end)
		end = fh_memory.frame_end;
	while (i < end) {
		uint64_t section = i / FH_SECTION_FRAMES;
		uint64_t next = (section + 1) * FH_SECTION_FRAMES;

		if (next > end)
			next = end;
		if (fh_memory.sections[section] != FH_SECTION_ABSENT) {
			hold_pages(i, next - i, type);
			held += next - i;
		}
		i = next;
	}
	return held;
}

/* Page 0 is no frame: nobody can ever hold a handle to it. */
static uint64_t hold_page_zero(void)
{
	if (fh_memory.sections[0] == FH_SECTION_ABSENT)
		return 0;
	fh_section_make_live(0);
	fh_slot_write(0, &fh_reserved_type, NULL);
	fh_slot_publish_unique(0);
	fh_unit_mint_raw(0, 1);
	return 1;
}

/* Seed: the match in mark_unusable_ranges. */
static const struct fh_meta_type *held_type(enum fh_region_kind kind)
{
	switch (kind) {
	case FH_REGION_UNKNOWN:
	case FH_REGION_RESERVED:
	case FH_REGION_FRAMEBUFFER:
		return &fh_reserved_type;
	case FH_REGION_KERNEL:
		return &fh_kernel_type;
	default:
		return &fh_unusable_type;
	}
}

static void count_held(uint64_t pages, const struct fh_meta_type *type)
{
	struct fh_memory_totals *totals = &bring_up.totals;

	if (type == &fh_reserved_type)
		totals->reserved += pages;
	else if (type == &fh_kernel_type)
		totals->kernel += pages;
	else
		totals->unusable += pages;
}

static void hold_usable(const struct fh_span *span)
{
	uint64_t early_end = span->first + span->taken_before;
	uint64_t metadata_end = span->first + span->taken;

	bring_up.totals.early +=
		hold_range(span->first, early_end, &fh_early_type);
	bring_up.totals.metadata +=
		hold_range(early_end, metadata_end, &fh_meta_page_type);
}

static void hold_span(const struct fh_span *span)
{
	const struct fh_meta_type *type = held_type(span->kind);

	if (span->kind == FH_REGION_USABLE)
		hold_usable(span);
	else
		count_held(hold_range(span->first, span->first + span->count,
				      type),
			   type);
}

/* All that is not free memory, gaps between spans included. */
static void hold_all(const struct fh_memory_map *map)
{
	uint64_t end = 0;

	bring_up.totals.reserved += hold_page_zero();
	for (size_t i = 0; i < map->count; i++) {
		const struct fh_span *span = &map->spans[i];

		bring_up.totals.reserved +=
			hold_range(end, span->first, &fh_reserved_type);
		hold_span(span);
		end = span->first + span->count;
	}
	/* What is left of the last section, before memory to be plugged in. */
	bring_up.totals.reserved +=
		hold_range(end, fh_memory.frame_end, &fh_reserved_type);
}

/* The first page of a usable span that nobody took. */
static uint64_t free_begin(const struct fh_span *span)
{
	uint64_t first = span->first + span->taken;

	return first == 0 ? 1 : first;
}

static uint64_t free_count(const struct fh_span *span)
{
	uint64_t end = span->first + span->count;
	uint64_t first = free_begin(span);

	if (span->kind != FH_REGION_USABLE || first >= end)
		return 0;
	return end - first;
}

static uint64_t free_total(const struct fh_memory_map *map)
{
	uint64_t total = 0;

	for (size_t i = 0; i < map->count; i++)
		total += free_count(&map->spans[i]);
	return total;
}

static void hand_over(const struct fh_memory_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		uint64_t count = free_count(&map->spans[i]);

		if (count > 0)
			fh_allocator_give_back(free_begin(&map->spans[i]),
					       count);
		bring_up.totals.handed_over += count;
	}
}

static const struct fh_memory no_memory;
static const struct fh_memory_totals no_totals;

static void forget_memory(void)
{
	fh_rcu_close();
	fh_flush_close();
	fh_space_close();
	fh_asid_close();
	fh_allocator_fini();
	if (FH_CHECKED)
		fh_ledger_close();
	fh_memory = no_memory;
	bring_up.totals = no_totals;
	bring_up.map = NULL;
}

static enum fh_status open_early(struct fh_memory_map *map)
{
	bring_up.opened_early = !fh_early_is_open();
	if (bring_up.opened_early)
		return fh_early_begin(map);
	return fh_early_map() == map ? FH_OK : FH_E_INVALID;
}

static void bring_this_cpu_online(void)
{
	fh_host_preempt_off();
	fh_cpu_online(fh_host_cpu());
	fh_host_preempt_on();
}

enum fh_status fh_init(const struct fh_init_options *options)
{
	struct fh_memory_map *map = options->map;

	if (fh_is_initialized())
		return FH_E_TWICE;
	enum fh_status status = open_early(map);
	if (status != FH_OK)
		return status;
	fh_early_mark();
	status = free_total(map) == 0 ? FH_E_EMPTY : prepare(options);
	if (status == FH_OK && free_total(map) == 0)
		status = FH_E_NO_MEMORY;
	if (status != FH_OK) {
		forget_memory();
		fh_early_rewind();
		if (bring_up.opened_early)
			fh_early_end();
		return status;
	}
	fh_early_retire();
	bring_up.map = map;
	bring_this_cpu_online();
	hold_all(map);
	hand_over(map);
	return FH_OK;
}

void fh_fini(void)
{
	if (fh_is_initialized())
		forget_memory();
	fh_early_end();
}

void fh_memory_totals(struct fh_memory_totals *totals)
{
	*totals = bring_up.totals;
}

/* What bring-up took of a span; page 0, if it begins there, is no frame. */
static struct fh_range metadata_of(const struct fh_span *span)
{
	struct fh_range piece = {
		.first = span->first + span->taken_before,
		.count = span->taken - span->taken_before,
	};

	if (piece.first == 0 && piece.count > 0) {
		piece.first = 1;
		piece.count -= 1;
	}
	return piece;
}

/* ---- Memory plugged in later ---- */

static enum fh_status check_plug(uint64_t first, uint64_t count)
{
	if (count == 0)
		return FH_E_EMPTY;
	if (first % FH_SECTION_FRAMES != 0 || count % FH_SECTION_FRAMES != 0)
		return FH_E_NOT_ALIGNED;
	if (first >= fh_memory.frame_end || count > fh_memory.frame_end - first)
		return FH_E_OUT_OF_BOUND;
	for (uint64_t i = 0; i < count; i += FH_SECTION_FRAMES)
		if (fh_memory.sections[(first + i) / FH_SECTION_FRAMES] !=
		    FH_SECTION_ABSENT)
			return FH_E_TWICE;
	return FH_OK;
}

/* Maps one window of plugged memory into its pages from `frame` on. */
static enum fh_status map_plugged(enum fh_window window, uint64_t entry_size,
				  uint64_t first, uint64_t count,
				  uint64_t *frame)
{
	uint64_t pages = count * entry_size / FH_PAGE_SIZE;
	enum fh_status status =
		fh_host_map_window(window, first * entry_size / FH_PAGE_SIZE,
				   fh_paddr_of_frame(*frame), pages);

	*frame += pages;
	return status;
}

enum fh_status fh_memory_plug(uint64_t first, uint64_t count)
{
	uint64_t frame = first;
	enum fh_status status = check_plug(first, count);

	if (status == FH_OK)
		status = map_plugged(FH_WINDOW_SLOTS, sizeof(struct fh_slot),
				     first, count, &frame);
	if (status == FH_OK && FH_CHECKED)
		status = map_plugged(FH_WINDOW_LEDGER,
				     sizeof(struct fh_ledger_page), first,
				     count, &frame);
	if (status != FH_OK)
		return status;
	for (uint64_t i = 0; i < count; i += FH_SECTION_FRAMES)
		fh_section_zero((first + i) / FH_SECTION_FRAMES);
	status = fh_allocator_cover(first, count);
	if (status != FH_OK)
		return status;
	for (uint64_t i = 0; i < count; i += FH_SECTION_FRAMES)
		/* Release: who sees the section live sees its slots. */
		fh_byte_store_release(
			&fh_memory.sections[(first + i) / FH_SECTION_FRAMES],
			FH_SECTION_LIVE);
	bring_up.totals.metadata +=
		hold_range(first, frame, &fh_meta_page_type);
	fh_allocator_give_back(frame, first + count - frame);
	return FH_OK;
}

enum fh_status fh_memory_metadata(size_t index, struct fh_range *piece)
{
	size_t n = 0;

	for (size_t i = 0; bring_up.map != NULL && i < bring_up.map->count;
	     i++) {
		struct fh_range taken = metadata_of(&bring_up.map->spans[i]);

		if (taken.count == 0)
			continue;
		if (n == index) {
			*piece = taken;
			return FH_OK;
		}
		n++;
	}
	return FH_E_OUT_OF_BOUND;
}
