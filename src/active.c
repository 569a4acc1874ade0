/* SPDX-License-Identifier: MPL-2.0 */
/* Switching between address spaces, and flushes of one: active.h. */
#include "active.h"
#include "codec.h"

/* Which number to run the space under; nothing stale is cached under it. */
static uint64_t enter_space(struct fh_active *to, unsigned cpu)
{
	uint64_t asid = fh_asid_use(&to->asid);

	fh_cpu_set_add(&to->cpus, cpu);
	if (fh_asid_has_numbers() && !fh_cpu_set_has(&to->fresh, cpu)) {
		fh_host_flush_asid(asid);
		/*
		 * Acquire: pairs with the release in fh_active_send(): if that
		 * came before and takes us for fresh no more, what we walk from
		 * here on is what it left; we may be gone by its snapshot.
		 */
		(void)fh_word_or_acquire_release(&to->fresh.word[cpu / 64],
						 UINT64_C(1) << cpu % 64);
	}
	return asid;
}

/*
 * Interrupts are off, so that who asks this CPU to forget something of from,
 * under the number that from has then, hears of it after the root is gone.
 */
void fh_active_switch(struct fh_active *from, struct fh_active *to,
		      struct fh_paddr root)
{
	if (from == to && to != NULL)
		return;
	uint64_t saved = fh_host_irq_save();
	unsigned cpu = fh_host_cpu();
	uint64_t asid = to == NULL ? FH_ASID_KERNEL : enter_space(to, cpu);

	/* Pages of two spaces under one number must not meet in the cache. */
	if (FH_ARCH_BREAK_BEFORE_MAKE && !fh_asid_has_numbers())
		fh_host_flush_asid(FH_ASID_KERNEL);
	fh_host_activate(root, asid);
	if (!fh_asid_has_numbers())
		fh_host_flush_asid(FH_ASID_KERNEL);
	if (from != NULL)
		fh_cpu_set_remove(&from->cpus, cpu);
	fh_host_irq_restore(saved);
}

void fh_active_send(struct fh_active *active, const struct fh_flush *flush,
		    struct fh_cpu_set *asked)
{
	struct fh_cpu_set seen;

	if (fh_flush_is_empty(flush)) {
		__builtin_memset(asked, 0, sizeof(*asked));
		return;
	}
	/* Who is there now is asked, even if it leaves before the snapshot. */
	for (unsigned i = 0; i < FH_CPU_WORDS; i++) {
		seen.word[i] = fh_word_load_relaxed(&active->cpus.word[i]);
		/* Release: pairs with the acquire in enter_space(). */
		(void)fh_word_and_release(&active->fresh.word[i], seen.word[i]);
	}
	fh_cpu_set_snapshot(&active->cpus, asked);
	for (unsigned i = 0; i < FH_CPU_WORDS; i++)
		asked->word[i] |= seen.word[i];
	fh_flush_send(flush, fh_asid_number(&active->asid), asked);
}

void fh_active_flush(struct fh_active *active, const struct fh_flush *flush)
{
	struct fh_cpu_set asked;

	fh_active_send(active, flush, &asked);
	fh_flush_wait(&asked);
}
