/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Address spaces: each operation is a cursor over its range, a gather for what
 * it removes, and a second try when memory was short and some could be found.
 */
#include <framehold/alloc.h>
#include <framehold/poll.h>
#include <framehold/space.h>

#include "asid.h"
#include "copy.h"
#include "gather.h"
#include "rcu.h"

/* ---- One operation ---- */

/* A cursor with what it needs around it. */
struct visit {
	struct fh_atomic_mode mode;
	struct fh_cursor cursor;
	struct fh_gather gather;
	bool recovered; /* memory was looked for, once */
};

static const struct visit new_visit;

/* FH_OK: the range is locked, until leave(). Otherwise nothing is. */
static enum fh_status enter(struct visit *visit, struct fh_space *space,
			    uint64_t first, uint64_t n)
{
	fh_gather_begin(&visit->gather, &space->cpus, fh_asid_of(space->asid));
	fh_atomic_begin(&visit->mode);
	enum fh_status status = fh_cursor_open(&space->table, &visit->mode,
					       first, n, &visit->cursor);

	if (status != FH_OK)
		fh_atomic_end(&visit->mode);
	return status;
}

static void leave(struct visit *visit)
{
	fh_cursor_close(&visit->cursor);
	fh_atomic_end(&visit->mode);
	fh_gather_finish(&visit->gather);
}

/*
 * Whether a second try makes sense: a page could be found by waiting and asking,
 * which nobody may do with a lock held.
 */
static bool find_memory(struct visit *visit, enum fh_status status)
{
	uint64_t budget = UINT64_MAX;
	struct fh_frame frame;

	if (status != FH_E_NO_MEMORY || visit->recovered)
		return false;
	visit->recovered = true;
	fh_rcu_reap_any(&budget);
	if (fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frame) != FH_OK)
		return false;
	fh_frame_put(&frame);
	return true;
}

/* ---- Life ---- */

enum fh_status fh_space_create(const struct fh_page_table *kernel,
			       struct fh_space *out)
{
	struct visit visit = new_visit;
	struct fh_page_table table;
	enum fh_status status;

	do
		status = fh_page_table_create_user(kernel, &table);
	while (find_memory(&visit, status));
	if (status != FH_OK)
		return status;
	*out = (struct fh_space){.table = table, .asid = 0};
	return FH_OK;
}

/*
 * Nothing needs memory here: the root's entries are whole, and no leaf is
 * counted at its level.
 */
static void unmap_all(struct fh_space *space)
{
	struct visit visit = new_visit;
	struct fh_page_range all =
		fh_page_table_range(FH_TABLE_USER, space->table.levels);
	uint64_t pages;

	if (enter(&visit, space, all.first, all.count) != FH_OK)
		return;
	(void)!fh_cursor_unmap(&visit.cursor, all.count, &visit.gather, &pages);
	leave(&visit);
}

void fh_space_destroy(struct fh_space *space)
{
	if (!fh_frame_is_some(space->table.root))
		return;
	unmap_all(space);
	fh_page_table_destroy(&space->table);
}

/* ---- Running on ---- */

void fh_space_activate(struct fh_space *space)
{
	struct fh_atomic_mode mode;

	fh_atomic_begin(&mode);
	struct fh_frame old = fh_frame_none();

	if (fh_active_root(&mode) != fh_frame_number(space->table.root)) {
		/* Before the first walk: see cpuset.h. */
		fh_cpu_set_add(&space->cpus, mode.cpu);
		old = fh_page_table_activate(
			&space->table, &mode,
			fh_asid_use(&space->asid, mode.cpu));
	}
	fh_atomic_end(&mode);
	fh_frame_put(&old);
}

void fh_kernel_activate(const struct fh_page_table *kernel)
{
	struct fh_atomic_mode mode;

	fh_atomic_begin(&mode);
	struct fh_frame old =
		fh_page_table_activate(kernel, &mode, FH_ASID_KERNEL);
	fh_atomic_end(&mode);
	fh_frame_put(&old);
}

bool fh_space_is_active(const struct fh_space *space)
{
	struct fh_atomic_mode mode;

	fh_atomic_begin(&mode);
	bool is = fh_active_root(&mode) == fh_frame_number(space->table.root);
	fh_atomic_end(&mode);
	return is;
}

/* ---- Mapping and unmapping ---- */

enum fh_status fh_space_map(struct fh_space *space, uint64_t first,
			    struct fh_uframe *f, struct fh_page_prop prop)
{
	struct visit visit = new_visit;
	enum fh_status status;

	do {
		status = enter(&visit, space, first, 1);
		if (status != FH_OK)
			return status;
		status = fh_cursor_map(&visit.cursor, f, prop);
		leave(&visit);
	} while (find_memory(&visit, status));
	return status;
}

enum fh_status fh_space_map_segment(struct fh_space *space, uint64_t first,
				    struct fh_usegment *s,
				    struct fh_page_prop prop)
{
	struct visit visit = new_visit;
	enum fh_status status;

	if (s->count == 0)
		return FH_E_EMPTY;
	do {
		status = enter(&visit, space, first, s->count);
		if (status != FH_OK)
			return status;
		status = fh_cursor_map_segment(&visit.cursor, s, prop);
		leave(&visit);
	} while (find_memory(&visit, status));
	return status;
}

enum fh_status fh_space_map_device(struct fh_space *space, uint64_t first,
				   struct fh_paddr pa, uint64_t n,
				   struct fh_page_prop prop)
{
	struct visit visit = new_visit;
	enum fh_status status;

	if (n == 0)
		return FH_E_EMPTY;
	do {
		status = enter(&visit, space, first, n);
		if (status != FH_OK)
			return status;
		status = fh_cursor_map_untracked(&visit.cursor, pa, n, prop);
		leave(&visit);
	} while (find_memory(&visit, status));
	return status;
}

enum fh_status fh_space_unmap(struct fh_space *space, uint64_t first,
			      uint64_t n, uint64_t *pages)
{
	struct visit visit = new_visit;
	enum fh_status status;

	if (n == 0)
		return FH_E_EMPTY;
	do {
		status = enter(&visit, space, first, n);
		if (status != FH_OK)
			return status;
		status =
			fh_cursor_unmap(&visit.cursor, n, &visit.gather, pages);
		leave(&visit);
	} while (find_memory(&visit, status));
	return status;
}

enum fh_status fh_space_protect(struct fh_space *space, uint64_t first,
				uint64_t n, struct fh_prop_change change,
				uint64_t *pages)
{
	struct visit visit = new_visit;
	enum fh_status status;

	if (n == 0)
		return FH_E_EMPTY;
	do {
		status = enter(&visit, space, first, n);
		if (status != FH_OK)
			return status;
		status = fh_cursor_protect(&visit.cursor, n, change,
					   &visit.gather, pages);
		leave(&visit);
	} while (find_memory(&visit, status));
	return status;
}

enum fh_status fh_space_query(const struct fh_space *space, uint64_t page,
			      struct fh_mapping *mapping)
{
	struct fh_atomic_mode mode;

	fh_atomic_begin(&mode);
	enum fh_status status =
		fh_page_table_walk(&space->table, &mode, page, mapping);
	fh_atomic_end(&mode);
	return status;
}

/* ---- Clones ---- */

/* With the source locked. Nobody else uses the target, so no order matters. */
static enum fh_status copy_into(struct visit *visit, struct fh_space *to,
				uint64_t first, uint64_t n, enum fh_clone how)
{
	struct fh_cursor target;
	enum fh_status status =
		fh_cursor_open(&to->table, &visit->mode, first, n, &target);

	if (status != FH_OK)
		return status;
	status = fh_cursor_copy(&visit->cursor, &target, n,
				how == FH_CLONE_COPY, &visit->gather);
	fh_cursor_close(&target);
	return status;
}

enum fh_status fh_space_clone(struct fh_space *from, struct fh_space *to,
			      uint64_t first, uint64_t n, enum fh_clone how)
{
	struct visit visit = new_visit;
	enum fh_status status;

	if (n == 0)
		return FH_E_EMPTY;
	if (from == to)
		return FH_E_INVALID;
	do {
		status = enter(&visit, from, first, n);
		if (status != FH_OK)
			return status;
		status = copy_into(&visit, to, first, n, how);
		leave(&visit);
	} while (find_memory(&visit, status));
	return status;
}

/* ---- Readers and writers ---- */

static enum fh_status check_user_bytes(const struct fh_space *space,
				       struct fh_vaddr va, uint64_t n)
{
	struct fh_page_range users =
		fh_page_table_range(FH_TABLE_USER, space->table.levels);
	uint64_t end = users.count * FH_PAGE_SIZE;

	if (n > UINT64_MAX - va.bytes)
		return FH_E_OVERFLOW;
	if (va.bytes > end || n > end - va.bytes)
		return FH_E_OUT_OF_BOUND;
	return fh_space_is_active(space) ? FH_OK : FH_E_INVALID;
}

enum fh_status fh_space_reader(const struct fh_space *space, struct fh_vaddr va,
			       uint64_t n, struct fh_user_reader *out)
{
	enum fh_status status = check_user_bytes(space, va, n);

	return status == FH_OK ? fh_user_reader(va, n, out) : status;
}

enum fh_status fh_space_writer(const struct fh_space *space, struct fh_vaddr va,
			       uint64_t n, struct fh_user_writer *out)
{
	enum fh_status status = check_user_bytes(space, va, n);

	return status == FH_OK ? fh_user_writer(va, n, out) : status;
}
