/* SPDX-License-Identifier: MPL-2.0 */
/* Everything. Each header also stands alone. */
#ifndef FRAMEHOLD_FRAMEHOLD_H
#define FRAMEHOLD_FRAMEHOLD_H

#include <framehold/alloc.h>
#include <framehold/audit.h>
#include <framehold/boottable.h>
#include <framehold/frame.h>
#include <framehold/host.h>
#include <framehold/io.h>
#include <framehold/kspace.h>
#include <framehold/list.h>
#include <framehold/maptext.h>
#include <framehold/memory.h>
#include <framehold/poll.h>
#include <framehold/segment.h>
#include <framehold/space.h>
#include <framehold/tableaudit.h>
#include <framehold/typed.h>
#include <framehold/unique.h>
#include <framehold/userio.h>

#endif /* FRAMEHOLD_FRAMEHOLD_H */
