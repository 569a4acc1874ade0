/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The external definitions of the inline functions of headers that have no .c
 * file of their own: addr.h and atomic.h.
 */
#include <framehold/atomic.h>

extern struct fh_paddr fh_paddr(uint64_t bytes);
extern struct fh_paddr fh_paddr_of_frame(uint64_t frame);
extern uint64_t fh_frame_of_paddr(struct fh_paddr pa);
extern bool fh_paddr_is_aligned(struct fh_paddr pa);

extern uint64_t fh_state_load_relaxed(uint64_t i);
extern uint64_t fh_state_load_acquire(uint64_t i);
extern void fh_state_store_relaxed(uint64_t i, uint64_t state);
extern void fh_state_store_release(uint64_t i, uint64_t state);
extern uint64_t fh_state_add_relaxed(uint64_t i);
extern uint64_t fh_state_sub_release(uint64_t i);
extern uint64_t fh_state_cas_acquire(uint64_t i, uint64_t expected,
				     uint64_t desired);
extern uint64_t fh_list_id_load_relaxed(uint64_t i);
extern void fh_list_id_store_relaxed(uint64_t i, uint64_t id);
extern uint64_t fh_word_load_relaxed(const uint64_t *word);
extern uint64_t fh_word_load_acquire(const uint64_t *word);
extern void fh_word_store_relaxed(uint64_t *word, uint64_t value);
extern void fh_word_store_release(uint64_t *word, uint64_t value);
extern uint64_t fh_word_add_relaxed(uint64_t *word, uint64_t n);
extern uint64_t fh_word_sub_release(uint64_t *word, uint64_t n);
extern uint64_t fh_word_or_relaxed(uint64_t *word, uint64_t bits);
extern uint64_t fh_word_or_acquire_release(uint64_t *word, uint64_t bits);
extern uint64_t fh_word_and_release(uint64_t *word, uint64_t bits);
extern uint64_t fh_word_and_relaxed(uint64_t *word, uint64_t bits);
extern uint64_t fh_word_swap_relaxed(uint64_t *word, uint64_t value);
extern uint64_t fh_word_cas_relaxed(uint64_t *word, uint64_t expected,
				    uint64_t desired);
extern uint64_t fh_word_cas_acquire(uint64_t *word, uint64_t expected,
				    uint64_t desired);
extern uint64_t fh_word_cas_release(uint64_t *word, uint64_t expected,
				    uint64_t desired);
extern uint8_t fh_byte_load_acquire(const uint8_t *byte);
extern void fh_byte_store_release(uint8_t *byte, uint8_t value);
extern uint8_t fh_memory_load8(const void *at);
extern void fh_memory_store8(void *at, uint8_t value);
extern uint16_t fh_memory_load16(const void *at);
extern void fh_memory_store16(void *at, uint16_t value);
extern uint32_t fh_memory_load32(const void *at);
extern void fh_memory_store32(void *at, uint32_t value);
extern uint64_t fh_memory_load64(const void *at);
extern void fh_memory_store64(void *at, uint64_t value);
extern uint32_t fh_memory_cas32(void *at, uint32_t expected, uint32_t desired);
