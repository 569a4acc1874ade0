/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Functions that hand out addresses of slots and of their words, and nothing
 * else does: everywhere else a slot is a number, so that who writes it can be
 * told from the text.
 */
#include <framehold/list.h>

struct fh_slot *fh_frame_to_meta(uint64_t frame)
{
	return &fh_slots[frame];
}

uint64_t fh_meta_to_frame(const struct fh_slot *slot)
{
	return (uint64_t)(slot - fh_slots);
}

struct fh_meta *fh_dropping_meta(struct fh_dropping page)
{
	return &fh_slots[page.frame].meta;
}

const struct fh_meta *fh_frame_meta(struct fh_frame f)
{
	return &fh_slots[fh_frame_number(f)].meta;
}

const struct fh_slot *fh_frame_slot(struct fh_frame f)
{
	return &fh_slots[fh_frame_number(f)];
}

struct fh_meta *fh_unique_meta(struct fh_unique u)
{
	return &fh_slots[fh_unique_number(u)].meta;
}

struct fh_meta *fh_list_cursor_meta(const struct fh_list_cursor *cursor)
{
	return cursor->frame == 0 ? NULL : &fh_slots[cursor->frame].meta;
}
