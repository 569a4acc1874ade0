/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Readers for the arrays in which firmware and boot loaders hand over memory
 * maps: UEFI, PVH, Multiboot2. All are little-endian; they need not be aligned
 * and are read byte by byte within the size given, whatever they contain. How
 * far one entry lies from the next is what the firmware says, never the size
 * of a struct. Nothing is allocated. Any context.
 *
 * Such an array does not say what it is: the caller has to know.
 */
#ifndef FRAMEHOLD_MAPFIRMWARE_H
#define FRAMEHOLD_MAPFIRMWARE_H

#include <framehold/region.h>

FH_BEGIN_DECLS

/* Where a table could not be read, and why: a short sentence. */
struct fh_table_error {
	size_t at; /* the byte at which the thing at fault begins */
	const char *why;
};

/*
 * Each reader turns entries into regions, in their order, and sets *n to how
 * many there are. On an error *error says where, *n is as it was, and the
 * array's contents mean nothing:
 *
 *   FH_E_INVALID     the table is not of the form, or does not fit its size
 *   FH_E_OVERFLOW    an entry that ends beyond 2^64
 *   FH_E_NO_MEMORY   more than capacity entries
 *   FH_E_EMPTY       no entry at all
 */

/*
 * UEFI: `size` bytes of memory descriptors, `stride` bytes from one to the
 * next: what GetMemoryMap() calls MemoryMapSize and DescriptorSize. Usable:
 * conventional memory. Reclaimable: memory of the loader, of boot services and
 * of ACPI tables. Bad: unusable memory. Non-volatile: ACPI NVS. Reserved:
 * runtime services, devices, firmware's, persistent and unaccepted memory; and
 * any RAM with the attribute RUNTIME or SP (for special purposes), or without
 * WB (not cacheable). Unknown: all other types, as those that loaders invent.
 */
FH_NODISCARD
enum fh_status fh_map_read_uefi(const void *descriptors, size_t size,
				size_t stride, struct fh_region *regions,
				size_t capacity, size_t *n,
				struct fh_table_error *error);

/*
 * PVH: `count` entries of 24 bytes, the start info's memmap_paddr and
 * memmap_entries. Types as in e820: maptext.h.
 */
FH_NODISCARD
enum fh_status fh_map_read_pvh(const void *entries, size_t count,
			       struct fh_region *regions, size_t capacity,
			       size_t *n, struct fh_table_error *error);

/*
 * Multiboot2: the memory map tag (type 6), of which `size` bytes, or more than
 * its own size, can be read. The tag says how large its entries are. Usable:
 * type 1. Reclaimable: 3. Non-volatile: 4. Bad: 5. Reserved: all others.
 */
FH_NODISCARD
enum fh_status fh_map_read_multiboot2(const void *tag, size_t size,
				      struct fh_region *regions,
				      size_t capacity, size_t *n,
				      struct fh_table_error *error);

FH_END_DECLS

#endif /* FRAMEHOLD_MAPFIRMWARE_H */
