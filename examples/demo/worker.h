/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A worker is a simulated CPU at work: what it holds, and the steps that all
 * operations share. The operations themselves are in work_frame.c,
 * work_unique.c, work_segment.c and work_list.c, one file for each owner, and
 * in work_alloc.c and work_zone.c, for the ways of the allocator.
 *
 * A worker's holdings are its own. Workers meet at four places: mailboxes, in
 * which they leave frames for each other; parcels, in which they send what
 * another CPU is to give up; the board, on which they publish addresses of
 * frames they share; and islands, ranges of memory that all of them claim by
 * address.
 */
#ifndef DEMO_WORKER_H
#define DEMO_WORKER_H

#include "note.h"

#include <framehold/framehold.h>

#include <pthread.h>

#define MOST_FRAMES   512
#define MOST_UNIQUES  256
#define MOST_SEGMENTS 96
#define MOST_LISTS    4
#define MOST_MEMBERS  256
#define MOST_RAWS     64
#define MOST_RANGES   8

#define MAILBOXES    16
#define BOARD_PLACES 64
#define ISLANDS      96
#define ISLAND_PAGES 48

#define MOST_SENT_FRAMES   64
#define MOST_SENT_SEGMENTS 8

/* How one operation ended. */
enum outcome {
	DONE,
	REFUSED, /* by a status that the operation may answer with */
	NOTHING, /* to do it on; does not count */
	WRONG,   /* must not happen: the run ends */
};

/* Stamped pages carry their own number in their first bytes. */
struct held_frame {
	struct fh_frame frame;
	bool stamped;
};

struct held_unique {
	struct fh_unique unique;
	bool stamped;
};

struct held_raw {
	struct fh_paddr pa;
	bool stamped;
};

struct mailbox {
	pthread_mutex_t lock;
	struct held_frame letter; /* or no frame */
};

/* What other CPUs have sent to one of them. */
struct parcel {
	pthread_mutex_t lock;
	size_t frame_count;
	struct held_frame frames[MOST_SENT_FRAMES];
	size_t segment_count;
	struct fh_segment segments[MOST_SENT_SEGMENTS];
};

/* What the workers share. */
struct common {
	unsigned cpus;
	struct parcel parcels[FH_MAX_CPUS];
	struct mailbox mailboxes[MAILBOXES];
	uint64_t board[BOARD_PLACES]; /* frame numbers or 0; atomic */
	uint64_t islands[ISLANDS];    /* first frames */
	uint64_t island_count;
	uint64_t pages_per_worker;   /* that its segments may refer to */
	uint64_t retired_per_worker; /* pages that it may retire */
};

struct worker {
	struct common *common;
	unsigned cpu;
	uint64_t random;
	uint64_t digest;     /* of all it did */
	uint64_t notes_made; /* claims of pages as notes */
	uint64_t stamps;     /* found intact */
	uint64_t retired;    /* pages, for good */

	size_t frame_count;
	struct held_frame frames[MOST_FRAMES];
	size_t unique_count;
	struct held_unique uniques[MOST_UNIQUES];
	size_t segment_count;
	struct fh_segment segments[MOST_SEGMENTS];
	uint64_t segment_pages;
	struct fh_list lists[MOST_LISTS];
	size_t raw_count;
	struct held_raw raws[MOST_RAWS];
	size_t range_count;
	struct fh_range ranges[MOST_RANGES];

	char wrong[160]; /* why the run must end, or empty */
};

struct operation {
	const char *name;
	unsigned weight;
	enum outcome (*run)(struct worker *worker);
};

/* The operations of each owner, ended by a null name. */
extern const struct operation frame_operations[];
extern const struct operation unique_operations[];
extern const struct operation segment_operations[];
extern const struct operation list_operations[];
extern const struct operation alloc_operations[];
extern const struct operation zone_operations[];

/* A random number below n, which is not 0. */
uint64_t worker_random(struct worker *worker, uint64_t n);

/* True once in n times. */
bool worker_chance(struct worker *worker, uint64_t n);

/* Masks of statuses: one, and those of claiming a page of the islands. */
unsigned may_answer(enum fh_status status);
unsigned may_answer_claim(void);

/*
 * Makes an outcome of a status. The operation may answer with those in the
 * mask; any other is wrong.
 */
enum outcome worker_settle(struct worker *worker, enum fh_status status,
			   unsigned answers);

/* Notes that something is not as it must be. */
enum outcome worker_wrong(struct worker *worker, const char *what);

/* Goes into the digest of what the worker did. */
void worker_record(struct worker *worker, uint64_t number);

/* The address of a random page of the islands. */
struct fh_paddr worker_island_page(struct worker *worker);

/* Writes the page's number into it; checks that it is still there. */
void worker_stamp(uint64_t frame);
bool worker_check_stamp(struct worker *worker, uint64_t frame);

/* A random way to allocate; zeroed once in four times. */
struct fh_alloc_options worker_alloc_options(struct worker *worker);

/* Holdings: adding needs room, taking out needs one of them. */
bool worker_has_room_for_frame(const struct worker *worker);
void worker_keep_frame(struct worker *worker, struct fh_frame frame,
		       bool stamped);
struct held_frame worker_take_frame(struct worker *worker);
bool worker_has_room_for_unique(const struct worker *worker);
void worker_keep_unique(struct worker *worker, struct fh_unique unique,
			bool stamped);
struct held_unique worker_take_unique(struct worker *worker);
bool worker_has_room_for_segment(const struct worker *worker, uint64_t pages);
void worker_keep_segment(struct worker *worker, struct fh_segment segment);
struct fh_segment worker_take_segment(struct worker *worker);

/* Gives up all that others have sent to that CPU. */
void worker_drop_parcel(struct parcel *parcel);

/* Gives up all that it holds. */
void worker_drop_everything(struct worker *worker);

#endif /* DEMO_WORKER_H */
