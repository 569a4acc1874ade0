/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The walk: what hardware does between a virtual address and a translation.
 * Entries are read as single words, and changed by compare-exchange alone,
 * while CPUs run.
 */
#include "mmu_inside.h"

uint64_t mmu_level_pages(unsigned level)
{
	return UINT64_C(1) << (9 * (level - 1));
}

static uint64_t *entry_in_ram(uint64_t at)
{
	return (uint64_t *)(void *)(hosted_ram() + at);
}

static unsigned needed_right(enum hosted_access access)
{
	if (access == HOSTED_STORE)
		return MMU_WRITE;
	return access == HOSTED_FETCH ? MMU_EXEC : MMU_READ;
}

bool mmu_allows(const struct mmu_translation *t, const struct mmu_want *want)
{
	unsigned rights = want->user ? t->user : t->kernel;

	return (rights & needed_right(want->access)) != 0;
}

/* What the entry adds to the way to it. */
static struct mmu_translation follow(const struct mmu_walk *walk,
				     const struct mmu_translation *node,
				     uint64_t page,
				     const struct mmu_entry *entry)
{
	const struct mmu_format *format = walk->format;
	struct mmu_translation t = *node;
	uint64_t pages = mmu_level_pages(node->level);

	t.page = page - page % pages;
	t.frame = entry->frame;
	t.kernel &= entry->kernel;
	t.user &= entry->user;
	t.global = t.global || entry->global;
	t.dirty = entry->dirty;
	t.memory = entry->memory;
	if (entry->kind == MMU_TABLE)
		t.level--;
	else if ((t.user & format->no_kernel_exec) != 0)
		t.kernel &= ~MMU_EXEC;
	return t;
}

/* The bits that an access sets in an entry that lacks them. */
static uint64_t bits_to_set(const struct mmu_format *format,
			    const struct mmu_entry *entry,
			    const struct mmu_want *want)
{
	uint64_t bits = 0;

	if (!entry->accessed)
		bits |= format->set_accessed;
	if (entry->kind == MMU_LEAF && want->access == HOSTED_STORE &&
	    !entry->dirty)
		bits |= format->set_dirty;
	return bits;
}

/* Whether bits that only software sets, in this format, stop the access. */
static bool software_is_asked(const struct mmu_format *format,
			      const struct mmu_entry *entry,
			      const struct mmu_want *want)
{
	if (!entry->accessed && format->set_accessed == 0)
		return true;
	return entry->kind == MMU_LEAF && want->access == HOSTED_STORE &&
	       !entry->dirty && format->set_dirty == 0;
}

enum step {
	STEP_DOWN,
	STEP_AGAIN, /* the entry changed under our hands */
	STEP_LEAF,
	STEP_FAULT,
	STEP_CHECK,
};

/* Sets what has to be set, for an access that the entry allows. */
static enum step use(struct mmu_walk *walk, const struct mmu_entry *entry,
		     const struct mmu_want *want, struct mmu_translation *t)
{
	const struct mmu_format *format = walk->format;
	uint64_t expected = t->entry;

	if (entry->kind == MMU_LEAF && !mmu_allows(t, want))
		return STEP_FAULT;
	if (software_is_asked(format, entry, want))
		return STEP_FAULT;
	uint64_t bits = bits_to_set(format, entry, want);
	if (bits == 0)
		return STEP_DOWN;
	if (!__atomic_compare_exchange_n(entry_in_ram(t->entry_at), &expected,
					 t->entry | bits, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return STEP_AGAIN;
	t->entry |= bits;
	t->dirty = t->dirty || (bits & format->set_dirty) != 0;
	return STEP_DOWN;
}

/* Looks at one entry of a node; the walk's leaf is set to what it says. */
static enum step look(struct mmu_walk *walk, const struct mmu_translation *node,
		      uint64_t page, const struct mmu_want *want)
{
	struct mmu_translation *t = &walk->leaf;
	uint64_t index = page / mmu_level_pages(node->level) % 512;
	uint64_t at = node->frame * FH_PAGE_SIZE + index * sizeof(uint64_t);

	*t = *node;
	if (node->frame >= walk->ram_frames)
		return STEP_CHECK;
	uint64_t raw = __atomic_load_n(entry_in_ram(at), __ATOMIC_ACQUIRE);
	struct mmu_entry entry = walk->format->decode(raw, node->level);

	*t = follow(walk, node, page, &entry);
	t->entry = raw;
	t->entry_at = at;
	walk->kind = entry.kind;
	if (entry.kind == MMU_ABSENT)
		return STEP_FAULT;
	if (entry.kind == MMU_WRONG)
		return STEP_CHECK;
	enum step step = want != NULL ? use(walk, &entry, want, t) : STEP_DOWN;
	return step == STEP_DOWN && entry.kind == MMU_LEAF ? STEP_LEAF : step;
}

enum mmu_outcome mmu_walk(struct mmu_walk *walk, uint64_t page,
			  const struct mmu_want *want, unsigned stop)
{
	unsigned level = walk->top;

	walk->lowest = level;
	walk->kind = MMU_ABSENT;
	while (level != stop) {
		switch (look(walk, &walk->nodes[level], page, want)) {
		case STEP_AGAIN:
			break;
		case STEP_DOWN:
			level--;
			walk->nodes[level] = walk->leaf;
			walk->lowest = level;
			break;
		case STEP_LEAF:
			return stop == 0 ? MMU_OK : MMU_FAULT;
		case STEP_FAULT:
			return MMU_FAULT;
		case STEP_CHECK:
			return MMU_CHECK;
		}
	}
	return MMU_OK;
}
