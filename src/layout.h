/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The layout: how memory is divided into zones, and which pages the allocator
 * may have at all. Made once from the memory map, constant from then on, but
 * for sections that are plugged in.
 *
 * A zone is made of neighbouring cells, 128 MiB to 1 GiB large by how much
 * memory there is, of one node; it begins and ends with a block that has
 * memory. Cells without memory belong to no zone: a hole costs two bytes for
 * every 128 MiB.
 */
#ifndef FRAMEHOLD_SRC_LAYOUT_H
#define FRAMEHOLD_SRC_LAYOUT_H

#include <framehold/region.h>
#include <framehold/slot.h>
#include <framehold/topology.h>

#include "zones.h"

#define FH_MAX_ZONES UINT64_C(64)
#define FH_NO_ZONE   UINT64_C(255)

struct fh_layout {
	const struct fh_memory_map *map;
	const struct fh_topology *topology; /* or null */
	uint64_t zone_count;
	uint64_t cell_pages; /* some sections, a power of two */
	uint64_t section_count;
	uint8_t *zone_by_section; /* an index of fh_zones, or FH_NO_ZONE */
	uint8_t *cover;           /* enum fh_cover by section; atomic */
};

extern struct fh_layout fh_layout;

/* fh_layout.zone_count of these, by address. */
extern struct fh_zone fh_zones[FH_MAX_ZONES];

/*@
  predicate layout_ok{L} =
    fh_layout.zone_count <= FH_MAX_ZONES &&
    fh_layout.section_count <= FH_PAGE_NUMBER_END / FH_SECTION_FRAMES &&
    \valid(fh_layout.zone_by_section + (0 .. fh_layout.section_count - 1)) &&
    \valid(fh_layout.cover + (0 .. fh_layout.section_count - 1)) &&
    (\forall integer s; 0 <= s < fh_layout.section_count ==>
       fh_layout.zone_by_section[s] == FH_NO_ZONE ||
       fh_layout.zone_by_section[s] < fh_layout.zone_count) &&
    \forall integer z; 0 <= z < fh_layout.zone_count ==>
      fh_zones[z].first + fh_zones[z].count <= FH_PAGE_NUMBER_END / 512;

  // What the layout is made from may be read.
  predicate map_there{L} =
    \valid_read(fh_layout.map) && fh_layout.map->count < INT64_MAX &&
    \valid_read(fh_layout.map->spans + (0 .. fh_layout.map->count - 1)) &&
    (fh_layout.topology != \null ==>
       \valid_read(fh_layout.topology) &&
       fh_layout.topology->range_count < INT64_MAX &&
       \valid_read(fh_layout.topology->ranges
         + (0 .. fh_layout.topology->range_count - 1)));

  // The page is one of the zone's that its section is of.
  predicate lies_in_zone{L}(integer page, integer zone) =
    page / FH_SECTION_FRAMES < fh_layout.section_count &&
    fh_layout.zone_by_section[page / FH_SECTION_FRAMES] == zone &&
    zone != FH_NO_ZONE &&
    fh_zones[zone].first <= page / 512 <
      fh_zones[zone].first + fh_zones[zone].count;

  predicate lies_in_some_zone{L}(integer page) =
    \exists integer zone; 0 <= zone < FH_MAX_ZONES &&
      lies_in_zone(page, zone);

  // A last put may bring such memory to the allocator.
  logic boolean covered_kind(integer kind) =
    kind == FH_REGION_USABLE || kind == FH_REGION_RECLAIMABLE ||
    kind == FH_REGION_MODULE || kind == FH_REGION_KERNEL;

  predicate has_covered_kind{L}(integer page) =
    \exists integer i; 0 <= i < fh_layout.map->count &&
      span_has(fh_layout.map, i, page) &&
      covered_kind(fh_layout.map->spans[i].kind);

  predicate covers_page{L}(integer page) =
    page / FH_SECTION_FRAMES < fh_layout.section_count &&
    (fh_layout.cover[page / FH_SECTION_FRAMES] == FH_COVER_ALL ||
     (fh_layout.cover[page / FH_SECTION_FRAMES] == FH_COVER_SOME &&
      has_covered_kind(page)));
*/

/*
 * Makes layout and zones, no page free; their tables come from the early
 * allocator. topology may be null. FH_E_NO_MEMORY.
 */
FH_NODISCARD
enum fh_status fh_layout_open(const struct fh_memory_map *map,
			      const struct fh_topology *topology,
			      bool memory_is_zeroed);

/* Forgets it. */
/*@
  assigns fh_layout, fh_memory.cover;
  exits \false;
  ensures fh_memory.cover == \null && fh_layout.map == \null;
  ensures fh_layout.zone_count == 0 && fh_layout.section_count == 0;
*/
void fh_layout_close(void);

/* The same for a page of a section of which it may have some. */
/*@
  requires map_is_normal(fh_layout.map);
  assigns \nothing;
  exits \false;
  ensures \result <==> has_covered_kind(page);
*/
bool fh_layout_covers_some(uint64_t page);

/* Whether the allocator may have the page. Any context. */
/*@
  requires layout_ok && map_is_normal(fh_layout.map);
  assigns \nothing;
  exits \false;
  ensures \result <==> covers_page(page);
*/
static inline bool fh_layout_covers(uint64_t page)
{
	uint64_t section = page / FH_SECTION_FRAMES;

	if (section >= fh_layout.section_count)
		return false;
	/* Acquire: pairs with the release in fh_layout_cover(). */
	uint8_t cover = fh_byte_load_acquire(&fh_layout.cover[section]);
	return cover == FH_COVER_ALL ||
	       (cover == FH_COVER_SOME && fh_layout_covers_some(page));
}

/*
 * The index of the zone that the page lies in, covered or not; FH_NO_ZONE:
 * none. Any context.
 */
/*@
  requires layout_ok;
  assigns \nothing;
  exits \false;
  behavior found:
    assumes lies_in_some_zone(page);
    ensures \result < fh_layout.zone_count && lies_in_zone(page, \result);
  behavior none:
    assumes !lies_in_some_zone(page);
    ensures \result == FH_NO_ZONE;
  complete behaviors;
  disjoint behaviors;
*/
static inline uint64_t fh_layout_zone_index(uint64_t page)
{
	uint64_t section = page / FH_SECTION_FRAMES;

	if (section >= fh_layout.section_count)
		return FH_NO_ZONE;
	uint64_t zone = fh_layout.zone_by_section[section];
	if (zone == FH_NO_ZONE || !fh_zone_has(&fh_zones[zone], page))
		return FH_NO_ZONE;
	/*@ assert lies_in_zone(page, zone); */
	return zone;
}

/* The zone itself; null: none. */
/*@
  requires layout_ok;
  assigns \nothing;
  exits \false;
  ensures \result == \null <==> !lies_in_some_zone(page);
  ensures \result != \null ==> \exists integer zone;
    0 <= zone < fh_layout.zone_count && lies_in_zone(page, zone) &&
    \result == &fh_zones[zone];
*/
static inline struct fh_zone *fh_layout_zone(uint64_t page)
{
	uint64_t zone = fh_layout_zone_index(page);

	return zone == FH_NO_ZONE ? NULL : &fh_zones[zone];
}

/*@
  predicate cpus_there{L} =
    map_there &&
    (fh_layout.topology != \null &&
     fh_layout.topology->cpu_nodes != \null ==>
       \valid_read(fh_layout.topology->cpu_nodes
         + (0 .. fh_layout.topology->cpu_count - 1)));

  logic integer cpu_node{L}(integer cpu) =
    fh_layout.topology == \null ||
    fh_layout.topology->cpu_nodes == \null ||
    cpu >= fh_layout.topology->cpu_count ? 0 :
      fh_layout.topology->cpu_nodes[cpu];

  logic integer zones_of{L}(integer node, integer n) =
    n <= 0 ? 0 :
    zones_of(node, n - 1) + (fh_zones[n - 1].node == node ? 1 : 0);
*/

/* The index of the zone that the CPU takes from first. Any context. */
/*@
  requires cpus_there;
  requires 0 < fh_layout.zone_count <= FH_MAX_ZONES;
  assigns \nothing;
  exits \false;
  ensures \result < fh_layout.zone_count;
  behavior near:
    assumes zones_of(cpu_node(cpu), fh_layout.zone_count) > 0;
    ensures fh_zones[\result].node == cpu_node(cpu);
  behavior none:
    assumes zones_of(cpu_node(cpu), fh_layout.zone_count) <= 0;
    ensures \result == fh_layout.zone_count - 1;
  complete behaviors;
  disjoint behaviors;
*/
uint64_t fh_layout_home(unsigned cpu);

/* ---- cover.c ---- */

/*@
  // All of the section's pages are of the zone.
  predicate section_lies_in{L}(integer s, integer zone) =
    0 <= zone < fh_layout.zone_count &&
    lies_in_zone(s * FH_SECTION_FRAMES, zone) &&
    lies_in_zone(s * FH_SECTION_FRAMES + (FH_SECTION_FRAMES - 1), zone);

  predicate section_has_zone{L}(integer s) =
    \exists integer zone; section_lies_in(s, zone);

  predicate can_be_covered{L}(integer s) =
    section_has_zone(s) && fh_layout.cover[s] == FH_COVER_NONE;

  predicate all_can_be_covered{L}(integer s, integer end) =
    \forall integer t; s <= t < end ==> can_be_covered(t);

  // The first of the sections that cannot be covered.
  predicate is_refused{L}(integer s, integer end, integer status) =
    \exists integer t; s <= t < end && all_can_be_covered(s, t) &&
      (status == FH_E_OUT_OF_BOUND
         ? !section_has_zone(t)
         : status == FH_E_TWICE && section_has_zone(t) &&
           fh_layout.cover[t] != FH_COVER_NONE);

  // So many pages may be added to each zone.
  predicate zones_can_grow{L}(integer n) =
    \forall integer zone; 0 <= zone < fh_layout.zone_count ==>
      fh_zones[zone].pages + n <= UINT64_MAX;

  predicate cover_is_apart{L} =
    \separated(fh_layout.cover + (0 .. fh_layout.section_count - 1),
               fh_layout.zone_by_section +
                 (0 .. fh_layout.section_count - 1)) &&
    \separated(fh_zones + (0 .. FH_MAX_ZONES - 1),
               fh_layout.cover + (0 .. fh_layout.section_count - 1));
*/

/* As fh_allocator_cover(). */
/*@
  requires layout_ok && cover_is_apart && zones_can_grow(n);
  assigns fh_zones[0 .. FH_MAX_ZONES - 1].pages,
          fh_layout.cover[0 .. fh_layout.section_count - 1];
  exits \false;
  ensures unchanged: \result != FH_OK ==> \forall integer s;
    0 <= s < fh_layout.section_count ==>
      fh_layout.cover[s] == \old(fh_layout.cover[s]);
  behavior empty:
    assumes n == 0;
    assigns \nothing;
    ensures \result == FH_E_EMPTY;
  behavior not_aligned:
    assumes n != 0 &&
      (first % FH_SECTION_FRAMES != 0 || n % FH_SECTION_FRAMES != 0);
    assigns \nothing;
    ensures \result == FH_E_NOT_ALIGNED;
  behavior refused:
    assumes n != 0 && first % FH_SECTION_FRAMES == 0 &&
      n % FH_SECTION_FRAMES == 0;
    assumes !all_can_be_covered(first / FH_SECTION_FRAMES,
      first / FH_SECTION_FRAMES + n / FH_SECTION_FRAMES);
    assigns \nothing;
    ensures is_refused{Pre}(first / FH_SECTION_FRAMES,
      first / FH_SECTION_FRAMES + n / FH_SECTION_FRAMES, \result);
  behavior covered:
    assumes n != 0 && first % FH_SECTION_FRAMES == 0 &&
      n % FH_SECTION_FRAMES == 0;
    assumes all_can_be_covered(first / FH_SECTION_FRAMES,
      first / FH_SECTION_FRAMES + n / FH_SECTION_FRAMES);
    ensures \result == FH_OK && layout_ok;
    ensures cover: \forall integer s; 0 <= s < fh_layout.section_count ==>
      fh_layout.cover[s] ==
        (first / FH_SECTION_FRAMES <= s <
           first / FH_SECTION_FRAMES + n / FH_SECTION_FRAMES
           ? FH_COVER_ALL : \old(fh_layout.cover[s]));
    ensures pages: \forall integer z; 0 <= z < fh_layout.zone_count ==>
      \old(fh_zones[z].pages) <= fh_zones[z].pages <=
        \old(fh_zones[z].pages) + n;
  complete behaviors;
  disjoint behaviors;
*/
FH_NODISCARD
enum fh_status fh_layout_cover(uint64_t first, uint64_t n);

#endif /* FRAMEHOLD_SRC_LAYOUT_H */
