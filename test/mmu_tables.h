/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the tests of the hosted MMU share: page tables made of literal hardware
 * bits, without the library, in each format that the MMU knows; and accesses.
 *
 * The tests make no use of the allocator, so that any page but the library's
 * own is theirs: nodes from the second GiB on, data above.
 */
#ifndef FRAMEHOLD_TEST_MMU_TABLES_H
#define FRAMEHOLD_TEST_MMU_TABLES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <framehold/framehold.h>

#include "hosted.h"
#include "mmu.h"

#define PAGE UINT64_C(4096)
#define MIB  (UINT64_C(1) << 20)
#define GIB  (UINT64_C(1) << 30)

/* Sparse: what is not touched costs nothing. It ends inside of 2 MiB. */
#define RAM   (3 * GIB + MIB)
#define NODES (GIB / PAGE)
#define DATA  ((GIB + 64 * MIB) / PAGE)
#define BIG   (2 * GIB / PAGE) /* a frame that a leaf of 1 GiB may have */

/* Addresses that every format has, in nodes of their own. */
#define VA     UINT64_C(0x40201000)
#define BIG_AT UINT64_C(0x80000000)

/* What tests ask of an entry, in bits that belong to no format. */
#define R    0x01u
#define W    0x02u
#define X    0x04u
#define U    0x08u
#define G    0x10u
#define A    0x20u
#define D    0x40u
#define RW   (R | W)
#define RWX  (R | W | X)
#define DONE (A | D) /* nothing is left for hardware or software to set */

struct format {
	enum hosted_mmu_format number;
	unsigned levels;
	uint64_t (*table)(uint64_t frame, unsigned level);
	uint64_t (*leaf)(uint64_t frame, unsigned level, unsigned rights);
	bool sets_bits; /* accessed and dirty, by hardware */
	bool breaks;    /* break-before-make */
};

/* Of the test that runs: set by begin(). */
extern const struct format *format;
extern unsigned levels;
extern uint64_t root; /* the tree that slot() and map() change */

/* Some of them; there are more. */
extern const struct format formats[];
#define X86     (&formats[0])
#define SV48    (&formats[3])
#define AARCH64 (&formats[5])

/* A machine with the MMU off. */
void power_on(void);

/* A machine with the MMU on, and an empty tree as asid 1. */
void begin(const struct format *with);

/* Runs body with each format that fits, on a machine of its own. */
void with_each(void (*body)(void), bool (*fits)(const struct format *));
bool sets_bits(const struct format *which);
bool needs_bits(const struct format *which);
bool breaks(const struct format *which);
bool needs_no_break(const struct format *which);

/* The first address of the kernel's half. */
uint64_t kernel_half(void);

void *page_of(uint64_t frame);
uint64_t new_node(void);
uint64_t last_node(void); /* the newest */

/* The entry of that level on the way to va, with the nodes that it needs. */
uint64_t *slot(uint64_t va, unsigned level);
void set(uint64_t *entry, uint64_t raw);
void map(uint64_t va, uint64_t frame, unsigned level, unsigned rights);

/* Bits of an entry of the hostile format before they are moved. */
uint64_t rotated(uint64_t bits, unsigned level);

void activate(uint64_t top, uint64_t asid);
void flush(uint64_t asid, uint64_t va, uint64_t n);
void flush_asid(uint64_t asid);
void broadcast(uint64_t va, uint64_t n);

/* Accesses by CPU 0. */
bool loads(uint64_t va);
bool stores(uint64_t va);
bool fetches(uint64_t va);
uint64_t word_at(uint64_t va);

/* Through the linear map: the first word, or a function that returns. */
void mark(uint64_t frame, uint64_t word);
void put_code(uint64_t frame);

/* What hosted_mmu_check() says: nothing, or just that. */
void nothing_is_wrong(void);
struct hosted_mmu_report wrong(enum hosted_mmu_wrong what);

#endif /* FRAMEHOLD_TEST_MMU_TABLES_H */
