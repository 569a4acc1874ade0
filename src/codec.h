/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Table formats. The format of the CPU's own tables is the directory of arch/
 * on the include path: its fh_arch.h says, by these names, all that the code
 * above it knows of an architecture.
 *
 *   FH_ARCH_NAME               "x86-64", for messages
 *   FH_ARCH_MIN_LEVELS, FH_ARCH_MAX_LEVELS   that a root may have
 *   FH_ARCH_HUGE_LEVEL         the highest level that may map memory
 *   FH_ARCH_FRAME_END          frame numbers that an entry can name: below it
 *   FH_ARCH_SETS_ACCESSED      1: hardware sets accessed and dirty by itself;
 *                              0: entries are made with both set
 *   FH_ARCH_BREAK_BEFORE_MAKE  1: an entry in use is emptied and flushed
 *                              everywhere before it maps something else
 *   FH_ARCH_ASIDS              address space numbers: 0 .. FH_ARCH_ASIDS - 1;
 *                              1: none; a machine may have fewer
 *   FH_ARCH_FEATURES           every bit that features may have, below
 *
 * and these static inline functions. level is that of the node that the entry
 * lies in, 1 .. 5. An entry that is not zero is decoded at the level it was
 * made for; zero is absent.
 *
 *   bool fh_arch_can_map(unsigned level, struct fh_page_prop prop,
 *                        uint64_t features)
 *        whether a leaf of that level can say exactly that; features are the
 *        format's own bits, of what the machine at hand has more than all
 *   uint64_t fh_arch_leaf(uint64_t frame, unsigned level,
 *                         struct fh_page_prop prop)
 *        frame: a multiple of the level's pages, below FH_ARCH_FRAME_END
 *   uint64_t fh_arch_table(uint64_t frame, unsigned level)
 *        names a node of level - 1; level is 2 or more, frame is not 0: page
 *        0 is never handed out
 *   enum fh_pte_kind fh_arch_kind(uint64_t pte, unsigned level)
 *   uint64_t fh_arch_frame(uint64_t pte, unsigned level)
 *   struct fh_page_prop fh_arch_prop(uint64_t pte, unsigned level)   of a leaf
 *
 * For every leaf that can be mapped, kind, frame and prop give back what it was
 * made of. Tables for devices have the VT-d second stage's format, which has the
 * same functions under the prefix fh_vtd_.
 */
#ifndef FRAMEHOLD_SRC_CODEC_H
#define FRAMEHOLD_SRC_CODEC_H

#include <framehold/prop.h>

#include "fh_arch.h"
#include "fh_vtd.h"

#endif /* FRAMEHOLD_SRC_CODEC_H */
