/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Boot tables: the page tables that firmware or boot code left, edited in place
 * until the kernel's own are there. That is what fh_host_map_window() maps the
 * library's metadata with, and what maps a console or a trampoline before.
 *
 *     fh_early_begin(&map);
 *     fh_boot_table_open(&boot, root, &format);
 *     fh_boot_table_reserve(&boot, n);
 *     fh_init(&options);                  the hook calls fh_boot_table_map()
 *     fh_boot_table_join(&boot, cpu);     for each CPU to be started on it
 *     fh_page_table_create_kernel(...);
 *     on each CPU:
 *             fh_kernel_activate(&kernel);
 *             fh_boot_table_dismiss(&boot);
 *
 * Nodes that it needs come from the early allocator while that is open, and
 * then from the frame allocator. Which ones they are is kept in pages of its
 * own, a list of 511 numbers each: nothing is marked in an entry, nor needs a
 * slot. What the firmware made is never given back, and is written only where
 * something is mapped or changed; if it names a node of its own twice, what
 * changes there changes under both names.
 *
 * Entries are read as the CPU's format has them (docs/FORMATS.md): whatever is
 * not zero and not a table is in the way. What a table's entry takes away from
 * all below it is not seen: boot code gives its tables all rights.
 *
 * fh_host_linear() has to reach the firmware's tables. Page numbers are those of
 * pagetable.h, of either half. Any context but non-maskable interrupts, unless a
 * comment says otherwise; on any error the tables are as they were. Every
 * function answers FH_E_INVALID on a CPU that does not use the tables: never
 * told to, or dismissed.
 *
 * Seed: BootPageTable.
 */
#ifndef FRAMEHOLD_BOOTTABLE_H
#define FRAMEHOLD_BOOTTABLE_H

#include <framehold/cpuset.h>
#include <framehold/cursor.h>
#include <framehold/spinlock.h>

FH_BEGIN_DECLS

/* Private fields; placed by its owner, who keeps it until it is dismissed. */
struct fh_boot_table {
	struct fh_lock lock;
	struct fh_cpu_set users; /* CPUs that run on it */
	uint64_t root;
	uint64_t features;
	uint64_t spare; /* pages to make nodes of, linked; 0: none */
	uint64_t spares;
	uint64_t records; /* pages that list the nodes made, linked */
	uint64_t recorded;
	uint8_t levels;
	uint8_t huge_level;
};

/*
 * Takes the tables with that root over; this CPU runs on them. format says how
 * many levels they have, and which sizes fh_boot_table_map() may use. One CPU.
 *
 *   FH_E_INVALID        a format that the library was not built for
 *   FH_E_NOT_ALIGNED, FH_E_OUT_OF_BOUND   no root
 *
 * Seed: from_current_pt.
 */
FH_NODISCARD
enum fh_status fh_boot_table_open(struct fh_boot_table *table,
				  struct fh_paddr root,
				  const struct fh_table_format *format);

/*
 * Another CPU is going to run on the tables, and to dismiss them. Before it is
 * started. FH_E_OUT_OF_BOUND: no CPU; FH_E_TWICE: it uses them.
 */
FH_NODISCARD
enum fh_status fh_boot_table_join(struct fh_boot_table *table, unsigned cpu);

/*
 * Keeps n pages at hand, so that this many nodes (and one in 511 for lists)
 * need no memory. Before fh_init(), as many as its windows need: what
 * fh_boot_table_map() takes from the early allocator during fh_init() counts as
 * metadata, is never given back, and is lost to somebody else if fh_init()
 * fails. FH_E_NO_MEMORY.
 */
FH_NODISCARD
enum fh_status fh_boot_table_reserve(struct fh_boot_table *table, uint64_t n);

/*
 * Maps n pages from page `first` on to physical memory from pa on, by the
 * largest leaves that fit.
 *
 *   FH_E_EMPTY          n is 0
 *   FH_E_NOT_ALIGNED    pa is not a page's address
 *   FH_E_OUT_OF_BOUND   pages that the table cannot map, or no such memory
 *   FH_E_INVALID        a property that the format cannot express
 *   FH_E_MAPPED         an entry of the range is in use
 *   FH_E_NO_MEMORY      for nodes; what the early allocator gave until then is
 *                       kept at hand
 *
 * Seed: map_base_page.
 */
FH_NODISCARD
enum fh_status fh_boot_table_map(struct fh_boot_table *table, uint64_t first,
				 struct fh_paddr pa, uint64_t n,
				 struct fh_page_prop prop);

/*
 * Changes the property of one page. A larger leaf that it lies in is split, with
 * every other translation unchanged; bits of that leaf which the format has no
 * word for are dropped. This CPU goes by it on return; others that run on the
 * tables may have cached what was.
 *
 *   FH_E_OUT_OF_BOUND   a page that the table cannot map
 *   FH_E_NOT_MAPPED
 *   FH_E_INVALID        the property would be none that the format can express;
 *                       or, in a larger leaf, that of the others is none
 *   FH_E_NO_MEMORY
 *
 * With a format that breaks entries before it makes them, the leaf is not one
 * through which this code, its stack or the tables are reached.
 *
 * Seed: protect_base_page.
 */
FH_NODISCARD
enum fh_status fh_boot_table_protect(struct fh_boot_table *table, uint64_t page,
				     struct fh_prop_change change);

/*
 * What a page is mapped to. FH_E_OUT_OF_BOUND: a page that the table cannot
 * map. is_tracked is false.
 */
FH_NODISCARD
enum fh_status fh_boot_table_query(struct fh_boot_table *table, uint64_t page,
				   struct fh_mapping *mapping);

/*
 * This CPU runs on other tables now: it forgets all it has cached, and does not
 * use these any more. When the last one has said so, the pages that were taken
 * for nodes are put, if fh_init() has made frames of them: those of the early
 * allocator (which had fh_early_type) are free then, like the others. The
 * firmware's tables still name them: never load that root again. Not in
 * interrupt context. Seed: dismiss.
 */
FH_NODISCARD
enum fh_status fh_boot_table_dismiss(struct fh_boot_table *table);

FH_END_DECLS

#endif /* FRAMEHOLD_BOOTTABLE_H */
