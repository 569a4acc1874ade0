/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Memory that comes when it is touched: a large heap, written in jumps, read
 * back; the stack; pages protected and given back in the middle; large pages.
 */
#include "lib.h"

#define HEAP       PLACE
#define HEAP_PAGES UINT64_C(512)
#define LARGE      (PLACE + (UINT64_C(1) << 30))

static uint64_t counter = 7; /* in .data, and so writable from the start */
static uint64_t zeroes[1024];

static uint64_t word_of(uint64_t page)
{
	return page * UINT64_C(0x9e3779b97f4a7c15) + counter;
}

static uint64_t depth(uint64_t n)
{
	volatile uint64_t room[64];

	room[0] = n;
	room[63] = n == 0 ? 0 : depth(n - 1);
	return room[0] + room[63];
}

static void fill_heap(void)
{
	MUST(map(HEAP, HEAP_PAGES * PAGE_SIZE, CALL_READ | CALL_WRITE));
	for (uint64_t i = 0; i < HEAP_PAGES; i++) {
		uint64_t page = i * 77 % HEAP_PAGES;

		MUST(load(HEAP + page * PAGE_SIZE + 8) == 0);
		store(HEAP + page * PAGE_SIZE, word_of(page));
	}
}

static void check_heap(uint64_t first, uint64_t end)
{
	for (uint64_t page = first; page < end; page++)
		MUST(load(HEAP + page * PAGE_SIZE) == word_of(page));
}

static void change_heap(void)
{
	MUST(protect(HEAP, 100 * PAGE_SIZE, CALL_READ));
	check_heap(0, HEAP_PAGES);
	MUST(protect(HEAP, 100 * PAGE_SIZE, CALL_READ | CALL_WRITE));
	MUST(unmap(HEAP + 200 * PAGE_SIZE, 100 * PAGE_SIZE));
	MUST(!can_read(HEAP + 200 * PAGE_SIZE));
	MUST(!can_read(HEAP + 299 * PAGE_SIZE));
	check_heap(0, 200);
	check_heap(300, HEAP_PAGES);
	MUST(map(HEAP + 200 * PAGE_SIZE, 100 * PAGE_SIZE,
		 CALL_READ | CALL_WRITE));
	MUST(load(HEAP + 250 * PAGE_SIZE) == 0);
	MUST(unmap(HEAP, HEAP_PAGES * PAGE_SIZE));
}

/* 2 MiB in one piece, a hole in the middle, the rest as it was. */
static void use_large_page(void)
{
	if (!map(LARGE, LARGE_SIZE, CALL_READ | CALL_WRITE | CALL_LARGE)) {
		say("memory is in small pieces: no large page\n");
		return;
	}
	for (uint64_t page = 0; page < 512; page += 7)
		store(LARGE + page * PAGE_SIZE, page + 1);
	MUST(unmap(LARGE + 256 * PAGE_SIZE, PAGE_SIZE));
	MUST(!can_read(LARGE + 256 * PAGE_SIZE));
	for (uint64_t page = 0; page < 512; page += 7)
		MUST(page == 256 || load(LARGE + page * PAGE_SIZE) == page + 1);
	MUST(protect(LARGE, 16 * PAGE_SIZE, CALL_READ));
	MUST(load(LARGE + 14 * PAGE_SIZE) == 15);
	MUST(!unmap(LARGE, LARGE_SIZE));
	MUST(unmap(LARGE, 256 * PAGE_SIZE));
	MUST(unmap(LARGE + 257 * PAGE_SIZE, 255 * PAGE_SIZE));
}

uint64_t main_program(uint64_t argument)
{
	counter += argument;
	for (uint64_t i = 0; i < 1024; i++)
		MUST(zeroes[i] == 0);
	MUST(depth(100) == 100 * 101 / 2);
	fill_heap();
	yield();
	check_heap(0, HEAP_PAGES);
	change_heap();
	use_large_page();
	MUST(counter == 7 + argument);
	if (argument == 0)
		say("pages came zeroed, kept what was written, and went\n");
	return 0;
}
