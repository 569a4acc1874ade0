/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The early allocator: a bump pointer in each usable span, kept in the map
 * itself, so that any number of ranges needs no memory of its own.
 *
 *     span.first            first + taken              first + count
 *        [ taken or skipped      | free                      ]
 *
 * taken <= count, always.
 */
#include "early.h"

static struct fh_memory_map *early_map;
static bool early_is_open;

enum fh_status fh_early_begin(struct fh_memory_map *map)
{
	if (early_map != NULL)
		return FH_E_TWICE;

	for (size_t i = 0; i < map->count; i++)
		map->spans[i].taken = 0;
	early_map = map;
	early_is_open = true;
	return FH_OK;
}

/* Whether align is a power of two. */
static bool early_align_is_valid(uint64_t align)
{
	while (align > 1 && align % 2 == 0)
		align /= 2;
	return align == 1;
}

/* How far from page to the next multiple of align that is not page 0. */
static uint64_t pages_to_multiple(uint64_t page, uint64_t align)
{
	uint64_t over = page % align;

	if (page == 0)
		return align;
	return over == 0 ? 0 : align - over;
}

/* Whether span has room for n such pages; *skip is how many to leave out. */
static bool span_has_room(const struct fh_span *span, uint64_t n,
			  uint64_t align, uint64_t *skip)
{
	uint64_t left = span->count - span->taken;

	if (span->kind != FH_REGION_USABLE)
		return false;
	*skip = pages_to_multiple(span->first + span->taken, align);
	return *skip <= left && n <= left - *skip;
}

enum fh_status fh_early_alloc(uint64_t n, uint64_t align, uint64_t *first)
{
	if (!early_is_open || n == 0 || !early_align_is_valid(align))
		return FH_E_INVALID;

	for (size_t i = 0; i < early_map->count; i++) {
		struct fh_span *span = &early_map->spans[i];
		uint64_t skip;

		if (span_has_room(span, n, align, &skip)) {
			*first = span->first + span->taken + skip;
			span->taken += skip + n;
			return FH_OK;
		}
	}
	return FH_E_NO_MEMORY;
}

bool fh_early_is_open(void)
{
	return early_is_open;
}

void fh_early_retire(void)
{
	early_is_open = false;
}

void fh_early_end(void)
{
	early_is_open = false;
	early_map = NULL;
}

struct fh_memory_map *fh_early_map(void)
{
	return early_map;
}

void fh_early_mark(void)
{
	for (size_t i = 0; i < early_map->count; i++)
		early_map->spans[i].taken_before = early_map->spans[i].taken;
}

void fh_early_rewind(void)
{
	for (size_t i = 0; i < early_map->count; i++)
		early_map->spans[i].taken = early_map->spans[i].taken_before;
}
