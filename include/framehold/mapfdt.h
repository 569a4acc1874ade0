/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Reader for flattened device trees (Devicetree Specification 0.4, chapter 5,
 * version 17): physical memory and what is reserved of it. The tree may be
 * anywhere, aligned or not, and is read byte by byte within its size, whatever
 * it contains; in one pass, without recursion, in time proportional to its
 * size. Nothing is allocated. Any context.
 *
 * Usable: `reg` of the root's children whose device_type is "memory".
 * Reserved: the memory reservation block, and `reg` of the children of
 * /reserved-memory, be they `no-map`, `reusable` or neither; a child without
 * `reg` reserves nothing in particular. Nodes whose status is not "okay" are
 * left out. Addresses are those of the root's bus: `ranges` is not read.
 *
 * What the boot protocol says in other ways the caller has to add: where the
 * tree itself lies, the kernel's image, and a ramdisk named in /chosen.
 */
#ifndef FRAMEHOLD_MAPFDT_H
#define FRAMEHOLD_MAPFDT_H

#include <framehold/mapnuma.h>

FH_BEGIN_DECLS

/* Bytes at the start of a tree by which fh_fdt_size() knows it. */
#define FH_FDT_MAGIC_SIZE 8

/*
 * How large a tree says it is, from its first FH_FDT_MAGIC_SIZE bytes, for
 * callers that have been given an address only; 0 if it is no tree.
 */
size_t fh_fdt_size(const void *tree);

/*
 * Reads the memory map in a tree of which `size` bytes can be read: first the
 * reservation block, then the nodes in their order. Errors as in
 * mapfirmware.h; FH_E_EMPTY if there is no memory.
 */
FH_NODISCARD
enum fh_status fh_map_read_fdt(const void *tree, size_t size,
			       struct fh_region *regions, size_t capacity,
			       size_t *n, struct fh_table_error *error);

/*
 * Reads which memory belongs to which node: numa-node-id of the memory nodes,
 * 0 if absent. Errors as in mapfirmware.h.
 */
FH_NODISCARD
enum fh_status fh_numa_read_fdt(const void *tree, size_t size,
				struct fh_node_range *ranges, size_t capacity,
				size_t *n, struct fh_table_error *error);

FH_END_DECLS

#endif /* FRAMEHOLD_MAPFDT_H */
