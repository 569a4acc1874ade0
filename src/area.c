/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Areas of the kernel's address space: a list by address for each pool, with one
 * page at least between neighbours and at both ends.
 *
 * An area leaves the list after its flush: its addresses are nobody's before.
 */
#include "kspace.h"
#include "lock.h"

enum fh_status fh_area_pool_open(struct fh_area_pool *pool,
				 const struct fh_page_table *kernel,
				 uint64_t first, uint64_t n)
{
	if (n < 3)
		return FH_E_EMPTY;
	if (!fh_page_table_covers(kernel, first, n))
		return FH_E_OUT_OF_BOUND;
	pool->kernel = kernel;
	pool->lock.word = 0;
	pool->first = first;
	pool->count = n;
	pool->areas = NULL;
	return FH_OK;
}

/*
 * Where an area of n pages and its guards fit first: the pointer that will point
 * to it, or null. With the pool's lock.
 */
static struct fh_area **find_gap(struct fh_area_pool *pool, uint64_t n,
				 uint64_t *first)
{
	struct fh_area **link = &pool->areas;
	uint64_t from = 1; /* in the pool; a guard lies before it */

	for (; *link != NULL; link = &(*link)->next) {
		uint64_t to = (*link)->first - pool->first - 1;

		if (to >= from && n <= to - from)
			break;
		from = (*link)->first - pool->first + (*link)->count + 1;
	}
	*first = pool->first + from;
	if (*link == NULL &&
	    (from >= pool->count || n > pool->count - from - 1))
		return NULL;
	return link;
}

enum fh_status fh_area_create(struct fh_area_pool *pool, uint64_t n,
			      struct fh_area *area)
{
	uint64_t first;

	if (n == 0)
		return FH_E_EMPTY;
	uint64_t saved = fh_lock(&pool->lock);
	struct fh_area **link = find_gap(pool, n, &first);

	if (link != NULL) {
		area->pool = pool;
		area->first = first;
		area->count = n;
		area->next = *link;
		*link = area;
	}
	fh_unlock(&pool->lock, saved);
	return link != NULL ? FH_OK : FH_E_NO_MEMORY;
}

/* ---- Mapping ---- */

static enum fh_status enter_area(struct fh_visit *visit,
				 const struct fh_area *area, uint64_t at,
				 uint64_t n, struct fh_page_prop prop)
{
	if (n == 0)
		return FH_E_EMPTY;
	if (at > area->count || n > area->count - at)
		return FH_E_OUT_OF_BOUND;
	if (!fh_kernel_may_have(prop))
		return FH_E_INVALID;
	return fh_kernel_enter(visit, area->pool->kernel, area->first + at, n);
}

enum fh_status fh_area_map_frame(struct fh_area *area, uint64_t at,
				 struct fh_frame *f, struct fh_page_prop prop)
{
	struct fh_visit visit;
	enum fh_status status = enter_area(&visit, area, at, 1, prop);

	if (status != FH_OK)
		return status;
	status = fh_cursor_map_frame(&visit.cursor, f, prop);
	fh_visit_leave(&visit);
	return status;
}

enum fh_status fh_area_map_segment(struct fh_area *area, uint64_t at,
				   struct fh_usegment *s,
				   struct fh_page_prop prop)
{
	struct fh_visit visit;
	enum fh_status status = enter_area(&visit, area, at, s->count, prop);

	if (status != FH_OK)
		return status;
	status = fh_cursor_map_segment(&visit.cursor, s, prop);
	fh_visit_leave(&visit);
	return status;
}

enum fh_status fh_area_map_untracked(struct fh_area *area, uint64_t at,
				     struct fh_paddr pa, uint64_t n,
				     struct fh_page_prop prop)
{
	struct fh_visit visit;
	enum fh_status status = enter_area(&visit, area, at, n, prop);

	if (status != FH_OK)
		return status;
	status = fh_cursor_map_untracked(&visit.cursor, pa, n, prop);
	fh_visit_leave(&visit);
	return status;
}

enum fh_status fh_area_query(const struct fh_area *area, uint64_t at,
			     struct fh_mapping *mapping)
{
	struct fh_atomic_mode mode;

	if (at >= area->count)
		return FH_E_OUT_OF_BOUND;
	fh_atomic_begin(&mode);
	enum fh_status status = fh_page_table_walk(area->pool->kernel, &mode,
						   area->first + at, mapping);
	fh_atomic_end(&mode);
	return status;
}

/* ---- The end ---- */

static void unlink_area(struct fh_area *area)
{
	struct fh_area_pool *pool = area->pool;
	uint64_t saved = fh_lock(&pool->lock);
	struct fh_area **link = &pool->areas;

	while (*link != area)
		link = &(*link)->next;
	*link = area->next;
	fh_unlock(&pool->lock, saved);
	area->pool = NULL;
	area->next = NULL;
	area->count = 0;
}

enum fh_status fh_area_destroy(struct fh_area *area)
{
	uint64_t pages;

	if (area->pool == NULL)
		return FH_OK;
	enum fh_status status = fh_kernel_unmap(area->pool->kernel, area->first,
						area->count, &pages);
	if (status == FH_OK)
		unlink_area(area);
	return status;
}
