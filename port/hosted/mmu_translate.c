/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Translation by cache and walk, and what can be noticed by comparing them:
 * entries that are cached and no longer true, and entries that were changed
 * while they were cached where the format forbids that.
 */
#include <stdio.h>
#include <string.h>

#include "mmu_inside.h"

struct mmu_state mmu;

uint64_t mmu_lock(void)
{
	uint64_t saved = fh_host_irq_save();

	while (__atomic_exchange_n(&mmu.lock, 1, __ATOMIC_ACQUIRE) != 0)
		fh_host_relax();
	return saved;
}

void mmu_unlock(uint64_t saved)
{
	__atomic_store_n(&mmu.lock, 0, __ATOMIC_RELEASE);
	fh_host_irq_restore(saved);
}

static void begin_at_root(struct mmu_walk *walk, const struct mmu_cpu *cpu)
{
	walk->format = mmu.format;
	walk->ram_frames = mmu.ram_frames;
	walk->top = mmu.levels;
	walk->nodes[walk->top] = (struct mmu_translation){
		.frame = cpu->root,
		.level = mmu.levels,
		.kernel = MMU_ALL,
		.user = MMU_ALL,
	};
}

static bool is_usable(const struct mmu_cpu *cpu, const struct mmu_cached *entry)
{
	return cpu->active && entry->size != 0 &&
	       (entry->asid == cpu->asid || entry->asid == MMU_GLOBAL);
}

static uint64_t frame_of(const struct mmu_translation *t, uint64_t page)
{
	return t->frame + (page - t->page);
}

/* ---- Reports ---- */

static const char *const wrong_texts[] = {
	[HOSTED_MMU_NOTHING] = "nothing is wrong",
	[HOSTED_MMU_STALE] = "stale entry",
	[HOSTED_MMU_UNBROKEN] = "entry changed in use, not broken before made",
	[HOSTED_MMU_MACHINE_CHECK] = "machine check",
	[HOSTED_MMU_FAULT] = "fault not handled",
	[HOSTED_MMU_STUCK] = "fault handled in vain, over and over",
};

static const char *const access_texts[] = {
	[HOSTED_LOAD] = "load",
	[HOSTED_STORE] = "store",
	[HOSTED_FETCH] = "fetch",
};

void hosted_mmu_report_text(const struct hosted_mmu_report *report, char *text,
			    size_t size)
{
	if (report->wrong == HOSTED_MMU_STALE ||
	    report->wrong == HOSTED_MMU_UNBROKEN) {
		snprintf(text, size,
			 "CPU %u, address 0x%llx, %s%llu: %s: level %u, %s "
			 "0x%llx; was 0x%llx at 0x%llx, is 0x%llx",
			 report->cpu, (unsigned long long)report->va,
			 report->global ? "global, asid " : "asid ",
			 (unsigned long long)report->asid,
			 wrong_texts[report->wrong], report->level,
			 report->node ? "node" : "frame",
			 (unsigned long long)report->frame,
			 (unsigned long long)report->old_entry,
			 (unsigned long long)report->entry_at,
			 (unsigned long long)report->new_entry);
		return;
	}
	snprintf(text, size,
		 "CPU %u, %s at 0x%llx, asid %llu: %s: level %u, entry 0x%llx "
		 "at 0x%llx",
		 report->cpu, access_texts[report->access],
		 (unsigned long long)report->va,
		 (unsigned long long)report->asid, wrong_texts[report->wrong],
		 report->level, (unsigned long long)report->new_entry,
		 (unsigned long long)report->entry_at);
}

FH_NORETURN void mmu_stop_machine(const struct hosted_mmu_report *why)
{
	struct fh_finding finding = {.rule = "mmu", .frame = why->frame};

	mmu.stop = *why;
	hosted_mmu_report_text(why, mmu.stop_text, sizeof(mmu.stop_text));
	finding.needed = mmu.stop_text;
	fh_host_panic(&finding);
}

struct hosted_mmu_report hosted_mmu_last_stop(void)
{
	return mmu.stop;
}

static struct hosted_mmu_report report_of(const struct mmu_cpu *cpu,
					  const struct mmu_cached *entry,
					  uint64_t page)
{
	return (struct hosted_mmu_report){
		.cpu = (unsigned)(cpu - mmu.cpus),
		.asid = entry->asid == MMU_GLOBAL ? cpu->asid : entry->asid,
		.global = entry->asid == MMU_GLOBAL,
		.va = page * FH_PAGE_SIZE,
		.level = entry->node ? entry->t.level + 1 : entry->t.level,
		.node = entry->node,
		.frame = entry->node ? entry->t.frame
				     : frame_of(&entry->t, page),
		.old_entry = entry->t.entry,
		.entry_at = entry->t.entry_at,
	};
}

/* ---- Comparing with the tables ---- */

/* Whether a cached one allows, or means, what the tables do not. */
static bool means_more(const struct mmu_translation *cached,
		       const struct mmu_translation *now)
{
	return (cached->kernel & ~now->kernel) != 0 ||
	       (cached->user & ~now->user) != 0 ||
	       (cached->global && !now->global);
}

static enum hosted_mmu_wrong compare(const struct mmu_cached *entry,
				     const struct mmu_translation *now,
				     uint64_t page)
{
	bool elsewhere = frame_of(now, page) != frame_of(&entry->t, page);

	if (mmu.format->break_before_make &&
	    (elsewhere || now->level != entry->t.level))
		return HOSTED_MMU_UNBROKEN;
	if (elsewhere || means_more(&entry->t, now) ||
	    (entry->t.dirty && !now->dirty) || entry->t.memory != now->memory)
		return HOSTED_MMU_STALE;
	return HOSTED_MMU_NOTHING;
}

static bool leaf_is_true(const struct mmu_cpu *cpu,
			 const struct mmu_cached *entry,
			 struct hosted_mmu_report *report)
{
	uint64_t end = entry->t.page + mmu_level_pages(entry->size);
	struct mmu_walk walk;

	for (uint64_t page = entry->t.page; page < end;) {
		begin_at_root(&walk, cpu);
		enum hosted_mmu_wrong wrong = HOSTED_MMU_STALE;

		if (mmu_walk(&walk, page, NULL, 0) == MMU_OK)
			wrong = compare(entry, &walk.leaf, page);
		if (wrong != HOSTED_MMU_NOTHING) {
			*report = report_of(cpu, entry, page);
			report->wrong = wrong;
			report->new_entry = walk.leaf.entry;
			return false;
		}
		page = walk.leaf.page + mmu_level_pages(walk.leaf.level);
	}
	return true;
}

/* What has taken the place of a node, too, must not be there at once. */
static enum hosted_mmu_wrong compare_node(const struct mmu_cpu *cpu,
					  const struct mmu_cached *entry,
					  uint64_t *now)
{
	unsigned level = entry->t.level;
	struct mmu_walk walk;

	begin_at_root(&walk, cpu);
	enum mmu_outcome outcome = mmu_walk(&walk, entry->t.page, NULL, level);

	*now = walk.leaf.entry;
	if (outcome == MMU_OK && walk.nodes[level].frame == entry->t.frame)
		return means_more(&entry->t, &walk.nodes[level])
			       ? HOSTED_MMU_STALE
			       : HOSTED_MMU_NOTHING;
	return mmu.format->break_before_make && walk.kind != MMU_ABSENT
		       ? HOSTED_MMU_UNBROKEN
		       : HOSTED_MMU_STALE;
}

static bool node_is_true(const struct mmu_cpu *cpu,
			 const struct mmu_cached *entry,
			 struct hosted_mmu_report *report)
{
	uint64_t now;
	enum hosted_mmu_wrong wrong = compare_node(cpu, entry, &now);

	if (wrong == HOSTED_MMU_NOTHING)
		return true;
	*report = report_of(cpu, entry, entry->t.page);
	report->wrong = wrong;
	report->new_entry = now;
	return false;
}

static bool cpu_is_true(const struct mmu_cpu *cpu,
			struct hosted_mmu_report *report)
{
	for (uint32_t i = 1; i < cpu->cache.used; i++) {
		const struct mmu_cached *entry = &cpu->cache.all[i];

		if (!is_usable(cpu, entry))
			continue;
		if (entry->node ? !node_is_true(cpu, entry, report)
				: !leaf_is_true(cpu, entry, report))
			return false;
	}
	return true;
}

bool hosted_mmu_check(struct hosted_mmu_report *report)
{
	uint64_t saved = mmu_lock();
	bool fine = mmu.noticed.wrong == HOSTED_MMU_NOTHING;

	*report = mmu.noticed;
	mmu.noticed = (struct hosted_mmu_report){.wrong = HOSTED_MMU_NOTHING};
	for (unsigned i = 0; fine && i < FH_MAX_CPUS; i++)
		fine = cpu_is_true(&mmu.cpus[i], report);
	mmu_unlock(saved);
	return fine;
}

static bool has_frame(const struct mmu_cached *entry, uint64_t frame)
{
	uint64_t frames = entry->node ? 1 : mmu_level_pages(entry->size);

	return frame >= entry->t.frame && frame - entry->t.frame < frames;
}

static bool cpu_has_frame(const struct mmu_cpu *cpu, uint64_t frame,
			  struct hosted_mmu_report *report)
{
	for (uint32_t i = 1; i < cpu->cache.used; i++) {
		const struct mmu_cached *entry = &cpu->cache.all[i];

		if (!is_usable(cpu, entry) || !has_frame(entry, frame))
			continue;
		if (report != NULL) {
			*report = report_of(cpu, entry,
					    entry->t.page +
						    (frame - entry->t.frame));
			report->wrong = HOSTED_MMU_STALE;
		}
		return true;
	}
	if (!cpu->active || cpu->root != frame)
		return false;
	if (report != NULL)
		*report = (struct hosted_mmu_report){
			.wrong = HOSTED_MMU_STALE,
			.cpu = (unsigned)(cpu - mmu.cpus),
			.asid = cpu->asid,
			.level = mmu.levels + 1,
			.node = true,
			.frame = frame};
	return true;
}

bool hosted_mmu_find_frame(uint64_t frame, struct hosted_mmu_report *report)
{
	bool found = false;

	if (!mmu.on)
		return false;
	uint64_t saved = mmu_lock();
	for (unsigned i = 0; !found && i < FH_MAX_CPUS; i++)
		found = cpu_has_frame(&mmu.cpus[i], frame, report);
	mmu_unlock(saved);
	return found;
}

/* ---- Break before make ---- */

static void notice(const struct mmu_cpu *cpu, const struct mmu_cached *entry,
		   uint64_t page, uint64_t now)
{
	if (mmu.noticed.wrong != HOSTED_MMU_NOTHING)
		return;
	mmu.noticed = report_of(cpu, entry, page);
	mmu.noticed.wrong = HOSTED_MMU_UNBROKEN;
	mmu.noticed.new_entry = now;
}

/* It has just been flushed: the tables must not mean something else yet. */
void mmu_on_removed(void *arg, const struct mmu_cached *entry)
{
	const struct mmu_cpu *cpu = arg;
	uint64_t page = entry->t.page, now;
	enum hosted_mmu_wrong wrong = HOSTED_MMU_NOTHING;
	struct mmu_walk walk;

	if (!mmu.format->break_before_make || !is_usable(cpu, entry))
		return;
	if (entry->node) {
		wrong = compare_node(cpu, entry, &now);
	} else {
		begin_at_root(&walk, cpu);
		if (mmu_walk(&walk, page, NULL, 0) == MMU_OK)
			wrong = compare(entry, &walk.leaf, page);
		now = walk.leaf.entry;
	}
	if (wrong == HOSTED_MMU_UNBROKEN)
		notice(cpu, entry, page, now);
}

/* Whether a cached leaf and one just read conflict. */
static bool conflicts(const struct mmu_cached *entry,
		      const struct mmu_translation *now)
{
	uint64_t last = now->page + (mmu_level_pages(now->level) - 1);
	uint64_t entry_last =
		entry->t.page + (mmu_level_pages(entry->size) - 1);

	if (entry->node || entry->t.page > last || now->page > entry_last)
		return false;
	return entry->t.level != now->level ||
	       frame_of(&entry->t, now->page) != now->frame;
}

static void compare_with(const struct mmu_cpu *cpu,
			 const struct mmu_translation *now)
{
	for (uint32_t i = 1; i < cpu->cache.used; i++) {
		const struct mmu_cached *entry = &cpu->cache.all[i];

		if (is_usable(cpu, entry) && conflicts(entry, now)) {
			notice(cpu, entry, entry->t.page, now->entry);
			return;
		}
	}
}

/* A new leaf: nobody may still have another one in its place. */
static void compare_with_all(const struct mmu_cpu *cpu,
			     const struct mmu_translation *now)
{
	bool kernel_half = now->page >> 51 != 0;

	for (unsigned i = 0; i < FH_MAX_CPUS; i++) {
		const struct mmu_cpu *other = &mmu.cpus[i];

		if (other->active && (other->root == cpu->root || kernel_half))
			compare_with(other, now);
	}
}

/* ---- Translation ---- */

bool mmu_forget(struct mmu_cpu *cpu, bool every, uint64_t asid, uint64_t first,
		uint64_t last)
{
	bool leaf = mmu_cache_remove(&cpu->cache, every, asid, first, last);

	if (leaf)
		mmu_unmap(cpu, first, last);
	return leaf;
}

static void add(struct mmu_cpu *cpu, const struct mmu_translation *t, bool node)
{
	uint64_t asid = t->global && !node ? MMU_GLOBAL : cpu->asid;

	if (mmu_cache_add(&cpu->cache, t, node, asid))
		return;
	(void)mmu_forget(cpu, true, 0, 0, FH_PAGE_NUMBER_END - 1);
	hosted_require(mmu_cache_add(&cpu->cache, t, node, asid),
		       "no room for what is cached");
}

static void begin_at_cached(struct mmu_walk *walk, struct mmu_cpu *cpu,
			    uint64_t page)
{
	begin_at_root(walk, cpu);
	for (unsigned level = 1; level < mmu.levels; level++) {
		const struct mmu_cached *node = mmu_cache_find_node(
			&cpu->cache, cpu->asid, page, level);

		if (node == NULL)
			continue;
		walk->top = level;
		walk->nodes[level] = node->t;
		return;
	}
}

static enum mmu_outcome fault(struct mmu_cpu *cpu, uint64_t page)
{
	mmu.counts.faults++;
	if (mmu.format->fault_evicts) {
		(void)mmu_forget(cpu, false, cpu->asid, page, page);
		(void)mmu_forget(cpu, false, MMU_GLOBAL, page, page);
	}
	return MMU_FAULT;
}

static bool is_in_a_half(uint64_t page)
{
	uint64_t top_bits = page >> (9 * mmu.levels - 1);

	return top_bits == 0 ||
	       top_bits == (FH_PAGE_NUMBER_END - 1) >> (9 * mmu.levels - 1);
}

static enum mmu_outcome walk_tables(struct mmu_cpu *cpu, uint64_t page,
				    const struct mmu_want *want,
				    struct mmu_translation *t)
{
	struct mmu_walk walk;

	begin_at_cached(&walk, cpu, page);
	enum mmu_outcome outcome = mmu_walk(&walk, page, want, 0);

	*t = walk.leaf;
	for (unsigned level = walk.lowest; level < walk.top; level++)
		add(cpu, &walk.nodes[level], true);
	if (outcome == MMU_FAULT)
		return fault(cpu, page);
	if (outcome != MMU_OK || frame_of(t, page) >= mmu.ram_frames)
		return MMU_CHECK;
	mmu.counts.walks++;
	if (mmu.format->break_before_make)
		compare_with_all(cpu, t);
	return MMU_OK;
}

static struct mmu_cached *find_usable(struct mmu_cpu *cpu, uint64_t page)
{
	struct mmu_cached *entry = mmu_cache_find(&cpu->cache, cpu->asid, page);

	return entry != NULL ? entry
			     : mmu_cache_find(&cpu->cache, MMU_GLOBAL, page);
}

/*
 * A store through an entry that is not dirty: hardware that sets the bit looks
 * at the tables again, and does it there and in what is cached.
 */
static enum mmu_outcome make_dirty(struct mmu_cpu *cpu,
				   struct mmu_cached *entry, uint64_t page,
				   const struct mmu_want *want,
				   struct mmu_translation *t)
{
	struct mmu_cached old = *entry;

	if (mmu.format->set_dirty == 0)
		return fault(cpu, page);
	enum mmu_outcome outcome = walk_tables(cpu, page, want, t);

	if (outcome != MMU_OK)
		return outcome;
	/* Adding nodes may have made room by forgetting all. */
	entry = find_usable(cpu, page);
	if (entry != NULL &&
	    t->frame + (page - t->page) == frame_of(&old.t, page) &&
	    t->level == old.t.level) {
		entry->t.dirty = true;
		return MMU_OK;
	}
	(void)mmu_forget(cpu, false, old.asid, page, page);
	add(cpu, t, false);
	return MMU_OK;
}

enum mmu_outcome mmu_translate(unsigned number, uint64_t va,
			       enum hosted_access access,
			       struct mmu_translation *t, unsigned *size)
{
	struct mmu_cpu *cpu = mmu_open_cpu(number);
	uint64_t page = va / FH_PAGE_SIZE;
	struct mmu_want want = {cpu->user, access};
	struct mmu_cached *entry = find_usable(cpu, page);
	enum mmu_outcome outcome = MMU_OK;

	*t = (struct mmu_translation){.page = page};
	hosted_require(cpu->active, "an address before fh_host_activate()");
	if (!is_in_a_half(page))
		return MMU_FAULT;
	if (entry == NULL) {
		outcome = walk_tables(cpu, page, &want, t);
		if (outcome == MMU_OK)
			add(cpu, t, false);
	} else if (!mmu_allows(&entry->t, &want)) {
		return fault(cpu, page);
	} else if (access == HOSTED_STORE && !entry->t.dirty) {
		outcome = make_dirty(cpu, entry, page, &want, t);
	} else {
		mmu.counts.cached++;
	}
	if (outcome != MMU_OK)
		return outcome;
	entry = find_usable(cpu, page);
	*t = entry->t;
	*size = entry->size;
	if (cpu->stuck_page == page)
		cpu->stuck = 0;
	return MMU_OK;
}
