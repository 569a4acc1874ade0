/* SPDX-License-Identifier: MPL-2.0 */
/*
 * CPUs that come, go, and empty each other's magazines. Each empties its own:
 * who wants it emptied asks, kicks and waits. How much a CPU may keep changes
 * with the number of those that are online, under a lock that only CPUs which
 * come and go take.
 */
#include "magazine.h"

#include <framehold/allocator.h>
#include <framehold/host.h>

/* ---- Emptying ---- */

/* Whether the CPU has anything to give, or is about to. */
/*@
  requires \valid_read(m);
  assigns \nothing;
  exits \false;
  ensures \result <==>
    m->online != FH_CPU_OFFLINE && (m->filling != 0 || m->page_count != 0 ||
     m->block_count != 0);
*/
static bool is_worth_asking(const struct fh_magazine *m)
{
	/* Acquire: pairs with the release in end_refill(). */
	return fh_word_load_relaxed(&m->online) != FH_CPU_OFFLINE &&
	       (fh_word_load_acquire(&m->filling) != 0 ||
		fh_word_load_relaxed(&m->page_count) > 0 ||
		fh_word_load_relaxed(&m->block_count) > 0);
}

/*@
  requires \valid(m) && m->request < UINT64_MAX && cpu < FH_MAX_CPUS;
  assigns m->request;
  exits \false;
  ensures m->request == \old(m->request) + 1;
*/
static void ask_magazine(struct fh_magazine *m, unsigned cpu)
{
	(void)fh_word_add_relaxed(&m->request, 1);
	fh_host_kick(cpu);
}

/*@
  // What it had is where it was, or it is empty now.
  predicate is_as_it_was_or_empty{A,B}(struct fh_magazine *m) =
    \at(m->request,A) == \at(m->request,B) &&
    \at(m->online,A) == \at(m->online,B) &&
    ((\at(m->page_count,A) == \at(m->page_count,B) &&
      \at(m->block_count,A) == \at(m->block_count,B) &&
      \at(m->answer,A) == \at(m->answer,B)) ||
     (is_empty{B}(m) && \at(m->answer,B) == \at(m->request,B)));

  predicate all_as_they_were_or_empty{A,B} =
    \forall integer cpu; 0 <= cpu < FH_MAX_CPUS ==>
      is_as_it_was_or_empty{A,B}(\at(fh_magazines,B) + cpu);

  predicate is_empty_or_asked{L}(struct fh_magazine *m) =
    is_empty(m) || m->answer < m->request;
*/

/*@
  requires own_ok && magazines_ok;
  assigns own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine);
  exits \false;
  ensures ok: magazines_ok;
  ensures own: own_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures each: all_as_they_were_or_empty{Pre,Post};
  ensures asked: nobody_asked{Pre,Post};
*/
static void poll_once(void)
{
	fh_magazine_poll();
	/*@ assert own: is_as_it_was_or_empty{Pre,Here}(own_magazine); */
	/*@ assert others: \forall integer cpu;
	      0 <= cpu < FH_MAX_CPUS && cpu != g_cpu ==>
	        is_as_it_was_or_empty{Pre,Here}(fh_magazines + cpu); */
}

/*
 * Waits until the CPU has answered all requests made so far, or has gone
 * offline, empty. We answer those made to us, so that two who wait for each
 * other both get on.
 */
/*@
  requires own_ok && magazines_ok && cpu < FH_MAX_CPUS;
  assigns own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine);
  exits \false;
  ensures ok: magazines_ok;
  ensures own: own_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures each: all_as_they_were_or_empty{Pre,Post};
  ensures asked: nobody_asked{Pre,Post};
  ensures answered: fh_magazines[cpu].answer == fh_magazines[cpu].request ||
    is_empty(fh_magazines + cpu);
  ensures empty: \old(is_empty_or_asked(fh_magazines + cpu)) ==>
    is_empty(fh_magazines + cpu);
*/
static void wait_for_answer(unsigned cpu)
{
	const struct fh_magazine *m = &fh_magazines[cpu];
	uint64_t request = fh_word_load_relaxed(&m->request);

	/*@ assert magazine_ok(fh_magazines + cpu); */
	/*@
	  loop invariant own_ok && magazines_ok;
	  loop invariant own_magazine->busy == \at(own_magazine->busy,Pre);
	  loop invariant all_as_they_were_or_empty{Pre,Here};
	  loop invariant nobody_asked{Pre,Here};
	  loop assigns own_magazine->busy, own_magazine->answer,
	    magazine_kept(own_magazine);
	*/
	/* Acquire: pairs with the release in answer_requests() ... */
	while (fh_word_load_acquire(&m->answer) < request) {
		/*@ assert magazine_ok(fh_magazines + cpu); */
		/*@ assert is_as_it_was_or_empty{Pre,Here}(fh_magazines + cpu); */
		/* ... and in fh_magazine_offline(). */
		if (fh_word_load_acquire(&m->online) == FH_CPU_OFFLINE)
			return;
		poll_once();
		fh_host_relax();
	}
	/*@ assert magazine_ok(fh_magazines + cpu); */
	/*@ assert is_as_it_was_or_empty{Pre,Here}(fh_magazines + cpu); */
}

/*@
  predicate others_requests_same{A,B}(integer but) =
    \forall integer cpu; 0 <= cpu < FH_MAX_CPUS && cpu != but ==>
      \at(fh_magazines[cpu].request,A) == \at(fh_magazines[cpu].request,B);
*/

/* Asks the CPU for what it has, if it has anything. */
/*@
  requires magazines_ok && cpu < FH_MAX_CPUS;
  requires fh_magazines[cpu].request < UINT64_MAX;
  assigns fh_magazines[cpu].request;
  exits \false;
  ensures ok: magazines_ok;
  ensures asked: is_empty_or_asked(fh_magazines + cpu);
  ensures others: \forall integer c; 0 <= c < FH_MAX_CPUS && c != cpu ==>
    \old(is_empty_or_asked(fh_magazines + c)) ==>
      is_empty_or_asked(fh_magazines + c);
  ensures rest: others_requests_same{Pre,Post}(cpu);
  ensures once:
    fh_magazines[cpu].request <= \old(fh_magazines[cpu].request) + 1;
*/
static void ask_for_all(unsigned cpu)
{
	struct fh_magazine *m = &fh_magazines[cpu];

	/*@ assert magazine_ok(fh_magazines + cpu); */
	if (is_worth_asking(m))
		ask_magazine(m, cpu);
	/*@ assert magazine_ok(fh_magazines + cpu); */
}

/*@
  requires own_ok && magazines_ok;
  requires own: own_magazine->busy == 0 ==> is_empty(own_magazine);
  requires others: \forall integer cpu; 0 <= cpu < FH_MAX_CPUS &&
    cpu != g_cpu ==> is_empty_or_asked(fh_magazines + cpu);
  assigns own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine);
  exits \false;
  ensures ok: magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures asked: nobody_asked{Pre,Post};
  ensures empty: \forall integer cpu; 0 <= cpu < FH_MAX_CPUS &&
    (cpu != g_cpu || own_magazine->busy == 0) ==>
      is_empty(fh_magazines + cpu);
*/
static void wait_for_all(void)
{
	/*@
	  loop invariant 0 <= cpu <= FH_MAX_CPUS && own_ok && magazines_ok;
	  loop invariant own_magazine->busy == \at(own_magazine->busy,Pre);
	  loop invariant own_magazine->busy == 0 ==> is_empty(own_magazine);
	  loop invariant asked: nobody_asked{Pre,Here};
	  loop invariant \forall integer c; 0 <= c < cpu && c != g_cpu ==>
	    is_empty(fh_magazines + c);
	  loop invariant \forall integer c;
	    cpu <= c < FH_MAX_CPUS && c != g_cpu ==>
	      is_empty_or_asked(fh_magazines + c);
	  loop assigns cpu, own_magazine->busy, own_magazine->answer,
	    magazine_kept(own_magazine);
	  loop variant FH_MAX_CPUS - cpu;
	*/
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		wait_for_answer(cpu);
}

void fh_magazines_drain(void)
{
	fh_host_preempt_off();
	unsigned own = fh_host_cpu();

	fh_magazine_empty();
	fh_host_preempt_on();
	/*@
	  loop invariant 0 <= cpu <= FH_MAX_CPUS && own_ok && magazines_ok;
	  loop invariant \forall integer c; 0 <= c < cpu && c != g_cpu ==>
	    is_empty_or_asked(fh_magazines + c);
	  loop invariant \forall integer c; cpu <= c < FH_MAX_CPUS ==>
	    fh_magazines[c].request == \at(fh_magazines[c].request,Pre);
	  loop invariant own: own_magazine->busy == 0 ==> is_empty(own_magazine);
	  loop invariant once: \forall integer c; 0 <= c < cpu ==>
	    fh_magazines[c].request <= \at(fh_magazines[c].request,Pre) + 1;
	  loop assigns cpu, fh_magazines[0 .. FH_MAX_CPUS - 1].request;
	  loop variant FH_MAX_CPUS - cpu;
	*/
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		if (cpu != own)
			ask_for_all(cpu);
	/*@ assert once: asked_once{Pre,Here}; */
	wait_for_all();
}

/* ---- Room ---- */

/* Serialises CPUs that come and go. */
static struct fh_lock cpus_lock;

/* From this many pages on, magazines have all the room there is: 4 GiB. */
#define MUCH_MEMORY (UINT64_C(1) << 20)

/*@
  requires zone_sizes_ok;
  assigns \nothing;
  exits \false;
  ensures \result == zones_pages(fh_layout.zone_count);
*/
static uint64_t pages_of_zones(void)
{
	uint64_t pages = 0;

	/*@
	  loop invariant 0 <= i <= fh_layout.zone_count;
	  loop invariant pages == zones_pages(i) <= i * FH_PAGE_NUMBER_END;
	  loop assigns i, pages;
	  loop variant fh_layout.zone_count - i;
	*/
	for (uint64_t i = 0; i < fh_layout.zone_count; i++)
		pages += fh_word_load_relaxed(&fh_zones[i].pages);
	return pages;
}

/*@
  assigns \nothing;
  exits \false;
  ensures \result <= n && \result <= limit;
  ensures \result == n || \result == limit;
*/
static uint64_t at_most(uint64_t n, uint64_t limit)
{
	return n < limit ? n : limit;
}

/*@
  requires \forall integer cpu; 0 <= cpu < FH_MAX_CPUS ==>
    magazine_fits(fh_magazines + cpu);
  assigns \nothing;
  exits \false;
  ensures \result == online_cpus(FH_MAX_CPUS);
*/
static uint64_t count_online(void)
{
	uint64_t n = 0;

	/*@
	  loop invariant 0 <= cpu <= FH_MAX_CPUS;
	  loop invariant n == online_cpus(cpu) <= cpu;
	  loop assigns cpu, n;
	  loop variant FH_MAX_CPUS - cpu;
	*/
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		if (fh_word_load_relaxed(&fh_magazines[cpu].online) ==
		    FH_CPU_ONLINE)
			n++;
	return n;
}

/* What each of so many gets of so much. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result * n <= all && \result <= all;
*/
static uint64_t share_of(uint64_t all, uint64_t n)
{
	return n == 0 ? 0 : all / n;
}

/*@
  // All but that a CPU which is not online has no room.
  predicate is_to_get_room{L}(struct fh_magazine *m) =
    magazine_fits(m) && m->home < fh_layout.zone_count &&
    m->answer <= m->request &&
    (m->online == FH_CPU_OFFLINE ==> is_empty(m));

  predicate all_but_room_same{A,B}(struct fh_magazine *m) =
    \at(m->home,A) == \at(m->home,B) &&
    \at(m->online,A) == \at(m->online,B) &&
    \at(m->busy,A) == \at(m->busy,B) &&
    \at(m->request,A) == \at(m->request,B) &&
    \at(m->page_count,A) == \at(m->page_count,B) &&
    \at(m->block_count,A) == \at(m->block_count,B);

  predicate all_are_to_get_room{L} =
    \forall integer cpu; 0 <= cpu < FH_MAX_CPUS ==>
      is_to_get_room(fh_magazines + cpu);

  predicate all_but_rooms_same{A,B} =
    \forall integer cpu; 0 <= cpu < FH_MAX_CPUS ==>
      all_but_room_same{A,B}(\at(fh_magazines,B) + cpu);

  // So much if it stays, else none; and in the order of things.
  predicate has_room{L}(integer cpu, integer pages, integer blocks) =
    magazine_ok(fh_magazines + cpu) &&
    fh_magazines[cpu].page_room ==
      (fh_magazines[cpu].online == FH_CPU_ONLINE ? pages : 0) &&
    fh_magazines[cpu].block_room ==
      (fh_magazines[cpu].online == FH_CPU_ONLINE ? blocks : 0);
*/

/*@
  requires all_are_to_get_room && cpu < FH_MAX_CPUS;
  requires pages <= FH_MAGAZINE_PAGES && blocks <= FH_MAGAZINE_BLOCKS;
  assigns fh_magazines[cpu].page_room, fh_magazines[cpu].block_room;
  exits \false;
  ensures all: all_are_to_get_room;
  ensures room: has_room(cpu, pages, blocks);
  ensures others: \forall integer c, integer p, integer b;
    0 <= c < FH_MAX_CPUS && c != cpu && \old(has_room(c, p, b)) ==>
      has_room(c, p, b);
  ensures rest: all_but_rooms_same{Pre,Post};
*/
static void give_room(unsigned cpu, uint64_t pages, uint64_t blocks)
{
	struct fh_magazine *m = &fh_magazines[cpu];

	/*@ assert own: is_to_get_room(fh_magazines + cpu); */
	bool stays = fh_word_load_relaxed(&m->online) == FH_CPU_ONLINE;

	fh_word_store_relaxed(&m->page_room, stays ? pages : 0);
	fh_word_store_relaxed(&m->block_room, stays ? blocks : 0);
	/*@ assert now: is_to_get_room(fh_magazines + cpu); */
	/*@ assert rest: \forall integer c; 0 <= c < FH_MAX_CPUS && c != cpu ==>
	      is_to_get_room(fh_magazines + c); */
}

/*@ ghost
  /@
    requires a <= b;
    assigns \nothing;
    exits \false;
    ensures a * k <= b * k;
  @/
  void ghost_as_many_times(uint64_t a, uint64_t b, uint64_t k)
  {
    /@
      loop invariant 0 <= i <= k;
      loop invariant a * i <= b * i;
      loop assigns i;
      loop variant k - i;
    @/
    for (uint64_t i = 0; i < k; i++)
      ;
  }
*/

/* With cpus_lock held. */
/*@
  requires zone_sizes_ok && all_are_to_get_room;
  assigns fh_magazines[0 .. FH_MAX_CPUS - 1].page_room,
          fh_magazines[0 .. FH_MAX_CPUS - 1].block_room;
  exits \false;
  ensures ok: magazines_ok;
  ensures together: rooms(FH_MAX_CPUS) <= rooms_limit;
  ensures rest: all_but_rooms_same{Pre,Post};
*/
static void divide_room(void)
{
	uint64_t all = pages_of_zones();
	uint64_t online = count_online();
	uint64_t share = share_of(all / fh_layout.zone_count / 16, online);
	uint64_t pages =
		at_most(share, all < MUCH_MEMORY ? FH_MAGAZINE_PAGES / 2
						 : FH_MAGAZINE_PAGES);
	uint64_t blocks =
		at_most((share - pages) / FH_BLOCK_PAGES, FH_MAGAZINE_BLOCKS);

	/*@
	  loop invariant 0 <= cpu <= FH_MAX_CPUS;
	  loop invariant all_are_to_get_room;
	  loop invariant \forall integer c; 0 <= c < cpu ==>
	    has_room(c, pages, blocks);
	  loop invariant all_but_rooms_same{Pre,Here};
	  loop assigns cpu, fh_magazines[0 .. FH_MAX_CPUS - 1].page_room,
	    fh_magazines[0 .. FH_MAX_CPUS - 1].block_room;
	  loop variant FH_MAX_CPUS - cpu;
	*/
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		give_room(cpu, pages, blocks);
	/*@ ghost uint64_t each = pages + 512 * blocks; */
	/*@ assert each: each == pages + 512 * blocks <= share; */
	/*@ assert begin: rooms(0) == 0 && online_cpus{Pre}(0) == 0; */
	/*@ ghost uint64_t k = 0; */
	/*@ ghost unsigned n = 0; */
	/*@ ghost
	  /@
	    loop invariant 0 <= n <= FH_MAX_CPUS;
	    loop invariant k == online_cpus{Pre}(n) && k <= n;
	    loop invariant \forall integer c; 0 <= c < n ==>
	      magazine_ok(fh_magazines + c);
	    loop invariant rooms(n) == each * k;
	    loop assigns n, k;
	    loop variant FH_MAX_CPUS - n;
	  @/
	  for (; n < FH_MAX_CPUS; n++) {
	    /@ assert has_room(n, pages, blocks); @/
	    /@ assert all_but_room_same{Pre,Here}(fh_magazines + n); @/
	    /@ assert room_of(n) ==
	       (fh_magazines[n].online == FH_CPU_ONLINE ? each : 0); @/
	    /@ assert online_cpus{Pre}(n + 1) == online_cpus{Pre}(n) +
	       (fh_magazines[n].online == FH_CPU_ONLINE ? 1 : 0); @/
	    /@ assert rooms(n + 1) == rooms(n) + room_of(n); @/
	    if (fh_magazines[n].online == FH_CPU_ONLINE)
	      k++;
	  }
	*/
	/*@ assert ok: magazines_ok; */
	/*@ assert end: n == FH_MAX_CPUS; */
	/*@ assert count: k == online; */
	/*@ assert sum: rooms(FH_MAX_CPUS) == each * online; */
	/*@ ghost ghost_as_many_times(each, share, online); */
	/*@ assert together: rooms(FH_MAX_CPUS) <= share * online; */
}

/*@
  predicate is_overfull{L}(struct fh_magazine *m) =
    m->online == FH_CPU_ONLINE &&
    (m->page_count > m->page_room || m->block_count > m->block_room);

  predicate was_asked_if_overfull{A,B}(struct fh_magazine *m) =
    is_overfull{A}(m) ? \at(m->request,B) == \at(m->request,A) + 1
                      : \at(m->request,B) == \at(m->request,A);

  predicate all_but_request_same{A,B}(struct fh_magazine *m) =
    \at(m->home,A) == \at(m->home,B) &&
    \at(m->online,A) == \at(m->online,B) &&
    \at(m->page_room,A) == \at(m->page_room,B) &&
    \at(m->block_room,A) == \at(m->block_room,B) &&
    \at(m->page_count,A) == \at(m->page_count,B) &&
    \at(m->block_count,A) == \at(m->block_count,B);

  predicate all_but_requests_same{A,B} =
    \forall integer cpu; 0 <= cpu < FH_MAX_CPUS ==>
      all_but_request_same{A,B}(\at(fh_magazines,B) + cpu);
*/

/*@
  requires magazines_ok && cpu < FH_MAX_CPUS;
  requires fh_magazines[cpu].request < UINT64_MAX;
  assigns fh_magazines[cpu].request;
  exits \false;
  ensures ok: magazines_ok;
  ensures asked: was_asked_if_overfull{Pre,Post}(fh_magazines + cpu);
  ensures rest: others_requests_same{Pre,Post}(cpu);
  ensures all: all_but_requests_same{Pre,Post};
*/
static void ask_if_overfull(unsigned cpu)
{
	struct fh_magazine *m = &fh_magazines[cpu];

	/*@ assert magazine_ok(fh_magazines + cpu); */
	if (fh_word_load_relaxed(&m->online) == FH_CPU_ONLINE &&
	    (fh_word_load_relaxed(&m->page_count) >
		     fh_word_load_relaxed(&m->page_room) ||
	     fh_word_load_relaxed(&m->block_count) >
		     fh_word_load_relaxed(&m->block_room)))
		ask_magazine(m, cpu);
	/*@ assert magazine_ok(fh_magazines + cpu); */
}

/* Asks CPUs that hold more than they may now to empty themselves some time. */
/*@
  requires magazines_ok && can_be_asked;
  assigns fh_magazines[0 .. FH_MAX_CPUS - 1].request;
  exits \false;
  ensures ok: magazines_ok;
  ensures asked: \forall integer cpu; 0 <= cpu < FH_MAX_CPUS ==>
    was_asked_if_overfull{Pre,Post}(fh_magazines + cpu);
  ensures together: rooms(FH_MAX_CPUS) == \old(rooms(FH_MAX_CPUS));
  ensures rest: all_but_requests_same{Pre,Post};
*/
static void ask_the_overfull(void)
{
	/*@
	  loop invariant 0 <= cpu <= FH_MAX_CPUS && magazines_ok;
	  loop invariant \forall integer c; 0 <= c < cpu ==>
	    was_asked_if_overfull{Pre,Here}(fh_magazines + c);
	  loop invariant \forall integer c; cpu <= c < FH_MAX_CPUS ==>
	    fh_magazines[c].request == \at(fh_magazines[c].request,Pre);
	  loop invariant all_but_requests_same{Pre,Here};
	  loop assigns cpu, fh_magazines[0 .. FH_MAX_CPUS - 1].request;
	  loop variant FH_MAX_CPUS - cpu;
	*/
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++) {
		/*@ assert all_but_request_same{Pre,Here}(fh_magazines + cpu); */
		ask_if_overfull(cpu);
	}
	/*@ ghost
	  /@
	    loop invariant 0 <= n <= FH_MAX_CPUS;
	    loop invariant rooms(n) == rooms{Pre}(n);
	    loop assigns n;
	    loop variant FH_MAX_CPUS - n;
	  @/
	  for (unsigned n = 0; n < FH_MAX_CPUS; n++)
	    /@ assert all_but_request_same{Pre,Here}(fh_magazines + n); @/
	    ;
	*/
}

void fh_magazine_online(unsigned cpu)
{
	struct fh_magazine *m = &fh_magazines[cpu];
	uint64_t saved = fh_lock(&cpus_lock);

	/*@ assert there: magazine_ok(fh_magazines + cpu); */
	if (fh_word_load_relaxed(&m->online) == FH_CPU_OFFLINE) {
		m->home = fh_layout_home(cpu);
		fh_word_store_relaxed(&m->answer,
				      fh_word_load_relaxed(&m->request));
		fh_word_store_relaxed(&m->online, FH_CPU_ONLINE);
		/*@ assert own: is_to_get_room(fh_magazines + cpu); */
		/*@ assert others: \forall integer c;
		      0 <= c < FH_MAX_CPUS && c != cpu ==>
		        is_to_get_room(fh_magazines + c); */
		/*@ assert asked: can_be_asked; */
		divide_room();
	}
	fh_unlock(&cpus_lock, saved);
	ask_the_overfull();
}

/*@
  requires magazines_ok && cpu < FH_MAX_CPUS && room_of(cpu) == 0;
  assigns g_cpu, fh_magazines[cpu].busy, fh_magazines[cpu].online,
          magazine_kept(fh_magazines + cpu);
  exits \false;
  ensures cpu: g_cpu == \old(g_cpu);
  ensures ok: magazines_ok;
  ensures offline: fh_magazines[cpu].online == FH_CPU_OFFLINE;
  ensures empty: is_empty(fh_magazines + cpu);
  ensures free: fh_magazines[cpu].busy == 0;
  ensures room: room_of(cpu) == 0;
  ensures together: rooms(FH_MAX_CPUS) == \old(rooms(FH_MAX_CPUS));
*/
static void leave_empty(unsigned cpu)
{
	struct fh_magazine *m = &fh_magazines[cpu];

	/*@ assert there: magazine_ok(fh_magazines + cpu); */
	fh_magazine_set_busy(m);
	/*@ assert entered: magazines_ok; */
	/* Here we stand in for the CPU that leaves. */
	/*@ ghost unsigned here = g_cpu; */
	/*@ ghost g_cpu = cpu; */
	fh_magazine_flush(m);
	/*@ ghost g_cpu = here; */
	/*@ assert flushed: magazines_ok && is_empty(m); */
	/*@ assert as_large: \forall integer c; 0 <= c < FH_MAX_CPUS ==>
	      room_of(c) == room_of{Pre}(c); */
	fh_magazine_clear_busy(m);
	/* Release: pairs with the acquire in wait_for_answer(). */
	fh_word_store_release(&m->online, FH_CPU_OFFLINE);
	/*@ assert own: magazine_ok(fh_magazines + cpu); */
	/*@ assert others: \forall integer c; 0 <= c < FH_MAX_CPUS && c != cpu ==>
	      magazine_ok(fh_magazines + c); */
	/*@ assert rooms: \forall integer c; 0 <= c < FH_MAX_CPUS ==>
	      room_of(c) == room_of{Pre}(c); */
	/*@ ghost
	  /@
	    loop invariant 0 <= n <= FH_MAX_CPUS;
	    loop invariant rooms(n) == rooms{Pre}(n);
	    loop assigns n;
	    loop variant FH_MAX_CPUS - n;
	  @/
	  for (unsigned n = 0; n < FH_MAX_CPUS; n++)
	    /@ assert room_of(n) == room_of{Pre}(n); @/
	    ;
	*/
}

void fh_magazine_offline(unsigned cpu)
{
	struct fh_magazine *m = &fh_magazines[cpu];
	uint64_t saved = fh_lock(&cpus_lock);
	/*@ assert there: magazine_ok(fh_magazines + cpu); */
	bool leaves = fh_word_load_relaxed(&m->online) == FH_CPU_ONLINE;

	if (leaves) {
		fh_word_store_relaxed(&m->online, FH_CPU_LEAVING);
		/*@ assert own: is_to_get_room(fh_magazines + cpu); */
		/*@ assert others: \forall integer c;
		      0 <= c < FH_MAX_CPUS && c != cpu ==>
		        is_to_get_room(fh_magazines + c); */
		divide_room();
		/*@ assert left: magazine_ok(fh_magazines + cpu) &&
		      fh_magazines[cpu].online == FH_CPU_LEAVING; */
	}
	fh_unlock(&cpus_lock, saved);
	if (!leaves)
		return;
	leave_empty(cpu);
}

uint64_t fh_magazines_count(void)
{
	uint64_t pages = 0;

	/*@
	  loop invariant 0 <= cpu <= FH_MAX_CPUS;
	  loop invariant pages == pages_kept(cpu) <= cpu *
	    (FH_MAGAZINE_PAGES + 512 * FH_MAGAZINE_BLOCKS);
	  loop assigns cpu, pages;
	  loop variant FH_MAX_CPUS - cpu;
	*/
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		pages += fh_word_load_relaxed(&fh_magazines[cpu].page_count) +
			 fh_word_load_relaxed(&fh_magazines[cpu].block_count) *
				 FH_BLOCK_PAGES;
	return pages;
}

/* What its arrays have is nothing that it keeps. */
/*@
  requires \valid(fh_magazines + (0 .. FH_MAX_CPUS - 1)) && cpu < FH_MAX_CPUS;
  assigns fh_magazines[cpu];
  exits \false;
  ensures fresh: is_fresh(fh_magazines + cpu);
  ensures home: fh_magazines[cpu].home == home;
  ensures others: \forall integer c; 0 <= c < FH_MAX_CPUS && c != cpu &&
    \old(is_fresh(fh_magazines + c)) ==> is_fresh(fh_magazines + c);
  ensures homes: \forall integer c; 0 <= c < FH_MAX_CPUS && c != cpu ==>
    fh_magazines[c].home == \old(fh_magazines[c].home);
*/
static void forget_magazine(unsigned cpu, uint64_t home)
{
	struct fh_magazine *m = &fh_magazines[cpu];

	/*@ assert \valid(m); */
	m->busy = 0;
	m->home = home;
	m->page_count = 0;
	m->block_count = 0;
	m->answer = 0;
	m->filling = 0;
	m->request = 0;
	m->page_room = 0;
	m->block_room = 0;
	m->online = FH_CPU_OFFLINE;
}

void fh_magazines_open(void)
{
	/*@
	  loop invariant 0 <= cpu <= FH_MAX_CPUS;
	  loop invariant \forall integer c; 0 <= c < cpu ==>
	    is_fresh(fh_magazines + c);
	  loop invariant \forall integer c; 0 <= c < cpu ==>
	    fh_magazines[c].home < fh_layout.zone_count;
	  loop assigns cpu, fh_magazines[0 .. FH_MAX_CPUS - 1];
	  loop variant FH_MAX_CPUS - cpu;
	*/
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		forget_magazine(cpu, fh_layout.zone_count - 1);
}

void fh_magazines_close(void)
{
	/*@
	  loop invariant 0 <= cpu <= FH_MAX_CPUS;
	  loop invariant \forall integer c; 0 <= c < cpu ==>
	    is_fresh(fh_magazines + c);
	  loop assigns cpu, fh_magazines[0 .. FH_MAX_CPUS - 1];
	  loop variant FH_MAX_CPUS - cpu;
	*/
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		forget_magazine(cpu, 0);
}
