/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Frames: the map, what is replayed in its place, the library's fh_init(), and
 * what it maps while the boot tables are the only ones.
 */
#include "memory.h"

#include "print.h"
#include "tables.h"
#include "text.h"

#include <framehold/mapany.h>

static struct fh_span spans[4 * BOOT_REGIONS];
static struct fh_memory_map map = {
	.spans = spans,
	.capacity = sizeof(spans) / sizeof(spans[0]),
};

/* ---- The map ---- */

static bool normalise(struct boot_info *boot)
{
	size_t bad = 0;
	enum fh_status status =
		fh_map_normalise(boot->regions, boot->count, &map, &bad);

	if (status == FH_OK)
		return true;
	print("memory map: entry %lu of %lu, 0x%lx +0x%lx: %s\n", bad,
	      boot->count, boot->regions[bad].base, boot->regions[bad].size,
	      fh_status_name(status));
	return false;
}

bool boot_add_region(struct boot_info *boot, uint64_t base, uint64_t size,
		     enum fh_region_kind kind)
{
	if (size == 0)
		return true;
	if (boot->count == BOOT_REGIONS)
		return false;
	boot->regions[boot->count] =
		(struct fh_region){.base = base, .size = size, .kind = kind};
	boot->count++;
	return true;
}

static bool add_limit(struct boot_info *boot, uint64_t first, uint64_t end,
		      enum fh_region_kind kind)
{
	if (boot_add_region(boot, first * FH_PAGE_SIZE,
			    (end - first) * FH_PAGE_SIZE, kind))
		return true;
	print("replay: more than %u regions\n", BOOT_REGIONS);
	return false;
}

/*
 * What is no free memory of this machine is none of the replayed one either.
 * The firmware's map has been normalised.
 */
static bool add_real_limits(struct boot_info *boot)
{
	uint64_t at = 0;

	for (size_t i = 0; i < map.count; i++) {
		const struct fh_span *span = &map.spans[i];
		uint64_t end = span->first + span->count;

		if (!add_limit(boot, at, span->first, FH_REGION_RESERVED))
			return false;
		if (span->kind != FH_REGION_USABLE &&
		    !add_limit(boot, span->first, end, span->kind))
			return false;
		at = end;
	}
	return add_limit(boot, at, UINT64_C(1) << 40, FH_REGION_RESERVED);
}

static bool replay(struct boot_info *boot)
{
	const void *text = fh_host_linear((struct fh_paddr){boot->module.base});
	struct fh_any_error error;

	if (boot->module.size == 0) {
		print("replay: no module was loaded\n");
		return false;
	}
	if (boot->module.base + boot->module.size >
	    TABLES_BOOT_REACH * FH_PAGE_SIZE) {
		print("replay: the module lies beyond the boot tables\n");
		return false;
	}
	boot->count = 0;
	enum fh_status status =
		fh_map_read_any(text, boot->module.size, boot->regions,
				BOOT_REGIONS, &boot->count, &error);

	if (status != FH_OK) {
		print("replay: %s %lu: %s\n", error.is_text ? "line" : "byte",
		      error.at, error.why);
		return false;
	}
	boot->protocol = "replay";
	return add_real_limits(boot) && normalise(boot);
}

/* As they came: whoever checks the map has to know what it was made of. */
static void print_regions(const struct boot_info *boot)
{
	for (size_t i = 0; i < boot->count; i++)
		print("region 0x%lx +0x%lx %s\n", boot->regions[i].base,
		      boot->regions[i].size,
		      fh_region_kind_name(boot->regions[i].kind));
}

static void print_map(const struct boot_info *boot)
{
	print("memory: %s, %lu regions, %lu spans\n", boot->protocol,
	      boot->count, map.count);
	for (size_t i = 0; i < map.count; i++)
		print("span 0x%lx +0x%lx %s\n", map.spans[i].first,
		      map.spans[i].count,
		      fh_region_kind_name(map.spans[i].kind));
}

/* ---- Frames ---- */

/* RAM beyond what the boot tables reach is needed before the own ones are. */
static enum fh_status reach_all_memory(void)
{
	for (size_t i = 0; i < map.count; i++) {
		const struct fh_span *span = &map.spans[i];
		uint64_t first = span->first;
		uint64_t end = span->first + span->count;

		if (first < TABLES_BOOT_REACH)
			first = TABLES_BOOT_REACH;
		if (!fh_region_is_physical(span->kind) || first >= end)
			continue;
		enum fh_status status =
			tables_boot_map(LAYOUT_LINEAR / FH_PAGE_SIZE + first,
					first, end - first);

		if (status != FH_OK)
			return status;
	}
	return FH_OK;
}

static void print_totals(uint64_t cycles)
{
	struct fh_memory_totals totals;

	fh_memory_totals(&totals);
	print("totals metadata %lu early %lu kernel %lu unusable %lu "
	      "reserved %lu free %lu\n",
	      totals.metadata, totals.early, totals.kernel, totals.unusable,
	      totals.reserved, totals.handed_over);
	print("time init %lu cycles\n", cycles);
}

static enum fh_status bring_frames_up(unsigned cpus)
{
	const struct fh_init_options options = {.map = &map};
	enum fh_status status = fh_early_begin(&map);

	if (status == FH_OK)
		status = tables_open_boot(cpus);
	if (status == FH_OK)
		status = reach_all_memory();
	if (status == FH_OK)
		status = fh_init(&options);
	return status;
}

bool memory_bring_up(struct boot_info *boot)
{
	uint64_t before;
	enum fh_status status;

	print_regions(boot);
	if (!normalise(boot) ||
	    (text_has_word(boot->command, "replay") && !replay(boot)))
		return false;
	print_map(boot);
	before = port_cycles();
	status = bring_frames_up(boot->cpus);
	if (status != FH_OK) {
		print("memory cannot be brought up: %s\n",
		      fh_status_name(status));
		return false;
	}
	print_totals(port_cycles() - before);
	return true;
}

const struct fh_memory_map *memory_map(void)
{
	return &map;
}
