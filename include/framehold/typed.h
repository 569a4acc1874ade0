/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Types of metadata: one macro makes a handle type for pages whose words are
 * a struct of yours, so that the compiler keeps kinds of pages apart.
 *
 *     struct inode_page { uint64_t inode; uint64_t offset; };
 *     extern const struct fh_meta_type inode_page_type;
 *     FH_META_TYPE(inode_page, struct inode_page, inode_page_type);
 *
 * makes struct inode_page_frame (the seeds' Frame<InodePage>) and, as static
 * inline functions around those of frame.h:
 *
 *     inode_page_frame_from_unused(pa, &value, &out)
 *     inode_page_frame_meta(f)               const struct inode_page *, in place
 *     inode_page_frame_get(f)  inode_page_frame_put(&f)
 *     inode_page_frame_into_dyn(&f)          struct fh_frame, cannot fail
 *     inode_page_frame_from_dyn(&dyn, &out)  FH_E_WRONG_TYPE: keep dyn
 *     inode_page_unique_meta(u)              struct inode_page *, to write
 *     inode_page_meta_pack(&value)           struct fh_meta, for segments
 *
 * One .c file defines the descriptor itself:
 *
 *     const struct fh_meta_type inode_page_type =
 *             FH_META_TYPE_INIT("inode_page", struct inode_page, .untyped = false);
 *
 * Other languages use fh_frame_meta() and fh_frame_is_type() directly.
 */
#ifndef FRAMEHOLD_TYPED_H
#define FRAMEHOLD_TYPED_H

#include <framehold/segment.h>
#include <framehold/unique.h>

/* The initialiser of a descriptor; further members by name, C only. */
#define FH_META_TYPE_INIT(type_name, data, ...)                                \
	{                                                                      \
		.name = (type_name), .size = (uint32_t)sizeof(data),           \
		.usage = FH_USAGE_FRAME, __VA_ARGS__                           \
	}

/* Seed: impl_frame_meta_for!, impl_untyped_frame_meta_for!. */
#define FH_META_TYPE(name, data, type)                                         \
	FH_STATIC_ASSERT(sizeof(data) <= FH_META_SIZE,                         \
			 #data " does not fit a slot");                        \
	FH_STATIC_ASSERT(FH_ALIGNOF(data) <= FH_META_ALIGN,                    \
			 #data " needs more alignment than a slot has");       \
                                                                               \
	struct name##_frame {                                                  \
		struct fh_frame frame;                                         \
	};                                                                     \
                                                                               \
	FH_MAYBE_UNUSED static inline struct fh_meta name##_meta_pack(         \
		const data *value)                                             \
	{                                                                      \
		struct fh_meta meta = fh_meta_zero;                            \
                                                                               \
		__builtin_memcpy(&meta, value, sizeof(data));                  \
		return meta;                                                   \
	}                                                                      \
                                                                               \
	FH_NODISCARD                                                           \
	FH_MAYBE_UNUSED static inline enum fh_status name##_frame_from_unused( \
		struct fh_paddr pa, const data *value,                         \
		struct name##_frame *out)                                      \
	{                                                                      \
		struct fh_meta meta = name##_meta_pack(value);                 \
                                                                               \
		return fh_frame_from_unused(pa, &(type), &meta, &out->frame);  \
	}                                                                      \
                                                                               \
	FH_MAYBE_UNUSED static inline const data *name##_frame_meta(           \
		struct name##_frame f)                                         \
	{                                                                      \
		return (const data *)(const void *)fh_frame_meta(f.frame);     \
	}                                                                      \
                                                                               \
	FH_NODISCARD                                                           \
	FH_MAYBE_UNUSED static inline struct name##_frame name##_frame_get(    \
		struct name##_frame f)                                         \
	{                                                                      \
		struct name##_frame copy;                                      \
                                                                               \
		copy.frame = fh_frame_get(f.frame);                            \
		return copy;                                                   \
	}                                                                      \
                                                                               \
	FH_MAYBE_UNUSED static inline void name##_frame_put(                   \
		struct name##_frame *f)                                        \
	{                                                                      \
		fh_frame_put(&f->frame);                                       \
	}                                                                      \
                                                                               \
	FH_NODISCARD                                                           \
	FH_MAYBE_UNUSED static inline struct fh_frame name##_frame_into_dyn(   \
		struct name##_frame *f)                                        \
	{                                                                      \
		struct fh_frame frame = f->frame;                              \
                                                                               \
		f->frame = fh_frame_none();                                    \
		return frame;                                                  \
	}                                                                      \
                                                                               \
	FH_NODISCARD                                                           \
	FH_MAYBE_UNUSED static inline enum fh_status name##_frame_from_dyn(    \
		struct fh_frame *f, struct name##_frame *out)                  \
	{                                                                      \
		if (!fh_frame_is_type(*f, &(type)))                            \
			return FH_E_WRONG_TYPE;                                \
		out->frame = *f;                                               \
		*f = fh_frame_none();                                          \
		return FH_OK;                                                  \
	}                                                                      \
                                                                               \
	FH_MAYBE_UNUSED static inline data *name##_unique_meta(                \
		struct fh_unique u)                                            \
	{                                                                      \
		return (data *)(void *)fh_unique_meta(u);                      \
	}                                                                      \
                                                                               \
	FH_STATIC_ASSERT(sizeof(struct name##_frame) ==                        \
				 sizeof(struct fh_frame),                      \
			 "a typed handle is a handle")

#endif /* FRAMEHOLD_TYPED_H */
