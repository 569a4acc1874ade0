/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The survey: figures of one zone, by a walk over its blocks in order. The
 * lock is let go of every SURVEY_BLOCKS blocks, so that no CPU waits long for
 * a table of figures; they are exact if nobody allocates or frees meanwhile.
 */
#include <framehold/alloc.h>

#include "layout.h"
#include "runs.h"

#define SURVEY_BLOCKS 64

struct survey {
	struct fh_zone *zone;
	uint64_t block;   /* the next one to look at */
	uint64_t run;     /* free pages that end where the survey stands */
	uint64_t longest; /* of all such runs */
	uint64_t whole;   /* blocks that are free as a whole */
};

static void survey_free(struct survey *s, uint64_t n)
{
	s->run += n;
	if (s->run > s->longest)
		s->longest = s->run;
}

static void survey_word(struct survey *s, uint64_t word)
{
	uint64_t bit = 0;

	while (bit < FH_WORD_BITS) {
		uint64_t left = word >> bit;
		uint64_t used =
			left == 0 ? FH_WORD_BITS - bit : fh_lowest_bit(left);

		if (used > 0)
			s->run = 0;
		bit += used;
		if (bit == FH_WORD_BITS)
			break;
		uint64_t in_use = ~(word >> bit);
		uint64_t free =
			in_use == 0 ? FH_WORD_BITS : fh_lowest_bit(in_use);
		survey_free(s, free);
		bit += free;
	}
}

static void survey_block(struct survey *s)
{
	const struct fh_block *b = &s->zone->blocks[s->block];

	if (!fh_bits_test(s->zone->touched, s->block)) {
		s->run = 0;
	} else if (fh_runs_have(s->zone, s->block)) {
		survey_free(s, FH_BLOCK_PAGES);
		s->whole++;
	} else {
		for (uint64_t i = 0; i < FH_BLOCK_WORDS; i++)
			survey_word(s, b->bits[i]);
	}
}

static void survey_zone(struct survey *s)
{
	struct fh_zone *zone = s->zone;

	while (s->block < zone->count) {
		uint64_t saved = fh_lock(&zone->lock);

		for (uint64_t i = 0;
		     i < SURVEY_BLOCKS && s->block < zone->count; i++) {
			survey_block(s);
			s->block++;
		}
		fh_unlock(&zone->lock, saved);
	}
}

bool fh_alloc_zone(size_t index, struct fh_zone_stats *stats)
{
	if (index >= fh_layout.zone_count)
		return false;
	struct survey survey = {.zone = &fh_zones[index]};
	struct fh_zone *zone = survey.zone;
	survey_zone(&survey);
	stats->first = fh_zone_page(zone, 0);
	stats->span = zone->count * FH_BLOCK_PAGES;
	stats->node = zone->node;
	stats->pages = fh_word_load_relaxed(&zone->pages);
	stats->free = fh_zone_free(zone);
	stats->free_blocks = survey.whole;
	stats->longest_run = survey.longest;
	return true;
}
