/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What one CPU has cached: a hash table by size and number, without regard to
 * the address space, so that a flush under every number finds all of a page's.
 * A large leaf is one entry until a flush takes a part out of it; then the
 * rest stays, in smaller pieces: the hook forgets the pages it names and no
 * more.
 *
 * Memory is reserved at once and comes from the host page by page, so that
 * nothing is allocated where a signal may have interrupted malloc().
 */
#define _GNU_SOURCE

#include <sys/mman.h>

#include "mmu_inside.h"

#define ENTRIES     (UINT32_C(1) << 20)
#define BUCKET_BITS 14
#define BUCKETS     (UINT32_C(1) << BUCKET_BITS)

static void *reserve(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

bool mmu_cache_open(struct mmu_cache *cache)
{
	cache->all = reserve(ENTRIES * sizeof(*cache->all));
	cache->buckets = reserve(BUCKETS * sizeof(*cache->buckets));
	cache->used = 1;
	cache->unused = 0;
	return cache->all != NULL && cache->buckets != NULL;
}

void mmu_cache_close(struct mmu_cache *cache)
{
	if (cache->all != NULL)
		(void)munmap(cache->all, ENTRIES * sizeof(*cache->all));
	if (cache->buckets != NULL)
		(void)munmap(cache->buckets, BUCKETS * sizeof(*cache->buckets));
	*cache = (struct mmu_cache){.used = 1};
}

static uint64_t index_of(uint64_t page, unsigned size)
{
	return page / mmu_level_pages(size);
}

static uint32_t *bucket_of(struct mmu_cache *cache, bool node, unsigned size,
			   uint64_t index)
{
	uint64_t key = index << 4 | size << 1 | (node ? 1 : 0);

	key *= UINT64_C(0x9e3779b97f4a7c15);
	return &cache->buckets[key >> (64 - BUCKET_BITS)];
}

static bool is_at(const struct mmu_cached *entry, bool node, unsigned size,
		  uint64_t index)
{
	return entry->node == node && entry->size == size &&
	       index_of(entry->t.page, size) == index;
}

static struct mmu_cached *find(struct mmu_cache *cache, uint64_t asid,
			       bool node, unsigned size, uint64_t page)
{
	if (cache->count[node][size] == 0)
		return NULL;
	uint64_t index = index_of(page, size);
	uint32_t i = *bucket_of(cache, node, size, index);

	for (; i != 0; i = cache->all[i].next) {
		struct mmu_cached *entry = &cache->all[i];

		if (entry->asid == asid && is_at(entry, node, size, index))
			return entry;
	}
	return NULL;
}

struct mmu_cached *mmu_cache_find(struct mmu_cache *cache, uint64_t asid,
				  uint64_t page)
{
	for (unsigned size = 1; size <= MMU_MAX_LEVELS; size++) {
		struct mmu_cached *entry = find(cache, asid, false, size, page);

		if (entry != NULL)
			return entry;
	}
	return NULL;
}

struct mmu_cached *mmu_cache_find_node(struct mmu_cache *cache, uint64_t asid,
				       uint64_t page, unsigned level)
{
	return find(cache, asid, true, level + 1, page);
}

static uint32_t take_unused(struct mmu_cache *cache)
{
	uint32_t i = cache->unused;

	if (i != 0) {
		cache->unused = cache->all[i].next;
		return i;
	}
	return cache->used < ENTRIES ? cache->used++ : 0;
}

static bool insert(struct mmu_cache *cache, struct mmu_cached entry)
{
	uint32_t i = take_unused(cache);

	if (i == 0)
		return false;
	uint32_t *bucket = bucket_of(cache, entry.node, entry.size,
				     index_of(entry.t.page, entry.size));

	entry.next = *bucket;
	cache->all[i] = entry;
	*bucket = i;
	cache->count[entry.node][entry.size]++;
	return true;
}

bool mmu_cache_add(struct mmu_cache *cache, const struct mmu_translation *t,
		   bool node, uint64_t asid)
{
	return insert(cache,
		      (struct mmu_cached){.t = *t,
					  .asid = asid,
					  .size = t->level + (node ? 1 : 0),
					  .node = node});
}

/* Takes out the entry that *link names. */
static struct mmu_cached take_out(struct mmu_cache *cache, uint32_t *link)
{
	uint32_t i = *link;
	struct mmu_cached entry = cache->all[i];

	*link = entry.next;
	cache->all[i].size = 0;
	cache->all[i].next = cache->unused;
	cache->unused = i;
	cache->count[entry.node][entry.size]--;
	return entry;
}

static uint64_t last_page(const struct mmu_cached *entry)
{
	return entry->t.page + (mmu_level_pages(entry->size) - 1);
}

/* Puts back what of a leaf lies outside of first .. last. */
static void keep_rest(struct mmu_cache *cache, const struct mmu_cached *whole,
		      uint64_t first, uint64_t last)
{
	struct mmu_cached piece = *whole;

	if (last_page(whole) < first || whole->t.page > last) {
		(void)insert(cache, piece);
		return;
	}
	if (first <= whole->t.page && last_page(whole) <= last)
		return;
	piece.size--;
	for (unsigned i = 0; i < 512; i++) {
		uint64_t offset = i * mmu_level_pages(piece.size);

		piece.t.page = whole->t.page + offset;
		piece.t.frame = whole->t.frame + offset;
		keep_rest(cache, &piece, first, last);
	}
}

struct removal {
	bool every;
	uint64_t asid;
	uint64_t first;
	uint64_t last;
};

static bool concerns(const struct removal *removal,
		     const struct mmu_cached *entry)
{
	return (removal->every || entry->asid == removal->asid) &&
	       entry->t.page <= removal->last &&
	       removal->first <= last_page(entry);
}

/* Removes from one bucket; true if there was a leaf. */
static bool remove_in(struct mmu_cache *cache, uint32_t *link, bool node,
		      unsigned size, const struct removal *removal)
{
	bool leaf = false;

	while (*link != 0) {
		struct mmu_cached *entry = &cache->all[*link];

		if (entry->node != node || entry->size != size ||
		    !concerns(removal, entry)) {
			link = &entry->next;
			continue;
		}
		struct mmu_cached gone = take_out(cache, link);

		leaf = leaf || !node;
		cache->removed(cache->arg, &gone);
		/* Pieces are smaller, and in other classes than this walk. */
		if (!node)
			keep_rest(cache, &gone, removal->first, removal->last);
	}
	return leaf;
}

static bool remove_class(struct mmu_cache *cache, bool node, unsigned size,
			 const struct removal *removal)
{
	uint64_t first = index_of(removal->first, size);
	uint64_t last = index_of(removal->last, size);
	bool leaf = false;

	if (last - first < BUCKETS) {
		for (uint64_t i = first; i <= last; i++) {
			uint32_t *bucket = bucket_of(cache, node, size, i);

			if (remove_in(cache, bucket, node, size, removal))
				leaf = true;
		}
		return leaf;
	}
	/* Few entries are found sooner than all buckets are looked through. */
	for (uint32_t i = 1; cache->used < BUCKETS && i < cache->used; i++) {
		const struct mmu_cached *entry = &cache->all[i];

		if (entry->size == size && entry->node == node &&
		    concerns(removal, entry) &&
		    remove_in(cache,
			      bucket_of(cache, node, size,
					index_of(entry->t.page, size)),
			      node, size, removal))
			leaf = true;
	}
	for (uint32_t i = 0; cache->used >= BUCKETS && i < BUCKETS; i++)
		if (remove_in(cache, &cache->buckets[i], node, size, removal))
			leaf = true;
	return leaf;
}

bool mmu_cache_remove(struct mmu_cache *cache, bool every, uint64_t asid,
		      uint64_t first, uint64_t last)
{
	const struct removal removal = {every, asid, first, last};
	bool leaf = false;

	/* From small to large: pieces that stay are looked at no more. */
	for (unsigned size = 1; size <= MMU_MAX_LEVELS + 1; size++) {
		if (cache->count[true][size] != 0)
			(void)remove_class(cache, true, size, &removal);
		if (cache->count[false][size] != 0 &&
		    remove_class(cache, false, size, &removal))
			leaf = true;
	}
	return leaf;
}
