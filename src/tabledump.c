/* SPDX-License-Identifier: MPL-2.0 */
/* Tables for people: what is mapped, as runs. */
#include <framehold/tableaudit.h>

#include "cursor.h"
#include "line.h"

/* A dump under way: the last run is held back until it is known to end. */
struct dump {
	const struct fh_page_table *table;
	void (*show)(void *arg, const struct fh_table_run *run);
	void *arg;
	struct fh_table_run run; /* pages is 0: none yet */
};

static bool continues_run(const struct fh_table_run *run,
			  const struct fh_table_run *next)
{
	return run->pages != 0 && run->first + run->pages == next->first &&
	       run->frame + run->pages == next->frame &&
	       run->level == next->level &&
	       run->is_tracked == next->is_tracked &&
	       run->prop.flags == next->prop.flags &&
	       run->prop.cache == next->prop.cache;
}

static void end_run(struct dump *dump)
{
	if (dump->run.pages != 0)
		dump->show(dump->arg, &dump->run);
	dump->run.pages = 0;
}

static void dump_leaf(struct dump *dump, uint64_t pte, unsigned level,
		      uint64_t page)
{
	struct fh_mapping mapping;

	fh_describe(fh_table_is_device(dump->table), pte, level, page,
		    &mapping);
	struct fh_table_run next = {
		.first = page,
		.pages = mapping.pages,
		.frame = mapping.frame,
		.prop = mapping.prop,
		.is_tracked = mapping.is_tracked,
		.level = level,
	};

	if (continues_run(&dump->run, &next)) {
		dump->run.pages += next.pages;
		return;
	}
	end_run(dump);
	dump->run = next;
}

/* The entries of a node that map n pages from page on. */
static void dump_node(struct dump *dump, uint64_t node, unsigned level,
		      uint64_t page, uint64_t n)
{
	bool device = fh_table_is_device(dump->table);

	while (n > 0) {
		uint64_t piece = fh_pages_in_entry(page, n, level);
		uint64_t pte = fh_entry_read(node, fh_entry_index(page, level));
		enum fh_pte_kind kind = fh_pte_kind(device, pte, level);

		if (kind == FH_PTE_LEAF)
			dump_leaf(dump, pte, level, page);
		if (kind == FH_PTE_TABLE)
			dump_node(dump, fh_pte_frame(device, pte, level),
				  level - 1, page, piece);
		page += piece;
		n -= piece;
	}
}

void fh_dump_table(const struct fh_page_table *table,
		   void (*show)(void *arg, const struct fh_table_run *run),
		   void *arg)
{
	struct dump dump = {.table = table, .show = show, .arg = arg};
	struct fh_page_range range = fh_page_table_range(
		(enum fh_table_kind)table->kind, table->levels);

	dump_node(&dump, fh_frame_number(table->root), table->levels,
		  range.first, range.count);
	end_run(&dump);
}

static const char *const cache_names[FH_CACHE_KINDS] = {
	"",          " write-through",   " write-combining",
	" uncached", " write-protected",
};

static const struct {
	uint32_t flag;
	char letter;
} flag_letters[] = {
	{FH_PAGE_READ, 'r'},  {FH_PAGE_WRITE, 'w'},  {FH_PAGE_EXEC, 'x'},
	{FH_PAGE_USER, 'u'},  {FH_PAGE_GLOBAL, 'g'}, {FH_PAGE_ACCESSED, 'a'},
	{FH_PAGE_DIRTY, 'd'}, {FH_PAGE_SOFT, 's'},
};

void fh_table_run_text(const struct fh_table_run *run, char *text, size_t size)
{
	struct fh_line line = {.text = text, .size = size};

	fh_line_hex(&line, run->first * FH_PAGE_SIZE);
	fh_line_text(&line, " +");
	fh_line_hex(&line, run->pages);
	fh_line_text(&line, " -> ");
	fh_line_hex(&line, run->frame * FH_PAGE_SIZE);
	fh_line_text(&line, " level ");
	fh_line_number(&line, run->level, 10);
	fh_line_char(&line, ' ');
	for (size_t i = 0; i < sizeof(flag_letters) / sizeof(flag_letters[0]);
	     i++)
		fh_line_char(&line,
			     (run->prop.flags & flag_letters[i].flag) != 0
				     ? flag_letters[i].letter
				     : '-');
	fh_line_text(&line, run->is_tracked ? " tracked" : " untracked");
	fh_line_text(&line, cache_names[run->prop.cache % FH_CACHE_KINDS]);
	text[line.used] = '\0';
}
