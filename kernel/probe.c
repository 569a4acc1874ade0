/* SPDX-License-Identifier: MPL-2.0 */
#include "probe.h"

#include "print.h"
#include "tables.h"
#include "team.h"

static unsigned wrong;

static void expect(bool holds, const char *what, uint64_t address)
{
	if (holds)
		return;
	wrong++;
	print("WRONG: %s: 0x%lx\n", what, address);
}

/* ---- The kernel's own tables ---- */

static uint64_t linear_of(const void *image_address)
{
	return (uintptr_t)image_address - LAYOUT_IMAGE + LAYOUT_LINEAR;
}

static void probe_image(void)
{
	uint64_t text = (uintptr_t)image_text;
	uint64_t rodata = (uintptr_t)image_rodata;
	uint64_t data = (uintptr_t)image_data;

	expect(port_can_read(text), "text cannot be read", text);
	expect(!port_can_write(text), "text can be written", text);
	expect(port_can_read(rodata), "constants cannot be read", rodata);
	expect(!port_can_write(rodata), "constants can be written", rodata);
	expect(port_can_write(data), "data cannot be written", data);
	expect(!port_can_write(linear_of(image_text)),
	       "text can be written by the linear map", linear_of(image_text));
	expect(!port_can_read((uintptr_t)image_end),
	       "something behind the image", (uintptr_t)image_end);
}

static void probe_stacks(void)
{
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++) {
		uint64_t guard = (uintptr_t)kernel_stacks[cpu].guard;

		expect(!port_can_read(guard), "no guard below a stack", guard);
		expect(port_can_read(guard + FH_PAGE_SIZE),
		       "a stack cannot be read", guard + FH_PAGE_SIZE);
	}
}

/* Both addresses of the image lead to the same bytes. */
static void probe_linear_image(void)
{
	const unsigned char *there = (const unsigned char *)image_rodata;
	const unsigned char *here = fh_host_linear(
		(struct fh_paddr){(uintptr_t)image_rodata - LAYOUT_IMAGE});

	for (size_t i = 0; i < FH_PAGE_SIZE; i++)
		if (here[i] != there[i]) {
			expect(false, "the linear map leads elsewhere",
			       (uintptr_t)&here[i]);
			return;
		}
}

/* What each CPU finds of the boot tables, which it has left. */
static uint64_t boot_tables_seen[FH_MAX_CPUS];

static void look_for_boot_tables(unsigned cpu)
{
	boot_tables_seen[cpu] = port_can_read(LAYOUT_LOAD);
}

static void probe_identity(void)
{
	team_run(look_for_boot_tables);
	for (unsigned cpu = 0; cpu < team_size(); cpu++)
		expect(boot_tables_seen[cpu] == 0,
		       "a CPU is still on the boot tables", cpu);
}

/* Memory is mapped if and only if it is RAM. */
static void probe_span(const struct fh_span *span, uint64_t frame)
{
	uint64_t address = LAYOUT_LINEAR + frame * FH_PAGE_SIZE;

	if (fh_region_is_physical(span->kind))
		expect(port_can_read(address), "RAM cannot be read", address);
	else
		expect(!port_can_read(address), "no RAM, but mapped", address);
}

static void probe_spans(const struct fh_memory_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct fh_span *span = &map->spans[i];

		if (span->first >= fh_map_frame_end(map))
			break;
		probe_span(span, span->first);
		if (span->first + span->count <= fh_map_frame_end(map))
			probe_span(span, span->first + span->count - 1);
	}
}

/* A frame by an area and by the linear map: the same one, and not another. */
static void probe_area_page(struct fh_area *area, uint64_t at)
{
	const uint64_t word = 0x1234567887654321 + at;
	uint64_t address = (area->first + at) * FH_PAGE_SIZE;
	struct fh_frame frame;

	if (fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frame) != FH_OK) {
		expect(false, "no memory for an area", address);
		return;
	}
	fh_memory_store64(fh_host_linear(fh_frame_paddr(frame)), word);
	if (fh_area_map_frame(area, at, &frame,
			      fh_page_prop(FH_PAGE_READ | FH_PAGE_WRITE |
					   FH_PAGE_GLOBAL)) != FH_OK) {
		expect(false, "an area cannot be mapped", address);
		fh_frame_put(&frame);
		return;
	}
	expect(port_can_write(address), "an area is not there", address);
	if (port_can_read(address))
		expect(fh_memory_load64((const uint64_t *)address) == word,
		       "an area leads elsewhere", address);
}

/* The first page finds no table there, the second one does. */
static void probe_area(void)
{
	struct fh_area area = {.count = 0};

	if (fh_area_create(&kernel_areas, 2, &area) != FH_OK) {
		expect(false, "no room for an area", 0);
		return;
	}
	uint64_t address = area.first * FH_PAGE_SIZE;
	probe_area_page(&area, 0);
	probe_area_page(&area, 1);
	expect(fh_area_destroy(&area) == FH_OK, "an area does not go", address);
	expect(!port_can_read(address) &&
		       !port_can_read(address + FH_PAGE_SIZE),
	       "an area is still there", address);
}

/* ---- Leaves of all sizes ---- */

/* A large leaf, and pages enough on both sides of it, wherever it begins. */
#define LEAVES_PAGES (3 * UINT64_C(512))

static uint64_t *tag_of(struct fh_segment segment, uint64_t i)
{
	return fh_host_linear(fh_paddr_of_frame(fh_segment_first(segment) + i));
}

/* n pages of a segment from `from` on: each is what the area shows. */
static void probe_leaves_at(struct fh_segment segment, struct fh_area *area,
			    uint64_t from, uint64_t n)
{
	uint64_t first = area->first;
	uint64_t frame = fh_segment_first(segment) + from;
	uint64_t pages;

	if (fh_area_map_untracked(
		    area, 0, fh_paddr_of_frame(frame), n,
		    fh_page_prop(FH_PAGE_READ | FH_PAGE_GLOBAL)) != FH_OK) {
		expect(false, "many pages cannot be mapped", first);
		return;
	}
	for (uint64_t i = 0; i < n; i++) {
		uint64_t address = (first + i) * FH_PAGE_SIZE;

		if (!port_can_read(address) ||
		    fh_memory_load64((const uint64_t *)address) != from + i) {
			expect(false, "one page of many leads elsewhere",
			       address);
			break;
		}
	}
	expect(fh_kernel_unmap(&kernel_table, first, n, &pages) == FH_OK &&
		       pages == n,
	       "many pages cannot be unmapped", first);
	/* The last one is the likeliest to be still cached. */
	expect(!port_can_read((first + n - 1) * FH_PAGE_SIZE),
	       "one page of many is still there",
	       (first + n - 1) * FH_PAGE_SIZE);
}

/*
 * Once so that a large leaf fits, once so that by its address it would and by
 * the memory's it does not.
 */
static void probe_leaves(void)
{
	struct fh_area area = {.count = 0};
	struct fh_segment segment;

	if (fh_segment_alloc(LEAVES_PAGES, NULL, &fh_untyped_type, NULL,
			     &segment) != FH_OK)
		return; /* not enough memory in one piece */
	if (fh_area_create(&kernel_areas, LEAVES_PAGES, &area) != FH_OK) {
		expect(false, "no room for an area", 0);
	} else {
		uint64_t off = (area.first - fh_segment_first(segment)) % 512;

		for (uint64_t i = 0; i < LEAVES_PAGES; i++)
			fh_memory_store64(tag_of(segment, i), i);
		probe_leaves_at(segment, &area, off, LEAVES_PAGES - 512);
		probe_leaves_at(segment, &area, (off + 1) % 512,
				LEAVES_PAGES - 512);
		expect(fh_area_destroy(&area) == FH_OK,
		       "a large area does not go", 0);
	}
	fh_segment_put(&segment);
}

unsigned probe_tables(const struct fh_memory_map *map)
{
	wrong = 0;
	probe_image();
	probe_stacks();
	probe_linear_image();
	probe_identity();
	probe_spans(map);
	probe_area();
	probe_leaves();
	print("probe tables: %u wrong\n", wrong);
	return wrong;
}

/* ---- Shootdown ---- */

#define ROUNDS     64
#define PROBE_PAGE UINT64_C(0x12345)

static struct {
	struct fh_space space;
	uint64_t expected; /* the page's first word; 0: not mapped */
	struct fh_paddr paddr;
	uint64_t failures[FH_MAX_CPUS];
	uint64_t unguarded[FH_MAX_CPUS];
	enum fh_status status;
} shot;

/* The page's first word as this CPU sees it; 0: it faults. */
static uint64_t word_seen(void)
{
	struct fh_vaddr va = fh_vaddr_of_page(PROBE_PAGE);
	uint64_t word;

	if (fh_host_user_read(&word, va, sizeof(word)) != sizeof(word))
		return 0;
	return word;
}

/* A new page in place of the old one; 0: in place of it, nothing. */
static void replace_page(uint64_t word)
{
	struct fh_frame frame;
	struct fh_uframe untyped;
	uint64_t pages;

	if (shot.expected != 0)
		shot.status =
			fh_space_unmap(&shot.space, PROBE_PAGE, 1, &pages);
	shot.expected = word;
	if (word == 0 || shot.status != FH_OK)
		return;
	shot.status = fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frame);
	if (shot.status != FH_OK)
		return;
	shot.paddr = fh_frame_paddr(frame);
	fh_memory_store64(fh_host_linear(shot.paddr), word);
	shot.status = fh_uframe_from_frame(&frame, &untyped);
	if (shot.status != FH_OK)
		return;
	shot.status = fh_space_map(&shot.space, PROBE_PAGE, &untyped,
				   fh_user_prop(FH_PAGE_READ));
	fh_uframe_put(&untyped);
}

static void shoot(unsigned cpu)
{
	fh_space_activate(&shot.space);
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		team_meet(cpu);
		/* Another CPU each time: everybody's flushes are needed. */
		if (round % team_size() == cpu)
			replace_page(round % 3 == 0 ? 0 : round);
		team_meet(cpu);
		shot.failures[cpu] += word_seen() != shot.expected;
		shot.unguarded[cpu] += port_guards_programs() &&
				       port_can_read(PROBE_PAGE * FH_PAGE_SIZE);
	}
	fh_kernel_activate(&kernel_table);
}

/* ---- Order ---- */

#define ORDER_ROUNDS 8
#define WATCHES      1000

/* The last round in which the second CPU has begun to watch. */
static uint64_t watching;
static uint64_t given_back_early;

static bool is_mapped(uint64_t page)
{
	struct fh_mapping mapping = {.is_mapped = false};
	struct fh_atomic_mode mode;

	fh_atomic_begin(&mode);
	enum fh_status status =
		fh_page_table_walk(&shot.space.table, &mode, page, &mapping);
	fh_atomic_end(&mode);
	return status == FH_OK && mapping.is_mapped;
}

/*
 * As long as interrupts are off here this CPU has not forgotten the page: it
 * may not be anybody else's, though its entry is gone.
 */
static void watch(struct fh_paddr page, uint64_t round)
{
	uint64_t saved = fh_host_irq_save();
	struct fh_frame frame;

	fh_word_store_release(&watching, round);
	while (is_mapped(PROBE_PAGE))
		fh_host_relax();
	for (unsigned i = 0; i < WATCHES; i++) {
		if (fh_frame_from_in_use(page, &frame) != FH_OK) {
			given_back_early++;
			break;
		}
		fh_frame_put(&frame);
		fh_host_relax();
	}
	fh_host_irq_restore(saved);
}

/* The first CPU unmaps, the second one has used the page and watches. */
static void change_under_watch(unsigned cpu)
{
	fh_space_activate(&shot.space);
	for (uint64_t round = 1; round <= ORDER_ROUNDS; round++) {
		if (cpu == 0)
			replace_page(round);
		team_meet(cpu);
		if (cpu == 1) {
			(void)word_seen();
			watch(shot.paddr, round);
		}
		/* Acquire: pairs with the release in watch(). */
		while (cpu == 0 && fh_word_load_acquire(&watching) < round)
			fh_host_relax();
		if (cpu == 0)
			replace_page(0);
		team_meet(cpu);
	}
	fh_kernel_activate(&kernel_table);
}

/* ---- Many pages at once ---- */

/* More than are forgotten one by one. */
#define MANY_PAGES UINT64_C(64)

static uint64_t many_wrong[FH_MAX_CPUS];

static void map_many(void)
{
	struct fh_segment segment;
	struct fh_usegment untyped;

	shot.status = fh_segment_alloc(MANY_PAGES, NULL, &fh_untyped_type, NULL,
				       &segment);
	if (shot.status == FH_OK)
		shot.status = fh_usegment_from_segment(&segment, &untyped);
	if (shot.status != FH_OK)
		return;
	shot.status = fh_space_map_segment(&shot.space, PROBE_PAGE, &untyped,
					   fh_user_prop(FH_PAGE_READ));
	fh_usegment_put(&untyped);
}

static uint64_t pages_seen(void)
{
	uint64_t n = 0;
	char byte;

	for (uint64_t i = 0; i < MANY_PAGES; i++)
		n += fh_host_user_read(&byte, fh_vaddr_of_page(PROBE_PAGE + i),
				       1);
	return n;
}

/* Each CPU in its turn: all have used what it unmaps. */
static void unmap_many(unsigned cpu)
{
	uint64_t pages;

	fh_space_activate(&shot.space);
	for (unsigned turn = 0; turn < team_size(); turn++) {
		if (turn == cpu)
			map_many();
		team_meet(cpu);
		many_wrong[cpu] += pages_seen() != MANY_PAGES;
		team_meet(cpu);
		if (turn == cpu && shot.status == FH_OK)
			shot.status = fh_space_unmap(&shot.space, PROBE_PAGE,
						     MANY_PAGES, &pages);
		team_meet(cpu);
		many_wrong[cpu] += pages_seen();
		team_meet(cpu);
	}
	fh_kernel_activate(&kernel_table);
}

/* ---- All of it, in a space of its own ---- */

static void run_in_space(void (*body)(unsigned cpu))
{
	shot.expected = 0;
	shot.status = fh_space_create(&kernel_table, &shot.space);
	if (shot.status != FH_OK)
		return;
	team_run(body);
	if (shot.status == FH_OK)
		shot.status = fh_space_destroy(&shot.space);
}

static uint64_t probe_order(void)
{
	if (team_size() == 1)
		return 0;
	run_in_space(change_under_watch);
	print("probe order: %u pages, %lu given back before they were "
	      "forgotten: %s\n",
	      ORDER_ROUNDS, given_back_early, fh_status_name(shot.status));
	return given_back_early + (shot.status != FH_OK);
}

static uint64_t probe_many(void)
{
	uint64_t failures = 0;

	run_in_space(unmap_many);
	for (unsigned cpu = 0; cpu < team_size(); cpu++)
		failures += many_wrong[cpu];
	print("probe many: %lu pages at once, %lu stale: %s\n", MANY_PAGES,
	      failures, fh_status_name(shot.status));
	return failures + (shot.status != FH_OK);
}

unsigned probe_shootdown(void)
{
	uint64_t unguarded = 0;
	uint64_t failures = 0;

	run_in_space(shoot);
	for (unsigned cpu = 0; cpu < team_size(); cpu++) {
		failures += shot.failures[cpu];
		unguarded += shot.unguarded[cpu];
	}
	print("probe guard: %s, %lu reads of a program's page\n",
	      port_guards_programs() ? "there is one" : "there is none",
	      unguarded);
	print("probe shootdown: %u rounds on %u CPUs, %lu stale: %s\n", ROUNDS,
	      team_size(), failures, fh_status_name(shot.status));
	failures += shot.status != FH_OK;
	return (unsigned)(failures + unguarded + probe_many() + probe_order());
}
