/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where a CPU is at home: the zone that it takes pages from first. CPUs of a
 * node share the zones of that node, each beginning with another.
 */
#include "layout.h"

/*@
  logic integer cpus_of{L}(integer node, integer n) =
    n <= 0 ? 0 :
    cpus_of(node, n - 1) + (cpu_node(n - 1) == node ? 1 : 0);

  predicate is_range(integer range) =
    range == 1 || range == 2 || range == 4 || range == 8 || range == 16 ||
    range == 32 || range == 64;

  // The bits of rank in reverse, the lowest as many as highest.
  logic integer reversed(integer rank, integer highest) =
    highest <= 0 ? 0 :
    rank % 2 * highest + reversed(rank / 2, highest / 2);
*/

/*@
  requires map_there;
  requires fh_layout.topology != \null &&
    fh_layout.topology->cpu_nodes != \null ==>
      \valid_read(fh_layout.topology->cpu_nodes
        + (0 .. fh_layout.topology->cpu_count - 1));
  assigns \nothing;
  exits \false;
  behavior known:
    assumes fh_layout.topology != \null &&
            fh_layout.topology->cpu_nodes != \null &&
            cpu < fh_layout.topology->cpu_count;
    ensures \result == fh_layout.topology->cpu_nodes[cpu];
  behavior unknown:
    assumes fh_layout.topology == \null ||
            fh_layout.topology->cpu_nodes == \null ||
            cpu >= fh_layout.topology->cpu_count;
    ensures \result == 0;
  complete behaviors;
  disjoint behaviors;
*/
static uint32_t node_of_cpu(unsigned cpu)
{
	const struct fh_topology *topology = fh_layout.topology;

	if (topology == NULL || topology->cpu_nodes == NULL ||
	    cpu >= topology->cpu_count)
		return 0;
	return topology->cpu_nodes[cpu];
}

/* How many CPUs of the same node have lower numbers. */
/*@
  requires cpus_there;
  assigns \nothing;
  exits \false;
  ensures \result == cpus_of(cpu_node(cpu), cpu);
*/
static uint64_t rank_in_node(unsigned cpu)
{
	uint64_t rank = 0;

	/*@
	  loop invariant 0 <= i <= cpu && rank <= i;
	  loop invariant rank == cpus_of(cpu_node(cpu), i);
	  loop assigns i, rank;
	  loop variant cpu - i;
	*/
	for (unsigned i = 0; i < cpu; i++)
		if (node_of_cpu(i) == node_of_cpu(cpu))
			rank++;
	return rank;
}

/* The bits of rank below `range`, a power of two, in reverse. */
/*@
  requires is_range(range);
  assigns \nothing;
  exits \false;
  ensures \result == reversed(rank, range / 2);
  ensures \result < range;
*/
static uint64_t spread(uint64_t rank, uint64_t range)
{
	uint64_t place = 0;

	/*@
	  loop invariant step == 0 || is_range(step);
	  loop invariant step > 0 ==> place + 2 * step <= range;
	  loop invariant step == 0 ==> place < range;
	  loop invariant place + reversed(rank, step) ==
	    reversed(\at(rank,Pre), range / 2);
	  loop assigns step, rank, place;
	  loop variant step;
	*/
	for (uint64_t step = range / 2; step > 0; step /= 2) {
		place += rank % 2 * step;
		rank /= 2;
	}
	/*@ assert reversed(rank, 0) == 0; */
	return place;
}

/*@
  requires fh_layout.zone_count <= FH_MAX_ZONES;
  assigns \nothing;
  exits \false;
  ensures \result == zones_of(node, fh_layout.zone_count);
  ensures \result <= fh_layout.zone_count;
*/
static uint64_t count_zones_of(uint64_t node)
{
	uint64_t n = 0;

	/*@
	  loop invariant 0 <= i <= fh_layout.zone_count && n <= i;
	  loop invariant n == zones_of(node, i);
	  loop assigns i, n;
	  loop variant fh_layout.zone_count - i;
	*/
	for (uint64_t i = 0; i < fh_layout.zone_count; i++)
		if (fh_zones[i].node == node)
			n++;
	return n;
}

/* The index of the highest zone of the node but so many; there is one. */
/*@
  requires fh_layout.zone_count <= FH_MAX_ZONES;
  requires but < zones_of(node, fh_layout.zone_count);
  assigns \nothing;
  exits \false;
  ensures \result < fh_layout.zone_count;
  ensures fh_zones[\result].node == node;
  ensures zones_of(node, \result) ==
    zones_of(node, fh_layout.zone_count) - but - 1;
*/
static uint64_t zone_of_node(uint64_t node, uint64_t but)
{
	uint64_t i = fh_layout.zone_count - 1;

	/*@
	  loop invariant 0 <= i < fh_layout.zone_count;
	  loop invariant 0 <= but < zones_of(node, i + 1);
	  loop invariant zones_of(node, i + 1) - but ==
	    zones_of(node, fh_layout.zone_count) - \at(but,Pre);
	  loop assigns i, but;
	  loop variant i;
	*/
	while (i > 0 && (fh_zones[i].node != node || but > 0)) {
		if (fh_zones[i].node == node)
			but--;
		i--;
	}
	return i;
}

/*
 * CPUs of a node take different zones of it, as far apart as possible, because
 * each goes on downwards when its own is empty; low memory is last.
 */
uint64_t fh_layout_home(unsigned cpu)
{
	uint64_t zones = count_zones_of(node_of_cpu(cpu));
	uint64_t rank = rank_in_node(cpu);
	uint64_t range = 1;

	if (zones == 0)
		return fh_layout.zone_count - 1;
	/*@
	  loop invariant is_range(range);
	  loop assigns range;
	  loop variant zones - range;
	*/
	while (range < zones)
		range *= 2;
	uint64_t place = spread(rank % range, range);
	if (place >= zones)
		place = rank % zones;
	return zone_of_node(node_of_cpu(cpu), place);
}
