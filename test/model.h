/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A slow and obvious model of the frame layer: one record a page that says
 * what the page is and who owns it. operations.c calls the library, says here
 * what the call should have done, and compares everything after each call.
 *
 * The model does not know which page the allocator gives, only that it must
 * be free; nor when an allocator with reserves refuses, or answers that a free
 * page lies in a CPU's cache. It knows nothing else of the allocator either.
 *
 * It needs the hosted machine and no test framework: a fuzzer uses it too.
 */
#ifndef FRAMEHOLD_TEST_MODEL_H
#define FRAMEHOLD_TEST_MODEL_H

#include <framehold/audit.h>
#include <framehold/framehold.h>

#include "hosted.h"

enum model_state {
	MODEL_ABSENT = 0, /* no slot */
	MODEL_FREE,
	MODEL_UNUSED,
	MODEL_UNIQUE,
	MODEL_SHARED,
	MODEL_STATES,
};

/* What one page should be. */
struct model_page {
	enum model_state state;
	const struct fh_meta_type *type; /* null in FREE and UNUSED */
	struct fh_meta words;
	unsigned known; /* of the words; a list leaves anything in the others */
	uint64_t units[FH_UNIT_KINDS];
	uint64_t stamp;  /* at both ends of the page's bytes; 0: unknown */
	unsigned list;   /* 1 + the index of the list it is in, or 0 */
	bool is_library; /* holds slots and tables: never given up here */
};

/* One run of on_drop. */
struct model_drop {
	uint64_t frame;
	struct fh_meta words;
	unsigned known;
};

#define MODEL_DROPS 256

struct model_drops {
	struct model_drop items[MODEL_DROPS];
	unsigned count;
};

/* Neighbouring pages that are compared after each call. */
struct model_window {
	uint64_t first;
	uint64_t count;
};

#define MODEL_WINDOWS      3
#define MODEL_WINDOW_PAGES 160

/* A memory map, and the part of it that operations may change. */
struct model_layout {
	const char *name;
	struct fh_region regions[8];
	size_t region_count;
	struct model_window windows[MODEL_WINDOWS];
	uint64_t hole; /* a page of an absent section, or beyond the end */
	bool is_big;   /* many pages outside of the windows */
};

extern const struct model_layout model_layouts[];
#define MODEL_LAYOUTS 3

struct model {
	const struct model_layout *layout;
	struct model_page *pages;
	uint64_t frame_end;
	uint64_t counts[MODEL_STATES]; /* pages by state; ABSENT: not kept */
	uint64_t handles;              /* that somebody would have to put */
	uint64_t stamps;               /* drawn so far */
	struct model_drops due;
	struct model_drops seen;
	enum fh_status drop_status; /* of claims while on_drop runs */
	bool failed;
	char complaint[400]; /* what differed first */
};

/* The types that pages are given. */
extern const struct fh_meta_type model_full_type;   /* all five words */
extern const struct fh_meta_type model_linked_type; /* fits a list */
extern const struct fh_meta_type model_plain_type;  /* untyped, and drops */
extern const struct fh_meta_type model_device_type; /* no memory: MMIO */
extern const struct fh_meta_type model_large_type;  /* too large */

/* One through the macro of typed.h. */
struct model_note {
	uint64_t number;
	uint32_t low;
	uint32_t high;
};
extern const struct fh_meta_type model_note_type;
FH_META_TYPE(model_note, struct model_note, model_note_type);

/*
 * Starts a machine of that layout and the model of it; the caller stops it
 * with model_stop(). There is one model at a time, as there is one machine.
 */
FH_NODISCARD
bool model_start(struct model *m, const struct model_layout *layout);
void model_stop(struct model *m);

/* Keeps the first complaint; printf's format. */
void model_fail(struct model *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Complains in those words unless it holds; returns whether it does. */
bool model_expect(struct model *m, bool holds, const char *what);

/* The record of a page; of one that does not exist: MODEL_ABSENT. */
const struct model_page *model_page(const struct model *m, uint64_t frame);

/* ---- What calls should answer ---- */

/* The page at an address that is aligned and has a slot, or a status. */
enum fh_status model_find(const struct model *m, struct fh_paddr pa);

/* A claim by address, with everything that it looks at in its order. */
enum fh_status model_claim_status(const struct model *m, struct fh_paddr pa,
				  const struct fh_meta_type *type);

/* from_in_use and from_raw; the last is unique_from_raw's. */
enum fh_status model_share_status(const struct model *m, struct fh_paddr pa);
enum fh_status model_unique_status(const struct model *m, struct fh_paddr pa);

/* Holders of a shared page. */
uint64_t model_holders(const struct model *m, uint64_t frame);

/* ---- What calls should have done ---- */

/* An unowned page becomes somebody's: UNIQUE or SHARED by the kind of unit. */
void model_claim(struct model *m, uint64_t frame,
		 const struct fh_meta_type *type, const struct fh_meta *words,
		 enum fh_unit unit);

/* One holder more, or less; the last one drops the page. */
void model_add(struct model *m, uint64_t frame, enum fh_unit unit);
void model_sub(struct model *m, uint64_t frame, enum fh_unit unit);

/* A unit becomes another kind's, and the page unique or shared with it. */
void model_move(struct model *m, uint64_t frame, enum fh_unit from,
		enum fh_unit to);

/* on_drop is due for a page. */
void model_due(struct model *m, uint64_t frame);

/* The words of an owned page change. */
void model_set_words(struct model *m, uint64_t frame,
		     const struct fh_meta_type *type,
		     const struct fh_meta *words);

/* The page ends in FREE or UNUSED; its owner's unit is gone, its type too. */
void model_release(struct model *m, uint64_t frame, enum model_state state);

/* The list that a unique page is in. */
void model_enter_list(struct model *m, uint64_t frame, unsigned list);
void model_leave_list(struct model *m, uint64_t frame);

/* Where a page that is dropped ends: by its type's use and its zone. */
enum model_state model_dropped_state(uint64_t frame,
				     const struct fh_meta_type *type);

/* ---- Comparison ---- */

/*
 * The library against the model: audit, every page of the windows (of all
 * memory if asked), drops, free pages.
 */
void model_compare(struct model *m, bool everything);

/* Whether all bytes of a page are zero. */
bool model_page_is_zero(uint64_t frame);

#endif /* FRAMEHOLD_TEST_MODEL_H */
