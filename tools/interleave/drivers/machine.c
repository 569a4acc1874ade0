/* SPDX-License-Identifier: MPL-2.0 */
/* The drivers' machine: machine.h. */
#include "machine.h"

#include <string.h>

#include "magazine.h"

enum {
	PAGES = 192
};

struct fh_slot machine_slots[PAGES];
uint8_t machine_sections[PAGES / FH_SECTION_FRAMES];
unsigned char machine_memory[PAGES][FH_PAGE_SIZE]
	__attribute__((aligned(4096)));

const char *machine_may_stop;
unsigned drops;
uint64_t dropped_words;

/* In set-up; threads know their own. */
static unsigned cpu_of_setup;

/* Each CPU's own: it has, since its last turn of waiting. */
static bool has_flushed[FH_MAX_CPUS];

void machine_reset(void)
{
	memset(machine_slots, 0, sizeof(machine_slots));
	for (unsigned i = 0; i < PAGES; i++)
		machine_slots[i].state = FH_STATE_UNUSED;
	memset(machine_sections, FH_SECTION_LIVE, sizeof(machine_sections));
	fh_slot_array = machine_slots;
	fh_memory.frame_end = PAGES;
	fh_memory.sections = machine_sections;
	fh_memory.slots_are_zeroed = true;
	machine_may_stop = NULL;
	drops = 0;
	dropped_words = 0;
	memset(has_flushed, 0, sizeof(has_flushed));
	cpu_of_setup = 0;
}

/* ---- With memory ---- */

static struct fh_span span;
static struct fh_memory_map map = {.spans = &span, .capacity = 1, .count = 1};

/* For one CPU as far as it says, so that there is one zone. */
static struct fh_node_range later;
static struct fh_topology topology = {.ranges = &later, .cpu_count = 1};

static bool has_memory;
static struct fh_frame taken[PAGES];
static uint64_t answered[FH_MAX_CPUS];
unsigned threads_resting;

const struct fh_alloc_options any_page;

void machine_bring_up(uint64_t pages, uint64_t pluggable)
{
	struct fh_init_options options = {.map = &map, .topology = &topology};

	fh_fini();
	machine_reset();
	/* What is not zeroed must not be read either. */
	memset(machine_slots, 0x5a, sizeof(machine_slots));
	memset(taken, 0, sizeof(taken));
	memset(answered, 0, sizeof(answered));
	threads_resting = 0;
	cpu_of_setup = 0;
	has_memory = true;
	fh_memory = (struct fh_memory){0};
	span = (struct fh_span){.count = pages, .kind = FH_REGION_USABLE};
	later = (struct fh_node_range){.first = FH_SECTION_FRAMES,
				       .count = pluggable,
				       .hot_plug = true};
	topology.range_count = pluggable > 0 ? 1 : 0;
	CHECK(fh_init(&options) == FH_OK);
	fh_cpu_online(1);
}

void machine_take_all(void)
{
	struct fh_frame f;

	while (fh_frame_alloc(&any_page, &fh_untyped_type, NULL, &f) == FH_OK)
		taken[fh_frame_number(f)] = f;
}

void machine_release(uint64_t page, unsigned cpu)
{
	cpu_of_setup = cpu;
	fh_frame_put(&taken[page]);
	cpu_of_setup = 0;
}

void machine_release_all(void)
{
	for (uint64_t i = 0; i < PAGES; i++)
		if (fh_frame_is_some(taken[i]))
			machine_release(i, 0);
}

void machine_check(uint64_t free)
{
	struct fh_finding finding;
	struct fh_alloc_stats stats;

	CHECK(fh_audit(&finding) == FH_OK);
	fh_alloc_stats(&stats);
	CHECK(stats.free == free);
}

void machine_rest(unsigned count)
{
	(void)__atomic_fetch_add(&threads_resting, 1, __ATOMIC_ACQ_REL);
	for (;;) {
		fh_alloc_poll();
		if (__atomic_load_n(&threads_resting, __ATOMIC_ACQUIRE) ==
		    count)
			return;
		fh_host_relax();
	}
}

/* Whether this CPU has answered a kick since it was asked here. */
static bool has_answered(void)
{
	unsigned cpu = fh_host_cpu();
	uint64_t answer =
		has_memory ? fh_word_load_relaxed(&fh_magazines[cpu].answer)
			   : 0;
	bool is_new = has_memory && answer != answered[cpu];

	if (is_new)
		answered[cpu] = answer;
	return is_new;
}

void machine_as_cpu(unsigned cpu)
{
	cpu_of_setup = cpu;
}

void machine_note_flush(void)
{
	has_flushed[fh_host_cpu()] = true;
}

/* ---- Metadata ---- */

static void on_drop(struct fh_dropping page)
{
	const struct fh_meta *words = fh_dropping_meta(page);

	drops++;
	dropped_words = words->w[0];
	CHECK(words->w[1] == ~words->w[0]);
}

const struct fh_meta_type paired_type = {
	.name = "paired",
	.size = 16,
	.usage = FH_USAGE_FRAME,
	.on_drop = on_drop,
};

struct fh_meta paired(uint64_t word)
{
	struct fh_meta meta = {{word, ~word, 0, 0, 0}};

	return meta;
}

void check_paired(struct fh_frame f, uint64_t low, uint64_t high)
{
	const struct fh_meta *words = fh_frame_meta(f);

	CHECK(fh_frame_type(f) == &paired_type);
	CHECK(words->w[0] >= low && words->w[0] <= high);
	CHECK(words->w[1] == ~words->w[0]);
}

uint64_t final_state(uint64_t page)
{
	return machine_slots[page].state;
}

/* ---- Hooks ---- */

void fh_host_panic(const struct fh_finding *why)
{
	CHECK(machine_may_stop != NULL &&
	      strcmp(machine_may_stop, why->rule) == 0);
	for (;;)
		interleave_block();
}

void *fh_host_linear(struct fh_paddr pa)
{
	return machine_memory[pa.bytes / FH_PAGE_SIZE];
}

enum fh_status fh_host_map_window(enum fh_window window, uint64_t first,
				  struct fh_paddr pa, uint64_t n)
{
	(void)window;
	(void)first;
	(void)pa;
	(void)n;
	return FH_OK;
}

/* A turn that has answered a kick was not in vain. */
void fh_host_relax(void)
{
	bool flushed = has_flushed[fh_host_cpu()];

	has_flushed[fh_host_cpu()] = false;
	if (!has_answered() && !flushed)
		interleave_spin();
}

unsigned fh_host_cpu(void)
{
	return interleave_thread() + cpu_of_setup;
}

void fh_host_preempt_off(void)
{
}

void fh_host_preempt_on(void)
{
}

uint64_t fh_host_irq_save(void)
{
	return 0;
}

void fh_host_irq_restore(uint64_t saved)
{
	(void)saved;
}

bool fh_host_may_wait(void)
{
	return true;
}

void fh_host_kick(unsigned cpu)
{
	(void)cpu;
}

/* ---- Tables: a driver that has any defines these itself ---- */

#define NO_TABLES __attribute__((weak))

NO_TABLES void fh_host_activate(struct fh_paddr root, uint64_t asid)
{
	(void)root;
	(void)asid;
	CHECK(false);
}

NO_TABLES void fh_host_flush_pages(uint64_t asid, struct fh_vaddr va,
				   uint64_t n)
{
	(void)asid;
	(void)va;
	(void)n;
	CHECK(false);
}

NO_TABLES void fh_host_flush_asid(uint64_t asid)
{
	(void)asid;
	CHECK(false);
}

NO_TABLES void fh_host_flush_broadcast(struct fh_vaddr va, uint64_t n)
{
	(void)va;
	(void)n;
	CHECK(false);
}

NO_TABLES void fh_host_table_barrier(void)
{
}
