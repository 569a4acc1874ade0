/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the hosted MMU caches, for how long, and what of it is stale.
 */
#include "mmu_tables.h"

/* ---- What is cached ---- */

static void unmapped_page_stays(void)
{
	map(VA, DATA, 1, RW | DONE);
	map(VA + PAGE, DATA + 1, 1, RW | DONE);
	mark(DATA, 11);
	assert_int_equal(word_at(VA), 11);
	assert_true(loads(VA + PAGE));
	nothing_is_wrong();
	uint64_t old = *slot(VA, 1);

	set(slot(VA, 1), 0);
	/* Stale, and used, by what is in the window and after it is emptied. */
	assert_int_equal(word_at(VA), 11);
	hosted_mmu_set_user(true);
	hosted_mmu_set_user(false);
	assert_int_equal(word_at(VA), 11);
	assert_true(stores(VA));
	struct hosted_mmu_report report = wrong(HOSTED_MMU_STALE);
	assert_int_equal(report.cpu, 0);
	assert_int_equal(report.asid, 1);
	assert_int_equal(report.va, VA);
	assert_int_equal(report.frame, DATA);
	assert_int_equal(report.old_entry, old);
	assert_int_equal(report.new_entry, 0);

	flush(1, VA + PAGE, 1); /* another page */
	flush(2, VA, 1);        /* another address space */
	assert_true(loads(VA));
	flush(1, VA, 1);
	assert_false(loads(VA));
	assert_false(stores(VA));
	assert_true(loads(VA + PAGE));
	nothing_is_wrong();
}

static void unmapped_page_is_used_until_its_flush(void **state)
{
	(void)state;
	with_each(unmapped_page_stays, NULL);
}

static void clean_page_is_tracked(void)
{
	uint64_t dirty = UINT64_C(1) << 6, accessed = UINT64_C(1) << 5;
	uint64_t volatile *word = hosted_mmu_address(0, VA);

	map(VA, DATA, 1, RW);
	assert_int_equal(*slot(VA, 2) & accessed, 0);
	(void)*word;
	assert_int_equal(*slot(VA, 1) & (dirty | accessed), accessed);
	assert_int_equal(*slot(VA, 2) & accessed, accessed);
	assert_int_equal(*slot(VA, levels) & accessed, accessed);
	*word = 1;
	assert_int_equal(*slot(VA, 1) & (dirty | accessed), dirty | accessed);
	nothing_is_wrong();

	/* Cleared without a flush, it is not set again: a lost store. */
	*slot(VA, 1) &= ~dirty;
	*word = 2;
	assert_int_equal(*slot(VA, 1) & dirty, 0);
	(void)wrong(HOSTED_MMU_STALE);
	flush(1, VA, 1);
	*word = 3;
	assert_int_equal(*slot(VA, 1) & dirty, dirty);

	/* Accessed alone may be behind. */
	*slot(VA, 1) &= ~accessed;
	nothing_is_wrong();
	/* Not by an access that is refused. */
	map(VA + PAGE, DATA, 1, R);
	assert_false(stores(VA + PAGE));
	assert_int_equal(*slot(VA + PAGE, 1) & (dirty | accessed), 0);
}

static void accessed_and_dirty_are_set_by_hardware(void **state)
{
	(void)state;
	with_each(clean_page_is_tracked, sets_bits);
}

static void missing_bits_fault(void)
{
	bool has_dirty = format->number != HOSTED_MMU_AARCH64;

	map(VA, DATA, 1, RW);
	uint64_t raw = *slot(VA, 1);
	assert_false(loads(VA));
	assert_false(stores(VA));
	assert_int_equal(*slot(VA, 1), raw);
	map(VA, DATA, 1, RW | A);
	assert_true(loads(VA));
	assert_int_equal(stores(VA), !has_dirty);
	map(VA, DATA, 1, RW | A | D);
	/* What is cached does not know yet. */
	assert_int_equal(stores(VA), !has_dirty);
	flush(1, VA, 1);
	assert_true(stores(VA));
	nothing_is_wrong();
}

static void bits_that_software_sets_fault_before(void **state)
{
	(void)state;
	with_each(missing_bits_fault, needs_bits);
}

/* ---- Large leaves ---- */

static void large_leaf(unsigned level)
{
	uint64_t pages = UINT64_C(1) << (9 * (level - 1));
	uint64_t last = BIG_AT + (pages - 1) * PAGE;

	map(BIG_AT, BIG, level, RW | DONE);
	mark(BIG, 1);
	mark(BIG + 5, 2);
	mark(BIG + pages - 1, 3);
	assert_int_equal(word_at(BIG_AT), 1);
	assert_int_equal(word_at(BIG_AT + 5 * PAGE), 2);
	assert_int_equal(word_at(last), 3);
	nothing_is_wrong();

	/* All of it is cached; a flush takes out the pages that it names. */
	*slot(BIG_AT, level) = 0;
	flush(1, BIG_AT + 5 * PAGE, 1);
	assert_false(loads(BIG_AT + 5 * PAGE));
	assert_int_equal(word_at(BIG_AT), 1);
	assert_true(loads(BIG_AT + 4 * PAGE));
	assert_true(loads(BIG_AT + 6 * PAGE));
	assert_int_equal(word_at(last), 3);
	struct hosted_mmu_report report = wrong(HOSTED_MMU_STALE);
	assert_int_equal(report.level, level);
	assert_true(hosted_mmu_find_frame(BIG + 6, NULL));
	assert_false(hosted_mmu_find_frame(BIG + 5, NULL));
	flush(1, BIG_AT, pages);
	assert_false(loads(BIG_AT));
	assert_false(loads(last));
	assert_false(hosted_mmu_find_frame(BIG + 6, NULL));
	nothing_is_wrong();
}

static void large_leaf_of_2_mib(void)
{
	large_leaf(2);
}

static void large_leaf_of_1_gib(void)
{
	/* AArch64 and LoongArch have them too. */
	large_leaf(3);
}

static void large_leaves_are_cached_whole_and_flushed_by_page(void **state)
{
	(void)state;
	with_each(large_leaf_of_2_mib, NULL);
	with_each(large_leaf_of_1_gib, NULL);
}

static void split_is_fine(void)
{
	map(BIG_AT, BIG, 2, RW | DONE);
	assert_true(loads(BIG_AT));
	uint64_t node = new_node();
	for (uint64_t i = 0; i < 512; i++)
		((uint64_t *)page_of(node))[i] =
			format->leaf(BIG + i, 1, RW | DONE);
	set(slot(BIG_AT, 2), format->table(node, 2));
	nothing_is_wrong();
	((uint64_t *)page_of(node))[511] = format->leaf(BIG + 511, 1, R | DONE);
	assert_int_equal(wrong(HOSTED_MMU_STALE).va, BIG_AT + 511 * PAGE);
	((uint64_t *)page_of(node))[511] =
		format->leaf(BIG + 510, 1, RW | DONE);
	assert_int_equal(wrong(HOSTED_MMU_STALE).frame, BIG + 511);
}

static void split_of_a_large_leaf_is_not_stale(void **state)
{
	(void)state;
	with_each(split_is_fine, needs_no_break);
}

/* ---- Address spaces ---- */

static void another_asid(void)
{
	uint64_t first = root, second = new_node();

	mark(DATA, 21);
	mark(DATA + 1, 22);
	mark(DATA + 2, 23);
	map(VA, DATA, 1, RW | DONE);
	root = second;
	map(VA, DATA + 1, 1, RW | DONE);
	assert_int_equal(word_at(VA), 21);
	activate(second, 2);
	assert_int_equal(word_at(VA), 22);
	/* What the inactive one has cached is not usable, nor looked at. */
	root = first;
	*slot(VA, 1) = 0;
	nothing_is_wrong();
	assert_false(hosted_mmu_find_frame(DATA, NULL));
	activate(first, 1);
	assert_int_equal(word_at(VA), 21);
	assert_true(hosted_mmu_find_frame(DATA, NULL));
	assert_int_equal(wrong(HOSTED_MMU_STALE).asid, 1);
	activate(second, 2);
	flush_asid(1);
	assert_int_equal(word_at(VA), 22);
	activate(first, 1);
	assert_false(loads(VA));

	/* An asid used for another root, without a flush. */
	uint64_t third = new_node();
	root = third;
	map(VA, DATA + 2, 1, RW | DONE);
	activate(third, 2);
	assert_int_equal(word_at(VA), 22);
	flush_asid(2);
	assert_int_equal(word_at(VA), 23);
	nothing_is_wrong();
}

static void asid_keeps_its_entries_until_they_are_flushed(void **state)
{
	(void)state;
	with_each(another_asid, needs_no_break);
}

static void global_entry(void)
{
	uint64_t va = kernel_half() + 7 * PAGE;
	uint64_t first = root, second = new_node();

	mark(DATA, 31);
	map(va, DATA, 1, RW | G | DONE);
	memcpy(page_of(second), page_of(root), PAGE);
	assert_int_equal(word_at(va), 31);
	*slot(va, 1) = 0;
	activate(second, 2);
	assert_int_equal(word_at(va), 31);
	assert_true(wrong(HOSTED_MMU_STALE).global);
	flush(2, va, 1);
	flush(1, va, 1);
	flush_asid(2);
	assert_int_equal(word_at(va), 31);
	flush(FH_ASID_KERNEL, va, 1);
	assert_false(loads(va));
	map(va, DATA, 1, RW | G | DONE);
	assert_int_equal(word_at(va), 31);
	*slot(va, 1) = 0;
	activate(first, 1);
	assert_int_equal(word_at(va), 31);
	flush_asid(FH_ASID_KERNEL);
	assert_false(loads(va));
	nothing_is_wrong();
}

static void global_entries_are_everybodys(void **state)
{
	(void)state;
	with_each(global_entry, NULL);
}

static void kernel_flush_of_pages(void)
{
	map(VA, DATA, 1, RW | DONE);
	assert_true(loads(VA));
	activate(root, 2);
	assert_true(loads(VA));
	*slot(VA, 1) = 0;
	flush(FH_ASID_KERNEL, VA, 1);
	assert_false(loads(VA));
	activate(root, 1);
	assert_false(loads(VA));
}

static void kernel_flush_is_under_every_asid(void **state)
{
	(void)state;
	with_each(kernel_flush_of_pages, NULL);
}

/* ---- Nodes ---- */

static void cached_node(void)
{
	uint64_t *at = slot(VA, 2);

	mark(DATA, 41);
	mark(DATA + 1, 42);
	map(VA, DATA, 1, RW | DONE);
	map(VA + 8 * PAGE, DATA + 1, 1, RW | DONE);
	uint64_t *leaves = slot(VA, 1);
	uint64_t node = at[0];
	assert_int_equal(word_at(VA), 41);
	/* Taken out of its parent, it is still walked. */
	*at = 0;
	assert_int_equal(word_at(VA + 8 * PAGE), 42);
	struct hosted_mmu_report report = wrong(HOSTED_MMU_STALE);
	flush(1, VA, 1);
	flush(1, VA + 8 * PAGE, 1);
	assert_false(loads(VA));
	nothing_is_wrong();
	(void)report;

	*at = node;
	assert_int_equal(word_at(VA), 41);
	*at = 0;
	leaves[0] = 0;
	leaves[8] = 0;
	/* The leaf flushed, and the nodes with it: none is walked any more. */
	flush(1, VA, 1);
	leaves[0] = format->leaf(DATA, 1, RW | DONE);
	assert_false(loads(VA));
}

static void detached_node_is_walked_until_the_flush(void **state)
{
	(void)state;
	with_each(cached_node, NULL);
}

static void found_frames(void)
{
	struct hosted_mmu_report report;

	map(VA, DATA, 1, RW | DONE);
	uint64_t node = last_node(); /* of level 1 */
	assert_false(hosted_mmu_find_frame(DATA, &report));
	assert_false(hosted_mmu_find_frame(node, &report));
	assert_true(loads(VA));
	assert_true(hosted_mmu_find_frame(DATA, &report));
	assert_int_equal(report.va, VA);
	assert_int_equal(report.cpu, 0);
	assert_false(report.node);
	assert_true(hosted_mmu_find_frame(node, &report));
	assert_true(report.node);
	assert_true(hosted_mmu_find_frame(root, NULL));
	assert_false(hosted_mmu_find_frame(DATA + 1, NULL));
	flush(1, VA, 1);
	assert_false(hosted_mmu_find_frame(DATA, NULL));
	assert_false(hosted_mmu_find_frame(node, NULL));
}

static void frames_that_are_cached_are_found(void **state)
{
	(void)state;
	with_each(found_frames, NULL);
}

/* ---- What is stale ---- */

static void differences(void)
{
	unsigned all = RWX | U | DONE;
	bool riscv = format->number == HOSTED_MMU_RISCV;

	map(VA, DATA, 1, all | G);
	assert_true(stores(VA));
	static const unsigned lost[] = {W, X, U, G};
	for (size_t i = 0; i < 4; i++) {
		map(VA, DATA, 1, (all | G) & ~lost[i]);
		(void)wrong(HOSTED_MMU_STALE);
	}
	if (riscv || format->sets_bits ||
	    format->number == HOSTED_MMU_HOSTILE) {
		map(VA, DATA, 1, (all | G) & ~D);
		(void)wrong(HOSTED_MMU_STALE);
	}
	/* Cached in another way. */
	static const unsigned memory[] = {
		[HOSTED_MMU_X86_64] = 4,   [HOSTED_MMU_RISCV] = 61,
		[HOSTED_MMU_AARCH64] = 2,  [HOSTED_MMU_LOONGARCH] = 4,
		[HOSTED_MMU_HOSTILE] = 23,
	};
	*slot(VA, 1) = format->leaf(DATA, 1, all | G) ^
		       UINT64_C(1) << memory[format->number];
	(void)wrong(HOSTED_MMU_STALE);
	map(VA, DATA, 1, all | G);
	nothing_is_wrong();

	/* More than was cached is not stale. */
	map(VA + PAGE, DATA, 1, R | DONE);
	assert_true(loads(VA + PAGE));
	map(VA + PAGE, DATA, 1, all);
	nothing_is_wrong();
	/* What an access was refused for is forgotten on x86, kept elsewhere. */
	(void)stores(VA + PAGE);
	assert_int_equal(stores(VA + PAGE), format->sets_bits);
	flush(1, VA + PAGE, 1);
	assert_true(stores(VA + PAGE));
	/* Global ones too. */
	map(VA + 2 * PAGE, DATA, 1, R | G | DONE);
	assert_true(loads(VA + 2 * PAGE));
	map(VA + 2 * PAGE, DATA, 1, RW | G | DONE);
	assert_false(stores(VA + 2 * PAGE));
	assert_int_equal(stores(VA + 2 * PAGE), format->sets_bits);
}

static void every_difference_that_matters_is_stale(void **state)
{
	(void)state;
	with_each(differences, NULL);
}

/* ---- Against a model ---- */

#define SPACES 2
#define PAGES  48

/* What a page of a space is mapped to: in the tables, and as cached. */
struct mapping {
	uint64_t frame; /* 0: nothing */
	bool writable;
};

static struct model {
	uint64_t roots[SPACES];
	struct mapping now[SPACES][PAGES];
	struct mapping cached[SPACES][PAGES];
	unsigned space;
	uint64_t random;
} model;

static uint64_t below(uint64_t n)
{
	model.random = model.random * UINT64_C(6364136223846793005) +
		       UINT64_C(1442695040888963407);
	return (model.random >> 33) % n;
}

/* Sixteen pages each below three nodes. */
static uint64_t address_of_page(unsigned page)
{
	return VA + page / 16 * 2 * MIB + page % 16 * PAGE;
}

static void model_maps(unsigned page)
{
	unsigned space = (unsigned)below(SPACES);
	struct mapping made = {below(3) == 0 ? 0 : DATA + below(64),
			       below(2) == 0};

	root = model.roots[space];
	set(slot(address_of_page(page), 1),
	    made.frame == 0 ? 0
			    : format->leaf(made.frame, 1,
					   (made.writable ? RW : R) | DONE));
	model.now[space][page] = made;
}

static void model_accesses(unsigned page, bool store)
{
	struct mapping *cached = &model.cached[model.space][page];
	struct mapping now = model.now[model.space][page];
	struct mapping used = cached->frame != 0 ? *cached : now;
	bool fine = used.frame != 0 && (!store || used.writable);
	uint64_t va = address_of_page(page), got = 0;

	if (store) {
		assert_int_equal(hosted_mmu_store64(0, va, used.frame), fine);
	} else {
		assert_int_equal(hosted_mmu_load64(0, va, &got), fine);
		if (fine)
			assert_int_equal(got, used.frame);
	}
	if (fine)
		*cached = used;
	else if (format->sets_bits)
		cached->frame = 0; /* x86: a fault forgets the page */
}

static void model_flushes(unsigned page)
{
	unsigned asid = (unsigned)below(SPACES + 1); /* 0: under every one */
	unsigned n = (unsigned)below(4) + 1;
	bool all = below(10) == 0;

	if (page % 16 + n > 16)
		n = 16 - page % 16;
	if (all)
		flush_asid(asid);
	else
		flush(asid, address_of_page(page), n);
	for (unsigned space = 0; space < SPACES; space++)
		for (unsigned i = 0; i < PAGES; i++)
			if ((asid == 0 || asid == space + 1) &&
			    (all || (i >= page && i < page + n)))
				model.cached[space][i].frame = 0;
}

static bool model_is_stale(void)
{
	for (unsigned i = 0; i < PAGES; i++) {
		struct mapping cached = model.cached[model.space][i];
		struct mapping now = model.now[model.space][i];

		if (cached.frame != 0 && (cached.frame != now.frame ||
					  (cached.writable && !now.writable)))
			return true;
	}
	return false;
}

static bool model_has(uint64_t frame)
{
	for (unsigned i = 0; i < PAGES; i++)
		if (model.cached[model.space][i].frame == frame)
			return true;
	return false;
}

static void step_of_the_model(void)
{
	unsigned page = (unsigned)below(PAGES);
	struct hosted_mmu_report report;
	uint64_t frame = DATA + below(64);

	switch (below(10)) {
	case 0:
	case 1:
		model_maps(page);
		break;
	case 2:
		model_flushes(page);
		break;
	case 3:
		model.space = (unsigned)below(SPACES);
		activate(model.roots[model.space], model.space + 1);
		break;
	default:
		model_accesses(page, below(3) == 0);
	}
	assert_int_equal(hosted_mmu_check(&report), !model_is_stale());
	assert_int_equal(hosted_mmu_find_frame(frame, NULL), model_has(frame));
}

static void behaves_like_the_model(void)
{
	memset(&model, 0, sizeof(model));
	model.random = 20240229;
	for (uint64_t i = 0; i < 64; i++)
		mark(DATA + i, DATA + i);
	for (unsigned space = 0; space < SPACES; space++)
		model.roots[space] = new_node();
	for (unsigned space = 0; space < SPACES; space++)
		for (unsigned page = 0; page < PAGES; page += 16) {
			root = model.roots[space];
			(void)slot(address_of_page(page), 1);
		}
	activate(model.roots[0], 1);
	flush_asid(FH_ASID_KERNEL);
	for (unsigned i = 0; i < 4000; i++)
		step_of_the_model();
}

static void random_operations_agree_with_a_model(void **state)
{
	(void)state;
	with_each(behaves_like_the_model, needs_no_break);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(unmapped_page_is_used_until_its_flush),
	cmocka_unit_test(accessed_and_dirty_are_set_by_hardware),
	cmocka_unit_test(bits_that_software_sets_fault_before),
	cmocka_unit_test(large_leaves_are_cached_whole_and_flushed_by_page),
	cmocka_unit_test(split_of_a_large_leaf_is_not_stale),
	cmocka_unit_test(asid_keeps_its_entries_until_they_are_flushed),
	cmocka_unit_test(global_entries_are_everybodys),
	cmocka_unit_test(kernel_flush_is_under_every_asid),
	cmocka_unit_test(detached_node_is_walked_until_the_flush),
	cmocka_unit_test(frames_that_are_cached_are_found),
	cmocka_unit_test(every_difference_that_matters_is_stale),
	cmocka_unit_test(random_operations_agree_with_a_model),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
