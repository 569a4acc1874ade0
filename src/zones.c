/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pages into a zone, and which are free: what is given is cut into whole
 * blocks, which become runs, and pieces of blocks, which are parts.
 */
#include "parts.h"

bool fh_zone_is_free(const struct fh_zone *zone, uint64_t page)
{
	uint64_t block = fh_zone_block(zone, page);

	return fh_runs_have(zone, block) ||
	       fh_bits_test(zone->blocks[block].bits, page % FH_BLOCK_PAGES);
}

/* The public word for a free page, and the one that counts bits. */
/*@ ghost
  /@
    requires zone_tables(zone);
    assigns \nothing;
    exits \false;
    ensures \forall integer b, integer w, integer i;
      0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 ==>
        (bit_free(zone, b, w, i) <==>
           page_free(zone, (zone->first + b) * 512 + 64 * w + i));
  @/
  void ghost_page_bits(const struct fh_zone *zone)
  {
    /@ assert \forall integer b, integer w, integer i;
      0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 ==>
        ((zone->first + b) * 512 + 64 * w + i) / 512 - zone->first == b &&
        ((zone->first + b) * 512 + 64 * w + i) % 512 == 64 * w + i &&
        (64 * w + i) / 64 == w && (64 * w + i) % 64 == i; @/
  }
*/

/* How many of n pages of a block are in use before the first free one. */
/*@
  requires zone_tables(zone) && bits_fit(zone) && block < zone->count;
  requires offset < 512 && 0 < n <= 512 - offset;
  assigns \nothing;
  exits \false;
  ensures \result <= n;
  ensures no_page_free(zone, (zone->first + block) * 512 + offset, \result);
  ensures \result < n ==>
    page_free(zone, (zone->first + block) * 512 + offset + \result);
*/
static uint64_t in_use_before_free(const struct fh_zone *zone, uint64_t block,
				   uint64_t offset, uint64_t n)
{
	if (!fh_bits_test(zone->touched, block))
		return n;
	if (fh_runs_have(zone, block))
		return 0;
	return fh_bits_zeros(zone->blocks[block].bits, offset, n);
}

/* The first page of the range that is free, or FH_NO_PAGE. */
/*@
  requires zone_tables(zone) && bits_fit(zone);
  requires n > 0 ==> zone_has(zone, first) && n <= UINT64_MAX - first &&
    zone_has(zone, first + n - 1);
  assigns \nothing;
  exits \false;
  behavior none:
    assumes no_page_free(zone, first, n);
    ensures \result == FH_NO_PAGE;
  behavior some:
    assumes !no_page_free(zone, first, n);
    ensures first <= \result < first + n && page_free(zone, \result);
    ensures no_page_free(zone, first, \result - first);
  complete behaviors;
  disjoint behaviors;
*/
static uint64_t first_free(const struct fh_zone *zone, uint64_t first,
			   uint64_t n)
{
	/*@
	  loop invariant first + n == \at(first + n,Pre);
	  loop invariant \at(first,Pre) <= first && n <= \at(n,Pre);
	  loop invariant no_page_free(zone, \at(first,Pre),
	    first - \at(first,Pre));
	  loop assigns first, n;
	  loop variant n;
	*/
	while (n > 0) {
		uint64_t part = fh_pages_in_block(first, n);
		/*@ assert zone_has(zone, first) && first + n <= UINT64_MAX; */
		/*@ assert (first / 512) * 512 + first % 512 == first; */
		uint64_t in_use =
			in_use_before_free(zone, fh_zone_block(zone, first),
					   first % FH_BLOCK_PAGES, part);

		if (in_use < part)
			return first + in_use;
		first += part;
		n -= part;
	}
	return FH_NO_PAGE;
}

/* Pages first .. first+n-1 of the zone, all in use. */
/*@
  requires zone_ok(zone) && no_page_free(zone, first, n);
  requires n > 0 ==> zone_has(zone, first) && n <= UINT64_MAX - first &&
    zone_has(zone, first + n - 1);
  assigns zone_state(zone);
  exits \false;
  ensures ok: zone_ok(zone);
  ensures given: pages_given{Pre,Post}(zone, first, n);
  ensures free: zone->free == \old(zone->free) + n;
*/
static void give_used(struct fh_zone *zone, uint64_t first, uint64_t n)
{
	fh_zone_add_free(zone, n);
	while (n > 0) {
		uint64_t part = fh_pages_in_block(first, n);

		if (part == FH_BLOCK_PAGES) {
			part = n - n % FH_BLOCK_PAGES;
			fh_runs_give(zone, fh_zone_block(zone, first),
				     part / FH_BLOCK_PAGES);
		} else {
			fh_part_give(zone, fh_zone_block(zone, first),
				     first % FH_BLOCK_PAGES, part);
		}
		first += part;
		n -= part;
	}
}

uint64_t fh_zone_give(struct fh_zone *zone, uint64_t first, uint64_t n)
{
	uint64_t twice = first_free(zone, first, n);

	if (twice == FH_NO_PAGE)
		give_used(zone, first, n);
	return twice;
}

/* Which pages of mask are free already. */
/*@
  requires zone_tables(zone) && bits_fit(zone) && block < zone->count;
  requires word < 8;
  assigns \nothing;
  exits \false;
  ensures \forall integer i; 0 <= i < 64 ==>
    (has_bit(\result, i) <==> has_bit(mask, i) &&
       page_free(zone, (zone->first + block) * 512 + 64 * word + i));
*/
static uint64_t free_already(const struct fh_zone *zone, uint64_t block,
			     uint64_t word, uint64_t mask)
{
	if (!fh_bits_test(zone->touched, block))
		return 0;
	if (fh_runs_have(zone, block))
		return mask;
	return zone->blocks[block].bits[word] & mask;
}

/* The n pages of mask, in that word, all in use. */
/*@
  requires zone_ok(zone) && block < zone->count && word < 8;
  requires n > 0 && n == ones(mask, 64);
  requires in_use: \forall integer i; 0 <= i < 64 && has_bit(mask, i) ==>
    !bit_free(zone, block, word, i);
  assigns zone_state(zone);
  exits \false;
  ensures ok: zone_ok(zone);
  ensures given: mask_given{Pre,Post}(zone,
    (zone->first + block) * 512 + 64 * word, mask);
  ensures free: zone->free == \old(zone->free) + n;
*/
static void give_used_mask(struct fh_zone *zone, uint64_t block, uint64_t word,
			   uint64_t mask, uint64_t n)
{
	struct fh_block *b = &zone->blocks[block];

	fh_zone_add_free(zone, n);
	fh_block_give_mask(b, word, mask, n);
	fh_bits_set(zone->touched, block, 1);
	/* A word that is not full cannot lift the block above its own order. */
	if (b->word_order[word] > b->order || b->word_order[word] == 7)
		fh_part_settle(zone, block);
}

uint64_t fh_zone_give_mask(struct fh_zone *zone, uint64_t base, uint64_t mask,
			   uint64_t n)
{
	uint64_t block = fh_zone_block(zone, base);
	uint64_t word = base % FH_BLOCK_PAGES / FH_WORD_BITS;
	uint64_t twice = free_already(zone, block, word, mask);

	/*@ assert (zone->first + block) * 512 + 64 * word == base; */
	/*@ assert \forall integer i; 0 <= i < 64 ==>
	  (has_bit(twice, i) <==> has_bit(mask, i) &&
	     page_free(zone, base + i)); */
	if (twice != 0) {
		unsigned lowest = fh_lowest_bit(twice);
		/*@ assert lowest < 64 && has_bit(twice, lowest); */
		/*@ assert page_free(zone, base + lowest); */
		return base + lowest;
	}
	/*@ assert \forall integer i; 0 <= i < 64 ==> !has_bit(twice, i); */
	/*@ ghost ghost_page_bits(zone); */
	give_used_mask(zone, block, word, mask, n);
	return FH_NO_PAGE;
}
