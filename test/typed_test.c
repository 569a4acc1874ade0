/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Types of metadata made by the macro: words in place as a struct of the
 * user's, and handles that are told apart by the compiler and, when they come
 * from outside, by the descriptor's address.
 */
#include <string.h>

#include <framehold/typed.h>

#include "harness.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define UNTOUCHED UINT64_C(0x123456789a)

struct inode_page {
	uint64_t inode;
	uint32_t offset;
	uint8_t flags[3];
};

static const struct fh_meta_type inode_page_type =
	FH_META_TYPE_INIT("inode_page", struct inode_page, .any_context = true);
/* Equal in every member: another type all the same. */
static const struct fh_meta_type twin_type =
	FH_META_TYPE_INIT("inode_page", struct inode_page, .any_context = true);

FH_META_TYPE(inode_page, struct inode_page, inode_page_type);

/* Every byte of the words, of the greatest alignment. */
struct full {
	uint64_t first;
	unsigned char bytes[24];
	uint64_t last;
};

static const struct fh_meta_type full_type =
	FH_META_TYPE_INIT("full", struct full, .untyped = true);

FH_META_TYPE(full, struct full, full_type);

static const struct inode_page value = {
	.inode = UINT64_C(0x1122334455667788),
	.offset = 42,
	.flags = {1, 2, 255},
};

static void assert_value(const struct inode_page *found)
{
	assert_int_equal(found->inode, value.inode);
	assert_int_equal(found->offset, value.offset);
	assert_memory_equal(found->flags, value.flags, sizeof(value.flags));
}

static struct inode_page_frame claim(uint64_t page)
{
	struct inode_page_frame f;

	OK(inode_page_frame_from_unused(address_of(page), &value, &f));
	return f;
}

static void typed_frame_reads_its_words(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct fh_paddr pa = address_of(page);
	struct inode_page_frame f = {{UNTOUCHED}};

	(void)state;
	CHANGES(page, 1, OK(inode_page_frame_from_unused(pa, &value, &f)));
	assert_ptr_equal(inode_page_frame_meta(f), fh_frame_meta(f.frame));
	assert_value(inode_page_frame_meta(f));
	assert_ptr_equal(fh_frame_type(f.frame), &inode_page_type);
	assert_int_equal(fh_frame_number(f.frame), page);
	assert_int_equal(fh_frame_paddr(f.frame).bytes, pa.bytes);
	assert_int_equal(fh_frame_reference_count(f.frame), 1);
	CHANGES(page, 1, inode_page_frame_put(&f));
	assert_int_equal(f.frame.handle, 0);
	assert_int_equal(state_of(page), FH_STATE_FREE);
	NOTHING_HELD(free_before);
}

static void failed_typed_claim_changes_nothing(void **state)
{
	struct inode_page_frame f = {{UNTOUCHED}};

	(void)state;
	REFUSES(FH_E_IN_USE, inode_page_frame_from_unused(
				     address_of(KERNEL_PAGE), &value, &f));
	REFUSES(FH_E_NOT_ALIGNED,
		inode_page_frame_from_unused(fh_paddr(7), &value, &f));
	assert_int_equal(f.frame.handle, UNTOUCHED);
}

static void typed_get_and_put_count(void **state)
{
	uint64_t page = fresh_pages(1);
	struct inode_page_frame f = claim(page);
	struct inode_page_frame second;
	struct inode_page_frame none = {{0}};

	(void)state;
	CHANGES(page, 1, second = inode_page_frame_get(f));
	assert_int_equal(fh_frame_reference_count(f.frame), 2);
	CHANGES(page, 1, inode_page_frame_put(&f));
	assert_value(inode_page_frame_meta(second));
	CHANGES_NOTHING(inode_page_frame_put(&none));
	inode_page_frame_put(&second);
	assert_int_equal(state_of(page), FH_STATE_FREE);
}

static void typed_round_trip_keeps_count(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct inode_page_frame f = claim(page);
	struct inode_page_frame second = inode_page_frame_get(f);
	struct fh_frame dyn;

	(void)state;
	CHANGES_NOTHING(dyn = inode_page_frame_into_dyn(&f));
	assert_int_equal(f.frame.handle, 0);
	assert_int_equal(fh_frame_number(dyn), page);
	assert_int_equal(fh_frame_reference_count(dyn), 2);
	CHANGES_NOTHING(OK(inode_page_frame_from_dyn(&dyn, &f)));
	assert_int_equal(dyn.handle, 0);
	assert_int_equal(fh_frame_number(f.frame), page);
	assert_int_equal(fh_frame_reference_count(f.frame), 2);
	assert_value(inode_page_frame_meta(f));
	inode_page_frame_put(&f);
	inode_page_frame_put(&second);
	NOTHING_HELD(free_before);
}

static void downcast_returns_frame_on_mismatch(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct inode_page_frame f = claim(page);
	struct fh_frame dyn = inode_page_frame_into_dyn(&f);
	struct fh_frame none = fh_frame_none();
	uint64_t handle = dyn.handle;
	struct full_frame out = {{UNTOUCHED}};

	(void)state;
	REFUSES(FH_E_WRONG_TYPE, full_frame_from_dyn(&dyn, &out));
	assert_int_equal(dyn.handle, handle);
	assert_int_equal(out.frame.handle, UNTOUCHED);
	assert_int_equal(fh_frame_reference_count(dyn), 1);
	REFUSES(FH_E_WRONG_TYPE, full_frame_from_dyn(&none, &out));
	assert_int_equal(out.frame.handle, UNTOUCHED);
	fh_frame_put(&dyn);
	NOTHING_HELD(free_before);
}

static void types_compare_by_address(void **state)
{
	uint64_t page = fresh_pages(1);
	struct inode_page_frame out = {{UNTOUCHED}};
	struct fh_frame twin;

	(void)state;
	assert_memory_equal(&inode_page_type, &twin_type, sizeof(twin_type));
	assert_int_equal(inode_page_type.size, sizeof(struct inode_page));
	assert_int_equal(inode_page_type.usage, FH_USAGE_FRAME);
	OK(fh_frame_from_unused(address_of(page), &twin_type, NULL, &twin));
	assert_true(fh_frame_is_type(twin, &twin_type));
	assert_false(fh_frame_is_type(twin, &inode_page_type));
	REFUSES(FH_E_WRONG_TYPE, inode_page_frame_from_dyn(&twin, &out));
	assert_int_equal(out.frame.handle, UNTOUCHED);
	fh_frame_put(&twin);
}

static void full_size_metadata_fits(void **state)
{
	uint64_t free_before = count_free();
	uint64_t page = fresh_pages(1);
	struct full_frame f;
	struct full all;

	(void)state;
	assert_int_equal(sizeof(all), FH_META_SIZE);
	assert_int_equal(_Alignof(struct full), FH_META_ALIGN);
	assert_true(fh_meta_type_is_valid(&full_type));
	for (unsigned i = 0; i < sizeof(all); i++)
		((unsigned char *)&all)[i] = (unsigned char)(i + 200);
	OK(full_frame_from_unused(address_of(page), &all, &f));
	assert_memory_equal(full_frame_meta(f), &all, sizeof(all));
	assert_int_equal(full_frame_meta(f)->first, all.first);
	assert_int_equal(full_frame_meta(f)->last, all.last);
	full_frame_put(&f);
	NOTHING_HELD(free_before);
}

/* Short structs leave the rest of the words zero. */
static void packed_words_are_whole(void **state)
{
	struct fh_meta packed = inode_page_meta_pack(&value);
	struct inode_page copy;

	(void)state;
	memcpy(&copy, &packed, sizeof(copy));
	assert_value(&copy);
	for (unsigned i = sizeof(copy); i < sizeof(packed); i++)
		assert_int_equal(((const unsigned char *)&packed)[i], 0);
}

static void unique_owner_writes_its_struct(void **state)
{
	uint64_t page = fresh_pages(1);
	struct inode_page_frame f = claim(page);
	struct fh_frame dyn = inode_page_frame_into_dyn(&f);
	struct fh_unique u;

	(void)state;
	OK(fh_unique_from_frame(&dyn, &u));
	assert_value(inode_page_unique_meta(u));
	inode_page_unique_meta(u)->offset = 43;
	dyn = fh_frame_from_unique(&u);
	OK(inode_page_frame_from_dyn(&dyn, &f));
	assert_int_equal(inode_page_frame_meta(f)->offset, 43);
	assert_int_equal(inode_page_frame_meta(f)->inode, value.inode);
	inode_page_frame_put(&f);
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(typed_frame_reads_its_words),
		cmocka_unit_test(failed_typed_claim_changes_nothing),
		cmocka_unit_test(typed_get_and_put_count),
		cmocka_unit_test(typed_round_trip_keeps_count),
		cmocka_unit_test(downcast_returns_frame_on_mismatch),
		cmocka_unit_test(types_compare_by_address),
		cmocka_unit_test(full_size_metadata_fits),
		cmocka_unit_test(packed_words_are_whole),
		cmocka_unit_test(unique_owner_writes_its_struct),
	};

	for (size_t i = 0; i < LENGTH(tests); i++) {
		tests[i].setup_func = start_machine;
		tests[i].teardown_func = stop_machine;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
