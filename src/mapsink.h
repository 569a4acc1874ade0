/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where the readers of maps put what they find: the caller's array, filled
 * from the front and never beyond its capacity; and the numbers of the types
 * that several kinds of firmware share.
 */
#ifndef FRAMEHOLD_SRC_MAPSINK_H
#define FRAMEHOLD_SRC_MAPSINK_H

#include <framehold/region.h>

struct fh_map_sink {
	struct fh_region *regions;
	size_t capacity;
	size_t count;
};

static inline struct fh_map_sink fh_map_sink_of(struct fh_region *regions,
						size_t capacity)
{
	struct fh_map_sink sink;

	sink.regions = regions;
	sink.capacity = capacity;
	sink.count = 0;
	return sink;
}

/* FH_E_NO_MEMORY if the array is full; FH_E_OVERFLOW if it ends beyond 2^64. */
FH_NODISCARD
static inline enum fh_status fh_map_sink_put(struct fh_map_sink *sink,
					     uint64_t base, uint64_t size,
					     enum fh_region_kind kind)
{
	if (size > 0 && size - 1 > UINT64_MAX - base)
		return FH_E_OVERFLOW;
	if (sink->count == sink->capacity)
		return FH_E_NO_MEMORY;
	sink->regions[sink->count].base = base;
	sink->regions[sink->count].size = size;
	sink->regions[sink->count].kind = kind;
	sink->count++;
	return FH_OK;
}

/*
 * The size of start .. end, the end included; end == start - 1 is no byte.
 * FH_E_OVERFLOW, with *why, if there is none.
 */
FH_NODISCARD
static inline enum fh_status fh_inclusive_size(uint64_t start, uint64_t end,
					       uint64_t *size, const char **why)
{
	if (end < start && start - end > 1) {
		*why = "the end lies before the start";
		return FH_E_OVERFLOW;
	}
	if (end < start) {
		*size = 0;
		return FH_OK;
	}
	if (end - start == UINT64_MAX) {
		*why = "all of 64 bits is too large for a size";
		return FH_E_OVERFLOW;
	}
	*size = end - start + 1;
	return FH_OK;
}

/* Types of E820, as in ACPI 6.5, table 15.2, and as Linux extends them. */
static inline enum fh_region_kind fh_e820_kind(uint64_t type)
{
	switch (type) {
	case 1:
		return FH_REGION_USABLE;
	case 2:
	case 7:
	case 12:
		return FH_REGION_RESERVED;
	case 3:
		return FH_REGION_RECLAIMABLE;
	case 4:
		return FH_REGION_NON_VOLATILE_SLEEP;
	case 5:
		return FH_REGION_BAD;
	default:
		return FH_REGION_UNKNOWN;
	}
}

/*
 * The kind of a UEFI descriptor: its type, as in UEFI 2.10, 7.2.3. RAM that
 * firmware goes on using, that is set aside for special purposes, or that
 * cannot be cached, is reserved.
 */
static inline enum fh_region_kind fh_uefi_kind(uint64_t type,
					       uint64_t attributes)
{
	bool can_write_back = attributes / 0x8 % 2 == 1;
	bool is_special = attributes / 0x40000 % 2 == 1;
	bool is_runtime = attributes / (UINT64_C(1) << 63) == 1;
	enum fh_region_kind ram;

	switch (type) {
	case 1: /* the loader's code and data */
	case 2:
	case 3: /* boot services' code and data */
	case 4:
	case 9: /* ACPI tables */
		ram = FH_REGION_RECLAIMABLE;
		break;
	case 7: /* conventional */
		ram = FH_REGION_USABLE;
		break;
	case 8: /* unusable */
		return FH_REGION_BAD;
	case 10: /* ACPI, kept across sleep */
		return FH_REGION_NON_VOLATILE_SLEEP;
	case 0: /* reserved */
	case 5: /* runtime services' code and data */
	case 6:
	case 11: /* devices, as memory and as ports */
	case 12:
	case 13: /* processor firmware */
	case 14: /* persistent */
	case 15: /* not accepted yet */
		return FH_REGION_RESERVED;
	default:
		return FH_REGION_UNKNOWN;
	}
	if (is_runtime || is_special || !can_write_back)
		return FH_REGION_RESERVED;
	return ram;
}

#endif /* FRAMEHOLD_SRC_MAPSINK_H */
