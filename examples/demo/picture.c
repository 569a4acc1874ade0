/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The page around the drawing: title, legend with figures, style, and all
 * regions as a table. Colours are classes, "o" and the owner's number, so that
 * the two backgrounds differ in the style sheet only; pointing at an owner in
 * the legend fades all others, without a script.
 */
#include "picture.h"
#include "picture_grid.h"
#include "picture_zones.h"
#include "tables.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BAR_WIDTH  1000.0
#define BAR_HEIGHT 22.0

/* On a light and on a dark background. */
static const struct {
	const char *light;
	const char *dark;
} colours[OWNERS] = {
	[OWNER_FRAME] = {"#2166ac", "#4393e0"},
	[OWNER_TYPED] = {"#67b7e6", "#8fd0f5"},
	[OWNER_SEGMENT] = {"#12906b", "#1fb58a"},
	[OWNER_UNIQUE] = {"#e88a00", "#f59f1e"},
	[OWNER_LIST] = {"#f2cf1d", "#f7dc4a"},
	[OWNER_FORGOTTEN] = {"#c2569b", "#dd7cba"},
	[OWNER_UNUSED] = {"#7a5cc4", "#9d85dd"},
	[OWNER_FREE] = {"#e3e8ee", "#2a323c"},
	[OWNER_METADATA] = {"#4a4e57", "#9aa1ad"},
	[OWNER_EARLY] = {"#9a6b3f", "#b98a5c"},
	[OWNER_KERNEL] = {"#c8372d", "#e5594f"},
	[OWNER_UNUSABLE] = {"#6e1423", "#8f2f3e"},
	[OWNER_RESERVED] = {"#a9b0ba", "#59626e"},
	[OWNER_NOBODY] = {"url(#hatch)", "url(#hatch)"},
};

static void put_escaped(FILE *file, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '&')
			fputs("&amp;", file);
		else if (*text == '<')
			fputs("&lt;", file);
		else if (*text == '>')
			fputs("&gt;", file);
		else if ((unsigned char)*text >= ' ')
			fputc(*text, file);
	}
}

/* ---- Style ---- */

static void put_colours(FILE *file, bool dark)
{
	for (unsigned i = 0; i < OWNERS; i++)
		fprintf(file, ".o%u{fill:%s}.k%u{background:%s}\n", i,
			dark ? colours[i].dark : colours[i].light, i,
			i == OWNER_NOBODY ? "none"
			: dark            ? colours[i].dark
					  : colours[i].light);
}

static void put_fading(FILE *file)
{
	for (unsigned i = 0; i < OWNERS; i++)
		fprintf(file,
			"main:has(.l%u:hover) .cell rect:not(.o%u){"
			"opacity:.12}\n",
			i, i);
}

static void put_style(FILE *file)
{
	fputs("<style>\n"
	      ":root{color-scheme:light dark;--paper:#fbfcfd;--ink:#1d232b;"
	      "--quiet:#66707d;--line:#d4dae1}\n"
	      "body{margin:0;background:var(--paper);color:var(--ink);"
	      "font:15px/1.5 system-ui,sans-serif}\n"
	      "main{max-width:1180px;margin:0 auto;padding:28px 24px 48px}\n"
	      "h1{font-size:25px;line-height:1.2;margin:0 0 4px}\n"
	      "p{margin:0 0 18px;color:var(--quiet)}\n"
	      "svg{display:block;width:100%;height:auto}\n"
	      ".bar{border-radius:5px;margin-bottom:16px;height:22px}\n"
	      ".memory{margin:22px 0 10px}\n"
	      ".memory text{font:10px ui-monospace,monospace;"
	      "fill:var(--ink)}\n"
	      ".memory .address{text-anchor:end;fill:var(--quiet)}\n"
	      ".memory .bandtext{text-anchor:middle;fill:var(--quiet)}\n"
	      ".memory .quiet{fill:var(--quiet)}\n"
	      ".band{fill:url(#hatch);stroke:var(--line)}\n"
	      ".hatchline{fill:var(--line)}\n"
	      ".edge{fill:none;stroke:var(--ink);stroke-width:1}\n"
	      ".tick{stroke:var(--quiet)}\n"
	      ".cell:hover rect{stroke:var(--ink);stroke-width:1.5}\n"
	      "ul{list-style:none;margin:0;padding:0;display:grid;gap:2px 18px;"
	      "grid-template-columns:repeat(auto-fill,minmax(255px,1fr))}\n"
	      "li{display:grid;grid-template-columns:16px 1fr auto;gap:0 9px;"
	      "align-items:baseline;align-content:start;padding:3px 6px;"
	      "border-radius:5px}\n"
	      "li:hover{background:var(--line)}\n"
	      "li i{width:14px;height:14px;border-radius:3px;"
	      "align-self:center}\n"
	      "li small{grid-column:2/4;color:var(--quiet);line-height:1.2}\n"
	      "li span,td{font-variant-numeric:tabular-nums}\n"
	      "table{border-collapse:collapse;margin-top:8px}\n"
	      "td,th{padding:2px 22px 2px 0;text-align:left}\n"
	      ".n{text-align:right}\n"
	      "code{font:13px ui-monospace,monospace}\n"
	      "summary{cursor:pointer}\n"
	      "h2{font-size:18px;margin:26px 0 4px}\n"
	      ".zones{width:100%;margin:0 0 22px}\n"
	      ".zones th{font-weight:500;color:var(--quiet)}\n"
	      ".zones .wide{width:38%;padding-right:0}\n"
	      ".zones svg{height:14px;border-radius:3px}\n"
	      ".zused{fill:#2166ac}.zpart{fill:#e88a00}"
	      ".zwhole{fill:#8fce9f}\n"
	      ".key{display:inline-block;width:14px;height:14px;"
	      "border-radius:3px;vertical-align:-2px;margin-right:6px}\n"
	      ".key+.key{margin-left:16px}\n"
	      ".bused{background:#2166ac}.bpart{background:#e88a00}"
	      ".bwhole{background:#8fce9f}\n",
	      file);
	put_colours(file, false);
	put_fading(file);
	fputs("@media (prefers-color-scheme:dark){\n"
	      ":root{--paper:#12161b;--ink:#e6ebf1;--quiet:#96a1ae;"
	      "--line:#333c47}\n",
	      file);
	put_colours(file, true);
	fputs("}\n</style>\n", file);
}

/* ---- Text and figures ---- */

static void put_head(FILE *file, const struct picture *picture)
{
	fputs("<!DOCTYPE html>\n"
	      "<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n"
	      "<head><meta charset=\"utf-8\"/>\n"
	      "<meta name=\"viewport\" content=\"width=device-width\"/>\n"
	      "<title>Physical memory by owner: ",
	      file);
	put_escaped(file, picture->machine);
	fputs("</title>\n", file);
	put_style(file);
	fputs("</head>\n<body><main>\n<h1>Physical memory by owner</h1>\n<p>",
	      file);
	put_escaped(file, picture->caption);
	fputs("</p>\n", file);
}

/* All memory in one bar: what the grid shows in detail, in proportion. */
static void put_bar(FILE *file, const struct picture *picture)
{
	struct census owned = *picture->census;

	owned.pages[OWNER_NOBODY] = 0;
	fprintf(file,
		"<svg class=\"bar\" xmlns=\"http://www.w3.org/2000/svg\" "
		"viewBox=\"0 0 %g %g\" preserveAspectRatio=\"none\" "
		"role=\"img\" aria-label=\"shares of all memory\">\n"
		"<g class=\"cell\">",
		BAR_WIDTH, BAR_HEIGHT);
	picture_put_shares(file, &owned, 0.0, 0.0, BAR_WIDTH, BAR_HEIGHT);
	fputs("</g></svg>\n", file);
}

static void put_legend(FILE *file, const struct census *census)
{
	fputs("<ul>\n", file);
	for (unsigned i = 0; i < OWNERS; i++) {
		uint64_t pages = census->pages[i];

		if (pages == 0 || i == OWNER_NOBODY)
			continue;
		fprintf(file,
			"<li class=\"l%u\"><i class=\"k%u\"></i><b>%s</b>"
			"<span>%s</span><small>%s page%s: %s</small>"
			"</li>\n",
			i, i, owner_name((enum owner)i),
			number_size(pages).text, number_grouped(pages).text,
			pages == 1 ? "" : "s", owner_meaning((enum owner)i));
	}
	fputs("</ul>\n", file);
}

static void put_scale(FILE *file, uint64_t pages_per_cell)
{
	fprintf(file,
		"<p>One cell is %s (%s page%s). Within a cell each owner has "
		"a width in proportion to its pages, and at least a sliver. "
		"Lines mark where one region of the firmware's map ends and "
		"another begins. Point at a cell for its addresses and "
		"figures, at an owner above to see its pages alone.</p>\n",
		number_size(pages_per_cell).text,
		number_grouped(pages_per_cell).text,
		pages_per_cell == 1 ? "" : "s");
}

static void put_regions(FILE *file, const struct picture *picture)
{
	const struct fh_memory_map *map = picture->map;

	fprintf(file,
		"<details><summary>The %zu regions of the normalised map"
		"</summary>\n<table>\n"
		"<tr><th>first byte</th><th>last byte</th><th>kind</th>"
		"<th class=\"n\">pages</th><th class=\"n\">size</th></tr>\n",
		map->count);
	for (size_t i = 0; i < map->count; i++) {
		const struct fh_span *span = &map->spans[i];
		uint64_t base = span->first * FH_PAGE_SIZE;

		fprintf(file,
			"<tr><td><code>0x%" PRIx64 "</code></td>"
			"<td><code>0x%" PRIx64 "</code></td><td>%s</td>"
			"<td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
			base, base + (span->count * FH_PAGE_SIZE - 1),
			picture_span_name(picture, span),
			number_grouped(span->count).text,
			number_size(span->count).text);
	}
	fputs("</table></details>\n", file);
}

static void put_page(FILE *file, const struct picture *picture)
{
	put_head(file, picture);
	put_bar(file, picture);
	put_legend(file, picture->census);
	put_scale(file, picture_put_grid(file, picture));
	picture_put_zones(file, picture);
	put_regions(file, picture);
	fputs("</main></body></html>\n", file);
}

/* ---- The file ---- */

/* Each directory on the way to the file; those that exist are fine. */
static void make_directories(const char *path)
{
	char directory[4096];

	for (const char *slash = strchr(path, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		size_t length = (size_t)(slash - path);

		if (length == 0 || length >= sizeof(directory))
			continue;
		memcpy(directory, path, length);
		directory[length] = '\0';
		/* What goes wrong here shows when the file is opened. */
		(void)mkdir(directory, 0777);
	}
}

static bool complain(const char *path)
{
	fprintf(stderr, "fh-demo: cannot write %s: %s\n", path,
		strerror(errno));
	return false;
}

static bool write_page(const char *path, const struct picture *picture)
{
	make_directories(path);
	FILE *file = fopen(path, "w");
	if (file == NULL)
		return complain(path);
	put_page(file, picture);
	bool failed = ferror(file) != 0;
	failed = fclose(file) != 0 || failed;
	return failed ? complain(path) : true;
}

/* The map with what was plugged in as a region of its own, in its place. */
static void add_plugged(struct fh_memory_map *map, struct fh_range plugged)
{
	size_t at = map->count;

	while (at > 0 && map->spans[at - 1].first > plugged.first) {
		map->spans[at] = map->spans[at - 1];
		at--;
	}
	map->spans[at] = (struct fh_span){
		.first = plugged.first,
		.count = plugged.count,
		.kind = FH_REGION_USABLE,
	};
	map->count++;
}

bool picture_write(const char *path, const struct picture *picture)
{
	struct picture shown = *picture;
	struct fh_memory_map map = *picture->map;

	map.spans = malloc((map.count + 1) * sizeof(*map.spans));
	if (map.spans == NULL)
		return complain(path);
	memcpy(map.spans, picture->map->spans, map.count * sizeof(*map.spans));
	if (picture->plugged.count != 0)
		add_plugged(&map, picture->plugged);
	shown.map = &map;
	bool fine = write_page(path, &shown);
	free(map.spans);
	return fine;
}
