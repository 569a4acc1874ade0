/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Accesses that report a fault instead of raising one. Where a window has room
 * for the address they are real ones, done by a few instructions that the
 * fault handler knows; elsewhere the translation is made, and the linear map
 * used, under the lock, so that no flush comes between.
 */
#include <string.h>

#include "mmu_inside.h"

struct action {
	void *to; /* or null: the memory at the address */
	const void *from;
	size_t n; /* within one page; 0: only looks */

	/* Or as one access: where to leave what was there. */
	uint32_t *old;
	bool exchange;
	uint32_t expected;
	uint32_t desired;
};

static void act(const struct action *action, void *at)
{
	if (action->old != NULL && !action->exchange) {
		*action->old =
			__atomic_load_n((uint32_t *)at, __ATOMIC_RELAXED);
	} else if (action->old != NULL) {
		*action->old = action->expected;
		(void)__atomic_compare_exchange_n(
			(uint32_t *)at, action->old, action->desired, false,
			__ATOMIC_RELAXED, __ATOMIC_RELAXED);
	} else if (action->n != 0) {
		memcpy(action->to != NULL ? action->to : at,
		       action->from != NULL ? action->from : at, action->n);
	}
}

static bool try_once(unsigned cpu, uint64_t va, enum hosted_access access,
		     const struct action *action)
{
	struct mmu_translation t;
	unsigned size;
	uint64_t saved = mmu_lock();
	enum mmu_outcome outcome = mmu_translate(cpu, va, access, &t, &size);

	if (outcome == MMU_OK) {
		uint64_t frame = t.frame + (va / FH_PAGE_SIZE - t.page);

		act(action,
		    hosted_ram() + frame * FH_PAGE_SIZE + va % FH_PAGE_SIZE);
	}
	mmu_unlock(saved);
	if (outcome == MMU_CHECK)
		mmu_machine_check(cpu, va, access, &t);
	return outcome == MMU_OK;
}

static bool reach(unsigned cpu, uint64_t va, enum hosted_access access,
		  const struct action *action)
{
	hosted_require(mmu.on, "the MMU is off");
	hosted_require(cpu == hosted_this_cpu(), "an access by another CPU");
	while (!try_once(cpu, va, access, action))
		if (!mmu_deliver(cpu, va, access))
			return false;
	return true;
}

/* Whether the host can be trusted with it. */
static bool is_for_the_window(unsigned cpu, uint64_t va, uint64_t n)
{
	return hosted_mmu_covers(va, n) && !mmu_open_cpu(cpu)->has_unreadable;
}

/* Copies within one page; returns how many bytes. */
static size_t copy_in_page(unsigned cpu, uint64_t va, void *to,
			   const void *from, size_t n)
{
	struct action action = {.to = to, .from = from, .n = n};
	bool load = to != NULL;

	if (is_for_the_window(cpu, va, n)) {
		void *at = hosted_mmu_address(cpu, va);

		return n - mmu_probe_copy(load ? to : at, load ? at : from, n);
	}
	return reach(cpu, va, load ? HOSTED_LOAD : HOSTED_STORE, &action) ? n
									  : 0;
}

static size_t copy(unsigned cpu, uint64_t va, unsigned char *to,
		   const unsigned char *from, size_t n)
{
	size_t done = 0;

	while (done < n) {
		size_t room = FH_PAGE_SIZE - (va + done) % FH_PAGE_SIZE;
		size_t part = n - done < room ? n - done : room;
		size_t copied = copy_in_page(
			cpu, va + done, to != NULL ? to + done : NULL,
			from != NULL ? from + done : NULL, part);

		done += copied;
		if (copied != part)
			break;
	}
	return done;
}

size_t hosted_mmu_read(unsigned cpu, void *to, uint64_t from, size_t n)
{
	return copy(cpu, from, to, NULL, n);
}

size_t hosted_mmu_write(unsigned cpu, uint64_t to, const void *from, size_t n)
{
	return copy(cpu, to, NULL, from, n);
}

bool hosted_mmu_load8(unsigned cpu, uint64_t va, uint8_t *value)
{
	if (is_for_the_window(cpu, va, 1))
		return mmu_probe_load8(hosted_mmu_address(cpu, va), value);
	return hosted_mmu_read(cpu, value, va, 1) == 1;
}

bool hosted_mmu_load64(unsigned cpu, uint64_t va, uint64_t *value)
{
	uint64_t got;

	if (is_for_the_window(cpu, va, sizeof(got)))
		return mmu_probe_load64(hosted_mmu_address(cpu, va), value);
	if (hosted_mmu_read(cpu, &got, va, sizeof(got)) != sizeof(got))
		return false;
	*value = got;
	return true;
}

bool hosted_mmu_store8(unsigned cpu, uint64_t va, uint8_t value)
{
	if (is_for_the_window(cpu, va, 1))
		return mmu_probe_store8(hosted_mmu_address(cpu, va), value);
	return hosted_mmu_write(cpu, va, &value, 1) == 1;
}

bool hosted_mmu_store64(unsigned cpu, uint64_t va, uint64_t value)
{
	if (is_for_the_window(cpu, va, sizeof(value)))
		return mmu_probe_store64(hosted_mmu_address(cpu, va), value);
	return hosted_mmu_write(cpu, va, &value, sizeof(value)) ==
	       sizeof(value);
}

bool hosted_mmu_load32(unsigned cpu, uint64_t va, uint32_t *value)
{
	struct action action = {.old = value};

	hosted_require(va % sizeof(uint32_t) == 0, "a word not aligned");
	return reach(cpu, va, HOSTED_LOAD, &action);
}

bool hosted_mmu_cas32(unsigned cpu, uint64_t va, uint32_t expected,
		      uint32_t desired, uint32_t *old)
{
	struct action action = {.old = old,
				.exchange = true,
				.expected = expected,
				.desired = desired};

	hosted_require(va % sizeof(uint32_t) == 0, "a word not aligned");
	return reach(cpu, va, HOSTED_STORE, &action);
}

bool hosted_mmu_fetch(unsigned cpu, uint64_t va)
{
	const struct action nothing = {.n = 0};

	if (!hosted_mmu_covers(va, 1))
		return reach(cpu, va, HOSTED_FETCH, &nothing);
	uint64_t *stack = &mmu_open_cpu(cpu)->jump_stack;
	uint64_t outer = *stack;
	bool done = mmu_probe_jump(hosted_mmu_address(cpu, va), stack);

	*stack = outer;
	return done;
}
