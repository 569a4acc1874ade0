/* SPDX-License-Identifier: MPL-2.0 */
/* A bar for terminals, lines for files and pipes. */
#include "progress.h"
#include "tables.h"

#include <stdio.h>
#include <unistd.h>

#define BAR_WIDTH 40

static void draw_bar(double fraction, uint64_t operations)
{
	char bar[BAR_WIDTH + 1];

	for (int i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < (int)(fraction * BAR_WIDTH) ? '#' : '.';
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "\r  [%s] %3.0f %%  %s operations ", bar,
		fraction * 100.0, number_short((double)operations).text);
	if (fraction >= 1.0)
		fprintf(stderr, "\n");
	fflush(stderr);
}

static void print_line(double fraction, uint64_t operations)
{
	static int quarters;

	if ((int)(fraction * 4.0) <= quarters)
		return;
	quarters = (int)(fraction * 4.0);
	fprintf(stderr, "working: %3.0f %%, %s operations\n", fraction * 100.0,
		number_short((double)operations).text);
}

void progress_show(double fraction, uint64_t operations)
{
	if (fraction > 1.0)
		fraction = 1.0;
	if (isatty(STDERR_FILENO))
		draw_bar(fraction, operations);
	else
		print_line(fraction, operations);
}
