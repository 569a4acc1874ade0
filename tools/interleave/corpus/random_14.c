/* SPDX-License-Identifier: MPL-2.0 */
#include "corpus.h"
#include <stdatomic.h>
extern _Atomic int x0;
_Atomic int x0;
extern _Atomic int x1;
_Atomic int x1;
extern _Atomic int x2;
_Atomic int x2;
extern int sink[4], y0, y1;
int sink[4], y0, y1;
static void setup(void)
{
	atomic_init(&x0, 0);
	atomic_init(&x1, 0);
	atomic_init(&x2, 0);
	y0 = y1 = 0; for (int i = 0; i < 4; i++) sink[i] = 0;
}
static void done(void) { }
static void t0(void)
{
	int r = 0; (void)r;
	atomic_thread_fence(memory_order_seq_cst);
	atomic_store_explicit(&x0, 3, memory_order_relaxed);
}
static void t1(void)
{
	int r = 0; (void)r;
	atomic_store_explicit(&x0, 1, memory_order_release);
	atomic_store_explicit(&x2, 3, memory_order_relaxed);
	{ int e = 0; r = atomic_compare_exchange_strong_explicit(&x0, &e, 3, memory_order_acq_rel, memory_order_acquire); sink[1] += e; }
	r = atomic_load_explicit(&x1, memory_order_relaxed); sink[1] += r;
}
static void t2(void)
{
	int r = 0; (void)r;
	r = atomic_fetch_add_explicit(&x2, 3, memory_order_acq_rel); sink[2] += r;
	atomic_store_explicit(&x2, 2, memory_order_release);
}
DRIVER(t0, t1, t2)
