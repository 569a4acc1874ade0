/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Memory that comes later: whole sections of zones that were laid out for it,
 * of which the allocator may then have each page. All of them are looked at
 * before the first is changed.
 */
#include "layout.h"

/* The zone that a section lies in as a whole; null: none. */
/*@
  requires layout_ok;
  assigns \nothing;
  exits \false;
  ensures none: \result == \null ==> !section_has_zone(section);
  ensures some: \result != \null ==> section < fh_layout.section_count &&
    \exists integer z; section_lies_in(section, z) &&
      \result == &fh_zones[z];
*/
static struct fh_zone *zone_of_section(uint64_t section)
{
	/*@ assert same: (section * FH_SECTION_FRAMES) / FH_SECTION_FRAMES ==
	  section; */
	/*@ assert same: (section * FH_SECTION_FRAMES +
	  (FH_SECTION_FRAMES - 1)) / FH_SECTION_FRAMES == section; */
	/*@ assert beyond: section >= fh_layout.section_count ==>
	  !section_has_zone(section); */
	if (section >= fh_layout.section_count)
		return NULL;
	uint64_t first = section * FH_SECTION_FRAMES;
	uint64_t last = first + (FH_SECTION_FRAMES - 1);
	struct fh_zone *zone = fh_layout_zone(first);
	struct fh_zone *other = fh_layout_zone(last);

	/*@ assert one: \forall integer z;
	  lies_in_zone(first, z) || lies_in_zone(last, z) ==>
	    z == fh_layout.zone_by_section[section] < FH_MAX_ZONES; */
	/*@ assert first: \forall integer z; lies_in_zone(first, z) ==>
	  zone == &fh_zones[z]; */
	/*@ assert last: \forall integer z; lies_in_zone(last, z) ==>
	  other == &fh_zones[z]; */
	/*@ assert some: \forall integer z; 0 <= z < FH_MAX_ZONES &&
	  lies_in_zone(first, z) ==> lies_in_some_zone(first); */
	/*@ assert there: \forall integer z; section_lies_in(section, z) ==>
	  zone == &fh_zones[z] && zone == other && zone != \null; */
	/*@ assert none: zone != other || zone == \null ==>
	  !section_has_zone(section); */
	return zone == other ? zone : NULL;
}

/* Why the section cannot be covered; FH_OK: it can. */
/*@
  requires layout_ok;
  assigns \nothing;
  exits \false;
  behavior foreign:
    assumes !section_has_zone(section);
    ensures \result == FH_E_OUT_OF_BOUND;
  behavior twice:
    assumes section_has_zone(section) &&
      fh_layout.cover[section] != FH_COVER_NONE;
    ensures \result == FH_E_TWICE;
  behavior fit:
    assumes can_be_covered(section);
    ensures \result == FH_OK;
  complete behaviors;
  disjoint behaviors;
*/
static enum fh_status refuse_section(uint64_t section)
{
	if (zone_of_section(section) == NULL)
		return FH_E_OUT_OF_BOUND;
	if (fh_layout.cover[section] != FH_COVER_NONE)
		return FH_E_TWICE;
	return FH_OK;
}

/*@
  requires layout_ok && cover_is_apart && can_be_covered(section);
  requires zones_can_grow(FH_SECTION_FRAMES);
  assigns fh_zones[0 .. FH_MAX_ZONES - 1].pages, fh_layout.cover[section];
  exits \false;
  ensures layout: layout_ok;
  ensures cover: fh_layout.cover[section] == FH_COVER_ALL;
  ensures zones: \forall integer s; 0 <= s && \old(section_has_zone(s)) ==>
    section_has_zone(s);
  ensures pages: \forall integer z; 0 <= z < fh_layout.zone_count ==>
    \old(fh_zones[z].pages) <= fh_zones[z].pages <=
      \old(fh_zones[z].pages) + FH_SECTION_FRAMES;
*/
static void cover_section(uint64_t section)
{
	struct fh_zone *zone = zone_of_section(section);

	(void)fh_word_add_relaxed(&zone->pages, FH_SECTION_FRAMES);
	/* Release: pairs with the acquire in fh_layout_covers(). */
	fh_byte_store_release(&fh_layout.cover[section], FH_COVER_ALL);
	/*@ assert by_section: \forall integer s;
	  0 <= s < fh_layout.section_count ==>
	    fh_layout.zone_by_section[s] ==
	      \at(fh_layout.zone_by_section[s],Pre); */
	/*@ assert lies: \forall integer page, integer z;
	  0 <= page && lies_in_zone{Pre}(page, z) ==> lies_in_zone(page, z); */
	/*@ assert lie: \forall integer s, integer z;
	  0 <= s && section_lies_in{Pre}(s, z) ==> section_lies_in(s, z); */
}

enum fh_status fh_layout_cover(uint64_t first, uint64_t n)
{
	uint64_t begin = first / FH_SECTION_FRAMES;
	uint64_t end = begin + n / FH_SECTION_FRAMES;

	if (n == 0)
		return FH_E_EMPTY;
	if (first % FH_SECTION_FRAMES != 0 || n % FH_SECTION_FRAMES != 0)
		return FH_E_NOT_ALIGNED;
	/*@
	  loop invariant begin <= s <= end;
	  loop invariant all_can_be_covered(begin, s);
	  loop assigns s;
	  loop variant end - s;
	*/
	for (uint64_t s = begin; s < end; s++) {
		enum fh_status status = refuse_section(s);

		if (status != FH_OK)
			return status;
	}
	/*@
	  loop invariant begin <= s <= end;
	  loop invariant layout_ok && cover_is_apart;
	  loop invariant rest: all_can_be_covered(s, end);
	  loop invariant cover: \forall integer t;
	    0 <= t < fh_layout.section_count ==> fh_layout.cover[t] ==
	      (begin <= t < s ? FH_COVER_ALL : \at(fh_layout.cover[t],Pre));
	  loop invariant pages: \forall integer z;
	    0 <= z < fh_layout.zone_count ==>
	      \at(fh_zones[z].pages,Pre) <= fh_zones[z].pages <=
	        \at(fh_zones[z].pages,Pre) + (s - begin) * FH_SECTION_FRAMES;
	  loop assigns s, fh_zones[0 .. FH_MAX_ZONES - 1].pages,
	    fh_layout.cover[0 .. fh_layout.section_count - 1];
	  loop variant end - s;
	*/
	for (uint64_t s = begin; s < end; s++)
		cover_section(s);
	return FH_OK;
}
