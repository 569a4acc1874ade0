/* SPDX-License-Identifier: MPL-2.0 */
/*
 * CPUs that cache translations and forget them only when told to. There are
 * two pages, and a word of data behind each: who uses a page reads the word,
 * plainly, as long as the page is mapped or cached; who has unmapped it for all
 * CPUs writes the word. A stale translation is a data race.
 */
#ifndef FRAMEHOLD_INTERLEAVE_TRANSLATIONS_H
#define FRAMEHOLD_INTERLEAVE_TRANSLATIONS_H

#include "machine.h"

#include "active.h"

#define ROOT   7
#define NUMBER 1 /* that CPUs run under before they switch */

uint64_t table[2]; /* 1: mapped; atomic */
uint64_t data[2];
unsigned resting;

/* Each CPU's own. */
static struct {
	uint64_t asid;
	bool cached[2];
	uint64_t cached_under[2];
} tlb[FH_MAX_CPUS];

static void reset_translations(void)
{
	__builtin_memset(tlb, 0, sizeof(tlb));
	for (unsigned cpu = 0; cpu < FH_MAX_CPUS; cpu++)
		tlb[cpu].asid = NUMBER;
	table[0] = table[1] = 1;
	data[0] = data[1] = 0;
	resting = 0;
}

void fh_host_activate(struct fh_paddr root, uint64_t asid)
{
	(void)root;
	tlb[fh_host_cpu()].asid = asid;
}

static void forget(unsigned page, uint64_t asid)
{
	if (asid == FH_ASID_KERNEL ||
	    asid == tlb[fh_host_cpu()].cached_under[page])
		tlb[fh_host_cpu()].cached[page] = false;
}

void fh_host_flush_pages(uint64_t asid, struct fh_vaddr va, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		forget((unsigned)(va.bytes / FH_PAGE_SIZE + i), asid);
	machine_note_flush();
}

void fh_host_flush_asid(uint64_t asid)
{
	for (unsigned i = 0; i < 2; i++)
		forget(i, asid);
	machine_note_flush();
}

/* This CPU uses the page, if it can. */
static void use(unsigned page)
{
	unsigned cpu = fh_host_cpu();
	bool cached = tlb[cpu].cached[page] &&
		      tlb[cpu].cached_under[page] == tlb[cpu].asid;

	if (!cached && fh_word_load_relaxed(&table[page]) != 0) {
		cached = true;
		tlb[cpu].cached[page] = true;
		tlb[cpu].cached_under[page] = tlb[cpu].asid;
	}
	if (cached)
		CHECK(data[page] == 0);
}

static struct fh_flush flush_of(unsigned page)
{
	struct fh_flush flush;

	fh_flush_init(&flush);
	fh_flush_add(&flush, page, 1);
	return flush;
}

/* Answers until all `count` threads are here; others may wait for this CPU. */
static inline void rest(unsigned count)
{
	(void)__atomic_fetch_add(&resting, 1, __ATOMIC_ACQ_REL);
	for (;;) {
		fh_flush_answer();
		if (__atomic_load_n(&resting, __ATOMIC_ACQUIRE) == count)
			return;
		fh_host_relax();
	}
}

#endif /* FRAMEHOLD_INTERLEAVE_TRANSLATIONS_H */
