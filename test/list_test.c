/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Lists: order at both ends and at cursors, membership by address, and what a
 * list refuses. After every step the links are walked in both directions.
 */
#include <string.h>

#include "harness.h"

/* What no call writes. */
#define UNTOUCHED UINT64_C(0x123456789a)

/* The words of member n: three of its own, and two that the list needs. */
static struct fh_meta words_of(uint64_t n)
{
	struct fh_meta meta = {{n, n + 100, ~n, 0, 0}};

	return meta;
}

/* A unique frame whose words tell that it is number n. */
static struct fh_unique make(uint64_t n)
{
	struct fh_meta meta = words_of(n);
	struct fh_unique u;

	OK(fh_unique_from_unused(address_of(fresh_pages(1)), &linkable_type,
				 &meta, &u));
	return u;
}

static uint64_t number_in(const struct fh_meta *meta)
{
	struct fh_meta expected = words_of(meta->w[0]);

	assert_memory_equal(meta, &expected, FH_META_SIZE_IN_LIST);
	return meta->w[0];
}

/* What a member's slot must say while the list has it. */
static void check_member(const struct fh_list *list, uint64_t frame)
{
	assert_int_equal(state_of(frame), FH_STATE_UNIQUE);
	assert_int_not_equal(list->id, 0);
	assert_int_equal(fh_slots[frame].list, list->id);
	assert_true(fh_list_contains(list, address_of(frame)));
}

/* The members are exactly those, by number, seen from either end. */
static void assert_list(struct fh_list *list, const uint64_t *numbers, size_t n)
{
	struct fh_list_cursor forward = fh_list_cursor_front(list);
	struct fh_list_cursor backward = fh_list_cursor_back(list);

	assert_int_equal(fh_list_size(list), n);
	assert_int_equal(fh_list_is_empty(list), n == 0);
	for (size_t i = 0; i < n; i++) {
		const struct fh_meta *meta = fh_list_cursor_meta(&forward);

		assert_non_null(meta);
		assert_int_equal(number_in(meta), numbers[i]);
		check_member(list, fh_list_cursor_number(&forward));
		fh_list_cursor_next(&forward);

		meta = fh_list_cursor_meta(&backward);
		assert_non_null(meta);
		assert_int_equal(number_in(meta), numbers[n - 1 - i]);
		fh_list_cursor_prev(&backward);
	}
	assert_null(fh_list_cursor_meta(&forward));
	assert_null(fh_list_cursor_meta(&backward));
	AUDIT();
}

#define MEMBERS(list, ...)                                                     \
	do {                                                                   \
		const uint64_t expected_[] = {__VA_ARGS__};                    \
		assert_list((list), expected_,                                 \
			    sizeof(expected_) / sizeof(expected_[0]));         \
	} while (0)
#define NO_MEMBERS(list) assert_list((list), NULL, 0)

static void push_front(struct fh_list *list, uint64_t n)
{
	struct fh_unique u = make(n);
	uint64_t frame = fh_unique_number(u);

	OK(fh_list_push_front(list, &u));
	assert_int_equal(u.handle, 0);
	check_member(list, frame);
}

static void push_back(struct fh_list *list, uint64_t n)
{
	struct fh_unique u = make(n);
	uint64_t frame = fh_unique_number(u);

	OK(fh_list_push_back(list, &u));
	assert_int_equal(u.handle, 0);
	check_member(list, frame);
}

/* A frame that left a list: whole, on its own, in no list. */
static void drop_member(struct fh_unique *u, uint64_t number)
{
	uint64_t frame = fh_unique_number(*u);
	struct fh_meta expected = words_of(number);

	assert_int_equal(state_of(frame), FH_STATE_UNIQUE);
	assert_int_equal(fh_slots[frame].list, 0);
	/* The words that linked it are zero again. */
	assert_memory_equal(fh_unique_meta(*u), &expected, sizeof(expected));
	fh_unique_put(u);
}

static void pop_front(struct fh_list *list, uint64_t number)
{
	struct fh_unique u;

	OK(fh_list_pop_front(list, &u));
	assert_false(fh_list_contains(list, fh_unique_paddr(u)));
	drop_member(&u, number);
}

static void pop_back(struct fh_list *list, uint64_t number)
{
	struct fh_unique u;

	OK(fh_list_pop_back(list, &u));
	assert_false(fh_list_contains(list, fh_unique_paddr(u)));
	drop_member(&u, number);
}

static void refuse_to_pop(struct fh_list *list)
{
	struct fh_unique u = {UNTOUCHED};

	REFUSES(FH_E_EMPTY, fh_list_pop_front(list, &u));
	REFUSES(FH_E_EMPTY, fh_list_pop_back(list, &u));
	assert_int_equal(u.handle, UNTOUCHED);
}

static void list_pushes_and_pops_at_both_ends(void **state)
{
	uint64_t free_before = count_free();
	struct fh_list list = fh_list_none();

	(void)state;
	NO_MEMBERS(&list);
	refuse_to_pop(&list);
	push_front(&list, 1);
	MEMBERS(&list, 1);
	push_front(&list, 2);
	MEMBERS(&list, 2, 1);
	push_back(&list, 3);
	MEMBERS(&list, 2, 1, 3);
	pop_front(&list, 2);
	MEMBERS(&list, 1, 3);
	pop_back(&list, 3);
	MEMBERS(&list, 1);
	pop_front(&list, 1);
	NO_MEMBERS(&list);
	refuse_to_pop(&list);

	/* A list that was emptied serves again. */
	push_back(&list, 4);
	push_back(&list, 5);
	MEMBERS(&list, 4, 5);
	pop_back(&list, 5);
	pop_back(&list, 4);
	NO_MEMBERS(&list);
	assert_int_equal(drops, 5);
	NOTHING_HELD(free_before);
}

static void list_operation_touches_its_neighbours_only(void **state)
{
	struct fh_list list = fh_list_none();
	struct fh_unique u;
	uint64_t frames[4];

	(void)state;
	for (uint64_t i = 0; i < 4; i++) {
		u = make(i);
		frames[i] = fh_unique_number(u);
		/* Its neighbour's link changes, and nothing farther. */
		if (i == 0)
			CHANGES(frames[0], 1, OK(fh_list_push_back(&list, &u)));
		else
			CHANGES(frames[i - 1], frames[i] - frames[i - 1] + 1,
				OK(fh_list_push_back(&list, &u)));
	}
	CHANGES(frames[0], frames[1] - frames[0] + 1,
		OK(fh_list_pop_front(&list, &u)));
	drop_member(&u, 0);
	CHANGES(frames[2], frames[3] - frames[2] + 1,
		OK(fh_list_pop_back(&list, &u)));
	drop_member(&u, 3);
	fh_list_drop(&list);
}

static void list_contains_members_only(void **state)
{
	struct fh_list list = fh_list_none();
	struct fh_list other = fh_list_none();
	struct fh_list no_list = fh_list_none();
	uint64_t loner = fresh_pages(1);
	struct fh_unique u;
	struct fh_unique member = make(1);
	struct fh_paddr pa = fh_unique_paddr(member);
	struct fh_frame shared;

	(void)state;
	assert_false(fh_list_contains(&list, pa));
	OK(fh_list_push_front(&list, &member));
	push_front(&other, 2);
	struct fh_paddr other_pa = address_of(other.front);

	assert_int_not_equal(list.id, other.id);
	assert_true(fh_list_contains(&list, pa));
	assert_false(fh_list_contains(&other, pa));
	assert_true(fh_list_contains(&other, other_pa));
	assert_false(fh_list_contains(&list, other_pa));
	/* A list that never had a member has no id that a slot could have. */
	assert_false(fh_list_contains(&no_list, pa));
	assert_false(fh_list_contains(&no_list, address_of(loner)));

	/* Not in a list: free, unused, unique, shared, without slot. */
	assert_false(fh_list_contains(&list, address_of(loner)));
	OK(fh_alloc_take(loner, 1));
	assert_false(fh_list_contains(&list, address_of(loner)));
	OK(fh_unique_from_unused(address_of(loner), &linkable_type, NULL, &u));
	assert_false(fh_list_contains(&list, address_of(loner)));
	shared = fh_frame_from_unique(&u);
	assert_false(fh_list_contains(&list, address_of(loner)));
	fh_frame_put(&shared);
	assert_false(fh_list_contains(&list, address_of(0)));
	assert_false(fh_list_contains(&list, address_of(RESERVED_PAGE)));
	assert_false(fh_list_contains(&list, address_of(HOLE_PAGE)));
	assert_false(fh_list_contains(&list, address_of(FRAME_END)));
	assert_false(fh_list_contains(&list, fh_paddr(pa.bytes + 8)));
	assert_false(fh_list_contains(&list, fh_paddr(UINT64_MAX)));

	OK(fh_list_pop_front(&list, &u));
	assert_false(fh_list_contains(&list, pa));
	assert_int_equal(fh_slots[fh_unique_number(u)].list, 0);
	/* From one list to the other. */
	OK(fh_list_push_back(&other, &u));
	assert_true(fh_list_contains(&other, pa));
	assert_false(fh_list_contains(&list, pa));
	MEMBERS(&other, 2, 1);
	fh_list_drop(&other);
	assert_false(fh_list_contains(&other, pa));
	assert_false(fh_list_contains(&other, other_pa));
}

/* An id stays with its list, and is nobody else's afterwards. */
static void list_keeps_its_id(void **state)
{
	struct fh_list first = fh_list_none();
	struct fh_list second = fh_list_none();
	struct fh_list third = fh_list_none();

	(void)state;
	assert_int_equal(first.id, 0);
	push_back(&first, 1);
	uint64_t id = first.id;

	push_back(&second, 2);
	fh_list_drop(&first);
	assert_int_equal(first.id, id);
	push_back(&first, 3);
	assert_int_equal(first.id, id);
	push_back(&third, 4);
	assert_int_not_equal(third.id, id);
	assert_int_not_equal(third.id, second.id);
	fh_list_drop(&first);
	fh_list_drop(&second);
	fh_list_drop(&third);
}

static void list_refuses_types_that_need_the_link_words(void **state)
{
	static const struct fh_meta_type types[] = {
		{.name = "25 bytes", .size = FH_META_SIZE_IN_LIST + 1},
		{.name = "4 words", .size = 32},
		{.name = "all words", .size = FH_META_SIZE},
	};
	struct fh_list list = fh_list_none();
	struct fh_unique none = fh_unique_none();
	struct fh_list_cursor ghost = fh_list_cursor_front(&list);

	(void)state;
	REFUSES(FH_E_EMPTY, fh_list_push_front(&list, &none));
	REFUSES(FH_E_EMPTY, fh_list_push_back(&list, &none));
	REFUSES(FH_E_EMPTY, fh_list_cursor_insert_before(&ghost, &none));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct fh_unique u;

		OK(fh_unique_from_unused(address_of(fresh_pages(1)), &types[i],
					 NULL, &u));
		uint64_t handle = u.handle;

		REFUSES(FH_E_WRONG_TYPE, fh_list_push_front(&list, &u));
		REFUSES(FH_E_WRONG_TYPE, fh_list_push_back(&list, &u));
		REFUSES(FH_E_WRONG_TYPE,
			fh_list_cursor_insert_before(&ghost, &u));
		assert_int_equal(u.handle, handle);
		fh_unique_put(&u);
	}
	assert_int_equal(list.front, 0);
	assert_int_equal(list.back, 0);
	assert_int_equal(list.size, 0);
	NO_MEMBERS(&list);
}

static uint64_t drop_order[8];

static void remember_drop(struct fh_dropping page)
{
	assert_true(drops < 8);
	drop_order[drops] = fh_dropping_meta(page)->w[0];
	drops++;
	assert_int_equal(state_of(page.frame), FH_STATE_BUSY);
	/* It left the list before it was dropped. */
	assert_int_equal(fh_slots[page.frame].list, 0);
}

static void list_drop_drops_members_front_to_back(void **state)
{
	static const struct fh_meta_type ordered_type = {
		.name = "ordered", .size = 8, .on_drop = remember_drop};
	uint64_t free_before = count_free();
	struct fh_list list = fh_list_none();

	(void)state;
	fh_list_drop(&list);
	NO_MEMBERS(&list);
	for (uint64_t i = 1; i <= 5; i++) {
		struct fh_meta meta = words_of(i);
		struct fh_unique u;

		OK(fh_unique_from_unused(address_of(fresh_pages(1)),
					 &ordered_type, &meta, &u));
		if (i % 2 == 0)
			OK(fh_list_push_front(&list, &u));
		else
			OK(fh_list_push_back(&list, &u));
	}
	MEMBERS(&list, 4, 2, 1, 3, 5);
	fh_list_drop(&list);
	assert_int_equal(drops, 5);
	assert_int_equal(drop_order[0], 4);
	assert_int_equal(drop_order[1], 2);
	assert_int_equal(drop_order[2], 1);
	assert_int_equal(drop_order[3], 3);
	assert_int_equal(drop_order[4], 5);
	NO_MEMBERS(&list);
	fh_list_drop(&list);
	assert_int_equal(drops, 5);
	NOTHING_HELD(free_before);
}

/* ---- Cursors ---- */

/* A list of 2, 1, 3. */
static struct fh_list three(void)
{
	struct fh_list list = fh_list_none();

	push_front(&list, 1);
	push_front(&list, 2);
	push_back(&list, 3);
	return list;
}

static void assert_at(const struct fh_list_cursor *cursor, uint64_t number)
{
	const struct fh_meta *meta = fh_list_cursor_meta(cursor);

	assert_non_null(meta);
	assert_int_equal(number_in(meta), number);
	assert_ptr_equal(meta, &fh_slots[fh_list_cursor_number(cursor)].meta);
}

static void assert_at_ghost(const struct fh_list_cursor *cursor)
{
	assert_null(fh_list_cursor_meta(cursor));
	assert_int_equal(fh_list_cursor_number(cursor), 0);
}

static void refuse_cursor(struct fh_list *list, struct fh_paddr pa)
{
	struct fh_list_cursor cursor = {NULL, UNTOUCHED};

	REFUSES(FH_E_OUT_OF_BOUND, fh_list_cursor_at(list, pa, &cursor));
	assert_null(cursor.list);
	assert_int_equal(cursor.frame, UNTOUCHED);
}

static void cursor_at_a_member_only(void **state)
{
	struct fh_list list = three();
	struct fh_list other = three();
	struct fh_list none = fh_list_none();
	struct fh_list_cursor cursor = fh_list_cursor_front(&list);
	uint64_t loner = fresh_pages(1);

	(void)state;
	for (; fh_list_cursor_number(&cursor) != 0;
	     fh_list_cursor_next(&cursor)) {
		struct fh_paddr pa = address_of(fh_list_cursor_number(&cursor));
		struct fh_list_cursor found;

		CHANGES_NOTHING(OK(fh_list_cursor_at(&list, pa, &found)));
		assert_ptr_equal(fh_list_cursor_list(&found), &list);
		assert_ptr_equal(fh_list_cursor_meta(&found),
				 fh_list_cursor_meta(&cursor));
		assert_int_equal(fh_list_cursor_number(&found),
				 fh_list_cursor_number(&cursor));
		refuse_cursor(&other, pa);
		refuse_cursor(&none, pa);
	}
	refuse_cursor(&list, address_of(loner));
	refuse_cursor(&none, address_of(loner));
	refuse_cursor(&list, address_of(0));
	refuse_cursor(&list, address_of(HOLE_PAGE));
	refuse_cursor(&list, address_of(FRAME_END));
	refuse_cursor(&list, fh_paddr(list.front * FH_PAGE_SIZE + 1));

	/* From a member that was found, on to its neighbours. */
	OK(fh_list_cursor_at(&list, address_of(list.front), &cursor));
	assert_at(&cursor, 2);
	fh_list_cursor_next(&cursor);
	assert_at(&cursor, 1);

	cursor = fh_list_cursor_front(&none);
	assert_at_ghost(&cursor);
	cursor = fh_list_cursor_back(&none);
	assert_at_ghost(&cursor);
	fh_list_drop(&list);
	fh_list_drop(&other);
}

static void cursor_walks_round_the_ghost(void **state)
{
	static const uint64_t round_trip[] = {2, 1, 3, 0, 2, 1, 3, 0, 2};
	struct fh_list list = three();
	struct fh_list none = fh_list_none();
	struct fh_list_cursor cursor = fh_list_cursor_front(&list);

	(void)state;
	assert_ptr_equal(fh_list_cursor_list(&cursor), &list);
	for (size_t i = 0; i < 9; i++) {
		if (round_trip[i] == 0)
			assert_at_ghost(&cursor);
		else
			assert_at(&cursor, round_trip[i]);
		fh_list_cursor_next(&cursor);
	}
	for (size_t i = 9; i > 0; i--) {
		fh_list_cursor_prev(&cursor);
		if (round_trip[i - 1] == 0)
			assert_at_ghost(&cursor);
		else
			assert_at(&cursor, round_trip[i - 1]);
	}
	cursor = fh_list_cursor_back(&list);
	assert_at(&cursor, 3);
	fh_list_cursor_next(&cursor);
	assert_at_ghost(&cursor);
	fh_list_cursor_prev(&cursor);
	assert_at(&cursor, 3);

	cursor = fh_list_cursor_front(&none);
	fh_list_cursor_next(&cursor);
	assert_at_ghost(&cursor);
	fh_list_cursor_prev(&cursor);
	assert_at_ghost(&cursor);
	fh_list_drop(&list);
}

static void cursor_words_are_the_owners(void **state)
{
	struct fh_list list = three();
	struct fh_list_cursor cursor = fh_list_cursor_front(&list);
	struct fh_unique u;

	(void)state;
	fh_list_cursor_next(&cursor);
	fh_list_cursor_meta(&cursor)->w[2] = 77;
	OK(fh_list_cursor_take(&cursor, &u));
	assert_int_equal(fh_unique_meta(u)->w[0], 1);
	assert_int_equal(fh_unique_meta(u)->w[2], 77);
	fh_unique_put(&u);
	fh_list_drop(&list);
}

static void take(struct fh_list_cursor *cursor, uint64_t number)
{
	struct fh_unique u;
	uint64_t size = fh_list_size(cursor->list);

	OK(fh_list_cursor_take(cursor, &u));
	assert_int_equal(fh_list_size(cursor->list), size - 1);
	drop_member(&u, number);
}

static void refuse_to_take(struct fh_list_cursor *cursor)
{
	struct fh_list_cursor before = *cursor;
	struct fh_unique u = {UNTOUCHED};

	REFUSES(FH_E_EMPTY, fh_list_cursor_take(cursor, &u));
	assert_int_equal(u.handle, UNTOUCHED);
	assert_memory_equal(cursor, &before, sizeof(before));
}

static void cursor_take_moves_to_the_next(void **state)
{
	uint64_t free_before = count_free();
	struct fh_list list = three();
	struct fh_list_cursor cursor = fh_list_cursor_front(&list);

	(void)state;
	fh_list_cursor_next(&cursor);
	take(&cursor, 1);
	assert_at(&cursor, 3);
	MEMBERS(&list, 2, 3);
	take(&cursor, 3);
	assert_at_ghost(&cursor);
	MEMBERS(&list, 2);
	refuse_to_take(&cursor);
	fh_list_cursor_next(&cursor);
	assert_at(&cursor, 2);
	take(&cursor, 2);
	assert_at_ghost(&cursor);
	refuse_to_take(&cursor);
	NO_MEMBERS(&list);
	NOTHING_HELD(free_before);
}

static void insert(struct fh_list_cursor *cursor, uint64_t number)
{
	struct fh_unique u = make(number);
	struct fh_list_cursor before = *cursor;

	OK(fh_list_cursor_insert_before(cursor, &u));
	assert_int_equal(u.handle, 0);
	assert_memory_equal(cursor, &before, sizeof(before));
}

static void cursor_inserts_before_itself(void **state)
{
	uint64_t free_before = count_free();
	struct fh_list list = fh_list_none();
	struct fh_list_cursor cursor;

	(void)state;
	push_front(&list, 1);
	push_front(&list, 2);
	cursor = fh_list_cursor_back(&list);
	assert_at(&cursor, 1);
	insert(&cursor, 3);
	MEMBERS(&list, 2, 3, 1);
	insert(&cursor, 4);
	assert_at(&cursor, 1);
	MEMBERS(&list, 2, 3, 4, 1);
	fh_list_cursor_next(&cursor);
	assert_at_ghost(&cursor);
	insert(&cursor, 5);
	assert_at_ghost(&cursor);
	MEMBERS(&list, 2, 3, 4, 1, 5);
	/* Before the first one, and into an empty list. */
	cursor = fh_list_cursor_front(&list);
	insert(&cursor, 6);
	MEMBERS(&list, 6, 2, 3, 4, 1, 5);
	fh_list_drop(&list);
	cursor = fh_list_cursor_front(&list);
	insert(&cursor, 7);
	assert_at_ghost(&cursor);
	MEMBERS(&list, 7);
	fh_list_drop(&list);
	NOTHING_HELD(free_before);
}

/* Random operations against an array. */

#define MODEL_SIZE 12

struct model {
	uint64_t numbers[MODEL_SIZE];
	size_t count;
};

static void model_insert(struct model *model, size_t at, uint64_t number)
{
	memmove(&model->numbers[at + 1], &model->numbers[at],
		(model->count - at) * sizeof(uint64_t));
	model->numbers[at] = number;
	model->count++;
}

static uint64_t model_remove(struct model *model, size_t at)
{
	uint64_t number = model->numbers[at];

	model->count--;
	memmove(&model->numbers[at], &model->numbers[at + 1],
		(model->count - at) * sizeof(uint64_t));
	return number;
}

static struct fh_list_cursor cursor_at_index(struct fh_list *list, size_t at)
{
	struct fh_list_cursor cursor = fh_list_cursor_front(list);

	for (size_t i = 0; i < at; i++)
		fh_list_cursor_next(&cursor);
	return cursor;
}

static void put_one(struct fh_list *list, struct model *model,
		    struct random *random, struct fh_unique *u)
{
	size_t at = (size_t)random_below(random, model->count + 1);
	uint64_t number = fh_unique_meta(*u)->w[0];
	struct fh_list_cursor cursor = cursor_at_index(list, at);

	if (at == 0 && random_below(random, 2) == 0)
		OK(fh_list_push_front(list, u));
	else if (at == model->count && random_below(random, 2) == 0)
		OK(fh_list_push_back(list, u));
	else
		OK(fh_list_cursor_insert_before(&cursor, u));
	model_insert(model, at, number);
}

static void take_one(struct fh_list *list, struct model *model,
		     struct random *random, struct fh_unique *u)
{
	size_t at = (size_t)random_below(random, model->count);
	struct fh_list_cursor cursor = cursor_at_index(list, at);

	if (at == 0 && random_below(random, 2) == 0)
		OK(fh_list_pop_front(list, u));
	else if (at + 1 == model->count && random_below(random, 2) == 0)
		OK(fh_list_pop_back(list, u));
	else
		OK(fh_list_cursor_take(&cursor, u));
	assert_int_equal(fh_unique_meta(*u)->w[0], model_remove(model, at));
}

static void list_follows_a_model(void **state)
{
	uint64_t free_before = count_free();
	struct random random = {.state = 1};
	struct fh_list list = fh_list_none();
	struct model model = {.count = 0};
	struct fh_unique spare[MODEL_SIZE];
	size_t spares = MODEL_SIZE;

	(void)state;
	for (uint64_t i = 0; i < MODEL_SIZE; i++)
		spare[i] = make(i);
	for (int step = 0; step < 2000; step++) {
		bool put = random_below(&random, 2) == 0;

		if (put && spares > 0) {
			spares--;
			put_one(&list, &model, &random, &spare[spares]);
		} else if (model.count > 0) {
			take_one(&list, &model, &random, &spare[spares]);
			spares++;
		}
		assert_int_equal(list.size, model.count);
		if (step % 16 == 0)
			assert_list(&list, model.numbers, model.count);
	}
	while (spares > 0) {
		spares--;
		fh_unique_put(&spare[spares]);
	}
	fh_list_drop(&list);
	assert_int_equal(drops, MODEL_SIZE);
	NOTHING_HELD(free_before);
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(list_pushes_and_pops_at_both_ends),
		cmocka_unit_test(list_operation_touches_its_neighbours_only),
		cmocka_unit_test(list_contains_members_only),
		cmocka_unit_test(list_keeps_its_id),
		cmocka_unit_test(list_refuses_types_that_need_the_link_words),
		cmocka_unit_test(list_drop_drops_members_front_to_back),
		cmocka_unit_test(cursor_at_a_member_only),
		cmocka_unit_test(cursor_walks_round_the_ghost),
		cmocka_unit_test(cursor_words_are_the_owners),
		cmocka_unit_test(cursor_take_moves_to_the_next),
		cmocka_unit_test(cursor_inserts_before_itself),
		cmocka_unit_test(list_follows_a_model),
	};

	each_on_a_machine(tests, sizeof(tests) / sizeof(tests[0]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
