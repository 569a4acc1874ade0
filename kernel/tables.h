/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tables of the kernel: those it was booted on, edited while there are no
 * others, and its own, at final granularity.
 */
#ifndef KERNEL_TABLES_H
#define KERNEL_TABLES_H

#include "port.h"

/* Pages of memory that boot tables map at LAYOUT_LINEAR: 4 GiB. */
#define TABLES_BOOT_REACH (UINT64_C(1) << 20)

/* The kernel's own table, and addresses of its own for whoever wants some. */
extern struct fh_page_table kernel_table;
extern struct fh_area_pool kernel_areas;

/* Takes the boot tables over, for all CPUs that will start on them. */
enum fh_status tables_open_boot(unsigned cpus);

/* Maps n pages to frames from `frame` on in them: data of the kernel. */
enum fh_status tables_boot_map(uint64_t page, uint64_t frame, uint64_t n);

/*
 * Makes the kernel's table, and this CPU run on it. What is mapped, and how, is
 * noted on the way: tables_tell_intents(). False: a line said why.
 */
bool tables_build(const struct fh_memory_map *map);

/* Another CPU goes from the boot tables to the kernel's. */
void tables_enter(void);

/*
 * The boot tables are not used any more on this CPU. False, with a line: the
 * library has something against it.
 */
bool tables_dismiss_boot(void);

/* What the kernel means to have mapped, line by line, and the root. */
void tables_tell_intents(void);

#endif /* KERNEL_TABLES_H */
