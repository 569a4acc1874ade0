/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Hardware that sets accessed and dirty in an entry just after the library has
 * looked at it, and before it writes: the sources of what changes leaves are
 * included here with a load that does so.
 */
#include "tables.h"

#include <framehold/poll.h>
#include <framehold/space.h>

#include "copy.h"
#include "cursor.h"
#include "gather.h"

static uint64_t load_then_note(uint64_t *entry);
static uint64_t read_then_note(uint64_t node, uint64_t index);

#define fh_word_load_relaxed load_then_note
#define fh_entry_read        read_then_note
#include "copy.c"
#include "protect.c"
#include "split.c"
#undef fh_word_load_relaxed
#undef fh_entry_read

#define NOTED (FH_PAGE_ACCESSED | FH_PAGE_DIRTY)

/* The entry that hardware is about to note something in; null: none. */
static uint64_t *noted_entry;
static unsigned noted_level;
static unsigned looks; /* at it, before that happens */

static void note(uint64_t *entry)
{
	struct fh_page_prop prop = fh_arch_prop(*entry, noted_level);

	prop.flags |= NOTED;
	*entry = fh_arch_leaf(fh_arch_frame(*entry, noted_level), noted_level,
			      prop);
}

static uint64_t load_then_note(uint64_t *entry)
{
	uint64_t pte = *entry;

	if (entry == noted_entry && looks-- == 0) {
		noted_entry = NULL;
		note(entry);
	}
	return pte;
}

static uint64_t read_then_note(uint64_t node, uint64_t index)
{
	return load_then_note(fh_entry(node, index));
}

/* A page, or a large leaf from page 0 on, with neither bit. */
static void map_unused(unsigned level)
{
	if (level == 1)
		map_new_page(&user_table, 0);
	else
		map_new_pages(&user_table, 0, MIB2, MIB2);
	uint64_t *entry = fh_entry(node_of(&user_table, 0, level), 0);
	struct fh_page_prop prop = fh_arch_prop(*entry, level);

	prop.flags &= ~NOTED;
	*entry = fh_arch_leaf(fh_arch_frame(*entry, level), level, prop);
	noted_level = level;
}

/* After so many looks, from the operation that begins now on. */
static void note_after(unsigned n)
{
	noted_entry = fh_entry(node_of(&user_table, 0, noted_level), 0);
	looks = n;
}

static bool is_noted(uint64_t page)
{
	return (look_up(&user_table, page).prop.flags & NOTED) == NOTED;
}

/*
 * Runs op with hardware noting after each number of looks in turn, until it
 * looks less often than that; afterwards the bits must be there.
 */
static void keeps_bits(unsigned level, void (*op)(struct work *w))
{
	unsigned times = 0;

	for (;; times++) {
		struct work w;

		map_unused(level);
		begin_work(&w, &user_table, 0, 2 * MIB2);
		note_after(times);
		op(&w);
		bool happened = noted_entry == NULL;

		noted_entry = NULL;
		end_work(&w);
		if (happened)
			assert_true(is_noted(3 % fh_level_pages(level)));
		(void)unmap(&user_table, 0, 2 * MIB2);
		fh_settle();
		if (!happened)
			break;
	}
	assert_true(times >= 1);
}

static void protect_one(struct work *w)
{
	const struct fh_prop_change change = {.clear = FH_PAGE_WRITE};
	uint64_t pages;

	OK(fh_cursor_protect(&w->cursor, 1, change, &w->gather, &pages));
}

static void protect_all(struct work *w)
{
	const struct fh_prop_change change = {.clear = FH_PAGE_WRITE};
	uint64_t pages;

	OK(fh_cursor_protect(&w->cursor, MIB2, change, &w->gather, &pages));
}

static void bits_set_during_protect_are_kept(void **state)
{
	(void)state;
	keeps_bits(1, protect_one);
	keeps_bits(2, protect_all);
}

static void split_in_the_middle(struct work *w)
{
	OK(fh_cursor_jump(&w->cursor, 5));
	OK(fh_cursor_split(&w->cursor, &w->gather));
}

/* Where hardware sets bits; elsewhere entries are emptied before. */
static void bits_set_during_split_are_kept(void **state)
{
	(void)state;
	if (FH_ARCH_SETS_ACCESSED)
		keeps_bits(2, split_in_the_middle);
	else
		assert_true(fh_prop_preset(false, fh_page_prop(0)).flags != 0);
}

static struct fh_page_table other;

static void clone_page(struct work *w)
{
	struct fh_cursor to;

	OK(fh_page_table_create_user(&kernel_table, &other));
	OK(fh_cursor_open(&other, &w->mode, 0, 1, &to));
	OK(fh_cursor_copy(&w->cursor, &to, 1, true, &w->gather));
	fh_cursor_close(&to);
	fh_page_table_destroy(&other);
}

static void bits_set_during_clone_are_kept(void **state)
{
	(void)state;
	keeps_bits(1, clone_page);
}

/* A harvest shows what it clears, and leaves what comes later. */
static void harvest_loses_no_bit(void **state)
{
	(void)state;
	for (unsigned times = 0;; times++) {
		struct fh_mapping mapping;
		struct work w;

		map_unused(1);
		note(fh_entry(node_of(&user_table, 0, 1), 0));
		begin_work(&w, &user_table, 0, 1);
		note_after(times);
		OK(fh_cursor_harvest(&w.cursor, 1, FH_PAGE_DIRTY, &w.gather,
				     &mapping));
		bool happened = noted_entry == NULL;

		noted_entry = NULL;
		end_work(&w);
		assert_int_equal(mapping.prop.flags & FH_PAGE_DIRTY,
				 FH_PAGE_DIRTY);
		assert_int_equal(look_up(&user_table, 0).prop.flags & NOTED,
				 FH_PAGE_ACCESSED);
		(void)unmap(&user_table, 0, 1);
		if (!happened)
			break;
	}
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_set_during_protect_are_kept),
		cmocka_unit_test(bits_set_during_split_are_kept),
		cmocka_unit_test(bits_set_during_clone_are_kept),
		cmocka_unit_test(harvest_loses_no_bit),
	};

	each_with_tables(tests, sizeof(tests) / sizeof(tests[0]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
