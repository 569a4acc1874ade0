/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Flattened device trees. The tree proper is a string of tokens:
 *
 *     BEGIN ""  PROP PROP  BEGIN "memory@0"  PROP PROP  END_NODE  END_NODE END
 *
 * One pass over them, counting depth. A node's properties come before its
 * children, so a node is judged as a whole where its properties end: at its
 * first child or at its own end. Only three depths matter: the root (1), whose
 * cells say how its children's addresses are written; memory nodes and
 * /reserved-memory (2); and the children of that (3).
 */
#include <framehold/mapfdt.h>

#include "mapsink.h"
#include "numasink.h"
#include "table.h"

#define FDT_MAGIC       0xd00dfeed
#define FDT_HEADER_SIZE 40
#define FDT_VERSION     17

enum fdt_token {
	FDT_BEGIN_NODE = 1,
	FDT_END_NODE = 2,
	FDT_PROP = 3,
	FDT_NOP = 4,
	FDT_END = 9,
};

/* The properties that mean something here. */
enum fdt_property {
	FDT_ADDRESS_CELLS,
	FDT_SIZE_CELLS,
	FDT_REG,
	FDT_DEVICE_TYPE,
	FDT_STATUS,
	FDT_NUMA_NODE,
	FDT_PROPERTIES,
};

static const char *const fdt_property_names[FDT_PROPERTIES] = {
	"#address-cells", "#size-cells", "reg",
	"device_type",    "status",      "numa-node-id",
};

/* Bytes first .. end - 1 of the tree. */
struct fdt_piece {
	size_t first;
	size_t end;
};

/* The values that a node has given so far. */
struct fdt_node {
	bool has[FDT_PROPERTIES];
	struct fdt_piece values[FDT_PROPERTIES];
};

static const struct fdt_node fdt_no_properties;

/* Words of 32 bits in an address and in a size, of a node's children. */
struct fdt_cells {
	uint64_t address;
	uint64_t size;
};

/* One pass. */
struct fdt_reading {
	const uint8_t *tree;
	struct fdt_piece reservations;
	struct fdt_piece tokens;
	struct fdt_piece strings;
	size_t at; /* the next token; tokens.first <= at <= tokens.end */

	size_t depth;
	bool has_root;
	bool takes_properties; /* no child of the node was seen */
	bool is_in_reserved;   /* within /reserved-memory */
	bool is_at_end;
	struct fdt_node node;
	struct fdt_cells root_cells;
	struct fdt_cells reserved_cells;

	/* Where results go: either regions or ranges. */
	bool wants_ranges;
	bool has_memory;
	struct fh_map_sink regions;
	struct fh_numa_sink ranges;
	struct fh_table_error *error;
};

static enum fh_status fdt_fail(struct fdt_reading *reading, size_t at,
			       const char *why)
{
	return fh_table_fail(reading->error, at, FH_E_INVALID, why);
}

size_t fh_fdt_size(const void *tree)
{
	const uint8_t *bytes = tree;

	return fh_big(bytes, 0, 4) == FDT_MAGIC ? fh_big(bytes, 4, 4) : 0;
}

/* Whether the piece begins with word and the zero behind it. */
static bool fdt_begins_with(const uint8_t *tree, struct fdt_piece piece,
			    const char *word)
{
	size_t i = 0;

	while (i < piece.end - piece.first &&
	       tree[piece.first + i] == (uint8_t)word[i]) {
		if (word[i] == '\0')
			return true;
		i++;
	}
	return false;
}

/* Blocks: the header says where they are. */

static enum fh_status fdt_block(struct fdt_reading *reading, size_t offset_at,
				uint64_t size, size_t total,
				struct fdt_piece *block)
{
	uint64_t offset = fh_big(reading->tree, offset_at, 4);

	if (offset > total || size > total - offset)
		return fdt_fail(reading, offset_at,
				"a block lies outside of the tree");
	block->first = offset;
	block->end = offset + size;
	return FH_OK;
}

static enum fh_status fdt_open(struct fdt_reading *reading, size_t size)
{
	const uint8_t *tree = reading->tree;
	enum fh_status status;
	size_t total;

	if (size < FDT_HEADER_SIZE || fh_big(tree, 0, 4) != FDT_MAGIC)
		return fdt_fail(reading, 0, "not a device tree");
	total = fh_big(tree, 4, 4);
	if (total < FDT_HEADER_SIZE || total > size)
		return fdt_fail(reading, 4, "the tree is cut short");
	if (fh_big(tree, 20, 4) < FDT_VERSION ||
	    fh_big(tree, 24, 4) > FDT_VERSION)
		return fdt_fail(reading, 20, "not version 17 of the format");

	status = fdt_block(reading, 16, 0, total, &reading->reservations);
	reading->reservations.end = total;
	if (status == FH_OK)
		status = fdt_block(reading, 8, fh_big(tree, 36, 4), total,
				   &reading->tokens);
	if (status == FH_OK)
		status = fdt_block(reading, 12, fh_big(tree, 32, 4), total,
				   &reading->strings);
	reading->at = reading->tokens.first;
	return status;
}

/* Results */

static enum fh_status fdt_put_reserved(struct fdt_reading *reading, size_t at,
				       uint64_t base, uint64_t size)
{
	if (reading->wants_ranges)
		return FH_OK;
	return fh_table_put(reading->error, at,
			    fh_map_sink_put(&reading->regions, base, size,
					    FH_REGION_RESERVED));
}

static enum fh_status fdt_put_memory(struct fdt_reading *reading, size_t at,
				     uint64_t base, uint64_t size,
				     uint32_t numa)
{
	enum fh_status status;

	if (size > 0)
		reading->has_memory = true;
	if (reading->wants_ranges)
		status = fh_numa_sink_put(&reading->ranges, base, size, numa,
					  false);
	else
		status = fh_map_sink_put(&reading->regions, base, size,
					 FH_REGION_USABLE);
	return fh_table_put(reading->error, at, status);
}

/* The reservation block: pairs of 64-bit numbers, until both are 0. */
static enum fh_status fdt_read_reservations(struct fdt_reading *reading)
{
	size_t at = reading->reservations.first;

	while (reading->reservations.end - at >= 16) {
		uint64_t base = fh_big(reading->tree, at, 8);
		uint64_t size = fh_big(reading->tree, at + 8, 8);
		enum fh_status status;

		if (base == 0 && size == 0)
			return FH_OK;
		status = fdt_put_reserved(reading, at, base, size);
		if (status != FH_OK)
			return status;
		at += 16;
	}
	return fdt_fail(reading, at, "the reservation block has no end");
}

/* Nodes */

/* A property of one word of 32 bits, or what holds without it. */
static enum fh_status fdt_word(struct fdt_reading *reading,
			       enum fdt_property property, uint64_t otherwise,
			       uint64_t *word)
{
	struct fdt_piece value = reading->node.values[property];

	*word = otherwise;
	if (!reading->node.has[property])
		return FH_OK;
	if (value.end - value.first != 4)
		return fdt_fail(reading, value.first,
				"a property that should be one number");
	*word = fh_big(reading->tree, value.first, 4);
	return FH_OK;
}

static enum fh_status fdt_read_cells(struct fdt_reading *reading,
				     struct fdt_cells *cells)
{
	enum fh_status status =
		fdt_word(reading, FDT_ADDRESS_CELLS, 2, &cells->address);

	if (status != FH_OK)
		return status;
	return fdt_word(reading, FDT_SIZE_CELLS, 1, &cells->size);
}

static bool fdt_value_is(const struct fdt_reading *reading,
			 enum fdt_property property, const char *word)
{
	return reading->node.has[property] &&
	       fdt_begins_with(reading->tree, reading->node.values[property],
			       word);
}

static bool fdt_is_available(const struct fdt_reading *reading)
{
	return !reading->node.has[FDT_STATUS] ||
	       fdt_value_is(reading, FDT_STATUS, "okay") ||
	       fdt_value_is(reading, FDT_STATUS, "ok");
}

/* Each pair of the node's `reg`; numa is the node that memory belongs to. */
static enum fh_status fdt_read_reg(struct fdt_reading *reading,
				   struct fdt_cells cells, bool is_memory,
				   uint32_t numa)
{
	struct fdt_piece reg = reading->node.values[FDT_REG];
	enum fh_status status = FH_OK;
	size_t pair;

	if (!reading->node.has[FDT_REG])
		return FH_OK;
	if (cells.address < 1 || cells.address > 2 || cells.size < 1 ||
	    cells.size > 2)
		return fdt_fail(reading, reg.first,
				"addresses and sizes have 1 or 2 cells");
	pair = 4 * (cells.address + cells.size);
	if ((reg.end - reg.first) % pair != 0)
		return fdt_fail(reading, reg.first,
				"reg does not end with a pair");

	for (size_t at = reg.first; at < reg.end && status == FH_OK;
	     at += pair) {
		uint64_t base = fh_big(reading->tree, at, 4 * cells.address);
		uint64_t size = fh_big(reading->tree, at + 4 * cells.address,
				       4 * cells.size);

		if (is_memory)
			status = fdt_put_memory(reading, at, base, size, numa);
		else
			status = fdt_put_reserved(reading, at, base, size);
	}
	return status;
}

static enum fh_status fdt_read_memory(struct fdt_reading *reading)
{
	uint64_t numa;
	enum fh_status status = fdt_word(reading, FDT_NUMA_NODE, 0, &numa);

	if (status != FH_OK)
		return status;
	return fdt_read_reg(reading, reading->root_cells, true, (uint32_t)numa);
}

/* Judges the node at hand, once all its properties are known. */
static enum fh_status fdt_end_properties(struct fdt_reading *reading)
{
	if (!reading->takes_properties)
		return FH_OK;
	reading->takes_properties = false;

	if (reading->depth == 1)
		return fdt_read_cells(reading, &reading->root_cells);
	if (reading->depth == 2 && reading->is_in_reserved)
		return fdt_read_cells(reading, &reading->reserved_cells);
	if (!fdt_is_available(reading))
		return FH_OK;
	if (reading->depth == 2 &&
	    fdt_value_is(reading, FDT_DEVICE_TYPE, "memory"))
		return fdt_read_memory(reading);
	if (reading->depth == 3 && reading->is_in_reserved)
		return fdt_read_reg(reading, reading->reserved_cells, false, 0);
	return FH_OK;
}

/* Tokens */

/* Moves n bytes on, and to the next multiple of 4 from the first token. */
static enum fh_status fdt_skip(struct fdt_reading *reading, size_t n)
{
	size_t left = reading->tokens.end - reading->at;

	if (n > left || (4 - n % 4) % 4 > left - n)
		return fdt_fail(reading, reading->at, "the tree is cut short");
	reading->at += n + (4 - n % 4) % 4;
	return FH_OK;
}

static enum fh_status fdt_take_word(struct fdt_reading *reading, uint64_t *word)
{
	size_t at = reading->at;
	enum fh_status status = fdt_skip(reading, 4);

	if (status == FH_OK)
		*word = fh_big(reading->tree, at, 4);
	return status;
}

static enum fh_status fdt_begin_node(struct fdt_reading *reading)
{
	struct fdt_piece name = {reading->at, reading->tokens.end};
	enum fh_status status = fdt_end_properties(reading);
	size_t length = 0;

	if (status != FH_OK)
		return status;
	if (reading->depth == 0 && reading->has_root)
		return fdt_fail(reading, name.first - 4, "a second root");
	while (length < name.end - name.first &&
	       reading->tree[name.first + length] != '\0')
		length++;
	status = fdt_skip(reading, length + 1);
	if (status != FH_OK)
		return status;

	reading->has_root = true;
	reading->depth++;
	reading->node = fdt_no_properties;
	reading->takes_properties = true;
	if (reading->depth == 2)
		reading->is_in_reserved =
			fdt_begins_with(reading->tree, name, "reserved-memory");
	return FH_OK;
}

static enum fh_status fdt_end_node(struct fdt_reading *reading)
{
	enum fh_status status = fdt_end_properties(reading);

	if (status != FH_OK)
		return status;
	if (reading->depth == 0)
		return fdt_fail(reading, reading->at - 4, "an end too many");
	reading->depth--;
	return FH_OK;
}

/* Remembers a value if the name means something; of two, the first. */
static void fdt_keep(struct fdt_reading *reading, struct fdt_piece name,
		     struct fdt_piece value)
{
	for (size_t i = 0; i < FDT_PROPERTIES; i++) {
		if (!reading->node.has[i] &&
		    fdt_begins_with(reading->tree, name,
				    fdt_property_names[i])) {
			reading->node.has[i] = true;
			reading->node.values[i] = value;
		}
	}
}

static enum fh_status fdt_take_property(struct fdt_reading *reading)
{
	struct fdt_piece name = reading->strings;
	struct fdt_piece value;
	uint64_t length;
	uint64_t offset;
	enum fh_status status;

	if (!reading->takes_properties)
		return fdt_fail(reading, reading->at - 4,
				"a property behind a node");
	status = fdt_take_word(reading, &length);
	if (status == FH_OK)
		status = fdt_take_word(reading, &offset);
	if (status != FH_OK)
		return status;
	if (offset >= name.end - name.first)
		return fdt_fail(reading, reading->at - 4,
				"a name outside of the strings");
	name.first += offset;
	value.first = reading->at;
	value.end = reading->at + length;
	status = fdt_skip(reading, length);
	if (status == FH_OK)
		fdt_keep(reading, name, value);
	return status;
}

static enum fh_status fdt_take_end(struct fdt_reading *reading)
{
	if (reading->depth != 0 || !reading->has_root)
		return fdt_fail(reading, reading->at - 4,
				"the tree ends within a node");
	reading->is_at_end = true;
	return FH_OK;
}

static enum fh_status fdt_take_token(struct fdt_reading *reading)
{
	size_t at = reading->at;
	uint64_t token;
	enum fh_status status = fdt_take_word(reading, &token);

	if (status != FH_OK)
		return status;
	switch (token) {
	case FDT_BEGIN_NODE:
		return fdt_begin_node(reading);
	case FDT_END_NODE:
		return fdt_end_node(reading);
	case FDT_PROP:
		return fdt_take_property(reading);
	case FDT_NOP:
		return FH_OK;
	case FDT_END:
		return fdt_take_end(reading);
	default:
		return fdt_fail(reading, at, "not a token");
	}
}

static enum fh_status fdt_read(struct fdt_reading *reading, size_t size)
{
	enum fh_status status = fdt_open(reading, size);

	if (status == FH_OK)
		status = fdt_read_reservations(reading);
	while (status == FH_OK && !reading->is_at_end)
		status = fdt_take_token(reading);
	if (status == FH_OK && !reading->has_memory)
		return fh_table_fail(reading->error, 0, FH_E_EMPTY,
				     "no memory");
	return status;
}

enum fh_status fh_map_read_fdt(const void *tree, size_t size,
			       struct fh_region *regions, size_t capacity,
			       size_t *n, struct fh_table_error *error)
{
	struct fdt_reading reading = {.tree = tree, .error = error};
	enum fh_status status;

	reading.regions = fh_map_sink_of(regions, capacity);
	status = fdt_read(&reading, size);
	if (status == FH_OK)
		*n = reading.regions.count;
	return status;
}

enum fh_status fh_numa_read_fdt(const void *tree, size_t size,
				struct fh_node_range *ranges, size_t capacity,
				size_t *n, struct fh_table_error *error)
{
	struct fdt_reading reading = {
		.tree = tree, .wants_ranges = true, .error = error};
	enum fh_status status;

	reading.ranges = fh_numa_sink_of(ranges, capacity);
	status = fdt_read(&reading, size);
	if (status == FH_OK)
		*n = reading.ranges.count;
	return status;
}
