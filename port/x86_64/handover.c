/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the boot loader left, by PVH or by Multiboot2: memory below 4 GiB, which
 * the boot tables map. All of it is read here, once, and copied: it lies in
 * memory that the map calls free.
 */
#include "inside.h"

#include <framehold/mapfirmware.h>

/* kernel.ld: where what runs before the tables begins. */
extern const char boot_begin[];

extern const char trampoline_begin[];
extern const char trampoline_end[];

static uint32_t handover_magic;
static uint32_t handover_at;

void handover_is(uint32_t magic, uint32_t at)
{
	handover_magic = magic;
	handover_at = at;
}

#define REACH (UINT64_C(1) << 32)

/* Null beyond what the boot tables map, or if there is nothing. */
static const void *bytes_at(uint64_t pa, uint64_t n)
{
	if (pa == 0 || n > REACH || pa > REACH - n)
		return NULL;
	return (const void *)(LAYOUT_LINEAR + pa);
}

/* Every field of both protocols is aligned to its size. */
static uint32_t word32(const void *at, size_t offset)
{
	return *(const uint32_t *)((const char *)at + offset);
}

static uint64_t word64(const void *at, size_t offset)
{
	return *(const uint64_t *)((const char *)at + offset);
}

static void copy_command(struct boot_info *boot, const char *command)
{
	size_t i = 0;

	while (i < BOOT_COMMAND_SIZE - 1 && command[i] != '\0') {
		boot->command[i] = command[i];
		i++;
	}
	boot->command[i] = '\0';
}

/* ---- PVH ---- */

#define PVH_SIZE      56
#define PVH_MODULES   12 /* how many; offsets in struct hvm_start_info */
#define PVH_MODULE_AT 16
#define PVH_COMMAND   24
#define PVH_MAP       40
#define PVH_ENTRIES   48

#define PVH_ENTRY_SIZE 24

static const char *read_pvh(struct boot_info *boot)
{
	const void *info = bytes_at(handover_at, PVH_SIZE);
	struct fh_table_error error;

	if (info == NULL || word32(info, 0) != MAGIC_PVH)
		return "PVH: no start info";
	boot->protocol = "PVH";
	if (word32(info, 4) == 0)
		return "PVH: version 0 has no memory map";
	const char *command =
		bytes_at(word64(info, PVH_COMMAND), BOOT_COMMAND_SIZE);
	if (command != NULL)
		copy_command(boot, command);
	const void *module = bytes_at(word64(info, PVH_MODULE_AT), 16);
	if (module != NULL && word32(info, PVH_MODULES) > 0)
		boot->module =
			(struct piece){word64(module, 0), word64(module, 8)};
	uint32_t n = word32(info, PVH_ENTRIES);
	const void *map =
		bytes_at(word64(info, PVH_MAP), (uint64_t)n * PVH_ENTRY_SIZE);
	if (map == NULL)
		return "PVH: no memory map";
	if (fh_map_read_pvh(map, n, boot->regions, BOOT_REGIONS, &boot->count,
			    &error) != FH_OK)
		return error.why;
	return NULL;
}

/* ---- Multiboot2 ---- */

#define TAG_END     0
#define TAG_COMMAND 1
#define TAG_MODULE  3
#define TAG_MAP     6

#define TAG_HEADER 8

/* The first tag of a kind, with its size; null if there is none. */
static const void *find_tag(const void *info, uint32_t kind, uint32_t *size)
{
	uint32_t total = word32(info, 0);
	uint32_t at = 8;

	while (at < total && total - at >= TAG_HEADER) {
		const char *tag = (const char *)info + at;

		*size = word32(tag, 4);
		if (word32(tag, 0) == TAG_END || *size < TAG_HEADER ||
		    *size > total - at)
			return NULL;
		if (word32(tag, 0) == kind)
			return tag;
		at += (*size + 7) & ~7u;
	}
	return NULL;
}

static const char *read_multiboot2(struct boot_info *boot)
{
	const void *info = bytes_at(handover_at, 8);
	struct fh_table_error error;
	const void *tag;
	uint32_t size;

	boot->protocol = "Multiboot2";
	if (info == NULL || bytes_at(handover_at, word32(info, 0)) == NULL)
		return "Multiboot2: no boot information";
	tag = find_tag(info, TAG_COMMAND, &size);
	if (tag != NULL)
		copy_command(boot, (const char *)tag + TAG_HEADER);
	tag = find_tag(info, TAG_MODULE, &size);
	if (tag != NULL && size >= 16 && word32(tag, 12) > word32(tag, 8))
		boot->module = (struct piece){word32(tag, 8),
					      word32(tag, 12) - word32(tag, 8)};
	tag = find_tag(info, TAG_MAP, &size);
	if (tag == NULL)
		return "Multiboot2: no memory map";
	if (fh_map_read_multiboot2(tag, size, boot->regions, BOOT_REGIONS,
				   &boot->count, &error) != FH_OK)
		return error.why;
	return NULL;
}

/* ---- What firmware does not know ---- */

static bool add_regions(struct boot_info *boot)
{
	uint64_t image = (uintptr_t)image_end - LAYOUT_IMAGE;
	uint64_t begin = (uintptr_t)boot_begin;

	return boot_add_region(boot, begin, image - begin, FH_REGION_KERNEL) &&
	       boot_add_region(boot, TRAMPOLINE, FH_PAGE_SIZE,
			       FH_REGION_RESERVED) &&
	       boot_add_region(boot, boot->module.base, boot->module.size,
			       FH_REGION_MODULE);
}

/* QEMU's configuration: an item is selected, then read byte by byte. */
#define CONFIG_SELECT    0x510
#define CONFIG_DATA      0x511
#define CONFIG_SIGNATURE 0
#define CONFIG_CPUS      5

static uint32_t read_config(uint16_t item, unsigned bytes)
{
	uint32_t value = 0;

	x86_out16(CONFIG_SELECT, item);
	for (unsigned i = 0; i < bytes; i++)
		value |= (uint32_t)x86_in8(CONFIG_DATA) << 8 * i;
	return value;
}

/* Other machines would have to be asked by ACPI. */
unsigned count_cpus(void)
{
	unsigned n = 1;

	if (read_config(CONFIG_SIGNATURE, 4) == 0x554d4551) /* QEMU */
		n = read_config(CONFIG_CPUS, 2);
	return n;
}

/* Last, since it overwrites a page that might hold what was read. */
static void place_trampoline(void)
{
	char *page = (char *)(LAYOUT_LINEAR + TRAMPOLINE);
	size_t n = (size_t)(trampoline_end - trampoline_begin);

	for (size_t i = 0; i < n; i++)
		page[i] = trampoline_begin[i];
}

const char *port_read_boot(struct boot_info *boot)
{
	const char *why = "not booted by PVH or Multiboot2";

	boot->protocol = "unknown";
	if (handover_magic == MAGIC_PVH)
		why = read_pvh(boot);
	else if (handover_magic == MAGIC_MULTIBOOT2)
		why = read_multiboot2(boot);
	if (why != NULL)
		return why;
	if (!add_regions(boot))
		return "the memory map has too many entries";
	boot->cpus = count_cpus();
	if (boot->cpus > FH_MAX_CPUS)
		boot->cpus = FH_MAX_CPUS;
	place_trampoline();
	return NULL;
}
