/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The hosted MMU with several CPUs, and with formats whose entries have to be
 * broken before they are made.
 */
#include "mmu_tables.h"

/* ---- Several CPUs ---- */

#define WAIT_FOR(condition)                                                    \
	do                                                                     \
		fh_host_relax();                                               \
	while (!(condition))

static unsigned turn;

static void wait_for_turn(unsigned which)
{
	WAIT_FOR(__atomic_load_n(&turn, __ATOMIC_ACQUIRE) == which);
}

static void next_turn(void)
{
	__atomic_add_fetch(&turn, 1, __ATOMIC_RELEASE);
}

static void read_on_1(unsigned cpu, void *arg)
{
	uint64_t *seen = arg;

	if (cpu == 0) {
		wait_for_turn(1);
		*slot(VA, 1) = 0;
		flush(1, VA, 1); /* CPU 0's only */
		seen[4] = loads(VA);
		next_turn();
		wait_for_turn(3);
		(void)wrong(HOSTED_MMU_STALE);
		broadcast(VA, 1);
		nothing_is_wrong();
		next_turn();
		wait_for_turn(5);
		return;
	}
	activate(root, 1);
	seen[0] = hosted_mmu_load64(1, VA, &seen[1]);
	next_turn();
	wait_for_turn(2);
	seen[2] = hosted_mmu_load64(1, VA, &seen[3]);
	next_turn();
	wait_for_turn(4);
	seen[5] = hosted_mmu_load64(1, VA, &seen[6]);
	next_turn();
}

static void two_cpus(void)
{
	uint64_t seen[7] = {0};

	turn = 0;
	mark(DATA, 51);
	map(VA, DATA, 1, RW | DONE);
	hosted_run(2, read_on_1, seen);
	assert_true(seen[0]);
	assert_int_equal(seen[1], 51);
	assert_true(seen[2]);
	assert_int_equal(seen[3], 51);
	assert_false(seen[4]);
	assert_false(seen[5]);
}

static void cpu_keeps_an_entry_until_its_own_flush(void **state)
{
	(void)state;
	with_each(two_cpus, NULL);
}

static void interrupted(unsigned cpu)
{
	struct fh_vaddr at = {VA};

	assert_int_equal(cpu, 1);
	fh_host_flush_pages(1, at, 1);
	__atomic_add_fetch(&turn, 1, __ATOMIC_RELEASE);
}

/* CPU 1 reads until it faults; CPU 0 unmaps, and interrupts it for a flush. */
static void read_until_shot_down(unsigned cpu, void *arg)
{
	uint64_t *reads = arg, value;

	if (cpu == 1) {
		activate(root, 1);
		while (hosted_mmu_load64(1, VA, &value)) {
			assert_int_equal(value, 52);
			__atomic_add_fetch(reads, 1, __ATOMIC_RELEASE);
		}
		return;
	}
	WAIT_FOR(__atomic_load_n(reads, __ATOMIC_ACQUIRE) > 100);
	set(slot(VA, 1), 0);
	uint64_t before = __atomic_load_n(reads, __ATOMIC_ACQUIRE);
	WAIT_FOR(__atomic_load_n(reads, __ATOMIC_ACQUIRE) > before + 100);
	hosted_interrupt(1);
	wait_for_turn(1);
	nothing_is_wrong();
}

static void shoot_down(void)
{
	uint64_t reads = 0;

	turn = 0;
	hosted_set_interrupt(interrupted);
	mark(DATA, 52);
	map(VA, DATA, 1, RW | DONE);
	hosted_run(2, read_until_shot_down, &reads);
}

static void interrupt_shoots_down_under_a_running_cpu(void **state)
{
	(void)state;
	with_each(shoot_down, NULL);
}

static void activate_and_load(unsigned cpu, void *arg)
{
	(void)arg;
	if (cpu == 0)
		return;
	uint8_t byte;

	activate(root, 1);
	assert_true(hosted_mmu_load8(1, VA, &byte));
}

static void cpu_that_is_off_has_nothing_cached(void **state)
{
	(void)state;
	begin(X86);
	map(VA, DATA, 1, RW | DONE);
	hosted_run(2, activate_and_load, NULL);
	assert_false(hosted_mmu_find_frame(DATA, NULL));
	*slot(VA, 1) = 0;
	nothing_is_wrong();
	hosted_stop();
}

/* ---- Break before make ---- */

static void unbroken_change(void)
{
	uint64_t large = format->leaf(BIG, 2, RW | DONE);
	struct hosted_mmu_report report;

	/* As it should be: nobody complains. */
	map(VA, DATA, 1, RW | DONE);
	assert_true(loads(VA));
	set(slot(VA, 1), 0);
	broadcast(VA, 1);
	map(VA, DATA + 1, 1, RW | DONE);
	assert_true(loads(VA));
	nothing_is_wrong();
	/* Rights may change at once. */
	map(VA, DATA + 1, 1, R | DONE);
	flush(1, VA, 1);
	assert_true(loads(VA));
	nothing_is_wrong();

	/* Another page: noticed by the flush, ... */
	map(VA, DATA, 1, R | DONE);
	broadcast(VA, 1);
	report = wrong(HOSTED_MMU_UNBROKEN);
	assert_int_equal(report.va, VA);
	assert_int_equal(report.cpu, 0);
	assert_int_equal(report.old_entry, format->leaf(DATA + 1, 1, R | DONE));
	assert_int_equal(report.new_entry, *slot(VA, 1));
	nothing_is_wrong();
	/* ... and without one, by the check. */
	assert_true(loads(VA));
	map(VA, DATA + 1, 1, R | DONE);
	assert_int_equal(wrong(HOSTED_MMU_UNBROKEN).frame, DATA);
	set(slot(VA, 1), 0);
	broadcast(VA, 1);
	nothing_is_wrong();

	/* Another size with the same translation. */
	map(BIG_AT, BIG, 1, RW | DONE);
	assert_true(loads(BIG_AT));
	set(slot(BIG_AT, 2), large);
	assert_int_equal(wrong(HOSTED_MMU_UNBROKEN).new_entry, large);
	/* Another access, beside the old entry. */
	flush(1, BIG_AT + PAGE, 1);
	assert_true(loads(BIG_AT + PAGE));
	assert_int_equal(wrong(HOSTED_MMU_UNBROKEN).va, BIG_AT);
	set(slot(BIG_AT, 2), 0);
	broadcast(BIG_AT, 512);
	nothing_is_wrong();
}

static void entry_changed_in_use_is_reported(void **state)
{
	(void)state;
	with_each(unbroken_change, breaks);
}

/* By the access that first sees the new entry, before any flush or check. */
static void unbroken_size(void)
{
	uint64_t *large = slot(BIG_AT, 2);

	map(BIG_AT, BIG, 1, RW | DONE);
	assert_true(loads(BIG_AT));
	uint64_t node = *large;

	set(large, 0);
	flush(1, BIG_AT + PAGE, 1); /* not the page that is cached */
	set(large, format->leaf(BIG, 2, RW | DONE));
	assert_true(loads(BIG_AT + PAGE));
	set(large, node);
	struct hosted_mmu_report report = wrong(HOSTED_MMU_UNBROKEN);

	assert_int_equal(report.va, BIG_AT);
	assert_int_equal(report.level, 1);
	/* And the other way, with every translation the same. */
	set(large, 0);
	broadcast(BIG_AT, 512);
	set(large, format->leaf(BIG, 2, RW | DONE));
	assert_true(loads(BIG_AT));
	nothing_is_wrong();
	set(large, node);
	report = wrong(HOSTED_MMU_UNBROKEN);
	assert_int_equal(report.level, 2);
	assert_int_equal(report.va, BIG_AT);
	set(large, 0);
	broadcast(BIG_AT, 512);
	nothing_is_wrong();
}

static void size_changed_in_use_is_reported(void **state)
{
	(void)state;
	with_each(unbroken_size, breaks);
}

static void change_under_cpu_1(unsigned cpu, void *arg)
{
	uint8_t byte;

	(void)arg;
	if (cpu == 1) {
		activate(root, 1);
		assert_true(hosted_mmu_load8(1, VA, &byte));
		next_turn();
		wait_for_turn(2);
		flush(1, VA, 1);
		return;
	}
	wait_for_turn(1);
	set(slot(VA, 1), 0);
	flush(1, VA, 1); /* not CPU 1's */
	map(VA, DATA + 1, 1, RW | DONE);
	assert_true(loads(VA));
	/* Seen by that access: CPU 1's entry is true again. */
	map(VA, DATA, 1, RW | DONE);
	struct hosted_mmu_report report = wrong(HOSTED_MMU_UNBROKEN);
	assert_int_equal(report.cpu, 1);
	assert_int_equal(report.frame, DATA);
	set(slot(VA, 1), 0);
	flush(1, VA, 1);
	map(VA, DATA + 1, 1, RW | DONE);
	next_turn();
}

static void change_while_another_cpu_uses_it(void)
{
	turn = 0;
	map(VA, DATA, 1, RW | DONE);
	assert_true(loads(VA));
	hosted_run(2, change_under_cpu_1, NULL);
	/* CPU 1's flush came too late as well. */
	(void)wrong(HOSTED_MMU_UNBROKEN);
	nothing_is_wrong();
}

static void entry_changed_while_another_cpu_uses_it_is_reported(void **state)
{
	(void)state;
	with_each(change_while_another_cpu_uses_it, breaks);
}

static void no_break_needed(void)
{
	map(VA, DATA, 1, RW | DONE);
	assert_true(loads(VA));
	map(VA, DATA + 1, 1, RW | DONE);
	flush(1, VA, 1);
	assert_true(loads(VA));
	nothing_is_wrong();
}

static void other_formats_need_no_break(void **state)
{
	(void)state;
	with_each(no_break_needed, needs_no_break);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(cpu_keeps_an_entry_until_its_own_flush),
	cmocka_unit_test(interrupt_shoots_down_under_a_running_cpu),
	cmocka_unit_test(cpu_that_is_off_has_nothing_cached),
	cmocka_unit_test(entry_changed_in_use_is_reported),
	cmocka_unit_test(size_changed_in_use_is_reported),
	cmocka_unit_test(entry_changed_while_another_cpu_uses_it_is_reported),
	cmocka_unit_test(other_formats_need_no_break),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
