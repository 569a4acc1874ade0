/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Between the parts of the hosted machine: what hosted.c shows the MMU, what a
 * table format is to the walker, what the walker gives, the cache that keeps
 * it, and the few instructions that depend on the host.
 */
#ifndef FRAMEHOLD_PORT_MMU_INSIDE_H
#define FRAMEHOLD_PORT_MMU_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmu.h"

/* ---- hosted.c ---- */

/* Ends the process unless a rule of host.h, hosted.h or mmu.h holds. */
void hosted_require(bool holds, const char *rule);

/* The number of the calling thread's CPU. */
unsigned hosted_this_cpu(void);

/* The file that is the RAM, and its first byte in the linear map. */
int hosted_ram_file(void);
unsigned char *hosted_ram(void);

/* mmu.c: the CPU's caches lose all; it has no tables any more. */
void hosted_mmu_power_off(unsigned cpu);

/* ---- Table formats ---- */

#define MMU_READ  1u
#define MMU_WRITE 2u
#define MMU_EXEC  4u
#define MMU_ALL   7u

#define MMU_MAX_LEVELS 5

enum mmu_kind {
	MMU_ABSENT, /* a page fault */
	MMU_TABLE,
	MMU_LEAF,
	MMU_WRONG, /* hardware has no meaning for it */
};

/* One entry as hardware reads it. */
struct mmu_entry {
	enum mmu_kind kind;
	uint64_t frame;
	unsigned kernel; /* MMU_READ and so on; of a table: at most, below it */
	unsigned user;
	bool global;
	bool accessed;
	bool dirty;
	unsigned memory; /* what says how it is cached, as it stands */
};

/* Levels count from 1, where an entry is a page's. */
struct mmu_format {
	const char *name;
	unsigned min_levels;
	unsigned max_levels;

	/* Bits that hardware sets in entries; 0: what lacks them faults. */
	uint64_t set_accessed;
	uint64_t set_dirty;

	/* A page fault makes the CPU forget what it knew of the page. */
	bool fault_evicts;

	/* An entry in use must not become another one at once. */
	bool break_before_make;

	/* Supervisors never execute pages that users have these rights to. */
	unsigned no_kernel_exec;

	struct mmu_entry (*decode)(uint64_t raw, unsigned level);
};

extern const struct mmu_format mmu_x86_64;
extern const struct mmu_format mmu_riscv;
extern const struct mmu_format mmu_aarch64;
extern const struct mmu_format mmu_loongarch;
extern const struct mmu_format mmu_hostile;

/* ---- mmu_walk.c ---- */

/* A translation, or for a node the way to it. */
struct mmu_translation {
	uint64_t page;   /* the first one of a leaf, or below a node */
	uint64_t frame;  /* that the page is mapped to, or the node */
	unsigned level;  /* of the leaf's entry, or of the node's entries */
	unsigned kernel; /* rights, of all entries on the way */
	unsigned user;
	bool global;
	bool dirty;
	unsigned memory;
	uint64_t entry;    /* as it was read, ... */
	uint64_t entry_at; /* ... at this physical address */
};

enum mmu_outcome {
	MMU_OK,
	MMU_FAULT,
	MMU_CHECK, /* a machine check */
};

/* Who wants what. */
struct mmu_want {
	bool user;
	enum hosted_access access;
};

struct mmu_walk {
	const struct mmu_format *format;
	uint64_t ram_frames;

	/* nodes[level] for the levels from `top` down to `lowest`. */
	struct mmu_translation nodes[MMU_MAX_LEVELS + 1];
	unsigned top;
	unsigned lowest;

	/* The leaf, after MMU_OK; else the entry it ended at; its kind. */
	struct mmu_translation leaf;
	enum mmu_kind kind;
};

/*
 * Walks from nodes[top], which the caller has set, to page. Where want is
 * null, it only looks; otherwise it is an access, which sets bits of entries.
 * It stops at the node of level `stop`, 0 for the leaf.
 */
enum mmu_outcome mmu_walk(struct mmu_walk *walk, uint64_t page,
			  const struct mmu_want *want, unsigned stop);

/* Whether the rights suffice; a store to a clean page is one more question. */
bool mmu_allows(const struct mmu_translation *t, const struct mmu_want *want);

/* Pages that an entry of the level maps. */
uint64_t mmu_level_pages(unsigned level);

/* ---- mmu_cache.c ---- */

#define MMU_GLOBAL UINT64_MAX

/* A leaf, or a part that is left of one, or a node. */
struct mmu_cached {
	struct mmu_translation t; /* t.page, t.frame: of the part */
	uint64_t asid;            /* or MMU_GLOBAL */
	unsigned size;            /* 512^(size-1) pages; 0: not in use */
	bool node;
	uint32_t next; /* in its bucket, or of the unused ones; 0: none */
};

struct mmu_cache {
	struct mmu_cached *all; /* [0] is none */
	uint32_t *buckets;
	uint32_t used; /* entries before this one have been in use */
	uint32_t unused;
	uint32_t count[2][MMU_MAX_LEVELS + 2]; /* by node, size */
	void (*removed)(void *arg, const struct mmu_cached *entry);
	void *arg;
};

/* False: no memory. Memory is the host's, and never malloc()'s. */
bool mmu_cache_open(struct mmu_cache *cache);
void mmu_cache_close(struct mmu_cache *cache);

/* The leaf used for a page under asid, or null. */
struct mmu_cached *mmu_cache_find(struct mmu_cache *cache, uint64_t asid,
				  uint64_t page);

/* The node of that level on the way to a page under asid, or null. */
struct mmu_cached *mmu_cache_find_node(struct mmu_cache *cache, uint64_t asid,
				       uint64_t page, unsigned level);

/* Whether there was room; if not, everything has to go first. */
bool mmu_cache_add(struct mmu_cache *cache, const struct mmu_translation *t,
		   bool node, uint64_t asid);

/*
 * Forgets the pages first .. last; of larger leaves just these. What is cached
 * as global counts as an address space of its own. True if it had a leaf there.
 */
bool mmu_cache_remove(struct mmu_cache *cache, bool every, uint64_t asid,
		      uint64_t first, uint64_t last);

/* ---- mmu_translate.c ---- */

/* Virtual addresses that the windows have room for, one after the other. */
#define MMU_STRETCHES 4

struct mmu_stretch {
	uint64_t va;
	uint64_t bytes;
	uint64_t offset; /* in each window */
};

struct mmu_cpu {
	bool open; /* atomic: the rest is there */
	bool active;
	bool user;
	uint64_t root; /* a frame */
	uint64_t asid;
	struct mmu_cache cache;
	unsigned char *window;
	bool has_unreadable; /* mapped, which the host may let be read */
	unsigned mapped;     /* pieces, since the window was emptied */
	uint64_t stuck_page; /* of the last faults that were handled, ... */
	unsigned stuck;      /* ... and how many there were */
	uint64_t jump_stack; /* of hosted_mmu_fetch() */
};

struct mmu_state {
	bool on;
	uint32_t lock; /* of all below, atomic */
	const struct mmu_format *format;
	unsigned levels;
	uint64_t ram_frames;
	struct mmu_stretch stretches[MMU_STRETCHES];
	unsigned stretch_count;
	uint64_t window_bytes;
	struct mmu_cpu cpus[FH_MAX_CPUS];
	struct hosted_mmu_counts counts;
	struct hosted_mmu_report noticed;
	struct hosted_mmu_report stop;
	char stop_text[HOSTED_MMU_TEXT_SIZE];
	hosted_fault_handler *handler;
	void *handler_arg;
};

extern struct mmu_state mmu;

/* Interrupts of this CPU off, and the lock; returns what unlock needs. */
uint64_t mmu_lock(void);
void mmu_unlock(uint64_t saved);

/*
 * An access by the CPU: gives what the page is translated to, as a part of a
 * leaf of *size, from the cache or by a walk. Locked.
 */
enum mmu_outcome mmu_translate(unsigned cpu, uint64_t va,
			       enum hosted_access access,
			       struct mmu_translation *t, unsigned *size);

/* A CPU's cache forgets what is under asid, or is under any, there. Locked. */
bool mmu_forget(struct mmu_cpu *cpu, bool every, uint64_t asid, uint64_t first,
		uint64_t last);

/* What a removed entry is checked for; the cache's callback. */
void mmu_on_removed(void *cpu, const struct mmu_cached *entry);

/* Stops the machine. Not locked. */
FH_NORETURN void mmu_stop_machine(const struct hosted_mmu_report *why);

/* ---- mmu.c ---- */

/* The CPU, with a window. */
struct mmu_cpu *mmu_open_cpu(unsigned cpu);

/* Pages first .. last have to be translated anew. Locked. */
void mmu_unmap(struct mmu_cpu *cpu, uint64_t first, uint64_t last);
void mmu_empty(struct mmu_cpu *cpu);

/* A page fault of the CPU; true: try again. Not locked. */
bool mmu_deliver(unsigned cpu, uint64_t va, enum hosted_access access);
FH_NORETURN void mmu_machine_check(unsigned cpu, uint64_t va,
				   enum hosted_access access,
				   const struct mmu_translation *t);

/* ---- mmu_probe.c ---- */

/* Whether this host can do it at all. */
bool mmu_host_works(void);

/* Handed what SIGSEGV's handler got. */
enum hosted_access mmu_host_access(const void *context);
uintptr_t mmu_host_pc(const void *context);

/* Makes a probe return that it failed; false: no probe was interrupted. */
bool mmu_host_fail_probe(void *context);

/* Makes the jump with that stack return that it failed. */
void mmu_host_fail_jump(void *context, uint64_t stack);

bool mmu_probe_load8(const void *from, uint8_t *to);
bool mmu_probe_load64(const void *from, uint64_t *to);
bool mmu_probe_store8(void *to, uint64_t value);
bool mmu_probe_store64(void *to, uint64_t value);

/* Bytes that were not copied. */
size_t mmu_probe_copy(void *to, const void *from, size_t n);

/* Calls code; *stack is not 0 meanwhile. */
bool mmu_probe_jump(void *code, uint64_t *stack);

#endif /* FRAMEHOLD_PORT_MMU_INSIDE_H */
