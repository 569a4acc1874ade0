/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The compiler's fill, as a loop that is proved: of a table of bytes. Included
 * before the layout.
 */
#ifndef FRAMEHOLD_PROOF_MODEL_LAYOUT_H
#define FRAMEHOLD_PROOF_MODEL_LAYOUT_H

#include <stdint.h>

/*@
  requires \valid(table + (0 .. n - 1));
  requires 0 <= byte <= 255;
  assigns table[0 .. n - 1];
  exits \false;
  ensures \forall integer i; 0 <= i < n ==> table[i] == byte;
*/
static inline void fh_proof_fill_table(uint8_t *table, int byte, uint64_t n)
{
	/*@
	  loop invariant 0 <= done <= n;
	  loop invariant \forall integer i; 0 <= i < done ==> table[i] == byte;
	  loop assigns done, table[0 .. n - 1];
	  loop variant n - done;
	*/
	for (uint64_t done = 0; done < n; done++)
		table[done] = (uint8_t)byte;
}

#define __builtin_memset(table, byte, n) fh_proof_fill_table(table, byte, n)

#endif /* FRAMEHOLD_PROOF_MODEL_LAYOUT_H */
