/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The hosted MMU, driven with tables that the tests make of literal hardware
 * bits, without the library: what it allows, what it caches and for how long,
 * and what it notices.
 */
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

/* Sparse: what is not touched costs nothing. */
#define RAM (3 * GIB)
static const struct fh_region ram = {
	.base = 0, .size = RAM, .kind = FH_REGION_USABLE};

/*
 * The tests make no use of the allocator, so that any page but the library's
 * own is theirs: nodes from the second GiB on, data above.
 */
#define NODES (GIB / PAGE)
#define DATA  ((GIB + 64 * MIB) / PAGE)

static uint64_t next_node;
static uint64_t root;
static unsigned levels;

/* ---- Tables ---- */

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

static const struct format *format;

static uint64_t bit(bool is_set, unsigned number)
{
	return is_set ? UINT64_C(1) << number : 0;
}

static uint64_t x86_table(uint64_t frame, unsigned level)
{
	(void)level;
	return frame << 12 | 0x7;
}

static uint64_t x86_leaf(uint64_t frame, unsigned level, unsigned rights)
{
	return frame << 12 | 1 | bit(rights & W, 1) | bit(rights & U, 2) |
	       bit(rights & A, 5) | bit(rights & D, 6) | bit(level > 1, 7) |
	       bit(rights & G, 8) | bit((rights & X) == 0, 63);
}

static uint64_t riscv_table(uint64_t frame, unsigned level)
{
	(void)level;
	return frame << 10 | 1;
}

static uint64_t riscv_leaf(uint64_t frame, unsigned level, unsigned rights)
{
	(void)level;
	return frame << 10 | 1 | bit(rights & R, 1) | bit(rights & W, 2) |
	       bit(rights & X, 3) | bit(rights & U, 4) | bit(rights & G, 5) |
	       bit(rights & A, 6) | bit(rights & D, 7);
}

static uint64_t aarch64_table(uint64_t frame, unsigned level)
{
	(void)level;
	return frame << 12 | 3;
}

/* The dirty state is not modelled: W is what can be written. */
static uint64_t aarch64_leaf(uint64_t frame, unsigned level, unsigned rights)
{
	bool user = rights & U;

	return frame << 12 | (level == 1 ? 3 : 1) | bit(user, 6) |
	       bit((rights & W) == 0, 7) | UINT64_C(3) << 8 |
	       bit(rights & A, 10) | bit((rights & G) == 0, 11) |
	       bit((rights & X) == 0 || user, 53) |
	       bit((rights & X) == 0 || !user, 54);
}

static uint64_t loongarch_table(uint64_t frame, unsigned level)
{
	(void)level;
	return frame << 12;
}

static uint64_t loongarch_leaf(uint64_t frame, unsigned level, unsigned rights)
{
	return frame << 12 | 1 | bit(rights & W, 1) |
	       (rights & U ? 3 << 2 : 0) | UINT64_C(1) << 4 |
	       bit(level > 1, 6) | 1 << 7 | bit(rights & W, 8) |
	       bit(rights & G, level > 1 ? 12 : 6) |
	       bit((rights & R) == 0, 61) | bit((rights & X) == 0, 62);
}

static uint64_t rotated(uint64_t bits, unsigned level)
{
	return bits << 11 * level | bits >> (64 - 11 * level);
}

static uint64_t hostile_table(uint64_t frame, unsigned level)
{
	return rotated(1 | frame << 20, level);
}

static uint64_t hostile_leaf(uint64_t frame, unsigned level, unsigned rights)
{
	return rotated(2 | (~(uint64_t)rights & 0x7f) << 2 | UINT64_C(3) << 9 |
			       UINT64_C(7) << 12 | frame << 20,
		       level);
}

static const struct format formats[] = {
	{HOSTED_MMU_X86_64, 4, x86_table, x86_leaf, true, false},
	{HOSTED_MMU_X86_64, 5, x86_table, x86_leaf, true, false},
	{HOSTED_MMU_RISCV, 3, riscv_table, riscv_leaf, false, false},
	{HOSTED_MMU_RISCV, 4, riscv_table, riscv_leaf, false, false},
	{HOSTED_MMU_RISCV, 5, riscv_table, riscv_leaf, false, false},
	{HOSTED_MMU_AARCH64, 4, aarch64_table, aarch64_leaf, false, true},
	{HOSTED_MMU_LOONGARCH, 4, loongarch_table, loongarch_leaf, false,
	 false},
	{HOSTED_MMU_HOSTILE, 3, hostile_table, hostile_leaf, false, true},
	{HOSTED_MMU_HOSTILE, 4, hostile_table, hostile_leaf, false, true},
	{HOSTED_MMU_HOSTILE, 5, hostile_table, hostile_leaf, false, true},
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

#define X86       (&formats[0])
#define X86_LA57  (&formats[1])
#define SV39      (&formats[2])
#define SV48      (&formats[3])
#define AARCH64   (&formats[5])
#define LOONGARCH (&formats[6])
#define HOSTILE   (&formats[8])

static void *page_of(uint64_t frame)
{
	return fh_host_linear(fh_paddr(frame * PAGE));
}

static uint64_t new_node(void)
{
	uint64_t node = next_node++;

	memset(page_of(node), 0, PAGE);
	return node;
}

static uint64_t *entry_of(uint64_t node, uint64_t va, unsigned level)
{
	uint64_t *entries = page_of(node);

	return &entries[va >> (12 + 9 * (level - 1)) & 511];
}

/* The entry of that level on the way to va, with the nodes it needs. */
static uint64_t *slot_under(uint64_t top, uint64_t va, unsigned level)
{
	static uint64_t below[1 << 20]; /* the node that an entry names */
	uint64_t node = top;

	for (unsigned at = levels; at > level; at--) {
		uint64_t *entry = entry_of(node, va, at);

		if (*entry == 0) {
			uint64_t made = new_node();

			below[(node - NODES) * 512 +
			      (va >> (12 + 9 * (at - 1)) & 511)] = made;
			*entry = format->table(made, at);
		}
		node = below[(node - NODES) * 512 +
			     (va >> (12 + 9 * (at - 1)) & 511)];
	}
	return entry_of(node, va, level);
}

static uint64_t *slot(uint64_t va, unsigned level)
{
	return slot_under(root, va, level);
}

static void set(uint64_t *entry, uint64_t raw)
{
	__atomic_store_n(entry, raw, __ATOMIC_RELEASE);
}

static void map(uint64_t va, uint64_t frame, unsigned level, unsigned rights)
{
	set(slot(va, level), format->leaf(frame, level, rights));
}

static void activate(uint64_t top, uint64_t asid)
{
	fh_host_preempt_off();
	fh_host_activate(fh_paddr(top * PAGE), asid);
	fh_host_preempt_on();
}

static void flush(uint64_t asid, uint64_t va, uint64_t n)
{
	struct fh_vaddr at = {va};

	fh_host_preempt_off();
	fh_host_flush_pages(asid, at, n);
	fh_host_preempt_on();
}

static void flush_asid(uint64_t asid)
{
	fh_host_preempt_off();
	fh_host_flush_asid(asid);
	fh_host_preempt_on();
}

static void broadcast(uint64_t va, uint64_t n)
{
	struct fh_vaddr at = {va};

	fh_host_flush_broadcast(at, n);
}

static void begin(const struct format *with)
{
	/* A test that failed has left its machine. */
	hosted_stop();
	assert_int_equal(hosted_start(&ram, 1, NULL), FH_OK);
	assert_int_equal(hosted_mmu_start(with->number, with->levels), FH_OK);
	format = with;
	levels = with->levels;
	next_node = NODES;
	root = new_node();
	activate(root, 1);
}

/* Each test by each format that has what it needs. */
static void with_each(void (*body)(void), bool (*fits)(const struct format *))
{
	unsigned ran = 0;

	for (size_t i = 0; i < FORMATS; i++) {
		if (fits != NULL && !fits(&formats[i]))
			continue;
		begin(&formats[i]);
		body();
		hosted_stop();
		ran++;
	}
	assert_true(ran > 0);
}

static bool sets_bits(const struct format *which)
{
	return which->sets_bits;
}

static bool needs_bits(const struct format *which)
{
	/* LoongArch has neither bit apart from what W and V say. */
	return which->number == HOSTED_MMU_RISCV ||
	       which->number == HOSTED_MMU_AARCH64 ||
	       which->number == HOSTED_MMU_HOSTILE;
}

static bool breaks(const struct format *which)
{
	return which->breaks;
}

static bool needs_no_break(const struct format *which)
{
	return !which->breaks;
}

static uint64_t kernel_half(void)
{
	return -(UINT64_C(1) << (12 + 9 * levels - 1));
}

/* ---- Accesses, by CPU 0 unless said ---- */

static bool loads(uint64_t va)
{
	uint8_t byte;

	return hosted_mmu_load8(0, va, &byte);
}

static bool stores(uint64_t va)
{
	return hosted_mmu_store8(0, va, 0x5a);
}

static bool fetches(uint64_t va)
{
	return hosted_mmu_fetch(0, va);
}

static uint64_t word_at(uint64_t va)
{
	uint64_t word = 0;

	assert_true(hosted_mmu_load64(0, va, &word));
	return word;
}

static void mark(uint64_t frame, uint64_t word)
{
	*(uint64_t *)page_of(frame) = word;
}

/* A function that returns. */
static void put_code(uint64_t frame)
{
	*(unsigned char *)page_of(frame) = 0xc3;
}

static void nothing_is_wrong(void)
{
	struct hosted_mmu_report report;
	char text[HOSTED_MMU_TEXT_SIZE];

	if (hosted_mmu_check(&report))
		return;
	hosted_mmu_report_text(&report, text, sizeof(text));
	fail_msg("%s", text);
}

static struct hosted_mmu_report wrong(enum hosted_mmu_wrong what)
{
	struct hosted_mmu_report report;

	assert_false(hosted_mmu_check(&report));
	assert_int_equal(report.wrong, what);
	return report;
}

/* ---- Rights ---- */

#define VA UINT64_C(0x40201000)

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

/* ---- What is cached ---- */

static void unmapped_page_stays(void)
{
	map(VA, DATA, 1, RW | DONE);
	map(VA + PAGE, DATA + 1, 1, RW | DONE);
	mark(DATA, 11);
	assert_int_equal(word_at(VA), 11);
	assert_true(loads(VA + PAGE));
	nothing_is_wrong();
	uint64_t old = *slot(VA, 1);

	set(slot(VA, 1), 0);
	/* Stale, and used, by what is in the window and after it is emptied. */
	assert_int_equal(word_at(VA), 11);
	hosted_mmu_set_user(true);
	hosted_mmu_set_user(false);
	assert_int_equal(word_at(VA), 11);
	assert_true(stores(VA));
	struct hosted_mmu_report report = wrong(HOSTED_MMU_STALE);
	assert_int_equal(report.cpu, 0);
	assert_int_equal(report.asid, 1);
	assert_int_equal(report.va, VA);
	assert_int_equal(report.frame, DATA);
	assert_int_equal(report.old_entry, old);
	assert_int_equal(report.new_entry, 0);

	flush(1, VA + PAGE, 1); /* another page */
	flush(2, VA, 1);        /* another address space */
	assert_true(loads(VA));
	flush(1, VA, 1);
	assert_false(loads(VA));
	assert_false(stores(VA));
	assert_true(loads(VA + PAGE));
	nothing_is_wrong();
}

static void unmapped_page_is_used_until_its_flush(void **state)
{
	(void)state;
	with_each(unmapped_page_stays, NULL);
}

static void clean_page_is_tracked(void)
{
	uint64_t dirty = UINT64_C(1) << 6, accessed = UINT64_C(1) << 5;
	uint64_t volatile *word = hosted_mmu_address(0, VA);

	map(VA, DATA, 1, RW);
	assert_int_equal(*slot(VA, 2) & accessed, 0);
	(void)*word;
	assert_int_equal(*slot(VA, 1) & (dirty | accessed), accessed);
	assert_int_equal(*slot(VA, 2) & accessed, accessed);
	assert_int_equal(*slot(VA, levels) & accessed, accessed);
	*word = 1;
	assert_int_equal(*slot(VA, 1) & (dirty | accessed), dirty | accessed);
	nothing_is_wrong();

	/* Cleared without a flush, it is not set again: a lost store. */
	*slot(VA, 1) &= ~dirty;
	*word = 2;
	assert_int_equal(*slot(VA, 1) & dirty, 0);
	(void)wrong(HOSTED_MMU_STALE);
	flush(1, VA, 1);
	*word = 3;
	assert_int_equal(*slot(VA, 1) & dirty, dirty);

	/* Accessed alone may be behind. */
	*slot(VA, 1) &= ~accessed;
	nothing_is_wrong();
	/* Not by an access that is refused. */
	map(VA + PAGE, DATA, 1, R);
	assert_false(stores(VA + PAGE));
	assert_int_equal(*slot(VA + PAGE, 1) & (dirty | accessed), 0);
}

static void accessed_and_dirty_are_set_by_hardware(void **state)
{
	(void)state;
	with_each(clean_page_is_tracked, sets_bits);
}

static void missing_bits_fault(void)
{
	bool has_dirty = format->number != HOSTED_MMU_AARCH64;

	map(VA, DATA, 1, RW);
	uint64_t raw = *slot(VA, 1);
	assert_false(loads(VA));
	assert_false(stores(VA));
	assert_int_equal(*slot(VA, 1), raw);
	map(VA, DATA, 1, RW | A);
	assert_true(loads(VA));
	assert_int_equal(stores(VA), !has_dirty);
	map(VA, DATA, 1, RW | A | D);
	/* What is cached does not know yet. */
	assert_int_equal(stores(VA), !has_dirty);
	flush(1, VA, 1);
	assert_true(stores(VA));
	nothing_is_wrong();
}

static void bits_that_software_sets_fault_before(void **state)
{
	(void)state;
	with_each(missing_bits_fault, needs_bits);
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

/* ---- Large leaves ---- */

#define BIG    (2 * GIB / PAGE) /* a frame that a leaf of 1 GiB may have */
#define BIG_AT UINT64_C(0x80000000)

static void large_leaf(unsigned level)
{
	uint64_t pages = UINT64_C(1) << (9 * (level - 1));
	uint64_t last = BIG_AT + (pages - 1) * PAGE;

	map(BIG_AT, BIG, level, RW | DONE);
	mark(BIG, 1);
	mark(BIG + 5, 2);
	mark(BIG + pages - 1, 3);
	assert_int_equal(word_at(BIG_AT), 1);
	assert_int_equal(word_at(BIG_AT + 5 * PAGE), 2);
	assert_int_equal(word_at(last), 3);
	nothing_is_wrong();

	/* All of it is cached; a flush takes out the pages that it names. */
	*slot(BIG_AT, level) = 0;
	flush(1, BIG_AT + 5 * PAGE, 1);
	assert_false(loads(BIG_AT + 5 * PAGE));
	assert_int_equal(word_at(BIG_AT), 1);
	assert_true(loads(BIG_AT + 4 * PAGE));
	assert_true(loads(BIG_AT + 6 * PAGE));
	assert_int_equal(word_at(last), 3);
	struct hosted_mmu_report report = wrong(HOSTED_MMU_STALE);
	assert_int_equal(report.level, level);
	assert_true(hosted_mmu_find_frame(BIG + 6, NULL));
	assert_false(hosted_mmu_find_frame(BIG + 5, NULL));
	flush(1, BIG_AT, pages);
	assert_false(loads(BIG_AT));
	assert_false(loads(last));
	assert_false(hosted_mmu_find_frame(BIG + 6, NULL));
	nothing_is_wrong();
}

static void large_leaf_of_2_mib(void)
{
	large_leaf(2);
}

static void large_leaf_of_1_gib(void)
{
	/* AArch64 and LoongArch have them too. */
	large_leaf(3);
}

static void large_leaves_are_cached_whole_and_flushed_by_page(void **state)
{
	(void)state;
	with_each(large_leaf_of_2_mib, NULL);
	with_each(large_leaf_of_1_gib, NULL);
}

static void split_is_fine(void)
{
	map(BIG_AT, BIG, 2, RW | DONE);
	assert_true(loads(BIG_AT));
	uint64_t node = new_node();
	for (uint64_t i = 0; i < 512; i++)
		((uint64_t *)page_of(node))[i] =
			format->leaf(BIG + i, 1, RW | DONE);
	set(slot(BIG_AT, 2), format->table(node, 2));
	nothing_is_wrong();
	((uint64_t *)page_of(node))[511] = format->leaf(BIG + 511, 1, R | DONE);
	assert_int_equal(wrong(HOSTED_MMU_STALE).va, BIG_AT + 511 * PAGE);
	((uint64_t *)page_of(node))[511] =
		format->leaf(BIG + 510, 1, RW | DONE);
	assert_int_equal(wrong(HOSTED_MMU_STALE).frame, BIG + 511);
}

static void split_of_a_large_leaf_is_not_stale(void **state)
{
	(void)state;
	with_each(split_is_fine, needs_no_break);
}

/* ---- Address spaces ---- */

static void another_asid(void)
{
	uint64_t first = root, second = new_node();

	mark(DATA, 21);
	mark(DATA + 1, 22);
	mark(DATA + 2, 23);
	map(VA, DATA, 1, RW | DONE);
	root = second;
	map(VA, DATA + 1, 1, RW | DONE);
	assert_int_equal(word_at(VA), 21);
	activate(second, 2);
	assert_int_equal(word_at(VA), 22);
	/* What the inactive one has cached is not usable, nor looked at. */
	root = first;
	*slot(VA, 1) = 0;
	nothing_is_wrong();
	assert_false(hosted_mmu_find_frame(DATA, NULL));
	activate(first, 1);
	assert_int_equal(word_at(VA), 21);
	assert_true(hosted_mmu_find_frame(DATA, NULL));
	assert_int_equal(wrong(HOSTED_MMU_STALE).asid, 1);
	activate(second, 2);
	flush_asid(1);
	assert_int_equal(word_at(VA), 22);
	activate(first, 1);
	assert_false(loads(VA));

	/* An asid used for another root, without a flush. */
	uint64_t third = new_node();
	root = third;
	map(VA, DATA + 2, 1, RW | DONE);
	activate(third, 2);
	assert_int_equal(word_at(VA), 22);
	flush_asid(2);
	assert_int_equal(word_at(VA), 23);
	nothing_is_wrong();
}

static void asid_keeps_its_entries_until_they_are_flushed(void **state)
{
	(void)state;
	with_each(another_asid, needs_no_break);
}

static void global_entry(void)
{
	uint64_t va = kernel_half() + 7 * PAGE;
	uint64_t first = root, second = new_node();

	mark(DATA, 31);
	map(va, DATA, 1, RW | G | DONE);
	memcpy(page_of(second), page_of(root), PAGE);
	assert_int_equal(word_at(va), 31);
	*slot(va, 1) = 0;
	activate(second, 2);
	assert_int_equal(word_at(va), 31);
	assert_true(wrong(HOSTED_MMU_STALE).global);
	flush(2, va, 1);
	flush(1, va, 1);
	flush_asid(2);
	assert_int_equal(word_at(va), 31);
	flush(FH_ASID_KERNEL, va, 1);
	assert_false(loads(va));
	map(va, DATA, 1, RW | G | DONE);
	assert_int_equal(word_at(va), 31);
	*slot(va, 1) = 0;
	activate(first, 1);
	assert_int_equal(word_at(va), 31);
	flush_asid(FH_ASID_KERNEL);
	assert_false(loads(va));
	nothing_is_wrong();
}

static void global_entries_are_everybodys(void **state)
{
	(void)state;
	with_each(global_entry, NULL);
}

static void kernel_flush_of_pages(void)
{
	map(VA, DATA, 1, RW | DONE);
	assert_true(loads(VA));
	activate(root, 2);
	assert_true(loads(VA));
	*slot(VA, 1) = 0;
	flush(FH_ASID_KERNEL, VA, 1);
	assert_false(loads(VA));
	activate(root, 1);
	assert_false(loads(VA));
}

static void kernel_flush_is_under_every_asid(void **state)
{
	(void)state;
	with_each(kernel_flush_of_pages, NULL);
}

/* ---- Nodes ---- */

static void cached_node(void)
{
	uint64_t *at = slot(VA, 2);

	mark(DATA, 41);
	mark(DATA + 1, 42);
	map(VA, DATA, 1, RW | DONE);
	map(VA + 8 * PAGE, DATA + 1, 1, RW | DONE);
	uint64_t *leaves = slot(VA, 1);
	uint64_t node = at[0];
	assert_int_equal(word_at(VA), 41);
	/* Taken out of its parent, it is still walked. */
	*at = 0;
	assert_int_equal(word_at(VA + 8 * PAGE), 42);
	struct hosted_mmu_report report = wrong(HOSTED_MMU_STALE);
	flush(1, VA, 1);
	flush(1, VA + 8 * PAGE, 1);
	assert_false(loads(VA));
	nothing_is_wrong();
	(void)report;

	*at = node;
	assert_int_equal(word_at(VA), 41);
	*at = 0;
	leaves[0] = 0;
	leaves[8] = 0;
	/* The leaf flushed, and the nodes with it: none is walked any more. */
	flush(1, VA, 1);
	leaves[0] = format->leaf(DATA, 1, RW | DONE);
	assert_false(loads(VA));
}

static void detached_node_is_walked_until_the_flush(void **state)
{
	(void)state;
	with_each(cached_node, NULL);
}

static void found_frames(void)
{
	struct hosted_mmu_report report;

	map(VA, DATA, 1, RW | DONE);
	uint64_t node = next_node - 1; /* of level 1 */
	assert_false(hosted_mmu_find_frame(DATA, &report));
	assert_false(hosted_mmu_find_frame(node, &report));
	assert_true(loads(VA));
	assert_true(hosted_mmu_find_frame(DATA, &report));
	assert_int_equal(report.va, VA);
	assert_int_equal(report.cpu, 0);
	assert_false(report.node);
	assert_true(hosted_mmu_find_frame(node, &report));
	assert_true(report.node);
	assert_true(hosted_mmu_find_frame(root, NULL));
	assert_false(hosted_mmu_find_frame(DATA + 1, NULL));
	flush(1, VA, 1);
	assert_false(hosted_mmu_find_frame(DATA, NULL));
	assert_false(hosted_mmu_find_frame(node, NULL));
}

static void frames_that_are_cached_are_found(void **state)
{
	(void)state;
	with_each(found_frames, NULL);
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
		check_of(slot(VA, 4), huge);
		/* PAT of a page is no reserved bit, nor are software's. */
		*slot(VA, 1) |= 0x80 | UINT64_C(0x7ff) << 52;
		assert_true(loads(VA));
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
		*slot(VA, 4) = large;
		assert_false(loads(VA));
	}
	if (format->number == HOSTED_MMU_HOSTILE) {
		check_of(slot(VA, 1), large);
		check_of(slot(VA, 2), leaf);
		check_of(slot(VA, 2), format->table(BIG, 3));
		check_of(slot(VA, 3), format->table(BIG, 2));
		check_of(slot(VA, 1), format->table(BIG, 1));
		check_of(slot(VA, 1), rotated(3, 1));
		check_of(slot(VA, 1), rotated(4, 1));
		check_of(slot(VA, 1), leaf ^ rotated(0x800, 1));
		check_of(slot(VA, 2), table ^ rotated(4, 2));
	}
	if (format->number == HOSTED_MMU_LOONGARCH) {
		check_of(slot(VA, 1), leaf | UINT64_C(1) << 48);
		check_of(slot(VA, 2), table | 1);
		*slot(VA, 1) = leaf & ~UINT64_C(1);
		assert_false(loads(VA));
	}
}

static void what_hardware_reserves_is_a_machine_check(void **state)
{
	(void)state;
	with_each(reserved_bits, NULL);
}

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
	struct hosted_mmu_report report = wrong(HOSTED_MMU_UNBROKEN);
	assert_int_equal(report.cpu, 1);
	assert_int_equal(report.frame, DATA);
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

/* ---- What is stale ---- */

static void differences(void)
{
	unsigned all = RWX | U | DONE;
	bool riscv = format->number == HOSTED_MMU_RISCV;

	map(VA, DATA, 1, all | G);
	assert_true(stores(VA));
	static const unsigned lost[] = {W, X, U, G};
	for (size_t i = 0; i < 4; i++) {
		map(VA, DATA, 1, (all | G) & ~lost[i]);
		(void)wrong(HOSTED_MMU_STALE);
	}
	if (riscv || format->sets_bits ||
	    format->number == HOSTED_MMU_HOSTILE) {
		map(VA, DATA, 1, (all | G) & ~D);
		(void)wrong(HOSTED_MMU_STALE);
	}
	/* Cached in another way. */
	static const unsigned memory[] = {
		[HOSTED_MMU_X86_64] = 4,   [HOSTED_MMU_RISCV] = 61,
		[HOSTED_MMU_AARCH64] = 2,  [HOSTED_MMU_LOONGARCH] = 4,
		[HOSTED_MMU_HOSTILE] = 23,
	};
	*slot(VA, 1) = format->leaf(DATA, 1, all | G) ^
		       UINT64_C(1) << memory[format->number];
	(void)wrong(HOSTED_MMU_STALE);
	map(VA, DATA, 1, all | G);
	nothing_is_wrong();

	/* More than was cached is not stale. */
	map(VA + PAGE, DATA, 1, R | DONE);
	assert_true(loads(VA + PAGE));
	map(VA + PAGE, DATA, 1, all);
	nothing_is_wrong();
	/* What an access was refused for is forgotten on x86, kept elsewhere. */
	(void)stores(VA + PAGE);
	assert_int_equal(stores(VA + PAGE), format->sets_bits);
	flush(1, VA + PAGE, 1);
	assert_true(stores(VA + PAGE));
}

static void every_difference_that_matters_is_stale(void **state)
{
	(void)state;
	with_each(differences, NULL);
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
	for (unsigned i = 0; i < 4; i++) {
		*slot(ends[i], 1) = 0;
		assert_true(loads(ends[i]));
		flush(1, ends[i], 1);
		assert_false(loads(ends[i]));
	}
	/* Between them, no address is one. */
	assert_false(hosted_mmu_load64(0, half, &value));
	assert_false(hosted_mmu_load64(0, kernel_half() - 8, &value));
	assert_false(hosted_mmu_store64(0, half, 1));
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

static void starting_what_cannot_be_fails(void **state)
{
	(void)state;
	hosted_mmu_stop();
	assert_false(hosted_mmu_is_on());
	assert_int_equal(hosted_start(&ram, 1, NULL), FH_OK);
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
	assert_int_equal(hosted_start(&ram, 1, NULL), FH_OK);
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
	cmocka_unit_test(unmapped_page_is_used_until_its_flush),
	cmocka_unit_test(accessed_and_dirty_are_set_by_hardware),
	cmocka_unit_test(bits_that_software_sets_fault_before),
	cmocka_unit_test(handler_fills_pages_on_demand),
	cmocka_unit_test(unhandled_fault_stops_the_machine),
	cmocka_unit_test(fault_handled_in_vain_stops_the_machine),
	cmocka_unit_test(large_leaves_are_cached_whole_and_flushed_by_page),
	cmocka_unit_test(split_of_a_large_leaf_is_not_stale),
	cmocka_unit_test(asid_keeps_its_entries_until_they_are_flushed),
	cmocka_unit_test(global_entries_are_everybodys),
	cmocka_unit_test(kernel_flush_is_under_every_asid),
	cmocka_unit_test(detached_node_is_walked_until_the_flush),
	cmocka_unit_test(frames_that_are_cached_are_found),
	cmocka_unit_test(what_hardware_reserves_is_a_machine_check),
	cmocka_unit_test(cpu_keeps_an_entry_until_its_own_flush),
	cmocka_unit_test(interrupt_shoots_down_under_a_running_cpu),
	cmocka_unit_test(cpu_that_is_off_has_nothing_cached),
	cmocka_unit_test(entry_changed_in_use_is_reported),
	cmocka_unit_test(entry_changed_while_another_cpu_uses_it_is_reported),
	cmocka_unit_test(other_formats_need_no_break),
	cmocka_unit_test(every_difference_that_matters_is_stale),
	cmocka_unit_test(more_pages_than_a_window_holds),
	cmocka_unit_test(windows_reach_the_ends_of_both_halves),
	cmocka_unit_test(copies_stop_at_a_fault),
	cmocka_unit_test(fault_inside_a_fetch_fails_it),
	cmocka_unit_test(starting_what_cannot_be_fails),
	cmocka_unit_test(hooks_do_nothing_while_it_is_off),
	cmocka_unit_test(calls_of_hooks_are_counted),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
