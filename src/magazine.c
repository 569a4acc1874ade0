/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Batches between magazines and the supply, blocks, and single pages by number:
 * what a CPU does with its own magazine. The fast path stands in magazine.h:
 * preemption off, busy set, one array access, busy cleared; no lock, no
 * interrupt masking, no atomic read-modify-write.
 */
#include "magazine.h"

#include <framehold/allocator.h>
#include <framehold/host.h>

/* Words taken at once: bounds the stack; with whole words, a batch is two. */
#define REFILL_WORDS 24

/*@
  predicate others_ok{L} =
    \forall integer cpu; 0 <= cpu < FH_MAX_CPUS && cpu != g_cpu ==>
      magazine_ok(fh_magazines + cpu);
*/

/* ---- Pages ---- */

/* Two fifths of the room, but at least one. */
/*@
  requires room <= FH_MAGAZINE_PAGES;
  assigns \nothing;
  exits \false;
  ensures 1 <= \result <= (room > 0 ? room : 1);
*/
static uint64_t batch_of(uint64_t room)
{
	return room < 5 ? 1 : room * 2 / 5;
}

/* n numbers from `from` on are moved down to the array's begin. */
/*@
  requires n <= FH_MAGAZINE_PAGES && gone <= FH_MAGAZINE_PAGES;
  requires \valid(numbers + (0 .. gone + n - 1));
  assigns numbers[0 .. n - 1];
  exits \false;
  ensures \forall integer i; 0 <= i < n ==>
    numbers[i] == \old(numbers[gone + i]);
*/
static void move_down(uint64_t *numbers, uint64_t gone, uint64_t n)
{
	__builtin_memmove(numbers, numbers + gone, n * sizeof(numbers[0]));
}

/* Gives the oldest n pages to the supply. */
/*@
  requires magazine_ok(m) && n <= m->page_count;
  assigns m->page_count, m->pages[0 .. m->page_count - 1];
  exits \false;
  ensures ok: magazine_ok(m);
  ensures all: \old(magazines_ok) && m == own_magazine ==> magazines_ok;
  ensures count: m->page_count == \old(m->page_count) - n;
  ensures rest: \forall integer i; 0 <= i < m->page_count ==>
    m->pages[i] == \at(m->pages[i + n],Pre);
*/
static void flush_pages(struct fh_magazine *m, uint64_t n)
{
	uint64_t count = fh_word_load_relaxed(&m->page_count);

	fh_supply_give_pages(m->pages, n);
	move_down(m->pages, n, count - n);
	fh_word_store_relaxed(&m->page_count, count - n);
	/*@ assert own: magazine_ok(m); */
	/*@ assert others: \at(magazines_ok,Pre) && m == own_magazine ==>
	      others_ok; */
}

/*
 * Around a refill, whose pages no count has yet. Relaxed: who finds that the
 * supply is empty because of us has had the zone's lock after us.
 */
/*@
  requires \valid(m);
  assigns m->filling;
  exits \false;
  ensures m->filling == 1;
*/
static void begin_refill(struct fh_magazine *m)
{
	fh_word_store_relaxed(&m->filling, 1);
}

/*@
  requires \valid(m);
  assigns m->filling;
  exits \false;
  ensures m->filling == 0;
*/
static void end_refill(struct fh_magazine *m)
{
	/* Release: the counts. Pairs with the acquire in is_worth_asking(). */
	fh_word_store_release(&m->filling, 0);
}

/*@
  predicate word_same{A,B}(struct fh_taken *taken, integer i) =
    \at(taken[i].base,A) == \at(taken[i].base,B) &&
    \at(taken[i].bits,A) == \at(taken[i].bits,B) &&
    \at(taken[i].count,A) == \at(taken[i].count,B);

  // The page is one of those that word i says.
  predicate is_of_word{L}(struct fh_taken *taken, integer i, integer page) =
    taken[i].base <= page < taken[i].base + 64 &&
    has_bit(taken[i].bits, page - taken[i].base);
*/

/* More words have more pages. */
/*@ ghost
  /@
    requires words > 0 ==> \valid_read(taken + (0 .. words - 1));
    assigns \nothing;
    exits \false;
    ensures \forall integer i, integer j; 0 <= i <= j <= words ==>
      0 <= taken_pages(taken, i) <= taken_pages(taken, j);
  @/
  void ghost_words_add_up(const struct fh_taken *taken, uint64_t words)
  {
    /@
      loop invariant 0 <= n <= words;
      loop invariant \forall integer i, integer j; 0 <= i <= j <= n ==>
        0 <= taken_pages(taken, i) <= taken_pages(taken, j);
      loop assigns n;
      loop variant words - n;
    @/
    for (uint64_t n = 0; n < words; n++)
      /@ assert taken_pages(taken, n + 1) ==
         taken_pages(taken, n) + taken[n].count; @/
      ;
  }
*/

/* Writes the pages of a word to numbers[n] and on, descending. */
/*@
  requires \valid_read(taken) && word_is_taken(taken, 0);
  requires n <= FH_MAGAZINE_PAGES && taken->count <= FH_MAGAZINE_PAGES - n;
  requires \valid(numbers + (0 .. FH_MAGAZINE_PAGES - 1));
  requires \separated(taken, numbers + (0 .. FH_MAGAZINE_PAGES - 1));
  assigns numbers[n .. n + taken->count - 1];
  exits \false;
  ensures pages: \forall integer k; n <= k < n + taken->count ==>
    is_of_word(taken, 0, numbers[k]);
  ensures order: \forall integer k; n < k < n + taken->count ==>
    numbers[k - 1] > numbers[k];
*/
static void write_word(const struct fh_taken *taken, uint64_t *numbers,
		       uint64_t n)
{
	fh_take_all(taken->bits, taken->base, taken->count, numbers + n);
	/*@ ghost
	  /@
	    loop invariant 0 <= i <= taken->count;
	    loop invariant \forall integer k; n <= k < n + i ==>
	      is_of_word(taken, 0, numbers[k]);
	    loop invariant \forall integer k; n < k < n + i ==>
	      numbers[k - 1] > numbers[k];
	    loop assigns i;
	    loop variant taken->count - i;
	  @/
	  for (uint64_t i = 0; i < taken->count; i++)
	    /@ assert is_of_word(taken, 0, numbers[n + i]); @/
	    /@ assert i > 0 ==> numbers[n + i - 1] > numbers[n + i]; @/
	    ;
	*/
}

/*
 * Writes the pages of words to an array, and returns how many these are.
 * Backwards, so that what is popped ascends.
 */
/*@
  requires words <= REFILL_WORDS;
  requires words > 0 ==> \valid_read(taken + (0 .. words - 1));
  requires \forall integer i; 0 <= i < words ==> word_is_taken(taken, i);
  requires taken_pages(taken, words) <= FH_MAGAZINE_PAGES;
  requires \valid(numbers + (0 .. FH_MAGAZINE_PAGES - 1));
  requires \separated(taken + (0 .. words - 1),
                      numbers + (0 .. FH_MAGAZINE_PAGES - 1));
  assigns numbers[0 .. FH_MAGAZINE_PAGES - 1];
  exits \false;
  ensures count: \result == taken_pages{Pre}(taken, words);
  ensures numbers: \forall integer k; 0 <= k < \result ==>
    numbers[k] < FH_PAGE_NUMBER_END;
*/
static uint64_t write_words(const struct fh_taken *taken, uint64_t words,
			    uint64_t *numbers)
{
	uint64_t word = words;
	uint64_t n = 0;

	/*@ ghost ghost_words_add_up(taken, words); */
	/*@
	  loop invariant 0 <= word <= words;
	  loop invariant n ==
	    taken_pages{Pre}(taken, words) - taken_pages{Pre}(taken, word);
	  loop invariant \forall integer i; 0 <= i < words ==>
	    word_same{Pre,Here}(taken, i);
	  loop invariant \forall integer k; 0 <= k < n ==>
	    numbers[k] < FH_PAGE_NUMBER_END;
	  loop assigns word, n, numbers[0 .. FH_MAGAZINE_PAGES - 1];
	  loop variant word;
	*/
	while (word > 0) {
		word--;
		/*@ assert taken_pages{Pre}(taken, word + 1) ==
		      taken_pages{Pre}(taken, word) + taken[word].count; */
		/*@ assert \forall integer i; word + 1 <= i < words ==>
		      taken_pages{Pre}(taken, words) -
		      taken_pages{Pre}(taken, i) <= n; */
		/*@ assert word_same{Pre,Here}(taken, word); */
		write_word(taken + word, numbers, n);
		/*@ assert \forall integer k; 0 <= k < n ==>
		      numbers[k] == \at(numbers[k],LoopCurrent); */
		n += taken[word].count;
	}
	return n;
}

/* At most a batch of pages from the supply; returns how many. */
/*@
  requires home < fh_layout.zone_count && batch <= FH_MAGAZINE_PAGES;
  requires \valid(pages + (0 .. FH_MAGAZINE_PAGES - 1)) && region_inv;
  requires \separated(pages + (0 .. FH_MAGAZINE_PAGES - 1),
                      fh_slots + (0 .. FH_LAST_FRAME));
  assigns pages[0 .. FH_MAGAZINE_PAGES - 1], fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures count: \result <= batch;
  ensures numbers: \forall integer i; 0 <= i < \result ==>
    pages[i] < FH_PAGE_NUMBER_END;
*/
static uint64_t take_batch(uint64_t home, uint64_t batch, uint64_t *pages)
{
	struct fh_taken taken[REFILL_WORDS];
	uint64_t words =
		fh_supply_take_words(home, false, batch, taken, REFILL_WORDS);

	return write_words(taken, words, pages);
}

/* Fills an empty magazine with a batch; returns how many pages it has. */
/*@
  requires magazine_ok(m) && m->page_count == 0 && m->page_room > 0;
  requires region_inv && slots_apart(m);
  assigns m->filling, magazine_pages(m), fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures ok: magazine_ok(m) && m->filling == 0;
  ensures all: \old(magazines_ok) && m == own_magazine ==> magazines_ok;
  ensures count: \result == m->page_count <= m->page_room;
*/
static uint64_t refill_pages(struct fh_magazine *m)
{
	uint64_t batch = batch_of(fh_word_load_relaxed(&m->page_room));

	begin_refill(m);
	uint64_t n = take_batch(m->home, batch, m->pages);

	/*@
	  loop invariant 0 <= i <= n;
	  loop assigns i;
	  loop variant i;
	*/
	for (uint64_t i = n; i > 0 && n - i < FH_SLOT_LOOKAHEAD; i--)
		__builtin_prefetch(&fh_slots[m->pages[i - 1]], 1);
	fh_word_store_relaxed(&m->page_count, n);
	end_refill(m);
	/*@ assert own: magazine_ok(m); */
	/*@ assert others: \at(magazines_ok,Pre) && m == own_magazine ==>
	      others_ok; */
	return n;
}

uint64_t fh_magazine_take(struct fh_magazine *m)
{
	uint64_t page = FH_NO_PAGE;

	if (fh_word_load_relaxed(&m->page_room) > 0 && refill_pages(m) > 0)
		page = fh_magazine_pop(m);
	/*@ assert rest: m->page_count == 0 || m->page_count < m->page_room; */
	fh_magazine_leave(m);
	return page;
}

/* Makes room for one page; false if there is none to be had. */
/*@
  requires magazine_ok(m);
  assigns magazine_pages(m);
  exits \false;
  ensures ok: magazine_ok(m);
  ensures all: \old(magazines_ok) && m == own_magazine ==> magazines_ok;
  ensures m->page_count <= \old(m->page_count);
  ensures \result <==> m->page_room > 0;
  ensures \result ==> m->page_count < m->page_room;
*/
static bool make_room(struct fh_magazine *m)
{
	uint64_t room = fh_word_load_relaxed(&m->page_room);
	uint64_t count = fh_word_load_relaxed(&m->page_count);

	/* The room may have shrunk since the magazine was filled. */
	if (count >= room && count > 0) {
		uint64_t n = count - room + batch_of(room);

		flush_pages(m, n < count ? n : count);
	}
	return room > 0;
}

/* Whether the magazine has taken the page. */
/*@
  requires magazine_ok(m) && page < FH_PAGE_NUMBER_END;
  assigns magazine_pages(m);
  exits \false;
  ensures ok: magazine_ok(m);
  ensures all: \old(magazines_ok) && m == own_magazine ==> magazines_ok;
  ensures room: \result <==> m->page_room > 0;
  ensures kept: \result ==> 0 < m->page_count <= m->page_room &&
    m->pages[m->page_count - 1] == page;
*/
static bool keep_page(struct fh_magazine *m, uint64_t page)
{
	return make_room(m) && fh_magazine_push(m, page);
}

void fh_magazine_give(struct fh_magazine *m, uint64_t page)
{
	bool kept = keep_page(m, page);

	/*@ assert kept: kept != 0 ==> 0 < m->page_count <= m->page_room &&
	      m->pages[m->page_count - 1] == page; */
	/*@ ghost Kept: ; */
	fh_magazine_leave(m);
	/*@ assert same: \at(m->answer,Pre) == m->request ==>
	      keeps_the_same{Kept,Here}(m); */
	/*@ assert still: kept != 0 && \at(m->answer,Pre) == m->request ==>
	      0 < m->page_count <= m->page_room &&
	      m->pages[m->page_count - 1] == page; */
	if (!kept)
		fh_supply_give(page, 1);
}

/* ---- Blocks ---- */

/* Gives the oldest n blocks to the supply. */
/*@
  requires magazine_ok(m) && n <= m->block_count;
  assigns m->block_count, m->blocks[0 .. m->block_count - 1];
  exits \false;
  ensures ok: magazine_ok(m);
  ensures all: \old(magazines_ok) && m == own_magazine ==> magazines_ok;
  ensures count: m->block_count == \old(m->block_count) - n;
  ensures rest: \forall integer i; 0 <= i < m->block_count ==>
    m->blocks[i] == \at(m->blocks[i + n],Pre);
*/
static void flush_blocks(struct fh_magazine *m, uint64_t n)
{
	uint64_t count = fh_word_load_relaxed(&m->block_count);

	fh_supply_give_blocks(m->blocks, n);
	move_down(m->blocks, n, count - n);
	fh_word_store_relaxed(&m->block_count, count - n);
	/*@ assert own: magazine_ok(m); */
	/*@ assert others: \at(magazines_ok,Pre) && m == own_magazine ==>
	      others_ok; */
}

/* Fills an empty magazine; returns how many blocks it has. */
/*@
  requires magazine_ok(m) && m->block_count == 0;
  requires batch <= m->block_room && region_inv && slots_apart(m);
  assigns m->filling, magazine_blocks(m), fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures ok: magazine_ok(m) && m->filling == 0;
  ensures all: \old(magazines_ok) && m == own_magazine ==> magazines_ok;
  ensures count: \result == m->block_count <= batch;
*/
static FH_COLD uint64_t refill_blocks(struct fh_magazine *m, uint64_t batch)
{
	begin_refill(m);
	uint64_t n = fh_supply_take_blocks(m->home, batch, m->blocks);

	fh_word_store_relaxed(&m->block_count, n);
	end_refill(m);
	/*@ assert own: magazine_ok(m); */
	/*@ assert others: \at(magazines_ok,Pre) && m == own_magazine ==>
	      others_ok; */
	return n;
}

/* The first page of the newest block, or FH_NO_PAGE. */
/*@
  requires magazine_ok(m) && region_inv && slots_apart(m);
  assigns m->filling, magazine_blocks(m), fh_slots[0 .. FH_LAST_FRAME],
          fh_memory.sections[0 .. FH_LAST_SECTION];
  exits \false;
  ensures region: region_inv;
  ensures kept: kept{Pre,Post};
  ensures ok: magazine_ok(m);
  ensures all: \old(magazines_ok) && m == own_magazine ==> magazines_ok;
  ensures block: \result == FH_NO_PAGE ||
    (\result <= FH_PAGE_NUMBER_END - 512 && \result % 512 == 0);
  ensures top: \old(m->block_count) > 0 ==>
    m->block_count == \old(m->block_count) - 1 &&
    \result == \at(m->blocks[m->block_count - 1],Pre) * 512;
  ensures none: \old(m->block_count) == 0 && m->block_room == 0 ==>
    \result == FH_NO_PAGE;
*/
static uint64_t pop_block(struct fh_magazine *m)
{
	uint64_t room = fh_word_load_relaxed(&m->block_room);
	uint64_t n = fh_word_load_relaxed(&m->block_count);

	if (n == 0 && room > 0)
		n = refill_blocks(m, batch_of(room));
	if (n == 0)
		return FH_NO_PAGE;
	/*@ assert all: \at(magazines_ok,Pre) && m == own_magazine ==>
	      magazines_ok; */
	/*@ ghost Filled: ; */
	fh_word_store_relaxed(&m->block_count, n - 1);
	/*@ assert own: magazine_ok(m); */
	/*@ assert others: \at(magazines_ok,Filled) && m == own_magazine ==>
	      others_ok; */
	return m->blocks[n - 1] * FH_BLOCK_PAGES;
}

uint64_t fh_magazine_take_block(void)
{
	struct fh_magazine *m = fh_magazine_enter();

	if (m == NULL)
		return FH_NO_PAGE;
	uint64_t first = pop_block(m);
	fh_magazine_leave(m);
	return first;
}

/* Whether the magazine has taken the block. */
/*@
  requires magazine_ok(m) && block < FH_PAGE_NUMBER_END / 512;
  assigns magazine_blocks(m);
  exits \false;
  ensures ok: magazine_ok(m);
  ensures all: \old(magazines_ok) && m == own_magazine ==> magazines_ok;
  ensures room: \result <==> m->block_room > 0;
  ensures kept: \result ==> 0 < m->block_count <= m->block_room &&
    m->blocks[m->block_count - 1] == block;
*/
static bool push_block(struct fh_magazine *m, uint64_t block)
{
	uint64_t room = fh_word_load_relaxed(&m->block_room);
	uint64_t n = fh_word_load_relaxed(&m->block_count);

	if (n >= room && n > 0) {
		uint64_t flushed = n - room + batch_of(room);

		flushed = flushed < n ? flushed : n;
		flush_blocks(m, flushed);
		n -= flushed;
	}
	if (room == 0)
		return false;
	/*@ assert fits: magazine_ok(m) && n == m->block_count && n < room; */
	m->blocks[n] = block;
	fh_word_store_relaxed(&m->block_count, n + 1);
	/*@ assert own: magazine_ok(m); */
	/*@ assert others: \at(magazines_ok,Pre) && m == own_magazine ==>
	      others_ok; */
	return true;
}

void fh_magazine_give_block(uint64_t first)
{
	struct fh_magazine *m = fh_magazine_enter();
	bool kept = false;

	if (m != NULL) {
		kept = push_block(m, first / FH_BLOCK_PAGES);
		fh_magazine_leave(m);
	}
	if (!kept)
		fh_supply_give(first, FH_BLOCK_PAGES);
}

/* ---- One page by its number ---- */

/* Takes the i-th page out; the newest takes its place. */
/*@
  requires magazine_ok(m) && i < m->page_count;
  assigns m->page_count, m->pages[i];
  exits \false;
  ensures ok: magazine_ok(m);
  ensures m->page_count == \old(m->page_count) - 1;
  ensures m->pages[i] == \old(m->pages[m->page_count - 1]);
*/
static void remove_page(struct fh_magazine *m, uint64_t i)
{
	uint64_t last = fh_word_load_relaxed(&m->page_count) - 1;

	m->pages[i] = m->pages[last];
	fh_word_store_relaxed(&m->page_count, last);
}

/* Breaks up the i-th block: all of its pages but one go to the supply. */
/*@
  requires magazine_ok(m) && i < m->block_count;
  requires m->blocks[i] == page / 512 && page < FH_PAGE_NUMBER_END;
  assigns m->block_count, m->blocks[i];
  exits \false;
  ensures ok: magazine_ok(m);
  ensures m->block_count == \old(m->block_count) - 1;
  ensures m->blocks[i] == \old(m->blocks[m->block_count - 1]);
*/
static void remove_from_block(struct fh_magazine *m, uint64_t i, uint64_t page)
{
	uint64_t last = fh_word_load_relaxed(&m->block_count) - 1;
	uint64_t first = m->blocks[i] * FH_BLOCK_PAGES;

	fh_supply_give(first, page - first);
	fh_supply_give(page + 1, FH_BLOCK_PAGES - 1 - (page - first));
	m->blocks[i] = m->blocks[last];
	/* Last: a CPU that has found the supply empty asks until now. */
	fh_word_store_relaxed(&m->block_count, last);
}

/* The index of the first of n numbers that is the wanted one; n: none is. */
/*@
  requires n > 0 ==> \valid_read(numbers + (0 .. n - 1));
  assigns \nothing;
  exits \false;
  ensures \result <= n && (\result < n ==> numbers[\result] == wanted);
  ensures \forall integer i; 0 <= i < \result ==> numbers[i] != wanted;
*/
static uint64_t find_number(const uint64_t *numbers, uint64_t n,
			    uint64_t wanted)
{
	uint64_t i = 0;

	/*@
	  loop invariant 0 <= i <= n;
	  loop invariant \forall integer j; 0 <= j < i ==>
	    numbers[j] != wanted;
	  loop assigns i;
	  loop variant n - i;
	*/
	while (i < n && numbers[i] != wanted)
		i++;
	return i;
}

/*@
  requires magazine_ok(m) && page < FH_PAGE_NUMBER_END;
  assigns magazine_kept(m);
  exits \false;
  ensures ok: magazine_ok(m);
  ensures all: \old(magazines_ok) && m == own_magazine ==> magazines_ok;
  ensures found: \result <==> \old(keeps(m, page));
  ensures fewer: m->page_count + m->block_count ==
    \old(m->page_count + m->block_count) - (\result ? 1 : 0);
  behavior page:
    assumes \exists integer i; 0 <= i < m->page_count && m->pages[i] == page;
    assigns magazine_pages(m);
    ensures \result == \true && m->page_count == \old(m->page_count) - 1;
  behavior block:
    assumes \forall integer i; 0 <= i < m->page_count ==> m->pages[i] != page;
    assumes \exists integer i; 0 <= i < m->block_count &&
      m->blocks[i] == page / 512;
    assigns magazine_blocks(m);
    ensures \result == \true && m->block_count == \old(m->block_count) - 1;
  behavior elsewhere:
    assumes \forall integer i; 0 <= i < m->page_count ==> m->pages[i] != page;
    assumes \forall integer i; 0 <= i < m->block_count ==>
      m->blocks[i] != page / 512;
    assigns \nothing;
    ensures \result == \false;
  complete behaviors;
  disjoint behaviors;
*/
static bool withdraw_from(struct fh_magazine *m, uint64_t page)
{
	uint64_t pages = fh_word_load_relaxed(&m->page_count);
	uint64_t blocks = fh_word_load_relaxed(&m->block_count);
	uint64_t i = find_number(m->pages, pages, page);

	if (i < pages) {
		remove_page(m, i);
		/*@ assert own: magazine_ok(m); */
		/*@ assert others: \at(magazines_ok,Pre) && m == own_magazine ==>
		      others_ok; */
		return true;
	}
	i = find_number(m->blocks, blocks, page / FH_BLOCK_PAGES);
	if (i < blocks) {
		remove_from_block(m, i, page);
		/*@ assert own: magazine_ok(m); */
		/*@ assert others: \at(magazines_ok,Pre) && m == own_magazine ==>
		      others_ok; */
		return true;
	}
	return false;
}

bool fh_magazine_withdraw(uint64_t page)
{
	struct fh_magazine *m = fh_magazine_enter();

	if (m == NULL)
		return false;
	/*@ assert same: keeps(m, page) <==> keeps{Pre}(m, page); */
	bool found = withdraw_from(m, page);
	fh_magazine_leave(m);
	return found;
}

uint64_t fh_magazine_home(void)
{
	uint64_t home = fh_magazine_own()->home;

	fh_host_preempt_on();
	return home;
}

/* ---- Emptying ---- */

void fh_magazine_flush(struct fh_magazine *m)
{
	flush_pages(m, fh_word_load_relaxed(&m->page_count));
	flush_blocks(m, fh_word_load_relaxed(&m->block_count));
}

/*@
  requires magazine_ok(m) && m->busy == 0;
  assigns m->busy, m->answer, magazine_kept(m);
  exits \false;
  ensures ok: magazine_ok(m);
  ensures all: \old(magazines_ok) && m == own_magazine ==> magazines_ok;
  ensures free: m->busy == 0;
  ensures answered: m->answer == m->request && is_empty(m);
*/
static void answer_request(struct fh_magazine *m)
{
	uint64_t request = fh_word_load_relaxed(&m->request);

	fh_magazine_set_busy(m);
	/*@ assert busy: \at(magazines_ok,Pre) && m == own_magazine ==>
	      magazines_ok; */
	fh_magazine_flush(m);
	/*@ ghost Empty: ; */
	/* Release: pairs with the acquire in wait_for_answer(). */
	fh_word_store_release(&m->answer, request);
	fh_magazine_clear_busy(m);
	/*@ assert own: magazine_ok(m); */
	/*@ assert others: \at(magazines_ok,Empty) && m == own_magazine ==>
	      others_ok; */
}

/* With preemption off, while not busy. */
/*@
  requires magazine_ok(m) && m->busy == 0;
  assigns m->busy, m->answer, magazine_kept(m);
  exits \false;
  ensures ok: magazine_ok(m) && m->busy == 0;
  ensures all: \old(magazines_ok) && m == own_magazine ==> magazines_ok;
  ensures answered: is_answered{Pre,Post}(m);
*/
static FH_COLD void answer_requests(struct fh_magazine *m)
{
	/*@
	  loop invariant magazine_ok(m) && m->busy == 0;
	  loop invariant \at(magazines_ok,Pre) && m == own_magazine ==>
	    magazines_ok;
	  loop invariant m->answer == \at(m->answer,Pre)
	    ? keeps_the_same{Pre,Here}(m)
	    : m->answer == m->request && is_empty(m);
	  loop assigns m->busy, m->answer, magazine_kept(m);
	  loop variant m->request - m->answer;
	*/
	while (fh_magazine_is_asked(m))
		answer_request(m);
}

void fh_magazine_poll(void)
{
	struct fh_magazine *m = fh_magazine_own();

	if (fh_magazine_is_asked(m) && fh_word_load_relaxed(&m->busy) == 0)
		answer_requests(m);
	fh_host_preempt_on();
}

void fh_magazine_empty(void)
{
	struct fh_magazine *m = fh_magazine_enter();

	if (m == NULL)
		return;
	fh_magazine_flush(m);
	fh_magazine_leave(m);
}
