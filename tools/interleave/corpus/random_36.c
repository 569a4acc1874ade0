/* SPDX-License-Identifier: MPL-2.0 */
#include "corpus.h"
#include <stdatomic.h>
extern _Atomic int x0;
_Atomic int x0;
extern _Atomic int x1;
_Atomic int x1;
extern int sink[4], y0, y1;
int sink[4], y0, y1;
static void setup(void)
{
	atomic_init(&x0, 0);
	atomic_init(&x1, 0);
	y0 = y1 = 0; for (int i = 0; i < 4; i++) sink[i] = 0;
}
static void done(void) { }
static void t0(void)
{
	int r = 0; (void)r;
	r = atomic_load_explicit(&x1, memory_order_acquire); sink[0] += r;
	if (r == 1) { r = atomic_load_explicit(&x0, memory_order_relaxed); sink[0] += r; }
	if (r == 0) { sink[0] += y0; }
}
static void t1(void)
{
	int r = 0; (void)r;
	sink[1] += y1;
	y1 = 2;
	r = atomic_load_explicit(&x0, memory_order_acquire); sink[1] += r;
}
static void t2(void)
{
	int r = 0; (void)r;
	sink[2] += y0;
	r = atomic_fetch_add_explicit(&x0, 3, memory_order_release); sink[2] += r;
}
static void t3(void)
{
	int r = 0; (void)r;
	r = atomic_load_explicit(&x1, memory_order_relaxed); sink[3] += r;
	r = atomic_load_explicit(&x1, memory_order_relaxed); sink[3] += r;
	atomic_store_explicit(&x1, 2, memory_order_release);
}
DRIVER(t0, t1, t2, t3)
