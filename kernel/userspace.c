/* SPDX-License-Identifier: MPL-2.0 */
#include "userspace.h"

#include "tables.h"
#include "text.h"
#include "user/calls.h"

/* Pages from here on are the program's to ask for: not page 0. */
#define FIRST_PAGE UINT64_C(16)

/* ---- Promises ---- */

static bool overlaps(const struct stretch *stretch, uint64_t first,
		     uint64_t end)
{
	return stretch->first < end && first < stretch->first + stretch->count;
}

static uint64_t promised_pages(const struct userspace *memory, uint64_t first,
			       uint64_t end)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < memory->count; i++) {
		const struct stretch *stretch = &memory->stretches[i];
		uint64_t last = stretch->first + stretch->count;

		if (overlaps(stretch, first, end))
			pages += (last < end ? last : end) -
				 (stretch->first > first ? stretch->first
							 : first);
	}
	return pages;
}

/* Two ends at most lie in the middle of a stretch. */
static bool has_room(const struct userspace *memory)
{
	return memory->count + 2 <= MAX_STRETCHES;
}

/* Makes a page the first of a stretch, if one has it in its middle. */
static void cut_at(struct userspace *memory, uint64_t page)
{
	for (size_t i = 0; i < memory->count; i++) {
		struct stretch *stretch = &memory->stretches[i];

		if (page <= stretch->first ||
		    page >= stretch->first + stretch->count)
			continue;
		memory->stretches[memory->count] = (struct stretch){
			.first = page,
			.count = stretch->first + stretch->count - page,
			.flags = stretch->flags,
		};
		stretch->count = page - stretch->first;
		memory->count++;
		return;
	}
}

static bool is_valid(const struct userspace *memory, uint64_t first,
		     uint64_t count)
{
	return first >= FIRST_PAGE &&
	       fh_page_table_covers(&memory->space.table, first, count);
}

/* ---- Properties ---- */

static uint32_t access_flags(uint64_t flags)
{
	return ((flags & CALL_READ) != 0 ? FH_PAGE_READ : 0) |
	       ((flags & CALL_WRITE) != 0 ? FH_PAGE_WRITE : 0) |
	       ((flags & CALL_EXEC) != 0 ? FH_PAGE_EXEC : 0);
}

static bool may_have(uint64_t flags)
{
	return (flags & ~CALL_FLAGS) == 0 && (flags & CALL_READ) != 0 &&
	       (flags & (CALL_WRITE | CALL_EXEC)) != (CALL_WRITE | CALL_EXEC);
}

/* ---- Life ---- */

enum fh_status userspace_open(struct userspace *memory)
{
	memory->count = 0;
	return fh_space_create(&kernel_table, &memory->space);
}

enum fh_status userspace_close(struct userspace *memory)
{
	memory->count = 0;
	return fh_space_destroy(&memory->space);
}

/* ---- Mapping ---- */

static enum fh_status new_page(struct fh_uframe *page)
{
	struct fh_frame frame;
	enum fh_status status =
		fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frame);

	if (status != FH_OK)
		return status;
	status = fh_uframe_from_frame(&frame, page);
	if (status != FH_OK)
		fh_frame_put(&frame);
	return status;
}

static enum fh_status map_new_page(struct userspace *memory, uint64_t page,
				   uint64_t flags)
{
	struct fh_uframe frame;
	enum fh_status status = new_page(&frame);

	if (status != FH_OK)
		return status;
	status = fh_space_map(&memory->space, page, &frame,
			      fh_user_prop(access_flags(flags)));
	if (status != FH_OK)
		fh_uframe_put(&frame);
	return status;
}

static enum fh_status map_shared(struct userspace *memory,
				 const struct stretch *stretch)
{
	uint64_t pages;

	for (uint64_t i = 0; i < stretch->count; i++) {
		enum fh_status status = map_new_page(memory, stretch->first + i,
						     stretch->flags);

		if (status == FH_OK)
			continue;
		if (i > 0)
			(void)!fh_space_unmap(&memory->space, stretch->first, i,
					      &pages);
		return status;
	}
	return FH_OK;
}

static enum fh_status map_large(struct userspace *memory,
				const struct stretch *stretch)
{
	const struct fh_alloc_options options = {.zeroed = true,
						 .align = FH_NODE_ENTRIES};
	struct fh_segment segment;
	struct fh_usegment untyped;
	enum fh_status status = fh_segment_alloc(
		stretch->count, &options, &fh_untyped_type, NULL, &segment);

	if (status == FH_OK)
		status = fh_usegment_from_segment(&segment, &untyped);
	if (status != FH_OK)
		return status;
	status = fh_space_map_segment(
		&memory->space, stretch->first, &untyped,
		fh_user_prop(access_flags(stretch->flags)));
	if (status != FH_OK)
		fh_usegment_put(&untyped);
	return status;
}

static enum fh_status map_locked(struct userspace *memory,
				 const struct stretch *stretch)
{
	enum fh_status status = FH_OK;

	if (memory->count == MAX_STRETCHES)
		return FH_E_NO_MEMORY;
	if (promised_pages(memory, stretch->first,
			   stretch->first + stretch->count) != 0)
		return FH_E_MAPPED;
	if ((stretch->flags & CALL_LARGE) != 0)
		status = map_large(memory, stretch);
	else if ((stretch->flags & CALL_SHARED) != 0)
		status = map_shared(memory, stretch);
	if (status != FH_OK)
		return status;
	memory->stretches[memory->count] = *stretch;
	memory->count++;
	return FH_OK;
}

enum fh_status userspace_map(struct userspace *memory, struct stretch stretch)
{
	if (!may_have(stretch.flags))
		return FH_E_INVALID;
	if (!is_valid(memory, stretch.first, stretch.count))
		return FH_E_OUT_OF_BOUND;
	lock(&memory->lock);
	enum fh_status status = map_locked(memory, &stretch);
	unlock(&memory->lock);
	return status;
}

/* ---- Changing ---- */

/* Whether all of it is promised, and there is room to cut at its ends. */
static enum fh_status check_range(const struct userspace *memory,
				  uint64_t first, uint64_t count)
{
	if (!is_valid(memory, first, count))
		return FH_E_OUT_OF_BOUND;
	if (promised_pages(memory, first, first + count) != count)
		return FH_E_NOT_MAPPED;
	return has_room(memory) ? FH_OK : FH_E_NO_MEMORY;
}

static void forget_promises(struct userspace *memory, uint64_t first,
			    uint64_t count)
{
	size_t i = 0;

	cut_at(memory, first);
	cut_at(memory, first + count);
	while (i < memory->count) {
		if (overlaps(&memory->stretches[i], first, first + count)) {
			memory->count--;
			memory->stretches[i] = memory->stretches[memory->count];
		} else {
			i++;
		}
	}
}

enum fh_status userspace_unmap(struct userspace *memory, uint64_t first,
			       uint64_t count)
{
	uint64_t pages;

	lock(&memory->lock);
	enum fh_status status = check_range(memory, first, count);
	if (status == FH_OK)
		status = fh_space_unmap(&memory->space, first, count, &pages);
	if (status == FH_OK)
		forget_promises(memory, first, count);
	unlock(&memory->lock);
	return status;
}

/*
 * A page that comes to be writable may be shared with a fork: it is marked to
 * be copied, and the first write finds out whether it has to be.
 */
static struct fh_prop_change change_to(const struct stretch *stretch)
{
	uint32_t flags = access_flags(stretch->flags);

	if ((flags & FH_PAGE_WRITE) != 0 && (stretch->flags & CALL_SHARED) == 0)
		flags = (flags & ~FH_PAGE_WRITE) | FH_PAGE_COPY;
	return (struct fh_prop_change){
		.clear = FH_PAGE_READ | FH_PAGE_WRITE | FH_PAGE_EXEC |
			 FH_PAGE_COPY,
		.set = flags,
	};
}

/* The pieces are whole stretches; one that fails leaves those before it. */
static enum fh_status protect_stretches(struct userspace *memory,
					uint64_t first, uint64_t end,
					uint64_t flags)
{
	const uint64_t access = CALL_READ | CALL_WRITE | CALL_EXEC;
	enum fh_status status = FH_OK;
	uint64_t pages;

	for (size_t i = 0; status == FH_OK && i < memory->count; i++) {
		struct stretch *stretch = &memory->stretches[i];
		struct stretch wanted = *stretch;

		if (!overlaps(stretch, first, end))
			continue;
		wanted.flags = (stretch->flags & ~access) | (flags & access);
		status = fh_space_protect(&memory->space, stretch->first,
					  stretch->count, change_to(&wanted),
					  &pages);
		if (status == FH_OK)
			*stretch = wanted;
	}
	return status;
}

enum fh_status userspace_protect(struct userspace *memory, uint64_t first,
				 uint64_t count, uint64_t flags)
{
	if (!may_have(flags))
		return FH_E_INVALID;
	lock(&memory->lock);
	enum fh_status status = check_range(memory, first, count);
	if (status == FH_OK) {
		cut_at(memory, first);
		cut_at(memory, first + count);
		status = protect_stretches(memory, first, first + count, flags);
	}
	unlock(&memory->lock);
	return status;
}

/* ---- Copies ---- */

static enum fh_status clone_locked(struct userspace *from, struct userspace *to)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct stretch *stretch = &from->stretches[i];
		enum fh_clone how = (stretch->flags & CALL_SHARED) != 0
					    ? FH_CLONE_SHARE
					    : FH_CLONE_COPY;
		enum fh_status status =
			fh_space_clone(&from->space, &to->space, stretch->first,
				       stretch->count, how);

		if (status != FH_OK)
			return status;
		to->stretches[i] = *stretch;
		to->count = i + 1;
	}
	return FH_OK;
}

enum fh_status userspace_clone(struct userspace *from, struct userspace *to)
{
	lock(&from->lock);
	enum fh_status status = clone_locked(from, to);
	unlock(&from->lock);
	return status;
}

/* ---- Faults ---- */

static const struct stretch *find_stretch(const struct userspace *memory,
					  uint64_t page)
{
	for (size_t i = 0; i < memory->count; i++)
		if (overlaps(&memory->stretches[i], page, page + 1))
			return &memory->stretches[i];
	return NULL;
}

enum fh_status userspace_fault(struct userspace *memory, uint64_t address,
			       enum fh_access access)
{
	enum fh_status status = FH_E_FAULT;

	/* Shared: other threads fault meanwhile; nobody takes promises back. */
	lock_shared(&memory->lock);
	const struct stretch *stretch =
		find_stretch(memory, address / FH_PAGE_SIZE);
	if (stretch != NULL) {
		struct fh_page_prop fill =
			fh_user_prop(access_flags(stretch->flags));

		status = fh_space_fault(&memory->space,
					(struct fh_vaddr){address}, access,
					&fill);
	}
	unlock_shared(&memory->lock);
	return status;
}

enum fh_status userspace_load(struct userspace *memory, uint64_t page,
			      uint64_t offset, const void *bytes, size_t n)
{
	const struct stretch *stretch = find_stretch(memory, page);
	struct fh_uframe frame;
	enum fh_status status =
		stretch == NULL ? FH_E_NOT_MAPPED : new_page(&frame);

	if (status != FH_OK)
		return status;
	unsigned char *at = fh_host_linear(fh_uframe_paddr(frame));
	memcpy(at + offset, bytes, n);
	if ((stretch->flags & CALL_EXEC) != 0)
		port_sync_code(at, FH_PAGE_SIZE);
	status = fh_space_map(&memory->space, page, &frame,
			      fh_user_prop(access_flags(stretch->flags)));
	if (status != FH_OK)
		fh_uframe_put(&frame);
	return status;
}
