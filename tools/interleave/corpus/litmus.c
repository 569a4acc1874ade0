/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The classic litmus tests, one a value of LITMUS. Each checks that its
 * questionable outcome does not show. Where the model forbids it, the number of
 * executions is known; where the model allows it, the check must fail, or the
 * race or the deadlock be found: expected.txt.
 */
#include "corpus.h"

#define LOAD(word, order) __atomic_load_n(&(word), __ATOMIC_##order)
#define STORE(word, value, order)                                              \
	__atomic_store_n(&(word), value, __ATOMIC_##order)
#define FENCE(order) __atomic_thread_fence(__ATOMIC_##order)

/* Not static: compilers leave variables alone whose address stays in a file. */
extern int x, y, plain, a, b, c, d;
int x, y, plain, a, b, c, d;

static void setup(void)
{
	x = y = plain = 0;
	a = b = c = d = -1;
}

#if LITMUS == 1 /* message passing: the flag shows, so does the message */
static void done(void)
{
	CHECK(!(a == 1 && b == 0));
}
static void t0(void)
{
	STORE(x, 1, RELAXED);
	STORE(y, 1, RELEASE);
}
static void t1(void)
{
	a = LOAD(y, ACQUIRE);
	b = LOAD(x, RELAXED);
}
DRIVER(t0, t1)

#elif LITMUS == 2 /* message passing, relaxed: the message may be missing */
static void done(void)
{
	CHECK(!(a == 1 && b == 0));
}
static void t0(void)
{
	STORE(x, 1, RELAXED);
	STORE(y, 1, RELAXED);
}
static void t1(void)
{
	a = LOAD(y, ACQUIRE);
	b = LOAD(x, RELAXED);
}
DRIVER(t0, t1)

#elif LITMUS == 3 /* store buffering: both may read the old value */
static void done(void)
{
	CHECK(!(a == 0 && b == 0));
}
static void t0(void)
{
	STORE(x, 1, RELEASE);
	a = LOAD(y, ACQUIRE);
}
static void t1(void)
{
	STORE(y, 1, RELEASE);
	b = LOAD(x, ACQUIRE);
}
DRIVER(t0, t1)

#elif LITMUS == 4 /* store buffering with fences: not both */
static void done(void)
{
	CHECK(!(a == 0 && b == 0));
}
static void t0(void)
{
	STORE(x, 1, RELAXED);
	FENCE(SEQ_CST);
	a = LOAD(y, RELAXED);
}
static void t1(void)
{
	STORE(y, 1, RELAXED);
	FENCE(SEQ_CST);
	b = LOAD(x, RELAXED);
}
DRIVER(t0, t1)

#elif LITMUS == 5 /* coherence: two reads of one word do not go back */
static void done(void)
{
	CHECK(!(a == 1 && b == 0));
}
static void t0(void)
{
	STORE(x, 1, RELAXED);
}
static void t1(void)
{
	a = LOAD(x, RELAXED);
	b = LOAD(x, RELAXED);
}
DRIVER(t0, t1)

#elif LITMUS == 6 /* load buffering: RC11 forbids that both read the future */
static void done(void)
{
	CHECK(!(a == 1 && b == 1));
}
static void t0(void)
{
	a = LOAD(x, RELAXED);
	STORE(y, 1, RELAXED);
}
static void t1(void)
{
	b = LOAD(y, RELAXED);
	STORE(x, 1, RELAXED);
}
DRIVER(t0, t1)

#elif LITMUS == 7 /* independent reads of independent writes: may disagree */
static void done(void)
{
	CHECK(!(a == 1 && b == 0 && c == 1 && d == 0));
}
static void t0(void)
{
	STORE(x, 1, RELEASE);
}
static void t1(void)
{
	STORE(y, 1, RELEASE);
}
static void t2(void)
{
	a = LOAD(x, ACQUIRE);
	b = LOAD(y, ACQUIRE);
}
static void t3(void)
{
	c = LOAD(y, ACQUIRE);
	d = LOAD(x, ACQUIRE);
}
DRIVER(t0, t1, t2, t3)

#elif LITMUS == 8 /* a release sequence goes on through an RMW */
static void done(void)
{
	CHECK(!(a == 2 && b == 0));
}
static void t0(void)
{
	STORE(x, 1, RELAXED);
	STORE(y, 1, RELEASE);
}
static void t1(void)
{
	__atomic_fetch_add(&y, 1, __ATOMIC_RELAXED);
}
static void t2(void)
{
	a = LOAD(y, ACQUIRE);
	b = LOAD(x, RELAXED);
}
DRIVER(t0, t1, t2)

#elif LITMUS == 9 /* RMWs are atomic: no increment is lost */
static void done(void)
{
	CHECK(x == 3);
}
static void t0(void)
{
	__atomic_fetch_add(&x, 1, __ATOMIC_RELAXED);
}
DRIVER(t0, t0, t0)

#elif LITMUS == 10 /* a plain message behind a release is no race */
static void done(void)
{
	CHECK(b == 7 || b == -1);
}
static void t0(void)
{
	plain = 7;
	STORE(y, 1, RELEASE);
}
static void t1(void)
{
	if (LOAD(y, ACQUIRE) == 1)
		b = plain;
}
DRIVER(t0, t1)

#elif LITMUS == 11 /* a plain message behind a relaxed store is one */
static void done(void)
{
}
static void t0(void)
{
	plain = 7;
	STORE(y, 1, RELAXED);
}
static void t1(void)
{
	if (LOAD(y, ACQUIRE) == 1)
		b = plain;
}
DRIVER(t0, t1)

#elif LITMUS == 12 /* two locks taken in two orders: deadlock */
static void done(void)
{
}
static void lock(int *word)
{
	int free = 0;

	while (!__atomic_compare_exchange_n(
		word, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		free = 0;
		interleave_spin();
	}
}
static void t0(void)
{
	lock(&x);
	lock(&y);
	STORE(y, 0, RELEASE);
	STORE(x, 0, RELEASE);
}
static void t1(void)
{
	lock(&y);
	lock(&x);
	STORE(x, 0, RELEASE);
	STORE(y, 0, RELEASE);
}
DRIVER(t0, t1)
#endif
