/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a flattened device tree says to a kernel that boots, other than its
 * memory, which framehold/mapfdt.h reads: the CPUs, /chosen, and what RISC-V
 * tells nowhere else. The tree is read byte by byte within its size, whatever
 * it contains, in one pass, without recursion.
 */
#ifndef PORT_FDT_BOOT_H
#define PORT_FDT_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FDT_BOOT_CPUS 64

struct fdt_boot {
	/*
	 * The ids of the CPUs that are enabled (hartid, MPIDR), in the tree's
	 * order; and how many there are, those included that found no room.
	 */
	uint64_t cpus[FDT_BOOT_CPUS];
	size_t cpu_count;
	size_t cpus_found;

	/* /chosen/bootargs, in the tree and without the zero; or null. */
	const char *arguments;
	size_t argument_size;

	/* linux,initrd-start and -end; both 0 if there is none. */
	uint64_t initrd_start;
	uint64_t initrd_end;

	/* RISC-V: ticks of the time CSR a second; 0 if nobody says. */
	uint64_t timebase;

	/* RISC-V: every enabled CPU says that it has Svpbmt. */
	bool has_svpbmt;
};

/*
 * Reads a tree of which `size` bytes can be read. An error is a sentence, and
 * *boot is unchanged then; null: none. A CPU is a child of /cpus whose
 * device_type is "cpu"; enabled, if its status is "okay" or absent.
 */
const char *fdt_boot_read(const void *tree, size_t size, struct fdt_boot *boot);

/*
 * Numbers the CPUs: ids[0] is `first`, the one that runs first, whether the tree
 * has it or not; the others of the tree follow in its order. How many found room,
 * which is at least 1.
 */
unsigned fdt_boot_number_cpus(const struct fdt_boot *boot, uint64_t first,
			      uint64_t *ids, unsigned room);

/*
 * Copies the arguments and a zero into room bytes, at least 1; what does not
 * fit is left out.
 */
void fdt_boot_copy_arguments(const struct fdt_boot *boot, char *to,
			     size_t room);

/* Whether one of the arguments, between spaces, is the word. */
bool fdt_boot_has_argument(const struct fdt_boot *boot, const char *word);

#endif /* PORT_FDT_BOOT_H */
