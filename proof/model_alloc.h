/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The words of the allocator's contracts that speak of bits: what a run of
 * ones is, and how many ones there are. The rest stands beside the structures
 * it is about. Included before the allocator's files, after model.h.
 */
#ifndef FRAMEHOLD_PROOF_MODEL_ALLOC_H
#define FRAMEHOLD_PROOF_MODEL_ALLOC_H

#include <framehold/compiler.h>

/* What requests change of a zone. */
#define zone_state(zone)                                                     \
	(zone)->free, (zone)->filled, (zone)->heads[0 .. FH_ORDER_LAST],      \
		(zone)->blocks[0 .. (zone)->count - 1],                        \
		(zone)->touched[0 .. ((zone)->count - 1) / 64]

/* This CPU's magazine, and what is kept in one. */
#define own_magazine (fh_magazines + g_cpu)
#define magazine_pages(m)                                                    \
	(m)->page_count, (m)->pages[0 .. FH_MAGAZINE_PAGES - 1]
#define magazine_blocks(m)                                                   \
	(m)->block_count, (m)->blocks[0 .. FH_MAGAZINE_BLOCKS - 1]
#define magazine_kept(m) magazine_pages(m), magazine_blocks(m)

/*
 * What the contracts of supply.h say to those above it, who do not see zones'
 * storage: their own data lies apart from it, and from fh_init() to fh_fini()
 * it is there. The supply itself sees it: model_supply.h.
 */
#define any_zone_state \empty
#define zones_open     (0 == 0)
#define apart_from_zones(range) (0 == 0)
#define zones_have_slots (0 == 0)

/*@
  predicate has_bit(integer word, integer i) = (word & (1 << i)) != 0;

  logic integer ones(integer word, integer n) =
    n <= 0 ? 0 : ones(word, n - 1) + ((word & (1 << (n - 1))) != 0 ? 1 : 0);

  logic integer run_pages(integer order) =
    order == 0 ? 1 : order == 1 ? 2 : order == 2 ? 4 : order == 3 ? 8 :
    order == 4 ? 16 : order == 5 ? 32 : order == 6 ? 64 :
    order == 7 ? 128 : 256;

  // i is a multiple of run_pages(order).
  predicate run_begins(integer i, integer order) =
    (order == 1 ==> i % 2 == 0) && (order == 2 ==> i % 4 == 0) &&
    (order == 3 ==> i % 8 == 0) && (order == 4 ==> i % 16 == 0) &&
    (order == 5 ==> i % 32 == 0) && (order == 6 ==> i % 64 == 0) &&
    (order == 7 ==> i % 128 == 0) && (order == 8 ==> i % 256 == 0);

  // 2^order ones of word begin at bit i, a multiple of 2^order.
  predicate word_run(integer word, integer i, integer order) =
    0 <= i && i + run_pages(order) <= 64 && run_begins(i, order) &&
    \forall integer j; i <= j < i + run_pages(order) ==> has_bit(word, j);

  predicate has_run(integer word, integer order) =
    \exists integer i; word_run(word, i, order);

  // One plus the largest order of which word has a run, as of all smaller.
  predicate word_order_is(integer word, integer order) =
    0 <= order <= 7 &&
    \forall integer o; 0 <= o <= 6 ==> (has_run(word, o) <==> o < order);

  // Bit i is the lowest one of word.
  predicate lowest_is(integer word, integer i) =
    0 <= i < 64 && has_bit(word, i) &&
    \forall integer j; 0 <= j < i ==> !has_bit(word, j);

  predicate full_words{L}(uint8_t *orders, integer first, integer n) =
    \forall integer w; first <= w < first + n ==> orders[w] == 7;

  // n full words begin at a multiple of n.
  predicate full_group{L}(uint8_t *orders, integer n) =
    \exists integer first; 0 <= first && first + n <= 8 &&
      first % n == 0 && full_words(orders, first, n);

  // One plus the largest order of eight words' runs, from theirs.
  predicate block_order_is{L}(uint8_t *orders, integer order) =
    0 <= order <= 10 &&
    (order >= 8 <==> full_group(orders, 2)) &&
    (order >= 9 <==> full_group(orders, 4)) &&
    (order == 10 <==> full_words(orders, 0, 8)) &&
    (1 <= order <= 7 ==>
       \exists integer w; 0 <= w < 8 && orders[w] == order) &&
    (order <= 7 ==> \forall integer w; 0 <= w < 8 ==> orders[w] <= order);

  // Bit i of word w of a bitmap is one of first .. first+n-1.
  predicate is_among(integer w, integer i, integer first, integer n) =
    first <= 64 * w + i < first + n;

  predicate all_ones{L}(uint64_t *words, integer first, integer n) =
    \forall integer w, integer i; 0 <= w && 0 <= i < 64 ==>
      is_among(w, i, first, n) ==> has_bit(words[w], i);

  predicate all_zeros{L}(uint64_t *words, integer first, integer n) =
    \forall integer w, integer i; 0 <= w && 0 <= i < 64 ==>
      is_among(w, i, first, n) ==> !has_bit(words[w], i);

  // Bits first .. first+n-1 became one, or zero, and no other bit changed.
  predicate bits_were_set{A,B}(uint64_t *words, integer first, integer n) =
    \forall integer w, integer i; 0 <= w && 0 <= i < 64 ==>
      (has_bit(\at(words[w],B), i) <==>
         has_bit(\at(words[w],A), i) || is_among(w, i, first, n));

  predicate bits_were_cleared{A,B}(uint64_t *words, integer first, integer n) =
    \forall integer w, integer i; 0 <= w && 0 <= i < 64 ==>
      (has_bit(\at(words[w],B), i) <==>
         has_bit(\at(words[w],A), i) && !is_among(w, i, first, n));
*/

/* Ones of two words without a common one add up in their union. */
/*@ ghost
  /@
    requires \forall integer i; 0 <= i < 64 ==>
      (has_bit(all, i) <==> has_bit(a, i) || has_bit(b, i));
    requires \forall integer i; 0 <= i < 64 ==>
      !(has_bit(a, i) && has_bit(b, i));
    assigns \nothing;
    exits \false;
    ensures ones(all, 64) == ones(a, 64) + ones(b, 64);
    ensures 0 <= ones(a, 64) && 0 <= ones(b, 64) && ones(all, 64) <= 64;
  @/
  void ghost_add_ones(uint64_t a, uint64_t b, uint64_t all)
  {
    /@
      loop invariant 0 <= i <= 64;
      loop invariant ones(all, i) == ones(a, i) + ones(b, i);
      loop invariant 0 <= ones(a, i) && 0 <= ones(b, i) && ones(all, i) <= i;
      loop assigns i;
      loop variant 64 - i;
    @/
    for (int i = 0; i < 64; i++)
      ;
  }
*/

/* A word of 0 has no ones, and one without ones is 0 at each bit. */
/*@ ghost
  /@
    requires word == 0;
    assigns \nothing;
    exits \false;
    ensures ones(word, 64) == 0;
  @/
  void ghost_no_ones(uint64_t word)
  {
    /@
      loop invariant 0 <= i <= 64;
      loop invariant ones(word, i) == 0;
      loop assigns i;
      loop variant 64 - i;
    @/
    for (int i = 0; i < 64; i++)
      ;
  }
*/

/* A word with 64 ones has one at each bit, with none has one at none. */
/*@ ghost
  /@
    assigns \nothing;
    exits \false;
    ensures 0 <= ones(word, 64) <= 64;
    ensures ones(word, 64) == 64 <==>
      \forall integer i; 0 <= i < 64 ==> has_bit(word, i);
    ensures ones(word, 64) == 0 <==>
      \forall integer i; 0 <= i < 64 ==> !has_bit(word, i);
  @/
  void ghost_all_ones(uint64_t word)
  {
    /@
      loop invariant 0 <= i <= 64;
      loop invariant 0 <= ones(word, i) <= i;
      loop invariant ones(word, i) == i <==>
        \forall integer j; 0 <= j < i ==> has_bit(word, j);
      loop invariant ones(word, i) == 0 <==>
        \forall integer j; 0 <= j < i ==> !has_bit(word, j);
      loop assigns i;
      loop variant 64 - i;
    @/
    for (int i = 0; i < 64; i++)
      ;
  }
*/

/* Runs of a word lie in a block as they do in the word. */
/*@ ghost
  /@
    requires order <= 6 && word < 8 && bit < 64 && run_begins(bit, order);
    assigns \nothing;
    exits \false;
    ensures run_begins(64 * word + bit, order);
  @/
  void ghost_run_begins(uint64_t word, unsigned bit, unsigned order)
  {
  }
*/

/*
 * What magazines and zones hand out was the allocator's to give, and is not
 * from here on. Their bits and arrays are not connected with g_free.
 */
/*@ ghost
  /@
    assigns g_free[first .. first + n - 1];
    exits \false;
    ensures 0 < first && first + n <= fh_memory.frame_end;
    ensures \forall integer i; first <= i < first + n ==>
      live(i) && fh_slots[i].state == FH_STATE_FREE &&
      \old(g_free[i]) != 0 && g_free[i] == 0;
  @/
  void ghost_popped(uint64_t first, uint64_t n);
*/

#endif /* FRAMEHOLD_PROOF_MODEL_ALLOC_H */
