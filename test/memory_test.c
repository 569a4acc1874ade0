/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Bring-up: what becomes of every page of a map, what memory it takes, and
 * that nothing is left of an attempt that fails, wherever it does.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

/* What no call writes. */
#define UNTOUCHED UINT64_C(0x123456789a)

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* A region in pages. */
#define PAGES(first, count, kind)                                              \
	{                                                                      \
		(first) * FH_PAGE_SIZE, (count)*FH_PAGE_SIZE, FH_REGION_##kind \
	}

/* ---- Questions about memory ---- */

static struct fh_memory_totals totals(void)
{
	struct fh_memory_totals t;

	memset(&t, 0x5a, sizeof(t));
	fh_memory_totals(&t);
	return t;
}

static uint64_t held_pages(const struct fh_memory_totals *t)
{
	return t->metadata + t->early + t->kernel + t->unusable + t->reserved;
}

static bool has_slot(uint64_t page)
{
	uint64_t frame;

	return fh_get_slot(address_of(page), &frame) == FH_OK;
}

/* The page is shared once, by nobody that can be asked, with that type. */
static void assert_held(uint64_t page, const struct fh_meta_type *type)
{
	struct fh_frame f;

	assert_int_equal(state_of(page), FH_STATE_ONE);
	OK(fh_frame_from_in_use(address_of(page), &f));
	assert_ptr_equal(fh_frame_type(f), type);
	assert_int_equal(fh_frame_reference_count(f), 2);
	fh_frame_put(&f);
	assert_int_equal(state_of(page), FH_STATE_ONE);
}

/* Every page that can be had by allocation now; nobody can have more. */
#define MOST_PAGES 8192

static struct fh_frame had[MOST_PAGES];

static size_t take_everything(void)
{
	struct fh_alloc_options options = {.zeroed = false};
	size_t n = 0;

	while (n < MOST_PAGES &&
	       fh_frame_alloc(&options, &other_type, NULL, &had[n]) == FH_OK)
		n++;
	assert_true(n < MOST_PAGES);
	return n;
}

static bool was_had(uint64_t page, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fh_frame_number(had[i]) == page)
			return true;
	return false;
}

static void give_everything(size_t n)
{
	while (n > 0) {
		n--;
		fh_frame_put(&had[n]);
	}
}

/* ---- The pages of a map, counted section by section ---- */

struct census {
	uint64_t slots;
	uint64_t by_kind[FH_REGION_KINDS];
	uint64_t gaps;
};

static uint64_t overlap(uint64_t a, uint64_t a_end, uint64_t b, uint64_t b_end)
{
	uint64_t low = a > b ? a : b;
	uint64_t high = a_end < b_end ? a_end : b_end;

	return high > low ? high - low : 0;
}

static bool has_ram(const struct fh_memory_map *map, uint64_t first,
		    uint64_t end)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct fh_span *span = &map->spans[i];

		if (fh_region_is_physical(span->kind) &&
		    overlap(span->first, span->first + span->count, first,
			    end) > 0)
			return true;
	}
	return false;
}

static void count_section(const struct fh_memory_map *map, uint64_t first,
			  uint64_t end, struct census *census)
{
	uint64_t left = end - first;

	census->slots += left;
	for (size_t i = 0; i < map->count; i++) {
		const struct fh_span *span = &map->spans[i];
		uint64_t n = overlap(span->first, span->first + span->count,
				     first, end);

		census->by_kind[span->kind] += n;
		left -= n;
	}
	census->gaps += left;
}

static struct census take_census(const struct fh_memory_map *map)
{
	uint64_t frame_end = fh_map_frame_end(map);
	struct census census = {0};

	for (uint64_t first = 0; first < frame_end;
	     first += FH_SECTION_FRAMES) {
		uint64_t end = first + FH_SECTION_FRAMES;

		if (end > frame_end)
			end = frame_end;
		if (has_ram(map, first, end))
			count_section(map, first, end, &census);
	}
	return census;
}

static void assert_totals(const struct fh_memory_map *map)
{
	struct census census = take_census(map);
	uint64_t *by_kind = census.by_kind;
	struct fh_memory_totals t = totals();
	bool has_zero = has_slot(0);

	/* Page 0 is reserved, whatever the map says. */
	if (has_zero) {
		enum fh_region_kind kind = fh_map_kind_at(map, 0);

		if (map->count > 0 && map->spans[0].first == 0)
			by_kind[kind]--;
		else
			census.gaps--;
	}
	assert_int_equal(held_pages(&t) + t.handed_over, census.slots);
	assert_int_equal(t.kernel, by_kind[FH_REGION_KERNEL]);
	assert_int_equal(t.unusable,
			 by_kind[FH_REGION_BAD] +
				 by_kind[FH_REGION_NON_VOLATILE_SLEEP] +
				 by_kind[FH_REGION_MODULE] +
				 by_kind[FH_REGION_RECLAIMABLE]);
	assert_int_equal(t.reserved, by_kind[FH_REGION_UNKNOWN] +
					     by_kind[FH_REGION_RESERVED] +
					     by_kind[FH_REGION_FRAMEBUFFER] +
					     census.gaps + (has_zero ? 1 : 0));
	assert_int_equal(t.metadata + t.early + t.handed_over,
			 by_kind[FH_REGION_USABLE]);
}

static void assert_summary(void)
{
	struct fh_memory_totals t = totals();
	struct fh_audit_summary s;
	uint64_t zero = has_slot(0) ? 1 : 0;

	fh_audit_summary(&s);
	assert_int_equal(s.free, t.handed_over);
	assert_int_equal(s.free, count_free());
	assert_int_equal(s.unused, 0);
	assert_int_equal(s.busy, 0);
	assert_int_equal(s.unique, zero);
	assert_int_equal(s.shared, held_pages(&t) - zero);
	assert_int_equal(s.usage[FH_USAGE_UNUSED], t.handed_over);
	assert_int_equal(s.usage[FH_USAGE_FRAME],
			 t.metadata + t.early + t.kernel);
	assert_int_equal(s.usage[FH_USAGE_RESERVED], t.unusable + t.reserved);
	assert_int_equal(s.usage[FH_USAGE_PAGE_TABLE], 0);
	assert_int_equal(s.usage[FH_USAGE_MMIO], 0);
	if (FH_CHECKED)
		assert_int_equal(s.units[FH_UNIT_RAW], held_pages(&t));
	assert_true(fh_ledger_is_clean());
	AUDIT();
}

/* ---- Maps of real machines ---- */

static size_t read_map(const char *path, struct fh_region *regions, size_t room)
{
	static char text[65536];
	struct fh_text_error error;
	FILE *file = fopen(path, "rb");
	size_t size, n;

	if (file == NULL)
		fail_msg("cannot open %s", path);
	size = fread(text, 1, sizeof(text), file);
	assert_true(size > 0 && size < sizeof(text));
	assert_int_equal(fclose(file), 0);
	if (fh_map_read_text(text, size, regions, room, &n, &error) != FH_OK)
		fail_msg("%s:%zu: %s", path, error.line, error.why);
	return n;
}

/*
 * The thread sanitizer leaves a process less address space than a machine of
 * more than 1 TiB needs.
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ROOM_FOR_ANY_MACHINE false
#endif
#elif defined(__SANITIZE_THREAD__)
#define ROOM_FOR_ANY_MACHINE false
#endif
#ifndef ROOM_FOR_ANY_MACHINE
#define ROOM_FOR_ANY_MACHINE true
#endif

static bool is_beyond_one_tib(const struct fh_region *regions, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (regions[i].kind == FH_REGION_USABLE &&
		    regions[i].base >> 40 != 0)
			return true;
	return false;
}

static void boot_and_balance(const char *path)
{
	static struct fh_region regions[512];
	size_t n = read_map(path, regions, LENGTH(regions));
	struct fh_init_options init;

	if (!ROOM_FOR_ANY_MACHINE && is_beyond_one_tib(regions, n)) {
		print_message("%s: not under the thread sanitizer\n", path);
		return;
	}
	OK(hosted_power_on(regions, n, NULL, &init));
	uint64_t usable = fh_map_pages(init.map, FH_REGION_USABLE);
	enum fh_status status = fh_init(&init);

	if (fh_map_kind_at(init.map, 0) == FH_REGION_USABLE)
		usable--;
	if (usable == 0) {
		assert_int_equal(status, FH_E_EMPTY);
	} else {
		assert_int_equal(status, FH_OK);
		assert_true(totals().handed_over > 0);
		assert_totals(init.map);
		assert_summary();
	}
	hosted_stop();
}

static void boot_marks_balance(void **state)
{
	const char *data = getenv("FH_DATA");
	char path[1024];
	struct dirent *item;
	int files = 0;
	DIR *dir;

	(void)state;
	snprintf(path, sizeof(path), "%s/maps", data != NULL ? data : "data");
	dir = opendir(path);
	if (dir == NULL)
		fail_msg("cannot open %s", path);
	while ((item = readdir(dir)) != NULL) {
		char file[2048];
		const char *dot = strrchr(item->d_name, '.');

		/* Texts of memory maps; not of what lies near which CPU. */
		if (dot == NULL ||
		    (strcmp(dot, ".e820") != 0 && strcmp(dot, ".log") != 0 &&
		     strcmp(dot, ".iomem") != 0 && strcmp(dot, ".uefi") != 0))
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, item->d_name);
		print_message("%s\n", item->d_name);
		boot_and_balance(file);
		files++;
	}
	assert_int_equal(closedir(dir), 0);
	assert_true(files >= 8);
}

static void boot_marks_balance_on_awkward_maps(void **state)
{
	static const struct fh_region page_zero_elsewhere[] = {
		PAGES(40000, 4000, USABLE)};
	static const struct fh_region page_zero_in_a_gap[] = {
		PAGES(1, 4000, USABLE)};
	static const struct fh_region page_zero_of_the_kernel[] = {
		PAGES(0, 4000, USABLE), PAGES(0, 16, KERNEL)};
	static const struct fh_region ram_across_a_border[] = {
		PAGES(0, 4000, USABLE), PAGES(32760, 16, MODULE)};
	static const struct fh_region ram_at_the_borders[] = {
		PAGES(0, 4000, USABLE), PAGES(32767, 1, MODULE),
		PAGES(131072, 1, RECLAIMABLE), PAGES(65536, 32768, RESERVED)};
	static const struct {
		const struct fh_region *regions;
		size_t n;
		uint64_t slots;
	} maps[] = {
		{page_zero_elsewhere, 1, 44000 - 32768},
		{page_zero_in_a_gap, 1, 4001},
		{page_zero_of_the_kernel, 2, 4000},
		{ram_across_a_border, 2, 32776},
		{ram_at_the_borders, 4, 32768 + 1},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(maps); i++) {
		OK(hosted_start(maps[i].regions, maps[i].n, NULL));
		assert_int_equal(take_census(hosted_map()).slots,
				 maps[i].slots);
		assert_totals(hosted_map());
		assert_summary();
		hosted_stop();
	}
}

/* ---- Large machines ---- */

#define GIB (UINT64_C(1) << 30)

/*
 * A machine that is far larger than the host: bring-up touches the slots of
 * what it holds, the allocator's tables, and nothing else.
 */
static void start_large(uint64_t ram)
{
	const struct fh_region all[] = {{0, ram, FH_REGION_USABLE}};
	uint64_t per_page = sizeof(struct fh_slot) +
			    (FH_CHECKED ? sizeof(struct fh_ledger_page) : 0);
	uint64_t frames = ram / FH_PAGE_SIZE;
	uint64_t mib = 1 << 20;
	struct fh_memory_totals t;
	struct fh_frame f;

	OK(hosted_start(all, 1, NULL));
	uint64_t resident = hosted_resident_bytes();

	t = totals();
	assert_int_equal(held_pages(&t) + t.handed_over, frames);
	/* The allocator may have a quarter of a byte a page. */
	assert_true(resident <
		    held_pages(&t) * per_page + frames / 4 + 8 * mib);
	assert_true(resident < ram / 1024);
	assert_int_equal(fh_memory.sections[0], FH_SECTION_LIVE);
	assert_int_equal(fh_memory.sections[frames / FH_SECTION_FRAMES - 1],
			 FH_SECTION_RAW);

	/* The last page comes alive with its section's slots alone. */
	OK(fh_frame_from_unused(address_of(frames - 1), &other_type, NULL, &f));
	assert_int_equal(fh_memory.sections[frames / FH_SECTION_FRAMES - 1],
			 FH_SECTION_LIVE);
	assert_int_equal(count_free(), t.handed_over - 1);
	fh_frame_put(&f);
	assert_int_equal(count_free(), t.handed_over);
	assert_true(hosted_resident_bytes() - resident < mib);
	assert_summary();
	hosted_stop();
}

static void large_machines_start_on_little_memory(void **state)
{
	(void)state;
	start_large(64 * GIB);
	if (ROOM_FOR_ANY_MACHINE)
		start_large(1024 * GIB);
	else
		print_message("1 TiB: not under the thread sanitizer\n");
}

/* ---- Every kind, below, at and above the end of memory ---- */

static const struct fh_meta_type *const type_of_kind[FH_REGION_KINDS] = {
	[FH_REGION_BAD] = &fh_unusable_type,
	[FH_REGION_UNKNOWN] = &fh_reserved_type,
	[FH_REGION_NON_VOLATILE_SLEEP] = &fh_unusable_type,
	[FH_REGION_RESERVED] = &fh_reserved_type,
	[FH_REGION_KERNEL] = &fh_kernel_type,
	[FH_REGION_MODULE] = &fh_unusable_type,
	[FH_REGION_FRAMEBUFFER] = &fh_reserved_type,
	[FH_REGION_RECLAIMABLE] = &fh_unusable_type,
	[FH_REGION_USABLE] = NULL, /* free */
};

static const bool is_ram[FH_REGION_KINDS] = {
	[FH_REGION_NON_VOLATILE_SLEEP] = true,
	[FH_REGION_KERNEL] = true,
	[FH_REGION_MODULE] = true,
	[FH_REGION_RECLAIMABLE] = true,
	[FH_REGION_USABLE] = true,
};

static void assert_marked(uint64_t page, enum fh_region_kind kind,
			  bool has_slot_anyway)
{
	struct fh_frame f = {UNTOUCHED};

	if (!is_ram[kind] && !has_slot_anyway) {
		assert_false(has_slot(page));
		assert_int_equal(fh_frame_from_in_use(address_of(page), &f),
				 FH_E_OUT_OF_BOUND);
		assert_int_equal(fh_frame_from_unused(address_of(page),
						      &other_type, NULL, &f),
				 FH_E_OUT_OF_BOUND);
		assert_int_equal(f.handle, UNTOUCHED);
		return;
	}
	assert_true(has_slot(page));
	if (type_of_kind[kind] != NULL) {
		assert_held(page, type_of_kind[kind]);
	} else {
		assert_int_equal(fh_frame_from_in_use(address_of(page), &f),
				 FH_E_UNUSED);
		assert_true(fh_allocator_is_free(page));
	}
}

/* Where a region of ten pages lies, and up to where it has slots anyway. */
struct place {
	uint64_t first;
	uint64_t slots_end;  /* of the rest of the map, near the region */
	uint64_t memory_end; /* of the rest of the map */
};

#define LOW_END UINT64_C(4096)

static void mark_one(enum fh_region_kind kind, const struct place *place)
{
	uint64_t first = place->first;
	uint64_t high = place->memory_end - 10;
	const struct fh_region regions[] = {
		PAGES(0, LOW_END, USABLE),
		{first * FH_PAGE_SIZE, 10 * FH_PAGE_SIZE, kind},
		{high * FH_PAGE_SIZE, 10 * FH_PAGE_SIZE, FH_REGION_USABLE},
	};
	uint64_t end = place->memory_end;

	/* Memory goes on with it, or ends before it, if nothing comes after. */
	if (is_ram[kind] && first + 10 > end)
		end = first + 10;
	if (!is_ram[kind] && first < end && first + 10 >= end)
		end = first;
	OK(hosted_start(regions, 3, NULL));
	assert_int_equal(fh_max_paddr().bytes, end * FH_PAGE_SIZE);
	for (uint64_t page = first; page < first + 10; page++)
		assert_marked(page, kind,
			      page < place->slots_end && page < end);
	assert_totals(hosted_map());
	assert_summary();
	hosted_stop();
}

static void mark_unusable_table(void **state)
{
	static const struct place places[] = {
		/* below: inside of memory */
		{3000, LOW_END, LOW_END},
		/* below: between memory, in a section with some */
		{5000, FH_SECTION_FRAMES, 100010},
		{100000 - 10, 100010, 100010},
		/* below: between memory, in a section with none */
		{40000, 0, 100010},
		/* across the border of two sections, one with memory */
		{FH_SECTION_FRAMES - 5, FH_SECTION_FRAMES, 100010},
		/* at the end: before it, across it, from it on */
		{LOW_END - 10, LOW_END, LOW_END},
		{LOW_END - 5, LOW_END, LOW_END},
		{LOW_END, LOW_END, LOW_END},
		/* above */
		{LOW_END + 1, LOW_END, LOW_END},
		{100000, LOW_END, LOW_END},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(places); i++)
		for (unsigned k = 0; k < FH_REGION_KINDS; k++)
			mark_one((enum fh_region_kind)k, &places[i]);
}

/* What nobody mentions, in a section with memory: who knows what is there. */
static void gaps_between_memory_are_reserved(void **state)
{
	static const uint64_t pages[] = {4096, GAP_PAGE, FH_SECTION_FRAMES - 1};

	(void)state;
	for (size_t i = 0; i < LENGTH(pages); i++) {
		assert_int_equal(fh_map_kind_at(hosted_map(), pages[i]),
				 FH_REGION_UNKNOWN);
		assert_held(pages[i], &fh_reserved_type);
	}
	assert_false(has_slot(FH_SECTION_FRAMES));
	assert_false(has_slot(HIGH_FIRST - 1));
	assert_held(RESERVED_PAGE, &fh_reserved_type);
	assert_held(KERNEL_PAGE, &fh_kernel_type);
}

static void max_paddr_is_the_end_of_ram(void **state)
{
	/* Usable memory ends with its last whole page, other RAM beyond. */
	static const struct fh_region cut[] = {
		{0, 4000 * FH_PAGE_SIZE + 4095, FH_REGION_USABLE}};
	static const struct fh_region grown[] = {
		PAGES(0, 4000, USABLE),
		{5000 * FH_PAGE_SIZE + 1, 1, FH_REGION_MODULE}};
	static const struct fh_region devices_above[] = {
		PAGES(0, 4000, USABLE),
		PAGES(5000, 16, RESERVED),
		PAGES(6000, 16, BAD),
		PAGES(7000, 16, UNKNOWN),
		{256 * GIB, 16 * FH_PAGE_SIZE, FH_REGION_FRAMEBUFFER},
		{UINT64_MAX - 4095, 4096, FH_REGION_RESERVED}};
	static const struct fh_region kernel_above[] = {
		PAGES(0, 4000, USABLE), PAGES(90000, 100, KERNEL),
		PAGES(90050, 1000, RESERVED)};

	(void)state;
	assert_int_equal(fh_max_paddr().bytes, 0);
	OK(hosted_start(cut, 1, NULL));
	assert_int_equal(fh_max_paddr().bytes, 4000 * FH_PAGE_SIZE);
	hosted_stop();
	OK(hosted_start(grown, 2, NULL));
	assert_int_equal(fh_max_paddr().bytes, 5001 * FH_PAGE_SIZE);
	hosted_stop();
	OK(hosted_start(devices_above, 6, NULL));
	assert_int_equal(fh_max_paddr().bytes, 4000 * FH_PAGE_SIZE);
	hosted_stop();
	OK(hosted_start(kernel_above, 3, NULL));
	assert_int_equal(fh_max_paddr().bytes, 90050 * FH_PAGE_SIZE);
	hosted_stop();
	assert_int_equal(fh_max_paddr().bytes, 0);
}

/* ---- Before and after ---- */

static void assert_out_of_bound(struct fh_paddr pa)
{
	struct fh_paddr end = fh_paddr(pa.bytes + FH_PAGE_SIZE);
	uint64_t page = fh_frame_of_paddr(pa);
	struct fh_range range = {.first = page, .count = 1};
	struct fh_list list = {.id = 1};
	struct fh_frame f;
	struct fh_unique u;
	struct fh_segment s;
	struct fh_list_cursor cursor;
	uint64_t frame;

	assert_int_equal(fh_get_slot(pa, &frame), FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_frame_from_unused(pa, &other_type, NULL, &f),
			 FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_frame_from_in_use(pa, &f), FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_frame_from_raw(pa, &f), FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_frame_inc(pa), FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_unique_from_unused(pa, &other_type, NULL, &u),
			 FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_unique_from_raw(pa, &u), FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_segment_from_unused(pa, end, &other_type, NULL, &s),
			 FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_segment_from_raw(range, &s), FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_alloc_take(page, 1), FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_alloc_add(page, 1), FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_alloc_retire(page, 1), FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_list_cursor_at(&list, pa, &cursor),
			 FH_E_OUT_OF_BOUND);
	assert_false(fh_list_contains(&list, pa));
	assert_false(fh_range_in_region(page, 1));
	assert_true(fh_range_not_in_region(page, 1));
}

static void assert_no_memory(void)
{
	static const struct fh_memory_totals none;
	struct fh_memory_totals t = totals();
	struct fh_audit_summary s;
	struct fh_range piece = {UNTOUCHED, UNTOUCHED};
	struct fh_finding finding;

	assert_false(fh_is_initialized());
	assert_int_equal(fh_max_paddr().bytes, 0);
	assert_memory_equal(&t, &none, sizeof(t));
	assert_int_equal(fh_memory_metadata(0, &piece), FH_E_OUT_OF_BOUND);
	assert_int_equal(piece.first, UNTOUCHED);
	assert_out_of_bound(address_of(0));
	assert_out_of_bound(address_of(1));
	assert_out_of_bound(address_of(3000));
	assert_out_of_bound(address_of(FH_PAGE_NUMBER_END - 2));
	assert_int_equal(fh_audit(&finding), FH_OK);
	fh_audit_summary(&s);
	assert_int_equal(s.free + s.unused + s.busy + s.unique + s.shared, 0);
	assert_true(fh_ledger_is_clean());
}

static const struct fh_region small_machine[] = {
	PAGES(0, 4000, USABLE),
	PAGES(100, 10, RESERVED),
	PAGES(65536, 100, USABLE),
};

static void nothing_exists_before_init(void **state)
{
	struct fh_init_options init;

	(void)state;
	assert_no_memory();
	OK(hosted_power_on(small_machine, LENGTH(small_machine), NULL, &init));
	assert_no_memory();
	OK(fh_init(&init));
	assert_true(fh_is_initialized());
	assert_true(has_slot(1));
	fh_fini();
	assert_no_memory();
	fh_fini();
	assert_no_memory();
	hosted_stop();
	assert_no_memory();
}

/* ---- Metadata ---- */

static void metadata_pages_are_held(void **state)
{
	struct fh_range piece;
	uint64_t pages = 0;
	uint64_t end = 0;
	size_t n;

	(void)state;
	for (n = 0; fh_memory_metadata(n, &piece) == FH_OK; n++) {
		assert_true(piece.first >= end);
		assert_true(piece.count > 0);
		end = piece.first + piece.count;
		pages += piece.count;
		for (uint64_t i = 0; i < piece.count; i++)
			assert_held(piece.first + i, &fh_meta_page_type);
	}
	assert_true(n >= 2);
	assert_int_equal(pages, totals().metadata);
	AUDIT();
	/* No other page is of that type. */
	for (uint64_t i = 0; i < FRAME_END; i++)
		if (has_slot(i) && (i < FH_SECTION_FRAMES) &&
		    fh_slots[i].type == &fh_meta_page_type)
			pages--;
	assert_int_equal(pages, 0);

	n = take_everything();
	for (size_t m = 0; fh_memory_metadata(m, &piece) == FH_OK; m++)
		for (uint64_t i = 0; i < piece.count; i++)
			assert_false(was_had(piece.first + i, n));
	give_everything(n);
}

static void metadata_pages_can_be_restored(void **state)
{
	struct fh_range piece, forgotten;
	struct fh_segment s;
	size_t n;

	(void)state;
	for (n = 0; fh_memory_metadata(n, &piece) == FH_OK; n++) {
		OK(fh_segment_from_raw(piece, &s));
		assert_int_equal(fh_segment_first(s), piece.first);
		assert_int_equal(fh_segment_count(s), piece.count);
		OK(fh_segment_check_type(s, &fh_meta_page_type));
		AUDIT();
		forgotten = fh_segment_into_raw(&s);
		assert_memory_equal(&forgotten, &piece, sizeof(piece));
	}
	piece.first = UNTOUCHED;
	piece.count = UNTOUCHED;
	assert_int_equal(fh_memory_metadata(n, &piece), FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_memory_metadata(n + 1, &piece), FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_memory_metadata(SIZE_MAX, &piece),
			 FH_E_OUT_OF_BOUND);
	assert_int_equal(piece.first, UNTOUCHED);
	assert_int_equal(piece.count, UNTOUCHED);
	AUDIT();
}

/* Whether a byte can be read without a fault: as the kernel sees it. */
static bool is_mapped(const void *at)
{
	static int ends[2] = {-1, -1};
	char byte;

	if (ends[0] < 0)
		assert_int_equal(pipe(ends), 0);
	if (write(ends[1], at, 1) != 1)
		return false;
	assert_int_equal(read(ends[0], &byte, 1), 1);
	return true;
}

/*
 * Memory in pieces, none of which has room for all metadata, and sections
 * with memory and without in turn: bring-up maps several runs.
 */
static const struct fh_region scattered_machine[] = {
	PAGES(1, 139, USABLE),     PAGES(200, 600, USABLE),
	PAGES(2000, 600, USABLE),  PAGES(3000, 600, USABLE),
	PAGES(4000, 600, USABLE),  PAGES(70000, 100, MODULE),
	PAGES(140000, 50, USABLE),
};

#define SCATTERED_END      140050
#define SLOTS_A_PAGE       (FH_PAGE_SIZE / sizeof(struct fh_slot))
#define UNITS_A_PAGE       (FH_PAGE_SIZE / sizeof(struct fh_ledger_page))
#define SECTION_HAS_RAM(s) ((s) % 2 == 0)

/* Window pages mapped from its start on, over the sections with memory. */
static uint64_t mapped_pages(const unsigned char *window, uint64_t frames)
{
	uint64_t mapped = 0;
	bool ended = false;

	for (uint64_t i = 0; i < SCATTERED_END; i += frames) {
		bool is_there = is_mapped(window + i / frames * FH_PAGE_SIZE);

		if (!SECTION_HAS_RAM(i / FH_SECTION_FRAMES)) {
			assert_false(is_there);
			continue;
		}
		/* In ascending order: nothing after what is missing. */
		if (is_there)
			assert_false(ended);
		ended = !is_there;
		mapped += is_there ? 1 : 0;
	}
	return mapped;
}

static uint64_t mapped_slot_pages(void)
{
	return mapped_pages((const unsigned char *)fh_slots, SLOTS_A_PAGE);
}

static uint64_t mapped_ledger_pages(void)
{
	if (!FH_CHECKED)
		return 0;
	return mapped_pages((const unsigned char *)fh_ledger_pages,
			    UNITS_A_PAGE);
}

/* Pages that 2 whole sections and the rest of a third need. */
static uint64_t window_pages(uint64_t frames_a_page)
{
	uint64_t rest = SCATTERED_END - 4 * FH_SECTION_FRAMES;

	return 2 * FH_SECTION_FRAMES / frames_a_page +
	       (rest + frames_a_page - 1) / frames_a_page;
}

/* The metadata page that lies behind that word of a window. */
static uint64_t page_behind(uint64_t *word)
{
	struct fh_range piece;
	uint64_t saved = *word;
	uint64_t mark = UINT64_C(0x6d61726b6d61726b);
	uint64_t found = 0;

	*word = mark;
	for (size_t n = 0; fh_memory_metadata(n, &piece) == FH_OK; n++)
		for (uint64_t i = 0; i < piece.count; i++) {
			uint64_t seen;

			memcpy(&seen,
			       fh_host_linear(address_of(piece.first + i)),
			       sizeof(seen));
			if (seen == mark) {
				assert_int_equal(found, 0);
				found = piece.first + i;
			}
		}
	*word = saved;
	assert_int_not_equal(found, 0);
	return found;
}

static void metadata_window_gets_every_piece(void **state)
{
	static bool is_behind[SCATTERED_END];

	(void)state;
	OK(hosted_start(scattered_machine, LENGTH(scattered_machine), NULL));
	assert_int_equal(mapped_slot_pages(), window_pages(SLOTS_A_PAGE));
	if (FH_CHECKED)
		assert_int_equal(mapped_ledger_pages(),
				 window_pages(UNITS_A_PAGE));

	/* Each page of a window is a page of metadata of its own. */
	for (uint64_t i = 0; i < SCATTERED_END; i += SLOTS_A_PAGE) {
		if (!SECTION_HAS_RAM(i / FH_SECTION_FRAMES))
			continue;
		uint64_t page = page_behind(&fh_slots[i].meta.w[0]);

		assert_false(is_behind[page]);
		is_behind[page] = true;
	}
	for (uint64_t i = 0; FH_CHECKED && i < SCATTERED_END;
	     i += UNITS_A_PAGE) {
		if (!SECTION_HAS_RAM(i / FH_SECTION_FRAMES))
			continue;
		uint64_t page =
			page_behind((uint64_t *)(void *)&fh_ledger_pages[i]);

		assert_false(is_behind[page]);
		is_behind[page] = true;
	}
	AUDIT();
	hosted_stop();
}

/* ---- Failing ---- */

/* What a map looked like to the early allocator. */
struct taken {
	uint64_t pages[16];
	size_t count;
	bool is_open;
};

static struct taken taken_of(const struct fh_memory_map *map)
{
	struct taken taken = {.count = map->count,
			      .is_open = fh_early_is_open()};

	assert_true(map->count <= LENGTH(taken.pages));
	for (size_t i = 0; i < map->count; i++)
		taken.pages[i] = map->spans[i].taken;
	return taken;
}

static void assert_nothing_taken(const struct fh_memory_map *map,
				 const struct taken *before)
{
	struct taken now = taken_of(map);

	assert_memory_equal(&now, before, sizeof(now));
	assert_no_memory();
}

/* Pages that an earlier stage of a kernel took. */
static void take_early_pages(struct fh_memory_map *map)
{
	uint64_t first;

	OK(fh_early_begin(map));
	OK(fh_early_alloc(3, 1, &first));
	assert_int_equal(first, 1);
	OK(fh_early_alloc(5, 8, &first));
	assert_int_equal(first, 8);
}

static struct fh_memory_totals scattered_totals(bool with_early)
{
	struct fh_init_options init;
	struct fh_memory_totals t;

	OK(hosted_power_on(scattered_machine, LENGTH(scattered_machine), NULL,
			   &init));
	if (with_early)
		take_early_pages(init.map);
	OK(fh_init(&init));
	t = totals();
	hosted_stop();
	return t;
}

/*
 * Fails the hook at its nth call, then tries again without. Returns whether
 * there was an nth call. *progress is how much of the windows was mapped when
 * the last attempt failed.
 */
static bool fail_window(unsigned nth, bool with_early,
			const struct fh_memory_totals *expected,
			uint64_t *progress)
{
	struct fh_init_options init;
	struct fh_memory_totals t;

	OK(hosted_power_on(scattered_machine, LENGTH(scattered_machine), NULL,
			   &init));
	if (with_early)
		take_early_pages(init.map);
	for (size_t i = 0; !with_early && i < init.map->count; i++)
		init.map->spans[i].taken = 0;
	struct taken before = taken_of(init.map);

	hosted_fail_map_window(nth);
	enum fh_status status = fh_init(&init);

	hosted_fail_map_window(0);
	if (status != FH_OK) {
		uint64_t mapped = mapped_slot_pages() + mapped_ledger_pages();

		assert_int_equal(status, FH_E_NO_MEMORY);
		assert_nothing_taken(init.map, &before);
		assert_int_equal(mapped > *progress, nth > 1);
		*progress = mapped;
		OK(fh_init(&init));
	}
	t = totals();
	assert_memory_equal(&t, expected, sizeof(t));
	assert_summary();
	hosted_stop();
	return status != FH_OK;
}

static void failing_window_hook_undoes_init(void **state)
{
	(void)state;
	for (int with_early = 0; with_early < 2; with_early++) {
		struct fh_memory_totals expected =
			scattered_totals(with_early != 0);
		uint64_t progress = 0;
		unsigned nth = 1;

		while (fail_window(nth, with_early != 0, &expected, &progress))
			nth++;
		/* One run for each section with memory, and each window. */
		assert_int_equal(nth - 1, FH_CHECKED ? 6 : 3);
	}
}

/* A map of the test's own, over the RAM of a machine that is there. */
struct own_map {
	struct fh_span spans[16];
	struct fh_memory_map map;
};

static void make_map(struct own_map *own, const struct fh_region *regions,
		     size_t n)
{
	struct fh_region copy[8];
	size_t bad;

	assert_true(n <= LENGTH(copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = regions[i];
	own->map.spans = own->spans;
	own->map.capacity = LENGTH(own->spans);
	OK(fh_map_normalise(copy, n, &own->map, &bad));
}

static enum fh_status init_on(struct own_map *own, bool zeroed)
{
	struct fh_init_options init = {
		.map = &own->map,
		.memory_is_zeroed = zeroed,
	};

	return fh_init(&init);
}

/* One machine, for maps of up to that many pages. */
static void power_on(uint64_t pages)
{
	const struct fh_region all[] = {
		{0, pages * FH_PAGE_SIZE, FH_REGION_USABLE}};
	struct fh_init_options init;

	OK(hosted_power_on(all, 1, NULL, &init));
}

/*
 * Usable memory of n pages, for every n until there is enough: the pages that
 * bring-up wants run out at each of its steps. Each attempt finds what those
 * before it wrote, even if memory was zeroed before the first.
 */
static void grow_until_it_fits(uint64_t far_ram, bool with_early, bool zeroed)
{
	uint64_t most = 2000;
	uint64_t smallest = 0;
	uint64_t n = with_early ? 14 : 1;

	power_on(far_ram + 1);
	for (; n < most && smallest == 0; n++) {
		const struct fh_region regions[] = {
			{0, n * FH_PAGE_SIZE, FH_REGION_USABLE},
			{far_ram * FH_PAGE_SIZE, FH_PAGE_SIZE,
			 FH_REGION_MODULE},
		};
		struct own_map own;

		make_map(&own, regions, 2);
		for (size_t i = 0; i < own.map.count; i++)
			own.map.spans[i].taken = 0;
		if (with_early)
			take_early_pages(&own.map);
		struct taken before = taken_of(&own.map);
		enum fh_status status = init_on(&own, zeroed);

		if (status == FH_OK) {
			assert_true(totals().handed_over > 0);
			assert_int_equal(totals().early, with_early ? 12 : 0);
			assert_totals(&own.map);
			assert_summary();
			smallest = n;
			fh_fini();
			continue;
		}
		assert_int_equal(status, n == 1 ? FH_E_EMPTY : FH_E_NO_MEMORY);
		assert_nothing_taken(&own.map, &before);
		if (with_early) {
			uint64_t next;

			/* Open still, where it was, and closed by a success. */
			OK(fh_early_alloc(1, 1, &next));
			assert_int_equal(next, 13);
			fh_fini();
			assert_false(fh_early_is_open());
		}
	}
	/* Slots of a section are 512 pages, or those of its pages there are. */
	if (far_ram >= FH_SECTION_FRAMES)
		assert_true(smallest > 512);
	assert_true(smallest > 0);
	hosted_stop();
}

static void metadata_that_does_not_fit_fails_cleanly(void **state)
{
	(void)state;
	grow_until_it_fits(1900, false, true);
	grow_until_it_fits(1900, true, false);
	grow_until_it_fits(FH_SECTION_FRAMES, false, false);
	grow_until_it_fits(FH_SECTION_FRAMES, true, true);
}

/* A good map on the same memory after one that did not fit. */
static void failed_init_leaves_no_section_behind(void **state)
{
	static const struct fh_region too_small[] = {
		PAGES(0, 20, USABLE),
		PAGES(20, 66540, MODULE),
	};
	static const struct fh_region good[] = {
		PAGES(0, 4096, USABLE),
		PAGES(65536, 1024, USABLE),
	};
	struct own_map own;
	struct fh_memory_totals first, second;

	(void)state;
	power_on(66560);
	make_map(&own, good, 2);
	OK(init_on(&own, true));
	first = totals();
	hosted_stop();

	power_on(66560);
	make_map(&own, too_small, 2);
	assert_int_equal(init_on(&own, true), FH_E_NO_MEMORY);
	assert_no_memory();
	make_map(&own, good, 2);
	OK(init_on(&own, true));
	second = totals();
	assert_memory_equal(&second, &first, sizeof(first));
	/* The section in between has no memory on this map. */
	assert_false(has_slot(HOLE_PAGE));
	assert_totals(&own.map);
	assert_summary();
	hosted_stop();
}

static void refuse_init(const struct fh_region *regions, size_t n,
			enum fh_status status)
{
	struct own_map own;

	make_map(&own, regions, n);
	for (size_t i = 0; i < own.map.count; i++)
		own.map.spans[i].taken = 0;
	struct taken before = taken_of(&own.map);

	assert_int_equal(init_on(&own, false), status);
	assert_nothing_taken(&own.map, &before);
}

static void init_without_usable_memory_fails(void **state)
{
	static const struct fh_region page_zero_only[] = {PAGES(0, 1, USABLE)};
	static const struct fh_region page_zero_and_ram[] = {
		PAGES(0, 1, USABLE), PAGES(1, 3000, RECLAIMABLE)};
	static const struct fh_region none_usable[] = {
		PAGES(0, 2000, KERNEL), PAGES(2000, 100, RESERVED)};
	static const struct fh_region no_ram[] = {PAGES(0, 2000, RESERVED)};
	struct own_map own, other;

	(void)state;
	power_on(4096);
	refuse_init(NULL, 0, FH_E_EMPTY);
	refuse_init(page_zero_only, 1, FH_E_EMPTY);
	refuse_init(page_zero_and_ram, 2, FH_E_EMPTY);
	refuse_init(none_usable, 2, FH_E_EMPTY);
	refuse_init(no_ram, 1, FH_E_EMPTY);

	/* The early allocator is open, on a map of somebody else's. */
	make_map(&own, small_machine, 2);
	make_map(&other, small_machine, 2);
	OK(fh_early_begin(&other.map));
	assert_int_equal(init_on(&own, false), FH_E_INVALID);
	assert_true(fh_early_is_open());
	assert_no_memory();
	OK(init_on(&other, false));
	assert_false(fh_early_is_open());

	struct fh_memory_totals before = totals();

	/* Up is up. */
	assert_int_equal(init_on(&other, false), FH_E_TWICE);
	assert_int_equal(init_on(&own, false), FH_E_TWICE);
	assert_int_equal(fh_early_begin(&own.map), FH_E_TWICE);
	struct fh_memory_totals after = totals();

	assert_memory_equal(&before, &after, sizeof(before));
	assert_summary();
	hosted_stop();
}

/* ---- Again ---- */

static void use_memory(void)
{
	struct fh_frame f, kept;
	struct fh_segment s;

	OK(fh_frame_alloc(NULL, &counting_type, NULL, &f));
	OK(fh_frame_alloc(NULL, &counting_type, NULL, &kept));
	OK(fh_segment_alloc(40, NULL, &fh_untyped_type, NULL, &s));
	OK(fh_alloc_take(3500, 3));
	fh_frame_put(&f);
	/* The rest is never put: fh_fini() forgets it. */
}

static void fini_then_init_starts_afresh(void **state)
{
	static const struct fh_region other_machine[] = {
		PAGES(10, 3990, USABLE), PAGES(20, 10, KERNEL)};
	struct own_map own, other;
	struct fh_memory_totals first, now;
	struct fh_alloc_stats stats, stats_now;

	(void)state;
	power_on(65636);
	make_map(&own, small_machine, LENGTH(small_machine));
	make_map(&other, other_machine, LENGTH(other_machine));
	OK(init_on(&own, true));
	first = totals();
	fh_alloc_stats(&stats);
	for (int round = 0; round < 3; round++) {
		drops = 0;
		use_memory();
		fh_fini();
		/* No on_drop ran but that of the frame that was put. */
		assert_int_equal(drops, 1);
		assert_no_memory();
		fh_fini();
		assert_no_memory();

		OK(init_on(&other, false));
		assert_totals(&other.map);
		assert_summary();
		use_memory();
		fh_fini();

		OK(init_on(&own, false));
		now = totals();
		fh_alloc_stats(&stats_now);
		assert_memory_equal(&now, &first, sizeof(now));
		assert_memory_equal(&stats_now, &stats, sizeof(stats));
		assert_int_equal(stats_now.free, first.handed_over);
		assert_summary();
	}
	hosted_stop();
}

/* ---- Early pages and page 0 ---- */

static void early_pages_are_held(void **state)
{
	struct fh_init_options init;
	uint64_t first, aligned;
	struct fh_segment s;
	struct fh_range range;
	size_t n;

	(void)state;
	OK(hosted_power_on(small_machine, LENGTH(small_machine), NULL, &init));
	OK(fh_early_begin(init.map));
	OK(fh_early_alloc(3, 1, &first));
	OK(fh_early_alloc(2, 16, &aligned));
	assert_int_equal(first, 1);
	assert_int_equal(aligned, 16);
	memset(fh_host_linear(address_of(first)), 0x77, FH_PAGE_SIZE);
	OK(fh_init(&init));
	assert_false(fh_early_is_open());
	assert_int_equal(fh_early_alloc(1, 1, &first), FH_E_INVALID);

	/* Pages skipped for alignment are held as well, page 0 is not. */
	assert_int_equal(totals().early, 17);
	for (uint64_t page = 1; page < 18; page++)
		assert_held(page, &fh_early_type);
	assert_int_equal(((unsigned char *)fh_host_linear(address_of(1)))[9],
			 0x77);
	assert_totals(init.map);
	assert_summary();
	n = take_everything();
	for (uint64_t page = 0; page < 18; page++)
		assert_false(was_had(page, n));
	give_everything(n);

	/* Whoever took them may let go of them. */
	range.first = 16;
	range.count = 2;
	OK(fh_segment_from_raw(range, &s));
	fh_segment_put(&s);
	assert_int_equal(state_of(16), FH_STATE_FREE);
	assert_int_equal(state_of(17), FH_STATE_FREE);
	assert_int_equal(count_free(), totals().handed_over + 2);
	AUDIT();
	hosted_stop();
}

static void assert_page_zero(void)
{
	struct fh_frame f = {UNTOUCHED};
	struct fh_unique u = {UNTOUCHED};
	size_t n;

	assert_int_equal(state_of(0), FH_STATE_UNIQUE);
	assert_ptr_equal(fh_slots[0].type, &fh_reserved_type);
	assert_int_equal(fh_frame_from_in_use(address_of(0), &f), FH_E_UNIQUE);
	assert_int_equal(
		fh_frame_from_unused(address_of(0), &other_type, NULL, &f),
		FH_E_UNIQUE);
	assert_int_equal(
		fh_unique_from_unused(address_of(0), &other_type, NULL, &u),
		FH_E_UNIQUE);
	assert_int_equal(f.handle, UNTOUCHED);
	assert_int_equal(u.handle, UNTOUCHED);
	n = take_everything();
	assert_int_equal(n, totals().handed_over);
	assert_false(was_had(0, n));
	give_everything(n);
	AUDIT();
}

static void page_zero_is_held_unique(void **state)
{
	static const struct fh_region usable[] = {PAGES(0, 4000, USABLE)};
	static const struct fh_region reserved[] = {PAGES(0, 4000, USABLE),
						    PAGES(0, 16, RESERVED)};
	static const struct fh_region kernel[] = {PAGES(0, 4000, USABLE),
						  PAGES(0, 1, KERNEL)};
	static const struct fh_region gap[] = {PAGES(5, 4000, USABLE)};
	static const struct fh_region elsewhere[] = {
		PAGES(FH_SECTION_FRAMES, 4000, USABLE)};

	(void)state;
	OK(hosted_start(usable, 1, NULL));
	assert_page_zero();
	assert_int_equal(totals().reserved, 1);
	hosted_stop();
	OK(hosted_start(reserved, 2, NULL));
	assert_page_zero();
	assert_int_equal(totals().reserved, 16);
	hosted_stop();
	OK(hosted_start(kernel, 2, NULL));
	assert_page_zero();
	assert_int_equal(totals().reserved, 1);
	assert_int_equal(totals().kernel, 0);
	hosted_stop();
	OK(hosted_start(gap, 1, NULL));
	assert_page_zero();
	assert_int_equal(totals().reserved, 5);
	hosted_stop();

	/* Where there is no slot for it nothing is held. */
	OK(hosted_start(elsewhere, 1, NULL));
	assert_false(has_slot(0));
	assert_int_equal(totals().reserved, 0);
	assert_summary();
	hosted_stop();
}

/* ---- Sections that nobody has been to ---- */

static void look_around(uint64_t page)
{
	struct fh_paddr pa = address_of(page);
	struct fh_range range = {.first = page, .count = 2};
	struct fh_list list = {.id = UINT64_C(0xa5a5a5a5a5a5a5a5)};
	struct fh_view_page pages[2];
	struct fh_view view = {page, 2, pages};
	struct fh_frame f = {UNTOUCHED};
	struct fh_unique u = {UNTOUCHED};
	struct fh_segment s = {UNTOUCHED, UNTOUCHED};

	assert_true(has_slot(page));
	assert_int_equal(fh_frame_from_in_use(pa, &f), FH_E_UNUSED);
	assert_int_equal(fh_frame_from_raw(pa, &f), FH_E_UNUSED);
	assert_int_equal(fh_unique_from_raw(pa, &u), FH_E_UNUSED);
	assert_int_equal(fh_segment_from_raw(range, &s), FH_E_UNUSED);
	assert_false(fh_list_contains(&list, pa));
	assert_true(fh_range_in_region(page, 2));
	assert_int_equal(fh_range_not_mapped(page, 2), FH_CHECKED);
	fh_view_take(&view);
	assert_int_equal(pages[0].slot.state, FH_STATE_FREE);
	assert_summary();
	assert_int_equal(f.handle, UNTOUCHED);
	assert_int_equal(u.handle, UNTOUCHED);
	assert_int_equal(s.handle, UNTOUCHED);
}

static void claim_there(uint64_t page)
{
	struct fh_frame f;

	OK(fh_frame_from_unused(address_of(page), &other_type, NULL, &f));
	fh_frame_put(&f);
}

static void claim_unique_there(uint64_t page)
{
	struct fh_unique u;

	OK(fh_unique_from_unused(address_of(page), &other_type, NULL, &u));
	fh_unique_put(&u);
}

static void claim_segment_there(uint64_t page)
{
	struct fh_segment s;

	OK(fh_segment_from_unused(address_of(page), address_of(page + 3),
				  &other_type, NULL, &s));
	fh_segment_put(&s);
}

static void take_there(uint64_t page)
{
	OK(fh_alloc_take(page, 2));
	OK(fh_alloc_add(page, 2));
}

static void add_there(uint64_t page)
{
	assert_int_equal(fh_alloc_add(page, 2), FH_E_TWICE);
}

static void allocate_there(uint64_t page)
{
	size_t n = take_everything();

	assert_true(was_had(page, n));
	give_everything(n);
}

static void raw_sections_come_alive_on_demand(void **state)
{
	static void (*const visits[])(uint64_t page) = {
		claim_there, claim_unique_there, claim_segment_there,
		take_there,  add_there,          allocate_there,
	};
	static const struct fh_slot free_slot;

	(void)state;
	for (size_t i = 0; i < LENGTH(visits); i++) {
		assert_int_equal(start_dirty_machine(NULL), 0);
		uint64_t page = HIGH_FIRST + 500;
		uint64_t free_before = count_free();

		look_around(page);
		/* Still as power-on left it. */
		assert_int_equal(fh_memory.sections[2], FH_SECTION_RAW);
		assert_int_equal(fh_slots[page].state,
				 UINT64_C(0xa5a5a5a5a5a5a5a5));

		visits[i](page);
		assert_int_equal(fh_memory.sections[2], FH_SECTION_LIVE);
		assert_int_equal(count_free(), free_before);
		/* All of it, first and last page too, and free again. */
		for (uint64_t k = HIGH_FIRST; k < FRAME_END; k++) {
			assert_int_equal(state_of(k), FH_STATE_FREE);
			assert_null(fh_slots[k].type);
			assert_int_equal(fh_slots[k].list, 0);
		}
		assert_memory_equal(&fh_slots[HIGH_FIRST], &free_slot,
				    i == 5 ? 0 : sizeof(free_slot));
		assert_summary();
		hosted_stop();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(boot_marks_balance, stop_machine),
		cmocka_unit_test_teardown(boot_marks_balance_on_awkward_maps,
					  stop_machine),
		cmocka_unit_test_teardown(large_machines_start_on_little_memory,
					  stop_machine),
		cmocka_unit_test_teardown(mark_unusable_table, stop_machine),
		cmocka_unit_test_setup_teardown(
			gaps_between_memory_are_reserved, start_machine,
			stop_machine),
		cmocka_unit_test_teardown(max_paddr_is_the_end_of_ram,
					  stop_machine),
		cmocka_unit_test_teardown(nothing_exists_before_init,
					  stop_machine),
		cmocka_unit_test_setup_teardown(metadata_pages_are_held,
						start_machine, stop_machine),
		cmocka_unit_test_setup_teardown(metadata_pages_can_be_restored,
						start_machine, stop_machine),
		cmocka_unit_test_teardown(metadata_window_gets_every_piece,
					  stop_machine),
		cmocka_unit_test_teardown(failing_window_hook_undoes_init,
					  stop_machine),
		cmocka_unit_test_teardown(
			metadata_that_does_not_fit_fails_cleanly, stop_machine),
		cmocka_unit_test_teardown(failed_init_leaves_no_section_behind,
					  stop_machine),
		cmocka_unit_test_teardown(init_without_usable_memory_fails,
					  stop_machine),
		cmocka_unit_test_teardown(fini_then_init_starts_afresh,
					  stop_machine),
		cmocka_unit_test_teardown(early_pages_are_held, stop_machine),
		cmocka_unit_test_teardown(page_zero_is_held_unique,
					  stop_machine),
		cmocka_unit_test_teardown(raw_sections_come_alive_on_demand,
					  stop_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
