/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The linear window, in which tables are made, and the compiler's fill, as a
 * loop that is proved: of a table of bytes. Included before the layout, after
 * model_supply.h.
 */
#ifndef FRAMEHOLD_PROOF_MODEL_LAYOUT_H
#define FRAMEHOLD_PROOF_MODEL_LAYOUT_H

#include <stdint.h>

#include <framehold/early.h>

/*
 * Memory of one type does not overlap that of another for the prover, so each
 * type has a window of its own. Each page has a place of its own there: of 512
 * words, and of 512 blocks, which need no less room than a word. There is but
 * one table of bytes.
 */
/*@ ghost uint8_t *g_bytes; */
/*@ ghost uint64_t g_byte_count; */

#define TABLES_PER_PAGE 512

#define inputs_apart inputs_are_apart(fh_layout.map, fh_layout.topology)

/* Apart from all that the window may be written for. */
#define apart_from_window(range)                                               \
	(apart_from_zones(range) &&                                            \
	 \separated(range, g_bytes + (0 .. g_byte_count - 1)))

/*@
  predicate window_there{L} =
    g_byte_count == 2 * FH_PAGE_NUMBER_END / FH_SECTION_FRAMES &&
    g_word_count == FH_PAGE_NUMBER_END * TABLES_PER_PAGE &&
    g_block_count == FH_PAGE_NUMBER_END * TABLES_PER_PAGE &&
    \valid(g_bytes + (0 .. g_byte_count - 1)) &&
    \valid(g_blocks + (0 .. g_block_count - 1)) &&
    \valid(g_words + (0 .. g_word_count - 1)) &&
    \separated(g_blocks + (0 .. g_block_count - 1),
               g_words + (0 .. g_word_count - 1)) &&
    \separated(fh_zones + (0 .. FH_MAX_ZONES - 1),
               g_blocks + (0 .. g_block_count - 1)) &&
    \separated(fh_zones + (0 .. FH_MAX_ZONES - 1),
               g_words + (0 .. g_word_count - 1)) &&
    apart_from_zones(g_bytes + (0 .. g_byte_count - 1)) &&
    apart_from_window(&fh_layout) && apart_from_window(&fh_memory);

  // Making a layout does not write what it is made from, but for the marks of
  // the early allocator, whose map it is.
  predicate inputs_are_apart{L}(struct fh_memory_map *map,
                                struct fh_topology *topology) =
    map == early_map && \valid_read(map) && map->count < INT64_MAX &&
    \valid_read(map->spans + (0 .. map->count - 1)) &&
    apart_from_window(map) &&
    apart_from_window(map->spans + (0 .. map->count - 1)) &&
    \separated(&fh_layout, map->spans + (0 .. map->count - 1)) &&
    \separated(&fh_memory, map->spans + (0 .. map->count - 1)) &&
    \separated(&fh_layout, map) && \separated(&fh_memory, map) &&
    (topology != \null ==>
       \valid_read(topology) && topology->range_count < INT64_MAX &&
       \valid_read(topology->ranges + (0 .. topology->range_count - 1)) &&
       apart_from_window(topology) &&
       apart_from_window(topology->ranges +
                           (0 .. topology->range_count - 1)) &&
       \separated(&fh_layout, topology) && \separated(&fh_memory, topology) &&
       \separated(&fh_layout,
                  topology->ranges + (0 .. topology->range_count - 1)) &&
       \separated(&fh_memory,
                  topology->ranges + (0 .. topology->range_count - 1)) &&
       \separated(topology, map->spans + (0 .. map->count - 1)) &&
       \separated(topology->ranges + (0 .. topology->range_count - 1),
                  map->spans + (0 .. map->count - 1)));
*/

/*@
  requires \valid(table + (0 .. n - 1));
  requires 0 <= byte <= 255;
  assigns table[0 .. n - 1];
  exits \false;
  ensures \forall integer i; 0 <= i < n ==> table[i] == byte;
*/
static inline void fh_proof_fill_table(uint8_t *table, int byte, uint64_t n)
{
	/*@
	  loop invariant 0 <= done <= n;
	  loop invariant \forall integer i; 0 <= i < done ==> table[i] == byte;
	  loop assigns done, table[0 .. n - 1];
	  loop variant n - done;
	*/
	for (uint64_t done = 0; done < n; done++)
		table[done] = (uint8_t)byte;
}

#define __builtin_memset(table, byte, n) fh_proof_fill_table(table, byte, n)

#endif /* FRAMEHOLD_PROOF_MODEL_LAYOUT_H */
