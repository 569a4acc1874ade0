/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The grid shows memory in address order: a row is COLUMNS cells, a cell is a
 * power of two of pages, chosen so that any machine fits. Within a cell every
 * owner has a share of the width in proportion to its pages, and at least a
 * sliver. Rows without metadata are left out; a band says how much that is.
 *
 *     gutter          grid                              margin
 *     0x00000000      [][][][][][][][]... COLUMNS       usable, 310 MiB
 *     0x02000000      [][][][][][][][]...
 *     ----------- 1 GiB without RAM ----------
 */
#include "picture_grid.h"
#include "tables.h"

#include <framehold/slot.h>

#include <inttypes.h>

#define COLUMNS   UINT64_C(64)
#define MOST_ROWS UINT64_C(56)

/* Pixels. */
#define CELL       12.0
#define CELL_FILL  11.0
#define SLIVER     1.5
#define GUTTER     118.0
#define MARGIN     200.0
#define BAND       26.0
#define GRID_WIDTH ((double)COLUMNS * CELL)
#define FULL_WIDTH (GUTTER + GRID_WIDTH + MARGIN)

struct canvas {
	FILE *file;
	const struct picture *picture;
	uint64_t pages_per_cell;
	double y; /* where the next row goes */
};

static uint64_t pages_per_row(const struct canvas *canvas)
{
	return canvas->pages_per_cell * COLUMNS;
}

static double column_x(uint64_t column)
{
	return GUTTER + (double)column * CELL;
}

/* ---- Scale ---- */

/* Whether any page from first up to end has metadata. */
static bool has_metadata(uint64_t first, uint64_t end)
{
	if (end > fh_memory.frame_end)
		end = fh_memory.frame_end;
	for (uint64_t i = first; i < end;
	     i = (i / FH_SECTION_FRAMES + 1) * FH_SECTION_FRAMES)
		if (fh_memory.sections[i / FH_SECTION_FRAMES] !=
		    FH_SECTION_ABSENT)
			return true;
	return false;
}

static uint64_t count_rows(uint64_t per_row)
{
	uint64_t rows = 0;

	for (uint64_t first = 0; first < fh_memory.frame_end; first += per_row)
		if (has_metadata(first, first + per_row))
			rows++;
	return rows;
}

static uint64_t choose_scale(void)
{
	uint64_t pages = 1;

	while (fh_memory.frame_end / (pages * COLUMNS) > 100 * MOST_ROWS)
		pages *= 2;
	while (count_rows(pages * COLUMNS) > MOST_ROWS)
		pages *= 2;
	return pages;
}

/* ---- Cells ---- */

static void put_title(FILE *file, uint64_t first, uint64_t count,
		      const struct census *census)
{
	const char *separator = ": ";

	fprintf(file, "<title>0x%" PRIx64 " – 0x%" PRIx64, first * FH_PAGE_SIZE,
		(first + count) * FH_PAGE_SIZE - 1);
	for (unsigned i = 0; i < OWNERS; i++) {
		if (census->pages[i] == 0)
			continue;
		fprintf(file, "%s%s %" PRIu64, separator,
			owner_name((enum owner)i), census->pages[i]);
		separator = ", ";
	}
	fputs("</title>", file);
}

/* Widths that add up to the whole, none below a sliver. */
static void share_width(const struct census *census, double width,
			double widths[OWNERS])
{
	double total = 0.0;
	double slivers = 0.0;

	for (unsigned i = 0; i < OWNERS; i++) {
		total += (double)census->pages[i];
		slivers += census->pages[i] != 0 ? SLIVER : 0.0;
	}
	for (unsigned i = 0; i < OWNERS; i++) {
		double share = (double)census->pages[i] / total;

		widths[i] = census->pages[i] == 0 ? 0.0
			    : slivers < width
				    ? SLIVER + share * (width - slivers)
				    : share * width;
	}
}

void picture_put_shares(FILE *file, const struct census *census, double x,
			double y, double width, double height)
{
	double widths[OWNERS];

	share_width(census, width, widths);
	for (unsigned i = 0; i < OWNERS; i++) {
		if (census->pages[i] == 0)
			continue;
		fprintf(file,
			"<rect class=\"o%u\" x=\"%.5g\" y=\"%g\" "
			"width=\"%.3g\" height=\"%g\"/>",
			i, x, y, widths[i], height);
		x += widths[i];
	}
}

static void put_cell(const struct canvas *canvas, uint64_t first,
		     uint64_t column)
{
	struct census census = census_of(first, canvas->pages_per_cell);

	fputs("<g class=\"cell\">", canvas->file);
	put_title(canvas->file, first, canvas->pages_per_cell, &census);
	picture_put_shares(canvas->file, &census, column_x(column), canvas->y,
			   CELL_FILL, CELL_FILL);
	fputs("</g>\n", canvas->file);
}

/* ---- Regions ---- */

const char *picture_span_name(const struct picture *picture,
			      const struct fh_span *span)
{
	if (picture->plugged.count != 0 &&
	    span->first == picture->plugged.first)
		return "plugged in";
	return fh_region_kind_name(span->kind);
}

/*
 * The line between two cells of a row, and between the rows where it bends: a
 * region begins there, so all before it lies left and above.
 */
static void put_edge(const struct canvas *canvas, uint64_t column)
{
	double x = column_x(column) - 0.5;
	double y = canvas->y - 0.5;

	fprintf(canvas->file, "<path class=\"edge\" d=\"M%g %gH%gV%gH%g\"/>\n",
		GUTTER - 0.5, y + CELL, x, y, GUTTER + GRID_WIDTH - 0.5);
}

static void put_edges(const struct canvas *canvas, uint64_t row_first)
{
	const struct fh_memory_map *map = canvas->picture->map;
	uint64_t last_column = COLUMNS;

	for (size_t i = 0; i < map->count; i++) {
		uint64_t first = map->spans[i].first;

		if (first == 0 || first < row_first ||
		    first - row_first >= pages_per_row(canvas))
			continue;
		uint64_t column = (first - row_first) / canvas->pages_per_cell;
		if (column != last_column)
			put_edge(canvas, column);
		last_column = column;
	}
}

/* The largest region that begins in the row, and how many others do. */
static const struct fh_span *main_region(const struct canvas *canvas,
					 uint64_t row_first, size_t *others)
{
	const struct fh_memory_map *map = canvas->picture->map;
	const struct fh_span *largest = NULL;
	size_t n = 0;

	for (size_t i = 0; i < map->count; i++) {
		const struct fh_span *span = &map->spans[i];

		if (span->first < row_first ||
		    span->first - row_first >= pages_per_row(canvas))
			continue;
		n++;
		if (largest == NULL || span->count > largest->count)
			largest = span;
	}
	*others = n == 0 ? 0 : n - 1;
	return largest;
}

static void put_region_titles(const struct canvas *canvas, uint64_t row_first)
{
	const struct fh_memory_map *map = canvas->picture->map;
	size_t listed = 0;

	fputs("<title>", canvas->file);
	for (size_t i = 0; i < map->count && listed < 20; i++) {
		const struct fh_span *span = &map->spans[i];

		if (span->first < row_first ||
		    span->first - row_first >= pages_per_row(canvas))
			continue;
		fprintf(canvas->file, "0x%" PRIx64 ": %s, %s\n",
			span->first * FH_PAGE_SIZE,
			picture_span_name(canvas->picture, span),
			number_size(span->count).text);
		listed++;
	}
	fputs("</title>", canvas->file);
}

static void put_region_label(const struct canvas *canvas, uint64_t row_first)
{
	size_t others;
	const struct fh_span *span = main_region(canvas, row_first, &others);

	if (span == NULL)
		return;
	fprintf(canvas->file,
		"<path class=\"tick\" d=\"M%g %gh8\"/>"
		"<text x=\"%g\" y=\"%g\">",
		GUTTER + GRID_WIDTH + 1, canvas->y + CELL / 2,
		GUTTER + GRID_WIDTH + 14, canvas->y + CELL - 3);
	put_region_titles(canvas, row_first);
	fprintf(canvas->file, "%s, %s",
		picture_span_name(canvas->picture, span),
		number_size(span->count).text);
	if (others != 0)
		fprintf(canvas->file,
			" <tspan class=\"quiet\">and %zu more</tspan>", others);
	fputs("</text>\n", canvas->file);
}

/* ---- Rows ---- */

static void put_row(struct canvas *canvas, uint64_t row_first)
{
	fprintf(canvas->file,
		"<text class=\"address\" x=\"%g\" y=\"%g\">0x%09" PRIx64
		"</text>\n",
		GUTTER - 8, canvas->y + CELL - 3, row_first * FH_PAGE_SIZE);
	for (uint64_t column = 0; column < COLUMNS; column++)
		put_cell(canvas, row_first + column * canvas->pages_per_cell,
			 column);
	put_edges(canvas, row_first);
	put_region_label(canvas, row_first);
	canvas->y += CELL;
}

/* Pages of spans from first up to end, by kind, as words. */
static void put_kinds_between(const struct canvas *canvas, uint64_t first,
			      uint64_t end)
{
	uint64_t pages[FH_REGION_KINDS] = {0};
	const struct fh_memory_map *map = canvas->picture->map;

	for (size_t i = 0; i < map->count; i++) {
		const struct fh_span *span = &map->spans[i];
		uint64_t low = span->first < first ? first : span->first;
		uint64_t high = span->first + span->count;

		if (high > end)
			high = end;
		if (low < high)
			pages[span->kind] += high - low;
	}
	for (int kind = 0; kind < FH_REGION_KINDS; kind++)
		if (pages[kind] != 0)
			fprintf(canvas->file, ", %s %s",
				number_size(pages[kind]).text,
				fh_region_kind_name((enum fh_region_kind)kind));
}

static void put_band(struct canvas *canvas, uint64_t first, uint64_t end)
{
	double height = BAND - 8;
	double y = canvas->y + 3.5;

	fprintf(canvas->file,
		"<rect class=\"band\" x=\"%g\" y=\"%g\" width=\"%g\" "
		"height=\"%g\"/>\n"
		"<text class=\"bandtext\" x=\"%g\" y=\"%g\">%s without "
		"metadata",
		GUTTER, y, GRID_WIDTH - 1, height, GUTTER + GRID_WIDTH / 2,
		y + height / 2 + 3.5, number_size(end - first).text);
	put_kinds_between(canvas, first, end);
	fputs("</text>\n", canvas->file);
	fprintf(canvas->file,
		"<text class=\"address\" x=\"%g\" y=\"%g\">0x%09" PRIx64
		"</text>\n",
		GUTTER - 8, y + height / 2 + 3.5, first * FH_PAGE_SIZE);
	canvas->y += BAND;
}

/* ---- The whole ---- */

/* A row, or a run of rows without metadata. */
struct strip {
	uint64_t first;
	uint64_t end;
	bool is_band;
};

static uint64_t map_end(const struct fh_memory_map *map)
{
	if (map->count == 0)
		return 0;
	return map->spans[map->count - 1].first +
	       map->spans[map->count - 1].count;
}

static size_t add_strip(struct strip *strips, size_t n, uint64_t first,
			uint64_t end, bool is_band)
{
	if (first >= end)
		return n;
	strips[n] = (struct strip){first, end, is_band};
	return n + 1;
}

/* Every row may have a band before it, and one follows the last. */
static size_t find_strips(const struct canvas *canvas,
			  struct strip strips[2 * MOST_ROWS + 1])
{
	uint64_t per_row = pages_per_row(canvas);
	uint64_t covered = 0;
	size_t n = 0;

	for (uint64_t first = 0; first < fh_memory.frame_end;
	     first += per_row) {
		if (!has_metadata(first, first + per_row))
			continue;
		n = add_strip(strips, n, covered, first, true);
		n = add_strip(strips, n, first, first + per_row, false);
		covered = first + per_row;
	}
	return add_strip(strips, n, covered, map_end(canvas->picture->map),
			 true);
}

static void put_pattern(FILE *file)
{
	fputs("<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" "
	      "patternUnits=\"userSpaceOnUse\" "
	      "patternTransform=\"rotate(45)\">"
	      "<rect class=\"hatchline\" width=\"1.5\" height=\"6\"/>"
	      "</pattern></defs>\n",
	      file);
}

uint64_t picture_put_grid(FILE *file, const struct picture *picture)
{
	struct strip strips[2 * MOST_ROWS + 1];
	struct canvas canvas = {
		.file = file,
		.picture = picture,
		.pages_per_cell = choose_scale(),
		.y = 2.0,
	};
	size_t n = find_strips(&canvas, strips);
	double height = 2.0 * canvas.y;

	for (size_t i = 0; i < n; i++)
		height += strips[i].is_band ? BAND : CELL;
	fprintf(file,
		"<svg class=\"memory\" xmlns=\"http://www.w3.org/2000/svg\" "
		"viewBox=\"0 0 %g %g\" role=\"img\" "
		"aria-label=\"physical memory by owner\">\n",
		FULL_WIDTH, height);
	put_pattern(file);
	for (size_t i = 0; i < n; i++) {
		if (strips[i].is_band)
			put_band(&canvas, strips[i].first, strips[i].end);
		else
			put_row(&canvas, strips[i].first);
	}
	fputs("</svg>\n", file);
	return canvas.pages_per_cell;
}
