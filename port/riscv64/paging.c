/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Boot tables, and which mode the CPU's tables are in. All that is mapped lies
 * in the upper 256 GiB and so in the upper half of one root of Sv39; the last
 * entry of a root of Sv48 names that, the last of Sv57's names the one of Sv48.
 * So every address means the same in each mode, and the mode can be changed
 * while running.
 */
#include "machine.h"

#define GIB   (UINT64_C(1) << 30)
#define TABLE _Alignas(FH_PAGE_SIZE) uint64_t

#define LEAF                                                                   \
	(FH_RISCV64_V | FH_RISCV64_R | FH_RISCV64_W | FH_RISCV64_A |           \
	 FH_RISCV64_D)

/* The entry of an address, and that of n GiB of memory. */
#define INDEX(va)   ((va) / GIB % 512)
#define GIGABYTE(n) ((n) * (GIB / FH_PAGE_SIZE) << FH_RISCV64_FRAME_SHIFT)
#define FOUR(va, flags)                                                        \
	[INDEX(va)] = GIGABYTE(UINT64_C(0)) | (flags),                         \
	[INDEX(va) + 1] = GIGABYTE(UINT64_C(1)) | (flags),                     \
	[INDEX(va) + 2] = GIGABYTE(UINT64_C(2)) | (flags),                     \
	[INDEX(va) + 3] = GIGABYTE(UINT64_C(3)) | (flags)

TABLE boot_root[FH_PAGE_SIZE / 8] = {
	FOUR(LAYOUT_LINEAR, LEAF),
	FOUR(LAYOUT_DEVICES, LEAF),
	[INDEX(LAYOUT_IMAGE + LAYOUT_LOAD)] =
		GIGABYTE(LAYOUT_LOAD / GIB) | LEAF | FH_RISCV64_X,
};

static TABLE root_of_4[FH_PAGE_SIZE / 8];
static TABLE root_of_5[FH_PAGE_SIZE / 8];

uint64_t boot_satp;

static struct fh_table_format format;

struct fh_table_format port_table_format(void)
{
	return format;
}

struct fh_paddr port_boot_root(void)
{
	uint64_t frame = boot_satp % (UINT64_C(1) << SATP_ASID_SHIFT);

	return (struct fh_paddr){frame * FH_PAGE_SIZE};
}

enum fh_cache port_device_cache(void)
{
	return (format.features & FH_RISCV64_SVPBMT) != 0 ? FH_CACHE_UNCACHEABLE
							  : FH_CACHE_WRITEBACK;
}

static uint64_t satp_of(uint64_t root, uint64_t asid)
{
	uint64_t mode = SATP_SV39 + format.levels - 3;

	return mode << SATP_MODE_SHIFT | asid << SATP_ASID_SHIFT |
	       root / FH_PAGE_SIZE;
}

/* ---- Hooks ---- */

void fh_host_activate(struct fh_paddr root, uint64_t asid)
{
	csr_write_satp(satp_of(root.bytes, asid));
}

/* ---- Choosing ---- */

/* A mode that the CPU does not have leaves satp as it was. */
static bool enter(const uint64_t *root, unsigned levels)
{
	unsigned before = format.levels;

	format.levels = levels;
	boot_satp = satp_of(image_pa(root), 0);
	csr_write_satp(boot_satp);
	if (csr_read_satp() == boot_satp) {
		sfence_all();
		return true;
	}
	format.levels = before;
	boot_satp = csr_read_satp();
	return false;
}

/* As many numbers as bits of satp stay set. */
static uint64_t count_asids(void)
{
	uint64_t asids;

	csr_write_satp(boot_satp | UINT64_C(0xffff) << SATP_ASID_SHIFT);
	asids = (csr_read_satp() >> SATP_ASID_SHIFT & 0xffff) + 1;
	csr_write_satp(boot_satp);
	sfence_all();
	return asids;
}

static void set_device_leaves(uint64_t flags)
{
	for (uint64_t i = 0; i < 4; i++)
		fh_word_store_relaxed(&boot_root[INDEX(LAYOUT_DEVICES) + i],
				      GIGABYTE(i) | LEAF | flags);
	sfence_all();
}

/* The firmware has to allow it too: otherwise such a leaf faults. */
static bool try_svpbmt(void)
{
	set_device_leaves(FH_RISCV64_IO);
	if (port_can_read(LAYOUT_DEVICES + LAYOUT_LOAD))
		return true;
	set_device_leaves(0);
	return false;
}

void paging_choose(unsigned levels, bool says_svpbmt)
{
	(void)enter(boot_root, 3);
	root_of_4[511] =
		fh_riscv64_table(image_pa(boot_root) / FH_PAGE_SIZE, 4);
	root_of_5[511] =
		fh_riscv64_table(image_pa(root_of_4) / FH_PAGE_SIZE, 5);
	if ((levels < 5 || !enter(root_of_5, 5)) && levels >= 4)
		(void)enter(root_of_4, 4);
	format.asids = count_asids();
	if (says_svpbmt && try_svpbmt())
		format.features = FH_RISCV64_SVPBMT;
}
