/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Address spaces and the kernel's own, on the hosted MMU: what CPUs load and
 * store through their windows is what the tables say, on every CPU, as soon as
 * the operation that changed them has returned.
 */
#include "tables.h"

#include <framehold/kspace.h>
#include <framehold/poll.h>
#include <framehold/space.h>

#include <string.h>

#include "mmu.h"

#include "cursor.h"

#define CPUS 4
#define PAGE UINT64_C(0x100) /* a user's page that tests use */
#define RW   (FH_PAGE_READ | FH_PAGE_WRITE)

/* Pages from here on are nobody's in the kernel's half. */
#define AREAS (FH_PAGE_NUMBER_END - 4096)

static struct fh_page_table kernel;
static struct fh_space space;
static uint64_t free_at_start;

/* What each CPU runs on, for its faults. */
static struct fh_space *current[CPUS];
static const struct fh_page_prop *fill; /* null: unmapped pages are faults */

static bool answer_fault(unsigned cpu, uint64_t va, enum hosted_access access,
			 void *arg)
{
	static const enum fh_access kinds[] = {
		[HOSTED_LOAD] = FH_ACCESS_READ,
		[HOSTED_STORE] = FH_ACCESS_WRITE,
		[HOSTED_FETCH] = FH_ACCESS_EXEC,
	};

	(void)arg;
	return current[cpu] != NULL &&
	       fh_space_fault(current[cpu], (struct fh_vaddr){va},
			      kinds[access], fill) == FH_OK;
}

static enum hosted_mmu_format own_format(void)
{
	static const char *const names[HOSTED_MMU_FORMATS] = {
		[HOSTED_MMU_X86_64] = "x86-64",
		[HOSTED_MMU_RISCV] = "RISC-V",
		[HOSTED_MMU_AARCH64] = "AArch64",
		[HOSTED_MMU_LOONGARCH] = "LoongArch64",
		[HOSTED_MMU_HOSTILE] = "hostile",
	};
	unsigned i = 0;

	while (i < HOSTED_MMU_FORMATS && strcmp(names[i], FH_ARCH_NAME) != 0)
		i++;
	return (enum hosted_mmu_format)i;
}

static int start_spaces(void **state)
{
	hosted_stop();
	if (start_machine(state) != 0)
		return -1;
	memset(current, 0, sizeof(current));
	fill = NULL;
	free_at_start = count_free();
	OK(hosted_mmu_start(own_format(), 4));
	hosted_mmu_set_fault_handler(answer_fault, NULL);
	OK(fh_page_table_create_kernel(NULL, NULL, 0, &kernel));
	OK(fh_space_create(&kernel, &space));
	return 0;
}

static void mmu_is_content(void)
{
	struct hosted_mmu_report report;
	char text[HOSTED_MMU_TEXT_SIZE];

	if (hosted_mmu_check(&report))
		return;
	hosted_mmu_report_text(&report, text, sizeof(text));
	fail_msg("MMU: %s", text);
}

static void run_kernel(unsigned cpu)
{
	fh_kernel_activate(&kernel);
	current[cpu] = NULL;
}

static int stop_spaces(void **state)
{
	mmu_is_content();
	run_kernel(0);
	AUDIT_TABLE(&space.table);
	audit_kernel_half(&kernel, &space.table);
	OK(fh_space_destroy(&space));
	AUDIT_TABLE(&kernel);
	fh_kernel_deactivate();
	fh_page_table_destroy(&kernel);
	fh_settle();
	NOTHING_HELD(free_at_start);
	return stop_machine(state);
}

static void run(unsigned cpu, struct fh_space *s)
{
	fh_space_activate(s);
	current[cpu] = s;
}

/* ---- One access ---- */

static bool load_on(unsigned cpu, uint64_t page, uint64_t *value)
{
	return hosted_mmu_load64(cpu, page * FH_PAGE_SIZE + 64, value);
}

static bool store_on(unsigned cpu, uint64_t page, uint64_t value)
{
	return hosted_mmu_store64(cpu, page * FH_PAGE_SIZE + 64, value);
}

static uint64_t loaded(uint64_t page)
{
	uint64_t value = 0;

	assert_true(load_on(0, page, &value));
	return value;
}

static void stored(uint64_t page, uint64_t value)
{
	assert_true(store_on(0, page, value));
}

static bool faults(uint64_t page)
{
	uint64_t value;

	return !load_on(0, page, &value);
}

/* The same word of RAM, without the MMU. */
static uint64_t *word_of(uint64_t frame)
{
	return (uint64_t *)fh_host_linear(address_of(frame)) + 8;
}

static uint64_t map_at(struct fh_space *s, uint64_t page)
{
	struct fh_uframe f = new_page();
	uint64_t frame = fh_uframe_number(f);

	OK(fh_space_map(s, page, &f, fh_user_prop(RW)));
	return frame;
}

static uint64_t unmap_at(struct fh_space *s, uint64_t page, uint64_t n)
{
	uint64_t pages;

	OK(fh_space_unmap(s, page, n, &pages));
	return pages;
}

static struct fh_mapping query(struct fh_space *s, uint64_t page)
{
	struct fh_mapping mapping;

	OK(fh_space_query(s, page, &mapping));
	return mapping;
}

static uint64_t frame_in(struct fh_space *s, uint64_t page)
{
	struct fh_mapping mapping = query(s, page);

	assert_true(mapping.is_mapped);
	return mapping.frame + (page - mapping.first);
}

static void protect_at(struct fh_space *s, uint64_t page, uint32_t clear,
		       uint32_t set)
{
	const struct fh_prop_change change = {clear, set};
	uint64_t pages;

	OK(fh_space_protect(s, page, 1, change, &pages));
	assert_int_equal(pages, 1);
}

/* ---- Mapping (V1 .. V4, V9 .. V12) ---- */

static void new_space_maps_nothing(void **state)
{
	struct fh_page_range all = fh_page_table_range(FH_TABLE_USER, 4);
	struct fh_mapping mapping;

	(void)state;
	assert_false(query(&space, 0).is_mapped);
	assert_false(query(&space, all.count - 1).is_mapped);
	assert_int_equal(fh_space_query(&space, all.count, &mapping),
			 FH_E_OUT_OF_BOUND);
	run(0, &space);
	assert_true(faults(PAGE));
}

static void mapped_page_is_loaded_and_stored(void **state)
{
	uint64_t frame = map_at(&space, PAGE);

	(void)state;
	run(0, &space);
	*word_of(frame) = 111;
	assert_int_equal(loaded(PAGE), 111);
	stored(PAGE, 222);
	assert_int_equal(*word_of(frame), 222);
	assert_int_equal(frame_in(&space, PAGE), frame);
	assert_int_equal(unmap_at(&space, PAGE, 1), 1);
	assert_false(query(&space, PAGE).is_mapped);
	assert_true(faults(PAGE));
	assert_int_equal(unmap_at(&space, PAGE, 1), 0);
	assert_false(hosted_mmu_find_frame(frame, NULL));
}

static void page_of_a_space_is_mapped_once(void **state)
{
	struct fh_uframe f = new_page();

	(void)state;
	map_at(&space, PAGE);
	REFUSES(FH_E_MAPPED, fh_space_map(&space, PAGE, &f, fh_user_prop(RW)));
	fh_uframe_put(&f);
}

static void nothing_is_an_error_of_spaces(void **state)
{
	struct fh_usegment none = {.count = 0};
	struct fh_page_range all = fh_page_table_range(FH_TABLE_USER, 4);
	uint64_t pages = 77;
	struct fh_uframe f = new_page();

	(void)state;
	REFUSES(FH_E_EMPTY, fh_space_unmap(&space, PAGE, 0, &pages));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_space_unmap(&space, PAGE, all.count, &pages));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_space_unmap(&space, PAGE, UINT64_MAX, &pages));
	REFUSES(FH_E_OUT_OF_BOUND, fh_space_unmap(&space, AREAS, 1, &pages));
	REFUSES(FH_E_EMPTY,
		fh_space_map_segment(&space, PAGE, &none, fh_user_prop(RW)));
	REFUSES(FH_E_EMPTY, fh_space_map_device(&space, PAGE, address_of(8), 0,
						fh_user_prop(RW)));
	REFUSES(FH_E_EMPTY,
		fh_space_protect(&space, PAGE, 0,
				 (struct fh_prop_change){.clear = 0}, &pages));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_space_map(&space, all.count, &f, fh_user_prop(RW)));
	REFUSES(FH_E_INVALID, fh_space_map(&space, PAGE, &f, fh_page_prop(RW)));
	fh_uframe_put(&f);
	assert_int_equal(pages, 77);
}

static void protected_page_is_read_only(void **state)
{
	(void)state;
	map_at(&space, PAGE);
	run(0, &space);
	stored(PAGE, 5);
	protect_at(&space, PAGE, FH_PAGE_WRITE, 0);
	assert_false(store_on(0, PAGE, 6));
	assert_int_equal(loaded(PAGE), 5);
	protect_at(&space, PAGE, 0, FH_PAGE_WRITE);
	stored(PAGE, 7);
	assert_int_equal(query(&space, PAGE).prop.flags & RW, RW);
}

static void hardware_notes_what_is_used(void **state)
{
	const uint32_t noted = FH_PAGE_ACCESSED | FH_PAGE_DIRTY;
	struct fh_mapping mapping;
	struct work w;

	(void)state;
	map_at(&space, PAGE);
	run(0, &space);
	stored(PAGE, 5);
	assert_int_equal(query(&space, PAGE).prop.flags & noted, noted);
	protect_at(&space, PAGE, FH_PAGE_WRITE, 0);
	assert_int_equal(query(&space, PAGE).prop.flags & noted, noted);
	protect_at(&space, PAGE, 0, FH_PAGE_WRITE);
	fh_gather_begin(&w.gather, &space.active);
	fh_atomic_begin(&w.mode);
	OK(fh_cursor_open(&space.table, &w.mode, PAGE, 1, &w.cursor));
	OK(fh_cursor_harvest(&w.cursor, 1, noted, &w.gather, &mapping));
	end_work(&w);
	assert_int_equal(mapping.prop.flags & noted, noted);
	assert_int_equal(query(&space, PAGE).prop.flags & noted, 0);
	assert_int_equal(loaded(PAGE), 5);
	assert_int_equal(query(&space, PAGE).prop.flags & noted,
			 FH_PAGE_ACCESSED);
	stored(PAGE, 6);
	assert_int_equal(query(&space, PAGE).prop.flags & noted, noted);
}

static void device_is_mapped_as_it_lies(void **state)
{
	const uint64_t device = UINT64_C(0x100000000000) / FH_PAGE_SIZE;
	struct fh_page_prop prop = {RW | FH_PAGE_USER, FH_CACHE_UNCACHEABLE};
	struct fh_mapping mapping;

	(void)state;
	if (!fh_arch_can_map(1, prop, 0))
		prop.cache = FH_CACHE_WRITEBACK;
	REFUSES(FH_E_NOT_ALIGNED,
		fh_space_map_device(&space, PAGE, (struct fh_paddr){0x80}, 4,
				    prop));
	OK(fh_space_map_device(&space, PAGE, address_of(device), 4, prop));
	mapping = query(&space, PAGE + 3);
	assert_int_equal(mapping.frame, device + 3);
	assert_int_equal(mapping.prop.cache, prop.cache);
	assert_false(mapping.is_tracked);
	assert_int_equal(unmap_at(&space, PAGE, 4), 4);
}

/* Between an unmapping and its flush, somebody else may map something there. */
static void page_is_mapped_anew_before_the_flush(void **state)
{
	struct fh_uframe f = new_page();
	struct fh_gather gather;
	struct work w;
	uint64_t pages;

	(void)state;
	*word_of(map_at(&space, PAGE)) = 1;
	*word_of(fh_uframe_number(f)) = 2;
	run(0, &space);
	assert_int_equal(loaded(PAGE), 1);
	fh_gather_begin(&gather, &space.active);
	for (unsigned i = 0; i < 2; i++) {
		fh_atomic_begin(&w.mode);
		OK(fh_cursor_open(&space.table, &w.mode, PAGE, 1, &w.cursor));
		if (i == 0)
			OK(fh_cursor_unmap(&w.cursor, 1, &gather, &pages));
		else
			OK(fh_cursor_map(&w.cursor, &f, fh_user_prop(RW)));
		fh_cursor_close(&w.cursor);
		fh_atomic_end(&w.mode);
	}
	fh_gather_finish(&gather);
	mmu_is_content();
	assert_int_equal(loaded(PAGE), 2);
}

static unsigned dropped;
static unsigned dropped_too_early;

static void drop_watched(struct fh_dropping page)
{
	dropped++;
	if (hosted_mmu_find_frame(page.frame, NULL))
		dropped_too_early++;
}

static const struct fh_meta_type watched_type = {
	.name = "watched",
	.usage = FH_USAGE_FRAME,
	.untyped = true,
	.on_drop = drop_watched,
};

static void frame_is_dropped_when_nobody_has_it_cached(void **state)
{
	struct fh_frame frame;
	struct fh_uframe f;

	(void)state;
	dropped = 0;
	dropped_too_early = 0;
	run(0, &space);
	for (uint64_t i = 0; i < 2; i++) {
		OK(fh_frame_alloc(NULL, &watched_type, NULL, &frame));
		OK(fh_uframe_from_frame(&frame, &f));
		OK(fh_space_map(&space, PAGE, &f, fh_user_prop(RW)));
		stored(PAGE, 1);
		/* By itself, and with the node that it lies in. */
		assert_int_equal(i == 0 ? unmap_at(&space, PAGE, 1)
					: unmap_at(&space, 0, 2 * GIB1),
				 1);
		fh_settle();
		assert_int_equal(dropped, i + 1);
	}
	assert_int_equal(dropped_too_early, 0);
}

/* ---- Activation (V5, V7) ---- */

static void each_space_has_its_own_pages(void **state)
{
	struct fh_space other;

	(void)state;
	OK(fh_space_create(&kernel, &other));
	*word_of(map_at(&space, PAGE)) = 1;
	*word_of(map_at(&other, PAGE)) = 2;
	run(0, &space);
	assert_true(fh_space_is_active(&space));
	assert_int_equal(loaded(PAGE), 1);
	run(0, &other);
	assert_true(fh_space_is_active(&other));
	assert_false(fh_space_is_active(&space));
	assert_int_equal(loaded(PAGE), 2);
	run(0, &space);
	run(0, &space);
	assert_int_equal(loaded(PAGE), 1);
	assert_int_equal(fh_space_destroy(&space), FH_E_BUSY);
	OK(fh_space_destroy(&other));
	OK(fh_space_destroy(&other));
}

/* What a space that nobody runs has cached is forgotten when it runs again. */
static void change_of_a_space_at_rest_is_seen(void **state)
{
	struct fh_space other;

	(void)state;
	OK(fh_space_create(&kernel, &other));
	uint64_t old = map_at(&space, PAGE);
	*word_of(old) = 1;
	run(0, &space);
	assert_int_equal(loaded(PAGE), 1);
	run(0, &other);
	assert_int_equal(unmap_at(&space, PAGE, 1), 1);
	*word_of(map_at(&space, PAGE)) = 2;
	run(0, &space);
	assert_int_equal(loaded(PAGE), 2);
	OK(fh_space_destroy(&other));
}

static void readers_need_the_space_to_be_active(void **state)
{
	const struct fh_vaddr va = {PAGE * FH_PAGE_SIZE};
	uint64_t end =
		fh_page_table_range(FH_TABLE_USER, 4).count * FH_PAGE_SIZE;
	struct fh_user_reader reader;
	struct fh_user_writer writer;

	(void)state;
	REFUSES(FH_E_INVALID, fh_space_reader(&space, va, 8, &reader));
	REFUSES(FH_E_INVALID, fh_space_writer(&space, va, 8, &writer));
	run(0, &space);
	OK(fh_space_reader(&space, va, 8, &reader));
	OK(fh_space_writer(&space, va, 8, &writer));
	REFUSES(FH_E_OVERFLOW,
		fh_space_reader(&space, va, UINT64_MAX, &reader));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_space_reader(&space, (struct fh_vaddr){end - 8}, 9,
				&reader));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_space_writer(&space, (struct fh_vaddr){end + 8}, 1,
				&writer));
	OK(fh_space_reader(&space, (struct fh_vaddr){end - 8}, 8, &reader));
}

static void readers_and_writers_survive_faults(void **state)
{
	static uint8_t bytes[3 * FH_PAGE_SIZE];
	const struct fh_vaddr va = {PAGE * FH_PAGE_SIZE};
	struct fh_user_reader reader;
	struct fh_user_writer writer;
	uint64_t done;

	(void)state;
	map_at(&space, PAGE);
	uint64_t second = map_at(&space, PAGE + 1);
	run(0, &space);
	memset(bytes, 0x5a, sizeof(bytes));
	OK(fh_space_writer(&space, va, sizeof(bytes), &writer));
	assert_int_equal(fh_user_writer_write_bytes(&writer, bytes,
						    sizeof(bytes), &done),
			 FH_E_FAULT);
	assert_int_equal(done, 2 * FH_PAGE_SIZE);
	assert_int_equal(*word_of(second), UINT64_C(0x5a5a5a5a5a5a5a5a));
	OK(fh_space_reader(&space, va, sizeof(bytes), &reader));
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(
		fh_user_reader_read_bytes(&reader, bytes, sizeof(bytes), &done),
		FH_E_FAULT);
	assert_int_equal(done, 2 * FH_PAGE_SIZE);
	assert_int_equal(bytes[2 * FH_PAGE_SIZE - 1], 0x5a);
	assert_int_equal(bytes[2 * FH_PAGE_SIZE], 0);
	struct fh_page_prop zero_fill = fh_user_prop(RW);
	fill = &zero_fill;
	OK(fh_space_reader(&space, va, sizeof(bytes), &reader));
	OK(fh_user_reader_read_bytes(&reader, bytes, sizeof(bytes), &done));
	assert_int_equal(done, sizeof(bytes));
	fill = NULL;
}

/* ---- Faults ---- */

static void page_is_filled_when_it_is_used(void **state)
{
	const struct fh_page_prop prop = fh_user_prop(RW);

	(void)state;
	run(0, &space);
	assert_true(faults(PAGE));
	fill = &prop;
	assert_int_equal(loaded(PAGE), 0);
	stored(PAGE, 9);
	assert_int_equal(loaded(PAGE), 9);
	assert_int_equal(state_of(frame_in(&space, PAGE)), FH_STATE_ONE);
	stored(PAGE + 1, 8);
	assert_int_equal(*word_of(frame_in(&space, PAGE + 1)), 8);
}

static void fill_does_not_give_more_than_it_allows(void **state)
{
	const struct fh_page_prop prop = fh_user_prop(FH_PAGE_READ);

	(void)state;
	fill = &prop;
	run(0, &space);
	assert_false(store_on(0, PAGE, 1));
	assert_false(query(&space, PAGE).is_mapped);
	assert_int_equal(loaded(PAGE), 0);
	assert_false(store_on(0, PAGE, 1));
	assert_int_equal(fh_space_fault(&space,
					(struct fh_vaddr){AREAS * FH_PAGE_SIZE},
					FH_ACCESS_READ, &prop),
			 FH_E_OUT_OF_BOUND);
}

static void device_is_never_copied(void **state)
{
	(void)state;
	OK(fh_space_map_device(&space, PAGE, address_of(DEVICE_FRAME), 1,
			       fh_user_prop(FH_PAGE_READ)));
	assert_int_equal(fh_space_fault(&space,
					(struct fh_vaddr){PAGE * FH_PAGE_SIZE},
					FH_ACCESS_WRITE, NULL),
			 FH_E_FAULT);
}

/* ---- Copy on write ---- */

static void fork_to(struct fh_space *child, uint64_t page, uint64_t n)
{
	OK(fh_space_create(&kernel, child));
	OK(fh_space_clone(&space, child, page, n, FH_CLONE_COPY));
}

static void parent_writes_first(void **state)
{
	struct fh_space child;

	(void)state;
	run(0, &space);
	uint64_t frame = map_at(&space, PAGE);
	stored(PAGE, 1);
	word_of(frame)[100] = 99;
	fork_to(&child, PAGE, 1);
	assert_int_equal(state_of(frame), FH_STATE_ONE + 1);
	HAS_UNITS(frame, FH_UNIT_ENTRY, 2);
	stored(PAGE, 2);
	assert_int_equal(word_of(frame_in(&space, PAGE))[100], 99);
	assert_int_not_equal(frame_in(&space, PAGE), frame);
	assert_int_equal(frame_in(&child, PAGE), frame);
	assert_int_equal(state_of(frame), FH_STATE_ONE);
	run(0, &child);
	assert_int_equal(loaded(PAGE), 1);
	/* The last owner takes the page over. */
	stored(PAGE, 3);
	assert_int_equal(frame_in(&child, PAGE), frame);
	assert_int_equal(query(&child, PAGE).prop.flags & FH_PAGE_COPY, 0);
	run(0, &space);
	assert_int_equal(loaded(PAGE), 2);
	assert_int_equal(query(&space, PAGE).prop.flags & FH_PAGE_COPY, 0);
	OK(fh_space_destroy(&child));
}

static void child_writes_first(void **state)
{
	struct fh_space child;

	(void)state;
	run(0, &space);
	uint64_t frame = map_at(&space, PAGE);
	stored(PAGE, 1);
	fork_to(&child, PAGE, 1);
	run(0, &child);
	assert_int_equal(loaded(PAGE), 1);
	stored(PAGE, 2);
	assert_int_equal(loaded(PAGE), 2);
	assert_int_equal(*word_of(frame), 1);
	run(0, &space);
	assert_int_equal(loaded(PAGE), 1);
	stored(PAGE, 3);
	assert_int_equal(frame_in(&space, PAGE), frame);
	OK(fh_space_destroy(&child));
	assert_int_equal(loaded(PAGE), 3);
}

/* What the parent's CPU has cached as writable is not, after the clone. */
static void parent_that_has_written_is_stopped_from_writing(void **state)
{
	struct fh_space child;

	(void)state;
	run(0, &space);
	map_at(&space, PAGE);
	stored(PAGE, 1);
	fork_to(&child, PAGE, 1);
	mmu_is_content();
	stored(PAGE, 2);
	assert_int_equal(*word_of(frame_in(&child, PAGE)), 1);
	OK(fh_space_destroy(&child));
}

static void three_generations_part(void **state)
{
	struct fh_space child, grandchild;

	(void)state;
	run(0, &space);
	uint64_t frame = map_at(&space, PAGE);
	stored(PAGE, 1);
	fork_to(&child, PAGE, 1);
	OK(fh_space_create(&kernel, &grandchild));
	OK(fh_space_clone(&child, &grandchild, PAGE, 1, FH_CLONE_COPY));
	assert_int_equal(state_of(frame), FH_STATE_ONE + 2);
	stored(PAGE, 2);
	run(0, &grandchild);
	stored(PAGE, 3);
	run(0, &child);
	assert_int_equal(loaded(PAGE), 1);
	assert_int_equal(state_of(frame), FH_STATE_ONE);
	run(0, &space);
	OK(fh_space_destroy(&child));
	OK(fh_space_destroy(&grandchild));
	assert_int_equal(loaded(PAGE), 2);
}

static void large_leaf_is_copied_page_by_page(void **state)
{
	struct fh_usegment s = new_pages(MIB2, MIB2);
	uint64_t first = fh_usegment_first(s);
	struct fh_space child;

	(void)state;
	OK(fh_space_map_segment(&space, MIB2, &s, fh_user_prop(RW)));
	run(0, &space);
	stored(MIB2 + 7, 1);
	stored(MIB2 + 8, 2);
	fork_to(&child, 0, 2 * MIB2);
	assert_int_equal(query(&child, MIB2).pages, MIB2);
	for (uint64_t i = 0; i < MIB2; i++)
		assert_int_equal(state_of(first + i), FH_STATE_ONE + 1);
	run(0, &child);
	stored(MIB2 + 7, 5);
	assert_int_equal(query(&child, MIB2 + 8).pages, 1);
	assert_int_equal(loaded(MIB2 + 8), 2);
	for (uint64_t i = 0; i < MIB2; i++)
		assert_int_equal(state_of(first + i),
				 i == 7 ? FH_STATE_ONE : FH_STATE_ONE + 1);
	run(0, &space);
	assert_int_equal(loaded(MIB2 + 7), 1);
	stored(MIB2 + 7, 6);
	assert_int_equal(frame_in(&space, MIB2 + 7), first + 7);
	AUDIT_TABLE(&child.table);
	OK(fh_space_destroy(&child));
	fh_settle();
	for (uint64_t i = 0; i < MIB2; i++)
		assert_int_equal(state_of(first + i), FH_STATE_ONE);
}

/* A clone of a part of a large leaf. */
static void clone_cuts_large_leaves_at_its_ends(void **state)
{
	struct fh_usegment s = new_pages(MIB2, MIB2);
	uint64_t first = fh_usegment_first(s);
	struct fh_space child;

	(void)state;
	OK(fh_space_map_segment(&space, 0, &s, fh_user_prop(RW)));
	fork_to(&child, 10, 20);
	for (uint64_t i = 0; i < MIB2; i++) {
		bool is_shared = i >= 10 && i < 30;

		assert_int_equal(query(&child, i).is_mapped, is_shared);
		assert_int_equal(frame_in(&space, i), first + i);
		assert_int_equal(
			(query(&space, i).prop.flags & FH_PAGE_WRITE) == 0,
			is_shared);
	}
	OK(fh_space_destroy(&child));
}

static void shared_clone_sees_what_is_written(void **state)
{
	struct fh_space child;

	(void)state;
	run(0, &space);
	uint64_t frame = map_at(&space, PAGE);
	OK(fh_space_create(&kernel, &child));
	OK(fh_space_clone(&space, &child, 0, GIB1, FH_CLONE_SHARE));
	stored(PAGE, 1);
	run(0, &child);
	assert_int_equal(loaded(PAGE), 1);
	stored(PAGE, 2);
	assert_int_equal(*word_of(frame), 2);
	run(0, &space);
	assert_int_equal(loaded(PAGE), 2);
	OK(fh_space_destroy(&child));
}

/* Shared again by somebody else: not what the two of them share. */
static void shared_clone_of_a_page_to_be_copied_is_copied(void **state)
{
	struct fh_space child;
	struct fh_space other;

	(void)state;
	run(0, &space);
	uint64_t frame = map_at(&space, PAGE);
	stored(PAGE, 1);
	fork_to(&child, PAGE, 1);
	OK(fh_space_create(&kernel, &other));
	OK(fh_space_clone(&space, &other, PAGE, 1, FH_CLONE_SHARE));
	assert_int_equal(frame_in(&other, PAGE), frame);
	run(0, &other);
	stored(PAGE, 2);
	assert_int_not_equal(frame_in(&other, PAGE), frame);
	run(0, &space);
	assert_int_equal(loaded(PAGE), 1);
	run(0, &child);
	assert_int_equal(loaded(PAGE), 1);
	run(0, &space);
	OK(fh_space_destroy(&child));
	OK(fh_space_destroy(&other));
}

/* Giving the right to write does not let one write into the other's page. */
static void protect_leaves_a_page_to_be_copied(void **state)
{
	struct fh_space child;

	(void)state;
	run(0, &space);
	uint64_t frame = map_at(&space, PAGE);
	stored(PAGE, 1);
	fork_to(&child, PAGE, 1);
	protect_at(&child, PAGE, FH_PAGE_WRITE, 0);
	protect_at(&child, PAGE, 0, FH_PAGE_WRITE);
	assert_int_equal(query(&child, PAGE).prop.flags &
				 (FH_PAGE_WRITE | FH_PAGE_COPY),
			 FH_PAGE_COPY);
	run(0, &child);
	stored(PAGE, 2);
	assert_int_equal(*word_of(frame), 1);
	run(0, &space);
	assert_int_equal(loaded(PAGE), 1);
	stored(PAGE, 3);
	OK(fh_space_destroy(&child));
}

static void page_that_may_not_be_read_is_not_copied(void **state)
{
	struct fh_space child;

	(void)state;
	run(0, &space);
	map_at(&space, PAGE);
	stored(PAGE, 1);
	fork_to(&child, PAGE, 1);
	protect_at(&space, PAGE, FH_PAGE_READ | FH_PAGE_WRITE, 0);
	assert_false(store_on(0, PAGE, 2));
	assert_int_equal(fh_space_fault(&space, fh_vaddr_of_page(PAGE),
					FH_ACCESS_WRITE, NULL),
			 FH_E_FAULT);
	protect_at(&space, PAGE, 0, FH_PAGE_READ);
	stored(PAGE, 2);
	run(0, &child);
	assert_int_equal(loaded(PAGE), 1);
	run(0, &space);
	OK(fh_space_destroy(&child));
}

/* A large leaf, into a range for which the target has an empty node only. */
static void large_leaf_is_cloned_into_an_empty_node(void **state)
{
	struct fh_space child;
	uint64_t first = 3 * MIB2;

	(void)state;
	uint64_t frame = map_new_pages(&space.table, first, MIB2, MIB2);

	assert_int_equal(query(&space, first).pages, MIB2);
	OK(fh_space_create(&kernel, &child));
	map_at(&child, first + 7);
	assert_int_equal(unmap_at(&child, first + 7, 1), 1);
	OK(fh_space_clone(&space, &child, first, MIB2, FH_CLONE_COPY));
	for (uint64_t i = 0; i < MIB2; i++)
		assert_int_equal(frame_in(&child, first + i), frame + i);
	assert_int_equal(state_of(frame + 5), FH_STATE_ONE + 1);
	AUDIT_TABLE(&child.table);
	OK(fh_space_destroy(&child));
	AUDIT();
}

static void clone_keeps_what_may_not_be_written(void **state)
{
	struct fh_space child;

	(void)state;
	run(0, &space);
	map_at(&space, PAGE);
	protect_at(&space, PAGE, FH_PAGE_WRITE, 0);
	OK(fh_space_map_device(&space, PAGE + 1, address_of(DEVICE_FRAME), 2,
			       fh_user_prop(RW)));
	fork_to(&child, PAGE, 3);
	assert_int_equal(query(&space, PAGE).prop.flags & FH_PAGE_COPY, 0);
	assert_int_equal(query(&child, PAGE + 2).prop.flags & RW, RW);
	assert_int_equal(query(&child, PAGE + 2).frame, DEVICE_FRAME + 1);
	run(0, &child);
	assert_false(store_on(0, PAGE, 1));
	run(0, &space);
	OK(fh_space_destroy(&child));
}

static void clone_over_mapped_pages_is_refused(void **state)
{
	struct fh_space child;

	(void)state;
	OK(fh_space_create(&kernel, &child));
	map_at(&space, PAGE);
	map_at(&child, PAGE + 1);
	REFUSES(FH_E_MAPPED,
		fh_space_clone(&space, &child, 0, GIB1, FH_CLONE_COPY));
	REFUSES(FH_E_INVALID,
		fh_space_clone(&space, &space, 0, 1, FH_CLONE_COPY));
	REFUSES(FH_E_EMPTY,
		fh_space_clone(&space, &child, 0, 0, FH_CLONE_COPY));
	assert_int_equal(query(&space, PAGE).prop.flags & RW, RW);
	OK(fh_space_destroy(&child));
}

/* ---- Memory that runs out ---- */

static void clone_without_memory_changes_nothing(void **state)
{
	struct fh_space child;
	uint64_t refused = 0;
	enum fh_status status;

	(void)state;
	OK(fh_space_create(&kernel, &child));
	for (uint64_t i = 0; i < 3; i++)
		map_at(&space, PAGE + i * GIB1);
	do {
		hold_all_but(refused);
		watch_begin();
		status = fh_space_clone(&space, &child, 0, 4 * GIB1,
					FH_CLONE_COPY);
		if (status != FH_OK) {
			assert_int_equal(status, FH_E_NO_MEMORY);
			watch_end(0, 0, "a clone without memory", __FILE__,
				  __LINE__);
			assert_false(query(&child, PAGE).is_mapped);
			refused++;
		}
		release_held();
	} while (status != FH_OK);
	assert_true(refused >= 7);
	OK(fh_space_destroy(&child));
}

static struct fh_uframe reserve;

static bool give_reserve(uint64_t n)
{
	bool has = reserve.handle != 0;

	(void)n;
	fh_uframe_put(&reserve);
	return has;
}

static void fault_asks_for_memory_before_it_gives_up(void **state)
{
	const struct fh_page_prop prop = fh_user_prop(RW);

	(void)state;
	fill = &prop;
	run(0, &space);
	stored(PAGE, 1);
	/* The page's own memory, then a node's, is short. */
	hold_all_but(0);
	assert_false(store_on(0, PAGE + 1, 1));
	release_held();
	reserve = new_page();
	hold_all_but(0);
	hosted_set_reclaim(give_reserve);
	stored(PAGE + 1, 2);
	hosted_set_reclaim(NULL);
	release_held();
	assert_int_equal(loaded(PAGE + 1), 2);
	reserve = new_page();
	hold_all_but(1);
	hosted_set_reclaim(give_reserve);
	stored(PAGE + MIB2, 3);
	hosted_set_reclaim(NULL);
	release_held();
	assert_int_equal(loaded(PAGE + MIB2), 3);
}

static void space_without_memory_is_not_made(void **state)
{
	struct fh_space other = {.table.levels = 77};
	struct fh_uframe f;

	(void)state;
	hold_all_but(0);
	REFUSES(FH_E_NO_MEMORY, fh_space_create(&kernel, &other));
	assert_int_equal(other.table.levels, 77);
	release_held();
	f = new_page();
	hold_all_but(2);
	REFUSES(FH_E_NO_MEMORY,
		fh_space_map(&space, PAGE, &f, fh_user_prop(RW)));
	release_held();
	OK(fh_space_map(&space, PAGE, &f, fh_user_prop(RW)));
}

/* ---- Several CPUs ---- */

/* All CPUs come here before any goes on; each answers the others meanwhile. */
static uint64_t arrived;

static void meet(uint64_t turn)
{
	(void)__atomic_fetch_add(&arrived, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < turn * CPUS) {
		fh_poll();
		fh_host_relax();
	}
}

static uint64_t shot_frame;

static void unmap_while_all_use_it(unsigned cpu, void *arg)
{
	uint64_t value;

	(void)arg;
	run(cpu, &space);
	assert_true(load_on(cpu, PAGE, &value));
	assert_int_equal(value, 5);
	meet(1);
	if (cpu == 0) {
		assert_true(hosted_mmu_find_frame(shot_frame, NULL));
		assert_int_equal(unmap_at(&space, PAGE, 1), 1);
		assert_false(hosted_mmu_find_frame(shot_frame, NULL));
	}
	meet(2);
	assert_false(load_on(cpu, PAGE, &value));
	meet(3);
	if (cpu == 0)
		*word_of(map_at(&space, PAGE)) = 6;
	meet(4);
	assert_true(load_on(cpu, PAGE, &value));
	assert_int_equal(value, 6);
	meet(5);
	if (cpu == 0)
		protect_at(&space, PAGE, FH_PAGE_WRITE, 0);
	meet(6);
	assert_false(store_on(cpu, PAGE, 7));
	meet(7);
	if (cpu == 0)
		protect_at(&space, PAGE, 0, FH_PAGE_WRITE);
	meet(8);
	assert_true(store_on(cpu, PAGE, 7));
	meet(9);
	run_kernel(cpu);
	fh_kernel_deactivate();
}

static void change_is_seen_by_all_cpus(void **state)
{
	(void)state;
	shot_frame = map_at(&space, PAGE);
	*word_of(shot_frame) = 5;
	arrived = 0;
	hosted_run(CPUS, unmap_while_all_use_it, NULL);
}

/* A node that is taken off is not walked through any more, anywhere. */
static void detach_while_all_use_it(unsigned cpu, void *arg)
{
	uint64_t value;

	(void)arg;
	run(cpu, &space);
	assert_true(load_on(cpu, PAGE, &value));
	meet(1);
	if (cpu == 0) {
		uint64_t node = node_of(&space.table, PAGE, 1);

		assert_int_equal(unmap_at(&space, 0, 2 * GIB1), 1);
		assert_false(hosted_mmu_find_frame(node, NULL));
	}
	meet(2);
	assert_false(load_on(cpu, PAGE, &value));
	meet(3);
	run_kernel(cpu);
	fh_kernel_deactivate();
}

static void detached_node_is_forgotten_by_all_cpus(void **state)
{
	(void)state;
	map_at(&space, PAGE);
	arrived = 0;
	hosted_run(CPUS, detach_while_all_use_it, NULL);
}

static void fork_while_all_write(unsigned cpu, void *arg)
{
	struct fh_space *child = arg;
	uint64_t value = 0;

	run(cpu, &space);
	assert_true(store_on(cpu, PAGE + cpu, 1));
	meet(1);
	if (cpu == 0)
		OK(fh_space_clone(&space, child, PAGE, CPUS, FH_CLONE_COPY));
	else
		for (unsigned i = 0; i < 100; i++)
			assert_true(store_on(cpu, PAGE + cpu, 1));
	meet(2);
	assert_true(store_on(cpu, PAGE + cpu, 2));
	assert_true(load_on(cpu, PAGE + cpu, &value));
	assert_int_equal(value, 2);
	run(cpu, child);
	assert_true(load_on(cpu, PAGE + cpu, &value));
	assert_int_equal(value, 1);
	meet(3);
	run_kernel(cpu);
	fh_kernel_deactivate();
}

static void clone_is_of_one_moment_on_all_cpus(void **state)
{
	struct fh_space child;

	(void)state;
	OK(fh_space_create(&kernel, &child));
	for (unsigned i = 0; i < CPUS; i++)
		map_at(&space, PAGE + i);
	arrived = 0;
	hosted_run(CPUS, fork_while_all_write, &child);
	OK(fh_space_destroy(&child));
}

static void copy_while_all_read(unsigned cpu, void *arg)
{
	uint64_t value = 0;

	(void)arg;
	run(cpu, &space);
	assert_true(load_on(cpu, PAGE, &value));
	assert_int_equal(value, 1);
	meet(1);
	if (cpu == 0)
		assert_true(store_on(cpu, PAGE, 2));
	meet(2);
	assert_true(load_on(cpu, PAGE, &value));
	assert_int_equal(value, 2);
	meet(3);
	run_kernel(cpu);
	fh_kernel_deactivate();
}

static void copied_page_is_seen_by_all_cpus(void **state)
{
	struct fh_space child;

	(void)state;
	*word_of(map_at(&space, PAGE)) = 1;
	fork_to(&child, PAGE, 1);
	arrived = 0;
	hosted_run(CPUS, copy_while_all_read, NULL);
	OK(fh_space_destroy(&child));
}

static uint64_t about_to_wait;

/* Takes the node off after the other CPU has begun to wait for its lock. */
static void detach_under_a_waiter(void)
{
	struct work w;
	uint64_t pages;

	fh_gather_begin(&w.gather, &space.active);
	fh_atomic_begin(&w.mode);
	OK(fh_cursor_open(&space.table, &w.mode, 0, 2 * MIB2, &w.cursor));
	__atomic_store_n(&arrived, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&about_to_wait, __ATOMIC_ACQUIRE) == 0)
		fh_host_relax();
	for (unsigned i = 0; i < 200; i++)
		fh_host_relax();
	OK(fh_cursor_unmap(&w.cursor, 2 * MIB2, &w.gather, &pages));
	assert_int_equal(pages, 1);
	end_work(&w);
}

static void wait_for_a_node(void)
{
	struct fh_uframe f = new_page();
	struct work w;

	while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) == 0)
		fh_host_relax();
	fh_gather_begin(&w.gather, &space.active);
	fh_atomic_begin(&w.mode);
	__atomic_store_n(&about_to_wait, 1, __ATOMIC_RELEASE);
	OK(fh_cursor_open(&space.table, &w.mode, 5, 1, &w.cursor));
	assert_false(fh_node_is_stray(w.cursor.path[w.cursor.guard_level - 1]));
	OK(fh_cursor_map(&w.cursor, &f, fh_user_prop(RW)));
	end_work(&w);
	assert_true(query(&space, 5).is_mapped);
}

static void detach_or_wait(unsigned cpu, void *arg)
{
	(void)arg;
	if (cpu == 0)
		detach_under_a_waiter();
	else
		wait_for_a_node();
}

/* Who waits for the lock of a node that is taken off starts again. */
static void no_page_is_mapped_into_a_stray_node(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		map_at(&space, 3);
		arrived = 0;
		about_to_wait = 0;
		hosted_run(2, detach_or_wait, NULL);
		assert_int_equal(unmap_at(&space, 0, 2 * MIB2), 1);
	}
}

enum {
	COUNTINGS = 3000
};

/* Only with page 4 of a range locked. */
static uint64_t plain_count;

static void lock_and_count(unsigned cpu, void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < COUNTINGS; i++) {
		struct fh_cursor cursor;
		struct fh_atomic_mode mode;
		uint64_t first = cpu % 2 == 0 ? MIB2 - 1 : 0;

		fh_atomic_begin(&mode);
		OK(fh_cursor_open(&space.table, &mode, first, MIB2 + 1 - first,
				  &cursor));
		plain_count++;
		fh_cursor_close(&cursor);
		fh_atomic_end(&mode);
	}
}

/* V8: of ranges that overlap, one waits for the other. */
static void ranges_that_overlap_exclude_each_other(void **state)
{
	(void)state;
	map_at(&space, MIB2 - 1);
	map_at(&space, MIB2);
	plain_count = 0;
	hosted_run(3, lock_and_count, NULL);
	assert_int_equal(plain_count, 3 * COUNTINGS);
}

/* ---- The kernel's own ---- */

static const struct fh_page_prop kernel_rw = {RW | FH_PAGE_GLOBAL,
					      FH_CACHE_WRITEBACK};

static void area_of_frames_is_loaded_and_stored(void **state)
{
	struct fh_area_pool pool;
	struct fh_area area;
	uint64_t frames[2];

	(void)state;
	OK(fh_area_pool_open(&pool, &kernel, AREAS, 64));
	OK(fh_area_create(&pool, 2, &area));
	assert_true(area.first > AREAS && area.first + 2 < AREAS + 64);
	for (uint64_t i = 0; i < 2; i++) {
		struct fh_frame frame;
		struct fh_mapping mapping;

		OK(fh_frame_alloc(NULL, &counting_type, NULL, &frame));
		frames[i] = fh_frame_number(frame);
		OK(fh_area_map_frame(&area, i, &frame, kernel_rw));
		OK(fh_area_query(&area, i, &mapping));
		assert_int_equal(mapping.frame, frames[i]);
		assert_int_equal(mapping.prop.flags & RW, RW);
		assert_int_equal(mapping.prop.cache, FH_CACHE_WRITEBACK);
	}
	run_kernel(0);
	stored(area.first + 1, 4);
	assert_int_equal(*word_of(frames[1]), 4);
	assert_true(faults(area.first - 1));
	assert_true(faults(area.first + 2));
	/* Spaces share the kernel's half. */
	run(0, &space);
	assert_int_equal(loaded(area.first + 1), 4);
	assert_int_equal(drops, 0);
	uint64_t first = area.first;
	OK(fh_area_destroy(&area));
	assert_int_equal(drops, 2);
	assert_true(faults(first + 1));
	OK(fh_area_destroy(&area));
}

static void area_of_a_device_shows_its_frames(void **state)
{
	struct fh_area_pool pool;
	struct fh_area area;
	struct fh_mapping mapping;
	struct fh_page_prop prop = {RW, FH_CACHE_WRITEBACK};

	(void)state;
	OK(fh_area_pool_open(&pool, &kernel, AREAS, 64));
	OK(fh_area_create(&pool, 3, &area));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_area_map_untracked(&area, 2, address_of(FRAME_END), 2,
				      prop));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_area_map_untracked(&area, 4, address_of(FRAME_END), 1,
				      prop));
	REFUSES(FH_E_EMPTY, fh_area_map_untracked(
				    &area, 3, address_of(FRAME_END), 0, prop));
	OK(fh_area_map_untracked(&area, 1, address_of(FRAME_END), 2, prop));
	OK(fh_area_query(&area, 2, &mapping));
	assert_int_equal(mapping.frame, FRAME_END + 1);
	assert_int_equal(mapping.pages, 1);
	assert_int_equal(mapping.prop.flags & RW, RW);
	assert_int_equal(fh_area_query(&area, 3, &mapping), FH_E_OUT_OF_BOUND);
	OK(fh_area_destroy(&area));
	OK(fh_area_create(&pool, 3, &area));
	for (uint64_t i = 0; i < 3; i++) {
		OK(fh_area_query(&area, i, &mapping));
		assert_false(mapping.is_mapped);
	}
	OK(fh_area_destroy(&area));
}

/* */
static void area_of_nothing_is_refused(void **state)
{
	struct fh_area_pool pool;
	struct fh_area area = {.count = 0};
	struct fh_usegment none = {.count = 0};

	(void)state;
	REFUSES(FH_E_EMPTY, fh_area_pool_open(&pool, &kernel, AREAS, 2));
	REFUSES(FH_E_OUT_OF_BOUND, fh_area_pool_open(&pool, &kernel, PAGE, 9));
	OK(fh_area_pool_open(&pool, &kernel, AREAS, 9));
	REFUSES(FH_E_EMPTY, fh_area_create(&pool, 0, &area));
	REFUSES(FH_E_NO_MEMORY, fh_area_create(&pool, 8, &area));
	REFUSES(FH_E_NO_MEMORY, fh_area_create(&pool, UINT64_MAX, &area));
	OK(fh_area_create(&pool, 7, &area));
	OK(fh_area_destroy(&area));
	REFUSES(FH_E_EMPTY, fh_area_map_segment(&area, 0, &none, kernel_rw));
}

static void areas_never_touch(void **state)
{
	struct fh_area_pool pool;
	struct fh_area areas[5];
	struct fh_area last;

	(void)state;
	OK(fh_area_pool_open(&pool, &kernel, AREAS, 16));
	for (unsigned i = 0; i < 5; i++) {
		OK(fh_area_create(&pool, 2, &areas[i]));
		assert_int_equal(areas[i].first, AREAS + 1 + 3 * i);
	}
	REFUSES(FH_E_NO_MEMORY, fh_area_create(&pool, 1, &last));
	OK(fh_area_destroy(&areas[1]));
	OK(fh_area_destroy(&areas[2]));
	REFUSES(FH_E_NO_MEMORY, fh_area_create(&pool, 6, &last));
	OK(fh_area_create(&pool, 5, &last));
	assert_int_equal(last.first, AREAS + 4);
	OK(fh_area_destroy(&last));
	OK(fh_area_destroy(&areas[0]));
	OK(fh_area_destroy(&areas[3]));
	OK(fh_area_destroy(&areas[4]));
	assert_null(pool.areas);
}

static struct fh_area_pool shared_pool;
static struct fh_area shared_area;

static void put_page_into_area(uint64_t value)
{
	struct fh_uframe f = new_page();
	struct fh_frame frame = fh_frame_from_uframe(&f);

	*word_of(fh_frame_number(frame)) = value;
	OK(fh_area_create(&shared_pool, 1, &shared_area));
	OK(fh_area_map_frame(&shared_area, 0, &frame, kernel_rw));
}

/* O-2: the addresses are used again when nobody can have the old ones. */
static void reuse_area(unsigned cpu, void *arg)
{
	uint64_t value;
	uint64_t page = AREAS + 1;

	(void)arg;
	if (cpu % 2 == 0)
		run_kernel(cpu);
	else
		run(cpu, &space);
	meet(1);
	assert_int_equal(shared_area.first, page);
	assert_true(load_on(cpu, page, &value));
	assert_int_equal(value, 1);
	meet(2);
	if (cpu == 1) {
		OK(fh_area_destroy(&shared_area));
		put_page_into_area(2);
	}
	meet(3);
	assert_true(load_on(cpu, page, &value));
	assert_int_equal(value, 2);
	meet(4);
	run_kernel(cpu);
	fh_kernel_deactivate();
}

static void area_is_used_again_after_its_flush(void **state)
{
	(void)state;
	OK(fh_area_pool_open(&shared_pool, &kernel, AREAS, 64));
	put_page_into_area(1);
	arrived = 0;
	hosted_run(CPUS, reuse_area, NULL);
	OK(fh_area_destroy(&shared_area));
}

static void nothing_is_writable_and_executable(void **state)
{
	const struct fh_page_prop both =
		fh_page_prop(RW | FH_PAGE_EXEC | FH_PAGE_GLOBAL);
	struct fh_area_pool pool;
	struct fh_area area;
	struct fh_frame frame;

	(void)state;
	REFUSES(FH_E_INVALID,
		fh_kernel_map(&kernel, AREAS, address_of(FRAME_END), 1, both));
	REFUSES(FH_E_INVALID,
		fh_kernel_map_linear(&kernel, hosted_map(), AREAS, both));
	OK(fh_area_pool_open(&pool, &kernel, AREAS, 64));
	OK(fh_area_create(&pool, 3, &area));
	OK(fh_frame_alloc(NULL, &counting_type, NULL, &frame));
	REFUSES(FH_E_INVALID, fh_area_map_frame(&area, 0, &frame, both));
	REFUSES(FH_E_INVALID,
		fh_area_map_untracked(&area, 0, address_of(FRAME_END), 1,
				      both));
	fh_frame_put(&frame);
	OK(fh_area_destroy(&area));
}

static void kernel_maps_only_its_own(void **state)
{
	uint64_t pages;

	(void)state;
	REFUSES(FH_E_INVALID,
		fh_kernel_map(&space.table, AREAS, address_of(FRAME_END), 1,
			      kernel_rw));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_kernel_map(&kernel, PAGE, address_of(FRAME_END), 1,
			      kernel_rw));
	REFUSES(FH_E_EMPTY, fh_kernel_map(&kernel, AREAS, address_of(FRAME_END),
					  0, kernel_rw));
	REFUSES(FH_E_OUT_OF_BOUND,
		fh_kernel_unmap(&kernel, AREAS, 5000, &pages));
	OK(fh_kernel_map(&kernel, FH_PAGE_NUMBER_END - 1, address_of(8), 1,
			 kernel_rw));
	OK(fh_kernel_unmap(&kernel, FH_PAGE_NUMBER_END - 1, 1, &pages));
	assert_int_equal(pages, 1);
}

static void linear_map_shows_all_memory_as_it_lies(void **state)
{
	const uint64_t base = fh_page_table_range(FH_TABLE_KERNEL, 4).first;
	uint64_t frame = free_pages(1);
	uint64_t pages;

	(void)state;
	OK(fh_kernel_map_linear(&kernel, hosted_map(), base, kernel_rw));
	run_kernel(0);
	*word_of(frame) = 77;
	assert_int_equal(loaded(base + frame), 77);
	MAPPED_TO(HIGH_FIRST, &kernel, base + HIGH_FIRST);
	MAPPED_TO(FRAME_END - 1, &kernel, base + FRAME_END - 1);
	MAPPED_TO(0, &kernel, base);
	MAPPED_TO(KERNEL_PAGE, &kernel, base + KERNEL_PAGE);
	NOT_MAPPED(&kernel, base + RESERVED_PAGE);
	NOT_MAPPED(&kernel, base + GAP_PAGE);
	NOT_MAPPED(&kernel, base + HOLE_PAGE);
	NOT_MAPPED(&kernel, base + FRAME_END);
	assert_int_equal(look_up(&kernel, base + 1024).pages, MIB2);
	/* A second one is in the way of itself; the first one stays. */
	assert_int_equal(
		fh_kernel_map_linear(&kernel, hosted_map(), base, kernel_rw),
		FH_E_MAPPED);
	assert_int_equal(loaded(base + frame), 77);
	OK(fh_kernel_unmap(&kernel, base, FRAME_END, &pages));
	assert_int_equal(pages, 159 + 3840 + 1024);
}

static void linear_map_is_all_or_nothing(void **state)
{
	const uint64_t base = fh_page_table_range(FH_TABLE_KERNEL, 4).first;
	uint64_t pages;

	(void)state;
	OK(fh_kernel_map(&kernel, base + FRAME_END - 1, address_of(8), 1,
			 kernel_rw));
	assert_int_equal(
		fh_kernel_map_linear(&kernel, hosted_map(), base, kernel_rw),
		FH_E_MAPPED);
	NOT_MAPPED(&kernel, base);
	NOT_MAPPED(&kernel, base + 256);
	NOT_MAPPED(&kernel, base + HIGH_FIRST);
	MAPPED_TO(8, &kernel, base + FRAME_END - 1);
	OK(fh_kernel_unmap(&kernel, base, FRAME_END, &pages));
	assert_int_equal(pages, 1);
	assert_int_equal(fh_kernel_map_linear(&kernel, hosted_map(),
					      FH_PAGE_NUMBER_END - 4096,
					      kernel_rw),
			 FH_E_OUT_OF_BOUND);
	NOT_MAPPED(&kernel, FH_PAGE_NUMBER_END - 4096);
}

/* ---- A storm ---- */

enum {
	TURNS = 400,
	STORM_PAGES = 24
};

/* A page holds zero, or its own number. */
static bool is_its_own(unsigned cpu, uint64_t page)
{
	uint64_t value = 0;

	return !load_on(cpu, page, &value) || value == 0 || value == page;
}

static void storm(unsigned cpu, void *arg)
{
	struct random dice = {cpu + 1};
	const struct fh_page_prop prop = fh_user_prop(RW);
	uint64_t pages;

	(void)arg;
	run(cpu, &space);
	for (unsigned i = 0; i < TURNS; i++) {
		uint64_t page = MIB2 - STORM_PAGES / 2 +
				random_below(&dice, STORM_PAGES);
		uint64_t n = 1 + random_below(&dice, 4);

		switch (random_below(&dice, 6)) {
		case 0:
			OK(fh_space_unmap(&space, page, n, &pages));
			break;
		case 1:
			OK(fh_space_protect(
				&space, page, n,
				(struct fh_prop_change){.clear = FH_PAGE_WRITE},
				&pages));
			break;
		case 2:
			OK(fh_space_protect(
				&space, page, n,
				(struct fh_prop_change){.set = FH_PAGE_WRITE},
				&pages));
			break;
		case 3: {
			struct fh_uframe f = new_page();
			enum fh_status status =
				fh_space_map(&space, page, &f, prop);

			assert_true(status == FH_OK || status == FH_E_MAPPED);
			fh_uframe_put(&f);
			break;
		}
		default:
			(void)store_on(cpu, page, page);
			assert_true(is_its_own(cpu, page));
		}
		if (i % 100 == 99)
			OK(fh_space_unmap(&space, 0, 2 * GIB1, &pages));
		fh_poll();
	}
	run_kernel(cpu);
	fh_kernel_deactivate();
}

static void cpus_change_and_use_one_space(void **state)
{
	const struct fh_page_prop prop = fh_user_prop(RW);

	(void)state;
	fill = &prop;
	hosted_run(CPUS, storm, NULL);
	fill = NULL;
	mmu_is_content();
	AUDIT();
}

#define S(name) cmocka_unit_test_setup_teardown(name, start_spaces, stop_spaces)

int main(void)
{
	const struct CMUnitTest tests[] = {
		S(new_space_maps_nothing),
		S(mapped_page_is_loaded_and_stored),
		S(page_of_a_space_is_mapped_once),
		S(nothing_is_an_error_of_spaces),
		S(protected_page_is_read_only),
		S(hardware_notes_what_is_used),
		S(device_is_mapped_as_it_lies),
		S(page_is_mapped_anew_before_the_flush),
		S(frame_is_dropped_when_nobody_has_it_cached),
		S(each_space_has_its_own_pages),
		S(change_of_a_space_at_rest_is_seen),
		S(readers_need_the_space_to_be_active),
		S(readers_and_writers_survive_faults),
		S(page_is_filled_when_it_is_used),
		S(fill_does_not_give_more_than_it_allows),
		S(device_is_never_copied),
		S(parent_writes_first),
		S(child_writes_first),
		S(parent_that_has_written_is_stopped_from_writing),
		S(three_generations_part),
		S(large_leaf_is_copied_page_by_page),
		S(clone_cuts_large_leaves_at_its_ends),
		S(shared_clone_sees_what_is_written),
		S(shared_clone_of_a_page_to_be_copied_is_copied),
		S(protect_leaves_a_page_to_be_copied),
		S(page_that_may_not_be_read_is_not_copied),
		S(large_leaf_is_cloned_into_an_empty_node),
		S(clone_keeps_what_may_not_be_written),
		S(clone_over_mapped_pages_is_refused),
		S(clone_without_memory_changes_nothing),
		S(fault_asks_for_memory_before_it_gives_up),
		S(space_without_memory_is_not_made),
		S(change_is_seen_by_all_cpus),
		S(detached_node_is_forgotten_by_all_cpus),
		S(clone_is_of_one_moment_on_all_cpus),
		S(copied_page_is_seen_by_all_cpus),
		S(no_page_is_mapped_into_a_stray_node),
		S(ranges_that_overlap_exclude_each_other),
		S(area_of_frames_is_loaded_and_stored),
		S(area_of_a_device_shows_its_frames),
		S(area_of_nothing_is_refused),
		S(areas_never_touch),
		S(area_is_used_again_after_its_flush),
		S(nothing_is_writable_and_executable),
		S(kernel_maps_only_its_own),
		S(linear_map_shows_all_memory_as_it_lies),
		S(linear_map_is_all_or_nothing),
		S(cpus_change_and_use_one_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
