/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A program's life, as its CPU lives it over and over:
 *
 *   it is born     an empty space; the CPU runs on it
 *   it fills       its first stores to a page fault the page in, zeroed
 *   it protects    pages that then refuse stores
 *   it grows       2 MiB in one leaf, and a hole unmapped in the middle
 *   it shares      one page that all programs of all CPUs add to
 *   it forks       parent and child write to the same pages, and see their own
 *   it meets       all CPUs run on one space, and map and unmap pages there
 *   it dies        both spaces are given up
 *
 * A program knows what it wrote, and looks at every page of its own.
 */
#define _GNU_SOURCE

#include "spaces.h"

#include "fh_arch.h"
#include "hosted.h"
#include "mmu.h"

#include <framehold/framehold.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Where a program has what, by page number. */
#define HEAP_FIRST  UINT64_C(0x400)
#define HEAP_PAGES  48
#define HUGE_FIRST  UINT64_C(0x40000)
#define SHARED_PAGE UINT64_C(0x80000)
#define MEET_FIRST  UINT64_C(0xc0000)

/* One CPU's program, and what it knows of its heap. */
struct program {
	_Alignas(128) struct fh_space *on; /* the space that the CPU runs on */
	struct fh_space parent;
	struct fh_space child;
	uint64_t heap[HEAP_PAGES]; /* what the first word of each page is */
	uint64_t random;
	struct spaces_result done;
	const char *wrong; /* what went wrong first, or null */
};

static struct {
	const struct spaces_plan *plan;
	struct fh_page_table kernel;
	struct fh_space meeting; /* that all CPUs run on at times */
	struct fh_frame shared;
	struct program programs[FH_MAX_CPUS];
} stage;

static const struct fh_page_prop writable = {
	.flags = FH_PAGE_USER | FH_PAGE_READ | FH_PAGE_WRITE,
};

/* ---- Small things ---- */

static uint64_t random_word(struct program *p)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return p->random;
}

/* The first thing that is not as it must be ends the program. */
static bool must(struct program *p, bool holds, const char *what)
{
	if (!holds && p->wrong == NULL)
		p->wrong = what;
	return holds;
}

static bool fine(struct program *p, enum fh_status status, const char *what)
{
	return must(p, status == FH_OK, what);
}

static uint64_t address_of(uint64_t page)
{
	return page * FH_PAGE_SIZE;
}

static void switch_to(struct program *p, struct fh_space *space)
{
	p->on = space;
	fh_space_activate(space);
}

/* ---- What a program does to memory ---- */

static bool reads(struct program *p, unsigned cpu, uint64_t page,
		  uint64_t expected)
{
	uint64_t word = ~expected;

	hosted_mmu_set_user(true);
	bool done = hosted_mmu_load64(cpu, address_of(page), &word);
	hosted_mmu_set_user(false);
	p->done.accesses++;
	return must(p, done, "a load was refused") &&
	       must(p, word == expected, "a page is not as it was written");
}

static bool writes(struct program *p, unsigned cpu, uint64_t page,
		   uint64_t word)
{
	hosted_mmu_set_user(true);
	bool done = hosted_mmu_store64(cpu, address_of(page), word);
	hosted_mmu_set_user(false);
	p->done.accesses++;
	return must(p, done, "a store was refused");
}

static bool cannot_write(struct program *p, unsigned cpu, uint64_t page)
{
	hosted_mmu_set_user(true);
	bool done = hosted_mmu_store64(cpu, address_of(page), 1);
	hosted_mmu_set_user(false);
	p->done.refused++;
	return must(p, !done, "a store was not refused");
}

static bool cannot_read(struct program *p, unsigned cpu, uint64_t page)
{
	uint64_t word;

	hosted_mmu_set_user(true);
	bool done = hosted_mmu_load64(cpu, address_of(page), &word);
	hosted_mmu_set_user(false);
	p->done.refused++;
	return must(p, !done, "a load was not refused");
}

static bool cannot_execute(struct program *p, unsigned cpu, uint64_t page)
{
	hosted_mmu_set_user(true);
	bool done = hosted_mmu_fetch(cpu, address_of(page));
	hosted_mmu_set_user(false);
	p->done.refused++;
	return must(p, !done, "data was executed");
}

/* What the kernel does when a program faults: heaps are filled. */
static bool answer_fault(unsigned cpu, uint64_t va, enum hosted_access access,
			 void *arg)
{
	static const enum fh_access accesses[] = {
		[HOSTED_LOAD] = FH_ACCESS_READ,
		[HOSTED_STORE] = FH_ACCESS_WRITE,
		[HOSTED_FETCH] = FH_ACCESS_EXEC,
	};
	struct program *p = &stage.programs[cpu];
	uint64_t page = va / FH_PAGE_SIZE;
	bool is_heap = page - HEAP_FIRST < HEAP_PAGES;
	struct fh_mapping before = {.is_mapped = false};

	(void)arg;
	if (fh_space_query(p->on, page, &before) != FH_OK ||
	    fh_space_fault(p->on, (struct fh_vaddr){va}, accesses[access],
			   is_heap ? &writable : NULL) != FH_OK)
		return false;
	p->done.filled += !before.is_mapped;
	p->done.copied += (before.prop.flags & FH_PAGE_COPY) != 0 &&
			  access == HOSTED_STORE;
	return true;
}

/* ---- Chapters of a life ---- */

static bool check_heap(struct program *p, unsigned cpu, const uint64_t *heap)
{
	for (uint64_t i = 0; i < HEAP_PAGES; i++)
		if (!reads(p, cpu, HEAP_FIRST + i, heap[i]))
			return false;
	return true;
}

static bool scribble(struct program *p, unsigned cpu, uint64_t *heap)
{
	for (unsigned i = 0; i < HEAP_PAGES / 2; i++) {
		uint64_t page = random_word(p) % HEAP_PAGES;

		heap[page] = random_word(p);
		if (!writes(p, cpu, HEAP_FIRST + page, heap[page]))
			return false;
	}
	return true;
}

static bool fill(struct program *p, unsigned cpu)
{
	memset(p->heap, 0, sizeof(p->heap));
	return scribble(p, cpu, p->heap) && check_heap(p, cpu, p->heap) &&
	       cannot_execute(p, cpu, HEAP_FIRST);
}

static bool protect(struct program *p, unsigned cpu)
{
	struct fh_prop_change off = {.clear = FH_PAGE_WRITE};
	struct fh_prop_change on = {.set = FH_PAGE_WRITE};
	uint64_t first = HEAP_FIRST + random_word(p) % (HEAP_PAGES - 8);
	uint64_t pages;

	return fine(p, fh_space_protect(p->on, first, 8, off, &pages),
		    "protect") &&
	       must(p, pages == 8, "protect missed a page") &&
	       cannot_write(p, cpu, first) && cannot_write(p, cpu, first + 7) &&
	       fine(p, fh_space_protect(p->on, first, 8, on, &pages),
		    "protect") &&
	       scribble(p, cpu, p->heap);
}

static bool grow(struct program *p, unsigned cpu)
{
	struct fh_alloc_options block = {.align = FH_NODE_ENTRIES};
	struct fh_segment s;
	struct fh_usegment u;
	struct fh_mapping mapping;
	uint64_t hole = 1 + random_word(p) % (FH_NODE_ENTRIES - 4);
	uint64_t pages;

	if (fh_segment_alloc(FH_NODE_ENTRIES, &block, &fh_untyped_type, NULL,
			     &s) != FH_OK)
		return true; /* memory is in pieces: nothing to show */
	if (!fine(p, fh_usegment_from_segment(&s, &u), "untyped") ||
	    !fine(p, fh_space_map_segment(p->on, HUGE_FIRST, &u, writable),
		  "map 2 MiB") ||
	    !fine(p, fh_space_query(p->on, HUGE_FIRST, &mapping), "query"))
		return false;
	p->done.huge += mapping.pages == FH_NODE_ENTRIES;
	return writes(p, cpu, HUGE_FIRST + hole - 1, 11) &&
	       writes(p, cpu, HUGE_FIRST + hole, 12) &&
	       writes(p, cpu, HUGE_FIRST + hole + 2, 13) &&
	       fine(p, fh_space_unmap(p->on, HUGE_FIRST + hole, 2, &pages),
		    "unmap") &&
	       must(p, pages == 2, "unmap missed a page") &&
	       cannot_read(p, cpu, HUGE_FIRST + hole) &&
	       reads(p, cpu, HUGE_FIRST + hole - 1, 11) &&
	       reads(p, cpu, HUGE_FIRST + hole + 2, 13) &&
	       fine(p,
		    fh_space_unmap(p->on, HUGE_FIRST, FH_NODE_ENTRIES, &pages),
		    "unmap") &&
	       must(p, pages == FH_NODE_ENTRIES - 2, "unmap missed a page") &&
	       cannot_read(p, cpu, HUGE_FIRST + hole - 1);
}

static bool map_shared(struct program *p)
{
	struct fh_frame f = fh_frame_get(stage.shared);
	struct fh_uframe u;

	return fine(p, fh_uframe_from_frame(&f, &u), "untyped") &&
	       fine(p, fh_space_map(p->on, SHARED_PAGE, &u, writable),
		    "map shared memory");
}

static bool add_to_shared(struct program *p, unsigned cpu)
{
	uint64_t va = address_of(SHARED_PAGE);
	uint32_t old;
	uint32_t seen;
	bool done;

	hosted_mmu_set_user(true);
	done = hosted_mmu_load32(cpu, va, &old);
	while (done) {
		done = hosted_mmu_cas32(cpu, va, old, old + 1, &seen);
		if (seen == old)
			break;
		old = seen;
	}
	hosted_mmu_set_user(false);
	p->done.shared++;
	return must(p, done, "shared memory was refused");
}

/* Both go on with the same pages; each sees only what it wrote itself. */
static bool fork_and_part(struct program *p, unsigned cpu)
{
	uint64_t childs[HEAP_PAGES];

	if (!fine(p, fh_space_create(&stage.kernel, &p->child), "space") ||
	    !fine(p,
		  fh_space_clone(&p->parent, &p->child, HEAP_FIRST, HEAP_PAGES,
				 FH_CLONE_COPY),
		  "fork") ||
	    !fine(p,
		  fh_space_clone(&p->parent, &p->child, SHARED_PAGE, 1,
				 FH_CLONE_SHARE),
		  "fork"))
		return false;
	p->done.forks++;
	p->done.spaces++;
	memcpy(childs, p->heap, sizeof(childs));
	if (!scribble(p, cpu, p->heap))
		return false;
	switch_to(p, &p->child);
	if (!check_heap(p, cpu, childs) || !scribble(p, cpu, childs) ||
	    !add_to_shared(p, cpu))
		return false;
	switch_to(p, &p->parent);
	if (!check_heap(p, cpu, p->heap))
		return false;
	switch_to(p, &p->child);
	return check_heap(p, cpu, childs);
}

/* In the space that all are in: a page of one's own comes and goes. */
static bool meet(struct program *p, unsigned cpu)
{
	uint64_t page = MEET_FIRST + cpu;
	uint64_t pages;
	struct fh_frame f;
	struct fh_uframe u;

	switch_to(p, &stage.meeting);
	for (unsigned i = 0; i < 4; i++) {
		if (!fine(p, fh_frame_alloc(NULL, &fh_untyped_type, NULL, &f),
			  "memory") ||
		    !fine(p, fh_uframe_from_frame(&f, &u), "untyped") ||
		    !fine(p, fh_space_map(p->on, page, &u, writable), "map") ||
		    !writes(p, cpu, page, cpu) || !reads(p, cpu, page, cpu))
			return false;
		if (!fine(p, fh_space_unmap(p->on, page, 1, &pages), "unmap") ||
		    !must(p, pages == 1, "unmap missed a page") ||
		    !cannot_read(p, cpu, page))
			return false;
	}
	return true;
}

static bool live(struct program *p, unsigned cpu)
{
	if (!fine(p, fh_space_create(&stage.kernel, &p->parent), "space"))
		return false;
	p->done.spaces++;
	switch_to(p, &p->parent);
	return fill(p, cpu) && protect(p, cpu) && grow(p, cpu) &&
	       map_shared(p) && add_to_shared(p, cpu) &&
	       fork_and_part(p, cpu) && meet(p, cpu);
}

static void die(struct program *p)
{
	fh_kernel_activate(&stage.kernel);
	(void)fine(p, fh_space_destroy(&p->parent), "a space in use");
	(void)fine(p, fh_space_destroy(&p->child), "a space in use");
}

static void run_program(unsigned cpu, void *arg)
{
	struct program *p = &stage.programs[cpu];

	(void)arg;
	fh_cpu_online(cpu);
	for (unsigned i = 0; i < stage.plan->rounds && p->wrong == NULL; i++) {
		(void)live(p, cpu);
		die(p);
		fh_poll();
	}
	fh_kernel_deactivate();
	if (cpu != 0)
		fh_cpu_offline(cpu);
}

/* ---- All of it ---- */

/* The format of the tables that the library was built with. */
static enum hosted_mmu_format own_format(void)
{
	static const char *const names[HOSTED_MMU_FORMATS] = {
		[HOSTED_MMU_X86_64] = "x86-64",
		[HOSTED_MMU_RISCV] = "RISC-V",
		[HOSTED_MMU_AARCH64] = "AArch64",
		[HOSTED_MMU_LOONGARCH] = "LoongArch64",
		[HOSTED_MMU_HOSTILE] = "hostile",
	};
	unsigned i = 0;

	while (i < HOSTED_MMU_FORMATS && strcmp(names[i], FH_ARCH_NAME) != 0)
		i++;
	return (enum hosted_mmu_format)i;
}

static bool complain(const char *what, const char *why)
{
	fprintf(stderr, "fh-demo: address spaces: %s: %s\n", what, why);
	return false;
}

/*
 * Two spaces' heaps and nodes for each CPU, those of two lives ago that wait for
 * a grace period, 2 MiB in one leaf, and what all have.
 */
uint64_t spaces_need(unsigned cpus)
{
	return 64 + cpus * (4 * HEAP_PAGES + 128 + FH_NODE_ENTRIES);
}

static bool open_stage(const struct spaces_plan *plan)
{
	/* Nothing of the kernel's is mapped here: one entry of the root. */
	struct fh_page_range window = {
		.first = fh_page_table_range(FH_TABLE_KERNEL, 4).first,
		.count = 1,
	};

	memset(&stage, 0, sizeof(stage));
	stage.plan = plan;
	for (unsigned cpu = 0; cpu < plan->cpus; cpu++)
		stage.programs[cpu].random =
			(plan->seed + cpu + 1) * UINT64_C(0x9e3779b97f4a7c15);
	enum fh_status status = hosted_mmu_start(own_format(), 4);

	if (status == FH_OK)
		status = fh_page_table_create_kernel(NULL, &window, 1,
						     &stage.kernel);
	if (status == FH_OK)
		status = fh_space_create(&stage.kernel, &stage.meeting);
	if (status == FH_OK)
		status = fh_frame_alloc(NULL, &fh_untyped_type, NULL,
					&stage.shared);
	if (status != FH_OK)
		return complain("setting up", fh_status_name(status));
	hosted_mmu_set_fault_handler(answer_fault, NULL);
	return true;
}

static bool mmu_is_content(void)
{
	struct hosted_mmu_report report;
	char text[HOSTED_MMU_TEXT_SIZE];

	if (hosted_mmu_check(&report))
		return true;
	hosted_mmu_report_text(&report, text, sizeof(text));
	return complain("the MMU", text);
}

static bool tables_are_sound(void)
{
	struct fh_table_totals totals = {.nodes = 0};
	struct fh_finding finding;
	char text[FH_FINDING_TEXT_SIZE];

	if (fh_audit_user_table(&stage.kernel, &stage.meeting.table, &totals,
				&finding) == FH_OK &&
	    fh_audit_table(&stage.kernel, &totals, &finding) == FH_OK)
		return true;
	fh_finding_text(&finding, text, sizeof(text));
	return complain("audit", text);
}

static bool add_up(struct spaces_result *sum)
{
	uint32_t *counter = fh_host_linear(fh_frame_paddr(stage.shared));
	struct hosted_mmu_counts counts = hosted_mmu_counts();

	for (unsigned cpu = 0; cpu < stage.plan->cpus; cpu++) {
		const struct program *p = &stage.programs[cpu];

		if (p->wrong != NULL)
			return complain("a program", p->wrong);
		sum->spaces += p->done.spaces;
		sum->forks += p->done.forks;
		sum->filled += p->done.filled;
		sum->copied += p->done.copied;
		sum->refused += p->done.refused;
		sum->accesses += p->done.accesses;
		sum->huge += p->done.huge;
		sum->shared += p->done.shared;
	}
	sum->walks = counts.walks;
	sum->cached = counts.cached;
	sum->flushes = counts.flushes;
	return *counter == sum->shared ||
	       complain("shared memory", "an addition was lost");
}

static bool close_stage(void)
{
	enum fh_status status = fh_space_destroy(&stage.meeting);

	fh_page_table_destroy(&stage.kernel);
	fh_frame_put(&stage.shared);
	fh_settle();
	hosted_mmu_stop();
	return status == FH_OK || complain("closing", fh_status_name(status));
}

static double now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

bool spaces_run(const struct spaces_plan *plan, struct spaces_result *result)
{
	double begin = now();

	memset(result, 0, sizeof(*result));
	if (!open_stage(plan))
		return false;
	hosted_run(plan->cpus, run_program, NULL);
	bool content = mmu_is_content() && tables_are_sound() && add_up(result);

	result->seconds = now() - begin;
	return close_stage() && content;
}
