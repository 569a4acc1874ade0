/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What hardware makes of one table entry, bit by bit from the manuals, for
 * codec_test.c. Shares nothing with the headers of the formats: neither their
 * constants nor how they name things.
 */
#ifndef FRAMEHOLD_TEST_CODEC_VIEWS_H
#define FRAMEHOLD_TEST_CODEC_VIEWS_H

#include <framehold/prop.h>

enum view_kind {
	VIEW_REFUSED,  /* a fault, whatever the access */
	VIEW_FOLLOWED, /* the address of the next table */
	VIEW_MAPS,
};

struct view {
	enum view_kind kind;
	uint64_t address;
	uint32_t flags; /* for the privilege that the entry is meant for */
	uint32_t cache;
};

static inline bool view_bit(uint64_t pte, unsigned bit)
{
	return (pte >> bit) % 2 == 1;
}

/* Bits low .. high of the entry, where they stand. */
static inline uint64_t view_field(uint64_t pte, unsigned low, unsigned high)
{
	uint64_t upper = high == 63 ? 0 : pte >> (high + 1) << (high + 1);

	return (pte - upper) >> low << low;
}

static inline uint32_t view_flag(uint64_t pte, unsigned bit, uint32_t flag)
{
	return view_bit(pte, bit) ? flag : 0;
}

/*
 * Intel SDM volume 3, tables 4-15 to 4-20; no protection keys. The memory type
 * comes from entry 4 PAT + 2 PCD + PWT of IA32_PAT as this format wants it.
 */
static inline struct view x86_64_view(uint64_t pte, unsigned level)
{
	static const uint32_t types[8] = {
		FH_CACHE_WRITEBACK,       FH_CACHE_WRITETHROUGH,
		FH_CACHE_WRITE_COMBINING, FH_CACHE_UNCACHEABLE,
		FH_CACHE_WRITEBACK,       FH_CACHE_WRITETHROUGH,
		FH_CACHE_WRITE_COMBINING, FH_CACHE_UNCACHEABLE,
	};
	struct view seen = {VIEW_REFUSED, 0, 0, 0};
	bool large = level > 1 && view_bit(pte, 7);
	bool pat = view_bit(pte, level == 1 ? 7 : 12);

	if (!view_bit(pte, 0))
		return seen;
	if (level > 1 && !large) {
		seen.kind = VIEW_FOLLOWED;
		seen.address = view_field(pte, 12, 51);
		return seen;
	}
	/* Reserved bits: size at levels 4 and 5, and low address bits. */
	if (level > 3 || (level == 2 && view_field(pte, 13, 20) != 0) ||
	    (level == 3 && view_field(pte, 13, 29) != 0))
		return seen;
	seen.kind = VIEW_MAPS;
	seen.address = view_field(pte, 3 + 9 * level, 51);
	seen.flags = FH_PAGE_READ | view_flag(pte, 1, FH_PAGE_WRITE) |
		     view_flag(~pte, 63, FH_PAGE_EXEC) |
		     view_flag(pte, 2, FH_PAGE_USER) |
		     view_flag(pte, 8, FH_PAGE_GLOBAL) |
		     view_flag(pte, 5, FH_PAGE_ACCESSED) |
		     view_flag(pte, 6, FH_PAGE_DIRTY);
	seen.cache = types[4 * pat + 2 * view_bit(pte, 4) + view_bit(pte, 3)];
	return seen;
}

/*
 * RISC-V privileged architecture, Sv39 and its like, Svpbmt; of a machine that
 * faults rather than set A and D itself (Svade).
 */
static inline struct view riscv64_view(uint64_t pte, unsigned level)
{
	static const uint32_t types[4] = {
		FH_CACHE_WRITEBACK, FH_CACHE_WRITE_COMBINING, /* NC */
		FH_CACHE_UNCACHEABLE,                         /* IO */
		FH_CACHE_KINDS,                               /* reserved */
	};
	struct view seen = {VIEW_REFUSED, 0, 0, 0};
	bool leaf = view_bit(pte, 1) || view_bit(pte, 2) || view_bit(pte, 3);

	/* N is that of Svnapot; 54 to 60, W without R are reserved. */
	if (!view_bit(pte, 0) || view_field(pte, 54, 60) != 0 ||
	    view_bit(pte, 63) || (view_bit(pte, 2) && !view_bit(pte, 1)))
		return seen;
	seen.address = view_field(pte, 10, 53) << 2;
	if (!leaf) {
		bool refused = level == 1 || view_bit(pte, 4) ||
			       view_bit(pte, 6) || view_bit(pte, 7) ||
			       view_field(pte, 61, 62) != 0;

		seen.kind = refused ? VIEW_REFUSED : VIEW_FOLLOWED;
		return seen;
	}
	if (level > 1 && view_field(pte, 10, 9 * level) != 0)
		return seen;
	seen.flags = view_flag(pte, 4, FH_PAGE_USER) |
		     view_flag(pte, 5, FH_PAGE_GLOBAL) |
		     view_flag(pte, 6, FH_PAGE_ACCESSED) |
		     view_flag(pte, 7, FH_PAGE_DIRTY);
	if (view_bit(pte, 6))
		seen.flags |= view_flag(pte, 1, FH_PAGE_READ) |
			      view_flag(pte, 3, FH_PAGE_EXEC);
	if (view_bit(pte, 6) && view_bit(pte, 7))
		seen.flags |= view_flag(pte, 2, FH_PAGE_WRITE);
	seen.kind = VIEW_MAPS;
	seen.cache = types[view_field(pte, 61, 62) >> 61];
	return seen;
}

/*
 * Arm ARM, VMSAv8-64 stage 1 descriptors, 4 KiB granule, 48-bit addresses; of a
 * CPU that manages neither AF nor the dirty state. The memory type comes from
 * the byte of MAIR_EL1 as this format wants it.
 */
static inline struct view aarch64_view(uint64_t pte, unsigned level)
{
	static const uint8_t mair[8] = {0xff, 0xbb, 0x44, 0x04};
	unsigned index = (unsigned)(view_field(pte, 2, 4) >> 2);
	struct view seen = {VIEW_REFUSED, 0, 0, FH_CACHE_KINDS};
	bool user = view_bit(pte, 6);

	if (!view_bit(pte, 0))
		return seen;
	if (level > 1 && view_bit(pte, 1)) {
		seen.kind = VIEW_FOLLOWED;
		seen.address = view_field(pte, 12, 47);
		return seen;
	}
	/* At level 1 a block is reserved, at level 4 it needs 52 bits. */
	if ((level == 1 && !view_bit(pte, 1)) || level > 3 ||
	    view_field(pte, 48, 50) != 0 || view_bit(pte, 52) ||
	    (level > 1 && view_field(pte, 12, 2 + 9 * level) != 0))
		return seen;
	seen.kind = VIEW_MAPS;
	seen.address = view_field(pte, 3 + 9 * level, 47);
	seen.flags = view_flag(pte, 6, FH_PAGE_USER) |
		     view_flag(~pte, 11, FH_PAGE_GLOBAL);
	if (view_bit(pte, 10))
		seen.flags |= FH_PAGE_READ | FH_PAGE_ACCESSED |
			      view_flag(~pte, 7, FH_PAGE_WRITE) |
			      view_flag(~pte, user ? 54 : 53, FH_PAGE_EXEC);
	if (mair[index] == 0xff && view_field(pte, 8, 9) >> 8 == 3)
		seen.cache = FH_CACHE_WRITEBACK;
	if (mair[index] == 0xbb && view_field(pte, 8, 9) >> 8 == 3)
		seen.cache = FH_CACHE_WRITETHROUGH;
	if (mair[index] == 0x44)
		seen.cache = FH_CACHE_WRITE_COMBINING;
	if (mair[index] == 0x04)
		seen.cache = FH_CACHE_UNCACHEABLE;
	return seen;
}

/*
 * LoongArch volume 1, table entries as LDDIR and LDPTE read them and the TLB
 * checks them: V, then the level of privilege, NX or NR, and D for stores.
 */
static inline struct view loongarch64_view(uint64_t pte, unsigned level)
{
	static const uint32_t types[4] = {
		FH_CACHE_UNCACHEABLE,     /* SUC */
		FH_CACHE_WRITEBACK,       /* CC */
		FH_CACHE_WRITE_COMBINING, /* WUC */
		FH_CACHE_KINDS,           /* reserved */
	};
	struct view seen = {VIEW_REFUSED, 0, 0, 0};

	if (level > 1 && !view_bit(pte, 6)) {
		/* LDDIR adds the index to the entry as it is. */
		if (view_field(pte, 0, 11) == 0 &&
		    view_field(pte, 48, 63) == 0) {
			seen.kind = VIEW_FOLLOWED;
			seen.address = pte;
		}
		return seen;
	}
	/* Bits 13 and 14 of a large page are where LDDIR notes the level. */
	if (!view_bit(pte, 0) || level > 3 || view_field(pte, 48, 60) != 0 ||
	    view_bit(pte, 63) ||
	    (level > 1 && view_field(pte, 13, 2 + 9 * level) != 0))
		return seen;
	seen.kind = VIEW_MAPS;
	seen.address = view_field(pte, 3 + 9 * level, 47);
	seen.flags = FH_PAGE_ACCESSED | view_flag(~pte, 61, FH_PAGE_READ) |
		     view_flag(pte, 1, FH_PAGE_WRITE) |
		     view_flag(~pte, 62, FH_PAGE_EXEC) |
		     view_flag(pte, level == 1 ? 6 : 12, FH_PAGE_GLOBAL) |
		     (view_field(pte, 2, 3) == 0xc ? FH_PAGE_USER : 0);
	seen.cache = types[view_field(pte, 4, 5) >> 4];
	return seen;
}

/*
 * Intel VT-d, second-stage paging entries, of a unit with EMTE and SSADE and
 * without snoop control and device TLBs' transient mappings.
 */
static inline struct view vtd_view(uint64_t pte, unsigned level)
{
	static const uint32_t types[8] = {
		FH_CACHE_UNCACHEABLE,  FH_CACHE_WRITE_COMBINING,
		FH_CACHE_KINDS,        FH_CACHE_KINDS,
		FH_CACHE_WRITETHROUGH, FH_CACHE_WRITE_PROTECTED,
		FH_CACHE_WRITEBACK,    FH_CACHE_KINDS,
	};
	struct view seen = {VIEW_REFUSED, 0, 0, 0};

	/* There is no present bit: an entry that allows nothing is not. */
	if (!view_bit(pte, 0) && !view_bit(pte, 1))
		return seen;
	if (level > 1 && !view_bit(pte, 7)) {
		seen.kind = view_bit(pte, 11) ? VIEW_REFUSED : VIEW_FOLLOWED;
		seen.address = view_field(pte, 12, 51);
		return seen;
	}
	if (level > 3 || view_bit(pte, 11) || view_bit(pte, 62) ||
	    (level > 1 && view_field(pte, 12, 2 + 9 * level) != 0))
		return seen;
	seen.kind = VIEW_MAPS;
	seen.address = view_field(pte, 3 + 9 * level, 51);
	seen.flags = view_flag(pte, 0, FH_PAGE_READ) |
		     view_flag(pte, 1, FH_PAGE_WRITE) |
		     view_flag(pte, 8, FH_PAGE_ACCESSED) |
		     view_flag(pte, 9, FH_PAGE_DIRTY);
	seen.cache = types[view_field(pte, 3, 5) >> 3];
	return seen;
}

#endif /* FRAMEHOLD_TEST_CODEC_VIEWS_H */
