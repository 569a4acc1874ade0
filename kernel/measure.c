/* SPDX-License-Identifier: MPL-2.0 */
#include "measure.h"

#include "print.h"
#include "tables.h"
#include "team.h"

#define TIMES UINT64_C(2000)
#define PAGE  UINT64_C(0x77000)

static struct fh_space space;

static bool take_and_put(void)
{
	const struct fh_alloc_options options = {.zeroed = false};
	struct fh_frame frame;

	if (fh_frame_alloc(&options, &fh_untyped_type, NULL, &frame) != FH_OK)
		return false;
	fh_frame_put(&frame);
	return true;
}

static bool map_and_unmap(void)
{
	struct fh_frame frame;
	struct fh_uframe untyped;
	uint64_t pages;

	if (fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frame) != FH_OK ||
	    fh_uframe_from_frame(&frame, &untyped) != FH_OK)
		return false;
	return fh_space_map(&space, PAGE, &untyped,
			    fh_user_prop(FH_PAGE_READ | FH_PAGE_WRITE)) ==
		       FH_OK &&
	       fh_space_unmap(&space, PAGE, 1, &pages) == FH_OK;
}

static bool fault_and_unmap(void)
{
	const struct fh_page_prop fill =
		fh_user_prop(FH_PAGE_READ | FH_PAGE_WRITE);
	uint64_t pages;

	return fh_space_fault(&space, fh_vaddr_of_page(PAGE), FH_ACCESS_WRITE,
			      &fill) == FH_OK &&
	       fh_space_unmap(&space, PAGE, 1, &pages) == FH_OK;
}

static bool query(void)
{
	struct fh_mapping mapping;

	return fh_space_query(&space, PAGE, &mapping) == FH_OK;
}

static bool switch_spaces(void)
{
	fh_kernel_activate(&kernel_table);
	fh_space_activate(&space);
	return true;
}

static void measure(const char *what, bool (*once)(void))
{
	bool fine = once();
	uint64_t before = port_cycles();

	for (uint64_t i = 0; fine && i < TIMES; i++)
		fine = once();
	uint64_t cycles = (port_cycles() - before) / TIMES;

	if (fine)
		print("measure %s %lu cycles\n", what, cycles);
	else
		print("measure %s failed\n", what);
}

void measure_operations(void)
{
	if (fh_space_create(&kernel_table, &space) != FH_OK) {
		print("measure: no memory\n");
		return;
	}
	fh_space_activate(&space);
	measure("allocate-and-put", take_and_put);
	measure("map-and-unmap", map_and_unmap);
	measure("fault-and-unmap", fault_and_unmap);
	measure("query", query);
	measure("switch-twice", switch_spaces);
	fh_kernel_activate(&kernel_table);
	if (fh_space_destroy(&space) != FH_OK)
		print("measure: the space is in use\n");
	if (port_cycle_rate() != 0)
		print("measure counter %lu a second\n", port_cycle_rate());
}

/* ---- Stacks ---- */

#define MARK 0x5a

/* The boot CPU calls this on its own stack: below this frame is free. */
void measure_mark_stacks(void)
{
	const unsigned char *here = __builtin_frame_address(0);
	unsigned char *own = kernel_stacks[0].bytes;

	/* Some way off, for what this function itself calls. */
	for (unsigned char *at = own; at + 1024 < here; at++)
		*at = MARK;
	for (unsigned cpu = 1; cpu < FH_MAX_CPUS; cpu++)
		__builtin_memset(kernel_stacks[cpu].bytes, MARK,
				 sizeof(kernel_stacks[cpu].bytes));
}

static uint64_t depth_of(const struct kernel_stack *stack)
{
	uint64_t n = 0;

	while (n < sizeof(stack->bytes) && stack->bytes[n] == MARK)
		n++;
	return sizeof(stack->bytes) - n;
}

void measure_stacks(void)
{
	uint64_t deepest = 0;

	for (unsigned cpu = 0; cpu < team_size(); cpu++) {
		uint64_t depth = depth_of(&kernel_stacks[cpu]);

		if (depth > deepest)
			deepest = depth;
	}
	print("measure stack %lu of %lu bytes\n", deepest,
	      (uint64_t)sizeof(kernel_stacks[0].bytes));
}
