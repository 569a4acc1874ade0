/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Any bytes as text: the readers stay within them, and what they say does not
 * depend on what must not matter: the case of letters, the line ends, a margin,
 * comments before and behind. What they accept is normalised and looked at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <framehold/mapnuma.h>

#define CAPACITY 256

#define CHECK(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__,         \
				      __LINE__, #condition);                   \
			abort();                                               \
		}                                                              \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum reader {
	E820,
	IOMEM,
	UEFI,
	ANY_TEXT,
	READERS,
};

struct result {
	enum fh_status status;
	size_t n;
	struct fh_region regions[CAPACITY];
	struct fh_text_error error;
};

/* Reads a copy of the very size, so that a read beyond it is seen. */
static void read_copy(struct result *r, enum reader reader, const char *text,
		      size_t size)
{
	char *copy = malloc(size);

	CHECK(copy != NULL || size == 0);
	if (size > 0)
		memcpy(copy, text, size);
	r->n = CAPACITY + 1;
	r->error.line = SIZE_MAX;
	r->error.why = NULL;
	switch (reader) {
	case E820:
		r->status = fh_map_read_e820(copy, size, r->regions, CAPACITY,
					     &r->n, &r->error);
		break;
	case IOMEM:
		r->status = fh_map_read_iomem(copy, size, r->regions, CAPACITY,
					      &r->n, &r->error);
		break;
	case UEFI:
		r->status = fh_map_read_uefi_text(copy, size, r->regions,
						  CAPACITY, &r->n, &r->error);
		break;
	default:
		r->status = fh_map_read_text(copy, size, r->regions, CAPACITY,
					     &r->n, &r->error);
	}
	free(copy);
	if (r->status == FH_OK) {
		CHECK(r->n > 0 && r->n <= CAPACITY);
		CHECK(r->error.why == NULL);
	} else {
		CHECK(r->n == CAPACITY + 1);
		CHECK(r->error.why != NULL && r->error.line <= size + 1);
	}
}

/* The same, as if `lines` lines had been put before it. */
static void check_same(const struct result *a, const struct result *b,
		       size_t lines)
{
	CHECK(a->status == b->status);
	if (a->status != FH_OK) {
		size_t line = a->error.line == 0 ? 0 : a->error.line + lines;

		CHECK(b->error.line == line);
		CHECK(strcmp(a->error.why, b->error.why) == 0);
		return;
	}
	CHECK(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		CHECK(a->regions[i].base == b->regions[i].base);
		CHECK(a->regions[i].size == b->regions[i].size);
		CHECK(a->regions[i].kind == b->regions[i].kind);
	}
}

static void check_variants(const struct result *plain, enum reader reader,
			   const char *text, size_t size)
{
	static struct result varied;
	char *copy = malloc(2 * size + 16);
	size_t n = 0;

	CHECK(copy != NULL);
	for (size_t i = 0; i < size; i++)
		copy[i] = text[i] >= 'a' && text[i] <= 'z'
				  ? (char)(text[i] - 'a' + 'A')
				  : text[i];
	read_copy(&varied, reader, copy, size);
	check_same(plain, &varied, 0);

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n')
			copy[n++] = '\r';
		copy[n++] = text[i];
	}
	read_copy(&varied, reader, copy, n);
	check_same(plain, &varied, 0);

	n = 0;
	for (size_t i = 0; i < size; i++) {
		if (i == 0 || text[i - 1] == '\n')
			copy[n++] = '\t';
		copy[n++] = text[i];
	}
	read_copy(&varied, reader, copy, n);
	check_same(plain, &varied, 0);

	memcpy(copy, " # 1-2\n\n", 8);
	if (size > 0)
		memcpy(copy + 8, text, size);
	memcpy(copy + 8 + size, "\n#x\r\n", 5);
	read_copy(&varied, reader, copy, size + 13);
	check_same(plain, &varied, 2);
	free(copy);
}

/* Spans as region.h promises, and no page better than what was said of it. */
static void check_map(const struct result *r)
{
	static struct fh_region regions[CAPACITY];
	static struct fh_span spans[2 * CAPACITY];
	struct fh_memory_map map = {spans, 2 * CAPACITY, 0};
	size_t bad = SIZE_MAX;

	memcpy(regions, r->regions, r->n * sizeof(regions[0]));
	if (fh_map_normalise(regions, r->n, &map, &bad) != FH_OK) {
		CHECK(bad < r->n);
		return;
	}
	CHECK(map.count < 2 * r->n);
	for (size_t i = 0; i < map.count; i++) {
		CHECK(spans[i].count > 0);
		CHECK(i == 0 || spans[i - 1].first + spans[i - 1].count <=
					spans[i].first);
		CHECK(i == 0 || spans[i - 1].kind != spans[i].kind ||
		      spans[i - 1].first + spans[i - 1].count !=
			      spans[i].first);
	}
	for (size_t i = 0; i < r->n; i++) {
		const struct fh_region *region = &r->regions[i];

		if (region->size == 0 || region->kind == FH_REGION_USABLE)
			continue;
		CHECK(fh_map_kind_at(&map, region->base / 4096) <=
		      region->kind);
		CHECK(fh_map_kind_at(&map, (region->base + region->size - 1) /
						   4096) <= region->kind);
	}
}

static void check_affinity(const char *text, size_t size)
{
	static struct fh_node_range ranges[CAPACITY];
	struct fh_text_error error;
	size_t n = 0;

	if (fh_numa_read_text(text, size, ranges, CAPACITY, &n, &error) !=
	    FH_OK) {
		CHECK(n == 0 && error.why != NULL);
		return;
	}
	CHECK(n > 0 && n <= CAPACITY);
	for (size_t i = 0; i < n; i++) {
		CHECK(ranges[i].count > 0);
		CHECK(ranges[i].count <= FH_PAGE_NUMBER_END - ranges[i].first);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	static struct result plain;

	for (int reader = 0; reader < READERS; reader++) {
		read_copy(&plain, (enum reader)reader, text, size);
		check_variants(&plain, (enum reader)reader, text, size);
		if (plain.status == FH_OK)
			check_map(&plain);
	}
	check_affinity(text, size);
	return 0;
}
