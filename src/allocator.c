/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The page allocator, behind framehold/allocator.h. From the outside in:
 *
 *     allocator   a CPU's magazine first
 *     magazine    a CPU's own pages and blocks; no lock
 *     request     what to try, and in what order, where it has none
 *     supply      all zones together, one lock at a time; with batch, for
 *                 magazines, give_range and give, for what comes back, and
 *                 sort, by zone
 *     zones       pages into one zone, and which are free
 *     take        out of it, best fit; take_run, whole runs; search, first fit
 *     parts       blocks that are free in part; open, pages out of one; words,
 *                 word by word; refill, pages back into one
 *     buddy       runs of whole blocks            chain    of one order
 *     block, bits 512 pages
 *
 * beside them piece, cells and layout, which divide memory into zones, cover,
 * for memory that comes later, home, where a CPU begins, magazine_cpus, for CPUs
 * that come and go, and allocator_audit.
 *
 * No request is refused while it could be met. Below the reserve of zones only
 * urgent ones are served, which all are in the end: what comes before is a
 * call of fh_host_reclaim().
 */
#include <framehold/allocator.h>
#include <framehold/host.h>

#include "allocator_audit.h"
#include "magazine.h"
#include "request.h"

enum fh_status fh_allocator_init(const struct fh_memory_map *map,
				 const struct fh_topology *topology,
				 bool memory_is_zeroed)
{
	enum fh_status status = fh_layout_open(map, topology, memory_is_zeroed);

	if (status != FH_OK)
		return status;
	fh_magazines_open();
	return FH_OK;
}

/*@
  requires \valid(fh_magazines + (0 .. FH_MAX_CPUS - 1));
  requires \separated(fh_magazines + (0 .. FH_MAX_CPUS - 1), &fh_layout,
                      &fh_memory);
  assigns fh_layout, fh_memory.cover, fh_magazines[0 .. FH_MAX_CPUS - 1];
  exits \false;
  ensures magazines: \forall integer cpu; 0 <= cpu < FH_MAX_CPUS ==>
    is_fresh(fh_magazines + cpu);
  ensures layout: fh_memory.cover == \null && fh_layout.map == \null;
  ensures zones: fh_layout.zone_count == 0 && fh_layout.section_count == 0;
*/
void fh_allocator_fini(void)
{
	fh_magazines_close();
	fh_layout_close();
}

bool fh_allocator_covers(uint64_t frame)
{
	return fh_layout_covers(frame);
}

/*@
  requires layout_ok && cover_is_apart && zones_can_grow(n);
  assigns fh_zones[0 .. FH_MAX_ZONES - 1].pages,
          fh_layout.cover[0 .. fh_layout.section_count - 1];
  exits \false;
  ensures empty: n == 0 ==> \result == FH_E_EMPTY;
  ensures aligned: n != 0 &&
    (first % FH_SECTION_FRAMES != 0 || n % FH_SECTION_FRAMES != 0) ==>
      \result == FH_E_NOT_ALIGNED;
  ensures refused: \result == FH_E_OUT_OF_BOUND || \result == FH_E_TWICE ==>
    is_refused{Pre}(first / FH_SECTION_FRAMES,
      first / FH_SECTION_FRAMES + n / FH_SECTION_FRAMES, \result);
  ensures unchanged: \result != FH_OK ==> \forall integer s;
    0 <= s < fh_layout.section_count ==>
      fh_layout.cover[s] == \old(fh_layout.cover[s]);
  ensures covered: \result == FH_OK ==> \forall integer s;
    0 <= s < fh_layout.section_count ==> fh_layout.cover[s] ==
      (first / FH_SECTION_FRAMES <= s <
         first / FH_SECTION_FRAMES + n / FH_SECTION_FRAMES
         ? FH_COVER_ALL : \old(fh_layout.cover[s]));
*/
enum fh_status fh_allocator_cover(uint64_t first, uint64_t n)
{
	return fh_layout_cover(first, n);
}

/* m is null, or was entered and has no room; then n is one. */
/*@
  requires own_ok && (m == \null || m == own_magazine);
  requires n <= FH_PAGE_NUMBER_END && first < FH_PAGE_NUMBER_END;
  assigns own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine);
  exits \false;
  ensures ok: own_ok;
  ensures all: \old(magazines_ok) ==> magazines_ok;
  ensures busy: own_magazine->busy ==
    (m == \null ? \old(own_magazine->busy) : 0);
  ensures kept: m != \null && m->page_room > 0 &&
    \old(m->answer) == m->request ==>
      0 < m->page_count <= m->page_room && m->pages[m->page_count - 1] == first;
*/
static FH_NOINLINE void give_pages(struct fh_magazine *m, uint64_t first,
				   uint64_t n)
{
	if (m != NULL)
		fh_magazine_give(m, first);
	else if (n == FH_BLOCK_PAGES && first % FH_BLOCK_PAGES == 0)
		fh_magazine_give_block(first);
	else
		fh_supply_give(first, n);
}

/* m is null, or was entered; then n is one. */
/*@
  requires own_ok && magazines_ok && (m == \null || m == own_magazine);
  requires n <= FH_PAGE_NUMBER_END && first < FH_PAGE_NUMBER_END;
  assigns own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine);
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
*/
static inline void keep_or_give(struct fh_magazine *m, uint64_t first,
				uint64_t n)
{
	if (FH_UNLIKELY(m == NULL || !fh_magazine_push(m, first)))
		give_pages(m, first, n);
	else
		fh_magazine_leave(m);
}

void fh_allocator_give_back(uint64_t first, uint64_t n)
{
	struct fh_magazine *m = n == 1 ? fh_magazine_enter() : NULL;

	/*@ assert entered: own_ok && magazines_ok; */
	/*@ assert own: m == \null || m == own_magazine; */
	keep_or_give(m, first, n);
	/*@ ghost ghost_given(first, n); */
}

bool fh_allocator_withdraw(uint64_t frame)
{
	bool in_zone = fh_supply_withdraw(frame);
	bool found = in_zone || fh_magazine_withdraw(frame);

	/*@ assert found: found <==> in_zone || \at(own_magazine->busy == 0 &&
	  keeps(own_magazine, frame),Pre); */
	/*@ ghost ghost_withdrawn(frame, found); */
	return found;
}

/*
 * m is null, or has no page. What needs no lock comes first, where there is
 * no limit to keep to.
 */
/*@
  requires own_ok && n > 0 && \valid_read(options);
  requires options->align == 0 || is_power(options->align);
  requires m == \null || (m == own_magazine && m->page_count == 0 &&
    n == 1 && options->align <= 1 && options->below == 0);
  requires region_inv && slots_apart(own_magazine);
  requires \separated(options, fh_slots + (0 .. FH_LAST_FRAME));
  assigns own_magazine->busy, own_magazine->answer, own_magazine->filling,
          magazine_kept(own_magazine), fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures ok: own_ok;
  ensures all: \old(magazines_ok) ==> magazines_ok;
  ensures busy: own_magazine->busy ==
    (m == \null ? \old(own_magazine->busy) : 0);
  ensures pages: \result != FH_NO_PAGE ==>
    \result + n <= FH_PAGE_NUMBER_END;
  ensures align: \result != FH_NO_PAGE ==>
    \old(options->align) == 0 || \result % \old(options->align) == 0;
  ensures below: \result != FH_NO_PAGE ==> \old(options->below) == 0;
*/
static uint64_t take_kept(struct fh_magazine *m, uint64_t n,
			  const struct fh_alloc_options *options)
{
	/*@ ghost uint64_t align = options->align; */
	if (m != NULL)
		return fh_magazine_take(m);
	if (n == FH_BLOCK_PAGES && options->align <= FH_BLOCK_PAGES &&
	    options->below == 0) {
		uint64_t block = fh_magazine_take_block();

		/*@ ghost
		  if (block != FH_NO_PAGE && align != 0)
		    ghost_block_lies(block, align);
		*/
		return block;
	}
	return FH_NO_PAGE;
}

/*@
  requires own_ok && magazines_ok && region_inv && all_slots_apart;
  requires can_be_asked_twice && n > 0 && \valid_read(options);
  requires options_are_apart(options);
  requires options->align == 0 || is_power(options->align);
  requires m == \null || (m == own_magazine && m->page_count == 0 &&
    n == 1 && options->align <= 1 && options->below == 0);
  assigns fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION],
          own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine),
          own_magazine->filling, fh_magazines[0 .. FH_MAX_CPUS - 1].request;
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures place: lies_as_asked{Pre}(\result, n, options);
*/
static uint64_t take_or_request(struct fh_magazine *m, uint64_t n,
				const struct fh_alloc_options *options)
{
	uint64_t found = take_kept(m, n, options);

	/*@ assert same: options->align == \at(options->align,Pre) &&
	      options->below == \at(options->below,Pre); */
	/*@ assert asked: can_be_asked_twice; */
	/*@ assert kept: kept{Pre,Here}; */
	if (found != FH_NO_PAGE)
		return found;
	/*@ ghost Tried: ; */
	found = fh_request_pages(n, options);
	/*@ assert early: live_same{Pre,Tried}; */
	/*@ assert late: live_same{Tried,Here}; */
	/*@ assert each: live_all_along{Pre,Tried,Here}; */
	/*@ assert slots: live_same{Pre,Here}; */
	/*@ assert kept: kept{Pre,Here}; */
	return found;
}

/* Pages of a zone's or of a magazine's become the caller's. */
/*@
  requires own_ok && magazines_ok && region_inv;
  requires \valid(first) && apart_from_allocator(first);
  requires found + n <= FH_PAGE_NUMBER_END;
  assigns *first, g_free[found .. found + n - 1];
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures region: region_inv;
  ensures first: *first == found;
  ensures popped: were_popped{Pre,Post}(found, n);
*/
static inline void hand_pages(uint64_t found, uint64_t n, uint64_t *first)
{
	(void)n; /* the contract's */
	*first = found;
	/*@ ghost ghost_handed_out(found, n); */
	/*@ assert own: own_ok; */
	/*@ assert all: magazines_ok; */
}

/*@
  requires own_ok && magazines_ok && region_inv && all_slots_apart;
  requires can_be_asked_twice && n > 0 && \valid_read(options);
  requires options_are_apart(options);
  requires options->align == 0 || is_power(options->align);
  requires m == \null || (m == own_magazine && m->page_count == 0 &&
    n == 1 && options->align <= 1 && options->below == 0);
  requires \valid(first) && apart_from_allocator(first);
  assigns *first, g_free[0 .. FH_LAST_FRAME], fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION],
          own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine),
          own_magazine->filling, fh_magazines[0 .. FH_MAX_CPUS - 1].request;
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures region: region_inv;
  ensures status: \result == FH_OK || \result == FH_E_NO_MEMORY;
  ensures refused: \result != FH_OK ==>
    kept{Pre,Post} && *first == \old(*first);
  ensures fits: \result == FH_OK ==>
    run_fits{Pre}(*first, n, \old(options->align), \old(options->below));
  ensures popped: \result == FH_OK ==> were_popped{Pre,Post}(*first, n);
*/
static FH_NOINLINE enum fh_status
pop_pages_from(struct fh_magazine *m, uint64_t n,
	       const struct fh_alloc_options *options, uint64_t *first)
{
	/*@ assert apart: \forall integer c; 0 <= c < FH_MAX_CPUS ==>
	      first != &fh_magazines[c].request; */
	/*@ assert beside: \separated(first, own_magazine); */
	uint64_t found = take_or_request(m, n, options);

	/*@ assert refused: *first == \at(*first,Pre); */
	if (found == FH_NO_PAGE)
		return FH_E_NO_MEMORY;
	/*@ ghost Taken: ; */
	hand_pages(found, n, first);
	/*@ assert others: \forall integer i;
	      is_frame(i) && !(found <= i < found + n) ==>
	        slot_kept{Pre,Taken}(i) && g_free[i] == \at(g_free[i],Taken); */
	/*@ assert rest: kept_but{Pre,Here}(found, found + n); */
	/*@ assert each: \forall integer i; found <= i < found + n ==>
	      slot_kept{Pre,Taken}(i) && can_be_taken{Taken}(i); */
	/*@ assert had: \forall integer i; found <= i < found + n ==>
	      is_frame(i) && has_slot{Pre}(i) && \at(g_free[i],Pre) != 0; */
	/*@ assert early: live_same{Pre,Taken}; */
	/*@ assert state: \forall integer i; found <= i < found + n ==>
	      live{Pre}(i) ==> \at(fh_slots[i].state,Pre) == FH_STATE_FREE; */
	/*@ assert taken: \forall integer i; found <= i < found + n ==>
	      can_be_taken{Pre}(i); */
	/*@ assert popped: were_popped{Pre,Here}(found, n); */
	return FH_OK;
}

/*@
  requires own_ok && magazines_ok && region_inv && m == own_magazine;
  requires \valid(first) && apart_from_allocator(first);
  requires page < FH_PAGE_NUMBER_END;
  assigns *first, g_free[page], m->busy, m->answer, magazine_kept(m);
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures region: region_inv;
  ensures free: m->busy == 0;
  ensures first: *first == page;
  ensures popped: were_popped{Pre,Post}(page, 1);
*/
static inline void hand_out(struct fh_magazine *m, uint64_t page,
			    uint64_t *first)
{
	hand_pages(page, 1, first);
	fh_magazine_leave(m);
}

/*@
  requires own_ok && magazines_ok && (m == \null || m == own_magazine);
  assigns own_magazine->page_count;
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures asked: nobody_asked{Pre,Post};
  ensures page: \result == FH_NO_PAGE || \result < FH_PAGE_NUMBER_END;
  ensures some: \result != FH_NO_PAGE ==> m != \null;
  ensures none: \result == FH_NO_PAGE && m != \null ==> m->page_count == 0;
*/
static inline uint64_t pop_kept(struct fh_magazine *m)
{
	return m == NULL ? FH_NO_PAGE : fh_magazine_pop(m);
}

/* m is null, or was entered. */
/*@
  requires own_ok && magazines_ok && region_inv && all_slots_apart;
  requires can_be_asked_twice && n > 0 && \valid_read(options);
  requires options_are_apart(options);
  requires options->align == 0 || is_power(options->align);
  requires m == \null || (m == own_magazine &&
    n == 1 && options->align <= 1 && options->below == 0);
  requires \valid(first) && apart_from_allocator(first);
  assigns *first, g_free[0 .. FH_LAST_FRAME], fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION],
          own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine),
          own_magazine->filling, fh_magazines[0 .. FH_MAX_CPUS - 1].request;
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures region: region_inv;
  ensures status: \result == FH_OK || \result == FH_E_NO_MEMORY;
  ensures refused: \result != FH_OK ==>
    kept{Pre,Post} && *first == \old(*first);
  ensures fits: \result == FH_OK ==>
    run_fits{Pre}(*first, n, \old(options->align), \old(options->below));
  ensures popped: \result == FH_OK ==> were_popped{Pre,Post}(*first, n);
*/
static inline enum fh_status pop_entered(struct fh_magazine *m, uint64_t n,
					 const struct fh_alloc_options *options,
					 uint64_t *first)
{
	uint64_t page = pop_kept(m);

	/*@ assert own: own_ok && magazines_ok && can_be_asked_twice; */
	/*@ assert same: options->align == \at(options->align,Pre) &&
	      options->below == \at(options->below,Pre); */
	/*@ assert first: *first == \at(*first,Pre); */
	if (FH_UNLIKELY(page == FH_NO_PAGE))
		return pop_pages_from(m, n, options, first);
	hand_out(m, page, first);
	return FH_OK;
}

/* This CPU's magazine, if any page will do and it is not in use. */
/*@
  requires own_ok && magazines_ok;
  assigns own_magazine->busy;
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures asked: nobody_asked{Pre,Post};
  ensures entered:
    \result == \null || (is_any && \result == own_magazine);
*/
static inline struct fh_magazine *enter_for(bool is_any)
{
	return is_any ? fh_magazine_enter() : NULL;
}

enum fh_status fh_allocator_pop(uint64_t n,
				const struct fh_alloc_options *options,
				uint64_t *first)
{
	bool is_any = n == 1 && options->align <= 1 && options->below == 0;
	struct fh_magazine *m = enter_for(is_any);

	/*@ assert own: own_ok && magazines_ok && can_be_asked_twice; */
	/*@ assert entered: m == \null || (m == own_magazine && is_any); */
	/*@ assert same: options->align == \at(options->align,Pre) &&
	      options->below == \at(options->below,Pre); */
	/*@ assert first: *first == \at(*first,Pre); */
	return pop_entered(m, n, options, first);
}

/*@
  logic integer zones_free{L}(integer n) =
    n <= 0 ? 0 : zones_free(n - 1) + fh_zones[n - 1].free;
*/

/*@
  requires \valid(stats) && magazines_ok;
  requires fh_layout.zone_count <= FH_MAX_ZONES;
  requires \forall integer z; 0 <= z < fh_layout.zone_count ==>
    fh_zones[z].pages <= FH_PAGE_NUMBER_END &&
    fh_zones[z].free <= FH_PAGE_NUMBER_END;
  requires \separated(stats, fh_zones + (0 .. FH_MAX_ZONES - 1),
                      fh_magazines + (0 .. FH_MAX_CPUS - 1));
  assigns *stats;
  exits \false;
  ensures pages: stats->pages == \old(zones_pages(fh_layout.zone_count));
  ensures free: stats->free == \old(pages_kept(FH_MAX_CPUS) +
    zones_free(fh_layout.zone_count));
*/
void fh_alloc_stats(struct fh_alloc_stats *stats)
{
	uint64_t kept = fh_magazines_count();

	stats->pages = 0;
	stats->free = kept;
	/*@
	  loop invariant 0 <= i <= fh_layout.zone_count;
	  loop invariant pages: stats->pages == zones_pages{Pre}(i) <=
	    i * FH_PAGE_NUMBER_END;
	  loop invariant free: stats->free == kept + zones_free{Pre}(i);
	  loop invariant zones_free{Pre}(i) <= i * FH_PAGE_NUMBER_END;
	  loop invariant zones: \forall integer z;
	    0 <= z < fh_layout.zone_count ==>
	      fh_zones[z].pages == \at(fh_zones[z].pages,Pre) &&
	      fh_zones[z].free == \at(fh_zones[z].free,Pre);
	  loop assigns i, *stats;
	  loop variant fh_layout.zone_count - i;
	*/
	for (uint64_t i = 0; i < fh_layout.zone_count; i++) {
		stats->pages += fh_word_load_relaxed(&fh_zones[i].pages);
		stats->free += fh_zone_free(&fh_zones[i]);
	}
}

/* ---- CPUs ---- */

/*@
  requires cpu < FH_MAX_CPUS;
  requires fh_layout.zone_count > 0 ==>
    magazines_ok && zone_sizes_ok && cpus_there && can_be_asked;
  assigns fh_magazines[cpu].home, fh_magazines[cpu].answer,
          fh_magazines[cpu].online,
          fh_magazines[0 .. FH_MAX_CPUS - 1].page_room,
          fh_magazines[0 .. FH_MAX_CPUS - 1].block_room,
          fh_magazines[0 .. FH_MAX_CPUS - 1].request;
  exits \false;
  behavior none:
    assumes fh_layout.zone_count == 0;
    assigns \nothing;
  behavior comes:
    assumes fh_layout.zone_count > 0 &&
      fh_magazines[cpu].online == FH_CPU_OFFLINE;
    ensures ok: magazines_ok;
    ensures online: fh_magazines[cpu].online == FH_CPU_ONLINE;
    ensures together: rooms(FH_MAX_CPUS) <= rooms_limit;
    ensures empty: is_empty(fh_magazines + cpu);
  behavior is_there:
    assumes fh_layout.zone_count > 0 &&
      fh_magazines[cpu].online != FH_CPU_OFFLINE;
    ensures ok: magazines_ok;
  complete behaviors;
  disjoint behaviors;
*/
void fh_allocator_cpu_online(unsigned cpu)
{
	if (fh_layout.zone_count > 0)
		fh_magazine_online(cpu);
}

/*@
  requires magazines_ok && zone_sizes_ok && cpu < FH_MAX_CPUS;
  assigns g_cpu, fh_magazines[cpu].online, fh_magazines[cpu].busy,
          magazine_kept(fh_magazines + cpu),
          fh_magazines[0 .. FH_MAX_CPUS - 1].page_room,
          fh_magazines[0 .. FH_MAX_CPUS - 1].block_room;
  exits \false;
  ensures cpu: g_cpu == \old(g_cpu);
  ensures ok: magazines_ok;
  ensures gone: \old(fh_magazines[cpu].online) == FH_CPU_ONLINE ==>
    fh_magazines[cpu].online == FH_CPU_OFFLINE &&
    is_empty(fh_magazines + cpu) && room_of(cpu) == 0 &&
    rooms(FH_MAX_CPUS) <= rooms_limit;
*/
void fh_allocator_cpu_offline(unsigned cpu)
{
	fh_magazine_offline(cpu);
}

void fh_alloc_poll(void)
{
	fh_magazine_poll();
}

/*@
  requires own_ok && magazines_ok && can_be_asked;
  assigns fh_magazines[0 .. FH_MAX_CPUS - 1].request,
          own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine);
  exits \false;
  ensures ok: magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures empty: \forall integer cpu; 0 <= cpu < FH_MAX_CPUS &&
    (cpu != g_cpu || own_magazine->busy == 0) ==>
      is_empty(fh_magazines + cpu);
*/
void fh_alloc_drain(void)
{
	fh_magazines_drain();
}

/* ---- Questions with CPUs parked ---- */

/*@
  requires magazine_ok(m);
  assigns \nothing;
  exits \false;
  ensures \result <==> keeps(m, page);
*/
static bool is_kept(const struct fh_magazine *m, uint64_t page)
{
	/*@
	  loop invariant 0 <= i <= m->page_count;
	  loop invariant \forall integer j; 0 <= j < i ==> m->pages[j] != page;
	  loop assigns i;
	  loop variant m->page_count - i;
	*/
	for (uint64_t i = 0; i < m->page_count; i++)
		if (m->pages[i] == page)
			return true;
	/*@
	  loop invariant 0 <= i <= m->block_count;
	  loop invariant \forall integer j; 0 <= j < i ==>
	    m->blocks[j] != page / 512;
	  loop assigns i;
	  loop variant m->block_count - i;
	*/
	for (uint64_t i = 0; i < m->block_count; i++)
		if (m->blocks[i] == page / FH_BLOCK_PAGES)
			return true;
	return false;
}

/* Whether the page lies in a magazine. */
/*@
  requires magazines_ok;
  assigns \nothing;
  exits \false;
  ensures \result <==> \exists integer cpu; 0 <= cpu < FH_MAX_CPUS &&
    keeps(fh_magazines + cpu, page);
*/
static bool is_in_magazine(uint64_t page)
{
	/*@
	  loop invariant 0 <= cpu <= FH_MAX_CPUS;
	  loop invariant \forall integer c; 0 <= c < cpu ==>
	    !keeps(fh_magazines + c, page);
	  loop assigns cpu;
	  loop variant FH_MAX_CPUS - cpu;
	*/
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		if (is_kept(&fh_magazines[cpu], page))
			return true;
	return false;
}

/*@
  requires allocator_map_ok && magazines_ok && frame < FH_MAX_FRAMES;
  requires \forall integer z; 0 <= z < fh_layout.zone_count ==>
    zone_tables(&fh_zones[z]) && bits_fit(&fh_zones[z]);
  assigns \nothing;
  exits \false;
  ensures \result <==> covers_page(frame) && lies_in_some_zone(frame) &&
    ((\exists integer z; 0 <= z < fh_layout.zone_count &&
        lies_in_zone(frame, z) && page_free(&fh_zones[z], frame)) ||
     (fh_slots[frame].state == FH_STATE_FREE &&
      \exists integer cpu; 0 <= cpu < FH_MAX_CPUS &&
        keeps(fh_magazines + cpu, frame)));
*/
bool fh_allocator_is_free(uint64_t frame)
{
	const struct fh_zone *zone = fh_layout_zone(frame);

	if (zone == NULL || !fh_layout_covers(frame))
		return false;
	if (fh_zone_is_free(zone, frame))
		return true;
	/* Of all other pages few are FREE: spare the rest the walk. */
	return fh_state_load_relaxed(frame) == FH_STATE_FREE &&
	       is_in_magazine(frame);
}

enum fh_status fh_allocator_audit(struct fh_finding *finding)
{
	return fh_audit_allocator(finding);
}
