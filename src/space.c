/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Address spaces: each operation is a cursor over its range, a gather for what
 * it removes, and a second try when memory was short and some could be found.
 */
#include <framehold/alloc.h>
#include <framehold/poll.h>
#include <framehold/space.h>

#include "active.h"
#include "copy.h"
#include "rcu.h"
#include "space.h"
#include "visit.h"

/* ---- One operation ---- */

/* A cursor over pages of the space: fh_visit_leave() if it is FH_OK. */
static enum fh_status enter(struct fh_visit *visit, struct fh_space *space,
			    uint64_t first, uint64_t n)
{
	return fh_visit_enter(visit, &space->table, &space->active, first, n);
}

bool fh_space_find_memory(enum fh_status status, bool *recovered)
{
	uint64_t budget = UINT64_MAX;
	struct fh_frame frame;

	if (status != FH_E_NO_MEMORY || *recovered)
		return false;
	*recovered = true;
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
	bool recovered = false;
	struct fh_page_table table;
	enum fh_status status;

	do
		status = fh_page_table_create_user(kernel, &table);
	while (fh_space_find_memory(status, &recovered));
	if (status != FH_OK)
		return status;
	*out = (struct fh_space){.table = table};
	return FH_OK;
}

/*
 * Nothing needs memory here: the root's entries are whole, and no leaf is
 * counted at its level.
 */
static void unmap_all(struct fh_space *space)
{
	struct fh_visit visit;
	struct fh_page_range all =
		fh_page_table_range(FH_TABLE_USER, space->table.levels);
	uint64_t pages;

	if (enter(&visit, space, all.first, all.count) != FH_OK)
		return;
	(void)!fh_cursor_unmap(&visit.cursor, all.count, &visit.gather, &pages);
	fh_visit_leave(&visit);
}

static bool is_active_anywhere(struct fh_space *space)
{
	struct fh_cpu_set cpus;

	fh_cpu_set_snapshot(&space->active.cpus, &cpus);
	return fh_cpu_set_next(&cpus, 0) != FH_MAX_CPUS;
}

enum fh_status fh_space_destroy(struct fh_space *space)
{
	if (!fh_frame_is_some(space->table.root))
		return FH_OK;
	if (is_active_anywhere(space))
		return FH_E_BUSY;
	unmap_all(space);
	fh_page_table_destroy(&space->table);
	return FH_OK;
}

/* ---- Running on ---- */

/* What each CPU runs on, with a reference to the root. */
static struct {
	uint64_t root;
	struct fh_active *active; /* null: the kernel's own */
} running[FH_MAX_CPUS];

uint64_t fh_active_root(const struct fh_atomic_mode *mode)
{
	return running[mode->cpu].root;
}

/* The CPU's reference to what it has run on becomes a frame, or none. */
static struct fh_frame give_root_up(unsigned cpu)
{
	struct fh_frame old = fh_frame_none();
	uint64_t root = running[cpu].root;

	if (root != 0) {
		fh_unit_remove(root, 1, FH_UNIT_ROOT, FH_HERE);
		old.handle = fh_unit_mint(root, 1, FH_UNIT_FRAME, FH_HERE);
	}
	running[cpu].root = 0;
	return old;
}

static void run_on(const struct fh_page_table *table, struct fh_active *active)
{
	uint64_t root = fh_frame_number(table->root);
	struct fh_frame old = fh_frame_none();
	struct fh_atomic_mode mode;

	fh_atomic_begin(&mode);
	if (running[mode.cpu].root != root) {
		fh_page_get(root, FH_HERE);
		fh_unit_add(root, 1, FH_UNIT_ROOT);
		fh_active_switch(running[mode.cpu].active, active,
				 fh_paddr_of_frame(root));
		old = give_root_up(mode.cpu);
		running[mode.cpu].root = root;
		running[mode.cpu].active = active;
	}
	fh_atomic_end(&mode);
	fh_frame_put(&old);
}

void fh_space_activate(struct fh_space *space)
{
	run_on(&space->table, &space->active);
}

void fh_kernel_activate(const struct fh_page_table *kernel)
{
	run_on(kernel, NULL);
}

void fh_kernel_deactivate(void)
{
	struct fh_atomic_mode mode;

	fh_atomic_begin(&mode);
	if (running[mode.cpu].active != NULL)
		fh_cpu_set_remove(&running[mode.cpu].active->cpus, mode.cpu);
	running[mode.cpu].active = NULL;
	struct fh_frame old = give_root_up(mode.cpu);
	fh_atomic_end(&mode);
	fh_frame_put(&old);
}

void fh_space_close(void)
{
	__builtin_memset(running, 0, sizeof(running));
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
	struct fh_visit visit;
	bool recovered = false;
	enum fh_status status;

	do {
		status = enter(&visit, space, first, 1);
		if (status != FH_OK)
			return status;
		status = fh_cursor_map(&visit.cursor, f, prop);
		fh_visit_leave(&visit);
	} while (fh_space_find_memory(status, &recovered));
	return status;
}

enum fh_status fh_space_map_segment(struct fh_space *space, uint64_t first,
				    struct fh_usegment *s,
				    struct fh_page_prop prop)
{
	struct fh_visit visit;
	bool recovered = false;
	enum fh_status status;

	if (s->count == 0)
		return FH_E_EMPTY;
	do {
		status = enter(&visit, space, first, s->count);
		if (status != FH_OK)
			return status;
		status = fh_cursor_map_segment(&visit.cursor, s, prop);
		fh_visit_leave(&visit);
	} while (fh_space_find_memory(status, &recovered));
	return status;
}

enum fh_status fh_space_map_device(struct fh_space *space, uint64_t first,
				   struct fh_paddr pa, uint64_t n,
				   struct fh_page_prop prop)
{
	struct fh_visit visit;
	bool recovered = false;
	enum fh_status status;

	if (n == 0)
		return FH_E_EMPTY;
	do {
		status = enter(&visit, space, first, n);
		if (status != FH_OK)
			return status;
		status = fh_cursor_map_untracked(&visit.cursor, pa, n, prop);
		fh_visit_leave(&visit);
	} while (fh_space_find_memory(status, &recovered));
	return status;
}

enum fh_status fh_space_unmap(struct fh_space *space, uint64_t first,
			      uint64_t n, uint64_t *pages)
{
	struct fh_visit visit;
	bool recovered = false;
	enum fh_status status;

	if (n == 0)
		return FH_E_EMPTY;
	do {
		status = enter(&visit, space, first, n);
		if (status != FH_OK)
			return status;
		status =
			fh_cursor_unmap(&visit.cursor, n, &visit.gather, pages);
		fh_visit_leave(&visit);
	} while (fh_space_find_memory(status, &recovered));
	return status;
}

enum fh_status fh_space_protect(struct fh_space *space, uint64_t first,
				uint64_t n, struct fh_prop_change change,
				uint64_t *pages)
{
	struct fh_visit visit;
	bool recovered = false;
	enum fh_status status;

	if (n == 0)
		return FH_E_EMPTY;
	do {
		status = enter(&visit, space, first, n);
		if (status != FH_OK)
			return status;
		status = fh_cursor_protect(&visit.cursor, n, change,
					   &visit.gather, pages);
		fh_visit_leave(&visit);
	} while (fh_space_find_memory(status, &recovered));
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
static enum fh_status copy_into(struct fh_visit *visit, struct fh_space *to,
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
	struct fh_visit visit;
	bool recovered = false;
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
		fh_visit_leave(&visit);
	} while (fh_space_find_memory(status, &recovered));
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
