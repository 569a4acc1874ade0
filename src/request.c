/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What to try, and in what order, before a request is refused: the zones; then
 * what CPUs keep and what the kernel can do without; then reserves.
 */
#include "request.h"

#include <framehold/host.h>

/* The largest number of pages, or alignment, that a run can have. */
#define LARGEST_RUN (FH_BLOCK_PAGES << (FH_ORDER_LAST - FH_ORDER_BLOCK))

/* The order of the smallest run with n pages; 0 if none is so large. */
/*@
  assigns \nothing;
  exits \false;
  behavior none:
    assumes n > LARGEST_RUN;
    ensures \result == 0;
  behavior some:
    assumes n <= LARGEST_RUN;
    ensures 1 <= \result <= FH_ORDER_LAST && n <= order_pages(\result);
    ensures least: \result > 1 ==> order_pages(\result - 1) < n;
  complete behaviors;
  disjoint behaviors;
*/
static unsigned order_for(uint64_t n)
{
	unsigned order = 1;
	uint64_t size = 1;

	if (n > LARGEST_RUN)
		return 0;
	/*@
	  loop invariant 1 <= order <= FH_ORDER_LAST;
	  loop invariant size == order_pages(order) <= LARGEST_RUN;
	  loop invariant order > 1 ==> order_pages(order - 1) < n;
	  loop assigns size, order;
	  loop variant FH_ORDER_LAST - order;
	*/
	while (size < n) {
		size *= 2;
		order++;
	}
	return order;
}

/*@
  predicate request_is_apart{L}(struct fh_request *request) =
    \separated(request, fh_slots + (0 .. FH_LAST_FRAME)) &&
    \separated(request, fh_memory.sections + (0 .. FH_LAST_SECTION)) &&
    \separated(request, fh_magazines + (0 .. FH_MAX_CPUS - 1));

  // Nothing, or n pages as was asked for.
  predicate place_is_fit{L}(struct fh_request *request, integer found) =
    found != FH_NO_PAGE ==>
      found + request->n <= FH_PAGE_NUMBER_END &&
      found + request->n <= request->below && found % request->align == 0;

  predicate asks_the_same{A,B}(struct fh_request *request) =
    \at(request->n,A) == \at(request->n,B) &&
    \at(request->align,A) == \at(request->align,B) &&
    \at(request->below,A) == \at(request->below,B) &&
    \at(request->order,A) == \at(request->order,B) &&
    \at(request->no_wait,A) == \at(request->no_wait,B);
*/

/*@
  requires own_ok && magazines_ok && region_inv && can_be_asked_twice;
  requires n > 0 && \valid_read(options);
  requires options->align == 0 || is_power(options->align);
  requires \valid(request) && request_is_apart(request);
  requires \separated(request, options);
  assigns *request;
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures region: region_inv;
  ensures asked: can_be_asked_twice;
  ensures is: is_request(request, FH_ORDER_LAST) && run_is_aligned(request);
  ensures n: request->n == n && request->no_wait == options->no_wait;
  ensures align: request->align == (options->align == 0 ? 1 : options->align);
  ensures below:
    request->below == (options->below == 0 ? FH_NO_PAGE : options->below);
  ensures order: request->order == 0 <==>
    n > LARGEST_RUN || options->align > LARGEST_RUN;
*/
static void set_request(struct fh_request *request, uint64_t n,
			const struct fh_alloc_options *options)
{
	uint64_t align = options->align == 0 ? 1 : options->align;
	unsigned order = order_for(n > align ? n : align);

	/*@ assert power: is_power(align) && align > 0; */
	/*@ ghost
	  if (order != 0)
	    ghost_power_divides(align, order);
	*/
	/*@ assert fits: order != 0 ==> order <= FH_ORDER_LAST &&
	  n <= order_pages(order) && order_pages(order) % align == 0; */
	request->no_wait = options->no_wait;
	request->order = order;
	request->below = options->below == 0 ? FH_NO_PAGE : options->below;
	request->align = align;
	request->n = n;
}

/* One page from anywhere, without the magazine. */
/*@
  requires own_ok && region_inv && slots_apart(own_magazine);
  assigns fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures page: \result == FH_NO_PAGE || \result < FH_PAGE_NUMBER_END;
*/
static uint64_t take_one(bool urgent)
{
	struct fh_taken taken;

	if (fh_supply_take_words(fh_magazine_home(), urgent, 1, &taken, 1) == 0)
		return FH_NO_PAGE;
	/*@ assert some: word_is_taken(&taken, 0); */
	/*@ ghost
	  if (taken.bits == 0)
	    ghost_no_ones(taken.bits);
	*/
	return taken.base + fh_lowest_bit(taken.bits);
}

/*
 * From the zones: what chains have, then anything that fits. Chains are made
 * of runs of n pages at multiples of n: these need no second look.
 */
/*@
  requires own_ok && magazines_ok && region_inv && all_slots_apart;
  requires \valid(request) && request_is_apart(request);
  requires is_request(request, FH_ORDER_LAST) && run_is_aligned(request);
  assigns request->urgent, request->search, fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures place: place_is_fit(request, \result);
  ensures same: asks_the_same{Pre,Post}(request);
*/
static uint64_t take(struct fh_request *request, bool urgent)
{
	uint64_t home = fh_magazine_home();

	if (request->n == 1 && request->align == 1 &&
	    request->below == FH_NO_PAGE)
		return take_one(urgent);
	request->urgent = urgent;
	request->search = false;
	uint64_t found = fh_supply_take(home, request);
	if (found != FH_NO_PAGE ||
	    (request->order != 0 && request->n == request->align))
		return found;
	request->search = true;
	return fh_supply_take(home, request);
}

/* The same once this CPU keeps nothing. */
/*@
  requires own_ok && magazines_ok && region_inv && all_slots_apart;
  requires \valid(request) && request_is_apart(request);
  requires is_request(request, FH_ORDER_LAST) && run_is_aligned(request);
  assigns request->urgent, request->search, fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION],
          own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine);
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures asked: nobody_asked{Pre,Post};
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures place: place_is_fit(request, \result);
  ensures same: asks_the_same{Pre,Post}(request);
*/
static uint64_t take_emptied(struct fh_request *request, bool urgent)
{
	fh_magazine_empty();
	/*@ assert n: request->n == \at(request->n,Pre); */
	/*@ assert align: request->align == \at(request->align,Pre); */
	/*@ assert below: request->below == \at(request->below,Pre); */
	/*@ assert asked: nobody_asked{Pre,Here}; */
	/*@ assert region: region_inv; */
	/*@ assert kept: kept{Pre,Here}; */
	/*@ assert same: asks_the_same{Pre,Here}(request); */
	return take(request, urgent);
}

/* The same once no CPU does. Waits. */
/*@
  requires own_ok && magazines_ok && region_inv && all_slots_apart;
  requires \valid(request) && request_is_apart(request);
  requires is_request(request, FH_ORDER_LAST) && run_is_aligned(request);
  requires can_be_asked;
  assigns request->urgent, request->search, fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION],
          own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine),
          fh_magazines[0 .. FH_MAX_CPUS - 1].request;
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures once: asked_once{Pre,Post};
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures place: place_is_fit(request, \result);
  ensures same: asks_the_same{Pre,Post}(request);
*/
static uint64_t take_drained(struct fh_request *request, bool urgent)
{
	fh_magazines_drain();
	/*@ assert n: request->n == \at(request->n,Pre); */
	/*@ assert align: request->align == \at(request->align,Pre); */
	/*@ assert below: request->below == \at(request->below,Pre); */
	/*@ assert region: region_inv; */
	/*@ assert kept: kept{Pre,Here}; */
	/*@ assert same: asks_the_same{Pre,Here}(request); */
	return take(request, urgent);
}

/* Only where it may be neighbours that are missing. */
/*@
  requires own_ok && magazines_ok && region_inv && all_slots_apart;
  requires \valid(request) && request_is_apart(request);
  requires is_request(request, FH_ORDER_LAST) && run_is_aligned(request);
  requires can_be_asked;
  assigns request->urgent, request->search, fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION],
          own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine),
          fh_magazines[0 .. FH_MAX_CPUS - 1].request;
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures once: asked_once{Pre,Post};
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures place: place_is_fit(request, \result);
  ensures same: asks_the_same{Pre,Post}(request);
*/
static uint64_t take_neighbours(struct fh_request *request)
{
	return request->n > 1 ? take_drained(request, false) : FH_NO_PAGE;
}

/* Of what the kernel can do without. */
/*@
  requires own_ok && magazines_ok && region_inv && all_slots_apart;
  requires \valid(request) && request_is_apart(request);
  requires is_request(request, FH_ORDER_LAST) && run_is_aligned(request);
  assigns request->urgent, request->search, fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION],
          own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine);
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures asked: nobody_asked{Pre,Post};
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures place: place_is_fit(request, \result);
  ensures same: asks_the_same{Pre,Post}(request);
*/
static uint64_t take_reclaimed(struct fh_request *request)
{
	if (!fh_host_reclaim(request->n))
		return FH_NO_PAGE;
	return take_emptied(request, false);
}

/*@
  requires own_ok && magazines_ok && region_inv && all_slots_apart;
  requires \valid(request) && request_is_apart(request);
  requires is_request(request, FH_ORDER_LAST) && run_is_aligned(request);
  requires can_be_asked;
  assigns request->urgent, request->search, fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION],
          own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine),
          fh_magazines[0 .. FH_MAX_CPUS - 1].request;
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures once: asked_once{Pre,Post};
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures place: place_is_fit(request, \result);
  ensures same: asks_the_same{Pre,Post}(request);
*/
static uint64_t take_waiting(struct fh_request *request)
{
	uint64_t found = take_neighbours(request);

	/*@ assert once: asked_once{Pre,Here}; */
	/*@ assert region: region_inv; */
	/*@ assert kept: kept{Pre,Here}; */
	/*@ assert same: asks_the_same{Pre,Here}(request); */
	if (found != FH_NO_PAGE)
		return found;
	/*@ ghost Tried: ; */
	found = take_reclaimed(request);
	/*@ assert early: live_same{Pre,Tried}; */
	/*@ assert late: live_same{Tried,Here}; */
	/*@ assert each: live_all_along{Pre,Tried,Here}; */
	/*@ assert slots: live_same{Pre,Here}; */
	/*@ assert once: asked_once{Pre,Here}; */
	/*@ assert kept: kept{Pre,Here}; */
	return found;
}

/*
 * Before the reserves are touched: what this CPU keeps, what all CPUs keep if
 * it is neighbours that are missing, and what the kernel can do without.
 */
/*@
  requires own_ok && magazines_ok && region_inv && all_slots_apart;
  requires \valid(request) && request_is_apart(request);
  requires is_request(request, FH_ORDER_LAST) && run_is_aligned(request);
  requires can_be_asked;
  assigns request->urgent, request->search, fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION],
          own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine),
          fh_magazines[0 .. FH_MAX_CPUS - 1].request;
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures once: asked_once{Pre,Post};
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures place: place_is_fit(request, \result);
  ensures same: asks_the_same{Pre,Post}(request);
*/
static uint64_t take_recovered(struct fh_request *request, bool may_wait)
{
	uint64_t found = take_emptied(request, false);

	/*@ assert asked: nobody_asked{Pre,Here}; */
	/*@ assert region: region_inv; */
	/*@ assert kept: kept{Pre,Here}; */
	/*@ assert same: asks_the_same{Pre,Here}(request); */
	if (found != FH_NO_PAGE || !may_wait)
		return found;
	/*@ ghost Tried: ; */
	found = take_waiting(request);
	/*@ assert early: live_same{Pre,Tried}; */
	/*@ assert late: live_same{Tried,Here}; */
	/*@ assert each: live_all_along{Pre,Tried,Here}; */
	/*@ assert slots: live_same{Pre,Here}; */
	/*@ assert kept: kept{Pre,Here}; */
	return found;
}

/* Reserves too. */
/*@
  requires own_ok && magazines_ok && region_inv && all_slots_apart;
  requires \valid(request) && request_is_apart(request);
  requires is_request(request, FH_ORDER_LAST) && run_is_aligned(request);
  requires can_be_asked;
  assigns request->urgent, request->search, fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION],
          own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine),
          fh_magazines[0 .. FH_MAX_CPUS - 1].request;
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures place: place_is_fit(request, \result);
  ensures same: asks_the_same{Pre,Post}(request);
*/
static uint64_t take_reserves(struct fh_request *request, bool may_wait)
{
	uint64_t found = take(request, true);

	/*@ assert asked: can_be_asked; */
	/*@ assert own: own_ok && magazines_ok; */
	/*@ assert region: region_inv; */
	/*@ assert kept: kept{Pre,Here}; */
	/*@ assert same: asks_the_same{Pre,Here}(request); */
	if (found != FH_NO_PAGE || !may_wait)
		return found;
	/*@ ghost Tried: ; */
	found = take_drained(request, true);
	/*@ assert early: live_same{Pre,Tried}; */
	/*@ assert late: live_same{Tried,Here}; */
	/*@ assert each: live_all_along{Pre,Tried,Here}; */
	/*@ assert slots: live_same{Pre,Here}; */
	/*@ assert kept: kept{Pre,Here}; */
	return found;
}

/*@
  requires own_ok && magazines_ok && region_inv && all_slots_apart;
  requires \valid(request) && request_is_apart(request);
  requires is_request(request, FH_ORDER_LAST) && run_is_aligned(request);
  requires can_be_asked_twice;
  assigns request->urgent, request->search, fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION],
          own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine),
          fh_magazines[0 .. FH_MAX_CPUS - 1].request;
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures place: place_is_fit(request, \result);
  ensures same: asks_the_same{Pre,Post}(request);
*/
static FH_COLD uint64_t take_at_any_cost(struct fh_request *request)
{
	bool may_wait = !request->no_wait && fh_host_may_wait();
	uint64_t found = take_recovered(request, may_wait);

	/*@ assert asked: can_be_asked; */
	/*@ assert region: region_inv; */
	/*@ assert kept: kept{Pre,Here}; */
	/*@ assert same: asks_the_same{Pre,Here}(request); */
	if (found != FH_NO_PAGE)
		return found;
	/*@ ghost Tried: ; */
	found = take_reserves(request, may_wait);
	/*@ assert early: live_same{Pre,Tried}; */
	/*@ assert late: live_same{Tried,Here}; */
	/*@ assert each: live_all_along{Pre,Tried,Here}; */
	/*@ assert slots: live_same{Pre,Here}; */
	/*@ assert kept: kept{Pre,Here}; */
	return found;
}

/* What is left once nobody needs to wait for anything. */
/*@
  requires own_ok && magazines_ok && region_inv && all_slots_apart;
  requires \valid(request) && request_is_apart(request);
  requires is_request(request, FH_ORDER_LAST) && run_is_aligned(request);
  requires can_be_asked_twice;
  assigns request->urgent, request->search, fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION],
          own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine),
          fh_magazines[0 .. FH_MAX_CPUS - 1].request;
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures place: place_is_fit(request, \result);
  ensures n: request->n == \old(request->n);
  ensures align: request->align == \old(request->align);
  ensures below: request->below == \old(request->below);
*/
static uint64_t take_requested(struct fh_request *request)
{
	uint64_t found = take(request, false);

	/*@ assert asked: can_be_asked_twice; */
	/*@ assert own: own_ok && magazines_ok; */
	/*@ assert kept: kept{Pre,Here}; */
	if (found != FH_NO_PAGE)
		return found;
	/*@ ghost Tried: ; */
	found = take_at_any_cost(request);
	/*@ assert early: live_same{Pre,Tried}; */
	/*@ assert late: live_same{Tried,Here}; */
	/*@ assert each: live_all_along{Pre,Tried,Here}; */
	/*@ assert slots: live_same{Pre,Here}; */
	/*@ assert kept: kept{Pre,Here}; */
	return found;
}

/* The request is to be filled in. */
/*@
  requires own_ok && magazines_ok && region_inv && all_slots_apart;
  requires can_be_asked_twice && n > 0 && \valid_read(options);
  requires options_are_apart(options);
  requires \valid(request) && request_is_apart(request);
  requires \separated(request, options);
  requires options->align == 0 || is_power(options->align);
  assigns *request, fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION],
          own_magazine->busy, own_magazine->answer,
          magazine_kept(own_magazine),
          fh_magazines[0 .. FH_MAX_CPUS - 1].request;
  exits \false;
  ensures own: own_ok;
  ensures all: magazines_ok;
  ensures busy: own_magazine->busy == \old(own_magazine->busy);
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures place: lies_as_asked{Pre}(\result, n, options);
*/
static uint64_t take_for(struct fh_request *request, uint64_t n,
			 const struct fh_alloc_options *options)
{
	set_request(request, n, options);
	/*@ assert n: request->n == n; */
	/*@ assert align: request->align == (\at(options->align,Pre) == 0
	  ? 1 : \at(options->align,Pre)); */
	/*@ assert below: request->below == (\at(options->below,Pre) == 0
	  ? FH_NO_PAGE : \at(options->below,Pre)); */
	uint64_t found = take_requested(request);

	/*@ assert n: request->n == n; */
	/*@ assert align: request->align == (\at(options->align,Pre) == 0
	  ? 1 : \at(options->align,Pre)); */
	/*@ assert below: request->below == (\at(options->below,Pre) == 0
	  ? FH_NO_PAGE : \at(options->below,Pre)); */
	return found;
}

uint64_t fh_request_pages(uint64_t n, const struct fh_alloc_options *options)
{
	struct fh_request request;

	return take_for(&request, n, options);
}
