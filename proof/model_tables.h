/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The words of the contracts of page tables: all entries of all pages as one
 * array, by the number of the page. That fh_entry() finds them in memory is
 * listed in TRUSTED.md. Included before units that see entry.h.
 */
#ifndef FRAMEHOLD_PROOF_MODEL_TABLES_H
#define FRAMEHOLD_PROOF_MODEL_TABLES_H

#include <framehold/prop.h>

extern uint64_t fh_proof_entries[FH_MAX_FRAMES][FH_NODE_ENTRIES];

/*@
  logic integer entry{L}(integer node, integer index) =
    fh_proof_entries[node][index];

  predicate is_entry(integer node, integer index) =
    0 <= node < FH_MAX_FRAMES && 0 <= index < FH_NODE_ENTRIES;

  // How many of the first n entries are not empty.
  logic integer present{L}(integer node, integer n) =
    n <= 0 ? 0 :
    present(node, n - 1) + (fh_proof_entries[node][n - 1] != 0 ? 1 : 0);

  predicate entries_same{A,B}(integer node) =
    \forall integer i; 0 <= i < FH_NODE_ENTRIES ==>
      \at(fh_proof_entries[node][i],A) == \at(fh_proof_entries[node][i],B);
*/

/* By induction: one that is empty leaves room, one that is not is counted. */
/*@ ghost
  /@
    requires is_entry(node, index);
    assigns \nothing;
    exits \false;
    ensures 0 <= present(node, FH_NODE_ENTRIES) <= FH_NODE_ENTRIES;
    ensures entry(node, index) == 0 ==>
      present(node, FH_NODE_ENTRIES) < FH_NODE_ENTRIES;
    ensures entry(node, index) != 0 ==> present(node, FH_NODE_ENTRIES) > 0;
  @/
  void ghost_present(uint64_t node, uint64_t index)
  {
    /@
      loop invariant 0 <= i <= FH_NODE_ENTRIES;
      loop invariant present(node, i) <=
        i - (i > index && entry(node, index) == 0 ? 1 : 0);
      loop invariant present(node, i) >=
        (i > index && entry(node, index) != 0 ? 1 : 0);
      loop assigns i;
      loop variant FH_NODE_ENTRIES - i;
    @/
    for (uint64_t i = 0; i < FH_NODE_ENTRIES; i++)
      ;
  }
*/

#endif /* FRAMEHOLD_PROOF_MODEL_TABLES_H */
