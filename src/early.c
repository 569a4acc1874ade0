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

	for (size_t i = 0; i < map->count; i++) {
		map->spans[i].taken = 0;
		map->spans[i].taken_before = 0;
	}
	early_map = map;
	early_is_open = true;
	return FH_OK;
}

/* How many pages from page on are no multiple of align. */
static uint64_t pages_to_multiple(uint64_t page, uint64_t align)
{
	uint64_t over = page % align;

	return over == 0 ? 0 : align - over;
}

/* Whether span has room for n such pages; *skip is how many to leave out. */
static bool span_has_room(const struct fh_span *span, uint64_t n,
			  uint64_t align, uint64_t *skip)
{
	uint64_t start = span->first + span->taken;
	uint64_t left = span->count - span->taken;

	if (span->kind != FH_REGION_USABLE || left == 0)
		return false;
	*skip = 0;
	if (start == 0) {
		/* Page 0 is no handle; the next multiple of align follows. */
		*skip = align;
	} else {
		*skip = pages_to_multiple(start, align);
	}
	return *skip <= left && n <= left - *skip;
}

enum fh_status fh_early_alloc(uint64_t n, uint64_t align, uint64_t *first)
{
	if (!early_is_open || n == 0 || align == 0 ||
	    (align & (align - 1)) != 0)
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
