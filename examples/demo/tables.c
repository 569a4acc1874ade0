/* SPDX-License-Identifier: MPL-2.0 */
/* Tables for people: right-aligned numbers, totals last. */
#include "tables.h"

#include <framehold/framehold.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MOST_SPANS_SHOWN 40

struct number number_grouped(uint64_t value)
{
	struct number number;
	char digits[24];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, value);
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			number.text[to++] = ',';
		number.text[to++] = digits[i];
	}
	number.text[to] = '\0';
	return number;
}

struct number number_size(uint64_t pages)
{
	static const char *const units[] = {"KiB", "MiB", "GiB",
					    "TiB", "PiB", "EiB"};
	struct number number;
	double value = (double)pages * 4.0;
	size_t unit = 0;

	while (value >= 1024.0 && unit < 5) {
		value /= 1024.0;
		unit++;
	}
	bool whole = value >= 100.0 || value == (double)(uint64_t)value;
	snprintf(number.text, sizeof(number.text), "%.*f %s", whole ? 0 : 1,
		 value, units[unit]);
	return number;
}

struct number number_short(double value)
{
	struct number number;

	if (value >= 1e6)
		snprintf(number.text, sizeof(number.text), "%.2f M",
			 value / 1e6);
	else if (value >= 1e3)
		snprintf(number.text, sizeof(number.text), "%.1f k",
			 value / 1e3);
	else
		snprintf(number.text, sizeof(number.text), "%.0f", value);
	return number;
}

/* ---- The map ---- */

static void print_span(const struct fh_span *span)
{
	uint64_t base = span->first * FH_PAGE_SIZE;

	printf("  0x%013" PRIx64 "  0x%013" PRIx64 "  %-20s %13s  %9s\n", base,
	       base + (span->count * FH_PAGE_SIZE - 1),
	       fh_region_kind_name(span->kind),
	       number_grouped(span->count).text, number_size(span->count).text);
}

static void print_kinds(const struct fh_memory_map *map)
{
	for (int kind = FH_REGION_USABLE; kind >= FH_REGION_BAD; kind--) {
		uint64_t pages = fh_map_pages(map, (enum fh_region_kind)kind);

		if (pages == 0)
			continue;
		printf("  %-34s %-20s %13s  %9s\n", "all together",
		       fh_region_kind_name((enum fh_region_kind)kind),
		       number_grouped(pages).text, number_size(pages).text);
	}
}

void tables_print_map(const struct fh_memory_map *map)
{
	size_t shown = map->count;

	if (shown > MOST_SPANS_SHOWN)
		shown = MOST_SPANS_SHOWN;
	printf("\n  %-15s  %-15s  %-20s %13s  %9s\n", "first byte", "last byte",
	       "kind", "pages", "size");
	for (size_t i = 0; i < shown; i++)
		print_span(&map->spans[i]);
	if (shown < map->count)
		printf("  ... and %zu more; the picture lists them all\n",
		       map->count - shown);
	print_kinds(map);
}

static void print_total(const char *name, uint64_t pages, const char *what)
{
	printf("  %-12s %13s  %9s  %s\n", name, number_grouped(pages).text,
	       number_size(pages).text, what);
}

void tables_print_bring_up(double milliseconds, uint64_t resident_bytes)
{
	struct fh_memory_totals totals;

	fh_memory_totals(&totals);
	printf("\nBrought up in %.1f ms, having touched %s of memory.\n",
	       milliseconds, number_size(resident_bytes / FH_PAGE_SIZE).text);
	printf("\n  %-12s %13s  %9s\n", "", "pages", "size");
	print_total("free", totals.handed_over, "handed to the allocator");
	print_total("metadata", totals.metadata,
		    "slots, ledger, the allocator's tables");
	if (totals.early != 0)
		print_total("early", totals.early, "taken before that");
	if (totals.kernel != 0)
		print_total("kernel", totals.kernel, "the image");
	if (totals.unusable != 0)
		print_total("unusable", totals.unusable,
			    "bad, or firmware keeps it");
	print_total("reserved", totals.reserved,
		    "reserved, and holes within sections of RAM");
}

/* ---- Operations ---- */

static void print_operation(const struct workload_row *row, double seconds)
{
	uint64_t tried = row->done + row->refused;

	printf("  %-36s %12s %11s %9s %10s\n", row->name,
	       number_grouped(row->done).text,
	       row->refused == 0 ? "" : number_grouped(row->refused).text,
	       number_short((double)row->done / seconds).text,
	       tried == 0 ? "" : number_grouped(row->nanoseconds / tried).text);
}

void tables_print_operations(const struct workload *workload)
{
	struct workload_totals totals = workload_totals(workload);
	struct workload_row row;
	const char *owner = "";

	for (size_t i = 0; workload_row(workload, i, &row); i++) {
		if (strcmp(owner, row.owner) != 0)
			printf("\n  %-36s %12s %11s %9s %10s\n", row.owner,
			       "done", "refused", "a second", "ns each");
		owner = row.owner;
		print_operation(&row, totals.seconds);
	}
	printf("\n  %-36s %12s %11s %9s\n", "all operations",
	       number_grouped(totals.operations).text, "",
	       number_short((double)totals.operations / totals.seconds).text);
}

/* ---- Owners ---- */

void tables_print_owners(const struct census *census)
{
	double total = (double)census_total(census);

	printf("\n  %-12s %13s  %9s  %7s\n", "owner", "pages", "size", "share");
	for (unsigned i = 0; i < OWNERS; i++) {
		uint64_t pages = census->pages[i];

		if (pages == 0 || i == OWNER_NOBODY)
			continue;
		printf("  %-12s %13s  %9s  %6.2f%%  %s\n",
		       owner_name((enum owner)i), number_grouped(pages).text,
		       number_size(pages).text, 100.0 * (double)pages / total,
		       owner_meaning((enum owner)i));
	}
}

/* ---- Zones ---- */

struct number number_wholeness(const struct zones *zones)
{
	uint64_t possible = zones_possible_blocks(zones);
	struct number number;

	snprintf(number.text, sizeof(number.text), "%.1f %%",
		 possible == 0 ? 100.0
			       : 100.0 * (double)zones->free_blocks /
					 (double)possible);
	return number;
}

static void print_zone(size_t index, const struct fh_zone_stats *zone)
{
	printf("  %4zu  0x%012" PRIx64 "  %4" PRIu64
	       " %13s %13s %10s %12s  %9s\n",
	       index, zone->first * FH_PAGE_SIZE, zone->node,
	       number_grouped(zone->pages).text,
	       number_grouped(zone->free).text,
	       number_grouped(zone->free_blocks).text,
	       number_grouped(zone->longest_run).text,
	       number_size(zone->longest_run).text);
}

void tables_print_zones(const struct zones *zones)
{
	printf("\n  %4s  %-14s  %4s %13s %13s %10s %12s\n", "zone",
	       "first byte", "node", "pages", "free", "2 MiB free",
	       "longest run");
	for (size_t i = 0; i < zones->count; i++)
		print_zone(i, &zones->zone[i]);
	printf("  %-26s %13s %13s %10s %12s  %9s\n", "all zones",
	       number_grouped(zones->pages).text,
	       number_grouped(zones->free).text,
	       number_grouped(zones->free_blocks).text,
	       number_grouped(zones->longest_run).text,
	       number_size(zones->longest_run).text);
	printf("  fragmentation: %s of %s possible blocks of 2 MiB can be had "
	       "(%s)\n",
	       number_grouped(zones->free_blocks).text,
	       number_grouped(zones_possible_blocks(zones)).text,
	       number_wholeness(zones).text);
}

/* ---- Exhaustion ---- */

static void print_round(const char *name, const struct exhaust_round *round)
{
	printf("  %-26s %13s %13s %13s %10s\n", name,
	       number_grouped(round->pages).text,
	       number_grouped(round->left).text,
	       number_grouped(round->segments).text,
	       round->blocks == 0 ? "" : number_grouped(round->blocks).text);
}

void tables_print_exhaustion(const struct exhaustion *result)
{
	printf("\n  %-26s %13s %13s %13s %10s\n", "", "pages", "left free",
	       "segments", "2 MiB");
	print_round("random lengths", &result->rounds[0]);
	print_round("2 MiB, then what is left", &result->rounds[1]);
	printf("  %-26s %13s %13s %13s %10s\n", "free before",
	       number_grouped(result->free).text, "", "",
	       number_grouped(result->free_blocks).text);
	printf("  %-26s %13s %13s %13s %10s\n", "back again, all memory",
	       number_grouped(result->after.free).text, "", "",
	       number_grouped(result->after.free_blocks).text);
}

static void print_count(const char *what, uint64_t count)
{
	printf("  %-44s %12s\n", what, number_grouped(count).text);
}

void tables_print_spaces(const struct spaces_result *result)
{
	print_count("address spaces made and given up", result->spaces);
	print_count("forks, with copy-on-write and shared memory",
		    result->forks);
	print_count("pages faulted in, zeroed", result->filled);
	print_count("write faults on pages to be copied", result->copied);
	print_count("leaves of 2 MiB, cut and unmapped", result->huge);
	print_count("additions to memory that all share", result->shared);
	print_count("accesses that had to succeed, and did", result->accesses);
	print_count("accesses that had to fail, and did", result->refused);
	print_count("tables walked by the MMU", result->walks);
	print_count("accesses by what it had cached", result->cached);
	print_count("calls that made it forget", result->flushes);
	printf("  in %.2f s; no CPU had anything cached that the tables do not "
	       "say\n",
	       result->seconds);
}
