/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Operations on address spaces against a model of what each page is mapped to,
 * allows and holds. Who calls chooses: random numbers on several CPUs, or the
 * bytes of a fuzzer's input on one. What differs ends the process, with the
 * line that noticed.
 *
 * Two spaces are everybody's, and each walker has one of its own, the target of
 * its clones. The pages lie in ranges, each with a lock, so that operations on
 * different ranges overlap in nodes, and never in pages. A word of each page
 * holds the page's tag: writing another one is for those only who have the page
 * alone because they have just copied it, or taken it over.
 */
#ifndef FRAMEHOLD_TEST_SPACE_MODEL_H
#define FRAMEHOLD_TEST_SPACE_MODEL_H

#include <framehold/framehold.h>

#define MODEL_WALKERS 4
#define MODEL_SHARED  2 /* spaces */
#define MODEL_SPACES  (MODEL_SHARED + MODEL_WALKERS)

/* Where the choices of a walker come from: a number below n. */
struct model_source {
	uint64_t (*pick)(struct model_source *source, uint64_t n);
	uint64_t state;      /* of random numbers, */
	const uint8_t *data; /* or the bytes left */
	size_t left;
};

uint64_t model_pick_random(struct model_source *source, uint64_t n);
uint64_t model_pick_bytes(struct model_source *source, uint64_t n);

/* One CPU's. */
struct model_walker {
	struct model_source *source;
	unsigned number;
	bool use_mmu; /* accesses by the hosted MMU, too */
	uint64_t tags;
	/* Of the access under way: whether an unmapped page is to be filled. */
	struct fh_space *active;
	const struct fh_page_prop *fill;
};

/* Makes the kernel's table and the spaces; all empty. */
void model_spaces_open(void);

void model_walker_open(struct model_walker *w, unsigned number,
		       struct model_source *source, bool use_mmu);

/* Its CPU runs on no space any more. */
void model_walker_close(struct model_walker *w);

/* One operation; what it touched is compared afterwards. */
void model_step(struct model_walker *w);

/*
 * One operation on pages that everybody uses and nobody has a model of: it may
 * end in different ways, but in no other.
 */
void model_wild_step(struct model_walker *w);

/* Answers the MMU's faults, by the walker of the CPU. */
bool model_fault(struct model_walker *w, uint64_t va, enum fh_access access);

/* Compares everything, and audits it; nobody else is at work. */
void model_spaces_check(void);

/* Gives everything back; the same. */
void model_spaces_close(void);

#endif /* FRAMEHOLD_TEST_SPACE_MODEL_H */
