/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What supply.c says of all zones together. The tables of zones are pieces of
 * two arrays, so that what requests change of some zone, nobody knows which, is
 * a list of ranges. Included before the supply, after model_alloc.h.
 */
#ifndef FRAMEHOLD_PROOF_MODEL_SUPPLY_H
#define FRAMEHOLD_PROOF_MODEL_SUPPLY_H

#include "layout.h"

/*@ ghost struct fh_block *g_blocks; */
/*@ ghost uint64_t g_block_count; */
/*@ ghost uint64_t *g_words; */
/*@ ghost uint64_t g_word_count; */

/* What requests change of zones; that they keep zones_same is said apart. */
#undef any_zone_state
#undef zones_open
#define any_zone_state                                                       \
	fh_zones[0 .. FH_MAX_ZONES - 1], g_blocks[0 .. g_block_count - 1],    \
		g_words[0 .. g_word_count - 1]

#define apart_from_zones(range)                                              \
	(\separated(range, fh_zones + (0 .. FH_MAX_ZONES - 1)) &&             \
	 \separated(range, g_blocks + (0 .. g_block_count - 1)) &&            \
	 \separated(range, g_words + (0 .. g_word_count - 1)))

/*@
  predicate tables_placed{L}(struct fh_zone *zone) =
    (\exists integer k; 0 <= k && k + zone->count <= g_block_count &&
       zone->blocks == g_blocks + k) &&
    (\exists integer k; 0 <= k && k + (zone->count - 1) / 64 < g_word_count &&
       zone->touched == g_words + k);

  predicate tables_apart{L} =
    \separated(g_blocks + (0 .. g_block_count - 1),
               g_words + (0 .. g_word_count - 1)) &&
    apart_from_zones(fh_layout.zone_by_section +
                       (0 .. fh_layout.section_count - 1)) &&
    apart_from_zones(fh_memory.sections + (0 .. FH_LAST_SECTION)) &&
    \separated(fh_zones + (0 .. FH_MAX_ZONES - 1),
               g_blocks + (0 .. g_block_count - 1)) &&
    \separated(fh_zones + (0 .. FH_MAX_ZONES - 1),
               g_words + (0 .. g_word_count - 1)) &&
    \separated(fh_memory.sections + (0 .. FH_LAST_SECTION),
               fh_layout.zone_by_section +
                 (0 .. fh_layout.section_count - 1));

  // The section of its last page has slots.
  predicate has_sections{L}(struct fh_zone *zone) =
    ((zone->first + zone->count) * 512 - 1) / FH_SECTION_FRAMES *
      FH_SECTION_FRAMES < fh_memory.frame_end;

  predicate zone_open{L}(struct fh_zone *zone) =
    zone_tables(zone) && tables_placed(zone) && has_sections(zone);

  predicate each_zone_open{L} =
    \forall integer z; 0 <= z < fh_layout.zone_count ==>
      zone_open(&fh_zones[z]);

  // The zones' tables are there; what they say, who has the lock knows.
  predicate zones_open{L} = layout_ok && tables_apart && each_zone_open;

  // What is constant while memory is up.
  predicate zone_same{A,B}(integer z) =
    \at(fh_zones[z].first,A) == \at(fh_zones[z].first,B) &&
    \at(fh_zones[z].count,A) == \at(fh_zones[z].count,B) &&
    \at(fh_zones[z].blocks,A) == \at(fh_zones[z].blocks,B) &&
    \at(fh_zones[z].touched,A) == \at(fh_zones[z].touched,B);

  predicate each_zone_same{A,B} =
    \forall integer z; 0 <= z < FH_MAX_ZONES ==> zone_same{A,B}(z);

  predicate by_section_same{A,B} =
    \forall integer s; 0 <= s < \at(fh_layout.section_count,A) ==>
      \at(fh_layout.zone_by_section[s],A) ==
        \at(fh_layout.zone_by_section[s],B);

  predicate zones_same{A,B} =
    each_zone_same{A,B} && by_section_same{A,B};

  predicate sections_same{A,B} =
    \forall integer s; 0 <= s <= FH_LAST_SECTION ==>
      \at(fh_memory.sections[s],A) == \at(fh_memory.sections[s],B);
*/

#endif /* FRAMEHOLD_PROOF_MODEL_SUPPLY_H */
