/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where the readers of affinity tables put what they find: as mapsink.h.
 */
#ifndef FRAMEHOLD_SRC_NUMASINK_H
#define FRAMEHOLD_SRC_NUMASINK_H

#include <framehold/status.h>
#include <framehold/topology.h>

struct fh_numa_sink {
	struct fh_node_range *ranges;
	size_t capacity;
	size_t count;
};

static inline struct fh_numa_sink fh_numa_sink_of(struct fh_node_range *ranges,
						  size_t capacity)
{
	struct fh_numa_sink sink;

	sink.ranges = ranges;
	sink.capacity = capacity;
	sink.count = 0;
	return sink;
}

/* As fh_map_sink_put(), from bytes to pages; nothing to put if size is 0. */
FH_NODISCARD
static inline enum fh_status fh_numa_sink_put(struct fh_numa_sink *sink,
					      uint64_t base, uint64_t size,
					      uint32_t node, bool hot_plug)
{
	uint64_t first = base / FH_PAGE_SIZE;

	if (size == 0)
		return FH_OK;
	if (size - 1 > UINT64_MAX - base)
		return FH_E_OVERFLOW;
	if (sink->count == sink->capacity)
		return FH_E_NO_MEMORY;
	sink->ranges[sink->count].first = first;
	sink->ranges[sink->count].count =
		(base + (size - 1)) / FH_PAGE_SIZE - first + 1;
	sink->ranges[sink->count].node = node;
	sink->ranges[sink->count].hot_plug = hot_plug;
	sink->count++;
	return FH_OK;
}

#endif /* FRAMEHOLD_SRC_NUMASINK_H */
