/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The allocator's own state, by its names, for the unit that all calls to it go
 * through, and what its requests need to know of powers of two. Included before
 * it, after the words of its parts.
 */
#ifndef FRAMEHOLD_PROOF_MODEL_ALLOCATOR_H
#define FRAMEHOLD_PROOF_MODEL_ALLOCATOR_H

#include "magazine.h"

#undef allocator_ok
#undef allocator_map_ok
#undef allocator_state
#undef allocator_can_ask
#undef apart_from_allocator

/* Nothing but the allocator writes these. */
#define allocator_state                                                        \
	fh_magazines[0 .. FH_MAX_CPUS - 1],                                    \
		fh_magazines[0 .. FH_MAX_CPUS - 1].request
#define allocator_can_ask can_be_asked_twice
#define apart_from_allocator(range)                                            \
	\separated(range, fh_magazines + (0 .. FH_MAX_CPUS - 1))

/*@
  // What holds of all magazines between calls; zones have their own.
  predicate allocator_ok{L} = magazines_ok && own_ok;

  // Requests of CPUs are counted, for ever; here they may be made twice.
  predicate can_be_asked_twice{L} =
    \forall integer cpu; 0 <= cpu < FH_MAX_CPUS ==>
      fh_magazines[cpu].request < UINT64_MAX - 1;

  predicate all_slots_apart{L} =
    \separated(fh_magazines + (0 .. FH_MAX_CPUS - 1),
               fh_slots + (0 .. FH_LAST_FRAME));

  predicate allocator_map_ok{L} =
    layout_ok && map_is_normal(fh_layout.map);
*/

#include <framehold/allocator.h>

#include "request.h"

/*@
  assigns \nothing;
  exits \false;
*/
bool fh_host_may_wait(void);

/*@
  assigns \nothing;
  exits \false;
*/
bool fh_host_reclaim(uint64_t n);

/* Pages that came back are the allocator's to give. */
/*@ ghost
  /@
    requires first <= FH_MAX_FRAMES && n <= FH_MAX_FRAMES - first;
    assigns g_free[first .. first + n - 1];
    exits \false;
    ensures \forall integer i; first <= i < first + n ==> g_free[i] == 1;
  @/
  void ghost_given(uint64_t first, uint64_t n)
  {
    /@
      loop invariant first <= i <= first + n;
      loop invariant \forall integer j; first <= j < i ==> g_free[j] == 1;
      loop assigns i, g_free[first .. first + n - 1];
      loop variant first + n - i;
    @/
    for (uint64_t i = first; i < first + n; i++)
      g_free[i] = 1;
  }
*/

/*
 * A page that its zone or a magazine has is found there, and is not the
 * allocator's from here on. As for ghost_popped().
 */
/*@ ghost
  /@
    requires frame < FH_MAX_FRAMES;
    assigns g_free[frame];
    exits \false;
    ensures found != 0 <==> \old(g_free[frame]) != 0;
    ensures g_free[frame] == 0;
  @/
  void ghost_withdrawn(uint64_t frame, int found);
*/

/* The same of n pages, once no slot waits for being written. */
/*@ ghost
  /@
    requires region_inv && first + n <= FH_PAGE_NUMBER_END;
    assigns g_free[first .. first + n - 1];
    exits \false;
    ensures region: region_inv;
    ensures popped: were_popped{Pre,Post}(first, n);
  @/
  void ghost_handed_out(uint64_t first, uint64_t n)
  {
    ghost_popped(first, n);
  }
*/

/* A power of two no larger than a run's pages is a divisor of them. */
/*@ ghost
  /@
    requires is_power(align) && 1 <= order <= FH_ORDER_LAST;
    requires 0 < align <= order_pages(order);
    assigns \nothing;
    exits \false;
    ensures order_pages(order) % align == 0;
    ensures small: align <= 512 ==>
      align == 1 || align == 2 || align == 4 || align == 8 || align == 16 ||
      align == 32 || align == 64 || align == 128 || align == 256 ||
      align == 512;
  @/
  void ghost_power_divides(uint64_t align, unsigned order)
  {
    uint64_t odd = align;
    unsigned k = 1;
    /@
      loop invariant 1 <= k <= order;
      loop invariant 1 <= odd && (odd == 1 || odd_part(odd) == 1);
      loop invariant align == odd * order_pages(k);
      loop assigns odd, k;
      loop variant odd;
    @/
    while (odd > 1) {
      /@ assert even: odd % 2 == 0 && odd_part(odd / 2) == 1; @/
      /@ assert half: odd == 2 * (odd / 2) && 1 <= odd / 2; @/
      /@ assert double: k < order ==>
        order_pages(k + 1) == 2 * order_pages(k); @/
      /@ assert less: k < order; @/
      odd = odd / 2;
      k = k + 1;
    }
    /@ assert power: align == order_pages(k); @/
  }
*/

/* A multiple of 512 is one of each smaller power of two. */
/*@ ghost
  /@
    requires is_power(align) && 0 < align <= 512 && first % 512 == 0;
    assigns \nothing;
    exits \false;
    ensures first % align == 0;
  @/
  void ghost_block_lies(uint64_t first, uint64_t align)
  {
    ghost_power_divides(align, 10);
    /@ assert align == 2 ==> first % 2 == 0; @/
    /@ assert align == 4 ==> first % 4 == 0; @/
    /@ assert align == 8 ==> first % 8 == 0; @/
    /@ assert align == 16 ==> first % 16 == 0; @/
    /@ assert align == 32 ==> first % 32 == 0; @/
    /@ assert align == 64 ==> first % 64 == 0; @/
    /@ assert align == 128 ==> first % 128 == 0; @/
    /@ assert align == 256 ==> first % 256 == 0; @/
  }
*/

#endif /* FRAMEHOLD_PROOF_MODEL_ALLOCATOR_H */
