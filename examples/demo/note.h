/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Notes: the demo's own type of metadata. Each carries a seal over its words;
 * on_drop checks the seal and counts, so that at the end the drops can be
 * compared with the claims.
 */
#ifndef DEMO_NOTE_H
#define DEMO_NOTE_H

#include <framehold/typed.h>

/* Fits the words that a page in a list has. */
struct note {
	uint64_t cpu;
	uint64_t serial;
	uint64_t seal;
};

FH_STATIC_ASSERT(sizeof(struct note) <= FH_META_SIZE_IN_LIST,
		 "notes may be in lists");

extern const struct fh_meta_type note_type;

/* struct note_frame, note_frame_meta(), note_meta_pack(), ... */
FH_META_TYPE(note, struct note, note_type);

/* A sealed note. */
struct note note_make(uint64_t cpu, uint64_t serial);

/* Whether the seal fits the words. */
bool note_is_intact(const struct note *note);

/* How often on_drop ran since notes_reset(), and for how many broken seals. */
uint64_t notes_dropped(void);
uint64_t notes_broken(void);
void notes_reset(void);

#endif /* DEMO_NOTE_H */
