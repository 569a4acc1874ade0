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

/* Counts pages that become free. */
/*@
  requires zone_sound(zone) && zone->free <= UINT64_MAX - n;
  assigns zone->free;
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures sound: zone_sound(zone);
  ensures free: zone->free == \old(zone->free) + n;
  ensures bits: bits_stay_but{Pre,Post}(zone, zone->count);
  ensures counted: free_pages(zone, zone->count) ==
    \old(free_pages(zone, zone->count));
*/
static void count_given(struct fh_zone *zone, uint64_t n)
{
	/*@ ghost ghost_zone_apart(zone); */
	/*@ ghost ghost_bits_fit_but(zone, zone->count); */
	fh_zone_add_free(zone, n);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert filled: zone->filled == \at(zone->filled,Pre); */
	/*@ assert nexts: nexts_but(zone, zone->count); */
	/*@ assert nexts: nexts_back_but(zone, zone->count); */
	/*@ assert previouses: previouses_but(zone, zone->count); */
	/*@ assert previouses: previouses_back_but(zone, zone->count); */
	/*@ assert firsts: firsts_but(zone, zone->count); */
	/*@ assert heads: heads_but(zone, zone->count); */
	/*@ assert orders: orders_fit(zone) && filled_fits(zone); */
	/*@ assert chains: chains_ok(zone); */
	/*@ assert fit: runs_fit(zone); */
	/*@ assert apart: runs_apart(zone); */
	/*@ assert aligned: heads_at(zone->blocks, zone->count, zone->first); */
	/*@ assert words: \forall integer b, integer w; 0 <= b < zone->count &&
	  0 <= w < 8 ==> zone->blocks[b].bits[w] ==
	    \at(zone->blocks[b].bits[w],Pre); */
	/*@ assert words: words_kept_but{Pre,Here}(zone, zone->count); */
	/*@ assert touched: \forall integer v;
	  0 <= v <= (zone->count - 1) / 64 ==>
	    zone->touched[v] == \at(zone->touched[v],Pre); */
	/*@ assert touches: touches_kept_but{Pre,Here}(zone, zone->count); */
	/*@ assert whole: \forall integer b; 0 <= b < zone->count ==>
	  (is_whole(zone, b) <==> is_whole{Pre}(zone, b)); */
	/*@ assert runs: \forall integer h, integer b;
	  in_run(zone, h, b) <==> in_run{Pre}(zone, h, b); */
	/*@ assert runs: \forall integer h, integer b; in_run(zone, h, b) ==>
	  b < zone->count; */
	/*@ assert touched: runs_touched(zone); */
	/*@ assert in_runs: \forall integer b; 0 <= b < zone->count &&
	  is_touched(zone, b) && is_whole(zone, b) ==>
	    \exists integer h; in_run{Pre}(zone, h, b); */
	/*@ assert in_runs: \forall integer b; 0 <= b < zone->count &&
	  is_touched(zone, b) && is_whole(zone, b) ==>
	    \exists integer h; in_run(zone, h, b); */
	/*@ assert in_runs: touched_in_runs_but(zone, 0, 0); */
	/*@ assert has: \forall integer b, integer w, integer i;
	  0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 ==>
	    (has_bit(zone->blocks[b].bits[w], i) <==>
	       has_bit(\at(zone->blocks[b].bits[w],Pre), i)); */
	/*@ assert bits: bits_stay_but{Pre,Here}(zone, zone->count); */
	/*@ assert none: \forall integer b; 0 <= b < zone->count &&
	  is_whole(zone, b) ==> no_bits(zone, b); */
	/*@ assert part: \forall integer b; 0 <= b < zone->count &&
	  !is_whole(zone, b) ==> is_touched(zone, b); */
	/*@ assert bits_fit: bits_fit(zone); */
	/*@ assert parts_fit: parts_fit(zone); */
	/*@ assert kept: \forall integer b; 0 <= b < zone->count ==>
	  block_kept{Pre,Here}(&zone->blocks[b]); */
	/*@ assert blocks: \forall integer b; 0 <= b < zone->count &&
	  block_kept{Pre,Here}(&zone->blocks[b]) &&
	  block_ok{Pre}(&zone->blocks[b]) ==> block_ok(&zone->blocks[b]); */
	/*@ assert blocks: blocks_ok(zone); */
	/*@ assert counts: counts_stay_but{Pre,Here}(zone, zone->count); */
	/*@ ghost
	  /@
	    loop invariant 0 <= k <= zone->count;
	    loop invariant free_pages(zone, k) == free_pages{Pre}(zone, k);
	    loop assigns k;
	    loop variant zone->count - k;
	  @/
	  for (uint64_t k = 0; k < zone->count; k++)
	    ;
	*/
}

/* A block none of whose pages is free is not touched. */
/*@ ghost
  /@
    requires zone_sound(zone) && block + n <= zone->count;
    requires \forall integer b, integer w, integer i;
      block <= b < block + n && 0 <= w < 8 && 0 <= i < 64 ==>
        !bit_free(zone, b, w, i);
    assigns \nothing;
    exits \false;
    ensures untouched: \forall integer b; block <= b < block + n ==>
      !is_touched(zone, b);
    ensures orders: no_orders(zone, block, n);
    ensures begins: n > 0 ==> run_can_begin(zone, block);
  @/
  void ghost_untouched(struct fh_zone *zone, uint64_t block, uint64_t n)
  {
    /@ assert whole: \forall integer b; block <= b < block + n &&
      is_touched(zone, b) ==> !bit_free(zone, b, 0, 0) && !is_whole(zone, b); @/
    /@ assert orders: \forall integer b; block <= b < block + n &&
      is_touched(zone, b) ==>
        \exists integer w; 0 <= w < 8 && zone->blocks[b].word_order[w] >= 1; @/
    /@ assert runs: \forall integer b, integer w; block <= b < block + n &&
      0 <= w < 8 && zone->blocks[b].word_order[w] >= 1 ==>
        has_run(zone->blocks[b].bits[w], 0); @/
    /@ assert bits: \forall integer word, integer i; word_run(word, i, 0) ==>
      0 <= i < 64 && has_bit(word, i); @/
    /@ assert bits: \forall integer b, integer w, integer i;
      block <= b < block + n && is_touched(zone, b) && 0 <= w < 8 &&
      0 <= i < 64 ==> !bit_free(zone, b, w, i) &&
        !has_bit(zone->blocks[b].bits[w], i); @/
    /@ assert none: \forall integer b, integer w; block <= b < block + n &&
      is_touched(zone, b) && 0 <= w < 8 ==>
        !has_run(zone->blocks[b].bits[w], 0); @/
    /@ assert untouched: \forall integer b; block <= b < block + n ==>
      !is_touched(zone, b); @/
    /@ assert runs: \forall integer b; 0 <= b < zone->count &&
      zone->blocks[b].order >= 10 ==> in_run(zone, b, b); @/
    /@ assert parts: \forall integer b; block <= b < block + n ==>
      is_whole(zone, b); @/
    /@ assert begins: n > 0 ==> \forall integer h; !in_run(zone, h, block); @/
    /@ assert begins: n > 0 ==> \forall integer h; 0 <= h < block &&
      zone->blocks[h].order >= 10 ==> !in_run(zone, h, block); @/
  }
*/

/* fh_whole_give(), in fewer words. */
/*@
  requires zone_sound(zone);
  requires block <= zone->count && n <= zone->count - block;
  requires no_orders(zone, block, n);
  requires \forall integer b; block <= b < block + n ==>
    !is_touched(zone, b);
  requires n > 0 ==> run_can_begin(zone, block);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures sound: zone_sound(zone);
  ensures given: pages_given{Pre,Post}(zone, (zone->first + block) * 512,
    512 * n);
  ensures pages: free_pages(zone, zone->count) ==
    free_pages{Pre}(zone, zone->count) + 512 * n;
*/
static void whole_give(struct fh_zone *zone, uint64_t block, uint64_t n)
{
	/*@ ghost ghost_each(zone->count); */
	fh_whole_give(zone, block, n);
}

/* n whole blocks, all in use. */
/*@
  requires zone_sound(zone) && block + n <= zone->count && n > 0;
  requires \forall integer b, integer w, integer i;
    block <= b < block + n && 0 <= w < 8 && 0 <= i < 64 ==>
      !bit_free(zone, b, w, i);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures free: zone->free == \old(zone->free);
  ensures sound: zone_sound(zone);
  ensures given: pages_given{Pre,Post}(zone, (zone->first + block) * 512,
    512 * n);
  ensures counted: free_pages(zone, zone->count) ==
    \old(free_pages(zone, zone->count)) + 512 * n;
*/
static void give_blocks(struct fh_zone *zone, uint64_t block, uint64_t n)
{
	/*@ ghost ghost_zone_apart(zone); */
	/*@ ghost ghost_untouched(zone, block, n); */
	whole_give(zone, block, n);
}

/* n pages of one block, all in use. */
/*@
  requires zone_sound(zone) && block < zone->count;
  requires offset < 512 && 0 < n <= 512 - offset;
  requires part_in_use(zone, block, offset, n);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures free: zone->free == \old(zone->free);
  ensures sound: zone_sound(zone);
  ensures given: pages_given{Pre,Post}(zone,
    (zone->first + block) * 512 + offset, n);
  ensures counted: free_pages(zone, zone->count) ==
    \old(free_pages(zone, zone->count)) + n;
*/
static void give_in_block(struct fh_zone *zone, uint64_t block, uint64_t offset,
			  uint64_t n)
{
	/*@ ghost ghost_zone_apart(zone); */
	fh_part_give(zone, block, offset, n);
}

/*
 * The first of n pages, all in use: what lies in one block, or whole blocks.
 * Returns how many.
 */
/*@
  requires zone_sound(zone) && n > 0 && pages_in_use(zone, first, n);
  requires inside: zone->first * 512 <= first &&
    first + n <= (zone->first + zone->count) * 512;
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures part: 0 < \result <= n;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures free: zone->free == \old(zone->free);
  ensures sound: zone_sound(zone);
  ensures given: pages_given{Pre,Post}(zone, first, \result);
  ensures counted: free_pages(zone, zone->count) ==
    \old(free_pages(zone, zone->count)) + \result;
*/
static uint64_t give_first(struct fh_zone *zone, uint64_t first, uint64_t n)
{
	uint64_t block = fh_zone_block(zone, first);
	uint64_t part = fh_pages_in_block(first, n);
	/*@ assert (zone->first + block) * 512 + first % 512 == first; */

	if (part < FH_BLOCK_PAGES) {
		/*@ assert among: \forall integer w, integer i;
		  0 <= w < 8 && 0 <= i < 64 &&
		  is_among(w, i, first % 512, part) ==>
		    bit_among(zone, block, w, i, first, n); */
		give_in_block(zone, block, first % FH_BLOCK_PAGES, part);
		return part;
	}
	uint64_t blocks = n / FH_BLOCK_PAGES;
	/*@ assert at: (zone->first + block) * 512 == first; */
	/*@ assert at: first % 512 == 0 && blocks > 0 && blocks * 512 <= n; */
	/*@ assert among: \forall integer b, integer w, integer i;
	  block <= b < block + blocks && 0 <= w < 8 && 0 <= i < 64 ==>
	    bit_among(zone, b, w, i, first, n); */
	give_blocks(zone, block, blocks);
	/*@ assert given: pages_given{Pre,Here}(zone, first, blocks * 512); */
	return blocks * FH_BLOCK_PAGES;
}

/* Pages first .. first+n-1 of the zone, all in use; they are counted. */
/*@
  requires zone_sound(zone) && pages_in_use(zone, first, n);
  requires inside: n > 0 ==> zone->first * 512 <= first &&
    first + n <= (zone->first + zone->count) * 512;
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures free: zone->free == \old(zone->free);
  ensures sound: zone_sound(zone);
  ensures given: pages_given{Pre,Post}(zone, first, n);
  ensures counted: free_pages(zone, zone->count) ==
    \old(free_pages(zone, zone->count)) + n;
*/
static void give_counted(struct fh_zone *zone, uint64_t first, uint64_t n)
{
	/*@
	  loop invariant n <= \at(n,Pre);
	  loop invariant first == \at(first,Pre) + (\at(n,Pre) - n);
	  loop invariant inside: n > 0 ==> zone->first * 512 <= first &&
	    first + n <= (zone->first + zone->count) * 512;
	  loop invariant plain: zone->count == \at(zone->count,Pre);
	  loop invariant tables: tables_kept{Pre,Here}(zone);
	  loop invariant sound: zone_sound(zone);
	  loop invariant free: zone->free == \at(zone->free,Pre);
	  loop invariant given: pages_given{Pre,Here}(zone, \at(first,Pre),
	    first - \at(first,Pre));
	  loop invariant counted: free_pages(zone, zone->count) ==
	    \at(free_pages(zone, zone->count),Pre) + (\at(n,Pre) - n);
	  loop assigns first, n, zone->filled, zone->heads[1 .. FH_ORDER_LAST],
	    zone->blocks[0 .. \at(zone->count,Pre) - 1],
	    zone->touched[0 .. (\at(zone->count,Pre) - 1) / 64];
	  loop variant n;
	*/
	while (n > 0) {
		/*@ assert rest: pages_in_use(zone, first, n); */
		uint64_t part = give_first(zone, first, n);
		/*@ assert given: pages_given{Pre,Here}(zone, \at(first,Pre),
		  first - \at(first,Pre) + part); */

		first += part;
		n -= part;
	}
}

/* Pages first .. first+n-1 of the zone, all in use. */
/*@
  requires zone_ok(zone) && pages_in_use(zone, first, n);
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
	/*@ ghost ghost_free_pages(zone); */
	/*@ assert inside: n > 0 ==> zone->first * 512 <= first &&
	  first + n <= (zone->first + zone->count) * 512; */
	count_given(zone, n);
	give_counted(zone, first, n);
}

uint64_t fh_zone_give(struct fh_zone *zone, uint64_t first, uint64_t n)
{
	uint64_t twice = first_free(zone, first, n);

	/*@ ghost ghost_page_bits(zone); */
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
	/*@ ghost ghost_free_pages(zone); */
	/*@ ghost ghost_all_ones(mask); */
	count_given(zone, n);
	/*@ assert in_use: \forall integer i; 0 <= i < 64 && has_bit(mask, i) ==>
	  !bit_free(zone, block, word, i); */
	fh_part_give_mask(zone, block, word, mask, n);
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
