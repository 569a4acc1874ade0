/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tier 1 for a kernel that uses none of the library's page tables: nothing
 * calls these then. Who calls one all the same has to port them.
 */
#include <framehold/host.h>

static const struct fh_finding no_tables = {
	.rule = "tables",
	.needed = "a port with page tables: host_no_tables.c has none",
};

void fh_host_activate(struct fh_paddr root, uint64_t asid)
{
	(void)root;
	(void)asid;
	fh_host_panic(&no_tables);
}

void fh_host_flush_pages(uint64_t asid, struct fh_vaddr va, uint64_t n)
{
	(void)asid;
	(void)va;
	(void)n;
	fh_host_panic(&no_tables);
}

void fh_host_flush_asid(uint64_t asid)
{
	(void)asid;
	fh_host_panic(&no_tables);
}

void fh_host_flush_broadcast(struct fh_vaddr va, uint64_t n)
{
	(void)va;
	(void)n;
	fh_host_panic(&no_tables);
}

void fh_host_table_barrier(void)
{
	fh_host_panic(&no_tables);
}
