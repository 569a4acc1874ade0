/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What every test of the frame layer needs: a small machine with one of
 * everything, calls that are checked to change nothing else, and calls that
 * stop the machine.
 *
 * The machine, in pages:
 *
 *       0 ..   159   usable; page 0 is no frame
 *     159 ..   256   reserved
 *     256 ..  4096   usable, of which 512 .. 640 are the kernel's image
 *    4096 .. 32768   nothing, in a section with memory: held as reserved
 *   32768 .. 65536   nothing, a section of its own: no slots
 *   65536 .. 66560   usable
 *
 * The early allocator takes what it needs from page 1 on and from page 256 on.
 */
#ifndef FRAMEHOLD_TEST_HARNESS_H
#define FRAMEHOLD_TEST_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <framehold/allocator.h>
#include <framehold/framehold.h>

#include "hosted.h"

#define RESERVED_PAGE 200
#define KERNEL_PAGE   520
#define GAP_PAGE      5000  /* a hole inside a section with slots */
#define HOLE_PAGE     40000 /* a hole without slots */
#define HIGH_FIRST    65536
#define FRAME_END     66560

/* cmocka fixtures: the machine, memory zeroed or full of junk. */
int start_machine(void **state);
int start_dirty_machine(void **state);
int stop_machine(void **state);

/* Gives each test without a fixture an ordinary machine of its own. */
void each_on_a_machine(struct CMUnitTest *tests, size_t n);

/*
 * The first of n neighbouring pages that are FREE now, the same in every run:
 * in the middle of the low memory, away from what the allocator gives first.
 */
uint64_t free_pages(uint64_t n);

/*
 * The first of n neighbouring pages that nobody has had since the machine
 * started, so that no CPU keeps them for itself: claims by address find them.
 * They lie between 3072 and 4096; the next call gives others.
 */
uint64_t fresh_pages(uint64_t n);

/* A page in state UNUSED: taken out of the allocator for good. */
uint64_t unused_page(void);

/* The state word of a page, and one written by force, as a seeded bug would. */
uint64_t state_of(uint64_t frame);
void force_state(uint64_t frame, uint64_t state);

struct fh_paddr address_of(uint64_t frame);

/* Free pages by the allocator's count. */
uint64_t count_free(void);

/*
 * Whether the allocator would give that page: allocates all there are, and
 * puts them again.
 */
bool is_allocatable(uint64_t frame);

/* A type whose on_drop counts its runs and remembers the last page's words. */
extern const struct fh_meta_type counting_type;
extern unsigned drops;
extern struct fh_dropping last_drop;
extern struct fh_meta last_drop_meta;

/* Like counting_type, but untyped, or with words that fit a list. */
extern const struct fh_meta_type other_type;
extern const struct fh_meta_type linkable_type;

/* ---- "and nothing else changed" ---- */

void watch_begin(void);
void watch_end(uint64_t except, uint64_t count, const char *call,
	       const char *file, int line);

/*
 * Evaluates call and fails the test if any page outside of first .. first +
 * count - 1 changed its owners, or if the audit finds anything afterwards.
 */
#define CHANGES(first, count, call)                                            \
	do {                                                                   \
		watch_begin();                                                 \
		call;                                                          \
		watch_end((first), (count), #call, __FILE__, __LINE__);        \
	} while (0)

#define CHANGES_NOTHING(call) CHANGES(0, 0, call)

/* A call that must fail with that status and change nothing. */
#define REFUSES(status, call)                                                  \
	CHANGES_NOTHING(assert_int_equal((call), (status)))

/* A call that must succeed. */
#define OK(call) assert_int_equal((call), FH_OK)

/*
 * Runs body(arg), which must stop the machine by that rule; the finding is in
 * stop_finding then. Undo what body left half done before the test ends.
 */
extern struct fh_finding stop_finding;
void stops_with(const char *rule, void (*body)(void *arg), void *arg,
		const char *file, int line);
#define STOPS(rule, body, arg)                                                 \
	stops_with((rule), (body), (arg), __FILE__, __LINE__)

/* Fails the test with the finding's text unless the audit finds nothing. */
void assert_audit_clean(const char *file, int line);
#define AUDIT() assert_audit_clean(__FILE__, __LINE__)

/* Fails the test unless no handle is live and all memory came back. */
void assert_nothing_held(uint64_t free_before, const char *file, int line);
#define NOTHING_HELD(free_before)                                              \
	assert_nothing_held((free_before), __FILE__, __LINE__)

/* Deterministic pseudo-random numbers. */
struct random {
	uint64_t state;
};
uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t n);

#endif /* FRAMEHOLD_TEST_HARNESS_H */
