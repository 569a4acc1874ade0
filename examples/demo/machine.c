/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Bring-up of the demo's machine. CPUs are spread over the nodes evenly: no
 * file says where they are. What is to be plugged in lies above all RAM, at an
 * address that no region of the map has.
 */
#define _GNU_SOURCE

#include "machine.h"
#include "mapfile.h"

#include "hosted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Less RAM than this is not worth the metadata for more. */
#define LEAST_RAM_TO_PLUG ((UINT64_C(64) << 20) / FH_PAGE_SIZE)
/* What is plugged in: a sixteenth of RAM, within these. */
#define LEAST_PLUG FH_SECTION_FRAMES
#define MOST_PLUG  (8 * FH_SECTION_FRAMES)

static double milliseconds_since(const struct timespec *start)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	return (double)(end.tv_sec - start->tv_sec) * 1e3 +
	       (double)(end.tv_nsec - start->tv_nsec) / 1e6;
}

/* ---- Nodes ---- */

static bool read_nodes(const struct options *options, struct nodes *nodes)
{
	bool from_map = options->ram == 0 && mapfile_has_nodes(options->map);

	if (options->numa != NULL)
		return mapfile_read_nodes(options->numa, nodes);
	if (from_map)
		return mapfile_read_nodes(options->map, nodes);
	nodes->count = 0;
	nodes->ranges = malloc(sizeof(*nodes->ranges));
	if (nodes->ranges == NULL)
		fprintf(stderr, "fh-demo: no memory\n");
	return nodes->ranges != NULL;
}

/* Whether a range before the index-th is of the same node. */
static bool node_is_known(const struct nodes *nodes, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (nodes->ranges[i].node == nodes->ranges[index].node)
			return true;
	return false;
}

static size_t count_nodes(const struct nodes *nodes)
{
	size_t n = 0;

	for (size_t i = 0; i < nodes->count; i++)
		n += !node_is_known(nodes, i);
	return n;
}

/* The rank-th node that the ranges name. */
static uint32_t nth_node(const struct nodes *nodes, size_t rank)
{
	for (size_t i = 0; i < nodes->count; i++)
		if (!node_is_known(nodes, i) && rank-- == 0)
			return nodes->ranges[i].node;
	return 0;
}

static void place_cpus(struct machine *machine, const struct nodes *nodes,
		       unsigned cpus)
{
	machine->node_count = count_nodes(nodes);
	for (unsigned cpu = 0; cpu < cpus; cpu++)
		machine->cpu_nodes[cpu] =
			nth_node(nodes, cpu * machine->node_count / cpus);
}

/* ---- Memory to be plugged in ---- */

/* Sums of whole pages cannot wrap around. */
static uint64_t end_of(const struct fh_region *region)
{
	uint64_t bytes =
		region->base % FH_PAGE_SIZE + region->size % FH_PAGE_SIZE;

	return region->base / FH_PAGE_SIZE + region->size / FH_PAGE_SIZE +
	       (bytes + FH_PAGE_SIZE - 1) / FH_PAGE_SIZE;
}

static uint64_t round_up(uint64_t page)
{
	uint64_t sections = (page + FH_SECTION_FRAMES - 1) / FH_SECTION_FRAMES;

	return sections * FH_SECTION_FRAMES;
}

/* The first place at or above `first` that no region has. */
static uint64_t place_above(const struct regions *regions, uint64_t first,
			    uint64_t count)
{
	size_t i = 0;

	while (i < regions->count) {
		const struct fh_region *region = &regions->entries[i];

		if (end_of(region) > first &&
		    region->base / FH_PAGE_SIZE < first + count) {
			first = round_up(end_of(region));
			i = 0;
		} else {
			i++;
		}
	}
	return first;
}

static uint64_t end_of_ram(const struct regions *regions,
			   const struct nodes *nodes)
{
	uint64_t end = 0;

	for (size_t i = 0; i < regions->count; i++)
		if (fh_region_is_physical(regions->entries[i].kind) &&
		    end_of(&regions->entries[i]) > end)
			end = end_of(&regions->entries[i]);
	for (size_t i = 0; i < nodes->count; i++)
		if (nodes->ranges[i].hot_plug &&
		    nodes->ranges[i].first + nodes->ranges[i].count > end)
			end = nodes->ranges[i].first + nodes->ranges[i].count;
	return end;
}

static uint64_t usable_pages(const struct regions *regions)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < regions->count; i++)
		if (regions->entries[i].kind == FH_REGION_USABLE)
			pages += regions->entries[i].size / FH_PAGE_SIZE;
	return pages;
}

static uint64_t choose_plug_size(uint64_t ram)
{
	uint64_t pages = ram / 16 / FH_SECTION_FRAMES * FH_SECTION_FRAMES;

	return pages < LEAST_PLUG  ? LEAST_PLUG
	       : pages > MOST_PLUG ? MOST_PLUG
				   : pages;
}

/* Announces it, as the last range, of the node that the last one is of. */
static struct fh_range announce_plug(const struct regions *regions,
				     struct nodes *nodes)
{
	struct fh_range none = {0, 0};
	uint64_t ram = usable_pages(regions);
	uint64_t end = end_of_ram(regions, nodes);
	uint64_t count = choose_plug_size(ram);

	if (ram < LEAST_RAM_TO_PLUG || end >= FH_MAX_FRAMES / 2)
		return none;
	uint64_t first = place_above(regions, round_up(end), count);
	if (first >= FH_MAX_FRAMES / 2)
		return none;
	nodes->ranges[nodes->count] = (struct fh_node_range){
		.first = first,
		.count = count,
		.node = nodes->count == 0
				? 0
				: nodes->ranges[nodes->count - 1].node,
		.hot_plug = true,
	};
	nodes->count++;
	return (struct fh_range){first, count};
}

/* ---- Bring-up ---- */

static bool describe(const struct options *options, struct machine *machine,
		     struct regions *regions)
{
	struct nodes nodes;

	if (options->ram != 0 ? !mapfile_make(options->ram, regions)
			      : !mapfile_read(options->map, regions))
		return false;
	if (!read_nodes(options, &nodes)) {
		free(regions->entries);
		return false;
	}
	place_cpus(machine, &nodes, options->cpus);
	machine->plug = announce_plug(regions, &nodes);
	machine->ranges = nodes.ranges;
	machine->topology = (struct fh_topology){
		.ranges = nodes.ranges,
		.range_count = nodes.count,
		.cpu_nodes = machine->cpu_nodes,
		.cpu_count = options->cpus,
	};
	return true;
}

bool machine_start(const struct options *options, struct machine *machine)
{
	struct hosted_options hosted = {.topology = &machine->topology};
	struct regions regions;
	struct timespec start;

	memset(machine, 0, sizeof(*machine));
	machine->name = options->ram != 0 ? "made-up machine" : options->map;
	if (!describe(options, machine, &regions))
		return false;
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	enum fh_status status =
		hosted_start(regions.entries, regions.count, &hosted);
	machine->milliseconds = milliseconds_since(&start);
	machine->entries = regions.count;
	free(regions.entries);
	if (status == FH_OK)
		return true;
	fprintf(stderr, "fh-demo: %s: this machine cannot work: %s\n",
		machine->name, hosted_why());
	free(machine->ranges);
	return false;
}

void machine_stop(struct machine *machine)
{
	hosted_stop();
	free(machine->ranges);
}
