/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Readers for memory maps as text: what Linux and UEFI firmware print about a
 * machine, so that any machine's map can be brought up, here or in a kernel
 * that is handed the text as a boot module. Nothing is allocated. Any context.
 *
 * e820: lines "start end type": start and end hexadecimal, end inclusive; type
 * decimal, 1 usable, 2 reserved, 3 ACPI reclaimable, 4 ACPI non-volatile,
 * 5 bad, 7 and 12 persistent and so reserved, others unknown.
 *
 * Boot log: lines that contain "BIOS-e820: [mem 0xstart-0xend] kind", where
 * kind is usable, reserved, soft reserved, ACPI data, ACPI NVS, unusable,
 * persistent (...) or type N. If a text has one, its other lines mean nothing.
 *
 * iomem: /proc/iomem, lines "start-end : name", nested by indentation.
 * At any depth, System RAM is usable; names that begin with "Kernel " are the
 * kernel's; ACPI Tables are reclaimable; ACPI Non-volatile Storage,
 * Unusable memory, Unknown E820 type and Reserved are what they say. Other
 * names are reserved at the outer level, and change nothing when nested.
 *
 * uefi: lines "type T pa START pages N attr A", all hexadecimal, one for each
 * descriptor; types and attributes as in mapfirmware.h.
 *
 * Everywhere: "0x" before a hexadecimal number is optional; letters may be of
 * either case; blanks are spaces and tabs, and do not matter around a line;
 * lines end in \n or \r\n, the last one need not, and may be of any length.
 * Empty lines and lines that begin with # mean nothing. An end just before its
 * start makes a region of size 0, which a map drops.
 */
#ifndef FRAMEHOLD_MAPTEXT_H
#define FRAMEHOLD_MAPTEXT_H

#include <framehold/region.h>

FH_BEGIN_DECLS

/* Which line could not be read, counted from 1, and why: a short sentence. */
struct fh_text_error {
	size_t line; /* 0: the text as a whole */
	const char *why;
};

/*
 * Reads `size` bytes of text into regions, in the order of the lines, and sets
 * *n to how many there are. On an error *error says which line is at fault, *n
 * is as it was, and the array's contents mean nothing:
 *
 *   FH_E_INVALID     a line that is not of the form; or all addresses of
 *                    /proc/iomem are 0, as it shows them to all but root
 *   FH_E_OVERFLOW    an end before its start, a number or an end beyond 64
 *                    bits, or a range of all 2^64 bytes, which has no size
 *   FH_E_NO_MEMORY   more than capacity entries
 *   FH_E_EMPTY       no entry at all
 *
 * fh_map_read_e820() reads e820 lines or a boot log.
 */
FH_NODISCARD
enum fh_status fh_map_read_e820(const char *text, size_t size,
				struct fh_region *regions, size_t capacity,
				size_t *n, struct fh_text_error *error);
FH_NODISCARD
enum fh_status fh_map_read_iomem(const char *text, size_t size,
				 struct fh_region *regions, size_t capacity,
				 size_t *n, struct fh_text_error *error);
FH_NODISCARD
enum fh_status fh_map_read_uefi_text(const char *text, size_t size,
				     struct fh_region *regions, size_t capacity,
				     size_t *n, struct fh_text_error *error);

/*
 * Reads any of these: a boot log if a line is of one, otherwise as the first
 * line that means something looks.
 */
FH_NODISCARD
enum fh_status fh_map_read_text(const char *text, size_t size,
				struct fh_region *regions, size_t capacity,
				size_t *n, struct fh_text_error *error);

FH_END_DECLS

#endif /* FRAMEHOLD_MAPTEXT_H */
