/* SPDX-License-Identifier: MPL-2.0 */
/* The demo's command line. */
#ifndef DEMO_OPTIONS_H
#define DEMO_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
	const char *map;     /* file with a memory map */
	const char *numa;    /* file with its nodes, or null */
	uint64_t ram;        /* bytes of a made-up machine instead; 0: none */
	unsigned cpus;       /* simulated CPUs */
	double seconds;      /* how long the workload runs, */
	uint64_t operations; /* or after how many a CPU stops; 0: by time */
	uint64_t seed;
	const char *picture; /* where the picture goes */
	bool help;
};

/*
 * Fills *options in from the command line. On a mistake says what it is on
 * stderr and returns false.
 */
bool options_parse(int argc, char **argv, struct options *options);

/* Prints what the options are on stdout. */
void options_print_help(void);

#endif /* DEMO_OPTIONS_H */
