/* SPDX-License-Identifier: MPL-2.0 */
/* What the tests of the hosted MMU share. */
#include "mmu_tables.h"

const struct format *format;
unsigned levels;
uint64_t root;
static uint64_t next_node;

static const struct fh_region ram = {
	.base = 0, .size = RAM, .kind = FH_REGION_USABLE};

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

uint64_t rotated(uint64_t bits, unsigned level)
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

const struct format formats[] = {
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

void *page_of(uint64_t frame)
{
	return fh_host_linear(fh_paddr(frame * PAGE));
}

uint64_t new_node(void)
{
	uint64_t node = next_node++;

	memset(page_of(node), 0, PAGE);
	return node;
}

uint64_t last_node(void)
{
	return next_node - 1;
}

static uint64_t *entry_of(uint64_t node, uint64_t va, unsigned level)
{
	uint64_t *entries = page_of(node);

	return &entries[va >> (12 + 9 * (level - 1)) & 511];
}

uint64_t *slot(uint64_t va, unsigned level)
{
	static uint64_t below[1 << 20]; /* the node that an entry names */
	uint64_t node = root;

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

void set(uint64_t *entry, uint64_t raw)
{
	__atomic_store_n(entry, raw, __ATOMIC_RELEASE);
}

void map(uint64_t va, uint64_t frame, unsigned level, unsigned rights)
{
	set(slot(va, level), format->leaf(frame, level, rights));
}

void activate(uint64_t top, uint64_t asid)
{
	fh_host_preempt_off();
	fh_host_activate(fh_paddr(top * PAGE), asid);
	fh_host_preempt_on();
}

void flush(uint64_t asid, uint64_t va, uint64_t n)
{
	struct fh_vaddr at = {va};

	fh_host_preempt_off();
	fh_host_flush_pages(asid, at, n);
	fh_host_preempt_on();
}

void flush_asid(uint64_t asid)
{
	fh_host_preempt_off();
	fh_host_flush_asid(asid);
	fh_host_preempt_on();
}

void broadcast(uint64_t va, uint64_t n)
{
	struct fh_vaddr at = {va};

	fh_host_flush_broadcast(at, n);
}

void power_on(void)
{
	/* A test that failed has left its machine. */
	hosted_stop();
	assert_int_equal(hosted_start(&ram, 1, NULL), FH_OK);
}

void begin(const struct format *with)
{
	power_on();
	assert_int_equal(hosted_mmu_start(with->number, with->levels), FH_OK);
	format = with;
	levels = with->levels;
	next_node = NODES;
	root = new_node();
	activate(root, 1);
}

void with_each(void (*body)(void), bool (*fits)(const struct format *))
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

bool sets_bits(const struct format *which)
{
	return which->sets_bits;
}

bool needs_bits(const struct format *which)
{
	/* LoongArch has neither bit apart from what W and V say. */
	return which->number == HOSTED_MMU_RISCV ||
	       which->number == HOSTED_MMU_AARCH64 ||
	       which->number == HOSTED_MMU_HOSTILE;
}

bool breaks(const struct format *which)
{
	return which->breaks;
}

bool needs_no_break(const struct format *which)
{
	return !which->breaks;
}

uint64_t kernel_half(void)
{
	return -(UINT64_C(1) << (12 + 9 * levels - 1));
}

/* ---- Accesses, by CPU 0 unless said ---- */

bool loads(uint64_t va)
{
	uint8_t byte;

	return hosted_mmu_load8(0, va, &byte);
}

bool stores(uint64_t va)
{
	return hosted_mmu_store8(0, va, 0x5a);
}

bool fetches(uint64_t va)
{
	return hosted_mmu_fetch(0, va);
}

uint64_t word_at(uint64_t va)
{
	uint64_t word = 0;

	assert_true(hosted_mmu_load64(0, va, &word));
	return word;
}

void mark(uint64_t frame, uint64_t word)
{
	*(uint64_t *)page_of(frame) = word;
}

void put_code(uint64_t frame)
{
	*(unsigned char *)page_of(frame) = 0xc3;
}

void nothing_is_wrong(void)
{
	struct hosted_mmu_report report;
	char text[HOSTED_MMU_TEXT_SIZE];

	if (hosted_mmu_check(&report))
		return;
	hosted_mmu_report_text(&report, text, sizeof(text));
	fail_msg("%s", text);
}

struct hosted_mmu_report wrong(enum hosted_mmu_wrong what)
{
	struct hosted_mmu_report report;

	assert_false(hosted_mmu_check(&report));
	assert_int_equal(report.wrong, what);
	return report;
}
