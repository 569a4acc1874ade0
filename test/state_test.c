/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The state machine of a slot, as tables: what every call does to a page in
 * every state. A row is a page, a column a call, and a cell one of
 *
 *     ok        succeeds, the state stays
 *     =STATE    succeeds, and that is the state then
 *     !RULE     stops the machine by that rule, naming page and state
 *     -         no such case
 *     STATUS    returns it, and nothing has changed
 *
 * Each cell runs on a machine of its own. Some states cannot be come by
 * honestly: busy from outside, a count near its maximum, and, with a handle at
 * hand, a page that nobody shares. Their word is written by force.
 */
#include <stdio.h>
#include <string.h>

#include "harness.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* What no call writes. */
#define UNTOUCHED UINT64_C(0x123456789a)

static const struct fh_meta words = {{1, UINT64_MAX, 3, 4, 5}};

static void count_table_drop(struct fh_dropping page)
{
	(void)page;
	drops++;
}

/* Fits every call: untyped, and small enough for a list. */
static const struct fh_meta_type table_type = {
	.name = "table",
	.size = 8,
	.untyped = true,
	.usage = FH_USAGE_FRAME,
	.on_drop = count_table_drop,
};

/* ---- The calls ---- */

/* The page of a cell, and the handle that its call starts from. */
struct subject {
	uint64_t frame;
	struct fh_paddr pa;
	struct fh_frame held;
	struct fh_unique owned;
};

/* Which cell, for messages. */
static struct {
	const char *page;
	const char *call;
	const char *expected;
} cell;

static void expect(bool holds, const char *what, int line)
{
	if (holds)
		return;
	print_error("%s, %s: not %s, since %s is false\n", cell.page, cell.call,
		    cell.expected, what);
	_fail(__FILE__, line);
}

#define EXPECT(condition) expect((condition), #condition, __LINE__)

/* What every call that makes a handle does with its out-parameter. */
static enum fh_status check_out(const struct subject *s, enum fh_status status,
				const uint64_t *handle)
{
	if (status == FH_OK)
		EXPECT(fh_handle_frame(*handle) == s->frame);
	else
		EXPECT(*handle == UNTOUCHED);
	return status;
}

/* A handle that was taken is zero, one that was not is as it was. */
static void check_taken(enum fh_status status, uint64_t before, uint64_t after)
{
	EXPECT(after == (status == FH_OK ? 0 : before));
}

static enum fh_status get_slot(struct subject *s)
{
	uint64_t frame = UNTOUCHED;
	enum fh_status status = fh_get_slot(s->pa, &frame);

	EXPECT(frame == (status == FH_OK ? s->frame : UNTOUCHED));
	return status;
}

static enum fh_status frame_from_unused(struct subject *s)
{
	struct fh_frame out = {UNTOUCHED};

	return check_out(s,
			 fh_frame_from_unused(s->pa, &table_type, NULL, &out),
			 &out.handle);
}

static enum fh_status unique_from_unused(struct subject *s)
{
	struct fh_unique out = {UNTOUCHED};

	return check_out(s,
			 fh_unique_from_unused(s->pa, &table_type, NULL, &out),
			 &out.handle);
}

static enum fh_status from_in_use(struct subject *s)
{
	struct fh_frame out = {UNTOUCHED};

	return check_out(s, fh_frame_from_in_use(s->pa, &out), &out.handle);
}

static enum fh_status inc(struct subject *s)
{
	return fh_frame_inc(s->pa);
}

static enum fh_status frame_from_raw(struct subject *s)
{
	struct fh_frame out = {UNTOUCHED};

	return check_out(s, fh_frame_from_raw(s->pa, &out), &out.handle);
}

static enum fh_status unique_from_raw(struct subject *s)
{
	struct fh_unique out = {UNTOUCHED};

	return check_out(s, fh_unique_from_raw(s->pa, &out), &out.handle);
}

static enum fh_status segment_from_unused(struct subject *s)
{
	struct fh_segment out = {UNTOUCHED, 0};
	struct fh_paddr end = {s->pa.bytes + FH_PAGE_SIZE};

	return check_out(
		s, fh_segment_from_unused(s->pa, end, &table_type, NULL, &out),
		&out.handle);
}

static enum fh_status segment_from_raw(struct subject *s)
{
	struct fh_segment out = {UNTOUCHED, 0};
	struct fh_range range = {s->frame, 1};

	return check_out(s, fh_segment_from_raw(range, &out), &out.handle);
}

static enum fh_status take(struct subject *s)
{
	return fh_alloc_take(s->frame, 1);
}

static enum fh_status add(struct subject *s)
{
	return fh_alloc_add(s->frame, 1);
}

static enum fh_status retire(struct subject *s)
{
	return fh_alloc_retire(s->frame, 1);
}

static enum fh_status get(struct subject *s)
{
	struct fh_frame copy = fh_frame_get(s->held);

	return check_out(s, FH_OK, &copy.handle);
}

static enum fh_status ref_get(struct subject *s)
{
	struct fh_frame f = fh_frame_ref_get(fh_frame_borrow(s->held));

	return check_out(s, FH_OK, &f.handle);
}

static enum fh_status put(struct subject *s)
{
	fh_frame_put(&s->held);
	EXPECT(s->held.handle == 0);
	return FH_OK;
}

static enum fh_status uget(struct subject *s)
{
	struct fh_uframe u;

	OK(fh_uframe_from_frame(&s->held, &u));
	u = fh_uframe_get(u);
	return check_out(s, FH_OK, &u.handle);
}

static enum fh_status uput(struct subject *s)
{
	struct fh_uframe u;

	OK(fh_uframe_from_frame(&s->held, &u));
	fh_uframe_put(&u);
	EXPECT(u.handle == 0);
	return FH_OK;
}

static enum fh_status borrow(struct subject *s)
{
	struct fh_frame_ref ref = fh_frame_borrow(s->held);

	EXPECT(fh_frame_ref_number(ref) == s->frame);
	EXPECT(fh_frame_ref_paddr(ref).bytes == s->pa.bytes);
	return FH_OK;
}

static enum fh_status look(struct subject *s)
{
	EXPECT(fh_frame_type(s->held) == &table_type);
	EXPECT(fh_frame_is_type(s->held, &table_type));
	EXPECT(fh_frame_usage(s->held) == FH_USAGE_FRAME);
	EXPECT(fh_frame_meta(s->held) == &fh_frame_slot(s->held)->meta);
	EXPECT(fh_frame_reference_count(s->held) ==
	       fh_ref_count(state_of(s->frame)));
	return FH_OK;
}

static enum fh_status forget(struct subject *s)
{
	EXPECT(fh_frame_into_raw(&s->held).bytes == s->pa.bytes);
	EXPECT(s->held.handle == 0);
	return FH_OK;
}

static enum fh_status to_uframe(struct subject *s)
{
	uint64_t before = s->held.handle;
	struct fh_uframe out = {UNTOUCHED};
	enum fh_status status = fh_uframe_from_frame(&s->held, &out);

	check_taken(status, before, s->held.handle);
	EXPECT(fh_uframe_paddr(out).bytes == s->pa.bytes);
	EXPECT(fh_frame_from_uframe(&out).handle == before);
	EXPECT(out.handle == 0);
	return status;
}

static enum fh_status to_segment(struct subject *s)
{
	struct fh_segment segment = fh_segment_from_frame(&s->held);

	EXPECT(fh_segment_first(segment) == s->frame);
	EXPECT(fh_segment_count(segment) == 1);
	EXPECT(s->held.handle == 0);
	return FH_OK;
}

static enum fh_status to_unique(struct subject *s)
{
	uint64_t before = s->held.handle;
	struct fh_unique out = {UNTOUCHED};
	enum fh_status status = fh_unique_from_frame(&s->held, &out);

	check_taken(status, before, s->held.handle);
	return check_out(s, status, &out.handle);
}

static enum fh_status unique_look(struct subject *s)
{
	EXPECT(fh_unique_type(s->owned) == &table_type);
	EXPECT(fh_unique_meta(s->owned) == &fh_frame_to_meta(s->frame)->meta);
	EXPECT(fh_unique_bytes(s->owned) == fh_host_linear(s->pa));
	return FH_OK;
}

static enum fh_status repurpose(struct subject *s)
{
	return fh_unique_repurpose(s->owned, &other_type, NULL);
}

static enum fh_status unique_put(struct subject *s)
{
	fh_unique_put(&s->owned);
	EXPECT(s->owned.handle == 0);
	return FH_OK;
}

static enum fh_status reset(struct subject *s)
{
	fh_unique_reset_as_unused(&s->owned);
	EXPECT(s->owned.handle == 0);
	return FH_OK;
}

static enum fh_status share(struct subject *s)
{
	struct fh_frame f = fh_frame_from_unique(&s->owned);

	EXPECT(s->owned.handle == 0);
	return check_out(s, FH_OK, &f.handle);
}

static enum fh_status unique_forget(struct subject *s)
{
	EXPECT(fh_unique_into_raw(&s->owned).bytes == s->pa.bytes);
	EXPECT(s->owned.handle == 0);
	return FH_OK;
}

/* What a call starts from. */
enum start {
	FROM_ADDRESS, /* references to the page are forgotten */
	FROM_FRAME,
	FROM_UNIQUE,
};

struct operation {
	const char *name;
	enum fh_status (*call)(struct subject *s);
	enum start start;
};

static const struct operation operations[] = {
	{"get_slot", get_slot, FROM_ADDRESS},
	{"frame_from_unused", frame_from_unused, FROM_ADDRESS},
	{"unique_from_unused", unique_from_unused, FROM_ADDRESS},
	{"from_in_use", from_in_use, FROM_ADDRESS},
	{"inc", inc, FROM_ADDRESS},
	{"from_raw", frame_from_raw, FROM_ADDRESS},
	{"unique_from_raw", unique_from_raw, FROM_ADDRESS},
	{"seg_from_unused", segment_from_unused, FROM_ADDRESS},
	{"seg_from_raw", segment_from_raw, FROM_ADDRESS},
	{"take", take, FROM_ADDRESS},
	{"add", add, FROM_ADDRESS},
	{"retire", retire, FROM_ADDRESS},
	{"get", get, FROM_FRAME},
	{"ref_get", ref_get, FROM_FRAME},
	{"put", put, FROM_FRAME},
	{"uget", uget, FROM_FRAME},
	{"uput", uput, FROM_FRAME},
	{"borrow", borrow, FROM_FRAME},
	{"look", look, FROM_FRAME},
	{"into_raw", forget, FROM_FRAME},
	{"to_uframe", to_uframe, FROM_FRAME},
	{"to_segment", to_segment, FROM_FRAME},
	{"to_unique", to_unique, FROM_FRAME},
	{"look", unique_look, FROM_UNIQUE},
	{"repurpose", repurpose, FROM_UNIQUE},
	{"put", unique_put, FROM_UNIQUE},
	{"reset", reset, FROM_UNIQUE},
	{"share", share, FROM_UNIQUE},
	{"into_raw", unique_forget, FROM_UNIQUE},
};

/* ---- The tables ---- */

static const char *const claims[] = {
	"page        frame_from_unused  unique_from_unused  from_in_use",
	"free        =1                 =unique             unused",
	"unused      =1                 =unique             unused",
	"busy        busy               busy                busy",
	"1           in_use             in_use              =2",
	"2           in_use             in_use              =3",
	"max-1       in_use             in_use              =max",
	"max         in_use             in_use              !count_limit",
	"max+1       in_use             in_use              !count_limit",
	"unique      unique             unique              unique",
	"page_0      unique             unique              unique",
	"gap         in_use             in_use              =2",
	"hole        out_of_bound       out_of_bound        out_of_bound",
	"misaligned  not_aligned        not_aligned         not_aligned",
	"beyond      out_of_bound       out_of_bound        out_of_bound",
	"both        not_aligned        not_aligned         not_aligned",
};

static const char *const addresses[] = {
	"page        get_slot      inc           from_raw      unique_from_raw",
	"free        ok            !get          unused        unused",
	"unused      ok            !get          unused        unused",
	"busy        ok            !get          busy          busy",
	"1           ok            =2            ok            in_use",
	"2           ok            =3            ok            in_use",
	"max-1       ok            =max          ok            in_use",
	"max         ok            !count_limit  ok            in_use",
	"max+1       ok            !count_limit  ok            in_use",
	"unique      ok            !get          unique        ok",
	"page_0      ok            !get          unique        -",
	"gap         ok            =2            ok            in_use",
	"hole        out_of_bound  out_of_bound  out_of_bound  out_of_bound",
	"misaligned  not_aligned   not_aligned   not_aligned   not_aligned",
	"beyond      out_of_bound  out_of_bound  out_of_bound  out_of_bound",
	"both        not_aligned   not_aligned   not_aligned   not_aligned",
};

static const char *const ranges[] = {
	"page        seg_from_unused  seg_from_raw  take     add     retire",
	"free        =1               unused        =unused  twice   =1",
	"unused      =1               unused        unused   =free   unused",
	"busy        busy             busy          busy     busy    busy",
	"1           in_use           ok            in_use   in_use  in_use",
	"2           in_use           ok            in_use   in_use  in_use",
	"max-1       in_use           ok            in_use   in_use  in_use",
	"max         in_use           ok            in_use   in_use  in_use",
	"max+1       in_use           ok            in_use   in_use  in_use",
	"unique      unique           unique        unique   unique  unique",
	"page_0      unique           unique        -        -       -",
	"gap         in_use           ok            -        -       -",
	"misaligned  not_aligned      -             -        -       -",
};

static const char *const ranges_without_slots[] = {
	"page    seg_from_unused  seg_from_raw  take          add",
	"hole    out_of_bound     out_of_bound  out_of_bound  out_of_bound",
	"beyond  out_of_bound     out_of_bound  out_of_bound  out_of_bound",
};

static const char *const counts[] = {
	"page    get           ref_get       put     uget          uput",
	"free    !get          !get          !put    !get          !put",
	"unused  !get          !get          !put    !get          !put",
	"busy    !get          !get          !put    !get          !put",
	"1       =2            =2            =free   =2            =free",
	"2       =3            =3            =1      =3            =1",
	"max-1   =max          =max          =max-2  =max          =max-2",
	"max     !count_limit  !count_limit  =max-1  !count_limit  =max-1",
	"max+1   !count_limit  !count_limit  !put    !count_limit  !put",
	"unique  !get          !get          !put    !get          !put",
};

static const char *const moves[] = {
	"page    borrow  look  into_raw  to_uframe  to_segment  to_unique",
	"free    ok      ok    ok        ok         ok          in_use",
	"unused  ok      ok    ok        ok         ok          in_use",
	"busy    ok      ok    ok        ok         ok          in_use",
	"1       ok      ok    ok        ok         ok          =unique",
	"2       ok      ok    ok        ok         ok          in_use",
	"max-1   ok      ok    ok        ok         ok          in_use",
	"max     ok      ok    ok        ok         ok          in_use",
	"max+1   ok      ok    ok        ok         ok          in_use",
	"unique  ok      ok    ok        ok         ok          in_use",
};

/* No handle but the page's only one leads to these. */
static const char *const owners[] = {
	"page    look  repurpose  put    reset    share  into_raw",
	"unique  ok    ok         =free  =unused  =1     ok",
	"free    ok    !unique    !unique  !unique  !unique  ok",
	"unused  ok    !unique    !unique  !unique  !unique  ok",
	"busy    ok    !unique    !unique  !unique  !unique  ok",
	"1       ok    !unique    !unique  !unique  !unique  ok",
	"2       ok    !unique    !unique  !unique  !unique  ok",
	"max     ok    !unique    !unique  !unique  !unique  ok",
};

/* ---- How a table is read ---- */

static const struct {
	const char *name;
	uint64_t state;
} states[] = {
	{"free", FH_STATE_FREE},     {"unused", FH_STATE_UNUSED},
	{"busy", FH_STATE_BUSY},     {"unique", FH_STATE_UNIQUE},
	{"1", FH_STATE_SHARED(1)},   {"2", FH_STATE_SHARED(2)},
	{"3", FH_STATE_SHARED(3)},   {"max-2", FH_STATE_MAX - 2},
	{"max-1", FH_STATE_MAX - 1}, {"max", FH_STATE_MAX},
	{"max+1", FH_STATE_MAX + 1},
};

static const struct {
	const char *name;
	enum fh_status status;
} statuses[] = {
	{"in_use", FH_E_IN_USE}, {"unused", FH_E_UNUSED},
	{"busy", FH_E_BUSY},     {"unique", FH_E_UNIQUE},
	{"twice", FH_E_TWICE},   {"out_of_bound", FH_E_OUT_OF_BOUND},
	{"ok", FH_OK},           {"not_aligned", FH_E_NOT_ALIGNED},
};

/* Pages that are where they are, whatever their state. */
static const struct {
	const char *name;
	uint64_t frame;
	uint64_t offset;
} places[] = {
	{"page_0", 0, 0},
	{"gap", GAP_PAGE, 0},
	{"hole", HOLE_PAGE, 0},
	{"misaligned", 3500, FH_PAGE_SIZE / 2},
	{"beyond", FRAME_END, 0},
	{"both", FH_PAGE_NUMBER_END - 1, FH_PAGE_SIZE - 1},
};

static uint64_t state_named(const char *name)
{
	for (size_t i = 0; i < LENGTH(states); i++)
		if (strcmp(states[i].name, name) == 0)
			return states[i].state;
	fail_msg("no state %s", name);
	return 0;
}

static enum fh_status status_named(const char *name)
{
	for (size_t i = 0; i < LENGTH(statuses); i++)
		if (strcmp(statuses[i].name, name) == 0)
			return statuses[i].status;
	fail_msg("no status %s", name);
	return FH_OK;
}

static const struct operation *operation_named(const char *name,
					       enum start start)
{
	for (size_t i = 0; i < LENGTH(operations); i++)
		if (operations[i].start == start &&
		    strcmp(operations[i].name, name) == 0)
			return &operations[i];
	fail_msg("no call %s", name);
	return NULL;
}

static bool find_place(struct subject *s, const char *name)
{
	for (size_t i = 0; i < LENGTH(places); i++) {
		if (strcmp(places[i].name, name) != 0)
			continue;
		s->frame = places[i].frame;
		s->pa = fh_paddr(s->frame * FH_PAGE_SIZE + places[i].offset);
		return true;
	}
	return false;
}

static void own(struct subject *s)
{
	OK(fh_unique_from_unused(s->pa, &table_type, &words, &s->owned));
}

static void hold(struct subject *s, uint64_t state)
{
	OK(fh_frame_from_unused(s->pa, &table_type, &words, &s->held));
	if (state == FH_STATE_SHARED(2))
		OK(fh_frame_inc(s->pa));
}

/*
 * A page in that state, with what the call starts from. Whether the state was
 * come by honestly, so that the audit has nothing against it.
 */
static bool make_subject(struct subject *s, uint64_t state, enum start start)
{
	s->frame = fresh_pages(1);
	s->pa = address_of(s->frame);
	if (start == FROM_UNIQUE) {
		own(s);
	} else if (start == FROM_FRAME) {
		hold(s, state);
	} else if (state == FH_STATE_UNUSED) {
		OK(fh_alloc_take(s->frame, 1));
	} else if (state == FH_STATE_UNIQUE) {
		own(s);
		assert_int_equal(fh_unique_into_raw(&s->owned).bytes,
				 s->pa.bytes);
	} else if (state != FH_STATE_FREE) {
		hold(s, state);
		assert_int_equal(fh_frame_into_raw(&s->held).bytes,
				 s->pa.bytes);
	}
	if (state_of(s->frame) == state)
		return true;
	force_state(s->frame, state);
	return false;
}

/* One call, which may not return. */
struct run {
	const struct operation *operation;
	struct subject *subject;
	enum fh_status status;
};

static void run_call(void *arg)
{
	struct run *run = arg;

	run->status = run->operation->call(run->subject);
}

static struct fh_view_page before[FRAME_END], after[FRAME_END];

static void check_stop(const struct subject *s, const char *rule, bool stopped)
{
	EXPECT(stopped);
	EXPECT(strcmp(stop_finding.rule, rule) == 0);
	EXPECT(stop_finding.frame == s->frame);
	EXPECT(stop_finding.state == before[s->frame].slot.state);
}

/* A page has a type while somebody has it, and loses it through on_drop. */
static void check_success(const struct subject *s, const char *expected)
{
	const struct fh_slot *old = &before[s->frame].slot;
	const struct fh_slot *new = &after[s->frame].slot;

	EXPECT(new->list == 0);
	EXPECT(drops == (old->type == &table_type && new->type != old->type));
	if (expected[0] != '=') {
		EXPECT(new->state == old->state);
		return;
	}
	EXPECT(new->state == state_named(expected + 1));
	EXPECT((new->type != NULL) ==
	       (new->state == FH_STATE_UNIQUE || new->state >= FH_STATE_ONE));
}

static void check_outcome(const struct run *run, const char *expected)
{
	struct fh_view then = {0, FRAME_END, before};
	struct fh_view now = {0, FRAME_END, after};
	const struct subject *s = run->subject;
	uint64_t frame;

	fh_view_take(&now);
	if (expected[0] == '=' || strcmp(expected, "ok") == 0) {
		EXPECT(run->status == FH_OK);
		EXPECT(fh_view_agree_except(&then, &now, s->frame, 1, &frame));
		check_success(s, expected);
	} else {
		EXPECT(run->status == status_named(expected));
		EXPECT(fh_view_same(&then, &now, &frame));
		EXPECT(drops == 0);
	}
}

static void check_cell(const char *page, const struct operation *operation,
		       const char *expected)
{
	struct subject subject = {.frame = 0};
	struct run run = {.operation = operation, .subject = &subject};
	struct fh_view view = {0, FRAME_END, before};

	cell.page = page;
	cell.call = operation->name;
	cell.expected = expected;
	assert_int_equal(start_machine(NULL), 0);
	bool honest =
		find_place(&subject, page) ||
		make_subject(&subject, state_named(page), operation->start);
	drops = 0;
	fh_view_take(&view);
	bool stopped = hosted_stops(run_call, &run, &stop_finding);
	if (expected[0] == '!') {
		check_stop(&subject, expected + 1, stopped);
	} else {
		EXPECT(!stopped);
		check_outcome(&run, expected);
		if (honest)
			AUDIT();
	}
	stop_machine(NULL);
}

/* The next word of the text, which moves on; false at its end. */
static bool next_word(const char **text, char word[32])
{
	int length = 0;

	if (sscanf(*text, "%31s%n", word, &length) != 1)
		return false;
	*text += length;
	return true;
}

static void check_table(const char *const *rows, size_t n, enum start start)
{
	for (size_t i = 1; i < n; i++) {
		const char *head = rows[0];
		const char *row = rows[i];
		char page[32];
		char name[32];
		char expected[32];

		assert_true(next_word(&head, name));
		assert_true(next_word(&row, page));
		while (next_word(&head, name)) {
			assert_true(next_word(&row, expected));
			if (strcmp(expected, "-") != 0)
				check_cell(page, operation_named(name, start),
					   expected);
		}
		assert_false(next_word(&row, expected));
	}
}

static void claim_table(void **state)
{
	(void)state;
	check_table(claims, LENGTH(claims), FROM_ADDRESS);
}

static void state_operation_table(void **state)
{
	(void)state;
	check_table(addresses, LENGTH(addresses), FROM_ADDRESS);
	check_table(ranges, LENGTH(ranges), FROM_ADDRESS);
	check_table(ranges_without_slots, LENGTH(ranges_without_slots),
		    FROM_ADDRESS);
	check_table(counts, LENGTH(counts), FROM_FRAME);
	check_table(moves, LENGTH(moves), FROM_FRAME);
	check_table(owners, LENGTH(owners), FROM_UNIQUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(claim_table, stop_machine),
		cmocka_unit_test_teardown(state_operation_table, stop_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
