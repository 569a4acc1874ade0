/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Metadata: every frame carries five words for its owner and a pointer to a
 * constant descriptor that says what the words mean. The descriptor is the
 * frame's type: types are compared by address, and one descriptor per type
 * lives as long as the program.
 *
 * Untyped frames are plain memory: devices, user space, readers and writers
 * may see their contents. The contents of any other frame belong to the code
 * that defined its type.
 *
 * typed.h has the macro that defines a type with its accessors.
 */
#ifndef FRAMEHOLD_META_H
#define FRAMEHOLD_META_H

#include <framehold/addr.h>

FH_BEGIN_DECLS

/* Seed: FRAME_METADATA_MAX_SIZE and FRAME_METADATA_MAX_ALIGN, in words. */
#define FH_META_WORDS 5
#define FH_META_SIZE  40
#define FH_META_ALIGN 8

/* A linked frame's last two words hold its neighbours: list.h. */
#define FH_META_SIZE_IN_LIST 24

/*
 * The owner's words. The library touches them as words, owners as structs of
 * their own: the attribute makes both views of the same bytes agree.
 * Seed: MetaSlotStorage.
 */
struct FH_MAY_ALIAS fh_meta {
	uint64_t w[FH_META_WORDS];
};

/* What a page is used for; follows from its type. Seed: PageUsage. */
enum fh_usage {
	FH_USAGE_UNUSED = 0, /* the page has no type */
	FH_USAGE_FRAME,
	FH_USAGE_PAGE_TABLE,
	FH_USAGE_RESERVED,
	FH_USAGE_MMIO,
};

/*
 * The page that an on_drop handler may use: its state is busy, or still unique
 * while it is repurposed; nobody else can reach it. Valid until the handler
 * returns.
 */
struct fh_dropping {
	uint64_t frame;
};

/* Describes one type of metadata. Seed: AnyFrameMeta, FrameMetaVtablePtr. */
struct fh_meta_type {
	const char *name; /* shown in dumps and reports */

	/* Bytes of the words that are in use, at most FH_META_SIZE. */
	uint32_t size;

	/* Plain memory: see the head of this file. Seed: is_untyped. */
	bool untyped;

	/*
	 * on_drop may run in interrupt context. Untyped frames may be dropped
	 * there in any case.
	 */
	bool any_context;

	enum fh_usage usage;

	/*
	 * Runs exactly once, in the context of the last put (or of a failed
	 * claim's rollback, or of repurpose), before the page can be claimed
	 * again. Must be bounded; must not allocate, sleep, wait, or keep the
	 * page. May put other frames. Null: nothing to do. Seed: on_drop.
	 */
	void (*on_drop)(struct fh_dropping page);
};

/*
 * Whether claims accept the type: it is not null and its words fit a slot.
 * Any context.
 */
/*@
  requires type == \null || \valid_read(type);
  assigns \nothing;
  exits \false;
  ensures \result <==> type != \null && type->size <= FH_META_SIZE;
*/
bool fh_meta_type_is_valid(const struct fh_meta_type *type);

/* The words of a page being dropped; writable, the handler owns them. */
struct fh_meta *fh_dropping_meta(struct fh_dropping page);

/*
 * The FH_PAGE_SIZE bytes of a page being dropped, through the linear map.
 * Seed: the reader passed to on_drop.
 */
const void *fh_dropping_bytes(struct fh_dropping page);

/* The address of a page being dropped. */
struct fh_paddr fh_dropping_paddr(struct fh_dropping page);

/* Five zero words. */
extern const struct fh_meta fh_meta_zero;

/* Plain memory without metadata. Seed: the impl of AnyUFrameMeta for (). */
extern const struct fh_meta_type fh_untyped_type;

/* Pages that hold slots. Seed: MetaPageMeta. */
extern const struct fh_meta_type fh_meta_page_type;

/* Pages of bad or otherwise unusable memory. Seed: UnusableMemoryMeta. */
extern const struct fh_meta_type fh_unusable_type;

/* Reserved pages; may be device memory. Seed: ReservedMemoryMeta. */
extern const struct fh_meta_type fh_reserved_type;

/* The kernel's own image. Seed: KernelMeta. */
extern const struct fh_meta_type fh_kernel_type;

/* Taken by the early allocator. Seed: EarlyAllocatedFrameMeta. */
extern const struct fh_meta_type fh_early_type;

FH_END_DECLS

#endif /* FRAMEHOLD_META_H */
