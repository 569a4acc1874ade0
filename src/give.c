/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Giving pages that lie anywhere. What comes back from a magazine is in the
 * order in which it was freed, and is given zone by zone. Neighbours of one
 * word go back together; pages freed in ascending order do so 64 at a time.
 */
#include "give.h"

/* Neighbours of one word that are not sorted, but given as they come. */
#define LONG_ROW 16

/* How far ahead the block of a page is fetched into the cache. */
#define BLOCK_LOOKAHEAD 6

/* How many of n pages, from the first on, follow each other in one word. */
/*@
  requires n > 0 && \valid_read(pages + (0 .. n - 1));
  assigns \nothing;
  exits \false;
  ensures some: 1 <= \result <= n;
  ensures word: pages[0] % 64 + \result <= 64;
  ensures row: \forall integer i; 0 <= i < \result ==>
    pages[i] == pages[0] + i;
  ensures longest: \result == n || pages[0] % 64 + \result == 64 ||
    pages[\result] != pages[0] + \result;
*/
static uint64_t count_row(const uint64_t *pages, uint64_t n)
{
	uint64_t room = FH_WORD_BITS - pages[0] % FH_WORD_BITS;
	uint64_t count = 1;

	n = n < room ? n : room;
	/*@
	  loop invariant 1 <= count <= n;
	  loop invariant \forall integer i; 0 <= i < count ==>
	    pages[i] == pages[0] + i;
	  loop assigns count;
	  loop variant n - count;
	*/
	while (count < n && pages[count] == pages[0] + count)
		count++;
	return count;
}

/* Neighbours of one word among pages that come back. */
struct of_word {
	uint64_t base;
	uint64_t mask;
	uint64_t count; /* ones in mask */
	uint64_t twice; /* a page that came twice, or FH_NO_PAGE */
};

/*@
  // The base of a page's word is a page of the same block.
  predicate is_base_of(integer base, integer page) =
    base % 64 == 0 && base <= page < base + 64 && base / 512 == page / 512;
*/

/*@ ghost
  /@
    assigns \nothing;
    exits \false;
    ensures is_base_of(page - page % 64, page);
  @/
  void ghost_base(uint64_t page)
  {
  }
*/

/* Words with no one in common have none at the same bit. */
/*@ ghost
  /@
    requires (a & b) == 0;
    assigns \nothing;
    exits \false;
    ensures \forall integer k; 0 <= k < 64 ==>
      !(has_bit(a, k) && has_bit(b, k));
  @/
  void ghost_no_common(uint64_t a, uint64_t b)
  {
    uint64_t both = a & b;
    /@ assert common: \forall integer k; 0 <= k < 64 &&
      has_bit(a, k) && has_bit(b, k) ==> has_bit(both, k); @/
    ghost_no_ones(both);
    ghost_all_ones(both);
  }
*/

/* The word of pages[0], and those after it that lie in the same one. */
/*@
  requires n > 0 && \valid_read(pages + (0 .. n - 1));
  assigns \nothing;
  exits \false;
  ensures base: is_base_of(\result.base, pages[0]);
  ensures count: 1 <= \result.count <= n;
  ensures ones: ones(\result.mask, 64) == \result.count;
  ensures pages: \forall integer k; 0 <= k < \result.count ==>
    \result.base <= pages[k] < \result.base + 64 &&
    has_bit(\result.mask, pages[k] - \result.base);
  ensures twice: \result.twice == FH_NO_PAGE ||
    \exists integer k; 0 <= k < n && pages[k] == \result.twice;
*/
static struct of_word gather_word(const uint64_t *pages, uint64_t n)
{
	uint64_t base = pages[0] - pages[0] % FH_WORD_BITS;
	/*@ ghost ghost_base(pages[0]); */
	uint64_t i = count_row(pages, n);
	uint64_t mask = fh_bit_run(pages[0] - base, i);
	uint64_t twice = FH_NO_PAGE;

	/*@
	  loop invariant 1 <= i <= n;
	  loop invariant ones: ones(mask, 64) == i;
	  loop invariant pages: \forall integer k; 0 <= k < i ==>
	    base <= pages[k] < base + 64 && has_bit(mask, pages[k] - base);
	  loop assigns i, mask;
	  loop variant n - i;
	*/
	while (i < n && pages[i] >= base && pages[i] - base < FH_WORD_BITS) {
		uint64_t bit = fh_bit_run(pages[i] - base, 1);

		if ((mask & bit) != 0) {
			twice = pages[i];
			break;
		}
		uint64_t both = mask | bit;
		/*@ ghost ghost_no_common(mask, bit); */
		/*@ assert union: \forall integer k; 0 <= k < 64 ==>
		      (has_bit(both, k) <==> has_bit(mask, k) ||
		        has_bit(bit, k)); */
		/*@ ghost ghost_add_ones(mask, bit, both); */
		mask = both;
		i++;
	}
	return (struct of_word){base, mask, i, twice};
}

/* Gives a word's pages, unless one of them came twice. */
/*@
  requires zone_ok(zone) && word.count > 0;
  requires word.count == ones(word.mask, 64);
  requires zone_has(zone, word.base) && word.base % 64 == 0;
  assigns zone_state(zone);
  exits \false;
  ensures ok: zone_ok(zone);
  ensures same: zone->first == \old(zone->first) &&
    zone->count == \old(zone->count);
  ensures free: \result == FH_NO_PAGE ==>
    zone->free == \old(zone->free) + word.count;
*/
static uint64_t give_word(struct fh_zone *zone, struct of_word word)
{
	if (word.twice != FH_NO_PAGE)
		return word.twice;
	/*@ assert tables: zone_tables(zone); */
	return fh_zone_give_mask(zone, word.base, word.mask, word.count);
}

/* Gives pages[i], and those after it that lie in the same word. */
/*@
  requires zone_ok(zone) && apart_from_zone(pages, n, zone);
  requires i < n && \valid_read(pages + (0 .. n - 1));
  requires zone_has(zone, pages[i]);
  assigns zone_state(zone);
  exits \false;
  ensures ok: zone_ok(zone);
  ensures same: zone->first == \old(zone->first) &&
    zone->count == \old(zone->count);
  ensures pages: \forall integer k; 0 <= k < n ==>
    pages[k] == \old(pages[k]);
  ensures count: 1 <= \result.count <= n - i;
*/
static struct fh_given give_next(struct fh_zone *zone, const uint64_t *pages,
				 uint64_t n, uint64_t i)
{
	struct of_word word = gather_word(pages + i, n - i);
	/*@ assert blocks_beside: \separated(pages + (0 .. n - 1),
	      zone->blocks + (0 .. zone->count - 1)); */
	/*@ assert words_beside: \separated(pages + (0 .. n - 1),
	      zone->touched + (0 .. (zone->count - 1) / 64)); */
	/*@ assert zone_beside: \separated(pages + (0 .. n - 1), zone); */
	uint64_t twice = give_word(zone, word);
	/*@ assert pages: \forall integer k; 0 <= k < n ==>
	      pages[k] == \at(pages[k],Pre); */

	return (struct fh_given){word.count, twice};
}

/*
 * Gives pages that are all of the zone. Returns one that is free already, or
 * came twice, or FH_NO_PAGE. With the lock held.
 */
/*@
  requires zone_ok(zone) && apart_from_zone(pages, n, zone);
  requires n > 0 ==> \valid_read(pages + (0 .. n - 1));
  requires \forall integer k; 0 <= k < n ==> zone_has(zone, pages[k]);
  assigns zone_state(zone);
  exits \false;
  ensures ok: zone_ok(zone);
*/
static uint64_t give_all(struct fh_zone *zone, const uint64_t *pages,
			 uint64_t n)
{
	uint64_t twice = FH_NO_PAGE;

	/*@
	  loop invariant 0 <= i <= n;
	  loop invariant ok: zone_ok(zone);
	  loop invariant same: zone->first == \at(zone->first,Pre) &&
	    zone->count == \at(zone->count,Pre);
	  loop invariant beside: apart_from_zone(pages, n, zone);
	  loop invariant pages: \forall integer k; 0 <= k < n ==>
	    pages[k] == \at(pages[k],Pre);
	  loop assigns i, twice, zone_state_since(zone, Pre);
	  loop variant n - i;
	*/
	for (uint64_t i = 0; i < n && twice == FH_NO_PAGE;) {
		if (n - i > BLOCK_LOOKAHEAD)
			fh_zone_prefetch(zone, pages[i + BLOCK_LOOKAHEAD]);
		struct fh_given given = give_next(zone, pages, n, i);

		twice = given.twice;
		i += given.count;
	}
	return twice;
}

/* The same with one lock. */
/*@
  requires zone_tables(zone) && apart_from_zone(pages, n, zone);
  requires n > 0 ==> \valid_read(pages + (0 .. n - 1));
  requires \forall integer k; 0 <= k < n ==> zone_has(zone, pages[k]);
  assigns zone_state(zone);
  exits \false;
*/
static void give_with_one_lock(struct fh_zone *zone, const uint64_t *pages,
			       uint64_t n)
{
	uint64_t saved = fh_zone_lock(zone);
	/*@ assert same: zone->first == \at(zone->first,Pre) &&
	      zone->count == \at(zone->count,Pre); */
	/*@ assert beside: apart_from_zone(pages, n, zone); */
	/*@ assert pages: \forall integer k; 0 <= k < n ==>
	      pages[k] == \at(pages[k],Pre); */
	uint64_t twice = give_all(zone, pages, n);

	fh_zone_unlock(zone, saved);
	fh_stop_if_twice(twice);
}

/*@
  requires zones_open && index < fh_layout.zone_count;
  requires apart_from_zones(pages + (0 .. n - 1));
  requires n > 0 ==> \valid_read(pages + (0 .. n - 1));
  requires \forall integer k; 0 <= k < n ==> page_of_zone(pages[k], index);
  assigns any_zone_state;
  exits \false;
  ensures open: zones_open;
*/
static void give_to_zone(uint64_t index, const uint64_t *pages, uint64_t n)
{
	/*@ ghost ghost_open_zone(index); */
	give_with_one_lock(&fh_zones[index], pages, n);
	/*@ assert firsts: firsts_same{Pre,Here}; */
	/*@ assert counts: counts_same{Pre,Here}; */
	/*@ assert tables: tables_same{Pre,Here}; */
	/*@ assert sections: by_section_same{Pre,Here}; */
	/*@ assert named: each_zone_named; */
	/*@ assert layout: layout_ok; */
}

/*@
  requires \valid_read(zone);
  requires n > 0 ==> \valid_read(pages + (0 .. n - 1));
  assigns \nothing;
  exits \false;
  ensures \result <==>
    \forall integer i; 0 <= i < n ==> zone_has(zone, pages[i]);
*/
static bool are_of_zone(const struct fh_zone *zone, const uint64_t *pages,
			uint64_t n)
{
	/*@
	  loop invariant 0 <= i <= n;
	  loop invariant \forall integer j; 0 <= j < i ==>
	    zone_has(zone, pages[j]);
	  loop assigns i;
	  loop variant n - i;
	*/
	for (uint64_t i = 0; i < n; i++)
		if (!fh_zone_has(zone, pages[i]))
			return false;
	return true;
}

/*@
  // Zone z's pages are those from end[z] on, up to the next zone's.
  predicate is_sorted{L}(struct fh_sorting *sorting, integer n) =
    sorting->end[0] == 0 &&
    (\forall integer z; 0 <= z < fh_layout.zone_count ==>
       sorting->end[z] <= n) &&
    (\forall integer z; 0 <= z < fh_layout.zone_count - 1 ==>
       sorting->end[z] <= sorting->end[z + 1]) &&
    (\forall integer z, integer k; 0 <= z < fh_layout.zone_count - 1 &&
       sorting->end[z] <= k < sorting->end[z + 1] ==>
         page_of_zone(sorting->pages[k], z)) &&
    \forall integer k;
      sorting->end[fh_layout.zone_count - 1] <= k < n ==>
        page_of_zone(sorting->pages[k], fh_layout.zone_count - 1);
*/

/*@
  requires zones_open && n <= FH_PAGES_AT_ONCE && fh_layout.zone_count > 0;
  requires \valid_read(sorting) && apart_from_zones(sorting);
  requires is_sorted(sorting, n);
  assigns any_zone_state;
  exits \false;
  ensures open: zones_open;
*/
static void give_sorted(const struct fh_sorting *sorting, uint64_t n)
{
	uint64_t begin = 0;

	/*@
	  loop invariant 0 <= zone <= fh_layout.zone_count;
	  loop invariant begin: begin == (zone < fh_layout.zone_count
	    ? sorting->end[zone] : n);
	  loop invariant open: zones_open;
	  loop invariant pages: \forall integer k; 0 <= k < FH_PAGES_AT_ONCE ==>
	    sorting->pages[k] == \at(sorting->pages[k],Pre);
	  loop invariant ends: \forall integer z; 0 <= z < FH_MAX_ZONES ==>
	    sorting->end[z] == \at(sorting->end[z],Pre);
	  loop assigns zone, begin, any_zone_state;
	  loop variant fh_layout.zone_count - zone;
	*/
	for (uint64_t zone = 0; zone < fh_layout.zone_count; zone++) {
		uint64_t end = zone + 1 < fh_layout.zone_count
				       ? sorting->end[zone + 1]
				       : n;

		/*@ assert order: begin <= end <= n; */
		/*@ assert inner: zone + 1 < fh_layout.zone_count ==>
		      \forall integer k; \at(sorting->end[\at(zone,Here)],Pre) <= k <
		        \at(sorting->end[\at(zone,Here) + 1],Pre) ==>
		        page_of_zone(\at(sorting->pages[k],Pre), zone); */
		/*@ assert last: zone + 1 == fh_layout.zone_count ==>
		      \forall integer k; \at(sorting->end[\at(zone,Here)],Pre) <= k <
		        n ==>
		        page_of_zone(\at(sorting->pages[k],Pre), zone); */
		/*@ assert begins: begin == \at(sorting->end[\at(zone,Here)],Pre); */
		/*@ assert ends: zone + 1 < fh_layout.zone_count ==>
		      end == \at(sorting->end[\at(zone,Here) + 1],Pre); */
		/*@ assert were: \forall integer k; begin <= k < end ==>
		      page_of_zone(\at(sorting->pages[k],Pre), zone); */
		/*@ assert pages: \forall integer k; begin <= k < end ==>
		      page_of_zone(sorting->pages[k], zone); */
		if (begin < end)
			give_to_zone(zone, sorting->pages + begin, end - begin);
		begin = end;
	}
}

/* n is FH_PAGES_AT_ONCE at most. */
/*@
  requires zones_open && 0 < n <= FH_PAGES_AT_ONCE;
  requires \valid_read(pages + (0 .. n - 1));
  requires apart_from_zones(pages + (0 .. n - 1));
  assigns any_zone_state;
  exits \false;
  ensures open: zones_open;
*/
static void give_some(const uint64_t *pages, uint64_t n)
{
	uint64_t first = fh_zone_of_given(pages[0]);
	struct fh_sorting sorting;

	if (are_of_zone(&fh_zones[first], pages, n)) {
		/*@ assert of_first: \forall integer k; 0 <= k < n ==>
		      page_of_zone(pages[k], first); */
		give_to_zone(first, pages, n);
		return;
	}
	/*@ assert lies: \forall integer p, integer z;
	      0 <= z < fh_layout.zone_count && lies_in_zone(p, z) ==>
	        page_of_zone(p, z); */
	fh_sort_by_zone(&sorting, pages, n);
	/*@ assert firsts: firsts_same{Pre,Here}; */
	/*@ assert counts: counts_same{Pre,Here}; */
	/*@ assert tables: tables_same{Pre,Here}; */
	/*@ assert sections: by_section_same{Pre,Here}; */
	/*@ assert named: each_zone_named; */
	/*@ assert layout: layout_ok; */
	/*@ assert sorted_inner: \forall integer z, integer k;
	      0 <= z < fh_layout.zone_count - 1 &&
	      sorting.end[z] <= k < sorting.end[z + 1] ==>
	        page_of_zone(sorting.pages[k], z); */
	/*@ assert sorted_last: \forall integer k;
	      sorting.end[fh_layout.zone_count - 1] <= k < n ==>
	        page_of_zone(sorting.pages[k], fh_layout.zone_count - 1); */
	/*@ assert sorted: is_sorted(&sorting, n); */
	give_sorted(&sorting, n);
}

/* How many of n pages are in the first one's row, if it is the zone's. */
/*@
  requires \valid_read(zone) && (n > 0 ==> \valid_read(pages + (0 .. n - 1)));
  assigns \nothing;
  exits \false;
  ensures row: \result <= n;
  ensures zone: \result > 0 ==> zone_has(zone, pages[0]) &&
    pages[0] % 64 + \result <= 64;
*/
static uint64_t row_of_zone(const struct fh_zone *zone, const uint64_t *pages,
			    uint64_t n)
{
	if (n == 0 || !fh_zone_has(zone, pages[0]))
		return 0;
	return count_row(pages, n);
}

/*
 * Gives rows of pages, the first of which is long, as long as they are and of
 * the zone, without a look at each page. Returns how many pages that were, and
 * which of them is free already. With the lock held.
 */
/*@
  requires zone_ok(zone) && n > 0 && \valid_read(pages + (0 .. n - 1));
  requires LONG_ROW <= row <= n && zone_has(zone, pages[0]);
  requires pages[0] % 64 + row <= 64;
  requires apart_from_zone(pages, n, zone);
  assigns zone_state(zone);
  exits \false;
  ensures ok: zone_ok(zone);
  ensures some: 0 < \result.count <= n;
*/
static struct fh_given give_all_rows(struct fh_zone *zone,
				     const uint64_t *pages, uint64_t n,
				     uint64_t row)
{
	uint64_t given = 0;
	uint64_t twice = FH_NO_PAGE;

	/*@
	  loop invariant 0 <= given <= n && row <= n - given;
	  loop invariant row: row > 0 ==> zone_has(zone, pages[given]) &&
	    pages[given] % 64 + row <= 64;
	  loop invariant ok: zone_ok(zone);
	  loop invariant same: zone->first == \at(zone->first,Pre) &&
	    zone->count == \at(zone->count,Pre);
	  loop invariant some: given == 0 ==>
	    row >= LONG_ROW && twice == FH_NO_PAGE;
	  loop assigns given, row, twice, zone_state_since(zone, Pre);
	  loop variant n - given;
	*/
	while (row >= LONG_ROW && twice == FH_NO_PAGE) {
		uint64_t bit = pages[given] % FH_WORD_BITS;
		/*@ ghost ghost_base(pages[given]); */

		twice = give_word(zone, (struct of_word){pages[given] - bit,
							 fh_bit_run(bit, row),
							 row, FH_NO_PAGE});
		given += row;
		row = row_of_zone(zone, pages + given, n - given);
	}
	return (struct fh_given){given, twice};
}

/* The same with one lock. */
/*@
  requires zone_tables(zone) && n > 0 && \valid_read(pages + (0 .. n - 1));
  requires LONG_ROW <= row <= n && zone_has(zone, pages[0]);
  requires pages[0] % 64 + row <= 64;
  requires apart_from_zone(pages, n, zone);
  assigns zone_state(zone);
  exits \false;
  ensures some: 0 < \result <= n;
*/
static uint64_t give_long_rows(struct fh_zone *zone, const uint64_t *pages,
			       uint64_t n, uint64_t row)
{
	uint64_t saved = fh_zone_lock(zone);
	/*@ assert same: zone->first == \at(zone->first,Pre) &&
	      zone->count == \at(zone->count,Pre); */
	/*@ assert beside: apart_from_zone(pages, n, zone); */
	/*@ assert pages: pages[0] == \at(pages[0],Pre); */
	struct fh_given given = give_all_rows(zone, pages, n, row);

	fh_zone_unlock(zone, saved);
	fh_stop_if_twice(given.twice);
	return given.count;
}

/* Gives as many of the pages as are in long rows and of the first one's zone.*/
/*@
  requires zones_open && n > 0 && \valid_read(pages + (0 .. n - 1));
  requires apart_from_zones(pages + (0 .. n - 1));
  requires LONG_ROW <= row <= n && pages[0] % 64 + row <= 64;
  assigns any_zone_state;
  exits \false;
  ensures some: 0 < \result <= n;
  ensures open: zones_open;
*/
static uint64_t give_rows(const uint64_t *pages, uint64_t n, uint64_t row)
{
	uint64_t index = fh_zone_of_given(pages[0]);
	/*@ ghost ghost_open_zone(index); */
	uint64_t given = give_long_rows(&fh_zones[index], pages, n, row);
	/*@ assert firsts: firsts_same{Pre,Here}; */
	/*@ assert counts: counts_same{Pre,Here}; */
	/*@ assert tables: tables_same{Pre,Here}; */
	/*@ assert sections: by_section_same{Pre,Here}; */
	/*@ assert named: each_zone_named; */
	/*@ assert layout: layout_ok; */
	return given;
}

void fh_supply_give_pages(const uint64_t *pages, uint64_t n)
{
	/*@
	  loop invariant 0 <= n <= \at(n,Pre);
	  loop invariant pages == \at(pages,Pre) + (\at(n,Pre) - n);
	  loop invariant open: zones_open;
	  loop assigns pages, n, any_zone_state;
	  loop variant n;
	*/
	while (n > 0) {
		uint64_t part = n < FH_PAGES_AT_ONCE ? n : FH_PAGES_AT_ONCE;
		uint64_t row = count_row(pages, part);

		if (row >= LONG_ROW)
			part = give_rows(pages, n, row);
		else
			give_some(pages, part);
		pages += part;
		n -= part;
	}
}
