/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The hosted MMU: what entries allow, faults, machine checks, and windows.
 */
#include "mmu_tables.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Rights ---- */

/* Whether an entry can have just these of R, W and X, and be there. */
static bool can_say(unsigned rights)
{
	switch (format->number) {
	case HOSTED_MMU_X86_64:
	case HOSTED_MMU_AARCH64:
		return (rights & R) != 0;
	case HOSTED_MMU_RISCV:
		return (rights & R) != 0 || (rights & RWX) == X;
	default:
		return true;
	}
}

static void rights_are_obeyed(unsigned rights)
{
	bool user = rights & U, there = can_say(rights);
	bool load = there && (rights & R), store = there && (rights & W);
	bool fetch = there && (rights & X);
	/* LoongArch's kernel may execute what users may. */
	bool to_kernel = !user || format->number == HOSTED_MMU_LOONGARCH;

	set(slot(VA, 1), there ? format->leaf(DATA, 1, rights | DONE) : 0);
	assert_int_equal(loads(VA), load);
	assert_int_equal(stores(VA), store);
	put_code(DATA);
	assert_int_equal(fetches(VA), fetch && to_kernel);
	/* Now that it may be in the window. */
	assert_int_equal(loads(VA), load);
	assert_int_equal(stores(VA), store);
	put_code(DATA);
	hosted_mmu_set_user(true);
	assert_int_equal(fetches(VA), user && fetch);
	assert_int_equal(stores(VA), user && store);
	assert_int_equal(loads(VA), user && load);
	hosted_mmu_set_user(false);
	put_code(DATA);
	assert_int_equal(loads(VA), load);
	nothing_is_wrong();
	set(slot(VA, 1), 0);
	broadcast(VA, 1);
	assert_false(loads(VA));
}

static void all_rights(void)
{
	for (unsigned rights = 0; rights < 16; rights++)
		rights_are_obeyed(rights);
}

static void rights_of_an_entry_are_what_an_access_may(void **state)
{
	(void)state;
	with_each(all_rights, NULL);
}

static void nodes_limit_what_is_below(uint64_t entry_bits, unsigned rights,
				      bool load, bool store, bool user)
{
	map(VA, DATA, 1, RW | U | DONE);
	map(VA + PAGE, DATA + 1, 1, rights | DONE);
	*slot(VA, 2) ^= entry_bits;
	assert_int_equal(loads(VA), load);
	assert_int_equal(stores(VA), store);
	hosted_mmu_set_user(true);
	assert_int_equal(loads(VA), user);
	hosted_mmu_set_user(false);
	put_code(DATA + 1);
	flush_asid(1);
}

static void nodes_limit_rights_below_them(void **state)
{
	(void)state;
	begin(X86);
	nodes_limit_what_is_below(0, RWX, true, true, true);
	assert_true(fetches(VA + PAGE));
	flush_asid(1);
	root = new_node();
	activate(root, 1);
	nodes_limit_what_is_below(2, RWX, true, false, true); /* R/W */
	root = new_node();
	activate(root, 1);
	nodes_limit_what_is_below(4, RWX, true, true, false); /* U/S */
	root = new_node();
	activate(root, 1);
	nodes_limit_what_is_below(UINT64_C(1) << 63, RWX, true, true, true);
	assert_false(fetches(VA + PAGE));
	hosted_stop();

	begin(AARCH64);
	nodes_limit_what_is_below(UINT64_C(1) << 62, RWX, true, false, true);
	root = new_node();
	flush_asid(1);
	activate(root, 1);
	nodes_limit_what_is_below(UINT64_C(1) << 61, RWX, true, true, false);
	root = new_node();
	activate(root, 1);
	nodes_limit_what_is_below(UINT64_C(1) << 59, RWX, true, true, true);
	assert_false(fetches(VA + PAGE));
	flush_asid(1);
	root = new_node();
	activate(root, 1);
	nodes_limit_what_is_below(UINT64_C(1) << 60, RWX | U, true, true, true);
	hosted_mmu_set_user(true);
	assert_false(fetches(VA + PAGE));
	hosted_mmu_set_user(false);
	hosted_stop();
}

/* mov $42, %eax; ret */
static const unsigned char answer_code[] = {0xb8, 42, 0, 0, 0, 0xc3};

static void code_runs_where_it_is_mapped(void)
{
	int (*answer)(void);
	void *at = hosted_mmu_address(0, VA);

	memcpy(page_of(DATA), answer_code, sizeof(answer_code));
	map(VA, DATA, 1, R | X | DONE);
	memcpy(&answer, &at, sizeof(answer));
	assert_int_equal(answer(), 42);
}

static void code_runs_through_the_window(void **state)
{
	(void)state;
	with_each(code_runs_where_it_is_mapped, NULL);
}

static void pointers_reach_the_page(void)
{
	uint64_t volatile *word = hosted_mmu_address(0, VA + 8);

	map(VA, DATA, 1, RW | DONE);
	*word = 77;
	assert_int_equal(((uint64_t *)page_of(DATA))[1], 77);
	((uint64_t *)page_of(DATA))[1] = 78;
	assert_int_equal(*word, 78);
}

static void pointers_into_the_window_reach_the_page(void **state)
{
	(void)state;
	with_each(pointers_reach_the_page, NULL);
}

/* ---- Faults ---- */

/* Written behind the compiler's back, by what an access raises. */
struct filler {
	volatile unsigned faults;
	volatile uint64_t last;
	volatile enum hosted_access access;
	uint64_t frame; /* 0: fills nothing */
	bool answer;
};

static bool fill(unsigned cpu, uint64_t va, enum hosted_access access,
		 void *arg)
{
	struct filler *filler = arg;

	assert_int_equal(cpu, 0);
	filler->faults++;
	filler->last = va;
	filler->access = access;
	if (filler->frame != 0)
		map(va & ~(PAGE - 1), filler->frame++, 1, RW | U | DONE);
	return filler->answer;
}

static void handler_fills(void)
{
	struct filler filler = {.frame = DATA, .answer = true};
	uint64_t volatile *word = hosted_mmu_address(0, VA);

	memset(page_of(DATA), 0, 4 * PAGE);
	hosted_mmu_set_fault_handler(fill, &filler);
	mark(DATA, 5);
	assert_int_equal(*word, 5);
	assert_int_equal(filler.access, HOSTED_LOAD);
	assert_int_equal(filler.last, VA);
	*word = 6;
	assert_int_equal(filler.faults, 1);
	word[512 + 3] = 7;
	assert_int_equal(filler.access, HOSTED_STORE);
	assert_int_equal(filler.last, VA + PAGE + 24);
	assert_int_equal(((uint64_t *)page_of(DATA + 1))[3], 7);
	assert_int_equal(filler.faults, 2);
	/* For what the windows do not cover, too; and as a user program. */
	hosted_mmu_set_user(true);
	uint64_t far = (UINT64_C(1) << (12 + 9 * levels - 2)) + 40;
	assert_true(hosted_mmu_store64(0, far, 8));
	assert_int_equal(word_at(far), 8);
	assert_int_equal(filler.faults, 3);
	hosted_mmu_set_user(false);
	nothing_is_wrong();
}

static void handler_fills_pages_on_demand(void **state)
{
	(void)state;
	with_each(handler_fills, NULL);
}

static void store_nowhere(void *arg)
{
	*(uint64_t volatile *)hosted_mmu_address(0, VA) = 1;
	(void)arg;
}

static void load_nowhere(void *arg)
{
	(void)arg;
	(void)loads(VA);
}

static void stops(enum hosted_mmu_wrong what, void (*body)(void *arg))
{
	struct fh_finding finding;

	assert_true(hosted_stops(body, NULL, &finding));
	assert_string_equal(finding.rule, "mmu");
	struct hosted_mmu_report report = hosted_mmu_last_stop();
	assert_int_equal(report.wrong, what);
	assert_int_equal(report.va & ~(PAGE - 1), VA);
}

static void unhandled_fault_stops_the_machine(void **state)
{
	(void)state;
	struct filler filler = {.answer = false};

	begin(X86);
	stops(HOSTED_MMU_FAULT, store_nowhere);
	assert_int_equal(hosted_mmu_last_stop().access, HOSTED_STORE);
	hosted_mmu_set_fault_handler(fill, &filler);
	stops(HOSTED_MMU_FAULT, store_nowhere);
	assert_int_equal(filler.faults, 1);
	hosted_stop();
}

static void fault_handled_in_vain_stops_the_machine(void **state)
{
	(void)state;
	struct filler filler = {.answer = true};

	begin(X86);
	hosted_mmu_set_fault_handler(fill, &filler);
	stops(HOSTED_MMU_STUCK, load_nowhere);
	stops(HOSTED_MMU_STUCK, store_nowhere);
	hosted_stop();
}

/* Touches another page by itself, and gets nowhere. */
static bool fill_elsewhere(unsigned cpu, uint64_t va, enum hosted_access access,
			   void *arg)
{
	(void)cpu;
	(void)va;
	(void)access;
	(void)arg;
	assert_true(loads(VA + PAGE));
	flush(1, VA + PAGE, 1);
	return true;
}

static void fault_handled_in_vain_by_a_busy_handler_stops_too(void **state)
{
	(void)state;
	begin(X86);
	map(VA + PAGE, DATA, 1, R | DONE);
	hosted_mmu_set_fault_handler(fill_elsewhere, NULL);
	stops(HOSTED_MMU_STUCK, load_nowhere);
	hosted_stop();
}

/* Uses a page of the kernel's own, which users may not. */
static bool fill_as_kernel(unsigned cpu, uint64_t va, enum hosted_access access,
			   void *arg)
{
	(void)cpu;
	(void)access;
	assert_true(hosted_mmu_load8(0, VA + PAGE, arg));
	map(va, DATA + 1, 1, RW | U | DONE);
	return true;
}

static void faults_of_users_are_handled_by_the_kernel(void **state)
{
	uint8_t byte;

	(void)state;
	begin(X86);
	map(VA + PAGE, DATA, 1, R | DONE);
	hosted_mmu_set_fault_handler(fill_as_kernel, &byte);
	hosted_mmu_set_user(true);
	assert_true(loads(VA));
	hosted_mmu_set_fault_handler(NULL, NULL);
	assert_false(loads(VA + PAGE));
	hosted_mmu_set_user(false);
	hosted_stop();
}

static void use_window_of_cpu_0(unsigned cpu, void *at)
{
	if (cpu == 1)
		(void)*(uint8_t volatile *)at;
}

static void window_is_for_its_own_cpu_only(void **state)
{
	int status = 0;

	(void)state;
	begin(X86);
	map(VA, DATA, 1, R | DONE);
	void *at = hosted_mmu_address(0, VA);
	pid_t child = fork();

	if (child == 0) {
		(void)signal(SIGABRT, SIG_DFL);
		(void)close(STDERR_FILENO);
		hosted_run(2, use_window_of_cpu_0, at);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	hosted_stop();
}

/* ---- Machine checks ---- */

static void check_of(uint64_t *at, uint64_t raw)
{
	struct fh_finding finding;
	uint64_t before = *at;

	*at = raw;
	if (!hosted_stops(load_nowhere, NULL, &finding))
		fail_msg("entry 0x%llx of %u levels was taken",
			 (unsigned long long)raw, levels);
	assert_int_equal(hosted_mmu_last_stop().wrong,
			 HOSTED_MMU_MACHINE_CHECK);
	*at = 0;
	flush_asid(1);
	*at = before;
}

static void reserved_bits(void)
{
	uint64_t leaf = format->leaf(BIG, 1, RWX | DONE);
	uint64_t large = format->leaf(BIG, 2, RWX | DONE);
	uint64_t huge = format->leaf(BIG, 3, RWX | DONE);
	uint64_t table = format->table(BIG, 2);
	bool riscv = format->number == HOSTED_MMU_RISCV;

	map(VA, DATA, 1, RW | DONE);
	/* Beyond the end of RAM: the page, and each kind of node. */
	check_of(slot(VA, 1), format->leaf(RAM / PAGE, 1, RW | DONE));
	for (unsigned level = 2; level <= levels; level++)
		check_of(slot(VA, level), format->table(RAM / PAGE, level));
	/* A large leaf that is not aligned. */
	check_of(slot(VA, 2), large | UINT64_C(1) << (riscv ? 12 : 13));
	check_of(slot(VA, 3), huge | UINT64_C(1) << (riscv ? 12 : 13));
	if (format->number == HOSTED_MMU_X86_64) {
		check_of(slot(VA, 4), format->leaf(0, 3, RWX | DONE));
		/* PAT of a page is no reserved bit, nor are software's. */
		*slot(VA, 1) |= 0x80 | UINT64_C(0x7ff) << 52;
		assert_true(loads(VA));
		/* Of a large one it is where an address bit would be. */
		map(BIG_AT, BIG, 2, RW | DONE);
		*slot(BIG_AT, 2) |= 0x1000;
		assert_true(loads(BIG_AT));
	}
	if (riscv) {
		check_of(slot(VA, 1), leaf | UINT64_C(1) << 54);
		check_of(slot(VA, 1), leaf | UINT64_C(1) << 63);
		check_of(slot(VA, 1), leaf | UINT64_C(3) << 61);
		check_of(slot(VA, 1), leaf & ~UINT64_C(2)); /* W without R */
		check_of(slot(VA, 2), table | 0x40);
		check_of(slot(VA, 2), table | 0x80);
		check_of(slot(VA, 2), table | 0x10);
		/* Nothing but V at the last level: a fault. */
		*slot(VA, 1) = leaf & ~UINT64_C(0xe);
		assert_false(loads(VA));
	}
	if (format->number == HOSTED_MMU_AARCH64) {
		check_of(slot(VA, 1), leaf | UINT64_C(1) << 48);
		check_of(slot(VA, 2), table | UINT64_C(1) << 48);
		/* A block where there is none: faults. */
		*slot(VA, 1) = leaf & ~UINT64_C(2);
		assert_false(loads(VA));
		uint64_t top = *slot(VA, 4);
		*slot(VA, 4) = 0;
		flush_asid(1);
		*slot(VA, 4) = format->leaf(0, 2, RWX | DONE);
		assert_false(loads(VA));
		*slot(VA, 4) = top;
		/* nT of a block is no address bit. */
		map(BIG_AT, BIG, 2, RW | DONE);
		*slot(BIG_AT, 2) |= UINT64_C(1) << 16;
		assert_true(loads(BIG_AT));
		/* What users may write, the kernel never executes. */
		map(BIG_AT + 2 * MIB, DATA, 1, RWX | U | DONE);
		*slot(BIG_AT + 2 * MIB, 1) &= ~(UINT64_C(1) << 53);
		put_code(DATA);
		assert_false(fetches(BIG_AT + 2 * MIB));
	}
	if (format->number == HOSTED_MMU_HOSTILE) {
		check_of(slot(VA, 1), large);
		check_of(slot(VA, 2), leaf);
		check_of(slot(VA, 2), format->table(BIG, 3));
		check_of(slot(VA, 3), format->table(BIG, 2));
		check_of(slot(VA, 1), format->table(BIG, 1));
		if (levels > 3)
			check_of(slot(VA, 4), format->leaf(0, 4, RWX | DONE));
		check_of(slot(VA, 1), rotated(3, 1));
		check_of(slot(VA, 1), rotated(4, 1));
		check_of(slot(VA, 1), leaf ^ rotated(0x800, 1));
		check_of(slot(VA, 2), table ^ rotated(4, 2));
	}
	if (format->number == HOSTED_MMU_LOONGARCH) {
		check_of(slot(VA, 1), leaf | UINT64_C(1) << 48);
		check_of(slot(VA, 2), table | 1);
		map(BIG_AT, BIG, 2, RW | G | DONE);
		assert_true(loads(BIG_AT));
		/* RPLV: users' alone. */
		map(BIG_AT + 2 * MIB, DATA, 1, RW | U | DONE);
		*slot(BIG_AT + 2 * MIB, 1) |= UINT64_C(1) << 63;
		assert_false(loads(BIG_AT + 2 * MIB));
		hosted_mmu_set_user(true);
		assert_true(loads(BIG_AT + 2 * MIB));
		hosted_mmu_set_user(false);
		*slot(VA, 1) = leaf & ~UINT64_C(1);
		assert_false(loads(VA));
	}
}

static void what_hardware_reserves_is_a_machine_check(void **state)
{
	(void)state;
	with_each(reserved_bits, NULL);
}

/* ---- Windows ---- */

#define MANY 9000

static void many_pages(void)
{
	struct hosted_mmu_counts counts;
	uint64_t base = 16 * MIB;

	for (uint64_t i = 0; i < MANY; i++) {
		/* Every other page, so that the host cannot merge them. */
		map(base + 2 * i * PAGE, DATA + 2 * i, 1, RW | DONE);
		mark(DATA + 2 * i, i + 100);
		assert_int_equal(word_at(base + 2 * i * PAGE), i + 100);
	}
	counts = hosted_mmu_counts();
	assert_int_equal(counts.walks, MANY);
	assert_in_range(counts.emptied, 1, MANY / 1000);
	for (uint64_t i = 0; i < MANY; i++) {
		*slot(base + 2 * i * PAGE, 1) = 0;
		assert_int_equal(word_at(base + 2 * i * PAGE), i + 100);
	}
	/* Nothing that was cached has been lost. */
	counts = hosted_mmu_counts();
	assert_int_equal(counts.walks, MANY);
	flush(1, base, 2 * MANY);
	for (uint64_t i = 0; i < MANY; i += 100)
		assert_false(loads(base + 2 * i * PAGE));
}

static void more_pages_than_a_window_holds(void **state)
{
	(void)state;
	begin(X86);
	many_pages();
	hosted_stop();
}

static void ends_of_the_halves(void)
{
	uint64_t half = -kernel_half();
	uint64_t ends[] = {0, half - PAGE, kernel_half(), -PAGE};
	uint64_t value = 0;

	for (unsigned i = 0; i < 4; i++) {
		map(ends[i], DATA + i, 1, RW | DONE);
		assert_true(hosted_mmu_covers(ends[i], PAGE));
		*(uint64_t volatile *)hosted_mmu_address(0, ends[i]) = 60 + i;
		assert_int_equal(*(uint64_t *)page_of(DATA + i), 60 + i);
		assert_true(loads(ends[i] + PAGE - 1));
	}
	assert_false(hosted_mmu_covers(half - PAGE, PAGE + 1));
	/* Between them, no address is one, nor another's name. */
	assert_false(hosted_mmu_load64(0, half, &value));
	assert_false(hosted_mmu_load64(0, kernel_half() - 8, &value));
	assert_false(hosted_mmu_store64(0, half, 1));
	for (unsigned i = 0; i < 4; i++) {
		*slot(ends[i], 1) = 0;
		assert_true(loads(ends[i]));
		flush(1, ends[i], 1);
		assert_false(loads(ends[i]));
	}
	nothing_is_wrong();
}

static void windows_reach_the_ends_of_both_halves(void **state)
{
	(void)state;
	with_each(ends_of_the_halves, NULL);
}

static void copies(void)
{
	static unsigned char from[3 * PAGE], to[3 * PAGE];
	/* In a window, and where there is none. */
	uint64_t at[] = {VA, UINT64_C(1) << (12 + 9 * levels - 2)};
	uint32_t old = 0;

	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (unsigned char)(i * 7);
	for (unsigned i = 0; i < 2; i++) {
		map(at[i], DATA + 2 * i, 1, RW | DONE);
		map(at[i] + PAGE, DATA + 2 * i + 1, 1, RW | DONE);
		assert_int_equal(
			hosted_mmu_write(0, at[i] + 100, from, PAGE + 200),
			PAGE + 200);
		memset(to, 0, sizeof(to));
		assert_int_equal(
			hosted_mmu_read(0, to, at[i] + 100, PAGE + 200),
			PAGE + 200);
		assert_memory_equal(from, to, PAGE + 200);
		assert_int_equal(hosted_mmu_read(0, to, at[i] + 100, 3 * PAGE),
				 2 * PAGE - 100);
		assert_int_equal(hosted_mmu_write(0, at[i] + 3, from, 3 * PAGE),
				 2 * PAGE - 3);
		assert_memory_equal((char *)page_of(DATA + 2 * i) + 3, from,
				    PAGE - 3);
		assert_true(hosted_mmu_store64(0, at[i], 5));
		assert_true(hosted_mmu_cas32(0, at[i], 5, 6, &old));
		assert_int_equal(old, 5);
		assert_true(hosted_mmu_cas32(0, at[i], 5, 7, &old));
		assert_int_equal(old, 6);
		assert_true(hosted_mmu_load32(0, at[i], &old));
		assert_int_equal(old, 6);
		assert_false(hosted_mmu_cas32(0, at[i] + 2 * PAGE, 5, 7, &old));
		/* The hooks for user memory go the same way. */
		struct fh_vaddr user = {at[i]};
		assert_int_equal(fh_host_user_write(user, from, 64), 64);
		assert_int_equal(fh_host_user_read(to, user, 3 * PAGE),
				 2 * PAGE);
		assert_memory_equal(to, from, 64);
		assert_true(fh_host_user_cas32(user, 0, 0, &old));
		assert_memory_equal(&old, from, 4);
		old = 0;
		assert_true(fh_host_user_load32(user, &old));
		assert_memory_equal(&old, from, 4);
	}
	nothing_is_wrong();
}

static void copies_stop_at_a_fault(void **state)
{
	(void)state;
	with_each(copies, NULL);
}

/* push %rbx; mov 0x1000(%rip), %eax -- which faults; pop %rbx; ret */
static const unsigned char faulting_code[] = {0x53, 0x8b, 0x05, 0xf9, 0x0f,
					      0,    0,    0x5b, 0xc3};

static void fault_inside_a_fetch_fails_it(void **state)
{
	(void)state;
	begin(X86);
	memcpy(page_of(DATA), faulting_code, sizeof(faulting_code));
	map(VA, DATA, 1, R | X | DONE);
	for (unsigned i = 0; i < 100; i++)
		assert_false(fetches(VA));
	map(VA + PAGE, DATA, 1, R | DONE);
	assert_true(fetches(VA));
	hosted_stop();
}

static bool fetch_in_between(unsigned cpu, uint64_t va,
			     enum hosted_access access, void *arg)
{
	bool *fetched = arg;

	(void)cpu;
	(void)access;
	assert_int_equal(va, VA + PAGE);
	*fetched = fetches(VA + 2 * PAGE);
	return false;
}

static void fault_handler_may_fetch_during_a_fetch(void **state)
{
	bool fetched = false;

	(void)state;
	begin(X86);
	memcpy(page_of(DATA), faulting_code, sizeof(faulting_code));
	put_code(DATA + 2);
	map(VA, DATA, 1, R | X | DONE);
	map(VA + 2 * PAGE, DATA + 2, 1, R | X | DONE);
	hosted_mmu_set_fault_handler(fetch_in_between, &fetched);
	assert_false(fetches(VA));
	assert_true(fetched);
	hosted_stop();
}

static void leaf_across_the_end_of_ram(void)
{
	uint64_t end = RAM / PAGE, frame = end - end % 512;

	map(BIG_AT, frame, 2, RW | DONE);
	mark(end - 1, 71);
	mark(frame, 72);
	assert_int_equal(word_at(BIG_AT + (end - 1 - frame) * PAGE), 71);
	assert_int_equal(word_at(BIG_AT), 72);
}

static void large_leaf_may_lie_across_the_end_of_ram(void **state)
{
	(void)state;
	with_each(leaf_across_the_end_of_ram, NULL);
}

static void starting_what_cannot_be_fails(void **state)
{
	(void)state;
	hosted_mmu_stop();
	assert_false(hosted_mmu_is_on());
	power_on();
	assert_int_equal(hosted_mmu_start(HOSTED_MMU_X86_64, 3), FH_E_INVALID);
	assert_int_equal(hosted_mmu_start(HOSTED_MMU_X86_64, 6), FH_E_INVALID);
	assert_int_equal(hosted_mmu_start(HOSTED_MMU_RISCV, 2), FH_E_INVALID);
	assert_int_equal(hosted_mmu_start(HOSTED_MMU_AARCH64, 5), FH_E_INVALID);
	assert_int_equal(hosted_mmu_start(HOSTED_MMU_FORMATS, 4), FH_E_INVALID);
	assert_false(hosted_mmu_is_on());
	assert_int_equal(hosted_mmu_start(HOSTED_MMU_X86_64, 4), FH_OK);
	assert_int_equal(hosted_mmu_start(HOSTED_MMU_X86_64, 4), FH_E_TWICE);
	hosted_stop();
	assert_false(hosted_mmu_is_on());
}

static void hooks_do_nothing_while_it_is_off(void **state)
{
	(void)state;
	power_on();
	activate(5, 1);
	flush(1, VA, 1);
	flush_asid(1);
	broadcast(VA, 1);
	fh_host_table_barrier();
	assert_false(hosted_mmu_find_frame(5, NULL));
	assert_false(hosted_mmu_covers(VA, 1));
	hosted_stop();
}

static void calls_of_hooks_are_counted(void **state)
{
	(void)state;
	begin(SV48);
	flush(1, VA, 1);
	flush(1, VA, 0);
	flush_asid(1);
	broadcast(VA, 1);
	fh_host_table_barrier();
	assert_int_equal(hosted_mmu_counts().flushes, 3);
	assert_int_equal(hosted_mmu_counts().barriers, 1);
	hosted_stop();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(rights_of_an_entry_are_what_an_access_may),
	cmocka_unit_test(nodes_limit_rights_below_them),
	cmocka_unit_test(code_runs_through_the_window),
	cmocka_unit_test(pointers_into_the_window_reach_the_page),
	cmocka_unit_test(handler_fills_pages_on_demand),
	cmocka_unit_test(unhandled_fault_stops_the_machine),
	cmocka_unit_test(fault_handled_in_vain_stops_the_machine),
	cmocka_unit_test(fault_handled_in_vain_by_a_busy_handler_stops_too),
	cmocka_unit_test(faults_of_users_are_handled_by_the_kernel),
	cmocka_unit_test(window_is_for_its_own_cpu_only),
	cmocka_unit_test(what_hardware_reserves_is_a_machine_check),
	cmocka_unit_test(more_pages_than_a_window_holds),
	cmocka_unit_test(windows_reach_the_ends_of_both_halves),
	cmocka_unit_test(copies_stop_at_a_fault),
	cmocka_unit_test(fault_inside_a_fetch_fails_it),
	cmocka_unit_test(fault_handler_may_fetch_during_a_fetch),
	cmocka_unit_test(large_leaf_may_lie_across_the_end_of_ram),
	cmocka_unit_test(starting_what_cannot_be_fails),
	cmocka_unit_test(hooks_do_nothing_while_it_is_off),
	cmocka_unit_test(calls_of_hooks_are_counted),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
