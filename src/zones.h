/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Zones: a contiguous piece of memory, its blocks, and one lock for them. A
 * zone knows free pages only; who has the others, or whether there is memory
 * at all, it does not know.
 *
 *     page      first * 512                      (first + count) * 512
 *     blocks    [ 0 ][ 1 ][ 2 ] ...                      [ count - 1 ]
 *     touched     0    1    1 ...    1: some page of the block is free
 *
 * Every block whose order is not 0 is in the chain of that order, doubly
 * linked by indexes. The smallest chain that is large enough is taken from:
 * best fit.
 *
 * Invariants, which the audit checks by these names:
 *   counts   block.free is the number of its ones; zone.free that of all free
 *            pages
 *   orders   word_order and order say what the bits say; a block with order 0
 *            or FH_ORDER_BLOCK and more has no ones
 *   chains   exactly the blocks of an order are in its chain, and neighbours
 *            name each other
 *   runs     the head of a run lies at a multiple of the run's size, counted
 *            in blocks from page 0; its other blocks have order 0; a run's
 *            buddy is not a free run of the same size in the same zone
 *   touched  set for the blocks of order 1 .. 9 and for all blocks of runs
 *
 * Blocks are named by their index in the zone. Every function here is called
 * with the zone's lock held, except where its comment says so.
 */
#ifndef FRAMEHOLD_SRC_ZONES_H
#define FRAMEHOLD_SRC_ZONES_H

#include "block.h"
#include "lock.h"

/* No block, no page. */
#define FH_NO_BLOCK UINT32_MAX
#define FH_NO_PAGE  UINT64_MAX

struct fh_zone {
	struct fh_lock lock;
	uint64_t free; /* pages; read by others without the lock: atomic */
	struct fh_block *blocks;
	uint64_t *touched;
	uint64_t first; /* the number of its first block: page / 512 */
	uint64_t count;
	uint64_t filled; /* bit o: the chain of order o has a block; atomic */
	uint32_t heads[FH_ORDERS]; /* of the chains, by order */

	/* Constant while memory is up. */
	uint64_t pages;   /* that may become free; atomic: more may be added */
	uint64_t reserve; /* free pages that only urgent requests may take */
	uint64_t node;
};

/*@
  predicate zone_has{L}(struct fh_zone *zone, integer page) =
    zone->first <= page / 512 < zone->first + zone->count;

  // Its tables are there, apart from each other, and page numbers do not
  // overflow.
  predicate zone_tables{L}(struct fh_zone *zone) =
    \valid(zone) && 0 < zone->count < FH_NO_BLOCK &&
    zone->first + zone->count <= FH_PAGE_NUMBER_END / 512 &&
    \valid(zone->blocks + (0 .. zone->count - 1)) &&
    \valid(zone->touched + (0 .. (zone->count - 1) / 64)) &&
    \separated(zone, zone->blocks + (0 .. zone->count - 1),
               zone->touched + (0 .. (zone->count - 1) / 64));

  // Neighbours in chains are of one order and name each other. Block x, which
  // may be none, is in no chain.
  predicate nexts_but{L}(struct fh_zone *zone, integer x) =
    \forall integer b; 0 <= b < zone->count && b != x &&
      zone->blocks[b].order != 0 && zone->blocks[b].next != FH_NO_BLOCK ==>
        zone->blocks[b].next < zone->count &&
        zone->blocks[b].next != x &&
        zone->blocks[zone->blocks[b].next].order == zone->blocks[b].order;

  predicate nexts_back_but{L}(struct fh_zone *zone, integer x) =
    \forall integer b; 0 <= b < zone->count && b != x &&
      zone->blocks[b].order != 0 && zone->blocks[b].next != FH_NO_BLOCK ==>
        zone->blocks[zone->blocks[b].next].previous == b;

  predicate previouses_but{L}(struct fh_zone *zone, integer x) =
    \forall integer b; 0 <= b < zone->count && b != x &&
      zone->blocks[b].order != 0 && zone->blocks[b].previous != FH_NO_BLOCK ==>
        zone->blocks[b].previous < zone->count &&
        zone->blocks[b].previous != x &&
        zone->blocks[zone->blocks[b].previous].order ==
          zone->blocks[b].order;

  predicate previouses_back_but{L}(struct fh_zone *zone, integer x) =
    \forall integer b; 0 <= b < zone->count && b != x &&
      zone->blocks[b].order != 0 && zone->blocks[b].previous != FH_NO_BLOCK ==>
        zone->blocks[zone->blocks[b].previous].next == b;

  // A block without a previous one is its chain's head.
  predicate firsts_but{L}(struct fh_zone *zone, integer x) =
    \forall integer b; 0 <= b < zone->count && b != x &&
      zone->blocks[b].order != 0 && zone->blocks[b].previous == FH_NO_BLOCK ==>
        zone->heads[zone->blocks[b].order] == b;

  predicate heads_but{L}(struct fh_zone *zone, integer x) =
    \forall integer o; 1 <= o <= FH_ORDER_LAST &&
      zone->heads[o] != FH_NO_BLOCK ==>
        zone->heads[o] < zone->count && zone->heads[o] != x &&
        zone->blocks[zone->heads[o]].order == o &&
        zone->blocks[zone->heads[o]].previous == FH_NO_BLOCK;

  predicate orders_fit{L}(struct fh_zone *zone) =
    \forall integer b; 0 <= b < zone->count ==>
      zone->blocks[b].order <= FH_ORDER_LAST;

  // Bit o: the chain of order o has a block.
  predicate filled_fits{L}(struct fh_zone *zone) =
    \forall integer o; 0 <= o < 64 ==>
      (has_bit(zone->filled, o) <==>
         1 <= o <= FH_ORDER_LAST && zone->heads[o] != FH_NO_BLOCK);

  predicate links_but{L}(struct fh_zone *zone, integer x) =
    nexts_but(zone, x) && nexts_back_but(zone, x) &&
    previouses_but(zone, x) && previouses_back_but(zone, x) &&
    firsts_but(zone, x) && heads_but(zone, x) && orders_fit(zone);

  predicate chains_ok{L}(struct fh_zone *zone) =
    links_but(zone, zone->count) && filled_fits(zone);

  logic integer run_size(integer order) =
    order == 10 ? 1 : order == 11 ? 2 : order == 12 ? 4 : order == 13 ? 8 :
    order == 14 ? 16 : order == 15 ? 32 : order == 16 ? 64 :
    order == 17 ? 128 : order == 18 ? 256 : 512;

  // Runs end in the zone, and no other block of a run has an order.
  predicate runs_fit{L}(struct fh_zone *zone) =
    \forall integer b; 0 <= b < zone->count && zone->blocks[b].order >= 10 ==>
      b + run_size(zone->blocks[b].order) <= zone->count;

  predicate runs_apart{L}(struct fh_zone *zone) =
    \forall integer b, integer c; 0 <= b < c < zone->count &&
      zone->blocks[b].order >= 10 &&
      c < b + run_size(zone->blocks[b].order) ==>
        zone->blocks[c].order == 0;

  predicate no_orders{L}(struct fh_zone *zone, integer first, integer n) =
    \forall integer b; first <= b < first + n ==> zone->blocks[b].order == 0;

  // No run that begins before the block goes on in it.
  predicate run_can_begin{L}(struct fh_zone *zone, integer block) =
    \forall integer b; 0 <= b < block && zone->blocks[b].order >= 10 ==>
      b + run_size(zone->blocks[b].order) <= block;

  // The number is a multiple of run_size(order).
  predicate run_at(integer number, integer order) =
    (order == 11 ==> number % 2 == 0) && (order == 12 ==> number % 4 == 0) &&
    (order == 13 ==> number % 8 == 0) && (order == 14 ==> number % 16 == 0) &&
    (order == 15 ==> number % 32 == 0) &&
    (order == 16 ==> number % 64 == 0) &&
    (order == 17 ==> number % 128 == 0) &&
    (order == 18 ==> number % 256 == 0) &&
    (order == 19 ==> number % 512 == 0);

  // Runs lie at multiples of their size, counted from page 0.
  predicate heads_at{L}(struct fh_block *blocks, integer count,
                        integer first) =
    \forall integer b; 0 <= b < count && blocks[b].order >= 10 ==>
      run_at(first + b, blocks[b].order);

  predicate runs_aligned{L}(struct fh_zone *zone) =
    heads_at(zone->blocks, zone->count, zone->first);

  // The block is one of the run that begins with block head.
  predicate in_run{L}(struct fh_zone *zone, integer head, integer block) =
    0 <= head < zone->count && zone->blocks[head].order >= 10 &&
    head <= block < head + run_size(zone->blocks[head].order);

  // All of the block's pages are free, or none is.
  predicate is_whole{L}(struct fh_zone *zone, integer block) =
    zone->blocks[block].order == 0 || zone->blocks[block].order >= 10;

  // Blocks that are free in part stay so, and in their chains; no others
  // become so.
  predicate parts_kept{A,B}(struct fh_zone *zone) =
    \forall integer b; 0 <= b < \at(zone->count,A) ==>
      (is_whole{A}(zone, b) <==> is_whole{B}(zone, b)) &&
      (!is_whole{A}(zone, b) ==>
         \at(zone->blocks[b].order,A) == \at(zone->blocks[b].order,B));

  predicate is_touched{L}(struct fh_zone *zone, integer block) =
    has_bit(zone->touched[block / 64], block % 64);

  // Blocks first .. first+n-1 became touched, or untouched, and no others.
  predicate were_touched{A,B}(struct fh_zone *zone, integer first, integer n) =
    \forall integer b; 0 <= b < \at(zone->count,A) ==>
      (is_touched{B}(zone, b) <==>
         is_touched{A}(zone, b) || first <= b < first + n);

  predicate were_untouched{A,B}(struct fh_zone *zone, integer first,
                                integer n) =
    \forall integer b; 0 <= b < \at(zone->count,A) ==>
      (is_touched{B}(zone, b) <==>
         is_touched{A}(zone, b) && !(first <= b < first + n));

  predicate runs_touched{L}(struct fh_zone *zone) =
    \forall integer head, integer b; in_run(zone, head, b) ==>
      is_touched(zone, b);

  // What is touched as a whole is in a run, except blocks first ..
  // first+n-1, of which nothing is said.
  predicate touched_in_runs_but{L}(struct fh_zone *zone, integer first,
                                   integer n) =
    \forall integer b; 0 <= b < zone->count && is_touched(zone, b) &&
      is_whole(zone, b) && !(first <= b < first + n) ==>
        \exists integer head; in_run(zone, head, b);

  // Blocks first .. first+n-1 are free as a whole.
  predicate all_free{L}(struct fh_zone *zone, integer first, integer n) =
    \forall integer b; first <= b < first + n ==>
      is_touched(zone, b) && is_whole(zone, b);

  // Bits of a block are ones only where its pages are neither all free nor
  // all in use, and then it is touched.
  predicate bits_fit{L}(struct fh_zone *zone) =
    \forall integer b; 0 <= b < zone->count ==>
      (!is_whole(zone, b) ==> is_touched(zone, b)) &&
      (is_whole(zone, b) ==>
         \forall integer w, integer i; 0 <= w < 8 && 0 <= i < 64 ==>
           !has_bit(zone->blocks[b].bits[w], i));

  predicate page_free{L}(struct fh_zone *zone, integer page) =
    \let block = page / 512 - zone->first;
    \let bit = page % 512;
    is_touched(zone, block) &&
    (is_whole(zone, block) ||
     has_bit(zone->blocks[block].bits[bit / 64], bit % 64));

  predicate no_page_free{L}(struct fh_zone *zone, integer first, integer n) =
    \forall integer page; first <= page < first + n ==>
      !page_free(zone, page);

  // Counts and word orders of all blocks say what their bits say.
  predicate blocks_ok{L}(struct fh_zone *zone) =
    \forall integer b; 0 <= b < zone->count ==> block_ok(&zone->blocks[b]);

  // A block that is free in part is in the chain that its bits call for.
  predicate parts_fit{L}(struct fh_zone *zone) =
    \forall integer b; 0 <= b < zone->count && !is_whole(zone, b) ==>
      block_order_is(&zone->blocks[b].word_order[0], zone->blocks[b].order);

  predicate runs_ok{L}(struct fh_zone *zone) =
    runs_fit(zone) && runs_apart(zone) && runs_aligned(zone) &&
    runs_touched(zone) && touched_in_runs_but(zone, 0, 0);

  // has_bit, as a number.
  logic integer bit_of(integer word, integer i) =
    (word & (1 << i)) != 0 ? 1 : 0;

  // How many pages the first n blocks have free.
  logic integer free_in_block{L}(struct fh_zone *zone, integer b) =
    bit_of(zone->touched[b / 64], b % 64) == 0 ? 0 :
    zone->blocks[b].order == 0 ? 512 : zone->blocks[b].order >= 10 ? 512 :
      zone->blocks[b].free;

  logic integer free_pages{L}(struct fh_zone *zone, integer n) =
    n <= 0 ? 0 : free_pages(zone, n - 1) + free_in_block(zone, n - 1);

  // All that holds of a zone between requests, but for its count.
  predicate zone_sound{L}(struct fh_zone *zone) =
    zone_tables(zone) && chains_ok(zone) && runs_ok(zone) &&
    bits_fit(zone) && parts_fit(zone) && blocks_ok(zone);

  // What holds of a zone before and after each request.
  predicate zone_ok{L}(struct fh_zone *zone) =
    zone_sound(zone) && zone->free == free_pages(zone, zone->count);

  // Bit i of word w of block b stands for a page that is free.
  predicate bit_free{L}(struct fh_zone *zone, integer b, integer w,
                        integer i) =
    is_touched(zone, b) &&
    (is_whole(zone, b) || has_bit(zone->blocks[b].bits[w], i));

  // It stands for one of pages first .. first+n-1.
  predicate bit_among{L}(struct fh_zone *zone, integer b, integer w,
                         integer i, integer first, integer n) =
    first <= (zone->first + b) * 512 + 64 * w + i < first + n;

  predicate pages_free{L}(struct fh_zone *zone, integer first, integer n) =
    \forall integer b, integer w, integer i;
      0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 &&
      bit_among(zone, b, w, i, first, n) ==> bit_free(zone, b, w, i);

  predicate pages_in_use{L}(struct fh_zone *zone, integer first,
                            integer n) =
    \forall integer b, integer w, integer i;
      0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 &&
      bit_among(zone, b, w, i, first, n) ==> !bit_free(zone, b, w, i);

  // Pages first .. first+n-1 came into use, or became free, and no others.
  predicate pages_taken{A,B}(struct fh_zone *zone, integer first, integer n) =
    \forall integer b, integer w, integer i;
      0 <= b < \at(zone->count,A) && 0 <= w < 8 && 0 <= i < 64 ==>
        (bit_free{B}(zone, b, w, i) <==> bit_free{A}(zone, b, w, i) &&
           !bit_among{A}(zone, b, w, i, first, n));

  predicate pages_given{A,B}(struct fh_zone *zone, integer first, integer n) =
    \forall integer b, integer w, integer i;
      0 <= b < \at(zone->count,A) && 0 <= w < 8 && 0 <= i < 64 ==>
        (bit_free{B}(zone, b, w, i) <==> bit_free{A}(zone, b, w, i) ||
           bit_among{A}(zone, b, w, i, first, n));

  // The ones of mask became free, in the word of page base, and no others.
  predicate mask_given{A,B}(struct fh_zone *zone, integer base,
                            integer mask) =
    \forall integer b, integer w, integer i;
      0 <= b < \at(zone->count,A) && 0 <= w < 8 && 0 <= i < 64 ==>
        (bit_free{B}(zone, b, w, i) <==> bit_free{A}(zone, b, w, i) ||
           (base == (\at(zone->first,A) + b) * 512 + 64 * w &&
            has_bit(mask, i)));

  // A run of such an order or more, and none above, is free.
  predicate has_run_of{L}(struct fh_zone *zone, integer order,
                          integer most) =
    \exists integer o; order <= o <= most && zone->heads[o] != FH_NO_BLOCK;

  logic integer order_pages(integer order) =
    order < 10 ? run_pages(order - 1) : 512 * run_size(order);
*/

/* Pages of one word, taken together. */
struct fh_taken {
	uint64_t base;
	uint64_t bits;
	uint64_t count; /* ones in bits */
};

/*@
  // How many pages the first n words say that they have.
  logic integer taken_pages{L}(struct fh_taken *taken, integer n) =
    n <= 0 ? 0 : taken_pages(taken, n - 1) + taken[n - 1].count;

  // A word says how many pages it has, some, and none is beyond the last.
  predicate word_is_taken{L}(struct fh_taken *taken, integer i) =
    0 < taken[i].count && taken[i].count == ones(taken[i].bits, 64) &&
    taken[i].base + 64 <= FH_PAGE_NUMBER_END;
*/

/* The index of the block that page lies in; the zone has it. */
/*@
  requires \valid_read(zone) && zone->first <= page / 512;
  assigns \nothing;
  exits \false;
  ensures \result == page / 512 - zone->first;
*/
static inline uint64_t fh_zone_block(const struct fh_zone *zone, uint64_t page)
{
	return page / FH_BLOCK_PAGES - zone->first;
}

/* Whether the page lies in the zone. */
/*@
  requires \valid_read(zone);
  assigns \nothing;
  exits \false;
  ensures \result <==> zone_has(zone, page);
*/
static inline bool fh_zone_has(const struct fh_zone *zone, uint64_t page)
{
	uint64_t block = page / FH_BLOCK_PAGES;

	return block >= zone->first && block - zone->first < zone->count;
}

/* The first page of a block. */
/*@
  requires \valid_read(zone) && zone->first + block <= UINT64_MAX / 512;
  assigns \nothing;
  exits \false;
  ensures \result == (zone->first + block) * 512;
*/
static inline uint64_t fh_zone_page(const struct fh_zone *zone, uint64_t block)
{
	return (zone->first + block) * FH_BLOCK_PAGES;
}

/* Pages that are free now. Without the lock: a hint. */
/*@
  requires \valid_read(zone);
  assigns \nothing;
  exits \false;
  ensures \result == zone->free;
*/
static inline uint64_t fh_zone_free(const struct fh_zone *zone)
{
	return fh_word_load_relaxed(&zone->free);
}

/*@
  requires \valid(zone) && zone->free <= UINT64_MAX - n;
  assigns zone->free;
  exits \false;
  ensures zone->free == \old(zone->free) + n;
*/
static inline void fh_zone_add_free(struct fh_zone *zone, uint64_t n)
{
	fh_word_store_relaxed(&zone->free, zone->free + n);
}

/*@
  requires \valid(zone) && zone->free >= n;
  assigns zone->free;
  exits \false;
  ensures zone->free == \old(zone->free) - n;
*/
static inline void fh_zone_sub_free(struct fh_zone *zone, uint64_t n)
{
	fh_word_store_relaxed(&zone->free, zone->free - n);
}

/*
 * Makes a zone of count blocks, none free. blocks and touched are zeroed;
 * touched has a bit for each block, in whole words. Before anybody else knows
 * the zone.
 */
/*@
  requires \valid(zone) && 0 < count < FH_NO_BLOCK;
  requires first + count <= FH_PAGE_NUMBER_END / 512;
  requires \valid(blocks + (0 .. count - 1));
  requires \valid(touched + (0 .. (count - 1) / 64));
  requires \separated(zone, blocks + (0 .. count - 1),
                      touched + (0 .. (count - 1) / 64));
  requires tables_are_zero(blocks, touched, count);
  assigns zone->first, zone->count, zone->blocks, zone->touched,
          zone->filled, zone->heads[0 .. FH_ORDER_LAST], zone->free;
  exits \false;
  ensures zone->first == first && zone->count == count && zone->free == 0;
  ensures zone->blocks == blocks && zone->touched == touched;
  ensures zone->filled == 0;
  ensures \forall integer order; 0 <= order <= FH_ORDER_LAST ==>
    zone->heads[order] == FH_NO_BLOCK;
  ensures ok: zone_ok(zone);
*/
void fh_zone_init(struct fh_zone *zone, uint64_t first, uint64_t count,
		  struct fh_block *blocks, uint64_t *touched);

/* What holds of the zone then is what held when its lock was let go of. */
/*@
  requires zone_tables(zone);
  assigns zone_state(zone);
  exits \false;
  ensures zone_ok(zone);
*/
static inline uint64_t fh_zone_lock(struct fh_zone *zone)
{
	return fh_lock(&zone->lock);
}

/*@
  requires zone_ok(zone);
  assigns \nothing;
  exits \false;
*/
static inline void fh_zone_unlock(struct fh_zone *zone, uint64_t saved)
{
	fh_unlock(&zone->lock, saved);
}

/* ---- chain.c ---- */

/* Moves the block to the chain of that order; 0: to none. */
/*@
  requires zone_tables(zone) && chains_ok(zone) && block < zone->count;
  requires order < FH_ORDERS;
  assigns zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[block].order;
  exits \false;
  ensures chains: chains_ok(zone);
  ensures order: zone->blocks[block].order == order;
  ensures others: \forall integer b; 0 <= b < zone->count && b != block ==>
    zone->blocks[b].order == \old(zone->blocks[b].order);
*/
void fh_chain_move(struct fh_zone *zone, uint64_t block, unsigned order);

/*
 * The smallest order, at least `order`, whose chain has a block; 0: none.
 * Without the lock: a hint.
 */
/*@
  requires \valid_read(zone) && 0 < order < FH_ORDERS;
  assigns \nothing;
  exits \false;
  ensures hint: \result == 0 || order <= \result < 64;
  ensures order: (\forall integer i; 0 <= i < 64 && has_bit(zone->filled, i) ==>
    1 <= i <= FH_ORDER_LAST) ==> \result < FH_ORDERS;
  ensures \result != 0 ==> has_bit(zone->filled, \result);
  ensures \forall integer o; order <= o < FH_ORDERS &&
    (\result == 0 || o < \result) ==> !has_bit(zone->filled, o);
*/
unsigned fh_chain_best(const struct fh_zone *zone, unsigned order);

/* ---- zones.c, take.c and take_run.c: pages ---- */

/* Whether the page, of this zone, is free. */
/*@
  requires zone_tables(zone) && zone_has(zone, page);
  requires bits_fit(zone);
  assigns \nothing;
  exits \false;
  ensures \result <==> page_free(zone, page);
*/
bool fh_zone_is_free(const struct fh_zone *zone, uint64_t page);

/*
 * Takes n <= 2^18 pages that follow each other from the smallest run of
 * 2^(order - 1) free pages or more, at its start, but of no order above
 * `most`; n <= 2^(order - 1). Returns the first page, a multiple of
 * 2^(order - 1), or FH_NO_PAGE.
 */
/*@
  requires zone_ok(zone) && 1 <= order <= most && most <= FH_ORDER_LAST;
  requires 0 < n <= order_pages(order);
  assigns zone_state(zone);
  exits \false;
  ensures ok: zone_ok(zone);
  behavior none:
    assumes !has_run_of(zone, order, most);
    assigns \nothing;
    ensures \result == FH_NO_PAGE;
  behavior some:
    assumes has_run_of(zone, order, most);
    ensures inside: zone->first * 512 <= \result &&
      \result + n <= (zone->first + zone->count) * 512;
    ensures aligned: \result % order_pages(order) == 0;
    ensures were: pages_free{Pre}(zone, \result, n);
    ensures taken: pages_taken{Pre,Post}(zone, \result, n);
    ensures free: zone->free == \old(zone->free) - n;
  complete behaviors;
  disjoint behaviors;
*/
uint64_t fh_zone_take(struct fh_zone *zone, uint64_t n, unsigned order,
		      unsigned most);

/* Takes n pages from `first` on, all free and of this zone. */
/*@
  requires zone_ok(zone) && zone->first * 512 <= first;
  requires first + n <= (zone->first + zone->count) * 512;
  requires pages_free(zone, first, n);
  assigns zone_state(zone);
  exits \false;
  ensures ok: zone_ok(zone);
  ensures taken: pages_taken{Pre,Post}(zone, first, n);
  ensures free: zone->free == \old(zone->free) - n;
*/
void fh_zone_take_exact(struct fh_zone *zone, uint64_t first, uint64_t n);

/*
 * Takes pages one by one, wherever they lie, best fit, whole words where
 * possible, but from nothing of an order above `most`: at most `want` pages,
 * at most `room` words. Returns how many words it filled in.
 */
/*@
  requires zone_ok(zone) && most <= FH_ORDER_LAST;
  requires room > 0 ==> \valid(taken + (0 .. room - 1));
  requires \separated(taken + (0 .. room - 1), zone,
    zone->blocks + (0 .. zone->count - 1),
    zone->touched + (0 .. (zone->count - 1) / 64));
  assigns zone_state(zone), taken[0 .. room - 1];
  exits \false;
  ensures ok: zone_ok(zone);
  ensures room: \result <= room;
  ensures words: \forall integer k; 0 <= k < \result ==>
    word_is_taken(taken, k);
  ensures want: taken_pages(taken, \result) <= want;
  ensures free: zone->free == \old(zone->free) - taken_pages(taken, \result);
  ensures at: \forall integer k; 0 <= k < \result ==>
    taken[k].base % 64 == 0 && zone_has(zone, taken[k].base);
  ensures were: \forall integer k, integer b, integer w, integer i;
    0 <= k < \result && 0 <= b < zone->count && 0 <= w < 8 && 0 <= i < 64 &&
    taken[k].base == (zone->first + b) * 512 + 64 * w &&
    has_bit(taken[k].bits, i) ==>
      bit_free{Pre}(zone, b, w, i) && !bit_free(zone, b, w, i);
  ensures none: want > 0 && room > 0 && has_run_of{Pre}(zone, 1, most) ==>
    \result > 0;
*/
uint64_t fh_zone_take_words(struct fh_zone *zone, uint64_t want, unsigned most,
			    struct fh_taken *taken, uint64_t room);

/*
 * Takes the smallest run of whole blocks, or `want` blocks of it at most.
 * Returns the first and their number, a power of two, in *size, or
 * FH_NO_BLOCK.
 */
/*@
  requires zone_ok(zone);
  requires \valid(size) && \separated(size, zone,
    zone->blocks + (0 .. zone->count - 1),
    zone->touched + (0 .. (zone->count - 1) / 64));
  assigns *size, zone->free, zone->filled, zone->heads[1 .. FH_ORDER_LAST],
          zone->blocks[0 .. zone->count - 1].previous,
          zone->blocks[0 .. zone->count - 1].next,
          zone->blocks[0 .. zone->count - 1].order,
          zone->touched[0 .. (zone->count - 1) / 64];
  exits \false;
  ensures ok: zone_ok(zone);
  behavior none:
    assumes \forall integer o; 10 <= o <= FH_ORDER_LAST ==>
      zone->heads[o] == FH_NO_BLOCK;
    assigns \nothing;
    ensures \result == FH_NO_BLOCK;
  behavior some:
    assumes \exists integer o; 10 <= o <= FH_ORDER_LAST &&
      zone->heads[o] != FH_NO_BLOCK;
    ensures size: *size == 1 || *size == 2 || *size == 4 || *size == 8 ||
      *size == 16 || *size == 32 || *size == 64 || *size == 128 ||
      *size == 256 || *size == 512;
    ensures want: *size == 1 || *size <= want;
    ensures inside: \result + *size <= zone->count;
    ensures taken: no_orders(zone, \result, *size);
    ensures begins: run_can_begin(zone, \result);
    ensures touched: were_untouched{Pre,Post}(zone, \result, *size);
    ensures pages: pages_taken{Pre,Post}(zone,
      (zone->first + \result) * 512, 512 * *size);
    ensures free: zone->free == \old(zone->free) - 512 * *size;
  complete behaviors;
  disjoint behaviors;
*/
uint64_t fh_zone_take_run(struct fh_zone *zone, uint64_t want, uint64_t *size);

/*
 * Pages from first on, of this zone, become free. If one of them is free
 * already it is returned, and nothing changes; FH_NO_PAGE otherwise.
 */
/*@
  requires zone_ok(zone);
  requires n > 0 ==> zone_has(zone, first) && n <= UINT64_MAX - first &&
    zone_has(zone, first + n - 1);
  assigns zone_state(zone);
  exits \false;
  ensures ok: zone_ok(zone);
  behavior given:
    assumes no_page_free(zone, first, n);
    ensures \result == FH_NO_PAGE;
    ensures given: pages_given{Pre,Post}(zone, first, n);
    ensures free: zone->free == \old(zone->free) + n;
  behavior twice:
    assumes !no_page_free(zone, first, n);
    assigns \nothing;
    ensures first <= \result < first + n && page_free(zone, \result);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
uint64_t fh_zone_give(struct fh_zone *zone, uint64_t first, uint64_t n);

/*
 * The same for the n ones of mask, in the word that begins with page base.
 */
/*@
  requires zone_ok(zone) && n > 0 && n == ones(mask, 64);
  requires zone_has(zone, base) && base % 64 == 0;
  assigns zone_state(zone);
  exits \false;
  ensures ok: zone_ok(zone);
  behavior given:
    assumes \forall integer i; 0 <= i < 64 && has_bit(mask, i) ==>
      !page_free(zone, base + i);
    ensures \result == FH_NO_PAGE;
    ensures given: mask_given{Pre,Post}(zone, base, mask);
    ensures free: zone->free == \old(zone->free) + n;
  behavior twice:
    assumes \exists integer i; 0 <= i < 64 && has_bit(mask, i) &&
      page_free(zone, base + i);
    assigns \nothing;
    ensures base <= \result < base + 64 && has_bit(mask, \result - base);
    ensures page_free(zone, \result);
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
uint64_t fh_zone_give_mask(struct fh_zone *zone, uint64_t base, uint64_t mask,
			   uint64_t n);

/*
 * Fetches what giving the page will need into the cache. Any page: it may be
 * of another zone. Called with or without the lock.
 */
/*@
  requires zone_tables(zone);
  assigns \nothing;
  exits \false;
*/
static inline void fh_zone_prefetch(const struct fh_zone *zone, uint64_t page)
{
	if (!fh_zone_has(zone, page))
		return;
	const struct fh_block *b = &zone->blocks[fh_zone_block(zone, page)];
	__builtin_prefetch(&b->bits[page % FH_BLOCK_PAGES / FH_WORD_BITS], 1);
	__builtin_prefetch(&b->order, 1);
}

/* ---- search.c ---- */

/*
 * Takes the first n free pages that follow each other, beginning at a multiple
 * of align and ending at or before `below`. Returns the first, or FH_NO_PAGE.
 * Takes the lock itself, and lets go of it between pieces of the search:
 * called without.
 */
/*@
  requires zone_tables(zone) && 0 < n && 0 < align;
  assigns zone_state(zone);
  exits \false;
  ensures found: \result != FH_NO_PAGE ==>
    zone->first * 512 <= \result &&
    \result + n <= (zone->first + zone->count) * 512 &&
    \result + n <= below && \result % align == 0;
  ensures taken: \result != FH_NO_PAGE ==>
    pages_in_use(zone, \result, n);
*/
uint64_t fh_zone_search(struct fh_zone *zone, uint64_t n, uint64_t align,
			uint64_t below);

#endif /* FRAMEHOLD_SRC_ZONES_H */
