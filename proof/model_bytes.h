/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The compiler's copies and fills, as loops that are proved. Included before
 * units that move bytes.
 */
#ifndef FRAMEHOLD_PROOF_MODEL_BYTES_H
#define FRAMEHOLD_PROOF_MODEL_BYTES_H

#include <framehold/atomic.h>

/*@
  // By physical address.
  logic integer byte_at{L}(integer pa) = fh_proof_bytes[pa];

  // A name that provers can look for.
  logic integer char_of{L}(char *p, integer i) = p[i];

  predicate bytes_there(integer at, integer end) =
    0 <= at <= end <= FH_BYTES_END;

  predicate bytes_apart(integer a, integer b, integer n) =
    n == 0 || a + n <= b || b + n <= a;

  // The caller's n bytes are not those that begin at a physical address.
  predicate bytes_outside{L}(char *bytes, integer pa, integer n) =
    n > 0 ==>
      \separated(bytes + (0 .. n - 1), fh_proof_bytes + (pa .. pa + n - 1));
*/

/*@
  requires \valid(to + (0 .. n - 1)) && \valid_read(from + (0 .. n - 1));
  requires n > 0 ==> \separated(to + (0 .. n - 1), from + (0 .. n - 1));
  assigns to[0 .. n - 1];
  exits \false;
  ensures \forall integer i; 0 <= i < n ==>
    char_of(to, i) == \old(char_of(from, i));
*/
static inline void fh_proof_copy(char *to, const char *from, uint64_t n)
{
	/*@
	  loop invariant 0 <= done <= n;
	  loop invariant \forall integer i; 0 <= i < done ==>
	    to[i] == \at(from[i],Pre);
	  loop assigns done, to[0 .. n - 1];
	  loop variant n - done;
	*/
	for (uint64_t done = 0; done < n; done++)
		to[done] = from[done];
}

/*@
  requires \valid(to + (0 .. n - 1));
  requires 0 <= byte <= 255;
  assigns to[0 .. n - 1];
  exits \false;
  ensures \forall integer i; 0 <= i < n ==>
    byte_value(char_of(to, i)) == byte;
*/
static inline void fh_proof_fill(char *to, int byte, uint64_t n)
{
	/*@
	  loop invariant 0 <= done <= n;
	  loop invariant \forall integer i; 0 <= i < done ==>
	    byte_value(to[i]) == byte;
	  loop assigns done, to[0 .. n - 1];
	  loop variant n - done;
	*/
	for (uint64_t done = 0; done < n; done++)
		to[done] = (char)(byte > 127 ? byte - 256 : byte);
}

#define __builtin_memcpy(to, from, n) fh_proof_copy(to, from, n)
#define __builtin_memset(to, byte, n) fh_proof_fill(to, byte, n)

#endif /* FRAMEHOLD_PROOF_MODEL_BYTES_H */
