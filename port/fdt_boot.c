/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One pass over the tokens, counting depth. A node's properties come before its
 * children, so that a node is judged as a whole at its first child or its end:
 * /cpus (depth 2) before the CPUs (depth 3), whose ids it says the width of.
 */
#include "fdt_boot.h"

#define TREE_MAGIC       0xd00dfeed
#define TREE_HEADER_SIZE 40
#define TREE_VERSION     17

#define TREE_BEGIN_NODE 1
#define TREE_END_NODE   2
#define TREE_PROPERTY   3
#define TREE_NOP        4
#define TREE_END        9

/* Bytes of the tree; none, and null, if a node has no such property. */
struct bytes {
	const uint8_t *at;
	size_t size;
};

/* The properties that mean something, in whichever node. */
enum property {
	ADDRESS_CELLS,
	TIMEBASE,
	DEVICE_TYPE,
	STATUS,
	REG,
	ISA,
	ISA_EXTENSIONS,
	ARGUMENTS,
	INITRD_START,
	INITRD_END,
	PROPERTIES,
};

static const char *const property_names[PROPERTIES] = {
	"#address-cells",
	"timebase-frequency",
	"device_type",
	"status",
	"reg",
	"riscv,isa",
	"riscv,isa-extensions",
	"bootargs",
	"linux,initrd-start",
	"linux,initrd-end",
};

enum place {
	ELSEWHERE,
	IN_CPUS,
	IN_CHOSEN,
};

struct reading {
	struct bytes tokens; /* what is left of them */
	struct bytes strings;
	size_t depth;
	enum place place; /* which child of the root this is, or is within */
	bool has_root;
	bool is_judged; /* the node at hand; no property may follow */
	bool is_at_end;
	struct bytes node[PROPERTIES];
	uint64_t id_cells;
	size_t with_svpbmt; /* enabled CPUs */
	struct fdt_boot boot;
};

static const struct reading no_reading;

/* Bytes */

/* A number, high byte first. */
static uint64_t number(const uint8_t *at, size_t width)
{
	uint64_t value = 0;

	for (size_t i = 0; i < width; i++)
		value = value << 8 | at[i];
	return value;
}

/* Where the zero is in the bytes; their size if there is none. */
static size_t text_length(struct bytes text)
{
	size_t length = 0;

	while (length < text.size && text.at[length] != '\0')
		length++;
	return length;
}

static bool same(const uint8_t *text, size_t length, const char *word)
{
	size_t i = 0;

	while (i < length && word[i] != '\0' && text[i] == (uint8_t)word[i])
		i++;
	return i == length && word[i] == '\0';
}

/* Whether the bytes begin with the word and a zero. */
static bool is_word(struct bytes text, const char *word)
{
	size_t length = text_length(text);

	return length < text.size && same(text.at, length, word);
}

/* Whether one of the words, which a separator parts, is this one. */
static bool has_word(struct bytes text, uint8_t separator, const char *word)
{
	size_t first = 0;

	if (text.at == NULL)
		return false;
	for (size_t i = 0; i <= text.size; i++) {
		if (i < text.size && text.at[i] != separator)
			continue;
		if (same(text.at + first, i - first, word))
			return true;
		first = i + 1;
	}
	return false;
}

/* A property of one number, of 32 or 64 bits. False: it is neither. */
static bool take_number(struct bytes property, uint64_t *value)
{
	if (property.at == NULL)
		return true;
	if (property.size != 4 && property.size != 8)
		return false;
	*value = number(property.at, property.size);
	return true;
}

/* Nodes */

static bool says_svpbmt(const struct reading *reading)
{
	struct bytes isa = reading->node[ISA];

	isa.size = text_length(isa);
	return has_word(isa, '_', "svpbmt") ||
	       has_word(reading->node[ISA_EXTENSIONS], '\0', "svpbmt");
}

static const char *judge_cpu(struct reading *reading)
{
	struct fdt_boot *boot = &reading->boot;
	struct bytes reg = reading->node[REG];
	size_t width = (size_t)(4 * reading->id_cells);

	if (!is_word(reading->node[DEVICE_TYPE], "cpu") ||
	    (reading->node[STATUS].at != NULL &&
	     !is_word(reading->node[STATUS], "okay") &&
	     !is_word(reading->node[STATUS], "ok")))
		return NULL;
	if (reg.size != width)
		return "a CPU has not one id";

	if (boot->cpu_count < FDT_BOOT_CPUS)
		boot->cpus[boot->cpu_count++] = number(reg.at, width);
	boot->cpus_found++;
	if (says_svpbmt(reading))
		reading->with_svpbmt++;
	return NULL;
}

static const char *judge_cpus(struct reading *reading)
{
	reading->id_cells = 2;
	if (!take_number(reading->node[ADDRESS_CELLS], &reading->id_cells) ||
	    reading->id_cells < 1 || reading->id_cells > 2)
		return "ids of CPUs have 1 or 2 cells";
	if (!take_number(reading->node[TIMEBASE], &reading->boot.timebase))
		return "the time base is not a number";
	return NULL;
}

static const char *judge_chosen(struct reading *reading)
{
	struct fdt_boot *boot = &reading->boot;
	struct bytes arguments = reading->node[ARGUMENTS];

	if (!take_number(reading->node[INITRD_START], &boot->initrd_start) ||
	    !take_number(reading->node[INITRD_END], &boot->initrd_end))
		return "a bound of the ramdisk is not a number";
	if (boot->initrd_end < boot->initrd_start)
		return "the ramdisk ends before it begins";
	if (arguments.at != NULL) {
		boot->arguments = (const char *)arguments.at;
		boot->argument_size = text_length(arguments);
	}
	return NULL;
}

/* Judges the node at hand, of which all properties are known. */
static const char *judge(struct reading *reading)
{
	if (reading->is_judged)
		return NULL;
	reading->is_judged = true;
	if (reading->depth == 2 && reading->place == IN_CPUS)
		return judge_cpus(reading);
	if (reading->depth == 2 && reading->place == IN_CHOSEN)
		return judge_chosen(reading);
	if (reading->depth == 3 && reading->place == IN_CPUS)
		return judge_cpu(reading);
	return NULL;
}

/* Tokens */

/* Takes n bytes, and what is left of the last 4 of them. */
static bool take(struct reading *reading, size_t n, struct bytes *taken)
{
	size_t left = reading->tokens.size;
	size_t more = (4 - n % 4) % 4;

	if (n > left || more > left - n)
		return false;
	taken->at = reading->tokens.at;
	taken->size = n;
	reading->tokens.at += n + more;
	reading->tokens.size -= n + more;
	return true;
}

static const char *begin_node(struct reading *reading)
{
	const char *why = judge(reading);
	struct bytes name;

	if (why != NULL)
		return why;
	if (reading->depth == 0 && reading->has_root)
		return "a second root";
	if (!take(reading, text_length(reading->tokens) + 1, &name))
		return "the tree is cut short";
	reading->has_root = true;
	reading->is_judged = false;
	for (size_t i = 0; i < PROPERTIES; i++)
		reading->node[i] = no_reading.node[i];
	if (++reading->depth == 2) {
		reading->place = is_word(name, "cpus")     ? IN_CPUS
				 : is_word(name, "chosen") ? IN_CHOSEN
							   : ELSEWHERE;
	}
	return NULL;
}

static const char *end_node(struct reading *reading)
{
	const char *why = judge(reading);

	if (why != NULL)
		return why;
	if (reading->depth == 0)
		return "an end too many";
	reading->depth--;
	return NULL;
}

/* Of two properties with one name the first counts. */
static void keep(struct reading *reading, struct bytes name, struct bytes value)
{
	for (size_t i = 0; i < PROPERTIES; i++) {
		if (reading->node[i].at == NULL &&
		    is_word(name, property_names[i]))
			reading->node[i] = value;
	}
}

static const char *take_property(struct reading *reading)
{
	struct bytes name = reading->strings;
	struct bytes words;
	struct bytes value;
	uint64_t offset;

	if (reading->depth == 0 || reading->is_judged)
		return "a property outside of a node's beginning";
	if (!take(reading, 8, &words) ||
	    !take(reading, (size_t)number(words.at, 4), &value))
		return "the tree is cut short";
	offset = number(words.at + 4, 4);
	if (offset >= name.size)
		return "a name outside of the strings";
	name.at += offset;
	name.size -= (size_t)offset;
	keep(reading, name, value);
	return NULL;
}

static const char *take_token(struct reading *reading)
{
	struct bytes token;

	if (!take(reading, 4, &token))
		return "the tree is cut short";
	switch (number(token.at, 4)) {
	case TREE_BEGIN_NODE:
		return begin_node(reading);
	case TREE_END_NODE:
		return end_node(reading);
	case TREE_PROPERTY:
		return take_property(reading);
	case TREE_NOP:
		return NULL;
	case TREE_END:
		reading->is_at_end = true;
		return reading->depth == 0 && reading->has_root
			       ? NULL
			       : "the tree ends within a node";
	default:
		return "not a token";
	}
}

/* The block whose offset and size the header has at these bytes. */
static bool open_block(struct bytes tree, size_t offset_at, size_t size_at,
		       struct bytes *block)
{
	uint64_t offset = number(tree.at + offset_at, 4);
	uint64_t size = number(tree.at + size_at, 4);

	if (offset > tree.size || size > tree.size - offset)
		return false;
	block->at = tree.at + offset;
	block->size = (size_t)size;
	return true;
}

static const char *open_tree(struct reading *reading, struct bytes tree)
{
	uint64_t total;

	if (tree.size < TREE_HEADER_SIZE || number(tree.at, 4) != TREE_MAGIC)
		return "not a device tree";
	total = number(tree.at + 4, 4);
	if (total < TREE_HEADER_SIZE || total > tree.size)
		return "the tree is cut short";
	tree.size = (size_t)total;
	if (number(tree.at + 20, 4) < TREE_VERSION ||
	    number(tree.at + 24, 4) > TREE_VERSION)
		return "not version 17 of the format";
	if (!open_block(tree, 8, 36, &reading->tokens) ||
	    !open_block(tree, 12, 32, &reading->strings))
		return "a block lies outside of the tree";
	return NULL;
}

const char *fdt_boot_read(const void *tree, size_t size, struct fdt_boot *boot)
{
	struct bytes bytes = {tree, size};
	struct reading reading = no_reading;
	const char *why = open_tree(&reading, bytes);

	while (why == NULL && !reading.is_at_end)
		why = take_token(&reading);
	if (why != NULL)
		return why;
	reading.boot.has_svpbmt =
		reading.with_svpbmt > 0 &&
		reading.with_svpbmt == reading.boot.cpus_found;
	*boot = reading.boot;
	return NULL;
}

unsigned fdt_boot_number_cpus(const struct fdt_boot *boot, uint64_t first,
			      uint64_t *ids, unsigned room)
{
	unsigned n = 1;

	ids[0] = first;
	for (size_t i = 0; i < boot->cpu_count && n < room; i++)
		if (boot->cpus[i] != first)
			ids[n++] = boot->cpus[i];
	return n;
}

void fdt_boot_copy_arguments(const struct fdt_boot *boot, char *to, size_t room)
{
	size_t n = 0;

	while (n < room - 1 && n < boot->argument_size) {
		to[n] = boot->arguments[n];
		n++;
	}
	to[n] = '\0';
}

bool fdt_boot_has_argument(const struct fdt_boot *boot, const char *word)
{
	struct bytes arguments = {(const uint8_t *)boot->arguments,
				  boot->argument_size};

	return has_word(arguments, ' ', word);
}
