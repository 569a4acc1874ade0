/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A tree of forks: each sees what its parent wrote before, and nothing that
 * anybody else writes after; but for shared memory, which all add to.
 */
#include "lib.h"

#define OWN    PLACE
#define PAGES  UINT64_C(24)
#define SHARED (PLACE + (UINT64_C(1) << 30))
#define LEVELS 3

static uint64_t generation;

static uint64_t word_of(uint64_t page, uint64_t path)
{
	return (page + 1) * 1000003 + path * 7919;
}

static void write_all(uint64_t path)
{
	for (uint64_t page = 0; page < PAGES; page++)
		store(OWN + page * PAGE_SIZE, word_of(page, path));
}

static void check_all(uint64_t path)
{
	for (uint64_t page = 0; page < PAGES; page++)
		MUST(load(OWN + page * PAGE_SIZE) == word_of(page, path));
}

/* path: which way it was from the root, a digit a level. */
static void grow(uint64_t level, uint64_t path)
{
	uint64_t children[2];

	write_all(path);
	generation = level;
	(void)add(SHARED, 1);
	if (level == LEVELS)
		return;
	for (uint64_t i = 0; i < 2; i++) {
		children[i] = fork();
		MUST(children[i] != CALL_FAILED);
		if (children[i] == 0) {
			check_all(path);
			MUST(generation == level);
			grow(level + 1, path * 10 + i + 1);
			leave(0);
		}
		/* The child still sees what was before. */
		if (i == 0)
			check_all(path);
	}
	for (uint64_t i = 0; i < 2; i++)
		MUST(await(children[i]) == 0);
	check_all(path);
	MUST(generation == level);
}

uint64_t main_program(uint64_t argument)
{
	MUST(map(OWN, PAGES * PAGE_SIZE, CALL_READ | CALL_WRITE));
	MUST(map(SHARED, PAGE_SIZE, CALL_READ | CALL_WRITE | CALL_SHARED));
	grow(0, argument + 1);
	MUST(load(SHARED) == (UINT64_C(2) << LEVELS) - 1);
	if (argument == 0)
		say("15 processes saw what was before their fork, and their "
		    "own\n");
	return 0;
}
