/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The hosted machine: a whole machine inside an ordinary Linux process, so
 * that memory code runs, is tested and is debugged without a kernel. hosted.c
 * implements the hooks of framehold/host.h and is the port to read first; page
 * tables work once mmu.h is started.
 *
 * Physical memory is one sparse file, so that a machine may have far more RAM
 * than the host: only what is written costs anything. A CPU is a thread with a
 * number. There is one machine at a time.
 *
 * Unless a comment says otherwise, functions are called by the thread that
 * started the machine, while no other CPU runs; that thread is CPU 0.
 */
#ifndef FRAMEHOLD_PORT_HOSTED_H
#define FRAMEHOLD_PORT_HOSTED_H

#include <framehold/host.h>
#include <framehold/memory.h>

FH_BEGIN_DECLS

/* What kind of machine; a zeroed struct asks for the ordinary one. */
struct hosted_options {
	/*
	 * Memory is full of HOSTED_JUNK_BYTE at power-on instead of zero, and
	 * fh_init() is not told that it is zeroed. Writes every byte up to the
	 * end of RAM, which may be HOSTED_DIRTY_LIMIT at most.
	 */
	bool dirty;

	/*
	 * For fh_init(); may be null. RAM reaches to the end of its ranges for
	 * hot-plugging, where fh_memory_plug() finds junk or zero as above.
	 */
	const struct fh_topology *topology;
};

#define HOSTED_JUNK_BYTE   0xa5
#define HOSTED_DIRTY_LIMIT (UINT64_C(4) << 30)

/*
 * Builds a machine with the memory that n regions describe and brings memory
 * up on it. options may be null. On failure there is no machine, and
 * hosted_why() says what is wrong:
 *
 *   FH_E_TWICE       there is a machine already
 *   FH_E_INVALID     too much memory for options->dirty
 *   others           as fh_map_normalise() and fh_init()
 */
FH_NODISCARD
enum fh_status hosted_start(const struct fh_region *regions, size_t n,
			    const struct hosted_options *options);

/* Forgets all memory and takes the machine apart; nothing if there is none. */
void hosted_stop(void);

/*
 * The first half of hosted_start(): RAM, windows and a normalised map, and the
 * options for fh_init() that belong to them in *init. The caller goes on with
 * fh_early_begin() or fh_init(). Undone by hosted_stop().
 */
FH_NODISCARD
enum fh_status hosted_power_on(const struct fh_region *regions, size_t n,
			       const struct hosted_options *options,
			       struct fh_init_options *init);

/*
 * Why the last hosted_start() or hosted_power_on() failed: a clause without a
 * capital or a full stop, valid until the next one.
 */
const char *hosted_why(void);

/* The normalised map of the machine; null if there is none. */
const struct fh_memory_map *hosted_map(void);

/* Bytes of the linear map: from address 0 to the end of RAM. Any thread. */
uint64_t hosted_linear_bytes(void);

/* Where the linear map lies: address 0 of RAM. Any thread. */
void *hosted_linear(void);

/* Bytes of RAM that have been touched and cost the host memory. Any thread. */
uint64_t hosted_resident_bytes(void);

/*
 * Runs body on the CPUs 0 .. cpus-1 at the same time, and returns when all
 * have returned. CPU 0 is the calling thread. cpus is 1 .. FH_MAX_CPUS.
 */
void hosted_run(unsigned cpus, void (*body)(unsigned cpu, void *arg),
		void *arg);

/*
 * Runs body and returns whether it stopped the machine, with the reason in
 * *why, instead of ending the process. What body was doing stays half done:
 * look at memory and stop the machine, nothing else. Any CPU; they nest.
 */
FH_NODISCARD
bool hosted_stops(void (*body)(void *arg), void *arg, struct fh_finding *why);

/*
 * Makes the nth call of fh_host_map_window() from now on, counted from 1, fail
 * with FH_E_NO_MEMORY; 0 takes that back.
 */
void hosted_fail_map_window(unsigned nth);

/*
 * Interrupts: a kick, or hosted_interrupt(), makes the CPU run the handler, if
 * there is one, and then fh_kicked(), between two instructions of whatever
 * it is doing, or when it switches interrupts on. Any CPU; forgotten by
 * hosted_stop().
 */
void hosted_set_interrupt(void (*handler)(unsigned cpu));
void hosted_interrupt(unsigned cpu);

/* What fh_host_reclaim() does; null: nothing to give up. */
void hosted_set_reclaim(bool (*reclaim)(uint64_t n));

FH_END_DECLS

#endif /* FRAMEHOLD_PORT_HOSTED_H */
