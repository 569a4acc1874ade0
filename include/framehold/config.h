/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Every option, with its default, its meaning and its cost. To change one,
 * name a header of your own: -DFH_CONFIG_FILE='"my_config.h"'. Options are
 * numbers or expressions and are tested with #if, never with #ifdef.
 */
#ifndef FRAMEHOLD_CONFIG_H
#define FRAMEHOLD_CONFIG_H

#ifdef FH_CONFIG_FILE
#include FH_CONFIG_FILE
#endif

/*
 * 1: the ledger counts every owning handle by page, kind and call site, misuse
 * of a handle stops the machine with both call sites, freed pages are
 * poisoned, and fh_audit() compares all counts. Costs 32 bytes a page and a
 * lock per operation. 0: none of it is compiled into any operation.
 */
#ifndef FH_CHECKED
#define FH_CHECKED 0
#endif

/* CPUs whose number fh_host_cpu() may return: 0 .. FH_MAX_CPUS - 1. */
#ifndef FH_MAX_CPUS
#define FH_MAX_CPUS 64
#endif

/*
 * Page numbers from here on have no metadata: usable memory beyond is an
 * error of the map. The default is 64 TiB; the slots of all of it fill a
 * window of 1 TiB. At most 2^40, the width of a frame number in a handle.
 */
#ifndef FH_MAX_FRAMES
#define FH_MAX_FRAMES (UINT64_C(1) << 34)
#endif

/*
 * Where the slot array lies: an expression of type struct fh_slot *. By
 * default a variable that the port sets before fh_init(); a kernel names a
 * constant, so that finding a slot is one multiplication:
 *
 *     #define FH_SLOTS ((struct fh_slot *)0xffffe00000000000)
 */
#ifndef FH_SLOTS
#define FH_SLOTS fh_slot_array
#endif

/* The same for the ledger's pages (checked builds only). */
#ifndef FH_LEDGER_PAGES
#define FH_LEDGER_PAGES fh_ledger_page_array
#endif

/*
 * Live handles whose call site the ledger can name at once (checked builds
 * only, 40 bytes each). When they run out, handles are still counted by page
 * and kind, but their sites are not known.
 */
#ifndef FH_LEDGER_RECORDS
#define FH_LEDGER_RECORDS (UINT64_C(1) << 16)
#endif

/* 1: freed pages are filled with FH_POISON_BYTE. Costs the write of a page. */
#ifndef FH_POISON
#define FH_POISON FH_CHECKED
#endif

#define FH_POISON_BYTE 0xfd

/*
 * 1: page-table nodes wait for grace periods of the kernel's own, by
 * fh_host_rcu_begin() and fh_host_rcu_is_over() in host.h, for kernels that
 * have them anyway. 0: for the library's, which fh_poll() reports to.
 */
#ifndef FH_HOST_RCU
#define FH_HOST_RCU 0
#endif

/*
 * A header of the port's that defines hooks of host.h as static inline
 * functions; those it leaves out are ordinary functions found at link time.
 *
 *     #define FH_HOST "my_host_inline.h"
 */

#if FH_CHECKED != 0 && FH_CHECKED != 1
#error "FH_CHECKED is 0 or 1"
#endif
#if FH_MAX_CPUS < 1 || FH_MAX_CPUS > 4096
#error "FH_MAX_CPUS is 1 .. 4096"
#endif
#if FH_POISON != 0 && FH_POISON != 1
#error "FH_POISON is 0 or 1"
#endif
#if FH_HOST_RCU != 0 && FH_HOST_RCU != 1
#error "FH_HOST_RCU is 0 or 1"
#endif

#endif /* FRAMEHOLD_CONFIG_H */
