/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Magazines: free pages that a CPU keeps for itself, in front of the supply.
 * Each is an array used as a stack, and a second one of whole blocks of 2 MiB.
 * Only their CPU touches them, with preemption off and `busy` set; interrupts
 * stay on, and an interrupt that finds busy set goes to the supply instead.
 *
 *     pages   [ oldest .................. newest ]        capacity
 *               flushed, a batch at a time   ^ pushed and popped here
 *
 * A CPU wants what others keep when it would have to refuse: it raises their
 * `request`, kicks them and waits until they answer, empty. They look at the
 * request after each use of their magazine, so that a kick that comes in the
 * middle of one is not lost.
 *
 * All magazines together hold at most 1/16 of an average zone's pages. That of
 * a CPU that is not online has no room, and its CPU goes to the supply.
 */
#ifndef FRAMEHOLD_SRC_MAGAZINE_H
#define FRAMEHOLD_SRC_MAGAZINE_H

#include <framehold/alloc.h>
#include <framehold/host.h>

#include "supply.h"

/* Room for two and a half batches each. */
#define FH_MAGAZINE_PAGES  UINT64_C(320)
#define FH_MAGAZINE_BLOCKS UINT64_C(20)

/* In fh_magazine.online. */
enum fh_presence {
	FH_CPU_OFFLINE = 0,
	FH_CPU_ONLINE,
	FH_CPU_LEAVING, /* without room, and not yet known to be empty */
};

struct fh_magazine {
	/* The CPU's own. */
	uint64_t busy;
	uint64_t home; /* index of its home zone */

	/* The CPU's own to write, for all to read: atomic. */
	uint64_t page_count;
	uint64_t block_count;
	uint64_t answer;  /* the last request that it found itself empty at */
	uint64_t filling; /* pages are on their way here from the supply */

	/* For others to write: atomic. */
	uint64_t request;
	uint64_t page_room; /* how much it may keep */
	uint64_t block_room;
	uint64_t online;

	uint64_t pages[FH_MAGAZINE_PAGES];
	uint64_t blocks[FH_MAGAZINE_BLOCKS]; /* numbers: page / 512 */
} __attribute__((aligned(128)));

/*
 * By CPU. Through a pointer, so that compilers keep the address of a CPU's
 * magazine and do not form it anew for each of its fields.
 */
extern struct fh_magazine *const fh_magazines;

/*@
  predicate is_empty{L}(struct fh_magazine *m) =
    m->page_count == 0 && m->block_count == 0;

  // Counts and rooms are within the arrays, and these have numbers of pages
  // and of blocks.
  predicate magazine_fits{L}(struct fh_magazine *m) =
    \valid(m) &&
    m->page_count <= FH_MAGAZINE_PAGES && m->page_room <= FH_MAGAZINE_PAGES &&
    m->block_count <= FH_MAGAZINE_BLOCKS &&
    m->block_room <= FH_MAGAZINE_BLOCKS &&
    (\forall integer i; 0 <= i < m->page_count ==>
       m->pages[i] < FH_PAGE_NUMBER_END) &&
    \forall integer i; 0 <= i < m->block_count ==>
      m->blocks[i] < FH_PAGE_NUMBER_END / 512;

  // Only a CPU that is online has room, and one that is offline has nothing.
  predicate magazine_ok{L}(struct fh_magazine *m) =
    magazine_fits(m) && m->home < fh_layout.zone_count &&
    m->answer <= m->request &&
    (m->online != FH_CPU_ONLINE ==>
       m->page_room == 0 && m->block_room == 0) &&
    (m->online == FH_CPU_OFFLINE ==> is_empty(m));

  predicate magazines_ok{L} =
    \forall integer cpu; 0 <= cpu < FH_MAX_CPUS ==>
      magazine_ok(fh_magazines + cpu);

  predicate own_ok{L} = g_cpu < FH_MAX_CPUS && magazine_ok(own_magazine);

  // Refills write slots of sections that were never in use.
  predicate slots_apart{L}(struct fh_magazine *m) =
    \separated(m, fh_slots + (0 .. FH_LAST_FRAME));

  // Among its pages, or in one of its blocks.
  predicate keeps{L}(struct fh_magazine *m, integer page) =
    (\exists integer i; 0 <= i < m->page_count && m->pages[i] == page) ||
    \exists integer i; 0 <= i < m->block_count && m->blocks[i] == page / 512;

  predicate keeps_the_same{A,B}(struct fh_magazine *m) =
    \at(m->page_count,A) == \at(m->page_count,B) &&
    \at(m->block_count,A) == \at(m->block_count,B) &&
    (\forall integer i; 0 <= i < FH_MAGAZINE_PAGES ==>
       \at(m->pages[i],A) == \at(m->pages[i],B)) &&
    \forall integer i; 0 <= i < FH_MAGAZINE_BLOCKS ==>
      \at(m->blocks[i],A) == \at(m->blocks[i],B);

  // What was asked for is answered, by an empty magazine; who was not asked
  // keeps what it had.
  predicate is_answered{A,B}(struct fh_magazine *m) =
    \at(m->answer,B) == \at(m->request,A) &&
    (\at(m->request,A) != \at(m->answer,A) ? is_empty{B}(m)
                                           : keeps_the_same{A,B}(m));
*/

/*@
  predicate is_fresh{L}(struct fh_magazine *m) =
    \valid(m) && m->busy == 0 && m->online == FH_CPU_OFFLINE && is_empty(m) &&
    m->page_room == 0 && m->block_room == 0 &&
    m->request == 0 && m->answer == 0 && m->filling == 0;
*/

/* After the layout is open, and before it closes. No CPU is online. */
/*@
  requires \valid(fh_magazines + (0 .. FH_MAX_CPUS - 1));
  requires 0 < fh_layout.zone_count;
  assigns fh_magazines[0 .. FH_MAX_CPUS - 1];
  exits \false;
  ensures ok: magazines_ok;
  ensures fresh: \forall integer cpu; 0 <= cpu < FH_MAX_CPUS ==>
    is_fresh(fh_magazines + cpu);
*/
void fh_magazines_open(void);
/*@
  requires \valid(fh_magazines + (0 .. FH_MAX_CPUS - 1));
  assigns fh_magazines[0 .. FH_MAX_CPUS - 1];
  exits \false;
  ensures fresh: \forall integer cpu; 0 <= cpu < FH_MAX_CPUS ==>
    is_fresh(fh_magazines + cpu);
*/
void fh_magazines_close(void);

/* ---- One page: the fast path, without a lock ---- */

/* How many pops ahead a slot is fetched into the cache. */
#define FH_SLOT_LOOKAHEAD 16

/*
 * busy is for interrupts of the same CPU only, so that it needs the compiler's
 * order and no other CPU's.
 */
/*@
  assigns \nothing;
  exits \false;
*/
static inline void fh_order_for_interrupts(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* With preemption off. */
/*@
  requires \valid_read(m);
  assigns \nothing;
  exits \false;
  ensures \result <==> m->busy != 0;
*/
static inline bool fh_magazine_is_busy(const struct fh_magazine *m)
{
	return fh_word_load_relaxed(&m->busy) != 0;
}

/*@
  requires \valid(m);
  assigns m->busy;
  exits \false;
  ensures m->busy == 1;
*/
static inline void fh_magazine_set_busy(struct fh_magazine *m)
{
	fh_word_store_relaxed(&m->busy, 1);
	fh_order_for_interrupts();
}

/*@
  requires \valid(m);
  assigns m->busy;
  exits \false;
  ensures m->busy == 0;
*/
static inline void fh_magazine_clear_busy(struct fh_magazine *m)
{
	fh_order_for_interrupts();
	fh_word_store_relaxed(&m->busy, 0);
	fh_order_for_interrupts();
}

/* Whether another CPU wants what this one keeps. */
/*@
  requires \valid_read(m);
  assigns \nothing;
  exits \false;
  ensures \result <==> m->request != m->answer;
*/
static inline bool fh_magazine_is_asked(const struct fh_magazine *m)
{
	return fh_word_load_relaxed(&m->request) !=
	       fh_word_load_relaxed(&m->answer);
}

/*
 * Enters this CPU's magazine; null, and preemption as it was, if an interrupt
 * has come in the middle of a use of it.
 */
/*@
  requires own_ok;
  assigns own_magazine->busy;
  exits \false;
  ensures ok: own_ok;
  ensures all: \old(magazines_ok) ==> magazines_ok;
  behavior free:
    assumes own_magazine->busy == 0;
    ensures \result == own_magazine && \result->busy == 1;
    ensures \result != \null;
  behavior busy:
    assumes own_magazine->busy != 0;
    ensures \result == \null;
    ensures own_magazine->busy == \old(own_magazine->busy);
  complete behaviors;
  disjoint behaviors;
*/
static inline struct fh_magazine *fh_magazine_enter(void)
{
	fh_host_preempt_off();
	struct fh_magazine *m = &fh_magazines[fh_host_cpu()];

	if (FH_UNLIKELY(fh_magazine_is_busy(m))) {
		fh_host_preempt_on();
		return NULL;
	}
	fh_magazine_set_busy(m);
	return m;
}

/* alloc.h declares it; this is what it does to magazines. */
/*@
  requires own_ok;
  assigns own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine);
  exits \false;
  ensures ok: own_ok;
  ensures all: \old(magazines_ok) ==> magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  behavior free:
    assumes own_magazine->busy == 0;
    ensures is_answered{Pre,Post}(own_magazine);
  behavior busy:
    assumes own_magazine->busy != 0;
    ensures own_magazine->answer == \old(own_magazine->answer);
    ensures keeps_the_same{Pre,Post}(own_magazine);
  complete behaviors;
  disjoint behaviors;
*/
void fh_alloc_poll(void);

/*
 * Ends the use of a magazine, and allows preemption. An interrupt that kicked
 * us while we were busy has left its work to us. Comes last in hot functions,
 * so that these keep nothing for its return.
 */
/*@
  requires own_ok && m == own_magazine;
  assigns m->busy, m->answer, magazine_kept(m);
  exits \false;
  ensures ok: own_ok;
  ensures all: \old(magazines_ok) ==> magazines_ok;
  ensures free: m->busy == 0;
  ensures answered: is_answered{Pre,Post}(m);
*/
static inline void fh_magazine_leave(struct fh_magazine *m)
{
	fh_magazine_clear_busy(m);
	/*@ assert all: \at(magazines_ok,Pre) ==> magazines_ok; */
	/*@ assert same: keeps_the_same{Pre,Here}(m); */
	/*@ ghost Cleared: ; */
	if (FH_UNLIKELY(fh_magazine_is_asked(m)))
		fh_alloc_poll();
	/*@ assert answered: is_answered{Cleared,Here}(m); */
	fh_host_preempt_on();
}

/* The newest page of a magazine that was entered, or FH_NO_PAGE. */
/*@
  requires magazine_ok(m);
  assigns m->page_count;
  exits \false;
  ensures ok: magazine_ok(m);
  ensures all: \old(magazines_ok) && m == own_magazine ==> magazines_ok;
  behavior empty:
    assumes m->page_count == 0;
    assigns \nothing;
    ensures \result == FH_NO_PAGE && m->page_count == 0;
  behavior some:
    assumes m->page_count > 0;
    ensures m->page_count == \old(m->page_count) - 1;
    ensures \result == m->pages[m->page_count] < FH_PAGE_NUMBER_END;
  complete behaviors;
  disjoint behaviors;
*/
static inline uint64_t fh_magazine_pop(struct fh_magazine *m)
{
	uint64_t n = fh_word_load_relaxed(&m->page_count);

	if (FH_UNLIKELY(n == 0))
		return FH_NO_PAGE;
	if (n > FH_SLOT_LOOKAHEAD)
		__builtin_prefetch(
			&fh_slots[m->pages[n - 1 - FH_SLOT_LOOKAHEAD]], 1);
	fh_word_store_relaxed(&m->page_count, n - 1);
	return m->pages[n - 1];
}

/* Puts a page into one, if there is room. */
/*@
  requires magazine_ok(m) && page < FH_PAGE_NUMBER_END;
  assigns m->page_count, m->pages[m->page_count];
  exits \false;
  ensures ok: magazine_ok(m);
  ensures all: \old(magazines_ok) && m == own_magazine ==> magazines_ok;
  behavior full:
    assumes m->page_count >= m->page_room;
    assigns \nothing;
    ensures \result == \false;
  behavior room:
    assumes m->page_count < m->page_room;
    ensures \result == \true && m->page_count <= m->page_room;
    ensures m->page_count == \old(m->page_count) + 1;
    ensures m->pages[m->page_count - 1] == page;
  complete behaviors;
  disjoint behaviors;
*/
static inline bool fh_magazine_push(struct fh_magazine *m, uint64_t page)
{
	uint64_t n = fh_word_load_relaxed(&m->page_count);

	if (FH_UNLIKELY(n >= fh_word_load_relaxed(&m->page_room)))
		return false;
	m->pages[n] = page;
	fh_word_store_relaxed(&m->page_count, n + 1);
	return true;
}

/* ---- The rest ---- */

/* This CPU's; turns preemption off. */
/*@
  requires own_ok;
  assigns \nothing;
  exits \false;
  ensures \result == own_magazine;
*/
static inline struct fh_magazine *fh_magazine_own(void)
{
	fh_host_preempt_off();
	return &fh_magazines[fh_host_cpu()];
}

/*
 * Refills a magazine that was entered and is empty, without urgency, takes a
 * page of it, and leaves it. FH_NO_PAGE if the supply has none, or if the
 * magazine is without room. Thread and interrupt context.
 */
/*@
  requires own_ok && m == own_magazine && m->page_count == 0;
  requires region_inv && slots_apart(m);
  assigns m->busy, m->answer, m->filling, magazine_kept(m),
          fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures ok: own_ok;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures all: \old(magazines_ok) ==> magazines_ok;
  ensures free: m->busy == 0;
  ensures page: \result == FH_NO_PAGE || \result < FH_PAGE_NUMBER_END;
  ensures room: m->page_room == 0 ==> \result == FH_NO_PAGE;
  ensures rest: m->page_count == 0 || m->page_count < m->page_room;
*/
uint64_t fh_magazine_take(struct fh_magazine *m);

/*
 * Makes room in a magazine that was entered and has none, puts the page there,
 * or gives it to the supply, and leaves it.
 */
/*@
  requires own_ok && m == own_magazine && page < FH_PAGE_NUMBER_END;
  assigns m->busy, m->answer, magazine_kept(m);
  exits \false;
  ensures ok: own_ok;
  ensures all: \old(magazines_ok) ==> magazines_ok;
  ensures free: m->busy == 0;
  ensures kept: m->page_room > 0 && \old(m->answer) == m->request ==>
    0 < m->page_count <= m->page_room && m->pages[m->page_count - 1] == page;
*/
void fh_magazine_give(struct fh_magazine *m, uint64_t page);

/*
 * The first of 512 pages, at a multiple of 512: from this CPU's magazine,
 * refilled, or FH_NO_PAGE; to it, or to the supply.
 */
/*@
  requires own_ok && region_inv && slots_apart(own_magazine);
  assigns own_magazine->busy, own_magazine->answer, own_magazine->filling,
          magazine_kept(own_magazine), fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures ok: own_ok;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures all: \old(magazines_ok) ==> magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures block: \result == FH_NO_PAGE ||
    (\result <= FH_PAGE_NUMBER_END - 512 && \result % 512 == 0);
  ensures top:
    \old(own_magazine->busy) == 0 && \old(own_magazine->block_count) > 0 ==>
      \result ==
        \old(own_magazine->blocks[own_magazine->block_count - 1]) * 512;
  ensures none: \old(own_magazine->busy) != 0 ==> \result == FH_NO_PAGE;
*/
uint64_t fh_magazine_take_block(void);
/*@
  requires own_ok && first < FH_PAGE_NUMBER_END && first % 512 == 0;
  assigns own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine);
  exits \false;
  ensures ok: own_ok;
  ensures all: \old(magazines_ok) ==> magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
*/
void fh_magazine_give_block(uint64_t first);

/* Takes the page out of this CPU's magazine, if it is there. */
/*@
  requires own_ok && page < FH_PAGE_NUMBER_END;
  assigns own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine);
  exits \false;
  ensures ok: own_ok;
  ensures all: \old(magazines_ok) ==> magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures found: \result <==>
    \old(own_magazine->busy == 0 && keeps(own_magazine, page));
*/
bool fh_magazine_withdraw(uint64_t page);

/* The home zone of this CPU. */
/*@
  requires own_ok;
  assigns \nothing;
  exits \false;
  ensures home: \result == own_magazine->home;
  ensures zone: \result < fh_layout.zone_count;
*/
uint64_t fh_magazine_home(void);

/* Gives all that a magazine has to the supply; by its CPU, with busy set. */
/*@
  requires magazine_ok(m);
  assigns magazine_kept(m);
  exits \false;
  ensures ok: magazine_ok(m);
  ensures all: \old(magazines_ok) && m == own_magazine ==> magazines_ok;
  ensures empty: is_empty(m);
*/
void fh_magazine_flush(struct fh_magazine *m);

/* Empties this CPU's magazine; not if it is busy, under an interrupt. */
/*@
  requires own_ok;
  assigns own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine);
  exits \false;
  ensures ok: own_ok;
  ensures all: \old(magazines_ok) ==> magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  behavior free:
    assumes own_magazine->busy == 0;
    ensures is_empty(own_magazine);
    ensures own_magazine->answer == own_magazine->request;
  behavior busy:
    assumes own_magazine->busy != 0;
    ensures own_magazine->answer == \old(own_magazine->answer);
    ensures keeps_the_same{Pre,Post}(own_magazine);
  complete behaviors;
  disjoint behaviors;
*/
void fh_magazine_empty(void);

/*@
  predicate can_be_asked{L} =
    \forall integer cpu; 0 <= cpu < FH_MAX_CPUS ==>
      fh_magazines[cpu].request < UINT64_MAX;

  predicate nobody_asked{A,B} =
    \forall integer cpu; 0 <= cpu < FH_MAX_CPUS ==>
      \at(fh_magazines[cpu].request,A) == \at(fh_magazines[cpu].request,B);

  // At most.
  predicate asked_once{A,B} =
    \forall integer cpu; 0 <= cpu < FH_MAX_CPUS ==>
      \at(fh_magazines[cpu].request,B) <=
        \at(fh_magazines[cpu].request,A) + 1;
*/

/* Empties the magazines of all CPUs. Waits: see fh_host_may_wait(). */
/*@
  requires own_ok && magazines_ok && can_be_asked;
  assigns fh_magazines[0 .. FH_MAX_CPUS - 1].request,
          own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine);
  exits \false;
  ensures ok: magazines_ok;
  ensures once: asked_once{Pre,Post};
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures empty: \forall integer cpu; 0 <= cpu < FH_MAX_CPUS &&
    (cpu != g_cpu || own_magazine->busy == 0) ==>
      is_empty(fh_magazines + cpu);
*/
void fh_magazines_drain(void);

/* As fh_alloc_poll(), fh_allocator_cpu_online(), fh_allocator_cpu_offline(). */
/*@
  requires own_ok;
  assigns own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine);
  exits \false;
  ensures ok: own_ok;
  ensures all: \old(magazines_ok) ==> magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  behavior free:
    assumes own_magazine->busy == 0;
    ensures is_answered{Pre,Post}(own_magazine);
  behavior busy:
    assumes own_magazine->busy != 0;
    ensures own_magazine->answer == \old(own_magazine->answer);
    ensures keeps_the_same{Pre,Post}(own_magazine);
  complete behaviors;
  disjoint behaviors;
*/
void fh_magazine_poll(void);

/*@
  logic integer zones_pages{L}(integer n) =
    n <= 0 ? 0 : zones_pages(n - 1) + fh_zones[n - 1].pages;

  predicate zone_sizes_ok{L} =
    0 < fh_layout.zone_count <= FH_MAX_ZONES &&
    (\forall integer z; 0 <= z < fh_layout.zone_count ==>
       fh_zones[z].pages <= FH_PAGE_NUMBER_END) &&
    \separated(fh_magazines + (0 .. FH_MAX_CPUS - 1),
               fh_zones + (0 .. FH_MAX_ZONES - 1));

  logic integer online_cpus{L}(integer n) =
    n <= 0 ? 0 : online_cpus(n - 1) +
      (fh_magazines[n - 1].online == FH_CPU_ONLINE ? 1 : 0);

  logic integer room_of{L}(integer cpu) =
    fh_magazines[cpu].page_room + 512 * fh_magazines[cpu].block_room;

  // What all CPUs together may keep: 1/16 of an average zone.
  logic integer rooms{L}(integer n) =
    n <= 0 ? 0 : rooms(n - 1) + room_of(n - 1);

  logic integer rooms_limit{L} =
    zones_pages(fh_layout.zone_count) / fh_layout.zone_count / 16;
*/

/*@
  requires magazines_ok && zone_sizes_ok && cpus_there && can_be_asked;
  requires cpu < FH_MAX_CPUS;
  assigns fh_magazines[cpu].home, fh_magazines[cpu].answer,
          fh_magazines[cpu].online,
          fh_magazines[0 .. FH_MAX_CPUS - 1].page_room,
          fh_magazines[0 .. FH_MAX_CPUS - 1].block_room,
          fh_magazines[0 .. FH_MAX_CPUS - 1].request;
  exits \false;
  ensures ok: magazines_ok;
  behavior comes:
    assumes fh_magazines[cpu].online == FH_CPU_OFFLINE;
    ensures online: fh_magazines[cpu].online == FH_CPU_ONLINE;
    ensures together: rooms(FH_MAX_CPUS) <= rooms_limit;
    ensures empty: is_empty(fh_magazines + cpu);
  behavior is_there:
    assumes fh_magazines[cpu].online != FH_CPU_OFFLINE;
    assigns fh_magazines[0 .. FH_MAX_CPUS - 1].request;
  complete behaviors;
  disjoint behaviors;
*/
void fh_magazine_online(unsigned cpu);
/*@
  requires magazines_ok && zone_sizes_ok && cpu < FH_MAX_CPUS;
  assigns g_cpu, fh_magazines[cpu].online, fh_magazines[cpu].busy,
          magazine_kept(fh_magazines + cpu),
          fh_magazines[0 .. FH_MAX_CPUS - 1].page_room,
          fh_magazines[0 .. FH_MAX_CPUS - 1].block_room;
  exits \false;
  ensures cpu: g_cpu == \old(g_cpu);
  ensures ok: magazines_ok;
  behavior leaves:
    assumes fh_magazines[cpu].online == FH_CPU_ONLINE;
    ensures offline: fh_magazines[cpu].online == FH_CPU_OFFLINE;
    ensures empty: is_empty(fh_magazines + cpu);
    ensures room: room_of(cpu) == 0;
    ensures free: fh_magazines[cpu].busy == 0;
    ensures together: rooms(FH_MAX_CPUS) <= rooms_limit;
  behavior has_left:
    assumes fh_magazines[cpu].online != FH_CPU_ONLINE;
    assigns \nothing;
  complete behaviors;
  disjoint behaviors;
*/
void fh_magazine_offline(unsigned cpu);

/*@
  logic integer pages_kept{L}(integer cpus) =
    cpus <= 0 ? 0 :
    pages_kept(cpus - 1) + fh_magazines[cpus - 1].page_count +
      512 * fh_magazines[cpus - 1].block_count;
*/

/* Pages in all magazines, as far as one look can tell. */
/*@
  requires magazines_ok;
  assigns \nothing;
  exits \false;
  ensures \result == pages_kept(FH_MAX_CPUS);
  ensures \result <=
    FH_MAX_CPUS * (FH_MAGAZINE_PAGES + 512 * FH_MAGAZINE_BLOCKS);
*/
uint64_t fh_magazines_count(void);

#endif /* FRAMEHOLD_SRC_MAGAZINE_H */
