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

/* In fh_magazine.online. */
enum cpu_presence {
	CPU_OFFLINE = 0,
	CPU_ONLINE,
	CPU_LEAVING, /* without room, and not yet known to be empty */
};

/* ---- Emptying ---- */

/* Whether the CPU has anything to give, or is about to. */
/*@
  requires \valid_read(m);
  assigns \nothing;
  exits \false;
  ensures \result <==>
    m->online != CPU_OFFLINE && (m->filling != 0 || m->page_count != 0 ||
     m->block_count != 0);
*/
static bool is_worth_asking(const struct fh_magazine *m)
{
	/* Acquire: pairs with the release in end_refill(). */
	return fh_word_load_relaxed(&m->online) != CPU_OFFLINE &&
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

/*
 * Waits until the CPU has answered all requests made so far, or has gone
 * offline, empty. We answer those made to us, so that two who wait for each
 * other both get on.
 */
static void wait_for_answer(const struct fh_magazine *m)
{
	uint64_t request = fh_word_load_relaxed(&m->request);

	/* Acquire: pairs with the release in answer_requests() ... */
	while (fh_word_load_acquire(&m->answer) < request) {
		/* ... and in fh_magazine_offline(). */
		if (fh_word_load_acquire(&m->online) == CPU_OFFLINE)
			return;
		fh_magazine_poll();
		fh_host_relax();
	}
}

void fh_magazines_drain(void)
{
	const struct fh_magazine *own = fh_magazine_own();

	fh_magazine_empty();
	fh_host_preempt_on();
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		if (&fh_magazines[cpu] != own &&
		    is_worth_asking(&fh_magazines[cpu]))
			ask_magazine(&fh_magazines[cpu], cpu);
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		wait_for_answer(&fh_magazines[cpu]);
}

/* ---- Room ---- */

/* Serialises CPUs that come and go. */
static struct fh_lock cpus_lock;
static uint64_t cpus_online;

/* From this many pages on, magazines have all the room there is: 4 GiB. */
#define MUCH_MEMORY (UINT64_C(1) << 20)

/*@
  logic integer zones_pages{L}(integer n) =
    n <= 0 ? 0 : zones_pages(n - 1) + fh_zones[n - 1].pages;

  predicate zones_ok{L} =
    0 < fh_layout.zone_count <= FH_MAX_ZONES &&
    (\forall integer z; 0 <= z < fh_layout.zone_count ==>
       fh_zones[z].pages <= FH_PAGE_NUMBER_END) &&
    \separated(fh_magazines + (0 .. FH_MAX_CPUS - 1),
               fh_zones + (0 .. FH_MAX_ZONES - 1));
*/

/*@
  requires zones_ok;
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

/* With cpus_lock held. */
static void divide_room(void)
{
	uint64_t all = pages_of_zones();
	uint64_t share = cpus_online == 0 ? 0
					  : all / fh_layout.zone_count / 16 /
						    cpus_online;
	uint64_t pages =
		at_most(share, all < MUCH_MEMORY ? FH_MAGAZINE_PAGES / 2
						 : FH_MAGAZINE_PAGES);
	uint64_t blocks =
		at_most((share - pages) / FH_BLOCK_PAGES, FH_MAGAZINE_BLOCKS);

	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++) {
		struct fh_magazine *m = &fh_magazines[cpu];
		bool stays = fh_word_load_relaxed(&m->online) == CPU_ONLINE;

		fh_word_store_relaxed(&m->page_room, stays ? pages : 0);
		fh_word_store_relaxed(&m->block_room, stays ? blocks : 0);
	}
}

/* Asks CPUs that hold more than they may now to empty themselves some time. */
static void ask_the_overfull(void)
{
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++) {
		struct fh_magazine *m = &fh_magazines[cpu];

		if (fh_word_load_relaxed(&m->online) == CPU_ONLINE &&
		    (fh_word_load_relaxed(&m->page_count) >
			     fh_word_load_relaxed(&m->page_room) ||
		     fh_word_load_relaxed(&m->block_count) >
			     fh_word_load_relaxed(&m->block_room)))
			ask_magazine(m, cpu);
	}
}

void fh_magazine_online(unsigned cpu)
{
	struct fh_magazine *m = &fh_magazines[cpu];
	uint64_t saved = fh_lock(&cpus_lock);

	if (fh_word_load_relaxed(&m->online) == CPU_OFFLINE) {
		m->home = fh_layout_home(cpu);
		fh_word_store_relaxed(&m->answer,
				      fh_word_load_relaxed(&m->request));
		fh_word_store_relaxed(&m->online, CPU_ONLINE);
		cpus_online++;
		divide_room();
	}
	fh_unlock(&cpus_lock, saved);
	ask_the_overfull();
}

void fh_magazine_offline(unsigned cpu)
{
	struct fh_magazine *m = &fh_magazines[cpu];
	uint64_t saved = fh_lock(&cpus_lock);
	bool leaves = fh_word_load_relaxed(&m->online) == CPU_ONLINE;

	if (leaves) {
		fh_word_store_relaxed(&m->online, CPU_LEAVING);
		cpus_online--;
		divide_room();
	}
	fh_unlock(&cpus_lock, saved);
	if (!leaves)
		return;
	fh_magazine_set_busy(m);
	fh_magazine_flush(m);
	fh_magazine_clear_busy(m);
	/* Release: pairs with the acquire in wait_for_answer(). */
	fh_word_store_release(&m->online, CPU_OFFLINE);
}

uint64_t fh_magazines_count(void)
{
	uint64_t pages = 0;

	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		pages += fh_word_load_relaxed(&fh_magazines[cpu].page_count) +
			 fh_word_load_relaxed(&fh_magazines[cpu].block_count) *
				 FH_BLOCK_PAGES;
	return pages;
}

static const struct fh_magazine no_magazine;

void fh_magazines_open(void)
{
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++) {
		fh_magazines[cpu] = no_magazine;
		fh_magazines[cpu].home = fh_layout.zone_count - 1;
	}
	cpus_online = 0;
}

void fh_magazines_close(void)
{
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		fh_magazines[cpu] = no_magazine;
	cpus_online = 0;
}
