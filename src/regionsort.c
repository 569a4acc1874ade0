/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A heap sort of regions: no recursion, no memory, no slow case. That each
 * region is there as often as before follows from swaps alone; the ghost code
 * counts.
 */
#include "regionsort.h"

/*@
  requires i < j;
  requires \valid(regions + i) && \valid(regions + j);
  assigns regions[i], regions[j];
  exits \false;
  ensures regions[i] == \old(regions[j]) && regions[j] == \old(regions[i]);
  ensures region_first(regions + i) == \old(region_first(regions + j));
  ensures region_first(regions + j) == \old(region_first(regions + i));
  ensures \forall integer k; k != i && k != j ==>
    region_first(regions + k) == \old(region_first(regions + k));
  ensures \forall integer n; j < n && \old(regions_are_ok(regions, n)) ==>
    regions_are_ok(regions, n);
  ensures \forall integer n; j < n <= SIZE_MAX ==>
    are_same_regions{Pre,Post}(regions, n);
*/
static void region_swap(struct fh_region *regions, size_t i, size_t j)
{
	struct fh_region old = regions[i];

	regions[i] = regions[j];
	regions[j] = old;
	/*@ ghost
	  /@
	    loop invariant \forall integer m, b, s, k; 0 <= m <= n && m <= i ==>
	      times(regions, m, b, s, k) == times{Pre}(regions, m, b, s, k);
	    loop invariant \forall integer m, b, s, k; m <= n && i < m <= j ==>
	      times(regions, m, b, s, k) + is_region{Pre}(regions + i, b, s, k) ==
	        times{Pre}(regions, m, b, s, k) +
	          is_region{Pre}(regions + j, b, s, k);
	    loop invariant \forall integer m, b, s, k; j < m <= n ==>
	      times(regions, m, b, s, k) == times{Pre}(regions, m, b, s, k);
	    loop assigns n;
	    loop variant SIZE_MAX - n;
	  @/
	  for (size_t n = 0; n < SIZE_MAX; n++)
	    ;
	*/
}

/*@
  predicate all_begin_by{L}(struct fh_region *regions, integer lo,
                            integer hi, integer page) =
    \forall integer i; lo <= i < hi ==> region_first(regions + i) <= page;

  predicate is_child(integer child, integer parent) =
    child == 2 * parent + 1 || child == 2 * parent + 2;

  // Below each of regions[lo .. n - 1], nothing begins later.
  predicate is_heap{L}(struct fh_region *regions, integer lo, integer n) =
    \forall integer p, c; lo <= p && is_child(c, p) && c < n ==>
      region_first(regions + c) <= region_first(regions + p);

  // The same but for region i, which may begin earlier than what is below.
  predicate is_heap_but{L}(struct fh_region *regions, integer lo, integer i,
                           integer n) =
    (\forall integer p, c; lo <= p && p != i && is_child(c, p) && c < n ==>
       region_first(regions + c) <= region_first(regions + p)) &&
    (\forall integer p, c; lo <= p && is_child(i, p) && is_child(c, i) &&
       c < n ==> region_first(regions + c) <= region_first(regions + p));

  predicate is_later_child{L}(struct fh_region *regions, integer child,
                              integer i, integer n) =
    is_child(child, i) && child < n &&
    \forall integer c; is_child(c, i) && c < n ==>
      region_first(regions + c) <= region_first(regions + child);
*/

/* Which of those right below begins later; there is one. */
/*@
  requires i < n / 2;
  requires \valid_read(regions + (0 .. n - 1)) && regions_are_ok(regions, n);
  assigns \nothing;
  exits \false;
  ensures is_later_child(regions, \result, i, n);
*/
static size_t later_child(const struct fh_region *regions, size_t i, size_t n)
{
	size_t child = 2 * i + 1;

	if (child + 1 < n &&
	    first_page(&regions[child]) < first_page(&regions[child + 1]))
		child++;
	return child;
}

/*@
  requires root <= i < n && \valid(regions + (0 .. n - 1));
  requires regions_are_ok(regions, n);
  requires is_heap_but(regions, root, i, n);
  requires is_later_child(regions, child, i, n);
  requires region_first(regions + i) < region_first(regions + child);
  assigns regions[i], regions[child];
  exits \false;
  ensures regions_are_ok(regions, n);
  ensures is_heap_but(regions, root, child, n);
  ensures \forall integer page; all_begin_by{Pre}(regions, root, n, page) ==>
    all_begin_by(regions, root, n, page);
  ensures \forall integer k; k < root || n <= k ==>
    region_first(regions + k) == \old(region_first(regions + k));
  ensures \forall integer m; n <= m <= SIZE_MAX ==>
    are_same_regions{Pre,Post}(regions, m);
*/
static void region_lower(struct fh_region *regions, size_t i,
			 size_t child) /*@ ghost (size_t root, size_t n) */
{
	/*@ assert \forall integer p; is_child(child, p) ==> p == i; */
	/*@ assert \forall integer p; is_child(i, p) ==> p != i && p != child; */
	/*@ assert \forall integer p; root <= p && is_child(i, p) ==>
	      region_first(regions + child) <= region_first(regions + p); */
	region_swap(regions, i, child);
	/*@ assert \forall integer p; root <= p && is_child(i, p) ==>
	      region_first(regions + i) <= region_first(regions + p); */
	/*@ assert \forall integer c; is_child(c, i) && c < n ==>
	      region_first(regions + c) <= region_first(regions + i); */
	/*@ assert \forall integer p, c; root <= p && p != i && p != child &&
	      is_child(c, p) && c < n && c != i && c != child ==>
	        region_first(regions + c) <= region_first(regions + p); */
	/*@ assert \forall integer p, c; root <= p && p != child &&
	      is_child(c, p) && c < n ==>
	        region_first(regions + c) <= region_first(regions + p); */
	/*@ assert \forall integer c; is_child(c, child) && c < n ==>
	      region_first(regions + c) <= region_first(regions + i); */
}

/* Makes a heap of regions[root .. n - 1] whose subtrees below root are heaps. */
/*@
  requires root < n && \valid(regions + (0 .. n - 1));
  requires regions_are_ok(regions, n) && is_heap(regions, root + 1, n);
  assigns regions[root .. n - 1];
  exits \false;
  ensures regions_are_ok(regions, n);
  ensures is_heap(regions, root, n);
  ensures \forall integer page; all_begin_by{Pre}(regions, root, n, page) ==>
    all_begin_by(regions, root, n, page);
  ensures \forall integer k; k < root || n <= k ==>
    region_first(regions + k) == \old(region_first(regions + k));
  ensures \forall integer m; n <= m <= SIZE_MAX ==>
    are_same_regions{Pre,Post}(regions, m);
*/
static void region_sift_down(struct fh_region *regions, size_t root, size_t n)
{
	size_t i = root;

	/*@
	  loop invariant root <= i < n;
	  loop invariant regions_are_ok(regions, n);
	  loop invariant is_heap_but(regions, root, i, n);
	  loop invariant \forall integer page;
	    all_begin_by{Pre}(regions, root, n, page) ==>
	      all_begin_by(regions, root, n, page);
	  loop invariant \forall integer k; k < root || n <= k ==>
	    region_first(regions + k) == region_first{Pre}(regions + k);
	  loop invariant \forall integer m; n <= m <= SIZE_MAX ==>
	    are_same_regions{Pre,Here}(regions, m);
	  loop assigns i, regions[root .. n - 1];
	  loop variant n - i;
	*/
	while (i < n / 2) {
		size_t child = later_child(regions, i, n);

		if (first_page(&regions[child]) <= first_page(&regions[i]))
			return;
		region_lower(regions, i, child) /*@ ghost (root, n) */;
		i = child;
	}
}

/*@ ghost
  /@
    requires 0 < n && is_heap(regions, 0, n);
    assigns \nothing;
    exits \false;
    ensures all_begin_by(regions, 0, n, region_first(regions + 0));
  @/
  void ghost_heap_top(struct fh_region *regions, size_t n)
  {
    /@
      loop invariant 1 <= i <= n;
      loop invariant \forall integer j; 0 <= j < i ==>
        region_first(regions + j) <= region_first(regions + 0);
      loop assigns i;
      loop variant n - i;
    @/
    for (size_t i = 1; i < n; i++) {
      size_t p = (i - 1) / 2;
      /@ assert is_child(i, p); @/
      /@ assert region_first(regions + i) <= region_first(regions + p); @/
    }
  }
*/

/*@
  requires \valid(regions + (0 .. n - 1)) && regions_are_ok(regions, n);
  assigns regions[0 .. n - 1];
  exits \false;
  ensures regions_are_ok(regions, n) && regions_ascend(regions, 0, n);
  ensures are_same_regions{Pre,Post}(regions, n);
*/
static void region_sort(struct fh_region *regions, size_t n)
{
	/*@
	  loop invariant 0 <= root <= n / 2;
	  loop invariant regions_are_ok(regions, n);
	  loop invariant is_heap(regions, root, n);
	  loop invariant are_same_regions{Pre,Here}(regions, n);
	  loop assigns root, regions[0 .. n - 1];
	  loop variant root;
	*/
	for (size_t root = n / 2; root > 0; root--)
		region_sift_down(regions, root - 1, n);
	/*@
	  loop invariant 0 <= left <= n;
	  loop invariant regions_are_ok(regions, n);
	  loop invariant is_heap(regions, 0, left);
	  loop invariant regions_ascend(regions, left, n);
	  loop invariant \forall integer j; left <= j < n ==>
	    all_begin_by(regions, 0, left, region_first(regions + j));
	  loop invariant are_same_regions{Pre,Here}(regions, n);
	  loop assigns left, regions[0 .. n - 1];
	  loop variant left;
	*/
	for (size_t left = n; left > 1; left--) {
		/*@ ghost ghost_heap_top(regions, left); */
		region_swap(regions, 0, left - 1);
		/*@ assert \forall integer j; left - 1 <= j < n ==>
		      all_begin_by(regions, 0, left - 1,
		                   region_first(regions + j)); */
		/*@ assert is_heap(regions, 1, left - 1); */
		/*@ assert \forall integer j; left <= j < n ==>
		      region_first(regions + (left - 1)) <=
		        region_first(regions + j); */
		/*@ assert \forall integer i, j; left <= i < j < n ==>
		      region_first(regions + i) <= region_first(regions + j); */
		/*@ assert regions_ascend(regions, left - 1, n); */
		region_sift_down(regions, 0, left - 1);
	}
}

/*@ ghost
  /@
    requires n <= SIZE_MAX;
    assigns \nothing;
    exits \false;
    ensures \forall integer b, s, k; times(regions, n, b, s, k) > 0 <==>
      is_there(regions, n, b, s, k, 0);
  @/
  void ghost_times(struct fh_region *regions, size_t n)
  {
    /@
      loop invariant 0 <= i <= n;
      loop invariant \forall integer b, s, k;
        times(regions, i, b, s, k) >= 0;
      loop invariant \forall integer j; 0 <= j < i ==>
        times(regions, i, regions[j].base, regions[j].size,
              regions[j].kind) > 0;
      loop invariant \forall integer b, s, k;
        times(regions, i, b, s, k) > 0 ==>
          \exists integer j; 0 <= j < i && regions[j].base == b &&
            regions[j].size == s && regions[j].kind == k;
      loop assigns i;
      loop variant n - i;
    @/
    for (size_t i = 0; i < n; i++)
      ;
  }
*/

void fh_region_order(struct fh_region *regions, size_t n)
{
	/*@ ghost ghost_times(regions, n); */
	region_sort(regions, n);
	/*@ ghost ghost_times(regions, n); */
}
