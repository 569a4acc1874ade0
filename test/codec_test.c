/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The table formats, all of them in one program: every level, flag and kind of
 * cache on frames at the edges, there and back; and against three readings
 * of the manuals that share nothing with the formats' headers: entries computed
 * by hand, what the hardware makes of an entry (codec_views.h), and the hosted
 * machine's walker. A format that is wrong in both directions agrees with
 * itself only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aarch64/fh_aarch64.h"
#include "hostile/fh_hostile.h"
#include "loongarch64/fh_loongarch64.h"
#include "riscv64/fh_riscv64.h"
#include "vtd/fh_vtd.h"
#include "x86_64/fh_x86_64.h"

#include "codec_views.h"
#include "mmu_inside.h"

#define R FH_PAGE_READ
#define W FH_PAGE_WRITE
#define X FH_PAGE_EXEC
#define U FH_PAGE_USER
#define G FH_PAGE_GLOBAL
#define A FH_PAGE_ACCESSED
#define D FH_PAGE_DIRTY
#define S FH_PAGE_SOFT
#define T FH_PAGE_TRACKED

#define WB FH_CACHE_WRITEBACK
#define WT FH_CACHE_WRITETHROUGH
#define WC FH_CACHE_WRITE_COMBINING
#define UC FH_CACHE_UNCACHEABLE
#define WP FH_CACHE_WRITE_PROTECTED

struct format {
	const char *name;
	unsigned min_levels;
	unsigned max_levels;
	unsigned huge_level;
	uint64_t frame_end;
	uint64_t features;
	bool sets_accessed;
	bool break_before_make;
	uint64_t asids;
	bool (*can_map)(unsigned level, struct fh_page_prop prop,
			uint64_t features);
	uint64_t (*leaf)(uint64_t frame, unsigned level,
			 struct fh_page_prop prop);
	uint64_t (*table)(uint64_t frame, unsigned level);
	enum fh_pte_kind (*kind)(uint64_t pte, unsigned level);
	uint64_t (*frame)(uint64_t pte, unsigned level);
	struct fh_page_prop (*prop)(uint64_t pte, unsigned level);
	/* Whether the format can say it, read off the manual. */
	bool (*expressible)(unsigned level, uint32_t flags, uint32_t cache,
			    uint64_t features);
	/* What the hardware makes of an entry; NULL for no hardware. */
	struct view (*view)(uint64_t pte, unsigned level);
	/* What the hosted machine's walker makes of it; NULL: it cannot. */
	const struct mmu_format *walker;
	/* Of its flags, those that the hardware has a bit for. */
	uint32_t hardware_flags;
	/* The bits by which hardware tells a table from anything else. */
	uint64_t table_bits;
	/* Until the leaf is accessed and dirty, hardware refuses it. */
	bool hardware_needs_accessed;
	bool hardware_needs_dirty;
};

/* Reading is what everything else needs, or nothing at all is allowed. */
static bool needs_read(uint32_t flags)
{
	return (flags & R) != 0 || (flags & (W | X)) == 0;
}

static bool x86_64_expressible(unsigned level, uint32_t flags, uint32_t cache,
			       uint64_t features)
{
	return needs_read(flags) && cache != WP &&
	       (level <= 2 || (level == 3 && features == FH_X86_64_PAGES_1G));
}

static bool riscv64_expressible(unsigned level, uint32_t flags, uint32_t cache,
				uint64_t features)
{
	bool typed = features == FH_RISCV64_SVPBMT;

	/* W without R is reserved; X alone is not. */
	return level <= 3 && (flags & (R | W)) != W &&
	       (cache == WB || (typed && (cache == WC || cache == UC)));
}

static bool aarch64_expressible(unsigned level, uint32_t flags, uint32_t cache,
				uint64_t features)
{
	(void)features;
	return level <= 3 && needs_read(flags) && cache != WP;
}

static bool loongarch64_expressible(unsigned level, uint32_t flags,
				    uint32_t cache, uint64_t features)
{
	(void)flags;
	(void)features;
	return level <= 3 && cache != WT && cache != WP;
}

static bool vtd_expressible(unsigned level, uint32_t flags, uint32_t cache,
			    uint64_t features)
{
	bool large = features % 2 == 1;
	bool huge = features / 2 % 2 == 1;
	bool typed = features / 4 % 2 == 1;

	return (flags & (X | U | G)) == 0 && (cache == WB || typed) &&
	       (level == 1 || (level == 2 && large) || (level == 3 && huge));
}

static bool hostile_expressible(unsigned level, uint32_t flags, uint32_t cache,
				uint64_t features)
{
	(void)flags;
	(void)cache;
	(void)features;
	return level <= 3;
}

#define FORMAT(low, high)                                                      \
	.name = FH_##high##_NAME, .min_levels = FH_##high##_MIN_LEVELS,        \
	.max_levels = FH_##high##_MAX_LEVELS,                                  \
	.huge_level = FH_##high##_HUGE_LEVEL,                                  \
	.frame_end = FH_##high##_FRAME_END, .features = FH_##high##_FEATURES,  \
	.sets_accessed = FH_##high##_SETS_ACCESSED,                            \
	.break_before_make = FH_##high##_BREAK_BEFORE_MAKE,                    \
	.asids = FH_##high##_ASIDS, .can_map = fh_##low##_can_map,             \
	.leaf = fh_##low##_leaf, .table = fh_##low##_table,                    \
	.kind = fh_##low##_kind, .frame = fh_##low##_frame,                    \
	.prop = fh_##low##_prop, .expressible = low##_expressible

static const struct format formats[] = {
	{
		FORMAT(x86_64, X86_64),
		.view = x86_64_view,
		.walker = &mmu_x86_64,
		.table_bits = 0x81,
		.hardware_flags = R | W | X | U | G | A | D,
	},
	{
		FORMAT(riscv64, RISCV64),
		.view = riscv64_view,
		.walker = &mmu_riscv,
		.table_bits = 0xf,
		.hardware_flags = R | W | X | U | G | A | D,
		.hardware_needs_accessed = true,
		.hardware_needs_dirty = true,
	},
	{
		FORMAT(aarch64, AARCH64),
		.view = aarch64_view,
		.walker = &mmu_aarch64,
		.table_bits = 0x3,
		.hardware_flags = R | W | X | U | G | A,
		.hardware_needs_accessed = true,
		.hardware_needs_dirty = true,
	},
	{
		FORMAT(loongarch64, LOONGARCH64),
		.view = loongarch64_view,
		.walker = &mmu_loongarch,
		.table_bits = 0x40,
		.hardware_flags = R | W | X | U | G | A,
		.hardware_needs_accessed = true,
		.hardware_needs_dirty = true,
	},
	{
		FORMAT(vtd, VTD),
		.view = vtd_view,
		.table_bits = 0x83,
		.hardware_flags = R | W | A | D,
	},
	{
		FORMAT(hostile, HOSTILE),
	},
};

#define NR_FORMATS (sizeof(formats) / sizeof(formats[0]))

/* One leaf of one format, as the tests below go through them. */
struct sample {
	const struct format *format;
	unsigned level;
	uint64_t frame;
	struct fh_page_prop prop;
	uint64_t pte;
};

/* Fails with all that is known of the sample. */
static void expect(bool holds, const struct sample *s, const char *what)
{
	if (!holds)
		fail_msg("%s: %s: level %u frame %#llx flags %#x cache %u: "
			 "entry %#llx",
			 s->format->name, what, s->level,
			 (unsigned long long)s->frame, (unsigned)s->prop.flags,
			 (unsigned)s->prop.cache, (unsigned long long)s->pte);
}

static bool same_prop(struct fh_page_prop a, struct fh_page_prop b)
{
	return a.flags == b.flags && a.cache == b.cache;
}

/* Goes on to the next of all properties; false after the last. */
static bool next_prop(struct fh_page_prop *prop)
{
	prop->cache++;
	if (prop->cache == FH_CACHE_KINDS) {
		prop->cache = 0;
		prop->flags++;
	}
	return prop->flags <= FH_PAGE_ALL_FLAGS;
}

/* Frames at the edges of what a leaf of that level can name. */
static size_t edge_frames(const struct format *format, unsigned level,
			  uint64_t frames[8])
{
	uint64_t pages = fh_level_pages(level);
	size_t n = 0;

	frames[n++] = 0;
	frames[n++] = pages;
	frames[n++] = pages * 3;
	frames[n++] = UINT64_C(0xffc0000);
	frames[n++] = format->frame_end / 2;
	frames[n++] = UINT64_C(0x123456789) % format->frame_end / pages * pages;
	frames[n++] = format->frame_end - pages * 2;
	frames[n++] = format->frame_end - pages;
	return n;
}

/* Calls check for each leaf at each of the edges. */
static void for_each_leaf(const struct format *format,
			  void (*check)(const struct sample *))
{
	uint64_t checked = 0;
	uint64_t frames[8];

	for (unsigned level = 1; level <= FH_MAX_LEVELS; level++) {
		struct sample s = {.format = format, .level = level};

		do {
			if (!format->can_map(level, s.prop, format->features))
				continue;
			size_t n = edge_frames(format, level, frames);

			for (size_t i = 0; i < n; i++) {
				s.frame = frames[i];
				s.pte = format->leaf(s.frame, level, s.prop);
				check(&s);
				checked++;
			}
		} while (next_prop(&s.prop));
	}
	/* At the least: three levels, write-back, one permission. */
	assert_true(checked >= 3 * 8);
}

static void for_each_format(void (*check)(const struct sample *))
{
	for (size_t i = 0; i < NR_FORMATS; i++)
		for_each_leaf(&formats[i], check);
}

static void zero_is_absent_in_every_format(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_FORMATS; i++)
		for (unsigned level = 1; level <= FH_MAX_LEVELS; level++)
			assert_int_equal(formats[i].kind(0, level),
					 FH_PTE_ABSENT);
}

static void can_map_is_what_the_manual_allows(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_FORMATS; i++) {
		const struct format *f = &formats[i];

		for (uint64_t on = 0; on <= f->features; on++)
			for (unsigned level = 0; level <= 7; level++) {
				struct sample s = {.format = f, .level = level};

				do {
					bool can = level >= 1 && level <= 3 &&
						   f->expressible(
							   level, s.prop.flags,
							   s.prop.cache, on);

					s.pte = on;
					expect(f->can_map(level, s.prop, on) ==
						       can,
					       &s, "can_map is wrong");
				} while (next_prop(&s.prop));
			}
	}
}

static void property_that_is_none_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_FORMATS; i++) {
		const struct format *f = &formats[i];
		struct fh_page_prop good = fh_page_prop(R | A | D);
		struct fh_page_prop bad = good;

		assert_true(f->can_map(1, good, f->features));
		for (uint32_t bit = FH_PAGE_ALL_FLAGS + 1; bit != 0; bit *= 2) {
			bad.flags = good.flags | bit;
			assert_false(f->can_map(1, bad, f->features));
		}
		bad = good;
		bad.cache = FH_CACHE_KINDS;
		assert_false(f->can_map(1, bad, f->features));
		bad.cache = UINT32_MAX;
		assert_false(f->can_map(1, bad, f->features));
	}
}

static void check_round_trip(const struct sample *s)
{
	const struct format *f = s->format;
	struct fh_page_prop prop = f->prop(s->pte, s->level);

	expect(f->frame(s->pte, s->level) == s->frame, s, "other frame");
	expect(same_prop(prop, s->prop), s, "other property");
	expect(f->leaf(f->frame(s->pte, s->level), s->level, prop) == s->pte, s,
	       "another entry the second time");
}

static void leaf_round_trips_exactly(void **state)
{
	(void)state;
	for_each_format(check_round_trip);
}

static void check_leaf_kind(const struct sample *s)
{
	expect(s->format->kind(s->pte, s->level) == FH_PTE_LEAF, s, "no leaf");
	expect(s->pte != 0, s, "zero");
}

static void leaf_is_never_table_or_absent(void **state)
{
	(void)state;
	for_each_format(check_leaf_kind);
}

static void table_round_trips_and_is_never_leaf(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_FORMATS; i++) {
		const struct format *f = &formats[i];

		for (unsigned level = 2; level <= f->max_levels; level++) {
			uint64_t frames[8];
			size_t n = edge_frames(f, 1, frames);

			/* Page 0 is never a node: begin behind it. */
			for (size_t k = 1; k < n; k++) {
				uint64_t pte = f->table(frames[k], level);

				assert_true(pte != 0);
				assert_int_equal(f->kind(pte, level),
						 FH_PTE_TABLE);
				assert_true(f->frame(pte, level) == frames[k]);
			}
		}
	}
}

static void hardware_follows_tables_to_their_node(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_FORMATS; i++) {
		const struct format *f = &formats[i];

		if (f->view == NULL)
			continue;
		for (unsigned level = 2; level <= f->max_levels; level++) {
			uint64_t frames[8];
			size_t n = edge_frames(f, 1, frames);

			for (size_t k = 1; k < n; k++) {
				uint64_t pte = f->table(frames[k], level);
				struct view seen = f->view(pte, level);

				assert_int_equal(seen.kind, VIEW_FOLLOWED);
				assert_true(seen.address == frames[k] << 12);
			}
		}
	}
}

/* The next smaller subset of all's bits, the empty one last. */
static uint64_t next_subset(uint64_t subset, uint64_t all)
{
	return (subset - 1) & all;
}

static void subsets_come_in_falling_order(void **state)
{
	static const uint64_t order[] = {0xb, 0xa, 0x9, 0x8, 0x3, 0x2, 1, 0};
	uint64_t subset = 0xb;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		assert_true(subset == order[i]);
		subset = next_subset(subset, 0xb);
	}
	assert_true(subset == 0xb);
}

/* An entry of anybody's is a table if hardware follows it, else it is none. */
static void only_what_hardware_follows_is_a_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_FORMATS; i++) {
		const struct format *f = &formats[i];
		uint64_t bits = f->table_bits;

		for (unsigned level = 1; level <= f->max_levels; level++) {
			uint64_t plain = f->table(0x12345, level) & ~bits;
			struct sample s = {.format = f, .level = level};

			if (f->view == NULL)
				continue;
			do {
				s.pte = plain | bits;
				expect((f->kind(s.pte, level) ==
					FH_PTE_TABLE) ==
					       (f->view(s.pte, level).kind ==
						VIEW_FOLLOWED),
				       &s, "hardware thinks otherwise");
				bits = next_subset(bits, f->table_bits);
			} while (bits != f->table_bits);
		}
	}
}

/* Whatever hardware maps by an entry of anybody's, the format says so. */
static void check_anybodys(const struct sample *s)
{
	struct view seen = s->format->view(s->pte, s->level);
	struct fh_page_prop prop;

	if (seen.kind != VIEW_MAPS)
		return;
	prop = s->format->prop(s->pte, s->level);
	expect(s->format->kind(s->pte, s->level) == FH_PTE_LEAF, s,
	       "hardware maps it");
	expect(s->format->frame(s->pte, s->level) << 12 == seen.address, s,
	       "hardware maps another frame");
	expect((seen.flags & (R | W | X) & ~prop.flags) == 0, s,
	       "hardware allows more");
}

static void decoding_hides_nothing_that_hardware_allows(void **state)
{
	/* The low bits without addresses, and all high ones with a meaning. */
	const uint64_t low = 0x3ff;
	const uint64_t high = UINT64_C(0xe068) << 48;

	(void)state;
	for (size_t i = 0; i < NR_FORMATS; i++) {
		const struct format *f = &formats[i];

		for (unsigned level = 1; f->view != NULL && level <= 3;
		     level++) {
			struct sample s = {.format = f, .level = level};
			uint64_t plain =
				f->leaf(fh_level_pages(3) * 5, level, s.prop);
			uint64_t bits = low | high;

			plain &= ~bits;
			do {
				s.pte = plain | bits;
				check_anybodys(&s);
				bits = next_subset(bits, low | high);
			} while (bits != (low | high));
		}
	}
}

/* The flags that hardware acts on while the leaf is as the sample says. */
static uint32_t acted_on(const struct sample *s)
{
	uint32_t flags = s->prop.flags & s->format->hardware_flags;

	if (s->format->hardware_needs_accessed && (s->prop.flags & A) == 0)
		flags &= ~(uint32_t)(R | W | X);
	if (s->format->hardware_needs_dirty && (s->prop.flags & D) == 0)
		flags &= ~(uint32_t)W;
	return flags;
}

static void check_view(const struct sample *s)
{
	struct view seen;
	uint32_t wanted = acted_on(s);

	if (s->format->view == NULL)
		return;
	seen = s->format->view(s->pte, s->level);
	if ((wanted & (R | W | X)) == 0) {
		expect(seen.kind != VIEW_FOLLOWED, s, "followed as a table");
		expect(seen.kind == VIEW_REFUSED ||
			       (seen.flags & (R | W | X)) == 0,
		       s, "hardware allows something");
		return;
	}
	expect(seen.kind == VIEW_MAPS, s, "hardware maps nothing");
	expect(seen.address == s->frame << 12, s, "hardware's address");
	expect(seen.flags == wanted, s, "hardware's permissions");
	expect(seen.cache == s->prop.cache, s, "hardware's memory type");
}

/* What the walker lets the privilege do that the leaf is meant for. */
static uint32_t walker_rights(const struct sample *s, struct mmu_entry seen)
{
	bool user = (s->prop.flags & U) != 0;
	unsigned rights = user ? seen.user : seen.kernel;

	if (seen.kind != MMU_LEAF || !seen.accessed)
		return 0;
	if (!seen.dirty && s->format->walker->set_dirty == 0)
		rights &= ~MMU_WRITE;
	return ((rights & MMU_READ) != 0 ? R : 0) |
	       ((rights & MMU_WRITE) != 0 ? W : 0) |
	       ((rights & MMU_EXEC) != 0 ? X : 0);
}

static void check_walker(const struct sample *s)
{
	const struct format *f = s->format;
	uint32_t wanted = acted_on(s);
	struct mmu_entry seen;

	if (f->walker == NULL)
		return;
	seen = f->walker->decode(s->pte, s->level);
	expect(seen.kind != MMU_TABLE && seen.kind != MMU_WRONG, s,
	       "the walker takes it for what it is not");
	/* Where hardware sets accessed, a leaf without it still maps. */
	if (f->walker->set_accessed != 0)
		seen.accessed = true;
	wanted &= R | W | X;
	expect(walker_rights(s, seen) == wanted, s, "the walker's rights");
	if (wanted == 0)
		return;
	expect(seen.frame == s->frame, s, "the walker's frame");
	expect(seen.global == ((s->prop.flags & G) != 0), s,
	       "the walker's global");
	expect((s->prop.flags & U) != 0 || seen.user == 0, s,
	       "the walker lets users in");
}

static void walker_of_the_hosted_machine_agrees(void **state)
{
	(void)state;
	for_each_format(check_walker);
	for (size_t i = 0; i < NR_FORMATS; i++) {
		const struct format *f = &formats[i];

		if (f->walker == NULL)
			continue;
		for (unsigned level = 2; level <= f->max_levels; level++) {
			uint64_t pte = f->table(0x12345, level);
			struct mmu_entry seen = f->walker->decode(pte, level);

			assert_int_equal(seen.kind, MMU_TABLE);
			assert_true(seen.frame == 0x12345);
			assert_int_equal(seen.kernel & seen.user, MMU_ALL);
		}
		assert_true(f->break_before_make ==
			    f->walker->break_before_make);
	}
}

static void hardware_does_what_the_leaf_says(void **state)
{
	(void)state;
	for_each_format(check_view);
}

/* Entries as the manuals have them, put together by hand. */
struct known {
	const char *name;
	uint64_t pte;
	unsigned level;
	uint64_t frame;
	uint32_t flags; /* TABLE: names a node */
	uint32_t cache;
};

#define TABLE UINT32_MAX

static const struct known known_entries[] = {
	{"x86-64", 0x8000000000001183, 1, 1, R | W | G, WB},
	{"x86-64", 0x00000000123450a5, 1, 0x12345, R | X | U | A, WB},
	{"x86-64", 0x00000000002001e1, 2, 0x200, R | X | G | A | D, WB},
	{"x86-64", 0x800000004000009b, 3, 0x40000, R | W, UC},
	{"x86-64", 0x80000000e0000093, 2, 0xe0000, R | W, WC},
	{"x86-64", 0x8000000000002089, 1, 2, R, WT},
	{"x86-64", 0x801ffffffffff0e4, 1, 0xffffffffff, U | A | D | T, WB},
	{"x86-64", 0x8020000000003087, 1, 3, R | W | U | S, WB},
	{"x86-64", 0x000fffffc0000081, 3, 0xfffffc0000, R | X, WB},
	{"x86-64", 0x0000000000005027, 2, 5, TABLE, 0},
	{"x86-64", 0x000ffffffffff027, 5, 0xffffffffff, TABLE, 0},
	{"RISC-V", 0x00000000200000e7, 1, 0x80000, R | W | G | A | D, WB},
	{"RISC-V", 0x00000000048d14db, 1, 0x12345, R | X | U | A | D, WB},
	{"RISC-V", 0x00000000000800c9, 2, 0x200, X | A | D, WB},
	{"RISC-V", 0x40000000100000c7, 3, 0x40000, R | W | A | D, UC},
	{"RISC-V", 0x2000000000000cc7, 1, 3, R | W | A | D, WC},
	{"RISC-V", 0x003ffffffffffdd4, 1, 0xfffffffffff, U | A | D | T, WB},
	{"RISC-V", 0x0000000000000004, 3, 0, 0, WB},
	{"RISC-V", 0x0000000000000603, 1, 1, R | S, WB},
	{"RISC-V", 0x0000000000001401, 2, 5, TABLE, 0},
	{"RISC-V", 0x003ffffffffffc01, 5, 0xfffffffffff, TABLE, 0},
	{"AArch64", 0x00e8000040000703, 1, 0x40000, R | W | G | A | D, WB},
	{"AArch64", 0x0020000012345fc3, 1, 0x12345, R | X | U | A, WB},
	{"AArch64", 0x0040000000200781, 2, 0x200, R | X | G | A, WB},
	{"AArch64", 0x00e8000040000f0d, 3, 0x40000, R | W | A | D, UC},
	{"AArch64", 0x00e8000000002f4b, 1, 2, R | W | U | A | D, WC},
	{"AArch64", 0x0068000000002fc3, 1, 2, R | W | U | A, WB},
	{"AArch64", 0x03e0ffffffffffc2, 1, 0xfffffffff, U | A | D | S | T, WB},
	{"AArch64", 0x0060000000400b85, 2, 0x400, R, WT},
	{"AArch64", 0x0000000000005003, 2, 5, TABLE, 0},
	{"AArch64", 0x0000fffffffff003, 4, 0xfffffffff, TABLE, 0},
	{"LoongArch64", 0x40000000000013d3, 1, 1, R | W | G | A | D, WB},
	{"LoongArch64", 0x000000001234509d, 1, 0x12345, R | X | U | A, WB},
	{"LoongArch64", 0x00000000002010d1, 2, 0x200, R | X | G | A, WB},
	{"LoongArch64", 0x40000000400003c3, 3, 0x40000, R | W | A | D, UC},
	{"LoongArch64", 0x40000000000021ad, 1, 2, R | W | U | A, WC},
	{"LoongArch64", 0x200000000000309d, 1, 3, X | U | A, WB},
	{"LoongArch64", 0x6000000000004393, 1, 4, W | A | D, WB},
	{"LoongArch64", 0x6000fffffffffe1c, 1, 0xfffffffff, U | D | S | T, WB},
	{"LoongArch64", 0x0000000000005000, 2, 5, TABLE, 0},
	{"LoongArch64", 0x0000fffffffff000, 4, 0xfffffffff, TABLE, 0},
	{"VT-d second stage", 0x00000000000013b3, 1, 1, R | W | A | D, WB},
	{"VT-d second stage", 0x00000000002003b1, 2, 0x200, R | A | D, WB},
	{"VT-d second stage", 0x0000000040000082, 3, 0x40000, W, UC},
	{"VT-d second stage", 0x000000000000208b, 1, 2, R | W, WC},
	{"VT-d second stage", 0x00000000000030a1, 1, 3, R, WT},
	{"VT-d second stage", 0x00000000000040a9, 1, 4, R, WP},
	{"VT-d second stage", 0x003ffffffffff0b0, 1, 0xffffffffff, S | T, WB},
	{"VT-d second stage", 0x0000000000005003, 2, 5, TABLE, 0},
	{"VT-d second stage", 0x000ffffffffff003, 5, 0xffffffffff, TABLE, 0},
};

static const struct format *format_named(const char *name)
{
	for (size_t i = 0; i < NR_FORMATS; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	fail_msg("no format %s", name);
	return NULL;
}

static void entries_are_those_of_the_manuals(void **state)
{
	size_t n = sizeof(known_entries) / sizeof(known_entries[0]);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct known *k = &known_entries[i];
		const struct format *f = format_named(k->name);
		struct sample s = {
			f, k->level, k->frame, {k->flags, k->cache}, 0};

		s.pte = k->flags == TABLE ? f->table(k->frame, k->level)
					  : f->leaf(k->frame, k->level, s.prop);
		expect(s.pte == k->pte, &s, "not the manual's");
		expect(k->flags == TABLE ||
			       f->can_map(k->level, s.prop, f->features),
		       &s, "a known leaf is refused");
	}
}

static void x86_64_firmware_entries_decode_as_hardware_does(void **state)
{
	struct fh_page_prop prop;

	(void)state;
	/* A page of firmware's: present, writable, accessed, dirty, no bit 7. */
	assert_int_equal(fh_x86_64_kind(0x9f063, 1), FH_PTE_LEAF);
	assert_true(fh_x86_64_frame(0x9f063, 1) == 0x9f);
	prop = fh_x86_64_prop(0x9f063, 1);
	assert_int_equal(prop.flags, R | W | X | A | D);
	/* Others' tables need not be marked accessed. */
	assert_int_equal(fh_x86_64_kind(0x5007, 2), FH_PTE_TABLE);
	assert_true(fh_x86_64_frame(0x5007, 2) == 5);
	/* Bit 12 of a large leaf is no part of the address. */
	assert_true(fh_x86_64_frame(0x2010e3, 2) == 0x200);
	assert_true(fh_x86_64_frame(0x400010e3, 3) == 0x40000);
	/* What hardware does not follow is not followed. */
	assert_int_equal(fh_x86_64_kind(0x5006, 2), FH_PTE_LEAF);
	assert_int_equal(fh_x86_64_prop(0x5006, 2).flags & R, 0);
}

static void x86_64_accessed_and_dirty_of_hardware_show(void **state)
{
	uint64_t pte = fh_x86_64_leaf(7, 1, fh_user_prop(R | W));

	(void)state;
	assert_int_equal(fh_x86_64_prop(pte | 0x20, 1).flags, R | W | U | A);
	assert_int_equal(fh_x86_64_prop(pte | 0x60, 1).flags,
			 R | W | U | A | D);
}

static void aarch64_firmware_entries_decode_as_hardware_does(void **state)
{
	(void)state;
	/* Writable without DBM; a kernel's, global, executable. */
	assert_int_equal(fh_aarch64_kind(0x0040000000200701, 2), FH_PTE_LEAF);
	assert_int_equal(fh_aarch64_prop(0x0040000000200701, 2).flags,
			 R | W | X | G | A | D);
	/* Bit 16 of a block, nT, is no part of the address. */
	assert_true(fh_aarch64_frame(0x0040000000210701, 2) == 0x200);
	/* A table with attributes for all below it. */
	assert_int_equal(fh_aarch64_kind(0x1800000000005003, 2), FH_PTE_TABLE);
	assert_true(fh_aarch64_frame(0x1800000000005003, 2) == 5);
}

static void check_other_privilege(const struct sample *s)
{
	bool user = (s->prop.flags & U) != 0;
	uint64_t bit = UINT64_C(1) << (user ? 53 : 54);

	expect((s->pte & bit) != 0, s, "the other privilege may run it");
}

static void aarch64_page_is_run_by_one_privilege_only(void **state)
{
	(void)state;
	for_each_leaf(format_named("AArch64"), check_other_privilege);
}

static void aarch64_mair_has_the_kinds_in_order(void **state)
{
	(void)state;
	assert_true(FH_AARCH64_MAIR ==
		    (0xff | 0xbb << 8 | 0x44 << 16 | 0x04 << 24));
}

/* What hardware does with TCR_EL1.HD: clears read-only if DBM is set. */
static void aarch64_write_by_hardware_shows_as_dirty(void **state)
{
	struct fh_page_prop clean = fh_user_prop(R | W | A);
	struct fh_page_prop seen;
	uint64_t pte = fh_aarch64_leaf(7, 1, clean);

	(void)state;
	assert_true((pte & 0x80) != 0);
	seen = fh_aarch64_prop(pte & ~UINT64_C(0x80), 1);
	assert_int_equal(seen.flags, clean.flags | D);
	/* Nor does protecting lose it. */
	seen.flags &= ~W;
	pte = fh_aarch64_leaf(7, 1, seen);
	assert_true((pte & 0x80) != 0);
	assert_int_equal(fh_aarch64_prop(pte, 1).flags, R | U | A | D);
}

/* What a hardware walker sets: V where P is set, D where W is. */
static void loongarch64_hardware_walker_sets_accessed_and_dirty(void **state)
{
	struct fh_page_prop clean = fh_user_prop(R | W);
	struct fh_page_prop none = fh_user_prop(T);
	uint64_t pte = fh_loongarch64_leaf(7, 1, clean);

	(void)state;
	/* P and W invite it to; a leaf that allows nothing does not. */
	assert_int_equal(pte & 0x183, 0x180);
	assert_int_equal(fh_loongarch64_prop(pte | 3, 1).flags,
			 clean.flags | A | D);
	assert_int_equal(fh_loongarch64_leaf(7, 1, none) & 0x183, 0);
}

static bool is_garbage(const struct sample *s, unsigned level)
{
	const struct format *f = s->format;

	return f->kind(s->pte, level) != f->kind(s->pte, s->level) ||
	       f->frame(s->pte, level) != s->frame;
}

static void check_wrong_level(const struct sample *s)
{
	for (unsigned level = 1; level <= FH_MAX_LEVELS; level++)
		expect(level == s->level || is_garbage(s, level), s,
		       "makes sense at another level");
}

static void hostile_entry_at_wrong_level_is_garbage(void **state)
{
	const struct format *f = format_named("hostile");

	(void)state;
	for_each_leaf(f, check_wrong_level);
	for (unsigned level = 1; level <= FH_MAX_LEVELS; level++) {
		struct sample s = {.format = f, .level = level};

		/* The frames that a test machine has. */
		for (s.frame = 1; s.frame < 65536; s.frame++) {
			s.pte = level == 1 ? f->leaf(s.frame, 1,
						     fh_user_prop(R | W))
					   : f->table(s.frame, level);
			check_wrong_level(&s);
		}
	}
}

static void each_level_maps_512_times_the_one_below(void **state)
{
	(void)state;
	assert_true(fh_level_pages(1) == 1);
	for (unsigned level = 2; level <= FH_MAX_LEVELS; level++)
		assert_true(fh_level_pages(level) ==
			    fh_level_pages(level - 1) * FH_NODE_ENTRIES);
	assert_int_equal(FH_NODE_ENTRIES * sizeof(uint64_t), FH_PAGE_SIZE);
}

static void constants_keep_the_contract(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_FORMATS; i++) {
		const struct format *f = &formats[i];

		assert_true(f->min_levels >= 3);
		assert_true(f->max_levels >= f->min_levels);
		assert_true(f->max_levels <= FH_MAX_LEVELS);
		assert_true(f->huge_level >= 2 &&
			    f->huge_level <= f->min_levels);
		assert_int_equal(f->frame_end % fh_level_pages(f->huge_level),
				 0);
		assert_true(f->frame_end <= UINT64_C(1) << 52);
		assert_true(f->asids >= 1 && f->asids <= 65536);
		/* Only there does every machine do it by itself. */
		assert_true(f->sets_accessed == (f->leaf == fh_x86_64_leaf));
		assert_true(f->break_before_make ==
			    (f->leaf == fh_aarch64_leaf ||
			     f->leaf == fh_hostile_leaf));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_is_absent_in_every_format),
		cmocka_unit_test(can_map_is_what_the_manual_allows),
		cmocka_unit_test(property_that_is_none_is_refused),
		cmocka_unit_test(leaf_round_trips_exactly),
		cmocka_unit_test(leaf_is_never_table_or_absent),
		cmocka_unit_test(table_round_trips_and_is_never_leaf),
		cmocka_unit_test(hardware_follows_tables_to_their_node),
		cmocka_unit_test(hardware_does_what_the_leaf_says),
		cmocka_unit_test(walker_of_the_hosted_machine_agrees),
		cmocka_unit_test(subsets_come_in_falling_order),
		cmocka_unit_test(only_what_hardware_follows_is_a_table),
		cmocka_unit_test(decoding_hides_nothing_that_hardware_allows),
		cmocka_unit_test(entries_are_those_of_the_manuals),
		cmocka_unit_test(
			x86_64_firmware_entries_decode_as_hardware_does),
		cmocka_unit_test(x86_64_accessed_and_dirty_of_hardware_show),
		cmocka_unit_test(
			aarch64_firmware_entries_decode_as_hardware_does),
		cmocka_unit_test(aarch64_page_is_run_by_one_privilege_only),
		cmocka_unit_test(aarch64_mair_has_the_kinds_in_order),
		cmocka_unit_test(aarch64_write_by_hardware_shows_as_dirty),
		cmocka_unit_test(
			loongarch64_hardware_walker_sets_accessed_and_dirty),
		cmocka_unit_test(hostile_entry_at_wrong_level_is_garbage),
		cmocka_unit_test(each_level_maps_512_times_the_one_below),
		cmocka_unit_test(constants_keep_the_contract),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
