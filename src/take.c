/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pages out of a zone: requests are cut into whole blocks, which runs have, and
 * pieces of blocks, which are parts.
 */
#include "parts.h"

/* The count follows what was taken. */
/*@
  requires zone_sound(zone);
  requires zone->free == free_pages(zone, zone->count) + n;
  assigns zone->free;
  exits \false;
  ensures ok: zone_ok(zone);
  ensures same: pages_taken{Pre,Post}(zone, 0, 0);
  ensures touched: were_touched{Pre,Post}(zone, 0, 0);
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures free: zone->free == \old(zone->free) - n;
*/
static void count_taken(struct fh_zone *zone, uint64_t n)
{
	/*@ ghost ghost_free_pages(zone); */
	/*@ ghost ghost_zone_apart(zone); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert nexts: nexts_but(zone, zone->count); */
	/*@ assert nexts_back: nexts_back_but(zone, zone->count); */
	/*@ assert previouses: previouses_but(zone, zone->count); */
	/*@ assert previouses_back: previouses_back_but(zone, zone->count); */
	/*@ assert firsts: firsts_but(zone, zone->count); */
	/*@ assert heads: heads_but(zone, zone->count); */
	/*@ assert filled: filled_fits(zone); */
	/*@ assert fit: runs_fit(zone) && runs_apart(zone); */
	/*@ assert aligned: runs_aligned(zone); */
	/*@ assert in_runs: touched_in_runs_but(zone, 0, 0); */
	/*@ assert parts: parts_fit(zone); */
	fh_zone_sub_free(zone, n);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert filled: zone->filled == \at(zone->filled,Pre); */
	/*@ assert bits: words_kept_but{Pre,Here}(zone, zone->count); */
	/*@ assert words: \forall integer w; 0 <= w <= (zone->count - 1) / 64 ==>
	  zone->touched[w] == \at(zone->touched[w],Pre); */
	/*@ assert touched: were_touched{Pre,Here}(zone, 0, 0); */
	/*@ assert touches: touches_kept_but{Pre,Here}(zone, zone->count); */
	/*@ assert nexts: nexts_but(zone, zone->count); */
	/*@ assert nexts_back: nexts_back_but(zone, zone->count); */
	/*@ assert previouses: previouses_but(zone, zone->count); */
	/*@ assert previouses_back: previouses_back_but(zone, zone->count); */
	/*@ assert firsts: firsts_but(zone, zone->count); */
	/*@ assert heads: heads_but(zone, zone->count); */
	/*@ assert filled: filled_fits(zone); */
	/*@ assert chains: chains_ok(zone); */
	/*@ assert fit: runs_fit(zone); */
	/*@ assert apart: runs_apart(zone); */
	/*@ assert aligned: runs_aligned(zone); */
	/*@ assert kept: \forall integer b; 0 <= b < zone->count ==>
	  block_kept{Pre,Here}(&zone->blocks[b]); */
	/*@ assert blocks: \forall integer b; 0 <= b < zone->count &&
	  block_kept{Pre,Here}(&zone->blocks[b]) &&
	  block_ok{Pre}(&zone->blocks[b]) ==> block_ok(&zone->blocks[b]); */
	/*@ assert blocks: blocks_ok(zone); */
	/*@ assert runs: \forall integer h, integer b;
	  in_run(zone, h, b) <==> in_run{Pre}(zone, h, b); */
	/*@ assert runs: \forall integer h, integer b; in_run(zone, h, b) ==>
	  0 <= b < zone->count; */
	/*@ assert runs: runs_touched(zone); */
	/*@ assert in_runs: \forall integer b; 0 <= b < zone->count &&
	  is_touched(zone, b) && is_whole(zone, b) ==>
	    \exists integer head; in_run{Pre}(zone, head, b); */
	/*@ assert in_runs: touched_in_runs_but(zone, 0, 0); */
	/*@ assert runs: runs_ok(zone); */
	/*@ assert bits: bits_fit(zone); */
	/*@ assert parts: parts_fit(zone); */
	/*@ assert sound: zone_sound(zone); */
	/*@ ghost ghost_free_in_block(zone); */
	/*@ assert counts: \forall integer b; 0 <= b < zone->count ==>
	  free_in_block(zone, b) == free_in_block{Pre}(zone, b); */
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

/* A block whose bits are all ones has the order of a run. */
/*@ ghost
  /@
    requires \valid_read(block) && block_ok(block);
    requires block_ones(block, 0, 512);
    assigns \nothing;
    exits \false;
    ensures block_order_is(&block->word_order[0], 10);
  @/
  void ghost_full_block(const struct fh_block *block)
  {
    /@ assert \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
      has_bit(block->bits[w], i); @/
    /@ assert \forall integer w; 0 <= w < 8 ==>
      word_run(block->bits[w], 0, 6); @/
    /@ assert \forall integer w; 0 <= w < 8 ==>
      has_run(block->bits[w], 6); @/
    /@ assert \forall integer w; 0 <= w < 8 ==>
      word_order_is(block->bits[w], block->word_order[w]); @/
    /@ assert \forall integer w; 0 <= w < 8 ==> block->word_order[w] == 7; @/
    /@ assert full_words(&block->word_order[0], 0, 8); @/
    /@ assert full_words(&block->word_order[0], 0, 4); @/
    /@ assert full_words(&block->word_order[0], 0, 2); @/
    /@ assert full_group(&block->word_order[0], 4); @/
    /@ assert full_group(&block->word_order[0], 2); @/
  }
*/

/* A block with bits that has a run of that order. */
/*@
  requires zone_sound(zone) && 1 <= best <= FH_ORDER_LAST;
  requires has_bit(zone->filled, best);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures unsettled: zone_unsettled(zone, \result);
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures free: zone->free == \old(zone->free);
  ensures bits: settled_bits{Post,Pre}(zone, \result);
  ensures counts: settled_counts{Post,Pre}(zone, \result);
  ensures part: best < 10 ==>
    block_order_is(&zone->blocks[\result].word_order[0], best);
  ensures whole: best >= 10 ==>
    block_order_is(&zone->blocks[\result].word_order[0], 10);
*/
static uint64_t open_best(struct fh_zone *zone, unsigned best)
{
	if (best < FH_ORDER_BLOCK) {
		/*@ assert part: !is_whole(zone, zone->heads[best]); */
		/*@ ghost ghost_part(zone, zone->heads[best]); */
		return zone->heads[best];
	}
	uint64_t block = fh_part_open(zone);
	/*@ assert blocks: blocks_ok(zone) && block < zone->count; */
	/*@ assert here: block_ok(&zone->blocks[block]); */
	/*@ assert here: \valid(&zone->blocks[block]); */
	/*@ assert full: block_ones(&zone->blocks[block], 0, 512); */
	/*@ ghost ghost_full_block(&zone->blocks[block]); */
	return block;
}

/* A run in a block lies at a multiple of its pages. */
/*@ ghost
  /@
    requires 1 <= order < 10 && run_begins(offset, order - 1);
    requires number <= UINT64_MAX / 512 - 1 && offset < 512;
    assigns \nothing;
    exits \false;
    ensures (number * 512 + offset) % run_pages(order - 1) == 0;
  @/
  void ghost_offset_at(uint64_t number, uint64_t offset, unsigned order)
  {
    /@ assert order == 2 ==> (number * 512 + offset) % 2 == 0; @/
    /@ assert order == 3 ==> (number * 512 + offset) % 4 == 0; @/
    /@ assert order == 4 ==> (number * 512 + offset) % 8 == 0; @/
    /@ assert order == 5 ==> (number * 512 + offset) % 16 == 0; @/
    /@ assert order == 6 ==> (number * 512 + offset) % 32 == 0; @/
    /@ assert order == 7 ==> (number * 512 + offset) % 64 == 0; @/
    /@ assert order == 8 ==> (number * 512 + offset) % 128 == 0; @/
    /@ assert order == 9 ==> (number * 512 + offset) % 256 == 0; @/
  }
*/

/* n pages of one block, at the start of a run; best is the order to use. */
/*@
  requires zone_sound(zone) && 1 <= order < 10;
  requires order <= best <= FH_ORDER_LAST && has_bit(zone->filled, best);
  requires 0 < n <= run_pages(order - 1);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures sound: zone_sound(zone);
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures free: zone->free == \old(zone->free);
  ensures inside: zone->first * 512 <= \result &&
    \result + n <= (zone->first + zone->count) * 512;
  ensures aligned: \result % run_pages(order - 1) == 0;
  ensures were: pages_free{Pre}(zone, \result, n);
  ensures taken: pages_taken{Pre,Post}(zone, \result, n);
  ensures pages: free_pages(zone, zone->count) ==
    free_pages{Pre}(zone, zone->count) - n;
*/
static uint64_t take_in_block(struct fh_zone *zone, uint64_t n, unsigned order,
			      unsigned best)
{
	/*@ ghost ghost_zone_apart(zone); */
	uint64_t block = open_best(zone, best);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
	/*@ assert part: best < 10 ==> order <= best <= 10 &&
	  block_order_is(&zone->blocks[block].word_order[0], best); */
	/*@ assert whole: best >= 10 ==> order <= 10 &&
	  block_order_is(&zone->blocks[block].word_order[0], 10); */
	/*@ assert tables: zone_tables(zone) && block < zone->count; */
	/*@ assert here: \valid(&zone->blocks[block]); */
	/*@ assert blocks: blocks_ok(zone); */
	/*@ assert here: block_ok(&zone->blocks[block]); */
	uint64_t offset = fh_block_find(&zone->blocks[block], order);

	/*@ assert among: \forall integer w, integer i;
	  is_among(w, i, offset, n) ==>
	    is_among(w, i, offset, run_pages(order - 1)); */
	/*@ assert ones: block_ones(&zone->blocks[block], offset, n); */
	/*@ ghost ghost_offset_at(zone->first + block, offset, order); */
	/*@ assert first: zone->first == \at(zone->first,Pre); */
	/*@ assert were: \forall integer w, integer i; 0 <= w < 8 &&
	  0 <= i < 64 && is_among(w, i, offset, n) ==>
	    bit_free{Pre}(zone, block, w, i); */
	/*@ assert among: \forall integer b, integer w, integer i;
	  0 <= b && 0 <= w < 8 && 0 <= i < 64 ==>
	  (bit_among{Pre}(zone, b, w, i,
	    (zone->first + block) * 512 + offset, n) <==>
	      b == block && is_among(w, i, offset, n)); */
	/*@ assert were: pages_free{Pre}(zone,
	  (zone->first + block) * 512 + offset, n); */
	fh_part_take_opened(zone, block, offset, n);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
	/*@ assert others: \forall integer b, integer w, integer i;
	  0 <= b < zone->count && b != block && 0 <= w < 8 && 0 <= i < 64 ==>
	    (bit_free(zone, b, w, i) <==> bit_free{Pre}(zone, b, w, i)); */
	/*@ assert this: \forall integer w, integer i;
	  0 <= w < 8 && 0 <= i < 64 ==>
	    (bit_free(zone, block, w, i) <==>
	       bit_free{Pre}(zone, block, w, i) &&
	       !is_among(w, i, offset, n)); */
	/*@ assert first: zone->first == \at(zone->first,Pre) &&
	  zone->count == \at(zone->count,Pre); */
	/*@ assert taken: pages_taken{Pre,Here}(zone,
	  (zone->first + block) * 512 + offset, n); */
	/*@ assert counts: \forall integer b; 0 <= b < zone->count ==>
	  free_in_block(zone, b) == free_in_block{Pre}(zone, b) -
	    (b == block ? n : 0); */
	/*@ ghost
	  /@
	    loop invariant 0 <= k <= zone->count;
	    loop invariant free_pages(zone, k) == free_pages{Pre}(zone, k) -
	      (k > block ? n : 0);
	    loop assigns k;
	    loop variant zone->count - k;
	  @/
	  for (uint64_t k = 0; k < zone->count; k++)
	    ;
	*/
	return fh_zone_page(zone, block) + offset;
}

/* A run of whole blocks lies at a multiple of its pages, too. */
/*@ ghost
  /@
    requires 10 <= order <= FH_ORDER_LAST && run_at(number, order);
    requires number <= UINT64_MAX / 512;
    assigns \nothing;
    exits \false;
    ensures (number * 512) % order_pages(order) == 0;
  @/
  void ghost_pages_at(uint64_t number, unsigned order)
  {
    /@ assert order == 10 ==> (number * 512) % 512 == 0; @/
    /@ assert order == 11 ==> (number * 512) % 1024 == 0; @/
    /@ assert order == 12 ==> (number * 512) % 2048 == 0; @/
    /@ assert order == 13 ==> (number * 512) % 4096 == 0; @/
    /@ assert order == 14 ==> (number * 512) % 8192 == 0; @/
    /@ assert order == 15 ==> (number * 512) % 16384 == 0; @/
    /@ assert order == 16 ==> (number * 512) % 32768 == 0; @/
    /@ assert order == 17 ==> (number * 512) % 65536 == 0; @/
    /@ assert order == 18 ==> (number * 512) % 131072 == 0; @/
    /@ assert order == 19 ==> (number * 512) % 262144 == 0; @/
  }
*/

/* n pages from the start of a run of whole blocks; the rest stays free. */
/*@
  requires zone_sound(zone) && 10 <= order <= FH_ORDER_LAST;
  requires \exists integer o; order <= o <= FH_ORDER_LAST &&
    has_bit(zone->filled, o);
  requires 0 < n <= 512 * run_size(order);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures sound: zone_sound(zone);
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures free: zone->free == \old(zone->free);
  ensures inside: zone->first * 512 <= \result &&
    \result + n <= (zone->first + zone->count) * 512;
  ensures aligned: \result % order_pages(order) == 0;
  ensures were: pages_free{Pre}(zone, \result, n);
  ensures taken: pages_taken{Pre,Post}(zone, \result, n);
  ensures pages: free_pages(zone, zone->count) ==
    free_pages{Pre}(zone, zone->count) - n;
*/
static uint64_t take_blocks(struct fh_zone *zone, uint64_t n, unsigned order)
{
	uint64_t size = fh_run_blocks(order);
	uint64_t whole = n / FH_BLOCK_PAGES;
	uint64_t rest = n % FH_BLOCK_PAGES;
	/*@ ghost ghost_zone_apart(zone); */
	uint64_t block = fh_whole_take(zone, order);
	/*@ assert at: run_at(zone->first + block, order); */
	/*@ ghost uint64_t number = zone->first + block; */
	/*@ assert number: number == zone->first + block; */
	/*@ assert at: run_at(number, order); */
	/*@ assert number: number <= UINT64_MAX / 512; */
	/*@ ghost ghost_pages_at(number, order); */
	/*@ assert aligned: (number * 512) % order_pages(order) == 0; */

	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
	/*@ assert parts: n == 512 * whole + rest && whole <= size; */
	/*@ assert were: pages_free{Pre}(zone, (zone->first + block) * 512, n); */
	/*@ assert begins: run_can_begin(zone, block + whole); */
	/*@ assert untouched: \forall integer b;
	  block + whole <= b < block + size ==> !is_touched(zone, b); */
	/*@ assert run: pages_free{Pre}(zone, (zone->first + block) * 512,
	  512 * size); */
	/*@ assert split: \forall integer b, integer w, integer i;
	  bit_among{Pre}(zone, b, w, i, (zone->first + block) * 512,
	                 512 * size) <==>
	    bit_among{Pre}(zone, b, w, i, (zone->first + block) * 512,
	                   512 * whole) ||
	    bit_among{Pre}(zone, b, w, i,
	                   (zone->first + (block + whole)) * 512,
	                   512 * (size - whole)); */
	fh_whole_give(zone, block + whole, size - whole);
	/*@ assert first: zone->first == \at(zone->first,Pre) &&
	  zone->count == \at(zone->count,Pre); */
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
	/*@ assert taken: pages_taken{Pre,Here}(zone,
	  (zone->first + block) * 512, 512 * whole); */
	if (rest > 0) {
		/*@ assert free: part_free(zone, block + whole, 0, rest); */
		/*@ assert among: \forall integer b, integer w, integer i;
		  bit_among(zone, b, w, i, (zone->first + block) * 512, n) <==>
		    bit_among(zone, b, w, i, (zone->first + block) * 512,
		              512 * whole) ||
		    bit_among(zone, b, w, i,
		              (zone->first + block + whole) * 512, rest); */
		fh_part_take(zone, block + whole, 0, rest);
		/*@ assert first: zone->first == \at(zone->first,Pre) &&
		  zone->count == \at(zone->count,Pre); */
		/*@ assert taken: pages_taken{Pre,Here}(zone,
		  (zone->first + block) * 512, n); */
	}
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
	/*@ assert taken: pages_taken{Pre,Here}(zone,
	  (zone->first + block) * 512, n); */
	/*@ assert page: (zone->first + block) * 512 == number * 512; */
	/*@ assert aligned: (number * 512) % order_pages(order) == 0; */
	/*@ assert aligned: ((zone->first + block) * 512) %
	  order_pages(order) == 0; */
	return fh_zone_page(zone, block);
}

uint64_t fh_zone_take(struct fh_zone *zone, uint64_t n, unsigned order,
		      unsigned most)
{
	/*@ ghost ghost_each(zone->count); */
	unsigned best = fh_chain_best(zone, order);

	/*@ assert found: has_run_of(zone, order, most) <==>
	  best != 0 && best <= most; */
	if (best == 0 || best > most)
		return FH_NO_PAGE;
	/*@ assert ok: zone->free == free_pages(zone, zone->count); */
	uint64_t page = order < FH_ORDER_BLOCK
				? take_in_block(zone, n, order, best)
				: take_blocks(zone, n, order);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
	/*@ assert pages: free_pages(zone, zone->count) ==
	  free_pages{Pre}(zone, zone->count) - n; */
	/*@ assert counted: zone->free == free_pages(zone, zone->count) + n; */
	/*@ assert were: pages_free{Pre}(zone, page, n); */
	/*@ assert taken: pages_taken{Pre,Here}(zone, page, n); */
	count_taken(zone, n);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert taken: pages_taken{Pre,Here}(zone, page, n); */
	return page;
}

/* A block whose pages are all free is in a run: its bits would make it one. */
/*@ ghost
  /@
    requires zone_sound(zone);
    assigns \nothing;
    exits \false;
    ensures \forall integer b; 0 <= b < zone->count &&
      (\forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
         bit_free(zone, b, w, i)) ==> is_whole(zone, b) && is_touched(zone, b);
  @/
  void ghost_full_is_whole(struct fh_zone *zone)
  {
    /@ assert \forall integer b, integer w; 0 <= b < zone->count &&
      0 <= w < 8 && (\forall integer i; 0 <= i < 64 ==>
        has_bit(zone->blocks[b].bits[w], i)) ==>
          word_run(zone->blocks[b].bits[w], 0, 6); @/
    /@ assert \forall integer b, integer w; 0 <= b < zone->count &&
      0 <= w < 8 && (\forall integer i; 0 <= i < 64 ==>
        has_bit(zone->blocks[b].bits[w], i)) ==>
          has_run(zone->blocks[b].bits[w], 6); @/
    /@ assert \forall integer b, integer w; 0 <= b < zone->count &&
      0 <= w < 8 ==> word_order_is(zone->blocks[b].bits[w],
                                   zone->blocks[b].word_order[w]); @/
    /@ assert \forall integer b, integer w; 0 <= b < zone->count &&
      0 <= w < 8 && has_run(zone->blocks[b].bits[w], 6) ==>
          zone->blocks[b].word_order[w] == 7; @/
    /@ assert \forall integer b; 0 <= b < zone->count && !is_whole(zone, b) ==>
      !full_words(&zone->blocks[b].word_order[0], 0, 8); @/
    /@ assert \forall integer b; 0 <= b < zone->count && !is_whole(zone, b) ==>
      \exists integer w; 0 <= w < 8 && zone->blocks[b].word_order[w] != 7; @/
    /@ assert \forall integer b; 0 <= b < zone->count && !is_whole(zone, b) ==>
      \exists integer w, integer i; 0 <= w < 8 && 0 <= i < 64 &&
        !has_bit(zone->blocks[b].bits[w], i); @/
    /@ assert \forall integer b, integer w, integer i; 0 <= b < zone->count &&
      !is_whole(zone, b) && 0 <= w < 8 && 0 <= i < 64 &&
      bit_free(zone, b, w, i) ==> has_bit(zone->blocks[b].bits[w], i); @/
    /@ assert \forall integer b; 0 <= b < zone->count &&
      !is_touched(zone, b) ==> !bit_free(zone, b, 0, 0); @/
  }
*/

/*
 * Pages from `first` on, all free: whole blocks, or else those up to the end
 * of their block. Returns how many, at most n.
 */
/*@
  requires zone_sound(zone) && zone->first * 512 <= first && n > 0;
  requires first + n <= (zone->first + zone->count) * 512;
  requires pages_free(zone, first, n);
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures sound: zone_sound(zone);
  ensures tables: tables_kept{Pre,Post}(zone);
  ensures free: zone->free == \old(zone->free);
  ensures some: 0 < \result <= n;
  ensures taken: pages_taken{Pre,Post}(zone, first, \result);
  ensures pages: free_pages(zone, zone->count) ==
    free_pages{Pre}(zone, zone->count) - \result;
*/
static uint64_t take_piece(struct fh_zone *zone, uint64_t first, uint64_t n)
{
	uint64_t part = fh_pages_in_block(first, n);
	uint64_t block = fh_zone_block(zone, first);

	/*@ ghost ghost_zone_apart(zone); */
	/*@ assert at: (zone->first + block) * 512 + first % 512 == first; */
	/*@ assert has: block < zone->count; */
	if (part < FH_BLOCK_PAGES) {
		/*@ assert free: part_free(zone, block, first % 512, part); */
		fh_part_take(zone, block, first % FH_BLOCK_PAGES, part);
		/*@ assert tables: tables_kept{Pre,Here}(zone); */
		/*@ assert free: zone->free == \at(zone->free,Pre); */
		return part;
	}
	uint64_t blocks = n / FH_BLOCK_PAGES;
	/*@ assert at: first == (zone->first + block) * 512; */
	/*@ assert some: 0 < 512 * blocks <= n; */
	/*@ assert has: block + blocks <= zone->count; */
	/*@ assert full: \forall integer b, integer w, integer i;
	  block <= b < block + blocks && 0 <= w < 8 && 0 <= i < 64 ==>
	    bit_free(zone, b, w, i); */
	/*@ ghost ghost_full_is_whole(zone); */
	/*@ assert all: all_free(zone, block, blocks); */
	fh_whole_take_exact(zone, block, blocks);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert free: zone->free == \at(zone->free,Pre); */
	return blocks * FH_BLOCK_PAGES;
}

void fh_zone_take_exact(struct fh_zone *zone, uint64_t first, uint64_t n)
{
	uint64_t taken = 0;
	/*@ ghost ghost_each(zone->count); */

	/*@
	  loop invariant 0 <= taken <= n;
	  loop invariant sound: zone_sound(zone);
	  loop invariant tables: tables_kept{Pre,Here}(zone);
	  loop invariant free: zone->free == \at(zone->free,Pre);
	  loop invariant were: pages_free(zone, first + taken, n - taken);
	  loop invariant taken: pages_taken{Pre,Here}(zone, first, taken);
	  loop invariant pages: free_pages(zone, zone->count) ==
	    free_pages{Pre}(zone, zone->count) - taken;
	  loop assigns taken, zone->filled, zone->heads[1 .. FH_ORDER_LAST],
	    zone->blocks[0 .. \at(zone->count,Pre) - 1],
	    zone->blocks[0 .. \at(zone->count,Pre) - 1].previous,
	    zone->blocks[0 .. \at(zone->count,Pre) - 1].next,
	    zone->blocks[0 .. \at(zone->count,Pre) - 1].order,
	    zone->touched[0 .. (\at(zone->count,Pre) - 1) / 64];
	  loop variant n - taken;
	*/
	while (taken < n) {
		uint64_t piece = take_piece(zone, first + taken, n - taken);

		/*@ assert first: zone->first == \at(zone->first,Pre) &&
		  zone->count == \at(zone->count,Pre); */
		/*@ assert left: \forall integer b, integer w, integer i;
		  0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 &&
		  bit_among(zone, b, w, i, first + taken + piece,
		            n - taken - piece) ==>
		    bit_free{LoopCurrent}(zone, b, w, i) &&
		    !bit_among{LoopCurrent}(zone, b, w, i, first + taken,
		                            piece); */
		/*@ assert left: pages_free(zone, first + taken + piece,
		  n - taken - piece); */
		taken += piece;
	}
	/*@ assert taken: pages_taken{Pre,Here}(zone, first, n); */
	count_taken(zone, n);
	/*@ assert tables: tables_kept{Pre,Here}(zone); */
	/*@ assert taken: pages_taken{Pre,Here}(zone, first, n); */
}

uint64_t fh_zone_take_words(struct fh_zone *zone, uint64_t want, unsigned most,
			    struct fh_taken *taken, uint64_t room)
{
	uint64_t words = 0;
	uint64_t pages = 0;

	while (pages < want && words < room) {
		unsigned best = fh_chain_best(zone, 1);

		if (best == 0 || best > most)
			break;
		uint64_t block = open_best(zone, best);
		const struct fh_block *b = &zone->blocks[block];
		while (b->free > 0 && pages < want && words < room) {
			taken[words] =
				fh_part_take_word(zone, block, want - pages);
			pages += taken[words].count;
			words++;
		}
		fh_part_settle(zone, block);
	}
	count_taken(zone, pages);
	return words;
}
