/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A zone's bar is all its pages: in use, free in pieces, free in whole blocks
 * of 2 MiB.
 *
 *     [ in use ############ | pieces ++ | whole blocks ............ ]
 */
#include "picture_zones.h"
#include "tables.h"

#include <inttypes.h>

#define BAR_WIDTH 400.0

/* What a zone's pages are, as shares of the bar. */
struct shares {
	double used;
	double pieces;
	double whole;
};

static struct shares shares_of(uint64_t pages, uint64_t free, uint64_t blocks)
{
	uint64_t whole = blocks * BLOCK_PAGES;
	double unit = pages == 0 ? 0.0 : BAR_WIDTH / (double)pages;
	struct shares shares = {
		.used = (double)(pages - free) * unit,
		.pieces = (double)(free - whole) * unit,
		.whole = (double)whole * unit,
	};

	return shares;
}

static void put_piece(FILE *file, const char *kind, double x, double width)
{
	if (width > 0.0)
		fprintf(file,
			"<rect class=\"%s\" x=\"%.5g\" y=\"0\" width=\"%.5g\" "
			"height=\"14\"/>",
			kind, x, width);
}

static void put_bar(FILE *file, const struct shares *shares)
{
	fprintf(file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" "
		"viewBox=\"0 0 %g 14\" preserveAspectRatio=\"none\">",
		BAR_WIDTH);
	put_piece(file, "zused", 0.0, shares->used);
	put_piece(file, "zpart", shares->used, shares->pieces);
	put_piece(file, "zwhole", shares->used + shares->pieces, shares->whole);
	fputs("</svg>", file);
}

/* The cells of a row behind its name and place. */
static void put_figures(FILE *file, uint64_t pages, uint64_t free,
			uint64_t blocks, uint64_t longest)
{
	struct shares shares = shares_of(pages, free, blocks);

	fprintf(file,
		"<td class=\"n\">%s</td><td class=\"n\">%s</td>"
		"<td class=\"n\">%s</td><td class=\"n\">%s</td>"
		"<td class=\"wide\">",
		number_grouped(pages).text, number_grouped(free).text,
		number_grouped(blocks).text, number_size(longest).text);
	put_bar(file, &shares);
	fputs("</td></tr>\n", file);
}

static void put_zone(FILE *file, size_t index, const struct fh_zone_stats *zone)
{
	fprintf(file,
		"<tr><td>%zu</td><td><code>0x%" PRIx64 "</code></td>"
		"<td class=\"n\">%" PRIu64 "</td>",
		index, zone->first * FH_PAGE_SIZE, zone->node);
	put_figures(file, zone->pages, zone->free, zone->free_blocks,
		    zone->longest_run);
}

static void put_words(FILE *file, const struct picture *picture)
{
	const struct zones *zones = picture->zones;

	fprintf(file,
		"<p>%s of %s possible blocks of 2 MiB can be had (%s); at the "
		"start %s could. The longest run of free pages is %s, at the "
		"start %s.<br/><i class=\"key bused\"></i>in use"
		"<i class=\"key bpart\"></i>free, in pieces"
		"<i class=\"key bwhole\"></i>free, in blocks of 2 MiB</p>\n",
		number_grouped(zones->free_blocks).text,
		number_grouped(zones_possible_blocks(zones)).text,
		number_wholeness(zones).text,
		number_grouped(picture->at_start->free_blocks).text,
		number_size(zones->longest_run).text,
		number_size(picture->at_start->longest_run).text);
}

void picture_put_zones(FILE *file, const struct picture *picture)
{
	const struct zones *zones = picture->zones;

	fprintf(file, "<h2>Free memory in %zu zone%s</h2>\n", zones->count,
		zones->count == 1 ? "" : "s");
	put_words(file, picture);
	fputs("<table class=\"zones\">\n"
	      "<tr><th>zone</th><th>first byte</th><th class=\"n\">node</th>"
	      "<th class=\"n\">pages</th><th class=\"n\">free</th>"
	      "<th class=\"n\">2 MiB blocks</th>"
	      "<th class=\"n\">longest run</th><th class=\"wide\"></th></tr>\n",
	      file);
	for (size_t i = 0; i < zones->count; i++)
		put_zone(file, i, &zones->zone[i]);
	if (zones->count > 1) {
		fputs("<tr><td>all</td><td></td><td></td>", file);
		put_figures(file, zones->pages, zones->free, zones->free_blocks,
			    zones->longest_run);
	}
	fputs("</table>\n", file);
}
