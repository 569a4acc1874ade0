/* SPDX-License-Identifier: MPL-2.0 */
/* The library's options: framehold/config.h. */
#ifndef PORT_RISCV64_CONFIG_H
#define PORT_RISCV64_CONFIG_H

#include "layout.h"

#define FH_MAX_CPUS     16
#define FH_MAX_FRAMES   UINT64_C(LAYOUT_FRAMES)
#define FH_SLOTS        ((struct fh_slot *)LAYOUT_SLOTS)
#define FH_LEDGER_PAGES ((struct fh_ledger_page *)LAYOUT_LEDGER)

#endif /* PORT_RISCV64_CONFIG_H */
