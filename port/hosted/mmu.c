/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The MMU switched on and off, its windows, page faults, and the hooks of
 * tier 1, which do nothing while it is off.
 *
 * What is mapped in a CPU's window is always the part of its cache that its
 * present address space and privilege may use, and that was touched. One lock
 * holds both together; a CPU that has it takes no interrupts.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "hosted.h"
#include "mmu_inside.h"

#define LAST_PAGE (FH_PAGE_NUMBER_END - 1)

/* Bytes of each half's beginning, and of both ends. */
#if defined(__SANITIZE_THREAD__)
#define NARROW 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NARROW 1
#endif
#endif
#ifdef NARROW
#define LOW  (UINT64_C(1) << 34)
#define HIGH (UINT64_C(1) << 34)
#define END  (UINT64_C(1) << 34)
#else
#define LOW  (UINT64_C(1) << 41)
#define HIGH (UINT64_C(1) << 40)
#define END  (UINT64_C(1) << 39)
#endif

/*
 * Pieces in one window: each may split the host's mapping of it in two, and a
 * process has 65530 mappings.
 */
#define MOST_MAPPED 3000

/* Faults on the same page that are handled, with no access between. */
#define MOST_STUCK 100

static const struct mmu_format *const formats[HOSTED_MMU_FORMATS] = {
	[HOSTED_MMU_X86_64] = &mmu_x86_64,
	[HOSTED_MMU_RISCV] = &mmu_riscv,
	[HOSTED_MMU_AARCH64] = &mmu_aarch64,
	[HOSTED_MMU_LOONGARCH] = &mmu_loongarch,
	[HOSTED_MMU_HOSTILE] = &mmu_hostile,
};

static struct sigaction earlier_action;

/* ---- Windows ---- */

/* By the system call: a sanitizer would note down all of a large window. */
static void *map(void *at, uint64_t bytes, int protection, int flags, int fd,
		 uint64_t offset)
{
	long result =
		syscall(SYS_mmap, at, bytes, protection, flags, fd, offset);

	return result == -1 ? MAP_FAILED : (void *)result;
}

static void add_stretch(uint64_t va, uint64_t bytes)
{
	mmu.stretches[mmu.stretch_count++] =
		(struct mmu_stretch){va, bytes, mmu.window_bytes};
	mmu.window_bytes += bytes;
}

/* The half that begins at va. */
static void add_half(uint64_t va, uint64_t half, uint64_t bytes)
{
	if (bytes + END >= half) {
		add_stretch(va, half);
		return;
	}
	add_stretch(va, bytes);
	add_stretch(va + (half - END), END);
}

static void lay_out_windows(unsigned levels)
{
	uint64_t half = UINT64_C(1) << (12 + 9 * levels - 1);

	mmu.stretch_count = 0;
	mmu.window_bytes = 0;
	add_half(0, half, LOW);
	add_half(-half, half, HIGH);
}

static const struct mmu_stretch *stretch_of(uint64_t va)
{
	for (unsigned i = 0; i < mmu.stretch_count; i++)
		if (va - mmu.stretches[i].va < mmu.stretches[i].bytes)
			return &mmu.stretches[i];
	return NULL;
}

struct mmu_cpu *mmu_open_cpu(unsigned number)
{
	struct mmu_cpu *cpu = &mmu.cpus[number];

	if (__atomic_load_n(&cpu->open, __ATOMIC_ACQUIRE))
		return cpu;
	void *window = map(NULL, mmu.window_bytes, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	hosted_require(window != MAP_FAILED, "no room for a CPU's window");
	hosted_require(mmu_cache_open(&cpu->cache),
		       "no room for a CPU's cache");
	cpu->cache.removed = mmu_on_removed;
	cpu->cache.arg = cpu;
	cpu->window = window;
	__atomic_store_n(&cpu->open, true, __ATOMIC_RELEASE);
	return cpu;
}

static void clear_window(struct mmu_cpu *cpu, uint64_t offset, uint64_t bytes)
{
	void *at = map(cpu->window + offset, bytes, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
		       -1, 0);

	hosted_require(at != MAP_FAILED, "a window cannot be emptied");
}

void mmu_empty(struct mmu_cpu *cpu)
{
	if (cpu->mapped == 0)
		return;
	clear_window(cpu, 0, mmu.window_bytes);
	cpu->mapped = 0;
	cpu->has_unreadable = false;
	mmu.counts.emptied++;
}

void mmu_unmap(struct mmu_cpu *cpu, uint64_t first, uint64_t last)
{
	if (cpu->mapped == 0)
		return;
	for (unsigned i = 0; i < mmu.stretch_count; i++) {
		const struct mmu_stretch *stretch = &mmu.stretches[i];
		uint64_t begin = stretch->va / FH_PAGE_SIZE;
		uint64_t end = begin + (stretch->bytes / FH_PAGE_SIZE - 1);
		uint64_t from = first > begin ? first : begin;
		uint64_t to = last < end ? last : end;

		if (from <= to)
			clear_window(cpu,
				     stretch->offset +
					     (from - begin) * FH_PAGE_SIZE,
				     (to - from + 1) * FH_PAGE_SIZE);
	}
}

static int protection_of(const struct mmu_cpu *cpu,
			 const struct mmu_translation *t)
{
	unsigned rights = cpu->user ? t->user : t->kernel;

	return ((rights & MMU_READ) != 0 ? PROT_READ : 0) |
	       ((rights & MMU_WRITE) != 0 && t->dirty ? PROT_WRITE : 0) |
	       ((rights & MMU_EXEC) != 0 ? PROT_EXEC : 0);
}

/* Maps the page, or with a large leaf its neighbours too, in the window. */
static bool map_piece(struct mmu_cpu *cpu, uint64_t va,
		      const struct mmu_translation *t, unsigned size)
{
	const struct mmu_stretch *stretch = stretch_of(va);
	uint64_t page = va / FH_PAGE_SIZE;
	uint64_t pages = size > 1 ? mmu_level_pages(2) : 1;
	uint64_t first = page - page % pages;
	uint64_t frame = t->frame + (first - t->page);

	if (frame >= mmu.ram_frames || pages > mmu.ram_frames - frame) {
		frame += page - first;
		first = page;
		pages = 1;
	}
	uint64_t offset =
		stretch->offset + (first * FH_PAGE_SIZE - stretch->va);
	if (cpu->mapped >= MOST_MAPPED)
		mmu_empty(cpu);
	int protection = protection_of(cpu, t);

	cpu->mapped++;
	if ((protection & PROT_READ) == 0)
		cpu->has_unreadable = true;
	return map(cpu->window + offset, pages * FH_PAGE_SIZE, protection,
		   MAP_SHARED | MAP_FIXED, hosted_ram_file(),
		   frame * FH_PAGE_SIZE) != MAP_FAILED;
}

static void on_fault(int number, siginfo_t *info, void *context);

static bool is_handler_installed(struct sigaction *now)
{
	(void)sigaction(SIGSEGV, NULL, now);
	return (now->sa_flags & SA_SIGINFO) != 0 &&
	       now->sa_sigaction == on_fault;
}

/*
 * Again and again: a test framework puts its own handlers back between a
 * fixture and a test.
 */
static void install_handler(void)
{
	/* Faults nest: a handler of page faults may have its own. */
	struct sigaction action = {.sa_sigaction = on_fault,
				   .sa_flags = SA_SIGINFO | SA_NODEFER};
	struct sigaction now;

	if (is_handler_installed(&now))
		return;
	uint64_t saved = mmu_lock();

	/* Another CPU may have been here: its handler is not an earlier one. */
	if (!is_handler_installed(&now)) {
		earlier_action = now;
		(void)sigaction(SIGSEGV, &action, NULL);
	}
	mmu_unlock(saved);
}

bool hosted_mmu_covers(uint64_t va, uint64_t n)
{
	const struct mmu_stretch *stretch = stretch_of(va);

	hosted_require(n != 0, "no bytes to cover");
	return mmu.on && stretch != NULL &&
	       n <= stretch->bytes - (va - stretch->va);
}

void *hosted_mmu_address(unsigned cpu, uint64_t va)
{
	const struct mmu_stretch *stretch = stretch_of(va);

	hosted_require(mmu.on, "the MMU is off");
	hosted_require(cpu < FH_MAX_CPUS, "no such CPU");
	hosted_require(stretch != NULL, "an address that no window covers");
	install_handler();
	return mmu_open_cpu(cpu)->window + stretch->offset + (va - stretch->va);
}

/* ---- Page faults ---- */

void hosted_mmu_set_fault_handler(hosted_fault_handler *handler, void *arg)
{
	mmu.handler_arg = arg;
	__atomic_store_n(&mmu.handler, handler, __ATOMIC_RELEASE);
}

static void set_user(struct mmu_cpu *cpu, bool user)
{
	if (cpu->user == user)
		return;
	uint64_t saved = mmu_lock();

	mmu_empty(cpu);
	cpu->user = user;
	mmu_unlock(saved);
}

void hosted_mmu_set_user(bool user)
{
	hosted_require(mmu.on, "the MMU is off");
	set_user(mmu_open_cpu(hosted_this_cpu()), user);
}

static struct hosted_mmu_report report_on(unsigned cpu, uint64_t va,
					  enum hosted_access access,
					  enum hosted_mmu_wrong wrong)
{
	return (struct hosted_mmu_report){.wrong = wrong,
					  .cpu = cpu,
					  .asid = mmu.cpus[cpu].asid,
					  .va = va,
					  .access = access};
}

FH_NORETURN void mmu_machine_check(unsigned cpu, uint64_t va,
				   enum hosted_access access,
				   const struct mmu_translation *t)
{
	struct hosted_mmu_report report =
		report_on(cpu, va, access, HOSTED_MMU_MACHINE_CHECK);

	report.level = t->level;
	report.frame = t->frame;
	report.new_entry = t->entry;
	report.entry_at = t->entry_at;
	mmu_stop_machine(&report);
}

/* Counts the faults in a row on one page. */
static void note_handled(unsigned number, uint64_t va,
			 enum hosted_access access)
{
	struct mmu_cpu *cpu = &mmu.cpus[number];

	if (cpu->stuck_page != va / FH_PAGE_SIZE) {
		cpu->stuck_page = va / FH_PAGE_SIZE;
		cpu->stuck = 0;
	}
	if (++cpu->stuck <= MOST_STUCK)
		return;
	struct hosted_mmu_report report =
		report_on(number, va, access, HOSTED_MMU_STUCK);

	cpu->stuck = 0;
	mmu_stop_machine(&report);
}

bool mmu_deliver(unsigned number, uint64_t va, enum hosted_access access)
{
	struct mmu_cpu *cpu = mmu_open_cpu(number);
	hosted_fault_handler *handler =
		__atomic_load_n(&mmu.handler, __ATOMIC_ACQUIRE);
	bool user = cpu->user;

	if (handler == NULL)
		return false;
	set_user(cpu, false);
	bool handled = handler(number, va, access, mmu.handler_arg);

	set_user(cpu, user);
	if (handled)
		note_handled(number, va, access);
	return handled;
}

/* Translates, and fills the window. */
static enum mmu_outcome serve(unsigned number, uint64_t va,
			      enum hosted_access access,
			      struct mmu_translation *t)
{
	unsigned size;
	uint64_t saved = mmu_lock();
	struct mmu_cpu *cpu = &mmu.cpus[number];
	enum mmu_outcome outcome = mmu_translate(number, va, access, t, &size);
	bool mapped = true;

	if (outcome == MMU_OK && !map_piece(cpu, va, t, size)) {
		mmu_empty(cpu);
		mapped = map_piece(cpu, va, t, size);
	}
	mmu_unlock(saved);
	hosted_require(mapped, "the host maps no more pages");
	return outcome;
}

/* Which CPU's window holds a host address, and where. */
static bool find_window(uintptr_t address, unsigned *number, uint64_t *va)
{
	for (unsigned i = 0; mmu.on && i < FH_MAX_CPUS; i++) {
		const struct mmu_cpu *cpu = &mmu.cpus[i];

		if (!__atomic_load_n(&cpu->open, __ATOMIC_ACQUIRE) ||
		    address - (uintptr_t)cpu->window >= mmu.window_bytes)
			continue;
		uint64_t offset = address - (uintptr_t)cpu->window;
		unsigned s = mmu.stretch_count - 1;

		while (offset < mmu.stretches[s].offset)
			s--;
		*number = i;
		*va = mmu.stretches[s].va + (offset - mmu.stretches[s].offset);
		return true;
	}
	return false;
}

/* Nobody handled it: the access fails if it can, or ends the machine. */
static void fail(unsigned number, uint64_t va, enum hosted_access access,
		 void *context)
{
	uint64_t stack = mmu.cpus[number].jump_stack;
	unsigned code_of;
	uint64_t code_at;

	if (stack != 0 &&
	    find_window(mmu_host_pc(context), &code_of, &code_at)) {
		mmu_host_fail_jump(context, stack);
		return;
	}
	if (mmu_host_fail_probe(context))
		return;
	struct hosted_mmu_report report =
		report_on(number, va, access, HOSTED_MMU_FAULT);
	mmu_stop_machine(&report);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	int saved = errno;
	unsigned cpu;
	uint64_t va;

	if (!find_window((uintptr_t)info->si_addr, &cpu, &va)) {
		/* Somebody else's: it comes again, to whom it came before. */
		(void)sigaction(number, &earlier_action, NULL);
		return;
	}
	hosted_require(cpu == hosted_this_cpu(),
		       "an access through another CPU's window");
	enum hosted_access access = mmu_host_access(context);
	struct mmu_translation t;
	enum mmu_outcome outcome = serve(cpu, va, access, &t);

	if (outcome != MMU_OK) {
		/* A sanitizer has all signals wait, and we may jump out. */
		const ucontext_t *before = context;

		(void)pthread_sigmask(SIG_SETMASK, &before->uc_sigmask, NULL);
	}
	if (outcome == MMU_CHECK)
		mmu_machine_check(cpu, va, access, &t);
	if (outcome == MMU_FAULT && !mmu_deliver(cpu, va, access))
		fail(cpu, va, access, context);
	errno = saved;
}

/* ---- On and off ---- */

enum fh_status hosted_mmu_start(enum hosted_mmu_format format, unsigned levels)
{
	if (mmu.on)
		return FH_E_TWICE;
	if (format >= HOSTED_MMU_FORMATS || !mmu_host_works() ||
	    levels < formats[format]->min_levels ||
	    levels > formats[format]->max_levels)
		return FH_E_INVALID;
	hosted_require(hosted_linear_bytes() / FH_PAGE_SIZE != 0,
		       "an MMU, but no machine");
	memset(&mmu, 0, sizeof(mmu));
	mmu.format = formats[format];
	mmu.levels = levels;
	mmu.ram_frames = hosted_linear_bytes() / FH_PAGE_SIZE;
	lay_out_windows(levels);
	mmu.on = true;
	install_handler();
	return FH_OK;
}

static void remove_handler(void)
{
	struct sigaction now;

	if (is_handler_installed(&now))
		(void)sigaction(SIGSEGV, &earlier_action, NULL);
}

void hosted_mmu_stop(void)
{
	if (!mmu.on)
		return;
	if (mmu.noticed.wrong != HOSTED_MMU_NOTHING) {
		struct hosted_mmu_report report = mmu.noticed;

		mmu_stop_machine(&report);
	}
	mmu.on = false;
	remove_handler();
	for (unsigned i = 0; i < FH_MAX_CPUS; i++) {
		if (mmu.cpus[i].open)
			(void)munmap(mmu.cpus[i].window, mmu.window_bytes);
		mmu_cache_close(&mmu.cpus[i].cache);
	}
	memset(mmu.cpus, 0, sizeof(mmu.cpus));
}

bool hosted_mmu_is_on(void)
{
	return mmu.on;
}

struct hosted_mmu_counts hosted_mmu_counts(void)
{
	uint64_t saved = mmu_lock();
	struct hosted_mmu_counts counts = mmu.counts;

	mmu_unlock(saved);
	return counts;
}

void hosted_mmu_power_off(unsigned number)
{
	struct mmu_cpu *cpu = &mmu.cpus[number];

	if (!mmu.on || !cpu->open)
		return;
	uint64_t saved = mmu_lock();

	cpu->active = false;
	cpu->user = false;
	(void)mmu_cache_remove(&cpu->cache, true, 0, 0, LAST_PAGE);
	mmu_empty(cpu);
	mmu_unlock(saved);
}

/* ---- Hooks ---- */

void fh_host_activate(struct fh_paddr root, uint64_t asid)
{
	if (!mmu.on)
		return;
	struct mmu_cpu *cpu = mmu_open_cpu(fh_host_cpu());
	uint64_t saved = mmu_lock();

	hosted_require(fh_paddr_is_aligned(root), "a root that is no page");
	if (cpu->asid != asid)
		mmu_empty(cpu);
	cpu->root = fh_frame_of_paddr(root);
	cpu->asid = asid;
	cpu->active = true;
	mmu_unlock(saved);
}

static void flush_cpu(struct mmu_cpu *cpu, uint64_t asid, uint64_t first,
		      uint64_t last)
{
	if (cpu->open)
		(void)mmu_forget(cpu, asid == FH_ASID_KERNEL, asid, first,
				 last);
}

static uint64_t last_page_of(struct fh_vaddr va, uint64_t n)
{
	uint64_t first = va.bytes / FH_PAGE_SIZE;

	hosted_require(va.bytes % FH_PAGE_SIZE == 0, "a flush of half a page");
	hosted_require(n <= FH_PAGE_NUMBER_END - first,
		       "a flush beyond the last address");
	return first + (n - 1);
}

void fh_host_flush_pages(uint64_t asid, struct fh_vaddr va, uint64_t n)
{
	if (!mmu.on || n == 0)
		return;
	struct mmu_cpu *cpu = &mmu.cpus[fh_host_cpu()];
	uint64_t last = last_page_of(va, n);
	uint64_t saved = mmu_lock();

	mmu.counts.flushes++;
	flush_cpu(cpu, asid, va.bytes / FH_PAGE_SIZE, last);
	mmu_unlock(saved);
}

void fh_host_flush_asid(uint64_t asid)
{
	if (!mmu.on)
		return;
	struct mmu_cpu *cpu = &mmu.cpus[fh_host_cpu()];
	uint64_t saved = mmu_lock();

	mmu.counts.flushes++;
	flush_cpu(cpu, asid, 0, LAST_PAGE);
	mmu_unlock(saved);
}

void fh_host_flush_broadcast(struct fh_vaddr va, uint64_t n)
{
	if (!mmu.on || n == 0)
		return;
	uint64_t last = last_page_of(va, n);
	uint64_t saved = mmu_lock();

	mmu.counts.flushes++;
	for (unsigned i = 0; i < FH_MAX_CPUS; i++)
		flush_cpu(&mmu.cpus[i], FH_ASID_KERNEL, va.bytes / FH_PAGE_SIZE,
			  last);
	mmu_unlock(saved);
}

void fh_host_table_barrier(void)
{
	if (mmu.on)
		__atomic_add_fetch(&mmu.counts.barriers, 1, __ATOMIC_RELAXED);
}
