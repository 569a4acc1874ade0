/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Faults of users: one entry point, which looks at the page with its range
 * locked and does the first thing that applies. Memory is allocated, zeroed and
 * copied with nothing locked; so the page is looked at again afterwards, and a
 * page made in vain goes back.
 */
#include <framehold/alloc.h>
#include <framehold/space.h>

#include "asid.h"
#include "cursor.h"
#include "slot.h"
#include "space.h"
#include "visit.h"

/* A fault being answered. */
struct fault {
	struct fh_space *space;
	uint64_t page;
	enum fh_access access;
	const struct fh_page_prop *fill;
	struct fh_uframe fresh; /* made for it, ... */
	struct fh_frame source; /* ... as a copy of this, or zeroed */
	enum fh_status status;
};

/* What looking at the page led to. */
enum step {
	STEP_DONE, /* with the fault's status */
	STEP_FILL, /* a zeroed page is needed */
	STEP_COPY, /* a copy of the fault's source is needed */
};

static bool allows(uint32_t flags, enum fh_access access)
{
	if (access == FH_ACCESS_WRITE)
		return (flags & FH_PAGE_WRITE) != 0;
	if (access == FH_ACCESS_EXEC)
		return (flags & FH_PAGE_EXEC) != 0;
	return (flags & FH_PAGE_READ) != 0;
}

static enum step done(struct fault *fault, enum fh_status status)
{
	fault->status = status;
	return STEP_DONE;
}

/* The entry allows it: what this CPU has cached is older, or a bit is missing. */
static enum step retry_access(struct fault *fault, struct fh_cursor *c)
{
	uint32_t noted = FH_PAGE_ACCESSED;

	if (fault->access == FH_ACCESS_WRITE)
		noted |= FH_PAGE_DIRTY;
	if (!FH_ARCH_SETS_ACCESSED)
		fh_cursor_note(c, noted);
	fh_host_table_barrier();
	fh_host_flush_pages(fh_asid_number(&fault->space->active.asid),
			    fh_vaddr_of_page(fault->page), 1);
	return done(fault, FH_OK);
}

static enum step fill_page(struct fault *fault, struct fh_cursor *c)
{
	if (fault->fill == NULL || !allows(fault->fill->flags, fault->access))
		return done(fault, FH_E_FAULT);
	if (fault->fresh.handle == 0 || fh_frame_is_some(fault->source))
		return STEP_FILL;
	return done(fault, fh_cursor_map(c, &fault->fresh, *fault->fill));
}

/* The property of a page that may be written by its one owner from now on. */
static struct fh_page_prop owned_prop(struct fh_page_prop prop)
{
	prop.flags &= ~FH_PAGE_COPY;
	prop.flags |= FH_PAGE_WRITE;
	return prop;
}

static enum step copy_page(struct fault *fault, struct fh_cursor *c,
			   struct fh_gather *gather)
{
	struct fh_mapping mapping;
	enum fh_status status = fh_cursor_isolate(c, gather);

	if (status == FH_OK)
		status = fh_cursor_query(c, &mapping);
	if (status != FH_OK)
		return done(fault, status);
	bool is_copied = fh_frame_number(fault->source) == mapping.frame;
	/*
	 * Acquire: pairs with the release of who held it last but us. Nobody
	 * gets a reference by the entry while its node is locked.
	 */
	if (!is_copied &&
	    fh_state_load_acquire(mapping.frame) == FH_STATE_ONE) {
		const struct fh_prop_change change = {.clear = FH_PAGE_COPY,
						      .set = FH_PAGE_WRITE};
		uint64_t pages;

		return done(fault,
			    fh_cursor_protect(c, 1, change, gather, &pages));
	}
	if (!is_copied || fault->fresh.handle == 0) {
		struct fh_frame_ref ref = {.frame = mapping.frame};

		fh_frame_put(&fault->source);
		fault->source = fh_frame_ref_get(ref);
		return STEP_COPY;
	}
	fh_cursor_replace(c, &fault->fresh, owned_prop(mapping.prop), gather);
	return done(fault, FH_OK);
}

/* Who may not even read a page does not get it by writing. */
static const uint32_t to_be_copied = FH_PAGE_COPY | FH_PAGE_READ;

static enum step look(struct fault *fault, struct fh_cursor *c,
		      struct fh_gather *gather)
{
	struct fh_mapping mapping;

	if (fh_cursor_query(c, &mapping) != FH_OK)
		return done(fault, FH_E_OUT_OF_BOUND);
	if (!mapping.is_mapped)
		return fill_page(fault, c);
	if (allows(mapping.prop.flags, fault->access))
		return retry_access(fault, c);
	if (fault->access == FH_ACCESS_WRITE && mapping.is_tracked &&
	    (mapping.prop.flags & to_be_copied) == to_be_copied)
		return copy_page(fault, c, gather);
	return done(fault, FH_E_FAULT);
}

static enum step look_locked(struct fault *fault)
{
	struct fh_visit visit;
	enum fh_status status =
		fh_visit_enter(&visit, &fault->space->table,
			       &fault->space->active, fault->page, 1);

	if (status != FH_OK)
		return done(fault, status);
	enum step step = look(fault, &visit.cursor, &visit.gather);

	fh_visit_leave(&visit);
	return step;
}

static const struct fh_alloc_options as_it_is = {.zeroed = false};

/* A page of the wrong contents goes back. */
static enum fh_status make_fresh(struct fault *fault, bool copy)
{
	struct fh_frame frame;

	fh_uframe_put(&fault->fresh);
	if (!copy)
		fh_frame_put(&fault->source);
	enum fh_status status = fh_frame_alloc(copy ? &as_it_is : NULL,
					       &fh_untyped_type, NULL, &frame);
	if (status != FH_OK)
		return status;
	if (copy)
		__builtin_memcpy(fh_host_linear(fh_frame_paddr(frame)),
				 fh_host_linear(fh_frame_paddr(fault->source)),
				 FH_PAGE_SIZE);
	return fh_uframe_from_frame(&frame, &fault->fresh);
}

enum fh_status fh_space_fault(struct fh_space *space, struct fh_vaddr va,
			      enum fh_access access,
			      const struct fh_page_prop *fill)
{
	struct fault fault = {
		.space = space,
		.page = va.bytes / FH_PAGE_SIZE,
		.access = access,
		.fill = fill,
		.status = FH_OK,
	};
	bool recovered = false;

	for (;;) {
		enum step step = look_locked(&fault);

		if (step == STEP_DONE &&
		    !fh_space_find_memory(fault.status, &recovered))
			break;
		if (step == STEP_DONE)
			continue;
		fault.status = make_fresh(&fault, step == STEP_COPY);
		if (fault.status != FH_OK)
			break;
	}
	fh_frame_put(&fault.source);
	fh_uframe_put(&fault.fresh);
	return fault.status;
}
