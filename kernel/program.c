/* SPDX-License-Identifier: MPL-2.0 */
#include "program.h"

#include "text.h"
#include "user/calls.h"

/* What we read of ELF, 64 bits, little-endian: from its specification. */
struct elf_header {
	unsigned char magic[16]; /* 0x7f E L F, class, data, version */
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t segments_at;
	uint64_t sections_at;
	uint32_t flags;
	uint16_t header_size;
	uint16_t segment_size;
	uint16_t segment_count;
	uint16_t section_size;
	uint16_t section_count;
	uint16_t section_names;
};

struct elf_segment {
	uint32_t type;
	uint32_t flags;
	uint64_t file_at;
	uint64_t address;
	uint64_t physical;
	uint64_t file_size;
	uint64_t size;
	uint64_t align;
};

#define ELF_EXECUTABLE 2
#define ELF_LOAD       1
#define ELF_EXEC       UINT32_C(1)
#define ELF_WRITE      UINT32_C(2)
#define ELF_READ       UINT32_C(4)

static bool is_within(const struct program *program, uint64_t at, uint64_t n)
{
	uint64_t size = (uint64_t)(program->end - program->file);

	return at <= size && n <= size - at;
}

static bool read_header(const struct program *program,
			struct elf_header *header)
{
	static const unsigned char magic[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1};

	if (!is_within(program, 0, sizeof(*header)))
		return false;
	memcpy(header, program->file, sizeof(*header));
	return memcmp(header->magic, magic, sizeof(magic)) == 0 &&
	       header->type == ELF_EXECUTABLE &&
	       header->machine == PORT_ELF_MACHINE &&
	       header->segment_size == sizeof(struct elf_segment) &&
	       is_within(program, header->segments_at,
			 (uint64_t)header->segment_count *
				 sizeof(struct elf_segment));
}

static bool is_sound(const struct program *program,
		     const struct elf_segment *segment)
{
	return is_within(program, segment->file_at, segment->file_size) &&
	       segment->file_size <= segment->size &&
	       segment->address % FH_PAGE_SIZE ==
		       segment->file_at % FH_PAGE_SIZE &&
	       segment->size <= UINT64_MAX / 4 &&
	       segment->address <= UINT64_MAX / 4;
}

static uint64_t flags_of(const struct elf_segment *segment)
{
	return ((segment->flags & ELF_READ) != 0 ? CALL_READ : 0) |
	       ((segment->flags & ELF_WRITE) != 0 ? CALL_WRITE : 0) |
	       ((segment->flags & ELF_EXEC) != 0 ? CALL_EXEC : 0);
}

/* Pages with bytes from the file; the rest of the stretch comes zeroed. */
static enum fh_status load_pages(const struct program *program,
				 struct userspace *memory,
				 const struct elf_segment *segment)
{
	const unsigned char *from = program->file + segment->file_at;
	uint64_t at = segment->address;
	uint64_t left = segment->file_size;
	enum fh_status status = FH_OK;

	while (status == FH_OK && left > 0) {
		uint64_t offset = at % FH_PAGE_SIZE;
		uint64_t n = FH_PAGE_SIZE - offset;

		if (n > left)
			n = left;
		status = userspace_load(memory, at / FH_PAGE_SIZE, offset, from,
					n);
		at += n;
		from += n;
		left -= n;
	}
	return status;
}

static enum fh_status load_segment(const struct program *program,
				   struct userspace *memory,
				   const struct elf_segment *segment)
{
	uint64_t first = segment->address / FH_PAGE_SIZE;
	uint64_t end = (segment->address + segment->size + FH_PAGE_SIZE - 1) /
		       FH_PAGE_SIZE;

	if (segment->type != ELF_LOAD || segment->size == 0)
		return FH_OK;
	if (!is_sound(program, segment))
		return FH_E_INVALID;
	enum fh_status status =
		userspace_map(memory, (struct stretch){first, end - first,
						       flags_of(segment)});
	return status == FH_OK ? load_pages(program, memory, segment) : status;
}

enum fh_status program_load(const struct program *program,
			    struct userspace *memory, uint64_t *entry)
{
	const struct stretch stack = {
		PROGRAM_STACK_END / FH_PAGE_SIZE - PROGRAM_STACK_PAGES,
		PROGRAM_STACK_PAGES, CALL_READ | CALL_WRITE};
	struct elf_header header;
	enum fh_status status = FH_OK;

	if (!read_header(program, &header))
		return FH_E_INVALID;
	for (size_t i = 0; status == FH_OK && i < header.segment_count; i++) {
		struct elf_segment segment;

		memcpy(&segment,
		       program->file + header.segments_at + i * sizeof(segment),
		       sizeof(segment));
		status = load_segment(program, memory, &segment);
	}
	if (status == FH_OK)
		status = userspace_map(memory, stack);
	if (status == FH_OK)
		*entry = header.entry;
	return status;
}
