/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Boot tables: tables made by somebody else, in reserved memory, with leaves of
 * all sizes and a node that has two names, edited before and after memory is
 * up. What they translate to is asked of the hosted MMU's walker, which shares
 * no code with the library.
 */
#include "harness.h"

#include <framehold/boottable.h>

#include <string.h>

#include "codec.h"
#include "mmu_inside.h"
#include "early.h"
#include "node.h"

#define MIB2  FH_NODE_ENTRIES
#define GIB1  (FH_NODE_ENTRIES * FH_NODE_ENTRIES)
#define RAM   4096 /* pages, all usable but the firmware's, ... */
#define IMAGE RAM  /* ... and 2 MiB behind: the kernel's */

/* The firmware's nodes. */
#define FIRMWARE UINT64_C(160)
#define ROOT     FIRMWARE
#define NODE3    (FIRMWARE + 1)
#define NODE2    (FIRMWARE + 2)
#define NODE1    (FIRMWARE + 3)
#define NODES    4

/*
 * What they map, in the first entry of the root and again as its 300th: 16
 * pages at 0, 2 MiB of RAM at 2 MiB, 2 MiB of a device behind, 1 GiB at 1 GiB.
 */
#define DEVICE (UINT64_C(1) << 30) /* frame number of the device */
#define HOLE   UINT64_C(17)        /* a page of the lowest node, not mapped */
#define ALIAS  (UINT64_C(300) << 27)

static const struct fh_region regions[] = {
	{0, RAM *FH_PAGE_SIZE, FH_REGION_USABLE},
	{FIRMWARE * FH_PAGE_SIZE, 16 * FH_PAGE_SIZE, FH_REGION_RESERVED},
	{IMAGE * FH_PAGE_SIZE, MIB2 *FH_PAGE_SIZE, FH_REGION_KERNEL},
};

static const struct fh_table_format format = {.levels = 4,
					      .features = FH_ARCH_FEATURES};

static struct fh_boot_table boot;
static struct fh_init_options init;
static unsigned char firmware[NODES * FH_PAGE_SIZE];

static uint64_t *entry_of(uint64_t node, uint64_t index)
{
	return fh_entry(node, index);
}

static struct fh_page_prop firmware_prop(void)
{
	return fh_page_prop(FH_PAGE_READ | FH_PAGE_WRITE | FH_PAGE_EXEC |
			    FH_PAGE_ACCESSED | FH_PAGE_DIRTY);
}

static uint64_t firmware_leaf(uint64_t frame, unsigned level)
{
	return fh_arch_leaf(frame, level, firmware_prop());
}

static uint64_t alias_page(uint64_t page)
{
	/* The upper half's pages are sign-extended. */
	return (ALIAS | UINT64_C(0xffff) << 36) + page;
}

static void make_firmware(void)
{
	*entry_of(ROOT, 0) = fh_arch_table(NODE3, 4);
	*entry_of(ROOT, 300) = fh_arch_table(NODE3, 4);
	*entry_of(NODE3, 0) = fh_arch_table(NODE2, 3);
	*entry_of(NODE3, 1) = firmware_leaf(DEVICE, 3);
	*entry_of(NODE2, 0) = fh_arch_table(NODE1, 2);
	*entry_of(NODE2, 1) = firmware_leaf(IMAGE, 2);
	*entry_of(NODE2, 2) = firmware_leaf(DEVICE + GIB1, 2);
	for (uint64_t i = 0; i < 16; i++)
		*entry_of(NODE1, i) = firmware_leaf(1024 + i, 1);
}

static void keep_firmware(void)
{
	memcpy(firmware, entry_of(FIRMWARE, 0), sizeof(firmware));
}

/* Power-on, early memory, the firmware's tables in use by CPU 0. */
static int start_firmware(void **state)
{
	(void)state;
	hosted_stop();
	if (hosted_power_on(regions, 3, NULL, &init) != FH_OK ||
	    fh_early_begin(init.map) != FH_OK)
		return -1;
	make_firmware();
	if (fh_boot_table_open(&boot, fh_paddr_of_frame(ROOT), &format) !=
	    FH_OK)
		return -1;
	keep_firmware();
	return 0;
}

static void bring_up(void)
{
	OK(fh_init(&init));
}

/* ---- What the hardware makes of them ---- */

static const struct mmu_format *hardware(void)
{
	static const struct mmu_format *const all[] = {
		&mmu_x86_64, &mmu_riscv, &mmu_aarch64, &mmu_loongarch,
		&mmu_hostile};

	for (size_t i = 0; i < 5; i++)
		if (strcmp(all[i]->name, FH_ARCH_NAME) == 0)
			return all[i];
	fail_msg("no walker for %s", FH_ARCH_NAME);
	return NULL;
}

static bool translate(uint64_t page, struct mmu_translation *found)
{
	struct mmu_walk walk = {.format = hardware(), .top = 4};
	struct mmu_translation top = {
		.frame = ROOT, .level = 4, .kernel = MMU_ALL, .user = MMU_ALL};

	walk.ram_frames = hosted_linear_bytes() / FH_PAGE_SIZE;
	walk.nodes[4] = top;
	enum mmu_outcome outcome = mmu_walk(&walk, page, NULL, 0);

	assert_int_not_equal(outcome, MMU_CHECK);
	*found = walk.leaf;
	if (outcome == MMU_OK)
		found->frame += page - walk.leaf.page;
	return outcome == MMU_OK;
}

static struct mmu_translation translation(uint64_t page)
{
	struct mmu_translation found;

	assert_true(translate(page, &found));
	return found;
}

#define REACHES(page, frame_)                                                  \
	assert_int_equal(translation(page).frame, (frame_))

static void reaches_nothing(uint64_t page)
{
	struct mmu_translation found;

	assert_false(translate(page, &found));
}

/* A page goes on as the firmware had it: its frame, and all rights. */
static void is_as_it_was(uint64_t page, uint64_t frame)
{
	struct mmu_translation found = translation(page);

	if (found.frame != frame || found.kernel != MMU_ALL)
		fail_msg("page %llx: frame %llx, rights %u",
			 (unsigned long long)page,
			 (unsigned long long)found.frame, found.kernel);
}

/* The firmware's entries are as they were, but one. */
static void firmware_differs_at(uint64_t node, uint64_t index)
{
	uint64_t *was = (uint64_t *)(void *)firmware;

	for (uint64_t i = 0; i < NODES * FH_NODE_ENTRIES; i++) {
		bool expected =
			i == (node - FIRMWARE) * FH_NODE_ENTRIES + index;

		assert_int_equal(was[i] != *entry_of(FIRMWARE, i), expected);
	}
}

static void firmware_is_as_it_was(void)
{
	assert_memory_equal(firmware, entry_of(FIRMWARE, 0), sizeof(firmware));
}

static struct fh_paddr address(uint64_t frame)
{
	return fh_paddr_of_frame(frame);
}

static struct fh_page_prop data(void)
{
	return fh_page_prop(FH_PAGE_READ | FH_PAGE_WRITE);
}

static enum fh_status map_page(uint64_t page, uint64_t frame)
{
	return fh_boot_table_map(&boot, page, address(frame), 1, data());
}

static enum fh_status make_read_only(uint64_t page)
{
	const struct fh_prop_change change = {.clear = FH_PAGE_WRITE |
						       FH_PAGE_EXEC};

	return fh_boot_table_protect(&boot, page, change);
}

static struct fh_mapping query(uint64_t page)
{
	struct fh_mapping mapping;

	OK(fh_boot_table_query(&boot, page, &mapping));
	return mapping;
}

/* ---- Mapping (P22) ---- */

static void page_is_mapped_before_memory_is_up(void **state)
{
	(void)state;
	OK(map_page(HOLE, 2));
	REACHES(HOLE, 2);
	assert_int_equal(query(HOLE).frame, 2);
	assert_true(query(HOLE).is_mapped);
	assert_false(query(HOLE).is_tracked);
	assert_int_equal(query(HOLE).pages, 1);
	firmware_differs_at(NODE1, HOLE);
	assert_int_equal(translation(HOLE).kernel & ~1U, MMU_WRITE);
}

/* Where no node is: three of them, and one entry of the firmware's. */
static void missing_nodes_come_from_early_memory(void **state)
{
	uint64_t page = UINT64_C(5) << 27;
	uint64_t taken;

	(void)state;
	/* Page 0 counts as taken with the first one. */
	OK(fh_early_alloc(1, 1, &taken));
	taken = init.map->spans[0].taken;
	OK(map_page(page, 2));
	REACHES(page, 2);
	reaches_nothing(page + 1);
	firmware_differs_at(ROOT, 5);
	/* And a list of what was taken. */
	assert_int_equal(init.map->spans[0].taken, taken + 4);
	OK(map_page(page + 1, 3));
	REACHES(page + 1, 3);
	assert_int_equal(init.map->spans[0].taken, taken + 4);
}

static void mapped_page_is_refused(void **state)
{
	(void)state;
	assert_int_equal(map_page(3, 2), FH_E_MAPPED);
	assert_int_equal(map_page(MIB2 + 3, 2), FH_E_MAPPED);
	assert_int_equal(map_page(GIB1 + 3, 2), FH_E_MAPPED);
	OK(map_page(HOLE, 2));
	keep_firmware();
	assert_int_equal(map_page(HOLE, 3), FH_E_MAPPED);
	/* The last of them is in the way. */
	assert_int_equal(
		fh_boot_table_map(&boot, MIB2 - 4, address(0), 5, data()),
		FH_E_MAPPED);
	firmware_is_as_it_was();
	reaches_nothing(MIB2 - 4);
}

/*
 * An entry of the lowest level is never a table, though it had all the bits of
 * one: firmware's pages have none that say "leaf".
 */
static void entry_of_a_page_is_never_a_table(void **state)
{
	uint64_t was = fh_arch_table(NODE2, 2);

	(void)state;
	*entry_of(NODE1, HOLE) = was;
	assert_int_equal(map_page(HOLE, 2), FH_E_MAPPED);
	assert_int_equal(*entry_of(NODE1, HOLE), was);
	assert_true(query(HOLE).is_mapped);
	assert_int_equal(query(HOLE).pages, 1);
}

static void entry_that_is_not_present_is_in_the_way(void **state)
{
	uint64_t nothing = fh_arch_leaf(7, 1, fh_page_prop(0));

	(void)state;
	*entry_of(NODE1, HOLE) = nothing;
	assert_int_equal(map_page(HOLE, 2), FH_E_MAPPED);
	assert_int_equal(*entry_of(NODE1, HOLE), nothing);
}

static void many_pages_have_the_largest_leaves(void **state)
{
	uint64_t first = (UINT64_C(5) << 27) + GIB1;

	(void)state;
	OK(fh_boot_table_map(&boot, first - 1, address(DEVICE - 1),
			     GIB1 + MIB2 + 2, data()));
	assert_int_equal(query(first - 1).pages, 1);
	assert_int_equal(query(first).pages, GIB1);
	assert_int_equal(query(first + GIB1).pages, MIB2);
	assert_int_equal(query(first + GIB1 + MIB2).pages, 1);
	for (uint64_t i = 0; i < GIB1 + MIB2 + 2; i += 97)
		REACHES(first - 1 + i, DEVICE - 1 + i);
	REACHES(first + GIB1 + MIB2, DEVICE + GIB1 + MIB2);
	reaches_nothing(first - 2);
	reaches_nothing(first + GIB1 + MIB2 + 1);
}

/* Frames and pages that are not aligned alike have small leaves. */
static void leaves_are_as_large_as_both_sides_allow(void **state)
{
	uint64_t first = UINT64_C(5) << 27;

	(void)state;
	OK(fh_boot_table_map(&boot, first, address(DEVICE + MIB2), GIB1,
			     data()));
	assert_int_equal(query(first).pages, MIB2);
	OK(fh_boot_table_map(&boot, first + GIB1, address(DEVICE + 1), MIB2,
			     data()));
	assert_int_equal(query(first + GIB1).pages, 1);
	REACHES(first + GIB1 + MIB2 - 1, DEVICE + MIB2);
	OK(fh_boot_table_map(&boot, first + 2 * GIB1 + 1, address(DEVICE), MIB2,
			     data()));
	assert_int_equal(query(first + 2 * GIB1 + 1).pages, 1);
	REACHES(first + 2 * GIB1 + 1, DEVICE);
	REACHES(first + 2 * GIB1 + MIB2, DEVICE + MIB2 - 1);
}

static void format_limits_the_leaves(void **state)
{
	const struct fh_table_format small = {.levels = 4, .huge_level = 1};
	uint64_t first = UINT64_C(5) << 27;

	(void)state;
	OK(fh_boot_table_open(&boot, address(ROOT), &small));
	OK(fh_boot_table_map(&boot, first, address(DEVICE), MIB2, data()));
	assert_int_equal(query(first).pages, 1);
	REACHES(first + MIB2 - 1, DEVICE + MIB2 - 1);
}

static void both_halves_to_their_ends(void **state)
{
	uint64_t half = UINT64_C(1) << 35;
	uint64_t top = UINT64_C(1) << 52;

	(void)state;
	OK(map_page(half - 1, 2));
	OK(map_page(top - 1, 3));
	OK(map_page(top - half, 4));
	REACHES(half - 1, 2);
	REACHES(top - 1, 3);
	REACHES(top - half, 4);
	keep_firmware();
	assert_int_equal(map_page(half, 2), FH_E_OUT_OF_BOUND);
	assert_int_equal(map_page(top - half - 1, 2), FH_E_OUT_OF_BOUND);
	assert_int_equal(map_page(top, 2), FH_E_OUT_OF_BOUND);
	assert_int_equal(map_page(UINT64_MAX, 2), FH_E_OUT_OF_BOUND);
	assert_int_equal(
		fh_boot_table_map(&boot, half - 2, address(0), 3, data()),
		FH_E_OUT_OF_BOUND);
	assert_int_equal(
		fh_boot_table_map(&boot, top - 2, address(0), 3, data()),
		FH_E_OUT_OF_BOUND);
	assert_int_equal(make_read_only(half), FH_E_OUT_OF_BOUND);
	struct fh_mapping mapping;
	assert_int_equal(fh_boot_table_query(&boot, half, &mapping),
			 FH_E_OUT_OF_BOUND);
	firmware_is_as_it_was();
}

static void senseless_arguments_are_refused(void **state)
{
	struct fh_page_prop tracked = data();
	struct fh_page_prop no_cache = data();
	struct fh_paddr odd = {.bytes = 2 * FH_PAGE_SIZE + 1};

	(void)state;
	tracked.flags |= FH_PAGE_TRACKED;
	no_cache.cache = FH_CACHE_KINDS;
	assert_int_equal(fh_boot_table_map(&boot, HOLE, address(2), 0, data()),
			 FH_E_EMPTY);
	assert_int_equal(fh_boot_table_map(&boot, HOLE, odd, 1, data()),
			 FH_E_NOT_ALIGNED);
	assert_int_equal(fh_boot_table_map(&boot, HOLE, address(2), 1, tracked),
			 FH_E_INVALID);
	assert_int_equal(
		fh_boot_table_map(&boot, HOLE, address(2), 1, no_cache),
		FH_E_INVALID);
	assert_int_equal(map_page(HOLE, FH_ARCH_FRAME_END), FH_E_OUT_OF_BOUND);
	assert_int_equal(fh_boot_table_map(&boot, HOLE,
					   address(FH_ARCH_FRAME_END - 1), 2,
					   data()),
			 FH_E_OUT_OF_BOUND);
	firmware_is_as_it_was();
}

static void roots_and_formats_that_are_none(void **state)
{
	const struct fh_table_format none = {.levels = FH_ARCH_MAX_LEVELS + 1};
	struct fh_paddr odd = {.bytes = ROOT * FH_PAGE_SIZE + 8};
	struct fh_boot_table other;

	(void)state;
	assert_int_equal(fh_boot_table_open(&other, address(ROOT), &none),
			 FH_E_INVALID);
	assert_int_equal(fh_boot_table_open(&other, odd, &format),
			 FH_E_NOT_ALIGNED);
	assert_int_equal(fh_boot_table_open(&other, address(0), &format),
			 FH_E_OUT_OF_BOUND);
	assert_int_equal(
		fh_boot_table_open(&other, address(FH_ARCH_FRAME_END), &format),
		FH_E_OUT_OF_BOUND);
	OK(fh_boot_table_open(&other, address(ROOT), NULL));
	OK(fh_boot_table_dismiss(&other));
}

/* ---- Changing ---- */

static void unmapped_page_is_not_changed(void **state)
{
	(void)state;
	assert_int_equal(make_read_only(HOLE), FH_E_NOT_MAPPED);
	assert_int_equal(make_read_only(UINT64_C(5) << 27), FH_E_NOT_MAPPED);
	firmware_is_as_it_was();
}

static void pages_keep_properties_of_their_own(void **state)
{
	struct fh_page_prop slow = data();

	(void)state;
	if (fh_arch_can_map(
		    1,
		    (struct fh_page_prop){FH_PAGE_READ, FH_CACHE_UNCACHEABLE},
		    FH_ARCH_FEATURES))
		slow.cache = FH_CACHE_UNCACHEABLE;
	OK(map_page(HOLE, 2));
	OK(fh_boot_table_map(&boot, HOLE + 1, address(3), 1, slow));
	OK(make_read_only(HOLE));
	assert_int_equal(query(HOLE).prop.flags &
				 (FH_PAGE_READ | FH_PAGE_WRITE),
			 FH_PAGE_READ);
	assert_int_equal(query(HOLE).prop.cache, FH_CACHE_WRITEBACK);
	assert_int_equal(query(HOLE + 1).prop.flags &
				 (FH_PAGE_READ | FH_PAGE_WRITE),
			 FH_PAGE_READ | FH_PAGE_WRITE);
	assert_int_equal(query(HOLE + 1).prop.cache, slow.cache);
	REACHES(HOLE, 2);
	REACHES(HOLE + 1, 3);
}

/* Every other page of what the firmware mapped is as it was. */
static void rest_is_as_it_was(uint64_t except)
{
	for (uint64_t i = 0; i < 16; i++)
		if (i != except)
			is_as_it_was(i, 1024 + i);
	for (uint64_t i = 0; i < MIB2; i++)
		if (MIB2 + i != except)
			is_as_it_was(MIB2 + i, IMAGE + i);
	for (uint64_t i = 0; i < MIB2; i++)
		if (2 * MIB2 + i != except)
			is_as_it_was(2 * MIB2 + i, DEVICE + GIB1 + i);
	for (uint64_t i = 0; i < GIB1; i++)
		if (GIB1 + i != except)
			is_as_it_was(GIB1 + i, DEVICE + i);
	reaches_nothing(3 * MIB2);
	reaches_nothing(2 * GIB1);
}

static void is_read_only(uint64_t page, uint64_t frame)
{
	struct mmu_translation found = translation(page);

	assert_int_equal(found.frame, frame);
	assert_int_equal(found.kernel, MMU_READ);
	assert_int_equal(found.level, 1);
}

static void small_leaf_is_changed_in_place(void **state)
{
	uint64_t taken = init.map->spans[0].taken;

	(void)state;
	OK(make_read_only(3));
	is_read_only(3, 1027);
	rest_is_as_it_was(3);
	firmware_differs_at(NODE1, 3);
	assert_int_equal(init.map->spans[0].taken, taken);
}

static void split_of_2_mib_leaves_the_rest_as_it_was(void **state)
{
	(void)state;
	OK(make_read_only(MIB2 + 77));
	is_read_only(MIB2 + 77, IMAGE + 77);
	rest_is_as_it_was(MIB2 + 77);
	firmware_differs_at(NODE2, 1);
}

/* With the stride of each level. */
static void split_of_1_gib_leaves_the_rest_as_it_was(void **state)
{
	uint64_t at = 5 * MIB2 + 77;

	(void)state;
	OK(make_read_only(GIB1 + at));
	is_read_only(GIB1 + at, DEVICE + at);
	rest_is_as_it_was(GIB1 + at);
	firmware_differs_at(NODE3, 1);
	assert_int_equal(query(GIB1).pages, MIB2);
	assert_int_equal(query(GIB1 + at).pages, 1);
}

static void ends_of_a_large_leaf_are_pages_like_others(void **state)
{
	(void)state;
	OK(make_read_only(GIB1));
	is_read_only(GIB1, DEVICE);
	rest_is_as_it_was(GIB1);
	OK(fh_boot_table_protect(
		&boot, GIB1,
		(struct fh_prop_change){.set = FH_PAGE_WRITE | FH_PAGE_EXEC}));
	rest_is_as_it_was(UINT64_MAX);
	OK(make_read_only(2 * GIB1 - 1));
	is_read_only(2 * GIB1 - 1, DEVICE + GIB1 - 1);
	rest_is_as_it_was(2 * GIB1 - 1);
}

static void change_that_cannot_be_said_is_refused(void **state)
{
	const struct fh_prop_change tracked = {.set = FH_PAGE_TRACKED};
	const struct fh_prop_change other = {.set = UINT32_C(1) << 20};

	(void)state;
	assert_int_equal(fh_boot_table_protect(&boot, GIB1, tracked),
			 FH_E_INVALID);
	assert_int_equal(fh_boot_table_protect(&boot, GIB1, other),
			 FH_E_INVALID);
	assert_int_equal(fh_boot_table_protect(&boot, 3, other), FH_E_INVALID);
	firmware_is_as_it_was();
}

/* One node under two names: so are the changes, and nothing is lost. */
static void node_with_two_names_is_changed_once(void **state)
{
	(void)state;
	REACHES(alias_page(3), 1027);
	OK(make_read_only(alias_page(GIB1 + 3)));
	is_read_only(GIB1 + 3, DEVICE + 3);
	is_read_only(alias_page(GIB1 + 3), DEVICE + 3);
	OK(map_page(alias_page(HOLE), 2));
	REACHES(HOLE, 2);
	assert_int_equal(map_page(HOLE, 2), FH_E_MAPPED);
	rest_is_as_it_was(GIB1 + 3);
}

/* The calling CPU runs on them, with an MMU of the format. */
static void start_mmu(void)
{
	int format_number = 0;
	static const char *const names[] = {
		[HOSTED_MMU_X86_64] = "x86-64",
		[HOSTED_MMU_RISCV] = "RISC-V",
		[HOSTED_MMU_AARCH64] = "AArch64",
		[HOSTED_MMU_LOONGARCH] = "LoongArch64",
		[HOSTED_MMU_HOSTILE] = "hostile",
	};
	while (strcmp(names[format_number], FH_ARCH_NAME) != 0)
		format_number++;
	OK(hosted_mmu_start((enum hosted_mmu_format)format_number, 4));
}

static void run_on_them(void)
{
	fh_host_preempt_off();
	fh_host_activate(address(ROOT), FH_ASID_KERNEL);
	fh_host_preempt_on();
}

static void forget_all(void)
{
	fh_host_preempt_off();
	fh_host_flush_asid(FH_ASID_KERNEL);
	fh_host_preempt_on();
}

static void nothing_is_wrong(void)
{
	struct hosted_mmu_report report;
	char text[HOSTED_MMU_TEXT_SIZE];

	if (hosted_mmu_check(&report))
		return;
	hosted_mmu_report_text(&report, text, sizeof(text));
	fail_msg("%s", text);
}

/* A CPU that runs on the tables, and has them cached. */
static void cpu_goes_by_the_change(void **state)
{
	uint64_t va = (MIB2 + 88) * FH_PAGE_SIZE;
	uint64_t at = va + 8;
	uint64_t word;

	(void)state;
	start_mmu();
	run_on_them();
	*entry_of(IMAGE + 88, 1) = 12345;
	assert_true(hosted_mmu_load64(0, at, &word));
	assert_int_equal(word, 12345);
	assert_true(hosted_mmu_store64(0, at, 54321));
	OK(make_read_only(va / FH_PAGE_SIZE));
	assert_false(hosted_mmu_store64(0, at, 1));
	assert_true(hosted_mmu_load64(0, at, &word));
	assert_int_equal(word, 54321);
	assert_true(hosted_mmu_store64(0, at + FH_PAGE_SIZE, 1));
	OK(make_read_only(va / FH_PAGE_SIZE + 1));
	assert_false(hosted_mmu_store64(0, at + FH_PAGE_SIZE, 1));
	nothing_is_wrong();
}

/*
 * Another CPU goes on using a leaf while it is split: it never finds half of
 * what is to be there, nor two entries for one page.
 */
#define SPLITS 400

static uint64_t splits_done;

static uint64_t split_page(uint64_t i)
{
	return (UINT64_C(5) << 27) + i * MIB2;
}

/* The leaf is being broken: tried again when it is made. */
static bool await_split(unsigned cpu, uint64_t va, enum hosted_access access,
			void *arg)
{
	uint64_t i = (va / FH_PAGE_SIZE - split_page(0)) / MIB2;

	(void)cpu;
	(void)access;
	(void)arg;
	while (__atomic_load_n(&splits_done, __ATOMIC_ACQUIRE) <= i)
		fh_host_relax();
	return true;
}

static void split_or_load(unsigned cpu, void *arg)
{
	uint64_t word;

	(void)arg;
	run_on_them();
	if (cpu == 0) {
		for (uint64_t i = 0; i < SPLITS; i++) {
			OK(make_read_only(split_page(i) + 5));
			__atomic_store_n(&splits_done, i + 1, __ATOMIC_RELEASE);
		}
		return;
	}
	for (;;) {
		uint64_t i = __atomic_load_n(&splits_done, __ATOMIC_ACQUIRE);

		if (i == SPLITS)
			break;
		assert_true(hosted_mmu_load64(1, split_page(i) * FH_PAGE_SIZE,
					      &word));
		assert_int_equal(word, 777);
		/* So that it walks all the time. */
		forget_all();
	}
	forget_all();
}

static void leaf_in_use_is_split_at_once(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < SPLITS; i++)
		OK(fh_boot_table_map(&boot, split_page(i), address(IMAGE), MIB2,
				     data()));
	*entry_of(IMAGE, 0) = 777;
	bring_up();
	start_mmu();
	hosted_mmu_set_fault_handler(await_split, NULL);
	splits_done = 0;
	hosted_run(2, split_or_load, NULL);
	nothing_is_wrong();
}

/* ---- Memory ---- */

/* Early memory that is all taken: no page is mapped, no leaf split. */
static void nothing_changes_without_early_memory(void **state)
{
	uint64_t page = UINT64_C(5) << 27;
	uint64_t first;
	uint64_t n = 0;

	(void)state;
	while (fh_early_alloc(1, 1, &first) == FH_OK)
		n++;
	assert_true(n > 1000);
	assert_int_equal(map_page(page, 2), FH_E_NO_MEMORY);
	assert_int_equal(make_read_only(GIB1 + 3), FH_E_NO_MEMORY);
	assert_int_equal(make_read_only(MIB2 + 3), FH_E_NO_MEMORY);
	assert_int_equal(fh_boot_table_reserve(&boot, 1), FH_E_NO_MEMORY);
	firmware_is_as_it_was();
	/* What needs no node needs no memory. */
	OK(map_page(HOLE, 2));
	OK(make_read_only(3));
}

/* The early allocator takes nothing back: a next try goes on from there. */
static void pages_of_a_refused_map_are_kept_at_hand(void **state)
{
	uint64_t page = UINT64_C(5) << 27;
	uint64_t taken;
	uint64_t first;

	(void)state;
	while (init.map->spans[1].count > init.map->spans[1].taken &&
	       fh_early_alloc(1, 1, &first) == FH_OK &&
	       init.map->spans[2].count - init.map->spans[2].taken > 3)
		continue;
	taken = init.map->spans[2].taken;
	assert_int_equal(init.map->spans[2].count - taken, 3);
	assert_int_equal(map_page(page, 2), FH_E_NO_MEMORY);
	firmware_is_as_it_was();
	/* One node, and its place on a list. */
	OK(make_read_only(MIB2 + 3));
	is_read_only(MIB2 + 3, IMAGE + 3);
	assert_int_equal(make_read_only(GIB1), FH_E_NO_MEMORY);
	assert_int_equal(init.map->spans[2].taken, taken + 3);
}

static void reserved_pages_need_no_memory(void **state)
{
	uint64_t page = UINT64_C(5) << 27;
	uint64_t taken;

	(void)state;
	OK(fh_boot_table_reserve(&boot, 600));
	taken = init.map->spans[0].taken + init.map->spans[2].taken;
	for (uint64_t i = 0; i < 597; i++)
		OK(map_page(page + i * MIB2, i));
	assert_int_equal(init.map->spans[0].taken + init.map->spans[2].taken,
			 taken);
	for (uint64_t i = 0; i < 597; i++)
		REACHES(page + i * MIB2, i);
}

/* Junk is not taken for entries. */
static void nodes_are_empty_at_first(void **state)
{
	uint64_t page = UINT64_C(5) << 27;

	(void)state;
	for (uint64_t i = 0; i < 32; i++)
		memset(entry_of(i, 0), 0xa5, FH_PAGE_SIZE);
	OK(map_page(page, 2));
	for (uint64_t i = 1; i < FH_NODE_ENTRIES; i++) {
		reaches_nothing(page + i);
		reaches_nothing(page + i * MIB2);
		reaches_nothing(page + i * GIB1);
	}
}

static void early_pages_are_held_and_come_back(void **state)
{
	uint64_t page = UINT64_C(5) << 27;
	struct fh_memory_totals totals;

	(void)state;
	OK(map_page(page, 2));
	OK(fh_boot_table_reserve(&boot, 7));
	uint64_t early = init.map->spans[0].taken;
	bring_up();
	fh_memory_totals(&totals);
	assert_true(totals.early + 1 >= early && totals.early >= 4 + 7);
	uint64_t before = count_free();

	REACHES(page, 2);
	AUDIT();
	OK(fh_boot_table_dismiss(&boot));
	assert_int_equal(count_free(), before + 4 + 7);
	AUDIT();
}

static void frames_serve_once_memory_is_up(void **state)
{
	uint64_t page = UINT64_C(5) << 27;

	(void)state;
	OK(map_page(HOLE, 2));
	bring_up();
	uint64_t before = count_free();

	keep_firmware();
	OK(map_page(page, 2));
	REACHES(page, 2);
	firmware_differs_at(ROOT, 5);
	OK(make_read_only(GIB1 + 3));
	is_read_only(GIB1 + 3, DEVICE + 3);
	rest_is_as_it_was(GIB1 + 3);
	assert_int_equal(count_free(), before - 4 - 2);
	AUDIT();
	OK(fh_boot_table_dismiss(&boot));
	NOTHING_HELD(before);
}

/* More nodes than one list has room for, from both. */
static void all_nodes_come_back(void **state)
{
	uint64_t page = UINT64_C(5) << 27;

	(void)state;
	for (uint64_t i = 0; i < 520; i++)
		OK(map_page(page + i * MIB2, i));
	bring_up();
	uint64_t before = count_free();
	for (uint64_t i = 520; i < 1100; i++)
		OK(map_page(page + i * MIB2, i));
	for (uint64_t i = 0; i < 1100; i++)
		REACHES(page + i * MIB2, i);
	assert_true(count_free() < before - 500);
	OK(fh_boot_table_dismiss(&boot));
	/* 520 of the lowest level, two above and three of the next, lists. */
	assert_int_equal(count_free(), before + 520 + 1 + 2 + 2);
	AUDIT();
}

static void refused_frames_go_back(void **state)
{
	static struct fh_frame held[RAM];
	uint64_t page = UINT64_C(5) << 27;
	uint64_t n = 0;

	(void)state;
	bring_up();
	uint64_t before = count_free();

	while (fh_frame_alloc(NULL, &fh_untyped_type, NULL, &held[n]) == FH_OK)
		n++;
	/* Three nodes and a list are needed. */
	for (uint64_t free = 0; free < 4; free++) {
		keep_firmware();
		REFUSES(FH_E_NO_MEMORY, map_page(page, 2));
		firmware_is_as_it_was();
		assert_int_equal(count_free(), free);
		n--;
		fh_frame_put(&held[n]);
	}
	OK(map_page(page, 2));
	while (n > 0) {
		n--;
		fh_frame_put(&held[n]);
	}
	OK(fh_boot_table_dismiss(&boot));
	NOTHING_HELD(before);
}

/* Neither early memory nor frames: fh_init() failed and closed it. */
static void without_any_allocator_there_is_no_memory(void **state)
{
	(void)state;
	fh_early_end();
	assert_int_equal(map_page(UINT64_C(5) << 27, 2), FH_E_NO_MEMORY);
	OK(map_page(HOLE, 2));
	firmware_differs_at(NODE1, HOLE);
}

/* ---- CPUs ---- */

static void use_after_dismissal_is_refused(void **state)
{
	struct fh_mapping mapping;

	(void)state;
	OK(fh_boot_table_dismiss(&boot));
	assert_int_equal(map_page(HOLE, 2), FH_E_INVALID);
	assert_int_equal(make_read_only(3), FH_E_INVALID);
	assert_int_equal(fh_boot_table_query(&boot, 3, &mapping), FH_E_INVALID);
	assert_int_equal(fh_boot_table_reserve(&boot, 1), FH_E_INVALID);
	assert_int_equal(fh_boot_table_join(&boot, 1), FH_E_INVALID);
	assert_int_equal(fh_boot_table_dismiss(&boot), FH_E_INVALID);
	firmware_is_as_it_was();
}

static void joining_twice_is_refused(void **state)
{
	(void)state;
	assert_int_equal(fh_boot_table_join(&boot, 0), FH_E_TWICE);
	OK(fh_boot_table_join(&boot, 1));
	assert_int_equal(fh_boot_table_join(&boot, 1), FH_E_TWICE);
	assert_int_equal(fh_boot_table_join(&boot, FH_MAX_CPUS),
			 FH_E_OUT_OF_BOUND);
}

#define CPUS 4

static uint64_t free_before;
static uint64_t mapped;
static uint64_t turn;

/* In order: the last CPU but one has gone when the last one looks. */
static void use_and_dismiss(unsigned cpu, void *arg)
{
	uint64_t page = (UINT64_C(5) + cpu) << 27;

	(void)arg;
	OK(map_page(page, cpu + 1));
	/* What is free can be counted while nobody allocates. */
	__atomic_add_fetch(&mapped, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&mapped, __ATOMIC_ACQUIRE) != CPUS ||
	       __atomic_load_n(&turn, __ATOMIC_ACQUIRE) != cpu)
		fh_host_relax();
	assert_true(query(page).is_mapped);
	assert_true(count_free() < free_before);
	OK(fh_boot_table_dismiss(&boot));
	assert_int_equal(map_page(page + 1, 1), FH_E_INVALID);
	assert_int_equal(fh_boot_table_dismiss(&boot), FH_E_INVALID);
	__atomic_store_n(&turn, cpu + 1U, __ATOMIC_RELEASE);
	/* Nor while a CPU goes offline, and gives back what it kept. */
	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != CPUS)
		fh_host_relax();
}

static void last_cpu_frees_the_nodes(void **state)
{
	(void)state;
	bring_up();
	for (unsigned cpu = 1; cpu < CPUS; cpu++)
		OK(fh_boot_table_join(&boot, cpu));
	mapped = 0;
	turn = 0;
	free_before = count_free();
	hosted_run(CPUS, use_and_dismiss, NULL);
	NOTHING_HELD(free_before);
}

static void never_joined(unsigned cpu, void *arg)
{
	(void)arg;
	if (cpu == 1) {
		assert_int_equal(map_page(HOLE, 2), FH_E_INVALID);
		assert_int_equal(fh_boot_table_dismiss(&boot), FH_E_INVALID);
	}
}

static void cpu_that_was_not_told_is_refused(void **state)
{
	(void)state;
	hosted_run(2, never_joined, NULL);
	OK(map_page(HOLE, 2));
}

static void dismissing_cpu_forgets_all(void **state)
{
	uint64_t flushes;

	(void)state;
	start_mmu();
	flushes = hosted_mmu_counts().flushes;
	OK(fh_boot_table_dismiss(&boot));
	assert_int_equal(hosted_mmu_counts().flushes, flushes + 1);
}

static int stop_firmware(void **state)
{
	(void)state;
	hosted_stop();
	return 0;
}

#define T(name)                                                                \
	cmocka_unit_test_setup_teardown(name, start_firmware, stop_firmware)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(page_is_mapped_before_memory_is_up),
		T(missing_nodes_come_from_early_memory),
		T(mapped_page_is_refused),
		T(entry_of_a_page_is_never_a_table),
		T(entry_that_is_not_present_is_in_the_way),
		T(many_pages_have_the_largest_leaves),
		T(leaves_are_as_large_as_both_sides_allow),
		T(format_limits_the_leaves),
		T(both_halves_to_their_ends),
		T(senseless_arguments_are_refused),
		T(roots_and_formats_that_are_none),
		T(unmapped_page_is_not_changed),
		T(pages_keep_properties_of_their_own),
		T(small_leaf_is_changed_in_place),
		T(split_of_2_mib_leaves_the_rest_as_it_was),
		T(split_of_1_gib_leaves_the_rest_as_it_was),
		T(ends_of_a_large_leaf_are_pages_like_others),
		T(change_that_cannot_be_said_is_refused),
		T(node_with_two_names_is_changed_once),
		T(cpu_goes_by_the_change),
		T(leaf_in_use_is_split_at_once),
		T(nothing_changes_without_early_memory),
		T(pages_of_a_refused_map_are_kept_at_hand),
		T(reserved_pages_need_no_memory),
		T(nodes_are_empty_at_first),
		T(early_pages_are_held_and_come_back),
		T(frames_serve_once_memory_is_up),
		T(all_nodes_come_back),
		T(refused_frames_go_back),
		T(without_any_allocator_there_is_no_memory),
		T(use_after_dismissal_is_refused),
		T(joining_twice_is_refused),
		T(last_cpu_frees_the_nodes),
		T(cpu_that_was_not_told_is_refused),
		T(dismissing_cpu_forgets_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
