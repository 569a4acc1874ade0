/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Every atomic access of the library, each by a name that carries its order.
 * Shared words are plain integers, touched by these functions only; there are
 * no fences and no sequentially consistent accesses. A use says in a comment
 * which other use it pairs with.
 *
 * Words of slots are reached by frame number: the prover sees one array, and
 * __FRAMAC__ gives each access a sequential meaning (in no other file).
 */
#ifndef FRAMEHOLD_ATOMIC_H
#define FRAMEHOLD_ATOMIC_H

#include <framehold/slot.h>

FH_BEGIN_DECLS

/*@
  // What bytes of untyped memory hold: the lowest comes first.
  logic integer byte_value(integer c) = c < 0 ? c + 256 : c;

  logic integer value_of_1{L}(char *at) = byte_value(*at);
  logic integer value_of_2{L}(char *at) =
    value_of_1(at) + 0x100 * value_of_1(at + 1);
  logic integer value_of_4{L}(char *at) =
    value_of_2(at) + 0x10000 * value_of_2(at + 2);
  logic integer value_of_8{L}(char *at) =
    value_of_4(at) + 0x100000000 * value_of_4(at + 4);
*/

#ifdef __FRAMAC__
#define FH_LOAD(word, order)         (word)
#define FH_STORE(word, value, order) ((word) = (value))
#define FH_ADD(word, n, order)       (((word) += (n)) - (n))
#define FH_SUB(word, n, order)       (((word) -= (n)) + (n))
#define FH_CAS(word, expected, desired)                                        \
	((word) == (expected) ? ((word) = (desired), true)                     \
			      : ((expected) = (word), false))
#define FH_CAS_RELAXED FH_CAS
/* The word before, and the word changed, in one expression. */
/*@
  requires \valid(word);
  assigns *word;
  exits \false;
  ensures \result == \old(*word);
  ensures *word == value;
*/
static inline uint64_t fh_replace_plainly(uint64_t *word, uint64_t value)
{
	uint64_t old = *word;

	*word = value;
	return old;
}
#define FH_OR(word, bits, order)    fh_replace_plainly(&(word), (word) | (bits))
#define FH_AND(word, bits, order)   fh_replace_plainly(&(word), (word) & (bits))
#define FH_SWAP(word, value, order) fh_replace_plainly(&(word), value)
#define FH_CAS_RELEASE              FH_CAS
/* Untyped memory, as bytes: the upper half of a word stands behind the lower. */
#define FH_BYTE(at) (*(const char *)(at))
#define FH_LOAD_8(at)                                                          \
	((uint8_t)(FH_BYTE(at) < 0 ? FH_BYTE(at) + 256 : FH_BYTE(at)))
#define FH_UPPER(at, offset) ((const char *)(at) + (offset))
#define FH_LOAD_16(at)                                                         \
	((uint16_t)(fh_memory_load8(at) +                                      \
		    0x100 * fh_memory_load8(FH_UPPER(at, 1))))
#define FH_LOAD_32(at)                                                         \
	(fh_memory_load16(at) +                                                \
	 UINT32_C(0x10000) * fh_memory_load16(FH_UPPER(at, 2)))
#define FH_LOAD_64(at)                                                         \
	(fh_memory_load32(at) +                                                \
	 UINT64_C(0x100000000) * fh_memory_load32(FH_UPPER(at, 4)))
#define FH_STORE_8(at, value)                                                  \
	(*(char *)(at) = (char)((value) > 127 ? (value)-256 : (value)))
#define FH_STORE_16(at, value)                                                 \
	(fh_memory_store8(at, (uint8_t)((value) % 0x100)),                     \
	 fh_memory_store8((char *)(at) + 1, (uint8_t)((value) / 0x100)))
#define FH_STORE_32(at, value)                                                 \
	(fh_memory_store16(at, (uint16_t)((value) % 0x10000)),                 \
	 fh_memory_store16((char *)(at) + 2, (uint16_t)((value) / 0x10000)))
#define FH_STORE_64(at, value)                                                 \
	(fh_memory_store32(at, (uint32_t)((value) % 0x100000000)),             \
	 fh_memory_store32((char *)(at) + 4,                                   \
			   (uint32_t)((value) / 0x100000000)))
#define FH_CAS_32(at, expected, desired)                                       \
	(fh_memory_load32(at) == (expected)                                    \
		 ? (fh_memory_store32(at, desired), true)                      \
		 : ((expected) = fh_memory_load32(at), false))
#else
#define FH_LOAD(word, order)         __atomic_load_n(&(word), order)
#define FH_STORE(word, value, order) __atomic_store_n(&(word), value, order)
#define FH_ADD(word, n, order)       __atomic_fetch_add(&(word), n, order)
#define FH_SUB(word, n, order)       __atomic_fetch_sub(&(word), n, order)
#define FH_OR(word, bits, order)     __atomic_fetch_or(&(word), bits, order)
#define FH_AND(word, bits, order)    __atomic_fetch_and(&(word), bits, order)
#define FH_SWAP(word, value, order)  __atomic_exchange_n(&(word), value, order)
#define FH_CAS(word, expected, desired)                                        \
	__atomic_compare_exchange_n(&(word), &(expected), (desired), false,    \
				    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
#define FH_CAS_RELAXED(word, expected, desired)                                \
	__atomic_compare_exchange_n(&(word), &(expected), (desired), false,    \
				    __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define FH_CAS_RELEASE(word, expected, desired)                                \
	__atomic_compare_exchange_n(&(word), &(expected), (desired), false,    \
				    __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define FH_LOAD_8(at)  FH_LOAD(*(const uint8_t *)(at), __ATOMIC_RELAXED)
#define FH_LOAD_16(at) FH_LOAD(*(const uint16_t *)(at), __ATOMIC_RELAXED)
#define FH_LOAD_32(at) FH_LOAD(*(const uint32_t *)(at), __ATOMIC_RELAXED)
#define FH_LOAD_64(at) FH_LOAD(*(const uint64_t *)(at), __ATOMIC_RELAXED)
#define FH_STORE_8(at, value)                                                  \
	FH_STORE(*(uint8_t *)(at), value, __ATOMIC_RELAXED)
#define FH_STORE_16(at, value)                                                 \
	FH_STORE(*(uint16_t *)(at), value, __ATOMIC_RELAXED)
#define FH_STORE_32(at, value)                                                 \
	FH_STORE(*(uint32_t *)(at), value, __ATOMIC_RELAXED)
#define FH_STORE_64(at, value)                                                 \
	FH_STORE(*(uint64_t *)(at), value, __ATOMIC_RELAXED)
#define FH_CAS_32(at, expected, desired)                                       \
	FH_CAS_RELAXED(*(uint32_t *)(at), expected, desired)
#endif

/* The state word of frame i. */

/*@
  requires i < FH_MAX_FRAMES;
  assigns \nothing;
  exits \false;
  ensures \result == fh_slots[i].state;
*/
FH_INLINE uint64_t fh_state_load_relaxed(uint64_t i)
{
	return FH_LOAD(fh_slots[i].state, __ATOMIC_RELAXED);
}

/*@
  requires i < FH_MAX_FRAMES;
  assigns \nothing;
  exits \false;
  ensures \result == fh_slots[i].state;
*/
FH_INLINE uint64_t fh_state_load_acquire(uint64_t i)
{
	return FH_LOAD(fh_slots[i].state, __ATOMIC_ACQUIRE);
}

/*@
  requires i < FH_MAX_FRAMES;
  assigns fh_slots[i].state;
  exits \false;
  ensures fh_slots[i].state == state;
*/
FH_INLINE void fh_state_store_relaxed(uint64_t i, uint64_t state)
{
	FH_STORE(fh_slots[i].state, state, __ATOMIC_RELAXED);
}

/*@
  requires i < FH_MAX_FRAMES;
  assigns fh_slots[i].state;
  exits \false;
  ensures fh_slots[i].state == state;
*/
FH_INLINE void fh_state_store_release(uint64_t i, uint64_t state)
{
	FH_STORE(fh_slots[i].state, state, __ATOMIC_RELEASE);
}

/* Adds one holder; returns the word before. */
/*@
  requires i < FH_MAX_FRAMES && fh_slots[i].state < UINT64_MAX;
  assigns fh_slots[i].state;
  exits \false;
  ensures \result == \old(fh_slots[i].state);
  ensures fh_slots[i].state == \result + 1;
*/
FH_INLINE uint64_t fh_state_add_relaxed(uint64_t i)
{
	return FH_ADD(fh_slots[i].state, 1, __ATOMIC_RELAXED);
}

/* Takes one holder away; returns the word before. */
/*@
  requires i < FH_MAX_FRAMES && fh_slots[i].state > 0;
  assigns fh_slots[i].state;
  exits \false;
  ensures \result == \old(fh_slots[i].state);
  ensures fh_slots[i].state == \result - 1;
*/
FH_INLINE uint64_t fh_state_sub_release(uint64_t i)
{
	return FH_SUB(fh_slots[i].state, 1, __ATOMIC_RELEASE);
}

/*
 * Writes desired if the word is expected, and returns the word before: the
 * exchange happened if and only if that is expected. Relaxed when it did not
 * happen: look at nothing but the result then.
 */
/*@
  requires i < FH_MAX_FRAMES;
  assigns fh_slots[i].state;
  exits \false;
  ensures \result == \old(fh_slots[i].state);
  ensures fh_slots[i].state == (\result == expected ? desired : \result);
*/
FH_INLINE uint64_t fh_state_cas_acquire(uint64_t i, uint64_t expected,
					uint64_t desired)
{
	(void)FH_CAS(fh_slots[i].state, expected, desired);
	return expected;
}

/* The list id of frame i: a hint for everybody but the list's owner. */

/*@
  requires i < FH_MAX_FRAMES;
  assigns \nothing;
  exits \false;
  ensures \result == fh_slots[i].list;
*/
FH_INLINE uint64_t fh_list_id_load_relaxed(uint64_t i)
{
	return FH_LOAD(fh_slots[i].list, __ATOMIC_RELAXED);
}

/*@
  requires i < FH_MAX_FRAMES;
  assigns fh_slots[i].list;
  exits \false;
  ensures fh_slots[i].list == id;
*/
FH_INLINE void fh_list_id_store_relaxed(uint64_t i, uint64_t id)
{
	FH_STORE(fh_slots[i].list, id, __ATOMIC_RELAXED);
}

/* Words and bytes outside of slots: locks, section states, counters. */

/*@
  requires \valid_read(word);
  assigns \nothing;
  exits \false;
  ensures \result == *word;
*/
FH_INLINE uint64_t fh_word_load_relaxed(const uint64_t *word)
{
	return FH_LOAD(*word, __ATOMIC_RELAXED);
}

/*@
  requires \valid_read(word);
  assigns \nothing;
  exits \false;
  ensures \result == *word;
*/
FH_INLINE uint64_t fh_word_load_acquire(const uint64_t *word)
{
	return FH_LOAD(*word, __ATOMIC_ACQUIRE);
}

/*@
  requires \valid(word);
  assigns *word;
  exits \false;
  ensures *word == value;
*/
FH_INLINE void fh_word_store_relaxed(uint64_t *word, uint64_t value)
{
	FH_STORE(*word, value, __ATOMIC_RELAXED);
}

/*@
  requires \valid(word);
  assigns *word;
  exits \false;
  ensures *word == value;
*/
FH_INLINE void fh_word_store_release(uint64_t *word, uint64_t value)
{
	FH_STORE(*word, value, __ATOMIC_RELEASE);
}

/*@
  requires \valid(word) && *word <= UINT64_MAX - n;
  assigns *word;
  exits \false;
  ensures \result == \old(*word);
  ensures *word == \result + n;
*/
FH_INLINE uint64_t fh_word_add_relaxed(uint64_t *word, uint64_t n)
{
	return FH_ADD(*word, n, __ATOMIC_RELAXED);
}

/* Takes n away; returns the word before. */
/*@
  requires \valid(word) && *word >= n;
  assigns *word;
  exits \false;
  ensures \result == \old(*word);
  ensures *word == \result - n;
*/
FH_INLINE uint64_t fh_word_sub_release(uint64_t *word, uint64_t n)
{
	return FH_SUB(*word, n, __ATOMIC_RELEASE);
}

/* Sets bits, none perhaps; returns the word before. */
/*@
  requires \valid(word);
  assigns *word;
  exits \false;
  ensures \result == \old(*word);
  ensures *word == (\result | bits);
*/
FH_INLINE uint64_t fh_word_or_relaxed(uint64_t *word, uint64_t bits)
{
	return FH_OR(*word, bits, __ATOMIC_RELAXED);
}

/*@
  requires \valid(word);
  assigns *word;
  exits \false;
  ensures \result == \old(*word);
  ensures *word == (\result | bits);
*/
FH_INLINE uint64_t fh_word_or_acquire_release(uint64_t *word, uint64_t bits)
{
	return FH_OR(*word, bits, __ATOMIC_ACQ_REL);
}

/* Keeps those bits only; returns the word before. */
/*@
  requires \valid(word);
  assigns *word;
  exits \false;
  ensures \result == \old(*word);
  ensures *word == (\result & bits);
*/
FH_INLINE uint64_t fh_word_and_release(uint64_t *word, uint64_t bits)
{
	return FH_AND(*word, bits, __ATOMIC_RELEASE);
}

/*@
  requires \valid(word);
  assigns *word;
  exits \false;
  ensures \result == \old(*word);
  ensures *word == (\result & bits);
*/
FH_INLINE uint64_t fh_word_and_relaxed(uint64_t *word, uint64_t bits)
{
	return FH_AND(*word, bits, __ATOMIC_RELAXED);
}

/* Writes value; returns the word before. */
/*@
  requires \valid(word);
  assigns *word;
  exits \false;
  ensures \result == \old(*word);
  ensures *word == value;
*/
FH_INLINE uint64_t fh_word_swap_relaxed(uint64_t *word, uint64_t value)
{
	return FH_SWAP(*word, value, __ATOMIC_RELAXED);
}

/* As fh_state_cas_acquire(), but relaxed in both cases. */
/*@
  requires \valid(word);
  assigns *word;
  exits \false;
  ensures \result == \old(*word);
  ensures *word == (\result == expected ? desired : \result);
*/
FH_INLINE uint64_t fh_word_cas_relaxed(uint64_t *word, uint64_t expected,
				       uint64_t desired)
{
	(void)FH_CAS_RELAXED(*word, expected, desired);
	return expected;
}

/* As fh_state_cas_acquire(). */
/*@
  requires \valid(word);
  assigns *word;
  exits \false;
  ensures \result == \old(*word);
  ensures *word == (\result == expected ? desired : \result);
*/
FH_INLINE uint64_t fh_word_cas_acquire(uint64_t *word, uint64_t expected,
				       uint64_t desired)
{
	(void)FH_CAS(*word, expected, desired);
	return expected;
}

/* The same, releasing when it happens. */
/*@
  requires \valid(word);
  assigns *word;
  exits \false;
  ensures \result == \old(*word);
  ensures *word == (\result == expected ? desired : \result);
*/
FH_INLINE uint64_t fh_word_cas_release(uint64_t *word, uint64_t expected,
				       uint64_t desired)
{
	(void)FH_CAS_RELEASE(*word, expected, desired);
	return expected;
}

/*@
  requires \valid_read(byte);
  assigns \nothing;
  exits \false;
  ensures \result == *byte;
*/
FH_INLINE uint8_t fh_byte_load_acquire(const uint8_t *byte)
{
	return FH_LOAD(*byte, __ATOMIC_ACQUIRE);
}

/*@
  requires \valid(byte);
  assigns *byte;
  exits \false;
  ensures *byte == value;
*/
FH_INLINE void fh_byte_store_release(uint8_t *byte, uint8_t value)
{
	FH_STORE(*byte, value, __ATOMIC_RELEASE);
}

/*
 * Untyped memory, which devices and user programs write too. It is aligned for
 * the access.
 */

/*@
  requires \valid_read((char *)at + (0 .. 0));
  assigns \nothing;
  exits \false;
  ensures \result == value_of_1((char *)at);
*/
FH_INLINE uint8_t fh_memory_load8(const void *at)
{
	return FH_LOAD_8(at);
}

/*@
  requires \valid_read((char *)at + (0 .. 1));
  assigns \nothing;
  exits \false;
  ensures \result == value_of_2((char *)at);
*/
FH_INLINE uint16_t fh_memory_load16(const void *at)
{
	return FH_LOAD_16(at);
}

/*@
  requires \valid_read((char *)at + (0 .. 3));
  assigns \nothing;
  exits \false;
  ensures \result == value_of_4((char *)at);
*/
FH_INLINE uint32_t fh_memory_load32(const void *at)
{
	return FH_LOAD_32(at);
}

/*@
  requires \valid_read((char *)at + (0 .. 7));
  assigns \nothing;
  exits \false;
  ensures \result == value_of_8((char *)at);
*/
FH_INLINE uint64_t fh_memory_load64(const void *at)
{
	return FH_LOAD_64(at);
}

/*@
  requires \valid((char *)at + (0 .. 0));
  assigns ((char *)at)[0 .. 0];
  exits \false;
  ensures value_of_1((char *)at) == value;
*/
FH_INLINE void fh_memory_store8(void *at, uint8_t value)
{
	FH_STORE_8(at, value);
}

/*@
  requires \valid((char *)at + (0 .. 1));
  assigns ((char *)at)[0 .. 1];
  exits \false;
  ensures value_of_2((char *)at) == value;
*/
FH_INLINE void fh_memory_store16(void *at, uint16_t value)
{
	FH_STORE_16(at, value);
}

/*@
  requires \valid((char *)at + (0 .. 3));
  assigns ((char *)at)[0 .. 3];
  exits \false;
  ensures value_of_4((char *)at) == value;
*/
FH_INLINE void fh_memory_store32(void *at, uint32_t value)
{
	FH_STORE_32(at, value);
}

/*@
  requires \valid((char *)at + (0 .. 7));
  assigns ((char *)at)[0 .. 7];
  exits \false;
  ensures value_of_8((char *)at) == value;
*/
FH_INLINE void fh_memory_store64(void *at, uint64_t value)
{
	FH_STORE_64(at, value);
}

/* Relaxed both ways; returns the word before. */
/*@
  requires \valid((char *)at + (0 .. 3));
  assigns ((char *)at)[0 .. 3];
  exits \false;
  ensures \result == \old(value_of_4((char *)at));
  ensures \result == expected ==> value_of_4((char *)at) == desired;
  ensures \result != expected ==> \forall integer i; 0 <= i < 4 ==>
    ((char *)at)[i] == \old(((char *)at)[i]);
*/
FH_INLINE uint32_t fh_memory_cas32(void *at, uint32_t expected,
				   uint32_t desired)
{
	(void)FH_CAS_32(at, expected, desired);
	return expected;
}

#undef FH_LOAD
#undef FH_STORE
#undef FH_ADD
#undef FH_SUB
#undef FH_OR
#undef FH_AND
#undef FH_SWAP
#undef FH_CAS
#undef FH_CAS_RELAXED
#undef FH_CAS_RELEASE
#undef FH_BYTE
#undef FH_UPPER
#undef FH_LOAD_8
#undef FH_LOAD_16
#undef FH_LOAD_32
#undef FH_LOAD_64
#undef FH_STORE_8
#undef FH_STORE_16
#undef FH_STORE_32
#undef FH_STORE_64
#undef FH_CAS_32

FH_END_DECLS

#endif /* FRAMEHOLD_ATOMIC_H */
