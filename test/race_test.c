/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Several CPUs on the same pages. What the library orders is checked twice
 * over: by plain words that belong to whoever owns the page, which the thread
 * sanitizer watches, and by what is read in them, which any build checks.
 *
 * The CPUs of a test meet by relaxed operations only, which order nothing:
 * whatever one CPU sees of another, it sees by the library. Most tests work on
 * lone pages: out of the allocator, and of a type that does not go back to it,
 * so that no lock orders what the states should. Every loop is bounded, or
 * waits for something that the other CPUs surely do.
 */
#include "harness.h"

#include <string.h>

#define CPUS 3

/* Pages that nobody has had; the harness has this many to give. */
#define ROUNDS 900

/* ---- Meeting and complaining ---- */

/* The first thing that was wrong, on any CPU. */
static const char *complaint;

static void note(bool holds, const char *what)
{
	if (!holds)
		__atomic_store_n(&complaint, what, __ATOMIC_RELAXED);
}

static uint64_t arrivals;

/* Returns when all CPUs have come to the round, and orders nothing. */
static void meet(uint64_t round)
{
	__atomic_fetch_add(&arrivals, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(&arrivals, __ATOMIC_RELAXED) <
	       CPUS * (round + 1))
		fh_host_relax();
}

/*
 * For loops of short turns. Where CPUs are threads that wait for a processor,
 * one of them would be through before the next has begun: they meet now and
 * then, and linger in the middle of things, so that others come by.
 */
#define TURNS_PER_MEETING 100

static void keep_together(uint64_t turn)
{
	if (turn % TURNS_PER_MEETING == 0)
		meet(turn / TURNS_PER_MEETING);
}

/* Once in so many turns, without a pattern. */
static void linger(unsigned cpu, uint64_t turn)
{
	struct random random = {(uint64_t)cpu << 32 | turn};

	if (random_below(&random, TURNS_PER_MEETING) != 0)
		return;
	/* So often that the hosted machine lets another thread run. */
	for (unsigned i = 0; i < 16; i++)
		fh_host_relax();
}

static void count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static uint64_t counted(uint64_t *counter)
{
	return __atomic_exchange_n(counter, 0, __ATOMIC_RELAXED);
}

static void run(void (*body)(unsigned cpu, void *arg), void *arg)
{
	complaint = NULL;
	arrivals = 0;
	hosted_run(CPUS, body, arg);
	if (complaint != NULL)
		fail_msg("%s", complaint);
	AUDIT();
}

/* ---- Words and bytes that show who wrote them, and when ---- */

static struct fh_meta words_of(uint64_t number)
{
	struct fh_meta words;

	for (unsigned i = 0; i < FH_META_WORDS; i++)
		words.w[i] = number * (2 * i + 1) + i;
	return words;
}

static bool are_whole(const struct fh_meta *words)
{
	struct fh_meta whole = words_of(words->w[0]);

	return memcmp(&whole, words, sizeof(whole)) == 0;
}

static uint64_t number_of(unsigned cpu, uint64_t round)
{
	return (uint64_t)cpu << 32 | (round + 1);
}

/* The page's own 64-bit words; the last CPU's lies below the last one. */
static uint64_t *bytes_of(uint64_t frame)
{
	return fh_host_linear(address_of(frame));
}

static uint64_t runs_of_on_drop;

/* The page is the handler's alone; what it leaves must not be seen again. */
static void drop_whole_page(struct fh_dropping page)
{
	struct fh_meta *words = fh_dropping_meta(page);

	note(are_whole(words), "on_drop saw torn words");
	linger(CPUS, words->w[0]);
	count(&runs_of_on_drop);
	for (unsigned i = 0; i < FH_META_WORDS; i++)
		words->w[i] = UINT64_MAX - i;
}

/* Pages of these types stay out of the allocator. */
static const struct fh_meta_type lone_type = {
	.name = "lone",
	.size = FH_META_SIZE,
	.usage = FH_USAGE_RESERVED,
	.on_drop = drop_whole_page,
};
static const struct fh_meta_type other_lone_type = {
	.name = "other lone",
	.size = FH_META_SIZE,
	.usage = FH_USAGE_RESERVED,
	.on_drop = drop_whole_page,
};

/* ... and of this type belong to it. */
static const struct fh_meta_type zone_type = {
	.name = "of the zone",
	.size = FH_META_SIZE,
	.usage = FH_USAGE_FRAME,
	.on_drop = drop_whole_page,
};

/* n pages in a row that lie outside of the allocator. */
static uint64_t lone_pages(uint64_t n)
{
	uint64_t first = fresh_pages(n);

	OK(fh_alloc_take(first, n));
	return first;
}

/* ---- One of many claims ---- */

/* Half of the pages lie in the allocator, half do not. */
struct contest {
	uint64_t first;
	enum fh_status status[CPUS][ROUNDS];
	struct fh_frame frame[CPUS][ROUNDS];
	struct fh_unique unique[CPUS][ROUNDS];
};

static struct contest contest;

static void claim_every_page(unsigned cpu, void *arg)
{
	(void)arg;
	for (uint64_t i = 0; i < ROUNDS; i++) {
		struct fh_paddr pa = address_of(contest.first + i);
		struct fh_meta words = words_of(number_of(cpu, i));

		meet(i);
		if (i % 2 == 0)
			contest.status[cpu][i] = fh_frame_from_unused(
				pa, &lone_type, &words, &contest.frame[cpu][i]);
		else
			contest.status[cpu][i] =
				fh_unique_from_unused(pa, &lone_type, &words,
						      &contest.unique[cpu][i]);
	}
}

static bool may_lose_with(enum fh_status status, uint64_t round)
{
	return status == FH_E_BUSY ||
	       status == (round % 2 == 0 ? FH_E_IN_USE : FH_E_UNIQUE);
}

static void check_round(uint64_t round)
{
	const struct fh_slot *slot = fh_frame_to_meta(contest.first + round);
	unsigned winners = 0;

	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		if (contest.status[cpu][round] != FH_OK) {
			assert_true(may_lose_with(contest.status[cpu][round],
						  round));
			continue;
		}
		winners++;
		assert_int_equal(slot->meta.w[0], number_of(cpu, round));
		assert_true(are_whole(&slot->meta));
	}
	assert_int_equal(winners, 1);
}

static void one_of_many_claims_wins(void **state)
{
	(void)state;
	memset(&contest, 0, sizeof(contest));
	contest.first = fresh_pages(ROUNDS);
	OK(fh_alloc_take(contest.first, ROUNDS / 2));
	run(claim_every_page, NULL);
	for (uint64_t i = 0; i < ROUNDS; i++) {
		check_round(i);
		for (unsigned cpu = 0; cpu < CPUS; cpu++) {
			fh_frame_put(&contest.frame[cpu][i]);
			fh_unique_put(&contest.unique[cpu][i]);
		}
	}
	assert_int_equal(counted(&runs_of_on_drop), ROUNDS);
	assert_true(fh_ledger_is_clean());
}

/* ---- A claim against the last drop ---- */

#define SPINS 20000

struct contended {
	uint64_t frame;
	uint64_t claims; /* that succeeded */
};

/* The owner's turn on a page that is its own: a plain count of such turns. */
static void own_page(uint64_t frame, const struct fh_slot *slot, unsigned cpu,
		     uint64_t round)
{
	note(slot->meta.w[0] == number_of(cpu, round),
	     "another's words in a claimed page");
	note(slot->type == &lone_type, "another type in a claimed page");
	bytes_of(frame)[0]++;
	linger(cpu, round);
}

static void claim_and_drop(unsigned cpu, void *arg)
{
	struct contended *page = arg;
	const struct fh_slot *slot = fh_frame_to_meta(page->frame);

	for (uint64_t i = 0; i < SPINS; i++) {
		keep_together(i);

		struct fh_meta words = words_of(number_of(cpu, i));
		struct fh_frame f;
		enum fh_status status = fh_frame_from_unused(
			address_of(page->frame), &lone_type, &words, &f);

		if (status == FH_OK) {
			count(&page->claims);
			own_page(page->frame, slot, cpu, i);
			fh_frame_put(&f);
		} else {
			note(status == FH_E_BUSY || status == FH_E_IN_USE,
			     "a claim of a page that comes and goes");
		}
	}
}

static void claim_against_last_drop(void **state)
{
	struct contended page = {lone_pages(1), 0};

	(void)state;
	run(claim_and_drop, &page);
	assert_true(page.claims > 0);
	assert_int_equal(counted(&runs_of_on_drop), page.claims);
	assert_int_equal(bytes_of(page.frame)[0], page.claims);
	assert_int_equal(state_of(page.frame), FH_STATE_UNUSED);
	assert_true(fh_ledger_is_clean());
}

/* The same for unique frames, whose owner leaves nothing to a count. */
static void claim_alone_and_drop(unsigned cpu, void *arg)
{
	struct contended *page = arg;
	const struct fh_slot *slot = fh_frame_to_meta(page->frame);

	for (uint64_t i = 0; i < SPINS; i++) {
		keep_together(i);

		struct fh_meta words = words_of(number_of(cpu, i));
		struct fh_unique u;
		enum fh_status status = fh_unique_from_unused(
			address_of(page->frame), &lone_type, &words, &u);

		if (status == FH_OK) {
			count(&page->claims);
			own_page(page->frame, slot, cpu, i);
			if (i % 2 == 0)
				fh_unique_put(&u);
			else
				fh_unique_reset_as_unused(&u);
		} else {
			note(status == FH_E_BUSY || status == FH_E_UNIQUE,
			     "a claim of a page that comes and goes");
		}
	}
}

static void unique_claim_against_unique_drop(void **state)
{
	struct contended page = {lone_pages(1), 0};

	(void)state;
	run(claim_alone_and_drop, &page);
	assert_true(page.claims > 0);
	assert_int_equal(counted(&runs_of_on_drop), page.claims);
	assert_int_equal(bytes_of(page.frame)[0], page.claims);
	assert_int_equal(state_of(page.frame), FH_STATE_UNUSED);
	assert_true(fh_ledger_is_clean());
}

/* ---- Zone pages: the last put of each against claims of it ---- */

struct handover {
	uint64_t first;
	struct fh_frame held[ROUNDS];
	uint64_t claims;
};

static struct handover handover;

static void put_against_claims(unsigned cpu, void *arg)
{
	(void)arg;
	for (uint64_t i = 0; i < ROUNDS; i++) {
		struct fh_meta words = words_of(number_of(cpu, i));
		uint64_t frame = handover.first + i;
		struct fh_frame f;

		meet(i);
		if (cpu == 0) {
			bytes_of(frame)[0]++;
			fh_frame_put(&handover.held[i]);
			continue;
		}
		enum fh_status status = fh_frame_from_unused(
			address_of(frame), &zone_type, &words, &f);
		if (status == FH_OK) {
			count(&handover.claims);
			bytes_of(frame)[0]++;
			fh_frame_put(&f);
		} else {
			note(status == FH_E_BUSY || status == FH_E_IN_USE,
			     "a claim of a page that is being put");
		}
	}
}

static void zone_page_is_put_against_claims(void **state)
{
	struct fh_meta words = words_of(1);
	uint64_t free = count_free();

	(void)state;
	memset(&handover, 0, sizeof(handover));
	handover.first = fresh_pages(ROUNDS);
	for (uint64_t i = 0; i < ROUNDS; i++)
		OK(fh_frame_from_unused(address_of(handover.first + i),
					&zone_type, &words, &handover.held[i]));
	run(put_against_claims, NULL);
	assert_int_equal(counted(&runs_of_on_drop), ROUNDS + handover.claims);
	for (uint64_t i = 0; i < ROUNDS; i++)
		assert_int_equal(state_of(handover.first + i), FH_STATE_FREE);
	NOTHING_HELD(free);
}

/* ---- Unique or shared ---- */

struct rivals {
	uint64_t frame;
	struct fh_frame held;
	uint64_t sharers; /* CPUs that have the page by address, now */
	uint64_t shares;
	uint64_t uniques;
};

/* Makes the only reference unique, changes everything, shares it again. */
static void own_alone(struct rivals *page, uint64_t round)
{
	struct fh_unique u;
	enum fh_status status = fh_unique_from_frame(&page->held, &u);

	if (status != FH_OK) {
		note(status == FH_E_IN_USE, "a page that others share");
		return;
	}
	page->uniques++;
	note(__atomic_load_n(&page->sharers, __ATOMIC_RELAXED) == 0,
	     "a page was unique and shared at once");
	*fh_unique_meta(u) = words_of(round);
	linger(0, round);
	bytes_of(page->frame)[0] = round;
	page->held = fh_frame_from_unique(&u);
}

static void share_again(struct rivals *page, unsigned cpu, uint64_t round)
{
	struct fh_frame f;
	enum fh_status status =
		fh_frame_from_in_use(address_of(page->frame), &f);

	if (status != FH_OK) {
		note(status == FH_E_UNIQUE, "a page that is always held");
		return;
	}
	/*
	 * Counted within the reference's life: the put that ends it carries
	 * the count to who finds the page unshared.
	 */
	__atomic_fetch_add(&page->sharers, 1, __ATOMIC_RELAXED);
	count(&page->shares);
	struct fh_frame copy = fh_frame_get(f);
	const struct fh_meta *words = fh_frame_meta(f);
	note(are_whole(words), "a sharer saw torn words");
	fh_frame_put(&f);
	linger(cpu, round);
	note(bytes_of(page->frame)[0] == words->w[0],
	     "a sharer saw bytes and words that differ");
	__atomic_fetch_sub(&page->sharers, 1, __ATOMIC_RELAXED);
	fh_frame_put(&copy);
}

/*
 * SPINS turns together; then each CPU goes on until it has had its own way
 * once, however the turns fell: the owner surely does when the sharers are
 * done, a sharer when the owner is.
 */
static void own_or_share(unsigned cpu, void *arg)
{
	struct rivals *page = arg;
	uint64_t i;

	for (i = 0; i < SPINS; i++) {
		keep_together(i);
		if (cpu == 0)
			own_alone(page, i + 2);
		else
			share_again(page, cpu, i);
	}
	if (cpu == 0) {
		while (page->uniques == 0)
			own_alone(page, i + 2);
		return;
	}
	while (__atomic_load_n(&page->shares, __ATOMIC_RELAXED) == 0)
		share_again(page, cpu, i);
}

static void clone_against_unique(void **state)
{
	struct rivals page = {.frame = lone_pages(1)};
	struct fh_meta words = words_of(1);

	(void)state;
	OK(fh_frame_from_unused(address_of(page.frame), &lone_type, &words,
				&page.held));
	bytes_of(page.frame)[0] = 1;
	run(own_or_share, &page);
	assert_true(page.uniques > 0);
	assert_true(page.shares > 0);
	assert_int_equal(fh_frame_reference_count(page.held), 1);
	fh_frame_put(&page.held);
	assert_int_equal(counted(&runs_of_on_drop), 1);
	assert_true(fh_ledger_is_clean());
}

/* ---- Metadata that is complete ---- */

struct published {
	uint64_t frame;
	uint64_t claims;
	uint64_t shares;
};

/* Claims the page in one of four ways; the type says which CPU it was. */
static bool publish(uint64_t frame, unsigned cpu, uint64_t round,
		    struct fh_frame *f)
{
	const struct fh_meta_type *type =
		cpu == 0 ? &lone_type : &other_lone_type;
	struct fh_meta words = words_of(number_of(cpu, round));
	struct fh_paddr pa = address_of(frame);
	struct fh_paddr end = address_of(frame + 1);
	struct fh_segment s;
	struct fh_unique u;

	switch (round % 4) {
	case 0:
		return fh_frame_from_unused(pa, type, &words, f) == FH_OK;
	case 1:
		return fh_segment_from_unused(pa, end, type, &words, &s) ==
			       FH_OK &&
		       fh_segment_next(&s, f) == FH_OK;
	case 2:
		if (fh_unique_from_unused(pa, type, NULL, &u) != FH_OK)
			return false;
		*fh_unique_meta(u) = words;
		break;
	default:
		if (fh_unique_from_unused(pa, &zone_type, &words, &u) != FH_OK)
			return false;
		note(fh_unique_repurpose(u, type, &words) == FH_OK,
		     "a unique frame gets another type");
		break;
	}
	*f = fh_frame_from_unique(&u);
	return true;
}

static void publish_and_put(struct published *page, unsigned cpu)
{
	for (uint64_t i = 0; i < SPINS; i++) {
		keep_together(i);

		struct fh_frame f;

		if (publish(page->frame, cpu, i, &f)) {
			count(&page->claims);
			linger(cpu, i);
			fh_frame_put(&f);
		}
	}
}

static void read_complete(struct published *page)
{
	uint64_t newest[2] = {0, 0};

	for (uint64_t i = 0; i < SPINS; i++) {
		keep_together(i);

		struct fh_frame f;
		enum fh_status status =
			fh_frame_from_in_use(address_of(page->frame), &f);

		if (status != FH_OK) {
			note(status == FH_E_UNUSED || status == FH_E_BUSY ||
				     status == FH_E_UNIQUE,
			     "a page that comes and goes");
			continue;
		}
		const struct fh_meta *words = fh_frame_meta(f);
		unsigned cpu = (unsigned)(words->w[0] >> 32);

		count(&page->shares);
		note(are_whole(words), "a sharer saw torn words");
		note(cpu < 2 &&
			     fh_frame_type(f) ==
				     (cpu == 0 ? &lone_type : &other_lone_type),
		     "a sharer saw another claim's type");
		note(cpu < 2 && words->w[0] >= newest[cpu],
		     "a sharer saw old words");
		if (cpu < 2)
			newest[cpu] = words->w[0];
		fh_frame_put(&f);
	}
}

static void publish_or_read(unsigned cpu, void *arg)
{
	if (cpu < 2)
		publish_and_put(arg, cpu);
	else
		read_complete(arg);
}

static void from_in_use_sees_complete_metadata(void **state)
{
	struct published page = {lone_pages(1), 0, 0};

	(void)state;
	run(publish_or_read, &page);
	assert_true(page.claims > 0);
	/* Repurposed claims drop twice. */
	assert_true(counted(&runs_of_on_drop) >= page.claims);
	assert_int_equal(state_of(page.frame), FH_STATE_UNUSED);
	assert_true(fh_ledger_is_clean());
}

/* ---- What former holders wrote ---- */

/* A handle for every CPU on every page, made before the CPUs start. */
struct held {
	uint64_t first;
	struct fh_frame frame[CPUS][ROUNDS];
};

static struct held held;

/* Each CPU's own cache line of the page. */
static uint64_t *cell(uint64_t frame, unsigned cpu)
{
	return &bytes_of(frame)[cpu * 8];
}

static bool all_cells_are(uint64_t frame, uint64_t value)
{
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		if (*cell(frame, cpu) != value)
			return false;
	return true;
}

static void drop_written_page(struct fh_dropping page)
{
	count(&runs_of_on_drop);
	note(all_cells_are(page.frame, page.frame),
	     "on_drop saw less than what every holder wrote");
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		*cell(page.frame, cpu) = 0;
}

static const struct fh_meta_type written_type = {
	.name = "written",
	.usage = FH_USAGE_RESERVED,
	.on_drop = drop_written_page,
};

static void hold_pages(void)
{
	memset(&held, 0, sizeof(held));
	held.first = lone_pages(ROUNDS);
	for (uint64_t i = 0; i < ROUNDS; i++) {
		OK(fh_frame_from_unused(address_of(held.first + i),
					&written_type, NULL,
					&held.frame[0][i]));
		for (unsigned cpu = 1; cpu < CPUS; cpu++)
			held.frame[cpu][i] = fh_frame_get(held.frame[0][i]);
	}
}

static void write_and_put(unsigned cpu, void *arg)
{
	(void)arg;
	for (uint64_t i = 0; i < ROUNDS; i++) {
		uint64_t frame = held.first + i;

		meet(i);
		*cell(frame, cpu) = frame;
		fh_frame_put(&held.frame[cpu][i]);
	}
}

static void last_put_sees_every_holders_writes(void **state)
{
	(void)state;
	hold_pages();
	run(write_and_put, NULL);
	assert_int_equal(counted(&runs_of_on_drop), ROUNDS);
	assert_true(fh_ledger_is_clean());
}

#define TRIES (1U << 24)

/* Waits for the others to put theirs. */
static bool become_unique(struct fh_frame *f, struct fh_unique *u)
{
	for (unsigned i = 0; i < TRIES; i++) {
		enum fh_status status = fh_unique_from_frame(f, u);

		if (status == FH_OK)
			return true;
		note(status == FH_E_IN_USE, "a page that others share");
		fh_host_relax();
	}
	return false;
}

static void write_and_become_unique(unsigned cpu, void *arg)
{
	(void)arg;
	for (uint64_t i = 0; i < ROUNDS; i++) {
		uint64_t frame = held.first + i;
		struct fh_unique u;

		meet(i);
		*cell(frame, cpu) = frame;
		if (cpu != 0) {
			fh_frame_put(&held.frame[cpu][i]);
			continue;
		}
		if (!become_unique(&held.frame[0][i], &u)) {
			note(false, "the only reference is not unique");
			continue;
		}
		note(all_cells_are(frame, frame),
		     "an owner saw less than what every holder wrote");
		fh_unique_put(&u);
	}
}

static void unique_claim_sees_last_holders_writes(void **state)
{
	(void)state;
	hold_pages();
	run(write_and_become_unique, NULL);
	assert_int_equal(counted(&runs_of_on_drop), ROUNDS);
	assert_true(fh_ledger_is_clean());
}

/* ---- Counting ---- */

/* Enough for CPUs to meet in the middle of one; the ledger's lock is slow. */
#define COUNTING_TURNS (FH_CHECKED ? 20000 : 200000)

/* Every CPU counts one page up and down by every way there is. */
static void count_up_and_down(unsigned cpu, void *arg)
{
	struct fh_segment s = *(const struct fh_segment *)arg;
	struct fh_paddr pa = fh_segment_start(s);

	(void)cpu;
	for (uint64_t i = 0; i < COUNTING_TURNS; i++) {
		keep_together(i);

		struct fh_segment copy = fh_segment_get(s);
		struct fh_frame_ref ref;
		struct fh_frame f;

		note(fh_segment_borrow(s, 0, &ref) == FH_OK, "borrow");
		struct fh_frame g = fh_frame_ref_get(ref);
		note(fh_frame_inc(pa) == FH_OK &&
			     fh_frame_from_raw(pa, &f) == FH_OK,
		     "inc and from_raw");
		fh_segment_put(&copy);
		fh_frame_put(&g);
		fh_frame_put(&f);
	}
}

static void no_reference_is_lost(void **state)
{
	uint64_t frame = lone_pages(2);
	struct fh_meta words = words_of(1);
	struct fh_segment s;

	(void)state;
	OK(fh_segment_from_unused(address_of(frame), address_of(frame + 2),
				  &lone_type, &words, &s));
	run(count_up_and_down, &s);
	assert_int_equal(fh_ref_count(state_of(frame)), 1);
	assert_int_equal(fh_ref_count(state_of(frame + 1)), 1);
	assert_int_equal(counted(&runs_of_on_drop), 0);
	fh_segment_put(&s);
	assert_int_equal(counted(&runs_of_on_drop), 2);
}

/* ---- Segments that overlap ---- */

#define RANGE 24

struct overlap {
	uint64_t first;
	uint64_t claims; /* pages claimed, in all segments that came to be */
	uint64_t turns[RANGE]; /* plain: a page's owner counts its own */
};

static void own_segment(struct overlap *pages, struct fh_segment *s,
			unsigned cpu, uint64_t round)
{
	for (uint64_t i = 0; i < fh_segment_count(*s); i++) {
		pages->turns[fh_segment_first(*s) + i - pages->first]++;
		count(&pages->claims);
	}
	linger(cpu, round);
	fh_segment_put(s);
}

static void claim_overlapping(unsigned cpu, void *arg)
{
	struct overlap *pages = arg;
	struct random random = {cpu};

	for (uint64_t i = 0; i < SPINS / 2; i++) {
		keep_together(i);

		uint64_t begin = random_below(&random, RANGE);
		uint64_t n = 1 + random_below(&random, RANGE - begin);
		struct fh_meta words = words_of(number_of(cpu, i));
		struct fh_segment s;
		enum fh_status status = fh_segment_from_unused(
			address_of(pages->first + begin),
			address_of(pages->first + begin + n), &lone_type,
			&words, &s);

		if (status == FH_OK)
			own_segment(pages, &s, cpu, i);
		else
			note(status == FH_E_BUSY || status == FH_E_IN_USE,
			     "a claim of pages that come and go");
	}
}

static void segments_share_no_page(void **state)
{
	static struct overlap pages;
	uint64_t turns = 0;

	(void)state;
	memset(&pages, 0, sizeof(pages));
	pages.first = lone_pages(RANGE);
	run(claim_overlapping, &pages);
	for (unsigned i = 0; i < RANGE; i++) {
		turns += pages.turns[i];
		assert_int_equal(state_of(pages.first + i), FH_STATE_UNUSED);
	}
	assert_true(turns > 0);
	assert_int_equal(turns, pages.claims);
	/* Rollbacks drop pages too. */
	assert_true(counted(&runs_of_on_drop) >= turns);
	assert_true(fh_ledger_is_clean());
}

/* ---- Allocation ---- */

/*
 * A page of this type is zero for as long as anybody holds it: its first words
 * are written when nobody does any more.
 */
static void drop_zero_page(struct fh_dropping page)
{
	note(bytes_of(page.frame)[0] == 0, "on_drop saw another's bytes");
	bytes_of(page.frame)[0] = page.frame;
	bytes_of(page.frame)[511] = page.frame;
	drop_whole_page(page);
}

static const struct fh_meta_type zero_type = {
	.name = "zero",
	.size = FH_META_SIZE,
	.usage = FH_USAGE_FRAME,
	.on_drop = drop_zero_page,
};

#define ALLOCATIONS 3000

struct allocations {
	uint64_t newest[CPUS]; /* the last page that each was given */
	uint64_t shares;
};

/* Looks at a page that another CPU was given, if it still has it. */
static void look_at_new_page(struct allocations *all, unsigned cpu)
{
	uint64_t frame = __atomic_load_n(&all->newest[cpu], __ATOMIC_RELAXED);
	struct fh_frame f;

	if (frame == 0 || fh_frame_from_in_use(address_of(frame), &f) != FH_OK)
		return;
	if (fh_frame_is_type(f, &zero_type)) {
		count(&all->shares);
		note(are_whole(fh_frame_meta(f)),
		     "an allocated page was seen with torn words");
		note(bytes_of(frame)[0] == 0 && bytes_of(frame)[511] == 0,
		     "an allocated page was seen before it was zero");
	}
	fh_frame_put(&f);
}

static struct fh_frame allocate(unsigned cpu, uint64_t i)
{
	struct fh_meta words = words_of(number_of(cpu, i));
	struct fh_frame f = fh_frame_none();
	struct fh_segment s = fh_segment_none();
	struct fh_unique u;

	switch (i % 4) {
	case 0:
		note(fh_unique_alloc(NULL, &zero_type, &words, &u) == FH_OK,
		     "a unique page is allocated");
		return fh_frame_from_unique(&u);
	case 1:
		note(fh_segment_alloc(3, NULL, &zero_type, &words, &s) ==
				     FH_OK &&
			     fh_segment_next(&s, &f) == FH_OK,
		     "a segment is allocated");
		fh_segment_put(&s);
		return f;
	default:
		note(fh_frame_alloc(NULL, &zero_type, &words, &f) == FH_OK,
		     "a page is allocated");
		return f;
	}
}

static void allocate_and_look(unsigned cpu, void *arg)
{
	struct allocations *all = arg;

	for (uint64_t i = 0; i < ALLOCATIONS; i++) {
		keep_together(i);

		struct fh_frame f = allocate(cpu, i);

		__atomic_store_n(&all->newest[cpu], fh_frame_number(f),
				 __ATOMIC_RELAXED);
		linger(cpu, i);
		for (unsigned other = 1; other < CPUS; other++)
			look_at_new_page(all, (cpu + other) % CPUS);
		note(fh_frame_meta(f)->w[0] == number_of(cpu, i),
		     "a page was given twice");
		fh_frame_put(&f);
	}
}

static void allocated_pages_are_ready_when_seen(void **state)
{
	struct allocations all = {{0}, 0};
	uint64_t free = count_free();

	(void)state;
	run(allocate_and_look, &all);
	/* Two more of each segment. */
	assert_int_equal(counted(&runs_of_on_drop),
			 CPUS * (ALLOCATIONS + ALLOCATIONS / 4 * 2));
	NOTHING_HELD(free);
}

/* Claims by address and allocation of the same pages. */

#define FEW_PAGES 64

struct commons {
	uint64_t first; /* the only pages that are free */
	uint64_t claims;
	uint64_t turns[FEW_PAGES]; /* plain */
};

static void take_turn(struct commons *pages, uint64_t frame)
{
	count(&pages->claims);
	if (frame - pages->first < FEW_PAGES)
		pages->turns[frame - pages->first]++;
	else
		note(false, "a page was given that was not free");
}

static void claim_or_allocate(unsigned cpu, void *arg)
{
	struct commons *pages = arg;
	struct random random = {cpu + 77};
	const struct fh_alloc_options any = {.align = 1};

	for (uint64_t i = 0; i < ALLOCATIONS; i++) {
		keep_together(i);

		uint64_t frame =
			pages->first + random_below(&random, FEW_PAGES);
		struct fh_meta words = words_of(number_of(cpu, i));
		struct fh_frame f;
		enum fh_status status =
			random_below(&random, 2) == 0
				? fh_frame_from_unused(address_of(frame),
						       &zone_type, &words, &f)
				: fh_frame_alloc(&any, &zone_type, &words, &f);

		if (status == FH_OK) {
			take_turn(pages, fh_frame_number(f));
			linger(cpu, i);
			fh_frame_put(&f);
		} else {
			note(status == FH_E_BUSY || status == FH_E_IN_USE ||
				     status == FH_E_NO_MEMORY,
			     "a page that comes and goes");
		}
	}
}

#define MOST_PAGES 8192

/* Holds every free page but those of the range, and returns how many. */
static size_t hold_all_but(uint64_t first, uint64_t n, struct fh_frame *all)
{
	const struct fh_alloc_options any = {.align = 1};
	size_t held_pages = 0;

	OK(fh_alloc_take(first, n));
	while (held_pages < MOST_PAGES &&
	       fh_frame_alloc(&any, &fh_untyped_type, NULL, &all[held_pages]) ==
		       FH_OK)
		held_pages++;
	assert_true(held_pages < MOST_PAGES);
	OK(fh_alloc_add(first, n));
	return held_pages;
}

static void claims_and_allocations_share_no_page(void **state)
{
	static struct fh_frame all[MOST_PAGES];
	static struct commons pages;
	uint64_t free = count_free();
	uint64_t turns = 0;
	size_t n;

	(void)state;
	memset(&pages, 0, sizeof(pages));
	pages.first = fresh_pages(FEW_PAGES);
	n = hold_all_but(pages.first, FEW_PAGES, all);
	run(claim_or_allocate, &pages);
	for (unsigned i = 0; i < FEW_PAGES; i++)
		turns += pages.turns[i];
	assert_true(turns > 0);
	assert_int_equal(turns, pages.claims);
	assert_int_equal(counted(&runs_of_on_drop), turns);
	while (n > 0) {
		n--;
		fh_frame_put(&all[n]);
	}
	NOTHING_HELD(free);
}

/* ---- Sections ---- */

/* The first holds the slots of all, the others are raw. */
#define SECTIONS 5

static const struct fh_region sections[] = {
	{0, SECTIONS *FH_SECTION_FRAMES *FH_PAGE_SIZE, FH_REGION_USABLE},
};

/*
 * As an allocator does that looks into a section for the first time. At its
 * end, which is written last: the thread sanitizer forgets what is long ago.
 */
static void look_into_section(uint64_t section, unsigned cpu)
{
	uint64_t frame = (section + 1) * FH_SECTION_FRAMES - 1 - cpu;
	struct fh_frame f = fh_frame_none();

	fh_section_make_live(section);
	const struct fh_slot *slot = fh_frame_to_meta(frame);
	note(slot->type == NULL && slot->meta.w[4] == 0,
	     "a section was live before its slots were");
	note(fh_frame_from_unused(address_of(frame), &fh_untyped_type, NULL,
				  &f) == FH_OK,
	     "a page of a new section is claimed");
	fh_frame_put(&f);
}

/* All at once, or one CPU before the others: these need no lock. */
static void look_into_sections(unsigned cpu, void *arg)
{
	(void)arg;
	for (uint64_t i = 1; i < SECTIONS; i++) {
		unsigned first = i % 2 == 0 ? CPUS : (unsigned)i % CPUS;

		if (cpu == first)
			look_into_section(i, cpu);
		meet(i - 1);
		if (cpu != first)
			look_into_section(i, cpu);
	}
}

static void section_is_live_when_its_slots_are(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		struct fh_init_options init;

		OK(hosted_power_on(sections, 1, NULL, &init));
		init.memory_is_zeroed = false;
		OK(fh_init(&init));
		/* Raw slots are anything. */
		for (uint64_t i = FH_SECTION_FRAMES;
		     i < SECTIONS * FH_SECTION_FRAMES; i++)
			memset(fh_frame_to_meta(i), HOSTED_JUNK_BYTE,
			       FH_SLOT_SIZE);
		run(look_into_sections, NULL);
		hosted_stop();
	}
}

/* ---- Lists ---- */

struct listing {
	struct fh_list mine; /* changed by CPU 0 */
	struct fh_list empty;
	struct fh_unique member;
	uint64_t frame;
};

static void change_list(struct listing *l)
{
	for (uint64_t i = 0; i < SPINS; i++) {
		keep_together(i);
		note(fh_list_push_back(&l->mine, &l->member) == FH_OK, "push");
		note(fh_list_contains(&l->mine, address_of(l->frame)),
		     "a list contains its member");
		note(fh_list_pop_front(&l->mine, &l->member) == FH_OK, "pop");
	}
}

static void change_or_ask(unsigned cpu, void *arg)
{
	struct listing *l = arg;

	if (cpu == 0) {
		change_list(l);
		return;
	}
	for (uint64_t i = 0; i < SPINS; i++) {
		keep_together(i);
		note(!fh_list_contains(&l->empty, address_of(l->frame)),
		     "a list contained another's member");
	}
}

static void membership_is_asked_at_any_time(void **state)
{
	struct listing l = {.frame = lone_pages(2)};
	struct fh_unique first;

	(void)state;
	OK(fh_unique_from_unused(address_of(l.frame), &linkable_type, NULL,
				 &l.member));
	/* So that the other list has an id to compare with. */
	OK(fh_unique_from_unused(address_of(l.frame + 1), &linkable_type, NULL,
				 &first));
	OK(fh_list_push_back(&l.empty, &first));
	OK(fh_list_pop_back(&l.empty, &first));
	run(change_or_ask, &l);
	fh_unique_put(&l.member);
	fh_unique_put(&first);
	assert_true(fh_ledger_is_clean());
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(one_of_many_claims_wins),
		cmocka_unit_test(claim_against_last_drop),
		cmocka_unit_test(unique_claim_against_unique_drop),
		cmocka_unit_test(zone_page_is_put_against_claims),
		cmocka_unit_test(clone_against_unique),
		cmocka_unit_test(from_in_use_sees_complete_metadata),
		cmocka_unit_test(last_put_sees_every_holders_writes),
		cmocka_unit_test(unique_claim_sees_last_holders_writes),
		cmocka_unit_test(no_reference_is_lost),
		cmocka_unit_test(segments_share_no_page),
		cmocka_unit_test(allocated_pages_are_ready_when_seen),
		cmocka_unit_test(claims_and_allocations_share_no_page),
		cmocka_unit_test(membership_is_asked_at_any_time),
	};
	const struct CMUnitTest without_machine[] = {
		cmocka_unit_test(section_is_live_when_its_slots_are),
	};
	int failed;

	each_on_a_machine(tests, sizeof(tests) / sizeof(tests[0]));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed + cmocka_run_group_tests(without_machine, NULL, NULL);
}
