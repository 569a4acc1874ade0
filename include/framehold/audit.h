/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The audit walks everything and names the first broken rule. Views are
 * copies of slots and their units, to compare before and after: the region
 * ownership specification of seed 002, made callable.
 *
 * Everything here needs every other CPU parked, outside of any operation of
 * the library; fh_range_in_region() and fh_range_not_in_region() do not.
 */
#ifndef FRAMEHOLD_AUDIT_H
#define FRAMEHOLD_AUDIT_H

#include <framehold/ledger.h>
#include <framehold/report.h>

FH_BEGIN_DECLS

/*
 * Checks every page with metadata. FH_E_CORRUPT with the first broken rule in
 * *finding, or FH_OK and *finding as it was. Rules, by name:
 *
 *   state         the word is one of the five states (semantics S4)
 *   type          set in UNIQUE and SHARED, null in FREE and UNUSED (S1-S3)
 *   list          0 unless UNIQUE (S1, S3, S5)
 *   at_rest       no page is BUSY
 *   free          in state FREE if and only if free in the allocator
 *   units         holders equal the ledger's units, by kind (checked builds)
 *   allocator_*   the allocator's own rules
 *
 * Seed: MetaRegionOwners::inv, MetaSlotOwner::inv.
 */
FH_NODISCARD
enum fh_status fh_audit(struct fh_finding *finding);

/* Pages with metadata by state, use and owner. */
struct fh_audit_summary {
	uint64_t free;
	uint64_t unused;
	uint64_t busy;
	uint64_t unique;
	uint64_t shared;
	uint64_t usage[5];             /* by enum fh_usage */
	uint64_t units[FH_UNIT_KINDS]; /* checked builds: sums of units */
};

void fh_audit_summary(struct fh_audit_summary *summary);

/* One page as a view holds it. */
struct fh_view_page {
	bool exists; /* has metadata; the rest is zero otherwise */
	struct fh_slot slot;
	struct fh_ledger_page units; /* zero in unchecked builds */
};

/* A copy of count pages from first on. Seed: MetaRegionModel, View. */
struct fh_view {
	uint64_t first;
	uint64_t count;
	struct fh_view_page *pages; /* the caller's */
};

/* Copies the pages first .. first+count-1 into view->pages. */
void fh_view_take(const struct fh_view *view);

/*
 * Whether two views of the same pages show the same owners on every page, or
 * on every page outside of except .. except+count-1. Words of pages without a
 * type do not count. Where they differ, *frame is the first such page.
 * Seed: slot_owners_agree_except.
 */
bool fh_view_same(const struct fh_view *a, const struct fh_view *b,
		  uint64_t *frame);
bool fh_view_agree_except(const struct fh_view *a, const struct fh_view *b,
			  uint64_t except, uint64_t count, uint64_t *frame);

/* Whether every page of the range has a slot. Seed: paddr_range_in_region. */
bool fh_range_in_region(uint64_t first, uint64_t count);

/* Whether no page of it has. Seed: paddr_range_not_in_region. */
bool fh_range_not_in_region(uint64_t first, uint64_t count);

/*
 * Whether no page of it is held by a page table entry, by the ledger's count:
 * checked builds only, in others it cannot be known and the answer is false.
 * Seed: paddr_range_not_mapped, paddr_not_mapped_at.
 */
bool fh_range_not_mapped(uint64_t first, uint64_t count);

FH_END_DECLS

#endif /* FRAMEHOLD_AUDIT_H */
