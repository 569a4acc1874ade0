/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What cannot be met from this CPU's magazine: pages from the zones, from what
 * other CPUs keep and, at last, from the reserves.
 */
#ifndef FRAMEHOLD_SRC_REQUEST_H
#define FRAMEHOLD_SRC_REQUEST_H

#include <framehold/allocator.h>

#include "magazine.h"

/*@
  predicate options_are_apart{L}(struct fh_alloc_options *options) =
    \separated(options, fh_slots + (0 .. FH_LAST_FRAME)) &&
    \separated(options, fh_magazines + (0 .. FH_MAX_CPUS - 1));

  // Nothing, or n pages as options said then.
  predicate lies_as_asked{L}(integer first, integer n,
                             struct fh_alloc_options *options) =
    first != FH_NO_PAGE ==>
      first + n <= FH_PAGE_NUMBER_END &&
      (options->align != 0 ==> first % options->align == 0) &&
      (options->below != 0 ==> first + n <= options->below);

  predicate live_same{A,B} =
    \forall integer i; is_frame(i) && live{A}(i) ==>
      live{B}(i) && \at(fh_slots[i],A) == \at(fh_slots[i],B);

  predicate live_all_along{A,B,C} =
    \forall integer i; is_frame(i) && live{A}(i) ==>
      live{B}(i) && \at(fh_slots[i],A) == \at(fh_slots[i],B) &&
      live{C}(i) && \at(fh_slots[i],B) == \at(fh_slots[i],C);
*/

/*
 * The first of n pages, or FH_NO_PAGE: refused, with reserves and all. Waits,
 * unless options or fh_host_may_wait() say no.
 */
/*@
  requires own_ok && magazines_ok && region_inv && all_slots_apart;
  requires can_be_asked_twice && n > 0 && \valid_read(options);
  requires options_are_apart(options);
  requires options->align == 0 || is_power(options->align);
  assigns fh_slots[0 .. FH_LAST_FRAME],
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
uint64_t fh_request_pages(uint64_t n, const struct fh_alloc_options *options);

#endif /* FRAMEHOLD_SRC_REQUEST_H */
