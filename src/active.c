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
		 * Relaxed: what we walk from here on is asked of us; or, should
		 * we be gone by then, fh_active_send() sees that we were here.
		 */
		(void)fh_word_or_relaxed(&to->fresh.word[cpu / 64],
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

/* Who is away keeps what it has cached, and is not asked: it is not fresh. */
static void forget_absent(struct fh_active *active,
			  const struct fh_cpu_set *asked)
{
	for (unsigned i = 0; i < FH_CPU_WORDS; i++) {
		uint64_t here = fh_word_load_relaxed(&active->cpus.word[i]) |
				asked->word[i];
		uint64_t away =
			fh_word_load_relaxed(&active->fresh.word[i]) & ~here;

		/* Relaxed: the snapshot comes after, and is released. */
		if (away != 0)
			(void)fh_word_and_relaxed(&active->fresh.word[i],
						  ~away);
	}
}

/*
 * Whether somebody is fresh whom we have not asked: it has come and gone, or
 * gone, since forget_absent(). What it did before is seen by the snapshot.
 */
static bool has_missed_one(const struct fh_active *active,
			   const struct fh_cpu_set *asked)
{
	uint64_t missed = 0;

	for (unsigned i = 0; i < FH_CPU_WORDS; i++)
		missed |= fh_word_load_relaxed(&active->fresh.word[i]) &
			  ~asked->word[i];
	return missed != 0;
}

void fh_active_send(struct fh_active *active, const struct fh_flush *flush,
		    struct fh_cpu_set *asked)
{
	struct fh_cpu_set here;

	__builtin_memset(asked, 0, sizeof(*asked));
	if (fh_flush_is_empty(flush))
		return;
	do {
		forget_absent(active, asked);
		fh_cpu_set_snapshot(&active->cpus, &here);
		for (unsigned i = 0; i < FH_CPU_WORDS; i++)
			asked->word[i] |= here.word[i];
	} while (has_missed_one(active, asked));
	fh_flush_send(flush, fh_asid_number(&active->asid), asked);
}

void fh_active_flush(struct fh_active *active, const struct fh_flush *flush)
{
	struct fh_cpu_set asked;

	fh_active_send(active, flush, &asked);
	fh_flush_wait(&asked);
}
