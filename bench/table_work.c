/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What tables cost, each operation below its floor: the least that code with a
 * lock for each node must do, on the same entries of the same nodes, in the
 * same order. The floor of an operation under a cursor is
 *
 *     walk down the levels, an acquire load each
 *     lock the node by compare-exchange, look whether it is stray
 *     the bare access of the entry
 *     unlock by a release store
 *
 * with no check of a range or a property, no error, no cursor, and no gather.
 *
 * What a visit changes is put back behind the library's back, by plain stores
 * to entry, count and state, in the floor as in the operation; with the node's
 * lock where two threads share it.
 */
#include "table_work.h"

#include <framehold/framehold.h>
#include <framehold/poll.h>

#include "copy.h"
#include "cursor.h"
#include "gather.h"

FH_STATIC_ASSERT(!FH_CHECKED, "measured is what costs nothing when left out");

#define NODE_BITS 9

struct table_ground table_ground;

/* ---- Where ---- */

/* A copy of it that the compiler can keep in registers. */
struct part {
	struct fh_space *space;
	uint64_t first;
	uint64_t frame;
	unsigned bits;
	unsigned shift; /* to the next page of ours */
	bool scattered;
};

static inline struct part part_of(unsigned cpu)
{
	uint64_t offset = cpu * (table_ground.shared ? 1 : table_ground.stride);
	struct part part = {
		.space = table_ground.space,
		.first = table_ground.first + offset,
		.frame = table_ground.frame + offset,
		.bits = table_ground.bits,
		.shift = table_ground.shared ? 1 : 0,
		.scattered = table_ground.scattered,
	};

	bench_cpu.number = cpu;
	return part;
}

/* Which page of the part a visit is for. */
static inline uint64_t place_of(const struct part *part, uint64_t position)
{
	uint64_t mask = (UINT64_C(1) << part->bits) - 1;

	if (!part->scattered)
		return (position & mask) << part->shift;
	position = position * UINT64_C(0x9e3779b97f4a7c15) & mask;
	position ^= position >> (part->bits + 1) / 2;
	return (position * UINT64_C(0xd1342543de82ef95) & mask) << part->shift;
}

/* The first of 512 pages. */
static inline uint64_t node_place_of(const struct part *part, uint64_t position)
{
	return (position << NODE_BITS) & ((UINT64_C(1) << part->bits) - 1);
}

/* ---- The floor: plain C ---- */

static inline uint64_t walk_to_node(const struct part *part, uint64_t page)
{
	uint64_t node = fh_frame_number(part->space->table.root);

	for (unsigned level = part->space->table.levels; level > 1; level--)
		node = (fh_entry_walk(node, fh_entry_index(page, level)) &
			UINT64_C(0x000ffffffffff000)) /
		       FH_PAGE_SIZE;
	return node;
}

static inline void lock_plainly(uint64_t node)
{
	uint64_t *lock = fh_node_word(node, FH_NODE_LOCK);

	do
		while (fh_word_cas_acquire(lock, 0, 1) != 0)
			fh_host_relax();
	while (fh_node_is_stray(node));
}

static inline void unlock_plainly(uint64_t node)
{
	fh_word_store_release(fh_node_word(node, FH_NODE_LOCK), 0);
}

static const uint32_t user_flags = FH_PAGE_USER | FH_PAGE_READ | FH_PAGE_WRITE;

/* What the library writes for a page. */
static inline uint64_t leaf_for(uint64_t frame)
{
	return fh_arch_leaf(frame, 1,
			    fh_page_prop(user_flags | FH_PAGE_TRACKED));
}

/* ---- Putting back, for both ---- */

/* Where the other thread works on the node too, even this needs the lock. */
static inline void lock_if_shared(const struct part *part, uint64_t node)
{
	if (part->shift != 0)
		lock_plainly(node);
}

static inline void unlock_if_shared(const struct part *part, uint64_t node)
{
	if (part->shift != 0)
		unlock_plainly(node);
}

/* The page is not mapped, as before. */
static inline void forget_mapping(const struct part *part, uint64_t page)
{
	uint64_t node = walk_to_node(part, page);

	lock_if_shared(part, node);
	*fh_entry(node, fh_entry_index(page, 1)) = 0;
	*fh_node_word(node, FH_NODE_FACTS) -= FH_NODE_CHILD;
	unlock_if_shared(part, node);
}

/* The page is mapped, and its frame has a holder more. */
static inline void fake_mapping(const struct part *part, uint64_t page,
				uint64_t frame)
{
	uint64_t node = walk_to_node(part, page);

	lock_if_shared(part, node);
	*fh_entry(node, fh_entry_index(page, 1)) = leaf_for(frame);
	*fh_node_word(node, FH_NODE_FACTS) += FH_NODE_CHILD;
	unlock_if_shared(part, node);
	fh_slots[frame].state++;
}

/* ---- A cursor for each page ---- */

static uint64_t sums[BENCH_MAX_THREADS][8]; /* so that looks are not left out */

static void do_open(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		struct fh_atomic_mode mode;
		struct fh_cursor c;

		fh_atomic_begin(&mode);
		if (fh_cursor_open(&part.space->table, &mode,
				   part.first + place_of(&part, position + i),
				   1, &c) == FH_OK)
			fh_cursor_close(&c);
		fh_atomic_end(&mode);
	}
}

static void floor_open(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t node = walk_to_node(
			&part, part.first + place_of(&part, position + i));

		lock_plainly(node);
		unlock_plainly(node);
	}
}

static void do_query(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		struct fh_atomic_mode mode;
		struct fh_mapping mapping = {.frame = 0};
		struct fh_cursor c;

		fh_atomic_begin(&mode);
		if (fh_cursor_open(&part.space->table, &mode,
				   part.first + place_of(&part, position + i),
				   1, &c) == FH_OK) {
			sums[cpu][0] += fh_cursor_query(&c, &mapping) == FH_OK;
			fh_cursor_close(&c);
		}
		fh_atomic_end(&mode);
		sums[cpu][0] += mapping.frame;
	}
}

static void floor_query(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t page = part.first + place_of(&part, position + i);
		uint64_t node = walk_to_node(&part, page);

		lock_plainly(node);
		sums[cpu][0] += fh_entry_read(node, fh_entry_index(page, 1));
		unlock_plainly(node);
	}
}

static void do_map(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t place = place_of(&part, position + i);
		struct fh_uframe f = {.handle = part.frame + place};
		struct fh_atomic_mode mode;
		struct fh_cursor c;

		fh_atomic_begin(&mode);
		if (fh_cursor_open(&part.space->table, &mode,
				   part.first + place, 1, &c) == FH_OK) {
			sums[cpu][0] +=
				fh_cursor_map(&c, &f,
					      fh_page_prop(user_flags)) !=
				FH_OK;
			fh_cursor_close(&c);
		}
		fh_atomic_end(&mode);
		forget_mapping(&part, part.first + place);
	}
}

static void floor_map(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t place = place_of(&part, position + i);
		uint64_t page = part.first + place;
		uint64_t node = walk_to_node(&part, page);

		lock_plainly(node);
		if (fh_entry_read(node, fh_entry_index(page, 1)) == 0) {
			fh_entry_write(node, fh_entry_index(page, 1),
				       leaf_for(part.frame + place));
			fh_node_add_children(node, 1);
		}
		unlock_plainly(node);
		forget_mapping(&part, page);
	}
}

static void do_unmap(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t place = place_of(&part, position + i);
		struct fh_atomic_mode mode;
		struct fh_gather gather;
		struct fh_cursor c;
		uint64_t pages;

		fake_mapping(&part, part.first + place, part.frame + place);
		fh_gather_begin(&gather, &part.space->active);
		fh_atomic_begin(&mode);
		if (fh_cursor_open(&part.space->table, &mode,
				   part.first + place, 1, &c) == FH_OK) {
			sums[cpu][0] += fh_cursor_unmap(&c, 1, &gather,
							&pages) != FH_OK;
			fh_cursor_close(&c);
		}
		fh_atomic_end(&mode);
		fh_gather_finish(&gather);
	}
}

static void floor_unmap(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t place = place_of(&part, position + i);
		uint64_t page = part.first + place;

		fake_mapping(&part, page, part.frame + place);
		uint64_t node = walk_to_node(&part, page);

		lock_plainly(node);
		fh_word_store_release(fh_entry(node, fh_entry_index(page, 1)),
				      0);
		fh_node_sub_children(node, 1);
		unlock_plainly(node);
		fh_slots[part.frame + place].state--;
	}
}

/* ---- 512 pages under one cursor ---- */

/* The node is empty and its frames have one holder, as before. */
static void forget_node(const struct part *part, uint64_t place)
{
	uint64_t node = walk_to_node(part, part->first + place);

	for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++) {
		*fh_entry(node, i) = 0;
		fh_slots[part->frame + place + i].state = FH_STATE_ONE;
	}
	*fh_node_word(node, FH_NODE_FACTS) -= FH_NODE_ENTRIES * FH_NODE_CHILD;
}

static void do_map_512(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t place = node_place_of(&part, position + i);
		struct fh_segment held = {.handle = part.frame + place,
					  .count = FH_NODE_ENTRIES};
		struct fh_segment more = fh_segment_get(held);
		struct fh_usegment s;
		struct fh_atomic_mode mode;
		struct fh_cursor c;

		sums[cpu][0] += fh_usegment_from_segment(&more, &s) != FH_OK;
		fh_atomic_begin(&mode);
		if (fh_cursor_open(&part.space->table, &mode,
				   part.first + place, FH_NODE_ENTRIES,
				   &c) == FH_OK) {
			sums[cpu][0] +=
				fh_cursor_map_segment(
					&c, &s, fh_page_prop(user_flags)) !=
				FH_OK;
			fh_cursor_close(&c);
		}
		fh_atomic_end(&mode);
		forget_node(&part, place);
	}
}

static void floor_map_512(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t place = node_place_of(&part, position + i);
		uint64_t node = walk_to_node(&part, part.first + place);

		for (uint64_t k = 0; k < FH_NODE_ENTRIES; k++)
			(void)fh_state_add_relaxed(part.frame + place + k);
		lock_plainly(node);
		for (uint64_t k = 0; k < FH_NODE_ENTRIES; k++)
			fh_entry_write(node, k,
				       leaf_for(part.frame + place + k));
		fh_node_add_children(node, FH_NODE_ENTRIES);
		unlock_plainly(node);
		forget_node(&part, place);
	}
}

static void do_query_512(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t page = part.first + node_place_of(&part, position + i);
		struct fh_mapping mapping = {.frame = 0};
		struct fh_atomic_mode mode;
		struct fh_cursor c;

		fh_atomic_begin(&mode);
		if (fh_cursor_open(&part.space->table, &mode, page,
				   FH_NODE_ENTRIES, &c) == FH_OK) {
			for (uint64_t k = 0; k < FH_NODE_ENTRIES; k++) {
				sums[cpu][0] +=
					fh_cursor_jump(&c, page + k) == FH_OK;
				sums[cpu][0] +=
					fh_cursor_query(&c, &mapping) == FH_OK;
			}
			fh_cursor_close(&c);
		}
		fh_atomic_end(&mode);
		sums[cpu][0] += mapping.frame;
	}
}

static void floor_query_512(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t page = part.first + node_place_of(&part, position + i);
		uint64_t node = walk_to_node(&part, page);

		lock_plainly(node);
		for (uint64_t k = 0; k < FH_NODE_ENTRIES; k++)
			sums[cpu][0] += fh_entry_read(node, k);
		unlock_plainly(node);
	}
}

/* ---- Whole operations on a space, without a floor ---- */

/* One page: mapped and unmapped, its frame held elsewhere. */
static void do_space_pair(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t place = place_of(&part, position + i);
		struct fh_uframe held = {.handle = part.frame + place};
		struct fh_uframe f = fh_uframe_get(held);
		uint64_t pages;

		sums[cpu][0] += fh_space_map(part.space, part.first + place, &f,
					     fh_page_prop(user_flags)) != FH_OK;
		sums[cpu][0] += fh_space_unmap(part.space, part.first + place,
					       1, &pages) != FH_OK;
	}
}

/* A page faulted in, zeroed, and unmapped. */
static void do_fault_pair(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);
	struct fh_page_prop fill = fh_page_prop(user_flags);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t page = part.first + place_of(&part, position + i);
		uint64_t pages;

		sums[cpu][0] +=
			fh_space_fault(part.space, fh_vaddr_of_page(page),
				       FH_ACCESS_WRITE, &fill) != FH_OK;
		sums[cpu][0] +=
			fh_space_unmap(part.space, page, 1, &pages) != FH_OK;
	}
}

static void do_protect(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);
	struct fh_prop_change off = {.clear = FH_PAGE_WRITE};
	struct fh_prop_change on = {.set = FH_PAGE_WRITE};

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t place = node_place_of(&part, position + i);
		uint64_t pages;

		sums[cpu][0] += fh_space_protect(part.space, part.first + place,
						 FH_NODE_ENTRIES,
						 (position + i) % 2 ? on : off,
						 &pages) != FH_OK;
	}
}

/* ---- What a kernel is asked for: one request each ---- */

/* A range for a new mapping: locked, and nothing found in it. */
static inline void reserve(const struct part *part, unsigned cpu, uint64_t page,
			   uint64_t n)
{
	struct fh_atomic_mode mode;
	struct fh_mapping mapping;
	struct fh_cursor c;

	fh_atomic_begin(&mode);
	if (fh_cursor_open(&part->space->table, &mode, page, n, &c) == FH_OK) {
		sums[cpu][0] +=
			fh_cursor_find(&c, n, &mapping) != FH_E_NOT_MAPPED;
		fh_cursor_close(&c);
	}
	fh_atomic_end(&mode);
}

static inline void look_plainly(const struct part *part, unsigned cpu,
				uint64_t page, uint64_t n)
{
	uint64_t node = walk_to_node(part, page);

	lock_plainly(node);
	for (uint64_t i = 0; i < n; i++)
		sums[cpu][0] +=
			fh_entry_read(node, fh_entry_index(page, 1) + i);
	unlock_plainly(node);
}

/* Four pages in a row, of the 512 around. */
static inline uint64_t four_pages(const struct part *part, uint64_t position)
{
	return part->first - part->first % FH_NODE_ENTRIES +
	       (place_of(part, position) & ~UINT64_C(3));
}

static void do_mmap(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++)
		reserve(&part, cpu, four_pages(&part, position + i), 4);
}

static void floor_mmap(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++)
		look_plainly(&part, cpu, four_pages(&part, position + i), 4);
}

/* The page's entry gives up the frame it was filled with. */
static inline void drop_page(const struct part *part, uint64_t page)
{
	uint64_t node = walk_to_node(part, page);
	uint64_t entry = *fh_entry(node, fh_entry_index(page, 1));
	struct fh_frame frame = {.handle = fh_arch_frame(entry, 1)};

	forget_mapping(part, page);
	fh_frame_put(&frame);
}

static inline void fault_in(const struct part *part, unsigned cpu,
			    uint64_t page)
{
	const struct fh_page_prop fill = fh_page_prop(user_flags);

	sums[cpu][0] += fh_space_fault(part->space, fh_vaddr_of_page(page),
				       FH_ACCESS_WRITE, &fill) != FH_OK;
	drop_page(part, page);
}

static inline void fill_plainly(const struct part *part, uint64_t page)
{
	struct fh_frame frame;

	if (fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frame) != FH_OK)
		return;
	uint64_t node = walk_to_node(part, page);

	lock_plainly(node);
	fh_entry_write(node, fh_entry_index(page, 1),
		       leaf_for(fh_frame_number(frame)));
	fh_node_add_children(node, 1);
	unlock_plainly(node);
	drop_page(part, page);
}

static void do_fault(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++)
		fault_in(&part, cpu,
			 part.first + place_of(&part, position + i));
}

static void floor_fault(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++)
		fill_plainly(&part, part.first + place_of(&part, position + i));
}

static void do_mmap_fault(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t page = part.first + place_of(&part, position + i);

		reserve(&part, cpu, page, 1);
		fault_in(&part, cpu, page);
	}
}

static void floor_mmap_fault(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t page = part.first + place_of(&part, position + i);

		look_plainly(&part, cpu, page, 1);
		fill_plainly(&part, page);
	}
}

/* A page that nobody has touched. */
static void do_unmap_virt(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);
	uint64_t pages;

	for (uint64_t i = 0; i < visits; i++)
		sums[cpu][0] += fh_space_unmap(
			part.space, part.first + place_of(&part, position + i),
			1, &pages);
}

/* ---- Many at once ---- */

/* All pages of the node are mapped, each frame with a holder more. */
static void fake_node(const struct part *part, uint64_t place)
{
	uint64_t node = walk_to_node(part, part->first + place);

	for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++) {
		*fh_entry(node, i) = leaf_for(part->frame + place + i);
		fh_slots[part->frame + place + i].state = FH_STATE_ONE + 1;
	}
	*fh_node_word(node, FH_NODE_FACTS) += FH_NODE_ENTRIES * FH_NODE_CHILD;
}

static void do_unmap_512(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t place = node_place_of(&part, position + i);
		uint64_t first = part.first + place;
		struct fh_atomic_mode mode;
		struct fh_gather gather;
		struct fh_cursor c;
		uint64_t pages;

		fake_node(&part, place);
		/* All but one: the whole of a node would unhook it. */
		*fh_entry(walk_to_node(&part, first), 511) = 0;
		*fh_node_word(walk_to_node(&part, first), FH_NODE_FACTS) -=
			FH_NODE_CHILD;
		fh_slots[part.frame + place + 511].state = FH_STATE_ONE;
		fh_gather_begin(&gather, &part.space->active);
		fh_atomic_begin(&mode);
		if (fh_cursor_open(&part.space->table, &mode, first, 511, &c) ==
		    FH_OK) {
			sums[cpu][0] += fh_cursor_unmap(&c, 511, &gather,
							&pages) != FH_OK;
			fh_cursor_close(&c);
		}
		fh_atomic_end(&mode);
		fh_gather_finish(&gather);
	}
}

static void floor_unmap_512(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t place = node_place_of(&part, position + i);
		uint64_t node = walk_to_node(&part, part.first + place);

		fake_node(&part, place);
		lock_plainly(node);
		for (uint64_t k = 0; k < FH_NODE_ENTRIES; k++)
			fh_word_store_release(fh_entry(node, k), 0);
		fh_node_sub_children(node, FH_NODE_ENTRIES);
		unlock_plainly(node);
		for (uint64_t k = 0; k < FH_NODE_ENTRIES; k++)
			(void)fh_state_sub_release(part.frame + place + k);
	}
}

/* The nodes of 512 MiB. */
#define WIDE_NODES UINT64_C(256)

static void do_open_wide(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	(void)position;
	for (uint64_t i = 0; i < visits; i++) {
		struct fh_atomic_mode mode;
		struct fh_cursor c;

		fh_atomic_begin(&mode);
		if (fh_cursor_open(&part.space->table, &mode, part.first,
				   WIDE_NODES * FH_NODE_ENTRIES, &c) == FH_OK)
			fh_cursor_close(&c);
		fh_atomic_end(&mode);
	}
}

static void floor_open_wide(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	(void)position;
	for (uint64_t i = 0; i < visits; i++) {
		for (uint64_t k = 0; k < WIDE_NODES; k++)
			lock_plainly(walk_to_node(
				&part, part.first + k * FH_NODE_ENTRIES));
		for (uint64_t k = 0; k < WIDE_NODES; k++)
			unlock_plainly(walk_to_node(
				&part, part.first + k * FH_NODE_ENTRIES));
	}
}

/*
 * A new space with 512 pages of ours, to be copied when written, and its end.
 * The floor: a count up and down, and two entries, for each page.
 */
static void do_fork(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	for (uint64_t i = 0; i < visits; i++) {
		uint64_t place = node_place_of(&part, position + i);
		struct fh_space child;

		fake_node(&part, place);
		if (fh_space_create(table_ground.kernel, &child) == FH_OK) {
			sums[cpu][0] += fh_space_clone(part.space, &child,
						       part.first + place,
						       FH_NODE_ENTRIES,
						       FH_CLONE_COPY) != FH_OK;
			sums[cpu][0] += fh_space_destroy(&child) != FH_OK;
		}
		fh_settle();
		forget_node(&part, place);
	}
}

static uint64_t child_entries[FH_NODE_ENTRIES];

static void floor_fork(unsigned cpu, uint64_t position, uint64_t visits)
{
	struct part part = part_of(cpu);

	(void)cpu;
	for (uint64_t i = 0; i < visits; i++) {
		uint64_t place = node_place_of(&part, position + i);
		uint64_t node = walk_to_node(&part, part.first + place);

		fake_node(&part, place);
		lock_plainly(node);
		for (uint64_t k = 0; k < FH_NODE_ENTRIES; k++) {
			(void)fh_state_add_relaxed(part.frame + place + k);
			fh_entry_write(node, k,
				       leaf_for(part.frame + place + k));
			fh_word_store_release(&child_entries[k],
					      leaf_for(part.frame + place + k));
		}
		unlock_plainly(node);
		for (uint64_t k = 0; k < FH_NODE_ENTRIES; k++)
			(void)fh_state_sub_release(part.frame + place + k);
		forget_node(&part, place);
	}
}

const struct table_kind table_kinds[] = {
	{"cursor open+close", "each", 1, do_open, floor_open, 2, TABLE_CONTEND},
	{"query a page", "page", 1, do_query, floor_query, 2.5, TABLE_CONTEND},
	{"map a page", "page", 1, do_map, floor_map, 2.5, TABLE_CONTEND},
	{"unmap a page", "page", 1, do_unmap, floor_unmap, 4, TABLE_CONTEND},
	{"map 512, one cursor", "page", 512, do_map_512, floor_map_512, 4,
	 TABLE_APART},
	{"unmap 511, one cursor", "page", 511, do_unmap_512, floor_unmap_512, 0,
	 TABLE_APART},
	{"query 512, one cursor", "page", 512, do_query_512, floor_query_512, 0,
	 TABLE_APART},
	{"protect 512", "page", 512, do_protect, NULL, 0, TABLE_APART},
	{"cursor on 512 MiB", "node", WIDE_NODES, do_open_wide, floor_open_wide,
	 0, TABLE_ALONE},
	{"mmap 16K", "each", 1, do_mmap, floor_mmap, 0, TABLE_CONTEND},
	{"mmap-PF", "each", 1, do_mmap_fault, floor_mmap_fault, 0,
	 TABLE_CONTEND},
	{"PF", "each", 1, do_fault, floor_fault, 0, TABLE_CONTEND},
	{"unmap-virt", "each", 1, do_unmap_virt, floor_query, 0, TABLE_CONTEND},
	{"space map+unmap", "pair", 1, do_space_pair, NULL, 0, TABLE_CONTEND},
	{"fault in+unmap", "pair", 1, do_fault_pair, NULL, 0, TABLE_CONTEND},
	{"fork of 512", "page", 512, do_fork, floor_fork, 0, TABLE_ALONE},
};

const size_t table_kind_count = sizeof(table_kinds) / sizeof(table_kinds[0]);
