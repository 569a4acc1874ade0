/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A free run's head holds its neighbours in the list of its order in the first
 * two words of its slot, and its order plus one in the third; all other pages
 * have 0 there. A CPU's lists are singly linked through the first word.
 */
#include "plain_buddy.h"

#include <framehold/host.h>
#include <framehold/slot.h>

#define CPUS 2

/* As in Linux: pages go in batches of 63, up to 378 are kept. */
#define PAGE_BATCH  63
#define PAGE_HIGH   378
#define BLOCK_ORDER 9
#define BLOCK_BATCH 2
#define BLOCK_HIGH  4

struct cpu_list {
	uint64_t head;
	uint64_t count;
};

static struct {
	uint64_t lock;
	uint64_t first;
	uint64_t end;
	uint64_t free;
	uint64_t heads[PLAIN_BUDDY_LAST + 1];
	struct {
		struct cpu_list pages;
		struct cpu_list blocks;
	} cpus[CPUS] __attribute__((aligned(128)));
} buddy;

static uint64_t *next_of(uint64_t page)
{
	return &fh_slots[page].meta.w[0];
}

static uint64_t *previous_of(uint64_t page)
{
	return &fh_slots[page].meta.w[1];
}

static uint64_t *order_of(uint64_t page)
{
	return &fh_slots[page].meta.w[2];
}

static uint64_t lock_buddy(void)
{
	uint64_t saved = fh_host_irq_save();

	while (__atomic_exchange_n(&buddy.lock, 1, __ATOMIC_ACQUIRE) != 0)
		while (__atomic_load_n(&buddy.lock, __ATOMIC_RELAXED) != 0)
			fh_host_relax();
	return saved;
}

static void unlock_buddy(uint64_t saved)
{
	__atomic_store_n(&buddy.lock, 0, __ATOMIC_RELEASE);
	fh_host_irq_restore(saved);
}

static void insert(uint64_t page, unsigned order)
{
	uint64_t next = buddy.heads[order];

	*next_of(page) = next;
	*previous_of(page) = PLAIN_BUDDY_NONE;
	*order_of(page) = order + 1;
	if (next != PLAIN_BUDDY_NONE)
		*previous_of(next) = page;
	buddy.heads[order] = page;
}

static void remove_head(uint64_t page, unsigned order)
{
	uint64_t next = *next_of(page);
	uint64_t previous = *previous_of(page);

	if (next != PLAIN_BUDDY_NONE)
		*previous_of(next) = previous;
	if (previous != PLAIN_BUDDY_NONE)
		*next_of(previous) = next;
	else
		buddy.heads[order] = next;
	*order_of(page) = 0;
}

static void give_locked(uint64_t page, unsigned order)
{
	buddy.free += UINT64_C(1) << order;
	while (order < PLAIN_BUDDY_LAST) {
		uint64_t other = page ^ (UINT64_C(1) << order);

		if (other < buddy.first ||
		    other + (UINT64_C(1) << order) > buddy.end ||
		    *order_of(other) != order + 1)
			break;
		remove_head(other, order);
		page = page < other ? page : other;
		order++;
	}
	insert(page, order);
}

static uint64_t take_locked(unsigned order)
{
	unsigned found = order;

	while (found <= PLAIN_BUDDY_LAST &&
	       buddy.heads[found] == PLAIN_BUDDY_NONE)
		found++;
	if (found > PLAIN_BUDDY_LAST)
		return PLAIN_BUDDY_NONE;
	uint64_t page = buddy.heads[found];
	remove_head(page, found);
	while (found > order) {
		found--;
		insert(page + (UINT64_C(1) << found), found);
	}
	buddy.free -= UINT64_C(1) << order;
	return page;
}

void plain_buddy_open(uint64_t first, uint64_t n)
{
	buddy.first = first;
	buddy.end = first + n;
	buddy.free = 0;
	for (unsigned order = 0; order <= PLAIN_BUDDY_LAST; order++)
		buddy.heads[order] = PLAIN_BUDDY_NONE;
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		buddy.cpus[cpu].pages.count = 0;
		buddy.cpus[cpu].blocks.count = 0;
	}
	while (first < buddy.end) {
		unsigned order = 0;

		while (order < PLAIN_BUDDY_LAST &&
		       first % (UINT64_C(2) << order) == 0 &&
		       UINT64_C(2) << order <= buddy.end - first)
			order++;
		give_locked(first, order);
		first += UINT64_C(1) << order;
	}
}

void plain_buddy_close(void)
{
	for (unsigned order = 0; order <= PLAIN_BUDDY_LAST; order++)
		while (buddy.heads[order] != PLAIN_BUDDY_NONE)
			remove_head(buddy.heads[order], order);
	buddy.free = 0;
}

uint64_t plain_buddy_free(void)
{
	return buddy.free;
}

static struct cpu_list *list_for(unsigned cpu, unsigned order)
{
	if (order == 0)
		return &buddy.cpus[cpu].pages;
	return order == BLOCK_ORDER ? &buddy.cpus[cpu].blocks : NULL;
}

static void push(struct cpu_list *list, uint64_t page)
{
	*next_of(page) = list->head;
	list->head = page;
	list->count++;
}

static uint64_t pull(struct cpu_list *list)
{
	uint64_t page = list->head;

	list->head = *next_of(page);
	list->count--;
	return page;
}

static void refill(struct cpu_list *list, unsigned order)
{
	unsigned batch = order == 0 ? PAGE_BATCH : BLOCK_BATCH;
	uint64_t saved = lock_buddy();

	for (unsigned i = 0; i < batch; i++) {
		uint64_t page = take_locked(order);

		if (page == PLAIN_BUDDY_NONE)
			break;
		push(list, page);
	}
	unlock_buddy(saved);
}

static void flush(struct cpu_list *list, unsigned order, uint64_t batch)
{
	uint64_t saved = lock_buddy();

	for (uint64_t i = 0; i < batch && list->count > 0; i++)
		give_locked(pull(list), order);
	unlock_buddy(saved);
}

uint64_t plain_buddy_take(unsigned cpu, unsigned order)
{
	struct cpu_list *list = list_for(cpu, order);

	if (list == NULL) {
		uint64_t saved = lock_buddy();
		uint64_t page = take_locked(order);

		unlock_buddy(saved);
		return page;
	}
	if (list->count == 0)
		refill(list, order);
	return list->count == 0 ? PLAIN_BUDDY_NONE : pull(list);
}

void plain_buddy_give(unsigned cpu, uint64_t page, unsigned order)
{
	struct cpu_list *list = list_for(cpu, order);

	if (list == NULL) {
		uint64_t saved = lock_buddy();

		give_locked(page, order);
		unlock_buddy(saved);
		return;
	}
	push(list, page);
	if (list->count > (order == 0 ? PAGE_HIGH : BLOCK_HIGH))
		flush(list, order, order == 0 ? PAGE_BATCH : BLOCK_BATCH);
}

void plain_buddy_drain(unsigned cpu)
{
	flush(&buddy.cpus[cpu].pages, 0, UINT64_MAX);
	flush(&buddy.cpus[cpu].blocks, BLOCK_ORDER, UINT64_MAX);
}
