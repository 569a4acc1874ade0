/* SPDX-License-Identifier: MPL-2.0 */
#include "tables.h"

#include "print.h"

#include <framehold/boottable.h>

struct fh_page_table kernel_table;
struct fh_area_pool kernel_areas;

static struct fh_boot_table boot_table;

#define DATA_FLAGS                                                             \
	(FH_PAGE_READ | FH_PAGE_WRITE | FH_PAGE_GLOBAL | FH_PAGE_ACCESSED |    \
	 FH_PAGE_DIRTY)
#define RODATA_FLAGS (FH_PAGE_READ | FH_PAGE_GLOBAL | FH_PAGE_ACCESSED)
#define TEXT_FLAGS   (RODATA_FLAGS | FH_PAGE_EXEC)

/* ---- Boot tables ---- */

enum fh_status tables_open_boot(unsigned cpus)
{
	const struct fh_table_format format = port_table_format();
	enum fh_status status =
		fh_boot_table_open(&boot_table, port_boot_root(), &format);

	for (unsigned cpu = 1; status == FH_OK && cpu < cpus; cpu++)
		status = fh_boot_table_join(&boot_table, cpu);
	return status;
}

enum fh_status tables_boot_map(uint64_t page, uint64_t frame, uint64_t n)
{
	return fh_boot_table_map(&boot_table, page,
				 (struct fh_paddr){frame * FH_PAGE_SIZE}, n,
				 fh_page_prop(DATA_FLAGS));
}

bool tables_dismiss_boot(void)
{
	enum fh_status status = fh_boot_table_dismiss(&boot_table);

	if (status != FH_OK)
		print("boot tables: not dismissed: %s\n",
		      fh_status_name(status));
	return status == FH_OK;
}

/* ---- What is to be mapped ---- */

/* One piece; n pages. The library is told, and so is whoever checks it. */
struct intent {
	const char *what;
	uint64_t page;
	uint64_t frame;
	uint64_t n;
	struct fh_page_prop prop;
};

#define MAX_INTENTS 256

static struct intent intents[MAX_INTENTS];
static size_t intent_count;
static bool intents_overflow;

static void note_intent(const char *what, uint64_t page, uint64_t frame,
			uint64_t n, struct fh_page_prop prop)
{
	if (n == 0)
		return;
	if (intent_count == MAX_INTENTS) {
		intents_overflow = true;
		return;
	}
	intents[intent_count] = (struct intent){what, page, frame, n, prop};
	intent_count++;
}

/* ---- Windows of metadata ---- */

static uint64_t window_page(enum fh_window window)
{
	return (window == FH_WINDOW_SLOTS ? LAYOUT_SLOTS : LAYOUT_LEDGER) /
	       FH_PAGE_SIZE;
}

/* fh_init() is under way: only the boot tables are there. */
enum fh_status fh_host_map_window(enum fh_window window, uint64_t first,
				  struct fh_paddr pa, uint64_t n)
{
	uint64_t page = window_page(window) + first;
	uint64_t frame = pa.bytes / FH_PAGE_SIZE;

	note_intent("metadata", page, frame, n, fh_page_prop(DATA_FLAGS));
	return tables_boot_map(page, frame, n);
}

/* ---- The image ---- */

static uint64_t page_of(const void *address)
{
	return (uintptr_t)address / FH_PAGE_SIZE;
}

static void note_image_part(const char *what, uint64_t page, uint64_t end,
			    uint32_t flags)
{
	note_intent(what, page, page - LAYOUT_IMAGE / FH_PAGE_SIZE, end - page,
		    fh_page_prop(flags));
}

/* Data, with a hole at the end that each stack grows to. */
static void note_image_data(void)
{
	uint64_t page = page_of(image_data);

	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++) {
		uint64_t guard = page_of(kernel_stacks[cpu].guard);

		note_image_part("data", page, guard, DATA_FLAGS);
		page = guard + 1;
	}
	note_image_part("data", page, page_of(image_end), DATA_FLAGS);
}

static void note_image(void)
{
	note_image_part("text", page_of(image_text), page_of(image_rodata),
			TEXT_FLAGS);
	note_image_part("rodata", page_of(image_rodata), page_of(image_data),
			RODATA_FLAGS);
	note_image_data();
}

/* ---- All of RAM ---- */

/* Frames of the image that nobody writes, by no address. */
static uint64_t constant_begin(void)
{
	return page_of(image_text) - LAYOUT_IMAGE / FH_PAGE_SIZE;
}

static uint64_t constant_end(void)
{
	return page_of(image_data) - LAYOUT_IMAGE / FH_PAGE_SIZE;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void note_linear_part(uint64_t first, uint64_t end, uint32_t flags)
{
	if (first < end)
		note_intent("linear", LAYOUT_LINEAR / FH_PAGE_SIZE + first,
			    first, end - first, fh_page_prop(flags));
}

static void note_linear(const struct fh_memory_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct fh_span *span = &map->spans[i];
		uint64_t end = span->first + span->count;

		if (!fh_region_is_physical(span->kind))
			continue;
		uint64_t a =
			lesser(greater(span->first, constant_begin()), end);
		uint64_t b = lesser(greater(a, constant_end()), end);

		note_linear_part(span->first, a, DATA_FLAGS);
		note_linear_part(a, b, RODATA_FLAGS);
		note_linear_part(b, end, DATA_FLAGS);
	}
}

static void note_devices(void)
{
	struct fh_page_prop prop = {.flags = DATA_FLAGS,
				    .cache = port_device_cache()};

	for (size_t i = 0; i < port_device_count; i++) {
		uint64_t frame = port_devices[i].base / FH_PAGE_SIZE;

		note_intent("device", LAYOUT_DEVICES / FH_PAGE_SIZE + frame,
			    frame, port_devices[i].size / FH_PAGE_SIZE, prop);
	}
}

/* ---- The kernel's own table ---- */

/* From the first to the last of what is meant there, as one window. */
static struct fh_page_range window_of(uint64_t first, uint64_t end)
{
	struct fh_page_range window = {.first = end};
	uint64_t last = first;

	for (size_t i = 0; i < intent_count; i++) {
		const struct intent *intent = &intents[i];

		if (intent->page < first || intent->page >= end)
			continue;
		window.first = lesser(window.first, intent->page);
		last = greater(last, intent->page + intent->n);
	}
	window.count = last - lesser(window.first, last);
	return window;
}

/* Pages of the upper half, in ascending order: where each window may lie. */
static const uint64_t borders[] = {
	LAYOUT_LINEAR / FH_PAGE_SIZE,
	LAYOUT_SLOTS / FH_PAGE_SIZE,
	LAYOUT_LEDGER / FH_PAGE_SIZE,
	LAYOUT_AREAS / FH_PAGE_SIZE,
	LAYOUT_DEVICES / FH_PAGE_SIZE,
	LAYOUT_IMAGE / FH_PAGE_SIZE,
	UINT64_C(1) << 52,
};

#define BORDERS (sizeof(borders) / sizeof(borders[0]))

static enum fh_status create_table(void)
{
	const struct fh_table_format format = port_table_format();
	struct fh_page_range windows[BORDERS];
	size_t n = 0;

	for (size_t i = 0; i + 1 < BORDERS; i++) {
		windows[n] = window_of(borders[i], borders[i + 1]);
		n += windows[n].count > 0;
	}
	windows[n] = (struct fh_page_range){LAYOUT_AREAS / FH_PAGE_SIZE,
					    LAYOUT_AREA_PAGES};
	return fh_page_table_create_kernel(&format, windows, n + 1,
					   &kernel_table);
}

static enum fh_status map_intents(void)
{
	enum fh_status status = FH_OK;

	for (size_t i = 0; status == FH_OK && i < intent_count; i++) {
		const struct intent *intent = &intents[i];

		status = fh_kernel_map(&kernel_table, intent->page,
				       fh_paddr_of_frame(intent->frame),
				       intent->n, intent->prop);
	}
	return status;
}

/*
 * The image's constant part is read-only by its linear address from the start,
 * so not fh_kernel_map_linear(): to change it later would be a flush to wait
 * for, with interrupts off.
 */
static enum fh_status fill_table(void)
{
	enum fh_status status = create_table();

	if (status == FH_OK)
		status = map_intents();
	if (status == FH_OK)
		status = fh_area_pool_open(&kernel_areas, &kernel_table,
					   LAYOUT_AREAS / FH_PAGE_SIZE,
					   LAYOUT_AREA_PAGES);
	return status;
}

bool tables_build(const struct fh_memory_map *map)
{
	uint64_t before = port_cycles();
	enum fh_status status;

	note_image();
	note_linear(map);
	note_devices();
	status = intents_overflow ? FH_E_NO_MEMORY : fill_table();
	if (status != FH_OK) {
		print("the kernel's table cannot be made: %s\n",
		      fh_status_name(status));
		return false;
	}
	fh_kernel_activate(&kernel_table);
	print("tables: root 0x%lx, %u levels, %lu pieces, linear map up to "
	      "0x%lx\n",
	      fh_page_table_root(&kernel_table).bytes, kernel_table.levels,
	      intent_count, fh_map_frame_end(map) * FH_PAGE_SIZE);
	print("time tables %lu cycles\n", port_cycles() - before);
	return true;
}

void tables_enter(void)
{
	fh_kernel_activate(&kernel_table);
}

/* ---- For those who look from outside ---- */

static char flag(const struct intent *intent, uint32_t bit, char name)
{
	return (intent->prop.flags & bit) != 0 ? name : '-';
}

static void tell_intent(const struct intent *intent)
{
	print_intent("intent 0x%lx +0x%lx 0x%lx %c%c%c%c%c %u %s\n",
		     intent->page * FH_PAGE_SIZE, intent->n,
		     intent->frame * FH_PAGE_SIZE,
		     flag(intent, FH_PAGE_READ, 'r'),
		     flag(intent, FH_PAGE_WRITE, 'w'),
		     flag(intent, FH_PAGE_EXEC, 'x'),
		     flag(intent, FH_PAGE_USER, 'u'),
		     flag(intent, FH_PAGE_GLOBAL, 'g'), intent->prop.cache,
		     intent->what);
}

void tables_tell_intents(void)
{
	print_intent("root 0x%lx levels %u format %s\n",
		     fh_page_table_root(&kernel_table).bytes,
		     kernel_table.levels, PORT_NAME);
	for (size_t i = 0; i < intent_count; i++)
		tell_intent(&intents[i]);
	print_intent("intents %lu\n", intent_count);
}
