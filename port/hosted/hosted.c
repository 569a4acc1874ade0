/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The hooks of framehold/host.h in a Linux process, but for those of tier 1,
 * which mmu.c has.
 *
 *     memfd      0 ............................. end of RAM      the RAM
 *     linear     the same bytes, mapped once, shared             fh_host_linear
 *     slots      [  ][##][  ][######][  ]     } address space reserved for the
 *     ledger     [  ][# ][  ][###   ][  ]     } whole machine, into which pages
 *                                               of the memfd are mapped
 *
 * All mappings are shared ones of the same file, so that metadata lies in the
 * machine's own RAM, as in a kernel. A part of the windows that the library
 * did not ask for stays without access: a stray look at a slot that is not
 * there ends the process at once.
 *
 * A thread that calls the library is a CPU. Preemption is a counter of the
 * thread, checked for balance. An interrupt is a signal to the thread; one that
 * comes while they are off waits until they are on.
 */
#define _GNU_SOURCE

#include "hosted.h"
#include "mmu_inside.h"

#include <framehold/alloc.h>
#include <framehold/ledger.h>
#include <framehold/poll.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reserved address space; windows start without access. */
struct area {
	unsigned char *base;
	uint64_t bytes;
};

static struct {
	bool on;
	int ram;
	struct area linear;
	struct area slots;
	struct area ledger;
	struct fh_region *regions; /* sorted by fh_map_normalise() */
	struct fh_memory_map map;
	unsigned calls_until_failure; /* of fh_host_map_window(); 0: never */
} machine;

static char why[200];

struct catcher {
	jmp_buf back;
	struct fh_finding *finding;
	struct catcher *outer;
};

/* What a CPU has for itself. */
static _Thread_local struct {
	unsigned number;
	unsigned preempt_depth;
	volatile bool interrupts_off; /* seen by the CPU's interrupts */
	volatile bool kicked;         /* while they were off */
	unsigned waits;
	struct catcher *catcher;
} self;

/* The library or a test broke a rule of host.h or hosted.h. */
static void require(bool holds, const char *rule)
{
	if (holds)
		return;
	fprintf(stderr, "hosted machine, CPU %u: %s\n", self.number, rule);
	abort();
}

void hosted_require(bool holds, const char *rule)
{
	require(holds, rule);
}

unsigned hosted_this_cpu(void)
{
	return self.number;
}

int hosted_ram_file(void)
{
	return machine.ram;
}

unsigned char *hosted_ram(void)
{
	return machine.linear.base;
}

/* ---- Tier 0 ---- */

FH_NORETURN void fh_host_panic(const struct fh_finding *finding)
{
	struct catcher *catcher = self.catcher;
	char text[FH_FINDING_TEXT_SIZE];

	if (catcher != NULL) {
		*catcher->finding = *finding;
		longjmp(catcher->back, 1);
	}
	fh_finding_text(finding, text, sizeof(text));
	fprintf(stderr, "CPU %u stopped the machine: %s\n", self.number, text);
	abort();
}

void *fh_host_linear(struct fh_paddr pa)
{
	require(pa.bytes < machine.linear.bytes, "no RAM at this address");
	return machine.linear.base + pa.bytes;
}

static bool failure_is_due(void)
{
	if (machine.calls_until_failure == 0)
		return false;
	machine.calls_until_failure--;
	return machine.calls_until_failure == 0;
}

enum fh_status fh_host_map_window(enum fh_window window, uint64_t first,
				  struct fh_paddr pa, uint64_t n)
{
	struct area *area =
		window == FH_WINDOW_SLOTS ? &machine.slots : &machine.ledger;
	uint64_t pages = area->bytes / FH_PAGE_SIZE;
	uint64_t ram_pages = machine.linear.bytes / FH_PAGE_SIZE;
	uint64_t frame = fh_frame_of_paddr(pa);

	require(n <= pages && first <= pages - n, "beyond the window");
	require(fh_paddr_is_aligned(pa), "half a page for a window");
	require(n <= ram_pages && frame <= ram_pages - n, "no RAM for it");
	if (failure_is_due())
		return FH_E_NO_MEMORY;
	void *at = mmap(area->base + first * FH_PAGE_SIZE, n * FH_PAGE_SIZE,
			PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_NORESERVE | MAP_FIXED, machine.ram,
			(off_t)pa.bytes);
	return at == MAP_FAILED ? FH_E_NO_MEMORY : FH_OK;
}

/* ---- Tier 2 ---- */

unsigned fh_host_cpu(void)
{
	require(self.preempt_depth != 0 || self.interrupts_off,
		"asked for its number while it may change");
	return self.number;
}

void fh_host_preempt_off(void)
{
	self.preempt_depth++;
}

void fh_host_preempt_on(void)
{
	require(self.preempt_depth != 0, "preemption is on already");
	self.preempt_depth--;
}

uint64_t fh_host_irq_save(void)
{
	uint64_t saved = self.interrupts_off;

	self.interrupts_off = true;
	return saved;
}

static void (*interrupt_handler)(unsigned cpu);

/* With interrupts on, by which they are off until it ends. */
static void take_interrupt(void)
{
	void (*handler)(unsigned cpu) =
		__atomic_load_n(&interrupt_handler, __ATOMIC_ACQUIRE);

	self.interrupts_off = true;
	self.kicked = false;
	if (handler != NULL)
		handler(self.number);
	fh_kicked();
	self.interrupts_off = false;
}

static void on_signal(int signal_number)
{
	int saved = errno;

	(void)signal_number;
	self.kicked = true;
	while (!self.interrupts_off && self.kicked)
		take_interrupt();
	errno = saved;
}

void fh_host_irq_restore(uint64_t saved)
{
	require(self.interrupts_off, "interrupts are on already");
	self.interrupts_off = saved != 0;
	while (!self.interrupts_off && self.kicked)
		take_interrupt();
}

bool fh_host_may_wait(void)
{
	return !self.interrupts_off;
}

/* The threads of CPUs that run, to be kicked. */
static struct {
	pthread_mutex_t lock;
	pthread_t threads[FH_MAX_CPUS];
	bool runs[FH_MAX_CPUS];
} running = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void set_running(unsigned cpu, bool runs)
{
	(void)pthread_mutex_lock(&running.lock);
	running.threads[cpu] = pthread_self();
	running.runs[cpu] = runs;
	(void)pthread_mutex_unlock(&running.lock);
}

void fh_host_kick(unsigned cpu)
{
	(void)pthread_mutex_lock(&running.lock);
	if (running.runs[cpu])
		(void)pthread_kill(running.threads[cpu], SIGUSR1);
	(void)pthread_mutex_unlock(&running.lock);
}

static bool (*reclaimer)(uint64_t n);

bool fh_host_reclaim(uint64_t n)
{
	bool (*reclaim)(uint64_t) =
		__atomic_load_n(&reclaimer, __ATOMIC_ACQUIRE);

	return reclaim != NULL && reclaim(n);
}

void fh_host_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
	/* The CPU waited for may be a thread that waits for this processor. */
	if (++self.waits % 16 == 0)
		(void)sched_yield();
}

/* ---- The machine ---- */

static enum fh_status refuse(enum fh_status status, const char *reason)
{
	snprintf(why, sizeof(why), "%s", reason);
	return status;
}

static enum fh_status refuse_for_errno(const char *what)
{
	snprintf(why, sizeof(why), "%s: %s", what, strerror(errno));
	return FH_E_NO_MEMORY;
}

static enum fh_status refuse_for_init(enum fh_status status)
{
	if (status == FH_E_EMPTY)
		return refuse(status,
			      fh_map_pages(&machine.map, FH_REGION_USABLE) == 0
				      ? "no usable memory"
				      : "no usable page but page 0");
	if (status == FH_E_NO_MEMORY)
		return refuse(status, "too little usable memory for its own "
				      "metadata and one page to hand out");
	return refuse(status, fh_status_name(status));
}

static enum fh_status read_map(const struct fh_region *regions, size_t n)
{
	struct fh_memory_map *map = &machine.map;
	size_t bad = 0;

	/* One more: no region is no reason for malloc() to return null. */
	machine.regions = malloc((n + 1) * sizeof(*regions));
	map->capacity = 2 * n + 1;
	map->spans = malloc(map->capacity * sizeof(*map->spans));
	if (machine.regions == NULL || map->spans == NULL)
		return refuse_for_errno("the map");
	if (n != 0)
		memcpy(machine.regions, regions, n * sizeof(*regions));
	enum fh_status status = fh_map_normalise(machine.regions, n, map, &bad);
	if (status != FH_OK)
		snprintf(why, sizeof(why), "entry %zu of the map: %s", bad,
			 fh_status_name(status));
	return status;
}

static enum fh_status reserve(struct area *area, uint64_t bytes, int protection,
			      int flags, int fd)
{
	if (bytes == 0)
		return FH_OK;
	void *base =
		mmap(NULL, bytes, protection, flags | MAP_NORESERVE, fd, 0);
	if (base == MAP_FAILED)
		return refuse_for_errno("address space");
	area->base = base;
	area->bytes = bytes;
	return FH_OK;
}

static enum fh_status install_ram(uint64_t bytes)
{
	machine.ram = memfd_create("framehold-ram", MFD_CLOEXEC);
	if (machine.ram < 0 || ftruncate(machine.ram, (off_t)bytes) != 0)
		return refuse_for_errno("RAM");
	return reserve(&machine.linear, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED, machine.ram);
}

/* Room for whole sections: slots of the last may lie beyond the end of RAM. */
static enum fh_status install_windows(uint64_t frame_end)
{
	uint64_t sections =
		(frame_end + FH_SECTION_FRAMES - 1) / FH_SECTION_FRAMES;
	uint64_t frames = sections * FH_SECTION_FRAMES;
	enum fh_status status =
		reserve(&machine.slots, frames * sizeof(struct fh_slot),
			PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (status == FH_OK && FH_CHECKED)
		status = reserve(&machine.ledger,
				 frames * sizeof(struct fh_ledger_page),
				 PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (status != FH_OK)
		return status;
	fh_slot_array = (struct fh_slot *)(void *)machine.slots.base;
	if (FH_CHECKED)
		fh_ledger_page_array =
			(struct fh_ledger_page *)(void *)machine.ledger.base;
	return FH_OK;
}

static enum fh_status make_dirty(void)
{
	if (machine.linear.bytes > HOSTED_DIRTY_LIMIT)
		return refuse(FH_E_INVALID, "too much memory for junk");
	memset(machine.linear.base, HOSTED_JUNK_BYTE, machine.linear.bytes);
	return FH_OK;
}

/* With memory to be plugged in. */
static uint64_t find_frame_end(const struct fh_topology *topology)
{
	uint64_t end = fh_map_frame_end(&machine.map);

	for (size_t i = 0; topology != NULL && i < topology->range_count; i++) {
		const struct fh_node_range *range = &topology->ranges[i];

		if (range->hot_plug && range->first + range->count > end)
			end = range->first + range->count;
	}
	return end;
}

static enum fh_status build(const struct fh_region *regions, size_t n,
			    const struct hosted_options *options)
{
	enum fh_status status = read_map(regions, n);

	if (status != FH_OK)
		return status;
	uint64_t frame_end = find_frame_end(options->topology);
	status = install_ram(frame_end * FH_PAGE_SIZE);
	if (status == FH_OK)
		status = install_windows(frame_end);
	if (status == FH_OK && options->dirty)
		status = make_dirty();
	return status;
}

static void install_interrupts(void)
{
	struct sigaction action = {.sa_handler = on_signal,
				   .sa_flags = SA_RESTART};

	(void)sigaction(SIGUSR1, &action, NULL);
	set_running(0, true);
}

enum fh_status hosted_power_on(const struct fh_region *regions, size_t n,
			       const struct hosted_options *options,
			       struct fh_init_options *init)
{
	static const struct hosted_options ordinary;

	if (options == NULL)
		options = &ordinary;
	if (machine.on)
		return refuse(FH_E_TWICE, "there is a machine already");
	machine.on = true;
	machine.ram = -1;
	install_interrupts();
	enum fh_status status = build(regions, n, options);
	if (status != FH_OK) {
		hosted_stop();
		return status;
	}
	init->map = &machine.map;
	init->memory_is_zeroed = !options->dirty;
	init->topology = options->topology;
	return FH_OK;
}

enum fh_status hosted_start(const struct fh_region *regions, size_t n,
			    const struct hosted_options *options)
{
	struct fh_init_options init;
	enum fh_status status = hosted_power_on(regions, n, options, &init);

	if (status != FH_OK)
		return status;
	status = fh_init(&init);
	if (status != FH_OK) {
		(void)refuse_for_init(status);
		hosted_stop();
	}
	return status;
}

static void release(struct area *area)
{
	if (area->base != NULL)
		(void)munmap(area->base, area->bytes);
	area->base = NULL;
	area->bytes = 0;
}

void hosted_stop(void)
{
	if (!machine.on)
		return;
	hosted_mmu_stop();
	fh_fini();
	set_running(0, false);
	hosted_set_interrupt(NULL);
	hosted_set_reclaim(NULL);
	release(&machine.linear);
	release(&machine.slots);
	release(&machine.ledger);
	if (machine.ram >= 0)
		(void)close(machine.ram);
	free(machine.regions);
	free(machine.map.spans);
	memset(&machine, 0, sizeof(machine));
}

const char *hosted_why(void)
{
	return why;
}

const struct fh_memory_map *hosted_map(void)
{
	return machine.on ? &machine.map : NULL;
}

void *hosted_linear(void)
{
	return machine.linear.base;
}

uint64_t hosted_linear_bytes(void)
{
	return machine.linear.bytes;
}

uint64_t hosted_resident_bytes(void)
{
	struct stat ram;

	if (!machine.on || fstat(machine.ram, &ram) != 0)
		return 0;
	return (uint64_t)ram.st_blocks * 512;
}

void hosted_fail_map_window(unsigned nth)
{
	machine.calls_until_failure = nth;
}

/* ---- CPUs ---- */

void hosted_set_interrupt(void (*handler)(unsigned cpu))
{
	__atomic_store_n(&interrupt_handler, handler, __ATOMIC_RELEASE);
}

void hosted_interrupt(unsigned cpu)
{
	fh_host_kick(cpu);
}

void hosted_set_reclaim(bool (*reclaim)(uint64_t n))
{
	__atomic_store_n(&reclaimer, reclaim, __ATOMIC_RELEASE);
}

struct cpu_start {
	unsigned number;
	void (*body)(unsigned cpu, void *arg);
	void *arg;
	pthread_barrier_t *all_ready;
};

static void *cpu_main(void *start_of_cpu)
{
	const struct cpu_start *start = start_of_cpu;

	self.number = start->number;
	if (start->number != 0) {
		set_running(start->number, true);
		fh_host_preempt_off();
		fh_cpu_online(start->number);
		fh_host_preempt_on();
	}
	(void)pthread_barrier_wait(start->all_ready);
	start->body(start->number, start->arg);
	if (start->number != 0) {
		fh_cpu_offline(start->number);
		hosted_mmu_power_off(start->number);
		set_running(start->number, false);
	}
	require(self.preempt_depth == 0 && !self.interrupts_off,
		"ended with preemption or interrupts off");
	return NULL;
}

void hosted_run(unsigned cpus, void (*body)(unsigned cpu, void *arg), void *arg)
{
	struct cpu_start starts[FH_MAX_CPUS];
	pthread_t threads[FH_MAX_CPUS];
	pthread_barrier_t all_ready;

	require(cpus >= 1 && cpus <= FH_MAX_CPUS, "no such number of CPUs");
	require(pthread_barrier_init(&all_ready, NULL, cpus) == 0, "barrier");
	for (unsigned i = 0; i < cpus; i++) {
		starts[i] = (struct cpu_start){i, body, arg, &all_ready};
		require(i == 0 || pthread_create(&threads[i], NULL, cpu_main,
						 &starts[i]) == 0,
			"cannot start a CPU");
	}
	(void)cpu_main(&starts[0]);
	for (unsigned i = 1; i < cpus; i++)
		(void)pthread_join(threads[i], NULL);
	(void)pthread_barrier_destroy(&all_ready);
}

bool hosted_stops(void (*body)(void *arg), void *arg,
		  struct fh_finding *finding)
{
	struct catcher catcher = {.finding = finding, .outer = self.catcher};
	unsigned preempt_depth = self.preempt_depth;
	bool interrupts_off = self.interrupts_off;

	if (setjmp(catcher.back) == 0) {
		self.catcher = &catcher;
		body(arg);
		self.catcher = catcher.outer;
		return false;
	}
	self.catcher = catcher.outer;
	self.preempt_depth = preempt_depth;
	self.interrupts_off = interrupts_off;
	return true;
}
