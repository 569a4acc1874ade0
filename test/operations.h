/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Every public operation of the frame layer, driven by a stream of bytes and
 * compared with the model after each call. A run ends with its bytes; then
 * everything is put and all memory must be back.
 *
 * operations.c has the loop; operations_page.c, operations_many.c (segments,
 * lists) and operations_alloc.c have what it chooses from.
 */
#ifndef FRAMEHOLD_TEST_OPERATIONS_H
#define FRAMEHOLD_TEST_OPERATIONS_H

#include "model.h"

#define OPERATIONS_MAX      64
#define OPERATIONS_STATUSES (FH_E_TWICE + 1)

/* How often each operation answered what. */
struct operations_tally {
	uint64_t answers[OPERATIONS_MAX][OPERATIONS_STATUSES];
};

struct operations_result {
	bool agrees;
	uint64_t steps;
	char complaint[600]; /* if it does not */
};

/* Runs the operations that the bytes say; tally may be null, or is added to. */
void operations_run(const struct model_layout *layout, const uint8_t *bytes,
		    size_t size, struct operations_tally *tally,
		    struct operations_result *result);

/* Operations there are, and their names. */
unsigned operations_count(void);
const char *operations_name(unsigned operation);

/* ---- For the operations ---- */

enum owner_kind {
	OWNER_NONE = 0,
	OWNER_FRAME,
	OWNER_UFRAME,
	OWNER_NOTE,
	OWNER_UNIQUE,
	OWNER_SEGMENT,
	OWNER_USEGMENT,
};

/* A handle of the library, in the field of its kind; and what it should own. */
struct owner {
	enum owner_kind kind;
	struct fh_frame frame;
	struct fh_uframe uframe;
	struct model_note_frame note;
	struct fh_unique unique;
	struct fh_segment segment;
	struct fh_usegment usegment;
	uint64_t first;
	uint64_t count;
};

#define OWNERS 14
#define LISTS  2

#define LIST_MEMBERS 256

/* A list of the library, and what should be in it, front to back. */
struct member_list {
	struct fh_list list;
	uint64_t members[LIST_MEMBERS];
	unsigned size;
};

struct world {
	struct model model;
	struct owner owners[OWNERS];
	struct member_list lists[LISTS];
	const uint8_t *bytes; /* what is left of the input */
	size_t left;
	struct operations_tally *tally;
	unsigned operation; /* under way */
	uint64_t step;
	struct fh_paddr at; /* the last address drawn: for the complaint */
	struct fh_meta words;
};

typedef void operation_body(struct world *w);

/* What handles are before a call that must leave them alone. */
#define UNTOUCHED UINT64_C(0x5c5c5c5c5c5c5c5c)

/* ---- Drawing from the input; zeros after its end ---- */

uint64_t draw(struct world *w, uint64_t n); /* 0 .. n-1 */
uint64_t draw_frame(struct world *w);
struct fh_paddr draw_address(struct world *w);
const struct fh_meta_type *draw_type(struct world *w);
const struct fh_meta *draw_words(struct world *w); /* null now and then */

/* An offset or a number of pages around a segment's borders, or far away. */
uint64_t draw_offset(struct world *w, uint64_t count);

/* An owner of that kind; one that owns nothing if there is none. */
struct owner *draw_owner(struct world *w, enum owner_kind kind);

/* Any owner. */
struct owner *draw_any_owner(struct world *w);

/* One that owns nothing; puts another's if need be. */
struct owner *draw_place(struct world *w);

/* ---- Owners ---- */

void own_frame(struct owner *owner, struct fh_frame frame, uint64_t number);
void own_unique(struct owner *owner, struct fh_unique unique, uint64_t number);
void own_segment(struct owner *owner, struct fh_segment segment, uint64_t first,
		 uint64_t count);
void disown(struct owner *owner);

/* Puts what it owns; also the zero handles of what owns nothing. */
void put_owner(struct world *w, struct owner *owner);

/* Drops every member of a list. */
void drop_members(struct world *w, struct member_list *l);

/* ---- Answers ---- */

/* Complains unless they are equal; returns whether the call succeeded. */
bool answered(struct world *w, enum fh_status status, enum fh_status due);

/* The same where a free page may also lie in a CPU's cache: FH_E_BUSY. */
bool answered_or_busy(struct world *w, enum fh_status status,
		      enum fh_status due, bool may_be_busy);

bool expect(struct world *w, bool holds, const char *what);

/* Whether a page is free, by the model. */
bool is_free(const struct world *w, struct fh_paddr pa);

/* Runs a call that must stop the machine by that rule, at the page at w->at. */
void must_stop(struct world *w, const char *rule, void (*call)(void *arg),
	       void *arg);

/* ---- The operations ---- */

operation_body claim_frame, claim_unique, claim_note, share_by_address,
	increase, get_owned, put_owned, borrow_and_get, forget_frame,
	restore_frame, make_untyped, forget_untyped, make_note, forget_note,
	repurpose, reset_unique, share_unique, make_unique, forget_unique,
	restore_unique, write_unique, look_at_address;

operation_body claim_segment, claim_segment_with, segment_of_frame,
	split_segment, slice_segment, next_of_segment, forget_segment,
	restore_segment, borrow_from_segment, check_segment_type, make_usegment,
	forget_usegment, push_to_list, pop_from_list, find_in_list,
	take_at_cursor, insert_at_cursor, drop_list, alloc_frame, alloc_unique,
	alloc_segment, take_pages, add_pages, retire_pages, restore_metadata;

#endif /* FRAMEHOLD_TEST_OPERATIONS_H */
