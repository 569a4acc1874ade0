/* SPDX-License-Identifier: MPL-2.0 */
/* The kernel's own address space: pieces that are mapped once. */
#include "kspace.h"

#include "space.h"

enum fh_status fh_kernel_enter(struct fh_visit *visit,
			       const struct fh_page_table *kernel,
			       uint64_t first, uint64_t n)
{
	if (kernel->kind != FH_TABLE_KERNEL)
		return FH_E_INVALID;
	if (n == 0)
		return FH_E_EMPTY;
	return fh_visit_enter(visit, kernel, NULL, first, n);
}

bool fh_kernel_may_have(struct fh_page_prop prop)
{
	const uint32_t both = FH_PAGE_WRITE | FH_PAGE_EXEC;

	return (prop.flags & both) != both;
}

enum fh_status fh_kernel_map(const struct fh_page_table *kernel, uint64_t first,
			     struct fh_paddr pa, uint64_t n,
			     struct fh_page_prop prop)
{
	struct fh_visit visit;
	bool recovered = false;
	enum fh_status status;

	if (!fh_kernel_may_have(prop))
		return FH_E_INVALID;
	do {
		status = fh_kernel_enter(&visit, kernel, first, n);
		if (status != FH_OK)
			return status;
		status = fh_cursor_map_untracked(&visit.cursor, pa, n, prop);
		fh_visit_leave(&visit);
	} while (fh_space_find_memory(status, &recovered));
	return status;
}

enum fh_status fh_kernel_unmap(const struct fh_page_table *kernel,
			       uint64_t first, uint64_t n, uint64_t *pages)
{
	struct fh_visit visit;
	bool recovered = false;
	enum fh_status status;

	do {
		status = fh_kernel_enter(&visit, kernel, first, n);
		if (status != FH_OK)
			return status;
		status =
			fh_cursor_unmap(&visit.cursor, n, &visit.gather, pages);
		fh_visit_leave(&visit);
	} while (fh_space_find_memory(status, &recovered));
	return status;
}

/* ---- The linear map ---- */

/*
 * The next pages of RAM from span *index on, whatever their kinds: first and
 * count; *index is behind them. False if there are none.
 */
static bool next_ram(const struct fh_memory_map *map, size_t *index,
		     uint64_t *first, uint64_t *count)
{
	while (*index < map->count &&
	       !fh_region_is_physical(map->spans[*index].kind))
		*index += 1;
	if (*index == map->count)
		return false;
	*first = map->spans[*index].first;
	*count = 0;
	while (*index < map->count &&
	       map->spans[*index].first == *first + *count &&
	       fh_region_is_physical(map->spans[*index].kind)) {
		*count += map->spans[*index].count;
		*index += 1;
	}
	return true;
}

/* Unmaps what lies below span `end`. Whole leaves go: no memory is needed. */
static void unmap_linear(const struct fh_page_table *kernel,
			 const struct fh_memory_map *map, uint64_t base,
			 size_t end)
{
	uint64_t first;
	uint64_t count;
	uint64_t pages;
	size_t i = 0;

	while (i < end && next_ram(map, &i, &first, &count) && i <= end)
		(void)!fh_kernel_unmap(kernel, base + first, count, &pages);
}

enum fh_status fh_kernel_map_linear(const struct fh_page_table *kernel,
				    const struct fh_memory_map *map,
				    uint64_t base, struct fh_page_prop prop)
{
	uint64_t first;
	uint64_t count;
	size_t done = 0;
	size_t i = 0;

	while (next_ram(map, &i, &first, &count)) {
		enum fh_status status =
			first > FH_PAGE_NUMBER_END - base
				? FH_E_OUT_OF_BOUND
				: fh_kernel_map(kernel, base + first,
						fh_paddr_of_frame(first), count,
						prop);

		if (status != FH_OK) {
			unmap_linear(kernel, map, base, done);
			return status;
		}
		done = i;
	}
	return FH_OK;
}
