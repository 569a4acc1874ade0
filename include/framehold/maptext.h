/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Readers for memory maps as text: what Linux prints about a machine, so that
 * any machine's map can be brought up, here or in a kernel that is handed the
 * text as a boot module. Nothing is allocated. Any context.
 *
 * e820: lines "start end type", hexadecimal, end inclusive, type 1 usable,
 * 2 reserved, 3 ACPI reclaimable, 4 ACPI non-volatile, 5 bad, others unknown;
 * or lines of a boot log that contain
 * "BIOS-e820: [mem 0xstart-0xend] usable" and its other kinds.
 *
 * iomem: /proc/iomem, lines "start-end : name", nested by indentation.
 * "System RAM" is usable; "Kernel code", "Kernel data" and the like are the
 * kernel's; the ACPI names as above; other names at the outer level are
 * reserved; nested names that are none of these change nothing.
 *
 * Empty lines and lines beginning with # mean nothing. So do boot-log lines
 * without "BIOS-e820:", once a line with it has been seen.
 */
#ifndef FRAMEHOLD_MAPTEXT_H
#define FRAMEHOLD_MAPTEXT_H

#include <framehold/region.h>

FH_BEGIN_DECLS

/* Which line could not be read, counted from 1, and why: a short sentence. */
struct fh_text_error {
	size_t line;
	const char *why;
};

/*
 * Reads `size` bytes of text into regions and sets *n to how many there are.
 * On an error *error says which line is at fault, *n is as it was, and the
 * array's contents mean nothing:
 *
 *   FH_E_INVALID     a line that is not of the form
 *   FH_E_OVERFLOW    an end before its start, or a number beyond 64 bits
 *   FH_E_NO_MEMORY   more than capacity entries
 *   FH_E_EMPTY       no entry at all
 */
FH_NODISCARD
enum fh_status fh_map_read_e820(const char *text, size_t size,
				struct fh_region *regions, size_t capacity,
				size_t *n, struct fh_text_error *error);
FH_NODISCARD
enum fh_status fh_map_read_iomem(const char *text, size_t size,
				 struct fh_region *regions, size_t capacity,
				 size_t *n, struct fh_text_error *error);

/* Reads either, told apart by the first line that means something. */
FH_NODISCARD
enum fh_status fh_map_read_text(const char *text, size_t size,
				struct fh_region *regions, size_t capacity,
				size_t *n, struct fh_text_error *error);

FH_END_DECLS

#endif /* FRAMEHOLD_MAPTEXT_H */
