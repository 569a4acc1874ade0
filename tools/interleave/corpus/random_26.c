/* SPDX-License-Identifier: MPL-2.0 */
#include "corpus.h"
#include <stdatomic.h>
extern _Atomic int x0;
_Atomic int x0;
extern int sink[4], y0, y1;
int sink[4], y0, y1;
static void setup(void)
{
	atomic_init(&x0, 0);
	y0 = y1 = 0; for (int i = 0; i < 4; i++) sink[i] = 0;
}
static void done(void) { }
static void t0(void)
{
	int r = 0; (void)r;
	if (r == 2) { sink[0] += y1; }
	if (r == 2) { r = atomic_load_explicit(&x0, memory_order_acquire); sink[0] += r; }
	{ int e = 1; r = atomic_compare_exchange_strong_explicit(&x0, &e, 2, memory_order_acq_rel, memory_order_acquire); sink[0] += e; }
	atomic_thread_fence(memory_order_seq_cst);
}
static void t1(void)
{
	int r = 0; (void)r;
	r = atomic_exchange_explicit(&x0, 2, memory_order_release); sink[1] += r;
	if (r == 0) { { int e = 1; r = atomic_compare_exchange_strong_explicit(&x0, &e, 1, memory_order_acquire, memory_order_acquire); sink[1] += e; } }
	if (r == 1) { { int e = 1; r = atomic_compare_exchange_strong_explicit(&x0, &e, 3, memory_order_relaxed, memory_order_relaxed); sink[1] += e; } }
}
static void t2(void)
{
	int r = 0; (void)r;
	atomic_store_explicit(&x0, 2, memory_order_relaxed);
	r = atomic_load_explicit(&x0, memory_order_relaxed); sink[2] += r;
	r = atomic_exchange_explicit(&x0, 3, memory_order_release); sink[2] += r;
}
DRIVER(t0, t1, t2)
