/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What lies behind alloc.h: the functions by which the rest of the library
 * uses its page allocator. They are bound at link time, without indirect
 * calls; leave the files marked "allocator" in sources.txt out and define
 * these to bring your own, and with them what alloc.h says of statistics and
 * kicks: fh_alloc_stats(), fh_alloc_zone(), fh_alloc_poll(), fh_alloc_drain().
 * examples/own_allocator/ has one.
 *
 * The allocator knows pages as free or not. Every page that it calls free is
 * in state FREE, and it never gives the same page to two callers. It reads
 * slots to prefetch at most. With FH_ALLOCATOR_CHECKED, and in checked builds,
 * each page it gives is claimed by compare-exchange: an allocator that is
 * wrong ends in FH_E_CORRUPT, never in two owners.
 */
#ifndef FRAMEHOLD_ALLOCATOR_H
#define FRAMEHOLD_ALLOCATOR_H

#include <framehold/alloc.h>
#include <framehold/region.h>
#include <framehold/report.h>
#include <framehold/topology.h>

FH_BEGIN_DECLS

#ifndef FH_ALLOCATOR_CHECKED
#define FH_ALLOCATOR_CHECKED FH_CHECKED
#endif

/*
 * Called once by fh_init(), before slots exist, to prepare for the pages of
 * the map: takes what tables it needs from the early allocator. All pages are
 * not free at first. topology may be null. FH_E_NO_MEMORY if the tables do not
 * fit.
 */
FH_NODISCARD
enum fh_status fh_allocator_init(const struct fh_memory_map *map,
				 const struct fh_topology *topology,
				 bool memory_is_zeroed);

/* Undoes it. */
void fh_allocator_fini(void);

/*
 * Whether a page is the allocator's to have, free or not: a last put hands it
 * back then. Constant for a page while anybody holds it. Any context. It is not
 * asked for sections that fh_memory.cover calls FH_COVER_ALL: a table that an
 * allocator may leave there while it is up.
 */
/*@
  requires allocator_map_ok;
  assigns \nothing;
  exits \false;
*/
bool fh_allocator_covers(uint64_t frame);

/*
 * Makes n pages free, which are covered, in state FREE, and the caller's to
 * give. Thread and interrupt context. Up-called by last puts.
 */
/*@
  requires first <= FH_MAX_FRAMES && n <= FH_MAX_FRAMES - first;
  requires \forall integer i; first <= i < first + n ==>
    state_is(i, FH_STATE_FREE) && g_free[i] == 0;
  requires allocator_ok;
  assigns g_free[first .. first + n - 1], allocator_state;
  exits \false;
  ensures allocator_ok;
  ensures \forall integer i; first <= i < first + n ==> g_free[i] == 1;
*/
void fh_allocator_give_back(uint64_t first, uint64_t n);

/*
 * Takes a page out if it is free now; false otherwise. It stays in state FREE
 * and is the caller's. Thread and interrupt context. Up-called by claims by
 * address.
 */
/*@
  requires frame < FH_MAX_FRAMES;
  requires allocator_ok;
  assigns g_free[frame], allocator_state;
  exits \false;
  ensures allocator_ok;
  ensures \result <==> \old(g_free[frame]) != 0;
  ensures g_free[frame] == 0;
*/
FH_NODISCARD
bool fh_allocator_withdraw(uint64_t frame);

/*@
  logic integer odd_part(integer n) =
    n > 1 && n % 2 == 0 ? odd_part(n / 2) : n;

  // A power of two: nothing odd is left but one.
  predicate is_power(integer n) = n == 1 || odd_part(n) == 1;

  // The allocator has it to give.
  predicate can_be_taken{L}(integer i) =
    has_slot(i) && (live(i) ==> fh_slots[i].state == FH_STATE_FREE) &&
    g_free[i] != 0;

  // Pages first .. first+n-1 are free, and lie as is asked for.
  predicate run_fits{L}(integer first, integer n, integer align,
                        integer below) =
    (align != 0 ==> first % align == 0) &&
    (below != 0 ==> first + n <= below) &&
    \forall integer i; first <= i < first + n ==> can_be_taken(i);

  // They were the allocator's, and are the caller's to write.
  predicate were_popped{A,B}(integer first, integer n) =
    0 < first && first + n <= \at(fh_memory.frame_end,B) &&
    kept_but{A,B}(first, first + n) &&
    \forall integer i; first <= i < first + n ==>
      can_be_taken{A}(i) && state_is{B}(i, FH_STATE_FREE) &&
      \at(g_held[i],B) == 0 && \at(g_raw[i],B) == 0 && \at(g_free[i],B) == 0 && \at(fh_slots[i].list,B) == 0;
*/

/*
 * Takes n > 0 contiguous free pages as options say; options->align is a power
 * of two or 0. They stay in state FREE and are the caller's. FH_E_NO_MEMORY.
 * Sections that they lie in are live: fh_section_make_live().
 */
/*@
  requires region_inv && n > 0 && \valid(first) && \valid_read(options);
  requires options->align == 0 || is_power(options->align);
  requires allocator_ok && allocator_can_ask;
  requires apart_from_allocator(first) && apart_from_allocator(options);
  assigns *first, fh_slots[0 .. FH_LAST_FRAME], g_free[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION], allocator_state;
  exits \false;
  ensures allocator: allocator_ok;
  ensures region: region_inv;
  ensures status: \result == FH_OK || \result == FH_E_NO_MEMORY;
  ensures refused: \result != FH_OK ==>
    kept{Pre,Post} && *first == \old(*first);
  ensures fits: \result == FH_OK ==> 
    run_fits{Pre}(*first, n, \old(options->align), \old(options->below));
  ensures popped: \result == FH_OK ==> were_popped{Pre,Post}(*first, n);
*/
FH_NODISCARD
enum fh_status fh_allocator_pop(uint64_t n,
				const struct fh_alloc_options *options,
				uint64_t *first);

/* Whether a covered page is free, to compare with its slot. CPUs parked. */
bool fh_allocator_is_free(uint64_t frame);

/*
 * Checks the allocator's own rules; on a broken one fills *finding in and
 * returns FH_E_CORRUPT. CPUs parked.
 */
FH_NODISCARD
enum fh_status fh_allocator_audit(struct fh_finding *finding);

/*
 * Pages that were not there when fh_init() ran become the allocator's to have,
 * and are not free yet. They have slots.
 *
 *   FH_E_EMPTY          n is 0
 *   FH_E_NOT_ALIGNED    not whole sections
 *   FH_E_OUT_OF_BOUND   a page of no zone: it was not announced as hot_plug
 *   FH_E_TWICE          a section that is covered already
 *
 * Thread context, one at a time.
 */
FH_NODISCARD
enum fh_status fh_allocator_cover(uint64_t first, uint64_t n);

/*
 * A CPU comes and goes, as fh_cpu_online() and fh_cpu_offline() say, which call
 * these: an allocator may keep pages for each CPU that is online. They are
 * called for no CPU before fh_allocator_init(). Thread context.
 */
void fh_allocator_cpu_online(unsigned cpu);
void fh_allocator_cpu_offline(unsigned cpu);

/*
 * Makes the slots of a raw section ready, if they are not yet: by the
 * allocator, before it gives pages out of it for the first time.
 */
void fh_section_make_live(uint64_t section);

FH_END_DECLS

#endif /* FRAMEHOLD_ALLOCATOR_H */
