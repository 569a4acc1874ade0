/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Looking a table over: the audit of its rules, and a dump for people. Both
 * need every other CPU parked, and no cursor open.
 */
#ifndef FRAMEHOLD_TABLEAUDIT_H
#define FRAMEHOLD_TABLEAUDIT_H

#include <framehold/pagetable.h>
#include <framehold/report.h>

FH_BEGIN_DECLS

/* What a table holds, counted by its entries. */
struct fh_table_totals {
	uint64_t nodes;     /* the root included, borrowed ones not */
	uint64_t tracked;   /* pages mapped with a reference each */
	uint64_t untracked; /* pages mapped without */
	uint64_t huge;      /* leaves above level 1 */
};

/*
 * Checks a table, and adds what it holds to *totals. FH_E_CORRUPT with the
 * first broken rule in *finding, where frame is the node, or for a rule about a
 * page the page. Rules, by name:
 *
 *   node_type      a node's page has the type of the table's nodes
 *   node_level     its level is one below its parent's (semantics E1, N2)
 *   node_locked    nobody has its lock
 *   node_stray     a node in the tree is not stray (T4)
 *   node_children  its count is that of its entries (N2)
 *   node_parent    one entry names it (T1, T3; checked builds)
 *   entry_format   an entry is what the format makes of its meaning (E2)
 *   entry_place    no entry where the table maps nothing (E3)
 *   entry_kernel   the other half of a user's root names nodes that a kernel's
 *                  root can name: of its type, one level below, not stray
 *   leaf_user      users' leaves are for users, others are not
 *   leaf_write_exec   nothing of the kernel's is writable and executable
 *   leaf_frame     a tracked page is shared (T1)
 *   leaf_untyped   users and devices see untyped pages only
 *   leaf_units     the ledger has a unit for it (checked builds)
 *
 * Seed: PageTableOwner::inv, NodeOwner::inv, metaregion_sound.
 */
FH_NODISCARD
enum fh_status fh_audit_table(const struct fh_page_table *table,
			      struct fh_table_totals *totals,
			      struct fh_finding *finding);

/*
 * The same for a user's table, and one rule more, about the entries by which
 * its root serves the kernel's half, too:
 *
 *   root_kernel   they are those of the kernel's root
 *
 * FH_E_INVALID: kernel is not a kernel's table, or table not a user's. The nodes
 * that these entries name are for the audit of the kernel's table.
 */
FH_NODISCARD
enum fh_status fh_audit_user_table(const struct fh_page_table *kernel,
				   const struct fh_page_table *table,
				   struct fh_table_totals *totals,
				   struct fh_finding *finding);

/* Pages in a row, mapped alike to frames in a row. */
struct fh_table_run {
	uint64_t first;
	uint64_t pages;
	uint64_t frame;
	struct fh_page_prop prop;
	bool is_tracked;
	unsigned level; /* of the leaves */
};

/* Calls show for each run of the table, in ascending order. */
void fh_dump_table(const struct fh_page_table *table,
		   void (*show)(void *arg, const struct fh_table_run *run),
		   void *arg);

/* Room for a run's line. */
#define FH_TABLE_RUN_TEXT_SIZE 128

/*
 * Writes a run as one line without a newline, such as
 *
 *     0x7f0000000000 +0x200 -> 0x12345000 level 1 rw-u-ad- tracked
 *
 * cut to size - 1 bytes and terminated; size must not be 0. Any context.
 */
void fh_table_run_text(const struct fh_table_run *run, char *text, size_t size);

FH_END_DECLS

#endif /* FRAMEHOLD_TABLEAUDIT_H */
