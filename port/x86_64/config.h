/* SPDX-License-Identifier: MPL-2.0 */
/* The library's options for the demo kernel on x86-64: framehold/config.h. */
#ifndef PORT_X86_64_CONFIG_H
#define PORT_X86_64_CONFIG_H

#include "layout.h"
#include "numbers.h"

#define FH_MAX_CPUS PORT_MAX_CPUS

/* 64 TiB; the linear window has room for 96. */
#define FH_MAX_FRAMES (UINT64_C(1) << 34)

#define FH_SLOTS        ((struct fh_slot *)LAYOUT_SLOTS)
#define FH_LEDGER_PAGES ((struct fh_ledger_page *)LAYOUT_LEDGER)

#endif /* PORT_X86_64_CONFIG_H */
