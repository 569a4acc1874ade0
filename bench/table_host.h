/* SPDX-License-Identifier: MPL-2.0 */
/*
 * As bench_host.h, with the linear map and the barrier of an x86 kernel too:
 * an addition, and nothing.
 */
#ifndef FRAMEHOLD_BENCH_TABLE_HOST_H
#define FRAMEHOLD_BENCH_TABLE_HOST_H

#include "bench_host.h"

extern unsigned char *bench_linear; /* where the machine's address 0 lies */

#define fh_host_linear        fh_host_linear
#define fh_host_table_barrier fh_host_table_barrier

static inline void *fh_host_linear(struct fh_paddr pa)
{
	return bench_linear + pa.bytes;
}

static inline void fh_host_table_barrier(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

#endif /* FRAMEHOLD_BENCH_TABLE_HOST_H */
