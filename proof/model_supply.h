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

/* What is constant of each zone while memory is up: here it stands apart from
 * what requests change. */
/*@ ghost uint64_t g_first[FH_MAX_ZONES]; */
/*@ ghost uint64_t g_count[FH_MAX_ZONES]; */
/*@ ghost uint64_t g_block_at[FH_MAX_ZONES]; */
/*@ ghost uint64_t g_word_at[FH_MAX_ZONES]; */

/* What requests change of zones; that they keep zones_open is said apart. */
#undef any_zone_state
#undef zones_open
#undef apart_from_zones
#undef zones_have_slots
#define any_zone_state                                                         \
	fh_zones[0 .. FH_MAX_ZONES - 1], g_blocks[0 .. g_block_count - 1],         \
		g_words[0 .. g_word_count - 1]

/* The same of one zone, in a loop: its tables as they were at that label. */
#define zone_state_since(zone, label)                                          \
	(zone)->free, (zone)->filled, (zone)->heads[0 .. FH_ORDER_LAST],         \
		(zone)->blocks[0 .. \at((zone)->count, label) - 1],             \
		(zone)->touched[0 .. (\at((zone)->count, label) - 1) / 64]

#define apart_from_zones(range)                                                \
	(\separated(range, fh_zones + (0 .. FH_MAX_ZONES - 1)) &&             \
	 \separated(range, g_blocks + (0 .. g_block_count - 1)) &&            \
	 \separated(range, g_words + (0 .. g_word_count - 1)))

/*@
  // The zone's pieces of the tables, and page numbers do not overflow.
  predicate zone_placed{L}(integer z) =
    0 < g_count[z] < FH_NO_BLOCK &&
    g_first[z] + g_count[z] <= FH_PAGE_NUMBER_END / 512 &&
    g_block_at[z] + g_count[z] <= g_block_count &&
    g_word_at[z] + (g_count[z] - 1) / 64 < g_word_count;

  predicate tables_apart{L} =
    \valid(g_blocks + (0 .. g_block_count - 1)) &&
    \valid(g_words + (0 .. g_word_count - 1)) &&
    \separated(g_blocks + (0 .. g_block_count - 1),
               g_words + (0 .. g_word_count - 1)) &&
    \separated(fh_zones + (0 .. FH_MAX_ZONES - 1),
               g_blocks + (0 .. g_block_count - 1)) &&
    \separated(fh_zones + (0 .. FH_MAX_ZONES - 1),
               g_words + (0 .. g_word_count - 1)) &&
    apart_from_zones(fh_layout.zone_by_section +
                       (0 .. fh_layout.section_count - 1));

  predicate each_zone_placed{L} =
    \forall integer z; 0 <= z < fh_layout.zone_count ==> zone_placed(z);

  predicate each_zone_named{L} =
    \forall integer z; 0 <= z < fh_layout.zone_count ==>
      fh_zones[z].first == g_first[z] && fh_zones[z].count == g_count[z] &&
      fh_zones[z].blocks == g_blocks + g_block_at[z] &&
      fh_zones[z].touched == g_words + g_word_at[z];

  // The zones' tables are there; what they say, who has the lock knows.
  predicate zones_open{L} =
    layout_ok && tables_apart && each_zone_placed && each_zone_named;

  // Each zone's last page is of a section that slots are for; sections and
  // slots lie apart from what requests change of zones.
  predicate zones_have_slots{L} =
    apart_from_zones(fh_slots + (0 .. FH_LAST_FRAME)) &&
    apart_from_zones(fh_memory.sections + (0 .. FH_LAST_SECTION)) &&
    \separated(fh_memory.sections + (0 .. FH_LAST_SECTION),
               fh_layout.zone_by_section +
                 (0 .. fh_layout.section_count - 1)) &&
    \forall integer z; 0 <= z < fh_layout.zone_count ==>
      ((g_first[z] + g_count[z]) * 512 - 1) / FH_SECTION_FRAMES *
        FH_SECTION_FRAMES < fh_memory.frame_end;

  predicate slots_same{A,B} =
    \forall integer i; is_frame(i) ==>
      \at(fh_slots[i],A) == \at(fh_slots[i],B);

  predicate section_marks_same{A,B} =
    \forall integer s; 0 <= s <= FH_LAST_SECTION ==>
      \at(fh_memory.sections[s],A) == \at(fh_memory.sections[s],B);

  // Apart from the zones' own words, and from the map of sections.
  predicate zone_apart{L}(struct fh_zone *zone) =
    \separated(fh_zones + (0 .. FH_MAX_ZONES - 1),
               zone->blocks + (0 .. zone->count - 1)) &&
    \separated(fh_zones + (0 .. FH_MAX_ZONES - 1),
               zone->touched + (0 .. (zone->count - 1) / 64)) &&
    \separated(fh_layout.zone_by_section + (0 .. fh_layout.section_count - 1),
               zone->blocks + (0 .. zone->count - 1));

  predicate apart_from_zone{L}(uint64_t *numbers, integer n,
                               struct fh_zone *zone) =
    \separated(numbers + (0 .. n - 1), zone) &&
    \separated(numbers + (0 .. n - 1),
               zone->blocks + (0 .. zone->count - 1)) &&
    \separated(numbers + (0 .. n - 1),
               zone->touched + (0 .. (zone->count - 1) / 64));

  // The zone has the page, by what is constant of it.
  predicate page_of_zone{L}(integer page, integer z) =
    g_first[z] <= page / 512 < g_first[z] + g_count[z];

  predicate firsts_same{A,B} =
    \forall integer z; 0 <= z < FH_MAX_ZONES ==>
      \at(fh_zones[z].first,A) == \at(fh_zones[z].first,B);

  predicate counts_same{A,B} =
    \forall integer z; 0 <= z < FH_MAX_ZONES ==>
      \at(fh_zones[z].count,A) == \at(fh_zones[z].count,B);

  predicate tables_same{A,B} =
    \forall integer z; 0 <= z < FH_MAX_ZONES ==>
      \at(fh_zones[z].blocks,A) == \at(fh_zones[z].blocks,B) &&
      \at(fh_zones[z].touched,A) == \at(fh_zones[z].touched,B);

  predicate by_section_same{A,B} =
    \forall integer s; 0 <= s < \at(fh_layout.section_count,A) ==>
      \at(fh_layout.zone_by_section[s],A) ==
        \at(fh_layout.zone_by_section[s],B);
*/

/* What is known of one zone when all are open. */
/*@ ghost
  /@
    requires zones_open && index < fh_layout.zone_count;
    assigns \nothing;
    exits \false;
    ensures placed: zone_placed(index);
    ensures tables: zone_tables(&fh_zones[index]);
    ensures apart: zone_apart(&fh_zones[index]);
  @/
  void ghost_open_zone(uint64_t index)
  {
    /@ assert zone_placed(index); @/
  }
*/

#endif /* FRAMEHOLD_PROOF_MODEL_SUPPLY_H */
