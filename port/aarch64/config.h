/* SPDX-License-Identifier: MPL-2.0 */
/* The library's options: framehold/config.h. */
#ifndef PORT_AARCH64_CONFIG_H
#define PORT_AARCH64_CONFIG_H

#include "layout.h"

#define FH_MAX_CPUS     16
#define FH_SLOTS        ((struct fh_slot *)LAYOUT_SLOTS)
#define FH_LEDGER_PAGES ((struct fh_ledger_page *)LAYOUT_LEDGER)

/* What there is room for between the linear map's beginning and the slots. */
#define FH_MAX_FRAMES ((LAYOUT_SLOTS - LAYOUT_LINEAR) / 4096)

#endif /* PORT_AARCH64_CONFIG_H */
