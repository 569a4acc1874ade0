/* SPDX-License-Identifier: MPL-2.0 */
/* Traces; source lines come from addr2line: trace.h. */
#include "trace.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "model.h"

static const char *const order_names[] = {
	"relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst",
};

static char program[512];

static void find_program(void)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	program[n < 0 ? 0 : n] = '\0';
}

/* "fh_slot_claim at slot.c:170", or the address if nobody knows. */
static void print_line(uintptr_t pc)
{
	char command[640], line[400] = "";

	snprintf(command, sizeof(command),
		 "addr2line -f -p -s -e '%s' 0x%lx 2>/dev/null", program,
		 (unsigned long)(pc == 0 ? 0 : pc - 1));
	FILE *pipe = popen(command, "r");
	if (pipe != NULL) {
		if (fgets(line, sizeof(line), pipe) == NULL)
			line[0] = '\0';
		(void)pclose(pipe);
	}
	line[strcspn(line, "\n")] = '\0';
	if (line[0] == '\0')
		fprintf(stderr, "at %#lx", (unsigned long)pc);
	else
		fprintf(stderr, "%s", line);
}

static void print_event(const struct graph *g, unsigned t, unsigned i)
{
	const struct event *e = &g->event[t][i];

	fprintf(stderr, "  %u.%-3u %-7s ", t, i, order_names[e->order]);
	if (e->kind == FENCE) {
		fprintf(stderr, "fence%31s", "");
	} else {
		fprintf(stderr, "%s%s word %u = %#llx",
			e->kind == READ ? "read " : "write",
			e->rmw ? " (rmw)" : "", e->word,
			(unsigned long long)e->value);
		if (e->kind == READ && e->reads_from == INITIAL_STORE)
			fprintf(stderr, " from set-up");
		else if (e->kind == READ)
			fprintf(stderr, " from %u.%u", thread_of(e->reads_from),
				index_of(e->reads_from));
	}
	fprintf(stderr, "   ");
	print_line(e->pc);
	fprintf(stderr, "\n");
}

void trace_print(const struct graph *g, const char *wrong, const void *address,
		 uintptr_t pc, const char *const *notes)
{
	find_program();
	fprintf(stderr, "interleave: %s", wrong);
	if (address != NULL)
		fprintf(stderr, ", address %p", address);
	if (pc != 0) {
		fprintf(stderr, ", in ");
		print_line(pc);
	}
	fprintf(stderr, "\n");
	for (unsigned t = 0; t < thread_count; t++) {
		fprintf(stderr, "thread %u%s\n", t,
			notes[t] == NULL ? "" : notes[t]);
		for (unsigned i = 0; i < view[t].done && i < g->length[t]; i++)
			print_event(g, t, i);
	}
}
