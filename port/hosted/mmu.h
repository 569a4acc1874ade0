/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The hosted machine's MMU: page tables in its RAM decide what loads, stores
 * and jumps of a simulated CPU reach, by the rules of a real table format. The
 * walker shares nothing with the library: it is written from the manuals.
 *
 *     CPU 0's window    [user half, both ends][kernel half, both ends]
 *     CPU 1's window    [ ...                                        ]
 *
 * Each CPU has a window of host address space that stands for its virtual
 * addresses. A window is empty at first. An access to it raises SIGSEGV; then
 * the tables are walked from the root that fh_host_activate() loaded, accessed
 * and dirty are set where the format's hardware does so, and the page of RAM
 * is mapped into the window with what is allowed and no more. Any other access
 * is a page fault: the kernel's handler is called and the access tried again.
 *
 * Translations are cached for ever, as they were when first used: leaves, and
 * the nodes on the way to them. Nothing but the hooks fh_host_flush_*() makes
 * a CPU forget one, so that a forgotten flush shows each time. What is not
 * modelled: entries cached before use, or cached as absent.
 *
 * Addresses that the windows have no room for are reached by the functions
 * below, but not through a pointer. A page that may be written or executed but
 * not read can be read through a pointer too, by what most hosts can do; the
 * functions refuse that. An access through a pointer may change whatever a
 * fault handler changes: the compiler has to be told, by volatile.
 *
 * Needs an x86-64 host, and no privileges. Unless a comment says otherwise,
 * functions are called by the thread that started the machine, while no other
 * CPU runs.
 */
#ifndef FRAMEHOLD_PORT_MMU_H
#define FRAMEHOLD_PORT_MMU_H

#include <framehold/host.h>

FH_BEGIN_DECLS

enum hosted_mmu_format {
	HOSTED_MMU_X86_64,    /* 4 or 5 levels; PCID, global pages, NX, SMEP */
	HOSTED_MMU_RISCV,     /* 3, 4 or 5; A and D by software, Svpbmt */
	HOSTED_MMU_AARCH64,   /* 4; stage 1, both roots the same node */
	HOSTED_MMU_LOONGARCH, /* 4; both roots the same node */
	HOSTED_MMU_HOSTILE,   /* 3, 4 or 5; arch/hostile; A and D by software */
	HOSTED_MMU_FORMATS,
};

enum hosted_access {
	HOSTED_LOAD,
	HOSTED_STORE,
	HOSTED_FETCH,
};

/*
 * Switches the MMU on, with a window for each CPU that uses it; hosted_stop()
 * or hosted_mmu_stop() switches it off. There must be a machine.
 *
 *   FH_E_INVALID     the format has no such levels, or the host is no x86-64
 *   FH_E_TWICE       it is on already
 */
FH_NODISCARD
enum fh_status hosted_mmu_start(enum hosted_mmu_format format, unsigned levels);

/* Ends the process with a report that nobody took, or nothing if it is off. */
void hosted_mmu_stop(void);

/* Any thread. */
bool hosted_mmu_is_on(void);

/*
 * Whether the n bytes from va on, which are not 0, have room in the windows:
 * the first 2^41 bytes of the user half, the first 2^40 of the kernel half,
 * and the last 2^39 of both; 2^34 of each with the thread sanitizer. Any
 * thread.
 */
bool hosted_mmu_covers(uint64_t va, uint64_t n);

/*
 * Where that CPU, and no other, may load, store or jump to mean its address
 * va, which the windows cover. Pointers to neighbouring addresses are
 * neighbours. Any thread.
 */
void *hosted_mmu_address(unsigned cpu, uint64_t va);

/*
 * The calling CPU goes on as a user program, or as the kernel, which it is at
 * first and in fault handlers. The kernel may load and store what users may, as
 * far as the entry allows.
 */
void hosted_mmu_set_user(bool user);

/*
 * What a page fault calls: on the CPU, as the kernel, with preemption and
 * interrupts as they were. True: the access is tried again. Otherwise, or
 * without a handler, a function of this header returns false, and an access
 * through a pointer stops the machine. So does a handler that says true for
 * the same page over and over.
 */
typedef bool hosted_fault_handler(unsigned cpu, uint64_t va,
				  enum hosted_access access, void *arg);
void hosted_mmu_set_fault_handler(hosted_fault_handler *handler, void *arg);

/*
 * One access by the calling CPU, whose number is cpu; false on a fault. A word
 * need not be aligned. hosted_mmu_fetch() calls the code at va, which is a
 * function without arguments, and is false too if a fault inside of it was not
 * handled; where the windows do not cover va it only looks whether the code
 * might be fetched.
 */
FH_NODISCARD
bool hosted_mmu_load8(unsigned cpu, uint64_t va, uint8_t *value);
FH_NODISCARD
bool hosted_mmu_load64(unsigned cpu, uint64_t va, uint64_t *value);
FH_NODISCARD
bool hosted_mmu_store8(unsigned cpu, uint64_t va, uint8_t value);
FH_NODISCARD
bool hosted_mmu_store64(unsigned cpu, uint64_t va, uint64_t value);
FH_NODISCARD
bool hosted_mmu_fetch(unsigned cpu, uint64_t va);

/* Many bytes; returns how many were copied before a fault. */
size_t hosted_mmu_read(unsigned cpu, void *to, uint64_t from, size_t n);
size_t hosted_mmu_write(unsigned cpu, uint64_t to, const void *from, size_t n);

/*
 * An aligned load, or compare-exchange, as one access, relaxed; *old is the
 * word before. False on a fault; the compare-exchange's is one of a store.
 */
FH_NODISCARD
bool hosted_mmu_load32(unsigned cpu, uint64_t va, uint32_t *value);
FH_NODISCARD
bool hosted_mmu_cas32(unsigned cpu, uint64_t va, uint32_t expected,
		      uint32_t desired, uint32_t *old);

/* ---- What it noticed ---- */

enum hosted_mmu_wrong {
	HOSTED_MMU_NOTHING,
	HOSTED_MMU_STALE,    /* cached and usable, but not in the tables */
	HOSTED_MMU_UNBROKEN, /* changed in use: break-before-make violated */
	HOSTED_MMU_MACHINE_CHECK, /* reserved bits, or beyond the end of RAM */
	HOSTED_MMU_FAULT,         /* not handled */
	HOSTED_MMU_STUCK,         /* a fault that is handled again and again */
};

struct hosted_mmu_report {
	enum hosted_mmu_wrong wrong;
	unsigned cpu;
	uint64_t asid;
	bool global;
	uint64_t va;
	unsigned level;     /* of the entry */
	bool node;          /* it names a node, cached on the way to leaves */
	uint64_t frame;     /* cached: what va was translated to */
	uint64_t old_entry; /* as cached */
	uint64_t new_entry; /* as it is now; where the walk ends */
	uint64_t entry_at;  /* physical address of the old one */
	enum hosted_access access; /* FAULT and STUCK */
};

#define HOSTED_MMU_TEXT_SIZE 320

/* One line without newline. Any thread. */
void hosted_mmu_report_text(const struct hosted_mmu_report *report, char *text,
			    size_t size);

/*
 * Whether all is well: compares all that each CPU has cached, and may use as
 * it is now, with a walk of the tables it has active. Called where no change of
 * a table waits for its flush; other CPUs may run. A cached entry that allows
 * less than the tables, or knows of no accessed bit, is not stale. A violation
 * of break-before-make that was noticed since the last call comes first, and
 * is forgotten. If something is wrong, it is in *report.
 */
FH_NODISCARD
bool hosted_mmu_check(struct hosted_mmu_report *report);

/*
 * Whether a CPU has a translation to that page cached which it may use as it
 * is now, or walks tables in it; then *report, which may be null, says which.
 * A page that is being freed must not be found. Any CPU.
 */
bool hosted_mmu_find_frame(uint64_t frame, struct hosted_mmu_report *report);

/*
 * The reason for the last stop of the machine by the MMU, which
 * hosted_stops() caught with the rule "mmu".
 */
struct hosted_mmu_report hosted_mmu_last_stop(void);

/* Counted since hosted_mmu_start(), over all CPUs. */
struct hosted_mmu_counts {
	uint64_t walks;    /* that gave a translation */
	uint64_t cached;   /* accesses that a cached one was used for */
	uint64_t faults;   /* delivered */
	uint64_t emptied;  /* windows, for room or another address space */
	uint64_t flushes;  /* calls of the hooks */
	uint64_t barriers; /* calls of fh_host_table_barrier() */
};
struct hosted_mmu_counts hosted_mmu_counts(void);

FH_END_DECLS

#endif /* FRAMEHOLD_PORT_MMU_H */
