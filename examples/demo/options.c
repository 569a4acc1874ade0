/* SPDX-License-Identifier: MPL-2.0 */
/* The demo's command line: defaults, limits, and a sentence per mistake. */
#define _GNU_SOURCE

#include "options.h"

#include <framehold/config.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SECONDS 86400.0
#define MOST_RAM     (FH_MAX_FRAMES * 4096)

static bool mistake(const char *option, const char *value, const char *expected)
{
	fprintf(stderr, "fh-demo: %s %s: expected %s\n", option, value,
		expected);
	return false;
}

static bool parse_number(const char *text, uint64_t least, uint64_t most,
			 uint64_t *number)
{
	char *end;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 0);
	if (errno != 0 || end == text || *end != '\0' || *text == '-' ||
	    value < least || value > most)
		return false;
	*number = value;
	return true;
}

static bool parse_seconds(const char *text, double *seconds)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' ||
	    !(value > 0.0 && value <= MOST_SECONDS))
		return false;
	*seconds = value;
	return true;
}

/* "512M", "64G", "1T"; a bare number is bytes. */
static bool parse_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	char *end;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 0);
	if (errno != 0 || end == text || *text == '-' || value == 0)
		return false;
	const char *unit = *end == '\0' ? NULL : strchr(units, *end);
	if (*end != '\0' && (unit == NULL || end[1] != '\0'))
		return false;
	unsigned shift = unit == NULL ? 0 : 10 * (unsigned)(unit - units + 1);
	if (value > MOST_RAM >> shift)
		return false;
	*bytes = value << shift;
	return true;
}

static bool parse_cpus(const char *text, unsigned *cpus)
{
	char expected[40];
	uint64_t value;

	if (parse_number(text, 1, FH_MAX_CPUS, &value)) {
		*cpus = (unsigned)value;
		return true;
	}
	snprintf(expected, sizeof(expected), "a number of CPUs, 1 to %d",
		 FH_MAX_CPUS);
	return mistake("--cpus", text, expected);
}

static bool apply(int option, const char *value, struct options *options)
{
	switch (option) {
	case 'm':
		options->map = value;
		return true;
	case 'a':
		options->numa = value;
		return true;
	case 'p':
		options->picture = value;
		return true;
	case 'h':
		options->help = true;
		return true;
	case 'c':
		return parse_cpus(value, &options->cpus);
	case 's':
		return parse_seconds(value, &options->seconds) ||
		       mistake("--seconds", value, "a time of up to a day");
	case 'n':
		return parse_number(value, 1, UINT64_MAX,
				    &options->operations) ||
		       mistake("--operations", value, "a positive number");
	case 'k':
		return parse_number(value, 0, UINT64_MAX, &options->seed) ||
		       mistake("--seed", value, "a number");
	case 'r':
		return parse_size(value, &options->ram) ||
		       mistake("--ram", value,
			       "a size such as 512M, 64G or 1T");
	default:
		fprintf(stderr, "fh-demo: --help lists the options\n");
		return false;
	}
}

bool options_parse(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {
		{"map", required_argument, NULL, 'm'},
		{"numa", required_argument, NULL, 'a'},
		{"ram", required_argument, NULL, 'r'},
		{"cpus", required_argument, NULL, 'c'},
		{"seconds", required_argument, NULL, 's'},
		{"operations", required_argument, NULL, 'n'},
		{"seed", required_argument, NULL, 'k'},
		{"picture", required_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	*options = (struct options){
		.map = "data/maps/nuc_setupdata.e820",
		.cpus = 4,
		.seconds = 5.0,
		.seed = 1,
		.picture = "out/memory.html",
	};
	while ((option = getopt_long(argc, argv, "h", names, NULL)) != -1)
		if (!apply(option, optarg, options))
			return false;
	if (optind < argc)
		return mistake("argument", argv[optind], "options only");
	return true;
}

void options_print_help(void)
{
	puts("usage: fh-demo [options]\n"
	     "\n"
	     "Brings up a machine from a memory map, lets its CPUs allocate,\n"
	     "share, split, list and free frames, plugs memory in meanwhile,\n"
	     "draws who owns which memory, takes everything down, uses memory\n"
	     "up to the last page, and proves that nothing leaked.\n"
	     "\n"
	     "  --map FILE      a memory map: e820 or UEFI text, a Linux boot\n"
	     "                  log, /proc/iomem, a device tree, or an ACPI\n"
	     "                  SRAT, which names memory as well (default\n"
	     "                  data/maps/nuc_setupdata.e820)\n"
	     "  --numa FILE     which memory belongs to which node: an ACPI\n"
	     "                  SRAT, its text, or a device tree (default: "
	     "what\n"
	     "                  the map itself says)\n"
	     "  --ram SIZE      a made-up machine instead: 512M, 64G, 1T\n"
	     "  --cpus N        simulated CPUs (default 4)\n"
	     "  --seconds S     how long they work (default 5)\n"
	     "  --operations N  stop each CPU after N operations instead\n"
	     "  --seed K        the random choices; with --cpus 1 a seed "
	     "always\n"
	     "                  makes the same sequence (default 1)\n"
	     "  --picture FILE  where the picture goes (default\n"
	     "                  out/memory.html)\n"
	     "  --help          this text");
}
