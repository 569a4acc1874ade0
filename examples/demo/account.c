/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The proof at the end: the allocator, the slots and the ledger are compared
 * with what they said at the start, each for itself.
 */
#include "account.h"
#include "note.h"
#include "tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool account_audit(const char *when)
{
	struct fh_finding finding;
	char text[FH_FINDING_TEXT_SIZE];

	if (fh_audit(&finding) == FH_OK) {
		printf("audit %s: no broken rule\n", when);
		return true;
	}
	fh_finding_text(&finding, text, sizeof(text));
	fprintf(stderr, "fh-demo: audit %s: %s\n", when, text);
	return false;
}

struct account account_take(void)
{
	struct account account;

	memset(&account, 0, sizeof(account));
	fh_alloc_stats(&account.allocator);
	fh_audit_summary(&account.pages);
	return account;
}

/* Says the comparison, and whether it holds. */
static bool same(const char *what, uint64_t found, uint64_t needed)
{
	printf("  %-44s %15s %15s%s\n", what, number_grouped(found).text,
	       number_grouped(needed).text,
	       found == needed ? "" : "  DIFFERENT");
	return found == needed;
}

static void print_leaks(void)
{
	struct fh_leak leaks[16];
	size_t n = fh_ledger_leaks(leaks, 16);

	for (size_t i = 0; i < n; i++)
		fprintf(stderr,
			"fh-demo: %" PRIu64
			" of kind %s were made at 0x%" PRIxPTR
			" and never given up; one is page 0x%" PRIx64 "\n",
			leaks[i].handles, fh_unit_name(leaks[i].kind),
			leaks[i].site, leaks[i].first);
}

static bool compare_units(const struct account *before,
			  const struct account *after)
{
	bool fine = true;

	for (int kind = 0; kind < FH_UNIT_KINDS; kind++)
		fine &= after->pages.units[kind] == before->pages.units[kind];
	if (!fine)
		printf("  units of ownership by kind DIFFERENT\n");
	return fine;
}

/* Of memory that was plugged in, the first pages hold its metadata. */
static void add_plugged(struct account *account, struct fh_range plugged)
{
	uint64_t bytes = sizeof(struct fh_slot) + sizeof(struct fh_ledger_page);
	uint64_t metadata = plugged.count * bytes / FH_PAGE_SIZE;

	account->allocator.pages += plugged.count;
	account->allocator.free += plugged.count - metadata;
	account->pages.free += plugged.count - metadata;
	account->pages.shared += metadata;
	account->pages.units[FH_UNIT_RAW] += metadata;
}

/* They are held by nobody's handle, like the pages of bring-up. */
static void subtract_retired(struct account *account, uint64_t pages)
{
	account->allocator.free -= pages;
	account->pages.free -= pages;
	account->pages.shared += pages;
	account->pages.units[FH_UNIT_RAW] += pages;
}

static void print_expectation(const struct workload_totals *totals)
{
	printf("  expected: as at the start");
	if (totals->plugged.count != 0)
		printf(", with %s pages plugged in",
		       number_grouped(totals->plugged.count).text);
	if (totals->retired != 0)
		printf(", without %s retired",
		       number_grouped(totals->retired).text);
	printf("\n\n  %-44s %15s %15s\n", "", "at the end", "expected");
}

bool account_nothing_leaked(const struct account *before,
			    const struct workload_totals *totals)
{
	struct account after = account_take();
	struct account needed = *before;
	bool fine = true;

	add_plugged(&needed, totals->plugged);
	subtract_retired(&needed, totals->retired);
	print_expectation(totals);
	fine &= same("pages of the allocator", after.allocator.pages,
		     needed.allocator.pages);
	fine &= same("pages free in the allocator", after.allocator.free,
		     needed.allocator.free);
	fine &= same("pages free by their slots", after.pages.free,
		     needed.pages.free);
	fine &= same("pages unused", after.pages.unused, needed.pages.unused);
	fine &= same("pages unique", after.pages.unique, needed.pages.unique);
	fine &= same("pages shared", after.pages.shared, needed.pages.shared);
	fine &= compare_units(&needed, &after);
	printf("\n  %-44s %15s %15s\n", "", "dropped", "claimed");
	fine &= same("pages with the demo's type", notes_dropped(),
		     totals->notes_made);
	if (!fh_ledger_is_clean()) {
		print_leaks();
		fine = false;
	}
	if (notes_broken() != 0) {
		fprintf(stderr,
			"fh-demo: metadata of %" PRIu64 " pages broke\n",
			notes_broken());
		fine = false;
	}
	return fine;
}
