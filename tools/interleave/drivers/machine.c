/* SPDX-License-Identifier: MPL-2.0 */
/* The drivers' machine: machine.h. */
#include "machine.h"

#include <string.h>

enum {
	PAGES = 64
};

struct fh_slot machine_slots[PAGES];
uint8_t machine_sections[1];
unsigned char machine_memory[PAGES][FH_PAGE_SIZE]
	__attribute__((aligned(4096)));

const char *machine_may_stop;
unsigned drops;
uint64_t dropped_words;

void machine_reset(void)
{
	memset(machine_slots, 0, sizeof(machine_slots));
	for (unsigned i = 0; i < PAGES; i++)
		machine_slots[i].state = FH_STATE_UNUSED;
	machine_sections[0] = FH_SECTION_LIVE;
	fh_slot_array = machine_slots;
	fh_memory.frame_end = PAGES;
	fh_memory.sections = machine_sections;
	fh_memory.slots_are_zeroed = true;
	machine_may_stop = NULL;
	drops = 0;
	dropped_words = 0;
}

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

void fh_host_relax(void)
{
	interleave_spin();
}

/* A thread is a CPU; which one matters to drivers of the allocator only. */
static unsigned cpu_of_thread;

unsigned fh_host_cpu(void)
{
	return cpu_of_thread;
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
