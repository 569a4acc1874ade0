/* SPDX-License-Identifier: MPL-2.0 */
#include "storm.h"

#include "print.h"
#include "tables.h"
#include "team.h"

#define LANE_PAGES 64
#define LANES_PAGE UINT64_C(0x40000)
#define HELD       24

/* One CPU's: what it has mapped and what it holds, and what it did. */
struct lane {
	_Alignas(128) uint64_t random;
	uint64_t tags[LANE_PAGES]; /* of what is mapped; 0: nothing is */
	struct fh_frame held[HELD];
	uint64_t words[HELD]; /* what the held pages begin with */
	uint64_t count;       /* tags so far */
	uint64_t maps, unmaps, protects, frames, segments, reads;
	uint64_t short_of_memory;
	uint64_t wrong;
};

static struct {
	struct fh_space space;
	struct lane lanes[FH_MAX_CPUS];
	uint64_t operations;
} storm;

static uint64_t random_below(struct lane *lane, uint64_t n)
{
	lane->random ^= lane->random << 13;
	lane->random ^= lane->random >> 7;
	lane->random ^= lane->random << 17;
	return (lane->random >> 11) % n;
}

static void check(struct lane *lane, bool holds, const char *what,
		  uint64_t value)
{
	if (holds)
		return;
	if (lane->wrong == 0)
		print("WRONG: storm: %s: 0x%lx\n", what, value);
	lane->wrong++;
}

/* An operation that only memory may be short for. */
static bool did(struct lane *lane, enum fh_status status, const char *what)
{
	if (status == FH_E_NO_MEMORY)
		lane->short_of_memory++;
	else
		check(lane, status == FH_OK, what, status);
	return status == FH_OK;
}

/* ---- Pages by their physical addresses ---- */

static void hold_or_put(struct lane *lane, unsigned cpu)
{
	uint64_t i = random_below(lane, HELD);
	struct fh_frame *frame = &lane->held[i];

	if (fh_frame_is_some(*frame)) {
		uint64_t word = fh_memory_load64(
			fh_host_linear(fh_frame_paddr(*frame)));

		check(lane, word == lane->words[i], "a page of ours changed",
		      fh_frame_paddr(*frame).bytes);
		fh_frame_put(frame);
		return;
	}
	if (!did(lane, fh_frame_alloc(NULL, &fh_untyped_type, NULL, frame),
		 "allocate"))
		return;
	lane->words[i] = lane->random | 1;
	uint64_t *at = fh_host_linear(fh_frame_paddr(*frame));
	check(lane, fh_memory_load64(at) == 0, "a page is not zeroed", cpu);
	fh_memory_store64(at, lane->words[i]);
	lane->frames++;
}

static void use_segment(struct lane *lane)
{
	struct fh_segment segment;
	uint64_t n = 1 + random_below(lane, 40);

	if (!did(lane,
		 fh_segment_alloc(n, NULL, &fh_untyped_type, NULL, &segment),
		 "allocate a segment"))
		return;
	check(lane, fh_segment_count(segment) == n, "a segment's length", n);
	fh_segment_put(&segment);
	lane->segments++;
}

/* ---- Pages by their virtual addresses ---- */

static uint64_t page_of(unsigned cpu, uint64_t i)
{
	return LANES_PAGE + cpu * UINT64_C(LANE_PAGES) + i;
}

/* Whose page it is, which, and when. */
static uint64_t make_tag(struct lane *lane, unsigned cpu, uint64_t i)
{
	lane->count++;
	return UINT64_C(1) << 63 | (uint64_t)cpu << 48 | i << 40 |
	       (lane->count & UINT64_C(0xffffffff));
}

static uint64_t word_at(uint64_t page)
{
	uint64_t word;

	if (fh_host_user_read(&word, fh_vaddr_of_page(page), sizeof(word)) !=
	    sizeof(word))
		return 0;
	return word;
}

static void map_page(struct lane *lane, unsigned cpu, uint64_t i)
{
	uint64_t tag = make_tag(lane, cpu, i);
	struct fh_frame frame;
	struct fh_uframe untyped;

	if (!did(lane, fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frame),
		 "allocate") ||
	    !did(lane, fh_uframe_from_frame(&frame, &untyped), "untyped"))
		return;
	fh_memory_store64(fh_host_linear(fh_uframe_paddr(untyped)), tag);
	if (did(lane,
		fh_space_map(&storm.space, page_of(cpu, i), &untyped,
			     fh_user_prop(FH_PAGE_READ | FH_PAGE_WRITE)),
		"map")) {
		lane->tags[i] = tag;
		lane->maps++;
	}
	fh_uframe_put(&untyped);
}

static void unmap_pages(struct lane *lane, unsigned cpu, uint64_t i, uint64_t n)
{
	uint64_t mapped = 0;
	uint64_t pages = 0;

	for (uint64_t k = i; k < i + n; k++)
		mapped += lane->tags[k] != 0;
	if (!did(lane, fh_space_unmap(&storm.space, page_of(cpu, i), n, &pages),
		 "unmap"))
		return;
	check(lane, pages == mapped, "pages unmapped", pages);
	for (uint64_t k = i; k < i + n; k++)
		lane->tags[k] = 0;
	lane->unmaps++;
}

/* Read-only pages refuse the kernel's stores for the user, until changed. */
static void protect_page(struct lane *lane, unsigned cpu, uint64_t i)
{
	struct fh_prop_change change = {.clear = FH_PAGE_WRITE};
	struct fh_vaddr va = fh_vaddr_of_page(page_of(cpu, i));
	uint64_t word = lane->tags[i];
	uint64_t pages;

	if (!did(lane,
		 fh_space_protect(&storm.space, page_of(cpu, i), 1, change,
				  &pages),
		 "protect"))
		return;
	check(lane, fh_host_user_write(va, &word, sizeof(word)) == 0,
	      "a store to a read-only page", va.bytes);
	change = (struct fh_prop_change){.set = FH_PAGE_WRITE};
	if (did(lane,
		fh_space_protect(&storm.space, page_of(cpu, i), 1, change,
				 &pages),
		"protect"))
		check(lane,
		      fh_host_user_write(va, &word, sizeof(word)) ==
			      sizeof(word),
		      "no store to a writable page", va.bytes);
	lane->protects++;
}

static void change_lane(struct lane *lane, unsigned cpu)
{
	uint64_t i = random_below(lane, LANE_PAGES);
	uint64_t n = 1 + random_below(lane, 8);

	if (lane->tags[i] == 0)
		map_page(lane, cpu, i);
	else if (n == 1)
		protect_page(lane, cpu, i);
	else
		unmap_pages(lane, cpu, i, n > LANE_PAGES - i ? 1 : n);
	check(lane, word_at(page_of(cpu, i)) == lane->tags[i],
	      "a page of the lane", page_of(cpu, i));
}

/* Another's page is there or is not; it is never anybody else's. */
static void read_other(struct lane *lane, unsigned cpu)
{
	unsigned other = (unsigned)random_below(lane, team_size());
	uint64_t i = random_below(lane, LANE_PAGES);
	uint64_t word = word_at(page_of(other, i));

	(void)cpu;
	check(lane,
	      word == 0 || word >> 40 == (UINT64_C(1) << 23 |
					  (uint64_t)other << 8 | i),
	      "what another's page shows", word);
	lane->reads++;
}

/* ---- All of it ---- */

static void settle_lane(struct lane *lane, unsigned cpu)
{
	for (uint64_t i = 0; i < HELD; i++)
		fh_frame_put(&lane->held[i]);
	unmap_pages(lane, cpu, 0, LANE_PAGES);
	for (uint64_t i = 0; i < LANE_PAGES; i++)
		check(lane, word_at(page_of(cpu, i)) == 0,
		      "a page that was unmapped", page_of(cpu, i));
}

static void run_lane(unsigned cpu)
{
	struct lane *lane = &storm.lanes[cpu];

	*lane = (struct lane){.random = 0x9e3779b97f4a7c15 * (cpu + 1)};
	fh_space_activate(&storm.space);
	team_meet(cpu);
	for (uint64_t k = 0; k < storm.operations; k++) {
		uint64_t what = random_below(lane, 8);

		if (what < 4)
			change_lane(lane, cpu);
		else if (what < 6)
			read_other(lane, cpu);
		else if (what < 7)
			hold_or_put(lane, cpu);
		else
			use_segment(lane);
		fh_poll();
	}
	team_meet(cpu);
	settle_lane(lane, cpu);
	fh_kernel_activate(&kernel_table);
}

static uint64_t sum_up(void)
{
	struct lane sum = {.random = 0};

	for (unsigned cpu = 0; cpu < team_size(); cpu++) {
		const struct lane *lane = &storm.lanes[cpu];

		sum.maps += lane->maps;
		sum.unmaps += lane->unmaps;
		sum.protects += lane->protects;
		sum.frames += lane->frames;
		sum.segments += lane->segments;
		sum.reads += lane->reads;
		sum.short_of_memory += lane->short_of_memory;
		sum.wrong += lane->wrong;
	}
	print("storm: %u CPUs, %lu maps %lu unmaps %lu protects %lu frames "
	      "%lu segments %lu reads, %lu without memory, %lu wrong\n",
	      team_size(), sum.maps, sum.unmaps, sum.protects, sum.frames,
	      sum.segments, sum.reads, sum.short_of_memory, sum.wrong);
	return sum.wrong;
}

uint64_t storm_run(uint64_t n)
{
	enum fh_status status = fh_space_create(&kernel_table, &storm.space);

	storm.operations = n;
	if (status == FH_OK) {
		team_run(run_lane);
		status = fh_space_destroy(&storm.space);
	}
	if (status != FH_OK)
		print("WRONG: storm: %s\n", fh_status_name(status));
	return sum_up() + (status != FH_OK);
}
