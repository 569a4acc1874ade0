/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The whole library as one unit, for a build of one file: the files of
 * sources.txt in their order.
 */
#include "status.c"
#include "inline.c"
#include "region.c"
#include "maptext.c"
#include "mapfirmware.c"
#include "mapnuma.c"
#include "mapfdt.c"
#include "mapany.c"
#include "early.c"
#include "report.c"
#include "slot.c"
#include "ledger.c"
#include "frame.c"
#include "unique.c"
#include "segment.c"
#include "list.c"
#include "io.c"
#include "userio.c"
#include "alloc.c"
#include "zone.c"
#include "memory.c"
#include "view.c"
#include "audit.c"
